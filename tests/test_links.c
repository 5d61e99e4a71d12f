/* SPDX-License-Identifier: MIT */
/* test_links.c - the links that a name leads through; and what the policy says of one. */
#include "links.h"

#include <errno.h>
#include <stdio.h>

#include "decide.h"
#include "make_image.h"

/* The links that there are. */
static const struct {
	const char *link, *target;
} there[] = {
	{"/w/app/.env", "../store/env"},
	{"/w/keys", "/w/store"},
	{"/bin", "usr/bin"},
	{"/w/chain", "app/.env"},
	{"/w/here", "."},
	{"/w/up", "app/.."},
	{"/w/a", "b"},
	{"/w/b", "a"},
	{"/w/self", "/proc/self/fd/0"},
	{"/w/gone", "store/new"},
	{"/w/slashes", "//usr//bin/"},
};
static unsigned looked;

static long read_link(void *context, const char *link, char *target, size_t size)
{
	(void)context;
	looked++;
	for (size_t i = 0; i < sizeof(there) / sizeof(there[0]); i++)
		if (strcmp(there[i].link, link) == 0)
			return (long)(size_t)snprintf(target, size, "%s", there[i].target);
	return -EINVAL;
}

static char told[65536];

static bool tell(void *context, const char *link, size_t length)
{
	const char *enough = context;

	ck_assert_uint_eq(strlen(link), length);
	strcat(strcat(told, told[0] ? " " : ""), link);
	return enough == NULL || strcmp(enough, link) != 0;
}

static const struct {
	const char *from, *path, *name, *links;
	unsigned looked; /* names that were asked about */
} walks[] = {
	{"/w", "store/env", "/w/store/env", "", 0},
	{"/", "/w/store/env", "/w/store/env", "", 0},
	{"/w", "app/.env", "/w/store/env", "/w/app/.env", 2},
	{"/", "w/app/.env", "/w/store/env", "/w/app/.env", 2},
	{"/w", "./app//../app/.env", "/w/store/env", "/w/app/.env", 3},
	{"/w", "chain", "/w/store/env", "/w/chain /w/app/.env", 3},
	{"/w", "/bin/sh", "/usr/bin/sh", "/bin", 1},
	{"/w", "../../bin/sh", "/usr/bin/sh", "/bin", 1},
	{"/w", "keys/env", "/w/store/env", "/w/keys", 1},
	{"/w", "here/here/store", "/w/store", "/w/here /w/here", 2},
	{"/w", "up/store", "/w/store", "/w/up", 2},
	{"/w", "slashes/sh", "/usr/bin/sh", "/w/slashes", 1},
	/* a link that is meant itself; what does not exist */
	{"/w", "app/.env", "/w/app/.env", "", 0},
	{"/w", "gone", "/w/store/new", "/w/gone", 1},
	{"/w", "store/../new", "/w/new", "", 1},
	{"/", "..", "/", "", 0},
	/* not beyond /proc */
	{"/w", "self", "/w/store/env", "/w/self", 2},
	{"/w", "/proc/self/fd/0", "/w/store/env", "", 1},
};

START_TEST(the_links_of_a_name_are_told_in_their_order)
{
	static char room[LINKS_ROOM];
	struct links links = {read_link, tell, NULL};

	told[0] = '\0';
	looked = 0;
	ck_assert(links_of(&links, room, walks[_i].from, walks[_i].path, walks[_i].name));
	ck_assert_str_eq(told, walks[_i].links);
	ck_assert_uint_eq(looked, walks[_i].looked);
}
END_TEST

START_TEST(no_more_is_told_when_it_is_enough)
{
	static char room[LINKS_ROOM];
	struct links links = {read_link, tell, "/w/chain"};

	told[0] = '\0';
	ck_assert(!links_of(&links, room, "/w", "chain", "/w/store/env"));
	ck_assert_str_eq(told, "/w/chain");
}
END_TEST

/* Links in a circle, and what is longer than there is room for, end. */
START_TEST(a_walk_ends)
{
	static char room[LINKS_ROOM], path[5000], from[5000];
	struct links links = {read_link, tell, NULL};
	size_t count = 0;

	told[0] = '\0';
	ck_assert(links_of(&links, room, "/w", "a", "/w/x"));
	for (const char *at = told; (at = strstr(at, "/w/")) != NULL; at++)
		count++;
	ck_assert_uint_eq(count, 41);
	told[0] = '\0';
	memset(path, 'x', sizeof(path) - 1);
	ck_assert(links_of(&links, room, "/w", path, "/w/x"));
	memset(from, 'y', sizeof(from) - 1);
	from[0] = '/';
	ck_assert(links_of(&links, room, from, "a", "/w/x"));
	from[4000] = '\0';
	path[4000] = '\0';
	ck_assert(links_of(&links, room, from, path, "/w/x"));
	/* "/w/chain" and behind it as much as fits twice */
	memcpy(path, "/w/chain", 8);
	path[8] = '/';
	ck_assert(links_of(&links, room, "/", path, "/w/store/env"));
	ck_assert_str_eq(told, "/w/chain /w/app/.env");
}
END_TEST

static const struct path_row rows[] = {
	{RULE_WRITE, LAYER_FILE, "/w"},	 {RULE_DENY, LAYER_FILE, "/w/**/.env"}, {RULE_READ_ONLY, LAYER_FILE, "/w/ro"},
	{RULE_HIDE, LAYER_FILE, "/w/h"}, {RULE_FORBID, LAYER_FILE, "/w/keys"},	{RULE_READ, LAYER_FILE, "/w/keys/pub"},
	{RULE_DENY, LAYER_FILE, "/"},	 {RULE_EXEC_DENY, LAYER_FILE, "/w/x"},	{0}};

enum { R = ACCESS_READ, W = ACCESS_WRITE, X = ACCESS_EXEC, L = ACCESS_LOOK };

static const struct {
	const char *link;
	unsigned access;
	int error;
	uint32_t rule;
} links_of_policy[] = {
	{"/w/l", R | W | L, 0, RULE_DEFAULT},
	{"/w/a/.env", R, EACCES, 1},
	{"/w/a/.env", L, 0, RULE_DEFAULT},
	{"/w/ro", R | L, 0, RULE_DEFAULT},
	{"/w/ro/l", W, EACCES, 2},
	{"/w/h/l", L, ENOENT, 3},
	{"/w/h/l", R | L, ENOENT, 3},
	{"/w/keys/pub", R, EACCES, 4},
	{"/w/keys/pub", L, 0, RULE_DEFAULT},
	{"/w/x", X, EACCES, 7},
	{"/w/x", R, 0, RULE_DEFAULT},
	/* nothing but the default, in other words */
	{"/bin", R | X, 0, RULE_DEFAULT},
	{"bin", R, EACCES, RULE_DEFAULT},
};

START_TEST(a_rule_holds_for_the_link_that_it_names)
{
	struct image *image = make_path_image(rows, false);
	const char *link = links_of_policy[_i].link;
	struct verdict verdict = decide_link(image, link, strlen(link), links_of_policy[_i].access);

	ck_assert_int_eq(verdict.allowed, links_of_policy[_i].error == 0);
	ck_assert_int_eq(verdict.error, links_of_policy[_i].error);
	ck_assert_uint_eq(verdict.rule, links_of_policy[_i].rule);
	free(image);
}
END_TEST

START_TEST(what_matches_no_rule_is_no_reason)
{
	static const struct path_row none[] = {{RULE_READ, LAYER_FILE, "/usr"}, {0}};
	struct image *image = make_path_image(none, false);

	ck_assert(decide_link(image, "/bin", 4, R | W | X | L).allowed);
	free(image);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("links");
	TCase *tcase = tcase_create("links");

	tcase_add_loop_test(tcase, the_links_of_a_name_are_told_in_their_order, 0, sizeof(walks) / sizeof(walks[0]));
	tcase_add_test(tcase, no_more_is_told_when_it_is_enough);
	tcase_add_test(tcase, a_walk_ends);
	tcase_add_loop_test(tcase, a_rule_holds_for_the_link_that_it_names, 0,
			    sizeof(links_of_policy) / sizeof(links_of_policy[0]));
	tcase_add_test(tcase, what_matches_no_rule_is_no_reason);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
