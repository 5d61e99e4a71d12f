/* SPDX-License-Identifier: MIT */
/* mounts.c - see mounts.h. A list with a gap would make something look mounted once: there is none then. */
#include "mounts.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

static struct {
	struct mount *list;
	size_t count, room;
} all;
static pthread_once_t looked = PTHREAD_ONCE_INIT;

/* "\040" for a blank */
static void unescape(char *path)
{
	char *to = path;
	unsigned byte;

	for (const char *from = path; *from; to++) {
		if (*from == '\\' && sscanf(from + 1, "%3o", &byte) == 1) {
			*to = (char)byte;
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = 0;
}

static bool has_word(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (; list; list = strchr(list, ',') ? strchr(list, ',') + 1 : NULL)
		if (strncmp(list, word, n) == 0 && (list[n] == ',' || list[n] == 0))
			return true;
	return false;
}

/* "36 35 0:25 / /dev/shm rw,nosuid shared:1 - tmpfs tmpfs rw,size=1024k" */
bool mounts_parse(char *line, struct mount *mount)
{
	char *fields[6], *rest = strstr(line, " - ");
	unsigned major, minor;

	if (!rest)
		return false;
	*rest = 0;
	rest += strlen(" - ");
	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
		if ((fields[i] = strsep(&line, " ")) == NULL)
			return false;
	if (sscanf(fields[0], "%d", &mount->id) != 1 || sscanf(fields[2], "%u:%u", &major, &minor) != 2)
		return false;
	mount->device = makedev(major, minor);
	mount->root = fields[3];
	mount->point = fields[4];
	unescape(mount->root);
	unescape(mount->point);
	mount->writable = has_word(fields[5], "rw");
	mount->no_devices = has_word(fields[5], "nodev");
	mount->type = strsep(&rest, " \n");
	return mount->type[0] != 0;
}

/* The line is kept, as what it is about is in it. */
static bool add(char *line)
{
	if (all.count == all.room) {
		size_t room = 2 * all.room + 64;
		struct mount *larger = realloc(all.list, room * sizeof *larger);
		if (!larger)
			return false;
		all.list = larger;
		all.room = room;
	}
	char *kept = strdup(line);
	if (!kept || !mounts_parse(kept, &all.list[all.count])) {
		free(kept);
		return false;
	}
	all.count++;
	return true;
}

static void look(void)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	char *line = NULL;
	size_t size = 0;
	bool whole = file != NULL;

	while (whole && getline(&line, &size, file) > 0)
		whole = add(line);
	whole = whole && !ferror(file);
	free(line);
	if (file)
		fclose(file);
	if (!whole)
		all.count = 0;
}

size_t mounts_all(const struct mount **list)
{
	pthread_once(&looked, look);
	*list = all.count ? all.list : NULL;
	return all.count;
}
