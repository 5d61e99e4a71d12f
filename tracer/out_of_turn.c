/* SPDX-License-Identifier: MIT */
/*
 * out_of_turn.c - see out_of_turn.h. What is waited for is one task; all others may stop meanwhile, and what the kernel says of
 * the awaited one is kept for when it is its turn.
 */
#include "out_of_turn.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "syscalls.h"
#include "together.h"

bool out_of_turn_next(struct guard *guard, pid_t *tid, int *status)
{
	struct deferred *d = &guard->deferred;

	if (d->next == d->count)
		return false;
	*tid = d->list[d->next].tid;
	*status = d->list[d->next].status;
	if (++d->next == d->count)
		d->next = d->count = 0;
	return true;
}

static pid_t take(struct guard *guard, pid_t which, int *status, int options)
{
	struct rusage rusage;
	pid_t tid = wait4(which, status, options, &rusage);

	if (tid > 0 && !WIFSTOPPED(*status))
		meter_gone(guard->meter, tid, &rusage);
	return tid;
}

static bool has_ended_in(const siginfo_t *info)
{
	return info->si_code == CLD_EXITED || info->si_code == CLD_KILLED || info->si_code == CLD_DUMPED;
}

static bool is_exec(const siginfo_t *info)
{
	return info->si_code == CLD_TRAPPED && info->si_status == (SIGTRAP | PTRACE_EVENT_EXEC << CHAR_BIT);
}

/* Did a thread execute something that may have had another number before? */
static bool may_be_renamed(struct guard *guard, const siginfo_t *info)
{
	const struct task *task = is_exec(info) ? tracee_find(&guard->tracees, info->si_pid) : NULL;

	return is_exec(info) && !(task && tracee_alone(task));
}

/* wait(2): what the two ways of asking say of a stop. */
static int status_of_stop(const siginfo_t *info)
{
	enum { STOPPED = 0x7f };

	return info->si_status << CHAR_BIT | STOPPED;
}

/*
 * First it is looked who has something to say. What a process that has ended has moved is told, to root, as long as nobody has
 * waited for it; and a stop that was seen need not be taken in: it is over with the answer, PTRACE_CONT or PTRACE_LISTEN, which sets
 * `seen` back to 0. One that got no answer is taken in before the next look, or it would be seen again.
 *
 * The stop at an exec of one thread among several is taken in: until then the kernel lets nothing be done with that task, since what
 * has its number now may not be who it was meant for (looks_like_a_spurious_pid() in kernel/ptrace.c).
 */
pid_t out_of_turn_wait(struct guard *guard, pid_t which, int *status, int options)
{
	pid_t tid = which < 0 ? guard->seen : 0;

	if (tid) {
		guard->seen = 0;
		/* it may have been killed meanwhile, or the number be that of a thread by now that has executed something */
		if (take(guard, tid, status, __WALL | WNOHANG) == tid && *status != guard->seen_as)
			return tid;
	}
	/* What was seen need not be there any more: an exec ends the other threads, and the first of a group, stopped a
	 * moment ago, then says nothing before all others were waited for. So it is asked, and not waited for. */
	do {
		siginfo_t info = {.si_pid = 0};
		if (waitid(which < 0 ? P_ALL : P_PID, which < 0 ? 0 : (id_t)which, &info,
			   WEXITED | WSTOPPED | WNOWAIT | options) < 0)
			return -1;
		if (!info.si_pid)
			return 0;
		if (has_ended_in(&info)) {
			meter_ending(guard->meter, info.si_pid);
			together_ending(guard->together, info.si_pid);
		} else if (which < 0 && !may_be_renamed(guard, &info)) {
			guard->seen = info.si_pid;
			guard->seen_as = *status = status_of_stop(&info);
			return info.si_pid;
		}
		tid = take(guard, info.si_pid, status, options | WNOHANG);
	} while ((tid == 0 || (tid < 0 && errno == ECHILD && which < 0)) && !(options & WNOHANG));
	return tid;
}

void out_of_turn_answered(struct guard *guard, pid_t tid)
{
	if (guard->seen == tid)
		guard->seen = 0;
}

enum whereabouts { SOMEWHERE_ELSE, MAYBE_IN_CALL, IN_EXEC, GONE };

/* proc(5), /proc/TID/stat: the state is the third field, after a name that may hold anything. */
static bool has_ended(pid_t tid)
{
	char path[64], text[256];

	snprintf(path, sizeof path, "/proc/%d/stat", (int)tid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT;
	ssize_t n = read(fd, text, sizeof text - 1);
	close(fd);
	text[n > 0 ? n : 0] = 0;
	const char *end = strrchr(text, ')');
	return n < 0 || (end && (strncmp(end, ") Z", 3) == 0 || strncmp(end, ") X", 3) == 0));
}

/* Is the task still in a call that takes a name? /proc/TID/syscall: "running", or the number of the call it sleeps in. */
static enum whereabouts whereabouts(const struct task *task)
{
	char path[64], text[64];

	snprintf(path, sizeof path, "/proc/%d/syscall", (int)task->tid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) /* of a task that has ended only root may ask */
		return errno == ENOENT || has_ended(task->tid) ? GONE : MAYBE_IN_CALL;
	ssize_t n = read(fd, text, sizeof text - 1);
	close(fd);
	if (n <= 0)
		return (n < 0 && errno == ESRCH) || has_ended(task->tid) ? GONE : MAYBE_IN_CALL;
	text[n] = 0;
	char *end;
	long number = strtol(text, &end, 10);
	if (end == text)
		return MAYBE_IN_CALL;
	if (call_find(number)->op == OP_EXEC)
		return IN_EXEC;
	/* -1: asleep, but in no call, or ended */
	return number == -1 || call_find(number)->class == CALL_HARMLESS ? SOMEWHERE_ELSE : MAYBE_IN_CALL;
}

static void defer(struct guard *guard, pid_t tid, int status)
{
	struct deferred *d = &guard->deferred;
	struct task *task = tracee_find(&guard->tracees, tid);

	if (task)
		task->let_go = false; /* what is taken in must not be waited for again */
	if (d->count == d->room) {
		size_t room = d->room ? 2 * d->room : 16;
		struct deferred_status *list = realloc(d->list, room * sizeof *list);
		if (!list) {
			kill(tid, SIGKILL); /* its end will be reported, unlike what was just lost */
			return;
		}
		d->list = list;
		d->room = room;
	}
	d->list[d->count++] = (struct deferred_status){tid, status};
}

/* An exec ends the other threads, and goes on only when their ends were taken in. */
static void take_in_others(struct guard *guard, const struct task *task)
{
	int status;

	for (struct task *t = guard->tracees.tasks; t; t = t->hh.next)
		if (t != task && t->process == task->process &&
		    out_of_turn_wait(guard, t->tid, &status, __WALL | WNOHANG) > 0)
			defer(guard, t->tid, status);
}

/*
 * Take in a task's next stop out of turn. A thread group's first thread that has ended says so only when the others have,
 * and those may wait for us; so in a group its whereabouts are asked again and again instead of waiting for it.
 */
void out_of_turn_await(struct guard *guard, struct task *task)
{
	static const struct timespec moment_ = {.tv_nsec = 20000};
	int status, options = __WALL | (task->process->tasks > 1 ? WNOHANG : 0);

	for (;;) {
		pid_t tid = out_of_turn_wait(guard, task->tid, &status, options);
		if (tid == task->tid) {
			defer(guard, tid, status); /* NOLINT(clang-analyzer-core.CallAndMessage): waitpid has set it */
			return;
		}
		if (tid < 0 && errno != EINTR)
			return;
		if (tid != 0)
			continue;
		enum whereabouts where = whereabouts(task);
		if (where == SOMEWHERE_ELSE || where == GONE)
			return;
		if (where == IN_EXEC)
			take_in_others(guard, task);
		nanosleep(&moment_, NULL);
	}
}

bool out_of_turn_settle_names(struct guard *guard, const struct task *except)
{
	bool waited = false;

	for (struct task *t = guard->tracees.tasks; t; t = t->hh.next) {
		if (t == except || !t->let_go)
			continue;
		/* Stopped at the end of its call, or, if that sleeps, at a restart of it, which is judged anew. A task is never
		 * stopped between the answer and the call. */
		if (whereabouts(t) != SOMEWHERE_ELSE) {
			ptrace(PTRACE_INTERRUPT, t->tid, NULL, NULL);
			out_of_turn_await(guard, t);
			waited = true;
		}
		t->let_go = false;
	}
	return waited;
}
