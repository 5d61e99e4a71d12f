/* SPDX-License-Identifier: MIT */
/* test_always.c - names that no policy opens, and their neighbours that a policy may. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "always.h"
#include "syscalls.h"

static const struct {
	const char *name;
	unsigned access;
	bool refused;
} names[] = {
	{"/dev/mem", ACCESS_READ, true},
	{"/dev/mem", ACCESS_LOOK, false},
	{"/dev/memory", ACCESS_READ, false},
	{"/dev/me", ACCESS_READ, false},
	{"/dev/sg0", ACCESS_READ, true},
	{"/dev/sg17", ACCESS_WRITE, true},
	{"/dev/sg", ACCESS_WRITE, true},
	{"/dev/nvme0", ACCESS_WRITE, true},
	{"/dev/ng0n1", ACCESS_WRITE, true},
	{"/dev/cpu/0/msr", ACCESS_READ, true},
	{"/dev/input/event3", ACCESS_READ, true},
	{"/dev/inputs", ACCESS_READ, false},
	{"/dev/vcs", ACCESS_READ, true},
	{"/dev/vcsa1", ACCESS_READ, true},
	{"/dev/userfaultfd", ACCESS_READ, true},
	{"/dev/net/tun", ACCESS_WRITE, true},
	{"/dev/mapper/control", ACCESS_WRITE, true},
	{"/dev/mapper/root", ACCESS_WRITE, false}, /* a block device or a link to one: known by what it is */
	{"/dev/kvm", ACCESS_WRITE, false},
	{"/dev/null", ACCESS_WRITE, false},
	{"/dev/tty", ACCESS_WRITE, false},
	{"/dev/ttyUSB0", ACCESS_WRITE, false},
	{"/dev/pts/0", ACCESS_WRITE, false},
	{"/dev", ACCESS_WRITE, false},
	{"/dev/sg0/x", ACCESS_READ, true},
	{"/dev/sg*x", ACCESS_READ, true},
	{"/dev/vhost-vdpa-0", ACCESS_READ, true},
	{"/dev/vhost-vdpa", ACCESS_READ, false},
	{"/dev/mapper", ACCESS_READ, false},
	{"/dev/proc/kcore", ACCESS_READ, false},
	{"/proc/kmsg", ACCESS_READ, true},
	{"/home/u/dev/mem", ACCESS_WRITE, false},
	{"/proc/kcore", ACCESS_READ, true},
	{"/proc/sys/kernel/core_pattern", ACCESS_WRITE, true},
	{"/proc/sys/kernel/core_pattern", ACCESS_READ, false},
	{"/sys/kernel/uevent_helper", ACCESS_WRITE, true},
	{"/sys", ACCESS_READ, false},
	{"/system", ACCESS_WRITE, false},
};
enum { NAMES = sizeof names / sizeof *names };

START_TEST(a_name_is_refused_always_or_left_to_the_policy)
{
	ck_assert_msg(always_machine(names[_i].name, strlen(names[_i].name), names[_i].access) == names[_i].refused,
		      "%s", names[_i].name);
}
END_TEST

static const struct {
	const char *name;
	bool stranger, traced;
} entries[] = {
	{"/proc/1/environ", true, true},
	{"/proc/12345/maps", true, true},
	{"/proc/12345/map_files/1-2", true, true},
	{"/proc/12345/task/9/io", true, true},
	{"/proc/12345/task/9/stat", true, false},
	{"/proc/12345/task/9", true, false},
	{"/proc/12345/task", true, false},
	{"/proc/12345/cmdline", true, false},
	{"/proc/12345/status", true, false},
	{"/proc/12345/environs", true, false},
	{"/proc/12345/", true, false},
	{"/proc/12345", false, false},
	{"/proc/self/environ", false, false},
	{"/proc/0/environ", false, false},
	{"/proc/sys/environ", false, false},
	{"/x/12345/environ", false, false},
};
enum { ENTRIES = sizeof entries / sizeof *entries };

START_TEST(entries_of_strangers_are_known_by_their_names)
{
	const char *name = entries[_i].name;

	ck_assert_msg(always_stranger(name, strlen(name)) == entries[_i].stranger, "%s", name);
	ck_assert_msg(always_traced(name, strlen(name)) == entries[_i].traced, "%s", name);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("always");
	TCase *tcase = tcase_create("names");
	SRunner *runner = srunner_create(suite);

	tcase_add_loop_test(tcase, a_name_is_refused_always_or_left_to_the_policy, 0, NAMES);
	tcase_add_loop_test(tcase, entries_of_strangers_are_known_by_their_names, 0, ENTRIES);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
