/* SPDX-License-Identifier: MIT */
/*
 * shim_names.h - the functions that the shim stands in front of, and which programs call any of them: the others lose
 * nothing without it, and start faster. Nothing rests on the answer but speed (gate_withdraw.c).
 */
#ifndef PICKET_TRACER_SHIM_NAMES_H
#define PICKET_TRACER_SHIM_NAMES_H

#include <stdbool.h>
#include <stddef.h>

struct shim_names {
	char **list; /* sorted; one block of memory with its text, malloc'ed */
	size_t count;
};

/* From the shim's file. 0, -ENOEXEC (there are none), or another -errno. */
int shim_names_read(struct shim_names *names, const char *path);
void shim_names_free(struct shim_names *names);

/* May the program that `fd` holds for reading call one of them? False only when it needs no library but libc, and asks for none of
 * these names; whatever cannot be read may. */
bool shim_names_used(const struct shim_names *names, int fd);

#endif
