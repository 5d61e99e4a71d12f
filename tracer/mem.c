/* SPDX-License-Identifier: MIT */
/* mem.c - see mem.h; process_vm_readv(2), which stops short at an unmapped page; ptrace(2). */
#include "mem.h"

#include <errno.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

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

/* A word of memory, wherever that begins; what it was where nothing of the patch lies. */
static int patch_word(pid_t tid, const struct mem_patch *patch, size_t from)
{
	size_t length = patch->length - from < sizeof(long) ? patch->length - from : sizeof(long), before = 0;
	uint64_t address = patch->address + from;
	long word = 0;

	if (length < sizeof word) {
		if (address % PAGE + sizeof word > PAGE && address % PAGE + length <= PAGE)
			before = sizeof word - length; /* what is behind it may not be there */
		errno = 0;
		word = ptrace(PTRACE_PEEKDATA, tid, (void *)(uintptr_t)(address - before), NULL);
		if (errno)
			return -errno;
	}
	memcpy((char *)&word + before, (const char *)patch->bytes + from, length);
	/* NOLINTNEXTLINE(performance-no-int-to-ptr): as it is declared */
	return ptrace(PTRACE_POKEDATA, tid, (void *)(uintptr_t)(address - before), (void *)word) < 0 ? -errno : 0;
}

int mem_patch(pid_t tid, const struct mem_patch *patches, unsigned count)
{
	int r = 0;

	for (unsigned i = 0; i < count; i++)
		for (size_t done = 0; r == 0 && done < patches[i].length; done += sizeof(long))
			r = patch_word(tid, &patches[i], done);
	return r;
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
