/* SPDX-License-Identifier: MIT */
/* intruder.c - a program that nothing allows to run; it says that it does. Also usable as an ELF interpreter. */

static long call(long number, long first, const char *second, long third)
{
	long result;
	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(first), "S"(second), "d"(third)
			 : "rcx", "r11", "memory");
	return result;
}

__attribute__((used)) static void start(void)
{
	call(1, 1, "INTRUDER-RAN\n", 13);
	call(60, 0, 0, 0);
}

__asm__(".globl _start\n_start:\n\tand $-16, %rsp\n\tcall start\n");
