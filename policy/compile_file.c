/* SPDX-License-Identifier: MIT */
/*
 * compile_file.c - the settings of a policy file: which keys there are, of what
 * types, and what rules they make.
 */
#include "compiler.h"

#include <errno.h>
#include <string.h>

#include "suggest.h"

typedef int section_reader(struct compiler *compiler, const config_setting_t *setting);

/* One key of a section and the rules that its list makes. */
struct list_key {
	const char *name;
	enum rule_key key;
};

static const struct list_key filesystem_keys[] = {
	{"read", RULE_READ}, {"write", RULE_WRITE},   {"read_only", RULE_READ_ONLY}, {"deny", RULE_DENY},
	{"hide", RULE_HIDE}, {"forbid", RULE_FORBID}, {NULL, RULE_KEY_COUNT},
};
static const struct list_key exec_keys[] = {
	{"allow", RULE_EXEC_ALLOW}, {"deny", RULE_EXEC_DENY}, {NULL, RULE_KEY_COUNT}};
static const struct list_key network_keys[] = {{"connect", RULE_CONNECT}, {"bind", RULE_BIND}, {NULL, RULE_KEY_COUNT}};
static const struct list_key environment_keys[] = {
	{"keep", RULE_ENV_KEEP}, {"remove", RULE_ENV_REMOVE}, {"set", RULE_ENV_SET}, {NULL, RULE_KEY_COUNT}};

enum { KEYS_MAX = 16, KEYS_TEXT = 256 };

const char *setting_type_name(const config_setting_t *setting)
{
	switch (setting->type) {
	case CONFIG_TYPE_GROUP:
		return "a group";
	case CONFIG_TYPE_LIST:
	case CONFIG_TYPE_ARRAY:
		return "a list";
	case CONFIG_TYPE_STRING:
		return "text";
	case CONFIG_TYPE_FLOAT:
		return "a number with a fraction";
	case CONFIG_TYPE_BOOL:
		return "true or false";
	default:
		return "a number";
	}
}

struct place setting_place(const struct compiler *compiler, const config_setting_t *setting)
{
	if (setting->name)
		return texts_place(compiler->texts, setting->file, setting->line, TOKEN_NAME, setting->name);
	if (setting->type == CONFIG_TYPE_STRING)
		return texts_place(compiler->texts, setting->file, setting->line, TOKEN_STRING, setting->value.sval);
	return texts_place(compiler->texts, setting->file, setting->line, TOKEN_OTHER, "");
}

/* Where the text value of a named setting stands. */
static struct place value_place(const struct compiler *compiler, const config_setting_t *setting)
{
	return texts_place(compiler->texts, setting->file, setting->line, TOKEN_STRING, setting->value.sval);
}

static void unknown_key(struct compiler *compiler, const config_setting_t *setting, const char *section,
			const char *const *known)
{
	const char *near = suggest(setting->name, known);
	char all[KEYS_TEXT] = "";

	for (size_t i = 0; known[i]; i++) {
		strncat(all, i ? ", " : "", sizeof(all) - strlen(all) - 1);
		strncat(all, known[i], sizeof(all) - strlen(all) - 1);
	}
	if (near)
		fault(compiler->faults, setting_place(compiler, setting),
		      "unknown key \"%s\"%s%s (did you mean \"%s\"?)", setting->name, section ? " in " : "",
		      section ? section : "", near);
	else
		fault(compiler->faults, setting_place(compiler, setting), "unknown key \"%s\"%s%s (known are %s)",
		      setting->name, section ? " in " : "", section ? section : "", all);
}

static bool is_list(const config_setting_t *setting)
{
	return setting->type == CONFIG_TYPE_LIST || setting->type == CONFIG_TYPE_ARRAY;
}

/* A list of rules. */
static int read_list(struct compiler *compiler, const config_setting_t *list, enum rule_key key)
{
	unsigned count = (unsigned)config_setting_length(list);
	int error = 0;

	if (!count)
		return compile_empty(compiler, key, setting_place(compiler, list));
	for (unsigned i = 0; i < count && !error; i++) {
		const config_setting_t *item = config_setting_get_elem(list, i);
		struct place place = setting_place(compiler, item);

		if (item->type == CONFIG_TYPE_STRING)
			error = compile_rule(compiler, key, item->value.sval, place);
		else
			fault(compiler->faults, place, "%s holds %s (each entry is text in double quotes)",
			      rule_key_name(key), setting_type_name(item));
	}
	return error;
}

/* environment.set: NAME = "value". */
static int read_set(struct compiler *compiler, const config_setting_t *group)
{
	int error = 0;

	if (group->type != CONFIG_TYPE_GROUP) {
		fault(compiler->faults, setting_place(compiler, group),
		      "environment.set must be a group, such as { HOME = \"/tmp\"; }, not %s",
		      setting_type_name(group));
		return 0;
	}
	for (unsigned i = 0; i < (unsigned)config_setting_length(group) && !error; i++) {
		const config_setting_t *item = config_setting_get_elem(group, i);

		if (item->type == CONFIG_TYPE_STRING)
			error = compile_set(compiler, item->name, item->value.sval, setting_place(compiler, item));
		else
			fault(compiler->faults, setting_place(compiler, item),
			      "environment.set.%s must be text in double quotes, not %s", item->name,
			      setting_type_name(item));
	}
	return error;
}

static int read_list_key(struct compiler *compiler, const config_setting_t *setting, const struct list_key *key)
{
	if (key->key == RULE_ENV_SET)
		return read_set(compiler, setting);
	if (key->key == RULE_ENV_KEEP)
		compiler->keeps_environment = true;
	if (is_list(setting))
		return read_list(compiler, setting, key->key);
	fault(compiler->faults, setting_place(compiler, setting),
	      "%s must be a list of texts in double quotes, such as ( \"%s\" ), not %s", rule_key_name(key->key),
	      key->key >= RULE_ENV_KEEP	 ? "PATH"
	      : key->key >= RULE_CONNECT ? "127.0.0.1:8080"
					 : "/usr",
	      setting_type_name(setting));
	return 0;
}

/* A section whose keys are all in a table. */
static int read_section(struct compiler *compiler, const config_setting_t *section, const struct list_key *keys)
{
	const char *names[KEYS_MAX] = {0};
	int error = 0;

	for (size_t i = 0; keys[i].name; i++)
		names[i] = keys[i].name;
	for (unsigned i = 0; i < (unsigned)config_setting_length(section) && !error; i++) {
		const config_setting_t *setting = config_setting_get_elem(section, i);
		const struct list_key *key = keys;

		while (key->name && strcmp(key->name, setting->name) != 0)
			key++;
		if (key->name)
			error = read_list_key(compiler, setting, key);
		else
			unknown_key(compiler, setting, section->name, names);
	}
	return error;
}

static int read_filesystem(struct compiler *compiler, const config_setting_t *setting)
{
	return read_section(compiler, setting, filesystem_keys);
}

static int read_exec(struct compiler *compiler, const config_setting_t *setting)
{
	return read_section(compiler, setting, exec_keys);
}

static int read_network(struct compiler *compiler, const config_setting_t *setting)
{
	return read_section(compiler, setting, network_keys);
}

static int read_environment(struct compiler *compiler, const config_setting_t *setting)
{
	return read_section(compiler, setting, environment_keys);
}

static int read_limits(struct compiler *compiler, const config_setting_t *setting)
{
	compile_limits(compiler, setting);
	return 0;
}

bool on_violation_parse(const char *text, enum on_violation *what)
{
	static const char *const words[] = {
		[ON_VIOLATION_DENY] = "deny", [ON_VIOLATION_KILL] = "kill", [ON_VIOLATION_AUDIT] = "audit"};

	for (unsigned i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (!strcmp(text, words[i])) {
			*what = (enum on_violation)i;
			return true;
		}
	return false;
}

static int read_on_violation(struct compiler *compiler, const config_setting_t *setting)
{
	if (!on_violation_parse(setting->value.sval, &compiler->draft->on_violation))
		fault(compiler->faults, value_place(compiler, setting),
		      "on_violation is \"%s\" (write \"deny\", \"kill\" or \"audit\")", setting->value.sval);
	return 0;
}

/* What it says was done before the layer was read; a profile does not name another. */
static int read_profile(struct compiler *compiler, const config_setting_t *setting)
{
	(void)compiler;
	(void)setting;
	return 0;
}

static const struct {
	const char *name;
	short type; /* of libconfig */
	const char *form;
	section_reader *read;
} sections[] = {
	{"profile", CONFIG_TYPE_STRING, "a name in double quotes", read_profile},
	{"on_violation", CONFIG_TYPE_STRING, "\"deny\", \"kill\" or \"audit\"", read_on_violation},
	{"filesystem", CONFIG_TYPE_GROUP, "a group in braces", read_filesystem},
	{"exec", CONFIG_TYPE_GROUP, "a group in braces", read_exec},
	{"network", CONFIG_TYPE_GROUP, "a group in braces", read_network},
	{"environment", CONFIG_TYPE_GROUP, "a group in braces", read_environment},
	{"limits", CONFIG_TYPE_GROUP, "a group in braces", read_limits},
	{"launch", CONFIG_TYPE_GROUP, "a group in braces", compile_launch},
};

enum { SECTION_COUNT = sizeof(sections) / sizeof(*sections) };

/* `read` at the top level is meant for filesystem: say where a key belongs. */
static const char *section_of(const char *name)
{
	static const struct {
		const char *section;
		const struct list_key *keys;
	} all[] = {{"filesystem", filesystem_keys}, {"network", network_keys}, {"environment", environment_keys}};

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		for (const struct list_key *key = all[i].keys; key->name; key++)
			if (!strcmp(key->name, name))
				return all[i].section;
	return NULL;
}

static void unknown_section(struct compiler *compiler, const config_setting_t *setting)
{
	const char *names[SECTION_COUNT + 1] = {0}, *section = section_of(setting->name);

	for (size_t i = 0; i < SECTION_COUNT; i++)
		names[i] = sections[i].name;
	if (section)
		fault(compiler->faults, setting_place(compiler, setting),
		      "unknown key \"%s\" (it belongs into %s: { ... };)", setting->name, section);
	else
		unknown_key(compiler, setting, NULL, names);
}

int compile_settings(struct compiler *compiler, const config_setting_t *root)
{
	int error = 0;

	for (unsigned i = 0; i < (unsigned)config_setting_length(root) && !error; i++) {
		const config_setting_t *setting = config_setting_get_elem(root, i);
		size_t at = 0;

		while (at < SECTION_COUNT && strcmp(sections[at].name, setting->name) != 0)
			at++;
		if (at == SECTION_COUNT)
			unknown_section(compiler, setting);
		else if (setting->type != sections[at].type)
			fault(compiler->faults, setting_place(compiler, setting), "%s must be %s, not %s",
			      setting->name, sections[at].form, setting_type_name(setting));
		else
			error = sections[at].read(compiler, setting);
	}
	return error;
}
