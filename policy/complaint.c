/* SPDX-License-Identifier: MIT */
/* complaint.c - see complaint.h. */
#include "complaint.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int unicode_is_control(unsigned code)
{
	return code < 0x20 || (code >= 0x7f && code <= 0x9f);
}

size_t utf8_decode(const char *bytes, size_t length, unsigned *code)
{
	static const unsigned least[] = {0, 0, 0x80, 0x800, 0x10000}; /* by length: shorter forms are overlong */
	const unsigned char *at = (const unsigned char *)bytes;
	unsigned value;
	size_t need;

	if (!length)
		return 0;
	if (at[0] < 0x80) {
		*code = at[0];
		return 1;
	}
	if ((at[0] & 0xe0) == 0xc0) {
		need = 2;
		value = at[0] & 0x1fu;
	} else if ((at[0] & 0xf0) == 0xe0) {
		need = 3;
		value = at[0] & 0x0fu;
	} else if ((at[0] & 0xf8) == 0xf0) {
		need = 4;
		value = at[0] & 0x07u;
	} else {
		return 0;
	}
	if (length < need)
		return 0;
	for (size_t i = 1; i < need; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
		value = value << 6 | (at[i] & 0x3fu);
	}
	if (value < least[need] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
		return 0;
	*code = value;
	return need;
}

size_t complaint_escape(char *to, size_t size, const char *from, size_t length)
{
	size_t used = 0;

	for (size_t i = 0; i < length;) {
		unsigned code = 0;
		size_t n = utf8_decode(from + i, length - i, &code);
		if (n && !unicode_is_control(code)) {
			if (used + n >= size)
				break;
			memcpy(to + used, from + i, n);
			used += n;
			i += n;
			continue;
		}
		n = n ? n : 1;
		if (used + 4 * n >= size)
			break;
		for (size_t k = 0; k < n; k++, used += 4)
			snprintf(to + used, 5, "\\x%02x", (unsigned char)from[i + k]);
		i += n;
	}
	if (size)
		to[used] = '\0';
	return used;
}

int(complain)(struct complaint *complaint, int error, const char *format, ...)
{
	char raw[COMPLAINT_SIZE];
	va_list args;

	va_start(args, format);
	int n = vsnprintf(raw, sizeof raw, format, args);
	va_end(args);
	size_t length = n < 0 ? 0 : (size_t)n;
	if (length >= sizeof raw)
		length = sizeof raw - 1;
	complaint_escape(complaint->text, sizeof complaint->text, raw, length);
	return error;
}
