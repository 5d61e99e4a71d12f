/* SPDX-License-Identifier: MIT */
/*
 * headcount.h - level notify: may a task make one more? The limit of
 * processes where forks are judged and let proceed, but no birth and no end is seen.
 */
#ifndef PICKET_TRACER_HEADCOUNT_H
#define PICKET_TRACER_HEADCOUNT_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* A task that was let make another, and may be at it still. */
struct birth {
	pid_t tid;
	uint64_t user_ticks; /* of its time then */
};

struct headcount {
	pthread_mutex_t lock;
	uint64_t at_most; /* tasks that there can be: as last counted, and one for each that was let be made since */
	struct birth *births; /* since then */
	uint64_t birth_count, room;
};

/*
 * The task is stopped at a call that makes a task; tasks are counted below `top`, those that have ended and were not waited for
 * included. True: there are fewer than `most`, and it is to be let proceed. `may_wait` is called before anything is waited for.
 */
bool headcount_one_more(struct headcount *count, pid_t tid, pid_t top, uint64_t most, void (*may_wait)(void));

#endif
