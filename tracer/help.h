/* SPDX-License-Identifier: MIT */
/*
 * help.h - `picket help` and `picket completion`, made from the tables of
 * options.h. They write to `to` and leave it to the caller to look for write errors.
 */
#ifndef PICKET_TRACER_HELP_H
#define PICKET_TRACER_HELP_H

#include <stdio.h>

#include "options.h"

/* All commands, a line each. */
void help_overview(FILE *to);
/* One command: usage, what it does, its options. */
void help_command(const struct command *command, FILE *to);
/*
 * What `picket help WORDS` prints: one command, all that begin with that word ("policy"), or with no words
 * the overview. 0, or -ENOENT and nothing printed when there is none.
 */
int help_words(char *const *words, unsigned count, FILE *to);

/* The completion script for "bash", "zsh" or "fish"; -ENOENT for another shell. */
int completion_print(const char *shell, FILE *to);

#endif
