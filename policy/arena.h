/* SPDX-License-Identifier: MIT */
/*
 * arena.h - memory that is all released at once: what lives as long as one policy does. Outside only.
 */
#ifndef PICKET_POLICY_ARENA_H
#define PICKET_POLICY_ARENA_H

#include <stddef.h>

struct arena;

struct arena *arena_new(void); /* NULL: out of memory */
void arena_free(struct arena *arena);

/* Each returns NULL when out of memory; what was allocated before stays. */
void *arena_alloc(struct arena *arena, size_t size);			 /* zeroed, aligned for anything */
char *arena_copy(struct arena *arena, const char *bytes, size_t length); /* a NUL is added */
char *arena_text(struct arena *arena, const char *text);
__attribute__((format(printf, 2, 3))) char *arena_print(struct arena *arena, const char *format, ...);

#endif
