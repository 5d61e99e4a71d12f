/* SPDX-License-Identifier: MIT */
/*
 * guest.c - getting rid of whatever a guard may have put into the process: its library, its environment, its
 * descriptors, its code.
 */
#include <dlfcn.h>
#include <sys/prctl.h>

#include "trials.h"

static char *const empty[] = {NULL};

static void read_by_libc(void)
{
	spill(open(here.secret, O_RDONLY));
}

TRIAL(guest_no_environment, LEAK, 0, "again without an environment")
{
	run_self("trials-dyn", "read_open", empty);
}
TRIAL(guest_no_preload, LEAK, 0, "again without LD_PRELOAD")
{
	unsetenv("LD_PRELOAD");
	extern char **environ;
	run_self("trials-dyn", "read_open", environ);
}
TRIAL(guest_env_program, LEAK, 0, "cat started by env -i")
{
	run("/usr/bin/env", "-i", "/usr/bin/cat", here.secret, NULL);
}
TRIAL(guest_twice, LEAK, 0, "through two programs that clean the environment")
{
	run("/usr/bin/env", "-i", "/bin/sh", "-c", "exec env -i cat \"$0\"", here.secret, NULL);
}
TRIAL(guest_static, LEAK, 0, "the static build")
{
	run_self("trials-static", "read_open", here.environment);
}
TRIAL(guest_static_write, CHANGE, 0, "the static build without an environment")
{
	run_self("trials-static", "write_creat", empty);
}
TRIAL(guest_close_all, LEAK, 0, "every descriptor closed first")
{
	raw(SYS_close_range, 3, ~0U, 0);
	read_by_libc();
}
TRIAL(guest_close_each, LEAK, 0, "every descriptor closed one by one")
{
	for (int fd = 3; fd < 70000; fd++)
		raw(SYS_close, fd);
	read_by_libc();
}
TRIAL(guest_close_standard, LEAK, 0, "standard input, output and error closed too; what is read goes to a file")
{
	for (int fd = 0; fd < 64; fd++)
		close(fd);
	char text[256];
	int from = open(here.secret, O_RDONLY), to = open(IN("taken"), O_WRONLY | O_CREAT, 0600);
	ssize_t length = read(from, text, sizeof(text));
	if (length > 0 && write(to, text, (size_t)length) < 0)
		_exit(1);
}
TRIAL(guest_replace_each, LEAK, 0, "every descriptor replaced by one of its own")
{
	int own = open("/usr", O_PATH | O_DIRECTORY);
	for (int fd = 3; fd < 2048; fd++)
		dup2(own, fd);
	read_by_libc();
	spill(openat(1000, here.secret + 1, O_RDONLY));
}
TRIAL(guest_second_libc, LEAK, DYNAMIC, "a second libc in a namespace of its own")
{
	void *library = dlmopen(LM_ID_NEWLM, "libc.so.6", RTLD_NOW);
	int (*other_open)(const char *, int, ...);
	if (library != NULL) {
		*(void **)&other_open = dlsym(library, "open");
		spill(other_open(here.secret, O_RDONLY));
	}
}
TRIAL(guest_libc_symbol, LEAK, DYNAMIC, "open looked up in libc itself")
{
	int (*other_open)(const char *, int, ...);
	*(void **)&other_open = dlsym(dlopen("libc.so.6", RTLD_NOW), "open");
	spill(other_open(here.secret, O_RDONLY));
}
TRIAL(guest_next_symbol, LEAK, DYNAMIC, "open looked up behind whatever comes first")
{
	int (*other_open)(const char *, int, ...);
	*(void **)&other_open = dlsym(RTLD_NEXT, "open64");
	if (other_open != NULL)
		spill(other_open(here.secret, O_RDONLY));
}
TRIAL(guest_inner_symbol, LEAK, DYNAMIC, "libc's inner names of open")
{
	static const char *const names[] = {"__open", "__open64", "__open_2", "__open64_2"};
	for (unsigned i = 0; i < 4; i++) {
		int (*other_open)(const char *, int, ...);
		*(void **)&other_open = dlsym(RTLD_DEFAULT, names[i]);
		if (other_open != NULL)
			spill(other_open(here.secret, O_RDONLY));
	}
}
TRIAL(guest_inner_stdio, LEAK, DYNAMIC, "libc's inner name of fopen")
{
	FILE *(*other_fopen)(const char *, const char *);
	*(void **)&other_fopen = dlsym(RTLD_DEFAULT, "_IO_fopen");
	if (other_fopen != NULL)
		spill_file(other_fopen(here.secret, "r"));
}
TRIAL(guest_patched, LEAK, 0, "the code of open overwritten")
{
	static const unsigned char code[] = {0xb8, 2, 0, 0, 0, 0x0f, 0x05, 0xc3};
	int (*volatile target)(const char *, int, ...) = open;
	uintptr_t page = (uintptr_t)target & ~4095UL;
	if (mprotect((void *)page, 8192, PROT_READ | PROT_WRITE | PROT_EXEC) == 0)
		memcpy((void *)(uintptr_t)target, code, sizeof(code));
	spill(target(here.secret, O_RDONLY));
}
TRIAL(guest_patched_memory, LEAK, 0, "the code of open overwritten through /proc/self/mem")
{
	static const unsigned char code[] = {0xb8, 2, 0, 0, 0, 0x0f, 0x05, 0xc3};
	int (*volatile target)(const char *, int, ...) = open;
	int memory = open("/proc/self/mem", O_RDWR);
	if (memory >= 0 && pwrite(memory, code, sizeof(code), (off_t)(uintptr_t)target) < 0)
		puts("not writable");
	spill(target(here.secret, O_RDONLY));
}
TRIAL(guest_unmapped, LEAK, DYNAMIC, "every library but libc and the loader unmapped")
{
	char line[512], name[256];
	unsigned long from[64], to[64];
	int count = 0;
	FILE *maps = fopen("/proc/self/maps", "r");
	while (maps != NULL && count < 64 && fgets(line, sizeof(line), maps) != NULL)
		if (sscanf(line, "%lx-%lx %*s %*s %*s %*s %255s", &from[count], &to[count], name) == 3 &&
		    strstr(name, ".so") != NULL && strstr(name, "libc") == NULL && strstr(name, "ld-linux") == NULL)
			count++;
	for (int i = 0; i < count; i++)
		raw(SYS_munmap, from[i], to[i] - from[i]);
	spill((int)raw(SYS_open, here.secret, O_RDONLY));
	raw(SYS_exit_group, 0); /* another call may be looked for in them first */
}
TRIAL(guest_own_memory, LEAK, 0, "its arguments and environment changed by prctl")
{
	unsigned long start = (unsigned long)here.secret;
	prctl(PR_SET_NAME, "other");
	prctl(PR_SET_MM, PR_SET_MM_ARG_START, start, 0, 0);
	read_by_libc();
}
