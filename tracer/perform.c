/* SPDX-License-Identifier: MIT */
/*
 * perform.c - see perform.h. Which operations are done here and which may be
 * let proceed:
 *
 * Everything with a pointer is done here. Let proceed are calls judged by registers; what came of a chdir, which only
 * the task itself can make, is looked at before it runs on.
 */
#include "perform.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "act.h"
#include "cleanup.h"
#include "mem.h"
#include "perform_inside.h"
#include "register_rules.h"

/* ---- the task's memory -------------------------------------------------- */

int deed_take(const struct deed *deed, uint64_t address, void *to, size_t length)
{
	int r = mem_read(deed->task->tid, address, to, length);

	return r < 0 ? r : notify_waits(deed->task) ? 0 : -ESRCH;
}

ssize_t deed_take_string(const struct deed *deed, uint64_t address, char *to, size_t size)
{
	ssize_t n = mem_read_string(deed->task->tid, address, to, size);

	return n < 0 || notify_waits(deed->task) ? n : -ESRCH;
}

/* By a descriptor, which stays with the task's memory if the task is killed and its number given away. */
int deed_put(const struct deed *deed, uint64_t address, const void *from, size_t length)
{
	char path[64];

	if (length == 0)
		return 0;
	snprintf(path, sizeof path, "/proc/%d/mem", (int)deed->task->tid);
	cleanup_fd int memory = open(path, O_RDWR | O_CLOEXEC);
	if (memory < 0)
		return -errno;
	if (!notify_waits(deed->task))
		return -ESRCH;
	return pwrite(memory, from, length, (off_t)address) == (ssize_t)length ? 0 : -EFAULT;
}

/* ---- its descriptors ---------------------------------------------------- */

int deed_descriptor(const struct deed *deed, int fd)
{
	return tracee_descriptor(deed->task, fd);
}

int deed_umask(const struct deed *deed)
{
	mode_t mask;
	int r = caller_umask(deed->task->tid, &mask);

	if (r == 0)
		umask(mask); /* this thread's: caller_prepare */
	return r;
}

/* A clone after which a process is not alone although it has one thread: see visitor.h. */
static bool shares(const struct request *request)
{
	uint64_t flags = request->stop.args[0];

	if (call_arg_index(request->call, ARG_CLONE_FLAGS, 0) < 0 || !(flags & CLONE_SHARES) || (flags & CLONE_THREAD))
		return false;
	return (flags & CLONE_SHARES_FOR_LONG) || !(flags & CLONE_VFORK);
}

/* ---- by what is done ---------------------------------------------------- */

static int64_t proceed(struct deed *deed)
{
	(void)deed;
	return PERFORM_PROCEED;
}

static int64_t attribute(struct deed *deed)
{
	perform_function *function = perform_attribute(deed->request->call);

	return function ? function(deed) : -EACCES;
}

static int64_t credentials(struct deed *deed)
{
	notify_credentials(deed->guard);
	return PERFORM_PROCEED;
}

/* PR_SCHED_CORE takes a number, which may come to mean somebody else: only the caller's own. */
static int64_t control_itself(struct deed *deed)
{
	const uint64_t *args = deed->request->stop.args;

	return (int)args[0] == PR_SCHED_CORE && args[2] != 0 ? -EPERM : PERFORM_PROCEED;
}

static int64_t clone_by_registers(struct deed *deed)
{
	if (shares(deed->request))
		tracee_restless(deed->task);
	return PERFORM_PROCEED;
}

/* clone3's flags lie in memory; ENOSYS makes every library use clone, whose flags are in registers. And what a task denied itself
 * by Landlock would not hold for what is done here. */
static int64_t not_there(struct deed *deed)
{
	(void)deed;
	return -ENOSYS;
}

/* Is its directory the one that was judged? A name that was another one when the kernel read it may lead where names mean something
 * else: to what is hidden, or into the mounts of a stranger. */
static bool approve_directory(struct guard *guard, struct request *request, int result)
{
	const struct resolved *judged = &request->names[0].at;
	struct judgement *judgement = &notify_self()->desk.judgement;
	char path[64];
	struct stat st;

	(void)result;
	snprintf(path, sizeof path, "/proc/%d/cwd", (int)request->task->tid);
	if (stat(path, &st) == 0 && st.st_dev == judged->held.st_dev && st.st_ino == judged->held.st_ino)
		return true;
	judge_always(judgement, VIOLATION_FILE_READ, EACCES, "a directory other than the one that was checked (%s)",
		     judged->judged);
	act_record(guard, request, &judgement->refusal, ACTION_KILLED);
	return false;
}

static int64_t change_directory(struct deed *deed)
{
	return deed->request->names[0].at.exists ? PERFORM_FOLLOWED : -ENOENT;
}

/* What is not listed is not done: exec has its own way (perform), and the rest was refused. */
static perform_function *const by_op[OP_COUNT] = {
	[OP_OPEN] = perform_open,
	[OP_CHDIR] = change_directory,
	[OP_LOOK] = attribute,
	[OP_VALUE] = attribute,
	[OP_READLINK] = attribute,
	[OP_CHANGE] = attribute,
	[OP_CHANGE_FD] = attribute,
	[OP_CREATE] = perform_create,
	[OP_SYMLINK] = perform_symlink,
	[OP_REMOVE] = perform_remove,
	[OP_RENAME] = perform_rename,
	[OP_LINK] = perform_link,
	[OP_WATCH] = perform_watch,
	[OP_CONNECT] = perform_connect,
	[OP_BIND] = perform_bind,
	[OP_LISTEN] = perform_listen,
	[OP_SOCKOPT] = perform_sockopt,
	[OP_SENDMSG] = perform_send,
	[OP_SENDMMSG] = perform_send,
	[OP_SIGNAL] = perform_signal,
	[OP_PROCESS] = perform_process,
	[OP_IPC] = perform_ipc,
	[OP_IOCTL] = perform_ioctl,
	[OP_FCNTL] = perform_fcntl,
	[OP_CREDENTIALS] = credentials,
	[OP_PRCTL] = control_itself,
	[OP_CLONE] = clone_by_registers,
	[OP_CLONE3] = not_there,
	[OP_CONFINE] = not_there,
	/* judged by registers, and see above */
	[OP_FORK] = proceed,
	[OP_ALLOCATE] = proceed,
	[OP_SOCKET] = proceed,
	[OP_SECCOMP] = proceed,
	[OP_MEMORY] = proceed,
	[OP_DESCRIPTOR] = proceed,
	[OP_ASYNC] = proceed,
};

static int64_t do_it(struct deed *deed)
{
	perform_function *function = by_op[deed->request->call->op];

	return function ? function(deed) : -EACCES;
}

void deed_begin(struct deed *deed, struct guard *guard, struct request *request, const struct judgement *judgement)
{
	const struct name_arg *name = &request->names[0];

	*deed = (struct deed){.guard = guard, .request = request, .judgement = judgement, .task = request->task};
	deed->fd = name->arg >= 0 ? name->at.fd : -1;
	deed->tail = &request->stop.args[name->arg >= 0 ? name->arg + 1 : 0];
	deed->give = -1;
	snprintf(deed->path, sizeof deed->path, "/proc/self/fd/%d", deed->fd);
}

void perform(struct guard *guard, struct request *request, struct judgement *judgement)
{
	struct task *task = request->task;
	struct deed deed;

	if (request->call->op == OP_EXEC) {
		notify_exec(guard, task);
		return;
	}
	if (judgement->then)
		judgement->then(guard, request);
	deed_begin(&deed, guard, request, judgement);
	deed.caller = &notify_self()->caller;
	int64_t result = do_it(&deed);
	if (result == PERFORM_AGAIN) {
		judgement->again = true;
	} else if (result == PERFORM_PROCEED) {
		notify_continue(task);
	} else if (result == PERFORM_FOLLOWED) {
		notify_follow(guard, task, request->call->op == OP_CHDIR ? approve_directory : perform_approves_path);
	} else if (deed.give >= 0) {
		notify_hand_over(task, deed.give, deed.close_on_exec);
	} else {
		if (task->on_exit)
			result = task->on_exit(task, result);
		notify_give(task, result);
	}
}
