/* SPDX-License-Identifier: MIT */
/* execute.c - running what may not be run: every form of exec, and everything that execs or maps for you. */
#include <dlfcn.h>
#include <spawn.h>
#include <stdarg.h>

#include "trials.h"

static char *const no_environment[] = {NULL};
static char *arguments[] = {"intruder", NULL};

static void copy(const char *from, const char *to)
{
	static char bytes[1 << 16];
	int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0755);
	for (ssize_t n; (n = read(in, bytes, sizeof(bytes))) > 0;)
		if (write(out, bytes, (size_t)n) != n)
			return;
	close(in);
	close(out);
}

/* A complete ELF program that says INTRUDER-RAN, made from nothing that had to be read. */
static void write_intruder(int fd)
{
	static const unsigned char program[] =
		{
			0x7f, 'E',  'L',  'F',	2,   1,	   1,	 0,    0,    0,	   0,	 0,    0,
			0,    0,    0,	  2,	0,   62,   0,	 1,    0,    0,	   0,	 0x78, 0,
			0x40, 0,    0,	  0,	0,   0,	   64,	 0,    0,    0,	   0,	 0,    0,
			0,    0,    0,	  0,	0,   0,	   0,	 0,    0,    0,	   0,	 0,    0,
			64,   0,    56,	  0,	1,   0,	   0,	 0,    0,    0,	   0,	 0, /* header */
			1,    0,    0,	  0,	5,   0,	   0,	 0,    0,    0,	   0,	 0,    0,
			0,    0,    0,	  0,	0,   0x40, 0,	 0,    0,    0,	   0,	 0,    0,
			0x40, 0,    0,	  0,	0,   0,	   0xb0, 0,    0,    0,	   0,	 0,    0,
			0,    0xb0, 0,	  0,	0,   0,	   0,	 0,    0,    0,	   0x10, 0,    0,
			0,    0,    0,	  0,					/* one segment */
			0xb8, 1,    0,	  0,	0,   0xbf, 1,	 0,    0,    0, /* mov $1, %eax; mov $1, %edi */
			0xbe, 0x9b, 0,	  0x40, 0,   0xba, 13,	 0,    0,    0, /* mov $text, %esi; mov $13, %edx */
			0x0f, 0x05, 0xb8, 60,	0,   0,	   0,	 0x31, 0xff, 0x0f, 0x05, 0x90, 0x90,
			0x90, 0x90, /* write; exit(0) */
			'I',  'N',  'T',  'R',	'U', 'D',  'E',	 'R',  '-',  'R',  'A',	 'N',  '\n',
			0,    0,    0,
		};
	if (write(fd, program, sizeof(program)) < 0)
		perror("write");
}

TRIAL(exec_execve, RUN, 0, "execve")
{
	execve(here.intruder, arguments, no_environment);
}
TRIAL(exec_raw, RUN, 0, "raw execve")
{
	raw(SYS_execve, here.intruder, arguments, no_environment);
}
TRIAL(exec_raw_no_arguments, RUN, 0, "raw execve without arguments and environment")
{
	raw(SYS_execve, here.intruder, NULL, NULL);
}
TRIAL(exec_execl, RUN, 0, "execl")
{
	execl(here.intruder, "intruder", NULL);
}
TRIAL(exec_execvp, RUN, 0, "execvp along PATH")
{
	setenv("PATH", here.vault, 1);
	execvp("intruder", arguments);
}
TRIAL(exec_execveat, RUN, 0, "execveat below a descriptor that only names")
{
	raw(SYS_execveat, open(here.vault, O_PATH), "intruder", arguments, no_environment, 0);
}
TRIAL(exec_execveat_empty, RUN, 0, "execveat of a descriptor that only names")
{
	raw(SYS_execveat, open(here.intruder, O_PATH), "", arguments, no_environment, AT_EMPTY_PATH);
}
TRIAL(exec_fexecve, RUN, 0, "fexecve")
{
	fexecve(open(here.intruder, O_PATH), arguments, no_environment);
}
TRIAL(exec_proc_descriptor, RUN, 0, "execve of /proc/self/fd/N")
{
	char name[64];
	snprintf(name, sizeof(name), "/proc/self/fd/%d", open(here.intruder, O_PATH));
	execve(name, arguments, no_environment);
}
TRIAL(exec_spawn, RUN, 0, "posix_spawn")
{
	pid_t child;
	if (posix_spawn(&child, here.intruder, NULL, NULL, arguments, no_environment) == 0)
		wait_for(child);
}
TRIAL(exec_system, RUN, 0, "system")
{
	if (system(here.intruder) < 0)
		perror("system");
}
TRIAL(exec_popen, RUN, 0, "popen")
{
	spill_file(popen(here.intruder, "r"));
}
TRIAL(exec_vfork, RUN, 0, "vfork and execve")
{
	pid_t child = vfork();
	if (child == 0) {
		execve(here.intruder, arguments, no_environment);
		_exit(127);
	}
	wait_for(child);
}
static void *exec_there(void *unused)
{
	execve(here.intruder, arguments, no_environment);
	return unused;
}
TRIAL(exec_thread, RUN, 0, "execve by a thread that is not the first")
{
	pthread_t thread;
	pthread_create(&thread, NULL, exec_there, NULL);
	pthread_join(thread, NULL);
}
TRIAL(exec_symlink, RUN, 0, "a symbolic link to it")
{
	symlink(here.intruder, "link");
	execve("link", arguments, no_environment);
}
TRIAL(exec_hard_link, RUN, 0, "a hard link to it, by an allowed name's directory")
{
	link(here.intruder, "link");
	execve("link", arguments, no_environment);
}
TRIAL(exec_made, RUN, 0, "a program that was written inside")
{
	int fd = open("made", O_WRONLY | O_CREAT, 0755);
	write_intruder(fd);
	close(fd);
	execve("made", arguments, no_environment);
}
TRIAL(exec_copied, RUN, 0, "a copy of an allowed program, made inside")
{
	copy("/usr/bin/echo", "copy");
	run(IN("copy"), "INTRUDER-RAN", NULL);
}
TRIAL(exec_replaced_tool, RUN, 0, "an allowed program replaced by another")
{
	int fd;
	unlink(at(here.tools, "trials-x86"));
	fd = open(at(here.tools, "trials-x86"), O_WRONLY | O_CREAT, 0755);
	write_intruder(fd);
	close(fd);
	run(at(here.tools, "trials-x86"), NULL);
}
TRIAL(exec_moved_over_tool, RUN, 0, "a program moved to an allowed name")
{
	int fd = open("made", O_WRONLY | O_CREAT, 0755);
	write_intruder(fd);
	close(fd);
	rename("made", at(here.tools, "trials-x86"));
	run(at(here.tools, "trials-x86"), NULL);
}
TRIAL(exec_memory, RUN, 0, "a program in a memfd")
{
	int fd = memfd_create("program", 0);
	write_intruder(fd);
	raw(SYS_execveat, fd, "", arguments, no_environment, AT_EMPTY_PATH);
}
TRIAL(exec_memory_by_name, RUN, 0, "a program in a memfd, by /proc/self/fd/N")
{
	char name[64];
	int fd = memfd_create("program", 0);
	write_intruder(fd);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	execve(name, arguments, no_environment);
}
TRIAL(exec_unnamed, RUN, MAYBE, "a program in an unnamed file inside")
{
	char name[64];
	int fd = open(".", O_RDWR | O_TMPFILE, 0755);
	write_intruder(fd);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	int again = open(name, O_RDONLY);
	close(fd);
	fexecve(again, arguments, no_environment);
}
TRIAL(exec_script, RUN, 0, "an allowed script whose interpreter is not allowed")
{
	run(at(here.tools, "script"), NULL);
}
TRIAL(exec_script_twice, RUN, 0, "the same through a second script")
{
	run(at(here.tools, "script-of-script"), NULL);
}
TRIAL(exec_script_made, RUN, 0, "a script written inside")
{
	make_file("made", "#!/bin/sh\necho INTRUDER-RAN\n");
	run(IN("made"), NULL);
}
TRIAL(exec_interpreter, RUN, 0, "an allowed program whose ELF interpreter is not allowed")
{
	run(at(here.tools, "interpreted"), NULL);
}
TRIAL(exec_loader, RUN, 0, "the dynamic loader run as a program")
{
	run("/lib64/ld-linux-x86-64.so.2", OUT("echo"), "INTRUDER-RAN", NULL);
}
TRIAL(exec_loader_other_name, RUN, 0, "the dynamic loader by its other name")
{
	run("/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2", OUT("echo"), "INTRUDER-RAN", NULL);
}
TRIAL(exec_loader_made, RUN, 0, "the dynamic loader, for a copy made inside")
{
	copy("/usr/bin/echo", "copy");
	run("/lib64/ld-linux-x86-64.so.2", IN("copy"), "INTRUDER-RAN", NULL);
}
TRIAL(exec_loader_copied, RUN, 0, "a copy of the dynamic loader")
{
	copy("/lib64/ld-linux-x86-64.so.2", "loader");
	run(IN("loader"), "/usr/bin/echo", "INTRUDER-RAN", NULL);
}
TRIAL(exec_library, RUN, DYNAMIC, "dlopen of a library that may not be read")
{
	dlopen(OUT("intruder.so"), RTLD_NOW);
}
TRIAL(exec_preload, RUN, 0, "LD_PRELOAD of it into an allowed program")
{
	setenv("LD_PRELOAD", OUT("intruder.so"), 1);
	execl("/usr/bin/true", "true", NULL);
}
TRIAL(exec_audit, RUN, 0, "LD_AUDIT of it")
{
	setenv("LD_AUDIT", OUT("intruder.so"), 1);
	execl("/usr/bin/true", "true", NULL);
}
TRIAL(exec_library_path, RUN, 0, "LD_LIBRARY_PATH where it is called as libc is")
{
	setenv("LD_LIBRARY_PATH", here.vault, 1);
	setenv("LD_PRELOAD", "intruder.so", 1);
	execl("/usr/bin/true", "true", NULL);
}

/* The programs of the system, asked to do it. */
TRIAL(tool_sh, RUN, 0, "sh -c")
{
	run("/bin/sh", "-c", here.intruder, NULL);
}
TRIAL(tool_env, RUN, 0, "env -i")
{
	run("/usr/bin/env", "-i", here.intruder, NULL);
}
TRIAL(tool_find, RUN, 0, "find -exec")
{
	run("/usr/bin/find", ".", "-maxdepth", "0", "-exec", here.intruder, ";", NULL);
}
TRIAL(tool_perl, RUN, 0, "perl exec")
{
	run("/usr/bin/perl", "-e", "exec shift", here.intruder, NULL);
}
TRIAL(tool_timeout, RUN, 0, "timeout")
{
	run("/usr/bin/timeout", "5", here.intruder, NULL);
}
TRIAL(tool_xargs, RUN, 0, "xargs")
{
	run("/bin/sh", "-c", "echo \"$0\" | xargs -n1 env", here.intruder, NULL);
}
TRIAL(tool_cat, LEAK, 0, "cat")
{
	run("/usr/bin/cat", here.secret, NULL);
}
TRIAL(tool_cp, LEAK, 0, "cp")
{
	run("/usr/bin/cp", here.secret, "taken", NULL);
}
TRIAL(tool_cp_link, LEAK, 0, "cp -l")
{
	run("/usr/bin/cp", "-l", here.secret, "taken", NULL);
}
TRIAL(tool_dd, LEAK, 0, "dd")
{
	run("/usr/bin/dd", at("if=", here.secret + 1), "status=none", NULL);
}
TRIAL(tool_mv, LEAK, 0, "mv")
{
	run("/usr/bin/mv", here.secret, "taken", NULL);
}
TRIAL(tool_tar, LEAK, 0, "tar")
{
	run("/usr/bin/tar", "-cf", "taken", here.vault, NULL);
}
TRIAL(tool_grep, LEAK, 0, "grep -r")
{
	run("/usr/bin/grep", "-r", ".", here.vault, NULL);
}
TRIAL(tool_ls, LEAK, 0, "ls")
{
	run("/usr/bin/ls", "-la", here.vault, NULL);
}
TRIAL(tool_awk, LEAK, 0, "awk")
{
	run("/usr/bin/awk", "{ print }", here.secret, NULL);
}
TRIAL(tool_sh_read, LEAK, 0, "sh's own redirection")
{
	run("/bin/sh", "-c", "read -r line <\"$0\"; echo \"$line\"", here.secret, NULL);
}
TRIAL(tool_sh_write, CHANGE, 0, "sh's own redirection, to write")
{
	run("/bin/sh", "-c", "echo x >>\"$0\"", here.victim, NULL);
}
TRIAL(tool_rm, CHANGE, 0, "rm")
{
	run("/usr/bin/rm", "-f", here.victim, NULL);
}
TRIAL(tool_touch, CHANGE, 0, "touch")
{
	run("/usr/bin/touch", here.victim, NULL);
}
TRIAL(tool_sed, CHANGE, 0, "sed -i")
{
	run("/usr/bin/sed", "-i", "s/^/x/", here.victim, NULL);
}
TRIAL(tool_bash_network, CONTACT, 0, "bash's /dev/tcp")
{
	char command[64];
	snprintf(command, sizeof(command), "echo x >/dev/tcp/127.0.0.1/%d", here.port);
	run("/usr/bin/bash", "-c", command, NULL);
}
