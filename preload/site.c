/* SPDX-License-Identifier: MIT */
/*
 * site.c - beside a gate: the opens that libc makes inside itself, of locales, character conversions, time zones and what
 * getpwnam(3) reads. They pass no function that one could stand in front of; but glibc makes them all at one place, in
 * __open64_nocancel (open_site.h), which is made to jump to site_enter (enter.S). Where that place is not as it is known, or the page
 * may not be written to, all stays as it is, and those opens stop.
 *
 * The dynamic linker's place was taken by the supervisor, before there was a shim (tracer/gate_loader.c); for a program with a
 * filter of its own, in which nobody thought of us, it is given back here.
 */
#include <linux/fcntl.h>
#include <linux/mman.h>

#include "open_site.h"
#include "shim.h"

enum {
	PAGE = 4096,
	FAR_MOST = 96, /* from the function's start to behind the place */
};

/* enter.S: what is jumped to; in the second case that moves the arguments first. And where libc's `syscall` is. */
extern const uint8_t site_enter[] __attribute__((visibility("hidden")));
extern const uint8_t site_enter_moves[] __attribute__((visibility("hidden")));
extern const uint8_t *site_call __attribute__((visibility("hidden")));
const uint8_t *site_call;

/* In code, with one store, which other threads see whole or not at all as long as it stays within a line of the cache; and it can be
 * executed all the time, since a constructor before ours may have started a thread. */
static void put_instruction(uint8_t *place, const uint8_t instruction[OPEN_SITE_JUMP])
{
	uint64_t page = (uint64_t)place & -(uint64_t)PAGE, word;
	size_t length = ((uint64_t)place & (PAGE - 1)) + sizeof word > PAGE ? 2 * PAGE : PAGE;

	if (raw(__NR_mprotect, page, length, PROT_READ | PROT_WRITE | PROT_EXEC) < 0)
		return;
	memcpy(&word, place, sizeof word);
	memcpy(&word, instruction, OPEN_SITE_JUMP);
	__asm__ volatile("movq %1, %0" : "=m"(*(uint64_t *)place) : "r"(word) : "memory");
	raw(__NR_mprotect, page, length, PROT_READ | PROT_EXEC);
}

void site_take(void)
{
	uint8_t *function = next_of(WRAP___open64_nocancel), jump[OPEN_SITE_JUMP] = {OPEN_SITE_JUMP_CODE};
	struct open_site site;

	if (!function || !open_site_find(function, FAR_MOST, &site))
		return;
	uint8_t *place = function + site.at;
	int64_t distance = (site.moves ? site_enter_moves : site_enter) - (place + OPEN_SITE_JUMP);
	int32_t near = (int32_t)distance;
	if (distance != near)
		return;
	site_call = place + open_site_to_call(&site);
	memcpy(jump + 1, &near, sizeof near);
	put_instruction(place, jump);
}

void site_give_back(void)
{
	uint8_t *linker = loader_base();
	size_t at = gate_loader_site();

	if (linker && at && readable(linker + at, OPEN_SITE_JUMP) && linker[at] == OPEN_SITE_JUMP_CODE)
		put_instruction(linker + at, open_site_number);
}

/* What site_enter asks. */
__attribute__((visibility("hidden"), used)) long site_open(int dirfd, const char *path, uint64_t flags, uint64_t mode);
long site_open(int dirfd, const char *path, uint64_t flags, uint64_t mode)
{
	return gate_open(dirfd, path, flags, mode, 0);
}
