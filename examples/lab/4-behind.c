/* SPDX-License-Identifier: MIT */
/*
 * Exercise 4: behind the guard's back. The function that the library has put itself before is still in memory.
 *
 * lab: preload=through ptrace=supervisor seccomp=supervisor
 *
 * Question: could the library not hide libc's open()?
 * Answer:   whatever is in the memory of the program can be found by the program, here by asking for "the next one", and
 *           changed by it. A guard that has to hold must be where the guarded program cannot reach.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	void *libc = dlopen("libc.so.6", RTLD_NOW);
	int (*open_of_libc)(const char *, int, ...) = libc ? (int (*)(const char *, int, ...))dlsym(libc, "open") : NULL;
	char text[100];
	int fd = open_of_libc && argc > 1 ? open_of_libc(argv[1], O_RDONLY) : -1;
	ssize_t n = read(fd, text, sizeof text);

	if (n <= 0)
		return 1;
	return fwrite(text, 1, (size_t)n, stdout) != (size_t)n;
}
