/* SPDX-License-Identifier: MIT */
/*
 * new_stack.h - what the kernel puts on the stack of a program that has just been executed and has run no instruction: the number of
 * arguments, their addresses, NULL, those of the environment, NULL, the auxiliary vector (System V ABI, AMD64, 3.4.1; getauxval(3)).
 */
#ifndef PICKET_TRACER_NEW_STACK_H
#define PICKET_TRACER_NEW_STACK_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { NEW_STACK_WORDS = 512 }; /* of a page */

/* What was read of it last, so that it is not read again. */
struct new_stack {
	pid_t tid;
	uint64_t start;			       /* what rsp is */
	uint64_t read, words[NEW_STACK_WORDS]; /* where `count` words were read */
	size_t count;
};
struct new_stack new_stack_of(pid_t tid, uint64_t start);

/*
 * Entries of the auxiliary vector, 0: there is none. Asked of the kernel, which keeps a copy: the stack may lie in a file, if a program's
 * interpreter asks for that address, and then whoever truncates that file and writes it anew says what is in it.
 */
struct new_stack_auxiliary {
	uint64_t vdso;	 /* AT_SYSINFO_EHDR */
	uint64_t linker; /* AT_BASE */
};
struct new_stack_auxiliary new_stack_auxiliary(pid_t pid);

/* Where the value of a variable, "NAME=", lies in the program's memory; or 0. */
uint64_t new_stack_variable(struct new_stack *stack, const char *name);

#endif
