/* SPDX-License-Identifier: MIT */
/* together.c - see together.h; sched_setaffinity(2). */
#include "together.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
	PROCESSORS_MOST = 8192,	/* what Linux can be built for on x86-64 */
	WORD_BITS = sizeof(unsigned long) * CHAR_BIT,
	STREAK = 2,		/* stops of one task, one after the other, before it is begun */
	LOOK_EVERY = 64,	/* stops of one task after which it is looked whether others want the processor */
};

/* Which processors a task may run on. */
struct mask {
	size_t size;	/* bytes that the kernel has filled in */
	unsigned long word[PROCESSORS_MOST / WORD_BITS];
};

struct together {
	struct mask own;	/* of the supervisor, as it came */
	struct mask here;	/* the processor that it keeps to */
	bool kept;		/* it keeps to it now */
	pid_t with;		/* whose stop came last */
	unsigned streak;	/* stops of that task, one after the other */
	unsigned since;		/* stops since it was looked last, and then: */
	uint64_t time, used;	/* nanoseconds: time of day; CPU time of the supervisor and of the task's process */
	pid_t held;		/* a task that is kept on `here` until the next stop; 0: none */
	struct mask held_mask;	/* what it may run on otherwise */
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

struct together *together_begin(void)
{
	struct together *together = calloc(1, sizeof *together);

	if (together && (mask_get(0, &together->own) < 0 || mask_is_one(&together->own))) {
		free(together);
		return NULL;
	}
	return together;
}

static void part(struct together *together)
{
	if (together->kept)
		mask_set(0, &together->own);
	together->kept = false;
	together->streak = 0;
}

static void let_go(struct together *together)
{
	if (together->held)
		mask_set(together->held, &together->held_mask);
	together->held = 0;
}

void together_end(struct together *together)
{
	if (!together)
		return;
	let_go(together);
	part(together);
	free(together);
}

static uint64_t nanoseconds(clockid_t clock)
{
	struct timespec t = { 0 };

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
	together->since = 0;
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
	together->here = (struct mask){ .size = together->own.size };
	together->here.word[(unsigned)cpu / WORD_BITS] = 1ul << (unsigned)cpu % WORD_BITS;
	together->kept = mask_set(0, &together->here) == 0;
	look_from_now(together, task);
}

void together_stopped(struct together *together, const struct task *task)
{
	if (!together)
		return;
	let_go(together);
	if (task->tid != together->with) {
		part(together);
		together->with = task->tid;
	}
	if (together->kept && ++together->since == LOOK_EVERY) {
		if (held_up(together, task))
			part(together);
		else
			look_from_now(together, task);
	}
	if (together->streak < STREAK && ++together->streak == STREAK)
		keep_here(together, task);
}

/* Is it right to put the task here now? Then `mask` is what it may run on. */
static bool may_pull(const struct together *together, const struct task *task, struct mask *mask)
{
	if (!together || !together->kept || task->tid != together->with || task->all->seeing || task->process->shown)
		return false;
	return mask_get(task->tid, mask) == 0 && !mask_equal(mask, &together->here) &&
	       mask_first_of_both(mask, &together->here) >= 0 && mask_set(task->tid, &together->here) == 0;
}

void together_resume(struct together *together, const struct task *task, enum __ptrace_request request, int signal, bool hold)
{
	struct mask mask;
	bool pulled = may_pull(together, task, &mask);

	ptrace(request, task->tid, NULL, (void *)(intptr_t)signal);
	if (pulled && hold) {
		together->held = task->tid;
		together->held_mask = mask;
	} else if (pulled) {
		mask_set(task->tid, &mask);
	}
}

void together_born(struct together *together, const struct task *maker, const struct task *child)
{
	struct mask theirs, its;

	if (together && mask_get(maker->tid, &theirs) == 0 && mask_get(child->tid, &its) == 0 &&
	    mask_equal(&its, &together->here) && !mask_equal(&its, &theirs))
		mask_set(child->tid, &theirs);
}
