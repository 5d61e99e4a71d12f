/* SPDX-License-Identifier: MIT */
/* test_floor.c - under which policies Landlock is laid, and what the kernel keeps of strangers without it. */
#include "floor.h"

#include "guard.h"
#include "policy_help.h"

static const struct {
	const char *text, *narrower; /* a second policy, or NULL */
	bool wanted;
} policies[] = {
	{"profile = \"workstation\";", NULL, true},
	{"profile = \"strict\";", NULL, true},
	{"profile = \"none\";", NULL, true},
	{"filesystem: { read = ( \"/\" ); };", NULL, false},
	{"filesystem: { read = ( \"/proc\" ); };", NULL, false},
	{"profile = \"workstation\"; filesystem: { read = ( \"/proc\" ); };", NULL, true}, /* beaten by the profile's */
	/* what a rule opens by name has to open */
	{"profile = \"workstation\"; filesystem: { read = ( \"/proc/12345/environ\" ); };", NULL, false},
	{"profile = \"workstation\"; filesystem: { read = ( \"/proc/12345\" ); };", NULL, false},
	{"profile = \"workstation\"; filesystem: { read = ( \"/proc/*/environ\" ); };", NULL, false},
	{"profile = \"workstation\"; filesystem: { deny = ( \"/proc/12345/environ\" ); };", NULL, true},
	{"profile = \"workstation\"; filesystem: { read = ( \"/proc/self/environ\" ); };", NULL, true},
	{"profile = \"workstation\"; filesystem: { read = ( \"/procs/1/environ\" ); };", NULL, true},
	{"filesystem: { read = ( \"/\" ); };", "profile = \"workstation\";", true},
	{"filesystem: { read = ( \"/\" ); };", "filesystem: { read = ( \"/proc/1/environ\" ); };", false},
};
enum { POLICIES = sizeof policies / sizeof policies[0] };

START_TEST(it_is_laid_unless_the_policy_opens_what_it_would_keep)
{
	struct policy compiled[2] = {help_policy(help_source(), policies[_i].text)};
	struct guard guard = {.level = LEVEL_SECCOMP, .policies = {&compiled[0]}, .policy_count = 1};

	if (policies[_i].narrower) {
		compiled[1] = help_policy(help_source(), policies[_i].narrower);
		guard.policies[guard.policy_count++] = &compiled[1];
	}
	ck_assert_msg(floor_wanted(&guard) == policies[_i].wanted, "%s", policies[_i].text);
	guard.on_violation = ON_VIOLATION_AUDIT;
	ck_assert(!floor_wanted(&guard));
	guard.on_violation = ON_VIOLATION_DENY;
	guard.level = LEVEL_PRELOAD;
	ck_assert(!floor_wanted(&guard));
	for (unsigned i = 0; i < guard.policy_count; i++)
		policy_free(&compiled[i]);
}
END_TEST

START_TEST(the_kernel_keeps_memory_between_users_and_from_root)
{
	char own[64], open_to_all[64];

	snprintf(own, sizeof own, "/proc/%d/environ", (int)getpid());
	snprintf(open_to_all, sizeof open_to_all, "/proc/%d/cmdline", (int)getpid());
	ck_assert_int_eq(floor_of_kernel(own), geteuid() == 0);
	ck_assert(!floor_of_kernel(open_to_all));
	ck_assert(floor_of_kernel("/proc/1/environ") && !floor_of_kernel("/proc/1/cmdline"));
	ck_assert(floor_of_kernel("/proc/2147483647/environ")); /* nobody's */
	ck_assert(!floor_of_kernel("/etc/shadow") && !floor_of_kernel(""));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("floor");
	TCase *tests = tcase_create("floor");

	tcase_add_checked_fixture(tests, help_setup, help_teardown);
	tcase_add_loop_test(tests, it_is_laid_unless_the_policy_opens_what_it_would_keep, 0, POLICIES);
	tcase_add_test(tests, the_kernel_keeps_memory_between_users_and_from_root);
	suite_add_tcase(suite, tests);
	return help_run(suite);
}
