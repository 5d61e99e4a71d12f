/* SPDX-License-Identifier: MIT */
/*
 * lineage.c - see lineage.h. Between two steps towards the ancestors a
 * process may end, and its child get another parent: then the way is gone again.
 */
#include "lineage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"

enum {
	WAYS_MOST = 8,	     /* how often a way is gone again */
	STEPS_MOST = 100000, /* ancestors; more than there can be processes in a row */
};

/* A file of /proc/PID, NUL-terminated. 0 or -errno. */
static int read_file(pid_t pid, const char *file, char *text, size_t size)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, file);
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ssize_t n = read(fd, text, size - 1);
	text[n > 0 ? n : 0] = 0;
	return n > 0 ? 0 : n < 0 ? -errno : -ESRCH;
}

/* State (proc(5)) and parent of a process or thread, of one moment. The parent; 0 when unknown. */
static pid_t state_and_parent(pid_t pid, char *state)
{
	char text[1024];
	int parent;

	if (read_file(pid, "stat", text, sizeof text) < 0)
		return 0;
	const char *end = strrchr(text, ')'); /* the name before it may hold anything */
	return end && sscanf(end + 1, " %c %d", state, &parent) == 2 ? (pid_t)parent : 0;
}

pid_t lineage_parent(pid_t pid)
{
	char state;

	return state_and_parent(pid, &state);
}

pid_t lineage_ended(pid_t pid)
{
	char state;
	pid_t parent = state_and_parent(pid, &state);

	return parent && state == 'Z' ? parent : 0;
}

pid_t lineage_process(pid_t tid)
{
	char text[1024];

	if (read_file(tid, "status", text, sizeof text) < 0)
		return 0;
	const char *field = strstr(text, "\nTgid:\t"); /* the name in the first line has no newline: it is escaped */
	return field ? (pid_t)strtol(field + sizeof "\nTgid:\t" - 1, NULL, 10) : 0;
}

bool lineage_is_thread(pid_t tid, pid_t process)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/task/%d", (int)process, (int)tid);
	return access(path, F_OK) == 0;
}

bool lineage_below(pid_t pid, pid_t top)
{
	pid_t at = pid;
	int ways = 0;

	if (pid == top)
		return false;
	for (int steps = 0; steps < STEPS_MOST; steps++) {
		pid_t parent = lineage_parent(at);
		if (parent == top)
			return true;
		if (parent == 0 && at != pid && at != 1 && ++ways < WAYS_MOST) {
			at = pid; /* an ancestor ended meanwhile */
			continue;
		}
		if (parent <= 1)
			return false;
		at = parent;
	}
	return false;
}

/* ---- all of them -------------------------------------------------------- */

struct relation {
	pid_t pid, parent;
};

static int by_parent(const void *a, const void *b)
{
	const struct relation *first = a, *second = b;

	return (first->parent > second->parent) - (first->parent < second->parent);
}

static int by_pid(const void *a, const void *b)
{
	const struct relation *first = a, *second = b;

	return (first->pid > second->pid) - (first->pid < second->pid);
}

/* Whose parent has ended since it was asked for has got another one: of the same run, if it had one. */
static void find_new_parents(struct relation *list, size_t count)
{
	if (count)
		qsort(list, count, sizeof *list, by_pid);
	for (size_t i = 0; i < count; i++) {
		struct relation wanted = {.pid = list[i].parent};
		if (list[i].parent && !bsearch(&wanted, list, count, sizeof *list, by_pid))
			list[i].parent = lineage_parent(list[i].pid);
	}
}

/* Everything in /proc, sorted by parent. */
static int read_relations(struct relation **list, size_t *count)
{
	cleanup_dir DIR *proc = opendir("/proc");
	const struct dirent *entry;
	size_t room = 0;

	*list = NULL;
	*count = 0;
	while (proc && (entry = readdir(proc)) != NULL) {
		if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
			continue;
		if (*count == room) {
			struct relation *larger = realloc(*list, (room = 2 * room + 256) * sizeof *larger);
			if (!larger)
				return -ENOMEM;
			*list = larger;
		}
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
		(*list)[(*count)++] = (struct relation){pid, lineage_parent(pid)};
	}
	find_new_parents(*list, *count);
	if (*count)
		qsort(*list, *count, sizeof **list, by_parent);
	return proc ? 0 : -errno;
}

/* The first whose parent that is; `count` when there is none. */
static size_t first_child(const struct relation *list, size_t count, pid_t parent)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (list[middle].parent < parent)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int lineage_list(pid_t top, pid_t **list, size_t *count)
{
	cleanup_free struct relation *all = NULL;
	size_t known, next = 0;
	int r = read_relations(&all, &known);

	*count = 0;
	*list = r == 0 ? malloc((known + 1) * sizeof **list) : NULL;
	if (!*list)
		return r < 0 ? r : -ENOMEM;
	/* each is put in once at most: it has one parent */
	for (pid_t parent = top;; parent = (*list)[next++]) {
		for (size_t i = first_child(all, known, parent); i < known && all[i].parent == parent; i++)
			(*list)[(*count)++] = all[i].pid;
		if (next == *count)
			return 0;
	}
}
