/* SPDX-License-Identifier: MIT */
/* test_way.c - the names that a file's name goes by. */
#include "way.h"

#include "policy_help.h"

/* The test's directory has d/, link -> d, twice -> link/../d, up -> .., a*b/, loop -> loop. "@" stands for the
 * directory. */
static const struct {
	const char *path;
	const char *names[4];
} ways[] = {
	{"@/r.json", {"@/r.json"}},
	{"@//./d/../r.json/", {NULL}}, /* no name of a file */
	{"@//./d/.././r.json", {"@/r.json"}},
	{"@/link/r.json", {"@/d/r.json", "@/link"}},
	{"@/twice/r.json", {"@/d/r.json", "@/twice", "@/link"}},
	{"@/link/../r.json", {"@/r.json", "@/link"}},
	{"@/d/up/link/r.json", {"@/d/r.json", "@/d/up", "@/link"}},
	{"@/link", {"@/link"}}, /* it is replaced, not followed */
	{"@/missing/r.json", {"@/missing/r.json"}},
	{"@/a**b/r*", {"@/a*b/r*"}},
	{"@/..", {NULL}},
	{"/", {NULL}},
	{"@/loop/r.json", {NULL}},
};

static const char *place(const char *path, struct arena *arena)
{
	return *path == '@' ? arena_print(arena, "%s%s", help_directory, path + 1) : path;
}

START_TEST(the_file_and_each_link_on_the_way_are_named)
{
	struct arena *arena = arena_new();
	struct complaint why = {""};
	const char *const *names;
	size_t count = 0;

	ck_assert(mkdir("d", 0755) == 0 && symlink("d", "link") == 0 && symlink("link/../d", "twice") == 0 &&
		  symlink("..", "d/up") == 0 && mkdir("a**b", 0755) == 0 && symlink("loop", "loop") == 0);
	int result = way_find(place(ways[_i].path, arena), arena, &names, &why);
	ck_assert_int_eq(result, ways[_i].names[0] ? 0 : -EINVAL);
	ck_assert_int_eq(*why.text != 0, result != 0);
	for (; result == 0 && ways[_i].names[count]; count++) {
		ck_assert_ptr_nonnull(names[count]);
		ck_assert_str_eq(names[count], place(ways[_i].names[count], arena));
	}
	if (result == 0)
		ck_assert_ptr_null(names[count]);
	arena_free(arena);
}
END_TEST

START_TEST(the_policy_keeps_the_file_and_the_links)
{
	struct policy_source source = {.profile = "permissive", .workdir = "/w", .home = "/h"};
	char file[64], link[64];
	struct policy policy;

	ck_assert(mkdir("d", 0755) == 0 && symlink("d", "link") == 0);
	snprintf(file, sizeof(file), "%s/link/r.json", help_directory);
	snprintf(link, sizeof(link), "%s/link", help_directory);
	source.result = file;
	source.result_written = "link/r.json";
	policy = help_policy(source, NULL);
	struct verdict verdict = decide_result(policy.image, link, strlen(link), false);
	ck_assert(!verdict.allowed);
	struct rule rule = image_rule(policy.image, verdict.rule);
	ck_assert_str_eq(rule.source, "command line");
	ck_assert_str_eq(rule_key_name(rule.key), "--result");
	ck_assert_str_eq(rule.value, "link/r.json");
	snprintf(file, sizeof(file), "%s/d/r.json", help_directory);
	ck_assert_str_eq(rule.target, file);
	ck_assert(!decide_result(policy.image, file, strlen(file), false).allowed);
	policy_free(&policy);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("way");
	TCase *tcase = tcase_create("way");

	tcase_add_checked_fixture(tcase, help_setup, help_teardown);
	tcase_add_loop_test(tcase, the_file_and_each_link_on_the_way_are_named, 0,
			    (int)(sizeof(ways) / sizeof(ways[0])));
	tcase_add_test(tcase, the_policy_keeps_the_file_and_the_links);
	suite_add_tcase(suite, tcase);
	return help_run(suite);
}
