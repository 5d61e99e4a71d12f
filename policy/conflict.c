/* SPDX-License-Identifier: MIT */
/*
 * conflict.c - rules that can never take effect: the same one twice, one that a stricter rule of the same layer and
 * path beats, one below a `forbid`. Each is an error, since its writer believes something that does not hold.
 *
 * Profiles are not judged: their rules meet variables that may coincide. Nor is a rule of a farther layer that a nearer
 * layer overrules: that is what layers are for.
 */
#include "compiler.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"

/* A rule under a name that it is sorted and found by. */
struct named {
	const char *name;
	size_t rule;	/* index in the draft */
	unsigned group; /* compared before the name */
};

static bool is_path_key(enum rule_key key)
{
	return key <= RULE_RESULT;
}

/* The keys that beat `key` at the same path in the same layer, as bits. */
static unsigned beaten_by(enum rule_key key)
{
	const unsigned refusals = 1u << RULE_DENY | 1u << RULE_HIDE;

	switch (key) {
	case RULE_READ:
	case RULE_READ_ONLY:
		return refusals;
	case RULE_WRITE:
		return refusals | 1u << RULE_READ_ONLY;
	case RULE_DENY:
		return 1u << RULE_HIDE;
	case RULE_EXEC_ALLOW:
		return refusals | 1u << RULE_EXEC_DENY;
	case RULE_ENV_KEEP:
		return 1u << RULE_ENV_REMOVE | 1u << RULE_ENV_SET;
	case RULE_HIDE:
	case RULE_FORBID:
	case RULE_EXEC_DENY:
	case RULE_RESULT:
	case RULE_CONNECT:
	case RULE_BIND:
	case RULE_ENV_REMOVE:
	case RULE_ENV_SET:
	case RULE_KEY_COUNT:
		break;
	}
	return 0;
}

static int compare_named(const void *left, const void *right)
{
	const struct named *a = left, *b = right;
	int order;

	if (a->group != b->group)
		return a->group < b->group ? -1 : 1;
	order = strcmp(a->name, b->name);
	if (order)
		return order;
	return a->rule < b->rule ? -1 : a->rule > b->rule;
}

static bool same_name(const struct named *a, const struct named *b)
{
	return a->group == b->group && !strcmp(a->name, b->name);
}

/* A path's text without what does not matter: "//", "/./" and slashes at the end. Variables stay, as they may coincide.
 */
static const char *tidy(struct arena *arena, const char *path)
{
	char *tidied = arena_text(arena, path), *to = tidied;

	if (!tidied)
		return NULL;
	for (const char *from = path; *from; from++) {
		if (from[0] == '/' && (from[1] == '/' || !from[1]))
			continue;
		if (from[0] == '/' && from[1] == '.' && (from[2] == '/' || !from[2])) {
			from++;
			continue;
		}
		*to++ = *from;
	}
	*to = 0;
	return tidied;
}

/* The same key and path twice in the file. (On the command line the second does no harm.) */
static int check_duplicates(struct compiler *compiler, struct named *list)
{
	struct draft *draft = compiler->draft;
	size_t count = 0;

	for (size_t i = 0; i < draft->count; i++) {
		const struct rule *rule = &draft->rules[i].rule;
		const char *name = rule->value;

		if (rule->layer != LAYER_FILE || rule->key == RULE_ENV_SET)
			continue;
		if (is_path_key(rule->key))
			name = tidy(draft->arena, rule->value);
		if (!name)
			return -ENOMEM;
		list[count++] = (struct named){name, i, rule->key};
	}
	qsort(list, count, sizeof(*list), compare_named);
	for (size_t i = 1; i < count; i++) {
		const struct draft_rule *first = &draft->rules[list[i - 1].rule], *again = &draft->rules[list[i].rule];

		if (same_name(&list[i - 1], &list[i]))
			fault(compiler->faults, again->place, "%s has \"%s\" already, at %s (remove one)",
			      rule_key_name(again->rule.key), again->rule.value, first->rule.source);
	}
	return 0;
}

/* Rules of one layer and one path (or one variable): from list[0] to list[count - 1]. */
static void check_beaten(struct compiler *compiler, const struct named *list, size_t count)
{
	const struct draft_rule *rules = compiler->draft->rules;
	size_t first[RULE_KEY_COUNT];
	unsigned keys = 0;

	for (size_t i = count; i-- > 0;) {
		keys |= 1u << rules[list[i].rule].rule.key;
		first[rules[list[i].rule].rule.key] = list[i].rule;
	}
	for (size_t i = 0; i < count; i++) {
		const struct draft_rule *rule = &rules[list[i].rule];
		unsigned by = beaten_by(rule->rule.key) & keys;
		/* cppcheck-suppress uninitvar; `by` has only bits whose entry is set */
		const struct rule *winner = by ? &rules[first[__builtin_ctz(by)]].rule : NULL;

		if (winner)
			fault(compiler->faults, rule->place,
			      "%s \"%s\" can never take effect: %s \"%s\" at %s says otherwise of the same (remove "
			      "one)",
			      rule_key_name(rule->rule.key), rule->rule.value, rule_key_name(winner->key),
			      winner->value, winner->source);
	}
}

static void check_same_path(struct compiler *compiler, struct named *list)
{
	const struct draft *draft = compiler->draft;
	size_t count = 0;

	for (size_t i = 0; i < draft->count; i++) {
		const struct rule *rule = &draft->rules[i].rule;
		bool path = is_path_key(rule->key);

		if (rule->layer != LAYER_PROFILE && (path || rule->key >= RULE_ENV_KEEP))
			list[count++] = (struct named){path ? rule->target : rule->value, i, rule->layer};
	}
	qsort(list, count, sizeof(*list), compare_named);
	for (size_t from = 0, to; from < count; from = to) {
		for (to = from + 1; to < count && same_name(&list[from], &list[to]);)
			to++;
		if (to - from > 1)
			check_beaten(compiler, list + from, to - from);
	}
}

static int find_named(const void *key, const void *item)
{
	const struct named *wanted = key, *found = item;

	return strcmp(wanted->name, found->name);
}

/* The forbid whose path is `path` or one above it, or NULL; list holds those without a `*`, sorted. `room` is as long
 * as the path. */
static const struct named *find_above(const struct named *list, size_t count, const char *path, char *room)
{
	size_t length = strlen(path);

	memcpy(room, path, length + 1);
	for (;;) {
		struct named wanted = {.name = *room ? room : "/"};
		const struct named *found = bsearch(&wanted, list, count, sizeof(*list), find_named);
		char *slash = strrchr(room, '/');

		if (found || !slash || !*room)
			return found;
		*slash = 0;
	}
}

static const struct named *find_forbid(const struct named *list, size_t literals, size_t count, const char *path,
				       char *room)
{
	const struct named *found = find_above(list, literals, path, room);

	for (size_t i = literals; i < count && !found; i++)
		if (pattern_covers(list[i].name, path))
			found = &list[i];
	return found;
}

/* All names of forbid rules: first those without a `*`, sorted, then the others. Returns how many, *literals of the
 * first. */
static size_t list_forbids(const struct draft *draft, struct named *list, size_t *literals)
{
	size_t count = 0;

	for (unsigned glob = 0; glob < 2; glob++) {
		for (size_t i = 0; i < draft->count; i++) {
			const struct draft_rule *rule = &draft->rules[i];

			if (rule->rule.key != RULE_FORBID)
				continue;
			if (pattern_is_glob(rule->rule.target) == (glob == 1))
				list[count++] = (struct named){rule->rule.target, i, glob};
			if (rule->written && pattern_is_glob(rule->written) == (glob == 1))
				list[count++] = (struct named){rule->written, i, glob};
		}
		if (!glob)
			*literals = count;
	}
	qsort(list, *literals, sizeof(*list), compare_named);
	return count;
}

/* The path of a rule that `forbid` leaves without any effect at and below its own, or NULL. It refuses everything there, a
 * connection to a unix socket too, but a look; only `hide` adds to that, and what protects the result is no wish. */
static const char *path_idle_below_forbid(const struct draft_rule *rule)
{
	enum rule_key key = rule->rule.key;

	if (key == RULE_CONNECT)
		return rule->unix_path;
	return is_path_key(key) && key != RULE_FORBID && key != RULE_HIDE && key != RULE_RESULT ? rule->rule.target
												: NULL;
}

static void check_below_forbid(struct compiler *compiler, struct named *list, char *room)
{
	const struct draft *draft = compiler->draft;
	size_t literals = 0, count = list_forbids(draft, list, &literals);

	for (size_t i = 0; i < draft->count && count; i++) {
		const struct draft_rule *rule = &draft->rules[i], *forbid;
		const char *path = path_idle_below_forbid(rule);
		const struct named *found;

		if (rule->rule.layer == LAYER_PROFILE || !path)
			continue;
		found = find_forbid(list, literals, count, path, room);
		forbid = found ? &draft->rules[found->rule] : NULL;
		if (forbid && forbid->rule.layer <= rule->rule.layer)
			fault(compiler->faults, rule->place,
			      "%s \"%s\" can never take effect: filesystem.forbid \"%s\" at %s forbids it (remove one)",
			      rule_key_name(rule->rule.key), rule->rule.value, forbid->rule.value, forbid->rule.source);
	}
}

int compile_check_conflicts(struct compiler *compiler)
{
	size_t count = compiler->draft->count, longest = 0;
	cleanup_free struct named *list = calloc(2 * count + 1, sizeof(*list)); /* a forbid has up to two names */
	cleanup_free char *room = NULL;
	int error;

	for (size_t i = 0; i < count; i++)
		if (strlen(compiler->draft->rules[i].rule.target) > longest)
			longest = strlen(compiler->draft->rules[i].rule.target);
	room = malloc(longest + 1);
	if (!list || !room)
		return -ENOMEM;
	error = check_duplicates(compiler, list);
	if (error)
		return error;
	check_same_path(compiler, list);
	check_below_forbid(compiler, list, room);
	return 0;
}
