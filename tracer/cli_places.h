/* SPDX-License-Identifier: MIT */
/*
 * cli_places.h - the directories of a command line and what its paths mean: ~ and ${NAME} are replaced, once and before
 * anything runs. Prints nothing.
 */
#ifndef PICKET_TRACER_CLI_PLACES_H
#define PICKET_TRACER_CLI_PLACES_H

#include "cli.h"

/* Of a command line that was read: fill job.cwd, the policy's directories and the name of the result, and expand the
 * paths. As cli_parse. */
int cli_places(struct cli *cli, char error[CLI_ERROR_SIZE]);
void cli_places_free(struct cli *cli);

#endif
