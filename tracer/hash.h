/* SPDX-License-Identifier: MIT */
/*
 * hash.h - uthash, which by itself would end the program without a word, and
 * with the status of a tool, when a table finds no memory. A table that can do without an
 * entry (result_store.h) asks uthash for HASH_NONFATAL_OOM instead.
 */
#ifndef PICKET_TRACER_HASH_H
#define PICKET_TRACER_HASH_H

/* Says so and exits as Picket does when it fails. A supervisor's tree ends with it. */
_Noreturn void hash_no_memory(void);

#define uthash_fatal(message) hash_no_memory()
#include <uthash.h>

#endif
