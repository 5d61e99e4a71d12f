/* SPDX-License-Identifier: MIT */
/*
 * gate_exec.c - attempts at how a new program gets the page of level gate: before its first instruction, in its dynamic linker or,
 * where it has none, by itself.
 */
#include "gate.h"

#include <elf.h>

enum { NO_PAGE = 77 };
/* mincore(START, PAGE, rsp): exits with NO_PAGE when nothing is mapped there, else with 1. */
static const unsigned char looks[] = {
	0xb8, SYS_mincore, 0,	 0,    0,    0xbf,	     0,	   0,	 START >> 16, 0,    0xbe, 0, 0x10, 0, 0,
	0x48, 0x89,	   0xe2, 0x0f, 0x05, 0x85,	     0xc0, 0xbf, NO_PAGE,     0,    0,	  0, 0x78, 5, 0xbf,
	1,    0,	   0,	 0,    0xb8, SYS_exit_group, 0,	   0,	 0,	      0x0f, 0x05,
};

static size_t read_whole(const char *name, char **bytes)
{
	struct stat st;
	int fd;

	NEED(fd = open(name, O_RDONLY));
	NEED(fstat(fd, &st));
	*bytes = malloc((size_t)st.st_size);
	NEED(read(fd, *bytes, (size_t)st.st_size) == st.st_size ? 0 : -1);
	close(fd);
	return (size_t)st.st_size;
}

static void write_whole(const char *name, const char *bytes, size_t size)
{
	int fd;

	NEED(fd = open(name, O_RDWR | O_CREAT, 0755));
	NEED(ftruncate(fd, 0));
	NEED(pwrite(fd, bytes, size, 0) == (ssize_t)size ? 0 : -1);
	close(fd);
}

/* Is it a stopped program that has our linker, and nothing at the page's address? */
static bool has_no_page(pid_t child)
{
	char path[64], maps[8192];

	snprintf(path, sizeof path, "/proc/%d/maps", (int)child);
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, maps, sizeof maps - 1);
	if (fd >= 0)
		close(fd);
	maps[n > 0 ? n : 0] = 0;
	return strstr(maps, "/linker") && strncmp(maps, "00010000-", 9) != 0;
}

/* A program is stopped by a signal before its first instruction, and then all the code that it begins with is exchanged
 * in the file, which is its dynamic linker: it runs what it never should, without the page. */
static int linker_exchanged(void)
{
	static const char usual[] = "/lib64/ld-linux-x86-64.so.2";
	char *program, *linker;
	int won = REFUSED, status;

	look_for_gate();
	if (!there && getenv("GUARDED"))
		return REFUSED; /* no gate, nothing to be gained */
	size_t size = read_whole("/proc/self/exe", &program), linker_size = read_whole(usual, &linker);
	char *interpreter = memmem(program, size, usual, sizeof usual);
	if (!interpreter)
		return NOT_HERE;
	memcpy(interpreter, "./linker", sizeof "./linker");
	write_whole("program", program, size);
	const Elf64_Phdr *code = (const Elf64_Phdr *)(linker + ((const Elf64_Ehdr *)linker)->e_phoff);
	while (!(code->p_flags & PF_X))
		code++;
	size_t end = (code->p_offset + code->p_filesz + 4095) & ~4095ul;
	char *exchanged = memcpy(malloc(linker_size), linker, linker_size);
	memset(exchanged + code->p_offset, 0x90 /* nop */, end - code->p_offset);
	memcpy(exchanged + end - sizeof looks, looks, sizeof looks);
	for (double over = seconds() + RACE_SECONDS; won == REFUSED && seconds() < over;) {
		write_whole("linker", linker, linker_size);
		pid_t child = fork();
		NEED(child);
		if (child == 0) {
			execl("program", "program", "--list", NULL);
			_exit(1);
		}
		nanosleep(&(struct timespec){.tv_nsec = rand() % 1000000}, NULL);
		kill(child, SIGSTOP);
		NEED(waitpid(child, &status, WUNTRACED));
		if (!WIFSTOPPED(status))
			continue;
		if (has_no_page(child))
			write_whole("linker", exchanged, linker_size);
		kill(child, SIGCONT);
		NEED(waitpid(child, &status, 0));
		won = WIFEXITED(status) && WEXITSTATUS(status) == NO_PAGE ? WORKED : REFUSED;
	}
	return won;
}

/* A static program that the tool has just made: what is mapped in it when it begins is its own, and the page. A signal that is
 * kept from it waits. */
static int made_with(int signal)
{
	sigset_t kept;
	char name[4096] = { 0 }, *bytes;
	int status;

	NEED(readlink("/proc/self/exe", name, sizeof name - sizeof "interpreter"));
	strcpy(strrchr(name, '/') + 1, "interpreter");
	size_t size = read_whole(name, &bytes);
	write_whole("made", bytes, size);
	NEED(chmod("made", 0700));
	pid_t child = fork();
	if (child == 0) {
		sigemptyset(&kept);
		if (signal) {
			sigaddset(&kept, signal);
			sigprocmask(SIG_BLOCK, &kept, NULL);
			raise(signal);
		}
		execl("./made", "made", (char *)NULL);
		_exit(BROKEN);
	}
	NEED(waitpid(child, &status, 0));
	return WIFEXITED(status) && WEXITSTATUS(status) == 2 ? WORKED : REFUSED;	/* it wants arguments */
}
static int static_program_made(void) { return made_with(0); }
static int static_program_made_without_trap(void) { return made_with(SIGTRAP); }

static const struct row rows[] = {
	{GETS_OUT, "linker_exchanged", linker_exchanged},
	{HAS_TO_WORK, "static_program_made", static_program_made},
	{HAS_TO_WORK, "static_program_made_without_trap", static_program_made_without_trap},
};
MAIN(rows)
