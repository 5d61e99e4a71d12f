/* SPDX-License-Identifier: MIT */
/*
 * outside.c - other processes: the guard itself, and the host, a process of the same user that has nothing to do
 * with the run. Both have the token in their environment.
 */
#include <elf.h>
#include <dirent.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <mqueue.h>
#include <termios.h>

#include "trials.h"

static char *proc(pid_t pid, const char *name)
{
	char directory[64];
	snprintf(directory, sizeof(directory), "/proc/%d", pid);
	return at(directory, name);
}

/* Where a process's environment lies: field 50 of its stat. */
static void *environment_of(pid_t pid)
{
	char text[2048] = "", *field = text;
	unsigned long address = 0;
	int fd = open(proc(pid, "stat"), O_RDONLY);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		return NULL;
	field = strrchr(text, ')');
	for (int i = 2; field != NULL && i < 50; i++)
		field = strchr(field + 1, ' ');
	if (field != NULL)
		address = strtoul(field, NULL, 10);
	return (void *)address;
}

static void print_bytes(const char *bytes, long length)
{
	for (long i = 0; i < length; i++)
		putchar(bytes[i] ? bytes[i] : '\n');
}

#define EVERYBODY(...)                                            \
	do {                                                      \
		pid_t others[] = {guard(), getppid(), here.host}; \
		for (int i_ = 0; i_ < 3; i_++) {                  \
			pid_t pid = others[i_];                   \
			__VA_ARGS__;                              \
		}                                                 \
	} while (0)

TRIAL(other_environment, LEAK, 0, "/proc/PID/environ")
{
	EVERYBODY(spill_path(proc(pid, "environ")));
}
TRIAL(other_command, REACH, 0, "/proc/PID/cmdline, maps, stat: who they are")
{
	EVERYBODY(if (open(proc(pid, "maps"), O_RDONLY) >= 0 || open(proc(pid, "stat"), O_RDONLY) >= 0) reach());
}
TRIAL(other_root, LEAK, 0, "/proc/PID/root")
{
	EVERYBODY(spill_path(at(proc(pid, "root"), here.secret)));
}
TRIAL(other_cwd, LEAK, 0, "/proc/PID/cwd")
{
	EVERYBODY(spill_path(proc(pid, "cwd/vault/secret")); spill_path(proc(pid, "cwd/../vault/secret")));
}
TRIAL(other_task, LEAK, 0, "/proc/PID/task/PID/root")
{
	char name[64];
	EVERYBODY(snprintf(name, sizeof(name), "task/%d/root", pid); spill_path(at(proc(pid, name), here.secret)));
}
TRIAL(other_descriptors, LEAK, 0, "/proc/PID/fd")
{
	char name[64];
	EVERYBODY(for (int i = 3; i < 40; i++) snprintf(name, sizeof(name), "fd/%d", i),
		  spill(open(proc(pid, name), O_RDONLY | O_NONBLOCK)));
}
TRIAL(other_memory, LEAK, 0, "/proc/PID/mem")
{
	char text[8192];
	EVERYBODY(int fd = open(proc(pid, "mem"), O_RDONLY);
		  print_bytes(text, pread(fd, text, sizeof(text), (off_t)(intptr_t)environment_of(pid))));
}
TRIAL(other_memory_write, REACH, 0, "/proc/PID/mem, to write")
{
	EVERYBODY(if (open(proc(pid, "mem"), O_RDWR) >= 0) reach());
}
TRIAL(other_process_read, LEAK, 0, "process_vm_readv")
{
	static char text[4096];
	struct iovec local = {text, 1};
	EVERYBODY(struct iovec remote = {environment_of(pid), 1};
		  for (unsigned i = 0; i < sizeof(text) && process_vm_readv(pid, &local, 1, &remote, 1, 0) == 1; i++) {
			  local.iov_base = text + i + 1;
			  remote.iov_base = (char *)remote.iov_base + 1;
		  } print_bytes(text, sizeof(text)));
}
TRIAL(other_process_write, REACH, 0, "process_vm_writev: not even told that the address is wrong")
{
	char byte = 0;
	struct iovec local = {&byte, 1}, remote = {(void *)8, 1};
	EVERYBODY(if (process_vm_writev(pid, &local, 1, &remote, 1, 0) < 0 && errno == EFAULT) reach());
}
TRIAL(other_ptrace, REACH, 0, "ptrace of somebody")
{
	EVERYBODY(if (ptrace(PTRACE_SEIZE, pid, 0, 0) == 0) reach());
}
TRIAL(other_attach, REACH, 0, "ptrace of somebody, the old way")
{
	if (ptrace(PTRACE_ATTACH, here.host, 0, 0) == 0) {
		reach();
		waitpid(here.host, NULL, __WALL);
		ptrace(PTRACE_DETACH, here.host, 0, 0);
	}
}
TRIAL(other_pidfd_descriptor, LEAK, MAYBE, "pidfd_getfd: their descriptors")
{
	EVERYBODY(int handle = (int)raw(SYS_pidfd_open, pid, 0); for (int i = 3; i < 40; i++) {
		int fd = (int)raw(438, handle, i, 0);
		if (fd >= 0) {
			lseek(fd, 0, SEEK_SET);
			fcntl(fd, F_SETFL, O_NONBLOCK);
			spill(fd);
			spill(openat(fd, "secret", O_RDONLY));
		}
	});
}
TRIAL(other_pidfd, REACH, 0, "pidfd_open of somebody")
{
	EVERYBODY(if (raw(SYS_pidfd_open, pid, 0) >= 0) reach());
}
TRIAL(other_pidfd_proc, REACH, 0, "/proc/PID opened as a pidfd, to signal by")
{
	EVERYBODY(int fd = open(proc(pid, ""), O_RDONLY | O_DIRECTORY);
		  if (raw(SYS_pidfd_send_signal, fd, 0, 0, 0) == 0) reach());
}
TRIAL(other_signal, REACH, 0, "kill with no signal: they are there")
{
	EVERYBODY(if (kill(pid, 0) == 0) reach());
}
TRIAL(other_signal_group, REACH, 0, "kill of the guard's process group")
{
	pid_t group = getpgid(getppid());
	if (group > 0 && group != getpgrp() && kill(-group, 0) == 0)
		reach();
	if (kill(-here.host, 0) == 0 || kill(here.host, SIGCONT) == 0)
		reach();
}
TRIAL(other_signal_thread, REACH, 0, "tgkill, tkill, rt_sigqueueinfo")
{
	siginfo_t info = {.si_code = SI_QUEUE};
	EVERYBODY(if (raw(SYS_tgkill, pid, pid, 0) == 0 || raw(SYS_tkill, pid, 0) == 0 ||
		      raw(SYS_rt_sigqueueinfo, pid, 0, &info) == 0 ||
		      raw(SYS_rt_tgsigqueueinfo, pid, pid, 0, &info) == 0) reach());
}
TRIAL(other_signal_owner, REACH, 0, "a descriptor whose owner is somebody else, who gets its signal")
{
	int ends[2];
	if (pipe(ends) == 0 && fcntl(ends[0], F_SETOWN, here.host) == 0)
		reach();
}
TRIAL(other_signal_owner_ioctl, REACH, 0, "the same by ioctl and by F_SETOWN_EX")
{
	int pair[2];
	struct f_owner_ex owner = {F_OWNER_PID, here.host};
	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	if (fcntl(pair[0], F_SETOWN_EX, &owner) == 0 || ioctl(pair[1], FIOSETOWN, &here.host) == 0 ||
	    ioctl(pair[1], SIOCSPGRP, &here.host) == 0)
		reach();
}
TRIAL(other_limits, REACH, 0, "prlimit of somebody")
{
	struct rlimit limit;
	EVERYBODY(if (prlimit(pid, RLIMIT_NOFILE, NULL, &limit) == 0 && prlimit(pid, RLIMIT_CORE, &limit, NULL) >= -1)
			  reach());
}
TRIAL(other_priority, REACH, 0, "setpriority of somebody")
{
	EVERYBODY(if (setpriority(PRIO_PROCESS, (id_t)pid, 1) == 0) reach());
}
TRIAL(other_disk_priority, REACH, 0, "ioprio_set of somebody")
{
	EVERYBODY(if (syscall(SYS_ioprio_set, 1, pid, 2 << 13 | 5) == 0) reach());
}
TRIAL(other_compared, REACH, MAYBE, "kcmp: what two others have in common")
{
	EVERYBODY(if (syscall(SYS_kcmp, pid, pid, 0, 0, 0) == 0) reach());
}
TRIAL(other_locks, REACH, MAYBE, "get_robust_list: where the locks of somebody lie")
{
	void *list;
	size_t length;
	EVERYBODY(if (syscall(SYS_get_robust_list, pid, &list, &length) == 0) reach());
}
TRIAL(other_scheduling, REACH, 0, "sched_setaffinity of somebody")
{
	cpu_set_t set;
	EVERYBODY(sched_getaffinity(0, sizeof(set), &set); if (sched_setaffinity(pid, sizeof(set), &set) == 0) reach());
}
TRIAL(other_listing, REACH, 0, "the list of all processes, with what they run")
{
	char name[PATH_MAX];
	DIR *all = opendir("/proc");
	struct dirent *entry;
	while (all != NULL && (entry = readdir(all)) != NULL)
		if (atoi(entry->d_name) > 0 && atoi(entry->d_name) != getpid() &&
		    readlink(proc(atoi(entry->d_name), "exe"), name, sizeof(name)) > 0)
			reach();
}
static void kill_then_read(int signal)
{
	/* A child survives the parent, which may be what the guard waits for. */
	pid_t target = guard();
	pid_t child = fork();
	if (child == 0) {
		setsid();
		kill(target, signal);
		raw(SYS_tgkill, target, target, signal);
		kill(getppid(), signal);
		for (int i = 0; i < 50; i++) {
			int fd = open(here.secret, O_RDONLY), copy = open(IN("taken"), O_WRONLY | O_CREAT, 0600);
			char text[256];
			ssize_t length = read(fd, text, sizeof(text));
			if (length > 0 && write(copy, text, (size_t)length) > 0)
				break;
			usleep(5000);
		}
		kill(target, SIGCONT);
		kill(getppid(), SIGCONT);
		_exit(0);
	}
	wait_for(child);
}
TRIAL(guard_kill, LEAK, 0, "the guard killed, the secret read by who is left")
{
	kill_then_read(SIGKILL);
}
TRIAL(guard_stop, LEAK, 0, "the guard stopped, the secret read meanwhile")
{
	kill_then_read(SIGSTOP);
}
TRIAL(guard_terminate, LEAK, 0, "the guard asked to end, the secret read by who is left")
{
	kill_then_read(SIGTERM);
}

/* What processes share without being related. */
TRIAL(share_shm, REACH, 0, "System V shared memory made by a stranger")
{
	/* The host has made none: making one that any stranger may attach is the same door. */
	int id = shmget((key_t)getpid(), 4096, IPC_CREAT | 0666);
	if (id >= 0) {
		reach();
		shmctl(id, IPC_RMID, NULL);
	}
}
TRIAL(share_messages, REACH, 0, "a System V message queue")
{
	int id = msgget((key_t)getpid(), IPC_CREAT | 0666);
	if (id >= 0) {
		reach();
		msgctl(id, IPC_RMID, NULL);
	}
}
TRIAL(share_posix_messages, REACH, MAYBE, "a POSIX message queue")
{
	if (mq_open("/trials", O_RDWR | O_CREAT, 0666, NULL) != (mqd_t)-1) {
		reach();
		mq_unlink("/trials");
	}
}
TRIAL(share_keys, REACH, MAYBE, "the user's keyring")
{
	if (raw(SYS_add_key, "user", "trials", "x", 1, -3) >= 0 || raw(SYS_keyctl, 0, -4, 0) >= 0)
		reach();
}
TRIAL(terminal_type, LEAK, TERMINAL | MAYBE, "typing into the terminal of the caller")
{
	/* The driver reads what is left on the terminal and prints it. */
	char line[PATH_MAX];
	snprintf(line, sizeof(line), "%s\n", "TYPED");
	for (char *letter = line; *letter != 0; letter++)
		ioctl(0, TIOCSTI, letter);
}
TRIAL(terminal_paste, REACH, TERMINAL | MAYBE, "pasting into a console")
{
	char function = 3;
	if (ioctl(0, TIOCLINUX, &function) == 0)
		reach();
}
