/* SPDX-License-Identifier: MIT */
/*
 * notify_inside.h - what the files of level notify have in common: the threads and what each has in work.
 */
#ifndef PICKET_TRACER_NOTIFY_INSIDE_H
#define PICKET_TRACER_NOTIFY_INSIDE_H

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "caller.h"
#include "notify.h"
#include "visitor.h"

enum {
	NOTIFICATION_ROOM = 512,  /* for a struct seccomp_notif of any kernel */
	RESULT_ERROR_MOST = 4095, /* MAX_ERRNO: a result from -4095 to -1 is an error */
	TICK_MS = 10,		  /* how often calls that wait are looked at, */
	IDLE_TICK_MS = 100,	  /* and whether the leader hangs */
	WAKE_SIGNAL = SIGUSR1,	  /* to a thread: its call is to return */
};

enum worker_state {
	WORKER_RECEIVES, /* or waits to lead */
	WORKER_WORKS,
	WORKER_WAITS, /* with its call for somebody else; looked at by worker_watch */
};

struct worker {
	struct worker *next;
	struct notifier *notifier;
	pthread_t thread;
	pid_t tid;
	bool over; /* under the lock */
	_Atomic(enum worker_state) state;
	atomic_uint turns;  /* odd: a call is in work */
	atomic_int restart; /* its call is to be interrupted, and the task to see this error */
	uint64_t id;	    /* of the notification */
	struct visitor visitor;
	struct caller caller;
	struct desk desk;
};

struct notifier {
	struct guard *guard;
	event_handler *handle;
	struct keeper keeper;
	bool keeper_gone;
	struct launch_trouble trouble;
	int listener;
	size_t notification_size;
	int wake;	    /* eventfd: the main thread is to look */
	sigset_t open_mask; /* of the main thread while it waits */
	atomic_bool credentials_differ;
	uint8_t *seen;	  /* a bit for each number that a task had */
	size_t seen_size; /* bytes */

	pthread_mutex_t lock;
	pthread_cond_t free;		 /* nobody leads */
	_Atomic(struct worker *) leader; /* changed under the lock */
	struct worker *workers;
	unsigned count, waiting; /* threads; those that wait to lead */
	atomic_uint watched;	 /* in WORKER_WAITS */
	atomic_bool stopping;
	struct worker *last_leader; /* main thread: at the last tick */
	unsigned last_turns;

	pthread_mutex_t names[64]; /* stripes over directories: see perform_names.c */
	pthread_rwlock_t moves;	   /* written by what changes the meaning of names: see perform_names.c */
};

/* What of the threads is the transport's own; defined in by_notify.c. */
struct worker *notify_self(void);

/* Main thread, under the lock: has the task a signal to handle, or is it gone? Then its call is interrupted. */
void worker_watch(struct worker *worker);

/* A task makes a call: count its process, if it is a new one. */
void notify_seen(struct notifier *notifier, pid_t tid);
/* EVENT_EXEC was handled. */
void notify_released(struct guard *guard, struct task *task);
void notify_free(struct notifier *notifier);

#endif
