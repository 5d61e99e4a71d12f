/* SPDX-License-Identifier: MIT */
/*
 * foreign.c - system calls by other doors of the processor (the 32-bit one, x32) and from code in odd places: made at
 * run time, on the stack, below every ordinary address.
 */
#include <link.h>
#include <sys/prctl.h>

#include "trials.h"

/* ---- int 0x80 in a 64-bit program: other numbers, 32-bit pointers ---- */

static char *low(const char *text)
{
	static char *page;
	if (page == NULL)
		page = mmap(NULL, 1 << 16, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	char *copy = strcpy(page, text);
	page += strlen(text) + 16;
	page -= (uintptr_t)page % 8;
	return copy;
}

static int old_call(int number, const void *first, long second, long third)
{
	int result;
	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(number), "b"((int)(intptr_t)first), "c"((int)second), "d"((int)third)
			 : "r8", "r9", "r10", "r11", "memory");
	return result;
}

TRIAL(old_open, LEAK, MAYBE, "int 0x80: open")
{
	spill(old_call(5, low(here.secret), O_RDONLY, 0));
}
TRIAL(old_openat, LEAK, MAYBE, "int 0x80: openat")
{
	spill(old_call(295, (void *)(intptr_t)AT_FDCWD, (long)low(here.secret), O_RDONLY));
}
TRIAL(old_creat, CHANGE, MAYBE, "int 0x80: creat, whose number is lseek's here")
{
	old_call(8, low(OUT("new")), 0644, 0);
}
TRIAL(old_unlink, CHANGE, MAYBE, "int 0x80: unlink, whose number is mprotect's here")
{
	old_call(10, low(here.victim), 0, 0);
}
TRIAL(old_rename, CHANGE, MAYBE, "int 0x80: rename")
{
	old_call(38, low(here.victim), (long)low(IN("taken")), 0);
}
TRIAL(old_execve, RUN, MAYBE, "int 0x80: execve, whose number is munmap's here")
{
	int *arguments = (int *)low("........................");
	arguments[0] = (int)(intptr_t)low(here.intruder);
	arguments[1] = 0;
	old_call(11, low(here.intruder), (long)arguments, 0);
}
TRIAL(old_connect, CONTACT, MAYBE, "int 0x80: socket and connect")
{
	unsigned char address[17] = {AF_INET, 0, (unsigned char)(here.port >> 8), (unsigned char)here.port, 127, 0,
				     0,	      1};
	char *to = memcpy(low("................"), address, 16);
	old_call(362, (void *)(intptr_t)old_call(359, (void *)AF_INET, SOCK_STREAM, 0), (long)to, 16);
}
TRIAL(old_socketcall, CONTACT, MAYBE, "int 0x80: socketcall, where the arguments lie in memory")
{
	unsigned char address[17] = {AF_INET, 0, (unsigned char)(here.port >> 8), (unsigned char)here.port, 127, 0,
				     0,	      1};
	char *to = memcpy(low("................"), address, 16);
	int *arguments = (int *)low("................");
	arguments[0] = AF_INET, arguments[1] = SOCK_STREAM, arguments[2] = 0;
	int fd = old_call(102, (void *)1, (long)arguments, 0);
	arguments[0] = fd, arguments[1] = (int)(intptr_t)to, arguments[2] = 16;
	old_call(102, (void *)3, (long)arguments, 0);
}
TRIAL(x32_open, LEAK, MAYBE, "x32: open")
{
	spill((int)raw(0x40000000 | SYS_open, here.secret, O_RDONLY));
}
TRIAL(x32_execve, RUN, MAYBE, "x32: execve")
{
	int arguments[] = {0};
	raw(0x40000000 | 520, here.intruder, arguments, arguments);
}
TRIAL(x86_read, LEAK, MAYBE, "a 32-bit program: read")
{
	run(at(here.tools, "trials-x86"), "r", here.secret, NULL);
}
TRIAL(x86_write, CHANGE, MAYBE, "a 32-bit program: create")
{
	run(at(here.tools, "trials-x86"), "w", OUT("new"), NULL);
}
TRIAL(x86_execute, RUN, MAYBE, "a 32-bit program: execute")
{
	run(at(here.tools, "trials-x86"), "x", here.intruder, NULL);
}

/* ---- code in odd places ---- */

/* mov %rdi..: open(rdi, O_RDONLY) and return. */
static const unsigned char open_code[] = {0xb8, 2, 0, 0, 0, 0x31, 0xf6, 0x0f, 0x05, 0xc3};
typedef long open_function(const char *path);

static void run_code_at(void *place)
{
	open_function *code;
	memcpy(place, open_code, sizeof(open_code));
	memcpy(&code, &place, sizeof(code));
	spill((int)code(here.secret));
}

TRIAL(code_made, LEAK, 0, "code written a moment ago")
{
	run_code_at(mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}
TRIAL(code_stack, LEAK, 0, "code on the stack")
{
	_Alignas(64) char space[64];
	uintptr_t page = (uintptr_t)space & ~4095UL;
	if (mprotect((void *)page, 4096, PROT_READ | PROT_WRITE | PROT_EXEC) == 0)
		run_code_at(space);
}
TRIAL(code_file, LEAK, 0, "code in a file inside, mapped to execute")
{
	int fd = open("code", O_RDWR | O_CREAT, 0755);
	if (write(fd, open_code, sizeof(open_code)) < 0)
		return;
	void *place = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	open_function *code;
	memcpy(&code, &place, sizeof(code));
	if (place != MAP_FAILED)
		spill((int)code(here.secret));
}
TRIAL(code_changed, LEAK, 0, "an instruction that becomes a system call after it ran once")
{
	unsigned char *place = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	open_function *code;
	memcpy(place, open_code, sizeof(open_code));
	memcpy(&code, &place, sizeof(code));
	place[7] = place[8] = 0x90;
	code(here.secret);
	place[7] = 0x0f, place[8] = 0x05;
	spill((int)code(here.secret));
}
TRIAL(code_libc, LEAK, DYNAMIC, "a system call instruction inside libc, jumped to")
{
	const unsigned char *text = (const unsigned char *)(uintptr_t)getppid;
	while (text[0] != 0x0f || text[1] != 0x05)
		text++;
	long result;
	__asm__ volatile("call *%1"
			 : "=a"(result)
			 : "r"(text), "a"(SYS_open), "D"(here.secret), "S"(0), "d"(0)
			 : "rcx", "r11", "memory");
	spill((int)result);
}
static void low_code(void *where)
{
	void *place =
		mmap(where, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	if (place == where)
		run_code_at(place);
}
/* Allowed or not, mapping there must give the code nothing. */
TRIAL(low_zero, LEAK, AS_ROOT | MAYBE, "code at address 0")
{
	low_code(NULL);
}
TRIAL(low_first, LEAK, 0, "code at 0x10000, the lowest address an ordinary user has")
{
	low_code((void *)0x10000);
}
TRIAL(low_second, LEAK, 0, "code at 0x11000")
{
	low_code((void *)0x11000);
}
TRIAL(low_unmapped, LEAK, 0, "everything below the program unmapped, then code there")
{
	munmap((void *)0x10000, 0x100000);
	low_code((void *)0x10000);
	spill((int)raw(SYS_open, here.secret, O_RDONLY));
}
TRIAL(low_moved, LEAK, 0, "a page moved to 0x10000")
{
	char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void *place = mremap(page, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)0x10000);
	run_code_at(place == MAP_FAILED ? page : place);
}
TRIAL(low_how, LEAK, 0, "openat2 whose struct lies at 0x10000")
{
	uint64_t *how =
		mmap((void *)0x10000, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	uint64_t own[3] = {0};
	if (how == MAP_FAILED)
		how = own;
	for (int fd = 3; fd < 64; fd++)
		spill((int)raw(SYS_openat2, fd, "secret", how, 24));
	spill((int)raw(SYS_openat2, AT_FDCWD, here.secret, how, 24));
}
TRIAL(low_program, LEAK, 0, "a program whose code lies at 0x10000 reads")
{
	run_self("trials-low", "read_raw_open", here.environment);
}
TRIAL(low_program_code, LEAK, 0, "a program at 0x10000 that makes code")
{
	run_self("trials-low", "code_made", here.environment);
}
TRIAL(low_grown_stack, LEAK, 0, "a mapping that grows down towards it")
{
	char *page = mmap((void *)0x20000, 4096, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_FIXED_NOREPLACE, -1, 0);
	if (page != MAP_FAILED)
		page[0] = 1;
	spill((int)raw(SYS_open, here.secret, O_RDONLY));
}
