/* SPDX-License-Identifier: MIT */
/*
 * Exercise 1: asking politely. The program opens what it may not, by the function everybody uses.
 *
 * lab: preload=shim ptrace=supervisor seccomp=supervisor
 *
 * Question: at level preload nobody but the program itself is there. Who says no?
 * Answer:   a library, loaded before libc, whose open() comes first. It asks the same table as the supervisor does.
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	char text[100];
	int fd = argc > 1 ? open(argv[1], O_RDONLY) : -1;
	ssize_t n = read(fd, text, sizeof text);

	if (n <= 0)
		return 1;
	return fwrite(text, 1, (size_t)n, stdout) != (size_t)n;
}
