/* SPDX-License-Identifier: MIT */
/*
 * opens.c - opens everything in every way, and says what came of each: once bare and once under a guard, and both must be the
 * same. Works in the directory it is started in, which tests/test_opens.sh has made (w/).
 *   opens table | streams | threads | others | full       what is said
 * Which of them need no stop is opens_fast.c.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static char top[PATH_MAX]; /* the absolute name of w */

static const char *errno_word(void)
{
	static char word[16];

	snprintf(word, sizeof word, "errno %d", errno);
	return word;
}

/* ---- what was opened ---------------------------------------------------- */

/* Its name below `top`, or "?" and what kind of thing it is. */
static void say_object(int fd)
{
	char link[64], name[PATH_MAX] = "";
	struct stat st;

	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, name, sizeof name - 1);
	name[n > 0 ? n : 0] = 0;
	fstat(fd, &st);
	if (st.st_nlink == 0)
		printf("unnamed");
	else
		printf("%s", strncmp(name, top, strlen(top)) == 0 ? name + strlen(top) : name);
	/* O_NOFOLLOW of what is opened already means nothing, and gets lost where a supervisor opens it */
	printf(" mode %o size %ld flags %o %o", st.st_mode, S_ISREG(st.st_mode) ? (long)st.st_size : 0L,
	       fcntl(fd, F_GETFL) & ~(O_LARGEFILE | O_NOFOLLOW), fcntl(fd, F_GETFD));
}

static void say(int fd)
{
	if (fd < 0) {
		printf("%s\n", errno_word());
		return;
	}
	say_object(fd);
	printf("\n");
	close(fd);
}

/* As it was: what a case makes is removed, what it changes restored. */
static void restore(void)
{
	static const char *const made[] = {"here/new", "new", "here/d/new", "outside/new", "here/dangling-target"};
	char path[2 * PATH_MAX];

	for (size_t i = 0; i < sizeof made / sizeof *made; i++) {
		snprintf(path, sizeof path, "%s/%s", top, made[i]);
		unlink(path);
	}
	static const char *const changed[] = {"here/f", "here/d/f", "outside/f"};
	for (size_t i = 0; i < sizeof changed / sizeof *changed; i++) {
		snprintf(path, sizeof path, "%s/%s", top, changed[i]);
		if (truncate(path, 5) < 0)
			perror(path);
	}
}

/* ---- every way, every name ---------------------------------------------- */

static const struct way {
	int flags;
	mode_t mode;
} ways[] = {
	{O_RDONLY, 0},
	{O_RDONLY | O_CLOEXEC, 0},
	{O_RDONLY | O_NONBLOCK | O_NOCTTY, 0},
	{O_RDONLY | O_NOFOLLOW, 0},
	{O_RDONLY | O_DIRECTORY, 0},
	{O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC, 0},
	{O_RDONLY | O_NOATIME, 0},
	{O_RDONLY | 0100000, 0}, /* O_LARGEFILE */
	{O_WRONLY, 0},
	{O_RDWR | O_APPEND, 0},
	{O_RDWR | O_CLOEXEC, 0},
	{O_RDWR | O_DIRECTORY, 0},
	{O_RDONLY | O_TRUNC, 0},
	{O_WRONLY | O_TRUNC, 0},
	{O_WRONLY | O_CREAT | O_TRUNC, 0666},
	{O_WRONLY | O_CREAT | O_TRUNC, 0644},
	{O_WRONLY | O_CREAT | O_TRUNC, 0100644},
	{O_WRONLY | O_CREAT | O_TRUNC, 06755},
	{O_RDWR | O_CREAT, 0777},
	{O_RDWR | O_CREAT | O_EXCL, 0600},
	{O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600},
	{O_WRONLY | O_CREAT | O_EXCL | O_NOCTTY | O_NONBLOCK | O_CLOEXEC, 0755},
	{O_RDWR | O_CREAT | O_TRUNC, 0640},
	{O_RDONLY | O_CREAT, 0},
	{O_WRONLY | O_CREAT | O_APPEND, 0666},
	{O_WRONLY | O_CREAT | O_NOFOLLOW, 0600},
	{O_RDONLY | O_CREAT | O_DIRECTORY, 0600},
	{O_PATH, 0},
	{O_PATH | O_NOFOLLOW, 0},
	{O_PATH | O_DIRECTORY | O_CLOEXEC, 0},
	{O_PATH | O_RDWR | O_CREAT | O_TRUNC, 0600},
	{O_TMPFILE | O_RDWR, 0600},
	{O_TMPFILE | O_WRONLY | O_EXCL, 0666},
	{O_TMPFILE | O_RDONLY, 0600},
	{O_ACCMODE, 0},
	{O_RDONLY | O_EXCL, 0},
	{O_WRONLY | O_SYNC, 0},
	{O_RDONLY | 1 << 30, 0},
};

/* Relative to w/here. */
static const char *const names[] = {
	"f",
	"new",
	"missing/new",
	"d",
	"d/",
	"d/.",
	"d/..",
	"f/",
	"f/.",
	"f/x",
	"new/",
	"./f",
	".//d///f",
	"d/../f",
	"missing/../f",
	"../here/f",
	"../new",
	"../outside/f",
	"link",
	"link/",
	"link-out",
	"link-absolute",
	"link-chain",
	"link-directory/f",
	"link-directory",
	"link-directory/",
	"link-directory/../f",
	"dangling",
	"dangling-out",
	"dangling-absolute",
	"loop",
	"loop/x",
	"magic",
	"unreadable",
	"closed/f",
	"closed",
	".",
	"..",
	"./",
	"../",
	"../..",
	"...",
	". ",
	"f ",
};
enum { WAYS = sizeof ways / sizeof *ways, NAMES = sizeof names / sizeof *names };

static void one(const char *by, int dirfd, const char *name, const struct way *way)
{
	printf("%s %.60s %o %o: ", by, strncmp(name, top, strlen(top)) == 0 ? name + strlen(top) : name, way->flags,
	       way->mode);
	say(dirfd == AT_FDCWD ? open(name, way->flags, way->mode) : openat(dirfd, name, way->flags, way->mode));
	if (way->flags & (O_CREAT | O_TRUNC))
		restore();
}

static void table(void)
{
	char name[2 * PATH_MAX];
	int here = open(".", O_RDONLY | O_DIRECTORY), path = open("d", O_PATH), file = open("f", O_RDONLY);
	static const mode_t masks[] = {022, 0, 077};

	for (int w = 0; w < WAYS; w++) {
		umask(masks[w % 3]);
		for (int n = 0; n < NAMES; n++) {
			one("relative", AT_FDCWD, names[n], &ways[w]);
			one("at", here, names[n], &ways[w]);
			one("at path", path, names[n], &ways[w]);
			snprintf(name, sizeof name, "%s/here/%s", top, names[n]);
			one("absolute", AT_FDCWD, name, &ways[w]);
			one("at, absolute", file, name, &ways[w]);
			snprintf(name, sizeof name, "//.%s//here/./%s", top, names[n]);
			one("strange", AT_FDCWD, name, &ways[w]);
		}
		one("at file", file, "f", &ways[w]);
		one("at nothing", -1, "f", &ways[w]);
		one("at closed", 900, "f", &ways[w]);
		one("empty", AT_FDCWD, "", &ways[w]);
		one("empty at", here, "", &ways[w]);
		one("root", AT_FDCWD, top, &ways[w]);
		snprintf(name, sizeof name, "%s/", top);
		one("root", AT_FDCWD, name, &ways[w]);
		snprintf(name, sizeof name, "%s//.", top);
		one("root", AT_FDCWD, name, &ways[w]);
		snprintf(name, sizeof name, "%s/..", top);
		one("root", AT_FDCWD, name, &ways[w]);
		snprintf(name, sizeof name, "%sx", top);
		one("beside root", AT_FDCWD, name, &ways[w]);
	}
}

/* ---- names that are not names, streams, directories ---------------------- */

static void long_names(void)
{
	static const size_t lengths[] = {1000, 1020, 1024, 4090, 4094, 4095, 4096, 4097, 5000};
	static char name[8192];

	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		for (int absolute = 0; absolute < 2; absolute++) {
			size_t at = absolute ? (size_t)sprintf(name, "%s/here/", top) : 0;
			while (at + 3 < lengths[i])
				at += (size_t)sprintf(name + at, "./");
			while (at + 1 < lengths[i])
				name[at++] = '/';
			name[at++] = 'f';
			name[at] = 0;
			printf("%s, %zu bytes: ", absolute ? "absolute" : "relative", lengths[i]);
			say(open(name, O_RDONLY));
		}
	}
	for (size_t n = 254; n < 258; n++) {
		memset(name, 'n', n);
		name[n] = 0;
		printf("a component of %zu bytes: ", n);
		say(open(name, O_RDONLY));
	}
}

static void bad_addresses(void)
{
	char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	const char *volatile bad[] = {
		NULL,	      (char *)1,    (char *)-1,	 (char *)0x7ffffffff000, (char *)0x800000000000,
		pages + 4096, pages + 4095, pages + 4092};

	mprotect(pages + 4096, 4096, PROT_NONE);
	memset(pages, 'x', 4096);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		printf("bad address %zu: ", i);
		say(open(bad[i], O_RDONLY));
	}
	memcpy(pages + 4094, "f", 2);
	printf("up to the end of a page: ");
	say(open(pages + 4094, O_RDONLY));
	for (int i = 0; i < 8; i++) {
		memcpy(pages + 4094 - i, "f", 2);
		printf("%d bytes before it: ", i);
		say(open(pages + 4094 - i, O_RDONLY));
	}
}

static void streams(void)
{
	static const char *const modes[] = {"r",   "w",	 "a",	"r+",	       "w+",  "a+",    "rb",	   "re",
					    "w+e", "wx", "wxe", "r,ccs=UTF-8", "rm",  "rc",    "rbe",	   "",
					    "q",   "+r", "rt",	"rbebebe",     "ab+", "axe+b", "rrrrrrr+", "w+bexw"};
	static const char *const files[] = {"f",	  "new",       "d", "missing/new", "link", "link-out",
					    "unreadable", "/dev/null", ""};

	for (size_t m = 0; m < sizeof modes / sizeof *modes; m++)
		for (size_t f = 0; f < sizeof files / sizeof *files; f++) {
			FILE *stream = fopen(files[f], modes[m]);
			printf("fopen %s %s: ", files[f], modes[m]);
			if (!stream) {
				printf("%s\n", errno_word());
				continue;
			}
			say_object(fileno(stream));
			printf(" at %ld, ", ftell(stream));
			int c = getc(stream);
			fseek(stream, 0, SEEK_CUR);
			int put = fputs("more", stream) < 0, over = fflush(stream);
			printf("%d %d %d", c, put, over);
			printf(" closed %d\n", fclose(stream));
			restore();
		}
	for (size_t f = 0; f < sizeof files / sizeof *files; f++) {
		DIR *directory = opendir(files[f]);
		printf("opendir %s: ", files[f]);
		if (!directory) {
			printf("%s\n", errno_word());
			continue;
		}
		say_object(dirfd(directory));
		int count = 0;
		while (readdir(directory))
			count++;
		printf(" %d entries, closed %d\n", count, closedir(directory));
	}
	FILE *again = freopen("d/f", "r", stdin);
	printf("freopen %d: ", again == stdin);
	say_object(fileno(stdin));
	printf("\n");
	long_names();
	bad_addresses();
	printf("syscall: ");
	say((int)syscall(SYS_openat, AT_FDCWD, "f", O_RDONLY, 0));
	say((int)syscall(SYS_open, "missing", O_RDONLY, 0));
	say((int)syscall(SYS_creat, "new", 0640));
	printf("creat: ");
	say(creat("new", 04755));
	restore();
	errno = 77;
	close(open("f", O_RDONLY));
	printf("errno stays: %d\n", errno);
}

/* ---- where the directory is ---------------------------------------------- */

static void *in_thread(void *path)
{
	/* its own directory and its own descriptors, which no other thread has */
	if (unshare(CLONE_FS | CLONE_FILES) < 0 || chdir(path) < 0)
		return "no directory of its own";
	for (int i = 0; i < 300; i++) {
		char name[8];
		int directory = open(".", O_RDONLY | O_DIRECTORY), fd = open("name", O_RDONLY),
		    at = openat(directory, "name", O_RDONLY);
		if (pread(fd, name, 1, 0) != 1 || name[0] != ((char *)path)[0] || pread(at, name, 1, 0) != 1 ||
		    name[0] != ((char *)path)[0])
			return "another's directory";
		close(fd);
		close(at);
		close(directory);
	}
	return "its own directory";
}

static volatile sig_atomic_t in_handler;
static void on_signal(int signal)
{
	int before = errno, fd = open("f", O_RDONLY);

	(void)signal;
	in_handler += fd >= 0;
	close(fd);
	errno = before;
}

static void *wait_in_open(void *path)
{
	int fd = open(path, O_RDONLY);

	close(fd);
	return NULL;
}

static void threads(void)
{
	pthread_t list[4], waiting;
	static char *const places[] = {"1", "2", "3", "4"};
	void *said;

	for (int i = 0; i < 4; i++) {
		mkdir(places[i], 0700);
		char name[16];
		snprintf(name, sizeof name, "%s/name", places[i]);
		int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
		if (write(fd, places[i], 1) != 1)
			perror(name);
		close(fd);
		pthread_create(&list[i], NULL, in_thread, places[i]);
	}
	for (int i = 0; i < 4; i++) {
		pthread_join(list[i], &said);
		printf("thread %d: %s\n", i, (char *)said);
	}
	mkfifo("fifo", 0600);
	pthread_create(&waiting, NULL, wait_in_open, "fifo");
	usleep(50000);
	pthread_cancel(waiting);
	pthread_join(waiting, &said);
	printf("a thread that waits in open can be cancelled: %d\n", said == PTHREAD_CANCELED);
	fflush(stdout);
	if (fork() == 0) {
		usleep(50000);
		_exit(open("fifo", O_WRONLY) < 0);
	}
	printf("a FIFO: ");
	say(open("fifo", O_RDONLY));
	wait(NULL);
	/* a supervisor that opened it for the child may be a moment slower than the child in letting it go */
	char byte;
	int end = open("fifo", O_RDONLY | O_NONBLOCK);
	while (read(end, &byte, 1) < 0 && errno == EAGAIN)
		usleep(1000);
	close(end);
	struct sigaction action = {.sa_handler = on_signal};
	sigaction(SIGALRM, &action, NULL);
	alarm(1);
	printf("interrupted: ");
	say(open("fifo", O_RDONLY));
	printf("the handler opened: %d\n", in_handler);
	unlink("fifo");
}

static void errno_of(const char *by, const char *name)
{
	printf("%s %s: %s\n", by, name, errno_word());
}

static unsigned long nlink_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) < 0 ? 99 : (unsigned long)st.st_nlink;
}

/* Directories made, and what is not there removed, by every call. */
static void makes_and_removes(void)
{
	static const char *const missing[] = {"missing",  "missing/x",	  "f/x",
					      "closed/x", "dangling/x",	  "link-directory/none",
					      "",	  "loop/x",	  "d/../none",
					      "none/.",	  "unreadable/x", "../none",
					      "/none",	  "/none/x",	  "/proc/self/none"};
	int here = open(".", O_RDONLY | O_DIRECTORY);

	for (int n = 0; n < NAMES; n++) {
		if (symlink("x", names[n]) < 0)
			errno_of("symlink", names[n]);
		else if (unlink(names[n]) < 0)
			errno_of("no link after all:", names[n]);
		if (mknod(names[n], S_IFIFO | 0600, 0) < 0)
			errno_of("mknod", names[n]);
		else if (unlink(names[n]) < 0)
			errno_of("no FIFO after all:", names[n]);
		if (link("d/f", names[n]) < 0)
			errno_of("link", names[n]);
		else if (unlink(names[n]) < 0)
			errno_of("no file after all:", names[n]);
		if (mkdir(names[n], 0755) < 0)
			errno_of("mkdir", names[n]);
		else if (mkdirat(here, names[n], 0755) == 0 || rmdir(names[n]) < 0)
			errno_of("made twice, or not at all:", names[n]);
		if (mkdirat(here, names[n], 0755) < 0)
			errno_of("mkdirat", names[n]);
		else if (mkdir(names[n], 0755) == 0 || rmdir(names[n]) < 0)
			errno_of("made twice, or not at all:", names[n]);
	}
	for (size_t i = 0; i < sizeof missing / sizeof *missing; i++) {
		const int flags[] = {0, AT_REMOVEDIR};
		if (unlink(missing[i]) < 0)
			errno_of("unlink", missing[i]);
		if (rmdir(missing[i]) < 0)
			errno_of("rmdir", missing[i]);
		if (remove(missing[i]) < 0)
			errno_of("remove", missing[i]);
		for (int f = 0; f < 2; f++)
			if (unlinkat(here, missing[i], flags[f]) < 0)
				errno_of("unlinkat", missing[i]);
		if (unlinkat(-1, missing[i], 0) < 0)
			errno_of("unlinkat nothing", missing[i]);
		char *const none[] = {NULL};
		execve(missing[i], none, none);
		errno_of("execve", missing[i]);
	}
	close(here);
}

/* A temporary file: what it is, and what became of the template but for the six letters. */
static void say_temporary(int fd, const char *template, size_t suffix)
{
	static const char places[] = "XXXXXX";
	size_t at = strlen(template) - suffix - (sizeof places - 1);
	char shown[PATH_MAX];
	struct stat st, there;

	if (fd < 0) {
		printf("temporary, %zu bytes: %s\n", strlen(template), errno_word());
		return;
	}
	snprintf(shown, sizeof shown, "%s",
		 strncmp(template, top, strlen(top)) == 0 ? template + strlen(top) : template);
	at -= strlen(template) - strlen(shown);
	printf("%.*sXXXXXX%s: ", (int)at, shown, shown + at + sizeof places - 1);
	bool same = fstat(fd, &st) == 0 && lstat(template, &there) == 0 && st.st_ino == there.st_ino && st.st_size == 0;
	printf("mode %o flags %o %o%s%s\n", st.st_mode, fcntl(fd, F_GETFL) & ~O_LARGEFILE, fcntl(fd, F_GETFD),
	       same ? "" : ", another file",
	       memcmp(shown + at, places, sizeof places - 1) != 0 ? "" : ", no name of its own");
	if (close(fd) < 0 || unlink(template) < 0)
		perror(template);
}

static void temporaries(void)
{
	static const char *const templates[] = {"tXXXXXX", "d/XXXXXX", "missing/tXXXXXX", "tXXXXX",
						"XXXXXXt", "",	       "f/tXXXXXX"};
	char name[2 * PATH_MAX];

	umask(022);
	for (size_t i = 0; i < sizeof templates / sizeof *templates; i++) {
		for (int absolute = 0; absolute < 2; absolute++) {
			snprintf(name, sizeof name, "%s%s%s", absolute ? top : "", absolute ? "/here/" : "",
				 templates[i]);
			if (strlen(name) < 6) { /* without room for the letters */
				printf("too short: %d\n", mkstemp(name));
				continue;
			}
			say_temporary(mkstemp(name), name, 0);
			snprintf(name, sizeof name, "%s%s%s.c", absolute ? top : "", absolute ? "/here/" : "",
				 templates[i]);
			say_temporary(mkostemps(name, 2, O_CLOEXEC), name, 2);
			snprintf(name, sizeof name, "%s%s%s", absolute ? top : "", absolute ? "/here/" : "",
				 templates[i]);
			say_temporary(mkostemp(name, O_APPEND | O_CLOEXEC), name, 0);
			say_temporary(mkstemps(name, -1), name, 0);
		}
	}
	FILE *file = tmpfile();
	char byte = 0;
	if (!file || fputs("x", file) < 0 || fseek(file, 0, SEEK_SET) < 0 || fread(&byte, 1, 1, file) != 1)
		printf("tmpfile: %s\n", errno_word());
	else
		printf("tmpfile: %c, links of it: %lu\n", byte, nlink_of(fileno(file)));
}

static void others(void)
{
	temporaries();
	makes_and_removes();

	mkdir("away", 0700);
	mkdir("away/sub", 0700);
	int away = open("away/sub", O_RDONLY | O_DIRECTORY);
	close(openat(away, "x", O_WRONLY | O_CREAT | O_TRUNC, 0600));
	rename("away", "moved");
	printf("in a directory that was moved: ");
	say(openat(away, "x", O_RDONLY));
	printf("by its old name: ");
	say(open("away/sub/x", O_RDONLY));
	if (chdir("moved/sub") < 0)
		perror("moved/sub");
	printf("from there: ");
	say(open("../sub/x", O_RDONLY));
	unlink("x");
	rmdir("../sub");
	printf("in one that was removed: ");
	say(open("x", O_RDONLY));
	say(open(".", O_RDONLY));
	say(openat(away, "x", O_WRONLY | O_CREAT, 0600));
	mkdir("../../moved/sub", 0700);
	if (chdir(top) < 0 || chdir("here/moved") < 0 || mkdir("sub", 0700) < 0 || rmdir("sub") < 0)
		perror("moved");
	mkdir("sub (deleted)", 0700);
	int deleted = open("sub (deleted)", O_RDONLY | O_DIRECTORY);
	printf("of a strange name: ");
	say(openat(deleted, "y", O_RDWR | O_CREAT, 0600));
	unlink("sub (deleted)/y");
	rmdir("sub (deleted)");
	if (chdir(top) < 0 || chdir("here") < 0)
		perror(top);
	rmdir("moved");
	fflush(stdout);
	pid_t child = vfork();
	if (child == 0)
		_exit(open("f", O_RDONLY) < 0);
	int status;
	waitpid(child, &status, 0);
	printf("in a vfork child: %d\n", status);
	if (chdir("/") < 0 || chdir("/proc") < 0)
		perror("/proc");
	printf("elsewhere: ");
	say(open("self/../version", O_RDONLY));
	printf("by the way of /proc: ");
	char name[2 * PATH_MAX];
	snprintf(name, sizeof name, "self/root%s/here/f", top);
	say(open(name, O_RDONLY));
}

/* No descriptor is left. */
static void full(void)
{
	struct rlimit limit = {64, 64};
	int count = 0, fd;

	setrlimit(RLIMIT_NOFILE, &limit);
	while ((fd = open("f", O_RDONLY)) >= 0)
		count++;
	printf("%s after %d\n", errno_word(), count > 55);
	FILE *stream = fopen("f", "r");
	printf("fopen: %s\n", stream ? "?" : errno_word());
	DIR *directory = opendir("d");
	printf("opendir: %s\n", directory ? "?" : errno_word());
	for (fd = 3; fd < 64; fd++)
		close(fd);
	say(open("f", O_RDONLY));
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (!getcwd(top, sizeof top) || chdir("here") < 0)
		return 2;
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	if (strcmp(what, "table") == 0)
		table();
	else if (strcmp(what, "streams") == 0)
		streams();
	else if (strcmp(what, "threads") == 0)
		threads();
	else if (strcmp(what, "others") == 0)
		others();
	else if (strcmp(what, "full") == 0)
		full();
	else
		return 2;
	return 0;
}
