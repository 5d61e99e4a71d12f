/* SPDX-License-Identifier: MIT */
/*
 * run_inside.h - what the parts of a run share. Only for run.c and run_end.c.
 */
#ifndef PICKET_TRACER_RUN_INSIDE_H
#define PICKET_TRACER_RUN_INSIDE_H

#include <limits.h>
#include <linux/filter.h>

#include "by_preload.h"
#include "capture.h"
#include "cgroup.h"
#include "guard.h"
#include "launch.h"
#include "probe.h"
#include "progress.h"
#include "result.h"
#include "run.h"

/* Everything that a run makes, so that it can be let go in one place. */
struct run {
	const struct job *job;
	struct policy policy;
	struct policy_errors errors;
	struct probing probing;
	struct probe probe;
	char why_not_higher[PROBE_WHY_SIZE + 64];
	char **environment;
	char *shim; /* its file, where one is needed; NULL: why it was not found */
	char why_no_shim[2 * PATH_MAX];
	char *path;	   /* of the program */
	char **shell_argv; /* for a text file without "#!" */
	struct result_file result_file;
	struct guard guard;
	struct sock_fprog filter;
	struct capture *capture;
	struct progress *progress;
	struct cgroup *cgroup; /* or NULL */
	struct child child;
	bool abandoned; /* a thread still uses some of it, and cannot be ended */
	struct preload preload;
	struct launch_trouble trouble;
	uint64_t started_ns; /* CLOCK_MONOTONIC */
	struct run_outcome outcome;
};

/* How the run ended and what it used. */
void run_fill_outcome(struct run *run);

/*
 * Tell the result to whom it is for. A failure is told, and the tool's exit status still reaches the caller, who finds
 * no result then. Not so if something else is found in its place: that is said by the status, too. What is to be exited
 * with, or 0.
 */
int run_report(struct run *run);

/* The command is not there, or may not be run (`status`): found out before anything has run, it makes a result as when
 * exec says so. What is to be exited with. */
int run_report_no_command(struct run *run, int status);

/* What a run exits with that came to its end. */
int run_exit_status(const struct run *run);

#endif
