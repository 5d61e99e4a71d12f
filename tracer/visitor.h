/* SPDX-License-Identifier: MIT */
/*
 * visitor.h - a task as level notify knows it: for one call, with nothing
 * remembered from the last. What it shares with others counts as shared until it is asked for.
 */
#ifndef PICKET_TRACER_VISITOR_H
#define PICKET_TRACER_VISITOR_H

#include "tracee.h"

struct visitor {
	struct task task;
	struct process process;
	struct share memory, files, fs;
};

void visitor_come(struct visitor *visitor, struct tracees *all, pid_t tid);
void visitor_go(struct visitor *visitor);

/* Find out whether its descriptors are its own; tracee_private_files tells it then. */
void visitor_look(struct task *task);

#endif
