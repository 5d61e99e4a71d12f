/* SPDX-License-Identifier: MIT */
/*
 * result.h - what a run came to: violations as they happen, then the whole
 * as one JSON object (picket-result(5)) and as a short summary for people.
 *
 * Violations are kept once for each (kind, target, exe, rule) with a count, up
 * to RESULT_MAX_VIOLATIONS of them and RESULT_MAX_BYTES of their text;
 * beyond that they are counted as dropped.
 */
#ifndef PICKET_TRACER_RESULT_H
#define PICKET_TRACER_RESULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "image.h"

enum { RESULT_MAX_VIOLATIONS = 4096, RESULT_MAX_BYTES = 2 << 20 };

enum violation_kind {
	VIOLATION_FILE_READ, VIOLATION_FILE_WRITE, VIOLATION_PROCESS_EXEC, VIOLATION_NETWORK_OUTBOUND,
	VIOLATION_NETWORK_BIND, VIOLATION_PROCESS_CONTROL, VIOLATION_PRIVILEGE, VIOLATION_INTERFACE,
};
enum violation_action { ACTION_DENIED, ACTION_KILLED, ACTION_AUDITED };
enum violation_origin { ORIGIN_SHIM, ORIGIN_RAW, ORIGIN_STATIC, ORIGIN_LOADER };

/* A process above the one that was refused. */
struct ancestor { pid_t pid; const char *exe; };

/* One refusal. Strings are borrowed for the call; byte strings may hold anything but NUL. */
struct violation {
	enum violation_kind kind;
	enum violation_action action;
	const char *target;	/* what was refused, resolved: a path, an address, a call */
	const char *requested;	/* as the program asked for it */
	const char *syscall;
	int error;		/* errno it got; 0 when audited */
	pid_t pid, tid;
	const char *exe, *command, *cwd;
	const struct ancestor *ancestry;
	size_t ancestor_count;
	enum violation_origin origin;
	uint32_t rule;		/* index, or RULE_DEFAULT; RULE_ALWAYS for what no policy allows */
	const char *allow_with;	/* or NULL */
};
#define RULE_ALWAYS (UINT32_MAX - 1)	/* rule: { "source": "built in", "key": "always", "value": null } */

struct result;

struct result *result_new(const struct image *image);	/* NULL: out of memory; borrows image */
void result_free(struct result *result);

/*
 * Is this refusal (kind, target, exe, rule) one that the result already holds? Then its count is raised
 * and nothing else need be found out. Otherwise false, and result_add is due.
 */
bool result_again(struct result *result, enum violation_kind kind, const char *target, const char *exe, uint32_t rule);
/* Add one. Never fails: what cannot be kept is counted as dropped. */
void result_add(struct result *result, const struct violation *violation);
uint64_t result_violation_count(const struct result *result);

/* How the run ended and what it used; filled by the supervisor and the launcher. */
struct run_outcome {
	int exit_code;			/* or -1 */
	int signal;			/* or 0 */
	bool timed_out;
	const char *resource_limited;	/* name of the limit, or NULL */
	uint64_t started_at_ns;		/* CLOCK_REALTIME */
	uint64_t duration_ns;
	uint64_t peak_memory_bytes, cpu_time_ns, bytes_written, bytes_read;
	const char *level;		/* "ptrace", "seccomp", ... */
	const char *transport;		/* "ptrace", "notify" or NULL */
	bool boundary, landlock;
	const char *not_higher_because;	/* or NULL */
	const char *policy_digest;
	uint64_t processes, supervisor_stops, gate_roots;
};
/* What the caller said of the run. */
struct run_identity {
	char *const *command;		/* NULL-terminated */
	const char *cwd, *tool_id, *trace_id, *request_id;
	char *const *labels;		/* "K=V", NULL-terminated, or NULL */
};
/* What was captured; all NULL without --capture. */
struct run_output { const char *stdout_bytes; size_t stdout_length; const char *stderr_bytes; size_t stderr_length; bool truncated; };

/* Write the JSON object and a newline to fd. 0 or -errno; short writes are completed. */
int result_write(const struct result *result, const struct run_identity *identity, const struct run_outcome *outcome,
		 const struct run_output *output, int fd);
/* The same into a file that is replaced atomically (temporary file beside it, fsync, rename). */
int result_write_file(const struct result *result, const struct run_identity *identity, const struct run_outcome *outcome,
		      const struct run_output *output, const char *path);
/* At most ten refusals, then a count; each line begins "picket: ". Nothing when nothing was refused. */
void result_summary(const struct result *result, const struct run_outcome *outcome, FILE *to);
/* One line for -v. */
void result_print_violation(const struct result *result, const struct violation *violation, FILE *to);

#endif
