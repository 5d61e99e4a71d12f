/* SPDX-License-Identifier: MIT */
/*
 * cli.h - the command line, read by the tables of options.h. Prints nothing.
 */
#ifndef PICKET_TRACER_CLI_H
#define PICKET_TRACER_CLI_H

#include <stdbool.h>
#include <stddef.h>

#include "job.h"
#include "options.h"
#include "plugin_options.h"

enum { CLI_ERROR_SIZE = 512 };

enum { CLI_PATHS = 12 }; /* options whose value is the path of a file or directory, and no rule */

struct cli_path {
	const struct option *option;
	const char **value; /* as it was given, and when all is read as it is meant */
};

/* A command line. Strings point into argv or the environment, or are owned by it. */
struct cli {
	const struct command *command; /* NULL: none; then only help and version */
	bool help;		       /* --help was given; nothing else has been checked then */
	bool version;		       /* --version */
	bool json, markdown;
	char **operands; /* points into argv; not NULL-terminated */
	unsigned operand_count;
	struct job job;		      /* policy options of any command; all of it for run */
	struct plugin_options plugin; /* of plugin and request commands, and --request of run */
	struct policy_option *rules;  /* what job.policy.options points to */
	struct cli_path paths[CLI_PATHS];
	unsigned path_count;
	const char *chdir;   /* --chdir, or NULL */
	char *cwd, *home;    /* what job points to */
	char *here;	     /* the caller's directory, if it had to be known and is another than cwd */
	struct arena *arena; /* of what paths stand for */
	unsigned label_count;
	unsigned char given[OPTION_COUNT]; /* how often each option stood there, up to 255 */
};

/*
 * Read a command line. 0, or -EINVAL and in `error` one sentence that says what is wrong and what may have been meant
 * (no "picket: ", no newline), or -ENOMEM with a sentence, too. The order of argv's operands may be changed. In every
 * case cli_free is due.
 */
int cli_parse(int argc, char **argv, struct cli *cli, char error[CLI_ERROR_SIZE]);
void cli_free(struct cli *cli);

#endif
