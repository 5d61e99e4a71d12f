/* SPDX-License-Identifier: MIT */
/*
 * test_image.c - building images, checking them, reading rules back; with
 * memory that runs out at every possible moment (the allocators are wrapped when this is linked, see Makefile).
 */
#include "image.h"

#include <errno.h>
#include <stdio.h>

#include "build_internal.h"
#include "decide.h"
#include "image_layout.h"
#include "make_image.h"

/* ---- running out of memory --------------------------------------------------------------------------- */

/* Which allocation from now on fails: 1 is the next, 0 none. */
static long failing;

static bool fails(void)
{
	return failing > 0 && --failing == 0;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	return fails() ? NULL : __real_realloc(old, size);
}

/* ---- a policy with some of everything ------------------------------------------------------------------- */

static const struct path_row everything[] = {
	{RULE_READ, LAYER_PROFILE, "/"},
	{RULE_WRITE, LAYER_FILE, "/home/u/project"},
	{RULE_READ_ONLY, LAYER_FILE, "/home/u/project/.git/config"},
	{RULE_DENY, LAYER_FILE, "/home/*/.config/**/*.key"},
	{RULE_HIDE, LAYER_COMMAND_LINE, "/home/u/a-directory-with-a-long-name"},
	{RULE_FORBID, LAYER_FILE, "/home/u/.ssh"},
	{RULE_EXEC_ALLOW, LAYER_PROFILE, "/usr/lib*/x*y"},
	{RULE_EXEC_DENY, LAYER_FILE, "/usr/bin/sudo"},
	{RULE_DENY, LAYER_FILE, "/home/u/*_history"},
	{0},
};

static const struct policy_limits some_limits = {
	.memory_bytes = 1,
	.cpu_time_ms = 2,
	.wall_time_ms = 3,
	.processes = 4,
	.open_files = 5,
	.output_bytes = 6,
	.write_bytes = 7,
	.cpu_weight = UINT64_MAX,
};

static int build_rows(struct build *build, const struct path_row *rows)
{
	for (; rows->target != NULL; rows++) {
		struct rule rule = row_rule(rows->key, rows->layer, rows->target);
		int index = build_path_rule(build, &rule);

		if (index < 0)
			return index;
	}
	return 0;
}

static int build_nets(struct build *build)
{
	struct rule rule = row_rule(RULE_CONNECT, LAYER_FILE, "10.0.0.0/8:443");
	struct rule env = row_rule(RULE_ENV_SET, LAYER_FILE, "/tmp");
	struct net_prefix prefix = {.family = AF_INET, .bits = 8, .tcp = true, .ports = {443, 443}};
	int index = build_net_rule(build, &rule), error = index;

	prefix.address.s6_addr[0] = 10;
	if (error >= 0)
		error = build_also_internet(build, index, &prefix);
	if (error >= 0)
		error = build_also_abstract(build, index, "bus*", 4);
	if (error >= 0)
		error = build_also_unix_path(build, index, "/run/*.sock");
	env.value = "HOME=/tmp";
	return error < 0 ? error : build_env_rule(build, &env);
}

/* Build all of it. 0 or the first error. */
static int build_everything(struct image **image, size_t *length)
{
	struct build *build = build_new();
	int error;

	if (build == NULL)
		return -ENOMEM;
	build_on_violation(build, ON_VIOLATION_KILL);
	build_limits(build, &some_limits);
	error = build_rows(build, everything);
	if (error >= 0)
		error = build_nets(build);
	if (error >= 0)
		error = build_finish(build, image, length);
	build_free(build);
	return error;
}

START_TEST(what_went_in_comes_out)
{
	struct image *image;
	size_t length;
	struct rule rule;

	ck_assert_int_eq(build_everything(&image, &length), 0);
	ck_assert_int_eq(image_check(image, length), 0);
	ck_assert_uint_eq(image_length(image), length);
	ck_assert_uint_eq(image_rule_count(image), 11);
	for (uint32_t i = 0; i < 9; i++) {
		rule = image_rule(image, i);
		ck_assert_int_eq(rule.key, everything[i].key);
		ck_assert_int_eq(rule.layer, everything[i].layer);
		ck_assert_str_eq(rule.source, "test.conf:1");
		ck_assert_str_eq(rule.value, everything[i].target);
		ck_assert_str_eq(rule.target, everything[i].target);
	}
	ck_assert_int_eq(image_rule(image, 9).key, RULE_CONNECT);
	ck_assert_str_eq(image_rule(image, 10).value, "HOME=/tmp");
	ck_assert_str_eq(image_rule(image, 10).target, "/tmp");
	ck_assert_int_eq(image_on_violation(image), ON_VIOLATION_KILL);
	ck_assert_uint_eq(image_limits(image).memory_bytes, 1);
	ck_assert_uint_eq(image_limits(image).cpu_weight, UINT64_MAX);
	free(image);
}
END_TEST

START_TEST(an_empty_policy_is_an_image_too)
{
	struct image *image = finish_image(build_new());

	ck_assert_uint_eq(image_rule_count(image), 0);
	ck_assert_int_eq(image_on_violation(image), ON_VIOLATION_DENY);
	ck_assert_uint_eq(image_limits(image).wall_time_ms, 0);
	ck_assert(!decide_path(image, "/", 1, ACCESS_READ).allowed);
	ck_assert(decide_path(image, "/", 1, ACCESS_LOOK).allowed);
	free(image);
}
END_TEST

START_TEST(a_rule_without_a_path_says_nothing)
{
	struct build *build = build_new();
	struct rule rule = {RULE_EXEC_ALLOW, LAYER_COMMAND_LINE, "command line", "()", ""};
	struct image *image;

	ck_assert_int_eq(build_path_rule(build, &rule), 0);
	rule.target = rule.value = rule.source = NULL;
	ck_assert_int_eq(build_path_rule(build, &rule), 1);
	image = finish_image(build);
	ck_assert_str_eq(image_rule(image, 0).value, "()");
	ck_assert_str_eq(image_rule(image, 0).target, "");
	ck_assert_str_eq(image_rule(image, 1).source, "");
	ck_assert(!decide_path(image, "/", 1, ACCESS_EXEC).allowed);
	free(image);
}
END_TEST

START_TEST(keys_have_names)
{
	ck_assert_str_eq(rule_key_name(RULE_READ), "filesystem.read");
	ck_assert_str_eq(rule_key_name(RULE_FORBID), "filesystem.forbid");
	ck_assert_str_eq(rule_key_name(RULE_EXEC_ALLOW), "exec.allow");
	ck_assert_str_eq(rule_key_name(RULE_BIND), "network.bind");
	ck_assert_str_eq(rule_key_name(RULE_ENV_SET), "environment.set");
	for (int key = 0; key < RULE_KEY_COUNT; key++)
		ck_assert_uint_ge(strlen(rule_key_name((enum rule_key)key)), 8);
	ck_assert_str_eq(rule_key_name(RULE_KEY_COUNT), "default");
}
END_TEST

START_TEST(the_same_rules_give_the_same_bytes)
{
	struct image *first, *second;
	size_t length, again;

	ck_assert_int_eq(build_everything(&first, &length), 0);
	ck_assert_int_eq(build_everything(&second, &again), 0);
	ck_assert_uint_eq(length, again);
	ck_assert_mem_eq(first, second, length);
	free(first);
	free(second);
}
END_TEST

START_TEST(a_build_can_go_on_after_it_finished)
{
	struct build *build = build_new();
	struct image *first, *second, *third;
	size_t length, again;
	struct rule rule = row_rule(RULE_WRITE, LAYER_FILE, "/more/*.x");

	ck_assert_int_eq(build_rows(build, everything), 0);
	ck_assert_int_eq(build_finish(build, &first, &length), 0);
	ck_assert_int_eq(build_finish(build, &second, &again), 0);
	ck_assert_uint_eq(length, again);
	ck_assert_mem_eq(first, second, length);
	ck_assert_int_eq(build_path_rule(build, &rule), 9);
	third = finish_image(build);
	ck_assert(!decide_path(first, "/more/a.x", 9, ACCESS_WRITE).allowed);
	ck_assert(decide_path(third, "/more/a.x", 9, ACCESS_WRITE).allowed);
	free(first);
	free(second);
	free(third);
}
END_TEST

START_TEST(malformed_patterns_change_nothing)
{
	static const char *const patterns[] = {"a",	"a/b",	"*",	"/a/",	  "//",	    "/a//b",  "/./a",
					       "/a/..", "/a/.", "/a**", "/**a/b", "/a/***", "/a/b**c"};
	struct build *build = build_new();
	struct rule rule = row_rule(RULE_READ, LAYER_FILE, "/good");
	static char longest[4098];
	struct image *image;

	ck_assert_int_eq(build_path_rule(build, &rule), 0);
	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		rule = row_rule(RULE_READ, LAYER_FILE, patterns[i]);
		ck_assert_msg(build_path_rule(build, &rule) == -EINVAL, "%s", patterns[i]);
		ck_assert_int_eq(build_also_path(build, 0, patterns[i]), -EINVAL);
	}
	memset(longest, 'x', 4096);
	longest[0] = '/';
	ck_assert_int_eq(build_also_path(build, 0, longest), -EINVAL);
	longest[4095] = '\0';
	ck_assert_int_eq(build_also_path(build, 0, longest), 0);
	ck_assert_int_eq(build_also_path(build, 0, ""), -EINVAL);
	ck_assert_int_eq(build_also_path(build, 1, "/x"), -EINVAL);
	ck_assert_int_eq(build_also_path(build, -1, "/x"), -EINVAL);
	rule = row_rule(RULE_CONNECT, LAYER_FILE, "/x");
	ck_assert_int_eq(build_path_rule(build, &rule), -EINVAL);
	ck_assert_int_eq(build_env_rule(build, &rule), -EINVAL);
	rule = row_rule(RULE_READ, (enum rule_layer)3, "/x");
	ck_assert_int_eq(build_path_rule(build, &rule), -EINVAL);
	image = finish_image(build);
	ck_assert_uint_eq(image_rule_count(image), 1);
	ck_assert(decide_path(image, "/good", 5, ACCESS_READ).allowed);
	free(image);
}
END_TEST

/* What no test has the memory to fill is said to be full. */
START_TEST(what_no_image_can_hold_is_too_big)
{
	struct build *build = build_new();
	struct rule rule = row_rule(RULE_READ, LAYER_FILE, "/x");
	struct image *image = NULL;
	size_t length, count;

	build->rules.count = IMAGE_MAX_RULES;
	ck_assert_int_eq(build_path_rule(build, &rule), -E2BIG);
	build->rules.count = 0;
	count = build->strings.count;
	build->strings.count = IMAGE_MAX_LENGTH;
	ck_assert_int_eq(build_path_rule(build, &rule), -E2BIG);
	build->strings.count = count;
	count = build->names.count;
	build->names.count = IMAGE_MAX_LENGTH;
	ck_assert_int_eq(build_path_rule(build, &rule), -E2BIG);
	ck_assert_int_eq(build_finish(build, &image, &length), -E2BIG);
	ck_assert_ptr_null(image);
	build->names.count = count;
	ck_assert_int_eq(build_path_rule(build, &rule), 0);
	free(finish_image(build));
	build_free(NULL);
}
END_TEST

START_TEST(every_allocation_may_fail)
{
	struct image *image = NULL;
	size_t length = 0;
	long nth = 0;
	int error;

	do {
		failing = ++nth;
		error = build_everything(&image, &length);
		/* Not used up: there are fewer allocations than that. */
		if (failing > 0)
			break;
		ck_assert_int_eq(error, -ENOMEM);
	} while (nth < 10000);
	failing = 0;
	ck_assert_int_eq(error, 0);
	ck_assert_int_gt(nth, 15);
	ck_assert_int_eq(image_check(image, length), 0);
	free(image);
}
END_TEST

/* What failed can be done again, and then the image is as if it never had. */
START_TEST(after_a_failed_allocation_the_build_is_whole)
{
	struct image *wanted = make_path_image(everything, false);

	for (long nth = 1; nth < 60; nth++) {
		struct build *build = build_new();
		struct image *image = NULL;
		size_t length;

		for (const struct path_row *row = everything; row->target != NULL; row++) {
			struct rule rule = row_rule(row->key, row->layer, row->target);
			int index;

			failing = row == &everything[nth % 9] ? nth / 9 + 1 : 0;
			index = build_path_rule(build, &rule);
			failing = 0;
			if (index < 0)
				index = build_path_rule(build, &rule);
			ck_assert_int_eq(index, (int)(row - everything));
		}
		failing = nth;
		if (build_finish(build, &image, &length) < 0)
			ck_assert_ptr_null(image);
		failing = 0;
		free(image);
		ck_assert_int_eq(build_finish(build, &image, &length), 0);
		ck_assert_int_eq(image_check(image, length), 0);
		ck_assert_uint_eq(image_rule_count(image), image_rule_count(wanted));
		ck_assert(!decide_path(image, "/home/u/.ssh/id", 15, ACCESS_READ).allowed);
		ck_assert(decide_path(image, "/home/u/project/f", 17, ACCESS_WRITE).allowed);
		free(image);
		build_free(build);
	}
	free(wanted);
}
END_TEST

/* ---- checking -------------------------------------------------------------------------------------------- */

START_TEST(every_flipped_bit_is_found)
{
	struct image *image;
	unsigned char *bytes;
	size_t length;

	ck_assert_int_eq(build_everything(&image, &length), 0);
	bytes = (unsigned char *)image;
	for (size_t i = 0; i < length; i++) {
		for (int bit = 0; bit < 8; bit++) {
			bytes[i] ^= (unsigned char)(1 << bit);
			ck_assert_msg(image_check(image, length) == -EINVAL, "byte %zu bit %d", i, bit);
			bytes[i] ^= (unsigned char)(1 << bit);
		}
		bytes[i] = (unsigned char)~bytes[i];
		ck_assert_int_eq(image_check(image, length), -EINVAL);
		bytes[i] = (unsigned char)~bytes[i];
	}
	ck_assert_int_eq(image_check(image, length), 0);
	free(image);
}
END_TEST

START_TEST(every_truncation_and_extension_is_found)
{
	struct image *image;
	char *copy;
	size_t length;

	ck_assert_int_eq(build_everything(&image, &length), 0);
	for (size_t shorter = 0; shorter < length; shorter++) {
		copy = malloc(shorter == 0 ? 1 : shorter);
		memcpy(copy, image, shorter);
		ck_assert_int_eq(image_check(copy, shorter), -EINVAL);
		free(copy);
	}
	copy = calloc(1, length + 4096);
	memcpy(copy, image, length);
	for (size_t more = 1; more <= 4096; more++)
		ck_assert_int_eq(image_check(copy, length + more), -EINVAL);
	ck_assert_int_eq(image_check(copy, length), 0);
	/* Not at an address where it can be read. */
	memmove(copy + 4, image, length);
	ck_assert_int_eq(image_check(copy + 4, length), -EINVAL);
	free(copy);
	free(image);
}
END_TEST

/* Each word of the image set to values that are outside, and the sum made right: refused, or harmless to decide by. */
START_TEST(what_is_altered_with_care_is_refused_or_harmless)
{
	static const uint32_t values[] = {0, 1, 63, 64, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff};
	static const char *const paths[] = {"/",
					    "/home/u/project/.git/config",
					    "/home/v/.config/a/b/c.key",
					    "/home/u/a-directory-with-a-long-name/x",
					    "/usr/lib64/xzy/b",
					    "/home/u/.bash_history",
					    "/run/a.sock"};
	struct image *image;
	uint32_t *words;
	size_t length;
	int refused = 0;

	ck_assert_int_eq(build_everything(&image, &length), 0);
	words = (uint32_t *)image;
	for (size_t i = 8; i < length / sizeof(*words); i++) {
		uint32_t saved = words[i];

		for (size_t v = 0; v < sizeof(values) / sizeof(values[0]); v++) {
			words[i] = values[v];
			image->checksum = image_checksum(image, length);
			if (image_check(image, length) != 0) {
				refused++;
				continue;
			}
			for (size_t p = 0; p < sizeof(paths) / sizeof(paths[0]); p++) {
				size_t size = strlen(paths[p]);

				decide_path(image, paths[p], size, ACCESS_READ | ACCESS_EXEC);
				decide_unix_path(image, NET_CONNECT, paths[p], size);
				decide_move(image, paths[p], size, "/home/u/project/x", 17, true);
			}
		}
		words[i] = saved;
	}
	ck_assert_int_gt(refused, 1000);
	image->checksum = image_checksum(image, length);
	ck_assert_int_eq(image_check(image, length), 0);
	free(image);
}
END_TEST

START_TEST(a_full_table_of_slots_is_refused)
{
	struct image *image;
	struct image_slot *slots;
	size_t length;

	ck_assert_int_eq(build_everything(&image, &length), 0);
	slots = (struct image_slot *)((char *)image + image->node_slots.offset);
	for (uint32_t i = 0; i < image->node_slots.count; i++)
		slots[i].index = 0;
	image->checksum = image_checksum(image, length);
	ck_assert_int_eq(image_check(image, length), -EINVAL);
	free(image);
}
END_TEST

/* ---- size -------------------------------------------------------------------------------------------------- */

START_TEST(a_hundred_thousand_rules)
{
	struct build *build = build_new();
	struct image *image;
	char path[64];

	for (int i = 0; i < 100000; i++) {
		struct rule rule;

		snprintf(path, sizeof(path), "/srv/%d/group%d/name%d", i % 7, i % 1000, i);
		rule = row_rule(i % 2 == 0 ? RULE_READ : RULE_WRITE, LAYER_FILE, path);
		ck_assert_int_eq(build_path_rule(build, &rule), i);
	}
	image = finish_image(build);
	ck_assert_uint_eq(image_rule_count(image), 100000);
	for (int i = 0; i < 100000; i += 37) {
		int length = snprintf(path, sizeof(path), "/srv/%d/group%d/name%d", i % 7, i % 1000, i);

		ck_assert_uint_eq(decide_path(image, path, (size_t)length, ACCESS_READ).rule, (uint32_t)i);
		ck_assert_uint_eq(decide_path(image, path, (size_t)length - 1, ACCESS_READ).rule == (uint32_t)i, false);
		ck_assert_str_eq(image_rule(image, (uint32_t)i).target, path);
	}
	free(image);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("image");
	TCase *build_case = tcase_create("build"), *check_case = tcase_create("check");
	SRunner *runner;
	int failed;

	tcase_add_test(build_case, what_went_in_comes_out);
	tcase_add_test(build_case, an_empty_policy_is_an_image_too);
	tcase_add_test(build_case, a_rule_without_a_path_says_nothing);
	tcase_add_test(build_case, keys_have_names);
	tcase_add_test(build_case, the_same_rules_give_the_same_bytes);
	tcase_add_test(build_case, a_build_can_go_on_after_it_finished);
	tcase_add_test(build_case, malformed_patterns_change_nothing);
	tcase_add_test(build_case, what_no_image_can_hold_is_too_big);
	tcase_add_test(build_case, every_allocation_may_fail);
	tcase_add_test(build_case, after_a_failed_allocation_the_build_is_whole);
	tcase_add_test(build_case, a_hundred_thousand_rules);
	tcase_add_test(check_case, every_flipped_bit_is_found);
	tcase_add_test(check_case, every_truncation_and_extension_is_found);
	tcase_add_test(check_case, what_is_altered_with_care_is_refused_or_harmless);
	tcase_add_test(check_case, a_full_table_of_slots_is_refused);
	tcase_set_timeout(build_case, 60);
	tcase_set_timeout(check_case, 60);
	suite_add_tcase(suite, build_case);
	suite_add_tcase(suite, check_case);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
