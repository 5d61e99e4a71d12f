/* SPDX-License-Identifier: MIT */
/*
 * perform_names.c - making, removing and moving names for a task, in
 * directories that are held.
 *
 * The name that was judged is a directory's and a last component. The directory is held, and its name is compared with the
 * one that was judged. If it is moved between that and the operation, then by a rename that was allowed, after which the policy
 * says of what is below it what it said before, or less where it comes from: as if this call had come first.
 *
 * Whether a directory is moved makes a difference to that judgement. So a rename looks once more at what it moves, while
 * nobody else can put a directory there: whatever makes directories or moves names holds a lock of the directories that it
 * works in (there are a few, shared by number, taken in order).
 *
 * `moves` is held for writing by what changes the meaning of longer names (moving or removing a directory or a symbolic link,
 * making a link), and for reading by what has to give the kernel a text: bind, which remembers it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "perform_inside.h"

#define STRIPES (sizeof((struct notifier *)0)->names / sizeof(pthread_mutex_t))

/* ---- places ------------------------------------------------------------- */

static int set_last(struct place *place, const char *last, size_t length, bool slash)
{
	if (length > NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(place->last, last, length);
	if (slash)
		place->last[length++] = '/';
	place->last[length] = 0;
	return 0;
}

/* What is missing is known by the parent that is held. */
static int64_t missing_place(const struct name_arg *name, struct place *place)
{
	size_t length;
	const char *last = resolve_last_of(name->at.name, &length);

	place->dirfd = name->at.fd;
	return set_last(place, last, length, name->at.slash);
}

/* "." and ".." are no names that could be made or removed; what kernels say of them. */
static int64_t dots(const struct deed *deed, size_t length)
{
	if (deed->request->call->op == OP_RENAME)
		return -EBUSY;
	if (deed->request->call->op == OP_REMOVE)
		return deed->request->stop.number != SYS_rmdir && !(deed->request->flags & AT_REMOVEDIR) ? -EISDIR
		       : length == 1									 ? -EINVAL
													 : -ENOTEMPTY;
	return -EEXIST;
}

static bool is_name_in(const struct resolved *at, const struct resolved *parent, const char *last, size_t length)
{
	size_t n = parent->length;

	if (n == 1)
		n = 0; /* the root: its name ends in the slash */
	return at->length == n + 1 + length && memcmp(at->name, parent->name, n) == 0 && at->name[n] == '/' &&
	       memcmp(at->name + n + 1, last, length) == 0;
}

/* What is called so there, whatever a slash behind it makes of a link. */
static int look_at_last(int dirfd, const struct place *place, const struct name_arg *name, struct stat *st)
{
	char last[sizeof place->last];

	/* NOLINTNEXTLINE(clang-analyzer-security.insecureAPI.strcpy): its room was reckoned before */
	strcpy(last, place->last);
	if (name->at.slash)
		last[strlen(last) - 1] = 0;
	return fstatat(dirfd, last, st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT);
}

/* "link/" is the directory that it leads to, but not for who removes or moves it. */
static bool is_link_with_slash(int dirfd, const struct place *place, const struct name_arg *name)
{
	struct stat st;

	return name->at.slash && look_at_last(dirfd, place, name, &st) == 0 && S_ISLNK(st.st_mode);
}

/* The directory of what exists: resolved once more, and compared. */
static int64_t existing_place(const struct deed *deed, const struct name_arg *name, struct place *place)
{
	struct resolved parent;
	char text[PATH_MAX];
	size_t length;
	const char *last = resolve_last_of(name->text, &length);

	if (length == 0)
		return -EBUSY; /* the root */
	if (last[0] == '.' && (length == 1 || (length == 2 && last[1] == '.')))
		return dots(deed, length);
	size_t n = (size_t)(last - name->text);
	memcpy(text, name->text, n);
	if (n == 0)
		text[n++] = '.';
	text[n] = 0;
	resolve_path(&deed->guard->tracees, deed->task, name->dirfd, text, RESOLVE_FOLLOW, false, &parent);
	int64_t r = parent.error ? parent.error : parent.exists && parent.type == S_IFDIR ? 0 : -ENOTDIR;
	if (r == 0)
		r = set_last(place, last, length, name->at.slash);
	if (r == 0 && !is_name_in(&name->at, &parent, last, length))
		r = is_link_with_slash(parent.fd, place, name) ? -ENOTDIR : PERFORM_AGAIN;
	if (r != 0) {
		resolve_close(&parent);
		return r;
	}
	place->dirfd = parent.fd;
	place->own = true;
	return 0;
}

int64_t place_find(const struct deed *deed, const struct name_arg *name, struct place *place)
{
	place->dirfd = -1;
	place->own = false;
	return name->at.exists ? existing_place(deed, name, place) : missing_place(name, place);
}

void place_close(struct place *place)
{
	if (place->own)
		close(place->dirfd);
	place->own = false;
}

/* ---- locks -------------------------------------------------------------- */

static unsigned stripe_of(int dirfd)
{
	struct stat st;

	return fstat(dirfd, &st) < 0 ? 0 : (unsigned)((st.st_ino ^ st.st_dev) % STRIPES);
}

struct locks {
	unsigned first, second;
	bool moves;
};

/* For one directory, or two. */
static struct locks lock(const struct deed *deed, int one, int other)
{
	struct notifier *n = deed->guard->notifier;
	unsigned a = stripe_of(one), b = other < 0 ? a : stripe_of(other);
	struct locks locks = {a < b ? a : b, a < b ? b : a, deed->judgement->moves_names};

	if (locks.moves)
		pthread_rwlock_wrlock(&n->moves);
	pthread_mutex_lock(&n->names[locks.first]);
	if (locks.second != locks.first)
		pthread_mutex_lock(&n->names[locks.second]);
	return locks;
}

static void unlock(const struct deed *deed, struct locks locks)
{
	struct notifier *n = deed->guard->notifier;

	if (locks.second != locks.first)
		pthread_mutex_unlock(&n->names[locks.second]);
	pthread_mutex_unlock(&n->names[locks.first]);
	if (locks.moves)
		pthread_rwlock_unlock(&n->moves);
}

/* ---- making ------------------------------------------------------------- */

static int64_t make(struct deed *deed, const struct place *place)
{
	uint64_t mode = deed->tail[0];

	if (deed->request->stop.number != SYS_mkdir && deed->request->stop.number != SYS_mkdirat)
		return syscall(SYS_mknodat, place->dirfd, place->last, mode, deed->tail[1]) < 0 ? -errno : 0;
	return mkdirat(place->dirfd, place->last, (mode_t)mode) < 0 ? -errno : 0;
}

int64_t perform_create(struct deed *deed)
{
	struct place place;
	int64_t r = place_find(deed, &deed->request->names[0], &place);

	if (r != 0)
		return r;
	r = deed_umask(deed);
	if (r == 0) {
		struct locks locks = lock(deed, place.dirfd, -1);
		r = make(deed, &place);
		unlock(deed, locks);
	}
	place_close(&place);
	return r;
}

int64_t perform_symlink(struct deed *deed)
{
	char text[PATH_MAX];
	struct place place;
	ssize_t n = deed_take_string(deed, deed->request->stop.args[0], text, sizeof text);
	int64_t r = n < 0 ? n : place_find(deed, &deed->request->names[0], &place);

	if (r != 0)
		return r;
	struct locks locks = lock(deed, place.dirfd, -1);
	r = symlinkat(text, place.dirfd, place.last) < 0 ? -errno : 0;
	unlock(deed, locks);
	place_close(&place);
	return r;
}

int64_t perform_link(struct deed *deed)
{
	const struct name_arg *to = &deed->request->names[1];
	struct place place;
	int64_t r = place_find(deed, to, &place);

	if (r != 0)
		return r;
	struct locks locks = lock(deed, place.dirfd, -1);
	r = linkat(AT_FDCWD, deed->path, place.dirfd, place.last, AT_SYMLINK_FOLLOW) < 0 ? -errno : 0;
	unlock(deed, locks);
	place_close(&place);
	return r;
}

/* ---- removing and moving ------------------------------------------------ */

int64_t perform_remove(struct deed *deed)
{
	const struct request *request = deed->request;
	struct place place;
	int64_t r = place_find(deed, &request->names[0], &place);

	if (r != 0)
		return r;
	int flags = request->stop.number == SYS_rmdir ? AT_REMOVEDIR : request->flags;
	struct locks locks = lock(deed, place.dirfd, -1);
	r = unlinkat(place.dirfd, place.last, flags) < 0 ? -errno : 0;
	unlock(deed, locks);
	place_close(&place);
	return r;
}

/* Is there what was judged: the same object, or nothing? */
static bool is_as_judged(const struct place *place, const struct name_arg *name)
{
	struct stat st;

	if (look_at_last(place->dirfd, place, name, &st) < 0)
		return !name->at.exists;
	return name->at.exists && st.st_dev == name->at.held.st_dev && st.st_ino == name->at.held.st_ino;
}

int64_t perform_rename(struct deed *deed)
{
	const struct request *request = deed->request;
	const struct name_arg *from = &request->names[0], *to = &request->names[1];
	struct place source, target;
	int64_t r = place_find(deed, from, &source);

	if (r != 0)
		return r;
	r = place_find(deed, to, &target);
	if (r != 0) {
		place_close(&source);
		return r;
	}
	struct locks locks = lock(deed, source.dirfd, target.dirfd);
	if (!is_as_judged(&source, from) || !is_as_judged(&target, to))
		r = PERFORM_AGAIN;
	else if (syscall(SYS_renameat2, source.dirfd, source.last, target.dirfd, target.last, request->flags) < 0)
		r = -errno;
	unlock(deed, locks);
	place_close(&source);
	place_close(&target);
	return r;
}

/* ---- watching ----------------------------------------------------------- */

int64_t perform_watch(struct deed *deed)
{
	int queue = deed_descriptor(deed, (int)deed->request->stop.args[0]);

	if (queue < 0)
		return queue;
	/* what is held is the end of every link; the link that leads to it is not meant */
	uint32_t mask = (uint32_t)deed->request->flags & ~(uint32_t)IN_DONT_FOLLOW;
	int64_t r = !notify_waits(deed->task) ? -ESRCH : inotify_add_watch(queue, deed->path, mask);
	if (r < 0 && r != -ESRCH)
		r = -errno;
	close(queue);
	return r;
}
