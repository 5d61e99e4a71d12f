/* SPDX-License-Identifier: MIT */
/*
 * older VERSION COMMAND... - run a command as on that older kernel: the calls that came later do not exist. By a filter, which
 * hides calls and values of arguments; what else a kernel has come to do differently stays as it is here.
 *   older 5.4 picket probe
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What came with which version, as in the manual pages of each call. `argument` -1: the call as a whole. */
static const struct {
	int major, minor;
	int call, argument;
	unsigned value;
	int error;
} later[] = {
	{6, 11, SYS_ioctl, 1, 0xc0686611 /* PROCMAP_QUERY */, ENOTTY},
	{5, 19, SYS_seccomp, 1, SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, EINVAL},
	{5, 14, SYS_quotactl_fd, -1, 0, ENOSYS},
	{5, 13, SYS_landlock_create_ruleset, -1, 0, ENOSYS},
	{5, 11, SYS_epoll_pwait2, -1, 0, ENOSYS},
	{5, 9, SYS_close_range, -1, 0, ENOSYS},
	{5, 8, SYS_faccessat2, -1, 0, ENOSYS},
	{5, 6, SYS_openat2, -1, 0, ENOSYS},
	{5, 6, SYS_pidfd_getfd, -1, 0, ENOSYS},
	{5, 3, SYS_clone3, -1, 0, ENOSYS},
	{5, 3, SYS_pidfd_open, -1, 0, ENOSYS},
	{5, 3, SYS_ptrace, 0, PTRACE_GET_SYSCALL_INFO, EIO},
	{5, 1, SYS_fcntl, 2, F_SEAL_FUTURE_WRITE, EINVAL},
	{5, 1, SYS_fcntl, 2, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL, EINVAL},
	{5, 1, SYS_pidfd_send_signal, -1, 0, ENOSYS},
	{5, 1, SYS_io_uring_setup, -1, 0, ENOSYS},
	{5, 0, SYS_seccomp, 1, SECCOMP_FILTER_FLAG_NEW_LISTENER, EINVAL},
	{4, 11, SYS_statx, -1, 0, ENOSYS},
};

enum { LATER = sizeof later / sizeof later[0], NUMBER = offsetof(struct seccomp_data, nr) };

/* This call, or this call with that argument, fails so. */
static int hide(int call, int argument, unsigned value, int error)
{
	unsigned low = (unsigned)offsetof(struct seccomp_data, args) + 8 * (unsigned)(argument < 0 ? 0 : argument);
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, NUMBER),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)call, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, low),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, argument < 0 ? 0 : 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = sizeof code / sizeof code[0], .filter = code};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -1 : prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

int main(int argc, char **argv)
{
	int major, minor;

	if (argc < 3 || sscanf(argv[1], "%d.%d", &major, &minor) != 2) {
		fputs("usage: older VERSION COMMAND...\n", stderr);
		return 2;
	}
	for (int i = 0; i < LATER; i++) {
		if (later[i].major < major || (later[i].major == major && later[i].minor <= minor))
			continue;
		if (hide(later[i].call, later[i].argument, later[i].value, later[i].error) < 0) {
			perror("older: seccomp");
			return 125;
		}
	}
	execvp(argv[2], argv + 2);
	perror(argv[2]);
	return 127;
}
