/* SPDX-License-Identifier: MIT */
/*
 * functions.c - calls functions of libc that name something, one after the other, on what is allowed, denied and hidden,
 * and says how each went: "NAME WHERE: ok" or the errno. The same lines must come at every level.
 *   functions DENIED HIDDEN [PORT]    in a directory that may be written; DENIED and HIDDEN are directories with a file "f"
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <limits.h>
#include <mqueue.h>
#include <netdb.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <utime.h>

static const char *where; /* "allowed", "denied", "hidden" */
static const char *denied;

/* Whatever the libc: the number says it. */
static void say(const char *name, bool well)
{
	int error = errno;

	if (well)
		printf("%s %s: ok\n", name, where);
	else
		printf("%s %s: errno %d\n", name, where, error);
	fflush(stdout);
}
#define TRY(name, expression) (errno = 0, say(name, (expression)))

static char *in(const char *directory, const char *name)
{
	static char texts[8][PATH_MAX];
	static unsigned next;
	char *text = texts[next++ % 8];

	snprintf(text, PATH_MAX, "%s/%s", directory, name);
	return text;
}

static bool opened(int fd)
{
	int error = errno;

	if (fd >= 0)
		close(fd);
	errno = error;
	return fd >= 0;
}

static bool stream(FILE *file)
{
	int error = errno;

	if (file)
		fclose(file);
	errno = error;
	return file;
}

static bool listed(DIR *directory)
{
	int error = errno;

	if (directory)
		closedir(directory);
	errno = error;
	return directory;
}

static int walked(const char *name, const struct stat *st, int kind)
{
	(void)name, (void)st, (void)kind;
	return 1;
}

static int walked_more(const char *name, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)name, (void)st, (void)kind, (void)ftw;
	return 1;
}

static void open_there(const char *d)
{
	struct dirent **list;
	glob_t found;

	TRY("open", opened(open(in(d, "f"), O_RDONLY)));
	TRY("open to write", opened(open(in(d, "f"), O_WRONLY)));
	TRY("open what is not there", opened(open(in(d, "nothing"), O_RDONLY)));
	TRY("open with a slash", opened(open(in(d, "f/"), O_RDONLY)));
	TRY("open by a dot", opened(open(in(d, "./f"), O_RDONLY)));
	TRY("open by dots", opened(open(in(d, "../x/../d/f"), O_RDONLY)));
	TRY("open to append", opened(open(in(d, "f"), O_WRONLY | O_APPEND)));
	TRY("open a path only", opened(open(in(d, "f"), O_PATH)));
	TRY("open to make", opened(open(in(d, "made"), O_WRONLY | O_CREAT, 0600)));
	TRY("open to make what is there", opened(open(in(d, "f"), O_WRONLY | O_CREAT | O_EXCL, 0600)));
	TRY("open a file without a name", opened(open(d, O_TMPFILE | O_RDWR, 0600)));
	TRY("openat", opened(openat(AT_FDCWD, in(d, "f"), O_RDONLY)));
	TRY("open through a link", opened(open(in(d, "link"), O_RDONLY)));
	TRY("creat", opened(creat(in(d, "created"), 0600)));
	TRY("fopen", stream(fopen(in(d, "f"), "r")));
	TRY("fopen to write", stream(fopen(in(d, "written"), "w+e")));
	TRY("freopen", stream(freopen(in(d, "f"), "r", fopen("/dev/null", "r"))));
	TRY("opendir", listed(opendir(d)));
	TRY("scandir", scandir(d, &list, NULL, NULL) >= 0);
	if (d != denied) { /* libc says FTW_DNR of a directory that it cannot read; the shim refuses the whole walk */
		TRY("ftw", ftw(d, walked, 4) == 1);
		TRY("nftw", nftw(d, walked_more, 4, FTW_PHYS) == 1);
	}
	TRY("glob", glob(in(d, "*"), 0, NULL, &found) == 0 && found.gl_pathc > 0);
	TRY("dlopen", dlopen(in(d, "f"), RTLD_NOW) != NULL || (errno = 0));
	TRY("inotify_add_watch", inotify_add_watch(inotify_init(), d, IN_CREATE) >= 0);
	TRY("mkstemp", opened(mkstemp(in(d, "tempXXXXXX"))));
	TRY("mkdtemp", mkdtemp(in(d, "tempXXXXXX")) != NULL);
	TRY("syscall", opened((int)syscall(SYS_openat, AT_FDCWD, in(d, "f"), O_RDONLY)));
}

static void look_there(const char *d)
{
	struct stat st;
	struct statfs fs;
	struct statvfs vfs;
	char text[PATH_MAX];
	int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* no name leads past what is hidden */

	TRY("stat", stat(in(d, "f"), &st) == 0);
	TRY("lstat", lstat(in(d, "f"), &st) == 0);
	TRY("fstatat", fstatat(AT_FDCWD, in(d, "f"), &st, AT_SYMLINK_NOFOLLOW) == 0);
	TRY("statfs", statfs(in(d, "f"), &fs) == 0);
	TRY("statvfs", statvfs(in(d, "f"), &vfs) == 0);
	TRY("access", access(in(d, "f"), R_OK) == 0);
	TRY("faccessat", faccessat(AT_FDCWD, in(d, "f"), R_OK, AT_EACCESS) == 0);
	TRY("readlink", readlink(in(d, "link"), text, sizeof text) > 0);
	TRY("readlinkat", readlinkat(AT_FDCWD, in(d, "link"), text, sizeof text) > 0);
	TRY("realpath", realpath(in(d, "f"), text) != NULL);
	TRY("getxattr", getxattr(in(d, "f"), "user.none", text, sizeof text) >= 0);
	TRY("listxattr", listxattr(in(d, "f"), text, sizeof text) >= 0);
	TRY("chdir", chdir(d) == 0);
	if (fchdir(here) < 0 || close(here) < 0)
		exit(1);
}

static void change_there(const char *d)
{
	struct timespec now[2] = {{0, UTIME_NOW}, {0, UTIME_NOW}};

	TRY("mkdir", mkdir(in(d, "directory"), 0700) == 0);
	TRY("mkdirat", mkdirat(AT_FDCWD, in(d, "directory2"), 0700) == 0);
	TRY("mkdir where one is", mkdir(d, 0700) == 0);
	TRY("mkfifo", mkfifo(in(d, "fifo"), 0600) == 0);
	TRY("mknod", mknod(in(d, "fifo2"), S_IFIFO | 0600, 0) == 0);
	TRY("symlink", symlink("target", in(d, "symlink")) == 0);
	TRY("symlinkat", symlinkat("target", AT_FDCWD, in(d, "symlink2")) == 0);
	TRY("link", link(in(d, "f"), in(d, "hard")) == 0);
	TRY("linkat", linkat(AT_FDCWD, in(d, "f"), AT_FDCWD, in(d, "hard2"), 0) == 0);
	TRY("rename", rename(in(d, "hard"), in(d, "renamed")) == 0);
	TRY("renameat", renameat(AT_FDCWD, in(d, "hard2"), AT_FDCWD, in(d, "renamed2")) == 0);
	TRY("rename from here", rename("own", in(d, "own")) == 0);
	TRY("unlink", unlink(in(d, "renamed")) == 0);
	TRY("unlink what is not there", unlink(in(d, "nothing")) == 0);
	TRY("unlinkat", unlinkat(AT_FDCWD, in(d, "renamed2"), 0) == 0);
	TRY("remove", remove(in(d, "fifo")) == 0);
	TRY("rmdir", rmdir(in(d, "directory")) == 0);
	TRY("rmdir what is full", rmdir(d) == 0);
	TRY("truncate", truncate(in(d, "f"), 1) == 0);
	TRY("chmod", chmod(in(d, "f"), 0644) == 0);
	TRY("fchmodat", fchmodat(AT_FDCWD, in(d, "f"), 0644, 0) == 0);
	TRY("chown", chown(in(d, "f"), (uid_t)-1, (gid_t)-1) == 0);
	TRY("lchown", lchown(in(d, "f"), (uid_t)-1, (gid_t)-1) == 0);
	TRY("fchownat", fchownat(AT_FDCWD, in(d, "f"), (uid_t)-1, (gid_t)-1, 0) == 0);
	TRY("utime", utime(in(d, "f"), NULL) == 0);
	TRY("utimes", utimes(in(d, "f"), NULL) == 0);
	TRY("utimensat", utimensat(AT_FDCWD, in(d, "f"), now, 0) == 0);
	TRY("setxattr", setxattr(in(d, "f"), "user.x", "1", 1, 0) == 0);
	TRY("removexattr", removexattr(in(d, "f"), "user.x") == 0);
}

/* ---- programs ----------------------------------------------------------- */

extern char **environ;

/* In a child: 77 when the exec failed with EACCES, 0 when it ran. */
#define CHILD(name, expression)                                         \
	do {                                                            \
		pid_t child = fork();                                   \
		int status;                                             \
		if (child == 0) {                                       \
			expression;                                     \
			_exit(errno);                                   \
		}                                                       \
		waitpid(child, &status, 0);                             \
		printf("%s %s: status %d\n", name, where, status >> 8); \
	} while (0)

static void run_there(const char *d)
{
	char *path = in(d, "program"), *argv[] = {path, NULL}, *none[] = {NULL};
	pid_t child;
	int status;

	CHILD("execve", execve(path, argv, environ));
	CHILD("execve with no environment", execve(path, argv, none));
	CHILD("execv", execv(path, argv));
	CHILD("execvp", execvp(path, argv));
	CHILD("execl", execl(path, path, (char *)NULL));
	CHILD("execle", execle(path, path, (char *)NULL, none));
	CHILD("execlp", execlp(path, path, (char *)NULL));
	CHILD("fexecve", fexecve(open(path, O_PATH), argv, environ));
	CHILD("a script", execl(in(d, "script"), "script", (char *)NULL));
	TRY("posix_spawn", (errno = posix_spawn(&child, path, NULL, NULL, argv, environ)) == 0);
	TRY("posix_spawnp", (errno = posix_spawnp(&child, path, NULL, NULL, argv, none)) == 0);
	while (wait(&status) > 0)
		;
	FILE *pipe = popen(path, "r");
	printf("popen %s: status %d\n", where, pipe ? pclose(pipe) >> 8 : -1);
	printf("system %s: status %d\n", where, system(path) >> 8);
}

/* ---- sockets ------------------------------------------------------------ */

static void connect_there(const char *d, int port)
{
	struct sockaddr_in in4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int unix_socket = socket(AF_UNIX, SOCK_STREAM, 0), udp = socket(AF_INET, SOCK_DGRAM, 0);
	char byte = 0;
	struct iovec part = {&byte, 1};
	struct msghdr message = {.msg_name = &in4, .msg_namelen = sizeof in4, .msg_iov = &part, .msg_iovlen = 1};

	inet_pton(AF_INET, "127.0.0.1", &in4.sin_addr);
	snprintf(un.sun_path, sizeof un.sun_path, "%s", in(d, "socket"));
	TRY("bind a unix socket", bind(unix_socket, (struct sockaddr *)&un, sizeof un) == 0);
	listen(unix_socket, 5);
	TRY("connect to the own", connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&un, sizeof un) == 0);
	TRY("connect", connect(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&in4, sizeof in4) == 0 ||
			       errno == ECONNREFUSED);
	TRY("sendto", sendto(udp, &byte, 1, 0, (struct sockaddr *)&in4, sizeof in4) == 1);
	TRY("sendmsg", sendmsg(udp, &message, 0) == 1);
	TRY("bind", bind(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&in4, sizeof in4) == 0);
}

/* ---- whatever the policy ------------------------------------------------ */

static void always(void)
{
	char *stack = malloc(65536);

	TRY("mount", mount("none", "/mnt", "tmpfs", 0, NULL) == 0);
	TRY("umount", umount("/mnt") == 0);
	TRY("chroot", chroot("/") == 0);
	TRY("ptrace", ptrace(PTRACE_ATTACH, 1, NULL, NULL) == 0);
	TRY("unshare", unshare(CLONE_NEWNS) == 0);
	TRY("kill of a stranger", kill(1, 0) == 0);
	TRY("kill of oneself", kill(getpid(), 0) == 0);
	TRY("shmget with a key", shmget(0x1234, 1, IPC_CREAT | 0600) >= 0);
	TRY("shmget", shmget(IPC_PRIVATE, 1, IPC_CREAT | 0600) >= 0);
	TRY("io_uring_setup", syscall(425, 1, NULL) >= 0);
	TRY("an unlisted call", syscall(480) == 0);
	TRY("a socket of another family", opened(socket(AF_ALG, SOCK_SEQPACKET, 0)));
	TRY("write below /proc/sys", opened(open("/proc/sys/kernel/hostname", O_WRONLY)));
	TRY("close a reserved descriptor", close(4096) == 0);
	free(stack);
}

/* ../top is on the way to a name that may not be written, as are the link ../led and the file ../leaf. */
static void stand_on_the_way(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "../top"};

	TRY("a file to move", close(open("moved", O_CREAT | O_WRONLY, 0600)) == 0);
	TRY("symlink", symlink("target", "../top") == 0);
	TRY("open that creates", open("../top", O_CREAT | O_WRONLY, 0600) >= 0);
	TRY("fopen", fopen("../top", "w") != NULL);
	TRY("mkfifo", mkfifo("../top", 0600) == 0);
	TRY("bind", bind(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&address, sizeof address) == 0);
	TRY("link", link("moved", "../top") == 0);
	TRY("rename", rename("moved", "../top") == 0);
	TRY("mkdir", mkdir("../top", 0700) == 0);
	TRY("rmdir", rmdir("../top") == 0);
	TRY("unlink of a link", unlink("../led") == 0);
	TRY("lchown of a link", lchown("../led", (uid_t)-1, (gid_t)-1) == 0);
	TRY("rename of a link", rename("../led", "moved") == 0);
	TRY("rename over a link", rename("moved", "../led") == 0);
	TRY("unlink of a file", unlink("../leaf") == 0);
	TRY("truncate of a file", truncate("../leaf", 0) == 0);
	TRY("open to write of a file", open("../leaf", O_WRONLY) >= 0);
	TRY("open to read of a file", open("../leaf", O_RDONLY) >= 0);
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	const struct {
		const char *name, *directory;
	} places[] = {{"allowed", "../d"}, {"denied", argv[1]}, {"hidden", argv[2]}};
	denied = argv[1];
	for (int i = 0; i < 3; i++) {
		where = places[i].name;
		open_there(places[i].directory);
		look_there(places[i].directory);
		change_there(places[i].directory);
		run_there(places[i].directory);
	}
	where = "on the way";
	stand_on_the_way();
	where = "allowed";
	connect_there(".", 1);
	where = "denied";
	connect_there(argv[1], 2);
	where = "ever";
	always();
	return 0;
}
