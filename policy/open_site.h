/* SPDX-License-Identifier: MIT */
/*
 * open_site.h - where a part of glibc makes the opens that pass no function of its own: one instruction that loads the number of
 * openat(2), and shortly behind it the one that makes the call. In its place a jump of the same length can lead to code
 * that knows a faster way, and comes back to either. Such a site is known from rr(1), which patches it to the same end.
 *
 * Both sides of a run need it: the shim for libc (preload/site.c), the supervisor for the dynamic linker (tracer/gate_loader.c).
 */
#ifndef PICKET_POLICY_OPEN_SITE_H
#define PICKET_POLICY_OPEN_SITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	OPEN_SITE_JUMP = 5, /* bytes of `mov $257, %eax`, and of `jmp rel32`, 0xe9 and the distance from its end */
	OPEN_SITE_JUMP_CODE = 0xe9,
	OPEN_SITE_MOVES = 8,   /* bytes of the instructions that `moves` speaks of */
	OPEN_SITE_BEFORE = 5,  /* bytes before and */
	OPEN_SITE_BEHIND = 15, /* from the site on that show that it is one */
};
extern const uint8_t open_site_number[OPEN_SITE_JUMP]; /* `mov $257, %eax` */

struct open_site {
	size_t at;  /* of `mov $257, %eax`, from the start of the text that was searched */
	bool moves; /* behind it the arguments are put where the call expects them; else they are there */
};

/* The first one, of the forms of glibc 2.31 to 2.41. False: there is none. Pure; reads nothing outside of the text. */
bool open_site_find(const uint8_t *text, size_t length, struct open_site *site);

/* From the site to the `syscall`. */
static inline size_t open_site_to_call(const struct open_site *site)
{
	return OPEN_SITE_JUMP + (site->moves ? (size_t)OPEN_SITE_MOVES : 0);
}

#endif
