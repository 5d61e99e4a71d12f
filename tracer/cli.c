/* SPDX-License-Identifier: MIT */
/*
 * cli.c - reads the command line into struct cli. The tables of options.c say
 * what there is; here stands only what each option's value means.
 *
 * Rules: everything that can be found wrong without the policy is found here,
 * before anything runs, and said in one sentence. getopt is not used: it
 * prints by itself, takes unfinished names, and knows no nearest one.
 */
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli_places.h"
#include "escape.h"
#include "limit_names.h"
#include "suggest.h"

enum { MAX_NAMES = 96 }; /* candidates for a misspelt word */
enum { MAX_TIMEOUT_DIGITS = 9 };
#define NS_PER_MS UINT64_C(1000000)

_Static_assert((int)OPTION_COUNT <= MAX_NAMES && (int)COMMAND_COUNT <= MAX_NAMES, "room for the candidates");

/* The command line being read. */
struct parse {
	struct cli *cli;
	char **argv;
	int argc, at; /* `at`: the next word */
	char *error;  /* CLI_ERROR_SIZE */
};

__attribute__((format(printf, 2, 3))) static int fail(struct parse *parse, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(parse->error, CLI_ERROR_SIZE, format, arguments);
	va_end(arguments);
	return -EINVAL;
}

static int fail_memory(struct parse *parse)
{
	fail(parse, "out of memory");
	return -ENOMEM;
}

/* ' (did you mean "--read"?)', or "". `prefix` is what stands before the names in use; NULL ends them. */
static const char *meant(char text[128], const char *prefix, const char *word, const char *const *names)
{
	const char *nearest = suggest(word, names);
	text[0] = '\0';
	if (nearest != NULL)
		snprintf(text, 128, " (did you mean \"%s%s\"?)", prefix, nearest);
	return text;
}

/* ---- values ---- */

static int one_of(struct parse *parse, const struct option *option, const char *value, const char *const *names)
{
	char all[128] = "", hint[128];
	for (int i = 0; names[i] != NULL; i++) {
		if (strcmp(names[i], value) == 0)
			return i;
		size_t used = strlen(all);
		snprintf(all + used, sizeof(all) - used, "%s%s",
			 i == 0			? ""
			 : names[i + 1] == NULL ? " or "
						: ", ",
			 names[i]);
	}
	return fail(parse, "--%s is %s, not \"%s\"%s", option->name, all, value, meant(hint, "", value, names));
}

/* Level by name, or LEVEL_COUNT for "auto" where that may stand; or an error. */
static int parse_level(struct parse *parse, const struct option *option, const char *value)
{
	const char *names[LEVEL_COUNT + 2] = {NULL};
	for (unsigned i = 0; i < LEVEL_COUNT; i++)
		names[i] = level_name((enum level)i);
	if (option->kind == VALUE_LEVEL_AUTO)
		names[LEVEL_COUNT] = "auto";
	return one_of(parse, option, value, names);
}

/* An option that is a limit of the policy. */
static int parse_limit(struct parse *parse, const struct option *option, const char *text)
{
	struct job *job = &parse->cli->job;
	unsigned i = 0;
	while (strcmp(limit_names[i].option, option->name) != 0)
		i++;
	const struct limit_name *limit = &limit_names[i];
	uint64_t value = 0;
	int error = limit_parse(limit->kind, text, &value);
	if (error == -EINVAL)
		return fail(parse, "--%s takes %s, not \"%s\"", option->name, limit_form(limit->kind), text);
	if (option->id == OPTION_TIMEOUT)
		job->timeout_ns = value;
	if (limit->kind == LIMIT_TIME)
		value = value / NS_PER_MS + (value % NS_PER_MS != 0);
	if (error != 0 || value > limit->most)
		return fail(parse, "--%s %s is too large; 0 is no limit", option->name, text);
	*limit_value(&job->policy.limits, limit) = value;
	job->policy.limits_given |= 1u << i;
	return 0;
}

/* Whole seconds of a manifest. */
static int parse_timeout_secs(struct parse *parse, const char *value, unsigned *seconds)
{
	size_t digits = strspn(value, "0123456789");
	if (digits == 0 || digits > MAX_TIMEOUT_DIGITS || value[digits] != '\0' || atoi(value) == 0)
		return fail(parse, "--timeout-secs takes whole seconds, not \"%s\"", value);
	*seconds = (unsigned)atoi(value);
	return 0;
}

static int parse_fd(struct parse *parse, const char *value, int *fd)
{
	size_t digits = strspn(value, "0123456789");
	if (digits == 0 || digits > 9 || value[digits] != '\0')
		return fail(parse, "--result-fd takes the number of an open descriptor, not \"%s\"", value);
	int number = atoi(value), flags = fcntl(number, F_GETFL);
	if (flags < 0)
		return fail(parse, "--result-fd %d: this descriptor is not open", number);
	if ((flags & O_ACCMODE) == O_RDONLY || (flags & O_PATH) != 0)
		return fail(parse, "--result-fd %d: this descriptor is not open for writing", number);
	*fd = number;
	return 0;
}

static int add_label(struct parse *parse, char *value)
{
	size_t key = strcspn(value, "=");
	if (key == 0 || value[key] != '=')
		return fail(parse, "--label takes KEY=VALUE, not \"%s\"", value);
	if (!escape_is_utf8(value, key))
		return fail(parse, "--label \"%s\": the key is not valid UTF-8", value);
	parse->cli->job.labels[parse->cli->label_count++] = value;
	return 0;
}

/* ---- what each option does ---- */

static void add_rule(struct cli *cli, enum rule_key key, const char *value)
{
	cli->rules[cli->job.policy.option_count++] = (struct policy_option){.key = key, .value = value};
}

/* An option that is a rule of the policy. */
static void apply_rule(struct cli *cli, enum option_id id, const char *value)
{
	static const enum rule_key keys[OPTION_COUNT] = {
		[OPTION_READ] = RULE_READ,	 [OPTION_WRITE] = RULE_WRITE,
		[OPTION_DENY] = RULE_DENY,	 [OPTION_HIDE] = RULE_HIDE,
		[OPTION_FORBID] = RULE_FORBID,	 [OPTION_READ_ONLY] = RULE_READ_ONLY,
		[OPTION_EXEC] = RULE_EXEC_ALLOW, [OPTION_NO_EXEC] = RULE_EXEC_ALLOW,
		[OPTION_CONNECT] = RULE_CONNECT, [OPTION_BIND] = RULE_BIND,
	};
	if (id == OPTION_ENV && value != NULL)
		add_rule(cli, strchr(value, '=') != NULL ? RULE_ENV_SET : RULE_ENV_KEEP, value);
	else
		add_rule(cli, keys[id], value);
}

static int apply_level(struct parse *parse, const struct option *option, const char *value)
{
	struct level_wish *wish = &parse->cli->job.level;
	int level = parse_level(parse, option, value);
	if (level < 0)
		return level;
	if (option->id == OPTION_REQUIRE) {
		wish->at_least = true;
		wish->require = (enum level)level;
	} else if (level < LEVEL_COUNT) {
		wish->exactly = true;
		wish->enforce = (enum level)level;
	}
	return 0;
}

/* Options whose value is not taken as it stands, or that have none. */
static int apply_special(struct parse *parse, const struct option *option, char *value)
{
	static const char *const actions[] = {"deny", "kill", "audit", NULL};
	struct job *job = &parse->cli->job;
	if (option->id == OPTION_RESULT_FD)
		return parse_fd(parse, value, &job->result_fd);
	if (option->id == OPTION_ENFORCE || option->id == OPTION_REQUIRE)
		return apply_level(parse, option, value);
	if (option->id >= OPTION_MEMORY && option->id <= OPTION_CPU_WEIGHT)
		return parse_limit(parse, option, value);
	if (option->id == OPTION_LABEL)
		return add_label(parse, value);
	if (option->id == OPTION_CAPABILITY) {
		parse->cli->plugin.capabilities[parse->cli->plugin.capability_count++] = value;
		return 0;
	}
	if (option->id == OPTION_TIMEOUT_SECS)
		return parse_timeout_secs(parse, value, &parse->cli->plugin.timeout_secs);
	if (option->id == OPTION_ON_VIOLATION) {
		job->policy.on_violation = value;
		int action = one_of(parse, option, value, actions);
		return action < 0 ? action : 0;
	}
	return fail(parse, "--%s: not known here", option->name); /* a row without a meaning; test_cli tries all */
}

/* A value as it stands; what a path stands for is found out when all is read. */
static void take_string(struct cli *cli, const struct option *option, const char **to, const char *value)
{
	*to = value;
	if (option->kind == VALUE_FILE || option->kind == VALUE_DIRECTORY)
		cli->paths[cli->path_count++] = (struct cli_path){option, to};
}

static int apply(struct parse *parse, const struct option *option, char *value)
{
	struct cli *cli = parse->cli;
	struct job *job = &cli->job;
	bool *const flags[OPTION_COUNT] = {
		[OPTION_HELP] = &cli->help,
		[OPTION_JSON] = &cli->json,
		[OPTION_MARKDOWN] = &cli->markdown,
		[OPTION_CAPTURE] = &job->capture,
		[OPTION_PROGRESS] = &job->progress,
		[OPTION_QUIET] = &job->quiet,
		[OPTION_VERBOSE] = &job->verbose,
		[OPTION_FAIL_ON_VIOLATION] = &job->fail_on_violation,
		[OPTION_ALLOW_SHORT_KEY] = &cli->plugin.allow_short_key,
		[OPTION_HMAC] = &cli->plugin.hmac,
		[OPTION_EMBED] = &cli->plugin.embed,
		[OPTION_TRUST] = &cli->plugin.trust,
	};
	const char **const strings[OPTION_COUNT] = {
		[OPTION_POLICY] = &job->policy.file,
		[OPTION_PROFILE] = &job->policy.profile,
		[OPTION_CHDIR] = &cli->chdir,
		[OPTION_RESULT] = &job->result_file,
		[OPTION_TOOL_ID] = &job->tool_id,
		[OPTION_TRACE_ID] = &job->trace_id,
		[OPTION_REQUEST_ID] = &job->request_id,
		[OPTION_REQUEST] = &cli->plugin.request,
		[OPTION_REGISTRY] = &cli->plugin.registry,
		[OPTION_TRUSTED] = &cli->plugin.trusted,
		[OPTION_KEY_FILE] = &cli->plugin.key_file,
		[OPTION_MANIFEST] = &cli->plugin.manifest,
		[OPTION_KEY] = &cli->plugin.key,
		[OPTION_OUTPUT] = &cli->plugin.output,
		[OPTION_ID] = &cli->plugin.id,
		[OPTION_NAME] = &cli->plugin.name,
		[OPTION_VERSION] = &cli->plugin.version,
		[OPTION_SIGNER] = &cli->plugin.signer,
		[OPTION_EXPIRES] = &cli->plugin.expires,
	};
	if (cli->given[option->id] > 0 && !option->repeatable)
		return fail(parse, "--%s was given twice", option->name);
	if (cli->given[option->id] < UCHAR_MAX)
		cli->given[option->id]++;
	if (flags[option->id] != NULL)
		*flags[option->id] = true;
	else if (strings[option->id] != NULL)
		take_string(cli, option, strings[option->id], value);
	else if (option->id >= OPTION_READ && option->id <= OPTION_ENV)
		apply_rule(cli, option->id, value);
	else
		return apply_special(parse, option, value);
	return 0;
}

/* ---- words ---- */

static const struct option *find_long(const struct command *command, const char *name, size_t length)
{
	const struct option *option;
	for (size_t i = 0; (option = command_option(command, i)) != NULL; i++) {
		if (strlen(option->name) == length && strncmp(option->name, name, length) == 0)
			return option;
	}
	return NULL;
}

static const struct option *find_letter(const struct command *command, char letter)
{
	const struct option *option;
	for (size_t i = 0; (option = command_option(command, i)) != NULL; i++) {
		if (option->letter == letter)
			return option;
	}
	return NULL;
}

/* No such long option: of another command, or misspelt? */
static int fail_unknown(struct parse *parse, const char *name, size_t length)
{
	const struct command *command = parse->cli->command;
	const struct option *option;
	const char *names[MAX_NAMES + 1] = {NULL};
	size_t count = 0;
	char hint[128], word[64];
	snprintf(word, sizeof(word), "%.*s", (int)(length < 63 ? length : 63), name);
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		if (find_long(&commands[i], name, length) != NULL)
			return fail(parse, "--%s is an option of %s, not of %s", word, commands[i].name, command->name);
	}
	for (size_t i = 0; (option = command_option(command, i)) != NULL && count < MAX_NAMES; i++)
		names[count++] = option->name;
	return fail(parse, "unknown option \"--%s\"%s; see \"picket help %s\"", word, meant(hint, "--", word, names),
		    command->name);
}

/* The value that follows as a word of its own. One that looks like an option is most likely a value forgotten. */
static int next_value(struct parse *parse, const struct option *option, char **value)
{
	if (parse->at >= parse->argc || strcmp(parse->argv[parse->at], "--") == 0)
		return fail(parse, "--%s needs a value: %s", option->name, option->value);
	*value = parse->argv[parse->at];
	if (strncmp(*value, "--", 2) == 0)
		return fail(parse, "--%s needs a value: %s (if \"%s\" is meant: --%s=%s)", option->name, option->value,
			    *value, option->name, *value);
	parse->at++;
	return 0;
}

static int parse_long(struct parse *parse, char *word)
{
	size_t length = strcspn(word, "=");
	char *value = word[length] == '=' ? word + length + 1 : NULL;
	const struct option *option = find_long(parse->cli->command, word, length);
	if (option == NULL)
		return fail_unknown(parse, word, length);
	if (option->value == NULL && value != NULL)
		return fail(parse, "--%s takes no value", option->name);
	if (option->value != NULL && value == NULL) {
		int error = next_value(parse, option, &value);
		if (error != 0)
			return error;
	}
	return apply(parse, option, value);
}

/* "-qv", "-pFILE", "-p FILE" */
static int parse_short(struct parse *parse, char *letters)
{
	for (; *letters != '\0'; letters++) {
		const struct option *option = find_letter(parse->cli->command, *letters);
		char *value = NULL;
		if (option == NULL)
			return fail(parse, "unknown option \"-%c\"; see \"picket help %s\"", *letters,
				    parse->cli->command->name);
		if (option->value != NULL) {
			int error = letters[1] == '\0' ? next_value(parse, option, &value) : 0;
			if (error != 0)
				return error;
			value = value != NULL ? value : letters + 1;
		}
		int error = apply(parse, option, value);
		if (error != 0 || value != NULL)
			return error;
	}
	return 0;
}

/* All words after the command's name. Operands move together at the front of what has been read. */
static int parse_words(struct parse *parse)
{
	struct cli *cli = parse->cli;
	cli->operands = parse->argv + parse->at;
	bool options = true;
	while (parse->at < parse->argc) {
		char *word = parse->argv[parse->at];
		int error = 0;
		bool operand = !options || word[0] != '-' || word[1] == '\0';
		if (operand && cli->command->ends_options)
			break;
		parse->at++;
		if (operand)
			cli->operands[cli->operand_count++] = word;
		else if (strcmp(word, "--") == 0)
			options = false;
		else
			error = word[1] == '-' ? parse_long(parse, word + 2) : parse_short(parse, word + 1);
		if (error != 0)
			return error;
		if (cli->help)
			return 0;
	}
	if (cli->command->ends_options) {
		cli->operands = parse->argv + parse->at;
		cli->operand_count = (unsigned)(parse->argc - parse->at);
	}
	return 0;
}

/* ---- the whole ---- */

/* No such command. `first` may be the first of two words. */
static int fail_command(struct parse *parse, const char *first, const char *second)
{
	const char *names[MAX_NAMES + 1] = {NULL}, *seconds[MAX_NAMES + 1] = {NULL};
	char firsts[COMMAND_COUNT][32], hint[128];
	size_t count = 0, second_count = 0;
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		const char *space = strchr(commands[i].name, ' ');
		snprintf(firsts[i], sizeof(firsts[i]), "%.*s", (int)strcspn(commands[i].name, " "), commands[i].name);
		names[count++] = firsts[i];
		if (space != NULL && strcmp(firsts[i], first) == 0)
			seconds[second_count++] = space + 1;
	}
	if (second_count == 0)
		return fail(parse, "unknown command \"%s\"%s; see \"picket help\"", first,
			    meant(hint, "", first, names));
	if (second == NULL)
		return fail(parse, "\"%s\" needs a second word; see \"picket help %s\"", first, first);
	return fail(parse, "unknown command \"%s %s\"%s; see \"picket help %s\"", first, second,
		    meant(hint, "", second, seconds), first);
}

/* Is this the first of two words of a command? */
static bool is_first_word(const char *word)
{
	size_t length = strlen(word);
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		if (strncmp(commands[i].name, word, length) == 0 && commands[i].name[length] == ' ')
			return true;
	}
	return false;
}

static bool is_help(const char *word)
{
	return word != NULL && (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0);
}

/* Find the command; words before it can only be --help and --version. */
static int parse_command(struct parse *parse)
{
	struct cli *cli = parse->cli;
	const char *first = parse->argc > 1 ? parse->argv[1] : NULL;
	const char *second = parse->argc > 2 ? parse->argv[2] : NULL;
	unsigned used = 0;
	if (first == NULL)
		return fail(parse, "no command given; see \"picket help\"");
	if (is_help(first)) {
		cli->help = true;
		return 0;
	}
	if (strcmp(first, "--version") == 0 || strcmp(first, "-V") == 0) {
		cli->version = true;
		return 0;
	}
	if (first[0] == '-')
		return fail(parse,
			    "\"%s\" stands before the command; write picket COMMAND [options], see \"picket help\"",
			    first);
	cli->command = command_find(first, second, &used);
	if (cli->command == NULL && is_help(second) && is_first_word(first)) { /* all commands that begin so */
		cli->command = &commands[COMMAND_HELP];
		cli->operands = &parse->argv[1];
		cli->operand_count = 1;
		parse->at = parse->argc;
		return 0;
	}
	if (cli->command == NULL)
		return fail_command(parse, first, second);
	parse->at = 1 + (int)used;
	return 0;
}

/* What options say together. */
static int check_together(struct parse *parse)
{
	const struct cli *cli = parse->cli;
	const struct level_wish *wish = &cli->job.level;
	char usage[128];
	command_usage(cli->command, usage, sizeof(usage));
	if (cli->job.quiet && cli->job.verbose)
		return fail(parse, "--quiet and --verbose contradict each other");
	if (cli->job.result_file != NULL && cli->job.result_fd >= 0)
		return fail(parse, "--result and --result-fd cannot both be given");
	if (cli->job.capture && cli->job.result_file == NULL && cli->job.result_fd < 0)
		return fail(parse, "--capture puts the output into the result: it needs --result or --result-fd");
	if (cli->json && cli->markdown)
		return fail(parse, "--json and --markdown cannot both be given");
	if (wish->exactly && wish->at_least && wish->enforce < wish->require)
		return fail(parse, "--enforce %s is below --require %s", level_name(wish->enforce),
			    level_name(wish->require));
	bool runs = cli->command->id == COMMAND_RUN, requested = cli->plugin.request != NULL;
	if (runs && requested && cli->operand_count > 0)
		return fail(parse, "--request says what to run; no command can be given with it");
	if (runs && !requested && cli->operand_count == 0)
		return fail(parse, "something is missing; usage: picket %s", usage);
	if (cli->operand_count < cli->command->least || cli->operand_count > cli->command->most)
		return fail(parse, "%s; usage: picket %s",
			    cli->operand_count == 0		       ? "something is missing"
			    : cli->operand_count < cli->command->least ? "not all is there"
								       : "too many words",
			    usage);
	return 0;
}

int cli_parse(int argc, char **argv, struct cli *cli, char error[CLI_ERROR_SIZE])
{
	struct parse parse = {.cli = cli, .argv = argv, .argc = argc, .at = argc, .error = error};
	*cli = (struct cli){.job = {.result_fd = -1, .program_fd = -1}};
	error[0] = '\0';
	/* No option adds more than one rule or label. */
	cli->rules = calloc((size_t)argc + 1, sizeof(*cli->rules));
	cli->job.labels = calloc((size_t)argc + 1, sizeof(*cli->job.labels));
	cli->plugin.capabilities = calloc((size_t)argc + 1, sizeof(*cli->plugin.capabilities));
	if (cli->rules == NULL || cli->job.labels == NULL || cli->plugin.capabilities == NULL)
		return fail_memory(&parse);
	cli->job.policy.options = cli->rules;
	int result = parse_command(&parse);
	if (result != 0 || cli->command == NULL)
		return result;
	if (cli->operand_count == 0)
		result = parse_words(&parse);
	if (result != 0 || cli->help)
		return result;
	result = check_together(&parse);
	if (result != 0)
		return result;
	if (cli->command->id == COMMAND_RUN)
		cli->job.command = cli->operands;
	return cli_places(cli, error);
}

void cli_free(struct cli *cli)
{
	free(cli->rules);
	free(cli->job.labels);
	free(cli->plugin.capabilities);
	cli_places_free(cli);
}
