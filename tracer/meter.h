/* SPDX-License-Identifier: MIT */
/*
 * meter.h - what a run uses, while it runs: a thread of its own looks at its processes again and again, the more often
 * the nearer a limit is, and says when one is reached. It only looks and tells; ending the run is the supervisor's.
 *
 * The supervisor tells of births and ends of processes as they happen (meter_born ... meter_reaped); it may do so from
 * one thread only. With meter NULL these do nothing.
 */
#ifndef PICKET_TRACER_METER_H
#define PICKET_TRACER_METER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "image.h"
#include "usage.h"

struct meter;

/* What a run uses or has used. */
struct meter_reading {
	uint64_t cpu_ns;
	uint64_t memory, peak_memory; /* bytes of all processes together, at one moment */
	uint64_t read, written;	      /* bytes moved by read and write calls; after the end only */
	uint64_t stored;	      /* bytes of files: what write_bytes limits; when that is set only */
	unsigned processes;
};

/* `limits` are copied; 0 or -errno. *reached becomes the name of the first of memory_bytes, cpu_time_ms, write_bytes
 * that is reached, and then `tell` is called, once, in the meter's thread. */
int meter_start(struct meter **meter, const struct policy_limits *limits, void (*tell)(void));

/* Nobody tells of births and ends: look for them again and again below this process, which waits for orphans. To be called
 * once, when it has started. meter may be NULL, here and below. */
void meter_watch(struct meter *meter, pid_t keeper);
/* What all that it has waited for has used. */
void meter_told(struct meter *meter, const struct usage_spent *spent);

/* A process appeared. */
void meter_born(struct meter *meter, pid_t process);
/* It was made by `maker`: as its copy (fork), or on its memory (vfork). */
void meter_forked(struct meter *meter, pid_t process, pid_t maker, bool same_memory);
/* It runs another program: nothing is in common with its maker any more. */
void meter_execed(struct meter *meter, pid_t process);
/* A task has ended, and is about to be waited for. */
void meter_ending(struct meter *meter, pid_t task);
/* waitpid said that this task has ended. `rusage` as wait4 gives it, or NULL. */
void meter_gone(struct meter *meter, pid_t task, const struct rusage *rusage);
/* Processes that have ended and that their parents have not waited for. `exact`: look whether they are still there. */
unsigned meter_zombies(struct meter *meter, bool exact);
/* Space was set aside (fallocate) that will not be seen being written. False: that is more than write_bytes; not
 * counted. */
bool meter_allocate(struct meter *meter, uint64_t bytes);

/* Name of the limit that was reached, or NULL. */
const char *meter_reached(const struct meter *meter);
/* Name of one that was used up, and processes that wanted to know were told (SIGXCPU) and given a moment; or NULL. */
const char *meter_warned_of(const struct meter *meter);
struct meter_reading meter_read(struct meter *meter);
/* When nothing of the run is left: stop the thread, and the totals. */
struct meter_reading meter_finish(struct meter *meter);
void meter_free(struct meter *meter);

#endif
