/* SPDX-License-Identifier: MIT */
/*
 * gate_late.c - see gate.h: a working directory of root's with many files is looked through for devices while the run goes on. Its
 * descriptors lie in the tool's processes from the start on, and the filter lets them be used with the late entries of the
 * page only, which the kernel refuses until we write them anew.
 *
 * Meanwhile the run may move directories, from where it was not looked yet to where it was already. So moves are counted, when they
 * begin and when they are over (act.c), and when one was under way at the start, or has begun since, all is looked at again. Once the roots are
 * open, what is moved is looked at first, as for any root (gate_admits).
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "gate.h"

enum {
	ENTRIES_MOST = 1 << 19, /* some 0.2 s of one processor */
	TRIES_MOST = 4,
	NICE = 10,
	END_MS = 500,
};

struct gate_late {
	pthread_t thread;
	struct wire_gate *page;
	int top;
	atomic_bool stop;
	atomic_uint begun, over; /* moves: how many have begun, and what that was when none was under way */
};

static void *look(void *argument)
{
	struct gate_late *late = argument;

	setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), NICE);
	for (int tries = 0; tries < TRIES_MOST; tries++) {
		unsigned begun = late->begun, entries = ENTRIES_MOST;
		bool quiet = late->over == begun;
		if (!gate_no_device_below(late->top, &entries, 0, &late->stop))
			break;
		if (quiet && late->begun == begun) {
			gate_open_late(late->page);
			return NULL;
		}
	}
	late->page->late = GATE_LATE_NEVER;
	return NULL;
}

/* No signal is for it: those that end a run are for the thread that waits. */
static int make_thread(struct gate_late *late)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int r = pthread_create(&late->thread, NULL, look, late);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -r;
}

void gate_late_begin(struct gate *gate, const char *cwd)
{
	struct gate_late *late = gate->how_late ? calloc(1, sizeof *late) : NULL;

	if (gate->how_late && !late)
		gate->page->late = GATE_LATE_NEVER;
	if (!late)
		return;
	late->page = gate->page;
	late->top = open(cwd, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (late->top >= 0 && make_thread(late) == 0) {
		gate->late = late;
		return;
	}
	gate->page->late = GATE_LATE_NEVER;
	if (late->top >= 0)
		close(late->top);
	free(late);
}

void gate_late_move(struct gate *gate)
{
	if (gate->late)
		gate->late->begun++;
}

void gate_late_moved(struct gate *gate)
{
	if (gate->late)
		gate->late->over = gate->late->begun;
}

bool gate_late_end(struct gate *gate)
{
	struct gate_late *late = gate->late;
	struct timespec until;

	if (!late)
		return true;
	late->stop = true;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += END_MS * 1000000l;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	if (pthread_timedjoin_np(late->thread, NULL, &until) != 0)
		return false;
	close(late->top);
	free(late);
	gate->late = NULL;
	return true;
}
