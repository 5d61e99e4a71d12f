/* SPDX-License-Identifier: MIT */
/*
 * compile_launch.c - the group `launch`: what callers who are not trusted may
 * have run. Names are exact: no wildcards, nothing below a path.
 */
#include "compiler.h"

#include <errno.h>
#include <string.h>

#include "request.h"
#include "suggest.h"

/* An environment variable's name as it stands in a list. */
static const char *take_name(struct compiler *compiler, const config_setting_t *item)
{
	const char *text = item->value.sval;

	if (*text && !strpbrk(text, "=*"))
		return arena_text(compiler->draft->arena, text);
	fault(compiler->faults, setting_place(compiler, item),
	      "launch.environment holds \"%s\" (each entry is the name of one variable, without \"=\" and \"*\")",
	      text);
	return "";
}

/* A program's path. */
static const char *take_path(struct compiler *compiler, const config_setting_t *item)
{
	const char *path = NULL;
	struct complaint why;
	int error =
		expand_path(&compiler->draft->variables, item->value.sval, false, compiler->draft->arena, &path, &why);

	if (error == -ENOMEM)
		return NULL;
	if (!error && !strchr(path, '*') && request_same_path(path, path))
		return path;
	fault(compiler->faults, setting_place(compiler, item),
	      "launch.programs holds \"%s\" (each entry is the absolute path of one program, without \"..\" and "
	      "\"*\")%s%s",
	      item->value.sval, error ? ": " : "", error ? why.text : "");
	return "";
}

static int read_names(struct compiler *compiler, const config_setting_t *list,
		      const char *(*take)(struct compiler *, const config_setting_t *), const char ***out,
		      size_t *count)
{
	unsigned length = (unsigned)config_setting_length(list);
	const char **names = arena_alloc(compiler->draft->arena, (length + 1) * sizeof *names);

	if (!names)
		return -ENOMEM;
	if (list->type != CONFIG_TYPE_LIST && list->type != CONFIG_TYPE_ARRAY) {
		fault(compiler->faults, setting_place(compiler, list),
		      "launch.%s must be a list of texts in double quotes, not %s", list->name,
		      setting_type_name(list));
		return 0;
	}
	for (unsigned i = 0; i < length; i++) {
		const config_setting_t *item = config_setting_get_elem(list, i);
		if (item->type != CONFIG_TYPE_STRING) {
			fault(compiler->faults, setting_place(compiler, item),
			      "launch.%s holds %s (each entry is text in double quotes)", list->name,
			      setting_type_name(item));
			continue;
		}
		const char *name = take(compiler, item);
		if (!name)
			return -ENOMEM;
		for (size_t k = 0; k < *count; k++)
			if (*name && !strcmp(names[k], name))
				fault(compiler->faults, setting_place(compiler, item),
				      "launch.%s holds \"%s\" twice (remove one)", list->name, item->value.sval);
		names[(*count)++] = name;
	}
	*out = names;
	return 0;
}

int compile_launch(struct compiler *compiler, const config_setting_t *group)
{
	static const char *const known[] = {"programs", "environment", "plain_arguments", NULL};
	struct launch_rules *rules = &compiler->draft->launch;
	int error = 0;

	for (unsigned i = 0; !error && i < (unsigned)config_setting_length(group); i++) {
		const config_setting_t *setting = config_setting_get_elem(group, i);
		if (!strcmp(setting->name, known[0])) {
			error = read_names(compiler, setting, take_path, &rules->programs, &rules->program_count);
		} else if (!strcmp(setting->name, known[1])) {
			error = read_names(compiler, setting, take_name, &rules->environment,
					   &rules->environment_count);
		} else if (strcmp(setting->name, known[2]) != 0) {
			const char *near = suggest(setting->name, known);
			fault(compiler->faults, setting_place(compiler, setting), "unknown key \"%s\" in launch (%s%s)",
			      setting->name,
			      near ? "did you mean " : "known are programs, environment, plain_arguments",
			      near ? near : "");
		} else if (setting->type != CONFIG_TYPE_BOOL) {
			fault(compiler->faults, setting_place(compiler, setting),
			      "launch.plain_arguments must be true or false, not %s", setting_type_name(setting));
		} else {
			rules->plain_arguments = setting->value.ival != 0;
		}
	}
	return error;
}
