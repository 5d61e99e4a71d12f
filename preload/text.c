/* SPDX-License-Identifier: MIT */
/* text.c - see shim.h; also what a compiler calls without being asked. */
#include <asm-generic/errno.h>

#include "shim.h"

/* By what a compiler makes of other code, as late as when all of it is looked at as one. */
#define CALLED __attribute__((used))

CALLED void *memcpy(void *restrict to, const void *restrict from, size_t count)
{
	void *start = to;

	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
	return start;
}

CALLED void *memset(void *to, int byte, size_t count)
{
	void *start = to;

	__asm__ volatile("rep stosb" : "+D"(to), "+c"(count) : "a"(byte) : "memory");
	return start;
}

CALLED void *memmove(void *to, const void *from, size_t count)
{
	char *t = to;
	const char *f = from;

	if (t <= f || t >= f + count)
		return memcpy(to, from, count);
	while (count-- > 0)
		((volatile char *)t)[count] = f[count];
	return to;
}

CALLED int memcmp(const void *a, const void *b, size_t count)
{
	const unsigned char *x = a, *y = b;

	for (size_t i = 0; i < count; i++)
		if (x[i] != y[i])
			return x[i] < y[i] ? -1 : 1;
	return 0;
}

/*
 * The kernel is asked to read it as a set of signals, for an operation that there is not: EFAULT if it cannot, EINVAL if it
 * can. What lies within an aligned word lies on one page.
 */
static bool readable_word(uint64_t address)
{
	enum { NO_SUCH_OPERATION = -1 };

	return raw(__NR_rt_sigprocmask, NO_SUCH_OPERATION, address & ~UINT64_C(7), 0, 8) == -EINVAL;
}

bool readable(const void *bytes, size_t length)
{
	uint64_t first = (uint64_t)bytes, last = first + length - 1;

	return first >= 4096 && last >= first && length <= 4096 && readable_word(first) &&
	       (first / 4096 == last / 4096 || readable_word(last));
}

size_t text_length(const char *text)
{
	const char *end = text;

	while (*(const volatile char *)end)
		end++;
	return (size_t)(end - text);
}

bool text_begins(const char *text, const char *start)
{
	while (*start)
		if (*text++ != *start++)
			return false;
	return true;
}

bool text_equal(const char *a, const char *b)
{
	return text_begins(a, b) && !a[text_length(b)];
}

bool text_ends(const char *text, size_t length, const char *end)
{
	size_t n = text_length(end);

	return length >= n && memcmp(text + length - n, end, n) == 0;
}

const char *text_find(const char *text, char byte)
{
	for (; *text; text++)
		if (*text == byte)
			return text;
	return NULL;
}

char *text_put(char *to, const char *text)
{
	while (*text)
		*to++ = *text++;
	*to = 0;
	return to;
}

char *text_put_number(char *to, unsigned long number)
{
	char digits[24];
	unsigned n = 0;

	do
		digits[n++] = (char)('0' + number % 10);
	while ((number /= 10) > 0);
	while (n > 0)
		*to++ = digits[--n];
	*to = 0;
	return to;
}

char *text_put_hex(char *to, unsigned long number)
{
	unsigned shift = 60;

	to = text_put(to, "0x");
	while (shift > 0 && number >> shift == 0)
		shift -= 4;
	for (;; shift -= 4) {
		*to++ = "0123456789abcdef"[number >> shift & 15];
		if (shift == 0)
			break;
	}
	*to = 0;
	return to;
}

unsigned long text_number(const char *text, const char **end)
{
	unsigned long number = 0;

	while (*text >= '0' && *text <= '9')
		number = number * 10 + (unsigned long)(*text++ - '0');
	if (end)
		*end = text;
	return number;
}
