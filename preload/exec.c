/* SPDX-License-Identifier: MIT */
/*
 * exec.c - the functions that start programs. They are written in C because
 * what they start must get an environment with the shim in it, whatever the program has done to its own: an environment
 * is made for the one call, and `environ` stays as it is.
 */
#include <asm-generic/errno.h>
#include <linux/fcntl.h>
#include <stdarg.h>

#include "shim.h"

#define EXPORT __attribute__((visibility("default")))

enum { PATH_SIZE = 4096 };

static int fail(int error)
{
	shim_set_errno(-error);
	return -1;
}

/* ---- execve and its kin ------------------------------------------------- */

int exec_allowed(int dirfd, const char *path, char *const *argv, int flags)
{
	switch (shim_ready()) {
	case SHIM_ALONE:
		return (uint64_t)path < 4096 ? 0 : judge_exec(dirfd, path, argv, flags);
	case SHIM_BROKEN:
		return -EACCES;
	case SHIM_BESIDE:
	case SHIM_UNKNOWN:
		break;
	}
	return 0;
}

/* The same by a process for itself. Whoever searches PATH asks for many that are not there. */
static int allowed_now(int dirfd, const char *path, char *const *argv, int flags)
{
	long answer;

	if (shim_ready() == SHIM_BESIDE && flags == 0 && gate_missing(dirfd, path, 0, &answer))
		return (int)answer;
	return exec_allowed(dirfd, path, argv, flags);
}

typedef int execve_function(const char *, char *const *, char *const *);
typedef int execveat_function(int, const char *, char *const *, char *const *, int);
typedef int fexecve_function(int, char *const *, char *const *);

/* What one of the three is called with. */
struct start {
	enum wrap_index which;
	int dirfd, flags;
	const char *path;
	char *const *argv;
};

/* The next definition; where there is none, the kernel's. */
static int start_by(const struct start *start, char *const *environment)
{
	void *next = next_of(start->which);

	if (!next)
		return fail((int)raw(__NR_execveat, start->dirfd, start->path, start->argv, environment, start->flags));
	if (start->which == WRAP_execve)
		return ((execve_function *)next)(start->path, start->argv, environment);
	if (start->which == WRAP_fexecve)
		return ((fexecve_function *)next)(start->dirfd, start->argv, environment);
	return ((execveat_function *)next)(start->dirfd, start->path, start->argv, environment, start->flags);
}

/* `allowed` is what is said of it. */
static int start_with(const struct start *start, char *const *environment, int allowed)
{
	struct passed passed;
	int r = allowed < 0 ? allowed : environment_pass(&passed, environment, allowed);

	if (r < 0)
		return fail(r);
	r = start_by(start, passed.environment);
	environment_let_go(&passed);
	return r;
}

EXPORT int execve(const char *path, char *const *argv, char *const *environment);
EXPORT int execve(const char *path, char *const *argv, char *const *environment)
{
	struct start start = {WRAP_execve, AT_FDCWD, 0, path, argv};

	return start_with(&start, environment, allowed_now(AT_FDCWD, path, argv, 0));
}

EXPORT int execveat(int dirfd, const char *path, char *const *argv, char *const *environment, int flags);
EXPORT int execveat(int dirfd, const char *path, char *const *argv, char *const *environment, int flags)
{
	struct start start = {WRAP_execveat, dirfd, flags, path, argv};

	return start_with(&start, environment, allowed_now(dirfd, path, argv, flags));
}

EXPORT int fexecve(int fd, char *const *argv, char *const *environment);
EXPORT int fexecve(int fd, char *const *argv, char *const *environment)
{
	struct start start = {WRAP_fexecve, fd, AT_EMPTY_PATH, "", argv};

	return start_with(&start, environment, exec_allowed(fd, "", argv, AT_EMPTY_PATH));
}

EXPORT int execv(const char *path, char *const *argv);
EXPORT int execv(const char *path, char *const *argv)
{
	return execve(path, argv, environment_now());
}

/* ---- with a search ------------------------------------------------------ */

static int errno_now(void)
{
	int *(*location)(void) = (int *(*)(void))next_of(WRAP___errno_location);

	return location ? *location() : 0;
}

/* A file that is no program is a script of the shell (execvp(3)). */
static int exec_or_shell(const char *path, char *const *argv, char *const *environment)
{
	size_t count = 0;
	int r = execve(path, argv, environment);

	if (errno_now() != ENOEXEC)
		return r;
	while (argv[count])
		count++;
	char *shell_argv[count + 3];
	shell_argv[0] = (char *)"/bin/sh";
	shell_argv[1] = (char *)path;
	for (size_t i = 1; i < count; i++)
		shell_argv[i + 1] = argv[i];
	shell_argv[count > 0 ? count + 1 : 2] = NULL;
	return execve("/bin/sh", shell_argv, environment);
}

static bool goes_on(int error)
{
	return error == EACCES || error == ENOENT || error == ENOTDIR || error == ESTALE || error == ENODEV ||
	       error == ETIMEDOUT;
}

/* "directory/file" into `path`; false: too long. *search goes on behind it, NULL at the end. */
static bool next_candidate(const char **search, const char *file, char *path)
{
	size_t n = 0;

	while ((*search)[n] && (*search)[n] != ':')
		n++;
	bool fits = n + text_length(file) + 2 <= PATH_SIZE;
	if (fits) {
		memcpy(path, *search, n);
		path[n] = 0;
		text_put(text_put(path + n, n ? "/" : ""), file);
	}
	*search = (*search)[n] ? *search + n + 1 : NULL;
	return fits;
}

static const char *search_path(void)
{
	const char *path = environment_variable(environment_now(), "PATH=");

	return path ? path : "/bin:/usr/bin";
}

EXPORT int execvpe(const char *file, char *const *argv, char *const *environment);
EXPORT int execvpe(const char *file, char *const *argv, char *const *environment)
{
	bool denied = false;

	if (!*file)
		return fail(-ENOENT);
	if (text_find(file, '/'))
		return exec_or_shell(file, argv, environment);
	char *room = common_memory(PATH_SIZE);
	if (!room)
		return fail(-ENOMEM);
	shim_set_errno(ENOENT);
	for (const char *search = search_path(); search;) {
		if (!next_candidate(&search, file, room))
			continue;
		exec_or_shell(room, argv, environment);
		denied |= errno_now() == EACCES;
		if (!goes_on(errno_now()))
			break;
	}
	raw(__NR_munmap, room, PATH_SIZE);
	if (denied && goes_on(errno_now()))
		shim_set_errno(EACCES);
	return -1;
}

EXPORT int execvp(const char *file, char *const *argv);
EXPORT int execvp(const char *file, char *const *argv)
{
	return execvpe(file, argv, environment_now());
}

/* ---- with a list -------------------------------------------------------- */

static size_t count_list(va_list list)
{
	size_t count = 1;

	while (va_arg(list, char *))
		count++;
	return count;
}

/* The list as an array; and the environment that stands behind its NULL, if one does. */
static int exec_list(execve_function *exec, const char *path, const char *first, va_list list, bool has_environment)
{
	va_list again;
	size_t i = 0;

	va_copy(again, list);
	char *argv[first ? count_list(again) + 1 : 1];
	va_end(again);
	argv[i++] = (char *)first;
	while (first && (argv[i++] = va_arg(list, char *)) != NULL)
		;
	return exec(path, argv, has_environment ? va_arg(list, char *const *) : environment_now());
}

#define WITH_LIST(function, exec, has_environment)                           \
	EXPORT int function(const char *path, const char *first, ...);       \
	EXPORT int function(const char *path, const char *first, ...)        \
	{                                                                    \
		va_list list;                                                \
                                                                             \
		va_start(list, first);                                       \
		int r = exec_list(exec, path, first, list, has_environment); \
		va_end(list);                                                \
		return r;                                                    \
	}
WITH_LIST(execl, execve, false)
WITH_LIST(execlp, execvpe, false)
WITH_LIST(execle, execve, true)

/* ---- posix_spawn -------------------------------------------------------- */

typedef int spawn_function(int *, const char *, const void *, const void *, char *const *, char *const *);

/* What a search would run: the first that is there and may be executed. */
static int allowed_in_search(const char *file, char *const *argv)
{
	char *room = common_memory(PATH_SIZE);
	if (!room)
		return -ENOMEM;
	int r = 0;
	for (const char *search = search_path(); search;) {
		if (!next_candidate(&search, file, room) || raw(__NR_access, room, 1) < 0)
			continue;
		r = exec_allowed(AT_FDCWD, room, argv, 0);
		break;
	}
	raw(__NR_munmap, room, PATH_SIZE);
	return r;
}

/* `which` comes last, so that all else stays where the caller put it. */
static int spawn(int *pid, const char *program, const void *actions, const void *attributes, char *const *argv,
		 char *const *environment, enum wrap_index which)
{
	bool searches = which == WRAP_posix_spawnp || which == WRAP_pidfd_spawnp;
	spawn_function *next = (spawn_function *)next_of(which);
	struct passed passed;
	int r = searches && !text_find(program, '/') ? allowed_in_search(program, argv)
						     : exec_allowed(AT_FDCWD, program, argv, 0);

	if (r >= 0)
		r = next ? environment_pass(&passed, environment, r) : -ENOSYS;
	if (r < 0)
		return -r;
	r = next(pid, program, actions, attributes, argv, passed.environment);
	environment_let_go(&passed);
	return r;
}

/* They differ in whether they search, and in whether the first argument gets a pid or a pidfd. */
#define SPAWN(function)                                                                                 \
	EXPORT spawn_function function;                                                                 \
	EXPORT int function(int *pid, const char *program, const void *actions, const void *attributes, \
			    char *const *argv, char *const *environment)                                \
	{                                                                                               \
		return spawn(pid, program, actions, attributes, argv, environment, WRAP_##function);    \
	}
SPAWN(posix_spawn)
SPAWN(posix_spawnp)
SPAWN(pidfd_spawn)
SPAWN(pidfd_spawnp)
