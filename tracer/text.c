/* SPDX-License-Identifier: MIT */
/*
 * text.c - escaping and UTF-8. Two passes over the bytes: measure, then fill,
 * by the same function, so that the two cannot disagree.
 */
#include "text.h"

#include <stdlib.h>
#include <string.h>

enum { NEAREST_MAX_WORD = 64 };

/* A lead byte says how many bytes follow, which bits of itself count and the least code that needs so many. */
static size_t lead(unsigned char byte, uint32_t *bits, uint32_t *least)
{
	if (byte < 0x80) {
		*bits = byte, *least = 0;
		return 1;
	}
	if ((byte & 0xe0) == 0xc0) {
		*bits = byte & 0x1fU, *least = 0x80;
		return 2;
	}
	if ((byte & 0xf0) == 0xe0) {
		*bits = byte & 0x0fU, *least = 0x800;
		return 3;
	}
	if ((byte & 0xf8) == 0xf0) {
		*bits = byte & 0x07U, *least = 0x10000;
		return 4;
	}
	return 0;
}

size_t text_character(const char *bytes, size_t length, uint32_t *code)
{
	uint32_t value, least;
	size_t size = length > 0 ? lead((unsigned char)bytes[0], &value, &least) : 0;
	if (size == 0 || size > length)
		return 0;
	for (size_t i = 1; i < size; i++) {
		unsigned char byte = (unsigned char)bytes[i];
		if ((byte & 0xc0) != 0x80)
			return 0;
		value = value << 6 | (byte & 0x3fU);
	}
	if (value < least || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
		return 0;
	*code = value;
	return size;
}

bool text_is_utf8(const char *bytes, size_t length)
{
	uint32_t code;
	for (size_t i = 0, size; i < length; i += size) {
		size = text_character(bytes + i, length - i, &code);
		if (size == 0)
			return false;
	}
	return true;
}

/* Does this character do more to a terminal than show itself? */
static bool is_control(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code <= 0x9f) ||
	       code == 0x061c || code == 0x200e || code == 0x200f ||	/* direction marks */
	       (code >= 0x2028 && code <= 0x202e) ||			/* line and paragraph breaks, bidi embeddings */
	       (code >= 0x2066 && code <= 0x2069) ||			/* bidi isolates */
	       code == 0xfeff;						/* an invisible space */
}

/* \n, \t, \r or \xNN; at most four characters. Returns how many. */
static size_t put_escape(unsigned char byte, bool short_forms, char *to)
{
	static const char digits[] = "0123456789abcdef";
	const char *brief = short_forms && byte != 0 ? strchr("\nn\tt\rr", byte) : NULL;
	if (brief != NULL && byte < 0x20) {
		to[0] = '\\', to[1] = brief[1];
		return 2;
	}
	to[0] = '\\', to[1] = 'x', to[2] = digits[byte >> 4], to[3] = digits[byte & 15];
	return 4;
}

/* Write what becomes of the bytes to `to`, or nowhere when that is NULL; its length either way. */
static size_t escape(const char *bytes, size_t length, bool controls, char *to)
{
	size_t used = 0;
	for (size_t i = 0, size; i < length; i += size) {
		uint32_t code = 0;
		size = text_character(bytes + i, length - i, &code);
		bool valid = size > 0;
		if (!valid)
			size = 1;
		if (valid && !(controls && is_control(code))) {
			if (to != NULL)
				memcpy(to + used, bytes + i, size);
			used += size;
			continue;
		}
		for (size_t k = 0; k < size; k++) {
			char escaped[4];
			size_t n = put_escape((unsigned char)bytes[i + k], controls, escaped);
			if (to != NULL)
				memcpy(to + used, escaped, n);
			used += n;
		}
	}
	return used;
}

static char *escaped_copy(const char *bytes, size_t length, bool controls, size_t *result_length)
{
	size_t size = escape(bytes, length, controls, NULL);
	char *text = malloc(size + 1);
	if (text == NULL)
		return NULL;
	escape(bytes, length, controls, text);
	text[size] = '\0';
	if (result_length != NULL)
		*result_length = size;
	return text;
}

char *text_utf8(const char *bytes, size_t length, size_t *result_length)
{
	return escaped_copy(bytes, length, false, result_length);
}

char *text_line(const char *bytes, size_t length, size_t *result_length)
{
	return escaped_copy(bytes, length, true, result_length);
}

static size_t least_of(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Edits (insert, delete, replace, swap neighbours) from one word to the other; both shorter than NEAREST_MAX_WORD. */
static size_t distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
	size_t rows[3][NEAREST_MAX_WORD + 1];	/* before the last, last, this; by turns */
	for (size_t j = 0; j <= b_length; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= a_length; i++) {
		size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *above_that = rows[(i + 1) % 3];
		row[0] = i;
		for (size_t j = 1; j <= b_length; j++) {
			size_t replaced = above[j - 1] + (a[i - 1] != b[j - 1]);
			row[j] = least_of(replaced, least_of(above[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = least_of(row[j], above_that[j - 2] + 1);
		}
	}
	return rows[a_length % 3][b_length];
}

const char *text_nearest(const char *word, const char *const *candidates, size_t count)
{
	size_t length = strlen(word), best_distance = length / 3 > 1 ? length / 3 : 1, begun = 0;
	const char *best = NULL, *beginning = NULL;
	if (length == 0 || length >= NEAREST_MAX_WORD)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		size_t other = strlen(candidates[i]);
		if (other >= NEAREST_MAX_WORD)
			continue;
		if (strncmp(candidates[i], word, length) == 0)
			beginning = candidates[i], begun++;
		size_t edits = distance(word, length, candidates[i], other);
		if (edits < best_distance || (edits == best_distance && best == NULL))
			best = candidates[i], best_distance = edits;
	}
	return best != NULL ? best : begun == 1 ? beginning : NULL;
}
