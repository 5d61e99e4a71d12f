/* SPDX-License-Identifier: MIT */
/*
 * mem.h - reading and writing the memory of a stopped thread. Everything that
 * is read was written by the tool: callers validate it.
 */
#ifndef PICKET_TRACER_MEM_H
#define PICKET_TRACER_MEM_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Copy exactly `length` bytes. 0, -EFAULT (not all of it is mapped), or another -errno. */
int mem_read(pid_t tid, uint64_t address, void *to, size_t length);
int mem_write(pid_t tid, uint64_t address, const void *from, size_t length);

/* Write where the program itself may not, into its code: its tracer may, while it is stopped (ptrace(2), PTRACE_POKETEXT), with a few
 * bytes at a time. In order. 0 or -errno, and then the first of them may be written. */
struct mem_patch {
	uint64_t address;
	const void *bytes;
	size_t length;
};
int mem_patch(pid_t tid, const struct mem_patch *patches, unsigned count);

/* Copy `length` bytes from each of `count` addresses (at most MEM_EACH_MOST), one behind the other. How many could be read, up to the
 * first that could not. */
enum { MEM_EACH_MOST = 64 };
unsigned mem_read_each(pid_t tid, const uint64_t *addresses, unsigned count, size_t length, void *to);

/*
 * Copy a string with its NUL into `to` of `size` bytes. The length without the
 * NUL, -ENAMETOOLONG (no NUL in `size` bytes) or -EFAULT (unmapped memory before a NUL): what the kernel
 * itself says of such a path for size PATH_MAX.
 */
ssize_t mem_read_string(pid_t tid, uint64_t address, char *to, size_t size);

#endif
