/* SPDX-License-Identifier: MIT */
/*
 * commands.h - each command but run: what main calls. They print what they
 * find on stdout and what went wrong on stderr, and return the exit status.
 */
#ifndef PICKET_TRACER_COMMANDS_H
#define PICKET_TRACER_COMMANDS_H

#include "cli.h"

/* Exit statuses of Picket itself; those of a run are in picket(1). */
enum { EXIT_NO = 1, EXIT_PICKET = 125 };

/* --help (of a command or of none) and --version. */
int command_about(const struct cli *cli);
int command_probe(const struct cli *cli);
int command_explain(const struct cli *cli);
int command_policy_check(const struct cli *cli);
int command_policy_show(const struct cli *cli);
int command_syscalls(const struct cli *cli);
int command_help(const struct cli *cli);
int command_completion(const struct cli *cli);

#endif
