/* SPDX-License-Identifier: MIT */
/*
 * result_help.h - a run and a refusal for the tests of the result, and ways to
 * read what was written.
 */
#ifndef PICKET_TESTS_RESULT_HELP_H
#define PICKET_TESTS_RESULT_HELP_H

#include "result.h"

#include <check.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "build.h"
#include "cleanup.h"
#include "escape.h"

static char *command[] = {(char *)"python3", (char *)"tool.py", NULL};
static char *labels[] = {(char *)"team=a=b", (char *)"empty=", NULL};

__attribute__((unused)) static const struct run_identity identity = {
	.command = command,
	.cwd = "/home/u/proj",
	.tool_id = "tool",
	.labels = labels,
};
__attribute__((unused)) static const struct run_outcome outcome = {
	.started_at_ns = UINT64_C(1700000000123456789),
	.duration_ns = UINT64_C(12999999),
	.level = "seccomp",
	.transport = "ptrace",
	.boundary = true,
	.not_higher_because = "notify: not in this version",
	.policy_digest = "sha256:00",
	.processes = 3,
	.supervisor_stops = 41,
	.cpu_time_ns = 5000000,
};

static const struct ancestor ancestry[] = {{4240, "/usr/bin/dash"}, {1, "/sbin/init"}};
__attribute__((unused)) static const struct violation example = {
	.kind = VIOLATION_FILE_READ,
	.action = ACTION_DENIED,
	.target = "/home/u/.ssh/id_rsa",
	.requested = "../.ssh/id_rsa",
	.syscall = "openat",
	.error = EACCES,
	.pid = 4242,
	.tid = 4243,
	.exe = "/usr/bin/python3.11",
	.command = "python3 tool.py",
	.cwd = "/home/u/proj",
	.ancestry = ancestry,
	.ancestor_count = 2,
	.origin = ORIGIN_RAW,
	.rule = 0,
	.allow_with = "--read /home/u/.ssh/id_rsa",
};

/* An image with one rule, number 0. */
static inline struct image *image_of_one_rule(void)
{
	struct image *image = NULL;
	size_t length;
	struct build *build = build_new();
	struct rule rule = {RULE_DENY, LAYER_FILE, "policy.conf:12", "~/.ssh", "/home/u/.ssh"};
	ck_assert_int_eq(build_path_rule(build, &rule), 0);
	ck_assert_int_eq(build_finish(build, &image, &length), 0);
	build_free(build);
	return image;
}

/* Everything in a file, NUL-terminated. */
static inline char *slurp(int fd, size_t *length)
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

static inline json_t *written(const struct result *result, const struct run_identity *who,
			      const struct run_outcome *how, const struct run_output *output)
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

static inline char *summary(const struct result *result, const struct run_outcome *how)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);
	result_summary(result, how, to);
	fclose(to);
	return text;
}

static inline const char *string_at(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	ck_assert_msg(text != NULL, "%s is no string", key);
	return text;
}

static inline json_int_t integer_at(const json_t *object, const char *key)
{
	ck_assert_msg(json_is_integer(json_object_get(object, key)), "%s is no integer", key);
	return json_integer_value(json_object_get(object, key));
}

static inline json_t *violation_at(const json_t *json, size_t index)
{
	return json_array_get(json_object_get(json, "violations"), index);
}

#endif
