/* SPDX-License-Identifier: MIT */
/* supervise.c - see supervise.h. */
#include "supervise.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "act.h"
#include "exec.h"
#include "judge.h"
#include "known.h"
#include "limit.h"
#include "transport.h"

enum { TRIES_MOST = 16 }; /* a call whose names change while it is judged is judged so often */

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
 * had its say of every part of the call before: it is judged alone first, then the operator's policy. Which policies are asked is a
 * matter of all threads, so then only one of them judges at a time.
 */
static bool judged_apart(const struct guard *guard)
{
	return guard->policy_count > 1 && guard->on_violation == ON_VIOLATION_AUDIT;
}

static void judge_by_all(struct guard *guard, struct desk *desk)
{
	if (judged_apart(guard)) {
		guard->policy_from = 1;
		judge(guard, &desk->request, &desk->judgement);
		guard->policy_from = 0;
		if (desk->judgement.outcome != OUTCOME_PASS)
			return;
		guard->policy_less = guard->policy_count - 1;
	}
	judge(guard, &desk->request, &desk->judgement);
	if (judged_apart(guard))
		guard->policy_less = 0;
}

static bool refuses_address(const struct judgement *judgement)
{
	for (unsigned i = 0; i < judgement->audited_count; i++)
		if (judgement->audited[i].address)
			return true;
	return judgement->outcome == OUTCOME_REFUSE && judgement->refusal.address;
}

/* The policies stay what they are while they are asked. */
static void judge_call(struct guard *guard, struct desk *desk)
{
	if (judged_apart(guard))
		pthread_rwlock_wrlock(&guard->policy_lock);
	else
		pthread_rwlock_rdlock(&guard->policy_lock);
	judge_by_all(guard, desk);
	pthread_rwlock_unlock(&guard->policy_lock);
	if (!refuses_address(&desk->judgement))
		return;
	pthread_rwlock_wrlock(&guard->policy_lock);
	if (more_addresses(guard))
		judge_by_all(guard, desk);
	pthread_rwlock_unlock(&guard->policy_lock);
}

/* A call that our filter stops in no case: at level ptrace all stop; else a filter of the tool's own did it, by SECCOMP_RET_TRACE, which
 * without a tracer is ENOSYS (seccomp(2)). */
static void pass_unasked(struct guard *guard, struct task *task)
{
	if (guard->level == LEVEL_PTRACE)
		transport_proceed(guard, task);
	else
		transport_refuse(guard, task, ENOSYS);
}

/* Was this allowed a moment ago, and can go on as it is? */
static bool passes_as_before(struct guard *guard, const struct request *request)
{
	struct known_name *name = known_find(guard->known, request);

	if (!name || act_known(guard, request, name))
		return name != NULL;
	known_drop(name); /* it goes the long way, by a copy of its text */
	return false;
}

static void on_call(struct guard *guard, struct desk *desk, const struct event *event)
{
	if (guard->ending) {
		transport_refuse(guard, event->task, EPERM); /* SIGKILL is on its way */
		return;
	}
	const struct call_stop *call = &event->call;
	if (!call->foreign && !call->x32 && call->number >= 0 && call->number < CALL_NUMBERS &&
	    guard->passes[call->number]) {
		pass_unasked(guard, event->task);
		return;
	}
	int limited = limit_refuse(guard, event->task, call);
	if (limited) {
		transport_refuse(guard, event->task, limited);
		return;
	}
	for (int tries = 0;; tries++) {
		decode_texts(event->task, call, &desk->request);
		if (passes_as_before(guard, &desk->request))
			return;
		decode_rest(guard, &desk->request);
		if (!transport_waits(guard, event->task)) {
			decode_done(&desk->request);
			return;
		}
		judge_call(guard, desk);
		if (tries == TRIES_MOST) /* others change the name again and again: unresolvable means denied */
			judge_answer(&desk->judgement, -EACCES);
		desk->judgement.again = false;
		act(guard, &desk->request, &desk->judgement);
		known_note(guard, &desk->request, &desk->judgement);
		decode_done(&desk->request);
		if (!desk->judgement.again)
			return;
	}
}

static void on_exec(struct guard *guard, struct desk *desk, const struct event *event)
{
	struct task *task = event->task;
	struct request *request = &desk->request;

	judge_begin(&desk->judgement);
	request->task = task;
	request->call = call_by_name("execve");
	request->names[0].length = 0;
	pthread_rwlock_rdlock(&guard->policy_lock);
	bool approved = task->exec_pending && exec_is_approved(guard, request, &desk->judgement);
	pthread_rwlock_unlock(&guard->policy_lock);
	if (approved && event->closed) {
		judge_always(&desk->judgement, VIOLATION_INTERFACE, ENOMEM,
			     "%s (it leaves no room where addresses are reserved)",
			     task->exec_name ? task->exec_name : "?");
		approved = false;
	}

	task->launching = task->exec_pending = false;
	tracee_exec(&guard->tracees, task);
	if (!approved) {
		if (!exec_is_over(task))
			act_record(guard, request, &desk->judgement.refusal, ACTION_KILLED);
		tracee_kill(task);
	}
	transport_continue(guard, task);
}

/* From whatever thread the event came in. */
static void handle(struct guard *guard, struct desk *desk, const struct event *event)
{
	if (event->kind == EVENT_CALL)
		on_call(guard, desk, event);
	else if (event->kind == EVENT_EXEC)
		on_exec(guard, desk, event);
}

static void on_exit_of(struct guard *guard, const struct event *event)
{
	struct task *task = event->task;

	if (task->tid == guard->main) {
		guard->main_over = true;
		guard->main_status = event->status;
		transport_kill_all(guard); /* nothing outlives the run */
	}
	slots_give(&guard->slots, task->slot);
	tracee_remove(&guard->tracees, task);
}

static bool dispatch(struct guard *guard, struct desk *desk, const struct event *event)
{
	switch (event->kind) {
	case EVENT_NONE:
		break;
	case EVENT_ALL_GONE:
		return false;
	case EVENT_CALL:
	case EVENT_EXEC:
		handle(guard, desk, event);
		break;
	case EVENT_EXITED:
		on_exit_of(guard, event);
		break;
	}
	return true;
}

int supervise(struct guard *guard, const atomic_int *ended)
{
	struct desk *desk = malloc(sizeof *desk);
	struct event event;
	int r = desk ? 0 : -ENOMEM;

	if (r == 0 && guard->transport->start)
		r = guard->transport->start(guard, handle);
	while (r == 0) {
		if (*ended && !guard->ending)
			transport_kill_all(guard);
		r = transport_next(guard, &event);
		if (r == 0 && !dispatch(guard, desk, &event))
			break;
	}
	free(desk);
	return r;
}
