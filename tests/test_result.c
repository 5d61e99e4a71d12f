/* SPDX-License-Identifier: MIT */
/*
 * test_result.c - what the result says in JSON.
 */
#include "result_help.h"

#include <signal.h>

START_TEST(a_run_without_refusals_says_all_the_rest)
{
	struct result *result = result_new(NULL);
	json_t *json = written(result, &identity, &outcome, NULL);
	json_t *label = json_object_get(json, "labels"), *enforcement = json_object_get(json, "enforcement");
	ck_assert_int_eq(integer_at(json, "schema"), 1);
	ck_assert_str_eq(string_at(json, "tool_id"), "tool");
	ck_assert_str_eq(string_at(json, "trace_id"), "");
	ck_assert_str_eq(string_at(json, "cwd"), "/home/u/proj");
	ck_assert_str_eq(json_string_value(json_array_get(json_object_get(json, "command"), 1)), "tool.py");
	ck_assert_str_eq(string_at(label, "team"), "a=b");
	ck_assert_str_eq(string_at(label, "empty"), "");
	ck_assert_str_eq(string_at(json, "started_at"), "2023-11-14T22:13:20.123Z");
	ck_assert_int_eq(integer_at(json, "duration_ms"), 12);
	ck_assert(json_is_true(json_object_get(json, "success")));
	ck_assert_int_eq(integer_at(json, "exit_code"), 0);
	ck_assert(json_is_null(json_object_get(json, "signal")));
	ck_assert(json_is_false(json_object_get(json, "timed_out")));
	ck_assert(json_is_null(json_object_get(json, "resource_limited")));
	ck_assert(json_object_get(json, "stdout") == NULL);
	ck_assert(json_is_false(json_object_get(json, "truncated")));
	ck_assert_int_eq(integer_at(json_object_get(json, "resource_usage"), "cpu_time_ms"), 5);
	ck_assert_str_eq(string_at(enforcement, "level"), "seccomp");
	ck_assert_int_eq(integer_at(enforcement, "supervisor_stops"), 41);
	ck_assert_uint_eq(json_array_size(json_object_get(json, "violations")), 0);
	ck_assert_uint_eq(json_array_size(json_object_get(json, "sandbox_violations")), 0);
	char *text = summary(result, &outcome);
	ck_assert_str_eq(text, "");
	free(text);
	json_decref(json);
	result_free(result);
}
END_TEST

static const struct {
	int exit_code, signal;
	bool timed_out;
	const char *limited;
	bool ended, success;
	const char *signal_name;
} endings[] = {
	{0, 0, false, NULL, false, true, NULL},
	{3, 0, false, NULL, false, false, NULL},
	{-1, SIGKILL, false, NULL, false, false, "SIGKILL"},
	{-1, SIGSEGV, false, NULL, false, false, "SIGSEGV"},
	{0, 0, true, NULL, false, false, NULL},
	{0, 0, true, "wall_time_ms", false, false, NULL},
	{0, 0, false, "memory_bytes", true, false, NULL},
	{0, 0, false, "output_bytes", false, true, NULL}, /* it went on, and came to its end */
	{-1, 37, false, NULL, false, false, "SIGRTMIN+3"},
};

START_TEST(the_end_is_told_as_it_was)
{
	struct result *result = result_new(NULL);
	struct run_outcome how = outcome;
	how.exit_code = endings[_i].exit_code;
	how.signal = endings[_i].signal;
	how.timed_out = endings[_i].timed_out;
	how.resource_limited = endings[_i].limited;
	how.ended_by_limit = endings[_i].ended;
	json_t *json = written(result, &identity, &how, NULL);
	ck_assert_int_eq(json_is_true(json_object_get(json, "success")), endings[_i].success);
	if (endings[_i].signal_name != NULL) {
		ck_assert_str_eq(string_at(json, "signal"), endings[_i].signal_name);
		ck_assert(json_is_null(json_object_get(json, "exit_code")));
	} else {
		ck_assert_int_eq(integer_at(json, "exit_code"), endings[_i].exit_code);
	}
	size_t lines = json_array_size(json_object_get(json, "sandbox_violations"));
	ck_assert_uint_eq(lines, endings[_i].timed_out ? 1 : 0);
	char *text = summary(result, &how);
	ck_assert_int_eq(strncmp(text, "picket: ", 8) == 0, endings[_i].timed_out || endings[_i].limited != NULL);
	free(text);
	json_decref(json);
	result_free(result);
}
END_TEST

START_TEST(a_violation_is_written_whole)
{
	cleanup_free struct image *image = image_of_one_rule();
	struct result *result = result_new(image);
	result_add(result, &example);
	json_t *json = written(result, &identity, &outcome, NULL), *one = violation_at(json, 0);
	json_t *rule = json_object_get(one, "rule"), *above = json_object_get(one, "ancestry");
	ck_assert_int_eq(integer_at(one, "seq"), 1);
	ck_assert(json_real_value(json_object_get(one, "at")) > 1.6e9);
	ck_assert_str_eq(string_at(one, "kind"), "file_read");
	ck_assert_str_eq(string_at(one, "action"), "denied");
	ck_assert_int_eq(integer_at(one, "count"), 1);
	ck_assert_str_eq(string_at(one, "target"), "/home/u/.ssh/id_rsa");
	ck_assert_str_eq(string_at(one, "requested"), "../.ssh/id_rsa");
	ck_assert_str_eq(string_at(one, "syscall"), "openat");
	ck_assert_str_eq(string_at(one, "errno"), "EACCES");
	ck_assert_int_eq(integer_at(one, "pid"), 4242);
	ck_assert_int_eq(integer_at(one, "tid"), 4243);
	ck_assert_str_eq(string_at(one, "exe"), "/usr/bin/python3.11");
	ck_assert_str_eq(string_at(one, "command"), "python3 tool.py");
	ck_assert_str_eq(string_at(one, "cwd"), "/home/u/proj");
	ck_assert_uint_eq(json_array_size(above), 2);
	ck_assert_int_eq(integer_at(json_array_get(above, 1), "pid"), 1);
	ck_assert_str_eq(string_at(json_array_get(above, 0), "exe"), "/usr/bin/dash");
	ck_assert_str_eq(string_at(one, "origin"), "raw");
	ck_assert_str_eq(string_at(rule, "source"), "policy.conf:12");
	ck_assert_str_eq(string_at(rule, "key"), "filesystem.deny");
	ck_assert_str_eq(string_at(rule, "value"), "~/.ssh");
	ck_assert_str_eq(string_at(one, "allow_with"), "--read /home/u/.ssh/id_rsa");
	ck_assert_int_eq(integer_at(json, "violation_count"), 1);
	ck_assert_int_eq(integer_at(json, "violations_dropped"), 0);
	json_decref(json);
	result_free(result);
}
END_TEST

START_TEST(what_is_not_known_is_null)
{
	struct violation bare = {.kind = VIOLATION_INTERFACE,
				 .action = ACTION_AUDITED,
				 .target = "io_uring_setup",
				 .syscall = "io_uring_setup",
				 .rule = RULE_ALWAYS};
	struct result *result = result_new(NULL);
	result_add(result, &bare);
	bare.rule = RULE_DEFAULT;
	result_add(result, &bare);
	json_t *json = written(result, &identity, &outcome, NULL), *one = violation_at(json, 0);
	ck_assert(json_is_null(json_object_get(one, "errno")));
	ck_assert(json_is_null(json_object_get(one, "requested")));
	ck_assert(json_is_null(json_object_get(one, "exe")));
	ck_assert(json_is_null(json_object_get(one, "allow_with")));
	ck_assert_uint_eq(json_array_size(json_object_get(one, "ancestry")), 0);
	ck_assert_str_eq(string_at(json_object_get(one, "rule"), "source"), "built in");
	ck_assert_str_eq(string_at(json_object_get(one, "rule"), "key"), "always");
	ck_assert(json_is_null(json_object_get(json_object_get(one, "rule"), "value")));
	one = violation_at(json, 1);
	ck_assert_str_eq(string_at(json_object_get(one, "rule"), "key"), "default");
	ck_assert(json_is_null(json_object_get(json_object_get(one, "rule"), "source")));
	json_decref(json);
	result_free(result);
}
END_TEST

static const struct {
	enum violation_kind kind;
	const char *name, *line;
} kind_rows[] = {
	{VIOLATION_FILE_READ, "file_read", "deny file-read* T\\nx"},
	{VIOLATION_FILE_WRITE, "file_write", "deny file-write* T\\nx"},
	{VIOLATION_PROCESS_EXEC, "process_exec", "deny process-exec* T\\nx"},
	{VIOLATION_NETWORK_OUTBOUND, "network_outbound", "deny network-outbound T\\nx"},
	{VIOLATION_NETWORK_BIND, "network_bind", "deny network-bind T\\nx"},
	{VIOLATION_PROCESS_CONTROL, "process_control", "deny T\\nx"},
	{VIOLATION_PRIVILEGE, "privilege", "deny T\\nx"},
	{VIOLATION_INTERFACE, "interface", "deny T\\nx"},
};

START_TEST(each_kind_has_its_name_and_its_line)
{
	struct result *result = result_new(NULL);
	struct violation one = example;
	one.kind = kind_rows[_i].kind;
	one.target = "T\nx";
	result_add(result, &one);
	json_t *json = written(result, &identity, &outcome, NULL);
	ck_assert_str_eq(string_at(violation_at(json, 0), "kind"), kind_rows[_i].name);
	ck_assert_str_eq(json_string_value(json_array_get(json_object_get(json, "sandbox_violations"), 0)),
			 kind_rows[_i].line);
	json_decref(json);
	result_free(result);
}
END_TEST

START_TEST(lines_are_told_once_for_each_target)
{
	struct result *result = result_new(NULL);
	struct violation one = example;
	struct run_outcome late = outcome;
	late.timed_out = true;
	result_add(result, &one);
	one.exe = "/usr/bin/cat"; /* the same line */
	result_add(result, &one);
	one.kind = VIOLATION_PRIVILEGE;
	result_add(result, &one);
	one.kind = VIOLATION_INTERFACE; /* the same line as the one before */
	result_add(result, &one);
	json_t *json = written(result, &identity, &late, NULL), *lines = json_object_get(json, "sandbox_violations");
	ck_assert_uint_eq(json_array_size(json_object_get(json, "violations")), 4);
	ck_assert_uint_eq(json_array_size(lines), 3);
	ck_assert_str_eq(json_string_value(json_array_get(lines, 2)), "timeout_exceeded");
	json_decref(json);
	result_free(result);
}
END_TEST

/* Any bytes come back: as text where they are UTF-8, else from the sibling. */
static const struct {
	const char *bytes, *text, *base64;
} byte_rows[] = {
	{"/tmp/plain", "/tmp/plain", NULL},
	{"/tmp/\xc3\xa9", "/tmp/\xc3\xa9", NULL},
	{"/tmp/\"\\\n\x1b[31m\x7f", "/tmp/\"\\\n\x1b[31m\x7f", NULL},
	{"/tmp/\xff", "/tmp/\\xff", "L3RtcC//"},
	{"\x80\xc3\xa9", "\\x80\xc3\xa9", "gMOp"},
	{"\xc3", "\\xc3", "ww=="},
	{"\xed\xa0\x80", "\\xed\\xa0\\x80", "7aCA"},
	{"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80", "9JCAgA=="},
	{"\xc0\xaf", "\\xc0\\xaf", "wK8="},
	{"\xf0\x9f\x8d\x8c", "\xf0\x9f\x8d\x8c", NULL},
	{"", "", NULL},
};

START_TEST(any_bytes_can_be_read_back)
{
	const char *bytes = byte_rows[_i].bytes;
	struct ancestor above = {7, bytes};
	struct violation one = {.kind = VIOLATION_FILE_READ,
				.target = bytes,
				.requested = bytes,
				.syscall = "open",
				.exe = bytes,
				.command = bytes,
				.cwd = bytes,
				.allow_with = bytes,
				.ancestry = &above,
				.ancestor_count = 1,
				.rule = RULE_DEFAULT};
	static const char *const keys[] = {"target", "requested", "exe", "command", "cwd", "allow_with"};
	char *words[] = {(char *)"x", (char *)bytes, NULL};
	struct run_identity who = {.command = words, .cwd = bytes, .tool_id = bytes};
	struct result *result = result_new(NULL);
	result_add(result, &one);
	json_t *json = written(result, &who, &outcome, NULL);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		char sibling[64];
		snprintf(sibling, sizeof(sibling), "%s_base64", keys[i]);
		ck_assert_str_eq(string_at(violation_at(json, 0), keys[i]), byte_rows[_i].text);
		if (byte_rows[_i].base64 != NULL)
			ck_assert_str_eq(string_at(violation_at(json, 0), sibling), byte_rows[_i].base64);
		else
			ck_assert(json_object_get(violation_at(json, 0), sibling) == NULL);
	}
	json_t *exact = json_object_get(json, "command_base64");
	ck_assert_int_eq(exact != NULL, byte_rows[_i].base64 != NULL);
	if (exact != NULL) {
		ck_assert_str_eq(json_string_value(json_array_get(exact, 0)), "eA==");
		ck_assert_str_eq(json_string_value(json_array_get(exact, 1)), byte_rows[_i].base64);
		ck_assert_str_eq(
			string_at(json_array_get(json_object_get(violation_at(json, 0), "ancestry"), 0), "exe_base64"),
			byte_rows[_i].base64);
	}
	json_decref(json);
	result_free(result);
}
END_TEST

static const struct {
	const char *out, *err;
	size_t out_length, err_length;
	const char *both;
	size_t both_length;
} outputs[] = {
	{"hello", "", 5, 0, "hello", 5},
	{"", "oops", 0, 4, "\n--- stderr ---\noops", 20},
	{"hello\n", "oops\n", 6, 5, "hello\n\n--- stderr ---\noops\n", 27},
	{"a\0b", "", 3, 0, "a\0b", 3},
	{"", "", 0, 0, "", 0},
};

START_TEST(captured_output_is_in_the_result)
{
	struct result *result = result_new(NULL);
	struct run_output output = {outputs[_i].out, outputs[_i].out_length, outputs[_i].err, outputs[_i].err_length,
				    true};
	json_t *json = written(result, &identity, &outcome, &output);
	ck_assert_uint_eq(json_string_length(json_object_get(json, "stdout")), outputs[_i].out_length);
	ck_assert_uint_eq(json_string_length(json_object_get(json, "stderr")), outputs[_i].err_length);
	ck_assert_uint_eq(json_string_length(json_object_get(json, "output")), outputs[_i].both_length);
	ck_assert_mem_eq(string_at(json, "output"), outputs[_i].both, outputs[_i].both_length);
	ck_assert(json_is_true(json_object_get(json, "truncated")));
	json_decref(json);
	result_free(result);
}
END_TEST

START_TEST(captured_bytes_that_are_no_text_come_back_exactly)
{
	struct result *result = result_new(NULL);
	struct run_output output = {"\xff\0", 2, "", 0, false};
	json_t *json = written(result, &identity, &outcome, &output);
	ck_assert_str_eq(string_at(json, "stdout_base64"), "/wA=");
	ck_assert_str_eq(string_at(json, "output_base64"), "/wA=");
	ck_assert(json_object_get(json, "stderr_base64") == NULL);
	json_decref(json);
	result_free(result);
}
END_TEST

START_TEST(a_plugin_is_named_with_what_it_was_given)
{
	static const char *const asked[] = {"fs:read", "net:connect", NULL}, *const given[] = {"fs:read", NULL};
	static const char *const withheld[] = {"net:connect", NULL};
	const struct plugin_identity plugin = {.id = "my-plugin",
					       .version = "1.0.0",
					       .signer = "release@example.org",
					       .scheme = "ed25519",
					       .content_hash = "00ff",
					       .asked = asked,
					       .given = given,
					       .withheld = withheld,
					       .verified = true};
	struct run_identity who = identity;
	who.plugin = &plugin;
	struct result *result = result_new(NULL);
	json_t *json = written(result, &who, &outcome, NULL), *one = json_object_get(json, "plugin");
	json_t *capabilities = json_object_get(one, "capabilities");
	ck_assert_str_eq(string_at(one, "id"), "my-plugin");
	ck_assert_str_eq(string_at(one, "version"), "1.0.0");
	ck_assert_str_eq(string_at(one, "signed_by"), "release@example.org");
	ck_assert(json_is_null(json_object_get(one, "key_id")));
	ck_assert_str_eq(string_at(one, "scheme"), "ed25519");
	ck_assert_str_eq(string_at(one, "content_hash"), "00ff");
	ck_assert(json_is_true(json_object_get(one, "verified")));
	ck_assert_uint_eq(json_array_size(json_object_get(capabilities, "asked")), 2);
	ck_assert_uint_eq(json_array_size(json_object_get(capabilities, "given")), 1);
	ck_assert_uint_eq(json_array_size(json_object_get(capabilities, "in_part")), 0);
	ck_assert_str_eq(json_string_value(json_array_get(json_object_get(capabilities, "withheld"), 0)),
			 "net:connect");
	json_decref(json);
	json = written(result, &identity, &outcome, NULL);
	ck_assert_ptr_null(json_object_get(json, "plugin"));
	json_decref(json);
	result_free(result);
}
END_TEST

static long allocations_left;

static void *allocate(size_t size)
{
	return allocations_left-- > 0 ? malloc(size) : NULL;
}

START_TEST(whichever_allocation_fails_it_is_told)
{
	struct result *result = result_new(NULL);
	struct violation one = example;
	struct run_output output = {"\xff", 1, "e", 1, false};
	int fd = memfd_create("result", 0), error = -ENOMEM;
	one.target = "/\xff";
	result_add(result, &one);
	json_set_alloc_funcs(allocate, free);
	for (long n = 0; error != 0; n++) {
		ck_assert_int_lt(n, 10000);
		allocations_left = n;
		error = result_write(result, &identity, &outcome, &output, fd);
		ck_assert_int_eq(error, allocations_left < 0 ? -ENOMEM : 0);
	}
	close(fd);
	result_free(result);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("result");
	TCase *tests = tcase_create("result");
	tcase_add_test(tests, a_run_without_refusals_says_all_the_rest);
	tcase_add_loop_test(tests, the_end_is_told_as_it_was, 0, sizeof(endings) / sizeof(endings[0]));
	tcase_add_test(tests, a_violation_is_written_whole);
	tcase_add_test(tests, what_is_not_known_is_null);
	tcase_add_loop_test(tests, each_kind_has_its_name_and_its_line, 0, sizeof(kind_rows) / sizeof(kind_rows[0]));
	tcase_add_test(tests, lines_are_told_once_for_each_target);
	tcase_add_loop_test(tests, any_bytes_can_be_read_back, 0, sizeof(byte_rows) / sizeof(byte_rows[0]));
	tcase_add_loop_test(tests, captured_output_is_in_the_result, 0, sizeof(outputs) / sizeof(outputs[0]));
	tcase_add_test(tests, captured_bytes_that_are_no_text_come_back_exactly);
	tcase_add_test(tests, a_plugin_is_named_with_what_it_was_given);
	tcase_add_test(tests, whichever_allocation_fails_it_is_told);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
