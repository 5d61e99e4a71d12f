/* SPDX-License-Identifier: MIT */
/*
 * plugin_program.h - a plugin's program: a copy that nobody can change, its
 * hash, and what kind of file it is. What was hashed is what runs.
 */
#ifndef PICKET_TRACER_PLUGIN_PROGRAM_H
#define PICKET_TRACER_PLUGIN_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "complaint.h"
#include "sign.h"

enum { PLUGIN_LINE_MOST = 256 }; /* what the kernel reads of a script's first line */
#define PLUGIN_BYTES_MOST ((size_t)1 << 30)

enum plugin_kind { PLUGIN_ELF, PLUGIN_SCRIPT, PLUGIN_OTHER };

/* A range of bytes; length 0: there is none. */
struct byte_range {
	size_t start, length;
};

struct plugin_program {
	int fd;		      /* sealed memfd: cannot be written, resized or unsealed; close-on-exec */
	const uint8_t *bytes; /* the same, mapped read-only */
	size_t length;
	char hash[SIGN_HASH_TEXT]; /* SHA-256 of all bytes but those of `manifest` */
	enum plugin_kind kind;
	struct byte_range manifest;	    /* ELF: the manifest that is embedded (plugin_note.h) */
	char interpreter[PLUGIN_LINE_MOST]; /* script: absolute */
	char second[PLUGIN_LINE_MOST];	    /* script: the name that `env` is to look up, or "" */
	const char *cannot_run; /* why nobody could run it: a sentence, or NULL. It can be signed and verified all the
				   same */
};

/*
 * Copy everything that `fd` gives from its offset on, once, into a sealed memfd, and hash the copy. `name` is for
 * messages. 0, or with *why: -EINVAL (not a regular file; a wrong note), -EFBIG, -errno.
 */
int plugin_program_load(int fd, const char *name, struct plugin_program *program, struct complaint *why);
/* The same of bytes in memory. */
int plugin_program_from_bytes(const void *bytes, size_t length, const char *name, struct plugin_program *program,
			      struct complaint *why);
void plugin_program_free(struct plugin_program *program);

#endif
