/* SPDX-License-Identifier: MIT */
/* judge_terminal.c - terminals of other sessions, which a rule for all of /dev/pts does not mean (terminal.h). */
#include <errno.h>
#include <string.h>

#include "judge.h"
#include "ordinary.h"
#include "terminal.h"

/* Does the operator's policy allow it by a rule for this very name? */
static bool is_named(const struct guard *guard, const struct resolved *at, unsigned access)
{
	const struct image *image = guard->policies[0]->image;
	struct verdict verdict = decide_path(image, at->judged, at->judged_length, access);

	return verdict.allowed && verdict.rule != RULE_DEFAULT &&
	       strcmp(image_rule(image, verdict.rule).target, at->judged) == 0;
}

bool judge_terminal(struct guard *guard, const struct request *request, struct judgement *judgement,
		    const struct name_arg *name, unsigned access)
{
	const struct resolved *at = &name->at;
	bool told = guard->on_violation == ON_VIOLATION_AUDIT || !judge_hidden(guard, at);

	if (!told || !(access & (ACCESS_READ | ACCESS_WRITE)) || !terminal_is_pseudo(at) ||
	    is_named(guard, at, access) || terminal_is_ours(&guard->tracees, at))
		return false;
	int failure = ordinary_failure(request, name, access);
	if (failure < 0)
		judge_answer(judgement, failure);
	else
		judge_always(judgement, judge_kind(access), EACCES, "%s", at->name);
	return true;
}

void judge_open_terminal(struct guard *guard, const struct request *request, struct judgement *judgement)
{
	const struct resolved *at = &request->names[0].at;

	if (!terminal_is_pseudo(at) || guard_by_notification(guard) || is_named(guard, at, request->names[0].access))
		return;
	if (terminal_hold(request->task, at))
		judgement->note = terminal_let_go;
	else
		judge_answer(judgement, -EIO); /* the other end has gone meanwhile */
}
