/* SPDX-License-Identifier: MIT */
/*
 * progress.c - see progress.h. The last row of the terminal is taken out of the part that scrolls (DECSTBM,
 * console_codes(4)), and drawn with the cursor put aside and back (DECSC, DECRC) in one write, so that it does not get
 * into the middle of what the tool writes. A tool that has switched the terminal to single keys is drawing itself (an
 * editor, a pager): then the whole terminal is left to it until it switches back.
 */
#include "progress.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "meter.h"
#include "usage.h"

#define ESC "\x1b"

enum { ROWS_LEAST = 4, COLUMNS_LEAST = 20, TEXT_SIZE = 256, LINE_SIZE = 1024, EVERY_MS = 200 };

struct progress {
	struct meter *meter;
	const atomic_uint_fast64_t *refusals;
	uint64_t started; /* CLOCK_MONOTONIC, ns */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool stop; /* under the lock */
	unsigned rows, columns;
	bool reserved; /* the last row is ours */
};

static void put(const char *text, size_t length)
{
	while (length > 0) {
		ssize_t n = write(STDERR_FILENO, text, length);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		if (gettid() != getpid())
			usage_own(0, (uint64_t)n);
		text += n;
		length -= (size_t)n;
	}
}

static bool measure_terminal(unsigned *rows, unsigned *columns)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_row < ROWS_LEAST || size.ws_col < COLUMNS_LEAST)
		return false;
	*rows = size.ws_row;
	*columns = size.ws_col;
	return true;
}

/* Make room, if the cursor is on the last row, and keep it there. */
static void reserve(struct progress *progress)
{
	char text[TEXT_SIZE];
	int n = snprintf(text, sizeof text, ESC "D" ESC "7" ESC "[1;%ur" ESC "8" ESC "[1A", progress->rows - 1);
	put(text, (size_t)n);
	progress->reserved = true;
}

static void release(struct progress *progress)
{
	char text[TEXT_SIZE];
	int n = snprintf(text, sizeof text, ESC "7" ESC "[r" ESC "[%u;1H" ESC "[K" ESC "8", progress->rows);

	if (!progress->reserved)
		return;
	put(text, (size_t)n);
	progress->reserved = false;
}

static int describe_size(char *text, size_t size, uint64_t bytes)
{
	return bytes < 1024u * 1024u * 1024u ? snprintf(text, size, "%.1f MiB", (double)bytes / 1048576)
					     : snprintf(text, size, "%.2f GiB", (double)bytes / 1073741824);
}

static void draw(struct progress *progress)
{
	struct meter_reading used = meter_read(progress->meter);
	char text[TEXT_SIZE], memory[32], line[LINE_SIZE];
	double elapsed = (double)(usage_now() - progress->started) / 1e9;
	unsigned long long refusals = *progress->refusals;

	describe_size(memory, sizeof memory, used.memory);
	snprintf(text, sizeof text, "picket: %.1f s, %u process%s, CPU %.1f s, memory %s, %llu refusal%s", elapsed,
		 used.processes, used.processes == 1 ? "" : "es", (double)used.cpu_ns / 1e9, memory, refusals,
		 refusals == 1 ? "" : "s");
	int n = snprintf(line, sizeof line,
			 ESC "7" ESC "[%u;1H" ESC "[0;7m"
			     "%.*s" ESC "[0m" ESC "[K" ESC "8",
			 progress->rows, (int)progress->columns - 1, text);
	put(line, (size_t)n);
}

/* Does the tool take single keys? */
static bool is_tools_own(void)
{
	struct termios mode;

	return tcgetattr(STDERR_FILENO, &mode) < 0 || !(mode.c_lflag & ICANON);
}

static void show(struct progress *progress)
{
	unsigned rows, columns;

	if (is_tools_own() || !measure_terminal(&rows, &columns)) {
		release(progress);
		return;
	}
	if (rows != progress->rows)
		release(progress);
	progress->rows = rows;
	progress->columns = columns;
	if (!progress->reserved)
		reserve(progress);
	draw(progress);
}

static void *run(void *argument)
{
	struct progress *progress = argument;
	struct timespec until;

	pthread_mutex_lock(&progress->lock);
	while (!progress->stop) {
		pthread_mutex_unlock(&progress->lock);
		show(progress);
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_nsec += EVERY_MS * 1000000L;
		until.tv_sec += until.tv_nsec / 1000000000;
		until.tv_nsec %= 1000000000;
		pthread_mutex_lock(&progress->lock);
		if (!progress->stop)
			pthread_cond_timedwait(&progress->wake, &progress->lock, &until);
	}
	pthread_mutex_unlock(&progress->lock);
	release(progress);
	return NULL;
}

int progress_start(struct progress **out, struct meter *meter, const atomic_uint_fast64_t *refusals)
{
	struct progress *progress;
	pthread_condattr_t attributes;
	sigset_t all, before;
	unsigned rows, columns;

	*out = NULL;
	if (!isatty(STDERR_FILENO) || !measure_terminal(&rows, &columns))
		return 0;
	progress = calloc(1, sizeof *progress);
	if (!progress)
		return -ENOMEM;
	*progress = (struct progress){.meter = meter, .refusals = refusals, .started = usage_now()};
	pthread_mutex_init(&progress->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&progress->wake, &attributes);
	pthread_condattr_destroy(&attributes);
	sigfillset(&all); /* SIGTTOU among them: the terminal may be the tool's */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int r = -pthread_create(&progress->thread, NULL, run, progress);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (r < 0)
		free(progress);
	else
		*out = progress;
	return r;
}

void progress_end(struct progress *progress)
{
	if (!progress)
		return;
	pthread_mutex_lock(&progress->lock);
	progress->stop = true;
	pthread_cond_signal(&progress->wake);
	pthread_mutex_unlock(&progress->lock);
	pthread_join(progress->thread, NULL);
	pthread_mutex_destroy(&progress->lock);
	pthread_cond_destroy(&progress->wake);
	free(progress);
}
