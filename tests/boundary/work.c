/* SPDX-License-Identifier: MIT */
/* work.c - what has to work under the guard as it does without, and above all has to end. */
#include "attempt.h"

#include <dirent.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

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

/* A process that changes what names mean, again and again. */
static pid_t start_mover(void)
{
	pid_t mover = fork();

	NEED(mover);
	while (mover == 0) {
		mkdir("moving", 0700);
		rename("moving", "moved");
		symlink("moved", "link");
		unlink("link");
		rmdir("moved");
	}
	return mover;
}

static int stop_child(pid_t child)
{
	kill(child, SIGKILL);
	return waitpid(child, NULL, 0) == child ? WORKED : BROKEN;
}

/* ---- programs that are started by one thread while others end ---------------- */

static void *end_at_once(void *unused)
{
	return unused;
}

static void *run_true(void *unused)
{
	(void)unused;
	execl("/bin/true", "true", NULL);
	_exit(REFUSED);
}

static int exec_among_threads(void)
{
	pid_t mover = start_mover();

	for (int i = 0; i < 60; i++) {
		int status;
		pid_t child = fork();
		NEED(child);
		if (child == 0) {
			pthread_t t;
			for (int n = 0; n < 12; n++)
				pthread_create(&t, NULL, n % 3 ? sleep_for_ever : end_at_once, NULL);
			pthread_create(&t, NULL, run_true, NULL);
			if (i % 2)
				pthread_exit(NULL);
			for (;;)
				close(open("nothing", O_RDONLY));
		}
		WORKS(waitpid(child, &status, 0) == child && status == 0);
	}
	return stop_child(mover);
}

/* ---- a call that cannot be made safe fails, and nobody waits for its end ------- */

static int move_from_deep(void *unused)
{
	(void)unused;
	symlink("x", "a-name-that-is-long-enough");
	for (;;)
		pause();
	return 0;
}

/* A task that shares memory and directory, in a directory whose name is nearly as long as names can be. */
static int fails_and_sleeps(void)
{
	char name[4096], part[256];

	memset(part, 'd', 200);
	part[200] = 0;
	do {
		NEED(mkdir(part, 0700));
		NEED(chdir(part));
		WORKS(getcwd(name, sizeof name) != NULL);
	} while (strlen(name) < 4096 - 250);
	for (size_t target = 4095 - 27 - strlen(name); target > 1; target = 0) {
		memset(part, 'e', target - 1);
		part[target - 1] = 0;
		NEED(mkdir(part, 0700));
		NEED(chdir(part));
	}
	pid_t child = clone(move_from_deep, new_stack(), CLONE_VM | CLONE_FS | SIGCHLD, NULL);
	NEED(child);
	for (int i = 0; i < 200; i++) {
		struct stat st;
		WORKS(stat(".", &st) == 0);
		usleep(1000);
	}
	return stop_child(child);
}

/* ---- makers that are killed before they say what they made ---------------------- */

static int killed_makers(void)
{
	NEED(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
	for (int i = 0; i < 150; i++) {
		pid_t maker = fork();
		NEED(maker);
		if (maker == 0) {
			setpgid(0, 0);
			for (int n = 0; n < 100; n++)
				if (fork() == 0)
					_exit(0);
			_exit(0);
		}
		setpgid(maker, maker);
		usleep((useconds_t)(i * 37 % 900));
		kill(maker, SIGKILL);
	}
	/* every one of them can be waited for */
	while (waitpid(-1, NULL, 0) > 0)
		;
	return errno == ECHILD ? WORKED : REFUSED;
}

static void *fork_and_wait(void *unused)
{
	(void)unused;
	for (;;) {
		pid_t child = fork();
		if (child == 0)
			_exit(0);
		waitpid(child, NULL, 0);
	}
	return NULL;
}

/* The same, by an exec, which ends the other threads of a process. */
static int makers_ended_by_exec(void)
{
	NEED(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
	for (int i = 0; i < 80; i++) {
		pid_t maker = fork();
		NEED(maker);
		if (maker == 0) {
			pthread_t t;
			for (int n = 0; n < 3; n++)
				pthread_create(&t, NULL, fork_and_wait, NULL);
			usleep((useconds_t)(i * 91 % 2000));
			run_true(NULL);
		}
		/* it, and what it left behind */
		while (waitpid(-1, NULL, 0) > 0)
			;
		WORKS(errno == ECHILD);
	}
	return WORKED;
}

/* ---- stops ------------------------------------------------------------------- */

static int stopped_and_continued(void)
{
	pid_t child = fork(), mover;
	int status;

	NEED(child);
	while (child == 0)
		close(open("file", O_CREAT | O_WRONLY, 0600));
	mover = start_mover();
	for (int i = 0; i < 100; i++) {
		kill(child, SIGSTOP);
		WORKS(waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status));
		kill(child, SIGCONT);
		WORKS(waitpid(child, &status, WCONTINUED) == child && WIFCONTINUED(status));
	}
	WORKS(stop_child(mover) == WORKED);
	return stop_child(child);
}

/* Somebody waits in an open while names move. */
static int waits_in_open(void)
{
	pid_t reader, mover = start_mover();
	int status, fd;

	NEED(mkfifo("fifo", 0600));
	for (int i = 0; i < 30; i++) {
		reader = fork();
		NEED(reader);
		if (reader == 0) {
			char c = 0;
			pthread_t t;
			if (i % 2)
				pthread_create(&t, NULL, sleep_for_ever, NULL);
			fd = open("fifo", O_RDONLY);
			_exit(read(fd, &c, 1) == 1 && c == 'c' ? 0 : 1);
		}
		usleep(3000);
		NEED(fd = open("fifo", O_WRONLY));
		WORKS(write(fd, "c", 1) == 1);
		WORKS(waitpid(reader, &status, 0) == reader && status == 0);
		close(fd);
	}
	return stop_child(mover);
}

static void *open_fifo(void *name)
{
	close(open(name, O_RDONLY));
	return NULL;
}

/* More threads wait in a call than there are places for copies. */
static int crowd_waits_in_open(void)
{
	enum { CROWD = 300 };
	pthread_t t[CROWD];
	static char name[] = "fifo";
	int fd, opened = 0;

	NEED(mkfifo(name, 0600));
	for (int i = 0; i < CROWD; i++)
		NEED(pthread_create(&t[i], NULL, open_fifo, name) ? -1 : 0);
	usleep(200000);
	for (int i = 0; i < 50; i++) {
		fd = open("other", O_CREAT | O_RDWR, 0600);
		opened += fd >= 0;
		close(fd);
	}
	NEED(fd = open(name, O_RDWR));
	for (int i = 0; i < CROWD; i++)
		pthread_join(t[i], NULL);
	WORKS(opened == 50);
	return WORKED;
}

/* ---- what threads may do as anybody ------------------------------------------- */

static int descriptors_of_threads(void)
{
	struct timespec times[2] = { { 1000, 0 }, { 1000, 0 } };
	struct stat st;
	int ends[2], fd;

	NEED(pipe(ends));
	NEED(fd = open("file", O_CREAT | O_RDWR, 0600));
	WORKS(fstat(ends[0], &st) == 0 && S_ISFIFO(st.st_mode));
	WORKS(fstat(fd, &st) == 0);
	WORKS(fchmod(fd, 0640) == 0 && fstat(fd, &st) == 0 && (st.st_mode & 0777) == 0640);
	WORKS(fchown(fd, getuid(), getgid()) == 0);
	WORKS(futimens(fd, times) == 0 && fstat(fd, &st) == 0 && st.st_mtime == 1000);
	WORKS(fchownat(fd, "", getuid(), getgid(), AT_EMPTY_PATH) == 0);
	return WORKED;
}

static int threads_may(void)
{
	return in_company(descriptors_of_threads);
}

static int names_of_threads(void)
{
	char name[64], text[64] = "";

	snprintf(name, sizeof name, "/proc/self/task/%d/comm", (int)gettid());
	int fd = open(name, O_RDWR);
	WORKS(fd >= 0 && write(fd, "renamed", 7) == 7 && pread(fd, text, sizeof text, 0) == 8);
	snprintf(name, sizeof name, "/proc/thread-self/comm");
	WORKS((fd = open(name, O_RDONLY)) >= 0 && read(fd, text, sizeof text) == 8);
	WORKS(open("/proc/self/task/999999999/comm", O_RDONLY) < 0 && errno == ENOENT);
	return strncmp(text, "renamed", 7) == 0 ? WORKED : REFUSED;
}

/* ---- sockets of the run's own -------------------------------------------------- */

static int own_sockets(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "server" }, sender = address;
	int server, client, peer;
	char c = 0;

	NEED(server = socket(AF_UNIX, SOCK_STREAM, 0));
	WORKS(bind(server, (struct sockaddr *)&address, sizeof address) == 0);
	WORKS(listen(server, 5) == 0);
	NEED(client = socket(AF_UNIX, SOCK_STREAM, 0));
	WORKS(connect(client, (struct sockaddr *)&address, sizeof address) == 0);
	WORKS((peer = accept(server, NULL, NULL)) >= 0);
	WORKS(write(client, "x", 1) == 1 && read(peer, &c, 1) == 1 && c == 'x');
	WORKS(rename("server", "moved") == 0);
	WORKS(connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&address, sizeof address) < 0);
	strcpy(address.sun_path, "moved");
	WORKS(connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&address, sizeof address) == 0);
	strcpy(sender.sun_path, "datagrams");
	NEED(server = socket(AF_UNIX, SOCK_DGRAM, 0));
	WORKS(bind(server, (struct sockaddr *)&sender, sizeof sender) == 0);
	NEED(client = socket(AF_UNIX, SOCK_DGRAM, 0));
	WORKS(sendto(client, "y", 1, 0, (struct sockaddr *)&sender, sizeof sender) == 1);
	WORKS(recv(server, &c, 1, 0) == 1 && c == 'y');
	return WORKED;
}

static int own_sockets_of_threads(void)
{
	return in_company(own_sockets);
}

/* A message in which somebody says who it is: that it is itself is believed, that it is its parent is not. */
static ssize_t introduce(int socket, pid_t pid)
{
	struct ucred who = { pid, getuid(), getgid() };
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof who)];
	} control = { .header = { CMSG_LEN(sizeof who), SOL_SOCKET, SCM_CREDENTIALS } };
	struct iovec text = { "x", 1 };
	struct msghdr message = { .msg_iov = &text, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control };

	memcpy(CMSG_DATA(&control.header), &who, sizeof who);
	return sendmsg(socket, &message, 0);
}

static int says_who_it_is(void)
{
	struct ucred told = { 0 };
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof told)];
	} control;
	char byte;
	struct iovec text = { &byte, 1 };
	struct msghdr message = { .msg_iov = &text, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control };
	int pair[2], yes = 1;

	NEED(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
	NEED(bind(pair[0], (struct sockaddr *)&(struct sockaddr_un){ AF_UNIX, "named" }, sizeof(struct sockaddr_un)));
	NEED(setsockopt(pair[0], SOL_SOCKET, SO_PASSCRED, &yes, sizeof yes));
	WORKS(introduce(pair[1], getpid()) == 1);
	WORKS(recvmsg(pair[0], &message, MSG_DONTWAIT) == 1 && control.header.cmsg_type == SCM_CREDENTIALS);
	memcpy(&told, CMSG_DATA(&control.header), sizeof told);
	WORKS(told.uid == getuid() && told.gid == getgid());
	WORKS(getuid() == 0 || (introduce(pair[1], getppid()) < 0 && errno == EPERM));
	return WORKED;
}

/* ---- what is wrong is said as ever ------------------------------------------------ */

#define FAILS(error, call) WORKS((long)(call) < 0 && errno == (error))

static int wrong_numbers(void)
{
	enum { NOBODY = 1 << 22, NO_KIND = 9 };	/* no process has this number: PID_MAX_LIMIT */
	int descriptor = (int)syscall(SYS_pidfd_open, getpid(), 0), file = open("file", O_CREAT | O_RDWR, 0600);

	NEED(descriptor);
	NEED(file);
	FAILS(ESRCH, fcntl(file, F_SETOWN, NOBODY));
	FAILS(EINVAL, syscall(SYS_pidfd_send_signal, descriptor, 0, NULL, 0xff));
	FAILS(EINVAL, syscall(SYS_tgkill, 0, getpid(), 0));
	FAILS(EINVAL, syscall(SYS_tkill, 0, 0));
	FAILS(EINVAL, syscall(SYS_setpriority, NO_KIND, 0, 0));
	FAILS(EINVAL, syscall(SYS_setpriority, NO_KIND, getppid(), 0));
	FAILS(EINVAL, syscall(SYS_ioprio_set, NO_KIND, getppid(), 0));
	return WORKED;
}

static int wrong_numbers_of_threads(void)
{
	return in_company(wrong_numbers);
}

/* What a tool denies itself stays denied, whoever makes its calls; or the kernel says that it has no such thing. */
static int own_landlock_holds(void)
{
	struct {
		uint64_t files;
	} reading = { 1 << 2 };	/* LANDLOCK_ACCESS_FS_READ_FILE */
	int ruleset = (int)syscall(444, &reading, sizeof reading, 0), file = open("mine", O_CREAT | O_RDWR, 0600);

	NEED(file);
	if (ruleset < 0)
		return errno == ENOSYS ? WORKED : NOT_HERE;
	NEED(syscall(SYS_prctl, 38 /* PR_SET_NO_NEW_PRIVS */, 1, 0, 0, 0));
	NEED(syscall(446, ruleset, 0));
	return open("mine", O_RDONLY) < 0 && errno == EACCES ? WORKED : REFUSED;
}

/*
 * clone3 by hand, its struct in shared memory so that the guard makes it with a copy: the child looks at its argument registers
 * before anything else.
 */
static int child_of_clone3_has_arguments(void)
{
	struct {
		uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
	} *arguments = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint64_t first = (uint64_t)arguments, second = sizeof *arguments;
	int status;

	if (arguments == MAP_FAILED)
		return BROKEN;
	for (int i = 0; i < 20; i++) {
		long child = SYS_clone3;
		uint64_t rdi = first, rsi = second;
		register uint64_t r10 __asm__("r10") = 10, r8 __asm__("r8") = 8, r9 __asm__("r9") = 9;
		arguments->exit_signal = SIGCHLD;
		__asm__ volatile("syscall" : "+a"(child), "+D"(rdi), "+S"(rsi), "+r"(r10), "+r"(r8), "+r"(r9)
				 : "d"(7L) : "rcx", "r11", "memory");
		bool same = rdi == first && rsi == second && r10 == 10 && r8 == 8 && r9 == 9;
		if (child == 0)
			_exit(same ? 0 : 1);
		if (child == -ENOSYS)
			return WORKED;	/* level notify: programs use clone, whose arguments are in registers */
		if (child < 0 || !same || waitpid((pid_t)child, &status, 0) != child || status != 0)
			return REFUSED;
	}
	return WORKED;
}

/* What the kernel says of what is a link and of what is none, by name and by descriptor. */
static int links_read_as_ever(void)
{
	char text[64];
	int directory = open(".", O_PATH), link;

	NEED(directory);
	NEED(symlink("target", "link"));
	NEED(link = open("link", O_PATH | O_NOFOLLOW));
	return readlink("link", text, sizeof text) == 6 && readlink("link", text, 3) == 3 && memcmp(text, "tar", 3) == 0 &&
			       readlinkat(link, "", text, sizeof text) == 6 && readlink("link", text, 0) < 0 && errno == EINVAL &&
			       readlink(".", text, sizeof text) < 0 && errno == EINVAL &&
			       readlinkat(directory, "", text, sizeof text) < 0 && errno == ENOENT &&
			       readlink("missing", text, sizeof text) < 0 && errno == ENOENT &&
			       readlink("/proc/self", text, sizeof text) > 0 && atoi(text) == getpid() ?
		       WORKED :
		       REFUSED;
}

/* A slash behind a link makes a directory of it only for those who go there; and none of a file. */
static int slashes_make_no_directories(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "file/" };
	struct stat st;

	NEED(mkdir("directory", 0700));
	NEED(symlink("directory", "link"));
	WORKS(stat("link/", &st) == 0 && S_ISDIR(st.st_mode));
	WORKS(rmdir("link/") < 0 && errno == ENOTDIR);
	WORKS(unlink("link/") < 0 && errno == ENOTDIR);
	WORKS(rename("link/", "moved") < 0 && errno == ENOTDIR);
	WORKS(mkdir("link/", 0700) < 0 && errno == EEXIST);
	NEED(close(open("file", O_CREAT | O_WRONLY, 0600)));
	WORKS(mkdir("file/", 0700) < 0 && errno == EEXIST);
	WORKS(bind(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&address, sizeof address) < 0 && errno == EADDRINUSE);
	return WORKED;
}

/* By a link of /proc a socket comes to lie where that leads this process, and not whoever makes it in its place. */
static int binds_by_links_of_proc(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "/proc/self/cwd/one" };
	int directory;

	NEED(mkdir("below", 0700));
	NEED(directory = open("below", O_PATH | O_DIRECTORY));
	NEED(chdir("below"));
	WORKS(bind(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&address, sizeof address) == 0);
	snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/other", directory);
	WORKS(bind(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&address, sizeof address) == 0);
	WORKS(access("one", F_OK) == 0 && access("other", F_OK) == 0);
	return WORKED;
}

static const struct row rows[] = {
	{ HAS_TO_WORK, "own_sockets", own_sockets },
	{ HAS_TO_WORK, "own_sockets_of_threads", own_sockets_of_threads },
	{ HAS_TO_WORK, "says_who_it_is", says_who_it_is },
	{ HAS_TO_WORK, "wrong_numbers", wrong_numbers },
	{ HAS_TO_WORK, "wrong_numbers_of_threads", wrong_numbers_of_threads },
	{ HAS_TO_WORK, "exec_among_threads", exec_among_threads },
	{ HAS_TO_WORK, "fails_and_sleeps", fails_and_sleeps },
	{ HAS_TO_WORK, "killed_makers", killed_makers },
	{ HAS_TO_WORK, "makers_ended_by_exec", makers_ended_by_exec },
	{ HAS_TO_WORK, "stopped_and_continued", stopped_and_continued },
	{ HAS_TO_WORK, "waits_in_open", waits_in_open },
	{ HAS_TO_WORK, "crowd_waits_in_open", crowd_waits_in_open },
	{ HAS_TO_WORK, "threads_may", threads_may },
	{ HAS_TO_WORK, "names_of_threads", names_of_threads },
	{ HAS_TO_WORK, "own_landlock_holds", own_landlock_holds },
	{ HAS_TO_WORK, "links_read_as_ever", links_read_as_ever },
	{ HAS_TO_WORK, "slashes_make_no_directories", slashes_make_no_directories },
	{ HAS_TO_WORK, "binds_by_links_of_proc", binds_by_links_of_proc },
	{ HAS_TO_WORK, "child_of_clone3_has_arguments", child_of_clone3_has_arguments },
};
MAIN(rows)
