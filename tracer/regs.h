/* SPDX-License-Identifier: MIT */
/*
 * regs.h - the registers of a stopped thread as a system call: number,
 * arguments, result. The only architecture-specific file pair (x86-64).
 */
#ifndef PICKET_TRACER_REGS_H
#define PICKET_TRACER_REGS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/user.h>

enum { CALL_ARG_COUNT = 6 };

/* A call that a thread is stopped at, as the kernel tells it (PTRACE_GET_SYSCALL_INFO, Linux 5.3). */
struct call_stop {
	long number;
	uint64_t args[CALL_ARG_COUNT];
	uint64_t ip, sp; /* instruction after the call, stack pointer */
	bool foreign;	 /* int 0x80 or a 32-bit program: not the x86-64 numbers */
	bool x32;	 /* the x32 bit was set in the number */
	bool exit;	 /* stopped at the end of the call, not at its start */
	int64_t result;	 /* at the end: value or -errno */
};

/* 0, -ESRCH (thread is gone) or -EINVAL (not stopped at a call). */
int regs_call(pid_t tid, struct call_stop *stop);

/* A thread that has made a task by the call it is in: the CLONE_* flags of that call (clone(2)), which nobody can change any more; or -1,
 * they lie in memory or cannot be told. */
int64_t regs_clone_flags(pid_t tid);

/* All registers, for changing a call and putting things back. 0 or -errno. */
int regs_get(pid_t tid, struct user_regs_struct *regs);
int regs_set(pid_t tid, const struct user_regs_struct *regs);

/* The thread is at the start of a call: skip it, so that it returns `result`. 0 or -errno. */
int regs_skip(pid_t tid, int64_t result);
/* At the end of a call: make this its result. */
void regs_result(struct user_regs_struct *regs, int64_t result);
/* At the start of a call: make it this one. */
void regs_call_set(struct user_regs_struct *regs, long number, const uint64_t args[CALL_ARG_COUNT]);
/* The arguments of `original`, all else as it is: for a child that was made by a call which replaced another. */
void regs_arguments(struct user_regs_struct *regs, const struct user_regs_struct *original);
/* At the end of a call that replaced another: go back and make the call of `original` (registers at its start) again. */
void regs_again(struct user_regs_struct *regs, const struct user_regs_struct *original);

/* Outside of any call, or when one is over: about to make this one, by the `syscall` instruction at `address`, with the arguments that are
 * in the registers. */
void regs_before_call(struct user_regs_struct *regs, uint64_t address, long number);

/*
 * At the end of an exec's call, before the first instruction: make this call first, by the `syscall` instruction at
 * `address`, and come to a SIGTRAP behind it (at most one instruction further). regs_called then tells its result; `before` is
 * to be put back.
 * -ENOEXEC: it is a program of another ABI, which has no such instruction.
 */
int regs_call_at(pid_t tid, const struct user_regs_struct *before, uint64_t address, long number,
		 const uint64_t args[CALL_ARG_COUNT]);
int64_t regs_called(const struct user_regs_struct *regs);

/* At PTRACE_EVENT_EXEC: begin at this address instead, with these arguments for a call that the code there makes. Not with
 * its number: the kernel is yet to write the exec's result over that register. */
int regs_begin_at(pid_t tid, const struct user_regs_struct *before, uint64_t address,
		  const uint64_t args[CALL_ARG_COUNT]);

/* Does it run 64-bit code? */
bool regs_64_bit(const struct user_regs_struct *regs);

/* Is this result a request of the kernel's to restart the call (ERESTARTSYS and its kin)? Seen only by tracers. */
bool regs_restarts(int64_t result);

#endif
