/* SPDX-License-Identifier: MIT */
/*
 * plugin_load.c - see plugin_load.h.
 *
 * The signature is checked before the program is read, so that a big file with
 * a foreign manifest costs nothing; an embedded manifest can only be found in the copy.
 */
#include "plugin_load.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "cleanup.h"
#include "keyring.h"
#include "registry.h"

/* ---- trust ---- */

static const char *const variables[] = {PLUGIN_KEY_VARIABLE, PLUGIN_KEY_VARIABLE_OTHER};
enum { VARIABLES = sizeof variables / sizeof *variables };

int plugin_trust_open(const char *directory, const char *key_file, bool allow_short, struct plugin_trust *trust,
		      struct complaint *why)
{
	int error = sign_start();

	if (error)
		return complain(why, error, "the cryptographic library does not start");
	*trust = (struct plugin_trust){.directory = directory};
	trust->shared_missing = PLUGIN_KEY_VARIABLE " is not set";
	bool found = false;
	for (size_t i = 0; i < VARIABLES; i++) {
		struct sign_key *key = NULL;
		error = sign_shared_key_take(variables[i], &key);
		if (error == -ENOENT)
			continue;
		if (found) { /* only to wipe the second one */
			sign_key_free(key);
			continue;
		}
		found = true;
		trust->shared = key;
		if (!error)
			trust->shared_missing = NULL;
		else
			trust->shared_missing = i == 0 ? PLUGIN_KEY_VARIABLE " has less than 32 bytes"
						       : PLUGIN_KEY_VARIABLE_OTHER " has less than 32 bytes";
	}
	if (!key_file)
		return 0;
	sign_key_free(trust->shared);
	trust->shared = NULL;
	trust->shared_missing = NULL;
	return sign_shared_key_read(key_file, allow_short, &trust->shared, why);
}

void plugin_forget_keys(void)
{
	for (size_t i = 0; i < VARIABLES; i++) {
		char *text = getenv(variables[i]);
		if (text)
			explicit_bzero(text, strlen(text));
		unsetenv(variables[i]);
	}
}

void plugin_trust_close(struct plugin_trust *trust)
{
	sign_key_free(trust->shared);
	trust->shared = NULL;
}

/* The shared key; one of our own when there is none, which verifies nothing that was signed earlier. */
static const struct sign_key *shared_key(struct plugin_trust *trust)
{
	if (!trust->shared)
		trust->shared = sign_key_random();
	if (trust->shared_missing)
		trust->shared_was_needed = true;
	return trust->shared;
}

/* ---- judging ---- */

int plugin_refuse(const struct manifest *manifest, const char *verb, const char *what, const char *reason,
		  struct complaint *why)
{
	return complain(why, -EKEYREJECTED, "plugin '%s' v%s: %s: refusing to %s%s%s%s", manifest->id,
			manifest->version, what, verb, reason && *reason ? " (" : "", reason ? reason : "",
			reason && *reason ? ")" : "");
}

static int check_ed25519(struct plugin *plugin, const struct plugin_trust *trust, struct complaint *reason)
{
	const struct manifest *manifest = &plugin->manifest;
	cleanup_free struct keyring *keyring = malloc(sizeof *keyring);
	size_t length = 0;
	cleanup_free char *canonical = manifest_canonical(manifest, false, &length);

	if (!keyring || !canonical)
		return complain(reason, -ENOMEM, "%s", strerror(ENOMEM));
	int error = keyring_load(trust->directory, manifest->signed_by, keyring, reason);
	if (error)
		return error;
	const struct trusted_key *key =
		keyring_verify(keyring, manifest->signature, canonical, length, time(NULL), reason);
	if (!key)
		return -EKEYREJECTED;
	memcpy(plugin->key_id, key->id, sizeof plugin->key_id);
	return 0;
}

static int check_hmac(const struct plugin *plugin, struct plugin_trust *trust, struct complaint *reason)
{
	const struct manifest *manifest = &plugin->manifest;
	const struct sign_key *key = shared_key(trust);

	if (!key)
		return complain(reason, -ENOMEM, "%s", strerror(ENOMEM));
	if (sign_hmac_verify(key, manifest->id, manifest->version, manifest->content_hash, manifest->signature))
		return 0;
	return complain(reason, -EKEYREJECTED, "%s", trust->shared_missing ? trust->shared_missing : "");
}

static int check_signature(struct plugin *plugin, struct plugin_trust *trust, const char *verb, struct complaint *why)
{
	struct complaint reason = {""};
	int error = 0;

	plugin->scheme = sign_scheme(plugin->manifest.signature);
	switch (plugin->scheme) {
	case SIGN_ED25519:
		error = check_ed25519(plugin, trust, &reason);
		break;
	case SIGN_HMAC:
		error = check_hmac(plugin, trust, &reason);
		break;
	case SIGN_NEITHER:
		error = complain(&reason, -EKEYREJECTED, "neither ed25519:HEX nor 64 lower-case hex digits");
		break;
	}
	return error ? plugin_refuse(&plugin->manifest, verb, "invalid signature", reason.text, why) : 0;
}

/*
 * The bytes of an embedded manifest are not hashed, so they may be nothing but the canonical text of the manifest that
 * was verified: every other way to write the same JSON, and every other manifest, is refused.
 */
static bool embedded_is_right(const struct plugin *plugin)
{
	const struct byte_range *range = &plugin->program.manifest;
	size_t length = 0;
	cleanup_free char *canonical = manifest_canonical(&plugin->manifest, true, &length);

	return !range->length || (canonical && length == range->length &&
				  !memcmp(canonical, plugin->program.bytes + range->start, length));
}

static int check_hash(struct plugin *plugin, const char *verb, struct complaint *why)
{
	if (!embedded_is_right(plugin))
		return plugin_refuse(&plugin->manifest, verb, "content hash mismatch",
				     "the manifest embedded in it is another, or not in canonical form", why);
	if (!sign_same_text(plugin->program.hash, plugin->manifest.content_hash))
		return plugin_refuse(&plugin->manifest, verb, "content hash mismatch", NULL, why);
	plugin->verified = true;
	return 0;
}

/* ---- finding ---- */

bool plugin_is_path(const char *program)
{
	return strchr(program, '/') != NULL;
}

/* A manifest file. -ENOENT leaves *why alone. */
static int read_manifest_file(const char *path, struct manifest *manifest, struct complaint *why)
{
	struct stat status;
	cleanup_fd int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return -ENOENT;
	if (fd < 0 || fstat(fd, &status))
		return complain(why, -errno, "%s: %s", path, strerror(errno));
	if (!S_ISREG(status.st_mode))
		return complain(why, -EINVAL, "%s: not a regular file", path);
	cleanup_free char *text = malloc(MANIFEST_BYTES_MOST + 1);
	if (!text)
		return complain(why, -ENOMEM, "%s: %s", path, strerror(ENOMEM));
	size_t have = 0;
	while (have < MANIFEST_BYTES_MOST + 1) { /* a byte more than may be there: manifest_read refuses it */
		ssize_t n = read(fd, text + have, MANIFEST_BYTES_MOST + 1 - have);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return complain(why, -errno, "%s: %s", path, strerror(errno));
		if (n == 0)
			break;
		have += (size_t)n;
	}
	return manifest_read(path, text, have, manifest, why);
}

/* The manifest beside the program: tool.py.plugin.json, or tool.plugin.json. -ENOENT: neither. */
static int read_beside(const char *program, struct manifest *manifest, struct complaint *why)
{
	const char *slash = strrchr(program, '/'), *dot = strrchr(slash ? slash + 1 : program, '.');
	cleanup_free char *full = NULL;
	cleanup_free char *stem = NULL;

	if (asprintf(&full, "%s" MANIFEST_SUFFIX, program) < 0) {
		full = NULL;
		return complain(why, -ENOMEM, "%s", strerror(ENOMEM));
	}
	int error = read_manifest_file(full, manifest, why);
	if (error != -ENOENT || !dot || dot == (slash ? slash + 1 : program))
		return error;
	if (asprintf(&stem, "%.*s" MANIFEST_SUFFIX, (int)(dot - program), program) < 0) {
		stem = NULL;
		return complain(why, -ENOMEM, "%s", strerror(ENOMEM));
	}
	return read_manifest_file(stem, manifest, why);
}

/* The manifest in the program. */
static int read_embedded(struct plugin *plugin, const char *path, struct complaint *why)
{
	const struct byte_range *range = &plugin->program.manifest;

	plugin->embedded = true;
	return manifest_read(path, (const char *)plugin->program.bytes + range->start, range->length, &plugin->manifest,
			     why);
}

static int open_program(const char *path, struct complaint *why)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	return fd < 0 ? complain(why, -errno, "%s: %s", path, strerror(errno)) : fd;
}

static int load_file(const struct plugin_place *place, struct plugin_trust *trust, struct plugin *plugin,
		     struct complaint *why)
{
	cleanup_fd int fd = open_program(place->program, why);
	struct manifest *manifest = &plugin->manifest;

	if (fd < 0)
		return fd;
	int error = place->manifest ? read_manifest_file(place->manifest, manifest, why)
				    : read_beside(place->program, manifest, why);
	if (error == -ENOENT && place->manifest)
		return complain(why, error, "%s: %s", place->manifest, strerror(ENOENT));
	bool beside = !error;
	if (beside)
		error = check_signature(plugin, trust, place->verb, why);
	else if (error == -ENOENT)
		error = 0;
	if (!error)
		error = plugin_program_load(fd, place->program, &plugin->program, why);
	if (error)
		return error;
	if (!beside) {
		if (!plugin->program.manifest.length)
			return complain(why, -ENOENT,
					"%s: has no manifest: neither %s" MANIFEST_SUFFIX " nor one embedded",
					place->program, place->program);
		error = read_embedded(plugin, place->program, why);
		if (!error)
			error = check_signature(plugin, trust, place->verb, why);
	}
	return error ? error : check_hash(plugin, place->verb, why);
}

static int load_installed(const struct plugin_place *place, struct plugin_trust *trust, struct plugin *plugin,
			  struct complaint *why)
{
	struct registry *registry = NULL;
	struct registered found = {.fd = -1};
	int error = registry_open(place->registry, false, &registry, why);

	if (!error)
		error = registry_find(registry, place->program, &found, why);
	registry_close(registry);
	if (error == -ENOENT && access(place->program, F_OK) == 0)
		return complain(why, error, "'%s' is not installed in %s; if the file is meant: ./%s", place->program,
				place->registry, place->program);
	if (error == -ENOENT)
		return complain(why, error, "'%s' is not installed in %s", place->program, place->registry);
	if (error)
		return error;
	plugin->installed = true;
	plugin->manifest = found.manifest;
	found.manifest = (struct manifest){.object = NULL}; /* moved */
	free(plugin->path);
	plugin->path = found.program;
	found.program = NULL;
	error = check_signature(plugin, trust, place->verb, why);
	if (!error)
		error = plugin_program_load(found.fd, plugin->manifest.id, &plugin->program, why);
	if (!error)
		error = check_hash(plugin, place->verb, why);
	registered_free(&found);
	return error;
}

int plugin_load(const struct plugin_place *place, struct plugin_trust *trust, struct plugin *plugin,
		struct complaint *why)
{
	*plugin = (struct plugin){.program = {.fd = -1}, .path = strdup(place->program)};
	if (!plugin->path)
		return complain(why, -ENOMEM, "%s", strerror(ENOMEM));
	int error = plugin_is_path(place->program) ? load_file(place, trust, plugin, why)
						   : load_installed(place, trust, plugin, why);
	if (error)
		plugin_free(plugin);
	return error;
}

void plugin_free(struct plugin *plugin)
{
	manifest_free(&plugin->manifest);
	plugin_program_free(&plugin->program);
	free(plugin->path);
	*plugin = (struct plugin){.program = {.fd = -1}};
}
