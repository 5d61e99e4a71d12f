/* SPDX-License-Identifier: MIT */
/*
 * absent_site.c - a place of its own that opens names as libc's does, which the supervisor may put a jump at (tracer/absent.c).
 *   absent_site registers     what such an open leaves in the registers, the flags and below the stack pointer: as a system call does
 *   absent_site jumped        is there a jump, after many names that are missing?
 *   absent_site signals       signals that arrive at every byte of the code behind that jump: what do they find?
 *   absent_site attack DENIED ALLOWED   then it goes into the code behind that jump at every byte, changes it, and looks whether a
 *                             file was opened; and the same of one that is allowed
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

enum { NAMES = 1000, PAGE = 4096, WORDS = 16, REGISTERS = 15, CODE = 75 };

/* rax rbx rcx rdx rsi rbp r8 ... r15 rsp; rdi is AT_FDCWD. */
static const char *const names[REGISTERS] = {"rax", "rbx", "rcx", "rdx", "rsi", "rbp", "r8", "r9",
					     "r10", "r11", "r12", "r13", "r14", "r15", "rsp"};
enum { RAX, RBX, RCX, RDX, RSI, RBP, R8, R9, R10, R11, R12, R13, R14, R15, RSP };

uint64_t site_before[REGISTERS], site_after[REGISTERS], site_flags[2], site_below[WORDS], site_rdi;
void site_open(void);
extern uint8_t site_jump[];

__asm__(".text\n"
	".globl site_open, site_jump\n"
	"site_open:\n"
	"	pushq %rbx; pushq %rbp; pushq %r12; pushq %r13; pushq %r14; pushq %r15\n"
	"	pushq site_flags(%rip)\n"
	"	popfq\n"
	"	movq site_before+8*1(%rip), %rbx\n"
	"	movq site_before+8*3(%rip), %rdx\n"
	"	movq site_before+8*4(%rip), %rsi\n"
	"	movq site_before+8*5(%rip), %rbp\n"
	"	movq site_before+8*6(%rip), %r8\n"
	"	movq site_before+8*7(%rip), %r9\n"
	"	movq site_before+8*8(%rip), %r10\n"
	"	movq site_before+8*10(%rip), %r12\n"
	"	movq site_before+8*11(%rip), %r13\n"
	"	movq site_before+8*12(%rip), %r14\n"
	"	movq site_before+8*13(%rip), %r15\n"
	"	movq %rsp, site_before+8*14(%rip)\n"
	"	.set i, 0\n"
	"	.rept 16\n"
	"	movq $i * 3 + 0x5a5a0000, -128+8*i(%rsp)\n"
	"	.set i, i + 1\n"
	"	.endr\n"
	"	movl $-100, %edi\n"
	"site_jump:\n"
	"	movl $257, %eax\n"
	"	syscall\n"
	"	movq %rax, site_after+8*0(%rip)\n"
	"	movq %rbx, site_after+8*1(%rip)\n"
	"	movq %rdx, site_after+8*3(%rip)\n"
	"	movq %rsi, site_after+8*4(%rip)\n"
	"	movq %rbp, site_after+8*5(%rip)\n"
	"	movq %r8, site_after+8*6(%rip)\n"
	"	movq %r9, site_after+8*7(%rip)\n"
	"	movq %r10, site_after+8*8(%rip)\n"
	"	movq %r12, site_after+8*10(%rip)\n"
	"	movq %r13, site_after+8*11(%rip)\n"
	"	movq %r14, site_after+8*12(%rip)\n"
	"	movq %r15, site_after+8*13(%rip)\n"
	"	movq %rsp, site_after+8*14(%rip)\n"
	"	movq %rdi, site_rdi(%rip)\n"
	"	.set i, 0\n"
	"	.rept 16\n"
	"	movq -128+8*i(%rsp), %rax\n"
	"	movq %rax, site_below+8*i(%rip)\n"
	"	.set i, i + 1\n"
	"	.endr\n"
	"	pushfq\n"
	"	popq site_flags+8(%rip)\n"
	"	popq %r15; popq %r14; popq %r13; popq %r12; popq %rbp; popq %rbx\n"
	"	cld\n"
	"	ret\n");

static int64_t open_here(const char *name, uint64_t flags, uint64_t mode)
{
	site_before[RSI] = (uint64_t)(uintptr_t)name;
	site_before[RDX] = flags;
	site_before[R10] = mode;
	site_open();
	return (int64_t)site_after[RAX];
}

/* ---- registers ---------------------------------------------------------- */

/* What is not as it was, but for rax, rcx and r11. */
static void compare(const char *what)
{
	for (int i = 0; i < REGISTERS; i++)
		if (i != RAX && i != RCX && i != R11 && site_before[i] != site_after[i])
			printf("%s: %s is %#llx\n", what, names[i], (unsigned long long)site_after[i]);
	if ((int64_t)site_rdi != (uint32_t)AT_FDCWD)
		printf("%s: rdi is %#llx\n", what, (unsigned long long)site_rdi);
	if (site_flags[0] != site_flags[1])
		printf("%s: the flags are %#llx\n", what, (unsigned long long)site_flags[1]);
	for (uint64_t i = 0; i < WORDS; i++)
		if (site_below[i] != i * 3 + 0x5a5a0000)
			printf("%s: word %d below the stack pointer is %#llx\n", what, (int)i,
			       (unsigned long long)site_below[i]);
}

static void registers(void)
{
	static const uint64_t flags[] = {O_RDONLY, O_NOCTTY, O_CLOEXEC, O_NOCTTY | O_CLOEXEC};
	/* carry, parity, adjust, zero, sign, direction, overflow; and what is always set */
	static const uint64_t states[] = {0x202, 0x202 | 0xcd5, 0x202 | 0x001, 0x202 | 0x400};
	int wrong = 0;

	for (int i = 0; i < REGISTERS; i++)
		site_before[i] = UINT64_C(0xfedcba9876543210) ^ (uint64_t)i << 40 ^ (uint64_t)i;
	for (int i = 0; i < NAMES; i++) {
		site_flags[0] = states[i / 4 % 4];
		wrong += open_here("/usr/include/not-there", flags[i % 4], 0) != -ENOENT;
		compare("missing");
	}
	printf("wrong: %d\n", wrong);
	int64_t fd = open_here("/dev/null", O_RDONLY, 0);
	compare("there");
	printf("there: %d\n", fd >= 0);
	printf("upper half of the flags: %d\n",
	       (int)open_here("/usr/include/not-there", O_NOCTTY | UINT64_C(1) << 40, 0));
	compare("upper half of the flags");
	printf("a mode: %d\n", (int)open_here("/usr/include/not-there", O_RDONLY, UINT64_C(0xabcdef0123456789)));
	compare("a mode");
}

/* ---- attack ------------------------------------------------------------- */

/* The code that the site jumps to; NULL: it jumps nowhere. */
static uint8_t *code_of_supervisor(void)
{
	int32_t distance;

	for (int i = 0; i < NAMES; i++) /* where there can be no jump */
		syscall(SYS_openat, AT_FDCWD, "/usr/include/not-there", O_NOCTTY, 0);
	for (int i = 0; i < NAMES; i++)
		open_here("/usr/include/not-there", O_NOCTTY, 0);
	if (site_jump[0] != 0xe9)
		return NULL;
	memcpy(&distance, site_jump + 1, sizeof distance);
	return site_jump + 5 + distance;
}

/* Go there with the arguments of an open, and a number that does no harm where it does not set one. */
static void go(const uint8_t *to, const char *name, uint64_t flags)
{
	register uint64_t r10 __asm__("r10") = 0;

	__asm__ volatile("jmp *%%rcx"
			 :
			 : "D"(AT_FDCWD), "S"(name), "d"(flags), "a"(SYS_openat), "r"(r10), "c"(to)
			 : "memory");
	__builtin_unreachable();
}

static int open_descriptors(void)
{
	int count = 0;

	for (int fd = 0; fd < 64; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

/* How often a child that goes there has opened the file: its descriptors are ours. It may end as it likes. */
static int tries(const uint8_t *code, int length, const char *name)
{
	static const uint64_t flags[] = {O_RDONLY, O_CLOEXEC, O_NOFOLLOW, ~(uint64_t)O_NOCTTY};
	int opened = 0;

	for (int at = 0; at < length; at++)
		for (size_t f = 0; f < sizeof flags / sizeof flags[0]; f++) {
			int before = open_descriptors();
			pid_t child = (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, NULL, NULL, NULL, 0);
			if (child == 0) {
				alarm(2);
				go(code + at, name, flags[f]);
			}
			waitpid(child, NULL, 0);
			opened += open_descriptors() > before;
			for (int fd = 3; fd < 64; fd++)
				close(fd);
		}
	return opened;
}

/* mov $257, %eax; syscall; ud2 in place of it. */
static const uint8_t mine[] = {0xb8, 0x01, 0x01, 0, 0, 0x0f, 0x05, 0x0f, 0x0b};

static bool change(uint8_t *code)
{
	uint8_t *page = (uint8_t *)((uintptr_t)code & ~(uintptr_t)(PAGE - 1)); /* which we may run in */

	if (mprotect(page, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC) < 0)
		return false;
	memcpy(code, mine, sizeof mine);
	return true;
}

static long make_filter(void)
{
	struct sock_filter pass = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog filter = {.len = 1, .filter = &pass};

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter);
}

static void attack(const char *denied, const char *allowed)
{
	uint8_t *code = code_of_supervisor();

	if (!code) {
		puts("there is no jump");
		return;
	}
	printf("opened at some byte: %d\n", tries(code, CODE, denied));
	printf("control: what is allowed: %s\n", tries(code, CODE, allowed) > 0 ? "opened" : "never");
	printf("changed: %d\n", change(code));
	printf("opened by what is there now: %d\n", tries(code, 1, denied));
	printf("control: what is allowed: %s\n", tries(code, 1, allowed) > 0 ? "opened" : "never");
	/* then the supervisor has its code do nothing, and this is not its code any more */
	printf("a filter: %d\n", (int)make_filter());
	printf("unchanged: %d\n", memcmp(code, mine, sizeof mine) == 0);
}

/* ---- signals ------------------------------------------------------------ */

static greg_t found[NGREG];
static ucontext_t before_signal;

/* The trap flag is not set in the context to which we go back. */
static void on_trap(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)info;
	memcpy(found, ((ucontext_t *)context)->uc_mcontext.gregs, sizeof found);
	setcontext(&before_signal);
}

/* A trap comes behind the instruction behind the one that sets the flag. */
static void trap_at(const uint8_t *at, const char *name, uint64_t flags)
{
	register uint64_t r10 __asm__("r10") = 0;

	__asm__ volatile("pushfq\n"
			 "orq $0x100, (%%rsp)\n"
			 "popfq\n"
			 "jmp *%%rcx"
			 :
			 : "D"(AT_FDCWD), "S"(name), "d"(flags), "a"(SYS_newfstatat), "r"(r10), "c"(at)
			 : "memory");
	__builtin_unreachable();
}

/* The n-th place from which the flags are turned over, or back. */
static int turn(const uint8_t *code, int n)
{
	static const uint8_t not_rdx[] = {0x48, 0xf7, 0xd2};
	int at = 0;

	for (; at < CODE; at++)
		if (memcmp(code + at, not_rdx, sizeof not_rdx) == 0 && n-- == 0)
			break;
	return at;
}

/* What a signal finds that comes there. */
static void find(const uint8_t *at, const char *name, uint64_t flags)
{
	memset(found, 0, sizeof found);
	getcontext(&before_signal);
	if (found[REG_RIP] == 0)
		trap_at(at, name, flags);
}

static bool is_before_call(const char *name, uint64_t flags)
{
	return found[REG_RIP] == (greg_t)(uintptr_t)(site_jump + 5) && found[REG_RAX] == SYS_openat &&
	       (int)found[REG_RDI] == AT_FDCWD && found[REG_RSI] == (greg_t)(uintptr_t)name &&
	       found[REG_RDX] == (greg_t)flags && found[REG_R10] == 0;
}

static void signals(void)
{
	static const char name[] = "/usr/include/not-there";
	static uint8_t stack[65536];
	const stack_t other = {.ss_sp = stack, .ss_size = sizeof stack};
	struct sigaction action = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK};
	uint8_t *code = code_of_supervisor();
	int wrong = 0;

	if (!code) {
		puts("there is no jump");
		return;
	}
	int first = turn(code, 0) + 3, last = turn(code, 1);
	sigaltstack(&other, NULL);
	sigaction(SIGTRAP, &action, NULL);
	for (int at = 0; at < CODE; at++) {
		find(code + at, name, at >= first && at <= last ? ~(uint64_t)O_NOCTTY : O_NOCTTY);
		wrong += !is_before_call(name, O_NOCTTY);
	}
	printf("flags turned over: %d\n", first < last && last < CODE);
	printf("not before the call: %d\n", wrong);
	/* what lies there then is the program's own, which stays where it is */
	printf("changed: %d\n", change(code));
	find(code, name, O_NOCTTY);
	printf("in its own code: %d\n", found[REG_RIP] == (greg_t)(uintptr_t)code);
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 2 && strcmp(argv[1], "registers") == 0)
		registers();
	else if (argc == 2 && strcmp(argv[1], "jumped") == 0)
		puts(code_of_supervisor() ? "yes" : "no");
	else if (argc == 2 && strcmp(argv[1], "signals") == 0)
		signals();
	else if (argc == 4 && strcmp(argv[1], "attack") == 0)
		attack(argv[2], argv[3]);
	else
		return 2;
	return 0;
}
