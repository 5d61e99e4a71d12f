/* SPDX-License-Identifier: MIT */
/*
 * place.c - what a name means, found out by the kernel: the object is held by
 * an O_PATH descriptor, and its name read back from that. A name that the kernel
 * walked without meeting a symbolic link says by itself what it is, which saves the reading back.
 *
 * The name is looked at only after the kernel has read it, so that a bad address is EFAULT and not a crash.
 */
#include <asm-generic/errno.h>
#include <linux/fcntl.h>
#include <linux/openat2.h>
#include <linux/stat.h>

#include "links.h"
#include "shim.h"

enum {
	NAME_MOST = 4096,	      /* PATH_MAX */
	COMPONENT_MOST = 255,	      /* NAME_MAX */
	LINKS_MOST = 40,	      /* MAXSYMLINKS */
	PLAIN_MOST = PLACE_ROOM - 16, /* rename_proc() may make a name longer */
	LINKS_WALKED = 4,	      /* more of them are left to the kernel, */
	TARGET_MOST = 256,	      /* and longer ones */
};

static const char DELETED[] = " (deleted)";

bool place_unresolvable(int error)
{
	return error == -EMFILE || error == -ENFILE || error == -ENOMEM;
}

static char *room(struct place *place, size_t size)
{
	if (size <= PLACE_ROOM && !place->mapped)
		return place->room;
	if (!place->mapped) {
		place->mapped = common_memory(PLACE_MOST);
	}
	return place->mapped;
}

/* Are they the same object? */
static bool same(int one, int other)
{
	struct statx a, b;

	return common_object(one, STATX_INO, &a) == 0 && common_object(other, STATX_INO, &b) == 0 &&
	       a.stx_ino == b.stx_ino && a.stx_dev_major == b.stx_dev_major && a.stx_dev_minor == b.stx_dev_minor;
}

long place_read(const struct place *place)
{
	char path[COMMON_DESCRIPTOR_NAME];
	/* by its name, which costs less than /proc; FIFOs are not waited for */
	long fd = raw(__NR_open, place->name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);

	if (fd >= 0 && same((int)fd, place->fd))
		return fd;
	if (fd >= 0)
		raw(__NR_close, fd);
	common_descriptor_name(path, place->fd);
	return raw(__NR_open, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
}

void place_close(struct place *place)
{
	if (place->fd >= 0 && !place->borrowed)
		raw(__NR_close, place->fd);
	if (place->mapped)
		raw(__NR_munmap, place->mapped, PLACE_MOST);
	place->fd = -1;
	place->mapped = NULL;
}

/* ---- names that are read back ------------------------------------------- */

/* Entries of processes of the run are judged as /proc/self/...; the memory of others as what it is. */
static void rename_proc(struct place *place, char *name)
{
	static const char self[] = "/proc/self";
	const char *rest;

	if (!text_begins(name, "/proc/") || name[6] < '1' || name[6] > '9')
		return;
	int pid = (int)text_number(name + 6, &rest);
	bool own = pid == (int)raw(__NR_getpid) || pid == (int)raw(__NR_gettid);
	if ((*rest && *rest != '/') || (!own && (text_equal(rest, "/mem") || !run_has(pid))))
		return;
	size_t rest_length = text_length(rest);
	memmove(name + sizeof self - 1, rest, rest_length + 1);
	memcpy(name, self, sizeof self - 1);
	place->length = sizeof self - 1 + rest_length;
}

static bool has_no_name_left(const struct place *place)
{
	struct statx stx;

	return common_object(place->fd, STATX_NLINK, &stx) == 0 && stx.stx_nlink == 0;
}

/* The name of what is held; with room for `more` bytes behind it. */
static int read_back(struct place *place, size_t more)
{
	char path[COMMON_DESCRIPTOR_NAME];
	char *name = room(place, 0);

	common_descriptor_name(path, place->fd);
	long n = raw(__NR_readlink, path, name, PLACE_ROOM - 16);
	if (n >= (long)(PLACE_ROOM - 16 - more) || place->mapped) {
		name = room(place, PLACE_MOST);
		if (!name)
			return -ENOMEM;
		n = raw(__NR_readlink, path, name, NAME_MOST);
	}
	if (n < 0)
		return -EACCES; /* no /proc: cannot be found out */
	name[n] = 0;
	place->name = name;
	place->length = (size_t)n;
	if (name[0] != '/' || text_begins(name, "/memfd:")) {
		place->nameless = true;
	} else if (text_ends(name, place->length, DELETED) && has_no_name_left(place)) {
		place->nameless = place->deleted = true;
		place->length -= sizeof DELETED - 1;
		name[place->length] = 0;
	} else {
		rename_proc(place, name);
	}
	return 0;
}

/* ---- names that are as they were written -------------------------------- */

/*
 * A name that the kernel walked without meeting a link says the same without its "." and "..", behind the working directory's if
 * it is a relative one. False: it must be read back. That would always do; but what a process has in /proc is made only when
 * somebody looks, so the first time it costs as much as ten other calls.
 */
static bool take_plainly(struct place *place, int dirfd, const char *path)
{
	char *name = place->room;
	size_t length = 0;

	if (place->mapped || (path[0] != '/' && dirfd != AT_FDCWD))
		return false;
	if (path[0] != '/') {
		long n = raw(__NR_getcwd, name, PLACE_ROOM); /* with its NUL */
		if (n <= 1 || name[0] != '/')
			return false;
		length = n == 2 ? 0 : (size_t)n - 1;
	}
	if (length + text_length(path) > PLAIN_MOST)
		return false;
	while (*path) {
		const char *end = path;
		while (*end && *end != '/')
			end++;
		size_t component = (size_t)(end - path);
		if (component == 2 && path[0] == '.' && path[1] == '.') {
			while (length > 0 && name[--length] != '/')
				;
		} else if (component > 1 || (component == 1 && path[0] != '.')) {
			name[length++] = '/';
			memcpy(name + length, path, component);
			length += component;
		}
		path = *end ? end + 1 : end;
	}
	if (length == 0)
		name[length++] = '/';
	name[length] = 0;
	place->name = name;
	place->length = length;
	rename_proc(place, name);
	return true;
}

/* ---- walking ------------------------------------------------------------ */

/* As O_PATH, meeting no symbolic link. */
static int hold_linkless(int dirfd, const char *path, uint64_t flags)
{
	struct open_how how = {.flags = O_PATH | O_CLOEXEC | flags, .resolve = RESOLVE_NO_SYMLINKS};

	return (int)raw(__NR_openat2, dirfd, path, &how, sizeof how);
}

/* The same, by links if there are any; *linkless: there are none. */
static int hold(int dirfd, const char *path, uint64_t flags, int first, bool *linkless)
{
	*linkless = first != -ELOOP && first != -ENOSYS && first != -EPERM; /* -EPERM: filters that know no openat2 */
	return *linkless ? first : (int)raw(__NR_openat, dirfd, path, O_PATH | O_CLOEXEC | flags);
}

/* The last component of text[0..end), which begins at `start`, becomes what the link is read to be; false: it is none, or too long. */
__attribute__((noinline)) static bool put_target(char *text, size_t start, size_t end)
{
	char target[TARGET_MOST], behind = text[end];

	text[end] = 0;
	long n = raw(__NR_readlink, text, target, sizeof target);
	text[end] = behind;
	if (n <= 0 || n == sizeof target)
		return false;
	if (target[0] == '/')
		start = 0;
	size_t rest = text_length(text + end) + 1;
	if (start + (size_t)n + rest > PLAIN_MOST)
		return false;
	memmove(text + start + n, text + end, rest);
	memcpy(text + start, target, (size_t)n);
	return true;
}

/*
 * A name through links, the most common ones: the last component is one, or the first (/bin, /lib, /lib64). They are read as the kernel
 * reads them until it meets none, which says that the name is right. False: it must be held as it is, and read back.
 */
static bool walk_links(struct place *place, const char *path, uint64_t flags)
{
	char *text = place->room;
	size_t length = text_length(path), first, last;

	if (path[0] != '/' || place->mapped || length > PLAIN_MOST)
		return false;
	memcpy(text, path, length + 1);
	for (int links = 0; links < LINKS_WALKED && !text_begins(text, "/proc"); links++) {
		for (first = 1; text[first] && text[first] != '/'; first++)
			;
		for (length = last = text_length(text); text[last - 1] != '/'; last--)
			;
		if (((flags & O_NOFOLLOW) || !put_target(text, last, length)) &&
		    (!text[first] || !put_target(text, 1, first)))
			return false;
		int fd = hold_linkless(AT_FDCWD, text, flags);
		if (fd >= 0) {
			place->fd = fd;
			place->exists = true;
			return take_plainly(place, AT_FDCWD, text);
		}
		if (fd != -ELOOP)
			return false;
	}
	return false;
}

static int resolve_missing(struct place *place, int dirfd, const char *path, bool follow, bool linkless);

static int resolve(struct place *place, int dirfd, const char *path, bool follow)
{
	uint64_t flags = follow ? 0 : O_NOFOLLOW;
	bool linkless;

	int first = hold_linkless(dirfd, path, flags);
	if (first == -ELOOP && walk_links(place, path, flags)) {
		place->linked = true;
		return 0;
	}
	place->fd = hold(dirfd, path, flags, first, &linkless);
	place->linked |= !linkless;
	if (place->fd == -ENOENT)
		return resolve_missing(place, dirfd, path, follow, linkless);
	if (place->fd < 0)
		return place->fd;
	place->exists = true;
	return linkless && take_plainly(place, dirfd, path) ? 0 : read_back(place, 0);
}

/* The last component is a link to what is not there: that is what is meant. `place->fd` is its directory. */
static int resolve_dangling(struct place *place, const char *last)
{
	int directory = place->fd;

	if (++place->depth > LINKS_MOST)
		return -ELOOP;
	char *target = common_memory(NAME_MOST);
	if (!target)
		return -ENOMEM;
	long n = raw(__NR_readlinkat, directory, last, target, NAME_MOST - 1);
	int r = n > 0 ? resolve(place, directory, target, true) : -ENOENT;
	raw(__NR_close, directory);
	raw(__NR_munmap, target, NAME_MOST);
	return r;
}

/* Where the last component begins; its length without slashes at the end. 0: there is none that could be made. */
static const char *last_component(const char *path, size_t *length)
{
	size_t end = text_length(path), start;

	while (end > 0 && path[end - 1] == '/')
		end--;
	for (start = end; start > 0 && path[start - 1] != '/'; start--)
		;
	*length = end - start;
	if ((*length == 1 && path[start] == '.') || (*length == 2 && path[start] == '.' && path[start + 1] == '.'))
		*length = 0;
	return path + start;
}

static int hold_parent(struct place *place, int dirfd, const char *path, size_t length, bool *linkless)
{
	char *parent = room(place, length + 2);

	if (!parent)
		return -ENOMEM;
	memcpy(parent, path, length);
	if (length == 0)
		parent[length++] = '.';
	parent[length] = 0;
	return hold(dirfd, parent, O_DIRECTORY, hold_linkless(dirfd, parent, O_DIRECTORY), linkless);
}

static int resolve_missing(struct place *place, int dirfd, const char *path, bool follow, bool linkless)
{
	size_t length;
	const char *last = last_component(path, &length);
	char name[COMPONENT_MOST + 1];
	struct statx stx;

	if (length == 0 || length > COMPONENT_MOST)
		return -ENOENT;
	place->fd = hold_parent(place, dirfd, path, (size_t)(last - path), &linkless);
	if (place->fd < 0)
		return place->fd;
	memcpy(name, last, length);
	name[length] = 0;
	if (follow && common_status(place->fd, name, AT_SYMLINK_NOFOLLOW, STATX_TYPE, &stx) == 0 &&
	    (stx.stx_mode & S_IFMT) == S_IFLNK)
		return resolve_dangling(place, name);
	place->exists = false;
	place->linked |= !linkless;
	if (linkless && take_plainly(place, dirfd, path))
		return 0;
	int r = read_back(place, sizeof name + 1);
	if (r < 0)
		return r;
	if (place->nameless)
		return -ENOENT;				 /* nothing can be made in a deleted directory */
	char *end = (char *)place->name + place->length; /* in our room */
	if (place->length > 1)
		*end++ = '/';
	end = text_put(end, name);
	place->length = (size_t)(end - place->name);
	return 0;
}

static void start(struct place *place)
{
	place->fd = -1;
	place->exists = place->nameless = place->deleted = place->borrowed = place->linked = false;
	place->depth = 0;
	place->name = "";
	place->length = 0;
	place->mapped = NULL;
}

int place_resolve(struct place *place, int dirfd, const char *path, bool follow)
{
	start(place);
	place->dirfd = dirfd;
	place->path = path;
	int r = resolve(place, dirfd, path, follow);
	if (place->fd < 0)
		place->fd = -1;
	return r;
}

int place_of_fd(struct place *place, int fd)
{
	start(place);
	if (fd == AT_FDCWD)
		return place_resolve(place, AT_FDCWD, ".", true);
	if (raw(__NR_fcntl, fd, F_GETFD) < 0)
		return -EBADF;
	place->fd = fd;
	place->borrowed = place->exists = true;
	return read_back(place, 0);
}

static long read_link(void *context, const char *link, char *target, size_t size)
{
	(void)context;
	return raw(__NR_readlink, link, target, size);
}

/* The name of the directory at which a relative name began; false: it has none. */
static bool name_directory(int dirfd, char *name)
{
	char path[COMMON_DESCRIPTOR_NAME];

	if (dirfd == AT_FDCWD)
		text_put(path, "/proc/self/cwd");
	else
		common_descriptor_name(path, dirfd);
	long n = raw(__NR_readlink, path, name, NAME_MOST - 1);
	name[n > 0 ? n : 0] = 0;
	return name[0] == '/';
}

void place_links(const struct place *place, bool (*met)(void *context, const char *link, size_t length), void *context)
{
	struct links links = {read_link, met, context};
	bool absolute = place->linked && place->path[0] == '/';

	if (!place->linked || place->nameless || (absolute && text_equal(place->path, place->name)))
		return;
	char *links_room = common_memory(LINKS_ROOM + NAME_MOST);
	if (!links_room)
		return;
	char *from = links_room + LINKS_ROOM;
	if (absolute || name_directory(place->dirfd, from))
		links_of(&links, links_room, from, place->path, place->name);
	raw(__NR_munmap, links_room, LINKS_ROOM + NAME_MOST);
}

unsigned place_type(const struct place *place)
{
	struct statx stx;

	if (!place->exists || common_object(place->fd, STATX_TYPE, &stx) != 0)
		return 0;
	return stx.stx_mode & S_IFMT;
}

int place_ordinary(const struct place *place, int access)
{
	char path[COMMON_DESCRIPTOR_NAME];
	long r = raw(__NR_faccessat2, place->fd, "", access, AT_EMPTY_PATH | AT_EACCESS);

	if (r == -ENOSYS || r == -EINVAL || r == -EPERM) {
		common_descriptor_name(path, place->fd);
		r = raw(__NR_faccessat, AT_FDCWD, path, access);
	}
	return r == -EACCES || r == -EROFS || r == -EPERM ? (int)r : 0;
}
