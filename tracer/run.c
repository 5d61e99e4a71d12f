/* SPDX-License-Identifier: MIT */
/*
 * run.c - see run.h. The stages of a run in order, each with its struct:
 * job -> policy -> child -> guard -> outcome; errors are told here and nowhere below.
 */
#include "run_inside.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "constant.h"
#include "diag.h"
#include "end.h"
#include "environment.h"
#include "filter.h"
#include "floor.h"
#include "known.h"
#include "limit.h"
#include "meter.h"
#include "notify.h"
#include "shim_file.h"
#include "supervise.h"
#include "together.h"
#include "transport.h"
#include "usage.h"

/* ---- before anything runs ----------------------------------------------- */

static int compile_policy(struct run *run)
{
	int r = policy_compile(&run->job->policy, &run->policy, &run->errors);

	for (size_t i = 0; i < run->errors.count; i++)
		diag("%s", run->errors.list[i].text);
	if (r < 0 && run->errors.count == 0)
		diag_errno(r, "cannot compile the policy");
	return r < 0 ? EXIT_STATUS_PICKET : 0;
}

static int choose_level(struct run *run)
{
	probing_end(&run->probing, &run->probe);
	int r = level_choose(&run->probe, &run->job->level, &run->guard.level, run->why_not_higher);

	run->guard.transport = guard_by_notification(&run->guard) ? &by_notify : &by_ptrace;
	if (r < 0)
		diag("%s", run->why_not_higher);
	return r < 0 ? EXIT_STATUS_PICKET : 0;
}

/* A text file without "#!" is for the shell, as execvp(3) has it: under the name it was called by, if that is no search. */
static int wrap_for_shell(struct run *run, const char *called)
{
	unsigned char head[4] = {0};
	size_t count = 0;
	FILE *file = fopen(run->path, "re");

	if (!file)
		return 0; /* may be run, not read: the kernel and the guard will say */
	size_t n = fread(head, 1, sizeof head, file);
	fclose(file);
	if (n >= 2 && (memcmp(head, "#!", 2) == 0 || memcmp(head, "\177E", 2) == 0))
		return 0;
	for (size_t i = 0; i < n; i++)
		if (head[i] == 0 || head[i] > 0x7e)
			return 0;
	while (run->job->command[count])
		count++;
	run->shell_argv = calloc(count + 2, sizeof *run->shell_argv);
	if (!run->shell_argv)
		return -ENOMEM;
	run->shell_argv[0] = run->job->command[0];
	run->shell_argv[1] = strchr(called, '/') ? strdup(called) : strdup(run->path);
	memcpy(run->shell_argv + 2, run->job->command + 1, count * sizeof *run->shell_argv);
	free(run->path);
	run->path = strdup("/bin/sh");
	return run->path && run->shell_argv[1] ? 0 : -ENOMEM;
}

/* Of the caller's environment what the policies leave, all of them, and then what a request sets. */
static int make_environment(struct run *run)
{
	int r = environment_build(run->policy.image, environ, &run->environment);

	if (r == 0 && run->job->narrower) {
		char **wider = run->environment;
		run->environment = NULL; /* what fails leaves nothing there */
		r = environment_build(run->job->narrower->image, wider, &run->environment);
		environment_free(wider);
	}
	if (r == 0 && run->job->extra_environment)
		r = environment_put(&run->environment, run->job->extra_environment);
	return r;
}

static int find_command(struct run *run)
{
	const struct job *job = run->job;
	const char *what = job->program ? job->program : job->command[0];
	int r = make_environment(run);

	if (r < 0) {
		diag_errno(r, "cannot make the environment");
		return EXIT_STATUS_PICKET;
	}
	if (job->program_fd >= 0)
		return 0;
	r = launch_find(what, environment_value(run->environment, "PATH"), job->cwd, &run->path);
	if (r == 0)
		r = wrap_for_shell(run, what);
	if (r == 0)
		return 0;
	if (r == -ENOENT)
		diag("%s: command not found", what);
	else
		diag_errno(r, "cannot run %s", what);
	return r == -ENOENT ? EXIT_STATUS_NOT_FOUND : r == -ENOMEM ? EXIT_STATUS_PICKET : EXIT_STATUS_NOT_RUNNABLE;
}

static int open_result(struct run *run)
{
	if (!run->job->result_file)
		return 0;
	int r = result_file_open(&run->result_file, run->job->result_file);
	if (r < 0)
		diag_errno(r, "cannot write the result to %s", run->job->result_file);
	return r < 0 ? EXIT_STATUS_PICKET : 0;
}

static int make_guard(struct run *run)
{
	struct guard *guard = &run->guard;
	char why[LIMIT_WHY_SIZE];
	int r;

	guard->policies[guard->policy_count++] = &run->policy;
	if (run->job->narrower)
		guard->policies[guard->policy_count++] = run->job->narrower;
	guard->on_violation = image_on_violation(run->policy.image);
	guard->verbose = run->job->verbose;
	if (run->job->program_fd >= 0) {
		struct stat st;
		if (fstat(run->job->program_fd, &st) < 0) {
			diag_errno(errno, "cannot look at the program of %s", run->job->command[0]);
			return EXIT_STATUS_PICKET;
		}
		guard->program_dev = st.st_dev;
		guard->program_ino = st.st_ino;
	}
	guard->limits = limit_of(guard->policies, guard->policy_count);
	if (limit_check(&guard->limits, why) < 0) {
		diag("%s", why);
		return EXIT_STATUS_PICKET;
	}
	guard->open_files = guard->reserved_at = launch_open_files(guard->limits.open_files);
	if (guard->level == LEVEL_PRELOAD && guard->reserved_at > RESERVED_LOW)
		guard->reserved_at = RESERVED_LOW;
	pthread_mutex_init(&guard->result_lock, NULL);
	pthread_rwlock_init(&guard->policy_lock, NULL);
	pthread_mutex_init(&guard->tracees.owned.lock, NULL);
	pthread_mutex_init(&guard->headcount.lock, NULL);
	guard->headcount.at_most = 1; /* the tool's first process */
	guard->floor = floor_wanted(guard) && floor_is_there();
	constant_begin();
	guard->result = result_new(run->policy.image);
	r = !guard->result ? -ENOMEM : guard->level == LEVEL_PRELOAD ? 0 : slots_open(&guard->slots);
	if (r == 0 && guard->level == LEVEL_GATE)
		r = gate_open(&guard->gate, guard->policies, guard->policy_count, run->job->cwd, run->environment,
			      guard->open_files, run->shim);
	for (long n = 0; n < CALL_NUMBERS; n++)
		guard->passes[n] = filter_never_stops(guard, n);
	if (r == 0 && guard->level == LEVEL_PRELOAD)
		r = filter_compile_alone(guard, &run->filter);
	else if (r == 0 && guard->level != LEVEL_PTRACE)
		r = filter_compile(guard, &run->filter);
	if (r < 0)
		diag_errno(r, "cannot prepare the supervisor");
	return r < 0 ? EXIT_STATUS_PICKET : 0;
}

/* Level gate: it only makes allowed work fast, and so need not be in every program. But each may read it. */
static int pass_shim(struct run *run)
{
	struct stat st;
	int r = stat(run->shim, &st) < 0 ? -errno : shim_file_pass(run->shim, false, &run->environment);

	run->guard.gate.shim = r == 0 ? strdup(run->shim) : NULL;
	if (r < 0 || !run->guard.gate.shim) {
		diag_errno(r < 0 ? r : -ENOMEM, "cannot make the environment");
		return EXIT_STATUS_PICKET;
	}
	run->guard.shim_dev = st.st_dev;
	run->guard.shim_ino = st.st_ino;
	return 0;
}

/* Where it is needed it is missed later: at level gate only if there is a gate. */
static int find_shim(struct run *run)
{
	if (run->guard.level == LEVEL_PRELOAD || run->guard.level == LEVEL_GATE)
		shim_file_find(&run->shim, run->why_no_shim, sizeof run->why_no_shim);
	return 0;
}

/* Levels with a shim: it is there, and at level preload can guard what is to run. */
static int make_shim(struct run *run)
{
	char why[2 * PATH_MAX];

	if (run->guard.level != LEVEL_PRELOAD && !run->guard.gate.page)
		return 0;
	if (!run->shim) {
		diag("level %s is not available: %s", level_name(run->guard.level), run->why_no_shim);
		return EXIT_STATUS_PICKET;
	}
	if (run->guard.level == LEVEL_GATE)
		return pass_shim(run);
	if (preload_examine(&run->guard, run->path ? run->path : run->job->command[0], run->job->program_fd, why,
			    sizeof why) < 0) {
		diag("%s", why);
		return EXIT_STATUS_NOT_RUNNABLE;
	}
	int r = shim_file_pass(run->shim, true, &run->environment);
	if (r == 0 && run->guard.sanitized)
		r = shim_file_excuse(&run->environment);
	if (r < 0)
		diag_errno(r, "cannot make the environment");
	return r < 0 ? EXIT_STATUS_PICKET : 0;
}

/* ---- the run ------------------------------------------------------------ */

/* The supervisor itself: its files, its memory and its end are out of the tool's reach. What is told on a terminal that
 * the tool has taken over, or into a pipe that nobody reads, neither stops nor ends it. */
static void shield(void)
{
	static const int ignored[] = {SIGTTOU, SIGPIPE, SIGXFSZ};
	struct rlimit limit;

	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); /* orphans of the run become ours, and are waited for */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	for (size_t i = 0; i < sizeof ignored / sizeof ignored[0]; i++)
		signal(ignored[i], SIG_IGN);
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

/* Is there nothing that the tool of a captured run could read? What is typed is not for it. */
static bool has_no_input(void)
{
	return isatty(STDIN_FILENO) || (fcntl(STDIN_FILENO, F_GETFL) & O_ACCMODE) == O_WRONLY;
}

/* Where the tool reads and writes. */
static int redirect(struct run *run, struct launch *launch)
{
	bool capture = run->job->capture;
	uint64_t most = run->guard.limits.output_bytes;
	int *out = capture || (most && capture_counts(STDOUT_FILENO)) ? &launch->out : NULL;
	int *err = capture || (most && capture_counts(STDERR_FILENO)) ? &launch->err : NULL;

	if (capture && has_no_input()) {
		launch->in = open("/dev/null", O_RDONLY | O_CLOEXEC);
		if (launch->in < 0)
			return -errno;
	}
	return out || err ? capture_start(&run->capture, capture, most, out, err) : 0;
}

static void close_all(const int *fds, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

/* Nobody supervises. */
static int start_alone(struct run *run, struct launch *launch)
{
	int r = preload_prepare(&run->preload, &run->guard, launch);

	shield();
	return r < 0 ? r : preload_start(&run->preload, launch);
}

/* The slots are for those who let calls proceed. */
static int start_notified(struct run *run, struct launch *launch)
{
	launch->slots_fd = -1;
	shield();
	return notify_start(&run->guard, launch);
}

/* The child, in a control group of its own where there can be one. */
static int prepare_group(struct run *run, struct launch *launch)
{
	int reserved[RESERVED_FD_COUNT];

	gate_reserve(&run->guard.gate, reserved);
	launch->reserved = reserved;
	int r = launch_prepare(launch, &run->child);
	launch->reserved = NULL;
	if (r == 0)
		run->cgroup = cgroup_make(&run->guard.limits);
	if (run->cgroup && cgroup_add(run->cgroup, run->child.pid) < 0) {
		cgroup_remove(run->cgroup);
		run->cgroup = NULL;
	}
	return r;
}

static int start(struct run *run)
{
	const struct job *job = run->job;
	const struct end_signals *before = end_catch();
	struct launch launch = {
		.path = run->path,
		.argv = run->shell_argv ? run->shell_argv : job->command,
		.environment = run->environment,
		.cwd = job->cwd,
		.program_fd = job->program_fd,
		.in = -1,
		.out = -1,
		.err = -1,
		.limits = run->guard.limits,
		.open_files = run->guard.open_files,
		.soft_files = launch_soft_files(run->guard.limits.open_files,
						run->guard.open_files), /* shield() raises ours */
		.reserved_at = run->guard.reserved_at,
		.slots_fd = run->guard.slots.fd,
		.handover = -1,
		.landlock = run->guard.floor,
		.filter = run->filter.filter ? &run->filter : NULL,
		.mask = &before->blocked,
		.ignored = &before->ignored,
	};
	bool traced = run->guard.level != LEVEL_PRELOAD && !guard_by_notification(&run->guard);
	int r = usage_open();

	run->started_ns = usage_now();
	run->outcome.started_at_ns = usage_clock();
	if (r == 0)
		r = redirect(run, &launch);
	if (r == 0 && traced)
		r = prepare_group(run, &launch); /* first: the child makes ready while we do */
	if (r == 0)
		r = meter_start(&run->guard.meter, &run->guard.limits, end_for_limit);
	run->guard.tracees.meter = run->guard.meter;
	if (r == 0 && !traced)
		launch.cgroup = run->cgroup = cgroup_make(&run->guard.limits);
	if (r == 0 && !traced)
		r = run->guard.level == LEVEL_PRELOAD ? start_alone(run, &launch) : start_notified(run, &launch);
	close_all((int[]){launch.in, launch.out, launch.err}, 3);
	if (r == 0 && traced) {
		run->guard.main = run->child.pid;
		r = transport_attach(&run->guard, run->child.pid);
		shield();
		gate_late_begin(&run->guard.gate, job->cwd);
		if (r == 0)
			r = launch_go(&run->child);
	}
	if (r < 0)
		diag_errno(r, "cannot start %s under supervision", job->command[0]);
	return r < 0 ? EXIT_STATUS_PICKET : 0;
}

static uint64_t time_limit(const struct run *run)
{
	uint64_t policy = run->guard.limits.wall_time_ms * UINT64_C(1000000), job = run->job->timeout_ns;

	return policy && (!job || policy < job) ? policy : job;
}

static int watch(struct run *run)
{
	if (run->job->progress)
		progress_start(&run->progress, run->guard.meter, &run->guard.refusals);
	end_after(time_limit(run));
	int r = run->guard.level == LEVEL_PRELOAD
			? preload_watch(&run->preload, &run->guard, &end_reason, &run->trouble)
			: supervise(&run->guard, &end_reason);

	end_after(0);
	if (r < 0 && run->child.pid > 0 && !run->guard.main_over)
		kill(run->child.pid, SIGKILL); /* it may be stopped for ever, and hold what is read from next */
	if (run->child.pid > 0)
		run->trouble = launch_trouble(&run->child);
	if (run->guard.notifier) {
		run->trouble = notify_trouble(&run->guard);
		run->abandoned = !notify_end(&run->guard);
	}
	if (run->guard.shimless)
		diag("the shim was not loaded into %s: it ran without a guard", run->job->command[0]);
	if (r < 0)
		diag_errno(r, "the supervisor failed; the run was ended");
	if (run->capture)
		capture_finish(run->capture, end_reason != 0);
	progress_end(run->progress);
	return r < 0 ? EXIT_STATUS_PICKET : 0;
}

/* ---- all of it ---------------------------------------------------------- */

/* The tool never ran: the launcher says why. */
static int trouble_status(struct run *run, struct launch_trouble trouble)
{
	static const char *const what[] = {
		[LAUNCH_PROCESS] = "cannot start a process",
		[LAUNCH_DESCRIPTORS] = "cannot arrange the descriptors",
		[LAUNCH_DIRECTORY] = "cannot change to the directory",
		[LAUNCH_LIMITS] = "cannot set the limits",
		[LAUNCH_PRIVILEGES] = "cannot give up privileges",
		[LAUNCH_FILTER] = "cannot install the system call filter",
	};

	if (trouble.stage == LAUNCH_EXEC) {
		diag_errno(trouble.error, "cannot run %s", run->job->command[0]);
		return trouble.error == ENOENT ? EXIT_STATUS_NOT_FOUND : EXIT_STATUS_NOT_RUNNABLE;
	}
	diag_errno(trouble.error, "%s", what[trouble.stage]);
	return EXIT_STATUS_PICKET;
}

static int run_stages(struct run *run)
{
	int (*const stages[])(struct run *) = {compile_policy, choose_level, open_result, find_command,
					       find_shim,      make_guard,   make_shim,	  start};

	probing_begin(&run->probing, &run->job->level); /* the machine is tried while the policy is compiled */
	for (size_t i = 0; i < sizeof stages / sizeof stages[0]; i++) {
		int status = stages[i](run);
		if (status == EXIT_STATUS_NOT_FOUND || status == EXIT_STATUS_NOT_RUNNABLE)
			return run_report_no_command(run, status);
		if (status)
			return status;
	}
	int failed = watch(run);
	int status = run->trouble.stage != LAUNCH_OK ? trouble_status(run, run->trouble)
		     : run->guard.shimless	     ? EXIT_STATUS_PICKET
						     : failed;
	run_fill_outcome(run);
	if (run->trouble.stage != LAUNCH_OK)
		run->outcome.exit_code = status;
	int misled = run_report(run);
	return misled ? misled : status ? status : run_exit_status(run);
}

int run_job(const struct job *job)
{
	struct run *run = calloc(1, sizeof *run);

	if (!run) {
		diag_errno(ENOMEM, "cannot start");
		return EXIT_STATUS_PICKET;
	}
	run->job = job;
	run->result_file = RESULT_FILE_NONE;
	run->guard.slots.fd = -1;
	run->guard.gate = GATE_NONE, run->guard.slots.fd = -1;
	run->preload = PRELOAD_NONE;
	run->child = (struct child){.pid = -1, .line = -1};
	int status = run_stages(run);

	if (run->abandoned)
		return status; /* the end of this process ends that thread, too */
	probing_abandon(&run->probing);
	launch_close(&run->child);
	preload_free(&run->preload);
	capture_free(run->capture);
	owned_end_ipc(&run->guard.tracees.owned);
	tracee_free(&run->guard.tracees);
	meter_free(run->guard.meter);
	cgroup_remove(run->cgroup);
	free(run->guard.deferred.list);
	together_end(run->guard.together);
	known_end(run->guard.known);
	free(run->guard.headcount.births);
	slots_close(&run->guard.slots);
	gate_close(&run->guard.gate);
	result_free(run->guard.result);
	result_file_close(&run->result_file);
	free(run->filter.filter);
	environment_free(run->environment);
	free(run->shell_argv ? run->shell_argv[1] : NULL);
	free(run->shell_argv);
	free(run->path);
	free(run->shim);
	policy_free(&run->policy);
	policy_errors_free(&run->errors);
	free(run);
	return status;
}
