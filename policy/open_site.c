/* SPDX-License-Identifier: MIT */
/* open_site.c - see open_site.h. */
#include "open_site.h"

#include <string.h>

const uint8_t open_site_number[OPEN_SITE_JUMP] = {0xb8, 0x01, 0x01, 0, 0};

/* mov $AT_FDCWD, %edi, by which an open is told from an openat. */
#define NO_DIRECTORY 0xbf, 0x9c, 0xff, 0xff, 0xff
#define SYSCALL 0x0f, 0x05

/* glibc 2.31: what stands before the site and behind it. */
static const uint8_t before[OPEN_SITE_BEFORE] = {NO_DIRECTORY};
static const uint8_t behind[] = {SYSCALL};
/* glibc 2.36 and 2.41: mov %rdi, %rsi comes behind it, too. */
static const uint8_t behind_moves[] = {0x48, 0x89, 0xfe, NO_DIRECTORY, SYSCALL};

_Static_assert(sizeof behind_moves == OPEN_SITE_BEHIND - OPEN_SITE_JUMP, "all that shows it");

static bool is_there(const uint8_t *at, size_t left, const uint8_t *bytes, size_t count)
{
	return count <= left && memcmp(at, bytes, count) == 0;
}

bool open_site_find(const uint8_t *text, size_t length, struct open_site *site)
{
	for (size_t at = 0; at + OPEN_SITE_JUMP <= length; at++) {
		const uint8_t *rest = text + at + OPEN_SITE_JUMP;
		size_t left = length - at - OPEN_SITE_JUMP;
		if (text[at] != open_site_number[0] ||
		    !is_there(text + at, length - at, open_site_number, OPEN_SITE_JUMP))
			continue;
		*site = (struct open_site){at, is_there(rest, left, behind_moves, sizeof behind_moves)};
		if (site->moves ||
		    (at >= sizeof before && memcmp(text + at - sizeof before, before, sizeof before) == 0 &&
		     is_there(rest, left, behind, sizeof behind)))
			return true;
	}
	return false;
}
