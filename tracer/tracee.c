/* SPDX-License-Identifier: MIT */
/*
 * tracee.c - see tracee.h. What is shared with its maker is told by the flags that lie in registers of that when a task appears; else it
 * is asked of the kernel (kcmp(2)), and not deduced from flags in the tool's memory; what cannot be asked counts as shared.
 */
#include "tracee.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/kcmp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cleanup.h"
#include "lineage.h"
#include "meter.h"
#include "new_stack.h"

enum {
	PIDFD_OF_THREAD = O_EXCL, /* PIDFD_THREAD */
};

static struct share *share_new(void)
{
	struct share *share = calloc(1, sizeof *share);

	if (share) {
		share->users = 1;
		share->maps = -1;
	}
	return share;
}

static void maps_drop(struct tracees *all, int *maps)
{
	if (*maps < 0)
		return;
	close(*maps);
	*maps = -1;
	all->kept_open--;
}

static void share_drop(struct tracees *all, struct share **share)
{
	struct share *s = *share;

	*share = NULL;
	if (!s || --s->users > 0)
		return;
	maps_drop(all, &s->maps);
	free(s);
}

struct task *tracee_find(struct tracees *all, pid_t tid)
{
	struct task *task;

	HASH_FIND_INT(all->tasks, &tid, task);
	return task;
}

struct process *tracee_process(struct tracees *all, pid_t tgid)
{
	struct process *process;

	HASH_FIND_INT(all->processes, &tgid, process);
	return process;
}

bool tracee_is_ours(struct tracees *all, pid_t pid)
{
	if (all->keeper)
		return lineage_below(pid, all->keeper);
	return tracee_process(all, pid) || tracee_find(all, pid);
}

bool tracee_ended(struct tracees *all, pid_t pid)
{
	pid_t parent = pid > 0 ? lineage_ended(pid) : 0;

	/* nobody outside of the run has a parent in it */
	if (all->keeper)
		return parent && lineage_below(pid, all->keeper);
	return parent && tracee_process(all, parent);
}

int tracee_list(struct tracees *all, pid_t **list, size_t *count)
{
	if (all->keeper)
		return lineage_list(all->keeper, list, count);
	*count = 0;
	*list = malloc((HASH_COUNT(all->processes) + 1) * sizeof **list);
	if (!*list)
		return -ENOMEM;
	for (const struct process *p = all->processes; p; p = p->hh.next)
		(*list)[(*count)++] = p->tgid;
	return 0;
}

pid_t tracee_tgid(const struct task *task)
{
	if (!task->process->tgid)
		task->process->tgid = lineage_process(task->tid);
	return task->process->tgid;
}

bool tracee_same_process(const struct task *task, pid_t pid)
{
	pid_t tgid = tracee_tgid(task);

	if (pid == tgid || pid == task->tid)
		return pid != 0;
	if (task->all->keeper)
		return tgid && lineage_is_thread(pid, tgid);
	const struct task *named = tracee_find(task->all, pid);
	return named && named->process == task->process;
}

pid_t tracee_parent(struct tracees *all, pid_t pid)
{
	if (all->keeper) {
		pid_t parent = lineage_parent(pid);
		return parent == all->keeper ? 0 : parent;
	}
	const struct process *process = tracee_process(all, pid);
	return process ? process->parent : 0;
}

bool tracee_signal(struct tracees *all, pid_t process, int signal)
{
	if (!all->keeper) /* traced, so it keeps its number until the supervisor has seen its end */
		return kill(process, signal) == 0;
	cleanup_fd int fd = (int)syscall(SYS_pidfd_open, process, 0);
	return fd >= 0 && lineage_below(process, all->keeper) &&
	       syscall(SYS_pidfd_send_signal, fd, signal, NULL, 0) == 0;
}

bool tracee_alone(const struct task *task)
{
	return task->process->tasks == 1 && task->process->tgid == task->tid;
}

bool tracee_dynamic(const struct task *task)
{
	return task->all->keeper ? new_stack_auxiliary(tracee_tgid(task)).linker != 0 : task->process->dynamic;
}

/* 1 the same, 0 different, -errno when the kernel does not tell. */
static int same(pid_t a, pid_t b, int what)
{
	long r = syscall(SYS_kcmp, a, b, what, 0, 0);

	return r < 0 ? -errno : r == 0;
}

/* Of the thread, where the kernel can be asked for one (Linux 6.9); else of its process, if both have one table. */
static int open_task(const struct task *task)
{
	int fd = (int)syscall(SYS_pidfd_open, task->tid, PIDFD_OF_THREAD);

	if (fd >= 0 || errno != EINVAL)
		return fd;
	pid_t tgid = tracee_tgid(task);
	if (tgid != task->tid && same(task->tid, tgid, KCMP_FILES) != 1)
		return -1;
	return (int)syscall(SYS_pidfd_open, tgid, 0);
}

int tracee_descriptor(const struct task *task, int fd)
{
	cleanup_fd int process = open_task(task);
	int copy = process < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, process, fd, 0);

	return copy < 0 ? -errno : copy;
}

void tracee_kill(const struct task *task)
{
	pid_t tgid = tracee_tgid(task);

	if (tgid > 0)
		kill(tgid, SIGKILL);
}

void tracee_restless(struct task *task)
{
	task->memory->restless = true;
	task->all->restless = true;
}

static struct process *process_join(struct tracees *all, pid_t tgid)
{
	struct process *process = tracee_process(all, tgid);

	if (!process) {
		process = calloc(1, sizeof *process);
		if (!process)
			return NULL;
		process->tgid = tgid;
		HASH_ADD_INT(all->processes, tgid, process);
		all->processes_seen++;
		all->leaves++;
		meter_born(all->meter, tgid);
	}
	process->tasks++;
	return process;
}

static void process_made(struct tracees *all, struct process *process, struct process *parent)
{
	process->parent = parent->tgid;
	process->dynamic = parent->dynamic;
	process->program = parent->program;
	process->filtered = parent->filtered;
	all->leaves -= parent->children++ == 0;
}

static void process_leave(struct tracees *all, struct process *process)
{
	if (!process || --process->tasks > 0)
		return;
	struct process *parent = tracee_process(all, process->parent);
	all->leaves -= process->children == 0;
	if (parent && parent->children > 0)
		all->leaves += --parent->children == 0;
	HASH_DEL(all->processes, process);
	free(process->exe);
	free(process);
}

/* Is the new task a thread of its maker's process? */
static bool is_thread_of(pid_t tid, const struct task *maker)
{
	char path[64];

	if (same(maker->tid, tid, KCMP_SIGHAND) == 0) /* which all threads of a process have in common: clone(2) */
		return false;
	snprintf(path, sizeof path, "/proc/%d/task/%d", (int)maker->process->tgid, (int)tid);
	return access(path, F_OK) == 0;
}

/* What the new task has: its maker's, or its own. NULL: out of memory. */
static struct share *share_with(struct share *theirs, int is_same)
{
	struct share *mine = theirs;

	if (is_same == 0) {
		/* Whether the slots came with a copied address space is not known: another thread may have had them mapped
		 * after it was copied. They are mapped again, which costs a stop and changes nothing. */
		mine = share_new();
		if (mine)
			mine->absent = theirs->absent;
		return mine;
	}
	if (is_same < 0) /* cannot be told: nobody's any more */
		theirs->restless = true;
	theirs->users++;
	return mine;
}

/* clone(2): what flag makes what common. */
static int is_common(const struct task *task, const struct task *maker, int64_t flags, int64_t flag, int what)
{
	return flags < 0 ? same(maker->tid, task->tid, what) : (flags & flag) != 0;
}

static bool share_all(struct task *task, struct task *maker, bool thread, int64_t flags)
{
	task->memory = share_with(maker->memory, thread ? 1 : is_common(task, maker, flags, CLONE_VM, KCMP_VM));
	if (task->memory && thread)
		task->memory->absent.never = true;
	task->files = share_with(maker->files, is_common(task, maker, flags, CLONE_FILES, KCMP_FILES));
	task->fs = share_with(maker->fs, is_common(task, maker, flags, CLONE_FS, KCMP_FS));
	return task->memory && task->files && task->fs;
}

static bool share_nothing(struct task *task)
{
	task->memory = share_new();
	task->files = share_new();
	task->fs = share_new();
	return task->memory && task->files && task->fs;
}

/* A task of the process `tgid`. */
static struct task *add(struct tracees *all, pid_t tid, pid_t tgid, struct task *maker, bool vfork, int64_t flags)
{
	struct task *task = calloc(1, sizeof *task);

	if (!task)
		return NULL;
	bool thread = maker && tgid == maker->process->tgid;
	task->tid = tid;
	task->all = all;
	task->slot = task->other_end = task->next_maps = -1;
	task->process = process_join(all, tgid);
	if (!task->process || !(maker ? share_all(task, maker, thread, flags) : share_nothing(task))) {
		process_leave(all, task->process);
		share_drop(all, &task->memory);
		share_drop(all, &task->files);
		share_drop(all, &task->fs);
		free(task);
		return NULL;
	}
	if (maker && !thread) {
		process_made(all, task->process, maker->process);
		meter_forked(all->meter, task->process->tgid, maker->process->tgid, task->memory == maker->memory);
	}
	if (maker && vfork && task->memory == maker->memory)
		task->vfork_parent = maker;
	HASH_ADD_INT(all->tasks, tid, task);
	all->task_count++;
	return task;
}

struct task *tracee_add(struct tracees *all, pid_t tid, struct task *maker, bool vfork, int64_t flags)
{
	bool thread = maker && (flags < 0 ? is_thread_of(tid, maker) : (flags & CLONE_THREAD) != 0);

	return add(all, tid, thread ? maker->process->tgid : tid, maker, vfork, flags);
}

static struct share **part_of(struct task *task, int what)
{
	return what == KCMP_VM ? &task->memory : what == KCMP_FILES ? &task->files : &task->fs;
}

/* Give the task in place of its own what some other one has, if it is the same. */
static void share_with_any(struct tracees *all, struct task *task, int what)
{
	struct share **mine = part_of(task, what);

	for (struct task *t = all->tasks; t; t = t->hh.next) {
		struct share *theirs = *part_of(t, what);
		int is_same = t == task ? 0 : same(t->tid, task->tid, what);
		if (is_same < 0) /* a task that is ending has nothing any more */
			theirs->restless |= is_same != -ESRCH;
		if (is_same <= 0 || theirs == *mine)
			continue;
		share_drop(all, mine);
		*mine = theirs;
		theirs->users++;
	}
}

/* A field of /proc/TID/status with a number, or 0. */
static pid_t status_field(pid_t tid, const char *field)
{
	char path[64], text[4096];

	snprintf(path, sizeof path, "/proc/%d/status", (int)tid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	ssize_t n = read(fd, text, sizeof text - 1);
	close(fd);
	text[n > 0 ? n : 0] = 0;
	const char *line = strstr(text, field); /* a newline in a name is shown as \n */
	return line ? (pid_t)strtol(line + strlen(field), NULL, 10) : 0;
}

struct task *tracee_adopt(struct tracees *all, pid_t tid)
{
	pid_t tgid = status_field(tid, "\nTgid:"), parent = status_field(tid, "\nPPid:");
	struct task *task = add(all, tid, tgid ? tgid : tid, NULL, false, -1);

	if (!task)
		return NULL;
	if (task->process->tgid == tid && tracee_process(all, parent))
		process_made(all, task->process, tracee_process(all, parent));
	task->process->filtered = true; /* who made it, and so whose filters it has, is not known */
	share_with_any(all, task, KCMP_VM);
	share_with_any(all, task, KCMP_FILES);
	share_with_any(all, task, KCMP_FS);
	return task;
}

/* Whoever waits for this task's vfork waits no more. */
static void vfork_over(struct tracees *all, struct task *gone)
{
	gone->vfork_parent = NULL;
	if (gone->memory->users < 2)
		return;
	for (struct task *t = all->tasks; t; t = t->hh.next)
		if (t->vfork_parent == gone)
			t->vfork_parent = NULL;
}

void tracee_exec(struct tracees *all, struct task *task)
{
	if (all->keeper) { /* it is in no table, and known for this call only */
		meter_execed(all->meter, task->process->tgid);
		return;
	}
	struct share *memory = share_new(), *files = share_new();

	vfork_over(all, task);
	if (memory) {
		share_drop(all, &task->memory);
		task->memory = memory;
		memory->maps = task->next_maps;
		task->next_maps = -1;
	} else {
		task->memory->restless = true;
		task->memory->slots_mapped = false;
		maps_drop(all, &task->next_maps);
		task->memory->absent = (struct absent){.never = true};
	}
	if (files) { /* exec gives a process its own table: unshare_files() in begin_new_exec() */
		share_drop(all, &task->files);
		task->files = files;
	} else {
		task->files->restless = true;
	}
	task->process->dynamic = task->approved.loader_ino != 0;
	task->process->program = task->approved;
	meter_execed(all->meter, task->process->tgid);
	free(task->process->exe);
	task->process->exe = task->exec_name;
	task->exec_name = NULL;
}

void tracee_forking(struct task *task, bool forking)
{
	task->all->forking += (unsigned)forking - (unsigned)task->forking;
	task->forking = forking;
}

void tracee_seeing(struct task *task, bool seeing)
{
	task->all->seeing += (unsigned)seeing - (unsigned)task->seeing;
	task->seeing = seeing;
}

void tracee_remove(struct tracees *all, struct task *task)
{
	vfork_over(all, task);
	tracee_forking(task, false);
	tracee_seeing(task, false);
	HASH_DEL(all->tasks, task);
	all->task_count--;
	share_drop(all, &task->memory);
	share_drop(all, &task->files);
	share_drop(all, &task->fs);
	process_leave(all, task->process);
	if (task->other_end >= 0)
		close(task->other_end);
	maps_drop(all, &task->next_maps);
	free(task->exec_name);
	free(task);
}

void tracee_free(struct tracees *all)
{
	struct task *task, *next;

	HASH_ITER(hh, all->tasks, task, next)
	tracee_remove(all, task);
	owned_free(&all->owned);
}

bool tracee_private_memory(const struct task *task)
{
	return !task->memory->restless && task->memory->users == 1;
}

bool tracee_lent_memory(const struct task *task)
{
	return !task->memory->restless && task->vfork_parent && task->memory->users == 2;
}

bool tracee_private_files(const struct task *task)
{
	return !task->files->restless && task->files->users == 1;
}

bool tracee_private_fs(const struct task *task)
{
	return !task->fs->restless && task->fs->users == 1;
}

static char *read_exe(pid_t process)
{
	char path[64], target[PATH_MAX];

	snprintf(path, sizeof path, "/proc/%d/exe", (int)process);
	ssize_t n = readlink(path, target, sizeof target - 1);
	target[n > 0 ? n : 0] = 0;
	return strdup(target);
}

const char *tracee_exe(struct process *process)
{
	if (!process->exe)
		process->exe = read_exe(process->tgid);
	return process->exe ? process->exe : "";
}

char *tracee_exe_of(struct tracees *all, pid_t pid)
{
	struct process *process = tracee_process(all, pid);

	if (process)
		return strdup(tracee_exe(process));
	return all->keeper ? read_exe(pid) : strdup("");
}
