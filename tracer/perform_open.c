/* SPDX-License-Identifier: MIT */
/*
 * perform_open.c - opening for a task: what exists is held, and opened again
 * through /proc/self/fd/N, where nothing of the name is walked any more; what does not exist is made in the parent that is
 * held, and only if it is still missing. The kernel checks mode bits, leases, read-only mounts and so on as it would for the task.
 *
 * Two things a supervisor cannot do for another: make a terminal its controlling one (a session leader that opens a terminal
 * without O_NOCTTY gets none by that; TIOCSCTTY works), and open "the terminal of the caller" (/dev/tty) of another session,
 * which is looked for by its number.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "act.h"
#include "cleanup.h"
#include "perform_inside.h"
#include "terminal.h"

enum { STANDARD_FDS = 3 };

/* O_TMPFILE has two bits, one is O_DIRECTORY's. */
static bool is_temporary(uint64_t flags)
{
	return (flags & O_TMPFILE) == O_TMPFILE;
}

/* How what is held is opened again. The held one is the end of every link. O_EXCL stays: with O_TMPFILE it keeps the file nameless. */
static int again_flags(uint64_t flags)
{
	return (int)((flags & ~(uint64_t)(O_CREAT | O_NOFOLLOW)) | O_NOCTTY | O_CLOEXEC);
}

/* A mode is given since flags may have O_TMPFILE, which means nothing here and is the kernel's to refuse. */
static int open_again(const char *path, uint64_t flags)
{
	return open(path, again_flags(flags), 0);
}

static mode_t mode_of(const struct deed *deed)
{
	const struct call *call = deed->request->call;
	int flags = call_arg_index(call, ARG_OPEN_FLAGS, 0);

	if (call_arg_index(call, ARG_OPEN_HOW, 0) >= 0)
		return (mode_t)deed->request->how.mode;
	/* creat has no flags: its mode follows the name */
	return (mode_t)(flags >= 0 ? deed->request->stop.args[flags + 1] : deed->tail[0]) & 07777;
}

/* ---- terminals ---------------------------------------------------------- */

static bool is_terminal(int fd, dev_t terminal)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == terminal;
}

/* /dev/tty: the terminal of the task's session. */
static int open_terminal(const struct deed *deed, uint64_t flags)
{
	dev_t terminal = terminal_of_session(deed->task->tid);
	char path[64];

	if (getsid(deed->task->tid) == getsid(0))
		return open_again(deed->path, flags);
	for (int i = 0; terminal && i < STANDARD_FDS; i++) { /* the likeliest, and right in every mount of devpts */
		snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)deed->task->tid, i);
		cleanup_fd int held = open(path, O_PATH | O_CLOEXEC);
		if (held < 0 || !is_terminal(held, terminal))
			continue;
		snprintf(path, sizeof path, "/proc/self/fd/%d", held);
		return open_again(path, flags);
	}
	cleanup_fd int held =
		terminal && terminal_name(terminal, path) == 0 ? open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC) : -1;
	if (held < 0 || !is_terminal(held, terminal)) {
		errno = ENXIO; /* what /dev/tty says where there is none */
		return -1;
	}
	snprintf(path, sizeof path, "/proc/self/fd/%d", held);
	return open_again(path, flags);
}

static bool is_own_terminal(const struct deed *deed)
{
	return is_terminal(deed->fd, makedev(5, 0));
}

/* ---- what exists -------------------------------------------------------- */

/* O_PATH: the same object; or one that has a name, and the policy lets it be looked at. */
bool perform_approves_path(struct guard *guard, struct request *request, int fd)
{
	const struct resolved *judged = &request->names[0].at;
	struct judgement *judgement = &notify_self()->desk.judgement;
	struct resolved got;

	resolve_fd(&guard->tracees, request->task, fd, &got);
	bool approved = got.error == -EBADF || /* another thread has closed it already */
			(got.error == 0 && judged->exists && got.held.st_dev == judged->held.st_dev &&
			 got.held.st_ino == judged->held.st_ino);
	if (!approved && got.error == 0 && (!got.nameless || got.deleted)) {
		pthread_rwlock_rdlock(&guard->policy_lock);
		approved = judge_path(guard, judgement, &got, ACCESS_LOOK);
		pthread_rwlock_unlock(&guard->policy_lock);
	}
	if (!approved) {
		judge_always(judgement, VIOLATION_FILE_READ, EACCES, "%s", got.judged);
		act_record(guard, request, &judgement->refusal, ACTION_KILLED);
	}
	resolve_close(&got);
	return approved;
}

/* Something whose opening may wait for somebody. */
static int64_t open_waiting(const struct deed *deed, uint64_t flags)
{
	bool terminal = is_own_terminal(deed), again;
	int64_t fd;

	do {
		notify_may_wait();
		fd = terminal ? open_terminal(deed, flags) : open_again(deed->path, flags);
		fd = notify_waited(fd < 0 ? -errno : fd, &again);
	} while (again);
	return fd;
}

static int64_t open_object(const struct deed *deed, uint64_t flags)
{
	const struct resolved *at = &deed->request->names[0].at;

	int error = call_open_error(flags, at->type);

	if (error < 0)
		return error;
	if (at->type == S_IFIFO || at->type == S_IFCHR)
		return open_waiting(deed, flags);
	if (is_temporary(flags)) {
		int r = deed_umask(deed);
		if (r < 0)
			return r;
	}
	int fd = open(deed->path, again_flags(flags), mode_of(deed));
	return fd < 0 ? -errno : fd;
}

/* ---- what does not ------------------------------------------------------ */

static int64_t make_file(const struct deed *deed, uint64_t flags)
{
	struct place place;
	int64_t r = place_find(deed, &deed->request->names[0], &place);

	if (r != 0)
		return r;
	r = deed_umask(deed);
	if (r == 0) {
		int fd = openat(place.dirfd, place.last, (int)flags | O_EXCL | O_NOCTTY | O_CLOEXEC, mode_of(deed));
		r = fd < 0 ? -errno : fd;
	}
	place_close(&place);
	/* somebody was faster */
	return r == -EEXIST && !(flags & O_EXCL) ? PERFORM_AGAIN : r;
}

int64_t perform_open(struct deed *deed)
{
	uint64_t flags = deed->request->how.flags;
	int64_t r;

	if (flags & O_PATH)
		return deed->request->names[0].at.exists ? PERFORM_FOLLOWED : -ENOENT;
	if (deed->request->names[0].at.exists)
		r = open_object(deed, flags);
	else
		r = make_file(deed, flags);
	if (r < 0)
		return r;
	deed->give = (int)r;
	deed->close_on_exec = flags & O_CLOEXEC;
	return 0;
}
