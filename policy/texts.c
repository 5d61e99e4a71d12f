/* SPDX-License-Identifier: MIT */
/* texts.c - see texts.h: reading files, following includes, finding tokens again. */
#include "texts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "texts_file.h"

struct texts {
	struct text_file **files; /* the main one first */
	size_t count;
	char *directory; /* of the main file, without a slash at the end; NULL: the current one */
	size_t total;	 /* bytes of all, each inclusion counted */
	size_t includes;
	unsigned depth;
	struct faults *faults; /* while reading */
};

static void file_free(struct text_file *file)
{
	if (!file)
		return;
	free(file->name);
	free(file->included);
	free(file->bytes);
	free(file->meanings);
	free(file->tokens);
	free(file);
}

struct texts *texts_new(void)
{
	return calloc(1, sizeof(struct texts));
}

void texts_free(struct texts *texts)
{
	if (!texts)
		return;
	for (size_t i = 0; i < texts->count; i++)
		file_free(texts->files[i]);
	free(texts->files);
	free(texts->directory);
	free(texts);
}

/* A new empty file in the list, or NULL with a fault. */
static struct text_file *add_file(struct texts *texts, const char *name, struct place place)
{
	struct text_file **files = realloc(texts->files, (texts->count + 1) * sizeof(struct text_file *));
	struct text_file *file = calloc(1, sizeof(*file));

	if (files)
		texts->files = files;
	if (!files || !file || !(file->name = strdup(name))) {
		file_free(file);
		fault(texts->faults, place, "out of memory");
		return NULL;
	}
	files[texts->count++] = file;
	return file;
}

/* Everything that a descriptor gives, up to what is left of TEXTS_MAX, and a newline. 0 or -errno; -EFBIG: too large.
 */
static int read_all(struct texts *texts, int fd, struct text_file *file)
{
	size_t room = 0;

	for (;;) {
		ssize_t got;

		if (room - file->length < 4096) {
			char *bytes = realloc(file->bytes, (room = room ? room * 2 : 16384));

			if (!bytes)
				return -ENOMEM;
			file->bytes = bytes;
		}
		got = read(fd, file->bytes + file->length, room - file->length - 2);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		file->length += (size_t)got;
		if (texts->total + file->length > TEXTS_MAX)
			return -EFBIG;
		if (!got)
			break;
	}
	texts->total += file->length;
	return 0;
}

/* libconfig takes a comment on the last line for an error when no newline follows it. */
static void end_with_newline(struct text_file *file)
{
	if (!file->length || file->bytes[file->length - 1] != '\n')
		file->bytes[file->length++] = '\n'; /* NOLINT(clang-analyzer-core.NullDereference): it was read */
	file->bytes[file->length] = 0;
}

static const char *read_advice(int error)
{
	switch (error) {
	case -ENOENT:
	case -ENOTDIR:
		return " (check the file's name)";
	case -EACCES:
	case -EPERM:
		return " (check its permissions)";
	case -EISDIR:
		return " (name a file in it)";
	default:
		return "";
	}
}

/* Open and read `file->name`. An included file must be a regular one: libconfig opens it again. */
static bool load(struct texts *texts, struct text_file *file, bool included, struct place place)
{
	cleanup_fd int fd = open(file->name, O_RDONLY | O_CLOEXEC | O_NOCTTY | (included ? O_NONBLOCK : 0));
	struct stat status;
	int error = 0;

	if (fd < 0 || fstat(fd, &status))
		error = -errno;
	else if (S_ISDIR(status.st_mode))
		error = -EISDIR;
	else if (included && !S_ISREG(status.st_mode))
		error = -EINVAL;
	else
		error = read_all(texts, fd, file);
	if (!error)
		return true;
	if (error == -EFBIG)
		fault(texts->faults, place, "the policy is larger than %d MiB (is this the right file?)",
		      TEXTS_MAX >> 20);
	else if (error == -EINVAL)
		fault(texts->faults, place, "cannot include \"%s\": not a regular file", file->name);
	else if (included)
		fault(texts->faults, place, "cannot include \"%s\": %s%s", file->name, strerror(-error),
		      read_advice(error));
	else
		fault(texts->faults, place, "cannot read the policy: %s%s", strerror(-error), read_advice(error));
	return false;
}

static bool include(void *context, struct place place, const char *path, size_t length)
{
	struct texts *texts = context;
	const char *directory = texts->directory;
	cleanup_free char *name = NULL;
	struct text_file *file;
	bool fine;

	if (path[0] == '/') {
		fault(texts->faults, place,
		      "@include of an absolute path (name the file relative to the policy file's directory)");
		return false;
	}
	if (texts->depth >= TEXTS_MAX_DEPTH || texts->includes++ >= TEXTS_MAX_INCLUDES) {
		fault(texts->faults, place,
		      "too many includes (at most %d files, %d deep; does a file include itself?)", TEXTS_MAX_INCLUDES,
		      TEXTS_MAX_DEPTH);
		return false;
	}
	if (asprintf(&name, "%s%s%.*s", directory ? directory : "", directory ? "/" : "", (int)length, path) < 0) {
		name = NULL;
		fault(texts->faults, place, "out of memory");
		return false;
	}
	file = add_file(texts, name, place);
	if (file && !(file->included = strndup(path, length)))
		fault(texts->faults, place, "out of memory");
	if (!file || !file->included || !load(texts, file, true, place))
		return false;
	faults_note_file(texts->faults, name);
	texts->depth++;
	fine = texts_scan(file, texts->faults, include, texts);
	texts->depth--;
	return fine;
}

/* Scan the main file, whose bytes are there. */
static bool scan_main(struct texts *texts, struct text_file *file)
{
	static const char mark[] =
		"\xef\xbb\xbf"; /* some editors begin UTF-8 text with it; libconfig does not know it */

	if (file->length >= 3 && !memcmp(file->bytes, mark, 3))
		memset(file->bytes, ' ', 3);
	end_with_newline(file);
	return texts_scan(file, texts->faults, include, texts);
}

bool texts_read(struct texts *texts, const char *name, struct faults *faults)
{
	struct place place = {.file = name};
	const char *slash = strrchr(name, '/');
	struct text_file *file;

	texts->faults = faults;
	faults_note_file(faults, name);
	file = add_file(texts, name, place);
	if (!file)
		return false;
	if (slash) {
		texts->directory = strndup(name, (size_t)(slash - name));
		if (!texts->directory) {
			fault(faults, place, "out of memory");
			return false;
		}
	}
	return load(texts, file, false, place) && scan_main(texts, file);
}

bool texts_take(struct texts *texts, const char *name, const char *text, size_t length, struct faults *faults)
{
	struct place place = {.file = name};
	struct text_file *file;

	texts->faults = faults;
	faults_note_file(faults, name);
	file = add_file(texts, name, place);
	if (!file)
		return false;
	file->bytes = malloc(length + 2);
	if (!file->bytes) {
		fault(faults, place, "out of memory");
		return false;
	}
	memcpy(file->bytes, text, length);
	file->length = length;
	return scan_main(texts, file);
}

const char *texts_main(const struct texts *texts)
{
	return texts->files[0]->bytes;
}

const char *texts_include_directory(const struct texts *texts)
{
	return texts->directory;
}

/* By what libconfig calls it: 1.5 the name in @include, later versions the path. */
static struct text_file *find_file(const struct texts *texts, const char *name)
{
	for (size_t i = 1; name && i < texts->count; i++)
		if (!strcmp(texts->files[i]->included, name) || !strcmp(texts->files[i]->name, name))
			return texts->files[i];
	return texts->count ? texts->files[0] : NULL;
}

static bool is_token(const struct token *token, enum token_kind kind, const char *text)
{
	return token->kind == kind && token->length == strlen(text) && !memcmp(token->text, text, token->length);
}

/* How many tokens stand at or before a line. */
static size_t tokens_until(const struct text_file *file, unsigned line)
{
	size_t low = 0, high = file->token_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (file->tokens[middle].line <= line)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The token meant by texts_place; NULL: there is none. */
static const struct token *find_token(struct text_file *file, unsigned line, enum token_kind kind, const char *text)
{
	const struct token *found = NULL;

	for (size_t i = tokens_until(file, line); i-- > 0;) {
		const struct token *token = &file->tokens[i];

		if (found && (token->line != found->line || i < file->asked))
			break;
		if (is_token(token, kind, text))
			found = token;
	}
	if (found)
		file->asked = (size_t)(found - file->tokens) + 1;
	return found;
}

struct place texts_line(const struct texts *texts, const char *name, unsigned line)
{
	const struct text_file *file = find_file(texts, name);

	return (struct place){file ? file->name : name, line, 0};
}

struct place texts_place(struct texts *texts, const char *name, unsigned line, enum token_kind kind, const char *text)
{
	struct text_file *file = find_file(texts, name);
	const struct token *token = file ? find_token(file, line, kind, text) : NULL;

	if (token)
		return (struct place){file->name, token->line, token->column};
	return texts_line(texts, name, line);
}

bool texts_has_bad_number(struct texts *texts, const char *name, unsigned line, const char *setting)
{
	struct text_file *file = find_file(texts, name);
	const struct token *token = file ? find_token(file, line, TOKEN_NAME, setting) : NULL;

	/* The name, "=" or ":", the value. */
	return token && file->token_count - (size_t)(token - file->tokens) > 2 && token[2].kind == TOKEN_BAD_NUMBER;
}
