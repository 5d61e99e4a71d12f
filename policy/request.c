/* SPDX-License-Identifier: MIT */
/* request.c - see request.h. */
#include "request.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "decide.h"
#include "draft.h"
#include "strict_json.h"

/* Control characters are not refused here: the rules say what is said of them. */
static const struct field fields[] = {
	{.key = "program", .type = FIELD_STRING, .required = true, .any_text = true, .least = 0, .most = PATH_MAX - 1},
	{.key = "args", .type = FIELD_STRINGS, .any_text = true, .most = 128 << 10, .most_items = 4096},
	{.key = "env", .type = FIELD_TEXTS, .any_text = true, .most = 128 << 10, .most_items = 4096},
	{.key = "cwd", .type = FIELD_STRING, .any_text = true, .least = 0, .most = PATH_MAX - 1},
};
enum { FIELDS = sizeof fields / sizeof *fields };

const struct launch_rules *policy_launch(const struct policy *policy)
{
	return &policy->draft->launch;
}

/* ---- reading ---- */

static int take_fields(struct launch_request *request)
{
	json_t *args = json_object_get(request->object, "args"), *env = json_object_get(request->object, "env");
	size_t i = 0;

	request->program = json_string_value(json_object_get(request->object, "program"));
	request->cwd = json_string_value(json_object_get(request->object, "cwd"));
	request->arg_count = json_array_size(args);
	request->variable_count = json_object_size(env);
	request->args = calloc(request->arg_count + 1, sizeof *request->args);
	request->keys = calloc(request->variable_count + 1, sizeof *request->keys);
	request->values = calloc(request->variable_count + 1, sizeof *request->values);
	if (!request->args || !request->keys || !request->values)
		return -ENOMEM;
	for (size_t k = 0; k < request->arg_count; k++)
		request->args[k] = json_string_value(json_array_get(args, k));
	for (void *at = json_object_iter(env); at; at = json_object_iter_next(env, at), i++) {
		request->keys[i] = json_object_iter_key(at);
		request->values[i] = json_string_value(json_object_iter_value(at));
	}
	return 0;
}

int request_read(const char *source, const char *text, size_t length, struct launch_request *request,
		 struct complaint *why)
{
	struct strict_json json;
	int error = strict_json_read(&json, source, text, length, REQUEST_BYTES_MOST, fields, FIELDS, why);

	if (error)
		return error;
	*request = (struct launch_request){.object = json.root};
	if (take_fields(request) == 0)
		return 0;
	request_free(request);
	return complain(why, -ENOMEM, "%s: %s", source, strerror(ENOMEM));
}

void request_free(struct launch_request *request)
{
	free(request->args);
	free(request->keys);
	free(request->values);
	json_decref(request->object);
	*request = (struct launch_request){.object = NULL};
}

/* ---- judging ---- */

/* The next component of a path that is not ".": its length, 0 at the end. */
static size_t component(const char **at)
{
	for (;;) {
		*at += strspn(*at, "/");
		size_t length = strcspn(*at, "/");
		if (length != 1 || **at != '.')
			return length;
		++*at;
	}
}

bool request_same_path(const char *one, const char *other)
{
	if (*one != '/' || *other != '/')
		return false;
	for (;;) {
		size_t length = component(&one), other_length = component(&other);
		if (length != other_length || memcmp(one, other, length) != 0 || (length == 2 && !memcmp(one, "..", 2)))
			return false;
		if (!length)
			return true;
		one += length;
		other += length;
	}
}

/* The program is in the list, and what it leads to may be run. */
static int judge_program(const struct launch_request *request, const struct policy *policy, char **resolved,
			 struct complaint *why)
{
	const struct launch_rules *rules = policy_launch(policy);
	char path[PATH_MAX];
	size_t i = 0;

	while (i < rules->program_count && !request_same_path(request->program, rules->programs[i]))
		i++;
	if (i == rules->program_count)
		return complain(why, -EPERM, "program not allowed: %s", request->program);
	const char *leads_to = realpath(rules->programs[i], path) ? path : rules->programs[i];
	if (!request_same_path(leads_to, rules->programs[i]) &&
	    image_on_violation(policy->image) != ON_VIOLATION_AUDIT &&
	    !decide_path(policy->image, leads_to, strlen(leads_to), ACCESS_EXEC).allowed)
		return complain(why, -EPERM, "program not allowed: %s", request->program);
	*resolved = strdup(leads_to);
	return *resolved ? 0 : complain(why, -ENOMEM, "%s", strerror(ENOMEM));
}

static bool has_control(const char *text)
{
	/* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): keys and values are strings */
	size_t length = strlen(text), n;
	unsigned code = 0;

	for (size_t i = 0; i < length; i += n) {
		n = utf8_decode(text + i, length - i, &code);
		if (!n || (unicode_is_control(code) && code != '\t'))
			return true;
	}
	return false;
}

static int judge_args(const struct launch_request *request, const struct launch_rules *rules, struct complaint *why)
{
	for (size_t i = 0; rules->plain_arguments && i < request->arg_count; i++)
		if (strpbrk(request->args[i], ";|&$`") || has_control(request->args[i]))
			return complain(why, -EPERM, "argv contains unsafe shell metacharacters");
	return 0;
}

static bool key_allowed(const struct launch_rules *rules, const char *key)
{
	for (size_t i = 0; i < rules->environment_count; i++)
		if (!strcmp(rules->environment[i], key))
			return true;
	return false;
}

static int judge_environment(const struct launch_request *request, const struct launch_rules *rules,
			     struct complaint *why)
{
	const char *least = NULL;

	for (size_t i = 0; i < request->variable_count; i++)
		if (!key_allowed(rules, request->keys[i]) && (!least || strcmp(request->keys[i], least) < 0))
			least = request->keys[i];
	if (least)
		return complain(why, -EPERM, "env key not allowed: %s", least);
	for (size_t i = 0; i < request->variable_count; i++)
		if (has_control(request->keys[i]) || has_control(request->values[i]))
			return complain(why, -EPERM, "env contains invalid control characters");
	return 0;
}

int request_judge(const struct launch_request *request, const struct policy *policy, char **resolved,
		  struct complaint *why)
{
	const struct launch_rules *rules = policy_launch(policy);
	int error = judge_program(request, policy, resolved, why);

	if (error)
		return error;
	error = judge_args(request, rules, why);
	if (!error)
		error = judge_environment(request, rules, why);
	if (!error && request->cwd && *request->cwd != '/')
		error = complain(why, -EPERM, "working directory must be absolute: %s", request->cwd);
	if (error) {
		free(*resolved);
		*resolved = NULL;
	}
	return error;
}
