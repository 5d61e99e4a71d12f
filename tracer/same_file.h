/* SPDX-License-Identifier: MIT */
/*
 * same_file.h - is a file the one that it was? Its inode may have passed to another one meanwhile, or have got another name: then its
 * ctime is another, too (inode(7)).
 */
#ifndef PICKET_TRACER_SAME_FILE_H
#define PICKET_TRACER_SAME_FILE_H

#include <stdbool.h>
#include <sys/stat.h>

struct same_file {
	dev_t dev;
	ino_t ino;
	struct timespec changed; /* st_ctim */
};

static inline struct same_file same_file_of(const struct stat *st)
{
	return (struct same_file){st->st_dev, st->st_ino, st->st_ctim};
}

/* Does this name lead to it now? False, too, when that cannot be told. */
static inline bool same_file_at(const struct same_file *file, const char *name)
{
	struct stat st;

	return stat(name, &st) == 0 && st.st_dev == file->dev && st.st_ino == file->ino &&
	       st.st_ctim.tv_sec == file->changed.tv_sec && st.st_ctim.tv_nsec == file->changed.tv_nsec;
}

#endif
