/* SPDX-License-Identifier: MIT */
/*
 * supervise.h - the loop: take the next event, judge it, act.
 */
#ifndef PICKET_TRACER_SUPERVISE_H
#define PICKET_TRACER_SUPERVISE_H

#include <stdatomic.h>

#include "guard.h"

/*
 * Run until no task of the run is left. *ended tells from outside (a signal handler) that the run is to end: 0 goes on. 0 or
 * -errno; then tasks may be left, and end with the supervisor (PTRACE_O_EXITKILL).
 */
int supervise(struct guard *guard, const atomic_int *ended);

#endif
