/* SPDX-License-Identifier: MIT */
/*
 * image_layout.h - what stands where in an image. Only for image.c, build*.c,
 * decide.c and net.c.
 *
 * After the header come sections: arrays of one kind of record each, found by
 * offset from the image's first byte. Records name each other by index. image_check proves every index and offset
 * to be inside; nobody follows one chain of indexes without using up a component of the path, so that
 * no image whatever can make a decision run on.
 *
 * The rules' paths form a trie. A node is a pattern read so far; from it lead
 *   - components without a star, all nodes' together in one hash table (node_slots), found by (node, component);
 *   - at most one "*" and one "**" (which stays alive at every further component);
 *   - components with stars in them, in groups that share the bytes before the first and after the last star. Groups
 *     are found by hash too (group_slots); the node's image_wild lists which pairs of lengths (classes) to try.
 * Where a rule's pattern ends, the node has for each access the rule that wins among those of exactly this pattern.
 */
#ifndef PICKET_POLICY_IMAGE_LAYOUT_H
#define PICKET_POLICY_IMAGE_LAYOUT_H

#include "image.h"

#define IMAGE_MAGIC UINT64_C(0x0a54454b4349500d) /* "\rPICKET\n": a transfer as text breaks it */
#define IMAGE_NONE UINT32_MAX			 /* no such index */

enum {
	IMAGE_VERSION = 2,
	IMAGE_ALIGN = 64, /* of sections and of the length: lines of the processor's cache */
	IMAGE_MAX_LENGTH = 1 << 30,
	IMAGE_MAX_RULES = 1 << 24, /* what image_said has room for */
	IMAGE_MAX_PATTERN = 4095,  /* bytes of a pattern: as the kernel's PATH_MAX without the NUL */
};

/* The tries, by what their paths are. */
enum image_root { ROOT_FILES, ROOT_UNIX_CONNECT, ROOT_UNIX_BIND, ROOT_COUNT };

/* The accesses of which a pattern's rules say one thing each, by the position of their bit in enum access. */
enum image_access { SLOT_READ, SLOT_WRITE, SLOT_EXEC, SLOT_LOOK, SLOT_COUNT };

enum { NODE_START = 16 };

enum {
	NODE_ENDS = 1,		/* some rule's pattern ends here, one of `said` and `forbid` is there */
	NODE_STAR = 2,		/* its component has a star in it, or is one */
	NODE_REFUSES_BELOW = 4, /* some rule refuses writing strictly below: `below` */
};

struct image_section {
	uint32_t offset; /* bytes from the start of the image, aligned */
	uint32_t count;	 /* records */
};

struct image_rule_record {
	uint32_t key, layer;
	uint32_t source, value, target; /* in `strings`, each ended by a NUL */
};

struct image_node {
	uint32_t parent;	   /* node, or IMAGE_NONE for a root */
	uint32_t wild;		   /* what leads on by stars, or IMAGE_NONE */
	uint32_t below;		   /* a rule that speaks of something strictly below (one that refuses writing, if any
				      does), or IMAGE_NONE: nothing leads on */
	uint32_t children;	   /* filter of the components without stars, by image_child_bit */
	uint32_t said[SLOT_COUNT]; /* what the rules of exactly this pattern say of each access, or IMAGE_NONE */
	uint32_t forbid;	   /* the same of RULE_FORBID */
	uint32_t rank;		   /* how specific the pattern is: greater wins among matches of equal depth */
	uint32_t name;		   /* its component's text, in `names` */
	uint16_t name_length;
	uint16_t flags;		/* NODE_* */
	char start[NODE_START]; /* the first bytes of the text again: the whole node is one line of the processor's
				   cache */
};

/*
 * What is said of an access: the rule that wins among those of one pattern, with what is needed to compare it with that
 * of another pattern: from the lowest bit, 24 bits of rule, 2 of strictness, 2 of layer.
 */
enum { SAID_ALLOWED, SAID_REFUSED, SAID_HIDDEN, SAID_KEPT /* refused whatever else is said (RULE_RESULT) */ };

static inline uint32_t image_said(uint32_t rule, unsigned strictness, uint32_t layer)
{
	return rule | (uint32_t)strictness << 24 | layer << 26;
}

static inline uint32_t image_said_rule(uint32_t said)
{
	return said & 0xffffff;
}

static inline unsigned image_said_strictness(uint32_t said)
{
	return said >> 24 & 3;
}

/* Layer first, then strictness: greater wins. */
static inline uint32_t image_said_weight(uint32_t said)
{
	return said >> 24;
}

/* Of the few nodes that have any. */
struct image_wild {
	uint32_t star;	    /* node behind "*", or IMAGE_NONE */
	uint32_t any_depth; /* node behind "**", or IMAGE_NONE */
	uint32_t classes;   /* first of its classes of globs */
	uint32_t class_count;
};

/* Of a hash table with open addressing; the size is a power of two, and at least one slot is empty. */
struct image_slot {
	uint32_t tag;	/* upper half of the hash */
	uint32_t index; /* node or group, IMAGE_NONE when empty */
};

struct image_class {
	uint16_t prefix, suffix; /* bytes before the first and after the last star */
	uint32_t first, last;	 /* filters of the first and the last byte, by image_byte_bit; unless the length is 0 */
};

struct image_group {
	uint32_t node; /* whose children its members are */
	uint32_t name; /* one of their texts, in `names`: it begins and ends as all do */
	uint16_t name_length;
	uint16_t prefix, suffix; /* bytes that they share, each at most name_length */
	uint16_t zero;
	uint32_t first, count; /* in `members` */
};

/* Flags of an internet destination. */
enum {
	INTERNET_CONNECT = 1,
	INTERNET_BIND = 2,
	INTERNET_TCP = 4,
	INTERNET_UDP = 8,
	INTERNET_V4 = 16,
	INTERNET_V6 = 32,
};

struct image_internet {
	uint8_t address[16]; /* network order; IPv4 in the first four; zero behind the prefix */
	uint32_t rule;
	uint16_t first_port, last_port;
	uint8_t bits;
	uint8_t flags;
	uint16_t zero;
};

struct image_abstract {
	uint32_t rule;
	uint32_t name; /* in `names` */
	uint16_t name_length;
	uint8_t use;	/* INTERNET_CONNECT or INTERNET_BIND */
	uint8_t prefix; /* 1: any rest may follow */
};

/* What is known of the network rules as a whole, one for each use. */
enum { USES_INTERNET = 1, USES_EVERYTHING = 2, USES_UDP = 4 };

struct image {
	uint64_t magic;
	uint32_t version;
	uint32_t header_length;
	uint64_t length;   /* of the whole, a multiple of IMAGE_ALIGN */
	uint64_t checksum; /* of everything behind it */
	uint32_t on_violation;
	uint32_t may_refuse; /* enum access bits that some path is refused */
	uint32_t uses[2];    /* by enum net_use */
	struct policy_limits limits;
	uint32_t roots[ROOT_COUNT]; /* nodes */
	uint32_t zero;
	struct image_section rules, nodes, wilds, node_slots, classes, groups, group_slots, members, internet, abstract,
		strings, names;
};

_Static_assert(sizeof(struct image_node) == 64, "a node is one cache line");

static inline const void *image_at(const struct image *image, struct image_section section)
{
	return (const unsigned char *)image + section.offset;
}

/*
 * Filters: a bit that is not set says that nothing is there, which spares a look into a table that is
 * rarely in the processor's cache. They only save time: what they let pass is compared.
 */
static inline uint32_t image_child_bit(uint64_t hash)
{
	return UINT32_C(1) << (hash >> 59);
}

static inline uint32_t image_byte_bit(char byte)
{
	return UINT32_C(1) << ((unsigned char)byte & 31);
}

/* The checksum an image of `length` bytes should have; `length` at least the header's and a multiple of IMAGE_ALIGN. */
uint64_t image_checksum(const void *bytes, size_t length);

#endif
