/* SPDX-License-Identifier: MIT */
/*
 * caller.c - see caller.h. What a task is stands in /proc/TID/status
 * (proc(5)). It is read only when some task of the run has made a call that changes it.
 */
#include "caller.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cleanup.h"
#include "launch.h"

#define LOOK_CAPABILITY (UINT64_C(1) << CAP_SYS_PTRACE)

enum { STATUS_ROOM = 4096, STATUS_MOST = 1 << 20 }; /* the list of groups may be long */

/* ---- capabilities ------------------------------------------------------- */

static int get_capabilities(struct __user_cap_data_struct data[2])
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};

	return syscall(SYS_capget, &header, data) < 0 ? -errno : 0;
}

static int set_capabilities(uint64_t permitted, uint64_t effective)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];

	for (int half = 0; half < 2; half++)
		data[half] = (struct __user_cap_data_struct){.permitted = (uint32_t)(permitted >> (32 * half)),
							     .effective = (uint32_t)(effective >> (32 * half))};
	return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

/* What of these the thread has. */
static uint64_t permitted(void)
{
	struct __user_cap_data_struct data[2];

	return get_capabilities(data) < 0 ? 0 : data[0].permitted | (uint64_t)data[1].permitted << 32;
}

bool caller_may_change(void)
{
	uid_t real, effective, saved;
	gid_t real_group, effective_group, saved_group;

	if (getresuid(&real, &effective, &saved) < 0 || getresgid(&real_group, &effective_group, &saved_group) < 0)
		return true;
	return permitted() != 0 || real != effective || real != saved || real_group != effective_group ||
	       real_group != saved_group;
}

/* ---- ids ---------------------------------------------------------------- */

static void set_fs_ids(uid_t uid, gid_t gid)
{
	syscall(SYS_setfsgid, gid);
	syscall(SYS_setfsuid, uid);
}

/* setfsuid(2) tells only what was before. */
static bool has_fs_ids(uid_t uid, gid_t gid)
{
	return (uid_t)syscall(SYS_setfsuid, -1) == uid && (gid_t)syscall(SYS_setfsgid, -1) == gid;
}

static bool same_groups(const struct identity *a, const struct identity *b)
{
	return a->group_count == b->group_count &&
	       (a->group_count == 0 || memcmp(a->groups, b->groups, a->group_count * sizeof *a->groups) == 0);
}

static void read_groups(struct identity *identity, const char *text)
{
	size_t room = 0;
	char *end;

	identity->group_count = 0;
	for (;; text = end) {
		unsigned long group = strtoul(text, &end, 10);
		if (end == text || *text == '\n')
			return;
		if (identity->group_count == room) {
			gid_t *larger = realloc(identity->groups, (room = 2 * room + 32) * sizeof *larger);
			if (!larger)
				return; /* fewer groups: less is allowed */
			identity->groups = larger;
		}
		identity->groups[identity->group_count++] = (gid_t)group;
	}
}

/* The whole of /proc/TID/status; malloc'ed, or NULL. */
static char *read_status(pid_t tid)
{
	char path[64], *text = NULL, *larger;
	size_t length = 0;

	snprintf(path, sizeof path, "/proc/%d/status", (int)tid);
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	for (size_t room = STATUS_ROOM; fd >= 0 && room <= STATUS_MOST; room *= 2) {
		larger = realloc(text, room);
		if (!larger)
			break;
		text = larger;
		ssize_t n;
		while ((n = read(fd, text + length, room - 1 - length)) > 0)
			length += (size_t)n;
		text[length] = 0;
		if (length < room - 1)
			break;
	}
	return text;
}

static int read_identity(pid_t tid, struct identity *out)
{
	cleanup_free char *status = read_status(tid);
	const char *uids = status ? strstr(status, "\nUid:\t") : NULL,
		   *gids = status ? strstr(status, "\nGid:\t") : NULL,
		   *groups = status ? strstr(status, "\nGroups:\t") : NULL,
		   *effective = status ? strstr(status, "\nCapEff:\t") : NULL;

	if (!uids || !gids || !groups || !effective ||
	    sscanf(uids, "\nUid: %u %*u %*u %u", &out->uid, &out->fsuid) != 2 ||
	    sscanf(gids, "\nGid: %u %*u %*u %u", &out->gid, &out->fsgid) != 2)
		return -ESRCH;
	out->capabilities = strtoull(effective + sizeof "\nCapEff:\t" - 1, NULL, 16);
	read_groups(out, groups + sizeof "\nGroups:\t" - 1);
	return 0;
}

/* Which of the lines of status a call may change, and how many ids it is given. NULL: more than ids. */
static const char *line_of(long number, size_t *count)
{
	switch (number) {
	case SYS_setuid:
	case SYS_setfsuid:
		*count = 1;
		return "\nUid:\t";
	case SYS_setreuid:
		*count = 2;
		return "\nUid:\t";
	case SYS_setresuid:
		*count = 3;
		return "\nUid:\t";
	case SYS_setgid:
	case SYS_setfsgid:
		*count = 1;
		return "\nGid:\t";
	case SYS_setregid:
		*count = 2;
		return "\nGid:\t";
	case SYS_setresgid:
		*count = 3;
		return "\nGid:\t";
	default:
		return NULL; /* setgroups, capset */
	}
}

/* Only a task whose four ids are one and the same stays what it is whatever the call makes of them: -1 is "as it is". */
bool caller_stays(pid_t tid, long number, const uint64_t args[CALL_ARG_COUNT])
{
	size_t count = 0;
	const char *line = line_of(number, &count);
	cleanup_free char *status = line ? read_status(tid) : NULL;
	const char *ids = status ? strstr(status, line) : NULL;
	uint32_t real, effective, saved, fs;

	if (!ids || sscanf(ids + strlen(line), "%u %u %u %u", &real, &effective, &saved, &fs) != 4 ||
	    real != effective || real != saved || real != fs)
		return false;
	for (size_t i = 0; i < count; i++)
		if ((uint32_t)args[i] != UINT32_MAX && (uint32_t)args[i] != real)
			return false;
	return true;
}

/* ------------------------------------------------------------------------- */

void caller_prepare(struct caller *caller)
{
	uint64_t keep = permitted() & (launch_capabilities() | LOOK_CAPABILITY);

	*caller = (struct caller){.changed = false};
	unshare(CLONE_FS);
	umask(0);
	set_capabilities(keep, keep);
	if (read_identity((pid_t)syscall(SYS_gettid), &caller->own) < 0)
		caller->own = (struct identity){geteuid(), geteuid(), getegid(), getegid(), keep, NULL, 0};
	caller->own.capabilities = keep;
}

void caller_done(struct caller *caller)
{
	free(caller->own.groups);
	free(caller->theirs.groups);
}

static int set_groups(const struct identity *identity)
{
	return syscall(SYS_setgroups, identity->group_count, identity->groups) < 0 ? -errno : 0;
}

int caller_become(struct caller *caller, pid_t tid)
{
	struct identity *own = &caller->own, *theirs = &caller->theirs;
	int r = read_identity(tid, theirs);

	if (r < 0)
		return r;
	caller->changed = theirs->fsuid != own->fsuid || theirs->fsgid != own->fsgid ||
			  theirs->capabilities != (own->capabilities & ~LOOK_CAPABILITY) || !same_groups(theirs, own);
	if (!caller->changed)
		return 0;
	if (!same_groups(theirs, own))
		r = set_groups(theirs);
	set_fs_ids(theirs->fsuid, theirs->fsgid);
	if (r == 0)
		r = set_capabilities(own->capabilities, (theirs->capabilities | LOOK_CAPABILITY) & own->capabilities);
	if (r == 0 && !has_fs_ids(theirs->fsuid, theirs->fsgid))
		r = -EPERM;
	if (r < 0)
		caller_leave(caller);
	return r;
}

void caller_leave(struct caller *caller)
{
	if (!caller->changed)
		return;
	set_capabilities(caller->own.capabilities, caller->own.capabilities);
	set_fs_ids(caller->own.fsuid, caller->own.fsgid);
	if (!same_groups(&caller->theirs, &caller->own))
		set_groups(&caller->own);
	set_capabilities(caller->own.capabilities, caller->own.capabilities);
	caller->changed = false;
}

void caller_real_ids(struct caller *caller, bool on)
{
	if (!caller->changed ||
	    (caller->theirs.uid == caller->theirs.fsuid && caller->theirs.gid == caller->theirs.fsgid))
		return;
	/* capabilities as access(2) has them: all for a real user 0, none for any other */
	uint64_t has = on && caller->theirs.uid != 0 ? LOOK_CAPABILITY : caller->theirs.capabilities | LOOK_CAPABILITY;
	set_capabilities(caller->own.capabilities, caller->own.capabilities);
	set_fs_ids(on ? caller->theirs.uid : caller->theirs.fsuid, on ? caller->theirs.gid : caller->theirs.fsgid);
	set_capabilities(caller->own.capabilities, has & caller->own.capabilities);
}

bool caller_differs(pid_t tid)
{
	struct identity own = {.groups = NULL}, theirs = {.groups = NULL};
	bool differs = read_identity((pid_t)syscall(SYS_gettid), &own) == 0 && read_identity(tid, &theirs) == 0 &&
		       (own.fsuid != theirs.fsuid || own.fsgid != theirs.fsgid || !same_groups(&own, &theirs) ||
			(own.capabilities & launch_capabilities()) != (theirs.capabilities & launch_capabilities()));

	free(own.groups);
	free(theirs.groups);
	return differs;
}

struct access_question {
	struct caller caller;
	pid_t tid;
	int fd;
	const char *name;
	int access;
	int answer;
};

static void *ask_as_caller(void *argument)
{
	struct access_question *question = argument;

	caller_prepare(&question->caller);
	if (caller_become(&question->caller, question->tid) == 0) {
		const int flags = AT_EACCESS | AT_SYMLINK_NOFOLLOW;
		if (syscall(SYS_faccessat2, question->fd, "", question->access, AT_EMPTY_PATH | AT_EACCESS) < 0 ||
		    (question->name && syscall(SYS_faccessat2, AT_FDCWD, question->name, F_OK, flags) < 0))
			question->answer = errno == EACCES || errno == EROFS || errno == EPERM ? -errno : 0;
	}
	caller_done(&question->caller);
	return NULL; /* and its rights end with it */
}

int caller_access(pid_t tid, int fd, const char *name, int access)
{
	struct access_question question = {.tid = tid, .fd = fd, .name = name, .access = access};
	sigset_t all, before;
	pthread_t thread;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the main thread's */
	int r = pthread_create(&thread, NULL, ask_as_caller, &question);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (r == 0)
		pthread_join(thread, NULL);
	return question.answer;
}

int caller_umask(pid_t tid, mode_t *mask)
{
	char path[64], text[512];

	snprintf(path, sizeof path, "/proc/%d/status", (int)tid);
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	if (n <= 0)
		return -ESRCH;
	text[n] = 0;
	const char *field = strstr(text, "\nUmask:\t");
	if (!field)
		return -ESRCH; /* a zombie has none */
	*mask = (mode_t)strtoul(field + sizeof "\nUmask:\t" - 1, NULL, 8);
	return 0;
}

rlim_t caller_limit(pid_t tid, int resource)
{
	struct rlimit limit;

	return syscall(SYS_prlimit64, tid, resource, NULL, &limit) < 0 ? RLIM_INFINITY : limit.rlim_cur;
}
