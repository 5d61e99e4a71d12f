/* SPDX-License-Identifier: MIT */
/*
 * resolve.h - what a name means to a task: walked by the kernel, with the
 * task's working directory, descriptors and /proc/self, and held by a descriptor. The name that is judged is read back
 * from what is held (readlink of /proc/self/fd/N), never put together from the text.
 */
#ifndef PICKET_TRACER_RESOLVE_H
#define PICKET_TRACER_RESOLVE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "tracee.h"

/* How the last component is taken. */
enum resolve_last {
	RESOLVE_FOLLOW,	  /* an object; a symbolic link is followed; may turn out missing */
	RESOLVE_NOFOLLOW, /* an object, or a symbolic link itself */
};

/* A symbolic link in the root, such as /bin, and its text. link "": none that is known. */
enum { RESOLVE_HOP_LINK = 16, RESOLVE_HOP_TEXT = 32 };
struct resolve_hop {
	char link[RESOLVE_HOP_LINK], text[RESOLVE_HOP_TEXT];
};

struct resolved {
	int error;	  /* 0, or the -errno with which the kernel itself would refuse the name */
	bool exists;	  /* else: the parent exists, the last component does not */
	bool nameless;	  /* a pipe, socket, memfd or deleted file, reached through a descriptor in /proc */
	bool deleted;	  /* nameless with a name that it once had */
	bool magic;	  /* the way led through a link of /proc that changes with a process, */
	bool magic_other; /* one of another task of the run, that has descriptors or a directory of its own */
	int magic_fd;	  /* the last of them was /proc/self/fd/N: N, else -1 */
	bool stranger;	  /* it led, or would have, through such a link of a process outside the run */
	bool linked;	  /* it led, or may have, through symbolic links */
	bool absolute;	  /* the text began at the root */
	pid_t tid;	  /* of the task that said it, if it may have other rights than the thread that looks; else 0 */
	bool slash;	  /* the text ended in '/': must be a directory */
	bool own_proc;	  /* an entry of /proc/PID of the task's own process, */
	bool run_proc;	  /* or of some process of the run, */
	bool ended;	  /* which has ended, and whose number may pass to a stranger (tracee_ended) */
	int fd;		  /* O_PATH descriptor of the object, or of the parent when it does not exist */
	mode_t type;	  /* S_IFMT bits of the object; 0 when it does not exist */
	struct stat held; /* what fstat(2) says of it */
	struct resolve_hop hop;		    /* linked: the link at the root that the name leads through */
	char name[PATH_MAX + NAME_MAX + 2]; /* absolute name of the object; NUL-terminated */
	size_t length;
	char judged[PATH_MAX + NAME_MAX +
		    2]; /* the name for the policy: entries of the run's processes are below /proc/self */
	size_t judged_length;
	char base[PATH_MAX]; /* linked: the directory at which a relative name began; "": that has no name */
};

/* The last component of a text, without the slashes behind it; *length is 0 for "/" and "". */
const char *resolve_last_of(const char *path, size_t *length);

/*
 * Resolve `path` for a stopped task (`makes`: its last component may be missing, and then the name it would have matters), relative to its descriptor `dirfd` (or AT_FDCWD). Fills *out; out->fd must be
 * given to resolve_close. Never fails otherwise: what cannot be resolved has out->error set.
 */
void resolve_path(struct tracees *all, struct task *task, int dirfd, const char *path, enum resolve_last last,
		  bool makes, struct resolved *out);

/* The same under the RESOLVE_* flags `how` of openat2(2), by which a name may even begin elsewhere. */
void resolve_as(struct tracees *all, struct task *task, int dirfd, const char *path, enum resolve_last last, bool makes,
		uint64_t how, struct resolved *out);

/* The object of a descriptor of the task. */
void resolve_fd(struct tracees *all, struct task *task, int fd, struct resolved *out);

void resolve_close(struct resolved *out);

/* Would the mode bits (or a read-only file system) refuse this anyway? `access` is R_OK|W_OK|X_OK, of the object or, when
 * it does not exist, of its parent. 0 or -errno. */
int resolve_ordinary(const struct resolved *out, int access);

/* The same of what `fd` holds (O_PATH), to the task that said that name. */
int resolve_ordinary_of(const struct resolved *out, int fd, int access);

#endif
