/* SPDX-License-Identifier: MIT */
/*
 * plugin_run.c - `picket plugin run`: a verified plugin becomes a job.
 *
 * The job runs the sealed copy, under two policies: the operator's and the one that the capabilities make. Every key
 * is wiped before the run begins.
 */
#include "plugin.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capability.h"
#include "cleanup.h"
#include "commands.h"
#include "diag.h"
#include "plugin_check.h"
#include "plugin_load.h"
#include "plugin_places.h"
#include "result.h"
#include "run.h"

#define NS_PER_SECOND UINT64_C(1000000000)

/* The policies of a run, and how the capabilities fared. */
struct rights {
	struct policy operators, narrower;
	const char **given, **in_part, **withheld; /* NULL-terminated lists of capabilities */
};

/* Compile the operator's policy. The faults are told. */
static int compile_operators(const struct policy_source *source, struct policy *policy)
{
	struct policy_errors errors = {NULL, 0};
	int error = policy_compile(source, policy, &errors);

	for (size_t i = 0; error && i < errors.count; i++)
		diag("%s", errors.list[i].text);
	if (error && !errors.count)
		diag("the policy cannot be compiled: %s", strerror(-error));
	policy_errors_free(&errors);
	return error;
}

static int compile_narrower(const struct plugin *plugin, const struct policy_source *where, struct policy *policy,
			    struct complaint *why)
{
	const struct plugin_program *program = &plugin->program;
	cleanup_free char *second = plugin_second_interpreter(program);
	const struct capability_request request = {
		.capabilities = plugin->manifest.capabilities,
		.count = plugin->manifest.capability_count,
		.interpreter = program->kind == PLUGIN_SCRIPT ? program->interpreter : NULL,
		.second_interpreter = second,
	};
	struct complaint reason;

	if (capability_compile(&request, where, policy, &reason))
		return plugin_refuse(&plugin->manifest, "run it", reason.text, NULL, why);
	return 0;
}

/* Sort the capabilities by what the operator gives of them. */
static int share_out(const struct plugin *plugin, const struct policy_source *where, struct rights *rights)
{
	size_t count = plugin->manifest.capability_count, given = 0, in_part = 0, withheld = 0;

	rights->given = calloc(count + 1, sizeof *rights->given);
	rights->in_part = calloc(count + 1, sizeof *rights->in_part);
	rights->withheld = calloc(count + 1, sizeof *rights->withheld);
	if (!rights->given || !rights->in_part || !rights->withheld)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		const char *text = plugin->manifest.capabilities[i];
		switch (capability_share(text, &rights->operators, where)) {
		case CAPABILITY_GIVEN:
			rights->given[given++] = text;
			break;
		case CAPABILITY_IN_PART:
			rights->in_part[in_part++] = text;
			break;
		case CAPABILITY_WITHHELD:
			rights->withheld[withheld++] = text;
			break;
		}
	}
	return 0;
}

static void say_list(const char *what, const char *const *list)
{
	for (; *list; list++)
		diag("capability %s: %s", *list, what);
}

static void say_rights(const struct plugin *plugin, const struct rights *rights)
{
	const struct manifest *manifest = &plugin->manifest;

	if (plugin->scheme == SIGN_HMAC)
		diag("plugin '%s' v%s: verified by the shared key (%s)", manifest->id, manifest->version,
		     sign_scheme_name(plugin->scheme));
	else
		diag("plugin '%s' v%s: verified, signed by %s (%s, key %s)", manifest->id, manifest->version,
		     manifest->signed_by, sign_scheme_name(plugin->scheme), plugin->key_id);
	if (!manifest->capability_count)
		diag("capabilities: none asked for");
	say_list("given", rights->given);
	say_list("given in part: as far as the policy allows", rights->in_part);
	say_list("withheld: the policy does not allow it", rights->withheld);
	diag("time: at most %u s", manifest->timeout_secs);
}

/* The job of the command line, made the plugin's. */
static int run(const struct cli *cli, struct plugin *plugin, struct rights *rights)
{
	const struct manifest *manifest = &plugin->manifest;
	const struct plugin_identity identity = {
		.id = manifest->id,
		.version = manifest->version,
		.signer = plugin->scheme == SIGN_HMAC ? NULL : manifest->signed_by, /* that scheme does not cover it */
		.key_id = *plugin->key_id ? plugin->key_id : NULL,
		.scheme = sign_scheme_name(plugin->scheme),
		.content_hash = manifest->content_hash,
		.asked = manifest->capabilities,
		.given = rights->given,
		.in_part = rights->in_part,
		.withheld = rights->withheld,
		.verified = plugin->verified,
	};
	struct job job = cli->job;
	uint64_t timeout = manifest->timeout_secs * NS_PER_SECOND;
	/* an installed plugin has no file of its own that could be named: it goes by its id */
	cleanup_free char **command = calloc(cli->operand_count + 1, sizeof *command);
	cleanup_free char *name = strdup(plugin->installed ? manifest->id : plugin->path);

	if (!command || !name) {
		diag("%s", strerror(ENOMEM));
		return EXIT_PICKET;
	}
	memcpy(command, cli->operands, cli->operand_count * sizeof *command);
	command[0] = name;
	job.command = command;
	job.program_fd = plugin->program.fd;
	job.narrower = &rights->narrower;
	job.plugin = &identity;
	if (!job.timeout_ns || job.timeout_ns > timeout)
		job.timeout_ns = timeout;
	return run_job(&job);
}

static void free_rights(struct rights *rights)
{
	policy_free(&rights->operators);
	policy_free(&rights->narrower);
	free(rights->given);
	free(rights->in_part);
	free(rights->withheld);
}

/* From the verified plugin on. */
static int run_verified(const struct cli *cli, struct plugin *plugin)
{
	const struct policy_source *source = &cli->job.policy;
	struct rights rights = {.given = NULL};
	struct complaint why = {""};

	if (compile_operators(source, &rights.operators))
		return EXIT_PICKET;
	int error = compile_narrower(plugin, source, &rights.narrower, &why);
	if (!error) {
		const struct plugin_limits limits = {{rights.operators.image, rights.narrower.image}, 2};
		error = plugin_check_program(plugin, &limits, "run it", &why);
	}
	if (!error && share_out(plugin, source, &rights))
		error = complain(&why, -ENOMEM, "%s", strerror(ENOMEM));
	if (error)
		diag("%s", why.text);
	else if (cli->job.verbose)
		say_rights(plugin, &rights);
	int status = error ? EXIT_PICKET : run(cli, plugin, &rights);
	free_rights(&rights);
	return status;
}

int plugin_run(const struct cli *cli)
{
	struct plugin_session session;
	struct plugin plugin;
	struct complaint why = {""};
	int error = plugin_session_open(cli, &session, &why);

	if (!error) {
		const struct plugin_place place = {session.registry, cli->operands[0], cli->plugin.manifest, "run it"};
		error = plugin_load(&place, &session.trust, &plugin, &why);
		plugin_session_close(&session); /* no key is in memory from here on */
	}
	if (error) {
		diag("%s", why.text);
		return EXIT_PICKET;
	}
	int status = run_verified(cli, &plugin);
	plugin_free(&plugin);
	return status;
}
