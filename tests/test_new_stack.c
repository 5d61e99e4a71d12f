/* SPDX-License-Identifier: MIT */
#include <check.h>
#include <elf.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/user.h>

#include "mem.h"
#include "new_stack.h"
#include "regs.h"
#include "traced.h"

enum { VARIABLES_MOST = 5000, VARIABLE_SIZE = 24 };

static const int sizes[] = {0, 1, 40, 511, 512, 513, 5000}; /* around what a page holds of addresses, and far beyond */
static int variables, arguments;

static void execute(void)
{
	static char text[VARIABLES_MOST][VARIABLE_SIZE];
	static char *environment[VARIABLES_MOST + 2], *arguments_list[VARIABLES_MOST + 2];

	for (int i = 0; i < variables; i++) {
		snprintf(text[i], sizeof text[i], "V%d=value", i);
		environment[i] = text[i];
	}
	environment[variables] = (char *)(uintptr_t) "LAST=of all";
	for (int i = 0; i <= arguments; i++)
		arguments_list[i] = (char *)(uintptr_t) "argument";
	execve("/bin/true", arguments_list, environment);
}

/* A program that has executed nothing yet, and where its stack is. */
static pid_t start(int variable_count, int argument_count, uint64_t *stack)
{
	struct user_regs_struct regs;

	variables = variable_count;
	arguments = argument_count;
	pid_t child = traced_before(execute, PTRACE_O_TRACEEXEC);
	ck_assert_int_eq(ptrace(PTRACE_CONT, child, NULL, NULL), 0);
	ck_assert_int_eq(traced_wait(child) >> 8, SIGTRAP | PTRACE_EVENT_EXEC << 8);
	ck_assert_int_eq(regs_get(child, &regs), 0);
	*stack = regs.rsp;
	return child;
}

static uint64_t as_the_kernel_says(pid_t child, uint64_t type)
{
	char path[64];
	Elf64_auxv_t vector[64];

	snprintf(path, sizeof path, "/proc/%d/auxv", (int)child);
	int fd = open(path, O_RDONLY);
	ssize_t n = read(fd, vector, sizeof vector);
	close(fd);
	for (ssize_t i = 0; i < n / (ssize_t)sizeof *vector; i++)
		if (vector[i].a_type == type)
			return vector[i].a_un.a_val;
	return 0;
}

static void end(pid_t child)
{
	kill(child, SIGKILL);
	waitpid(child, NULL, __WALL);
}

START_TEST(the_auxiliary_vector_is_what_the_kernel_says)
{
	uint64_t stack;
	pid_t child = start(sizes[_i], _i % 2 ? sizes[_i] : 0, &stack);
	struct new_stack_auxiliary found = new_stack_auxiliary(child);

	ck_assert_uint_ne(found.vdso, 0);
	ck_assert_uint_eq(found.vdso, as_the_kernel_says(child, AT_SYSINFO_EHDR));
	ck_assert_uint_ne(found.linker, 0);
	ck_assert_uint_eq(found.linker, as_the_kernel_says(child, AT_BASE));
	end(child);
}
END_TEST

START_TEST(a_variable_is_found_wherever_it_is)
{
	char value[16];
	uint64_t stack;
	pid_t child = start(sizes[_i], _i % 2 ? 0 : sizes[_i], &stack);
	struct new_stack read = new_stack_of(child, stack);
	uint64_t address = new_stack_variable(&read, "LAST=");

	ck_assert_uint_ne(address, 0);
	ck_assert_int_eq(mem_read_string(child, address, value, sizeof value), (ssize_t)strlen("of all"));
	ck_assert_str_eq(value, "of all");
	ck_assert_uint_eq(new_stack_variable(&read, "LAS="), 0);
	ck_assert_uint_eq(new_stack_variable(&read, "argument"), 0);
	end(child);
}
END_TEST

START_TEST(a_stack_that_cannot_be_read_holds_nothing)
{
	uint64_t stack;
	pid_t child = start(1, 0, &stack);
	const uint64_t none[] = {0, 8, stack + 1, UINT64_MAX - 7, stack & 4095};

	for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
		struct new_stack read = new_stack_of(child, none[i]);
		ck_assert_uint_eq(new_stack_variable(&read, "LAST="), 0);
	}
	end(child);
	struct new_stack read = new_stack_of(child, stack);
	ck_assert_uint_eq(new_stack_variable(&read, "LAST="), 0);
	ck_assert_uint_eq(new_stack_auxiliary(child).linker, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("new_stack");
	TCase *all = tcase_create("new_stack");

	tcase_set_timeout(all, 20);
	tcase_add_loop_test(all, the_auxiliary_vector_is_what_the_kernel_says, 0, sizeof sizes / sizeof *sizes);
	tcase_add_loop_test(all, a_variable_is_found_wherever_it_is, 0, sizeof sizes / sizeof *sizes);
	tcase_add_test(all, a_stack_that_cannot_be_read_holds_nothing);
	suite_add_tcase(suite, all);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
