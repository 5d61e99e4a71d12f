/* SPDX-License-Identifier: MIT */
/*
 * heard.h - from what a shim tells to a violation of the result.
 */
#ifndef PICKET_TRACER_HEARD_H
#define PICKET_TRACER_HEARD_H

#include <stddef.h>

#include "decide.h"
#include "guard.h"
#include "wire.h"

/* A message of `length` bytes; nothing in it is trusted. The run's processes descend from `top`. May set
 * guard->violated_fatally. */
void heard(struct guard *guard, const struct wire_report *report, size_t length, pid_t top);

/* The command that the user named is refused by policy `image` of the run. */
void heard_refused_command(struct guard *guard, const char *name, struct verdict verdict, unsigned image);

#endif
