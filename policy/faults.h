/* SPDX-License-Identifier: MIT */
/*
 * faults.h - all that is wrong with a policy, collected while it is read and
 * handed out in the order of the text. Outside only.
 */
#ifndef PICKET_POLICY_FAULTS_H
#define PICKET_POLICY_FAULTS_H

#include "compile.h"

/* Where something stands. The file's name is borrowed. */
struct place {
	const char *file; /* as the user named it, or as @include does; NULL: the command line */
	unsigned line;	  /* 0: the file as a whole */
	unsigned column;  /* in bytes, from 1; 0: not known */
};

struct faults;

struct faults *faults_new(void); /* NULL: out of memory */
void faults_free(struct faults *faults);

/*
 * Add "FILE:LINE:COLUMN: " or "command line: " and the formatted text. What is not printable in it is escaped
 * (complaint.h). Out of memory is remembered and returned by faults_take.
 */
__attribute__((format(printf, 3, 4))) void fault(struct faults *faults, struct place place, const char *format, ...);

size_t faults_count(const struct faults *faults);

/*
 * Move them into *out, sorted: files in the order in which they first had a fault or were noted, lines, columns; the
 * command line last. 0 or -ENOMEM (then *out is empty).
 */
int faults_take(struct faults *faults, struct policy_errors *out);

/* This file comes before those that are named later. */
void faults_note_file(struct faults *faults, const char *file);

#endif
