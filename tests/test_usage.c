/* SPDX-License-Identifier: MIT */
/*
 * test_usage.c - what one process uses, read from a child that uses a known amount; values of limits; a control group
 * that cannot be.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cgroup.h"
#include "limit_names.h"
#include "usage.h"

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))
#define MIB ((size_t)1 << 20)

/* A child that has done `work` and waits. */
static pid_t child_after(void (*work)(void))
{
	int done[2];
	char byte;

	ck_assert_int_eq(pipe(done), 0);
	pid_t pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		work();
		if (write(done[1], "", 1) == 1)
			for (;;)
				pause();
		_exit(1);
	}
	ck_assert_int_eq(read(done[0], &byte, 1), 1);
	close(done[0]);
	close(done[1]);
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* By the kernel: a sanitizer that sees memory mapped or written takes as much again, or twice, for its own notes. */
static void touch(int flags)
{
	if (syscall(SYS_mmap, NULL, 64 * MIB, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS | MAP_POPULATE, -1, 0) < 0)
		_exit(1);
}

static void touch_own(void)
{
	touch(MAP_PRIVATE);
}

static void touch_common(void)
{
	touch(MAP_SHARED);
}

static void reserve(void)
{
	mmap(NULL, 64 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
}

static void write_ten(void)
{
	char *bytes = calloc(1, 10 * MIB);
	int fd = open("/dev/null", O_WRONLY);

	if (write(fd, bytes, 10 * MIB) != (ssize_t)(10 * MIB))
		_exit(1);
}

static void use_processor(void)
{
	uint64_t now = 0;

	while (now < 50000000)
		usage_cpu(getpid(), &now);
}

static void handle(void)
{
	signal(SIGXCPU, _exit);
	signal(SIGCHLD, SIG_IGN);
}

static void hold_file(void)
{
	int fd = memfd_create("held", 0);

	if (ftruncate(fd, 100 * (off_t)MIB) < 0 || fallocate(fd, 0, 0, 16 * (off_t)MIB) < 0 || dup(fd) < 0)
		_exit(1);
}

static void nothing(void)
{
}

struct memory {
	uint64_t quick, exact, common;
};

static struct memory memory_after(void (*work)(void))
{
	pid_t pid = child_after(work);
	struct memory memory = {0};

	ck_assert_int_eq(usage_memory(pid, &memory.quick, &memory.common), 0);
	ck_assert_int_eq(usage_memory_share(pid, &memory.exact, &memory.common), 0);
	end(pid);
	return memory;
}

static const struct {
	void (*work)(void);
	uint64_t touched; /* MiB */
} memories[] = {
	{touch_own, 64},
	{touch_common, 64},
	{reserve, 0},
};

/* What a process has without any work is not of interest here, and more with a sanitizer. */
START_TEST(memory_is_what_was_touched)
{
	struct memory idle = memory_after(nothing), used = memory_after(memories[_i].work);
	uint64_t touched = memories[_i].touched * MIB;

	ck_assert_uint_ge(used.quick, touched);
	ck_assert_uint_lt(used.quick, idle.quick + touched + 2 * MIB);
	ck_assert_uint_ge(used.exact, touched);
	ck_assert_uint_lt(used.exact, idle.exact + touched + 2 * MIB);
	ck_assert_int_eq(used.common >= 64 * MIB, memories[_i].work == touch_common);
}
END_TEST

START_TEST(a_copy_and_its_original_share)
{
	touch_own(); /* before the fork: child and parent have it in common */
	pid_t pid = child_after(handle);
	uint64_t quick, exact, common;

	ck_assert_int_eq(usage_memory(pid, &quick, &common), 0);
	ck_assert_int_eq(usage_memory_share(pid, &exact, &common), 0);
	ck_assert_uint_ge(quick, 64 * MIB);
	ck_assert_uint_lt(exact, quick - 30 * MIB);
	end(pid);
}
END_TEST

START_TEST(processor_time_is_told_until_somebody_waits)
{
	pid_t pid = child_after(use_processor);
	uint64_t live, dead = 0;

	ck_assert_int_eq(usage_cpu(pid, &live), 0);
	ck_assert_uint_ge(live, 50000000);
	kill(pid, SIGKILL);
	siginfo_t info;
	ck_assert_int_eq(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	ck_assert_int_eq(usage_cpu(pid, &dead), 0);
	ck_assert_uint_ge(dead, live);
	struct usage_spent before = usage_children();
	waitpid(pid, NULL, 0);
	ck_assert_int_eq(usage_cpu(pid, &dead), -ESRCH);
	ck_assert_uint_ge(usage_children().cpu_ns - before.cpu_ns, 49000000);
}
END_TEST

START_TEST(bytes_of_children_are_not_the_supervisors)
{
	struct usage_io before, after, own;
	char byte[4096];

	ck_assert_int_eq(usage_open(), 0);
	ck_assert_int_eq(usage_children_io(&before), 0);
	int fd = open("/dev/zero", O_RDONLY);
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(read(fd, byte, sizeof byte), sizeof byte);
	close(fd);
	pid_t pid = child_after(write_ten);
	ck_assert_int_eq(usage_io(pid, &own), 0);
	ck_assert_uint_ge(own.written, 10 * MIB);
	end(pid);
	ck_assert_int_eq(usage_children_io(&after), 0);
	ck_assert_uint_ge(after.written - before.written, 10 * MIB);
	ck_assert_uint_lt(after.written - before.written, 10 * MIB + 4096);
	ck_assert_uint_lt(after.read - before.read, 65536);
}
END_TEST

START_TEST(signals_are_handled_ignored_or_neither)
{
	pid_t pid = child_after(handle);

	ck_assert_int_eq(usage_handles(pid, SIGXCPU), 1);
	ck_assert_int_eq(usage_handles(pid, SIGUSR1), 0);
	ck_assert_int_eq(usage_ignores(pid, SIGCHLD), 1);
	ck_assert_int_eq(usage_ignores(pid, SIGXCPU), 0);
	end(pid);
	ck_assert_int_eq(usage_handles(pid, SIGXCPU), -ESRCH);
}
END_TEST

static void handle_under_a_name(void)
{
	handle();
	prctl(PR_SET_NAME, ") S 1 2) 3");
}

START_TEST(whether_one_ignores_a_signal_is_asked_again_and_again)
{
	struct usage_kept kept = {0};
	pid_t one = child_after(handle_under_a_name), other = child_after(reserve);

	for (int i = 0; i < 2; i++) {
		ck_assert(usage_ignores_still(&kept, one, SIGCHLD));
		ck_assert(!usage_ignores_still(&kept, one, SIGXCPU));
		ck_assert(!usage_ignores_still(&kept, other, SIGCHLD));
	}
	ck_assert(usage_ignores_still(&kept, one, SIGCHLD));
	end(one);
	ck_assert(!usage_ignores_still(&kept, one, SIGCHLD));
	ck_assert_int_eq(kept.process, 0);
	end(other);
	usage_forget(&kept);
}
END_TEST

START_TEST(a_file_in_memory_counts_once_by_what_it_takes)
{
	pid_t one = child_after(hold_file);
	struct usage_files files = {0};

	usage_files_add(&files, one);
	usage_files_add(&files, one);
	ck_assert_uint_eq(files.bytes, 16 * MIB);
	usage_files_clear(&files);
	ck_assert_uint_eq(files.bytes, 0);
	end(one);
}
END_TEST

START_TEST(no_such_process)
{
	pid_t pid = child_after(handle);
	struct usage_io io;
	uint64_t a, b;

	end(pid);
	ck_assert_int_eq(usage_memory(pid, &a, &b), -ESRCH);
	ck_assert_int_eq(usage_memory_share(pid, &a, &b), -ESRCH);
	ck_assert_int_eq(usage_io(pid, &io), -ESRCH);
}
END_TEST

static const struct {
	enum limit_kind kind;
	const char *text;
	int result;
	uint64_t value;
} values[] = {
	{LIMIT_BYTES, "0", 0, 0},
	{LIMIT_BYTES, "1K", 0, 1024},
	{LIMIT_BYTES, "0.5K", 0, 512},
	{LIMIT_BYTES, "9223372036854775807", -ERANGE, 0},
	{LIMIT_BYTES, "8388607T", 0, UINT64_C(8388607) << 40},
	{LIMIT_BYTES, "8388608T", -ERANGE, 0},
	{LIMIT_BYTES, "1KB", -EINVAL, 0},
	{LIMIT_BYTES, "1 K", -EINVAL, 0},
	{LIMIT_BYTES, "", -EINVAL, 0},
	{LIMIT_BYTES, ".", -EINVAL, 0},
	{LIMIT_BYTES, "-1", -EINVAL, 0},
	{LIMIT_BYTES, "+1", -EINVAL, 0},
	{LIMIT_TIME, "1.25s", 0, 1250000000},
	{LIMIT_TIME, "1ms", 0, 1000000},
	{LIMIT_TIME, "2h", 0, UINT64_C(7200000000000)},
	{LIMIT_TIME, "1K", -EINVAL, 0},
	{LIMIT_COUNT, "12", 0, 12},
	{LIMIT_COUNT, "1.0", -EINVAL, 0},
	{LIMIT_COUNT, "1K", -EINVAL, 0},
};

START_TEST(a_value_is_read_or_refused)
{
	uint64_t value = 0;

	ck_assert_int_eq(limit_parse(values[_i].kind, values[_i].text, &value), values[_i].result);
	ck_assert_uint_eq(value, values[_i].value);
}
END_TEST

START_TEST(where_there_are_no_controllers_there_is_no_group)
{
	const struct policy_limits limits = {.memory_bytes = 1, .cpu_weight = 1}, none = {0};
	char directory[] = "/tmp/picket-test-XXXXXX";

	ck_assert_ptr_nonnull(mkdtemp(directory));
	ck_assert_ptr_null(cgroup_make_in(directory, &limits));
	ck_assert_int_eq(rmdir(directory), 0); /* nothing was left in it */
	ck_assert_ptr_null(cgroup_make_in("/nonexistent", &limits));
	ck_assert_ptr_null(cgroup_make(&none));
	cgroup_remove(NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("usage");
	TCase *one = tcase_create("one"), *limits = tcase_create("limits");

	tcase_set_timeout(one, 60);
	tcase_add_loop_test(one, memory_is_what_was_touched, 0, ROWS(memories));
	tcase_add_test(one, a_copy_and_its_original_share);
	tcase_add_test(one, processor_time_is_told_until_somebody_waits);
	tcase_add_test(one, bytes_of_children_are_not_the_supervisors);
	tcase_add_test(one, signals_are_handled_ignored_or_neither);
	tcase_add_test(one, whether_one_ignores_a_signal_is_asked_again_and_again);
	tcase_add_test(one, a_file_in_memory_counts_once_by_what_it_takes);
	tcase_add_test(one, no_such_process);
	tcase_add_loop_test(limits, a_value_is_read_or_refused, 0, ROWS(values));
	tcase_add_test(limits, where_there_are_no_controllers_there_is_no_group);
	suite_add_tcase(suite, one);
	suite_add_tcase(suite, limits);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
