/* SPDX-License-Identifier: MIT */
/*
 * absent.c - asks for a thousand names that are not there, as often as a program must before the supervisor has it ask the kernel instead
 * (tracer/absent.c), and says what came of it and of what it does then.
 *   absent misses                       nothing more
 *   absent table DIRECTORY DENIED       opens of every kind, before and afterwards; DENIED is a directory with a file "f"
 *   absent filter HOW WHEN              a filter of its own that kills at a stat; HOW: seccomp, prctl or tsync; WHEN: before, after,
 *                                       child (of fork), sharing (of clone with CLONE_VM), exec, nothing
 *   absent dispatch                     it is told of its own calls: of which, after the names
 *   absent tasks WHAT                   fork, vfork, thread (before), threads (afterwards), memory (clone with CLONE_VM), timer
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

enum { NAMES = 1000, PAGE = 4096 };

/* Without stdio, which looks at its descriptor by a stat. */
static void say(const char *what, int value)
{
	char line[256];
	int n = snprintf(line, sizeof line, "%s: %d\n", what, value);

	if (write(STDOUT_FILENO, line, (size_t)n) != n)
		_exit(3);
}

/* How many of so many names do not fail as they have to. */
static int misses(int flags, int count)
{
	char name[64];
	int wrong = 0;

	for (int i = 0; i < count; i++) {
		snprintf(name, sizeof name, "/usr/include/not-there/%d.h", i);
		errno = 0;
		wrong += open(name, flags) != -1 || errno != ENOENT;
	}
	return wrong;
}

/* ---- opens of every kind ------------------------------------------------ */

static void say_open(const char *shown, const char *name, int flags)
{
	char what[128];

	errno = 0;
	int fd = open(name, flags, 0600);
	int error = errno;
	snprintf(what, sizeof what, "%s %#o, flags %o %o, errno", shown, flags, fd < 0 ? 0 : fcntl(fd, F_GETFL),
		 fd < 0 ? 0 : fcntl(fd, F_GETFD));
	say(what, fd < 0 ? error : 0);
	if (fd >= 0)
		close(fd);
}

static char *at_the_end_of_a_page(const char *text)
{
	char *pages = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	munmap(pages + PAGE, PAGE);
	return memcpy(pages + PAGE - strlen(text), text, strlen(text));
}

static void table(const char *denied)
{
	static const int flags[] = {O_RDONLY,		O_CLOEXEC,   O_NOCTTY,	       O_NOCTTY | O_CLOEXEC,
				    O_NONBLOCK,		O_DIRECTORY, O_PATH,	       O_NOFOLLOW,
				    O_RDONLY | O_TRUNC, O_WRONLY,    O_RDWR | O_APPEND};
	static char longest[5001];
	char denied_file[PATH_MAX], denied_missing[PATH_MAX];
	const struct {
		const char *shown, *name;
	} names[] = {{"file", "file"},
		     {"directory", "."},
		     {"missing", "missing"},
		     {"missing/", "missing/"},
		     {"way missing", "missing/file"},
		     {"no way", "file/x"},
		     {"link", "link"},
		     {"dangling", "dangling"},
		     {"loop", "loop"},
		     {"empty", ""},
		     {"long", longest},
		     {"NULL", NULL},
		     {"nowhere", (const char *)8},
		     {"kernel", (const char *)-4096},
		     {"cut off", at_the_end_of_a_page("/us")},
		     {"missing, cut off", at_the_end_of_a_page("/usr/include/not-there")},
		     {"/usr/..", "/usr/../usr/include/not-there"},
		     {"descriptor", "/proc/self/fd/0"},
		     {"no descriptor", "/proc/self/fd/999"},
		     {"denied", denied_file},
		     {"denied and missing", denied_missing}};

	memset(longest, 'x', sizeof longest - 1);
	snprintf(denied_file, sizeof denied_file, "%s/f", denied);
	snprintf(denied_missing, sizeof denied_missing, "%s/missing", denied);
	for (size_t n = 0; n < sizeof names / sizeof names[0]; n++)
		for (size_t f = 0; f < sizeof flags / sizeof flags[0]; f++)
			say_open(names[n].shown, names[n].name, flags[f]);
	say_open("new", "new", O_RDONLY | O_CREAT | O_EXCL);
	say("unlink", unlink("new"));
	say_open("temporary", ".", O_RDWR | O_TMPFILE);
}

static void say_contents(void)
{
	char text[16] = "";
	int fd = open("file", O_RDONLY);

	say("read", (int)read(fd, text, sizeof text - 1));
	say("as it is", strcmp(text, "contents\n"));
	close(fd);
}

/* ---- a filter of its own ------------------------------------------------ */

/* Not at fstat, which libc makes of the same call. */
static int make_filter(const char *how)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_newfstatat, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[3])),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, AT_EMPTY_PATH, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = {.len = sizeof code / sizeof code[0], .filter = code};

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (strcmp(how, "prctl") == 0)
		return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
			    strcmp(how, "tsync") == 0 ? SECCOMP_FILTER_FLAG_TSYNC : 0, &filter);
}

static void say_end(pid_t child)
{
	int status;

	waitpid(child, &status, __WALL);
	say("the child's end", status);
}

static int filtered_child(void *how)
{
	say("filter", make_filter(how));
	say("wrong in the child", misses(O_NOCTTY, NAMES));
	return 0;
}

static void filter(const char *program, char *how, const char *when)
{
	static char stack[65536] __attribute__((aligned(16)));

	if (strcmp(when, "before") != 0 && strcmp(when, "exec") != 0)
		say("wrong at first", misses(O_NOCTTY, NAMES));
	if (strcmp(when, "child") == 0) {
		pid_t child = fork();
		if (child == 0)
			_exit(filtered_child(how));
		say_end(child);
	} else if (strcmp(when, "sharing") == 0) {
		say_end(clone(filtered_child, stack + sizeof stack, CLONE_VM | SIGCHLD, how));
	} else {
		say("filter", make_filter(how));
	}
	if (strcmp(when, "nothing") == 0)
		syscall(SYS_newfstatat, AT_FDCWD, "/", stack, 0);
	if (strcmp(when, "exec") == 0)
		execl(program, "absent", "misses", (char *)NULL);
	say("wrong", misses(O_NOCTTY, NAMES));
}

/* ---- calls that are told to it ------------------------------------------ */

static volatile char told; /* prctl(2): its calls are, while this is not 0 */
static volatile int call_told;

static void on_call(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	told = SYSCALL_DISPATCH_FILTER_ALLOW;
	call_told = info->si_syscall;
	((ucontext_t *)context)->uc_mcontext.gregs[REG_RAX] = -EXDEV;
}

static void dispatch(void)
{
	struct sigaction action = {.sa_sigaction = on_call, .sa_flags = SA_SIGINFO};

	sigaction(SIGSYS, &action, NULL);
	say("wrong at first", misses(O_NOCTTY, NAMES));
	say("dispatch", prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, 0, 0, &told));
	told = SYSCALL_DISPATCH_FILTER_BLOCK;
	int fd = open("/usr/include/not-there", O_NOCTTY), error = errno;
	told = SYSCALL_DISPATCH_FILTER_ALLOW;
	say("opened", fd);
	say("error", error);
	say("call", call_told);
	say("wrong", misses(O_NOCTTY, NAMES));
}

/* ---- tasks and signals -------------------------------------------------- */

static volatile int wrong_in_handler, handled;

static void on_timer(int signal)
{
	int kept = errno;

	(void)signal;
	handled++;
	wrong_in_handler += misses(O_RDONLY, 3);
	errno = kept;
}

static void timer(void)
{
	enum { ROUNDS_MOST = 10000, HANDLED = 50 };
	const struct itimerval often = {{0, 500}, {0, 500}}, never = {{0, 0}, {0, 0}};
	struct sigaction action = {.sa_handler = on_timer, .sa_flags = SA_RESTART};
	int wrong = 0;

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	for (int i = 0; i < ROUNDS_MOST && handled < HANDLED; i++)
		wrong += misses(O_NOCTTY, NAMES);
	setitimer(ITIMER_REAL, &never, NULL);
	say("wrong", wrong);
	say("wrong in the handler", wrong_in_handler);
	say("interrupted often", handled >= HANDLED);
}

static void *in_thread(void *unused)
{
	(void)unused;
	return (void *)(intptr_t)misses(O_NOCTTY, NAMES);
}

static void threads(int count)
{
	pthread_t thread[8];
	void *wrong;

	for (int i = 0; i < count; i++)
		pthread_create(&thread[i], NULL, in_thread, NULL);
	for (int i = 0; i < count; i++) {
		pthread_join(thread[i], &wrong);
		say("wrong in a thread", (int)(intptr_t)wrong);
	}
}

static void child(const char *program, bool shares)
{
	pid_t pid = shares ? vfork() : fork();

	if (pid == 0) {
		if (shares)
			execl(program, "absent", "misses", (char *)NULL);
		say("wrong in the child", misses(O_CLOEXEC, NAMES));
		_exit(0);
	}
	say_end(pid);
}

static int in_same_memory(void *unused)
{
	(void)unused;
	say("wrong in the child", misses(O_NOCTTY, NAMES));
	return 0;
}

static void tasks(const char *program, const char *what)
{
	static char stack[65536] __attribute__((aligned(16)));

	if (strcmp(what, "memory") == 0)
		say_end(clone(in_same_memory, stack + sizeof stack, CLONE_VM | SIGCHLD, NULL));
	if (strcmp(what, "thread") == 0)
		threads(1);
	say("wrong at first", misses(O_RDONLY, NAMES));
	if (strcmp(what, "fork") == 0)
		child(program, false);
	else if (strcmp(what, "vfork") == 0)
		child(program, true);
	else if (strcmp(what, "threads") == 0)
		threads(4);
	else if (strcmp(what, "timer") == 0)
		timer();
	say("wrong", misses(O_RDONLY, NAMES));
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (strcmp(what, "misses") == 0) {
		say("wrong", misses(O_NOCTTY, NAMES));
	} else if (strcmp(what, "table") == 0 && argc == 4) {
		if (chdir(argv[2]) < 0)
			return 2;
		table(argv[3]);
		say("wrong", misses(O_NOCTTY, NAMES));
		table(argv[3]);
		say_contents();
	} else if (strcmp(what, "filter") == 0 && argc == 4) {
		filter(argv[0], argv[2], argv[3]);
	} else if (strcmp(what, "dispatch") == 0) {
		dispatch();
	} else if (strcmp(what, "tasks") == 0 && argc == 3) {
		tasks(argv[0], argv[2]);
	} else {
		return 2;
	}
	return 0;
}
