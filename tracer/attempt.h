/* SPDX-License-Identifier: MIT */
/*
 * attempt.h - for probe.c: one try each at a thing the kernel may refuse.
 */
#ifndef PICKET_TRACER_ATTEMPT_H
#define PICKET_TRACER_ATTEMPT_H

#include <stddef.h>

/*
 * Each is to be called in a process that does nothing but such tries and ends afterwards: it leaves filters, tracees
 * (attempt_end) and descriptors behind. In the order of enum feature they do not disturb one another.
 * attempt_filter does all that attempt_ptrace does and more. 0, or -errno, and in `why` what was tried when it failed,
 * without the error.
 */
typedef int attempt_function(const char **why);

/* After the last of them: ends and waits for what they have started, so that whoever waits for orphans sees none of ours. */
void attempt_end(void);

attempt_function attempt_proc, attempt_openat2, attempt_ptrace, attempt_filter, attempt_notify, attempt_gate,
	attempt_landlock;

#endif
