/* SPDX-License-Identifier: MIT */
/* strict_json.c - see strict_json.h. Jansson parses; what it accepts is checked against a table. */
#include "strict_json.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "json_place.h"
#include "suggest.h"

enum { FIELDS_MOST = 16 };

bool strict_json_is_plain(const char *text)
{
	size_t length = strlen(text), n;
	unsigned code = 0;

	for (size_t i = 0; i < length; i += n) {
		n = utf8_decode(text + i, length - i, &code);
		if (!n || unicode_is_control(code))
			return false;
	}
	return true;
}

/* Index of a key in the order of the text (Jansson keeps it). */
static size_t index_of(json_t *object, const char *key)
{
	size_t index = 0;

	for (void *at = json_object_iter(object); at; at = json_object_iter_next(object, at), index++)
		if (!strcmp(json_object_iter_key(at), key))
			break;
	return index;
}

int strict_json_complain(const struct strict_json *json, const char *key, long index, struct complaint *why,
			 const char *format, ...)
{
	char text[COMPLAINT_SIZE / 2];
	size_t steps[2] = {index_of(json->root, key), index < 0 ? 0 : (size_t)index};
	struct json_point point = json_place(json->text, json->length, steps, index < 0 ? 1 : 2);
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	return complain(why, -EINVAL, "%s:%u:%u: \"%.64s\" %s", json->source, point.line, point.column, key, text);
}

/* One string: of the field itself (index -1), or an element or member of it. */
static int check_string(const struct strict_json *json, const struct field *field, long index, const json_t *value,
			struct complaint *why)
{
	if (!json_is_string(value))
		return strict_json_complain(json, field->key, index, why,
					    index < 0 ? "must be a string" : "may hold only strings");
	size_t length = json_string_length(value);
	if (length < field->least)
		return strict_json_complain(json, field->key, index, why, "is too short (%zu bytes, at least %zu)",
					    length, field->least);
	if (length > field->most)
		return strict_json_complain(json, field->key, index, why, "is too long (%zu bytes, at most %zu)",
					    length, field->most);
	if (!field->any_text && !strict_json_is_plain(json_string_value(value)))
		return strict_json_complain(json, field->key, index, why, "has a control character");
	return 0;
}

static int check_strings(const struct strict_json *json, const struct field *field, const json_t *array,
			 struct complaint *why)
{
	if (!json_is_array(array))
		return strict_json_complain(json, field->key, -1, why, "must be an array of strings");
	if (json_array_size(array) > field->most_items)
		return strict_json_complain(json, field->key, -1, why, "has more than %zu elements", field->most_items);
	for (size_t i = 0; i < json_array_size(array); i++) {
		int error = check_string(json, field, (long)i, json_array_get(array, i), why);
		if (error)
			return error;
	}
	return 0;
}

static int check_texts(const struct strict_json *json, const struct field *field, json_t *object, struct complaint *why)
{
	long index = 0;

	if (!json_is_object(object))
		return strict_json_complain(json, field->key, -1, why, "must be an object of strings");
	if (json_object_size(object) > field->most_items)
		return strict_json_complain(json, field->key, -1, why, "has more than %zu members", field->most_items);
	for (void *at = json_object_iter(object); at; at = json_object_iter_next(object, at), index++) {
		int error = check_string(json, field, index, json_object_iter_value(at), why);
		if (error)
			return error;
		if (!field->any_text && !strict_json_is_plain(json_object_iter_key(at)))
			return strict_json_complain(json, field->key, index, why, "has a control character");
	}
	return 0;
}

static int check_integer(const struct strict_json *json, const struct field *field, const json_t *value,
			 struct complaint *why)
{
	if (!json_is_integer(value))
		return strict_json_complain(json, field->key, -1, why, "must be an integer");
	json_int_t number = json_integer_value(value);
	if (number < (json_int_t)field->least || number > (json_int_t)field->most)
		return strict_json_complain(json, field->key, -1, why, "must be between %zu and %zu", field->least,
					    field->most);
	return 0;
}

static int check_field(const struct strict_json *json, const struct field *field, json_t *value, struct complaint *why)
{
	switch (field->type) {
	case FIELD_STRING:
		return check_string(json, field, -1, value, why);
	case FIELD_STRINGS:
		return check_strings(json, field, value, why);
	case FIELD_INTEGER:
		return check_integer(json, field, value, why);
	case FIELD_TEXTS:
		return check_texts(json, field, value, why);
	}
	return -EINVAL;
}

static int complain_unknown(const struct strict_json *json, const char *key, const struct field *fields, size_t count,
			    struct complaint *why)
{
	const char *known[FIELDS_MOST + 1] = {NULL};

	for (size_t i = 0; i < count && i < FIELDS_MOST; i++)
		known[i] = fields[i].key;
	const char *near = suggest(key, known);
	return strict_json_complain(json, key, -1, why,
				    near ? "is not a known field (did you mean \"%s\"?)" : "is not a known field",
				    near);
}

static int check_object(const struct strict_json *json, const struct field *fields, size_t count, struct complaint *why)
{
	for (void *at = json_object_iter(json->root); at; at = json_object_iter_next(json->root, at)) {
		const char *key = json_object_iter_key(at);
		size_t i = 0;
		while (i < count && strcmp(fields[i].key, key) != 0)
			i++;
		int error = i < count ? check_field(json, &fields[i], json_object_iter_value(at), why)
				      : complain_unknown(json, key, fields, count, why);
		if (error)
			return error;
	}
	for (size_t i = 0; i < count; i++) {
		struct json_point point = json_place(json->text, json->length, NULL, 0);
		if (fields[i].required && !json_object_get(json->root, fields[i].key))
			return complain(why, -EINVAL, "%s:%u:%u: missing field \"%s\"", json->source, point.line,
					point.column, fields[i].key);
	}
	return 0;
}

int strict_json_read(struct strict_json *json, const char *source, const char *text, size_t length, size_t most,
		     const struct field *fields, size_t field_count, struct complaint *why)
{
	json_error_t error;

	if (length > most)
		return complain(why, -EFBIG, "%s: too long (%zu bytes, at most %zu)", source, length, most);
	*json = (struct strict_json){.source = source, .text = text, .length = length};
	json->root = json_loadb(text, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
	if (!json->root)
		return complain(why, json_error_code(&error) == json_error_out_of_memory ? -ENOMEM : -EINVAL,
				"%s:%d:%d: %s", source, error.line > 0 ? error.line : 1,
				error.column > 0 ? error.column : 1, *error.text ? error.text : strerror(ENOMEM));
	int result = json_is_object(json->root) ? check_object(json, fields, field_count, why)
						: complain(why, -EINVAL, "%s:1:1: not a JSON object", source);
	if (result)
		strict_json_free(json);
	return result;
}

void strict_json_free(struct strict_json *json)
{
	json_decref(json->root);
	json->root = NULL;
}
