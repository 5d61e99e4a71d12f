/* SPDX-License-Identifier: MIT */
/* elf_bounds.c - see elf_bounds.h. Compressed sections are not opened: what is in them may be as large as it likes. */
#include "elf_bounds.h"

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

enum {
	SECTIONS_MOST = UINT16_MAX, /* libelf keeps some 300 bytes for each */
	SECTION_MOST = 16 << 20,    /* bytes; the symbols of a browser take a tenth */
	DYNAMIC_MOST = 64 << 10,
};

union head {
	unsigned char ident[EI_NIDENT];
	Elf32_Ehdr narrow;
	Elf64_Ehdr wide;
};

/* The first section header, where it is; its size is the number of all when that does not fit into the file's header.
 */
static uint64_t count_in_first(int fd, bool wide, bool swapped, uint64_t at)
{
	union {
		Elf32_Shdr narrow;
		Elf64_Shdr wide;
	} first = {.wide = {0}};

	if (at > INT64_MAX || pread(fd, &first, wide ? sizeof first.wide : sizeof first.narrow, (off_t)at) <= 0)
		return 0;
	if (wide)
		return swapped ? be64toh(first.wide.sh_size) : first.wide.sh_size;
	return swapped ? be32toh(first.narrow.sh_size) : first.narrow.sh_size;
}

static uint64_t section_count(int fd)
{
	union head head = {.wide = {.e_ident = {0}}};
	ssize_t n = pread(fd, &head, sizeof head, 0);
	bool wide = head.ident[EI_CLASS] == ELFCLASS64, swapped = head.ident[EI_DATA] == ELFDATA2MSB;

	if (n < (ssize_t)sizeof head.narrow || memcmp(head.ident, ELFMAG, SELFMAG) != 0)
		return 0;
	uint16_t count = wide ? head.wide.e_shnum : head.narrow.e_shnum;
	if (count != 0)
		return swapped ? be16toh(count) : count;
	uint64_t at = wide ? head.wide.e_shoff : head.narrow.e_shoff;
	if (swapped)
		at = wide ? be64toh(at) : be32toh((uint32_t)at);
	return at == 0 ? 0 : count_in_first(fd, wide, swapped, at);
}

Elf *elf_bounds_begin(int fd)
{
	elf_version(EV_CURRENT);
	return section_count(fd) > SECTIONS_MOST ? NULL : elf_begin(fd, ELF_C_READ, NULL);
}

static bool is_modest(const GElf_Shdr *header)
{
	return header->sh_size <= SECTION_MOST && !(header->sh_flags & SHF_COMPRESSED);
}

Elf_Data *elf_bounds_section(Elf_Scn *section, const GElf_Shdr *header)
{
	return is_modest(header) ? elf_getdata(section, NULL) : NULL;
}

const char *elf_bounds_string(Elf *elf, size_t section, size_t offset)
{
	GElf_Shdr header;

	return gelf_getshdr(elf_getscn(elf, section), &header) && is_modest(&header) ? elf_strptr(elf, section, offset)
										     : NULL;
}

Elf_Data *elf_bounds_dynamic(Elf *elf, const GElf_Phdr *header)
{
	return header->p_filesz <= DYNAMIC_MOST
		       ? elf_getdata_rawchunk(elf, (int64_t)header->p_offset, header->p_filesz, ELF_T_DYN)
		       : NULL;
}
