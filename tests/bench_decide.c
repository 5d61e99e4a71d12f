/* SPDX-License-Identifier: MIT */
/*
 * bench_decide.c - what one decision costs, by the number of rules. Takes no
 * arguments, prints a table; each number is the median of several rounds.
 *
 * "one path": the same path each time. "many paths": each decision another one of
 * 4,096 in an order that the processor cannot guess, most of them beneath a rule of their own, so that what the
 * policy's memory costs shows too. All have 8 components.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "build.h"
#include "decide.h"

enum { PATHS = 4096, ROUNDS = 9, DECISIONS = 200000, COMPONENTS = 8 };

struct paths {
	char text[PATHS][160];
	size_t length[PATHS];
};

static double now_ns(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static void fail(const char *what)
{
	fprintf(stderr, "bench_decide: %s failed\n", what);
	exit(1);
}

static void add(struct build *build, enum rule_key key, const char *target)
{
	struct rule rule = {key, LAYER_FILE, "bench.conf:1", target, target};

	if (build_path_rule(build, &rule) < 0)
		fail("build_path_rule");
}

/* Where rule `i` is: six components, the last of its own. */
static void rule_path(char *text, size_t size, unsigned i)
{
	snprintf(text, size, "/home/developer/projects/group-%u/package-%u/module_%u", i % 23, i % 509, i);
}

static struct image *make_image(unsigned rules, bool globs, double *build_ns)
{
	struct build *build = build_new();
	struct image *image = NULL;
	double start = now_ns();
	size_t length;
	char path[160];

	if (build == NULL)
		fail("build_new");
	add(build, RULE_READ, "/");
	for (unsigned i = 1; i < rules; i++) {
		rule_path(path, sizeof(path), i);
		add(build, i % 3 == 0 ? RULE_DENY : RULE_WRITE, path);
	}
	for (unsigned i = 0; globs && i < 20; i++) {
		snprintf(path, sizeof(path), i % 2 == 0 ? "/home/*/projects/**/*.secret%u" : "/**/.env%u*", i);
		add(build, RULE_DENY, path);
	}
	if (build_finish(build, &image, &length) < 0)
		fail("build_finish");
	*build_ns = now_ns() - start;
	build_free(build);
	return image;
}

static void make_paths(struct paths *paths, unsigned rules)
{
	unsigned random = 1;

	for (int i = 0; i < PATHS; i++) {
		char rule[128];

		random = random * 1664525 + 1013904223;
		rule_path(rule, sizeof(rule), (random >> 8) % rules);
		paths->length[i] =
			(size_t)snprintf(paths->text[i], sizeof(paths->text[i]), "%s/src/file_%d.c", rule, i);
	}
}

static int compare_doubles(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;

	return a < b ? -1 : a > b;
}

static double measure(const struct image *image, const struct paths *paths, unsigned mask)
{
	static volatile unsigned sink;
	double rounds[ROUNDS];

	for (int round = 0; round < ROUNDS; round++) {
		double start = now_ns();
		unsigned at = 0, allowed = 0;

		for (int i = 0; i < DECISIONS; i++) {
			at = (at * 1664525 + 1013904223) & mask;
			allowed += decide_path(image, paths->text[at], paths->length[at], ACCESS_READ | ACCESS_WRITE)
					   .allowed;
		}
		sink = allowed;
		rounds[round] = (now_ns() - start) / DECISIONS;
	}
	(void)sink;
	qsort(rounds, ROUNDS, sizeof(rounds[0]), compare_doubles);
	return rounds[ROUNDS / 2];
}

static double measure_check(const struct image *image)
{
	double start = now_ns();

	if (image_check(image, image_length(image)) != 0)
		fail("image_check");
	return now_ns() - start;
}

int main(void)
{
	static const unsigned counts[] = {10, 1000, 100000};
	static struct paths paths;

	printf("ns per decision, path of %d components\n", COMPONENTS);
	printf("%8s %10s %12s %12s %14s %12s %12s\n", "rules", "one path", "many paths", "with globs", "image bytes",
	       "build ms", "check ms");
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		double build_ns, ignored, check_ns;
		struct image *plain = make_image(counts[i], false, &build_ns);
		struct image *globs = make_image(counts[i], true, &ignored);

		make_paths(&paths, counts[i]);
		check_ns = measure_check(plain);
		printf("%8u %10.0f %12.0f %12.0f %14zu %12.2f %12.2f\n", counts[i], measure(plain, &paths, 0),
		       measure(plain, &paths, PATHS - 1), measure(globs, &paths, PATHS - 1), image_length(plain),
		       build_ns / 1e6, check_ns / 1e6);
		free(plain);
		free(globs);
	}
	return 0;
}
