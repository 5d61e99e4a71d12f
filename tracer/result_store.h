/* SPDX-License-Identifier: MIT */
/*
 * result_store.h - how violations are kept, for result.c (keeps them),
 * result_json.c and result_text.c (show them). Nobody else includes it.
 */
#ifndef PICKET_TRACER_RESULT_STORE_H
#define PICKET_TRACER_RESULT_STORE_H

#define HASH_NONFATAL_OOM 1 /* an entry that finds no memory is dropped */
#include <uthash.h>

#include "result.h"

enum { VIOLATION_KINDS = VIOLATION_INTERFACE + 1 };

/*
 * What each kind has for itself of the two limits. The rest is shared: first come, first kept.
 * A command line is cut at RESULT_MAX_COMMAND bytes.
 */
enum {
	RESULT_OWN_VIOLATIONS = 64,
	RESULT_OWN_BYTES = 64 << 10,
	RESULT_MAX_COMMAND = 4096,
	RESULT_MAX_ANCESTORS = 32,
};

/*
 * What makes two refusals the same. Strings count by a keyed hash of 64 bits each (SipHash, the key is
 * random and new in each run): the tool can neither find two that collide nor make the table slow.
 */
struct violation_key {
	uint64_t target, exe;
	uint32_t kind, rule;
};

/* What makes two lines of `sandbox_violations` the same. */
struct line_key {
	uint64_t target, verb;
};

/* A kept violation. Its ancestors and strings lie behind it in the same piece of memory. */
struct entry {
	struct violation_key key;
	struct line_key line_key;
	bool new_line; /* no earlier entry makes the same line of `sandbox_violations` */
	uint64_t seq, count;
	size_t size;		    /* bytes behind it: ancestors and strings */
	uint64_t at_ms;		    /* CLOCK_REALTIME of the first */
	struct violation violation; /* with all strings owned */
	bool has_rule;		    /* a rule of the policy: the three below */
	const char *rule_source, *rule_key, *rule_value;
	UT_hash_handle hh;	/* by key; in the order in which they came */
	UT_hash_handle line_hh; /* by line_key */
};

struct result {
	const struct image *image;
	unsigned char hash_key[16];
	struct entry *entries; /* uthash; insertion order */
	struct entry *lines;   /* uthash over line_hh */
	uint64_t total;	       /* refusals */
	uint64_t dropped;      /* of them, those that no entry counts */
	size_t kept;
	size_t kept_of[VIOLATION_KINDS], bytes_of[VIOLATION_KINDS];
	bool full[VIOLATION_KINDS]; /* something of this kind was dropped for want of room */
};

/* Words for the JSON and the summary. Static strings. */
const char *violation_kind_name(enum violation_kind kind);
const char *violation_action_name(enum violation_action action);
const char *violation_origin_name(enum violation_origin origin);
/* "file-read*" in "deny file-read* T"; "" where the line has none. */
const char *violation_line_verb(enum violation_kind kind);

#endif
