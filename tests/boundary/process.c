/* SPDX-License-Identifier: MIT */
/* process.c - attempts to reach a process outside the run: the one that neighbour.c makes. */
#include "attempt.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

static pid_t stranger(void)
{
	const char *number = getenv("STRANGER");

	return number ? atoi(number) : 1;
}

static int signal_stranger(void)
{
	return kill(stranger(), SIGURG) == 0 ? WORKED : REFUSED;
}

static int signal_group(void)
{
	return kill(-stranger(), SIGURG) == 0 ? WORKED : REFUSED;
}

/* Who is in the group is one of us then; but not all of it. */
static int join_group(void)
{
	signal(SIGURG, SIG_IGN);
	return setpgid(0, stranger()) == 0 && kill(0, SIGURG) == 0 && kill(-stranger(), SIGURG) == 0 ? WORKED : REFUSED;
}

static int child_joins_group(void)
{
	int gate[2], r;

	NEED(pipe(gate));
	pid_t child = fork();
	NEED(child);
	if (child == 0) {
		char c;
		_exit((int)read(gate[0], &c, 1));
	}
	r = setpgid(child, stranger()) == 0 && kill(-stranger(), SIGURG) == 0 ? WORKED : REFUSED;
	kill(child, SIGKILL);
	return r;
}

static int renice_stranger(void)
{
	return setpriority(PRIO_PROCESS, (id_t)stranger(), 3) == 0 ? WORKED : REFUSED;
}

static int limit_stranger(void)
{
	struct rlimit none = { 64, 64 };

	return prlimit(stranger(), RLIMIT_SIGPENDING, &none, NULL) == 0 ? WORKED : REFUSED;
}

static int pin_stranger(void)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	return sched_setaffinity(stranger(), sizeof cpus, &cpus) == 0 ? WORKED : REFUSED;
}

static int idle_stranger(void)
{
	struct sched_param none = { 0 };

	return sched_setscheduler(stranger(), SCHED_BATCH, &none) == 0 ? WORKED : REFUSED;
}

static int io_idle_stranger(void)
{
	return syscall(SYS_ioprio_set, 1, stranger(), 3 << 13) == 0 ? WORKED : REFUSED;
}

static int pidfd_of_stranger(void)
{
	int fd = (int)syscall(SYS_pidfd_open, stranger(), 0);

	return fd >= 0 && syscall(SYS_pidfd_send_signal, fd, SIGURG, NULL, 0) == 0 ? WORKED : REFUSED;
}

static int directory_for_pidfd(void)
{
	char name[64];

	snprintf(name, sizeof name, "/proc/%d", (int)stranger());
	int fd = open(name, O_RDONLY | O_DIRECTORY);
	return fd >= 0 && syscall(SYS_pidfd_send_signal, fd, SIGURG, NULL, 0) == 0 ? WORKED : REFUSED;
}

static int entry_of_stranger(const char *format, int flags)
{
	char name[4096 + 64], here[4096];

	NEED(getcwd(here, sizeof here) ? 0 : -1);
	snprintf(name, sizeof name, format, (int)stranger(), here);
	return open(name, flags);
}

static int memory_of_stranger(void)
{
	return entry_of_stranger("/proc/%d/mem", O_RDWR) >= 0 ? WORKED : REFUSED;
}

static int oom_of_stranger(void)
{
	int fd = entry_of_stranger("/proc/%d/oom_score_adj", O_WRONLY);

	return fd >= 0 && write(fd, "300", 3) == 3 ? WORKED : REFUSED;
}

static int by_root_of_stranger(void)
{
	return holds_secret(entry_of_stranger("/proc/%d/root%s/../shut/secret", O_RDONLY));
}

static int by_directory_of_stranger(void)
{
	return holds_secret(entry_of_stranger("/proc/%d/cwd/../shut/secret", O_RDONLY));
}

static int by_thread_of_stranger(void)
{
	char name[64];

	snprintf(name, sizeof name, "/proc/%d/task/%d/root", (int)stranger(), (int)stranger());
	return open(name, O_PATH | O_DIRECTORY) >= 0 ? WORKED : REFUSED;
}

/* Where it has its files and directories, by every way to ask. */
static int links_of_stranger(void)
{
	static const char *const links[] = { "exe", "cwd", "root", "fd/0", "ns/net", "task/%d/cwd" };
	char name[128], tail[64], target[4096];

	for (size_t i = 0; i < sizeof links / sizeof links[0]; i++) {
		snprintf(tail, sizeof tail, links[i], (int)stranger());
		snprintf(name, sizeof name, "/proc/%d/%s", (int)stranger(), tail);
		if (readlink(name, target, sizeof target) >= 0)
			return WORKED;
		int link = open(name, O_PATH | O_NOFOLLOW);
		if (link >= 0 && readlinkat(link, "", target, sizeof target) >= 0)
			return WORKED;
		snprintf(name, sizeof name, "/proc/%d", (int)stranger());
		int directory = open(name, O_PATH);
		if (directory >= 0 && readlinkat(directory, tail, target, sizeof target) >= 0)
			return WORKED;
		if (chdir(name) == 0 && readlink(tail, target, sizeof target) >= 0)
			return WORKED;
	}
	return REFUSED;
}

/* As ps, ls and everybody uses them: what there is, and where its own lead. */
static int entries_stay_visible(void)
{
	char name[64], target[4096];
	struct stat st;

	snprintf(name, sizeof name, "/proc/%d", (int)stranger());
	if (stat(name, &st) < 0 || st.st_uid != geteuid())
		return REFUSED;
	pid_t child = fork();
	NEED(child);
	if (child == 0) {
		pause();
		_exit(0);
	}
	snprintf(name, sizeof name, "/proc/%d/cwd", (int)child);
	bool told = readlink(name, target, sizeof target) > 0 && readlink("/proc/self/exe", target, sizeof target) > 0 &&
		    readlink("/proc/self", target, sizeof target) > 0 && readlink("/proc/self/fd/0", target, sizeof target) > 0;
	kill(child, SIGKILL);
	return told ? WORKED : REFUSED;
}

static int owner_of_descriptor(void)
{
	int ends[2];
	struct f_owner_ex owner = { F_OWNER_PID, stranger() };
	int pid = stranger();

	NEED(pipe(ends));
	return fcntl(ends[0], F_SETOWN, stranger()) == 0 || fcntl(ends[0], F_SETOWN, -stranger()) == 0 ||
			       fcntl(ends[0], F_SETOWN_EX, &owner) == 0 || ioctl(0, 0x8901 /* FIOSETOWN */, &pid) == 0 ?
		       WORKED :
		       REFUSED;
}

/* The kernel gives a pidfd of whoever made the other end of a socket. A thread puts it in the place of one of our own child.
 * Whether the neighbour heard of it, it says itself. */
static int slot, of_child, of_stranger;

static void *swap(void *unused)
{
	(void)unused;
	for (;;) {
		dup2(of_stranger, slot);
		dup2(of_child, slot);
	}
	return NULL;
}

static int swapped_pidfd(void)
{
	socklen_t size = sizeof of_stranger;
	pthread_t t;

	if (getsockopt(0, SOL_SOCKET, SO_PEERPIDFD, &of_stranger, &size) < 0)
		return REFUSED;
	pid_t child = fork();
	NEED(child);
	if (child == 0) {
		signal(SIGWINCH, SIG_IGN);
		for (;;)
			pause();
	}
	NEED(of_child = (int)syscall(SYS_pidfd_open, child, 0));
	NEED(slot = dup(of_child));
	NEED(pthread_create(&t, NULL, swap, NULL) ? -1 : 0);
	for (double end = seconds() + RACE_SECONDS; seconds() < end;)
		syscall(SYS_pidfd_send_signal, slot, SIGWINCH, NULL, 0);
	kill(child, SIGKILL);
	return WORKED;	/* the stranger knows more */
}

static void ignore(int signal)
{
	(void)signal;
}

/*
 * A filter of our own makes semget return what it returned before it was made: its number. If the guard takes that for the
 * identifier of a set that we have made, the set with that identifier is ours, whoever has made it. There need not be
 * one: then the kernel says so itself (EINVAL).
 */
static int forged_identifier(void)
{
	struct sock_filter code[] = {
		{ BPF_LD | BPF_W | BPF_ABS, 0, 0, 0 },
		{ BPF_JMP | BPF_JEQ | BPF_K, 0, 1, SYS_semget },
		{ BPF_RET | BPF_K, 0, 0, SECCOMP_RET_TRAP },
		{ BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW },
	};
	struct sock_fprog filter = { sizeof code / sizeof code[0], code };

	signal(SIGSYS, ignore);
	NEED(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	NEED(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter));
	syscall(SYS_semget, IPC_PRIVATE, 1, 0600);
	return semctl(SYS_semget, 0, GETVAL) >= 0 || errno == EINVAL ? WORKED : REFUSED;
}

/* Objects of our own are ours as ever. */
static int own_identifiers(void)
{
	int set = semget(IPC_PRIVATE, 1, 0600), memory = shmget(IPC_PRIVATE, 4096, 0600), queue = msgget(IPC_PRIVATE, 0600);
	struct shmid_ds about;
	char *at = shmat(memory, NULL, 0);
	bool works = set >= 0 && semctl(set, 0, SETVAL, 3) == 0 && semctl(set, 0, GETVAL) == 3 && at != (void *)-1 &&
		     shmctl(memory, IPC_STAT, &about) == 0 && about.shm_perm.uid == geteuid() && queue >= 0;

	if (works)
		strcpy(at, "written");
	semctl(set, 0, IPC_RMID);
	shmctl(memory, IPC_RMID, NULL);
	msgctl(queue, IPC_RMID, NULL);
	return works ? WORKED : REFUSED;
}

/* Memory that was removed can be attached by its number until nobody has it; then there is no such number, as of any other. */
static int removed_identifiers(void)
{
	int memory = shmget(IPC_PRIVATE, 4096, 0600), set = semget(IPC_PRIVATE, 1, 0600);
	char *at = shmat(memory, NULL, 0), *again;
	bool works = at != (void *)-1 && shmctl(memory, IPC_RMID, NULL) == 0 && (again = shmat(memory, NULL, 0)) != (void *)-1;

	if (works)
		strcpy(at, "written");
	works = works && strcmp(again, "written") == 0 && shmdt(at) == 0 && shmdt(again) == 0;
	works = works && shmat(memory, NULL, 0) == (void *)-1 && (errno == EINVAL || errno == EIDRM);
	works = works && semctl(set, 0, IPC_RMID) == 0 && semctl(set, 0, IPC_RMID) < 0 && (errno == EINVAL || errno == EIDRM);
	return works ? WORKED : REFUSED;
}

/* At a limit of 0, but not of 1, a crash has the kernel start what core_pattern names, outside (core(5)). */
static int core_helper(void)
{
	struct rlimit none = { 0, 0 }, before = { 7, 7 }, now = { 7, 7 };
	pid_t child = fork();

	NEED(child);
	if (child == 0) {
		pause();
		_exit(0);
	}
	NEED(syscall(SYS_prlimit64, child, RLIMIT_CORE, &none, NULL));
	NEED(syscall(SYS_prlimit64, child, RLIMIT_CORE, NULL, &now));
	NEED(kill(child, SIGKILL));
	if (now.rlim_cur == 0)
		return WORKED;
	NEED(syscall(SYS_setrlimit, RLIMIT_CORE, &none));
	NEED(syscall(SYS_prlimit64, 0, RLIMIT_CORE, &none, NULL));
	NEED(syscall(SYS_prlimit64, getpid(), RLIMIT_CORE, &none, &before));
	NEED(setrlimit(RLIMIT_CORE, &none));
	NEED(getrlimit(RLIMIT_CORE, &now));
	return now.rlim_cur == 0 ? WORKED : before.rlim_cur == 7 ? BROKEN : REFUSED;
}

/* ---- who is alone with its memory ----------------------------------------------- */

enum { ALLOWED_PORT = 1001, REFUSED_PORT = 1002, LENT_STACK = 65536 };
static struct sockaddr_in *lent_address;
static char *lent_stack;

static int changes_port(void *unused)
{
	volatile in_port_t *port = &lent_address->sin_port;
	double end = seconds() + RACE_SECONDS + 1;	/* it outlives its maker, unguarded */

	(void)unused;
	while (seconds() < end) {
		*port = htons(REFUSED_PORT);
		for (volatile int i = 0; i < 60; i++)
			;
		*port = htons(ALLOWED_PORT);
		for (volatile int i = 0; i < 120; i++)
			;
	}
	syscall(SYS_exit, 0);
	return 0;
}

/* Leaves a thread behind, and its maker, which slept, goes on: a process of one thread that has no child which shares anything. */
static int leaves_thread(void *unused)
{
	(void)unused;
	NEED(clone(changes_port, lent_stack + LENT_STACK, CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD, NULL));
	syscall(SYS_exit, 0);
	return 0;
}

static int lent_memory_changes(void)
{
	char *stack = mmap(NULL, LENT_STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct sockaddr_in peer;
	socklen_t length = sizeof peer;
	double end = seconds() + RACE_SECONDS;

	lent_stack = mmap(NULL, LENT_STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	lent_address = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	*lent_address = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(ALLOWED_PORT),
					      .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	NEED(clone(leaves_thread, stack + LENT_STACK, CLONE_VM | CLONE_VFORK | SIGCHLD, NULL));
	while (seconds() < end) {
		int fd = socket(AF_INET, SOCK_DGRAM, 0);
		NEED(fd);
		if (connect(fd, (struct sockaddr *)lent_address, sizeof *lent_address) == 0 &&
		    getpeername(fd, (struct sockaddr *)&peer, &length) == 0 && peer.sin_port == htons(REFUSED_PORT))
			_exit(WORKED);
		close(fd);
	}
	_exit(REFUSED);
}

/* ---- a directory that is another one when the kernel reads its name ------------- */

static volatile char directory_name[] = "./hidden";

static void *hides_name(void *unused)
{
	for (;;) {
		directory_name[2] = 0;
		for (volatile int i = 0; i < 200; i++)
			;
		directory_name[2] = 'h';
		for (volatile int i = 0; i < 200; i++)
			;
	}
	return unused;
}

static int followed_chdir(void)
{
	char here[4096];
	char now[4096];
	pthread_t thread;
	double end = seconds() + RACE_SECONDS;

	NEED(getcwd(here, sizeof here) ? 0 : -1);
	NEED(pthread_create(&thread, NULL, hides_name, NULL) == 0 ? 0 : -1);
	while (seconds() < end) {
		if (chdir((const char *)directory_name) == 0 && getcwd(now, sizeof now) && strcmp(here, now) != 0)
			_exit(WORKED);
		NEED(chdir(here));
	}
	_exit(REFUSED);
}

/* ---- filters of one's own ------------------------------------------------------- */

static bool filter_call(long number, uint32_t action)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, action),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof code / sizeof *code, code };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/* Nobody traces the tool: for itself what it wants traced fails, under a guard that traces, too. */
static int own_filter_traces(void)
{
	NEED(filter_call(SYS_getppid, SECCOMP_RET_TRACE) ? 0 : -1);
	return syscall(SYS_getppid) < 0 && errno == ENOSYS ? WORKED : REFUSED;
}

/* And what is refused is refused in front of it: it never sees a call that the tool has not made. */
static int own_filter_kills(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 512, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof code / sizeof *code, code };

	NEED(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	NEED(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program));
	bool opened = open("../shut/secret", O_RDONLY) >= 0;
	return opened == !getenv("GUARDED") ? WORKED : REFUSED;
}

static const struct row rows[] = {
	{ GETS_OUT, "signal_stranger", signal_stranger },
	{ GETS_OUT, "signal_group", signal_group },
	{ GETS_OUT, "join_group", join_group },
	{ GETS_OUT, "child_joins_group", child_joins_group },
	{ GETS_OUT, "renice_stranger", renice_stranger },
	{ GETS_OUT, "limit_stranger", limit_stranger },
	{ GETS_OUT, "pin_stranger", pin_stranger },
	{ GETS_OUT, "idle_stranger", idle_stranger },
	{ GETS_OUT, "io_idle_stranger", io_idle_stranger },
	{ GETS_OUT, "pidfd_of_stranger", pidfd_of_stranger },
	{ GETS_OUT, "directory_for_pidfd", directory_for_pidfd },
	{ GETS_OUT, "memory_of_stranger", memory_of_stranger },
	{ GETS_OUT, "oom_of_stranger", oom_of_stranger },
	{ GETS_OUT, "by_root_of_stranger", by_root_of_stranger },
	{ GETS_OUT, "by_directory_of_stranger", by_directory_of_stranger },
	{ GETS_OUT, "by_thread_of_stranger", by_thread_of_stranger },
	{ GETS_OUT, "links_of_stranger", links_of_stranger },
	{ HAS_TO_WORK, "entries_stay_visible", entries_stay_visible },
	{ GETS_OUT, "owner_of_descriptor", owner_of_descriptor },
	{ IS_HEARD, "swapped_pidfd", swapped_pidfd },
	{ GETS_OUT, "lent_memory_changes", lent_memory_changes },
	{ GETS_OUT, "followed_chdir", followed_chdir },
	{ HAS_TO_WORK, "own_filter_traces", own_filter_traces },
	{ HAS_TO_WORK, "own_filter_kills", own_filter_kills },
	{ GETS_OUT, "core_helper", core_helper },
	{ GETS_OUT, "forged_identifier", forged_identifier },
	{ HAS_TO_WORK, "own_identifiers", own_identifiers },
	{ HAS_TO_WORK, "removed_identifiers", removed_identifiers },
};
MAIN(rows)
