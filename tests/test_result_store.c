/* SPDX-License-Identifier: MIT */
/*
 * test_result_store.c - which refusals are kept and counted, and what the
 * summary shows of them.
 */
#include "result_help.h"

/* What tells refusals apart: each row against the example. */
static const struct {
	enum violation_kind kind;
	const char *target, *exe;
	uint32_t rule;
	bool same;
} others[] = {
	{VIOLATION_FILE_READ, "/home/u/.ssh/id_rsa", "/usr/bin/python3.11", 0, true},
	{VIOLATION_FILE_WRITE, "/home/u/.ssh/id_rsa", "/usr/bin/python3.11", 0, false},
	{VIOLATION_FILE_READ, "/home/u/.ssh/id_rs", "/usr/bin/python3.11", 0, false},
	{VIOLATION_FILE_READ, "/home/u/.ssh/id_rsa", "/usr/bin/cat", 0, false},
	{VIOLATION_FILE_READ, "/home/u/.ssh/id_rsa", NULL, 0, false},
	{VIOLATION_FILE_READ, "/home/u/.ssh/id_rsa", "/usr/bin/python3.11", RULE_DEFAULT, false},
	{VIOLATION_FILE_READ, "/home/u/.ssh/id_rsa/usr/bin/python3.11", "", 0, false},
};

START_TEST(the_same_refusal_again_is_counted)
{
	struct result *result = result_new(NULL);
	struct violation other = example;
	result_add(result, &example);
	other.kind = others[_i].kind, other.target = others[_i].target, other.exe = others[_i].exe,
	other.rule = others[_i].rule;
	bool again = result_again(result, other.kind, other.target, other.exe, other.rule);
	ck_assert_int_eq(again, others[_i].same);
	if (!again)
		result_add(result, &other);
	json_t *json = written(result, &identity, &outcome, NULL);
	ck_assert_uint_eq(json_array_size(json_object_get(json, "violations")), others[_i].same ? 1 : 2);
	ck_assert_int_eq(integer_at(violation_at(json, 0), "count"), others[_i].same ? 2 : 1);
	ck_assert_uint_eq(result_violation_count(result), 2);
	ck_assert_int_eq(integer_at(json, "violation_count"), 2);
	json_decref(json);
	result_free(result);
}
END_TEST

/* A million refusals: of `distinct` targets, `bytes` long. */
static const struct {
	unsigned distinct;
	size_t bytes;
} floods[] = {{1, 20}, {1000000, 20}, {1000000, 4000}, {5000, 200}};

START_TEST(a_flood_is_counted_and_bounded)
{
	enum { REFUSALS = 1000000 };
	struct result *result = result_new(NULL);
	struct violation one = {.kind = VIOLATION_FILE_READ, .syscall = "open", .rule = RULE_DEFAULT};
	cleanup_free char *target = malloc(floods[_i].bytes + 1);
	memset(target, 'x', floods[_i].bytes);
	target[floods[_i].bytes] = '\0';
	one.target = target;
	for (unsigned i = 0; i < REFUSALS; i++) {
		char number[16];
		snprintf(number, sizeof(number), "%010u", i % floods[_i].distinct);
		memcpy(target, number, 10);
		if (!result_again(result, one.kind, target, NULL, one.rule))
			result_add(result, &one);
	}
	one.kind = VIOLATION_NETWORK_OUTBOUND; /* the one that the flood was to hide */
	result_add(result, &one);
	json_t *json = written(result, &identity, &outcome, NULL), *list = json_object_get(json, "violations");
	size_t kept = json_array_size(list), bytes = 0;
	json_int_t counted = 0;
	for (size_t i = 0; i < kept; i++) {
		counted += integer_at(json_array_get(list, i), "count");
		bytes += strlen(string_at(json_array_get(list, i), "target"));
		ck_assert_int_eq(integer_at(json_array_get(list, i), "seq"), (json_int_t)i + 1);
	}
	ck_assert_uint_le(kept, RESULT_MAX_VIOLATIONS);
	ck_assert_uint_le(bytes, RESULT_MAX_BYTES);
	ck_assert_uint_ge(kept, floods[_i].distinct < 2 ? 2 : 100);
	ck_assert_int_eq(integer_at(json, "violation_count"), REFUSALS + 1);
	ck_assert_int_eq(counted + integer_at(json, "violations_dropped"), REFUSALS + 1);
	ck_assert_str_eq(string_at(json_array_get(list, kept - 1), "kind"), "network_outbound");
	json_decref(json);
	result_free(result);
}
END_TEST

START_TEST(a_long_command_line_is_cut)
{
	struct result *result = result_new(NULL);
	struct violation one = example;
	cleanup_free char *words = malloc(1 << 20);
	memset(words, 'w', (1 << 20) - 1);
	words[(1 << 20) - 1] = '\0';
	one.command = words;
	result_add(result, &one);
	json_t *json = written(result, &identity, &outcome, NULL);
	ck_assert_uint_eq(strlen(string_at(violation_at(json, 0), "command")), 4096);
	json_decref(json);
	result_free(result);
}
END_TEST

START_TEST(rules_outlive_the_image_they_were_in)
{
	struct image *first = image_of_one_rule(), *second = image_of_one_rule();
	struct result *result = result_new(first);
	result_add(result, &example);
	result_use_image(result, second);
	memset(first, 0, image_length(first));
	free(first);
	json_t *json = written(result, &identity, &outcome, NULL);
	ck_assert_str_eq(string_at(json_object_get(violation_at(json, 0), "rule"), "source"), "policy.conf:12");
	json_decref(json);
	result_free(result);
	free(second);
}
END_TEST

START_TEST(the_summary_says_what_who_why_and_what_to_do)
{
	cleanup_free struct image *image = image_of_one_rule();
	struct result *result = result_new(image);
	result_add(result, &example);
	result_add(result, &example);
	cleanup_free char *text = summary(result, &outcome);
	ck_assert_str_eq(text, "picket: denied file_read /home/u/.ssh/id_rsa (openat, python3.11[4242], 2 times) by "
			       "policy.conf:12 filesystem.deny ~/.ssh; allow with --read /home/u/.ssh/id_rsa\n");
	result_free(result);
}
END_TEST

START_TEST(where_each_was_said_only_the_count_is)
{
	struct result *result = result_new(NULL);
	char text[256] = "";
	FILE *to = fmemopen(text, sizeof(text), "w");
	result_total(result, &outcome, to);
	ck_assert_int_eq(fflush(to), 0);
	ck_assert_str_eq(text, "");
	for (int i = 0; i < 3; i++)
		result_add(result,
			   &(struct violation){.target = i < 2 ? "/a" : "/b", .exe = "/bin/x", .rule = RULE_DEFAULT});
	result_total(result, &outcome, to);
	fclose(to);
	ck_assert_str_eq(text, "picket: 3 refusals in all, 2 different\n");
	result_free(result);
}
END_TEST

START_TEST(the_summary_stops_at_ten_and_stays_clean)
{
	struct result *result = result_new(NULL);
	struct violation one = example;
	char target[64];
	one.target = target;
	one.rule = RULE_DEFAULT;
	one.allow_with = NULL;
	one.exe = "/x/\x1b]0;title\a";
	for (int i = 0; i < 25; i++) {
		snprintf(target, sizeof(target), "/evil\npicket: fine %d\xff\xc2\x9b\xe2\x80\xae", i);
		result_add(result, &one);
	}
	cleanup_free char *text = summary(result, &outcome);
	size_t lines = 0;
	for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n"), lines++) {
		ck_assert_int_eq(strncmp(line, "picket: ", 8), 0);
		for (const char *c = line; *c != '\0'; c++)
			ck_assert_msg(*c >= ' ' && *c < 0x7f, "byte %#x in \"%s\"", (unsigned char)*c, line);
		if (lines == 10)
			ck_assert_ptr_nonnull(strstr(line, "and 15 more, of 25 refusals"));
	}
	ck_assert_uint_eq(lines, 11);
	result_free(result);
}
END_TEST

START_TEST(no_kind_hides_behind_another_in_the_summary)
{
	struct result *result = result_new(NULL);
	struct violation one = example;
	char target[64];
	one.target = target;
	for (int i = 0; i < 40; i++) {
		snprintf(target, sizeof(target), "/many/%d", i);
		result_add(result, &one);
	}
	one.kind = VIOLATION_NETWORK_OUTBOUND;
	one.target = "127.0.0.1:25";
	result_add(result, &one);
	cleanup_free char *text = summary(result, &outcome);
	ck_assert_ptr_nonnull(strstr(text, "/many/8 "));
	ck_assert_ptr_null(strstr(text, "/many/9 "));
	ck_assert_ptr_nonnull(strstr(text, "network_outbound 127.0.0.1:25 "));
	ck_assert_ptr_nonnull(strstr(text, "picket: and 31 more, of 41 refusals in all"));
	result_free(result);
}
END_TEST

START_TEST(a_single_refusal_prints_as_in_the_summary)
{
	cleanup_free struct image *image = image_of_one_rule();
	struct result *result = result_new(image);
	cleanup_free char *line = NULL;
	size_t size;
	FILE *to = open_memstream(&line, &size);
	result_print_violation(result, &example, to);
	fclose(to);
	result_add(result, &example);
	cleanup_free char *text = summary(result, &outcome);
	ck_assert_str_eq(line, text);
	result_free(result);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("result_store");
	TCase *tests = tcase_create("result_store");
	tcase_set_timeout(tests, 60);
	tcase_add_loop_test(tests, the_same_refusal_again_is_counted, 0, sizeof(others) / sizeof(others[0]));
	tcase_add_loop_test(tests, a_flood_is_counted_and_bounded, 0, sizeof(floods) / sizeof(floods[0]));
	tcase_add_test(tests, a_long_command_line_is_cut);
	tcase_add_test(tests, rules_outlive_the_image_they_were_in);
	tcase_add_test(tests, the_summary_says_what_who_why_and_what_to_do);
	tcase_add_test(tests, where_each_was_said_only_the_count_is);
	tcase_add_test(tests, the_summary_stops_at_ten_and_stays_clean);
	tcase_add_test(tests, no_kind_hides_behind_another_in_the_summary);
	tcase_add_test(tests, a_single_refusal_prints_as_in_the_summary);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
