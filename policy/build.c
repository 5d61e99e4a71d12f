/* SPDX-License-Identifier: MIT */
/*
 * build.c - rules in, image out: the rules themselves, and laying out the
 * image. Paths become nodes in build_trie.c, addresses are in build_net.c.
 *
 * Rules here: outside only. The same calls in the same order give the same
 * bytes. What fails leaves the build as it was, so that it may be freed or tried again.
 */
#include "build.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "build_internal.h"

/* ---- vectors ----------------------------------------------------------------------------------- */

int vector_reserve(struct vector *vector, size_t count)
{
	size_t room = vector->room == 0 ? 16 : vector->room;
	void *items;

	if (count > IMAGE_MAX_LENGTH / vector->size - vector->count)
		return -E2BIG;
	if (vector->items != NULL && vector->count + count <= vector->room)
		return 0;
	while (room < vector->count + count)
		room *= 2;
	items = realloc(vector->items, room * vector->size);
	if (items == NULL)
		return -ENOMEM;
	vector->items = items;
	vector->room = room;
	return 0;
}

void *vector_add(struct vector *vector, size_t count)
{
	void *added = (char *)vector->items + vector->count * vector->size;

	vector->count += count;
	return added;
}

/* ---- beginning and end ------------------------------------------------------------------------- */

struct build *build_new(void)
{
	struct build *build = calloc(1, sizeof(*build));

	if (build == NULL)
		return NULL;
	build->rules.size = sizeof(struct image_rule_record);
	build->nodes.size = sizeof(struct build_node);
	build->shapes.size = sizeof(struct build_shape);
	build->terminals.size = sizeof(struct build_terminal);
	build->internet.size = sizeof(struct image_internet);
	build->abstract.size = sizeof(struct image_abstract);
	build->strings.size = build->names.size = 1;
	build->groups.size = sizeof(struct image_group);
	build->wilds.size = sizeof(struct image_wild);
	build->classes.size = sizeof(struct image_class);
	build->members.size = sizeof(uint32_t);
	if (vector_reserve(&build->strings, 1) < 0 || trie_new(build) < 0) {
		build_free(build);
		return NULL;
	}
	*(char *)vector_add(&build->strings, 1) = '\0';
	return build;
}

void build_free(struct build *build)
{
	if (build == NULL)
		return;
	free(build->rules.items);
	free(build->nodes.items);
	free(build->shapes.items);
	free(build->terminals.items);
	free(build->internet.items);
	free(build->abstract.items);
	free(build->strings.items);
	free(build->names.items);
	free(build->groups.items);
	free(build->wilds.items);
	free(build->classes.items);
	free(build->members.items);
	free(build->table);
	free(build);
}

/* ---- rules ------------------------------------------------------------------------------------- */

/* Copies a string; NULL is the empty one. */
static int add_string(struct build *build, const char *text, uint32_t *offset)
{
	size_t length = text == NULL ? 0 : strlen(text);
	int error;

	*offset = 0;
	if (length == 0)
		return 0;
	if ((error = vector_reserve(&build->strings, length + 1)) < 0)
		return error;
	*offset = (uint32_t)build->strings.count;
	memcpy(vector_add(&build->strings, length + 1), text, length + 1);
	return 0;
}

static int add_rule(struct build *build, const struct rule *rule)
{
	struct image_rule_record record = {.key = rule->key, .layer = rule->layer};
	size_t strings = build->strings.count;
	int error;

	if ((unsigned)rule->layer > LAYER_COMMAND_LINE)
		return -EINVAL;
	if (build->rules.count == IMAGE_MAX_RULES)
		return -E2BIG;
	if ((error = add_string(build, rule->source, &record.source)) < 0 ||
	    (error = add_string(build, rule->value, &record.value)) < 0 ||
	    (error = add_string(build, rule->target, &record.target)) < 0 ||
	    (error = vector_reserve(&build->rules, 1)) < 0) {
		build->strings.count = strings;
		return error;
	}
	*(struct image_rule_record *)vector_add(&build->rules, 1) = record;
	return (int)build->rules.count - 1;
}

/* Is it the index of a rule whose key is one of these? */
static bool is_rule(const struct build *build, int index, enum rule_key first, enum rule_key last)
{
	return index >= 0 && (size_t)index < build->rules.count &&
	       build_rule_at(build, (uint32_t)index)->key >= (uint32_t)first &&
	       build_rule_at(build, (uint32_t)index)->key <= (uint32_t)last;
}

static int say_pattern(struct build *build, int index, enum image_root root, const char *pattern)
{
	uint32_t node, terminal;
	int error = trie_pattern(build, root, pattern, &node);

	if (error == 0)
		error = trie_terminal(build, node, &terminal);
	if (error == 0)
		trie_say(build, terminal, (uint32_t)index, root);
	return error < 0 ? error : index;
}

int build_also_path(struct build *build, int index, const char *pattern)
{
	if (!is_rule(build, index, RULE_READ, RULE_RESULT))
		return -EINVAL;
	return say_pattern(build, index, ROOT_FILES, pattern);
}

int build_path_rule(struct build *build, const struct rule *rule)
{
	size_t strings = build->strings.count;
	int index, error;

	if ((unsigned)rule->key > RULE_RESULT)
		return -EINVAL;
	index = add_rule(build, rule);
	if (index < 0 || rule->target == NULL || rule->target[0] == '\0')
		return index;
	error = build_also_path(build, index, rule->target);
	if (error < 0) {
		build->rules.count--;
		build->strings.count = strings;
	}
	return error;
}

int build_net_rule(struct build *build, const struct rule *rule)
{
	if (rule->key != RULE_CONNECT && rule->key != RULE_BIND)
		return -EINVAL;
	return add_rule(build, rule);
}

int build_also_unix_path(struct build *build, int index, const char *pattern)
{
	if (!is_rule(build, index, RULE_CONNECT, RULE_BIND))
		return -EINVAL;
	if (build_rule_at(build, (uint32_t)index)->key == RULE_CONNECT)
		return say_pattern(build, index, ROOT_UNIX_CONNECT, pattern);
	return say_pattern(build, index, ROOT_UNIX_BIND, pattern);
}

int build_env_rule(struct build *build, const struct rule *rule)
{
	if (rule->key != RULE_ENV_KEEP && rule->key != RULE_ENV_REMOVE && rule->key != RULE_ENV_SET)
		return -EINVAL;
	return add_rule(build, rule);
}

void build_on_violation(struct build *build, enum on_violation what)
{
	build->on_violation = what;
}

void build_limits(struct build *build, const struct policy_limits *limits)
{
	build->limits = *limits;
}

/* ---- the image --------------------------------------------------------------------------------- */

/* Twice the records or more, so that a probe soon meets an empty slot. */
static size_t slot_count(size_t records)
{
	size_t count = 2;

	while (count < records * 2)
		count *= 2;
	return count;
}

static size_t align(size_t length)
{
	return (length + IMAGE_ALIGN - 1) & ~(size_t)(IMAGE_ALIGN - 1);
}

/* Give a section its place at `*end`. */
static void place(struct image_section *section, size_t *end, size_t count, size_t size)
{
	*section = (struct image_section){.offset = (uint32_t)*end, .count = (uint32_t)count};
	*end = align(*end + count * size);
}

/* All vectors are bounded by IMAGE_MAX_LENGTH: nothing here overflows a size_t, and what is too long shows at the end.
 */
static size_t place_all(const struct build *build, struct image *header)
{
	size_t end = align(sizeof(*header));

	place(&header->rules, &end, build->rules.count, build->rules.size);
	place(&header->nodes, &end, build->nodes.count, sizeof(struct image_node));
	place(&header->wilds, &end, build->wilds.count, build->wilds.size);
	place(&header->node_slots, &end, slot_count(build->nodes.count), sizeof(struct image_slot));
	place(&header->classes, &end, build->classes.count, build->classes.size);
	place(&header->groups, &end, build->groups.count, build->groups.size);
	place(&header->group_slots, &end, slot_count(build->groups.count), sizeof(struct image_slot));
	place(&header->members, &end, build->members.count, build->members.size);
	place(&header->internet, &end, build->internet.count, build->internet.size);
	place(&header->abstract, &end, build->abstract.count, build->abstract.size);
	place(&header->strings, &end, build->strings.count, 1);
	place(&header->names, &end, build->names.count, 1);
	return end;
}

/* Where a section is written. */
static void *room(struct image *image, struct image_section section)
{
	return (char *)image + section.offset;
}

static void copy_section(struct image *image, struct image_section section, const struct vector *from)
{
	if (from->count > 0)
		memcpy(room(image, section), from->items, from->count * from->size);
}

static void put_slot(struct image *image, struct image_section section, uint64_t hash, uint32_t index)
{
	struct image_slot *slots = room(image, section);
	uint32_t mask = section.count - 1, at = (uint32_t)hash & mask;

	while (slots[at].index != IMAGE_NONE)
		at = (at + 1) & mask;
	slots[at] = (struct image_slot){.tag = (uint32_t)(hash >> 32), .index = index};
}

static void empty_slots(struct image *image, struct image_section section)
{
	struct image_slot *slots = room(image, section);

	for (uint32_t i = 0; i < section.count; i++)
		slots[i] = (struct image_slot){.tag = 0, .index = IMAGE_NONE};
}

static void write_rules_of(const struct build *build, struct image_node *node, uint32_t terminal)
{
	const struct build_terminal *from = build_terminal_at(build, terminal);

	for (unsigned slot = 0; slot < SLOT_COUNT; slot++) {
		node->said[slot] = trie_said(build, from->rule[slot], slot);
		if (from->rule[slot] != IMAGE_NONE)
			node->flags |= NODE_ENDS;
	}
	node->forbid = trie_said(build, from->forbid, SLOT_READ);
	if (from->forbid != IMAGE_NONE)
		node->flags |= NODE_ENDS;
}

static uint16_t node_flags(const struct build_node *node)
{
	return (uint16_t)((node->kind != COMPONENT_LITERAL ? NODE_STAR : 0) |
			  (node->refuses_below ? NODE_REFUSES_BELOW : 0));
}

static void write_nodes(const struct build *build, struct image *image)
{
	const struct build_shape *shapes = build->shapes.items;
	struct image_node *node = room(image, image->nodes);

	empty_slots(image, image->node_slots);
	for (uint32_t i = 0; i < build->nodes.count; i++, node++) {
		const struct build_node *from = build_node_at(build, i);
		size_t start = from->name_length < NODE_START ? from->name_length : NODE_START;

		*node = (struct image_node){
			.parent = from->parent,
			.wild = from->wild,
			.below = from->below,
			.children = from->children,
			.said = {IMAGE_NONE, IMAGE_NONE, IMAGE_NONE, IMAGE_NONE},
			.forbid = IMAGE_NONE,
			.rank = shapes[from->shape].rank,
			.name = from->name,
			.name_length = from->name_length,
			.flags = node_flags(from),
		};
		if (start > 0)
			memcpy(node->start, (const char *)build->names.items + from->name, start);
		if (from->terminal != IMAGE_NONE)
			write_rules_of(build, node, from->terminal);
		if (from->kind == COMPONENT_LITERAL)
			put_slot(image, image->node_slots, path_hash_at(from->hash, from->parent), i);
	}
}

static void write_groups(const struct build *build, struct image *image)
{
	const struct image_group *group = build->groups.items;
	const char *names = build->names.items;

	empty_slots(image, image->group_slots);
	copy_section(image, image->groups, &build->groups);
	for (uint32_t i = 0; i < build->groups.count; i++, group++) {
		const char *name = names + group->name, *end = name + group->name_length;
		uint64_t hash = path_hash_ends(name, group->prefix, end - group->suffix, group->suffix);

		put_slot(image, image->group_slots, path_hash_at(hash, group->node), i);
	}
}

int build_finish(struct build *build, struct image **image, size_t *length)
{
	struct image header = {
		.magic = IMAGE_MAGIC,
		.version = IMAGE_VERSION,
		.header_length = sizeof(header),
		.on_violation = build->on_violation,
		.limits = build->limits,
		.roots = {ROOT_FILES, ROOT_UNIX_CONNECT, ROOT_UNIX_BIND},
	};
	int error = trie_finish(build);
	struct image *made;

	if (error < 0)
		return error;
	header.may_refuse = trie_may_refuse(build);
	for (int use = 0; use < 2; use++)
		header.uses[use] = net_uses(build, use == 0 ? INTERNET_CONNECT : INTERNET_BIND);
	header.length = place_all(build, &header);
	if (header.length > IMAGE_MAX_LENGTH)
		return -E2BIG;
	made = calloc(1, header.length);
	if (made == NULL)
		return -ENOMEM;
	*made = header;
	copy_section(made, header.rules, &build->rules);
	write_nodes(build, made);
	copy_section(made, header.wilds, &build->wilds);
	copy_section(made, header.classes, &build->classes);
	write_groups(build, made);
	copy_section(made, header.members, &build->members);
	copy_section(made, header.internet, &build->internet);
	copy_section(made, header.abstract, &build->abstract);
	copy_section(made, header.strings, &build->strings);
	copy_section(made, header.names, &build->names);
	made->checksum = image_checksum(made, header.length);
	*image = made;
	*length = header.length;
	return 0;
}
