/* SPDX-License-Identifier: MIT */
/*
 * plugin_elf.h - what an ELF plugin brings along: its machine, its loader,
 * the libraries it needs and where it looks for them. What of that would
 * run bytes that nobody signed is refused.
 */
#ifndef PICKET_TRACER_PLUGIN_ELF_H
#define PICKET_TRACER_PLUGIN_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "complaint.h"
#include "image.h"

enum { ELF_NEEDED_MOST = 256 };

/* The policies of the run: what all of them allow, it may do. Count 0: they are not known, and nothing is asked of
 * them. */
struct plugin_limits {
	const struct image *images[2];
	unsigned count;
};

/* Strings point into the bytes that were read. */
struct plugin_elf {
	unsigned bits;		 /* 32 or 64 */
	unsigned machine;	 /* EM_* */
	bool is_program;	 /* ET_EXEC or ET_DYN */
	bool executable_stack;	 /* PT_GNU_STACK asks for it, or is missing */
	const char *interpreter; /* the dynamic loader; NULL: static */
	const char *needed[ELF_NEEDED_MOST];
	size_t needed_count;
	const char *rpath, *runpath; /* directories separated by ':', or NULL */
};

/* Read it. 0, or -EINVAL with *why: not an ELF file that libelf understands. */
int plugin_elf_read(const uint8_t *bytes, size_t length, const char *name, struct plugin_elf *elf,
		    struct complaint *why);

/*
 * Would it defeat the policy? Refused, -EPERM with *why: another machine or 32 bits; a loader, a library named by a
 * path, or a directory of RPATH and RUNPATH that is relative ($ORIGIN means nothing for a copy in memory), that others
 * may write, or that the run itself may write (see plugin_check_place). An executable stack is shown, not refused: what
 * a plugin does with its own memory is guarded like the rest of it.
 */
int plugin_elf_check(const struct plugin_elf *elf, const char *name, const struct plugin_limits *limits,
		     struct complaint *why);

/*
 * May this place hold what the plugin loads or is run by: is the path absolute, may nobody else change it, and not the
 * run itself? `what` names it in the message. 0 or -EPERM with *why.
 */
int plugin_check_place(const char *path, const char *what, const char *name, const struct plugin_limits *limits,
		       struct complaint *why);

const char *plugin_elf_machine(unsigned machine); /* "x86-64", or "machine N" for others (static buffer) */

#endif
