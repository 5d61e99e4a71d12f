/* SPDX-License-Identifier: MIT */
/*
 * sign_help.h - a directory of its own for each test of keys and signatures, and files in it.
 */
#ifndef PICKET_TESTS_SIGN_HELP_H
#define PICKET_TESTS_SIGN_HELP_H

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "sign.h"

/* SHA-256 of: print('hello') */
#define HELLO_HASH "96f43d529af3430cb6b0e2c02f6b38ef1a121e8a31d2d09a3ebb716f2f35c9de"

static char directory[64];
static struct complaint why;

static inline void setup(void)
{
	ck_assert_int_eq(sign_start(), 0);
	snprintf(directory, sizeof directory, "/tmp/test_sign.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	why.text[0] = '\0';
}

static inline void teardown(void)
{
	char command[128];

	snprintf(command, sizeof command, "rm -rf '%s'", directory);
	ck_assert_int_eq(system(command), 0);
}

/* A path in the scratch directory; good until the next four calls. */
static inline const char *in(const char *name)
{
	static char paths[4][128];
	static unsigned next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof paths[0], "%s/%s", directory, name);
	return path;
}

static inline const char *put(const char *name, const void *bytes, size_t length, mode_t mode)
{
	const char *path = in(name);
	cleanup_fd int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, bytes, length), (ssize_t)length);
	ck_assert_int_eq(fchmod(fd, mode), 0);
	return path;
}

#define add_rows(tcase, test, rows) tcase_add_loop_test(tcase, test, 0, (int)(sizeof(rows) / sizeof *(rows)))

static inline int run_suite(Suite *suite)
{
	SRunner *runner = srunner_create(suite);

	srunner_run_all(runner, CK_NORMAL);
	int failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
