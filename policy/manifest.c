/* SPDX-License-Identifier: MIT */
/* manifest.c - see manifest.h. */
#include "manifest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "capability.h"
#include "sign.h"
#include "strict_json.h"

enum { ID, NAME, VERSION, CONTENT_HASH, SIGNED_BY, SIGNATURE, CAPABILITIES, TIMEOUT, FIELDS };

/* The limits leave room in an HMAC payload, a file name and a line of a table. */
static const struct field fields[FIELDS] = {
	[ID] = {.key = "id", .type = FIELD_STRING, .required = true, .least = 1, .most = 128},
	[NAME] = {.key = "name", .type = FIELD_STRING, .required = true, .least = 0, .most = 256},
	[VERSION] = {.key = "version", .type = FIELD_STRING, .required = true, .least = 1, .most = 64},
	[CONTENT_HASH] = {.key = "content_hash", .type = FIELD_STRING, .required = true, .least = 64, .most = 64},
	[SIGNED_BY] = {.key = "signed_by", .type = FIELD_STRING, .required = true, .least = 1, .most = 256},
	[SIGNATURE] = {.key = "signature", .type = FIELD_STRING, .required = true, .least = 0, .most = 1024},
	[CAPABILITIES] = {.key = "capabilities",
			  .type = FIELD_STRINGS,
			  .least = 1,
			  .most = 4096,
			  .most_items = MANIFEST_CAPABILITIES_MOST},
	[TIMEOUT] = {.key = "timeout_secs", .type = FIELD_INTEGER, .least = 1, .most = MANIFEST_TIMEOUT_MOST},
};

static const char *text_of(const struct manifest *manifest, const char *key)
{
	return json_string_value(json_object_get(manifest->object, key));
}

/* Point the struct's members into the object. */
static int take_fields(struct manifest *manifest)
{
	const json_t *list = json_object_get(manifest->object, "capabilities");
	const json_t *timeout = json_object_get(manifest->object, "timeout_secs");

	manifest->id = text_of(manifest, "id");
	manifest->name = text_of(manifest, "name");
	manifest->version = text_of(manifest, "version");
	manifest->content_hash = text_of(manifest, "content_hash");
	manifest->signed_by = text_of(manifest, "signed_by");
	manifest->signature = text_of(manifest, "signature");
	manifest->timeout_secs = timeout ? (unsigned)json_integer_value(timeout) : MANIFEST_TIMEOUT_DEFAULT;
	free(manifest->capabilities);
	manifest->capability_count = json_array_size(list);
	manifest->capabilities = calloc(manifest->capability_count + 1, sizeof *manifest->capabilities);
	if (!manifest->capabilities)
		return -ENOMEM;
	for (size_t i = 0; i < manifest->capability_count; i++)
		manifest->capabilities[i] = json_string_value(json_array_get(list, i));
	return 0;
}

/* What the table of fields cannot say. */
static int check_values(const struct strict_json *json, const struct manifest *manifest, struct complaint *why)
{
	struct capability capability;
	uint8_t hash[32];

	if (strchr(manifest->id, '|'))
		return strict_json_complain(json, "id", -1, why, "may not have a '|'");
	if (strchr(manifest->version, '|'))
		return strict_json_complain(json, "version", -1, why, "may not have a '|'");
	if (manifest->content_hash && !sign_from_hex(hash, sizeof hash, manifest->content_hash))
		return strict_json_complain(json, "content_hash", -1, why, "is not 64 lower-case hex digits");
	for (size_t i = 0; i < manifest->capability_count; i++)
		if (capability_parse(manifest->capabilities[i], &capability))
			return strict_json_complain(json, "capabilities", (long)i, why,
						    "has an unknown capability '%.200s'", manifest->capabilities[i]);
	return 0;
}

static int read_as(const char *source, const char *text, size_t length, const struct field *as, size_t count,
		   struct manifest *manifest, struct complaint *why)
{
	struct strict_json json;
	int error = strict_json_read(&json, source, text, length, MANIFEST_BYTES_MOST, as, count, why);

	if (error)
		return error;
	*manifest = (struct manifest){.object = json_incref(json.root)};
	error = take_fields(manifest);
	if (error)
		complain(why, error, "%s: %s", source, strerror(-error));
	else
		error = check_values(&json, manifest, why);
	strict_json_free(&json);
	if (error)
		manifest_free(manifest);
	return error;
}

int manifest_read(const char *source, const char *text, size_t length, struct manifest *manifest, struct complaint *why)
{
	return read_as(source, text, length, fields, FIELDS, manifest, why);
}

/* Jansson checks that it is UTF-8. */
static int put_text(json_t *object, const char *key, const char *value)
{
	return value && json_object_set_new(object, key, json_string(value)) ? -EINVAL : 0;
}

static int put_draft(json_t *object, const struct manifest_draft *draft)
{
	int error = put_text(object, "id", draft->id) | put_text(object, "name", draft->name) |
		    put_text(object, "version", draft->version) | put_text(object, "signed_by", draft->signed_by);

	if (!json_object_get(object, "name"))
		error |= put_text(object, "name", text_of(&(struct manifest){.object = object}, "id"));
	json_t *list = json_object_get(object, "capabilities");
	if (!list || draft->capability_count) {
		list = json_array();
		error |= json_object_set_new(object, "capabilities", list);
	}
	for (size_t i = 0; i < draft->capability_count; i++)
		error |= json_array_append_new(list, json_string(draft->capabilities[i]));
	if (draft->timeout_secs || !json_object_get(object, "timeout_secs"))
		error |= json_object_set_new(
			object, "timeout_secs",
			json_integer(draft->timeout_secs ? draft->timeout_secs : MANIFEST_TIMEOUT_DEFAULT));
	return error ? -EINVAL : 0;
}

int manifest_prepare(const char *source, const char *text, size_t length, const struct manifest_draft *draft,
		     struct manifest *manifest, struct complaint *why)
{
	struct field optional[FIELDS];
	struct strict_json json = {.root = NULL};

	memcpy(optional, fields, sizeof fields);
	for (size_t i = 0; i < FIELDS; i++)
		optional[i].required = false;
	optional[CONTENT_HASH].least = 0; /* it is replaced, even a malformed one */
	int error =
		text ? strict_json_read(&json, source, text, length, MANIFEST_BYTES_MOST, optional, FIELDS, why) : 0;
	if (error)
		return error;
	json_t *object = text ? json_incref(json.root) : json_object();
	strict_json_free(&json);
	json_object_del(object, "content_hash");
	json_object_del(object, "signature");
	error = object ? put_draft(object, draft) : -ENOMEM;
	char *complete = error ? NULL : json_dumps(object, JSON_COMPACT);
	json_decref(object);
	if (!complete)
		return complain(why, error ? error : -ENOMEM, "%s: %s", source,
				error == -EINVAL ? "an option is not valid UTF-8" : strerror(ENOMEM));
	/* what came together is read again as a whole: by the rules of a manifest but for what is still to come */
	memcpy(optional, fields, sizeof fields);
	optional[CONTENT_HASH].required = optional[SIGNATURE].required = false;
	error = read_as(source, complete, strlen(complete), optional, FIELDS, manifest, why);
	free(complete);
	return error;
}

static int set_text(struct manifest *manifest, const char *key, const char *value)
{
	if (json_object_set_new(manifest->object, key, json_string(value)))
		return -ENOMEM;
	return take_fields(manifest);
}

int manifest_set_hash(struct manifest *manifest, const char *content_hash)
{
	return set_text(manifest, "content_hash", content_hash);
}

int manifest_set_signature(struct manifest *manifest, const char *signature)
{
	return set_text(manifest, "signature", signature);
}

void manifest_free(struct manifest *manifest)
{
	free(manifest->capabilities);
	json_decref(manifest->object);
	*manifest = (struct manifest){.object = NULL};
}

char *manifest_canonical(const struct manifest *manifest, bool with_signature, size_t *length)
{
	json_t *copy = json_copy(manifest->object);
	char *text = NULL;

	if (copy && !with_signature)
		json_object_del(copy, "signature");
	if (copy)
		text = json_dumps(copy, JSON_COMPACT | JSON_SORT_KEYS);
	json_decref(copy);
	if (text)
		*length = strlen(text);
	return text;
}

char *manifest_text(const struct manifest *manifest)
{
	json_t *ordered = json_object();
	int error = ordered ? 0 : -ENOMEM;

	for (size_t i = 0; !error && i < FIELDS; i++) {
		json_t *value = json_object_get(manifest->object, fields[i].key);
		error = value && json_object_set(ordered, fields[i].key, value) ? -ENOMEM : 0;
	}
	char *text = error ? NULL : json_dumps(ordered, JSON_INDENT(2));
	json_decref(ordered);
	size_t length = text ? strlen(text) : 0;
	char *longer = text ? realloc(text, length + 2) : NULL;
	if (!longer) {
		free(text);
		return NULL;
	}
	memcpy(longer + length, "\n", 2);
	return longer;
}
