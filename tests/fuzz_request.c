/* SPDX-License-Identifier: MIT */
/*
 * fuzz_request.c - no text makes reading or judging a launch request fault,
 * and what is allowed has nothing in it that the rules speak against.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A policy whose launch group is filled by hand: no file is needed for it. */
static struct policy *some_policy(void)
{
	static struct policy policy;
	static bool made;
	struct policy_errors errors;
	const struct policy_source source = {.profile = "permissive", .workdir = "/", .home = "/"};

	if (!made && policy_compile(&source, &policy, &errors))
		abort();
	made = true;
	return &policy;
}

static void check(const struct launch_request *request, const char *resolved)
{
	if (!resolved || *resolved != '/')
		abort();
	for (size_t i = 0; i < request->arg_count; i++)
		for (const char *at = request->args[i]; *at; at++)
			if (strchr(";|&$`", *at) || ((unsigned char)*at < 0x20 && *at != '\t') || *at == 0x7f)
				abort();
	for (size_t i = 0; i < request->variable_count; i++)
		if (strcmp(request->keys[i], "A") != 0 && strcmp(request->keys[i], "LANG") != 0)
			abort();
	if (request->cwd && *request->cwd != '/')
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *programs[] = {"/a", "/bin/x"}, *names[] = {"A", "LANG"};
	struct policy *policy = some_policy();
	struct launch_rules *rules = (struct launch_rules *)(uintptr_t)policy_launch(policy);
	struct launch_request request;
	struct complaint why;
	char *resolved = NULL, *text = malloc(size ? size : 1);

	*rules = (struct launch_rules){programs, 2, names, 2, true};
	memcpy(text, data, size);
	if (request_read("fuzz", text, size, &request, &why) == 0) {
		if (request_judge(&request, policy, &resolved, &why) == 0)
			check(&request, resolved);
		free(resolved);
		request_free(&request);
	}
	free(text);
	return 0;
}
