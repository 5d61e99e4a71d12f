/* SPDX-License-Identifier: MIT */
/*
 * leaf.h - which calls are worth a stop: what the filter does with each call number, before it looks at anything else of a call.
 */
#ifndef PICKET_TRACER_LEAF_H
#define PICKET_TRACER_LEAF_H

#include "decide.h"
#include "guard.h"

enum leaf {
	LEAF_PASS,
	LEAF_STOP,
	LEAF_LOOK,    /* at registers */
	LEAF_UNKNOWN, /* ENOSYS */
};

enum leaf leaf_of(const struct guard *guard, long number);

/* May the run use every address so? */
bool leaf_every_address(const struct guard *guard, enum net_use use);
/* May it have UDP sockets? */
bool leaf_any_udp(const struct guard *guard);

#endif
