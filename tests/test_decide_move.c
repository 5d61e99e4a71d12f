/* SPDX-License-Identifier: MIT */
/*
 * test_decide_move.c - what may be moved or linked to where.
 */
#include <errno.h>
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

int main(void)
{
	Suite *suite = suite_create("decide, moving");
	TCase *tcase = tcase_create("moves");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tcase, a_move_gives_no_more_than_before, 0, (int)(sizeof(moves) / sizeof(moves[0])));
	tcase_add_test(tcase, a_move_out_of_what_is_hidden_is_enoent);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
