/* SPDX-License-Identifier: MIT */
/*
 * cgroup.h - a control group (cgroups(7), version 2) of the run's own, where the caller has been given a place for one:
 * the kernel then keeps a little above the memory limit what the meter keeps at it, however fast memory is touched, and
 * gives the run its share of the processors as a whole. Nothing of a run depends on it.
 *
 * Only controllers that are switched on for the place already are used: the groups of others are left as they are.
 */
#ifndef PICKET_TRACER_CGROUP_H
#define PICKET_TRACER_CGROUP_H

#include <stdbool.h>
#include <sys/types.h>

#include "image.h"

struct cgroup;

/* Make one beside our own group or, where that may not be, in it. NULL when no limit of the run has use for one, when
 * there is no place, or no controller. */
struct cgroup *cgroup_make(const struct policy_limits *limits);
/* The same in this directory. */
struct cgroup *cgroup_make_in(const char *directory, const struct policy_limits *limits);
/* A process, and all that it will make. 0 or -errno. */
int cgroup_add(const struct cgroup *cgroup, pid_t process);
/* Was anything ever in it? NULL is allowed. */
bool cgroup_used(const struct cgroup *cgroup);
/* Did the kernel end the run for its memory? */
bool cgroup_ran_out(const struct cgroup *cgroup);
/* Whatever is in it ends, and it goes. NULL is allowed. */
void cgroup_remove(struct cgroup *cgroup);

#endif
