/* SPDX-License-Identifier: MIT */
/*
 * judge_network.c - sockets: which may be made, and where they may lead.
 *
 * A unix socket with a name in the file system is a file: to make one is to write there, and one that this run made may
 * be connected to without a rule. One that somebody else made leads out of the run (an agent, a bus, a
 * display), even where its directory may be written: that takes a network.connect rule. And what the files' rules refuse, the
 * network's do not open: decide_unix_path.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "address.h"
#include "judge.h"
#include "leaf.h"
#include "net.h"

/* RFC 2292's name for an option of IPv6, which glibc's headers leave out (linux/in6.h). */
enum { IPV6_2292RTHDR_OPTION = 5 };

enum { SOCK_TYPE_BITS = 0xf }; /* SOCK_TYPE_MASK in include/linux/net.h */

static int arg(const struct request *request, enum arg_kind kind, int after)
{
	int at = call_arg_index(request->call, kind, 0);

	return at < 0 ? 0 : (int)request->stop.args[at + after];
}

/* ---- making one --------------------------------------------------------- */

static bool any_internet(const struct image *image)
{
	return decide_any_internet(image, NET_CONNECT) || decide_any_internet(image, NET_BIND);
}

static bool connects_everywhere(const struct image *image)
{
	return decide_every_address(image, NET_CONNECT);
}

/* What no rule can name, and goes where each policy allows so much; NET_UDP: where it allows all UDP. */
static void judge_unnamed(struct guard *guard, struct judgement *judgement, bool (*allows)(const struct image *image),
			  enum net_transport transport, int error, const char *target)
{
	struct refusal *refusal = &judgement->refusal;

	for (unsigned i = guard->policy_from; i < guard_policy_end(guard); i++) {
		if (allows(guard->policies[i]->image))
			continue;
		judgement->outcome = OUTCOME_REFUSE;
		refusal->kind = VIOLATION_NETWORK_OUTBOUND;
		refusal->error = error;
		refusal->rule = RULE_DEFAULT;
		refusal->image = i;
		refusal->everywhere = true;
		refusal->transport = transport;
		snprintf(refusal->target, sizeof refusal->target, "%s", target);
		if (!judge_audits(guard, judgement))
			return;
	}
}

void judge_interfaces(struct guard *guard, struct judgement *judgement)
{
	judge_unnamed(guard, judgement, any_internet, NET_TCP, EACCES, "network interfaces");
}

/* Policies without any rule for UDP have none of its sockets: see decide_any_udp. */
static void judge_internet_socket(struct guard *guard, struct judgement *judgement, int type)
{
	if (type == SOCK_DGRAM)
		judge_unnamed(guard, judgement, decide_any_udp, NET_UDP, EACCES,
			      "a UDP socket: no rule of the policy is for UDP");
}

static bool every_address(struct guard *guard, enum net_use use)
{
	for (unsigned i = guard->policy_from; i < guard_policy_end(guard); i++)
		if (!decide_every_address(guard->policies[i]->image, use))
			return false;
	return true;
}

/* Can what is sent through such a socket be judged by address? */
static bool internet_socket_known(int type, int protocol)
{
	switch (protocol) {
	case IPPROTO_IP:
		return type == SOCK_STREAM || type == SOCK_DGRAM;
	case IPPROTO_TCP:
	case IPPROTO_MPTCP:
		return type == SOCK_STREAM;
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
		return type == SOCK_DGRAM;
	default:
		return false;
	}
}

static bool is_ping(int type, int protocol)
{
	return type == SOCK_DGRAM && (protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6);
}

/* The errors are those that a kernel gives which has no such thing, or, of what a rule opens, does not let the user have it:
 * programs know them, and go on without (ping(8) by another socket, libaudit by none). */
static void judge_socket(struct guard *guard, struct request *request, struct judgement *judgement)
{
	int domain = arg(request, ARG_DOMAIN, 0), type = arg(request, ARG_DOMAIN, 1) & SOCK_TYPE_BITS,
	    protocol = arg(request, ARG_DOMAIN, 2);
	bool internet = domain == AF_INET || domain == AF_INET6;
	int never = net_never_socket(domain, arg(request, ARG_DOMAIN, 1), protocol);
	char text[96];

	if (!never && internet && request->stop.number == SYS_socketpair)
		never = EOPNOTSUPP; /* there are no such pairs */
	snprintf(text, sizeof text, "socket of family %d, type %d, protocol %d", domain, type, protocol);
	if (never)
		judge_answer(judgement, -never);
	else if (domain == AF_UNIX)
		return;
	else if (internet && internet_socket_known(type, protocol))
		judge_internet_socket(guard, judgement, type);
	else if (internet && is_ping(type, protocol)) /* which has no port that a rule could name */
		judge_unnamed(guard, judgement, connects_everywhere, NET_TCP, EACCES, text);
	else if (domain == AF_NETLINK &&
		 protocol == NETLINK_ROUTE) /* getaddrinfo asks which families the machine has */
		judge_unnamed(guard, judgement, any_internet, NET_TCP, EACCES, text);
	else
		judge_always(judgement, VIOLATION_NETWORK_OUTBOUND,
			     domain == AF_NETLINK ? EPROTONOSUPPORT : EAFNOSUPPORT, "%s", text);
}

/* ---- internet and abstract addresses ------------------------------------ */

static int socket_number(int socket, int option)
{
	int value = 0;
	socklen_t length = sizeof value;

	return getsockopt(socket, SOL_SOCKET, option, &value, &length) < 0 ? -errno : value;
}

/* Is the socket that is looked at the one that the call is made with? At level notify it is made with the copy; else another
 * thread may put another one in its place. */
static bool is_that_socket(const struct guard *guard, const struct request *request)
{
	return guard->tracees.keeper || tracee_private_files(request->task);
}

/* What the socket carries, if that is known. */
static bool transport_known(const struct guard *guard, struct request *request, enum net_transport *transport)
{
	int socket = is_that_socket(guard, request) ? decode_socket(request) : -1,
	    type = socket_number(socket, SO_TYPE);

	if (type < 0)
		return false;
	*transport = type == SOCK_STREAM ? NET_TCP : NET_UDP;
	return true;
}

/* True: it is only recorded. */
static bool refuse_address(struct guard *guard, const struct request *request, struct judgement *judgement,
			   enum net_use use, enum net_transport transport, struct verdict verdict, unsigned image)
{
	const struct address_arg *address = &request->address;
	struct refusal *refusal = &judgement->refusal;

	judgement->outcome = OUTCOME_REFUSE;
	refusal->kind = use == NET_CONNECT ? VIOLATION_NETWORK_OUTBOUND : VIOLATION_NETWORK_BIND;
	refusal->error = verdict.error;
	refusal->rule = verdict.rule;
	refusal->image = image;
	refusal->address = true;
	refusal->use = use;
	refusal->transport = transport;
	address_text(&address->any, address->length, transport, refusal->target, sizeof refusal->target);
	return judge_audits(guard, judgement);
}

static bool judge_transport(struct guard *guard, const struct request *request, struct judgement *judgement,
			    enum net_use use, enum net_transport transport)
{
	const struct address_arg *address = &request->address;

	for (unsigned i = guard->policy_from; i < guard_policy_end(guard); i++) {
		struct verdict verdict =
			decide_address(guard->policies[i]->image, use, transport, &address->any, address->length);
		if (verdict.allowed)
			continue;
		if (!refuse_address(guard, request, judgement, use, transport, verdict, i))
			return false;
	}
	return true;
}

static void judge_address(struct guard *guard, struct request *request, struct judgement *judgement, enum net_use use)
{
	enum net_transport transport;

	if (every_address(guard, use))
		return;
	if (request->address.any.sa_family == AF_UNIX)
		judge_transport(guard, request, judgement, use, NET_TCP);
	else if (transport_known(guard, request, &transport))
		judge_transport(guard, request, judgement, use, transport);
	else if (judge_transport(guard, request, judgement, use, NET_TCP))
		judge_transport(guard, request, judgement, use, NET_UDP);
}

/* What is judged as loopback is to lead there. */
static void judge_internet(struct guard *guard, struct request *request, struct judgement *judgement, enum net_use use)
{
	struct address_arg *address = &request->address;

	judge_address(guard, request, judgement, use);
	if (use == NET_CONNECT && !leaf_every_address(guard, NET_CONNECT) &&
	    net_pin_unspecified(&address->any, address->length))
		address->pinned = true;
}

/* ---- unix sockets with a name ------------------------------------------- */

static bool judge_unix_rule(struct guard *guard, const struct name_arg *name, struct judgement *judgement,
			    enum net_use use, bool own)
{
	for (unsigned i = guard->policy_from; i < guard_policy_end(guard); i++) {
		const struct image *image = guard->policies[i]->image;
		const char *path = name->at.judged;
		size_t length = name->at.judged_length;
		struct verdict verdict =
			own ? decide_own_socket(image, path, length) : decide_unix_path(image, use, path, length);
		if (verdict.allowed)
			continue;
		judgement->outcome = OUTCOME_REFUSE;
		judgement->refusal.kind = use == NET_CONNECT ? VIOLATION_NETWORK_OUTBOUND : VIOLATION_NETWORK_BIND;
		judgement->refusal.error = verdict.error;
		judgement->refusal.rule = verdict.rule;
		judgement->refusal.image = i;
		judgement->refusal.unix_path = true;
		judgement->refusal.use = use;
		snprintf(judgement->refusal.target, sizeof judgement->refusal.target, "unix:%s", name->at.judged);
		if (!judge_audits(guard, judgement))
			return false;
	}
	return true;
}

/* The bind is over, and nothing else was done in this run meanwhile. Did it succeed, what is there now was made by it; did it not, perhaps
 * because somebody else was there first, then that is not the run's. */
static void note_bound(struct guard *guard, struct request *request)
{
	struct call_stop end;

	if (regs_call(request->task->tid, &end) < 0 || !end.exit || end.result != 0)
		return;
	int socket = decode_socket(request);
	if (socket >= 0 || socket == -ENOSYS)
		owned_add_socket(&guard->tracees.owned, socket >= 0 ? socket : OWNED_NO_COPY,
				 request->names[0].at.name);
}

static void judge_unix_bind(struct guard *guard, struct request *request, struct judgement *judgement)
{
	struct name_arg *name = &request->names[0];

	bool hidden = judge_hidden(guard, &name->at);

	if ((!name->at.exists || hidden) && (!judge_path(guard, judgement, &name->at, ACCESS_WRITE) ||
					     !judge_stand(guard, judgement, &name->at, S_IFSOCK))) {
		int failure = judgement->refusal.error == ENOENT ? 0 : resolve_ordinary(&name->at, W_OK | X_OK);
		if (failure < 0)
			judge_answer(judgement, failure);
		if (failure < 0 || !judge_audits(guard, judgement))
			return;
	}
	if (name->at.exists) {
		judge_answer(judgement, -EADDRINUSE);
		return;
	}
	judgement->moves_names = true;
	judgement->after = note_bound;
}

static void judge_unix(struct guard *guard, struct request *request, struct judgement *judgement, enum net_use use)
{
	struct name_arg *name = &request->names[0];

	if (name->at.error < 0) {
		/* bind(2) has a word of its own for what is there already */
		judge_answer(judgement, name->at.error == -EEXIST ? -EADDRINUSE : name->at.error);
		return;
	}
	judgement->names = true;
	if (use == NET_BIND)
		judge_unix_bind(guard, request, judgement);
	else if (!name->at.exists)
		judge_answer(judgement, -ENOENT);
	else if (name->at.type != S_IFSOCK && !judge_hidden(guard, &name->at))
		judge_answer(judgement, -ECONNREFUSED);
	else
		judge_unix_rule(guard, name, judgement, use, owned_has_socket(&guard->tracees.owned, name->at.fd));
}

/* ---- by call ------------------------------------------------------------ */

/* What is not let through, and would fail with this socket in any case, fails as it would. (Nothing is done, so it is no
 * matter if another thread has put another socket there.) */
static void answer_misfit(struct request *request, struct judgement *judgement, enum net_use use)
{
	const struct address_arg *address = &request->address;
	int socket = decode_socket(request), domain = socket < 0 ? socket : socket_number(socket, SO_DOMAIN);
	bool connects = request->call->op == OP_CONNECT && call_arg_index(request->call, ARG_SOCKADDR, 0) == 1;
	enum net_way way = use == NET_BIND ? NET_WAY_BIND : connects ? NET_WAY_CONNECT : NET_WAY_SEND;
	int never =
		domain < 0 ? 0 : /* early_socket sees to it */
			net_never_address(domain, socket_number(socket, SO_TYPE), way, &address->any, address->length);

	if (!never)
		return;
	judgement->audited_count = 0;
	judge_answer(judgement, -never);
}

static void judge_destination(struct guard *guard, struct request *request, struct judgement *judgement,
			      enum net_use use)
{
	struct address_arg *address = &request->address;

	if (!address->used)
		return; /* where the socket is connected, which was judged then */
	judgement->names = true;
	if (address->length < sizeof(sa_family_t)) {
		judge_answer(judgement, -EINVAL);
		return;
	}
	switch (address->any.sa_family) {
	case AF_UNIX:
		if (request->names[0].arg >= 0)
			judge_unix(guard, request, judgement, use);
		else if (address->length > sizeof(sa_family_t) ||
			 use == NET_BIND) /* no name: one of the kernel's choice */
			judge_address(guard, request, judgement, use);
		break;
	case AF_UNSPEC: /* connect: let go of the peer. Everywhere else the kernel takes it for an IPv4 address. */
		if (request->call->op == OP_CONNECT && call_arg_index(request->call, ARG_SOCKADDR, 0) == 1)
			break;
		address->any.sa_family = AF_INET;
		judge_internet(guard, request, judgement, use);
		break;
	case AF_NETLINK:
		break; /* judged when the socket was made */
	default:
		judge_internet(guard, request, judgement, use);
		break;
	}
	if (judgement->outcome != OUTCOME_PASS || judgement->audited_count > 0)
		answer_misfit(request, judgement, use);
}

/* ---- listening ---------------------------------------------------------- */

/* Is it a stream that is connected, or about to be? Then it does not listen: inet_listen() in net/ipv4/af_inet.c. */
static bool is_in_use(int socket)
{
	struct tcp_info info = {0};
	socklen_t length = sizeof info;

	return getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &length) == 0 && info.tcpi_state != TCP_CLOSE &&
	       info.tcpi_state != TCP_LISTEN;
}

/*
 * By where it is going to listen: the address that the socket has, or any address and some free port. Whether it has one
 * only the kernel knows: after a connection that is over, or has failed, the name still has the port that it had, but the
 * socket has none. perform_listen sees to it that it listens there and nowhere else. Whoever may bind to a
 * free port may listen on the one that he got.
 */
static void judge_listen_internet(struct guard *guard, struct request *request, struct judgement *judgement, int socket)
{
	if (socket_number(socket, SO_TYPE) != SOCK_STREAM) {
		judge_answer(judgement, -EOPNOTSUPP);
		return;
	}
	if (is_in_use(socket)) {
		judge_answer(judgement, -EINVAL);
		return;
	}
	judgement->aside = true;
	for (unsigned i = guard->policy_from; i < guard_policy_end(guard); i++) {
		struct verdict verdict =
			decide_listen(guard->policies[i]->image, &request->address.any, request->address.length);
		if (verdict.allowed)
			continue;
		if (!refuse_address(guard, request, judgement, NET_BIND, NET_TCP, verdict, i))
			return;
	}
}

/* A unix socket may have got its name from the kernel, when it connected: unix(7), Autobind. Without one it does not listen. */
static void judge_listen_unix(struct guard *guard, struct request *request, struct judgement *judgement, int socket)
{
	const struct address_arg *address = &request->address;
	const char *name = address->bytes + offsetof(struct sockaddr_un, sun_path);

	if (socket_number(socket, SO_TYPE) == SOCK_DGRAM)
		judge_answer(judgement, -EOPNOTSUPP);
	else if (address->length <= offsetof(struct sockaddr_un, sun_path))
		judge_answer(judgement, -EINVAL);
	else if (!*name)
		judge_transport(guard, request, judgement, NET_BIND, NET_TCP);
}

static void judge_listen(struct guard *guard, struct request *request, struct judgement *judgement)
{
	struct address_arg *address = &request->address;
	int socket;

	if (leaf_every_address(guard, NET_BIND))
		return;
	socket = decode_socket(request);
	address->length = sizeof address->storage;
	if (socket == -ENOSYS) { /* before Linux 5.6 nobody knows which one it is: as if it were any */
		address->length = sizeof(struct sockaddr_in);
		address->storage = (struct sockaddr_storage){.ss_family = AF_INET};
		judge_transport(guard, request, judgement, NET_BIND, NET_TCP);
		return;
	}
	if (socket < 0 || getsockname(socket, &address->any, &address->length) < 0) {
		judge_answer(judgement, socket < 0 ? -EBADF : -errno);
		return;
	}
	if (address->any.sa_family == AF_INET || address->any.sa_family == AF_INET6)
		judge_listen_internet(guard, request, judgement, socket);
	else if (address->any.sa_family == AF_UNIX)
		judge_listen_unix(guard, request, judgement, socket);
	/* another thread could put another socket there: it is done to this one */
	judgement->aside |= !is_that_socket(guard, request);
}

/*
 * A datagram socket that has a name hears from everybody, and one that wants to be told credentials gets a name when it connects or
 * sends, be it by write(2), which nobody judges. So that it wants them is judged as taking a name of the kernel's choice, unless it has
 * one. Streams hear from nobody before they listen.
 */
static void judge_naming(struct guard *guard, struct request *request, struct judgement *judgement)
{
	struct address_arg *address = &request->address;
	int socket;

	if (leaf_every_address(guard, NET_BIND))
		return;
	socket = decode_socket(request);
	address->length = sizeof address->storage;
	if (socket < 0 && socket != -ENOSYS) {
		judge_answer(judgement, socket);
		return;
	}
	judgement->aside = !is_that_socket(guard, request);
	if (socket >= 0 &&
	    (socket_number(socket, SO_DOMAIN) != AF_UNIX || socket_number(socket, SO_TYPE) != SOCK_DGRAM ||
	     getsockname(socket, &address->any, &address->length) < 0 ||
	     address->length > offsetof(struct sockaddr_un, sun_path)))
		return;
	address->any.sa_family = AF_UNIX;
	address->length = sizeof(sa_family_t);
	judge_transport(guard, request, judgement, NET_BIND, NET_UDP);
}

static void judge_sockopt(struct guard *guard, struct request *request, struct judgement *judgement)
{
	switch (net_option(arg(request, ARG_SOCKOPT, 0), arg(request, ARG_SOCKOPT, 1))) {
	case NET_OPTION_HARMLESS:
		break;
	case NET_OPTION_ROUTES:
		judge_always(judgement, VIOLATION_NETWORK_OUTBOUND, EPERM, "source route");
		break;
	case NET_OPTION_ANNOUNCES: /* which group is in memory, and the packet goes to every host of the network */
		judge_unnamed(guard, judgement, connects_everywhere, NET_TCP, EPERM, "multicast group");
		break;
	case NET_OPTION_NAMES:
		judge_naming(guard, request, judgement);
		break;
	}
}

/* Source routes that are asked for with a message (ip(7), IP_RETOPTS). */
static void judge_control(struct request *request, struct judgement *judgement)
{
	struct msghdr message = {.msg_control = request->control, .msg_controllen = request->message.msg_controllen};

	for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c))
		if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RETOPTS) ||
		    (c->cmsg_level == IPPROTO_IPV6 &&
		     (c->cmsg_type == IPV6_RTHDR || c->cmsg_type == IPV6_2292RTHDR_OPTION)))
			judge_always(judgement, VIOLATION_NETWORK_OUTBOUND, EPERM, "source route");
}

void judge_network(struct guard *guard, struct request *request, struct judgement *judgement)
{
	switch (request->call->op) {
	case OP_SOCKET:
		judge_socket(guard, request, judgement);
		break;
	case OP_BIND:
		judge_destination(guard, request, judgement, NET_BIND);
		break;
	case OP_LISTEN:
		judge_listen(guard, request, judgement);
		break;
	case OP_SOCKOPT:
		judge_sockopt(guard, request, judgement);
		break;
	case OP_SENDMMSG:
		if (arg(request, ARG_MMSGHDR, 1) == 0) { /* none to be sent, and none is to be made of it */
			judge_answer(judgement, 0);
			break;
		}
		/* fall through */
	case OP_SENDMSG: /* messages without an address are pinned too: one could be written into them */
		judgement->names = true;
		judge_destination(guard, request, judgement, NET_CONNECT);
		if (judgement->outcome == OUTCOME_PASS)
			judge_control(request, judgement);
		break;
	default:
		judge_destination(guard, request, judgement, NET_CONNECT);
		break;
	}
}
