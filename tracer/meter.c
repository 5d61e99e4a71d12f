/* SPDX-License-Identifier: MIT */
/*
 * meter.c - see meter.h.
 *
 * What goes to disk is what live processes say of themselves and their waited-for children, plus that of those that
 * nobody but the supervisor has waited for.
 *
 * Three gauges, CPU, memory and files, are each read when what is left of its limit could have been used up at the
 * greatest speed that is thought possible, and at least every IDLE_NS; but never so often that reading takes more than
 * a part of the time: 1/SHARE_NEAR of it near a limit, 1/SHARE_FAR else.
 *
 * The lock is held for short steps only, never while files are read: the supervisor waits for it.
 */
#include "meter.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/statfs.h>
#include <time.h>
#include <unistd.h>

#include "census.h"
#include "hash.h"
#include "lineage.h"
#include "meter_files.h"
#include "roll.h"
#include "usage.h"

#define MS UINT64_C(1000000)

enum {
	SHARE_NEAR = 10,
	SHARE_FAR = 30,
	BYTES_PER_NS = 4, /* memory that is touched, or files that are written, at most */
	FILES_SLACK_PART = 16,
};
#define FIRST_NS (2 * MS) /* between the first readings; then twice as long each time, up to */
#define IDLE_NS (100 * MS)
#define LEAST_NS (1 * MS)     /* near a limit */
#define SOFT_CPU_NS (30 * MS) /* what processes that handle SIGXCPU may use after it */
#define SOFT_WALL_NS (300 * MS)
#define UNCERTAIN_LEAST (4u << 20)
/* What file systems write about files is in what is measured: that much more ends a run. */
#define FILES_SLACK (UINT64_C(1) << 20)

struct gauge {
	uint64_t due, pace; /* CLOCK_MONOTONIC; ns from reading to reading when no limit is near */
};

struct meter {
	struct policy_limits limits;
	void (*tell)(void);
	bool by_root; /* of processes that have ended only root may ask what they have moved */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool stop;
	_Atomic(const char *) reached;
	_Atomic(const char *) warned_of;

	/* under the lock */
	struct census census;
	uint64_t allocated;
	uint64_t memory, peak, stored;
	struct usage_io io_before;

	/* the meter's thread only */
	struct gauge cpu_gauge, memory_gauge, files_gauge;
	unsigned processors;
	uint64_t soft_cpu, soft_wall; /* when SIGXCPU was sent: CPU used, time; 0: not yet */
	struct meter_files *files;
	struct roll roll;	 /* of an untraced run; its top under the lock */
	uint64_t called;	 /* when the roll was called last */
	struct usage_spent told; /* what the run has used, from the keeper at the end; the supervisor's thread only */
	pid_t *list;		 /* live processes */
	bool *copies;
	size_t count, room;
};

/* ---- births and ends (the supervisor's thread) -------------------------- */

void meter_born(struct meter *meter, pid_t process)
{
	if (!meter)
		return;
	pthread_mutex_lock(&meter->lock);
	census_born(&meter->census, process);
	pthread_mutex_unlock(&meter->lock);
}

void meter_forked(struct meter *meter, pid_t process, pid_t maker, bool same_memory)
{
	if (!meter)
		return;
	pthread_mutex_lock(&meter->lock);
	census_forked(&meter->census, process, maker, same_memory);
	pthread_mutex_unlock(&meter->lock);
}

void meter_execed(struct meter *meter, pid_t process)
{
	if (!meter)
		return;
	pthread_mutex_lock(&meter->lock);
	census_execed(&meter->census, process);
	pthread_mutex_unlock(&meter->lock);
}

void meter_gone(struct meter *meter, pid_t task, const struct rusage *rusage)
{
	if (!meter)
		return;
	pthread_mutex_lock(&meter->lock);
	census_gone(&meter->census, task, rusage);
	pthread_mutex_unlock(&meter->lock);
}

void meter_ending(struct meter *meter, pid_t task)
{
	if (!meter || !meter->by_root)
		return;
	pthread_mutex_lock(&meter->lock);
	census_ending(&meter->census, task);
	pthread_mutex_unlock(&meter->lock);
}

unsigned meter_zombies(struct meter *meter, bool exact)
{
	if (!meter)
		return 0;
	pthread_mutex_lock(&meter->lock);
	unsigned count = census_zombies(&meter->census, exact);
	pthread_mutex_unlock(&meter->lock);
	return count;
}

static uint64_t less(uint64_t all, uint64_t part)
{
	return all > part ? all - part : 0;
}

bool meter_allocate(struct meter *meter, uint64_t bytes)
{
	bool fits = true;

	if (!meter || !meter->limits.write_bytes)
		return true;
	pthread_mutex_lock(&meter->lock);
	uint64_t left = less(meter->limits.write_bytes, meter->allocated);
	fits = bytes <= left;
	if (fits)
		meter->allocated += bytes;
	pthread_mutex_unlock(&meter->lock);
	return fits;
}

void meter_watch(struct meter *meter, pid_t keeper)
{
	if (!meter)
		return;
	pthread_mutex_lock(&meter->lock);
	meter->roll.top = keeper;
	pthread_cond_signal(&meter->wake);
	pthread_mutex_unlock(&meter->lock);
}

void meter_told(struct meter *meter, const struct usage_spent *spent)
{
	if (meter)
		meter->told = *spent;
}

/* ---- the gauges (the meter's thread) ------------------------------------ */

/* Who is there? Of a traced run that is known. */
static void call_roll(struct meter *meter)
{
	pthread_mutex_lock(&meter->lock);
	bool untraced = meter->roll.top != 0;
	pthread_mutex_unlock(&meter->lock);
	if (!untraced || usage_now() - meter->called < LEAST_NS)
		return;
	roll_call(&meter->roll);
	pthread_mutex_lock(&meter->lock);
	roll_enter(&meter->roll, &meter->census);
	pthread_mutex_unlock(&meter->lock);
	meter->called = usage_now();
}

static void reach(struct meter *meter, const char *limit)
{
	const char *none = NULL;

	if (atomic_compare_exchange_strong(&meter->reached, &none, limit))
		meter->tell();
}

/* Copy the numbers of the live processes; `of_memory`: not of those that are guests in another's. */
static void list_live(struct meter *meter, bool of_memory)
{
	pthread_mutex_lock(&meter->lock);
	size_t count = HASH_COUNT(meter->census.live);
	if (count > meter->room) {
		pid_t *list = realloc(meter->list, 2 * count * sizeof *list);
		bool *copies = realloc(meter->copies, 2 * count * sizeof *copies);
		meter->list = list ? list : meter->list;
		meter->copies = copies ? copies : meter->copies;
		meter->room = list && copies ? 2 * count : meter->room;
		/* cppcheck-suppress memleak; they are the meter's now */
	}
	meter->count = 0;
	for (struct live *l = meter->census.live; l && meter->count < meter->room; l = l->hh.next) {
		if (of_memory && l->guest && census_find(&meter->census, l->parent))
			continue;
		meter->copies[meter->count] = l->copy;
		meter->list[meter->count++] = l->pid;
	}
	pthread_mutex_unlock(&meter->lock);
}

/* Send SIGXCPU, as RLIMIT_CPU would, to those of the run's processes that have a handler for it. Is there one? The
 * pidfd makes sure that it is no stranger who has got the number meanwhile: it is still traced by us, or below the keeper. */
static bool warn_of_cpu(struct meter *meter)
{
	bool any = false;

	list_live(meter, false);
	for (size_t i = 0; i < meter->count; i++) {
		if (usage_handles(meter->list[i], SIGXCPU) <= 0)
			continue;
		int fd = pidfd_open(meter->list[i], 0);
		pthread_mutex_lock(&meter->lock);
		if (fd >= 0 && census_find(&meter->census, meter->list[i]) &&
		    (!meter->roll.top || lineage_below(meter->list[i], meter->roll.top)))
			any |= pidfd_send_signal(fd, SIGXCPU, NULL, 0) == 0;
		pthread_mutex_unlock(&meter->lock);
		if (fd >= 0)
			close(fd);
	}
	return any;
}

/* The limit is used up. ns until the next look. */
static uint64_t over_cpu(struct meter *meter, uint64_t used)
{
	uint64_t now = usage_now();

	if (!meter->soft_wall && warn_of_cpu(meter)) {
		meter->soft_wall = now;
		meter->soft_cpu = used;
		meter->warned_of = "cpu_time_ms";
	}
	if (!meter->soft_wall || used - meter->soft_cpu >= SOFT_CPU_NS || now - meter->soft_wall >= SOFT_WALL_NS)
		reach(meter, "cpu_time_ms");
	return 2 * LEAST_NS;
}

/* Each: read, say what was reached, and return after how many ns `left` could be used up; UINT64_MAX without a limit.
 */
static uint64_t read_cpu(struct meter *meter)
{
	uint64_t limit = meter->limits.cpu_time_ms * MS;

	pthread_mutex_lock(&meter->lock);
	uint64_t used = census_cpu(&meter->census);
	pthread_mutex_unlock(&meter->lock);
	if (!limit)
		return UINT64_MAX;
	return used >= limit ? over_cpu(meter, used) : (limit - used) / meter->processors;
}

/* Exactly, with every page counted once. */
static uint64_t share_of_memory(struct meter *meter)
{
	struct usage_files files = {0};
	uint64_t sum = 0, common = 0, bytes, mapped;

	for (size_t i = 0; i < meter->count; i++)
		if (usage_memory_share(meter->list[i], &bytes, &mapped) == 0) {
			sum += bytes;
			common += mapped;
		}
	if (meter->limits.memory_bytes)
		for (size_t i = 0; i < meter->count; i++)
			usage_files_add(&files, meter->list[i]);
	/* what is open but not mapped; nearly always the same files are both */
	sum += less(files.bytes, common);
	usage_files_clear(&files);
	return sum;
}

static void note_memory(struct meter *meter, uint64_t now, uint64_t least)
{
	pthread_mutex_lock(&meter->lock);
	meter->memory = now;
	if (least > meter->peak)
		meter->peak = least;
	pthread_mutex_unlock(&meter->lock);
}

static uint64_t read_memory(struct meter *meter)
{
	uint64_t limit = meter->limits.memory_bytes, sum = 0, uncertain = 0, bytes, common;

	list_live(meter, true);
	for (size_t i = 0; i < meter->count; i++)
		if (usage_memory(meter->list[i], &bytes, &common) == 0) {
			sum += bytes;
			uncertain += meter->copies[i] ? bytes : meter->count > 1 ? common : 0;
		}
	bool unsure = uncertain > UNCERTAIN_LEAST && uncertain > sum / 16 && sum > meter->peak;
	uint64_t hidden = limit ? meter_files_in_memory(meter->files) : 0;
	if (unsure || (limit && sum + hidden >= limit)) {
		sum = share_of_memory(meter);
		uncertain = hidden = 0;
	}
	note_memory(meter, sum, sum - uncertain);
	if (!limit)
		return UINT64_MAX;
	if (sum > limit)
		reach(meter, "memory_bytes");
	return sum + hidden < limit ? (limit - sum - hidden) / BYTES_PER_NS : 0;
}

/* What all accounts say has been written, by the supervisor's and the processes' own. The lock is not held while /proc is
 * read, so a process may end meanwhile and be counted a moment later or earlier. */
static void sum_files(struct meter *meter, uint64_t *stored, uint64_t *written)
{
	struct usage_io io;

	*stored = *written = 0;
	list_live(meter, false);
	for (size_t i = 0; i < meter->count; i++) {
		if (usage_io(meter->list[i], &io) < 0)
			continue;
		*stored += io.stored;
		*written += io.written;
		pthread_mutex_lock(&meter->lock);
		struct live *live = census_find(&meter->census, meter->list[i]);
		if (live)
			live->io_seen = io;
		pthread_mutex_unlock(&meter->lock);
	}
	if (meter->roll.top) {
		io = roll_io(&meter->roll);
		*stored = io.stored;
		*written = io.written;
	}
}

/* Bytes that have gone into files. */
static uint64_t read_files(struct meter *meter)
{
	uint64_t limit = meter->limits.write_bytes, stored, written;
	struct usage_io own;

	sum_files(meter, &stored, &written);
	if (!limit)
		return UINT64_MAX;
	pthread_mutex_lock(&meter->lock);
	census_look(&meter->census);
	for (struct zombie *z = meter->census.zombies; z; z = z->hh.next)
		stored += z->stored;
	stored += meter->census.ended_stored;
	if (meter->allocated > stored)
		stored = meter->allocated;
	written += meter->census.lost.written + meter->memory; /* through write calls, and through mappings */
	pthread_mutex_unlock(&meter->lock);
	uint64_t in_memory = meter_files_on_tmpfs(meter->files);
	if (in_memory && usage_children_io(&own) == 0) {
		written += less(own.written, meter->io_before.written);
		stored += in_memory < written ? in_memory : written;
	}
	pthread_mutex_lock(&meter->lock);
	if (stored > meter->stored)
		meter->stored = stored;
	stored = meter->stored;
	pthread_mutex_unlock(&meter->lock);
	if (stored > limit + limit / FILES_SLACK_PART + FILES_SLACK)
		reach(meter, "write_bytes");
	return stored < limit ? (limit - stored) / BYTES_PER_NS : 0;
}

/* ---- the thread --------------------------------------------------------- */

static uint64_t at_least(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint64_t at_most(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static void read_when_due(struct meter *meter, struct gauge *gauge, uint64_t (*read)(struct meter *))
{
	if (usage_now() < gauge->due)
		return;
	uint64_t begun = usage_own_cpu();
	call_roll(meter);
	uint64_t until = read(meter), ended = usage_now();
	uint64_t cost = usage_own_cpu() - begun; /* not the time in which others were running */
	gauge->pace = at_most(at_least(2 * gauge->pace, FIRST_NS), IDLE_NS);
	uint64_t near = at_least(at_least(until, LEAST_NS), SHARE_NEAR * cost);
	uint64_t far = at_least(gauge->pace, SHARE_FAR * cost);
	if (meter->roll.reckless && gauge == &meter->cpu_gauge)
		near = at_least(LEAST_NS, SHARE_NEAR * cost);
	gauge->due = ended + at_most(near, far);
}

static void *measure(void *argument)
{
	struct meter *meter = argument;

	pthread_mutex_lock(&meter->lock);
	while (!meter->stop) {
		pthread_mutex_unlock(&meter->lock);
		read_when_due(meter, &meter->cpu_gauge, read_cpu);
		read_when_due(meter, &meter->memory_gauge, read_memory);
		read_when_due(meter, &meter->files_gauge, read_files);
		uint64_t due = at_most(at_most(meter->cpu_gauge.due, meter->memory_gauge.due), meter->files_gauge.due);
		struct timespec until = {(time_t)(due / 1000000000u), (long)(due % 1000000000u)};
		pthread_mutex_lock(&meter->lock);
		if (!meter->stop)
			pthread_cond_timedwait(&meter->wake, &meter->lock, &until);
	}
	pthread_mutex_unlock(&meter->lock);
	return NULL;
}

static int start_thread(struct meter *meter)
{
	pthread_condattr_t attributes;
	sigset_t all, before;

	pthread_mutex_init(&meter->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&meter->wake, &attributes);
	pthread_condattr_destroy(&attributes);
	sigfillset(&all); /* signals are the supervisor's, not this thread's */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int r = -pthread_create(&meter->thread, NULL, measure, meter);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return r;
}

int meter_start(struct meter **out, const struct policy_limits *limits, void (*tell)(void))
{
	struct meter *meter = calloc(1, sizeof *meter);
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	if (!meter)
		return -ENOMEM;
	meter->limits = *limits;
	meter->tell = tell;
	meter->by_root = geteuid() == 0;
	meter->census.counts_files = limits->write_bytes != 0;
	meter->processors = processors > 0 ? (unsigned)processors : 1;
	meter->census.children = usage_children();
	usage_children_io(&meter->io_before);
	int r = meter_files_open(&meter->files);
	if (r == 0)
		r = start_thread(meter);
	if (r < 0) {
		meter_files_close(meter->files);
		free(meter);
		return r;
	}
	*out = meter;
	return 0;
}

const char *meter_reached(const struct meter *meter)
{
	return meter ? atomic_load(&meter->reached) : NULL;
}

const char *meter_warned_of(const struct meter *meter)
{
	return meter ? atomic_load(&meter->warned_of) : NULL;
}

struct meter_reading meter_read(struct meter *meter)
{
	struct meter_reading reading = {0};

	pthread_mutex_lock(&meter->lock);
	reading.cpu_ns = census_cpu(&meter->census);
	reading.memory = meter->memory;
	reading.peak_memory = meter->peak;
	reading.stored = meter->stored;
	reading.processes = HASH_COUNT(meter->census.live);
	pthread_mutex_unlock(&meter->lock);
	return reading;
}

static void stop_thread(struct meter *meter)
{
	if (!meter->thread)
		return;
	pthread_mutex_lock(&meter->lock);
	meter->stop = true;
	pthread_cond_signal(&meter->wake);
	pthread_mutex_unlock(&meter->lock);
	pthread_join(meter->thread, NULL);
	meter->thread = 0;
}

/* An untraced run: what the keeper has waited for, and what nobody has. If the keeper did not come to tell it, it counts
 * itself. */
static uint64_t untraced_cpu(const struct meter *meter, const struct usage_spent *children)
{
	uint64_t seen = meter->census.ended_cpu;

	for (const struct live *l = meter->census.live; l; l = l->hh.next)
		seen += l->cpu_seen;
	uint64_t waited =
		meter->told.cpu_ns ? meter->told.cpu_ns : less(children->cpu_ns, meter->census.children.cpu_ns);
	return at_least(seen, waited + meter->roll.lost_cpu);
}

struct meter_reading meter_finish(struct meter *meter)
{
	struct usage_spent children = usage_children();
	struct usage_io io = {0};

	stop_thread(meter);
	if (meter->limits.write_bytes && !meter->roll.top)
		read_files(meter);
	struct meter_reading reading = meter_read(meter);
	if (meter->roll.top)
		reading.cpu_ns = untraced_cpu(meter, &children);
	if (meter->told.resident)
		children.resident = meter->told.resident;
	reading.memory = 0;
	/* a process may have come and gone between two readings */
	reading.peak_memory = at_least(reading.peak_memory, children.resident);
	if (usage_children_io(&io) == 0) {
		reading.read = less(io.read, meter->io_before.read) + meter->census.lost.read;
		reading.written = less(io.written, meter->io_before.written) + meter->census.lost.written;
	}
	if (meter->roll.keeper_tells) { /* so what is missing was waited for by nobody */
		reading.read += meter->roll.read.lost;
		reading.written += meter->roll.written.lost;
	}
	return reading;
}

void meter_free(struct meter *meter)
{
	if (!meter)
		return;
	stop_thread(meter);
	census_clear(&meter->census);
	roll_clear(&meter->roll);
	meter_files_close(meter->files);
	free(meter->list);
	free(meter->copies);
	pthread_mutex_destroy(&meter->lock);
	pthread_cond_destroy(&meter->wake);
	free(meter);
}
