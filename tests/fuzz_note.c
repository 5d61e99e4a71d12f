/* SPDX-License-Identifier: MIT */
/*
 * fuzz_note.c - no bytes make looking for an embedded manifest, or reading what an ELF plugin brings along, go outside.
 */
#include <stdlib.h>
#include <string.h>

#include "plugin_elf.h"
#include "plugin_note.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct byte_range range;
	struct plugin_elf elf;
	struct complaint why;
	uint8_t *bytes = malloc(size ? size : 1), *made = NULL;
	size_t length = 0;
	static volatile size_t sink;

	memcpy(bytes, data, size);
	if (note_find(bytes, size, "fuzz", &range, &why) == 0 && range.length > size - range.start)
		abort();
	if (note_make(bytes, size, "fuzz", 100, &made, &length, &why) == 0) {
		if (note_find(made, length, "made", &range, &why) == 0 && range.length != 100)
			abort();
		free(made);
	}
	if (plugin_elf_read(bytes, size, "fuzz", &elf, &why) == 0) {
		for (size_t i = 0; i < elf.needed_count; i++)
			sink = sink + strlen(elf.needed[i]);
		sink = sink + (elf.interpreter ? strlen(elf.interpreter) : 0) + (elf.rpath ? strlen(elf.rpath) : 0) +
		       (elf.runpath ? strlen(elf.runpath) : 0);
	}
	free(bytes);
	return 0;
}
