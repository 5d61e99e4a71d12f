/* SPDX-License-Identifier: MIT */
/*
 * compile_rule.c - from the text of one rule to what it means: expanded,
 * resolved, checked, and added to the draft.
 */
#include "compiler.h"

#include <errno.h>
#include <string.h>

#include "way.h"

/*
 * What a policy keeps of the environment when neither it nor a profile says it: what
 * programs need to find themselves, and nothing that could hold a secret. picket-policy(5) lists it.
 */
static const char *const default_environment[] = {"PATH", "HOME", "LANG",    "LANGUAGE", "LC_*", "TERM",
						  "TZ",	  "USER", "LOGNAME", "SHELL",	 NULL};

/* How the command line writes a key; NULL: it cannot. */
static const char *option_name(enum rule_key key)
{
	static const char *const names[RULE_KEY_COUNT] = {
		[RULE_READ] = "--read",	      [RULE_WRITE] = "--write",	    [RULE_READ_ONLY] = "--read-only",
		[RULE_DENY] = "--deny",	      [RULE_HIDE] = "--hide",	    [RULE_FORBID] = "--forbid",
		[RULE_EXEC_ALLOW] = "--exec", [RULE_CONNECT] = "--connect", [RULE_BIND] = "--bind",
		[RULE_ENV_KEEP] = "--env",    [RULE_ENV_SET] = "--env",
	};

	return key < RULE_KEY_COUNT ? names[key] : NULL;
}

static const char *shown_key(const struct compiler *compiler, enum rule_key key)
{
	const char *option = compiler->layer == LAYER_COMMAND_LINE ? option_name(key) : NULL;

	return option ? option : rule_key_name(key);
}

/* What is wrong with a rule becomes a fault; -ENOMEM is passed on. */
static int refuse(struct compiler *compiler, enum rule_key key, const char *value, struct place place, int error,
		  const struct complaint *why)
{
	if (error == -ENOMEM)
		return error;
	/* A profile speaks of a home directory that need not be there. */
	if (error == -ENOENT && compiler->layer == LAYER_PROFILE)
		return 0;
	fault(compiler->faults, place, "%s \"%s\": %s", shown_key(compiler, key), value, why->text);
	return 0;
}

/* A new rule in the draft, with its source and its value. NULL: out of memory. */
static struct draft_rule *new_rule(struct compiler *compiler, enum rule_key key, const char *value, struct place place)
{
	struct arena *arena = compiler->draft->arena;
	struct draft_rule *rule = draft_add(compiler->draft);
	const char *source;

	if (!rule)
		return NULL;
	if (!place.file)
		source = arena_text(arena, "command line");
	else if (place.line)
		source = arena_print(arena, "%s:%u", place.file, place.line);
	else
		source = arena_text(arena, place.file);
	rule->place = place;
	rule->rule = (struct rule){
		.key = key, .layer = compiler->layer, .source = source, .value = arena_text(arena, value)};
	return source && rule->rule.value ? rule : NULL;
}

/* The names that a path has on this machine. */
static int resolve(struct compiler *compiler, const char *value, struct pattern_names *names, struct complaint *why)
{
	const char *path;
	int error = expand_path(&compiler->draft->variables, value, compiler->layer == LAYER_COMMAND_LINE,
				compiler->draft->arena, &path, why);

	return error ? error : pattern_resolve(path, compiler->memory, compiler->draft->arena, names, why);
}

/*
 * People link histories to /dev/null to be rid of them. To refuse such a history must not refuse /dev/null to
 * everything.
 */
static void spare_null_device(enum rule_key key, struct pattern_names *names)
{
	const unsigned refusing =
		1u << RULE_READ_ONLY | 1u << RULE_DENY | 1u << RULE_HIDE | 1u << RULE_FORBID | 1u << RULE_EXEC_DENY;

	if (!names->written || !(refusing & 1u << key) || strcmp(names->resolved, "/dev/null") != 0)
		return;
	names->resolved = names->written;
	names->written = NULL;
}

static int compile_path(struct compiler *compiler, enum rule_key key, const char *value, struct place place)
{
	struct complaint why = {""};
	struct pattern_names names;
	struct draft_rule *rule;
	int error = resolve(compiler, value, &names, &why);

	if (error)
		return refuse(compiler, key, value, place, error, &why);
	spare_null_device(key, &names);
	rule = new_rule(compiler, key, value, place);
	if (!rule)
		return -ENOMEM;
	rule->rule.target = names.resolved;
	rule->written = names.written;
	return 0;
}

int compile_result(struct compiler *compiler, const char *path, const char *written)
{
	struct complaint why = {""};
	struct place place = {0};
	struct draft_rule *rule;
	const char *const *names;
	int error = way_find(path, compiler->draft->arena, &names, &why);

	if (error)
		return refuse(compiler, RULE_RESULT, written, place, error, &why);
	rule = new_rule(compiler, RULE_RESULT, written, place);
	if (!rule)
		return -ENOMEM;
	rule->rule.target = names[0];
	rule->links = names + 1;
	return 0;
}

/* A host is looked up once, when its name is first met. */
static int add_host(struct draft *draft, const struct destination *destination, size_t *index)
{
	size_t known = draft->hosts.count;
	int at = hosts_add(&draft->hosts, destination->host, draft->arena);
	int error = at;

	if (at >= 0 && draft->hosts.count > known)
		error = host_look_up(&draft->hosts.list[at], draft->arena);
	*index = at < 0 ? 0 : (size_t)at;
	return error < 0 ? error : 0;
}

static int compile_destination(struct compiler *compiler, enum rule_key key, const char *value, struct place place)
{
	struct draft *draft = compiler->draft;
	struct destination *destination = arena_alloc(draft->arena, sizeof(*destination));
	struct pattern_names names = {0};
	struct complaint why = {""};
	struct draft_rule *rule;
	size_t host = 0;
	const char *text = arena_text(draft->arena, value); /* the destination borrows it */
	int error;

	if (!destination || !text)
		return -ENOMEM;
	error = destination_parse(text, key == RULE_BIND, destination, &why);
	if (!error && destination->kind == DESTINATION_UNIX_PATH)
		error = resolve(compiler, destination->name, &names, &why);
	if (!error && destination->kind == DESTINATION_HOST)
		error = add_host(draft, destination, &host);
	if (error)
		return refuse(compiler, key, value, place, error, &why);
	rule = new_rule(compiler, key, value, place);
	if (!rule)
		return -ENOMEM;
	rule->destination = destination;
	rule->host = host;
	rule->unix_path = names.resolved;
	rule->written = names.written;
	rule->rule.target = names.resolved ? arena_print(draft->arena, "unix:%s", names.resolved) : rule->rule.value;
	return rule->rule.target ? 0 : -ENOMEM;
}

static bool is_name_byte(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
	       byte == '_';
}

/* A name that a shell could set. */
static bool is_variable_name(const char *name)
{
	if (!*name || (*name >= '0' && *name <= '9'))
		return false;
	for (; *name; name++)
		if (!is_name_byte(*name))
			return false;
	return true;
}

/* A pattern of names; names that only env(1) could make are allowed (BASH_FUNC_x%%). */
static int check_name_pattern(const char *pattern, struct complaint *why)
{
	if (!*pattern)
		return complain(why, -EINVAL, "an empty name (name a variable, such as PATH or LC_*)");
	if (strchr(pattern, '='))
		return complain(why, -EINVAL,
				"a name without a value belongs here (to set one: environment: { set: { NAME = "
				"\"value\"; }; })");
	for (const char *at = pattern; *at; at++)
		if ((unsigned char)*at <= ' ' || *at == 0x7f || *at == '$')
			return complain(why, -EINVAL, "not the name of a variable (write it as PATH or LC_*)");
	return 0;
}

static int compile_name(struct compiler *compiler, enum rule_key key, const char *value, struct place place)
{
	struct complaint why = {""};
	struct draft_rule *rule;
	int error = check_name_pattern(value, &why);

	if (error)
		return refuse(compiler, key, value, place, error, &why);
	rule = new_rule(compiler, key, value, place);
	if (!rule)
		return -ENOMEM;
	rule->rule.target = rule->rule.value;
	return 0;
}

int compile_set(struct compiler *compiler, const char *name, const char *value, struct place place)
{
	struct complaint why = {""};
	struct draft_rule *rule;
	const char *target = NULL;
	int error = 0;

	if (!is_variable_name(name))
		error = complain(&why, -EINVAL, "not the name of a variable (letters, digits and _ make one)");
	else if (compiler->layer == LAYER_COMMAND_LINE) /* there the shell has already expanded what it should */
		target = arena_text(compiler->draft->arena, value);
	else
		error = expand_value(&compiler->draft->variables, value, compiler->draft->arena, &target, &why);
	if (error)
		return refuse(compiler, RULE_ENV_SET, name, place, error, &why);
	rule = target ? new_rule(compiler, RULE_ENV_SET, name, place) : NULL;
	if (!rule)
		return -ENOMEM;
	rule->rule.target = target;
	return 0;
}

/* --env NAME or --env NAME=VALUE. */
static int compile_env_option(struct compiler *compiler, const char *text, struct place place)
{
	const char *equals = strchr(text, '=');
	const char *name;

	if (!equals)
		return compile_name(compiler, RULE_ENV_KEEP, text, place);
	name = arena_copy(compiler->draft->arena, text, (size_t)(equals - text));
	return name ? compile_set(compiler, name, equals + 1, place) : -ENOMEM;
}

int compile_rule(struct compiler *compiler, enum rule_key key, const char *value, struct place place)
{
	switch (key) {
	case RULE_READ:
	case RULE_WRITE:
	case RULE_READ_ONLY:
	case RULE_DENY:
	case RULE_HIDE:
	case RULE_FORBID:
	case RULE_EXEC_ALLOW:
	case RULE_EXEC_DENY:
		return compile_path(compiler, key, value, place);
	case RULE_CONNECT:
	case RULE_BIND:
		return compile_destination(compiler, key, value, place);
	case RULE_ENV_KEEP:
	case RULE_ENV_SET:
		if (compiler->layer == LAYER_COMMAND_LINE)
			return compile_env_option(compiler, value, place);
		return compile_name(compiler, key, value, place);
	case RULE_ENV_REMOVE:
		return compile_name(compiler, key, value, place);
	case RULE_RESULT: /* not said, but follows from an option of run: compile_result */
	case RULE_KEY_COUNT:
		break;
	}
	return -EINVAL;
}

/* The rule that then refuses every program: seen in `policy show` and named in the result. */
static int refuse_every_program(struct compiler *compiler, struct place place)
{
	struct draft_rule *rule =
		new_rule(compiler, RULE_EXEC_DENY, place.file ? "exec.allow = ()" : "--no-exec", place);

	if (!rule)
		return -ENOMEM;
	rule->rule.target = "/";
	return 0;
}

int compile_empty(struct compiler *compiler, enum rule_key key, struct place place)
{
	switch (key) {
	case RULE_EXEC_ALLOW:
		draft_drop(compiler->draft, key, compiler->layer);
		return refuse_every_program(compiler, place);
	case RULE_READ:
	case RULE_WRITE:
	case RULE_CONNECT:
	case RULE_BIND:
	case RULE_ENV_KEEP:
		draft_drop(compiler->draft, key, compiler->layer);
		return 0;
	case RULE_READ_ONLY:
	case RULE_DENY:
	case RULE_HIDE:
	case RULE_FORBID:
	case RULE_EXEC_DENY:
	case RULE_ENV_REMOVE:
	case RULE_ENV_SET:
		if (draft_has_farther(compiler->draft, key, compiler->layer))
			fault(compiler->faults, place,
			      "%s: an empty list takes away what a profile allows, never what it refuses (remove it)",
			      rule_key_name(key));
		return 0;
	case RULE_RESULT:
	case RULE_KEY_COUNT:
		break;
	}
	return -EINVAL;
}

int compile_default_environment(struct compiler *compiler)
{
	struct place place = {.file = "built in"};
	int error = 0;

	compiler->layer = LAYER_PROFILE;
	for (size_t i = 0; default_environment[i] && !error; i++)
		error = compile_name(compiler, RULE_ENV_KEEP, default_environment[i], place);
	return error;
}
