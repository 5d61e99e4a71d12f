/* SPDX-License-Identifier: MIT */
/*
 * version.h - the version of this program, as `picket --version` and every
 * result say it.
 */
#ifndef PICKET_TRACER_VERSION_H
#define PICKET_TRACER_VERSION_H

#define PICKET_VERSION "0.1.0"

#endif
