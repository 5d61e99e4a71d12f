/* SPDX-License-Identifier: MIT */
/*
 * notify_watch.c - level notify: a task whose call is carried out by a
 * thread of the supervisor may get a signal meanwhile, or be killed. The call then ends as it would have in the kernel.
 *
 * A task that waits for an answer is woken by deadly signals only, so what it has pending is read in /proc again and
 * again. When there is something that it does not block or ignore, the thread's call is interrupted, and the task gets
 * ERESTARTSYS, which the kernel makes into a restart of the call or into EINTR, as the handler was installed (signal(7)). The
 * kernel does so only for the task that it has chosen for the signal; for a signal to the process that is surely known when
 * the task is its first thread. Any other gets EINTR.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cleanup.h"
#include "notify_inside.h"

enum { ERESTARTSYS = 512 }; /* include/linux/errno.h */

static uint64_t signals(const char *status, const char *field)
{
	const char *at = strstr(status, field);

	return at ? strtoull(at + strlen(field), NULL, 16) : 0;
}

/* With what the task's call is to end: 0, or an error. */
static int interruption(pid_t tid)
{
	char path[64], status[4096];

	snprintf(path, sizeof path, "/proc/%d/status", (int)tid);
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, status, sizeof status - 1);
	if (n <= 0)
		return EINTR; /* it is gone */
	status[n] = 0;
	uint64_t heard = ~(signals(status, "\nSigBlk:\t") | signals(status, "\nSigIgn:\t"));
	if (signals(status, "\nSigPnd:\t") & heard)
		return ERESTARTSYS;
	if (!(signals(status, "\nShdPnd:\t") & heard))
		return 0;
	const char *tgid = strstr(status, "\nTgid:\t");
	return tgid && strtol(tgid + sizeof "\nTgid:\t" - 1, NULL, 10) == tid ? ERESTARTSYS : EINTR;
}

bool notify_restarts(int64_t result)
{
	return result == -ERESTARTSYS;
}

void worker_watch(struct worker *worker)
{
	uint64_t id = worker->id;

	if (worker->restart == 0) {
		bool there = ioctl(worker->notifier->listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
		worker->restart = there ? interruption(worker->visitor.task.tid) : EINTR;
	}
	/* again at each tick: the last one may have come just before the call began to wait */
	if (worker->restart != 0)
		pthread_kill(worker->thread, WAKE_SIGNAL);
}
