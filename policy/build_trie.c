/* SPDX-License-Identifier: MIT */
/*
 * build_trie.c - patterns in, nodes of the trie out (see image_layout.h).
 *
 * Rules here: outside only. What fails leaves the trie whole: at worst with a
 * node more that no rule ends at. Parents always have smaller indexes than their children.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "build_internal.h"
#include "syscalls.h"

enum { TABLE_START = 64 };

static struct build_shape *shape_at(const struct build *build, uint32_t index)
{
	return (struct build_shape *)build->shapes.items + index;
}

static const char *name_at(const struct build *build, const struct build_node *node)
{
	return (const char *)build->names.items + node->name;
}

/* ---- nodes ------------------------------------------------------------------------------------- */

static void table_put(uint32_t *table, size_t size, uint64_t hash, uint32_t index)
{
	size_t at = hash & (size - 1);

	while (table[at] != IMAGE_NONE)
		at = (at + 1) & (size - 1);
	table[at] = index;
}

/* The table is twice as large as what it will hold. */
static int table_grow(struct build *build)
{
	size_t size = build->table_size == 0 ? TABLE_START : build->table_size * 2;
	uint32_t *table;

	if (build->nodes.count * 2 < build->table_size)
		return 0;
	table = malloc(size * sizeof(*table));
	if (table == NULL)
		return -ENOMEM;
	memset(table, 0xff, size * sizeof(*table));
	for (uint32_t i = 0; i < build->nodes.count; i++) {
		const struct build_node *node = build_node_at(build, i);

		if (node->kind == COMPONENT_LITERAL || node->kind == COMPONENT_GLOB)
			table_put(table, size, path_hash_at(node->hash, node->parent), i);
	}
	free(build->table);
	build->table = table;
	build->table_size = size;
	return 0;
}

/* The same text cannot be both a literal and a glob, so the kind need not be compared. */
static uint32_t table_find(const struct build *build, uint32_t parent, const struct component *component)
{
	size_t mask = build->table_size - 1;
	uint32_t index;

	for (size_t at = path_hash_at(component->hash, parent) & mask; (index = build->table[at]) != IMAGE_NONE;
	     at = (at + 1) & mask) {
		const struct build_node *node = build_node_at(build, index);

		if (node->parent == parent && node->hash == component->hash && node->name_length == component->length &&
		    memcmp(name_at(build, node), component->bytes, component->length) == 0)
			return index;
	}
	return IMAGE_NONE;
}

/* The shape that continues another; 0 is the root's. Needs one reserved. */
static uint32_t shape_next(struct build *build, uint32_t shape, enum component_kind kind)
{
	uint32_t next = shape_at(build, shape)->next[kind];

	if (next == 0) {
		struct build_shape *made = vector_add(&build->shapes, 1);

		*made = (struct build_shape){.rank = 0};
		next = (uint32_t)(made - shape_at(build, 0));
		shape_at(build, shape)->next[kind] = next;
	}
	return next;
}

static int add_node(struct build *build, uint32_t parent, enum component_kind kind, const struct component *component,
		    uint32_t *index)
{
	struct build_node *node;
	int error;

	if ((error = vector_reserve(&build->nodes, 1)) < 0 || (error = vector_reserve(&build->shapes, 1)) < 0 ||
	    (error = vector_reserve(&build->names, component->length)) < 0 || (error = table_grow(build)) < 0)
		return error;
	*index = (uint32_t)build->nodes.count;
	node = vector_add(&build->nodes, 1);
	*node = (struct build_node){
		.hash = component->hash,
		.parent = parent,
		.name = (uint32_t)build->names.count,
		.name_length = (uint16_t)component->length,
		.kind = (uint16_t)kind,
		.star = IMAGE_NONE,
		.any_depth = IMAGE_NONE,
		.terminal = IMAGE_NONE,
	};
	memcpy(vector_add(&build->names, component->length), component->bytes, component->length);
	if (parent == IMAGE_NONE)
		return 0;
	node->shape = shape_next(build, build_node_at(build, parent)->shape, kind);
	if (kind == COMPONENT_ANY)
		build_node_at(build, parent)->star = *index;
	else if (kind == COMPONENT_ANY_DEPTH)
		build_node_at(build, parent)->any_depth = *index;
	else
		table_put(build->table, build->table_size, path_hash_at(node->hash, parent), *index);
	return 0;
}

int trie_new(struct build *build)
{
	static const struct component none = {.bytes = "", .length = 0};
	int error = vector_reserve(&build->shapes, 1);
	uint32_t index;

	if (error < 0)
		return error;
	*(struct build_shape *)vector_add(&build->shapes, 1) = (struct build_shape){.rank = 0};
	for (int i = 0; i < ROOT_COUNT && error == 0; i++)
		error = add_node(build, IMAGE_NONE, COMPONENT_ANY, &none, &index);
	return error;
}

/* ---- patterns ---------------------------------------------------------------------------------- */

/*
 * Where the part of a pattern ends that says something. A tree's rule holds below it anyway, so a "**" at the end says
 * nothing, and one with nothing but "*" behind it says no more than they do; both are left out. False: malformed.
 */
static bool pattern_read(const char *pattern, const char **idle_from, const char **idle_to)
{
	struct path_cursor cursor;
	struct component component;
	enum path_step next = path_begin(&cursor, pattern, strlen(pattern));

	*idle_from = *idle_to = NULL;
	if (next == PATH_MALFORMED)
		return false;
	while ((next = path_next(&cursor, &component)) == PATH_COMPONENT) {
		int kind = path_component_kind(component.bytes, component.length);

		if (kind < 0)
			return false;
		if (kind == COMPONENT_ANY_DEPTH) {
			if (*idle_from == NULL)
				*idle_from = component.bytes;
			*idle_to = component.bytes + component.length;
		} else if (kind != COMPONENT_ANY) {
			*idle_from = *idle_to = NULL;
		}
	}
	return next == PATH_END;
}

static int descend(struct build *build, uint32_t *node, const struct component *component)
{
	int kind = path_component_kind(component->bytes, component->length);
	const struct build_node *parent = build_node_at(build, *node);
	uint32_t next;

	if (kind == COMPONENT_ANY_DEPTH && parent->kind == COMPONENT_ANY_DEPTH)
		return 0;
	if (kind == COMPONENT_ANY)
		next = parent->star;
	else if (kind == COMPONENT_ANY_DEPTH)
		next = parent->any_depth;
	else
		next = table_find(build, *node, component);
	if (next != IMAGE_NONE) {
		*node = next;
		return 0;
	}
	return add_node(build, *node, (enum component_kind)kind, component, node);
}

int trie_pattern(struct build *build, enum image_root root, const char *pattern, uint32_t *node)
{
	struct path_cursor cursor;
	struct component component;
	const char *idle_from, *idle_to;
	size_t length = strlen(pattern);
	int error = 0;

	if (length > IMAGE_MAX_PATTERN || !pattern_read(pattern, &idle_from, &idle_to))
		return -EINVAL;
	*node = (uint32_t)root;
	path_begin(&cursor, pattern, length);
	while (error == 0 && path_next(&cursor, &component) == PATH_COMPONENT) {
		bool idle = idle_from != NULL && component.bytes >= idle_from && component.bytes < idle_to;

		if (!idle || path_component_kind(component.bytes, component.length) != COMPONENT_ANY_DEPTH)
			error = descend(build, node, &component);
	}
	return error;
}

int trie_terminal(struct build *build, uint32_t node, uint32_t *terminal)
{
	struct build_terminal *made;
	int error;

	*terminal = build_node_at(build, node)->terminal;
	if (*terminal != IMAGE_NONE)
		return 0;
	error = vector_reserve(&build->terminals, 1);
	if (error < 0)
		return error;
	*terminal = (uint32_t)build->terminals.count;
	made = vector_add(&build->terminals, 1);
	for (int slot = 0; slot < SLOT_COUNT; slot++)
		made->rule[slot] = IMAGE_NONE;
	made->forbid = IMAGE_NONE;
	build_node_at(build, node)->terminal = *terminal;
	return 0;
}

/* ---- rules ------------------------------------------------------------------------------------- */

/* How strict a rule is for an access. Rules of the network allow. */
static unsigned strictness(uint32_t key, unsigned slot)
{
	static const uint8_t refused[RULE_KEY_COUNT] = {
		[RULE_READ_ONLY] = ACCESS_WRITE,
		[RULE_DENY] = ACCESS_READ | ACCESS_WRITE | ACCESS_EXEC,
		[RULE_HIDE] = ACCESS_READ | ACCESS_WRITE | ACCESS_EXEC | ACCESS_LOOK,
		[RULE_FORBID] = ACCESS_READ | ACCESS_WRITE | ACCESS_EXEC,
		[RULE_EXEC_DENY] = ACCESS_EXEC,
		[RULE_RESULT] = ACCESS_WRITE,
	};

	if ((refused[key] >> slot & 1) == 0)
		return SAID_ALLOWED;
	return key == RULE_RESULT ? SAID_KEPT : key == RULE_HIDE ? SAID_HIDDEN : SAID_REFUSED;
}

uint32_t trie_said(const struct build *build, uint32_t rule, unsigned slot)
{
	const struct image_rule_record *record;

	if (rule == IMAGE_NONE)
		return IMAGE_NONE;
	record = build_rule_at(build, rule);
	return image_said(rule, strictness(record->key, slot), record->layer);
}

/* Of two rules that say the same the one with the lesser key is told, so that the order of lists never shows. */
static void say(struct build *build, uint32_t *place, uint32_t rule, unsigned slot)
{
	if (*place != IMAGE_NONE) {
		uint32_t before = image_said_weight(trie_said(build, *place, slot));
		uint32_t now = image_said_weight(trie_said(build, rule, slot));

		if (before > now ||
		    (before == now && build_rule_at(build, *place)->key <= build_rule_at(build, rule)->key))
			return;
	}
	*place = rule;
}

void trie_say(struct build *build, uint32_t terminal, uint32_t rule, enum image_root root)
{
	/* The accesses that each key speaks of. */
	static const uint8_t speaks[RULE_KEY_COUNT] = {
		[RULE_READ] = ACCESS_READ | ACCESS_LOOK,
		[RULE_WRITE] = ACCESS_READ | ACCESS_WRITE | ACCESS_LOOK,
		[RULE_READ_ONLY] = ACCESS_READ | ACCESS_WRITE | ACCESS_LOOK,
		[RULE_DENY] = ACCESS_READ | ACCESS_WRITE | ACCESS_EXEC,
		[RULE_HIDE] = ACCESS_READ | ACCESS_WRITE | ACCESS_EXEC | ACCESS_LOOK,
		[RULE_EXEC_ALLOW] = ACCESS_EXEC | ACCESS_LOOK,
		[RULE_EXEC_DENY] = ACCESS_EXEC,
		[RULE_RESULT] = ACCESS_WRITE,
	};
	struct build_terminal *said = build_terminal_at(build, terminal);
	uint32_t key = build_rule_at(build, rule)->key;

	if (root != ROOT_FILES)
		say(build, &said->rule[SLOT_READ], rule, SLOT_READ);
	else if (key == RULE_FORBID)
		say(build, &said->forbid, rule, SLOT_READ);
	for (unsigned slot = 0; root == ROOT_FILES && slot < SLOT_COUNT; slot++) {
		if ((speaks[key] >> slot & 1) != 0)
			say(build, &said->rule[slot], rule, slot);
	}
}

/* ---- finishing --------------------------------------------------------------------------------- */

/* Ranks in the order of the shapes' trie: what is more specific comes later. */
static void rank_shapes(struct build *build)
{
	/* Deepest patterns: each component takes two bytes of them. */
	uint32_t path[IMAGE_MAX_PATTERN / 2 + 2];
	uint8_t kind[IMAGE_MAX_PATTERN / 2 + 2];
	uint32_t depth = 1, rank = 0;

	path[0] = 0;
	kind[0] = 0;
	shape_at(build, 0)->rank = rank++;
	while (depth > 0) {
		uint32_t next;

		if (kind[depth - 1] == COMPONENT_KIND_COUNT) {
			depth--;
			continue;
		}
		next = shape_at(build, path[depth - 1])->next[kind[depth - 1]++];
		if (next == 0)
			continue;
		shape_at(build, next)->rank = rank++;
		path[depth] = next;
		kind[depth++] = 0;
	}
}

/* The rule of a terminal that is worth naming when a move would change what it speaks of: the strictest. */
static uint32_t strictest(const struct build *build, const struct build_terminal *terminal)
{
	uint32_t found = terminal->forbid;

	for (unsigned strict = SAID_KEPT + 1; found == IMAGE_NONE && strict-- > 0;) {
		for (unsigned slot = 0; slot < SLOT_COUNT && found == IMAGE_NONE; slot++) {
			uint32_t rule = terminal->rule[slot];

			if (rule != IMAGE_NONE && strictness(build_rule_at(build, rule)->key, slot) == strict)
				found = rule;
		}
	}
	return found;
}

/* Strictness of a rule as a whole, forbid included. Of what leads to the result decide.c asks by it, so nothing is above that. */
static unsigned severity(const struct build *build, uint32_t rule)
{
	static const uint8_t severities[RULE_KEY_COUNT] = {
		[RULE_EXEC_DENY] = 1, [RULE_READ_ONLY] = 2, [RULE_DENY] = 3,
		[RULE_HIDE] = 4,      [RULE_FORBID] = 5,    [RULE_RESULT] = 6,
	};

	return severities[build_rule_at(build, rule)->key];
}

static bool refuses_writing(const struct build *build, const struct build_terminal *terminal)
{
	uint32_t rule = terminal->rule[SLOT_WRITE];

	return terminal->forbid != IMAGE_NONE ||
	       (rule != IMAGE_NONE && strictness(build_rule_at(build, rule)->key, SLOT_WRITE) != SAID_ALLOWED);
}

/* A node is told of a rule below it, and keeps it unless what it was told before is more worth naming: of two that are
 * as strict the nearer one is told last. */
static void tell(const struct build *build, struct build_node *node, uint32_t rule, bool refuses)
{
	if (rule == IMAGE_NONE)
		return;
	if (node->below == IMAGE_NONE || refuses > node->refuses_below ||
	    (refuses == node->refuses_below && severity(build, rule) >= severity(build, node->below))) {
		node->below = rule;
		node->refuses_below = refuses;
	}
}

/*
 * What each node must know of its children. They come behind their parents, so going backwards each node is complete
 * when it is told to its parent.
 */
static void tell_parents(struct build *build)
{
	for (uint32_t i = (uint32_t)build->nodes.count; i-- > ROOT_COUNT;) {
		const struct build_node *node = build_node_at(build, i);
		struct build_node *parent = build_node_at(build, node->parent);

		if (node->kind == COMPONENT_LITERAL)
			parent->children |= image_child_bit(node->hash);
		tell(build, parent, node->below, node->refuses_below);
		if (node->terminal != IMAGE_NONE) {
			const struct build_terminal *terminal = build_terminal_at(build, node->terminal);

			tell(build, parent, strictest(build, terminal), refuses_writing(build, terminal));
		}
	}
}

/* The node's image_wild, made if it has none. 0 or -errno. */
static int wild_of(struct build *build, uint32_t index, struct image_wild **wild)
{
	struct build_node *node = build_node_at(build, index);
	int error;

	if (node->wild == IMAGE_NONE) {
		if ((error = vector_reserve(&build->wilds, 1)) < 0)
			return error;
		node->wild = (uint32_t)build->wilds.count;
		*(struct image_wild *)vector_add(&build->wilds, 1) = (struct image_wild){
			.star = node->star,
			.any_depth = node->any_depth,
		};
	}
	*wild = (struct image_wild *)build->wilds.items + node->wild;
	return 0;
}

static int list_stars(struct build *build)
{
	struct image_wild *wild;
	int error = 0;

	build->wilds.count = 0;
	for (uint32_t i = 0; i < build->nodes.count && error == 0; i++) {
		struct build_node *node = build_node_at(build, i);

		node->wild = node->below = IMAGE_NONE;
		node->children = 0;
		node->refuses_below = false;
		if (node->star != IMAGE_NONE || node->any_depth != IMAGE_NONE)
			error = wild_of(build, i, &wild);
	}
	return error;
}

/* The bytes of a glob before its first star and after its last one. */
static struct image_class class_of(const struct build *build, const struct build_node *node)
{
	const char *name = name_at(build, node);
	struct image_class class = {.prefix = 0};

	while (name[class.prefix] != '*')
		class.prefix++;
	while (name[node->name_length - 1 - class.suffix] != '*')
		class.suffix++;
	return class;
}

static int compare_groups(const struct image_group *a, const struct image_group *b, const char *names)
{
	int order;

	if (a->node != b->node)
		return a->node < b->node ? -1 : 1;
	if (a->prefix != b->prefix)
		return a->prefix < b->prefix ? -1 : 1;
	if (a->suffix != b->suffix)
		return a->suffix < b->suffix ? -1 : 1;
	order = memcmp(names + a->name, names + b->name, a->prefix);
	if (order == 0)
		order = memcmp(names + a->name + a->name_length - a->suffix,
			       names + b->name + b->name_length - b->suffix, a->suffix);
	return order;
}

/* While sorting, each glob is a group of its own; `first` is its node. */
static int compare_globs(const void *left, const void *right, void *names)
{
	const struct image_group *a = left, *b = right;
	int order = compare_groups(a, b, names);

	if (order == 0)
		order = a->first < b->first ? -1 : 1;
	return order;
}

static int list_globs(struct build *build)
{
	build->groups.count = build->classes.count = build->members.count = 0;
	for (uint32_t i = 0; i < build->nodes.count; i++) {
		const struct build_node *node = build_node_at(build, i);
		struct image_class class;
		int error;

		if (node->kind != COMPONENT_GLOB)
			continue;
		if ((error = vector_reserve(&build->groups, 1)) < 0)
			return error;
		class = class_of(build, node);
		*(struct image_group *)vector_add(&build->groups, 1) = (struct image_group){
			.node = node->parent,
			.name = node->name,
			.name_length = node->name_length,
			.prefix = class.prefix,
			.suffix = class.suffix,
			.first = i,
			.count = 1,
		};
	}
	return 0;
}

/* A group begins: is it also the first of its class at its node? Then the node's list of classes grows. */
static int note_group(struct build *build, const struct image_group *group, const struct image_group *before)
{
	const char *name = (const char *)build->names.items + group->name;
	struct image_class *class;
	struct image_wild *wild;
	int error = wild_of(build, group->node, &wild);

	if (error < 0 || (error = vector_reserve(&build->classes, 1)) < 0)
		return error;
	if (before == NULL || before->node != group->node || before->prefix != group->prefix ||
	    before->suffix != group->suffix) {
		if (wild->class_count++ == 0)
			wild->classes = (uint32_t)build->classes.count;
		*(struct image_class *)vector_add(&build->classes, 1) =
			(struct image_class){.prefix = group->prefix, .suffix = group->suffix};
	}
	class = (struct image_class *)build->classes.items + build->classes.count - 1;
	class->first |= image_byte_bit(name[0]);
	class->last |= image_byte_bit(name[group->name_length - 1]);
	return 0;
}

static int group_globs(struct build *build)
{
	struct image_group *groups = build->groups.items, *last = NULL;
	size_t count = build->groups.count;
	int error;

	if (count == 0)
		return 0;
	if ((error = vector_reserve(&build->members, count)) < 0)
		return error;
	qsort_r(groups, count, sizeof(*groups), compare_globs, build->names.items);
	build->groups.count = 0;
	for (size_t i = 0; i < count; i++) {
		struct image_group glob = groups[i];

		*(uint32_t *)vector_add(&build->members, 1) = glob.first;
		if (last != NULL && compare_groups(last, &glob, build->names.items) == 0) {
			last->count++;
			continue;
		}
		if ((error = note_group(build, &glob, last)) < 0)
			return error;
		glob.first = (uint32_t)i;
		last = &groups[build->groups.count++];
		*last = glob;
	}
	return 0;
}

int trie_finish(struct build *build)
{
	int error;

	if ((error = list_stars(build)) < 0 || (error = list_globs(build)) < 0 || (error = group_globs(build)) < 0)
		return error;
	rank_shapes(build);
	tell_parents(build);
	return 0;
}

uint32_t trie_may_refuse(const struct build *build)
{
	uint32_t refused = ACCESS_READ | ACCESS_WRITE | ACCESS_EXEC, root = build_node_at(build, ROOT_FILES)->terminal;

	/* What the root's rule speaks of is not refused by default. */
	for (unsigned slot = 0; root != IMAGE_NONE && slot < SLOT_COUNT; slot++) {
		if (build_terminal_at(build, root)->rule[slot] != IMAGE_NONE)
			refused &= ~(1u << slot);
	}
	for (uint32_t i = 0; i < build->terminals.count; i++) {
		const struct build_terminal *terminal = build_terminal_at(build, i);

		for (unsigned slot = 0; slot < SLOT_COUNT; slot++) {
			if (terminal->rule[slot] != IMAGE_NONE &&
			    strictness(build_rule_at(build, terminal->rule[slot])->key, slot) > 0)
				refused |= 1u << slot;
		}
		if (terminal->forbid != IMAGE_NONE)
			refused |= ACCESS_READ | ACCESS_WRITE | ACCESS_EXEC;
	}
	return refused;
}
