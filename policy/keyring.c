/* SPDX-License-Identifier: MIT */
/* keyring.c - see keyring.h. */
#include "keyring.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <sodium.h>

#include "cleanup.h"
#include "trust.h"

#define SUFFIX ".pub"
#define REVOKED "revoked"
#define LABEL_DIVIDER '~'

bool keyring_good_signer(const char *signer)
{
	size_t length = strlen(signer);

	if (!length || length > KEYRING_SIGNER_MOST || *signer == '.')
		return false;
	for (; *signer; signer++)
		if (!isalnum((unsigned char)*signer) && !strchr("@._+-", *signer))
			return false;
	return true;
}

bool keyring_time(const char *text, time_t *time)
{
	static const char *const forms[] = {"%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d"};

	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		struct tm tm = {0};
		const char *end = strptime(text, forms[i], &tm);
		if (!end || *end)
			continue;
		int day = tm.tm_mday, month = tm.tm_mon;
		*time = timegm(&tm); /* normalises: the 31st of February moves */
		return *time != (time_t)-1 && tm.tm_mday == day && tm.tm_mon == month;
	}
	return false;
}

/* Does this file hold a key of the signer? */
static bool is_of(const char *name, const char *signer)
{
	size_t length = strlen(signer), all = strlen(name);

	return !strncmp(name, signer, length) && (name[length] == LABEL_DIVIDER || name[length] == '.') &&
	       all >= length + strlen(SUFFIX) && !strcmp(name + all - strlen(SUFFIX), SUFFIX) &&
	       (name[length] == LABEL_DIVIDER || all == length + strlen(SUFFIX));
}

/* A small file of the directory, as a string. The caller frees. */
static int read_text(int directory, const char *name, char **text, struct complaint *why)
{
	struct stat status;
	cleanup_fd int fd = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? -ENOENT : complain(why, -errno, "%s: %s", name, strerror(errno));
	int error = trust_fd(fd, name, why);
	if (error)
		return error;
	if (fstat(fd, &status) || !S_ISREG(status.st_mode))
		return complain(why, -EINVAL, "%s: not a regular file", name);
	cleanup_free char *bytes = malloc(KEYRING_FILE_MOST + 1);
	if (!bytes)
		return complain(why, -ENOMEM, "%s: %s", name, strerror(ENOMEM));
	size_t have = 0;
	while (have <= KEYRING_FILE_MOST) {
		ssize_t n = read(fd, bytes + have, KEYRING_FILE_MOST + 1 - have);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return complain(why, -errno, "%s: %s", name, strerror(errno));
		if (n == 0)
			break;
		have += (size_t)n;
	}
	if (have > KEYRING_FILE_MOST || memchr(bytes, 0, have))
		return complain(why, -EINVAL, "%s: too long, or holds a NUL", name);
	bytes[have] = '\0';
	*text = bytes;
	bytes = NULL;
	return 0;
}

/* The next line with something in it: without comment and surrounding blanks. NULL: no more. */
static char *next_line(char **rest, unsigned *number)
{
	char *line;

	while ((line = strsep(rest, "\n"))) {
		(*number)++;
		line[strcspn(line, "#")] = '\0';
		line += strspn(line, " \t\r");
		size_t length = strlen(line);
		while (length && strchr(" \t\r", line[length - 1]))
			line[--length] = '\0';
		if (length)
			return line;
	}
	return NULL;
}

static int parse_key(const char *name, char *text, struct trusted_key *key, struct complaint *why)
{
	bool found = false;
	unsigned number = 0;
	char *line;

	while ((line = next_line(&text, &number))) {
		char *value = line + strcspn(line, " \t");
		if (*value)
			*value++ = '\0';
		value += strspn(value, " \t");
		if (!strcmp(line, "ed25519") && !found && sign_from_hex(key->bytes, SIGN_PUBLIC_KEY, value))
			found = true;
		else if (!strcmp(line, "expires") && !key->expires && keyring_time(value, &key->expiry))
			key->expires = true;
		else
			return complain(why, -EINVAL,
					"%s:%u: not `ed25519 HEX` or `expires YYYY-MM-DDTHH:MM:SSZ`, "
					"or a second one",
					name, number);
	}
	if (!found)
		return complain(why, -EINVAL, "%s: no key in it", name);
	sign_key_id(key->bytes, key->id);
	return 0;
}

/* Mark the keys that the list of revoked ones names. */
static int read_revoked(int directory, struct keyring *keyring, struct complaint *why)
{
	cleanup_free char *text = NULL;
	unsigned number = 0;
	uint8_t id[(SIGN_KEY_ID_TEXT - 1) / 2];
	int error = read_text(directory, REVOKED, &text, why);

	if (error)
		return error == -ENOENT ? 0 : error;
	char *rest = text, *line;
	while ((line = next_line(&rest, &number))) {
		if (!sign_from_hex(id, sizeof id, line))
			return complain(why, -EINVAL, "%s:%u: not a key id (16 lower-case hex digits)", REVOKED,
					number);
		for (size_t i = 0; i < keyring->count; i++)
			if (!strcmp(keyring->keys[i].id, line))
				keyring->keys[i].revoked = true;
	}
	return 0;
}

/* Put the name of the directory in front of what is wrong with a file in it. */
static int in_directory(const char *directory, int error, struct complaint *why)
{
	char inner[COMPLAINT_SIZE];

	memcpy(inner, why->text, sizeof inner);
	return complain(why, error, "%s/%s", directory, inner);
}

static int read_keys(int fd, const char *signer, struct keyring *keyring, struct complaint *why)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	cleanup_dir DIR *entries = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *entry;

	if (!entries) {
		int error = -errno;
		if (copy >= 0)
			close(copy);
		return complain(why, error, "%s", strerror(-error));
	}
	while (errno = 0, (entry = readdir(entries))) {
		cleanup_free char *text = NULL;
		if (!is_of(entry->d_name, signer))
			continue;
		if (keyring->count == KEYRING_KEYS_MOST)
			return complain(why, -E2BIG, "more than %d keys of '%s'", KEYRING_KEYS_MOST, signer);
		int error = read_text(fd, entry->d_name, &text, why);
		if (error == -ENOENT)
			continue; /* removed meanwhile */
		if (!error)
			error = parse_key(entry->d_name, text, &keyring->keys[keyring->count], why);
		if (error)
			return error;
		keyring->count++;
	}
	return errno ? complain(why, -errno, "%s", strerror(errno)) : 0;
}

int keyring_load(const char *directory, const char *signer, struct keyring *keyring, struct complaint *why)
{
	memset(keyring, 0, sizeof *keyring);
	if (!keyring_good_signer(signer))
		return complain(why, -EINVAL, "'%s' cannot be the name of a signer with a key", signer);
	cleanup_fd int fd = trust_open(directory, O_RDONLY | O_DIRECTORY, why);
	if (fd == -ENOENT)
		return complain(why, 0, "there is no directory of trusted keys %s", directory);
	if (fd < 0)
		return fd;
	int error = read_keys(fd, signer, keyring, why);
	if (!error)
		error = read_revoked(fd, keyring, why);
	return error ? in_directory(directory, error, why) : 0;
}

const struct trusted_key *keyring_verify(const struct keyring *keyring, const char *signature, const void *bytes,
					 size_t length, time_t now, struct complaint *why)
{
	const struct trusted_key *other = NULL;

	for (size_t i = 0; i < keyring->count; i++) {
		const struct trusted_key *key = &keyring->keys[i];
		if (!sign_ed25519_verify(key->bytes, bytes, length, signature))
			continue;
		if (!key->revoked && !(key->expires && now >= key->expiry))
			return key;
		other = key;
	}
	if (other)
		complain(why, 0, "key %s %s", other->id, other->revoked ? "is revoked" : "has expired");
	else if (keyring->count)
		complain(why, 0, "made by none of the signer's %zu trusted keys, or the manifest was changed",
			 keyring->count);
	else if (!*why->text) /* keyring_load may have said more */
		complain(why, 0, "no trusted key of this signer");
	return NULL;
}

int keyring_write(const char *path, const uint8_t public_key[SIGN_PUBLIC_KEY], const char *expires,
		  struct complaint *why)
{
	char hex[2 * SIGN_PUBLIC_KEY + 1], id[SIGN_KEY_ID_TEXT], text[256];

	sodium_bin2hex(hex, sizeof hex, public_key, SIGN_PUBLIC_KEY);
	sign_key_id(public_key, id);
	int length = snprintf(text, sizeof text, "# key id %s\ned25519 %s\n%s%s%s", id, hex, expires ? "expires " : "",
			      expires ? expires : "", expires ? "\n" : "");
	if (length < 0 || (size_t)length >= sizeof text)
		return complain(why, -EINVAL, "%s: the expiry is too long", path);
	cleanup_fd int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return complain(why, -errno, "%s: %s", path, strerror(errno));
	ssize_t n = write(fd, text, (size_t)length);
	if (n == length && fsync(fd) == 0 && fchmod(fd, 0644) == 0)
		return 0;
	int error = n < 0 ? -errno : -ENOSPC;
	unlink(path);
	return complain(why, error, "%s: %s", path, strerror(-error));
}
