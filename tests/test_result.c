/* SPDX-License-Identifier: MIT */
/*
 * test_result.c - the result: what is kept and counted, what the JSON says,
 * where it goes, what the summary shows.
 */
#include "result.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "build.h"
#include "cleanup.h"
#include "escape.h"

static char *command[] = { (char *)"python3", (char *)"tool.py", NULL };
static char *labels[] = { (char *)"team=a=b", (char *)"empty=", NULL };

static const struct run_identity identity = {
	.command = command, .cwd = "/home/u/proj", .tool_id = "tool", .labels = labels,
};
static const struct run_outcome outcome = {
	.started_at_ns = UINT64_C(1700000000123456789), .duration_ns = UINT64_C(12999999), .level = "seccomp",
	.transport = "ptrace", .boundary = true, .not_higher_because = "notify: not in this version",
	.policy_digest = "sha256:00", .processes = 3, .supervisor_stops = 41, .cpu_time_ns = 5000000,
};

static const struct ancestor ancestry[] = { { 4240, "/usr/bin/dash" }, { 1, "/sbin/init" } };
static const struct violation example = {
	.kind = VIOLATION_FILE_READ, .action = ACTION_DENIED, .target = "/home/u/.ssh/id_rsa",
	.requested = "../.ssh/id_rsa", .syscall = "openat", .error = EACCES, .pid = 4242, .tid = 4243,
	.exe = "/usr/bin/python3.11", .command = "python3 tool.py", .cwd = "/home/u/proj", .ancestry = ancestry,
	.ancestor_count = 2, .origin = ORIGIN_RAW, .rule = 0, .allow_with = "--read /home/u/.ssh/id_rsa",
};

/* An image with one rule, number 0. */
static struct image *image_of_one_rule(void)
{
	struct image *image = NULL;
	size_t length;
	struct build *build = build_new();
	struct rule rule = { RULE_DENY, LAYER_FILE, "policy.conf:12", "~/.ssh", "/home/u/.ssh" };
	ck_assert_int_eq(build_path_rule(build, &rule), 0);
	ck_assert_int_eq(build_finish(build, &image, &length), 0);
	build_free(build);
	return image;
}

/* Everything in a file, NUL-terminated. */
static char *slurp(int fd, size_t *length)
{
	struct stat status;
	ck_assert_int_eq(fstat(fd, &status), 0);
	char *text = malloc((size_t)status.st_size + 1);
	ck_assert_int_eq(pread(fd, text, (size_t)status.st_size, 0), status.st_size);
	text[status.st_size] = '\0';
	if (length != NULL)
		*length = (size_t)status.st_size;
	return text;
}

static json_t *written(const struct result *result, const struct run_identity *who, const struct run_outcome *how,
		       const struct run_output *output)
{
	int fd = memfd_create("result", 0);
	ck_assert_int_eq(result_write(result, who, how, output, fd), 0);
	size_t length;
	char *text = slurp(fd, &length);
	json_error_t error;
	json_t *json = json_loadb(text, length, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
	ck_assert_msg(json != NULL, "%s: %s", error.text, text);
	ck_assert(escape_is_utf8(text, length));
	ck_assert_int_eq(text[length - 1], '\n');
	close(fd);
	free(text);
	return json;
}

static char *summary(const struct result *result, const struct run_outcome *how)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);
	result_summary(result, how, to);
	fclose(to);
	return text;
}

static const char *string_at(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	ck_assert_msg(text != NULL, "%s is no string", key);
	return text;
}

static json_int_t integer_at(const json_t *object, const char *key)
{
	ck_assert_msg(json_is_integer(json_object_get(object, key)), "%s is no integer", key);
	return json_integer_value(json_object_get(object, key));
}

static json_t *violation_at(const json_t *json, size_t index)
{
	return json_array_get(json_object_get(json, "violations"), index);
}

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
	bool success;
	const char *signal_name;
} endings[] = {
	{ 0, 0, false, NULL, true, NULL },	 { 3, 0, false, NULL, false, NULL },
	{ -1, SIGKILL, false, NULL, false, "SIGKILL" }, { -1, SIGSEGV, false, NULL, false, "SIGSEGV" },
	{ 0, 0, true, NULL, false, NULL },	 { 0, 0, false, "wall_time_ms", false, NULL },
	{ -1, 37, false, NULL, false, "SIGRTMIN+3" },
};

START_TEST(the_end_is_told_as_it_was)
{
	struct result *result = result_new(NULL);
	struct run_outcome how = outcome;
	how.exit_code = endings[_i].exit_code;
	how.signal = endings[_i].signal;
	how.timed_out = endings[_i].timed_out;
	how.resource_limited = endings[_i].limited;
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
	struct violation bare = { .kind = VIOLATION_INTERFACE, .action = ACTION_AUDITED, .target = "io_uring_setup",
				  .syscall = "io_uring_setup", .rule = RULE_ALWAYS };
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

/* What tells refusals apart: each row against the example. */
static const struct {
	enum violation_kind kind;
	const char *target, *exe;
	uint32_t rule;
	bool same;
} others[] = {
	{ VIOLATION_FILE_READ, "/home/u/.ssh/id_rsa", "/usr/bin/python3.11", 0, true },
	{ VIOLATION_FILE_WRITE, "/home/u/.ssh/id_rsa", "/usr/bin/python3.11", 0, false },
	{ VIOLATION_FILE_READ, "/home/u/.ssh/id_rs", "/usr/bin/python3.11", 0, false },
	{ VIOLATION_FILE_READ, "/home/u/.ssh/id_rsa", "/usr/bin/cat", 0, false },
	{ VIOLATION_FILE_READ, "/home/u/.ssh/id_rsa", NULL, 0, false },
	{ VIOLATION_FILE_READ, "/home/u/.ssh/id_rsa", "/usr/bin/python3.11", RULE_DEFAULT, false },
	{ VIOLATION_FILE_READ, "/home/u/.ssh/id_rsa/usr/bin/python3.11", "", 0, false },
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

static const struct {
	enum violation_kind kind;
	const char *name, *line;
} kind_rows[] = {
	{ VIOLATION_FILE_READ, "file_read", "deny file-read* T\\nx" },
	{ VIOLATION_FILE_WRITE, "file_write", "deny file-write* T\\nx" },
	{ VIOLATION_PROCESS_EXEC, "process_exec", "deny process-exec* T\\nx" },
	{ VIOLATION_NETWORK_OUTBOUND, "network_outbound", "deny network-outbound T\\nx" },
	{ VIOLATION_NETWORK_BIND, "network_bind", "deny network-bind T\\nx" },
	{ VIOLATION_PROCESS_CONTROL, "process_control", "deny T\\nx" },
	{ VIOLATION_PRIVILEGE, "privilege", "deny T\\nx" },
	{ VIOLATION_INTERFACE, "interface", "deny T\\nx" },
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
	one.exe = "/usr/bin/cat";	/* the same line */
	result_add(result, &one);
	one.kind = VIOLATION_PRIVILEGE;
	result_add(result, &one);
	one.kind = VIOLATION_INTERFACE;	/* the same line as the one before */
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
	{ "/tmp/plain", "/tmp/plain", NULL },
	{ "/tmp/\xc3\xa9", "/tmp/\xc3\xa9", NULL },
	{ "/tmp/\"\\\n\x1b[31m\x7f", "/tmp/\"\\\n\x1b[31m\x7f", NULL },
	{ "/tmp/\xff", "/tmp/\\xff", "L3RtcC//" },
	{ "\x80\xc3\xa9", "\\x80\xc3\xa9", "gMOp" },
	{ "\xc3", "\\xc3", "ww==" },
	{ "\xed\xa0\x80", "\\xed\\xa0\\x80", "7aCA" },
	{ "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80", "9JCAgA==" },
	{ "\xc0\xaf", "\\xc0\\xaf", "wK8=" },
	{ "\xf0\x9f\x8d\x8c", "\xf0\x9f\x8d\x8c", NULL },
	{ "", "", NULL },
};

START_TEST(any_bytes_can_be_read_back)
{
	const char *bytes = byte_rows[_i].bytes;
	struct ancestor above = { 7, bytes };
	struct violation one = { .kind = VIOLATION_FILE_READ, .target = bytes, .requested = bytes, .syscall = "open",
				 .exe = bytes, .command = bytes, .cwd = bytes, .allow_with = bytes,
				 .ancestry = &above, .ancestor_count = 1, .rule = RULE_DEFAULT };
	static const char *const keys[] = { "target", "requested", "exe", "command", "cwd", "allow_with" };
	char *words[] = { (char *)"x", (char *)bytes, NULL };
	struct run_identity who = { .command = words, .cwd = bytes, .tool_id = bytes };
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
		ck_assert_str_eq(string_at(json_array_get(json_object_get(violation_at(json, 0), "ancestry"), 0),
					   "exe_base64"), byte_rows[_i].base64);
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
	{ "hello", "", 5, 0, "hello", 5 },
	{ "", "oops", 0, 4, "\n--- stderr ---\noops", 20 },
	{ "hello\n", "oops\n", 6, 5, "hello\n\n--- stderr ---\noops\n", 27 },
	{ "a\0b", "", 3, 0, "a\0b", 3 },
	{ "", "", 0, 0, "", 0 },
};

START_TEST(captured_output_is_in_the_result)
{
	struct result *result = result_new(NULL);
	struct run_output output = { outputs[_i].out, outputs[_i].out_length, outputs[_i].err, outputs[_i].err_length,
				     true };
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
	struct run_output output = { "\xff\0", 2, "", 0, false };
	json_t *json = written(result, &identity, &outcome, &output);
	ck_assert_str_eq(string_at(json, "stdout_base64"), "/wA=");
	ck_assert_str_eq(string_at(json, "output_base64"), "/wA=");
	ck_assert(json_object_get(json, "stderr_base64") == NULL);
	json_decref(json);
	result_free(result);
}
END_TEST

/* A million refusals: of `distinct` targets, `bytes` long. */
static const struct {
	unsigned distinct;
	size_t bytes;
} floods[] = { { 1, 20 }, { 1000000, 20 }, { 1000000, 4000 }, { 5000, 200 } };

START_TEST(a_flood_is_counted_and_bounded)
{
	enum { REFUSALS = 1000000 };
	struct result *result = result_new(NULL);
	struct violation one = { .kind = VIOLATION_FILE_READ, .syscall = "open", .rule = RULE_DEFAULT };
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
	one.kind = VIOLATION_NETWORK_OUTBOUND;	/* the one that the flood was to hide */
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

/* ---- files ---- */

static char directory[] = "/tmp/picket-result-XXXXXX";

static void enter_directory(void)
{
	ck_assert_ptr_nonnull(mkdtemp(directory));
	ck_assert_int_eq(chdir(directory), 0);
}

static void leave_directory(void)
{
	char line[64];
	snprintf(line, sizeof(line), "rm -rf %s", directory);
	ck_assert_int_eq(chdir("/"), 0);
	ck_assert_int_eq(system(line), 0);
}

static int entries(void)
{
	int count = 0;
	cleanup_dir DIR *dir = opendir(".");
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
		count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
	return count;
}

START_TEST(a_file_is_replaced_with_ordinary_modes)
{
	struct result *result = result_new(NULL);
	struct stat before, after;
	umask(027);
	ck_assert_int_eq(result_write_file(result, &identity, &outcome, NULL, "r.json"), 0);
	ck_assert_int_eq(stat("r.json", &before), 0);
	ck_assert_int_eq(before.st_mode & 07777, 0640);
	cleanup_fd int old = open("r.json", O_RDONLY);
	ck_assert_int_eq(result_write_file(result, &identity, &outcome, NULL, "r.json"), 0);
	ck_assert_int_eq(stat("r.json", &after), 0);
	ck_assert(before.st_ino != after.st_ino);
	ck_assert_int_eq(lseek(old, 0, SEEK_END), before.st_size);	/* a reader of the old one still has it whole */
	ck_assert_int_eq(entries(), 1);
	json_t *json = json_load_file("r.json", 0, NULL);
	ck_assert_ptr_nonnull(json);
	json_decref(json);
	result_free(result);
}
END_TEST

START_TEST(a_link_is_replaced_and_not_followed)
{
	struct result *result = result_new(NULL);
	struct stat status;
	ck_assert_int_eq(close(open("victim", O_CREAT | O_WRONLY, 0600)), 0);
	ck_assert_int_eq(symlink("victim", "r.json"), 0);
	ck_assert_int_eq(result_write_file(result, &identity, &outcome, NULL, "r.json"), 0);
	ck_assert_int_eq(stat("victim", &status), 0);
	ck_assert_int_eq(status.st_size, 0);
	ck_assert_int_eq(lstat("r.json", &status), 0);
	ck_assert(S_ISREG(status.st_mode));
	result_free(result);
}
END_TEST

START_TEST(a_moved_directory_leads_nowhere_else)
{
	struct result *result = result_new(NULL);
	struct result_file file;
	ck_assert_int_eq(mkdir("out", 0700), 0);
	ck_assert_int_eq(mkdir("elsewhere", 0700), 0);
	ck_assert_int_eq(result_file_open(&file, "out/r.json"), 0);
	ck_assert_int_eq(rename("out", "held"), 0);
	ck_assert_int_eq(symlink("elsewhere", "out"), 0);
	ck_assert_int_eq(result_file_write(&file, result, &identity, &outcome, NULL), 0);
	result_file_close(&file);
	ck_assert_int_eq(access("held/r.json", F_OK), 0);
	ck_assert_int_eq(access("elsewhere/r.json", F_OK), -1);
	result_free(result);
}
END_TEST

static const struct {
	const char *path;
	int error;
} wrong_paths[] = {
	{ "", -ENOENT }, { ".", -EISDIR }, { "/", -EISDIR }, { "d", -EISDIR }, { "d/", -EISDIR }, { "d/..", -EISDIR },
	{ "missing/r.json", -ENOENT }, { "f/r.json", -ENOTDIR }, { "/dev/fd/999", -ENOENT },
};

START_TEST(a_wrong_path_is_found_out_before_anything_runs)
{
	struct result_file file;
	ck_assert_int_eq(mkdir("d", 0700), 0);
	ck_assert_int_eq(close(open("f", O_CREAT | O_WRONLY, 0600)), 0);
	int error = result_file_open(&file, wrong_paths[_i].path);
	ck_assert_msg(error == wrong_paths[_i].error, "%s: %s", wrong_paths[_i].path, strerror(-error));
	ck_assert_int_eq(file.dirfd, -1);
	ck_assert_ptr_null(file.name);
}
END_TEST

START_TEST(devices_and_fifos_are_written_as_they_stand)
{
	struct result *result = result_new(NULL);
	struct stat status;
	ck_assert_int_eq(result_write_file(result, &identity, &outcome, NULL, "/dev/null"), 0);
	ck_assert_int_eq(stat("/dev/null", &status), 0);
	ck_assert(S_ISCHR(status.st_mode));
	ck_assert_int_eq(mkfifo("fifo", 0600), 0);
	cleanup_fd int reader = open("fifo", O_RDONLY | O_NONBLOCK);
	ck_assert_int_eq(result_write_file(result, &identity, &outcome, NULL, "fifo"), 0);
	char first;
	ck_assert_int_eq(read(reader, &first, 1), 1);
	ck_assert_int_eq(first, '{');
	ck_assert_int_eq(entries(), 1);
	result_free(result);
}
END_TEST

START_TEST(a_failed_write_leaves_the_old_file_and_no_litter)
{
	struct result *result = result_new(NULL);
	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(result_write_file(result, &identity, &outcome, NULL, "r.json"), 0);
	struct stat before, after;
	ck_assert_int_eq(stat("r.json", &before), 0);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 100, 100 }), 0);
	ck_assert_int_eq(result_write_file(result, &identity, &outcome, NULL, "r.json"), -EFBIG);
	ck_assert_int_eq(stat("r.json", &after), 0);
	ck_assert(before.st_ino == after.st_ino && before.st_size == after.st_size);
	ck_assert_int_eq(entries(), 1);
	result_free(result);
}
END_TEST

START_TEST(a_full_disk_is_reported)
{
	struct result *result = result_new(NULL);
	cleanup_fd int full = open("/dev/full", O_WRONLY);
	ck_assert_int_eq(result_write(result, &identity, &outcome, NULL, full), -ENOSPC);
	result_free(result);
}
END_TEST

START_TEST(a_reader_that_has_gone_is_an_error_and_no_death)
{
	struct result *result = result_new(NULL);
	int ends[2];
	ck_assert_int_eq(pipe(ends), 0);
	close(ends[0]);
	ck_assert_int_eq(result_write(result, &identity, &outcome, NULL, ends[1]), -EPIPE);
	ck_assert_int_eq(result_write(result, &identity, &outcome, NULL, 9999), -EBADF);
	result_free(result);
}
END_TEST

static void add_file_tests(Suite *suite)
{
	TCase *files = tcase_create("files");
	tcase_add_checked_fixture(files, enter_directory, leave_directory);
	tcase_add_test(files, a_file_is_replaced_with_ordinary_modes);
	tcase_add_test(files, a_link_is_replaced_and_not_followed);
	tcase_add_test(files, a_moved_directory_leads_nowhere_else);
	tcase_add_loop_test(files, a_wrong_path_is_found_out_before_anything_runs, 0,
			    sizeof(wrong_paths) / sizeof(wrong_paths[0]));
	tcase_add_test(files, devices_and_fifos_are_written_as_they_stand);
	tcase_add_test(files, a_failed_write_leaves_the_old_file_and_no_litter);
	tcase_add_test(files, a_full_disk_is_reported);
	tcase_add_test(files, a_reader_that_has_gone_is_an_error_and_no_death);
	suite_add_tcase(suite, files);
}

int main(void)
{
	Suite *suite = suite_create("result");
	TCase *json = tcase_create("json"), *store = tcase_create("store"), *text = tcase_create("summary");
	tcase_add_test(json, a_run_without_refusals_says_all_the_rest);
	tcase_add_loop_test(json, the_end_is_told_as_it_was, 0, sizeof(endings) / sizeof(endings[0]));
	tcase_add_test(json, a_violation_is_written_whole);
	tcase_add_test(json, what_is_not_known_is_null);
	tcase_add_loop_test(json, each_kind_has_its_name_and_its_line, 0, sizeof(kind_rows) / sizeof(kind_rows[0]));
	tcase_add_test(json, lines_are_told_once_for_each_target);
	tcase_add_loop_test(json, any_bytes_can_be_read_back, 0, sizeof(byte_rows) / sizeof(byte_rows[0]));
	tcase_add_loop_test(json, captured_output_is_in_the_result, 0, sizeof(outputs) / sizeof(outputs[0]));
	tcase_add_test(json, captured_bytes_that_are_no_text_come_back_exactly);
	suite_add_tcase(suite, json);
	tcase_set_timeout(store, 60);
	tcase_add_loop_test(store, the_same_refusal_again_is_counted, 0, sizeof(others) / sizeof(others[0]));
	tcase_add_loop_test(store, a_flood_is_counted_and_bounded, 0, sizeof(floods) / sizeof(floods[0]));
	tcase_add_test(store, a_long_command_line_is_cut);
	tcase_add_test(store, rules_outlive_the_image_they_were_in);
	suite_add_tcase(suite, store);
	tcase_add_test(text, the_summary_says_what_who_why_and_what_to_do);
	tcase_add_test(text, the_summary_stops_at_ten_and_stays_clean);
	tcase_add_test(text, a_single_refusal_prints_as_in_the_summary);
	suite_add_tcase(suite, text);
	add_file_tests(suite);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
