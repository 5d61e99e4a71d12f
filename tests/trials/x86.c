/* SPDX-License-Identifier: MIT */
/*
 * x86.c - a 32-bit program: `x86 r FILE` prints a file, `x86 w FILE` makes one, `x86 x FILE` executes it. System
 * calls have other numbers here: 5 is open, 11 execve.
 */
static int call(int number, int first, int second, int third)
{
	int result;
	__asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(first), "c"(second), "d"(third) : "memory");
	return result;
}

__attribute__((used)) static void start(int *stack)
{
	char buffer[512], *what = (char *)stack[2], *path = (char *)stack[3];
	if (*what == 'r') {
		int fd = call(5, (int)path, 0, 0);
		int length = call(3, fd, (int)buffer, sizeof(buffer));
		if (length > 0)
			call(4, 1, (int)buffer, length);
	} else if (*what == 'w') {
		call(8, (int)path, 0644, 0);
	} else {
		int arguments[2] = {(int)path, 0};
		call(11, (int)path, (int)arguments, 0);
	}
	call(1, 0, 0, 0);
}

__asm__(".globl _start\n_start:\n\tmov %esp, %eax\n\tand $-16, %esp\n\tsub $12, %esp\n\tpush %eax\n\tcall start\n");
