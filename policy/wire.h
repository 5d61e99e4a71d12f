/* SPDX-License-Identifier: MIT */
/*
 * wire.h - all that the two sides of a run must agree on: what is reserved in
 * every guarded process, and where.
 */
#ifndef PICKET_POLICY_WIRE_H
#define PICKET_POLICY_WIRE_H

#include <stdint.h>

/*
 * Addresses. In a guarded process [RESERVED_START, RESERVED_END) holds nothing
 * but what the supervisor maps there. It is the lowest memory that a process
 * may have (vm.mmap_min_addr is 65536 nearly everywhere), so "does this call touch it" is one comparison:
 * address < RESERVED_END. It ends below 2 MiB, the lowest base that common linkers give a fixed-address
 * program (lld; GNU ld: 4 MiB).
 */
#define RESERVED_START 0x10000ul
#define RESERVED_END   0x200000ul

/* Sealed argument copies: slots of two pages each. Written by the supervisor, read-only for the tool. */
#define SLOT_START 0x20000ul
#define SLOT_SIZE  0x2000ul
#define SLOT_COUNT ((RESERVED_END - SLOT_START) / SLOT_SIZE)

/*
 * Descriptors. The run's hard RLIMIT_NOFILE is lowered to some L; the kernel
 * gives nobody a descriptor at or above it, so what the launcher put there stays what it is.
 */
enum reserved_fd {
	RESERVED_FD_SLOTS,	/* L + 0: the memory of the slots */
	RESERVED_FD_PROGRAM,	/* a plugin's sealed program, while it runs */
	RESERVED_FD_COUNT = 16,	/* room that is kept between L and the limit of the caller */
};

/* What L is when neither caller nor policy ask for less. fork() copies the descriptor table up to its highest entry:
 * 4096 entries are 32 KiB a fork, 1048576 would be 8 MiB. */
#define OPEN_FILES_MOST 4096u

#endif
