/* SPDX-License-Identifier: MIT */
/*
 * gate_withdraw.c - see gate.h: programs that want another library to be the first that is loaded do without the shim, and so do
 * those that call nothing it could make faster. Nothing rests on it: what is guarded is guarded by the supervisor. So
 * whatever cannot be read is left as it is.
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
#include "new_stack.h"
#include "shim_file.h"
#include "tracee.h"

enum { LIST_MOST = 4 * PATH_MAX }; /* a longer LD_PRELOAD is left as it is */

/* A program, held for reading. */
static enum gate_want find_out(struct gate *gate, const char *path)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return GATE_WANTS_SHIM;
	if (shim_file_sanitizer(fd))
		return GATE_WANTS_ANOTHER;
	if (!gate->names.list && !gate->nameless)
		gate->nameless = shim_names_read(&gate->names, gate->shim) < 0;
	return gate->nameless || shim_names_used(&gate->names, fd) ? GATE_WANTS_SHIM : GATE_WANTS_NONE;
}

/* What is known of a file is kept, as the same few are executed again and again. */
static enum gate_want want_of(struct gate *gate, const struct program *program, pid_t pid)
{
	struct gate_seen *seen;
	char path[32];

	for (unsigned i = 0; i < GATE_SEEN; i++) {
		seen = &gate->seen[i];
		if (seen->inode == program->ino && seen->device == program->dev &&
		    seen->changed.tv_sec == program->changed.tv_sec &&
		    seen->changed.tv_nsec == program->changed.tv_nsec)
			return seen->want;
	}
	snprintf(path, sizeof path, "/proc/%d/exe", (int)pid);
	seen = &gate->seen[gate->seen_next++ % GATE_SEEN];
	*seen = (struct gate_seen){program->dev, program->ino, program->changed, find_out(gate, path)};
	return seen->want;
}

/* Take a word out of a list (not the same file by another name: WIRE_SHIM_ALONE) as ld.so(8) reads LD_PRELOAD: separators stand in its place, since a NUL would be the end of what
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

bool gate_withdraw(struct gate *gate, const struct program *program, struct new_stack *stack)
{
	char list[LIST_MOST] = "", rest[LIST_MOST];
	uint64_t address = gate->shim ? new_stack_variable(stack, "LD_PRELOAD=") : 0;
	ssize_t length = address ? mem_read_string(stack->tid, address, list, sizeof list) : -1;

	if (length <= 0)
		return false;
	memcpy(rest, list, (size_t)length + 1);
	if (!take_out(rest, gate->shim))
		return false;
	enum gate_want want = want_of(gate, program, stack->tid);
	/* else, of what else is loaded nothing is known */
	if (want == GATE_WANTS_ANOTHER || (want == GATE_WANTS_NONE && strcmp(list, gate->shim) == 0))
		mem_write(stack->tid, address, rest, (size_t)length);
	return want != GATE_WANTS_ANOTHER;
}
