/* SPDX-License-Identifier: MIT */
/*
 * plugin_check.h - may a verified program be run at all? Its own bytes are the signed ones; these are the ones it
 * brings along.
 */
#ifndef PICKET_TRACER_PLUGIN_CHECK_H
#define PICKET_TRACER_PLUGIN_CHECK_H

#include "plugin_elf.h"
#include "plugin_load.h"

/*
 * Refused: what cannot be run; an ELF program that plugin_elf_check refuses; a script whose interpreter, or the program
 * that `env` looks up for it, lies where others or the run itself may write. 0, or -EKEYREJECTED with *why: "plugin
 * 'ID' vVERSION: ...: refusing to VERB".
 */
int plugin_check_program(const struct plugin *plugin, const struct plugin_limits *limits, const char *verb,
			 struct complaint *why);

/* What `env` finds in PATH for a script that names it as its interpreter; malloc'ed. NULL: nothing, or not such a
 * script. */
char *plugin_second_interpreter(const struct plugin_program *program);

#endif
