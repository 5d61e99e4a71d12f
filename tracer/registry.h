/* SPDX-License-Identifier: MIT */
/*
 * registry.h - installed plugins: a directory that only its owner may write.
 *
 *	DIR/ID.plugin.json	the manifest; renaming it into place is what installs or replaces
 *	DIR/programs/ID.HASH	the program, by its content hash
 *	DIR/.lock		held by whoever changes anything
 *	DIR/.list		a cache for lists (registry_index.h)
 *
 * In ID, bytes other than letters, digits, `_`, `-`, `+`, `@` and dots (but a dot at the start) are written %XX. A
 * program is never changed in place; when its manifest was replaced it is removed. Readers take no lock: a manifest is
 * whole, and a program that has gone when it is looked for means that the plugin was replaced, so they look again.
 *
 * The registry does not judge: what it gives is checked like anything else before it runs.
 */
#ifndef PICKET_TRACER_REGISTRY_H
#define PICKET_TRACER_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>

#include "complaint.h"
#include "manifest.h"
#include "registry_index.h"

struct registry;

/*
 * Open it; `make`: make it (and what is above it, mode 0755) if it does not exist. Refused, -EPERM, when anybody but
 * root and ourselves may change the directory or what is above it (trust.h). 0 or -errno with *why. -ENOENT: there is
 * none.
 */
int registry_open(const char *path, bool make, struct registry **registry, struct complaint *why);
void registry_close(struct registry *registry);

/* One installed plugin, as it lies there. */
struct registered {
	struct manifest manifest;
	char *source;  /* path of the manifest, for messages; malloc'ed */
	char *program; /* path of the program; malloc'ed */
	int fd;	       /* the program, open for reading */
};

/*
 * Install or replace: copies `length` bytes of the program, and the manifest as text. Durable when it returns.
 * 0 or -errno with *why.
 */
int registry_install(struct registry *registry, const struct manifest *manifest, const void *program, size_t length,
		     struct complaint *why);

/* Find one by id. 0, -ENOENT: not installed, or -errno with *why. */
int registry_find(struct registry *registry, const char *id, struct registered *found, struct complaint *why);
void registered_free(struct registered *registered);

/* Remove one. 0, -ENOENT: not installed, or -errno with *why. */
int registry_remove(struct registry *registry, const char *id, struct complaint *why);

/*
 * Call `each` with every manifest, in the order of the file names. `row` is NULL for one that cannot be read: then
 * `fault` says why. It stops when `each` returns other than 0, and returns that. -errno with *why when the directory
 * cannot be read.
 */
int registry_list(struct registry *registry,
		  int (*each)(const struct registry_row *row, const char *fault, void *context), void *context,
		  struct complaint *why);

#endif
