/* SPDX-License-Identifier: MIT */
/* heard.c - see heard.h; the counterpart of record.c for a run without a supervisor. */
#include "heard.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "address.h"
#include "allow.h"
#include "cleanup.h"
#include "floor.h"
#include "result.h"
#include "syscalls.h"

_Static_assert((int)WIRE_FILE_READ == VIOLATION_FILE_READ && (int)WIRE_INTERFACE == VIOLATION_INTERFACE &&
		       WIRE_RULE_ALWAYS == RULE_ALWAYS,
	       "the same numbers on both sides");

enum { ANCESTORS_MOST = 16, EXE_ROOM = PATH_MAX, TARGET_ROOM = WIRE_REPORT_MOST + sizeof "unix:" };

/* A message taken apart; texts NUL-terminated. */
struct message {
	struct wire_report head;
	char texts[WIRE_REPORT_MOST + WIRE_TEXTS];
	const char *text[WIRE_TEXTS];
	union {
		struct sockaddr any;
		struct sockaddr_storage storage;
	} address;
	char target[TARGET_ROOM]; /* when it is made here */
};

/* False: not one that a shim would send. */
static bool take_apart(struct message *m, const struct wire_report *report, size_t length)
{
	const char *from = (const char *)(report + 1);
	size_t left = length - sizeof *report, to = 0;

	if (length < sizeof *report || length > WIRE_REPORT_MOST || report->version != WIRE_VERSION ||
	    report->kind > WIRE_INTERFACE || report->about > WIRE_ABOUT_EVERYWHERE || report->image >= GUARD_IMAGES ||
	    report->use > NET_BIND || report->transport > NET_UDP)
		return false;
	m->head = *report;
	memset(&m->address, 0, sizeof m->address);
	for (int i = 0; i < WIRE_TEXTS; i++) {
		size_t n = report->length[i];
		if (n > left)
			return false;
		if (i == WIRE_ADDRESS)
			memcpy(&m->address, from, n < sizeof m->address ? n : sizeof m->address);
		m->text[i] = m->texts + to;
		memcpy(m->texts + to, from, n);
		to += n;
		m->texts[to++] = 0;
		from += n;
		left -= n;
	}
	return true;
}

static pid_t parent_of(pid_t pid)
{
	char path[64], text[512];

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	if (n <= 0)
		return 0;
	text[n] = 0;
	const char *end = strrchr(text, ')');
	int parent;
	return end && sscanf(end + 1, " %*c %d", &parent) == 1 ? (pid_t)parent : 0;
}

/* As far as they are still there. */
static size_t ancestry(pid_t pid, pid_t top, struct ancestor *list, char (*exes)[EXE_ROOM])
{
	size_t count = 0;

	while (count < ANCESTORS_MOST && (pid = parent_of(pid)) > 1 && pid != top) {
		char path[64];
		snprintf(path, sizeof path, "/proc/%d/exe", (int)pid);
		ssize_t n = readlink(path, exes[count], EXE_ROOM - 1);
		exes[count][n > 0 ? n : 0] = 0;
		list[count] = (struct ancestor){pid, exes[count]};
		count++;
	}
	return count;
}

static const char *target_of(struct message *m)
{
	switch ((enum wire_about)m->head.about) {
	case WIRE_ABOUT_ADDRESS:
		address_text(&m->address.any, m->head.length[WIRE_ADDRESS], (enum net_transport)m->head.transport,
			     m->target, sizeof m->target);
		return m->target;
	case WIRE_ABOUT_CALL:
	case WIRE_ABOUT_EVERYWHERE:
		if (m->text[WIRE_TARGET][0] && m->text[WIRE_TARGET][0] != '%')
			return m->text[WIRE_TARGET];
		snprintf(m->target, sizeof m->target, "%s%s", call_find(m->head.call)->name,
			 m->text[WIRE_TARGET][0] ? m->text[WIRE_TARGET] + 1 : "");
		return m->target;
	case WIRE_ABOUT_UNIX_PATH:
		snprintf(m->target, sizeof m->target, "unix:%s", m->text[WIRE_TARGET]);
		return m->target;
	case WIRE_ABOUT_PATH:
	case WIRE_ABOUT_MOVE:
	case WIRE_ABOUT_PROGRAM:
		break;
	}
	return m->text[WIRE_TARGET];
}

/* malloc'ed, or NULL. */
static char *allow_with(const struct guard *guard, const struct message *m)
{
	const struct image *image = guard->policies[0]->image;
	struct verdict verdict = {.allowed = false, .error = m->head.error, .rule = m->head.rule};
	const char *target = m->text[WIRE_TARGET];

	if (m->head.image != 0)
		return NULL;
	if (m->head.about == WIRE_ABOUT_PROGRAM) { /* an option that names exactly this program */
		verdict.rule = RULE_DEFAULT;
		return allow_with_path(image, verdict, ACCESS_EXEC, target);
	}
	if (verdict.rule != RULE_DEFAULT && verdict.rule >= image_rule_count(image))
		return NULL;
	switch ((enum wire_about)m->head.about) {
	case WIRE_ABOUT_PATH:
		return m->head.access && target[0] == '/' && !floor_of_kernel(target)
			       ? allow_with_path(image, verdict, m->head.access, target)
			       : NULL;
	case WIRE_ABOUT_ADDRESS:
		return allow_with_address(image, verdict, (enum net_use)m->head.use,
					  (enum net_transport)m->head.transport, &m->address.any,
					  m->head.length[WIRE_ADDRESS]);
	case WIRE_ABOUT_UNIX_PATH:
		return allow_with_unix_path(image, verdict, (enum net_use)m->head.use, target);
	case WIRE_ABOUT_EVERYWHERE:
		return allow_with_everywhere(verdict, (enum net_transport)m->head.transport);
	case WIRE_ABOUT_MOVE:
		return allow_with_move(image, verdict, target);
	case WIRE_ABOUT_CALL:
	case WIRE_ABOUT_PROGRAM:
		break;
	}
	return NULL;
}

/* Which rule the result is to show: one that is there. */
static uint32_t rule_of(const struct guard *guard, const struct message *m)
{
	if (m->head.image != 0)
		return RULE_ALWAYS;
	if (m->head.rule == RULE_DEFAULT || m->head.rule == RULE_ALWAYS ||
	    m->head.rule < image_rule_count(guard->policies[0]->image))
		return m->head.rule;
	return RULE_ALWAYS;
}

static enum violation_action action_of(const struct guard *guard, uint32_t rule)
{
	if (guard->on_violation == ON_VIOLATION_KILL)
		return ACTION_KILLED;
	if (rule == RULE_ALWAYS || decide_is_final(guard->policies[0]->image, rule))
		return ACTION_DENIED;
	return guard->on_violation == ON_VIOLATION_AUDIT ? ACTION_AUDITED : ACTION_DENIED;
}

static void record(struct guard *guard, struct message *m, pid_t top)
{
	static char exes[ANCESTORS_MOST][EXE_ROOM];
	struct ancestor ancestors[ANCESTORS_MOST];
	uint32_t rule = rule_of(guard, m);
	enum violation_action action = action_of(guard, rule);
	const char *target = target_of(m), *requested = m->text[WIRE_REQUESTED];

	guard->violated_fatally |= action == ACTION_KILLED;
	if (result_again(guard->result, (enum violation_kind)m->head.kind, target, m->text[WIRE_EXE], rule))
		return;
	cleanup_free char *allow = allow_with(guard, m);
	struct violation violation = {
		.kind = (enum violation_kind)m->head.kind,
		.action = action,
		.target = target,
		.requested = *requested ? requested : target,
		.syscall = call_find(m->head.call)->name,
		.error = action == ACTION_AUDITED ? 0 : m->head.error,
		.pid = m->head.pid,
		.tid = m->head.tid,
		.exe = m->text[WIRE_EXE],
		.command = m->text[WIRE_COMMAND],
		.cwd = m->text[WIRE_CWD],
		.ancestry = ancestors,
		.ancestor_count = ancestry(m->head.pid, top, ancestors, exes),
		.origin = ORIGIN_SHIM,
		.rule = rule,
		.allow_with = allow,
	};
	result_add(guard->result, &violation);
	if (guard->verbose)
		result_print_violation(guard->result, &violation, stderr);
}

void heard(struct guard *guard, const struct wire_report *report, size_t length, pid_t top)
{
	static struct message message;

	if (take_apart(&message, report, length))
		record(guard, &message, top);
	else
		result_miss(guard->result, 1);
}

void heard_refused_command(struct guard *guard, const char *name, struct verdict verdict, unsigned image)
{
	static struct message message;
	static const char none[] = "";

	message.head = (struct wire_report){.version = WIRE_VERSION,
					    .call = (uint32_t)call_by_name("execve")->number,
					    .pid = (int32_t)getpid(),
					    .tid = (int32_t)getpid(),
					    .error = verdict.error,
					    .rule = verdict.rule,
					    .kind = WIRE_PROCESS_EXEC,
					    .about = WIRE_ABOUT_PATH,
					    .image = (uint8_t)image,
					    .access = ACCESS_EXEC};
	for (int i = 0; i < WIRE_TEXTS; i++)
		message.text[i] = none;
	message.text[WIRE_TARGET] = name;
	record(guard, &message, 0);
}
