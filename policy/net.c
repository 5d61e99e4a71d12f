/* SPDX-License-Identifier: MIT */
/*
 * net.c - reading socket addresses, and what the policy says of internet and
 * abstract ones. Paths of unix sockets are decided in decide.c.
 *
 * Rules here: runs inside guarded processes as well: neither heap nor libc nor
 * locks. An address is bytes from the guarded program: nothing is read beyond
 * the length it gave. Network rules only allow; whatever no rule names is refused. They are compared one after the
 * other: about 4 ns each, and a policy has few of them.
 */
#include "net.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/un.h>

#include "decide.h"
#include "image_layout.h"

enum {
	INET6_SHORT = offsetof(struct sockaddr_in6, sin6_scope_id), /* the kernel takes it without the scope */
	UNIX_NAME = offsetof(struct sockaddr_un, sun_path),
};

static void copy_bytes(uint8_t *to, const unsigned char *from, size_t count)
{
	for (size_t i = 0; i < count; i++)
		to[i] = from[i];
}

/* Big endian, unaligned. */
static uint16_t read_port(const unsigned char *from)
{
	return (uint16_t)(from[0] << 8 | from[1]);
}

static void read_internet4(struct net_address *result, const unsigned char *bytes, size_t length)
{
	if (length < sizeof(struct sockaddr_in))
		return;
	result->kind = NET_INTERNET4;
	copy_bytes(result->bytes, bytes + offsetof(struct sockaddr_in, sin_addr), 4);
	result->port = read_port(bytes + offsetof(struct sockaddr_in, sin_port));
}

static void read_internet6(struct net_address *result, const unsigned char *bytes, size_t length)
{
	static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
	const unsigned char *address = bytes + offsetof(struct sockaddr_in6, sin6_addr);

	if (length < INET6_SHORT)
		return;
	result->port = read_port(bytes + offsetof(struct sockaddr_in6, sin6_port));
	if (net_prefix_equal(address, mapped, 96)) {
		result->kind = NET_INTERNET4;
		copy_bytes(result->bytes, address + 12, 4);
	} else {
		result->kind = NET_INTERNET6;
		copy_bytes(result->bytes, address, 16);
	}
}

static void read_unix(struct net_address *result, const unsigned char *bytes, size_t length)
{
	const char *name = (const char *)bytes + UNIX_NAME;
	size_t room = length - UNIX_NAME, used = 0;

	if (length > sizeof(struct sockaddr_un))
		return;
	if (room == 0) {
		result->kind = NET_UNIX_UNNAMED;
	} else if (name[0] == '\0') {
		result->kind = NET_UNIX_ABSTRACT;
		result->name = name + 1;
		result->name_length = room - 1;
	} else {
		/* A path ends at its NUL or with the address: the kernel adds the missing one. */
		while (used < room && name[used] != '\0')
			used++;
		result->kind = NET_UNIX_PATH;
		result->name = name;
		result->name_length = used;
	}
}

struct net_address net_read(const struct sockaddr *address, socklen_t length)
{
	const unsigned char *bytes = (const unsigned char *)address;
	struct net_address result = {.kind = NET_MALFORMED};
	sa_family_t family;

	if (address == NULL || length < sizeof(family) || length > sizeof(struct sockaddr_storage))
		return result;
	__builtin_memcpy(&family, bytes, sizeof(family));
	if (family == AF_INET || family == AF_UNSPEC)
		read_internet4(&result, bytes, length);
	else if (family == AF_INET6)
		read_internet6(&result, bytes, length);
	else if (family == AF_UNIX)
		read_unix(&result, bytes, length);
	return result;
}

int net_never_socket(int domain, int type, int protocol)
{
	enum {
		TYPE_BITS = 0xf,      /* SOCK_TYPE_MASK, include/linux/net.h */
		TYPES = 11,	      /* SOCK_MAX */
		FAMILIES_MOST = 64,   /* more than there are */
		PROTOCOLS_MOST = 263, /* IPPROTO_MAX */
		MULTIPATH_TCP = 262,
	};
	int plain = type & TYPE_BITS;
	bool stream = protocol == IPPROTO_TCP || protocol == MULTIPATH_TCP,
	     datagram = protocol == IPPROTO_UDP || protocol == IPPROTO_UDPLITE || protocol == IPPROTO_ICMP ||
			protocol == IPPROTO_ICMPV6;

	if ((type & ~(TYPE_BITS | SOCK_CLOEXEC | SOCK_NONBLOCK)) != 0)
		return EINVAL;
	if (domain < 0 || domain >= FAMILIES_MOST)
		return EAFNOSUPPORT;
	if (plain >= TYPES)
		return EINVAL;
	if (domain != AF_INET && domain != AF_INET6)
		return 0;
	if (protocol < 0 || protocol >= PROTOCOLS_MOST)
		return EINVAL;
	return (plain == SOCK_STREAM && datagram) || (plain == SOCK_DGRAM && stream) ? EPROTONOSUPPORT : 0;
}

static int never_internet6(int type, enum net_way way, sa_family_t family, socklen_t length)
{
	if (family == AF_INET && type == SOCK_DGRAM && way != NET_WAY_BIND)
		return length < sizeof(struct sockaddr_in) ? EINVAL : 0;
	if (length < INET6_SHORT)
		return EINVAL;
	if (family == AF_INET6)
		return 0;
	return way == NET_WAY_SEND ? EINVAL : EAFNOSUPPORT;
}

int net_never_address(int domain, int type, enum net_way way, const struct sockaddr *address, socklen_t length)
{
	sa_family_t family;

	if (length < sizeof(family))
		return EINVAL;
	__builtin_memcpy(&family, address, sizeof(family));
	switch (domain) {
	case AF_INET:
		if (length < sizeof(struct sockaddr_in))
			return EINVAL;
		return family == AF_INET || family == AF_UNSPEC ? 0 : EAFNOSUPPORT;
	case AF_INET6:
		return never_internet6(type, way, family, length);
	case AF_UNIX:
		return family == AF_UNIX && length <= sizeof(struct sockaddr_un) ? 0 : EINVAL;
	case AF_NETLINK:
		return family == AF_NETLINK ? 0 : EINVAL;
	default:
		return 0;
	}
}

bool net_prefix_equal(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;

	for (unsigned i = 0; i < whole; i++) {
		if (a[i] != b[i])
			return false;
	}
	return rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0;
}

void net_unspecified_is_loopback(enum net_kind kind, uint8_t bytes[16])
{
	static const uint8_t unspecified[16];

	if (kind == NET_INTERNET4 && net_prefix_equal(bytes, unspecified, 32)) {
		bytes[0] = 127;
		bytes[3] = 1;
	} else if (kind == NET_INTERNET6 && net_prefix_equal(bytes, unspecified, 128)) {
		bytes[15] = 1;
	}
}

bool net_pin_unspecified(struct sockaddr *address, socklen_t length)
{
	static const uint8_t unspecified[16];
	struct net_address read = net_read(address, length);
	unsigned char *to = (unsigned char *)address;
	bool four = read.kind == NET_INTERNET4;

	if ((!four && read.kind != NET_INTERNET6) || !net_prefix_equal(read.bytes, unspecified, four ? 32 : 128))
		return false;
	net_unspecified_is_loopback(read.kind, read.bytes);
	if (address->sa_family == AF_INET6) /* an IPv4 address is at the end of it */
		copy_bytes(to + offsetof(struct sockaddr_in6, sin6_addr) + (four ? 12 : 0), read.bytes, four ? 4 : 16);
	else
		copy_bytes(to + offsetof(struct sockaddr_in, sin_addr), read.bytes, 4);
	return true;
}

static struct verdict refused(void)
{
	return (struct verdict){.allowed = false, .error = EACCES, .rule = RULE_DEFAULT};
}

static struct verdict allowed(uint32_t rule)
{
	return (struct verdict){.allowed = true, .error = 0, .rule = rule};
}

static uint8_t use_flag(enum net_use use)
{
	return use == NET_CONNECT ? INTERNET_CONNECT : INTERNET_BIND;
}

static struct verdict decide_internet(const struct image *image, uint8_t wanted, const struct net_address *address)
{
	const struct image_internet *rule = image_at(image, image->internet);

	for (uint32_t i = 0; i < image->internet.count; i++, rule++) {
		if ((rule->flags & wanted) == wanted && rule->first_port <= address->port &&
		    address->port <= rule->last_port && net_prefix_equal(rule->address, address->bytes, rule->bits))
			return allowed(rule->rule);
	}
	return refused();
}

static struct verdict decide_abstract(const struct image *image, uint8_t use, const struct net_address *address)
{
	const struct image_abstract *rule = image_at(image, image->abstract);
	const char *names = image_at(image, image->names);

	for (uint32_t i = 0; i < image->abstract.count; i++, rule++) {
		size_t length = rule->name_length;

		if (rule->use != use || length > address->name_length ||
		    (length < address->name_length && rule->prefix == 0))
			continue;
		if (net_prefix_equal((const uint8_t *)names + rule->name, (const uint8_t *)address->name,
				     (unsigned)length * 8))
			return allowed(rule->rule);
	}
	return refused();
}

/* Binding to no name at all takes an abstract one of the kernel's choice: only who may have any may have that. */
static struct verdict decide_unnamed(const struct image *image, enum net_use use)
{
	const struct image_abstract *rule = image_at(image, image->abstract);

	for (uint32_t i = 0; use == NET_BIND && i < image->abstract.count; i++, rule++) {
		if (rule->use == INTERNET_BIND && rule->prefix != 0 && rule->name_length == 0)
			return allowed(rule->rule);
	}
	return refused();
}

struct verdict decide_address(const struct image *image, enum net_use use, enum net_transport transport,
			      const struct sockaddr *address, socklen_t length)
{
	struct net_address read = net_read(address, length);
	uint8_t wanted = use_flag(use);

	switch (read.kind) {
	case NET_INTERNET4:
	case NET_INTERNET6:
		wanted |= transport == NET_TCP ? INTERNET_TCP : INTERNET_UDP;
		wanted |= read.kind == NET_INTERNET4 ? INTERNET_V4 : INTERNET_V6;
		if (use == NET_CONNECT)
			net_unspecified_is_loopback(read.kind, read.bytes);
		return decide_internet(image, wanted, &read);
	case NET_UNIX_ABSTRACT:
		return decide_abstract(image, wanted, &read);
	case NET_UNIX_UNNAMED:
		return decide_unnamed(image, use);
	case NET_UNIX_PATH:
	case NET_MALFORMED:
		break;
	}
	return refused();
}

struct verdict decide_listen(const struct image *image, const struct sockaddr *address, socklen_t length)
{
	struct net_address read = net_read(address, length);
	struct verdict verdict = decide_address(image, NET_BIND, NET_TCP, address, length);
	uint8_t wanted = INTERNET_BIND | INTERNET_TCP;

	if (verdict.allowed || (read.kind != NET_INTERNET4 && read.kind != NET_INTERNET6))
		return verdict;
	read.port = 0;
	wanted |= read.kind == NET_INTERNET4 ? INTERNET_V4 : INTERNET_V6;
	return decide_internet(image, wanted, &read);
}

bool decide_any_internet(const struct image *image, enum net_use use)
{
	return (image->uses[use] & USES_INTERNET) != 0;
}

bool decide_any_udp(const struct image *image)
{
	return ((image->uses[NET_CONNECT] | image->uses[NET_BIND]) & USES_UDP) != 0;
}

bool decide_every_address(const struct image *image, enum net_use use)
{
	return (image->uses[use] & USES_EVERYTHING) != 0;
}

/* By number: the headers of the C libraries differ in what they have of these, and in with which other headers. */
enum {
	IP_LEVEL = 0,
	IP_OPTIONS_OPTION = 4,
	IP_ADD_MEMBERSHIP_OPTION = 35,
	IP_ADD_SOURCE_MEMBERSHIP_OPTION = 39,
	IPV6_LEVEL = 41,
	IPV6_2292RTHDR_OPTION = 5,
	IPV6_2292PKTOPTIONS_OPTION = 6,
	IPV6_JOIN_GROUP_OPTION = 20,
	IPV6_JOIN_ANYCAST_OPTION = 27,
	IPV6_FLOWLABEL_MGR_OPTION = 32,
	IPV6_RTHDR_OPTION = 57,
	MCAST_JOIN_GROUP_OPTION = 42,
	MCAST_JOIN_SOURCE_GROUP_OPTION = 46,
	SOCKET_LEVEL = 1,
	PASSCRED_OPTION = 16,
	PASSPIDFD_OPTION = 76,
};
/* Which sources of a group are wanted can be said only by who has joined it. */
const struct net_option_rule net_options[] = {
	{IP_LEVEL, IP_OPTIONS_OPTION, NET_OPTION_ROUTES},
	{IPV6_LEVEL, IPV6_RTHDR_OPTION, NET_OPTION_ROUTES},
	{IPV6_LEVEL, IPV6_2292RTHDR_OPTION, NET_OPTION_ROUTES},
	{IPV6_LEVEL, IPV6_2292PKTOPTIONS_OPTION, NET_OPTION_ROUTES},
	{IPV6_LEVEL, IPV6_FLOWLABEL_MGR_OPTION, NET_OPTION_ROUTES}, /* a label has options, a source route among them */
	{IP_LEVEL, IP_ADD_MEMBERSHIP_OPTION, NET_OPTION_ANNOUNCES},
	{IP_LEVEL, IP_ADD_SOURCE_MEMBERSHIP_OPTION, NET_OPTION_ANNOUNCES},
	{IP_LEVEL, MCAST_JOIN_GROUP_OPTION, NET_OPTION_ANNOUNCES},
	{IP_LEVEL, MCAST_JOIN_SOURCE_GROUP_OPTION, NET_OPTION_ANNOUNCES},
	{IPV6_LEVEL, IPV6_JOIN_GROUP_OPTION, NET_OPTION_ANNOUNCES},
	{IPV6_LEVEL, IPV6_JOIN_ANYCAST_OPTION, NET_OPTION_ANNOUNCES},
	{IPV6_LEVEL, MCAST_JOIN_GROUP_OPTION, NET_OPTION_ANNOUNCES},
	{IPV6_LEVEL, MCAST_JOIN_SOURCE_GROUP_OPTION, NET_OPTION_ANNOUNCES},
	{SOCKET_LEVEL, PASSCRED_OPTION, NET_OPTION_NAMES},
	{SOCKET_LEVEL, PASSPIDFD_OPTION, NET_OPTION_NAMES},
};
const unsigned net_option_count = sizeof net_options / sizeof net_options[0];

enum net_option net_option(int level, int option)
{
	for (unsigned i = 0; i < net_option_count; i++)
		if (net_options[i].level == level && net_options[i].option == option)
			return net_options[i].what;
	return NET_OPTION_HARMLESS;
}
