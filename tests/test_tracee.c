/* SPDX-License-Identifier: MIT */
/*
 * test_tracee.c - what tasks share, asked of the kernel about real children made with every combination of clone's
 * flags; what lies in their memory; and the books that are kept of processes, sockets and IPC objects.
 */
#include "tracee.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include "policy_help.h"
#include "traced.h"

static struct tracees all;
static pid_t maker_tid, child_tid;

static void setup(void)
{
	help_setup();
	memset(&all, 0, sizeof all);
	maker_tid = child_tid = 0;
}

static void teardown(void)
{
	tracee_free(&all);
	ck_assert_uint_eq(all.kept_open, 0);
	ck_assert_uint_eq(all.task_count, 0);
	ck_assert_ptr_null(all.tasks);
	ck_assert_ptr_null(all.processes);
	if (child_tid) /* before its maker: a thread group's first thread is waited for last */
		traced_end(child_tid);
	if (maker_tid)
		traced_end(maker_tid);
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

/* ---- sharing ------------------------------------------------------------ */

static const unsigned long memory_flags[] = {0, CLONE_VM, CLONE_VM | CLONE_SIGHAND,
					     CLONE_VM | CLONE_SIGHAND | CLONE_THREAD};
static const unsigned long other_flags[] = {CLONE_FS, CLONE_FILES, CLONE_VFORK, CLONE_PARENT};
enum { COMBINATIONS = 4 * 16 };
static unsigned long flags;

static void make(void)
{
	static char stack[65536];

	syscall(SYS_clone, flags | SIGCHLD, stack + sizeof stack - 64, NULL, NULL, 0);
	for (;;) /* the new one would come here as well; it is never let go */
		pause();
}

static unsigned long combination(int i)
{
	unsigned long chosen = memory_flags[i & 3];

	for (int bit = 0; bit < 4; bit++)
		if (i >> 2 & 1 << bit)
			chosen |= other_flags[bit];
	return chosen;
}

/* Start a maker, and let it make a task with these flags; both are stopped then. How it was reported. */
static int make_with(unsigned long chosen)
{
	unsigned long number;

	flags = chosen;
	maker_tid = traced_before(make, PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE);
	ck_assert_int_eq(ptrace(PTRACE_CONT, maker_tid, NULL, NULL), 0);
	int event = traced_wait(maker_tid) >> 16;
	ck_assert_int_ne(event, 0);
	ck_assert_int_eq(ptrace(PTRACE_GETEVENTMSG, maker_tid, NULL, &number), 0);
	child_tid = (pid_t)number;
	traced_wait(child_tid);
	return event;
}

START_TEST(what_is_shared_is_what_the_kernel_says)
{
	unsigned long chosen = combination(_i);
	int event = make_with(chosen);
	bool vm = chosen & CLONE_VM, fs = chosen & CLONE_FS, files = chosen & CLONE_FILES,
	     thread = chosen & CLONE_THREAD;
	bool vfork = event == PTRACE_EVENT_VFORK;

	ck_assert_int_eq(vfork, (chosen & CLONE_VFORK) != 0);
	struct task *maker = tracee_add(&all, maker_tid, NULL, false);
	ck_assert(tracee_private_memory(maker) && tracee_private_files(maker) && tracee_private_fs(maker));
	struct task *child = tracee_add(&all, child_tid, maker, vfork);

	ck_assert_msg((child->memory == maker->memory) == vm, "memory: %#lx", chosen);
	ck_assert_msg((child->files == maker->files) == files, "files: %#lx", chosen);
	ck_assert_msg((child->fs == maker->fs) == fs, "fs: %#lx", chosen);
	ck_assert_msg((child->process == maker->process) == thread, "process: %#lx", chosen);
	ck_assert(tracee_private_files(maker) == !files && tracee_private_files(child) == !files);
	ck_assert(tracee_private_fs(maker) == !fs && tracee_private_fs(child) == !fs);
	ck_assert_int_eq(tracee_private_memory(maker), !vm);
	/* one that sleeps in vfork touches nothing */
	ck_assert_int_eq(tracee_private_memory(child), !vm || vfork);
	ck_assert(tracee_is_ours(&all, maker_tid) && tracee_is_ours(&all, child_tid));
	ck_assert_uint_eq(all.task_count, 2);
	ck_assert_uint_eq(all.processes_seen, thread ? 1 : 2);
	ck_assert_int_eq(child->process->parent, thread ? 0 : maker_tid);

	tracee_remove(&all, child);
	ck_assert(tracee_private_memory(maker) && tracee_private_files(maker) && tracee_private_fs(maker));
	ck_assert(!tracee_is_ours(&all, child_tid));
}
END_TEST

START_TEST(an_exec_leaves_nothing_shared_but_the_directory)
{
	unsigned long chosen = combination(_i);
	int event = make_with(chosen);
	bool fs = chosen & CLONE_FS;

	if (chosen & CLONE_THREAD)
		return; /* its process would have lost its other threads */
	struct task *maker = tracee_add(&all, maker_tid, NULL, false);
	struct task *child = tracee_add(&all, child_tid, maker, event == PTRACE_EVENT_VFORK);
	child->memory->slots_mapped = true;
	child->approved.loader_ino = 1;
	child->exec_name = strdup("/usr/bin/program");
	tracee_exec(&all, child);
	ck_assert(tracee_private_memory(maker) && tracee_private_memory(child));
	ck_assert(tracee_private_files(maker) && tracee_private_files(child));
	ck_assert(tracee_private_fs(maker) == !fs && tracee_private_fs(child) == !fs);
	ck_assert(!child->memory->slots_mapped);
	ck_assert(child->process->dynamic && !maker->process->dynamic);
	ck_assert_str_eq(tracee_exe(child->process), "/usr/bin/program");
	ck_assert_ptr_null(child->vfork_parent);
}
END_TEST

START_TEST(a_copy_of_memory_has_its_slots_too)
{
	make_with(_i ? CLONE_FILES : CLONE_VM);
	struct task *maker = tracee_add(&all, maker_tid, NULL, false);
	maker->memory->slots_mapped = true;
	struct task *child = tracee_add(&all, child_tid, maker, false);
	ck_assert(child->memory->slots_mapped);
}
END_TEST

START_TEST(what_cannot_be_asked_counts_as_shared_for_ever)
{
	make_with(CLONE_PARENT); /* a child of ours, so that we have its end */
	struct task *maker = tracee_add(&all, maker_tid, NULL, false);
	traced_end(child_tid); /* the kernel knows nothing of it any more */
	struct task *child = tracee_add(&all, child_tid, maker, false);
	child_tid = 0;
	ck_assert(!tracee_private_memory(child) && !tracee_private_files(child) && !tracee_private_fs(child));
	tracee_remove(&all, child);
	ck_assert(!tracee_private_memory(maker) && !tracee_private_files(maker) && !tracee_private_fs(maker));
}
END_TEST

START_TEST(a_vfork_child_is_not_alone_beside_a_third)
{
	make_with(CLONE_VM | CLONE_VFORK);
	struct task *maker = tracee_add(&all, maker_tid, NULL, false);
	struct task *child = tracee_add(&all, child_tid, maker, true);
	ck_assert(tracee_private_memory(child));
	child->memory->users++; /* another thread of the maker */
	ck_assert(!tracee_private_memory(child));
	child->memory->users--;
	child->memory->restless = true;
	ck_assert(!tracee_private_memory(child));
}
END_TEST

/* The maker may be killed while its vfork child runs on. */
START_TEST(a_vfork_child_outlives_its_maker)
{
	make_with(CLONE_VM | CLONE_VFORK);
	struct task *maker = tracee_add(&all, maker_tid, NULL, false);
	struct task *child = tracee_add(&all, child_tid, maker, true);
	tracee_remove(&all, maker);
	ck_assert_ptr_null(child->vfork_parent);
	ck_assert(tracee_private_memory(child));
}
END_TEST

/* ---- books -------------------------------------------------------------- */

START_TEST(who_was_let_make_a_task_is_counted_once)
{
	struct task *a = tracee_add(&all, getpid(), NULL, false), *b = tracee_add(&all, getppid(), NULL, false);

	tracee_forking(a, true);
	tracee_forking(a, true);
	tracee_forking(b, true);
	ck_assert_uint_eq(all.forking, 2);
	tracee_forking(a, false);
	tracee_forking(a, false);
	ck_assert_uint_eq(all.forking, 1);
	tracee_remove(&all, b);
	ck_assert_uint_eq(all.forking, 0);
}
END_TEST

static void make_socket(const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(address.sun_path, name);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	close(fd);
}

static bool owns(const char *name)
{
	int fd = open(name, O_PATH | O_NOFOLLOW);

	ck_assert_int_ge(fd, 0);
	bool owned = tracee_owns_socket(&all, fd);
	close(fd);
	return owned;
}

START_TEST(sockets_of_the_run_are_known_whatever_their_name)
{
	int here = open(".", O_PATH);

	make_socket("own");
	make_socket("other");
	help_write("file", "", 0);
	ck_assert_int_eq(symlink("own", "link"), 0);
	for (int i = 0; i < 2; i++)
		tracee_own_socket(&all, AT_FDCWD, "own");
	tracee_own_socket(&all, here, "file");	  /* no socket */
	tracee_own_socket(&all, here, "missing"); /* nothing */
	ck_assert_uint_eq(HASH_COUNT(all.sockets), 1);
	ck_assert(owns("own") && !owns("other") && !owns("file") && !owns("link") && !tracee_owns_socket(&all, -1));
	ck_assert_int_eq(rename("own", "moved"), 0);
	make_socket("own");
	ck_assert(owns("moved") && !owns("own"));
	close(here);
}
END_TEST

START_TEST(ipc_objects_of_the_run_are_known_by_kind_and_number)
{
	tracee_own_ipc(&all, IPC_SEMAPHORES, 5);
	tracee_own_ipc(&all, IPC_SEMAPHORES, 5);
	tracee_own_ipc(&all, IPC_SHARED_MEMORY, -1);
	ck_assert(tracee_owns_ipc(&all, IPC_SEMAPHORES, 5) && tracee_owns_ipc(&all, IPC_SHARED_MEMORY, -1));
	ck_assert(!tracee_owns_ipc(&all, IPC_MESSAGES, 5) && !tracee_owns_ipc(&all, IPC_SHARED_MEMORY, 5));
	ck_assert(!tracee_owns_ipc(&all, IPC_SEMAPHORES, -1) && !tracee_owns_ipc(&all, IPC_SEMAPHORES, 0));
	ck_assert_uint_eq(HASH_COUNT(all.ipc), 2);
}
END_TEST

START_TEST(the_program_of_a_process_has_a_name)
{
	char self[PATH_MAX];
	struct task *task = tracee_add(&all, getpid(), NULL, false), *nobody = tracee_add(&all, INT_MAX, NULL, false);
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

	ck_assert_int_gt(n, 0);
	self[n] = 0;
	ck_assert_str_eq(tracee_exe(task->process), self);
	ck_assert_str_eq(tracee_exe(nobody->process), "");
}
END_TEST

/* ---- pages -------------------------------------------------------------- */

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
	bool anonymous;
	const char *file; /* name in the test's directory, or NULL */
} kinds[] = {
	{KIND(of_its_own), 0, 1, true, NULL},
	{KIND(of_its_own), 0, 0, true, NULL},
	{KIND(of_its_own), PAGE - 1, 2, true, NULL},
	{KIND(of_its_own), 0, 4 * PAGE, true, NULL},
	{KIND(of_its_own), 1, 4 * PAGE, false, NULL}, /* more than is looked at */
	{KIND(of_its_own), 0, SIZE_MAX, false, NULL},
	{KIND(of_its_own), PAGES *PAGE, 1, false, NULL},
	{KIND(of_its_own), PAGES *PAGE - 1, 2, false, NULL},
	{KIND(behind_a_fork), 0, 1, true, NULL},
	{KIND(untouched), 0, 1, false, NULL},
	{KIND(only_looked_at), 0, 1, true, NULL},
	{KIND(no_memory), 0, 1, false, NULL},
	{KIND(with_a_hole), 0, PAGE, true, NULL},
	{KIND(with_a_hole), 0, PAGE + 1, false, NULL},
	{KIND(shared_anonymous), 0, 1, false, NULL},
	{KIND(memfd_shared), 0, 1, false, NULL},
	{KIND(memfd_private), 0, 1, false, NULL},
	{KIND(file_private), 0, 1, false, "file"},
	{KIND(file_private), PAGE - 1, 2, false, "file"},
	{KIND(file_private), 0, PAGES *PAGE, false, "file"},
	{KIND(file_private), 1, PAGES *PAGE, false, NULL}, /* not all of it */
	{KIND(file_private), PAGES *PAGE - 1, 1, false, "file"},
	{KIND(file_private_changed), 0, 1, true, "file"},
	{KIND(file_shared), 0, 1, false, NULL},
	{KIND(file_deleted), 0, 1, false, NULL},
	{KIND(file_named_deleted), 0, 1, false, NULL}, /* cannot be told from one that was */
	{KIND(file_renamed), 0, 1, false, "other"},
	{KIND(anonymous_then_file), 0, 1, true, NULL},
	{KIND(anonymous_then_file), PAGE - 1, 2, false, NULL},
	{KIND(anonymous_then_file), PAGE, 1, false, "file"},
};

/* The middle of a larger hole, so that no neighbour is next to it. */
static void choose_area(void)
{
	char *hole = mmap(NULL, 3 * PAGES * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ck_assert_ptr_ne(hole, MAP_FAILED);
	munmap(hole, 3 * PAGES * PAGE);
	area = hole + PAGES * PAGE;
}

START_TEST(memory_is_private_only_where_nobody_else_has_the_page)
{
	choose_area();
	maker_tid = traced_after(kinds[_i].make, PTRACE_O_TRACEFORK);
	struct task *task = tracee_add(&all, maker_tid, NULL, false);
	uint64_t address = (uint64_t)(uintptr_t)area + kinds[_i].offset;

	for (int twice = 0; twice < 2; twice++) /* the second time by a descriptor that is open already */
		ck_assert_msg(tracee_anonymous(&all, task, address, kinds[_i].length) == kinds[_i].anonymous,
			      "%s, %zu bytes", kinds[_i].name, kinds[_i].length);
}
END_TEST

/* All of it lies in one private mapping of no file. */
static bool in_memory_of_its_own(int i)
{
	static const char *const own[] = { "of_its_own", "behind_a_fork", "untouched", "only_looked_at" };

	for (size_t k = 0; k < sizeof own / sizeof own[0]; k++)
		if (strcmp(kinds[i].name, own[k]) == 0)
			return kinds[i].offset < PAGES * PAGE && kinds[i].length <= PAGES * PAGE - kinds[i].offset;
	return (strcmp(kinds[i].name, "with_a_hole") == 0 || strcmp(kinds[i].name, "anonymous_then_file") == 0) &&
	       kinds[i].offset + kinds[i].length <= PAGE;
}

START_TEST(a_page_of_a_file_has_the_files_name)
{
	char name[PATH_MAX], expected[PATH_MAX];

	choose_area();
	maker_tid = traced_after(kinds[_i].make, PTRACE_O_TRACEFORK);
	struct task *task = tracee_add(&all, maker_tid, NULL, false);
	uint64_t address = (uint64_t)(uintptr_t)area + kinds[_i].offset;
	int r = tracee_mapped_file(&all, task, address, kinds[_i].length, name, sizeof name);

	if (r == -ENOTTY)
		return; /* a kernel before 6.11 */
	ck_assert_msg(r == (kinds[_i].file ? 0 : in_memory_of_its_own(_i) ? -ENXIO : -ENOENT), "%s, %zu bytes: %d", kinds[_i].name, kinds[_i].length, r);
	if (r < 0)
		return;
	snprintf(expected, sizeof expected, "%s/%s", help_directory, kinds[_i].file);
	ck_assert_str_eq(name, expected);
	ck_assert_int_lt(tracee_mapped_file(&all, task, address, kinds[_i].length, name, 5), 0);
}
END_TEST

START_TEST(addresses_of_nobody_are_not_private)
{
	static const uint64_t nowhere[] = {0,	      1, UINT64_C(0x7ffffffff000), UINT64_C(1) << 63, UINT64_MAX - 1,
					   UINT64_MAX};
	char name[PATH_MAX];

	maker_tid = traced_after(no_memory, 0);
	struct task *task = tracee_add(&all, maker_tid, NULL, false);
	for (size_t i = 0; i < sizeof nowhere / sizeof nowhere[0]; i++)
		for (size_t length = 0; length < 3; length++) {
			ck_assert(!tracee_anonymous(&all, task, nowhere[i], length));
			ck_assert_int_lt(tracee_mapped_file(&all, task, nowhere[i], length, name, sizeof name), 0);
		}
}
END_TEST

START_TEST(a_task_that_is_gone_has_no_private_memory)
{
	char name[PATH_MAX];
	uint64_t address = (uint64_t)(uintptr_t)&all;

	maker_tid = traced_after(untouched, 0);
	struct task *task = tracee_add(&all, maker_tid, NULL, false);
	traced_end(maker_tid);
	maker_tid = 0;
	ck_assert(!tracee_anonymous(&all, task, address, 1));
	ck_assert_int_lt(tracee_mapped_file(&all, task, address, 1, name, sizeof name), 0);
}
END_TEST

START_TEST(kept_descriptors_are_closed_with_their_memory)
{
	int before = open_descriptors();
	char name[PATH_MAX];

	for (int i = 0; i < 3; i++) {
		struct task *task = tracee_add(&all, getpid(), NULL, false);
		tracee_anonymous(&all, task, (uint64_t)(uintptr_t)&all, 1);
		tracee_mapped_file(&all, task, (uint64_t)(uintptr_t)&all, 1, name, sizeof name);
		ck_assert_int_gt(open_descriptors(), before);
		ck_assert_uint_gt(all.kept_open, 0);
		tracee_remove(&all, task);
		ck_assert_int_eq(open_descriptors(), before);
		ck_assert_uint_eq(all.kept_open, 0);
	}
}
END_TEST

#define COUNT(list) (int)(sizeof(list) / sizeof(list)[0])

int main(void)
{
	Suite *suite = suite_create("tracee");
	TCase *tests = tcase_create("tracee");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_loop_test(tests, what_is_shared_is_what_the_kernel_says, 0, COMBINATIONS);
	tcase_add_loop_test(tests, an_exec_leaves_nothing_shared_but_the_directory, 0, COMBINATIONS);
	tcase_add_loop_test(tests, a_copy_of_memory_has_its_slots_too, 0, 2);
	tcase_add_test(tests, what_cannot_be_asked_counts_as_shared_for_ever);
	tcase_add_test(tests, a_vfork_child_is_not_alone_beside_a_third);
	tcase_add_test(tests, a_vfork_child_outlives_its_maker);
	tcase_add_test(tests, who_was_let_make_a_task_is_counted_once);
	tcase_add_test(tests, sockets_of_the_run_are_known_whatever_their_name);
	tcase_add_test(tests, ipc_objects_of_the_run_are_known_by_kind_and_number);
	tcase_add_test(tests, the_program_of_a_process_has_a_name);
	tcase_add_loop_test(tests, memory_is_private_only_where_nobody_else_has_the_page, 0, COUNT(kinds));
	tcase_add_loop_test(tests, a_page_of_a_file_has_the_files_name, 0, COUNT(kinds));
	tcase_add_test(tests, addresses_of_nobody_are_not_private);
	tcase_add_test(tests, a_task_that_is_gone_has_no_private_memory);
	tcase_add_test(tests, kept_descriptors_are_closed_with_their_memory);
	suite_add_tcase(suite, tests);
	return help_run(suite);
}
