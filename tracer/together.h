/* SPDX-License-Identifier: MIT */
/*
 * together.h - levels ptrace and seccomp: the supervisor and the one task that it serves on one processor.
 *
 * A stop wakes the supervisor, and the answer wakes the task. The kernel wakes each on a processor that has nothing to do, so
 * both times one has to be brought out of its sleep, which takes longer than all the rest of a stop (most of all in a virtual
 * machine, where it is an exit to the host). While the stops that come are all of one task, the supervisor keeps itself on a
 * processor, and lets that task run on the same one only: then the one goes on where the other has just left off. The task
 * is held so until another one stops, or for some milliseconds without a stop: work in parallel, and long work, is left
 * to the scheduler; so is all of a run in which two processes have no children that they could wait for. A child that it makes is held with it, and it stays while the child does: as a rule it waits for the
 * child's end, and then goes on where the child was. If it does not wait, it stops before long, and both are let go.
 *
 * The tool must not see it:
 *   - calls that tell or change what a task may run on stop (together_shown_by); no task is held while one is under way;
 *   - nor is a task of a process whose /proc/PID/status was opened, which tells the same;
 *   - a child has what its maker may run on otherwise before it, or anybody else but its maker, runs;
 *   - so has one that has ended before its maker can be told;
 *   - a task is never put where it may not run.
 * Outside the run it can be seen, and what somebody there sets meanwhile stays.
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

/* It has ended, and nobody has waited for it: its maker may still ask about it. */
void together_ending(struct together *together, pid_t tid);

/* It is gone. */
void together_gone(struct together *together, pid_t tid);

/* A task has got another number by an exec. */
void together_renamed(struct together *together, pid_t former, pid_t tid);

/* No stop came, but a signal: that may have been the time that a task is held without one. */
void together_interrupted(struct together *together);

/* The answer: ptrace(request, task->tid, NULL, signal). */
void together_resume(struct together *together, const struct task *task, enum __ptrace_request request, int signal);

/* `maker` is stopped in the call in which it made `child`, and `child` has not run. `maker` 0: it is not known. */
void together_born(struct together *together, pid_t maker, pid_t child);

#endif
