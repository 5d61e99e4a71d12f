/* SPDX-License-Identifier: MIT */
/* judge_machine.c - see judge.h: names that are refused to every tool, whatever the policy says. */
#include <errno.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "always.h"
#include "judge.h"
#include "ordinary.h"

static bool below(const char *name, const char *tree)
{
	size_t n = strlen(tree);

	return strncmp(name, tree, n) == 0 && (name[n] == 0 || name[n] == '/');
}

bool judge_ends_in(const struct resolved *at, const char *end)
{
	size_t n = strlen(end);

	return at->length >= n && memcmp(at->name + at->length - n, end, n) == 0;
}

/* The machine's own files (always.h) are known by their names. Where such a file system is mounted elsewhere as well, it is not
 * told apart which they are: nothing there may be written, and of processes nothing be read. */
static bool machine_elsewhere(const struct resolved *at, unsigned access)
{
	struct statfs fs;

	if (major(at->held.st_dev) != 0 || below(at->name, "/proc") || below(at->name, "/sys") ||
	    fstatfs(at->fd, &fs) < 0)
		return false; /* on a device */
	switch ((uint32_t)fs.f_type) {
	case PROC_SUPER_MAGIC:
		return true;
	case SYSFS_MAGIC:
	case DEBUGFS_MAGIC:
	case TRACEFS_MAGIC:
	case SECURITYFS_MAGIC:
	case CGROUP_SUPER_MAGIC:
	case CGROUP2_SUPER_MAGIC:
	case BPF_FS_MAGIC:
	case BINFMTFS_MAGIC:
		return access & ACCESS_WRITE;
	default:
		return false;
	}
}

/* A device by another name than those that always.h knows: only what harms nobody. devices.txt of the kernel. */
static bool device_elsewhere(const struct resolved *at)
{
	enum { MEMORY = 1, TERMINALS = 5, PTS_FIRST = 136, PTS_LAST = 143 };
	struct stat st;

	if (at->type != S_IFCHR || below(at->name, "/dev") || fstat(at->fd, &st) < 0)
		return false;
	unsigned device = major(st.st_rdev), number = minor(st.st_rdev);
	if (device == 0) /* nothing is behind it: a whiteout, which everybody may make (mknod(2), renameat2(2)) */
		return false;
	if (device == MEMORY) /* null, zero, full, random, urandom */
		return number != 3 && number != 5 && (number < 7 || number > 9);
	return device != TERMINALS && (device < PTS_FIRST || device > PTS_LAST);
}

static bool is_machine(const struct resolved *at, unsigned access)
{
	return at->type == S_IFBLK || always_machine(at->name, at->length, access) || device_elsewhere(at);
}

bool judge_machine_object(const struct resolved *at)
{
	return is_machine(at, ACCESS_READ);
}

/* Is this name refused with that access, whatever the policy says? Fills the judgement. */
static bool is_refused(struct judgement *judgement, const struct resolved *at, unsigned access)
{
	if (below(at->name, "/proc") && judge_ends_in(at, "/mem") && !at->own_proc) {
		judge_always(judgement, VIOLATION_PROCESS_CONTROL, EACCES, "%s", at->name);
		return true;
	}
	if (is_machine(at, access) || machine_elsewhere(at, access)) {
		judge_always(judgement, VIOLATION_PRIVILEGE, EPERM, "%s", at->name);
		return true;
	}
	/* what is not of the run is of a stranger, perhaps of the supervisor, or of the whole machine */
	if ((access & ACCESS_WRITE) && below(at->name, "/proc") && !at->run_proc) {
		judge_always(judgement, VIOLATION_PROCESS_CONTROL, EPERM, "%s", at->name);
		return true;
	}
	return false;
}

bool judge_refused_always(const struct request *request, struct judgement *judgement, const struct resolved *at,
			  unsigned access)
{
	if (at->stranger) {
		judge_always(judgement, judge_kind(access), EACCES, "%s", at->name);
		return true;
	}
	if (!(access & (ACCESS_READ | ACCESS_WRITE)) || !is_refused(judgement, at, access))
		return false;
	int failure = ordinary_kind(request);
	if (failure < 0)
		judge_answer(judgement, failure);
	return true;
}

bool judge_leads_to_machine(struct judgement *judgement, const struct name_arg *name)
{
	bool leads = name->at.exists && name->at.type == S_IFDIR && always_machine_near(name->at.name, name->at.length);

	if (leads)
		judge_always(judgement, VIOLATION_PRIVILEGE, EPERM, "%s", name->at.name);
	return leads;
}
