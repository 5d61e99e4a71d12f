/* SPDX-License-Identifier: MIT */
/*
 * capability.h - what a plugin asks for, and the policy that this makes.
 * Outside only.
 *
 * The run is guarded by two images, the operator's and the one made here, and what it does must be allowed by both.
 * So a capability can only take away from what the operator gives, signed or
 * not; the intersection is exact, since each side keeps its own precedence.
 */
#ifndef PICKET_POLICY_CAPABILITY_H
#define PICKET_POLICY_CAPABILITY_H

#include <stdbool.h>
#include <stddef.h>

#include "compile.h"
#include "complaint.h"

enum capability_kind {
	CAPABILITY_READ,    /* fs:read[:PATH] */
	CAPABILITY_WRITE,   /* fs:write[:PATH]; includes reading there, as in a policy */
	CAPABILITY_CONNECT, /* net:connect[:DEST] */
	CAPABILITY_BIND,    /* net:bind[:DEST] */
	CAPABILITY_EXEC,    /* exec[:PATH] */
	CAPABILITY_SHELL,   /* exec:shell: the system's shells */
	CAPABILITY_ENV,	    /* env:NAME */
};

struct capability {
	enum capability_kind kind;
	const char *argument; /* into the text; NULL: everything of its kind */
};

/* Understand one. 0, or -EINVAL: unknown. PATH and DEST are checked when they are compiled. */
int capability_parse(const char *text, struct capability *capability);

/* What a plugin's policy is made of. Strings are borrowed. */
struct capability_request {
	const char *const *capabilities; /* each one that capability_parse takes */
	size_t count;
	const char *interpreter;	/* of a script, absolute; NULL: none. May be run without a capability */
	const char *second_interpreter; /* the program that `env` looks up for a script, absolute; or NULL */
	const char *program_directory;	/* where the plugin's own files are, which it may read; or NULL */
};

/*
 * The policy of a plugin: what its capabilities give, and what every program needs to start (the built-in list in
 * capability.c: reading the system's programs and libraries, its own /proc entries, the harmless devices).
 * `where` gives the directories that ${WORKDIR}, ~ and so on mean; its rules are not looked at.
 * 0 or, with *why saying which capability, -errno.
 */
int capability_compile(const struct capability_request *request, const struct policy_source *where,
		       struct policy *policy, struct complaint *why);

enum capability_share { CAPABILITY_GIVEN, CAPABILITY_IN_PART, CAPABILITY_WITHHELD };

/*
 * How much of a capability the operator's policy gives: all of it, a part (some paths or destinations that it covers),
 * or nothing. For people and for the result; what decides is the two images.
 */
enum capability_share capability_share(const char *text, const struct policy *operators,
				       const struct policy_source *where);

#endif
