/* SPDX-License-Identifier: MIT */
/* suggest.c - see suggest.h. The optimal string alignment distance, three rows at a time. */
#include "suggest.h"

#include <stddef.h>
#include <string.h>

enum { SUGGEST_MAX = 48 }; /* longer words have no neighbour */

static char folded(char byte)
{
	if (byte >= 'A' && byte <= 'Z')
		return (char)(byte - 'A' + 'a');
	return byte == '-' ? '_' : byte;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static size_t distance(const char *a, const char *b)
{
	size_t length_a = strlen(a), length_b = strlen(b);
	size_t rows[3][SUGGEST_MAX + 1];

	for (size_t j = 0; j <= length_b; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= length_a; i++) {
		size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *above2 = rows[(i + 1) % 3];

		row[0] = i;
		for (size_t j = 1; j <= length_b; j++) {
			size_t replaced = above[j - 1] + (folded(a[i - 1]) != folded(b[j - 1]));

			row[j] = least(replaced, least(above[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && folded(a[i - 1]) == folded(b[j - 2]) &&
			    folded(a[i - 2]) == folded(b[j - 1]))
				row[j] = least(row[j], above2[j - 2] + 1);
		}
	}
	return rows[length_a % 3][length_b];
}

const char *suggest(const char *word, const char *const *known)
{
	size_t length = strlen(word), best = 1 + length / 5;
	const char *nearest = NULL;

	if (length > SUGGEST_MAX)
		return NULL;
	for (; *known; known++) {
		size_t far;

		if (strlen(*known) > SUGGEST_MAX)
			continue;
		far = distance(word, *known);
		if (far <= best && (!nearest || far < best)) {
			best = far;
			nearest = *known;
		}
	}
	return nearest;
}
