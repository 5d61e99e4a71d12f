/* SPDX-License-Identifier: MIT */
/* kernel.c - doors of the kernel: namespaces, mounts, filters, io_uring, capabilities, rarely used calls. */
#include <linux/bpf.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/io_uring.h>
#include <linux/openat2.h>
#include <linux/perf_event.h>
#include <linux/seccomp.h>
#include <linux/userfaultfd.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>

#include "trials.h"

static void read_it(void)
{
	spill((int)raw(SYS_open, here.secret, O_RDONLY));
}

/* ---- namespaces and mounts: the secret under an allowed name ---- */

TRIAL(mount_bind, LEAK, AS_ROOT, "a mount of the vault inside")
{
	mkdir("here", 0755);
	if (unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	    mount(here.vault, "here", NULL, MS_BIND, NULL) == 0)
		spill_path("here/secret");
}
TRIAL(mount_bind_user, LEAK, MAYBE, "the same in a user namespace")
{
	mkdir("here", 0755);
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 && mount(here.vault, "here", NULL, MS_BIND, NULL) == 0)
		spill_path("here/secret");
}
static int mount_in_clone(void *unused)
{
	(void)unused;
	if (mount(here.vault, "here", NULL, MS_BIND, NULL) == 0)
		spill_path("here/secret");
	return 0;
}
TRIAL(mount_clone, LEAK, MAYBE, "the same with clone")
{
	static char stack[1 << 16];
	mkdir("here", 0755);
	wait_for(clone(mount_in_clone, stack + sizeof(stack), CLONE_NEWUSER | CLONE_NEWNS | SIGCHLD, NULL));
}
TRIAL(mount_clone3, LEAK, MAYBE, "the same with clone3")
{
	uint64_t arguments[8] = {CLONE_NEWUSER | CLONE_NEWNS, 0, 0, 0, SIGCHLD};
	mkdir("here", 0755);
	long child = raw(SYS_clone3, arguments, sizeof(arguments));
	if (child == 0) {
		mount_in_clone(NULL);
		_exit(0);
	}
	wait_for((pid_t)child);
}
TRIAL(mount_detached, LEAK, AS_ROOT | MAYBE, "a detached copy of a mount, whose names begin elsewhere")
{
	int tree = (int)raw(SYS_open_tree, AT_FDCWD, here.vault, 1 /* OPEN_TREE_CLONE */);
	spill(openat(tree, "secret", O_RDONLY));
}
TRIAL(mount_new, CHANGE, AS_ROOT, "a file system of its own over the vault")
{
	/* In this mount namespace: the driver has made one for all trials. */
	mount("none", OUT("empty"), "tmpfs", 0, NULL);
}
TRIAL(mount_unmount, REACH, AS_ROOT, "umount is not even tried")
{
	if (umount2(here.vault, 0) < 0 && errno == EINVAL)
		reach();
}
TRIAL(mount_pivot, LEAK, AS_ROOT | MAYBE, "pivot_root to the vault")
{
	if (unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	    mount(here.vault, here.vault, NULL, MS_BIND, NULL) == 0 && chdir(here.vault) == 0 &&
	    syscall(SYS_pivot_root, ".", ".") == 0)
		spill_path("/usr/page");
}
TRIAL(namespace_join, LEAK, AS_ROOT | MAYBE, "setns into the guard's mount namespace, then its root")
{
	int handle = (int)raw(SYS_pidfd_open, guard(), 0);
	if (setns(handle, CLONE_NEWNS) == 0)
		read_it();
}
TRIAL(namespace_each, REACH, MAYBE, "unshare of each kind of namespace")
{
	static const int kinds[] = {CLONE_NEWUSER, CLONE_NEWNS,	 CLONE_NEWPID,	  CLONE_NEWNET,
				    CLONE_NEWIPC,  CLONE_NEWUTS, CLONE_NEWCGROUP, 0x80 /* time */};
	for (unsigned i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (unshare(kinds[i]) == 0)
			reach();
}

/* ---- filters and tracing ---- */

static int filter(struct sock_filter *program, unsigned short length, unsigned flags)
{
	struct sock_fprog whole = {length, program};
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return (int)raw(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &whole);
}
TRIAL(filter_allow, LEAK, 0, "a filter of its own that allows everything")
{
	struct sock_filter program[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
	filter(program, 1, 0);
	read_it();
}
TRIAL(filter_trace_data, LEAK, 0, "a filter of its own that asks the tracer with a number of its own")
{
	struct sock_filter program[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
					BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 1),
					BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE | 39),
					BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
	/* Bare there is no tracer, and the call fails: so the control reads by another call. */
	filter(program, 4, 0);
	spill(openat(AT_FDCWD, here.secret, O_RDONLY));
	read_it();
}
TRIAL(filter_listener, LEAK, MAYBE, "a listener of its own that lets calls continue")
{
	struct sock_filter program[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
					BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 1),
					BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
					BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
	int listener = filter(program, 4, SECCOMP_FILTER_FLAG_NEW_LISTENER);
	if (listener < 0)
		return;
	pid_t child = fork();
	if (child == 0) {
		spill((int)raw(SYS_openat, AT_FDCWD, here.secret, O_RDONLY));
		_exit(0);
	}
	struct seccomp_notif notice = {0};
	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &notice) == 0) {
		struct seccomp_notif_resp answer = {.id = notice.id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
		ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
	}
	wait_for(child);
}
static void read_on_sigsys(int signal, siginfo_t *info, void *context)
{
	(void)signal, (void)info, (void)context;
	read_it();
}
TRIAL(filter_trap, LEAK, 0, "a filter of its own that traps, the handler reads")
{
	struct sock_filter program[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
					BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
					BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
					BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
	sigaction(SIGSYS, &(struct sigaction){.sa_sigaction = read_on_sigsys, .sa_flags = SA_SIGINFO}, NULL);
	filter(program, 4, 0);
	raw(SYS_getppid);
}
TRIAL(filter_sigsys_ignored, LEAK, 0, "SIGSYS blocked and ignored before")
{
	sigset_t all;
	sigfillset(&all);
	signal(SIGSYS, SIG_IGN);
	sigprocmask(SIG_BLOCK, &all, NULL);
	read_it();
}
TRIAL(filter_dispatch, LEAK, MAYBE, "the kernel's own dispatch of system calls to a handler")
{
	static char gate = 0;
	prctl(59 /* PR_SET_SYSCALL_USER_DISPATCH */, 1, 0, 0, &gate);
	read_it();
}
TRIAL(trace_suspend, LEAK, AS_ROOT | MAYBE, "a child whose filters are suspended by its tracer")
{
	pid_t child = fork();
	if (child == 0) {
		raise(SIGSTOP);
		read_it();
		_exit(0);
	}
	waitpid(child, NULL, WUNTRACED);
	if (ptrace(PTRACE_SEIZE, child, 0, 1 << 21 /* PTRACE_O_SUSPEND_SECCOMP */) != 0 && errno != EPERM)
		ptrace(PTRACE_SEIZE, child, 0, 0);
	kill(child, SIGCONT);
	ptrace(PTRACE_DETACH, child, 0, 0);
	wait_for(child);
}
TRIAL(trace_me, LEAK, 0, "a child traced by its parent, not by the guard")
{
	int status;
	pid_t child = fork();
	if (child == 0) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		read_it();
		_exit(0);
	}
	while (waitpid(child, &status, 0) == child && WIFSTOPPED(status))
		ptrace(PTRACE_CONT, child, 0, 0);
}
TRIAL(trace_not_dumpable, LEAK, 0, "a process that may not be looked into")
{
	prctl(PR_SET_DUMPABLE, 0);
	read_it();
}
TRIAL(trace_any, LEAK, 0, "a process that lets anybody trace it")
{
	prctl(PR_SET_PTRACER, -1L, 0, 0, 0);
	read_it();
}

/* ---- io_uring: calls that are not calls ---- */

static struct {
	int fd;
	unsigned *sq_head, *sq_tail, *sq_mask, *sq_array, *cq_head, *cq_tail, *cq_mask, *flags;
	struct io_uring_sqe *entries;
	struct io_uring_cqe *results;
} ring;

static bool ring_open(unsigned flags)
{
	struct io_uring_params p = {.flags = flags, .sq_thread_idle = 1000};
	ring.fd = (int)raw(SYS_io_uring_setup, 8, &p);
	if (ring.fd < 0)
		return false;
	char *sq = mmap(NULL, p.sq_off.array + p.sq_entries * 4, PROT_READ | PROT_WRITE, MAP_SHARED, ring.fd,
			IORING_OFF_SQ_RING);
	char *cq = mmap(NULL, p.cq_off.cqes + p.cq_entries * sizeof(*ring.results), PROT_READ | PROT_WRITE, MAP_SHARED,
			ring.fd, IORING_OFF_CQ_RING);
	ring.entries = mmap(NULL, p.sq_entries * sizeof(*ring.entries), PROT_READ | PROT_WRITE, MAP_SHARED, ring.fd,
			    IORING_OFF_SQES);
	ring.sq_tail = (unsigned *)(sq + p.sq_off.tail), ring.sq_mask = (unsigned *)(sq + p.sq_off.ring_mask);
	ring.sq_array = (unsigned *)(sq + p.sq_off.array), ring.flags = (unsigned *)(sq + p.sq_off.flags);
	ring.cq_head = (unsigned *)(cq + p.cq_off.head), ring.cq_tail = (unsigned *)(cq + p.cq_off.tail);
	ring.cq_mask = (unsigned *)(cq + p.cq_off.ring_mask),
	ring.results = (struct io_uring_cqe *)(cq + p.cq_off.cqes);
	return true;
}

static int ring_do(struct io_uring_sqe entry, bool by_itself)
{
	unsigned tail = *ring.sq_tail, slot = tail & *ring.sq_mask;
	ring.entries[slot] = entry;
	ring.sq_array[slot] = slot;
	__atomic_store_n(ring.sq_tail, tail + 1, __ATOMIC_RELEASE);
	if (!by_itself)
		raw(SYS_io_uring_enter, ring.fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0);
	double end = seconds() + 2;
	while (*ring.cq_head == __atomic_load_n(ring.cq_tail, __ATOMIC_ACQUIRE))
		if (seconds() > end)
			return -1;
	int result = ring.results[*ring.cq_head & *ring.cq_mask].res;
	__atomic_store_n(ring.cq_head, *ring.cq_head + 1, __ATOMIC_RELEASE);
	return result;
}
#define ADDRESS(pointer) ((uint64_t)(uintptr_t)(pointer))

TRIAL(ring_open_read, LEAK, MAYBE, "io_uring: open")
{
	if (ring_open(0))
		spill(ring_do(
			(struct io_uring_sqe){.opcode = IORING_OP_OPENAT, .fd = AT_FDCWD, .addr = ADDRESS(here.secret)},
			false));
}
TRIAL(ring_open_by_itself, LEAK, MAYBE, "io_uring: open by the kernel's thread, without a system call")
{
	if (ring_open(IORING_SETUP_SQPOLL))
		spill(ring_do(
			(struct io_uring_sqe){.opcode = IORING_OP_OPENAT, .fd = AT_FDCWD, .addr = ADDRESS(here.secret)},
			true));
}
TRIAL(ring_create, CHANGE, MAYBE, "io_uring: create")
{
	if (ring_open(0))
		ring_do((struct io_uring_sqe){.opcode = IORING_OP_OPENAT,
					      .fd = AT_FDCWD,
					      .addr = ADDRESS(OUT("new")),
					      .len = 0644,
					      .open_flags = O_WRONLY | O_CREAT},
			false);
}
TRIAL(ring_unlink, CHANGE, MAYBE, "io_uring: unlink")
{
	if (ring_open(0))
		ring_do((struct io_uring_sqe){.opcode = IORING_OP_UNLINKAT,
					      .fd = AT_FDCWD,
					      .addr = ADDRESS(here.victim)},
			false);
}
TRIAL(ring_rename, CHANGE, MAYBE, "io_uring: rename")
{
	if (ring_open(0))
		ring_do((struct io_uring_sqe){.opcode = IORING_OP_RENAMEAT,
					      .fd = AT_FDCWD,
					      .addr = ADDRESS(here.victim),
					      .len = (unsigned)AT_FDCWD,
					      .addr2 = ADDRESS("taken")},
			false);
}
TRIAL(ring_connect, CONTACT, MAYBE, "io_uring: connect")
{
	struct {
		uint16_t family, port;
		uint8_t address[4];
		char zero[8];
	} to = {AF_INET, (uint16_t)(here.port << 8 | (here.port >> 8 & 0xff)), {127, 0, 0, 1}, {0}};
	if (ring_open(0))
		ring_do((struct io_uring_sqe){.opcode = IORING_OP_CONNECT,
					      .fd = socket(AF_INET, SOCK_STREAM, 0),
					      .addr = ADDRESS(&to),
					      .off = sizeof(to)},
			false);
}

/* ---- rights, and calls that few programs use ---- */

TRIAL(rights_nobody, LEAK, AS_ROOT, "becoming nobody first")
{
	if (setresgid(65534, 65534, 65534) == 0 && setresuid(65534, 65534, 65534) == 0)
		read_it();
}
TRIAL(rights_personality, LEAK, 0, "another personality")
{
	personality(PER_LINUX32 | ADDR_NO_RANDOMIZE | READ_IMPLIES_EXEC);
	read_it();
}
TRIAL(rights_limit, LEAK, 0, "no descriptors left, then a duplicate closed")
{
	struct rlimit few = {16, 16};
	setrlimit(RLIMIT_NOFILE, &few);
	int last = -1;
	for (int fd; (fd = dup(1)) >= 0;)
		last = fd;
	read_it();
	close(last);
	read_it();
}
TRIAL(rights_stack, LEAK, 0, "the least limits there are")
{
	struct rlimit none = {0, 0};
	setrlimit(RLIMIT_NPROC, &none);
	setrlimit(RLIMIT_CORE, &none);
	setrlimit(RLIMIT_MEMLOCK, &none);
	setrlimit(RLIMIT_SIGPENDING, &none);
	setrlimit(RLIMIT_STACK, &none);
	read_it();
}
TRIAL(rights_device, LEAK, AS_ROOT | MAYBE, "a device of its own: the machine's memory or disk")
{
	/* null would prove nothing; 1:9 is urandom: that it can be made is the door. */
	if (mknod("device", S_IFCHR | 0600, 1 << 8 | 9) == 0 && open("device", O_RDONLY) >= 0)
		spill(open(here.secret, O_RDONLY));
}
TRIAL(rights_module, REACH, AS_ROOT | MAYBE, "kernel modules are not even tried")
{
	if (raw(SYS_init_module, "", 0, "") != -EPERM && raw(SYS_delete_module, "no-such-module", 0) == -ENOENT)
		reach();
}
TRIAL(rights_clock, REACH, AS_ROOT, "setting the clock")
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	if (clock_settime(CLOCK_REALTIME, &now) == 0)
		reach();
}
TRIAL(rights_host_name, REACH, AS_ROOT, "setting the machine's name")
{
	char name[256];
	if (gethostname(name, sizeof(name)) == 0 && sethostname(name, strlen(name)) == 0)
		reach();
}
TRIAL(rights_swap, REACH, AS_ROOT, "swap, quotas, accounting are not even tried")
{
	long answers[] = {raw(SYS_swapoff, "/nonexistent"), raw(SYS_acct, "/nonexistent"),
			  raw(SYS_quotactl, 0, "/nonexistent", 0, 0)};
	for (unsigned i = 0; i < 3; i++)
		if (answers[i] == -ENOENT)
			reach();
}
TRIAL(rare_bpf, REACH, AS_ROOT | MAYBE, "bpf")
{
	union bpf_attr attributes = {.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1};
	if (raw(SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof(attributes)) >= 0)
		reach();
}
TRIAL(rare_perf, REACH, MAYBE, "perf events")
{
	struct perf_event_attr attributes = {
		.type = PERF_TYPE_SOFTWARE, .size = sizeof(attributes), .exclude_kernel = 1};
	if (raw(SYS_perf_event_open, &attributes, 0, -1, -1, 0) >= 0)
		reach();
}
TRIAL(rare_userfault, REACH, MAYBE, "userfaultfd")
{
	if (raw(SYS_userfaultfd, 0) >= 0 || raw(SYS_userfaultfd, UFFD_USER_MODE_ONLY) >= 0)
		reach();
}
TRIAL(rare_fanotify, REACH, MAYBE, "fanotify")
{
	if (raw(SYS_fanotify_init, 0x200 /* FAN_REPORT_FID */, O_RDONLY) >= 0)
		reach();
}
