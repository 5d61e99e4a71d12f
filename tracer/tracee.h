/* SPDX-License-Identifier: MIT */
/*
 * tracee.h - what the supervisor knows of each thread and process of the run.
 *
 * A task is a kernel task (thread). Tasks share things as clone(2) says:
 * address space, descriptor table, working directory. Each such thing is a
 * struct share with a user count, so "can anybody else change this?" is one comparison.
 */
#ifndef PICKET_TRACER_TRACEE_H
#define PICKET_TRACER_TRACEE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/user.h>

#include "absent.h"
#include "hash.h"
#include "owned.h"

/* An address space, a descriptor table or a working directory. */
struct share {
	unsigned users;	      /* tasks that have it */
	bool restless;	      /* may change without any of them running: treated as shared for ever */
	bool slots_mapped;    /* address space: the sealed slots are mapped */
	int maps;	      /* address space: descriptor of /proc/TID/maps, or -1 */
	struct absent absent; /* address space */
};

/* A file that is about to be, or was, executed. */
struct program {
	dev_t dev;
	ino_t ino;
	struct timespec changed; /* st_ctim */
	bool writable;		 /* by the run: it, or its interpreter */
	dev_t loader_dev;	 /* ELF interpreter; ino 0: none */
	ino_t loader_ino;
};

/* A process (thread group). */
struct process {
	pid_t tgid;		/* ask with tracee_tgid */
	pid_t parent;		/* tgid of the process that made it; 0 for the first */
	unsigned tasks;		/* threads alive */
	unsigned children;	/* processes alive that it has made */
	bool shown;		/* its /proc/PID/status was opened (together.h) */
	bool dynamic;		/* its program was started through an ELF interpreter */
	struct program program; /* what it runs; ino 0: not known */
	bool filtered;		/* it, or a process that it descends from, has or may have made a seccomp filter of its own */
	char *exe;		/* resolved name of its program; NULL: not looked up yet */
	UT_hash_handle hh;
};

/* What is done when the call that a task is in has ended. */
enum task_exit_action {
	EXIT_NOTHING,
	EXIT_RESTORE, /* registers back to what they were, result kept; free the slot */
	EXIT_RESULT,  /* the same, with task->result: it was refused (level ptrace) */
	EXIT_STOP,    /* nothing, but it stops there */
	EXIT_GATE,    /* an exec: next, the new memory gets the page of the gate */
	EXIT_BORN,    /* it was made by a replaced call: its maker's arguments back before its first instruction */
	EXIT_AGAIN,   /* an injected call: take its result, then make the original call again */
};

struct task {
	pid_t tid;
	struct tracees *all; /* that it is one of */
	struct process *process;
	struct share *memory, *files, *fs;
	struct task *vfork_parent; /* that is suspended until we exec or exit; NULL: none */
	bool launching;		   /* the launcher's code, before the first exec */
	bool gate_opens;	   /* level gate: after an exec, it is made to map the page */
	bool in_call;		   /* level ptrace: between start and end of a call */
	bool forking;		   /* it was let make a task, which has not been reported yet */
	bool seeing;		   /* it is in a call that tells or changes what a task may run on (together.h) */
	bool let_go;		   /* proceeds with a name that was checked; cleared at its next stop */
	enum task_exit_action exit_action;
	int64_t result;
	int64_t (*on_exit)(struct task *task, int64_t result); /* told the result of a call that proceeds, and */
							       /* gives the one that the task sees; or NULL */
	uint64_t note_address;				       /* for on_exit */
	int slot;					       /* sealed slot it uses, or -1 */
	int other_end;					       /* of the terminal that it opens (terminal.h), or -1 */
	enum ipc_kind ipc_kind;				       /* of the object that it is making or removing, */
	int ipc_id;					       /* and which it removes */
	struct user_regs_struct saved;
	struct program approved; /* of the exec under way */
	bool exec_pending;
	int next_maps;	 /* after the exec: as share.maps, of the memory that it has then; or -1 */
	char *exec_name; /* resolved name of the program of the exec under way */
	UT_hash_handle hh;
};

struct tracees {
	struct owned owned;	   /* what the run has made itself */
	struct task *tasks;	   /* hash by tid */
	struct process *processes; /* hash by tgid */
	unsigned task_count;
	uint64_t processes_seen; /* ever */
	unsigned leaves;	 /* processes that have made none that lives: more than one may work at a time */
	unsigned forking;	 /* tasks with forking */
	unsigned seeing;	 /* tasks with seeing */
	uint64_t shown;		 /* processes with shown, ever */
	struct meter *meter;	 /* told of processes; or NULL */
	unsigned kept_open;	 /* descriptors in shares */

	/* Level notify: tasks are in no table, and known for one call each (visitor.h). What descends from this process is of
	 * the run; 0: the tables tell. */
	pid_t keeper;
	atomic_bool restless; /* memory of some task may change without it running */
};

/* In the tables; NULL at level notify. */
struct task *tracee_find(struct tracees *all, pid_t tid);
struct process *tracee_process(struct tracees *all, pid_t tgid);
/* Is this the number of a live process or thread of the run? */
bool tracee_is_ours(struct tracees *all, pid_t pid);
/* The number of a process of the run that has ended, and that its parent has not waited for? It is in no table any more; and
 * its number is kept by nobody but that parent, so it may come to mean a stranger at any moment. */
bool tracee_ended(struct tracees *all, pid_t pid);
/* Numbers of all processes of the run; *list is malloc'ed. 0 or -errno. */
int tracee_list(struct tracees *all, pid_t **list, size_t *count);

/* The process of a task; 0 when it is gone (level notify). */
pid_t tracee_tgid(const struct task *task);
/* Is this the number of that process, or of one of its threads? */
bool tracee_same_process(const struct task *task, pid_t pid);
/* The process of the run that has made this one, 0: the first of the run has no such. */
pid_t tracee_parent(struct tracees *all, pid_t process);
/* Resolved name of its program, "" when unknown; malloc'ed, or NULL. */
char *tracee_exe_of(struct tracees *all, pid_t process);
/* A signal to a process of the run. False: it is gone. */
bool tracee_signal(struct tracees *all, pid_t process, int signal);
/* Was its program started through an ELF interpreter? */
bool tracee_dynamic(const struct task *task);
/* A copy of a descriptor of its (pidfd_getfd(2), Linux 5.6), or -errno. */
int tracee_descriptor(const struct task *task, int fd);
/* SIGKILL to its process. */
void tracee_kill(const struct task *task);
/* Is it the only thread of its process, and always was the first? */
bool tracee_alone(const struct task *task);
/* Its memory may change from now on without it running. */
void tracee_restless(struct task *task);

/* A task that `maker` has made, perhaps by vfork, with these flags (-1: the kernel is asked what they have in common); NULL: the first of
 * the run, which shares nothing. NULL: out of memory. */
struct task *tracee_add(struct tracees *all, pid_t tid, struct task *maker, bool vfork, int64_t flags);
/* A task whose maker is not known: what it shares with any task of the run is asked of the kernel. NULL: out of memory. */
struct task *tracee_adopt(struct tracees *all, pid_t tid);
/* It has executed a program: new memory, own descriptors. All other threads of its process are gone. */
void tracee_exec(struct tracees *all, struct task *task);
/* It was let make a task; or its next stop came. */
void tracee_forking(struct task *task, bool forking);
/* It is let make a call that shows what tasks may run on; or its next stop came. */
void tracee_seeing(struct task *task, bool seeing);
/* It is gone; frees it. */
void tracee_remove(struct tracees *all, struct task *task);
void tracee_free(struct tracees *all);

/* Can nobody but this (stopped) task change it now? */
bool tracee_private_memory(const struct task *task);
/* Is it a child of vfork on the memory of its parent, which sleeps, and nobody else's? That changes only when the parent is killed:
 * on its way out the kernel clears the word that it gave to set_tid_address(2). */
bool tracee_lent_memory(const struct task *task);
bool tracee_private_files(const struct task *task);
bool tracee_private_fs(const struct task *task);

/* Resolved name of the program a process runs, "" when unknown. Lives as long as the process runs it. */
const char *tracee_exe(struct process *process);

#endif
