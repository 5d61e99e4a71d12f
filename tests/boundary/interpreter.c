/* SPDX-License-Identifier: MIT */
/*
 * interpreter.c - what memory.c's break_over_copies names as the ELF interpreter of a program that has nothing else in it, so that
 * its data segment begins where the guard keeps its sealed copies: makes it grow over that place, has the guard put its copies there,
 * gives the place back and takes it again, and writes another name all over it. Alone, without a C library.
 *   ALLOWED SECRET [guarded]    exit status: as attempt.h has it
 */
#include <fcntl.h>
#include <linux/sched.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>

enum { WORKED, REFUSED, LOW_START = 0x20000, LOW_END = 0x200000, SMALL_SLOT = 0x200, STACK = 65536 };

static long call(long number, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = f;
	long r;

	__asm__ volatile("syscall" : "=a"(r) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
	return r;
}

/* A thread that sleeps: from now on the guard has to copy what it has judged. */
long sleeping_thread(unsigned long flags, char *stack);
__asm__("sleeping_thread:\n"
	"	xor %edx, %edx\n"
	"	xor %r10d, %r10d\n"
	"	xor %r8d, %r8d\n"
	"	mov $56, %eax\n" /* clone */
	"	syscall\n"
	"	test %eax, %eax\n"
	"	jnz 1f\n"
	"0:	mov $34, %eax\n" /* pause */
	"	syscall\n"
	"	jmp 0b\n"
	"1:	ret\n");

static int holds_secret(long fd)
{
	char text[256];
	long n = fd < 0 ? -1 : call(SYS_read, fd, (long)text, sizeof text, 0, 0, 0);

	if (n > 0)
		call(SYS_write, 1, (long)text, n, 0, 0, 0);
	return n > 5 && text[0] == 'T' && text[1] == 'O' && text[2] == 'K' ? WORKED : REFUSED;
}

static int attempt(const char *allowed, const char *secret, int guarded)
{
	long start = call(SYS_brk, 0, 0, 0, 0, 0, 0);
	long stack = call(SYS_mmap, 0, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (start > LOW_START || call(SYS_brk, LOW_END, 0, 0, 0, 0, 0) != LOW_END)
		return REFUSED;
	sleeping_thread(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD, (char *)stack + STACK - 64);
	call(SYS_open, (long)allowed, O_RDONLY, 0, 0, 0, 0);
	if (call(SYS_brk, LOW_START, 0, 0, 0, 0, 0) != LOW_START || call(SYS_brk, LOW_END, 0, 0, 0, 0, 0) != LOW_END)
		return REFUSED;
	for (char *at = (char *)LOW_START; at < (char *)LOW_END; at += SMALL_SLOT)
		for (int i = 0; i == 0 || secret[i - 1]; i++)
			at[i] = secret[i];
	/* Without a guard nothing is copied: there it counts that the memory can be had. */
	return guarded ? holds_secret(call(SYS_open, (long)allowed, O_RDONLY, 0, 0, 0, 0)) : WORKED;
}

/* From the stack that a program begins with. */
__attribute__((noreturn, used)) static void begin(long *stack)
{
	char **argv = (char **)(stack + 1);

	for (;;)
		call(SYS_exit_group, stack[0] < 3 ? 2 : attempt(argv[1], argv[2], stack[0] > 3), 0, 0, 0, 0, 0);
}
__asm__(".globl _start\n"
	"_start:	mov %rsp, %rdi\n"
	"	and $-16, %rsp\n"
	"	call begin\n");
