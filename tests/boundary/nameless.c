/* SPDX-License-Identifier: MIT */
/*
 * nameless.c - what has no name, or none any more: pipes, anonymous memory, removed files. Changing it through a descriptor
 * works, for one thread alone and among others, and gives no way to what has a name and may not be changed.
 */
#include "attempt.h"

#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/xattr.h>

static void *sleep_for_ever(void *unused)
{
	(void)unused;
	for (;;)
		pause();
	return NULL;
}

static int in_company(int (*attempt)(void))
{
	pthread_t thread;

	return pthread_create(&thread, NULL, sleep_for_ever, NULL) ? BROKEN : attempt();
}

#define WORKS(condition)                                                                         \
	do {                                                                                     \
		if (!(condition)) {                                                              \
			fprintf(stderr, "line %d: not so: %s: %m\n", __LINE__, #condition);      \
			exit(REFUSED);                                                           \
		}                                                                                \
	} while (0)

static const char *link_of(int fd)
{
	static char text[64];

	snprintf(text, sizeof text, "/proc/self/fd/%d", fd);
	return text;
}

/* Everything that changes an object by its descriptor, or by the link that /proc has of it. */
static int change_object(int fd)
{
	struct timespec times[2] = { { 1000, 0 }, { 2000, 0 } };
	struct stat st;
	char value[8];

	WORKS(fchmod(fd, 0640) == 0 && fstat(fd, &st) == 0 && (st.st_mode & 07777) == 0640);
	WORKS(chmod(link_of(fd), 0600) == 0 && fstat(fd, &st) == 0 && (st.st_mode & 07777) == 0600);
	WORKS(fchown(fd, geteuid(), getegid()) == 0);
	WORKS(fchownat(fd, "", geteuid(), getegid(), AT_EMPTY_PATH) == 0);
	WORKS(futimens(fd, times) == 0 && fstat(fd, &st) == 0 && st.st_mtime == 2000);
	WORKS(syscall(SYS_utimensat, fd, NULL, NULL, 0) == 0 && fstat(fd, &st) == 0 && st.st_mtime > 2000);
	WORKS(stat(link_of(fd), &st) == 0 && (st.st_mode & 07777) == 0600);
	WORKS(access(link_of(fd), R_OK) == 0);
	if (fsetxattr(fd, "user.there", "1", 1, 0) < 0)
		WORKS(errno == EOPNOTSUPP || errno == EPERM || errno == ENODATA);	/* not of such a file system */
	else
		WORKS(fgetxattr(fd, "user.there", value, sizeof value) == 1 && fremovexattr(fd, "user.there") == 0);
	return WORKED;
}

static int removed_file(void)
{
	int fd = open("removed", O_CREAT | O_RDWR, 0600);

	NEED(fd);
	NEED(unlink("removed"));
	return change_object(fd);
}

static int removed_directory(void)
{
	int fd;

	NEED(mkdir("removed", 0700));
	NEED(fd = open("removed", O_DIRECTORY | O_RDONLY));
	NEED(rmdir("removed"));
	WORKS(fchmod(fd, 0750) == 0);
	return WORKED;
}

static int anonymous_memory(void)
{
	int fd = memfd_create("anonymous", 0);

	NEED(fd);
	WORKS(ftruncate(fd, 100) == 0);
	return change_object(fd);
}

static int end_of_pipe(void)
{
	int ends[2];

	NEED(pipe(ends));
	WORKS(fchmod(ends[0], 0640) == 0 && fchown(ends[1], geteuid(), getegid()) == 0);
	return change_object(ends[0]);
}

static int new_name_for_unnamed(void)
{
	int fd = open(".", O_TMPFILE | O_RDWR, 0600);

	if (fd < 0 && errno == EOPNOTSUPP)
		exit(NOT_HERE);
	NEED(fd);
	WORKS(write(fd, "x", 1) == 1);
	WORKS(linkat(AT_FDCWD, link_of(fd), AT_FDCWD, "named", AT_SYMLINK_FOLLOW) == 0);
	WORKS(access("named", F_OK) == 0);
	WORKS(linkat(AT_FDCWD, link_of(fd), AT_FDCWD, "named", AT_SYMLINK_FOLLOW) < 0 && errno == EEXIST);
	NEED(fd = open(".", O_TMPFILE | O_EXCL | O_RDWR, 0600));	/* that stays nameless: open(2) */
	WORKS(linkat(AT_FDCWD, link_of(fd), AT_FDCWD, "other", AT_SYMLINK_FOLLOW) < 0 && errno == ENOENT);
	return WORKED;
}

/* Who has given up being root may change no more than the kernel lets it. */
static int rights_given_up(void)
{
	if (geteuid() != 0)
		exit(NOT_HERE);
	int fd = open("removed", O_CREAT | O_RDWR, 0600), other = memfd_create("own", 0);

	NEED(fd);
	NEED(unlink("removed"));
	NEED(fchmod(fd, 0600));
	NEED(setresgid(65534, 65534, 65534));
	NEED(setresuid(65534, 65534, 65534));
	WORKS(fchmod(fd, 0666) < 0 && errno == EPERM);
	WORKS(fchown(fd, 65534, 65534) < 0 && errno == EPERM);
	WORKS(fchmod(other, 0666) < 0 && errno == EPERM);
	WORKS((other = memfd_create("own", 0)) >= 0 && fchmod(other, 0640) == 0);
	return WORKED;
}

/* FS_NODUMP_FL, the most harmless of the flags of a file. */
static int flags_of_file(void)
{
	enum { FILE_GETATTR = 468, FILE_SETATTR = 469 };	/* Linux 6.17 */
	int fd = open("flagged", O_CREAT | O_RDWR, 0600), flags;
	uint64_t attributes[3];

	NEED(fd);
	if (ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0)
		exit(NOT_HERE);	/* no such flags on this file system */
	flags |= FS_NODUMP_FL;
	WORKS(ioctl(fd, FS_IOC_SETFLAGS, &flags) == 0);
	flags = 0;
	WORKS(ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0 && (flags & FS_NODUMP_FL));
	if (syscall(FILE_GETATTR, AT_FDCWD, "flagged", attributes, sizeof attributes, 0) == 0)
		WORKS(syscall(FILE_SETATTR, AT_FDCWD, "flagged", attributes, sizeof attributes, 0) == 0);
	return WORKED;
}

#define BOTH(name)                              \
	static int name##_of_threads(void)      \
	{                                       \
		return in_company(name);        \
	}
BOTH(removed_file)
BOTH(removed_directory)
BOTH(anonymous_memory)
BOTH(end_of_pipe)
BOTH(new_name_for_unnamed)
BOTH(flags_of_file)
BOTH(rights_given_up)

/* ---- another thread puts another object there --------------------------------- */

static int page, own, slot;

static void *replace_descriptor(void *unused)
{
	for (;;) {
		dup2(own, slot);
		dup2(page, slot);
	}
	return unused;
}

/* The page is open to read, and may not be changed; the other is the tool's own. */
static int in_a_race(void (*change)(int fd))
{
	pthread_t thread;
	struct stat before, now;

	NEED(page = open("../read/page", O_RDONLY));
	NEED(fstat(page, &before));
	NEED(slot = fcntl(own, F_DUPFD, 100));
	NEED(-pthread_create(&thread, NULL, replace_descriptor, NULL));
	for (double end = seconds() + RACE_SECONDS; seconds() < end;) {
		change(slot);
		NEED(fstat(page, &now));
		if (now.st_mode != before.st_mode || now.st_mtime != before.st_mtime || now.st_nlink != before.st_nlink ||
		    (ioctl(page, FS_IOC_GETFLAGS, &(int){ 0 }) == 0 && now.st_ctime != before.st_ctime))
			return WORKED;
	}
	return REFUSED;
}

static void change_mode(int fd)
{
	fchmod(fd, 0666);
}
static void change_times(int fd)
{
	futimens(fd, (struct timespec[]){ { 1000, 0 }, { 2000, 0 } });
}
static void change_flags(int fd)
{
	ioctl(fd, FS_IOC_SETFLAGS, &(int){ FS_NODUMP_FL });
}
static void change_mode_by_link(int fd)
{
	chmod(link_of(fd), 0666);
}

static int race_mode(void)
{
	NEED(own = memfd_create("own", 0));
	return in_a_race(change_mode);
}
static int race_times(void)
{
	NEED(own = open("own", O_CREAT | O_RDWR, 0600));
	NEED(unlink("own"));
	return in_a_race(change_times);
}
static int race_mode_by_link(void)
{
	NEED(own = memfd_create("own", 0));
	return in_a_race(change_mode_by_link);
}
static int race_flags(void)
{
	NEED(own = open("own", O_CREAT | O_RDWR, 0600));
	if (ioctl(own, FS_IOC_SETFLAGS, &(int){ 0 }) < 0)
		exit(BROKEN);
	sleep(1);	/* so that a change shows in the second of its time */
	return in_a_race(change_flags);
}

#define ROWS(name) { HAS_TO_WORK, #name, name }, { HAS_TO_WORK, #name "_of_threads", name##_of_threads }
static const struct row rows[] = {
	ROWS(removed_file),
	ROWS(removed_directory),
	ROWS(anonymous_memory),
	ROWS(end_of_pipe),
	ROWS(new_name_for_unnamed),
	ROWS(flags_of_file),
	ROWS(rights_given_up),
	{ GETS_OUT, "race_mode", race_mode },
	{ GETS_OUT, "race_times", race_times },
	{ GETS_OUT, "race_mode_by_link", race_mode_by_link },
	{ GETS_OUT, "race_flags", race_flags },
};
MAIN(rows)
