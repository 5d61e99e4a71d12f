/* SPDX-License-Identifier: MIT */
/*
 * loader_enter.S - the start of the code in the gate's page (wire.h): entered from the dynamic linker's open site by a jump that
 * gate_loader.c laid, with the address behind the place of that jump in rcx. One entrance for each kind of site.
 */
#include "serve.inc"

	.section .text.entrances, "ax", @progbits
	.globl loader_entrances
loader_entrances:
	move_arguments
	addq $8, %rcx	/* OPEN_SITE_MOVES */
	jmp loader_serve
	.org loader_entrances + 32	/* GATE_ENTRANCE */
loader_serve:
	serve loader_open

	.section .note.GNU-stack, "", @progbits
