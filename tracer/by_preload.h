/* SPDX-License-Identifier: MIT */
/*
 * by_preload.h - a run at level preload: nobody stops calls; the shim in each
 * of the tool's programs decides, and tells of refusals. Not a transport: there is nothing to answer.
 */
#ifndef PICKET_TRACER_BY_PRELOAD_H
#define PICKET_TRACER_BY_PRELOAD_H

#include <stdatomic.h>

#include "guard.h"
#include "keeper.h"
#include "launch.h"
#include "roll.h"
#include "wire.h"

struct preload {
	int reserved[RESERVED_FD_COUNT]; /* what the tool gets; -1: nothing */
	int reports;			 /* our end of the socket, or -1 */
	int programs;			 /* an eventfd that counts shims, or -1 */
	struct wire_shared *shared;	 /* or NULL */
	struct keeper keeper;
	struct roll roll; /* to count processes */
};
#define PRELOAD_NONE ((struct preload){.reports = -1, .programs = -1, .keeper = {-1, -1}})

/*
 * May this program, the one that the user named, be started, and will the shim be in it? `fd` is a sealed copy that will
 * run in place of what is at `path`, or -1. 0, or an errno (negative); then
 * `why` is a sentence for the user, with what would allow it. A refusal by the policy is recorded.
 */
int preload_examine(struct guard *guard, const char *path, int fd, char *why, size_t size);

/* Make what the tool's programs are to find; fills launch->reserved. 0 or -errno. */
int preload_prepare(struct preload *preload, const struct guard *guard, struct launch *launch);

/* Start the tool. 0 or -errno. */
int preload_start(struct preload *preload, const struct launch *launch);

/* Until nothing of the run is left: record what is told. `ended` as supervise() has it. 0 or -errno; *trouble: whether the tool
 * came to run. */
int preload_watch(struct preload *preload, struct guard *guard, const atomic_int *ended,
		  struct launch_trouble *trouble);

void preload_free(struct preload *preload);

#endif
