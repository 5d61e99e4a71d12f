/* SPDX-License-Identifier: MIT */
/*
 * census.c - see census.h.
 *
 * When a traced process ends it stays, after the supervisor has been told, until its parent waits for it: then its
 * clock still tells what CPU time it had. If it is gone at once, then it was the supervisor's own child, whose use the
 * kernel has added to the supervisor's children's; or its parent was quicker, or ignores SIGCHLD, and then only wait4
 * knows. The other of "how much with its children" and "how much
 * without" follows from the ends of those children.
 */
#include "census.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

enum { ZOMBIES_BEFORE_LOOK = 256 };

struct live *census_find(struct census *census, pid_t pid)
{
	struct live *live;

	HASH_FIND_INT(census->live, &pid, live);
	return live;
}

static struct zombie *find_zombie(struct census *census, pid_t pid)
{
	struct zombie *zombie;

	HASH_FIND_INT(census->zombies, &pid, zombie);
	return zombie;
}

static void unlink_zombie(struct zombie *zombie)
{
	if (zombie->link)
		*zombie->link = zombie->next;
	if (zombie->next)
		zombie->next->link = zombie->link;
	zombie->next = NULL;
	zombie->link = NULL;
}

static void drop_zombie(struct census *census, struct zombie *zombie)
{
	unlink_zombie(zombie);
	HASH_DEL(census->zombies, zombie);
	free(zombie);
}

void census_born(struct census *census, pid_t process)
{
	struct live *live = calloc(1, sizeof *live);
	if (!live)
		return; /* then it is not measured until it ends */
	live->pid = process;
	struct zombie *former = find_zombie(census, process);
	if (former) /* its number could be given away: it was waited for */
		drop_zombie(census, former);
	HASH_ADD_INT(census->live, pid, live);
}

void census_forked(struct census *census, pid_t process, pid_t maker, bool same_memory)
{
	struct live *live = census_find(census, process), *parent = census_find(census, maker);
	if (live) {
		live->parent = maker;
		live->guest = same_memory;
		live->copy = !same_memory;
	}
	if (!parent)
		return;
	parent->copy |= !same_memory;
	parent->makes = true;
}

void census_execed(struct census *census, pid_t process)
{
	struct live *live = census_find(census, process);
	if (live)
		live->copy = live->guest = false;
	if (live && !live->makes)
		return;
	for (struct live *l = census->live; l; l = l->hh.next)
		if (l->parent == process)
			l->guest = false; /* the memory that it was on is its own now */
}

static bool is_there(pid_t pid)
{
	return kill(pid, 0) == 0 || errno != ESRCH;
}

/* One that is gone was waited for by its parent. */
static void look_at(struct census *census, struct zombie *zombie)
{
	if (is_there(zombie->pid))
		return;
	struct live *live = census_find(census, zombie->parent);
	if (live)
		live->waited_cpu += zombie->cpu;
	drop_zombie(census, zombie);
}

void census_look(struct census *census)
{
	struct zombie *zombie, *next;

	HASH_ITER(hh, census->zombies, zombie, next)
	look_at(census, zombie);
}

/* What the supervisor's own waiting has added to its children's account since it was last asked. */
static struct usage_spent newly_waited(struct census *census)
{
	struct usage_spent now = usage_children(), before = census->children;

	census->children = now;
	return (struct usage_spent){.cpu_ns = now.cpu_ns - before.cpu_ns, .stored = now.stored - before.stored};
}

static uint64_t less(uint64_t all, uint64_t part)
{
	return all > part ? all - part : 0;
}

/* Has a process got in its account what its child that has just ended had in its own? Surely not if there is less new
 * in it. */
static bool took_over(struct live *parent, uint64_t stored)
{
	struct usage_io io;

	if (!parent || usage_io(parent->pid, &io) < 0)
		return false;
	bool enough = io.stored - parent->io_seen.stored >= stored;
	parent->io_seen = io;
	return enough;
}

/* Its parent was quick to wait for it, or ignores SIGCHLD. */
static void end_unseen(struct census *census, const struct live *live, struct usage_spent spent)
{
	struct live *parent = census_find(census, live->parent);

	if (parent) { /* what is taken too much off its own time at its end is put right by cpu_seen */
		parent->waited_cpu += spent.cpu_ns;
		usage_cpu(parent->pid, &parent->cpu_seen);
	}
	if (census->counts_files && spent.stored && !took_over(parent, spent.stored))
		census->ended_stored += spent.stored;
	if ((live->io_seen.read || live->io_seen.written) && parent && usage_ignores(parent->pid, SIGCHLD) > 0) {
		census->lost.read += live->io_seen.read;
		census->lost.written += live->io_seen.written;
	}
}

/* A process that ended is gone at once. */
static void end_vanished(struct census *census, const struct live *live, const struct rusage *rusage)
{
	struct usage_spent spent = newly_waited(census);

	if (spent.cpu_ns != 0) { /* it was the supervisor's own child */
		census->ended_stored += spent.stored;
	} else {
		if (rusage)
			spent = usage_of(rusage);
		else
			spent = (struct usage_spent){live->cpu_seen + live->waited_cpu, live->io_seen.stored, 0};
		end_unseen(census, live, spent);
	}
	uint64_t own = less(spent.cpu_ns, live->waited_cpu);
	census->ended_cpu += own > live->cpu_seen ? own : live->cpu_seen;
}

/* It has ended, and nobody has waited for it yet. What it has moved goes into its parent's account, or, if that ignores
 * its end, into none. */
void census_ending(struct census *census, pid_t task)
{
	struct live *live = census_find(census, task);

	if (live && census_find(census, live->parent) && usage_ignores_still(&census->parent, live->parent, SIGCHLD))
		usage_io(task, &live->io_seen);
}

/* Now and then, so that what is done for each zombie does not grow with their number. */
static void look_sometimes(struct census *census)
{
	if (HASH_COUNT(census->zombies) < census->next_look)
		return;
	census_look(census);
	unsigned left = HASH_COUNT(census->zombies);
	census->next_look = 2 * left > ZOMBIES_BEFORE_LOOK ? 2 * left : ZOMBIES_BEFORE_LOOK;
}

static void end_zombie(struct census *census, const struct live *live, uint64_t cpu)
{
	struct zombie *zombie = calloc(1, sizeof *zombie);
	struct live *parent = census_find(census, live->parent);
	struct usage_io io = {0};

	census->ended_cpu += cpu;
	if (!zombie)
		return;
	if (census->counts_files)
		usage_io(live->pid, &io);
	*zombie = (struct zombie){
		.pid = live->pid, .parent = live->parent, .cpu = cpu + live->waited_cpu, .stored = io.stored};
	if (parent) {
		zombie->link = &parent->zombies;
		zombie->next = parent->zombies;
		parent->zombies = zombie;
		if (zombie->next)
			zombie->next->link = &zombie->next;
	}
	HASH_ADD_INT(census->zombies, pid, zombie);
	look_sometimes(census);
}

/* Its children that still wait are others' from now on. */
static void part_from_zombies(struct census *census, struct live *live)
{
	struct zombie *zombie = live->zombies, *next;

	for (; zombie; zombie = next) {
		next = zombie->next;
		look_at(census, zombie);
	}
	while ((zombie = live->zombies)) {
		zombie->parent = 0;
		unlink_zombie(zombie);
	}
}

static void end_live(struct census *census, struct live *live, const struct rusage *rusage)
{
	uint64_t cpu = 0;

	part_from_zombies(census, live);
	if (usage_cpu(live->pid, &cpu) == 0)
		end_zombie(census, live, cpu);
	else
		end_vanished(census, live, rusage);
	HASH_DEL(census->live, live);
	free(live);
}

/* One whose end was told before, and whose parent has ended since: the supervisor has waited for it. */
static void end_orphan(struct census *census, struct zombie *zombie)
{
	census->ended_stored += newly_waited(census).stored;
	drop_zombie(census, zombie);
}

void census_gone(struct census *census, pid_t task, const struct rusage *rusage)
{
	struct live *live = census_find(census, task);
	struct zombie *zombie = live ? NULL : find_zombie(census, task);
	if (live)
		end_live(census, live, rusage);
	else if (zombie)
		end_orphan(census, zombie);
}

unsigned census_zombies(struct census *census, bool exact)
{
	if (exact)
		census_look(census);
	return HASH_COUNT(census->zombies);
}

uint64_t census_cpu(struct census *census)
{
	uint64_t sum = census->ended_cpu;

	for (struct live *l = census->live; l; l = l->hh.next) {
		usage_cpu(l->pid, &l->cpu_seen);
		sum += l->cpu_seen;
	}
	return sum;
}

void census_clear(struct census *census)
{
	struct live *live, *next_live;
	struct zombie *zombie, *next_zombie;

	usage_forget(&census->parent);
	HASH_ITER(hh, census->zombies, zombie, next_zombie) /* first: they are linked to their parents */
	drop_zombie(census, zombie);
	HASH_ITER(hh, census->live, live, next_live)
	{
		HASH_DEL(census->live, live);
		free(live);
	}
}
