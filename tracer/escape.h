/* SPDX-License-Identifier: MIT */
/*
 * escape.h - bytes that others chose (paths, arguments, output), made fit for
 * JSON and for terminals.
 */
#ifndef PICKET_TRACER_ESCAPE_H
#define PICKET_TRACER_ESCAPE_H

#include <stdbool.h>
#include <stddef.h>

/* Is all of it valid UTF-8? NUL is a character like any other. */
bool escape_is_utf8(const char *bytes, size_t length);

/*
 * A malloc'ed copy that is valid UTF-8, NUL-terminated, its length in *result_length (may be NULL):
 * bytes that are not UTF-8 become the four characters \xNN. NULL: out of memory.
 */
char *escape_utf8(const char *bytes, size_t length, size_t *result_length);

/*
 * The same, fit for one line on a terminal: control characters (C0, DEL, C1) and those that change the
 * direction or the break of lines become \n, \t, \r or \xNN for each of their bytes, too.
 */
char *escape_line(const char *bytes, size_t length, size_t *result_length);

#endif
