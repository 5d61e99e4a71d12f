/* SPDX-License-Identifier: MIT */
/*
 * Exercise 2: without libc. The same call by an instruction of the program's own.
 *
 * lab: preload=through ptrace=supervisor seccomp=supervisor
 *
 * Question: the library of exercise 1 is still there. Why does it not help?
 * Answer:   it replaces functions, and none was called. That is why level preload is no boundary. The kernel, which every
 *           call has to pass, stops the program for the supervisor: at each call (ptrace), or at those that the policy
 *           could refuse (seccomp).
 */
#include <sys/syscall.h>

static long call(long number, long a, long b, long c)
{
	long result;

	__asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
	return result;
}

int main(int argc, char **argv)
{
	char text[100];
	long fd = argc > 1 ? call(SYS_open, (long)argv[1], 0, 0) : -1;
	long n = call(SYS_read, fd, (long)text, sizeof text);

	return n <= 0 || call(SYS_write, 1, (long)text, n) != n;
}
