/* SPDX-License-Identifier: MIT */
/*
 * launch.h - starting the tool: a child that gives up what the tool must not
 * have, and executes it once it is traced.
 */
#ifndef PICKET_TRACER_LAUNCH_H
#define PICKET_TRACER_LAUNCH_H

#include <linux/filter.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "image.h"

/* What to start, and how. */
struct launch {
	const char *path; /* of the program */
	char *const *argv, *const *environment;
	const char *cwd;
	int program_fd;	  /* run this instead of `path`; or -1 */
	int in, out, err; /* the tool's stdin, stdout and stderr, or -1: as ours */
	struct policy_limits limits;
	unsigned open_files;  /* its hard limit of descriptors; see wire.h */
	unsigned soft_files;  /* its soft one, at most that */
	unsigned reserved_at; /* where reserved ones begin, at most open_files */
	int slots_fd;	      /* goes to reserved_at + RESERVED_FD_SLOTS; or -1 */
	const int *reserved;  /* NULL, or RESERVED_FD_COUNT descriptors for reserved_at + 0 and on, -1: none */
	int handover; /* or -1; level notify: tells of the filter's listener, struct launch_listener, and waits for a */
		      /* byte, after which the child has it no more */
	const struct cgroup *cgroup;	 /* or NULL; where a keeper puts the child */
	bool landlock;			 /* its floor is laid: see floor.h */
	bool untraced;			 /* nobody waits for a stop; the child ends with its parent */
	const struct sock_fprog *filter; /* or NULL */
	const sigset_t *mask;		 /* its signal mask */
	const sigset_t *ignored;	 /* signals that it is to ignore, as our caller does */
};

/* Where the listener of a child's filter is. */
struct launch_listener {
	pid_t pid;
	int fd;
};

/* Capabilities that a tool of root's keeps, a bit each. */
uint64_t launch_capabilities(void);

/* A child that waits, and meanwhile makes ready. */
struct child {
	pid_t pid;
	int line; /* a socket to it. Write a byte: it starts; close: it ends; it says what failed, see launch_trouble */
};

/* What failed in the child. */
enum launch_stage {
	LAUNCH_OK,
	LAUNCH_PROCESS,
	LAUNCH_DESCRIPTORS,
	LAUNCH_DIRECTORY,
	LAUNCH_LIMITS,
	LAUNCH_PRIVILEGES,
	LAUNCH_FILTER,
	LAUNCH_EXEC
};
struct launch_trouble {
	enum launch_stage stage;
	int error; /* errno */
};

/* Find a command as a shell would: with a slash as it is (from `cwd`), else in `search` (a PATH, or NULL for /usr/bin:/bin).
 * 0 and *path (malloc'ed, absolute), -ENOENT, or -EACCES: found but not to be run. */
int launch_find(const char *command, const char *search, const char *cwd, char **path);

int launch_prepare(const struct launch *launch, struct child *child); /* 0 or -errno */
int launch_go(struct child *child);				      /* 0 or -errno */
/* To be asked when the child has executed the tool or ended. */
struct launch_trouble launch_trouble(struct child *child);
void launch_close(struct child *child);

/* How many descriptors the run may have: what `wanted` says (0: no wish), what the caller has, and what is left room for. */
unsigned launch_open_files(unsigned long wanted);
/* How many of them without asking for more (the soft limit): as `wanted`, else as the caller now. Programs that use select(2) rely
 * on it. */
unsigned launch_soft_files(unsigned long wanted, unsigned open_files);

#endif
