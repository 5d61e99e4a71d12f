/* SPDX-License-Identifier: MIT */
/*
 * constant.h - files whose contents nobody in the run can change. That no rule lets a file's name be written is not enough: it may have
 * another name, by a hard link or a second mount, or be open for writing already.
 */
#ifndef PICKET_TRACER_CONSTANT_H
#define PICKET_TRACER_CONSTANT_H

#include <stdbool.h>
#include <sys/stat.h>

/* Before the run begins. */
void constant_begin(void);

/* Is this the name of such a file, if the policy lets nobody write to that name? From any thread. */
bool constant_file(const char *name);

/* The same where stat(2) has been asked already: of what is held by a descriptor that this name has just led to. */
bool constant_held(const char *name, const struct stat *st);

#endif
