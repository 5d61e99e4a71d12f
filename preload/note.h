/* SPDX-License-Identifier: MIT */
/* note.h - what the assembler must know too: the note of the shim's ELF file, which init.c holds to wire.h; and how stubs lie. */
#ifndef PICKET_PRELOAD_NOTE_H
#define PICKET_PRELOAD_NOTE_H

#define NOTE_OWNER "Picket"
#define NOTE_TYPE 1
#define NOTE_VERSION 1

#define STUB_SIZE 4
#define STUB_GROUP 32
#define LANDING_SIZE 5

#endif
