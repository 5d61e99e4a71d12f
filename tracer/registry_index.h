/* SPDX-License-Identifier: MIT */
/*
 * registry_index.h - what the manifests of a registry say, in one file, so that a long list is not 10,000 files to
 * read and parse. A cache and nothing else: DIR/.list
 *
 * A line for each manifest file: its name, its inode, change time and size, and the columns of the list, separated by
 * TAB (which no field of a manifest may hold). A later line beats an earlier one. A line counts only while the file is
 * the one it was made from; whatever is missing, torn or stale costs time and nothing else.
 */
#ifndef PICKET_TRACER_REGISTRY_INDEX_H
#define PICKET_TRACER_REGISTRY_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "manifest.h"

#define INDEX_FILE ".list"

/* One row of a list. Strings live as long as the index or the line they were taken from. */
struct registry_row {
	const char *id, *version, *signed_by, *name;
	const char *json; /* all of it, as one JSON object */
};

struct registry_index;

/* Read the index of a registry's directory. A missing or unreadable one is empty. NULL: out of memory. */
struct registry_index *index_read(int directory);
void index_free(struct registry_index *index);
size_t index_lines(const struct registry_index *index); /* lines in the file, stale ones included */

/* The row of this manifest file, if the index has it as it is. */
bool index_find(const struct registry_index *index, const char *file, const struct stat *status,
		struct registry_row *row);

/* The line (with its newline) of a manifest; malloc'ed. NULL: out of memory. */
char *index_line(const char *file, const struct stat *status, const struct manifest *manifest);
/* The row of a line, which is cut into its columns. */
bool index_row(char *line, struct registry_row *row);

/* Add lines at the end. The caller holds the registry's lock. What cannot be written is not missed. */
void index_append(int directory, const char *lines, size_t length);

#endif
