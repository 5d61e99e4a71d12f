/* SPDX-License-Identifier: MIT */
/*
 * opens.c - opens everything in every way, and says what came of each: once bare and once under a guard, and both must be the
 * same. Works in the directory it is started in, which tests/test_opens.sh has made (w/).
 *   opens table | streams | full       what is said
 * What changes meanwhile is in opens_changing.c; which of them need no stop, opens_fast.c.
 */
#include "opens.h"

#include <dirent.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

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

enum { WAYS = sizeof ways / sizeof *ways };

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

	if (!begin())
		return 2;
	if (strcmp(what, "table") == 0)
		table();
	else if (strcmp(what, "streams") == 0)
		streams();
	else if (strcmp(what, "full") == 0)
		full();
	else
		return 2;
	return 0;
}
