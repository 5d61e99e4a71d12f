/* SPDX-License-Identifier: MIT */
/*
 * gate_loader.c - see gate.h: two pieces of code of ours. In what is left of the last page of the dynamic linker's code there is
 * room for one that its open site (open_site.h) jumps to, from which the way leads on to the code in the gate's page, too far for a
 * short jump. The other maps that page, with arguments that are in registers already, and begins what would have begun. On
 * that one the boundary rests, so it lies in memory of no file, behind the vdso: who truncates a file takes the copies away, too,
 * that were made of its pages, and a signal can have a program wait for that before its first instruction.
 *
 *   site:   jmp room                     in place of mov $257, %eax
 *   room:   lea site + 5, %rcx           where to go back to; a system call spends rcx
 *           mov $entrance, %eax
 *           jmp *%rax
 *   begin:  mov $9, %al                  mmap; the exec's result, 0, is in the register
 *           syscall
 *           cmp %rdi, %rax               where the page was to be
 *           jne 1f
 *           xor ...                      what the kernel begins with: nothing in any register but the stack pointer
 *           jmp *start(%rip)
 *   1:      ud2                          without the page it does not run
 *
 * All that is read here is of a program that nobody vouches for, and is compared before anything is written; what it
 * could get by lying is a jump that it could have made itself.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "elf_code.h"
#include "gate.h"
#include "mem.h"
#include "open_site.h"

enum {
	PAGE = 4096,
	CODE_MOST = 4 << 20, /* bytes of a dynamic linker */
	ROOM = 14,
	BEGIN = 44,
};

static void look(struct gate_linker *linker, pid_t pid, uint64_t base)
{
	struct open_site site;
	Elf64_Phdr code = {0};
	uint8_t *text = elf_code_find(pid, base, CODE_MOST, &code) ? malloc(code.p_filesz) : NULL;

	linker->site = 0;
	uint64_t room = code.p_vaddr + code.p_filesz;
	if (text && mem_read(pid, base + code.p_vaddr, text, code.p_filesz) == 0 &&
	    open_site_find(text, code.p_filesz, &site) && room % PAGE <= PAGE - ROOM && room % PAGE != 0) {
		linker->room = room;
		linker->site = code.p_vaddr + site.at;
		linker->moves = site.moves;
	}
	free(text);
}

static const struct gate_linker *linker_at(struct gate *gate, pid_t pid, uint64_t base, uint64_t entry)
{
	for (unsigned i = 0; i < GATE_LINKERS; i++)
		if (gate->linkers[i].entry == entry)
			return &gate->linkers[i];
	struct gate_linker *linker = &gate->linkers[gate->linkers_next++ % GATE_LINKERS];
	linker->entry = entry;
	look(linker, pid, base);
	return linker;
}

/* Is it there in this very program, too? Another linker may begin at the same place. */
static bool has_site(const struct gate_linker *linker, pid_t pid, uint64_t base)
{
	uint8_t text[OPEN_SITE_BEFORE + OPEN_SITE_BEHIND];
	struct open_site site;

	return linker->site >= OPEN_SITE_BEFORE &&
	       mem_read(pid, base + linker->site - OPEN_SITE_BEFORE, text, sizeof text) == 0 &&
	       open_site_find(text, sizeof text, &site) && site.at == OPEN_SITE_BEFORE && site.moves == linker->moves;
}

static void fill(uint8_t room[ROOM], const struct gate_linker *linker)
{
	const uint8_t pieces[ROOM] = {0x48, 0x8d, 0x0d, 0, 0, 0, 0, 0xb8, 0, 0, 0, 0, 0xff, 0xe0};
	const uint32_t entrance = (uint32_t)(GATE_CODE + (linker->moves ? 0 : GATE_ENTRANCE));

	memcpy(room, pieces, ROOM);
	elf_code_put_distance(room + 3, linker->room + 7, linker->site + OPEN_SITE_JUMP);
	memcpy(room + 8, &entrance, sizeof entrance);
}

static void fill_begin(uint8_t code[BEGIN], uint64_t start)
{
	const uint8_t pieces[BEGIN] = {
		0xb0, SYS_mmap, 0x0f, 0x05, 0x48, 0x39, 0xf8, 0x75, 25,	  0x31,
		0xc0, 0x31,	0xff, 0x31, 0xf6, 0x31, 0xd2, 0x31, 0xc9, /* eax, edi, esi, edx, ecx, */
		0x45, 0x31,	0xc0, 0x45, 0x31, 0xd2, 0x45, 0x31, 0xdb, /* r8d, r10d, r11d; r9 was 0 */
		0xff, 0x25,	2,    0,    0,	  0,	0x0f, 0x0b,	  /* jmp *2(%rip); ud2; .quad start */
	};

	memcpy(code, pieces, BEGIN);
	memcpy(code + BEGIN - sizeof start, &start, sizeof start);
}

/* Behind the vdso's file its last page is empty. */
long gate_begin_offset(void)
{
	const unsigned char *vdso = (const unsigned char *)getauxval(AT_SYSINFO_EHDR); /* NOLINT: an address it is */
	const Elf64_Ehdr *header = (const Elf64_Ehdr *)vdso;

	if (!vdso)
		return -1;
	uint64_t at = (header->e_shoff + (uint64_t)header->e_shnum * header->e_shentsize + 15) & ~UINT64_C(15);
	if (header->e_shnum == 0 || at % PAGE == 0 || at % PAGE > PAGE - BEGIN)
		return -1;
	for (unsigned i = 0; i < BEGIN; i++)
		if (vdso[at + i])
			return -1;
	return (long)at;
}

/* Would what is written there reach into the vdso? The page is mapped by what lies in that, one way or the other. */
static bool meets_vdso(const struct gate *gate, uint64_t vdso, uint64_t address)
{
	return address + ROOM > vdso && address < vdso + (uint64_t)gate->begin_offset + BEGIN;
}

/* The dynamic linker that the program begins in, if it is one whose opens can go by the gate; or NULL. */
static const struct gate_linker *linker_of(struct gate *gate, pid_t pid, uint64_t base, uint64_t vdso, uint64_t start)
{
	if (!(gate->protection & PROT_EXEC) || base == 0 || start <= base)
		return NULL;
	const struct gate_linker *linker = linker_at(gate, pid, base, start - base);
	/* what was found in another linker may be elsewhere in this one */
	return linker->site != 0 && !meets_vdso(gate, vdso, base + linker->site) &&
			       !meets_vdso(gate, vdso, base + linker->room) && has_site(linker, pid, base)
		       ? linker
		       : NULL;
}

uint64_t gate_loader(struct gate *gate, pid_t pid, uint64_t base, uint64_t vdso, uint64_t start, bool serve)
{
	uint8_t room[ROOM] = {0}, code[BEGIN], jump[OPEN_SITE_JUMP] = {OPEN_SITE_JUMP_CODE};

	if (vdso == 0 || gate->begin_offset < 0)
		return 0;
	const struct gate_linker *linker = serve ? linker_of(gate, pid, base, vdso, start) : NULL;
	uint64_t begin = vdso + (uint64_t)gate->begin_offset, site = linker ? linker->site : 0;
	if (linker) {
		fill(room, linker);
		elf_code_put_distance(jump + 1, site + OPEN_SITE_JUMP, linker->room);
	}
	fill_begin(code, start);
	const struct mem_patch patches[] = {{base + (linker ? linker->room : 0), room, sizeof room},
					    {base + site, jump, sizeof jump},
					    {begin, code, sizeof code}};
	if (mem_patch(pid, linker ? patches : patches + 2, linker ? 3 : 1) < 0)
		return 0;
	if (linker)
		gate->page->loader_site = (uint32_t)site;
	return begin;
}
