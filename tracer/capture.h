/* SPDX-License-Identifier: MIT */
/*
 * capture.h - the tool's stdout and stderr through pipes: kept for the
 * result, or passed on, in either case at most so many bytes of both together. What is beyond is read and thrown away,
 * so that the tool never waits for it. A thread of its own does it; memory is bounded by the limit.
 */
#ifndef PICKET_TRACER_CAPTURE_H
#define PICKET_TRACER_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is kept without a limit in the policy. */
#define CAPTURE_DEFAULT ((uint64_t)16 << 20)

struct capture;

/* Is there anything to limit in what goes to this descriptor of ours? Not where nobody gets it (/dev/null), nor on a
 * terminal: the tool would notice that it is none. */
bool capture_counts(int fd);

/* `keep`: for the result; else passed on to our own stdout and stderr. *out, *err: for the tool, close them after its
 * start; NULL: that one is left alone. Where ours are one and the same, so are the tool's, unless kept. 0 or -errno. */
int capture_start(struct capture **capture, bool keep, uint64_t limit, int *out, int *err);

/* All that was written is read, and the thread is gone. To be called when no writer is left. With `hurry` what our own
 * stdout and stderr do not take at once is lost: the run was ended, and whoever reads it may have stopped. */
void capture_finish(struct capture *capture, bool hurry);

/* What was kept; valid until capture_free. stream: 1 or 2. */
const char *capture_bytes(const struct capture *capture, int stream, size_t *length);
bool capture_truncated(const struct capture *capture);
void capture_free(struct capture *capture); /* NULL is allowed */

#endif
