/* SPDX-License-Identifier: MIT */
/* address.h - socket addresses as text, in the words of the policy's network rules. */
#ifndef PICKET_TRACER_ADDRESS_H
#define PICKET_TRACER_ADDRESS_H

#include <stddef.h>
#include <sys/socket.h>

#include "decide.h"

/* "127.0.0.1:80", "[::1]:443", "udp:1.1.1.1:53", "unix:@name"; NUL-terminated and cut to `size`. */
void address_text(const struct sockaddr *address, socklen_t length, enum net_transport transport, char *text,
		  size_t size);

#endif
