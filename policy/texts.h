/* SPDX-License-Identifier: MIT */
/*
 * texts.h - the text of a policy file and of what it includes, before libconfig parses it. Outside only.
 *
 * libconfig (1.5 to 1.7) takes some texts for what they do not say, and some end the program: an included
 * directory makes its scanner exit(), an unterminated comment or string at the end is passed over in silence,
 * "\x00" cuts a string, a number beyond 32 bits without an L wraps around, strings without a comma between them
 * become one, a setting's line is where the *next* token stood. So the text is read once here; what is
 * found is a fault, and the tokens are kept to know where each setting really stands.
 */
#ifndef PICKET_POLICY_TEXTS_H
#define PICKET_POLICY_TEXTS_H

#include <stdbool.h>

#include "faults.h"

enum {
	TEXTS_MAX = 16 << 20,	  /* bytes of a policy, includes included */
	TEXTS_MAX_INCLUDES = 256, /* files that a policy includes, however deep */
	TEXTS_MAX_DEPTH = 10,	  /* of includes within includes: libconfig's own bound */
};

enum token_kind {
	TOKEN_NAME,
	TOKEN_STRING,
	TOKEN_NUMBER,
	TOKEN_BAD_NUMBER, /* libconfig takes it for another; a fault has been told */
	TOKEN_OTHER
};

struct texts;

struct texts *texts_new(void); /* NULL: out of memory */
void texts_free(struct texts *texts);

/*
 * Read a file and scan it and what it includes. False when libconfig must not see it; the reasons are in
 * `faults` (there may be faults without that, too).
 */
bool texts_read(struct texts *texts, const char *file, struct faults *faults);

/* The same with a text that is at hand, `name` standing for its file. */
bool texts_take(struct texts *texts, const char *name, const char *text, size_t length, struct faults *faults);

/* The text that was read first, NUL-terminated and ended by a newline. */
const char *texts_main(const struct texts *texts);

/* The directory that @include is relative to, or NULL for the current one. Lives as long as texts. */
const char *texts_include_directory(const struct texts *texts);

/* A line of the file that libconfig names so (NULL: the main file). */
struct place texts_line(const struct texts *texts, const char *file, unsigned line);

/*
 * Where the token stands of which libconfig says that it is in `file` (NULL: the main file) at `line`: the last of this
 * kind and text at or before that line; of several on one line the next that was not asked for yet. Without one, the
 * line itself.
 */
struct place texts_place(struct texts *texts, const char *file, unsigned line, enum token_kind kind, const char *text);

/* Is the value of this setting, in that file and line, a TOKEN_BAD_NUMBER? */
bool texts_has_bad_number(struct texts *texts, const char *name, unsigned line, const char *setting);

#endif
