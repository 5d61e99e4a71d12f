/* SPDX-License-Identifier: MIT */
/*
 * test_decide_move.c - what may be moved or linked to where, and what may stand on the way to what a rule names.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "decide.h"
#include "make_image.h"

#define FILE_ LAYER_FILE

enum { ROWS_MAX = 8, MOVES_MAX = 16 };

struct move {
	const char *from, *to;
	bool directory, allowed;
	uint32_t rule;
};

static const struct {
	struct path_row rows[ROWS_MAX];
	struct move moves[MOVES_MAX];
} moves[] = {
	{{{RULE_WRITE, FILE_, "/w"},
	  {RULE_READ_ONLY, FILE_, "/w/.git/config"},
	  {RULE_READ, FILE_, "/r"},
	  {RULE_EXEC_ALLOW, FILE_, "/w/bin"},
	  {RULE_DENY, FILE_, "/w/secret"}},
	 {{"/w/a", "/w/b", false, true, RULE_DEFAULT},
	  {"/w/a", "/w/b", true, true, RULE_DEFAULT},
	  {"/w/.git", "/w/g", true, false, 1},
	  {"/w/g", "/w/.git", true, false, 1},
	  {"/w/.git", "/w/g", false, true, RULE_DEFAULT},
	  {"/w", "/w2", true, false, 4},
	  {"/w/.git/objects", "/w/objects", true, true, RULE_DEFAULT},
	  {"/w/.git/config", "/w/c", false, false, 1},
	  {"/r/f", "/w/f", false, false, RULE_DEFAULT},
	  {"/w/f", "/r/f", false, true, RULE_DEFAULT},
	  {"/w/f", "/w/bin/f", false, false, RULE_DEFAULT},
	  {"/w/secret/f", "/w/f", false, false, 4},
	  {"/w/secret/f", "/w/secret/g", true, true, RULE_DEFAULT}}},
	{{{RULE_WRITE, FILE_, "/w"},
	  {RULE_DENY, FILE_, "/w/**/.env"},
	  {RULE_READ_ONLY, FILE_, "/w/*/conf"},
	  {RULE_WRITE, FILE_, "/v"}},
	 {{"/w/a/b", "/w/c/d", true, true, RULE_DEFAULT},
	  {"/w/a", "/w/b", true, true, RULE_DEFAULT},
	  {"/w/a/b", "/w/b", true, false, 2},
	  {"/w/a/b", "/v/b", true, false, 1},
	  {"/v/b", "/w/a/b", true, false, 1},
	  {"/w/.env", "/w/env", false, false, 1},
	  {"/w/.env", "/w/x/.env", false, true, RULE_DEFAULT},
	  {"/w/a/f", "/v/f", false, true, RULE_DEFAULT},
	  {"/w/.env/x", "/w/.env/y", true, true, RULE_DEFAULT},
	  {"/v/a", "/v/b", true, true, RULE_DEFAULT}}},
	{{{RULE_FORBID, FILE_, "/*b"}, {RULE_READ, FILE_, "/**/open"}},
	 {{"/b", "/c", true, false, 0},
	  {"/b", "/ab", true, true, RULE_DEFAULT},
	  {"/b", "/c", false, true, RULE_DEFAULT},
	  {"/c", "/b", true, true, RULE_DEFAULT}}},
	{{{RULE_WRITE, FILE_, "/w"}, {RULE_FORBID, FILE_, "/w/k/id"}, {RULE_READ, FILE_, "/w/k/pub"}},
	 {{"/w/k", "/w/l", true, false, 1},
	  {"/w/k/id", "/w/x", false, false, 1},
	  {"a", "/w/x", false, false, RULE_DEFAULT},
	  {"/w/x", "/w/../x", false, false, RULE_DEFAULT}}},
};

START_TEST(a_move_gives_no_more_than_before)
{
	struct image *image = make_path_image(moves[_i].rows, false);

	for (const struct move *move = moves[_i].moves; move->from != NULL; move++) {
		struct verdict verdict =
			decide_move(image, move->from, strlen(move->from), move->to, strlen(move->to), move->directory);

		ck_assert_msg(verdict.allowed == move->allowed && verdict.rule == move->rule &&
				      verdict.error == (move->allowed ? 0 : EACCES),
			      "%s to %s: %d by %u", move->from, move->to, verdict.allowed, verdict.rule);
	}
	free(image);
}
END_TEST

START_TEST(a_move_out_of_what_is_hidden_is_enoent)
{
	static const struct path_row rows[] = {{RULE_WRITE, FILE_, "/w"}, {RULE_HIDE, FILE_, "/w/h"}, {0}};
	struct image *image = make_path_image(rows, false);
	struct verdict verdict = decide_move(image, "/w/h/f", 6, "/w/f", 4, false);

	ck_assert(!verdict.allowed);
	ck_assert_int_eq(verdict.error, ENOENT);
	free(image);
}
END_TEST

enum { WAYS_MAX = 12 };

static const struct {
	struct path_row rows[ROWS_MAX];
	struct way {
		const char *path;
		bool link, file; /* is one allowed there? */
		uint32_t rule;	 /* that says no */
	} ways[WAYS_MAX];
} ways[] = {
	/* a component as written holds nothing but directories */
	{{{RULE_WRITE, FILE_, "/w"}, {RULE_READ_ONLY, FILE_, "/w/.git/config"}},
	 {{"/w/.git", false, false, 1},
	  {"/w", false, false, 1},
	  {"/w/.git/config", true, true, RULE_DEFAULT},
	  {"/w/.git/x", true, true, RULE_DEFAULT},
	  {"/w/.git/config/x", true, true, RULE_DEFAULT},
	  {"/w/git", true, true, RULE_DEFAULT},
	  {"/w/sub/.git", true, true, RULE_DEFAULT}}},
	/* one with a star holds files, too */
	{{{RULE_WRITE, FILE_, "/w"}, {RULE_DENY, FILE_, "/w/m/*/conf"}, {RULE_FORBID, FILE_, "/w/p*/key"}},
	 {{"/w/m", false, false, 1},
	  {"/w/m/a", false, true, 1},
	  {"/w/m/a/conf", true, true, RULE_DEFAULT},
	  {"/w/m/a/b", true, true, RULE_DEFAULT},
	  {"/w/pa", false, true, 2},
	  {"/w/a", true, true, RULE_DEFAULT}}},
	/* what "**" stands for is anything; but not what is written behind it */
	{{{RULE_WRITE, FILE_, "/w"}, {RULE_FORBID, FILE_, "/w/**/.env"}, {RULE_HIDE, FILE_, "/w/**/.aws/key"}},
	 {{"/w", false, false, 1},
	  {"/w/a", true, true, RULE_DEFAULT},
	  {"/w/a/b", true, true, RULE_DEFAULT},
	  {"/w/.aws", false, false, 2},
	  {"/w/a/b/.aws", false, false, 2}}},
	/* what refuses no writing leads nobody astray */
	{{{RULE_READ_ONLY, FILE_, "/r"}, {RULE_WRITE, FILE_, "/r/a/b"}, {RULE_EXEC_DENY, FILE_, "/r/c/d"}},
	 {{"/r/a", true, true, RULE_DEFAULT}, {"/r/c", true, true, RULE_DEFAULT}, {"/r", true, true, RULE_DEFAULT}}},
	/* neither does a rule that a nearer one beats, nor is it named */
	{{{RULE_WRITE, FILE_, "/w"},
	  {RULE_DENY, LAYER_PROFILE, "/w/a/b"},
	  {RULE_WRITE, FILE_, "/w/a/b"},
	  {RULE_READ_ONLY, FILE_, "/w/c/d"},
	  {RULE_DENY, LAYER_PROFILE, "/w/c/e"},
	  {RULE_WRITE, FILE_, "/w/c/e"}},
	 {{"/w/a", true, true, RULE_DEFAULT}, {"/w/c", false, false, 3}}},
	/* what is no path is refused */
	{{{RULE_WRITE, FILE_, "/"}}, {{"w", false, false, RULE_DEFAULT}, {"/w/../x", false, false, RULE_DEFAULT}}},
};

START_TEST(on_the_way_to_what_is_refused_stand_directories)
{
	struct image *image = make_path_image(ways[_i].rows, false);

	for (const struct way *way = ways[_i].ways; way->path != NULL; way++) {
		for (int link = 0; link < 2; link++) {
			bool allowed = link ? way->link : way->file;
			struct verdict verdict = decide_stand(image, way->path, strlen(way->path), link);

			ck_assert_msg(
				verdict.allowed == allowed && verdict.rule == (allowed ? RULE_DEFAULT : way->rule) &&
					verdict.error == (allowed ? 0 : EACCES),
				"%s %s: %d by %u", link ? "link" : "file", way->path, verdict.allowed, verdict.rule);
		}
	}
	free(image);
}
END_TEST

/* More patterns than are followed: refused, as everything is there. */
START_TEST(too_many_patterns_let_no_link_stand)
{
	static char targets[80][96];
	struct path_row rows[82] = {{RULE_WRITE, FILE_, "/a"}};
	char name[96];
	struct image *image;

	snprintf(name, sizeof(name), "/a/%080d", 0);
	for (int i = 0; i < 80; i++) {
		snprintf(targets[i], sizeof(targets[i]), "/a/%0*d*/y", i + 1, 0);
		rows[i + 1] = (struct path_row){RULE_EXEC_DENY, FILE_, targets[i]};
	}
	image = make_path_image(rows, false);
	ck_assert(!decide_stand(image, name, strlen(name), true).allowed);
	free(image);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("decide, moving");
	TCase *tcase = tcase_create("moves");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tcase, a_move_gives_no_more_than_before, 0, (int)(sizeof(moves) / sizeof(moves[0])));
	tcase_add_test(tcase, a_move_out_of_what_is_hidden_is_enoent);
	tcase_add_loop_test(tcase, on_the_way_to_what_is_refused_stand_directories, 0,
			    (int)(sizeof(ways) / sizeof(ways[0])));
	tcase_add_test(tcase, too_many_patterns_let_no_link_stand);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
