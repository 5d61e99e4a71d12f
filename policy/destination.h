/* SPDX-License-Identifier: MIT */
/*
 * destination.h - the grammar of network destinations. Pure, but for complaints.
 *
 *	*                              everything: the internet and unix sockets
 *	[tcp:|udp:]ADDRESS:PORTS       ADDRESS is IPv4[/BITS], [IPv6][/BITS], * or a host's name;
 *	                               PORTS is N, N-M or *. Without tcp: or udp: both.
 *	unix:/PATH                     a socket by its path (or a pattern, or what is below a directory)
 *	unix:@NAME                     an abstract socket; a * at the end stands for any rest
 *	unix:*                         every unix socket
 */
#ifndef PICKET_POLICY_DESTINATION_H
#define PICKET_POLICY_DESTINATION_H

#include "build.h"
#include "complaint.h"

enum destination_kind {
	DESTINATION_EVERYTHING,
	DESTINATION_INTERNET,
	DESTINATION_HOST,
	DESTINATION_UNIX_PATH,
	DESTINATION_UNIX_ABSTRACT,
	DESTINATION_UNIX_ANY,
};

enum { HOST_NAME_MAX_LENGTH = 253 }; /* bytes, RFC 1035 without the final dot */

struct destination {
	enum destination_kind kind;
	struct net_prefix prefix; /* of DESTINATION_HOST only transports and ports */
	const char *name;	  /* unix path (not yet expanded) or abstract name: points into the text */
	char host[HOST_NAME_MAX_LENGTH + 2];
};

/* `text` for network.connect (or bind, if `bind`). 0, or -EINVAL with *why. *out borrows text. */
int destination_parse(const char *text, bool bind, struct destination *out, struct complaint *why);

#endif
