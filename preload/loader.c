/* SPDX-License-Identifier: MIT */
/*
 * loader.c - code in the gate's page (wire.h): what the dynamic linker opens before there is a shim, the libraries of
 * every program. Linked by itself, for that address (loader.ld), and trusted by nobody: it does what the tool could do.
 */
#include <linux/fcntl.h>

#include "gate_way.h"

static long open_absolute(const char *path, size_t length, uint32_t flags, uint64_t mode)
{
	struct gate_way way;

	for (int kind = 0; kind < GATE_KINDS; kind++) {
		long answer = gate_way((enum gate_kind)kind, path, length, flags, mode, &way) ? gate_way_open(&way)
											      : GATE_NOT;
		if (answer != GATE_NOT && gate_way_true(answer))
			return answer;
	}
	return GATE_NOT;
}

/* What loader_enter.S asks: as openat, or GATE_NOT. Libraries are looked for where they are not (LD_LIBRARY_PATH,
 * ld.so(8)). */
long loader_open(int dirfd, const char *path, uint64_t flags, uint64_t mode);
long loader_open(int dirfd, const char *path, uint64_t flags, uint64_t mode)
{
	size_t length = gate_name_length(path);

	if (length == 0 || length >= GATE_NAME_MOST || (flags & O_CREAT))
		return GATE_NOT;
	long answer = path[0] == '/' ? open_absolute(path, length, (uint32_t)flags, mode) : GATE_NOT;
	if (answer == GATE_NOT) {
		long looked = gate_way_look(dirfd, path, 0);
		if (gate_way_missing(looked))
			return looked;
	}
	return answer;
}
