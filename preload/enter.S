/* SPDX-License-Identifier: MIT */
/*
 * enter.S - how a wrapped function begins, x86-64.
 *
 * Each is a stub that says which one it is. shim_enter keeps what the caller passed (arguments in registers; rax has the
 * number of vector registers for a variadic function), asks shim_check, and either jumps to the next definition
 * with everything as it was - stack, return address and arguments, so that whatever the function's type
 * is, and whether it returns once, twice or never, it is as if the caller had called it - or returns what a refusal is.
 */
	.text

#include "note.h"
/*
 * STUB_SIZE bytes each, and behind every STUB_GROUP of them a landing, of LANDING_SIZE, that all of those reach by a short jump: the one
 * says its number modulo 256, the other which 256 are meant. next.c finds the name of a stub by this layout. The number is in ah, the
 * shortest way to say it: of rax only al means anything to the function that is called (the psABI's "Parameter Passing").
 */
	.set wrap_index, 0

	.macro landing
1:	.byte 0xe9	/* jmp, the long one however near it is */
	.if wrap_index > 256
	.long enter_high - . - 4
	.else
	.long enter_low - . - 4
	.endif
	.endm

	.macro stub name
	.globl \name
	.type \name, @function
\name:
	movb $(wrap_index & 255), %ah
	.byte 0xeb, 1f - . - 1	/* jmp, the short one */
	.size \name, . - \name
	.set wrap_index, wrap_index + 1
	.if wrap_index % STUB_GROUP == 0
	landing
	.endif
	.endm

	.globl shim_stubs
	.hidden shim_stubs
shim_stubs:
/* One description for the unwinder is enough: none of them touches the stack. */
	.cfi_startproc
#define SAME(function, ...)   stub function;
#define MAPPED(function, ...) stub function;
#define HAND(function, ...)   stub function;
#define BODY(function)
#define LOOKUP(function)
#include "wrap.def"
	landing
	.cfi_endproc

/* The layout of struct frame in shim.h. */
#define FRAME_RAX    48
#define FRAME_RESULT 56
#define FRAME_STACK  64
#define FRAME_SIZE   80

	.p2align 4
	.type shim_enter, @function
shim_enter:
	.cfi_startproc
enter_high:
	movl $256, %r11d
	jmp 1f
enter_low:
	xorl %r11d, %r11d
1:	pushq %rbp
	.cfi_def_cfa_offset 16
	.cfi_offset %rbp, -16
	movq %rsp, %rbp
	.cfi_def_cfa_register %rbp
	subq $FRAME_SIZE, %rsp
	movq %rdi, 0(%rsp)
	movq %rsi, 8(%rsp)
	movq %rdx, 16(%rsp)
	movq %rcx, 24(%rsp)
	movq %r8, 32(%rsp)
	movq %r9, 40(%rsp)
	movq %rax, FRAME_RAX(%rsp)
	movzbl %ah, %esi
	addl %r11d, %esi
	leaq 16(%rbp), %rax
	movq %rax, FRAME_STACK(%rsp)
	movq %rsp, %rdi
	call shim_check
	testq %rax, %rax
	je 2f
	movq %rax, %r11
	movq 0(%rsp), %rdi
	movq 8(%rsp), %rsi
	movq 16(%rsp), %rdx
	movq 24(%rsp), %rcx
	movq 32(%rsp), %r8
	movq 40(%rsp), %r9
	movq FRAME_RAX(%rsp), %rax
	.cfi_remember_state
	leave
	.cfi_def_cfa %rsp, 8
	jmp *%r11
	.cfi_restore_state
2:	movq FRAME_RESULT(%rsp), %rax
	leave
	.cfi_def_cfa %rsp, 8
	ret
	.cfi_endproc
	.size shim_enter, . - shim_enter

#include "serve.inc"
/* Libc's open site jumps here (site.c). */
	.globl site_enter, site_enter_moves
	.hidden site_enter, site_enter_moves
	.type site_enter, @function
site_enter_moves:
	move_arguments
site_enter:
	movq site_call(%rip), %rcx
	serve site_open
	.size site_enter, . - site_enter

/* What the launcher reads before it has anything load this: made for which wire.h. */
	.section .note.picket, "a", @note
	.p2align 2
	.long 2f - 1f
	.long 4f - 3f
	.long NOTE_TYPE
1:	.asciz NOTE_OWNER
2:	.p2align 2
3:	.long NOTE_VERSION
4:

	.section .note.GNU-stack, "", @progbits
