/* SPDX-License-Identifier: MIT */
/* pattern.c - see pattern.h. */
#include "pattern.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "path.h"

enum {
	PATTERN_MAX = PATH_MAX - 1, /* bytes: no path is longer */
	LINKS_MAX = 40,		    /* as the kernel */
};

bool pattern_is_glob(const char *pattern)
{
	return strchr(pattern, '*') != NULL;
}

/* What is left to walk, and where the walk stands. */
struct walk {
	char left[3 * PATH_MAX];
	char resolved[2 * PATH_MAX]; /* without a slash at the end; empty: the root */
	char written[2 * PATH_MAX];
	size_t resolved_length, written_length;
	unsigned links;
	size_t own; /* bytes at the end of `left` that are as written; those before them came out of a link */
	bool glob;  /* a component with a `*` was passed */
	struct pattern_memory *memory; /* or NULL */
};

static int too_long(struct complaint *why)
{
	return complain(why, -EINVAL, "longer than %d bytes, so that no path matches it", PATTERN_MAX);
}

static int push(char *path, size_t *length, const char *name, size_t name_length, struct complaint *why)
{
	if (*length + 1 + name_length > PATTERN_MAX)
		return too_long(why);
	path[(*length)++] = '/';
	memcpy(path + *length, name, name_length);
	*length += name_length;
	path[*length] = 0;
	return 0;
}

/* Is `path` `directory` or below it? */
static bool is_within(const char *path, const char *directory)
{
	size_t length = strlen(directory);

	return length && !strncmp(path, directory, length) && (!path[length] || path[length] == '/');
}

/* At and below these names every process finds something else. */
static bool is_own_process(const char *path)
{
	return is_within(path, "/proc/self") || is_within(path, "/proc/thread-self");
}

/* The target of what was walked to: its length, or 0 when it is no link. */
static size_t read_link(struct walk *walk, char target[PATH_MAX])
{
	struct pattern_memory *memory = walk->memory;
	ssize_t length;

	if (memory && (is_within(memory->plain, walk->resolved) || is_within(walk->resolved, memory->missing)))
		return 0;
	length = readlink(walk->resolved, target, PATH_MAX - 1);
	if (length > 0)
		return (size_t)length;
	if (memory && errno == EINVAL)
		memcpy(memory->plain, walk->resolved, walk->resolved_length + 1);
	else if (memory && errno == ENOENT)
		memcpy(memory->missing, walk->resolved, walk->resolved_length + 1);
	return 0;
}

/* Go one component up: lexically right, since what was walked has no links in it. */
static int step_up(struct walk *walk, struct complaint *why)
{
	char *slash;

	if (walk->glob)
		return complain(why, -EINVAL, "\"..\" after a \"*\" (write the pattern without it)");
	slash = strrchr(walk->resolved, '/');
	if (slash)
		*slash = 0;
	walk->resolved_length = strlen(walk->resolved);
	return 0;
}

/* If what was walked to is a link, put its target before what is left. */
static int follow(struct walk *walk, const char *rest, size_t parent_length, struct complaint *why)
{
	char target[PATH_MAX];
	size_t length = read_link(walk, target), rest_length = strlen(rest);

	if (!length) {
		memmove(walk->left, rest, rest_length + 1);
		return 0;
	}
	target[length] = 0;
	if (++walk->links > LINKS_MAX)
		return complain(why, -EINVAL, "too many symbolic links at \"%s\"", walk->resolved);
	if (memchr(target, '*', length))
		return complain(
			why, -EINVAL,
			"the symbolic link \"%s\" leads to \"%s\": a rule cannot name a path with a * in its name",
			walk->resolved, target);
	if (length + rest_length + 2 > sizeof(walk->left))
		return too_long(why);
	memmove(walk->left + length + 1, rest, rest_length + 1);
	walk->left[length] = '/';
	memcpy(walk->left, target, length);
	walk->resolved_length = *target == '/' ? 0 : parent_length;
	walk->resolved[walk->resolved_length] = 0;
	return 0;
}

static int check_component(const char *name, size_t length, struct complaint *why)
{
	if (path_component_kind(name, length) >= 0)
		return 0;
	return complain(why, -EINVAL,
			"\"**\" stands only for whole components: \"%.*s\" is none (write /**/ or a single *)",
			(int)length, name);
}

/* Take the next component off `left`. `own`: it was written so, and did not come out of a link. */
static int step(struct walk *walk, const char *name, size_t length, bool own, struct complaint *why)
{
	const char *rest = name + length;
	size_t parent_length = walk->resolved_length;
	bool star = memchr(name, '*', length) != NULL;
	int error;

	if (length == 2 && !memcmp(name, "..", 2)) {
		error = step_up(walk, why);
		if (own) { /* from here on the written name is where the links lead */
			memcpy(walk->written, walk->resolved, walk->resolved_length + 1);
			walk->written_length = walk->resolved_length;
		}
		memmove(walk->left, rest, strlen(rest) + 1);
		return error;
	}
	error = star ? check_component(name, length, why) : 0;
	if (!error && own)
		error = push(walk->written, &walk->written_length, name, length, why);
	if (!error)
		error = push(walk->resolved, &walk->resolved_length, name, length, why);
	walk->glob |= star;
	if (!error && !walk->glob && !is_own_process(walk->resolved))
		return follow(walk, rest, parent_length, why);
	memmove(walk->left, rest, strlen(rest) + 1);
	return error;
}

static int walk_all(struct walk *walk, struct complaint *why)
{
	int error = 0;

	while (!error) {
		const char *name = walk->left + strspn(walk->left, "/");
		size_t length = strcspn(name, "/"), left = strlen(name);
		bool own = left <= walk->own;

		if (!length)
			return 0;
		if (own)
			walk->own = left - length;
		if (length == 1 && *name == '.')
			memmove(walk->left, name + 1, strlen(name));
		else
			error = step(walk, name, length, own, why);
	}
	return error;
}

int pattern_resolve(const char *path, struct pattern_memory *memory, struct arena *arena, struct pattern_names *names,
		    struct complaint *why)
{
	struct walk *walk;
	int error;

	if (strlen(path) > 2 * PATTERN_MAX)
		return too_long(why);
	walk = malloc(sizeof(*walk)); /* large: only what is used of it is written */
	if (!walk)
		return -ENOMEM;
	/* NOLINTNEXTLINE(clang-analyzer-security.insecureAPI.strcpy): its room was reckoned before */
	strcpy(walk->left, path);
	walk->own = strlen(path);
	walk->resolved[0] = walk->written[0] = 0;
	walk->resolved_length = walk->written_length = 0;
	walk->links = 0;
	walk->glob = false;
	walk->memory = memory;
	error = walk_all(walk, why);
	if (!error) {
		names->resolved = arena_text(arena, walk->resolved_length ? walk->resolved : "/");
		names->written = NULL;
		if (strcmp(walk->written, walk->resolved) != 0)
			names->written = arena_text(arena, walk->written_length ? walk->written : "/");
		if (!names->resolved || (strcmp(walk->written, walk->resolved) != 0 && !names->written))
			error = -ENOMEM;
	}
	free(walk);
	return error;
}

/* The component at *at, which is moved past it; length 0: none left. */
static const char *take(const char **at, size_t *length)
{
	const char *name = *at + strspn(*at, "/");

	*length = strcspn(name, "/");
	*at = name + *length;
	return name;
}

static bool component_covers(const char *outer, size_t outer_length, const char *inner, size_t inner_length)
{
	if (outer_length == inner_length && !memcmp(outer, inner, outer_length))
		return true;
	if (inner_length == 2 && !memcmp(inner, "**", 2))
		return false; /* any number of components */
	if (outer_length == 1 && *outer == '*')
		return true;
	return !memchr(inner, '*', inner_length) && path_matches(outer, outer_length, inner, inner_length);
}

bool pattern_covers(const char *outer, const char *inner)
{
	const char *again_outer = NULL, *again_inner = NULL; /* behind the last "**", and what it has not yet taken */

	for (;;) {
		size_t outer_length, inner_length;
		const char *outer_name = take(&outer, &outer_length), *inner_name;

		if (!outer_length)
			return true; /* everything below the end of a pattern is spoken of */
		if (outer_length == 2 && !memcmp(outer_name, "**", 2)) {
			again_outer = outer;
			again_inner = inner;
			continue;
		}
		inner_name = take(&inner, &inner_length);
		if (inner_length && component_covers(outer_name, outer_length, inner_name, inner_length))
			continue;
		if (!inner_length || !again_outer)
			return false;
		take(&again_inner, &inner_length); /* the "**" takes one component more */
		if (!inner_length)
			return false;
		outer = again_outer;
		inner = again_inner;
	}
}
