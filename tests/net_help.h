/* SPDX-License-Identifier: MIT */
/*
 * net_help.h - what the tests of network rules share: rules in images, and addresses that are asked of them.
 */
#ifndef PICKET_TESTS_NET_HELP_H
#define PICKET_TESTS_NET_HELP_H

#include "decide.h"
#include "make_image.h"
#include "net.h"

/* A rule without destinations yet: its index. */
static inline int add_net_rule(struct build *build, enum rule_key key)
{
	struct rule rule = row_rule(key, LAYER_FILE, "somewhere");

	return build_net_rule(build, &rule);
}

/* Everything is allowed, so that only the form of the address can be what is refused. */
static inline struct image *open_image(void)
{
	struct build *build = build_new();
	struct net_prefix all = {.any_family = true, .tcp = true, .udp = true, .ports = {0, 65535}};

	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(add_net_rule(build, i == 0 ? RULE_CONNECT : RULE_BIND), i);
		ck_assert_int_eq(build_also_internet(build, i, &all), i);
		ck_assert_int_eq(build_also_abstract(build, i, "*", 1), i);
		ck_assert_int_eq(build_also_unix_path(build, i, "/"), i);
	}
	return finish_image(build);
}

/* By TCP, where that is a question. */
static inline bool is_allowed(const struct image *image, enum net_use use, const void *address, size_t length)
{
	/* In memory of its own, so that a sanitizer sees a byte read too much. */
	void *copy = malloc(length == 0 ? 1 : length);
	struct verdict verdict;

	memcpy(copy, address, length);
	verdict = decide_address(image, use, NET_TCP, copy, (socklen_t)length);
	free(copy);
	return verdict.allowed;
}

#endif
