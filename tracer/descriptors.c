/* SPDX-License-Identifier: MIT */
/* descriptors.c - see descriptors.h. */
#include "descriptors.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { ENTRIES_SIZE = 1024 };

/* Close those in the range that were read into `entries`. Were there any? */
static int close_listed(const char *entries, long length, int directory, unsigned first, unsigned last)
{
	int closed = 0;

	for (long at = 0; at < length;) {
		const struct dirent64 *entry = (const void *)(entries + at);
		char *end;
		unsigned long fd = strtoul(entry->d_name, &end, 10);
		if (end != entry->d_name && fd >= first && fd <= last && (int)fd != directory && close((int)fd) == 0)
			closed = 1;
		at += entry->d_reclen;
	}
	return closed;
}

/* Not opendir, which allocates. To close while one reads is allowed; that nothing is left out a last round shows. */
static int close_one_by_one(unsigned first, unsigned last)
{
	_Alignas(struct dirent64) char entries[ENTRIES_SIZE];
	int directory = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC), closed = 1;
	long n = 0;

	if (directory < 0)
		return -errno;
	while (n == 0 && closed) {
		closed = 0;
		lseek(directory, 0, SEEK_SET);
		while ((n = syscall(SYS_getdents64, directory, entries, sizeof entries)) > 0)
			closed |= close_listed(entries, n, directory, first, last);
	}
	int error = errno;
	close(directory);
	return n < 0 ? -error : 0;
}

int descriptors_close(unsigned first, unsigned last)
{
	if (first > last || syscall(SYS_close_range, first, last, 0) == 0)
		return 0;
	return close_one_by_one(first, last);
}
