/* SPDX-License-Identifier: MIT */
/*
 * mapped.h - what lies at an address of a task: memory that nobody else can write to, or a file, and which.
 */
#ifndef PICKET_TRACER_MAPPED_H
#define PICKET_TRACER_MAPPED_H

#include <limits.h>

#include "tracee.h"

/* Is nothing mapped below this address? (false when it cannot be told) Also between an exec and tracee_exec, when
 * a task still stands for the memory that is gone. */
bool mapped_nothing_below(pid_t tid, uint64_t address);

/* Does this very file lie at the address? False, too, when it cannot be told, and on file systems whose files have another device in
 * stat(2) (btrfs, overlayfs). Also between an exec and tracee_exec. */
bool mapped_is(pid_t tid, uint64_t address, dev_t dev, ino_t ino);

/* Between an exec and tracee_exec: is the lowest code that of this program, and the next that of its interpreter, as the kernel has put
 * them? There is nothing else yet, so then it is what runs; its code alone could be that of the interpreter of another one. Of
 * one that was approved, and cannot have been changed since; false tells nothing. The descriptor that was asked stays with the new
 * memory. */
bool mapped_runs(struct task *task, const struct program *program);

/* A file that is mapped. */
struct mapped {
	char name[PATH_MAX]; /* as the kernel has it; NUL-terminated */
	dev_t dev;	     /* not what stat(2) says on some file systems (btrfs, overlayfs) */
	ino_t ino;
};

/* What file do these bytes lie in, unchanged, by a private mapping? 0 and *file, or
 * -ENXIO (in anonymous memory by a private mapping), -ENOENT (in neither), -ENOTTY (it cannot be asked: before Linux 6.11), or
 * another -errno. */
int mapped_file(const struct task *task, uint64_t address, size_t length, struct mapped *file);

/* Code that was mapped from a file and that only its own process could change: from where to where it is mapped, and from which offset of
 * the file on. */
struct mapped_code {
	uint64_t start, end, offset;
};

/* What such code lies at the address? 0, -ENOENT (none) or another -errno. Also before Linux 6.11, at the price of the whole list. */
int mapped_code(const struct task *task, uint64_t address, struct mapped_code *code);

#endif
