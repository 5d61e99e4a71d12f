/* SPDX-License-Identifier: MIT */
/*
 * judge_hidden.c - what a policy hides: the kernel sees it, and has words for it that it has not for what is not there (EEXIST,
 * ENOTDIR, EBUSY). So the rule is asked before the kernel's own complaints are answered.
 *
 * It stays what it is, a way to keep a program from what it need not know of: a listing of the directory above has the name, and a
 * symbolic link's text may lead through a hidden directory and out of it again.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "judge.h"

bool judge_hidden(const struct guard *guard, const struct resolved *at)
{
	if (!at->exists || at->nameless)
		return false;
	for (unsigned i = guard->policy_from; i < guard_policy_end(guard); i++)
		if (!decide_path(guard->policies[i]->image, at->judged, at->judged_length, ACCESS_LOOK).allowed)
			return true;
	return false;
}

static bool may_hide(const struct guard *guard)
{
	for (unsigned i = guard->policy_from; i < guard_policy_end(guard); i++)
		if (decide_may_refuse(guard->policies[i]->image, ACCESS_LOOK))
			return true;
	return false;
}

/* True: it is refused. */
static bool refuse_hidden(struct guard *guard, struct judgement *judgement, const struct resolved *at)
{
	return judge_hidden(guard, at) && !judge_path(guard, judgement, at, ACCESS_LOOK) &&
	       !judge_audits(guard, judgement);
}

/* Does the rest of a name behind a component, which begins with the slashes, go back from there? */
static bool goes_back(const char *rest)
{
	rest += strspn(rest, "/");
	return strncmp(rest, "..", 2) == 0 && (rest[2] == '/' || rest[2] == 0);
}

/* "hidden/../x" and "hidden-file/x": were nothing there, they would lead nowhere. Through a hidden directory to what is shown there
 * again leads a way as any. */
static bool way_is_hidden(struct guard *guard, const struct request *request, struct judgement *judgement,
			  const struct name_arg *name)
{
	char before[PATH_MAX];

	for (const char *end = name->text; (end = strchr(end, '/')) != NULL; end += strspn(end, "/")) {
		size_t length = (size_t)(end - name->text);
		bool back = goes_back(end);
		struct resolved at;
		if (length == 0 || (name->at.error != -ENOTDIR && !back))
			continue;
		memcpy(before, name->text, length);
		before[length] = 0;
		resolve_path(&guard->tracees, request->task, name->dirfd, before, RESOLVE_FOLLOW, false, &at);
		bool refused = at.error == 0 && (back || at.type != S_IFDIR) && refuse_hidden(guard, judgement, &at);
		resolve_close(&at);
		if (refused)
			return true;
	}
	return false;
}

bool judge_way(struct guard *guard, const struct request *request, struct judgement *judgement)
{
	if (!may_hide(guard))
		return false;
	for (int i = 0; i < REQUEST_NAMES; i++) {
		const struct name_arg *name = &request->names[i];
		if (name->arg < 0 || name->length == 0 || name->by_fd)
			continue;
		if (name->at.error < 0 && name->at.error != -ENOENT && refuse_hidden(guard, judgement, &name->at))
			return true;
		if (way_is_hidden(guard, request, judgement, name))
			return true;
	}
	return false;
}
