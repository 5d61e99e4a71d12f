/* SPDX-License-Identifier: MIT */
/*
 * options.h - the commands and their options, as data. These tables are the
 * only place that names them: parsing (cli.c), help (help.c), completion
 * (completion.c) and the test of the man pages go by them.
 */
#ifndef PICKET_TRACER_OPTIONS_H
#define PICKET_TRACER_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

enum command_id {
	COMMAND_RUN,
	COMMAND_PROBE,
	COMMAND_EXPLAIN,
	COMMAND_POLICY_CHECK,
	COMMAND_POLICY_SHOW,
	COMMAND_SYSCALLS,
	COMMAND_PLUGIN_KEYGEN,
	COMMAND_PLUGIN_SIGN,
	COMMAND_PLUGIN_VERIFY,
	COMMAND_PLUGIN_INSTALL,
	COMMAND_PLUGIN_LIST,
	COMMAND_PLUGIN_REMOVE,
	COMMAND_PLUGIN_RUN,
	COMMAND_REQUEST_CHECK,
	COMMAND_HELP,
	COMMAND_COMPLETION,
	COMMAND_COUNT
};

enum option_id {
	/* of every command */
	OPTION_HELP,
	/* of commands that take a policy */
	OPTION_POLICY,
	OPTION_PROFILE,
	OPTION_READ,
	OPTION_WRITE,
	OPTION_DENY,
	OPTION_HIDE,
	OPTION_FORBID,
	OPTION_READ_ONLY,
	OPTION_EXEC,
	OPTION_NO_EXEC,
	OPTION_CONNECT,
	OPTION_BIND,
	OPTION_ENV,
	/* limits of a policy; limit_names.h */
	OPTION_MEMORY,
	OPTION_CPU,
	OPTION_TIMEOUT,
	OPTION_PROCESSES,
	OPTION_FILES,
	OPTION_OUTPUT_BYTES,
	OPTION_WRITE_BYTES,
	OPTION_CPU_WEIGHT,
	/* of run */
	OPTION_CHDIR,
	OPTION_RESULT,
	OPTION_RESULT_FD,
	OPTION_CAPTURE,
	OPTION_ENFORCE,
	OPTION_REQUIRE,
	OPTION_ON_VIOLATION,
	OPTION_PROGRESS,
	OPTION_FAIL_ON_VIOLATION,
	OPTION_LABEL,
	OPTION_TOOL_ID,
	OPTION_TRACE_ID,
	OPTION_REQUEST_ID,
	OPTION_QUIET,
	OPTION_VERBOSE,
	OPTION_REQUEST,
	/* of plugin commands */
	OPTION_REGISTRY,
	OPTION_TRUSTED,
	OPTION_KEY_FILE,
	OPTION_ALLOW_SHORT_KEY,
	OPTION_MANIFEST,
	OPTION_KEY,
	OPTION_HMAC,
	OPTION_EMBED,
	OPTION_OUTPUT,
	OPTION_ID,
	OPTION_NAME,
	OPTION_VERSION,
	OPTION_SIGNER,
	OPTION_CAPABILITY,
	OPTION_TIMEOUT_SECS,
	OPTION_EXPIRES,
	OPTION_TRUST,
	/* of commands that print tables */
	OPTION_JSON,
	OPTION_MARKDOWN,
	OPTION_COUNT
};

/* What an option's value is, for completion. */
enum value_kind { VALUE_TEXT, VALUE_FILE, VALUE_DIRECTORY, VALUE_PROFILE, VALUE_LEVEL, VALUE_LEVEL_AUTO, VALUE_ACTION };

struct option {
	enum option_id id;
	char letter;	      /* short form, or 0 */
	const char *name;     /* long form without "--" */
	const char *value;    /* its value's name in help; NULL: it takes none */
	enum value_kind kind; /* if it takes one */
	bool repeatable;      /* otherwise a second one is an error */
	const char *help;     /* one line */
};

/* Options that belong together. */
struct option_group {
	const char *title; /* "Policy" */
	const struct option *list;
	size_t count;
};

enum { COMMAND_GROUPS = 6 };

struct command {
	enum command_id id;
	const char *name;     /* "run", "policy check": one or two words */
	const char *operands; /* as in help: "FILE"; "" for none */
	unsigned least, most; /* how many operands */
	bool ends_options;    /* the first operand ends the options: the rest is a command line of its own */
	const char *summary;  /* one line */
	const char *details;  /* more for `picket help COMMAND`: a paragraph a line; or NULL */
	const struct option_group *groups[COMMAND_GROUPS]; /* the rest NULL */
};

extern const struct command commands[COMMAND_COUNT]; /* by enum command_id */

/* Option `index` (0, 1, ...) of a command through all its groups; NULL past the last. --help is one of them. */
const struct option *command_option(const struct command *command, size_t index);

/* "run [options] -- COMMAND [ARG...]", cut to `size` bytes. */
void command_usage(const struct command *command, char *text, size_t size);

/* The command of that name, one or two words (`second` may be NULL); *used: how many of them it took. NULL: none. */
const struct command *command_find(const char *first, const char *second, unsigned *used);

#endif
