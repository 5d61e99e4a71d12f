/* SPDX-License-Identifier: MIT */
/*
 * expand.h - ${NAME} and ~ in what a user wrote. Outside only; no I/O.
 */
#ifndef PICKET_POLICY_EXPAND_H
#define PICKET_POLICY_EXPAND_H

#include <stdbool.h>

#include "arena.h"
#include "complaint.h"

/* What the names mean; NULL: not set, and using it is an error. Each is absolute. */
struct variables {
	const char *workdir, *home, *tmpdir, *runtime_dir;
};

/*
 * Make a path of `text`: ${WORKDIR}, ${HOME}, ${TMPDIR}, ${XDG_RUNTIME_DIR} anywhere in it, `~` or `~/x` at its start.
 * What is then relative is below workdir if `relative` (the command line), and an error otherwise. *out is absolute,
 * but neither normalised nor resolved. 0; -EINVAL: it cannot be, *why says it; -ENOENT: the same, because a variable is
 * not set (or not absolute); -ENOMEM.
 */
int expand_path(const struct variables *variables, const char *text, bool relative, struct arena *arena,
		const char **out, struct complaint *why);

/*
 * The same of a file's name that is no rule: a `*` is a `*`, and what is relative stays so. *out is `text` itself when there is
 * nothing to replace.
 */
int expand_file(const struct variables *variables, const char *text, struct arena *arena, const char **out,
		struct complaint *why);

/* Only the ${NAME} of it, in any text (environment.set). */
int expand_value(const struct variables *variables, const char *text, struct arena *arena, const char **out,
		 struct complaint *why);

#endif
