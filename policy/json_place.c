/* SPDX-License-Identifier: MIT */
/* json_place.c - see json_place.h. Skips tokens; everything is bounded by the length. */
#include "json_place.h"

#include <stdbool.h>

struct text {
	const char *bytes;
	size_t length, at;
};

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static char peek(const struct text *text)
{
	return text->at < text->length ? text->bytes[text->at] : '\0';
}

static void skip_space(struct text *text)
{
	while (text->at < text->length && is_space(text->bytes[text->at]))
		text->at++;
}

/* From an opening quote to behind the closing one. */
static void skip_string(struct text *text)
{
	for (text->at++; text->at < text->length && text->bytes[text->at] != '"'; text->at++)
		if (text->bytes[text->at] == '\\')
			text->at++;
	text->at++;
}

static void skip_value(struct text *text)
{
	size_t depth = 0;

	while (text->at < text->length) {
		char c = text->bytes[text->at];
		if (c == '"') {
			skip_string(text);
			if (!depth)
				return;
			continue;
		}
		if (!depth && (c == ',' || c == ']' || c == '}' || is_space(c)))
			return;
		if (c == '{' || c == '[')
			depth++;
		if ((c == '}' || c == ']') && --depth == 0) {
			text->at++;
			return;
		}
		text->at++;
	}
}

/* From a member's key to its value. */
static void skip_key(struct text *text)
{
	skip_string(text);
	skip_space(text);
	text->at++; /* the colon */
	skip_space(text);
}

/* From a container's bracket to its member or element `index`. */
static void enter(struct text *text, size_t index)
{
	bool object = peek(text) == '{';

	text->at++;
	skip_space(text);
	for (size_t i = 0; i < index && text->at < text->length; i++) {
		if (object)
			skip_key(text);
		skip_value(text);
		skip_space(text);
		text->at++; /* the comma */
		skip_space(text);
	}
}

struct json_point json_place(const char *bytes, size_t length, const size_t *steps, size_t depth)
{
	struct text text = {bytes, length, 0};
	struct json_point place = {1, 1};

	skip_space(&text);
	for (size_t i = 0; i < depth && text.at < length; i++) {
		if (i && peek(&text) == '"')
			skip_key(&text);
		enter(&text, steps[i]);
	}
	for (size_t i = 0; i < text.at && i < length; i++) {
		if (bytes[i] == '\n') {
			place.line++;
			place.column = 1;
		} else if (((unsigned char)bytes[i] & 0xc0) != 0x80) {
			place.column++;
		}
	}
	return place;
}
