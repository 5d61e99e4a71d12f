/* SPDX-License-Identifier: MIT */
/*
 * perform_attribute.c - looking at and changing what a name stands for, which
 * is held. The only place that knows what these calls are made of beyond their names; what they mean to the policy is in
 * policy/syscalls.def. Calls that do the same with other forms of a name have the same arguments after it, so they share a function.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <utime.h>

#include "cleanup.h"
#include "perform_inside.h"

enum {
	VALUE_MOST = 65536,	/* XATTR_SIZE_MAX and XATTR_LIST_MAX, linux/limits.h */
	HANDLE_MOST = 128,	/* MAX_HANDLE_SZ */
	ATTRIBUTES_MOST = 4096, /* struct file_attr may grow up to a page */
};

/* Calls that this machine's headers may lack. */
enum { FCHMODAT2 = 452, FILE_GETATTR = 468, FILE_SETATTR = 469 };

/* struct xattr_args, linux/xattr.h (Linux 6.13). */
struct value_args {
	uint64_t value;
	uint32_t size, flags;
};

static int64_t result(long r)
{
	return r < 0 ? -errno : r;
}

/* ---- changing ----------------------------------------------------------- */

static int64_t do_chmod(struct deed *deed)
{
	mode_t mode = (mode_t)deed->tail[0];

	if (deed->request->names[0].at.type == S_IFLNK) { /* only fchmodat2 can mean a link itself */
		long r = syscall(FCHMODAT2, deed->fd, "", mode, AT_EMPTY_PATH);
		return r < 0 && errno == ENOSYS ? -EOPNOTSUPP : result(r);
	}
	return result(chmod(deed->path, mode));
}

static int64_t do_chown(struct deed *deed)
{
	return result(fchownat(deed->fd, "", (uid_t)deed->tail[0], (gid_t)deed->tail[1], AT_EMPTY_PATH));
}

/* setrlimit(2), RLIMIT_FSIZE: it is the task's that counts. */
static int64_t do_truncate(struct deed *deed)
{
	int64_t length = (int64_t)deed->tail[0];
	rlim_t most = caller_limit(deed->task->tid, RLIMIT_FSIZE);

	if (length > 0 && most != RLIM_INFINITY && (rlim_t)length > most &&
	    deed->request->names[0].at.type == S_IFREG) {
		syscall(SYS_tgkill, tracee_tgid(deed->task), deed->task->tid, SIGXFSZ);
		return -EFBIG;
	}
	return result(truncate(deed->path, length));
}

static int64_t set_times(struct deed *deed, const struct timespec times[2])
{
	return result(utimensat(AT_FDCWD, deed->path, times, 0));
}

static int64_t do_utime(struct deed *deed)
{
	struct utimbuf given;

	if (deed->tail[0] == 0)
		return set_times(deed, NULL);
	int r = deed_take(deed, deed->tail[0], &given, sizeof given);
	return r < 0 ? r : set_times(deed, (struct timespec[]){{given.actime, 0}, {given.modtime, 0}});
}

static int64_t do_utimes(struct deed *deed)
{
	struct timeval given[2];
	struct timespec times[2];

	if (deed->tail[0] == 0)
		return set_times(deed, NULL);
	int r = deed_take(deed, deed->tail[0], given, sizeof given);
	for (int i = 0; r == 0 && i < 2; i++) {
		if (given[i].tv_usec < 0 || given[i].tv_usec >= 1000000)
			return -EINVAL;
		times[i] = (struct timespec){given[i].tv_sec, given[i].tv_usec * 1000};
	}
	return r < 0 ? r : set_times(deed, times);
}

static int64_t do_utimensat(struct deed *deed)
{
	struct timespec times[2];

	if (deed->request->flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if (deed->tail[0] == 0)
		return set_times(deed, NULL);
	int r = deed_take(deed, deed->tail[0], times, sizeof times);
	return r < 0 ? r : set_times(deed, times);
}

/* ---- extended attributes ------------------------------------------------ */

/* The name of an attribute is the one that was judged. */
static int64_t set_value(struct deed *deed, uint64_t value_at, uint64_t size, int flags)
{
	if (size > VALUE_MOST)
		return -E2BIG;
	cleanup_free void *value = malloc(size ? size : 1);
	int64_t r = value ? deed->request->attribute_error : -ENOMEM;
	if (r == 0 && size)
		r = deed_take(deed, value_at, value, size);
	return r < 0 ? r : result(setxattr(deed->path, deed->request->attribute, value, size, flags));
}

static int64_t do_setxattr(struct deed *deed)
{
	return set_value(deed, deed->tail[1], deed->tail[2], (int)deed->tail[3]);
}

/* The struct of setxattrat and getxattrat. */
static int64_t take_args(const struct deed *deed, struct value_args *args)
{
	uint64_t size = deed->tail[3];

	if (size < sizeof *args)
		return -EINVAL;
	return size > sizeof *args ? -E2BIG : deed_take(deed, deed->tail[2], args, sizeof *args);
}

static int64_t do_setxattrat(struct deed *deed)
{
	struct value_args args;
	int64_t r = take_args(deed, &args);

	return r < 0 ? r : set_value(deed, args.value, args.size, (int)args.flags);
}

static int64_t do_removexattr(struct deed *deed)
{
	const struct request *request = deed->request;

	return request->attribute_error < 0 ? request->attribute_error
					    : result(removexattr(deed->path, request->attribute));
}

/* A value, or with name NULL the list of names. */
static int64_t get_value(struct deed *deed, const char *name, uint64_t to, uint64_t size)
{
	if (size > VALUE_MOST)
		size = VALUE_MOST;
	cleanup_free char *value = malloc(size ? size : 1);
	if (!value)
		return -ENOMEM;
	ssize_t n = name ? getxattr(deed->path, name, value, size) : listxattr(deed->path, value, size);
	if (n < 0)
		return -errno;
	int r = size ? deed_put(deed, to, value, (size_t)n) : 0;
	return r < 0 ? r : n;
}

static int64_t do_getxattr(struct deed *deed)
{
	const struct request *request = deed->request;

	return request->attribute_error < 0 ? request->attribute_error
					    : get_value(deed, request->attribute, deed->tail[1], deed->tail[2]);
}

static int64_t do_getxattrat(struct deed *deed)
{
	struct value_args args;
	int64_t r = take_args(deed, &args);

	if (r == 0)
		r = args.flags ? -EINVAL : deed->request->attribute_error;
	return r < 0 ? r : get_value(deed, deed->request->attribute, args.value, args.size);
}

static int64_t do_listxattr(struct deed *deed)
{
	return get_value(deed, NULL, deed->tail[0], deed->tail[1]);
}

static int64_t do_listxattrat(struct deed *deed)
{
	return get_value(deed, NULL, deed->tail[1], deed->tail[2]);
}

/* ---- looking ------------------------------------------------------------ */

static int64_t do_stat(struct deed *deed)
{
	struct stat st; /* as the kernel has it on x86-64 */

	if (deed->request->flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_STATX_SYNC_TYPE))
		return -EINVAL;
	if (fstatat(deed->fd, "", &st, AT_EMPTY_PATH | (deed->request->flags & AT_NO_AUTOMOUNT)) < 0)
		return -errno;
	return deed_put(deed, deed->tail[0], &st, sizeof st);
}

static int64_t do_statx(struct deed *deed)
{
	struct statx st;
	int flags = (deed->request->flags & ~AT_SYMLINK_NOFOLLOW) | AT_EMPTY_PATH;

	if (statx(deed->fd, "", flags, (unsigned)deed->tail[1], &st) < 0)
		return -errno;
	return deed_put(deed, deed->tail[2], &st, sizeof st);
}

static int64_t check_access(struct deed *deed, int mode, int flags)
{
	struct caller *caller = deed->caller;

	if (!(flags & AT_EACCESS))
		caller_real_ids(caller, true);
	int64_t r = result(syscall(SYS_faccessat2, deed->fd, "", mode, AT_EMPTY_PATH | AT_EACCESS));
	if (!(flags & AT_EACCESS))
		caller_real_ids(caller, false);
	return r;
}

static int64_t do_access(struct deed *deed)
{
	return check_access(deed, (int)deed->tail[0], 0);
}

static int64_t do_faccessat2(struct deed *deed)
{
	if (deed->request->flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	return check_access(deed, (int)deed->tail[0], deed->request->flags);
}

/* /proc/self and /proc/thread-self tell who reads them. */
static int64_t own_link(const struct deed *deed, char *text, size_t size)
{
	const struct name_arg *link = &deed->request->names[0];
	const char *name = link->at.name;

	/* asked by descriptor, as below, the kernel says so of what is no link, and else otherwise */
	if (link->at.type != S_IFLNK)
		return link->by_fd ? -ENOENT : -EINVAL;
	if (strcmp(name, "/proc/self") == 0)
		return snprintf(text, size, "%d", (int)tracee_tgid(deed->task));
	if (strcmp(name, "/proc/thread-self") == 0)
		return snprintf(text, size, "%d/task/%d", (int)tracee_tgid(deed->task), (int)deed->task->tid);
	return result(readlinkat(deed->fd, "", text, size));
}

static int64_t do_readlink(struct deed *deed)
{
	char text[PATH_MAX];
	size_t size = (uint32_t)deed->tail[1];

	if ((int)deed->tail[1] <= 0)
		return -EINVAL;
	int64_t n = own_link(deed, text, sizeof text);
	if (n < 0)
		return n;
	if ((size_t)n > size)
		n = (int64_t)size;
	int r = deed_put(deed, deed->tail[0], text, (size_t)n);
	return r < 0 ? r : n;
}

static int64_t do_statfs(struct deed *deed)
{
	struct statfs st; /* as the kernel has it on x86-64 */

	return fstatfs(deed->fd, &st) < 0 ? -errno : deed_put(deed, deed->tail[0], &st, sizeof st);
}

static int64_t do_name_to_handle(struct deed *deed)
{
	struct {
		uint32_t bytes;
		int32_t type;
		char data[HANDLE_MOST];
	} handle;
	uint64_t mount = 0;
	const int unique = 0x1; /* AT_HANDLE_MNT_ID_UNIQUE: 64 bits */
	int flags = (deed->request->flags & ~AT_SYMLINK_FOLLOW) | AT_EMPTY_PATH;
	int r = deed_take(deed, deed->tail[0], &handle.bytes, sizeof handle.bytes);

	if (r < 0)
		return r;
	if (handle.bytes > HANDLE_MOST)
		return -EINVAL;
	r = syscall(SYS_name_to_handle_at, deed->fd, "", &handle, &mount, flags) < 0 ? -errno : 0;
	if (r < 0 && r != -EOVERFLOW)
		return r;
	int written = deed_put(deed, deed->tail[0], &handle, 8 + (r == 0 ? handle.bytes : 0));
	if (written == 0)
		written = deed_put(deed, deed->tail[1], &mount, flags & unique ? sizeof mount : sizeof(int32_t));
	return written < 0 ? written : r;
}

static int64_t do_file_getattr(struct deed *deed)
{
	char attributes[ATTRIBUTES_MOST] = "";
	uint64_t size = deed->tail[1];

	if (size > sizeof attributes)
		return -E2BIG;
	long r = syscall(FILE_GETATTR, deed->fd, "", attributes, size, AT_EMPTY_PATH);
	return r < 0 ? -errno : deed_put(deed, deed->tail[0], attributes, size);
}

static int64_t do_file_setattr(struct deed *deed)
{
	char attributes[ATTRIBUTES_MOST];
	uint64_t size = deed->tail[1];

	if (size > sizeof attributes)
		return -E2BIG;
	int r = deed_take(deed, deed->tail[0], attributes, size);
	return r < 0 ? r : result(syscall(FILE_SETATTR, AT_FDCWD, deed->path, attributes, size, 0));
}

/* ---- which -------------------------------------------------------------- */

static const struct {
	const char *name;
	perform_function *function;
} functions[] = {
	{"chmod", do_chmod},
	{"fchmod", do_chmod},
	{"fchmodat", do_chmod},
	{"fchmodat2", do_chmod},
	{"chown", do_chown},
	{"fchown", do_chown},
	{"lchown", do_chown},
	{"fchownat", do_chown},
	{"truncate", do_truncate},
	{"utime", do_utime},
	{"utimes", do_utimes},
	{"futimesat", do_utimes},
	{"utimensat", do_utimensat},
	{"setxattr", do_setxattr},
	{"lsetxattr", do_setxattr},
	{"fsetxattr", do_setxattr},
	{"setxattrat", do_setxattrat},
	{"removexattr", do_removexattr},
	{"lremovexattr", do_removexattr},
	{"fremovexattr", do_removexattr},
	{"removexattrat", do_removexattr},
	{"getxattr", do_getxattr},
	{"lgetxattr", do_getxattr},
	{"getxattrat", do_getxattrat},
	{"listxattr", do_listxattr},
	{"llistxattr", do_listxattr},
	{"listxattrat", do_listxattrat},
	{"stat", do_stat},
	{"lstat", do_stat},
	{"newfstatat", do_stat},
	{"statx", do_statx},
	{"access", do_access},
	{"faccessat", do_access},
	{"faccessat2", do_faccessat2},
	{"readlink", do_readlink},
	{"readlinkat", do_readlink},
	{"statfs", do_statfs},
	{"name_to_handle_at", do_name_to_handle},
	{"file_getattr", do_file_getattr},
	{"file_setattr", do_file_setattr},
};

static perform_function *by_number[CALL_NUMBERS];
static pthread_once_t filled = PTHREAD_ONCE_INIT;

static void fill(void)
{
	for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
		const struct call *call = call_by_name(functions[i].name);
		if (call)
			by_number[call->number] = functions[i].function;
	}
}

perform_function *perform_attribute(const struct call *call)
{
	pthread_once(&filled, fill);
	/* cppcheck-suppress CastIntegerToAddressAtReturn; a table of functions */
	return by_number[call->number];
}
