/* SPDX-License-Identifier: MIT */
/*
 * plugin_load.h - from a file or an installed plugin to one that is verified:
 * manifest, signature, copy of the program, content hash, in this order.
 */
#ifndef PICKET_TRACER_PLUGIN_LOAD_H
#define PICKET_TRACER_PLUGIN_LOAD_H

#include <stdbool.h>

#include "complaint.h"
#include "manifest.h"
#include "plugin_program.h"
#include "sign.h"

/* Variables that hold the shared key; the first one that is set counts. */
#define PLUGIN_KEY_VARIABLE "PICKET_PLUGIN_SIGNING_KEY"
#define PLUGIN_KEY_VARIABLE_OTHER "CODETETHER_PLUGIN_SIGNING_KEY"

/* Whom we believe. */
struct plugin_trust {
	const char *directory;	    /* of trusted public keys */
	struct sign_key *shared;    /* the shared key; NULL until one is needed and none was given */
	const char *shared_missing; /* why there is none, for a warning: "... is not set"; NULL: there is one */
	bool shared_was_needed;	    /* a manifest of the other scheme was judged by a random key */
};

/*
 * Take the shared key from `key_file`, or from the environment when that is NULL. Both variables are wiped and unset in
 * every case. `directory` is borrowed. 0 or -errno with *why; plugin_trust_close is due only after 0.
 */
int plugin_trust_open(const char *directory, const char *key_file, bool allow_short, struct plugin_trust *trust,
		      struct complaint *why);
void plugin_trust_close(struct plugin_trust *trust); /* wipes the key */
/* Wipe and unset both variables: they are for Picket, and for no tool whatever the policy keeps. */
void plugin_forget_keys(void);

struct plugin {
	struct manifest manifest;
	struct plugin_program program;
	char *path;	/* of the program, as the user or the registry names it */
	bool embedded;	/* the manifest was in the program */
	bool installed; /* it came from the registry */
	bool verified;	/* signature and content hash are right */
	enum sign_scheme scheme;
	char key_id[SIGN_KEY_ID_TEXT]; /* of the Ed25519 key; "" otherwise */
};

/* Where to find one. */
struct plugin_place {
	const char *registry; /* directory; for an id */
	const char *program;  /* a path, or the id of an installed plugin */
	const char *manifest; /* its path; NULL: beside the program (PROGRAM.plugin.json) or in it */
	const char *verb;     /* "run", "install": what is refused, for messages */
};

/* Does this word name a file (it has a slash) and not an installed plugin? */
bool plugin_is_path(const char *program);

/*
 * Load and verify. 0, or -errno with *why: "plugin 'ID' vVERSION: invalid signature: refusing to run (...)". On an
 * error nothing is left to free.
 */
int plugin_load(const struct plugin_place *place, struct plugin_trust *trust, struct plugin *plugin,
		struct complaint *why);
void plugin_free(struct plugin *plugin);

/* "plugin 'ID' vVERSION: WHAT: refusing to VERB" and -EKEYREJECTED. */
int plugin_refuse(const struct manifest *manifest, const char *verb, const char *what, const char *reason,
		  struct complaint *why);

#endif
