/* SPDX-License-Identifier: MIT */
/*
 * build_internal.h - a policy while it is being built. Only for build*.c.
 */
#ifndef PICKET_POLICY_BUILD_INTERNAL_H
#define PICKET_POLICY_BUILD_INTERNAL_H

#include "build.h"
#include "image_layout.h"
#include "path.h"

/* A growing array; the type of its items is the user's business. */
struct vector {
	void *items;
	size_t count, room;
	size_t size; /* of one item */
};

/* Room for `count` more; the new items are not counted yet. 0, -ENOMEM, or -E2BIG past what an image can hold. */
int vector_reserve(struct vector *vector, size_t count);
/* The same, counts them, and gives the first. NULL after a failed vector_reserve is not possible: reserve before. */
void *vector_add(struct vector *vector, size_t count);

/* A node of the trie under construction. Indexes are those of the image. */
struct build_node {
	uint64_t hash;	 /* path_hash of the component */
	uint32_t parent; /* IMAGE_NONE for a root */
	uint32_t name;	 /* in `names` */
	uint16_t name_length;
	uint16_t kind; /* enum component_kind */
	uint32_t star, any_depth;
	uint32_t terminal;
	uint32_t shape;
	uint32_t wild; /* from here on: filled when finishing */
	uint32_t below;
	uint32_t children;
	bool refuses_below; /* `below` refuses writing */
};

/*
 * The sequence of component kinds of a pattern, which is what its rank depends on: shapes form a trie of their own, and
 * their order in it is the ranks' order.
 */
struct build_shape {
	uint32_t next[COMPONENT_KIND_COUNT];
	uint32_t rank; /* filled when finishing */
};

/* Where patterns end: the rule of each access that wins among those of exactly this pattern, or IMAGE_NONE. */
struct build_terminal {
	uint32_t rule[SLOT_COUNT];
	uint32_t forbid;
};

struct build {
	struct vector rules;	 /* struct image_rule_record */
	struct vector nodes;	 /* struct build_node */
	struct vector shapes;	 /* struct build_shape */
	struct vector terminals; /* struct build_terminal */
	struct vector internet;	 /* struct image_internet */
	struct vector abstract;	 /* struct image_abstract */
	struct vector strings;	 /* char; begins with an empty string */
	struct vector names;	 /* char */
	struct vector groups;	 /* struct image_group; filled when finishing, as are the next three */
	struct vector wilds;	 /* struct image_wild */
	struct vector classes;	 /* struct image_class */
	struct vector members;	 /* uint32_t */
	uint32_t *table;	 /* nodes by (parent, component), open addressing, IMAGE_NONE is empty */
	size_t table_size;	 /* a power of two, at least twice the nodes */
	enum on_violation on_violation;
	struct policy_limits limits;
};

/* build_trie.c */
int trie_new(struct build *build);
/*
 * Find or make the node of a pattern below a root. 0 and *node, or -errno: -EINVAL not absolute, an empty, "." or ".."
 * component, a "**" that is not a whole component, longer than IMAGE_MAX_PATTERN.
 */
int trie_pattern(struct build *build, enum image_root root, const char *pattern, uint32_t *node);
/* That node's terminal, made if it has none: index in `terminals`. 0 or -errno. */
int trie_terminal(struct build *build, uint32_t node, uint32_t *terminal);
/* A rule ends at that terminal. */
void trie_say(struct build *build, uint32_t terminal, uint32_t rule, enum image_root root);
/* Fill in ranks, what leads on from each node, groups of globs. 0 or -errno. May be called again. */
int trie_finish(struct build *build);
/* Accesses that some path is refused. After trie_finish. */
uint32_t trie_may_refuse(const struct build *build);

/* build_net.c: enum USES_* of one use, INTERNET_CONNECT or INTERNET_BIND. */
uint32_t net_uses(const struct build *build, uint8_t use);

/* What an image says of a terminal's rule, see image_said. */
uint32_t trie_said(const struct build *build, uint32_t rule, unsigned slot);

static inline struct build_terminal *build_terminal_at(const struct build *build, uint32_t index)
{
	return (struct build_terminal *)build->terminals.items + index;
}

static inline struct image_rule_record *build_rule_at(const struct build *build, uint32_t index)
{
	return (struct image_rule_record *)build->rules.items + index;
}

static inline struct build_node *build_node_at(const struct build *build, uint32_t index)
{
	return (struct build_node *)build->nodes.items + index;
}

#endif
