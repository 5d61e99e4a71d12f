/* SPDX-License-Identifier: MIT */
/*
 * attempt.h - programs of tests/boundary: each is a table of attempts to get round the guard, and of things that have to work
 * under it. tests/test_boundary.sh runs every row bare, where it has to succeed, and guarded.
 *
 *     PROGRAM --list          kind and name of every row
 *     PROGRAM NAME            exit status 0: it had its effect; 1: refused; 3: this machine, or this user, has not what it
 *                             is about; anything else: the row itself is broken
 *
 * A row runs in an empty directory `open`, which it may read and write. Beside it are `shut`, which it may only
 * look at, with the files `secret` and `victim`, and `read`, which it may read, with the file `page`.
 * Nothing here is linked with Picket.
 */
#ifndef PICKET_TESTS_ATTEMPT_H
#define PICKET_TESTS_ATTEMPT_H

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WORKED, REFUSED, BROKEN, NOT_HERE };
enum kind {
	GETS_OUT,	/* refused under the guard */
	HAS_TO_WORK,	/* as without it, within the time limit */
	IS_HEARD,	/* whether it got out, the neighbour says (exit status 7) */
};
struct row {
	enum kind kind;
	const char *name;
	int (*attempt)(void);
};

static inline double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}
enum { RACE_SECONDS = 2 };	/* a race that no guard prevents is won in a hundredth of it */

#define NEED(expression)                                                                        \
	do {                                                                                    \
		if ((long)(expression) < 0) {                                                   \
			fprintf(stderr, "line %d: %s: %m\n", __LINE__, #expression);            \
			exit(BROKEN);                                                           \
		}                                                                               \
	} while (0)

/* Does the descriptor (-1: none) hold the secret? Prints it, so that the caller of the test sees it, too. */
static inline int holds_secret(int fd)
{
	char text[256];
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text);

	if (n > 0)
		fwrite(text, 1, (size_t)n, stdout);
	return n > 5 && memcmp(text, "TOKEN", 5) == 0 ? WORKED : REFUSED;
}

static inline int main_of(int argc, char **argv, const struct row *rows, size_t count)
{
	if (argc != 2)
		return BROKEN;
	for (size_t i = 0; i < count; i++) {
		if (strcmp(argv[1], "--list") == 0) {
			static const char *const kinds[] = { "gets-out", "has-to-work", "is-heard" };
			printf("%s %s\n", kinds[rows[i].kind], rows[i].name);
		} else if (strcmp(argv[1], rows[i].name) == 0) {
			int r = rows[i].attempt();
			fflush(stdout);
			return r;
		}
	}
	return strcmp(argv[1], "--list") == 0 ? 0 : BROKEN;
}
#define MAIN(rows)                                                            \
	int main(int argc, char **argv)                                       \
	{                                                                     \
		return main_of(argc, argv, rows, sizeof(rows) / sizeof *(rows)); \
	}

/* A stack of its own for clone(2). */
static inline void *new_stack(void)
{
	enum { SIZE = 256 << 10 };
	char *stack = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return stack == MAP_FAILED ? NULL : stack + SIZE;
}

#endif
