/* SPDX-License-Identifier: MIT */
/*
 * early.h - what the kernel says of a call before it looks at any name: flags that do not exist, a bad pointer beside
 * the name. A program that asks with them whether the kernel knows a flag has to get that answer, and not that there is
 * no such file.
 */
#ifndef PICKET_TRACER_EARLY_H
#define PICKET_TRACER_EARLY_H

#include "decode.h"

/* -errno, or 0: then it is the name's turn. Of calls that only look at what a file is it is always 0: there the name
 * comes first. */
int early_error(const struct request *request);

/* Is what the call is to change by a descriptor open for more than its name (O_PATH)? 0 or -EBADF, or another -errno.
 */
int early_descriptor(const struct request *request);

/* Of a call about a socket: is it one? 0, -EBADF or -ENOTSOCK. */
int early_socket(struct request *request);

#endif
