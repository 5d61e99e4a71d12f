/* SPDX-License-Identifier: MIT */
/*
 * limit.h - a run's limits: which hold, what of them the kernel enforces on each process, and what is decided at a
 * call. What is measured while the run goes on is meter.h's; time is end.h's; output is capture.h's.
 */
#ifndef PICKET_TRACER_LIMIT_H
#define PICKET_TRACER_LIMIT_H

#include <stddef.h>

#include "guard.h"
#include "regs.h"

enum { LIMIT_WHY_SIZE = 160 };

/* Those of all policies of the run: of two the smaller one. */
struct policy_limits limit_of(struct policy *const policies[], unsigned count);

/* Can they all be kept? 0, or -EINVAL and why not. */
int limit_check(const struct policy_limits *limits, char why[LIMIT_WHY_SIZE]);

/* In the child, before it executes the tool and while it still has its privileges: priority and resource limits. 0 or
 * -errno. Safe after fork in a program with threads. */
int limit_apply(const struct policy_limits *limits);

/* A task is stopped at a call that makes a task, or takes space. 0, or the errno (positive) with which the call fails
 * because of a limit; then that limit is noted in guard->limited. */
int limit_refuse(struct guard *guard, struct task *task, const struct call_stop *call);

/* A signal is about to reach a task of the run: note what limit it tells of. */
void limit_note_signal(struct guard *guard, int signal);

#endif
