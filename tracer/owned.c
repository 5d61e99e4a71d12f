/* SPDX-License-Identifier: MIT */
/*
 * owned.c - see owned.h. A socket is told by its file, not by a name that may be moved to another.
 */
#include "owned.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "cleanup.h"

enum { OWNED_MOST = 4096 }; /* sockets, and IPC objects, that are remembered */

/* Of what is there and a socket. */
static bool socket_id(int dirfd, const char *name, struct file_id *id)
{
	struct statx stx;

	if (statx(dirfd, name, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW, STATX_TYPE | STATX_INO | STATX_BTIME, &stx) < 0 ||
	    !S_ISSOCK(stx.stx_mode))
		return false;
	memset(id, 0, sizeof *id); /* it is hashed as bytes */
	id->dev = makedev(stx.stx_dev_major, stx.stx_dev_minor);
	id->ino = stx.stx_ino;
	if (stx.stx_mask & STATX_BTIME) {
		id->made_s = stx.stx_btime.tv_sec;
		id->made_ns = stx.stx_btime.tv_nsec;
	}
	return true;
}

/* ---- which file a socket is bound to ------------------------------------ */

/* Ask by netlink of the socket with this number, sock_diag(7). Bytes of the answer or -errno. */
static ssize_t ask_of_socket(uint32_t number, char *answer, size_t room)
{
	struct {
		struct nlmsghdr header;
		struct unix_diag_req ask;
	} question = {
		.header = {.nlmsg_len = sizeof question,
			   .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			   .nlmsg_flags = NLM_F_REQUEST},
		.ask = {.sdiag_family = AF_UNIX,
			.udiag_states = UINT32_MAX,
			.udiag_ino = number,
			.udiag_show = UDIAG_SHOW_VFS,
			.udiag_cookie = {UINT32_MAX, UINT32_MAX}},
	};
	cleanup_fd int netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);

	if (netlink < 0 || send(netlink, &question, sizeof question, 0) < 0)
		return -errno;
	ssize_t n = recv(netlink, answer, room, 0);
	return n < 0 ? -errno : n;
}

/* Is it known that the socket is bound to another file than that of this inode? Its name may have been given to somebody else's
 * since. Not every kernel tells (CONFIG_UNIX_DIAG); the inode is not used again while the socket is there. */
static bool bound_elsewhere(int socket, uint64_t inode)
{
	_Alignas(struct nlmsghdr) char answer[1024] = "";
	struct stat st;
	ssize_t n = fstat(socket, &st) < 0 ? -errno : ask_of_socket((uint32_t)st.st_ino, answer, sizeof answer);
	const struct nlmsghdr *header = (const struct nlmsghdr *)(const void *)answer;

	if (n < 0 || !NLMSG_OK(header, (size_t)n) || header->nlmsg_type != SOCK_DIAG_BY_FAMILY)
		return false;
	unsigned left = (unsigned)NLMSG_PAYLOAD(header, sizeof(struct unix_diag_msg));
	const struct rtattr *attribute =
		(const struct rtattr *)(const void *)((const char *)NLMSG_DATA(header) +
						      NLMSG_ALIGN(sizeof(struct unix_diag_msg)));
	for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left))
		if (attribute->rta_type == UNIX_DIAG_VFS)
			return ((const struct unix_diag_vfs *)RTA_DATA(attribute))->udiag_vfs_ino != (uint32_t)inode;
	return true; /* to none that has a name */
}

/* ------------------------------------------------------------------------- */

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

void owned_add_socket(struct owned *owned, int bound, const char *name)
{
	struct owned_socket *socket;
	struct file_id id;

	if (!socket_id(AT_FDCWD, name, &id) || (bound != OWNED_NO_COPY && bound_elsewhere(bound, id.ino)))
		return;
	pthread_mutex_lock(&owned->lock);
	if (!find_socket(owned, &id) && (socket = calloc(1, sizeof *socket)) != NULL) {
		socket->id = id;
		if (HASH_COUNT(owned->sockets) >= OWNED_MOST)
			forget_socket(owned, owned->sockets); /* the first is the oldest */
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

/* Memory that was removed is there until the last one who has it attached lets go of it, and can be attached until then (Linux;
 * shmctl(2)). Then the number may be given to a stranger's: which this process has not made. */
static bool lingers(int id)
{
	struct shmid_ds about;

	return shmctl(id, IPC_STAT, &about) == 0 && (about.shm_perm.mode & SHM_DEST) && about.shm_cpid == getpid();
}

static void forget_gone(struct owned *owned)
{
	struct owned_ipc *object, *next;

	HASH_ITER(hh, owned->ipc, object, next)
	if (object->removed && !lingers((int)object->kind_and_id))
		forget_ipc(owned, object);
}

bool owned_add_ipc(struct owned *owned, enum ipc_kind kind, int id)
{
	pthread_mutex_lock(&owned->lock);
	struct owned_ipc *object = find_ipc(owned, kind, id);

	if (HASH_COUNT(owned->ipc) >= OWNED_MOST)
		forget_gone(owned);
	if (object) {
		object->removed = false;
	} else if (HASH_COUNT(owned->ipc) < OWNED_MOST && (object = calloc(1, sizeof *object)) != NULL) {
		object->kind_and_id = (uint64_t)kind << 32 | (uint32_t)id;
		HASH_ADD(hh, owned->ipc, kind_and_id, sizeof object->kind_and_id, object);
	}
	pthread_mutex_unlock(&owned->lock);
	return object != NULL;
}

bool owned_has_ipc(struct owned *owned, enum ipc_kind kind, int id)
{
	pthread_mutex_lock(&owned->lock);
	struct owned_ipc *object = find_ipc(owned, kind, id);
	bool has = object != NULL;

	if (object && object->removed && !lingers(id)) {
		forget_ipc(owned, object);
		has = false;
	}
	pthread_mutex_unlock(&owned->lock);
	return has;
}

void owned_forget_ipc(struct owned *owned, enum ipc_kind kind, int id)
{
	pthread_mutex_lock(&owned->lock);
	struct owned_ipc *object = find_ipc(owned, kind, id);

	if (object && kind == IPC_SHARED_MEMORY && lingers(id))
		object->removed = true;
	else if (object)
		forget_ipc(owned, object);
	pthread_mutex_unlock(&owned->lock);
}

void owned_end_ipc(struct owned *owned)
{
	struct owned_ipc *object, *next;

	HASH_ITER(hh, owned->ipc, object, next)
	{
		if (!object->removed)
			ipc_remove((enum ipc_kind)(object->kind_and_id >> 32), (int)object->kind_and_id);
		forget_ipc(owned, object);
	}
}

int ipc_look(enum ipc_kind kind, int id)
{
	struct shmid_ds memory;
	struct semid_ds set;
	struct msqid_ds queue;
	int r = kind == IPC_SHARED_MEMORY ? shmctl(id, IPC_STAT, &memory)
		: kind == IPC_SEMAPHORES  ? semctl(id, 0, IPC_STAT, &set)
					  : msgctl(id, IPC_STAT, &queue);

	return r < 0 ? -errno : 0;
}

int ipc_remove(enum ipc_kind kind, int id)
{
	int r = kind == IPC_SHARED_MEMORY ? shmctl(id, IPC_RMID, NULL)
		: kind == IPC_SEMAPHORES  ? semctl(id, 0, IPC_RMID)
					  : msgctl(id, IPC_RMID, NULL);

	return r < 0 ? -errno : 0;
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
