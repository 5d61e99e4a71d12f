/* SPDX-License-Identifier: MIT */
/*
 * constant.c - see constant.h. What the kernel keeps the user from changing is constant by whatever name. Of root's files, and of
 * the user's own, it has to be known that there is one name: one link, on a file system that is mounted once.
 */
#include "constant.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { MOUNTS_MOST = 256, INHERITED = 3 };

/* File systems that are mounted, and how often, as it was at the first question: nobody in the run can mount. */
static struct {
	size_t count;
	struct {
		dev_t device;
		unsigned times;
	} mounts[MOUNTS_MOST];
} mounted;
/* What the tool was given as its first descriptors may be open for writing: inodes. */
static ino_t inherited[INHERITED];
static pthread_once_t looked = PTHREAD_ONCE_INIT;

static void count_mount(dev_t device)
{
	for (size_t i = 0; i < mounted.count; i++)
		if (mounted.mounts[i].device == device) {
			mounted.mounts[i].times++;
			return;
		}
	if (mounted.count == MOUNTS_MOST)
		return;	/* not found: not constant */
	mounted.mounts[mounted.count].device = device;
	mounted.mounts[mounted.count++].times = 1;
}

static void look(void)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	char *line = NULL;
	size_t size = 0;
	unsigned major, minor;
	struct stat st;

	while (file && getline(&line, &size, file) > 0)
		if (sscanf(line, "%*d %*d %u:%u", &major, &minor) == 2)
			count_mount(makedev(major, minor));
	free(line);
	if (file)
		fclose(file);
	for (int fd = 0; fd < INHERITED; fd++)
		inherited[fd] = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? st.st_ino : 0;
}

static bool mounted_once(dev_t device)
{
	for (size_t i = 0; i < mounted.count; i++)
		if (mounted.mounts[i].device == device)
			return mounted.mounts[i].times == 1;
	return false;
}

/* Does the kernel keep the user from writing, and from allowing himself to write? */
static bool kept_from_user(const char *name, const struct stat *st)
{
	uid_t user = geteuid();

	return user != 0 && st->st_uid != user && faccessat(AT_FDCWD, name, W_OK, AT_EACCESS) < 0 && errno == EACCES;
}

bool constant_file(const char *name)
{
	struct stat st;

	if (stat(name, &st) < 0 || !S_ISREG(st.st_mode))
		return false;
	pthread_once(&looked, look);
	for (int i = 0; i < INHERITED; i++)
		if (inherited[i] == st.st_ino)
			return false;
	return kept_from_user(name, &st) || (st.st_nlink == 1 && mounted_once(st.st_dev));
}
