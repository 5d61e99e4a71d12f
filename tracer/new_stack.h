/* SPDX-License-Identifier: MIT */
/*
 * new_stack.h - what the kernel puts on the stack of a program that has just been executed and has run no instruction: the number of
 * arguments, their addresses, NULL, those of the environment, NULL, the auxiliary vector (System V ABI, AMD64, 3.4.1; getauxval(3)).
 */
#ifndef PICKET_TRACER_NEW_STACK_H
#define PICKET_TRACER_NEW_STACK_H

#include <stdint.h>
#include <sys/types.h>

/* Entries of the auxiliary vector, 0: there is none. `stack`: what rsp is. */
struct new_stack_auxiliary {
	uint64_t vdso;	 /* AT_SYSINFO_EHDR */
	uint64_t linker; /* AT_BASE */
};
struct new_stack_auxiliary new_stack_auxiliary(pid_t tid, uint64_t stack);

/* Where the value of a variable, "NAME=", lies in the program's memory; or 0. */
uint64_t new_stack_variable(pid_t tid, uint64_t stack, const char *name);

#endif
