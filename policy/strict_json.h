/* SPDX-License-Identifier: MIT */
/*
 * strict_json.h - JSON from strangers, read strictly: one object, known keys,
 * right types, no duplicate, nothing behind it; and an error that names field and place. Outside only.
 */
#ifndef PICKET_POLICY_STRICT_JSON_H
#define PICKET_POLICY_STRICT_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include "complaint.h"

struct json_t; /* of Jansson */

enum field_type {
	FIELD_STRING,  /* no control characters unless `any_text` */
	FIELD_STRINGS, /* an array of such strings */
	FIELD_INTEGER,
	FIELD_TEXTS, /* an object whose values are strings */
};

/* One key that an object may have. */
struct field {
	const char *key;
	enum field_type type;
	bool required;
	bool any_text;	    /* strings (and keys of FIELD_TEXTS) may hold control characters; never NUL */
	size_t least, most; /* bytes of each string; for an integer its range */
	size_t most_items;  /* of an array or object */
};

/* A text and what was read from it. */
struct strict_json {
	const char *source; /* name for messages; borrowed */
	const char *text;   /* borrowed */
	size_t length;
	struct json_t *root; /* an object; for strict_json_free */
};

/*
 * Parse and check against `fields`. `text` need not be terminated and may be anything; longer than `most` bytes is an
 * error. 0, or -EINVAL, -EFBIG, -ENOMEM with *why: "SOURCE:LINE:COLUMN: ...". On an error nothing is left to free.
 */
int strict_json_read(struct strict_json *json, const char *source, const char *text, size_t length, size_t most,
		     const struct field *fields, size_t field_count, struct complaint *why);
void strict_json_free(struct strict_json *json);

/* Complain about the value of `key`, or of its element or member `index` (from 0; -1: the value as a whole).
 * Returns -EINVAL. */
__attribute__((format(printf, 5, 6))) int strict_json_complain(const struct strict_json *json, const char *key,
							       long index, struct complaint *why, const char *format,
							       ...);

/* Are all characters of a valid UTF-8 text other than control characters? */
bool strict_json_is_plain(const char *text);

#endif
