/* SPDX-License-Identifier: MIT */
/*
 * probe.h - what this machine gives at this moment, found out by trying, and
 * the choice of a level from it.
 */
#ifndef PICKET_TRACER_PROBE_H
#define PICKET_TRACER_PROBE_H

#include <stdbool.h>
#include <stdio.h>

#include "job.h"
#include "level.h"

/* What levels are made of, in the order in which it is tried. */
enum feature {
	FEATURE_PROC,	  /* /proc tells what a descriptor is */
	FEATURE_OPENAT2,  /* openat2(2): a walk that follows no link */
	FEATURE_PTRACE,	  /* trace a child's calls, read and write its memory */
	FEATURE_FILTER,	  /* a seccomp filter that hands calls to the tracer */
	FEATURE_NOTIFY,	  /* seccomp user notification that can hand over a descriptor */
	FEATURE_GATE,	  /* a page of constant arguments, where nothing else can be */
	FEATURE_LANDLOCK, /* not used by any level yet; told to whoever asks */
	FEATURE_COUNT
};

enum { PROBE_WHY_SIZE = 160 };

/* There, or why not. */
struct probe_finding {
	bool available;
	bool only_asked;	  /* a level that is taken only when it is asked for by name */
	char why[PROBE_WHY_SIZE]; /* one clause; "" when available */
};

struct probe {
	struct probe_finding level[LEVEL_COUNT];
	struct probe_finding feature[FEATURE_COUNT];
};

/* Try everything. Takes about two milliseconds; starts processes, and all of them have ended when it returns. */
void probe_machine(struct probe *probe);

/* The same, but only what the levels of this version need: what `run` calls. */
void probe_levels(struct probe *probe);

/* A static string: "seccomp_filter". */
const char *feature_name(enum feature feature);

/*
 * The highest level that is available and fits the wish. 0; `why` says why none above it was taken ("" at the
 * highest). Or -EOPNOTSUPP, and `why` says which level is missing and why.
 */
int level_choose(const struct probe *probe, const struct level_wish *wish, enum level *chosen,
		 char why[PROBE_WHY_SIZE + 64]);

/* What `picket probe` prints. 0, -ENOMEM or -EIO. */
int probe_print(const struct probe *probe, FILE *to, bool json);

#endif
