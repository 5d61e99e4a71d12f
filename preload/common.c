/* SPDX-License-Identifier: MIT */
/*
 * common.c - system calls that many parts make with the same arguments. They stand here once, since in a call as raw.h makes
 * it every argument is an instruction.
 */
#include <asm-generic/errno.h>
#include <linux/fcntl.h>
#include <linux/mman.h>
#include <linux/stat.h>

#include "shim.h"

#define ONCE __attribute__((noinline))

ONCE void *common_memory(size_t size)
{
	long address = raw(__NR_mmap, 0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return raw_failed(address) ? NULL : (void *)address;
}

ONCE long common_status(int dirfd, const char *name, int flags, unsigned wanted, struct statx *stx)
{
	return raw(__NR_statx, dirfd, name, flags, wanted, stx);
}

ONCE long common_object(int fd, unsigned wanted, struct statx *stx)
{
	return common_status(fd, "", AT_EMPTY_PATH, wanted, stx);
}

ONCE void *common_file(int fd, uint64_t protection, uint64_t kind, size_t *size)
{
	struct statx stx;

	if (common_object(fd, STATX_SIZE, &stx) < 0 || stx.stx_size == 0)
		return NULL;
	*size = stx.stx_size;
	long address = raw(__NR_mmap, 0, *size, protection, kind, fd, 0);
	return raw_failed(address) ? NULL : (void *)address;
}

ONCE void common_descriptor_name(char *name, int fd)
{
	text_put_number(text_put(name, "/proc/self/fd/"), (unsigned)fd);
}

int common_descriptors(int (*function)(void *, int), void *context)
{
	char entries[512];
	long n = 0, fd = raw(__NR_open, "/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = fd < 0 ? -EACCES : 0;

	while (r == 0 && (n = raw(__NR_getdents64, fd, entries, sizeof entries)) > 0) {
		/* struct linux_dirent64: inode and offset, 8 bytes each, length, 2, type, 1, name */
		for (long at = 0; at + 19 < n && r == 0;) {
			long number = (long)text_number(entries + at + 19, NULL);
			uint16_t length;
			memcpy(&length, entries + at + 16, sizeof length);
			if (entries[at + 19] != '.' && number != fd)
				r = function(context, (int)number);
			at += length ? length : n;
		}
	}
	if (fd >= 0)
		raw(__NR_close, fd);
	return r;
}
