/* SPDX-License-Identifier: MIT */
/*
 * opens_changing.c - opens while something changes, and says what came of it, as opens.c does: threads that have directories of their
 * own, names that are made and removed, directories that are moved. Works in the same places.
 *   opens_changing threads | others       what is said
 */
#include "opens.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

/* ---- threads and signals ------------------------------------------------- */

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

/* ---- what is made, moved and removed ------------------------------------- */

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

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (!begin())
		return 2;
	if (strcmp(what, "threads") == 0)
		threads();
	else if (strcmp(what, "others") == 0)
		others();
	else
		return 2;
	return 0;
}
