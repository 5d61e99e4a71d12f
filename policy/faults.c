/* SPDX-License-Identifier: MIT */
/* faults.c - see faults.h. */
#include "faults.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "complaint.h"

struct entry {
	char *text;
	size_t file; /* rank among the files; SIZE_MAX: the command line */
	unsigned line, column;
	size_t sequence;
};

struct faults {
	struct entry *list;
	size_t count, room;
	char **files; /* by rank; owned */
	size_t file_count;
	bool no_memory;
};

struct faults *faults_new(void)
{
	return calloc(1, sizeof(struct faults));
}

void faults_free(struct faults *faults)
{
	if (!faults)
		return;
	for (size_t i = 0; i < faults->count; i++)
		free(faults->list[i].text);
	for (size_t i = 0; i < faults->file_count; i++)
		free(faults->files[i]);
	free(faults->list);
	free(faults->files);
	free(faults);
}

static size_t file_rank(struct faults *faults, const char *file)
{
	char **files;

	if (!file)
		return SIZE_MAX;
	for (size_t i = 0; i < faults->file_count; i++)
		if (!strcmp(faults->files[i], file))
			return i;
	files = realloc(faults->files, (faults->file_count + 1) * sizeof(*files));
	if (files)
		faults->files = files;
	if (!files || !(files[faults->file_count] = strdup(file))) {
		faults->no_memory = true;
		return SIZE_MAX;
	}
	return faults->file_count++;
}

void faults_note_file(struct faults *faults, const char *file)
{
	file_rank(faults, file);
}

static char *place_text(struct place place)
{
	char *text = NULL;
	int length;

	if (!place.file)
		length = asprintf(&text, "command line");
	else if (!place.line)
		length = asprintf(&text, "%s", place.file);
	else if (!place.column)
		length = asprintf(&text, "%s:%u", place.file, place.line);
	else
		length = asprintf(&text, "%s:%u:%u", place.file, place.line, place.column);
	return length < 0 ? NULL : text;
}

/* The whole line, escaped; NULL: out of memory. */
static char *fault_text(struct place place, const char *format, va_list arguments)
{
	cleanup_free char *where = place_text(place);
	cleanup_free char *what = NULL;
	cleanup_free char *line = NULL;
	char *escaped;
	size_t size;
	int length;

	if (!where)
		return NULL;
	if (vasprintf(&what, format, arguments) < 0) {
		what = NULL;
		return NULL;
	}
	length = asprintf(&line, "%s: %s", where, what);
	if (length < 0) {
		line = NULL;
		return NULL;
	}
	size = (size_t)length * 4 + 1; /* \xNN for each byte */
	escaped = malloc(size);
	if (escaped)
		complaint_escape(escaped, size, line, (size_t)length);
	return escaped;
}

void fault(struct faults *faults, struct place place, const char *format, ...)
{
	struct entry entry = {.line = place.line, .column = place.column, .sequence = faults->count};
	va_list arguments;

	if (faults->count == faults->room) {
		size_t room = faults->room ? faults->room * 2 : 16;
		struct entry *list = realloc(faults->list, room * sizeof(*list));

		if (!list) {
			faults->no_memory = true;
			return;
		}
		faults->list = list;
		faults->room = room;
	}
	entry.file = file_rank(faults, place.file);
	va_start(arguments, format);
	entry.text = fault_text(place, format, arguments);
	va_end(arguments);
	if (entry.text)
		faults->list[faults->count++] = entry;
	else
		faults->no_memory = true;
}

size_t faults_count(const struct faults *faults)
{
	return faults->count + faults->no_memory;
}

static int compare_entries(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;

	if (a->file != b->file)
		return a->file < b->file ? -1 : 1;
	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	if (a->column != b->column)
		return a->column < b->column ? -1 : 1;
	return a->sequence < b->sequence ? -1 : a->sequence > b->sequence;
}

int faults_take(struct faults *faults, struct policy_errors *out)
{
	*out = (struct policy_errors){0};
	if (faults->no_memory)
		return -ENOMEM;
	if (!faults->count)
		return 0;
	out->list = calloc(faults->count, sizeof(*out->list));
	if (!out->list)
		return -ENOMEM;
	qsort(faults->list, faults->count, sizeof(*faults->list), compare_entries);
	for (size_t i = 0; i < faults->count; i++)
		out->list[i].text = faults->list[i].text;
	out->count = faults->count;
	faults->count = 0;
	return 0;
}
