/* SPDX-License-Identifier: MIT */
/*
 * absent.c - see absent.h. What opens the missing names is a place in libc that is known (open_site.h). When a process has opened some
 * there one after the other, it gets a jump in place of `mov $257, %eax`, to a copy of absent_code.S, which lies in what is left of the
 * last page of the same code, and which asks the kernel first, by a stat that the filter lets pass.
 *
 * No boundary rests on it: that code can do what the program could do, and a name that is there, or may not be looked at, still stops.
 * Nor is there less in the result: of a name that is missing the judge says so whatever the policy says of it, and nothing is
 * recorded (judge_open in judge.c), unless the policy hides something; and then stat stops, and nothing is done here.
 *
 * A program is meant not to notice, unless it reads its own code. A signal finds it before the call, not in that code, of which nothing
 * says how to unwind the stack from there (a handler that throws, or prints where it was). And nothing is done where something else could
 * come of it:
 *  - where another task could run that code meanwhile, or write to it: memory that is not its own alone;
 *  - in a process that has had threads: libc makes their calls where they can be cancelled (pthreads(7)), and who unwinds the stack from
 *    there would find no description of our code;
 *  - in one with a filter of its own, or of who it descends from, which may kill it for the stat, or that is told of its own calls;
 *  - where what is mapped is not just what the file has there: code that the program could write to, zeros that are not padding.
 * In a process that was made by one that was killed before it said so (tracee_adopt) it is not known whether it has the code already:
 * there it stays when the process makes a filter, and a signal may find it. It gets none, either: it may have a filter.
 *
 * What is left is a program that throws away some of its libc's pages and keeps others (madvise(2), MADV_DONTNEED), so that the jump is
 * there and the code is not.
 */
#include "absent.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/syscall.h>

#include "decode.h"
#include "elf_code.h"
#include "guard.h"
#include "leaf.h"
#include "mapped.h"
#include "mem.h"
#include "open_site.h"
#include "regs.h"

/* absent_code.S: its bytes; how many; at which of them the two distances are, and from which to which the flags are turned over; and what
 * makes them do nothing. */
extern const uint8_t absent_code[], absent_code_length, absent_code_call, absent_code_behind, absent_code_asks,
	absent_code_asked, absent_code_inert[2];

enum {
	PAGE = 4096,
	ENOUGH = 4,	  /* missing names, until it is worth it: it takes as long as three stops */
	ROOM_MOST = 128,  /* bytes of absent_code.S */
	ROOM_ALIGNED = 8, /* so that its beginning is exchanged at once */
	CALL_LENGTH = 2,  /* of `syscall` */
	DISTANCE = 4,	  /* bytes of one */
	TEXT = OPEN_SITE_BEFORE + OPEN_SITE_JUMP + CALL_LENGTH,
};

bool absent_serves(const struct guard *guard)
{
	return guard->level == LEVEL_SECCOMP && leaf_of(guard, SYS_newfstatat) == LEAF_PASS;
}

/* Would the code answer this one? */
static bool absent_answers(const struct call_stop *stop)
{
	return stop->number == SYS_openat && !stop->foreign && stop->args[3] == 0 &&
	       (stop->args[2] & ~(uint64_t)(O_NOCTTY | O_CLOEXEC)) == 0;
}

/* Is that what libc has there: mov $AT_FDCWD, %edi; mov $257, %eax; syscall? On one page: a jump is not to be written by half. */
static bool is_site(pid_t tid, uint64_t behind)
{
	uint8_t text[TEXT];
	struct open_site site;

	return behind % PAGE >= TEXT && behind % PAGE <= PAGE - sizeof(long) &&
	       mem_read(tid, behind - sizeof text, text, sizeof text) == 0 &&
	       open_site_find(text, sizeof text, &site) && site.at == OPEN_SITE_BEFORE && !site.moves;
}

static bool is_zero(pid_t tid, uint64_t address, size_t length)
{
	uint8_t bytes[ROOM_MOST], zeros[ROOM_MOST] = {0};

	return length <= sizeof bytes && mem_read(tid, address, bytes, length) == 0 &&
	       memcmp(bytes, zeros, length) == 0;
}

/* Room in the padding behind the code that the site is in; 0: there is none. */
static uint64_t find_room(const struct task *task, uint64_t behind)
{
	struct mapped_code mapped;
	Elf64_Phdr code;

	if (mapped_code(task, behind - 1, &mapped) < 0 || behind - mapped.start < TEXT ||
	    !elf_code_find(task->tid, mapped.start - mapped.offset, INT32_MAX, &code) ||
	    code.p_offset - code.p_offset % PAGE != mapped.offset || code.p_memsz != code.p_filesz)
		return 0;
	uint64_t end = mapped.start + code.p_offset % PAGE + code.p_filesz,
		 room = (end + ROOM_ALIGNED - 1) & ~(uint64_t)(ROOM_ALIGNED - 1);
	bool last_page = end <= mapped.end && mapped.end - end < PAGE;
	return last_page && room + absent_code_length <= mapped.end && is_zero(task->tid, room, absent_code_length)
		       ? room
		       : 0;
}

/* The code as it is there. */
static void put_code(uint8_t bytes[ROOM_MOST], uint64_t room, uint64_t behind)
{
	memcpy(bytes, absent_code, absent_code_length);
	elf_code_put_distance(bytes + absent_code_call, room + absent_code_call + DISTANCE, behind - CALL_LENGTH);
	elf_code_put_distance(bytes + absent_code_behind, room + absent_code_behind + DISTANCE, behind);
}

/* 0 or -errno; and then nothing jumps there. */
static int fill(pid_t tid, uint64_t room, uint64_t behind)
{
	uint8_t bytes[ROOM_MOST], jump[OPEN_SITE_JUMP] = {OPEN_SITE_JUMP_CODE};
	uint64_t site = behind - CALL_LENGTH - OPEN_SITE_JUMP;

	put_code(bytes, room, behind);
	elf_code_put_distance(jump + 1, site + sizeof jump, room);
	const struct mem_patch patches[] = {{room, bytes, absent_code_length}, {site, jump, sizeof jump}};
	return mem_patch(tid, patches, sizeof patches / sizeof patches[0]);
}

void absent_missed(const struct guard *guard, const struct request *request)
{
	struct task *task = request->task;
	struct absent *absent = &task->memory->absent;
	uint64_t behind = request->stop.ip;

	if (guard->level != LEVEL_SECCOMP || absent->never || !absent_answers(&request->stop))
		return;
	absent->count = behind == absent->site ? absent->count + 1 : 1;
	absent->site = behind;
	if (absent->count < ENOUGH ||
	    !tracee_private_memory(task)) /* another task may be gone soon: a child of vfork's */
		return;
	if (!is_site(task->tid, behind)) { /* such as where libc looks for a locale; there may be another one */
		absent->count = 0;
		return;
	}
	absent->never = true;
	if (task->process->filtered || !absent_serves(guard))
		return;
	uint64_t room = find_room(task, behind);
	if (room && fill(task->tid, room, behind) == 0)
		absent->room = room;
}

/* Is it still there? The program may have put something else in its place; and its first bytes may have been exchanged. */
static bool is_code(pid_t tid, const struct absent *absent)
{
	uint8_t there[ROOM_MOST], bytes[ROOM_MOST];
	const size_t from = sizeof absent_code_inert;

	put_code(bytes, absent->room, absent->site);
	return mem_read(tid, absent->room + from, there + from, absent_code_length - from) == 0 &&
	       memcmp(there + from, bytes + from, absent_code_length - from) == 0;
}

/* The site stays as it is: other threads may be about to execute it, and five bytes do not change at once. One that is between the first
 * byte of our code and its stat makes that still. */
static void make_inert(const struct task *task)
{
	struct absent *absent = &task->memory->absent;
	const struct mem_patch patch = {absent->room, absent_code_inert, sizeof absent_code_inert};

	if (absent->room && is_code(task->tid, absent))
		mem_patch(task->tid, &patch, 1);
	absent->never = true;
}

void absent_filters(struct guard *guard, struct request *request)
{
	(void)guard;
	request->task->process->filtered = true;
	make_inert(request->task);
}

void absent_leave(const struct task *task)
{
	const struct absent *absent = &task->memory->absent;
	struct user_regs_struct regs;

	if (!absent->room || regs_get(task->tid, &regs) < 0 || !regs_64_bit(&regs) || regs.rip < absent->room ||
	    regs.rip - absent->room >= absent_code_length || !is_code(task->tid, absent))
		return;
	uint64_t at = regs.rip - absent->room;
	if (at >= absent_code_asks && at <= absent_code_asked)
		regs.rdx = ~regs.rdx;
	regs_before_call(&regs, absent->site - CALL_LENGTH, SYS_openat);
	regs_set(task->tid, &regs);
}
