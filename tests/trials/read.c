/* SPDX-License-Identifier: MIT */
/* read.c - reading what may not be read: every call that opens, and every way to name the file. */
#include <dirent.h>
#include <ftw.h>
#include <glob.h>
#include <linux/openat2.h>
#include <sys/inotify.h>
#include <sys/sendfile.h>

#include "trials.h"

/* What ls would say of the vault; the driver put a file there whose name is the token. */
static void spill_names(DIR *directory)
{
	struct dirent *entry;
	while (directory != NULL && (entry = readdir(directory)) != NULL)
		puts(entry->d_name);
}

static int vault_directory(int flags)
{
	return open(here.vault, flags | O_DIRECTORY);
}

static char *by_descriptor(int fd)
{
	static char name[64];
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	return name;
}

TRIAL(read_open, LEAK, 0, "open")
{
	spill(open(here.secret, O_RDONLY));
}
TRIAL(read_open64, LEAK, 0, "open64, both ways")
{
	spill(open64(here.secret, O_RDWR));
}
TRIAL(read_openat, LEAK, 0, "openat with an absolute name and a descriptor of nothing")
{
	spill(openat(-1, here.secret, O_RDONLY));
}
TRIAL(read_openat_directory, LEAK, 0, "openat below a descriptor of the vault, made with O_PATH")
{
	spill(openat(vault_directory(O_PATH), "secret", O_RDONLY));
}
TRIAL(read_openat2, LEAK, 0, "openat2")
{
	struct open_how how = {.flags = O_RDONLY};
	spill((int)raw(SYS_openat2, AT_FDCWD, here.secret, &how, sizeof(how)));
}
TRIAL(read_openat2_in_root, LEAK, 0, "openat2 with RESOLVE_IN_ROOT and a root that is the file system's")
{
	struct open_how how = {.flags = O_RDONLY, .resolve = RESOLVE_IN_ROOT};
	spill((int)raw(SYS_openat2, open("/", O_PATH), here.secret, &how, sizeof(how)));
}
TRIAL(read_creat_existing, LEAK, 0, "open with O_CREAT of what is there")
{
	spill(open(here.secret, O_RDWR | O_CREAT, 0600));
}
TRIAL(read_raw_open, LEAK, 0, "open by a system call instruction of its own")
{
	spill((int)raw(SYS_open, here.secret, O_RDONLY));
}
TRIAL(read_raw_openat, LEAK, 0, "openat by a system call instruction of its own")
{
	spill((int)raw(SYS_openat, AT_FDCWD, here.secret, O_RDONLY));
}
TRIAL(read_libc_syscall, LEAK, 0, "open by libc's syscall()")
{
	spill((int)syscall(SYS_open, here.secret, O_RDONLY));
}
TRIAL(read_stdio, LEAK, 0, "fopen")
{
	spill_file(fopen(here.secret, "re"));
}
TRIAL(read_stdio_wide, LEAK, 0, "fopen64 with a character set")
{
	FILE *file = fopen64(here.secret, "r,ccs=UTF-8");
	spill(file != NULL ? fileno(file) : -1);
}
TRIAL(read_freopen, LEAK, 0, "freopen of standard input")
{
	spill_file(freopen(here.secret, "r", stdin));
}
TRIAL(read_path_then_proc, LEAK, 0, "a descriptor that only names, reopened through /proc/self/fd")
{
	spill_path(by_descriptor(open(here.secret, O_PATH)));
}
TRIAL(read_path_then_number, LEAK, 0, "the same by the process's number and a duplicate")
{
	char name[64];
	snprintf(name, sizeof(name), "/proc/%d/fd/%d", getpid(), dup(open(here.secret, O_PATH)));
	spill_path(name);
}
TRIAL(read_path_then_task, LEAK, 0, "the same by the thread's directory")
{
	char name[64];
	snprintf(name, sizeof(name), "/proc/self/task/%d/fd/%d", getpid(), open(here.secret, O_PATH));
	spill_path(name);
}
TRIAL(read_path_empty_name, LEAK, 0, "linkat with AT_EMPTY_PATH of a descriptor that only names, then open inside")
{
	linkat(open(here.secret, O_PATH), "", AT_FDCWD, "taken", AT_EMPTY_PATH);
	spill_path("taken");
}
TRIAL(read_mmap, LEAK, 0, "open and map instead of read")
{
	int fd = open(here.secret, O_RDONLY);
	char *text = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
	if (text != MAP_FAILED)
		puts(text);
}
TRIAL(read_sendfile, LEAK, 0, "open, then sendfile and copy_file_range into a file inside")
{
	int from = open(here.secret, O_RDONLY), to = open("taken", O_WRONLY | O_CREAT, 0600);
	if (sendfile(to, from, NULL, 4096) < 0)
		copy_file_range(from, NULL, to, NULL, 4096, 0);
}
TRIAL(read_splice, LEAK, 0, "open, then splice through a pipe")
{
	int ends[2], from = open(here.secret, O_RDONLY);
	if (pipe(ends) == 0 && splice(from, NULL, ends[1], NULL, 4096, 0) > 0) {
		close(ends[1]);
		spill(ends[0]);
	}
}
TRIAL(read_symlink_itself, LEAK, MAYBE,
      "readlink of a link in the vault whose target is the token, when its directory is opened to read")
{
	char text[256] = "";
	int directory = vault_directory(O_RDONLY);
	if (directory >= 0 && readlinkat(directory, "link", text, sizeof(text) - 1) > 0)
		puts(text);
}
TRIAL(read_listing, LEAK, 0, "opendir of the vault")
{
	spill_names(opendir(here.vault));
}
TRIAL(read_listing_above, LEAK, 0, "a listing by a descriptor of the directory above")
{
	int directory = openat(open(at(here.vault, ".."), O_PATH), "vault", O_RDONLY | O_DIRECTORY);
	spill_names(directory >= 0 ? fdopendir(directory) : NULL);
}
TRIAL(read_listing_raw, LEAK, 0, "getdents64 on a descriptor of the vault")
{
	char buffer[4096];
	long length = raw(SYS_getdents64, raw(SYS_open, here.vault, O_RDONLY | O_DIRECTORY), buffer, sizeof(buffer));
	if (length > 0)
		fwrite(buffer, 1, (size_t)length, stdout);
}
static int print_name(const char *name, const struct stat *status, int type, struct FTW *walk)
{
	(void)status, (void)type, (void)walk;
	puts(name);
	return 0;
}
TRIAL(read_walk, LEAK, 0, "nftw of the vault")
{
	nftw(here.vault, print_name, 4, FTW_PHYS);
}
TRIAL(read_glob, LEAK, 0, "glob in the vault")
{
	glob_t found = {0};
	glob(OUT("*"), 0, NULL, &found);
	for (size_t i = 0; i < found.gl_pathc; i++)
		puts(found.gl_pathv[i]);
}
TRIAL(read_inotify, LEAK, 0, "watching the vault: names of what is made there")
{
	char events[4096];
	int watcher = inotify_init1(IN_NONBLOCK);
	if (inotify_add_watch(watcher, here.vault, IN_ALL_EVENTS) < 0)
		return;
	close(open(here.secret, O_RDONLY));
	/* The token of a name would show as an event; that it can be watched is the leak. */
	if (read(watcher, events, sizeof(events)) >= 0)
		spill(open(here.secret, O_RDONLY));
}
TRIAL(read_handle, LEAK, AS_ROOT, "name_to_handle_at and open_by_handle_at")
{
	union {
		struct file_handle handle;
		char space[sizeof(struct file_handle) + 128];
	} file = {.handle.handle_bytes = 128};
	int mount;
	if (name_to_handle_at(AT_FDCWD, here.secret, &file.handle, &mount, 0) == 0)
		spill(open_by_handle_at(open(here.inside, O_RDONLY | O_DIRECTORY), &file.handle, O_RDONLY));
}
TRIAL(read_across_pages, LEAK, 0, "the name lies across two pages")
{
	char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *name = pages + 4096 - strlen(here.secret) / 2;
	strcpy(name, here.secret);
	spill((int)raw(SYS_open, name, O_RDONLY));
}
TRIAL(read_name_at_end, LEAK, 0, "the name's last byte is the last of mapped memory")
{
	char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	munmap(pages + 4096, 4096);
	char *name = pages + 4096 - strlen(here.secret) - 1;
	strcpy(name, here.secret);
	spill((int)raw(SYS_open, name, O_RDONLY));
}
TRIAL(read_write_only_name, LEAK, 0, "the name lies in memory that the program itself may not read")
{
	char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	strcpy(page, here.secret);
	mprotect(page, 4096, PROT_WRITE);
	spill((int)raw(SYS_open, page, O_RDONLY));
}
TRIAL(read_high_bits, LEAK, 0, "flags with rubbish in the upper half of the register")
{
	spill((int)raw(SYS_openat, 0x1234567800000000L | (unsigned)AT_FDCWD, here.secret,
		       0x7fffffff00000000L | O_RDONLY));
}
TRIAL(read_mode_three, LEAK, 0, "access mode 3, which asks for both and gives neither, then reopened")
{
	int fd = open(here.secret, 3);
	spill_path(by_descriptor(fd));
}
TRIAL(read_inherited_file, LEAK, 0, "a descriptor that the caller left open")
{
	spill(7);
}
TRIAL(read_inherited_directory, LEAK, 0, "below a directory that the caller left open")
{
	spill(openat(8, "secret", O_RDONLY));
}
TRIAL(read_inherited_any, LEAK, 0, "below whatever descriptor there is")
{
	for (int fd = 3; fd < 1024; fd++) {
		spill(openat(fd, "secret", O_RDONLY));
		spill(openat(fd, "vault/secret", O_RDONLY));
	}
}
