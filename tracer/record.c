/* SPDX-License-Identifier: MIT */
/*
 * record.c - from a refusal to a violation of the result: who asked, from
 * where, and what would allow it. Looked up only when the refusal is a new one.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "act.h"
#include "allow.h"
#include "cleanup.h"
#include "floor.h"
#include "shim_file.h"

enum { ANCESTORS_MOST = 16, COMMAND_MOST = 4096 };

/* The command line of a process, arguments separated by blanks. */
static void command_line(pid_t tgid, char *text, size_t size)
{
	char path[64];

	text[0] = 0;
	snprintf(path, sizeof path, "/proc/%d/cmdline", (int)tgid);
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, size - 1);
	if (n <= 0)
		return;
	for (ssize_t i = 0; i + 1 < n; i++)
		if (!text[i])
			text[i] = ' ';
	text[n] = 0;
}

static void working_directory(pid_t tid, char *text, size_t size)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/cwd", (int)tid);
	ssize_t n = readlink(path, text, size - 1);
	text[n > 0 ? n : 0] = 0;
}

struct ancestry {
	struct ancestor list[ANCESTORS_MOST];
	char *exes[ANCESTORS_MOST];
	size_t count;
};

static void find_ancestors(struct guard *guard, pid_t process, struct ancestry *all)
{
	pid_t parent = tracee_parent(&guard->tracees, process);

	for (all->count = 0; parent && all->count < ANCESTORS_MOST; all->count++) {
		char *exe = tracee_exe_of(&guard->tracees, parent);
		all->exes[all->count] = exe;
		all->list[all->count] = (struct ancestor){parent, exe ? exe : ""};
		parent = tracee_parent(&guard->tracees, parent);
	}
}

static void forget_ancestors(struct ancestry *all)
{
	for (size_t i = 0; i < all->count; i++)
		free(all->exes[i]);
}

/* Files whose code makes calls for a program that calls functions; musl's loader is its libc. */
static bool is_libc(const char *name)
{
	static const char *const libraries[] = {"libc.so", "libc-",	"ld-musl-", "libpthread",
						"librt",   "libresolv", "libnss_",  "libanl"};

	for (size_t i = 0; i < sizeof libraries / sizeof libraries[0]; i++)
		if (strncmp(name, libraries[i], strlen(libraries[i])) == 0)
			return true;
	return false;
}

/* By the file that has the instruction, and by whether the shim stands in front of libc. */
static enum violation_origin origin_of_code(pid_t tid, uint64_t ip)
{
	char path[64], line[PATH_MAX + 128], name[NAME_MAX + 1] = "";
	bool shim = false;

	snprintf(path, sizeof path, "/proc/%d/maps", (int)tid);
	FILE *maps = fopen(path, "re");
	while (maps && fgets(line, sizeof line, maps)) {
		unsigned long long start, end;
		const char *base = strrchr(line, '/');
		if (!base || sscanf(line, "%llx-%llx", &start, &end) != 2)
			continue;
		shim |= strcmp(base + 1, SHIM_FILE_NAME "\n") == 0;
		if (ip >= start && ip < end)
			snprintf(name, sizeof name, "%s", base + 1);
	}
	if (maps)
		fclose(maps);
	if (strcmp(name, SHIM_FILE_NAME "\n") == 0 || (shim && is_libc(name)))
		return ORIGIN_SHIM;
	return !is_libc(name) && (strncmp(name, "ld-", 3) == 0 || strncmp(name, "ld.", 3) == 0) ? ORIGIN_LOADER
												: ORIGIN_RAW;
}

static enum violation_origin origin(const struct request *request)
{
	return tracee_dynamic(request->task) ? origin_of_code(request->task->tid, request->stop.ip) : ORIGIN_STATIC;
}

/* malloc'ed, or NULL. */
static char *allow_with(const struct guard *guard, const struct request *request, const struct refusal *refusal)
{
	if (refusal->rule == RULE_ALWAYS || refusal->image != 0)
		return NULL;
	const struct image *image = guard->policies[0]->image;
	struct verdict verdict = {.allowed = false, .error = refusal->error, .rule = refusal->rule};
	if (refusal->everywhere)
		return allow_with_everywhere(verdict, refusal->transport);
	if (refusal->move)
		return allow_with_move(image, verdict, refusal->target);
	if (refusal->address)
		return allow_with_address(image, verdict, refusal->use, refusal->transport, &request->address.any,
					  request->address.length);
	if (refusal->unix_path)
		return allow_with_unix_path(image, verdict, refusal->use, refusal->target + sizeof "unix:" - 1);
	if (!refusal->access || floor_of_kernel(refusal->target))
		return NULL;
	return allow_with_path(image, verdict, refusal->access, refusal->target);
}

/* The text of the name that is refused, as the tool gave it. */
static const char *requested(const struct request *request, const struct refusal *refusal)
{
	for (int i = 0; i < REQUEST_NAMES; i++) {
		const struct name_arg *name = &request->names[i];
		if (name->arg >= 0 && name->length && strcmp(name->at.judged, refusal->target) == 0)
			return name->text;
	}
	return request->names[0].length ? request->names[0].text : refusal->target;
}

void act_record(struct guard *guard, const struct request *request, const struct refusal *refusal,
		enum violation_action action)
{
	struct process *process = request->task->process;
	uint32_t rule = refusal->rule == RULE_ALWAYS || refusal->image == 0 ? refusal->rule : RULE_CAPABILITIES;
	pid_t pid = tracee_tgid(request->task);
	const char *exe = tracee_exe(process);
	char command[COMMAND_MOST], cwd[PATH_MAX];
	struct ancestry ancestry;

	guard->refusals++;
	pthread_mutex_lock(&guard->result_lock);
	bool again = result_again(guard->result, refusal->kind, refusal->target, exe, rule);
	pthread_mutex_unlock(&guard->result_lock);
	if (again)
		return;
	command_line(pid, command, sizeof command);
	working_directory(request->task->tid, cwd, sizeof cwd);
	find_ancestors(guard, pid, &ancestry);
	pthread_rwlock_rdlock(&guard->policy_lock);
	pthread_mutex_lock(&guard->result_lock);
	cleanup_free char *allow = allow_with(guard, request, refusal);
	struct violation violation = {
		.kind = refusal->kind,
		.action = action,
		.target = refusal->target,
		.requested = requested(request, refusal),
		.syscall = request->call->name,
		.error = action == ACTION_AUDITED ? 0 : refusal->error,
		.pid = pid,
		.tid = request->task->tid,
		.exe = exe,
		.command = command,
		.cwd = cwd,
		.ancestry = ancestry.list,
		.ancestor_count = ancestry.count,
		.origin = origin(request),
		.rule = rule,
		.allow_with = allow,
	};
	result_add(guard->result, &violation);
	if (guard->verbose)
		result_print_violation(guard->result, &violation, stderr);
	pthread_mutex_unlock(&guard->result_lock);
	pthread_rwlock_unlock(&guard->policy_lock);
	forget_ancestors(&ancestry);
}
