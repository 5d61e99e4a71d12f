/* SPDX-License-Identifier: MIT */
/* show.c - see show.h: the effective rules. */
#include "show.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "limit_names.h"
#include "show_internal.h"

enum { SHOW_WIDTH = 44 }; /* columns for a rule before its source */

static const char *on_violation_name(enum on_violation what)
{
	switch (what) {
	case ON_VIOLATION_KILL:
		return "kill";
	case ON_VIOLATION_AUDIT:
		return "audit";
	case ON_VIOLATION_DENY:
		break;
	}
	return "deny";
}

static const char *layer_name(enum rule_layer layer)
{
	switch (layer) {
	case LAYER_FILE:
		return "file";
	case LAYER_COMMAND_LINE:
		return "command line";
	case LAYER_PROFILE:
		break;
	}
	return "profile";
}

/* The text escaped; malloc'ed, NULL when out of memory. */
static char *escaped(const char *text)
{
	size_t length = strlen(text), size = 4 * length + 1;
	char *copy = malloc(size);

	if (copy)
		complaint_escape(copy, size, text, length);
	return copy;
}

int show_text(FILE *to, const char *text)
{
	cleanup_free char *safe = escaped(text);

	if (!safe)
		return -ENOMEM;
	fputs(safe, to);
	return (int)strlen(safe);
}

static bool is_utf8(const char *text)
{
	size_t length = strlen(text), used;
	unsigned code;

	for (; length; text += used, length -= used) {
		used = utf8_decode(text, length, &code);
		if (!used)
			return false;
	}
	return true;
}

static int set_base64(json_t *object, const char *key, const char *text)
{
	size_t size = sodium_base64_ENCODED_LEN(strlen(text), sodium_base64_VARIANT_ORIGINAL);
	cleanup_free char *encoded = malloc(size);
	cleanup_free char *sibling = NULL;

	if (asprintf(&sibling, "%s_base64", key) < 0) {
		sibling = NULL;
		/* cppcheck-suppress memleak; freed with its variable */
		return -ENOMEM;
	}
	if (!encoded)
		return -ENOMEM;
	sodium_bin2base64(encoded, size, (const unsigned char *)text, strlen(text), sodium_base64_VARIANT_ORIGINAL);
	return json_object_set_new(object, sibling, json_string(encoded)) ? -ENOMEM : 0;
}

int show_json_text(json_t *object, const char *key, const char *text)
{
	cleanup_free char *safe = NULL;

	if (!text)
		return json_object_set_new(object, key, json_null()) ? -ENOMEM : 0;
	if (is_utf8(text))
		return json_object_set_new(object, key, json_string(text)) ? -ENOMEM : 0;
	safe = escaped(text);
	if (!safe || json_object_set_new(object, key, json_string(safe)))
		return -ENOMEM;
	return set_base64(object, key, text);
}

json_t *show_json_rule(const struct draft_rule *rule)
{
	json_t *object = json_object();

	if (object && (show_json_text(object, "source", rule->rule.source) ||
		       show_json_text(object, "key", rule_key_name(rule->rule.key)) ||
		       show_json_text(object, "value", rule->rule.value) ||
		       show_json_text(object, "target", rule->rule.target))) {
		json_decref(object);
		return NULL;
	}
	return object;
}

int show_json_write(json_t *object, FILE *to)
{
	int error = 0;

	if (!object)
		return -ENOMEM;
	if (json_dumpf(object, to, JSON_INDENT(2)) || fputc('\n', to) == EOF)
		error = -EIO;
	json_decref(object);
	return error;
}

/* ---- text ---- */

/* One rule: what was written, what it means where that is something else, and where it stands. */
static int print_rule(const struct draft_rule *rule, FILE *to)
{
	const struct rule *shown = &rule->rule;
	bool differs = strcmp(shown->value, shown->target) != 0;
	int width = show_text(to, shown->value), more = 0;

	if (width >= 0 && differs) {
		fputs(shown->key == RULE_ENV_SET ? " = " : " -> ", to);
		more = show_text(to, shown->target);
		width += more + (shown->key == RULE_ENV_SET ? 3 : 4);
	}
	/* A link's own name is worth a word only where it is not what was written. */
	if (width >= 0 && more >= 0 && rule->written && strcmp(rule->written, shown->value) != 0) {
		fputs(", ", to);
		more = show_text(to, rule->written);
		width += more + 2;
	}
	if (width < 0 || more < 0)
		return -ENOMEM;
	fprintf(to, "%*s  ", width < SHOW_WIDTH ? SHOW_WIDTH - width : 0, "");
	more = show_text(to, shown->source);
	fputc('\n', to);
	return more < 0 ? more : 0;
}

static int print_rules(const struct draft *draft, enum rule_key key, FILE *to)
{
	bool first = true;
	int error = 0;

	for (size_t i = 0; i < draft->count && !error; i++) {
		if (draft->rules[i].rule.key != key)
			continue;
		if (first)
			fprintf(to, "\n%s\n", rule_key_name(key));
		first = false;
		fputs("    ", to);
		error = print_rule(&draft->rules[i], to);
	}
	return error;
}

static void address_text(const struct host_address *address, char text[INET6_ADDRSTRLEN])
{
	if (!inet_ntop(address->family, &address->address, text, INET6_ADDRSTRLEN))
		text[0] = 0;
}

static void print_hosts(const struct hosts *hosts, FILE *to)
{
	if (hosts->count)
		fputs("\nhosts\n", to);
	for (size_t i = 0; i < hosts->count; i++) {
		const struct host_name *host = &hosts->list[i];

		fprintf(to, "    %s:%s", host->name,
			host->count ? "" : " not known yet, is looked up again when needed");
		for (size_t j = 0; j < host->count; j++) {
			char text[INET6_ADDRSTRLEN];

			address_text(&host->addresses[j], text);
			fprintf(to, " %s", text);
		}
		fputc('\n', to);
	}
}

static int print_policy(struct policy *policy, FILE *to)
{
	const struct draft *draft = policy->draft;
	struct policy_limits limits = draft->limits;
	bool first = true;
	int error = 0;

	fprintf(to, "on_violation = %s\ndigest = %s\n", on_violation_name(draft->on_violation), policy_digest(policy));
	for (unsigned key = 0; key < RULE_KEY_COUNT && !error; key++)
		error = print_rules(draft, (enum rule_key)key, to);
	for (const struct limit_name *limit = limit_names; limit->name; limit++) {
		if (!*limit_value(&limits, limit))
			continue;
		fprintf(to, "%s    %s = %llu\n", first ? "\nlimits\n" : "", limit->name,
			(unsigned long long)*limit_value(&limits, limit));
		first = false;
	}
	print_hosts(&draft->hosts, to);
	return error;
}

/* ---- JSON ---- */

static json_t *json_rules(const struct draft *draft)
{
	json_t *array = json_array();

	for (size_t i = 0; array && i < draft->count; i++) {
		const struct draft_rule *rule = &draft->rules[i];
		json_t *object = show_json_rule(rule);

		if (!object || json_object_set_new(object, "layer", json_string(layer_name(rule->rule.layer))) ||
		    (rule->written && show_json_text(object, "also", rule->written))) {
			json_decref(object);
			json_decref(array);
			return NULL;
		}
		if (json_array_append_new(array, object)) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

/* Every limit; 0 is none. */
static json_t *json_limits(const struct draft *draft)
{
	struct policy_limits limits = draft->limits;
	json_t *object = json_object();

	for (const struct limit_name *limit = limit_names; object && limit->name; limit++)
		if (json_object_set_new(object, limit->name, json_integer((json_int_t)*limit_value(&limits, limit)))) {
			json_decref(object);
			return NULL;
		}
	return object;
}

static json_t *json_host(const struct host_name *host)
{
	json_t *addresses = json_array();

	for (size_t i = 0; addresses && i < host->count; i++) {
		char text[INET6_ADDRSTRLEN];

		address_text(&host->addresses[i], text);
		if (json_array_append_new(addresses, json_string(text))) {
			json_decref(addresses);
			return NULL;
		}
	}
	return json_pack("{s:s, s:o}", "name", host->name, "addresses", addresses);
}

static json_t *json_hosts(const struct hosts *hosts)
{
	json_t *array = json_array();

	for (size_t i = 0; array && i < hosts->count; i++)
		if (json_array_append_new(array, json_host(&hosts->list[i]))) {
			json_decref(array);
			return NULL;
		}
	return array;
}

int policy_show(struct policy *policy, FILE *to, bool json)
{
	int error;

	if (json)
		error = show_json_write(json_pack("{s:s, s:s, s:o, s:o, s:o}", "on_violation",
						  on_violation_name(policy->draft->on_violation), "digest",
						  policy_digest(policy), "rules", json_rules(policy->draft), "limits",
						  json_limits(policy->draft), "hosts",
						  json_hosts(&policy->draft->hosts)),
					to);
	else
		error = print_policy(policy, to);
	if (!error && (fflush(to) || ferror(to)))
		error = -EIO;
	return error;
}
