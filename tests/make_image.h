/* SPDX-License-Identifier: MIT */
/*
 * make_image.h - images for tests, from a few rules written down in a table.
 */
#ifndef PICKET_TESTS_MAKE_IMAGE_H
#define PICKET_TESTS_MAKE_IMAGE_H

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "build.h"

/* One rule; a list of them ends with a target of NULL. */
struct path_row {
	enum rule_key key;
	enum rule_layer layer;
	const char *target;
};

static inline struct rule row_rule(enum rule_key key, enum rule_layer layer, const char *target)
{
	return (struct rule){.key = key, .layer = layer, .source = "test.conf:1", .value = target, .target = target};
}

static inline struct image *finish_image(struct build *build)
{
	struct image *image = NULL;
	size_t length = 0;

	ck_assert_int_eq(build_finish(build, &image, &length), 0);
	ck_assert_int_eq(image_check(image, length), 0);
	ck_assert_uint_eq(image_length(image), length);
	build_free(build);
	return image;
}

/* The image of these rules, in this order or the other way round. */
static inline struct image *make_path_image(const struct path_row *rows, bool backwards)
{
	struct build *build = build_new();
	int count = 0;

	ck_assert_ptr_nonnull(build);
	while (rows[count].target != NULL)
		count++;
	for (int i = 0; i < count; i++) {
		const struct path_row *row = &rows[backwards ? count - 1 - i : i];
		struct rule rule = row_rule(row->key, row->layer, row->target);

		ck_assert_int_eq(build_path_rule(build, &rule), i);
	}
	return finish_image(build);
}

#endif
