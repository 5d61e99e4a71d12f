/* SPDX-License-Identifier: MIT */
/* write.c - changing what may not be changed: each call that changes something, through libc and by itself. */
#include <linux/openat2.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <sys/xattr.h>
#include <linux/fs.h>
#include <utime.h>

#include "trials.h"

#define V (here.victim)

static int vault(void)
{
	return open(here.vault, O_PATH | O_DIRECTORY);
}

TRIAL(write_open, CHANGE, 0, "open to write")
{
	scribble(open(V, O_WRONLY));
}
TRIAL(write_open_both, CHANGE, 0, "open to read and write, written by a mapping")
{
	char *text = mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, open(V, O_RDWR), 0);
	if (text != MAP_FAILED)
		*text = '!';
}
TRIAL(write_open_append, CHANGE, 0, "open to append")
{
	scribble(open(V, O_WRONLY | O_APPEND));
}
TRIAL(write_open_truncate, CHANGE, 0, "open to read, which truncates")
{
	open(V, O_RDONLY | O_TRUNC);
}
TRIAL(write_open_create, CHANGE, 0, "open that creates, to write")
{
	open(OUT("new"), O_WRONLY | O_CREAT, 0644);
}
TRIAL(write_open_create_read, CHANGE, 0, "open that creates, to read")
{
	open(OUT("new"), O_RDONLY | O_CREAT, 0644);
}
TRIAL(write_openat_directory, CHANGE, 0, "openat that creates below a descriptor that only names")
{
	openat(vault(), "new", O_WRONLY | O_CREAT, 0644);
}
TRIAL(write_openat2, CHANGE, 0, "openat2 that creates")
{
	struct open_how how = {.flags = O_WRONLY | O_CREAT, .mode = 0644};
	raw(SYS_openat2, AT_FDCWD, OUT("new"), &how, sizeof(how));
}
TRIAL(write_tmpfile, CHANGE, MAYBE, "O_TMPFILE in the vault, given a name by linkat")
{
	char name[64];
	int fd = open(here.vault, O_WRONLY | O_TMPFILE, 0644);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	linkat(AT_FDCWD, name, AT_FDCWD, OUT("new"), AT_SYMLINK_FOLLOW);
}
TRIAL(write_creat, CHANGE, 0, "creat")
{
	creat(OUT("new"), 0644);
}
TRIAL(write_stdio, CHANGE, 0, "fopen to write")
{
	fopen(OUT("new"), "w");
}
TRIAL(write_stdio_append, CHANGE, 0, "fopen to append")
{
	FILE *file = fopen(V, "a");
	if (file != NULL)
		fputs("more", file), fclose(file);
}
TRIAL(write_mkstemp, CHANGE, 0, "mkstemp, whose open is inside libc")
{
	mkstemp(OUT("newXXXXXX"));
}
TRIAL(write_truncate, CHANGE, 0, "truncate")
{
	truncate(V, 1);
}
TRIAL(write_ftruncate, CHANGE, 0, "ftruncate of a descriptor opened to read and write")
{
	ftruncate(open(V, O_RDWR), 1);
}
TRIAL(write_fallocate, CHANGE, 0, "fallocate")
{
	posix_fallocate(open(V, O_RDWR), 0, 8192);
}
TRIAL(write_unlink, CHANGE, 0, "unlink")
{
	unlink(V);
}
TRIAL(write_unlinkat, CHANGE, 0, "unlinkat below a directory")
{
	unlinkat(vault(), "victim", 0);
}
TRIAL(write_remove, CHANGE, 0, "remove")
{
	remove(V);
}
TRIAL(write_rmdir, CHANGE, 0, "rmdir")
{
	rmdir(OUT("empty"));
}
TRIAL(write_unlinkat_directory, CHANGE, 0, "unlinkat of a directory")
{
	unlinkat(AT_FDCWD, OUT("empty"), AT_REMOVEDIR);
}
TRIAL(write_mkdir, CHANGE, 0, "mkdir")
{
	mkdir(OUT("new"), 0755);
}
TRIAL(write_mkdirat, CHANGE, 0, "mkdirat")
{
	mkdirat(vault(), "new", 0755);
}
TRIAL(write_mknod_file, CHANGE, 0, "mknod of a file")
{
	mknod(OUT("new"), S_IFREG | 0644, 0);
}
TRIAL(write_mkfifo, CHANGE, 0, "mkfifo")
{
	mkfifo(OUT("new"), 0644);
}
TRIAL(write_mknodat, CHANGE, 0, "mknodat")
{
	mknodat(vault(), "new", S_IFIFO | 0644, 0);
}
TRIAL(write_symlink, CHANGE, 0, "symlink")
{
	symlink("x", OUT("new"));
}
TRIAL(write_symlinkat, CHANGE, 0, "symlinkat")
{
	symlinkat("x", vault(), "new");
}
TRIAL(write_link_there, CHANGE, 0, "link of an own file there")
{
	make_file("f", "x"), link("f", OUT("new"));
}
TRIAL(write_linkat_there, CHANGE, 0, "linkat of an own file there")
{
	make_file("f", "x"), linkat(AT_FDCWD, "f", vault(), "new", 0);
}
TRIAL(write_rename_there, CHANGE, 0, "rename of an own file there")
{
	make_file("f", "x"), rename("f", OUT("new"));
}
TRIAL(write_rename_over, CHANGE, 0, "rename of an own file over one there")
{
	make_file("f", "x"), rename("f", V);
}
TRIAL(write_rename_away, CHANGE, 0, "rename of a file from there")
{
	rename(V, "taken");
}
TRIAL(write_rename_within, CHANGE, 0, "rename within the vault")
{
	renameat(vault(), "victim", vault(), "new");
}
TRIAL(write_rename_directory, CHANGE, 0, "rename of a directory from there")
{
	rename(OUT("dir"), "taken");
}
TRIAL(write_rename_exchange, CHANGE, 0, "exchange of an own file and one there")
{
	make_file("f", "x"), renameat2(AT_FDCWD, "f", AT_FDCWD, V, RENAME_EXCHANGE);
}
TRIAL(write_rename_ancestor, CHANGE, 0, "rename of a directory above the vault's neighbour")
{
	rename(here.tools, "taken");
}
TRIAL(write_chmod, CHANGE, 0, "chmod")
{
	chmod(V, 0601);
}
TRIAL(write_fchmod, CHANGE, 0, "fchmod of a descriptor opened to read")
{
	fchmod(open(V, O_RDONLY), 0601);
}
TRIAL(write_fchmodat, CHANGE, 0, "fchmodat below a directory")
{
	fchmodat(vault(), "victim", 0601, 0);
}
TRIAL(write_fchmodat2, CHANGE, MAYBE, "fchmodat2 with an empty name")
{
	raw(452, open(V, O_PATH), "", 0601, AT_EMPTY_PATH);
}
TRIAL(write_chmod_by_descriptor, CHANGE, 0, "chmod through /proc/self/fd of a descriptor that only names")
{
	char name[64];
	snprintf(name, sizeof(name), "/proc/self/fd/%d", open(V, O_PATH));
	chmod(name, 0601);
}
TRIAL(write_chown, CHANGE, 0, "chown")
{
	chown(V, getuid(), getgid());
}
TRIAL(write_lchown, CHANGE, 0, "lchown")
{
	lchown(V, getuid(), getgid());
}
TRIAL(write_fchownat, CHANGE, 0, "fchownat with an empty name")
{
	fchownat(open(V, O_PATH), "", getuid(), getgid(), AT_EMPTY_PATH);
}
TRIAL(write_utime, CHANGE, 0, "utime")
{
	utime(V, &(struct utimbuf){1, 1});
}
TRIAL(write_utimes, CHANGE, 0, "utimes")
{
	utimes(V, NULL);
}
TRIAL(write_utimensat, CHANGE, 0, "utimensat")
{
	utimensat(vault(), "victim", NULL, 0);
}
TRIAL(write_futimesat, CHANGE, 0, "futimesat")
{
	raw(SYS_futimesat, vault(), "victim", NULL);
}
TRIAL(write_setxattr, CHANGE, MAYBE, "setxattr")
{
	setxattr(V, "user.trial", "x", 1, 0);
}
TRIAL(write_lsetxattr, CHANGE, MAYBE, "lsetxattr")
{
	lsetxattr(V, "user.trial", "x", 1, 0);
}
TRIAL(write_fsetxattr, CHANGE, MAYBE, "fsetxattr of a descriptor opened to read")
{
	fsetxattr(open(V, O_RDONLY), "user.trial", "x", 1, 0);
}
TRIAL(write_setxattrat, CHANGE, MAYBE, "setxattrat")
{
	struct {
		uint64_t value;
		uint32_t size, flags;
	} what = {(uint64_t)(uintptr_t) "x", 1, 0};
	raw(463, AT_FDCWD, V, 0, "user.trial", &what, sizeof(what));
}
TRIAL(write_removexattr, CHANGE, MAYBE, "removexattr")
{
	removexattr(V, "user.there");
}
TRIAL(write_file_flags, CHANGE, AS_ROOT | MAYBE, "flags of a file by ioctl")
{
	int flags = FS_NODUMP_FL;
	ioctl(open(V, O_RDONLY), FS_IOC_SETFLAGS, &flags);
}
TRIAL(write_unix_socket, CHANGE, 0, "bind of a UNIX socket makes a file")
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	snprintf(address.sun_path, sizeof(address.sun_path), "%.100s", OUT("new"));
	bind(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&address, sizeof(address));
}

/* The same by system call instructions of its own: nothing that a preloaded library sees. */
TRIAL(write_raw_open, CHANGE, 0, "raw open")
{
	raw(SYS_open, OUT("new"), O_WRONLY | O_CREAT, 0644);
}
TRIAL(write_raw_creat, CHANGE, 0, "raw creat")
{
	raw(SYS_creat, OUT("new"), 0644);
}
TRIAL(write_raw_truncate, CHANGE, 0, "raw truncate")
{
	raw(SYS_truncate, V, 1);
}
TRIAL(write_raw_unlink, CHANGE, 0, "raw unlink")
{
	raw(SYS_unlink, V);
}
TRIAL(write_raw_unlinkat, CHANGE, 0, "raw unlinkat")
{
	raw(SYS_unlinkat, AT_FDCWD, V, 0);
}
TRIAL(write_raw_rmdir, CHANGE, 0, "raw rmdir")
{
	raw(SYS_rmdir, OUT("empty"));
}
TRIAL(write_raw_mkdir, CHANGE, 0, "raw mkdir")
{
	raw(SYS_mkdir, OUT("new"), 0755);
}
TRIAL(write_raw_mknod, CHANGE, 0, "raw mknod")
{
	raw(SYS_mknod, OUT("new"), S_IFIFO | 0644, 0);
}
TRIAL(write_raw_symlink, CHANGE, 0, "raw symlink")
{
	raw(SYS_symlink, "x", OUT("new"));
}
TRIAL(write_raw_link, CHANGE, 0, "raw link")
{
	make_file("f", "x"), raw(SYS_link, "f", OUT("new"));
}
TRIAL(write_raw_rename, CHANGE, 0, "raw rename")
{
	raw(SYS_rename, V, "taken");
}
TRIAL(write_raw_renameat2, CHANGE, 0, "raw renameat2")
{
	raw(SYS_renameat2, AT_FDCWD, V, AT_FDCWD, "taken", 0);
}
TRIAL(write_raw_chmod, CHANGE, 0, "raw chmod")
{
	raw(SYS_chmod, V, 0601);
}
TRIAL(write_raw_chown, CHANGE, 0, "raw chown")
{
	raw(SYS_chown, V, getuid(), getgid());
}
TRIAL(write_raw_utimensat, CHANGE, 0, "raw utimensat")
{
	raw(SYS_utimensat, AT_FDCWD, V, 0, 0);
}
TRIAL(write_raw_setxattr, CHANGE, MAYBE, "raw setxattr")
{
	raw(SYS_setxattr, V, "user.trial", "x", 1, 0);
}

/* What is only readable. */
TRIAL(shown_write, CHANGE, 0, "open to write of what is only readable")
{
	scribble(open(here.page, O_WRONLY));
}
TRIAL(shown_truncate, CHANGE, 0, "open to read, which truncates")
{
	open(here.page, O_RDONLY | O_TRUNC);
}
TRIAL(shown_create, CHANGE, 0, "a new file beside it")
{
	make_file(at(here.shown, "new"), "x");
}
TRIAL(shown_reopen, CHANGE, 0, "a descriptor opened to read, reopened to write")
{
	char name[64];
	snprintf(name, sizeof(name), "/proc/self/fd/%d", open(here.page, O_RDONLY));
	scribble(open(name, O_RDWR));
}
TRIAL(shown_fchmod, CHANGE, 0, "fchmod of a descriptor opened to read")
{
	fchmod(open(here.page, O_RDONLY), 0601);
}
TRIAL(shown_fchown, CHANGE, 0, "fchown of a descriptor opened to read")
{
	fchown(open(here.page, O_RDONLY), getuid(), getgid());
}
TRIAL(shown_futimens, CHANGE, 0, "futimens of a descriptor opened to read")
{
	futimens(open(here.page, O_RDONLY), NULL);
}
TRIAL(shown_hard_link, CHANGE, 0, "a hard link inside, written through")
{
	link(here.page, "link");
	scribble(open("link", O_WRONLY));
}
TRIAL(shown_hard_link_by_descriptor, CHANGE, 0, "a hard link made from the descriptor, written through")
{
	char name[64];
	snprintf(name, sizeof(name), "/proc/self/fd/%d", open(here.page, O_RDONLY));
	linkat(AT_FDCWD, name, AT_FDCWD, "link", AT_SYMLINK_FOLLOW);
	scribble(open("link", O_WRONLY));
}
TRIAL(shown_symlink, CHANGE, 0, "a symbolic link inside, written through")
{
	symlink(here.page, "link");
	scribble(open("link", O_WRONLY));
}
TRIAL(shown_move, CHANGE, 0, "moved inside")
{
	rename(here.page, "taken");
}
TRIAL(shown_unlink, CHANGE, 0, "removed")
{
	unlink(here.page);
}
/* inside/top/kept is read-only by the policy, in a tree that is writable; it stands for .git/hooks. */
TRIAL(kept_write, CHANGE, 0, "a read-only part of a writable tree")
{
	scribble(open("top/kept/file", O_WRONLY));
}
TRIAL(kept_move, CHANGE, 0, "the read-only part moved, then written")
{
	rename("top/kept", "moved");
	scribble(open("moved/file", O_WRONLY));
}
TRIAL(kept_move_parent, CHANGE, 0, "the directory above it moved, then written")
{
	rename("top", "moved");
	scribble(open("moved/kept/file", O_WRONLY));
}
TRIAL(kept_exchange_parent, CHANGE, 0, "the directory above it exchanged with another, then written")
{
	mkdir("other", 0755);
	renameat2(AT_FDCWD, "top", AT_FDCWD, "other", RENAME_EXCHANGE);
	scribble(open("other/kept/file", O_WRONLY));
}
TRIAL(kept_remove, CHANGE, 0, "the read-only part removed")
{
	unlink("top/kept/file"), rmdir("top/kept");
}
TRIAL(kept_link, CHANGE, 0, "a hard link to the read-only part, written through")
{
	link("top/kept/file", "link");
	scribble(open("link", O_WRONLY));
}
