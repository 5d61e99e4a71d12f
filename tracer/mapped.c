/* SPDX-License-Identifier: MIT */
/*
 * mapped.c - see mapped.h. Asked of /proc/TID/maps, whose descriptor stays open with the address space: it is asked for with
 * every exec and every connect.
 */
#include "mapped.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "cleanup.h"
#include "wire.h"

enum { KEPT_OPEN_MOST = 512 }; /* descriptors of /proc/TID/maps that are kept open */

/* proc(5), /proc/PID/maps: what the name of a mapped file ends in when it was unlinked. */
static const char DELETED[] = " (deleted)";

/* A new descriptor has the lowest free number: are there enough above it for the work on a call? */
static bool leaves_enough(int fd)
{
	enum { ENOUGH = 32 };
	struct rlimit limit;

	return getrlimit(RLIMIT_NOFILE, &limit) == 0 && (rlim_t)fd + ENOUGH < limit.rlim_cur;
}

/* In *kept, where it may stay, or open anew; then it may stay from now on. */
static int maps_open_in(const struct task *task, int *kept)
{
	char path[64];

	if (*kept >= 0)
		return *kept;
	snprintf(path, sizeof path, "/proc/%d/maps", (int)task->tid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && !task->all->keeper && task->all->kept_open < KEPT_OPEN_MOST && leaves_enough(fd)) {
		*kept = fd;
		task->all->kept_open++;
	}
	return fd;
}

/* The descriptor may stay in the task's memory. To be let go with maps_close. */
static int maps_open(const struct task *task)
{
	return maps_open_in(task, &task->memory->maps);
}

static void maps_close(const struct task *task, int fd)
{
	if (fd != task->memory->maps)
		close(fd);
}

/* PROCMAP_QUERY (Linux 6.11, linux/fs.h), for headers that lack it. */
struct procmap_question {
	uint64_t size, query_flags, query_addr;
	uint64_t vma_start, vma_end, vma_flags, vma_page_size, vma_offset, inode;
	uint32_t dev_major, dev_minor, vma_name_size, build_id_size;
	uint64_t vma_name_addr, build_id_addr;
};
#define PROCMAP_ASK _IOWR('f', 17, struct procmap_question)
#define PROCMAP_WRITABLE UINT64_C(2)
#define PROCMAP_EXECUTABLE UINT64_C(4)
#define PROCMAP_SHARED UINT64_C(8)
#define PROCMAP_OR_NEXT UINT64_C(0x10)
#define PROCMAP_FILE UINT64_C(0x20)

/* The lowest address that proc(5)'s list of what is mapped begins with; 0: it could not be read. */
static uint64_t first_of_list(int fd)
{
	char line[32] = "";

	return read(fd, line, sizeof line - 1) > 0 ? strtoull(line, NULL, 16) : 0;
}

bool mapped_nothing_below(pid_t tid, uint64_t address)
{
	struct procmap_question question = {.size = sizeof question, .query_flags = PROCMAP_OR_NEXT};
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/maps", (int)tid);
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	if (ioctl(fd, PROCMAP_ASK, &question) == 0)
		return question.vma_start >= address;
	return errno == ENOTTY && first_of_list(fd) >= address;
}

bool mapped_is(pid_t tid, uint64_t address, dev_t dev, ino_t ino)
{
	struct procmap_question question = {.size = sizeof question, .query_addr = address};
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/maps", (int)tid);
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd >= 0 && ioctl(fd, PROCMAP_ASK, &question) == 0 && question.inode == ino &&
	       makedev(question.dev_major, question.dev_minor) == dev;
}

/* Is the next code from this address on of that file? Then *address is where it ends. */
static bool next_code_is(int fd, uint64_t *address, dev_t dev, ino_t ino)
{
	struct procmap_question question = {.size = sizeof question,
					    .query_flags = PROCMAP_EXECUTABLE | PROCMAP_FILE | PROCMAP_OR_NEXT,
					    .query_addr = *address};

	if (ioctl(fd, PROCMAP_ASK, &question) < 0)
		return false;
	*address = question.vma_end;
	return question.inode == ino && makedev(question.dev_major, question.dev_minor) == dev;
}

bool mapped_runs(struct task *task, const struct program *program)
{
	uint64_t address = RESERVED_END;
	int fd = maps_open_in(task, &task->next_maps);

	if (fd < 0)
		return false;
	bool is_it = next_code_is(fd, &address, program->dev, program->ino) &&
		     next_code_is(fd, &address, program->loader_dev, program->loader_ino);
	if (fd != task->next_maps)
		close(fd);
	return is_it;
}

/* proc(5), /proc/PID/maps: names of memory that only its owner writes to; not those of the kernel, such as [vvar]. */
static bool is_anonymous_name(const char *name)
{
	return name[0] == 0 || strcmp(name, "[heap]") == 0 || strcmp(name, "[stack]") == 0 ||
	       strncmp(name, "[anon:", 6) == 0;
}

int mapped_file(const struct task *task, uint64_t address, size_t length, struct mapped *file)
{
	struct procmap_question question = {.size = sizeof question,
					    .query_addr = address,
					    .vma_name_size = sizeof file->name,
					    .vma_name_addr = (uintptr_t)file->name};
	const char *name = file->name;
	int fd = maps_open(task);

	if (fd < 0)
		return -errno;
	int r = ioctl(fd, PROCMAP_ASK, &question) < 0 ? -errno : 0;
	maps_close(task, fd);
	if (r < 0)
		return r;
	if ((question.vma_flags & PROCMAP_SHARED) || question.vma_end - address < length)
		return -ENOENT;
	if (question.vma_name_size == 0)
		file->name[0] = 0;
	file->dev = makedev(question.dev_major, question.dev_minor);
	file->ino = question.inode;
	if (question.inode == 0 && is_anonymous_name(name))
		return -ENXIO;
	if (name[0] != '/')
		return -ENOENT;
	/* a memfd, or a file without a name any more: what no rule names can still be written through descriptors */
	size_t n = strnlen(name, sizeof file->name), mark = sizeof DELETED - 1;
	return n >= mark && memcmp(name + n - mark, DELETED, mark) == 0 ? -ENOENT : 0;
}

/* The line of proc(5)'s list that speaks of this address. */
static int code_of_list(pid_t tid, uint64_t address, struct mapped_code *code)
{
	char path[64], permissions[sizeof "r-xp"], *line = NULL;
	size_t size = 0;
	uint64_t inode = 0;
	int r = -ENOENT;

	snprintf(path, sizeof path, "/proc/%d/maps", (int)tid);
	FILE *list = fopen(path, "re");
	if (!list)
		return -errno;
	while (r != 0 && getline(&line, &size, list) > 0)
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %*x:%*x %" SCNu64, &code->start, &code->end,
			   permissions, &code->offset, &inode) == 5 &&
		    address >= code->start && address < code->end)
			r = 0;
	free(line);
	fclose(list);
	return r == 0 && inode != 0 && strcmp(permissions + 1, "-xp") == 0 ? 0 : -ENOENT;
}

int mapped_code(const struct task *task, uint64_t address, struct mapped_code *code)
{
	struct procmap_question question = {.size = sizeof question, .query_addr = address};
	const uint64_t kind = PROCMAP_WRITABLE | PROCMAP_EXECUTABLE | PROCMAP_SHARED;
	int fd = maps_open(task);

	if (fd < 0)
		return -errno;
	int r = ioctl(fd, PROCMAP_ASK, &question) < 0 ? -errno : 0;
	maps_close(task, fd);
	if (r == -ENOTTY)
		return code_of_list(task->tid, address, code);
	if (r < 0)
		return r;
	*code = (struct mapped_code){question.vma_start, question.vma_end, question.vma_offset};
	return question.inode != 0 && (question.vma_flags & kind) == PROCMAP_EXECUTABLE ? 0 : -ENOENT;
}
