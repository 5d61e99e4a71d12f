/* SPDX-License-Identifier: MIT */
/*
 * roll.c - see roll.h.
 *
 * When a process has ended and was waited for, what it used is in its parent's account (proc(5), cutime and cstime), or
 * in that of the keeper, to which orphans go. Those accounts are told in ticks of 10 ms, rounded down; what was seen of the
 * process itself is exact but somewhat old. The sum over all accounts gives a range, and the sum of what was seen has to
 * be in it: below the range some of its use had not been seen yet; above it somebody is in nobody's account
 * (its parent ignores SIGCHLD, or has set SA_NOCLDWAIT), and that is remembered.
 *
 * Ancestors are read before their descendants. So a process that ends meanwhile is in no account that was read, and nothing
 * counts twice.
 */
#include "roll.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cleanup.h"
#include "lineage.h"

enum {
	TEXT_SIZE = 4096,
	MISSED_MOST = 3, /* a list of children may lack one that is there, when another ends meanwhile: proc(5) */
};

static ssize_t read_text(const char *path, char text[TEXT_SIZE])
{
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, TEXT_SIZE - 1);

	text[n > 0 ? n : 0] = 0;
	if (n > 0)
		usage_own((uint64_t)n, 0);
	return n;
}

static bool is_there(pid_t pid)
{
	return kill(pid, 0) == 0 || errno != ESRCH;
}

static uint64_t tick_ns(void)
{
	return UINT64_C(1000000000) / (uint64_t)sysconf(_SC_CLK_TCK);
}

/* proc(5), /proc/PID/stat: ppid, cutime, cstime, num_threads. */
static bool read_entry(struct roll_entry *entry)
{
	char path[64], text[TEXT_SIZE];
	unsigned long long user, system;
	int parent;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)entry->pid);
	const char *end =
		read_text(path, text) > 0 ? strrchr(text, ')') : NULL; /* the name before it may hold anything */
	if (!end || sscanf(end + 1, " %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %llu %llu %*d %*d %u", &parent,
			   &user, &system, &entry->threads) != 4)
		return false;
	entry->parent = parent;
	entry->waited = (user + system) * tick_ns();
	return true;
}

static bool add(struct roll *roll, pid_t pid)
{
	if (roll->count == roll->room) {
		size_t room = 2 * roll->room + 64;
		struct roll_entry *list = realloc(roll->list, room * sizeof *list);
		if (!list)
			return false;
		roll->list = list;
		roll->room = room;
	}
	roll->list[roll->count++] = (struct roll_entry){.pid = pid};
	return true;
}

/* The children that a thread has made. False: the kernel has no such list (CONFIG_PROC_CHILDREN). */
static bool add_children(struct roll *roll, pid_t process, pid_t thread)
{
	char path[96], text[TEXT_SIZE];
	pid_t child = 0;
	ssize_t n;

	snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)process, (int)thread);
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno != ENOENT || !is_there(process);
	while ((n = read(fd, text, sizeof text)) > 0) {
		usage_own((uint64_t)n, 0);
		for (ssize_t i = 0; i < n; i++) {
			bool digit = text[i] >= '0' && text[i] <= '9';
			if (!digit && child && !add(roll, child))
				return true;
			child = digit ? 10 * child + (text[i] - '0') : 0; /* each ends with a blank */
		}
	}
	return true;
}

static bool add_all_children(struct roll *roll, const struct roll_entry *entry)
{
	pid_t process = entry->pid;
	char path[64];

	if (entry->threads <= 1)
		return add_children(roll, process, process);
	snprintf(path, sizeof path, "/proc/%d/task", (int)process);
	cleanup_dir DIR *threads = opendir(path);
	const struct dirent *thread;
	while (threads && (thread = readdir(threads)) != NULL)
		if (thread->d_name[0] != '.')
			add_children(roll, process, (pid_t)atoi(thread->d_name));
	return true;
}

/* Without lists of children: everybody's parents have to be asked for. */
static void look_everywhere(struct roll *roll)
{
	cleanup_free pid_t *list = NULL;
	size_t count, kept = 1;

	roll->count = 1;
	if (lineage_list(roll->top, &list, &count) < 0)
		return;
	for (size_t i = 0; i < count && add(roll, list[i]); i++)
		if (read_entry(&roll->list[roll->count - 1]))
			roll->list[kept++] = roll->list[roll->count - 1];
	roll->count = kept;
}

void roll_call(struct roll *roll)
{
	size_t kept = 0;

	roll->count = 0;
	if (!add(roll, roll->top))
		return;
	for (size_t i = 0; i < roll->count; i++) {
		struct roll_entry entry = roll->list[i];
		if (!read_entry(&entry))
			continue;
		roll->list[kept++] = entry;
		if (!add_all_children(roll, &entry)) {
			look_everywhere(roll);
			return;
		}
	}
	roll->count = kept;
}

/* ------------------------------------------------------------------------- */

/* One that was seen. */
static void note(struct roll *roll, struct census *census, const struct roll_entry *entry)
{
	struct live *live = census_find(census, entry->pid);
	bool known = live != NULL;

	if (!known) {
		census_born(census, entry->pid);
		live = census_find(census, entry->pid);
		if (!live)
			return;
	}
	live->round = roll->round;
	live->missed = 0;
	live->parent = entry->parent;
	if (!known && census_find(census, entry->parent)) {
		long differs = syscall(SYS_kcmp, entry->pid, entry->parent, KCMP_VM, 0, 0);
		census_forked(census, entry->pid, entry->parent, differs == 0);
	}
	if (!known && !roll->reckless)
		roll->reckless = usage_ignores(entry->parent, SIGCHLD) > 0;
}

/* Those that were not seen this time. */
static void forget_gone(struct roll *roll, struct census *census)
{
	struct live *live, *next;

	HASH_ITER(hh, census->live, live, next)
	{
		/* cppcheck-suppress uninitvar; calloc, and HASH_ITER */
		if (live->round == roll->round || (is_there(live->pid) && ++live->missed < MISSED_MOST))
			continue;
		census->ended_cpu += live->cpu_seen;
		HASH_DEL(census->live, live);
		free(live);
	}
}

/* What is missing now, and was at the last look, is in nobody's account any more. What ends while the accounts are read is
 * missing only once. */
static uint64_t lost_since(uint64_t missing, uint64_t *before)
{
	uint64_t lost = missing < *before ? missing : *before;

	*before = missing - lost;
	return lost;
}

void roll_enter(struct roll *roll, struct census *census)
{
	uint64_t least = 0;

	if (roll->count == 0)
		return; /* the keeper is gone, or there is no memory: what was seen last holds */
	roll->round++;
	for (size_t i = 0; i < roll->count; i++) {
		least += roll->list[i].waited;
		if (i > 0)
			note(roll, census, &roll->list[i]);
	}
	forget_gone(roll, census);
	uint64_t most = least + 2 * tick_ns() * roll->count;
	uint64_t seen = census->ended_cpu > roll->lost_cpu ? census->ended_cpu - roll->lost_cpu : 0;
	if (seen < least)
		census->ended_cpu += least - seen;
	roll->lost_cpu += lost_since(seen > most ? seen - most : 0, &roll->missing_cpu);
}

/* An account only grows. */
static void count_in(struct roll_account *account, uint64_t now)
{
	uint64_t all = now + account->lost;

	account->lost += lost_since(all < account->most ? account->most - all : 0, &account->missing);
	if (all > account->most)
		account->most = all;
}

struct usage_io roll_io(struct roll *roll)
{
	struct usage_io io, sum = {0};

	/* the keeper's can be read by root only; for others what it has waited for is lost, though not for their result */
	roll->keeper_tells = false;
	for (size_t i = 0; i < roll->count; i++)
		if (usage_io(roll->list[i].pid, &io) == 0) {
			roll->keeper_tells |= i == 0;
			sum.read += io.read;
			sum.written += io.written;
			sum.stored += io.stored;
		}
	if (roll->count > 0 && roll->list[0].pid == roll->top) { /* else it is gone, and all accounts with it */
		count_in(&roll->read, sum.read);
		count_in(&roll->written, sum.written);
		count_in(&roll->stored, sum.stored);
	}
	return (struct usage_io){roll->read.most, roll->written.most, roll->stored.most};
}

void roll_clear(struct roll *roll)
{
	free(roll->list);
}
