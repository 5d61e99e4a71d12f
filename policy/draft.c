/* SPDX-License-Identifier: MIT */
/* draft.c - see draft.h. */
#include "draft.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct draft *draft_new(void)
{
	struct draft *draft = calloc(1, sizeof(*draft));

	if (!draft)
		return NULL;
	draft->arena = arena_new();
	if (!draft->arena) {
		free(draft);
		return NULL;
	}
	draft->launch.plain_arguments = true;
	return draft;
}

void draft_free(struct draft *draft)
{
	if (!draft)
		return;
	arena_free(draft->arena);
	free(draft->rules);
	free(draft);
}

struct draft_rule *draft_add(struct draft *draft)
{
	if (draft->count == draft->room) {
		size_t room = draft->room ? draft->room * 2 : 128;
		struct draft_rule *rules = realloc(draft->rules, room * sizeof(*rules));

		if (!rules)
			return NULL;
		draft->rules = rules;
		draft->room = room;
	}
	draft->rules[draft->count] = (struct draft_rule){0};
	return &draft->rules[draft->count++];
}

bool draft_has_farther(const struct draft *draft, enum rule_key key, enum rule_layer nearer)
{
	for (size_t i = 0; i < draft->count; i++)
		if (draft->rules[i].rule.key == key && draft->rules[i].rule.layer < nearer)
			return true;
	return false;
}

void draft_drop(struct draft *draft, enum rule_key key, enum rule_layer nearer)
{
	size_t kept = 0;

	for (size_t i = 0; i < draft->count; i++)
		if (draft->rules[i].rule.key != key || draft->rules[i].rule.layer >= nearer)
			draft->rules[kept++] = draft->rules[i];
	draft->count = kept;
}

static int add_path(struct build *build, const struct draft_rule *rule)
{
	int index = build_path_rule(build, &rule->rule);

	if (index >= 0 && rule->written) {
		int error = build_also_path(build, index, rule->written);

		if (error < 0)
			return error;
	}
	for (const char *const *link = rule->links; index >= 0 && link && *link; link++) {
		int error = build_also_path(build, index, *link);

		if (error < 0)
			return error;
	}
	return index;
}

static int add_host(struct build *build, int index, const struct draft *draft, const struct draft_rule *rule)
{
	const struct host_name *host = &draft->hosts.list[rule->host];
	struct net_prefix prefix = rule->destination->prefix;
	int error = 0;

	for (size_t i = 0; i < host->count && error >= 0; i++) {
		prefix.family = host->addresses[i].family;
		prefix.address = host->addresses[i].address;
		prefix.bits = prefix.family == AF_INET ? 32 : 128;
		error = build_also_internet(build, index, &prefix);
	}
	return error;
}

static int add_every_unix(struct build *build, int index)
{
	int error = build_also_unix_path(build, index, "/");

	return error < 0 ? error : build_also_abstract(build, index, "*", 1);
}

static int add_net(struct build *build, const struct draft *draft, const struct draft_rule *rule)
{
	static const struct net_prefix everywhere = {
		.any_family = true, .tcp = true, .udp = true, .ports = {0, UINT16_MAX}};
	const struct destination *destination = rule->destination;
	int index = build_net_rule(build, &rule->rule), error = 0;

	if (index < 0)
		return index;
	switch (destination->kind) {
	case DESTINATION_EVERYTHING:
		error = build_also_internet(build, index, &everywhere);
		if (error >= 0)
			error = add_every_unix(build, index);
		break;
	case DESTINATION_INTERNET:
		error = build_also_internet(build, index, &destination->prefix);
		break;
	case DESTINATION_HOST:
		error = add_host(build, index, draft, rule);
		break;
	case DESTINATION_UNIX_PATH:
		error = build_also_unix_path(build, index, rule->unix_path);
		if (error >= 0 && rule->written)
			error = build_also_unix_path(build, index, rule->written);
		break;
	case DESTINATION_UNIX_ABSTRACT:
		error = build_also_abstract(build, index, destination->name, strlen(destination->name));
		break;
	case DESTINATION_UNIX_ANY:
		error = add_every_unix(build, index);
		break;
	}
	return error < 0 ? error : index;
}

static int add_rule(struct build *build, const struct draft *draft, const struct draft_rule *rule)
{
	switch (rule->rule.key) {
	case RULE_READ:
	case RULE_WRITE:
	case RULE_READ_ONLY:
	case RULE_DENY:
	case RULE_HIDE:
	case RULE_FORBID:
	case RULE_EXEC_ALLOW:
	case RULE_EXEC_DENY:
	case RULE_RESULT:
		return add_path(build, rule);
	case RULE_CONNECT:
	case RULE_BIND:
		return add_net(build, draft, rule);
	case RULE_ENV_KEEP:
	case RULE_ENV_REMOVE:
	case RULE_ENV_SET:
		return build_env_rule(build, &rule->rule);
	case RULE_KEY_COUNT:
		break;
	}
	return -EINVAL;
}

int draft_build(const struct draft *draft, const bool *skip, struct image **image, size_t *length, size_t *culprit)
{
	struct build *build = build_new();
	int error = 0;

	*culprit = SIZE_MAX;
	if (!build)
		return -ENOMEM;
	build_on_violation(build, draft->on_violation);
	build_limits(build, &draft->limits);
	for (size_t i = 0; i < draft->count && !error; i++) {
		int index = skip && skip[i] ? 0 : add_rule(build, draft, &draft->rules[i]);

		if (index < 0) {
			error = index;
			*culprit = i;
		}
	}
	if (!error)
		error = build_finish(build, image, length);
	build_free(build);
	return error;
}
