/* SPDX-License-Identifier: MIT */
/* run_end.c - see run_inside.h: what came of a run, and who is told. */
#include "run_inside.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "diag.h"
#include "end.h"
#include "meter.h"
#include "transport.h"
#include "usage.h"

/* What ended the run comes before what only made a call fail or output go. */
static const char *which_limit(const struct run *run)
{
	if (end_reason == END_TIMEOUT)
		return "wall_time_ms";
	if (end_reason == END_LIMIT)
		return meter_reached(run->guard.meter);
	if (cgroup_ran_out(run->cgroup))
		return "memory_bytes";
	if (meter_warned_of(run->guard.meter))
		return meter_warned_of(run->guard.meter);
	if (run->guard.limited)
		return run->guard.limited;
	return run->guard.limits.output_bytes && run->capture && capture_truncated(run->capture) ? "output_bytes"
												 : NULL;
}

static void fill_enforcement(struct run *run)
{
	struct run_outcome *o = &run->outcome;

	o->level = level_name(run->guard.level);
	o->landlock = run->guard.floor;
	o->transport = run->guard.level == LEVEL_PRELOAD ? NULL : run->guard.transport->name;
	o->boundary = run->guard.level != LEVEL_PRELOAD;
	o->not_higher_because = run->why_not_higher[0] ? run->why_not_higher : NULL;
	o->control_group = cgroup_used(run->cgroup);
	o->processes = run->guard.tracees.processes_seen;
	o->supervisor_stops = run->guard.stops;
	o->gate_roots = run->guard.gate.roots.count;
}

void run_fill_outcome(struct run *run)
{
	struct run_outcome *o = &run->outcome;
	int status = run->guard.main_status;

	o->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	o->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	o->timed_out = end_reason == END_TIMEOUT;
	o->ended_by_limit = end_reason == END_LIMIT || cgroup_ran_out(run->cgroup);
	o->resource_limited = which_limit(run);
	o->duration_ns = usage_now() - run->started_ns;
	struct meter_reading used = meter_finish(run->guard.meter);
	o->peak_memory_bytes = used.peak_memory;
	o->cpu_time_ns = used.cpu_ns;
	o->bytes_read = used.read;
	o->bytes_written = used.written;
	fill_enforcement(run);
}

int run_report(struct run *run)
{
	const struct job *job = run->job;
	struct run_identity identity = {job->command,	 job->cwd,    job->tool_id, job->trace_id,
					job->request_id, job->labels, job->plugin};
	struct run_output output = {.stdout_bytes = job->capture ? "" : NULL, .stderr_bytes = job->capture ? "" : NULL};
	int r = 0;

	if (job->capture && run->capture) {
		output.stdout_bytes = capture_bytes(run->capture, STDOUT_FILENO, &output.stdout_length);
		output.stderr_bytes = capture_bytes(run->capture, STDERR_FILENO, &output.stderr_length);
	}
	output.truncated = run->capture && capture_truncated(run->capture);
	if (job->result_file || job->result_fd >= 0)
		run->outcome.policy_digest = policy_digest(&run->policy);
	if (job->result_file)
		r = result_file_write(&run->result_file, run->guard.result, &identity, &run->outcome, &output);
	if (r < 0)
		diag_errno(r, "cannot write the result to %s", job->result_file);
	if (job->result_fd >= 0) {
		r = result_write(run->guard.result, &identity, &run->outcome, &output, job->result_fd);
		if (r < 0)
			diag_errno(r, "cannot write the result to descriptor %d", job->result_fd);
	}
	if (!job->quiet && run->guard.level == LEVEL_PRELOAD && !job->level.exactly) /* which nobody asked for */
		diag("level preload: no boundary, as it guards only who goes by its library (%s)", run->why_not_higher);
	if (job->verbose)
		result_total(run->guard.result, &run->outcome, stderr);
	else if (!job->quiet)
		result_summary(run->guard.result, &run->outcome, stderr);
	if (!job->result_file || !result_file_misleads(&run->result_file))
		return 0;
	diag("%s is not the result of this run, which could not be put there", job->result_file);
	return EXIT_STATUS_PICKET;
}

int run_exit_status(const struct run *run)
{
	const struct run_outcome *o = &run->outcome;

	if (o->timed_out)
		return EXIT_STATUS_TIMEOUT;
	if (end_reason > 0 && o->signal == SIGKILL)
		return EXIT_STATUS_SIGNAL + end_reason;
	if (o->signal)
		return EXIT_STATUS_SIGNAL + o->signal;
	if (o->exit_code == 0 && run->job->fail_on_violation && result_violation_count(run->guard.result) > 0)
		return EXIT_STATUS_VIOLATION;
	return o->exit_code;
}

int run_report_no_command(struct run *run, int status)
{
	struct run_outcome *o = &run->outcome;

	if (!run->guard.result)
		run->guard.result = result_new(run->policy.image);
	if (!run->guard.result) {
		diag_errno(ENOMEM, "cannot write the result");
		return EXIT_STATUS_PICKET;
	}
	o->started_at_ns = usage_clock();
	o->exit_code = status;
	fill_enforcement(run);
	int misled = run_report(run);
	return misled ? misled : status;
}
