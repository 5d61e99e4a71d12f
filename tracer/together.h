/* SPDX-License-Identifier: MIT */
/*
 * together.h - levels ptrace and seccomp: the supervisor and the one task that it serves on one processor.
 *
 * A stop wakes the supervisor, and the answer wakes the task. The kernel wakes each on a processor that has nothing to do, so
 * both times one has to be brought out of its sleep, which takes longer than all the rest of a stop (most of all in a virtual
 * machine, where it is an exit to the host). While the stops that come are all of one task, the supervisor keeps itself on a
 * processor, and for the moment in which it lets the task go on allows the task only that one: then the one goes on
 * where the other has just left off. What the task may run on is put back at once, so from there it may go anywhere. Work in
 * parallel is told by stops of several tasks, and is left to the scheduler.
 *
 * The tool must not see it:
 *   - calls that tell or change what a task may run on stop (ARG_AFFINITY), and while one of them is under way nothing is done;
 *   - neither is it done to processes whose /proc/PID/status was opened, which tells the same;
 *   - a child that was made in such a moment gets what its maker has, before it runs;
 *   - a task is never put where it may not run.
 * Somebody outside the run who changes the same thing within that moment is not heard.
 */
#ifndef PICKET_TRACER_TOGETHER_H
#define PICKET_TRACER_TOGETHER_H

#include <stdbool.h>
#include <sys/ptrace.h>

#include "tracee.h"

struct together;

/* Is this a call that tells or changes what a task may run on? It has to stop, and at its end as well (tracee_seeing). */
bool together_shown_by(long number);

/* For the calling thread; end it there, too. NULL: there is nothing to be gained here (one processor, or the kernel does not
 * tell), or no memory. All functions take NULL. */
struct together *together_begin(void);
void together_end(struct together *together);

/* A stop of this task was just taken in. */
void together_stopped(struct together *together, const struct task *task);

/* The answer: ptrace(request, task->tid, NULL, signal). With `hold` the task stays where it is until the next stop of any task,
 * to which it must come before it runs code of its own: the kernel takes an exec for the best time to move a task. */
void together_resume(struct together *together, const struct task *task, enum __ptrace_request request, int signal, bool hold);

/* `maker` is stopped in the call in which it made `child`, and `child` has not run. */
void together_born(struct together *together, const struct task *maker, const struct task *child);

#endif
