/* SPDX-License-Identifier: MIT */
/*
 * lineage.h - who descends from whom, as /proc tells it at this moment. For
 * level notify, which is told of no fork: a process is of the run when its ancestors lead to the run's keeper, since an
 * orphan becomes the keeper's child (PR_SET_CHILD_SUBREAPER).
 */
#ifndef PICKET_TRACER_LINEAGE_H
#define PICKET_TRACER_LINEAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Process that a process or thread is a child of; 0 when unknown. */
pid_t lineage_parent(pid_t pid);

/* Has the process ended, but was not waited for yet? Then its parent's number; else 0. */
pid_t lineage_ended(pid_t pid);

/* Process that a thread belongs to; 0 when there is no such thread. */
pid_t lineage_process(pid_t tid);

/* Is it a thread of that process? */
bool lineage_is_thread(pid_t tid, pid_t process);

/* Does the process or thread descend from `top` (which does not descend from itself)? */
bool lineage_below(pid_t pid, pid_t top);

/* All processes below `top`, ended ones that wait for their parents included. *list is malloc'ed. 0 or -errno. */
int lineage_list(pid_t top, pid_t **list, size_t *count);

#endif
