/* SPDX-License-Identifier: MIT */
/*
 * links.h - the symbolic links that a name leads through, by the names that they have themselves. Where the name leads
 * to is known already (the kernel was asked), so that only where the text and that part is there a link to be looked
 * at. Both rooms use it: no heap, no libc but memcpy and memmove, async-signal-safe.
 */
#ifndef PICKET_POLICY_LINKS_H
#define PICKET_POLICY_LINKS_H

#include <stdbool.h>
#include <stddef.h>

struct links {
	/* As readlink(2): bytes, or negative. */
	long (*read)(void *context, const char *link, char *target, size_t size);
	/* What is done with each; `link` is absolute, has no link before its last component, and is terminated. False:
	 * enough. */
	bool (*met)(void *context, const char *link, size_t length);
	void *context;
};

enum { LINKS_ROOM = 4 * 4096 }; /* bytes; what takes more is not followed to its end */

/*
 * Along `path`, which begins at the directory `from` unless it is absolute, and leads to `name`; both absolute, without
 * links. `room` is LINKS_ROOM bytes. Ends at /proc, where links lead elsewhere for each process. False: met() said
 * enough.
 */
bool links_of(const struct links *links, char *room, const char *from, const char *path, const char *name);

#endif
