/* SPDX-License-Identifier: MIT */
/*
 * path.h - the components of paths and of patterns: splitting, hashing,
 * matching. Everything here runs in both rooms: no heap, no libc,
 * async-signal-safe.
 */
#ifndef PICKET_POLICY_PATH_H
#define PICKET_POLICY_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One component of a path or of a pattern; it points into the text and is not terminated. */
struct component {
	const char *bytes;
	size_t length;
	uint64_t hash; /* path_hash of it */
};

/* Where a walk over an absolute path stands. */
struct path_cursor {
	const char *at;	 /* the next component's first byte, NULL behind the last */
	const char *end; /* one past the path's last byte */
};

enum path_step { PATH_END, PATH_COMPONENT, PATH_MALFORMED };

/*
 * Begin with a path of `length` bytes. PATH_COMPONENT: path_next gives the first one; PATH_END: it is the root;
 * PATH_MALFORMED: it is empty or not absolute.
 */
enum path_step path_begin(struct path_cursor *cursor, const char *path, size_t length);

/*
 * The next component. PATH_MALFORMED for an empty one ("//", a slash at the end), for "." and "..", and for a NUL
 * byte; PATH_END when there is none left.
 */
enum path_step path_next(struct path_cursor *cursor, struct component *component);

/* Hash of a component; the builder, the walk and the groups of globs share it. */
uint64_t path_hash(const char *bytes, size_t length);

/* That hash, seen from a node of the trie: what a slot is found by. */
static inline uint64_t path_hash_at(uint64_t hash, uint32_t node)
{
	uint64_t mixed = (hash ^ ((uint64_t)node * 0x9e3779b97f4a7c15u)) * 0xd6e8feb86659fd93u;

	return mixed ^ (mixed >> 32);
}

/* Hash of the two ends of a component that a group of globs shares. */
static inline uint64_t path_hash_ends(const char *prefix, size_t prefix_length, const char *suffix,
				      size_t suffix_length)
{
	return path_hash(prefix, prefix_length) * 3 + path_hash(suffix, suffix_length);
}

bool path_equal(const char *a, const char *b, size_t length);

/* How much a pattern's component leaves open; a greater value is more specific. */
enum component_kind {
	COMPONENT_ANY_DEPTH, /* "**": zero or more whole components */
	COMPONENT_ANY,	     /* "*": any one component */
	COMPONENT_GLOB,	     /* has a "*" in it */
	COMPONENT_LITERAL,
	COMPONENT_KIND_COUNT
};

/* The kind; a component in which two stars stand side by side with anything else has none: -1. */
int path_component_kind(const char *bytes, size_t length);

/* Does the text match the pattern, in which each '*' stands for any bytes, also for none? */
bool path_matches(const char *pattern, size_t pattern_length, const char *text, size_t text_length);

#endif
