/* SPDX-License-Identifier: MIT */
/*
 * compiler.h - a policy while it is being compiled. Only for compile*.c and
 * conflict.c. Layers are read from the farthest to the nearest, each adding its rules to the draft;
 * whatever is wrong goes to faults and reading goes on.
 */
#ifndef PICKET_POLICY_COMPILER_H
#define PICKET_POLICY_COMPILER_H

#include <libconfig.h>

#include "draft.h"
#include "faults.h"
#include "texts.h"

struct compiler {
	struct draft *draft;
	struct faults *faults;
	struct texts *texts; /* of the layer being read; NULL: the command line */
	enum rule_layer layer;
	struct pattern_memory *memory; /* of links looked at */
	bool keeps_environment;	       /* a profile or environment.keep said what is kept */
};

/* compile_rule.c: one rule, `value` as the user wrote it. What is wrong with it is a fault; only -ENOMEM comes back. */
int compile_rule(struct compiler *compiler, enum rule_key key, const char *value, struct place place);
int compile_set(struct compiler *compiler, const char *name, const char *value, struct place place);

/* compile_rule.c: the rule that keeps the result of a run at `path`, which is absolute. As compile_rule. */
int compile_result(struct compiler *compiler, const char *path, const char *written);

/* compile_rule.c: an empty list: what farther layers allowed under this key is taken away. */
int compile_empty(struct compiler *compiler, enum rule_key key, struct place place);

/* compile_rule.c: what is kept when nobody says it. */
int compile_default_environment(struct compiler *compiler);

/* compile_file.c: the settings of a parsed file. 0 or -ENOMEM. */
int compile_settings(struct compiler *compiler, const config_setting_t *root);

/* compile_file.c: where a setting (its name, or itself when it is text in a list) stands. */
struct place setting_place(const struct compiler *compiler, const config_setting_t *setting);

/* compile_file.c: "a number", for complaints. */
const char *setting_type_name(const config_setting_t *setting);

/* compile_file.c: "deny", "kill" or "audit" into *what. */
bool on_violation_parse(const char *text, enum on_violation *what);

/* compile_limits.c: the group `limits`. */
void compile_limits(struct compiler *compiler, const config_setting_t *group);

/* compile_launch.c: the group `launch`. 0 or -ENOMEM. */
int compile_launch(struct compiler *compiler, const config_setting_t *group);

/* conflict.c: rules that can never take effect. 0 or -ENOMEM. */
int compile_check_conflicts(struct compiler *compiler);

#endif
