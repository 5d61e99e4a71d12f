/* SPDX-License-Identifier: MIT */
/*
 * progress.h - a line at the bottom of the terminal that says what the run uses: --progress. The tool's output scrolls
 * above it. A thread of its own draws it.
 */
#ifndef PICKET_TRACER_PROGRESS_H
#define PICKET_TRACER_PROGRESS_H

#include <stdatomic.h>
#include <stdint.h>

struct meter;
struct progress;

/* When stderr is no terminal, or a very small one: 0, and *progress is NULL. `refusals` is read until progress_end. */
int progress_start(struct progress **progress, struct meter *meter, const atomic_uint_fast64_t *refusals);
/* The line is gone, and the terminal as it was. NULL is allowed. */
void progress_end(struct progress *progress);

#endif
