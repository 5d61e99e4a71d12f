/* SPDX-License-Identifier: MIT */
/*
 * manifest.h - what a plugin says of itself: NAME.plugin.json. Outside only.
 *
 * The canonical form, which Ed25519 signs: the object as it was written,
 * without "signature", keys sorted by bytes, no spaces, UTF-8, only what
 * JSON requires escaped. So a field that is absent is not in it.
 */
#ifndef PICKET_POLICY_MANIFEST_H
#define PICKET_POLICY_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>

#include "complaint.h"

struct json_t; /* of Jansson */

enum {
	MANIFEST_BYTES_MOST = 64 << 10,
	MANIFEST_CAPABILITIES_MOST = 256,
	MANIFEST_TIMEOUT_DEFAULT = 30, /* seconds */
	MANIFEST_TIMEOUT_MOST = 365 * 24 * 3600,
};
#define MANIFEST_SUFFIX ".plugin.json"

/* Strings are UTF-8 without control characters and live as long as the manifest. */
struct manifest {
	const char *id; /* no '|' in it */
	const char *name;
	const char *version;	  /* no '|' in it */
	const char *content_hash; /* 64 lower-case hex digits */
	const char *signed_by;
	const char *signature;	   /* any text: its form is judged with it; NULL if it may be absent and is */
	const char **capabilities; /* each one that capability_parse takes */
	size_t capability_count;
	unsigned timeout_secs;
	struct json_t *object;
};

/* What a manifest that is still to be signed says; NULL and 0 for what was not given. */
struct manifest_draft {
	const char *id, *name, *version, *signed_by;
	char *const *capabilities;
	size_t capability_count;
	unsigned timeout_secs;
};

/*
 * Read one, strictly (strict_json.h). `text` may be anything; `source` names it in messages.
 * 0, or -EINVAL, -EFBIG, -ENOMEM with *why: "SOURCE:LINE:COLUMN: ...". On an error nothing is left to free.
 */
int manifest_read(const char *source, const char *text, size_t length, struct manifest *manifest,
		  struct complaint *why);

/*
 * The same for a text that need not have content_hash, signed_by and signature yet, what `draft` gives replacing what
 * is written. `text` NULL: from the draft alone. The result has every field but the hash and the signature: give it
 * these with manifest_set_*, in this order.
 */
int manifest_prepare(const char *source, const char *text, size_t length, const struct manifest_draft *draft,
		     struct manifest *manifest, struct complaint *why);
/* 0 or -ENOMEM. The text is copied. */
int manifest_set_hash(struct manifest *manifest, const char *content_hash);
int manifest_set_signature(struct manifest *manifest, const char *signature);

void manifest_free(struct manifest *manifest);

/* The canonical form, malloc'ed, *length bytes, with or without "signature". NULL: out of memory. */
char *manifest_canonical(const struct manifest *manifest, bool with_signature, size_t *length);
/* For a file that people read: indented, one newline at the end; malloc'ed. NULL: out of memory. */
char *manifest_text(const struct manifest *manifest);

#endif
