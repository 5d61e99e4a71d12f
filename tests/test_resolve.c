/* SPDX-License-Identifier: MIT */
/*
 * test_resolve.c - what a name means to a task: links, what is missing, what was deleted, and how long all that may be.
 * Where the kernel's own answer can be had, it is compared.
 */
#include "resolve_help.h"

#include <linux/openat2.h>

#include "walk.h"

static const struct row plain[] = {
	{CWD, "g", FOLLOW, 0, "@/d/g", NULL, 0, FILE_},
	{CWD, "./g", FOLLOW, 0, "@/d/g", NULL, 0, FILE_},
	{CWD, "../f", FOLLOW, 0, "@/f", NULL, 0, FILE_},
	{CWD, "../../../../../../../../etc/passwd", FOLLOW, 0, "/etc/passwd", NULL, 0, FILE_},
	{CWD, "sub/../g", FOLLOW, 0, "@/d/g", NULL, 0, FILE_},
	{CWD, ".", FOLLOW, 0, "@/d", NULL, 0, DIR_},
	{CWD, ".", NOFOLLOW, 0, "@/d", NULL, 0, DIR_},
	{CWD, "..", FOLLOW, 0, "@", NULL, 0, DIR_},
	{CWD, "", FOLLOW, -ENOENT, NULL, NULL, 0, 0},
	{CWD, "", FOLLOW | MAKES, -ENOENT, NULL, NULL, 0, 0},
	{CWD, "/", FOLLOW, 0, "/", NULL, SLASH, DIR_},
	{CWD, "///", FOLLOW | MAKES, 0, "/", NULL, SLASH, DIR_},
	{CWD, "/..", FOLLOW, 0, "/", NULL, 0, DIR_},
	{CWD, "@/f", FOLLOW, 0, "@/f", NULL, 0, FILE_},
	{CWD, "@//d///g", FOLLOW, 0, "@/d/g", NULL, 0, FILE_},
	{CWD, "@/d/.././f", FOLLOW, 0, "@/f", NULL, 0, FILE_},
	{CWD, "@/d/", FOLLOW, 0, "@/d", NULL, SLASH, DIR_},
	{CWD, "@/d//.//", FOLLOW, 0, "@/d", NULL, SLASH, DIR_},
	{CWD, "@/\n\033[31m\xff", FOLLOW, 0, "@/\n\033[31m\xff", NULL, 0, FILE_},
	{CWD, "@/f/", FOLLOW, -ENOTDIR, NULL, NULL, 0, 0},
	{CWD, "@/f/", NOFOLLOW | MAKES, -ENOTDIR, NULL, NULL, 0, 0},
	{CWD, "@/f/.", FOLLOW, -ENOTDIR, NULL, NULL, 0, 0},
	{CWD, "@/f/x", FOLLOW, -ENOTDIR, NULL, NULL, 0, 0},
	{CWD, "@/f/x", FOLLOW | MAKES, -ENOTDIR, NULL, NULL, 0, 0},
	{CWD, "@/f/../g", FOLLOW, -ENOTDIR, NULL, NULL, 0, 0},
	/* links */
	{CWD, "@/link", FOLLOW, 0, "@/f", NULL, 0, FILE_},
	{CWD, "@/link", NOFOLLOW, 0, "@/link", NULL, 0, LINK_},
	{CWD, "@/link", NOFOLLOW | MAKES, 0, "@/link", NULL, 0, LINK_},
	{CWD, "@/link/", FOLLOW, -ENOTDIR, NULL, NULL, 0, 0},
	{CWD, "@/link/", NOFOLLOW, -ENOTDIR, NULL, NULL, 0, 0},
	{CWD, "@/dlink", FOLLOW, 0, "@/d", NULL, 0, DIR_},
	{CWD, "@/dlink", NOFOLLOW, 0, "@/dlink", NULL, 0, LINK_},
	{CWD, "@/dlink/", NOFOLLOW, 0, "@/d", NULL, SLASH, DIR_},
	{CWD, "@/dlink/.", NOFOLLOW, 0, "@/d", NULL, 0, DIR_},
	{CWD, "@/dlink/g", NOFOLLOW, 0, "@/d/g", NULL, 0, FILE_},
	{CWD, "@/dlink/../f", FOLLOW, 0, "@/f", NULL, 0, FILE_},
	{CWD, "@/abs/g", FOLLOW, 0, "@/d/g", NULL, 0, FILE_},
	{CWD, "@/slashed", FOLLOW, 0, "@/d", NULL, 0, DIR_},
	{CWD, "@/slashed/g", FOLLOW, 0, "@/d/g", NULL, 0, FILE_},
	{CWD, "@/l40", FOLLOW, 0, "@/f", NULL, 0, FILE_},
	{CWD, "@/l40", NOFOLLOW, 0, "@/l40", NULL, 0, LINK_},
	{CWD, "@/l41", FOLLOW, -ELOOP, NULL, NULL, 0, 0},
	{CWD, "@/l41", NOFOLLOW, 0, "@/l41", NULL, 0, LINK_},
	{CWD, "@/loop", FOLLOW, -ELOOP, NULL, NULL, 0, 0},
	{CWD, "@/loop", NOFOLLOW, 0, "@/loop", NULL, 0, LINK_},
	{CWD, "@/loop/x", NOFOLLOW | MAKES, -ELOOP, NULL, NULL, 0, 0},
	/* missing */
	{CWD, "missing", FOLLOW, -ENOENT, NULL, NULL, 0, 0},
	{CWD, "missing", FOLLOW | MAKES, 0, "@/d/missing", NULL, MISSING, 0},
	{CWD, "@/missing", NOFOLLOW | MAKES, 0, "@/missing", NULL, MISSING, 0},
	{CWD, "@/missing/", NOFOLLOW | MAKES, 0, "@/missing", NULL, MISSING | SLASH, 0},
	{CWD, "@/missing///", FOLLOW | MAKES, 0, "@/missing", NULL, MISSING | SLASH, 0},
	{CWD, "@/missing/x", FOLLOW | MAKES, -ENOENT, NULL, NULL, 0, 0},
	{CWD, "@/missing/.", NOFOLLOW | MAKES, -ENOENT, NULL, NULL, 0, 0},
	{CWD, "@/missing/..", NOFOLLOW | MAKES, -ENOENT, NULL, NULL, 0, 0},
	{CWD, "@/missing/../f", FOLLOW, -ENOENT, NULL, NULL, 0, 0},
	{CWD, "/missing", FOLLOW | MAKES, 0, "/missing", NULL, MISSING, 0},
	{CWD, "//missing", FOLLOW | MAKES, 0, "/missing", NULL, MISSING, 0},
	{CWD, "@/dlink/missing", NOFOLLOW | MAKES, 0, "@/d/missing", NULL, MISSING, 0},
	{CWD, "@/dlink/../missing", NOFOLLOW | MAKES, 0, "@/missing", NULL, MISSING, 0},
	{CWD, "@/dangling", NOFOLLOW | MAKES, 0, "@/dangling", NULL, 0, LINK_},
	{CWD, "@/dangling", FOLLOW | MAKES, 0, "@/missing", NULL, MISSING, 0},
	{CWD, "@/dangling twice", FOLLOW | MAKES, 0, "@/missing", NULL, MISSING, 0},
	{CWD, "@/dangling far", FOLLOW | MAKES, -ENOENT, NULL, NULL, 0, 0},
	{CWD, "@/dangling/x", FOLLOW | MAKES, -ENOENT, NULL, NULL, 0, 0},
	/* names that look as if they were not there */
	{CWD, "@/name (deleted)", FOLLOW, 0, "@/name (deleted)", NULL, 0, FILE_},
	{CWD, "@/dir (deleted)", FOLLOW, 0, "@/dir (deleted)", NULL, 0, DIR_},
	{CWD, "@/dir (deleted)/x", FOLLOW, 0, "@/dir (deleted)/x", NULL, 0, FILE_},
	{CWD, "@/dir (deleted)/y", FOLLOW | MAKES, 0, "@/dir (deleted)/y", NULL, MISSING, 0},
	{CWD, "@/new (deleted)", FOLLOW | MAKES, 0, "@/new (deleted)", NULL, MISSING, 0},
	/* from a descriptor */
	{FD_DIRECTORY, "g", FOLLOW, 0, "@/d/g", NULL, 0, FILE_},
	{FD_DIRECTORY, "../f", FOLLOW, 0, "@/f", NULL, 0, FILE_},
	{FD_DIRECTORY, "new", NOFOLLOW | MAKES, 0, "@/d/new", NULL, MISSING, 0},
	{FD_FILE, "x", FOLLOW, -ENOTDIR, NULL, NULL, 0, 0},
	{FD_FILE, "x", FOLLOW | MAKES, -ENOTDIR, NULL, NULL, 0, 0},
	{FD_FILE, ".", FOLLOW, -ENOTDIR, NULL, NULL, 0, 0},
	{FD_PIPE, "x", FOLLOW, -ENOTDIR, NULL, NULL, 0, 0},
	{FD_NONE, "x", FOLLOW, -EBADF, NULL, NULL, 0, 0},
	{-5, "x", FOLLOW, -EBADF, NULL, NULL, 0, 0},
	{INT_MAX, "x", FOLLOW, -EBADF, NULL, NULL, 0, 0},
	{FD_NONE, "@/f", FOLLOW, 0, "@/f", NULL, 0, FILE_},
	{FD_DELETED_DIRECTORY, "x", FOLLOW, -ENOENT, NULL, NULL, 0, 0},
	{FD_DELETED_DIRECTORY, "x", FOLLOW | MAKES, -ENOENT, NULL, NULL, 0, 0},
	{FD_DELETED_DIRECTORY, ".", FOLLOW, 0, "@/gone directory", NULL, NAMELESS | DELETED, DIR_},
	{FD_DELETED_DIRECTORY, "..", FOLLOW, 0, "@", NULL, 0, DIR_},
};

/* ---- the kernel's own answer -------------------------------------------- */

struct answer {
	int error;
	dev_t dev;
	ino_t ino;
};

/* What a process that stands where the child stands gets. */
static struct answer ask_kernel(const struct row *row, const char *path)
{
	struct answer *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0),
		      answer;

	ck_assert_ptr_ne(shared, MAP_FAILED);
	pid_t twin = fork();
	if (twin == 0) {
		struct stat st;
		stand();
		int fd = openat(row->dirfd, path, O_PATH | (row->how & NOFOLLOW ? O_NOFOLLOW : 0));
		shared->error = fd < 0 ? -errno : 0;
		if (fd >= 0 && fstat(fd, &st) == 0) {
			shared->dev = st.st_dev;
			shared->ino = st.st_ino;
		}
		_exit(0);
	}
	ck_assert_int_eq(waitpid(twin, NULL, 0), twin);
	answer = *shared;
	munmap(shared, sizeof *shared);
	return answer;
}

/* ---- tests -------------------------------------------------------------- */

START_TEST(a_name_means_what_the_kernel_says)
{
	const struct row *row = &plain[_i];
	char path[PATH_MAX];

	assert_row(row);
	struct answer answer = ask_kernel(row, expand(row->path, path, sizeof path));
	ck_assert_int_eq(answer.error, at.error ? at.error : at.exists ? 0 : -ENOENT);
	if (at.error == 0 && at.exists && !at.deleted) /* the twin has a deleted directory of its own */
		ck_assert(answer.dev == at.held.st_dev && answer.ino == at.held.st_ino);
}
END_TEST

/* The way that is made step by step must agree with the one that the kernel makes at once. */
START_TEST(step_by_step_is_the_same_as_at_once)
{
	const struct row *row = &plain[_i];
	char path[PATH_MAX], name[PATH_MAX];
	struct walk walk;
	struct stat st;
	int base = open("d", O_PATH);

	if (row->dirfd != CWD || !*row->path)
		return;
	expand(row->path, path, sizeof path);
	bool follow = !(row->how & NOFOLLOW) || path[strlen(path) - 1] == '/';
	int r = walk_steps(&all, task, base, path, follow, &walk);
	resolve_row(row, path);
	if (r < 0) {
		ck_assert_int_eq(at.error, r);
		ck_assert_int_eq(walk.fd, -1);
	} else if (walk.missing[0]) {
		ck_assert(at.error == -ENOENT || !at.exists);
	} else if (fstat(walk.fd, &st) == 0 && at.error == 0) {
		ck_assert(at.exists && st.st_dev == at.held.st_dev && st.st_ino == at.held.st_ino);
		ck_assert_int_eq(walk_name(walk.fd, name, sizeof name), (ssize_t)at.length);
	} else {
		ck_assert_int_eq(at.error, -ENOTDIR); /* a slash behind a file: the caller's to see */
	}
	close(base);
	if (walk.fd >= 0)
		close(walk.fd);
}
END_TEST

/* ---- how openat2 wants it ----------------------------------------------- */

static const struct {
	int dirfd;
	const char *path;
	uint64_t how;
	int error;
	const char *name;
} asked[] = {
	{CWD, "g", RESOLVE_BENEATH, 0, "@/d/g"},
	{CWD, "../f", RESOLVE_BENEATH, -EXDEV, NULL},
	{CWD, "@/f", RESOLVE_BENEATH, -EXDEV, NULL},
	{FD_DIRECTORY, "sub/../g", RESOLVE_BENEATH, 0, "@/d/g"},
	{CWD, "../link", RESOLVE_NO_SYMLINKS, -ELOOP, NULL},
	{CWD, "../f", RESOLVE_NO_SYMLINKS, 0, "@/f"},
	{CWD, "../link", RESOLVE_NO_MAGICLINKS, 0, "@/f"},
	{CWD, "/proc/self/cwd/g", RESOLVE_NO_MAGICLINKS, -ELOOP, NULL},
	{CWD, "/proc/self/status", RESOLVE_NO_MAGICLINKS, 0, "/proc/%/status"},
	{CWD, "@/to fd", RESOLVE_NO_MAGICLINKS, -ELOOP, NULL},
	{FD_DIRECTORY, "/g", RESOLVE_IN_ROOT, 0, "@/d/g"},
	{FD_DIRECTORY, "/../../../g", RESOLVE_IN_ROOT, 0, "@/d/g"},
	{FD_DIRECTORY, "../f", RESOLVE_IN_ROOT, -ENOENT, NULL},
	{CWD, "/proc/version", RESOLVE_NO_XDEV, -EXDEV, NULL},
	{CWD, "g", RESOLVE_NO_XDEV, 0, "@/d/g"},
	{CWD, "g", RESOLVE_BENEATH | RESOLVE_IN_ROOT, -EINVAL, NULL},
	{CWD, "g", UINT64_C(1) << 40, -EINVAL, NULL},
};

START_TEST(what_openat2_asks_of_the_walk_is_kept)
{
	char path[PATH_MAX], expected[PATH_MAX];

	expand(asked[_i].path, path, sizeof path);
	resolve_as(&all, task, asked[_i].dirfd, path, RESOLVE_FOLLOW, false, asked[_i].how, &at);
	ck_assert_msg(at.error == asked[_i].error, "%s: %d (%s)", path, at.error, at.name);
	if (!at.error)
		ck_assert_str_eq(at.name, expand(asked[_i].name, expected, sizeof expected));
}
END_TEST

/* ---- how long it may be ------------------------------------------------- */

/* A path of `length` bytes that leads to @/d/g. */
static void long_path(char *path, size_t length, const char *start)
{
	size_t n = strlen(start);

	memcpy(path, start, n);
	if ((length - n) % 2 == 0)
		path[n++] = '/';
	while (n + 1 < length) {
		path[n++] = '.';
		path[n++] = '/';
	}
	path[n++] = 'g';
	path[n] = 0;
}

static const struct {
	const char *start;
	size_t length;
	int error;
} lengths[] = {
	{"./", 4094, 0},	{"./", 4095, 0}, {"/proc/self/cwd/", 4094, 0}, {"/proc/self/cwd/", 4095, 0},
	{"../dlink/", 4095, 0},
};

START_TEST(a_path_may_be_as_long_as_the_kernel_takes_it)
{
	char path[PATH_MAX], expected[PATH_MAX];
	struct row row = {.dirfd = CWD};

	long_path(path, lengths[_i].length, lengths[_i].start);
	ck_assert_uint_eq(strlen(path), lengths[_i].length);
	resolve_row(&row, path);
	ck_assert_int_eq(at.error, lengths[_i].error);
	ck_assert_str_eq(at.name, expand("@/d/g", expected, sizeof expected));
}
END_TEST

static const struct {
	const char *start;
	int length, how, error;
} components[] = {
	{"", 255, FOLLOW, -ENOENT},
	{"", 255, FOLLOW | MAKES, 0},
	{"", 256, FOLLOW, -ENAMETOOLONG},
	{"", 256, NOFOLLOW | MAKES, -ENAMETOOLONG},
	{"/proc/self/cwd/", 255, FOLLOW | MAKES, 0},
	{"/proc/self/cwd/", 256, FOLLOW | MAKES, -ENAMETOOLONG},
	{"../dlink/", 255, NOFOLLOW | MAKES, 0},
	{"../dlink/", 256, NOFOLLOW | MAKES, -ENAMETOOLONG},
};

START_TEST(a_component_may_be_as_long_as_the_kernel_takes_it)
{
	char path[PATH_MAX];
	struct row row = {.dirfd = CWD, .how = components[_i].how};
	int n = snprintf(path, sizeof path, "%s", components[_i].start);

	memset(path + n, 'n', (size_t)components[_i].length);
	path[n + components[_i].length] = 0;
	resolve_row(&row, path);
	ck_assert_int_eq(at.error, components[_i].error);
	if (!at.error) {
		ck_assert(!at.exists);
		ck_assert_uint_eq(strlen(strrchr(at.name, '/') + 1), (size_t)components[_i].length);
	}
}
END_TEST

enum { DEEP_NAME = 200 };
static int deep; /* bytes of the name of the directory below @ */

/* Go down until the name has `deep` bytes. */
static void stand_deep(void)
{
	char name[NAME_MAX + 1];
	int left = deep;

	while (left > 0) {
		int n = left > DEEP_NAME + 2 ? DEEP_NAME : left - 1;
		memset(name, 'n', (size_t)n);
		name[n] = 0;
		if ((mkdir(name, 0755) < 0 && errno != EEXIST) || chdir(name) < 0)
			_exit(1);
		left -= n + 1;
	}
}

static void start_deep(int bytes)
{
	traced_end(child);
	tracee_free(&all);
	deep = bytes;
	child = traced_after(stand_deep, 0);
	task = tracee_add(&all, child, NULL, false, -1);
}

START_TEST(a_name_that_no_path_can_have_is_too_long)
{
	struct row row = {.dirfd = CWD};

	start_deep(3 * PATH_MAX);
	resolve_row(&row, ".");
	ck_assert_int_eq(at.error, -ENAMETOOLONG);
	resolve_close(&at);
	row.how = MAKES;
	resolve_row(&row, "missing");
	ck_assert_int_eq(at.error, -ENAMETOOLONG);
	resolve_close(&at);
	resolve_row(&row, "/proc/self/cwd/missing");
	ck_assert_int_eq(at.error, -ENAMETOOLONG);
}
END_TEST

START_TEST(a_name_that_is_nearly_too_long_is_whole)
{
	struct row row = {.dirfd = CWD, .how = MAKES};
	char path[NAME_MAX + 1];
	int here = PATH_MAX - 2 - (int)strlen(help_directory);

	start_deep(here);
	resolve_row(&row, ".");
	ck_assert_int_eq(at.error, 0);
	ck_assert_uint_eq(at.length, PATH_MAX - 2);
	resolve_close(&at);
	memset(path, 'm', NAME_MAX);
	path[NAME_MAX] = 0;
	resolve_row(&row, path);
	ck_assert_int_eq(at.error, 0);
	ck_assert_uint_eq(at.length, PATH_MAX - 2 + 1 + NAME_MAX);
	ck_assert_uint_eq(strlen(at.judged), at.length);
}
END_TEST

/* ---- a working directory that is gone ----------------------------------- */

static void stand_nowhere(void)
{
	if (mkdir("away", 0755) < 0 || chdir("away") < 0 || rmdir("../away") < 0)
		_exit(1);
}

START_TEST(nothing_is_made_where_nothing_is)
{
	struct row row = {.dirfd = CWD};

	traced_end(child);
	tracee_free(&all);
	child = traced_after(stand_nowhere, 0);
	task = tracee_add(&all, child, NULL, false, -1);
	resolve_row(&row, ".");
	ck_assert(at.error == 0 && at.exists && at.nameless && at.deleted);
	resolve_close(&at);
	resolve_row(&row, "..");
	ck_assert_str_eq(at.name, help_directory);
	resolve_close(&at);
	for (row.how = 0; row.how <= MAKES; row.how += MAKES) {
		resolve_row(&row, "x");
		ck_assert_int_eq(at.error, -ENOENT);
		resolve_close(&at);
		resolve_row(&row, "/proc/self/cwd/x");
		ck_assert_int_eq(at.error, -ENOENT);
		resolve_close(&at);
	}
}
END_TEST

START_TEST(a_task_that_is_gone_has_no_names)
{
	struct row row = {.dirfd = CWD};

	traced_end(child);
	resolve_row(&row, "x");
	ck_assert_int_lt(at.error, 0);
	ck_assert_int_eq(at.fd, -1);
	resolve_fd(&all, task, FD_FILE, &at);
	ck_assert_int_lt(at.error, 0);
	child = traced_after(stand_elsewhere, 0);
}
END_TEST

/* ---- what the mode bits say --------------------------------------------- */

static const struct {
	mode_t mode;
	int access, error; /* to somebody who is not root */
} modes[] = {
	{0000, R_OK, -EACCES}, {0400, R_OK, 0}, {0400, W_OK, -EACCES}, {0600, R_OK | W_OK, 0},
	{0600, X_OK, -EACCES}, {0700, X_OK, 0}, {0000, 0, 0},
};

START_TEST(mode_bits_are_asked_of_the_kernel)
{
	struct row row = {.dirfd = CWD};

	ck_assert_int_eq(chmod("f", modes[_i].mode), 0);
	resolve_row(&row, "../f");
	int expected = modes[_i].error;
	if (geteuid() == 0 && !(modes[_i].access & X_OK))
		expected = 0;
	ck_assert_int_eq(resolve_ordinary(&at, modes[_i].access), expected);
	ck_assert_int_eq(chmod("f", 0644), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("resolve");
	TCase *tests = tcase_create("resolve");

	tcase_add_checked_fixture(tests, resolve_setup, resolve_teardown);
	tcase_add_loop_test(tests, a_name_means_what_the_kernel_says, 0, COUNT(plain));
	tcase_add_loop_test(tests, step_by_step_is_the_same_as_at_once, 0, COUNT(plain));
	tcase_add_loop_test(tests, what_openat2_asks_of_the_walk_is_kept, 0, COUNT(asked));
	tcase_add_loop_test(tests, a_path_may_be_as_long_as_the_kernel_takes_it, 0, COUNT(lengths));
	tcase_add_loop_test(tests, a_component_may_be_as_long_as_the_kernel_takes_it, 0, COUNT(components));
	tcase_add_test(tests, a_name_that_no_path_can_have_is_too_long);
	tcase_add_test(tests, a_name_that_is_nearly_too_long_is_whole);
	tcase_add_test(tests, nothing_is_made_where_nothing_is);
	tcase_add_test(tests, a_task_that_is_gone_has_no_names);
	tcase_add_loop_test(tests, mode_bits_are_asked_of_the_kernel, 0, COUNT(modes));
	suite_add_tcase(suite, tests);
	return help_run(suite);
}
