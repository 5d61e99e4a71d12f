/* SPDX-License-Identifier: MIT */
/* note.h - the note of the shim's ELF file, in words that an assembler knows too; init.c holds it to wire.h. */
#ifndef PICKET_PRELOAD_NOTE_H
#define PICKET_PRELOAD_NOTE_H

#define NOTE_OWNER   "Picket"
#define NOTE_TYPE    1
#define NOTE_VERSION 1

#endif
