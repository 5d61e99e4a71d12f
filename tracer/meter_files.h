/* SPDX-License-Identifier: MIT */
/*
 * meter_files.h - files that are memory: how much more of them the machine has than at the start of a run. Everybody
 * may have made them; the meter looks closer only when this is much.
 */
#ifndef PICKET_TRACER_METER_FILES_H
#define PICKET_TRACER_METER_FILES_H

#include <stdint.h>

struct meter_files;

int meter_files_open(struct meter_files **files); /* 0 or -errno */
/* Bytes more in shared memory of all kinds: tmpfs, memfd, System V, MAP_SHARED | MAP_ANONYMOUS. */
uint64_t meter_files_in_memory(const struct meter_files *files);
/* Bytes more on mounted, writable tmpfs. A tmpfs without a size (size=0) does not tell, and is not counted. */
uint64_t meter_files_on_tmpfs(const struct meter_files *files);
void meter_files_close(struct meter_files *files); /* NULL is allowed */

#endif
