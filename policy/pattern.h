/* SPDX-License-Identifier: MIT */
/*
 * pattern.h - the path patterns of rules: what they may look like, what they mean on this machine, and which covers
 * which. Outside only.
 */
#ifndef PICKET_POLICY_PATTERN_H
#define PICKET_POLICY_PATTERN_H

#include <limits.h>
#include <stdbool.h>

#include "arena.h"
#include "complaint.h"

/* A rule holds for both names. */
struct pattern_names {
	const char *resolved; /* with the symbolic links of its existing part followed */
	const char *written;  /* as it was written, normalised; NULL: the same as resolved */
};

/*
 * What one look at the file system said, so that the next rule, which mostly stands in the same directory, need not
 * look again. Zeroed to begin with; good for one policy. NULL where one is taken: look always.
 */
struct pattern_memory {
	char plain[PATH_MAX];	/* neither this nor a directory above it is a link */
	char missing[PATH_MAX]; /* neither this nor anything below it exists */
};

/*
 * Find both names of an absolute path or pattern. "//", "." and a slash at the end go; ".." goes where the links before
 * it lead. Components from the first with a `*` on stay as they are. What does not exist stays as written. Links in
 * /proc/self and the like are not followed: they say something of Picket and not of the tool. Reads symbolic links,
 * nothing else. 0; -EINVAL with *why; -ENOMEM.
 */
int pattern_resolve(const char *path, struct pattern_memory *memory, struct arena *arena, struct pattern_names *names,
		    struct complaint *why);

/*
 * Is all that `inner` speaks of (its matches and what is below them) also spoken of by `outer`? Both normalised. May
 * say no where the truth is yes (two different globs), never the other way round.
 */
bool pattern_covers(const char *outer, const char *inner);

/* Has it a `*`? */
bool pattern_is_glob(const char *pattern);

#endif
