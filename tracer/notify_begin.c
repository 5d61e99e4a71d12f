/* SPDX-License-Identifier: MIT */
/*
 * notify_begin.c - level notify: how the listener comes to the supervisor.
 * The launcher's child installs the filter, says which number the listener has, and waits; the supervisor takes a copy
 * (pidfd_getfd(2), Linux 5.6). The child's own is closed before it executes the tool.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cleanup.h"
#include "lineage.h"
#include "notify_inside.h"

enum { PIDS_DEFAULT = 4 << 20 }; /* PID_MAX_LIMIT, include/linux/threads.h */

static size_t most_pids(void)
{
	char text[32] = "";
	cleanup_fd int fd = open("/proc/sys/kernel/pid_max", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, text, sizeof text - 1) <= 0 || atol(text) <= 0)
		return PIDS_DEFAULT;
	return (size_t)atol(text);
}

static int make_notifier(struct guard *guard)
{
	struct notifier *n = calloc(1, sizeof *n);

	if (!n)
		return -ENOMEM;
	guard->notifier = n;
	n->guard = guard;
	n->keeper = (struct keeper){-1, -1};
	n->listener = -1;
	pthread_mutex_init(&n->lock, NULL);
	pthread_cond_init(&n->free, NULL);
	for (size_t i = 0; i < sizeof n->names / sizeof n->names[0]; i++)
		pthread_mutex_init(&n->names[i], NULL);
	pthread_rwlock_init(&n->moves, NULL);
	n->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	n->seen_size = most_pids() / 8 + 1;
	n->seen = calloc(1, n->seen_size);
	return n->wake < 0 ? -errno : n->seen ? 0 : -ENOMEM;
}

void notify_free(struct notifier *n)
{
	const int fds[] = {n->listener, n->wake, n->keeper.words};

	for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	free(n->seen);
	free(n);
}

static int prepare_listener(struct notifier *n)
{
	struct seccomp_notif_sizes sizes;

	if (syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) < 0)
		return -errno;
	if (sizes.seccomp_notif > NOTIFICATION_ROOM)
		return -EOVERFLOW;
	n->notification_size = sizes.seccomp_notif;
	/* the thread that answers runs where the task waits: no other processor has to be woken (Linux 6.6) */
	ioctl(n->listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
	return 0;
}

/* The child's listener. 0, also when the child never came so far; or -errno. */
static int take_listener(struct notifier *n, int handover)
{
	struct launch_listener listener;
	ssize_t r;

	do
		r = read(handover, &listener, sizeof listener);
	while (r < 0 && errno == EINTR);
	if (r != sizeof listener)
		return r < 0 ? -errno : 0;
	cleanup_fd int process = (int)syscall(SYS_pidfd_open, listener.pid, 0);
	n->listener = process < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, process, listener.fd, 0);
	if (n->listener < 0)
		return -errno;
	int error = prepare_listener(n);
	if (error == 0 && write(handover, "", 1) != 1)
		error = -errno;
	return error;
}

int notify_start(struct guard *guard, struct launch *launch)
{
	int ends[2], r = make_notifier(guard);

	if (r < 0)
		return r;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return -errno;
	launch->handover = ends[1];
	launch->untraced = true;
	guard->launching = true;
	guard->main_status = SIGKILL; /* unless the keeper says otherwise */
	r = keeper_start(&guard->notifier->keeper, launch);
	close(ends[1]);
	if (r == 0) {
		guard->tracees.keeper = guard->notifier->keeper.pid;
		meter_watch(guard->meter, guard->tracees.keeper);
		r = take_listener(guard->notifier, ends[0]);
	}
	close(ends[0]);
	return r;
}

struct launch_trouble notify_trouble(const struct guard *guard)
{
	return guard->notifier->trouble;
}

/* False: this number was here before. */
static bool first_time(struct notifier *n, pid_t tid)
{
	size_t byte = (size_t)tid / 8;
	uint8_t bit = (uint8_t)(1u << (unsigned)tid % 8);

	if (byte >= n->seen_size || (n->seen[byte] & bit))
		return false;
	n->seen[byte] |= bit;
	return true;
}

/* A process counts by whichever of its threads calls first. */
void notify_seen(struct notifier *n, pid_t tid)
{
	if (!first_time(n, tid))
		return;
	pid_t tgid = lineage_process(tid);
	if (tgid > 0 && (tgid == tid || first_time(n, tgid)))
		n->guard->tracees.processes_seen++;
}
