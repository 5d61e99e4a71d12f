/* SPDX-License-Identifier: MIT */
/*
 * ordinary.h - of a call that the policy refuses: would it have failed without a guard, too? Then it fails as it would
 * have, and is no violation. Nothing is asked of what the policy hides.
 *
 * The supervisor asks with its own rights, which are those of the user, and root's tool has what it takes of root's.
 */
#ifndef PICKET_TRACER_ORDINARY_H
#define PICKET_TRACER_ORDINARY_H

#include "decode.h"

/* What the kernel says of the objects before it asks for any permission: a directory cannot be written to. 0 or -errno. */
int ordinary_kind(const struct request *request);

/* That, or what it says for want of a permission (mode bits, ownership), or what only shows after these. `name` is the name
 * that is refused, with `access` (enum access bits). 0 or -errno. */
int ordinary_failure(const struct request *request, const struct name_arg *name, unsigned access);

#endif
