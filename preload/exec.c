/* SPDX-License-Identifier: MIT */
/*
 * exec.c - the functions that start programs. They are written in C because
 * what they start must get an environment with the shim in it, whatever the program has done to its own: an environment
 * is made for the one call, and `environ` stays as it is.
 */
#include <asm-generic/errno.h>
#include <linux/fcntl.h>
#include <linux/mman.h>
#include <stdarg.h>

#include "shim.h"

#define EXPORT __attribute__((visibility("default")))

enum { PATH_SIZE = 4096, OBJECT_NAME = 512 };

extern char **environ __attribute__((weak, visibility("default")));

static const char LD_PRELOAD[] = "LD_PRELOAD=", ASAN_OPTIONS[] = "ASAN_OPTIONS=";
/* AddressSanitizer's library ends a program in which it is not the first that was loaded. Nothing depends on that order
 * here: what it intercepts comes next behind us. */
static const char NOT_FIRST[] = "verify_asan_link_order=0";

static int fail(int error)
{
	shim_set_errno(-error);
	return -1;
}

static char *const *environment_now(void)
{
	return &environ ? environ : NULL;
}

static const char *variable(char *const *environment, const char *name_and_equals)
{
	for (; environment && *environment; environment++)
		if (text_begins(*environment, name_and_equals))
			return *environment + text_length(name_and_equals);
	return NULL;
}

/* ---- environments that have the shim in them ---------------------------- */

/* Is `path` one of the words of a list for LD_PRELOAD? */
static bool lists(const char *list, const char *path)
{
	size_t n = text_length(path);

	while (list && *list) {
		if (text_begins(list, path) && (!list[n] || list[n] == ':' || list[n] == ' '))
			return true;
		while (*list && *list != ':' && *list != ' ')
			list++;
		while (*list == ':' || *list == ' ')
			list++;
	}
	return false;
}

/* Has it the shim already? (Or is there none: then nothing can be done, and was not from the start.) */
static bool has_shim(char *const *environment)
{
	const char *path = shim_path();

	return !path || lists(variable(environment, LD_PRELOAD), path);
}

/* A list for LD_PRELOAD without one of its words. */
static char *put_others(char *end, const char *list, const char *path)
{
	size_t n = text_length(path);

	while (*list) {
		if (text_begins(list, path) && (!list[n] || list[n] == ':' || list[n] == ' '))
			list += n;
		while (*list && *list != ':' && *list != ' ')
			*end++ = *list++;
		while (*list == ':' || *list == ' ')
			*end++ = *list++;
	}
	*end = 0;
	return end;
}

int environment_pass(struct passed *passed, char *const *environment, int judged)
{
	const char *path = shim_path(), *others = variable(environment, LD_PRELOAD), *options = variable(environment, ASAN_OPTIONS);
	bool has = has_shim(environment), without = shim.filtered && path, sanitized = judged == JUDGED_SANITIZED && path && !without;
	size_t count = 0, text, kept = 0;

	*passed = (struct passed){ environment, NULL, 0 };
	int r = judge_environment(environment);
	if (r < 0 || (has != without && !sanitized))
		return r;
	while (environment && environment[count])
		count++;
	text = sizeof LD_PRELOAD + text_length(path) + (others ? text_length(others) : 0) + 2 + sizeof ASAN_OPTIONS +
	       sizeof NOT_FIRST + (options ? text_length(options) : 0) + 2;
	passed->mapped_size = (count + 3) * sizeof(char *) + text;
	long address = raw(__NR_mmap, 0, passed->mapped_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (raw_failed(address))
		return -ENOMEM;
	passed->mapped = (void *)address;
	char **list = passed->mapped, *end = (char *)(list + count + 3);
	list[kept++] = end;
	end = text_put(text_put(end, LD_PRELOAD), has ? "" : path);
	if (without)
		end = put_others(end, others, path);
	else if (others && *others)
		end = text_put(text_put(end, has ? "" : ":"), others);
	if (sanitized) {
		list[kept++] = ++end;
		end = text_put(text_put(end, ASAN_OPTIONS), options ? options : "");
		text_put(text_put(end, options ? ":" : ""), NOT_FIRST);
	}
	for (size_t i = 0; i < count; i++)
		if (!text_begins(environment[i], LD_PRELOAD) && !(sanitized && text_begins(environment[i], ASAN_OPTIONS)))
			list[kept++] = environment[i];
	list[kept] = NULL;
	passed->environment = list;
	return 0;
}

void environment_let_go(struct passed *passed)
{
	if (passed->mapped)
		raw(__NR_munmap, passed->mapped, passed->mapped_size);
}

/* ---- execve and its kin ------------------------------------------------- */

/* Objects that the loader will load into the program because a variable names them. */
static int judge_objects(const char *list)
{
	struct request request = request_of(NUMBER_open, NULL);
	char name[OBJECT_NAME];
	int r = 0;

	while (r == 0 && list && *list) {
		size_t n = 0;
		while (list[n] && list[n] != ':' && list[n] != ' ')
			n++;
		if (n >= sizeof name)
			return -ENAMETOOLONG;
		memcpy(name, list, n);
		name[n] = 0;
		if (text_find(name, '/') && !text_equal(name, shim_path()))
			r = judge_open(&request, AT_FDCWD, name, O_RDONLY);
		list += n + (list[n] != 0);
	}
	return r;
}

int judge_environment(char *const *environment)
{
	if (shim_ready() != SHIM_ALONE || !shim_path())
		return 0;
	int r = judge_objects(variable(environment, LD_PRELOAD));

	return r < 0 ? r : judge_objects(variable(environment, "LD_AUDIT="));
}

/* To be asked before a program is started: 0 or -errno. */
static int allowed(int dirfd, const char *path, char *const *argv, int flags)
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

typedef int execve_function(const char *, char *const *, char *const *);
typedef int execveat_function(int, const char *, char *const *, char *const *, int);

EXPORT int execve(const char *path, char *const *argv, char *const *environment);
EXPORT int execve(const char *path, char *const *argv, char *const *environment)
{
	execve_function *next = (execve_function *)next_of(WRAP_execve);
	struct passed passed;
	int r = allowed(AT_FDCWD, path, argv, 0);

	if (r >= 0)
		r = environment_pass(&passed, environment, r);
	if (r < 0)
		return fail(r);
	r = next ? next(path, argv, passed.environment) : fail((int)raw(__NR_execve, path, argv, passed.environment));
	environment_let_go(&passed);
	return r;
}

EXPORT int execveat(int dirfd, const char *path, char *const *argv, char *const *environment, int flags);
EXPORT int execveat(int dirfd, const char *path, char *const *argv, char *const *environment, int flags)
{
	execveat_function *next = (execveat_function *)next_of(WRAP_execveat);
	struct passed passed;
	int r = allowed(dirfd, path, argv, flags);

	if (r >= 0)
		r = environment_pass(&passed, environment, r);
	if (r < 0)
		return fail(r);
	r = next ? next(dirfd, path, argv, passed.environment, flags) :
		   fail((int)raw(__NR_execveat, dirfd, path, argv, passed.environment, flags));
	environment_let_go(&passed);
	return r;
}

EXPORT int fexecve(int fd, char *const *argv, char *const *environment);
EXPORT int fexecve(int fd, char *const *argv, char *const *environment)
{
	int (*next)(int, char *const *, char *const *) = (int (*)(int, char *const *, char *const *))next_of(WRAP_fexecve);
	struct passed passed;
	int r = allowed(fd, "", argv, AT_EMPTY_PATH);

	if (r >= 0)
		r = environment_pass(&passed, environment, r);
	if (r < 0)
		return fail(r);
	r = next ? next(fd, argv, passed.environment) :
		   fail((int)raw(__NR_execveat, fd, "", argv, passed.environment, AT_EMPTY_PATH));
	environment_let_go(&passed);
	return r;
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
	const char *path = variable(environment_now(), "PATH=");

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
	long room = raw(__NR_mmap, 0, PATH_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (raw_failed(room))
		return fail(-ENOMEM);
	shim_set_errno(ENOENT);
	for (const char *search = search_path(); search;) {
		if (!next_candidate(&search, file, (char *)room))
			continue;
		exec_or_shell((const char *)room, argv, environment);
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

/* The list as an array, and what stands behind its NULL. */
static void take_list(va_list list, const char *first, char **argv, char *const **environment)
{
	size_t i = 0;

	argv[i++] = (char *)first;
	while (first && (argv[i++] = va_arg(list, char *)) != NULL)
		;
	if (environment)
		*environment = va_arg(list, char *const *);
}

EXPORT int execl(const char *path, const char *first, ...);
EXPORT int execl(const char *path, const char *first, ...)
{
	va_list list, again;

	va_start(list, first);
	va_copy(again, list);
	char *argv[first ? count_list(again) + 1 : 1];
	va_end(again);
	take_list(list, first, argv, NULL);
	va_end(list);
	return execv(path, argv);
}

EXPORT int execlp(const char *file, const char *first, ...);
EXPORT int execlp(const char *file, const char *first, ...)
{
	va_list list, again;

	va_start(list, first);
	va_copy(again, list);
	char *argv[first ? count_list(again) + 1 : 1];
	va_end(again);
	take_list(list, first, argv, NULL);
	va_end(list);
	return execvp(file, argv);
}

EXPORT int execle(const char *path, const char *first, ...);
EXPORT int execle(const char *path, const char *first, ...)
{
	va_list list, again;
	char *const *environment;

	va_start(list, first);
	va_copy(again, list);
	char *argv[first ? count_list(again) + 1 : 1];
	va_end(again);
	take_list(list, first, argv, &environment);
	va_end(list);
	return execve(path, argv, environment);
}

/* ---- posix_spawn -------------------------------------------------------- */

typedef int spawn_function(int *, const char *, const void *, const void *, char *const *, char *const *);

static int spawn(enum wrap_index which, int *pid, const char *path, const void *actions, const void *attributes,
		 char *const *argv, char *const *environment, int judged)
{
	spawn_function *next = (spawn_function *)next_of(which);
	struct passed passed;

	if (!next)
		return ENOSYS;
	int r = environment_pass(&passed, environment, judged);
	if (r < 0)
		return -r;
	r = next(pid, path, actions, attributes, argv, passed.environment);
	environment_let_go(&passed);
	return r;
}

EXPORT int posix_spawn(int *pid, const char *path, const void *actions, const void *attributes, char *const *argv,
		       char *const *environment);
EXPORT int posix_spawn(int *pid, const char *path, const void *actions, const void *attributes, char *const *argv,
		       char *const *environment)
{
	int r = allowed(AT_FDCWD, path, argv, 0);

	return r < 0 ? -r : spawn(WRAP_posix_spawn, pid, path, actions, attributes, argv, environment, r);
}

/* What a search would run: the first that is there and may be executed. */
static int allowed_in_search(const char *file, char *const *argv)
{
	if (text_find(file, '/'))
		return allowed(AT_FDCWD, file, argv, 0);
	long room = raw(__NR_mmap, 0, PATH_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (raw_failed(room))
		return -ENOMEM;
	int r = 0;
	for (const char *search = search_path(); search;) {
		if (!next_candidate(&search, file, (char *)room) || raw(__NR_access, room, 1) < 0)
			continue;
		r = allowed(AT_FDCWD, (const char *)room, argv, 0);
		break;
	}
	raw(__NR_munmap, room, PATH_SIZE);
	return r;
}

EXPORT int posix_spawnp(int *pid, const char *file, const void *actions, const void *attributes, char *const *argv,
			char *const *environment);
EXPORT int posix_spawnp(int *pid, const char *file, const void *actions, const void *attributes, char *const *argv,
			char *const *environment)
{
	int r = allowed_in_search(file, argv);

	return r < 0 ? -r : spawn(WRAP_posix_spawnp, pid, file, actions, attributes, argv, environment, r);
}

/* ---- through the shell -------------------------------------------------- */

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
	const char *path = shim_path(), *others = variable(environment_now(), LD_PRELOAD);

	*command = (struct command){ text, NULL, 0 };
	if (has_shim(environment_now()))
		return 0;
	command->size = 4 * (text_length(text) + text_length(path) + (others ? text_length(others) : 0)) + 128;
	long address = raw(__NR_mmap, 0, command->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (raw_failed(address))
		return -ENOMEM;
	command->mapped = (char *)address;
	command->text = command->mapped;
	char *end = put_quoted(text_put(command->mapped, LD_PRELOAD), path);
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

EXPORT int system(const char *text);
EXPORT int system(const char *text)
{
	int (*next)(const char *) = (int (*)(const char *))next_of(WRAP_system);
	struct command command;

	if (!next)
		return fail(-ENOSYS);
	if (!text)
		return next(text);
	int r = allowed(AT_FDCWD, "/bin/sh", NULL, 0);
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
	int r = next ? allowed(AT_FDCWD, "/bin/sh", NULL, 0) : -ENOSYS;

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
