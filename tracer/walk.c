/* SPDX-License-Identifier: MIT */
/*
 * walk.c - see walk.h. path_resolution(7) step by step. Links of procfs come
 * in two kinds: text that depends on who reads it (self, thread-self), which
 * is replaced by what the task would read; and links that have no text
 * (fd/N, cwd, root, exe, map_files, ns), which the kernel is asked to follow once it is known whose they are.
 */
#include "walk.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

enum {
	LINKS_MOST = 40,   /* path_resolution(7): then ELOOP */
	PROC_ROOT_INO = 1, /* inode of the root of every procfs (include/linux/proc_fs.h) */
};

int walk_open(int base, const char *path, int flags, uint64_t resolve)
{
	struct open_how how = {.flags = (unsigned)(O_PATH | O_CLOEXEC | flags), .resolve = resolve};
	long fd = syscall(SYS_openat2, base, path, &how, sizeof how);

	return fd < 0 ? -errno : (int)fd;
}

/* /proc/self/fd, kept open: names are asked for all the time. -1: it cannot be. */
static int own_descriptors(void)
{
	static _Atomic uint64_t
		kept; /* the process that has opened it, since a child has its parent's; and the descriptor */
	uint64_t self = (uint64_t)getpid() << 32, seen = kept;

	if (seen >> 32 << 32 == self)
		return (int)(uint32_t)seen;
	int fd = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || atomic_compare_exchange_strong(&kept, &seen, self | (uint32_t)fd))
		return fd;
	close(fd); /* another thread was quicker */
	return (int)(uint32_t)seen;
}

ssize_t walk_name(int fd, char *name, size_t size)
{
	char link[32];
	int directory = own_descriptors();

	snprintf(link, sizeof link, "%s%d", directory < 0 ? "/proc/self/fd/" : "", fd);
	ssize_t n = readlinkat(directory, link, name, size);
	if (n < 0)
		return -errno;
	return (size_t)n < size ? n : -ENAMETOOLONG;
}

/* A walk under way: where it is, and what is still to be walked. */
struct steps {
	struct tracees *all;
	const struct task *task;
	struct walk *walk;
	int links;
	char rest[2 * PATH_MAX]; /* text that remains */
};

static int step_to(struct steps *steps, int fd)
{
	if (fd < 0)
		return -errno;
	if (steps->walk->fd >= 0)
		close(steps->walk->fd);
	steps->walk->fd = fd;
	return 0;
}

/* Replace the link that was just met by its text. */
static int put_text(struct steps *steps, const char *text)
{
	char joined[sizeof steps->rest];
	int n = snprintf(joined, sizeof joined, "%s%s%s", text, steps->rest[0] ? "/" : "", steps->rest);

	if (n < 0 || (size_t)n >= sizeof joined || strlen(text) >= PATH_MAX)
		return -ENAMETOOLONG;
	memcpy(steps->rest, joined, (size_t)n + 1);
	if (text[0] == '/')
		return step_to(steps, open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
	return 0;
}

static bool on_procfs(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC;
}

/* self and thread-self, in the root of a procfs: what the task would read there. */
static bool proc_self_text(const struct steps *steps, const char *component, char *text, size_t size)
{
	struct stat st;

	if (fstat(steps->walk->fd, &st) < 0 || st.st_ino != PROC_ROOT_INO)
		return false;
	if (strcmp(component, "self") == 0)
		snprintf(text, size, "%d", (int)tracee_tgid(steps->task));
	else if (strcmp(component, "thread-self") == 0)
		snprintf(text, size, "%d/task/%d", (int)tracee_tgid(steps->task), (int)steps->task->tid);
	else
		return false;
	return true;
}

/* Whose entry of /proc is the directory that is held? */
struct owner {
	bool ours;		 /* a process or thread of the run, */
	const struct task *task; /* this one; NULL: unknown */
	bool fds;		 /* its fd directory */
};

static struct owner proc_owner(const struct steps *steps)
{
	char name[PATH_MAX], *rest;
	ssize_t n = walk_name(steps->walk->fd, name, sizeof name - 1);

	if (n < 7 || strncmp(name, "/proc/", 6) != 0)
		return (struct owner){0};
	name[n] = 0;
	pid_t pid = (pid_t)strtol(name + 6, &rest, 10);
	bool ours = tracee_is_ours(steps->all, pid) || tracee_ended(steps->all, pid);
	if (strncmp(rest, "/task/", 6) == 0)
		pid = (pid_t)strtol(rest + 6, &rest, 10);
	return (struct owner){ours, ours ? tracee_find(steps->all, pid) : NULL, strcmp(rest, "/fd") == 0};
}

/* A link on procfs that is not plain text: let the kernel follow it if it belongs to the run. */
static int step_magic(struct steps *steps, const char *component)
{
	struct owner owner = proc_owner(steps);
	const struct task *task = steps->task;
	struct walk *walk = steps->walk;
	char *end;

	if (!owner.ours) {
		walk->stranger = true;
		snprintf(walk->missing, sizeof walk->missing, "%s", component);
		return -EACCES;
	}
	walk->magic = true;
	/* threads of a process may have a table and a directory each (unshare(2)); /proc/self shows those of the first */
	walk->magic_other |= !owner.task || owner.task->files != task->files || owner.task->fs != task->fs;
	long fd = strtol(component, &end, 10);
	walk->magic_fd = owner.fds && end != component && !*end && !walk->magic_other ? (int)fd : -1;
	return step_to(steps, openat(walk->fd, component, O_PATH | O_CLOEXEC));
}

static int step_link(struct steps *steps, int link, const char *component)
{
	char text[PATH_MAX];

	if (++steps->links > LINKS_MOST)
		return -ELOOP;
	if (on_procfs(steps->walk->fd)) {
		if (proc_self_text(steps, component, text, sizeof text))
			return put_text(steps, text);
		/* "mounts" and "net" in the root are text and the same for everybody */
		struct stat st;
		if (fstat(steps->walk->fd, &st) < 0 || st.st_ino != PROC_ROOT_INO)
			return step_magic(steps, component);
	}
	ssize_t n = readlinkat(link, "", text, sizeof text - 1);
	if (n < 0)
		return -errno;
	text[n] = 0;
	return n == 0 ? -ENOENT : put_text(steps, text);
}

/* One component; `last`: nothing but slashes follows. */
static int step(struct steps *steps, const char *component, bool last, bool follow)
{
	struct stat st;

	/* "." too: only a directory that may be searched has one */
	if (strcmp(component, ".") == 0 || strcmp(component, "..") == 0)
		return step_to(steps, openat(steps->walk->fd, component, O_PATH | O_CLOEXEC));
	int fd = openat(steps->walk->fd, component, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		if (errno == ENOENT && last)
			snprintf(steps->walk->missing, sizeof steps->walk->missing, "%s", component);
		return errno == ENOENT && last ? 0 : -errno;
	}
	if (fstat(fd, &st) == 0 && S_ISLNK(st.st_mode) && (!last || follow)) {
		int r = step_link(steps, fd, component);
		close(fd);
		return r;
	}
	return step_to(steps, fd);
}

/* Cut the next component off the rest. 0 when there is none. */
static int next_component(struct steps *steps, char component[NAME_MAX + 1], bool *last)
{
	const char *s = steps->rest;

	while (*s == '/')
		s++;
	size_t n = strcspn(s, "/");
	if (n > NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(component, s, n);
	component[n] = 0;
	s += n;
	while (*s == '/')
		s++;
	*last = *s == 0;
	memmove(steps->rest, s, strlen(s) + 1);
	return n > 0;
}

int walk_steps(struct tracees *all, const struct task *task, int base, const char *path, bool follow, struct walk *walk)
{
	struct steps steps = {.all = all, .task = task, .walk = walk};
	char component[NAME_MAX + 1];
	bool last;
	int r;

	*walk = (struct walk){.fd = -1, .magic_fd = -1};
	if (snprintf(steps.rest, sizeof steps.rest, "%s", path) >= PATH_MAX)
		return -ENAMETOOLONG;
	r = step_to(&steps,
		    path[0] == '/' ? open("/", O_PATH | O_DIRECTORY | O_CLOEXEC) : fcntl(base, F_DUPFD_CLOEXEC, 0));
	while (r == 0 && !walk->missing[0] && (r = next_component(&steps, component, &last)) > 0)
		r = step(&steps, component, last, follow);
	if (r < 0 && !walk->stranger && walk->fd >= 0) {
		close(walk->fd);
		walk->fd = -1;
	}
	return r;
}
