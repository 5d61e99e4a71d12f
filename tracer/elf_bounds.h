/* SPDX-License-Identifier: MIT */
/*
 * elf_bounds.h - reading ELF files that a tool may have made: never more of one than a real program has there. A file of a few
 * bytes may say that it has a symbol table of 4 GiB, and libelf would read as much.
 */
#ifndef PICKET_TRACER_ELF_BOUNDS_H
#define PICKET_TRACER_ELF_BOUNDS_H

#include <gelf.h>
#include <libelf.h>

/* elf_begin(fd, ELF_C_READ, NULL), or NULL when its header lists more parts than one program has. To be ended with elf_end. */
Elf *elf_bounds_begin(int fd);

/* The contents of a section with this header, or NULL. */
Elf_Data *elf_bounds_section(Elf_Scn *section, const GElf_Shdr *header);

/* A string of the section with this number, or NULL. */
const char *elf_bounds_string(Elf *elf, size_t section, size_t offset);

/* The dynamic section as a program header tells it, or NULL. */
Elf_Data *elf_bounds_dynamic(Elf *elf, const GElf_Phdr *header);

#endif
