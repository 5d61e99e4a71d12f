/* SPDX-License-Identifier: MIT */
/*
 * path.c - the components of paths and of patterns.
 *
 * Rules here: runs inside guarded processes as well, so neither heap nor libc
 * nor locks, and nothing is read beyond the length given. Paths are bytes:
 * only '/' and NUL mean something.
 *
 * A component is found and hashed eight bytes at a time, since this loop is
 * what a decision spends its time on.
 */
#include "path.h"

/* The first byte of a path must be the lowest one of a word. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "words are read as little endian");

enum { WORD = sizeof(uint64_t) };

#define EACH_BYTE(byte) ((uint64_t)(byte)*0x0101010101010101u)

static uint64_t load_word(const char *from)
{
	uint64_t word;

	__builtin_memcpy(&word, from, sizeof(word));
	return word;
}

/* Fewer than eight bytes, the rest is zero. */
static uint64_t load_bytes(const char *from, size_t count)
{
	uint64_t word = 0;

	for (size_t i = 0; i < count; i++)
		word |= (uint64_t)(unsigned char)from[i] << (8 * i);
	return word;
}

/* The lowest bit set belongs to the first zero byte; bits above that one may be wrong. */
static uint64_t zero_bytes(uint64_t word)
{
	return (word - EACH_BYTE(0x01)) & ~word & EACH_BYTE(0x80);
}

/* The lowest `count` bytes of a word; `count` below eight. */
static uint64_t low_bytes(uint64_t word, size_t count)
{
	return word & (((uint64_t)1 << (8 * count)) - 1);
}

/* Each step can be undone, so two words that differ never give the same sum at once. */
static uint64_t hash_word(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * 0xff51afd7ed558ccdu;
	return hash ^ (hash >> 32);
}

static const uint64_t hash_start = 0x243f6a8885a308d3u;

uint64_t path_hash(const char *bytes, size_t length)
{
	uint64_t hash = hash_start;

	for (; length >= WORD; bytes += WORD, length -= WORD)
		hash = hash_word(hash, load_word(bytes));
	return hash_word(hash, load_bytes(bytes, length));
}

enum path_step path_begin(struct path_cursor *cursor, const char *path, size_t length)
{
	if (length == 0 || path[0] != '/')
		return PATH_MALFORMED;
	cursor->at = length == 1 ? NULL : path + 1;
	cursor->end = path + length;
	return length == 1 ? PATH_END : PATH_COMPONENT;
}

static bool is_dots(const struct component *component)
{
	return component->bytes[0] == '.' &&
	       (component->length == 1 || (component->length == 2 && component->bytes[1] == '.'));
}

enum path_step path_next(struct path_cursor *cursor, struct component *component)
{
	const char *at = cursor->at;
	uint64_t hash = hash_start;

	if (at == NULL)
		return PATH_END;
	for (;;) {
		size_t left = (size_t)(cursor->end - at);
		size_t count = left < WORD ? left : WORD;
		uint64_t word = left < WORD ? load_bytes(at, left) : load_word(at);
		uint64_t slash = zero_bytes(word ^ EACH_BYTE('/'));

		if (slash != 0)
			count = (size_t)__builtin_ctzll(slash) / 8;
		if (count < WORD) {
			word = low_bytes(word, count);
			/* The bytes above are zero now: a NUL is one that comes before them. */
			if (zero_bytes(word | ~low_bytes(~(uint64_t)0, count)) != 0)
				return PATH_MALFORMED;
			hash = hash_word(hash, word);
			at += count;
			break;
		}
		if (zero_bytes(word) != 0)
			return PATH_MALFORMED;
		hash = hash_word(hash, word);
		at += WORD;
	}
	component->bytes = cursor->at;
	component->length = (size_t)(at - cursor->at);
	component->hash = hash;
	cursor->at = at < cursor->end ? at + 1 : NULL;
	if (component->length == 0 || is_dots(component))
		return PATH_MALFORMED;
	return PATH_COMPONENT;
}

bool path_equal(const char *a, const char *b, size_t length)
{
	for (; length >= WORD; a += WORD, b += WORD, length -= WORD) {
		if (load_word(a) != load_word(b))
			return false;
	}
	for (size_t i = 0; i < length; i++) {
		if (a[i] != b[i])
			return false;
	}
	return true;
}

int path_component_kind(const char *bytes, size_t length)
{
	bool star = false;

	if (length == 1 && bytes[0] == '*')
		return COMPONENT_ANY;
	if (length == 2 && bytes[0] == '*' && bytes[1] == '*')
		return COMPONENT_ANY_DEPTH;
	for (size_t i = 0; i < length; i++) {
		if (bytes[i] != '*')
			continue;
		if (i > 0 && bytes[i - 1] == '*')
			return -1;
		star = true;
	}
	return star ? COMPONENT_GLOB : COMPONENT_LITERAL;
}

/*
 * Only the last star met need be tried again: what stands before it has matched as early as it can, which leaves
 * the most for the rest. So at most pattern_length * text_length steps.
 */
bool path_matches(const char *pattern, size_t pattern_length, const char *text, size_t text_length)
{
	size_t p = 0, t = 0, after_star = 0, retry = 0;
	bool star = false;

	while (t < text_length) {
		if (p < pattern_length && pattern[p] == '*') {
			star = true;
			after_star = ++p;
			retry = t;
		} else if (p < pattern_length && pattern[p] == text[t]) {
			p++;
			t++;
		} else if (star) {
			p = after_star;
			t = ++retry;
		} else {
			return false;
		}
	}
	while (p < pattern_length && pattern[p] == '*')
		p++;
	return p == pattern_length;
}
