/* SPDX-License-Identifier: MIT */
/*
 * perform_inside.h - what the perform_*.c have in common. Results are as the
 * kernel gives them: a value, or -errno.
 */
#ifndef PICKET_TRACER_PERFORM_INSIDE_H
#define PICKET_TRACER_PERFORM_INSIDE_H

#include <limits.h>

#include "judge.h"
#include "notify_inside.h"
#include "perform_aside.h"

/* A call that is being carried out. */
struct deed {
	struct guard *guard;
	struct request *request;
	const struct judgement *judgement;
	struct task *task;
	const uint64_t *tail;  /* arguments after the first name or descriptor */
	int fd;		       /* what the first name stands for, held; see struct resolved */
	char path[32];	       /* leads to it */
	struct caller *caller; /* who does it */
	int give;	       /* a descriptor that is the result, or -1, */
	bool close_on_exec;    /* with this flag */
};

void deed_begin(struct deed *deed, struct guard *guard, struct request *request, const struct judgement *judgement);

/* ---- the task's memory -------------------------------------------------- */

/* Copy from it, or to it. 0 or -errno; -ESRCH: it is gone. */
int deed_take(const struct deed *deed, uint64_t address, void *to, size_t length);
ssize_t deed_take_string(const struct deed *deed, uint64_t address, char *to, size_t size);
int deed_put(const struct deed *deed, uint64_t address, const void *from, size_t length);

/* ---- its descriptors ---------------------------------------------------- */

/* A copy of one; or -errno. */
int deed_descriptor(const struct deed *deed, int fd);

/* ---- places: where a name is made or removed ---------------------------- */

struct place {
	int dirfd;
	bool own;		 /* dirfd is to be closed */
	char last[NAME_MAX + 2]; /* with a trailing slash when the text had one */
};

/* Where `name` was judged to be. 0, -errno or PERFORM_AGAIN. */
int64_t place_find(const struct deed *deed, const struct name_arg *name, struct place *place);
void place_close(struct place *place);

/* Files are made with the task's umask until the next call of this. 0 or -errno. */
int deed_umask(const struct deed *deed);

/* ---- by what a call does ------------------------------------------------ */

int64_t perform_open(struct deed *deed);
/* Is what the task got with O_PATH something that it may have? */
bool perform_approves_path(struct guard *guard, struct request *request, int fd);

typedef int64_t perform_function(struct deed *deed);
/* The function for a call that looks at or changes the object of its name; NULL: none. */
perform_function *perform_attribute(const struct call *call);

int64_t perform_create(struct deed *deed); /* mkdir, mknod */
int64_t perform_symlink(struct deed *deed);
int64_t perform_remove(struct deed *deed);
int64_t perform_rename(struct deed *deed);
int64_t perform_link(struct deed *deed);
int64_t perform_watch(struct deed *deed);

int64_t perform_connect(struct deed *deed); /* connect, sendto */
int64_t perform_bind(struct deed *deed);
int64_t perform_listen(struct deed *deed);
int64_t perform_sockopt(struct deed *deed);
int64_t perform_send(struct deed *deed); /* sendmsg, sendmmsg */

int64_t perform_signal(struct deed *deed);
int64_t perform_process(struct deed *deed);
int64_t perform_ipc(struct deed *deed);
int64_t perform_ioctl(struct deed *deed);
int64_t perform_fcntl(struct deed *deed);

/* A result: the task is to make the call itself, and what came of it is looked at (notify_follow). */
#define PERFORM_FOLLOWED (INT64_MIN + 2)

/* A result of the last five, and of those about sockets: it may be let proceed as it is. */
#define PERFORM_PROCEED (INT64_MIN + 1)

#endif
