/* SPDX-License-Identifier: MIT */
/*
 * walk.h - following a name by descriptors: one call where the kernel can be
 * asked for all of it, step by step where /proc has to be seen through the eyes of a task.
 */
#ifndef PICKET_TRACER_WALK_H
#define PICKET_TRACER_WALK_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "tracee.h"

/* openat2(2) with O_PATH and these flags and RESOLVE_*; without it (before Linux 5.6) -ENOSYS. Descriptor or -errno. */
int walk_open(int base, const char *path, int flags, uint64_t resolve);

/* The kernel's name for what a descriptor holds, not terminated. Length, or -errno (-ENAMETOOLONG: longer than `size`). */
ssize_t walk_name(int fd, char *name, size_t size);

struct walk {
	int fd;			    /* O_PATH descriptor of the object, or of the parent of the missing one; -1 */
	char missing[NAME_MAX + 1]; /* the last component when it does not exist */
	bool magic;		    /* a link of /proc/PID was followed, */
	bool magic_other;	    /* of another task of the run, that has descriptors or a directory of its own */
	int magic_fd;		    /* the last one followed was fd/N of the task's own table: N, else -1 */
	bool stranger; /* one of a process outside the run was not followed: fd is the directory it is in, */
		       /* `missing` its name */
};

/* Walk `path` from `base` (or "/") as `task` would. 0 with walk->fd held, or -errno with fd -1 (but see stranger). */
int walk_steps(struct tracees *all, const struct task *task, int base, const char *path, bool follow,
	       struct walk *walk);

#endif
