/* SPDX-License-Identifier: MIT */
/*
 * test_terminal.c - which pseudoterminals are the run's: those of which one of its processes has the other end now. Here
 * this process is the run, and its children are strangers.
 */
#include "terminal.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "policy_help.h"

static struct tracees all;
static struct task *task;

static void setup(void)
{
	help_setup();
	memset(&all, 0, sizeof all);
	pthread_mutex_init(&all.owned.lock, NULL);
	task = tracee_add(&all, getpid(), NULL, false, -1);
}

static void teardown(void)
{
	tracee_free(&all);
	help_teardown();
}

static int make_terminal(char name[64])
{
	int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(unlockpt(fd), 0);
	ck_assert_int_eq(ptsname_r(fd, name, 64), 0);
	return fd;
}

static struct resolved what_is_at(const char *name)
{
	struct resolved at = {.fd = open(name, O_PATH | O_NOFOLLOW), .exists = true};
	struct stat st;

	ck_assert_int_ge(at.fd, 0);
	ck_assert_int_eq(fstat(at.fd, &st), 0);
	at.type = st.st_mode & S_IFMT;
	at.held.st_dev = st.st_dev;
	at.held.st_ino = st.st_ino;
	return at;
}

static bool is_ours(const char *name)
{
	struct resolved at = what_is_at(name);

	ck_assert(terminal_is_pseudo(&at));
	bool ours = terminal_is_ours(&all, &at);
	close(at.fd);
	return ours;
}

/* A stranger that makes a terminal, and has it until `*gate` is closed. */
static pid_t start_stranger(char name[64], int *gate)
{
	int told[2], held[2];
	char c;

	ck_assert(pipe(told) == 0 && pipe(held) == 0);
	pid_t child = fork();
	if (child == 0) {
		close(held[1]);
		terminal_let_go(task, 0); /* it is only ours */
		make_terminal(name);
		bool written = write(told[1], name, 64) == 64;
		_exit(written && read(held[0], &c, 1) == 0 ? 0 : 1);
	}
	close(held[0]);
	close(told[1]);
	ck_assert_int_eq(read(told[0], name, 64), 64);
	close(told[0]);
	*gate = held[1];
	return child;
}

static void end_stranger(pid_t child, int gate)
{
	close(gate);
	ck_assert_int_eq(waitpid(child, NULL, 0), child);
}

START_TEST(what_is_no_pseudoterminal_is_none)
{
	static const char *const others[] = {"/dev/null", "/dev/ptmx", "/dev/tty", "/", "/etc/passwd"};

	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
		struct resolved at = what_is_at(others[i]);
		ck_assert_msg(!terminal_is_pseudo(&at), "%s", others[i]);
		close(at.fd);
	}
	struct resolved missing = {.fd = -1};
	ck_assert(!terminal_is_pseudo(&missing));
}
END_TEST

START_TEST(a_terminal_is_ours_while_we_have_its_other_end)
{
	char name[64], its[64];
	int gate, fd = make_terminal(name);

	ck_assert(is_ours(name));
	pid_t stranger = start_stranger(its, &gate);
	ck_assert_str_ne(name, its);
	ck_assert(is_ours(name));
	ck_assert(!is_ours(its));
	end_stranger(stranger, gate);
	close(fd);
}
END_TEST

START_TEST(a_number_that_was_ours_is_not_when_another_has_it)
{
	char name[64], its[64];
	int gate, fd = make_terminal(name);

	ck_assert(is_ours(name));
	close(fd);
	pid_t stranger = start_stranger(its, &gate);
	ck_assert_str_eq(name, its); /* the lowest that is free; or somebody else made one just now */
	ck_assert(!is_ours(its));
	end_stranger(stranger, gate);
}
END_TEST

START_TEST(a_number_that_is_held_is_not_given_to_another)
{
	char name[64], its[64];
	int gate, fd = make_terminal(name);
	struct resolved at = what_is_at(name);

	ck_assert(terminal_hold(task, &at));
	close(fd);
	pid_t stranger = start_stranger(its, &gate);
	ck_assert_str_ne(name, its);
	ck_assert_int_eq(terminal_let_go(task, 7), 7);
	ck_assert(access(name, F_OK) < 0);
	ck_assert(!terminal_hold(task, &at));
	end_stranger(stranger, gate);
	close(at.fd);
}
END_TEST

START_TEST(what_a_task_holds_goes_with_it)
{
	char name[64];
	int fd = make_terminal(name);
	struct resolved at = what_is_at(name);

	ck_assert(terminal_hold(task, &at));
	close(fd);
	tracee_remove(&all, task);
	ck_assert(access(name, F_OK) < 0);
	close(at.fd);
}
END_TEST

START_TEST(the_terminal_that_the_run_was_started_on_is_its_own)
{
	char name[64];
	int gate, saved = dup(STDIN_FILENO);
	pid_t stranger = start_stranger(name, &gate);
	int end = open(name, O_RDWR | O_NOCTTY);

	ck_assert_int_ge(end, 0);
	ck_assert(!is_ours(name));
	ck_assert_int_eq(dup2(end, STDIN_FILENO), STDIN_FILENO);
	ck_assert(is_ours(name));
	ck_assert_int_eq(dup2(saved, STDIN_FILENO), STDIN_FILENO);
	ck_assert(!is_ours(name));
	end_stranger(stranger, gate);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("terminal");
	TCase *tests = tcase_create("terminal");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, what_is_no_pseudoterminal_is_none);
	tcase_add_test(tests, a_terminal_is_ours_while_we_have_its_other_end);
	tcase_add_test(tests, a_number_that_was_ours_is_not_when_another_has_it);
	tcase_add_test(tests, a_number_that_is_held_is_not_given_to_another);
	tcase_add_test(tests, what_a_task_holds_goes_with_it);
	tcase_add_test(tests, the_terminal_that_the_run_was_started_on_is_its_own);
	suite_add_tcase(suite, tests);
	return help_run(suite);
}
