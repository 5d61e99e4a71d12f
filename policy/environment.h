/* SPDX-License-Identifier: MIT */
/*
 * environment.h - the environment that a policy leaves of the caller's.
 * Outside only (it uses the heap). No I/O.
 *
 * For each name the nearest layer that speaks of it decides; within a layer
 * `set` beats `remove` and `remove` beats `keep`. A name of which no rule speaks is not passed on.
 *
 * Names that make the dynamic loader, the C library or a shell load or run
 * something in every program (LD_*, GLIBC_TUNABLES, GCONV_PATH, BASH_ENV, ENV, ...) are not
 * covered by a pattern with `*`: `keep = ("*")` leaves them out, `keep = ("LD_LIBRARY_PATH")` passes it on.
 */
#ifndef PICKET_POLICY_ENVIRONMENT_H
#define PICKET_POLICY_ENVIRONMENT_H

#include "image.h"

/*
 * *out: malloc'ed, NULL-terminated, for environment_free; the caller's order, then what was set. Entries of
 * `caller` without "=" or without a name are dropped, of several with the same name the first counts.
 * 0 or -ENOMEM.
 */
int environment_build(const struct image *image, char *const *caller, char ***out);
void environment_free(char **environment);

/* Put these "NAME=value", up to NULL, into an environment of environment_build's, in place of what has such a name. 0 or
 * -ENOMEM: some may be in it. */
int environment_put(char ***environment, char *const *more);
/* The value of a variable, or NULL. NULL is an empty environment. */
const char *environment_value(char *const *environment, const char *name);

/* Does this name need to be named exactly to be kept? (`length` bytes) */
bool environment_is_loading(const char *name, size_t length);

#endif
