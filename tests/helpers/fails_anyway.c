/* SPDX-License-Identifier: MIT */
/*
 * fails_anyway.c - calls that fail for reasons of the kernel's own, in a directory where a policy refuses them as well: prints what
 * each says. Run in a directory with a directory "d" and in it a file, "f", a directory, "e", and a link to "f", "l".
 *   fails_anyway           they all fail, and have to say the same with and without a guard
 *   fails_anyway control   these do not
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#ifndef RENAME_EXCHANGE
#define RENAME_EXCHANGE 2
#endif
#define TRY(call)                                                                     \
	do {                                                                          \
		errno = 0;                                                            \
		long r = (call);                                                      \
		printf("%s = %s\n", #call, r < 0 ? strerrorname_np(errno) : "works"); \
		fflush(stdout);                                                       \
	} while (0)

static void of_kinds(int watches)
{
	TRY(open("d/e", O_WRONLY));
	TRY(open("d/e", O_RDWR));
	TRY(open("d/e", O_RDONLY | O_TRUNC));
	TRY(open("d/e", O_CREAT | O_RDONLY, 0600));
	TRY(open("d/e", O_CREAT | O_EXCL | O_RDWR, 0600));
	TRY(creat("d/e", 0600));
	TRY(open("d/f", O_DIRECTORY));
	TRY(open("d/f", O_DIRECTORY | O_WRONLY));
	TRY(open("d/f", O_TMPFILE | O_RDWR, 0600));
	TRY(open("d/f", O_PATH | O_DIRECTORY));
	TRY(open("d/l", O_RDWR | O_NOFOLLOW));
	TRY(open("d/l", O_RDONLY | O_NOFOLLOW | O_DIRECTORY));
	TRY(open("d/missing", O_RDONLY));
	TRY(open("d/f/x", O_WRONLY));
	TRY(truncate("d/e", 0));
	TRY(truncate("d/f", -1));
	TRY(inotify_add_watch(watches, "d/f", IN_ONLYDIR | IN_ACCESS));
}

static void of_names(void)
{
	TRY(rmdir("d/f"));
	TRY(unlinkat(AT_FDCWD, "d/l", AT_REMOVEDIR));
	TRY(unlink("d/e"));
	TRY(rename("d/f", "d/e"));
	TRY(rename("d/e", "d/f"));
	TRY(rename("d/e", "d/e/x"));
	TRY(rename("d", "d/e"));
	TRY(rename("d/e", "d"));
	TRY(syscall(SYS_renameat2, AT_FDCWD, "d/e", AT_FDCWD, "d", RENAME_EXCHANGE));
	TRY(rename("d/f", "/proc/self/x"));
	TRY(rename("d/e", "/dev/shm/x"));
	TRY(link("d/f", "/dev/shm/x"));
	TRY(link("d/e", "d/new"));
	TRY(link("/dev/null", "d/new"));
	TRY(mknod("d/new", S_IFBLK | 0600, makedev(7, 0)));
	TRY(mknod("d/new", S_IFCHR | 0600, makedev(1, 3)));
	TRY(mknod("d/new", 0770000, 0));
	TRY(mkdir("d/f", 0700));
}

static void of_attributes(void)
{
	char value[8];

	TRY(setxattr("d/f", "unknown", "v", 1, 0));
	TRY(setxattr("d/f", "unknown.x", "v", 1, 0));
	TRY(setxattr("d/f", "trusted.x", "v", 1, 0));
	TRY(removexattr("d/f", "trusted.x"));
	TRY(removexattr("d/f", "user.missing"));
	TRY(getxattr("d/f", "user.missing", value, sizeof value));
	TRY(getxattr("d/f", "unknown.x", value, sizeof value));
	TRY(setxattr("d/f", "user.x", "v", 1, 77));
}

/* A file of root's, and a directory: to others. */
static void of_others(void)
{
	struct timespec times[2] = {{1, 0}, {2, 0}};

	TRY(chmod("/usr/bin/env", 0755));
	TRY(fchmod(open("/usr/bin/env", O_RDONLY), 0755));
	TRY(chown("/usr/bin/env", getuid(), (gid_t)-1));
	TRY(chown("d/f", 12345, (gid_t)-1));
	TRY(utimensat(AT_FDCWD, "/usr/bin/env", times, 0));
	TRY(utimensat(AT_FDCWD, "/usr/bin/env", NULL, 0));
	TRY(open("/usr/bin/env", O_WRONLY));
	TRY(open("/usr/bin/new", O_CREAT | O_WRONLY, 0600));
	TRY(unlink("/usr/bin/env"));
	TRY(rename("/usr/bin/env", "/usr/bin/new"));
	TRY(rename("/usr/bin/env", "/usr/bin"));
	TRY(rmdir("/usr/bin/env"));
	TRY(mkdir("/usr/bin/new", 0700));
	TRY(symlink("x", "/usr/bin/new"));
	TRY(setxattr("/usr/bin/env", "user.x", "v", 1, 0));
	TRY(truncate("/usr/bin/env", 0));
	TRY(link("d/f", "/usr/bin/new"));
}

/* Allowed to the owner, also of what nobody may write to. */
static void control(void)
{
	struct timespec times[2] = {{1, 0}, {2, 0}};

	TRY(chmod("d/f", 0400));
	TRY(utimensat(AT_FDCWD, "d/f", times, 0));
	TRY(chown("d/f", getuid(), (gid_t)-1));
	TRY(open("d/new", O_CREAT | O_RDONLY, 0600));
	TRY(link("d/f", "d/other"));
	TRY(chmod("d/f", 0600));
	TRY(truncate("d/f", 1));
	TRY(mknod("d/fifo", S_IFIFO | 0600, 0));
	TRY(mkdir("d/directory", 0700));
	TRY(setxattr("d/f", "user.there", "v", 1, 0));
	TRY(unlink("d/l"));
	TRY(rmdir("d/e"));
	TRY(rename("d/f", "d/moved"));
}

int main(int argc, char **argv)
{
	(void)argv;
	if (argc > 1) {
		control();
		return 0;
	}
	of_kinds(inotify_init());
	of_names();
	of_attributes();
	if (geteuid() != 0)
		of_others();
	return 0;
}
