/* SPDX-License-Identifier: MIT */
/*
 * result.h - what a run came to: violations as they happen, then the whole
 * as one JSON object (picket-result(5)) and as a short summary for people.
 *
 * Violations are kept once for each (kind, target, exe, rule) with a count, up
 * to RESULT_MAX_VIOLATIONS of them and RESULT_MAX_BYTES of their text;
 * beyond that they are counted as dropped. A part of both is set aside for each
 * kind, so that a flood of one kind does not push out the others: see result_store.h.
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
	VIOLATION_FILE_READ,
	VIOLATION_FILE_WRITE,
	VIOLATION_PROCESS_EXEC,
	VIOLATION_NETWORK_OUTBOUND,
	VIOLATION_NETWORK_BIND,
	VIOLATION_PROCESS_CONTROL,
	VIOLATION_PRIVILEGE,
	VIOLATION_INTERFACE,
};
enum violation_action { ACTION_DENIED, ACTION_KILLED, ACTION_AUDITED };
enum violation_origin { ORIGIN_SHIM, ORIGIN_RAW, ORIGIN_STATIC, ORIGIN_LOADER };

/* A process above the one that was refused. */
struct ancestor {
	pid_t pid;
	const char *exe;
};

/* One refusal. Strings are borrowed for the call; byte strings may hold anything but NUL. */
struct violation {
	enum violation_kind kind;
	enum violation_action action;
	const char *target;    /* what was refused, resolved: a path, an address, a call */
	const char *requested; /* as the program asked for it */
	const char *syscall;
	int error; /* errno it got; 0 when audited */
	pid_t pid, tid;
	const char *exe, *command, *cwd;
	const struct ancestor *ancestry;
	size_t ancestor_count;
	enum violation_origin origin;
	uint32_t rule;		/* index, or RULE_DEFAULT; RULE_ALWAYS for what no policy allows;
				 * RULE_CAPABILITIES for what a plugin did not ask for */
	const char *allow_with; /* or NULL */
};
#define RULE_ALWAYS (UINT32_MAX - 1) /* rule: { "source": "built in", "key": "always", "value": null } */
#define RULE_CAPABILITIES \
	(UINT32_MAX - 2) /* rule: { "source": "plugin manifest", "key": "capabilities", "value": null } */

struct result;

struct result *result_new(const struct image *image); /* NULL: out of memory; borrows image */
void result_free(struct result *result);
/* From now on rules are looked up in this image, which is borrowed. What was added before keeps its rule. */
void result_use_image(struct result *result, const struct image *image);

/*
 * Is this refusal (kind, target, exe, rule) one that the result already holds, or one for which there is no room
 * left? Then it is counted and nothing else need be found out. Otherwise false, and result_add is due.
 */
bool result_again(struct result *result, enum violation_kind kind, const char *target, const char *exe, uint32_t rule);
/* Add one. Never fails: what cannot be kept is counted as dropped. */
void result_add(struct result *result, const struct violation *violation);
/* So many refusals are known of, but not what they were. */
void result_miss(struct result *result, uint64_t count);
/* Refusals so far, repeated and dropped ones included. */
uint64_t result_violation_count(const struct result *result);

/* How the run ended and what it used; filled by the supervisor and the launcher. */
struct run_outcome {
	int exit_code; /* or -1 */
	int signal;    /* or 0 */
	bool timed_out;
	bool ended_by_limit;
	const char *resource_limited; /* name of the limit that did, or else of one that refused something; or NULL */
	uint64_t started_at_ns;	      /* CLOCK_REALTIME */
	uint64_t duration_ns;
	uint64_t peak_memory_bytes, cpu_time_ns, bytes_written, bytes_read;
	const char *level;     /* "ptrace", "seccomp", ... */
	const char *transport; /* "ptrace", "notify" or NULL */
	bool boundary, landlock;
	bool control_group;		/* the kernel keeps limits of the run, too */
	const char *not_higher_because; /* or NULL */
	const char *policy_digest;
	uint64_t processes, supervisor_stops, gate_roots;
};
/* A plugin that is run. The lists are NULL-terminated. */
struct plugin_identity {
	const char *id, *version, *signer, *key_id /* or NULL */, *scheme, *content_hash;
	const char *const *asked, *const *given, *const *in_part, *const *withheld; /* capabilities */
	bool verified; /* signature and content hash were right */
};
/* What the caller said of the run. */
struct run_identity {
	char *const *command; /* NULL-terminated */
	const char *cwd, *tool_id, *trace_id, *request_id;
	char *const *labels;		      /* "K=V", NULL-terminated, or NULL */
	const struct plugin_identity *plugin; /* or NULL */
};
/* What was captured; all NULL without --capture. */
struct run_output {
	const char *stdout_bytes;
	size_t stdout_length;
	const char *stderr_bytes;
	size_t stderr_length;
	bool truncated;
};

/*
 * Write the JSON object and a newline to fd. 0 or -errno (-EPIPE when a reader has gone; no SIGPIPE); short
 * writes are completed.
 */
int result_write(const struct result *result, const struct run_identity *identity, const struct run_outcome *outcome,
		 const struct run_output *output, int fd);

/*
 * Where a result will be written. It is opened before the tool starts, so that a wrong name is found out before
 * anything has run, and so that the tool cannot lead the result elsewhere by moving directories about.
 */
struct result_file {
	int dirfd;  /* directory of the file that will be replaced, or -1 */
	char *name; /* its last component; malloc'ed */
	char *path; /* the whole as it was given, or NULL: a descriptor of the caller's. malloc'ed */
	int fd;	    /* what is written to as it stands (a FIFO, a terminal, /dev/fd/N), or -1 */
	dev_t dev;  /* what was written, once it was */
	ino_t ino;
};
#define RESULT_FILE_NONE ((struct result_file){.dirfd = -1, .fd = -1})

/*
 * Is what has this name the run's to keep? Not a descriptor of the caller's, nor a device: anybody may write there, and it is not
 * replaced.
 */
bool result_file_is_kept(const char *path);

/*
 * A regular file, or a name that nothing has, will be replaced; a symbolic link too (the link itself, not what it
 * leads to), except the kernel's own names for descriptors such as /dev/stderr. 0 or -errno: what the path lacks,
 * -EISDIR. On an error *file is RESULT_FILE_NONE.
 */
int result_file_open(struct result_file *file, const char *path);
/*
 * Replace it atomically: temporary file beside it, rename, whatever rights the tool has left to us in a directory that is
 * ours. On an error (-ENOSPC) what was there before is removed: it would be taken for the result of this run.
 */
int result_file_write(struct result_file *file, const struct result *result, const struct run_identity *identity,
		      const struct run_outcome *outcome, const struct run_output *output);
/* After that, whether it failed or not: does the name as it was given lead to anything that is not this result? */
bool result_file_misleads(const struct result_file *file);
void result_file_close(struct result_file *file);

/* Open, write and close in one. */
int result_write_file(const struct result *result, const struct run_identity *identity,
		      const struct run_outcome *outcome, const struct run_output *output, const char *path);

/*
 * At most ten refusals, then a count; a line when the time or another limit ended the run. Each line begins
 * "picket: ". Nothing when nothing of that happened.
 */
void result_summary(const struct result *result, const struct run_outcome *outcome, FILE *to);
/* The same where each refusal was said as it happened (-v): only how many there were. */
void result_total(const struct result *result, const struct run_outcome *outcome, FILE *to);
/* One line for -v. */
void result_print_violation(const struct result *result, const struct violation *violation, FILE *to);

#endif
