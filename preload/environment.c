/* SPDX-License-Identifier: MIT */
/*
 * environment.c - what a started program gets for an environment: the shim is in it, whatever the program has done to its
 * own, and what else it has the loader load may be read. `environ` stays as it is.
 */
#include <asm-generic/errno.h>
#include <linux/fcntl.h>

#include "shim.h"

enum { OBJECT_NAME = 512 };

extern char **environ __attribute__((weak, visibility("default")));

static const char LD_PRELOAD[] = "LD_PRELOAD=", ASAN_OPTIONS[] = "ASAN_OPTIONS=";
/* AddressSanitizer's library ends a program in which it is not the first that was loaded. Nothing depends on that order
 * here: what it intercepts comes next behind us. */
static const char NOT_FIRST[] = "verify_asan_link_order=0";

char *const *environment_now(void)
{
	return &environ ? environ : NULL;
}

const char *environment_variable(char *const *environment, const char *name_and_equals)
{
	for (; environment && *environment; environment++)
		if (text_begins(*environment, name_and_equals))
			return *environment + text_length(name_and_equals);
	return NULL;
}

/* Length of the first word of a list for LD_PRELOAD. */
static size_t word_length(const char *list)
{
	size_t n = 0;

	while (list[n] && list[n] != ':' && list[n] != ' ')
		n++;
	return n;
}

static bool is_word(const char *word, size_t length, const char *path)
{
	return length == text_length(path) && memcmp(word, path, length) == 0;
}

/* Is `path` one of the words of a list? */
static bool lists(const char *list, const char *path)
{
	while (list && *list) {
		size_t n = word_length(list);
		if (is_word(list, n, path))
			return true;
		list += n + (list[n] != 0);
	}
	return false;
}

/* Has it the shim already? (Or is there none: then nothing can be done, and was not from the start.) */
bool environment_has_shim(char *const *environment)
{
	const char *path = shim_path();

	return !path || lists(environment_variable(environment, LD_PRELOAD), path);
}

/* A list without one of its words. */
static char *put_others(char *end, const char *list, const char *path)
{
	while (*list) {
		size_t n = word_length(list);
		if (!is_word(list, n, path)) {
			memcpy(end, list, n);
			end += n;
		}
		list += n;
		if (*list)
			*end++ = *list++;
	}
	*end = 0;
	return end;
}

int environment_pass(struct passed *passed, char *const *environment, int judged)
{
	const char *path = shim_path(), *others = environment_variable(environment, LD_PRELOAD);
	const char *options = environment_variable(environment, ASAN_OPTIONS);
	bool has = environment_has_shim(environment), without = shim.filtered && path,
	     sanitized = judged == JUDGED_SANITIZED && path && !without;
	size_t count = 0, text, kept = 0;

	*passed = (struct passed){environment, NULL, 0};
	int r = judge_environment(environment);
	if (r < 0 || (has != without && !sanitized))
		return r;
	while (environment && environment[count])
		count++;
	text = sizeof LD_PRELOAD + text_length(path) + (others ? text_length(others) : 0) + 2 + sizeof ASAN_OPTIONS +
	       sizeof NOT_FIRST + (options ? text_length(options) : 0) + 2;
	passed->mapped_size = (count + 3) * sizeof(char *) + text;
	passed->mapped = common_memory(passed->mapped_size);
	if (!passed->mapped)
		return -ENOMEM;
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
		if (!text_begins(environment[i], LD_PRELOAD) &&
		    !(sanitized && text_begins(environment[i], ASAN_OPTIONS)))
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

/* Objects that the loader will load into the program because a variable names them. */
static int judge_objects(const char *list)
{
	struct request request = request_of(NUMBER_open, NULL);
	char name[OBJECT_NAME];
	int r = 0;

	while (r == 0 && list && *list) {
		size_t n = word_length(list);
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
	int r = judge_objects(environment_variable(environment, LD_PRELOAD));

	return r < 0 ? r : judge_objects(environment_variable(environment, "LD_AUDIT="));
}
