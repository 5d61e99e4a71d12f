/* SPDX-License-Identifier: MIT */
/*
 * keyring.h - the directory of trusted public keys. Outside only.
 *
 * DIR/SIGNER.pub or DIR/SIGNER~LABEL.pub holds one public key of SIGNER: a line `ed25519 HEX`, and, if it expires,
 * a line `expires 2027-01-31T00:00:00Z`; `#` begins a comment. DIR/revoked, if it exists, lists key ids, one a line.
 * Directory and files may be written by root and ourselves only (trust.h). Only the files of the signer who is
 * asked about are read. A file that is not understood is an error, never skipped: it may be the one that revokes.
 */
#ifndef PICKET_POLICY_KEYRING_H
#define PICKET_POLICY_KEYRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "sign.h"

enum { KEYRING_KEYS_MOST = 64, KEYRING_SIGNER_MOST = 128, KEYRING_FILE_MOST = 64 << 10 };

/* One trusted public key. */
struct trusted_key {
	uint8_t bytes[SIGN_PUBLIC_KEY];
	char id[SIGN_KEY_ID_TEXT];
	bool expires;  /* `expiry` says when */
	time_t expiry; /* the first second in which it is no longer good */
	bool revoked;
};

/* The keys of one signer. */
struct keyring {
	struct trusted_key keys[KEYRING_KEYS_MOST];
	size_t count;
};

/*
 * Can this be the name of a signer with keys in a directory? 1 to KEYRING_SIGNER_MOST letters, digits and @ . _ + -,
 * no dot first.
 */
bool keyring_good_signer(const char *signer);

/* The keys of `signer` in `directory`. None is not an error. 0 or -errno with *why. */
int keyring_load(const char *directory, const char *signer, struct keyring *keyring, struct complaint *why);

/*
 * Which key made this signature of `bytes`? Every key of the signer is tried; an expired or revoked one
 * does not verify. NULL with *why when there is none.
 */
const struct trusted_key *keyring_verify(const struct keyring *keyring, const char *signature, const void *bytes,
					 size_t length, time_t now, struct complaint *why);

/* "2027-01-31T00:00:00Z" or "2027-01-31" (its first second), UTC. */
bool keyring_time(const char *text, time_t *time);

/* The text of a key file. `expires`: a time that keyring_time takes, or NULL. 0 or -errno. */
int keyring_write(const char *path, const uint8_t public_key[SIGN_PUBLIC_KEY], const char *expires,
		  struct complaint *why);

#endif
