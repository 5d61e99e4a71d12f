/* SPDX-License-Identifier: MIT */
/*
 * result_file.c - where the result goes. The directory is opened before the
 * tool starts and held; at the end nothing but the last component is looked
 * up again, without following a link: nobody can lead it elsewhere. That
 * nobody puts something else where the caller looks is the policy's matter (RULE_RESULT); at the end it is looked
 * whether the name still leads here, and an older result that could not be replaced goes.
 */
#include "result.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TEMPORARY_TRIES = 16 };

/* Names that the kernel gives to descriptors of the caller. */
static bool names_descriptor(const char *path)
{
	static const char *const exact[] = {"/dev/stdin", "/dev/stdout", "/dev/stderr", "/dev/null", "/dev/tty"};
	static const char *const prefix[] = {"/dev/fd/", "/proc/self/fd/"};
	for (size_t i = 0; i < sizeof(exact) / sizeof(exact[0]); i++) {
		if (strcmp(path, exact[i]) == 0)
			return true;
	}
	for (size_t i = 0; i < sizeof(prefix) / sizeof(prefix[0]); i++) {
		size_t length = strlen(prefix[i]);
		if (strncmp(path, prefix[i], length) == 0 && path[length] != '\0' &&
		    strspn(path + length, "0123456789") == strlen(path + length))
			return true;
	}
	return false;
}

bool result_file_is_kept(const char *path)
{
	struct stat status;
	return !names_descriptor(path) && (lstat(path, &status) != 0 || !S_ISCHR(status.st_mode));
}

static int open_direct(struct result_file *file, int dirfd, const char *name, int flags)
{
	file->fd = openat(dirfd, name, O_WRONLY | O_CLOEXEC | O_NOCTTY | flags);
	return file->fd < 0 ? -errno : 0;
}

/* The path's directory opened, its last component in file->name. */
static int open_directory(struct result_file *file, const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;
	if (*name == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return *path == '\0' ? -ENOENT : -EISDIR;
	if (strlen(name) > NAME_MAX)
		return -ENAMETOOLONG;
	char *directory = slash == NULL	  ? strdup(".")
			  : slash == path ? strdup("/")
					  : strndup(path, (size_t)(slash - path));
	file->name = strdup(name);
	if (directory == NULL || file->name == NULL) {
		free(directory);
		return -ENOMEM;
	}
	file->dirfd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int error = file->dirfd < 0 ? -errno : 0;
	free(directory);
	return error;
}

static int open_target(struct result_file *file, const char *path)
{
	if (names_descriptor(path))
		return open_direct(file, AT_FDCWD, path, 0);
	int error = open_directory(file, path);
	if (error != 0)
		return error;
	struct stat status;
	if (fstatat(file->dirfd, file->name, &status, AT_SYMLINK_NOFOLLOW) != 0)
		error = errno == ENOENT ? 0 : -errno;
	else if (S_ISDIR(status.st_mode))
		error = -EISDIR;
	else if (!S_ISREG(status.st_mode) && !S_ISLNK(status.st_mode))
		return open_direct(file, file->dirfd, file->name, O_NOFOLLOW);
	/* Replacing needs to be able to make and remove names there. */
	if (error == 0 && faccessat(file->dirfd, ".", W_OK | X_OK, AT_EACCESS) != 0)
		error = -errno;
	return error;
}

int result_file_open(struct result_file *file, const char *path)
{
	*file = RESULT_FILE_NONE;
	int error = open_target(file, path);
	if (error == 0 && file->name != NULL && (file->path = strdup(path)) == NULL)
		error = -ENOMEM;
	if (error != 0)
		result_file_close(file);
	return error;
}

void result_file_close(struct result_file *file)
{
	if (file->dirfd >= 0)
		close(file->dirfd);
	if (file->fd >= 0)
		close(file->fd);
	free(file->name);
	free(file->path);
	*file = RESULT_FILE_NONE;
}

/* A new file beside the target, under a name that nothing had; the caller's umask holds. The descriptor or -errno. */
static int make_temporary(int dirfd, char *name, size_t size)
{
	for (int i = 0; i < TEMPORARY_TRIES; i++) {
		uint64_t random;
		if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
			return -errno;
		snprintf(name, size, ".picket-%016llx.tmp", (unsigned long long)random);
		int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
		if (fd >= 0)
			return fd;
		if (errno != EEXIST && errno != EINTR)
			return -errno;
	}
	return -EEXIST;
}

/* The directory may say which rights new files in it have (acl(5), "default ACL"): its owner reads this one all the same. */
static void note_written(struct result_file *file, int fd)
{
	struct stat status;
	if (fstat(fd, &status) != 0)
		return;
	if (S_ISREG(status.st_mode) && !(status.st_mode & S_IRUSR))
		fchmod(fd, (status.st_mode & 07777) | S_IRUSR | S_IWUSR);
	file->dev = status.st_dev;
	file->ino = status.st_ino;
}

static int change_mode(int dirfd, mode_t mode)
{
	char name[64];
	snprintf(name, sizeof(name), "/proc/self/fd/%d", dirfd);
	return chmod(name, mode & 07777);
}

/*
 * Names could be made and removed there when the run began, but a tool that may write to a directory may take that right from its
 * owner, and so keep what it did to itself. True: it was given back, and what it was before is in *before.
 */
static bool open_up(int dirfd, mode_t *before)
{
	struct stat status;
	if (faccessat(dirfd, ".", W_OK | X_OK, AT_EACCESS) == 0 || errno != EACCES || fstat(dirfd, &status) != 0)
		return false;
	*before = status.st_mode;
	return change_mode(dirfd, status.st_mode | S_IWUSR | S_IXUSR) == 0;
}

bool result_file_misleads(const struct result_file *file)
{
	struct stat status;
	if (file->path == NULL)
		return false;
	if (lstat(file->path, &status) != 0)
		return errno != ENOENT && errno != ENOTDIR;
	return status.st_ino != file->ino || status.st_dev != file->dev;
}

static int replace(struct result_file *file, const struct result *result, const struct run_identity *identity,
		   const struct run_outcome *outcome, const struct run_output *output)
{
	char temporary[64];
	assert(file->name != NULL); /* without one there is a descriptor */
	int fd = make_temporary(file->dirfd, temporary, sizeof(temporary));
	if (fd < 0) {
		unlinkat(file->dirfd, file->name, 0);
		return fd;
	}
	note_written(file, fd);
	int error = result_write(result, identity, outcome, output, fd);
	if (close(fd) != 0 && error == 0) /* network file systems report a full disk here */
		error = -errno;
	if (error == 0 && renameat(file->dirfd, temporary, file->dirfd, file->name) != 0)
		error = -errno;
	if (error != 0) {
		unlinkat(file->dirfd, temporary, 0);
		unlinkat(file->dirfd, file->name, 0);
	}
	return error;
}

int result_file_write(struct result_file *file, const struct result *result, const struct run_identity *identity,
		      const struct run_outcome *outcome, const struct run_output *output)
{
	mode_t before;
	if (file->fd >= 0) {
		note_written(file, file->fd);
		return result_write(result, identity, outcome, output, file->fd);
	}
	bool opened = open_up(file->dirfd, &before);
	int error = replace(file, result, identity, outcome, output);
	if (opened)
		change_mode(file->dirfd, before | S_IXUSR); /* without which nobody would find it */
	return error;
}

int result_write_file(const struct result *result, const struct run_identity *identity,
		      const struct run_outcome *outcome, const struct run_output *output, const char *path)
{
	struct result_file file;
	int error = result_file_open(&file, path);
	if (error != 0)
		return error;
	error = result_file_write(&file, result, identity, outcome, output);
	result_file_close(&file);
	return error;
}
