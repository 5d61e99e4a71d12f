/* SPDX-License-Identifier: MIT */
/*
 * limit.c - see limit.h. Resource limits (setrlimit(2)) hold for one process each; the run's totals are kept by the
 * supervisor. The tool can lower what is set here, never raise it: CAP_SYS_RESOURCE and CAP_SYS_NICE are gone.
 */
#include "limit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "launch.h"
#include "limit_names.h"
#include "meter.h"
#include "notify.h"
#include "syscalls.h"

enum {
	WEIGHT_USUAL = 100, /* nice 0 */
	NICE_LEAST = -20,
	NICE_MOST = 19,
	EXITING = 0x4, /* PF_EXITING among the flags of /proc/PID/stat, proc(5) */
	KEEP_SIZE_OR_GROW =
		1,	      /* fallocate: FALLOC_FL_KEEP_SIZE is the only mode that takes space, but 0 and the next */
	UNSHARE_RANGE = 0x40, /* FALLOC_FL_UNSHARE_RANGE */
	ZERO_RANGE = 0x10,
	OPEN_FILES_LEAST = 4, /* the standard ones, and one by which the launcher and the loader open what they need */
	SPARE_SECONDS = 2,    /* of RLIMIT_CPU over the limit, so that the meter is first */
};

/* ---- which hold --------------------------------------------------------- */

struct policy_limits limit_of(struct policy *const policies[], unsigned count)
{
	struct policy_limits least = {0};

	for (unsigned i = 0; i < count; i++) {
		struct policy_limits limits = image_limits(policies[i]->image);
		for (const struct limit_name *name = limit_names; name->name; name++) {
			uint64_t value = *limit_value(&limits, name), *kept = limit_value(&least, name);
			if (value && (!*kept || value < *kept))
				*kept = value;
		}
	}
	return least;
}

/* sched(7): from one nice value to the next a process's share grows by a quarter. */
static int nice_of_weight(uint64_t weight)
{
	double share = WEIGHT_USUAL;
	int nice = 0;

	/* to the nearest step: half of one is a factor of sqrt(1.25) */
	for (; nice < NICE_MOST && share > (double)weight * 1.118; nice++)
		share /= 1.25;
	for (; nice > NICE_LEAST && share * 1.118 < (double)weight; nice--)
		share *= 1.25;
	return nice;
}

/* The nice value a run gets; relative to our own. */
static int nice_for(const struct policy_limits *limits)
{
	int nice = getpriority(PRIO_PROCESS, 0) + (limits->cpu_weight ? nice_of_weight(limits->cpu_weight) : 0);

	return nice > NICE_MOST ? NICE_MOST : nice < NICE_LEAST ? NICE_LEAST : nice;
}

static int check_weight(const struct policy_limits *limits, char why[LIMIT_WHY_SIZE])
{
	int now = getpriority(PRIO_PROCESS, 0), wanted = nice_for(limits);

	if (!limits->cpu_weight || wanted >= now)
		return 0;
	if (setpriority(PRIO_PROCESS, 0, wanted) == 0) { /* it can be done: undo it */
		setpriority(PRIO_PROCESS, 0, now);
		return 0;
	}
	snprintf(why, LIMIT_WHY_SIZE, "cpu_weight: more than %d needs a priority that this user may not give (nice %d)",
		 WEIGHT_USUAL, wanted);
	return -EINVAL;
}

int limit_check(const struct policy_limits *limits, char why[LIMIT_WHY_SIZE])
{
	unsigned files = launch_open_files(limits->open_files);

	if (limits->open_files && limits->open_files < OPEN_FILES_LEAST) {
		snprintf(why, LIMIT_WHY_SIZE, "open_files: %u is less than a program needs to start (at least %d)",
			 (unsigned)limits->open_files, OPEN_FILES_LEAST);
		return -EINVAL;
	}
	if (files == 0 || (limits->open_files && files < limits->open_files)) {
		snprintf(why, LIMIT_WHY_SIZE, "open_files: the hard limit of descriptors (ulimit -Hn) leaves %u",
			 files);
		return -EINVAL;
	}
	return check_weight(limits, why);
}

/* ---- in the child ------------------------------------------------------- */

/* Soft and hard alike; never above what there is. */
static int restrict_to(__rlimit_resource_t resource, rlim_t most)
{
	struct rlimit limit;

	if (getrlimit(resource, &limit) < 0)
		return -errno;
	if (limit.rlim_max != RLIM_INFINITY && limit.rlim_max < most)
		most = limit.rlim_max;
	limit.rlim_cur = limit.rlim_max = most;
	return setrlimit(resource, &limit) < 0 ? -errno : 0;
}

int limit_apply(const struct policy_limits *limits)
{
	int r = 0, nice = nice_for(limits);

	if (limits->write_bytes)
		r = restrict_to(RLIMIT_FSIZE, limits->write_bytes);
	if (r == 0 && limits->cpu_time_ms) /* a net below the meter's */
		r = restrict_to(RLIMIT_CPU, limits->cpu_time_ms / 1000 + SPARE_SECONDS);
	if (r == 0 && limits->cpu_weight) {
		r = setpriority(PRIO_PROCESS, 0, nice) < 0 ? -errno : 0;
		if (r == 0)
			r = restrict_to(RLIMIT_NICE, (rlim_t)(20 - nice));
		if (r == 0)
			r = restrict_to(RLIMIT_RTPRIO, 0);
	}
	return r;
}

/* ---- at a call ---------------------------------------------------------- */

/* A thread that has begun to end is not counted: pthread_join returns before it is gone. */
static bool is_exiting(pid_t tid)
{
	char path[64], text[1024];
	unsigned long flags;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)tid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT;
	ssize_t n = read(fd, text, sizeof text - 1);
	close(fd);
	text[n > 0 ? n : 0] = 0;
	const char *end = strrchr(text, ')'); /* the name before it may hold anything */
	return end && sscanf(end + 1, " %*c %*d %*d %*d %*d %*d %lu", &flags) == 1 && (flags & EXITING);
}

static unsigned exiting_threads(const struct tracees *all)
{
	unsigned count = 0;

	for (const struct task *t = all->tasks; t; t = t->hh.next)
		count += t->tid != t->process->tgid && is_exiting(t->tid);
	return count;
}

/* Live tasks, with those that are being made. */
static unsigned tasks_of(const struct tracees *all)
{
	return all->task_count + all->forking;
}

static bool may_make_task(struct guard *guard, struct task *task)
{
	const struct tracees *all = &guard->tracees;
	uint64_t most = guard->limits.processes;

	if (all->keeper)
		return headcount_one_more(&guard->headcount, task->tid, all->keeper, most, notify_give_lead);
	tracee_forking(task, false); /* the call may be made again after a signal */
	if (tasks_of(all) + meter_zombies(guard->meter, false) < most ||
	    tasks_of(all) + meter_zombies(guard->meter, true) < most ||
	    tasks_of(all) - exiting_threads(all) + meter_zombies(guard->meter, true) < most) {
		tracee_forking(task, true);
		return true;
	}
	return false;
}

/* fallocate(2): by mode it sets space aside, or gives it back, or moves it. */
static bool takes_space(uint64_t mode)
{
	return (mode & ~(uint64_t)(KEEP_SIZE_OR_GROW | UNSHARE_RANGE | ZERO_RANGE)) == 0;
}

static void note(struct guard *guard, const char *limit)
{
	const char *none = NULL;

	atomic_compare_exchange_strong(&guard->limited, &none, limit);
}

int limit_refuse(struct guard *guard, struct task *task, const struct call_stop *stop)
{
	if (stop->foreign || stop->x32 || (!guard->limits.processes && !guard->limits.write_bytes))
		return 0;
	const struct call *call = call_find(stop->number);
	switch (call->op) {
	case OP_CLONE:
		if (call_arg_index(call, ARG_CLONE_FLAGS, 0) < 0)
			return 0; /* unshare */
		__attribute__((fallthrough));
	case OP_FORK:
	case OP_CLONE3:
		if (!guard->limits.processes || may_make_task(guard, task))
			return 0;
		note(guard, "processes");
		return EAGAIN;
	case OP_ALLOCATE:
		if (!takes_space(stop->args[1]) || (int64_t)stop->args[3] <= 0 ||
		    meter_allocate(guard->meter, stop->args[3]))
			return 0;
		note(guard, "write_bytes");
		return ENOSPC;
	default:
		return 0;
	}
}

void limit_note_signal(struct guard *guard, int signal)
{
	if (signal == SIGXFSZ && guard->limits.write_bytes)
		note(guard, "write_bytes");
}
