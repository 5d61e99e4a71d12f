/* SPDX-License-Identifier: MIT */
/*
 * absent_code.S - see absent.c: what a copy of goes into the memory of a program, where it is jumped to in place of `mov $257, %eax`. It is
 * trusted with nothing. It opens nothing, but asks whether the name is there; if it is not, the answer is that of the open.
 *
 * To whoever made the call it is one: no register changes but rax, rcx and r11, as in any system call; nor do the flags, so that rcx is
 * compared by `jrcxz`; and nothing is written to the stack, where there may be no room (Go), or something below its pointer.
 */
#include <asm/unistd.h>
#define O_NOCTTY  0x100
#define O_CLOEXEC 0x80000
#define ENOENT    2

	.section .rodata
	.globl absent_code, absent_code_inert, absent_code_call, absent_code_behind, absent_code_length
	.globl absent_code_asks, absent_code_asked
	.hidden absent_code, absent_code_inert, absent_code_call, absent_code_behind, absent_code_length
	.hidden absent_code_asks, absent_code_asked
absent_code:
	/* flags that have no part in whether a name is found; others go the way of old (absent_answers in absent.c says the same) */
	movq %rdx, %rcx
	jrcxz 1f
	leaq -O_NOCTTY(%rdx), %rcx
	jrcxz 1f
	leaq -O_CLOEXEC(%rdx), %rcx
	jrcxz 1f
	leaq -(O_NOCTTY | O_CLOEXEC)(%rdx), %rcx
	jrcxz 1f
	jmp 2f
	/* the fourth argument means nothing to such an open, but to the look it would be flags */
1:	movq %r10, %rcx
	jrcxz 3f
	jmp 2f
	/* Where the status of what is there would go, none can go: ~flags is no address of a program's (EFAULT). It stands for the flags
	 * meanwhile, so that they need not be kept elsewhere. Not access(2), which asks for another user (the real one). */
3:	notq %rdx
8:	movl $__NR_newfstatat, %eax
	syscall
9:	notq %rdx
	leaq ENOENT(%rax), %rcx
	jrcxz 4f
2:	movl $__NR_openat, %eax
	.byte 0xe9	/* jmp to the site's `syscall` */
5:	.long 0
4:	.byte 0xe9	/* jmp behind it */
6:	.long 0
7:
	/* in place of its first bytes: it does nothing any more but the open */
absent_code_inert:
	.byte 0xeb, 2b - absent_code - 2
	/* where in it the two distances are, and its length */
absent_code_call:
	.byte 5b - absent_code
absent_code_behind:
	.byte 6b - absent_code
absent_code_length:
	.byte 7b - absent_code
	/* from where to where, both included, the flags are turned over */
absent_code_asks:
	.byte 8b - absent_code
absent_code_asked:
	.byte 9b - absent_code

	.section .note.GNU-stack, "", @progbits
