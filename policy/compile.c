/* SPDX-License-Identifier: MIT */
/*
 * compile.c - see compile.h. The layers of a policy in their order, then the checks that need all of them,
 * then the image. What a file may say is in compile_file.c, what a rule means in compile_rule.c.
 */
#include "compiler.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "limit_names.h"
#include "suggest.h"

/* A policy's text with the settings that libconfig made of it. */
struct parsed {
	struct texts *texts;
	config_t config;
	bool usable;
};

static void parsed_free(struct parsed *parsed)
{
	config_destroy(&parsed->config);
	texts_free(parsed->texts);
}

/* libconfig's sentence, and what to do. */
static const char *parse_advice(const char *text)
{
	static const struct {
		const char *text, *says;
	} known[] = {
		{"syntax error",
		 "syntax error (look for a missing \";\", comma, quote or bracket here or on the line before)"},
		{"duplicate setting name",
		 "a key that is already there (write each key once, with all that belongs to it)"},
		{"mismatched element type in array",
		 "an array of different types (each entry is text in double quotes)"},
		{"memory exhausted", "nested too deeply (a policy has at most three levels)"},
		{"include file nesting too deep", "too many includes within includes (does a file include itself?)"},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (!strcmp(known[i].text, text))
			return known[i].says;
	return text;
}

/* libconfig passes over a name or a text for which it had no memory. */
static bool is_complete(const config_setting_t *setting)
{
	if (!setting || (setting->type == CONFIG_TYPE_STRING && !setting->value.sval) ||
	    (setting->parent && setting->parent->type == CONFIG_TYPE_GROUP && !setting->name))
		return false;
	if (!config_setting_is_aggregate(setting))
		return true;
	for (unsigned i = 0; i < (unsigned)config_setting_length(setting); i++)
		if (!is_complete(config_setting_get_elem(setting, i)))
			return false;
	return true;
}

/* Hand what was read to libconfig. -ENOMEM, or 0; a fault leaves it unusable. */
static int parse(struct parsed *parsed, struct faults *faults)
{
	const char *directory = texts_include_directory(parsed->texts);
	int line;

	if (directory)
		config_set_include_dir(&parsed->config, directory);
	if (config_read_string(&parsed->config, texts_main(parsed->texts))) {
		parsed->usable = is_complete(config_root_setting(&parsed->config));
		return parsed->usable ? 0 : -ENOMEM;
	}
	line = config_error_line(&parsed->config);
	fault(faults, texts_line(parsed->texts, config_error_file(&parsed->config), line > 0 ? (unsigned)line : 0),
	      "%s", parse_advice(config_error_text(&parsed->config)));
	return 0;
}

/* Read a file, or `text` in its stead. -ENOMEM, or 0; what is wrong is a fault and leaves it unusable. */
static int parsed_read(struct parsed *parsed, const char *name, const char *text, struct faults *faults)
{
	bool fine;

	config_init(&parsed->config);
	parsed->usable = false;
	parsed->texts = texts_new();
	if (!parsed->texts)
		return -ENOMEM;
	fine = text ? texts_take(parsed->texts, name, text, strlen(text), faults)
		    : texts_read(parsed->texts, name, faults);
	return fine ? parse(parsed, faults) : 0;
}

static void list_profiles(char *text, size_t size)
{
	text[0] = 0;
	for (size_t i = 0; profile_names[i]; i++) {
		strncat(text, i ? ", " : "", size - strlen(text) - 1);
		strncat(text, profile_names[i], size - strlen(text) - 1);
	}
}

static void unknown_profile(struct faults *faults, struct place place, const char *name)
{
	const char *near = suggest(name, profile_names);
	char all[128];

	list_profiles(all, sizeof(all));
	if (near)
		fault(faults, place, "unknown profile \"%s\" (did you mean \"%s\"? there are %s)", name, near, all);
	else
		fault(faults, place, "unknown profile \"%s\" (there are %s)", name, all);
}

/* Which profile the policy starts from: the file's, --profile's, workstation with neither a file nor --profile, or none
 * (NULL). */
static const char *choose_profile(struct compiler *compiler, const struct policy_source *source,
				  const struct parsed *file)
{
	const config_setting_t *setting =
		file->usable ? config_setting_get_member(config_root_setting(&file->config), "profile") : NULL;
	const char *named = setting && setting->type == CONFIG_TYPE_STRING ? setting->value.sval : NULL;
	const char *name = named ? named : source->profile ? source->profile : source->file ? NULL : "workstation";
	struct place place = {0};

	if (named)
		place = texts_place(file->texts, setting->file, setting->line, TOKEN_STRING, named);
	if (named && source->profile && strcmp(named, source->profile) != 0) {
		fault(compiler->faults, place,
		      "profile is \"%s\" here, and --profile says \"%s\" (leave one of them out)", named,
		      source->profile);
		return NULL;
	}
	if (name && !profile_text(name)) {
		unknown_profile(compiler->faults, place, name);
		return NULL;
	}
	return name;
}

static int read_profile(struct compiler *compiler, const char *name)
{
	struct parsed profile = {0};
	char *label = arena_print(compiler->draft->arena, "profile %s", name);
	int error = label ? parsed_read(&profile, label, profile_text(name), compiler->faults) : -ENOMEM;

	if (!error && profile.usable) {
		compiler->layer = LAYER_PROFILE;
		compiler->texts = profile.texts;
		error = compile_settings(compiler, config_root_setting(&profile.config));
		for (size_t i = 0; i < compiler->draft->count; i++)
			compiler->draft->rules[i].place = (struct place){.file = label};
	}
	compiler->texts = NULL;
	compiler->keeps_environment = true;
	if (label)
		parsed_free(&profile);
	return error;
}

static int read_file(struct compiler *compiler, const struct parsed *file)
{
	if (!file->usable)
		return 0;
	compiler->layer = LAYER_FILE;
	compiler->texts = file->texts;
	return compile_settings(compiler, config_root_setting(&file->config));
}

static int read_options(struct compiler *compiler, const struct policy_source *source)
{
	struct policy_limits limits = source->limits;
	struct place place = {0};
	int error = 0;

	compiler->layer = LAYER_COMMAND_LINE;
	for (size_t i = 0; i < source->option_count && !error; i++) {
		const struct policy_option *option = &source->options[i];

		error = option->value ? compile_rule(compiler, option->key, option->value, place)
				      : compile_empty(compiler, option->key, place);
	}
	if (source->result && !error)
		error = compile_result(compiler, source->result, source->result_written);
	for (unsigned i = 0; limit_names[i].name; i++)
		if (source->limits_given >> i & 1)
			*limit_value(&compiler->draft->limits, &limit_names[i]) =
				*limit_value(&limits, &limit_names[i]);
	if (source->on_violation && !on_violation_parse(source->on_violation, &compiler->draft->on_violation))
		fault(compiler->faults, place, "--on-violation \"%s\" (write deny, kill or audit)",
		      source->on_violation);
	return error;
}

static int copy_text(struct arena *arena, const char **to, const char *from)
{
	*to = from ? arena_text(arena, from) : NULL;
	return from && !*to ? -ENOMEM : 0;
}

static int copy_variables(struct draft *draft, const struct policy_source *source)
{
	struct variables *variables = &draft->variables;
	int error = copy_text(draft->arena, &variables->workdir, source->workdir);

	if (!error)
		error = copy_text(draft->arena, &variables->home, source->home);
	if (!error)
		error = copy_text(draft->arena, &variables->tmpdir, source->tmpdir ? source->tmpdir : "/tmp");
	if (!error)
		error = copy_text(draft->arena, &variables->runtime_dir, source->runtime_dir);
	return error;
}

/* All layers and checks; `file` is parsed, or unusable. */
static int read_layers(struct compiler *compiler, const struct policy_source *source, const struct parsed *file)
{
	const char *profile = choose_profile(compiler, source, file);
	int error = copy_variables(compiler->draft, source);

	if (!error && profile)
		error = read_profile(compiler, profile);
	if (!error)
		error = read_file(compiler, file);
	if (!error && !compiler->keeps_environment)
		error = compile_default_environment(compiler);
	if (!error)
		error = read_options(compiler, source);
	if (!error)
		error = compile_check_conflicts(compiler);
	return error;
}

const char *policy_digest(struct policy *policy)
{
	static const char label[] = "sha256:";
	unsigned char hash[crypto_hash_sha256_BYTES];

	if (*policy->digest)
		return policy->digest;
	crypto_hash_sha256(hash, (const unsigned char *)policy->image, policy->length);
	memcpy(policy->digest, label, sizeof(label));
	return sodium_bin2hex(policy->digest + sizeof(label) - 1, sizeof(policy->digest) - sizeof(label) + 1, hash,
			      sizeof(hash)) -
	       (sizeof(label) - 1);
}

/* The image, once everything was right so far. */
static int finish(struct compiler *compiler, struct policy *policy)
{
	struct draft *draft = compiler->draft;
	size_t culprit;
	int error = draft_build(draft, NULL, &policy->image, &policy->length, &culprit);

	if (error == -ENOMEM)
		return error;
	if (error && culprit < draft->count)
		fault(compiler->faults, draft->rules[culprit].place, "%s \"%s\": %s",
		      rule_key_name(draft->rules[culprit].rule.key), draft->rules[culprit].rule.value,
		      error == -E2BIG ? "more rules than a policy can hold (use fewer)"
				      : "a pattern too intricate (simplify it)");
	else if (error)
		fault(compiler->faults, (struct place){0}, "%s",
		      error == -E2BIG ? "more rules than a policy can hold (use fewer)" : "the policy cannot be built");
	if (error)
		return 0;
	*policy->digest = 0;
	policy->draft = draft;
	return 0;
}

static int compile(struct compiler *compiler, const struct policy_source *source, struct policy *policy)
{
	struct parsed file = {0};
	int error = 0;

	if (source->file)
		error = parsed_read(&file, source->file, NULL, compiler->faults);
	/* What an unreadable file says is unknown, and so is what the rest means with it. */
	if (!error && (!source->file || file.usable))
		error = read_layers(compiler, source, &file);
	if (!error && !faults_count(compiler->faults))
		error = finish(compiler, policy);
	if (source->file)
		parsed_free(&file);
	return error;
}

int policy_compile(const struct policy_source *source, struct policy *policy, struct policy_errors *errors)
{
	struct compiler compiler = {
		.draft = draft_new(), .faults = faults_new(), .memory = calloc(1, sizeof(*compiler.memory))};
	int error = compiler.draft && compiler.faults && compiler.memory ? 0 : -ENOMEM;

	*policy = (struct policy){0};
	*errors = (struct policy_errors){0};
	if (!error)
		error = compile(&compiler, source, policy);
	if (!error)
		error = faults_take(compiler.faults, errors);
	if (!error && errors->count)
		error = -EINVAL;
	if (error || !policy->draft) {
		free(policy->image);
		draft_free(compiler.draft);
		*policy = (struct policy){0};
	}
	faults_free(compiler.faults);
	free(compiler.memory);
	return error;
}

int policy_resolve_again(struct policy *policy)
{
	const uint64_t second = 1000000000, pause = 5 * second;
	struct draft *draft = policy->draft;
	struct image *image;
	struct timespec time;
	size_t length, culprit;
	uint64_t now;
	int found = 0, error;

	clock_gettime(CLOCK_MONOTONIC, &time);
	now = (uint64_t)time.tv_sec * second + (uint64_t)time.tv_nsec;
	if (!draft->hosts.count || (draft->looked_up_at && now - draft->looked_up_at < pause))
		return 0;
	draft->looked_up_at = now;
	for (size_t i = 0; i < draft->hosts.count; i++) {
		int added = host_look_up(&draft->hosts.list[i], draft->arena);

		if (added < 0)
			return added;
		found += added;
	}
	if (!found)
		return 0;
	error = draft_build(draft, NULL, &image, &length, &culprit);
	if (error)
		return error;
	policy_digest(policy);
	free(policy->image);
	policy->image = image;
	policy->length = length;
	return 1;
}

void policy_free(struct policy *policy)
{
	free(policy->image);
	draft_free(policy->draft);
	*policy = (struct policy){0};
}

void policy_errors_free(struct policy_errors *errors)
{
	for (size_t i = 0; i < errors->count; i++)
		free(errors->list[i].text);
	free(errors->list);
	*errors = (struct policy_errors){0};
}
