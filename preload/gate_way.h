/* SPDX-License-Identifier: MIT */
/*
 * gate_way.h - by which root and with which entry of the gate's page (wire.h) a name can be opened. For the shim and
 * for the code in the page that serves the dynamic linker: pure, but for what they are told of memory that may not be
 * there.
 */
#ifndef PICKET_PRELOAD_GATE_WAY_H
#define PICKET_PRELOAD_GATE_WAY_H

#include "shim.h"

#define GATE ((const struct wire_gate *)GATE_START)

struct gate_way {
	int root;
	const char *rest; /* of the name, behind the root's own; or all of it, in the page */
	const struct wire_how *how;
};

/* The ways there are, in the order in which they are to be tried: beneath a root, or by a file's own name. */
enum gate_kind { GATE_BENEATH, GATE_FILE, GATE_KINDS };

/* For an absolute name, its length known. False: there is none of that kind. */
bool gate_way(enum gate_kind kind, const char *path, size_t length, uint32_t flags, uint64_t mode,
	      struct gate_way *way);

/* Open it. A descriptor or -errno. */
long gate_way_open(const struct gate_way *way);

/* Is that what the call itself would say? */
bool gate_way_true(long answer);

/* As newfstatat without its result: 0, -errno, or GATE_NOT when it would stop; and whether that says that the name
 * leads nowhere. */
long gate_way_look(int dirfd, const char *path, int flags);
bool gate_way_missing(long answer);

#endif
