/* SPDX-License-Identifier: MIT */
/*
 * coverage.c - prints the table of system calls. It knows no call by itself: all it says is in policy/syscalls.def and
 * in the words of policy/syscalls.c.
 */
#include "coverage.h"

#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <string.h>

#include "syscalls.h"

enum { COVERAGE_SCHEMA = 1 };

/* What is judged of one call, as text: never cut, as six arguments of the longest words fit. */
struct words {
	char text[256];
};

/* The single accesses and their words. */
static const struct {
	unsigned bit;
	const char *name;
} accesses[] = {
	{ACCESS_READ, "read"},
	{ACCESS_WRITE, "write"},
	{ACCESS_EXEC, "exec"},
	{ACCESS_LOOK, "look"},
};
enum { ACCESSES = sizeof(accesses) / sizeof(*accesses) };

/* Has the argument an access? */
static bool has_access(const struct call_arg *arg)
{
	return arg->kind == ARG_PATH || arg->kind == ARG_OBJECT;
}

/* Is the argument judged on its own? The others say how one of these is meant, or nothing that a policy asks. */
static bool is_judged(const struct call_arg *arg)
{
	static const bool only_modifies[ARG_KIND_COUNT] = {
		[ARG_UNUSED] = true,	 [ARG_ANY] = true,	[ARG_DIRFD] = true,	   [ARG_AT_FLAGS] = true,
		[ARG_OPEN_FLAGS] = true, [ARG_OPEN_HOW] = true, [ARG_RENAME_FLAGS] = true, [ARG_MAP_FLAGS] = true,
		[ARG_WATCH_MASK] = true, [ARG_ARGV] = true,	[ARG_ENVP] = true,
	};

	return !only_modifies[arg->kind];
}

static void append(struct words *words, const char *separator, const char *word)
{
	size_t used = strlen(words->text);

	snprintf(words->text + used, sizeof(words->text) - used, "%s%s", used ? separator : "", word);
}

/* "path: write, path: write"; "-" when no argument is judged. */
static struct words judged_words(const struct call *call)
{
	struct words words = {""};

	for (int i = 0; i < CALL_ARGS; i++) {
		const struct call_arg *arg = &call->args[i];

		if (!is_judged(arg))
			continue;
		append(&words, ", ", call_arg_kind_name(arg->kind));
		if (!has_access(arg))
			continue;
		if (!arg->access)
			append(&words, ": ", "by flags");
		for (int a = 0; a < ACCESSES; a++)
			if (arg->access & accesses[a].bit)
				append(&words, ": ", accesses[a].name);
	}
	return *words.text ? words : (struct words){"-"};
}

static const char *operation(const struct call *call)
{
	return call->op == OP_NONE ? "-" : call_op_name(call->op);
}

static void print_text(FILE *to)
{
	static const char form[] = "%-6s %-23s %-8s %-20s %-29s %s\n";

	fprintf(to, form, "NUMBER", "CALL", "CLASS", "WHAT IT DOES", "WHAT IS JUDGED", "HOW IT IS KEPT FREE OF RACES");
	for (long number = 0; number < CALL_NUMBERS; number++) {
		const struct call *call = call_find(number);
		char digits[8];

		if (call->class == CALL_UNLISTED)
			continue;
		snprintf(digits, sizeof(digits), "%6u", call->number);
		fprintf(to, form, digits, call->name, call_class_name(call->class), operation(call),
			judged_words(call).text, call_way(call));
	}
}

static void print_markdown(FILE *to)
{
	fputs("| number | call | class | what it does | what is judged | how it is kept free of races |\n"
	      "|---:|---|---|---|---|---|\n",
	      to);
	for (long number = 0; number < CALL_NUMBERS; number++) {
		const struct call *call = call_find(number);

		if (call->class == CALL_UNLISTED)
			continue;
		fprintf(to, "| %u | `%s` | %s | %s | %s | %s |\n", call->number, call->name,
			call_class_name(call->class), operation(call), judged_words(call).text, call_way(call));
	}
}

/* The words for the accesses of an argument; NULL: out of memory. */
static json_t *access_json(const struct call_arg *arg)
{
	json_t *names = json_array();
	int error = 0;

	if (!arg->access)
		error = json_array_append_new(names, json_string("by flags"));
	for (int a = 0; a < ACCESSES; a++)
		if (arg->access & accesses[a].bit)
			error |= json_array_append_new(names, json_string(accesses[a].name));
	if (!error)
		return names;
	json_decref(names);
	return NULL;
}

/* The judged arguments of a call; NULL: out of memory. */
static json_t *judged_json(const struct call *call)
{
	json_t *list = json_array();

	for (int i = 0; i < CALL_ARGS; i++) {
		const struct call_arg *arg = &call->args[i];
		json_t *one;

		if (!is_judged(arg))
			continue;
		one = json_pack("{s:i, s:s}", "argument", i, "kind", call_arg_kind_name(arg->kind));
		if ((has_access(arg) && json_object_set_new(one, "access", access_json(arg)) < 0) ||
		    json_array_append(list, one) < 0) {
			json_decref(one);
			json_decref(list);
			return NULL;
		}
		json_decref(one);
	}
	return list;
}

static int print_json(FILE *to)
{
	json_t *list = json_array();
	json_t *whole =
		json_pack("{s:i, s:s, s:o}", "schema", COVERAGE_SCHEMA, "architecture", "x86_64", "calls", list);
	int error = whole ? 0 : -ENOMEM;

	for (long number = 0; !error && number < CALL_NUMBERS; number++) {
		const struct call *call = call_find(number);
		json_t *row;

		if (call->class == CALL_UNLISTED)
			continue;
		row = json_pack("{s:i, s:s, s:s, s:s, s:o, s:s}", "number", call->number, "name", call->name, "class",
				call_class_name(call->class), "operation", call_op_name(call->op), "judged",
				judged_json(call), "way", call_way(call));
		if (json_array_append_new(list, row) < 0)
			error = -ENOMEM;
	}
	if (!error && (json_dumpf(whole, to, JSON_INDENT(1)) < 0 || fputc('\n', to) == EOF))
		error = -EIO;
	json_decref(whole);
	return error;
}

int coverage_print(FILE *to, enum coverage_format format)
{
	int error = 0;

	switch (format) {
	case COVERAGE_TEXT:
		print_text(to);
		break;
	case COVERAGE_MARKDOWN:
		print_markdown(to);
		break;
	case COVERAGE_JSON:
		error = print_json(to);
		break;
	default:
		return -EINVAL;
	}
	errno = 0;
	if (fflush(to) == EOF)
		return errno ? -errno : -EIO;
	return error ? error : ferror(to) ? -EIO : 0;
}
