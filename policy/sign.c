/* SPDX-License-Identifier: MIT */
/* sign.c - see sign.h; the cryptography is libsodium's. */
#include "sign.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <sodium.h>

#include "cleanup.h"
#include "trust.h"

#define ED25519_PREFIX "ed25519:"
#define SECRET_PREFIX "picket-secret-key ed25519 "

enum {
	SEED = crypto_sign_SEEDBYTES,
	SECRET_FILE_MOST = 1024, /* a secret key file is a line */
};

struct sign_hash {
	crypto_hash_sha256_state state;
};

/* Lies in locked memory as a whole. */
struct sign_key {
	size_t length;
	uint8_t bytes[];
};

int sign_start(void)
{
	return sodium_init() < 0 ? -EIO : 0;
}

bool sign_from_hex(uint8_t *bytes, size_t size, const char *text)
{
	if (strlen(text) != 2 * size)
		return false;
	for (size_t i = 0; i < 2 * size; i++) {
		bool digit = text[i] >= '0' && text[i] <= '9', letter = text[i] >= 'a' && text[i] <= 'f';
		if (!digit && !letter)
			return false;
	}
	return sodium_hex2bin(bytes, size, text, 2 * size, NULL, NULL, NULL) == 0;
}

enum sign_scheme sign_scheme(const char *signature)
{
	uint8_t bytes[crypto_sign_BYTES];

	if (!strncmp(signature, ED25519_PREFIX, strlen(ED25519_PREFIX)))
		return sign_from_hex(bytes, crypto_sign_BYTES, signature + strlen(ED25519_PREFIX)) ? SIGN_ED25519
												   : SIGN_NEITHER;
	return sign_from_hex(bytes, crypto_auth_hmacsha256_BYTES, signature) ? SIGN_HMAC : SIGN_NEITHER;
}

const char *sign_scheme_name(enum sign_scheme scheme)
{
	switch (scheme) {
	case SIGN_ED25519:
		return "ed25519";
	case SIGN_HMAC:
		return "hmac-sha256";
	case SIGN_NEITHER:
		break;
	}
	return "none";
}

struct sign_hash *sign_hash_new(void)
{
	struct sign_hash *hash = malloc(sizeof *hash);

	if (hash)
		crypto_hash_sha256_init(&hash->state);
	return hash;
}

void sign_hash_add(struct sign_hash *hash, const void *bytes, size_t length)
{
	crypto_hash_sha256_update(&hash->state, bytes, length);
}

void sign_hash_end(struct sign_hash *hash, char text[SIGN_HASH_TEXT])
{
	uint8_t sum[crypto_hash_sha256_BYTES];

	crypto_hash_sha256_final(&hash->state, sum);
	sodium_bin2hex(text, SIGN_HASH_TEXT, sum, sizeof sum);
	free(hash);
}

void sign_hash_text(const void *bytes, size_t length, char text[SIGN_HASH_TEXT])
{
	uint8_t sum[crypto_hash_sha256_BYTES];

	crypto_hash_sha256(sum, bytes, length);
	sodium_bin2hex(text, SIGN_HASH_TEXT, sum, sizeof sum);
}

bool sign_same_text(const char *one, const char *other)
{
	size_t length = strlen(one);

	return strlen(other) == length && sodium_memcmp(one, other, length) == 0;
}

/* Room for a secret of `length` bytes. sodium_malloc puts the end of what it gives at the end of a page: the size must
 * be a multiple of the alignment. */
static struct sign_key *key_new(size_t length)
{
	const size_t align = _Alignof(struct sign_key);
	struct sign_key *key = sodium_malloc((sizeof *key + length + align - 1) / align * align);

	if (key)
		key->length = length;
	return key;
}

void sign_key_free(struct sign_key *key)
{
	sodium_free(key); /* wipes */
}

static struct sign_key *random_key(size_t length)
{
	struct sign_key *key = key_new(length);

	if (key)
		randombytes_buf(key->bytes, length);
	return key;
}

struct sign_key *sign_key_generate(void)
{
	return random_key(SEED);
}

struct sign_key *sign_key_random(void)
{
	return random_key(SIGN_HMAC_KEY_LEAST);
}

/*
 * Read a secret file of at most `most` bytes into locked memory. A byte more
 * is asked for than may be there, so that a longer file is noticed.
 */
static int read_secret(const char *path, size_t most, struct sign_key **key, struct complaint *why)
{
	struct stat status;
	cleanup_fd int fd = trust_open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY, why);

	if (fd < 0)
		return fd;
	if (fstat(fd, &status))
		return complain(why, -errno, "%s: %s", path, strerror(errno));
	if (!S_ISREG(status.st_mode))
		return complain(why, -EINVAL, "%s: a key must be a regular file", path);
	if (status.st_mode & (S_IRGRP | S_IROTH))
		return complain(why, -EPERM, "%s: may be read by others (mode %04o); chmod 600 it", path,
				(unsigned)status.st_mode & 07777u);
	struct sign_key *secret = key_new(most + 1);
	if (!secret)
		return complain(why, -ENOMEM, "%s: %s", path, strerror(ENOMEM));
	size_t have = 0;
	while (have <= most) {
		ssize_t n = read(fd, secret->bytes + have, most + 1 - have);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			int error = -errno;
			sign_key_free(secret);
			return complain(why, error, "%s: %s", path, strerror(-error));
		}
		if (n == 0)
			break;
		have += (size_t)n;
	}
	if (have > most) {
		sign_key_free(secret);
		return complain(why, -EFBIG, "%s: too long for a key (more than %zu bytes)", path, most);
	}
	secret->length = have;
	*key = secret;
	return 0;
}

int sign_shared_key_read(const char *path, bool allow_short, struct sign_key **key, struct complaint *why)
{
	int error = read_secret(path, SIGN_HMAC_KEY_MOST, key, why);

	if (error)
		return error;
	size_t length = (*key)->length;
	if (length >= SIGN_HMAC_KEY_LEAST || (allow_short && length))
		return 0;
	sign_key_free(*key);
	*key = NULL;
	return complain(why, -EKEYREJECTED, "%s: a shared key has at least %d bytes, this has %zu%s", path,
			SIGN_HMAC_KEY_LEAST, length, length ? " (--allow-short-key to check test vectors)" : "");
}

int sign_shared_key_take(const char *variable, struct sign_key **key)
{
	char *text = getenv(variable);
	int error = 0;

	if (!text)
		return -ENOENT;
	size_t length = strlen(text);
	if (length < SIGN_HMAC_KEY_LEAST) {
		error = -EKEYREJECTED;
	} else {
		*key = key_new(length);
		if (*key)
			memcpy((*key)->bytes, text, length);
		else
			error = -ENOMEM;
	}
	sodium_memzero(text, length); /* it is what /proc/PID/environ shows of us */
	unsetenv(variable);
	return error;
}

int sign_key_read(const char *path, struct sign_key **key, struct complaint *why)
{
	static const size_t prefix = sizeof SECRET_PREFIX - 1;
	struct sign_key *text = NULL;
	int error = read_secret(path, SECRET_FILE_MOST, &text, why);

	if (error)
		return error;
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): errno is never 0 where a call has failed */
	if (text->length && text->bytes[text->length - 1] == '\n')
		text->length--;
	text->bytes[text->length] = '\0'; /* read_secret left room for it */
	struct sign_key *seed = key_new(SEED);
	bool good = seed && text->length == prefix + 2 * SEED && !memcmp(text->bytes, SECRET_PREFIX, prefix) &&
		    sign_from_hex(seed->bytes, SEED, (const char *)text->bytes + prefix);
	sign_key_free(text);
	if (good) {
		*key = seed;
		return 0;
	}
	sign_key_free(seed);
	if (!seed)
		return complain(why, -ENOMEM, "%s: %s", path, strerror(ENOMEM));
	return complain(why, -EINVAL, "%s: not a secret key made by `picket plugin keygen`", path);
}

int sign_key_write(const struct sign_key *key, const char *path, struct complaint *why)
{
	static const size_t prefix = sizeof SECRET_PREFIX - 1;
	struct sign_key *text = key_new(prefix + 2 * SEED + 2);

	if (!text)
		return complain(why, -ENOMEM, "%s: %s", path, strerror(ENOMEM));
	memcpy(text->bytes, SECRET_PREFIX, prefix);
	sodium_bin2hex((char *)text->bytes + prefix, 2 * SEED + 1, key->bytes, SEED);
	text->bytes[prefix + 2 * SEED] = '\n';
	size_t length = prefix + 2 * SEED + 1;
	cleanup_fd int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int error = 0;
	if (fd < 0) {
		error = -errno;
	} else {
		ssize_t n = write(fd, text->bytes, length);
		if (n != (ssize_t)length || fsync(fd)) {
			error = n < 0 || n == (ssize_t)length ? -errno : -ENOSPC;
			unlink(path);
		}
	}
	sign_key_free(text);
	return error ? complain(why, error, "%s: %s", path, strerror(-error)) : 0;
}

void sign_public_key(const struct sign_key *key, uint8_t public_key[SIGN_PUBLIC_KEY])
{
	uint8_t secret[crypto_sign_SECRETKEYBYTES];

	sodium_mlock(secret, sizeof secret);
	crypto_sign_seed_keypair(public_key, secret, key->bytes);
	sodium_munlock(secret, sizeof secret); /* wipes */
}

void sign_key_id(const uint8_t public_key[SIGN_PUBLIC_KEY], char id[SIGN_KEY_ID_TEXT])
{
	uint8_t sum[crypto_hash_sha256_BYTES];

	crypto_hash_sha256(sum, public_key, SIGN_PUBLIC_KEY);
	sodium_bin2hex(id, SIGN_KEY_ID_TEXT, sum, (SIGN_KEY_ID_TEXT - 1) / 2);
}

void sign_ed25519(const struct sign_key *key, const void *bytes, size_t length, char signature[SIGN_ED25519_TEXT])
{
	uint8_t secret[crypto_sign_SECRETKEYBYTES], public_key[SIGN_PUBLIC_KEY], made[crypto_sign_BYTES];

	sodium_mlock(secret, sizeof secret);
	crypto_sign_seed_keypair(public_key, secret, key->bytes);
	crypto_sign_detached(made, NULL, bytes, length, secret);
	sodium_munlock(secret, sizeof secret); /* wipes */
	/* NOLINTNEXTLINE(bugprone-not-null-terminated-result): bytes, not a string */
	memcpy(signature, ED25519_PREFIX, strlen(ED25519_PREFIX));
	sodium_bin2hex(signature + strlen(ED25519_PREFIX), 2 * sizeof made + 1, made, sizeof made);
}

bool sign_ed25519_verify(const uint8_t public_key[SIGN_PUBLIC_KEY], const void *bytes, size_t length,
			 const char *signature)
{
	uint8_t given[crypto_sign_BYTES];

	return !strncmp(signature, ED25519_PREFIX, strlen(ED25519_PREFIX)) &&
	       sign_from_hex(given, sizeof given, signature + strlen(ED25519_PREFIX)) &&
	       crypto_sign_verify_detached(given, bytes, length, public_key) == 0;
}

void sign_hmac(const struct sign_key *key, const char *id, const char *version, const char *content_hash,
	       char signature[SIGN_HMAC_TEXT])
{
	const char *const parts[] = {id, "|", version, "|", content_hash};
	crypto_auth_hmacsha256_state state;
	uint8_t sum[crypto_auth_hmacsha256_BYTES];

	sodium_mlock(&state, sizeof state);
	crypto_auth_hmacsha256_init(&state, key->bytes, key->length);
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		crypto_auth_hmacsha256_update(&state, (const uint8_t *)parts[i], strlen(parts[i]));
	crypto_auth_hmacsha256_final(&state, sum);
	sodium_munlock(&state, sizeof state); /* wipes: it can make further signatures */
	sodium_bin2hex(signature, SIGN_HMAC_TEXT, sum, sizeof sum);
	sodium_memzero(sum, sizeof sum);
}

bool sign_hmac_verify(const struct sign_key *key, const char *id, const char *version, const char *content_hash,
		      const char *signature)
{
	char right[SIGN_HMAC_TEXT];

	sign_hmac(key, id, version, content_hash, right);
	bool same = sign_same_text(right, signature);
	sodium_memzero(right, sizeof right);
	return same;
}
