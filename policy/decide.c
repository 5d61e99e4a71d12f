/* SPDX-License-Identifier: MIT */
/*
 * decide.c - what the policy says of paths: one walk along the path's
 * components through the trie of image_layout.h.
 *
 * Rules here: runs inside guarded processes as well: neither heap nor libc nor
 * locks, less than 2 KiB of stack, async-signal-safe; trusts the image (image_check has been), trusts nothing of
 * the path but its length. Whatever is odd is refused.
 *
 * A walk carries a set of nodes (states): all patterns that agree with the path so far and may go on. Without globs
 * that is one node. Rules that end at a node are met in order of depth, so the last one met wins;
 * only those met at the same depth have to be compared.
 */
#include <errno.h>

#include "decide.h"
#include "image_layout.h"
#include "path.h"

enum {
	STATES_MAX = DECIDE_STATES, /* patterns alive at once; a path at which there are more is refused */
};

/* Set in a state: the node stands behind a "**" and stays alive whatever component comes. */
#define STATE_STAYS DECIDE_STAYS

struct states {
	uint32_t node[STATES_MAX];
	uint32_t count;
};

/* What decides so far of one access. */
struct best {
	uint32_t said; /* or IMAGE_NONE */
	uint32_t rank;
	uint32_t depth;
};

struct walk {
	const struct image *image;
	struct best best[SLOT_COUNT];
	struct best forbid;
	uint32_t depth; /* components read */
	bool overflow;	/* more states than there is room for */
	struct states states;
};

static const struct image_node *node_at(const struct image *image, uint32_t index)
{
	return (const struct image_node *)image_at(image, image->nodes) + index;
}

static const struct image_wild *wild_at(const struct image *image, uint32_t index)
{
	return (const struct image_wild *)image_at(image, image->wilds) + index;
}

static void meet(const struct walk *walk, struct best *best, uint32_t said, uint32_t rank)
{
	if (said == IMAGE_NONE)
		return;
	if (best->said != IMAGE_NONE && best->depth == walk->depth &&
	    (best->rank > rank || (best->rank == rank && image_said_weight(best->said) >= image_said_weight(said))))
		return;
	*best = (struct best){.said = said, .rank = rank, .depth = walk->depth};
}

/* Rules end at this node. */
static void meet_rules(struct walk *walk, const struct image_node *node)
{
	for (unsigned slot = 0; slot < SLOT_COUNT; slot++)
		meet(walk, &walk->best[slot], node->said[slot], node->rank);
	meet(walk, &walk->forbid, node->forbid, node->rank);
}

static void add_state(struct walk *walk, struct states *states, uint32_t state)
{
	if (states->count == STATES_MAX)
		walk->overflow = true;
	else
		states->node[states->count++] = state;
}

/* A node behind "**" is reached anew from its parent while it is alive: once is enough. */
static void add_staying(struct walk *walk, struct states *states, uint32_t node)
{
	for (uint32_t i = 0; i < states->count; i++) {
		if (states->node[i] == (node | STATE_STAYS))
			return;
	}
	add_state(walk, states, node | STATE_STAYS);
}

/* The path so far matches this node's pattern. */
static void enter(struct walk *walk, struct states *states, uint32_t index)
{
	const struct image_node *node = node_at(walk->image, index);
	uint32_t any_depth;

	if ((node->flags & NODE_ENDS) != 0)
		meet_rules(walk, node);
	if (node->below == IMAGE_NONE)
		return;
	add_state(walk, states, index);
	if (node->wild == IMAGE_NONE)
		return;
	any_depth = wild_at(walk->image, node->wild)->any_depth;
	if (any_depth != IMAGE_NONE)
		add_staying(walk, states, any_depth);
}

static bool name_equal(const struct image_node *node, const char *names, const struct component *component)
{
	size_t length = component->length;

	if (node->name_length != length)
		return false;
	if (length <= NODE_START)
		return path_equal(node->start, component->bytes, length);
	return path_equal(names + node->name, component->bytes, length);
}

/* The child of `parent` by a component without stars, or IMAGE_NONE. */
static uint32_t find_literal(const struct image *image, uint32_t parent, const struct component *component)
{
	const struct image_slot *slots = image_at(image, image->node_slots);
	const char *names = image_at(image, image->names);
	uint64_t hash = path_hash_at(component->hash, parent);
	uint32_t mask = image->node_slots.count - 1;

	for (uint32_t at = (uint32_t)hash & mask; slots[at].index != IMAGE_NONE; at = (at + 1) & mask) {
		const struct image_node *node;

		if (slots[at].tag != (uint32_t)(hash >> 32))
			continue;
		node = node_at(image, slots[at].index);
		if (node->parent == parent && name_equal(node, names, component))
			return slots[at].index;
	}
	return IMAGE_NONE;
}

/* Does the group hold the globs of `parent` that begin and end as this component does? */
static bool group_fits(const struct image *image, const struct image_group *group, uint32_t parent,
		       const struct image_class *class, const struct component *component)
{
	const char *name = (const char *)image_at(image, image->names) + group->name;
	const char *suffix = component->bytes + component->length - class->suffix;

	return group->node == parent && group->prefix == class->prefix && group->suffix == class->suffix &&
	       path_equal(name, component->bytes, class->prefix) &&
	       path_equal(name + group->name_length - class->suffix, suffix, class->suffix);
}

static void enter_group(struct walk *walk, struct states *states, const struct image_group *group,
			const struct component *component)
{
	const uint32_t *member = (const uint32_t *)image_at(walk->image, walk->image->members) + group->first;
	const char *names = image_at(walk->image, walk->image->names);

	for (uint32_t i = 0; i < group->count; i++) {
		const struct image_node *node = node_at(walk->image, member[i]);

		if (path_matches(names + node->name, node->name_length, component->bytes, component->length))
			enter(walk, states, member[i]);
	}
}

/* May there be a group of this class for the component? */
static bool class_fits(const struct image_class *class, const struct component *component)
{
	uint32_t first = image_byte_bit(component->bytes[0]);
	uint32_t last = image_byte_bit(component->bytes[component->length - 1]);

	return (size_t) class->prefix + class->suffix <= component->length &&
	       (class->prefix == 0 || (class->first & first) != 0) && (class->suffix == 0 || (class->last & last) != 0);
}

/* Children of `parent` by components with stars in them, of one class. */
static void enter_class(struct walk *walk, struct states *states, uint32_t parent, const struct image_class *class,
			const struct component *component)
{
	const struct image *image = walk->image;
	const struct image_slot *slots = image_at(image, image->group_slots);
	const struct image_group *groups = image_at(image, image->groups);
	const char *suffix = component->bytes + component->length - class->suffix;
	uint64_t hash = path_hash_ends(component->bytes, class->prefix, suffix, class->suffix);
	uint32_t mask = image->group_slots.count - 1;

	hash = path_hash_at(hash, parent);
	for (uint32_t at = (uint32_t)hash & mask; slots[at].index != IMAGE_NONE; at = (at + 1) & mask) {
		const struct image_group *group = &groups[slots[at].index];

		if (slots[at].tag == (uint32_t)(hash >> 32) && group_fits(image, group, parent, class, component)) {
			enter_group(walk, states, group, component);
			return;
		}
	}
}

static void enter_wild(struct walk *walk, struct states *states, uint32_t parent, const struct image_wild *wild,
		       const struct component *component)
{
	const struct image_class *class =
		(const struct image_class *)image_at(walk->image, walk->image->classes) + wild->classes;

	if (wild->star != IMAGE_NONE)
		enter(walk, states, wild->star);
	for (uint32_t i = 0; i < wild->class_count; i++, class ++) {
		if (class_fits(class, component))
			enter_class(walk, states, parent, class, component);
	}
}

/* All states go one component further. */
static void step(struct walk *walk, const struct component *component)
{
	struct states next;

	next.count = 0;
	walk->depth++;
	for (uint32_t i = 0; i < walk->states.count; i++) {
		uint32_t index = walk->states.node[i] & ~STATE_STAYS;
		const struct image_node *node = node_at(walk->image, index);
		uint32_t child = IMAGE_NONE;

		if ((walk->states.node[i] & STATE_STAYS) != 0)
			add_staying(walk, &next, index);
		if ((node->children & image_child_bit(component->hash)) != 0)
			child = find_literal(walk->image, index, component);
		if (child != IMAGE_NONE)
			enter(walk, &next, child);
		if (node->wild != IMAGE_NONE)
			enter_wild(walk, &next, index, wild_at(walk->image, node->wild), component);
	}
	walk->states.count = next.count;
	for (uint32_t i = 0; i < next.count; i++)
		walk->states.node[i] = next.node[i];
}

/* Walk along a path. False: it is malformed. */
static bool walk_path(struct walk *walk, const struct image *image, enum image_root root, const char *path,
		      size_t length)
{
	struct path_cursor cursor;
	struct component component;
	enum path_step next = path_begin(&cursor, path, length);
	const struct best none = {.said = IMAGE_NONE, .rank = 0, .depth = 0};

	walk->image = image;
	for (unsigned slot = 0; slot < SLOT_COUNT; slot++)
		walk->best[slot] = none;
	walk->forbid = none;
	walk->depth = 0;
	walk->overflow = false;
	walk->states.count = 0;
	if (next == PATH_MALFORMED)
		return false;
	enter(walk, &walk->states, image->roots[root]);
	/* To the end even when no pattern is left alive: the path may still be malformed. */
	while ((next = path_next(&cursor, &component)) == PATH_COMPONENT)
		step(walk, &component);
	return next == PATH_END;
}

static struct verdict refuse(uint32_t rule, int error)
{
	return (struct verdict){.allowed = false, .error = error, .rule = rule};
}

static struct verdict allow(uint32_t rule)
{
	return (struct verdict){.allowed = true, .error = 0, .rule = rule};
}

/* What a finished walk says of one access. */
static struct verdict verdict_of(const struct walk *walk, unsigned slot)
{
	uint32_t said = walk->best[slot].said;

	if (walk->overflow && (walk->image->may_refuse >> slot & 1) != 0)
		return refuse(RULE_DEFAULT, EACCES);
	if (slot != SLOT_LOOK && walk->forbid.said != IMAGE_NONE)
		return refuse(image_said_rule(walk->forbid.said), EACCES);
	if (said == IMAGE_NONE)
		return slot == SLOT_LOOK ? allow(RULE_DEFAULT) : refuse(RULE_DEFAULT, EACCES);
	if (image_said_strictness(said) == SAID_ALLOWED)
		return allow(image_said_rule(said));
	return refuse(image_said_rule(said), image_said_strictness(said) == SAID_HIDDEN ? ENOENT : EACCES);
}

/* Existence first: what is hidden is not there, whatever else is refused. */
static const uint8_t order[SLOT_COUNT] = {SLOT_LOOK, SLOT_READ, SLOT_WRITE, SLOT_EXEC};

struct verdict decide_path(const struct image *image, const char *path, size_t length, unsigned access)
{
	struct walk walk;
	struct verdict verdict = refuse(RULE_DEFAULT, EACCES);

	if (access == 0 || access >> SLOT_COUNT != 0 || !walk_path(&walk, image, ROOT_FILES, path, length))
		return verdict;
	for (unsigned i = 0; i < SLOT_COUNT; i++) {
		struct verdict one;

		if ((access >> order[i] & 1) == 0)
			continue;
		one = verdict_of(&walk, order[i]);
		/* Of several that are allowed the rule told is the one that gives most: the last. */
		verdict = one;
		if (!one.allowed)
			break;
	}
	return verdict;
}

struct verdict decide_link(const struct image *image, const char *path, size_t length, unsigned access)
{
	struct walk walk;

	if (!walk_path(&walk, image, ROOT_FILES, path, length))
		return refuse(RULE_DEFAULT, EACCES);
	for (unsigned i = 0; i < SLOT_COUNT; i++) {
		struct verdict one = verdict_of(&walk, order[i]);
		bool forbidden = order[i] != SLOT_LOOK && walk.forbid.said != IMAGE_NONE;
		uint32_t depth = forbidden ? walk.forbid.depth : walk.best[order[i]].depth;

		if ((access >> order[i] & 1) != 0 && !one.allowed && one.rule != RULE_DEFAULT && depth > 0)
			return one;
	}
	return allow(RULE_DEFAULT);
}

bool decide_is_final(const struct image *image, uint32_t rule)
{
	const struct image_rule_record *rules = image_at(image, image->rules);

	return rule < image->rules.count && rules[rule].key == RULE_RESULT;
}

struct verdict decide_result(const struct image *image, const char *path, size_t length, bool directory)
{
	struct walk walk;
	uint32_t said;

	if (!walk_path(&walk, image, ROOT_FILES, path, length))
		return refuse(RULE_DEFAULT, EACCES);
	said = walk.best[SLOT_WRITE].said;
	if (said != IMAGE_NONE && image_said_strictness(said) == SAID_KEPT)
		return refuse(image_said_rule(said), EACCES);
	/* of the rules below a node the severest is told, and none is severer than this one */
	for (uint32_t i = 0; directory && i < walk.states.count; i++) {
		uint32_t below = node_at(image, walk.states.node[i] & ~STATE_STAYS)->below;

		if (below != IMAGE_NONE && decide_is_final(image, below))
			return refuse(below, EACCES);
	}
	return allow(RULE_DEFAULT);
}

bool decide_spares_command(const struct image *image, struct verdict verdict)
{
	struct rule rule;

	if (verdict.allowed || verdict.rule >= image_rule_count(image))
		return verdict.rule == RULE_DEFAULT;
	rule = image_rule(image, verdict.rule);
	return rule.key == RULE_EXEC_DENY && rule.target[0] == '/' && rule.target[1] == '\0';
}

/* A state of `a` that `b` has not, or IMAGE_NONE. */
static uint32_t missing_state(const struct states *a, const struct states *b)
{
	for (uint32_t i = 0; i < a->count; i++) {
		uint32_t j = 0;

		while (j < b->count && b->node[j] != a->node[i])
			j++;
		if (j == b->count)
			return a->node[i] & ~STATE_STAYS;
	}
	return IMAGE_NONE;
}

bool decide_move_reaches(const struct image *image, const char *from, size_t from_length, const char *to,
			 size_t to_length, bool directory)
{
	struct walk source, target;

	if (!walk_path(&source, image, ROOT_UNIX_CONNECT, from, from_length) ||
	    !walk_path(&target, image, ROOT_UNIX_CONNECT, to, to_length) || source.overflow || target.overflow)
		return true;
	if (source.best[SLOT_READ].said == IMAGE_NONE && target.best[SLOT_READ].said != IMAGE_NONE)
		return true;
	return directory && missing_state(&target.states, &source.states) != IMAGE_NONE;
}

struct verdict decide_move(const struct image *image, const char *from, size_t from_length, const char *to,
			   size_t to_length, bool directory)
{
	struct walk source, target;
	uint32_t state;

	if (!walk_path(&source, image, ROOT_FILES, from, from_length) ||
	    !walk_path(&target, image, ROOT_FILES, to, to_length))
		return refuse(RULE_DEFAULT, EACCES);
	for (unsigned slot = SLOT_READ; slot <= SLOT_EXEC; slot++) {
		struct verdict before = verdict_of(&source, slot);

		if (!before.allowed && verdict_of(&target, slot).allowed)
			return before;
	}
	if (!directory)
		return allow(RULE_DEFAULT);
	if (source.overflow || target.overflow)
		return refuse(RULE_DEFAULT, EACCES);
	/*
	 * Below the two names the same rules must come to speak of the same names. Then, as each is met deeper than all
	 * that was met before, what they say below is the same, and what they do not say was compared above. Only a
	 * forbid holds against what is met deeper.
	 */
	if (source.forbid.said != IMAGE_NONE && target.forbid.said == IMAGE_NONE)
		return refuse(image_said_rule(source.forbid.said), EACCES);
	state = missing_state(&source.states, &target.states);
	if (state == IMAGE_NONE)
		state = missing_state(&target.states, &source.states);
	if (state == IMAGE_NONE)
		return allow(RULE_DEFAULT);
	return refuse(node_at(image, state)->below, EACCES);
}

struct verdict decide_stand(const struct image *image, const char *path, size_t length, bool link)
{
	struct walk walk;

	if (!walk_path(&walk, image, ROOT_FILES, path, length) || walk.overflow)
		return refuse(RULE_DEFAULT, EACCES);
	for (uint32_t i = 0; i < walk.states.count; i++) {
		uint32_t state = walk.states.node[i];
		const struct image_node *node = node_at(image, state & ~STATE_STAYS);

		if ((state & STATE_STAYS) == 0 && (node->flags & NODE_REFUSES_BELOW) != 0 &&
		    (link || (node->flags & NODE_STAR) == 0))
			return refuse(node->below, EACCES);
	}
	return allow(RULE_DEFAULT);
}

unsigned decide_states(const struct image *image, const char *path, size_t length, uint32_t node[DECIDE_STATES])
{
	struct walk walk;

	if (!walk_path(&walk, image, ROOT_FILES, path, length) || walk.overflow)
		return DECIDE_STATES + 1;
	for (uint32_t i = 0; i < walk.states.count; i++)
		node[i] = walk.states.node[i];
	return walk.states.count;
}

bool decide_may_refuse(const struct image *image, unsigned access)
{
	return (image->may_refuse & access) != 0;
}

/* As meet() compares what two patterns say: by depth, then by how specific they are, then by layer and strictness. */
static bool beats(const struct best *a, const struct best *b)
{
	if (a->depth != b->depth)
		return a->depth > b->depth;
	if (a->rank != b->rank)
		return a->rank > b->rank;
	return image_said_weight(a->said) > image_said_weight(b->said);
}

/* Do the files' rules refuse a socket of this name to everybody? */
static bool refused_as_file(const struct walk *files, struct verdict *verdict)
{
	uint32_t look = files->best[SLOT_LOOK].said;

	if (files->overflow && files->image->may_refuse != 0)
		*verdict = refuse(RULE_DEFAULT, EACCES);
	else if (look != IMAGE_NONE && image_said_strictness(look) == SAID_HIDDEN)
		*verdict = refuse(image_said_rule(look), ENOENT);
	else if (files->forbid.said != IMAGE_NONE)
		*verdict = refuse(image_said_rule(files->forbid.said), EACCES);
	else
		return false;
	return true;
}

struct verdict decide_unix_path(const struct image *image, enum net_use use, const char *path, size_t length)
{
	struct walk walk, files;
	struct verdict verdict;
	enum image_root root = use == NET_CONNECT ? ROOT_UNIX_CONNECT : ROOT_UNIX_BIND;
	const struct best *rule = &walk.best[SLOT_READ], *denied = &files.best[SLOT_READ];

	if (!walk_path(&walk, image, root, path, length) || !walk_path(&files, image, ROOT_FILES, path, length) ||
	    walk.overflow)
		return refuse(RULE_DEFAULT, EACCES);
	if (refused_as_file(&files, &verdict))
		return verdict;
	/* That no rule lets it be read is nothing against it, only that one refuses it. */
	if (denied->said != IMAGE_NONE && image_said_strictness(denied->said) != SAID_ALLOWED &&
	    (rule->said == IMAGE_NONE || !beats(rule, denied)))
		return refuse(image_said_rule(denied->said), EACCES);
	return rule->said == IMAGE_NONE ? refuse(RULE_DEFAULT, EACCES) : allow(image_said_rule(rule->said));
}

struct verdict decide_own_socket(const struct image *image, const char *path, size_t length)
{
	struct walk files;
	struct verdict verdict;

	if (!walk_path(&files, image, ROOT_FILES, path, length))
		return refuse(RULE_DEFAULT, EACCES);
	return refused_as_file(&files, &verdict) ? verdict : allow(RULE_DEFAULT);
}
