/* SPDX-License-Identifier: MIT */
/*
 * gate_exec.c - attempts at how a new program gets the page of level gate: before its first instruction, in its dynamic linker or,
 * where it has none, by itself.
 */
#include "gate.h"

#include <elf.h>
#include <sys/auxv.h>
#include <sys/personality.h>

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

enum { STACK_LENGTH = 0x20000, ENTRY = 0x200, VDSO = 0x8000, CODE_END = 0x10000 };
static const uint64_t stack_start = 0x7ffffffff000 - STACK_LENGTH;	/* without ASLR */
/* write(1, where rsp was, 8), exit(1) */
static const unsigned char tells[] = {
	0x54, 0x48, 0x89, 0xe6, 0xbf, 1, 0, 0, 0, 0xba, 8, 0, 0, 0, 0xb8, SYS_write, 0, 0, 0, 0x0f, 0x05,
	0xbf, 1, 0, 0, 0, 0xb8, SYS_exit_group, 0, 0, 0, 0x0f, 0x05,
};

/* An ELF interpreter that the kernel maps over the stack, which it has just made. */
static void make_stack_file(char *file)
{
	const Elf64_Ehdr head = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT}, .e_type = ET_EXEC,
				 .e_machine = EM_X86_64, .e_version = EV_CURRENT, .e_entry = stack_start + ENTRY,
				 .e_phoff = sizeof head, .e_ehsize = sizeof head, .e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 1};
	const Elf64_Phdr segment = {.p_type = PT_LOAD, .p_flags = PF_R | PF_W | PF_X, .p_vaddr = stack_start,
				    .p_filesz = STACK_LENGTH, .p_memsz = STACK_LENGTH, .p_align = 0x1000};
	memcpy(file, &head, sizeof head);
	memcpy(file + sizeof head, &segment, sizeof segment);
	memcpy(file + ENTRY, tells, sizeof tells);
}

static void make_program_for(const char *interpreter)
{
	char file[ENTRY * 2] = {0};
	const Elf64_Ehdr head = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT}, .e_type = ET_DYN,
				 .e_machine = EM_X86_64, .e_version = EV_CURRENT, .e_phoff = sizeof head, .e_ehsize = sizeof head,
				 .e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 2};
	const Elf64_Phdr segments[] = {
		{.p_type = PT_INTERP, .p_offset = ENTRY, .p_filesz = strlen(interpreter) + 1},
		{.p_type = PT_LOAD, .p_flags = PF_R, .p_filesz = sizeof file, .p_memsz = sizeof file, .p_align = 0x1000},
	};
	memcpy(file, &head, sizeof head);
	memcpy(file + sizeof head, segments, sizeof segments);
	strcpy(file + ENTRY, interpreter);
	write_whole("program", file, sizeof file);
}

static pid_t start_program(int out)
{
	pid_t child = fork();

	NEED(child);
	if (child == 0) {
		close(1);
		dup(out);
		syscall(SYS_execve, "program", (char *[]){"program", NULL}, (char *[]){NULL});
		_exit(1);
	}
	return child;
}

/* The stack of a new program lies in a file, which is exchanged when the kernel has written to it, and says then that the vdso is
 * elsewhere in that file. What is put there is exchanged, too, before the first instruction. */
static int stack_exchanged(void)
{
	static char first[STACK_LENGTH], exchanged[STACK_LENGTH];
	const uint64_t vector[] = {0, 0, 0, 33 /* AT_SYSINFO_EHDR */, stack_start + VDSO, 0, 0};
	int won = REFUSED, status, ends[2];
	uint64_t rsp = 0;

	look_for_gate();
	if (!there && getenv("GUARDED"))
		return REFUSED; /* no gate, nothing to be gained */
	NEED(personality(ADDR_NO_RANDOMIZE));
	make_stack_file(first);
	write_whole("linker", first, sizeof first);
	make_program_for("./linker");
	NEED(pipe(ends));
	NEED(waitpid(start_program(ends[1]), &status, 0));
	close(ends[1]);
	if (read(ends[0], &rsp, sizeof rsp) != sizeof rsp)
		return REFUSED; /* such a program does not run */
	memset(exchanged, 0x90 /* nop */, sizeof exchanged);
	memcpy(exchanged, first, ENTRY);
	memcpy(exchanged + CODE_END, looks, sizeof looks);
	memcpy(exchanged + (rsp - stack_start), vector, sizeof vector);
	for (double over = seconds() + 2 * RACE_SECONDS; won == REFUSED && seconds() < over;) {
		write_whole("linker", first, sizeof first);
		pid_t child = start_program(-1);
		nanosleep(&(struct timespec){.tv_nsec = rand() % 600000}, NULL);
		kill(child, SIGSTOP);
		int fd = open("linker", O_RDWR | O_TRUNC); /* when the kernel has loaded it */
		if (fd >= 0) {
			NEED(pwrite(fd, exchanged, sizeof exchanged, 0) == sizeof exchanged ? 0 : -1);
			close(fd);
		}
		NEED(waitpid(child, &status, WUNTRACED));
		if (!WIFSTOPPED(status))
			continue;
		write_whole("linker", exchanged, sizeof exchanged);
		kill(child, SIGCONT);
		NEED(waitpid(child, &status, 0));
		won = WIFEXITED(status) && WEXITSTATUS(status) == NO_PAGE ? WORKED : REFUSED;
	}
	return won;
}

/*
 * Two linkers that begin at the same place: what is known of the first one, which has opens that could go by the gate, and room behind
 * its code, is written to the second one. There that room lies in the vdso, for which a hole was left, and what is written makes
 * of the vdso's call an instruction that says the page were mapped (mov %edi, %eax). When the page with the open is taken
 * away before that is written to, the page has to be mapped by the vdso's call.
 */
enum { BEHIND_VDSO = 0x40000, VDSO_LENGTH = 0x2000, SAYS_MAPPED = 0xf889, FAR = 0x20000 };
static uint64_t call_in_vdso(void)
{
	const unsigned char *vdso = (const unsigned char *)getauxval(AT_SYSINFO_EHDR);
	const Elf64_Phdr *code = (const Elf64_Phdr *)(vdso + ((const Elf64_Ehdr *)vdso)->e_phoff);

	while (!(code->p_flags & PF_X))
		code++;
	const unsigned char *call = memmem(vdso + code->p_offset, code->p_filesz, "\x0f\x05", 2);
	return call ? (uint64_t)(call - vdso) : 0;
}

/* A linker with these bytes of code, and a segment behind the hole or none. */
static void make_linker(const char *name, char *file, size_t length, bool hole)
{
	const Elf64_Ehdr head = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT}, .e_type = ET_DYN,
				 .e_machine = EM_X86_64, .e_version = EV_CURRENT, .e_entry = ENTRY, .e_phoff = sizeof head,
				 .e_ehsize = sizeof head, .e_phentsize = sizeof(Elf64_Phdr), .e_phnum = hole ? 2 : 1};
	const Elf64_Phdr segments[] = {
		{.p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_filesz = length, .p_memsz = length, .p_align = 0x1000},
		{.p_type = PT_LOAD, .p_flags = PF_R, .p_vaddr = BEHIND_VDSO, .p_filesz = 16, .p_memsz = 16, .p_align = 0x1000},
	};
	memcpy(file, &head, sizeof head);
	memcpy(file + sizeof head, segments, sizeof segments);
	memcpy(file + ENTRY, looks, sizeof looks);
	write_whole(name, file, length);
}

static int run_with(const char *linker, bool truncates)
{
	struct timespec wait = {0};
	int status, fd = -1, ends[2];
	char byte;

	make_program_for(linker);
	NEED(pipe2(ends, O_CLOEXEC));
	pid_t child = fork();
	NEED(child);
	if (child == 0) {
		execve("program", (char *[]){"program", NULL}, environ);
		_exit(1);
	}
	close(ends[1]);
	if (truncates) {
		NEED(read(ends[0], &byte, 1));	/* the old program is gone */
		for (int tries = 0; fd < 0 && tries < 1000; tries++)
			fd = open(linker, O_RDWR);	/* when the kernel has loaded it */
		wait.tv_nsec = rand() % 200000;
		for (double over = seconds() + (double)wait.tv_nsec / 1e9; seconds() < over;)
			;
		if (fd >= 0)
			NEED(ftruncate(fd, 0x1000));
		close(fd);
	}
	close(ends[0]);
	NEED(waitpid(child, &status, 0));
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static int vdso_patched(void)
{
	static const unsigned char opens[] = {0xb8, 0x01, 0x01, 0, 0, 0x48, 0x89, 0xfe, 0xbf, 0x9c, 0xff, 0xff, 0xff, 0x0f, 0x05};
	static char file[BEHIND_VDSO];
	uint64_t call = call_in_vdso(), room = BEHIND_VDSO - VDSO_LENGTH + call - 3, site = room + 2 + SAYS_MAPPED - FAR;

	look_for_gate();
	if (!there && getenv("GUARDED"))
		return REFUSED; /* no gate, nothing to be gained */
	if (!call)
		return NOT_HERE;
	memcpy(file + site, opens, sizeof opens);
	make_linker("first", file, room, false);
	run_with("./first", false);
	for (double over = seconds() + 2 * RACE_SECONDS; seconds() < over;) {
		make_linker("linker", file, site + sizeof opens, true);
		int r = run_with("./linker", true);
		if (getenv("SHOW"))
			fprintf(stderr, "%d ", r);
		if (r == NO_PAGE)
			return WORKED;
	}
	return REFUSED;
}

/* A program that may not be written to by the name that it is run by, but by another: when the kernel reads it, it has an ELF
 * interpreter, `kept`, which may neither be read nor run. That one says 2. */
static int linked_program_exchanged(void)
{
	static const unsigned char ends[] = {0x31, 0xff, 0xb8, SYS_exit_group, 0, 0, 0, 0x0f, 0x05};
	static const char kept[] = "./kept";
	char files[2][ENTRY * 2] = {0};
	int status, won = REFUSED;

	for (int with = 0; with < 2; with++) {
		const Elf64_Ehdr head = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT}, .e_type = ET_EXEC,
					 .e_machine = EM_X86_64, .e_version = EV_CURRENT, .e_entry = 0x400000 + ENTRY, .e_phoff = sizeof head,
					 .e_ehsize = sizeof head, .e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 2};
		const Elf64_Phdr segments[] = {
			{.p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_vaddr = 0x400000, .p_filesz = sizeof files[0],
			 .p_memsz = sizeof files[0], .p_align = 0x1000},
			{.p_type = with ? PT_INTERP : PT_NULL, .p_offset = ENTRY + sizeof ends, .p_filesz = sizeof kept},
		};
		memcpy(files[with], &head, sizeof head);
		memcpy(files[with] + sizeof head, segments, sizeof segments);
		memcpy(files[with] + ENTRY, ends, sizeof ends);
		memcpy(files[with] + ENTRY + sizeof ends, kept, sizeof kept);
	}
	NEED(chmod("linked", 0755));
	pid_t swapper = fork();
	NEED(swapper);
	for (int with = 0; swapper == 0; with ^= 1) {
		int fd = open("linked", O_WRONLY);
		if (fd >= 0)
			NEED(pwrite(fd, files[with], sizeof files[0], 0));
		close(fd);
		usleep((useconds_t)rand() % 300);
	}
	for (double over = seconds() + 2 * RACE_SECONDS; won == REFUSED && seconds() < over;) {
		pid_t child = fork();
		NEED(child);
		if (child == 0) {
			execl("../read/linked", "linked", (char *)NULL);
			_exit(1);
		}
		NEED(waitpid(child, &status, 0));
		if (getenv("SHOW"))
			fprintf(stderr, "%d ", WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status));
		won = WIFEXITED(status) && WEXITSTATUS(status) == 2 ? WORKED : REFUSED;
	}
	kill(swapper, SIGKILL);
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
	{GETS_OUT, "stack_exchanged", stack_exchanged},
	{GETS_OUT, "vdso_patched", vdso_patched},
	{GETS_OUT, "linked_program_exchanged", linked_program_exchanged},
	{HAS_TO_WORK, "static_program_made", static_program_made},
	{HAS_TO_WORK, "static_program_made_without_trap", static_program_made_without_trap},
};
MAIN(rows)
