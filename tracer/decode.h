/* SPDX-License-Identifier: MIT */
/*
 * decode.h - from registers to a request: what a call, as the table describes
 * it, names in this task. Reads the task's memory; judges nothing.
 */
#ifndef PICKET_TRACER_DECODE_H
#define PICKET_TRACER_DECODE_H

#include <limits.h>
#include <linux/openat2.h>
#include <stddef.h>
#include <linux/sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "guard.h"
#include "regs.h"
#include "resolve.h"
#include "syscalls.h"

enum {
	REQUEST_NAMES = 2,
	ATTRIBUTE_ROOM = 256, /* XATTR_NAME_MAX + 1, linux/limits.h */
	CONTROL_MOST = 2048,  /* bytes of control messages: 253 descriptors (SCM_MAX_FD) are 1,028 */
};

/* A name among the arguments. */
struct name_arg {
	int arg;	  /* index of the ARG_PATH or ARG_OBJECT, or -1: not used */
	int dirfd_arg;	  /* index of its ARG_DIRFD, or -1 */
	int dirfd;	  /* its value, or AT_FDCWD */
	bool by_fd;	  /* it names the object of `dirfd` itself */
	uint64_t address; /* of the text in the task */
	char text[PATH_MAX];
	size_t length;
	unsigned access; /* enum access bits that the call wants */
	bool follow;	 /* the last component */
	bool rooted;	 /* even when absolute it begins at `dirfd` (RESOLVE_IN_ROOT) */
	bool makes;	 /* the name itself is made or removed, not what it leads to */
	struct resolved at;
};

/* A socket address among the arguments, or in a message. */
struct address_arg {
	bool used;
	uint64_t pointer; /* where it lies in the task */
	socklen_t length;
	bool pinned; /* not what the task has there: see net_pin_unspecified */
	union {
		struct sockaddr any;
		struct sockaddr_storage storage;
		char bytes[256];
	};
};

/* One call of one task, with everything that is judged. */
struct request {
	struct task *task;
	const struct call *call;
	struct call_stop stop;
	int error; /* -errno that the kernel itself would give for these arguments; nothing more is judged */
	struct name_arg names[REQUEST_NAMES];
	int flags;			/* O_*, AT_*, RENAME_*: whichever the call has */
	struct open_how how;		/* OP_OPEN: as if it were openat2 */
	size_t how_size;		/* openat2: bytes of it */
	char attribute[ATTRIBUTE_ROOM]; /* ARG_ATTRIBUTE */
	int attribute_error;		/* -errno that the kernel gives for it, when it comes to it; or 0 */
	int socket;			/* ARG_SOCKET */
	int held_socket;		/* a copy of it, once it was asked for, or -1 */
	struct address_arg address;
	struct msghdr message;	    /* ARG_MSGHDR, or the first of an ARG_MMSGHDR */
	char control[CONTROL_MOST]; /* its control messages, message.msg_controllen bytes */
	struct clone_args clone;
	size_t clone_size;
};

/* Fill *request from a stop: first what is asked for, with the texts of the names; then what they lead to, and all else. Names are
 * resolved by that, and must be let go with decode_done. */
void decode_texts(struct task *task, const struct call_stop *stop, struct request *request);
void decode_rest(struct guard *guard, struct request *request);
void decode_done(struct request *request);

/* A copy of the socket, which stays the request's; or -errno. */
int decode_socket(struct request *request);

#endif
