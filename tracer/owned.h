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
	int64_t made_s;		/* 0 where the file system does not tell */
	int64_t made_ns;
};

struct owned_socket {
	struct file_id id;
	UT_hash_handle hh;
};

/* A SysV IPC object. */
struct owned_ipc {
	uint64_t kind_and_id;
	UT_hash_handle hh;
};

struct owned {
	struct owned_socket *sockets;	/* hash: those that have a name in the file system */
	struct owned_ipc *ipc;		/* hash */
	pthread_mutex_t lock;		/* of both */
};

/*
 * Unix sockets in the file system that the run has made itself. The last few thousand are remembered; what is not, is
 * refused later. `bound` was just bound to `name`; what has that name by now and is no socket, or, as far as the kernel
 * tells, another, is not remembered.
 */
enum { OWNED_NO_COPY = -2 };	/* in place of `bound`: there is no way to look at it */
void owned_add_socket(struct owned *owned, int bound, const char *name);
bool owned_has_socket(struct owned *owned, int fd);

/* The same for SysV IPC objects. */
void owned_add_ipc(struct owned *owned, enum ipc_kind kind, int id);
bool owned_has_ipc(struct owned *owned, enum ipc_kind kind, int id);

/* Forget everything. */
void owned_free(struct owned *owned);

#endif
