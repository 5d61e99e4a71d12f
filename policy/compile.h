/* SPDX-License-Identifier: MIT */
/*
 * compile.h - from what a user wrote (profile, policy file, command line) to
 * an image. Outside only.
 */
#ifndef PICKET_POLICY_COMPILE_H
#define PICKET_POLICY_COMPILE_H

#include "image.h"

/* A rule given as an option: `key` and the text after it. */
struct policy_option {
	enum rule_key key;
	const char *value; /* NULL: --no-exec (with key RULE_EXEC_ALLOW). --env NAME[=VALUE] is RULE_ENV_KEEP or
			      RULE_ENV_SET */
};

/* Everything a policy is made of. Strings are borrowed until compile returns. */
struct policy_source {
	const char *profile; /* --profile, or NULL */
	const char *file;    /* --policy, or NULL; with neither: workstation */
	const struct policy_option *options;
	size_t option_count;
	const char *workdir;	     /* absolute; ${WORKDIR} */
	const char *home;	     /* absolute or NULL (then ~ is an error); ${HOME} */
	const char *tmpdir;	     /* ${TMPDIR}; NULL: /tmp */
	const char *runtime_dir;     /* ${XDG_RUNTIME_DIR}; NULL: a rule that uses it is an error */
	struct policy_limits limits; /* those that limits_given says */
	unsigned limits_given;	     /* bit i: limit_names[i] was given as an option (0: no limit) */
	const char *
		result; /* --result, if it is a file: neither it nor what leads to it may be changed. Absolute, or NULL */
	const char *result_written; /* the same as it was given, to be shown; where there is one */
	const char *on_violation;   /* --on-violation: "deny", "kill" or "audit"; NULL: as the policy says */
};

struct draft; /* draft.h: the rules before they became an image */

/* A compiled policy. */
struct policy {
	struct image *image; /* malloc'ed */
	size_t length;	     /* bytes of it */
	char digest[72];     /* policy_digest, once it was asked for; or "" */
	struct draft *draft; /* what it was built from, for policy_resolve_again and policy_explain */
};

/* One complaint about a policy; all of them are collected, in the order of the text. */
struct policy_error {
	char *text; /* "policy.conf:12:3: unknown key \"reed\" in filesystem (did you mean \"read\"?)" */
};
struct policy_errors {
	struct policy_error *list;
	size_t count;
};

/*
 * Compile. 0 and *policy filled, or -EINVAL with at least one error in *errors, or another -errno
 * (-ENOMEM). Resolves host names (may block on DNS) and symbolic links.
 */
int policy_compile(const struct policy_source *source, struct policy *policy, struct policy_errors *errors);

/*
 * Look host names up again, since a connect matched no known address: at most once in 5 seconds
 * for each policy. 1: the image was replaced by one with more addresses, 0: nothing new, or -errno.
 */
int policy_resolve_again(struct policy *policy);

/* "sha256:<hex>" of the image that it was compiled to; made when it is first asked for, since that takes a third of
 * the time of compiling. Lives as long as the policy. */
const char *policy_digest(struct policy *policy);

void policy_free(struct policy *policy);
void policy_errors_free(struct policy_errors *errors);

/* Built-in profiles, as policy text. NULL when there is none of that name. */
const char *profile_text(const char *name);
extern const char *const profile_names[]; /* NULL-terminated */

#endif
