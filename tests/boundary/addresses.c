/* SPDX-License-Identifier: MIT */
/*
 * addresses.c - attempts by way of the addresses of sockets. The policy allows none, but what test_boundary.sh says of a row:
 * to connect to TCP_CLOSED of 127.0.0.1, where nobody is, or to PLACE of loopback, or to listen.
 */
#include "attempt.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

enum {
	TCP_CLOSED = 9,
	PLACE = 40124,
	LISTENING_ALLOWED = 40123,	/* the one port, of any address */
	LOCAL_PORT_RANGE = 51,		/* IP_LOCAL_PORT_RANGE, Linux 6.3 */
	PASS_PIDFD = 76,		/* SO_PASSPIDFD, Linux 6.5 */
};

static const struct sockaddr_in local = {.sin_family = AF_INET, .sin_addr = {.s_addr = 0x0100007f}};

static int new_socket(int type)
{
	int fd = socket(AF_INET, type, 0);

	NEED(fd);
	return fd;
}

static bool has_port(int fd)
{
	struct sockaddr_in now = {0};
	socklen_t length = sizeof now;

	return getsockname(fd, (struct sockaddr *)&now, &length) == 0 && now.sin_port != 0;
}

static void *wait_for_ever(void *unused)
{
	for (;;)
		pause();
	return unused;
}

/* A call without an address must not be made with that of the call before. */
static int bind_without(void)
{
	int fd = new_socket(SOCK_STREAM);

	if (bind(fd, (const struct sockaddr *)&local, sizeof local) < 0)
		bind(fd, (const struct sockaddr *)&local, 0);
	return has_port(fd) ? WORKED : REFUSED;
}

static int connect_without(void)
{
	struct sockaddr_in to = local;
	pthread_t thread;
	int fd = new_socket(SOCK_DGRAM);

	to.sin_port = htons(9);
	NEED(-pthread_create(&thread, NULL, wait_for_ever, NULL));
	if (connect(fd, (const struct sockaddr *)&to, sizeof to) < 0)
		connect(fd, (const struct sockaddr *)&to, 0);
	return has_port(fd) ? WORKED : REFUSED;
}

/* Nor with none of its own. */
static int connect_nowhere(void)
{
	struct sockaddr_in to = local;
	pthread_t thread;
	int fd = new_socket(SOCK_DGRAM);

	to.sin_port = htons(9);
	NEED(-pthread_create(&thread, NULL, wait_for_ever, NULL));
	if (connect(fd, (const struct sockaddr *)&to, sizeof to) < 0)
		connect(fd, NULL, sizeof to);
	return has_port(fd) ? WORKED : REFUSED;
}

static int send_without(void)
{
	struct sockaddr_in to = local;
	struct msghdr message = {.msg_name = &to, .msg_namelen = sizeof to};
	pthread_t thread;
	int fd = new_socket(SOCK_DGRAM);

	to.sin_port = htons(9);
	NEED(-pthread_create(&thread, NULL, wait_for_ever, NULL));
	/* it has a port of its own by then, which is nothing */
	return sendmsg(fd, &message, 0) >= 0 || sendto(fd, "", 1, 0, (struct sockaddr *)&to, 0) >= 0 ||
			       sendto(fd, "", 1, 0, NULL, sizeof to) >= 0
		       ? WORKED
		       : REFUSED;
}

/* No message is no message, not an empty one. */
static int send_none(void)
{
	struct mmsghdr messages[1] = { 0 };
	int ends[2];
	char byte;

	NEED(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends));
	if (sendmmsg(ends[0], messages, 0, 0) != 0 || recv(ends[1], &byte, 1, MSG_DONTWAIT) >= 0 || errno != EAGAIN)
		return REFUSED;
	if (sendmmsg(-1, messages, 0, 0) >= 0 || errno != EBADF)
		return REFUSED;
	/* and one is one */
	return sendmmsg(ends[0], messages, 1, 0) == 1 && recv(ends[1], &byte, 1, MSG_DONTWAIT) == 0 ? WORKED : REFUSED;
}

/* ---- listening where nothing was bound ------------------------------------------------- */

static int port_of(int fd)
{
	struct sockaddr_in now = {0};
	socklen_t length = sizeof now;

	NEED(getsockname(fd, (struct sockaddr *)&now, &length));
	return ntohs(now.sin_port);
}

/* A connection that failed leaves its port in the name of a socket that has none any more. */
static void connect_in_vain(int fd)
{
	struct sockaddr_in to = local;

	to.sin_port = htons(TCP_CLOSED);
	if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0 || errno != ECONNREFUSED)
		exit(BROKEN);
}

static int listens(int fd)
{
	if (listen(fd, 5) == 0)
		return WORKED;
	return errno == EACCES ? REFUSED : BROKEN;
}

static int listen_after_connecting(void)
{
	int fd = new_socket(SOCK_STREAM);

	connect_in_vain(fd);
	return listens(fd);
}

static int listen_after_letting_go(void)
{
	struct sockaddr nobody = {.sa_family = AF_UNSPEC};
	struct sockaddr_in at = local;
	socklen_t length = sizeof at;
	int server = new_socket(SOCK_STREAM), fd = new_socket(SOCK_STREAM);

	NEED(bind(server, (struct sockaddr *)&at, sizeof at));
	NEED(listen(server, 5));
	NEED(getsockname(server, (struct sockaddr *)&at, &length));
	NEED(connect(fd, (struct sockaddr *)&at, sizeof at));
	NEED(connect(fd, &nobody, sizeof nobody));
	return listens(fd);
}

/* Its connections have this port; 0: any. */
static int take_port(int fd, uint32_t port)
{
	uint32_t range = port << 16 | port;

	return setsockopt(fd, IPPROTO_IP, LOCAL_PORT_RANGE, &range, sizeof range);
}

/* The port in the name is the one where it may listen, but it listens on another. */
static int listen_elsewhere(void)
{
	int fd = new_socket(SOCK_STREAM);

	if (take_port(fd, LISTENING_ALLOWED) < 0)
		return NOT_HERE;
	connect_in_vain(fd);
	NEED(take_port(fd, 0));
	if (port_of(fd) != LISTENING_ALLOWED)
		return BROKEN;
	NEED(listen(fd, 5));
	return port_of(fd) == LISTENING_ALLOWED ? REFUSED : WORKED;
}

static void *connect_again_and_again(void *socket)
{
	for (;;) {
		take_port(*(int *)socket, LISTENING_ALLOWED);
		connect(*(int *)socket, (const struct sockaddr *)&(struct sockaddr_in){AF_INET, htons(TCP_CLOSED), local.sin_addr, {0}},
			sizeof local);
		take_port(*(int *)socket, 0);
	}
	return NULL;
}

static int listen_raced(void)
{
	pthread_t thread;
	int fd = new_socket(SOCK_STREAM), again;

	if (take_port(fd, LISTENING_ALLOWED) < 0)
		return NOT_HERE;
	NEED(-pthread_create(&thread, NULL, connect_again_and_again, &fd));
	for (double end = seconds() + RACE_SECONDS; seconds() < end;) {
		socklen_t length = sizeof again;
		if (listen(fd, 5) < 0)
			continue;
		usleep(1000);	/* still so when whoever is asked has had a second look */
		if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &again, &length) == 0 && again && port_of(fd) != LISTENING_ALLOWED)
			return WORKED;
		shutdown(fd, SHUT_RDWR);
	}
	return REFUSED;
}

static int listens_where_bound(void)
{
	int fd = new_socket(SOCK_STREAM);

	NEED(bind(fd, (const struct sockaddr *)&local, sizeof local));
	int port = port_of(fd);
	NEED(listen(fd, 5));
	NEED(listen(fd, 6));
	return port != 0 && port_of(fd) == port ? WORKED : REFUSED;
}

static int listens_unbound(void)
{
	int fd = new_socket(SOCK_STREAM);

	NEED(listen(fd, 5));
	return port_of(fd) != 0 ? WORKED : REFUSED;
}

/* ---- a port that comes by itself ----------------------------------------------------------- */

static long raw_socket_call(long domain, long type)
{
	long result;

	__asm__ volatile("syscall" : "=a"(result) : "0"(SYS_socket), "D"(domain), "S"(type), "d"(0L) : "rcx", "r11", "memory");
	return result;
}

/* What is sent nowhere is not sent, but has taken a port of any address, where everybody may send to. */
static int hears(int fd)
{
	if (fd < 0)
		return errno == EACCES ? REFUSED : BROKEN;
	NEED(has_port(fd) ? -1 : 0);
	if (write(fd, "", 0) == 0 || errno != EDESTADDRREQ)
		return BROKEN;
	return has_port(fd) ? WORKED : REFUSED;
}

static int hear_unbound(void) { return hears(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)); }
static int hear_unbound6(void) { return hears(socket(AF_INET6, SOCK_DGRAM, IPPROTO_UDP)); }
static int hear_unbound_raw(void)
{
	long fd = raw_socket_call(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK);

	errno = fd < 0 ? (int)-fd : 0;
	return hears((int)fd);
}

/* ---- the unspecified address, which is not always loopback ----------------------------------- */

static const struct sockaddr_in place = {.sin_family = AF_INET, .sin_port = __builtin_bswap16(PLACE)};	/* 0.0.0.0 */
static const struct sockaddr_in6 place6 = {.sin6_family = AF_INET6, .sin6_port = __builtin_bswap16(PLACE)};	/* :: */

/* A socket at this address of loopback. */
static int at_loopback(int type, int last, int port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port),
				 .sin_addr = {htonl(INADDR_LOOPBACK - 1 + (unsigned)last)}};
	int fd = new_socket(type), on = 1;

	NEED(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on));
	NEED(bind(fd, (struct sockaddr *)&at, sizeof at));
	if (type == SOCK_STREAM)
		NEED(listen(fd, 5));
	return fd;
}

static int has_come(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_DONTWAIT) == 1 ? WORKED : REFUSED;
}

/* A message that comes from an address goes there. */
static int zero_from(void)
{
	char control[CMSG_SPACE(sizeof(struct in_pktinfo))] = "";
	struct iovec text = {(char *)"x", 1};
	struct msghdr message = {.msg_name = (void *)&place, .msg_namelen = sizeof place, .msg_iov = &text, .msg_iovlen = 1,
				 .msg_control = control, .msg_controllen = sizeof control};
	struct cmsghdr *c = CMSG_FIRSTHDR(&message);
	struct in_pktinfo from = {.ipi_spec_dst = {htonl(INADDR_LOOPBACK + 1)}};
	int there = at_loopback(SOCK_DGRAM, 2, PLACE);

	*c = (struct cmsghdr){.cmsg_level = IPPROTO_IP, .cmsg_type = IP_PKTINFO, .cmsg_len = CMSG_LEN(sizeof from)};
	memcpy(CMSG_DATA(c), &from, sizeof from);
	NEED(sendmsg(new_socket(SOCK_DGRAM), &message, 0));
	return has_come(there);
}

static int zero_from_in_company(void)
{
	pthread_t thread;

	NEED(-pthread_create(&thread, NULL, wait_for_ever, NULL));
	return zero_from();
}

static int zero_of_bound(void)
{
	struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK + 1)}};
	int fd = new_socket(SOCK_STREAM);

	at_loopback(SOCK_STREAM, 2, PLACE);
	NEED(bind(fd, (struct sockaddr *)&own, sizeof own));
	if (connect(fd, (const struct sockaddr *)&place, sizeof place) == 0)
		return WORKED;
	return errno == ECONNREFUSED ? REFUSED : BROKEN;
}

static int zero_of_mapped(void)
{
	struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_port = htons(TCP_CLOSED)};
	int there = at_loopback(SOCK_DGRAM, 1, PLACE), fd = socket(AF_INET6, SOCK_DGRAM, 0);

	if (fd < 0 && errno == EAFNOSUPPORT)
		return NOT_HERE;
	to.sin6_addr.s6_addr[10] = to.sin6_addr.s6_addr[11] = 0xff;
	memcpy(to.sin6_addr.s6_addr + 12, &local.sin_addr, 4);
	NEED(connect(fd, (struct sockaddr *)&to, sizeof to));
	sendto(fd, "x", 1, 0, (const struct sockaddr *)&place6, sizeof place6);
	return has_come(there);
}

static int zero_is_loopback(void)
{
	int there = at_loopback(SOCK_DGRAM, 1, PLACE), fd = new_socket(SOCK_DGRAM);
	struct iovec text = {(char *)"x", 1};
	struct msghdr message = {.msg_name = (void *)&place, .msg_namelen = sizeof place, .msg_iov = &text, .msg_iovlen = 1};

	at_loopback(SOCK_STREAM, 1, PLACE);
	NEED(connect(new_socket(SOCK_STREAM), (const struct sockaddr *)&place, sizeof place));
	NEED(sendto(fd, "x", 1, 0, (const struct sockaddr *)&place, sizeof place));
	NEED(sendmsg(fd, &message, 0));
	NEED(connect(fd, (const struct sockaddr *)&place, sizeof place));
	NEED(write(fd, "x", 1));
	for (int i = 0; i < 3; i++)
		if (has_come(there) != WORKED)
			return REFUSED;
	return WORKED;
}

static int zero_is_loopback_in_company(void)
{
	pthread_t thread;

	NEED(-pthread_create(&thread, NULL, wait_for_ever, NULL));
	return zero_is_loopback();
}

/* ---- names of unix sockets that the kernel gives ---------------------------------------- */

static int unix_socket(int type, const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, type, 0);

	NEED(fd);
	if (name) {
		strcpy(address.sun_path, name);
		NEED(bind(fd, (struct sockaddr *)&address, sizeof address));
	}
	return fd;
}

static int want(int fd, int option)
{
	static const int on = 1;

	return setsockopt(fd, SOL_SOCKET, option, &on, sizeof on);
}

static bool has_name(int fd)
{
	struct sockaddr_un now;
	socklen_t length = sizeof now;

	NEED(getsockname(fd, (struct sockaddr *)&now, &length));
	return length > sizeof(sa_family_t);
}

/* Who wants credentials has a name after a connect, even one that fails. */
static int listen_by_another_name(void)
{
	struct sockaddr_un own = {.sun_family = AF_UNIX, .sun_path = "own"};
	int fd = unix_socket(SOCK_STREAM, NULL);

	unix_socket(SOCK_STREAM, "own");
	NEED(want(fd, SO_PASSCRED));
	if (connect(fd, (struct sockaddr *)&own, sizeof own) == 0 || errno != ECONNREFUSED || !has_name(fd))
		return BROKEN;
	return listens(fd);
}

/* And after a write. */
static int hear_by_another_name(int option)
{
	int ends[2];

	NEED(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends));
	if (want(ends[0], option) < 0)
		return errno == EACCES ? REFUSED : errno == ENOPROTOOPT ? NOT_HERE : BROKEN;
	NEED(write(ends[0], "x", 1));
	return has_name(ends[0]) ? WORKED : REFUSED;
}
static int hear_with_credentials(void) { return hear_by_another_name(SO_PASSCRED); }
static int hear_with_process(void) { return hear_by_another_name(PASS_PIDFD); }

static int exchanged[3];	/* a socket with a name, one without, and what is now one and now the other */

static void *exchange(void *unused)
{
	for (;;) {
		dup2(exchanged[0], exchanged[2]);
		dup2(exchanged[1], exchanged[2]);
	}
	return unused;
}

static int hear_exchanged(void)
{
	pthread_t thread;
	int wants = 0;
	socklen_t length = sizeof wants;

	exchanged[0] = unix_socket(SOCK_DGRAM, "named");
	exchanged[1] = unix_socket(SOCK_DGRAM, NULL);
	NEED(exchanged[2] = dup(exchanged[0]));
	NEED(-pthread_create(&thread, NULL, exchange, NULL));
	for (double end = seconds() + RACE_SECONDS; seconds() < end && !wants;) {
		want(exchanged[2], SO_PASSCRED);
		NEED(getsockopt(exchanged[1], SOL_SOCKET, SO_PASSCRED, &wants, &length));
	}
	return wants ? WORKED : REFUSED;
}

/* What has a name, or is no datagram socket, may want them. */
static int want_credentials(void)
{
	char byte, control[CMSG_SPACE(sizeof(struct ucred))];
	struct iovec text = {&byte, 1};
	struct msghdr message = {.msg_iov = &text, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
	int pair[2];

	NEED(want(unix_socket(SOCK_DGRAM, "own"), SO_PASSCRED));
	NEED(want(unix_socket(SOCK_STREAM, NULL), SO_PASSCRED));
	NEED(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair));
	NEED(want(pair[0], SO_PASSCRED));
	NEED(write(pair[1], "x", 1));
	NEED(recvmsg(pair[0], &message, 0));
	struct cmsghdr *c = CMSG_FIRSTHDR(&message);
	return c && c->cmsg_type == SCM_CREDENTIALS && ((struct ucred *)(void *)CMSG_DATA(c))->pid == getpid() ? WORKED : REFUSED;
}

static int want_credentials_in_company(void)
{
	pthread_t thread;

	NEED(-pthread_create(&thread, NULL, wait_for_ever, NULL));
	return want_credentials();
}

static const struct row rows[] = {
	{GETS_OUT, "bind_without", bind_without},
	{GETS_OUT, "connect_without", connect_without},
	{GETS_OUT, "connect_nowhere", connect_nowhere},
	{GETS_OUT, "send_without", send_without},
	{HAS_TO_WORK, "send_none", send_none},
	{GETS_OUT, "listen_after_connecting", listen_after_connecting},
	{GETS_OUT, "listen_after_letting_go", listen_after_letting_go},
	{GETS_OUT, "listen_elsewhere", listen_elsewhere},
	{GETS_OUT, "listen_raced", listen_raced},
	{HAS_TO_WORK, "listens_where_bound", listens_where_bound},
	{HAS_TO_WORK, "listens_unbound", listens_unbound},
	{GETS_OUT, "hear_unbound", hear_unbound},
	{GETS_OUT, "hear_unbound6", hear_unbound6},
	{GETS_OUT, "hear_unbound_raw", hear_unbound_raw},
	{GETS_OUT, "zero_from", zero_from},
	{GETS_OUT, "zero_from_in_company", zero_from_in_company},
	{GETS_OUT, "zero_of_bound", zero_of_bound},
	{GETS_OUT, "zero_of_mapped", zero_of_mapped},
	{HAS_TO_WORK, "zero_is_loopback", zero_is_loopback},
	{HAS_TO_WORK, "zero_is_loopback_in_company", zero_is_loopback_in_company},
	{GETS_OUT, "listen_by_another_name", listen_by_another_name},
	{GETS_OUT, "hear_with_credentials", hear_with_credentials},
	{GETS_OUT, "hear_with_process", hear_with_process},
	{GETS_OUT, "hear_exchanged", hear_exchanged},
	{HAS_TO_WORK, "want_credentials", want_credentials},
	{HAS_TO_WORK, "want_credentials_in_company", want_credentials_in_company},
};
MAIN(rows)
