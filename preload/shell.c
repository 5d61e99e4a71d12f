/* SPDX-License-Identifier: MIT */
/*
 * shell.c - system() and popen(). A thread may be cancelled in them, and then this file's part of its stack is unwound, which
 * is why they do not stand in exec.c.
 */
#include <asm-generic/errno.h>
#include <linux/fcntl.h>

#include "shim.h"

#define EXPORT __attribute__((visibility("default")))

/* libc starts the shell with `environ`. When that has no shim in it any more, the shell is told to put it there and to
 * start again; it does nothing else until then. */
struct command {
	const char *text;
	char *mapped; /* or NULL */
	size_t size;
};

static char *put_quoted(char *to, const char *text)
{
	*to++ = '\'';
	for (; *text; text++) {
		if (*text == '\'')
			to = text_put(to, "'\\'");
		*to++ = *text;
	}
	*to++ = '\'';
	*to = 0;
	return to;
}

static int command_make(struct command *command, const char *text)
{
	const char *path = shim_path(), *others = environment_variable(environment_now(), "LD_PRELOAD=");

	*command = (struct command){text, NULL, 0};
	if (environment_has_shim(environment_now()))
		return 0;
	command->size = 4 * (text_length(text) + text_length(path) + (others ? text_length(others) : 0)) + 128;
	command->mapped = common_memory(command->size);
	if (!command->mapped)
		return -ENOMEM;
	command->text = command->mapped;
	char *end = put_quoted(text_put(command->mapped, "LD_PRELOAD="), path);
	if (others && *others)
		end = put_quoted(text_put(end, ":"), others);
	put_quoted(text_put(end, " exec /bin/sh -c "), text);
	return 0;
}

static void command_let_go(struct command *command)
{
	if (command->mapped)
		raw(__NR_munmap, command->mapped, command->size);
}

static int fail(int error)
{
	shim_set_errno(-error);
	return -1;
}

EXPORT int system(const char *text);
EXPORT int system(const char *text)
{
	int (*next)(const char *) = (int (*)(const char *))next_of(WRAP_system);
	struct command command;

	if (!next)
		return fail(-ENOSYS);
	if (!text)
		return next(text);
	int r = exec_allowed(AT_FDCWD, "/bin/sh", NULL, 0);
	if (r >= 0)
		r = command_make(&command, text);
	if (r < 0)
		return fail(r);
	r = next(command.text);
	command_let_go(&command);
	return r;
}

EXPORT void *popen(const char *text, const char *mode);
EXPORT void *popen(const char *text, const char *mode)
{
	void *(*next)(const char *, const char *) = (void *(*)(const char *, const char *))next_of(WRAP_popen);
	struct command command;
	int r = next ? exec_allowed(AT_FDCWD, "/bin/sh", NULL, 0) : -ENOSYS;

	if (r >= 0)
		r = command_make(&command, text);
	if (r < 0) {
		shim_set_errno(-r);
		return NULL;
	}
	void *stream = next(command.text, mode);
	command_let_go(&command);
	return stream;
}
