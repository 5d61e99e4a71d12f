/* SPDX-License-Identifier: MIT */
/*
 * guard.h - one run under supervision: everything the supervisor works with.
 */
#ifndef PICKET_TRACER_GUARD_H
#define PICKET_TRACER_GUARD_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "compile.h"
#include "gate.h"
#include "headcount.h"
#include "image.h"
#include "meter.h"
#include "level.h"
#include "result.h"
#include "slots.h"
#include "syscalls.h"
#include "tracee.h"

enum { GUARD_IMAGES = 2 }; /* the operator's policy, and what a plugin may at most */

/* Stops that were taken in out of turn, to be seen to next. */
struct deferred_status {
	pid_t tid;
	int status;
};
struct deferred {
	struct deferred_status *list;
	size_t next, count, room;
};

/* A child that was reported before its maker has reported it. */
struct newborn {
	pid_t tid;
	bool ended;    /* and has ended meanwhile; else it is stopped */
	int64_t since; /* nanoseconds of CLOCK_MONOTONIC */
};
enum { NEWBORN_MOST = 1024 }; /* at a time; more are killed */

struct transport;
struct notifier;
struct together;
struct known;

struct guard {
	struct policy *policies[GUARD_IMAGES];
	unsigned policy_count;
	unsigned policy_from; /* a call is judged by the policies from this one on, */
	unsigned
		policy_less; /* but for so many at the end; only supervise.c changes these two, and nobody judges meanwhile */
	enum on_violation on_violation;
	enum level level;
	const struct transport *transport; /* how calls are stopped and answered */
	struct notifier *notifier;	   /* level notify, else NULL */
	atomic_bool launching;		   /* level notify: the tool has not been executed yet */
	bool passes[CALL_NUMBERS];	   /* calls that the policies cannot refuse (filter.h); no level judges them */
	struct policy_limits limits;	   /* of all policies */
	unsigned open_files;		   /* the run's hard limit of descriptors */
	unsigned
		reserved_at; /* reserved ones begin there: at open_files; at level preload at RESERVED_LOW if that is less */
	bool verbose;

	struct result *result;
	pthread_mutex_t result_lock;   /* level notify judges in several threads */
	pthread_rwlock_t policy_lock;  /* of the images in `policies` and of what is asked of them */
	atomic_uint_fast64_t refusals; /* so far; read by other threads */
	struct meter *meter;	       /* or NULL */
	_Atomic(const char *)
		limited; /* the limit that made a call fail, or NULL; see meter_reached for what ends the run */
	struct tracees tracees;
	struct headcount headcount; /* level notify */
	struct slots slots;
	bool floor; /* Landlock lies under the run: see floor.h */
	struct gate gate;
	dev_t shim_dev; /* level gate: the shim, which programs may read whatever the policy says; ino 0: none */
	ino_t shim_ino;
	struct deferred deferred;
	pid_t seen;  /* levels ptrace and seccomp: a task whose stop was seen, and not answered yet; 0: none */
	int seen_as; /* its status */
	struct newborn newborn[NEWBORN_MOST];
	size_t newborn_count;
	bool strays;		   /* some are not among them though their makers have told nothing yet */
	struct together *together; /* levels ptrace and seccomp (together.h), or NULL */
	struct known *known;	   /* the same (known.h) */

	pid_t main;	   /* the tool's first process */
	dev_t program_dev; /* a plugin's sealed program, which has no name, and is what that process runs; ino 0: none */
	ino_t program_ino;
	bool main_over;
	int main_status;	/* as waitpid(2) gives it */
	atomic_bool ending;	/* everything is being killed */
	bool unguarded;		/* level preload: an option says that the command may run without a shim */
	bool sanitized;		/* level preload: AddressSanitizer is in the command (shim_file.h) */
	bool shimless;		/* level preload: the tool ran, and no shim was in it, without that option */
	bool violated_fatally;	/* on_violation kill */
	_Atomic uint64_t stops; /* calls that were stopped, by any thread of the transport */
};

/* Behind the last policy that a call is judged by. */
static inline unsigned guard_policy_end(const struct guard *guard)
{
	return guard->policy_count - guard->policy_less;
}

/* Are calls stopped by notification? The gate is built on ptrace's stops so far. */
static inline bool guard_by_notification(const struct guard *guard)
{
	return guard->level == LEVEL_NOTIFY;
}

#endif
