/* SPDX-License-Identifier: MIT */
/*
 * hosts.h - host names in network rules and the addresses known of them. Outside only; looks names up (may block on
 * DNS).
 */
#ifndef PICKET_POLICY_HOSTS_H
#define PICKET_POLICY_HOSTS_H

#include <netinet/in.h>

#include "arena.h"

enum { HOST_ADDRESSES_MAX = 256 }; /* kept of one name; names behind large pools give others each time */

struct host_address {
	int family;		 /* AF_INET or AF_INET6 */
	struct in6_addr address; /* AF_INET: the first four bytes */
};

struct host_name {
	const char *name;
	struct host_address *addresses; /* in the arena, grown by copying */
	size_t count, room;
};

struct hosts {
	struct host_name *list;
	size_t count, room;
};

/* The index of a name, which is added if it is not there yet. -ENOMEM. */
int hosts_add(struct hosts *hosts, const char *name, struct arena *arena);

/*
 * Look a name up and add the addresses that are not known yet. How many they were, 0 also when the name does not
 * resolve (it may later); -ENOMEM.
 */
int host_look_up(struct host_name *host, struct arena *arena);

#endif
