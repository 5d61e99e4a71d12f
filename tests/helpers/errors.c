/* SPDX-License-Identifier: MIT */
/*
 * errors.c - which error a call gives first when more than one of its arguments is wrong: every judged call of the
 * table, with every two of its arguments good or bad in every way, the others as they should be. Prints what came of
 * each; that has to be the same with and without a guard. Run in an empty directory:  errors raw | company | libc
 *
 * raw: by the instruction. company: the same, while there is another thread, which could change the arguments. libc: by the
 * function of the same name, where there is one, and so through the shim.
 * A call of other kinds is left out: it makes or ends processes, changes who we are, or takes away the memory that we
 * are in.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

static bool by_libc;

enum { ARGS = 6, VALUES = 24, NAMES = 128 };

struct row {
	long number;
	const char *name, *op;
	const char *kinds[ARGS];
};

#define ANY "ANY"
#define EARLY(what) ANY
#define ARG(kind) #kind
#define PATH(access, final) "PATH"
#define PATH_OR(empty, access, final) "PATH"
#define OBJECT(access) "OBJECT"
#define ROW_HARMLESS(...)
#define ROW_REFUSED(...)
#define ROW_UNLISTED(...)
#define ROW_JUDGED(number, name, op, ...) {number, #name, #op, {__VA_ARGS__}},
#define CALL(number, name, class, ...) ROW_##class(number, name, __VA_ARGS__)
static const struct row rows[] = {
#include "../../policy/syscalls.def"
};

static const char *const operations[] = {"OPEN",    "LOOK",   "READLINK",  "CREATE",  "SYMLINK", "REMOVE", "RENAME",
					 "LINK",    "CHANGE", "CHANGE_FD", "CHDIR",   "WATCH",	 "VALUE",  "BIND",
					 "CONNECT", "LISTEN", "SENDMSG",   "SOCKOPT", "EXEC"};

/* ---- what there is ---------------------------------------------------------------------------------------------- */

/* Descriptors, at numbers of their own; the last is never open. */
enum { TOP = 20, HOME, FILE_READ, FILE_WRITE, DIRECTORY, WATCHES, STREAM, MESSAGES, BY_PATH, NONE };

/* Memory that calls are given: at the same place each time, as numbers are made of it as well. */
enum { PIECE = 4096 };
static char *const memory = (char *)0x20000000;
static char *piece(int i)
{
	return memory + PIECE * i;
}
enum { TEXT, ZEROS, ONES, SPACE, STRUCTS, PIECES }; /* behind the last nothing is mapped */

static void put_at(int fd, int to)
{
	if (fd < 0 || (fd != to && (dup2(fd, to) < 0 || close(fd) < 0)))
		abort();
}

static void empty(int directory)
{
	DIR *stream = fdopendir(directory);
	struct dirent *entry;

	while ((entry = readdir(stream)) != NULL) {
		const char *name = entry->d_name;
		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || unlinkat(directory, name, 0) == 0)
			continue;
		fchmodat(directory, name, 0700, 0);
		int below = openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
		if (below >= 0)
			empty(below);
		unlinkat(directory, name, AT_REMOVEDIR);
	}
	closedir(stream);
}

/* All anew, as a call may have changed it; that of which ".." is the name as well. */
static void build(void)
{
	if (fchdir(TOP) < 0 || fchown(TOP, geteuid(), getegid()) < 0 || fchmod(TOP, 0700) < 0)
		abort();
	empty(open(".", O_RDONLY | O_DIRECTORY));
	if (mkdir("home", 0700) < 0)
		abort();
	put_at(open("home", O_RDONLY | O_DIRECTORY), HOME);
	if (fchdir(HOME) < 0)
		abort();
	put_at(open("file", O_CREAT | O_RDWR, 0600), FILE_WRITE);
	if (write(FILE_WRITE, "text", 4) != 4 || mkdir("dir", 0700) < 0 || symlink("file", "link") < 0 ||
	    symlink("loop", "loop") < 0 || symlink("nowhere", "dangling") < 0 || symlink("dir", "way") < 0 ||
	    mkdir("full", 0700) < 0 || mkdir("full/entry", 0700) < 0)
		abort();
	put_at(open("file", O_RDONLY), FILE_READ);
	put_at(open("dir", O_RDONLY | O_DIRECTORY), DIRECTORY);
	put_at(inotify_init(), WATCHES);
	put_at(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0), STREAM);
	put_at(socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0), MESSAGES);
	put_at(open("file", O_PATH), BY_PATH);
}

static struct sockaddr_un *const socket_address = (void *)0x20004000;
static struct msghdr *const message = (void *)0x20004100;
static struct iovec *const part = (void *)0x20004200;
static struct open_how *const how = (void *)0x20004300;
static char **const list = (void *)0x20004400;

static void fill(void)
{
	memset(memory, 0, PIECE * PIECES);
	strcpy(piece(TEXT), "user.x");
	memset(piece(ONES), 0xff, PIECE);
	*socket_address = (struct sockaddr_un){AF_UNIX, "missing"};
	*part = (struct iovec){piece(TEXT), 4};
	*message = (struct msghdr){.msg_name = socket_address, .msg_namelen = 10, .msg_iov = part, .msg_iovlen = 1};
	message[1] = (struct msghdr){.msg_name = (void *)1, .msg_namelen = 10, .msg_iov = part, .msg_iovlen = 1};
	how[0] = (struct open_how){.flags = O_RDONLY};
	how[1] = (struct open_how){.flags = O_RDONLY, .resolve = 1 << 30};
	how[2] = (struct open_how){.flags = O_RDONLY, .mode = 0600};
	how[3] = (struct open_how){.flags = UINT64_C(1) << 40};
	list[0] = piece(TEXT);
	list[2] = (char *)1;
}

/* ---- what an argument may be --------------------------------------------------------------------------------------
 */

static char *long_name(void)
{
	static char name[5000];

	memset(name, 'x', sizeof name - 1);
	return name;
}

#define WORD(value) ((uint64_t)(value))
static size_t take(uint64_t *values, const uint64_t *from, size_t bytes)
{
	memcpy(values, from, bytes);
	return bytes / sizeof *from;
}
#define VALUES_ARE(...) return take(values, (const uint64_t[]){__VA_ARGS__}, sizeof((const uint64_t[]){__VA_ARGS__}))

static size_t names(uint64_t *values)
{
	static char component[300], mid[400];

	memset(component, 'y', sizeof component - 1);
	snprintf(mid, sizeof mid, "%s/x", component);
	const uint64_t all[] = {WORD("file"),	  WORD("missing"),   WORD("none/x"), WORD("file/x"), WORD("dir"),
				WORD(""),	  WORD(0),	     WORD(1),	     WORD("loop"),   WORD("loop/x"),
				WORD("link"),	  WORD("full"),	     WORD("file/"),  WORD("."),	     WORD(component),
				WORD(mid),	  WORD(long_name()), WORD("way/"),   WORD("dir/."),  WORD("dir/.."),
				WORD("dangling/")};
	/* to the shim of level gate the last is not there; to unlink(2) it is no directory */
	return take(values, all, sizeof all - (by_libc ? sizeof *all : 0));
}

/* By the kind; and of what has nothing to judge, by the call. */
static size_t values_of(const struct row *row, int i, uint64_t *values)
{
	const char *kind = row->kinds[i];
	bool is_any = strcmp(kind, ANY) == 0;

	if (strcmp(kind, "PATH") == 0)
		return names(values);
	if (strcmp(kind, "DIRFD") == 0)
		VALUES_ARE(WORD(AT_FDCWD), WORD(-1), FILE_READ, DIRECTORY, BY_PATH);
	if (strcmp(kind, "OBJECT") == 0)
		VALUES_ARE(FILE_WRITE, FILE_READ, WORD(-1), NONE, DIRECTORY, BY_PATH, STREAM);
	if (strcmp(kind, "AT_FLAGS") == 0)
		VALUES_ARE(0, AT_SYMLINK_NOFOLLOW, AT_REMOVEDIR, AT_SYMLINK_FOLLOW, AT_EMPTY_PATH, 1, WORD(-1));
	if (strcmp(kind, "OPEN_FLAGS") == 0)
		VALUES_ARE(O_RDONLY, O_CREAT | O_RDWR, O_CREAT | O_EXCL | O_WRONLY, O_DIRECTORY, O_TMPFILE,
			   O_TMPFILE | O_RDWR, O_PATH, O_NOFOLLOW, O_CREAT | O_DIRECTORY, 3, WORD(-1),
			   O_TRUNC | O_WRONLY);
	if (strcmp(kind, "OPEN_HOW") == 0)
		VALUES_ARE(WORD(how), WORD(how + 1), WORD(how + 2), WORD(how + 3), 0, 1);
	if (is_any && i > 0 && strcmp(row->kinds[i - 1], "OPEN_HOW") == 0)
		VALUES_ARE(sizeof *how, 0, 8, 32, 8192, WORD(-1));
	if (strcmp(kind, "RENAME_FLAGS") == 0)
		VALUES_ARE(0, 1, 2, 3, 4, 8, WORD(-1));
	if (strcmp(kind, "WATCH_MASK") == 0)
		VALUES_ARE(IN_ACCESS, 0, IN_ONLYDIR | IN_ACCESS, IN_DONT_FOLLOW | IN_ACCESS, WORD(-1),
			   IN_MASK_ADD | IN_MASK_CREATE | IN_ACCESS, WORD(1) << 27);
	if (strcmp(row->op, "WATCH") == 0)
		VALUES_ARE(WATCHES, WORD(-1), FILE_READ, NONE);
	/* of the rest of a message each family has its own order */
	bool sends = strncmp(row->name, "send", 4) == 0;
	if (strcmp(kind, "SOCKET") == 0 && sends)
		VALUES_ARE(MESSAGES, FILE_READ, WORD(-1), NONE, BY_PATH);
	if (strcmp(kind, "SOCKET") == 0)
		VALUES_ARE(STREAM, MESSAGES, FILE_READ, WORD(-1), NONE, BY_PATH);
	if (strcmp(kind, "SOCKADDR") == 0)
		VALUES_ARE(WORD(socket_address), 0, 1);
	if (is_any && i > 0 && strcmp(row->kinds[i - 1], "SOCKADDR") == 0)
		VALUES_ARE(10, 0, 1, 3, 110, 129, WORD(-1));
	if (strcmp(kind, "MSGHDR") == 0)
		VALUES_ARE(WORD(message), WORD(message + 1), WORD(piece(ONES)), 0, 1);
	if (is_any && strcmp(row->name, "sendto") == 0 && i == 2)
		VALUES_ARE(4, 0);
	if (is_any && sends)
		VALUES_ARE(i == 1 ? WORD(piece(TEXT)) : 0);
	if (strcmp(kind, "SOCKOPT") == 0)
		VALUES_ARE(SOL_SOCKET, IPPROTO_IP, 9999);
	if (strcmp(kind, "ARGV") == 0 || strcmp(kind, "ENVP") == 0)
		VALUES_ARE(WORD(list), 0, 1, WORD(list + 2));
	VALUES_ARE(WORD(piece(TEXT)), 0, WORD(piece(ONES)), WORD(piece(PIECES) - 2), 1, 16, 0x6000);
}

/* ---- doing it -------------------------------------------------------------------------------------------------------
 */

static long instruction(long number, const uint64_t *a)
{
	register uint64_t r10 __asm__("r10") = a[3], r8 __asm__("r8") = a[4], r9 __asm__("r9") = a[5];
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}

typedef long function(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);

static long by_function(function *f, const uint64_t *a)
{
	errno = 0;
	/* an int, of most: what is in the upper half of such a result says nothing */
	int result = (int)f(a[0], a[1], a[2], a[3], a[4], a[5]);

	return result < 0 ? -errno : result;
}

static void tell(const struct row *row, const uint64_t *args, int count, function *f)
{
	fill();
	long result = f ? by_function(f, args) : instruction(row->number, args);
	int standard = fcntl(STDOUT_FILENO, F_GETFD);

	if (standard < 0)
		abort();
	if (result >= 0) {
		if (strcmp(row->op, "OPEN") == 0)
			close((int)result);
		build();
	}
	printf("%s(", row->name);
	for (int i = 0; i < count; i++) {
		bool text = strcmp(row->kinds[i], "PATH") == 0 && args[i] > 0x10000;
		if (text)
			printf("%s\"%.10s\" (%zu)", i ? ", " : "", (const char *)args[i],
			       strlen((const char *)args[i]));
		else
			printf("%s%#llx", i ? ", " : "", (unsigned long long)args[i]);
	}
	printf(") = %s\n", result >= 0 ? "works" : strerrorname_np((int)-result));
}

static void every_pair(const struct row *row, function *f)
{
	uint64_t values[ARGS][VALUES], args[ARGS] = {0};
	size_t counts[ARGS];
	int count = 0;

	for (; count < ARGS && row->kinds[count]; count++) {
		counts[count] = values_of(row, count, values[count]);
		args[count] = values[count][0];
	}
	for (int one = 0; one < count; one++)
		for (int other = count == 1 ? 0 : one + 1; other < count; other++)
			for (size_t i = 0; i < counts[one]; i++)
				for (size_t j = 0; j < counts[other]; j++) {
					args[one] = values[one][i];
					args[other] = values[other][j];
					tell(row, args, count, f);
					args[one] = values[one][0];
					args[other] = values[other][0];
				}
}

/* Functions that look into the memory that they are given, before the kernel does. */
static bool looks_into(const char *name)
{
	return strncmp(name, "utime", 5) == 0 || strcmp(name, "futimesat") == 0 || strncmp(name, "exec", 4) == 0;
}

static bool is_meant(const struct row *row)
{
	for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++)
		if (strcmp(row->op, operations[i]) == 0)
			return true;
	return false;
}

static void *wait_for_ever(void *unused)
{
	for (;;)
		pause();
	return unused;
}

int main(int argc, char **argv)
{
	pthread_t thread;
	void *libc = dlopen("libc.so.6", RTLD_LAZY); /* the shim has functions that this one may lack */

	by_libc = argc > 1 && strcmp(argv[1], "libc") == 0;
	if (mkdir("top", 0700) < 0)
		abort();
	put_at(open("top", O_RDONLY | O_DIRECTORY), TOP);
	if (mmap(memory, PIECE * PIECES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
		 0) != memory)
		abort();
	build();
	if (argc > 1 && strcmp(argv[1], "company") == 0 && pthread_create(&thread, NULL, wait_for_ever, NULL) != 0)
		abort();
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		/* what libc makes of them is more than the call */
		function *f = by_libc && libc && dlsym(libc, rows[i].name)
				      ? (function *)dlsym(RTLD_DEFAULT, rows[i].name)
				      : NULL;
		if (is_meant(&rows[i]) && (!by_libc || (f && !looks_into(rows[i].name))) &&
		    (argc < 3 || strcmp(argv[2], rows[i].name) == 0))
			every_pair(&rows[i], f);
	}
	return 0;
}
