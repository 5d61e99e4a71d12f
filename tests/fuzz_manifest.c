/* SPDX-License-Identifier: MIT */
/*
 * fuzz_manifest.c - no text makes reading a manifest fault, and what is accepted keeps the promises: its
 * canonical form reads back as itself, and every capability is a known one.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "capability.h"
#include "manifest.h"
#include "sign.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct manifest *manifest)
{
	struct manifest again;
	struct capability capability;
	struct complaint why;
	size_t length = 0, other_length = 0;
	char *canonical = manifest_canonical(manifest, true, &length), *other;

	if (strchr(manifest->id, '|') || strchr(manifest->version, '|') || strlen(manifest->content_hash) != 64)
		abort();
	for (size_t i = 0; i < manifest->capability_count; i++)
		if (capability_parse(manifest->capabilities[i], &capability))
			abort();
	if (!canonical || manifest_read("canonical", canonical, length, &again, &why))
		abort();
	other = manifest_canonical(&again, true, &other_length);
	if (!other || length != other_length || memcmp(canonical, other, length) != 0)
		abort();
	manifest_free(&again);
	free(other);
	free(canonical);
	char *text = manifest_text(manifest);
	if (!text || manifest_read("text", text, strlen(text), &again, &why))
		abort();
	manifest_free(&again);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool started;
	const struct manifest_draft draft = {.version = "1"};
	struct manifest manifest;
	struct complaint why;
	char *text = malloc(size ? size : 1); /* exactly as long, for the sanitizer */

	if (!started && sign_start())
		abort();
	started = true;
	memcpy(text, data, size);
	if (manifest_read("fuzz", text, size, &manifest, &why) == 0) {
		check(&manifest);
		sign_scheme(manifest.signature);
		manifest_free(&manifest);
	}
	if (manifest_prepare("fuzz", text, size, &draft, &manifest, &why) == 0)
		manifest_free(&manifest);
	free(text);
	return 0;
}
