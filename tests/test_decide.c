/* SPDX-License-Identifier: MIT */
/*
 * test_decide.c - which rule wins for a path: tables for what the manual says. Moving is in test_decide_move.c, random
 * policies are in test_decide_random.c.
 */
#include "decide.h"

#include <errno.h>
#include <stdio.h>

#include "make_image.h"
#include "path.h"

enum { R = ACCESS_READ, W = ACCESS_WRITE, X = ACCESS_EXEC, L = ACCESS_LOOK };
#define PROFILE LAYER_PROFILE
#define FILE_ LAYER_FILE
#define COMMAND LAYER_COMMAND_LINE

enum { ROWS_MAX = 8, CASES_MAX = 16 };

/* What is allowed of each access, as "rwxl" with '-' for refused and '0' for refused and hidden (ENOENT). */
struct path_case {
	const char *path;
	const char *expected;
};

struct table {
	const char *name;
	struct path_row rows[ROWS_MAX];
	struct path_case cases[CASES_MAX];
};

static const struct table tables[] = {
	{"nothing matches", {{0}}, {{"/", "---l"}, {"/a/b", "---l"}}},
	{"each key says what it says",
	 {{RULE_READ, FILE_, "/read"},
	  {RULE_WRITE, FILE_, "/write"},
	  {RULE_READ_ONLY, FILE_, "/ro"},
	  {RULE_EXEC_ALLOW, FILE_, "/x"},
	  {RULE_HIDE, FILE_, "/hide"},
	  {RULE_DENY, FILE_, "/deny"},
	  {RULE_FORBID, FILE_, "/forbid"}},
	 {{"/read", "r--l"},
	  {"/read/below/it", "r--l"},
	  {"/write/f", "rw-l"},
	  {"/ro/f", "r--l"},
	  {"/x/f", "--xl"},
	  {"/hide", "0000"},
	  {"/hide/f", "0000"},
	  {"/deny/f", "---l"},
	  {"/forbid/f", "---l"},
	  {"/", "---l"},
	  {"/rea", "---l"}}},
	{"what a rule does not name it leaves alone",
	 {{RULE_WRITE, FILE_, "/w"},
	  {RULE_EXEC_ALLOW, FILE_, "/w/bin"},
	  {RULE_READ, FILE_, "/w/bin/r"},
	  {RULE_READ_ONLY, FILE_, "/w/bin/ro"},
	  {RULE_EXEC_DENY, FILE_, "/w/bin/x"},
	  {RULE_DENY, FILE_, "/w/bin/d"},
	  {RULE_EXEC_ALLOW, FILE_, "/w/bin/d/x"}},
	 {{"/w/f", "rw-l"},
	  {"/w/bin/f", "rwxl"},
	  {"/w/bin/r/f", "rwxl"},
	  {"/w/bin/ro/f", "r-xl"},
	  {"/w/bin/x", "rw-l"},
	  {"/w/bin/d/f", "---l"},
	  {"/w/bin/d/x/f", "--xl"}}},
	{"deeper wins, whatever the layer",
	 {{RULE_DENY, COMMAND, "/a"},
	  {RULE_WRITE, PROFILE, "/a/b"},
	  {RULE_DENY, FILE_, "/a/b/c/d"},
	  {RULE_READ, PROFILE, "/a/b/c/d/e"}},
	 {{"/a", "---l"},
	  {"/a/x", "---l"},
	  {"/a/b", "rw-l"},
	  {"/a/b/c", "rw-l"},
	  {"/a/b/c/d", "---l"},
	  {"/a/b/c/d/e/f", "r--l"},
	  {"/a/b/c/d/f", "---l"}}},
	{"nearer layer wins at equal depth",
	 {{RULE_DENY, PROFILE, "/a"},
	  {RULE_READ, FILE_, "/a"},
	  {RULE_WRITE, FILE_, "/b"},
	  {RULE_DENY, COMMAND, "/b"},
	  {RULE_HIDE, PROFILE, "/c"},
	  {RULE_READ, COMMAND, "/c"}},
	 {{"/a/f", "r--l"}, {"/b/f", "---l"}, {"/c/f", "r00l"}}},
	{"stricter wins within a layer",
	 {{RULE_READ, FILE_, "/a"},
	  {RULE_DENY, FILE_, "/a"},
	  {RULE_WRITE, FILE_, "/b"},
	  {RULE_READ_ONLY, FILE_, "/b"},
	  {RULE_DENY, FILE_, "/c"},
	  {RULE_HIDE, FILE_, "/c"},
	  {RULE_WRITE, FILE_, "/c"}},
	 {{"/a/f", "---l"}, {"/b/f", "r--l"}, {"/c/f", "0000"}}},
	{"forbid beats what is deeper and nearer",
	 {{RULE_FORBID, PROFILE, "/a"},
	  {RULE_WRITE, COMMAND, "/a/b"},
	  {RULE_EXEC_ALLOW, COMMAND, "/a/b"},
	  {RULE_FORBID, PROFILE, "/g/*/x"},
	  {RULE_WRITE, COMMAND, "/g/1/x/y"},
	  {RULE_HIDE, FILE_, "/a/h"}},
	 {{"/a", "---l"},
	  {"/a/b", "---l"},
	  {"/a/b/c", "---l"},
	  {"/g/1/x/y", "---l"},
	  {"/g/1/y", "---l"},
	  {"/a/h", "---0"}}},
	{"the file of the result is not written, whoever allows it, and of reading it says nothing",
	 {{RULE_WRITE, COMMAND, "/w"},
	  {RULE_RESULT, COMMAND, "/w/out/r.json"},
	  {RULE_WRITE, COMMAND, "/w/out/r.json"},
	  {RULE_RESULT, COMMAND, "/x/r.json"},
	  {RULE_DENY, FILE_, "/w/out/d"}},
	 {{"/w/out/r.json", "r--l"},
	  {"/w/out/r.json/below", "r--l"},
	  {"/w/out/r.json2", "rw-l"},
	  {"/w/out", "rw-l"},
	  {"/w", "rw-l"},
	  {"/x/r.json", "---l"}}},
	{"a tree inside a hidden one can be opened",
	 {{RULE_READ, FILE_, "/"},
	  {RULE_HIDE, FILE_, "/a"},
	  {RULE_WRITE, FILE_, "/a/b"},
	  {RULE_EXEC_ALLOW, FILE_, "/a/x"}},
	 {{"/a", "0000"}, {"/a/c", "0000"}, {"/a/b", "rw0l"}, {"/a/x", "00xl"}, {"/b", "r--l"}}},
	{"the root's own rule",
	 {{RULE_WRITE, FILE_, "/"}, {RULE_DENY, FILE_, "/etc"}},
	 {{"/", "rw-l"}, {"/a/b/c", "rw-l"}, {"/etc", "---l"}, {"/etcetera", "rw-l"}}},
	{"a component is no prefix of another",
	 {{RULE_READ, FILE_, "/srv/allowed"}, {RULE_READ, FILE_, "/srv/long-name-of-a-directory"}},
	 {{"/srv/allowed", "r--l"},
	  {"/srv/allowed/x", "r--l"},
	  {"/srv/allowed-evil", "---l"},
	  {"/srv/allowe", "---l"},
	  {"/srv/allowedx/y", "---l"},
	  {"/srv", "---l"},
	  {"/allowed", "---l"},
	  {"/srv/srv/allowed", "---l"},
	  {"/srv/long-name-of-a-directorY", "---l"},
	  {"/srv/long-name-of-a-directory", "r--l"}}},
	{"literal beats glob at equal depth",
	 {{RULE_DENY, COMMAND, "/a/*/c"},
	  {RULE_READ_ONLY, PROFILE, "/a/b/c"},
	  {RULE_WRITE, PROFILE, "/a/b*/c"},
	  {RULE_READ, PROFILE, "/a/**/d"},
	  {RULE_DENY, COMMAND, "/**/d"}},
	 {{"/a/b/c", "r--l"},
	  {"/a/bb/c", "rw-l"},
	  {"/a/x/c", "---l"},
	  {"/a/x/d", "r--l"},
	  {"/a/d", "r--l"},
	  {"/x/d", "---l"}}},
	{"the earlier literal component decides",
	 {{RULE_READ, FILE_, "/a/*"},
	  {RULE_DENY, FILE_, "/*/b"},
	  {RULE_WRITE, FILE_, "/x*/b"},
	  {RULE_DENY, FILE_, "/**/*/q"},
	  {RULE_READ, PROFILE, "/**/p/*"}},
	 {{"/a/b", "r--l"}, {"/c/b", "---l"}, {"/xc/b", "rw-l"}, {"/p/q", "r--l"}, {"/p/r", "r--l"}, {"/r/q", "---l"}}},
	{"deeper glob beats literal",
	 {{RULE_READ, COMMAND, "/w"}, {RULE_DENY, PROFILE, "/w/*"}, {RULE_WRITE, PROFILE, "/w/*/*.log"}},
	 {{"/w", "r--l"}, {"/w/a", "---l"}, {"/w/a/b", "---l"}, {"/w/a/b.log", "rw-l"}}},
	{"two globs of one rank: layer, then strictness",
	 {{RULE_WRITE, FILE_, "/w/a*"}, {RULE_DENY, PROFILE, "/w/*b"}, {RULE_DENY, FILE_, "/w/*c"}},
	 {{"/w/ab", "rw-l"}, {"/w/ac", "---l"}, {"/w/xc", "---l"}, {"/w/a", "rw-l"}}},
	{"what a star stands for",
	 {{RULE_READ, FILE_, "/a/*"},
	  {RULE_READ, FILE_, "/b/x*y"},
	  {RULE_READ, FILE_, "/c/*.o"},
	  {RULE_READ, FILE_, "/d/.*"},
	  {RULE_READ, FILE_, "/e/*m*n*"},
	  {RULE_READ, FILE_, "/f/a*b*c"}},
	 {{"/a/.hidden", "r--l"},
	  {"/a", "---l"},
	  {"/b/xy", "r--l"},
	  {"/b/x", "---l"},
	  {"/b/x/y", "---l"},
	  {"/c/.o", "r--l"},
	  {"/c/o", "---l"},
	  {"/d/.", "malformed"},
	  {"/d/.x", "r--l"},
	  {"/e/mn", "r--l"},
	  {"/e/nm", "---l"},
	  {"/f/abbc", "r--l"},
	  {"/f/ac", "---l"}}},
	{"two stars with whole components between",
	 {{RULE_DENY, FILE_, "/w/**/.env"},
	  {RULE_WRITE, FILE_, "/w"},
	  {RULE_READ, FILE_, "/w/**/.env/ok"},
	  {RULE_DENY, FILE_, "/w/x/**/y/**/z"}},
	 {{"/w/.env", "---l"},
	  {"/w/a/b/c/.env", "---l"},
	  {"/w/.env/f", "---l"},
	  {"/w/a.env", "rw-l"},
	  {"/w/.env/ok", "r--l"},
	  {"/w/.env/.env", "---l"},
	  {"/w/.env/ok/.env", "---l"},
	  {"/.env", "---l"},
	  {"/w/x/y/z", "---l"},
	  {"/w/x/1/y/2/3/z/f", "---l"},
	  {"/w/x/z/y", "rw-l"}}},
	{"a tree's pattern may end with two stars",
	 {{RULE_READ, FILE_, "/a/**"},
	  {RULE_READ, FILE_, "/b/**/*"},
	  {RULE_DENY, COMMAND, "/b/*/c"},
	  {RULE_READ, FILE_, "/c/**/**/*/**/*"},
	  {RULE_WRITE, FILE_, "/d/**"},
	  {RULE_DENY, FILE_, "/d/e"}},
	 {{"/a", "r--l"},
	  {"/a/b", "r--l"},
	  {"/a/b/c", "r--l"},
	  {"/b", "---l"},
	  {"/b/x", "r--l"},
	  {"/b/x/y", "r--l"},
	  {"/b/x/c/y", "---l"},
	  {"/c", "---l"},
	  {"/c/1", "---l"},
	  {"/c/1/2", "r--l"},
	  {"/d/f/g", "rw-l"},
	  {"/d/e/g", "---l"}}},
	{"stars over the whole tree",
	 {{RULE_READ, FILE_, "/**"}, {RULE_DENY, FILE_, "/**/id_*"}, {RULE_WRITE, FILE_, "/*/tmp"}},
	 {{"/", "r--l"},
	  {"/id_rsa", "---l"},
	  {"/a/b/id_rsa.pub", "---l"},
	  {"/a/id", "r--l"},
	  {"/x/tmp/f", "rw-l"},
	  {"/tmp", "r--l"},
	  {"/x/tmp/id_1", "---l"}}},
	{"other signs are only signs",
	 {{RULE_READ, FILE_, "/a/?"}, {RULE_READ, FILE_, "/a/[x]"}, {RULE_READ, FILE_, "/a/\\*z"}},
	 {{"/a/b", "---l"},
	  {"/a/?", "r--l"},
	  {"/a/x", "---l"},
	  {"/a/[x]", "r--l"},
	  {"/a/\\yz", "r--l"},
	  {"/a/yz", "---l"}}},
	{"any byte but NUL and slash",
	 {{RULE_READ, FILE_, "/a/new\nline"}, {RULE_READ, FILE_, "/a/\xff\xfe"}, {RULE_READ, FILE_, "/a/\x01*"}},
	 {{"/a/new\nline", "r--l"},
	  {"/a/new", "---l"},
	  {"/a/\xff\xfe", "r--l"},
	  {"/a/\xff", "---l"},
	  {"/a/\xfe\xff", "---l"},
	  {"/a/\x01\x80/f", "r--l"},
	  {"/a/ ", "---l"},
	  {"/a/..x", "---l"},
	  {"/a/.x", "---l"},
	  {"/a/...", "---l"}}},
	{"malformed paths are refused",
	 {{RULE_WRITE, FILE_, "/"}, {RULE_EXEC_ALLOW, FILE_, "/"}},
	 {{"", "malformed"},
	  {"a", "malformed"},
	  {"a/b", "malformed"},
	  {"//", "malformed"},
	  {"/a/", "malformed"},
	  {"/a//b", "malformed"},
	  {"/.", "malformed"},
	  {"/..", "malformed"},
	  {"/a/./b", "malformed"},
	  {"/a/../b", "malformed"},
	  {"/a/..", "malformed"},
	  {"/12345678/", "malformed"},
	  {"//12345678", "malformed"},
	  {"/12345678/12345678", "rwxl"}}},
};

static const char letters[] = "rwxl";

static void expect(const struct image *image, const struct path_case *wanted, const char *name)
{
	for (unsigned slot = 0; slot < 4; slot++) {
		struct verdict verdict = decide_path(image, wanted->path, strlen(wanted->path), 1u << slot);
		char sign = verdict.allowed ? letters[slot] : verdict.error == ENOENT ? '0' : '-';

		if (strcmp(wanted->expected, "malformed") == 0) {
			ck_assert_msg(!verdict.allowed && verdict.error == EACCES && verdict.rule == RULE_DEFAULT,
				      "%s: %s: malformed, but not refused", name, wanted->path);
			continue;
		}
		ck_assert_msg(sign == wanted->expected[slot], "%s: %s: %c of %s is %c", name, wanted->path,
			      letters[slot], wanted->expected, sign);
		ck_assert_int_eq(verdict.error, verdict.allowed ? 0 : sign == '0' ? ENOENT : EACCES);
	}
}

START_TEST(rules_win_as_the_manual_says)
{
	const struct table *table = &tables[_i / 2];
	struct image *image = make_path_image(table->rows, _i % 2 == 1);

	for (const struct path_case *wanted = table->cases; wanted->path != NULL; wanted++)
		expect(image, wanted, table->name);
	free(image);
}
END_TEST

/* ---- several accesses, and which rule is told ------------------------------------------------------ */

static struct verdict decide(const struct image *image, const char *path, unsigned access)
{
	return decide_path(image, path, strlen(path), access);
}

START_TEST(of_several_accesses_the_refused_one_is_told)
{
	static const struct path_row rows[] = {{RULE_READ, FILE_, "/a"},
					       {RULE_WRITE, FILE_, "/a/w"},
					       {RULE_EXEC_DENY, FILE_, "/a/w"},
					       {RULE_HIDE, FILE_, "/a/h"},
					       {RULE_DENY, FILE_, "/a/h/d"},
					       {RULE_FORBID, FILE_, "/a/f"},
					       {0}};
	struct image *image = make_path_image(rows, false);
	static const struct {
		const char *path;
		unsigned access;
		bool allowed;
		int error;
		uint32_t rule;
	} cases[] = {
		{"/a/x", R, true, 0, 0},
		{"/a/x", R | L, true, 0, 0},
		{"/a/x", R | W, false, EACCES, RULE_DEFAULT},
		{"/a/w/x", R | W, true, 0, 1},
		{"/a/w/x", R | W | X, false, EACCES, 2},
		{"/a/h/x", R, false, ENOENT, 3},
		{"/a/h/d", R, false, EACCES, 4},
		{"/a/h/d", R | L, false, ENOENT, 3},
		{"/a/f/x", R, false, EACCES, 5},
		{"/a/f/x", L, true, 0, 0},
		{"/b", L, true, 0, RULE_DEFAULT},
		{"/b", R, false, EACCES, RULE_DEFAULT},
		{"/a", 0, false, EACCES, RULE_DEFAULT},
		{"/a", 16 | R, false, EACCES, RULE_DEFAULT},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct verdict verdict = decide(image, cases[i].path, cases[i].access);

		ck_assert_msg(verdict.allowed == cases[i].allowed && verdict.error == cases[i].error &&
				      verdict.rule == cases[i].rule,
			      "%s access %u: %d %d %u", cases[i].path, cases[i].access, verdict.allowed, verdict.error,
			      verdict.rule);
	}
	free(image);
}
END_TEST

START_TEST(a_rule_with_several_paths_is_one_rule)
{
	struct build *build = build_new();
	struct rule rule = row_rule(RULE_WRITE, LAYER_FILE, "/link"), env = row_rule(RULE_ENV_KEEP, LAYER_FILE, "X");
	struct image *image;

	ck_assert_int_eq(build_env_rule(build, &env), 0);
	ck_assert_int_eq(build_path_rule(build, &rule), 1);
	ck_assert_int_eq(build_also_path(build, 1, "/real/place"), 1);
	ck_assert_int_eq(build_also_path(build, 1, "/real/place"), 1);
	image = finish_image(build);
	ck_assert_uint_eq(decide(image, "/link/f", W).rule, 1);
	ck_assert_uint_eq(decide(image, "/real/place/f", W).rule, 1);
	ck_assert(!decide(image, "/real", W).allowed);
	free(image);
}
END_TEST

/* ---- lengths ---------------------------------------------------------------------------------------- */

START_TEST(paths_of_any_length)
{
	static char pattern[4097], path[20000];
	struct path_row rows[] = {{RULE_READ, FILE_, pattern}, {RULE_WRITE, FILE_, "/long"}, {0}};
	struct image *image;

	/* 4095 bytes of one-letter components: the longest pattern there is. */
	for (size_t i = 0; i < 4095; i++)
		pattern[i] = i % 2 == 0 ? '/' : 'a';
	pattern[4094] = 'b';
	pattern[4093] = 'b';
	image = make_path_image(rows, false);
	ck_assert(decide_path(image, pattern, 4095, R).allowed);
	ck_assert(!decide_path(image, pattern, 4094, R).allowed);
	/* Longer than any name the kernel takes at once, but a place a program can get to in steps. */
	memcpy(path, "/long", 5);
	for (size_t i = 5; i < sizeof(path); i++)
		path[i] = i % 300 == 5 ? '/' : 'x';
	ck_assert(decide_path(image, path, sizeof(path), R | W).allowed);
	for (size_t length = 0; length < 5; length++)
		ck_assert(!decide_path(image, path, length, R).allowed);
	free(image);
}
END_TEST

START_TEST(a_nul_byte_is_refused_wherever_it_is)
{
	static const struct path_row rows[] = {{RULE_READ, FILE_, "/"}, {0}};
	struct image *image = make_path_image(rows, false);
	char path[64];

	for (size_t length = 2; length < sizeof(path); length++) {
		for (size_t at = 0; at < length; at++) {
			memset(path, 'x', sizeof(path));
			path[0] = path[length / 2] = '/';
			if (length / 2 == length - 1)
				continue;
			ck_assert(decide_path(image, path, length, R).allowed == (length / 2 != 1));
			path[at] = '\0';
			ck_assert(!decide_path(image, path, length, R).allowed);
		}
	}
	free(image);
}
END_TEST

START_TEST(more_patterns_alive_than_there_is_room_for_refuses)
{
	struct build *build = build_new(), *open = build_new();
	struct rule rule = row_rule(RULE_WRITE, LAYER_FILE, "/");
	struct image *image;
	char pattern[64];

	ck_assert_int_ge(build_path_rule(build, &rule), 0);
	ck_assert_int_ge(build_path_rule(open, &rule), 0);
	for (int i = 0; i < 100; i++) {
		snprintf(pattern, sizeof(pattern), "/x/%.*s*%.*s/below", i % 10, "aaaaaaaaaa", i / 10, "aaaaaaaaaa");
		rule = row_rule(RULE_WRITE, LAYER_FILE, pattern);
		ck_assert_int_ge(build_path_rule(open, &rule), 0);
		rule.key = i == 5 ? RULE_READ_ONLY : RULE_WRITE;
		ck_assert_int_ge(build_path_rule(build, &rule), 0);
	}
	image = finish_image(build);
	ck_assert(!decide(image, "/x/aaaaaaaaaaaaaaaaaaaaaaaa", W).allowed);
	ck_assert_uint_eq(decide(image, "/x/aaaaaaaaaaaaaaaaaaaaaaaa", W).rule, RULE_DEFAULT);
	ck_assert(!decide(image, "/x/aaaaaaaaaaaaaaaaaaaaaaaa/below", W).allowed);
	ck_assert(decide(image, "/x/aaaa", W).allowed);
	ck_assert(!decide_move(image, "/x/aaaaaaaaaaaaaaaaaaaaaaaa", 26, "/x/aaaaaaaaaaaaaaaaaaaaaaab", 26, true)
			   .allowed);
	free(image);
	/* What no rule refuses stays allowed: decide_may_refuse has promised it. */
	image = finish_image(open);
	ck_assert(!decide_may_refuse(image, W));
	ck_assert(decide(image, "/x/aaaaaaaaaaaaaaaaaaaaaaaa", W).allowed);
	free(image);
}
END_TEST

/* ---- the result of the run ----------------------------------------------------------------------------- */

START_TEST(what_leads_to_the_result_is_kept_also_where_all_else_is_allowed)
{
	static const struct path_row rows[] = {{RULE_WRITE, COMMAND, "/"},
					       {RULE_FORBID, FILE_, "/w/out/secret"},
					       {RULE_DENY, COMMAND, "/w/out/r.json"},
					       {RULE_RESULT, COMMAND, "/w/out/r.json"},
					       {0}};
	static const struct {
		const char *path;
		bool file, directory; /* may be changed if it is a file, moved or removed if a directory */
	} names[] = {
		{"/w/out/r.json", false, false},
		{"/w/out", true, false},
		{"/w", true, false},
		{"/", true, false},
		{"/w/out/r.jso", true, true},
		{"/w/o", true, true},
		{"/out", true, true},
		{"/w/out/secret", true, true},
	};
	struct image *image = make_path_image(rows, false);

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		for (int directory = 0; directory < 2; directory++) {
			struct verdict verdict = decide_result(image, names[i].path, strlen(names[i].path), directory);

			ck_assert_msg(verdict.allowed == (directory ? names[i].directory : names[i].file), "%s",
				      names[i].path);
			ck_assert_uint_eq(verdict.rule, verdict.allowed ? RULE_DEFAULT : 3);
		}
	}
	ck_assert(decide_is_final(image, 3));
	ck_assert(!decide_is_final(image, 1) && !decide_is_final(image, 4) && !decide_is_final(image, RULE_DEFAULT));
	ck_assert(!decide_result(image, "w", 1, true).allowed);
	free(image);
}
END_TEST

/* ---- globs by the thousand --------------------------------------------------------------------------- */

START_TEST(many_globs_at_one_node)
{
	struct build *build = build_new();
	struct rule rule;
	struct image *image;
	char text[64];

	for (int i = 0; i < 3000; i++) {
		static const char *const forms[] = {"/g/*.type%d", "/g/name%d*", "/g/a*m%dm*z"};

		snprintf(text, sizeof(text), forms[i % 3], i);
		rule = row_rule(RULE_READ, LAYER_FILE, text);
		ck_assert_int_eq(build_path_rule(build, &rule), i);
	}
	image = finish_image(build);
	for (int i = 0; i < 3000; i++) {
		static const char *const forms[] = {"/g/file.type%d", "/g/name%d-file", "/g/a-m%dm-z"};
		static const char *const others[] = {"/g/file.type%dx", "/g/xname%d", "/g/a-m%dm-"};

		snprintf(text, sizeof(text), forms[i % 3], i);
		ck_assert_uint_eq(decide(image, text, R).rule == RULE_DEFAULT, false);
		snprintf(text, sizeof(text), others[i % 3], i);
		ck_assert(!decide(image, text, R).allowed);
	}
	free(image);
}
END_TEST

/* ---- what may be refused at all ------------------------------------------------------------------------ */

START_TEST(may_refuse_is_true_of_what_some_path_is_refused)
{
	static const struct {
		struct path_row rows[4];
		unsigned refusable;
	} cases[] = {
		{{{0}}, R | W | X},
		{{{RULE_READ, FILE_, "/"}}, W | X},
		{{{RULE_WRITE, FILE_, "/"}}, X},
		{{{RULE_WRITE, FILE_, "/"}, {RULE_EXEC_ALLOW, FILE_, "/"}}, 0},
		{{{RULE_WRITE, FILE_, "/**"}, {RULE_EXEC_ALLOW, FILE_, "/"}}, 0},
		{{{RULE_WRITE, FILE_, "/"}, {RULE_READ_ONLY, FILE_, "/x"}}, W | X},
		{{{RULE_WRITE, FILE_, "/"}, {RULE_READ_ONLY, FILE_, "/"}}, W | X},
		{{{RULE_WRITE, FILE_, "/"}, {RULE_EXEC_ALLOW, FILE_, "/"}, {RULE_EXEC_DENY, FILE_, "/**/x"}}, X},
		{{{RULE_WRITE, FILE_, "/"}, {RULE_HIDE, FILE_, "/x"}}, R | W | X | L},
		{{{RULE_WRITE, FILE_, "/"}, {RULE_EXEC_ALLOW, FILE_, "/"}, {RULE_FORBID, FILE_, "/x"}}, R | W | X},
		{{{RULE_WRITE, FILE_, "/x"}}, R | W | X},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct image *image = make_path_image(cases[i].rows, false);

		for (unsigned access = 1; access < 16; access++)
			ck_assert_msg(decide_may_refuse(image, access) == ((cases[i].refusable & access) != 0),
				      "case %zu access %u", i, access);
		free(image);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("decide");
	TCase *tables_case = tcase_create("tables");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tables_case, rules_win_as_the_manual_says, 0,
			    2 * (int)(sizeof(tables) / sizeof(tables[0])));
	tcase_add_test(tables_case, of_several_accesses_the_refused_one_is_told);
	tcase_add_test(tables_case, a_rule_with_several_paths_is_one_rule);
	tcase_add_test(tables_case, paths_of_any_length);
	tcase_add_test(tables_case, a_nul_byte_is_refused_wherever_it_is);
	tcase_add_test(tables_case, more_patterns_alive_than_there_is_room_for_refuses);
	tcase_add_test(tables_case, what_leads_to_the_result_is_kept_also_where_all_else_is_allowed);
	tcase_add_test(tables_case, many_globs_at_one_node);
	tcase_add_test(tables_case, may_refuse_is_true_of_what_some_path_is_refused);
	suite_add_tcase(suite, tables_case);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
