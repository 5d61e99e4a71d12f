/* SPDX-License-Identifier: MIT */
/*
 * new_stack.h - what the kernel puts on the stack of a program that has just been executed and has run no instruction: the number of
 * arguments, their addresses, NULL, those of the environment, NULL, the auxiliary vector (System V ABI, AMD64, 3.4.1; getauxval(3)).
 */
#ifndef PICKET_TRACER_NEW_STACK_H
#define PICKET_TRACER_NEW_STACK_H

#include <stdint.h>
#include <sys/types.h>

/* The entry of that type in the auxiliary vector, or 0. `stack`: what rsp is. */
uint64_t new_stack_auxiliary(pid_t tid, uint64_t stack, uint64_t type);

/* Where the value of a variable, "NAME=", lies in the program's memory; or 0. */
uint64_t new_stack_variable(pid_t tid, uint64_t stack, const char *name);

#endif
