/* SPDX-License-Identifier: MIT */
/*
 * test_census.c - processes of a run that have ended and are not waited for: what is known of them, and what each costs, counted
 * by how often the kernel is asked whether one is still there.
 */
#include "census.h"

#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MANY = 2048 };

static unsigned asked;
static struct census census;
static pid_t children[MANY];

/* In place of libc's: the same, counted. */
int kill(pid_t pid, int signal)
{
	asked++;
	return (int)syscall(SYS_kill, pid, signal);
}

static void take_up(pid_t pid, pid_t maker)
{
	census_born(&census, pid);
	census_forked(&census, pid, maker, false);
}

/* Children of ours that have ended, which the census is told of as it would be by a supervisor. */
static void end_children(int count)
{
	census = (struct census){0};
	asked = 0;
	census_born(&census, getpid());
	for (int i = 0; i < count; i++) {
		siginfo_t info;
		children[i] = fork();
		ck_assert_int_ge(children[i], 0);
		if (children[i] == 0)
			_exit(0);
		take_up(children[i], getpid());
		ck_assert_int_eq(waitid(P_PID, (id_t)children[i], &info, WEXITED | WNOWAIT), 0);
		census_gone(&census, children[i], NULL);
	}
}

static void wait_for(int from, int to)
{
	for (int i = from; i < to; i++)
		ck_assert_int_eq(waitpid(children[i], NULL, 0), children[i]);
}

START_TEST(the_kernel_is_asked_a_few_times_for_each_zombie)
{
	end_children(MANY);
	ck_assert_uint_eq(census_zombies(&census, false), MANY);
	ck_assert_msg(asked > 0 && asked <= 2 * MANY, "%u times", asked);
	asked = 0;
	wait_for(0, MANY);
	ck_assert_uint_eq(census_zombies(&census, true), 0);
	ck_assert_uint_eq(asked, MANY);
	census_clear(&census);
}
END_TEST

START_TEST(those_that_were_waited_for_are_forgotten_in_time)
{
	end_children(200);
	wait_for(0, 200);
	for (int round = 0; round < 10; round++) {
		for (int i = 0; i < 100; i++) {
			siginfo_t info;
			children[i] = fork();
			ck_assert_int_ge(children[i], 0);
			if (children[i] == 0)
				_exit(0);
			take_up(children[i], getpid());
			ck_assert_int_eq(waitid(P_PID, (id_t)children[i], &info, WEXITED | WNOWAIT), 0);
			census_gone(&census, children[i], NULL);
		}
		wait_for(0, 100);
	}
	ck_assert_msg(census_zombies(&census, false) <= 256, "%u are remembered", census_zombies(&census, false));
	census_clear(&census);
}
END_TEST

/* The parent takes over what those had used that it has waited for; the rest are nobody's. */
START_TEST(the_end_of_a_parent_parts_it_from_its_zombies)
{
	struct live *parent;

	end_children(3);
	parent = census_find(&census, getpid());
	ck_assert_ptr_nonnull(parent);
	ck_assert_ptr_nonnull(parent->zombies);
	wait_for(1, 2);
	census_gone(&census, getpid(), NULL);
	ck_assert_ptr_null(census_find(&census, getpid()));
	ck_assert_uint_eq(census_zombies(&census, false), 3); /* we, and two of them: we are still there */
	for (struct zombie *z = census.zombies; z; z = z->hh.next) {
		ck_assert_int_ne(z->pid, children[1]);
		ck_assert_ptr_null(z->link);
		ck_assert(z->parent == 0);
	}
	wait_for(0, 1);
	wait_for(2, 3);
	ck_assert_uint_eq(census_zombies(&census, true), 1);
	census_clear(&census);
}
END_TEST

START_TEST(a_number_that_is_used_again_was_waited_for)
{
	end_children(2);
	census_born(&census, children[0]);
	ck_assert_uint_eq(census_zombies(&census, false), 1);
	ck_assert_ptr_nonnull(census_find(&census, children[0]));
	struct live *parent = census_find(&census, getpid());
	ck_assert_ptr_nonnull(parent->zombies);
	ck_assert_int_eq(parent->zombies->pid, children[1]);
	ck_assert_ptr_null(parent->zombies->next);
	wait_for(0, 2);
	census_clear(&census);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("census");
	TCase *tests = tcase_create("census");

	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, the_kernel_is_asked_a_few_times_for_each_zombie);
	tcase_add_test(tests, those_that_were_waited_for_are_forgotten_in_time);
	tcase_add_test(tests, the_end_of_a_parent_parts_it_from_its_zombies);
	tcase_add_test(tests, a_number_that_is_used_again_was_waited_for);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
