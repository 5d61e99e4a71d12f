/* SPDX-License-Identifier: MIT */
/* meter_files.c - see meter_files.h; proc(5): /proc/meminfo, /proc/PID/mountinfo. */
#include "meter_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "usage.h"

enum { MOUNTS_MOST = 32, LINE_SIZE = 4096 + 512, TEXT_SIZE = 4096 };

struct mount {
	int fd;		 /* of its root */
	char device[16]; /* "0:25" */
	uint64_t used;	 /* bytes, at the start */
};

struct meter_files {
	struct mount mount[MOUNTS_MOST];
	unsigned mounts;
	uint64_t shared; /* bytes, at the start */
};

static uint64_t shared_memory(void)
{
	char text[TEXT_SIZE];
	int fd = open("/proc/meminfo", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = 0;
	if (gettid() != getpid())
		usage_own(n > 0 ? (uint64_t)n : 0, 0);
	const char *at = strstr(text, "\nShmem:");
	return at ? strtoull(at + strlen("\nShmem:"), NULL, 10) * 1024u : 0;
}

static uint64_t used(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 ? (uint64_t)(fs.f_blocks - fs.f_bfree) * (uint64_t)fs.f_bsize : 0;
}

/* "36 35 0:25 / /dev/shm rw,nosuid shared:1 - tmpfs tmpfs rw,size=1024k": its path, "\040" for a blank */
static void unescape(char *path)
{
	char *to = path;

	for (const char *from = path; *from; to++) {
		unsigned byte;
		if (*from == '\\' && sscanf(from + 1, "%3o", &byte) == 1) {
			*to = (char)byte;
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = 0;
}

static void add_mount(struct meter_files *files, const char *device, char *path)
{
	struct mount *mount = &files->mount[files->mounts];

	for (unsigned i = 0; i < files->mounts; i++)
		if (strcmp(files->mount[i].device, device) == 0)
			return;
	unescape(path);
	mount->fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (mount->fd < 0)
		return;
	snprintf(mount->device, sizeof mount->device, "%s", device);
	mount->used = used(mount->fd);
	files->mounts++;
}

static void find_mounts(struct meter_files *files)
{
	char line[LINE_SIZE], device[16], path[4096], how[3];
	FILE *mounts = fopen("/proc/self/mountinfo", "re");

	if (!mounts)
		return;
	while (files->mounts < MOUNTS_MOST && fgets(line, sizeof line, mounts)) {
		const char *type = strstr(line, " - tmpfs ");
		if (type && sscanf(line, "%*d %*d %15s %*s %4095s %2s", device, path, how) == 3 &&
		    strcmp(how, "rw") == 0)
			add_mount(files, device, path);
	}
	fclose(mounts);
}

int meter_files_open(struct meter_files **out)
{
	struct meter_files *files = calloc(1, sizeof *files);

	if (!files)
		return -ENOMEM;
	find_mounts(files);
	files->shared = shared_memory();
	*out = files;
	return 0;
}

uint64_t meter_files_in_memory(const struct meter_files *files)
{
	uint64_t now = shared_memory();

	return now > files->shared ? now - files->shared : 0;
}

uint64_t meter_files_on_tmpfs(const struct meter_files *files)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < files->mounts; i++) {
		uint64_t now = used(files->mount[i].fd);
		sum += now > files->mount[i].used ? now - files->mount[i].used : 0;
	}
	return sum;
}

void meter_files_close(struct meter_files *files)
{
	if (!files)
		return;
	for (unsigned i = 0; i < files->mounts; i++)
		close(files->mount[i].fd);
	free(files);
}
