/* SPDX-License-Identifier: MIT */
/*
 * test_lineage.c - who descends from whom, asked about real processes: children, orphans, threads, and those that have ended.
 */
#include "lineage.h"

#include <stdio.h>
#include <string.h>

#include "policy_help.h"
#include "process_tree.h"

enum { NOBODY = 0x7fffffff };

/* Whoever reads names as if they were fields takes these for fields. */
static void with_a_misleading_name(void)
{
	prctl(PR_SET_NAME, ") R 1 1", 0, 0, 0);
}

static void with_a_misleading_line(void)
{
	prctl(PR_SET_NAME, "\nTgid:\t1", 0, 0, 0);
}

START_TEST(a_parent_is_the_kernels_whatever_the_name)
{
	pid_t middle, child = tree_child(with_a_misleading_name), grandchild = tree_grandchild(NULL, false, &middle);

	ck_assert_int_eq(lineage_parent(child), getpid());
	ck_assert_int_eq(lineage_parent(grandchild), middle);
	ck_assert_int_eq(lineage_parent(middle), getpid());
	ck_assert_int_eq(lineage_parent(getpid()), getppid());
	ck_assert_int_eq(lineage_parent(tree_ended()), getpid());
	ck_assert_int_eq(lineage_parent(NOBODY), 0);
}
END_TEST

START_TEST(a_thread_is_of_its_process_and_of_no_other)
{
	pid_t thread = tree_start_thread(), child = tree_child(with_a_misleading_line);

	ck_assert_int_ne(thread, getpid());
	ck_assert_int_eq(lineage_process(thread), getpid());
	ck_assert_int_eq(lineage_process(getpid()), getpid());
	ck_assert_int_eq(lineage_process(child), child);
	ck_assert_int_eq(lineage_process(NOBODY), 0);
	ck_assert(lineage_is_thread(thread, getpid()) && lineage_is_thread(getpid(), getpid()));
	ck_assert(!lineage_is_thread(child, getpid()) && !lineage_is_thread(thread, child));
	ck_assert(!lineage_is_thread(NOBODY, getpid()) && !lineage_is_thread(thread, NOBODY));
	ck_assert_int_eq(lineage_parent(thread), getppid());
}
END_TEST

START_TEST(who_descends_is_below_and_nobody_else)
{
	pid_t middle, child = tree_child(NULL), grandchild = tree_grandchild(NULL, false, &middle);
	pid_t orphan = tree_grandchild(NULL, true, NULL), ended = tree_ended(), top = getpid();
	const pid_t descendants[] = {child, middle, grandchild, orphan, ended};

	for (size_t i = 0; i < sizeof descendants / sizeof descendants[0]; i++) {
		ck_assert_msg(lineage_below(descendants[i], top), "descendant %zu", i);
		ck_assert(lineage_below(descendants[i], getppid()));
		ck_assert_msg(!lineage_below(top, descendants[i]), "descendant %zu", i);
	}
	ck_assert(lineage_below(grandchild, middle) && !lineage_below(middle, grandchild));
	ck_assert(!lineage_below(child, middle) && !lineage_below(grandchild, child));
	ck_assert(!lineage_below(orphan, child));
	ck_assert(!lineage_below(top, top));
	ck_assert(!lineage_below(getppid(), top) && !lineage_below(1, top) && !lineage_below(NOBODY, top));
}
END_TEST

static int below_thread[2];

static void tell_of_a_thread(void)
{
	pid_t thread = tree_start_thread();

	if (write(below_thread[1], &thread, sizeof thread) != sizeof thread)
		_exit(1);
}

START_TEST(a_thread_of_a_descendant_is_below)
{
	pid_t thread;

	ck_assert_int_eq(pipe(below_thread), 0);
	pid_t child = tree_child(tell_of_a_thread);
	ck_assert_int_eq(read(below_thread[0], &thread, sizeof thread), sizeof thread);
	ck_assert_int_ne(thread, child);
	ck_assert(lineage_below(thread, getpid()));
	ck_assert(!lineage_below(thread, child)); /* its parent is its process's */
}
END_TEST

/* ---- all of them -------------------------------------------------------- */

static int by_number(const void *a, const void *b)
{
	return (*(const pid_t *)a > *(const pid_t *)b) - (*(const pid_t *)a < *(const pid_t *)b);
}

/* The list below `top` has exactly these. */
static void assert_below(pid_t top, pid_t *expected, size_t expected_count)
{
	pid_t *list = NULL;
	size_t count;

	ck_assert_int_eq(lineage_list(top, &list, &count), 0);
	ck_assert_uint_eq(count, expected_count);
	qsort(list, count, sizeof *list, by_number);
	if (count > 0)
		qsort(expected, expected_count, sizeof *expected, by_number);
	ck_assert(count == 0 || memcmp(list, expected, count * sizeof *list) == 0);
	free(list);
}

START_TEST(the_list_has_every_descendant_once)
{
	pid_t middle, child = tree_child(with_a_misleading_name), grandchild = tree_grandchild(NULL, false, &middle);
	pid_t orphan = tree_grandchild(NULL, true, NULL), ended = tree_ended();

	tree_start_thread(); /* no process of its own */
	assert_below(getpid(), (pid_t[]){child, middle, grandchild, orphan, ended}, 5);
	assert_below(middle, (pid_t[]){grandchild}, 1);
	assert_below(child, NULL, 0);
	assert_below(NOBODY, NULL, 0);
}
END_TEST

START_TEST(the_list_has_hundreds)
{
	enum { MANY = 400 };
	pid_t expected[MANY];

	for (int i = 0; i < MANY; i++)
		expected[i] = i % 2 ? tree_child(NULL) : tree_ended();
	assert_below(getpid(), expected, MANY);
}
END_TEST

/* Parents that end while the list is made leave their children to us: none of these may be missing for a moment. */
START_TEST(no_orphan_is_missed_while_its_parent_ends)
{
	enum { ROUNDS = 40 };
	pid_t *list = NULL, orphan;
	size_t count, at;
	int tell[2], go[2];

	ck_assert_int_eq(pipe(tell), 0);
	ck_assert_int_eq(pipe(go), 0);
	for (int i = 0; i < ROUNDS; i++) {
		pid_t parent = fork();
		if (parent == 0) {
			if ((orphan = fork()) == 0)
				tree_wait();
			char byte;
			if (write(tell[1], &orphan, sizeof orphan) != sizeof orphan || read(go[0], &byte, 1) != 1)
				_exit(1);
			_exit(0);
		}
		tree_note(parent);
		ck_assert_int_eq(read(tell[0], &orphan, sizeof orphan), sizeof orphan);
		tree_note(orphan);
		ck_assert_int_eq(write(go[1], "", 1), 1);
		ck_assert_int_eq(lineage_list(getpid(), &list, &count), 0);
		for (at = 0; at < count && list[at] != orphan; at++)
			;
		ck_assert_uint_lt(at, count);
		ck_assert(lineage_below(orphan, getpid()));
		free(list);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("lineage");
	TCase *tests = tcase_create("lineage");

	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, tree_setup, tree_teardown);
	tcase_add_test(tests, a_parent_is_the_kernels_whatever_the_name);
	tcase_add_test(tests, a_thread_is_of_its_process_and_of_no_other);
	tcase_add_test(tests, who_descends_is_below_and_nobody_else);
	tcase_add_test(tests, a_thread_of_a_descendant_is_below);
	tcase_add_test(tests, the_list_has_every_descendant_once);
	tcase_add_test(tests, the_list_has_hundreds);
	tcase_add_test(tests, no_orphan_is_missed_while_its_parent_ends);
	suite_add_tcase(suite, tests);
	return help_run(suite);
}
