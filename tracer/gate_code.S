/* SPDX-License-Identifier: MIT */
/* gate_code.S - the code that gate.c puts into the page: preload/loader.c and what it is linked with. */
	.section .rodata
	.globl gate_code, gate_code_end
	.hidden gate_code, gate_code_end
gate_code:
	.incbin "preload/loader.bin"
gate_code_end:

	.section .note.GNU-stack, "", @progbits
