/* SPDX-License-Identifier: MIT */
/*
 * ordinary.c - what programs rely on when a call waits, is interrupted, or
 * depends on who makes it. Each row prints what it saw and then "done"; what it prints has to be the same with and without
 * a guard. Run in an empty directory:  ordinary ROW | --list
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WAITERS = 40, OPENS = 100, TICK_US = 20000 };

extern char **environ;
static volatile sig_atomic_t signals;
static atomic_int finished;

static void nap(long ms)
{
	struct timespec t = {ms / 1000, ms % 1000 * 1000000};

	nanosleep(&t, NULL);
}

static const char *outcome(long result)
{
	return result >= 0 ? "works" : strerrorname_np(errno);
}

static void touch(const char *name)
{
	int fd = open(name, O_WRONLY | O_CREAT, 0666);

	if (fd < 0)
		printf("%s: %s\n", name, outcome(fd));
	close(fd);
}

/* Many opens that have nothing to do with what waits. */
static void others_go_on(const char *what)
{
	int failed = 0;

	touch("file");
	for (int i = 0; i < OPENS; i++) {
		int fd = open("file", O_RDONLY);
		failed += fd < 0;
		close(fd);
	}
	printf("%s: %d of %d others fail, %d are through\n", what, failed, OPENS, finished);
}

static pthread_t in_thread(void *(*body)(void *), void *argument)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, body, argument) != 0)
		abort();
	return thread;
}

/* A thread or process waits in a call with this name: see /proc/TID/syscall in a process that may; here, time does. */
static void let_them_begin(void)
{
	nap(100);
}

/* ---- waiting ------------------------------------------------------------ */

static void *open_fifo(void *name)
{
	int fd = open(name, O_RDONLY);

	finished++;
	close(fd);
	return fd < 0 ? "fails" : "works";
}

static void fifo(void)
{
	pthread_t threads[WAITERS];
	void *said;
	int works = 0;

	mkfifo("fifo", 0600);
	for (int i = 0; i < WAITERS; i++)
		threads[i] = in_thread(open_fifo, "fifo");
	let_them_begin();
	others_go_on("while they wait");
	int fd = open("fifo", O_WRONLY);
	for (int i = 0; i < WAITERS; i++) {
		pthread_join(threads[i], &said);
		works += strcmp(said, "works") == 0;
	}
	printf("%d of %d work, the writer %s\n", works, WAITERS, outcome(fd));
}

static int unix_socket(const char *name, bool listener)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof address.sun_path, "%s", name);
	if (listener && (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 0) < 0))
		printf("listener: %s\n", outcome(-1));
	if (!listener && connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static void *connect_to(void *name)
{
	int fd = unix_socket(name, false);

	finished++;
	return fd < 0 ? (void *)strerrorname_np(errno) : "works";
}

/* Who connects sees who listens. */
static void listener(void)
{
	int server = unix_socket("listener", true), client = unix_socket("listener", false);
	struct ucred who = {0};
	socklen_t length = sizeof who;
	int r = getsockopt(client, SOL_SOCKET, SO_PEERCRED, &who, &length);

	printf("SO_PEERCRED %s, it is %s\n", outcome(r), who.pid == getpid() ? "us" : "another");
	close(client);
	close(server);
}

/* A full backlog: connect waits for accept. */
static void backlog(void)
{
	pthread_t threads[3];
	void *said;
	int listener = unix_socket("socket", true);

	unix_socket("socket", false);
	for (int i = 0; i < 3; i++)
		threads[i] = in_thread(connect_to, "socket");
	let_them_begin();
	others_go_on("while connect waits");
	for (int i = 0; i < 4; i++)
		close(accept(listener, NULL, NULL));
	for (int i = 0; i < 3; i++) {
		pthread_join(threads[i], &said);
		printf("connect %s\n", (char *)said);
	}
}

static void *accept_one(void *listener)
{
	int fd = accept(*(int *)listener, NULL, NULL);

	finished++;
	return fd < 0 ? "fails" : "works";
}

static void slow_accept(void)
{
	int listener = unix_socket("socket", true);
	pthread_t thread = in_thread(accept_one, &listener);
	void *said;

	let_them_begin();
	others_go_on("while accept waits");
	printf("connect %s\n", outcome(unix_socket("socket", false)));
	pthread_join(thread, &said);
	printf("accept %s\n", (char *)said);
}

/* ---- signals ------------------------------------------------------------ */

static void count_signal(int signal)
{
	(void)signal;
	signals++;
}

static void handle(int signal, void (*handler)(int), int flags)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = flags};

	sigaction(signal, &action, NULL);
}

/* A child that sends signals for a while, and then opens the other end. */
static pid_t helper(int signal)
{
	pid_t me = getpid(), child = fork();

	if (child != 0)
		return child;
	for (int i = 0; i < 40; i++) {
		nap(10);
		kill(me, signal);
	}
	for (;;) {
		close(open("fifo", O_WRONLY | O_NONBLOCK));
		nap(10);
	}
}

static void interrupted_open(const char *what, void (*handler)(int), int flags, bool blocked)
{
	sigset_t set;

	signals = 0;
	handle(SIGUSR1, handler, flags);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	if (blocked)
		sigprocmask(SIG_BLOCK, &set, NULL);
	pid_t child = helper(SIGUSR1);
	int fd = open("fifo", O_RDONLY);
	printf("%s: open %s after %s\n", what, outcome(fd), signals == 0 ? "none" : "some");
	while (kill(child, SIGKILL) < 0 && errno == EINTR) /* see under_storm */
		;
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	close(fd);
}

static void interrupted(void)
{
	mkfifo("fifo", 0600);
	interrupted_open("handler", count_signal, 0, false);
	interrupted_open("handler, SA_RESTART", count_signal, SA_RESTART, false);
	interrupted_open("ignored", SIG_IGN, 0, false);
	interrupted_open("blocked", count_signal, 0, true);
}

/*
 * A timer that fires all the time: no call is made twice, or fails for it. With a handler that was installed without
 * SA_RESTART a guard may have to make a call fail (seccomp_unotify(2): one that the supervisor has not seen yet); but then it
 * has not happened, and it can be made again.
 */
static void under_storm(const char *what, int flags)
{
	struct itimerval often = {{0, 200}, {0, 200}};
	int made = 0, removed = 0, opened = 0, fd, r;
	char name[32];

	signals = 0;
	handle(SIGALRM, count_signal, flags);
	setitimer(ITIMER_REAL, &often, NULL);
	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof name, "d%d", i);
		while ((r = mkdir(name, 0700)) < 0 && errno == EINTR && !flags)
			;
		made += r == 0;
		while ((fd = open(name, O_RDONLY | O_DIRECTORY)) < 0 && errno == EINTR && !flags)
			;
		opened += fd >= 0;
		close(fd);
		while ((r = rmdir(name)) < 0 && errno == EINTR && !flags)
			;
		removed += r == 0;
	}
	setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL);
	printf("%s: %d made, %d opened, %d removed, signals: %s\n", what, made, opened, removed,
	       signals ? "yes" : "no");
}

static void storm(void)
{
	under_storm("SA_RESTART", SA_RESTART);
	under_storm("made again at EINTR", 0);
}

static void killed(void)
{
	int status;

	mkfifo("fifo", 0600);
	for (int signal = SIGKILL; signal; signal = signal == SIGKILL ? SIGTERM : 0) {
		pid_t child = fork();
		if (child == 0)
			_exit(open("fifo", O_RDONLY) < 0);
		let_them_begin();
		kill(child, signal);
		waitpid(child, &status, 0);
		printf("ended by signal %d\n", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
	}
	others_go_on("after it");
}

static void stopped(void)
{
	int status;

	mkfifo("fifo", 0600);
	pid_t child = fork();
	if (child == 0)
		_exit(open("fifo", O_RDONLY) < 0);
	let_them_begin();
	kill(child, SIGSTOP);
	nap(50);
	kill(child, SIGCONT);
	nap(50);
	int fd = open("fifo", O_WRONLY);
	waitpid(child, &status, 0);
	printf("open %s, its child %d\n", outcome(fd), WEXITSTATUS(status));
}

/* ---- who it is ---------------------------------------------------------- */

static void show(const char *name)
{
	struct stat st;

	if (lstat(name, &st) < 0)
		printf("%s: %s\n", name, outcome(-1));
	else
		printf("%s: %o %u:%u %lld\n", name, st.st_mode, st.st_uid, st.st_gid, (long long)st.st_size);
}

static void make_all(const char *suffix)
{
	char name[32];

	snprintf(name, sizeof name, "file%s", suffix);
	touch(name);
	show(name);
	snprintf(name, sizeof name, "directory%s", suffix);
	mkdir(name, 0777);
	show(name);
	snprintf(name, sizeof name, "fifo%s", suffix);
	mkfifo(name, 0666);
	show(name);
	snprintf(name, sizeof name, "link%s", suffix);
	if (symlink("nowhere", name) < 0)
		puts("no link");
	show(name);
	int fd = open(".", O_TMPFILE | O_RDWR, 0666);
	struct stat st = {0};
	if (fd >= 0 && fstat(fd, &st) == 0)
		printf("nameless: %o %u:%u\n", st.st_mode, st.st_uid, st.st_gid);
	close(fd);
}

static void *with_its_umask(void *mask)
{
	syscall(SYS_unshare, CLONE_FS);
	umask(*(mode_t *)mask);
	make_all(".thread");
	return NULL;
}

static void masks(void)
{
	mode_t mask = 0007;

	umask(0027);
	make_all(".1");
	umask(0);
	make_all(".2");
	pthread_join(in_thread(with_its_umask, &mask), NULL);
	make_all(".3");
	mkdir("set", 0777);
	chmod("set", 02777);
	mkdir("set/directory", 0777);
	show("set/directory");
}

/* Only root can be others. */
static void others(void)
{
	gid_t groups[] = {4321, 4322};

	if (geteuid() != 0) {
		puts("not root");
		return;
	}
	chmod(".", 0777);
	mkdir("private", 0700);
	touch("private/file");
	mkdir("shared", 0770);
	if (chown("shared", 0, 4321) < 0)
		puts("no chown");
	setfsgid(2345);
	setfsuid(1234);
	make_all(".fsuid");
	printf("as another: %s, ", outcome(open("private/file", O_RDONLY)));
	printf("in its group: %s\n", outcome(mkdir("shared/directory", 0700)));
	setfsuid(0);
	setfsgid(0);
	make_all(".root");
	if (setgroups(2, groups) < 0 || setresgid(2345, 2345, 0) < 0 || setresuid(1234, 1234, 0) < 0)
		puts("no change");
	make_all(".euid");
	printf("as another: %s, ", outcome(open("private/file", O_RDONLY)));
	printf("in its group: %s\n", outcome(mkdir("shared/directory", 0700)));
	if (setresuid(0, 0, 0) < 0)
		puts("not back");
	printf("access by the real user: %s\n", outcome(access("private/file", R_OK)));
}

/* ---- its limits --------------------------------------------------------- */

static void file_size(void)
{
	struct rlimit limit = {1000, RLIM_INFINITY};

	touch("file");
	int fd = open("file", O_WRONLY);
	handle(SIGXFSZ, count_signal, 0);
	setrlimit(RLIMIT_FSIZE, &limit);
	printf("to the limit: %s\n", outcome(truncate("file", 1000)));
	printf("beyond it: %s, ", outcome(truncate("file", 1001)));
	printf("signals: %d\n", signals);
	printf("by its descriptor: %s, ", outcome(ftruncate(fd, 2000)));
	printf("signals: %d\n", signals);
	show("file");
}

static void descriptors(void)
{
	struct rlimit limit;
	int fd, last = -1;

	touch("file");
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = 20;
	setrlimit(RLIMIT_NOFILE, &limit);
	while ((fd = open("file", O_RDONLY)) >= 0)
		last = fd;
	printf("last %d, then %s\n", last, outcome(-1));
	close(5);
	fd = open("file", O_RDONLY | O_CLOEXEC | O_APPEND);
	printf("the lowest: %d, close on exec: %d, append: %d\n", fd, fcntl(fd, F_GETFD),
	       fcntl(fd, F_GETFL) & O_APPEND);
}

/* ---- programs ----------------------------------------------------------- */

static void *execute(void *unused)
{
	char *argv[] = {"sh", "-c", "echo executed by a thread; exit 7", NULL};

	(void)unused;
	execve("/bin/sh", argv, environ);
	return NULL;
}

static void *spin(void *unused)
{
	(void)unused;
	for (;;)
		close(open("file", O_RDONLY));
	return NULL;
}

static void programs(void)
{
	char *argv[] = {"sh", "-c", "exit 5", NULL};
	int status;
	pid_t child;

	fflush(stdout);
	for (int i = 0; i < 20; i++) {
		child = fork();
		if (child == 0) {
			in_thread(spin, NULL);
			in_thread(spin, NULL);
			in_thread(execute, NULL);
			for (;;)
				pause();
		}
		waitpid(child, &status, 0);
	}
	printf("a thread's program: %d\n", WEXITSTATUS(status));
	printf("spawn: %d, ", posix_spawn(&child, "/bin/sh", NULL, NULL, argv, environ));
	waitpid(child, &status, 0);
	printf("%d\n", WEXITSTATUS(status));
	printf("spawn of nothing: %s\n", strerrorname_np(posix_spawn(&child, "/nothing", NULL, NULL, argv, environ)));
	child = vfork();
	if (child == 0) {
		execve("/nothing", argv, environ);
		_exit(errno == ENOENT ? 9 : 1);
	}
	waitpid(child, &status, 0);
	printf("vfork: %d\n", WEXITSTATUS(status));
}

/* Never ends: opens, forks, executes, waits; prints a line for each round. */
static void busy(void)
{
	mkfifo("fifo", 0600);
	in_thread(open_fifo, "fifo");
	if (fork() == 0) {
		for (;;)
			pause();
	}
	for (int i = 0;; i++) {
		pid_t child = fork();
		if (child == 0) {
			if (fork() == 0) { /* left behind */
				close(open("file", O_RDONLY));
				nap(30000);
				_exit(0);
			}
			execl("/bin/sh", "sh", "-c", "exit 0", (char *)NULL);
			_exit(1);
		}
		waitpid(child, NULL, 0);
		touch("file");
		printf("%d\n", i);
		fflush(stdout);
		nap(1);
	}
}

/* Children are killed at any moment of an exec. */
static void killed_at_exec(void)
{
	int failed = 0;

	for (unsigned i = 0; i < 4000; i++) {
		int status;
		pid_t child = fork();
		if (child == 0) {
			execl("/bin/true", "true", (char *)NULL);
			_exit(1);
		}
		for (volatile unsigned wait = i * 7919 % 60000; wait > 0; wait--)
			;
		kill(child, SIGKILL);
		waitpid(child, &status, 0);
		failed += WIFEXITED(status) && WEXITSTATUS(status) != 0;
	}
	printf("%d failed\n", failed);
}

static const struct {
	const char *name;
	void (*row)(void);
} rows[] = {
	{"listener", listener},
	{"fifo", fifo},
	{"backlog", backlog},
	{"slow_accept", slow_accept},
	{"interrupted", interrupted},
	{"storm", storm},
	{"killed", killed},
	{"killed_at_exec", killed_at_exec},
	{"stopped", stopped},
	{"masks", masks},
	{"others", others},
	{"file_size", file_size},
	{"descriptors", descriptors},
	{"programs", programs},
};

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "busy") == 0)
		busy();
	for (size_t i = 0; argc == 2 && i < sizeof rows / sizeof rows[0]; i++) {
		if (strcmp(argv[1], "--list") == 0)
			puts(rows[i].name);
		if (strcmp(argv[1], rows[i].name) != 0)
			continue;
		rows[i].row();
		puts("done");
		return 0;
	}
	return argc != 2;
}
