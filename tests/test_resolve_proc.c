/* SPDX-License-Identifier: MIT */
/* test_resolve_proc.c - /proc with the eyes of a task: itself, its threads, its descriptors, others of the run,
 * strangers. */
#include "resolve_help.h"

#include <sched.h>
#include <sys/syscall.h>

static const struct row proc[] = {
	{CWD, "/proc/self", FOLLOW, 0, "/proc/%", "/proc/self", OWN | RUN, DIR_},
	{CWD, "/proc/self", NOFOLLOW, 0, "/proc/self", NULL, 0, LINK_},
	{CWD, "/proc/self/", NOFOLLOW, 0, "/proc/%", "/proc/self", OWN | RUN | SLASH, DIR_},
	{CWD, "/proc/self/status", FOLLOW, 0, "/proc/%/status", "/proc/self/status", OWN | RUN, FILE_},
	{CWD, "/proc//self/./status", FOLLOW, 0, "/proc/%/status", "/proc/self/status", OWN | RUN, FILE_},
	{CWD, "/proc/self/../self/status", FOLLOW, 0, "/proc/%/status", "/proc/self/status", OWN | RUN, FILE_},
	{CWD, "/proc/self/mem", FOLLOW, 0, "/proc/%/mem", "/proc/self/mem", OWN | RUN, FILE_},
	{CWD, "/proc/%/mem", FOLLOW, 0, "/proc/%/mem", "/proc/self/mem", OWN | RUN, FILE_},
	{CWD, "/proc/thread-self", FOLLOW, 0, "/proc/%/task/%", "/proc/self/task/%", OWN | RUN, DIR_},
	{CWD, "/proc/thread-self", NOFOLLOW, 0, "/proc/thread-self", NULL, 0, LINK_},
	{CWD, "/proc/thread-self/comm", FOLLOW, 0, "/proc/%/task/%/comm", "/proc/self/task/%/comm", OWN | RUN, FILE_},
	{CWD, "/proc/thread-self/cwd/g", FOLLOW, 0, "@/d/g", NULL, MAGIC, FILE_},
	{CWD, "/proc/self/cwd", FOLLOW, 0, "@/d", NULL, MAGIC, DIR_},
	{CWD, "/proc/self/cwd", NOFOLLOW, 0, "/proc/%/cwd", "/proc/self/cwd", OWN | RUN, LINK_},
	{CWD, "/proc/self/cwd/", NOFOLLOW, 0, "@/d", NULL, MAGIC | SLASH, DIR_},
	{CWD, "/proc/self/cwd/g", NOFOLLOW, 0, "@/d/g", NULL, MAGIC, FILE_},
	{CWD, "/proc/self/cwd/../link", FOLLOW, 0, "@/f", NULL, MAGIC, FILE_},
	{CWD, "/proc/self/cwd/../link", NOFOLLOW, 0, "@/link", NULL, MAGIC, LINK_},
	{CWD, "/proc/self/cwd/../dangling", FOLLOW | MAKES, 0, "@/missing", NULL, MAGIC | MISSING, 0},
	{CWD, "/proc/self/cwd/missing", FOLLOW | MAKES, 0, "@/d/missing", NULL, MAGIC | MISSING, 0},
	{CWD, "/proc/self/cwd/missing/", NOFOLLOW | MAKES, 0, "@/d/missing", NULL, MAGIC | MISSING | SLASH, 0},
	{CWD, "/proc/self/cwd/missing/x", FOLLOW | MAKES, -ENOENT, NULL, NULL, 0, 0},
	{CWD, "/proc/self/cwd/g/", FOLLOW, -ENOTDIR, NULL, NULL, 0, 0},
	{CWD, "/proc/self/cwd/g/x", FOLLOW | MAKES, -ENOTDIR, NULL, NULL, 0, 0},
	{CWD, "/proc/self/root", FOLLOW, 0, "/", NULL, MAGIC, DIR_},
	{CWD, "/proc/self/root/etc/passwd", FOLLOW, 0, "/etc/passwd", NULL, MAGIC, FILE_},
	{CWD, "/proc/self/exe", FOLLOW, 0, NULL, NULL, MAGIC, FILE_},
	{CWD, "/proc/self/cwd/../l38", FOLLOW, 0, "@/f", NULL, MAGIC, FILE_}, /* self, cwd and 38 more */
	{CWD, "/proc/self/cwd/../l39", FOLLOW, -ELOOP, NULL, NULL, 0, 0},
	{CWD, "/proc/self/cwd/../loop", FOLLOW, -ELOOP, NULL, NULL, 0, 0},
	{CWD, "@/to cwd", FOLLOW, 0, "@/d", NULL, MAGIC, DIR_},
	{CWD, "@/to cwd/g", FOLLOW, 0, "@/d/g", NULL, MAGIC, FILE_},
	{CWD, "@/to cwd", NOFOLLOW, 0, "@/to cwd", NULL, 0, LINK_},
	{CWD, "@/to self/status", FOLLOW, 0, "/proc/%/status", "/proc/self/status", OWN | RUN, FILE_},
	{CWD, "/proc/mounts", FOLLOW, 0, "/proc/%/mounts", "/proc/self/mounts", OWN | RUN, FILE_},
	{CWD, "/proc/missing", FOLLOW, -ENOENT, NULL, NULL, 0, 0},
	{CWD, "/proc/self/missing", FOLLOW, 0, "/proc/%/missing", "/proc/self/missing", OWN | RUN | MISSING, 0},
	{CWD, "/proc/version", FOLLOW, 0, "/proc/version", NULL, 0, FILE_},
	/* descriptors */
	{CWD, "/proc/self/fd/10", FOLLOW, 0, "@/f", NULL, MAGIC, FILE_},
	{CWD, "/proc/self/fd/10", NOFOLLOW, 0, "/proc/%/fd/10", "/proc/self/fd/10", OWN | RUN, LINK_},
	{CWD, "/dev/fd/10", FOLLOW, 0, "@/f", NULL, MAGIC, FILE_},
	{CWD, "@/to fd", FOLLOW, 0, "@/f", NULL, MAGIC, FILE_},
	{CWD, "/proc/self/task/%/fd/10", FOLLOW, 0, "@/f", NULL, MAGIC, FILE_},
	{CWD, "/proc/%/fd/10", FOLLOW, 0, "@/f", NULL, MAGIC, FILE_},
	{CWD, "/proc/self/fd/11/g", FOLLOW, 0, "@/d/g", NULL, MAGIC, FILE_},
	{CWD, "/proc/self/fd/11/new", FOLLOW | MAKES, 0, "@/d/new", NULL, MAGIC | MISSING, 0},
	{CWD, "/proc/self/fd/10/x", FOLLOW, -ENOTDIR, NULL, NULL, 0, 0},
	{CWD, "/proc/self/fd/12", FOLLOW, 0, NULL, NULL, MAGIC | NAMELESS, S_IFIFO},
	{CWD, "/proc/self/fd/13", FOLLOW, 0, "@/gone", NULL, MAGIC | NAMELESS | DELETED, FILE_},
	{CWD, "/proc/self/fd/14", FOLLOW, 0, "@/gone directory", NULL, MAGIC | NAMELESS | DELETED, DIR_},
	{CWD, "/proc/self/fd/14/x", FOLLOW | MAKES, -ENOENT, NULL, NULL, 0, 0},
	{CWD, "/proc/self/fd/15", FOLLOW, 0, NULL, NULL, MAGIC | NAMELESS, S_IFSOCK},
	{CWD, "/proc/self/fd/16", FOLLOW, 0, "@/name (deleted)", NULL, MAGIC, FILE_},
	{CWD, "/proc/self/fd/17", FOLLOW, 0, NULL, NULL, MAGIC | NAMELESS, FILE_},
	{CWD, "/proc/self/fd/18", FOLLOW, 0, "@/gone (deleted)", NULL, MAGIC | NAMELESS | DELETED, FILE_},
	{CWD, "/proc/self/fd/99", FOLLOW, 0, "/proc/%/fd/99", "/proc/self/fd/99", OWN | RUN | MISSING, 0},
	{CWD, "/proc/self/fd/10/../f", FOLLOW, -ENOTDIR, NULL, NULL, 0, 0},
	{CWD, "/proc/self/fd", FOLLOW, 0, "/proc/%/fd", "/proc/self/fd", OWN | RUN, DIR_},
	/* another process of the run */
	{CWD, "/proc/&/status", FOLLOW, 0, "/proc/&/status", "/proc/self/status", RUN, FILE_},
	{CWD, "/proc/&/mem", FOLLOW, 0, "/proc/&/mem", NULL, RUN, FILE_},
	{CWD, "/proc/&/cwd", FOLLOW, 0, "@/other", NULL, MAGIC | OTHER, DIR_},
	{CWD, "/proc/&/cwd/../f", FOLLOW, 0, "@/f", NULL, MAGIC | OTHER, FILE_},
	{CWD, "/proc/&/cwd", NOFOLLOW, 0, "/proc/&/cwd", "/proc/self/cwd", RUN, LINK_},
	/* strangers */
	{CWD, "/proc/?/status", FOLLOW, 0, "/proc/?/status", NULL, 0, FILE_},
	{CWD, "/proc/?/cwd", NOFOLLOW, 0, "/proc/?/cwd", NULL, 0, LINK_},
	{CWD, "/proc/?/cwd", FOLLOW, 0, "/proc/?/cwd", NULL, STRANGER | MISSING, 0},
	{CWD, "/proc/?/cwd/x", FOLLOW, 0, "/proc/?/cwd", NULL, STRANGER | MISSING, 0},
	{CWD, "/proc/?/root/etc/passwd", FOLLOW, 0, "/proc/?/root", NULL, STRANGER | MISSING, 0},
	{CWD, "/proc/?/fd/0", FOLLOW, 0, "/proc/?/fd/0", NULL, STRANGER | MISSING, 0},
	{CWD, "/proc/?/exe", FOLLOW, 0, "/proc/?/exe", NULL, STRANGER | MISSING, 0},
	{CWD, "/proc/!/status", FOLLOW, 0, "/proc/!/status", NULL, 0, FILE_},
	{CWD, "/proc/!/cwd", FOLLOW, 0, "/proc/!/cwd", NULL, STRANGER | MISSING, 0},
	{CWD, "/proc/!/cwd", NOFOLLOW, 0, "/proc/!/cwd", NULL, 0, LINK_},
	{CWD, "/proc/!/missing", FOLLOW | MAKES, 0, "/proc/!/missing", NULL, MISSING, 0},
};

START_TEST(proc_is_seen_with_the_tasks_eyes)
{
	assert_row(&proc[_i]);
}
END_TEST

static const struct {
	const char *path;
	int fd;
} by_descriptor[] = {
	{"/proc/self/fd/10", 10}, {"/dev/fd/12", 12}, {"/proc/thread-self/fd/13", 13},
	{"/proc/%/fd/10", 10},	  {"@/to fd", 10},    {"/proc/self/cwd", -1},
	{"/proc/&/fd/0", -1},	  {"@/f", -1},	      {"/proc/self/fd/11/../../../proc/self/cwd", -1},
};

START_TEST(a_descriptor_that_was_gone_through_is_told)
{
	char path[PATH_MAX];
	struct row row = {.dirfd = CWD};

	resolve_row(&row, expand(by_descriptor[_i].path, path, sizeof path));
	ck_assert_int_eq(at.magic_fd, by_descriptor[_i].fd);
}
END_TEST

/* ---- descriptors themselves --------------------------------------------- */

static const struct {
	int fd, error;
	const char *name;
	unsigned what;
	mode_t type;
} descriptors[] = {
	{FD_FILE, 0, "@/f", 0, FILE_},
	{FD_DIRECTORY, 0, "@/d", 0, DIR_},
	{FD_CALLED_DELETED, 0, "@/name (deleted)", 0, FILE_},
	{FD_DELETED, 0, "@/gone", NAMELESS | DELETED, FILE_},
	{FD_TWICE, 0, "@/gone (deleted)", NAMELESS | DELETED, FILE_},
	{FD_DELETED_DIRECTORY, 0, "@/gone directory", NAMELESS | DELETED, DIR_},
	{FD_PIPE, 0, NULL, NAMELESS, S_IFIFO},
	{FD_SOCKET, 0, NULL, NAMELESS, S_IFSOCK},
	{FD_MEMFD, 0, NULL, NAMELESS, FILE_},
	{FD_NONE, -EBADF, NULL, 0, 0},
	{-1, -EBADF, NULL, 0, 0},
	{INT_MAX, -EBADF, NULL, 0, 0},
	{INT_MIN, -EBADF, NULL, 0, 0},
};

START_TEST(a_descriptor_has_the_name_of_its_object)
{
	char expected[PATH_MAX];

	resolve_fd(&all, task, descriptors[_i].fd, &at);
	ck_assert_int_eq(at.error, descriptors[_i].error);
	if (at.error)
		return;
	ck_assert_uint_eq(what_it_is(), descriptors[_i].what);
	ck_assert_int_eq(at.type, descriptors[_i].type);
	if (descriptors[_i].name)
		ck_assert_str_eq(at.name, expand(descriptors[_i].name, expected, sizeof expected));
}
END_TEST

/* ---- threads ------------------------------------------------------------ */

static unsigned long thread_flags;

static void make_thread(void)
{
	static char stack[65536];

	stand();
	syscall(SYS_clone, CLONE_VM | CLONE_SIGHAND | CLONE_THREAD | thread_flags, stack + sizeof stack - 64, NULL,
		NULL, 0);
	for (;;) /* the new one would come here as well; it is never let go */
		pause();
}

static const struct {
	unsigned long flags;
	const char *path; /* ~: the thread */
	const char *judged;
	bool others; /* somebody else's table or directory is gone through */
	int fd;
} threads[] = {
	{CLONE_FILES | CLONE_FS, "/proc/self/fd/10", NULL, false, 10},
	{CLONE_FILES | CLONE_FS, "/proc/thread-self/fd/10", NULL, false, 10},
	{CLONE_FILES | CLONE_FS, "/proc/self/cwd", NULL, false, -1},
	/* /proc/self shows what the first thread has */
	{CLONE_FS, "/proc/self/fd/10", NULL, true, -1},
	{CLONE_FS, "/proc/self/task/%/fd/10", NULL, true, -1},
	{CLONE_FS, "/proc/thread-self/fd/10", NULL, false, 10},
	{CLONE_FS, "/proc/self/task/~/fd/10", NULL, false, 10},
	{CLONE_FS, "/proc/~/fd/10", NULL, false, 10},
	{CLONE_FILES, "/proc/self/cwd", NULL, true, -1},
	{CLONE_FILES, "/proc/thread-self/cwd", NULL, false, -1},
	{CLONE_FILES, "/proc/self/root", NULL, true, -1},
	/* no links */
	{0, "/proc/self/status", "/proc/self/status", false, -1},
	{0, "/proc/thread-self/comm", "/proc/self/task/~/comm", false, -1},
	{0, "/proc/self/task/~/comm", "/proc/self/task/~/comm", false, -1},
};

START_TEST(a_threads_own_table_and_directory_are_told_from_its_processs)
{
	char path[PATH_MAX], judged[PATH_MAX];
	struct row row = {.dirfd = CWD};
	unsigned long number;

	traced_end(child);
	tracee_free(&all);
	thread_flags = threads[_i].flags;
	child = traced_before(make_thread, PTRACE_O_TRACECLONE);
	ck_assert_int_eq(ptrace(PTRACE_CONT, child, NULL, NULL), 0);
	ck_assert_int_eq(traced_wait(child) >> 16, PTRACE_EVENT_CLONE);
	ck_assert_int_eq(ptrace(PTRACE_GETEVENTMSG, child, NULL, &number), 0);
	thread = (pid_t)number;
	traced_wait(thread);
	task = tracee_add(&all, thread, tracee_add(&all, child, NULL, false, -1), false, -1);
	resolve_row(&row, expand(threads[_i].path, path, sizeof path));
	ck_assert_int_eq(at.error, 0);
	ck_assert_int_eq(at.magic_other, threads[_i].others);
	ck_assert_int_eq(at.magic_fd, threads[_i].fd);
	if (threads[_i].judged)
		ck_assert_str_eq(at.judged, expand(threads[_i].judged, judged, sizeof judged));
	traced_end(thread); /* before its leader, which is waited for last */
}
END_TEST

START_TEST(descriptors_are_given_back)
{
	char path[PATH_MAX];
	struct row row = {.dirfd = CWD};
	int first = open("/", O_PATH);

	close(first);
	for (size_t i = 0; i < sizeof proc / sizeof proc[0]; i++) {
		row.how = proc[i].how;
		resolve_row(&row, expand(proc[i].path, path, sizeof path));
		resolve_close(&at);
		ck_assert_int_eq(at.fd, -1);
		int next = open("/", O_PATH);
		ck_assert_msg(next == first, "%s", path);
		close(next);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("resolve_proc");
	TCase *tests = tcase_create("resolve_proc");

	tcase_add_checked_fixture(tests, resolve_setup, resolve_teardown);
	tcase_add_loop_test(tests, proc_is_seen_with_the_tasks_eyes, 0, COUNT(proc));
	tcase_add_loop_test(tests, a_descriptor_that_was_gone_through_is_told, 0, COUNT(by_descriptor));
	tcase_add_loop_test(tests, a_descriptor_has_the_name_of_its_object, 0, COUNT(descriptors));
	tcase_add_loop_test(tests, a_threads_own_table_and_directory_are_told_from_its_processs, 0, COUNT(threads));
	tcase_add_test(tests, descriptors_are_given_back);
	suite_add_tcase(suite, tests);
	return help_run(suite);
}
