/* SPDX-License-Identifier: MIT */
/*
 * ordinary.c - see ordinary.h. The order is the kernel's (fs/namei.c, fs/open.c, fs/attr.c, fs/xattr.c): what the objects are;
 * permissions; and what comes after these, where the call has nothing else to wait for. What it is silent about here is
 * recorded as a violation, so it need not know everything; but it must not know of a failure that would not be.
 */
#include "ordinary.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "cleanup.h"

static bool is_directory(const struct name_arg *name)
{
	return name->at.exists && name->at.type == S_IFDIR;
}

static bool below(const struct name_arg *name, const struct name_arg *directory)
{
	size_t n = directory->at.length;

	return is_directory(directory) && strncmp(name->at.name, directory->at.name, n) == 0 && name->at.name[n] == '/';
}

/* Value of an argument by its kind. False: the call has none. */
static bool value_of(const struct request *request, enum arg_kind kind, uint64_t *value)
{
	int i = call_arg_index(request->call, kind, 0);

	*value = i < 0 ? 0 : request->stop.args[i];
	return i >= 0;
}

/* ---- what the objects are ----------------------------------------------- */

static int open_kind(const struct request *request)
{
	const struct name_arg *name = &request->names[0];

	return name->at.exists ? call_open_error(request->how.flags, name->at.type) : 0;
}

static int watch_kind(const struct request *request)
{
	return (request->flags & (int)IN_ONLYDIR) && !is_directory(&request->names[0]) ? -ENOTDIR : 0;
}

/* Only truncate(2): vfs_truncate() in fs/open.c. */
static int change_kind(const struct request *request)
{
	uint64_t length;
	mode_t type = request->names[0].at.type;

	if (!value_of(request, ARG_LENGTH, &length) || type == S_IFREG)
		return 0;
	return type == S_IFDIR ? -EISDIR : -EINVAL;
}

/* By the directories that the names are in: of what is a mount by itself that is not known. 0: they may be in one. */
static int other_mount(const struct name_arg *from, const struct name_arg *to)
{
	struct statx one, other;

	if (statx(from->at.fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &one) < 0 ||
	    statx(to->at.fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &other) < 0 ||
	    !(one.stx_mask & other.stx_mask & STATX_MNT_ID))
		return 0; /* before Linux 5.8 */
	bool root = (one.stx_attributes & STATX_ATTR_MOUNT_ROOT) ||
		    (to->at.exists && (other.stx_attributes & STATX_ATTR_MOUNT_ROOT));
	return !root && one.stx_mnt_id != other.stx_mnt_id ? -EXDEV : 0;
}

static int link_kind(const struct request *request)
{
	return other_mount(&request->names[0], &request->names[1]);
}

static int rename_kind(const struct request *request)
{
	const struct name_arg *from = &request->names[0], *to = &request->names[1];
	int error = other_mount(from, to);

	if (error < 0)
		return error;
	if (below(to, from))
		return -EINVAL;
	return !below(from, to) ? 0 : request->flags & RENAME_EXCHANGE ? -EINVAL : -ENOTEMPTY;
}

static int (*const kinds[OP_COUNT])(const struct request *request) = {
	[OP_OPEN] = open_kind, [OP_WATCH] = watch_kind,	  [OP_CHANGE] = change_kind,
	[OP_LINK] = link_kind, [OP_RENAME] = rename_kind,
};

int ordinary_kind(const struct request *request)
{
	return kinds[request->call->op] ? kinds[request->call->op](request) : 0;
}

/* ---- permissions -------------------------------------------------------- */

static int mode_bits(unsigned access)
{
	return (access & ACCESS_READ ? R_OK : 0) | (access & ACCESS_WRITE ? W_OK : 0) |
	       (access & ACCESS_EXEC ? X_OK : 0);
}

/* May an entry of its directory be made or removed? Of one that is there, by others' names, not in such as /tmp. */
static int entry_failure(const struct name_arg *name)
{
	char parent[PATH_MAX + NAME_MAX + 2];
	const char *slash = strrchr(name->at.name, '/');
	struct stat directory, entry;

	if (!name->at.exists)
		return resolve_ordinary(&name->at, W_OK | X_OK);
	snprintf(parent, sizeof parent, "%.*s/", slash ? (int)(slash - name->at.name) : 0, name->at.name);
	cleanup_fd int fd = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int failure = fd < 0 ? 0 : resolve_ordinary_of(&name->at, fd, W_OK | X_OK);
	if (fd < 0 || failure < 0 || fstat(fd, &directory) < 0 || fstat(name->at.fd, &entry) < 0)
		return failure;
	uid_t user = geteuid();
	return (directory.st_mode & S_ISVTX) && user != 0 && user != entry.st_uid && user != directory.st_uid ? -EPERM
													      : 0;
}

/* May its mode, owner and times be set? */
static int owner_failure(const struct name_arg *name)
{
	struct stat st;

	return fstat(name->at.fd, &st) == 0 && geteuid() != 0 && geteuid() != st.st_uid ? -EPERM : 0;
}

/* chown(2): an ordinary user gives nothing away. */
static int new_owner_failure(const struct name_arg *name, uid_t owner)
{
	struct stat st;
	int failure = owner_failure(name);

	if (failure < 0 || geteuid() == 0 || owner == (uid_t)-1 || fstat(name->at.fd, &st) < 0)
		return failure;
	return owner == st.st_uid ? 0 : -EPERM;
}

/* Does the request set times of its own choice? Else the present time is set, which takes writing. */
static bool sets_times(const struct request *request)
{
	for (int i = 0; i < CALL_ARGS; i++) {
		const struct call_arg *arg = &request->call->args[i];
		if (arg->kind == ARG_ANY && (arg->final == EARLY_TIME || arg->final == EARLY_TIMES))
			return request->stop.args[i] != 0;
	}
	return false;
}

static bool attribute_begins(const struct request *request, const char *prefix)
{
	return strncmp(request->attribute, prefix, strlen(prefix)) == 0;
}

/* Extended attributes of others are the owner's or an administrator's (xattr(7)), or no file system's here. */
static int attribute_failure(const struct request *request, const struct name_arg *name)
{
	char path[64];

	if (attribute_begins(request, "trusted."))
		return -EPERM;
	bool others = attribute_begins(request, "security.") || attribute_begins(request, "system.");
	int failure = others ? 0 : resolve_ordinary(&name->at, W_OK);
	if (failure < 0 || request->attribute_error < 0)
		return failure;
	snprintf(path, sizeof path, "/proc/self/fd/%d", name->at.fd);
	if (getxattr(path, request->attribute, NULL, 0) >= 0)
		return 0;
	/* what removes one takes nothing else */
	bool removes = request->call->args[call_arg_index(request->call, ARG_ATTRIBUTE, 0) + 1].kind == ARG_UNUSED;
	return errno == EOPNOTSUPP || (removes && errno == ENODATA) ? -errno : 0;
}

static int change_failure(const struct request *request, const struct name_arg *name)
{
	uint64_t value;

	if (value_of(request, ARG_MODE, &value))
		return owner_failure(name);
	if (value_of(request, ARG_OWNER, &value))
		return new_owner_failure(name, (uid_t)value);
	if (value_of(request, ARG_ATTRIBUTE, &value))
		return attribute_failure(request, name);
	if (sets_times(request))
		return owner_failure(name);
	return resolve_ordinary(&name->at, W_OK);
}

/* ---- what comes after them ---------------------------------------------- */

/* Devices are for CAP_MKNOD, which no tool has (launch.c); what nothing is behind is for everybody (mknod(2)). */
static int create_failure(const struct request *request, const struct name_arg *name)
{
	int i = call_arg_index(request->call, ARG_NODE, 0), failure = entry_failure(name);

	if (failure < 0 || i < 0)
		return failure;
	mode_t type = (mode_t)request->stop.args[i] & S_IFMT;
	bool whiteout = type == S_IFCHR && (uint32_t)request->stop.args[i + 1] == 0;
	return type == S_IFBLK || (type == S_IFCHR && !whiteout) ? -EPERM : 0;
}

static int remove_failure(const struct request *request, const struct name_arg *name)
{
	bool directory = request->stop.number == SYS_rmdir || (request->flags & AT_REMOVEDIR);
	int failure = entry_failure(name);

	if (failure < 0 || directory == is_directory(name))
		return failure;
	return directory ? -ENOTDIR : -EISDIR;
}

static int rename_failure(const struct request *request)
{
	const struct name_arg *from = &request->names[0], *to = &request->names[1];
	int failure = entry_failure(from);

	if (failure == 0)
		failure = entry_failure(to);
	if (failure < 0 || !to->at.exists || (request->flags & RENAME_EXCHANGE) ||
	    is_directory(from) == is_directory(to))
		return failure;
	return is_directory(from) ? -ENOTDIR : -EISDIR;
}

static int link_failure(const struct request *request)
{
	int failure = entry_failure(&request->names[1]);

	return failure == 0 && is_directory(&request->names[0]) ? -EPERM : failure;
}

/* That there is no such attribute, or can be none, it tells to everybody by listxattr(2). */
static int value_failure(const struct request *request, const struct name_arg *name)
{
	char path[64];
	int failure = resolve_ordinary(&name->at, R_OK);

	snprintf(path, sizeof path, "/proc/self/fd/%d", name->at.fd);
	if (failure < 0 || getxattr(path, request->attribute, NULL, 0) >= 0)
		return failure;
	return errno == ENODATA || errno == EOPNOTSUPP ? -errno : 0;
}

int ordinary_failure(const struct request *request, const struct name_arg *name, unsigned access)
{
	int failure = ordinary_kind(request);

	if (failure < 0)
		return failure;
	switch ((int)request->call->op) {
	case OP_CREATE:
		return create_failure(request, name);
	case OP_REMOVE:
		return remove_failure(request, name);
	case OP_RENAME:
		return rename_failure(request);
	case OP_LINK:
		return link_failure(request);
	case OP_CHANGE:
	case OP_CHANGE_FD:
		return change_failure(request, name);
	case OP_VALUE:
		return value_failure(request, name);
	default:
		return name->at.exists ? resolve_ordinary(&name->at, mode_bits(access)) : entry_failure(name);
	}
}
