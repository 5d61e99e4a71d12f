/* SPDX-License-Identifier: MIT */
/*
 * notify_exec.c - level notify: an exec is let proceed, and names, contents
 * and arguments may all change until the kernel has read them. So the task is traced for that instant, and looked at
 * before its first instruction:
 *
 *   SEIZE, INTERRUPT --> CONTINUE --> PTRACE_EVENT_EXEC: what runs is what was approved? --> DETACH
 *                                 \-> PTRACE_EVENT_STOP: the exec failed; it is about to return --> DETACH
 *
 * The interruption has no effect on the exec itself, which only a deadly signal ends; it makes the task stop on its way back.
 * When a thread other than the first executes, it is reported under the first one's number. The tracer is this thread of
 * the supervisor: it has no other children and no other tracees, so whatever it is told of is this exec.
 */
#include <errno.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "notify_inside.h"

/* The handler decides; it ends with notify_released. */
static void executed(struct guard *guard, struct task *task, pid_t tid)
{
	struct event event = { .kind = EVENT_EXEC, .task = task };

	task->tid = tid;
	task->process->tgid = tid;
	guard->notifier->handle(guard, &notify_self()->desk, &event);
}

void notify_released(struct guard *guard, struct task *task)
{
	guard->launching = false;
	ptrace(PTRACE_DETACH, task->tid, NULL, NULL);	/* it fails when the task was killed, whose end is waited for */
}

/* Until nobody is traced by this thread. */
static void follow(struct guard *guard, struct task *task)
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
			executed(guard, task, tid);
		else if (status >> 16 == PTRACE_EVENT_STOP)
			ptrace(PTRACE_DETACH, tid, NULL, NULL);
		else	/* a signal came first */
			ptrace(PTRACE_CONT, tid, NULL, (void *)(intptr_t)WSTOPSIG(status));
	}
}

void notify_exec(struct guard *guard, struct task *task)
{
	if (ptrace(PTRACE_SEIZE, task->tid, NULL, PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL) < 0 ||
	    ptrace(PTRACE_INTERRUPT, task->tid, NULL, NULL) < 0 || !notify_waits(task)) {
		notify_give(task, -EACCES);	/* it cannot be looked at: denied */
		follow(guard, task);
		return;
	}
	notify_continue(task);
	notify_give_lead();
	follow(guard, task);
}
