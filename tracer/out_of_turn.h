/* SPDX-License-Identifier: MIT */
/*
 * out_of_turn.h - levels ptrace and seccomp: bringing tasks to the end of a call that they were let proceed into, and keeping
 * the stops that come meanwhile until it is their turn.
 */
#ifndef PICKET_TRACER_OUT_OF_TURN_H
#define PICKET_TRACER_OUT_OF_TURN_H

#include <stdbool.h>
#include <sys/types.h>

#include "guard.h"

/* wait4(2), which also tells the meter of ends. */
pid_t out_of_turn_wait(struct guard *guard, pid_t which, int *status, int options);

/* A status that was taken in out of turn, the oldest first. False: there is none. */
bool out_of_turn_next(struct guard *guard, pid_t *tid, int *status);

/* transport_settle_names and transport_await_end (transport.h). */
void out_of_turn_settle_names(struct guard *guard, const struct task *except);
void out_of_turn_await(struct guard *guard, struct task *task);

#endif
