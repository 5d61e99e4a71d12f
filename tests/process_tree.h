/* SPDX-License-Identifier: MIT */
/*
 * process_tree.h - real processes in known relations, for tests of what /proc tells of them. All of them end with the test:
 * it becomes the parent of orphans, and kills whom it was told of.
 */
#ifndef PICKET_TESTS_PROCESS_TREE_H
#define PICKET_TESTS_PROCESS_TREE_H

#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TREE_MOST = 1024 };

/* ThreadSanitizer has a thread of its own in each process, and makes fork of vfork: then a tree is not what it was made to be. */
#ifdef __has_feature
#if __has_feature(thread_sanitizer)
#define TREE_HAS_STRANGERS 1
#endif
#endif
#if !defined TREE_HAS_STRANGERS && defined __SANITIZE_THREAD__
#define TREE_HAS_STRANGERS 1
#elif !defined TREE_HAS_STRANGERS
#define TREE_HAS_STRANGERS 0
#endif

static pid_t tree_members[TREE_MOST];
static int tree_size;

static inline void tree_setup(void)
{
	tree_size = 0;
	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
}

static inline void tree_teardown(void)
{
	for (int i = 0; i < tree_size; i++)
		kill(tree_members[i], SIGKILL);
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		;
}

static inline pid_t tree_note(pid_t pid)
{
	ck_assert_int_gt(pid, 0);
	ck_assert_int_lt(tree_size, TREE_MOST);
	return tree_members[tree_size++] = pid;
}

static inline void tree_wait(void)
{
	for (;;)
		pause();
}

/* A child that has done `body`. */
static inline pid_t tree_child(void (*body)(void))
{
	int ready[2];
	char byte;

	ck_assert_int_eq(pipe(ready), 0);
	pid_t pid = fork();
	if (pid == 0) {
		if (body)
			body();
		if (write(ready[1], "", 1) == 1)
			tree_wait();
		_exit(1);
	}
	tree_note(pid);
	close(ready[1]);
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

/* A child of a child, which ends and is waited for (orphan) or goes on. *middle, if wanted, is that one. */
static inline pid_t tree_grandchild(void (*body)(void), bool orphan, pid_t *middle)
{
	int tell[2];
	pid_t inner = 0;

	ck_assert_int_eq(pipe(tell), 0);
	pid_t pid = fork();
	if (pid == 0) {
		inner = fork();
		if (inner == 0) {
			if (body)
				body();
			inner = getpid();
			if (write(tell[1], &inner, sizeof inner) == sizeof inner)
				tree_wait();
			_exit(1);
		}
		if (orphan)
			_exit(0);
		tree_wait();
	}
	close(tell[1]);
	ck_assert_int_eq(read(tell[0], &inner, sizeof inner), sizeof inner);
	close(tell[0]);
	if (orphan)
		ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	else
		tree_note(pid);
	if (middle)
		*middle = pid;
	return tree_note(inner);
}

/* A child that has ended and was not waited for. */
static inline pid_t tree_ended(void)
{
	siginfo_t info;
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	ck_assert_int_eq(waitid(P_PID, (id_t)tree_note(pid), &info, WEXITED | WNOWAIT), 0);
	return pid;
}

static pthread_t tree_thread;

/* Another thread of this process, for body of a child, too. Its number. */
static inline void *tree_in_thread(void *tell)
{
	pid_t tid = gettid();

	if (write(*(int *)tell, &tid, sizeof tid) != sizeof tid)
		abort();
	tree_wait();
	return NULL;
}

static inline pid_t tree_start_thread(void)
{
	int tell[2];
	pid_t tid;

	if (pipe(tell) < 0 || pthread_create(&tree_thread, NULL, tree_in_thread, &tell[1]) != 0 ||
	    read(tell[0], &tid, sizeof tid) != sizeof tid)
		abort();
	return tid;
}

#endif
