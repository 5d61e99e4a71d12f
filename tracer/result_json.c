/* SPDX-License-Identifier: MIT */
/*
 * result_json.c - the result as JSON, as picket-result(5) says.
 *
 * It is written member by member and violation by violation, so that no more
 * than one of them is in memory a second time. Every string passes
 * put_bytes, which sees to valid UTF-8 and to the `_base64` sibling.
 */
#include "result_store.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>
#include <sodium.h>

#include "escape.h"
#include "version.h"

enum { SCHEMA = 1, OUT_BUFFER = 16384 };
/* Thirteen digits: seconds since 1970 with three after the point. */
#define DUMP_FLAGS (JSON_ENCODE_ANY | JSON_REAL_PRECISION(13))

/* Where the text goes. After the first error nothing more is written. */
struct out {
	int fd;
	int error;  /* 0 or -errno */
	bool begun; /* a member has been written at this depth */
	size_t used;
	char buffer[OUT_BUFFER];
};

static void out_flush(struct out *out)
{
	size_t done = 0;
	while (out->error == 0 && done < out->used) {
		ssize_t n = write(out->fd, out->buffer + done, out->used - done);
		if (n > 0) {
			done += (size_t)n;
		} else if (n < 0 && errno == EAGAIN) { /* --result-fd may be a pipe that does not block */
			struct pollfd wait = {.fd = out->fd, .events = POLLOUT};
			poll(&wait, 1, -1);
		} else if (n == 0 || errno != EINTR) {
			out->error = n == 0 ? -EIO : -errno;
		}
	}
	out->used = 0;
}

static int out_bytes(const char *bytes, size_t length, void *data)
{
	struct out *out = data;
	while (length > 0 && out->error == 0) {
		size_t room = sizeof(out->buffer) - out->used, n = length < room ? length : room;
		memcpy(out->buffer + out->used, bytes, n);
		out->used += n;
		bytes += n;
		length -= n;
		if (out->used == sizeof(out->buffer))
			out_flush(out);
	}
	return out->error == 0 ? 0 : -1;
}

static void out_text(struct out *out, const char *text)
{
	out_bytes(text, strlen(text), out);
}

/* One element of the array, or one member's value; takes the reference. NULL: it could not be made. */
static void out_value(struct out *out, json_t *value)
{
	if ((value == NULL || json_dump_callback(value, out_bytes, out, DUMP_FLAGS) != 0) && out->error == 0)
		out->error = -ENOMEM;
	json_decref(value);
}

static void out_key(struct out *out, const char *key)
{
	out_text(out, out->begun ? ",\n \"" : "{\n \"");
	out_text(out, key);
	out_text(out, "\": ");
	out->begun = true;
}

/* All members of an object as members of the outermost; takes the reference. Keys are ours: plain words. */
static void out_members(struct out *out, json_t *object)
{
	const char *key;
	json_t *value;
	if (object == NULL)
		out->error = out->error != 0 ? out->error : -ENOMEM;
	json_object_foreach(object, key, value)
	{
		out_key(out, key);
		out_value(out, json_incref(value));
	}
	json_decref(object);
}

/* An object being made. Once something fails it stays failed, and object_done gives NULL. */
struct object {
	json_t *json;
	bool failed;
};

static struct object object_new(void)
{
	return (struct object){.json = json_object()};
}

static json_t *object_done(struct object *object)
{
	if (!object->failed)
		return object->json;
	json_decref(object->json);
	return NULL;
}

static void put(struct object *object, const char *key, json_t *value)
{
	if (json_object_set_new_nocheck(object->json, key, value) != 0)
		object->failed = true;
}

static void put_number(struct object *object, const char *key, uint64_t number)
{
	put(object, key, json_integer(number > INT64_MAX ? INT64_MAX : (json_int_t)number));
}

static json_t *base64(const char *bytes, size_t length)
{
	size_t size = sodium_base64_ENCODED_LEN(length, sodium_base64_VARIANT_ORIGINAL);
	char *text = malloc(size);
	if (text == NULL)
		return NULL;
	sodium_bin2base64(text, size, (const unsigned char *)bytes, length, sodium_base64_VARIANT_ORIGINAL);
	json_t *value = json_string_nocheck(text);
	free(text);
	return value;
}

/* A string of valid UTF-8, whatever the bytes. */
static json_t *string_of(const char *bytes, size_t length)
{
	if (escape_is_utf8(bytes, length))
		return json_stringn_nocheck(bytes, length);
	size_t clean_length;
	char *clean = escape_utf8(bytes, length, &clean_length);
	if (clean == NULL)
		return NULL;
	json_t *value = json_stringn_nocheck(clean, clean_length);
	free(clean);
	return value;
}

/* "key": text, and where the bytes are no UTF-8 "key_base64": exactly these. */
static void put_sized(struct object *object, const char *key, const char *bytes, size_t length)
{
	put(object, key, string_of(bytes, length));
	if (escape_is_utf8(bytes, length))
		return;
	char *sibling = NULL;
	if (asprintf(&sibling, "%s_base64", key) < 0) {
		object->failed = true;
		return;
	}
	put(object, sibling, base64(bytes, length));
	free(sibling);
}

/* NULL becomes null. */
static void put_bytes(struct object *object, const char *key, const char *bytes)
{
	if (bytes == NULL)
		put(object, key, json_null());
	else
		put_sized(object, key, bytes, strlen(bytes));
}

/* NULL becomes "". */
static void put_id(struct object *object, const char *key, const char *id)
{
	put_bytes(object, key, id != NULL ? id : "");
}

/* An array of strings, and if any is no UTF-8 a sibling array with all of them exactly. */
static void put_words(struct object *object, const char *key, const char *sibling, char *const *words)
{
	json_t *texts = json_array(), *exact = json_array();
	bool all_utf8 = true;
	for (char *const *word = words; word != NULL && *word != NULL; word++) {
		size_t length = strlen(*word);
		all_utf8 = all_utf8 && escape_is_utf8(*word, length);
		if (json_array_append_new(texts, string_of(*word, length)) != 0 ||
		    json_array_append_new(exact, base64(*word, length)) != 0)
			object->failed = true;
	}
	put(object, key, texts);
	if (all_utf8)
		json_decref(exact);
	else
		put(object, sibling, exact);
}

static json_t *labels_of(char *const *labels)
{
	struct object object = object_new();
	for (; labels != NULL && *labels != NULL; labels++) {
		size_t length = strcspn(*labels, "=");
		char *key = escape_utf8(*labels, length, NULL);
		if (key == NULL)
			object.failed = true;
		else
			put_bytes(&object, key, (*labels)[length] == '=' ? *labels + length + 1 : "");
		free(key);
	}
	return object_done(&object);
}

static json_t *time_of(uint64_t ns)
{
	char date[32], text[64];
	time_t seconds = (time_t)(ns / 1000000000);
	struct tm utc;
	if (gmtime_r(&seconds, &utc) == NULL || strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &utc) == 0)
		return json_null();
	snprintf(text, sizeof(text), "%s.%03uZ", date, (unsigned)(ns / 1000000 % 1000));
	return json_string(text);
}

/* "SIGKILL", "SIGRTMIN+3"; null for none. */
static json_t *signal_of(int signal)
{
	const char *name = signal > 0 ? sigabbrev_np(signal) : NULL;
	if (signal <= 0)
		return json_null();
	return name != NULL ? json_sprintf("SIG%s", name) : json_sprintf("SIGRTMIN+%d", signal - SIGRTMIN);
}

static json_t *errno_of(int error)
{
	const char *name = error != 0 ? strerrorname_np(error) : NULL;
	if (error == 0)
		return json_null();
	return name != NULL ? json_string(name) : json_sprintf("%d", error);
}

static json_t *words_of(const char *const *words)
{
	json_t *array = json_array();
	for (; words != NULL && *words != NULL; words++) {
		if (json_array_append_new(array, string_of(*words, strlen(*words))) != 0) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

/* Which plugin was run, who vouched for it, and which of the capabilities it asks for the policy gave it. */
static json_t *plugin_of(const struct plugin_identity *plugin)
{
	struct object object = object_new(), capabilities = object_new();
	put(&capabilities, "asked", words_of(plugin->asked));
	put(&capabilities, "given", words_of(plugin->given));
	put(&capabilities, "in_part", words_of(plugin->in_part));
	put(&capabilities, "withheld", words_of(plugin->withheld));
	put_bytes(&object, "id", plugin->id);
	put_bytes(&object, "version", plugin->version);
	put_bytes(&object, "signed_by", plugin->signer);
	put_bytes(&object, "key_id", plugin->key_id);
	put_bytes(&object, "scheme", plugin->scheme);
	put_bytes(&object, "content_hash", plugin->content_hash);
	put(&object, "verified", json_boolean(plugin->verified));
	put(&object, "capabilities", object_done(&capabilities));
	return object_done(&object);
}

/* What was run, and how it ended. */
static json_t *head_of(const struct run_identity *identity, const struct run_outcome *outcome)
{
	struct object object = object_new();
	bool exited = outcome->signal == 0 && outcome->exit_code >= 0;
	put(&object, "schema", json_integer(SCHEMA));
	put(&object, "picket", json_string(PICKET_VERSION));
	put_id(&object, "tool_id", identity->tool_id);
	put_words(&object, "command", "command_base64", identity->command);
	put_bytes(&object, "cwd", identity->cwd);
	put(&object, "labels", labels_of(identity->labels));
	if (identity->plugin != NULL)
		put(&object, "plugin", plugin_of(identity->plugin));
	put_id(&object, "trace_id", identity->trace_id);
	put_id(&object, "request_id", identity->request_id);
	put(&object, "started_at", time_of(outcome->started_at_ns));
	put_number(&object, "duration_ms", outcome->duration_ns / 1000000);
	put(&object, "success",
	    json_boolean(exited && outcome->exit_code == 0 && !outcome->timed_out && !outcome->ended_by_limit));
	put(&object, "exit_code", exited ? json_integer(outcome->exit_code) : json_null());
	put(&object, "signal", signal_of(outcome->signal));
	put(&object, "timed_out", json_boolean(outcome->timed_out));
	put_bytes(&object, "resource_limited", outcome->resource_limited);
	return object_done(&object);
}

static json_t *usage_of(const struct run_outcome *outcome)
{
	struct object object = object_new();
	put_number(&object, "peak_memory_bytes", outcome->peak_memory_bytes);
	put_number(&object, "cpu_time_ms", outcome->cpu_time_ns / 1000000);
	put_number(&object, "wall_time_ms", outcome->duration_ns / 1000000);
	put_number(&object, "bytes_written", outcome->bytes_written);
	put_number(&object, "bytes_read", outcome->bytes_read);
	return object_done(&object);
}

static json_t *enforcement_of(const struct run_outcome *outcome)
{
	struct object object = object_new();
	put_bytes(&object, "level", outcome->level);
	put_bytes(&object, "transport", outcome->transport);
	put(&object, "boundary", json_boolean(outcome->boundary));
	put_bytes(&object, "not_higher_because", outcome->not_higher_because);
	put(&object, "landlock", json_boolean(outcome->landlock));
	put(&object, "control_group", json_boolean(outcome->control_group));
	put_bytes(&object, "policy_digest", outcome->policy_digest);
	put_number(&object, "processes", outcome->processes);
	put_number(&object, "supervisor_stops", outcome->supervisor_stops);
	put_number(&object, "gate_roots", outcome->gate_roots);
	return object_done(&object);
}

/* One captured stream as its own object of one or two members. */
static json_t *stream_of(const char *key, const char *bytes, size_t length)
{
	struct object object = object_new();
	put_sized(&object, key, bytes != NULL ? bytes : "", bytes != NULL ? length : 0);
	return object_done(&object);
}

/* stdout, and where there is any stderr, a line that says so and stderr. */
static json_t *both_of(const struct run_output *output)
{
	static const char between[] = "\n--- stderr ---\n";
	size_t first = output->stdout_bytes != NULL ? output->stdout_length : 0;
	size_t last = output->stderr_bytes != NULL ? output->stderr_length : 0;
	size_t middle = last > 0 ? sizeof(between) - 1 : 0;
	char *both = malloc(first + middle + last + 1);
	if (both == NULL)
		return NULL;
	if (first > 0)
		memcpy(both, output->stdout_bytes, first);
	memcpy(both + first, between, middle);
	if (last > 0)
		memcpy(both + first + middle, output->stderr_bytes, last);
	json_t *object = stream_of("output", both, first + middle + last);
	free(both);
	return object;
}

static void out_output(struct out *out, const struct run_output *output)
{
	if (output != NULL && (output->stdout_bytes != NULL || output->stderr_bytes != NULL)) {
		out_members(out, stream_of("stdout", output->stdout_bytes, output->stdout_length));
		out_members(out, stream_of("stderr", output->stderr_bytes, output->stderr_length));
		out_members(out, both_of(output));
	}
	out_key(out, "truncated");
	out_value(out, json_boolean(output != NULL && output->truncated));
}

static json_t *ancestry_of(const struct violation *violation)
{
	json_t *array = json_array();
	for (size_t i = 0; i < violation->ancestor_count; i++) {
		struct object object = object_new();
		put(&object, "pid", json_integer(violation->ancestry[i].pid));
		put_bytes(&object, "exe", violation->ancestry[i].exe);
		if (json_array_append_new(array, object_done(&object)) != 0) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

static json_t *rule_of(const struct entry *entry)
{
	struct object object = object_new();
	bool always = entry->violation.rule == RULE_ALWAYS, asked = entry->violation.rule == RULE_CAPABILITIES;
	put_bytes(&object, "source",
		  entry->has_rule ? entry->rule_source
		  : always	  ? "built in"
		  : asked	  ? "plugin manifest"
				  : NULL);
	put_bytes(&object, "key",
		  entry->has_rule ? entry->rule_key
		  : always	  ? "always"
		  : asked	  ? "capabilities"
				  : "default");
	put_bytes(&object, "value", entry->has_rule ? entry->rule_value : NULL);
	return object_done(&object);
}

static json_t *violation_of(const struct entry *entry)
{
	const struct violation *violation = &entry->violation;
	struct object object = object_new();
	put_number(&object, "seq", entry->seq);
	put(&object, "at", json_real((double)entry->at_ms / 1000));
	put(&object, "kind", json_string(violation_kind_name(violation->kind)));
	put(&object, "action", json_string(violation_action_name(violation->action)));
	put_number(&object, "count", entry->count);
	put_bytes(&object, "target", violation->target);
	put_bytes(&object, "requested", violation->requested);
	put_bytes(&object, "syscall", violation->syscall);
	put(&object, "errno", errno_of(violation->error));
	put(&object, "pid", json_integer(violation->pid));
	put(&object, "tid", json_integer(violation->tid));
	put_bytes(&object, "exe", violation->exe);
	put_bytes(&object, "command", violation->command);
	put_bytes(&object, "cwd", violation->cwd);
	put(&object, "ancestry", ancestry_of(violation));
	put(&object, "origin", json_string(violation_origin_name(violation->origin)));
	put(&object, "rule", rule_of(entry));
	put_bytes(&object, "allow_with", violation->allow_with);
	return object_done(&object);
}

/* "deny file-read* /home/u/.ssh/id_rsa" */
static json_t *line_of(const struct entry *entry)
{
	const char *verb = violation_line_verb(entry->violation.kind), *space = *verb != '\0' ? " " : "";
	const char *target = entry->violation.target != NULL ? entry->violation.target : "";
	char *clean = escape_line(target, strlen(target), NULL);
	json_t *line = clean != NULL ? json_sprintf("deny %s%s%s", verb, space, clean) : NULL;
	free(clean);
	return line;
}

/* Elements of an array, each on a line of its own. */
static void out_element(struct out *out, bool *first, json_t *value)
{
	out_text(out, *first ? "\n  " : ",\n  ");
	*first = false;
	out_value(out, value);
}

static void out_violations(struct out *out, const struct result *result)
{
	bool first = true;
	out_key(out, "violations");
	out_text(out, "[");
	for (const struct entry *entry = result->entries; entry != NULL && out->error == 0; entry = entry->hh.next)
		out_element(out, &first, violation_of(entry));
	out_text(out, first ? "]" : "\n ]");
	out_key(out, "violation_count");
	out_value(out, json_integer((json_int_t)result->total));
	out_key(out, "violations_dropped");
	out_value(out, json_integer((json_int_t)result->dropped));
}

static void out_lines(struct out *out, const struct result *result, bool timed_out)
{
	bool first = true;
	out_key(out, "sandbox_violations");
	out_text(out, "[");
	for (const struct entry *entry = result->entries; entry != NULL && out->error == 0; entry = entry->hh.next) {
		if (entry->new_line)
			out_element(out, &first, line_of(entry));
	}
	if (timed_out)
		out_element(out, &first, json_string("timeout_exceeded"));
	out_text(out, first ? "]" : "\n ]");
}

int result_write(const struct result *result, const struct run_identity *identity, const struct run_outcome *outcome,
		 const struct run_output *output, int fd)
{
	struct out *out = malloc(sizeof(*out));
	if (out == NULL)
		return -ENOMEM;
	*out = (struct out){.fd = fd};
	/* A reader that has gone must not end Picket before the tool's exit status has been passed on. */
	struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
	sigaction(SIGPIPE, &ignore, &before);
	out_members(out, head_of(identity, outcome));
	out_output(out, output);
	out_key(out, "resource_usage");
	out_value(out, usage_of(outcome));
	out_key(out, "enforcement");
	out_value(out, enforcement_of(outcome));
	out_violations(out, result);
	out_lines(out, result, outcome->timed_out);
	out_text(out, "\n}\n");
	out_flush(out);
	sigaction(SIGPIPE, &before, NULL);
	int error = out->error;
	free(out);
	return error;
}
