/* SPDX-License-Identifier: MIT */
/*
 * site.c - beside a gate: the opens that libc makes inside itself, of locales, character conversions, time zones and what
 * getpwnam(3) reads. They pass no function that one could stand in front of; but glibc makes them all at one place, in
 * __open64_nocancel. There a jump to site_enter (enter.S) takes the place of the instruction that loads the call's number, which
 * is as long; the `syscall` behind it stays, and is what is gone back to where the gate does not serve. That the place of a call
 * may be patched so is known from rr(1). Where the bytes are not the ones that are known, or the page may not be
 * written to, all stays as it is, and those opens stop.
 */
#include <linux/fcntl.h>
#include <linux/mman.h>

#include "shim.h"

enum {
	PAGE = 4096,
	FAR_MOST = 96, /* from the function's start to the place */
	JUMP = 5,      /* bytes of `jmp rel32`, and of `mov $257, %eax` */
};

static const uint8_t number_loaded[] = { 0xb8, 0x01, 0x01, 0, 0 }; /* mov $257 (openat), %eax */
static const uint8_t call_made[] = { 0x0f, 0x05 };		   /* syscall */
/* mov %rdi, %rsi; mov $AT_FDCWD, %edi: glibc from 2.36 or so on; 2.31 has them before the number. */
static const uint8_t moved[] = { 0x48, 0x89, 0xfe, 0xbf, 0x9c, 0xff, 0xff, 0xff };

/* enter.S: what is jumped to; in the second case that moves the arguments first. And where its `syscall` is. */
extern const uint8_t site_enter[] __attribute__((visibility("hidden")));
extern const uint8_t site_enter_moves[] __attribute__((visibility("hidden")));
extern const uint8_t *site_call __attribute__((visibility("hidden")));
const uint8_t *site_call;

/* Which of the two it is; NULL: neither. The `syscall` is then at site_call. */
static const uint8_t *entrance(const uint8_t *place)
{
	if (memcmp(place, number_loaded, sizeof number_loaded) != 0)
		return NULL;
	site_call = place + sizeof number_loaded;
	if (memcmp(site_call, call_made, sizeof call_made) == 0)
		return site_enter;
	if (memcmp(site_call, moved, sizeof moved) != 0)
		return NULL;
	site_call += sizeof moved;
	return memcmp(site_call, call_made, sizeof call_made) == 0 ? site_enter_moves : NULL;
}

/* With one store, which other threads see whole or not at all as long as it stays within a line of the cache. */
static void put_jump(uint8_t *place, int32_t distance)
{
	uint8_t bytes[sizeof(uint64_t)];
	uint64_t word;

	memcpy(bytes, place, sizeof bytes);
	bytes[0] = 0xe9;
	memcpy(bytes + 1, &distance, sizeof distance);
	memcpy(&word, bytes, sizeof word);
	__asm__ volatile("movq %1, %0" : "=m"(*(uint64_t *)place) : "r"(word) : "memory");
}

void site_take(void)
{
	uint8_t *function = next_of(WRAP___open64_nocancel), *place = function;
	const uint8_t *enter = NULL;

	while (function && !enter && place < function + FAR_MOST)
		enter = entrance(place++);
	if (!enter)
		return;
	place--;
	int64_t distance = enter - (place + JUMP);
	uint64_t page = (uint64_t)place & -(uint64_t)PAGE;
	size_t length = ((uint64_t)place & (PAGE - 1)) + sizeof(uint64_t) > PAGE ? 2 * PAGE : PAGE;
	/* executable all the time: a constructor before ours may have started a thread */
	if (distance != (int32_t)distance || raw(__NR_mprotect, page, length, PROT_READ | PROT_WRITE | PROT_EXEC) < 0)
		return;
	put_jump(place, (int32_t)distance);
	raw(__NR_mprotect, page, length, PROT_READ | PROT_EXEC);
}

/* What site_enter asks: as gate_open. */
__attribute__((visibility("hidden"), used)) long site_open(int dirfd, const char *path, uint64_t flags, uint64_t mode);
long site_open(int dirfd, const char *path, uint64_t flags, uint64_t mode)
{
	return gate_open(dirfd, path, flags, mode, 0);
}
