/* SPDX-License-Identifier: MIT */
/*
 * test_mapped.c - what lies at an address of a real child, which has made every kind of mapping there.
 */
#include "mapped.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "policy_help.h"
#include "traced.h"

static struct tracees all;
static pid_t child;

static void setup(void)
{
	help_setup();
	memset(&all, 0, sizeof all);
	child = 0;
}

static void teardown(void)
{
	tracee_free(&all);
	ck_assert_uint_eq(all.kept_open, 0);
	if (child)
		traced_end(child);
	help_teardown();
}

static int open_descriptors(void)
{
	int count = 0;
	DIR *dir = opendir("/proc/self/fd");

	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

enum { PAGE = 4096, PAGES = 8 };
static char *area;

/* Every kind of mapping, made in the child, so that it is the child that has touched it or not. */
static void *map(int protection, int mapping, int fd)
{
	return mmap(area, PAGES * PAGE, protection, mapping | MAP_FIXED, fd, 0);
}

static int file_of_pages(const char *name)
{
	char bytes[PAGES * PAGE];
	int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0644);

	memset(bytes, 'f', sizeof bytes);
	if (write(fd, bytes, sizeof bytes) != sizeof bytes)
		_exit(1);
	return fd;
}

static void touch(void)
{
	for (int i = 0; i < PAGES; i++)
		area[i * PAGE] = 'w';
}

static void look(void)
{
	for (int i = 0; i < PAGES; i++)
		*(volatile char *)&area[i * PAGE];
}

/* clang-format off */
static void of_its_own(void) { map(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1); touch(); }
static void untouched(void) { map(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1); }
static void only_looked_at(void) { untouched(); look(); }
static void no_memory(void) { munmap(area, PAGES * PAGE); }
static void with_a_hole(void) { of_its_own(); munmap(area + PAGE, PAGE); }
static void shared_anonymous(void) { map(PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1); touch(); }
static void memfd_shared(void)
{
	int fd = memfd_create("m", 0);

	if (ftruncate(fd, PAGES * PAGE) < 0)
		_exit(1);
	map(PROT_READ | PROT_WRITE, MAP_SHARED, fd);
	touch();
}
static void memfd_private(void)
{
	int fd = memfd_create("m", 0);

	if (ftruncate(fd, PAGES * PAGE) < 0 || pwrite(fd, "x", 1, 0) != 1)
		_exit(1);
	map(PROT_READ, MAP_PRIVATE, fd);
	look();
}
static void file_private(void) { map(PROT_READ, MAP_PRIVATE, file_of_pages("file")); look(); }
static void file_private_changed(void) { map(PROT_READ | PROT_WRITE, MAP_PRIVATE, file_of_pages("file")); touch(); }
static void file_shared(void) { map(PROT_READ | PROT_WRITE, MAP_SHARED, file_of_pages("file")); touch(); }
static void file_deleted(void) { file_private(); unlink("file"); }
static void file_named_deleted(void) { map(PROT_READ, MAP_PRIVATE, file_of_pages("file (deleted)")); look(); }
static void file_renamed(void) { file_private(); rename("file", "other"); }
static void anonymous_then_file(void)
{
	of_its_own();
	mmap(area + PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, file_of_pages("file"), 0);
	look();
}
static void behind_a_fork(void)
{
	of_its_own();
	if (fork() == 0) {
		pause();
		_exit(0);
	}
}

/* clang-format on */

#define KIND(make) #make, make
static const struct {
	const char *name;
	void (*make)(void);
	uint64_t offset;
	size_t length;
	const char *file; /* name in the test's directory, or NULL */
} kinds[] = {
	{KIND(of_its_own), 0, 1, NULL},
	{KIND(of_its_own), 0, 0, NULL},
	{KIND(of_its_own), PAGE - 1, 2, NULL},
	{KIND(of_its_own), 0, 4 * PAGE, NULL},
	{KIND(of_its_own), 1, 4 * PAGE, NULL},
	{KIND(of_its_own), 0, SIZE_MAX, NULL},
	{KIND(of_its_own), PAGES *PAGE, 1, NULL},
	{KIND(of_its_own), PAGES *PAGE - 1, 2, NULL},
	{KIND(behind_a_fork), 0, 1, NULL},
	{KIND(untouched), 0, 1, NULL},
	{KIND(only_looked_at), 0, 1, NULL},
	{KIND(no_memory), 0, 1, NULL},
	{KIND(with_a_hole), 0, PAGE, NULL},
	{KIND(with_a_hole), 0, PAGE + 1, NULL},
	{KIND(shared_anonymous), 0, 1, NULL},
	{KIND(memfd_shared), 0, 1, NULL},
	{KIND(memfd_private), 0, 1, NULL},
	{KIND(file_private), 0, 1, "file"},
	{KIND(file_private), PAGE - 1, 2, "file"},
	{KIND(file_private), 0, PAGES *PAGE, "file"},
	{KIND(file_private), 1, PAGES *PAGE, NULL}, /* not all of it */
	{KIND(file_private), PAGES *PAGE - 1, 1, "file"},
	{KIND(file_private_changed), 0, 1, "file"},
	{KIND(file_shared), 0, 1, NULL},
	{KIND(file_deleted), 0, 1, NULL},
	{KIND(file_named_deleted), 0, 1, NULL}, /* cannot be told from one that was */
	{KIND(file_renamed), 0, 1, "other"},
	{KIND(anonymous_then_file), 0, 1, NULL},
	{KIND(anonymous_then_file), PAGE - 1, 2, NULL},
	{KIND(anonymous_then_file), PAGE, 1, "file"},
};

/* The middle of a larger hole, so that no neighbour is next to it. */
static void choose_area(void)
{
	char *hole = mmap(NULL, 3 * PAGES * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ck_assert_ptr_ne(hole, MAP_FAILED);
	munmap(hole, 3 * PAGES * PAGE);
	area = hole + PAGES * PAGE;
}

/* All of it lies in one private mapping of no file. */
static bool in_memory_of_its_own(int i)
{
	static const char *const own[] = {"of_its_own", "behind_a_fork", "untouched", "only_looked_at"};

	for (size_t k = 0; k < sizeof own / sizeof own[0]; k++)
		if (strcmp(kinds[i].name, own[k]) == 0)
			return kinds[i].offset < PAGES * PAGE && kinds[i].length <= PAGES * PAGE - kinds[i].offset;
	return (strcmp(kinds[i].name, "with_a_hole") == 0 || strcmp(kinds[i].name, "anonymous_then_file") == 0) &&
	       kinds[i].offset + kinds[i].length <= PAGE;
}

START_TEST(a_page_of_a_file_has_the_files_name)
{
	char expected[PATH_MAX];
	struct mapped file;

	choose_area();
	child = traced_after(kinds[_i].make, PTRACE_O_TRACEFORK);
	struct task *task = tracee_add(&all, child, NULL, false, -1);
	uint64_t address = (uint64_t)(uintptr_t)area + kinds[_i].offset;
	int r = mapped_file(task, address, kinds[_i].length, &file);

	if (r == -ENOTTY)
		return; /* a kernel before 6.11 */
	ck_assert_msg(r == (kinds[_i].file	       ? 0
			    : in_memory_of_its_own(_i) ? -ENXIO
						       : -ENOENT),
		      "%s, %zu bytes: %d", kinds[_i].name, kinds[_i].length, r);
	if (r < 0)
		return;
	snprintf(expected, sizeof expected, "%s/%s", help_directory, kinds[_i].file);
	ck_assert_str_eq(file.name, expected);
	struct stat st;
	ck_assert_int_eq(stat(expected, &st), 0);
	ck_assert_uint_eq(file.ino, st.st_ino);
}
END_TEST

START_TEST(addresses_of_nobody_are_not_private)
{
	static const uint64_t nowhere[] = {0,	      1, UINT64_C(0x7ffffffff000), UINT64_C(1) << 63, UINT64_MAX - 1,
					   UINT64_MAX};
	struct mapped file;

	choose_area();
	child = traced_after(no_memory, 0);
	struct task *task = tracee_add(&all, child, NULL, false, -1);
	for (size_t i = 0; i < sizeof nowhere / sizeof nowhere[0]; i++)
		for (size_t length = 0; length < 3; length++) {
			ck_assert_int_lt(mapped_file(task, nowhere[i], length, &file), 0);
		}
}
END_TEST

/* What stat(2) and the list of mappings say of the device is the same for a memfd, whatever the file system of this directory. */
START_TEST(a_file_is_known_where_it_is_mapped)
{
	int fd = memfd_create("mapped", MFD_CLOEXEC), other = memfd_create("other", MFD_CLOEXEC);
	struct stat st, another;
	struct mapped file;

	ck_assert_int_eq(ftruncate(fd, PAGE), 0);
	char *at = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
	ck_assert_ptr_ne(at, MAP_FAILED);
	ck_assert(fstat(fd, &st) == 0 && fstat(other, &another) == 0);
	close(fd);
	close(other);
	uint64_t address = (uint64_t)(uintptr_t)at;
	struct task *task = tracee_add(&all, getpid(), NULL, false, -1);
	if (mapped_file(task, address, 1, &file) == -ENOTTY)
		return; /* a kernel before 6.11 */
	ck_assert(mapped_is(getpid(), address + 1, st.st_dev, st.st_ino));
	ck_assert(!mapped_is(getpid(), address, another.st_dev, another.st_ino));
	ck_assert(!mapped_is(getpid(), address, st.st_dev + 1, st.st_ino));
	ck_assert(!mapped_is(getpid(), 0, st.st_dev, st.st_ino));
	munmap(at, PAGE);
	ck_assert(!mapped_is(getpid(), address, st.st_dev, st.st_ino));
}
END_TEST

START_TEST(a_task_that_is_gone_has_no_private_memory)
{
	struct mapped file;
	uint64_t address = (uint64_t)(uintptr_t)&all;

	choose_area();
	child = traced_after(untouched, 0);
	struct task *task = tracee_add(&all, child, NULL, false, -1);
	traced_end(child);
	child = 0;
	ck_assert_int_lt(mapped_file(task, address, 1, &file), 0);
}
END_TEST

START_TEST(kept_descriptors_are_closed_with_their_memory)
{
	int before = open_descriptors();
	struct mapped file;

	for (int i = 0; i < 3; i++) {
		struct task *task = tracee_add(&all, getpid(), NULL, false, -1);
		mapped_file(task, (uint64_t)(uintptr_t)&all, 1, &file);
		ck_assert_int_gt(open_descriptors(), before);
		ck_assert_uint_gt(all.kept_open, 0);
		tracee_remove(&all, task);
		ck_assert_int_eq(open_descriptors(), before);
		ck_assert_uint_eq(all.kept_open, 0);
	}
}
END_TEST

#define COUNT(list) (int)(sizeof(list) / sizeof(list)[0])

/* Where the lowest mapping begins is where something is mapped, and nowhere below. */
START_TEST(nothing_is_mapped_below_the_lowest_mapping)
{
	const uint64_t low = 0x300000;

	child = fork();
	if (child == 0) {
		if (mmap((void *)(uintptr_t)low, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
		    MAP_FAILED)
			_exit(1);
		raise(SIGSTOP);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(child, NULL, WUNTRACED), child);
	ck_assert(mapped_nothing_below(child, low));
	ck_assert(mapped_nothing_below(child, 0));
	ck_assert(!mapped_nothing_below(child, low + 1));
	ck_assert(!mapped_nothing_below(child, UINT64_MAX));
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	ck_assert(!mapped_nothing_below(child, 0));
	child = 0;
}
END_TEST

/* Code as it is mapped: what the list of proc(5) says of the mapping, and nothing of what a program could write to, or share. */
static void assert_code_is_known(void)
{
	static const struct {
		int protection, mapping;
		bool of_file, is_code;
	} rows[] = {
		{PROT_READ | PROT_EXEC, MAP_PRIVATE, true, true},
		{PROT_READ, MAP_PRIVATE, true, false},
		{PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE, true, false},
		{PROT_READ | PROT_EXEC, MAP_SHARED, true, false},
		{PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, false, false},
	};
	struct task *task = tracee_add(&all, getpid(), NULL, false, -1);
	struct mapped_code code;
	int fd = file_of_pages("code");

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char *at = mmap(NULL, 2 * PAGE, rows[i].protection, rows[i].mapping, rows[i].of_file ? fd : -1,
				rows[i].of_file ? PAGE : 0);
		uint64_t address = (uint64_t)(uintptr_t)at;
		ck_assert_ptr_ne(at, MAP_FAILED);
		for (uint64_t offset = 0; offset < 2 * PAGE; offset += 2 * PAGE - 1) {
			ck_assert_int_eq(mapped_code(task, address + offset, &code), rows[i].is_code ? 0 : -ENOENT);
			if (rows[i].is_code)
				ck_assert(code.start == address && code.end == address + 2 * PAGE &&
					  code.offset == PAGE);
		}
		munmap(at, 2 * PAGE);
		ck_assert_int_eq(mapped_code(task, address, &code), -ENOENT);
	}
	close(fd);
}

START_TEST(code_of_a_file_is_known_from_where_to_where)
{
	assert_code_is_known();
}
END_TEST

/* Linux before 6.11 has no question for it, and answers this one so. */
START_TEST(and_the_same_where_it_cannot_be_asked)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOTTY),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = {.len = sizeof code / sizeof code[0], .filter = code};

	ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	ck_assert_int_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter), 0);
	assert_code_is_known();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mapped");
	TCase *tests = tcase_create("mapped");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_loop_test(tests, a_page_of_a_file_has_the_files_name, 0, COUNT(kinds));
	tcase_add_test(tests, addresses_of_nobody_are_not_private);
	tcase_add_test(tests, a_file_is_known_where_it_is_mapped);
	tcase_add_test(tests, a_task_that_is_gone_has_no_private_memory);
	tcase_add_test(tests, kept_descriptors_are_closed_with_their_memory);
	tcase_add_test(tests, nothing_is_mapped_below_the_lowest_mapping);
	tcase_add_test(tests, code_of_a_file_is_known_from_where_to_where);
	tcase_add_test(tests, and_the_same_where_it_cannot_be_asked);
	suite_add_tcase(suite, tests);
	return help_run(suite);
}
