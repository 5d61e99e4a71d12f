/* SPDX-License-Identifier: MIT */
/* names.c - the same file by another name. */
#include <linux/openat2.h>
#include <sys/mount.h>

#include "trials.h"

/* "../../.." to the root, then the secret. */
static char *climb(int levels)
{
	static char name[PATH_MAX];
	name[0] = 0;
	while (levels-- > 0)
		strcat(name, "../");
	return strcat(name, here.secret + 1);
}

TRIAL(name_dotdot, LEAK, 0, "inside/../vault")
{
	spill_path(IN("../vault/secret"));
}
TRIAL(name_relative, LEAK, 0, "../vault from the working directory")
{
	spill_path("../vault/secret");
}
TRIAL(name_system_dotdot, LEAK, 0, "up from /usr")
{
	spill_path(at("/usr", climb(1)));
}
TRIAL(name_dots, LEAK, 0, "single dots and many slashes")
{
	char name[PATH_MAX], *to = name;
	for (const char *from = here.secret; *from != 0; from++)
		to += *from == '/' ? sprintf(to, "//.//./") : sprintf(to, "%c", *from);
	spill_path(name);
}
TRIAL(name_longest, LEAK, 0, "padded with slashes to the longest name there is")
{
	static char name[PATH_MAX];
	memset(name, '/', sizeof(name));
	strcpy(name + sizeof(name) - 1 - strlen(here.secret), here.secret);
	spill_path(name);
}
TRIAL(name_neighbour, LEAK, 0, "a directory whose name begins as an allowed one's")
{
	spill_path(at(here.inside, "../inside-too/secret"));
}
TRIAL(name_from_directory, LEAK, 0, "openat up from a descriptor of an allowed directory")
{
	spill(openat(open(here.inside, O_RDONLY), "../vault/secret", O_RDONLY));
}
TRIAL(name_chdir, LEAK, 0, "chdir there, then a bare name")
{
	if (chdir(here.vault) == 0)
		spill_path("secret");
}
TRIAL(name_fchdir, LEAK, 0, "fchdir there by a descriptor that only names")
{
	if (fchdir(open(here.vault, O_PATH)) == 0)
		spill_path("secret");
}
TRIAL(name_chdir_thread, LEAK, 0, "another thread that shares the working directory goes there")
{
	pthread_t thread;
	pthread_create(&thread, NULL, (void *(*)(void *))(void (*)(void))chdir, (void *)at(here.vault, ".."));
	pthread_join(thread, NULL);
	spill_path("vault/secret");
}
TRIAL(name_deep, LEAK, 0, "from a working directory whose own name is longer than a name may be")
{
	static char component[201];
	memset(component, 'd', 200);
	for (int i = 0; i < 25; i++)
		if (mkdir(component, 0755) != 0 || chdir(component) != 0)
			return;
	spill_path(climb(40));
}
TRIAL(name_removed_directory, LEAK, 0, "from a working directory that is no longer there")
{
	mkdir("gone", 0755);
	chdir("gone");
	rmdir(IN("gone"));
	spill_path(climb(30));
	spill_path(here.secret);
}
TRIAL(name_moved_directory, LEAK, 0, "through a descriptor of a directory that was moved since")
{
	mkdir("a", 0755);
	mkdir("a/b", 0755);
	int directory = open("a/b", O_RDONLY);
	rename("a/b", "c");
	spill(openat(directory, "../../vault/secret", O_RDONLY));
}
TRIAL(name_symlink, LEAK, 0, "a symbolic link")
{
	symlink(here.secret, "link");
	spill_path("link");
}
TRIAL(name_symlink_directory, LEAK, 0, "a symbolic link to its directory")
{
	symlink(here.vault, "link");
	spill_path("link/secret");
}
TRIAL(name_symlink_relative, LEAK, 0, "a relative symbolic link that climbs")
{
	symlink(climb(30), "link");
	spill_path(IN("link"));
}
TRIAL(name_symlink_chain, LEAK, 0, "a chain of as many links as are followed")
{
	char from[16], to[16];
	symlink(here.secret, "link0");
	for (int i = 1; i < 40; i++) {
		snprintf(from, sizeof(from), "link%d", i);
		snprintf(to, sizeof(to), "link%d", i - 1);
		symlink(to, from);
	}
	spill_path("link39");
}
TRIAL(name_symlink_rename, LEAK, 0, "a symbolic link that was made elsewhere and moved here")
{
	mkdir("d", 0755);
	symlink("../../vault/secret", "d/link");
	rename("d/link", "link");
	spill_path("d/../d/../link");
	symlink("../vault/secret", "other");
	link("other", "hard");
	spill_path("hard");
}
TRIAL(name_symlink_change, CHANGE, 0, "making a file through a link to the directory")
{
	symlink(here.vault, "link");
	make_file("link/made", "x");
}
TRIAL(name_symlink_dangling, CHANGE, 0, "making a file through a link whose target is not there yet")
{
	symlink(OUT("made"), "link");
	make_file("link", "x");
}
TRIAL(name_trailing_slash, LEAK, 0, "a slash at the end, which makes a link to be followed")
{
	symlink(here.vault, "link");
	int directory = open("link/", O_PATH | O_NOFOLLOW);
	spill(openat(directory, "secret", O_RDONLY));
}
TRIAL(name_trailing_slash_mkdir, CHANGE, 0, "mkdir with slashes at the end")
{
	mkdir(OUT("made///"), 0755);
}
TRIAL(name_proc_root, LEAK, 0, "/proc/self/root")
{
	spill_path(at("/proc/self/root", here.secret));
}
TRIAL(name_proc_cwd, LEAK, 0, "/proc/self/cwd")
{
	spill_path("/proc/self/cwd/../vault/secret");
}
TRIAL(name_proc_thread, LEAK, 0, "/proc/thread-self/root")
{
	spill_path(at("/proc/thread-self/root", here.secret));
}
TRIAL(name_proc_numbered, LEAK, 0, "/proc/PID/root with its own number")
{
	char root[64];
	snprintf(root, sizeof(root), "/proc/%d/root", getpid());
	spill_path(at(root, here.secret));
}
TRIAL(name_proc_descriptor, LEAK, 0, "/proc/self/fd/N/.. of an allowed directory")
{
	char name[PATH_MAX];
	snprintf(name, sizeof(name), "/proc/self/fd/%d/../vault/secret", open(here.inside, O_PATH));
	spill_path(name);
}
static void forever(void)
{
	pause();
}
TRIAL(name_proc_child, LEAK, 0, "/proc/CHILD/root and /proc/CHILD/cwd")
{
	pid_t child = fork();
	if (child == 0)
		forever();
	char name[PATH_MAX];
	snprintf(name, sizeof(name), "/proc/%d/root%s", child, here.secret);
	spill_path(name);
	snprintf(name, sizeof(name), "/proc/%d/cwd/../vault/secret", child);
	spill_path(name);
	kill(child, SIGKILL);
	wait_for(child);
}
TRIAL(name_dev_fd, LEAK, 0, "/dev/fd/N of a descriptor that only names")
{
	char name[64];
	snprintf(name, sizeof(name), "/dev/fd/%d", open(here.secret, O_PATH));
	spill_path(name);
}
TRIAL(name_passed_directory, LEAK, 0, "a directory's descriptor arrives through a socket in another process")
{
	int pair[2], directory = open("/usr", O_RDONLY | O_DIRECTORY);
	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	char byte = 0, space[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec vector = {&byte, 1};
	struct msghdr message = {
		.msg_iov = &vector, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof(space)};
	pid_t child = fork();
	if (child == 0) {
		recvmsg(pair[1], &message, 0);
		spill(openat(*(int *)CMSG_DATA(CMSG_FIRSTHDR(&message)), climb(1), O_RDONLY));
		_exit(0);
	}
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	*header =
		(struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
	memcpy(CMSG_DATA(header), &directory, sizeof(int));
	sendmsg(pair[0], &message, 0);
	wait_for(child);
}
TRIAL(name_chroot, LEAK, AS_ROOT, "chroot, after which the secret has an allowed name")
{
	/* vault/usr/page is the secret too. */
	if (chroot(here.vault) == 0 && chdir("/") == 0)
		spill_path("/usr/page");
}
TRIAL(name_hard_link, LEAK, 0, "a hard link inside")
{
	link(here.secret, "taken");
	spill_path("taken");
}
TRIAL(name_move, LEAK, 0, "moved inside")
{
	rename(here.secret, "taken");
	spill_path("taken");
}
TRIAL(name_exchange, LEAK, 0, "exchanged with a file inside")
{
	make_file("taken", "x");
	renameat2(AT_FDCWD, here.secret, AT_FDCWD, "taken", RENAME_EXCHANGE);
	spill_path("taken");
}
TRIAL(name_move_directory, LEAK, 0, "its directory moved inside")
{
	rename(here.vault, "taken");
	spill_path("taken/secret");
}
TRIAL(name_open_empty, LEAK, 0, "openat2 beneath a descriptor that only names the vault")
{
	struct open_how how = {.flags = O_RDONLY, .resolve = RESOLVE_BENEATH};
	spill((int)raw(SYS_openat2, open(here.vault, O_PATH | O_DIRECTORY), "./secret", &how, sizeof(how)));
}
