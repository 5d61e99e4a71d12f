/* SPDX-License-Identifier: MIT */
/*
 * show.h - a compiled policy for people and programs: what `picket policy show` and `picket explain` print.
 * Outside only. Each returns -EIO when `to` could not be written, -ENOMEM when out of memory.
 */
#ifndef PICKET_POLICY_SHOW_H
#define PICKET_POLICY_SHOW_H

#include <stdio.h>

#include "compile.h"

/* Every effective rule with its source, the limits, what is done on a violation, the digest. 0 or -errno. */
int policy_show(struct policy *policy, FILE *to, bool json);

/*
 * The verdict on one access, the rule that gives it, the rules that it beat (strongest first), and for a
 * refusal the narrowest option that would allow it. `access` is read, write, exec, look, connect or bind; `target` a
 * path (as on the command line: relative to the working directory, ~, ${...}; symbolic links are followed), or a
 * destination with one address and one port. 0: allowed, 1: refused, -EINVAL: unknown access or a target that is none
 * (*why, malloc'ed, says what is wrong).
 */
int policy_explain(const struct policy *policy, const char *access, const char *target, FILE *to, bool json,
		   char **why);

#endif
