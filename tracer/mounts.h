/* SPDX-License-Identifier: MIT */
/*
 * mounts.h - what is mounted, and where (/proc/self/mountinfo), as it was when it was first asked for: nobody in the
 * run can mount, and it is read once, whoever asks.
 */
#ifndef PICKET_TRACER_MOUNTS_H
#define PICKET_TRACER_MOUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct mount {
	int id; /* as statx(2) has it */
	dev_t device;
	bool writable, no_devices;
	char *root; /* what of its file system is seen there: "/" is all of it */
	char *point;
	char *type; /* of the file system */
};

/* All of them, until the process ends. *list NULL and 0: it is not known what is mounted. From any thread. */
size_t mounts_all(const struct mount **list);

/* One line, which is cut up: the strings of `mount` are parts of it. False: it is not as proc_pid_mountinfo(5) says. */
bool mounts_parse(char *line, struct mount *mount);

#endif
