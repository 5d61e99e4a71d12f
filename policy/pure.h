/* SPDX-License-Identifier: MIT */
/*
 * pure.h - below which directories does a policy say the same of every name? Outside only: the gate (DESIGN.md) lets
 * opens below them pass unseen.
 */
#ifndef PICKET_POLICY_PURE_H
#define PICKET_POLICY_PURE_H

#include <stddef.h>
#include <stdint.h>

#include "image.h"

/* What the rules below each node of an image's trie may refuse. */
struct pure {
	const struct image *image;
	struct pure_node *nodes;
};

/* Takes time and memory by the number of rules. 0 or -ENOMEM. The image must outlive it. */
int pure_open(struct pure *pure, const struct image *image);
void pure_close(struct pure *pure);

/*
 * Which of ACCESS_READ, ACCESS_WRITE and ACCESS_LOOK are allowed for `path` and for every name below it that there is or could
 * be? (enum access bits.) May leave out what is allowed everywhere, never the other way round. `path` as for decide_path.
 */
unsigned pure_below(const struct pure *pure, const char *path, size_t length);

#endif
