/* SPDX-License-Identifier: MIT */
/*
 * caller.h - a thread of the supervisor as the one it does something for: ids, groups, capabilities, umask, limits.
 * Linux keeps credentials for each thread; the C library's functions would set them for all, so they are not used here.
 */
#ifndef PICKET_TRACER_CALLER_H
#define PICKET_TRACER_CALLER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "regs.h"

enum { CALLER_GROUPS_MOST = 65536 }; /* NGROUPS_MAX, limits.h */

/* Who somebody is. */
struct identity {
	uid_t uid, fsuid;
	gid_t gid, fsgid;
	uint64_t capabilities; /* effective */
	gid_t *groups;	       /* malloc'ed */
	size_t group_count;
};

struct caller {
	struct identity own; /* what the thread is for a tool that has changed nothing */
	struct identity theirs;
	bool changed;
};

/* In a thread that is to do things for tools: a working directory and umask of its own, no more capabilities than a tool of
 * root's has, but the one to look at its tasks. */
void caller_prepare(struct caller *caller);
void caller_done(struct caller *caller);

/* May a tool that we start change its ids or capabilities at all? */
bool caller_may_change(void);

/* Does the call that this task is about to make leave its ids and capabilities as they are? GNU make says at its start who it
 * is already: setresuid(-1, 0, -1). */
bool caller_stays(pid_t tid, long number, const uint64_t args[CALL_ARG_COUNT]);

/* Be what this task is. 0 or -errno; then nothing must be done for it. */
int caller_become(struct caller *caller, pid_t tid);
void caller_leave(struct caller *caller);

/* With the real ids in place of the effective ones, as access(2) wants it; on == false: back. */
void caller_real_ids(struct caller *caller, bool on);

/* Does this task, as to files, have other rights than the thread that asks? */
bool caller_differs(pid_t tid);

/* Would the mode bits of what `fd` holds (O_PATH) refuse this access to the task? `name`: it reached it by this name, from the root
 * on, so the directories on the way have their say; or NULL. 0 or -errno; 0 also when it cannot be told. Not for hot paths: rights belong
 * to threads, and the one that asks keeps its own. */
int caller_access(pid_t tid, int fd, const char *name, int access);

/* Its umask. 0 or -errno. */
int caller_umask(pid_t tid, mode_t *umask);

/* Its soft limit; RLIM_INFINITY when it cannot be told. */
rlim_t caller_limit(pid_t tid, int resource);

#endif
