/* SPDX-License-Identifier: MIT */
/*
 * launch.c - see launch.h. What runs in the child between fork and exec is
 * the launcher's own code; the transport passes its calls, until the exec.
 */
#include "launch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "descriptors.h"
#include "floor.h"
#include "limit.h"
#include "notify_kernel.h"
#include "wire.h"

/* ---- finding ------------------------------------------------------------ */

static int runnable(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return errno == ENOTDIR ? -ENOENT : -errno;
	if (S_ISDIR(st.st_mode) || faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) < 0)
		return -EACCES;
	return 0;
}

static char *join(const char *directory, size_t length, const char *name)
{
	char *path = NULL;

	return asprintf(&path, "%.*s%s%s", (int)length, directory, length && directory[length - 1] == '/' ? "" : "/",
			name) < 0
		       ? NULL
		       : path;
}

/* One place to look in; an empty one is `cwd`. */
static int look_in(const char *directory, size_t length, const char *command, const char *cwd, char **path)
{
	char *candidate;

	if (length > 0 && directory[0] == '/')
		candidate = join(directory, length, command);
	else if (asprintf(&candidate, "%s/%.*s%s%s", cwd, (int)length, directory, length ? "/" : "", command) < 0)
		candidate = NULL;
	if (!candidate)
		return -ENOMEM;
	int r = runnable(candidate);
	if (r == 0)
		*path = candidate;
	else
		free(candidate);
	return r;
}

int launch_find(const char *command, const char *search, const char *cwd, char **path)
{
	int worst = -ENOENT;

	*path = NULL;
	if (!*command)
		return -ENOENT;
	if (command[0] == '/')
		return look_in("/", 1, command + 1, cwd, path);
	if (strchr(command, '/'))
		return look_in("", 0, command, cwd, path);
	for (const char *s = search ? search : "/usr/bin:/bin"; s; s = strchr(s, ':') ? strchr(s, ':') + 1 : NULL) {
		int r = look_in(s, strcspn(s, ":"), command, cwd, path);
		if (r == 0 || r == -ENOMEM)
			return r;
		if (r == -EACCES)
			worst = r;
	}
	return worst;
}

unsigned launch_open_files(unsigned long wanted)
{
	struct rlimit limit;
	rlim_t most = OPEN_FILES_MOST;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_max <= RESERVED_FD_COUNT)
		return 0;
	if (wanted)
		most = wanted;
	if (most > limit.rlim_max - RESERVED_FD_COUNT)
		most = limit.rlim_max - RESERVED_FD_COUNT;
	return (unsigned)most;
}

unsigned launch_soft_files(unsigned long wanted, unsigned open_files)
{
	struct rlimit limit;

	if (wanted || getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur > open_files)
		return open_files;
	return (unsigned)limit.rlim_cur;
}

/* ---- the child ---------------------------------------------------------- */

static _Noreturn void give_up(int line, struct launch_trouble trouble)
{
	ssize_t n = write(line, &trouble, sizeof trouble); /* a call that no filter of ours refuses */

	_exit(n < 0 ? 126 : 127);
}

/* Capabilities that a tool of root's keeps: those over its own files, ids and ports. All others reach out: SYS_*, MKNOD,
 * DAC_READ_SEARCH (opens by handle), LEASE (keeps others from their files), NET_ADMIN, NET_RAW, SETPCAP, MAC_*, BPF, PERFMON, CHECKPOINT_RESTORE, ... */
static const unsigned kept[] = {CAP_CHOWN,  CAP_DAC_OVERRIDE, CAP_FOWNER,	    CAP_FSETID,	 CAP_KILL,
				CAP_SETGID, CAP_SETUID,	      CAP_NET_BIND_SERVICE, CAP_IPC_LOCK};

uint64_t launch_capabilities(void)
{
	uint64_t keep = 0;

	for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
		keep |= UINT64_C(1) << kept[i];
	return keep;
}

static int drop_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];
	uint64_t keep = launch_capabilities();

	/* the bounding set, as far as we may: without CAP_SETPCAP there is nothing in it that no_new_privs lets anybody gain */
	for (unsigned long c = 0; prctl(PR_CAPBSET_READ, c, 0, 0, 0) >= 0; c++)
		if (!(keep >> c & 1))
			prctl(PR_CAPBSET_DROP, c, 0, 0, 0);
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (syscall(SYS_capget, &header, data) < 0)
		return -errno;
	for (unsigned half = 0; half < 2; half++) {
		uint32_t mask = (uint32_t)(keep >> (32 * half));
		data[half].effective &= mask;
		data[half].permitted &= mask;
		data[half].inheritable &= mask;
	}
	return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

/* A descriptor whose number is, or may become, one of the reserved ones gets another. */
static bool out_of_the_way(int *fd, int top)
{
	if (*fd < top || *fd >= top + RESERVED_FD_COUNT)
		return true;
	*fd = fcntl(*fd, F_DUPFD_CLOEXEC, top + RESERVED_FD_COUNT);
	return *fd >= 0;
}

/* What the child goes by once its descriptors are arranged. */
struct held {
	int line, program, handover; /* or -1 */
};

/* The reserved descriptors to their places: first out of the way, since a small limit lies in the middle of our numbers. */
static int place_reserved(const struct launch *launch, int top, struct held *held)
{
	int from[RESERVED_FD_COUNT], last = RESERVED_FD_COUNT - 1;

	for (int i = 0; i < RESERVED_FD_COUNT; i++)
		from[i] = launch->reserved ? launch->reserved[i] : -1;
	if (launch->slots_fd >= 0)
		from[RESERVED_FD_SLOTS] = launch->slots_fd;
	from[RESERVED_FD_PROGRAM] = launch->program_fd;
	from[RESERVED_FD_HANDOVER] = launch->handover;
	from[last] = held->line;
	for (int i = 0; i < RESERVED_FD_COUNT; i++)
		if (!out_of_the_way(&from[i], top))
			return -errno;
	int r = descriptors_close((unsigned)top, (unsigned)(top + last)); /* the caller may have left something there */
	if (r < 0)
		return r;
	for (int i = 0; i < RESERVED_FD_COUNT; i++) {
		bool ours = i == last || i == RESERVED_FD_HANDOVER; /* not the tool's */
		if (from[i] >= 0 && dup3(from[i], top + i, ours ? O_CLOEXEC : 0) < 0)
			return -errno;
	}
	*held = (struct held){
		.line = top + last,
		.program = launch->program_fd >= 0 ? top + RESERVED_FD_PROGRAM : -1,
		.handover = launch->handover >= 0 ? top + RESERVED_FD_HANDOVER : -1,
	};
	return 0;
}

/* Descriptors: ours in place of 0..2 where we were given others, the reserved ones, and nothing else. */
static int arrange_descriptors(const struct launch *launch, struct held *held)
{
	struct rlimit limit;
	int top = (int)launch->reserved_at;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return -errno;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		return -errno;
	if ((launch->in >= 0 && dup2(launch->in, STDIN_FILENO) < 0) ||
	    (launch->out >= 0 && dup2(launch->out, STDOUT_FILENO) < 0) ||
	    (launch->err >= 0 && dup2(launch->err, STDERR_FILENO) < 0))
		return -errno;
	int r = place_reserved(launch, top, held);
	if (r < 0)
		return r;
	r = descriptors_close(3, (unsigned)top - 1);
	if (r == 0)
		r = descriptors_close((unsigned)top + RESERVED_FD_COUNT, ~0u);
	if (r < 0)
		return r;
	limit = (struct rlimit){launch->soft_files, launch->open_files};
	return setrlimit(RLIMIT_NOFILE, &limit) < 0 ? -errno : 0;
}

/* A crash writes no file into a directory that the policy may not let anybody write to. A limit of 1 byte, unlike 0, also
 * keeps the kernel from starting a helper outside (core(5), "Piping core dumps to a program"). */
static int forbid_cores(void)
{
	return setrlimit(RLIMIT_CORE, &(struct rlimit){1, 1}) < 0 ? -errno : 0;
}

/* Level notify: the listener goes to the supervisor before any of the tool's code can run. It was made with O_CLOEXEC. */
static int hand_over_listener(const struct launch *launch, int handover)
{
	struct launch_listener listener = {.pid = getpid()};
	char byte;

	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0); /* or no supervisor of the same user could take it */
	listener.fd =
		(int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
			     SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, launch->filter);
	if (listener.fd < 0)
		return -errno;
	if (write(handover, &listener, sizeof listener) != sizeof listener || read(handover, &byte, 1) != 1)
		_exit(127);
	close(listener.fd);
	return 0;
}

/* Without a supervisor the filter is a help where there may be one, not what the level rests on. A listener comes later. */
static int install_filter(const struct launch *launch)
{
	if (!launch->filter || launch->handover >= 0)
		return 0;
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, launch->filter) < 0 && !launch->untraced ? -errno : 0;
}

/* What is ignored stays so across an exec, and what is handled does not: these are the ones that the supervisor or its
 * keeper ignores or ceases to ignore for itself. */
static void restore_signals(const struct launch *launch)
{
	static const int touched[] = {SIGALRM, SIGCHLD, SIGPIPE, SIGTTOU, SIGXFSZ};

	for (size_t i = 0; i < sizeof touched / sizeof touched[0]; i++)
		signal(touched[i], sigismember(launch->ignored, touched[i]) ? SIG_IGN : SIG_DFL);
	sigprocmask(SIG_SETMASK, launch->mask, NULL);
}

/* All that need not be watched. 0 or -errno, and *stage: of what. */
static int make_ready(const struct launch *launch, struct held *held, enum launch_stage *stage)
{
	*stage = LAUNCH_DIRECTORY;
	if (chdir(launch->cwd) < 0)
		return -errno;
	*stage = LAUNCH_DESCRIPTORS;
	int r = arrange_descriptors(launch, held);
	if (r < 0)
		return r;
	*stage = LAUNCH_LIMITS;
	r = limit_apply(&launch->limits);
	if (r < 0)
		return r;
	*stage = LAUNCH_PRIVILEGES;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || (launch->untraced && prctl(PR_SET_PDEATHSIG, SIGKILL) < 0))
		return -errno;
	r = forbid_cores();
	if (r == 0)
		r = drop_capabilities();
	if (r == 0 && launch->landlock)
		r = floor_lay();
	if (r < 0)
		return r;
	*stage = LAUNCH_FILTER;
	return install_filter(launch);
}

/* While the supervisor prepares itself, on another processor, as much as can be done; the rest when it says so. */
static _Noreturn void become_tool(const struct launch *launch, int line)
{
	struct held held = {line, -1, -1};
	enum launch_stage stage;
	char byte;
	int r = make_ready(launch, &held, &stage);

	if (read(held.line, &byte, 1) != 1)
		_exit(127); /* the supervisor is gone, or could not take us over */
	if (r < 0)
		give_up(held.line, (struct launch_trouble){stage, -r});
	restore_signals(launch);
	if (launch->handover >= 0) {
		r = hand_over_listener(launch, held.handover);
		if (r < 0)
			give_up(held.line, (struct launch_trouble){LAUNCH_FILTER, -r});
	}
	if (!launch->filter && !launch->untraced)
		raise(SIGSTOP); /* here the supervisor sees us first; from now on every call stops. With a filter, the exec does */
	if (held.program >= 0)
		syscall(SYS_execveat, held.program, "", launch->argv, launch->environment, AT_EMPTY_PATH);
	else
		execve(launch->path, launch->argv, launch->environment);
	give_up(held.line, (struct launch_trouble){LAUNCH_EXEC, errno});
}

/* ---- the supervisor's side ---------------------------------------------- */

int launch_prepare(const struct launch *launch, struct child *child)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return -errno;
	child->pid = fork();
	if (child->pid == 0) {
		close(ends[0]);
		become_tool(launch, ends[1]);
	}
	int error = errno;
	close(ends[1]);
	child->line = ends[0];
	if (child->pid < 0)
		launch_close(child);
	return child->pid < 0 ? -error : 0;
}

int launch_go(struct child *child)
{
	return send(child->line, "", 1, MSG_NOSIGNAL) == 1 ? 0 : -errno;
}

struct launch_trouble launch_trouble(struct child *child)
{
	struct launch_trouble trouble;

	if (recv(child->line, &trouble, sizeof trouble, MSG_WAITALL) != sizeof trouble)
		return (struct launch_trouble){LAUNCH_OK, 0};
	return trouble;
}

void launch_close(struct child *child)
{
	if (child->line >= 0)
		close(child->line);
	child->line = -1;
}
