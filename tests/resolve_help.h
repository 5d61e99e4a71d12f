/* SPDX-License-Identifier: MIT */
/*
 * resolve_help.h - for tests of names: a tree with everything that a name can meet, a stopped child that stands in it,
 * and tables of what its names mean.
 *
 * In names: @ is the test's directory, % the child, & another process of the run, ? a stranger, ! the supervisor (the
 * test), ~ a thread of the child.
 */
#ifndef PICKET_TESTS_RESOLVE_HELP_H
#define PICKET_TESTS_RESOLVE_HELP_H

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "policy_help.h"
#include "resolve.h"
#include "traced.h"

enum {
	FD_FILE = 10,
	FD_DIRECTORY,
	FD_PIPE,
	FD_DELETED,
	FD_DELETED_DIRECTORY,
	FD_SOCKET,
	FD_CALLED_DELETED,
	FD_MEMFD,
	FD_TWICE,
	FD_NONE = 99,
	LINKS_MOST = 40, /* path_resolution(7) */
};

static struct tracees all;
static struct task *task;
static pid_t child, other, stranger, thread;
static struct resolved at; /* large */

/* ---- the tree, and who stands in it ------------------------------------- */

static inline void make_tree(void)
{
	char name[64], target[64];

	ck_assert_int_eq(mkdir("d", 0755), 0);
	ck_assert_int_eq(mkdir("d/sub", 0755), 0);
	ck_assert_int_eq(mkdir("other", 0755), 0);
	ck_assert_int_eq(mkdir("dir (deleted)", 0755), 0);
	help_write("f", "f", 1);
	help_write("d/g", "g", 1);
	help_write("name (deleted)", "n", 1);
	help_write("dir (deleted)/x", "x", 1);
	help_write("\n\033[31m\xff", "x", 1);
	ck_assert_int_eq(symlink("f", "link"), 0);
	ck_assert_int_eq(symlink("d", "dlink"), 0);
	snprintf(target, sizeof target, "%s/d", help_directory);
	ck_assert_int_eq(symlink(target, "abs"), 0);
	ck_assert_int_eq(symlink("d/", "slashed"), 0);
	ck_assert_int_eq(symlink("missing", "dangling"), 0);
	ck_assert_int_eq(symlink("nowhere/missing", "dangling far"), 0);
	ck_assert_int_eq(symlink("dangling", "dangling twice"), 0);
	ck_assert_int_eq(symlink("loop", "loop"), 0);
	ck_assert_int_eq(symlink("/proc/self/cwd", "to cwd"), 0);
	ck_assert_int_eq(symlink("/proc/self/fd/10", "to fd"), 0);
	ck_assert_int_eq(symlink("/proc/self", "to self"), 0);
	ck_assert_int_eq(symlink("f", "l1"), 0);
	for (int i = 2; i <= LINKS_MOST + 2; i++) {
		snprintf(name, sizeof name, "l%d", i);
		snprintf(target, sizeof target, "l%d", i - 1);
		ck_assert_int_eq(symlink(target, name), 0);
	}
}

static inline void hold(const char *name, int flags, int as)
{
	int fd = open(name, flags, 0644);

	if (fd < 0 || dup2(fd, as) != as)
		_exit(1);
	close(fd);
}

/* The child: in @/d, with descriptors of every kind. */
static inline void stand(void)
{
	int fds[2];

	hold("f", O_RDONLY, FD_FILE);
	hold("d", O_RDONLY, FD_DIRECTORY);
	hold("name (deleted)", O_RDONLY, FD_CALLED_DELETED);
	hold("gone", O_CREAT | O_RDWR, FD_DELETED);
	unlink("gone");
	hold("gone (deleted)", O_CREAT | O_RDWR, FD_TWICE);
	unlink("gone (deleted)");
	if (mkdir("gone directory", 0755) < 0)
		_exit(1);
	hold("gone directory", O_RDONLY, FD_DELETED_DIRECTORY);
	rmdir("gone directory");
	if (pipe(fds) < 0 || dup2(fds[0], FD_PIPE) < 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, fds) < 0 ||
	    dup2(fds[0], FD_SOCKET) < 0 || dup2(memfd_create("m", 0), FD_MEMFD) < 0 || chdir("d") < 0)
		_exit(1);
}

static inline void stand_elsewhere(void)
{
	if (chdir("other") < 0)
		_exit(1);
}

static inline void resolve_setup(void)
{
	help_setup();
	make_tree();
	child = traced_after(stand, 0);
	other = traced_after(stand_elsewhere, 0);
	stranger = traced_after(stand_elsewhere, 0);
	task = tracee_add(&all, child, NULL, false, -1);
	tracee_add(&all, other, NULL, false, -1);
}

static inline void resolve_teardown(void)
{
	resolve_close(&at);
	traced_end(child);
	traced_end(other);
	traced_end(stranger);
	tracee_free(&all);
	help_teardown();
}

/* Names of the tables as they are now. */
static const char *expand(const char *text, char *to, size_t size)
{
	size_t n = 0;

	for (; *text && n + 64 < size; text++)
		switch (*text) {
		case '@':
			n += (size_t)snprintf(to + n, size - n, "%s", help_directory);
			break;
		case '%':
			n += (size_t)snprintf(to + n, size - n, "%d", (int)child);
			break;
		case '&':
			n += (size_t)snprintf(to + n, size - n, "%d", (int)other);
			break;
		case '?':
			n += (size_t)snprintf(to + n, size - n, "%d", (int)stranger);
			break;
		case '~':
			n += (size_t)snprintf(to + n, size - n, "%d", (int)thread);
			break;
		case '!':
			n += (size_t)snprintf(to + n, size - n, "%d", (int)getpid());
			break;
		default:
			to[n++] = *text;
		}
	to[n] = 0;
	return to;
}

/* ---- tables ------------------------------------------------------------- */

enum { FOLLOW = RESOLVE_FOLLOW, NOFOLLOW = RESOLVE_NOFOLLOW, MAKES = 2 };
enum { NAMELESS = 1, DELETED = 2, MAGIC = 4, OTHER = 8, STRANGER = 16, OWN = 32, RUN = 64, SLASH = 128, MISSING = 256 };

struct row {
	int dirfd;
	const char *path;
	int how;	    /* FOLLOW, NOFOLLOW, | MAKES */
	int error;	    /* then nothing else counts */
	const char *name;   /* NULL: whatever */
	const char *judged; /* NULL: as the name */
	unsigned what;
	mode_t type;
};
#define CWD AT_FDCWD
#define FILE_ S_IFREG
#define DIR_ S_IFDIR
#define LINK_ S_IFLNK

/* ---- comparing ---------------------------------------------------------- */

static inline void resolve_row(const struct row *row, const char *path)
{
	resolve_path(&all, task, row->dirfd, path, row->how & NOFOLLOW ? RESOLVE_NOFOLLOW : RESOLVE_FOLLOW,
		     row->how & MAKES, &at);
}

static inline unsigned what_it_is(void)
{
	return (at.nameless ? NAMELESS : 0u) | (at.deleted ? DELETED : 0u) | (at.magic ? MAGIC : 0u) |
	       (at.magic_other ? OTHER : 0u) | (at.stranger ? STRANGER : 0u) | (at.own_proc ? OWN : 0u) |
	       (at.run_proc ? RUN : 0u) | (at.slash ? SLASH : 0u) | (at.exists ? 0u : MISSING);
}

static inline void assert_row(const struct row *row)
{
	char path[PATH_MAX], expected[PATH_MAX];

	resolve_row(row, expand(row->path, path, sizeof path));
	ck_assert_msg(at.error == row->error, "%s: %d (%s)", path, at.error, at.name);
	if (row->error) {
		return;
	}
	ck_assert_msg(what_it_is() == row->what, "%s: %#x (%s)", path, what_it_is(), at.name);
	ck_assert_int_eq(at.type, row->type);
	ck_assert_uint_eq(at.length, strlen(at.name));
	ck_assert_uint_eq(at.judged_length, strlen(at.judged));
	ck_assert_int_ge(at.fd, 0);
	if (row->name) {
		ck_assert_str_eq(at.name, expand(row->name, expected, sizeof expected));
		ck_assert_str_eq(at.judged, expand(row->judged ? row->judged : row->name, expected, sizeof expected));
	}
}

#define COUNT(list) (int)(sizeof(list) / sizeof(list)[0])

#endif
