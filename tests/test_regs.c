/* SPDX-License-Identifier: MIT */
/* test_regs.c - a stopped thread's registers as a system call, on real calls of a traced child. */
#include "regs.h"

#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>

#include "policy_help.h"
#include "traced.h"

enum { X32 = 0x40000000, ODD_NUMBER = 400 };
#define ARGS 0x1111, 0x2222222222222222, 0xfffffffffffffffd, 0x4444, 0x5555, 0x6666

static pid_t child;

static void teardown(void)
{
	if (child > 0)
		traced_end(child);
}

/* On to the next start or end of a call; the status. */
static int to_call(void)
{
	ck_assert_int_eq(ptrace(PTRACE_SYSCALL, child, NULL, NULL), 0);
	int status = traced_wait(child);
	ck_assert_msg(WIFSTOPPED(status) && WSTOPSIG(status) == TRACED_CALL_STOP, "%#x", status);
	return status;
}

/* On to the start of a call of this number. */
static struct call_stop to_start_of(long number)
{
	struct call_stop stop;

	do {
		to_call();
		ck_assert_int_eq(regs_call(child, &stop), 0);
	} while (stop.exit || stop.number != number);
	return stop;
}

static int64_t to_end(void)
{
	struct call_stop stop;

	to_call();
	ck_assert_int_eq(regs_call(child, &stop), 0);
	ck_assert(stop.exit);
	return stop.result;
}

static int exit_status(void)
{
	ck_assert_int_eq(ptrace(PTRACE_CONT, child, NULL, NULL), 0);
	int status = traced_wait(child);
	child = 0;
	ck_assert_msg(WIFEXITED(status), "%#x", status);
	return WEXITSTATUS(status);
}

/* ---- what a call is ----------------------------------------------------- */

static void odd_call(void)
{
	syscall(ODD_NUMBER, ARGS);
}

START_TEST(number_and_arguments_are_the_calls)
{
	const uint64_t expected[CALL_ARG_COUNT] = {ARGS};

	child = traced_before(odd_call, 0);
	struct call_stop stop = to_start_of(ODD_NUMBER);
	ck_assert(memcmp(stop.args, expected, sizeof expected) == 0);
	ck_assert(!stop.foreign && !stop.x32 && !stop.exit);
	ck_assert_uint_ne(stop.ip, 0);
	ck_assert_uint_ne(stop.sp, 0);
	ck_assert_int_eq(to_end(), -ENOSYS);
}
END_TEST

static const struct {
	long call;
	bool x32;
	int64_t result; /* of the kernel; 1: whatever */
} numbers[] = {
	{SYS_getpid, false, 1}, {X32 | SYS_getpid, true, 1}, {X32 | 512, true, 1},	 {511, false, -ENOSYS},
	{-1, false, -ENOSYS},	{-2, false, -ENOSYS},	     {INT32_MAX, true, -ENOSYS},
};
static long which;

static void call_which(void)
{
	syscall(which);
}

START_TEST(the_number_tells_x32_from_the_rest)
{
	which = numbers[_i].call;
	child = traced_before(call_which, 0);
	struct call_stop stop = to_start_of((int)which);
	ck_assert_int_eq(stop.x32, numbers[_i].x32);
	ck_assert(!stop.foreign);
	int64_t result = to_end();
	if (numbers[_i].result <= 0)
		ck_assert_int_eq(result, numbers[_i].result);
}
END_TEST

/* getpid by the 32-bit table. A kernel without 32-bit calls sends SIGSEGV. */
static void call_32_bit(void)
{
	long result = 20;

	__asm__ volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
	(void)result;
}

START_TEST(a_32_bit_call_is_foreign)
{
	struct call_stop stop;
	int status;

	child = traced_before(call_32_bit, 0);
	do {
		ck_assert_int_eq(ptrace(PTRACE_SYSCALL, child, NULL, NULL), 0);
		status = traced_wait(child);
		if (WIFSTOPPED(status) && WSTOPSIG(status) == SIGSEGV)
			return;
		ck_assert_msg(WIFSTOPPED(status) && WSTOPSIG(status) == TRACED_CALL_STOP, "%#x", status);
		ck_assert_int_eq(regs_call(child, &stop), 0);
	} while (!stop.foreign);
	ck_assert_int_eq(stop.number, 20);
}
END_TEST

static void nothing(void)
{
}

START_TEST(a_task_that_is_at_no_call_or_gone_is_told_apart)
{
	struct call_stop stop;
	struct user_regs_struct regs;

	child = traced_after(nothing, 0);
	ck_assert_int_eq(regs_call(child, &stop), -EINVAL);
	ck_assert_int_eq(regs_get(child, &regs), 0);
	traced_end(child);
	ck_assert_int_eq(regs_call(child, &stop), -ESRCH);
	ck_assert_int_eq(regs_get(child, &regs), -ESRCH);
	ck_assert_int_eq(regs_set(child, &regs), -ESRCH);
	child = 0;
}
END_TEST

/* ---- changing it -------------------------------------------------------- */

static void exit_with_result_of_getppid(void)
{
	_exit((int)syscall(SYS_getppid) == 77 ? 0 : 1);
}

START_TEST(a_call_can_be_made_another)
{
	const uint64_t args[CALL_ARG_COUNT] = {(uint64_t)AT_FDCWD, 0, O_RDONLY, 4, 5, 6};
	struct user_regs_struct regs, back;

	child = traced_before(exit_with_result_of_getppid, 0);
	to_start_of(SYS_getppid);
	ck_assert_int_eq(regs_get(child, &regs), 0);
	back = regs;
	regs_call_set(&regs, SYS_openat, args);
	ck_assert_int_eq(regs_set(child, &regs), 0);
	ck_assert_int_eq(to_end(), -EFAULT); /* of openat */
	regs = back;
	regs_result(&regs, 77);
	ck_assert_int_eq(regs_set(child, &regs), 0);
	ck_assert_int_eq(exit_status(), 0);
}
END_TEST

/* At the end of a call without seccomp the kernel has put -ENOSYS over the result of one that was skipped. */
START_TEST(a_call_can_be_skipped)
{
	struct user_regs_struct regs;

	child = traced_before(exit_with_result_of_getppid, 0);
	to_start_of(SYS_getppid);
	ck_assert_int_eq(regs_skip(child, 77), 0);
	to_end();
	ck_assert_int_eq(regs_get(child, &regs), 0);
	regs_result(&regs, 77);
	ck_assert_int_eq(regs_set(child, &regs), 0);
	ck_assert_int_eq(exit_status(), 0);
}
END_TEST

/* Every register that the C library may rely on is as it was. */
START_TEST(a_call_can_be_made_again_after_another)
{
	const uint64_t args[CALL_ARG_COUNT] = {1, 2, 3, 4, 5, 6}, expected[CALL_ARG_COUNT] = {ARGS};
	struct user_regs_struct regs, original, now;

	child = traced_before(odd_call, 0);
	to_start_of(ODD_NUMBER);
	ck_assert_int_eq(regs_get(child, &original), 0);
	regs = original;
	regs_call_set(&regs, SYS_getpid, args);
	ck_assert_int_eq(regs_set(child, &regs), 0);
	ck_assert_int_eq(to_end(), child);
	regs_again(&regs, &original);
	ck_assert_int_eq(regs_set(child, &regs), 0);
	struct call_stop stop = to_start_of(ODD_NUMBER);
	ck_assert(memcmp(stop.args, expected, sizeof expected) == 0);
	ck_assert_int_eq(regs_get(child, &now), 0);
	ck_assert(memcmp(&now, &original, sizeof now) == 0);
	ck_assert_int_eq(to_end(), -ENOSYS);
	ck_assert_int_eq(exit_status(), 0);
}
END_TEST

/* ---- a call of our own after an exec ------------------------------------- */

static void run_a_program(void)
{
	execl("/bin/sh", "sh", "-c", "exit 7", (char *)NULL);
}

/* The registers of a new program before its first instruction: at the end of the exec's call. */
static struct user_regs_struct to_exec(void)
{
	struct user_regs_struct regs;

	child = traced_before(run_a_program, PTRACE_O_TRACEEXEC);
	ck_assert_int_eq(ptrace(PTRACE_CONT, child, NULL, NULL), 0);
	int status = traced_wait(child);
	ck_assert_int_eq(status >> 8, SIGTRAP | PTRACE_EVENT_EXEC << 8);
	ck_assert_int_eq(to_end(), 0);
	ck_assert_int_eq(regs_get(child, &regs), 0);
	return regs;
}

/* `syscall`, and the end of a function behind it; what was there. */
static long put_syscall(uint64_t address)
{
	const unsigned char code[sizeof(long)] = {0x0f, 0x05, 0xc9, 0xc3, 0x90, 0x90, 0x90, 0x90};
	long before, words;

	errno = 0;
	before = ptrace(PTRACE_PEEKTEXT, child, address, NULL);
	ck_assert_int_eq(errno, 0);
	memcpy(&words, code, sizeof words);
	ck_assert_int_eq(ptrace(PTRACE_POKETEXT, child, address, words), 0);
	return before;
}

enum { SOMEWHERE = 64, TO_THE_NEXT = 3 }; /* bytes: behind the program's entry; `syscall` and `leave` */

START_TEST(a_new_program_makes_a_call_of_ours_first_and_notices_nothing)
{
	const uint64_t expected[CALL_ARG_COUNT] = {ARGS};
	struct user_regs_struct before = to_exec(), now;
	uint64_t address = before.rip + SOMEWHERE;
	long code = put_syscall(address);

	ck_assert_int_eq(regs_call_at(child, &before, address, ODD_NUMBER, expected), 0);
	ck_assert_int_eq(regs_get(child, &now), 0);
	ck_assert_int_eq((long long)now.orig_rax, -1); /* in no call that the kernel could make again */
	to_call();
	struct call_stop stop;
	ck_assert_int_eq(regs_call(child, &stop), 0);
	ck_assert(!stop.exit && stop.number == ODD_NUMBER);
	ck_assert(memcmp(stop.args, expected, sizeof expected) == 0);
	ck_assert_uint_eq(stop.ip, address + 2);
	ck_assert_int_eq(to_end(), -ENOSYS);
	ck_assert_int_eq(ptrace(PTRACE_CONT, child, NULL, NULL), 0);
	int status = traced_wait(child);
	ck_assert_msg(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP, "%#x", status);
	ck_assert_int_eq(regs_get(child, &now), 0);
	ck_assert_int_eq(regs_called(&now), -ENOSYS);
	ck_assert(now.rip >= address + 2 && now.rip <= address + TO_THE_NEXT);
	ck_assert_int_eq(ptrace(PTRACE_POKETEXT, child, address, code), 0);
	ck_assert_int_eq(regs_set(child, &before), 0);
	ck_assert_int_eq(exit_status(), 7);
}
END_TEST

START_TEST(the_result_of_that_call_is_the_kernels)
{
	const uint64_t none[CALL_ARG_COUNT] = {0};
	struct user_regs_struct before = to_exec(), now;

	put_syscall(before.rip);
	ck_assert_int_eq(regs_call_at(child, &before, before.rip, SYS_getppid, none), 0);
	ck_assert_int_eq(ptrace(PTRACE_CONT, child, NULL, NULL), 0);
	int status = traced_wait(child);
	ck_assert_msg(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP, "%#x", status);
	ck_assert_int_eq(regs_get(child, &now), 0);
	ck_assert_int_eq(regs_called(&now), getpid());
}
END_TEST

START_TEST(a_program_of_another_abi_is_left_alone)
{
	enum { CODE_32 = 0x23 };
	const uint64_t none[CALL_ARG_COUNT] = {0};
	struct user_regs_struct before = to_exec(), now, foreign = before;

	foreign.cs = CODE_32;
	ck_assert_int_eq(regs_call_at(child, &foreign, before.rip, SYS_getppid, none), -ENOEXEC);
	ck_assert_int_eq(regs_get(child, &now), 0);
	ck_assert(memcmp(&now, &before, sizeof now) == 0);
	traced_end(child);
	ck_assert_int_eq(regs_call_at(child, &before, before.rip, SYS_getppid, none), -ESRCH);
	child = 0;
}
END_TEST

static void sleep_and_tell(void)
{
	struct timespec long_time = {1000, 0};

	_exit(nanosleep(&long_time, NULL) < 0 && errno == EINTR ? 0 : 1);
}

/* ---- restarts ----------------------------------------------------------- */

START_TEST(an_interrupted_call_asks_for_a_restart)
{
	child = traced_before(sleep_and_tell, 0);
	to_start_of(SYS_clock_nanosleep);
	ck_assert_int_eq(ptrace(PTRACE_SYSCALL, child, NULL, NULL), 0);
	ck_assert_int_eq(kill(child, SIGSTOP), 0);
	int64_t result = 0;
	struct call_stop stop;
	int status = traced_wait(child);
	ck_assert_int_eq(WSTOPSIG(status), TRACED_CALL_STOP);
	ck_assert_int_eq(regs_call(child, &stop), 0);
	result = stop.result;
	ck_assert(stop.exit && regs_restarts(result));
}
END_TEST

/* The one that was interrupted is over, though it asked to be made again. */
START_TEST(before_a_signal_it_can_be_put_before_another_call)
{
	struct user_regs_struct regs;
	struct call_stop stop;

	child = traced_before(sleep_and_tell, 0);
	uint64_t address = to_start_of(SYS_clock_nanosleep).ip - 2;
	ck_assert_int_eq(ptrace(PTRACE_SYSCALL, child, NULL, NULL), 0);
	ck_assert_int_eq(kill(child, SIGSTOP), 0);
	traced_wait(child);
	ck_assert_int_eq(ptrace(PTRACE_CONT, child, NULL, NULL), 0);
	ck_assert_int_eq(WSTOPSIG(traced_wait(child)), SIGSTOP);
	ck_assert_int_eq(regs_get(child, &regs), 0);
	ck_assert(regs_restarts((int64_t)regs.rax));
	regs_before_call(&regs, address, ODD_NUMBER);
	ck_assert_int_eq(regs_set(child, &regs), 0);
	to_call();
	ck_assert_int_eq(regs_call(child, &stop), 0);
	ck_assert(!stop.exit && stop.number == ODD_NUMBER && stop.ip == address + 2);
	ck_assert_uint_eq(stop.args[2], regs.rdx);
}
END_TEST

static const struct {
	int64_t result;
	bool restarts;
} results[] = {
	{-512, true},  {-513, true}, {-514, true}, {-516, true},    {-511, false}, {-515, false},
	{-517, false}, {0, false},   {512, false}, {-EINTR, false}, {-1, false},   {INT64_MIN, false},
};

START_TEST(only_the_kernels_own_numbers_are_restarts)
{
	ck_assert_int_eq(regs_restarts(results[_i].result), results[_i].restarts);
}
END_TEST

#define COUNT(list) (int)(sizeof(list) / sizeof(list)[0])

int main(void)
{
	Suite *suite = suite_create("regs");
	TCase *tests = tcase_create("regs");

	tcase_add_checked_fixture(tests, NULL, teardown);
	tcase_add_test(tests, number_and_arguments_are_the_calls);
	tcase_add_loop_test(tests, the_number_tells_x32_from_the_rest, 0, COUNT(numbers));
	tcase_add_test(tests, a_32_bit_call_is_foreign);
	tcase_add_test(tests, a_task_that_is_at_no_call_or_gone_is_told_apart);
	tcase_add_test(tests, a_call_can_be_made_another);
	tcase_add_test(tests, a_call_can_be_skipped);
	tcase_add_test(tests, a_call_can_be_made_again_after_another);
	tcase_add_test(tests, a_new_program_makes_a_call_of_ours_first_and_notices_nothing);
	tcase_add_test(tests, the_result_of_that_call_is_the_kernels);
	tcase_add_test(tests, a_program_of_another_abi_is_left_alone);
	tcase_add_test(tests, an_interrupted_call_asks_for_a_restart);
	tcase_add_test(tests, before_a_signal_it_can_be_put_before_another_call);
	tcase_add_loop_test(tests, only_the_kernels_own_numbers_are_restarts, 0, COUNT(results));
	suite_add_tcase(suite, tests);
	return help_run(suite);
}
