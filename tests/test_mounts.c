/* SPDX-License-Identifier: MIT */
/* test_mounts.c - what is mounted, from the kernel's lines and on this machine. */
#include "mounts.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "policy_help.h"

static const struct {
	const char *line;
	struct mount mount;
} lines[] = {
	{"36 35 0:25 / /dev/shm rw,nosuid,nodev shared:1 - tmpfs tmpfs rw,size=1024k\n",
	 {36, 0, true, true, "/", "/dev/shm", "tmpfs"}},
	{"40 35 0:25 /a\\040b /mnt/x\\134y\\011z ro,relatime - ext4 /dev/vda rw\n",
	 {40, 0, false, false, "/a b", "/mnt/x\\y\tz", "ext4"}},
	{"41 35 0:25 / / rwx,nodevice shared:1 master:2 - fuse.sshfs h: rw\n",
	 {41, 0, false, false, "/", "/", "fuse.sshfs"}},
};

START_TEST(a_line_says_what_is_where)
{
	char *line = strdup(lines[_i].line);
	struct mount mount;
	ck_assert(mounts_parse(line, &mount));
	ck_assert_int_eq(mount.id, lines[_i].mount.id);
	ck_assert_uint_eq(mount.device, makedev(0, 25));
	ck_assert_int_eq(mount.writable, lines[_i].mount.writable);
	ck_assert_int_eq(mount.no_devices, lines[_i].mount.no_devices);
	ck_assert_str_eq(mount.root, lines[_i].mount.root);
	ck_assert_str_eq(mount.point, lines[_i].mount.point);
	ck_assert_str_eq(mount.type, lines[_i].mount.type);
	free(line);
}
END_TEST

static const char *const others[] = {"",
				     "36 35 0:25 / /dev/shm rw",
				     "36 35 0:25 / - tmpfs",
				     "x 35 0:25 / /dev/shm rw - tmpfs tmpfs rw",
				     "36 35 0-25 / /dev/shm rw - tmpfs tmpfs rw",
				     "36 35 0:25 / /dev/shm rw - "};

START_TEST(what_is_no_such_line_is_none)
{
	char *line = strdup(others[_i]);
	struct mount mount;
	ck_assert(!mounts_parse(line, &mount));
	free(line);
}
END_TEST

START_TEST(the_machines_own_are_known_and_stay_the_same)
{
	const struct mount *list, *again;
	size_t count = mounts_all(&list);
	struct stat st;
	bool found = false;
	ck_assert_uint_gt(count, 0);
	ck_assert_int_eq(stat("/proc", &st), 0);
	for (size_t i = 0; i < count; i++)
		found |= strcmp(list[i].point, "/proc") == 0 && strcmp(list[i].type, "proc") == 0 &&
			 list[i].device == st.st_dev;
	ck_assert(found);
	ck_assert_uint_eq(mounts_all(&again), count);
	ck_assert_ptr_eq(list, again);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mounts");
	TCase *tcase = tcase_create("mounts");

	tcase_add_loop_test(tcase, a_line_says_what_is_where, 0, (int)(sizeof lines / sizeof lines[0]));
	tcase_add_loop_test(tcase, what_is_no_such_line_is_none, 0, (int)(sizeof others / sizeof others[0]));
	tcase_add_test(tcase, the_machines_own_are_known_and_stay_the_same);
	suite_add_tcase(suite, tcase);
	return help_run(suite);
}
