/* SPDX-License-Identifier: MIT */
/*
 * tracee.c - see tracee.h. What is shared is asked of the kernel (kcmp(2))
 * when a task appears, not deduced from clone flags that lie in the tool's
 * memory; what cannot be asked counts as shared.
 */
#include "tracee.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/kcmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "cleanup.h"
#include "lineage.h"
#include "meter.h"

enum {
	PAGE = 4096,
	OWN_MOST = 4096,	/* sockets, and IPC objects, that are remembered */
	KEPT_OPEN_MOST = 512,	/* descriptors of /proc/TID/pagemap and maps that are kept open */
	PAGES_MOST = 4,		/* pages of one argument that are looked at */
	PIDFD_OF_THREAD = O_EXCL,	/* PIDFD_THREAD */
	AUXV_MOST = 64,		/* entries of /proc/PID/auxv; there are some 20 */
};

/* pagemap (Documentation/admin-guide/mm/pagemap.rst): bit 61, page is of a file or shared; 62, in swap; 63, present. */
#define PAGEMAP_FILE (UINT64_C(1) << 61)
#define PAGEMAP_SWAP (UINT64_C(1) << 62)
#define PAGEMAP_PRESENT (UINT64_C(1) << 63)

/* proc(5), /proc/PID/maps: what the name of a mapped file ends in when it was unlinked. */
static const char DELETED[] = " (deleted)";

static struct share *share_new(void)
{
	struct share *share = calloc(1, sizeof *share);

	if (share) {
		share->users = 1;
		share->pagemap = share->maps = -1;
	}
	return share;
}

static void share_drop(struct tracees *all, struct share **share)
{
	struct share *s = *share;

	*share = NULL;
	if (!s || --s->users > 0)
		return;
	const int kept[] = { s->pagemap, s->maps };
	for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
		if (kept[i] >= 0) {
			close(kept[i]);
			all->kept_open--;
		}
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
	if (!all->keeper)	/* traced, so it keeps its number until the supervisor has seen its end */
		return kill(process, signal) == 0;
	cleanup_fd int fd = (int)syscall(SYS_pidfd_open, process, 0);
	return fd >= 0 && lineage_below(process, all->keeper) && syscall(SYS_pidfd_send_signal, fd, signal, NULL, 0) == 0;
}

/* Has the process an ELF interpreter? The kernel tells its program where that lies (getauxval(3), AT_BASE). */
static bool has_interpreter(pid_t tgid)
{
	char path[64];
	unsigned long entries[2 * AUXV_MOST];
	ssize_t n = -1;

	snprintf(path, sizeof path, "/proc/%d/auxv", (int)tgid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, entries, sizeof entries);
		close(fd);
	}
	for (ssize_t i = 0; n > 0 && i + 1 < n / (ssize_t)sizeof entries[0]; i += 2)
		if (entries[i] == AT_BASE)
			return entries[i + 1] != 0;
	return false;
}

bool tracee_dynamic(const struct task *task)
{
	return task->all->keeper ? has_interpreter(tracee_tgid(task)) : task->process->dynamic;
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
		meter_born(all->meter, tgid);
	}
	process->tasks++;
	return process;
}

static void process_leave(struct tracees *all, struct process *process)
{
	if (!process || --process->tasks > 0)
		return;
	HASH_DEL(all->processes, process);
	free(process->exe);
	free(process);
}

/* Is the new task a thread of its maker's process? */
static bool is_thread_of(pid_t tid, const struct task *maker)
{
	char path[64];

	if (same(maker->tid, tid, KCMP_SIGHAND) == 0)	/* which all threads of a process have in common: clone(2) */
		return false;
	snprintf(path, sizeof path, "/proc/%d/task/%d", (int)maker->process->tgid, (int)tid);
	return access(path, F_OK) == 0;
}

/* What the new task has: its maker's, or its own. NULL: out of memory. */
static struct share *share_with(struct share *theirs, int is_same)
{
	struct share *mine = theirs;

	if (is_same == 0) {
		mine = share_new();
		if (mine)
			mine->slots_mapped = theirs->slots_mapped;
		return mine;
	}
	if (is_same < 0)	/* cannot be told: nobody's any more */
		theirs->restless = true;
	theirs->users++;
	return mine;
}

static bool share_all(struct task *task, struct task *maker, bool thread)
{
	task->memory = share_with(maker->memory, thread ? 1 : same(maker->tid, task->tid, KCMP_VM));
	task->files = share_with(maker->files, same(maker->tid, task->tid, KCMP_FILES));
	task->fs = share_with(maker->fs, same(maker->tid, task->tid, KCMP_FS));
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
static struct task *add(struct tracees *all, pid_t tid, pid_t tgid, struct task *maker, bool vfork)
{
	struct task *task = calloc(1, sizeof *task);

	if (!task)
		return NULL;
	bool thread = maker && tgid == maker->process->tgid;
	task->tid = tid;
	task->all = all;
	task->slot = -1;
	task->process = process_join(all, tgid);
	if (!task->process || !(maker ? share_all(task, maker, thread) : share_nothing(task))) {
		process_leave(all, task->process);
		share_drop(all, &task->memory);
		share_drop(all, &task->files);
		share_drop(all, &task->fs);
		free(task);
		return NULL;
	}
	if (maker && !thread) {
		task->process->parent = maker->process->tgid;
		meter_forked(all->meter, task->process->tgid, maker->process->tgid, task->memory == maker->memory);
		task->process->dynamic = maker->process->dynamic;
	}
	if (vfork && task->memory == maker->memory)
		task->vfork_parent = maker;
	HASH_ADD_INT(all->tasks, tid, task);
	all->task_count++;
	return task;
}

struct task *tracee_add(struct tracees *all, pid_t tid, struct task *maker, bool vfork)
{
	return add(all, tid, maker && is_thread_of(tid, maker) ? maker->process->tgid : tid, maker, vfork);
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
		if (is_same < 0)	/* a task that is ending has nothing any more */
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
	const char *line = strstr(text, field);	/* a newline in a name is shown as \n */
	return line ? (pid_t)strtol(line + strlen(field), NULL, 10) : 0;
}

struct task *tracee_adopt(struct tracees *all, pid_t tid)
{
	pid_t tgid = status_field(tid, "\nTgid:"), parent = status_field(tid, "\nPPid:");
	struct task *task = add(all, tid, tgid ? tgid : tid, NULL, false);

	if (!task)
		return NULL;
	if (task->process->tgid == tid && tracee_process(all, parent)) {
		task->process->parent = parent;
		task->process->dynamic = tracee_process(all, parent)->dynamic;
	}
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
	if (all->keeper) {	/* it is in no table, and known for this call only */
		meter_execed(all->meter, task->process->tgid);
		return;
	}
	struct share *memory = share_new(), *files = share_new();

	vfork_over(all, task);
	if (memory) {
		share_drop(all, &task->memory);
		task->memory = memory;
	} else {
		task->memory->restless = true;
		task->memory->slots_mapped = false;
	}
	if (files) {	/* exec gives a process its own table: unshare_files() in begin_new_exec() */
		share_drop(all, &task->files);
		task->files = files;
	} else {
		task->files->restless = true;
	}
	task->process->dynamic = task->approved.loader_ino != 0;
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
	free(task->exec_name);
	free(task);
}

/* Of what is there and a socket. */
static bool socket_id(int dirfd, const char *name, struct file_id *id)
{
	struct statx stx;

	if (statx(dirfd, name, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW, STATX_TYPE | STATX_INO | STATX_BTIME, &stx) < 0 ||
	    !S_ISSOCK(stx.stx_mode))
		return false;
	memset(id, 0, sizeof *id);	/* it is hashed as bytes */
	id->dev = makedev(stx.stx_dev_major, stx.stx_dev_minor);
	id->ino = stx.stx_ino;
	if (stx.stx_mask & STATX_BTIME) {
		id->made_s = stx.stx_btime.tv_sec;
		id->made_ns = stx.stx_btime.tv_nsec;
	}
	return true;
}

static struct own_file *find_socket(struct tracees *all, const struct file_id *id)
{
	struct own_file *file;

	HASH_FIND(hh, all->sockets, id, sizeof *id, file);
	return file;
}

static void forget_socket(struct tracees *all, struct own_file *file)
{
	HASH_DEL(all->sockets, file);
	free(file);
}

void tracee_own_socket(struct tracees *all, int dirfd, const char *name)
{
	struct own_file *file;
	struct file_id id;

	pthread_mutex_lock(&all->own_lock);
	if (socket_id(dirfd, name, &id) && !find_socket(all, &id) && (file = calloc(1, sizeof *file)) != NULL) {
		file->id = id;
		if (HASH_COUNT(all->sockets) >= OWN_MOST)
			forget_socket(all, all->sockets);	/* the first is the oldest */
		HASH_ADD(hh, all->sockets, id, sizeof file->id, file);
	}
	pthread_mutex_unlock(&all->own_lock);
}

bool tracee_owns_socket(struct tracees *all, int fd)
{
	struct file_id id;

	pthread_mutex_lock(&all->own_lock);
	bool owns = socket_id(fd, "", &id) && find_socket(all, &id) != NULL;
	pthread_mutex_unlock(&all->own_lock);
	return owns;
}

static struct own_ipc *find_ipc(struct tracees *all, enum ipc_kind kind, int id)
{
	uint64_t key = (uint64_t)kind << 32 | (uint32_t)id;
	struct own_ipc *object;

	HASH_FIND(hh, all->ipc, &key, sizeof key, object);
	return object;
}

void tracee_own_ipc(struct tracees *all, enum ipc_kind kind, int id)
{
	pthread_mutex_lock(&all->own_lock);
	struct own_ipc *object = find_ipc(all, kind, id);

	if (!object && (object = calloc(1, sizeof *object)) != NULL) {
		if (HASH_COUNT(all->ipc) >= OWN_MOST) {
			struct own_ipc *oldest = all->ipc;
			HASH_DEL(all->ipc, oldest);
			free(oldest);
		}
		object->kind_and_id = (uint64_t)kind << 32 | (uint32_t)id;
		HASH_ADD(hh, all->ipc, kind_and_id, sizeof object->kind_and_id, object);
	}
	pthread_mutex_unlock(&all->own_lock);
}

bool tracee_owns_ipc(struct tracees *all, enum ipc_kind kind, int id)
{
	pthread_mutex_lock(&all->own_lock);
	bool owns = find_ipc(all, kind, id) != NULL;
	pthread_mutex_unlock(&all->own_lock);
	return owns;
}

void tracee_free(struct tracees *all)
{
	struct task *task, *next;

	HASH_ITER(hh, all->tasks, task, next)
		tracee_remove(all, task);
	struct own_file *file, *next_file;
	HASH_ITER(hh, all->sockets, file, next_file)
		forget_socket(all, file);
	struct own_ipc *object, *next_object;
	HASH_ITER(hh, all->ipc, object, next_object) {
		HASH_DEL(all->ipc, object);
		free(object);
	}
}

bool tracee_private_memory(const struct task *task)
{
	if (task->memory->restless)
		return false;
	if (task->memory->users == 1)
		return true;
	/* a vfork child runs on its parent's memory while the parent sleeps in the kernel */
	return task->vfork_parent && task->memory->users == 2;
}

bool tracee_private_files(const struct task *task)
{
	return !task->files->restless && task->files->users == 1;
}

bool tracee_private_fs(const struct task *task)
{
	return !task->fs->restless && task->fs->users == 1;
}

/* A file of /proc/TID that is about its memory; *kept is where its descriptor may stay. To be let go with memory_close. */
/* A new descriptor has the lowest free number: are there enough above it for the work on a call? */
static bool leaves_enough(int fd)
{
	enum { ENOUGH = 32 };
	struct rlimit limit;

	return getrlimit(RLIMIT_NOFILE, &limit) == 0 && (rlim_t)fd + ENOUGH < limit.rlim_cur;
}

static int memory_open(struct tracees *all, const struct task *task, const char *file, int *kept)
{
	char path[64];

	if (*kept >= 0)
		return *kept;
	snprintf(path, sizeof path, "/proc/%d/%s", (int)task->tid, file);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && !all->keeper && all->kept_open < KEPT_OPEN_MOST && leaves_enough(fd)) {
		*kept = fd;
		all->kept_open++;
	}
	return fd;
}

static void memory_close(int fd, int kept)
{
	if (fd != kept)
		close(fd);
}

bool tracee_anonymous(struct tracees *all, struct task *task, uint64_t address, size_t length)
{
	uint64_t first = address / PAGE, last = (address + (length ? length - 1 : 0)) / PAGE, entry[PAGES_MOST];

	if (last < first || last - first >= PAGES_MOST)
		return false;
	int fd = memory_open(all, task, "pagemap", &task->memory->pagemap);
	if (fd < 0)
		return false;
	size_t bytes = (size_t)(last - first + 1) * sizeof entry[0];
	ssize_t n = pread(fd, entry, bytes, (off_t)(first * sizeof entry[0]));
	memory_close(fd, task->memory->pagemap);
	if (n != (ssize_t)bytes)
		return false;
	for (size_t i = 0; i <= (size_t)(last - first); i++)
		if (!(entry[i] & (PAGEMAP_PRESENT | PAGEMAP_SWAP)) || (entry[i] & PAGEMAP_FILE))
			return false;
	return true;
}

/* PROCMAP_QUERY (Linux 6.11, linux/fs.h), for headers that lack it. */
struct procmap_question {
	uint64_t size, query_flags, query_addr;
	uint64_t vma_start, vma_end, vma_flags, vma_page_size, vma_offset, inode;
	uint32_t dev_major, dev_minor, vma_name_size, build_id_size;
	uint64_t vma_name_addr, build_id_addr;
};
#define PROCMAP_ASK _IOWR('f', 17, struct procmap_question)
#define PROCMAP_SHARED UINT64_C(8)

/* proc(5), /proc/PID/maps: names of memory that only its owner writes to; not those of the kernel, such as [vvar]. */
static bool is_anonymous_name(const char *name)
{
	return name[0] == 0 || strcmp(name, "[heap]") == 0 || strcmp(name, "[stack]") == 0 || strncmp(name, "[anon:", 6) == 0;
}

int tracee_mapped_file(struct tracees *all, struct task *task, uint64_t address, size_t length, char *name, size_t size)
{
	struct procmap_question question = { .size = sizeof question,
					     .query_addr = address,
					     .vma_name_size = (uint32_t)size,
					     .vma_name_addr = (uintptr_t)name };
	int fd = memory_open(all, task, "maps", &task->memory->maps);

	if (fd < 0)
		return -errno;
	int r = ioctl(fd, PROCMAP_ASK, &question) < 0 ? -errno : 0;
	memory_close(fd, task->memory->maps);
	if (r < 0)
		return r;
	if ((question.vma_flags & PROCMAP_SHARED) || question.vma_end - address < length)
		return -ENOENT;
	if (question.vma_name_size == 0)
		name[0] = 0;
	if (question.inode == 0 && is_anonymous_name(name))
		return -ENXIO;
	if (name[0] != '/')
		return -ENOENT;
	/* a memfd, or a file without a name any more: what no rule names can still be written through descriptors */
	size_t n = strnlen(name, size), mark = sizeof DELETED - 1;
	return n >= mark && memcmp(name + n - mark, DELETED, mark) == 0 ? -ENOENT : 0;
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
