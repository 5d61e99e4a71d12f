/* SPDX-License-Identifier: MIT */
/* memory.c - attempts by way of memory: where the guard keeps arguments, and arguments that change after they were read. */
#include "attempt.h"

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

/* A page of a file that nobody may write, so it seems: it has no name that a rule could allow. */
static int nameless_text(void)
{
	int file, won = REFUSED;

	NEED(file = memfd_create("text", 0));
	NEED(ftruncate(file, 4096));
	NEED(pwrite(file, secret_name, sizeof secret_name, 0));
	char *text = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, file, 0);
	NEED(close(open(strdup(allowed_name), O_CREAT | O_WRONLY, 0600)));
	pid_t child = fork();
	NEED(child);
	while (child == 0) {
		pwrite(file, allowed_name, sizeof allowed_name, 0);
		for (volatile int i = 0; i < 300; i++)
			;
		pwrite(file, secret_name, sizeof secret_name, 0);
	}
	for (double end = seconds() + RACE_SECONDS; won == REFUSED && seconds() < end;) {
		int fd = open(text, O_RDONLY);
		won = holds_secret(fd);
		if (fd >= 0)
			close(fd);
	}
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	return won;
}

static const struct row rows[] = {
	{ GETS_OUT, "nameless_text", nameless_text },
	{ GETS_OUT, "grows_down", grows_down },
	{ GETS_OUT, "empty_becomes_name", empty_becomes_name },
};
MAIN(rows)
