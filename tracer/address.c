/* SPDX-License-Identifier: MIT */
/* address.c - see address.h. */
#include "address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

static void abstract_text(const struct sockaddr *address, socklen_t length, char *text, size_t size)
{
	size_t n = length - offsetof(struct sockaddr_un, sun_path), at = 0;
	const char *name = (const char *)address + offsetof(struct sockaddr_un, sun_path);

	at = (size_t)snprintf(text, size, "unix:@");
	for (size_t i = 1; i < n && at + 5 < size; i++) /* a NUL within the name cannot stand in a string */
		at += (size_t)snprintf(text + at, size - at, name[i] ? "%c" : "\\x00", name[i]);
}

void address_text(const struct sockaddr *address, socklen_t length, enum net_transport transport, char *text,
		  size_t size)
{
	char number[INET6_ADDRSTRLEN];
	const char *prefix = transport == NET_UDP ? "udp:" : "";

	if (address->sa_family == AF_INET && length >= sizeof(struct sockaddr_in)) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)address;
		inet_ntop(AF_INET, &in->sin_addr, number, sizeof number);
		snprintf(text, size, "%s%s:%u", prefix, number, ntohs(in->sin_port));
	} else if (address->sa_family == AF_INET6 && length >= offsetof(struct sockaddr_in6, sin6_scope_id)) {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)address;
		inet_ntop(AF_INET6, &in6->sin6_addr, number, sizeof number);
		snprintf(text, size, "%s[%s]:%u", prefix, number, ntohs(in6->sin6_port));
	} else if (address->sa_family == AF_UNIX && length > offsetof(struct sockaddr_un, sun_path)) {
		abstract_text(address, length, text, size);
	} else if (address->sa_family == AF_UNIX) { /* of the kernel's choice */
		snprintf(text, size, "unix:@*");
	} else {
		snprintf(text, size, "address of family %d", address->sa_family);
	}
}
