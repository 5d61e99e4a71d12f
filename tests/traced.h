/* SPDX-License-Identifier: MIT */
/*
 * traced.h - real children for tests of the supervisor's parts: stopped where the test wants them, and killed with it.
 */
#ifndef PICKET_TESTS_TRACED_H
#define PICKET_TESTS_TRACED_H

#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TRACED_CALL_STOP = SIGTRAP | 0x80 };

/* Wait for the next stop of a task; its status. */
static inline int traced_wait(pid_t tid)
{
	int status;
	pid_t got;

	do
		got = waitpid(tid, &status, __WALL);
	while (got < 0 && errno == EINTR);
	ck_assert_int_eq(got, tid);
	return status;
}

/* A child that runs `body` and then stops, with these options of ptrace(2); it is stopped now, after `body`. */
static inline pid_t traced_after(void (*body)(void), long options)
{
	pid_t child = fork();

	ck_assert_int_ge(child, 0);
	if (child == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
			_exit(1);
		body();
		raise(SIGSTOP);
		_exit(0);
	}
	int status = traced_wait(child);
	ck_assert_msg(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP, "the child did not get ready: %#x", status);
	ck_assert_int_eq(ptrace(PTRACE_SETOPTIONS, child, NULL, PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD | options),
			 0);
	return child;
}

/* The same, but it stops first and runs `body` when it is let go. */
static inline pid_t traced_before(void (*body)(void), long options)
{
	pid_t child = fork();

	ck_assert_int_ge(child, 0);
	if (child == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
			_exit(1);
		raise(SIGSTOP);
		body();
		_exit(0);
	}
	int status = traced_wait(child);
	ck_assert_msg(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP, "the child did not get ready: %#x", status);
	ck_assert_int_eq(ptrace(PTRACE_SETOPTIONS, child, NULL, PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD | options),
			 0);
	return child;
}

static inline void traced_end(pid_t tid)
{
	kill(tid, SIGKILL);
	while (waitpid(tid, NULL, __WALL) < 0 && errno == EINTR)
		;
}

#endif
