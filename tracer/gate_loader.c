/* SPDX-License-Identifier: MIT */
/*
 * gate_loader.c - see gate.h: the dynamic linker's open site (open_site.h) gets a jump to a few bytes behind the end of its
 * code, in what is left of the last page; there the way to the code in the gate's page begins, which is too far for a short jump.
 *
 *   site:   jmp room                     in place of mov $257, %eax
 *   room:   lea site + 5, %rcx           where to go back to; a system call spends rcx
 *           mov $entrance, %eax
 *           jmp *%rax
 *
 * All that is read here is of a program that nobody vouches for, and is compared before anything is written; what it
 * could get by lying is a jump that it could have made itself.
 */
#include <elf.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "gate.h"
#include "mem.h"
#include "open_site.h"

enum {
	PAGE = 4096,
	SEGMENTS_MOST = 16,
	CODE_MOST = 4 << 20,	/* bytes of a dynamic linker */
	ROOM = 14,
};

/* Its segment of code, from `base` on. */
static bool find_code(pid_t pid, uint64_t base, Elf64_Phdr *code)
{
	Elf64_Phdr segments[SEGMENTS_MOST];
	Elf64_Ehdr header;

	if (mem_read(pid, base, &header, sizeof header) < 0 || memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
	    header.e_phentsize != sizeof segments[0] || header.e_phnum > SEGMENTS_MOST || header.e_phoff > PAGE ||
	    mem_read(pid, base + header.e_phoff, segments, header.e_phnum * sizeof segments[0]) < 0)
		return false;
	for (unsigned i = 0; i < header.e_phnum; i++)
		if (segments[i].p_type == PT_LOAD && (segments[i].p_flags & PF_X)) {
			*code = segments[i];
			return code->p_filesz <= CODE_MOST && code->p_vaddr <= CODE_MOST;
		}
	return false;
}

static void look(struct gate_linker *linker, pid_t pid, uint64_t base)
{
	struct open_site site;
	Elf64_Phdr code;
	uint8_t *text = find_code(pid, base, &code) ? malloc(code.p_filesz) : NULL;

	linker->site = 0;
	if (text && mem_read(pid, base + code.p_vaddr, text, code.p_filesz) == 0 && open_site_find(text, code.p_filesz, &site) &&
	    (code.p_vaddr + code.p_filesz) % PAGE <= PAGE - ROOM && (code.p_vaddr + code.p_filesz) % PAGE != 0) {
		linker->room = code.p_vaddr + code.p_filesz;
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

	return linker->site >= OPEN_SITE_BEFORE && mem_read(pid, base + linker->site - OPEN_SITE_BEFORE, text, sizeof text) == 0 &&
	       open_site_find(text, sizeof text, &site) && site.at == OPEN_SITE_BEFORE && site.moves == linker->moves;
}

void gate_loader(struct gate *gate, pid_t pid, uint64_t base, uint64_t start)
{
	if (!(gate->protection & PROT_EXEC) || base == 0 || start <= base)
		return;
	const struct gate_linker *linker = linker_at(gate, pid, base, start - base);
	if (linker->site == 0 || !has_site(linker, pid, base))
		return;
	int32_t back = (int32_t)((int64_t)(linker->site + OPEN_SITE_JUMP) - (int64_t)(linker->room + 7));
	int32_t there = (int32_t)((int64_t)linker->room - (int64_t)(linker->site + OPEN_SITE_JUMP));
	uint32_t entrance = (uint32_t)(GATE_CODE + (linker->moves ? 0 : GATE_ENTRANCE));
	uint8_t room[ROOM] = { 0x48, 0x8d, 0x0d, 0, 0, 0, 0, 0xb8, 0, 0, 0, 0, 0xff, 0xe0 }, jump[OPEN_SITE_JUMP] = { OPEN_SITE_JUMP_CODE };
	memcpy(room + 3, &back, sizeof back);
	memcpy(room + 8, &entrance, sizeof entrance);
	memcpy(jump + 1, &there, sizeof there);
	if (mem_patch(pid, base + linker->room, room, sizeof room) == 0 &&
	    mem_patch(pid, base + linker->site, jump, sizeof jump) == 0)
		gate->page->loader_site = (uint32_t)linker->site;
}
