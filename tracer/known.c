/* SPDX-License-Identifier: MIT */
/* known.c - see known.h. A table in which each name has one of a few places, and may lose it to another. */
#include "known.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "same_file.h"
#include "usage.h"

enum {
	KNOWN_SETS = 256,
	KNOWN_PLACES = 4,	   /* of a set */
	KNOWN_TEXT = 112,	   /* bytes of a name with its NUL */
	KNOWN_LARGEFILE = 0100000, /* O_LARGEFILE as the kernel has it: <fcntl.h> says 0 */
};

struct known_name {
	uint64_t until;	       /* usage_moment */
	uint64_t age;	       /* known.age as it was */
	bool runs;	       /* it is to be run, as `program` says; else: to be read */
	char text[KNOWN_TEXT]; /* as it was said; "": none */
	char led_to[KNOWN_TEXT];
	struct same_file file; /* or directory: what it led to */
	bool kept;	       /* the policies let nobody change it, nor what leads there */
	struct program program;
};

struct known {
	uint64_t life; /* ns that a name is known */
	uint64_t age;  /* one more each time that all is forgotten */
	uint32_t hashes[KNOWN_SETS]
		       [KNOWN_PLACES]; /* apart from what they are of: most of what is asked for is not there */
	struct known_name sets[KNOWN_SETS][KNOWN_PLACES];
};

struct known *known_begin(uint64_t life)
{
	struct known *known = calloc(1, sizeof *known);

	if (known)
		known->life = life;
	return known;
}

void known_end(struct known *known)
{
	free(known);
}

/* FNV-1a. */
static uint32_t hash_of(const char *text, bool runs)
{
	uint32_t hash = 2166136261u ^ runs;

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 16777619u;
	return hash ^ hash >> 16;
}

static bool is_past(const struct known *known, const struct known_name *name)
{
	return name->age != known->age || usage_moment() >= name->until;
}

/* Where it is; or, `any`, where it may come to be: in place of one that is known no more, or will be soonest. */
static struct known_name *place_of(struct known *known, const char *text, bool runs, bool any)
{
	uint32_t hash = hash_of(text, runs), *hashes = known->hashes[hash % KNOWN_SETS];
	struct known_name *set = known->sets[hash % KNOWN_SETS], *soonest = set;

	for (unsigned i = 0; i < KNOWN_PLACES; i++)
		if (hashes[i] == hash && set[i].runs == runs && strcmp(set[i].text, text) == 0)
			return &set[i];
	for (unsigned i = 0; any && i < KNOWN_PLACES; i++)
		if (is_past(known, &set[i]) || (!is_past(known, soonest) && set[i].until < soonest->until))
			soonest = &set[i];
	if (any)
		hashes[soonest - set] = hash;
	return any ? soonest : NULL;
}

/* Is it asked for what is known: by an absolute name that nothing in the arguments gives another meaning, to read or run? */
static bool is_of_the_kind(const struct request *request)
{
	const uint64_t plain = O_CLOEXEC | O_NOCTTY | O_NONBLOCK | KNOWN_LARGEFILE;
	const struct name_arg *name = &request->names[0];

	if (name->text[0] != '/' || name->by_fd || name->rooted || name->length >= KNOWN_TEXT ||
	    request->task->launching)
		return false;
	return request->call->op == OP_OPEN
		       ? request->how_size == 0 && (request->how.flags & ~plain) == 0 /* and so O_RDONLY */
		       : request->call->op == OP_EXEC && request->flags == 0;
}

/* Nobody in the run has changed what the name means; but somebody outside may have, such as another run in the same directory. A program is looked
 * at in any case: if the kernel ran another one, that would be a violation. */
static bool is_there_still(const struct known_name *name)
{
	return (name->kept && !name->runs) || same_file_at(&name->file, name->text);
}

struct known_name *known_find(struct known *known, const struct request *request)
{
	const struct task *task = request->task;
	bool runs = request->call->op == OP_EXEC;

	if (!known || !is_of_the_kind(request) || !(tracee_private_memory(task) || (runs && tracee_lent_memory(task))))
		return NULL;
	struct known_name *name = place_of(known, request->names[0].text, runs, false);
	return name && !is_past(known, name) && is_there_still(name) ? name : NULL;
}

bool known_approve(const struct known_name *name, struct task *task)
{
	char *led_to = strdup(name->led_to);

	if (!led_to)
		return false;
	free(task->exec_name);
	task->exec_name = led_to;
	task->approved = name->program;
	return true;
}

/* Nothing but a yes: no part of it was recorded, or is done otherwise than asked for. */
static bool is_plain_yes(const struct judgement *judgement)
{
	return judgement->outcome == OUTCOME_PASS && judgement->names && !judgement->moves_names && !judgement->aside &&
	       !judgement->again && judgement->instead < 0 && judgement->replace < 0 && !judgement->then &&
	       !judgement->after && !judgement->note && judgement->audited_count == 0;
}

/* A program that is one file, with an interpreter, and that nobody in the run changes. A script's is another file than was named. */
static bool is_constant_program(const struct request *request)
{
	const struct program *program = &request->task->approved;
	const struct stat *held = &request->names[0].at.held;

	return !program->writable && program->loader_ino != 0 && program->ino == held->st_ino &&
	       program->dev == held->st_dev;
}

/* Is nothing on the way but names that the run may not write to, as far as they are not those of the root, such as /lib? */
static bool is_kept(const struct guard *guard, const struct name_arg *name)
{
	return (name->at.hop.link[0] || strcmp(name->text, name->at.name) == 0) &&
	       !judge_writable(guard, name->at.name);
}

void known_note(const struct guard *guard, const struct request *request, const struct judgement *judgement)
{
	struct known *known = guard->known;
	const struct name_arg *name = &request->names[0];
	const struct resolved *at = &name->at;
	bool runs = request->call->op == OP_EXEC;

	if (!known || !is_of_the_kind(request) || !is_plain_yes(judgement) || at->error < 0 || !at->exists ||
	    (at->type != S_IFREG && at->type != S_IFDIR) || at->magic || at->nameless || at->run_proc || at->stranger ||
	    at->length >= KNOWN_TEXT || (runs && !is_constant_program(request)))
		return;
	struct known_name *place = place_of(known, name->text, runs, true);
	*place = (struct known_name){.until = usage_moment() + known->life,
				     .age = known->age,
				     .runs = runs,
				     .file = same_file_of(&at->held),
				     .kept = is_kept(guard, name)};
	if (runs)
		place->program = request->task->approved;
	memcpy(place->text, name->text, name->length + 1);
	memcpy(place->led_to, at->name, at->length + 1);
}

void known_drop(struct known_name *name)
{
	name->text[0] = 0;
}

void known_forget(struct known *known)
{
	if (known)
		known->age++;
}
