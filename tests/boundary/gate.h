/* SPDX-License-Identifier: MIT */
/* gate.h - the page of level gate as a stranger finds it, for gate.c and gate_exec.c. */
#ifndef PICKET_TESTS_BOUNDARY_GATE_H
#define PICKET_TESTS_BOUNDARY_GATE_H

#include "attempt.h"

/* As policy/wire.h has it; these programs know of Picket what a stranger who reads its source would. */
enum { START = 0x10000, LENGTH = 0x10000, HOWS = 1216, HOW = 32, HOW_SIZE = 24, LIMIT_TO_ROOT = 8, LIMIT_TO_PAGE = 3 };
struct how {
	uint64_t flags, mode, resolve, unused;
};
struct name {
	uint32_t text;
	uint16_t length;
	uint8_t root, kind;
};
static struct {
	struct how how[HOWS];
	char file[48][128];
	char attribute[4][32];
	uint32_t magic, version, first_root, how_reading, how_count, how_creating, mode_count, how_file_reading,
		how_file_count, how_late, late, file_reading, file_count, link_count, looking_passes, loader_site, name_count;
	struct name name[64];
	char link[16][128];
	char text[8192];
} *const page = (void *)START;

static bool there; /* a real gate */
static int root;   /* a descriptor of `open` */

static inline bool is_mapped(void)
{
	unsigned char in;

	return mincore(page, 1, &in) == 0 && page->magic == 0x45544147;
}

/* The root whose name ends so, or -1. */
static inline int root_of(const char *end)
{
	size_t n = strlen(end);

	for (uint32_t i = 0; i < page->name_count; i++)
		if (page->name[i].length >= n &&
		    memcmp(page->text + page->name[i].text + page->name[i].length - n, end, n) == 0)
			return (int)page->first_root + page->name[i].root;
	return -1;
}

static inline void look_for_gate(void)
{
	const char *level = getenv("LEVEL");

	there = is_mapped();
	if (there) {
		root = root_of("/open");
		NEED(root);
	} else if (getenv("GUARDED") && level && strcmp(level, "gate") == 0) {
		fprintf(stderr, "there is no gate\n");
		exit(BROKEN);
	}
}

#endif
