/* SPDX-License-Identifier: MIT */
/*
 * test_syscalls_kernel.c - does the running kernel take names as the table says? Each call with a name is made, in a
 * child and a scratch directory, with arguments found by trying: good are those with which a missing name gives
 * ENOENT, so that the name is what the answer depends on. A call that the machine does not have, or for which no
 * arguments are found, proves nothing and is counted as such.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "syscalls.h"

#ifndef AT_EMPTY_PATH
#define AT_EMPTY_PATH 0x1000
#endif

static char scratch[] = "/tmp/picket-syscalls.XXXXXX";

/*
 * What may stand in an argument about which the table says nothing: an empty buffer, the name of an attribute, 0, a
 * size (that of the smallest struct file_attr), an inotify descriptor. Good pointers come first, so that no EFAULT
 * hides what came of a name.
 */
enum { GUESSES = 5, GUESS_BITS = 3, GUESS_MASK = (1 << GUESS_BITS) - 1, SMALL_SIZE = 24 };
static long guesses[GUESSES];
static char attribute[] = "user.x";
static char buffer[4096] __attribute__((aligned(64)));

/* One way to make a call: the name, the flags, and a guess for each argument that says nothing of a name. */
struct attempt {
	const char *name;
	int dirfd;
	long flags;
	unsigned guess; /* GUESS_BITS an argument */
};

static bool is_plain(unsigned kind)
{
	return kind == ARG_ANY || kind == ARG_LENGTH || kind == ARG_MODE || kind == ARG_OWNER || kind == ARG_NODE ||
	       kind == ARG_ATTRIBUTE || kind == ARG_VALUE_SIZE;
}

/* Make the call; 0 or its errno. The guarding of any other name (the second of a link) is not tried: it is fresh. */
static int make_call(const struct call *call, const struct attempt *attempt)
{
	long value[CALL_ARGS] = {0};
	bool named = false;

	memset(buffer, 0, sizeof(buffer));
	unlink("fresh");
	for (int i = 0; i < CALL_ARGS; i++) {
		switch (call->args[i].kind) {
		case ARG_PATH:
			value[i] = (long)(named ? "fresh" : attempt->name);
			named = true;
			break;
		case ARG_DIRFD:
			value[i] = named ? AT_FDCWD : attempt->dirfd;
			break;
		case ARG_AT_FLAGS:
			value[i] = attempt->flags;
			break;
		case ARG_WATCH_MASK:
			value[i] = attempt->flags ? attempt->flags : IN_CREATE;
			break;
		default:
			if (is_plain(call->args[i].kind))
				value[i] = guesses[attempt->guess >> GUESS_BITS * i & GUESS_MASK];
			break;
		}
	}
	return syscall(call->number, value[0], value[1], value[2], value[3], value[4], value[5]) < 0 ? errno : 0;
}

/* Can this be a guess: one for each argument that needs one, nothing elsewhere? */
static bool is_guess(const struct call *call, unsigned guess)
{
	for (int i = 0; i < CALL_ARGS; i++, guess >>= GUESS_BITS)
		if ((guess & GUESS_MASK) >= (is_plain(call->args[i].kind) ? GUESSES : 1))
			return false;
	return true;
}

/* Find guesses with which the call comes as far as its name. */
static bool find_guess(const struct call *call, struct attempt *attempt)
{
	for (unsigned guess = 0; guess < 1u << GUESS_BITS * CALL_ARGS; guess++) {
		if (!is_guess(call, guess))
			continue;
		attempt->guess = guess;
		attempt->name = "missing";
		if (make_call(call, attempt) != ENOENT)
			continue;
		attempt->name = "file";
		if (make_call(call, attempt) != ENOENT)
			return true;
	}
	return false;
}

static void set_up(void)
{
	struct rlimit none = {0, 0};

	ck_assert_ptr_nonnull(mkdtemp(scratch));
	ck_assert_int_eq(chdir(scratch), 0);
	ck_assert_int_eq(setrlimit(RLIMIT_CORE, &none), 0);
	ck_assert_int_eq(close(open("file", O_CREAT | O_WRONLY, 0600)), 0);
	ck_assert_int_eq(symlink("missing", "dangling"), 0);
	guesses[0] = (long)buffer;
	guesses[1] = (long)attribute;
	guesses[2] = 0;
	guesses[3] = SMALL_SIZE;
	guesses[4] = inotify_init1(IN_CLOEXEC);
}

static void tear_down(void)
{
	static const char *const left[] = {"file", "dangling", "fresh", "missing"};

	chmod(scratch, 0700);
	for (size_t i = 0; i < sizeof(left) / sizeof(*left); i++)
		unlink(left[i]);
	rmdir(scratch);
}

/* Is this a call whose one name (the first) exists beforehand? */
static bool takes_existing_name(const struct call *call)
{
	int path = call_arg_index(call, ARG_PATH, 0);

	return call->class == CALL_JUDGED && path >= 0 && call->args[path].final != FINAL_NAME &&
	       call->args[path].final != FINAL_OPEN && strcmp(call->name, "creat") != 0;
}

/* Put the things a call may have changed back. */
static void renew_names(void)
{
	ck_assert_int_eq(chmod(scratch, 0700), 0);
	unlink("dangling");
	unlink("file");
	ck_assert_int_eq(symlink("missing", "dangling"), 0);
	ck_assert_int_eq(close(open("file", O_CREAT | O_WRONLY, 0600)), 0);
}

/* Does the kernel follow a symbolic link that is the last component, with these flags? */
static bool follows(const struct call *call, struct attempt attempt, long flags)
{
	attempt.name = "dangling";
	attempt.flags = flags;
	renew_names();
	return make_call(call, &attempt) == ENOENT;
}

static void check_final(const struct call *call, const struct attempt *attempt)
{
	int path = call_arg_index(call, ARG_PATH, 0);

	switch ((enum final)call->args[path].final) {
	case FINAL_FOLLOW:
		ck_assert_msg(follows(call, *attempt, 0), "%s does not follow", call->name);
		break;
	case FINAL_NOFOLLOW:
		ck_assert_msg(!follows(call, *attempt, 0), "%s follows", call->name);
		break;
	case FINAL_AT_NOFOLLOW:
		ck_assert_msg(follows(call, *attempt, 0), "%s does not follow", call->name);
		ck_assert_msg(!follows(call, *attempt, AT_SYMLINK_NOFOLLOW), "%s follows in spite of its flag",
			      call->name);
		break;
	case FINAL_AT_FOLLOW:
		ck_assert_msg(!follows(call, *attempt, 0), "%s follows", call->name);
		ck_assert_msg(follows(call, *attempt, AT_SYMLINK_FOLLOW), "%s does not follow with its flag",
			      call->name);
		break;
	case FINAL_WATCH:
		ck_assert_msg(follows(call, *attempt, 0), "%s does not follow", call->name);
		ck_assert_msg(!follows(call, *attempt, IN_DONT_FOLLOW | IN_CREATE), "%s follows in spite of its mask",
			      call->name);
		break;
	case FINAL_NAME:
	case FINAL_OPEN:
		break;
	}
}

START_TEST(the_kernel_follows_links_where_the_table_says_so)
{
	int proven = 0, unknown = 0;

	for (long number = 0; number < CALL_NUMBERS; number++) {
		const struct call *call = call_find(number);
		struct attempt attempt = {.dirfd = AT_FDCWD};

		if (!takes_existing_name(call))
			continue;
		renew_names();
		if (find_guess(call, &attempt)) {
			check_final(call, &attempt);
			proven++;
		} else {
			unknown++;
			printf("nothing shown for %s\n", call->name);
		}
	}
	ck_assert_msg(proven >= 30, "shown for %d calls only, not for %d", proven, unknown);
}
END_TEST

/* An empty name, or none, that the kernel takes for the directory descriptor itself, without the table knowing, would
 * be a way to a file that nobody judged. */
static void check_empty(const struct call *call, const struct attempt *good, int dirfd, long flags, const char *name)
{
	int path = call_arg_index(call, ARG_PATH, 0);
	unsigned known = call->args[path].empty, with_flag = flags & AT_EMPTY_PATH ? EMPTY_BY_FLAGS : 0;
	struct attempt attempt = *good;
	int error;

	attempt.name = name;
	attempt.dirfd = dirfd;
	attempt.flags = flags;
	error = make_call(call, &attempt);
	renew_names();
	if (error == ENOENT || error == EFAULT || error == EINVAL)
		return;
	known &= (name ? EMPTY_ALWAYS : EMPTY_NULL) | with_flag;
	ck_assert_msg(known, "%s takes %s with flags %#lx: %s", call->name, name ? "an empty name" : "NULL", flags,
		      strerror(error));
}

START_TEST(the_kernel_takes_no_empty_name_that_the_table_does_not_know)
{
	int file = open("file", O_RDWR), link = open("dangling", O_PATH | O_NOFOLLOW);
	int proven = 0;

	ck_assert(file >= 0 && link >= 0);
	for (long number = 0; number < CALL_NUMBERS; number++) {
		const struct call *call = call_find(number);
		struct attempt attempt = {.dirfd = AT_FDCWD};
		const int dirfds[] = {file, link, AT_FDCWD};

		if (!takes_existing_name(call) || !find_guess(call, &attempt))
			continue;
		for (int i = 0; i < 3; i++) {
			check_empty(call, &attempt, dirfds[i], 0, "");
			check_empty(call, &attempt, dirfds[i], 0, NULL);
			if (call_arg_index(call, ARG_AT_FLAGS, 0) < 0)
				continue;
			check_empty(call, &attempt, dirfds[i], AT_EMPTY_PATH, "");
			check_empty(call, &attempt, dirfds[i], AT_EMPTY_PATH, NULL);
		}
		proven++;
	}
	ck_assert_int_ge(proven, 30);
	close(file);
	close(link);
}
END_TEST

/* What the table says fails so, and nothing else does. */
START_TEST(an_open_fails_for_the_kind_of_its_object_as_the_table_says)
{
	static const uint64_t modes[] = {O_RDONLY, O_WRONLY, O_RDWR, O_PATH},
			      flags[] = {0,	      O_CREAT,		 O_TRUNC,
					 O_DIRECTORY, O_CREAT | O_TRUNC, O_DIRECTORY | O_TRUNC,
					 O_TMPFILE};
	static const char *const objects[] = {"file", "kinds", "kinds/pipe", "dangling", "/dev/null"};
	int proven = 0;

	ck_assert(mkdir("kinds", 0700) == 0 && mkfifo("kinds/pipe", 0600) == 0);
	for (size_t o = 0; o < sizeof objects / sizeof *objects; o++)
		for (size_t m = 0; m < sizeof modes / sizeof *modes; m++)
			for (size_t f = 0; f < sizeof flags / sizeof *flags; f++) {
				uint64_t how = modes[m] | flags[f];
				struct stat st;
				ck_assert_int_eq(lstat(objects[o], &st), 0);
				int said = call_open_error(how, st.st_mode & S_IFMT),
				    fd = open(objects[o], (int)how | O_NOFOLLOW | O_NONBLOCK, 0600),
				    error = fd < 0 ? errno : 0;
				close(fd);
				if (error == EINVAL) /* no such flags */
					continue;
				bool of_kind = error == EISDIR || error == ENOTDIR || error == ELOOP;
				ck_assert_msg(said == (of_kind ? -error : 0), "%s with %#lx: %s, not %d", objects[o],
					      (unsigned long)how, strerror(error), said);
				proven += of_kind;
			}
	ck_assert_int_ge(proven, 20);
	ck_assert(unlink("kinds/pipe") == 0 && rmdir("kinds") == 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("syscalls and the kernel");
	TCase *names = tcase_create("names");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, names);
	tcase_add_unchecked_fixture(names, set_up, tear_down);
	tcase_add_test(names, the_kernel_follows_links_where_the_table_says_so);
	tcase_add_test(names, the_kernel_takes_no_empty_name_that_the_table_does_not_know);
	tcase_add_test(names, an_open_fails_for_the_kind_of_its_object_as_the_table_says);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
