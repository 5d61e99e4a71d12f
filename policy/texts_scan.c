/* SPDX-License-Identifier: MIT */
/*
 * texts_scan.c - the tokens of one policy file, as libconfig's scanner would cut
 * them, and what is wrong with them (texts.h says why).
 */
#include "texts_file.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct scan {
	struct text_file *file;
	struct faults *faults;
	text_include *include;
	void *context;
	const char *at, *end;
	const char *line_start;
	unsigned line;
	size_t meaning; /* bytes used of file->meanings */
	bool fatal;
};

static struct place place_at(const struct scan *scan, const char *at)
{
	return (struct place){scan->file->name, scan->line, (unsigned)(at - scan->line_start) + 1};
}

__attribute__((format(printf, 3, 4))) static void fatal(struct scan *scan, struct place place, const char *what, ...);

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t';
}

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static bool is_name_start(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '*';
}

static bool is_name(char byte)
{
	return is_name_start(byte) || is_digit(byte) || byte == '-' || byte == '_';
}

static int hex_digit(char byte)
{
	if (is_digit(byte))
		return byte - '0';
	if (byte >= 'a' && byte <= 'f')
		return byte - 'a' + 10;
	return byte >= 'A' && byte <= 'F' ? byte - 'A' + 10 : -1;
}

static void fatal(struct scan *scan, struct place place, const char *what, ...)
{
	va_list arguments;
	char text[512];

	va_start(arguments, what);
	vsnprintf(text, sizeof(text), what, arguments);
	va_end(arguments);
	fault(scan->faults, place, "%s", text);
	scan->fatal = true;
}

static void newline(struct scan *scan)
{
	scan->line++;
	scan->line_start = scan->at;
}

static void add_token(struct scan *scan, enum token_kind kind, struct place place, const char *text, size_t length)
{
	struct text_file *file = scan->file;

	if (file->token_count == file->token_room) {
		size_t room = file->token_room ? file->token_room * 2 : 256;
		struct token *tokens = realloc(file->tokens, room * sizeof(*tokens));

		if (!tokens) {
			fatal(scan, place, "out of memory");
			return;
		}
		file->tokens = tokens;
		file->token_room = room;
	}
	file->tokens[file->token_count++] = (struct token){kind, place.line, place.column, text, length};
}

static void skip_block_comment(struct scan *scan)
{
	struct place place = place_at(scan, scan->at);

	for (scan->at += 2; scan->at < scan->end;) {
		if (scan->end - scan->at >= 2 && !memcmp(scan->at, "*/", 2)) {
			scan->at += 2;
			return;
		}
		if (*scan->at++ == '\n')
			newline(scan);
	}
	fatal(scan, place, "this comment has no end (close it with */)");
}

/* The escape at scan->at, which is a backslash; the byte it means goes to *to. Returns how many bytes were put there.
 */
static size_t scan_escape(struct scan *scan, char *to)
{
	static const char letters[] = "nrtf\\\"", meanings[] = "\n\r\t\f\\\"";
	const char *at = scan->at, *letter;

	if (scan->end - at >= 4 && (at[1] == 'x' || at[1] == 'X') && hex_digit(at[2]) >= 0 && hex_digit(at[3]) >= 0) {
		int value = hex_digit(at[2]) * 16 + hex_digit(at[3]);

		if (!value)
			fatal(scan, place_at(scan, at), "\\x00 in a string (no path or name can hold a NUL byte)");
		*to = (char)value;
		scan->at += 4;
		return 1;
	}
	letter = scan->end - at >= 2 && at[1] ? strchr(letters, at[1]) : NULL;
	if (letter) {
		*to = meanings[letter - letters];
		scan->at += 2;
		return 1;
	}
	*to = '\\'; /* any other backslash stands for itself */
	scan->at++;
	return 1;
}

static void scan_string(struct scan *scan)
{
	struct place place = place_at(scan, scan->at);
	const struct text_file *file = scan->file;
	char *meaning = file->meanings + scan->meaning;
	size_t length = 0;

	if (file->token_count && file->tokens[file->token_count - 1].kind == TOKEN_STRING)
		fault(scan->faults, place,
		      "two strings with no comma between them would be taken as one (put a comma before this one)");
	for (scan->at++; scan->at < scan->end;) {
		if (*scan->at == '"') {
			scan->at++;
			scan->meaning += length;
			add_token(scan, TOKEN_STRING, place, meaning, length);
			return;
		}
		if (*scan->at == '\\') {
			length += scan_escape(scan, meaning + length);
			continue;
		}
		meaning[length++] = *scan->at;
		if (*scan->at++ == '\n')
			newline(scan);
	}
	fatal(scan, place, "this string has no end (close it with a \")");
}

/* Is everything before `at` on its line blank? */
static bool begins_line(const struct scan *scan, const char *at)
{
	while (at > scan->line_start && is_blank(at[-1]))
		at--;
	return at == scan->line_start;
}

static void scan_include(struct scan *scan)
{
	static const char word[] = "@include";
	struct place place = place_at(scan, scan->at);
	const char *at = scan->at, *path;

	if (!begins_line(scan, at) || (size_t)(scan->end - at) < sizeof(word) ||
	    memcmp(at, word, sizeof(word) - 1) != 0 || !is_blank(at[sizeof(word) - 1])) {
		fatal(scan, place,
		      "unexpected \"@\" (to include a file, write @include \"FILE\" on a line of its own)");
		scan->at++;
		return;
	}
	for (at += sizeof(word) - 1; at < scan->end && is_blank(*at);)
		at++;
	path = at + 1;
	if (at < scan->end && *at == '"')
		for (at++; at < scan->end && *at != '"' && *at != '\n' && *at != '\\';)
			at++;
	if (at < path || at == scan->end || *at != '"' || at == path) {
		fatal(scan, place, "@include needs a file's name in double quotes");
		scan->at = at;
		return;
	}
	scan->at = at + 1;
	if (!scan->include(scan->context, place, path, (size_t)(at - path)))
		scan->fatal = true;
}

/* Would libconfig take this number for another? Then it is a fault. */
static bool check_number(struct scan *scan, struct place place, const char *text, size_t length)
{
	char digits[32] = "", *end;
	long long value;
	bool wide = length && (text[length - 1] == 'L');

	while (length && text[length - 1] == 'L')
		length--;
	if (length >= 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
		fault(scan->faults, place, "a hexadecimal number (write it in decimal)");
		return false;
	}
	for (size_t i = 0; i < length; i++)
		if (!is_digit(text[i]) && !(i == 0 && (text[i] == '-' || text[i] == '+')))
			return true; /* a fraction, or what the parser will refuse */
	memcpy(digits, text, length < sizeof(digits) ? length : sizeof(digits) - 1);
	errno = 0;
	value = strtoll(digits, &end, 10);
	if (errno == ERANGE || length >= sizeof(digits)) {
		fault(scan->faults, place, "the number %.*s is too large (at most %lld)", (int)length, text, LLONG_MAX);
		return false;
	}
	if (!wide && (value > INT_MAX || value < INT_MIN)) {
		fault(scan->faults, place, "the number %.*s needs an L at its end, being larger than %d (write %.*sL)",
		      (int)length, text, INT_MAX, (int)length, text);
		return false;
	}
	return true;
}

static void scan_word(struct scan *scan)
{
	struct place place = place_at(scan, scan->at);
	const char *start = scan->at;
	bool fine;

	if (is_name_start(*start)) {
		while (scan->at < scan->end && is_name(*scan->at))
			scan->at++;
		add_token(scan, TOKEN_NAME, place, start, (size_t)(scan->at - start));
		return;
	}
	for (scan->at++; scan->at < scan->end && (is_name(*scan->at) || *scan->at == '.' || *scan->at == '+');)
		scan->at++;
	fine = check_number(scan, place, start, (size_t)(scan->at - start));
	add_token(scan, fine ? TOKEN_NUMBER : TOKEN_BAD_NUMBER, place, start, (size_t)(scan->at - start));
}

static void scan_token(struct scan *scan)
{
	char byte = *scan->at;
	bool two = scan->end - scan->at >= 2;

	if (byte == '\n') {
		scan->at++;
		newline(scan);
	} else if (byte == '#' || (two && byte == '/' && scan->at[1] == '/')) {
		while (scan->at < scan->end && *scan->at != '\n')
			scan->at++;
	} else if (two && byte == '/' && scan->at[1] == '*') {
		skip_block_comment(scan);
	} else if (byte == '"') {
		scan_string(scan);
	} else if (byte == '@') {
		scan_include(scan);
	} else if (is_name_start(byte) || is_digit(byte) || byte == '-' || byte == '+' || byte == '.') {
		scan_word(scan);
	} else {
		if (!is_blank(byte) && byte != '\r' && byte != '\f' && byte != '\v')
			add_token(scan, TOKEN_OTHER, place_at(scan, scan->at), scan->at, 1);
		scan->at++;
	}
}

bool texts_scan(struct text_file *file, struct faults *faults, text_include *include, void *context)
{
	struct scan scan = {.file = file,
			    .faults = faults,
			    .include = include,
			    .context = context,
			    .line = 1,
			    .at = file->bytes,
			    .end = file->bytes + file->length,
			    .line_start = file->bytes};
	const char *nul = memchr(file->bytes, 0, file->length);

	if (nul) {
		for (const char *at = file->bytes; at < nul; at++)
			if (*at == '\n') {
				scan.line++;
				scan.line_start = at + 1;
			}
		fatal(&scan, place_at(&scan, nul), "a NUL byte (a policy is text; is this the right file?)");
		return false;
	}
	file->meanings = malloc(file->length + 1);
	if (!file->meanings) {
		fatal(&scan, place_at(&scan, file->bytes), "out of memory");
		return false;
	}
	while (scan.at < scan.end)
		scan_token(&scan);
	return !scan.fatal;
}
