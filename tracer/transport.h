/* SPDX-License-Identifier: MIT */
/*
 * transport.h - stopping calls and answering them. What decides and resolves
 * knows nothing of how a call was stopped; it gets an event and gives one of a few answers. There are two transports:
 * by_ptrace.c (levels ptrace and seccomp) and by_notify.c (level notify).
 */
#ifndef PICKET_TRACER_TRANSPORT_H
#define PICKET_TRACER_TRANSPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "guard.h"
#include "judge.h"
#include "regs.h"
#include "tracee.h"

enum event_kind {
	EVENT_NONE,	/* a signal to the supervisor came, or nothing to be done */
	EVENT_ALL_GONE, /* no task is left */
	EVENT_CALL,	/* a task is stopped at the start of a call: answer it */
	EVENT_EXEC,	/* it runs a new program, before the first instruction: transport_continue or kill */
	EVENT_EXITED,	/* a task is gone; it is still in the table until the next event */
};

struct event {
	enum event_kind kind;
	struct task *task;
	struct call_stop call; /* EVENT_CALL */
	int status;	       /* EVENT_EXITED: as waitpid(2) gives it */
	bool closed;	       /* EVENT_EXEC, level gate: the page could not be mapped, so it must not run */
};

/* What one thread of the supervisor has in work. Large. */
struct desk {
	struct request request;
	struct judgement judgement;
};

/* What is done with an EVENT_CALL or EVENT_EXEC. */
typedef void event_handler(struct guard *guard, struct desk *desk, const struct event *event);

struct transport {
	const char *name; /* as the result has it */

	/* Calls are answered as they come by threads of the transport's own, which call this. NULL: they come from `next`. */
	int (*start)(struct guard *guard, event_handler *handle);
	/* All of them have ended, or cannot: false, and then nothing that they use may be let go. */
	bool (*stop)(struct guard *guard);

	int (*attach)(struct guard *guard, pid_t pid);
	int (*next)(struct guard *guard, struct event *event);
	void (*give)(struct guard *guard, struct task *task, int64_t value);
	void (*proceed)(struct guard *guard, struct task *task);
	void (*go_on)(struct guard *guard, struct task *task);
	void (*kill_all)(struct guard *guard);

	/* A call that was let proceed may be made with other arguments, and is told of when it ends; all NULL: it may not. */
	void (*proceed_as)(struct guard *guard, struct task *task, long number, const uint64_t args[CALL_ARG_COUNT]);
	void (*map_slots)(struct guard *guard, struct task *task);
	bool (*settle_names)(struct guard *guard, const struct task *except);
	void (*await_end)(struct guard *guard, struct task *task);

	/* Is the task still the one that made the call, after its arguments were read by its number? NULL: it is stopped. */
	bool (*waits)(struct guard *guard, const struct task *task);
	/* Then what was allowed is done by the supervisor in place of the task (perform.h), and it gets the result. NULL: it
	 * makes its call itself. Gives one of the answers. */
	void (*perform)(struct guard *guard, struct request *request, struct judgement *judgement);
};
extern const struct transport by_ptrace, by_notify;

/* The next thing that happened. 0 or -errno. */
static inline int transport_next(struct guard *guard, struct event *event)
{
	return guard->transport->next(guard, event);
}

/* The answers to EVENT_CALL. None fails: a task that is gone needs no answer. With the two that let it proceed,
 * task->on_exit is called at its end when it is set. */
static inline void transport_return(struct guard *guard, struct task *task, int64_t value)
{
	guard->transport->give(guard, task, value);
}

static inline void transport_refuse(struct guard *guard, struct task *task, int error) /* errno, positive */
{
	guard->transport->give(guard, task, -error);
}

/* Let it proceed as it is: only registers were judged, or nothing can change its arguments. */
static inline void transport_proceed(struct guard *guard, struct task *task)
{
	guard->transport->proceed(guard, task);
}

/* Let it proceed with these arguments; the registers are put back when it ends, and slot task->slot is given back. */
static inline void transport_proceed_as(struct guard *guard, struct task *task, long number,
					const uint64_t args[CALL_ARG_COUNT])
{
	guard->transport->proceed_as(guard, task, number, args);
}

/* Make the slots visible to the task; its call comes again as a new event. When that fails the call fails with EACCES. */
static inline void transport_map_slots(struct guard *guard, struct task *task)
{
	guard->transport->map_slots(guard, task);
}

/* The answer to EVENT_EXEC. */
static inline void transport_continue(struct guard *guard, struct task *task)
{
	guard->transport->go_on(guard, task);
}

/*
 * Return only when no task but `except` can still be in a call that it was let proceed into with a checked name. To be
 * called before anything that could change what such a name means. True: one may have been, and have changed what was
 * judged. Where the supervisor makes the calls nobody is let go.
 */
static inline bool transport_settle_names(struct guard *guard, const struct task *except)
{
	return guard->transport->settle_names && guard->transport->settle_names(guard, except);
}

/*
 * Return only when the call that the task was let proceed into (with task->exit_action set, so that it stops at its end) is over.
 * For a call that changes what names mean: nothing else may be judged while it may or may not have happened.
 */
static inline void transport_await_end(struct guard *guard, struct task *task)
{
	guard->transport->await_end(guard, task);
}

/* Take over the launcher's child (which waits for us). 0 or -errno. */
static inline int transport_attach(struct guard *guard, pid_t pid)
{
	return guard->transport->attach(guard, pid);
}

/* Does what was read of the task belong to it? */
static inline bool transport_waits(struct guard *guard, const struct task *task)
{
	return !guard->transport->waits || guard->transport->waits(guard, task);
}

/* Kill every task of the run; events go on until EVENT_ALL_GONE. */
static inline void transport_kill_all(struct guard *guard)
{
	guard->transport->kill_all(guard);
}

#endif
