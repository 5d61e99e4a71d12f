/* SPDX-License-Identifier: MIT */
/* test_shim_names.c - names of a library, and files that have none. Which programs use them is shown by test_opens.sh. */
#include "shim_names.h"

#include <check.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* libc's own file */
static const char *libc(void)
{
	Dl_info info;
	void *function = dlsym(RTLD_DEFAULT, "getpid");

	ck_assert_ptr_nonnull(function);
	ck_assert_int_ne(dladdr(function, &info), 0);
	return info.dli_fname;
}

static bool has(const struct shim_names *names, const char *name)
{
	for (size_t i = 0; i < names->count; i++)
		if (strcmp(names->list[i], name) == 0)
			return true;
	return false;
}

START_TEST(the_names_of_a_library_are_those_it_has_in_order)
{
	struct shim_names names;

	ck_assert_int_eq(shim_names_read(&names, libc()), 0);
	ck_assert(has(&names, "open"));
	ck_assert(has(&names, "getpid"));
	ck_assert(!has(&names, "_dl_argv")); /* it asks the loader for that one */
	for (size_t i = 1; i < names.count; i++)
		ck_assert_int_le(strcmp(names.list[i - 1], names.list[i]), 0);
	shim_names_free(&names);
	ck_assert_uint_eq(names.count, 0);
}
END_TEST

static const struct {
	const char *path;
	int error;
} nameless[] = {
	{"/none", -ENOENT},
	{"/proc/self/status", -ENOEXEC},
	{"/dev/null", -ENOEXEC},
	{"/", -ENOEXEC},
};

START_TEST(what_is_no_library_has_none)
{
	struct shim_names names;

	ck_assert_int_eq(shim_names_read(&names, nameless[_i].path), nameless[_i].error);
	ck_assert_uint_eq(names.count, 0);
	shim_names_free(&names);
}
END_TEST

/* It needs more than libc, or nothing is known of it. */
START_TEST(whatever_is_not_certain_may_use_them)
{
	static const char *const files[] = {"/proc/self/exe", "/proc/self/status", "/dev/null"};
	char *list[] = {"no_program_calls_this"};
	const struct shim_names names = {list, 1};

	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		int fd = open(files[i], O_RDONLY);
		ck_assert_int_ge(fd, 0);
		ck_assert_msg(shim_names_used(&names, fd), "%s", files[i]);
		close(fd);
	}
	ck_assert(shim_names_used(&names, -1));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("shim_names");
	TCase *tests = tcase_create("shim_names");

	tcase_add_test(tests, the_names_of_a_library_are_those_it_has_in_order);
	tcase_add_loop_test(tests, what_is_no_library_has_none, 0, sizeof nameless / sizeof *nameless);
	tcase_add_test(tests, whatever_is_not_certain_may_use_them);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
