/* SPDX-License-Identifier: MIT */
/*
 * usage.h - what a run has used.
 */
#ifndef PICKET_TRACER_USAGE_H
#define PICKET_TRACER_USAGE_H

#include "result.h"

/* As it was when the run began. */
struct usage {
	uint64_t started_ns;	/* CLOCK_MONOTONIC */
	uint64_t read, written;	/* bytes, of the supervisor and of all children that it has waited for */
};

void usage_begin(struct usage *usage, struct run_outcome *outcome);
/* When nothing of the run is left. */
void usage_end(const struct usage *usage, struct run_outcome *outcome);

#endif
