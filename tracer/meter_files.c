/* SPDX-License-Identifier: MIT */
/* meter_files.c - see meter_files.h; proc(5): /proc/meminfo. */
#include "meter_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "mounts.h"
#include "usage.h"

enum { TREES_MOST = 32, TEXT_SIZE = 4096 };

struct tree {
	int fd; /* of its root */
	dev_t device;
	uint64_t used; /* bytes, at the start */
};

struct meter_files {
	struct tree tree[TREES_MOST];
	unsigned trees;
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

static void add_tree(struct meter_files *files, const struct mount *mount)
{
	struct tree *tree = &files->tree[files->trees];

	for (unsigned i = 0; i < files->trees; i++)
		if (files->tree[i].device == mount->device)
			return;
	tree->fd = open(mount->point, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (tree->fd < 0)
		return;
	tree->device = mount->device;
	tree->used = used(tree->fd);
	files->trees++;
}

static void find_trees(struct meter_files *files)
{
	const struct mount *mounts;
	size_t count = mounts_all(&mounts);

	for (size_t i = 0; i < count && files->trees < TREES_MOST; i++)
		if (mounts[i].writable && strcmp(mounts[i].type, "tmpfs") == 0)
			add_tree(files, &mounts[i]);
}

int meter_files_open(struct meter_files **out)
{
	struct meter_files *files = calloc(1, sizeof *files);

	if (!files)
		return -ENOMEM;
	find_trees(files);
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

	for (unsigned i = 0; i < files->trees; i++) {
		uint64_t now = used(files->tree[i].fd);
		sum += now > files->tree[i].used ? now - files->tree[i].used : 0;
	}
	return sum;
}

void meter_files_close(struct meter_files *files)
{
	if (!files)
		return;
	for (unsigned i = 0; i < files->trees; i++)
		close(files->tree[i].fd);
	free(files);
}
