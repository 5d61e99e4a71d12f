/* SPDX-License-Identifier: MIT */
/*
 * level.h - the rungs of the ladder of enforcement (DESIGN.md), weakest
 * first, and what the words on the command line for them are.
 */
#ifndef PICKET_TRACER_LEVEL_H
#define PICKET_TRACER_LEVEL_H

enum level { LEVEL_PRELOAD, LEVEL_PTRACE, LEVEL_SECCOMP, LEVEL_NOTIFY, LEVEL_GATE };
enum { LEVEL_COUNT = LEVEL_GATE + 1 };

/* "preload", "ptrace", ... A static string. */
const char *level_name(enum level level);

/* The level of that name. 0, or -EINVAL when there is none. */
int level_by_name(const char *name, enum level *level);

#endif
