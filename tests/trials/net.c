/* SPDX-License-Identifier: MIT */
/* net.c - talking to somebody. */
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stddef.h>
#include <sys/ioctl.h>

#include "trials.h"

static struct sockaddr_in four(const char *address)
{
	struct sockaddr_in result = {.sin_family = AF_INET, .sin_port = htons((uint16_t)here.port)};
	inet_pton(AF_INET, address, &result.sin_addr);
	return result;
}

static struct sockaddr_in6 six(const char *address)
{
	struct sockaddr_in6 result = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)here.port)};
	inet_pton(AF_INET6, address, &result.sin6_addr);
	return result;
}

static struct sockaddr_un local(const char *path)
{
	struct sockaddr_un result = {.sun_family = AF_UNIX};
	snprintf(result.sun_path, sizeof(result.sun_path), "%.107s", path);
	return result;
}

static int connect_to(int family, int type, const void *address, socklen_t length)
{
	int fd = socket(family, type, 0);
	if (connect(fd, address, length) == 0 && write(fd, "x", 1) < 0)
		return -1;
	return fd;
}

static void tcp(const char *address)
{
	struct sockaddr_in to = four(address);
	connect_to(AF_INET, SOCK_STREAM, &to, sizeof(to));
}

static void tcp6(const char *address)
{
	struct sockaddr_in6 to = six(address);
	connect_to(AF_INET6, SOCK_STREAM, &to, sizeof(to));
}

static void unix_path(int type, const char *path)
{
	struct sockaddr_un to = local(path);
	connect_to(AF_UNIX, type, &to, sizeof(to));
}

/* The host's abstract sockets are named after the fixture's directory. */
static void unix_abstract(int type, const char *suffix)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	char fixture[PATH_MAX];
	snprintf(fixture, sizeof(fixture), "%s", here.vault);
	*strrchr(fixture, '/') = 0;
	int length = snprintf(to.sun_path + 1, sizeof(to.sun_path) - 1, "%.60s%s", strrchr(fixture, '/') + 1, suffix);
	connect_to(AF_UNIX, type, &to, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length));
}

static int udp_socket(void)
{
	return socket(AF_INET, SOCK_DGRAM, 0);
}

/* A message with an address, for sendmsg. */
static struct msghdr message(void *address, socklen_t length)
{
	static struct iovec vector = {"x", 1};
	return (struct msghdr){.msg_name = address, .msg_namelen = length, .msg_iov = &vector, .msg_iovlen = 1};
}

TRIAL(net_tcp, CONTACT, 0, "TCP")
{
	tcp("127.0.0.1");
}
TRIAL(net_tcp_other, CONTACT, 0, "TCP to another address of loopback")
{
	tcp("127.0.0.1"), tcp("127.9.9.9");
}
TRIAL(net_tcp_unspecified, CONTACT, 0, "TCP to 0.0.0.0, which is this machine")
{
	tcp("0.0.0.0");
}
TRIAL(net_tcp6, CONTACT, MAYBE, "TCP over IPv6")
{
	tcp6("::1");
}
TRIAL(net_tcp6_unspecified, CONTACT, MAYBE, "TCP to ::, which is this machine")
{
	tcp6("::");
}
TRIAL(net_tcp6_mapped, CONTACT, MAYBE, "TCP to an IPv4 address in IPv6's clothes")
{
	tcp6("::ffff:127.0.0.1");
}
TRIAL(net_tcp_raw, CONTACT, 0, "TCP by raw system calls")
{
	struct sockaddr_in to = four("127.0.0.1");
	raw(SYS_connect, raw(SYS_socket, AF_INET, SOCK_STREAM, 0), &to, sizeof(to));
}
TRIAL(net_tcp_later, CONTACT, 0, "TCP without waiting, then poll")
{
	struct sockaddr_in to = four("127.0.0.1");
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	connect(fd, (struct sockaddr *)&to, sizeof(to));
	struct pollfd one = {fd, POLLOUT, 0};
	poll(&one, 1, 1000);
}
TRIAL(net_tcp_long_address, CONTACT, 0, "an address longer than it has to be")
{
	struct {
		struct sockaddr_in to;
		char more[100];
	} address = {.to = four("127.0.0.1")};
	connect(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&address, sizeof(address));
}
TRIAL(net_tcp_fast_open, CONTACT, MAYBE, "sendto that connects")
{
	struct sockaddr_in to = four("127.0.0.1");
	sendto(socket(AF_INET, SOCK_STREAM, 0), "x", 1, MSG_FASTOPEN, (struct sockaddr *)&to, sizeof(to));
}
TRIAL(net_tcp_fast_open_connect, CONTACT, MAYBE, "sendmsg that connects")
{
	struct sockaddr_in to = four("127.0.0.1");
	struct msghdr header = message(&to, sizeof(to));
	sendmsg(socket(AF_INET, SOCK_STREAM, 0), &header, MSG_FASTOPEN);
}
TRIAL(net_tcp_mptcp, CONTACT, MAYBE, "multipath TCP")
{
	struct sockaddr_in to = four("127.0.0.1");
	connect(socket(AF_INET, SOCK_STREAM, 262), (struct sockaddr *)&to, sizeof(to));
}
TRIAL(net_name, CONTACT, 0, "getaddrinfo of a number in one piece")
{
	char port[16];
	struct addrinfo *found = NULL, hints = {.ai_socktype = SOCK_STREAM};
	snprintf(port, sizeof(port), "%d", here.port);
	if (getaddrinfo("2130706433", port, &hints, &found) == 0)
		connect_to(found->ai_family, SOCK_STREAM, found->ai_addr, found->ai_addrlen);
}
TRIAL(net_udp, CONTACT, 0, "UDP, sendto")
{
	struct sockaddr_in to = four("127.0.0.1");
	sendto(udp_socket(), "x", 1, 0, (struct sockaddr *)&to, sizeof(to));
}
TRIAL(net_udp_raw, CONTACT, 0, "UDP, raw sendto")
{
	struct sockaddr_in to = four("127.0.0.1");
	raw(SYS_sendto, udp_socket(), "x", 1, 0, &to, sizeof(to));
}
TRIAL(net_udp_connect, CONTACT, 0, "UDP, connect and write")
{
	struct sockaddr_in to = four("127.0.0.1");
	connect_to(AF_INET, SOCK_DGRAM, &to, sizeof(to));
}
TRIAL(net_udp6, CONTACT, MAYBE, "UDP over IPv6")
{
	struct sockaddr_in6 to = six("::1");
	sendto(socket(AF_INET6, SOCK_DGRAM, 0), "x", 1, 0, (struct sockaddr *)&to, sizeof(to));
}
TRIAL(net_udp_unspecified_family, CONTACT, 0, "UDP to an address of no family, which is taken for IPv4")
{
	struct sockaddr_in to = four("127.0.0.1");
	to.sin_family = AF_UNSPEC;
	sendto(udp_socket(), "x", 1, 0, (struct sockaddr *)&to, sizeof(to));
}
TRIAL(net_udp6_to_four, CONTACT, MAYBE, "UDP of IPv6, to an IPv4 address")
{
	struct sockaddr_in to = four("127.0.0.1");
	sendto(socket(AF_INET6, SOCK_DGRAM, 0), "x", 1, 0, (struct sockaddr *)&to, sizeof(to));
}
TRIAL(net_udp_message, CONTACT, 0, "UDP, sendmsg")
{
	struct sockaddr_in to = four("127.0.0.1");
	struct msghdr header = message(&to, sizeof(to));
	sendmsg(udp_socket(), &header, 0);
}
TRIAL(net_udp_messages, CONTACT, 0, "UDP, sendmmsg, the address only in the second message")
{
	struct sockaddr_in to = four("127.0.0.1");
	struct mmsghdr headers[2] = {{.msg_hdr = message(NULL, 0)}, {.msg_hdr = message(&to, sizeof(to))}};
	/* The first has no address and fails; asked from the second on, it goes. */
	int fd = udp_socket();
	if (sendmmsg(fd, headers, 2, 0) < 2)
		sendmmsg(fd, headers + 1, 1, 0);
}
TRIAL(net_udp_made, CONTACT, AS_ROOT | MAYBE, "a raw socket that makes a UDP packet by itself")
{
	struct sockaddr_in to = four("127.0.0.1");
	struct {
		struct udphdr header;
		char text;
	} packet = {.header = {.uh_sport = htons(9), .uh_dport = to.sin_port, .uh_ulen = htons(9)}, .text = 'x'};
	sendto(socket(AF_INET, SOCK_RAW, IPPROTO_UDP), &packet, 9, 0, (struct sockaddr *)&to, sizeof(to));
}
TRIAL(net_listen, CONTACT, 0, "listening: the host calls")
{
	struct sockaddr_in own = four("127.0.0.1");
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
	own.sin_port = htons((uint16_t)(here.port + 1));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	struct pollfd one = {fd, POLLIN, 0};
	if (bind(fd, (struct sockaddr *)&own, sizeof(own)) == 0 && listen(fd, 8) == 0 && poll(&one, 1, 3000) == 1)
		accept(fd, NULL, NULL);
}
TRIAL(net_receive, CONTACT, 0, "receiving: the host sends")
{
	struct sockaddr_in own = four("0.0.0.0");
	int fd = udp_socket();
	char byte;
	own.sin_port = htons((uint16_t)(here.port + 1));
	if (bind(fd, (struct sockaddr *)&own, sizeof(own)) == 0)
		for (int i = 0; i < 3; i++)
			if (recv(fd, &byte, 1, 0) < 0)
				return;
}
TRIAL(net_listen_unbound, REACH, 0, "listening without bind takes a port of its own")
{
	if (listen(socket(AF_INET, SOCK_STREAM, 0), 8) == 0)
		reach();
}
TRIAL(net_netlink, REACH, 0, "netlink: the machine's network interfaces")
{
	struct {
		struct nlmsghdr header;
		struct rtgenmsg body;
	} ask = {.header = {.nlmsg_len = sizeof(ask),
			    .nlmsg_type = RTM_GETLINK,
			    .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP}};
	char answer[8192];
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
	if (fd >= 0 && send(fd, &ask, sizeof(ask), 0) > 0 && recv(fd, answer, sizeof(answer), 0) > 0)
		reach();
}
TRIAL(net_interfaces_by_unix, REACH, 0, "the same by ioctl of a UNIX socket")
{
	struct ifreq list[16];
	struct ifconf ask = {.ifc_len = sizeof(list), .ifc_req = list};
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 && ioctl(pair[0], SIOCGIFCONF, &ask) == 0 && ask.ifc_len > 0)
		reach();
}
TRIAL(net_packet, REACH, AS_ROOT, "a packet socket, which hears everything")
{
	if (socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL)) >= 0)
		reach();
}
TRIAL(net_interface, REACH, AS_ROOT, "changing an interface by ioctl")
{
	struct ifreq request = {.ifr_name = "lo"};
	int fd = udp_socket();
	if (ioctl(fd, SIOCGIFFLAGS, &request) == 0 && ioctl(fd, SIOCSIFFLAGS, &request) == 0)
		reach();
}
TRIAL(net_vsock, REACH, MAYBE, "other families: vsock")
{
	if (socket(40, SOCK_STREAM, 0) >= 0)
		reach();
}
TRIAL(net_crypto, REACH, MAYBE, "other families: the kernel's ciphers")
{
	if (socket(AF_ALG, SOCK_SEQPACKET, 0) >= 0)
		reach();
}

TRIAL(unix_stream, CONTACT, 0, "a UNIX stream socket in the vault")
{
	unix_path(SOCK_STREAM, OUT("stream.sock"));
}
TRIAL(unix_datagram, CONTACT, 0, "a UNIX datagram socket in the vault, sendto")
{
	struct sockaddr_un to = local(OUT("datagram.sock"));
	sendto(socket(AF_UNIX, SOCK_DGRAM, 0), "x", 1, 0, (struct sockaddr *)&to, sizeof(to));
}
TRIAL(unix_datagram_message, CONTACT, 0, "the same by sendmsg")
{
	struct sockaddr_un to = local(OUT("datagram.sock"));
	struct msghdr header = message(&to, sizeof(to));
	sendmsg(socket(AF_UNIX, SOCK_DGRAM, 0), &header, 0);
}
TRIAL(unix_datagram_pair, CONTACT, 0, "the same from an end of a socket pair, connected anew")
{
	int pair[2];
	struct sockaddr_un to = local(OUT("datagram.sock"));
	socketpair(AF_UNIX, SOCK_DGRAM, 0, pair);
	sendto(pair[0], "x", 1, 0, (struct sockaddr *)&to, sizeof(to));
	if (connect(pair[1], (struct sockaddr *)&to, sizeof(to)) == 0)
		send(pair[1], "x", 1, 0);
}
TRIAL(unix_packet, CONTACT, 0, "a UNIX packet socket in the vault")
{
	unix_path(SOCK_SEQPACKET, OUT("packet.sock"));
}
TRIAL(unix_relative, CONTACT, 0, "by a relative name")
{
	unix_path(SOCK_STREAM, "../vault/stream.sock");
}
TRIAL(unix_hard_link, CONTACT, 0, "through a hard link inside")
{
	link(OUT("stream.sock"), "linked");
	unix_path(SOCK_STREAM, "linked");
}
TRIAL(unix_moved, CONTACT, 0, "moved inside")
{
	rename(OUT("stream.sock"), IN("moved"));
	unix_path(SOCK_STREAM, "moved");
}
TRIAL(unix_symlink, CONTACT, 0, "through a symbolic link inside")
{
	symlink(OUT("stream.sock"), "link");
	unix_path(SOCK_STREAM, "link");
}
TRIAL(unix_descriptor, CONTACT, 0, "through /proc/self/fd of a directory that is only named")
{
	char name[64];
	snprintf(name, sizeof(name), "/proc/self/fd/%d/stream.sock", open(here.vault, O_PATH));
	unix_path(SOCK_STREAM, name);
}
TRIAL(unix_unterminated, CONTACT, 0, "a name without the byte that ends it")
{
	struct sockaddr_un to = local(OUT("stream.sock"));
	connect_to(AF_UNIX, SOCK_STREAM, &to,
		   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(to.sun_path)));
}
TRIAL(unix_abstract_stream, CONTACT, 0, "an abstract stream socket")
{
	unix_abstract(SOCK_STREAM, "");
}
TRIAL(unix_abstract_datagram, CONTACT, 0, "an abstract datagram socket")
{
	unix_abstract(SOCK_DGRAM, "-datagram");
}
TRIAL(unix_abstract_bind, REACH, 0, "taking an abstract name that others would trust")
{
	struct sockaddr_un own = {.sun_family = AF_UNIX, .sun_path = "\0trials-taken"};
	if (bind(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&own,
		 offsetof(struct sockaddr_un, sun_path) + 13) == 0)
		reach();
}
TRIAL(unix_auto_bind, REACH, 0, "taking an abstract name that the kernel chooses")
{
	struct sockaddr_un own = {.sun_family = AF_UNIX};
	if (bind(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&own, sizeof(sa_family_t)) == 0)
		reach();
}
TRIAL(net_group, REACH, MAYBE, "joining a multicast group: the kernel tells the whole network of it")
{
	struct ip_mreq group = {.imr_interface.s_addr = htonl(INADDR_LOOPBACK)};
	inet_pton(AF_INET, "239.77.1.2", &group.imr_multiaddr);
	if (setsockopt(socket(AF_INET, SOCK_DGRAM, 0), IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof(group)) == 0)
		reach();
}
TRIAL(net_group_by_name, REACH, MAYBE, "the same by the option of both families, and on a stream")
{
	struct group_req group = {.gr_interface = if_nametoindex("lo")};
	struct sockaddr_in to = {.sin_family = AF_INET};
	inet_pton(AF_INET, "239.77.1.3", &to.sin_addr);
	memcpy(&group.gr_group, &to, sizeof(to));
	if (setsockopt(socket(AF_INET, SOCK_STREAM, 0), IPPROTO_IP, MCAST_JOIN_GROUP, &group, sizeof(group)) == 0 ||
	    setsockopt(socket(AF_INET6, SOCK_DGRAM, 0), IPPROTO_IP, MCAST_JOIN_GROUP, &group, sizeof(group)) == 0)
		reach();
}
