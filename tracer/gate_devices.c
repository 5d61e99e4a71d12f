/* SPDX-License-Identifier: MIT */
/*
 * gate_devices.c - see gate.h: no device comes to lie below a root. Through the gate the supervisor does not see what is
 * opened, and root may open them whatever their name.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cleanup.h"
#include "gate.h"

enum {
	DIRECTORY_COST = 8,	       /* a directory costs as much as so many of its entries */
	ANCESTORS_MOST = PATH_MAX / 2, /* a name has no more */
	ENTRIES_MOVED = 1024,	       /* in a tree that is moved */
};

/* Directories that are still to be looked into, by their names from the top of the tree. */
struct pending {
	char **names;
	size_t count, room;
};

static bool put_off(struct pending *pending, const char *above, const char *name)
{
	if (pending->count == pending->room) {
		size_t room = 2 * pending->room + 64;
		char **larger = realloc(pending->names, room * sizeof *larger);
		if (!larger)
			return false;
		pending->names = larger;
		pending->room = room;
	}
	if (asprintf(&pending->names[pending->count], "%s/%s", above, name) < 0)
		return false;
	pending->count++;
	return true;
}

/* A character device beside /dev may be any of those that are refused by their names there. */
static bool is_device(const struct dirent *entry)
{
	return entry->d_type == DT_BLK || entry->d_type == DT_CHR;
}

/* What a directory holds is charged for before anything below it is opened, so that a tree that is too large costs little. */
static bool look_into(struct pending *pending, DIR *directory, const char *name, unsigned *entries, unsigned least)
{
	const struct dirent *entry;

	while ((entry = readdir(directory)) != NULL) {
		bool below = entry->d_type == DT_DIR;
		if (below && (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0))
			continue;
		unsigned cost = below ? DIRECTORY_COST : 1;
		if (is_device(entry) || entry->d_type == DT_UNKNOWN || *entries < least + cost)
			return false;
		*entries -= cost;
		if (below && !put_off(pending, name, entry->d_name))
			return false;
	}
	return true;
}

/* Without a link, and without leaving the mount: what is mounted below a root is not reached through it. */
static int open_below(int top, const char *name)
{
	struct open_how how = {.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
			       .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV};

	return (int)syscall(SYS_openat2, top, name, &how, sizeof how);
}

/* What is gone by now holds nothing; was it moved, then the search does not count (gate_late.c). */
static bool look_below(struct pending *pending, int top, const char *name, unsigned *entries, unsigned least)
{
	int fd = open_below(top, name);
	DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;
	bool none = directory ? look_into(pending, directory, name, entries, least)
			      : fd < 0 && (errno == EXDEV || errno == ENOENT);

	if (directory)
		closedir(directory);
	else if (fd >= 0)
		close(fd);
	return none;
}

bool gate_no_device_below(int top, unsigned *entries, unsigned least, const atomic_bool *stop)
{
	struct pending pending = {0};
	bool none = put_off(&pending, ".", ".");

	while (pending.count > 0) {
		cleanup_free char *name = pending.names[--pending.count];
		none = none && !(stop && *stop) && look_below(&pending, top, name, entries, least);
	}
	free(pending.names);
	return none;
}

/* ---- what is moved ------------------------------------------------------ */

static bool same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* One of the first `count` roots? */
static bool is_root(const struct gate *gate, const struct stat *st, unsigned count)
{
	struct stat root;

	for (unsigned i = 0; i < count; i++)
		if (fstat(gate->roots.list[i].fd, &root) == 0 && same(&root, st))
			return true;
	return false;
}

/* Does it, or a directory that it lies in, serve as a root? Whatever that is called by now. */
static bool lies_in_root(const struct gate *gate, int directory, unsigned count)
{
	struct stat st, last = {0};
	int fd = fcntl(directory, F_DUPFD_CLOEXEC, 0);

	for (int i = 0; i < ANCESTORS_MOST && fd >= 0 && fstat(fd, &st) == 0 && !same(&st, &last); i++) {
		if (is_root(gate, &st, count)) {
			close(fd);
			return true;
		}
		int above = openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
		close(fd);
		fd = above;
		last = st;
	}
	if (fd >= 0)
		close(fd);
	return false;
}

/* Does the name of a single file (gate_files.c) lead through this one? */
static bool leads_to_file(const struct wire_gate *page, const char *name)
{
	size_t length = strlen(name);

	for (uint32_t i = 0; i < page->file_count; i++)
		if (strncmp(page->file[i].name, name, length) == 0 && page->file[i].name[length] == '/')
			return true;
	return false;
}

/*
 * No device comes into a root, late or not, unless it is known that it never opens, nor to the name of a single file. What lies in a
 * root that is open was searched. What lies in late ones that are not may be moved there within them: the search begins anew with each
 * move, or was over, of all of them, before it.
 */
bool gate_admits(const struct gate *gate, int moved, int into, const char *name)
{
	unsigned entries = ENTRIES_MOVED, early = gate->roots.early, all = gate->roots.count;

	if (!gate->page || geteuid() != 0)
		return true;
	uint32_t late = gate->page->late;
	bool anywhere = into < 0 || leads_to_file(gate->page, name);
	if (!anywhere && !lies_in_root(gate, into, late == GATE_LATE_NEVER ? early : all))
		return true;
	bool serves = late != GATE_LATE_OPEN && (anywhere || lies_in_root(gate, into, early));
	return lies_in_root(gate, moved, serves ? early : all) || gate_no_device_below(moved, &entries, 0, NULL);
}
