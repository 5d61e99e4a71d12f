/* SPDX-License-Identifier: MIT */
/*
 * plugin_request.c - `picket request check` and `picket run --request`: a
 * launch request becomes a job. Nothing of the request changes the policy: ${WORKDIR} stays the operator's.
 */
#include "plugin.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "commands.h"
#include "diag.h"
#include "request.h"
#include "run.h"

/* A request that was judged, and what it leads to. */
struct launch {
	struct launch_request request;
	char *program;	    /* what the request's program leads to */
	char **command;	    /* argv */
	char **environment; /* "K=V" */
};

static int compile(const struct policy_source *source, struct policy *policy)
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

/* All of a file or of standard input, up to a byte more than a request may have. */
static int read_text(const char *path, char **text, size_t *length, struct complaint *why)
{
	cleanup_fd int opened = strcmp(path, "-") ? open(path, O_RDONLY | O_NOCTTY | O_CLOEXEC) : -1;
	int fd = strcmp(path, "-") ? opened : STDIN_FILENO;

	if (fd < 0)
		return complain(why, -errno, "%s: %s", path, strerror(errno));
	*text = malloc(REQUEST_BYTES_MOST + 1);
	if (!*text)
		return complain(why, -ENOMEM, "%s", strerror(ENOMEM));
	for (*length = 0; *length <= REQUEST_BYTES_MOST;) {
		ssize_t n = read(fd, *text + *length, REQUEST_BYTES_MOST + 1 - *length);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return complain(why, -errno, "%s: %s", path, strerror(errno));
		if (n == 0)
			break;
		*length += (size_t)n;
	}
	return 0;
}

static void launch_free(struct launch *launch)
{
	for (size_t i = 0; launch->environment && launch->environment[i]; i++)
		free(launch->environment[i]);
	free(launch->environment);
	free(launch->command);
	free(launch->program);
	request_free(&launch->request);
}

/* argv and environment as execve takes them. argv's strings are the request's. */
static int make_vectors(struct launch *launch)
{
	const struct launch_request *request = &launch->request;

	launch->command = calloc(request->arg_count + 2, sizeof *launch->command);
	launch->environment = calloc(request->variable_count + 1, sizeof *launch->environment);
	if (!launch->command || !launch->environment)
		return -ENOMEM;
	launch->command[0] = (char *)(uintptr_t)request->program;
	for (size_t i = 0; i < request->arg_count; i++)
		launch->command[i + 1] = (char *)(uintptr_t)request->args[i];
	for (size_t i = 0; i < request->variable_count; i++)
		if (asprintf(&launch->environment[i], "%s=%s", request->keys[i], request->values[i]) < 0) {
			launch->environment[i] = NULL;
			return -ENOMEM;
		}
	return 0;
}

/* Read and judge. 0, or the user was told. */
static int load(const char *path, const struct policy_source *source, struct launch *launch)
{
	struct complaint why = {""};
	cleanup_free char *text = NULL;
	size_t length = 0;
	struct policy policy;

	*launch = (struct launch){.program = NULL};
	int error = compile(source, &policy);
	if (error)
		return error;
	error = read_text(path, &text, &length, &why);
	if (!error)
		error = request_read(strcmp(path, "-") ? path : "standard input", text, length, &launch->request, &why);
	if (!error)
		error = request_judge(&launch->request, &policy, &launch->program, &why);
	if (!error && make_vectors(launch))
		error = complain(&why, -ENOMEM, "%s", strerror(ENOMEM));
	policy_free(&policy);
	if (error) {
		diag("%s", why.text);
		launch_free(launch);
	}
	return error;
}

static void print_escaped(const char *name, const char *text)
{
	char line[COMPLAINT_SIZE];

	complaint_escape(line, sizeof line, text, strlen(text));
	printf("  %-10s %s\n", name, line);
}

int request_check(const struct cli *cli)
{
	struct launch launch;

	if (load(cli->operands[0], &cli->job.policy, &launch))
		return EXIT_PICKET;
	printf("the request would be run:\n");
	print_escaped("program", launch.program);
	for (size_t i = 0; launch.command[i]; i++)
		print_escaped(i ? "argument" : "argv[0]", launch.command[i]);
	for (size_t i = 0; launch.environment[i]; i++)
		print_escaped("variable", launch.environment[i]);
	print_escaped("directory", launch.request.cwd ? launch.request.cwd : cli->job.cwd);
	launch_free(&launch);
	if (fflush(stdout) == 0 && !ferror(stdout))
		return EXIT_SUCCESS;
	diag("standard output: %s", strerror(errno));
	return EXIT_PICKET;
}

int request_run(const struct cli *cli)
{
	struct launch launch;
	struct job job = cli->job;

	if (load(cli->plugin.request, &cli->job.policy, &launch))
		return EXIT_PICKET;
	job.command = launch.command;
	job.program = launch.program;
	job.extra_environment = launch.environment;
	if (launch.request.cwd)
		job.cwd = launch.request.cwd;
	int status = run_job(&job);
	launch_free(&launch);
	return status;
}
