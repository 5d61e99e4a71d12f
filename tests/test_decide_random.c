/* SPDX-License-Identifier: MIT */
/*
 * test_decide_random.c - random policies, each compared with a plain reading
 * of the manual's sentences that knows nothing of tries; and random moves, each compared with what
 * it gives below.
 */
#include <errno.h>
#include <stdio.h>

#include "decide.h"
#include "make_image.h"
#include "pure.h"

static const char letters[] = "rwxl";

static struct verdict decide(const struct image *image, const char *path, unsigned access)
{
	return decide_path(image, path, strlen(path), access);
}

static unsigned random_state;

static unsigned random_below(unsigned limit)
{
	random_state = random_state * 1103515245 + 12345;
	return (random_state >> 16) % limit;
}

static const char *const names[] = {"a", "b", "ab", ".e", "aab", "a-name-of-more-than-sixteen"};
static const char *const wilds[] = {"*", "**", "a*", "*b", "a*b", "*a*", "**", "*"};

enum { NAMES = sizeof(names) / sizeof(names[0]), WILDS = sizeof(wilds) / sizeof(wilds[0]) };

/* A random path or pattern of up to `depth` components; "/" when none. */
static void random_path(char *text, unsigned depth, bool wild)
{
	unsigned count = random_below(depth + 1);

	text[0] = '\0';
	for (unsigned i = 0; i < count; i++) {
		strcat(text, "/");
		strcat(text, wild && random_below(5) < 2 ? wilds[random_below(WILDS)] : names[random_below(NAMES)]);
	}
	if (count == 0)
		strcat(text, "/");
}

struct plain {
	char text[16][32]; /* components */
	int count;
};

static struct plain split(const char *path)
{
	struct plain plain = {.count = 0};
	char copy[256], *rest, *part;

	snprintf(copy, sizeof(copy), "%s", path);
	for (part = strtok_r(copy, "/", &rest); part != NULL; part = strtok_r(NULL, "/", &rest))
		snprintf(plain.text[plain.count++], sizeof(plain.text[0]), "%s", part);
	return plain;
}

static void remove_at(struct plain *plain, int index)
{
	for (int i = index; i + 1 < plain->count; i++)
		memcpy(plain->text[i], plain->text[i + 1], sizeof(plain->text[0]));
	plain->count--;
}

/* "**" at the end, or with only "*" behind it, and one of two side by side, say nothing. */
static struct plain split_pattern(const char *pattern)
{
	struct plain plain = split(pattern);
	bool only_stars = true;

	for (int i = plain.count - 1; i >= 0; i--) {
		bool any_depth = strcmp(plain.text[i], "**") == 0;

		if (any_depth && (only_stars || (i > 0 && strcmp(plain.text[i - 1], "**") == 0)))
			remove_at(&plain, i);
		else if (strcmp(plain.text[i], "*") != 0)
			only_stars = false;
	}
	return plain;
}

static bool glob(const char *pattern, const char *text)
{
	if (*pattern == '\0')
		return *text == '\0';
	if (*pattern == '*')
		return glob(pattern + 1, text) || (*text != '\0' && glob(pattern, text + 1));
	return *pattern == *text && glob(pattern + 1, text + 1);
}

/* Do the first `depth` components of the path match the pattern from these places on? */
static bool covers(const struct plain *pattern, int p, const struct plain *path, int at, int depth)
{
	if (p == pattern->count)
		return at == depth;
	if (strcmp(pattern->text[p], "**") == 0)
		return covers(pattern, p + 1, path, at, depth) ||
		       (at < depth && covers(pattern, p, path, at + 1, depth));
	return at < depth && glob(pattern->text[p], path->text[at]) && covers(pattern, p + 1, path, at + 1, depth);
}

static int match_depth(const struct plain *pattern, const struct plain *path)
{
	for (int depth = path->count; depth >= 0; depth--) {
		if (covers(pattern, 0, path, 0, depth))
			return depth;
	}
	return -1;
}

static int kind_of(const char *component)
{
	if (strcmp(component, "**") == 0)
		return 0;
	if (strcmp(component, "*") == 0)
		return 1;
	return strchr(component, '*') != NULL ? 2 : 3;
}

static int compare_specific(const struct plain *a, const struct plain *b)
{
	for (int i = 0; i < a->count && i < b->count; i++) {
		int order = kind_of(a->text[i]) - kind_of(b->text[i]);

		if (order != 0)
			return order;
	}
	return a->count - b->count;
}

/* What a key says of an access: 'a' allows, 'd' refuses, 'h' hides, ' ' nothing. In the order of enum rule_key. */
static const char says[][5] = {"a  a", "aa a", "ad a", "ddd ", "hhhh", "    ", "  aa", "  d "};

/* 0 allowed, else the errno. */
static int plain_decide(const struct path_row *rows, int count, const struct plain *path, unsigned slot)
{
	struct plain best = {.count = 0};
	const struct path_row *winner = NULL;
	int best_depth = -1;
	char said;

	for (int i = 0; i < count; i++) {
		struct plain pattern = split_pattern(rows[i].target);
		int depth = match_depth(&pattern, path), order;

		if (depth < 0)
			continue;
		if (rows[i].key == RULE_FORBID && slot != 3)
			return EACCES;
		if (says[rows[i].key][slot] == ' ')
			continue;
		order = depth - best_depth;
		if (order == 0)
			order = compare_specific(&pattern, &best);
		if (order == 0)
			order = (int)rows[i].layer - (int)winner->layer;
		if (order == 0)
			order = says[rows[i].key][slot] - says[winner->key][slot];
		if (order > 0) {
			best = pattern;
			winner = &rows[i];
			best_depth = depth;
		}
	}
	said = winner == NULL ? (slot == 3 ? 'a' : 'd') : says[winner->key][slot];
	return said == 'a' ? 0 : said == 'd' ? EACCES : ENOENT;
}

enum { RANDOM_RULES = 7, RANDOM_POLICIES = 200, RANDOM_PATHS = 60 };

static char random_targets[RANDOM_RULES][256];

static struct image *random_policy(struct path_row *rows, bool wild)
{
	int count = 1 + (int)random_below(RANDOM_RULES);

	memset(rows, 0, sizeof(*rows) * (RANDOM_RULES + 1));
	for (int i = 0; i < count; i++) {
		random_path(random_targets[i], 4, wild);
		rows[i].key = (enum rule_key)random_below(RULE_EXEC_DENY + 1);
		rows[i].layer = (enum rule_layer)random_below(3);
		rows[i].target = random_targets[i];
	}
	return make_path_image(rows, false);
}

static int row_count(const struct path_row *rows)
{
	int count = 0;

	while (rows[count].target != NULL)
		count++;
	return count;
}

static void print_policy(const struct path_row *rows)
{
	for (; rows->target != NULL; rows++)
		fprintf(stderr, "  %s (layer %d) %s\n", rule_key_name(rows->key), (int)rows->layer, rows->target);
}

START_TEST(random_policies_decide_as_a_plain_reading_does)
{
	struct path_row rows[RANDOM_RULES + 1];
	char path[256];

	random_state = 1 + (unsigned)_i;
	for (int policy = 0; policy < RANDOM_POLICIES; policy++) {
		struct image *image = random_policy(rows, true);

		for (int i = 0; i < RANDOM_PATHS; i++) {
			struct plain plain;

			random_path(path, 6, false);
			plain = split(path);
			for (unsigned slot = 0; slot < 4; slot++) {
				struct verdict verdict = decide(image, path, 1u << slot);
				int wanted = plain_decide(rows, row_count(rows), &plain, slot);

				if (verdict.error != wanted)
					print_policy(rows);
				ck_assert_msg(verdict.error == wanted, "%s: %c is %d, not %d", path, letters[slot],
					      verdict.error, wanted);
				ck_assert_int_eq(verdict.allowed, verdict.error == 0);
				if (!verdict.allowed)
					ck_assert(decide_may_refuse(image, 1u << slot));
			}
		}
		free(image);
	}
}
END_TEST

/* Each path below `from`, and the same below `to`: does `to` give what `from` did not? */
static bool gives_more(const struct image *image, const char *from, const char *to)
{
	char old[512], new[512], rest[256];

	for (int i = 0; i < RANDOM_PATHS; i++) {
		random_path(rest, 4, false);
		snprintf(old, sizeof(old), "%s%s", from, rest[1] == '\0' ? "" : rest);
		snprintf(new, sizeof(new), "%s%s", to, rest[1] == '\0' ? "" : rest);
		for (unsigned access = ACCESS_READ; access <= ACCESS_EXEC; access <<= 1) {
			if (decide(image, new, access).allowed && !decide(image, old, access).allowed)
				return true;
		}
	}
	return false;
}

START_TEST(a_random_move_that_is_allowed_gives_nothing_below)
{
	struct path_row rows[RANDOM_RULES + 1];
	char from[256], to[256];
	int allowed = 0;

	random_state = 77 + (unsigned)_i;
	for (int policy = 0; policy < RANDOM_POLICIES * 4; policy++) {
		struct image *image = random_policy(rows, policy % 2 == 0);

		do
			random_path(from, 4, false);
		while (from[1] == '\0');
		do
			random_path(to, 4, false);
		while (to[1] == '\0');
		if (decide_move(image, from, strlen(from), to, strlen(to), true).allowed) {
			allowed++;
			if (gives_more(image, from, to))
				print_policy(rows);
			ck_assert_msg(!gives_more(image, from, to), "%s to %s", from, to);
		}
		free(image);
	}
	ck_assert_int_gt(allowed, 100);
}
END_TEST

static bool same(const struct plain *a, const struct plain *b)
{
	for (int i = 0; i < a->count && i < b->count; i++) {
		if (strcmp(a->text[i], b->text[i]) != 0)
			return false;
	}
	return a->count == b->count;
}

/* Is it refused to write to what this row alone names, as far as rows of the same pattern say? */
static bool refuses_writing(const struct path_row *rows, int count, int row)
{
	struct plain pattern = split_pattern(rows[row].target);

	if (rows[row].key == RULE_FORBID)
		return true;
	if (says[rows[row].key][1] == ' ' || says[rows[row].key][1] == 'a')
		return false;
	for (int i = 0; i < count; i++) {
		struct plain other = split_pattern(rows[i].target);

		if (says[rows[i].key][1] == 'a' && rows[i].layer > rows[row].layer && same(&other, &pattern))
			return false;
	}
	return true;
}

/* Is what is no directory refused there, by the sentences of decide.h? */
static bool plain_way(const struct path_row *rows, int count, const struct plain *path, bool link)
{
	for (int i = 0; i < count; i++) {
		struct plain way = split_pattern(rows[i].target);

		while (refuses_writing(rows, count, i) && --way.count > 0) {
			int kind = kind_of(way.text[way.count - 1]);

			if (kind != 0 && (link || kind == 3) && covers(&way, 0, path, 0, path->count))
				return true;
		}
	}
	return false;
}

START_TEST(random_ways_are_as_a_plain_reading_has_them)
{
	struct path_row rows[RANDOM_RULES + 1];
	char path[256];
	int refused = 0, allowed = 0;

	random_state = 9 + (unsigned)_i;
	for (int policy = 0; policy < RANDOM_POLICIES * 4; policy++) {
		struct image *image = random_policy(rows, policy % 2 == 0);

		for (int i = 0; i < 8; i++) {
			do
				random_path(path, 4, false);
			while (path[1] == '\0');
			struct plain plain = split(path);
			bool link = random_below(2) != 0, wanted = plain_way(rows, row_count(rows), &plain, link);

			if (decide_stand(image, path, strlen(path), link).allowed == wanted)
				print_policy(rows);
			ck_assert_msg(decide_stand(image, path, strlen(path), link).allowed != wanted, "%s %s: %d",
				      link ? "link" : "file", path, wanted);
			refused += wanted;
			allowed += !wanted;
		}
		free(image);
	}
	ck_assert_int_gt(refused, 200);
	ck_assert_int_gt(allowed, 200);
}
END_TEST

/* A name at or below `path` for which an access of `allowed` is refused; false: none was found. */
static bool refused_below(const struct image *image, const char *path, unsigned allowed, char name[512])
{
	char rest[256];

	for (int i = 0; i < RANDOM_PATHS; i++) {
		random_path(rest, 5, false);
		snprintf(name, 512, "%s%s", path[1] == '\0' && rest[1] != '\0' ? "" : path,
			 rest[1] == '\0' ? "" : rest);
		for (unsigned access = ACCESS_READ; access <= ACCESS_LOOK; access <<= 1) {
			if ((allowed & access) != 0 && !decide(image, name, access).allowed)
				return true;
		}
		/* nor is anything there on the way to what may not be written: links and files are made there unseen */
		if ((allowed & ACCESS_WRITE) != 0 && !decide_stand(image, name, strlen(name), true).allowed)
			return true;
	}
	return false;
}

START_TEST(a_random_directory_that_is_pure_refuses_nothing_below)
{
	struct path_row rows[RANDOM_RULES + 1];
	char path[256], name[512];
	int pure_ones = 0, impure_ones = 0, seen = 0;

	random_state = 4711 + (unsigned)_i;
	for (int policy = 0; policy < RANDOM_POLICIES * 4; policy++) {
		struct image *image = random_policy(rows, policy % 2 == 0);
		struct pure pure;

		ck_assert_int_eq(pure_open(&pure, image), 0);
		for (int i = 0; i < 8; i++) {
			random_path(path, 3, false);
			unsigned here = 0, allowed = pure_below(&pure, path, strlen(path));
			for (unsigned access = ACCESS_READ; access <= ACCESS_LOOK; access <<= 1)
				here |= access != ACCESS_EXEC && decide(image, path, access).allowed ? access : 0;
			ck_assert_uint_eq(allowed & ~here, 0);
			pure_ones += (allowed & ACCESS_READ) != 0;
			impure_ones += (here & ~allowed) != 0 && path[1] != '\0';
			if (refused_below(image, path, allowed, name))
				print_policy(rows);
			ck_assert_msg(!refused_below(image, path, allowed, name), "%s, below the pure %s", name, path);
			/* the test notices: what is left out is refused somewhere below */
			seen += path[1] != '\0' && allowed != here && refused_below(image, path, here, name);
		}
		pure_close(&pure);
		free(image);
	}
	ck_assert_int_gt(pure_ones, 500);
	ck_assert_int_gt(impure_ones, 100);
	ck_assert_int_gt(seen, 50);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("decide, at random");
	TCase *tcase = tcase_create("random");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tcase, random_policies_decide_as_a_plain_reading_does, 0, 8);
	tcase_add_loop_test(tcase, a_random_move_that_is_allowed_gives_nothing_below, 0, 4);
	tcase_add_loop_test(tcase, random_ways_are_as_a_plain_reading_has_them, 0, 4);
	tcase_add_loop_test(tcase, a_random_directory_that_is_pure_refuses_nothing_below, 0, 4);
	tcase_set_timeout(tcase, 60);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
