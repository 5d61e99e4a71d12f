/* SPDX-License-Identifier: MIT */
/*
 * escape.c - escaping and UTF-8. Two passes over the bytes: measure, then fill,
 * by the same function, so that the two cannot disagree.
 */
#include "escape.h"

#include <stdlib.h>
#include <string.h>

#include "complaint.h"

bool escape_is_utf8(const char *bytes, size_t length)
{
	unsigned code;
	for (size_t i = 0, size; i < length; i += size) {
		size = utf8_decode(bytes + i, length - i, &code);
		if (size == 0)
			return false;
	}
	return true;
}

/* Does this character do more to a terminal than show itself? */
static bool is_control(unsigned code)
{
	return unicode_is_control(code) || code == 0x061c || code == 0x200e || code == 0x200f || /* direction marks */
	       (code >= 0x2028 && code <= 0x202e) || /* line and paragraph breaks, bidi embeddings */
	       (code >= 0x2066 && code <= 0x2069) || /* bidi isolates */
	       code == 0xfeff;			     /* an invisible space */
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
static size_t fill(const char *bytes, size_t length, bool controls, char *to)
{
	size_t used = 0;
	for (size_t i = 0, size; i < length; i += size) {
		unsigned code = 0;
		size = utf8_decode(bytes + i, length - i, &code);
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
	size_t size = fill(bytes, length, controls, NULL);
	char *text = malloc(size + 1);
	if (text == NULL)
		return NULL;
	fill(bytes, length, controls, text);
	text[size] = '\0';
	if (result_length != NULL)
		*result_length = size;
	return text;
}

char *escape_utf8(const char *bytes, size_t length, size_t *result_length)
{
	return escaped_copy(bytes, length, false, result_length);
}

char *escape_line(const char *bytes, size_t length, size_t *result_length)
{
	return escaped_copy(bytes, length, true, result_length);
}
