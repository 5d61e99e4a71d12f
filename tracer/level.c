/* SPDX-License-Identifier: MIT */
/*
 * level.c - the names of the levels, in one table.
 */
#include "level.h"

#include <errno.h>
#include <string.h>

static const char *const names[LEVEL_COUNT] = {
	[LEVEL_PRELOAD] = "preload", [LEVEL_PTRACE] = "ptrace", [LEVEL_SECCOMP] = "seccomp",
	[LEVEL_NOTIFY] = "notify",   [LEVEL_GATE] = "gate",
};

const char *level_name(enum level level)
{
	return names[level];
}

int level_by_name(const char *name, enum level *level)
{
	for (unsigned i = 0; i < LEVEL_COUNT; i++) {
		if (strcmp(names[i], name) == 0) {
			*level = (enum level)i;
			return 0;
		}
	}
	return -EINVAL;
}
