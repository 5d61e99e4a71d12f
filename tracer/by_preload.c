/* SPDX-License-Identifier: MIT */
/*
 * by_preload.c - see by_preload.h. The socket's messages are the tool's own
 * account: whoever can write one can write others. They are read as what a stranger wrote.
 */
#include "by_preload.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"
#include "heard.h"
#include "meter.h"
#include "program.h"
#include "shim_file.h"

enum { SOCKET_ROOM = 4 << 20, SCRIPTS_MOST = 5, LOOK_MS = 20 };

/* ---- before it ---------------------------------------------------------- */

/* Does an option of the command line name exactly this program? */
static bool is_named(const struct image *image, struct verdict verdict, const char *name)
{
	if (!verdict.allowed || verdict.rule == RULE_DEFAULT)
		return false;
	struct rule rule = image_rule(image, verdict.rule);
	return rule.key == RULE_EXEC_ALLOW && rule.layer == LAYER_COMMAND_LINE && strcmp(rule.target, name) == 0;
}

static int examine_kind(struct guard *guard, const struct program_file *file, const char *name, char *why, size_t size)
{
	const char *what = NULL;

	if (file->kind == PROGRAM_FOREIGN)
		what = "a program of another architecture";
	else if (file->kind == PROGRAM_ELF && !file->interpreter[0] && !file->loader)
		what = "statically linked";
	if (!what)
		return 0;
	for (unsigned i = 0; i < guard->policy_count; i++) {
		const struct image *image = guard->policies[i]->image;
		if (is_named(image, decide_path(image, name, strlen(name), ACCESS_EXEC), name)) {
			guard->unguarded = true;
			return 0;
		}
	}
	snprintf(why, size, "%s is %s and cannot be guarded at level preload; --exec %s lets it run without a guard",
		 name, what, name);
	return -EACCES;
}

/* One program; file says what it is. */
static int examine_one(struct guard *guard, const char *path, struct program_file *file, char *why, size_t size)
{
	char name[PATH_MAX];
	cleanup_fd int fd = open(path, O_PATH | O_CLOEXEC);

	file->kind = PROGRAM_UNKNOWN;
	if (fd < 0 || !realpath(path, name))
		return 0; /* the exec will say so */
	for (unsigned i = 0; i < guard->policy_count; i++) {
		const struct image *image = guard->policies[i]->image;
		struct verdict verdict = decide_path(image, name, strlen(name), ACCESS_EXEC);
		if (verdict.allowed || decide_spares_command(image, verdict) ||
		    guard->on_violation == ON_VIOLATION_AUDIT)
			continue;
		heard_refused_command(guard, name, verdict, i);
		snprintf(why, size, "%s may not be run: the policy refuses it", name);
		return -EACCES;
	}
	int r = program_read(fd, file);
	if (r == -EACCES)
		snprintf(why, size, "%s may be run, but not read to see whether it can be guarded at level preload",
			 name);
	if (r < 0)
		return r == -EACCES ? r : 0;
	guard->sanitized = file->kind == PROGRAM_ELF && shim_file_sanitizer(fd);
	return examine_kind(guard, file, name, why, size);
}

/* A copy that the launcher made of a program, and that the policy does not speak of. */
static int examine_copy(struct guard *guard, const char *path, int fd, struct program_file *file, char *why,
			size_t size)
{
	int r = program_read(fd, file);

	return r < 0 ? r : examine_kind(guard, file, path, why, size);
}

int preload_examine(struct guard *guard, const char *path, int fd, char *why, size_t size)
{
	struct program_file file;
	char next[PATH_MAX];

	snprintf(next, sizeof next, "%s", path);
	for (int i = 0; i <= SCRIPTS_MOST; i++) {
		int r = i == 0 && fd >= 0 ? examine_copy(guard, path, fd, &file, why, size)
					  : examine_one(guard, next, &file, why, size);
		if (r < 0 || file.kind != PROGRAM_SCRIPT)
			return r;
		snprintf(next, sizeof next, "%s", file.interpreter);
	}
	return 0; /* ELOOP, by the kernel */
}

/* A policy where nobody can change it any more. A descriptor or -errno. */
static int seal_image(const struct policy *policy)
{
	int fd = memfd_create("picket-policy", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	size_t done = 0;

	while (fd >= 0 && done < policy->length) {
		ssize_t n = write(fd, (const char *)policy->image + done, policy->length - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	if (fd >= 0 && done == policy->length &&
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) == 0)
		return fd;
	int error = errno;
	if (fd >= 0)
		close(fd);
	return -error;
}

static int share(struct preload *preload, const struct guard *guard)
{
	int fd = memfd_create("picket-shared", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	preload->reserved[RESERVED_FD_SHARED] = fd;
	if (fd < 0 || ftruncate(fd, sizeof *preload->shared) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
		return -errno;
	void *shared = mmap(NULL, sizeof *preload->shared, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (shared == MAP_FAILED)
		return -errno;
	preload->shared = shared;
	preload->shared->version = WIRE_VERSION;
	preload->shared->launcher = (int32_t)getpid();
	preload->shared->on_violation = guard->on_violation;
	return 0;
}

/* A mapping to count in would cost each program as much as all the rest of its shim's start. */
static int make_count(struct preload *preload)
{
	preload->programs = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	preload->reserved[RESERVED_FD_PROGRAMS] =
		preload->programs < 0 ? -1 : fcntl(preload->programs, F_DUPFD_CLOEXEC, 3);
	return preload->reserved[RESERVED_FD_PROGRAMS] < 0 ? -errno : 0;
}

int preload_prepare(struct preload *preload, const struct guard *guard, struct launch *launch)
{
	static const int places[GUARD_IMAGES] = {RESERVED_FD_IMAGE, RESERVED_FD_NARROWER};
	int ends[2], room = SOCKET_ROOM;

	for (int i = 0; i < RESERVED_FD_COUNT; i++)
		preload->reserved[i] = -1;
	launch->reserved = preload->reserved;
	for (unsigned i = 0; i < guard->policy_count; i++) {
		int fd = seal_image(guard->policies[i]);
		if (fd < 0)
			return fd;
		preload->reserved[places[i]] = fd;
	}
	if (guard->level != LEVEL_PRELOAD)
		return 0; /* a supervisor decides */
	launch->untraced = true;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return -errno;
	preload->reports = ends[0];
	preload->reserved[RESERVED_FD_REPORT] = ends[1];
	if (setsockopt(ends[1], SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room) < 0)
		setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
	int r = share(preload, guard);
	return r < 0 ? r : make_count(preload);
}

int preload_start(struct preload *preload, const struct launch *launch)
{
	int r = keeper_start(&preload->keeper, launch);

	for (int i = 0; i < RESERVED_FD_COUNT; i++)
		if (preload->reserved[i] >= 0) {
			close(preload->reserved[i]);
			preload->reserved[i] = -1;
		}
	return r;
}

/* ---- while it goes on --------------------------------------------------- */

/* All messages that are there. */
static void hear(struct preload *preload, struct guard *guard)
{
	static union {
		struct wire_report report;
		char bytes[WIRE_REPORT_MOST];
	} message;
	ssize_t n;

	while ((n = recv(preload->reports, &message, sizeof message, MSG_DONTWAIT)) > 0 || (n < 0 && errno == EINTR))
		if (n > 0)
			heard(guard, &message.report, (size_t)n, preload->keeper.pid);
}

/* The keeper told something, or is gone. False: it is gone. */
static bool hear_keeper(struct preload *preload, struct guard *guard, struct launch_trouble *trouble)
{
	struct keeper_word word;
	ssize_t n = read(preload->keeper.words, &word, sizeof word);

	if (n < 0 && errno == EINTR)
		return true;
	if (n != sizeof word)
		return false;
	*trouble = word.trouble;
	guard->main = word.tool;
	if (word.over) {
		guard->main_status = word.status;
		meter_told(guard->meter, &word.spent);
	}
	return true;
}

/* Nobody stops at fork: how many there are is looked at again and again. */
static void count_processes(struct preload *preload, struct guard *guard)
{
	preload->roll.top = preload->keeper.pid;
	roll_call(&preload->roll);
	if (preload->roll.count > guard->limits.processes + 1) { /* with the keeper */
		guard->limited = "processes";			 /* a fork cannot be made to fail from here */
		guard->ending = true;
		kill(preload->keeper.pid, SIGTERM);
	}
}

static int watch(struct preload *preload, struct guard *guard, const atomic_int *ended, struct launch_trouble *trouble)
{
	int pace = guard->limits.processes ? LOOK_MS : -1;
	struct pollfd fds[] = {{.fd = preload->reports, .events = POLLIN},
			       {.fd = preload->keeper.words, .events = POLLIN}};

	for (;;) {
		if ((*ended || guard->violated_fatally) && !guard->ending) {
			guard->ending = true;
			kill(preload->keeper.pid, SIGTERM);
		}
		if (poll(fds, 2, pace) < 0 && errno != EINTR)
			return -errno;
		if (pace >= 0 && !guard->ending)
			count_processes(preload, guard);
		if (fds[0].revents)
			hear(preload, guard);
		if (fds[0].revents & POLLHUP)
			fds[0].fd = -1; /* nobody is left to tell anything */
		if (fds[1].revents && !hear_keeper(preload, guard, trouble))
			return 0;
		fds[0].revents = fds[1].revents = 0;
	}
}

int preload_watch(struct preload *preload, struct guard *guard, const atomic_int *ended, struct launch_trouble *trouble)
{
	uint64_t programs;

	*trouble = (struct launch_trouble){LAUNCH_OK, 0};
	guard->main_status = SIGKILL; /* unless the keeper says otherwise */
	meter_watch(guard->meter, preload->keeper.pid);
	int r = watch(preload, guard, ended, trouble);
	if (r < 0)
		kill(preload->keeper.pid, SIGTERM);
	/* the keeper first: it has what the run used; then whatever it left behind if it was killed itself */
	while (waitpid(preload->keeper.pid, NULL, 0) < 0 && errno == EINTR)
		;
	keeper_end_all();
	hear(preload, guard);
	result_miss(guard->result, preload->shared->dropped);
	if (read(preload->programs, &programs, sizeof programs) != sizeof programs)
		programs = 0; /* EAGAIN: none */
	guard->tracees.processes_seen = programs;
	if (r == 0 && trouble->stage == LAUNCH_OK && programs == 0 && !guard->unguarded &&
	    WIFEXITED(guard->main_status))
		guard->shimless = true;
	return r;
}

void preload_free(struct preload *preload)
{
	for (int i = 0; preload->shared && i < RESERVED_FD_COUNT; i++)
		if (preload->reserved[i] >= 0)
			close(preload->reserved[i]);
	if (preload->reports >= 0)
		close(preload->reports);
	if (preload->programs >= 0)
		close(preload->programs);
	if (preload->shared)
		munmap(preload->shared, sizeof *preload->shared);
	if (preload->keeper.words >= 0)
		close(preload->keeper.words);
	roll_clear(&preload->roll);
}
