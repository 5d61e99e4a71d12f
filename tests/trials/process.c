/* SPDX-License-Identifier: MIT */
/* process.c - every way to become another process or thread, each of which then reads the secret. */
#include <linux/sched.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/time.h>

#include "trials.h"

static void read_it(void)
{
	spill((int)raw(SYS_open, here.secret, O_RDONLY));
}

static int read_it_cloned(void *unused)
{
	(void)unused;
	read_it();
	return 0;
}

static void *read_it_there(void *unused)
{
	read_it();
	return unused;
}

static void cloned(int flags)
{
	static char stack[1 << 16];
	wait_for(clone(read_it_cloned, stack + sizeof(stack), flags, NULL));
}

TRIAL(process_fork, LEAK, 0, "fork")
{
	in_child(read_it);
}
static void fork_again(void)
{
	in_child(read_it);
}
TRIAL(process_fork_fork, LEAK, 0, "fork in fork")
{
	in_child(fork_again);
}
TRIAL(process_raw_fork, LEAK, 0, "raw fork")
{
	long child = raw(SYS_fork);
	if (child == 0) {
		read_it();
		_exit(0);
	}
	wait_for((pid_t)child);
}
TRIAL(process_vfork, LEAK, 0, "vfork, read before exec")
{
	pid_t child = vfork();
	if (child == 0) {
		read_it();
		_exit(0);
	}
	wait_for(child);
}
TRIAL(process_thread, LEAK, 0, "a thread")
{
	pthread_t thread;
	pthread_create(&thread, NULL, read_it_there, NULL);
	pthread_join(thread, NULL);
}
TRIAL(process_clone, LEAK, 0, "clone")
{
	cloned(SIGCHLD);
}
TRIAL(process_clone_memory, LEAK, 0, "clone that shares memory")
{
	cloned(CLONE_VM | SIGCHLD);
}
TRIAL(process_clone_files, LEAK, 0, "clone that shares memory, files and directory")
{
	cloned(CLONE_VM | CLONE_FILES | CLONE_FS | SIGCHLD);
}
TRIAL(process_clone_untraced, LEAK, 0, "clone that asks not to be traced")
{
	cloned(CLONE_UNTRACED | SIGCHLD);
}
TRIAL(process_clone_silent, LEAK, 0, "clone whose end sends no signal")
{
	cloned(0);
}
TRIAL(process_clone_vfork, LEAK, 0, "clone as vfork does")
{
	cloned(CLONE_VM | CLONE_VFORK | SIGCHLD);
}
TRIAL(process_clone_parent, LEAK, 0, "clone whose child is the parent's")
{
	static char stack[1 << 16];
	int ends[2];
	char byte;
	if (pipe(ends) == 0 && clone(read_it_cloned, stack + sizeof(stack), CLONE_PARENT | SIGCHLD, NULL) > 0) {
		close(ends[1]);
		while (read(ends[0], &byte, 1) > 0) /* until the child has ended */
			;
	}
}
TRIAL(process_clone3, LEAK, 0, "clone3")
{
	struct clone_args arguments = {.exit_signal = SIGCHLD};
	long child = raw(SYS_clone3, &arguments, sizeof(arguments));
	if (child == 0) {
		read_it();
		_exit(0);
	}
	wait_for((pid_t)child);
}
TRIAL(process_clone3_untraced, LEAK, 0, "clone3 that asks not to be traced")
{
	struct clone_args arguments = {.flags = CLONE_UNTRACED, .exit_signal = SIGCHLD};
	long child = raw(SYS_clone3, &arguments, sizeof(arguments));
	if (child == 0) {
		read_it();
		_exit(0);
	}
	wait_for((pid_t)child);
}
static void as_session(void)
{
	setsid();
	in_child(read_it);
}
TRIAL(process_session, LEAK, 0, "a session of its own")
{
	in_child(as_session);
}
TRIAL(process_daemon, LEAK, 0, "a daemon, whose parents have ended")
{
	int ends[2];
	char byte;
	if (pipe(ends) != 0)
		return;
	pid_t child = fork();
	if (child == 0) {
		setsid();
		if (fork() == 0) {
			while (getppid() == child)
				;
			read_it();
		}
		_exit(0);
	}
	close(ends[1]);
	wait_for(child);
	while (read(ends[0], &byte, 1) > 0) /* until the daemon has ended */
		;
}
/* The driver waits a little, then looks whether the file grew after the run had ended. */
TRIAL(process_survivor, CHANGE, 0, "a daemon that goes on when the run has ended")
{
	if (fork() == 0) {
		setsid();
		signal(SIGHUP, SIG_IGN);
		signal(SIGTERM, SIG_IGN);
		if (fork() == 0) {
			/* As long as somebody waits for us on this descriptor, the run goes on. */
			for (int fd = 0; fd < 1024; fd++)
				close(fd);
			usleep(300000);
			raw(SYS_open, OUT("late"), O_WRONLY | O_CREAT, 0644);
			make_file("/dev/shm/../../dev/null", "");
			raw(SYS_mkdir, IN("top/late"), 0755);
		}
		_exit(0);
	}
}
TRIAL(process_many, LEAK, 0, "64 processes at once")
{
	for (int i = 0; i < 64; i++)
		if (fork() == 0) {
			read_it();
			_exit(0);
		}
	while (wait(NULL) > 0)
		;
}
static void *read_often(void *unused)
{
	for (int i = 0; i < 100; i++)
		read_it();
	return unused;
}
TRIAL(process_many_threads, LEAK, 0, "16 threads at once, a hundred times each")
{
	pthread_t threads[16];
	for (int i = 0; i < 16; i++)
		pthread_create(&threads[i], NULL, read_often, NULL);
	for (int i = 0; i < 16; i++)
		pthread_join(threads[i], NULL);
}
static void *exec_there(void *unused)
{
	run_self("trials-static", "read_raw_open", here.environment);
	return unused;
}
TRIAL(process_exec_thread, LEAK, 0, "a thread that is not the first executes another program, which reads")
{
	pthread_t thread;
	pthread_create(&thread, NULL, exec_there, NULL);
	pthread_join(thread, NULL);
}
static void *wait_there(void *unused)
{
	for (;;)
		pause();
	return unused;
}
TRIAL(process_exec_among_threads, LEAK, 0, "the first thread executes another program while others live")
{
	pthread_t threads[8];
	for (int i = 0; i < 8; i++)
		pthread_create(&threads[i], NULL, i % 2 ? wait_there : read_often, NULL);
	run_self("trials-static", "read_raw_open", here.environment);
	pthread_join(threads[0], NULL); /* it was refused: the others go on */
}
TRIAL(process_first_thread_gone, LEAK, 0, "the first thread ends, another reads")
{
	pthread_t thread;
	pthread_create(&thread, NULL, read_often, NULL);
	raw(SYS_exit, 0);
}
static void nothing(int signal)
{
	(void)signal;
}
TRIAL(process_signals, LEAK, 0, "under a storm of signals, with and without restart")
{
	struct itimerval often = {{0, 200}, {0, 200}};
	struct sigaction action = {.sa_handler = nothing};
	for (int i = 0; i < 600; i++) {
		action.sa_flags = i % 2 ? SA_RESTART : 0;
		sigaction(SIGALRM, &action, NULL);
		setitimer(ITIMER_REAL, &often, NULL);
		read_it();
	}
}
TRIAL(process_stopped, LEAK, 0, "while it is stopped and continued all the time")
{
	pid_t self = getpid(), child = fork();
	if (child == 0) {
		for (int i = 0; i < 200; i++) {
			kill(self, SIGSTOP);
			kill(self, SIGCONT);
		}
		_exit(0);
	}
	for (int i = 0; i < 600; i++)
		read_it();
	wait_for(child);
}
static void read_in_handler(int signal)
{
	(void)signal;
	read_it();
}
TRIAL(process_handler, LEAK, 0, "in a signal handler, on a stack of its own")
{
	static char space[1 << 16];
	sigaltstack(&(stack_t){.ss_sp = space, .ss_size = sizeof(space)}, NULL);
	sigaction(SIGUSR1, &(struct sigaction){.sa_handler = read_in_handler, .sa_flags = SA_ONSTACK}, NULL);
	raise(SIGUSR1);
}
TRIAL(process_small_stack, LEAK, 0, "on the smallest stack")
{
	pthread_t thread;
	pthread_attr_t attributes;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 16384);
	pthread_create(&thread, &attributes, read_it_there, NULL);
	pthread_join(thread, NULL);
}
TRIAL(process_subreaper, LEAK, 0, "an orphan whose new parent is the tool, not the guard")
{
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	pid_t child = fork();
	if (child == 0) {
		if (fork() == 0)
			read_it();
		_exit(0);
	}
	while (wait(NULL) > 0)
		;
}
