/* SPDX-License-Identifier: MIT */
/*
 * main.c - reads the command line and calls the command.
 */
#include <stdio.h>
#include <stdlib.h>

#include "cli.h"
#include "commands.h"
#include "diag.h"
#include "run.h"

static int dispatch(const struct cli *cli)
{
	switch (cli->command->id) {
	case COMMAND_RUN:
		return run_job(&cli->job);
	case COMMAND_PROBE:
		return command_probe(cli);
	case COMMAND_EXPLAIN:
		return command_explain(cli);
	case COMMAND_POLICY_CHECK:
		return command_policy_check(cli);
	case COMMAND_POLICY_SHOW:
		return command_policy_show(cli);
	case COMMAND_SYSCALLS:
		return command_syscalls(cli);
	case COMMAND_HELP:
		return command_help(cli);
	case COMMAND_COMPLETION:
		return command_completion(cli);
	case COMMAND_COUNT:
		break;
	}
	return EXIT_PICKET;
}

int main(int argc, char **argv)
{
	struct cli cli;
	char error[CLI_ERROR_SIZE];
	int status = EXIT_PICKET;
	if (cli_parse(argc, argv, &cli, error) != 0)
		diag("%s", error);
	else if (cli.version || cli.help)
		status = command_about(&cli);
	else
		status = dispatch(&cli);
	cli_free(&cli);
	return status;
}
