/* SPDX-License-Identifier: MIT */
/*
 * transport.h - stopping calls and answering them. What decides, resolves and
 * acts knows nothing of how a call was stopped; it gets an event and gives one of a few answers.
 */
#ifndef PICKET_TRACER_TRANSPORT_H
#define PICKET_TRACER_TRANSPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "guard.h"
#include "regs.h"
#include "tracee.h"

enum event_kind {
	EVENT_NONE,	/* a signal to the supervisor came, or nothing to be done */
	EVENT_ALL_GONE,	/* no task is left */
	EVENT_CALL,	/* a task is stopped at the start of a call: answer it */
	EVENT_EXEC,	/* it runs a new program, before the first instruction: transport_continue or kill */
	EVENT_EXITED,	/* a task is gone; it is still in the table until the next event */
};

struct event {
	enum event_kind kind;
	struct task *task;
	struct call_stop call;	/* EVENT_CALL */
	int status;		/* EVENT_EXITED: as waitpid(2) gives it */
};

/* The next thing that happened. 0 or -errno. */
int transport_next(struct guard *guard, struct event *event);

/* The answers to EVENT_CALL. None fails: a task that is gone needs no answer. With the two that let it proceed,
 * task->on_exit is called at its end when it is set. */
void transport_refuse(struct guard *guard, struct task *task, int error);	/* errno, positive */
void transport_return(struct guard *guard, struct task *task, int64_t value);
/* Let it proceed as it is: only registers were judged, or nothing can change its arguments. */
void transport_proceed(struct guard *guard, struct task *task);
/* Let it proceed with these arguments; the registers are put back when it ends, and slot task->slot is given back. */
void transport_proceed_as(struct guard *guard, struct task *task, long number, const uint64_t args[CALL_ARG_COUNT]);
/* Make the slots visible to the task; its call comes again as a new event. When that fails the call fails with EACCES. */
void transport_map_slots(struct guard *guard, struct task *task);

/* The answer to EVENT_EXEC. */
void transport_continue(struct guard *guard, struct task *task);

/*
 * Return only when no task but `except` can still be in a call that it was let proceed into with a checked name. To be
 * called before anything that could change what such a name means.
 */
void transport_settle_names(struct guard *guard, const struct task *except);

/*
 * Return only when the call that the task was let proceed into (with task->exit_action set, so that it stops at its end) is over.
 * For a call that changes what names mean: nothing else may be judged while it may or may not have happened.
 */
void transport_await_end(struct guard *guard, struct task *task);

/* Take over the launcher's child (which waits for us). 0 or -errno. */
int transport_attach(struct guard *guard, pid_t pid);

/* Kill every task of the run; events go on until EVENT_ALL_GONE. */
void transport_kill_all(struct guard *guard);

#endif
