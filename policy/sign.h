/* SPDX-License-Identifier: MIT */
/*
 * sign.h - hashes, signatures and the secret keys they need. Outside only.
 *
 * Rules: secret bytes are only in memory that sodium_malloc gave (locked,
 * guarded, not in a core dump, wiped when freed); they are read straight into
 * it and never printed. Signatures are compared as texts, in constant time.
 */
#ifndef PICKET_POLICY_SIGN_H
#define PICKET_POLICY_SIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "complaint.h"

enum {
	SIGN_HASH_TEXT = 65,		 /* SHA-256 in hex and a NUL */
	SIGN_HMAC_TEXT = 65,		 /* an HMAC signature and a NUL */
	SIGN_ED25519_TEXT = 8 + 128 + 1, /* "ed25519:" and the signature in hex, and a NUL */
	SIGN_KEY_ID_TEXT = 17,		 /* the first 8 bytes of the public key's SHA-256 in hex, and a NUL */
	SIGN_PUBLIC_KEY = 32,		 /* bytes of an Ed25519 public key */
	SIGN_HMAC_KEY_LEAST = 32,	 /* a shorter key is for test vectors only */
	SIGN_HMAC_KEY_MOST = 4096,
};

enum sign_scheme { SIGN_ED25519, SIGN_HMAC, SIGN_NEITHER };

/* Before anything else here, and once: 0 or -EIO. */
int sign_start(void);

/* The scheme that a signature is of, by its form alone. */
enum sign_scheme sign_scheme(const char *signature);
const char *sign_scheme_name(enum sign_scheme scheme); /* "ed25519", "hmac-sha256", "none" */

/* SHA-256 in pieces. */
struct sign_hash;
struct sign_hash *sign_hash_new(void); /* NULL: out of memory */
void sign_hash_add(struct sign_hash *hash, const void *bytes, size_t length);
/* The hex text; frees the hash. */
void sign_hash_end(struct sign_hash *hash, char text[SIGN_HASH_TEXT]);
/* The same in one. */
void sign_hash_text(const void *bytes, size_t length, char text[SIGN_HASH_TEXT]);

/* Are these two texts the same? Constant time for texts of the same length. */
bool sign_same_text(const char *one, const char *other);

struct sign_key; /* a secret key: an Ed25519 seed or the bytes of a shared key */

void sign_key_free(struct sign_key *key); /* wipes; NULL is nothing */

/* A new Ed25519 key. NULL: out of memory. */
struct sign_key *sign_key_generate(void);
/* A random shared key, good for this process only. NULL: out of memory. */
struct sign_key *sign_key_random(void);

/*
 * The Ed25519 secret key in a file that sign_key_write made. Refused (-EPERM) when others may read or write
 * it. 0 or -errno with *why.
 */
int sign_key_read(const char *path, struct sign_key **key, struct complaint *why);
/* Write it: a new file, mode 0600; -EEXIST when there is one. */
int sign_key_write(const struct sign_key *key, const char *path, struct complaint *why);

/*
 * A shared key: every byte of the file as it stands, at least SIGN_HMAC_KEY_LEAST of them unless `allow_short`.
 * The same permissions are asked.
 */
int sign_shared_key_read(const char *path, bool allow_short, struct sign_key **key, struct complaint *why);
/*
 * A shared key from this environment variable, whose text is wiped and which is then unset. 0, -ENOENT
 * when it is not set, -EKEYREJECTED when it is shorter than SIGN_HMAC_KEY_LEAST, or -ENOMEM.
 */
int sign_shared_key_take(const char *variable, struct sign_key **key);

/* Public half of an Ed25519 key, and its id. */
void sign_public_key(const struct sign_key *key, uint8_t public_key[SIGN_PUBLIC_KEY]);
void sign_key_id(const uint8_t public_key[SIGN_PUBLIC_KEY], char id[SIGN_KEY_ID_TEXT]);

void sign_ed25519(const struct sign_key *key, const void *bytes, size_t length, char signature[SIGN_ED25519_TEXT]);
bool sign_ed25519_verify(const uint8_t public_key[SIGN_PUBLIC_KEY], const void *bytes, size_t length,
			 const char *signature);

/* HMAC-SHA256 over "id|version|content_hash", lower-case hex. */
void sign_hmac(const struct sign_key *key, const char *id, const char *version, const char *content_hash,
	       char signature[SIGN_HMAC_TEXT]);
bool sign_hmac_verify(const struct sign_key *key, const char *id, const char *version, const char *content_hash,
		      const char *signature);

/* Exactly `size` bytes from 2 * `size` lower-case hex digits and nothing after them. */
bool sign_from_hex(uint8_t *bytes, size_t size, const char *text);

#endif
