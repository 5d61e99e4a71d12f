/* SPDX-License-Identifier: MIT */
/*
 * test_headcount.c - how many tasks there may be where nobody sees a birth: real ones are counted, and those that may be about
 * to come.
 */
#include "headcount.h"

#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <time.h>

#include "policy_help.h"
#include "process_tree.h"

static struct headcount count;
static unsigned waits;

static void may_wait(void)
{
	waits++;
}

static void setup(void)
{
	tree_setup();
	count = (struct headcount){.lock = PTHREAD_MUTEX_INITIALIZER};
	waits = 0;
}

static void teardown(void)
{
	free(count.births);
	tree_teardown();
}

/* Is there room for one more that `tid` makes? */
static bool one_more(pid_t tid, uint64_t most)
{
	return headcount_one_more(&count, tid, getpid(), most, may_wait);
}

/* The same, as if nothing were known but what is there. */
static bool fits_now(pid_t tid, uint64_t most)
{
	count.at_most = UINT64_MAX;
	count.birth_count = 0;
	return one_more(tid, most);
}

/* So many tasks are counted. */
static void assert_counted(pid_t asking, uint64_t tasks)
{
	ck_assert(fits_now(asking, tasks + 1));
	ck_assert(!fits_now(asking, tasks));
}

/* ---- what is there ------------------------------------------------------ */

static void with_three_threads(void)
{
	for (int i = 0; i < 3; i++)
		tree_start_thread();
}

START_TEST(processes_and_threads_and_the_ended_are_counted)
{
	pid_t first = tree_child(NULL);

	assert_counted(first, 1);
	tree_child(with_three_threads);
	assert_counted(first, 5);
	tree_grandchild(NULL, false, NULL);
	assert_counted(first, 7);
	tree_grandchild(NULL, true, NULL);
	assert_counted(first, 8);
	pid_t ended = tree_ended();
	assert_counted(first, 9);
	ck_assert_int_eq(waitpid(ended, NULL, 0), ended);
	assert_counted(first, 8);
	ck_assert_uint_eq(waits, 0);
}
END_TEST

static int tell[2], go[2];

static void *end_when_told(void *unused)
{
	pid_t tid = gettid();
	char byte;

	if (write(tell[1], &tid, sizeof tid) != sizeof tid || read(go[0], &byte, 1) != 1)
		_exit(1);
	return unused;
}

static void with_a_thread_that_ends(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, end_when_told, NULL) != 0)
		_exit(1);
}

/* Somebody traces it, so it stays as long as it is not waited for: what pthread_join does not wait for either. */
START_TEST(a_thread_that_has_begun_to_end_is_not_counted)
{
	pid_t thread;
	siginfo_t info;

	ck_assert_int_eq(pipe(tell), 0);
	ck_assert_int_eq(pipe(go), 0);
	pid_t process = tree_child(with_a_thread_that_ends);
	ck_assert_int_eq(read(tell[0], &thread, sizeof thread), sizeof thread);
	assert_counted(process, 2);
	ck_assert_int_eq(ptrace(PTRACE_SEIZE, thread, NULL, NULL), 0);
	ck_assert_int_eq(write(go[1], "", 1), 1);
	ck_assert_int_eq(waitid(P_PID, (id_t)thread, &info, WEXITED | WNOWAIT | __WALL), 0);
	assert_counted(process, 1);
	ck_assert_int_eq(waitpid(thread, NULL, __WALL), thread);
}
END_TEST

/* ---- what may come ------------------------------------------------------ */

START_TEST(what_was_let_be_made_counts_without_a_look)
{
	pid_t others[] = {tree_child(NULL), tree_child(NULL)};

	count.at_most = 1; /* less than there are: nobody looks before that is used up */
	ck_assert(one_more(others[0], 3));
	ck_assert_uint_eq(count.at_most, 2);
	ck_assert(one_more(others[1], 3));
	ck_assert_uint_eq(count.at_most, 3);
	ck_assert_uint_eq(waits, 0);
	ck_assert(
		one_more(others[0], 3)); /* now it is looked: there are two, and both are elsewhere, or will be soon */
	ck_assert_uint_eq(count.at_most, 3);
	ck_assert_uint_eq(count.birth_count, 1);
}
END_TEST

static void *wait_in_vfork(void *unused)
{
	pid_t inner = vfork();

	if (inner == 0) {
		inner = getpid();
		if (write(tell[1], &inner, sizeof inner) != sizeof inner)
			_exit(1);
		tree_wait();
	}
	return unused;
}

static void in_vfork(void)
{
	pthread_t thread;
	pid_t inner;

	if (pthread_create(&thread, NULL, wait_in_vfork, NULL) != 0 ||
	    read(tell[0], &inner, sizeof inner) != sizeof inner || write(go[1], &inner, sizeof inner) != sizeof inner)
		_exit(1);
}

/* The thread of `process` that is not its first. */
static pid_t other_thread(pid_t process)
{
	char path[64];

	for (pid_t tid = process + 1;; tid++) {
		snprintf(path, sizeof path, "/proc/%d/task/%d", (int)process, (int)tid);
		if (access(path, F_OK) == 0)
			return tid;
		ck_assert_int_lt(tid, process + 10000);
	}
}

/* A thread that is seen in the call itself: what it makes may be there already, and counts once more to be sure. */
START_TEST(who_may_be_at_it_still_is_waited_for_and_counts)
{
	pid_t inner, asking = tree_child(NULL);

	ck_assert_int_eq(pipe(tell), 0);
	ck_assert_int_eq(pipe(go), 0);
	pid_t process = tree_child(in_vfork), making = other_thread(process);
	ck_assert_int_eq(read(go[0], &inner, sizeof inner), sizeof inner);
	tree_note(inner);
	assert_counted(asking, 4);
	count.at_most = 3;
	count.birth_count = 0;
	ck_assert(one_more(making, 5));
	ck_assert(one_more(asking, 5));
	ck_assert_uint_eq(waits, 0);
	ck_assert(!one_more(asking, 5)); /* there are four, and one may be about to come */
	ck_assert_uint_gt(waits, 0);
	ck_assert(one_more(asking, 6));
	ck_assert(kill(inner, SIGKILL) == 0);
	for (int i = 0; i < 5000 && !one_more(asking, 4); i++) /* until the thread is behind its call */
		usleep(1000);
	count.at_most = UINT64_MAX;
	ck_assert(one_more(asking, 4));
	ck_assert_uint_eq(count.birth_count, 1);
}
END_TEST

START_TEST(who_asks_again_is_not_at_it_any_more)
{
	pid_t inner, asking = tree_child(NULL);

	ck_assert_int_eq(pipe(tell), 0);
	ck_assert_int_eq(pipe(go), 0);
	pid_t process = tree_child(in_vfork), making = other_thread(process);
	ck_assert_int_eq(read(go[0], &inner, sizeof inner), sizeof inner);
	tree_note(inner);
	ck_assert(one_more(making, 10) && one_more(asking, 10) && one_more(making, 10));
	ck_assert_uint_eq(count.birth_count, 2);
}
END_TEST

static void busy(void)
{
	prctl(PR_SET_NAME, ") R 1 1 1 1", 0, 0, 0);
	if (write(tell[1], "", 1) != 1)
		_exit(1);
	for (volatile unsigned i = 0;; i++)
		;
}

/* One that runs in its own code cannot be seen to be there, but its clock shows it. */
START_TEST(who_runs_for_some_time_is_elsewhere)
{
	char byte;

	ck_assert_int_eq(pipe(tell), 0);
	pid_t asking = tree_child(NULL), runner = fork();
	if (runner == 0)
		busy();
	tree_note(runner);
	ck_assert_int_eq(read(tell[0], &byte, 1), 1);
	bool waited = false, fits = false;
	for (time_t end = time(NULL) + 30; !(waited && fits) && time(NULL) < end;) {
		count.at_most = 2;
		count.birth_count = 0;
		waits = 0;
		ck_assert(one_more(runner, 3));
		do
			fits = one_more(asking, 3);
		while (!fits && time(NULL) < end);
		waited |= waits > 0; /* or it has run for that long in between */
	}
	ck_assert(waited);
	ck_assert(fits);
}
END_TEST

START_TEST(who_is_gone_makes_nothing)
{
	pid_t asking = tree_child(NULL), gone = tree_ended();

	ck_assert_int_eq(waitpid(gone, NULL, 0), gone);
	ck_assert(one_more(gone, 10));
	count.at_most = UINT64_MAX;
	ck_assert(one_more(asking, 2));
	ck_assert_uint_eq(count.birth_count, 1);
}
END_TEST

START_TEST(hundreds_may_be_at_it_at_once)
{
	enum { MANY = 300 };

	for (pid_t tid = 1; tid <= MANY; tid++)
		ck_assert(one_more(INT32_MAX - tid, 2 * MANY));
	ck_assert_uint_eq(count.birth_count, MANY);
	ck_assert_uint_eq(count.at_most, MANY);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("headcount");
	TCase *tests = tcase_create("headcount");

	if (TREE_HAS_STRANGERS) {
		puts("skip - counting tasks: processes without ThreadSanitizer's own threads");
		return 0;
	}
	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, processes_and_threads_and_the_ended_are_counted);
	tcase_add_test(tests, a_thread_that_has_begun_to_end_is_not_counted);
	tcase_add_test(tests, what_was_let_be_made_counts_without_a_look);
	tcase_add_test(tests, who_may_be_at_it_still_is_waited_for_and_counts);
	tcase_add_test(tests, who_asks_again_is_not_at_it_any_more);
	tcase_add_test(tests, who_runs_for_some_time_is_elsewhere);
	tcase_add_test(tests, who_is_gone_makes_nothing);
	tcase_add_test(tests, hundreds_may_be_at_it_at_once);
	suite_add_tcase(suite, tests);
	return help_run(suite);
}
