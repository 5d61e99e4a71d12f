/* SPDX-License-Identifier: MIT */
/*
 * signals.c - what signals do to a program, as lines that are the same guarded as bare (test_signals.sh):
 *   signals CASE    one of the names at the end of this file
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TICK_US = 30000, TICKS = 3 };

/* ---- calls that wait ---------------------------------------------------- */

static volatile sig_atomic_t ticks;
static int enough[2]; /* gets a byte when the call was interrupted TICKS times */
static int ends[2];   /* a pipe or a pair of sockets */
static int locked;

static void tick(int signal)
{
	int saved = errno;

	(void)signal;
	if (++ticks == TICKS && write(enough[1], "", 1) != 1)
		_exit(3);
	errno = saved;
}

static void wait_until_enough(void)
{
	char byte;

	while (read(enough[0], &byte, 1) < 0 && errno == EINTR)
		;
}

/* Each: what the other process does when it is enough, and what waits for it. */
static void write_byte(void)
{
	wait_until_enough();
	if (write(ends[1], "x", 1) != 1)
		_exit(3);
}

static long read_byte(void)
{
	char byte;
	return read(ends[0], &byte, 1);
}

static long receive_message(void)
{
	char byte;
	struct iovec piece = {&byte, 1};
	struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
	return recvmsg(ends[0], &message, 0);
}

static void open_other_end(void)
{
	wait_until_enough();
	open("fifo", O_WRONLY);
}

static long open_fifo(void)
{
	return open("fifo", O_RDONLY);
}

static void hold_lock(void)
{
	wait_until_enough();
}

static long get_lock(void)
{
	int fd = open("lock", O_RDWR);
	return flock(fd, LOCK_EX);
}

static long wait_for_child(void)
{
	return wait(NULL);
}

static long sleep_long(void)
{
	return nanosleep(&(struct timespec){60, 0}, NULL);
}

static long poll_long(void)
{
	return poll(NULL, 0, 60000);
}

static const struct waiting {
	const char *name;
	void (*other)(void);
	long (*call)(void);
	int never_restarts; /* signal(7) */
} waiting[] = {
	{"read", write_byte, read_byte, 0},
	{"recvmsg", write_byte, receive_message, 0},
	{"open of a FIFO", open_other_end, open_fifo, 0},
	{"flock", hold_lock, get_lock, 0},
	{"wait", wait_until_enough, wait_for_child, 0},
	{"nanosleep", wait_until_enough, sleep_long, 1},
	{"poll", wait_until_enough, poll_long, 1},
};

static pid_t make_other(const struct waiting *w)
{
	char byte;
	int ready[2];

	if (pipe(ready) < 0)
		exit(3);
	pid_t other = fork();
	if (other == 0) {
		int fd = open("lock", O_RDWR);
		if (w->other == hold_lock && flock(fd, LOCK_EX) < 0)
			_exit(3);
		if (write(ready[1], "", 1) != 1)
			_exit(3);
		w->other();
		_exit(0);
	}
	if (read(ready[0], &byte, 1) != 1)
		exit(3);
	close(ready[0]);
	close(ready[1]);
	return other;
}

static void wait_in(const struct waiting *w, int flags)
{
	struct sigaction action = {.sa_handler = tick, .sa_flags = flags};
	struct itimerval timer = {{0, TICK_US}, {0, TICK_US}};

	ticks = 0;
	if (pipe(enough) < 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0)
		exit(3);
	pid_t other = make_other(w);
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
	errno = 0;
	long result = w->call();
	int error = errno;
	setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL);
	printf("%s%s: %s%s\n", w->name, flags ? " with SA_RESTART" : "", result < 0 ? strerrorname_np(error) : "done",
	       ticks ? ", the handler ran" : "");
	kill(other, SIGKILL);
	waitpid(other, NULL, 0);
	for (int i = 0; i < 2; i++) {
		close(enough[i]);
		close(ends[i]);
	}
}

static void restart(void)
{
	mkfifo("fifo", 0600);
	locked = open("lock", O_RDWR | O_CREAT, 0600);
	for (size_t i = 0; i < sizeof waiting / sizeof waiting[0]; i++) {
		wait_in(&waiting[i], 0);
		wait_in(&waiting[i], SA_RESTART);
	}
}

/* ---- what comes with a signal ------------------------------------------- */

static siginfo_t got;

static void remember(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	got = *info;
}

static void info(void)
{
	struct sigaction action = {.sa_sigaction = remember, .sa_flags = SA_SIGINFO};
	sigset_t none;

	sigemptyset(&none);
	sigaction(SIGUSR1, &action, NULL);
	sigaction(SIGSEGV, &action, NULL);
	sigqueue(getpid(), SIGUSR1, (union sigval){.sival_int = 42});
	printf("queued: %d %d %s\n", got.si_code == SI_QUEUE, got.si_value.sival_int,
	       got.si_pid == getpid() ? "own" : "?");
	raise(SIGUSR1);
	printf("raised: %d %s\n", got.si_code == SI_TKILL, got.si_pid == getpid() ? "own" : "?");
	pid_t child = fork();
	if (child == 0)
		_exit(kill(getppid(), SIGUSR1) < 0);
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	printf("from a child: %d %s\n", got.si_code == SI_USER, got.si_pid == child ? "its own" : "?");
}

/* A child's stops and its going on, as its parent sees them. */
static void job_control(void)
{
	int status, go_on[2];
	char byte;

	if (pipe(go_on) < 0)
		exit(3);
	pid_t child = fork();
	if (child == 0) {
		raise(SIGSTOP);
		if (read(go_on[0], &byte, 1) == 1) /* when it was seen that we went on */
			raise(SIGTSTP);
		_exit(read(go_on[0], &byte, 1) == 1 ? 5 : 3);
	}
	for (int i = 0; i < 2; i++) {
		waitpid(child, &status, WUNTRACED);
		printf("stopped: %d by %s\n", WIFSTOPPED(status), sigabbrev_np(WSTOPSIG(status)));
		kill(child, SIGCONT);
		waitpid(child, &status, WCONTINUED);
		printf("goes on: %d\n", WIFCONTINUED(status));
		if (write(go_on[1], "", 1) != 1)
			exit(3);
	}
	waitpid(child, &status, 0);
	printf("exit status: %d\n", WEXITSTATUS(status));
}

/* Nobody waits for those whose parent ignores their end. */
static void children_ignored(void)
{
	signal(SIGCHLD, SIG_IGN);
	if (fork() == 0)
		_exit(5);
	int result = wait(NULL);
	printf("wait: %s\n", result < 0 ? strerrorname_np(errno) : "a child");
	signal(SIGCHLD, SIG_DFL);
	int status;
	if (fork() == 0)
		_exit(5);
	result = wait(&status);
	printf("wait: %s %d\n", result < 0 ? strerrorname_np(errno) : "a child", WEXITSTATUS(status));
}

static void broken_pipe(void)
{
	int fds[2], status;

	if (pipe(fds) < 0)
		exit(3);
	close(fds[0]);
	fflush(stdout);
	pid_t child = fork();
	if (child == 0) {
		ssize_t n = write(fds[1], "x", 1);
		_exit(n < 0);
	}
	waitpid(child, &status, 0);
	printf("by default: %s\n", WIFSIGNALED(status) ? sigabbrev_np(WTERMSIG(status)) : "it lives");
	signal(SIGPIPE, SIG_IGN);
	ssize_t n = write(fds[1], "x", 1);
	printf("ignored: %s\n", n < 0 ? strerrorname_np(errno) : "written");
}

/* Blocked ones wait, and can be taken without a handler. */
static void taken(void)
{
	struct signalfd_siginfo seen;
	siginfo_t here;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGUSR1);
	printf("sigtimedwait: %s\n", sigabbrev_np(sigtimedwait(&set, &here, &(struct timespec){5, 0})));
	int fd = signalfd(-1, &set, 0);
	raise(SIGUSR2);
	if (read(fd, &seen, sizeof seen) == sizeof seen)
		printf("signalfd: %s\n", sigabbrev_np((int)seen.ssi_signo));
	int result = sigtimedwait(&set, &here, &(struct timespec){0, 1000000});
	printf("no more: %s\n", result < 0 ? strerrorname_np(errno) : "one");
}

/*
 * How this process was started: what is blocked, what is ignored. Without the two that glibc keeps for itself (nptl(7)): it leaves them
 * ignored in what posix_spawn(3) starts, so below make(1), and takes one of them when a first thread is made.
 */
static void inherited(void)
{
	const unsigned long long of_glibc = 3ull << (32 - 1);
	char line[128], name[16];
	unsigned long long set;
	FILE *file = fopen("/proc/self/status", "r");

	while (fgets(line, sizeof line, file))
		if (sscanf(line, "%15[^:]: %llx", name, &set) == 2 &&
		    (strcmp(name, "SigBlk") == 0 || strcmp(name, "SigIgn") == 0 || strcmp(name, "SigPnd") == 0))
			printf("%s:\t%016llx\n", name, set & ~of_glibc);
	fclose(file);
}

static const struct {
	const char *name;
	void (*show)(void);
} all[] = {
	{"restart", restart},	      {"info", info},
	{"job_control", job_control}, {"children_ignored", children_ignored},
	{"broken_pipe", broken_pipe}, {"taken", taken},
	{"inherited", inherited},
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof all / sizeof all[0]; i++)
		if (strcmp(all[i].name, argv[1]) == 0) {
			setvbuf(stdout, NULL, _IOLBF, 0);
			all[i].show();
			return 0;
		}
	fputs("usage: signals CASE\n", stderr);
	return 2;
}
