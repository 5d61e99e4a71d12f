/* SPDX-License-Identifier: MIT */
/* test_known.c - which names are known after they were judged, for what, and how long. */
#include "known.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "policy_help.h"

static struct guard guard;
static struct known *known;
static struct tracees all;
static struct task *task;
static struct request *request;
static struct judgement *judgement;

static void setup(void)
{
	help_setup();
	guard.known = known = known_begin(UINT64_MAX / 2);
	memset(&all, 0, sizeof all);
	task = tracee_add(&all, getpid(), NULL, false, -1);
	request = calloc(1, sizeof *request);
	judgement = calloc(1, sizeof *judgement);
	ck_assert(known && task && request && judgement);
}

static void teardown(void)
{
	tracee_free(&all);
	known_end(known);
	free(request);
	free(judgement);
	help_teardown();
}

/* openat(AT_FDCWD, text, O_RDONLY), of a file that is there from now on, as it is before it is resolved; judge() will say yes. */
static void ask(const char *file)
{
	char text[PATH_MAX];
	struct stat st;

	snprintf(text, sizeof text, "%s%s", help_directory, file);
	if (stat(text, &st) < 0)
		help_write(file + 1, "", 0);
	request->task = task;
	request->call = call_by_name("openat");
	request->how = (struct open_how){0};
	request->how_size = 0;
	request->flags = 0;
	struct name_arg *name = &request->names[0];
	name->by_fd = name->rooted = false;
	name->length = strlen(text);
	snprintf(name->text, sizeof name->text, "%s", text);
	memset(&name->at, 0, offsetof(struct resolved, name));
	name->at.exists = true;
	name->at.type = S_IFREG;
	ck_assert_int_eq(stat(text, &name->at.held), 0);
	name->at.length = name->length;
	memcpy(name->at.name, name->text, name->length + 1);
	judge_begin(judgement);
	judgement->names = true;
}

/* execve(text), of a program that nobody in the run changes, and that has an interpreter. */
static void ask_to_run(const char *text)
{
	ask(text);
	request->call = call_by_name("execve");
	const struct stat *held = &request->names[0].at.held;
	task->approved = (struct program){.dev = held->st_dev, .ino = held->st_ino, .loader_dev = 1, .loader_ino = 3};
}

static bool is_known(void)
{
	return known_find(known, request) != NULL;
}

START_TEST(a_name_is_known_for_what_it_was_allowed_for)
{
	ask("/stdio.h");
	ck_assert(!is_known());
	known_note(&guard, request, judgement);
	ck_assert(is_known());
	ask("/stdio");
	ck_assert(!is_known());
	ask("/stdio.h");
	request->how.flags = O_CLOEXEC | O_NOCTTY | O_NONBLOCK | 0100000;
	ck_assert(is_known());
	ask_to_run("/stdio.h");
	ck_assert(!is_known());
	known_note(&guard, request, judgement);
	ck_assert(is_known());
}
END_TEST

/* What it is asked about otherwise than for it was noted: each is neither found nor noted. */
static const int other_flags[] = {O_WRONLY,    O_RDWR,	   O_CREAT,  O_TRUNC, O_PATH,
				  O_DIRECTORY, O_NOFOLLOW, O_APPEND, O_EXCL,  O_TMPFILE};

START_TEST(other_flags_ask_for_something_else)
{
	ask("/a");
	known_note(&guard, request, judgement);
	request->how.flags = (unsigned)other_flags[_i];
	ck_assert(!is_known());
	ask("/b");
	request->how.flags = (unsigned)other_flags[_i];
	known_note(&guard, request, judgement);
	request->how.flags = 0;
	ck_assert(!is_known());
}
END_TEST

static void is_relative(void)
{
	memmove(request->names[0].text, request->names[0].text + 1, request->names[0].length);
}
static void by_descriptor(void)
{
	request->names[0].by_fd = true;
}
static void by_root(void)
{
	request->names[0].rooted = true;
}
static void by_how(void)
{
	request->how_size = sizeof request->how;
}
static void by_another_call(void)
{
	request->call = call_by_name("stat");
}
static void launches(void)
{
	task->launching = true;
}
static void is_long(void)
{
	memset(request->names[0].text + 1, 'x', 200);
	request->names[0].text[201] = 0;
	request->names[0].length = 201;
}
static void (*const other_requests[])(void) = {is_relative,	by_descriptor, by_root, by_how,
					       by_another_call, launches,      is_long};

START_TEST(other_requests_are_neither_found_nor_noted)
{
	ask("/a");
	known_note(&guard, request, judgement);
	other_requests[_i]();
	ck_assert(!is_known());
	known_note(&guard, request, judgement);
	ck_assert(!is_known());
}
END_TEST

static void is_answered(void)
{
	judgement->outcome = OUTCOME_ANSWER;
}
static void is_refused(void)
{
	judgement->outcome = OUTCOME_REFUSE;
}
static void has_no_names(void)
{
	judgement->names = false;
}
static void moves_names(void)
{
	judgement->moves_names = true;
}
static void is_aside(void)
{
	judgement->aside = true;
}
static void comes_again(void)
{
	judgement->again = true;
}
static void is_another_call(void)
{
	judgement->instead = 0;
}
static void is_replaced(void)
{
	judgement->replace = 0;
}
static void is_audited(void)
{
	judgement->audited_count = 1;
}
static void nothing(struct guard *all_of_it, struct request *of)
{
	(void)all_of_it, (void)of;
}
static int64_t same(struct task *of, int64_t result)
{
	(void)of;
	return result;
}
static void has_then(void)
{
	judgement->then = nothing;
}
static void has_after(void)
{
	judgement->after = nothing;
}
static void has_note(void)
{
	judgement->note = same;
}
static void failed(void)
{
	request->names[0].at.error = -EACCES;
}
static void is_missing(void)
{
	request->names[0].at.exists = false;
}
static void is_fifo(void)
{
	request->names[0].at.type = S_IFIFO;
}
static void is_device(void)
{
	request->names[0].at.type = S_IFCHR;
}
static void is_magic(void)
{
	request->names[0].at.magic = true;
}
static void has_no_name(void)
{
	request->names[0].at.nameless = true;
}
static void is_of_process(void)
{
	request->names[0].at.run_proc = true;
}
static void is_of_stranger(void)
{
	request->names[0].at.stranger = true;
}
static void leads_far(void)
{
	request->names[0].at.length = 200;
}
static void (*const otherwise[])(void) = {
	is_answered, is_refused, has_no_names, moves_names, is_aside,	   comes_again,	   is_another_call,
	is_replaced, is_audited, has_then,     has_after,   has_note,	   failed,	   is_missing,
	is_fifo,     is_device,	 is_magic,     has_no_name, is_of_process, is_of_stranger, leads_far,
};

START_TEST(only_a_plain_yes_is_noted)
{
	ask("/a");
	otherwise[_i]();
	known_note(&guard, request, judgement);
	ask("/a");
	ck_assert(!is_known());
	ask_to_run("/a");
	otherwise[_i]();
	known_note(&guard, request, judgement);
	ask_to_run("/a");
	ck_assert(!is_known());
}
END_TEST

static void may_be_written(void)
{
	task->approved.writable = true;
}
static void is_static(void)
{
	task->approved.loader_ino = 0;
}
static void is_script(void)
{
	task->approved.ino++;
}
static void is_elsewhere(void)
{
	task->approved.dev++;
}
static void (*const other_programs[])(void) = {may_be_written, is_static, is_script, is_elsewhere};

START_TEST(only_a_constant_program_is_noted)
{
	ask_to_run("/a");
	other_programs[_i]();
	known_note(&guard, request, judgement);
	ask_to_run("/a");
	ck_assert(!is_known());
}
END_TEST

START_TEST(a_known_program_is_approved_as_it_was)
{
	ask_to_run("/a");
	memcpy(request->names[0].at.name, "/usr/a", sizeof "/usr/a");
	request->names[0].at.length = strlen("/usr/a");
	task->approved.changed.tv_sec = 5;
	known_note(&guard, request, judgement);
	task->approved = (struct program){.dev = 7, .ino = 7, .writable = true};
	task->exec_name = strdup("another");
	ck_assert(known_approve(known_find(known, request), task));
	ck_assert_str_eq(task->exec_name, "/usr/a");
	ck_assert(task->approved.dev == request->names[0].at.held.st_dev &&
		  task->approved.ino == request->names[0].at.held.st_ino && task->approved.loader_ino == 3 &&
		  task->approved.changed.tv_sec == 5 && !task->approved.writable);
}
END_TEST

/* By somebody outside: each is another file than the one that was judged, or not quite the same any more. */
static void is_removed(void)
{
	ck_assert_int_eq(unlink("a"), 0);
}
static void is_renamed_over(void)
{
	help_write("b", "", 0);
	ck_assert_int_eq(rename("b", "a"), 0);
}
static void leads_elsewhere(void)
{
	help_write("b", "", 0);
	ck_assert_int_eq(unlink("a"), 0);
	ck_assert_int_eq(symlink("b", "a"), 0);
}
static void is_changed(void)
{
	struct stat st;
	/* until the clock of the file system has gone on */
	do
		ck_assert(chmod("a", 0600) == 0 && stat("a", &st) == 0);
	while (st.st_ctim.tv_sec == request->names[0].at.held.st_ctim.tv_sec &&
	       st.st_ctim.tv_nsec == request->names[0].at.held.st_ctim.tv_nsec);
}
static void (*const exchanges[])(void) = {is_removed, is_renamed_over, leads_elsewhere, is_changed};

START_TEST(what_somebody_outside_has_exchanged_is_not_found)
{
	ask("/a");
	known_note(&guard, request, judgement);
	ck_assert(is_known());
	exchanges[_i]();
	ck_assert(!is_known());
}
END_TEST

static bool is_known_after_unlink(const char *how)
{
	ask(how);
	known_note(&guard, request, judgement);
	ck_assert(is_known());
	ck_assert_int_eq(unlink("a"), 0);
	bool found = is_known();
	ask("/a"); /* it is there again */
	known_forget(known);
	return found;
}

/* Where the policy lets nobody write, and nothing but such names leads there: who else could change it is the system's. */
START_TEST(what_nobody_may_change_is_found_without_a_look)
{
	static struct policy policies[2];
	policies[0] = help_policy(help_source(), "filesystem: { read: [\"/\"] };");
	policies[1] = help_policy(help_source(), "filesystem: { write: [\"/tmp\"] };");
	guard.policies[0] = &policies[0];
	guard.policy_count = 1;
	ck_assert(is_known_after_unlink("/a"));

	ask("/a"); /* by a link that others may turn elsewhere */
	memcpy(request->names[0].at.name + request->names[0].at.length++, "b", 2);
	known_note(&guard, request, judgement);
	ck_assert_int_eq(unlink("a"), 0);
	ck_assert(!is_known());
	known_forget(known);

	ask("/a"); /* but not by one of the root's */
	memcpy(request->names[0].at.name + request->names[0].at.length++, "b", 2);
	memcpy(request->names[0].at.hop.link, "/tmp", 5);
	known_note(&guard, request, judgement);
	ck_assert_int_eq(unlink("a"), 0);
	ck_assert(is_known());
	known_forget(known);

	ask_to_run("/a"); /* what runs is compared with it */
	known_note(&guard, request, judgement);
	ck_assert_int_eq(unlink("a"), 0);
	ck_assert(!is_known());

	guard.policies[0] = &policies[1];
	ask("/a");
	ck_assert(!is_known_after_unlink("/a"));
	guard.policies[0] = &policies[0];
	guard.on_violation = ON_VIOLATION_AUDIT;
	ck_assert(!is_known_after_unlink("/a"));
	guard.on_violation = ON_VIOLATION_DENY;
	guard.policy_count = 0;
	for (unsigned i = 0; i < 2; i++)
		policy_free(&policies[i]);
}
END_TEST

/* Another thread could change the text; but who is suspended by vfork does not. */
START_TEST(nothing_is_found_where_memory_is_shared)
{
	ask("/a");
	known_note(&guard, request, judgement);
	ask_to_run("/a");
	known_note(&guard, request, judgement);
	task->memory->users = 2;
	ck_assert(!is_known());
	task->vfork_parent = task;
	ck_assert(is_known());
	ask("/a");
	ck_assert(!is_known());
	task->memory->users = 3;
	ask_to_run("/a");
	ck_assert(!is_known());
	task->memory->users = 1;
	ck_assert(is_known());
	task->memory->restless = true;
	ck_assert(!is_known());
	task->vfork_parent = NULL;
}
END_TEST

START_TEST(what_is_forgotten_is_not_found)
{
	ask("/a");
	known_note(&guard, request, judgement);
	known_forget(known);
	ck_assert(!is_known());
	known_note(&guard, request, judgement);
	known_drop(known_find(known, request));
	ck_assert(!is_known());
	known_note(&guard, request, judgement);
	ck_assert(is_known());
	known_end(known);
	guard.known = known = known_begin(0); /* no moment at all */
	known_note(&guard, request, judgement);
	ck_assert(!is_known());
	known_forget(NULL);
	known_note(&(struct guard){0}, request, judgement);
	ck_assert_ptr_null(known_find(NULL, request));
}
END_TEST

/* More than there is room for: each leads where it led, or is not known; and the last ones are. */
START_TEST(many_names_are_not_mixed_up)
{
	enum { MANY = 5000 };
	char text[32];
	unsigned found = 0;

	for (int i = 0; i < MANY; i++) {
		snprintf(text, sizeof text, "/f%d", i);
		ask_to_run(text);
		task->approved.changed.tv_sec = i;
		known_note(&guard, request, judgement);
		ck_assert(is_known());
	}
	for (int i = 0; i < MANY; i++) {
		snprintf(text, sizeof text, "/f%d", i);
		ask_to_run(text);
		struct known_name *name = known_find(known, request);
		if (!name)
			continue;
		found++;
		ck_assert(known_approve(name, task));
		ck_assert_int_eq(task->approved.changed.tv_sec, i);
		ck_assert_str_eq(task->exec_name + strlen(help_directory), text);
	}
	ck_assert_uint_gt(found, 500);
	ck_assert_uint_lt(found, MANY);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("known");
	TCase *tcase = tcase_create("known");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, a_name_is_known_for_what_it_was_allowed_for);
	tcase_add_loop_test(tcase, other_flags_ask_for_something_else, 0, sizeof other_flags / sizeof other_flags[0]);
	tcase_add_loop_test(tcase, other_requests_are_neither_found_nor_noted, 0,
			    sizeof other_requests / sizeof other_requests[0]);
	tcase_add_loop_test(tcase, only_a_plain_yes_is_noted, 0, sizeof otherwise / sizeof otherwise[0]);
	tcase_add_loop_test(tcase, only_a_constant_program_is_noted, 0,
			    sizeof other_programs / sizeof other_programs[0]);
	tcase_add_test(tcase, a_known_program_is_approved_as_it_was);
	tcase_add_loop_test(tcase, what_somebody_outside_has_exchanged_is_not_found, 0,
			    sizeof exchanges / sizeof exchanges[0]);
	tcase_add_test(tcase, what_nobody_may_change_is_found_without_a_look);
	tcase_add_test(tcase, nothing_is_found_where_memory_is_shared);
	tcase_add_test(tcase, what_is_forgotten_is_not_found);
	tcase_add_test(tcase, many_names_are_not_mixed_up);
	suite_add_tcase(suite, tcase);
	return help_run(suite);
}
