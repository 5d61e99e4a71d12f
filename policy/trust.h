/* SPDX-License-Identifier: MIT */
/*
 * trust.h - may anybody but root and ourselves change what this path names?
 * Every component is asked, from the root, symbolic links included; what was
 * asked is what is opened. For directories of trusted keys, for key files and
 * for the registry. Outside only.
 */
#ifndef PICKET_POLICY_TRUST_H
#define PICKET_POLICY_TRUST_H

#include "complaint.h"

/*
 * Open `path` (relative to the working directory when not absolute) with `flags` of open(2), O_CLOEXEC implied, never
 * O_CREAT. Refused, -EPERM, when a component belongs to neither root nor the effective user, or may be written by
 * group or others. A sticky directory (/tmp) may be on the way, since nobody can
 * replace there what is ours, but not be the end of it. An ACL that lets others write shows in the group bits.
 * Returns the descriptor or -errno with *why filled.
 */
int trust_open(const char *path, int flags, struct complaint *why);

/*
 * The same question about a path that need not exist: then nobody else may be able to make it.
 * 0, or -EPERM, or another -errno.
 */
int trust_path(const char *path, struct complaint *why);

/* The same question about one open file: its owner and its mode, without the way to it. */
int trust_fd(int fd, const char *name, struct complaint *why);

/* Make a directory and what is above it that is missing (mode 0755). 0 or -errno. Asks nothing: open it with
 * trust_open. */
int trust_make_directory(const char *path, struct complaint *why);

#endif
