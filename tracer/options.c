/* SPDX-License-Identifier: MIT */
/*
 * options.c - the tables of commands and options. An option that nothing
 * acts on does not stand here: nothing is parsed and ignored.
 */
#include "options.h"

#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct option general_options[] = {
	{OPTION_HELP, 'h', "help", NULL, VALUE_TEXT, true, "say how this command is used"},
};

static const struct option policy_options[] = {
	{OPTION_POLICY, 'p', "policy", "FILE", VALUE_FILE, false, "policy file; see picket-policy(5)"},
	{OPTION_PROFILE, 0, "profile", "NAME", VALUE_PROFILE, false,
	 "workstation (default without FILE), strict, permissive or none"},
	{OPTION_READ, 0, "read", "PATH", VALUE_FILE, true, "may be read, with all below it"},
	{OPTION_WRITE, 0, "write", "PATH", VALUE_FILE, true, "may be read, created, changed and deleted"},
	{OPTION_DENY, 0, "deny", "PATH", VALUE_FILE, true, "may be neither read nor written nor run"},
	{OPTION_HIDE, 0, "hide", "PATH", VALUE_FILE, true, "does not exist for the tool"},
	{OPTION_FORBID, 0, "forbid", "PATH", VALUE_FILE, true, "as --deny, and nothing re-opens it"},
	{OPTION_READ_ONLY, 0, "read-only", "PATH", VALUE_FILE, true, "may be read, not written"},
	{OPTION_EXEC, 0, "exec", "PATH", VALUE_FILE, true, "may be run"},
	{OPTION_NO_EXEC, 0, "no-exec", NULL, VALUE_TEXT, true, "nothing further may be run"},
	{OPTION_CONNECT, 0, "connect", "DEST", VALUE_TEXT, true,
	 "may be connected to: ADDRESS:PORT, HOST:PORT, unix:PATH, ..."},
	{OPTION_BIND, 0, "bind", "DEST", VALUE_TEXT, true, "may be listened on"},
	{OPTION_ENV, 0, "env", "NAME[=VALUE]", VALUE_TEXT, true, "pass a variable on, or set it"},
};

/* They take the place of the policy's; 0 is no limit. */
static const struct option limit_options[] = {
	{OPTION_MEMORY, 0, "memory", "BYTES", VALUE_TEXT, false, "memory of the whole run, such as 512M"},
	{OPTION_CPU, 0, "cpu", "TIME", VALUE_TEXT, false, "CPU time of the whole run: 30, 0.5, 500ms, 2m"},
	{OPTION_TIMEOUT, 0, "timeout", "TIME", VALUE_TEXT, false,
	 "end the run after so long: seconds, or 500ms, 2m, 1h"},
	{OPTION_PROCESSES, 0, "processes", "N", VALUE_TEXT, false, "processes and threads at one time"},
	{OPTION_FILES, 0, "files", "N", VALUE_TEXT, false, "open files of each process"},
	{OPTION_OUTPUT_BYTES, 0, "output-bytes", "BYTES", VALUE_TEXT, false,
	 "stdout and stderr together, but for terminals; more is lost"},
	{OPTION_WRITE_BYTES, 0, "write-bytes", "BYTES", VALUE_TEXT, false, "of each file, and written to files in all"},
	{OPTION_CPU_WEIGHT, 0, "cpu-weight", "N", VALUE_TEXT, false,
	 "share of a busy processor: 1 to 10000, usual is 100"},
};

static const struct option run_options[] = {
	{OPTION_CHDIR, 'C', "chdir", "DIR", VALUE_DIRECTORY, false, "working directory (default: the caller's)"},
	{OPTION_RESULT, 'r', "result", "FILE", VALUE_FILE, false, "write the result (JSON) to FILE"},
	{OPTION_RESULT_FD, 0, "result-fd", "N", VALUE_TEXT, false, "write the result to descriptor N"},
	{OPTION_CAPTURE, 0, "capture", NULL, VALUE_TEXT, true, "put stdout and stderr into the result"},
	{OPTION_ENFORCE, 0, "enforce", "LEVEL", VALUE_LEVEL_AUTO, false,
	 "exactly this level, or fail: preload, ptrace, seccomp, notify, gate, or auto"},
	{OPTION_REQUIRE, 0, "require", "LEVEL", VALUE_LEVEL, false, "this level or a higher one, or fail"},
	{OPTION_ON_VIOLATION, 0, "on-violation", "WHAT", VALUE_ACTION, false,
	 "deny (default), kill (end the run) or audit (allow and record)"},
	{OPTION_FAIL_ON_VIOLATION, 0, "fail-on-violation", NULL, VALUE_TEXT, true,
	 "exit 123 when the tool succeeded but something was refused"},
	{OPTION_LABEL, 0, "label", "KEY=VALUE", VALUE_TEXT, true, "carried into the result"},
	{OPTION_TOOL_ID, 0, "tool-id", "ID", VALUE_TEXT, false, "carried into the result"},
	{OPTION_TRACE_ID, 0, "trace-id", "ID", VALUE_TEXT, false, "carried into the result"},
	{OPTION_REQUEST_ID, 0, "request-id", "ID", VALUE_TEXT, false, "carried into the result"},
	{OPTION_PROGRESS, 0, "progress", NULL, VALUE_TEXT, true, "show on a terminal what the run uses"},
	{OPTION_QUIET, 'q', "quiet", NULL, VALUE_TEXT, true, "no summary"},
	{OPTION_VERBOSE, 'v', "verbose", NULL, VALUE_TEXT, true, "say each refusal as it happens"},
};

/* What a result adds to the policy; explain and policy show write none. */
static const struct option kept_options[] = {
	{OPTION_RESULT, 'r', "result", "FILE", VALUE_FILE, false,
	 "as if run wrote its result there: the tool may not change it"},
};

/* Of run alone: a plugin's command line is its own. */
static const struct option request_options[] = {
	{OPTION_REQUEST, 0, "request", "FILE", VALUE_FILE, false,
	 "what to run is in FILE (JSON, - for stdin), from a caller who is not trusted"},
};

static const struct option registry_options[] = {
	{OPTION_REGISTRY, 0, "registry", "DIR", VALUE_DIRECTORY, false, "directory of installed plugins"},
};

static const struct option trust_options[] = {
	{OPTION_TRUSTED, 0, "trusted", "DIR", VALUE_DIRECTORY, false, "directory of trusted public keys"},
	{OPTION_KEY_FILE, 0, "key-file", "FILE", VALUE_FILE, false,
	 "shared key of the HMAC scheme (default: $PICKET_PLUGIN_SIGNING_KEY)"},
	{OPTION_ALLOW_SHORT_KEY, 0, "allow-short-key", NULL, VALUE_TEXT, true,
	 "take a --key-file of less than 32 bytes, for test vectors"},
	{OPTION_MANIFEST, 0, "manifest", "FILE", VALUE_FILE, false,
	 "manifest (default: PROGRAM.plugin.json, or the one embedded)"},
};

static const struct option verify_options[] = {
	{OPTION_VERBOSE, 'v', "verbose", NULL, VALUE_TEXT, true, "say more of the program and what it asks for"},
	{OPTION_JSON, 0, "json", NULL, VALUE_TEXT, true, "print JSON"},
};

static const struct option keygen_options[] = {
	{OPTION_OUTPUT, 'o', "output", "FILE", VALUE_FILE, false,
	 "the secret key (default: SIGNER.key); the public one goes to SIGNER.pub beside it"},
	{OPTION_EXPIRES, 0, "expires", "DATE", VALUE_TEXT, false,
	 "2027-01-31 or 2027-01-31T00:00:00Z: good until then"},
	{OPTION_TRUST, 0, "trust", NULL, VALUE_TEXT, true,
	 "put the public key into the directory of trusted ones, too"},
	{OPTION_TRUSTED, 0, "trusted", "DIR", VALUE_DIRECTORY, false, "directory of trusted public keys"},
};

static const struct option sign_options[] = {
	{OPTION_KEY, 0, "key", "FILE", VALUE_FILE, false, "Ed25519 secret key, made by plugin keygen"},
	{OPTION_HMAC, 0, "hmac", NULL, VALUE_TEXT, true, "sign by HMAC-SHA256 with a shared key"},
	{OPTION_KEY_FILE, 0, "key-file", "FILE", VALUE_FILE, false, "shared key (default: $PICKET_PLUGIN_SIGNING_KEY)"},
	{OPTION_ALLOW_SHORT_KEY, 0, "allow-short-key", NULL, VALUE_TEXT, true,
	 "take a --key-file of less than 32 bytes, for test vectors"},
	{OPTION_MANIFEST, 0, "manifest", "FILE", VALUE_FILE, false,
	 "begin with this manifest; options replace its fields"},
	{OPTION_ID, 0, "id", "ID", VALUE_TEXT, false, "id of the plugin"},
	{OPTION_NAME, 0, "name", "NAME", VALUE_TEXT, false, "its name for people (default: the id)"},
	{OPTION_VERSION, 0, "version", "VERSION", VALUE_TEXT, false, "its version"},
	{OPTION_SIGNER, 0, "signer", "SIGNER", VALUE_TEXT, false, "who signs"},
	{OPTION_CAPABILITY, 0, "capability", "CAPABILITY", VALUE_TEXT, true,
	 "what it asks for: fs:read[:PATH], fs:write[:PATH], net:connect[:DEST], net:bind[:DEST], exec[:PATH], "
	 "exec:shell, "
	 "env:NAME"},
	{OPTION_TIMEOUT_SECS, 0, "timeout-secs", "N", VALUE_TEXT, false, "longest run in seconds (default: 30)"},
	{OPTION_EMBED, 0, "embed", NULL, VALUE_TEXT, true, "put the manifest into the program (ELF)"},
	{OPTION_OUTPUT, 'o', "output", "FILE", VALUE_FILE, false,
	 "the manifest (default: PROGRAM.plugin.json); with --embed the program (default: replaced)"},
};

static const struct option json_options[] = {
	{OPTION_JSON, 0, "json", NULL, VALUE_TEXT, true, "print JSON"},
};

static const struct option syscalls_options[] = {
	{OPTION_JSON, 0, "json", NULL, VALUE_TEXT, true, "print JSON"},
	{OPTION_MARKDOWN, 0, "markdown", NULL, VALUE_TEXT, true, "print a Markdown table"},
};

static const struct option_group general = {"General", general_options, COUNT(general_options)};
static const struct option_group policy = {"Policy", policy_options, COUNT(policy_options)};
static const struct option_group limit = {"Limits", limit_options, COUNT(limit_options)};
static const struct option_group run = {"Run", run_options, COUNT(run_options)};
static const struct option_group kept = {"Result", kept_options, COUNT(kept_options)};
static const struct option_group request = {"Request", request_options, COUNT(request_options)};
static const struct option_group registry = {"Registry", registry_options, COUNT(registry_options)};
static const struct option_group trust = {"Trust", trust_options, COUNT(trust_options)};
static const struct option_group verify = {"Output", verify_options, COUNT(verify_options)};
static const struct option_group keygen = {"Key", keygen_options, COUNT(keygen_options)};
static const struct option_group sign = {"Signing", sign_options, COUNT(sign_options)};
static const struct option_group json = {"Output", json_options, COUNT(json_options)};
static const struct option_group syscalls = {"Output", syscalls_options, COUNT(syscalls_options)};

#define NO_LIMIT (~0U)

const struct command commands[COMMAND_COUNT] = {
	[COMMAND_RUN] =
		{
			.id = COMMAND_RUN,
			.name = "run",
			.operands = "-- COMMAND [ARG...]",
			.most = NO_LIMIT,
			.ends_options = true,
			.summary = "run a tool under a policy",
			.details = "The tool's files, programs and network are what the policy allows; every refusal "
				   "is told in a summary on stderr, and with -r in a JSON file. Paths may be relative "
				   "to the working directory, or begin with ~, ${WORKDIR}, ${HOME}, ${TMPDIR} or "
				   "${XDG_RUNTIME_DIR}; * and ** are wildcards. The most specific path decides.\nExit "
				   "status: the tool's own; 128+N when signal N ended it; 123 with "
				   "--fail-on-violation; 124 timed out; 125 Picket failed or refused to start; 126 "
				   "COMMAND may not be run; 127 COMMAND was not found.",
			.groups = {&policy, &limit, &run, &request, &general},
		},
	[COMMAND_PROBE] =
		{
			.id = COMMAND_PROBE,
			.name = "probe",
			.operands = "",
			.summary = "what this machine can enforce, and why not more",
			.groups = {&json, &general},
		},
	[COMMAND_EXPLAIN] =
		{
			.id = COMMAND_EXPLAIN,
			.name = "explain",
			.operands = "ACCESS TARGET",
			.least = 2,
			.most = 2,
			.summary = "the verdict on an access, the rule that gives it, those it beat",
			.details = "ACCESS is read, write, exec or look, with a path as TARGET; or connect or bind, "
				   "with a destination.\nExit status: 0 allowed, 1 refused, 125 an error.",
			.groups = {&policy, &kept, &json, &general},
		},
	[COMMAND_POLICY_CHECK] =
		{
			.id = COMMAND_POLICY_CHECK,
			.name = "policy check",
			.operands = "FILE",
			.least = 1,
			.most = 1,
			.summary = "find the errors in a policy file",
			.details = "Prints every error with file and line, or the number of rules.\nExit status: 0 no "
				   "error, 1 errors (a file that cannot be read is one), 125 Picket failed.",
			.groups = {&general},
		},
	[COMMAND_POLICY_SHOW] =
		{
			.id = COMMAND_POLICY_SHOW,
			.name = "policy show",
			.operands = "",
			.summary = "the effective rules, each with its source",
			.groups = {&policy, &limit, &kept, &json, &general},
		},
	[COMMAND_SYSCALLS] =
		{
			.id = COMMAND_SYSCALLS,
			.name = "syscalls",
			.operands = "",
			.summary = "how each system call is treated",
			.groups = {&syscalls, &general},
		},
	[COMMAND_PLUGIN_KEYGEN] =
		{
			.id = COMMAND_PLUGIN_KEYGEN,
			.name = "plugin keygen",
			.operands = "SIGNER",
			.least = 1,
			.most = 1,
			.summary = "make a key to sign plugins with",
			.groups = {&keygen, &general},
		},
	[COMMAND_PLUGIN_SIGN] =
		{
			.id = COMMAND_PLUGIN_SIGN,
			.name = "plugin sign",
			.operands = "PROGRAM",
			.least = 1,
			.most = 1,
			.summary = "make the manifest of a program and sign it",
			.groups = {&sign, &general},
		},
	[COMMAND_PLUGIN_VERIFY] =
		{
			.id = COMMAND_PLUGIN_VERIFY,
			.name = "plugin verify",
			.operands = "PROGRAM|ID",
			.least = 1,
			.most = 1,
			.summary = "check the signature and the content of a plugin",
			.details = "A word with a slash is a program's path, any other the id of an installed "
				   "plugin.\nExit status: 0 it is what was signed, 125 it is not.",
			.groups = {&registry, &trust, &verify, &general},
		},
	[COMMAND_PLUGIN_INSTALL] =
		{
			.id = COMMAND_PLUGIN_INSTALL,
			.name = "plugin install",
			.operands = "PROGRAM",
			.least = 1,
			.most = 1,
			.summary = "verify a plugin and put it into the registry",
			.groups = {&registry, &trust, &general},
		},
	[COMMAND_PLUGIN_LIST] =
		{
			.id = COMMAND_PLUGIN_LIST,
			.name = "plugin list",
			.operands = "",
			.summary = "the installed plugins",
			.groups = {&registry, &json, &general},
		},
	[COMMAND_PLUGIN_REMOVE] =
		{
			.id = COMMAND_PLUGIN_REMOVE,
			.name = "plugin remove",
			.operands = "ID",
			.least = 1,
			.most = 1,
			.summary = "remove an installed plugin",
			.groups = {&registry, &general},
		},
	[COMMAND_PLUGIN_RUN] =
		{
			.id = COMMAND_PLUGIN_RUN,
			.name = "plugin run",
			.operands = "ID|PROGRAM [ARG...]",
			.least = 1,
			.most = NO_LIMIT,
			.ends_options = true,
			.summary = "verify a plugin and run it with the rights it asks for, within the policy",
			.details = "A word with a slash is a program's path, any other the id of an installed plugin. "
				   "What runs is the copy that was verified. -v says what it asked for, what it was "
				   "given and what was withheld. Exit status: as of run.",
			.groups = {&registry, &trust, &policy, &limit, &run, &general},
		},
	[COMMAND_REQUEST_CHECK] =
		{
			.id = COMMAND_REQUEST_CHECK,
			.name = "request check",
			.operands = "FILE",
			.least = 1,
			.most = 1,
			.summary = "what run --request would do with a launch request",
			.details = "FILE may be - for standard input.\nExit status: 0 it would be run, 125 it would be "
				   "refused.",
			.groups = {&policy, &general},
		},
	[COMMAND_HELP] =
		{
			.id = COMMAND_HELP,
			.name = "help",
			.operands = "[COMMAND]",
			.most = 2,
			.summary = "say how a command is used",
			.groups = {&general},
		},
	[COMMAND_COMPLETION] =
		{
			.id = COMMAND_COMPLETION,
			.name = "completion",
			.operands = "SHELL",
			.least = 1,
			.most = 1,
			.summary = "print completions for a shell: bash, zsh or fish",
			.groups = {&general},
		},
};

const struct option *command_option(const struct command *command, size_t index)
{
	for (size_t i = 0; i < COMMAND_GROUPS && command->groups[i] != NULL; i++) {
		if (index < command->groups[i]->count)
			return &command->groups[i]->list[index];
		index -= command->groups[i]->count;
	}
	return NULL;
}

void command_usage(const struct command *command, char *text, size_t size)
{
	bool options = command_option(command, 1) != NULL; /* more than --help */
	snprintf(text, size, "%s%s%s%s", command->name, options ? " [options]" : "",
		 *command->operands != '\0' ? " " : "", command->operands);
}

const struct command *command_find(const char *first, const char *second, unsigned *used)
{
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		const char *name = commands[i].name, *space = strchr(name, ' ');
		size_t length = space != NULL ? (size_t)(space - name) : strlen(name);
		if (strncmp(name, first, length) != 0 || first[length] != '\0')
			continue;
		if (space != NULL && (second == NULL || strcmp(second, space + 1) != 0))
			continue;
		*used = space != NULL ? 2 : 1;
		return &commands[i];
	}
	return NULL;
}
