/* SPDX-License-Identifier: MIT */
/*
 * test_roll.c - what a run that nobody traces is found to be and to have used: below this process, as if it were the keeper.
 */
#include "roll.h"

#include <fcntl.h>
#include <sys/syscall.h>

#include "policy_help.h"
#include "process_tree.h"

#define MS UINT64_C(1000000)
#define MIB (UINT64_C(1) << 20)
enum { BURNT = 200, TICK = 10 }; /* ms: of one worker; of the clock of accounts */

static struct roll roll;
static struct census census;

static void setup(void)
{
	tree_setup();
	roll = (struct roll){.top = getpid()};
	census = (struct census){0};
	ck_assert_int_eq(sysconf(_SC_CLK_TCK), 1000 / TICK);
}

static void teardown(void)
{
	roll_clear(&roll);
	census_clear(&census);
	tree_teardown();
}

static void look(void)
{
	roll_call(&roll);
	roll_enter(&roll, &census);
}

/* Where a process stands in the list; it is in it once. */
static size_t place_of(pid_t pid)
{
	size_t place = roll.count;

	for (size_t i = 0; i < roll.count; i++)
		if (roll.list[i].pid == pid) {
			ck_assert_uint_eq(place, roll.count);
			place = i;
		}
	ck_assert_msg(place < roll.count, "%d is not in the list", (int)pid);
	return place;
}

/* ---- who is there ------------------------------------------------------- */

static void with_a_misleading_name(void)
{
	prctl(PR_SET_NAME, ") R 1 1 1", 0, 0, 0);
}

static void with_three_threads(void)
{
	for (int i = 0; i < 3; i++)
		tree_start_thread();
}

START_TEST(everybody_is_listed_once_behind_his_parent)
{
	pid_t middle, child = tree_child(with_a_misleading_name), grandchild = tree_grandchild(NULL, false, &middle);
	pid_t orphan = tree_grandchild(NULL, true, NULL), ended = tree_ended(),
	      threads = tree_child(with_three_threads);

	roll_call(&roll);
	ck_assert_uint_eq(roll.count, 7);
	ck_assert_uint_eq(place_of(getpid()), 0);
	ck_assert_uint_lt(place_of(middle), place_of(grandchild));
	ck_assert_int_eq(roll.list[place_of(grandchild)].parent, middle);
	const pid_t ours[] = {child, middle, orphan, ended, threads};
	for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
		ck_assert_int_eq(roll.list[place_of(ours[i])].parent, getpid());
	ck_assert_uint_eq(roll.list[place_of(threads)].threads, 4);
	ck_assert_uint_eq(roll.list[place_of(child)].threads, 1);
}
END_TEST

START_TEST(hundreds_are_listed)
{
	enum { MANY = 900 };
	pid_t pids[MANY];

	for (int i = 0; i < MANY; i++)
		pids[i] = tree_ended();
	roll_call(&roll);
	ck_assert_uint_eq(roll.count, MANY + 1);
	for (int i = 0; i < MANY; i++)
		place_of(pids[i]);
}
END_TEST

static int made[2];

static void *make_one(void *unused)
{
	pid_t pid = fork();

	if (pid == 0)
		tree_wait();
	if (write(made[1], &pid, sizeof pid) != sizeof pid)
		_exit(1);
	tree_wait();
	return unused;
}

static void with_a_thread_that_makes_one(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, make_one, NULL) != 0)
		_exit(1);
}

START_TEST(the_children_of_threads_are_listed)
{
	pid_t inner;

	ck_assert_int_eq(pipe(made), 0);
	pid_t child = tree_child(with_a_thread_that_makes_one);
	ck_assert_int_eq(read(made[0], &inner, sizeof inner), sizeof inner);
	tree_note(inner);
	roll_call(&roll);
	ck_assert_uint_eq(roll.count, 3);
	ck_assert_int_eq(roll.list[place_of(inner)].parent, child);
}
END_TEST

START_TEST(nobody_is_below_who_is_gone)
{
	pid_t gone = tree_ended();

	ck_assert_int_eq(waitpid(gone, NULL, 0), gone);
	roll.top = gone;
	census.ended_cpu = 5;
	look();
	ck_assert_uint_eq(roll.count, 0);
	ck_assert_uint_eq(roll.round, 0);
	ck_assert_uint_eq(census.ended_cpu, 5);
}
END_TEST

/* ---- the census --------------------------------------------------------- */

START_TEST(the_census_has_everybody_but_the_keeper)
{
	pid_t middle, grandchild = tree_grandchild(NULL, false, &middle);

	look();
	ck_assert_uint_eq(HASH_COUNT(census.live), 2);
	ck_assert_ptr_null(census_find(&census, getpid()));
	ck_assert_int_eq(census_find(&census, grandchild)->parent, middle);
	ck_assert(census_find(&census, grandchild)->copy && !census_find(&census, grandchild)->guest);
	ck_assert(census_find(&census, middle)->makes);
	look();
	ck_assert_uint_eq(HASH_COUNT(census.live), 2);
	kill(middle, SIGKILL);
	ck_assert_int_eq(waitpid(middle, NULL, 0), middle);
	look();
	ck_assert_uint_eq(HASH_COUNT(census.live), 1);
	ck_assert_int_eq(census_find(&census, grandchild)->parent, getpid());
	kill(grandchild, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0)
		;
	look();
	ck_assert_uint_eq(HASH_COUNT(census.live), 0);
}
END_TEST

static void on_its_parents_memory(void)
{
	pid_t inner = vfork();

	if (inner == 0) {
		inner = getpid();
		if (write(made[1], &inner, sizeof inner) != sizeof inner)
			_exit(1);
		tree_wait();
	}
}

START_TEST(who_runs_on_its_parents_memory_is_its_guest)
{
	pid_t inner, parent;

	ck_assert_int_eq(pipe(made), 0);
	if ((parent = fork()) == 0)
		on_its_parents_memory();
	tree_note(parent);
	ck_assert_int_eq(read(made[0], &inner, sizeof inner), sizeof inner);
	tree_note(inner);
	look();
	ck_assert(census_find(&census, inner)->guest && !census_find(&census, inner)->copy);
	ck_assert(!census_find(&census, parent)->guest);
}
END_TEST

/* The kernel's lists may lack one that is there. */
START_TEST(who_is_there_is_missed_some_times_before_it_is_forgotten)
{
	pid_t child = tree_child(NULL);

	look();
	census_find(&census, child)->cpu_seen = 7;
	for (int i = 0; i < 2; i++) {
		roll_call(&roll);
		roll.count = 1;
		roll_enter(&roll, &census);
		ck_assert_ptr_nonnull(census_find(&census, child));
	}
	look(); /* seen again: it begins anew */
	for (int i = 0; i < 3; i++) {
		ck_assert_ptr_nonnull(census_find(&census, child));
		roll_call(&roll);
		roll.count = 1;
		roll_enter(&roll, &census);
	}
	ck_assert_ptr_null(census_find(&census, child));
	ck_assert_uint_eq(census.ended_cpu, 7);
}
END_TEST

/* ---- what they used ----------------------------------------------------- */

static int order[2], answer[2], end[2];

/* Uses a known amount, tells its number, and ends when it is told to. */
static void work(void)
{
	static char bytes[MIB];
	uint64_t now = 0;
	pid_t me = getpid();
	int fd = open("/dev/null", O_WRONLY);
	char byte;

	while (now < BURNT * MS)
		usage_cpu(me, &now);
	if (write(fd, bytes, sizeof bytes) != (ssize_t)sizeof bytes || write(answer[1], &me, sizeof me) != sizeof me ||
	    read(end[0], &byte, 1) != 1)
		_exit(1);
	_exit(0);
}

/* Makes workers (w), waits for one (r), ignores their ends (i) or not (d). */
static void employ(void)
{
	char what;

	for (pid_t done = 0; read(order[0], &what, 1) == 1; done = 0) {
		if (what == 'i' || what == 'd')
			signal(SIGCHLD, what == 'i' ? SIG_IGN : SIG_DFL);
		if (what == 'w' && fork() == 0)
			work();
		if (what == 'r')
			done = waitpid(-1, NULL, 0);
		if (what != 'w' && write(answer[1], &done, sizeof done) != sizeof done)
			break;
	}
	_exit(1);
}

static pid_t tell(char what)
{
	pid_t pid;

	ck_assert_int_eq(write(order[1], &what, 1), 1);
	ck_assert_int_eq(read(answer[0], &pid, sizeof pid), sizeof pid);
	return pid;
}

static void with_employer(void)
{
	ck_assert_int_eq(pipe(order), 0);
	ck_assert_int_eq(pipe(answer), 0);
	ck_assert_int_eq(pipe(end), 0);
	pid_t employer = fork();
	if (employer == 0)
		employ();
	tree_note(employer);
}

static void let_end(pid_t worker, bool ignored)
{
	ck_assert_int_eq(write(end[1], "", 1), 1);
	if (!ignored)
		ck_assert_int_eq(tell('r'), worker);
	while (kill(worker, 0) == 0)
		usleep(1000);
}

/* So much, and at most what the employer itself and a worker's way to its end take. */
static void assert_cpu(uint64_t ns, uint64_t workers)
{
	ck_assert_uint_ge(ns, workers * (BURNT - 2 * TICK) * MS);
	ck_assert_uint_lt(ns, workers * (BURNT + 5 * TICK) * MS);
}

START_TEST(what_was_waited_for_counts_once_seen_or_not)
{
	with_employer();
	if (_i == 0) {
		pid_t worker = tell('w');
		look();
		assert_cpu(census_cpu(&census), 1);
		let_end(worker, false);
	} else {
		let_end(tell('w'), false);
	}
	for (int i = 0; i < 3; i++) {
		look();
		assert_cpu(census.ended_cpu, 1);
		ck_assert_uint_eq(roll.lost_cpu, 0);
	}
	ck_assert(!roll.reckless);
	let_end(tell('w'), false);
	look();
	assert_cpu(census.ended_cpu, 2);
}
END_TEST

/* What was seen of one that nobody waits for stays, and hides nothing that comes later. */
START_TEST(what_nobody_waits_for_is_not_taken_for_another)
{
	with_employer();
	tell('i');
	pid_t worker = tell('w');
	look();
	census_cpu(&census);
	ck_assert(roll.reckless);
	let_end(worker, true);
	for (int i = 0; i < 3; i++)
		look();
	assert_cpu(census.ended_cpu, 1);
	ck_assert_uint_gt(roll.lost_cpu, 0);
	tell('d');
	let_end(tell('w'), false);
	look();
	ck_assert_uint_ge(census.ended_cpu,
			  (2 * BURNT - 8 * TICK) * MS); /* the accounts are exact to some ticks for each */
}
END_TEST

/* What has ended while the accounts were read is missing once, and is in them at the next look. */
START_TEST(what_is_missing_once_is_not_lost)
{
	static const struct {
		uint64_t waited[3]; /* ms, as the accounts say */
		uint64_t lost;	    /* ms, in the end */
	} rows[] = {
		{{0, 500, 500}, 0},   {{0, 0, 0}, 500 - 2 * TICK},
		{{500, 500, 500}, 0}, {{0, 300, 300}, 200 - 2 * TICK},
		{{0, 500, 0}, 0},     {{300, 300, 0}, 200 - 2 * TICK},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		roll.lost_cpu = roll.missing_cpu = 0;
		census.ended_cpu = 500 * MS;
		for (size_t k = 0; k < 3; k++) {
			roll_call(&roll);
			ck_assert_uint_eq(roll.count, 1);
			roll.list[0].waited = rows[i].waited[k] * MS;
			roll_enter(&roll, &census);
		}
		ck_assert_msg(roll.lost_cpu == rows[i].lost * MS, "row %zu: %llu", i,
			      (unsigned long long)roll.lost_cpu);
		ck_assert_uint_eq(census.ended_cpu, 500 * MS);
	}
}
END_TEST

static uint64_t written(void)
{
	roll_call(&roll);
	return roll_io(&roll).written;
}

START_TEST(bytes_count_once_and_never_become_less)
{
	uint64_t before, after;
	bool ignored = _i == 1;

	with_employer();
	if (ignored)
		tell('i');
	before = written();
	pid_t worker = tell('w');
	after = written();
	ck_assert_uint_ge(after - before, MIB);
	ck_assert_uint_lt(after - before, MIB + 4096);
	let_end(worker, ignored);
	for (int i = 0; i < 3; i++) {
		uint64_t now = written();
		ck_assert_uint_ge(now, after);
		ck_assert_uint_lt(now - after, 4096);
	}
	ck_assert_int_eq(roll.written.lost >= MIB - 4096, ignored);
	ck_assert(roll.keeper_tells);
	worker = tell('w');
	ck_assert_uint_ge(written() - before, 2 * MIB);
	let_end(worker, ignored);
	ck_assert_uint_ge(written() - before, 2 * MIB);
}
END_TEST

START_TEST(when_the_keeper_is_gone_what_was_seen_holds)
{
	uint64_t before = written();
	pid_t gone = tree_ended();

	ck_assert_uint_gt(before, 0);
	ck_assert_int_eq(waitpid(gone, NULL, 0), gone);
	roll.top = gone;
	for (int i = 0; i < 3; i++)
		ck_assert_uint_eq(written(), before);
	ck_assert_uint_eq(roll.written.lost, 0);
	ck_assert(!roll.keeper_tells);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("roll");
	TCase *tests = tcase_create("roll");

	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, setup, teardown);
	if (TREE_HAS_STRANGERS) {
		puts("skip - threads in the list, and guests: processes without ThreadSanitizer's own threads");
	} else {
		tcase_add_test(tests, everybody_is_listed_once_behind_his_parent);
		tcase_add_test(tests, who_runs_on_its_parents_memory_is_its_guest);
	}
	tcase_add_test(tests, hundreds_are_listed);
	tcase_add_test(tests, the_children_of_threads_are_listed);
	tcase_add_test(tests, nobody_is_below_who_is_gone);
	tcase_add_test(tests, the_census_has_everybody_but_the_keeper);
	tcase_add_test(tests, who_is_there_is_missed_some_times_before_it_is_forgotten);
	tcase_add_loop_test(tests, what_was_waited_for_counts_once_seen_or_not, 0, 2);
	tcase_add_test(tests, what_nobody_waits_for_is_not_taken_for_another);
	tcase_add_test(tests, what_is_missing_once_is_not_lost);
	tcase_add_loop_test(tests, bytes_count_once_and_never_become_less, 0, 2);
	tcase_add_test(tests, when_the_keeper_is_gone_what_was_seen_holds);
	suite_add_tcase(suite, tests);
	return help_run(suite);
}
