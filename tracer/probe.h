/* SPDX-License-Identifier: MIT */
/*
 * probe.h - what this machine gives at this moment, found out by trying, and
 * the choice of a level from it.
 */
#ifndef PICKET_TRACER_PROBE_H
#define PICKET_TRACER_PROBE_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

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
	FEATURE_LANDLOCK, /* floor.h: under every level that is a boundary, where it is there */
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

/* A try that goes on by itself. */
struct probing {
	unsigned features; /* under way: 1 << enum feature */
	pid_t child;	   /* 0: none */
	int fd;
};

/* The same for `run`, which waits for it: only what the levels that fit the wish need, and the caller can do something else
 * meanwhile. Findings on levels that do not fit are empty. After probing_begin call one of the other two. */
void probing_begin(struct probing *probing, const struct level_wish *wish);
void probing_end(struct probing *probing, struct probe *probe);
void probing_abandon(struct probing *probing);

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
