/* SPDX-License-Identifier: MIT */
/*
 * limit_names.h - the limits by name. Outside only.
 */
#ifndef PICKET_POLICY_LIMIT_NAMES_H
#define PICKET_POLICY_LIMIT_NAMES_H

#include <stddef.h>

#include "image.h"

struct limit_name {
	const char *name; /* as in a policy */
	size_t offset;	  /* in struct policy_limits */
	uint64_t most;
	bool enforced; /* by this version */
};

extern const struct limit_name limit_names[]; /* ends with a NULL name */

static inline uint64_t *limit_value(struct policy_limits *limits, const struct limit_name *limit)
{
	return (uint64_t *)(void *)((char *)limits + limit->offset);
}

#endif
