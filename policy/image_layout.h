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
 *     are found by hash too (group_slots); the node lists which pairs of lengths (classes) to try.
 * Where a rule's pattern ends, the node has a terminal: for each access the rule that wins among those of exactly
 * this pattern.
 */
#ifndef PICKET_POLICY_IMAGE_LAYOUT_H
#define PICKET_POLICY_IMAGE_LAYOUT_H

#include "image.h"

#define IMAGE_MAGIC UINT64_C(0x0a54454b4349500d) /* "\rPICKET\n": a transfer as text breaks it */
#define IMAGE_NONE UINT32_MAX			 /* no such index */

enum {
	IMAGE_VERSION = 1,
	IMAGE_ALIGN = 8,
	IMAGE_MAX_LENGTH = 1 << 30,
	IMAGE_MAX_RULES = 1 << 24,
	IMAGE_MAX_PATTERN = 4095, /* bytes of a pattern: as the kernel's PATH_MAX without the NUL */
};

/* The tries, by what their paths are. */
enum image_root { ROOT_FILES, ROOT_UNIX_CONNECT, ROOT_UNIX_BIND, ROOT_COUNT };

/* What a terminal says one thing of each: the accesses, by the position of their bit in enum access. */
enum image_access { SLOT_READ, SLOT_WRITE, SLOT_EXEC, SLOT_LOOK, SLOT_COUNT };

struct image_section {
	uint32_t offset; /* bytes from the start of the image, aligned */
	uint32_t count;	 /* records */
};

struct image_rule_record {
	uint32_t key, layer;
	uint32_t source, value, target; /* in `strings`, each ended by a NUL */
};

struct image_node {
	uint32_t parent;	/* node, or IMAGE_NONE for a root */
	uint32_t name;		/* its component's text, in `names` */
	uint32_t terminal;	/* or IMAGE_NONE */
	uint32_t star;		/* node behind "*", or IMAGE_NONE */
	uint32_t any_depth;	/* node behind "**", or IMAGE_NONE */
	uint32_t classes;	/* first of its classes of globs */
	uint32_t below;		/* a rule that speaks of something strictly below, or IMAGE_NONE: nothing leads on */
	uint16_t name_length;
	uint16_t class_count;
};

/* Of a hash table with open addressing; the size is a power of two, and at least one slot is empty. */
struct image_slot {
	uint32_t tag;	/* upper half of the hash */
	uint32_t index; /* node or group, IMAGE_NONE when empty */
};

struct image_class {
	uint16_t prefix, suffix; /* bytes before the first and after the last star */
};

struct image_group {
	uint32_t node;		 /* whose children its members are */
	uint32_t name;		 /* one of their texts, in `names`: it begins and ends as all do */
	uint16_t name_length;
	uint16_t prefix, suffix; /* bytes that they share, each at most name_length */
	uint16_t zero;
	uint32_t first, count;	 /* in `members` */
};

struct image_terminal {
	uint32_t rule[SLOT_COUNT]; /* or IMAGE_NONE: says nothing of that access */
	uint32_t forbid;	   /* or IMAGE_NONE */
	uint32_t rank;		   /* how specific the pattern is: greater wins among matches of equal depth */
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
enum { USES_INTERNET = 1, USES_EVERYTHING = 2 };

struct image {
	uint64_t magic;
	uint32_t version;
	uint32_t header_length;
	uint64_t length; /* of the whole, a multiple of IMAGE_ALIGN */
	uint64_t checksum; /* of everything behind it */
	uint32_t on_violation;
	uint32_t may_refuse; /* enum access bits that some path is refused */
	uint32_t uses[2];    /* by enum net_use */
	struct policy_limits limits;
	uint32_t roots[ROOT_COUNT]; /* nodes */
	uint32_t zero;
	struct image_section rules, nodes, node_slots, terminals, classes, groups, group_slots, members, internet,
		abstract, strings, names;
};

static inline const void *image_at(const struct image *image, struct image_section section)
{
	return (const unsigned char *)image + section.offset;
}

/* 0: a rule of this key allows the access, 1: it refuses, 2: it refuses and hides. Rules of the network allow. */
unsigned image_strictness(uint32_t key, unsigned slot);

/* Does rule `a` win over rule `b` for an access, where the paths of both match equally well? */
bool image_rule_wins(const struct image_rule_record *a, const struct image_rule_record *b, unsigned slot);

/* The checksum an image of `length` bytes should have; `length` at least the header's and a multiple of IMAGE_ALIGN. */
uint64_t image_checksum(const void *bytes, size_t length);

#endif
