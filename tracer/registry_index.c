/* SPDX-License-Identifier: MIT */
/* registry_index.c - see registry_index.h. */
#include "registry_index.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "cleanup.h"
#include "hash.h"
#include "sign.h"

enum {
	COLUMNS = 8,		/* file, inode, change time, size, id, version, signer, name; then the JSON */
	BYTES_MOST = 256 << 20, /* of a file that is taken for an index */
	KEY_ROOM = 64,
};

/* A line in the text, by the name of its file. */
struct entry {
	const char *file; /* up to the first TAB */
	char *line;
	UT_hash_handle hh;
};

struct registry_index {
	char *text;
	struct entry *entries, *by_file;
	size_t lines;
};

/* What a line says of its file's state: "INODE\tCTIME_NS\tSIZE". */
static void state_of(const struct stat *status, char key[KEY_ROOM])
{
	snprintf(key, KEY_ROOM, "%" PRIuMAX "\t%" PRIdMAX "%09ld\t%" PRIdMAX, (uintmax_t)status->st_ino,
		 (intmax_t)status->st_ctim.tv_sec, status->st_ctim.tv_nsec, (intmax_t)status->st_size);
}

/* All of the file, with a NUL behind it; "" when there is none. NULL: out of memory. */
static char *read_text(int directory)
{
	cleanup_fd int fd = openat(directory, INDEX_FILE, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat status;
	size_t have = 0, size = 0;

	if (fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0 &&
	    status.st_size <= BYTES_MOST)
		size = (size_t)status.st_size;
	char *text = malloc(size + 1);
	while (text && have < size) {
		ssize_t n = read(fd, text + have, size - have);
		if (n <= 0)
			break;
		have += (size_t)n;
	}
	if (text)
		text[have] = '\0';
	return text;
}

static void add_line(struct registry_index *index, struct entry *entry, char *line)
{
	size_t length = strcspn(line, "\t");
	struct entry *before = NULL;

	*entry = (struct entry){.file = line, .line = line};
	HASH_FIND(hh, index->by_file, line, length, before);
	if (before)
		before->line = line;
	else
		HASH_ADD_KEYPTR(hh, index->by_file, entry->file, length, entry);
}

struct registry_index *index_read(int directory)
{
	struct registry_index *index = calloc(1, sizeof *index);
	size_t count = 0;

	if (!index)
		return NULL;
	index->text = read_text(directory);
	for (const char *at = index->text; at && (at = strchr(at, '\n')); at++)
		count++;
	index->entries = calloc(count + 1, sizeof *index->entries);
	if (!index->text || !index->entries) {
		index_free(index);
		return NULL;
	}
	char *line = index->text, *end;
	for (; (end = strchr(line, '\n')); line = end + 1) { /* a line without an end was torn */
		*end = '\0';
		add_line(index, &index->entries[index->lines++], line);
	}
	return index;
}

void index_free(struct registry_index *index)
{
	if (!index)
		return;
	HASH_CLEAR(hh, index->by_file);
	free(index->entries);
	free(index->text);
	free(index);
}

size_t index_lines(const struct registry_index *index)
{
	return index->lines;
}

bool index_row(char *line, struct registry_row *row)
{
	char *columns[COLUMNS + 1];

	for (size_t i = 0; i < COLUMNS; i++) {
		columns[i] = line;
		line = strchr(line, '\t');
		if (!line)
			return false;
		*line++ = '\0';
	}
	columns[COLUMNS] = line;
	line[strcspn(line, "\n")] = '\0';
	*row = (struct registry_row){.id = columns[4],
				     .version = columns[5],
				     .signed_by = columns[6],
				     .name = columns[7],
				     .json = columns[8]};
	return *row->json == '{';
}

bool index_find(const struct registry_index *index, const char *file, const struct stat *status,
		struct registry_row *row)
{
	size_t length = strlen(file);
	struct entry *entry = NULL;
	char key[KEY_ROOM];

	HASH_FIND(hh, index->by_file, file, length, entry);
	if (!entry)
		return false;
	state_of(status, key);
	size_t key_length = strlen(key);
	const char *state = entry->line + length;
	/* the comparison ends at the line's NUL at the latest; a line that was cut into columns ends at once */
	if (*state++ != '\t' || strncmp(state, key, key_length) != 0 || state[key_length] != '\t')
		return false;
	return index_row(entry->line, row);
}

char *index_line(const char *file, const struct stat *status, const struct manifest *manifest)
{
	json_t *list = json_array();
	char key[KEY_ROOM], *line = NULL;

	for (size_t i = 0; i < manifest->capability_count; i++)
		json_array_append_new(list, json_string(manifest->capabilities[i]));
	json_t *object =
		json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:i}", "id", manifest->id, "name", manifest->name,
			  "version", manifest->version, "signed_by", manifest->signed_by, "scheme",
			  sign_scheme_name(sign_scheme(manifest->signature)), "content_hash", manifest->content_hash,
			  "capabilities", list, "timeout_secs", (int)manifest->timeout_secs);
	char *json = object ? json_dumps(object, 0) : NULL;
	json_decref(object);
	state_of(status, key);
	if (json && asprintf(&line, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", file, key, manifest->id, manifest->version,
			     manifest->signed_by, manifest->name, json) < 0)
		line = NULL;
	free(json);
	return line;
}

void index_append(int directory, const char *lines, size_t length)
{
	cleanup_fd int fd = openat(directory, INDEX_FILE, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0644);
	struct stat status;
	char last = '\n';

	if (fd < 0 || fstat(fd, &status) || !S_ISREG(status.st_mode))
		return;
	if (status.st_size > 0 && pread(fd, &last, 1, status.st_size - 1) != 1)
		return;
	if (last != '\n' && write(fd, "\n", 1) != 1) /* whoever was at it before died */
		return;
	while (length) {
		ssize_t n = write(fd, lines, length);
		if (n <= 0)
			return;
		lines += n;
		length -= (size_t)n;
	}
}
