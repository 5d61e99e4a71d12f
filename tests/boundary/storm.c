/* SPDX-License-Identifier: MIT */
/*
 * storm.c - hostile load, for tests/test_storm.sh.
 *
 *     storm denials PROCESSES THREADS EACH [distinct]    every thread of every process asks EACH times for what it may not have
 *     storm forks|execs|threads|signals COUNT            as fast as it can
 *
 * Exit status 0: each request was refused, and everything that was started ended.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS_MOST = 512 };
static long each;
static bool distinct;

static void *ask(void *number)
{
	char name[64] = "/etc/passwd";

	for (long i = 0; i < each; i++) {
		if (distinct)
			snprintf(name, sizeof name, "none-%ld-%ld", (long)(intptr_t)number, i);
		if (open(name, distinct ? O_CREAT | O_WRONLY : O_RDONLY, 0600) >= 0 || (errno != EACCES && errno != EPERM))
			exit(3);
	}
	return NULL;
}

static int ask_in_threads(int process, int threads)
{
	pthread_t list[THREADS_MOST];

	for (int i = 0; i < threads; i++)
		if (pthread_create(&list[i], NULL, ask, (void *)(intptr_t)(process * THREADS_MOST + i)) != 0)
			return 4;
	for (int i = 0; i < threads; i++)
		pthread_join(list[i], NULL);
	return 0;
}

static int denials(int processes, int threads)
{
	int status, bad = 0;

	for (int i = 0; i < processes; i++) {
		pid_t child = fork();
		if (child < 0)
			return 5;
		if (child == 0)
			exit(ask_in_threads(i, threads));
	}
	while (wait(&status) > 0)
		bad += status != 0;
	return bad != 0;
}

/* Each child makes the next before it ends; all of them are waited for by nobody but the end of the run. */
static int forks(long count)
{
	static int bad;
	static long i;
	int status;

	for (i = 0; i < count; i++) {
		pid_t child = i % 2 ? fork() : vfork();
		if (child == 0)
			_exit(0);
		if (child < 0 && errno != EAGAIN)
			return 5;
		while (i % 8 == 7 && waitpid(-1, &status, WNOHANG) > 0)
			bad += status != 0;
	}
	while (wait(&status) > 0)
		bad += status != 0;
	return bad != 0;
}

/* A program that executes itself, COUNT times. */
static int execs(long count)
{
	char text[32];

	if (count == 0)
		return 0;
	snprintf(text, sizeof text, "%ld", count - 1);
	execl("/proc/self/exe", "storm", "execs", text, NULL);
	return 6;
}

static void *nothing(void *unused)
{
	return unused;
}

static int threads(long count)
{
	pthread_t thread;

	for (long i = 0; i < count; i++) {
		if (pthread_create(&thread, NULL, nothing, NULL) != 0)
			return 4;
		if (i % 2)
			pthread_join(thread, NULL);
		else
			pthread_detach(thread);
	}
	return 0;
}

static void ignore(int signal)
{
	(void)signal;
}

/* Signals from a child, while the parent asks for what it may not have. */
static int signals(long count)
{
	struct sigaction action = { .sa_handler = ignore, .sa_flags = SA_RESTART };

	sigaction(SIGUSR1, &action, NULL);
	pid_t child = fork();
	while (child == 0)
		if (kill(getppid(), SIGUSR1) < 0)
			_exit(0);
	each = count;
	ask(NULL);
	kill(child, SIGKILL);
	return waitpid(child, NULL, 0) == child ? 0 : 1;
}

int main(int argc, char **argv)
{
	long count = argc > 2 ? atol(argv[2]) : 0;

	if (argc > 4 && strcmp(argv[1], "denials") == 0) {
		each = atol(argv[4]);
		distinct = argc > 5;
		return denials((int)count, atoi(argv[3]));
	}
	if (argc != 3)
		return 2;
	return strcmp(argv[1], "forks") == 0   ? forks(count) :
	       strcmp(argv[1], "execs") == 0   ? execs(count) :
	       strcmp(argv[1], "threads") == 0 ? threads(count) :
	       strcmp(argv[1], "signals") == 0 ? signals(count) :
						 2;
}
