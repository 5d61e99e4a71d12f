/* SPDX-License-Identifier: MIT */
/*
 * test_end.c - what ends a run from outside: signals that somebody sends, signals of the terminal, time, limits; and that
 * whoever waits is interrupted until the end has come. Each test is a process of its own (Check forks).
 */
#include "end.h"

#include <pty.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

#include "policy_help.h"
#include "usage.h"

static const int asking[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
enum { ASKING = sizeof asking / sizeof asking[0] };

static bool blocked_now(int number)
{
	sigset_t now;

	sigprocmask(SIG_SETMASK, NULL, &now);
	return sigismember(&now, number);
}

/* How often a call that waits is interrupted, of `times`. */
static int interruptions(int times)
{
	int count = 0;

	for (int i = 0; i < times; i++)
		count += nanosleep(&(struct timespec){10, 0}, NULL) < 0 && errno == EINTR;
	return count;
}

START_TEST(a_signal_that_somebody_sends_asks_for_the_end)
{
	end_catch();
	ck_assert_int_eq(end_reason, 0);
	kill(getpid(), asking[_i]);
	ck_assert_int_eq(end_reason, asking[_i]);
}
END_TEST

START_TEST(the_first_reason_stays)
{
	end_catch();
	kill(getpid(), asking[_i]);
	kill(getpid(), asking[(_i + 1) % ASKING]);
	end_for_limit();
	ck_assert_int_eq(interruptions(1), 1);
	ck_assert_int_eq(end_reason, asking[_i]);
}
END_TEST

START_TEST(whoever_waits_is_interrupted_again_and_again)
{
	end_catch();
	kill(getpid(), asking[_i]);
	ck_assert_int_eq(interruptions(5), 5);
	end_after(0);
}
END_TEST

START_TEST(what_the_caller_ignored_stays_ignored)
{
	signal(asking[_i], SIG_IGN);
	const struct end_signals *before = end_catch();
	kill(getpid(), asking[_i]);
	ck_assert_int_eq(end_reason, 0);
	ck_assert(sigismember(&before->ignored, asking[_i]));
	ck_assert(!sigismember(&before->ignored, asking[(_i + 1) % ASKING]));
}
END_TEST

START_TEST(what_the_caller_blocked_is_remembered_and_heard_all_the_same)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, asking[_i]);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	const struct end_signals *before = end_catch();
	ck_assert(sigismember(&before->blocked, asking[_i]));
	ck_assert(sigismember(&before->blocked, SIGUSR1));
	ck_assert(!sigismember(&before->blocked, SIGUSR2));
	ck_assert(!blocked_now(asking[_i]));
	ck_assert(blocked_now(SIGUSR1));
	kill(getpid(), asking[_i]);
	ck_assert_int_eq(end_reason, asking[_i]);
}
END_TEST

/* ---- time and limits ---------------------------------------------------- */

START_TEST(time_ends_a_run_and_not_before)
{
	uint64_t begun = usage_now(), ns = UINT64_C(50000000);
	end_catch();
	end_after(ns);
	ck_assert_int_eq(end_reason, 0);
	ck_assert_int_eq(interruptions(1), 1);
	ck_assert_uint_ge(usage_now() - begun, ns);
	ck_assert_int_eq(end_reason, END_TIMEOUT);
	ck_assert_int_eq(interruptions(3), 3);
}
END_TEST

START_TEST(the_shortest_time_is_no_time_without_end)
{
	end_catch();
	end_after(1); /* less than a timer can */
	ck_assert_int_eq(interruptions(1), 1);
	ck_assert_int_eq(end_reason, END_TIMEOUT);
}
END_TEST

START_TEST(no_time_is_no_limit_and_stops_the_clock)
{
	struct itimerval timer;
	end_catch();
	end_after(UINT64_C(3600) * 1000000000);
	end_after(0);
	getitimer(ITIMER_REAL, &timer);
	ck_assert_int_eq(timer.it_value.tv_sec + timer.it_value.tv_usec, 0);
	ck_assert_int_eq(end_reason, 0);
}
END_TEST

START_TEST(a_limit_ends_a_run_even_while_its_time_goes_on)
{
	end_catch();
	end_after(UINT64_C(3600) * 1000000000);
	end_for_limit();
	ck_assert_int_eq(interruptions(3), 3);
	ck_assert_int_eq(end_reason, END_LIMIT);
}
END_TEST

START_TEST(errno_is_kept)
{
	end_catch();
	errno = EXDEV;
	kill(getpid(), SIGTERM);
	ck_assert_int_eq(errno, EXDEV);
}
END_TEST

/* ---- the terminal ------------------------------------------------------- */

static int terminal;

/* In a process that has a terminal: says how each key was taken. */
static void say_reasons(void)
{
	char line[32];
	sigset_t keys, nothing;

	end_catch();
	sigemptyset(&nothing);
	sigemptyset(&keys);
	sigaddset(&keys, SIGINT);
	sigaddset(&keys, SIGQUIT);
	sigprocmask(SIG_BLOCK, &keys, NULL); /* none comes but where it is waited for */
	if (write(STDOUT_FILENO, "ready\n", 6) != 6)
		_exit(3);
	for (;;) {
		sigsuspend(&nothing);
		int n = snprintf(line, sizeof line, "[%d]\n", end_reason);
		if (write(STDOUT_FILENO, line, (size_t)n) != n || end_reason)
			_exit(0);
	}
}

static void read_until(const char *text)
{
	char seen[4096] = "";
	size_t length = 0;

	while (!strstr(seen, text)) {
		ssize_t n = read(terminal, seen + length, sizeof seen - 1 - length);
		ck_assert_msg(n > 0, "%s never came, but: %s", text, seen);
		length += (size_t)n;
		seen[length] = 0;
	}
}

START_TEST(the_terminals_keys_end_a_run_at_the_third_time)
{
	static const struct {
		const char *key, *reason;
	} keys[] = {{"\003", "[2]"}, {"\034", "[3]"}};
	pid_t child = forkpty(&terminal, NULL, NULL, NULL);
	ck_assert_int_ge(child, 0);
	if (child == 0)
		say_reasons();
	read_until("ready");
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(write(terminal, keys[_i].key, 1), 1);
		read_until("[0]"); /* the tool's, so far */
	}
	ck_assert_int_eq(write(terminal, keys[_i].key, 1), 1);
	read_until(keys[_i].reason);
	waitpid(child, NULL, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("end");
	TCase *signals = tcase_create("signals"), *times = tcase_create("time and limits"),
	      *keys = tcase_create("terminal");

	tcase_add_loop_test(signals, a_signal_that_somebody_sends_asks_for_the_end, 0, ASKING);
	tcase_add_loop_test(signals, the_first_reason_stays, 0, ASKING);
	tcase_add_loop_test(signals, whoever_waits_is_interrupted_again_and_again, 0, ASKING);
	tcase_add_loop_test(signals, what_the_caller_ignored_stays_ignored, 0, ASKING);
	tcase_add_loop_test(signals, what_the_caller_blocked_is_remembered_and_heard_all_the_same, 0, ASKING);
	suite_add_tcase(suite, signals);
	tcase_set_timeout(times, 30);
	tcase_add_test(times, time_ends_a_run_and_not_before);
	tcase_add_test(times, the_shortest_time_is_no_time_without_end);
	tcase_add_test(times, no_time_is_no_limit_and_stops_the_clock);
	tcase_add_test(times, a_limit_ends_a_run_even_while_its_time_goes_on);
	tcase_add_test(times, errno_is_kept);
	suite_add_tcase(suite, times);
	tcase_set_timeout(keys, 60);
	tcase_add_loop_test(keys, the_terminals_keys_end_a_run_at_the_third_time, 0, 2);
	suite_add_tcase(suite, keys);
	return help_run(suite);
}
