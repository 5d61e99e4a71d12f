/* SPDX-License-Identifier: MIT */
/*
 * floor.h - Landlock under every level that is a boundary: what the kernel itself refuses a run, should all else fail.
 */
#ifndef PICKET_TRACER_FLOOR_H
#define PICKET_TRACER_FLOOR_H

#include <stdbool.h>

struct guard;

/* Do the policies let the tool read all of /proc, and so know where processes outside the run have their files? */
bool floor_tells_of_strangers(const struct guard *guard);

/*
 * Should it be laid? Not where the policy lets the tool read all of /proc or something in the entry of a process that it
 * names, or everything is only audited: it keeps back what ptrace(2) would be needed for. Nor at level preload, which rests on what the tool does itself.
 */
bool floor_wanted(const struct guard *guard);

/* Does the kernel refuse the tool the contents of this name, an entry of a process outside the run, with or without it? What only
 * who might trace the process may read is kept from the tools of root, who have no CAP_SYS_PTRACE, and between users. */
bool floor_of_kernel(const char *target);

/* Has this kernel what is used of it (Linux 6.12)? Sets errno when not. */
bool floor_is_there(void);

/*
 * For the calling thread and whatever it makes, for ever: no signals, not even through descriptors, to processes that are
 * not among these, and nothing of them from /proc that ptrace(2) would be needed for. Files and sockets are as they were. Needs
 * no_new_privs. 0 or -errno, which is in errno as well; async-signal-safe.
 */
int floor_lay(void);

#endif
