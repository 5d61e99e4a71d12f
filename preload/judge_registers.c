/* SPDX-License-Identifier: MIT */
/*
 * judge_registers.c - calls that are judged by numbers in registers, as in tracer/judge_registers.c: ioctl, fcntl, the flags of
 * clone, and those that close or replace descriptors.
 */
#include <asm/ioctls.h>
#include <asm-generic/errno.h>
#include <asm/sockios.h>
#include <linux/fcntl.h>
#include <linux/sched.h>
#include <linux/stat.h>

#include "net.h"
#include "shim.h"

/* As in register_rules.h. */
enum {
	NAMESPACES = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |
		     CLONE_NEWNET
};

/* Is its first argument a descriptor of such a thing (S_IFCHR and the like)? */
static bool is_about(const struct request *request, unsigned kind)
{
	struct statx stx;

	return common_object((int)request->args[0], STATX_TYPE, &stx) == 0 && (stx.stx_mode & S_IFMT) == kind;
}

/* A descriptor of a terminal that is to signal its owner signals the terminal's foreground group: fcntl(2), F_SETOWN. */
static int judge_hearing(struct request *request, bool on)
{
	return on && is_about(request, S_IFCHR) ? refuse_control(request, "% ", FASYNC, true) : 0;
}

static int judge_ioctl(struct request *request)
{
	uint32_t code = (uint32_t)request->args[1];

	switch (code) {
	case TIOCSTI:
	case TIOCLINUX:
	case FIOSETOWN:
	case SIOCSPGRP:
		return refuse_control(request, "% ", code, true);
	case FIOASYNC: {
		const int *on = (const int *)request->args[2];
		return judge_hearing(request, readable(on, sizeof *on) && *on);
	}
	case FIOCLEX:
		return is_reserved(request->args[0]) ? -EBADF : 0;
	default:
		return net_asks_interfaces(code) && is_about(request, S_IFSOCK) ? judge_interfaces(request) : 0;
	}
}

static int judge_fcntl(struct request *request)
{
	int who = (int)request->args[2];

	if (is_reserved(request->args[0]))
		return -EBADF;
	if (request->args[1] == F_SETFL)
		return judge_hearing(request, who & FASYNC);
	if (request->args[1] == F_SETLEASE && who != F_UNLCK)
		return judge_object(request, 0, ACCESS_WRITE); /* a lease keeps others from writing to the file */
	if ((request->args[1] == F_SETOWN && who != 0 && !run_has(who)) || request->args[1] == F_SETOWN_EX)
		return refuse_control(request, "% ", (unsigned)request->args[1], true);
	return 0;
}

/* close_range: reserved descriptors are left out, what is above them is closed first. */
static int judge_range(struct request *request)
{
	uint32_t first = (uint32_t)request->args[0], last = (uint32_t)request->args[1],
		 behind = shim.limit + RESERVED_FD_COUNT;

	if (first > last || last < shim.limit || first >= behind)
		return 0;
	if (first >= shim.limit) {
		request->args[0] = behind;
		return last < behind ? JUDGED_DONE : 0;
	}
	if (last >= behind)
		raw(__NR_close_range, behind, last, request->args[2]);
	request->args[1] = shim.limit - 1;
	return 0;
}

/* Reserved descriptors are not there for the program. */
static int judge_descriptor(struct request *request)
{
	if (call_arg_index(request->call, ARG_LAST_SLOT, 0) >= 0)
		return judge_range(request);
	return is_reserved(request->args[call_arg_index(request->call, ARG_SLOT, 0)]) ? -EBADF : 0;
}

static int judge_clone_flags(struct request *request, uint64_t flags)
{
	if (flags & NAMESPACES)
		return refuse_value(request, WIRE_PRIVILEGE, EPERM, "% ", flags & NAMESPACES, true);
	return 0;
}

int judge_registers(struct request *request)
{
	switch (request->call->op) {
	case OP_CLONE:
		return judge_clone_flags(request, request->args[0]);
	case OP_IOCTL:
		return judge_ioctl(request);
	case OP_FCNTL:
		return judge_fcntl(request);
	default: /* DESCRIPTOR */
		return judge_descriptor(request);
	}
}
