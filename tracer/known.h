/* SPDX-License-Identifier: MIT */
/*
 * known.h - levels ptrace, seccomp and gate: names that were judged a moment ago. The same few files are opened and run again and
 * again: the C library, headers, the compiler. Where such a name leads to, and what the policies say of that, is what it was as
 * long as nobody in the run changes what names mean; a call that could do so is judged itself (judgement.moves_names), and then all
 * that is known is forgotten. For who is outside of the run it is looked whether the very same is there still, by one stat(2) in place of all
 * the rest; but for files that the policies let nobody change, such as those of the system.
 *
 * Known are only regular files and directories that were allowed, by absolute names: to be read, or to be run where nobody in the run can change the
 * program. Whether the text of the name can change under the kernel's eyes is asked each time (act_known).
 */
#ifndef PICKET_TRACER_KNOWN_H
#define PICKET_TRACER_KNOWN_H

#include <stdbool.h>
#include <stdint.h>

#include "decode.h"
#include "judge.h"

struct known;
struct known_name;

/* How long a name is known, ns of usage_moment. */
#define KNOWN_NS UINT64_C(1000000000)
/* NULL: out of memory, and then nothing is ever known. All functions take that. For one thread. */
struct known *known_begin(uint64_t life);
void known_end(struct known *known);

/* Was the first name of this request judged a moment ago, for the same, and is there what was there? Its text has been read, and nothing
 * else been asked. NULL: no. What is returned stays until the next call of one of the functions below. */
struct known_name *known_find(struct known *known, const struct request *request);

/* An exec: what is to be run is what it was then. False: out of memory. */
bool known_approve(const struct known_name *name, struct task *task);

/* The request has been judged, and what it names resolved. */
void known_note(const struct guard *guard, const struct request *request, const struct judgement *judgement);

/* This one is not to be found again. */
void known_drop(struct known_name *name);

/* What names mean may change. */
void known_forget(struct known *known);

#endif
