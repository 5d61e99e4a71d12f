/* SPDX-License-Identifier: MIT */
/*
 * constant.c - see constant.h. What the kernel keeps the user from changing is constant by whatever name. Of root's files, and of
 * the user's own, it has to be known that there is one name: one link, on a file system that is mounted once. And that there was no
 * other one that the run has removed, with the file still open for writing: to remove one changes the file's ctime.
 */
#include "constant.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "mounts.h"

enum { INHERITED = 3, TIMES_S = 2 /* that a file system's times may be behind */ };

/* What the tool was given as its first descriptors may be open for writing: inodes. */
static ino_t inherited[INHERITED];
static time_t began; /* 0: not yet */
static uid_t user; /* who looks; at level notify with the task's own rights now and then, but that user's in any case */

void constant_begin(void)
{
	struct stat st;

	for (int fd = 0; fd < INHERITED; fd++)
		inherited[fd] = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? st.st_ino : 0;
	began = time(NULL);
	user = geteuid();
}

static bool mounted_once(dev_t device)
{
	const struct mount *mounts;
	size_t count = mounts_all(&mounts), times = 0;

	for (size_t i = 0; i < count; i++)
		times += mounts[i].device == device;
	return times == 1;
}

/* Does the kernel keep the user from writing, and from allowing himself to write? */
static bool kept_from_user(const char *name, const struct stat *st)
{
	return user != 0 && st->st_uid != user && faccessat(AT_FDCWD, name, W_OK, AT_EACCESS) < 0 && errno == EACCES;
}

bool constant_held(const char *name, const struct stat *st)
{
	if (!S_ISREG(st->st_mode))
		return false;
	for (int i = 0; i < INHERITED; i++)
		if (inherited[i] == st->st_ino)
			return false;
	return kept_from_user(name, st) ||
	       (st->st_nlink == 1 && st->st_ctim.tv_sec < began - TIMES_S && mounted_once(st->st_dev));
}

bool constant_file(const char *name)
{
	struct stat st;

	return stat(name, &st) == 0 && constant_held(name, &st);
}
