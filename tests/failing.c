/* SPDX-License-Identifier: MIT */
/*
 * failing.c - a library that makes the nth call of a kind fail, for fault_injection.sh. With FAIL_KIND=malloc (which
 * is calloc, realloc and strdup too), open, write, mmap, pipe or fork, the call number FAIL_AT of the process that was started
 * with it fails as it may: ENOMEM, EMFILE, ENOSPC, EAGAIN. When it does, the file FAIL_MARK is made. Descendants
 * are left alone.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char *kind, *mark;
static long left = -1;
static pid_t process;

__attribute__((constructor)) static void begin(void)
{
	const char *at = getenv("FAIL_AT");
	kind = getenv("FAIL_KIND"), mark = getenv("FAIL_MARK");
	left = at != NULL ? atol(at) : -1;
	process = (pid_t)syscall(SYS_getpid);
}

static bool fails(const char *what)
{
	if (left <= 0 || kind == NULL || strcmp(kind, what) != 0 || syscall(SYS_getpid) != process || --left != 0)
		return false;
	if (mark != NULL)
		syscall(SYS_close, syscall(SYS_open, mark, O_WRONLY | O_CREAT, 0644));
	return true;
}

/*
 * libconfig 1.5 (Debian 12) uses what its allocations return without a look: those are left alone, or every failure
 * would be its crash. Nothing of a tool has been started by then.
 */
static bool from_libconfig(const void *caller)
{
	Dl_info info;
	return dladdr(caller, &info) != 0 && info.dli_fname != NULL && strstr(info.dli_fname, "libconfig") != NULL;
}

#define MEMORY_FAILS() (!from_libconfig(__builtin_return_address(0)) && fails("malloc"))
#define REAL(type, name, ...) ((type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name))

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

void *malloc(size_t size)
{
	if (!MEMORY_FAILS())
		return __libc_malloc(size);
	errno = ENOMEM;
	return NULL;
}

void *calloc(size_t count, size_t size)
{
	if (!MEMORY_FAILS())
		return __libc_calloc(count, size);
	errno = ENOMEM;
	return NULL;
}

void *realloc(void *old, size_t size)
{
	if (!MEMORY_FAILS())
		return __libc_realloc(old, size);
	errno = ENOMEM;
	return NULL;
}

int open(const char *path, int flags, ...)
{
	va_list list;
	va_start(list, flags);
	mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(list, mode_t) : 0;
	va_end(list);
	if (!fails("open"))
		return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
	errno = EMFILE;
	return -1;
}

/* What a fortified or a 64-bit open is called inside. */
int __open_2(const char *path, int flags);
int __open_2(const char *path, int flags)
{
	return open(path, flags);
}

FILE *fopen(const char *path, const char *mode)
{
	if (!fails("open"))
		return REAL(FILE *, "fopen", const char *, const char *)(path, mode);
	errno = EMFILE;
	return NULL;
}

int openat(int directory, const char *path, int flags, ...)
{
	va_list list;
	va_start(list, flags);
	mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(list, mode_t) : 0;
	va_end(list);
	if (!fails("open"))
		return (int)syscall(SYS_openat, directory, path, flags, mode);
	errno = EMFILE;
	return -1;
}

ssize_t write(int fd, const void *bytes, size_t length)
{
	if (!fails("write"))
		return syscall(SYS_write, fd, bytes, length);
	errno = ENOSPC;
	return -1;
}

void *mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset)
{
	if (!fails("mmap"))
		return (void *)syscall(SYS_mmap, address, length, protection, flags, fd, offset);
	errno = ENOMEM;
	return MAP_FAILED;
}

int pipe2(int ends[2], int flags)
{
	if (!fails("pipe"))
		return (int)syscall(SYS_pipe2, ends, flags);
	errno = EMFILE;
	return -1;
}

pid_t fork(void)
{
	if (!fails("fork"))
		return REAL(pid_t, "fork", void)();
	errno = EAGAIN;
	return -1;
}
