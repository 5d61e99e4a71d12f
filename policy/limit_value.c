/* SPDX-License-Identifier: MIT */
/*
 * limit_value.c - a limit as it is written on the command line: a number, perhaps with a fraction, and a unit.
 */
#include "limit_names.h"

#include <errno.h>
#include <string.h>

enum { WHOLE_DIGITS_MOST = 18, FRACTION_DIGITS_MOST = 9 };

struct unit {
	const char *suffix;
	uint64_t size;
};

/* Times in ns. */
static const struct unit times[] = {
	{"", 1000000000}, {"ms", 1000000}, {"s", 1000000000}, {"m", 60000000000}, {"h", 3600000000000}, {NULL, 0},
};
static const struct unit sizes[] = {
	{"", 1},
	{"K", UINT64_C(1) << 10},
	{"M", UINT64_C(1) << 20},
	{"G", UINT64_C(1) << 30},
	{"T", UINT64_C(1) << 40},
	{NULL, 0},
};
static const struct unit counts[] = {{"", 1}, {NULL, 0}};

static const struct unit *const units[] = {
	[LIMIT_TIME] = times,
	[LIMIT_BYTES] = sizes,
	[LIMIT_COUNT] = counts,
};

static const struct unit *find_unit(enum limit_kind kind, const char *suffix)
{
	for (const struct unit *unit = units[kind]; unit->suffix; unit++)
		if (!strcmp(unit->suffix, suffix))
			return unit;
	return NULL;
}

int limit_parse(enum limit_kind kind, const char *text, uint64_t *value)
{
	static const char digits[] = "0123456789";
	size_t whole = strspn(text, digits), fraction = 0;
	const char *point = text + whole, *suffix = point;
	unsigned __int128 sum = 0;

	if (*point == '.' && kind != LIMIT_COUNT) {
		fraction = strspn(point + 1, digits);
		suffix = point + 1 + fraction;
	}
	const struct unit *unit = find_unit(kind, suffix);
	if (!unit || whole + fraction == 0)
		return -EINVAL;
	if (whole > WHOLE_DIGITS_MOST)
		return -ERANGE;
	for (size_t i = 0; i < whole; i++)
		sum = 10 * sum + (unsigned)(text[i] - '0');
	sum *= unit->size;
	unsigned __int128 part = 0, of = 1;
	for (size_t i = 0; i < fraction && i < FRACTION_DIGITS_MOST; i++) {
		part = 10 * part + (unsigned)(point[1 + i] - '0');
		of *= 10;
	}
	sum += part * unit->size / of;
	if (sum > INT64_MAX)
		return -ERANGE;
	*value = (uint64_t)sum;
	return 0;
}

const char *limit_form(enum limit_kind kind)
{
	static const char *const forms[] = {
		[LIMIT_TIME] = "seconds, such as 30 or 0.5, or 500ms, 2m, 1h",
		[LIMIT_BYTES] = "bytes, such as 1000000, 64K, 512M or 1.5G",
		[LIMIT_COUNT] = "a whole number",
	};

	return forms[kind];
}
