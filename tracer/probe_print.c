/* SPDX-License-Identifier: MIT */
/*
 * probe_print.c - what was found, for people and programs. The capability
 * flags say what a run on this machine enforces, not what it might.
 */
#include "probe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>

#include <jansson.h>

#include "version.h"

enum { PROCESSES_PER_RUN = 2 }; /* the supervisor and the tool, at least */

/* The level that a run takes when nothing is asked for, or -1. */
static int usual(const struct probe *probe)
{
	static const struct level_wish none;
	char why[PROBE_WHY_SIZE + 64];
	enum level level;
	return level_choose(probe, &none, &level, why) == 0 ? (int)level : -1;
}

static unsigned long long number_in(const char *path)
{
	unsigned long long number = 0;
	FILE *file = fopen(path, "re");
	if (file != NULL && fscanf(file, "%llu", &number) != 1)
		number = 0;
	if (file != NULL)
		fclose(file);
	return number;
}

/* Runs share nothing, so only the number of processes bounds how many there can be at once. */
static unsigned long long most_runs(void)
{
	unsigned long long most = number_in("/proc/sys/kernel/pid_max"),
			   threads = number_in("/proc/sys/kernel/threads-max");
	struct rlimit own;
	if (threads > 0 && (most == 0 || threads < most))
		most = threads;
	if (getrlimit(RLIMIT_NPROC, &own) == 0 && own.rlim_cur != RLIM_INFINITY && (most == 0 || own.rlim_cur < most))
		most = own.rlim_cur;
	return most / PROCESSES_PER_RUN;
}

/* What a run guards. Level preload is not a boundary and isolates nothing. */
struct capability {
	const char *name;
	bool value;
};
enum { CAPABILITIES = 7 };

static void capabilities_of(const struct probe *probe, struct capability list[CAPABILITIES])
{
	bool boundary = usual(probe) >= LEVEL_PTRACE;
	const struct capability all[CAPABILITIES] = {
		{"filesystem_isolation", boundary},
		{"network_isolation", boundary},
		{"process_isolation", boundary}, /* no signal to, no trace of, no memory of a process outside the run */
		{"resource_limits", boundary},
		{"syscall_filtering", boundary}, /* the supervisor refuses, where no filter may be installed */
		{"persistent_sandboxes", false}, /* a run leaves nothing behind to come back to */
		{"snapshots", false},
	};
	memcpy(list, all, sizeof(all));
}

static json_t *levels_json(const struct probe *probe)
{
	json_t *levels = json_array();
	for (unsigned i = 0; i < LEVEL_COUNT; i++) {
		bool available = probe->level[i].available;
		json_array_append_new(levels,
				      json_pack("{s:s, s:b, s:b, s:s?}", "level", level_name((enum level)i),
						"available", available, "only_asked_for", probe->level[i].only_asked,
						"why_not", available ? NULL : probe->level[i].why));
	}
	return levels;
}

static json_t *features_json(const struct probe *probe)
{
	json_t *list = json_array();
	for (unsigned i = 0; i < FEATURE_COUNT; i++) {
		if (probe->feature[i].available)
			json_array_append_new(list, json_string(feature_name((enum feature)i)));
	}
	return list;
}

static int print_json(const struct probe *probe, FILE *to)
{
	struct capability capabilities[CAPABILITIES];
	int best = usual(probe), error = 0;
	json_t *profiles = json_array();
	for (const char *const *name = profile_names; *name != NULL; name++)
		json_array_append_new(profiles, json_string(*name));
	json_t *object =
		json_pack("{s:i, s:s, s:s, s:s?, s:o}", "schema", 1, "name", "picket", "picket", PICKET_VERSION,
			  "level", best < 0 ? NULL : level_name((enum level)best), "levels", levels_json(probe));
	capabilities_of(probe, capabilities);
	for (size_t i = 0; i < CAPABILITIES && object != NULL; i++)
		json_object_set_new(object, capabilities[i].name, json_boolean(capabilities[i].value));
	if (json_object_set_new(object, "max_concurrent_sandboxes", json_integer((json_int_t)most_runs())) != 0 ||
	    json_object_set_new(object, "available_profiles", profiles) != 0 ||
	    json_object_set_new(object, "platform_features", features_json(probe)) != 0)
		error = -ENOMEM;
	else if (json_dumpf(object, to, JSON_INDENT(2)) != 0 || fputc('\n', to) == EOF)
		error = -EIO;
	json_decref(object);
	return error;
}

static int print_text(const struct probe *probe, FILE *to)
{
	struct capability capabilities[CAPABILITIES];
	struct utsname machine;
	int best = usual(probe);
	if (uname(&machine) == 0)
		fprintf(to, "picket %s on %s %s %s\n\n", PICKET_VERSION, machine.sysname, machine.release,
			machine.machine);
	fputs("Levels of enforcement, weakest first:\n", to);
	for (unsigned i = 0; i < LEVEL_COUNT; i++) {
		const struct probe_finding *found = &probe->level[i];
		fprintf(to, "  %-22s %s%s%s\n", level_name((enum level)i), found->available ? "yes" : "no",
			!found->available   ? ": "
			: found->only_asked ? ", when it is asked for"
					    : "",
			found->why);
	}
	fprintf(to, "A run uses: %s\n\nWhat a run has here:\n",
		best < 0 ? "none; it refuses to start" : level_name((enum level)best));
	capabilities_of(probe, capabilities);
	for (size_t i = 0; i < CAPABILITIES; i++)
		fprintf(to, "  %-22s %s\n", capabilities[i].name, capabilities[i].value ? "yes" : "no");
	fprintf(to, "  %-22s %llu\n\nWhat the kernel gives:\n", "at most at once", most_runs());
	for (unsigned i = 0; i < FEATURE_COUNT; i++) {
		const struct probe_finding *found = &probe->feature[i];
		fprintf(to, "  %-22s %s%s%s\n", feature_name((enum feature)i), found->available ? "yes" : "no",
			found->available ? "" : ": ", found->why);
	}
	return ferror(to) ? -EIO : 0;
}

int probe_print(const struct probe *probe, FILE *to, bool json)
{
	return json ? print_json(probe, to) : print_text(probe, to);
}
