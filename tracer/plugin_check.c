/* SPDX-License-Identifier: MIT */
/* plugin_check.c - see plugin_check.h. */
#include "plugin_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "plugin_elf.h"

char *plugin_second_interpreter(const struct plugin_program *program)
{
	const char *name = program->second, *path = getenv("PATH");
	struct stat status;

	if (program->kind != PLUGIN_SCRIPT || !*name)
		return NULL;
	if (strchr(name, '/'))
		return *name == '/' ? strdup(name) : NULL;
	for (const char *at = path && *path ? path : "/usr/local/bin:/usr/bin:/bin";;) {
		size_t length = strcspn(at, ":");
		char *found = NULL;
		if (*at == '/' && asprintf(&found, "%.*s/%s", (int)length, at, name) < 0)
			return NULL;
		if (found && stat(found, &status) == 0 && S_ISREG(status.st_mode) && (status.st_mode & 0111))
			return found;
		free(found);
		if (!at[length])
			return NULL;
		at += length + 1;
	}
}

static int check_script(const struct plugin *plugin, const struct plugin_limits *limits, struct complaint *reason)
{
	cleanup_free char *second = plugin_second_interpreter(&plugin->program);
	int error = plugin_check_place(plugin->program.interpreter, "interpreter", plugin->path, limits, reason);

	return error || !second ? error : plugin_check_place(second, "interpreter", plugin->path, limits, reason);
}

static int check_elf(const struct plugin *plugin, const struct plugin_limits *limits, struct complaint *reason)
{
	struct plugin_elf elf;
	int error = plugin_elf_read(plugin->program.bytes, plugin->program.length, plugin->path, &elf, reason);

	return error ? error : plugin_elf_check(&elf, plugin->path, limits, reason);
}

int plugin_check_program(const struct plugin *plugin, const struct plugin_limits *limits, const char *verb,
			 struct complaint *why)
{
	struct complaint reason;
	int error;

	if (plugin->program.cannot_run)
		return plugin_refuse(&plugin->manifest, verb, plugin->program.cannot_run, NULL, why);
	error = plugin->program.kind == PLUGIN_ELF ? check_elf(plugin, limits, &reason)
						   : check_script(plugin, limits, &reason);
	return error ? plugin_refuse(&plugin->manifest, verb, reason.text, NULL, why) : 0;
}
