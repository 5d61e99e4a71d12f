/* SPDX-License-Identifier: MIT */
/*
 * perform.h - level notify: what was allowed is done here in place of the
 * task, with what was judged: the objects that the resolver holds, copies of arguments, copies of the task's sockets. The
 * task gets the result, or the descriptor. Nothing is read from the task twice.
 */
#ifndef PICKET_TRACER_PERFORM_H
#define PICKET_TRACER_PERFORM_H

#include "judge.h"

/* Gives the task its answer; or sets judgement->again. */
void perform(struct guard *guard, struct request *request, struct judgement *judgement);

/* Is there a way to do this call of the table, or is it one that may be let proceed? For tests. */
bool perform_knows(const struct call *call);

#endif
