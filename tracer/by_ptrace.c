/* SPDX-License-Identifier: MIT */
/*
 * by_ptrace.c - the transport of levels ptrace and seccomp.
 *
 * A task's life as ptrace(2) shows it to a tracer that used PTRACE_SEIZE:
 *
 *   maker:  fork/clone --> PTRACE_EVENT_FORK|VFORK|CLONE (child's number) --> runs on
 *   child:  PTRACE_EVENT_STOP --> runs           (either of the two may be reported first: struct newborn)
 *   call:   level seccomp: PTRACE_EVENT_SECCOMP --> answer --> [syscall-exit-stop, if it was asked for]
 *           level ptrace:  syscall-entry-stop  --> answer --> syscall-exit-stop
 *   exec:   start of the call --> PTRACE_EVENT_EXEC (number may change to the leader's) --> runs
 *           level gate: ... --> maps the page --> runs; or, where there is no room for our code (an old kernel), or something
 *           lies low: ... --> syscall-exit-stop --> maps the page --> SIGTRAP behind that call --> runs
 *   signal: signal-delivery-stop --> passed on
 *   stop:   PTRACE_EVENT_STOP with a stopping signal --> PTRACE_LISTEN until SIGCONT
 *   end:    exited or killed
 *
 * The kernel's PTRACE_GET_SYSCALL_INFO tells start from end and one ABI from another; the data of a seccomp
 * event is never used, since a filter of the tool's own can set it. A resume that fails with ESRCH means that the task was
 * killed; its end will be reported.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "absent.h"
#include "gate_page.h"
#include "known.h"
#include "limit.h"
#include "out_of_turn.h"
#include "syscalls.h"
#include "together.h"
#include "transport.h"
#include "wire.h"

enum { CALL_STOP_SIGNAL = SIGTRAP | 0x80 }; /* PTRACE_O_TRACESYSGOOD */
enum { NEWBORN_SPINS = 100 };		    /* looks for its maker's report before the first sleep */
enum { NEWBORN_WAITS_NS = 20000000 };	    /* for its maker, at most; that comes within microseconds */

static const long OPTIONS = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
			    PTRACE_O_TRACEEXEC | PTRACE_O_TRACESECCOMP | PTRACE_O_EXITKILL;

static void resume(struct guard *guard, struct task *task, int signal)
{
	bool to_end =
		guard->level == LEVEL_PTRACE || task->exit_action != EXIT_NOTHING || task->on_exit || task->seeing;

	out_of_turn_answered(guard, task->tid);
	together_resume(guard->together, task, to_end ? PTRACE_SYSCALL : PTRACE_CONT, signal);
}

static int ptrace_attach(struct guard *guard, pid_t pid)
{
	struct task *task = tracee_add(&guard->tracees, pid, NULL, false, -1);

	if (!task)
		return -ENOMEM;
	task->launching = true;
	guard->together = together_begin();
	guard->known = known_begin(KNOWN_NS);
	return ptrace(PTRACE_SEIZE, pid, NULL, OPTIONS) < 0 ? -errno : 0;
}

static void ptrace_kill_all(struct guard *guard)
{
	guard->ending = true;
	for (struct process *p = guard->tracees.processes; p; p = p->hh.next)
		kill(p->tgid, SIGKILL);
	for (size_t i = 0; i < guard->newborn_count; i++)
		if (!guard->newborn[i].ended)
			kill(guard->newborn[i].tid, SIGKILL);
}

/* ---- answers ------------------------------------------------------------ */

/* A call that cannot be answered must not proceed. -ESRCH: the task was killed, perhaps by an exec of another thread. */
static void cannot_answer(const struct task *task, int error)
{
	if (error < 0 && error != -ESRCH)
		kill(task->process->tgid, SIGKILL);
}

/*
 * Without our filter the kernel puts -ENOSYS over the result of a skipped call; and the filters of the tool's own, which at that
 * level come after this stop, would be asked about the number -1. So it makes a call that does nothing, which hardly a filter
 * has anything against, and gets the result at its end.
 */
static int make_harmless(struct task *task, int64_t value)
{
	const uint64_t args[CALL_ARG_COUNT] = {(uint64_t)-1};
	struct user_regs_struct regs;
	int r = regs_get(task->tid, &regs);

	if (r < 0)
		return r;
	task->saved = regs;
	task->exit_action = EXIT_RESULT;
	task->result = value;
	regs_call_set(&regs, SYS_read, args);
	return regs_set(task->tid, &regs);
}

static void ptrace_give(struct guard *guard, struct task *task, int64_t value)
{
	cannot_answer(task, guard->level == LEVEL_PTRACE ? make_harmless(task, value) : regs_skip(task->tid, value));
	resume(guard, task, 0);
}

static void ptrace_proceed(struct guard *guard, struct task *task)
{
	resume(guard, task, 0);
}

static void ptrace_go_on(struct guard *guard, struct task *task)
{
	resume(guard, task, 0);
}

static void ptrace_proceed_as(struct guard *guard, struct task *task, long number, const uint64_t args[CALL_ARG_COUNT])
{
	struct user_regs_struct regs;
	int r = regs_get(task->tid, &regs);

	if (r == 0) {
		task->saved = regs;
		regs_call_set(&regs, number, args);
		r = regs_set(task->tid, &regs);
	}
	if (r < 0) {
		cannot_answer(task, r);
		return;
	}
	task->exit_action = EXIT_RESTORE;
	resume(guard, task, 0);
}

static void ptrace_map_slots(struct guard *guard, struct task *task)
{
	/* MAP_FIXED puts away what may be there: the same, from another thread of this memory; or something of the tool's
	 * own, since a mapping with MAP_GROWSDOWN above grows without a call, and an ELF file may ask for any address. */
	uint64_t args[CALL_ARG_COUNT] = {
		SLOT_START, SLOTS_LENGTH, PROT_READ, MAP_SHARED | MAP_FIXED, guard->open_files + RESERVED_FD_SLOTS, 0};

	ptrace_proceed_as(guard, task, SYS_mmap, args);
	task->exit_action = EXIT_AGAIN;
}

/* ---- the end of a call -------------------------------------------------- */

/* A call that was replaced by another is over: everything as it was, but for the result. */
static void end_restore(struct guard *guard, struct task *task, int64_t result)
{
	struct user_regs_struct regs = task->saved;

	regs_result(&regs, result);
	/* A restart makes the original call again, which is then judged again. */
	regs_set(task->tid, &regs);
	slots_give(&guard->slots, task->slot);
	task->slot = -1;
}

/* The slots were mapped, or not; go back and make the original call. */
static void end_again(struct task *task, int64_t result)
{
	struct user_regs_struct regs;

	if (result == (int64_t)SLOT_START) {
		task->memory->slots_mapped = true;
		regs_again(&regs, &task->saved);
	} else {
		task->on_exit = NULL;
		regs = task->saved;
		regs_result(&regs, -EACCES);
		regs.orig_rax = (unsigned long long)-1;
	}
	regs_set(task->tid, &regs);
}

static bool told_of_exec(struct task *task, bool closed, struct event *event)
{
	event->kind = EVENT_EXEC;
	event->task = task;
	event->closed = closed;
	return true;
}

static void end_of_call(struct guard *guard, struct task *task, int64_t result)
{
	enum task_exit_action action = task->exit_action;
	int64_t (*told)(struct task *, int64_t) = task->on_exit;
	int64_t shown = result;
	struct user_regs_struct regs;

	task->exit_action = EXIT_NOTHING;
	if (told && action != EXIT_AGAIN && action != EXIT_RESULT) {
		task->on_exit = NULL;
		if (!regs_restarts(result))
			shown = told(task, result);
	}
	switch (action) {
	case EXIT_NOTHING:
	case EXIT_STOP:
	case EXIT_GATE:
	case EXIT_BORN:
		break;
	case EXIT_RESULT:
		shown = task->result;
		/* fall through */
	case EXIT_RESTORE:
		end_restore(guard, task, shown);
		result = shown;
		break;
	case EXIT_AGAIN:
		end_again(task, result);
		break;
	}
	if (action != EXIT_AGAIN && shown != result && regs_get(task->tid, &regs) == 0) {
		regs_result(&regs, shown);
		regs_set(task->tid, &regs);
	}
	resume(guard, task, 0);
}

/* ---- events ------------------------------------------------------------- */

/* A task was stopped at a call. True when it is one to be judged. */
static bool at_call(struct guard *guard, struct task *task, struct event *event)
{
	int r = regs_call(task->tid, &event->call);

	if (r == -ESRCH)
		return false; /* killed meanwhile; its end will be reported */
	if (r < 0) {
		kill(task->process->tgid, SIGKILL); /* unresolvable means denied */
		return false;
	}
	if (event->call.exit && task->exit_action == EXIT_GATE) {
		task->exit_action = EXIT_NOTHING;
		return !gate_page_map(guard, task) && told_of_exec(task, true, event);
	}
	if (event->call.exit) {
		end_of_call(guard, task, event->call.result);
		return false;
	}
	if (task->launching && event->call.number != SYS_execve && event->call.number != SYS_execveat) {
		resume(guard, task, 0); /* the launcher's own code, before the tool */
		return false;
	}
	tracee_seeing(task, together_shown_by(event->call.number));
	guard->stops++;
	event->kind = EVENT_CALL;
	event->task = task;
	return true;
}

static int64_t moment(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* A child may be reported before its maker reports it. It waits, stopped, until it is known what it shares. */
static struct newborn *newborn_find(struct guard *guard, pid_t tid)
{
	for (size_t i = 0; i < guard->newborn_count; i++)
		if (guard->newborn[i].tid == tid)
			return &guard->newborn[i];
	return NULL;
}

static void newborn_forget(struct guard *guard, struct newborn *newborn)
{
	*newborn = guard->newborn[--guard->newborn_count];
}

static void newborn_seen(struct guard *guard, pid_t tid, bool ended)
{
	struct newborn *newborn = newborn_find(guard, tid);

	if (!newborn && guard->newborn_count < NEWBORN_MOST) {
		newborn = &guard->newborn[guard->newborn_count++];
		newborn->tid = tid;
	}
	if (newborn) {
		newborn->ended = ended;
		newborn->since = moment();
	}
	guard->strays |= !newborn;
	if (!newborn || guard->ending)
		kill(tid, SIGKILL);
}

/* Is there such a task, alive or not yet waited for, and do we trace it? */
static bool is_tracee(pid_t tid)
{
	siginfo_t info;

	return waitid(P_PID, (id_t)tid, &info, WEXITED | WSTOPPED | WNOHANG | WNOWAIT | __WALL) == 0;
}

/* What its maker called has left its arguments in the child's registers: copies in a slot, if the call was replaced. */
static void is_born(struct task *child)
{
	struct user_regs_struct regs;

	if (child->exit_action != EXIT_BORN)
		return;
	child->exit_action = EXIT_NOTHING;
	if (regs_get(child->tid, &regs) < 0)
		return;
	regs_arguments(&regs, &child->saved);
	regs_set(child->tid, &regs);
}

static void forked(struct guard *guard, struct task *maker, bool vfork)
{
	unsigned long number;

	if (ptrace(PTRACE_GETEVENTMSG, maker->tid, NULL, &number) == 0) {
		pid_t tid = (pid_t)number;
		struct newborn *newborn = newborn_find(guard, tid);
		bool waits = newborn && !newborn->ended, ended = newborn && newborn->ended;
		if (newborn)
			newborn_forget(guard, newborn);
		if (guard->strays && (tracee_find(&guard->tracees, tid) || (!newborn && !is_tracee(tid))))
			ended = true; /* it was adopted, and perhaps has ended since */
		struct task *child =
			ended ? NULL : tracee_add(&guard->tracees, tid, maker, vfork, regs_clone_flags(maker->tid));
		if (!ended && (!child || guard->ending)) {
			kill(tid, SIGKILL);
		} else if (!ended) {
			together_born(guard->together, maker->tid, tid);
			if (maker->exit_action == EXIT_RESTORE) {
				child->exit_action = EXIT_BORN;
				child->saved = maker->saved;
			}
			if (waits) {
				is_born(child);
				resume(guard, child, 0);
			}
		}
	}
	resume(guard, maker, 0);
}

/*
 * A maker may be killed before it reports what it made, alone (an exec of another thread) or with all of its process, and
 * who is the parent tells nothing (CLONE_PARENT, subreapers). A maker that lives reports at once. So a child that
 * waits for long is let go as what it is: with whom it shares anything is asked of the kernel. True: some were.
 */
static bool adopt_orphans(struct guard *guard)
{
	int64_t now = moment();
	bool any = false;

	for (size_t i = guard->newborn_count; i-- > 0;) {
		struct newborn *newborn = &guard->newborn[i];
		pid_t tid = newborn->tid;
		if (now - newborn->since < NEWBORN_WAITS_NS)
			continue;
		bool ended = newborn->ended;
		newborn_forget(guard, newborn);
		if (ended)
			continue;
		struct task *child = tracee_adopt(&guard->tracees, tid);
		guard->strays = true;
		together_born(guard->together, 0, tid);
		if (child)
			resume(guard, child, 0);
		else
			kill(tid, SIGKILL);
		any = true;
	}
	return any;
}

/* After an exec the thread that made it has the number of its leader, which is gone without a word. */
static struct task *after_exec(struct guard *guard, pid_t tid)
{
	unsigned long former;
	struct task *leader = tracee_find(&guard->tracees, tid), *task = leader;

	if (!(leader && tracee_alone(leader)) && ptrace(PTRACE_GETEVENTMSG, tid, NULL, &former) == 0 &&
	    (pid_t)former != tid) {
		task = tracee_find(&guard->tracees, (pid_t)former);
		if (!task)
			return leader;
		if (leader) {
			slots_give(&guard->slots, leader->slot);
			tracee_remove(&guard->tracees, leader);
		}
		together_renamed(guard->together, (pid_t)former, tid);
		HASH_DEL(guard->tracees.tasks, task);
		task->tid = tid;
		HASH_ADD_INT(guard->tracees.tasks, tid, task);
	}
	if (task) { /* whatever was to be put back after the call is gone with the old memory */
		slots_give(&guard->slots, task->slot);
		task->slot = -1;
		task->exit_action = EXIT_NOTHING;
		task->on_exit = NULL;
	}
	return task;
}

/* As the kernel would without a tracer (seccomp(2), SECCOMP_RET_TRACE). What was to be put back at the end still is. */
static void skip_call(struct guard *guard, struct task *task)
{
	cannot_answer(task, regs_skip(task->tid, -ENOSYS));
	resume(guard, task, 0);
}

static bool is_stopping(int signal)
{
	return signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

/* A stop of a known task that is not about a call. True when the event is for the caller. */
static bool at_other_stop(struct guard *guard, struct task *task, int status, struct event *event)
{
	int signal = WSTOPSIG(status);

	switch (status >> 16) {
	case PTRACE_EVENT_FORK:
	case PTRACE_EVENT_CLONE:
		forked(guard, task, false);
		return false;
	case PTRACE_EVENT_VFORK:
		forked(guard, task, true);
		return false;
	case PTRACE_EVENT_EXEC:
		task = after_exec(guard, task->tid);
		if (!task)
			return false;
		together_stopped(guard->together, task);
		if (!guard->gate.page || gate_page_begin(guard, task))
			return told_of_exec(task, false, event);
		task->exit_action = EXIT_GATE; /* the call's result is yet to be written over the number of any other */
		resume(guard, task, 0);
		return false;
	case PTRACE_EVENT_SECCOMP: /* level ptrace has no filter: this is by one of the tool's own */
		skip_call(guard, task);
		return false;
	case PTRACE_EVENT_STOP:
		is_born(task);
		if (is_stopping(signal)) {
			out_of_turn_answered(guard, task->tid);
			ptrace(PTRACE_LISTEN, task->tid, NULL, NULL);
		} else {
			resume(guard, task, 0);
		}
		return false;
	default:
		if (gate_page_is_mapped(task, signal))
			return told_of_exec(task, !gate_page_done(task), event);
		if (task->launching && signal == SIGSTOP)
			signal = 0; /* the launcher's sign that it is ready */
		limit_note_signal(guard, signal);
		absent_leave(task);
		resume(guard, task, signal);
		return false;
	}
}

/* What a status of waitpid means. True when the event is for the caller. */
static bool understand(struct guard *guard, pid_t tid, int status, struct event *event)
{
	struct task *task = tracee_find(&guard->tracees, tid);

	if (!task) {
		newborn_seen(guard, tid, !WIFSTOPPED(status));
		return false;
	}
	if (!WIFSTOPPED(status)) {
		together_gone(guard->together, tid);
		event->kind = EVENT_EXITED;
		event->task = task;
		event->status = status;
		return true;
	}
	task->let_go = false;
	tracee_forking(task, false);
	tracee_seeing(task, false);
	if (status >> 16 != PTRACE_EVENT_EXEC) /* then it may have another number now */
		together_stopped(guard->together, task);
	if (WSTOPSIG(status) == CALL_STOP_SIGNAL ||
	    (guard->level != LEVEL_PTRACE && status >> 16 == PTRACE_EVENT_SECCOMP))
		return at_call(guard, task, event);
	return at_other_stop(guard, task, status, event);
}

/* While children wait to be announced, which as a rule takes microseconds, it is not waited without end. */
static pid_t wait_for_any(struct guard *guard, int *status)
{
	static const struct timespec while_ = {.tv_nsec = 200000};

	for (unsigned tries = 0; guard->newborn_count; tries++) {
		pid_t tid = out_of_turn_wait(guard, -1, status, __WALL | WNOHANG);
		if (tid != 0)
			return tid;
		if (tries < NEWBORN_SPINS)
			sched_yield();
		else if (!adopt_orphans(guard) && nanosleep(&while_, NULL) < 0)
			return -1;
	}
	return out_of_turn_wait(guard, -1, status, __WALL);
}

static int ptrace_next(struct guard *guard, struct event *event)
{
	pid_t tid;
	int status;

	event->kind = EVENT_NONE;
	if (!out_of_turn_next(guard, &tid, &status)) {
		tid = wait_for_any(guard, &status);
		if (tid < 0) {
			int error = errno; /* the task that is let go now may be gone, which would be another one */
			if (error == EINTR)
				together_interrupted(guard->together);
			if (error == ECHILD)
				event->kind = EVENT_ALL_GONE;
			return error == ECHILD || error == EINTR ? 0 : -error;
		}
	}
	if (!understand(guard, tid, status, event))
		event->kind = EVENT_NONE;
	if (guard->newborn_count)
		adopt_orphans(guard);
	return 0;
}

/* ------------------------------------------------------------------------- */

const struct transport by_ptrace = {
	.name = "ptrace",
	.attach = ptrace_attach,
	.next = ptrace_next,
	.give = ptrace_give,
	.proceed = ptrace_proceed,
	.proceed_as = ptrace_proceed_as,
	.map_slots = ptrace_map_slots,
	.go_on = ptrace_go_on,
	.settle_names = out_of_turn_settle_names,
	.await_end = out_of_turn_await,
	.kill_all = ptrace_kill_all,
};
