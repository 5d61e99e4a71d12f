/* SPDX-License-Identifier: MIT */
/*
 * raw.h - system calls without a libc: the result is the kernel's, negative
 * errno on failure; errno is never touched. x86-64, as regs.c is on the other side.
 *
 * Rules for everything under preload/ (it runs inside of a stranger):
 *   - no libc, no heap, no locks, no stdio, no thread-local storage; async-signal-safe throughout
 *   - only general registers (-mgeneral-regs-only), so that what a caller passes in others stays
 *   - less than 3 KiB of stack on the way to a decision; larger things are mapped and unmapped
 *   - memory of the program is read only after the kernel has read it without EFAULT
 *   - what cannot be found out is refused
 */
#ifndef PICKET_PRELOAD_RAW_H
#define PICKET_PRELOAD_RAW_H

#include <asm/unistd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline long raw6(long number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	long result;
	register uint64_t r10 __asm__("r10") = d;
	register uint64_t r8 __asm__("r8") = e;
	register uint64_t r9 __asm__("r9") = f;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}

#define RAW_WORD(x) ((uint64_t)(x))
#define RAW_PICK(n, a, b, c, d, e, f, ...) \
	raw6(n, RAW_WORD(a), RAW_WORD(b), RAW_WORD(c), RAW_WORD(d), RAW_WORD(e), RAW_WORD(f))
/* raw(__NR_close, fd): the number, then up to six arguments. */
#define raw(...) RAW_PICK(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0)

static inline bool raw_failed(long result)
{
	return (unsigned long)result > -4096ul;
}

#endif
