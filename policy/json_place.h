/* SPDX-License-Identifier: MIT */
/*
 * json_place.h - where in a JSON text a value stands, for messages. The JSON
 * library says it only of texts that do not parse. Outside only.
 */
#ifndef PICKET_POLICY_JSON_PLACE_H
#define PICKET_POLICY_JSON_PLACE_H

#include <stddef.h>

/* Line and column from 1; the column counts characters. */
struct json_point {
	unsigned line, column;
};

/*
 * The place reached from the outermost value by `depth` steps, each the index (from 0, in the order of the text) of
 * a member of an object or an element of an array. For a member that is the place of its key.
 * `text` must be JSON that was parsed; on anything else the answer is some place in it, never a fault.
 */
struct json_point json_place(const char *text, size_t length, const size_t *steps, size_t depth);

#endif
