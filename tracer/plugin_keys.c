/* SPDX-License-Identifier: MIT */
/* plugin_keys.c - `picket plugin keygen` and `picket plugin sign`. */
#include "plugin.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "commands.h"
#include "diag.h"
#include "keyring.h"
#include "plugin_note.h"
#include "plugin_places.h"
#include "plugin_program.h"
#include "trust.h"

#define SECRET_SUFFIX ".key"
#define PUBLIC_SUFFIX ".pub"

/* ---- keygen ---- */

/* Put the public key among the trusted ones: under the signer's name, or with the key id when that is taken. */
static int add_trusted(const struct cli *cli, const char *signer, const uint8_t public_key[SIGN_PUBLIC_KEY],
		       struct complaint *why)
{
	char id[SIGN_KEY_ID_TEXT], path[PATH_MAX];
	cleanup_free char *directory = plugin_trusted_directory(cli, why);

	if (!directory)
		return -ENOENT;
	int error = trust_make_directory(directory, why);
	if (error)
		return error;
	sign_key_id(public_key, id);
	for (int with_id = 0; with_id < 2; with_id++) {
		int n = snprintf(path, sizeof path, "%s/%s%s%s" PUBLIC_SUFFIX, directory, signer, with_id ? "~" : "",
				 with_id ? id : "");
		if (n < 0 || (size_t)n >= sizeof path)
			return complain(why, -ENAMETOOLONG, "%s", strerror(ENAMETOOLONG));
		error = keyring_write(path, public_key, cli->plugin.expires, why);
		if (error != -EEXIST)
			break;
	}
	if (!error)
		printf("trusted:    %s\n", path);
	return error;
}

static int make_key(const struct cli *cli, const char *signer, struct complaint *why)
{
	char secret[PATH_MAX], public[PATH_MAX], id[SIGN_KEY_ID_TEXT];
	uint8_t public_key[SIGN_PUBLIC_KEY];
	const char *output = cli->plugin.output;
	size_t length = output ? strlen(output) : 0, suffix = strlen(SECRET_SUFFIX);
	time_t expiry;

	if (!keyring_good_signer(signer))
		return complain(why, -EINVAL, "'%s' cannot be a signer: letters, digits and @ . _ + - only", signer);
	if (cli->plugin.expires && !keyring_time(cli->plugin.expires, &expiry))
		return complain(why, -EINVAL, "--expires is 2027-01-31 or 2027-01-31T00:00:00Z, not '%s'",
				cli->plugin.expires);
	if (length > suffix && !strcmp(output + length - suffix, SECRET_SUFFIX))
		length -= suffix;
	int n = snprintf(secret, sizeof secret, "%s%s", output ? output : signer, output ? "" : SECRET_SUFFIX);
	int m = snprintf(public, sizeof public, "%.*s" PUBLIC_SUFFIX, output ? (int)length : INT_MAX,
			 output ? output : signer);
	if (n < 0 || (size_t)n >= sizeof secret || m < 0 || (size_t)m >= sizeof public)
		return complain(why, -ENAMETOOLONG, "%s", strerror(ENAMETOOLONG));
	struct sign_key *key = sign_key_generate();
	if (!key)
		return complain(why, -ENOMEM, "%s", strerror(ENOMEM));
	sign_public_key(key, public_key);
	int error = sign_key_write(key, secret, why);
	sign_key_free(key);
	if (error)
		return error;
	error = keyring_write(public, public_key, cli->plugin.expires, why);
	if (error) {
		unlink(secret);
		return error;
	}
	sign_key_id(public_key, id);
	printf("secret key: %s\npublic key: %s\nkey id:     %s\n", secret, public, id);
	return cli->plugin.trust ? add_trusted(cli, signer, public_key, why) : 0;
}

int plugin_keygen(const struct cli *cli)
{
	struct complaint why;

	if (sign_start() == 0 && make_key(cli, cli->operands[0], &why) == 0)
		return EXIT_SUCCESS;
	diag("plugin keygen: %s", why.text);
	return EXIT_PICKET;
}

/* ---- sign ---- */

/* What signs. */
struct signer {
	struct sign_key *key;
	bool hmac;
};

static int find_key(const struct cli *cli, struct signer *signer, struct complaint *why)
{
	const struct plugin_options *options = &cli->plugin;
	struct plugin_trust trust;

	signer->hmac = options->hmac || options->key_file;
	if (signer->hmac && options->key)
		return complain(why, -EINVAL, "--key and the shared key of --hmac cannot both sign");
	int error = plugin_trust_open(NULL, options->key_file, options->allow_short_key, &trust, why);
	if (error)
		return error;
	if (!signer->hmac) {
		plugin_trust_close(&trust);
		if (!options->key)
			return complain(why, -EINVAL, "say --key FILE (see picket help plugin keygen) or --hmac");
		return sign_key_read(options->key, &signer->key, why);
	}
	if (!trust.shared)
		return complain(why, -ENOKEY, "%s; say --key-file FILE", trust.shared_missing);
	signer->key = trust.shared;
	return 0;
}

/* The bytes of a manifest to begin with; NULL without --manifest. */
static int read_start(const char *path, char **text, size_t *length, struct complaint *why)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n;

	if (fd < 0)
		return complain(why, -errno, "%s: %s", path, strerror(errno));
	*text = malloc(MANIFEST_BYTES_MOST + 1);
	if (!*text)
		return complain(why, -ENOMEM, "%s", strerror(ENOMEM));
	for (*length = 0; *length <= MANIFEST_BYTES_MOST; *length += (size_t)n) {
		n = read(fd, *text + *length, MANIFEST_BYTES_MOST + 1 - *length);
		if (n <= 0)
			return n < 0 ? complain(why, -errno, "%s: %s", path, strerror(errno)) : 0;
	}
	return 0; /* too long: the reader says so */
}

static int prepare(const struct cli *cli, struct manifest *manifest, struct complaint *why)
{
	const struct plugin_options *options = &cli->plugin;
	const struct manifest_draft draft = {
		.id = options->id,
		.name = options->name,
		.version = options->version,
		.signed_by = options->signer,
		.capabilities = options->capabilities,
		.capability_count = options->capability_count,
		.timeout_secs = options->timeout_secs,
	};
	cleanup_free char *text = NULL;
	size_t length = 0;

	int error = options->manifest ? read_start(options->manifest, &text, &length, why) : 0;
	if (error)
		return error;
	return manifest_prepare(options->manifest ? options->manifest : "the manifest", text, length, &draft, manifest,
				why);
}

static int set_signature(struct manifest *manifest, const struct signer *signer)
{
	char signature[SIGN_ED25519_TEXT];
	size_t length = 0;

	if (signer->hmac) {
		sign_hmac(signer->key, manifest->id, manifest->version, manifest->content_hash, signature);
		return manifest_set_signature(manifest, signature);
	}
	cleanup_free char *canonical = manifest_canonical(manifest, false, &length);
	if (!canonical)
		return -ENOMEM;
	sign_ed25519(signer->key, canonical, length, signature);
	return manifest_set_signature(manifest, signature);
}

/* Replace a file as a whole. */
static int replace_file(const char *path, const void *bytes, size_t length, mode_t mode, struct complaint *why)
{
	char new[PATH_MAX];
	int n = snprintf(new, sizeof new, "%s.XXXXXX", path);

	if (n < 0 || (size_t)n >= sizeof new)
		return complain(why, -ENAMETOOLONG, "%s: %s", path, strerror(ENAMETOOLONG));
	cleanup_fd int fd = mkostemp(new, O_CLOEXEC);
	if (fd < 0)
		return complain(why, -errno, "%s: %s", path, strerror(errno));
	int error = 0;
	for (size_t done = 0; !error && done < length;) {
		ssize_t written = write(fd, (const char *)bytes + done, length - done);
		if (written < 0 && errno != EINTR)
			error = -errno;
		if (written > 0)
			done += (size_t)written;
	}
	if (!error && (fchmod(fd, mode) || fsync(fd) || rename(new, path)))
		error = -errno;
	if (error)
		unlink(new);
	return error ? complain(why, error, "%s: %s", path, strerror(-error)) : 0;
}

static int sign_beside(const struct cli *cli, const struct plugin_program *program, struct manifest *manifest,
		       const struct signer *signer, struct complaint *why)
{
	char path[PATH_MAX];
	int error = manifest_set_hash(manifest, program->hash);

	if (!error)
		error = set_signature(manifest, signer);
	cleanup_free char *text = error ? NULL : manifest_text(manifest);
	if (!text)
		return complain(why, -ENOMEM, "%s", strerror(ENOMEM));
	int n = snprintf(path, sizeof path, "%s%s", cli->plugin.output ? cli->plugin.output : cli->operands[0],
			 cli->plugin.output ? "" : MANIFEST_SUFFIX);
	if (n < 0 || (size_t)n >= sizeof path)
		return complain(why, -ENAMETOOLONG, "%s", strerror(ENAMETOOLONG));
	error = replace_file(path, text, strlen(text), 0644, why);
	if (!error)
		printf("plugin '%s' v%s: signed: %s\n", manifest->id, manifest->version, path);
	return error;
}

/*
 * The hash is of the program with the note but without the note's text, and the text holds the hash: so first a note of
 * the right length (a hash and a signature of any value have the same), then the hash, then the text.
 */
static int sign_within(const struct cli *cli, const struct plugin_program *program, struct manifest *manifest,
		       const struct signer *signer, struct complaint *why)
{
	static const char any_hash[] = "0000000000000000000000000000000000000000000000000000000000000000";
	const char *path = cli->operands[0], *output = cli->plugin.output ? cli->plugin.output : path;
	cleanup_free uint8_t *made = NULL;
	size_t length = 0, room = 0;
	struct plugin_program with_note;

	if (manifest_set_hash(manifest, any_hash) || set_signature(manifest, signer))
		return complain(why, -ENOMEM, "%s", strerror(ENOMEM));
	cleanup_free char *measure = manifest_canonical(manifest, true, &room);
	if (!measure)
		return complain(why, -ENOMEM, "%s", strerror(ENOMEM));
	int error = note_make(program->bytes, program->length, path, room, &made, &length, why);
	if (!error)
		error = plugin_program_from_bytes(made, length, path, &with_note, why);
	if (error)
		return error;
	const struct byte_range range = with_note.manifest;
	error = manifest_set_hash(manifest, with_note.hash);
	plugin_program_free(&with_note);
	if (!error)
		error = set_signature(manifest, signer);
	size_t final = 0;
	cleanup_free char *text = error ? NULL : manifest_canonical(manifest, true, &final);
	if (!text)
		return complain(why, -ENOMEM, "%s", strerror(ENOMEM));
	if (final != room || range.length != room)
		return complain(why, -EINVAL, "%s: the note does not fit; this is a bug", path);
	memcpy(made + range.start, text, room);
	error = replace_file(output, made, length, 0755, why);
	if (!error)
		printf("plugin '%s' v%s: signed: %s\n", manifest->id, manifest->version, output);
	return error;
}

static int sign(const struct cli *cli, const struct signer *signer, struct complaint *why)
{
	struct plugin_program program;
	struct manifest manifest;
	cleanup_fd int fd = open(cli->operands[0], O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return complain(why, -errno, "%s: %s", cli->operands[0], strerror(errno));
	int error = prepare(cli, &manifest, why);
	if (error)
		return error;
	if (!signer->hmac && !keyring_good_signer(manifest.signed_by)) {
		error = complain(why, -EINVAL, "'%s' cannot be the signer of a key: letters, digits and @ . _ + - only",
				 manifest.signed_by);
		manifest_free(&manifest);
		return error;
	}
	error = plugin_program_load(fd, cli->operands[0], &program, why);
	if (!error) {
		error = cli->plugin.embed ? sign_within(cli, &program, &manifest, signer, why)
					  : sign_beside(cli, &program, &manifest, signer, why);
		plugin_program_free(&program);
	}
	manifest_free(&manifest);
	return error;
}

int plugin_sign(const struct cli *cli)
{
	struct signer signer = {.key = NULL};
	struct complaint why;
	int error = find_key(cli, &signer, &why);

	if (!error)
		error = sign(cli, &signer, &why);
	sign_key_free(signer.key);
	if (error)
		diag("plugin sign: %s", why.text);
	return error ? EXIT_PICKET : EXIT_SUCCESS;
}
