/* SPDX-License-Identifier: MIT */
/*
 * together.c - see together.h; sched_setaffinity(2). Held are at most the task whose stops come and those that made it, each
 * waiting for the next. That they are held for too long is told by a timer, whose signal does nothing but interrupt the wait
 * for a stop.
 */
#include "together.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
	PROCESSORS_MOST = 8192, /* what Linux can be built for on x86-64 */
	WORD_BITS = sizeof(unsigned long) * CHAR_BIT,
	STREAK = 2,	   /* stops of one task, one after the other, before it is begun */
	LOOK_EVERY = 64,   /* stops of one task after which it is looked whether others want the processor */
	HOLD_NS = 4000000, /* when nothing stops for so long, or twice that, nobody is held any more */
	HELD_MOST = 4,	   /* make, its shell, the compiler's driver, the compiler */
};

/* Which processors a task may run on. */
struct mask {
	size_t size; /* bytes that the kernel has filled in */
	unsigned long word[PROCESSORS_MOST / WORD_BITS];
};

struct held {
	pid_t tid;
	struct mask mask; /* what it may run on otherwise */
};

struct together {
	struct mask own;     /* of the supervisor, as it came */
	struct mask here;    /* the processor that it keeps to */
	struct mask been;    /* all that it has kept to */
	bool kept;	     /* it keeps to it now */
	pid_t with;	     /* whose stop came last; 0: it is gone */
	pid_t child;	     /* what that task has made last */
	unsigned streak;     /* stops of that task, one after the other, and of those that it left the processor to */
	unsigned since;	     /* its stops since it was looked last; in the middle, nanoseconds: */
	uint64_t time, used; /* time of day; CPU time of the supervisor and of the task's process */
	struct held
		held[HELD_MOST]; /* who is kept on `here`: each has made the next, and has not stopped since that did */
	unsigned held_count;
	struct mask held_mask; /* what the one that was held last may run on otherwise */
	uint64_t shown;	       /* as it was when it was looked last (tracees) */
	pid_t maker;	       /* of the one that was born last */
	pid_t born; /* a child that nobody but its maker has run since; it has got `here` from that. 0: none */
	struct mask born_mask; /* what it may run on */
	timer_t timer;
	bool ticking; /* it is set */
	bool stopped; /* the held task has, since the last tick */
};

static int mask_get(pid_t tid, struct mask *mask)
{
	long size = syscall(SYS_sched_getaffinity, tid, sizeof mask->word, mask->word);

	if (size < 0)
		return -errno;
	mask->size = (size_t)size;
	return 0;
}

static int mask_set(pid_t tid, const struct mask *mask)
{
	return syscall(SYS_sched_setaffinity, tid, mask->size, mask->word) < 0 ? -errno : 0;
}

static bool mask_has(const struct mask *mask, unsigned cpu)
{
	return cpu / CHAR_BIT < mask->size && (mask->word[cpu / WORD_BITS] >> cpu % WORD_BITS & 1);
}

static bool mask_equal(const struct mask *a, const struct mask *b)
{
	return a->size == b->size && memcmp(a->word, b->word, a->size) == 0;
}

/* -1: there is none. */
static int mask_first_of_both(const struct mask *a, const struct mask *b)
{
	for (unsigned cpu = 0; cpu < a->size * CHAR_BIT; cpu++)
		if (mask_has(a, cpu) && mask_has(b, cpu))
			return (int)cpu;
	return -1;
}

static bool mask_is_one(const struct mask *mask)
{
	unsigned count = 0;

	for (unsigned cpu = 0; cpu < mask->size * CHAR_BIT; cpu++)
		count += mask_has(mask, cpu);
	return count == 1;
}

bool together_shown_by(long number)
{
	return number == SYS_sched_getaffinity || number == SYS_sched_setaffinity;
}

static void on_tick(int signal)
{
	(void)signal;
}

/* A timer whose signal interrupts this thread's waiting. */
static int make_timer(timer_t *timer)
{
	int number = SIGRTMIN + 5; /* the C library takes the first ones */
	struct sigaction action = {.sa_handler = on_tick};
	struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = number};
	sigset_t ours;

	event._sigev_un._tid = gettid();
	sigemptyset(&ours);
	sigaddset(&ours, number);
	if (sigaction(number, &action, NULL) < 0 || pthread_sigmask(SIG_UNBLOCK, &ours, NULL) != 0)
		return -EINVAL;
	return timer_create(CLOCK_MONOTONIC, &event, timer) < 0 ? -errno : 0;
}

struct together *together_begin(void)
{
	struct together *together = calloc(1, sizeof *together);

	if (together &&
	    (mask_get(0, &together->own) < 0 || mask_is_one(&together->own) || make_timer(&together->timer) < 0)) {
		free(together);
		return NULL;
	}
	return together;
}

static void tick(struct together *together, bool on)
{
	struct itimerspec when = {.it_value.tv_nsec = on ? HOLD_NS : 0, .it_interval.tv_nsec = on ? HOLD_NS : 0};

	if (on != together->ticking)
		timer_settime(together->timer, 0, &when, NULL);
	together->ticking = on;
}

/* Before anybody else could look at it. */
static void settle_born(struct together *together)
{
	if (together->born)
		mask_set(together->born, &together->born_mask);
	together->born = 0;
}

static void part(struct together *together)
{
	settle_born(together);
	if (together->kept)
		mask_set(0, &together->own);
	together->kept = false;
	together->streak = 0;
}

static struct held *find_held(struct together *together, pid_t tid)
{
	for (unsigned i = 0; i < together->held_count; i++)
		if (together->held[i].tid == tid)
			return &together->held[i];
	return NULL;
}

static bool is_held_last(const struct together *together, pid_t tid)
{
	return together->held_count > 0 && together->held[together->held_count - 1].tid == tid;
}

static void drop_held(struct together *together, struct held *held)
{
	size_t after = (size_t)(&together->held[together->held_count] - held) - 1;

	memmove(held, held + 1, after * sizeof *held);
	together->held_count--;
}

/* What somebody else has set meanwhile stays. */
static void let_go_one(struct together *together, struct held *held)
{
	struct mask mask;

	if (mask_get(held->tid, &mask) == 0 && mask_equal(&mask, &together->here))
		mask_set(held->tid, &held->mask);
	drop_held(together, held);
}

static void let_go(struct together *together)
{
	while (together->held_count)
		let_go_one(together, &together->held[together->held_count - 1]);
}

void together_end(struct together *together)
{
	if (!together)
		return;
	let_go(together);
	part(together);
	timer_delete(together->timer);
	free(together);
}

static uint64_t nanoseconds(clockid_t clock)
{
	struct timespec t = {0};

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* Of the supervisor's thread and of the task's process. clock_getcpuclockid(3); a process that is gone has used nothing. */
static uint64_t time_used(const struct task *task)
{
	clockid_t clock;
	uint64_t his = clock_getcpuclockid(task->process->tgid, &clock) == 0 ? nanoseconds(clock) : 0;

	return nanoseconds(CLOCK_THREAD_CPUTIME_ID) + his;
}

static void look_from_now(struct together *together, const struct task *task)
{
	together->time = nanoseconds(CLOCK_MONOTONIC);
	together->used = time_used(task);
}

/* One of the two should have been running all the time. If not, the task waits for something; or both wait for others on
 * this processor, while another one may have nothing to do. */
static bool held_up(const struct together *together, const struct task *task)
{
	uint64_t time = nanoseconds(CLOCK_MONOTONIC) - together->time, used = time_used(task) - together->used;

	return used < time - time / 4;
}

/* On the processor where the supervisor is, if the task may run there. */
static void keep_here(struct together *together, const struct task *task)
{
	struct mask mask;
	int cpu = sched_getcpu();

	if (cpu < 0 || mask_get(task->tid, &mask) < 0)
		return;
	if (!mask_has(&mask, (unsigned)cpu))
		cpu = mask_first_of_both(&mask, &together->own);
	if (cpu < 0)
		return;
	together->here = (struct mask){.size = together->own.size};
	together->here.word[(unsigned)cpu / WORD_BITS] = 1ul << (unsigned)cpu % WORD_BITS;
	together->been.size = together->own.size;
	together->been.word[(unsigned)cpu / WORD_BITS] |= together->here.word[(unsigned)cpu / WORD_BITS];
	together->kept = mask_set(0, &together->here) == 0;
	together->since = 0;
}

void together_stopped(struct together *together, const struct task *task)
{
	if (!together)
		return;
	together->stopped = true;
	if (task->all->leaves > 1) {
		let_go(together);
		part(together);
	}
	if (task->tid != together->with) {
		bool begins = task->tid == together->child;
		/* when the last one is gone, or a child begins, nothing tells of work in parallel */
		if (together->with != 0 && !begins)
			part(together);
		if (together->with != 0 ? !begins : !is_held_last(together, task->tid))
			let_go(together);
		together->with = task->tid;
		together->child = 0;
		together->since = 0;
	}
	if (together->kept && ++together->since == LOOK_EVERY / 2)
		look_from_now(together, task);
	if (together->kept && together->since == LOOK_EVERY) {
		together->since = 0;
		if (held_up(together, task)) {
			let_go(together);
			part(together);
		}
	}
	if (task->all->leaves <= 1 && together->streak < STREAK && ++together->streak == STREAK)
		keep_here(together, task);
}

void together_ending(struct together *together, pid_t tid)
{
	struct held *held = together ? find_held(together, tid) : NULL;

	if (held)
		let_go_one(together, held);
	if (together && together->born == tid)
		settle_born(together);
}

void together_gone(struct together *together, pid_t tid)
{
	struct held *held = together ? find_held(together, tid) : NULL;

	if (held)
		drop_held(together, held);
	if (together && together->with == tid)
		together->with = 0;
	if (together && together->born == tid)
		together->born = 0;
}

void together_renamed(struct together *together, pid_t former, pid_t tid)
{
	struct held *held = together ? find_held(together, former) : NULL;

	if (held)
		held->tid = tid;
	if (together && together->with == former)
		together->with = tid;
}

void together_interrupted(struct together *together)
{
	if (!together || !together->ticking)
		return;
	if (!together->stopped) {
		let_go(together);
		part(together);
	}
	together->stopped = false;
	tick(together, together->held_count != 0);
}

/* Only this one may be where the supervisor is, and those that wait for it. */
static bool may_be_held(const struct together *together, const struct task *task)
{
	return together->kept && task->tid == together->with && !task->all->seeing && !task->process->shown;
}

static void hold(struct together *together, const struct task *task)
{
	struct mask mask;

	if (together->born == task->tid) { /* it is where it should be */
		mask = together->born_mask;
		together->born = 0;
	} else if (mask_get(task->tid, &mask) < 0 || mask_equal(&mask, &together->here) ||
		   mask_first_of_both(&mask, &together->here) < 0 || mask_set(task->tid, &together->here) < 0) {
		return;
	}
	if (together->held_count == HELD_MOST)
		let_go_one(together, together->held);
	together->held[together->held_count++] = (struct held){.tid = task->tid, .mask = mask};
	together->held_mask = mask;
	tick(together, true);
}

void together_resume(struct together *together, const struct task *task, enum __ptrace_request request, int signal)
{
	if (together) {
		bool may = may_be_held(together, task), shown = task->all->shown != together->shown;
		if (!may || shown) /* what was shown may be any of those that are held */
			let_go(together);
		if (!may || (task->tid != together->born && (shown || task->tid != together->maker)))
			settle_born(together);
		if (may && !is_held_last(together, task->tid))
			hold(together, task);
		together->shown = task->all->shown;
	}
	ptrace(request, task->tid, NULL, (void *)(intptr_t)signal);
}

/* Could it be one that we have given? Where the maker was held when it was copied, that may have been the processor before. */
static bool may_be_ours(const struct together *together, const struct mask *mask)
{
	return mask_equal(mask, &together->here) ||
	       (mask_first_of_both(mask, &together->been) >= 0 && mask_is_one(mask));
}

void together_born(struct together *together, pid_t maker, pid_t child)
{
	struct held *held = together ? find_held(together, maker) : NULL;
	struct mask theirs, its;

	if (together && maker == together->with)
		together->child = child;
	if (together)
		settle_born(together);
	if (!together || mask_get(child, &its) < 0 || !may_be_ours(together, &its))
		return;
	if (maker == 0 || held)
		theirs = held ? held->mask : together->held_mask;
	else if (mask_get(maker, &theirs) < 0)
		return;
	if (!theirs.size || mask_equal(&its, &theirs))
		return;
	together->maker = maker;
	together->born = child;
	together->born_mask = theirs;
	if (!held || !mask_equal(&its, &together->here))
		settle_born(together);
}
