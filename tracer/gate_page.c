/* SPDX-License-Identifier: MIT */
/*
 * gate_page.c - see gate_page.h. What is at the page's address now stays there. An ELF file may ask for any address, also one that was changed
 * since it was judged: MAP_FIXED_NOREPLACE says it. Of a file that the run can change it is asked before, since then the program is
 * ended with a word. The filter lets this mmap pass.
 */
#include "gate_page.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>

#include "mapped.h"
#include "new_stack.h"
#include "out_of_turn.h"
#include "regs.h"
#include "wire.h"

/* Of mmap(2). */
static void arguments(const struct guard *guard, uint64_t args[CALL_ARG_COUNT])
{
	const uint64_t all[] = {GATE_START,
				GATE_LENGTH,
				(uint64_t)guard->gate.protection,
				MAP_SHARED | MAP_FIXED_NOREPLACE,
				guard->open_files + RESERVED_FD_GATE,
				0};

	memcpy(args, all, sizeof all);
}

bool gate_page_begin(struct guard *guard, struct task *task)
{
	uint64_t args[CALL_ARG_COUNT];

	if (regs_get(task->tid, &task->saved) < 0 || !regs_64_bit(&task->saved) ||
	    (task->approved.writable && !mapped_nothing_below(task->tid, RESERVED_END)))
		return false;
	struct new_stack stack = new_stack_of(task->tid, task->saved.rsp);
	struct new_stack_auxiliary from = new_stack_auxiliary(task->tid);
	bool serve = gate_withdraw(&guard->gate, &task->approved, &stack);
	uint64_t begin = gate_loader(&guard->gate, task->tid, from.linker, from.vdso, task->saved.rip, serve);
	arguments(guard, args);
	return begin != 0 && regs_begin_at(task->tid, &task->saved, begin, args) == 0;
}

bool gate_page_map(struct guard *guard, struct task *task)
{
	uint64_t args[CALL_ARG_COUNT];

	if (regs_get(task->tid, &task->saved) < 0)
		return false;
	struct new_stack stack = new_stack_of(task->tid, task->saved.rsp);
	struct new_stack_auxiliary from = new_stack_auxiliary(task->tid);
	arguments(guard, args);
	if (!from.vdso ||
	    regs_call_at(task->tid, &task->saved, from.vdso + (uint64_t)guard->gate.call_offset, SYS_mmap, args) < 0)
		return false;
	gate_withdraw(&guard->gate, &task->approved, &stack);
	task->gate_opens = true;
	out_of_turn_answered(guard, task->tid);
	ptrace(PTRACE_CONT, task->tid, NULL, NULL);
	return true;
}

bool gate_page_is_mapped(const struct task *task, int signal)
{
	siginfo_t info;

	return task->gate_opens && signal == SIGTRAP && ptrace(PTRACE_GETSIGINFO, task->tid, NULL, &info) == 0 &&
	       info.si_code == TRAP_TRACE;
}

bool gate_page_done(struct task *task)
{
	struct user_regs_struct regs;
	bool mapped = regs_get(task->tid, &regs) == 0 && regs_called(&regs) == (int64_t)GATE_START;

	task->gate_opens = false;
	return regs_set(task->tid, &task->saved) == 0 && mapped;
}
