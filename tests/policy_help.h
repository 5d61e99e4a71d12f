/* SPDX-License-Identifier: MIT */
/*
 * policy_help.h - what the tests of the policy compiler share: a directory of their own to stand in, and policies made
 * of text.
 */
#ifndef PICKET_TESTS_POLICY_HELP_H
#define PICKET_TESTS_POLICY_HELP_H

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compile.h"
#include "decide.h"

static char help_directory[] = "/tmp/picket-test-XXXXXX"; /* the current directory of each test */

static inline void help_setup(void)
{
	ck_assert_ptr_nonnull(mkdtemp(help_directory));
	ck_assert_int_eq(chmod(help_directory, 0755), 0);
	ck_assert_int_eq(chdir(help_directory), 0);
}

/* By fts(3), which goes into each directory: some tests make longer paths than the kernel takes at once. */
static inline void help_teardown(void)
{
	char *roots[] = {help_directory, NULL};
	FTSENT *entry;

	ck_assert_int_eq(chdir("/"), 0);
	FTS *walk = fts_open(roots, FTS_PHYSICAL, NULL);
	ck_assert_ptr_nonnull(walk);
	while ((entry = fts_read(walk)) != NULL)
		if (entry->fts_info != FTS_D)
			ck_assert_int_eq(remove(entry->fts_accpath), 0);
	ck_assert_int_eq(fts_close(walk), 0);
}

static inline void help_write(const char *name, const char *text, size_t length)
{
	FILE *file = fopen(name, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(text, 1, length, file), length);
	ck_assert_int_eq(fclose(file), 0);
}

/* Where every test's policy is compiled: nothing of it need be there. */
static inline struct policy_source help_source(void)
{
	return (struct policy_source){.workdir = "/w", .home = "/home/u", .tmpdir = "/t"};
}

/* Write `text` to policy.conf and compile it. The errors, one a line, malloc'ed; "" when there are none. */
static inline char *help_compile(struct policy_source *source, const char *text, struct policy *policy)
{
	struct policy_errors errors;
	char *all = calloc(1, 1);
	int result;

	if (text) {
		help_write("policy.conf", text, strlen(text));
		source->file = "policy.conf";
	}
	result = policy_compile(source, policy, &errors);
	ck_assert_int_eq(result, errors.count ? -EINVAL : 0);
	for (size_t i = 0; i < errors.count; i++) {
		all = realloc(all, strlen(all) + strlen(errors.list[i].text) + 2);
		strcat(strcat(all, i ? "\n" : ""), errors.list[i].text);
	}
	policy_errors_free(&errors);
	return all;
}

/* The same for a policy that is right. */
static inline struct policy help_policy(struct policy_source source, const char *text)
{
	struct policy policy;
	char *errors = help_compile(&source, text, &policy);

	ck_assert_str_eq(errors, "");
	free(errors);
	return policy;
}

static inline bool help_allows(const struct policy *policy, unsigned access, const char *path)
{
	return decide_path(policy->image, path, strlen(path), access).allowed;
}

static inline int help_run(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failed;

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
