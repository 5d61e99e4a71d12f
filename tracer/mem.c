/* SPDX-License-Identifier: MIT */
/* mem.c - see mem.h; process_vm_readv(2), which stops short at an unmapped page. */
#include "mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "cleanup.h"

enum { PAGE = 4096, FIRST_READ = 256 };

int mem_read(pid_t tid, uint64_t address, void *to, size_t length)
{
	/* cppcheck-suppress ctuuninitvar; what is read into need hold nothing */
	struct iovec local = {to, length}, remote = {(void *)(uintptr_t)address, length};

	if (length == 0)
		return 0;
	ssize_t n = process_vm_readv(tid, &local, 1, &remote, 1, 0);

	if (n < 0)
		return -errno;
	return (size_t)n == length ? 0 : -EFAULT;
}

int mem_write(pid_t tid, uint64_t address, const void *from, size_t length)
{
	struct iovec local = {(void *)(uintptr_t)from, length}, remote = {(void *)(uintptr_t)address, length};
	ssize_t n = process_vm_writev(tid, &local, 1, &remote, 1, 0);

	if (n < 0)
		return -errno;
	return (size_t)n == length ? 0 : -EFAULT;
}

int mem_patch(pid_t tid, const struct mem_patch *patches, unsigned count)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/mem", (int)tid);
	cleanup_fd int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	for (unsigned i = 0; i < count; i++) {
		ssize_t n = pwrite(fd, patches[i].bytes, patches[i].length, (off_t)patches[i].address);
		if (n != (ssize_t)patches[i].length)
			return n < 0 ? -errno : -EFAULT;
	}
	return 0;
}

unsigned mem_read_each(pid_t tid, const uint64_t *addresses, unsigned count, size_t length, void *to)
{
	struct iovec local = {to, count * length}, remote[MEM_EACH_MOST];

	if (count > MEM_EACH_MOST)
		return 0;
	for (unsigned i = 0; i < count; i++)
		remote[i] = (struct iovec){(void *)(uintptr_t)addresses[i], length};
	ssize_t n = count ? process_vm_readv(tid, &local, 1, remote, count, 0) : 0;
	return n < 0 ? 0 : (unsigned)((size_t)n / length);
}

ssize_t mem_read_string(pid_t tid, uint64_t address, char *to, size_t size)
{
	size_t have = 0;

	while (have < size) {
		uint64_t at = address + have;
		size_t want = have ? size - have : FIRST_READ, to_page_end = PAGE - (size_t)(at % PAGE);
		if (want > size - have)
			want = size - have;
		/* one piece per page: a piece that is not all mapped is not read at all */
		size_t first = want < to_page_end ? want : to_page_end;
		struct iovec local = {to + have, want};
		struct iovec remote[2] = {{(void *)(uintptr_t)at, first},
					  {(void *)(uintptr_t)(at + first), want - first}};
		ssize_t n = process_vm_readv(tid, &local, 1, remote, want > first ? 2 : 1, 0);
		if (n <= 0)
			return n < 0 ? -errno : -EFAULT;
		const char *end = memchr(to + have, 0, (size_t)n);
		if (end)
			return end - to;
		have += (size_t)n;
	}
	return -ENAMETOOLONG;
}
