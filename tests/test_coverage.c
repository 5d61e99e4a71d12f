/* SPDX-License-Identifier: MIT */
/*
 * test_coverage.c - what `picket syscalls` prints: every call once, in every format, and an error when it cannot.
 */
#include <check.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coverage.h"
#include "syscalls.h"

/* What is printed, to be freed. */
static char *printed(enum coverage_format format)
{
	char *text = NULL;
	size_t length = 0;
	FILE *to = open_memstream(&text, &length);

	ck_assert_ptr_nonnull(to);
	ck_assert_int_eq(coverage_print(to, format), 0);
	fclose(to);
	return text;
}

static int listed(void)
{
	int count = 0;

	for (long number = 0; number < CALL_NUMBERS; number++)
		count += call_find(number)->class != CALL_UNLISTED;
	return count;
}

static int lines(const char *text)
{
	int count = 0;

	for (; *text; text++)
		count += *text == '\n';
	return count;
}

START_TEST(text_has_one_line_a_call_under_a_heading)
{
	char *text = printed(COVERAGE_TEXT);

	ck_assert_int_eq(lines(text), listed() + 1);
	ck_assert_int_eq(strncmp(text, "NUMBER", 6), 0);
	ck_assert_ptr_nonnull(strstr(text, "\n   257 openat "));
	ck_assert_ptr_nonnull(strstr(text, "path: write, path: write"));
	ck_assert_ptr_nonnull(strstr(text, "io_uring_setup          refused  interface "));
	ck_assert_ptr_null(strchr(text, '?'));
	free(text);
}
END_TEST

START_TEST(markdown_has_the_same_columns_in_every_row)
{
	char *text = printed(COVERAGE_MARKDOWN), *rest = text, *line;
	int count = 0;

	while ((line = strsep(&rest, "\n")) && *line) {
		int bars = 0;

		for (const char *c = line; *c; c++)
			bars += *c == '|';
		ck_assert_msg(bars == 7, "%s", line);
		count++;
	}
	ck_assert_int_eq(count, listed() + 2);
	free(text);
}
END_TEST

START_TEST(json_says_of_each_call_what_the_table_says)
{
	char *text = printed(COVERAGE_JSON);
	json_t *whole = json_loads(text, JSON_REJECT_DUPLICATES, NULL), *calls = json_object_get(whole, "calls"), *one;
	size_t i;

	ck_assert_int_eq(json_integer_value(json_object_get(whole, "schema")), 1);
	ck_assert_str_eq(json_string_value(json_object_get(whole, "architecture")), "x86_64");
	ck_assert_int_eq((int)json_array_size(calls), listed());
	json_array_foreach(calls, i, one)
	{
		const struct call *call = call_find((long)json_integer_value(json_object_get(one, "number")));

		ck_assert_str_eq(json_string_value(json_object_get(one, "name")), call->name);
		ck_assert_str_eq(json_string_value(json_object_get(one, "class")), call_class_name(call->class));
		ck_assert_str_eq(json_string_value(json_object_get(one, "operation")), call_op_name(call->op));
		ck_assert_str_eq(json_string_value(json_object_get(one, "way")), call_way(call));
		ck_assert(json_is_array(json_object_get(one, "judged")));
	}
	json_decref(whole);
	free(text);
}
END_TEST

START_TEST(json_names_the_argument_and_its_accesses)
{
	char *text = printed(COVERAGE_JSON);
	json_t *whole = json_loads(text, 0, NULL), *calls = json_object_get(whole, "calls"), *one = NULL, *second;
	size_t i;

	json_array_foreach(calls, i,
			   one) if (strcmp(json_string_value(json_object_get(one, "name")), "linkat") == 0) break;
	ck_assert_ptr_nonnull(one);
	second = json_array_get(json_object_get(one, "judged"), 1);
	ck_assert_int_eq(json_integer_value(json_object_get(second, "argument")), 3);
	ck_assert_str_eq(json_string_value(json_object_get(second, "kind")), "path");
	ck_assert_str_eq(json_string_value(json_array_get(json_object_get(second, "access"), 0)), "write");
	json_decref(whole);
	free(text);
}
END_TEST

START_TEST(an_unknown_format_is_refused)
{
	ck_assert_int_eq(coverage_print(stdout, (enum coverage_format)99), -EINVAL);
}
END_TEST

START_TEST(a_full_disk_is_an_error_in_every_format)
{
	FILE *full = fopen("/dev/full", "w");

	ck_assert_ptr_nonnull(full);
	ck_assert_int_lt(coverage_print(full, (enum coverage_format)_i), 0);
	fclose(full);
}
END_TEST

/* Memory that runs out at the nth request. */
static long allocations_left;

static void *failing_malloc(size_t size)
{
	return allocations_left-- > 0 ? malloc(size) : NULL;
}

START_TEST(running_out_of_memory_is_an_error_wherever_it_happens)
{
	FILE *null = fopen("/dev/null", "w");
	/* every one of the first, where each kind of request happens, then in ever longer steps */
	long nth = 0;

	ck_assert_ptr_nonnull(null);
	json_set_alloc_funcs(failing_malloc, free);
	for (;; nth += nth < 400 ? 1 : nth / 8) {
		int error;

		allocations_left = nth;
		error = coverage_print(null, COVERAGE_JSON);
		if (allocations_left >= 0) {
			ck_assert_int_eq(error, 0);
			break;
		}
		ck_assert_msg(error < 0, "the %ldth request failed, and nobody noticed", nth + 1);
	}
	ck_assert_int_gt(nth, 400);
	json_set_alloc_funcs(malloc, free);
	fclose(null);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("coverage");
	TCase *prints = tcase_create("prints");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, prints);
	tcase_add_test(prints, text_has_one_line_a_call_under_a_heading);
	tcase_add_test(prints, markdown_has_the_same_columns_in_every_row);
	tcase_add_test(prints, json_says_of_each_call_what_the_table_says);
	tcase_add_test(prints, json_names_the_argument_and_its_accesses);
	tcase_add_test(prints, an_unknown_format_is_refused);
	tcase_add_loop_test(prints, a_full_disk_is_an_error_in_every_format, COVERAGE_TEXT, COVERAGE_JSON + 1);
	tcase_add_test(prints, running_out_of_memory_is_an_error_wherever_it_happens);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
