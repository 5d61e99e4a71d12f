/* SPDX-License-Identifier: MIT */
/*
 * owned.h - what the run has made itself, and may therefore use whatever the policy says of strangers: unix sockets and
 * SysV IPC objects. Many threads may ask at once.
 */
#ifndef PICKET_TRACER_OWNED_H
#define PICKET_TRACER_OWNED_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "hash.h"

/* Families of SysV IPC identifiers: one namespace each. */
enum ipc_kind { IPC_SHARED_MEMORY, IPC_SEMAPHORES, IPC_MESSAGES };

/* A file by device, inode, and when that was made: a number is given again to another file. */
struct file_id {
	dev_t dev;
	ino_t ino;
	int64_t made_s; /* 0 where the file system does not tell */
	int64_t made_ns;
};

struct owned_socket {
	struct file_id id;
	UT_hash_handle hh;
};

/* A SysV IPC object. */
struct owned_ipc {
	uint64_t kind_and_id;
	bool removed; /* memory that lasts as long as somebody has it attached */
	UT_hash_handle hh;
};

struct owned {
	struct owned_socket *sockets; /* hash: those that have a name in the file system */
	struct owned_ipc *ipc;	      /* hash */
	pthread_mutex_t lock;	      /* of both */
};

/*
 * Unix sockets in the file system that the run has made itself. The last few thousand are remembered; what is not, is
 * refused later. `bound` was just bound to `name`; what has that name by now and is no socket, or, as far as the kernel
 * tells, another, is not remembered.
 */
enum { OWNED_NO_COPY = -2 }; /* in place of `bound`: there is no way to look at it */
void owned_add_socket(struct owned *owned, int bound, const char *name);
bool owned_has_socket(struct owned *owned, int fd);

/* SysV IPC objects, which this process makes and removes for the run. There may be a few thousand at a time: none is forgotten, as
 * each is removed at the end. False: there is no room, or no memory, for one more. */
bool owned_add_ipc(struct owned *owned, enum ipc_kind kind, int id);
bool owned_has_ipc(struct owned *owned, enum ipc_kind kind, int id);
/* It was removed. */
void owned_forget_ipc(struct owned *owned, enum ipc_kind kind, int id);
/* Remove all of them: nobody of the run is left. */
void owned_end_ipc(struct owned *owned);

/* What the kernel says of whether there is such an object: 0 or -errno, -EINVAL and -EIDRM when there is none. */
int ipc_look(enum ipc_kind kind, int id);
int ipc_remove(enum ipc_kind kind, int id);

/* Forget everything. */
void owned_free(struct owned *owned);

#endif
