/* SPDX-License-Identifier: MIT */
/*
 * request.h - launch requests: what a caller who is not trusted wants to have run, and what the operator's `launch`
 * group says of it. Outside only.
 */
#ifndef PICKET_POLICY_REQUEST_H
#define PICKET_POLICY_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "compile.h"
#include "complaint.h"

struct json_t; /* of Jansson */

enum { REQUEST_BYTES_MOST = 1 << 20 };

/* The group `launch` of a policy; one that is not there allows as little as an empty one. */
struct launch_rules {
	const char **programs; /* absolute paths, exactly these */
	size_t program_count;
	const char **environment; /* names of variables, exactly these */
	size_t environment_count;
	bool plain_arguments; /* no shell metacharacters and control characters; true when not said */
};

/* The launch group of a compiled policy; lives as long as it. */
const struct launch_rules *policy_launch(const struct policy *policy);

/* One request. Strings are valid UTF-8 without NUL and live as long as the request. */
struct launch_request {
	const char *program;
	const char **args; /* NULL-terminated, without the program */
	size_t arg_count;
	const char **keys, **values; /* the environment, in the order of the text */
	size_t variable_count;
	const char *cwd; /* NULL: not given */
	struct json_t *object;
};

/*
 * Read one, strictly (strict_json.h): {"program", "args", "env", "cwd"}, of which only the program is required. `text`
 * may be anything. 0 or -errno with *why: "SOURCE:LINE:COLUMN: ...". On an error nothing is left to free.
 */
int request_read(const char *source, const char *text, size_t length, struct launch_request *request,
		 struct complaint *why);
void request_free(struct launch_request *request);

/*
 * May it be launched? The first check that fails wins, in this order, in these words: "program not allowed: P", "argv
 * contains unsafe shell metacharacters", "env key not allowed: K", "env contains invalid control characters", "working
 * directory must be absolute: D". The program's file is judged by what its name leads to: *resolved, malloc'ed, is that
 * file's path (the name itself when there is no file), and what is to be run. If it is another than the name, the
 * policy's exec rules must allow it. 0, -EPERM with *why, or -ENOMEM.
 */
int request_judge(const struct launch_request *request, const struct policy *policy, char **resolved,
		  struct complaint *why);

/* Are two absolute paths the same, component by component? "//", "/." and a slash at the end count as nothing;
 * a path with ".." or a relative one is the same as none. */
bool request_same_path(const char *one, const char *other);

#endif
