/* SPDX-License-Identifier: MIT */
/*
 * judge_network.c - sockets: which may be made, and where they may lead, as
 * tracer/judge_network.c. What the shims know of each other is in the shared page: which unix sockets the
 * run has made itself.
 */
#include <asm-generic/errno.h>
#include <linux/fcntl.h>
#include <linux/netlink.h>
#include <linux/stat.h>
#include <netinet/in.h>
#include <sys/un.h>

#include "net.h"
#include "shim.h"

/* RFC 2292's and 3542's names of options, linux/in6.h. */
enum { IPV6_2292RTHDR_OPTION = 5, IPV6_RTHDR_OPTION = 57, IP_RETOPTS_OPTION = 7, MPTCP = 262 };
enum { SOCK_TYPE_BITS = 0xf, SO_TYPE_OPTION = 3, SO_DOMAIN_OPTION = 39, SOL_SOCKET_LEVEL = 1 };

static bool any_internet(void)
{
	for (unsigned i = 0; i < shim.image_count; i++)
		if (!decide_any_internet(shim.images[i], NET_CONNECT) && !decide_any_internet(shim.images[i], NET_BIND))
			return false;
	return true;
}

static bool any_udp(void)
{
	for (unsigned i = 0; i < shim.image_count; i++)
		if (!decide_any_udp(shim.images[i]))
			return false;
	return true;
}

bool judge_every_address(enum net_use use)
{
	for (unsigned i = 0; i < shim.image_count; i++)
		if (!decide_every_address(shim.images[i], use))
			return false;
	return true;
}

/* Can what is sent through such a socket be judged by address? */
static bool internet_known(int type, int protocol)
{
	switch (protocol) {
	case 0:
		return type == SOCK_STREAM || type == SOCK_DGRAM;
	case IPPROTO_TCP:
	case MPTCP:
		return type == SOCK_STREAM;
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
		return type == SOCK_DGRAM;
	default:
		return false;
	}
}

/* What no rule can name, and goes where a policy allows so much. */
static int refuse_unnamed(struct request *request, int error, enum net_transport transport, const char *target)
{
	return refuse(request, &(struct refusal){.kind = WIRE_NETWORK_OUTBOUND,
						 .about = WIRE_ABOUT_EVERYWHERE,
						 .error = error,
						 .transport = transport,
						 .rule = RULE_DEFAULT,
						 .target = target,
						 .length = text_length(target)});
}

/* `error`, positive: whatever the policy says; negative: unless it allows every address. */
static int refuse_socket(struct request *request, int error)
{
	char text[96], *end = text_put_number(text_put(text, "socket of family "), (unsigned)request->args[0]);

	end = text_put_number(text_put(end, ", type "), request->args[1] & SOCK_TYPE_BITS);
	text_put_number(text_put(end, ", protocol "), (unsigned)request->args[2]);
	return error < 0 ? refuse_unnamed(request, -error, NET_TCP, text)
			 : refuse_always(request, WIRE_NETWORK_OUTBOUND, error, text);
}

int judge_interfaces(struct request *request)
{
	return any_internet() ? 0 : refuse_unnamed(request, EACCES, NET_TCP, "network interfaces");
}

/* Without any network no socket for it is made, since that is what a filter can refuse, and the answer is to be the same. */
static int judge_socket(struct request *request)
{
	int domain = (int)request->args[0], type = (int)request->args[1] & SOCK_TYPE_BITS,
	    protocol = (int)request->args[2];
	int r = 0;

	if (net_never_socket(domain, (int)request->args[1], protocol) ||
	    (request->number == NUMBER_socketpair && (domain == AF_INET || domain == AF_INET6)))
		return 0; /* the kernel says so */
	switch (domain) {
	case AF_UNIX:
		return 0;
	case AF_INET:
	case AF_INET6:
		r = any_internet() ? 0
				   : refuse_unnamed(request, EACCES, NET_TCP, "a socket: the policy has no network");
		if (r < 0)
			return r;
		if (internet_known(type, protocol))
			return type != SOCK_DGRAM || any_udp()
				       ? 0
				       : refuse_unnamed(request, EACCES, NET_UDP,
							"a UDP socket: no rule of the policy is for UDP");
		if (type == SOCK_DGRAM && (protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6))
			return judge_every_address(NET_CONNECT) ? 0 : refuse_socket(request, -EACCES);
		break;
	case AF_NETLINK:
		if (protocol == NETLINK_ROUTE)
			return any_internet() ? 0 : refuse_socket(request, -EACCES);
		return refuse_socket(request, EPROTONOSUPPORT);
	default:
		break;
	}
	return refuse_socket(request, EAFNOSUPPORT);
}

/* ---- addresses ---------------------------------------------------------- */

static int socket_number(int socket, int option)
{
	int value = 0;
	uint32_t length = sizeof value;

	raw(__NR_getsockopt, socket, SOL_SOCKET_LEVEL, option, &value, &length);
	return value;
}

static enum net_transport transport_of(int socket)
{
	return socket_number(socket, SO_TYPE_OPTION) == SOCK_STREAM ? NET_TCP : NET_UDP;
}

static int refuse_address(struct request *request, enum net_use use, enum net_transport transport,
			  const struct sockaddr *address, uint32_t length, struct verdict verdict, unsigned image)
{
	return refuse(request, &(struct refusal){.kind = use == NET_CONNECT ? WIRE_NETWORK_OUTBOUND : WIRE_NETWORK_BIND,
						 .about = WIRE_ABOUT_ADDRESS,
						 .error = verdict.error,
						 .rule = verdict.rule,
						 .image = image,
						 .use = use,
						 .transport = transport,
						 .target = "",
						 .address = address,
						 .address_length = length});
}

union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_un named;
	char bytes[128];
};

static bool is_connected(int socket)
{
	char peer[128];
	uint32_t length = sizeof peer;

	return raw(__NR_getpeername, socket, peer, &length) == 0;
}

/*
 * Where the kernel goes for the unspecified address: to the socket's own, if it has one. What was asked for, otherwise, which
 * is decided as loopback.
 */
static const struct sockaddr *target_of(int socket, const struct sockaddr *address, uint32_t *length,
					union address *own)
{
	struct net_address asked = net_read(address, *length);
	uint32_t own_length = sizeof *own;

	if (*length > sizeof *own)
		return address;
	memcpy(own, address, *length);
	if (!net_pin_unspecified(&own->any, *length) || raw(__NR_getsockname, socket, own, &own_length) < 0 ||
	    (own->any.sa_family != AF_INET && own->any.sa_family != AF_INET6))
		return address;
	own->in.sin_port = (in_port_t)(asked.port >> 8 | asked.port << 8); /* both families have it at the same place */
	*length = own_length;
	return &own->any; /* which may be unspecified, too */
}

static int judge_address(struct request *request, enum net_use use, const struct sockaddr *address, uint32_t length)
{
	enum net_transport transport = address->sa_family == AF_UNIX ? NET_TCP : transport_of((int)request->args[0]);
	union address own;

	if (use == NET_CONNECT)
		address = target_of((int)request->args[0], address, &length, &own);
	for (unsigned i = 0; i < shim.image_count; i++) {
		struct verdict verdict = decide_address(shim.images[i], use, transport, address, length);
		if (!verdict.allowed)
			return refuse_address(request, use, transport, address, length, verdict, i);
	}
	return 0;
}

/* ---- unix sockets with a name ------------------------------------------- */

static uint64_t device(const struct statx *stx)
{
	return (uint64_t)stx->stx_dev_major << 32 | stx->stx_dev_minor;
}

static bool made_by_run(const struct statx *stx)
{
	uint32_t used = shim.shared->sockets_used;

	for (uint32_t i = 0; i < used && i < WIRE_SOCKETS; i++)
		if (shim.shared->sockets[i].ino == stx->stx_ino && shim.shared->sockets[i].dev == device(stx))
			return true;
	return false;
}

static int refuse_unix(struct request *request, const struct place *place, enum net_use use, struct verdict verdict,
		       unsigned i)
{
	return refuse(request, &(struct refusal){.kind = use == NET_CONNECT ? WIRE_NETWORK_OUTBOUND : WIRE_NETWORK_BIND,
						 .about = WIRE_ABOUT_UNIX_PATH,
						 .error = verdict.error,
						 .rule = verdict.rule,
						 .image = i,
						 .use = use,
						 .target = place->name,
						 .length = place->length});
}

static int judge_unix_connect(struct request *request, const struct place *place)
{
	struct statx stx;

	if (!place->exists || common_object(place->fd, STATX_TYPE | STATX_INO, &stx) != 0 ||
	    ((stx.stx_mode & S_IFMT) != S_IFSOCK && !judge_hidden(place)))
		return 0; /* the kernel: ENOENT, ECONNREFUSED */
	bool own = made_by_run(&stx);
	for (unsigned i = 0; i < shim.image_count; i++) {
		struct verdict verdict =
			own ? decide_own_socket(shim.images[i], place->name, place->length)
			    : decide_unix_path(shim.images[i], NET_CONNECT, place->name, place->length);
		if (verdict.allowed)
			continue;
		int r = refuse_unix(request, place, NET_CONNECT, verdict, i);
		if (r < 0)
			return r;
	}
	return 0;
}

/*
 * Bound here, not by libc (bind is no cancellation point), so that what was made can be noted at once. JUDGED_DONE, or
 * -errno.
 */
static int bind_unix(struct request *request, const struct place *place)
{
	struct statx stx;
	long r = raw(__NR_bind, request->args[0], request->args[1], request->args[2]);

	if (r < 0)
		return (int)r;
	if (common_status(AT_FDCWD, place->name, AT_SYMLINK_NOFOLLOW, STATX_TYPE | STATX_INO, &stx) == 0 &&
	    (stx.stx_mode & S_IFMT) == S_IFSOCK) {
		uint32_t i = shim.shared->sockets_used++;
		if (i < WIRE_SOCKETS)
			shim.shared->sockets[i] = (struct wire_socket){device(&stx), stx.stx_ino};
	}
	return JUDGED_DONE;
}

int judge_unix(struct request *request, enum net_use use, const char *path)
{
	struct place place;

	request->requested = path;
	int r = judge_resolve(request, &place, AT_FDCWD, path, use == NET_CONNECT);
	if (r != 0)
		r = r == JUDGED_FAILS ? 0 : r;
	else if (use == NET_CONNECT)
		r = judge_unix_connect(request, &place);
	else if (!place.exists || judge_hidden(&place))
		r = judge_made(request, &place, ACCESS_WRITE, true, S_IFSOCK);
	if (r == 0 && use == NET_BIND && place.fd >= 0 && !place.exists)
		r = bind_unix(request, &place);
	place_close(&place);
	return r;
}

/* The name may have no NUL behind it. */
static int judge_unix_address(struct request *request, enum net_use use, const struct sockaddr *address,
			      uint32_t length)
{
	const char *name = (const char *)address + offsetof(struct sockaddr_un, sun_path);
	char path[sizeof(struct sockaddr_un) + 1];
	size_t n = 0;

	while (n < length - offsetof(struct sockaddr_un, sun_path) && n < sizeof path - 1 && name[n])
		n++;
	memcpy(path, name, n);
	path[n] = 0;
	return judge_unix(request, use, path);
}

/* ---- by call ------------------------------------------------------------ */

/* Does the kernel refuse it by itself, since it is no address for this socket? */
static bool is_misfit(const struct request *request, enum net_use use, const struct sockaddr *address, uint32_t length)
{
	int socket = (int)request->args[0], domain = socket_number(socket, SO_DOMAIN_OPTION);
	enum net_way way = use == NET_BIND		       ? NET_WAY_BIND
			   : request->number == NUMBER_connect ? NET_WAY_CONNECT
							       : NET_WAY_SEND;

	return domain == 0 /* no socket */ ||
	       net_never_address(domain, socket_number(socket, SO_TYPE_OPTION), way, address, length) != 0;
}

static int judge_destination(struct request *request, enum net_use use, const struct sockaddr *address, uint32_t length)
{
	struct sockaddr_in taken_for_internet;
	/* cppcheck-suppress nullPointerArithmeticRedundantCheck; not used when it is NULL */
	const char *name = (const char *)address + offsetof(struct sockaddr_un, sun_path);

	if (!address || length < sizeof(address->sa_family) || length > 128 || !readable(address, length) ||
	    is_misfit(request, use, address, length))
		return 0; /* to where it is connected; or EINVAL or EFAULT, by the kernel */
	switch (address->sa_family) {
	case AF_UNIX:
		if (length > sizeof(address->sa_family) && *name)
			return judge_unix_address(request, use, address, length);
		/* no name at all: the kernel chooses an abstract one to bind (unix(7), Autobind) */
		return use == NET_BIND || length > sizeof(address->sa_family)
			       ? judge_address(request, use, address, length)
			       : 0;
	case AF_UNSPEC: /* connect: let go of the peer; elsewhere the kernel takes it for IPv4 */
		if (request->number == NUMBER_connect || length < sizeof taken_for_internet)
			return 0;
		memcpy(&taken_for_internet, address, sizeof taken_for_internet);
		taken_for_internet.sin_family = AF_INET;
		return judge_address(request, use, (const struct sockaddr *)&taken_for_internet,
				     sizeof taken_for_internet);
	case AF_NETLINK:
		return 0; /* judged when it was made */
	default:
		return judge_address(request, use, address, length);
	}
}

/* Control messages that make a packet go elsewhere (ip(7), IP_RETOPTS; RFC 3542). */
static int judge_control(struct request *request, const struct msghdr *message)
{
	if (message->msg_controllen > 4096)
		return -ENOBUFS;
	if (!message->msg_control || !message->msg_controllen ||
	    !readable(message->msg_control, message->msg_controllen))
		return 0;
	for (size_t at = 0; at + sizeof(struct cmsghdr) <= message->msg_controllen;) {
		struct cmsghdr control;
		memcpy(&control, (const char *)message->msg_control + at, sizeof control);
		if ((control.cmsg_level == IPPROTO_IP && control.cmsg_type == IP_RETOPTS_OPTION) ||
		    (control.cmsg_level == IPPROTO_IPV6 &&
		     (control.cmsg_type == IPV6_RTHDR_OPTION || control.cmsg_type == IPV6_2292RTHDR_OPTION)))
			return refuse_always(request, WIRE_NETWORK_OUTBOUND, EPERM, "source route");
		if (control.cmsg_len < sizeof control)
			break;
		at += (control.cmsg_len + 7) & ~(size_t)7;
	}
	return 0;
}

static int judge_message(struct request *request, const struct msghdr *message)
{
	if (!readable(message, sizeof *message))
		return 0;
	int r = judge_destination(request, NET_CONNECT, message->msg_name, message->msg_namelen);
	return r == 0 ? judge_control(request, message) : r;
}

/* A refused one ends the list, as the kernel ends it at the first that fails; at the head it is the whole call. */
static int judge_messages(struct request *request)
{
	const struct mmsghdr *messages = (const struct mmsghdr *)request->args[1];
	uint32_t count = (uint32_t)request->args[2];

	for (uint32_t i = 0; i < count; i++) {
		int r = judge_message(request, &messages[i].msg_hdr); /* one that cannot be read ends the list, too */
		if (r < 0 && i == 0)
			return r;
		if (r < 0) {
			request->args[2] = i;
			break;
		}
	}
	return 0;
}

/* By where it is going to listen. Only the kernel knows whether it has the port that its name says (tracer/judge_network.c): so
 * it is bound there, which does nothing where it is bound already. */
static int judge_listen_internet(struct request *request, const union address *address, uint32_t length)
{
	for (unsigned i = 0; i < shim.image_count; i++) {
		struct verdict verdict = decide_listen(shim.images[i], &address->any, length);
		int r = verdict.allowed ? 0
					: refuse_address(request, NET_BIND, NET_TCP, &address->any, length, verdict, i);
		if (r < 0)
			return r;
	}
	long r = raw(__NR_bind, request->args[0], address, length);
	return r == -EINVAL ? 0 : (int)r;
}

/* A unix socket may have got its name from the kernel, when it connected. */
static int judge_listen(struct request *request)
{
	union address address;
	uint32_t length = sizeof address;

	if (raw(__NR_getsockname, request->args[0], &address, &length) < 0)
		return 0;
	if (address.any.sa_family == AF_UNIX)
		return length > offsetof(struct sockaddr_un, sun_path) && !*address.named.sun_path
			       ? judge_address(request, NET_BIND, &address.any, length)
			       : 0;
	if ((address.any.sa_family != AF_INET && address.any.sa_family != AF_INET6) ||
	    transport_of((int)request->args[0]) != NET_TCP || is_connected((int)request->args[0]))
		return 0; /* the kernel: EOPNOTSUPP, EINVAL */
	return judge_listen_internet(request, &address, length);
}

/* A datagram socket without a name that wants credentials gets one when it sends (tracer/judge_network.c). */
static int judge_naming(struct request *request)
{
	int socket = (int)request->args[0];
	union address address;
	uint32_t length = sizeof address;

	if (socket_number(socket, SO_DOMAIN_OPTION) != AF_UNIX || socket_number(socket, SO_TYPE_OPTION) != SOCK_DGRAM ||
	    raw(__NR_getsockname, socket, &address, &length) < 0 || length > offsetof(struct sockaddr_un, sun_path))
		return 0;
	address.any.sa_family = AF_UNIX;
	return judge_address(request, NET_BIND, &address.any, sizeof address.any.sa_family);
}

static int judge_sockopt(struct request *request)
{
	enum net_option option = net_option((int)request->args[1], (int)request->args[2]);

	if (option == NET_OPTION_ROUTES)
		return refuse_always(request, WIRE_NETWORK_OUTBOUND, EPERM, "source route");
	if (option == NET_OPTION_ANNOUNCES && !judge_every_address(NET_CONNECT))
		return refuse_unnamed(request, EPERM, NET_TCP, "multicast group");
	return option == NET_OPTION_NAMES ? judge_naming(request) : 0;
}

int judge_network(struct request *request)
{
	int at = call_arg_index(request->call, ARG_SOCKADDR, 0);

	switch (request->call->op) {
	case OP_SOCKET:
		return judge_socket(request);
	case OP_LISTEN:
		return judge_listen(request);
	case OP_SOCKOPT:
		return judge_sockopt(request);
	case OP_SENDMSG:
		return judge_message(request, (const struct msghdr *)request->args[1]);
	case OP_SENDMMSG:
		return judge_messages(request);
	default:
		return judge_destination(request, request->call->op == OP_BIND ? NET_BIND : NET_CONNECT,
					 (const struct sockaddr *)request->args[at], (uint32_t)request->args[at + 1]);
	}
}
