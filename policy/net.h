/* SPDX-License-Identifier: MIT */
/*
 * net.h - what a socket address says, the same for whoever decides or reports.
 * Pure, async-signal-safe. The decisions themselves are in decide.h.
 */
#ifndef PICKET_POLICY_NET_H
#define PICKET_POLICY_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum net_kind {
	NET_MALFORMED, /* short, too long, or of a family that no rule can name */
	NET_INTERNET4,
	NET_INTERNET6,
	NET_UNIX_PATH, /* `name` is the path as given: perhaps relative, perhaps a symbolic link */
	NET_UNIX_ABSTRACT,
	NET_UNIX_UNNAMED, /* a unix address with no name: bind makes the kernel choose an abstract one */
};

struct net_address {
	enum net_kind kind;
	uint8_t bytes[16]; /* network order; IPv4 in the first four */
	uint16_t port;	   /* host order */
	const char *name;  /* points into the sockaddr; abstract: behind the leading NUL */
	size_t name_length;
};

/*
 * Read an address as the kernel would. IPv4-mapped IPv6 comes out as IPv4. AF_UNSPEC of an internet address's length
 * is IPv4, since that is what bind and sendto take it for; that connect takes it as "disconnect" is for
 * the caller to know. Reads `length` bytes at most.
 */
struct net_address net_read(const struct sockaddr *address, socklen_t length);

/*
 * Calls that fail on every machine, and so are no attempt at anything. 0: it may work; or the errno, positive.
 * A socket of this family, type (with its flags) and protocol; and an address for a socket of this family and type, for
 * bind(2), connect(2), or to send to.
 */
int net_never_socket(int domain, int type, int protocol);
enum net_way { NET_WAY_BIND, NET_WAY_CONNECT, NET_WAY_SEND };
int net_never_address(int domain, int type, enum net_way way, const struct sockaddr *address, socklen_t length);

/* What setsockopt(2) can ask for that no address says; all other options are harmless. */
enum net_option {
	NET_OPTION_HARMLESS,
	NET_OPTION_ROUTES, /* packets go elsewhere than to the address that was judged: source routes (ip(7), RFC 3542) */
	NET_OPTION_ANNOUNCES, /* the kernel sends a packet at once, to tell the network of a group (IGMP, MLD) */
	NET_OPTION_NAMES,     /* a unix socket without a name gets one when it connects or sends (unix(7), Autobind) */
};
extern const struct net_option_rule {
	int level, option;
	enum net_option what;
} net_options[];
extern const unsigned net_option_count;
enum net_option net_option(int level, int option);

/*
 * Requests of ioctl(2) about the machine's network interfaces: their names, addresses, statistics, and what changes them. A
 * socket of any family takes them (sock_ioctl() in net/socket.c), and is told what netlink tells.
 */
enum { NET_INTERFACES_FIRST = 0x8910 /* SIOCGIFNAME */, NET_INTERFACES_LAST = 0x8bff /* SIOCIWLASTPRIV */ };
static inline bool net_asks_interfaces(uint32_t code)
{
	return code >= NET_INTERFACES_FIRST && code <= NET_INTERFACES_LAST;
}

/* Do the first `bits` bits agree? At most 128. */
bool net_prefix_equal(const uint8_t *a, const uint8_t *b, unsigned bits);

/* The unspecified address as a target is the loopback of its family: make it so. */
void net_unspecified_is_loopback(enum net_kind kind, uint8_t bytes[16]);

/*
 * The same in the bytes of an address, which only then is one for certain: the kernel takes the unspecified address for that of
 * the socket itself, if it is bound or a message says where it comes from (IP_PKTINFO), and that may be any of this
 * machine's. True: it was unspecified.
 */
bool net_pin_unspecified(struct sockaddr *address, socklen_t length);

#endif
