/* SPDX-License-Identifier: MIT */
/*
 * empty_tracer [-t] [-c] COMMAND... - what ptrace(2) alone costs, for bench.sh: every process of the command is followed, and whatever it
 * stops at is let go on at once. No supervisor can do with less.
 *   -t  the tracer and all that it follows on one processor, so that none has to be woken for a stop
 *   -c  and each stops at the calls that name a file, as under a filter of Picket's at level seccomp
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const unsigned calls[] = {SYS_open,   SYS_openat,   SYS_openat2,	 SYS_creat,  SYS_execve,   SYS_execveat,
				 SYS_unlink, SYS_rename,   SYS_unlinkat, SYS_rmdir,  SYS_renameat, SYS_renameat2,
				 SYS_mkdir,  SYS_mkdirat,  SYS_link,	 SYS_linkat, SYS_symlink,  SYS_chmod,
				 SYS_fchmod, SYS_fchmodat, SYS_utimensat};
enum { CALLS = sizeof calls / sizeof *calls };

static const long options = PTRACE_O_EXITKILL | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
			    PTRACE_O_TRACEEXEC | PTRACE_O_TRACESECCOMP;

static void fail(const char *what)
{
	perror(what);
	_exit(125);
}

static void stop_at_calls(void)
{
	struct sock_filter filter[2 * CALLS + 2] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))};
	struct sock_fprog program = {.len = 1, .filter = filter};

	for (unsigned i = 0; i < CALLS; i++) {
		filter[program.len++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, calls[i], 0, 1);
		filter[program.len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
	}
	filter[program.len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		fail("seccomp");
}

/* Where it is now. */
static void keep_here(void)
{
	cpu_set_t here;

	CPU_ZERO(&here);
	CPU_SET((size_t)sched_getcpu(), &here);
	if (sched_setaffinity(0, sizeof here, &here) < 0)
		fail("sched_setaffinity");
}

static void let_go_on(pid_t tid, int status)
{
	int signal = WSTOPSIG(status), event = status >> 16;

	if (event == PTRACE_EVENT_STOP && signal != SIGTRAP)
		ptrace(PTRACE_LISTEN, tid, NULL, NULL);
	else
		ptrace(PTRACE_CONT, tid, NULL, event ? NULL : (void *)(long)signal);
}

static int follow(pid_t first)
{
	int status, end = 125;
	pid_t tid;

	while ((tid = waitpid(-1, &status, __WALL)) > 0) {
		if (WIFSTOPPED(status))
			let_go_on(tid, status);
		else if (tid == first)
			end = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	}
	return end;
}

int main(int argc, char **argv)
{
	int together = 0, at_calls = 0, option, go[2];
	char byte = 0;

	while ((option = getopt(argc, argv, "+tc")) != -1) {
		together |= option == 't';
		at_calls |= option == 'c';
		if (option == '?')
			return 125;
	}
	if (!argv[optind] || pipe(go) < 0)
		return 125;
	if (together)
		keep_here();
	pid_t child = fork();
	if (child < 0)
		fail("fork");
	if (child == 0) {
		close(go[1]);
		if (read(go[0], &byte, 1) != 1)
			_exit(125);
		close(go[0]);
		if (at_calls)
			stop_at_calls();
		execvp(argv[optind], argv + optind);
		fail(argv[optind]);
	}
	close(go[0]);
	if (ptrace(PTRACE_SEIZE, child, NULL, options) < 0 || write(go[1], &byte, 1) != 1)
		fail("ptrace");
	close(go[1]);
	return follow(child);
}
