/* SPDX-License-Identifier: MIT */
/* links.c - see links.h. */
#include "links.h"

#include <string.h>

enum {
	LINKS_MOST = 40, /* path_resolution(7) */
	NAME_MOST = LINKS_ROOM / 4,
};

/* Where the walk stands: a name without links, "" for the root; and what is left. */
struct walk {
	char *at, *left, *target;
	size_t length;
};

static size_t length_of(const char *text)
{
	size_t length = 0;

	while (text[length])
		length++;
	return length;
}

/* Is `name` there, or below? */
static bool leads_on(const struct walk *walk, const char *name)
{
	size_t i = 0;

	while (i < walk->length && name[i] == walk->at[i])
		i++;
	return i == walk->length && (name[i] == '/' || !name[i]);
}

static bool is_proc(const struct walk *walk)
{
	static const char proc[] = "/proc";

	return walk->length == sizeof(proc) - 1 && memcmp(walk->at, proc, walk->length) == 0;
}

static void go_up(struct walk *walk)
{
	while (walk->length > 0 && walk->at[--walk->length] != '/')
		;
	walk->at[walk->length] = '\0';
}

/* False: there is no room. */
static bool go_down(struct walk *walk, const char *component, size_t length)
{
	if (walk->length + 1 + length >= NAME_MOST)
		return false;
	walk->at[walk->length] = '/';
	memcpy(walk->at + walk->length + 1, component, length);
	walk->length += 1 + length;
	walk->at[walk->length] = '\0';
	return true;
}

/* The link just met, its text of `length` bytes in `target`, is replaced by that text: behind it `rest`. */
static bool replace(struct walk *walk, size_t length, const char *rest)
{
	size_t rest_length = length_of(rest);

	if (length + 1 + rest_length >= 2 * NAME_MOST)
		return false;
	memmove(walk->left + length + 1, rest, rest_length + 1);
	memcpy(walk->left, walk->target, length);
	walk->left[length] = '/';
	if (walk->target[0] == '/')
		walk->length = 0;
	else
		go_up(walk);
	return true;
}

static bool begin(struct walk *walk, char *room, const char *from, const char *path)
{
	size_t from_length = path[0] == '/' ? 0 : length_of(from), length = length_of(path);

	*walk = (struct walk){
		.at = room, .left = room + NAME_MOST, .target = room + 3 * NAME_MOST, .length = from_length};
	if (from_length >= NAME_MOST || length >= NAME_MOST)
		return false;
	if (from_length == 1)
		walk->length = 0;
	memcpy(walk->at, from, walk->length);
	walk->at[walk->length] = '\0';
	memcpy(walk->left, path, length + 1);
	return true;
}

bool links_of(const struct links *links, char *room, const char *from, const char *path, const char *name)
{
	struct walk walk;
	unsigned met = 0;

	if (!begin(&walk, room, from, path))
		return true;
	for (const char *next = walk.left; *next && !is_proc(&walk);) {
		size_t length = 0;
		long size;

		while (next[length] && next[length] != '/')
			length++;
		if (length == 2 && next[0] == '.' && next[1] == '.') {
			go_up(&walk);
		} else if (length > 1 || (length == 1 && next[0] != '.')) {
			if (!go_down(&walk, next, length))
				return true;
			size = leads_on(&walk, name) ? -1
						     : links->read(links->context, walk.at, walk.target, NAME_MOST);
			if (size > 0 && !links->met(links->context, walk.at, walk.length))
				return false;
			if (size > 0 && (++met > LINKS_MOST || !replace(&walk, (size_t)size, next + length)))
				return true;
			if (size > 0) {
				next = walk.left;
				continue;
			}
		}
		next += length + (next[length] == '/');
	}
	return true;
}
