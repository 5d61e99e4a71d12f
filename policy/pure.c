/* SPDX-License-Identifier: MIT */
/*
 * pure.c - see pure.h.
 *
 * Why what is said here is so. Let a name N lie below P. The walk of decide.c over N is its walk over P and then some
 * more steps. For each access it takes the rule met deepest. So what it says of N is either what it says of P itself,
 * since nothing was met behind P; or it is what some rule says whose node was entered behind P. Such a node is
 * a descendant of a state that was alive at P (or the node of a "**" that is alive: it and its descendants). If P is allowed an access and no
 * rule of any such node refuses it, N is allowed it. A forbid counts wherever it was met: at P, and then P is
 * refused, or behind it, at one of those nodes. What remains is that a walk with too many states alive refuses; a
 * state has one parent state, so that there are never more of them than states at P and their descendants, and where those
 * are few enough it cannot happen; nor where every state has at most one successor, as without stars.
 *
 * Missing names need no thought: the trie is of rules, whether what they name exists or not.
 */
#include "pure.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "always.h"
#include "decide.h"
#include "image_layout.h"

/* Of one node of the trie. */
struct pure_node {
	uint8_t refused;       /* enum access bits that its own rules refuse, */
	uint8_t refused_below; /* and those of its descendants */
	bool stars;	       /* it, or a descendant, is followed by a star */
	uint32_t descendants;
};

enum { ALL = ACCESS_READ | ACCESS_WRITE | ACCESS_LOOK };

static unsigned refused_at(const struct image_node *node)
{
	unsigned refused = node->forbid != IMAGE_NONE ? (unsigned)ALL : 0;

	for (unsigned slot = 0; slot < SLOT_COUNT; slot++)
		if (node->said[slot] != IMAGE_NONE && image_said_strictness(node->said[slot]) != SAID_ALLOWED)
			refused |= 1u << slot;
	return refused;
}

int pure_open(struct pure *pure, const struct image *image)
{
	const struct image_node *nodes = image_at(image, image->nodes);
	uint32_t count = image->nodes.count;

	pure->image = image;
	pure->nodes = calloc(count ? count : 1, sizeof *pure->nodes);
	if (!pure->nodes)
		return -ENOMEM;
	/* children come behind their parents (build_trie.c): backwards, each node is complete when its parent is told */
	for (uint32_t i = count; i-- > 0;) {
		struct pure_node *own = &pure->nodes[i];
		own->refused = (uint8_t)refused_at(&nodes[i]);
		own->stars |= nodes[i].wild != IMAGE_NONE;
		if (nodes[i].parent == IMAGE_NONE)
			continue;
		struct pure_node *parent = &pure->nodes[nodes[i].parent];
		parent->refused_below |= own->refused | own->refused_below;
		parent->stars |= own->stars;
		parent->descendants += own->descendants + 1;
	}
	return 0;
}

void pure_close(struct pure *pure)
{
	free(pure->nodes);
	pure->nodes = NULL;
}

unsigned pure_below(const struct pure *pure, const char *path, size_t length)
{
	uint32_t states[DECIDE_STATES];
	unsigned count = decide_states(pure->image, path, length, states), allowed = 0;
	uint64_t alive = 0;
	bool stars = false;

	if (count > DECIDE_STATES || always_machine_near(path, length))
		return 0;
	for (unsigned access = ACCESS_READ; access <= ACCESS_LOOK; access <<= 1)
		if ((access & ALL) && decide_path(pure->image, path, length, access).allowed)
			allowed |= access;
	for (unsigned i = 0; i < count; i++) {
		bool stays = states[i] & DECIDE_STAYS;
		const struct pure_node *node = &pure->nodes[states[i] & ~DECIDE_STAYS];
		allowed &= ~(unsigned)node->refused_below;
		if (stays)
			allowed &= ~(unsigned)node->refused;
		stars |= stays || node->stars;
		alive += 1 + (uint64_t)node->descendants;
	}
	return stars && alive > DECIDE_STATES ? 0 : allowed;
}
