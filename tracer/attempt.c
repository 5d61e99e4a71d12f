/* SPDX-License-Identifier: MIT */
/*
 * attempt.c - tries, each in miniature, what the supervisor does in earnest.
 *
 * Why not read versions and settings: an outer container's filter, a security
 * module or another kernel behind the same interface refuses what they
 * promise. Every process made here dies with the one that made it.
 */
#include "attempt.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "floor.h"
#include "gate.h"
#include "notify_kernel.h"

/* The directories of the gate are opened, and then put at the end of what there may be: room for both, and for the tool. */
enum { DESCRIPTORS_LEAST = 3 * RESERVED_FD_COUNT };
_Static_assert(DESCRIPTORS_LEAST == 144, "what is said of it");

static int failed(const char **why, const char *what)
{
	*why = what;
	return errno != 0 ? -errno : -EIO;
}

/* Something went on, but not as it should. */
static int wrong(const char **why, const char *what)
{
	*why = what;
	return -EPROTO;
}

int attempt_proc(const char **why)
{
	char name[32], target[8];
	int fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return failed(why, "open(\"/\", O_PATH)");
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	ssize_t length = readlink(name, target, sizeof(target));
	if (length < 0)
		return failed(why, "readlink in /proc/self/fd (is /proc mounted?)");
	return length == 1 && target[0] == '/' ? 0 : wrong(why, "readlink in /proc/self/fd gives another name");
}

int attempt_openat2(const char **why)
{
	struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
	if (syscall(SYS_openat2, AT_FDCWD, "/", &how, sizeof(how)) >= 0)
		return 0;
	return errno == ENOSYS ? wrong(why, "there is no openat2 (Linux 5.6)") : failed(why, "openat2");
}

int attempt_landlock(const char **why)
{
	if (!floor_is_there())
		return failed(why, "landlock_create_ruleset of version 6 (Linux 6.12)");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return failed(why, "PR_SET_NO_NEW_PRIVS");
	return floor_lay() < 0 ? failed(why, "landlock_restrict_self") : 0;
}

static pid_t running; /* the child of the try under way; 0: none, or it was waited for */

/* A child that dies with us, may be traced, and runs `body` with what `fd` brings. Its pid or -errno. */
static pid_t start(void (*body)(int fd), int fd)
{
	pid_t parent = getpid(), child = fork();
	if (child != 0) {
		running = child > 0 ? child : 0;
		return child < 0 ? -errno : child;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_DUMPABLE, 1);
	if (getppid() != parent) /* it died before the prctl */
		_exit(1);
	body(fd);
	_exit(0);
}

/* The child is not needed any more. It ends while other things are tried; attempt_end waits for it. */
static int done(int error)
{
	if (running)
		kill(running, SIGKILL);
	running = 0;
	return error;
}

void attempt_end(void)
{
	while (waitpid(-1, NULL, __WALL) > 0 || errno == EINTR)
		;
}

static volatile uint64_t marker = UINT64_C(0x5049434b4554);

/* Can the tracee's memory be read and written? It is stopped, and has `marker` where we have it. */
static int try_memory(pid_t child, const char **why)
{
	uint64_t seen = 0, changed = marker + 1;
	struct iovec remote = {(void *)(uintptr_t)&marker, sizeof(marker)};
	struct iovec to = {&seen, sizeof(seen)}, from = {&changed, sizeof(changed)};
	if (process_vm_readv(child, &to, 1, &remote, 1, 0) != (ssize_t)sizeof(seen))
		return failed(why, "process_vm_readv");
	if (seen != marker)
		return wrong(why, "process_vm_readv brings other bytes");
	if (process_vm_writev(child, &from, 1, &remote, 1, 0) != (ssize_t)sizeof(changed))
		return failed(why, "process_vm_writev");
	return 0;
}

/* Is the tracee's next stop the one that we wait for: this event (0: a system call stop), this kind of call stop? */
static int expect_stop(pid_t child, int event, unsigned char op, const char **why)
{
	int status, signal = event == 0 ? SIGTRAP | 0x80 : SIGTRAP;
	struct __ptrace_syscall_info info;
	errno = 0;
	pid_t waited = waitpid(child, &status, __WALL);
	if (waited == child && !WIFSTOPPED(status))
		running = 0;
	if (waited != child || !WIFSTOPPED(status))
		return failed(why, "waiting for a traced child");
	if (status >> 8 != (signal | event << 8))
		return wrong(why, "a traced child stops in another way");
	if (op == PTRACE_SYSCALL_INFO_NONE)
		return 0;
	if (ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof(info), &info) <= 0)
		return errno == EIO ? wrong(why, "there is no PTRACE_GET_SYSCALL_INFO (Linux 5.3)")
				    : failed(why, "PTRACE_GET_SYSCALL_INFO");
	return info.op == op ? 0 : wrong(why, "PTRACE_GET_SYSCALL_INFO tells another kind of stop");
}

/* Blocks until there is something to read. */
static void wait_for_byte(int fd)
{
	char byte;
	while (read(fd, &byte, 1) < 0 && errno == EINTR)
		;
}

/* Can it be stopped as level ptrace does? */
static int try_stops(pid_t child, const char **why)
{
	if (ptrace(PTRACE_SEIZE, child, NULL, PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD) != 0)
		return failed(why, "PTRACE_SEIZE");
	if (ptrace(PTRACE_INTERRUPT, child, NULL, NULL) != 0)
		return failed(why, "PTRACE_INTERRUPT");
	/* The stop of PTRACE_INTERRUPT is PTRACE_EVENT_STOP, ptrace(2). */
	int error = expect_stop(child, PTRACE_EVENT_STOP, PTRACE_SYSCALL_INFO_NONE, why);
	if (error == 0)
		error = try_memory(child, why);
	if (error == 0 && ptrace(PTRACE_SYSCALL, child, NULL, NULL) != 0)
		error = failed(why, "PTRACE_SYSCALL");
	if (error == 0)
		error = expect_stop(child, 0, PTRACE_SYSCALL_INFO_ENTRY, why);
	return error;
}

int attempt_ptrace(const char **why)
{
	int go[2];
	if (pipe2(go, O_CLOEXEC) != 0)
		return failed(why, "pipe2");
	pid_t child = start(wait_for_byte, go[0]);
	if (child < 0)
		return errno = -child, failed(why, "fork");
	return done(try_stops(child, why));
}

/* A filter that does `action` with getpgrp, which the C library never calls by itself. 0 or a listener, or -errno. */
static int install(uint32_t action, unsigned flags, const char **why)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getpgrp, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, action),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = sizeof(code) / sizeof(code[0]), .filter = code};
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return failed(why, "PR_SET_NO_NEW_PRIVS");
	long result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
	return result < 0 ? failed(why, "installing a seccomp filter") : (int)result;
}

static void call_getpgrp(int fd)
{
	wait_for_byte(fd);
	syscall(SYS_getpgrp);
}

/* Does it stop where its filter says? It waits for a byte before. */
static int try_filter_stop(pid_t child, int go, const char **why)
{
	long options = PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACESECCOMP;
	if (ptrace(PTRACE_SEIZE, child, NULL, options) != 0)
		return failed(why, "PTRACE_SEIZE");
	if (write(go, "", 1) != 1)
		return failed(why, "write to a pipe");
	int error = expect_stop(child, PTRACE_EVENT_SECCOMP, PTRACE_SYSCALL_INFO_SECCOMP, why);
	return error == 0 ? try_memory(child, why) : error;
}

int attempt_filter(const char **why)
{
	int go[2];
	if (pipe2(go, O_CLOEXEC) != 0)
		return failed(why, "pipe2");
	int error =
		install(SECCOMP_RET_TRACE, 0, why); /* the child inherits it; none of us makes such a call but to try */
	if (error < 0)
		return error;
	pid_t child = start(call_getpgrp, go[0]);
	if (child < 0)
		return errno = -child, failed(why, "fork");
	return done(try_filter_stop(child, go[1], why));
}

/* With it the lowest addresses can be mapped whatever vm.mmap_min_addr says; tools do not have it (launch.c). */
static void drop_raw_io(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data) < 0)
		return;
	data[0].effective &= ~(1U << CAP_SYS_RAWIO);
	syscall(SYS_capset, &header, data);
}

/* As gate.c and by_ptrace.c do it: the page lies where it has to, cannot be written, and its entries keep an open below a root. */
int attempt_gate(const char **why)
{
	const struct wire_how how = {.flags = O_PATH,
				     .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV};
	char path[32];
	struct rlimit descriptors;
	int fd = memfd_create("picket-gate", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (getrlimit(RLIMIT_NOFILE, &descriptors) == 0 && descriptors.rlim_max < DESCRIPTORS_LEAST)
		return wrong(why, "the hard limit of descriptors (ulimit -Hn) is below 144");
	if (gate_call_offset() < 0)
		return wrong(why, "there is no vdso with a system call in it");
	if (fd < 0 || root < 0 || ftruncate(fd, GATE_LENGTH) < 0 || pwrite(fd, &how, sizeof(how), 0) != sizeof(how))
		return failed(why, "a file in memory");
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE) != 0)
		return failed(why, "F_SEAL_FUTURE_WRITE");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	int reader = open(path, O_RDONLY | O_CLOEXEC);
	drop_raw_io();
	void *page = mmap((void *)GATE_START, GATE_LENGTH, PROT_READ, MAP_SHARED | MAP_FIXED_NOREPLACE, reader, 0);
	if (page == MAP_FAILED && (errno == EPERM || errno == EACCES))
		return wrong(why, "vm.mmap_min_addr is above 65536, where the page of the gate has its place");
	if (page != (void *)GATE_START)
		return failed(why, "mapping the lowest addresses");
	if (mprotect(page, GATE_LENGTH, PROT_READ | PROT_WRITE) == 0)
		return wrong(why, "a sealed file in memory can be made writable");
	if (syscall(SYS_openat2, root, ".", page, offsetof(struct wire_how, unused)) < 0)
		return failed(why, "openat2 beneath a directory");
	return syscall(SYS_openat2, root, "..", page, offsetof(struct wire_how, unused)) < 0 && errno == EXDEV
		       ? 0
		       : wrong(why, "openat2 does not stay beneath a directory");
}

/* The descriptor that stands in for the result of getpgrp must be open here. */
static void use_descriptor(int fd)
{
	(void)fd;
	long given = syscall(SYS_getpgrp);
	_exit(given >= 0 && fcntl((int)given, F_GETFD) >= 0 ? 0 : 1);
}

/* As level notify gets its listener and its hold on a task that waits for an answer: the one from its child; the other by
 * tracing it, which is to stop when the answer has come. */
static int take_hold(pid_t child, int listener, const char **why)
{
	int process = (int)syscall(SYS_pidfd_open, child, 0);
	int taken = process < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, process, listener, 0);
	if (taken < 0)
		return failed(why, process < 0 ? "pidfd_open" : "pidfd_getfd");
	if (ptrace(PTRACE_SEIZE, child, NULL, PTRACE_O_EXITKILL | PTRACE_O_TRACEEXEC) != 0)
		return failed(why, "PTRACE_SEIZE");
	if (ptrace(PTRACE_INTERRUPT, child, NULL, NULL) != 0)
		return failed(why, "PTRACE_INTERRUPT");
	return taken;
}

/* The answer came, and the child stops on its way back. */
static int let_go(pid_t child, const char **why)
{
	int status, error = expect_stop(child, PTRACE_EVENT_STOP, PTRACE_SYSCALL_INFO_NONE, why);
	if (error != 0)
		return error;
	if (ptrace(PTRACE_DETACH, child, NULL, NULL) != 0)
		return failed(why, "PTRACE_DETACH");
	if (waitpid(child, &status, 0) != child)
		return failed(why, "waiting for a child");
	running = 0;
	if (status != 0)
		return wrong(why, "SECCOMP_IOCTL_NOTIF_ADDFD hands nothing over");
	return 0;
}

/* The child waits for the answer to a call. */
static int try_answer(pid_t child, int listener, const char **why)
{
	/* The kernel's structs may be longer than the ones that we were built with. */
	union {
		struct seccomp_notif notification;
		char room[512];
	} request = {.room = {0}};
	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request) != 0)
		return failed(why, "SECCOMP_IOCTL_NOTIF_RECV");
	int taken = take_hold(child, listener, why);
	if (taken < 0)
		return taken;
	struct seccomp_notif_addfd answer = {.id = request.notification.id,
					     .flags = SECCOMP_ADDFD_FLAG_SEND,
					     .srcfd = (uint32_t)listener,
					     .newfd_flags = O_CLOEXEC};
	if (ioctl(taken, SECCOMP_IOCTL_NOTIF_ADDFD, &answer) < 0)
		return failed(why, "SECCOMP_IOCTL_NOTIF_ADDFD");
	return let_go(child, why);
}

int attempt_notify(const char **why)
{
	/* without the second a signal would make a call start again that was carried out already */
	int listener = install(SECCOMP_RET_USER_NOTIF,
			       SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, why);
	if (listener == -EINVAL)
		return wrong(why, "the kernel lacks SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (Linux 5.19)");
	if (listener < 0)
		return listener;
	pid_t child = start(use_descriptor, -1);
	if (child < 0)
		return errno = -child, failed(why, "fork");
	return done(try_answer(child, listener, why));
}
