/* SPDX-License-Identifier: MIT */
/* elf_code.c - see elf_code.h; elf(5). */
#include "elf_code.h"

#include <string.h>

#include "mem.h"

enum { PAGE = 4096, SEGMENTS_MOST = 16 };

bool elf_code_find(pid_t tid, uint64_t base, uint64_t most, Elf64_Phdr *code)
{
	Elf64_Phdr segments[SEGMENTS_MOST];
	Elf64_Ehdr header;

	if (mem_read(tid, base, &header, sizeof header) < 0 || memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
	    header.e_phentsize != sizeof segments[0] || header.e_phnum > SEGMENTS_MOST || header.e_phoff > PAGE ||
	    mem_read(tid, base + header.e_phoff, segments, header.e_phnum * sizeof segments[0]) < 0)
		return false;
	for (unsigned i = 0; i < header.e_phnum; i++)
		if (segments[i].p_type == PT_LOAD && (segments[i].p_flags & PF_X)) {
			*code = segments[i];
			return code->p_filesz <= most && code->p_vaddr <= most;
		}
	return false;
}

void elf_code_put_distance(uint8_t *at, uint64_t from, uint64_t to)
{
	int32_t distance = (int32_t)((int64_t)to - (int64_t)from);

	memcpy(at, &distance, sizeof distance);
}
