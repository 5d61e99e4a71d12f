/* SPDX-License-Identifier: MIT */
/*
 * resolve.c - see resolve.h.
 *
 * First the kernel is asked to walk the whole name at once, without links, then with them. It does so as the
 * supervisor, so two things are wrong then: /proc/self is the supervisor's, and the links in
 * /proc/PID (fd/N, cwd, root, exe) lead through processes. The second is forbidden (RESOLVE_NO_MAGICLINKS), the first
 * shows in the result; in both cases the name is walked again step by step, with those entries translated.
 */
#include "resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "caller.h"
#include "walk.h"

static const char DELETED[] = " (deleted)";

/* "/proc/123/rest": the number, and where the rest begins; 0 when the name is not of that form. */
static pid_t proc_pid(const char *name, const char **rest)
{
	char *end;

	if (strncmp(name, "/proc/", 6) != 0 || name[6] < '1' || name[6] > '9')
		return 0;
	long pid = strtol(name + 6, &end, 10);
	if ((*end && *end != '/') || pid > INT_MAX)
		return 0;
	*rest = end;
	return (pid_t)pid;
}

/* Was an object with this name, as the kernel gives it, unlinked? Then cut the mark off. A name may end so by itself. */
static bool cut_deleted(char *name, size_t *length, const struct stat *held)
{
	size_t mark = sizeof DELETED - 1;
	struct stat named;

	if (*length <= mark || memcmp(name + *length - mark, DELETED, mark) != 0)
		return false;
	if (lstat(name, &named) == 0 && named.st_dev == held->st_dev && named.st_ino == held->st_ino)
		return false;
	*length -= mark;
	name[*length] = 0;
	return true;
}

/* Entries of processes of the run are judged as /proc/self/..., the memory of others excepted. */
static void judged_name(struct tracees *all, const struct task *task, struct resolved *out)
{
	const char *rest = NULL;
	pid_t pid = proc_pid(out->name, &rest);

	memcpy(out->judged, out->name, out->length + 1);
	out->judged_length = out->length;
	if (!pid)
		return;
	if (!tracee_is_ours(all, pid)) {
		out->ended = tracee_ended(all, pid);
		if (!out->ended)
			return;
	}
	out->run_proc = true;
	out->own_proc = tracee_same_process(task, pid);
	if (!out->own_proc && strcmp(rest, "/mem") == 0)
		return;
	out->judged_length = (size_t)snprintf(out->judged, sizeof out->judged, "/proc/self%s", rest);
}

/* Is this how the kernel would name what it leads to, if there is no link on the way? Beginning at the root, and nothing but names. */
static bool is_plain_name(const char *path)
{
	const char *s = path;

	do {
		size_t n = *s == '/' ? strcspn(s + 1, "/") : 0;
		if (n == 0 || (s[1] == '.' && (n == 1 || (n == 2 && s[2] == '.'))))
			return false;
		s += 1 + n;
	} while (*s);
	return s - path < PATH_MAX;
}

/* Fill in what is known of the held object; it was reached by its own name, or through a link of /proc. `name`: what the
 * kernel would say it is, or NULL: it is to be asked. */
static void describe(struct tracees *all, struct task *task, const char *name, struct resolved *out)
{
	ssize_t n = name ? (ssize_t)strlen(name) : walk_name(out->fd, out->name, PATH_MAX);

	if (name)
		memcpy(out->name, name, (size_t)n);

	if (fstat(out->fd, &out->held) < 0 || n < 0) {
		out->error = n < 0 ? (int)n : -errno;
		return;
	}
	out->exists = true;
	out->type = out->held.st_mode & S_IFMT;
	out->length = (size_t)n;
	out->name[n] = 0;
	if (out->name[0] != '/' || strncmp(out->name, "/memfd:", 7) == 0) {
		out->nameless = true; /* "pipe:[123]", "anon_inode:...", "(unreachable)/..." */
		if (strncmp(out->name, "(unreachable)", 13) == 0)
			out->error = -ENOENT;
	} else if (!name && cut_deleted(out->name, &out->length, &out->held)) {
		out->nameless = out->deleted = true;
	}
	judged_name(all, task, out);
}

/* The parent is held and the last component is missing from it: the name it would have. */
static void describe_missing(struct tracees *all, struct task *task, struct resolved *out, const char *last,
			     size_t length)
{
	struct stat st;
	ssize_t n = walk_name(out->fd, out->name, PATH_MAX);

	if (n < 0 || fstat(out->fd, &st) < 0) {
		out->error = n < 0 ? (int)n : -errno;
		return;
	}
	if (!S_ISDIR(st.st_mode)) {
		out->error = -ENOTDIR;
		return;
	}
	out->length = (size_t)n;
	out->name[n] = 0;
	if (out->name[0] != '/' || cut_deleted(out->name, &out->length, &st)) {
		out->error = -ENOENT; /* nothing can be made in a deleted directory */
		return;
	}
	if (out->length > 1)
		out->name[out->length++] = '/';
	memcpy(out->name + out->length, last, length);
	out->length += length;
	out->name[out->length] = 0;
	judged_name(all, task, out);
}

static void start(const struct tracees *all, const struct task *task, bool absolute, struct resolved *out)
{
	memset(out, 0, offsetof(struct resolved, name));
	out->tid = all->keeper ? 0 : task->tid; /* at level notify a thread looks as the task itself */
	out->absolute = absolute;
	out->fd = out->magic_fd = -1;
	out->name[0] = out->judged[0] = out->base[0] = 0;
	out->length = out->judged_length = 0;
}

/* Does the name lie in the supervisor's own /proc entry? Then somebody else's /proc/self was meant. */
static bool names_supervisor(const struct resolved *out)
{
	const char *rest;

	pid_t pid = proc_pid(out->name, &rest);

	return pid && pid == getpid();
}

const char *resolve_last_of(const char *path, size_t *length)
{
	size_t end = strlen(path);

	while (end > 0 && path[end - 1] == '/')
		end--;
	size_t start = end;
	while (start > 0 && path[start - 1] != '/')
		start--;
	*length = end - start;
	return path + start;
}

/* Nothing is there: hold the parent. The last component must then be a plain name that really is missing. */
static int hold_parent(int base, const char *path, uint64_t how, const char **last, size_t *length)
{
	char parent[PATH_MAX];

	*last = resolve_last_of(path, length);
	if (*length == 0 || *length > NAME_MAX || (*length == 1 && **last == '.') ||
	    (*length == 2 && memcmp(*last, "..", 2) == 0))
		return -ENOENT;
	size_t n = (size_t)(*last - path);
	memcpy(parent, path, n);
	if (n == 0)
		parent[n++] = '.';
	parent[n] = 0;
	return walk_open(base, parent, O_DIRECTORY, RESOLVE_NO_MAGICLINKS | how);
}

/* The quick way was wrong when it led to the supervisor's own entry. */
static bool again_if_supervisor(const struct tracees *all, const struct task *task, struct resolved *out)
{
	bool slash = out->slash;

	if (!names_supervisor(out))
		return true;
	resolve_close(out);
	start(all, task, out->absolute, out);
	out->slash = slash;
	return false;
}

/* What openat2(2) asks of a walk that cannot be asked of one step by step. */
static int cannot_step(uint64_t how)
{
	if (how & RESOLVE_NO_SYMLINKS)
		return -ELOOP;
	return how & (RESOLVE_BENEATH | RESOLVE_IN_ROOT | RESOLVE_NO_XDEV) ? -EXDEV : 0;
}

/* The last component is missing, or a link on the way leads nowhere. False: walk it step by step. */
static bool resolve_missing(struct tracees *all, struct task *task, int base, const char *path, uint64_t how,
			    bool links, struct resolved *out)
{
	const char *component;
	char name[NAME_MAX + 1];
	size_t length;
	struct stat st;

	out->fd = hold_parent(base, path, how, &component, &length);
	if (out->fd == -ELOOP || (out->fd < 0 && links && !how))
		return false;
	if (out->fd == -ENOENT && !cannot_step(how)) {
		out->fd = -1;
		return false; /* missing, perhaps, in the supervisor's own entry of /proc */
	}
	if (out->fd < 0) {
		out->error = out->fd;
		return true;
	}
	memcpy(name, component, length);
	name[length] = 0;
	/* something there after all: a link that leads nowhere, or it was made just now */
	if (fstatat(out->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		resolve_close(out);
		return false;
	}
	out->linked = links;
	describe_missing(all, task, out, component, length);
	return again_if_supervisor(all, task, out);
}

/* First directories of names that led through a link lately, and whether that was a link itself (/bin, /lib): then it is one for the next
 * name, too. Only a hint. */
enum { FIRSTS_MOST = 8 };
static _Thread_local struct firsts {
	struct first {
		char name[RESOLVE_HOP_LINK];
		bool link;
	} list[FIRSTS_MOST];
	unsigned next;
} firsts;

/* "/name" of "/name/rest". False: it has none, or a long one. */
static bool first_of(const char *path, char name[RESOLVE_HOP_LINK])
{
	size_t length = path[0] == '/' ? strcspn(path + 1, "/") + 1 : 0;

	if (length < 2 || length >= RESOLVE_HOP_LINK || path[length] != '/')
		return false;
	memcpy(name, path, length);
	name[length] = 0;
	return true;
}

static const struct first *first_known(const char *name)
{
	for (unsigned i = 0; i < FIRSTS_MOST; i++)
		if (strcmp(firsts.list[i].name, name) == 0)
			return &firsts.list[i];
	return NULL;
}

/* Begins the name with a link that is known? Then the hop, and the name that it has behind it. */
static bool hop_of(const char *path, struct resolve_hop *hop, char name[PATH_MAX])
{
	const struct first *first = first_of(path, hop->link) ? first_known(hop->link) : NULL;
	const char *rest = path + strlen(hop->link);
	size_t left = strlen(rest) + 1, slash;

	ssize_t n = first && first->link ? readlink(hop->link, hop->text, sizeof hop->text - 1) : -1;
	if (n <= 0 || n == sizeof hop->text - 1)
		return false;
	hop->text[n] = 0;
	slash = hop->text[0] != '/';
	if (slash + (size_t)n + left > PATH_MAX)
		return false;
	name[0] = '/';
	memcpy(name + slash, hop->text, (size_t)n);
	memcpy(name + slash + n, rest, left);
	return is_plain_name(name);
}

static void note_linked(const char *path)
{
	char name[RESOLVE_HOP_LINK];
	struct stat st;

	if (!first_of(path, name) || first_known(name))
		return;
	struct first *first = &firsts.list[firsts.next++ % FIRSTS_MOST];
	memcpy(first->name, name, sizeof name);
	first->link = lstat(name, &st) == 0 && S_ISLNK(st.st_mode);
}

/* Most names with a link have only one, at their beginning, and what is behind it has none. False: not so this time. */
static bool resolve_behind_hop(struct tracees *all, struct task *task, const char *path, int flags, bool makes,
			       struct resolved *out)
{
	char name[PATH_MAX];
	int fd = hop_of(path, &out->hop, name) ? walk_open(AT_FDCWD, name, flags, RESOLVE_NO_SYMLINKS) : -ELOOP;

	if (fd < 0 && (fd != -ENOENT || makes)) {
		out->hop.link[0] = 0;
		return false;
	}
	out->linked = true;
	if (fd < 0) {
		out->error = fd;
		return true;
	}
	out->fd = fd;
	describe(all, task, name, out);
	return true;
}

/* The quick way: most names have no symbolic link in them. False when the name has to be walked step by step. */
static bool resolve_at_once(struct tracees *all, struct task *task, int base, const char *path, enum resolve_last last,
			    bool makes, uint64_t how, struct resolved *out)
{
	int flags = last == RESOLVE_NOFOLLOW ? O_NOFOLLOW : 0;
	if (!how && resolve_behind_hop(all, task, path, flags, makes, out))
		return true;
	int fd = walk_open(base, path, flags, RESOLVE_NO_SYMLINKS | how);
	if (fd == -ENOENT && !makes) {
		out->error = fd; /* no link was met, so nobody's /proc/self either */
		return true;
	}
	bool links = fd == -ELOOP; /* and then a failure may be that of the supervisor's own /proc/self */
	if (links) {
		fd = walk_open(base, path, flags, RESOLVE_NO_MAGICLINKS | how);
		note_linked(path);
	}
	if (fd == -ELOOP || fd == -ENOSYS || (fd == -EINVAL && !how))
		return false;
	if (fd == -ENOENT)
		return resolve_missing(all, task, base, path, how, links, out);
	if (fd < 0 && links && !how)
		return false;
	if (fd < 0) {
		out->error = fd;
		return true;
	}
	out->fd = fd;
	out->linked = links;
	describe(all, task, !links && base == AT_FDCWD && is_plain_name(path) ? path : NULL, out);
	return again_if_supervisor(all, task, out);
}

static void resolve_by_steps(struct tracees *all, struct task *task, int base, const char *path, enum resolve_last last,
			     struct resolved *out)
{
	struct walk walk;
	int r = walk_steps(all, task, base, path, last == RESOLVE_FOLLOW, &walk);

	out->linked = true;
	out->magic = walk.magic;
	out->magic_other = walk.magic_other;
	out->magic_fd = walk.magic_fd;
	out->stranger = walk.stranger;
	out->fd = walk.fd;
	if (r < 0 && !walk.stranger) {
		out->error = r;
		return;
	}
	if (walk.missing[0])
		describe_missing(all, task, out, walk.missing, strlen(walk.missing));
	else
		describe(all, task, NULL, out);
}

/* Where a relative name begins. */
static int open_base(const struct task *task, int dirfd)
{
	char path[64];

	if (dirfd == AT_FDCWD)
		snprintf(path, sizeof path, "/proc/%d/cwd", (int)task->tid);
	else
		snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)task->tid, dirfd);
	int fd = open(path, O_PATH | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	if (errno == ENOENT)
		return dirfd == AT_FDCWD ? -ENOENT : -EBADF;
	/* level notify looks with the task's own ids; and /proc shows the descriptors of who has changed those to root only */
	if (errno == EACCES && dirfd != AT_FDCWD)
		return tracee_descriptor(task, dirfd);
	return -errno;
}

static void name_base(int base, struct resolved *out)
{
	ssize_t n = walk_name(base, out->base, sizeof out->base);

	out->base[n > 0 && out->base[0] == '/' ? n : 0] = 0;
}

void resolve_path(struct tracees *all, struct task *task, int dirfd, const char *path, enum resolve_last last,
		  bool makes, struct resolved *out)
{
	resolve_as(all, task, dirfd, path, last, makes, 0, out);
}

void resolve_as(struct tracees *all, struct task *task, int dirfd, const char *path, enum resolve_last last, bool makes,
		uint64_t how, struct resolved *out)
{
	int base = AT_FDCWD;
	size_t length = strlen(path);

	start(all, task, path[0] == '/' && !(how & RESOLVE_IN_ROOT), out);
	if (length == 0) {
		out->error = -ENOENT;
		return;
	}
	if (path[0] != '/' || (how & RESOLVE_IN_ROOT)) {
		base = open_base(task, dirfd);
		if (base < 0) {
			out->error = base;
			return;
		}
	}
	out->slash = path[length - 1] == '/';
	if (!resolve_at_once(all, task, base, path, last, makes, how, out)) {
		out->error = cannot_step(how);
		if (out->error == 0)
			resolve_by_steps(all, task, base, path, out->slash ? RESOLVE_FOLLOW : last, out);
		if (out->magic && (how & RESOLVE_NO_MAGICLINKS))
			out->error = -ELOOP;
	}
	if (out->linked && base >= 0)
		name_base(base, out);
	if (base >= 0)
		close(base);
	if (out->error == 0 && out->slash && out->exists && out->type != S_IFDIR)
		out->error = -ENOTDIR;
}

void resolve_fd(struct tracees *all, struct task *task, int fd, struct resolved *out)
{
	start(all, task, false, out);
	out->fd = open_base(task, fd);
	if (out->fd < 0) {
		out->error = out->fd;
		return;
	}
	describe(all, task, NULL, out);
}

void resolve_close(struct resolved *out)
{
	if (out->fd >= 0)
		close(out->fd);
	out->fd = -1;
}

static int access_held(int fd, int access)
{
	if (syscall(SYS_faccessat2, fd, "", access, AT_EMPTY_PATH | AT_EACCESS) == 0)
		return 0;
	if (errno == ENOSYS || errno == EINVAL) { /* before Linux 5.8 */
		char path[64];
		snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
		if (faccessat(AT_FDCWD, path, access, AT_EACCESS) == 0)
			return 0;
	}
	return errno == EACCES || errno == EROFS || errno == EPERM ? -errno : 0;
}

/* We look with our own rights; a tool of root's may have given up its own meanwhile. */
int resolve_ordinary_of(const struct resolved *out, int fd, int access)
{
	int failure = fd < 0 ? 0 : access_held(fd, access);
	bool named = fd == out->fd && out->absolute && !out->nameless;

	if (failure != 0 || fd < 0 || out->tid == 0 || !caller_may_change() || !caller_differs(out->tid))
		return failure;
	return caller_access(out->tid, fd, named ? out->name : NULL, access);
}

int resolve_ordinary(const struct resolved *out, int access)
{
	return resolve_ordinary_of(out, out->fd, access);
}
