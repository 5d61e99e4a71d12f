/* SPDX-License-Identifier: MIT */
/*
 * notify_trace.c - level notify: three calls have to be made by the task
 * itself, and what they use may change until the kernel has read it. So the task is traced for that instant, and what came
 * of it is looked at before it runs on:
 *
 *   exec:   SEIZE, INTERRUPT --> CONTINUE --> PTRACE_EVENT_EXEC: what runs is what was approved? --> DETACH
 *                                         \-> PTRACE_EVENT_STOP: the exec failed; it is about to return --> DETACH
 *   O_PATH: SEIZE, INTERRUPT --> CONTINUE --> PTRACE_EVENT_STOP: what it got may be looked at? --> DETACH
 *           (such a descriptor cannot be handed over: SECCOMP_IOCTL_NOTIF_ADDFD takes none)
 *   chdir:  the same
 *
 * The interruption has no effect on the call itself, which only a deadly signal ends; it makes the task stop on its way back.
 * When a thread other than the first executes, it is reported under the first one's number. The tracer is this thread of
 * the supervisor: it has no other children and no other tracees, so whatever it is told of is this call.
 *
 * While a task is followed in one of the latter no other call is answered. So another thread, or a child, that gets hold of a descriptor
 * that should not be there finds no use for it before the run is ended for it.
 */
#include <errno.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "notify_inside.h"

/* A call that is followed. */
struct instant {
	struct guard *guard;
	struct task *task;
	bool (*approve)(struct guard *guard, struct request *request, int fd); /* not of an exec: NULL */
};

/* The handler decides; it ends with notify_released. */
static void executed(struct instant *instant, pid_t tid)
{
	struct event event = {.kind = EVENT_EXEC, .task = instant->task};

	instant->task->tid = tid;
	instant->task->process->tgid = tid;
	instant->guard->notifier->handle(instant->guard, &notify_self()->desk, &event);
}

void notify_released(struct guard *guard, struct task *task)
{
	guard->launching = false;
	ptrace(PTRACE_DETACH, task->tid, NULL, NULL); /* it fails when the task was killed, whose end is waited for */
}

/* The call is over. */
static void returned(struct instant *instant, pid_t tid)
{
	struct user_regs_struct regs;

	if (instant->approve && (regs_get(tid, &regs) < 0 ||
				 ((int64_t)regs.rax >= 0 &&
				  !instant->approve(instant->guard, &notify_self()->desk.request, (int)regs.rax)))) {
		tracee_kill(instant->task); /* all others have to wait for the keeper, but not this one */
		transport_kill_all(instant->guard);
	}
	ptrace(PTRACE_DETACH, tid, NULL, NULL);
}

/* Until nobody is traced by this thread. */
static void follow(struct instant *instant)
{
	int status;

	for (;;) {
		pid_t tid = waitpid(-1, &status, __WALL | __WNOTHREAD);
		if (tid < 0 && errno == EINTR)
			continue;
		if (tid < 0)
			return;
		if (!WIFSTOPPED(status))
			continue;
		if (status >> 16 == PTRACE_EVENT_EXEC)
			executed(instant, tid);
		else if (status >> 16 == PTRACE_EVENT_STOP)
			returned(instant, tid);
		else /* a signal came first */
			ptrace(PTRACE_CONT, tid, NULL, (void *)(intptr_t)WSTOPSIG(status));
	}
}

/* Let the task proceed so that it will stop. */
static bool let_go(struct instant *instant)
{
	struct task *task = instant->task;

	if (ptrace(PTRACE_SEIZE, task->tid, NULL, PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL) == 0 &&
	    ptrace(PTRACE_INTERRUPT, task->tid, NULL, NULL) == 0 && notify_waits(task)) {
		notify_continue(task);
		return true;
	}
	instant->approve = NULL;
	notify_give(task, -EACCES); /* it cannot be looked at: denied */
	return false;
}

void notify_exec(struct guard *guard, struct task *task)
{
	struct instant instant = {.guard = guard, .task = task};

	if (let_go(&instant))
		notify_give_lead();
	follow(&instant);
}

void notify_follow(struct guard *guard, struct task *task,
		   bool (*approve)(struct guard *guard, struct request *request, int fd))
{
	struct instant instant = {.guard = guard, .task = task, .approve = approve};

	let_go(&instant);
	follow(&instant);
}
