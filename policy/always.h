/* SPDX-License-Identifier: MIT */
/*
 * always.h - names that no policy opens. Pure, async-signal-safe; shim and
 * supervisor ask the same lists. And which entries of other processes the kernel keeps to itself.
 */
#ifndef PICKET_POLICY_ALWAYS_H
#define PICKET_POLICY_ALWAYS_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Does this access (enum access bits) to this resolved name reach the machine itself: its memory, devices that lead past what a policy says, or what
 * changes the kernel or makes it run something outside of the run?
 */
bool always_machine(const char *name, size_t length, unsigned access);

/* Is this an entry of /proc/PID? Asked of a name as it is judged, that is one of a process outside the run, since those of the
 * run's are below /proc/self. */
bool always_stranger(const char *name, size_t length);

/* One whose contents the kernel gives only to who might trace that process (ptrace(2), "Ptrace access mode checking")? */
bool always_traced(const char *name, size_t length);

/* Does any of these names lie at or below this one, or this one below one of them? */
bool always_machine_near(const char *name, size_t length);

#endif
