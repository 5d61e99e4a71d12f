/* SPDX-License-Identifier: MIT */
/*
 * image.c - is this block of bytes an image, and what does its table of rules say?
 *
 * Rules here: runs inside guarded processes as well: neither heap nor libc nor
 * locks. image_check trusts nothing; what comes after it trusts everything it proved.
 * The checksum guards against accidents; against malice it is the seals of the memfd that
 * guard, and the checks of every index.
 */
#include <errno.h>

#include "image_layout.h"

/* Where the checksum begins: behind its own field. */
enum { CHECKSUM_START = offsetof(struct image, checksum) + sizeof(uint64_t) };

/* Four words at a time from there to an end that is aligned. */
_Static_assert(CHECKSUM_START % 32 == 0 && IMAGE_ALIGN % 32 == 0, "the checksum comes out even");

/* One step of the sum. It can be undone for a known word, so a change of one word always changes the sum. */
static uint64_t sum_word(uint64_t sum, uint64_t word)
{
	sum = (sum ^ word) * 0xbf58476d1ce4e5b9u;
	return sum ^ (sum >> 29);
}

uint64_t image_checksum(const void *bytes, size_t length)
{
	const uint64_t *word = (const uint64_t *)bytes + CHECKSUM_START / sizeof(uint64_t);
	size_t count = (length - CHECKSUM_START) / sizeof(uint64_t);
	/* Four sums side by side: the multiplications need not wait for each other. */
	uint64_t a = 1, b = 2, c = 3, d = length;

	for (; count > 0; count -= 4, word += 4) {
		a = sum_word(a, word[0]);
		b = sum_word(b, word[1]);
		c = sum_word(c, word[2]);
		d = sum_word(d, word[3]);
	}
	return sum_word(sum_word(sum_word(sum_word(0, a), b), c), d);
}

/* Is it an index of that section, or none? */
static bool optional(uint32_t index, struct image_section section)
{
	return index < section.count || index == IMAGE_NONE;
}

static bool optional_said(uint32_t said, struct image_section rules)
{
	return said == IMAGE_NONE || image_said_rule(said) < rules.count;
}

/* Do `count` records from `first` on lie inside? */
static bool range_inside(uint32_t first, uint32_t count, struct image_section section)
{
	return first <= section.count && count <= section.count - first;
}

static bool section_inside(const struct image *image, struct image_section section, size_t record)
{
	return section.offset % IMAGE_ALIGN == 0 && section.offset >= sizeof(*image) &&
	       section.offset <= image->length && section.count <= (image->length - section.offset) / record;
}

static bool check_sections(const struct image *image)
{
	return section_inside(image, image->rules, sizeof(struct image_rule_record)) &&
	       section_inside(image, image->nodes, sizeof(struct image_node)) &&
	       section_inside(image, image->wilds, sizeof(struct image_wild)) &&
	       section_inside(image, image->node_slots, sizeof(struct image_slot)) &&
	       section_inside(image, image->classes, sizeof(struct image_class)) &&
	       section_inside(image, image->groups, sizeof(struct image_group)) &&
	       section_inside(image, image->group_slots, sizeof(struct image_slot)) &&
	       section_inside(image, image->members, sizeof(uint32_t)) &&
	       section_inside(image, image->internet, sizeof(struct image_internet)) &&
	       section_inside(image, image->abstract, sizeof(struct image_abstract)) &&
	       section_inside(image, image->strings, 1) && section_inside(image, image->names, 1);
}

static bool check_rules(const struct image *image)
{
	const struct image_rule_record *rule = image_at(image, image->rules);
	const char *strings = image_at(image, image->strings);

	/* With a NUL as the last byte, a string that begins inside ends inside. */
	if (image->strings.count == 0 || strings[image->strings.count - 1] != '\0')
		return false;
	for (uint32_t i = 0; i < image->rules.count; i++, rule++) {
		if (rule->key >= RULE_KEY_COUNT || rule->layer > LAYER_COMMAND_LINE ||
		    rule->source >= image->strings.count || rule->value >= image->strings.count ||
		    rule->target >= image->strings.count)
			return false;
	}
	return true;
}

/* The highest bit of a node's index means something to the walk; no image has room for so many. */
_Static_assert(IMAGE_MAX_LENGTH / sizeof(struct image_node) < INT32_MAX, "nodes have 31 bits");

static bool check_nodes(const struct image *image)
{
	const struct image_node *node = image_at(image, image->nodes);

	for (int i = 0; i < ROOT_COUNT; i++) {
		if (image->roots[i] >= image->nodes.count)
			return false;
	}
	for (uint32_t i = 0; i < image->nodes.count; i++, node++) {
		if (!optional(node->parent, image->nodes) || !optional(node->wild, image->wilds) ||
		    !optional(node->below, image->rules) || !optional_said(node->forbid, image->rules) ||
		    !range_inside(node->name, node->name_length, image->names))
			return false;
		for (int slot = 0; slot < SLOT_COUNT; slot++) {
			if (!optional_said(node->said[slot], image->rules))
				return false;
		}
	}
	return true;
}

static bool check_wilds(const struct image *image)
{
	const struct image_wild *wild = image_at(image, image->wilds);

	for (uint32_t i = 0; i < image->wilds.count; i++, wild++) {
		if (!optional(wild->star, image->nodes) || !optional(wild->any_depth, image->nodes) ||
		    !range_inside(wild->classes, wild->class_count, image->classes))
			return false;
	}
	return true;
}

/* A probe ends at an empty slot, so there must be one. */
static bool check_slots(const struct image *image, struct image_section slots, struct image_section records)
{
	const struct image_slot *slot = image_at(image, slots);
	uint32_t empty = 0;

	if (slots.count == 0 || (slots.count & (slots.count - 1)) != 0)
		return false;
	for (uint32_t i = 0; i < slots.count; i++, slot++) {
		if (!optional(slot->index, records))
			return false;
		empty += slot->index == IMAGE_NONE;
	}
	return empty > 0;
}

static bool check_groups(const struct image *image)
{
	const struct image_group *group = image_at(image, image->groups);
	const uint32_t *member = image_at(image, image->members);

	for (uint32_t i = 0; i < image->groups.count; i++, group++) {
		if (group->node >= image->nodes.count || !range_inside(group->first, group->count, image->members) ||
		    !range_inside(group->name, group->name_length, image->names) ||
		    group->prefix > group->name_length || group->suffix > group->name_length)
			return false;
	}
	for (uint32_t i = 0; i < image->members.count; i++) {
		if (member[i] >= image->nodes.count)
			return false;
	}
	return true;
}

static bool check_addresses(const struct image *image)
{
	const struct image_internet *internet = image_at(image, image->internet);
	const struct image_abstract *abstract = image_at(image, image->abstract);

	for (uint32_t i = 0; i < image->internet.count; i++, internet++) {
		if (internet->rule >= image->rules.count || internet->bits > 128)
			return false;
	}
	for (uint32_t i = 0; i < image->abstract.count; i++, abstract++) {
		if (abstract->rule >= image->rules.count ||
		    !range_inside(abstract->name, abstract->name_length, image->names))
			return false;
	}
	return true;
}

int image_check_head(const void *bytes, size_t length)
{
	const struct image *image = bytes;

	if (length < sizeof(*image) || length > IMAGE_MAX_LENGTH || length % IMAGE_ALIGN != 0 ||
	    (uintptr_t)bytes % _Alignof(struct image) != 0)
		return -EINVAL;
	if (image->magic != IMAGE_MAGIC || image->version != IMAGE_VERSION || image->header_length != sizeof(*image) ||
	    image->length != length)
		return -EINVAL;
	return 0;
}

int image_check(const void *bytes, size_t length)
{
	const struct image *image = bytes;

	if (image_check_head(bytes, length) < 0 || image->checksum != image_checksum(bytes, length))
		return -EINVAL;
	if (image->on_violation > ON_VIOLATION_AUDIT || !check_sections(image) || !check_rules(image) ||
	    !check_nodes(image) || !check_wilds(image) || !check_slots(image, image->node_slots, image->nodes) ||
	    !check_groups(image) || !check_slots(image, image->group_slots, image->groups) || !check_addresses(image))
		return -EINVAL;
	return 0;
}

size_t image_length(const struct image *image)
{
	return image->length;
}

uint32_t image_rule_count(const struct image *image)
{
	return image->rules.count;
}

struct rule image_rule(const struct image *image, uint32_t index)
{
	const struct image_rule_record *record =
		(const struct image_rule_record *)image_at(image, image->rules) + index;
	const char *strings = image_at(image, image->strings);

	return (struct rule){
		.key = (enum rule_key)record->key,
		.layer = (enum rule_layer)record->layer,
		.source = strings + record->source,
		.value = strings + record->value,
		.target = strings + record->target,
	};
}

enum on_violation image_on_violation(const struct image *image)
{
	return (enum on_violation)image->on_violation;
}

struct policy_limits image_limits(const struct image *image)
{
	return image->limits;
}

const char *rule_key_name(enum rule_key key)
{
	static const char names[RULE_KEY_COUNT][24] = {
		[RULE_READ] = "filesystem.read",
		[RULE_WRITE] = "filesystem.write",
		[RULE_READ_ONLY] = "filesystem.read_only",
		[RULE_DENY] = "filesystem.deny",
		[RULE_HIDE] = "filesystem.hide",
		[RULE_FORBID] = "filesystem.forbid",
		[RULE_EXEC_ALLOW] = "exec.allow",
		[RULE_EXEC_DENY] = "exec.deny",
		[RULE_RESULT] = "--result",
		[RULE_CONNECT] = "network.connect",
		[RULE_BIND] = "network.bind",
		[RULE_ENV_KEEP] = "environment.keep",
		[RULE_ENV_REMOVE] = "environment.remove",
		[RULE_ENV_SET] = "environment.set",
	};

	return (unsigned)key < RULE_KEY_COUNT ? names[key] : "default";
}
