/* SPDX-License-Identifier: MIT */
/* test_mem.c - memory of a stopped child: what is there, what is not, and strings that end at the edge of it. */
#include "mem.h"

#include <limits.h>
#include <string.h>
#include <sys/mman.h>

#include "policy_help.h"
#include "traced.h"

enum { PAGE = 4096, PAGES = 6, HOLE = 4, CLOSED = 5 }; /* pages 0 to 3 are there; 4 is not; 5 may not be read */

static char *area; /* at the same address in the child */
static pid_t child;

static void nothing(void)
{
}

static void setup(void)
{
	area = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(area, MAP_FAILED);
	memset(area, 'x', PAGES * PAGE);
	ck_assert_int_eq(munmap(area + HOLE * PAGE, PAGE), 0);
	ck_assert_int_eq(mprotect(area + CLOSED * PAGE, PAGE, PROT_NONE), 0);
}

static void start(void)
{
	child = traced_after(nothing, 0);
}

static void teardown(void)
{
	if (child > 0)
		traced_end(child);
}

static uint64_t at(long offset)
{
	return (uint64_t)(uintptr_t)area + (uint64_t)offset;
}

/* ---- strings ------------------------------------------------------------ */

static const struct {
	long start, end; /* offsets; at `end` is a NUL, if it is not negative */
	size_t size;
	ssize_t result;
} strings[] = {
	{100, 100, PATH_MAX, 0},
	{100, 110, PATH_MAX, 10},
	{100, 100 + 255, PATH_MAX, 255}, /* around what is read at once */
	{100, 100 + 256, PATH_MAX, 256},
	{100, 100 + 257, PATH_MAX, 257},
	{0, 4095, PATH_MAX, 4095},
	{0, 4096, PATH_MAX, -ENAMETOOLONG},
	{PAGE - 1, PAGE - 1, PATH_MAX, 0},
	{PAGE - 1, PAGE, PATH_MAX, 1},
	{PAGE - 10, PAGE + 10, PATH_MAX, 20},
	{PAGE - 256, PAGE, PATH_MAX, 256},
	{PAGE + 1, PAGE + 4096, PATH_MAX, 4095},	/* two pages */
	{PAGE - 1, PAGE + 4094, PATH_MAX, 4095},	/* three pages */
	{PAGE - 1, 3 * PAGE, 65536, 2 * PAGE + 1},	/* four pages */
	{HOLE * PAGE - 1, HOLE *PAGE - 1, PATH_MAX, 0}, /* the last byte that there is */
	{HOLE * PAGE - 2, HOLE *PAGE - 1, PATH_MAX, 1},
	{HOLE * PAGE - 300, HOLE *PAGE - 1, PATH_MAX, 299},
	{HOLE * PAGE - 300, -1, PATH_MAX, -EFAULT},
	{HOLE * PAGE - 1, -1, PATH_MAX, -EFAULT},
	{HOLE * PAGE - PATH_MAX, -1, PATH_MAX, -ENAMETOOLONG}, /* full before the hole is met */
	{HOLE * PAGE - PATH_MAX + 1, -1, PATH_MAX, -EFAULT},
	{HOLE * PAGE, -1, PATH_MAX, -EFAULT},
	{CLOSED * PAGE, -1, PATH_MAX, -EFAULT},
	{100, 110, 11, 10}, /* small rooms */
	{100, 110, 10, -ENAMETOOLONG},
	{100, 100, 1, 0},
	{100, 101, 1, -ENAMETOOLONG},
	{100, 110, 0, -ENAMETOOLONG},
};

START_TEST(a_string_ends_at_its_nul_or_is_none)
{
	static char text[65536 + 1];
	size_t size = strings[_i].size;

	if (strings[_i].end >= 0)
		area[strings[_i].end] = 0;
	start();
	memset(text, '!', sizeof text);
	ck_assert_int_eq(mem_read_string(child, at(strings[_i].start), text, size), strings[_i].result);
	ck_assert_int_eq(text[size], '!');
	if (strings[_i].result >= 0) {
		ck_assert_uint_eq(strspn(text, "x"), (size_t)strings[_i].result);
		ck_assert_int_eq(text[strings[_i].result], 0);
	}
}
END_TEST

static const uint64_t nowhere[] = {0,
				   1,
				   4095,
				   UINT64_C(0x7fffffffffff),
				   UINT64_C(0x800000000000),
				   UINT64_C(1) << 63,
				   UINT64_C(0xffffffff81000000),
				   UINT64_MAX - 4096,
				   UINT64_MAX - 1,
				   UINT64_MAX};

START_TEST(an_address_that_is_nowhere_is_a_fault)
{
	char text[PATH_MAX] = "";

	start();
	ck_assert_int_eq(mem_read_string(child, nowhere[_i], text, sizeof text), -EFAULT);
	ck_assert_int_eq(mem_read(child, nowhere[_i], text, 1), -EFAULT);
	ck_assert_int_eq(mem_read(child, nowhere[_i], text, sizeof text), -EFAULT);
	ck_assert_int_eq(mem_write(child, nowhere[_i], text, 1), -EFAULT);
}
END_TEST

/* ---- bytes -------------------------------------------------------------- */

static const struct {
	long start;
	size_t length;
	int result;
} pieces[] = {
	{0, 0, 0},
	{0, 1, 0},
	{PAGE - 1, 2, 0},
	{0, HOLE *PAGE, 0},
	{1, HOLE *PAGE, -EFAULT},
	{HOLE * PAGE - 1, 1, 0},
	{HOLE * PAGE - 1, 2, -EFAULT},
	{HOLE * PAGE, 1, -EFAULT},
	{HOLE * PAGE, 0, 0},
	{CLOSED * PAGE, 1, -EFAULT},
};

START_TEST(all_is_read_or_nothing_is)
{
	static char bytes[PAGES * PAGE];

	for (size_t i = 0; i < HOLE * PAGE; i++)
		area[i] = (char)(i * 7);
	start();
	ck_assert_int_eq(mem_read(child, at(pieces[_i].start), bytes, pieces[_i].length), pieces[_i].result);
	if (pieces[_i].result == 0)
		ck_assert(memcmp(bytes, area + pieces[_i].start, pieces[_i].length) == 0);
}
END_TEST

START_TEST(of_many_places_those_before_the_first_hole_are_read)
{
	uint64_t addresses[MEM_EACH_MOST + 1] = {at(0), at(PAGE - 1), at(2 * PAGE), at(HOLE * PAGE - 1), at(PAGE)};
	char bytes[2 * (MEM_EACH_MOST + 1)];

	area[0] = 'a', area[PAGE] = 'b', area[2 * PAGE + 1] = 'c';
	start();
	ck_assert_uint_eq(mem_read_each(child, addresses, 3, 2, bytes), 3);
	ck_assert_int_eq(memcmp(bytes, "axxbxc", 6), 0);
	ck_assert_uint_eq(mem_read_each(child, addresses, 5, 2, bytes), 3);
	ck_assert_uint_eq(mem_read_each(child, addresses, 0, 2, bytes), 0);
	ck_assert_uint_eq(mem_read_each(child, addresses, MEM_EACH_MOST + 1, 2, bytes), 0);
	ck_assert_uint_eq(mem_read_each(child, (const uint64_t[]){0}, 1, 2, bytes), 0);
}
END_TEST

START_TEST(what_is_written_is_there)
{
	char back[100];

	start();
	ck_assert_int_eq(mem_write(child, at(PAGE - 50), "0123456789", 10), 0);
	ck_assert_int_eq(mem_write(child, at(PAGE - 5), "abcdefghij", 10), 0);
	ck_assert_int_eq(mem_read(child, at(PAGE - 50), back, sizeof back), 0);
	ck_assert(memcmp(back, "0123456789x", 11) == 0 && memcmp(back + 45, "abcdefghijx", 11) == 0);
	ck_assert_int_eq(area[PAGE - 50], 'x'); /* the child's memory, not ours */
	ck_assert_int_eq(mem_write(child, at(HOLE * PAGE - 1), "ab", 2), -EFAULT);
	ck_assert_int_eq(mem_write(child, at(CLOSED * PAGE), "ab", 2), -EFAULT);
}
END_TEST

START_TEST(memory_for_reading_only_is_not_written)
{
	ck_assert_int_eq(mprotect(area, PAGE, PROT_READ), 0);
	start();
	ck_assert_int_eq(mem_write(child, at(0), "a", 1), -EFAULT);
}
END_TEST

/* Also where two pages meet; and nothing is written behind what is not there. */
START_TEST(code_is_patched_where_the_task_may_not_write)
{
	char here[24];
	const struct mem_patch patches[] = {{at(PAGE - 2), "across", 6}, {at(8), "one", 3}};
	const struct mem_patch last[] = {{at(HOLE * PAGE - 3), "end", 3},
					 {at(HOLE * PAGE - 20), "eighteen letters.", 17}};
	const struct mem_patch holed[] = {{at(HOLE * PAGE), "lost", 4}, {at(16), "two", 3}};

	ck_assert_int_eq(mprotect(area, 2 * PAGE, PROT_READ | PROT_EXEC), 0);
	start();
	ck_assert_int_eq(mem_patch(child, patches, 2), 0);
	ck_assert_int_eq(mem_read(child, at(PAGE - 3), here, 8), 0);
	ck_assert_mem_eq(here, "xacrossx", 8);
	ck_assert_int_eq(mem_read(child, at(7), here, 5), 0);
	ck_assert_mem_eq(here, "xonex", 5);
	ck_assert_mem_eq(area, "xxxxxxxxxxxx", 12); /* the child's alone */
	ck_assert_int_eq(mem_patch(child, last, 2), 0);
	ck_assert_int_eq(mem_read(child, at(HOLE * PAGE - 21), here, 21), 0);
	ck_assert_mem_eq(here, "xeighteen letters.end", 21);
	ck_assert_int_lt(mem_patch(child, holed, 2), 0);
	ck_assert_int_eq(mem_read(child, at(16), here, 3), 0);
	ck_assert_mem_eq(here, "xxx", 3);
	traced_end(child);
	ck_assert_int_lt(mem_patch(child, patches, 2), 0);
	child = 0;
}
END_TEST

START_TEST(a_task_that_is_gone_has_no_memory)
{
	char byte[16] = "";

	start();
	traced_end(child);
	ck_assert_int_eq(mem_read(child, at(0), byte, sizeof byte), -ESRCH);
	ck_assert_int_eq(mem_write(child, at(0), byte, sizeof byte), -ESRCH);
	ck_assert_int_eq(mem_read_string(child, at(0), byte, sizeof byte), -ESRCH);
	child = 0;
}
END_TEST

#define COUNT(list) (int)(sizeof(list) / sizeof(list)[0])

int main(void)
{
	Suite *suite = suite_create("mem");
	TCase *tests = tcase_create("mem");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_loop_test(tests, a_string_ends_at_its_nul_or_is_none, 0, COUNT(strings));
	tcase_add_loop_test(tests, an_address_that_is_nowhere_is_a_fault, 0, COUNT(nowhere));
	tcase_add_loop_test(tests, all_is_read_or_nothing_is, 0, COUNT(pieces));
	tcase_add_test(tests, of_many_places_those_before_the_first_hole_are_read);
	tcase_add_test(tests, what_is_written_is_there);
	tcase_add_test(tests, memory_for_reading_only_is_not_written);
	tcase_add_test(tests, code_is_patched_where_the_task_may_not_write);
	tcase_add_test(tests, a_task_that_is_gone_has_no_memory);
	suite_add_tcase(suite, tests);
	return help_run(suite);
}
