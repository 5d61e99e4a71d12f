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

/* As wait4(2), and tells the meter of ends. `which` is a task, or -1: any, and then a stop is not taken in. */
pid_t out_of_turn_wait(struct guard *guard, pid_t which, int *status, int options);
/* This task's stop is over, or is about to be. */
void out_of_turn_answered(struct guard *guard, pid_t tid);

/* A status that was taken in out of turn, the oldest first. False: there is none. */
bool out_of_turn_next(struct guard *guard, pid_t *tid, int *status);

/* transport_settle_names and transport_await_end (transport.h). */
bool out_of_turn_settle_names(struct guard *guard, const struct task *except);
void out_of_turn_await(struct guard *guard, struct task *task);

#endif
