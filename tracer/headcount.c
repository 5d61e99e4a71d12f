/* SPDX-License-Identifier: MIT */
/*
 * headcount.c - see headcount.h.
 *
 * Counting means looking at every process of the machine, so an upper bound is kept: what was counted last, and one
 * for each task that was let be made since. Only when that reaches the limit is it counted again. What was let proceed
 * into fork or clone may not have come to its end by then: it counts as made until it can be seen to be elsewhere
 * (in another call, gone, or running for some time in its own code). The one that asks waits some moments for that before it
 * is refused.
 */
#include "headcount.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "lineage.h"

enum {
	TEXT_SIZE = 1024,
	EXITING = 0x4,	     /* PF_EXITING among the flags of /proc/PID/stat, proc(5) */
	TICKS_ELSEWHERE = 2, /* of user time: the kernel's division of time is not exact to one */
	WAITS_MOST = 20,     /* moments, MOMENT_NS each */
	MOMENT_NS = 1000000,
};

static bool read_text(const char *path, char text[TEXT_SIZE])
{
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, TEXT_SIZE - 1);

	text[n > 0 ? n : 0] = 0;
	return n > 0;
}

/* ---- who is still at it ------------------------------------------------- */

/* proc(5), /proc/TID/stat: utime. UINT64_MAX: it is gone. */
static uint64_t user_ticks(pid_t tid)
{
	char path[64], text[TEXT_SIZE];
	unsigned long long ticks;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)tid);
	const char *end = read_text(path, text) ? strrchr(text, ')') : NULL;
	return end && sscanf(end + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu", &ticks) == 1 ? ticks
													: UINT64_MAX;
}

/* Is it surely not in the call any more? */
static bool is_elsewhere(const struct birth *birth)
{
	char path[64], text[TEXT_SIZE];
	long number;

	snprintf(path, sizeof path, "/proc/%d/syscall", (int)birth->tid);
	if (!read_text(path, text))
		return access("/proc/self/syscall", F_OK) == 0 && user_ticks(birth->tid) == UINT64_MAX;
	if (sscanf(text, "%ld", &number) == 1) /* it waits in a call, or in none (-1) */
		return number != SYS_clone && number != SYS_fork && number != SYS_vfork;
	uint64_t ticks = user_ticks(birth->tid);
	return ticks == UINT64_MAX || ticks >= birth->user_ticks + TICKS_ELSEWHERE;
}

/* Forget those. */
static void settle(struct headcount *count)
{
	uint64_t kept = 0;

	for (uint64_t i = 0; i < count->birth_count; i++)
		if (!is_elsewhere(&count->births[i]))
			count->births[kept++] = count->births[i];
	count->birth_count = kept;
}

static bool remember(struct headcount *count, pid_t tid)
{
	if (count->birth_count == count->room) {
		uint64_t room = 2 * count->room + 16;
		struct birth *larger = realloc(count->births, room * sizeof *larger);
		if (!larger)
			return false;
		count->births = larger;
		count->room = room;
	}
	count->births[count->birth_count++] = (struct birth){tid, user_ticks(tid)};
	return true;
}

/* Whoever makes a call has made, or not, what it was let make before. */
static void forget(struct headcount *count, pid_t tid)
{
	for (uint64_t i = 0; i < count->birth_count; i++)
		if (count->births[i].tid == tid)
			count->births[i--] = count->births[--count->birth_count];
}

/* ---- counting ----------------------------------------------------------- */

/* A thread that has begun to end is not counted: pthread_join returns before it is gone. */
static bool is_exiting(pid_t process, const char *thread)
{
	char path[320], text[TEXT_SIZE];
	unsigned long flags;

	snprintf(path, sizeof path, "/proc/%d/task/%s/stat", (int)process, thread);
	const char *end = read_text(path, text) ? strrchr(text, ')') : NULL;
	return !end || (sscanf(end + 1, " %*c %*d %*d %*d %*d %*d %lu", &flags) == 1 && (flags & EXITING));
}

static uint64_t threads_of(pid_t process)
{
	char path[64];
	uint64_t count = 0;

	snprintf(path, sizeof path, "/proc/%d/task", (int)process);
	cleanup_dir DIR *threads = opendir(path);
	const struct dirent *thread;
	while (threads && (thread = readdir(threads)) != NULL)
		count += thread->d_name[0] != '.' &&
			 (atoi(thread->d_name) == process || !is_exiting(process, thread->d_name));
	return threads ? count : 0;
}

/* UINT64_MAX: cannot be told. */
static uint64_t tasks_below(pid_t top)
{
	cleanup_free pid_t *list = NULL;
	size_t processes;
	uint64_t count = 0;

	if (lineage_list(top, &list, &processes) < 0)
		return UINT64_MAX;
	for (size_t i = 0; i < processes; i++)
		count += threads_of(list[i]);
	return count;
}

/* Those that were let be made before this, and are not there yet, will be. */
static void recount(struct headcount *count, pid_t top)
{
	settle(count);
	uint64_t tasks = tasks_below(top);
	count->at_most = tasks == UINT64_MAX ? tasks : tasks + count->birth_count;
}

bool headcount_one_more(struct headcount *count, pid_t tid, pid_t top, uint64_t most, void (*may_wait)(void))
{
	static const struct timespec moment = {.tv_nsec = MOMENT_NS};

	pthread_mutex_lock(&count->lock);
	forget(count, tid);
	if (count->at_most >= most)
		recount(count, top);
	for (int i = 0; i < WAITS_MOST && count->at_most >= most && count->birth_count; i++) {
		may_wait();
		pthread_mutex_unlock(&count->lock);
		nanosleep(&moment, NULL);
		pthread_mutex_lock(&count->lock);
		recount(count, top);
	}
	bool fits = count->at_most < most && remember(count, tid);
	if (fits)
		count->at_most++;
	pthread_mutex_unlock(&count->lock);
	return fits;
}
