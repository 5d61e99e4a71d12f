/* SPDX-License-Identifier: MIT */
/*
 * judge_registers.c - calls that are judged by numbers in registers alone
 * (and clone3, whose numbers lie in a struct): new tasks, prctl, ioctl, fcntl, seccomp, memory, descriptors.
 * What the lists here leave out is harmless. filter.c compiles the same lists.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "absent.h"
#include "cleanup.h"
#include "judge.h"
#include "mem.h"
#include "register_rules.h"
#include "wire.h"

static void refuse(const struct request *request, struct judgement *judgement, enum violation_kind kind, int error,
		   uint64_t value)
{
	judge_always(judgement, kind, error, "%s %#llx", request->call->name, (unsigned long long)value);
}

static void judge_clone_flags(const struct request *request, struct judgement *judgement, uint64_t flags)
{
	if (flags & CLONE_REFUSED)
		refuse(request, judgement, VIOLATION_PRIVILEGE, EPERM, flags & CLONE_REFUSED);
}

static void judge_clone3(const struct request *request, struct judgement *judgement)
{
	judgement->names = true; /* the struct must stay as it is */
	if (request->clone
		    .set_tid_size) /* needs CAP_CHECKPOINT_RESTORE, and could take the number of a dead supervisor */
		judge_always(judgement, VIOLATION_PRIVILEGE, EPERM, "clone3 with set_tid");
	else
		judge_clone_flags(request, judgement, request->clone.flags);
}

/* Whose scheduling cookie is shared, and with whom (Documentation/admin-guide/hw-vuln/core-scheduling.rst). */
static void judge_core_scheduling(struct guard *guard, const struct request *request, struct judgement *judgement)
{
	int pid = (int)request->stop.args[2];
	bool group = request->stop.args[3] == 2; /* PIDTYPE_PGID */

	if (group || (pid != 0 && !tracee_is_ours(&guard->tracees, pid)))
		refuse(request, judgement, VIOLATION_PROCESS_CONTROL, EPERM, PR_SCHED_CORE);
}

static void judge_prctl(struct guard *guard, const struct request *request, struct judgement *judgement)
{
	switch ((int)request->stop.args[0]) {
	case PR_SET_DUMPABLE:
		/* A task that is not dumpable cannot be looked into by a supervisor of the same user. Its purpose, to keep others
		 * of the same user out, is served by the guard: no task of the run may trace or read another. */
		if (request->stop.args[1] <= 1)
			judge_answer(judgement, 0);
		break;
	case PR_SET_MM: /* moves what /proc shows of a process: exe, command line */
		refuse(request, judgement, VIOLATION_PROCESS_CONTROL, EPERM, PR_SET_MM);
		break;
	case PR_SCHED_CORE:
		judge_core_scheduling(guard, request, judgement);
		break;
	case PR_SET_SECCOMP:
	case PR_SET_SYSCALL_USER_DISPATCH: /* by which a program is told of its own calls */
		if (absent_serves(guard))
			judgement->then = absent_filters;
		break;
	default:
		break;
	}
}

/*
 * The descriptor is to signal its owner. A terminal's that has none gets the terminal's foreground group for one (F_SETOWN in
 * fcntl(2)), the user's shell and the supervisor perhaps among it, and F_SETSIG says with which signal. Where another thread
 * could put a terminal in its place meanwhile, it is done to what was looked at.
 */
static void judge_hearing(struct guard *guard, const struct request *request, struct judgement *judgement, bool on,
			  const int *flags)
{
	cleanup_fd int fd = tracee_descriptor(request->task, (int)request->stop.args[0]);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0) {
		judge_answer(judgement, fd < 0 ? fd : -errno);
		return;
	}
	if (on && S_ISCHR(st.st_mode)) {
		refuse(request, judgement, VIOLATION_PROCESS_CONTROL, EPERM, O_ASYNC);
		return;
	}
	if (!S_ISCHR(st.st_mode) && !guard->tracees.keeper && tracee_private_files(request->task))
		return;
	int before = fcntl(fd, F_GETFL), after = flags ? *flags : on ? before | O_ASYNC : before & ~O_ASYNC;
	judge_answer(judgement, fcntl(fd, F_SETFL, after) < 0 ? -errno : 0);
}

/* FIOASYNC: whether is in memory, and read once. */
static void judge_hearing_by_pointer(struct guard *guard, const struct request *request, struct judgement *judgement)
{
	int on = 0, r = mem_read(request->task->tid, request->stop.args[2], &on, sizeof on);

	if (r < 0)
		judge_answer(judgement, -EFAULT);
	else
		judge_hearing(guard, request, judgement, on != 0, NULL);
}

/* The object of the descriptor is to be changed, or kept from those who change it. */
static void judge_object(struct guard *guard, struct request *request, struct judgement *judgement)
{
	struct resolved at;

	resolve_fd(&guard->tracees, request->task, (int)request->stop.args[0], &at);
	if (at.error < 0)
		judge_answer(judgement, at.error);
	else if (!at.nameless || at.deleted)
		judge_path(guard, judgement, &at, ACCESS_WRITE);
	/* another thread could put another descriptor there, and such a call has no form that takes a name */
	judgement->aside = !guard->tracees.keeper && !tracee_private_files(request->task);
	judgement->object_dev = at.held.st_dev;
	judgement->object_ino = at.held.st_ino;
	resolve_close(&at);
}

/* To anything but a socket such a request means nothing; it is not made, since another thread could put a socket there. */
static void judge_about_interfaces(struct guard *guard, const struct request *request, struct judgement *judgement)
{
	cleanup_fd int fd = tracee_descriptor(request->task, (int)request->stop.args[0]);
	struct stat st;
	bool is_socket = fd >= 0 && fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode);

	unsigned audited = judgement->audited_count;

	judge_interfaces(guard, judgement);
	if (is_socket)
		return;
	judgement->audited_count = audited;
	if (judgement->outcome == OUTCOME_REFUSE)
		judge_answer(judgement, fd < 0 ? fd : -ENOTTY);
}

static void judge_ioctl(struct guard *guard, struct request *request, struct judgement *judgement)
{
	uint32_t code = (uint32_t)request->stop.args[1];
	const struct ioctl_rule *rule = ioctl_rule(code);

	if (!rule)
		return;
	switch (rule->what) {
	case IOCTL_TYPES:
		refuse(request, judgement, VIOLATION_PROCESS_CONTROL, EPERM, code);
		break;
	case IOCTL_SIGNALS:
		refuse(request, judgement, VIOLATION_PROCESS_CONTROL, EPERM, code);
		break;
	case IOCTL_HEARS:
		judge_hearing_by_pointer(guard, request, judgement);
		break;
	case IOCTL_FLAGS_DESCRIPTOR:
		if ((uint32_t)request->stop.args[0] >= guard->open_files)
			judge_answer(judgement, -EBADF);
		break;
	case IOCTL_REACHES:
		refuse(request, judgement, VIOLATION_INTERFACE, EPERM, code);
		break;
	case IOCTL_CHANGES:
		judge_object(guard, request, judgement);
		if (judgement->outcome == OUTCOME_REFUSE)
			judge_audits(guard, judgement);
		break;
	case IOCTL_INTERFACES:
		judge_about_interfaces(guard, request, judgement);
		break;
	}
}

/* Of what the kernel gives no lease it says so (do_fcntl_add_lease() and the like in fs/locks.c). 0 or -errno. */
static int lease_error(const struct request *request)
{
	cleanup_fd int fd = tracee_descriptor(request->task, (int)request->stop.args[0]);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return fd < 0 ? fd : -errno;
	return st.st_uid != geteuid() ? -EACCES : !S_ISREG(st.st_mode) ? -EINVAL : 0;
}

/* It keeps others from opening the file to write, or at all, for a time, and again and again (fcntl(2), "Leases"). */
static void judge_lease(struct guard *guard, struct request *request, struct judgement *judgement)
{
	int error;

	judge_object(guard, request, judgement);
	if (judgement->outcome != OUTCOME_REFUSE)
		return;
	if ((error = lease_error(request)) < 0)
		judge_answer(judgement, error);
	else
		judge_audits(guard, judgement);
}

static void replace(struct judgement *judgement, int arg, uint64_t value)
{
	judgement->replace = arg;
	judgement->replacement = value;
}

/* Whom the kernel signals for a descriptor: only processes of the run. */
static void judge_fcntl(struct guard *guard, struct request *request, struct judgement *judgement)
{
	int who = (int)request->stop.args[2];

	if ((uint32_t)request->stop.args[0] >= guard->open_files) {
		judge_answer(judgement, -EBADF);
		return;
	}
	switch ((int)request->stop.args[1]) {
	case F_SETFL: /* `who` are flags */
		if (who & O_ASYNC)
			judge_hearing(guard, request, judgement, true, &who);
		break;
	case F_SETOWN:
		if (who == 0 || (who > 0 && tracee_is_ours(&guard->tracees, who)))
			break;
		if (tracee_ended(&guard->tracees, who))
			replace(judgement, 2,
				0); /* nobody is signalled, as by its number, which may pass to a stranger */
		else if (kill(who, 0) < 0 && errno == ESRCH)
			judge_answer(judgement, -ESRCH);
		else
			refuse(request, judgement, VIOLATION_PROCESS_CONTROL, EPERM, F_SETOWN);
		break;
	case F_SETOWN_EX: /* whom is in memory, and hardly any program uses it */
		refuse(request, judgement, VIOLATION_PROCESS_CONTROL, EPERM, F_SETOWN_EX);
		break;
	case F_SETLEASE: /* `who` is its kind */
		if (who != F_UNLCK)
			judge_lease(guard, request, judgement);
		break;
	case FCNTL_DELEGATION:
		judge_answer(judgement, -EINVAL);
		break;
	default:
		break;
	}
}

static void judge_seccomp(struct guard *guard, const struct request *request, struct judgement *judgement)
{
	uint32_t what = (uint32_t)request->stop.args[0];

	if (what < SECCOMP_GET_ACTION_AVAIL && absent_serves(guard))
		judgement->then = absent_filters;
	if (what == SECCOMP_SET_MODE_FILTER && (request->stop.args[1] & SECCOMP_FILTER_FLAG_NEW_LISTENER))
		judge_always(judgement, VIOLATION_PROCESS_CONTROL, EPERM, "seccomp listener");
}

/* Memory that the kernel may empty, even between the look at an argument and its use: as on kernels without it. */
static bool may_vanish(const struct request *request)
{
	int advice = call_arg_index(request->call, ARG_ADVICE, 0),
	    flags = call_arg_index(request->call, ARG_MAP_FLAGS, 0);

	return (advice >= 0 && (uint32_t)request->stop.args[advice] == ADVICE_REFUSED) ||
	       (flags >= 0 && (request->stop.args[flags] & MAP_TYPE_BITS) == MAP_TYPE_REFUSED);
}

/* No call may touch memory below RESERVED_END; where an address is only a hint, or is ignored, it becomes 0. */
void judge_memory(const struct request *request, struct judgement *judgement)
{
	int flags = call_arg_index(request->call, ARG_MAP_FLAGS, 0),
	    remap_flags = call_arg_index(request->call, ARG_REMAP_FLAGS, 0);

	if (may_vanish(request))
		judge_answer(judgement, -EINVAL);
	for (int i = 0; i < CALL_ARGS && judgement->outcome == OUTCOME_PASS; i++) {
		uint64_t address = request->stop.args[i];
		if (address >= RESERVED_END)
			continue;
		switch (request->call->args[i].kind) {
		case ARG_ADDRESS:
			if (address != 0 || request->stop.args[i + 1] > RESERVED_START)
				refuse(request, judgement, VIOLATION_INTERFACE, ENOMEM, address);
			break;
		case ARG_MAP_ADDRESS:
			if (request->stop.args[flags] & (MAP_FIXED | MAP_FIXED_NOREPLACE))
				refuse(request, judgement, VIOLATION_INTERFACE, EPERM, address);
			else if (address != 0)
				replace(judgement, i, 0);
			break;
		case ARG_REMAP_ADDRESS:
			if (remap_flags >= 0 && (request->stop.args[remap_flags] & MREMAP_FIXED))
				refuse(request, judgement, VIOLATION_INTERFACE, EPERM, address);
			else if (address != 0)
				replace(judgement, i, 0);
			break;
		case ARG_BREAK: /* as when there is no room: the break that there is, and no error */
			if (address != 0)
				replace(judgement, i, 0);
			break;
		default:
			break;
		}
	}
}

static void judge_descriptor(struct guard *guard, const struct request *request, struct judgement *judgement)
{
	int slot = call_arg_index(request->call, ARG_SLOT, 0), last = call_arg_index(request->call, ARG_LAST_SLOT, 0);

	if ((uint32_t)request->stop.args[slot] >= guard->open_files)
		judge_answer(judgement, last >= 0 ? 0 : -EBADF);
	else if (last >= 0 && (uint32_t)request->stop.args[last] >= guard->open_files)
		replace(judgement, last, guard->open_files - 1);
}

static void note_async(struct guard *guard, struct request *request)
{
	(void)guard;
	tracee_restless(request->task);
}

static void judge_prctl_like(struct guard *guard, const struct request *request, struct judgement *judgement)
{
	uint64_t value = request->stop.args[0];

	switch (request->call->args[0].kind) {
	case ARG_PERSONALITY:
		if ((uint32_t)value != UINT32_MAX && (value & PERSONALITY_REFUSED))
			refuse(request, judgement, VIOLATION_INTERFACE, EPERM, value);
		break;
	case ARG_ARCH_PRCTL:
		if ((uint32_t)value == ARCH_TAGGED_ADDRESSES)
			refuse(request, judgement, VIOLATION_INTERFACE, ENODEV, value);
		break;
	default:
		judge_prctl(guard, request, judgement);
		break;
	}
}

void judge_registers(struct guard *guard, struct request *request, struct judgement *judgement)
{
	switch (request->call->op) {
	case OP_CLONE: /* of clone's register the kernel takes the lower half, and of that the exit signal is no flag */
		judge_clone_flags(request, judgement,
				  (uint32_t)request->stop.args[0] &
					  (call_arg_index(request->call, ARG_CLONE_FLAGS, 0) >= 0
						   ? CLONE_REFUSED_IN_REGISTER
						   : UINT32_MAX));
		break;
	case OP_CLONE3:
		judge_clone3(request, judgement);
		break;
	case OP_PRCTL:
		judge_prctl_like(guard, request, judgement);
		break;
	case OP_IOCTL:
		judge_ioctl(guard, request, judgement);
		break;
	case OP_FCNTL:
		judge_fcntl(guard, request, judgement);
		break;
	case OP_SECCOMP:
		judge_seccomp(guard, request, judgement);
		break;
	case OP_MEMORY:
		judge_memory(request, judgement);
		break;
	case OP_DESCRIPTOR:
		judge_descriptor(guard, request, judgement);
		break;
	case OP_ASYNC:
		judgement->then = note_async;
		break;
	default:
		break;
	}
}
