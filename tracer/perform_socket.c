/* SPDX-License-Identifier: MIT */
/*
 * perform_socket.c - what takes an address, with a copy of the task's socket
 * (the same open socket: what is done to the one is done to the other).
 *
 * What a peer is told of who connects or sends (SO_PEERCRED, SCM_CREDENTIALS: process id) is the supervisor. The task could make
 * such a call itself if it were alone with its memory, but that cannot be known: vfork is not seen here, and what it has lent
 * memory to may outlive it as a thread of a process whose first thread is gone. Listening takes nothing from memory.
 *
 * A socket's name keeps the spelling that the task gave it, since getsockname tells it: so the kernel gets the text, from the
 * task's working directory, while nobody can change what it means (perform_names.c, `moves`), and after a last look. Not
 * so a name with a link of /proc in it, such as /proc/self/cwd, which would lead us through our own entry, and where it leads
 * in that of a task everybody may change at any time: then it is the resolved name.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "act.h"
#include "cleanup.h"
#include "mem.h"
#include "net.h"
#include "perform_inside.h"

enum {
	PIECES_MOST = 1024,	 /* UIO_MAXIOV */
	FDS_MOST = 253,		 /* SCM_MAX_FD */
	CHUNK_MOST = 1 << 20,	 /* of a stream, at a time */
	MESSAGE_MOST = 64 << 20, /* of a datagram: more than any socket's buffer */
};
#ifndef MSG_ZEROCOPY
#define MSG_ZEROCOPY 0x4000000
#endif

/* Is the number still the socket that was looked at? */
static bool same_socket(const struct deed *deed)
{
	struct stat held, now;
	char path[64];

	if (deed->request->held_socket < 0)
		return true; /* it was not asked for */
	snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)deed->task->tid, deed->request->socket);
	return fstat(deed->request->held_socket, &held) == 0 && stat(path, &now) == 0 && held.st_ino == now.st_ino &&
	       held.st_dev == now.st_dev;
}

/* Is its descriptor nobody else's, and still the socket that was judged? */
static bool has_it_alone(const struct deed *deed)
{
	if (deed->guard->notifier)
		visitor_look(deed->task);
	return tracee_private_files(deed->task) && same_socket(deed);
}

/* The socket that was judged. Or -errno. */
static int socket_of(const struct deed *deed)
{
	int fd = decode_socket(deed->request);

	if (fd >= 0 && !notify_waits(deed->task))
		return -ESRCH;
	return fd;
}

static bool is_stream(int fd)
{
	int type = 0;
	socklen_t length = sizeof type;

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type == SOCK_STREAM;
}

static bool has_timeout(int fd)
{
	struct timeval limit = {0};
	socklen_t length = sizeof limit;

	return getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, &length) == 0 && (limit.tv_sec || limit.tv_usec);
}

/* An interrupted call on a socket with a timeout is not restarted: signal(7). */
static int64_t interrupted(int fd, int64_t result)
{
	return notify_restarts(result) && has_timeout(fd) ? -EINTR : result;
}

/* ---- names of sockets --------------------------------------------------- */

/* Hold the directory from which a text begins. */
static int base_of(const struct deed *deed)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/cwd", (int)deed->task->tid);
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Does the text still lead where it was judged to lead? */
static bool leads_there(const struct deed *deed)
{
	const struct name_arg *name = &deed->request->names[0];
	struct resolved now;

	resolve_path(&deed->guard->tracees, deed->task, AT_FDCWD, name->text,
		     name->follow ? RESOLVE_FOLLOW : RESOLVE_NOFOLLOW, true, &now);
	bool same = now.error == 0 && now.exists == name->at.exists && now.length == name->at.length &&
		    memcmp(now.name, name->at.name, now.length) == 0 &&
		    (!now.exists || (now.held.st_dev == name->at.held.st_dev && now.held.st_ino == name->at.held.st_ino));
	resolve_close(&now);
	return same;
}

/* Bind to the name that was judged, spelled as said above. */
static int64_t bind_to_name(const struct deed *deed, int fd)
{
	const struct address_arg *address = &deed->request->address;
	const struct resolved *at = &deed->request->names[0].at;
	struct sockaddr_un named = {.sun_family = AF_UNIX};

	if (!at->magic)
		return bind(fd, &address->any, address->length) < 0 ? -errno : 0;
	if (at->length + at->slash >= sizeof named.sun_path)
		return -ENAMETOOLONG;
	memcpy(named.sun_path, at->name, at->length);
	if (at->slash)
		named.sun_path[at->length] = '/';
	return bind(fd, (struct sockaddr *)&named, sizeof named) < 0 ? -errno : 0;
}

int64_t perform_bind(struct deed *deed)
{
	struct notifier *n = deed->guard->notifier;
	const struct address_arg *address = &deed->request->address;
	const struct name_arg *name = &deed->request->names[0];
	int fd = socket_of(deed);
	int64_t r;

	if (fd < 0)
		return fd;
	if (name->arg < 0)
		return bind(fd, &address->any, address->length) < 0 ? -errno : 0;
	cleanup_fd int base = base_of(deed);
	r = base < 0 ? base : deed_umask(deed);
	if (r < 0)
		return r;
	pthread_rwlock_rdlock(&n->moves);
	if (fchdir(base) < 0) /* this thread's: caller_prepare */
		r = -errno;
	else if (!leads_there(deed))
		r = PERFORM_AGAIN;
	else
		r = bind_to_name(deed, fd);
	if (r == 0) /* nobody of the run can have put another one there: to move a socket takes `moves`, too */
		owned_add_socket(&deed->guard->tracees.owned, fd, name->at.magic ? name->at.name : name->text);
	pthread_rwlock_unlock(&n->moves);
	if (chdir("/") < 0)
		return r;
	return r;
}

/* Is this where it was judged to listen? Port 0: at one of the kernel's choice. */
static bool listens_there(int fd, const struct address_arg *judged)
{
	struct net_address wanted = net_read(&judged->any, judged->length), got;
	struct sockaddr_storage now;
	socklen_t length = sizeof now;

	if (getsockname(fd, (struct sockaddr *)&now, &length) < 0)
		return false;
	got = net_read((struct sockaddr *)&now, length);
	return got.kind == wanted.kind && memcmp(got.bytes, wanted.bytes, sizeof got.bytes) == 0 &&
	       (got.port == wanted.port || wanted.port == 0);
}

/*
 * A socket without a port listens on one of the kernel's choice, and whether it has one its name does not tell (judge_network.c).
 * So it is bound to what was judged; if it is bound already, the kernel says EINVAL and keeps what it has. Who shares the socket may
 * connect it and let go of the peer at any moment, and with that of a port that it was not bound to: so it is looked at
 * again, and if it listens elsewhere, it ends before anybody is told where.
 */
static int64_t listen_as_judged(const struct deed *deed, int fd)
{
	const struct address_arg *address = &deed->request->address;

	if (bind(fd, &address->any, address->length) < 0 && errno != EINVAL)
		return -errno;
	if (listen(fd, (int)deed->request->stop.args[1]) < 0)
		return -errno;
	if (listens_there(fd, address))
		return 0;
	shutdown(fd, SHUT_RDWR);
	return PERFORM_AGAIN;
}

static bool is_internet(const struct address_arg *address) /* length 0: it was not looked at */
{
	return address->length > 0 && (address->any.sa_family == AF_INET || address->any.sa_family == AF_INET6);
}

/* Who listens on a unix socket is told to those who connect (SO_PEERCRED). */
int64_t perform_listen(struct deed *deed)
{
	bool internet = is_internet(&deed->request->address);

	if (!internet && has_it_alone(deed))
		return PERFORM_PROCEED;
	int fd = socket_of(deed);

	if (fd < 0)
		return fd;
	if (internet)
		return listen_as_judged(deed, fd);
	return listen(fd, (int)deed->request->stop.args[1]) < 0 ? -errno : 0;
}

/* What was judged by what the socket is (judge_naming) is done to that socket. */
int64_t perform_sockopt(struct deed *deed)
{
	const uint64_t *args = deed->request->stop.args;
	int level = (int)args[1], option = (int)args[2], value;

	if (net_option(level, option) != NET_OPTION_NAMES || has_it_alone(deed))
		return PERFORM_PROCEED;
	int fd = socket_of(deed);
	int r = fd < 0				   ? fd
		: (int)args[4] < (int)sizeof value ? -EINVAL
						   : deed_take(deed, args[3], &value, sizeof value);
	return r < 0 ? r : setsockopt(fd, level, option, &value, sizeof value) < 0 ? -errno : 0;
}

/* ---- connect ------------------------------------------------------------ */

/* The address to connect or send to: a socket with a name is reached through what is held. */
static socklen_t address_of(const struct deed *deed, struct sockaddr_storage *to)
{
	const struct address_arg *address = &deed->request->address;
	struct sockaddr_un *named = (struct sockaddr_un *)to;

	if (deed->request->names[0].arg < 0) {
		memcpy(to, address->bytes, address->length);
		return address->length;
	}
	named->sun_family = AF_UNIX;
	/* NOLINTNEXTLINE(clang-analyzer-security.insecureAPI.strcpy): its room was reckoned before */
	strcpy(named->sun_path, deed->path);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(deed->path) + 1);
}

static int64_t do_connect(const struct deed *deed, int fd)
{
	struct sockaddr_storage to;
	socklen_t length = address_of(deed, &to);
	bool again;
	int64_t r;

	do {
		notify_may_wait();
		r = connect(fd, (struct sockaddr *)&to, length) < 0 ? -errno : 0;
		r = notify_waited(r, &again);
	} while (again);
	return interrupted(fd, r);
}

/* ---- messages ----------------------------------------------------------- */

/* A message in our memory. */
struct parcel {
	struct msghdr header;
	struct sockaddr_storage to;
	char *bytes; /* malloc'ed */
	size_t length;
	char control[CONTROL_MOST];
	int fds[FDS_MOST]; /* copies of descriptors that are sent */
	size_t fd_count;
	int flags;
};

static void parcel_free(struct parcel *parcel)
{
	free(parcel->bytes);
	for (size_t i = 0; i < parcel->fd_count; i++)
		close(parcel->fds[i]);
}

/* In place of the task's descriptors, ours. */
static int take_fds(const struct deed *deed, struct parcel *parcel, struct cmsghdr *c)
{
	if (c->cmsg_len < CMSG_LEN(0))
		return -EINVAL;
	size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	int *fds = (int *)(void *)CMSG_DATA(c);

	if (count > FDS_MOST - parcel->fd_count)
		return -EINVAL;
	for (size_t i = 0; i < count; i++) {
		int fd = deed_descriptor(deed, fds[i]);
		if (fd < 0)
			return fd;
		parcel->fds[parcel->fd_count++] = fds[i] = fd;
	}
	return 0;
}

/* Who says that it is itself says that it is us, who send: the kernel takes nobody else (unix(7), SCM_CREDENTIALS). */
static int take_credentials(const struct deed *deed, struct cmsghdr *c)
{
	struct ucred who;

	if (c->cmsg_len != CMSG_LEN(sizeof who))
		return -EINVAL;
	memcpy(&who, CMSG_DATA(c), sizeof who);
	if (who.pid != tracee_tgid(deed->task))
		return -EPERM;
	who.pid = getpid();
	memcpy(CMSG_DATA(c), &who, sizeof who);
	return 0;
}

static int take_control(const struct deed *deed, struct parcel *parcel)
{
	struct msghdr *header = &parcel->header;
	int r = 0;

	memcpy(parcel->control, deed->request->control, deed->request->message.msg_controllen);
	header->msg_control = parcel->control;
	header->msg_controllen = deed->request->message.msg_controllen;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c && r == 0; c = CMSG_NXTHDR(header, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
			r = take_fds(deed, parcel, c);
		else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_CREDENTIALS)
			r = take_credentials(deed, c);
	return r;
}

/* The text of a message, from pieces in the task's memory. */
static int take_pieces(const struct deed *deed, struct parcel *parcel, const struct iovec *pieces, size_t count,
		       size_t most)
{
	size_t total = 0, at = 0;

	for (size_t i = 0; i < count; i++) {
		if (pieces[i].iov_len > SIZE_MAX / 2 - total)
			return -EINVAL;
		total += pieces[i].iov_len;
	}
	if (total > most && most == MESSAGE_MOST)
		return -EMSGSIZE;
	total = total < most ? total : most;
	parcel->bytes = malloc(total ? total : 1);
	parcel->length = total;
	for (size_t i = 0; parcel->bytes && i < count && at < total; i++) {
		size_t part = pieces[i].iov_len < total - at ? pieces[i].iov_len : total - at;
		int r = deed_take(deed, (uint64_t)(uintptr_t)pieces[i].iov_base, parcel->bytes + at, part);
		if (r < 0)
			return r;
		at += part;
	}
	return parcel->bytes ? 0 : -ENOMEM;
}

static int take_message(const struct deed *deed, struct parcel *parcel, size_t most)
{
	const struct msghdr *message = &deed->request->message;
	size_t count = message->msg_iovlen;

	if (count > PIECES_MOST)
		return -EMSGSIZE;
	cleanup_free struct iovec *pieces = malloc((count + 1) * sizeof *pieces);
	int r = pieces ? deed_take(deed, (uint64_t)(uintptr_t)message->msg_iov, pieces, count * sizeof *pieces)
		       : -ENOMEM;
	if (r == 0)
		r = take_pieces(deed, parcel, pieces, count, most);
	if (r == 0 && message->msg_controllen)
		r = take_control(deed, parcel);
	return r;
}

/* First without waiting: others need not be troubled when it goes at once. */
static int64_t post(int fd, struct parcel *parcel)
{
	bool again;
	int64_t r = sendmsg(fd, &parcel->header, parcel->flags | MSG_DONTWAIT | MSG_NOSIGNAL);

	if (r >= 0 || (errno != EAGAIN && errno != EINTR) || (parcel->flags & MSG_DONTWAIT))
		return r < 0 ? -errno : r;
	if (fcntl(fd, F_GETFL) & O_NONBLOCK)
		return -EAGAIN;
	do {
		notify_may_wait();
		r = sendmsg(fd, &parcel->header, parcel->flags | MSG_NOSIGNAL);
		r = notify_waited(r < 0 ? -errno : r, &again);
	} while (again);
	return interrupted(fd, r);
}

/* Who writes to a stream that nobody reads gets a signal. */
static int64_t broken_pipe(const struct deed *deed, int fd, int flags)
{
	if (!(flags & MSG_NOSIGNAL) && is_stream(fd))
		syscall(SYS_tgkill, tracee_tgid(deed->task), deed->task->tid, SIGPIPE);
	return -EPIPE;
}

static int64_t post_parcel(const struct deed *deed, int fd, struct parcel *parcel)
{
	struct iovec whole = {parcel->bytes, parcel->length};

	parcel->header.msg_iov = &whole;
	parcel->header.msg_iovlen = 1;
	if (deed->request->address.used) {
		parcel->header.msg_name = &parcel->to;
		parcel->header.msg_namelen = address_of(deed, &parcel->to);
	}
	int64_t r = notify_waits(deed->task) ? post(fd, parcel) : -ESRCH;
	return r == -EPIPE ? broken_pipe(deed, fd, parcel->flags) : r;
}

/* Messages are sent whole. Of a stream as much as is taken at a time: the task sends the rest, as it has to anyway. */
static size_t most_for(int fd)
{
	return is_stream(fd) ? CHUNK_MOST : MESSAGE_MOST;
}

static int64_t do_sendto(const struct deed *deed, int fd)
{
	const uint64_t *args = deed->request->stop.args;
	struct iovec piece = {(void *)(uintptr_t)args[1], args[2]};
	struct parcel *parcel = calloc(1, sizeof *parcel);

	if (!parcel)
		return -ENOMEM;
	parcel->flags = (int)args[3];
	int64_t r = take_pieces(deed, parcel, &piece, 1, most_for(fd));
	if (r == 0)
		r = post_parcel(deed, fd, parcel);
	parcel_free(parcel);
	free(parcel);
	return r;
}

int64_t perform_connect(struct deed *deed)
{
	int fd = socket_of(deed);

	if (fd < 0)
		return fd;
	return deed->request->stop.number == SYS_connect ? do_connect(deed, fd) : do_sendto(deed, fd);
}

int64_t perform_send(struct deed *deed)
{
	const struct request *request = deed->request;
	bool many = request->call->op == OP_SENDMMSG;

	if (many && (uint32_t)request->stop.args[2] == 0)
		return 0;
	int fd = socket_of(deed);
	struct parcel *parcel = fd < 0 ? NULL : calloc(1, sizeof *parcel);
	if (!parcel)
		return fd < 0 ? fd : -ENOMEM;
	parcel->flags = (int)request->stop.args[many ? 3 : 2];
	int64_t r = parcel->flags & MSG_ZEROCOPY ? -ENOBUFS : take_message(deed, parcel, most_for(fd));
	if (r == 0)
		r = post_parcel(deed, fd, parcel);
	parcel_free(parcel);
	free(parcel);
	if (!many || r < 0)
		return r;
	/* the first message alone: sendmmsg may send fewer than it is given, and callers go on with the rest */
	unsigned sent = (unsigned)r;
	int put = deed_put(deed, request->stop.args[1] + offsetof(struct mmsghdr, msg_len), &sent, sizeof sent);
	return put < 0 ? put : 1;
}
