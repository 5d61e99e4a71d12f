/* SPDX-License-Identifier: MIT */
/*
 * test_syscalls_shim.c - the call table as the shim has it, without names, and with one row for calls that are alike: it says
 * of each number what the whole table says.
 */
#include <check.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* Both are of one source and of different layout: the shim's is included here, under other names. */
#define CALLS_NAMELESS
#define call shim_call
#define call_find shim_call_find
#define call_arg_index shim_call_arg_index
#define call_open_access shim_call_open_access
#define call_open_error shim_call_open_error
#define call_class_name shim_call_class_name
#define call_op_name shim_call_op_name
#define call_arg_kind_name shim_call_arg_kind_name
#define call_way shim_call_way
#include "../policy/syscalls.c"
#undef call

/* The table as it is written. */
static const struct {
	long number;
	struct shim_call row;
} written[] = {
#define CALL(number_, name_, class_, op_, ...) \
	{number_, {.class = CALL_##class_, .op = OP_##op_, .args = {__VA_ARGS__}}},
#include "syscalls.def"
};
enum { WRITTEN = sizeof written / sizeof *written };

START_TEST(every_number_has_the_row_that_is_written_for_it)
{
	const struct shim_call *row = &written[_i].row, *found = shim_call_find(written[_i].number);

	ck_assert_int_eq(found->class, row->class);
	ck_assert_int_eq(found->op, row->op);
	ck_assert_mem_eq(found->args, row->args, sizeof row->args);
}
END_TEST

START_TEST(every_other_number_is_unlisted)
{
	unsigned unlisted = 0;

	for (long number = -2; number < CALL_NUMBERS + 2; number++)
		unlisted += shim_call_find(number)->class == CALL_UNLISTED;
	ck_assert_uint_eq(unlisted, CALL_NUMBERS + 4 - WRITTEN);
	ck_assert_int_eq(shim_call_find(LONG_MAX)->class, CALL_UNLISTED);
	ck_assert_int_eq(shim_call_find(LONG_MIN)->class, CALL_UNLISTED);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("syscalls_shim");
	TCase *tcase = tcase_create("rows");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tcase, every_number_has_the_row_that_is_written_for_it, 0, WRITTEN);
	tcase_add_test(tcase, every_other_number_is_unlisted);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
