/* SPDX-License-Identifier: MIT */
/*
 * test_probe.c - what is found on a machine that refuses, and which level is
 * chosen from what was found. Refusing is done by a seccomp filter over the test.
 */
#include "probe.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <linux/filter.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"
#include "notify_kernel.h"

/* LeakSanitizer works by ptrace, which these tests refuse to the whole process. */
const char *__lsan_default_options(void);
const char *__lsan_default_options(void)
{
	return "detect_leaks=0";
}

/* From now on this call is refused in this way, here and in all children. */
static void refuse(int call, uint32_t action)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, action),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = 4, .filter = code};
	ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	ck_assert_int_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

#define ERRNO(error) (SECCOMP_RET_ERRNO | (error))

static const struct {
	int call;
	uint32_t action;
	bool ptrace, seccomp; /* what is left */
	const char *why;      /* of the lowest that is missing, or of gate: a part of it */
} refusals[] = {
	{SYS_ptrace, ERRNO(EPERM), false, false, "PTRACE_SEIZE: Operation not permitted"},
	{SYS_ptrace, ERRNO(ENOSYS), false, false, "PTRACE_SEIZE: Function not implemented"},
	{SYS_ptrace, SECCOMP_RET_KILL_PROCESS, false, false, "ended by SIGSYS"},
	{SYS_process_vm_readv, ERRNO(EPERM), false, false, "process_vm_readv: Operation not permitted"},
	{SYS_process_vm_writev, ERRNO(EPERM), false, false, "process_vm_writev: Operation not permitted"},
	{SYS_openat2, ERRNO(ENOSYS), true, true, "there is no openat2 (Linux 5.6)"},
	{SYS_readlink, ERRNO(ENOENT), false, false, "/proc"},
	{SYS_seccomp, ERRNO(EPERM), true, false, "installing a seccomp filter: Operation not permitted"},
	{SYS_seccomp, ERRNO(ENOSYS), true, false, "installing a seccomp filter: Function not implemented"},
	{SYS_seccomp, SECCOMP_RET_KILL_PROCESS, true, false, "ended by SIGSYS"},
	{SYS_ioctl, ERRNO(EPERM), true, true, ""},
};

/* Nothing that was started is left, not even as a zombie. */
static void assert_no_children(void)
{
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG | __WALL), -1);
	ck_assert_int_eq(errno, ECHILD);
}

static int open_descriptors(void)
{
	int count = 0;
	cleanup_dir DIR *dir = opendir("/proc/self/fd");
	while (readdir(dir) != NULL)
		count++;
	return count;
}

static void check_refusal(const struct probe *probe, int row)
{
	const struct probe_finding *ptrace = &probe->level[LEVEL_PTRACE], *seccomp = &probe->level[LEVEL_SECCOMP];
	const struct probe_finding *gate = &probe->level[LEVEL_GATE];
	const struct probe_finding *missing = !ptrace->available ? ptrace : !seccomp->available ? seccomp : gate;
	ck_assert_int_eq(ptrace->available, refusals[row].ptrace);
	ck_assert_int_eq(seccomp->available, refusals[row].seccomp);
	ck_assert_msg(strstr(missing->why, refusals[row].why) != NULL, "%s", missing->why);
	if (missing != gate || refusals[row].why[0])
		ck_assert_int_eq(missing->available, missing->why[0] == '\0');
}

/* As a run does that may take any level. */
static void probe_all_levels(struct probe *probe)
{
	struct probing probing;

	probing_begin(&probing, &(struct level_wish){0});
	probing_end(&probing, probe);
}

START_TEST(what_is_refused_is_missing_with_its_reason)
{
	struct probe all, some;
	int before = open_descriptors();
	refuse(refusals[_i].call, refusals[_i].action);
	probe_machine(&all);
	check_refusal(&all, _i);
	probe_all_levels(&some);
	check_refusal(&some, _i);
	assert_no_children();
	ck_assert_int_eq(open_descriptors(), before);
}
END_TEST

/* A call that is handed to a listener who never answers. */
START_TEST(a_try_that_hangs_is_ended_and_missing)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = 4, .filter = code};
	struct probe probe;
	ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	ck_assert_int_ge(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program), 0);
	probe_machine(&probe);
	ck_assert_str_eq(probe.feature[FEATURE_OPENAT2].why, "a try did not come to an end");
	ck_assert(!probe.level[LEVEL_GATE].available);
	ck_assert(probe.level[LEVEL_SECCOMP].available); /* the others were tried all the same */
	assert_no_children();
}
END_TEST

START_TEST(a_run_at_one_level_tries_only_what_that_level_needs)
{
	struct probing probing;
	struct probe probe;
	refuse(SYS_ioctl, ERRNO(EPERM));
	probing_begin(&probing, &(struct level_wish){.exactly = true, .enforce = LEVEL_SECCOMP});
	probing_end(&probing, &probe);
	ck_assert(probe.level[LEVEL_SECCOMP].available);
	ck_assert_str_eq(probe.feature[FEATURE_NOTIFY].why, "");
	/* the control: all levels need more */
	probing_begin(&probing, &(struct level_wish){0});
	probing_end(&probing, &probe);
	ck_assert_str_ne(probe.feature[FEATURE_NOTIFY].why, "");
	assert_no_children();
}
END_TEST

START_TEST(a_try_that_nobody_waits_for_leaves_nothing)
{
	struct probing probing;
	int before = open_descriptors();
	probing_begin(&probing, &(struct level_wish){0});
	ck_assert_int_eq(open_descriptors(), before + 1);
	probing_abandon(&probing);
	probing_abandon(&probing);
	assert_no_children();
	ck_assert_int_eq(open_descriptors(), before);
}
END_TEST

/* Where orphans come to somebody who waits for none, they would pile up. */
START_TEST(tries_leave_no_orphans)
{
	static const int missing[] = {-1, SYS_process_vm_readv, SYS_ptrace, SYS_ioctl, SYS_pidfd_getfd};
	struct probing probing;
	struct probe probe;

	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
	if (missing[_i] >= 0)
		refuse(missing[_i], ERRNO(EPERM));
	probe_machine(&probe);
	assert_no_children();
	probe_all_levels(&probe);
	assert_no_children();
	probing_begin(&probing, &(struct level_wish){0});
	probing_abandon(&probing);
	assert_no_children();
}
END_TEST

START_TEST(a_refused_fork_is_a_reason_too)
{
	struct probe probe;
	refuse(SYS_clone, ERRNO(EAGAIN));
	refuse(SYS_fork, ERRNO(EAGAIN));
	probe_machine(&probe);
	ck_assert(!probe.level[LEVEL_PTRACE].available);
	ck_assert_str_eq(probe.level[LEVEL_PTRACE].why, "starting a process: Resource temporarily unavailable");
}
END_TEST

START_TEST(notification_can_be_missing_alone)
{
	struct probe probe;
	refuse(SYS_ioctl, ERRNO(EPERM));
	probe_machine(&probe);
	ck_assert(!probe.feature[FEATURE_NOTIFY].available);
	ck_assert_str_eq(probe.feature[FEATURE_NOTIFY].why, "SECCOMP_IOCTL_NOTIF_RECV: Operation not permitted");
}
END_TEST

/* Which levels are there (bit 1 << level), what was wished, what comes of it. */
static const struct {
	unsigned there;
	int enforce, require; /* or -1 */
	int chosen;	      /* or -1 */
	const char *why;
} choices[] = {
	{0x06, -1, -1, LEVEL_SECCOMP, "gate: because"},
	{0x02, -1, -1, LEVEL_PTRACE, "seccomp: because"},
	{0x1f, -1, -1, LEVEL_GATE, ""},
	{0x1f, LEVEL_GATE, -1, LEVEL_GATE, ""},
	{0x06, LEVEL_PTRACE, -1, LEVEL_PTRACE, "asked for with --enforce"},
	{0x06, LEVEL_PTRACE, LEVEL_PTRACE, LEVEL_PTRACE, "asked for with --enforce"},
	{0x06, -1, LEVEL_PTRACE, LEVEL_SECCOMP, "gate: because"},
	{0x06, -1, LEVEL_SECCOMP, LEVEL_SECCOMP, "gate: because"},
	{0x12, -1, LEVEL_SECCOMP, LEVEL_GATE, ""},
	{0x02, -1, LEVEL_SECCOMP, -1, "level seccomp is not available: because"},
	{0x02, LEVEL_SECCOMP, -1, -1, "level seccomp is not available: because"},
	{0x06, LEVEL_NOTIFY, -1, -1, "level notify is not available: because"},
	{0x06, -1, LEVEL_NOTIFY, -1, "level notify is not available: because"},
	{0x00, -1, -1, -1, "level ptrace is not available: because"},
	{0x01, -1, -1, LEVEL_PRELOAD, "ptrace: because"},
};

START_TEST(the_highest_level_that_fits_is_chosen)
{
	struct probe probe = {0};
	enum level chosen = LEVEL_PRELOAD;
	char why[PROBE_WHY_SIZE + 64];
	struct level_wish wish = {choices[_i].enforce >= 0, (enum level)(choices[_i].enforce & 7),
				  choices[_i].require >= 0, (enum level)(choices[_i].require & 7)};
	for (unsigned i = 0; i < LEVEL_COUNT; i++) {
		probe.level[i].available = (choices[_i].there >> i & 1) != 0;
		strcpy(probe.level[i].why, probe.level[i].available ? "" : "because");
	}
	int error = level_choose(&probe, &wish, &chosen, why);
	ck_assert_int_eq(error, choices[_i].chosen < 0 ? -EOPNOTSUPP : 0);
	if (error == 0)
		ck_assert_int_eq((int)chosen, choices[_i].chosen);
	ck_assert_str_eq(why, choices[_i].why);
}
END_TEST

START_TEST(the_report_is_json_and_says_what_is_enforced)
{
	static const char *const flags[] = {"filesystem_isolation", "network_isolation", "process_isolation",
					    "resource_limits", "syscall_filtering"};
	struct probe probe = {0};
	probe.level[LEVEL_PTRACE].available = _i > 0;
	cleanup_free char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);
	ck_assert_int_eq(probe_print(&probe, to, true), 0);
	fclose(to);
	json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	ck_assert_ptr_nonnull(json);
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		ck_assert_int_eq(json_is_true(json_object_get(json, flags[i])), _i > 0);
	ck_assert(json_is_false(json_object_get(json, "persistent_sandboxes")));
	ck_assert(json_is_false(json_object_get(json, "snapshots")));
	ck_assert_str_eq(json_string_value(json_object_get(json, "name")), "picket");
	ck_assert_int_gt(json_integer_value(json_object_get(json, "max_concurrent_sandboxes")), 0);
	ck_assert_uint_eq(json_array_size(json_object_get(json, "available_profiles")), 4);
	ck_assert(json_is_array(json_object_get(json, "platform_features")));
	ck_assert_uint_eq(json_array_size(json_object_get(json, "levels")), LEVEL_COUNT);
	json_decref(json);
}
END_TEST

START_TEST(a_full_disk_is_reported)
{
	struct probe probe = {0};
	FILE *full = fopen("/dev/full", "w");
	setvbuf(full, NULL, _IONBF, 0);
	ck_assert_int_eq(probe_print(&probe, full, _i > 0), -EIO);
	fclose(full);
}
END_TEST

START_TEST(levels_have_names)
{
	enum level level;
	for (unsigned i = 0; i < LEVEL_COUNT; i++) {
		ck_assert_int_eq(level_by_name(level_name((enum level)i), &level), 0);
		ck_assert_uint_eq(level, i);
	}
	ck_assert_int_eq(level_by_name("auto", &level), -EINVAL);
	ck_assert_int_eq(level_by_name("", &level), -EINVAL);
}
END_TEST

/* As before Linux 5.19: the flag is not known. */
START_TEST(without_killable_waits_level_notify_is_missing)
{
	struct probe before, probe;
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_seccomp, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, ERRNO(EINVAL)),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = 6, .filter = code};
	probe_all_levels(&before);
	ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	ck_assert_int_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
	probe_all_levels(&probe);
	ck_assert_int_eq(probe.level[LEVEL_SECCOMP].available, before.level[LEVEL_SECCOMP].available);
	ck_assert(!probe.level[LEVEL_NOTIFY].available);
	if (before.level[LEVEL_NOTIFY].available)
		ck_assert_ptr_nonnull(strstr(probe.level[LEVEL_NOTIFY].why, "WAIT_KILLABLE_RECV (Linux 5.19)"));
	assert_no_children();
}
END_TEST

#define ROWS(array) (int)(sizeof(array) / sizeof((array)[0]))

int main(void)
{
	Suite *suite = suite_create("probe");
	TCase *probe = tcase_create("probe"), *choose = tcase_create("choose");
	tcase_set_timeout(probe, 60); /* what hangs takes seconds */
	tcase_add_loop_test(probe, what_is_refused_is_missing_with_its_reason, 0, ROWS(refusals));
	tcase_add_test(probe, a_try_that_hangs_is_ended_and_missing);
	tcase_add_test(probe, a_run_at_one_level_tries_only_what_that_level_needs);
	tcase_add_test(probe, a_try_that_nobody_waits_for_leaves_nothing);
	tcase_add_loop_test(probe, tries_leave_no_orphans, 0, 5);
	tcase_add_test(probe, a_refused_fork_is_a_reason_too);
	tcase_add_test(probe, notification_can_be_missing_alone);
	tcase_add_test(probe, without_killable_waits_level_notify_is_missing);
	suite_add_tcase(suite, probe);
	tcase_add_loop_test(choose, the_highest_level_that_fits_is_chosen, 0, ROWS(choices));
	tcase_add_loop_test(choose, the_report_is_json_and_says_what_is_enforced, 0, 2);
	tcase_add_loop_test(choose, a_full_disk_is_reported, 0, 2);
	tcase_add_test(choose, levels_have_names);
	suite_add_tcase(suite, choose);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
