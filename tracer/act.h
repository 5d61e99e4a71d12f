/* SPDX-License-Identifier: MIT */
/*
 * act.h - carrying out a judgement: answer, refuse and record, or let
 * proceed so that the kernel uses exactly what was judged.
 */
#ifndef PICKET_TRACER_ACT_H
#define PICKET_TRACER_ACT_H

#include "judge.h"
#include "known.h"

/* `request` and `judgement` of one EVENT_CALL. Gives the transport its answer. */
void act(struct guard *guard, struct request *request, struct judgement *judgement);

/* The same for what was allowed a moment ago, and can go on as it is. False: it cannot, and no answer was given. */
bool act_known(struct guard *guard, const struct request *request, const struct known_name *name);

/* Can nobody but the stopped task change the arguments that were judged? */
bool act_arguments_fixed(const struct guard *guard, const struct request *request);

/* Record a refusal. `action`: what was done about it. */
void act_record(struct guard *guard, const struct request *request, const struct refusal *refusal,
		enum violation_action action);

#endif
