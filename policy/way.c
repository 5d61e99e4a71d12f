/* SPDX-License-Identifier: MIT */
/* way.c - see way.h. */
#include "way.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"

enum { LINKS_MAX = 40 }; /* as the kernel */

/* What is left to walk, and what was passed. */
struct way {
	char left[2 * PATH_MAX];
	char at[PATH_MAX]; /* without a slash at the end and without links in it; empty: the root */
	size_t length;	   /* of `at` */
	const char *names[1 + LINKS_MAX + 1];
	size_t links; /* that names has */
	unsigned followed;
	struct arena *arena;
};

/* `at` as a pattern: stars that stand together are one, as "**" would be something else. */
static const char *as_pattern(const struct way *way)
{
	char *pattern = arena_text(way->arena, way->at), *to = pattern;

	for (const char *from = pattern; from && *from; from++)
		if (*from != '*' || to == pattern || to[-1] != '*')
			*to++ = *from;
	if (to)
		*to = 0;
	return pattern;
}

static int push(struct way *way, const char *name, size_t length, struct complaint *why)
{
	if (length > NAME_MAX || way->length + 1 + length >= sizeof(way->at))
		return complain(why, -EINVAL, "%s", strerrordesc_np(ENAMETOOLONG));
	way->at[way->length++] = '/';
	memcpy(way->at + way->length, name, length);
	way->length += length;
	way->at[way->length] = 0;
	return 0;
}

static void pop(struct way *way)
{
	while (way->length && way->at[--way->length] != '/')
		;
	way->at[way->length] = 0;
}

/* Of the links of processes, which nobody can change, only where they lead matters. */
static int note_link(struct way *way, struct complaint *why)
{
	if (way->followed++ == LINKS_MAX)
		return complain(why, -EINVAL, "%s", strerrordesc_np(ELOOP));
	if (strncmp(way->at, "/proc/", 6) == 0)
		return 0;
	way->names[++way->links] = as_pattern(way);
	return way->names[way->links] ? 0 : -ENOMEM;
}

/* If what was walked to is a link, put its target before `rest`, which is what is left. */
static int follow(struct way *way, const char *rest, struct complaint *why)
{
	char target[PATH_MAX];
	ssize_t length = readlink(way->at, target, sizeof(target) - 1);
	size_t rest_length = strlen(rest);
	int error;

	if (length <= 0) {
		memmove(way->left, rest, rest_length + 1);
		return 0;
	}
	if ((size_t)length + 1 + rest_length >= sizeof(way->left))
		return complain(why, -EINVAL, "%s", strerrordesc_np(ENAMETOOLONG));
	error = note_link(way, why);
	memmove(way->left + length + 1, rest, rest_length + 1);
	memcpy(way->left, target, (size_t)length);
	way->left[length] = '/';
	pop(way);
	if (*target == '/')
		way->at[way->length = 0] = 0;
	return error;
}

/* One component. 1: it was the last, the file's own name. */
static int step(struct way *way, struct complaint *why)
{
	const char *name = way->left + strspn(way->left, "/");
	size_t length = strcspn(name, "/");
	const char *rest = name + length;
	bool last = *rest == 0, dots = length <= 2 && strspn(name, ".") >= length;
	int error = 0;

	if (last && dots) /* nothing, "." or ".." */
		return complain(why, -EINVAL, "%s", strerrordesc_np(EISDIR));
	if (dots) {
		if (length == 2)
			pop(way);
		memmove(way->left, rest, strlen(rest) + 1);
		return 0;
	}
	error = push(way, name, length, why);
	if (error || last)
		return error ? error : 1;
	return follow(way, rest, why);
}

int way_find(const char *path, struct arena *arena, const char *const **names, struct complaint *why)
{
	cleanup_free struct way *way = malloc(sizeof(*way)); /* large: only what is used of it is written */
	const char **kept;
	int r = 0;

	if (!way)
		return -ENOMEM;
	if (strlen(path) >= PATH_MAX)
		/* cppcheck-suppress memleak; freed with its variable */
		return complain(why, -EINVAL, "%s", strerrordesc_np(ENAMETOOLONG));
	/* NOLINTNEXTLINE(clang-analyzer-security.insecureAPI.strcpy): its room was reckoned before */
	strcpy(way->left, path);
	way->at[way->length = 0] = 0;
	way->links = 0;
	way->followed = 0;
	way->arena = arena;
	while (r == 0)
		r = step(way, why);
	if (r < 0)
		return r;
	way->names[0] = as_pattern(way);
	way->names[way->links + 1] = NULL;
	kept = arena_alloc(arena, (way->links + 2) * sizeof(*kept));
	if (!kept || !way->names[0])
		return -ENOMEM;
	memcpy(kept, way->names, (way->links + 2) * sizeof(*kept));
	*names = kept;
	return 0;
}
