/* SPDX-License-Identifier: MIT */
/*
 * slots.h - memory for arguments that the tool cannot change: a sealed memfd,
 * mapped read-only at a fixed address (wire.h) in guarded processes that need
 * it, and writable only here.
 */
#ifndef PICKET_TRACER_SLOTS_H
#define PICKET_TRACER_SLOTS_H

#include <stddef.h>
#include <stdint.h>

#include "wire.h"

struct slots {
	int fd;	      /* sealed memfd, open for reading only; the launcher leaves a copy in the tool's table */
	char *memory; /* our writable view */
	unsigned free_count;
	uint16_t free_list[SLOT_COUNT];
	unsigned small_free_count;
	uint16_t small_free_list[SMALL_SLOT_COUNT]; /* numbered from SLOT_COUNT on */
};

int slots_open(struct slots *slots); /* 0 or -errno */
void slots_close(struct slots *slots);

/* A slot, or -EAGAIN when all are in use; and one, perhaps a small one, that has room for so many bytes. */
int slots_take(struct slots *slots);
int slots_take_for(struct slots *slots, size_t length);
void slots_give(struct slots *slots, int slot); /* nothing for -1 */

/* Bytes that a slot has. */
size_t slots_room(int slot);

/* Write into a slot; the bytes must fit into it. The address they have in the tool. */
uint64_t slots_write(struct slots *slots, int slot, size_t offset, const void *bytes, size_t length);

#endif
