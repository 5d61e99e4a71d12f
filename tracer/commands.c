/* SPDX-License-Identifier: MIT */
/*
 * commands.c - the commands but run: call the module that knows, and tell the
 * user what came of it.
 */
#include "commands.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "compile.h"
#include "coverage.h"
#include "diag.h"
#include "help.h"
#include "probe.h"
#include "show.h"
#include "version.h"

/* What a command printed must have arrived: a table cut off by a full disk is no answer. */
static int finish(int error, int status)
{
	if (error == 0 && (fflush(stdout) != 0 || ferror(stdout)))
		error = errno != 0 ? -errno : -EIO;
	if (error == 0)
		return status;
	diag_errno(error, "standard output");
	return EXIT_PICKET;
}

/* 0, or the errors have been told. */
static int compile(const struct policy_source *source, struct policy *policy)
{
	struct policy_errors errors = {0};
	int error = policy_compile(source, policy, &errors);
	for (size_t i = 0; error != 0 && i < errors.count; i++)
		diag("%s", errors.list[i].text);
	if (error != 0 && errors.count == 0)
		diag_errno(error, "the policy cannot be read");
	policy_errors_free(&errors);
	return error;
}

int command_about(const struct cli *cli)
{
	if (cli->version)
		printf("picket %s\n", PICKET_VERSION);
	else if (cli->command != NULL)
		help_command(cli->command, stdout);
	else
		help_overview(stdout);
	return finish(0, EXIT_SUCCESS);
}

int command_probe(const struct cli *cli)
{
	struct probe probe;
	probe_machine(&probe);
	return finish(probe_print(&probe, stdout, cli->json), EXIT_SUCCESS);
}

int command_explain(const struct cli *cli)
{
	struct policy policy;
	char *why = NULL;
	if (compile(&cli->job.policy, &policy) != 0)
		return EXIT_PICKET;
	int verdict = policy_explain(&policy, cli->operands[0], cli->operands[1], stdout, cli->json, &why);
	policy_free(&policy);
	if (verdict == -EINVAL) {
		diag("%s", why != NULL ? why : "explain: this is no access or no target");
		free(why);
		return EXIT_PICKET;
	}
	free(why);
	return finish(verdict < 0 ? verdict : 0, verdict > 0 ? EXIT_NO : EXIT_SUCCESS);
}

int command_policy_check(const struct cli *cli)
{
	struct policy policy;
	struct policy_source source = cli->job.policy;
	source.file = cli->operands[0];
	int error = compile(&source, &policy);
	if (error != 0)
		return error == -EINVAL ? EXIT_NO : EXIT_PICKET;
	uint32_t count = 0; /* the file's own: not the profile's it starts from, not the built-in ones */
	for (uint32_t i = 0; i < image_rule_count(policy.image); i++)
		count += image_rule(policy.image, i).layer == LAYER_FILE;
	printf("%s: %u rule%s\n", source.file, count, count == 1 ? "" : "s");
	policy_free(&policy);
	return finish(0, EXIT_SUCCESS);
}

int command_policy_show(const struct cli *cli)
{
	struct policy policy;
	if (compile(&cli->job.policy, &policy) != 0)
		return EXIT_PICKET;
	int error = policy_show(&policy, stdout, cli->json);
	policy_free(&policy);
	return finish(error, EXIT_SUCCESS);
}

int command_syscalls(const struct cli *cli)
{
	enum coverage_format format = cli->json ? COVERAGE_JSON : cli->markdown ? COVERAGE_MARKDOWN : COVERAGE_TEXT;
	return finish(coverage_print(stdout, format), EXIT_SUCCESS);
}

int command_help(const struct cli *cli)
{
	if (help_words(cli->operands, cli->operand_count, stdout) == 0)
		return finish(0, EXIT_SUCCESS);
	diag("help: there is no command \"%s%s%s\"; see \"picket help\"", cli->operands[0],
	     cli->operand_count > 1 ? " " : "", cli->operand_count > 1 ? cli->operands[1] : "");
	return EXIT_PICKET;
}

int command_completion(const struct cli *cli)
{
	if (completion_print(cli->operands[0], stdout) == 0)
		return finish(0, EXIT_SUCCESS);
	diag("completion: no script for \"%s\": bash, zsh or fish", cli->operands[0]);
	return EXIT_PICKET;
}
