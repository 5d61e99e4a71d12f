/* SPDX-License-Identifier: MIT */
/* plugin_commands.c - `picket plugin verify`, `install`, `list` and `remove`. */
#include "plugin.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "commands.h"
#include "diag.h"
#include "plugin_check.h"
#include "plugin_elf.h"
#include "plugin_load.h"
#include "plugin_places.h"
#include "registry.h"

/* What was printed must have arrived. */
static int finish(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return EXIT_SUCCESS;
	diag("standard output: %s", strerror(errno));
	return EXIT_PICKET;
}

/* Which policy it will run under is not known here. */
static const struct plugin_limits no_policy = {.count = 0};

/* ---- verify ---- */

/* Text from strangers, as one line. */
static void print_value(const char *name, const char *text)
{
	char line[COMPLAINT_SIZE];

	complaint_escape(line, sizeof line, text, strlen(text));
	printf("  %-14s %s\n", name, line);
}

static void print_program(const struct plugin *plugin)
{
	struct plugin_elf elf;
	struct complaint why;

	if (plugin->program.cannot_run) {
		print_value("cannot be run", plugin->program.cannot_run);
		return;
	}
	if (plugin->program.kind == PLUGIN_SCRIPT) {
		print_value("interpreter", plugin->program.interpreter);
		if (*plugin->program.second)
			print_value("which runs", plugin->program.second);
		return;
	}
	if (plugin_elf_read(plugin->program.bytes, plugin->program.length, plugin->path, &elf, &why)) {
		print_value("program", why.text);
		return;
	}
	printf("  %-14s ELF, %u bits, %s, %s\n", "program", elf.bits, plugin_elf_machine(elf.machine),
	       elf.interpreter ? "dynamic" : "static");
	if (elf.interpreter)
		print_value("loader", elf.interpreter);
	for (size_t i = 0; i < elf.needed_count; i++)
		print_value("needs", elf.needed[i]);
	if (elf.rpath)
		print_value("RPATH", elf.rpath);
	if (elf.runpath)
		print_value("RUNPATH", elf.runpath);
	print_value("stack", elf.executable_stack ? "executable" : "not executable");
}

static void print_plugin(const struct plugin *plugin, bool verbose)
{
	const struct manifest *manifest = &plugin->manifest;
	char id[COMPLAINT_SIZE], version[COMPLAINT_SIZE];

	complaint_escape(id, sizeof id, manifest->id, strlen(manifest->id));
	complaint_escape(version, sizeof version, manifest->version, strlen(manifest->version));
	printf("plugin '%s' v%s: verified\n", id, version);
	if (!verbose)
		return;
	print_value("name", manifest->name);
	print_value("signed by", manifest->signed_by);
	print_value("scheme", sign_scheme_name(plugin->scheme));
	if (*plugin->key_id)
		print_value("key id", plugin->key_id);
	print_value("manifest", plugin->embedded ? "embedded in the program" : "beside the program");
	print_value("content hash", manifest->content_hash);
	printf("  %-14s %u\n", "timeout_secs", manifest->timeout_secs);
	for (size_t i = 0; i < manifest->capability_count; i++)
		print_value("asks for", manifest->capabilities[i]);
	if (!manifest->capability_count)
		print_value("asks for", "nothing");
	if (plugin->scheme == SIGN_HMAC)
		print_value("unsigned", "name, signer, capabilities and timeout (this scheme does not cover them)");
	print_program(plugin);
}

static json_t *strings(const char *const *list, size_t count)
{
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(array, json_string(list[i]));
	return array;
}

static int print_json(const struct plugin *plugin)
{
	const struct manifest *manifest = &plugin->manifest;
	json_t *object =
		json_pack("{s:s, s:s, s:s, s:s, s:s?, s:s, s:s, s:o, s:i, s:b, s:b}", "id", manifest->id, "name",
			  manifest->name, "version", manifest->version, "signed_by", manifest->signed_by, "key_id",
			  *plugin->key_id ? plugin->key_id : NULL, "scheme", sign_scheme_name(plugin->scheme),
			  "content_hash", manifest->content_hash, "capabilities",
			  strings(manifest->capabilities, manifest->capability_count), "timeout_secs",
			  (int)manifest->timeout_secs, "embedded", plugin->embedded, "verified", plugin->verified);
	int result = object ? json_dumpf(object, stdout, JSON_INDENT(2)) : -1;

	json_decref(object);
	putchar('\n');
	return result ? -ENOMEM : 0;
}

/* Open the session, load and verify. 0, or the user was told. */
static int load(const struct cli *cli, const char *verb, struct plugin *plugin)
{
	struct plugin_session session;
	struct complaint why = {""};
	int error = plugin_session_open(cli, &session, &why);

	if (!error) {
		const struct plugin_place place = {session.registry, cli->operands[0], cli->plugin.manifest, verb};
		error = plugin_load(&place, &session.trust, plugin, &why);
		plugin_session_close(&session);
	}
	if (error)
		diag("%s", why.text);
	return error;
}

int plugin_verify(const struct cli *cli)
{
	struct plugin plugin;
	struct complaint why;

	if (load(cli, "accept it", &plugin))
		return EXIT_PICKET;
	if (cli->json)
		print_json(&plugin);
	else
		print_plugin(&plugin, cli->job.verbose);
	int status = finish();
	if (!plugin.program.cannot_run && plugin_check_program(&plugin, &no_policy, "run it", &why)) {
		diag("%s", why.text);
		status = EXIT_PICKET;
	}
	plugin_free(&plugin);
	return status;
}

/* ---- install, remove ---- */

int plugin_install(const struct cli *cli)
{
	struct registry *registry = NULL;
	struct plugin plugin;
	struct complaint why = {""};
	struct cli with_path = *cli;
	char *operand = cli->operands[0], *as_path = NULL;

	/* here a word is always a file's name */
	if (!plugin_is_path(operand) && asprintf(&as_path, "./%s", operand) < 0) {
		diag("%s", strerror(ENOMEM));
		return EXIT_PICKET;
	}
	if (as_path)
		with_path.operands = &as_path;
	int error = load(&with_path, "install it", &plugin);
	free(as_path);
	if (error)
		return EXIT_PICKET;
	error = plugin_check_program(&plugin, &no_policy, "install it", &why);
	char *directory = error ? NULL : plugin_registry_directory(cli, &why);
	if (!error)
		error = directory ? registry_open(directory, true, &registry, &why) : -ENOENT;
	if (!error)
		error = registry_install(registry, &plugin.manifest, plugin.program.bytes, plugin.program.length, &why);
	if (error)
		diag("%s", why.text);
	else
		printf("plugin '%s' v%s: installed in %s\n", plugin.manifest.id, plugin.manifest.version, directory);
	registry_close(registry);
	plugin_free(&plugin);
	free(directory);
	return error ? EXIT_PICKET : finish();
}

int plugin_remove(const struct cli *cli)
{
	struct registry *registry = NULL;
	struct complaint why = {""};
	char *directory = plugin_registry_directory(cli, &why);
	int error = directory ? registry_open(directory, false, &registry, &why) : -ENOENT;

	if (!error)
		error = registry_remove(registry, cli->operands[0], &why);
	if (error)
		diag("%s", why.text);
	registry_close(registry);
	free(directory);
	return error ? EXIT_PICKET : EXIT_SUCCESS;
}

/* ---- list ---- */

/* What the rows of a list are put into. */
struct rows {
	bool json;
	bool faults; /* a manifest could not be read; the user was told */
	size_t count;
};

static int print_row(const struct registry_row *row, const char *fault, void *context)
{
	struct rows *rows = context;

	if (!row) { /* the others are still listed */
		diag("%s", fault);
		rows->faults = true;
		return 0;
	}
	if (rows->json)
		printf("%s\n  %s", rows->count ? "," : "", row->json);
	else if (!rows->count)
		printf("%-24s %-12s %-24s %s\n", "ID", "VERSION", "SIGNED BY", "NAME");
	if (!rows->json)
		printf("%-24s %-12s %-24s %s\n", row->id, row->version, row->signed_by, row->name);
	rows->count++;
	return 0;
}

int plugin_list(const struct cli *cli)
{
	struct registry *registry = NULL;
	struct complaint why = {""};
	struct rows rows = {.json = cli->json};
	char *directory = plugin_registry_directory(cli, &why);
	int error = directory ? registry_open(directory, false, &registry, &why) : -EINVAL;

	if (cli->json)
		putchar('[');
	if (!error)
		error = registry_list(registry, print_row, &rows, &why);
	if (error == -ENOENT)
		error = 0; /* nothing was ever installed */
	if (cli->json)
		printf("%s]\n", rows.count ? "\n" : "");
	if (error)
		diag("%s", *why.text ? why.text : strerror(-error));
	registry_close(registry);
	free(directory);
	return error || rows.faults ? EXIT_PICKET : finish();
}
