/* SPDX-License-Identifier: MIT */
/*
 * judge_processes.c - acting on other processes: within the run only. Whether
 * one is of the run is told by its ancestors, since all orphans of the run become children of the launcher's keeper.
 */
#include <asm-generic/errno.h>

#include "shim.h"

static int judge_pid(struct request *request, int pid)
{
	if (pid <= 0 || run_has(pid) || raw(__NR_kill, pid, 0) == -ESRCH)
		return 0;
	return refuse_control(request, "% of process ", (unsigned long)pid, false);
}

/* A group that the launcher is in, or all processes: strangers are among them. */
static int judge_kill(struct request *request, int target)
{
	int group = target == 0 ? (int)raw(__NR_getpgid, 0) : -target;

	if (target > 0)
		return judge_pid(request, target);
	if (target != -1 && group != (int)raw(__NR_getpgid, shim.shared->launcher) && (group <= 1 || run_has(group)))
		return 0;
	if (target == -1)
		return refuse_always(request, WIRE_PROCESS_CONTROL, EPERM, "% of every process");
	if (raw(__NR_kill, -group, 0) == -ESRCH)
		return 0;
	return refuse_control(request, "% of process group ", (unsigned long)group, false);
}

/* setpgid: into a group of the run's, or back to the one that the run began in, the launcher's. (A group lives on when its
 * first process is gone; then any of its members that is still there is not looked for: the kernel keeps it in the session.) */
static int judge_group(struct request *request, int group)
{
	if (group <= 0 || run_has(group) || group == (int)raw(__NR_getpgid, shim.shared->launcher) ||
	    raw(__NR_kill, group, 0) == -ESRCH)
		return 0;
	return refuse_control(request, "% of process group ", (unsigned long)group, false);
}

/* setpriority and ioprio_set; `which` as PRIO_PROCESS, PRIO_PGRP, PRIO_USER. The kernel says what else is wrong. */
static int judge_which_who(struct request *request, int which, int who)
{
	if (which == 0)
		return judge_pid(request, who);
	return which == 1 || which == 2 ? refuse_control(request, which == 1 ? "% of process group " : "% of user ",
							 (unsigned)who, false)
					: 0;
}

int judge_processes(struct request *request)
{
	int r = 0;

	for (int i = 0; i < CALL_ARGS && r == 0; i++) {
		switch (request->call->args[i].kind) {
		case ARG_PID:
			r = judge_pid(request, (int)request->args[i]);
			break;
		case ARG_KILL_TARGET:
			r = judge_kill(request, (int)request->args[i]);
			break;
		case ARG_GROUP:
			r = judge_group(request, (int)request->args[i]);
			break;
		case ARG_WHICH_WHO:
			r = judge_which_who(request, (int)request->args[i], (int)request->args[i + 1]);
			break;
		case ARG_IO_WHICH_WHO:
			r = judge_which_who(request, (int)request->args[i] - 1, (int)request->args[i + 1]);
			break;
		case ARG_IPC_KEY:
			if (request->args[i] != 0)
				r = refuse_value(request, WIRE_PROCESS_CONTROL, EACCES, "% of key ",
						 (uint32_t)request->args[i], true);
			break;
		default:
			break;
		}
	}
	return r;
}
