/* SPDX-License-Identifier: MIT */
/*
 * opens_fast.c - opens as a shim can make them, each of which says whether it was "fast" or "a stop": a filter of the program's
 * own answers those that are made in the ordinary way. Works in w/here of the directory it is started in, as opens.c does.
 *   opens_fast               every way
 *   opens_fast raw FILE      one open past libc, without that filter
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { STOPPED = 999 }; /* an errno that there is not */

static long past_libc(long number, long a, long b, long c)
{
	register long d __asm__("r10") = 0;
	register long e __asm__("r8") = 0;
	long r;

	__asm__ volatile("syscall"
			 : "=a"(r)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(d), "r"(e)
			 : "rcx", "r11", "memory");
	return r;
}

/* Made past libc, so that the shim does not learn of it: a stop is what is made in the ordinary way. */
static void filter_opens(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_open, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | STOPPED),
	};
	struct sock_fprog program = {sizeof code / sizeof *code, code};

	past_libc(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0);
	long r = past_libc(SYS_prctl, PR_SET_SECCOMP, SECCOMP_MODE_FILTER, (long)&program);
	if (r < 0) {
		fprintf(stderr, "opens: no filter: %s\n", strerror((int)-r));
		exit(2);
	}
}

static void is_fast(const char *what, bool opened)
{
	printf("%s: %s\n", what, opened || errno != STOPPED ? "fast" : "a stop");
}

static void fast(void)
{
	char name[PATH_MAX], absolute[PATH_MAX + sizeof "/new"], include[PATH_MAX] = "/usr/include/stdio.h";
	char template[] = "tempXXXXXX", ending[] = "tempXXXXXX.c";
	int here = open(".", O_RDONLY | O_DIRECTORY);

	if (!getcwd(name, sizeof name))
		exit(2);
	snprintf(absolute, sizeof absolute, "%s/new", name);
	filter_opens();
	is_fast("a header", open(include, O_RDONLY) >= 0);
	is_fast("by another name", open("/usr//./include/../include/stdio.h", O_RDONLY | O_CLOEXEC) >= 0);
	is_fast("what is not there", open("/usr/include/no-such-file.h", O_RDONLY) >= 0);
	is_fast("relative", open("f", O_RDONLY) >= 0);
	is_fast("by a descriptor", openat(here, "d/f", O_RDONLY) >= 0);
	is_fast("a link", open("link-chain", O_RDONLY) >= 0);
	is_fast("made", open("new", O_WRONLY | O_CREAT | O_TRUNC, 0666) >= 0);
	is_fast("written", open(absolute, O_WRONLY | O_CREAT | O_TRUNC, 0644) >= 0);
	is_fast("fopen", fopen("f", "r") != NULL);
	is_fast("fopen to write", fopen("new", "w") != NULL);
	is_fast("opendir", opendir("d") != NULL);
	is_fast("made by tar",
		open("new-by-tar", O_WRONLY | O_CREAT | O_EXCL | O_NOCTTY | O_NONBLOCK | O_CLOEXEC, 0755) >= 0);
	is_fast("mkstemp", mkstemp(template) >= 0);
	is_fast("mkostemps", mkostemps(ending, 2, O_CLOEXEC) >= 0);
	is_fast("not there, below no root", open("/no/such/file", O_RDONLY) >= 0);
	is_fast("syscall", syscall(SYS_openat, AT_FDCWD, "f", O_RDONLY) >= 0);
	errno = 0;
	is_fast("a single file", open("/etc/passwd", O_RDONLY) >= 0);
	is_fast("a device that may be written to", open("/dev/null", O_WRONLY | O_CREAT | O_TRUNC, 0666) >= 0);
	is_fast("control, what no shim can open: /proc", open("/proc/self/status", O_RDONLY) >= 0);
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "raw") == 0)
		return past_libc(SYS_openat, AT_FDCWD, (long)argv[2], O_RDONLY) < 0;
	if (argc != 1 || chdir("here") < 0)
		return 2;
	fast();
	return 0;
}
