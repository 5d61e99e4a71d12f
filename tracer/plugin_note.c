/* SPDX-License-Identifier: MIT */
/* plugin_note.c - see plugin_note.h. */
#include "plugin_note.h"

#include <elf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define NOTE_OWNER "Picket"
#define NOTE_SECTION ".note.picket"

enum {
	NOTE_TYPE = 1,
	OWNER_ROOM = 8, /* sizeof NOTE_OWNER, padded to 4 */
	PAGE = 4096,
	ALIGN = 8,
};

/* The headers of a file, copied out of it (they need not be aligned in it). */
struct headers {
	const uint8_t *bytes;
	size_t length;
	Elf64_Ehdr elf;
};

static bool inside(size_t length, uint64_t start, uint64_t size)
{
	return start <= length && size <= length - start;
}

static bool overlap(uint64_t start, uint64_t size, uint64_t other, uint64_t other_size)
{
	return size && other_size && start < other + other_size && other < start + size;
}

static bool read_headers(const uint8_t *bytes, size_t length, struct headers *headers)
{
	Elf64_Ehdr *elf = &headers->elf;

	if (length < sizeof *elf)
		return false;
	memcpy(elf, bytes, sizeof *elf);
	headers->bytes = bytes;
	headers->length = length;
	return !memcmp(elf->e_ident, ELFMAG, SELFMAG) && elf->e_ident[EI_CLASS] == ELFCLASS64 &&
	       elf->e_ident[EI_DATA] == ELFDATA2LSB;
}

/* Are there section headers, and all of them in the file? */
static bool has_sections(const struct headers *headers)
{
	const Elf64_Ehdr *elf = &headers->elf;

	return elf->e_shnum && elf->e_shentsize == sizeof(Elf64_Shdr) &&
	       inside(headers->length, elf->e_shoff, (uint64_t)elf->e_shnum * sizeof(Elf64_Shdr));
}

static Elf64_Shdr section(const struct headers *headers, unsigned index)
{
	Elf64_Shdr header;

	memcpy(&header, headers->bytes + headers->elf.e_shoff + index * sizeof header, sizeof header);
	return header;
}

/* Is this section our note? Then its descriptor is in *range. */
static bool is_ours(const struct headers *headers, const Elf64_Shdr *header, struct byte_range *range)
{
	const uint64_t before = sizeof(Elf64_Nhdr) + OWNER_ROOM;
	Elf64_Nhdr note;

	if (header->sh_type != SHT_NOTE || header->sh_size < before ||
	    !inside(headers->length, header->sh_offset, header->sh_size))
		return false;
	memcpy(&note, headers->bytes + header->sh_offset, sizeof note);
	if (note.n_type != NOTE_TYPE || note.n_namesz != sizeof NOTE_OWNER ||
	    memcmp(headers->bytes + header->sh_offset + sizeof note, NOTE_OWNER "\0", OWNER_ROOM) != 0)
		return false;
	if (note.n_descsz > header->sh_size - before)
		return false;
	*range = (struct byte_range){header->sh_offset + before, note.n_descsz};
	return true;
}

/* Can the kernel or the loader come to these bytes by another way than as the manifest? */
static bool is_reached(const struct headers *headers, const struct byte_range *range)
{
	const Elf64_Ehdr *elf = &headers->elf;
	uint64_t table = (uint64_t)elf->e_phnum * sizeof(Elf64_Phdr);

	if (overlap(range->start, range->length, 0, sizeof *elf) ||
	    overlap(range->start, range->length, elf->e_shoff, (uint64_t)elf->e_shnum * sizeof(Elf64_Shdr)))
		return true;
	if (!elf->e_phnum)
		return false;
	if (elf->e_phentsize != sizeof(Elf64_Phdr) || !inside(headers->length, elf->e_phoff, table) ||
	    overlap(range->start, range->length, elf->e_phoff, table))
		return true;
	for (unsigned i = 0; i < elf->e_phnum; i++) {
		Elf64_Phdr segment;
		memcpy(&segment, headers->bytes + elf->e_phoff + i * sizeof segment, sizeof segment);
		if (!segment.p_filesz)
			continue;
		if (!inside(headers->length, segment.p_offset, segment.p_filesz))
			return true; /* nobody knows what becomes of it */
		uint64_t start = segment.p_offset / PAGE * PAGE;
		uint64_t end = (segment.p_offset + segment.p_filesz + PAGE - 1) / PAGE * PAGE;
		if (overlap(range->start, range->length, start, end - start))
			return true;
	}
	return false;
}

int note_find(const uint8_t *bytes, size_t length, const char *name, struct byte_range *descriptor,
	      struct complaint *why)
{
	struct headers headers;
	bool found = false;

	*descriptor = (struct byte_range){0, 0};
	if (!read_headers(bytes, length, &headers) || !has_sections(&headers))
		return 0;
	for (unsigned i = 0; i < headers.elf.e_shnum; i++) {
		Elf64_Shdr header = section(&headers, i);
		struct byte_range range;
		if (!is_ours(&headers, &header, &range))
			continue;
		if (found)
			return complain(why, -EINVAL, "%s: has two embedded manifests", name);
		if (is_reached(&headers, &range))
			return complain(why, -EINVAL, "%s: its embedded manifest is part of the running program", name);
		found = true;
		*descriptor = range;
	}
	return 0;
}

/* ---- making one ---- */

static size_t round_up(size_t value, size_t to)
{
	return (value + to - 1) / to * to;
}

/* The old section names; none when there are none that can be read. */
static struct byte_range old_names(const struct headers *headers)
{
	if (!has_sections(headers) || headers->elf.e_shstrndx >= headers->elf.e_shnum)
		return (struct byte_range){0, 0};
	Elf64_Shdr names = section(headers, headers->elf.e_shstrndx);
	if (names.sh_type != SHT_STRTAB || !inside(headers->length, names.sh_offset, names.sh_size))
		return (struct byte_range){0, 0};
	return (struct byte_range){names.sh_offset, names.sh_size};
}

/* Where the parts go that are put behind the program. */
struct plan {
	size_t note, note_size;	      /* the section: header, owner, descriptor, padding */
	size_t names, old_names_size; /* section names: the old ones, then ours twice (the note's, the table's) */
	size_t table;		      /* section headers: the old ones, then two */
	unsigned old_sections;	      /* at least 1: the null section */
	size_t length;
};

#define OUR_NAMES "\0" NOTE_SECTION "\0.shstrtab.picket"

static struct plan plan(const struct headers *headers, size_t room)
{
	struct plan plan = {.old_sections = has_sections(headers) ? headers->elf.e_shnum : 1};

	/* a page of its own: no segment's last page, which is mapped as a whole, may reach it */
	plan.note = round_up(headers->length, PAGE);
	plan.note_size = sizeof(Elf64_Nhdr) + OWNER_ROOM + round_up(room, 4);
	plan.names = plan.note + plan.note_size;
	plan.old_names_size = old_names(headers).length;
	plan.table = round_up(plan.names + plan.old_names_size + sizeof OUR_NAMES, ALIGN);
	plan.length = plan.table + (plan.old_sections + 2) * sizeof(Elf64_Shdr);
	return plan;
}

static void write_note(uint8_t *to, size_t room)
{
	Elf64_Nhdr note = {.n_namesz = sizeof NOTE_OWNER, .n_descsz = (Elf64_Word)room, .n_type = NOTE_TYPE};

	memcpy(to, &note, sizeof note);
	memcpy(to + sizeof note, NOTE_OWNER, sizeof NOTE_OWNER);
}

static void write_table(const struct headers *headers, const struct plan *plan, uint8_t *made)
{
	Elf64_Shdr note = {.sh_type = SHT_NOTE,
			   .sh_offset = plan->note,
			   .sh_size = plan->note_size,
			   .sh_addralign = 4,
			   .sh_name = (Elf64_Word)(plan->old_names_size + 1)};
	Elf64_Shdr names = {.sh_type = SHT_STRTAB,
			    .sh_offset = plan->names,
			    .sh_addralign = 1,
			    .sh_size = plan->old_names_size + sizeof OUR_NAMES,
			    .sh_name = (Elf64_Word)(plan->old_names_size + 1 + sizeof NOTE_SECTION)};
	Elf64_Ehdr elf = headers->elf;
	uint8_t *table = made + plan->table;

	if (has_sections(headers))
		memcpy(table, headers->bytes + elf.e_shoff, plan->old_sections * sizeof(Elf64_Shdr));
	memcpy(table + plan->old_sections * sizeof note, &note, sizeof note);
	memcpy(table + (plan->old_sections + 1) * sizeof note, &names, sizeof names);
	elf.e_shoff = plan->table;
	elf.e_shentsize = sizeof(Elf64_Shdr);
	elf.e_shnum = (Elf64_Half)(plan->old_sections + 2);
	elf.e_shstrndx = (Elf64_Half)(plan->old_sections + 1);
	memcpy(made, &elf, sizeof elf);
}

int note_make(const uint8_t *bytes, size_t length, const char *name, size_t room, uint8_t **made, size_t *new_length,
	      struct complaint *why)
{
	struct headers headers;
	struct byte_range range;

	if (!read_headers(bytes, length, &headers))
		return complain(why, -EINVAL, "%s: not a 64-bit ELF program; its manifest goes beside it", name);
	int error = note_find(bytes, length, name, &range, why);
	if (error)
		return error;
	if (range.length)
		return complain(why, -EINVAL, "%s: has an embedded manifest already; sign the program as it was built",
				name);
	if (headers.elf.e_shnum + 2u >= SHN_LORESERVE)
		return complain(why, -EINVAL, "%s: has too many sections for another", name);
	struct plan parts = plan(&headers, room);
	struct byte_range names = old_names(&headers);
	uint8_t *copy = calloc(1, parts.length);
	if (!copy)
		return complain(why, -ENOMEM, "%s: %s", name, strerror(ENOMEM));
	memcpy(copy, bytes, length);
	write_note(copy + parts.note, room);
	memcpy(copy + parts.names, bytes + names.start, names.length);
	memcpy(copy + parts.names + names.length, OUR_NAMES, sizeof OUR_NAMES);
	write_table(&headers, &parts, copy);
	*made = copy;
	*new_length = parts.length;
	return 0;
}
