/* SPDX-License-Identifier: MIT */
/*
 * end.c - see end.h. A signal may come just before the supervisor begins to
 * wait for its tracees, and would then be noticed only with their next stop; so whoever asks for the end also
 * starts a timer that interrupts the waiting again and again.
 */
#include "end.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/time.h>
#include <time.h>

enum { AGAIN_US = 20000, INSISTS = 3, INSISTS_WITHIN_S = 3 };

atomic_int end_reason;

static struct end_signals signals_before;

static void alarm_every(struct timeval first)
{
	struct itimerval timer = {.it_interval = {.tv_usec = AGAIN_US}, .it_value = first};

	setitimer(ITIMER_REAL, &timer, NULL);
}

/* Has the user insisted? Async-signal-safe: clock_gettime(2). */
static int insists(void)
{
	static volatile time_t first;
	static volatile int count;
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (count == 0 || now.tv_sec - first > INSISTS_WITHIN_S) {
		first = now.tv_sec;
		count = 0;
	}
	return ++count >= INSISTS;
}

static void on_signal(int signal, siginfo_t *info, void *context)
{
	int saved = errno;

	(void)context;
	if (signal == SIGALRM) {
		if (!end_reason)
			end_reason = END_TIMEOUT;
	} else if (info->si_code != SI_KERNEL || insists()) {
		if (!end_reason)
			end_reason = signal;
		alarm_every((struct timeval){.tv_usec = AGAIN_US});
	}
	errno = saved;
}

void end_for_limit(void)
{
	int none = 0;

	atomic_compare_exchange_strong(&end_reason, &none, END_LIMIT);
	alarm_every((struct timeval){.tv_usec = 1});
}

/* All that are ignored now. */
static void list_ignored(sigset_t *set)
{
	struct sigaction action;

	sigemptyset(set);
	for (int number = 1; number < NSIG; number++)
		if (sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
			sigaddset(set, number);
}

const struct end_signals *end_catch(void)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGALRM};
	struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
	sigset_t ours;

	list_ignored(&signals_before.ignored);
	sigemptyset(&ours);
	for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
		/* what the caller had ignored (nohup) stays ignored */
		if (sigismember(&signals_before.ignored, signals[i]) && signals[i] != SIGALRM)
			continue;
		sigaction(signals[i], &action, NULL);
		sigaddset(&ours, signals[i]);
	}
	sigprocmask(SIG_UNBLOCK, &ours, &signals_before.blocked);
	return &signals_before;
}

void end_after(uint64_t ns)
{
	struct timeval first = {.tv_sec = (time_t)(ns / 1000000000u),
				.tv_usec = (suseconds_t)(ns % 1000000000u / 1000u)};

	if (ns == 0) {
		setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL);
		return;
	}
	if (first.tv_sec == 0 && first.tv_usec == 0)
		first.tv_usec = 1;
	alarm_every(first);
}
