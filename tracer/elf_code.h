/* SPDX-License-Identifier: MIT */
/*
 * elf_code.h - where the code of an ELF file lies in the memory of a stopped thread that has it mapped. What is read there was
 * written by a stranger: callers compare what it leads to before they write anything.
 */
#ifndef PICKET_TRACER_ELF_CODE_H
#define PICKET_TRACER_ELF_CODE_H

#include <elf.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* The first executable segment of the file whose header is at `base`, as that says. Neither its length in the file nor its address in there
 * is above `most`. False: there is none, or no such file. */
bool elf_code_find(pid_t tid, uint64_t base, uint64_t most, Elf64_Phdr *code);

/* The distance of a jump whose instruction ends at `from`, into its last four bytes. */
void elf_code_put_distance(uint8_t *at, uint64_t from, uint64_t to);

#endif
