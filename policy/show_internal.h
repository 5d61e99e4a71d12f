/* SPDX-License-Identifier: MIT */
/*
 * show_internal.h - what show.c and explain.c share.
 */
#ifndef PICKET_POLICY_SHOW_INTERNAL_H
#define PICKET_POLICY_SHOW_INTERNAL_H

#include <jansson.h>
#include <stdio.h>

#include "draft.h"

/* Write text with everything unprintable escaped (complaint.h). Returns the bytes written, or -ENOMEM. */
int show_text(FILE *to, const char *text);

/*
 * Set object[key] to a text of any bytes: what is not UTF-8 is escaped, and key_base64 then holds the exact bytes. NULL
 * becomes null. 0 or -ENOMEM.
 */
int show_json_text(json_t *object, const char *key, const char *text);

/* {"source", "key", "value", "target"} of a rule; NULL: out of memory. */
json_t *show_json_rule(const struct draft_rule *rule);

/* Write an object and a newline, and drop it. 0, -EIO, or -ENOMEM when it is NULL. */
int show_json_write(json_t *object, FILE *to);

#endif
