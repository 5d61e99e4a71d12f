/* SPDX-License-Identifier: MIT */
/*
 * visitor.c - see visitor.h. No fork is seen, so whether a task is alone with its descriptors is
 * asked of the kernel: whether its process has one thread, and shares none with its parent. Any other sharing of them is made by
 * clone with flags that the filter stops at (register_rules.h), and from then on nobody in the run is taken for alone (struct
 * tracees, restless). Memory is never taken to be its own: perform_socket.c says why.
 */
#include "visitor.h"

#include <fcntl.h>
#include <linux/kcmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cleanup.h"

static void share_begin(struct share *share)
{
	*share = (struct share){.users = 2, .restless = true, .maps = -1};
}

void visitor_come(struct visitor *visitor, struct tracees *all, pid_t tid)
{
	memset(&visitor->task, 0, sizeof visitor->task);
	visitor->process = (struct process){.tgid = 0};
	share_begin(&visitor->memory);
	share_begin(&visitor->files);
	share_begin(&visitor->fs);
	visitor->task.tid = tid;
	visitor->task.all = all;
	visitor->task.slot = visitor->task.other_end = visitor->task.next_maps = -1;
	visitor->task.process = &visitor->process;
	visitor->task.memory = &visitor->memory;
	visitor->task.files = &visitor->files;
	visitor->task.fs = &visitor->fs;
}

void visitor_go(struct visitor *visitor)
{
	free(visitor->task.exec_name);
	free(visitor->process.exe);
}

/* Parent, and number of threads of a task's process (proc(5), /proc/PID/stat). */
static bool read_stat(pid_t tid, int *parent, int *threads)
{
	char path[64], text[1024];

	snprintf(path, sizeof path, "/proc/%d/stat", (int)tid);
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	if (n <= 0)
		return false;
	text[n] = 0;
	const char *end = strrchr(text, ')');
	return end && sscanf(end + 1, " %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %d", parent,
			     threads) == 2;
}

static void share_own(struct share *share, pid_t tid, pid_t parent, int what)
{
	if (syscall(SYS_kcmp, tid, parent, what, 0, 0) <= 0)
		return; /* the same, or it cannot be told */
	share->users = 1;
	share->restless = false;
}

void visitor_look(struct task *task)
{
	int parent, threads;

	if (task->all->restless || !read_stat(task->tid, &parent, &threads) || threads != 1)
		return;
	share_own(task->files, task->tid, parent, KCMP_FILES);
}
