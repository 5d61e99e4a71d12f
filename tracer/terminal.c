/* SPDX-License-Identifier: MIT */
/*
 * terminal.c - see terminal.h. Nothing is remembered of it: who has the other end now is asked of /proc each time, since
 * a number that the run had once may be another's by now. As long as somebody has it, it is not given away.
 */
#include "terminal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "cleanup.h"

/* Documentation/admin-guide/devices.txt */
enum {
	TTY_MAJOR = 4,
	SERIAL_FROM = 64,
	TERMINALS_MAJOR = 5,
	PTMX = 2,
	PTS_MAJOR = 136,
	PTS_MAJORS = 8,
	STANDARD_FDS = 3,
};

static bool is_pts(dev_t number)
{
	return major(number) >= PTS_MAJOR && major(number) < PTS_MAJOR + PTS_MAJORS;
}

static unsigned pts_index(dev_t number)
{
	return (major(number) - PTS_MAJOR) << 8 | minor(number);
}

/* Of what is held; 0: it is no device. */
static dev_t number_of(const struct resolved *at)
{
	struct stat st;

	return at->type == S_IFCHR && fstat(at->fd, &st) == 0 ? st.st_rdev : 0;
}

bool terminal_is_pseudo(const struct resolved *at)
{
	return at->exists && is_pts(number_of(at));
}

dev_t terminal_of_session(pid_t pid)
{
	char path[64], text[1024];
	int number = 0;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	text[n > 0 ? n : 0] = 0;
	const char *end = strrchr(text, ')');
	if (!end || sscanf(end + 1, " %*c %*d %*d %*d %d", &number) != 1)
		return 0;
	/* new_encode_dev(), include/linux/kdev_t.h */
	unsigned bits = (unsigned)number;
	return makedev((bits & 0xfff00) >> 8, (bits & 0xff) | ((bits >> 12) & 0xfff00));
}

int terminal_name(dev_t terminal, char path[64])
{
	unsigned number = minor(terminal);

	if (is_pts(terminal))
		snprintf(path, 64, "/dev/pts/%u", pts_index(terminal));
	else if (major(terminal) == TTY_MAJOR && number < SERIAL_FROM)
		snprintf(path, 64, "/dev/tty%u", number);
	else if (major(terminal) == TTY_MAJOR)
		snprintf(path, 64, "/dev/ttyS%u", number - SERIAL_FROM);
	else
		return -ENXIO;
	return 0;
}

/* ---- what it was started on --------------------------------------------- */

/* Does it lie in the devpts that names below /dev mean? There may be others, each of which counts for itself. */
static bool is_usual_devpts(dev_t devpts)
{
	struct stat st;

	return stat("/dev/pts", &st) == 0 && st.st_dev == devpts;
}

/* Ours, which nobody else gets as long as we have it. */
static bool was_inherited(const struct resolved *at)
{
	dev_t number = number_of(at);
	struct stat st;

	for (int fd = 0; fd < STANDARD_FDS; fd++)
		if (fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == number && st.st_dev == at->held.st_dev)
			return true;
	return terminal_of_session(getpid()) == number && is_usual_devpts(at->held.st_dev);
}

/* ---- what it has the other end of --------------------------------------- */

/* Could it be the other end, as stat(2) tells it? What it is the other end of only a copy tells. */
static bool may_be_other_end(const struct stat *st, dev_t devpts)
{
	/* a node for itself is about the devpts beside it (fs/devpts/inode.c, devpts_mntget()) */
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(TERMINALS_MAJOR, PTMX) &&
	       (st->st_dev == devpts || is_usual_devpts(devpts));
}

/* A copy of that descriptor of a process, if it is the other end of this terminal; or -errno. */
static int copy_of_other_end(pid_t pid, int fd, unsigned index)
{
	cleanup_fd int process = (int)syscall(SYS_pidfd_open, pid, 0);
	int copy = process < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, process, fd, 0);
	unsigned number;

	if (copy < 0)
		return -errno;
	if (ioctl(copy, TIOCGPTN, &number) == 0 && number == index)
		return copy;
	close(copy);
	return -ENOENT;
}

static int find_other_end(pid_t pid, dev_t devpts, unsigned index)
{
	char path[64];
	struct stat st;
	int copy = -ENOENT;

	snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
	DIR *list = opendir(path);
	if (!list)
		return -errno;
	for (const struct dirent *entry; copy < 0 && (entry = readdir(list)) != NULL;)
		if (entry->d_name[0] != '.' && fstatat(dirfd(list), entry->d_name, &st, 0) == 0 &&
		    may_be_other_end(&st, devpts))
			copy = copy_of_other_end(pid, atoi(entry->d_name), index);
	closedir(list);
	return copy;
}

/* A copy of the other end, which some process of the run has; or -errno. */
static int other_end(struct tracees *all, const struct resolved *at)
{
	cleanup_free pid_t *list = NULL;
	size_t count;
	int copy = -ENOENT, r = tracee_list(all, &list, &count);

	if (r < 0)
		return r;
	for (size_t i = 0; copy < 0 && i < count; i++)
		copy = find_other_end(list[i], at->held.st_dev, pts_index(number_of(at)));
	return copy;
}

/* ------------------------------------------------------------------------- */

bool terminal_is_ours(struct tracees *all, const struct resolved *at)
{
	if (was_inherited(at))
		return true;
	cleanup_fd int copy = other_end(all, at);
	return copy >= 0;
}

bool terminal_hold(struct task *task, const struct resolved *at)
{
	terminal_let_go(task, 0);
	if (was_inherited(at))
		return true;
	task->other_end = other_end(task->all, at);
	return task->other_end >= 0;
}

int64_t terminal_let_go(struct task *task, int64_t result)
{
	if (task->other_end >= 0)
		close(task->other_end);
	task->other_end = -1;
	return result;
}
