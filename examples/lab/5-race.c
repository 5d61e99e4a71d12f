/* SPDX-License-Identifier: MIT */
/*
 * Exercise 5: changing the question. One thread opens "allowed" again and again; another writes the forbidden name over
 * it, and back. Some time the name is looked at before the change and used after it.
 *
 * lab: preload=through ptrace=supervisor seccomp=supervisor
 *
 * Question: the supervisor also reads the name before the kernel does. Why does it not lose this race?
 * Answer:   where another thread could write to the name, the call is made with a copy that lies in memory nobody can write.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static char name[4096];
static const char *forbidden;

static void *flip(void *unused)
{
	for (;;) {
		strcpy(name, forbidden);
		strcpy(name, "allowed");
	}
	return unused;
}

int main(int argc, char **argv)
{
	pthread_t thread;
	char text[100];

	if (argc < 2)
		return 2;
	forbidden = argv[1];
	close(open("allowed", O_CREAT | O_WRONLY, 0600));
	if (pthread_create(&thread, NULL, flip, NULL) != 0)
		return 2;
	for (time_t end = time(NULL) + 3; time(NULL) < end;) {
		int fd = open(name, O_RDONLY);
		ssize_t n = read(fd, text, sizeof text);
		if (n > 0)
			return fwrite(text, 1, (size_t)n, stdout) != (size_t)n;
		close(fd);
	}
	return 1;
}
