/* SPDX-License-Identifier: MIT */
/* expand.c - see expand.h. */
#include "expand.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "suggest.h"

static const char *const variable_names[] = {"WORKDIR", "HOME", "TMPDIR", "XDG_RUNTIME_DIR", NULL};

enum { EXPAND_MAX = 1 << 16 }; /* bytes; far above any path, and a bound on what one rule may take */

/* A text that grows in a fixed room of the heap. */
struct growing {
	char *bytes;
	size_t length;
};

static int append(struct growing *to, const char *bytes, size_t length, struct complaint *why)
{
	if (length >= EXPAND_MAX - to->length)
		return complain(why, -EINVAL, "it is too long when expanded (at most %d bytes)", EXPAND_MAX - 1);
	memcpy(to->bytes + to->length, bytes, length);
	to->length += length;
	return 0;
}

static int find_variable(const struct variables *variables, const char *name, size_t length, const char **value,
			 struct complaint *why)
{
	const char *const values[] = {variables->workdir, variables->home, variables->tmpdir, variables->runtime_dir};
	char word[64] = "";
	const char *near;

	for (size_t i = 0; variable_names[i]; i++) {
		if (strlen(variable_names[i]) != length || memcmp(variable_names[i], name, length) != 0)
			continue;
		*value = values[i];
		if (!*value)
			return complain(why, -ENOENT, "${%s} is not set (set %s, or write the path in full)",
					variable_names[i], variable_names[i]);
		if (**value != '/')
			return complain(why, -ENOENT,
					"${%s} is \"%s\", which is not absolute (set %s to an absolute path)",
					variable_names[i], *value, variable_names[i]);
		return 0;
	}
	memcpy(word, name, length < sizeof(word) ? length : sizeof(word) - 1);
	near = suggest(word, variable_names);
	if (near)
		return complain(why, -EINVAL, "unknown variable ${%s} (did you mean ${%s}?)", word, near);
	return complain(why, -EINVAL,
			"unknown variable ${%s} (known are ${WORKDIR}, ${HOME}, ${TMPDIR} and ${XDG_RUNTIME_DIR})",
			word);
}

/* A `*` that comes out of a variable would be taken as a pattern and match more than the directory meant. */
static int check_star(const char *value, const char *name, size_t length, struct complaint *why)
{
	if (strchr(value, '*'))
		return complain(why, -EINVAL, "%.*s is \"%s\", and a rule cannot name a path with a * in its name",
				(int)length, name, value);
	return 0;
}

static int expand_variables(const struct variables *variables, const char *text, bool path, struct growing *to,
			    struct complaint *why)
{
	while (*text) {
		const char *open = strstr(text, "${"), *close, *value;
		int error = append(to, text, open ? (size_t)(open - text) : strlen(text), why);

		if (error || !open)
			return error;
		close = strchr(open, '}');
		if (!close)
			return complain(why, -EINVAL, "\"${\" without a closing \"}\"");
		error = find_variable(variables, open + 2, (size_t)(close - open - 2), &value, why);
		if (!error && path)
			error = check_star(value, open, (size_t)(close + 1 - open), why);
		if (!error)
			error = append(to, value, strlen(value), why);
		if (error)
			return error;
		text = close + 1;
	}
	return 0;
}

/* What "~" at the start of `text` stands for. */
static int find_home(const struct variables *variables, const char *text, const char **home, struct complaint *why)
{
	if (text[1] && text[1] != '/')
		return complain(
			why, -EINVAL,
			"\"~\" stands for your own home directory only (write another user's as an absolute path)");
	if (!variables->home)
		return complain(why, -ENOENT,
				"\"~\" has no meaning, as HOME is not set (set HOME, or write the path in full)");
	return find_variable(variables, "HOME", 4, home, why);
}

/* What stands before the rest of the path: home for ~, the working directory for a relative one. *rest: what then
 * follows. */
static int expand_start(const struct variables *variables, const char *text, bool relative, struct growing *to,
			const char **rest, struct complaint *why)
{
	const char *start = NULL;
	int error = 0;

	*rest = text;
	if (*text == '~') {
		error = find_home(variables, text, &start, why);
		*rest = text + 1;
	} else if (*text != '/' && strncmp(text, "${", 2) != 0) {
		if (!relative && *text == '$')
			return complain(why, -EINVAL, "not an absolute path (a variable is written ${NAME})");
		if (!relative)
			return complain(why, -EINVAL, "not an absolute path (begin it with /, ~/ or ${WORKDIR}/)");
		start = variables->workdir;
	}
	if (!error && start)
		error = check_star(start, *text == '~' ? "~" : "${WORKDIR}", *text == '~' ? 1 : 10, why);
	if (!error && start)
		error = append(to, start, strlen(start), why);
	if (!error && start)
		error = append(to, "/", 1, why);
	return error;
}

static int finish(int error, struct growing *to, struct arena *arena, const char **out)
{
	if (!error) {
		*out = arena_copy(arena, to->bytes, to->length);
		if (!*out)
			error = -ENOMEM;
	}
	free(to->bytes);
	return error;
}

int expand_path(const struct variables *variables, const char *text, bool relative, struct arena *arena,
		const char **out, struct complaint *why)
{
	struct growing to = {.bytes = malloc(EXPAND_MAX)};
	const char *rest = text;
	int error;

	if (!to.bytes)
		return -ENOMEM;
	if (!*text)
		error = complain(why, -EINVAL, "an empty path (name a file or directory)");
	else
		error = expand_start(variables, text, relative, &to, &rest, why);
	if (!error)
		error = expand_variables(variables, rest, true, &to, why);
	if (!error && to.bytes[0] != '/')
		error = complain(why, -EINVAL, "not an absolute path (begin it with /, ~/ or ${WORKDIR}/)");
	return finish(error, &to, arena, out);
}

int expand_file(const struct variables *variables, const char *text, struct arena *arena, const char **out,
		struct complaint *why)
{
	struct growing to = {0};
	const char *home = NULL;
	int error = 0;

	*out = text;
	if (*text != '~' && !strstr(text, "${"))
		return 0;
	if (*text == '~')
		error = find_home(variables, text, &home, why);
	to.bytes = malloc(EXPAND_MAX);
	if (!to.bytes)
		return -ENOMEM;
	if (!error && home)
		error = append(&to, home, strlen(home), why);
	if (!error)
		error = expand_variables(variables, text + (home ? 1 : 0), false, &to, why);
	return finish(error, &to, arena, out);
}

int expand_value(const struct variables *variables, const char *text, struct arena *arena, const char **out,
		 struct complaint *why)
{
	struct growing to = {.bytes = malloc(EXPAND_MAX)};

	if (!to.bytes)
		return -ENOMEM;
	return finish(expand_variables(variables, text, false, &to, why), &to, arena, out);
}
