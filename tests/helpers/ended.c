/* SPDX-License-Identifier: MIT */
/*
 * ended.c - children that have ended, and that nobody has waited for yet, are there to their parent, whichever of its threads
 * asks: what /proc shows of them, and what can be done to them. What this prints has to be the same with and without a guard.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHILDREN = 100 };

static const char *outcome(long result)
{
	return result >= 0 ? "works" : strerrorname_np(errno);
}

static pid_t start_ended(bool awaited)
{
	siginfo_t info;
	pid_t child = fork();

	if (child == 0)
		_exit(0);
	if (awaited)
		waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT);
	return child;
}

static void show_entry(pid_t child, const char *entry, int flags)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/%s", (int)child, entry);
	int fd = open(path, flags);
	printf("%s: %s, looked at: %s\n", entry, outcome(fd), outcome(access(path, F_OK)));
	close(fd);
}

static void show_acts(pid_t child)
{
	struct rlimit limit = {100, 100}, before = {0, 0};
	char target[64], path[64];
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	printf("kill: %s, %s, %s\n", outcome(kill(child, 0)), outcome(kill(child, SIGTERM)), outcome(kill(child, 999)));
	printf("tgkill: %s\n", outcome(syscall(SYS_tgkill, child, child, SIGTERM)));
	printf("sigqueue: %s\n", outcome(sigqueue(child, SIGTERM, (union sigval){0})));
	printf("setpriority: %s\n", outcome(setpriority(PRIO_PROCESS, (id_t)child, 7)));
	printf("affinity: %s\n", outcome(sched_setaffinity(child, sizeof set, &set)));
	printf("prlimit: %s, %s, ", outcome(prlimit(child, RLIMIT_NOFILE, &limit, NULL)),
	       outcome(prlimit(child, RLIMIT_CPU, NULL, &before)));
	printf("and it tells: %d\n", before.rlim_cur != 0);
	int fd = (int)syscall(SYS_pidfd_open, child, 0);
	printf("pidfd: %s, %s\n", outcome(fd), outcome(syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0)));
	close(fd);
	printf("owner: %s\n", outcome(fcntl(0, F_SETOWN, child)));
	printf("group: %s, ", outcome(setpgid(child, child)));
	printf("%s, %s\n", outcome(kill(-child, SIGTERM)), outcome(kill(-child, 999)));
	snprintf(path, sizeof path, "/proc/%d/exe", (int)child);
	printf("program: %s\n", outcome(readlink(path, target, sizeof target)));
}

static void *show_children(void *unused)
{
	static const char *const entries[] = {"stat", "status", "cmdline", "task", "fd", "exe", "environ", "nothing"};
	int works = 0;
	pid_t child = start_ended(true);

	(void)unused;
	for (size_t i = 0; i < sizeof entries / sizeof entries[0]; i++)
		show_entry(child, entries[i], O_RDONLY);
	show_acts(child);
	waitpid(child, NULL, 0);
	printf("when it was waited for: %s, %s\n", outcome(kill(child, 0)),
	       outcome(setpriority(PRIO_PROCESS, (id_t)child, 7)));
	show_entry(child, "stat", O_RDONLY);
	for (int i = 0; i < CHILDREN; i++) { /* at whatever moment of its end */
		char path[64];
		child = start_ended(false);
		snprintf(path, sizeof path, "/proc/%d/stat", (int)child);
		int fd = open(path, O_RDONLY);
		works += fd >= 0;
		close(fd);
		waitpid(child, NULL, 0);
	}
	printf("%d of %d\n", works, CHILDREN);
	return NULL;
}

int main(void)
{
	pthread_t thread;

	show_children(NULL);
	if (pthread_create(&thread, NULL, show_children, NULL) != 0)
		abort();
	pthread_join(thread, NULL);
	puts("done");
	return 0;
}
