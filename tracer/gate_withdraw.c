/* SPDX-License-Identifier: MIT */
/*
 * gate_withdraw.c - see gate.h: programs that want another library to be the first that is loaded do without the shim. Nothing
 * rests on it: what is guarded is guarded by the supervisor. So whatever cannot be read is left as it is.
 */
#include "gate.h"

#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "mem.h"
#include "shim_file.h"

#define LD_PRELOAD "LD_PRELOAD="

enum {
	VARIABLES_MOST = 1 << 16,	/* that are looked at in the environment of a program */
	LIST_MOST = 4 * PATH_MAX,	/* a longer LD_PRELOAD is left as it is */
};

/* Is the program such a one? What is known of a file is kept, as the same few are executed again and again. */
static bool wants_another(struct gate *gate, pid_t pid)
{
	struct gate_seen *seen;
	char path[32];
	struct stat st;

	snprintf(path, sizeof path, "/proc/%d/exe", (int)pid);
	if (stat(path, &st) < 0)
		return false;
	for (unsigned i = 0; i < GATE_SEEN; i++) {
		seen = &gate->seen[i];
		if (seen->inode == st.st_ino && seen->device == st.st_dev && seen->changed.tv_sec == st.st_ctim.tv_sec &&
		    seen->changed.tv_nsec == st.st_ctim.tv_nsec)
			return seen->wants_another;
	}
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	seen = &gate->seen[gate->seen_next++ % GATE_SEEN];
	*seen = (struct gate_seen){ st.st_dev, st.st_ino, st.st_ctim, fd >= 0 && shim_file_sanitizer(fd) };
	return seen->wants_another;
}

/* Take a word out of a list as ld.so(8) reads LD_PRELOAD: separators stand in its place, since a NUL would be the end of what
 * is read of /proc/PID/environ by some, AddressSanitizer among them. Was it there? */
static bool take_out(char *list, const char *word)
{
	size_t n = strlen(word), length;
	bool found = false;

	for (char *at = list; *at; at += length + (at[length] != 0)) {
		length = strcspn(at, ": ");
		if (length == n && memcmp(at, word, n) == 0) {
			memset(at, ':', n);
			found = true;
		}
	}
	return found;
}

/* Where the value of the variable lies in the program's memory, or 0. What the kernel puts on a new stack: the number of
 * arguments, their addresses, NULL, those of the environment, NULL. */
static uint64_t find_list(pid_t pid, uint64_t stack)
{
	uint64_t count, address;
	char name[sizeof LD_PRELOAD - 1];

	if (mem_read(pid, stack, &count, sizeof count) < 0)
		return 0;
	stack += (count + 2) * sizeof address;
	for (unsigned i = 0; i < VARIABLES_MOST; i++, stack += sizeof address) {
		if (mem_read(pid, stack, &address, sizeof address) < 0 || !address)
			return 0;
		if (mem_read(pid, address, name, sizeof name) == 0 && memcmp(name, LD_PRELOAD, sizeof name) == 0)
			return address + sizeof name;
	}
	return 0;
}

void gate_withdraw(struct gate *gate, pid_t pid, uint64_t stack)
{
	char list[LIST_MOST] = "";

	if (!gate->shim || !wants_another(gate, pid))
		return;
	uint64_t address = find_list(pid, stack);
	ssize_t length = address ? mem_read_string(pid, address, list, sizeof list) : -1;
	if (length > 0 && take_out(list, gate->shim))
		mem_write(pid, address, list, (size_t)length);
}
