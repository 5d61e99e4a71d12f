/* SPDX-License-Identifier: MIT */
/* test_pure.c - which directories a policy gives as a whole; test_decide_random.c has random ones. */
#include "pure.h"

#include <stdio.h>

#include "make_image.h"
#include "syscalls.h"

enum { R = ACCESS_READ, W = ACCESS_WRITE, L = ACCESS_LOOK };

/* Rules, a directory, and what every name below it is allowed. */
static const struct {
	struct path_row rows[4];
	const char *path;
	unsigned allowed;
} cases[] = {
	{{{RULE_READ, LAYER_FILE, "/usr"}}, "/usr", R | L},
	{{{RULE_READ, LAYER_FILE, "/usr"}}, "/usr/lib", R | L},
	{{{RULE_READ, LAYER_FILE, "/usr"}}, "/us", L},
	{{{RULE_WRITE, LAYER_FILE, "/w"}}, "/w", R | W | L},
	/* a rule for what may not exist yet */
	{{{RULE_WRITE, LAYER_FILE, "/w"}, {RULE_READ_ONLY, LAYER_FILE, "/w/a/b"}}, "/w", R | L},
	{{{RULE_WRITE, LAYER_FILE, "/w"}, {RULE_READ_ONLY, LAYER_FILE, "/w/a/b"}}, "/w/a", R | L},
	{{{RULE_WRITE, LAYER_FILE, "/w"}, {RULE_READ_ONLY, LAYER_FILE, "/w/a/b"}}, "/w/b", R | W | L},
	{{{RULE_WRITE, LAYER_FILE, "/w"}, {RULE_READ_ONLY, LAYER_FILE, "/w/a/b"}}, "/w/a/b", R | L},
	{{{RULE_READ, LAYER_FILE, "/w"}, {RULE_DENY, LAYER_FILE, "/w/a"}}, "/w", L},
	{{{RULE_READ, LAYER_FILE, "/w"}, {RULE_HIDE, LAYER_FILE, "/w/a"}}, "/w", 0},
	{{{RULE_READ, LAYER_FILE, "/w"}, {RULE_FORBID, LAYER_FILE, "/w/a"}}, "/w", 0},
	{{{RULE_READ, LAYER_FILE, "/w"}, {RULE_FORBID, LAYER_FILE, "/"}}, "/w", L},
	/* stars */
	{{{RULE_READ, LAYER_FILE, "/home"}, {RULE_DENY, LAYER_FILE, "/home/*/.ssh"}}, "/home", L},
	{{{RULE_READ, LAYER_FILE, "/home"}, {RULE_DENY, LAYER_FILE, "/home/*/.ssh"}}, "/home/u", L},
	{{{RULE_READ, LAYER_FILE, "/home"}, {RULE_DENY, LAYER_FILE, "/home/*/.ssh"}}, "/home/u/src", R | L},
	{{{RULE_READ, LAYER_FILE, "/home"}, {RULE_DENY, LAYER_FILE, "/home/**/key"}}, "/home/u/src/deep", L},
	{{{RULE_READ, LAYER_FILE, "/home"}, {RULE_DENY, LAYER_FILE, "/home/u/k*"}}, "/home/u", L},
	{{{RULE_READ, LAYER_FILE, "/home"}, {RULE_DENY, LAYER_FILE, "/home/u/k*"}}, "/home/u/lib", R | L},
	/* what denies is opened again by what is more specific, and both remain below */
	{{{RULE_DENY, LAYER_FILE, "/a"}, {RULE_READ, LAYER_FILE, "/a/b"}}, "/a", L},
	{{{RULE_DENY, LAYER_FILE, "/a"}, {RULE_READ, LAYER_FILE, "/a/b"}}, "/a/b", R | L},
	/* exec rules say nothing of reading */
	{{{RULE_READ, LAYER_FILE, "/a"}, {RULE_EXEC_DENY, LAYER_FILE, "/a/b"}}, "/a", R | L},
	/* names that no policy opens */
	{{{RULE_WRITE, LAYER_FILE, "/"}}, "/", 0},
	{{{RULE_WRITE, LAYER_FILE, "/"}}, "/proc", 0},
	{{{RULE_WRITE, LAYER_FILE, "/"}}, "/proc/sys/kernel", 0},
	{{{RULE_WRITE, LAYER_FILE, "/"}}, "/dev", 0},
	{{{RULE_WRITE, LAYER_FILE, "/"}}, "/dev/shm", R | W | L},
	{{{RULE_WRITE, LAYER_FILE, "/"}}, "/etc", R | W | L},
	/* malformed */
	{{{RULE_WRITE, LAYER_FILE, "/"}}, "/etc/../proc", 0},
	{{{RULE_WRITE, LAYER_FILE, "/"}}, "etc", 0},
};

START_TEST(a_directory_is_pure_in_what_no_rule_below_it_refuses)
{
	struct image *image = make_path_image(cases[_i].rows, false);
	struct pure pure;

	ck_assert_int_eq(pure_open(&pure, image), 0);
	ck_assert_uint_eq(pure_below(&pure, cases[_i].path, strlen(cases[_i].path)), cases[_i].allowed);
	pure_close(&pure);
	free(image);
}
END_TEST

/* More patterns than decide_path keeps alive at once: there it refuses, so nothing above is pure. */
START_TEST(too_many_patterns_make_nothing_pure)
{
	static char targets[80][32];
	struct path_row rows[82] = {{RULE_READ, LAYER_FILE, "/a"}};
	struct pure pure;

	for (int i = 0; i < 80; i++) {
		snprintf(targets[i], sizeof targets[i], "/a/**/x%d/y", i);
		rows[i + 1] = (struct path_row){RULE_READ, LAYER_FILE, targets[i]};
	}
	struct image *image = make_path_image(rows, false);
	ck_assert_int_eq(pure_open(&pure, image), 0);
	ck_assert_uint_eq(pure_below(&pure, "/a", 2), 0);
	pure_close(&pure);
	free(image);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pure");
	TCase *tcase = tcase_create("pure");

	tcase_add_loop_test(tcase, a_directory_is_pure_in_what_no_rule_below_it_refuses, 0,
			    sizeof cases / sizeof cases[0]);
	tcase_add_test(tcase, too_many_patterns_make_nothing_pure);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
