/* SPDX-License-Identifier: MIT */
/*
 * limit_names.h - the limits by name. Outside only.
 */
#ifndef PICKET_POLICY_LIMIT_NAMES_H
#define PICKET_POLICY_LIMIT_NAMES_H

#include <stddef.h>

#include "image.h"

/* What is counted. */
enum limit_kind {
	LIMIT_TIME, /* ms in a policy */
	LIMIT_BYTES,
	LIMIT_COUNT,
};

struct limit_name {
	const char *name;   /* as in a policy */
	const char *option; /* on the command line, without "--" */
	enum limit_kind kind;
	size_t offset; /* in struct policy_limits */
	uint64_t most;
};

extern const struct limit_name limit_names[]; /* ends with a NULL name */

static inline uint64_t *limit_value(struct policy_limits *limits, const struct limit_name *limit)
{
	return (uint64_t *)(void *)((char *)limits + limit->offset);
}

/*
 * A value from the command line: "1.5G", "250ms". Times become ns. 0 is no limit. 0, -EINVAL: not of that form
 * (limit_form says which), -ERANGE: larger than INT64_MAX.
 */
int limit_parse(enum limit_kind kind, const char *text, uint64_t *value);
const char *limit_form(enum limit_kind kind);

#endif
