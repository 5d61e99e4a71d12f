/* SPDX-License-Identifier: MIT */
/*
 * fuzz_policy.c - whatever a policy file and options say, the compiler says what is wrong with it or makes an image
 * that holds. For libFuzzer; with -DFUZZ_PLAIN a program that takes files with inputs.
 *
 * An input is a policy's text; behind a NUL byte may follow options, one a line: a letter for the key and the value.
 */
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "compile.h"
#include "decide.h"
#include "environment.h"
#include "show.h"

enum { OPTIONS_MAX = 16 };

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);
const char *__lsan_default_suppressions(void);

/* libconfig 1.5 forgets a string when its parser gives up behind it. */
const char *__lsan_default_suppressions(void)
{
	return "leak:libconfig";
}

/* No input reaches a name server. */
int getaddrinfo(const char *restrict node, const char *restrict service, const struct addrinfo *restrict hints,
		struct addrinfo **restrict result)
{
	(void)node;
	(void)service;
	(void)hints;
	(void)result;
	return EAI_NONAME;
}

static void use(struct policy *policy)
{
	static const char *const paths[] = {"/", "/w/x", "/home/u/.ssh/id", "/usr/bin/env"};
	static const char *const words[] = {"read", "write", "exec", "look"};
	char *caller[] = {"PATH=/bin", "LD_PRELOAD=x", "X_TOKEN=1", NULL}, **environment = NULL, *why;
	FILE *nowhere = fopen("/dev/null", "w");

	if (!nowhere || image_check(policy->image, policy->length))
		abort();
	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		decide_path(policy->image, paths[i], strlen(paths[i]), ACCESS_READ | ACCESS_WRITE);
		policy_explain(policy, words[i], paths[i], nowhere, i & 1, &why);
		free(why);
	}
	policy_explain(policy, "connect", "127.0.0.1:80", nowhere, false, &why);
	free(why);
	policy_show(policy, nowhere, false);
	policy_show(policy, nowhere, true);
	if (!environment_build(policy->image, caller, &environment))
		environment_free(environment);
	fclose(nowhere);
}

/* Lines into options, in place; the result's name is no option of the policy. */
static void read_options(char *text, struct policy_option *options, struct policy_source *source)
{
	for (char *line = strtok(text, "\n"); line && source->option_count < OPTIONS_MAX; line = strtok(NULL, "\n")) {
		enum rule_key key = (enum rule_key)((unsigned char)*line % RULE_KEY_COUNT);

		if (key != RULE_RESULT)
			options[source->option_count++] =
				(struct policy_option){.key = key, .value = line[1] ? line + 1 : NULL};
		else if (line[1] == '/')
			source->result = source->result_written = line + 1;
	}
}

static void compile(const char *file, char *options_text)
{
	struct policy_option options[OPTIONS_MAX];
	struct policy_source source = {.file = file, .workdir = "/w", .home = "/home/u", .options = options};
	struct policy policy;
	struct policy_errors errors;
	int result;

	read_options(options_text, options, &source);
	result = policy_compile(&source, &policy, &errors);
	if ((result == 0) != (policy.image != NULL) || (result != 0) != (errors.count != 0))
		abort();
	if (!result)
		use(&policy);
	policy_free(&policy);
	policy_errors_free(&errors);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	const unsigned char *nul = memchr(data, 0, size);
	size_t length = nul ? (size_t)(nul - data) : size;
	char *options = strndup(nul ? (const char *)nul + 1 : "", nul ? size - length - 1 : 0);
	int fd = memfd_create("policy", MFD_CLOEXEC);
	char file[64];

	if (!options || fd < 0 || write(fd, data, length) != (ssize_t)length)
		abort();
	snprintf(file, sizeof(file), "/proc/self/fd/%d", fd);
	compile(file, options);
	close(fd);
	free(options);
	return 0;
}

#ifdef FUZZ_PLAIN
int main(int count, char **files)
{
	static unsigned char data[1 << 20];

	for (int i = 1; i < count; i++) {
		FILE *file = fopen(files[i], "r");

		if (!file) {
			perror(files[i]);
			return EXIT_FAILURE;
		}
		LLVMFuzzerTestOneInput(data, fread(data, 1, sizeof(data), file));
		fclose(file);
	}
	return EXIT_SUCCESS;
}
#endif
