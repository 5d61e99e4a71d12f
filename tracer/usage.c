/* SPDX-License-Identifier: MIT */
/*
 * usage.c - see usage.h. The kernel adds what a process has used to what its
 * parent's children have used when it is waited for, and orphans of the run are waited for by the supervisor
 * (getrusage(2), RUSAGE_CHILDREN; proc(5), /proc/PID/io: wait_task_zombie() in kernel/exit.c adds the I/O of children).
 */
#include "usage.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static uint64_t now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint64_t field(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	return at ? strtoull(at + strlen(name), NULL, 10) : 0;
}

/* Bytes that read and write calls of this process, its threads and its waited-for children have moved. */
static void moved(const char *path, uint64_t *read_bytes, uint64_t *written_bytes)
{
	char text[1024];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = 0;
	*read_bytes = field(text, "rchar: ");
	*written_bytes = field(text, "wchar: ");
}

/* What children have moved: all, less what this thread has itself. */
static void children_moved(uint64_t *read_bytes, uint64_t *written_bytes)
{
	uint64_t own_read, own_written;

	moved("/proc/thread-self/io", &own_read, &own_written);
	moved("/proc/self/io", read_bytes, written_bytes);
	*read_bytes -= own_read < *read_bytes ? own_read : *read_bytes;
	*written_bytes -= own_written < *written_bytes ? own_written : *written_bytes;
}

void usage_begin(struct usage *usage, struct run_outcome *outcome)
{
	usage->started_ns = now(CLOCK_MONOTONIC);
	outcome->started_at_ns = now(CLOCK_REALTIME);
	children_moved(&usage->read, &usage->written);
}

static uint64_t since(uint64_t before, uint64_t after)
{
	return after > before ? after - before : 0;
}

void usage_end(const struct usage *usage, struct run_outcome *outcome)
{
	struct rusage children;
	uint64_t read_bytes, written_bytes;

	outcome->duration_ns = now(CLOCK_MONOTONIC) - usage->started_ns;
	if (getrusage(RUSAGE_CHILDREN, &children) == 0) {
		outcome->cpu_time_ns = (uint64_t)(children.ru_utime.tv_sec + children.ru_stime.tv_sec) * 1000000000u +
				       (uint64_t)(children.ru_utime.tv_usec + children.ru_stime.tv_usec) * 1000u;
		outcome->peak_memory_bytes = (uint64_t)children.ru_maxrss * 1024u;	/* of the largest process */
	}
	children_moved(&read_bytes, &written_bytes);
	outcome->bytes_read = since(usage->read, read_bytes);
	outcome->bytes_written = since(usage->written, written_bytes);
}
