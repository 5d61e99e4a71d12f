/* SPDX-License-Identifier: MIT */
/* shim_names.c - see shim_names.h. */
#include "shim_names.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "elf_bounds.h"

/* A symbol table of the dynamic linker's. */
struct table {
	Elf_Data *data;
	size_t strings; /* index of the section with the names */
	size_t count;
};

static Elf_Scn *find_section(Elf *elf, unsigned type, GElf_Shdr *header)
{
	for (Elf_Scn *section = NULL; elf && (section = elf_nextscn(elf, section)) != NULL;)
		if (gelf_getshdr(section, header) && header->sh_type == type)
			return section;
	return NULL;
}

static bool find_table(Elf *elf, struct table *table)
{
	GElf_Shdr header;
	Elf_Scn *section = find_section(elf, SHT_DYNSYM, &header);

	if (!section || header.sh_entsize == 0)
		return false;
	*table = (struct table){elf_bounds_section(section, &header), header.sh_link,
				header.sh_size / header.sh_entsize};
	return table->data != NULL;
}

/* Name of the i-th symbol if it is one that the file has (`defined`) or asks for; else NULL. */
static const char *symbol_name(Elf *elf, const struct table *table, size_t i, bool defined)
{
	GElf_Sym symbol;

	if (!gelf_getsym(table->data, (int)i, &symbol) || (symbol.st_shndx != SHN_UNDEF) != defined)
		return NULL;
	return elf_bounds_string(elf, table->strings, symbol.st_name);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int collect(struct shim_names *names, Elf *elf, const struct table *table)
{
	size_t length = 0, count = 0;
	const char *name;

	for (size_t i = 0; i < table->count; i++)
		if ((name = symbol_name(elf, table, i, true)) != NULL)
			count++, length += strlen(name) + 1;
	names->list = count ? malloc(count * sizeof *names->list + length) : NULL;
	if (!names->list)
		return count ? -ENOMEM : -ENOEXEC;
	char *text = (char *)(names->list + count);
	for (size_t i = 0; i < table->count; i++)
		if ((name = symbol_name(elf, table, i, true)) != NULL) {
			names->list[names->count++] = text;
			text = stpcpy(text, name) + 1;
		}
	qsort(names->list, names->count, sizeof *names->list, by_name);
	return 0;
}

int shim_names_read(struct shim_names *names, const char *path)
{
	struct table table;

	*names = (struct shim_names){NULL, 0};
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	Elf *elf = elf_bounds_begin(fd);
	int r = find_table(elf, &table) ? collect(names, elf, &table) : -ENOEXEC;
	elf_end(elf);
	return r;
}

void shim_names_free(struct shim_names *names)
{
	free(names->list);
	*names = (struct shim_names){NULL, 0};
}

/* What it needs but libc may call for it what it does not call itself. */
static bool needs_only_libc(Elf *elf)
{
	GElf_Shdr header;
	GElf_Dyn entry;
	Elf_Scn *section = find_section(elf, SHT_DYNAMIC, &header);
	Elf_Data *data = section ? elf_bounds_section(section, &header) : NULL;

	for (int i = 0; data && gelf_getdyn(data, i, &entry) && entry.d_tag != DT_NULL; i++) {
		const char *name =
			entry.d_tag == DT_NEEDED ? elf_bounds_string(elf, header.sh_link, entry.d_un.d_val) : "libc.";
		if (!name || strncmp(name, "libc.", 5) != 0)
			return false;
	}
	return data != NULL;
}

static bool asks_for_one(const struct shim_names *names, Elf *elf, const struct table *table)
{
	for (size_t i = 1; i < table->count; i++) {
		const char *name = symbol_name(elf, table, i, false);
		if (name && bsearch(&name, names->list, names->count, sizeof *names->list, by_name))
			return true;
	}
	return false;
}

bool shim_names_used(const struct shim_names *names, int fd)
{
	struct table table;

	Elf *elf = elf_bounds_begin(fd);
	bool used = !needs_only_libc(elf) || !find_table(elf, &table) || asks_for_one(names, elf, &table);
	elf_end(elf);
	return used;
}
