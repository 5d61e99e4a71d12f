/* SPDX-License-Identifier: MIT */
/* cgroup.c - see cgroup.h; the files: Documentation/admin-guide/cgroup-v2.rst. */
#include "cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "mounts.h"

enum {
	MEMORY_PART_MORE =
		8, /* memory.max is so much more than the limit: it counts what the kernel keeps for the run, too */
	REMOVE_TRIES = 50,
	NUMBER_SIZE = 32,
};

struct cgroup {
	int parent;    /* descriptor of the directory that it is in */
	int directory; /* and of itself; or -1 */
	char name[NUMBER_SIZE];
};

static int write_file(int directory, const char *name, const char *text)
{
	int fd = openat(directory, name, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	ssize_t n = write(fd, text, strlen(text));
	int error = errno;
	close(fd);
	return n < 0 ? -error : 0;
}

static int write_number(int directory, const char *name, uint64_t number)
{
	char text[NUMBER_SIZE];

	snprintf(text, sizeof text, "%llu", (unsigned long long)number);
	return write_file(directory, name, text);
}

/* Set what can be. Was it anything? */
static bool set_limits(const struct cgroup *cgroup, const struct policy_limits *limits)
{
	uint64_t memory = limits->memory_bytes;
	bool set = false;

	if (memory && write_number(cgroup->directory, "memory.max", memory + memory / MEMORY_PART_MORE) == 0) {
		write_file(cgroup->directory, "memory.oom.group", "1"); /* the run as a whole */
		set = true;
	}
	if (limits->cpu_weight && write_number(cgroup->directory, "cpu.weight", limits->cpu_weight) == 0)
		set = true;
	return set;
}

/* Who had our process number before us and was killed could not remove the group, which counts what happened in it. */
static int make_empty(int parent, const char *name)
{
	unlinkat(parent, name, AT_REMOVEDIR);
	return mkdirat(parent, name, 0755);
}

struct cgroup *cgroup_make_in(const char *directory, const struct policy_limits *limits)
{
	struct cgroup *cgroup = calloc(1, sizeof *cgroup);

	if (!cgroup)
		return NULL;
	cgroup->directory = -1;
	snprintf(cgroup->name, sizeof cgroup->name, "picket-%d", (int)getpid());
	cgroup->parent = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (cgroup->parent >= 0 && make_empty(cgroup->parent, cgroup->name) == 0)
		cgroup->directory = openat(cgroup->parent, cgroup->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (cgroup->directory >= 0 && set_limits(cgroup, limits))
		return cgroup;
	cgroup_remove(cgroup);
	return NULL;
}

/* Our own group, below the root of the hierarchy: "/user.slice/x". */
static bool own_group(char path[PATH_MAX])
{
	char line[PATH_MAX + 8];
	FILE *file = fopen("/proc/self/cgroup", "re");
	bool found = false;

	while (file && !found && fgets(line, sizeof line, file)) {
		line[strcspn(line, "\n")] = 0;
		found = strncmp(line, "0::/", 4) == 0;
		if (found)
			snprintf(path, PATH_MAX, "%.*s", PATH_MAX - 1, line + 3);
	}
	if (file)
		fclose(file);
	return found;
}

/* Where the hierarchy is mounted as a whole. NULL: nowhere. */
static const char *mount_point(void)
{
	const struct mount *mounts;
	size_t count = mounts_all(&mounts);

	for (size_t i = 0; i < count; i++)
		if (strcmp(mounts[i].type, "cgroup2") == 0 && strcmp(mounts[i].root, "/") == 0)
			return mounts[i].point;
	return NULL;
}

struct cgroup *cgroup_make(const struct policy_limits *limits)
{
	char group[PATH_MAX], directory[2 * PATH_MAX];
	bool wanted = limits->memory_bytes || limits->cpu_weight;
	const char *mount = wanted && own_group(group) ? mount_point() : NULL;

	if (!mount)
		return NULL;
	int length = snprintf(directory, sizeof directory, "%s%s", mount, strcmp(group, "/") == 0 ? "" : group);
	char *last = strrchr(directory, '/');
	struct cgroup *cgroup = NULL;
	if ((size_t)length > strlen(mount) && last) {
		*last = 0;
		cgroup = cgroup_make_in(directory, limits);
		*last = '/';
	}
	return cgroup ? cgroup : cgroup_make_in(directory, limits);
}

int cgroup_add(const struct cgroup *cgroup, pid_t process)
{
	return write_number(cgroup->directory, "cgroup.procs", (uint64_t)process);
}

/* Is the number that one of its files has after this word more than 0? */
static bool counted(const struct cgroup *cgroup, const char *file, const char *word)
{
	char text[512];
	cleanup_fd int fd = cgroup ? openat(cgroup->directory, file, O_RDONLY | O_CLOEXEC) : -1;
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);

	text[n > 0 ? n : 0] = 0;
	const char *at = strstr(text, word);
	return at && strtoull(at + strlen(word), NULL, 10) > 0;
}

bool cgroup_used(const struct cgroup *cgroup)
{
	return counted(cgroup, "cpu.stat", "usage_usec ");
}

bool cgroup_ran_out(const struct cgroup *cgroup)
{
	return counted(cgroup, "memory.events", "oom_kill ");
}

void cgroup_remove(struct cgroup *cgroup)
{
	static const struct timespec moment = {.tv_nsec = 1000000};

	if (!cgroup)
		return;
	if (cgroup->directory >= 0) {
		write_file(cgroup->directory, "cgroup.kill", "1");
		close(cgroup->directory);
	}
	/* what was just killed is still in it for a moment */
	for (int i = 0; cgroup->parent >= 0 && i < REMOVE_TRIES; i++) {
		if (unlinkat(cgroup->parent, cgroup->name, AT_REMOVEDIR) == 0 || errno != EBUSY)
			break;
		nanosleep(&moment, NULL);
	}
	if (cgroup->parent >= 0)
		close(cgroup->parent);
	free(cgroup);
}
