/* SPDX-License-Identifier: MIT */
/*
 * fuzz_cli.c - any command line, and any bytes as names in a result.
 *
 * The input is the words of a command line, with a NUL behind each. Either it is taken and what it says is in order,
 * or there is one sentence without a line's end. Then the same words are what a refused tool was called and wanted:
 * what is written of it is valid JSON in valid UTF-8, and its summary is one clean line.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cli.h"
#include "escape.h"
#include "result.h"

enum { MAX_WORDS = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
	if (!condition)
		abort();
}

/* In order: what is set points somewhere, what excludes each other is not both there. */
static void check_line(int argc, char **argv)
{
	struct cli cli;
	char error[CLI_ERROR_SIZE];
	int result = cli_parse(argc, argv, &cli, error);
	must((result != 0) == (error[0] != '\0'));
	must(strlen(error) < CLI_ERROR_SIZE);
	if (result == 0 && cli.command != NULL && !cli.help) {
		must(cli.operand_count <= (unsigned)argc && cli.job.policy.option_count <= (size_t)argc);
		must(cli.job.cwd != NULL && cli.job.cwd[0] == '/');
		must(!(cli.job.quiet && cli.job.verbose));
		must(cli.command->id != COMMAND_RUN || cli.job.command != NULL);
		for (size_t i = 0; i < cli.job.policy.option_count; i++)
			must(cli.job.policy.options[i].value != NULL ||
			     cli.job.policy.options[i].key == RULE_EXEC_ALLOW);
	}
	cli_free(&cli);
}

static void check_json(const struct result *result, const struct run_identity *who, const struct run_outcome *how,
		       const struct run_output *output)
{
	int fd = memfd_create("result", 0);
	must(fd >= 0 && result_write(result, who, how, output, fd) == 0);
	off_t length = lseek(fd, 0, SEEK_END);
	char *text = malloc((size_t)length + 1);
	must(text != NULL && pread(fd, text, (size_t)length, 0) == length);
	must(escape_is_utf8(text, (size_t)length));
	json_t *json = json_loadb(text, (size_t)length, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
	must(json != NULL && json_integer_value(json_object_get(json, "violation_count")) == 1);
	json_decref(json);
	free(text);
	close(fd);
}

static void check_summary(const struct result *result, const struct run_outcome *how)
{
	char *text = NULL;
	size_t length = 0;
	FILE *to = open_memstream(&text, &length);
	must(to != NULL);
	result_summary(result, how, to);
	fclose(to);
	must(length > 8 && memcmp(text, "picket: ", 8) == 0 && strchr(text, '\n') == text + length - 1);
	must(escape_is_utf8(text, length));
	for (size_t i = 0; i + 1 < length; i++)
		must((unsigned char)text[i] >= ' ' && text[i] != 0x7f);
	free(text);
}

static void check_result(int argc, char **argv, const uint8_t *data, size_t size)
{
	struct result *result = result_new(NULL);
	const char *word[6];
	for (int i = 0; i < 6; i++)
		word[i] = argv[i % argc];
	struct ancestor above = {1, word[5]};
	struct violation one = {.kind = (enum violation_kind)(size % 8),
				.target = word[1],
				.requested = word[2],
				.syscall = "open",
				.exe = word[3],
				.command = word[4],
				.cwd = word[5],
				.ancestry = &above,
				.ancestor_count = 1,
				.rule = RULE_DEFAULT,
				.allow_with = word[2]};
	struct run_identity who = {.command = argv, .cwd = word[1], .tool_id = word[2]};
	struct run_outcome how = {.level = "ptrace"};
	struct run_output output = {(const char *)data, size, (const char *)data, size / 2, false};
	must(result != NULL);
	result_add(result, &one);
	check_json(result, &who, &how, &output);
	check_summary(result, &how);
	result_free(result);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *argv[MAX_WORDS + 1] = {(char *)"picket"}, *words = malloc(size + 1);
	int argc = 1;
	must(words != NULL);
	memcpy(words, data, size);
	words[size] = '\0';
	for (char *word = words; word <= words + size && argc < MAX_WORDS; word += strlen(word) + 1)
		argv[argc++] = word;
	check_result(argc, argv, data, size);
	check_line(argc, argv);
	free(words);
	return 0;
}
