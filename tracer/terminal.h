/* SPDX-License-Identifier: MIT */
/*
 * terminal.h - whose terminal it is. The names of pseudoterminals (pts(4)) are numbers that are given again as soon as
 * they are free, and those of all sessions of the user lie in one directory; what is typed into another session, and
 * what it shows, is not the run's. So whatever the policy says of that directory, the run gets those terminals only that
 * it was started on, and those of which it has the other end.
 */
#ifndef PICKET_TRACER_TERMINAL_H
#define PICKET_TRACER_TERMINAL_H

#include <stdbool.h>
#include <sys/types.h>

#include "resolve.h"
#include "tracee.h"

/* Is it the named end of a pseudoterminal? */
bool terminal_is_pseudo(const struct resolved *at);

/* Is that one of the run's? */
bool terminal_is_ours(struct tracees *all, const struct resolved *at);

/* Until the task's call is over, its name is not given to another: for one of which the run has the other end. False: it is not (any
 * more) one of the run's. To be given to a judgement's `note`: it is over. */
bool terminal_hold(struct task *task, const struct resolved *at);
int64_t terminal_let_go(struct task *task, int64_t result);

/* Number of the terminal of a process's session; 0: it has none. */
dev_t terminal_of_session(pid_t pid);

/* A name of the terminal with this number, where it can be one. 0 or -ENXIO. */
int terminal_name(dev_t terminal, char path[64]);

#endif
