/* SPDX-License-Identifier: MIT */
/*
 * filter.h - the seccomp filter of a run: stops (SECCOMP_RET_TRACE) every call that the policy could refuse, or that the
 * supervisor has to know of, and lets the rest run at full speed.
 */
#ifndef PICKET_TRACER_FILTER_H
#define PICKET_TRACER_FILTER_H

#include <linux/filter.h>

#include "guard.h"

/* Compile for the policies of a run. filter->filter is malloc'ed. 0 or -errno (-E2BIG: more than BPF_MAXINSNS). */
int filter_compile(const struct guard *guard, struct sock_fprog *filter);

/* The same for level preload, where there is nobody to stop for: what is refused in any case fails with its errno. */
int filter_compile_alone(const struct guard *guard, struct sock_fprog *filter);

/* Is every call of this number let through, whatever its arguments? What level ptrace lets pass, too, without a look. */
bool filter_never_stops(const struct guard *guard, long number);

#endif
