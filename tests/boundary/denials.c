/* SPDX-License-Identifier: MIT */
/*
 * denials.c - makes each judged and each refused call of policy/syscalls.def once, on what the policy of test_denials.sh gives
 * nobody, and prints "NAME RESULT ERRNO WHAT" of each. The arguments follow from the table's argument kinds; `values` has what
 * stands between them. Run as `denials make` it makes what they are tried on: beside the working directory
 * shut/ (nothing may be read or written) and hidden/ (nothing may be seen). Run as `denials bare` it leaves out what is refused to
 * every tool: unguarded, that would be done.
 */
#include "attempt.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

#include "../../policy/syscalls.h"

/* Words of syscalls.def that syscalls.c gives a meaning, and here too. */
#define ACCESS_BY_FLAGS 0
#define EMPTY_NULL_OR_BY_FLAGS (EMPTY_NULL | EMPTY_BY_FLAGS)
#define ANY {ARG_ANY, 0, 0, 0}
#define EARLY(what_) ANY
#define ARG(kind_) {ARG_##kind_, 0, 0, 0}
#define OBJECT(access_) {ARG_OBJECT, ACCESS_##access_, 0, 0}
#define PATH(access_, final_) {ARG_PATH, ACCESS_##access_, FINAL_##final_, 0}
#define PATH_OR(empty_, access_, final_) {ARG_PATH, ACCESS_##access_, FINAL_##final_, EMPTY_##empty_}
#define CALL(number_, name_, class_, op_, ...) {#name_, number_, CALL_##class_, OP_##op_, {__VA_ARGS__}},
static const struct call calls[] = {
#include "../../policy/syscalls.def"
};

static char buffer[65536] __attribute__((aligned(16)));
static struct timespec now2[2];
static char xattr_args[16], file_attr[24];
#define P(pointer) ((long)(intptr_t)(pointer))
enum { VALUES = 5 };

/* What the arguments in between are (ARG_ANY and other plain values, in their order). */
static const struct { const char *name; long value[VALUES]; } values[] = {
	{ "truncate", { 0 } }, { "chmod", { 0700 } }, { "fchmod", { 0700 } }, { "chown", { -1, -1 } }, { "fchown", { -1, -1 } },
	{ "lchown", { -1, -1 } }, { "fchownat", { -1, -1 } }, { "fchmodat", { 0700 } }, { "fchmodat2", { 0700 } },
	{ "setxattr", { P("user.t"), P("v"), 1, 0 } }, { "lsetxattr", { P("user.t"), P("v"), 1, 0 } },
	{ "fsetxattr", { P("user.t"), P("v"), 1, 0 } }, { "removexattr", { P("user.there") } },
	{ "lremovexattr", { P("user.there") } }, { "fremovexattr", { P("user.there") } },
	{ "setxattrat", { P("user.t"), P(xattr_args), sizeof xattr_args } }, { "removexattrat", { P("user.there") } },
	{ "file_setattr", { P(file_attr), sizeof file_attr } },
	{ "mkdir", { 0700 } }, { "mkdirat", { 0700 } }, { "mknod", { S_IFREG | 0600, 0 } }, { "mknodat", { S_IFREG | 0600, 0 } },
	{ "creat", { 0600 } }, { "open", { 0600 } }, { "openat", { 0600 } }, { "symlink", { P("x") } }, { "symlinkat", { P("x") } },
	{ "utimensat", { P(now2) } }, { "access", { 0 } }, { "faccessat", { 0 } }, { "faccessat2", { 0 } },
	{ "stat", { P(buffer) } }, { "lstat", { P(buffer) } }, { "newfstatat", { P(buffer) } }, { "statx", { 1, P(buffer) } },
	{ "statfs", { P(buffer) } }, { "readlink", { P(buffer), 100 } }, { "readlinkat", { P(buffer), 100 } },
	{ "getxattr", { P("user.there"), P(buffer), 100 } }, { "lgetxattr", { P("user.there"), P(buffer), 100 } },
	{ "listxattr", { P(buffer), 100 } }, { "llistxattr", { P(buffer), 100 } }, { "name_to_handle_at", { P(buffer), P(buffer + 256) } },
	{ "getxattrat", { P("user.there"), P(xattr_args), sizeof xattr_args } }, { "listxattrat", { P(buffer), 100 } },
	{ "file_getattr", { P(file_attr), sizeof file_attr } },
};

/* On what each call is tried: each has a file of its own, so that each has a record of its own. */
static const char *path_of(const struct call *call, int nth)
{
	static char paths[2][128];
	bool looks = call->op == OP_LOOK || call->op == OP_READLINK || call->op == OP_CHDIR;

	if (call->op == OP_RENAME && nth == 1)
		snprintf(paths[nth], sizeof *paths, "%s.moved", call->name);
	else if (call->op == OP_LINK && nth == 0)
		snprintf(paths[nth], sizeof *paths, "own");
	else
		snprintf(paths[nth], sizeof *paths, "../%s/%s", looks ? "hidden" : "shut", call->name);
	return paths[nth];
}

static long any_value(const struct call *call, int nth)
{
	for (size_t i = 0; i < sizeof values / sizeof *values; i++)
		if (strcmp(values[i].name, call->name) == 0 && nth < VALUES)
			return values[i].value[nth];
	return 0;
}

static void make_file(const char *name)
{
	int fd = open(name, O_CREAT | O_TRUNC | O_RDWR, 0600);

	NEED(write(fd, "text", 4));
	syscall(SYS_fsetxattr, fd, "user.there", "1", 1, 0);
	close(fd);
}

static bool is_about_names(const struct call *call)
{
	return call->class == CALL_JUDGED && call->op != OP_IOCTL &&
	       (call->args[0].kind == ARG_PATH || call->args[1].kind == ARG_PATH || call->args[2].kind == ARG_PATH ||
		call->args[0].kind == ARG_OBJECT);
}

/* What a call is tried on has to be there, unless it makes it. */
static void make_for(const struct call *call)
{
	const char *path = path_of(call, call->op == OP_LINK);
	char command[256];

	switch (call->op) {
	case OP_CREATE:
	case OP_SYMLINK:
	case OP_LINK:
		break;
	case OP_CHDIR:
		NEED(mkdir(path, 0700));
		break;
	case OP_EXEC:
		snprintf(command, sizeof command, "cp /bin/true %s", path);
		NEED(system(command));
		break;
	default:
		if (strcmp(call->name, "rmdir") == 0)
			NEED(mkdir(path, 0700));
		else if (strncmp(call->name, "readlink", 8) == 0)
			NEED(symlink("x", path));
		else if (strcmp(call->name, "creat") != 0)
			make_file(path);
	}
}

static void make_fixture(void)
{
	NEED(mkdir("../shut", 0700));
	NEED(mkdir("../hidden", 0700));
	make_file("../shut/victim");
	make_file("own");
	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
		if (is_about_names(&calls[i]))
			make_for(&calls[i]);
}

static void print(const char *name, long result, const char *what)
{
	printf("%s %d %d %s\n", name, result < 0 ? -1 : 0, result < 0 ? errno : 0, what);
	fflush(stdout);
}

/* ---- names --------------------------------------------------------------------- */

/* Arguments for a call that takes names; the last of these. */
static const char *fill(const struct call *call, long a[CALL_ARGS])
{
	static char *const argv[] = { (char *)"program", NULL };
	static struct { uint64_t flags, mode, resolve; } how = { .flags = O_RDWR };
	int names = 0, anys = 0;
	const char *last = "";

	for (int i = 0; i < CALL_ARGS; i++)
		switch (call->args[i].kind) {
		case ARG_PATH:
			a[i] = P(last = path_of(call, names++));
			break;
		case ARG_DIRFD:
			a[i] = AT_FDCWD;
			break;
		case ARG_OBJECT:	/* standard error: the victim, opened by the test for reading */
			a[i] = 2;
			last = "../shut/victim";
			break;
		case ARG_OPEN_FLAGS:
			a[i] = O_RDWR;
			break;
		case ARG_OPEN_HOW:
			a[i] = P(&how);
			a[i + 1] = sizeof how;
			i++;
			break;
		case ARG_ARGV:
		case ARG_ENVP:
			a[i] = P(argv);
			break;
		case ARG_WATCH_MASK:
			a[i] = IN_ALL_EVENTS;
			break;
		case ARG_LENGTH:
		case ARG_MODE:
		case ARG_OWNER:
		case ARG_NODE:
		case ARG_ATTRIBUTE:
		case ARG_VALUE_SIZE:
		case ARG_ANY:
			a[i] = any_value(call, anys++);
			break;
		default:
			break;
		}
	return last;
}

/* In a child: it may succeed. */
static long make_exec(const struct call *call, const long a[CALL_ARGS])
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		syscall(call->number, a[0], a[1], a[2], a[3], a[4], a[5]);
		_exit(errno);
	}
	waitpid(child, &status, 0);
	errno = WEXITSTATUS(status);
	return errno ? -1 : 0;
}

static long make_call(const struct call *call, const long a[CALL_ARGS])
{
	int here = open(".", O_RDONLY | O_DIRECTORY);
	long result = syscall(call->number, a[0], a[1], a[2], a[3], a[4], a[5]);
	int error = errno;

	if (call->op == OP_CHDIR)
		NEED(fchdir(here));
	close(here);
	errno = error;
	return result;
}

static void try_names(const struct call *call)
{
	long a[CALL_ARGS] = { 0 };
	const char *last = fill(call, a);

	memset(buffer, 0, sizeof buffer);
	*(unsigned *)buffer = 128;	/* name_to_handle_at: bytes of room */
	if (call->op == OP_WATCH)
		a[0] = inotify_init();
	if (call->op == OP_RENAME)
		last = path_of(call, 0);
	long result = call->op == OP_EXEC ? make_exec(call, a) : make_call(call, a);
	print(call->name, result, last);
}

/* ---- addresses, processes, descriptors --------------------------------------------- */

static struct sockaddr_in loopback = { .sin_family = AF_INET };
static pid_t stranger;

static long on_socket(const char *name)
{
	struct iovec text = { (char *)"x", 1 };
	struct mmsghdr message = { .msg_hdr = { .msg_name = &loopback, .msg_namelen = sizeof loopback, .msg_iov = &text, .msg_iovlen = 1 } };
	int fd = socket(AF_INET, strcmp(name, "listen") == 0 ? SOCK_STREAM : SOCK_DGRAM, 0);

	if (strcmp(name, "connect") == 0)
		return connect(fd, (struct sockaddr *)&loopback, sizeof loopback);
	if (strcmp(name, "bind") == 0)
		return bind(fd, (struct sockaddr *)&loopback, sizeof loopback);
	if (strcmp(name, "listen") == 0)
		return listen(fd, 1);
	if (strcmp(name, "sendto") == 0)
		return sendto(fd, "x", 1, 0, (struct sockaddr *)&loopback, sizeof loopback);
	if (strcmp(name, "sendmsg") == 0)
		return sendmsg(fd, &message.msg_hdr, 0);
	if (strcmp(name, "sendmmsg") == 0)
		return sendmmsg(fd, &message, 1, 0);
	return setsockopt(fd, IPPROTO_IP, IP_OPTIONS, "\7\7\4\0\0\0\0", 8);
}

/* An IPC object that was made is removed. */
static long removed(long control, long id)
{
	if (id >= 0 && control == SYS_semctl)
		syscall(control, id, 0, 0 /* IPC_RMID */);
	else if (id >= 0)
		syscall(control, id, 0, NULL);
	return id;
}

static long numbers(const char *name)
{
	struct rlimit none = { 64, 64 };
	struct sched_param param = { 0 };
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	if (strcmp(name, "kill") == 0)
		return kill(stranger, SIGURG);
	if (strcmp(name, "tkill") == 0)
		return syscall(SYS_tkill, stranger, SIGURG);
	if (strcmp(name, "tgkill") == 0)
		return syscall(SYS_tgkill, stranger, stranger, SIGURG);
	if (strcmp(name, "pidfd_open") == 0)
		return syscall(SYS_pidfd_open, stranger, 0);
	if (strcmp(name, "setpgid") == 0)
		return setpgid(0, stranger);
	if (strcmp(name, "setpriority") == 0)
		return setpriority(PRIO_PROCESS, (id_t)stranger, 3);
	if (strcmp(name, "ioprio_set") == 0)
		return syscall(SYS_ioprio_set, 1, stranger, 3 << 13);
	if (strcmp(name, "sched_setparam") == 0)
		return sched_setparam(stranger, &param);
	if (strcmp(name, "sched_setscheduler") == 0)
		return sched_setscheduler(stranger, SCHED_BATCH, &param);
	if (strcmp(name, "sched_setaffinity") == 0)
		return sched_setaffinity(stranger, sizeof cpus, &cpus);
	if (strcmp(name, "prlimit64") == 0)
		return prlimit(stranger, RLIMIT_SIGPENDING, &none, NULL);
	if (strcmp(name, "socket") == 0)
		return socket(AF_NETLINK, SOCK_RAW, 15 /* NETLINK_KOBJECT_UEVENT */);
	if (strcmp(name, "fcntl") == 0)
		return fcntl(1, F_SETOWN, stranger);
	if (strcmp(name, "shmget") == 0)
		return removed(SYS_shmctl, syscall(SYS_shmget, 0x7ea50001, 4096, 01600));
	if (strcmp(name, "semget") == 0)
		return removed(SYS_semctl, syscall(SYS_semget, 0x7ea50001, 1, 01600));
	if (strcmp(name, "msgget") == 0)
		return removed(SYS_msgctl, syscall(SYS_msgget, 0x7ea50001, 01600));
	errno = 0;
	return -1;
}

int main(int argc, char **argv)
{
	static const char *const by_socket[] = { "connect", "bind", "listen", "sendto", "sendmsg", "sendmmsg", "setsockopt" };
	static const char *const by_number[] = { "kill", "tkill", "tgkill", "pidfd_open", "setpgid", "setpriority", "ioprio_set",
						 "sched_setparam", "sched_setscheduler", "sched_setaffinity", "prlimit64",
						 "socket", "fcntl", "shmget", "semget", "msgget" };

	bool bare = argc > 1;

	if (bare && strcmp(argv[1], "make") == 0) {
		make_fixture();
		return 0;
	}
	stranger = atoi(getenv("STRANGER"));
	loopback.sin_port = htons(9);
	loopback.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	*(void **)xattr_args = buffer;
	*(unsigned *)(xattr_args + 8) = 1;
	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
		if (is_about_names(&calls[i]))
			try_names(&calls[i]);
	for (size_t i = 0; i < sizeof by_socket / sizeof *by_socket; i++) {
		loopback.sin_port = htons((uint16_t)(strcmp(by_socket[i], "bind") == 0 ? 0 : 9 + i));
		print(by_socket[i], on_socket(by_socket[i]), "-");
	}
	for (size_t i = 0; i < sizeof by_number / sizeof *by_number; i++)
		print(by_number[i], numbers(by_number[i]), "-");
	for (size_t i = 0; i < sizeof calls / sizeof *calls && !bare; i++)
		if (calls[i].class == CALL_REFUSED)
			print(calls[i].name, syscall(calls[i].number, 0, 0, 0, 0, 0, 0), "always");
	return 0;
}
