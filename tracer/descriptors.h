/* SPDX-License-Identifier: MIT */
/* descriptors.h - closing many descriptors at once. */
#ifndef PICKET_TRACER_DESCRIPTORS_H
#define PICKET_TRACER_DESCRIPTORS_H

/* Close whatever is open from `first` to `last`, both included. Without close_range(2) (before Linux 5.9) /proc says what
 * is open. 0, or -errno, and then some may be open still. Safe after fork in a program with threads. */
int descriptors_close(unsigned first, unsigned last);

#endif
