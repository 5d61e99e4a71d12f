/* SPDX-License-Identifier: MIT */
/*
 * coverage.h - the table of system calls for people and programs: what `picket syscalls` prints.
 */
#ifndef PICKET_TRACER_COVERAGE_H
#define PICKET_TRACER_COVERAGE_H

#include <stdio.h>

enum coverage_format {
	COVERAGE_TEXT,	   /* columns, one line a call */
	COVERAGE_MARKDOWN, /* the same as a Markdown table */
	COVERAGE_JSON,	   /* one object: schema, architecture, calls */
};

/*
 * Print every call of the table, by number: its class, what it does, what is judged of it and how it is kept free of
 * races. Flushes `to`. 0, or -errno: what writing gave, -ENOMEM, -EINVAL for a format that there is not.
 */
int coverage_print(FILE *to, enum coverage_format format);

#endif
