/* SPDX-License-Identifier: MIT */
/*
 * slots.c - see slots.h. F_SEAL_FUTURE_WRITE (Linux 5.1) forbids every writable mapping and write(2) but
 * the mapping that was there before, ours. It is used instead of F_SEAL_WRITE because that forbids ours too.
 */
#include "slots.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MEMORY_SIZE = SLOTS_LENGTH };

/* A descriptor that is open for reading only gives no writable mapping either, even where the seal is not known. */
static int reopen_for_reading(int *fd)
{
	char path[32];

	snprintf(path, sizeof path, "/proc/self/fd/%d", *fd);
	int reader = open(path, O_RDONLY | O_CLOEXEC);
	if (reader < 0)
		return -1;
	close(*fd);
	*fd = reader;
	return 0;
}

int slots_open(struct slots *slots)
{
	slots->memory = MAP_FAILED;
	slots->fd = memfd_create("picket-arguments", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (slots->fd < 0)
		return -errno;
	if (ftruncate(slots->fd, MEMORY_SIZE) < 0)
		goto failed;
	slots->memory = mmap(NULL, MEMORY_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, slots->fd, 0);
	if (slots->memory == MAP_FAILED)
		goto failed;
	if (fcntl(slots->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL) < 0)
		goto failed;
	if (reopen_for_reading(&slots->fd) < 0)
		goto failed;
	/* the list is a stack: few slots are in use at a time, and those stay few pages */
	slots->free_count = SLOT_COUNT;
	for (unsigned i = 0; i < SLOT_COUNT; i++)
		slots->free_list[i] = (uint16_t)(SLOT_COUNT - 1 - i);
	slots->small_free_count = SMALL_SLOT_COUNT;
	for (unsigned i = 0; i < SMALL_SLOT_COUNT; i++)
		slots->small_free_list[i] = (uint16_t)(SLOT_COUNT + SMALL_SLOT_COUNT - 1 - i);
	return 0;
failed:;
	int error = errno;
	slots_close(slots);
	return -error;
}

void slots_close(struct slots *slots)
{
	if (slots->memory && slots->memory != MAP_FAILED)
		munmap(slots->memory, MEMORY_SIZE);
	if (slots->fd >= 0)
		close(slots->fd);
	slots->memory = NULL;
	slots->fd = -1;
}

int slots_take(struct slots *slots)
{
	return slots->free_count ? slots->free_list[--slots->free_count] : -EAGAIN;
}

int slots_take_for(struct slots *slots, size_t length)
{
	if (length > SMALL_SLOT_SIZE || slots->small_free_count == 0)
		return slots_take(slots);
	return slots->small_free_list[--slots->small_free_count];
}

static bool is_small(int slot)
{
	return slot >= (int)SLOT_COUNT;
}

void slots_give(struct slots *slots, int slot)
{
	if (slot < 0)
		return;
	if (is_small(slot))
		slots->small_free_list[slots->small_free_count++] = (uint16_t)slot;
	else
		slots->free_list[slots->free_count++] = (uint16_t)slot;
}

size_t slots_room(int slot)
{
	return is_small(slot) ? SMALL_SLOT_SIZE : SLOT_SIZE;
}

uint64_t slots_write(struct slots *slots, int slot, size_t offset, const void *bytes, size_t length)
{
	size_t at = is_small(slot) ? SMALL_SLOT_START - SLOT_START + ((size_t)slot - SLOT_COUNT) * SMALL_SLOT_SIZE
				   : (size_t)slot * SLOT_SIZE;

	if (offset + length > slots_room(slot))
		abort(); /* in a release, too: behind the slot is that of another task */
	memcpy(slots->memory + at + offset, bytes, length);
	return SLOT_START + at + offset;
}
