/* SPDX-License-Identifier: MIT */
/* shim_file.c - see shim_file.h. Its version stands in a note of the ELF file (wire.h, preload/enter.S). */
#include "shim_file.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "elf_bounds.h"
#include "wire.h"

#ifndef PREFIX
#define PREFIX "/usr/local"
#endif

/* Is this section's data a note of ours, and does it say our version? */
static bool says_version(Elf_Data *data)
{
	GElf_Nhdr note;
	size_t at = 0, name, description;

	while (data && (at = gelf_getnote(data, at, &note, &name, &description)) > 0) {
		uint32_t version;
		if (note.n_type != WIRE_NOTE_TYPE || note.n_namesz != sizeof WIRE_NOTE_OWNER ||
		    note.n_descsz != sizeof version ||
		    memcmp((char *)data->d_buf + name, WIRE_NOTE_OWNER, sizeof WIRE_NOTE_OWNER) != 0)
			continue;
		memcpy(&version, (char *)data->d_buf + description, sizeof version);
		return version == WIRE_VERSION;
	}
	return false;
}

static bool is_ours(int fd)
{
	GElf_Shdr header;
	bool found = false;

	elf_version(EV_CURRENT);
	Elf *elf = elf_begin(fd, ELF_C_READ, NULL);
	for (Elf_Scn *section = NULL; elf && !found && (section = elf_nextscn(elf, section)) != NULL;)
		if (gelf_getshdr(section, &header) && header.sh_type == SHT_NOTE)
			found = says_version(elf_getdata(section, NULL));
	elf_end(elf);
	return found;
}

static int try(const char *path, char *why, size_t size)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		snprintf(why, size, "%.100s: %s", path, strerrordesc_np(errno));
		return -errno;
	}
	if (!is_ours(fd)) {
		snprintf(why, size, "%.100s is not of this version", path);
		return -ENOEXEC;
	}
	if (strpbrk(path, ": \t\n")) { /* ld.so(8): both separate the names in LD_PRELOAD */
		snprintf(why, size, "the name of %.100s has a blank or a colon in it", path);
		return -EINVAL;
	}
	return 0;
}

int shim_file_find(char **path, char *why, size_t size)
{
	static const char installed[] = PREFIX "/lib/picket/";
	char self[PATH_MAX], candidate[PATH_MAX + 64];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	char *slash = n > 0 ? memrchr(self, '/', (size_t)n) : NULL;

	if (!slash)
		return -ENOENT;
	slash[1] = 0;
	/* beside; ../lib/picket/ of bin/; where it was configured to be */
	const char *const places[][2] = {{self, ""}, {self, "../lib/picket/"}, {installed, ""}};
	int r = -ENOENT;
	for (size_t i = 0; i < sizeof places / sizeof places[0] && r == -ENOENT; i++) {
		snprintf(candidate, sizeof candidate, "%s%s%s", places[i][0], places[i][1], SHIM_FILE_NAME);
		r = try(candidate, why, size);
	}
	if (r == -ENOENT)
		snprintf(why, size, "the shim %s is neither beside this program nor in %s", SHIM_FILE_NAME, installed);
	if (r < 0)
		return r;
	*path = realpath(candidate, NULL);
	return *path ? 0 : -errno;
}

/* Put NAME=first[:what it was], or what it was and then `last`, into an environment. */
static int join(char ***environment, const char *name, const char *first, const char *last)
{
	size_t count = 0, at = 0, n = strlen(name);
	char *value;

	while ((*environment)[count])
		count++;
	while (at < count && strncmp((*environment)[at], name, n) != 0)
		at++;
	const char *was = at < count ? (*environment)[at] + n : "";
	const char *colon = *was ? ":" : "";
	if (asprintf(&value, "%s%s%s%s%s%s", name, first, *first ? colon : "", was, *last ? colon : "", last) < 0)
		return -ENOMEM;
	if (at < count) {
		free((*environment)[at]);
		(*environment)[at] = value;
		return 0;
	}
	char **larger = realloc(*environment, (count + 2) * sizeof *larger);
	if (!larger) {
		free(value);
		return -ENOMEM;
	}
	larger[count] = value;
	larger[count + 1] = NULL;
	*environment = larger;
	return 0;
}

int shim_file_pass(const char *path, bool alone, char ***environment)
{
	const char *slash = strrchr(path, '/');
	cleanup_free char *name = NULL;

	if (!alone)
		return join(environment, "LD_PRELOAD=", path, "");
	if (asprintf(&name, "%.*s" WIRE_SHIM_ALONE "%s", (int)(slash - path), path, slash + 1) < 0) {
		name = NULL;
		return -ENOMEM;
	}
	return join(environment, "LD_PRELOAD=", name, "");
}

/* ---- a library that wants to be first ------------------------------------ */

/* Name of the first library that the program needs, or NULL. */
static const char *first_needed(Elf *elf)
{
	GElf_Shdr header;
	GElf_Dyn entry;

	for (Elf_Scn *section = NULL; (section = elf_nextscn(elf, section)) != NULL;) {
		if (!gelf_getshdr(section, &header) || header.sh_type != SHT_DYNAMIC)
			continue;
		Elf_Data *data = elf_bounds_section(section, &header);
		for (int i = 0; data && gelf_getdyn(data, i, &entry) && entry.d_tag != DT_NULL; i++)
			if (entry.d_tag == DT_NEEDED)
				return elf_bounds_string(elf, header.sh_link, entry.d_un.d_val);
	}
	return NULL;
}

bool shim_file_sanitizer(int fd)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	cleanup_fd int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	Elf *elf = file < 0 ? NULL : elf_bounds_begin(file);
	const char *name = elf ? first_needed(elf) : NULL;
	bool found = name && (strncmp(name, WIRE_SANITIZER_GCC, sizeof WIRE_SANITIZER_GCC - 1) == 0 ||
			      strncmp(name, WIRE_SANITIZER_CLANG, sizeof WIRE_SANITIZER_CLANG - 1) == 0);
	elf_end(elf);
	return found;
}

int shim_file_excuse(char ***environment)
{
	return join(environment, "ASAN_OPTIONS=", "", "verify_asan_link_order=0");
}
