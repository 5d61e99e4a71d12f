/* SPDX-License-Identifier: MIT */
/* test_register_rules.c - which numbers in registers are refused: the lists that the judge and the filter share. */
#include "register_rules.h"

#include <linux/fiemap.h>
#include <linux/fscrypt.h>
#include <linux/fs.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/personality.h>

#include "net.h"
#include "policy_help.h"

static const struct {
	uint32_t code;
	bool listed;
	enum ioctl_what what;
} requests[] = {
	{TIOCSTI, true, IOCTL_TYPES},
	{TIOCLINUX, true, IOCTL_TYPES},
	{FIOSETOWN, true, IOCTL_SIGNALS},
	{0x8902 /* SIOCSPGRP */, true, IOCTL_SIGNALS},
	{FIOASYNC, true, IOCTL_HEARS},
	{FIOCLEX, true, IOCTL_FLAGS_DESCRIPTOR},
	{FS_IOC_SETFLAGS, true, IOCTL_CHANGES},
	{FS_IOC_FSSETXATTR, true, IOCTL_CHANGES},
	{FS_IOC_SETVERSION, true, IOCTL_CHANGES},
	{FS_IOC_ADD_ENCRYPTION_KEY, true, IOCTL_REACHES},
	{FS_IOC_REMOVE_ENCRYPTION_KEY, true, IOCTL_REACHES},
	{FS_IOC_REMOVE_ENCRYPTION_KEY_ALL_USERS, true, IOCTL_REACHES},
	{FS_IOC_SET_ENCRYPTION_POLICY, true, IOCTL_CHANGES},
	{NET_INTERFACES_FIRST, true, IOCTL_INTERFACES},
	{NET_INTERFACES_FIRST - 1, false, 0},
	{NET_INTERFACES_LAST + 1, false, 0},
	/* what programs do all the time */
	{TCGETS, false, 0},
	{TCSETS, false, 0},
	{TCSETSW, false, 0},
	{TIOCGWINSZ, false, 0},
	{TIOCSWINSZ, false, 0},
	{TIOCGPGRP, false, 0},
	{TIOCSPGRP, false, 0},
	{TIOCSCTTY, false, 0},
	{FIONREAD, false, 0},
	{FIONBIO, false, 0},
	{FIONCLEX, false, 0},
	{FS_IOC_GETFLAGS, false, 0},
	{FS_IOC_FSGETXATTR, false, 0},
	{FICLONE, false, 0},
	{FICLONERANGE, false, 0},
	{FS_IOC_FIEMAP, false, 0},
	{BLKGETSIZE64, false, 0},
	{0, false, 0},
	{UINT32_MAX, false, 0},
};

START_TEST(a_request_is_listed_or_harmless)
{
	const struct ioctl_rule *rule = ioctl_rule(requests[_i].code);

	ck_assert_int_eq(rule != NULL, requests[_i].listed);
	if (rule)
		ck_assert(rule->code == requests[_i].code && rule->what == requests[_i].what);
}
END_TEST

START_TEST(each_request_about_interfaces_is_found)
{
	static const uint32_t about[] = {0x8912 /* SIOCGIFCONF */,  0x8927 /* SIOCGIFHWADDR */,
					 0x8946 /* SIOCETHTOOL */,  0x89f0 /* SIOCDEVPRIVATE */,
					 0x8b1b /* SIOCGIWESSID */, NET_INTERFACES_LAST};

	for (size_t i = 0; i < sizeof about / sizeof about[0]; i++)
		ck_assert(ioctl_rule(about[i]) && ioctl_rule(about[i])->what == IOCTL_INTERFACES);
}
END_TEST

START_TEST(each_request_is_listed_once_and_found)
{
	for (size_t i = 0; i < ioctl_rule_count; i++)
		ck_assert_ptr_eq(ioctl_rule(ioctl_rules[i].code), &ioctl_rules[i]);
}
END_TEST

START_TEST(every_namespace_is_refused_to_a_new_task)
{
	static const uint64_t refused[] = {CLONE_NEWNS,	 CLONE_NEWCGROUP, CLONE_NEWUTS,	  CLONE_NEWIPC, CLONE_NEWUSER,
					   CLONE_NEWPID, CLONE_NEWNET,	  CLONE_UNTRACED, CLONE_PTRACE};

	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
		ck_assert_uint_eq(refused[i] & CLONE_REFUSED_IN_REGISTER, refused[i]);
		ck_assert_uint_eq(refused[i] & CLONE_REFUSED, refused[i]);
	}
	ck_assert(CLONE_REFUSED & CLONE_NEWTIME);
	ck_assert(CLONE_REFUSED & UINT64_C(0x200000000)); /* CLONE_INTO_CGROUP */
}
END_TEST

START_TEST(an_ordinary_task_is_not_refused)
{
	static const uint64_t ordinary[] = {
		SIGCHLD,
		CLONE_VM | CLONE_VFORK | SIGCHLD, /* posix_spawn */
		CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_SETTLS |
			CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID,  /* pthread_create */
		CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD, /* fork */
		CLONE_PARENT | CLONE_IO | CLONE_DETACHED | CLONE_PIDFD,
		UINT64_C(0x100000000), /* CLONE_CLEAR_SIGHAND */
	};

	for (size_t i = 0; i < sizeof ordinary / sizeof ordinary[0]; i++)
		ck_assert_uint_eq(ordinary[i] & CLONE_REFUSED, 0);
	for (int signal = 0; signal <= 64; signal++) /* the exit signal lies among the flags */
		ck_assert_uint_eq((uint32_t)signal & CLONE_REFUSED_IN_REGISTER, 0);
}
END_TEST

START_TEST(only_linux_has_its_personality)
{
	static const uint32_t harmless[] = {PER_LINUX,		PER_LINUX32, ADDR_NO_RANDOMIZE,
					    ADDR_COMPAT_LAYOUT, UNAME26,     PER_LINUX32 | ADDR_LIMIT_3GB};

	for (size_t i = 0; i < sizeof harmless / sizeof harmless[0]; i++)
		ck_assert_uint_eq(harmless[i] & PERSONALITY_REFUSED, 0);
	for (uint32_t other = 0; other < 256; other++)
		ck_assert_int_eq((other & PERSONALITY_REFUSED) == 0, other == PER_LINUX || other == PER_LINUX32);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("register_rules");
	TCase *tests = tcase_create("register_rules");

	tcase_add_loop_test(tests, a_request_is_listed_or_harmless, 0, sizeof requests / sizeof requests[0]);
	tcase_add_test(tests, each_request_about_interfaces_is_found);
	tcase_add_test(tests, each_request_is_listed_once_and_found);
	tcase_add_test(tests, every_namespace_is_refused_to_a_new_task);
	tcase_add_test(tests, an_ordinary_task_is_not_refused);
	tcase_add_test(tests, only_linux_has_its_personality);
	suite_add_tcase(suite, tests);
	return help_run(suite);
}
