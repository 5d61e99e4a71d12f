/* SPDX-License-Identifier: MIT */
/*
 * guest.c - what a program may do that a careless library inside of it would not survive. Each case says "NAME: ok" or
 * what went wrong.
 *   guest FILE      a file that may not be read
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *secret;

static void say(const char *name, bool well)
{
	printf("%s: %s\n", name, well ? "ok" : "WRONG");
	fflush(stdout);
}

static bool refused(void)
{
	int fd = open(secret, O_RDONLY);

	if (fd >= 0)
		close(fd);
	return fd < 0 && errno == EACCES;
}

static bool allowed(void)
{
	int fd = open("/etc/passwd", O_RDONLY);

	return fd >= 0 && close(fd) == 0;
}

/* ---- signals ------------------------------------------------------------ */

enum { SMALL_STACK = 8192 };

static volatile sig_atomic_t handled;
static sigjmp_buf out;

static void on_signal(int signal)
{
	int before = errno;

	(void)signal;
	handled = refused() && allowed() && access("here/../nothing", F_OK) < 0 && unlink("/nothing-there") < 0 &&
		  rename("/etc/passwd", "/etc/passwd2") < 0;
	errno = before;
}

static void on_fault(int signal)
{
	(void)signal;
	siglongjmp(out, 1);
}

/* Everything below the stack is a page that nobody may touch. */
static void small_stack(void)
{
	char *memory = mmap(NULL, 3 * SMALL_STACK, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	stack_t stack = {.ss_sp = memory + SMALL_STACK, .ss_size = SMALL_STACK};
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK};

	mprotect(memory + SMALL_STACK, SMALL_STACK, PROT_READ | PROT_WRITE);
	sigaltstack(&stack, NULL);
	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
	say("a handler on a stack of 8 KiB", handled == 1);
}

static void storm(void)
{
	struct sigaction action = {.sa_handler = on_signal};
	pid_t child;
	bool well = true;

	sigaction(SIGUSR1, &action, NULL);
	child = fork();
	if (child == 0) {
		for (int i = 0; i < 2000; i++)
			kill(getppid(), SIGUSR1);
		_exit(0);
	}
	while (waitpid(child, NULL, WNOHANG) == 0)
		well &= refused() && allowed();
	say("calls interrupted by handlers that make the same", well);
}

static void leave(int signal)
{
	(void)signal;
	siglongjmp(out, 1);
}

static void jumps(void)
{
	volatile int rounds = 0;

	signal(SIGALRM, leave);
	sigsetjmp(out, 1);
	if (rounds++ < 200) {
		ualarm(50, 0);
		for (;;)
			if (!refused())
				break;
	}
	ualarm(0, 0);
	say("handlers that jump out of a call", rounds > 200 && refused() && allowed());
}

/* ---- processes ---------------------------------------------------------- */

static void vforked(void)
{
	int status;
	pid_t child = vfork();

	if (child == 0) {
		if (!refused() || !allowed())
			_exit(1);
		execl("/bin/true", "true", (char *)NULL);
		_exit(2);
	}
	waitpid(child, &status, 0);
	say("vfork, then calls, then exec", status == 0 && refused());
}

/* fork without its handlers, for signal handlers: glibc from 2.34, musl from 1.2.3. */
static void bare_fork(void)
{
	pid_t (*bare)(void) = (pid_t(*)(void))dlsym(RTLD_DEFAULT, "_Fork");
	int status;

	if (!bare)
		return;
	pid_t child = bare();
	if (child == 0)
		_exit(!(refused() && allowed()));
	say("_Fork, then calls", waitpid(child, &status, 0) == child && status == 0 && refused());
}

static void in_thread(void)
{
	/* two threads and a fork in one of them */
	pid_t child = fork();
	int status;

	if (child == 0)
		_exit(!(refused() && allowed()));
	waitpid(child, &status, 0);
	say("a fork among threads", status == 0);
}

static void *threads_body(void *unused)
{
	(void)unused;
	for (int i = 0; i < 300; i++)
		if (!refused() || !allowed())
			return (void *)1;
	return NULL;
}

static void threads(void)
{
	pthread_t all[16];
	void *result;
	bool well = true;

	for (int i = 0; i < 16; i++)
		pthread_create(&all[i], NULL, threads_body, NULL);
	in_thread();
	for (int i = 0; i < 16; i++) {
		pthread_join(all[i], &result);
		well &= result == NULL;
	}
	say("sixteen threads", well);
}

/* ---- what the functions promise ----------------------------------------- */

static void *blocked(void *path)
{
	open(path, O_RDONLY); /* a FIFO that nobody writes: a cancellation point */
	return NULL;
}

static void cancellation(void)
{
	pthread_t thread;
	void *result = NULL;
	struct timespec moment = {.tv_nsec = 50000000};

	mkfifo("fifo", 0600);
	pthread_create(&thread, NULL, blocked, "fifo");
	nanosleep(&moment, NULL);
	pthread_cancel(thread);
	pthread_join(thread, &result);
	unlink("fifo");
	say("a blocked open is a cancellation point", result == PTHREAD_CANCELED);
}

static void errnos(void)
{
	struct stat st;
	int fd;

	errno = 77;
	bool well = (fd = open("/etc/passwd", O_RDONLY)) >= 0 && stat("/etc/passwd", &st) == 0 &&
		    access("/etc", F_OK) == 0 && close(fd) == 0 && mkdir("made", 0700) == 0 && rmdir("made") == 0;
	say("errno stays where nothing failed", well && errno == 77);
}

static void bad_pointers(void)
{
	const char *bad[] = {NULL,
			     (const char *)1,
			     (const char *)8192,
			     (const char *)0x700000000000,
			     (const char *)-1,
			     mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)};
	bool well = true;
	struct sockaddr *address;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	signal(SIGSEGV, on_fault);
	if (sigsetjmp(out, 1)) {
		say("bad pointers are EFAULT", false);
		return;
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		const char *volatile p = bad[i];
		well &= open(p, O_RDONLY) < 0 && errno == EFAULT;
		well &= mkdir(p, 0700) < 0 && errno == EFAULT;
		well &= rename(p, "x") < 0 && errno == EFAULT;
		well &= rename("/etc/passwd", p) < 0 && (errno == EFAULT || errno == EACCES || errno == EXDEV);
		well &= syscall(SYS_openat2, AT_FDCWD, "/etc/passwd", p, 24) < 0 && errno == EFAULT;
		address = (struct sockaddr *)(uintptr_t)p;
		well &= connect(fd, address, 16) < 0 && (errno == EFAULT || errno == EINVAL);
	}
	signal(SIGSEGV, SIG_DFL);
	say("bad pointers are EFAULT", well);
}

static void full_table(void)
{
	struct {
		int fds[4096];
		int count;
	} mine = {.count = 0};
	int fd;
	bool well = true;

	while (mine.count < 4096 && (fd = dup(0)) >= 0)
		mine.fds[mine.count++] = fd;
	well &= unlink(secret) < 0; /* it cannot be told what the name means */
	well &= open("/etc/passwd", O_RDONLY) < 0 && errno == EMFILE;
	while (mine.count > 0)
		close(mine.fds[--mine.count]);
	say("no descriptor left: what cannot be resolved is refused", well && access(secret, F_OK) == 0);
}

static void libraries(void)
{
	bool well = true;

	for (int i = 0; i < 20; i++) {
		void *library = dlopen("libm.so.6", RTLD_NOW);
		well &= refused();
		if (library)
			dlclose(library);
		well &= refused() && allowed();
	}
	say("libraries that come and go", well);
}

/* ---- a program that has its own of it ----------------------------------- */

#ifdef OWN_OPEN
/* Exported (-rdynamic): everybody's calls come here first. */
int open(const char *path, int flags, ...)
{
	static int (*next)(const char *, int, ...);
	va_list rest;

	if (!next)
		*(void **)&next = dlsym(RTLD_NEXT, "open");
	va_start(rest, flags);
	int mode = va_arg(rest, int);
	va_end(rest);
	return next(path, flags, mode);
}

static char heap[1 << 22];
static size_t used;
void *malloc(size_t size)
{
	size_t at = __atomic_fetch_add(&used, (size + 31) & ~(size_t)15, __ATOMIC_RELAXED);

	*(size_t *)(heap + at) = size;
	return at + size + 32 > sizeof heap ? NULL : heap + at + 16;
}
void free(void *memory)
{
	(void)memory;
}
void *calloc(size_t count, size_t size)
{
	return malloc(count * size);
}
void *realloc(void *memory, size_t size)
{
	char *new = malloc(size);

	if (new &&memory) {
		size_t old = ((size_t *)memory)[-2];
		memcpy(new, memory, old < size ? old : size);
	}
	return new;
}
#endif

/* Before the shim's own constructor: the libraries' and ours run in an order of their own. */
static int early;
__attribute__((constructor(101))) static void before_all(void)
{
	early = access("/etc/passwd", F_OK) == 0;
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return 2;
	secret = argv[1];
	say("a constructor", early);
	say("refused", refused());
	say("allowed", allowed());
	small_stack();
	storm();
	jumps();
	vforked();
	bare_fork();
	threads();
	cancellation();
	errnos();
	bad_pointers();
	full_table();
	libraries();
	return 0;
}
