/* SPDX-License-Identifier: MIT */
/*
 * judge_processes.c - acting on other processes: signals, limits, priorities,
 * pidfds, SysV IPC. Allowed within the run, refused beyond it.
 *
 * A number that is in the table of tasks cannot come to mean another process before the call: a traced process stays a
 * zombie until the supervisor has seen its end, which it does not while it is busy here.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cleanup.h"
#include "judge.h"

/* PIDFD_SIGNAL_*, Linux 6.9 */
enum { PIDFD_THREAD = 1, PIDFD_GROUP = 2, PIDFD_PROCESS_GROUP = 4 };

/* A field of /proc/PID/FILE that begins a line. 0 when there is none. */
static long proc_field(const char *path, const char *field)
{
	char text[4096];
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return 0;
	ssize_t n = read(fd, text, sizeof text - 1);
	close(fd);
	text[n > 0 ? n : 0] = 0;
	const char *at = strstr(text, field);
	return at && (at == text || at[-1] == '\n') ? strtol(at + strlen(field), NULL, 10) : 0;
}

static void refuse(const struct request *request, struct judgement *judgement, const char *what, long who)
{
	judge_always(judgement, VIOLATION_PROCESS_CONTROL, EPERM, "%s of %s %ld", request->call->name, what, who);
}

/* ---- processes ---------------------------------------------------------- */

static bool is_signal(int signal)
{
	return signal >= 0 && signal <= SIGRTMAX;
}

/*
 * A process of the run that has ended, but was not waited for yet. What is done to it has no effect any more, and by the time that
 * the kernel did it, a stranger could have its number: so nothing is done, but what only tells.
 */
static void judge_ended(const struct request *request, struct judgement *judgement)
{
	const uint64_t *args = request->stop.args;

	switch (request->stop.number) {
	case SYS_pidfd_open:
	case SYS_kcmp:
	case SYS_get_robust_list:
		break;
	case SYS_prlimit64:
		judgement->replace = 2; /* it tells the limit, and sets none */
		judgement->replacement = 0;
		if (args[3] == 0)
			judge_answer(judgement, 0);
		break;
	case SYS_process_vm_readv:
	case SYS_move_pages:
	case SYS_migrate_pages:
	case SYS_process_mrelease:
		judge_answer(judgement, -ESRCH); /* it has no memory */
		break;
	case SYS_tgkill:
	case SYS_rt_tgsigqueueinfo:
		judge_answer(judgement, is_signal((int)args[2]) ? 0 : -EINVAL);
		break;
	default:
		judge_answer(judgement, request->call->op == OP_SIGNAL && !is_signal((int)args[1]) ? -EINVAL : 0);
		break;
	}
}

/* Is it left to judge_ended? At level notify a signal goes by a descriptor, which an ended process has as well. */
static bool is_ended(struct guard *guard, const struct request *request, pid_t pid, bool ours)
{
	if (ours &&
	    (request->call->op == OP_SIGNAL || !guard->tracees.keeper || tracee_same_process(request->task, pid)))
		return false;
	return tracee_ended(&guard->tracees, pid);
}

/* May the call act on this process or thread? */
static bool judge_pid(struct guard *guard, struct request *request, struct judgement *judgement, pid_t pid)
{
	if (pid <= 0)
		return true; /* the caller; or EINVAL, by the kernel */
	bool ours = tracee_is_ours(&guard->tracees, pid);
	if (is_ended(guard, request, pid, ours)) {
		judge_ended(request, judgement);
		return judgement->outcome == OUTCOME_PASS;
	}
	if (ours)
		return true;
	if (kill(pid, 0) < 0 && errno == ESRCH)
		judge_answer(judgement, -ESRCH);
	else
		refuse(request, judgement, "process", pid);
	return false;
}

/* ---- groups ------------------------------------------------------------- */

/* Does the group have processes of the run, and none but those? The supervisor's own group has the supervisor, and
 * perhaps what the user's shell started with it; into any other only processes of the run can have come. */
static bool is_own_group(struct guard *guard, pid_t group)
{
	if (group == getpgrp())
		return false;
	cleanup_free pid_t *list = NULL;
	size_t count;
	if (tracee_list(&guard->tracees, &list, &count) < 0)
		return false;
	for (size_t i = 0; i < count; i++)
		if (getpgid(list[i]) == group)
			return true;
	return false;
}

/* One of which nobody is left but its first process, which has ended? */
static bool is_ended_group(struct guard *guard, pid_t group)
{
	return group != getpgrp() && getpgid(group) == group && tracee_ended(&guard->tracees, group);
}

/* In place of the kernel: the signal to every process of the run that is in the group (-1: to all but the caller). */
static int64_t signal_group(struct guard *guard, const struct request *request, pid_t group, int signal)
{
	pid_t caller = tracee_tgid(request->task);
	cleanup_free pid_t *list = NULL;
	size_t count;
	bool found = false;

	if (tracee_list(&guard->tracees, &list, &count) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		if (list[i] != caller && (group == -1 || getpgid(list[i]) == group))
			found |= tracee_signal(&guard->tracees, list[i], signal);
	if (group != -1 && getpgid(caller) == group)
		found |= tracee_signal(&guard->tracees, caller, signal);
	return found ? 0 : -ESRCH;
}

static void judge_kill(struct guard *guard, struct request *request, struct judgement *judgement, pid_t target)
{
	int signal = (int)request->stop.args[1];

	if (target > 0) {
		judge_pid(guard, request, judgement, target);
		return;
	}
	pid_t group = target == 0 ? getpgid(tracee_tgid(request->task)) : -target;
	if (target == -1) {
		if (!is_signal(signal))
			judge_answer(judgement, -EINVAL);
		else
			judge_answer(judgement, signal_group(guard, request, -1, signal));
		return;
	}
	if (is_own_group(guard, group))
		return;
	if (group == getpgrp() && target == 0) { /* "me and mine": only mine */
		if (!is_signal(signal))
			judge_answer(judgement, -EINVAL);
		else
			judge_answer(judgement, signal_group(guard, request, group, signal));
		return;
	}
	if (kill(-group, 0) < 0 && errno == ESRCH)
		judge_answer(judgement, -ESRCH);
	else if (is_ended_group(guard, group))
		judge_answer(judgement, is_signal(signal) ? 0 : -EINVAL);
	else
		refuse(request, judgement, "process group", group);
}

/* setpgid: into a group that nobody else is in, or back to the one that the run began in. */
static void judge_group(struct guard *guard, const struct request *request, struct judgement *judgement, pid_t group)
{
	if (group > 0 && group != getpgrp() && !tracee_is_ours(&guard->tracees, group) && !is_own_group(guard, group) &&
	    !tracee_ended(&guard->tracees, group))
		refuse(request, judgement, "process group", group);
}

/* setpriority and ioprio_set; `which` as PRIO_PROCESS, PRIO_PGRP, PRIO_USER. */
static void judge_which_who(struct guard *guard, struct request *request, struct judgement *judgement, int which,
			    int who)
{
	switch (which) {
	case PRIO_PROCESS:
		judge_pid(guard, request, judgement, who);
		break;
	case PRIO_PGRP:
		if (!is_own_group(guard, who ? who : getpgid(tracee_tgid(request->task))))
			refuse(request, judgement, "process group", who);
		break;
	case PRIO_USER:
		refuse(request, judgement, "user", who);
		break;
	default:
		break; /* EINVAL, by the kernel */
	}
}

/* ---- pidfds ------------------------------------------------------------- */

/* The process or thread of a pidfd; 0: it is none, -1: it is gone. */
static pid_t process_of(const struct request *request, int fd)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/fdinfo/%d", (int)request->task->tid, fd);
	return (pid_t)proc_field(path, "Pid:\t");
}

static void make_instead(struct judgement *judgement, long number, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	judgement->instead = number;
	memset(judgement->instead_args, 0, sizeof judgement->instead_args);
	judgement->instead_args[0] = a;
	judgement->instead_args[1] = b;
	judgement->instead_args[2] = c;
	judgement->instead_args[3] = d;
}

/* Another thread may put another descriptor there, even one of a stranger (SO_PEERPIDFD). A number it cannot change. */
static void signal_by_number(struct guard *guard, const struct request *request, struct judgement *judgement, pid_t pid)
{
	uint64_t signal = request->stop.args[1], info = request->stop.args[2], flags = request->stop.args[3];
	struct task *task = tracee_find(&guard->tracees, pid);
	bool thread = (flags & PIDFD_THREAD) || (!(flags & PIDFD_GROUP) && !tracee_process(&guard->tracees, pid));
	uint64_t target = (uint64_t)pid;

	if (task && thread && info)
		make_instead(judgement, SYS_rt_tgsigqueueinfo, (uint64_t)task->process->tgid, target, signal, info);
	else if (task && thread)
		make_instead(judgement, SYS_tgkill, (uint64_t)task->process->tgid, target, signal, 0);
	else if (info)
		make_instead(judgement, SYS_rt_sigqueueinfo, target, signal, info, 0);
	else
		make_instead(judgement, SYS_kill, target, signal, 0, 0);
}

static void judge_pidfd(struct guard *guard, struct request *request, struct judgement *judgement, int fd)
{
	struct resolved at;
	pid_t pid = 0;

	if (fd < 0)
		return; /* PIDFD_SELF_* */
	resolve_fd(&guard->tracees, request->task, fd, &at);
	if (at.error < 0)
		judge_answer(judgement, at.error);
	else if (at.run_proc || strncmp(at.name, "/proc/", 6) != 0)
		pid = process_of(request, fd);
	else /* a directory of /proc is taken for a pidfd, too */
		pid = (pid_t)strtol(at.name + 6, NULL, 10);
	if (at.run_proc && pid == 0)
		pid = (pid_t)strtol(at.name + 6, NULL, 10);
	resolve_close(&at);
	if (pid > 0)
		judge_pid(guard, request, judgement, pid);
	/* level notify signals through a copy that it has looked at */
	if (judgement->outcome != OUTCOME_PASS || request->call->op != OP_SIGNAL || guard->tracees.keeper ||
	    tracee_private_files(request->task))
		return;
	if (pid > 0)
		signal_by_number(guard, request, judgement, pid);
	else
		judge_answer(judgement, pid < 0 ? -ESRCH : -EBADF);
}

/* ---- SysV IPC ----------------------------------------------------------- */

/* Which family of identifiers a call belongs to. */
static enum ipc_kind ipc_kind(const struct call *call)
{
	return strncmp(call->name, "shm", 3) == 0   ? IPC_SHARED_MEMORY
	       : strncmp(call->name, "sem", 3) == 0 ? IPC_SEMAPHORES
						    : IPC_MESSAGES;
}

/* One that could not be remembered would outlast the run. */
static int64_t note_made(struct task *task, int64_t result)
{
	if (result < 0 || owned_add_ipc(&task->all->owned, task->ipc_kind, (int)result))
		return result;
	ipc_remove(task->ipc_kind, (int)result);
	return -ENOSPC;
}

static int64_t note_removed(struct task *task, int64_t result)
{
	if (result == 0)
		owned_forget_ipc(&task->all->owned, task->ipc_kind, task->ipc_id);
	return result;
}

/* The supervisor does it: a filter of the tool's own could put another number in place of the result. */
static void do_aside(struct request *request, struct judgement *judgement, enum ipc_kind kind,
		     int64_t (*note)(struct task *task, int64_t result))
{
	request->task->ipc_kind = kind;
	judgement->note = note;
	judgement->aside = true;
}

static void judge_new_object(struct request *request, struct judgement *judgement, enum ipc_kind kind, uint64_t key)
{
	if (key != IPC_PRIVATE)
		judge_always(judgement, VIOLATION_PROCESS_CONTROL, EACCES, "%s of key %#x", request->call->name,
			     (unsigned)key);
	else
		do_aside(request, judgement, kind, note_made);
}

/* Would the call fail since there is no such object? Commands beyond these three take other numbers than identifiers, too. */
static int missing_object(enum ipc_kind kind, int id, int command)
{
	int r = command <= IPC_STAT ? ipc_look(kind, id) : 0;

	return r == -EINVAL || r == -EIDRM ? r : 0;
}

static void judge_ipc(struct guard *guard, struct request *request, struct judgement *judgement)
{
	const uint64_t *args = request->stop.args;
	int key = call_arg_index(request->call, ARG_IPC_KEY, 0), at = call_arg_index(request->call, ARG_IPC_ID, 0),
	    command = call_arg_index(request->call, ARG_IPC_COMMAND, 0), id = at < 0 ? -1 : (int)args[at],
	    what = command < 0 ? -1 : (int)args[command];
	enum ipc_kind kind = ipc_kind(request->call);

	if (key >= 0) {
		judge_new_object(request, judgement, kind, args[key]);
	} else if (!owned_has_ipc(&guard->tracees.owned, kind, id)) {
		int missing = missing_object(kind, id, what);
		if (missing < 0)
			judge_answer(judgement, missing);
		else
			judge_always(judgement, VIOLATION_PROCESS_CONTROL, EACCES, "%s of identifier %d",
				     request->call->name, id);
	} else if (what == IPC_RMID) {
		request->task->ipc_id = id;
		do_aside(request, judgement, kind, note_removed);
	} else {
		judge_memory(request, judgement); /* shmat */
	}
}

/* ---- limits ------------------------------------------------------------- */

/* The limit of core files is 1, since at 0 the kernel would start the helper that core_pattern names, outside of the run
 * (core(5), "Piping core dumps to a program"). Programs that lower it want no core file, and get none. */
static void judge_limit(const struct request *request, struct judgement *judgement, int resource)
{
	const uint64_t *args = request->stop.args;

	if ((uint32_t)args[resource] != RLIMIT_CORE || args[resource + 1] == 0)
		return;
	if (resource + 2 >= CALL_ARGS || call_arg_index(request->call, ARG_PID, 0) < 0 || args[resource + 2] == 0) {
		judge_answer(judgement, 0);
		return;
	}
	judgement->replace = resource + 1; /* prlimit: it tells the value, and sets none */
	judgement->replacement = 0;
}

/* ------------------------------------------------------------------------- */

static void judge_process_arg(struct guard *guard, struct request *request, struct judgement *judgement, int i)
{
	int value = (int)request->stop.args[i], next = i + 1 < CALL_ARGS ? (int)request->stop.args[i + 1] : 0;

	switch (request->call->args[i].kind) {
	case ARG_PID:
		judge_pid(guard, request, judgement, value);
		break;
	case ARG_GROUP:
		judge_group(guard, request, judgement, value);
		break;
	case ARG_LIMIT:
		judge_limit(request, judgement, i);
		break;
	case ARG_KILL_TARGET:
		judge_kill(guard, request, judgement, value);
		break;
	case ARG_WHICH_WHO:
		judge_which_who(guard, request, judgement, value, next);
		break;
	case ARG_IO_WHICH_WHO:
		judge_which_who(guard, request, judgement, value - 1, next);
		break;
	case ARG_PIDFD:
		judge_pidfd(guard, request, judgement, value);
		break;
	case ARG_SIGNAL_FLAGS:
		if (value == PIDFD_PROCESS_GROUP)
			refuse(request, judgement, "process group by descriptor", 0);
		else if (value != 0 && value != PIDFD_THREAD && value != PIDFD_GROUP)
			judge_answer(judgement, -EINVAL);
		break;
	default:
		break;
	}
}

void judge_processes(struct guard *guard, struct request *request, struct judgement *judgement)
{
	if (request->call->op == OP_IPC) {
		judge_ipc(guard, request, judgement);
		return;
	}
	for (int i = 0; i < CALL_ARGS && judgement->outcome == OUTCOME_PASS; i++)
		judge_process_arg(guard, request, judgement, i);
}
