/* SPDX-License-Identifier: MIT */
/*
 * plugin_note.h - a manifest inside the program it speaks of: an ELF note.
 *
 * One section of type SHT_NOTE that holds one note, name "Picket", type 1; its descriptor is the manifest in canonical
 * form with its signature (manifest.h). The content hash is taken over the
 * file without the descriptor's bytes. Therefore those bytes may be nothing but the
 * manifest: they must be exactly the canonical text, and no program header may reach them (a segment is mapped
 * in whole pages: nor the pages they are in), so that what is not hashed is never run.
 *
 * note_find reads what nobody has vouched for yet: it is small, asks every
 * offset, and does not use a library.
 */
#ifndef PICKET_TRACER_PLUGIN_NOTE_H
#define PICKET_TRACER_PLUGIN_NOTE_H

#include <stddef.h>
#include <stdint.h>

#include "complaint.h"
#include "plugin_program.h"

/*
 * Where the descriptor of the program's note is; length 0 when there is no note. 0, or -EINVAL with *why: two notes, or
 * one that a segment or the headers overlap. A file that is not 64-bit little-endian ELF, or that has broken section
 * headers, has no note.
 */
int note_find(const uint8_t *bytes, size_t length, const char *name, struct byte_range *descriptor,
	      struct complaint *why);

/*
 * A copy of the program with a note whose descriptor has room for exactly `room` bytes, all zero: malloc'ed,
 * *new_length bytes. 0, or -EINVAL (not a 64-bit ELF, or it has a note already), -ENOMEM with *why.
 */
int note_make(const uint8_t *bytes, size_t length, const char *name, size_t room, uint8_t **made, size_t *new_length,
	      struct complaint *why);

#endif
