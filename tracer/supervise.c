/* SPDX-License-Identifier: MIT */
/* supervise.c - see supervise.h. */
#include "supervise.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "act.h"
#include "exec.h"
#include "judge.h"
#include "limit.h"
#include "transport.h"

/* One at a time is in work; they are large. */
static struct request request;
static struct judgement judgement;

/* A connect matched no address: a host name of the policy may have got another one meanwhile. */
static bool more_addresses(struct guard *guard)
{
	bool more = false;

	for (unsigned i = 0; i < guard->policy_count; i++)
		more |= policy_resolve_again(guard->policies[i]) > 0;
	if (more)
		result_use_image(guard->result, guard->policies[0]->image);
	return more;
}

/*
 * Judging ends at the first refusal. When the operator's refusals are only recorded, what a plugin may at most must have
 * had its say of every part of the call before: it is judged alone first, then the operator's policy.
 */
static void judge_by_all(struct guard *guard)
{
	unsigned count = guard->policy_count;

	if (count > 1 && guard->on_violation == ON_VIOLATION_AUDIT) {
		guard->policy_from = 1;
		judge(guard, &request, &judgement);
		guard->policy_from = 0;
		if (judgement.outcome != OUTCOME_PASS)
			return;
		guard->policy_count = 1;
	}
	judge(guard, &request, &judgement);
	guard->policy_count = count;
}

static void on_call(struct guard *guard, const struct event *event)
{
	if (guard->ending) {
		transport_refuse(guard, event->task, EPERM);	/* SIGKILL is on its way */
		return;
	}
	const struct call_stop *call = &event->call;
	if (!call->foreign && !call->x32 && call->number >= 0 && call->number < CALL_NUMBERS &&
	    guard->passes[call->number]) {
		transport_proceed(guard, event->task);
		return;
	}
	int limited = limit_refuse(guard, event->task, call);
	if (limited) {
		transport_refuse(guard, event->task, limited);
		return;
	}
	decode(guard, event->task, call, &request);
	judge_by_all(guard);
	if (judgement.outcome == OUTCOME_REFUSE && judgement.address && more_addresses(guard))
		judge_by_all(guard);
	act(guard, &request, &judgement);
	decode_done(&request);
}

static void on_exec(struct guard *guard, struct task *task)
{
	memset(&judgement, 0, offsetof(struct judgement, target));
	request.task = task;
	request.call = call_by_name("execve");
	request.names[0].length = 0;
	bool approved = task->exec_pending && exec_is_approved(guard, &request, &judgement);

	task->launching = task->exec_pending = false;
	tracee_exec(&guard->tracees, task);
	if (!approved) {
		act_record(guard, &request, &judgement, ACTION_KILLED);
		kill(task->process->tgid, SIGKILL);
	}
	transport_continue(guard, task);
}

static void on_exit_of(struct guard *guard, const struct event *event)
{
	struct task *task = event->task;

	if (task->tid == guard->main) {
		guard->main_over = true;
		guard->main_status = event->status;
		transport_kill_all(guard);	/* nothing outlives the run */
	}
	slots_give(&guard->slots, task->slot);
	tracee_remove(&guard->tracees, task);
}

static bool dispatch(struct guard *guard, const struct event *event)
{
	switch (event->kind) {
	case EVENT_NONE:
		break;
	case EVENT_ALL_GONE:
		return false;
	case EVENT_CALL:
		on_call(guard, event);
		break;
	case EVENT_EXEC:
		on_exec(guard, event->task);
		break;
	case EVENT_EXITED:
		on_exit_of(guard, event);
		break;
	}
	return true;
}

int supervise(struct guard *guard, const atomic_int *ended)
{
	struct event event;
	int r;

	do {
		if (*ended && !guard->ending)
			transport_kill_all(guard);
		r = transport_next(guard, &event);
	} while (r == 0 && dispatch(guard, &event));
	return r;
}
