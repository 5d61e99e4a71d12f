/* SPDX-License-Identifier: MIT */
/*
 * perform_process.c - acting on other processes of the run. Their numbers
 * were judged; but nothing keeps a number from being given to a stranger before the call uses it: the process may end, and
 * its parent wait for it. So:
 *
 * - What names the caller's own process, or a group that it is in, is let proceed: these cannot vanish while it waits.
 * - A signal goes through a descriptor of the process (pidfd_open(2)), which is looked at after it was opened. The receiver
 *   is told of the supervisor as the sender; which signal and how it was sent stays.
 * - Where the kernel wants a number, the process is traced while it is used, without stopping it: a traced process keeps its
 *   number until its tracer has seen its end. The tracer is a thread for that purpose, since its end lets go of the process
 *   without a word.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cleanup.h"
#include "lineage.h"
#include "perform_inside.h"
#include "register_rules.h"

enum {
	OF_THREAD = O_EXCL, /* PIDFD_THREAD, Linux 6.9 */
	SIGNAL_THREAD = 1,  /* PIDFD_SIGNAL_THREAD, Linux 6.9 */
	STRUCT_MOST = 8192, /* a set of processors, a struct sched_attr */
	IOPRIO_PROCESS = 1, /* IOPRIO_WHO_PROCESS */
	PIECES = 8,	    /* tries to trace somebody who is traced by another thread at the moment */
};

static uint64_t arg(const struct deed *deed, int i)
{
	return deed->request->stop.args[i];
}

/* The task itself, or the first of its threads: they keep their numbers. */
static bool is_caller(const struct deed *deed, pid_t pid)
{
	return pid == 0 || pid == deed->task->tid || pid == tracee_tgid(deed->task);
}

static bool is_ours(const struct deed *deed, pid_t pid)
{
	return tracee_is_ours(&deed->guard->tracees, pid);
}

/* ---- signals ------------------------------------------------------------ */

/* A descriptor of a process or thread of the run; or -errno. */
static int open_process(const struct deed *deed, pid_t pid, unsigned flags)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, flags);

	if (fd < 0)
		return -errno;
	if (is_ours(deed, pid))
		return fd;
	close(fd);
	return -ESRCH;
}

static int64_t send_signal(int fd, int signal, siginfo_t *info, unsigned flags)
{
	int64_t r = fd < 0 ? fd : syscall(SYS_pidfd_send_signal, fd, signal, info, flags) < 0 ? -errno : 0;

	if (fd >= 0)
		close(fd);
	return r;
}

static int64_t signal_process(const struct deed *deed, pid_t pid, int signal, siginfo_t *info)
{
	pid_t process = lineage_process(pid); /* kill(2) takes the number of any thread */

	return process == 0 ? -ESRCH : send_signal(open_process(deed, process, 0), signal, info, 0);
}

static int64_t signal_thread(const struct deed *deed, pid_t tid, int signal, siginfo_t *info)
{
	int fd = open_process(deed, tid, OF_THREAD);
	pid_t process = lineage_process(tid);

	if (fd != -EINVAL)
		return send_signal(fd, signal, info, SIGNAL_THREAD);
	if (process == tracee_tgid(deed->task) && !info) /* an older kernel; the caller's own process does not vanish */
		return syscall(SYS_tgkill, process, tid, signal) < 0 ? -errno : 0;
	return process == tid ? signal_process(deed, tid, signal, info) : -ESRCH;
}

/* What the caller's own siginfo may say is the kernel's rule: rt_sigqueueinfo(2). */
static int64_t take_info(const struct deed *deed, uint64_t address, siginfo_t *info)
{
	int r = deed_take(deed, address, info, sizeof *info);

	return r < 0 ? r : info->si_code >= 0 || info->si_code == SI_TKILL ? -EPERM : 0;
}

static int64_t signal_group(const struct deed *deed, pid_t group, int signal)
{
	cleanup_free pid_t *list = NULL;
	size_t count;
	int64_t r = -ESRCH;

	if (getpgid(deed->task->tid) == group)
		return PERFORM_PROCEED; /* it lasts as long as the caller is in it */
	if (tracee_list(&deed->guard->tracees, &list, &count) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		int64_t sent = getpgid(list[i]) == group ? signal_process(deed, list[i], signal, NULL) : -ESRCH;
		r = sent == 0 || r == -ESRCH ? (r == 0 ? 0 : sent) : r;
	}
	return r;
}

static int64_t do_kill(const struct deed *deed)
{
	pid_t target = (pid_t)arg(deed, 0);
	int signal = (int)arg(deed, 1);

	if (target <= 0) /* -1 was answered by the judge */
		return signal_group(deed, target == 0 ? getpgid(deed->task->tid) : -target, signal);
	return is_caller(deed, target) ? PERFORM_PROCEED : signal_process(deed, target, signal, NULL);
}

/* tgkill and rt_tgsigqueueinfo: a thread of the process that is named, too. */
static int64_t do_thread_of(const struct deed *deed, siginfo_t *info)
{
	pid_t process = (pid_t)arg(deed, 0), tid = (pid_t)arg(deed, 1);

	if (process <= 0 || tid <= 0)
		return -EINVAL;
	if (process == tracee_tgid(deed->task))
		return PERFORM_PROCEED; /* the kernel looks for the thread in that process only */
	if (lineage_process(tid) != process)
		return -ESRCH;
	return signal_thread(deed, tid, (int)arg(deed, 2), info);
}

/* The process that a descriptor stands for; 0: none. */
static pid_t process_of_fd(int fd)
{
	char path[64], text[1024];

	snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
	cleanup_fd int info = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = info < 0 ? -1 : read(info, text, sizeof text - 1);
	text[n > 0 ? n : 0] = 0;
	const char *field = strstr(text, "\nPid:\t");
	if (field)
		return (pid_t)strtol(field + sizeof "\nPid:\t" - 1, NULL, 10);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd); /* a directory of /proc is taken for one, too */
	n = readlink(path, text, sizeof text - 1);
	text[n > 0 ? n : 0] = 0;
	return strncmp(text, "/proc/", 6) == 0 ? (pid_t)strtol(text + 6, NULL, 10) : 0;
}

static int64_t do_by_descriptor(const struct deed *deed)
{
	int fd = (int)arg(deed, 0), signal = (int)arg(deed, 1);
	siginfo_t info;
	bool has_info = arg(deed, 2) != 0;

	if (fd < 0)
		return PERFORM_PROCEED; /* PIDFD_SELF and the like */
	int64_t r = has_info ? take_info(deed, arg(deed, 2), &info) : 0;
	int copy = r < 0 ? -1 : deed_descriptor(deed, fd);
	if (r < 0 || copy < 0)
		return r < 0 ? r : copy;
	pid_t pid = process_of_fd(copy);
	if (pid == tracee_tgid(deed->task) && !has_info) {
		close(copy);
		return syscall(SYS_tgkill, pid, deed->task->tid, 0) < 0 ? -errno : PERFORM_PROCEED;
	}
	if (pid > 0 && !is_ours(deed, pid)) {
		close(copy);
		return -EPERM;
	}
	return send_signal(copy, signal, has_info ? &info : NULL, (unsigned)arg(deed, 3));
}

int64_t perform_signal(struct deed *deed)
{
	siginfo_t info;
	int64_t r;

	switch (deed->request->stop.number) {
	case SYS_kill:
		return do_kill(deed);
	case SYS_tkill:
		return (pid_t)arg(deed, 0) == deed->task->tid || (pid_t)arg(deed, 0) <= 0
			       ? PERFORM_PROCEED
			       : signal_thread(deed, (pid_t)arg(deed, 0), (int)arg(deed, 1), NULL);
	case SYS_tgkill:
		return do_thread_of(deed, NULL);
	case SYS_rt_sigqueueinfo:
		if (is_caller(deed, (pid_t)arg(deed, 0)))
			return PERFORM_PROCEED;
		r = take_info(deed, arg(deed, 2), &info);
		return r < 0 ? r : signal_process(deed, (pid_t)arg(deed, 0), (int)arg(deed, 1), &info);
	case SYS_rt_tgsigqueueinfo:
		if ((pid_t)arg(deed, 0) == tracee_tgid(deed->task))
			return PERFORM_PROCEED;
		r = take_info(deed, arg(deed, 3), &info);
		return r < 0 ? r : do_thread_of(deed, &info);
	case SYS_pidfd_send_signal:
		return do_by_descriptor(deed);
	default:
		return -EPERM;
	}
}

/* ---- by number ---------------------------------------------------------- */

/* A call with a number that must not change its meaning meanwhile. */
struct pinned {
	const struct deed *deed;
	pid_t pid;
	long number;
	uint64_t args[CALL_ARG_COUNT];
	int64_t result;
};

static void *use_pinned(void *argument)
{
	static const struct timespec moment = {.tv_nsec = 200000};
	struct pinned *p = argument;
	long r = -1;

	for (int i = 0; i < PIECES && (r = ptrace(PTRACE_SEIZE, p->pid, NULL, 0)) < 0 && errno == EPERM; i++)
		nanosleep(&moment, NULL);
	if (r < 0)
		p->result = -errno;
	else if (!is_ours(p->deed, p->pid))
		p->result = -ESRCH;
	else if ((r = syscall(p->number, p->args[0], p->args[1], p->args[2], p->args[3], p->args[4], p->args[5])) < 0)
		p->result = -errno;
	else
		p->result = r;
	return NULL; /* the end of this thread lets go of it */
}

static int64_t pinned(const struct deed *deed, pid_t pid, const uint64_t args[CALL_ARG_COUNT])
{
	struct pinned p = {.deed = deed, .pid = pid, .number = deed->request->stop.number};
	pthread_t thread;

	memcpy(p.args, args, sizeof p.args);
	if (pthread_create(&thread, NULL, use_pinned, &p) != 0)
		return -EAGAIN;
	pthread_join(thread, NULL);
	return p.result;
}

/* ---- what takes a number ------------------------------------------------ */

static int64_t do_open_process(struct deed *deed, pid_t pid)
{
	int fd = open_process(deed, pid, (unsigned)arg(deed, 1));

	if (fd < 0)
		return fd;
	deed->give = fd;
	deed->close_on_exec = true;
	return 0;
}

static int64_t do_prlimit(const struct deed *deed, pid_t pid)
{
	struct rlimit wanted, before;
	uint64_t args[CALL_ARG_COUNT] = {(uint64_t)pid, arg(deed, 1), 0, 0};
	int64_t r = 0;

	if (arg(deed, 2)) {
		r = deed_take(deed, arg(deed, 2), &wanted, sizeof wanted);
		args[2] = (uintptr_t)&wanted;
	}
	if (arg(deed, 3))
		args[3] = (uintptr_t)&before;
	if (r == 0)
		r = pinned(deed, pid, args);
	if (r == 0 && arg(deed, 3))
		r = deed_put(deed, arg(deed, 3), &before, sizeof before);
	return r;
}

/* sched_set*: one struct, `length` bytes of it, at argument `at`. */
static int64_t do_with_struct(const struct deed *deed, pid_t pid, int at, uint64_t length)
{
	char bytes[STRUCT_MOST];
	uint64_t args[CALL_ARG_COUNT];

	if (length > sizeof bytes)
		length = sizeof bytes;
	memcpy(args, deed->request->stop.args, sizeof args);
	int r = deed_take(deed, args[at], bytes, length);
	args[at] = (uintptr_t)bytes;
	return r < 0 ? r : pinned(deed, pid, args);
}

static int64_t do_set_attributes(const struct deed *deed, pid_t pid)
{
	uint32_t size;
	int r = deed_take(deed, arg(deed, 1), &size, sizeof size);

	return r < 0 ? r : do_with_struct(deed, pid, 1, size < 48 ? 48 : size); /* SCHED_ATTR_SIZE_VER0 */
}

/* setpriority, ioprio_set: of a process, or of a group of the caller's. */
static int64_t do_which_who(const struct deed *deed, int which_process)
{
	int which = (int)arg(deed, 0);
	pid_t who = (pid_t)arg(deed, 1);

	if (which < which_process || which > which_process + PRIO_USER)
		return PERFORM_PROCEED; /* the kernel knows no such kind */
	if (which == which_process)
		return is_caller(deed, who) ? PERFORM_PROCEED : pinned(deed, who, deed->request->stop.args);
	return who == 0 || who == getpgid(deed->task->tid) ? PERFORM_PROCEED : -EPERM;
}

/* Nothing is changed, and the answer is given only if it was about a process of the run. */
static int64_t do_compare(const struct deed *deed)
{
	pid_t one = (pid_t)arg(deed, 0), other = (pid_t)arg(deed, 1);
	const uint64_t *a = deed->request->stop.args;

	if (is_caller(deed, one) && is_caller(deed, other))
		return PERFORM_PROCEED;
	int64_t r = syscall(SYS_kcmp, one, other, a[2], a[3], a[4]);
	int error = errno;
	if ((!is_caller(deed, one) && !is_ours(deed, one)) || (!is_caller(deed, other) && !is_ours(deed, other)))
		return -ESRCH;
	return r < 0 ? -error : r;
}

/* prlimit of which the judgement left only the question. */
static int64_t tell_limit(const struct deed *deed, pid_t pid)
{
	struct rlimit before;

	if (syscall(SYS_prlimit64, pid ? pid : tracee_tgid(deed->task), (unsigned)arg(deed, 1), NULL, &before) < 0)
		return -errno;
	return deed_put(deed, arg(deed, 3), &before, sizeof before);
}

int64_t perform_process(struct deed *deed)
{
	pid_t pid = (pid_t)arg(deed, 0);

	if (deed->judgement->replace >= 0)
		return tell_limit(deed, pid);
	switch (deed->request->stop.number) {
	case SYS_setpriority:
		return do_which_who(deed, PRIO_PROCESS);
	case SYS_ioprio_set:
		return do_which_who(deed, IOPRIO_PROCESS);
	case SYS_kcmp:
		return do_compare(deed);
	case SYS_pidfd_open:
		return do_open_process(deed, pid);
	case SYS_setrlimit:
		return PERFORM_PROCEED;
	case SYS_setpgid: /* the kernel lets in the caller and its children only, and into groups of its session only */
		return PERFORM_PROCEED;
	default:
		break;
	}
	if (is_caller(deed, pid))
		return PERFORM_PROCEED;
	switch (deed->request->stop.number) {
	case SYS_prlimit64:
		return do_prlimit(deed, pid);
	case SYS_sched_setparam:
		return do_with_struct(deed, pid, 1, sizeof(int));
	case SYS_sched_setscheduler:
		return do_with_struct(deed, pid, 2, sizeof(int));
	case SYS_sched_setaffinity:
		return do_with_struct(deed, pid, 2, arg(deed, 1));
	case SYS_sched_setattr:
		return do_set_attributes(deed, pid);
	default:
		return -EPERM; /* memory and lists of another process: no ordinary program asks for them */
	}
}

/* ---- the rest ----------------------------------------------------------- */

/* To make an object is done here, to know its number, and to remove it, to know that it is gone. Whose it is follows from its number. */
int64_t perform_ipc(struct deed *deed)
{
	const struct request *request = deed->request;

	if (!deed->judgement->aside)
		return PERFORM_PROCEED;
	long r = syscall(request->stop.number, arg(deed, 0), arg(deed, 1), arg(deed, 2));
	return r < 0 ? -errno : r;
}

static bool is_object(int fd, const struct judgement *judgement)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_dev == judgement->object_dev && st.st_ino == judgement->object_ino;
}

/* A copy of the descriptor that was judged, since another thread may put another one in its place. -errno; PERFORM_PROCEED: there is
 * none that could. */
static int64_t copy_of_object(struct deed *deed)
{
	if (deed->guard->notifier)
		visitor_look(deed->task);
	if (tracee_private_files(deed->task))
		return PERFORM_PROCEED;
	int fd = deed_descriptor(deed, (int)arg(deed, 0));
	if (fd < 0 || is_object(fd, deed->judgement))
		return fd;
	close(fd);
	return -EBADF;
}

int64_t perform_ioctl(struct deed *deed)
{
	uint32_t code = (uint32_t)arg(deed, 1);
	const struct ioctl_rule *rule = ioctl_rule(code);
	char bytes[_IOC_SIZEMASK + 1] = "";

	if (!rule || rule->what != IOCTL_CHANGES)
		return PERFORM_PROCEED;
	int64_t copy = copy_of_object(deed);
	if (copy < 0)
		return copy;
	cleanup_fd int fd = (int)copy;
	int r = deed_take(deed, arg(deed, 2), bytes, _IOC_SIZE(code));
	if (r == 0 && !ioctl_is_plain(code))
		r = -EPERM; /* it has numbers of descriptors in it */
	return r < 0 ? r : ioctl(fd, code, bytes) < 0 ? -errno : 0;
}

/* F_SETLEASE: who is told that somebody else wants the file is the caller, unless the descriptor has an owner already. */
static int64_t set_lease(struct deed *deed)
{
	int64_t copy = (int)arg(deed, 2) == F_UNLCK ? PERFORM_PROCEED : copy_of_object(deed);

	if (copy < 0)
		return copy;
	cleanup_fd int fd = (int)copy;
	if (fcntl(fd, F_GETOWN) == 0 && fcntl(fd, F_SETOWN, tracee_tgid(deed->task)) < 0)
		return -errno;
	return fcntl(fd, F_SETLEASE, (int)arg(deed, 2)) < 0 ? -errno : 0;
}

/* F_SETOWN: the kernel holds the process, not its number. */
int64_t perform_fcntl(struct deed *deed)
{
	pid_t who = (pid_t)arg(deed, 2);

	if ((int)arg(deed, 1) == F_SETLEASE)
		return set_lease(deed);
	if ((int)arg(deed, 1) != F_SETOWN || is_caller(deed, who))
		return PERFORM_PROCEED;
	cleanup_fd int fd = deed_descriptor(deed, (int)arg(deed, 0));
	if (fd < 0)
		return fd;
	if (!notify_waits(deed->task))
		return -ESRCH;
	if (fcntl(fd, F_SETOWN, who) < 0)
		return -errno;
	if (is_ours(deed, who))
		return 0;
	fcntl(fd, F_SETOWN, 0);
	return -EPERM;
}
