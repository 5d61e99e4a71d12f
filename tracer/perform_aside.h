/* SPDX-License-Identifier: MIT */
/*
 * perform_aside.h - levels ptrace and seccomp: the few calls that cannot be made safe by copies of their arguments are done
 * by the supervisor, as at level notify. They are about what has no name, in a descriptor table that other threads change
 * too: there is no text that would mean it, and another thread may put another descriptor there. Or, listen(2), about what
 * only a second look shows.
 */
#ifndef PICKET_TRACER_PERFORM_ASIDE_H
#define PICKET_TRACER_PERFORM_ASIDE_H

#include "judge.h"

/* A result: what was judged has changed since. */
#define PERFORM_AGAIN INT64_MIN
/* A result: there is no way to do it. */
#define PERFORM_NO_WAY (INT64_MIN + 3)

/* The result of the call, done to what was judged by somebody with the rights of the task (which is stopped). */
int64_t perform_aside(struct guard *guard, struct request *request, const struct judgement *judgement);

#endif
