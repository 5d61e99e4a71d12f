/* SPDX-License-Identifier: MIT */
/*
 * aside.c - what somebody else does on the tool's behalf: the kernel that leaves a core, the loader, libc and shells that are
 * told by the environment what to open, tools that are told by their arguments.
 */
#include <sys/prctl.h>
#include <sys/resource.h>

#include "trials.h"

/* A child that ends with a core, where the kernel makes any, in its working directory. */
static void core_in(const char *directory)
{
	pid_t child = fork();
	if (child == 0) {
		struct rlimit limit;
		getrlimit(RLIMIT_CORE, &limit);
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_CORE, &limit);
		prctl(PR_SET_DUMPABLE, 1);
		if (chdir(directory) == 0)
			raise(SIGABRT);
		_exit(1);
	}
	wait_for(child);
}
TRIAL(core_there, CHANGE, MAYBE, "a core that the kernel leaves in the vault")
{
	core_in(here.vault);
}
TRIAL(core_shown, CHANGE, MAYBE, "a core that the kernel leaves where may only be read")
{
	core_in(here.shown);
}

static void with_environment(const char *name, const char *value)
{
	setenv(name, value, 1);
	here.environment = environ;
}
TRIAL(env_loader_report, CHANGE, 0, "a report that the dynamic loader is told to write to the vault")
{
	with_environment("LD_DEBUG_OUTPUT", OUT("report"));
	with_environment("LD_DEBUG", "libs");
	run("/usr/bin/true", NULL);
}
TRIAL(env_character_set, RUN, MAYBE, "a character set whose module is the intruder")
{
	mkdir("sets", 0755);
	make_file("sets/gconv-modules", "module TRIAL// INTERNAL ../../vault/intruder 1\n"
					"module INTERNAL TRIAL// ../../vault/intruder 1\n");
	with_environment("GCONV_PATH", IN("sets"));
	run("/usr/bin/iconv", "-f", "TRIAL", "-t", "UTF-8", here.page, NULL);
}
TRIAL(env_shell_begin, LEAK, 0, "a file that bash reads first, and complains of")
{
	with_environment("BASH_ENV", here.secret);
	run("/usr/bin/bash", "-c", ":", NULL);
}
TRIAL(env_library_origin, RUN, 0, "LD_PRELOAD whose name begins where the program lies")
{
	with_environment("LD_PRELOAD", "$ORIGIN/../vault/intruder.so");
	run(at(here.tools, "trials-dyn"), "--list", NULL);
}

TRIAL(tool_date, LEAK, 0, "date, which complains of what it reads")
{
	run("/usr/bin/date", "-f", here.secret, NULL);
}
TRIAL(tool_diff, LEAK, 0, "diff")
{
	run("/usr/bin/diff", here.page, here.secret, NULL);
}
TRIAL(tool_tee, CHANGE, 0, "tee")
{
	run("/bin/sh", "-c", "echo tee | tee \"$0\"", here.victim, NULL);
}
TRIAL(tool_sort, CHANGE, 0, "sort -o")
{
	run("/usr/bin/sort", "-o", OUT("sorted"), here.page, NULL);
}
