/* SPDX-License-Identifier: MIT */
/*
 * outlive.c - a tree of processes that hopes for the end of its guard: a daemon, a thread, a stopped process, one that sleeps, one
 * that makes others all the time. Each that runs tries to read the secret, and leaves "leak" when it can. They
 * keep standard output open, so that its reader knows when all are gone; which they are after some seconds in any case.
 */
#include "attempt.h"

static void *try_for_ever(void *unused)
{
	(void)unused;
	alarm(6);
	for (;;) {
		int fd = open("../shut/secret", O_RDONLY);
		if (fd >= 0) {
			close(fd);
			close(open("leak", O_CREAT | O_WRONLY, 0600));
		}
	}
	return NULL;
}

static void make_others(void)
{
	alarm(6);
	signal(SIGCHLD, SIG_IGN);
	for (;;)
		if (fork() == 0) {
			for (int i = 0; i < 20; i++)
				if (open("../shut/secret", O_RDONLY) >= 0)
					close(open("leak", O_CREAT | O_WRONLY, 0600));
			_exit(0);
		}
}

int main(void)
{
	pthread_t thread;
	pid_t stopped;

	if (fork() == 0) {
		setsid();
		if (fork() != 0)
			_exit(0);
		pthread_create(&thread, NULL, try_for_ever, NULL);
		try_for_ever(NULL);
	}
	if (fork() == 0)
		make_others();
	if ((stopped = fork()) == 0)
		try_for_ever(NULL);
	NEED(kill(stopped, SIGSTOP));
	if (fork() == 0) {
		sleep(6);
		_exit(0);
	}
	if (vfork() == 0) {
		NEED(write(1, "started\n", 8));
		sleep(6);
		_exit(0);
	}
	return 0;
}
