/* SPDX-License-Identifier: MIT */
/*
 * register_rules.h - which values in registers make a call worth judging.
 * Used by the judge and by the compiler of the filter, so that no call is stopped that the judge would let pass, and none
 * passes that it would not.
 */
#ifndef PICKET_TRACER_REGISTER_RULES_H
#define PICKET_TRACER_REGISTER_RULES_H

#include <linux/sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* clone, clone3, unshare: new namespaces; a child that is not traced, or traced by somebody else; another cgroup. */
#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif
/* CLONE_NEWTIME lies in the bits of clone's exit signal, where it means nothing: no signal has a number above 64. */
#define CLONE_REFUSED_IN_REGISTER                                                                                    \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | \
	 CLONE_UNTRACED | CLONE_PTRACE)
#define CLONE_REFUSED \
	((uint64_t)CLONE_REFUSED_IN_REGISTER | CLONE_NEWTIME | UINT64_C(0x200000000) /* CLONE_INTO_CGROUP */)

/* clone: a process that has memory, descriptors or a working directory in common with another and is no thread of it. The
 * maker of a vfork child waits for it, and is its parent, so that one can be found out; the rest cannot. */
#define CLONE_SHARES (CLONE_VM | CLONE_FILES | CLONE_FS)
#define CLONE_SHARES_FOR_LONG (CLONE_FILES | CLONE_FS | CLONE_PARENT)

/* personality: anything but PER_LINUX and PER_LINUX32 in the low byte (other system's rules); the flags above are harmless. */
#define PERSONALITY_REFUSED 0xf7u

/* arch_prctl: ARCH_ENABLE_TAGGED_ADDR, Linux 6.2. Addresses would then have bits that the comparison with RESERVED_END takes
 * for large numbers. */
#define ARCH_TAGGED_ADDRESSES 0x4002u

/* madvise and mmap: memory that the kernel may empty by itself. Older kernels do not have it, and programs do without. */
enum { ADVICE_REFUSED = 8 /* MADV_FREE */, MAP_TYPE_BITS = 0xf, MAP_TYPE_REFUSED = 8 /* MAP_DROPPABLE, Linux 6.11 */ };

/* fcntl: as F_SETLEASE, with what it takes in memory (Linux 6.19). Programs do without. */
enum { FCNTL_DELEGATION = 1024 + 16 /* F_SETDELEG */ };

enum ioctl_what {
	IOCTL_TYPES,		/* puts characters into a terminal that the user's shell will read */
	IOCTL_SIGNALS,		/* names a process that the kernel signals */
	IOCTL_FLAGS_DESCRIPTOR, /* would have a reserved descriptor closed at exec */
	IOCTL_REACHES,		/* reaches memory or files by a way that is not judged */
	IOCTL_HEARS,		/* signals the owner of a descriptor: of a terminal its foreground group */
	IOCTL_CHANGES,		/* changes a file through a descriptor that is not open for writing */
	IOCTL_INTERFACES, /* is about the machine's network interfaces: a range of its own, see net_asks_interfaces */
};
struct ioctl_rule {
	uint32_t code;
	enum ioctl_what what;
};
extern const struct ioctl_rule ioctl_rules[];
extern const size_t ioctl_rule_count;
const struct ioctl_rule *ioctl_rule(uint32_t code); /* NULL: harmless */
/* Has what the argument of such a request points to no numbers of descriptors in it? */
bool ioctl_is_plain(uint32_t code);

#endif
