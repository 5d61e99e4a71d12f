/* SPDX-License-Identifier: MIT */
/*
 * shim_file.h - the shim as a file: where it is, whether it is one that this
 * launcher can have loaded, and the environment that has it loaded.
 */
#ifndef PICKET_TRACER_SHIM_FILE_H
#define PICKET_TRACER_SHIM_FILE_H

#include <stdbool.h>
#include <stddef.h>

#define SHIM_FILE_NAME "libpicket-preload.so"

/*
 * Beside this program, or where `make install` puts it. 0 and *path (malloc'ed, absolute); or -errno, and `why` is one
 * clause: it is not there, of another version, or its name cannot stand in LD_PRELOAD.
 */
int shim_file_find(char **path, char *why, size_t size);

/* Put it first in LD_PRELOAD of *environment (malloc'ed strings in a malloc'ed list), before what is there; `alone`: by the name
 * that says that it is the guard (wire.h). 0 or -ENOMEM. */
int shim_file_pass(const char *path, bool alone, char ***environment);

/*
 * Does the program that `fd` holds (for reading, or O_PATH) have AddressSanitizer's library in it, which wants to be the first
 * that is loaded? shim_file_excuse makes it accept that it is not: 0 or -ENOMEM.
 */
bool shim_file_sanitizer(int fd);
int shim_file_excuse(char ***environment);

#endif
