/* SPDX-License-Identifier: MIT */
/*
 * census.h - the processes of a run, and what those had used that have ended. Part of the meter, which locks it.
 */
#ifndef PICKET_TRACER_CENSUS_H
#define PICKET_TRACER_CENSUS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>
#include "hash.h"

#include "usage.h"

/* A live process. */
struct live {
	pid_t pid, parent;   /* parent: its maker; 0 unknown */
	bool copy;	     /* has memory in common with its maker, or with what it made */
	bool makes;	     /* has made a process */
	bool guest;	     /* runs on its maker's memory, which is counted there */
	uint64_t cpu_seen;   /* ns, without children */
	uint64_t waited_cpu; /* ns, of its children that it has waited for, and theirs */
	struct usage_io io_seen;
	unsigned round, missed; /* roll.h: when it was seen last; how often it was not */
	struct zombie *zombies; /* its children of that kind; a list */
	UT_hash_handle hh;
};

/* One that has ended and that its parent has not waited for. */
struct zombie {
	pid_t pid, parent;
	uint64_t cpu;		     /* ns, with its waited-for children */
	uint64_t stored;	     /* bytes, the same */
	struct zombie *next, **link; /* among those of its parent; NULL: the parent is unknown or gone */
	UT_hash_handle hh;
};

struct census {
	bool counts_files;	     /* write_bytes is limited */
	struct live *live;	     /* hash */
	struct zombie *zombies;	     /* hash */
	unsigned next_look;	     /* when there are so many, those that are gone are forgotten */
	uint64_t ended_cpu;	     /* ns, of all that have ended */
	uint64_t ended_stored;	     /* bytes, of those that are in nobody's account but the supervisor's */
	struct usage_io lost;	     /* of those whose parents ignored their end */
	struct usage_spent children; /* of the supervisor, as last seen */
	struct usage_kept parent;    /* of the process that ended last; the supervisor's thread only */
};

/* As in meter.h. */
void census_born(struct census *census, pid_t process);
void census_forked(struct census *census, pid_t process, pid_t maker, bool same_memory);
void census_execed(struct census *census, pid_t process);
void census_ending(struct census *census, pid_t task);
void census_gone(struct census *census, pid_t task, const struct rusage *rusage);
unsigned census_zombies(struct census *census, bool exact);

struct live *census_find(struct census *census, pid_t process); /* or NULL */
/* Forget zombies that are gone. */
void census_look(struct census *census);
/* ns of CPU time of the whole run. */
uint64_t census_cpu(struct census *census);
void census_clear(struct census *census);

#endif
