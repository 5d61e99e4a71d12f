/* SPDX-License-Identifier: MIT */
/*
 * draft.h - the rules of a policy between their text and their image: expanded and resolved, with all that is needed to
 * build the image again (without some rules, or with more addresses of a host). Outside only.
 */
#ifndef PICKET_POLICY_DRAFT_H
#define PICKET_POLICY_DRAFT_H

#include "destination.h"
#include "expand.h"
#include "faults.h"
#include "hosts.h"
#include "pattern.h"
#include "request.h"

struct draft_rule {
	struct rule rule;		 /* what goes into the image; strings in the arena */
	const char *written;		 /* paths and unix paths: the second name it holds for, or NULL */
	const char *const *links;	 /* of RULE_RESULT: links on the way to it, NULL-terminated, or NULL */
	const char *unix_path;		 /* of DESTINATION_UNIX_PATH: the first name, or NULL */
	struct destination *destination; /* of network rules */
	size_t host;			 /* of DESTINATION_HOST: index in hosts */
	struct place place;		 /* only until the compiler is done */
};

struct draft {
	struct arena *arena;
	struct draft_rule *rules;
	size_t count, room;
	enum on_violation on_violation;
	struct policy_limits limits;
	struct hosts hosts;
	struct launch_rules launch; /* lists in the arena */
	struct variables variables; /* copies */
	uint64_t looked_up_at;	    /* ns, CLOCK_MONOTONIC, of the last look-up after loading; 0: none yet */
};

struct draft *draft_new(void); /* NULL: out of memory */
void draft_free(struct draft *draft);

/* A new zeroed rule at the end, valid until the next one; NULL: out of memory. */
struct draft_rule *draft_add(struct draft *draft);

/* Remove the rules with this key of layers farther than `nearer`. */
void draft_drop(struct draft *draft, enum rule_key key, enum rule_layer nearer);

/* Has a layer farther than `nearer` a rule with this key? */
bool draft_has_farther(const struct draft *draft, enum rule_key key, enum rule_layer nearer);

/*
 * Build the image of all rules but those of `skip` (one flag for each; NULL: none). The image's rules are in the
 * draft's order. 0 or -errno of build.h; then, if a rule was the reason, *culprit is its index, else SIZE_MAX.
 */
int draft_build(const struct draft *draft, const bool *skip, struct image **image, size_t *length, size_t *culprit);

#endif
