/* SPDX-License-Identifier: MIT */
/*
 * texts_file.h - one scanned file, for texts.c and texts_scan.c only.
 */
#ifndef PICKET_POLICY_TEXTS_FILE_H
#define PICKET_POLICY_TEXTS_FILE_H

#include "texts.h"

struct token {
	enum token_kind kind;
	unsigned line, column;
	const char *text; /* of a name or number as it stands, of a string what it means; not terminated */
	size_t length;
};

struct text_file {
	char *name;	/* what it is opened by */
	char *included; /* the name in @include, by which libconfig knows it; NULL: the main file */
	char *bytes;	/* as they stand, and a NUL */
	size_t length;
	char *meanings; /* what the strings mean; at most as long as the text */
	struct token *tokens;
	size_t token_count, token_room;
	size_t asked; /* tokens up to the last one that texts_place found */
};

/* What the scanner calls for an @include at `place`: false when libconfig must not see this text. */
typedef bool text_include(void *context, struct place place, const char *path, size_t length);

/* Scan bytes into tokens. False: libconfig must not see this text. */
bool texts_scan(struct text_file *file, struct faults *faults, text_include *include, void *context);

#endif
