/* SPDX-License-Identifier: MIT */
/*
 * gate_page.h - a program gets the gate's page when it has been executed and has run no instruction: nobody else has its memory then. The
 * task is stopped at PTRACE_EVENT_EXEC, or, where said, at the end of the call behind that.
 */
#ifndef PICKET_TRACER_GATE_PAGE_H
#define PICKET_TRACER_GATE_PAGE_H

#include "guard.h"

/* The first instructions that it runs are ours, and map the page. False: it has no place for them, or perhaps none for the page, and
 * nothing was changed. */
bool gate_page_begin(struct guard *guard, struct task *task);

/* At the end of the call: the task is let go on to map it, by a call of its own and a trap behind that (which takes SIGTRAP from
 * those that it blocks or ignores). False: it cannot be done. */
bool gate_page_map(struct guard *guard, struct task *task);
/* Is this signal the trap behind that call, and not one of somebody's? */
bool gate_page_is_mapped(const struct task *task, int signal);
/* Everything is as it was, but for the page. False: that is not where it should be. */
bool gate_page_done(struct task *task);

#endif
