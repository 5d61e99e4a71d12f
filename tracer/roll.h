/* SPDX-License-Identifier: MIT */
/*
 * roll.h - the census of a run that nobody traces: again and again its
 * processes are looked for below the run's keeper, and what those had used that are gone is found out from what their
 * parents have in their accounts. Part of the meter, which locks it.
 */
#ifndef PICKET_TRACER_ROLL_H
#define PICKET_TRACER_ROLL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "census.h"

/* A process as it was seen. */
struct roll_entry {
	pid_t pid, parent;
	unsigned threads;
	uint64_t waited; /* ns, of children that it has waited for, and theirs: rounded down to ticks of the clock */
};

/* Bytes moved, in the accounts of all. */
struct roll_account {
	uint64_t most;	  /* that have been seen */
	uint64_t lost;	  /* of them, in nobody's account any more */
	uint64_t missing; /* that may be so, too: at the next look it is known */
};

struct roll {
	pid_t top;		 /* the keeper */
	struct roll_entry *list; /* the keeper first; ancestors before descendants */
	size_t count, room;
	unsigned round;
	uint64_t lost_cpu, missing_cpu; /* ns, of those that are in nobody's account: their parents ignore their ends */
	bool reckless;			/* there has been one whose parent ignores its end */
	struct roll_account read, written, stored;
	bool keeper_tells; /* its account was readable when last looked */
};

/* Look who is there. Without the lock. */
void roll_call(struct roll *roll);

/* Make the census what was seen. With the lock. */
void roll_enter(struct roll *roll, struct census *census);

/* What all together have moved so far. In the thread that calls the roll; without the lock. */
struct usage_io roll_io(struct roll *roll);

void roll_clear(struct roll *roll);

#endif
