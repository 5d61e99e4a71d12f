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

/* One for each number of arguments: what a call does not take is not loaded. */
#define RAW_CALL(...)                                                                      \
	__asm__ volatile("syscall" : "=a"(result) : __VA_ARGS__ : "rcx", "r11", "memory"); \
	return result

static inline long raw0(long number)
{
	long result;

	RAW_CALL("a"(number));
}

static inline long raw1(long number, uint64_t a)
{
	long result;

	RAW_CALL("a"(number), "D"(a));
}

static inline long raw2(long number, uint64_t a, uint64_t b)
{
	long result;

	RAW_CALL("a"(number), "D"(a), "S"(b));
}

static inline long raw3(long number, uint64_t a, uint64_t b, uint64_t c)
{
	long result;

	RAW_CALL("a"(number), "D"(a), "S"(b), "d"(c));
}

static inline long raw4(long number, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	long result;
	register uint64_t r10 __asm__("r10") = d;

	RAW_CALL("a"(number), "D"(a), "S"(b), "d"(c), "r"(r10));
}

static inline long raw5(long number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e)
{
	long result;
	register uint64_t r10 __asm__("r10") = d;
	register uint64_t r8 __asm__("r8") = e;

	RAW_CALL("a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8));
}

static inline long raw6(long number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	long result;
	register uint64_t r10 __asm__("r10") = d;
	register uint64_t r8 __asm__("r8") = e;
	register uint64_t r9 __asm__("r9") = f;

	RAW_CALL("a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9));
}

#define RAW_WORD(x) ((uint64_t)(x))
#define RAW0(n) raw0(n)
#define RAW1(n, a) raw1(n, RAW_WORD(a))
#define RAW2(n, a, b) raw2(n, RAW_WORD(a), RAW_WORD(b))
#define RAW3(n, a, b, c) raw3(n, RAW_WORD(a), RAW_WORD(b), RAW_WORD(c))
#define RAW4(n, a, b, c, d) raw4(n, RAW_WORD(a), RAW_WORD(b), RAW_WORD(c), RAW_WORD(d))
#define RAW5(n, a, b, c, d, e) raw5(n, RAW_WORD(a), RAW_WORD(b), RAW_WORD(c), RAW_WORD(d), RAW_WORD(e))
#define RAW6(n, a, b, c, d, e, f) raw6(n, RAW_WORD(a), RAW_WORD(b), RAW_WORD(c), RAW_WORD(d), RAW_WORD(e), RAW_WORD(f))
#define RAW_EIGHTH(n, a, b, c, d, e, f, which, ...) which
/* raw(__NR_close, fd): the number, then up to six arguments. */
#define raw(...) RAW_EIGHTH(__VA_ARGS__, RAW6, RAW5, RAW4, RAW3, RAW2, RAW1, RAW0, )(__VA_ARGS__)

static inline bool raw_failed(long result)
{
	return (unsigned long)result > -4096ul;
}

#endif
