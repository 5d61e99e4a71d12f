/* SPDX-License-Identifier: MIT */
/*
 * notify.h - level notify: how it begins and ends, and what its parts ask of
 * one another. The transport itself is by_notify.c; a call that was allowed is carried out by perform.h.
 */
#ifndef PICKET_TRACER_NOTIFY_H
#define PICKET_TRACER_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

#include "guard.h"
#include "keeper.h"
#include "launch.h"
#include "notify_kernel.h"
#include "transport.h"

/* Start the tool below a keeper; fills the rest of *launch. guard->notifier is made. 0 or -errno. */
int notify_start(struct guard *guard, struct launch *launch);

/* Whether the tool came to run; to be asked when supervise() is over. */
struct launch_trouble notify_trouble(const struct guard *guard);

/* NULL notifier is allowed. False: a thread hangs in the kernel (a file system that does not answer) and may still use the
 * guard, which then must not be let go. */
bool notify_end(struct guard *guard);

/* ---- for what carries out calls (in the thread that has the call in work) ---- */

/* Does the task still wait for an answer? What was read of it by its number is its own then. */
bool notify_waits(const struct task *task);

/* The answers. */
void notify_give(const struct task *task, int64_t result);
void notify_continue(const struct task *task);
/* This descriptor is the result; it is closed here. */
void notify_hand_over(const struct task *task, int fd, bool close_on_exec);

/*
 * Around a call that may wait for something that others of the run do: others are served meanwhile, and a signal to the task
 * interrupts it. notify_may_wait is to be called before every try; notify_waited after it gives the result, with -EINTR made
 * what the task is to see; or 0 in *again: try again.
 */
void notify_may_wait(void);
int64_t notify_waited(int64_t result, bool *again);

/* Others are served from now on while this thread has its call in work. */
void notify_give_lead(void);

/* Will the kernel restart a call with this result (ERESTARTSYS)? */
bool notify_restarts(int64_t result);

/* The task is let execute what was approved: EVENT_EXEC is handled when it runs. */
void notify_exec(struct guard *guard, struct task *task);

/* The task is let make its call (O_PATH, chdir). `approve`: may it have what it got, a descriptor or 0? Else the run is ended. */
void notify_follow(struct guard *guard, struct task *task,
		   bool (*approve)(struct guard *guard, struct request *request, int fd));

/* Ids and capabilities of tasks differ from now on from those that the run began with. */
void notify_credentials(struct guard *guard);

#endif
