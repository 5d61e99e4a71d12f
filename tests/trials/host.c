/* SPDX-License-Identifier: MIT */
/*
 * host.c - whom the trials try to reach. It listens on a TCP and a UDP port of IPv4 and IPv6 loopback, on UNIX
 * sockets in DIRECTORY and on an abstract one, and connects to PORT+1 all the time in case somebody listens there.
 *
 *	host DIRECTORY ABSTRACT_NAME
 *
 * It prints its port; then each line on standard input is answered with the number of contacts since the last one,
 * after everything that had arrived was counted.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { MOST = 16 };
static struct pollfd sockets[MOST];
static int types[MOST];
static unsigned count;
static int port;

static int keep(int fd, int type, const struct sockaddr *address, socklen_t length)
{
	if (fd < 0 || bind(fd, address, length) < 0 || (type != SOCK_DGRAM && listen(fd, 64) < 0))
		return -1;
	fcntl(fd, F_SETFL, O_NONBLOCK);
	types[count] = type;
	sockets[count++] = (struct pollfd){.fd = fd, .events = POLLIN};
	return 0;
}

static int internet(int family, int type)
{
	struct sockaddr_in four = {
		.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_in6 six = {
		.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	int fd = socket(family, type, 0);
	if (family == AF_INET)
		return keep(fd, type, (struct sockaddr *)&four, sizeof(four));
	return keep(fd, type, (struct sockaddr *)&six, sizeof(six));
}

static void local(int type, const char *directory, const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	socklen_t length = sizeof(address);
	if (directory != NULL) {
		snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", directory, name);
		unlink(address.sun_path);
	} else {
		snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "%s", name);
		length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name));
	}
	if (keep(socket(AF_UNIX, type, 0), type, (struct sockaddr *)&address, length) < 0)
		perror(name);
}

/* Everything that has arrived; the number of arrivals. */
static int drain(void)
{
	char buffer[2048];
	int arrivals = 0;
	while (poll(sockets, count, 0) > 0)
		for (unsigned i = 0; i < count; i++) {
			if ((sockets[i].revents & POLLIN) == 0)
				continue;
			if (types[i] == SOCK_DGRAM) {
				arrivals += recv(sockets[i].fd, buffer, sizeof(buffer), 0) >= 0;
				continue;
			}
			int peer = accept(sockets[i].fd, NULL, NULL);
			if (peer >= 0) {
				arrivals++;
				close(peer);
			}
		}
	return arrivals;
}

/* Somebody may be listening on the next port, or receiving datagrams there. */
static int call_back(void)
{
	struct sockaddr_in next = {.sin_family = AF_INET,
				   .sin_port = htons((uint16_t)(port + 1)),
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int stream = socket(AF_INET, SOCK_STREAM, 0), datagram = socket(AF_INET, SOCK_DGRAM, 0);
	int answered = connect(stream, (struct sockaddr *)&next, sizeof(next)) == 0;
	struct pollfd refused = {.fd = datagram};
	/* When nobody received the first, that is told, on a slow machine not at once, and the second send fails. */
	if (connect(datagram, (struct sockaddr *)&next, sizeof(next)) == 0 && send(datagram, "x", 1, 0) == 1 &&
	    poll(&refused, 1, 200) == 0 && send(datagram, "x", 1, 0) == 1)
		answered = 1;
	close(stream);
	close(datagram);
	return answered;
}

int main(int argc, char **argv)
{
	char line[64];
	int contacts = 0;
	if (argc != 3)
		return 2;
	signal(SIGPIPE, SIG_IGN);
	/* even: the next one is nobody's, not that of trials which run at the same time */
	for (port = 21000 + getpid() % 4000 * 2; count < 2; port += 2) {
		while (count > 0)
			close(sockets[--count].fd);
		if (internet(AF_INET, SOCK_STREAM) == 0 && internet(AF_INET, SOCK_DGRAM) == 0)
			break;
	}
	internet(AF_INET6, SOCK_STREAM);
	internet(AF_INET6, SOCK_DGRAM);
	local(SOCK_STREAM, argv[1], "stream.sock");
	local(SOCK_DGRAM, argv[1], "datagram.sock");
	local(SOCK_SEQPACKET, argv[1], "packet.sock");
	local(SOCK_STREAM, NULL, argv[2]);
	snprintf(line, sizeof(line), "%s-datagram", argv[2]);
	local(SOCK_DGRAM, NULL, line);
	printf("%d %d\n", port, getpid());
	fflush(stdout);
	sockets[count] = (struct pollfd){.fd = 0, .events = POLLIN};
	for (;;) {
		if (poll(sockets, count + 1, 20) < 0)
			return 1;
		short asked = sockets[count].revents;
		contacts += drain() + call_back();
		if (asked == 0)
			continue;
		if (fgets(line, sizeof(line), stdin) == NULL)
			return 0;
		printf("%d\n", contacts);
		fflush(stdout);
		contacts = 0;
	}
}
