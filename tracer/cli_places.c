/* SPDX-License-Identifier: MIT */
/*
 * cli_places.c - see cli_places.h. ${WORKDIR} is the tool's directory, as in a policy, but in paths that are needed
 * before it is known (--chdir) or that the caller alone uses, such as --policy: there it is the caller's. What is
 * relative is the caller's, as for every program.
 */
#include "cli_places.h"

#include <errno.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arena.h"
#include "expand.h"
#include "result.h"

__attribute__((format(printf, 2, 3))) static int fail(char error[CLI_ERROR_SIZE], const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(error, CLI_ERROR_SIZE, format, arguments);
	va_end(arguments);
	return -EINVAL;
}

static int fail_memory(char error[CLI_ERROR_SIZE])
{
	fail(error, "out of memory");
	return -ENOMEM;
}

/* An absolute path from the environment, or NULL. */
static const char *absolute_variable(const char *name)
{
	const char *value = getenv(name);
	return value != NULL && value[0] == '/' ? value : NULL;
}

static int fill_home(struct cli *cli, char error[CLI_ERROR_SIZE])
{
	const char *home = absolute_variable("HOME");
	const struct passwd *user = home == NULL ? getpwuid(geteuid()) : NULL;
	if (home == NULL && user != NULL && user->pw_dir != NULL && user->pw_dir[0] == '/')
		home = user->pw_dir;
	if (home != NULL && (cli->home = strdup(home)) == NULL)
		return fail_memory(error);
	cli->job.policy.home = cli->home;
	cli->job.policy.tmpdir = absolute_variable("TMPDIR");
	cli->job.policy.runtime_dir = absolute_variable("XDG_RUNTIME_DIR");
	return 0;
}

/* What a path means, when ${WORKDIR} is `workdir`. */
static int expand(struct cli *cli, const struct cli_path *path, const char *workdir, char error[CLI_ERROR_SIZE])
{
	const struct policy_source *policy = &cli->job.policy;
	const struct variables variables = {workdir, policy->home, policy->tmpdir != NULL ? policy->tmpdir : "/tmp",
					    policy->runtime_dir};
	const char *given = *path->value;
	struct complaint why;
	int result = expand_file(&variables, given, cli->arena, path->value, &why);
	if (result == -ENOMEM)
		return fail_memory(error);
	return result == 0 ? 0 : fail(error, "--%s \"%s\": %s", path->option->name, given, why.text);
}

/* Has the caller's directory to be known, although the tool gets another? */
static bool needs_here(const struct cli *cli)
{
	const char *result = cli->job.result_file;
	for (unsigned i = 0; i < cli->path_count; i++) {
		if (strstr(*cli->paths[i].value, "${WORKDIR}") != NULL)
			return true;
	}
	return result != NULL && result[0] != '/';
}

static int enter(struct cli *cli, char error[CLI_ERROR_SIZE])
{
	struct stat status;
	cli->cwd = realpath(cli->chdir, NULL);
	if (cli->cwd == NULL)
		return fail(error, "--chdir \"%s\": %s", cli->chdir, strerrordesc_np(errno));
	if (stat(cli->cwd, &status) != 0 || !S_ISDIR(status.st_mode))
		return fail(error, "--chdir \"%s\": not a directory", cli->chdir);
	return 0;
}

static int expand_all(struct cli *cli, char error[CLI_ERROR_SIZE])
{
	const char *here = cli->chdir != NULL ? cli->here : cli->cwd;
	int result = 0;
	for (unsigned i = 0; i < cli->path_count && result == 0; i++) {
		if (cli->paths[i].option->id != OPTION_RESULT)
			result = expand(cli, &cli->paths[i], here, error);
	}
	if (result == 0 && cli->chdir != NULL)
		result = enter(cli, error);
	for (unsigned i = 0; i < cli->path_count && result == 0; i++) {
		if (cli->paths[i].option->id == OPTION_RESULT)
			result = expand(cli, &cli->paths[i], cli->cwd, error);
	}
	return result;
}

/* The name that the policy is to keep. */
static int fill_result(struct cli *cli, const char *written, char error[CLI_ERROR_SIZE])
{
	struct policy_source *policy = &cli->job.policy;
	const char *file = cli->job.result_file, *here = cli->here != NULL ? cli->here : cli->cwd;
	if (file == NULL || !result_file_is_kept(file))
		return 0;
	policy->result = file[0] == '/' ? file : arena_print(cli->arena, "%s/%s", here, file);
	policy->result_written = written;
	return policy->result != NULL ? 0 : fail_memory(error);
}

int cli_places(struct cli *cli, char error[CLI_ERROR_SIZE])
{
	const char *written = cli->job.result_file;
	int result = fill_home(cli, error);
	cli->arena = arena_new();
	if (result == 0 && cli->arena == NULL)
		result = fail_memory(error);
	if (result != 0)
		return result;
	if (cli->chdir == NULL && (cli->cwd = getcwd(NULL, 0)) == NULL)
		return fail(error, "the current directory: %s; choose one with --chdir", strerrordesc_np(errno));
	if (cli->chdir != NULL && needs_here(cli) && (cli->here = getcwd(NULL, 0)) == NULL)
		return fail(error, "the current directory: %s; write paths in full", strerrordesc_np(errno));
	result = expand_all(cli, error);
	if (result != 0)
		return result;
	cli->job.cwd = cli->job.policy.workdir = cli->cwd;
	return fill_result(cli, written, error);
}

void cli_places_free(struct cli *cli)
{
	arena_free(cli->arena);
	free(cli->cwd);
	free(cli->home);
	free(cli->here);
}
