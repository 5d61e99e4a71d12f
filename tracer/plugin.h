/* SPDX-License-Identifier: MIT */
/*
 * plugin.h - the commands `picket plugin ...`, `picket request check` and the part of `picket run` that takes a
 * launch request. Each prints what it finds on stdout, what went wrong on stderr, and returns the exit status.
 */
#ifndef PICKET_TRACER_PLUGIN_H
#define PICKET_TRACER_PLUGIN_H

#include "cli.h"

int plugin_keygen(const struct cli *cli);
int plugin_sign(const struct cli *cli);
int plugin_verify(const struct cli *cli);
int plugin_install(const struct cli *cli);
int plugin_list(const struct cli *cli);
int plugin_remove(const struct cli *cli);
int plugin_run(const struct cli *cli);

int request_check(const struct cli *cli);
/* `picket run --request FILE`. */
int request_run(const struct cli *cli);

#endif
