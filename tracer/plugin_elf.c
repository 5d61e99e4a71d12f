/* SPDX-License-Identifier: MIT */
/* plugin_elf.c - see plugin_elf.h; libelf reads. */
#include "plugin_elf.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gelf.h>

#include "decide.h"
#include "trust.h"

/* A string at `offset` of the bytes that ends inside them, or NULL. */
static const char *string_at(const uint8_t *bytes, size_t length, uint64_t offset)
{
	if (offset >= length || !memchr(bytes + offset, 0, length - offset))
		return NULL;
	return (const char *)bytes + offset;
}

/* Where in the file the address is that a segment maps; UINT64_MAX: nowhere. */
static uint64_t file_offset(Elf *elf, uint64_t address)
{
	size_t count = 0;
	GElf_Phdr segment;

	if (elf_getphdrnum(elf, &count))
		return UINT64_MAX;
	for (size_t i = 0; i < count; i++)
		if (gelf_getphdr(elf, (int)i, &segment) && segment.p_type == PT_LOAD && address >= segment.p_vaddr &&
		    address - segment.p_vaddr < segment.p_filesz)
			return segment.p_offset + (address - segment.p_vaddr);
	return UINT64_MAX;
}

/* The dynamic section is found as the loader finds it: by its segment, not by section headers. */
static void read_dynamic(Elf *elf, const uint8_t *bytes, size_t length, const GElf_Phdr *segment,
			 struct plugin_elf *out)
{
	Elf_Data *data = elf_getdata_rawchunk(elf, (int64_t)segment->p_offset, segment->p_filesz, ELF_T_DYN);
	uint64_t strings = UINT64_MAX;
	GElf_Dyn entry;

	for (int i = 0; data && gelf_getdyn(data, i, &entry) && entry.d_tag != DT_NULL; i++)
		if (entry.d_tag == DT_STRTAB)
			strings = file_offset(elf, entry.d_un.d_ptr);
	if (strings >= length)
		return;
	for (int i = 0; gelf_getdyn(data, i, &entry) && entry.d_tag != DT_NULL; i++) {
		const char *text = entry.d_un.d_val < length - strings
					   ? string_at(bytes, length, strings + entry.d_un.d_val)
					   : NULL;
		if (entry.d_tag == DT_NEEDED && text && out->needed_count < ELF_NEEDED_MOST)
			out->needed[out->needed_count++] = text;
		else if (entry.d_tag == DT_RPATH)
			out->rpath = text;
		else if (entry.d_tag == DT_RUNPATH)
			out->runpath = text;
	}
}

static void read_segments(Elf *elf, const uint8_t *bytes, size_t length, struct plugin_elf *out)
{
	size_t count = 0;
	GElf_Phdr segment;

	out->executable_stack = true; /* what the loader takes a missing PT_GNU_STACK for */
	if (elf_getphdrnum(elf, &count))
		return;
	for (size_t i = 0; i < count; i++) {
		if (!gelf_getphdr(elf, (int)i, &segment))
			return;
		if (segment.p_type == PT_GNU_STACK)
			out->executable_stack = (segment.p_flags & PF_X) != 0;
		else if (segment.p_type == PT_INTERP && segment.p_filesz)
			out->interpreter = string_at(bytes, length, segment.p_offset);
		else if (segment.p_type == PT_DYNAMIC && segment.p_offset < length &&
			 segment.p_filesz <= length - segment.p_offset)
			read_dynamic(elf, bytes, length, &segment, out);
	}
}

int plugin_elf_read(const uint8_t *bytes, size_t length, const char *name, struct plugin_elf *out,
		    struct complaint *why)
{
	GElf_Ehdr header;

	*out = (struct plugin_elf){.bits = 0};
	elf_version(EV_CURRENT);
	/* elf_memory only writes when it is told to */
	Elf *elf = elf_memory((char *)(uintptr_t)bytes, length);
	if (!elf || elf_kind(elf) != ELF_K_ELF || !gelf_getehdr(elf, &header)) {
		elf_end(elf);
		return complain(why, -EINVAL, "%s: not a proper ELF file: %s", name, elf_errmsg(-1));
	}
	out->bits = gelf_getclass(elf) == ELFCLASS64 ? 64 : 32;
	out->machine = header.e_machine;
	out->is_program = header.e_type == ET_EXEC || header.e_type == ET_DYN;
	read_segments(elf, bytes, length, out);
	elf_end(elf);
	return 0;
}

int plugin_check_place(const char *path, const char *what, const char *name, const struct plugin_limits *limits,
		       struct complaint *why)
{
	struct complaint inner;
	char real[PATH_MAX];

	if (*path != '/')
		return complain(why, -EPERM, "%s: its %s '%s' is not an absolute path", name, what, path);
	if (trust_path(path, &inner))
		return complain(why, -EPERM, "%s: its %s could be changed by others: %s", name, what, inner.text);
	/* what does not exist is asked by its name */
	const char *asked = realpath(path, real) ? real : path;
	unsigned allowing = 0;
	while (allowing < limits->count &&
	       decide_path(limits->images[allowing], asked, strlen(asked), ACCESS_WRITE).allowed)
		allowing++;
	if (limits->count && allowing == limits->count)
		return complain(why, -EPERM, "%s: its %s '%s' may be written by the run itself", name, what, path);
	return 0;
}

static int check_directories(const char *list, const char *what, const char *name, const struct plugin_limits *limits,
			     struct complaint *why)
{
	char directory[PATH_MAX];

	if (!list || !*list)
		return 0;
	for (;;) {
		size_t length = strcspn(list, ":"); /* 0: the working directory, as the loader sees it */
		if (length >= sizeof directory)
			return complain(why, -EPERM, "%s: its %s is too long", name, what);
		memcpy(directory, list, length);
		directory[length] = '\0';
		int error = plugin_check_place(directory, what, name, limits, why);
		if (error || !list[length])
			return error;
		list += length + 1;
	}
}

int plugin_elf_check(const struct plugin_elf *elf, const char *name, const struct plugin_limits *limits,
		     struct complaint *why)
{
	int error = 0;

	if (elf->bits != 64 || elf->machine != EM_X86_64)
		return complain(why, -EPERM, "%s: a %u-bit program for %s cannot be guarded here", name, elf->bits,
				plugin_elf_machine(elf->machine));
	if (!elf->is_program)
		return complain(why, -EPERM, "%s: not a program (an object file or a core dump)", name);
	if (elf->interpreter)
		error = plugin_check_place(elf->interpreter, "loader", name, limits, why);
	for (size_t i = 0; !error && i < elf->needed_count; i++)
		if (strchr(elf->needed[i], '/'))
			error = plugin_check_place(elf->needed[i], "needed library", name, limits, why);
	if (!error)
		error = check_directories(elf->rpath, "RPATH", name, limits, why);
	if (!error)
		error = check_directories(elf->runpath, "RUNPATH", name, limits, why);
	return error;
}

const char *plugin_elf_machine(unsigned machine)
{
	static char other[32];

	switch (machine) {
	case EM_X86_64:
		return "x86-64";
	case EM_386:
		return "i386";
	case EM_AARCH64:
		return "aarch64";
	case EM_ARM:
		return "arm";
	case EM_RISCV:
		return "riscv";
	default:
		snprintf(other, sizeof other, "machine %u", machine);
		return other;
	}
}
