/* SPDX-License-Identifier: MIT */
/*
 * end.h - what ends a run from outside: signals to the supervisor, and time.
 */
#ifndef PICKET_TRACER_END_H
#define PICKET_TRACER_END_H

#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>

enum { END_TIMEOUT = -1, END_LIMIT = -2 };

/* 0: goes on; END_TIMEOUT; END_LIMIT; or the signal that asked for the end. */
extern atomic_int end_reason;

/*
 * From now on SIGINT, SIGTERM, SIGHUP and SIGQUIT ask for the end of the run. One that the terminal sends goes to
 * the tool as well, which may want to handle it (an editor, a shell): it ends the run only when it comes for the third
 * time within three seconds. What the caller had blocked and ignored before: the tool is to have it so.
 */
struct end_signals {
	sigset_t blocked, ignored;
};
const struct end_signals *end_catch(void);

/* A limit is reached: from any thread. */
void end_for_limit(void);

/* The time that is left, in ns; 0: no limit. */
void end_after(uint64_t ns);

#endif
