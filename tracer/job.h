/* SPDX-License-Identifier: MIT */
/*
 * job.h - everything that `picket run` was asked: the command line, read and
 * checked as far as it can be without the policy. The first struct of a run:
 * job -> image -> child -> request and verdict -> result.
 */
#ifndef PICKET_TRACER_JOB_H
#define PICKET_TRACER_JOB_H

#include <stdbool.h>
#include <stdint.h>

#include "compile.h"
#include "level.h"

/* Which level was asked for. */
struct level_wish {
	bool exactly;	    /* --enforce LEVEL, not auto */
	enum level enforce; /* if so */
	bool at_least;	    /* --require LEVEL */
	enum level require; /* if so */
};

struct plugin_identity; /* result.h */

/* Strings are the program's arguments or environment, or belong to the struct cli around it. */
struct job {
	struct policy_source policy; /* profile, file, rules, directories, on_violation; ready for policy_compile */
	char **command;		     /* what to run, NULL-terminated; points into argv */
	const char *cwd;	 /* absolute: where the tool starts (-C, or the caller's); policy.workdir is the same */
	const char *result_file; /* --result, expanded; if relative, to the caller's directory; or NULL */
	int result_fd;		 /* --result-fd, open for writing; or -1 */
	bool capture;		 /* --capture */
	struct level_wish level; /* --enforce, --require */
	uint64_t timeout_ns;	 /* --timeout; 0: none */
	bool fail_on_violation;	 /* --fail-on-violation */
	char **labels;		 /* --label, "K=V" each, NULL-terminated; never NULL */
	const char *tool_id, *trace_id, *request_id; /* or NULL */
	bool progress;				     /* --progress */
	bool quiet, verbose;			     /* never both */

	/* What a plugin or a launch request adds. */
	int program_fd;		 /* a sealed copy in memory, which is run; command[0] is then only argv[0]. Or -1 */
	const char *program;	 /* path of what is run when it is not what command[0] finds; or NULL */
	struct policy *narrower; /* a second policy: all that the run does must be allowed by both; or NULL */
	char *const *extra_environment; /* "K=V" each, NULL-terminated: put over what the policies leave; or NULL */
	const struct plugin_identity *plugin; /* carried into the result; or NULL */
};

#endif
