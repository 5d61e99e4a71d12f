/* SPDX-License-Identifier: MIT */
/*
 * keeper.c - see keeper.h.
 *
 * Launcher, keeper and tool watch one another: when the launcher dies the keeper gets SIGTERM (PR_SET_PDEATHSIG) and ends
 * the run; when the keeper dies, the run's processes become children of the launcher, a subreaper too, which ends them.
 * When both are killed at once, the first process of the tool goes with the keeper (PR_SET_PDEATHSIG again).
 */
#include "keeper.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cgroup.h"
#include "cleanup.h"
#include "descriptors.h"

/* ---- ending everything -------------------------------------------------- */

struct relation {
	pid_t pid, parent;
	bool doomed;
};
struct relations {
	struct relation *list;
	size_t count, room;
};

static pid_t parent_of(pid_t pid)
{
	char path[64], text[512];

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	if (n <= 0)
		return 0;
	text[n] = 0;
	const char *end = strrchr(text, ')');
	int parent;
	return end && sscanf(end + 1, " %*c %d", &parent) == 1 ? (pid_t)parent : 0;
}

static bool add(struct relations *all, pid_t pid)
{
	if (all->count == all->room) {
		size_t room = all->room ? 2 * all->room : 256;
		struct relation *list = realloc(all->list, room * sizeof *list);
		if (!list)
			return false;
		all->list = list;
		all->room = room;
	}
	all->list[all->count++] = (struct relation){pid, parent_of(pid), false};
	return true;
}

static void list_all(struct relations *all)
{
	cleanup_dir DIR *proc = opendir("/proc");
	struct dirent *entry;

	all->count = 0;
	while (proc && (entry = readdir(proc)) != NULL)
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' && !add(all, (pid_t)atoi(entry->d_name)))
			return;
}

/* Everything whose ancestors lead to `top`. */
static void doom(struct relations *all, pid_t top)
{
	bool more = true;

	while (more) {
		more = false;
		for (size_t i = 0; i < all->count; i++) {
			struct relation *r = &all->list[i];
			bool below = r->parent == top;
			for (size_t j = 0; j < all->count && !below && !r->doomed; j++)
				below = all->list[j].doomed && all->list[j].pid == r->parent;
			if (below && !r->doomed)
				more = r->doomed = true;
		}
	}
}

/* Stopped first, so that none makes another while the rest is killed. */
static void kill_doomed(const struct relations *all)
{
	for (size_t i = 0; i < all->count; i++)
		if (all->list[i].doomed)
			kill(all->list[i].pid, SIGSTOP);
	for (size_t i = 0; i < all->count; i++)
		if (all->list[i].doomed)
			kill(all->list[i].pid, SIGKILL);
}

void keeper_end_all(void)
{
	static const struct timespec moment = {.tv_nsec = 1000000};
	struct relations all = {0};

	for (;;) {
		pid_t pid;
		while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
			;
		if (pid < 0 && errno == ECHILD)
			break;
		list_all(&all);
		doom(&all, getpid());
		kill_doomed(&all);
		nanosleep(&moment, NULL);
	}
	free(all.list);
}

/* ---- the keeper --------------------------------------------------------- */

static void tell(int words, const struct keeper_word *word)
{
	ssize_t n = write(words, word, sizeof *word);

	(void)n; /* nobody listens any more: SIGTERM is on its way */
}

/* Nothing of the launcher's stays open here: a pipe of the tool's ends when the tool closes it, and whoever waits for the launcher
 * sees that it is gone. -1 stays -1. */
static void only(int *words, int *line)
{
	int *kept[] = {words, line}, first = STDERR_FILENO + 1;

	for (int i = 0; i < 2; i++) /* out of the way of one another */
		if (*kept[i] >= 0)
			*kept[i] = fcntl(*kept[i], F_DUPFD_CLOEXEC, first + 2);
	for (int i = 0; i < 2; i++)
		if (*kept[i] >= 0)
			*kept[i] = dup3(*kept[i], first + i, O_CLOEXEC);
	descriptors_close((unsigned)first + 2, ~0u);
	for (int i = 0; i < first; i++)
		close(i);
}

static void noted(int signal)
{
	(void)signal;
}

/* What the tool's first process says while it becomes the tool. When we are to end meanwhile, it is killed, and says no more. */
static struct launch_trouble listen_to(struct child *child)
{
	struct pollfd line = {.fd = child->line, .events = POLLIN};
	sigset_t mask;

	sigfillset(&mask);
	sigdelset(&mask, SIGTERM);
	signal(SIGTERM, noted);
	while (ppoll(&line, 1, NULL, &mask) < 0 && errno == EINTR)
		kill(child->pid, SIGKILL);
	signal(SIGTERM, SIG_DFL);
	return launch_trouble(child);
}

/* Until the tool's first process has ended, or we are told to end. Its status; 0 is taken for "it goes on" by nobody. */
static int wait_for_end(pid_t tool, const sigset_t *awaited)
{
	int status, signal = 0;

	while (signal != SIGTERM) {
		pid_t pid;
		while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
			if (pid == tool)
				return status;
		signal = sigwaitinfo(awaited, NULL);
	}
	kill(tool, SIGKILL);
	while (waitpid(tool, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

static _Noreturn void keep(const struct launch *launch, pid_t launcher, int words)
{
	struct keeper_word word = {.trouble = {LAUNCH_OK, 0}};
	struct child child;
	sigset_t all, awaited;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	sigemptyset(&awaited);
	sigaddset(&awaited, SIGCHLD);
	sigaddset(&awaited, SIGTERM);
	signal(SIGCHLD, SIG_DFL);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	if (getppid() != launcher)
		_exit(1);
	int r = launch_prepare(launch, &child);
	if (r == 0 && launch->cgroup)
		cgroup_add(launch->cgroup, child.pid);
	if (r == 0)
		r = launch_go(&child);
	setpgid(0, 0); /* a signal of the tool's to its own group is not for us */
	only(&words, &child.line);
	word.trouble = r == 0 ? listen_to(&child) : (struct launch_trouble){LAUNCH_PROCESS, -r};
	word.tool = child.pid;
	tell(words, &word);
	if (child.pid > 0)
		word.status = wait_for_end(child.pid, &awaited);
	keeper_end_all();
	word.over = true;
	word.spent = usage_children();
	tell(words, &word);
	_exit(0);
}

int keeper_start(struct keeper *keeper, const struct launch *launch)
{
	int words[2];
	pid_t launcher = getpid();

	if (pipe2(words, O_CLOEXEC) < 0)
		return -errno;
	keeper->pid = fork();
	if (keeper->pid == 0) {
		close(words[0]);
		keep(launch, launcher, words[1]);
	}
	int error = errno;
	close(words[1]);
	keeper->words = words[0];
	if (keeper->pid > 0)
		return 0;
	close(words[0]);
	keeper->words = -1;
	return -error;
}

void keeper_finish(const struct keeper *keeper)
{
	if (keeper->pid <= 0)
		return;
	kill(keeper->pid, SIGTERM);
	/* the keeper first: it has what the run used; then whatever it left behind if it was killed itself */
	while (waitpid(keeper->pid, NULL, 0) < 0 && errno == EINTR)
		;
	keeper_end_all();
}
