/* SPDX-License-Identifier: MIT */
/*
 * program.h - what kind of program a file is, before it runs.
 */
#ifndef PICKET_TRACER_PROGRAM_H
#define PICKET_TRACER_PROGRAM_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

enum program_kind {
	PROGRAM_UNKNOWN, /* neither ELF nor script: ENOEXEC */
	PROGRAM_SCRIPT,	 /* "#!": `interpreter` runs it */
	PROGRAM_ELF,	 /* x86-64; `interpreter` is empty when it is static */
	PROGRAM_FOREIGN, /* ELF of another architecture or ABI */
	PROGRAM_LOW,	 /* wants to be loaded where addresses are reserved (wire.h) */
};

struct program_file {
	enum program_kind kind;
	char interpreter[PATH_MAX];
	bool loader; /* ELF: a dynamic loader, which takes the program to run as an argument */
};

/* Look into a file that is held by an O_PATH descriptor; `st` is what fstat(2) has just said of it. 0 or -errno (-EACCES: may be run,
 * not read). */
int program_look(int path_fd, const struct stat *st, struct program_file *file);
/* The same where it has not been asked yet. */
int program_read(int path_fd, struct program_file *file);

/*
 * The arguments of a dynamic loader run as a program: index of the one that names the program it is to run, 0 when it
 * runs none (--version), or -EINVAL when that cannot be told (an unknown option; a name without a slash is searched for).
 */
int program_of_loader(char *const *argv);

#endif
