/* SPDX-License-Identifier: MIT */
/* memory.c - attempts by way of memory: where the guard keeps arguments, and arguments that change after they were read. */
#include <setjmp.h>

#include "attempt.h"

#include <elf.h>
#include <limits.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>

/* ---- below 2 MiB, where the guard's sealed copies lie ---------------------- */

enum { LOW_START = 0x20000, LOW_END = 0x200000, SLOT = 0x2000 };

static const char allowed_name[] = "plain", secret_name[] = "../shut/secret";

static void no_room(int signal)
{
	(void)signal;
	_exit(REFUSED);
}

/* A mapping that grows down when it is touched grows over the place where the copies are mapped later. */
static int grows_down(void)
{
	char *low = mmap((void *)LOW_END, 4096, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_FIXED, -1, 0);

	if (low == MAP_FAILED)
		return REFUSED;
	NEED(close(open(strdup(allowed_name), O_CREAT | O_WRONLY, 0600)));
	signal(SIGSEGV, no_room);	/* something is mapped below, to which it keeps its distance */
	for (char *at = (char *)LOW_END - SLOT; at >= (char *)LOW_START; at -= SLOT)
		memcpy(at, secret_name, sizeof secret_name);
	/* The name lies on a page of a file, so the guard has to make a copy. Without a guard nothing is copied: there it counts
	 * that the memory can be had. */
	return getenv("GUARDED") ? holds_secret(open(allowed_name, O_RDONLY)) : WORKED;
}

/* The data segment begins where the file says: right below the place of the copies, which a smaller one then takes away. */
static int break_over_copies(void)
{
	char interpreter[PATH_MAX] = { 0 };
	const uint64_t headers = 3, interpreter_at = sizeof(Elf64_Ehdr) + headers * sizeof(Elf64_Phdr);

	NEED(readlink("/proc/self/exe", interpreter, sizeof interpreter - sizeof "interpreter"));
	strcpy(strrchr(interpreter, '/') + 1, "interpreter");
	const uint64_t length = strlen(interpreter) + 1;
	const Elf64_Ehdr head = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT }, .e_type = ET_DYN,
				  .e_machine = EM_X86_64, .e_version = EV_CURRENT, .e_entry = 0x1000, .e_phoff = sizeof head,
				  .e_ehsize = sizeof head, .e_phentsize = sizeof(Elf64_Phdr), .e_phnum = headers };
	const Elf64_Phdr segments[] = {
		{ .p_type = PT_INTERP, .p_flags = PF_R, .p_offset = interpreter_at, .p_filesz = length, .p_memsz = length, .p_align = 1 },
		/* the kernel rounds down to the alignment where it puts a program: to 0 */
		{ .p_type = PT_LOAD, .p_flags = PF_R, .p_align = UINT64_C(1) << 47 },
		{ .p_type = PT_LOAD, .p_flags = PF_R, .p_offset = LOW_START, .p_vaddr = LOW_START, .p_align = 0x1000 },
	};
	int fd = open("low", O_CREAT | O_WRONLY, 0700);
	NEED(write(fd, &head, sizeof head));
	NEED(write(fd, segments, sizeof segments));
	NEED(write(fd, interpreter, length));
	close(fd);
	NEED(close(open(allowed_name, O_CREAT | O_WRONLY, 0600)));
	NEED(personality(ADDR_NO_RANDOMIZE));
	execl("./low", "low", allowed_name, secret_name, getenv("GUARDED"), (char *)NULL);
	return REFUSED;
}

/* ---- text that the kernel writes to ----------------------------------------- */

enum { CUT = 4, PARENTS_MOST = 200, LENT_STACK = 65536 };
static char *lent_name;	/* "kept" and more, until the kernel puts four zeros behind it */

static int opens_until_cut(void *unused)
{
	(void)unused;
	for (int i = 0, cut = 0; i < 200000 && cut < 20; i++) {
		int fd = (int)syscall(SYS_open, lent_name, O_RDONLY, 0);
		if (holds_secret(fd) == WORKED)
			_exit(WORKED);
		if (fd >= 0)
			close(fd);
		cut += lent_name[CUT] == 0;
	}
	_exit(REFUSED);
}

/* A vfork child runs on the memory of its parent. When that is killed, the kernel clears the word that it named for its end. */
static void lend_memory_and_die(void)
{
	struct sigevent kills = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL };
	struct itimerspec soon = { .it_value.tv_nsec = 3000000 };
	timer_t timer;

	strcpy(lent_name, "keptzzzz");
	syscall(SYS_set_tid_address, lent_name + CUT);
	NEED(timer_create(CLOCK_MONOTONIC, &kills, &timer));
	NEED(timer_settime(timer, 0, &soon, NULL));
	char *stack = mmap(NULL, LENT_STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	NEED(clone(opens_until_cut, stack + LENT_STACK, CLONE_VM | CLONE_VFORK | SIGCHLD, NULL));
	_exit(REFUSED);
}

static int lender_dies(void)
{
	int status, worked = 0;

	NEED(prctl(PR_SET_CHILD_SUBREAPER, 1));
	NEED(close(open("keptzzzz", O_CREAT | O_WRONLY, 0600)));
	lent_name = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (int i = 0; i < PARENTS_MOST && !worked; i++) {
		if (fork() == 0)
			lend_memory_and_die();
		while (waitpid(-1, &status, 0) > 0)
			worked += WIFEXITED(status) && WEXITSTATUS(status) == WORKED;
	}
	return worked ? WORKED : REFUSED;
}

/* ---- text that is written after it was read --------------------------------- */

static volatile char shared_text[64];

static int rewrite(void *unused)
{
	(void)unused;
	for (size_t i = 1; i < sizeof secret_name; i++)
		shared_text[i] = secret_name[i];
	for (;;) {
		shared_text[0] = 0;
		for (volatile int i = 0; i < 300; i++)
			;
		shared_text[0] = secret_name[0];
		for (volatile int i = 0; i < 300; i++)
			;
	}
	return 0;
}

/* A process with the same memory and descriptors of its own: "" means a descriptor, and becomes a name. */
static int empty_becomes_name(void)
{
	struct stat before, after;
	int here, won = REFUSED;
	static const char victim[] = "../shut/victim";

	NEED(here = open(".", O_RDONLY | O_DIRECTORY));
	NEED(stat(victim, &before));
	pid_t child = clone(rewrite, new_stack(), CLONE_VM | SIGCHLD, NULL);
	NEED(child);
	for (double end = seconds() + RACE_SECONDS; won == REFUSED && seconds() < end;) {
		syscall(452 /* fchmodat2 */, here, shared_text, 0751, AT_EMPTY_PATH);
		struct timespec times[2] = { { 1000, 0 }, { 1000, 0 } };
		syscall(SYS_utimensat, here, shared_text, times, AT_EMPTY_PATH);
		stat("../shut/secret", &after);
		won = after.st_mtime == 1000 ? WORKED : REFUSED;
	}
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	return won;
}

/* By the instruction: no shim takes another way. */
static int names_secret(const char *name)
{
	int fd = (int)syscall(SYS_openat, AT_FDCWD, name, O_RDONLY), won = holds_secret(fd);

	if (fd >= 0)
		close(fd);
	return won;
}

/* Opens by a name in `text`, which another process writes through the descriptor `to`. */
static int changing_text(const char *text, int to)
{
	int won = REFUSED;

	NEED(text == MAP_FAILED ? -1 : 0);
	NEED(close(open(strdup(allowed_name), O_CREAT | O_WRONLY, 0600)));
	pid_t child = fork();
	NEED(child);
	while (child == 0) {
		pwrite(to, allowed_name, sizeof allowed_name, 0);
		for (volatile int i = 0; i < 300; i++)
			;
		pwrite(to, secret_name, sizeof secret_name, 0);
	}
	for (double end = seconds() + RACE_SECONDS; won == REFUSED && seconds() < end;) {
		won = names_secret(text);
	}
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	return won;
}

/* A page of a file that nobody may write, so it seems: it has no name that a rule could allow. */
static int nameless_text(void)
{
	int file;

	NEED(file = memfd_create("text", 0));
	NEED(ftruncate(file, 4096));
	NEED(pwrite(file, secret_name, sizeof secret_name, 0));
	return changing_text(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, file, 0), file);
}

/* A file that nobody may write, so its name says; but it has another one. */
static int text_with_two_names(void)
{
	int to, from;

	NEED(to = open("linked", O_RDWR));
	NEED(from = open("../read/linked", O_RDONLY));
	NEED(pwrite(to, secret_name, sizeof secret_name, 0));
	return changing_text(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, from, 0), to);
}

/* The same; and the other one is gone, but for the descriptor. */
static int text_whose_name_went(void)
{
	int to, from;

	NEED(to = open("linked", O_RDWR));
	NEED(from = open("../read/linked", O_RDONLY));
	NEED(unlink("linked"));
	NEED(pwrite(to, secret_name, sizeof secret_name, 0));
	return changing_text(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, from, 0), to);
}

/* The same; but it is our standard output. */
static int text_of_output(void)
{
	int from;

	NEED(from = open("/proc/self/fd/1", O_RDONLY));
	NEED(pwrite(1, secret_name, sizeof secret_name, 0));
	return changing_text(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, from, 0), 1);
}

static sigjmp_buf written;

static void went(int signal)
{
	(void)signal;
	siglongjmp(written, 1);
}

/* Our own copy of a page of a file; but to truncate the file takes the copy away, too, and then the file's own text is there. */
static int copied_text(void)
{
	const struct sigaction action = { .sa_handler = went, .sa_flags = SA_NODEFER };
	/* a guard looks at the name long before the kernel does; without one there would be hardly a moment between */
	const bool guarded = getenv("GUARDED") != NULL;
	const unsigned moment = guarded ? 0 : 5000, pause = guarded ? 20000 : 4000;
	volatile int won = REFUSED;
	int file;

	NEED(file = open("text", O_RDWR | O_CREAT, 0600));
	NEED(pwrite(file, secret_name, sizeof secret_name, 0));
	NEED(close(open(allowed_name, O_CREAT | O_WRONLY, 0600)));
	char *copy = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
	NEED(copy == MAP_FAILED ? -1 : 0);
	NEED(sigaction(SIGBUS, &action, NULL));
	pid_t child = fork();
	NEED(child);
	for (unsigned wait = 1; child == 0; wait = wait * 1103515245 + 12345) {
		if (ftruncate(file, 0) == 0)
			pwrite(file, secret_name, sizeof secret_name, 0);
		for (volatile unsigned i = 0; i < (wait >> 8) % pause; i++)
			;
	}
	/* as a control it may take longer where much else runs */
	for (double end = seconds() + (guarded ? 1 : 5) * RACE_SECONDS; won == REFUSED && seconds() < end;) {
		if (sigsetjmp(written, 1))
			continue;
		memcpy(copy, allowed_name, sizeof allowed_name);
		for (volatile unsigned i = 0; i < moment; i++)
			;
		won = names_secret(copy);
	}
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	return won;
}

/* Memory that the kernel may empty at any time, even while it is looked at. */
static int memory_that_vanishes(void)
{
	char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return madvise(page, 4096, 8 /* MADV_FREE */) == 0 ||
			       mmap(NULL, 4096, PROT_READ | PROT_WRITE, 8 /* MAP_DROPPABLE */ | MAP_ANONYMOUS, -1, 0) != MAP_FAILED ?
		       WORKED :
		       REFUSED;
}

static const struct row rows[] = {
	{ GETS_OUT, "nameless_text", nameless_text },
	{ GETS_OUT, "text_with_two_names", text_with_two_names },
	{ GETS_OUT, "text_whose_name_went", text_whose_name_went },
	{ GETS_OUT, "text_of_output", text_of_output },
	{ GETS_OUT, "copied_text", copied_text },
	{ GETS_OUT, "memory_that_vanishes", memory_that_vanishes },
	{ GETS_OUT, "grows_down", grows_down },
	{ GETS_OUT, "break_over_copies", break_over_copies },
	{ GETS_OUT, "lender_dies", lender_dies },
	{ GETS_OUT, "empty_becomes_name", empty_becomes_name },
};
MAIN(rows)
