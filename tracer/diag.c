/* SPDX-License-Identifier: MIT */
/*
 * diag.c - lines on stderr. A line that cannot be written is lost: there is
 * nobody left to tell.
 */
#include "diag.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "escape.h"

static void write_all(const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t n = write(STDERR_FILENO, bytes, length);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		bytes += n;
		length -= (size_t)n;
	}
}

/* `suffix` may be NULL. */
static void say(const char *format, va_list arguments, const char *suffix)
{
	int saved = errno;
	char *message = NULL, *clean = NULL, *line = NULL;
	int length = vasprintf(&message, format, arguments);
	if (length >= 0)
		clean = escape_line(message, (size_t)length, NULL);
	else
		message = NULL;
	const char *colon = suffix != NULL ? ": " : "";
	if (suffix == NULL)
		suffix = "";
	length = clean != NULL ? asprintf(&line, "picket: %s%s%s\n", clean, colon, suffix) : -1;
	if (length >= 0) {
		write_all(line, (size_t)length);
		free(line);
	} else {
		static const char lost[] = "picket: out of memory\n";
		write_all(lost, sizeof(lost) - 1);
	}
	free(clean);
	free(message);
	errno = saved;
}

void diag(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	say(format, arguments, NULL);
	va_end(arguments);
}

void diag_errno(int error, const char *format, ...)
{
	char number[32];
	int positive = error < 0 ? -error : error;
	const char *meaning = strerrordesc_np(positive);
	if (meaning == NULL) {
		snprintf(number, sizeof(number), "error %d", positive);
		meaning = number;
	}
	va_list arguments;
	va_start(arguments, format);
	say(format, arguments, meaning);
	va_end(arguments);
}
