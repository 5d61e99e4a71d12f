/* SPDX-License-Identifier: MIT */
/*
 * judge_links.c - names that lead through symbolic links: a rule holds for the link that it names, too (decide_link).
 *
 * This is about names, not about what can be reached: what the link leads to is allowed by its own name, and a tool
 * that reads the link's text may use that. So it does no harm that the links are looked at after the name was followed.
 */
#include <string.h>
#include <unistd.h>

#include "judge.h"
#include "links.h"

struct links_asked {
	struct guard *guard;
	struct judgement *judgement;
	unsigned access;
	const struct resolve_hop *hop; /* what the name was followed by, so it need not be read again */
};

static long read_link(void *context, const char *link, char *target, size_t size)
{
	const struct links_asked *asked = context;
	size_t length = strlen(asked->hop->text);

	if (strcmp(link, asked->hop->link) != 0 || length > size)
		return readlink(link, target, size);
	memcpy(target, asked->hop->text, length);
	return (long)length;
}

static bool ask(void *context, const char *link, size_t length)
{
	const struct links_asked *asked = context;

	for (unsigned i = asked->guard->policy_from; i < guard_policy_end(asked->guard); i++) {
		struct verdict verdict = decide_link(asked->guard->policies[i]->image, link, length, asked->access);
		if (verdict.allowed)
			continue;
		judge_refuses(asked->judgement, verdict, i, asked->access, link, length);
		return false;
	}
	return true;
}

bool judge_links(struct guard *guard, struct judgement *judgement, const struct name_arg *name, unsigned access)
{
	struct links_asked asked = {guard, judgement, access, &name->at.hop};
	struct links links = {read_link, ask, &asked};
	char room[LINKS_ROOM];

	if (name->arg < 0 || name->by_fd || name->rooted || !name->at.linked || name->at.nameless ||
	    (name->text[0] != '/' && !name->at.base[0]))
		return true;
	return links_of(&links, room, name->at.base, name->text, name->at.name);
}
