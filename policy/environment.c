/* SPDX-License-Identifier: MIT */
/* environment.c - see environment.h. */
#include "environment.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "path.h"

/*
 * Names that make every program load or run something (environ(7), ld.so(8), bash(1)), as patterns. What only one
 * language's interpreter reads (PYTHONPATH, NODE_OPTIONS) is the caller's way to set that tool up, and stays.
 */
static const char *const loading_names[] = {
	"LD_*", /* the dynamic loader */
	"GLIBC_TUNABLES", "MALLOC_*",	 "GCONV_PATH",	"LOCPATH",
	"NLSPATH",	  "GETCONF_DIR", /* the C library */
	"HOSTALIASES",	  "LOCALDOMAIN", "RES_OPTIONS", "RESOLV_HOST_CONF",
	"NIS_PATH",	  "BASH_ENV",	 "ENV",		"BASH_FUNC_*",
	"SHELLOPTS",	  "BASHOPTS",	 "PS4",		"PROMPT_COMMAND",
	"ZDOTDIR", /* shells */
};

/* What a rule says of a name. */
enum speech { SILENT, KEEP, REMOVE, SET };

/* A variable's fate. */
struct fate {
	enum speech speech;
	const char *value; /* with SET */
};

static bool name_matches(const char *pattern, const char *name, size_t length)
{
	return path_matches(pattern, strlen(pattern), name, length);
}

bool environment_is_loading(const char *name, size_t length)
{
	for (size_t i = 0; i < sizeof(loading_names) / sizeof(*loading_names); i++)
		if (name_matches(loading_names[i], name, length))
			return true;
	return false;
}

static bool is_exactly(const char *text, const char *name, size_t length)
{
	return strlen(text) == length && !memcmp(text, name, length);
}

static enum speech rule_speech(const struct rule *rule, const char *name, size_t length)
{
	switch (rule->key) {
	case RULE_ENV_SET:
		return is_exactly(rule->value, name, length) ? SET : SILENT;
	case RULE_ENV_REMOVE:
		return name_matches(rule->value, name, length) ? REMOVE : SILENT;
	case RULE_ENV_KEEP:
		if (is_exactly(rule->value, name, length))
			return KEEP;
		return name_matches(rule->value, name, length) && !environment_is_loading(name, length) ? KEEP : SILENT;
	case RULE_READ:
	case RULE_WRITE:
	case RULE_READ_ONLY:
	case RULE_DENY:
	case RULE_HIDE:
	case RULE_FORBID:
	case RULE_EXEC_ALLOW:
	case RULE_EXEC_DENY:
	case RULE_RESULT:
	case RULE_CONNECT:
	case RULE_BIND:
	case RULE_KEY_COUNT:
		break;
	}
	return SILENT;
}

/* The rules of the environment, picked out of the image once. */
struct rules {
	struct rule *list;
	size_t count;
};

static struct fate find_fate(const struct rules *rules, const char *name, size_t length)
{
	struct fate fate = {SILENT, NULL};
	enum rule_layer nearest = LAYER_PROFILE;

	for (size_t i = 0; i < rules->count; i++) {
		const struct rule *rule = &rules->list[i];
		enum speech speech = rule_speech(rule, name, length);

		if (speech == SILENT || (fate.speech != SILENT && rule->layer < nearest))
			continue;
		/* Of one layer and name a later `set` counts: --env A=1 --env A=2. */
		if (fate.speech == SILENT || rule->layer > nearest || speech > fate.speech ||
		    (speech == SET && fate.speech == SET)) {
			fate.speech = speech;
			fate.value = speech == SET ? rule->target : NULL;
			nearest = rule->layer;
		}
	}
	return fate;
}

static int pick_rules(const struct image *image, struct rules *rules)
{
	uint32_t count = image_rule_count(image);

	*rules = (struct rules){0};
	for (uint32_t i = 0; i < count; i++) {
		struct rule rule = image_rule(image, i);
		struct rule *list;

		if (rule.key < RULE_ENV_KEEP)
			continue;
		list = realloc(rules->list, (rules->count + 1) * sizeof(*list));
		if (!list)
			return -ENOMEM;
		rules->list = list;
		rules->list[rules->count++] = rule;
	}
	return 0;
}

/* The new environment; there is room for every entry that can come. */
struct result {
	char **list;
	size_t count;
};

static bool has_name(const struct result *result, const char *name, size_t length)
{
	for (size_t i = 0; i < result->count; i++)
		if (!strncmp(result->list[i], name, length) && result->list[i][length] == '=')
			return true;
	return false;
}

static int add(struct result *result, const char *name, size_t length, const char *value)
{
	size_t value_length = strlen(value);
	char *entry = malloc(length + value_length + 2);

	if (!entry)
		return -ENOMEM;
	memcpy(entry, name, length);
	entry[length] = '=';
	memcpy(entry + length + 1, value, value_length + 1);
	result->list[result->count++] = entry;
	return 0;
}

static int add_callers(struct result *result, const struct rules *rules, char *const *caller)
{
	int error = 0;

	for (; *caller && !error; caller++) {
		const char *equals = strchr(*caller, '=');
		size_t length = equals ? (size_t)(equals - *caller) : 0;
		struct fate fate;

		if (!length || has_name(result, *caller, length))
			continue;
		fate = find_fate(rules, *caller, length);
		if (fate.speech == KEEP || fate.speech == SET)
			error = add(result, *caller, length, fate.speech == SET ? fate.value : equals + 1);
	}
	return error;
}

static int add_set(struct result *result, const struct rules *rules)
{
	int error = 0;

	for (size_t i = 0; i < rules->count && !error; i++) {
		const char *name = rules->list[i].value;
		struct fate fate;

		if (rules->list[i].key != RULE_ENV_SET || has_name(result, name, strlen(name)))
			continue;
		fate = find_fate(rules, name, strlen(name));
		if (fate.speech == SET)
			error = add(result, name, strlen(name), fate.value);
	}
	return error;
}

int environment_build(const struct image *image, char *const *caller, char ***out)
{
	struct result result = {0};
	struct rules rules;
	size_t room = 0;
	int error = pick_rules(image, &rules);

	while (caller[room])
		room++;
	if (!error) {
		result.list = calloc(room + rules.count + 1, sizeof(*result.list));
		error = result.list ? 0 : -ENOMEM;
	}
	if (!error)
		error = add_callers(&result, &rules, caller);
	if (!error)
		error = add_set(&result, &rules);
	free(rules.list);
	if (error)
		environment_free(result.list);
	else
		*out = result.list;
	return error;
}

void environment_free(char **environment)
{
	for (size_t i = 0; environment && environment[i]; i++)
		free(environment[i]);
	free(environment);
}

int environment_put(char ***environment, char *const *more)
{
	size_t count = 0, added = 0;

	while ((*environment)[count])
		count++;
	while (more[added])
		added++;
	char **larger = realloc(*environment, (count + added + 1) * sizeof *larger);
	if (!larger)
		return -ENOMEM;
	*environment = larger;
	for (; *more; more++) {
		size_t i = 0, name = strcspn(*more, "=") + 1;
		char *copy = strdup(*more);
		if (!copy)
			return -ENOMEM;
		while (i < count && strncmp(larger[i], copy, name) != 0)
			i++;
		if (i < count)
			free(larger[i]);
		else
			larger[++count] = NULL;
		larger[i] = copy;
	}
	return 0;
}

const char *environment_value(char *const *environment, const char *name)
{
	size_t n = strlen(name);

	for (; environment && *environment; environment++)
		if (strncmp(*environment, name, n) == 0 && (*environment)[n] == '=')
			return *environment + n + 1;
	return NULL;
}
