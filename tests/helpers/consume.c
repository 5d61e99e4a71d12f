/* SPDX-License-Identifier: MIT */
/*
 * consume.c - uses a known amount of something: consume WHAT [NUMBER...]. Says "done" when it got through, or how far
 * it got.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const size_t MEBIBYTE = 1 << 20;

static void nap(long ms)
{
	struct timespec t = {ms / 1000, ms % 1000 * 1000000};

	while (nanosleep(&t, &t) < 0 && errno == EINTR)
		;
}

static char *map(size_t size, int flags, int fd)
{
	char *at = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);

	if (at == MAP_FAILED) {
		perror("mmap");
		exit(1);
	}
	return at;
}

static void touch(char *at, size_t size)
{
	for (size_t i = 0; i < size; i += 4096)
		at[i] = 1;
}

/* MIB MS: touches so much, and keeps it so long */
static void memory(long mib, long ms)
{
	size_t size = (size_t)mib * MEBIBYTE;

	touch(map(size, MAP_PRIVATE | MAP_ANONYMOUS, -1), size);
	nap(ms);
}

/* GIB: asks for so much, touches a mebibyte of it */
static void reserve(long gib, long unused)
{
	(void)unused;
	touch(map((size_t)gib << 30, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1), MEBIBYTE);
	nap(100);
}

/* MIB N: N children that have so much in common with their parent */
static void common(long mib, long n)
{
	size_t size = (size_t)mib * MEBIBYTE;

	touch(map(size, MAP_PRIVATE | MAP_ANONYMOUS, -1), size);
	for (long i = 0; i < n; i++)
		if (fork() == 0) {
			nap(600);
			_exit(0);
		}
	while (wait(NULL) > 0)
		;
}

/* MIB N: N children, each of which touches so much; all have it at the same time */
static void tree(long mib, long n)
{
	size_t size = (size_t)mib * MEBIBYTE;
	int ready[2], hold[2];
	char byte;

	if (pipe(ready) < 0 || pipe(hold) < 0)
		exit(1);
	for (long i = 0; i < n; i++)
		if (fork() == 0) {
			close(hold[1]);
			touch(map(size, MAP_PRIVATE | MAP_ANONYMOUS, -1), size);
			if (write(ready[1], "", 1) != 1 || read(hold[0], &byte, 1) != 0)
				_exit(1);
			_exit(0);
		}
	for (long i = 0; i < n && read(ready[0], &byte, 1) == 1; i++)
		;
	nap(600);
	close(hold[1]);
	while (wait(NULL) > 0)
		;
}

static void fill(int fd, long mib)
{
	char *block = calloc(1, MEBIBYTE);

	for (long i = 0; i < mib; i++)
		if (write(fd, block, MEBIBYTE) != (ssize_t)MEBIBYTE) {
			printf("write: %s after %ld MiB\n", strerror(errno), i);
			exit(1);
		}
	free(block);
}

/* MIB: of a file in memory that is never mapped */
static void memfd(long mib, long ms)
{
	fill(memfd_create("consume", 0), mib);
	nap(ms);
}

/* MS: of CPU time */
static void cpu(long ms, long unused)
{
	struct timespec now;

	(void)unused;
	do
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	while (now.tv_sec * 1000 + now.tv_nsec / 1000000 < ms);
}

/* MS N: N children one after the other, each of so much */
static void cpus(long ms, long n)
{
	for (long i = 0; i < n; i++) {
		if (fork() == 0) {
			cpu(ms, 0);
			_exit(0);
		}
		wait(NULL);
	}
}

/* The same, and nobody waits for them. */
static void ignored(long ms, long n)
{
	signal(SIGCHLD, SIG_IGN);
	cpus(ms, n);
}

static int make_file(void);
static void fill(int fd, long mib);

/* MIB N: N children one after the other write so much, and nobody waits for them. */
static void unwaited(long mib, long n)
{
	signal(SIGCHLD, SIG_IGN);
	for (long i = 0; i < n; i++) {
		if (fork() == 0) {
			fill(make_file(), mib);
			_exit(0);
		}
		wait(NULL);
	}
}

/* The same by one who has waited for a child before. */
static void later(long mib, long n)
{
	if (fork() == 0)
		_exit(0);
	wait(NULL);
	unwaited(mib, n);
}

static void say_xcpu(int signal)
{
	(void)signal;
	if (write(STDOUT_FILENO, "SIGXCPU\n", 8) != 8)
		_exit(1);
	_exit(0);
}

static void xcpu(long ms, long unused)
{
	signal(SIGXCPU, say_xcpu);
	cpu(ms, unused);
}

/* N: children at the same time; how many could be made */
static void forks(long n, long unused)
{
	long made = 0;
	int error = 0;

	(void)unused;
	for (; made < n && !error; made += !error) {
		pid_t child = fork();
		if (child == 0) {
			pause();
			_exit(0);
		}
		error = child < 0 ? errno : 0;
	}
	printf("%ld made%s%s\n", made, error ? ", then: " : "", error ? strerrorname_np(error) : "");
	signal(SIGTERM, SIG_IGN);
	kill(0, SIGTERM);
	while (wait(NULL) > 0)
		;
	pid_t again = fork();
	if (again == 0)
		_exit(0);
	printf("again: %s\n", again > 0 ? "yes" : "no");
	waitpid(again, NULL, 0);
}

/* N processes make children, all at the same time, until no more can be made or each has so many; how many there were in
 * all. */
static void crowd(long makers, long each)
{
	int start[2], said[2];
	long made = 0, all = 1, some;

	if (pipe(start) < 0 || pipe(said) < 0)
		exit(1);
	for (; made < makers; made++) {
		pid_t maker = fork();
		if (maker < 0)
			break;
		if (maker > 0)
			continue;
		close(start[1]);
		some = 0;
		if (read(start[0], &some, 1) == 0)
			for (long i = 0; i < each; i++) {
				pid_t child = fork();
				if (child == 0)
					for (;;)
						pause();
				some += child > 0;
			}
		exit(write(said[1], &some, sizeof some) == sizeof some ? (pause(), 0) : 1);
	}
	close(start[1]);
	for (long i = 0; i < made; i++)
		all += 1 + (read(said[0], &some, sizeof some) == sizeof some ? some : 0);
	printf("%ld at once\n", all);
}

/* N: children that end at once and that nobody waits for */
static void zombies(long n, long unused)
{
	long made = 0;
	pid_t child = 0;

	(void)unused;
	for (; made < n; made++) {
		child = fork();
		if (child == 0)
			_exit(0);
		if (child < 0)
			break;
		nap(2);
	}
	printf("%ld made\n", made);
	while (wait(NULL) > 0)
		;
}

static void *sleeper(void *ms)
{
	nap((long)ms);
	return NULL;
}

/* N R: N threads at the same time, R times; for longer if once */
static void threads(long n, long rounds)
{
	pthread_t *thread = calloc((size_t)n, sizeof *thread);

	for (long r = 0; r < rounds; r++) {
		for (long i = 0; i < n; i++) {
			int error = pthread_create(&thread[i], NULL, sleeper, (void *)(rounds > 1 ? 2L : 300L));
			if (error) {
				printf("%ld threads, then: %s\n", i, strerrorname_np(error));
				exit(1);
			}
		}
		for (long i = 0; i < n; i++)
			pthread_join(thread[i], NULL);
	}
	free(thread);
}

static void bomb(long unused, long unused_too)
{
	(void)unused;
	(void)unused_too;
	signal(SIGTERM, SIG_IGN);
	signal(SIGCHLD, SIG_IGN);
	for (;;)
		if (fork() == 0)
			setsid();
}

/* How many descriptors there can be; and the limit cannot be raised. */
static void descriptors(long unused, long unused_too)
{
	struct rlimit limit = {4096, 4096};
	long n = 3;

	(void)unused;
	(void)unused_too;
	while (open("/dev/null", O_RDONLY) >= 0)
		n++;
	printf("%ld: %s\n", n, strerrorname_np(errno));
	printf("raised: %s\n", setrlimit(RLIMIT_NOFILE, &limit) == 0 ? "yes" : "no");
}

static int make_file(void)
{
	int fd = open("consumed", O_RDWR | O_CREAT | O_TRUNC, 0600);

	if (fd < 0) {
		perror("consumed");
		exit(1);
	}
	return fd;
}

/* MIB: in one file; what does not fit fails with EFBIG */
static void file(long mib, long unused)
{
	(void)unused;
	signal(SIGXFSZ, SIG_IGN);
	fill(make_file(), mib);
}

/* MIB N: in each of N files */
static void files(long mib, long n)
{
	char name[32];

	for (long i = 0; i < n; i++) {
		snprintf(name, sizeof name, "consumed.%ld", i);
		int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
		fill(fd, mib);
		close(fd);
		nap(1);
	}
}

/* MIB N: the same in files without a name */
static void nameless(long mib, long n)
{
	for (long i = 0; i < n; i++) {
		int fd = open(".", O_TMPFILE | O_WRONLY, 0600);
		fill(fd, mib);
		close(fd);
	}
}

/* MIB N: the same through mappings, and the files removed */
static void mapped(long mib, long n)
{
	size_t size = (size_t)mib * MEBIBYTE;

	for (long i = 0; i < n; i++) {
		int fd = make_file();
		if (ftruncate(fd, (off_t)size) < 0)
			exit(1);
		char *at = map(size, MAP_SHARED, fd);
		touch(at, size);
		msync(at, size, MS_SYNC);
		munmap(at, size);
		close(fd);
		unlink("consumed");
	}
}

/* MIB N: the same, set aside and never written */
static void allocated(long mib, long n)
{
	char name[32];

	for (long i = 0; i < n; i++) {
		snprintf(name, sizeof name, "consumed.%ld", i);
		int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
		if (fallocate(fd, 0, 0, mib * (off_t)MEBIBYTE) < 0) {
			printf("%ld allocated, then: %s\n", i, strerrorname_np(errno));
			exit(1);
		}
		close(fd);
	}
}

/* MIB: a file that is large and takes no space */
static void sparse(long mib, long unused)
{
	(void)unused;
	signal(SIGXFSZ, SIG_IGN);
	if (ftruncate(make_file(), mib * (off_t)MEBIBYTE) < 0) {
		printf("ftruncate: %s\n", strerrorname_np(errno));
		exit(1);
	}
}

/* KIB: to stdout, and as much to stderr */
static void output(long kib, long unused)
{
	char block[1024];

	(void)unused;
	memset(block, 'x', sizeof block);
	for (long i = 0; i < kib; i++)
		if (write(STDOUT_FILENO, block, sizeof block) < 0 || write(STDERR_FILENO, block, sizeof block) < 0)
			exit(1);
}

/* Stops itself and its child, for good. */
static void stopped(long unused, long unused_too)
{
	(void)unused;
	(void)unused_too;
	if (write(STDOUT_FILENO, "so far\n", 7) != 7)
		exit(1);
	if (fork() == 0)
		for (;;)
			kill(getppid(), SIGSTOP), raise(SIGSTOP);
	for (;;)
		pause();
}

/* Can it get more of the processor than it was given? */
static void nice_up(long unused, long unused_too)
{
	struct sched_param param = {.sched_priority = 1};
	struct rlimit limit = {40, 40};
	int now = getpriority(PRIO_PROCESS, 0);

	(void)unused;
	(void)unused_too;
	setrlimit(RLIMIT_NICE, &limit);
	int up = setpriority(PRIO_PROCESS, 0, now - 1), real = sched_setscheduler(0, SCHED_FIFO, &param);
	printf("nice %d, raised: %s, real time: %s\n", now, up == 0 ? "yes" : "no", real == 0 ? "yes" : "no");
}

static const struct {
	const char *name;
	void (*consume)(long a, long b);
} all[] = {
	{"memory", memory},	{"reserve", reserve},	  {"common", common},
	{"tree", tree},		{"memfd", memfd},	  {"cpu", cpu},
	{"cpus", cpus},		{"ignored", ignored},	  {"xcpu", xcpu},
	{"forks", forks},	{"crowd", crowd},	  {"zombies", zombies},
	{"threads", threads},	{"bomb", bomb},		  {"descriptors", descriptors},
	{"file", file},		{"files", files},	  {"nameless", nameless},
	{"mapped", mapped},	{"allocated", allocated}, {"sparse", sparse},
	{"output", output},	{"stopped", stopped},	  {"nice", nice_up},
	{"unwaited", unwaited}, {"later", later},
};

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IONBF, 0);
	for (size_t i = 0; argc > 1 && i < sizeof all / sizeof all[0]; i++)
		if (strcmp(all[i].name, argv[1]) == 0) {
			all[i].consume(argc > 2 ? atol(argv[2]) : 0, argc > 3 ? atol(argv[3]) : 0);
			puts("done");
			return 0;
		}
	fputs("usage: consume WHAT [NUMBER...]\n", stderr);
	return 2;
}
