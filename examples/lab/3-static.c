/* SPDX-License-Identifier: MIT */
/*
 * Exercise 3: a program without a loader. The source is that of exercise 1; it is linked with -static.
 *
 * lab: preload=shim ptrace=supervisor seccomp=supervisor
 *
 * Question: into a static program no library is loaded. Why does it not get through at level preload?
 * Answer:   it never starts. The library looks at a program before it lets it be executed, and one that it could not be
 *           loaded into is refused. The supervisor needs nothing of a program, so there it starts, and its open is refused.
 */
#include "1-open.c"
