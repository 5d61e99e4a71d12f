/* SPDX-License-Identifier: MIT */
/*
 * way.h - what a file's name goes by: the names that must stay what they are if it is to lead where it leads now.
 * Outside only.
 */
#ifndef PICKET_POLICY_WAY_H
#define PICKET_POLICY_WAY_H

#include "arena.h"
#include "complaint.h"

/*
 * Of an absolute path, as patterns of rules: the name of the file itself, which need not be there and is not followed
 * if it is a link, in the directory where it really is; then each link on the way. (The directories on the way are
 * those above these names.) *names is NULL-terminated and in the arena. A `*` in a name, which a pattern cannot say,
 * becomes one that stands for more than that: too much is kept then, never too little. Reads symbolic links, nothing
 * else. 0; -EINVAL with *why: not the name of a file, or one that no path is as long as; -ENOMEM.
 */
int way_find(const char *path, struct arena *arena, const char *const **names, struct complaint *why);

#endif
