/* SPDX-License-Identifier: MIT */
/*
 * result.c - keeps violations: once each, counted, within bounds.
 *
 * Rules here: adding never fails and never stops the run; whatever the tool
 * does, memory stays below the limits of result.h; total = the counts of all
 * entries + dropped, always.
 */
#include "result_store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include <sodium.h>

/* The shared part must exist. */
_Static_assert(VIOLATION_KINDS *RESULT_OWN_VIOLATIONS < RESULT_MAX_VIOLATIONS, "kinds reserve too many entries");
_Static_assert(VIOLATION_KINDS *RESULT_OWN_BYTES < RESULT_MAX_BYTES, "kinds reserve too many bytes");
_Static_assert(sizeof(struct violation_key) == 24, "a key is compared as bytes and must have no padding");

static const struct {
	const char *name, *verb;
} kinds[VIOLATION_KINDS] = {
	[VIOLATION_FILE_READ] = {"file_read", "file-read*"},
	[VIOLATION_FILE_WRITE] = {"file_write", "file-write*"},
	[VIOLATION_PROCESS_EXEC] = {"process_exec", "process-exec*"},
	[VIOLATION_NETWORK_OUTBOUND] = {"network_outbound", "network-outbound"},
	[VIOLATION_NETWORK_BIND] = {"network_bind", "network-bind"},
	[VIOLATION_PROCESS_CONTROL] = {"process_control", ""},
	[VIOLATION_PRIVILEGE] = {"privilege", ""},
	[VIOLATION_INTERFACE] = {"interface", ""},
};

const char *violation_kind_name(enum violation_kind kind)
{
	return kinds[kind].name;
}

const char *violation_line_verb(enum violation_kind kind)
{
	return kinds[kind].verb;
}

const char *violation_action_name(enum violation_action action)
{
	static const char *const names[] = {
		[ACTION_DENIED] = "denied",
		[ACTION_KILLED] = "killed",
		[ACTION_AUDITED] = "audited",
	};
	return names[action];
}

const char *violation_origin_name(enum violation_origin origin)
{
	static const char *const names[] = {
		[ORIGIN_SHIM] = "shim",
		[ORIGIN_RAW] = "raw",
		[ORIGIN_STATIC] = "static",
		[ORIGIN_LOADER] = "loader",
	};
	return names[origin];
}

struct result *result_new(const struct image *image)
{
	struct result *result = calloc(1, sizeof(*result));
	if (result == NULL)
		return NULL;
	result->image = image;
	if (getrandom(result->hash_key, sizeof(result->hash_key), 0) != (ssize_t)sizeof(result->hash_key)) {
		free(result);
		return NULL;
	}
	return result;
}

void result_free(struct result *result)
{
	if (result == NULL)
		return;
	struct entry *entry = result->entries, *next;
	HASH_CLEAR(line_hh, result->lines);
	HASH_CLEAR(hh, result->entries); /* frees the table; the entries stay linked */
	for (; entry != NULL; entry = next) {
		next = entry->hh.next;
		free(entry);
	}
	free(result);
}

void result_use_image(struct result *result, const struct image *image)
{
	result->image = image;
}

void result_miss(struct result *result, uint64_t count)
{
	result->total += count;
	result->dropped += count;
}

uint64_t result_violation_count(const struct result *result)
{
	return result->total;
}

/* A string's part of a key. NULL and "" differ. */
static uint64_t hash_string(const struct result *result, const char *text)
{
	_Static_assert(crypto_shorthash_BYTES == sizeof(uint64_t) && crypto_shorthash_KEYBYTES == 16, "SipHash-2-4");
	unsigned char bytes[sizeof(uint64_t)];
	uint64_t hash = 0;
	if (text == NULL)
		return 0;
	crypto_shorthash(bytes, (const unsigned char *)text, strlen(text), result->hash_key);
	memcpy(&hash, bytes, sizeof(hash));
	return hash;
}

static struct violation_key key_of(const struct result *result, enum violation_kind kind, const char *target,
				   const char *exe, uint32_t rule)
{
	return (struct violation_key){.target = hash_string(result, target),
				      .exe = hash_string(result, exe),
				      .kind = (uint32_t)kind,
				      .rule = rule};
}

static struct entry *find(const struct result *result, const struct violation_key *key)
{
	struct entry *entry;
	HASH_FIND(hh, result->entries, key, sizeof(*key), entry);
	return entry;
}

bool result_again(struct result *result, enum violation_kind kind, const char *target, const char *exe, uint32_t rule)
{
	struct violation_key key = key_of(result, kind, target, exe, rule);
	struct entry *entry = find(result, &key);
	if (entry != NULL)
		entry->count++;
	else if (result->full[kind])
		result->dropped++;
	else
		return false;
	result->total++;
	return true;
}

/* Is there room for one more of this kind, of so many bytes of text? */
static bool has_room(const struct result *result, enum violation_kind kind, size_t size)
{
	bool own_entry = result->kept_of[kind] < RESULT_OWN_VIOLATIONS;
	bool own_bytes = result->bytes_of[kind] + size <= RESULT_OWN_BYTES;
	/* Shared room is what is left when every kind takes all of its own. */
	size_t shared_kept = 0, shared_bytes = 0;
	for (unsigned i = 0; i < VIOLATION_KINDS; i++) {
		size_t kept = result->kept_of[i], bytes = result->bytes_of[i];
		shared_kept += kept > RESULT_OWN_VIOLATIONS ? kept - RESULT_OWN_VIOLATIONS : 0;
		shared_bytes += bytes > RESULT_OWN_BYTES ? bytes - RESULT_OWN_BYTES : 0;
	}
	size_t beyond = own_bytes ? 0 : size; /* a little too strict for the one that crosses the border */
	return (own_entry || shared_kept < RESULT_MAX_VIOLATIONS - VIOLATION_KINDS * RESULT_OWN_VIOLATIONS) &&
	       shared_bytes + beyond <= RESULT_MAX_BYTES - VIOLATION_KINDS * RESULT_OWN_BYTES;
}

static size_t size_of(const char *text)
{
	return text != NULL ? strlen(text) + 1 : 0;
}

static size_t command_size(const char *command)
{
	return command != NULL ? strnlen(command, RESULT_MAX_COMMAND) + 1 : 0;
}

/* Copy a string to *at, which moves on, and let *field point to the copy. */
static void keep(char **at, const char **field, size_t size)
{
	if (*field == NULL)
		return;
	memcpy(*at, *field, size - 1);
	(*at)[size - 1] = '\0';
	*field = *at;
	*at += size;
}

/* The rule's own words are kept with the entry: the image may be replaced by another during the run. */
static bool rule_of(const struct result *result, uint32_t index, struct rule *rule)
{
	if (result->image == NULL || index >= image_rule_count(result->image))
		return false;
	*rule = image_rule(result->image, index);
	return true;
}

static uint64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static size_t text_size(const struct violation *violation, const struct entry *rule)
{
	size_t size = size_of(violation->target) + size_of(violation->requested) + size_of(violation->syscall) +
		      size_of(violation->exe) + command_size(violation->command) + size_of(violation->cwd) +
		      size_of(violation->allow_with) + size_of(rule->rule_source) + size_of(rule->rule_value);
	for (size_t i = 0; i < violation->ancestor_count; i++)
		size += size_of(violation->ancestry[i].exe);
	return size;
}

/* Move all that the entry's fields point to into its own memory, which is large enough. */
static void own_strings(struct entry *entry, struct ancestor *ancestry, char *at)
{
	struct violation *violation = &entry->violation;
	keep(&at, &violation->target, size_of(violation->target));
	keep(&at, &violation->requested, size_of(violation->requested));
	keep(&at, &violation->syscall, size_of(violation->syscall));
	keep(&at, &violation->exe, size_of(violation->exe));
	keep(&at, &violation->command, command_size(violation->command));
	keep(&at, &violation->cwd, size_of(violation->cwd));
	keep(&at, &violation->allow_with, size_of(violation->allow_with));
	keep(&at, &entry->rule_source, size_of(entry->rule_source));
	keep(&at, &entry->rule_value, size_of(entry->rule_value));
	for (size_t i = 0; i < violation->ancestor_count; i++) {
		ancestry[i] = violation->ancestry[i];
		keep(&at, &ancestry[i].exe, size_of(ancestry[i].exe));
	}
	violation->ancestry = ancestry;
}

/* A new entry with copies of everything, not yet in a table. NULL: no room or no memory. */
static struct entry *entry_new(struct result *result, const struct violation *violation)
{
	struct entry draft = {.violation = *violation, .at_ms = now_ms(), .count = 1};
	struct rule rule;
	if (draft.violation.ancestor_count > RESULT_MAX_ANCESTORS)
		draft.violation.ancestor_count = RESULT_MAX_ANCESTORS;
	if (rule_of(result, violation->rule, &rule)) {
		draft.has_rule = true;
		draft.rule_source = rule.source;
		draft.rule_key = rule_key_name(rule.key);
		draft.rule_value = rule.value;
	}
	size_t ancestors = draft.violation.ancestor_count * sizeof(struct ancestor);
	draft.size = ancestors + text_size(&draft.violation, &draft);
	if (!has_room(result, violation->kind, draft.size)) {
		result->full[violation->kind] = true;
		return NULL;
	}
	/* The structs of the ancestors come first behind the entry: its size is a multiple of their alignment. */
	_Static_assert(sizeof(struct entry) % _Alignof(struct ancestor) == 0, "ancestors behind an entry");
	struct entry *entry = malloc(sizeof(*entry) + draft.size);
	if (entry == NULL)
		return NULL;
	*entry = draft;
	own_strings(entry, (struct ancestor *)(void *)(entry + 1), (char *)(entry + 1) + ancestors);
	return entry;
}

static void note_kept(struct result *result, struct entry *entry)
{
	enum violation_kind kind = entry->violation.kind;
	result->kept_of[kind]++;
	result->bytes_of[kind] += entry->size;
	entry->seq = ++result->kept;
}

/* Does this entry make a new line of `sandbox_violations`? Lines are told apart by verb and target. */
static void note_line(struct result *result, struct entry *entry)
{
	struct entry *same;
	entry->line_key = (struct line_key){.target = entry->key.target,
					    .verb = hash_string(result, violation_line_verb(entry->violation.kind))};
	HASH_FIND(line_hh, result->lines, &entry->line_key, sizeof(entry->line_key), same);
	if (same != NULL)
		return;
	entry->new_line = true;
	HASH_ADD(line_hh, result->lines, line_key, sizeof(entry->line_key), entry);
}

void result_add(struct result *result, const struct violation *violation)
{
	struct violation_key key = key_of(result, violation->kind, violation->target, violation->exe, violation->rule);
	struct entry *entry = find(result, &key);
	result->total++;
	if (entry != NULL) {
		entry->count++;
		return;
	}
	entry = entry_new(result, violation);
	if (entry == NULL) {
		result->dropped++;
		return;
	}
	entry->key = key;
	HASH_ADD(hh, result->entries, key, sizeof(entry->key), entry);
	if (entry->hh.tbl == NULL) { /* out of memory: see HASH_NONFATAL_OOM */
		free(entry);
		result->dropped++;
		return;
	}
	note_kept(result, entry);
	note_line(result, entry);
}
