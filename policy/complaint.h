/* SPDX-License-Identifier: MIT */
/*
 * complaint.h - one sentence about what is wrong, on its way from where it is
 * found to the one place that prints it. Outside only.
 */
#ifndef PICKET_POLICY_COMPLAINT_H
#define PICKET_POLICY_COMPLAINT_H

#include <stddef.h>

enum { COMPLAINT_SIZE = 1024 };

/* One line without "picket: " and newline. Empty: nothing was said. */
struct complaint {
	char text[COMPLAINT_SIZE];
};

/*
 * Say why, as printf does, and return `error` (a negative errno). What is
 * already there is replaced. Control characters and invalid UTF-8 that came
 * with the arguments are written as \xNN, so that the text is safe on a terminal; a text too long is cut.
 */
__attribute__((format(printf, 3, 4))) int complain(struct complaint *complaint, int error, const char *format, ...);
#ifdef __clang_analyzer__ /* it does not see into another file, and would follow ways on which this is 0 */
#define complain(complaint, error, ...) ((complain)(complaint, error, __VA_ARGS__), (error))
#endif

/*
 * Copy `length` bytes into `to` (`size` bytes, always terminated) with every byte that is not part of a valid,
 * printable UTF-8 character as \xNN. Returns the length written; what does not fit is left out.
 */
size_t complaint_escape(char *to, size_t size, const char *from, size_t length);

/* Length of the valid UTF-8 character at the start of `bytes` (1..4), its code point in *code; 0: not valid. */
size_t utf8_decode(const char *bytes, size_t length, unsigned *code);
/* Unicode general category Cc: U+0000..U+001F, U+007F..U+009F. */
int unicode_is_control(unsigned code);

#endif
