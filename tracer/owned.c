/* SPDX-License-Identifier: MIT */
/*
 * owned.c - see owned.h. A socket is told by its file, not by a name that may be moved to another.
 */
#include "owned.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

enum { OWNED_MOST = 4096 };	/* sockets, and IPC objects, that are remembered */

/* Of what is there and a socket. */
static bool socket_id(int dirfd, const char *name, struct file_id *id)
{
	struct statx stx;

	if (statx(dirfd, name, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW, STATX_TYPE | STATX_INO | STATX_BTIME, &stx) < 0 ||
	    !S_ISSOCK(stx.stx_mode))
		return false;
	memset(id, 0, sizeof *id);	/* it is hashed as bytes */
	id->dev = makedev(stx.stx_dev_major, stx.stx_dev_minor);
	id->ino = stx.stx_ino;
	if (stx.stx_mask & STATX_BTIME) {
		id->made_s = stx.stx_btime.tv_sec;
		id->made_ns = stx.stx_btime.tv_nsec;
	}
	return true;
}

static struct owned_socket *find_socket(struct owned *owned, const struct file_id *id)
{
	struct owned_socket *socket;

	HASH_FIND(hh, owned->sockets, id, sizeof *id, socket);
	return socket;
}

static void forget_socket(struct owned *owned, struct owned_socket *socket)
{
	HASH_DEL(owned->sockets, socket);
	free(socket);
}

void owned_add_socket(struct owned *owned, int dirfd, const char *name)
{
	struct owned_socket *socket;
	struct file_id id;

	pthread_mutex_lock(&owned->lock);
	if (socket_id(dirfd, name, &id) && !find_socket(owned, &id) && (socket = calloc(1, sizeof *socket)) != NULL) {
		socket->id = id;
		if (HASH_COUNT(owned->sockets) >= OWNED_MOST)
			forget_socket(owned, owned->sockets);	/* the first is the oldest */
		HASH_ADD(hh, owned->sockets, id, sizeof socket->id, socket);
	}
	pthread_mutex_unlock(&owned->lock);
}

bool owned_has_socket(struct owned *owned, int fd)
{
	struct file_id id;

	pthread_mutex_lock(&owned->lock);
	bool has = socket_id(fd, "", &id) && find_socket(owned, &id) != NULL;
	pthread_mutex_unlock(&owned->lock);
	return has;
}

static void forget_ipc(struct owned *owned, struct owned_ipc *object)
{
	HASH_DEL(owned->ipc, object);
	free(object);
}

static struct owned_ipc *find_ipc(struct owned *owned, enum ipc_kind kind, int id)
{
	uint64_t key = (uint64_t)kind << 32 | (uint32_t)id;
	struct owned_ipc *object;

	HASH_FIND(hh, owned->ipc, &key, sizeof key, object);
	return object;
}

void owned_add_ipc(struct owned *owned, enum ipc_kind kind, int id)
{
	pthread_mutex_lock(&owned->lock);
	struct owned_ipc *object = find_ipc(owned, kind, id);

	if (!object && (object = calloc(1, sizeof *object)) != NULL) {
		if (HASH_COUNT(owned->ipc) >= OWNED_MOST)
			forget_ipc(owned, owned->ipc);
		object->kind_and_id = (uint64_t)kind << 32 | (uint32_t)id;
		HASH_ADD(hh, owned->ipc, kind_and_id, sizeof object->kind_and_id, object);
	}
	pthread_mutex_unlock(&owned->lock);
}

bool owned_has_ipc(struct owned *owned, enum ipc_kind kind, int id)
{
	pthread_mutex_lock(&owned->lock);
	bool has = find_ipc(owned, kind, id) != NULL;
	pthread_mutex_unlock(&owned->lock);
	return has;
}

void owned_free(struct owned *owned)
{
	struct owned_socket *socket, *next_socket;
	HASH_ITER(hh, owned->sockets, socket, next_socket)
		forget_socket(owned, socket);
	struct owned_ipc *object, *next_object;
	HASH_ITER(hh, owned->ipc, object, next_object)
		forget_ipc(owned, object);
}
