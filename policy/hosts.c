/* SPDX-License-Identifier: MIT */
/* hosts.c - see hosts.h. */
#include "hosts.h"

#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

int hosts_add(struct hosts *hosts, const char *name, struct arena *arena)
{
	struct host_name *host;

	for (size_t i = 0; i < hosts->count; i++)
		if (!strcasecmp(hosts->list[i].name, name))
			return (int)i;
	if (hosts->count == hosts->room) {
		size_t room = hosts->room ? hosts->room * 2 : 8;
		struct host_name *list = arena_alloc(arena, room * sizeof(*list));

		if (!list)
			return -ENOMEM;
		if (hosts->count)
			memcpy(list, hosts->list, hosts->count * sizeof(*list));
		hosts->list = list;
		hosts->room = room;
	}
	host = &hosts->list[hosts->count];
	*host = (struct host_name){.name = arena_text(arena, name)};
	return host->name ? (int)hosts->count++ : -ENOMEM;
}

static bool is_known(const struct host_name *host, const struct host_address *address)
{
	for (size_t i = 0; i < host->count; i++)
		if (host->addresses[i].family == address->family &&
		    !memcmp(&host->addresses[i].address, &address->address, sizeof(address->address)))
			return true;
	return false;
}

/* IPv4 and IPv6 only, mapped addresses as IPv4: decide.h sees them so. */
static bool read_address(const struct sockaddr *from, struct host_address *to)
{
	*to = (struct host_address){.family = from->sa_family};
	if (from->sa_family == AF_INET) {
		memcpy(&to->address, &((const struct sockaddr_in *)(const void *)from)->sin_addr, 4);
		return true;
	}
	if (from->sa_family != AF_INET6)
		return false;
	to->address = ((const struct sockaddr_in6 *)(const void *)from)->sin6_addr;
	if (IN6_IS_ADDR_V4MAPPED(&to->address)) {
		to->family = AF_INET;
		memmove(to->address.s6_addr, to->address.s6_addr + 12, 4);
		memset(to->address.s6_addr + 4, 0, 12);
	}
	return true;
}

/* 1: added, 0: known already or no room, -ENOMEM. */
static int add_address(struct host_name *host, const struct sockaddr *from, struct arena *arena)
{
	struct host_address address;

	if (!read_address(from, &address) || is_known(host, &address) || host->count >= HOST_ADDRESSES_MAX)
		return 0;
	if (host->count == host->room) {
		size_t room = host->room ? host->room * 2 : 4;
		struct host_address *addresses = arena_alloc(arena, room * sizeof(*addresses));

		if (!addresses)
			return -ENOMEM;
		if (host->count)
			memcpy(addresses, host->addresses, host->count * sizeof(*addresses));
		host->addresses = addresses;
		host->room = room;
	}
	host->addresses[host->count++] = address;
	return 1;
}

int host_look_up(struct host_name *host, struct arena *arena)
{
	struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM}, *found = NULL;
	int added = 0, error = getaddrinfo(host->name, NULL, &hints, &found);

	if (error == EAI_MEMORY)
		return -ENOMEM;
	if (error)
		return 0;
	for (const struct addrinfo *at = found; at && added >= 0; at = at->ai_next) {
		int one = add_address(host, at->ai_addr, arena);

		added = one < 0 ? one : added + one;
	}
	freeaddrinfo(found);
	return added;
}
