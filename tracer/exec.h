/* SPDX-License-Identifier: MIT */
/*
 * exec.h - the second look at an exec: what runs is what was approved.
 */
#ifndef PICKET_TRACER_EXEC_H
#define PICKET_TRACER_EXEC_H

#include "judge.h"

/*
 * request->task has executed a program and has not run an instruction of it. False: it is not what was approved; the
 * judgement says what, and the process must not run on.
 */
bool exec_is_approved(struct guard *guard, struct request *request, struct judgement *judgement);

/* Was it killed meanwhile? Nothing that it has executed is there any more, so nothing is to be said of it. */
bool exec_is_over(const struct task *task);

void exec_free_args(char **args);

#endif
