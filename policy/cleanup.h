/* SPDX-License-Identifier: MIT */
/*
 * cleanup.h - what is released when its variable goes out of scope. Outside
 * only: the guest uses neither heap nor cleanup.
 */
#ifndef PICKET_POLICY_CLEANUP_H
#define PICKET_POLICY_CLEANUP_H

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

#define cleanup(function) __attribute__((cleanup(function)))
#define cleanup_free cleanup(cleanup_free_pointer)
#define cleanup_fd cleanup(cleanup_close_fd)
#define cleanup_dir cleanup(cleanup_close_dir)

static inline void cleanup_free_pointer(void *pointer)
{
	free(*(void **)pointer);
}

static inline void cleanup_close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void cleanup_close_dir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

/* The descriptor, which the variable then no longer owns. */
static inline int steal_fd(int *fd)
{
	int stolen = *fd;

	*fd = -1;
	return stolen;
}

#endif
