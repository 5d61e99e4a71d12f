/* SPDX-License-Identifier: MIT */
/*
 * absent.h - names that are not there: a program that asks for many of them, as a compiler does that looks for a header in one directory
 * after the other, is told so without a stop. Level seccomp; at level gate the shim sees to it.
 */
#ifndef PICKET_TRACER_ABSENT_H
#define PICKET_TRACER_ABSENT_H

#include <stdbool.h>
#include <stdint.h>

struct guard;
struct request;
struct task;

/* What is known of it in an address space. */
struct absent {
	uint64_t site;	/* behind the call by which a missing name was opened last */
	unsigned count; /* so often one after the other */
	uint64_t room;	/* where the code lies that asks first; 0: nowhere */
	bool never;	/* it is not tried, or not any more, or there have been threads */
};

/* May programs of this run be told so? Then it has to be known which of them make filters of their own (absent_filters). */
bool absent_serves(const struct guard *guard);

/* A call is about to be answered that there is no such name. */
void absent_missed(const struct guard *guard, const struct request *request);

/* The process is about to make a seccomp filter of its own, or to be told of its own calls (PR_SET_SYSCALL_USER_DISPATCH(2const)): from
 * now on it, and what descends from it, makes no call that it would not have made. */
void absent_filters(struct guard *guard, struct request *request);

/* The task is stopped, and about to get a signal. If it is in the code that asks first, it is put where it makes the call, and
 * nothing was asked. */
void absent_leave(const struct task *task);

#endif
