/* SPDX-License-Identifier: MIT */
/*
 * allow.h - the narrowest command-line option that would turn a refusal into
 * a permission. Outside only (it uses the heap).
 *
 * Each returns malloc'ed text ("--read /home/u/.ssh/id_rsa", quoted for a
 * shell where it must be), or NULL when nothing may: the verdict allows,
 * a `forbid` refused it, a rule of the command line itself says no to exactly
 * this, or no option can name the target. NULL is also out of memory: the text
 * is an aid, a refusal without it is still complete.
 */
#ifndef PICKET_POLICY_ALLOW_H
#define PICKET_POLICY_ALLOW_H

#include "decide.h"

/* `path` as it was given to decide_path, NUL-terminated; `access` is one or more of enum access. */
char *allow_with_path(const struct image *image, struct verdict verdict, unsigned access, const char *path);

/* Something that has no address, and takes leave to connect to all. */
char *allow_with_everywhere(struct verdict verdict);

/* A new name that would give more than the old one: `move` is "OLD -> NEW", as they were given to decide_move. */
char *allow_with_move(const struct image *image, struct verdict verdict, const char *move);

/* An internet or abstract unix address, as it was given to decide_address. */
char *allow_with_address(const struct image *image, struct verdict verdict, enum net_use use,
			 enum net_transport transport, const struct sockaddr *address, socklen_t length);

/* A unix socket's path, as it was given to decide_unix_path. */
char *allow_with_unix_path(const struct image *image, struct verdict verdict, enum net_use use, const char *path);

#endif
