/* SPDX-License-Identifier: MIT */
/*
 * trust.c - see trust.h.
 *
 * The walk holds one descriptor, the directory reached so far, and a text, the
 * components still to go; a symbolic link's target is put in front of the text.
 * Each component is opened without following and then asked, so no name is
 * looked up twice.
 */
#include "trust.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cleanup.h"

enum { LINKS_MOST = 40 }; /* as the kernel */

struct walk {
	const char *path; /* as given, for messages */
	struct complaint *why;
	int at;				    /* directory reached, O_PATH */
	bool shared;			    /* others may make new names in it (sticky) */
	unsigned links;			    /* symbolic links followed */
	char here[PATH_MAX + NAME_MAX + 2]; /* name of `at`, for messages */
	char rest[2 * PATH_MAX];	    /* what is still to go */
};

static bool is_ours(const struct stat *status)
{
	return status->st_uid == 0 || status->st_uid == geteuid();
}

/* What is wrong with the owner or mode, in words; 0 when nothing is. */
static int check(const struct stat *status, const char *name, bool end, struct complaint *why)
{
	bool sticky = S_ISDIR(status->st_mode) && (status->st_mode & S_ISVTX);

	if (!is_ours(status))
		return complain(why, -EPERM, "%s: belongs to another user (uid %u)", name, (unsigned)status->st_uid);
	if (S_ISLNK(status->st_mode))
		return 0; /* has no mode of its own */
	if ((status->st_mode & (S_IWGRP | S_IWOTH)) && (end || !sticky))
		return complain(why, -EPERM,
				"%s: may be written by others (mode %04o); make it writable by its owner only", name,
				(unsigned)status->st_mode & 07777u);
	return 0;
}

int trust_fd(int fd, const char *name, struct complaint *why)
{
	struct stat status;

	if (fstat(fd, &status))
		return complain(why, -errno, "%s: %s", name, strerror(errno));
	return check(&status, name, true, why);
}

/* Take the next component off the text. False: there is none. */
static bool next_component(struct walk *walk, char name[NAME_MAX + 2])
{
	char *start = walk->rest;
	size_t length;

	do { /* "." changes nothing */
		start += strspn(start, "/");
		length = strcspn(start, "/");
		if (!length)
			return false;
	} while (length == 1 && *start == '.' && (start++, true));
	if (length > NAME_MAX)
		length = NAME_MAX + 1; /* openat says ENAMETOOLONG */
	memcpy(name, start, length);
	name[length] = '\0';
	memmove(walk->rest, start + length, strlen(start + length) + 1);
	return true;
}

/* Make `fd`, which was asked, the directory reached; "/" when `name` is NULL. */
static void enter(struct walk *walk, int fd, const char *name, const struct stat *status)
{
	size_t length = strlen(walk->here);

	if (!name) {
		walk->here[0] = '\0';
	} else if (!strcmp(name, "..")) {
		char *slash = strrchr(walk->here, '/');
		if (slash)
			*slash = '\0';
	} else if (length < PATH_MAX) {
		snprintf(walk->here + length, sizeof walk->here - length, "/%s", name);
	}
	if (walk->at >= 0)
		close(walk->at);
	walk->at = fd;
	walk->shared = (status->st_mode & (S_IWGRP | S_IWOTH)) != 0;
}

static int to_root(struct walk *walk)
{
	struct stat status;
	int fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &status)) {
		int error = -errno;
		if (fd >= 0)
			close(fd);
		return complain(walk->why, error, "/: %s", strerror(-error));
	}
	int error = check(&status, "/", false, walk->why);
	if (error) {
		close(fd);
		return error;
	}
	enter(walk, fd, NULL, &status);
	return 0;
}

/* Put the target of the link `fd` in front of what is still to go. */
static int follow(struct walk *walk, int fd)
{
	char target[sizeof walk->rest];
	ssize_t length = readlinkat(fd, "", target, PATH_MAX);

	if (length < 0)
		return complain(walk->why, -errno, "%s: %s", walk->path, strerror(errno));
	if (++walk->links > LINKS_MOST)
		return complain(walk->why, -ELOOP, "%s: %s", walk->path, strerror(ELOOP));
	size_t rest = strlen(walk->rest);
	if (!length || length == PATH_MAX || (size_t)length + 1 + rest >= sizeof target)
		return complain(walk->why, -ENAMETOOLONG, "%s: %s", walk->path, strerror(ENAMETOOLONG));
	target[length] = '/';
	memcpy(target + length + 1, walk->rest, rest + 1);
	memcpy(walk->rest, target, (size_t)length + 1 + rest + 1);
	return target[0] == '/' ? to_root(walk) : 0;
}

/* Go one component further. 1: it was the last, and *end is open with `flags`. */
static int step(struct walk *walk, const char *name, int flags, int *end)
{
	struct stat status, opened;
	cleanup_fd int fd = openat(walk->at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT && walk->shared)
		return complain(walk->why, -EPERM, "%s: does not exist, and others may make it", walk->path);
	if (fd < 0 || fstat(fd, &status))
		return complain(walk->why, -errno, "%s: %s", walk->path, strerror(errno));
	bool link = S_ISLNK(status.st_mode), last = !link && walk->rest[strspn(walk->rest, "/")] == '\0';
	char shown[sizeof walk->here + NAME_MAX + 2];
	snprintf(shown, sizeof shown, "%s/%s", walk->here, name);
	int error = check(&status, shown, last, walk->why);
	if (error)
		return error;
	if (link)
		return follow(walk, fd);
	if (!last || !strcmp(name, "..")) {
		enter(walk, steal_fd(&fd), name, &status);
		return 0;
	}
	*end = openat(walk->at, name, flags | O_NOFOLLOW | O_CLOEXEC);
	if (*end < 0 || fstat(*end, &opened))
		return complain(walk->why, -errno, "%s: %s", walk->path, strerror(errno));
	if (opened.st_dev != status.st_dev || opened.st_ino != status.st_ino)
		return complain(walk->why, -EPERM, "%s: was replaced while it was opened", walk->path);
	return 1;
}

/* The path ended in "/", "." or "..": the directory reached is what it names. */
static int end_here(struct walk *walk, int flags, int *end)
{
	*end = openat(walk->at, ".", flags | O_CLOEXEC);
	if (*end < 0)
		return complain(walk->why, -errno, "%s: %s", walk->path, strerror(errno));
	int error = trust_fd(*end, walk->path, walk->why);
	return error ? error : 1;
}

int trust_open(const char *path, int flags, struct complaint *why)
{
	struct walk walk = {.path = path, .why = why, .at = -1};
	char name[NAME_MAX + 2];
	int end = -1;

	if (*path != '/' && !getcwd(walk.rest, PATH_MAX))
		return complain(why, -errno, "%s: %s", path, strerror(errno));
	if (!*path || strlen(path) >= PATH_MAX)
		return complain(why, *path ? -ENAMETOOLONG : -ENOENT, "'%.80s': not a usable path", path);
	/* NOLINTNEXTLINE(clang-analyzer-security.insecureAPI.strcpy): its room was reckoned before */
	strcat(walk.rest, "/");
	/* NOLINTNEXTLINE(clang-analyzer-security.insecureAPI.strcpy): its room was reckoned before */
	strcat(walk.rest, path);
	int error = to_root(&walk);
	while (error == 0) {
		error = next_component(&walk, name) ? step(&walk, name, flags, &end) : end_here(&walk, flags, &end);
	}
	if (walk.at >= 0)
		close(walk.at);
	if (error < 0 && end >= 0)
		close(end);
	return error < 0 ? error : end;
}

int trust_path(const char *path, struct complaint *why)
{
	int fd = trust_open(path, O_PATH, why);

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	close(fd);
	return 0;
}

int trust_make_directory(const char *path, struct complaint *why)
{
	char part[PATH_MAX];
	size_t length = strlen(path);

	if (length >= sizeof part)
		return complain(why, -ENAMETOOLONG, "%.200s...: %s", path, strerror(ENAMETOOLONG));
	for (size_t i = 1; i <= length; i++) {
		if (path[i] && path[i] != '/')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		if (mkdir(part, 0755) && errno != EEXIST)
			return complain(why, -errno, "%s: %s", part, strerror(errno));
	}
	return 0;
}
