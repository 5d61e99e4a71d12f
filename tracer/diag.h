/* SPDX-License-Identifier: MIT */
/*
 * diag.h - what Picket itself says to the user: lines on stderr that begin
 * "picket: ". Only the command functions and the run's top level call it; what is below
 * them returns errors. Each error reaches the user once, with what was
 * tried, on what, and what to do.
 */
#ifndef PICKET_TRACER_DIAG_H
#define PICKET_TRACER_DIAG_H

/*
 * One line, written at once so that lines of several processes do not mix. Control characters in it are escaped:
 * names may come from anybody. No newline at the end of the format.
 */
void diag(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same with ": " and what `error` (an errno, of either sign) means at the end. */
void diag_errno(int error, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
