/* SPDX-License-Identifier: MIT */
/* addresses.c - attempts by way of the addresses of sockets. The policy allows none. */
#include "attempt.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

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

static const struct row rows[] = {
	{GETS_OUT, "bind_without", bind_without},
	{GETS_OUT, "connect_without", connect_without},
	{GETS_OUT, "connect_nowhere", connect_nowhere},
	{GETS_OUT, "send_without", send_without},
	{HAS_TO_WORK, "send_none", send_none},
};
MAIN(rows)
