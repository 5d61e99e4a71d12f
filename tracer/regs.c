/* SPDX-License-Identifier: MIT */
/*
 * regs.c - see regs.h. x86-64: number in orig_rax, arguments in rdi rsi rdx
 * r10 r8 r9, result in rax (syscall(2)).
 */
#include "regs.h"

#include <errno.h>
#include <linux/audit.h>
#include <sched.h>
#include <stddef.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/types.h>

#define X32_BIT 0x40000000l   /* <asm/unistd.h>: __X32_SYSCALL_BIT */
#define SYSCALL_INSN_LENGTH 2 /* 0f 05 */
#define CODE_64 0x33u	      /* <asm/segment.h>: __USER_CS */
#define TRAP_FLAG 0x100u      /* <asm/processor-flags.h>: X86_EFLAGS_TF */

/* Internal results of the kernel (include/linux/errno.h); a tracer sees them at the end of an interrupted call. */
enum { ERESTARTSYS = 512, ERESTARTNOINTR = 513, ERESTARTNOHAND = 514, ERESTART_RESTARTBLOCK = 516 };

int regs_call(pid_t tid, struct call_stop *stop)
{
	struct __ptrace_syscall_info info = {0}; /* the kernel fills it in; valgrind does not know that */
	long n = ptrace(PTRACE_GET_SYSCALL_INFO, tid, (void *)sizeof info, &info);

	if (n < 0)
		return -errno;
	memset(stop, 0, sizeof *stop);
	stop->foreign = info.arch != AUDIT_ARCH_X86_64;
	stop->ip = info.instruction_pointer;
	stop->sp = info.stack_pointer;
	switch (info.op) {
	case PTRACE_SYSCALL_INFO_ENTRY:
	case PTRACE_SYSCALL_INFO_SECCOMP: /* nr and args lie at the same place in both */
		stop->number = (long)info.entry.nr;
		for (int i = 0; i < CALL_ARG_COUNT; i++)
			stop->args[i] = info.entry.args[i];
		stop->x32 = stop->number >= 0 && (stop->number & X32_BIT) != 0;
		return 0;
	case PTRACE_SYSCALL_INFO_EXIT:
		stop->exit = true;
		stop->result = info.exit.rval;
		return 0;
	default:
		return -EINVAL;
	}
}

/* False: the thread is gone. */
static bool peek(pid_t tid, size_t offset, uint64_t *value)
{
	errno = 0;
	*value = (uint64_t)ptrace(PTRACE_PEEKUSER, tid, (void *)offset, NULL); /* NOLINT: as it is declared */
	return errno == 0;
}

int64_t regs_clone_flags(pid_t tid)
{
	uint64_t number, flags;

	if (!peek(tid, offsetof(struct user_regs_struct, orig_rax), &number))
		return -1;
	switch (number) {
	case SYS_fork:
		return 0;
	case SYS_vfork:
		return CLONE_VFORK | CLONE_VM;
	case SYS_clone:
		return peek(tid, offsetof(struct user_regs_struct, rdi), &flags) ? (int64_t)(uint32_t)flags : -1;
	default:
		return -1;
	}
}

int regs_get(pid_t tid, struct user_regs_struct *regs)
{
	return ptrace(PTRACE_GETREGS, tid, NULL, regs) < 0 ? -errno : 0;
}

int regs_set(pid_t tid, const struct user_regs_struct *regs)
{
	return ptrace(PTRACE_SETREGS, tid, NULL, regs) < 0 ? -errno : 0;
}

static int poke(pid_t tid, size_t offset, uint64_t value)
{
	return ptrace(PTRACE_POKEUSER, tid, (void *)offset, (void *)(uintptr_t)value) < 0
		       ? -errno
		       : 0; /* NOLINT: as it is declared */
}

int regs_skip(pid_t tid, int64_t result)
{
	/* -1 is no call: seccomp(2), "if the tracer changes the system call number to -1, the call is skipped". */
	int r = poke(tid, offsetof(struct user_regs_struct, orig_rax), UINT64_MAX);

	return r < 0 ? r : poke(tid, offsetof(struct user_regs_struct, rax), (uint64_t)result);
}

void regs_result(struct user_regs_struct *regs, int64_t result)
{
	regs->rax = (unsigned long long)result;
}

void regs_call_set(struct user_regs_struct *regs, long number, const uint64_t args[CALL_ARG_COUNT])
{
	regs->orig_rax = (unsigned long long)number;
	regs->rdi = args[0];
	regs->rsi = args[1];
	regs->rdx = args[2];
	regs->r10 = args[3];
	regs->r8 = args[4];
	regs->r9 = args[5];
}

void regs_arguments(struct user_regs_struct *regs, const struct user_regs_struct *original)
{
	regs->rdi = original->rdi;
	regs->rsi = original->rsi;
	regs->rdx = original->rdx;
	regs->r10 = original->r10;
	regs->r8 = original->r8;
	regs->r9 = original->r9;
}

void regs_again(struct user_regs_struct *regs, const struct user_regs_struct *original)
{
	*regs = *original;
	regs->rax = original->orig_rax;
	regs->rip = original->rip - SYSCALL_INSN_LENGTH;
	/* No call is under way any more, or the kernel would apply its restart logic to rax. */
	regs->orig_rax = (unsigned long long)-1;
}

void regs_before_call(struct user_regs_struct *regs, uint64_t address, long number)
{
	regs->rip = address;
	regs->rax = (unsigned long long)number;
	regs->orig_rax = (unsigned long long)-1; /* as in regs_again */
}

bool regs_64_bit(const struct user_regs_struct *regs)
{
	return regs->cs == CODE_64;
}

int regs_call_at(pid_t tid, const struct user_regs_struct *before, uint64_t address, long number,
		 const uint64_t args[CALL_ARG_COUNT])
{
	struct user_regs_struct regs = *before;

	if (!regs_64_bit(before))
		return -ENOEXEC;
	regs_call_set(&regs, number, args);
	regs.rax = (unsigned long long)number;
	regs.orig_rax = (unsigned long long)-1; /* outside of any call */
	regs.rip = address;
	regs.rbp = regs.rsp; /* behind the call a function may end, by `leave` perhaps */
	regs.eflags |=
		TRAP_FLAG; /* the call itself clears it while it goes on (MSR IA32_FMASK): the trap comes behind it */
	return regs_set(tid, &regs);
}

int regs_begin_at(pid_t tid, const struct user_regs_struct *before, uint64_t address,
		  const uint64_t args[CALL_ARG_COUNT])
{
	struct user_regs_struct regs = *before;

	regs_call_set(&regs, (long)before->orig_rax, args);
	regs.rip = address;
	return regs_set(tid, &regs);
}

int64_t regs_called(const struct user_regs_struct *regs)
{
	return (int64_t)regs->rax;
}

bool regs_restarts(int64_t result)
{
	return result == -ERESTARTSYS || result == -ERESTARTNOINTR || result == -ERESTARTNOHAND ||
	       result == -ERESTART_RESTARTBLOCK;
}
