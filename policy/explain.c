/* SPDX-License-Identifier: MIT */
/*
 * explain.c - policy_explain of show.h: which rule decides one access, and which it beat.
 *
 * The rules that were beaten are found by asking again without the winner, until nothing matches: so the
 * order is that of the code that decides at run time, and not a second opinion.
 */
#include "show.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "allow.h"
#include "always.h"
#include "cleanup.h"
#include "links.h"
#include "show_internal.h"

enum { BEATEN_MAX = 64 }; /* rules that are shown as beaten */

/* What is asked. */
struct question {
	const char *word; /* "read" */
	unsigned access;  /* of a path, or 0 */
	enum net_use use; /* otherwise */
	enum net_transport transport;
	const char *path; /* resolved path, or that of a unix socket; NULL: address */
	struct sockaddr_storage address;
	socklen_t length;
	const char *target; /* as it is shown */
	const char *asked;  /* of a path: as it was given, made absolute */
};

struct answer {
	struct verdict verdict; /* of the whole policy */
	char *allow_with;
	bool always;	     /* refused whatever the policy says */
	bool spares_command; /* but it may be the command of a run */
	size_t rule;	     /* index in the draft, SIZE_MAX: the default */
	size_t beaten[BEATEN_MAX];
	size_t beaten_count;
	bool more; /* were beaten than are listed */
};

static const struct {
	const char *word;
	unsigned access;
	enum net_use use;
} accesses[] = {
	{"read", ACCESS_READ, 0}, {"write", ACCESS_WRITE, 0},  {"exec", ACCESS_EXEC, 0},
	{"look", ACCESS_LOOK, 0}, {"connect", 0, NET_CONNECT}, {"bind", 0, NET_BIND},
};

/* The path, as the tool's own call would be taken: made absolute; *path: links followed. */
static int ask_path(const struct draft *draft, const char *target, struct arena *arena, const char **asked,
		    const char **path, struct complaint *why)
{
	struct pattern_names names;
	const char *expanded;
	int error = expand_path(&draft->variables, target, true, arena, &expanded, why);

	if (!error && pattern_is_glob(expanded))
		return complain(why, -EINVAL, "a path with a * (name one file)");
	if (!error)
		error = pattern_resolve(expanded, NULL, arena, &names, why);
	if (!error)
		/* cppcheck-suppress uninitStructMember; set where there is no error */
		*path = names.resolved;
	if (!error)
		*asked = expanded;
	return error;
}

static int ask_abstract(struct question *question, const char *name, struct complaint *why)
{
	struct sockaddr_un *address = (struct sockaddr_un *)(void *)&question->address;
	size_t length = strlen(name);

	if (strchr(name, '*'))
		return complain(why, -EINVAL, "a name with a * (name one socket)");
	address->sun_family = AF_UNIX;
	memcpy(address->sun_path + 1, name, length); /* destination_parse saw to its length */
	question->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + length);
	return 0;
}

static int ask_internet(struct question *question, const struct destination *destination, struct complaint *why)
{
	const struct net_prefix *prefix = &destination->prefix;
	struct sockaddr_in *four = (struct sockaddr_in *)(void *)&question->address;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)(void *)&question->address;

	if (prefix->any_family || prefix->bits != (prefix->family == AF_INET ? 32 : 128) ||
	    prefix->ports.first != prefix->ports.last)
		return complain(why, -EINVAL, "more than one address or port (name one, such as 127.0.0.1:8080)");
	question->transport = prefix->tcp ? NET_TCP : NET_UDP;
	if (prefix->family == AF_INET) {
		four->sin_family = AF_INET;
		four->sin_port = htons(prefix->ports.first);
		memcpy(&four->sin_addr, &prefix->address, sizeof(four->sin_addr));
		question->length = sizeof(*four);
	} else {
		six->sin6_family = AF_INET6;
		six->sin6_port = htons(prefix->ports.first);
		six->sin6_addr = prefix->address;
		question->length = sizeof(*six);
	}
	return 0;
}

/* A host's name stands for the first of its addresses. */
static int ask_host(struct question *question, struct destination *destination, struct arena *arena,
		    struct complaint *why)
{
	struct host_name host = {.name = destination->host};
	int error = host_look_up(&host, arena);

	if (error < 0)
		return error;
	if (!host.count)
		return complain(why, -EINVAL, "the host \"%s\" is not known (name an address)", destination->host);
	destination->prefix.family = host.addresses[0].family;
	destination->prefix.address = host.addresses[0].address;
	destination->prefix.bits = host.addresses[0].family == AF_INET ? 32 : 128;
	return ask_internet(question, destination, why);
}

static int ask_destination(const struct draft *draft, struct question *question, const char *target,
			   struct arena *arena, struct complaint *why)
{
	struct destination destination;
	/* As for bind: here 0.0.0.0 is no slip but a question. */
	int error = destination_parse(target, true, &destination, why);

	if (error)
		return error;
	switch (destination.kind) {
	case DESTINATION_INTERNET:
		return ask_internet(question, &destination, why);
	case DESTINATION_HOST:
		return ask_host(question, &destination, arena, why);
	case DESTINATION_UNIX_PATH:
		if (question->use == NET_BIND) /* which makes a file */
			question->access = ACCESS_WRITE;
		return ask_path(draft, destination.name, arena, &question->asked, &question->path, why);
	case DESTINATION_UNIX_ABSTRACT:
		return ask_abstract(question, destination.name, why);
	case DESTINATION_EVERYTHING:
	case DESTINATION_UNIX_ANY:
		break;
	}
	return complain(why, -EINVAL, "more than one destination (name one, such as 127.0.0.1:8080)");
}

static int ask(const struct draft *draft, const char *access, const char *target, struct question *question,
	       struct arena *arena, struct complaint *why)
{
	size_t at = 0, count = sizeof(accesses) / sizeof(*accesses);
	int error;

	while (at < count && strcmp(accesses[at].word, access) != 0)
		at++;
	if (at == count)
		return complain(why, -EINVAL, "unknown access \"%s\" (read, write, exec, look, connect or bind)",
				access);
	*question = (struct question){
		.word = access, .access = accesses[at].access, .use = accesses[at].use, .target = target};
	if (!question->access)
		error = ask_destination(draft, question, target, arena, why);
	else
		error = ask_path(draft, target, arena, &question->asked, &question->path, why);
	if (error == -EINVAL || error == -ENOENT) {
		struct complaint inner = *why;

		return complain(why, -EINVAL, "%s \"%s\": %s", access, target, inner.text);
	}
	if (!error && accesses[at].access)
		question->target = question->path;
	return error;
}

/* Is it refused under every policy? What is at the name now is looked at, as it would be then. */
static bool is_refused_always(const struct question *question)
{
	bool process = !strncmp(question->path, "/proc/", 6), own = !strncmp(question->path, "/proc/self", 10);
	struct stat st;

	if (!(question->access & (ACCESS_READ | ACCESS_WRITE)))
		return false;
	if (always_machine(question->path, strlen(question->path), question->access))
		return true;
	return (process && !own && question->access & ACCESS_WRITE) ||
	       (stat(question->path, &st) == 0 && S_ISBLK(st.st_mode));
}

static struct verdict decide(const struct image *image, const struct question *question)
{
	if (question->access)
		return decide_path(image, question->path, strlen(question->path), question->access);
	if (question->path)
		return decide_unix_path(image, question->use, question->path, strlen(question->path));
	return decide_address(image, question->use, question->transport, (const struct sockaddr *)&question->address,
			      question->length);
}

/* ---- the links on the way ---- */

struct links_asked {
	const struct image *image;
	const struct question *question;
	struct arena *arena;
	const char *refused; /* the link */
};

static long read_link(void *context, const char *link, char *target, size_t size)
{
	(void)context;
	return readlink(link, target, size);
}

static bool ask_link(void *context, const char *link, size_t length)
{
	struct links_asked *asked = context;

	if (decide_link(asked->image, link, length, asked->question->access).allowed)
		return true;
	asked->refused = arena_text(asked->arena, link);
	return false;
}

/* What is allowed by its own name, but not by that of a link on the way: then that is what is explained. */
static int follow_links(const struct image *image, struct question *question, struct arena *arena)
{
	struct links_asked asked = {image, question, arena, NULL};
	struct links links = {read_link, ask_link, &asked};
	cleanup_free char *room = malloc(LINKS_ROOM);

	if (!room)
		return -ENOMEM;
	if (!question->access || question->use == NET_BIND || !decide(image, question).allowed ||
	    links_of(&links, room, "/", question->asked, question->path))
		return 0;
	if (!asked.refused)
		return -ENOMEM;
	question->path = question->target = asked.refused;
	return 0;
}

static char *allow_with(const struct image *image, const struct question *question, struct verdict verdict)
{
	if (question->access)
		return allow_with_path(image, verdict, question->access, question->path);
	if (question->path)
		return allow_with_unix_path(image, verdict, question->use, question->path);
	return allow_with_address(image, verdict, question->use, question->transport,
				  (const struct sockaddr *)&question->address, question->length);
}

/* The draft's index of an image's rule that was built without those of `skip`. */
static size_t draft_index(const bool *skip, uint32_t rule)
{
	size_t index = 0;

	for (;; index++)
		if (!skip[index] && !rule--)
			return index;
}

/* The rules that decide once `answer->rule` is gone, and so on. */
static int find_beaten(const struct draft *draft, const struct question *question, struct answer *answer)
{
	cleanup_free bool *skip = calloc(draft->count + 1, sizeof(*skip));
	size_t winner = answer->rule;

	if (!skip)
		return -ENOMEM;
	while (winner != SIZE_MAX) {
		cleanup_free struct image *image = NULL;
		struct verdict verdict;
		size_t length, culprit;
		int error;

		skip[winner] = true;
		error = draft_build(draft, skip, &image, &length, &culprit);
		if (error)
			return error;
		verdict = decide(image, question);
		if (verdict.rule == RULE_DEFAULT)
			return 0;
		if (answer->beaten_count == BEATEN_MAX) {
			answer->more = true;
			return 0;
		}
		winner = draft_index(skip, verdict.rule);
		answer->beaten[answer->beaten_count++] = winner;
	}
	return 0;
}

/* What becomes of it: on_violation = "audit" lets happen what it records. */
static const char *outcome(const struct draft *draft, const struct answer *answer)
{
	if (answer->verdict.allowed)
		return "allowed";
	bool kept = answer->rule != SIZE_MAX && draft->rules[answer->rule].rule.key == RULE_RESULT;

	if (answer->always || kept)
		return "denied";
	return draft->on_violation == ON_VIOLATION_AUDIT ? "audited" : "denied";
}

/* The kernel's own word; verdicts know only these. */
static const char *error_name(int error)
{
	return error == ENOENT ? "ENOENT" : error == EPERM ? "EPERM" : "EACCES";
}

static int print_rule(const struct draft_rule *rule, FILE *to)
{
	int error = fprintf(to, "    %s \"", rule_key_name(rule->rule.key)) < 0 ? -EIO : 0;

	if (error >= 0)
		error = show_text(to, rule->rule.value);
	fputc('"', to);
	if (error >= 0 && strcmp(rule->rule.value, rule->rule.target) != 0) {
		fputs(" -> ", to);
		error = show_text(to, rule->rule.target);
	}
	fputs(", ", to);
	if (error >= 0)
		error = show_text(to, rule->rule.source);
	fputc('\n', to);
	return error < 0 ? error : 0;
}

static int print_answer(const struct draft *draft, const struct question *question, const struct answer *answer,
			FILE *to)
{
	const char *out = outcome(draft, answer);
	int error;

	fprintf(to, "%s ", question->word);
	error = show_text(to, question->target);
	if (answer->verdict.allowed)
		fprintf(to, ": %s\n", out);
	else if (*out == 'a' && !answer->always)
		fputs(": recorded and allowed, since on_violation is audit\n", to);
	else
		fprintf(to, ": %s (%s)\n", out, error_name(answer->verdict.error));
	if (answer->always)
		fputs("  as under every policy\n", to);
	else if (answer->rule == SIZE_MAX)
		fputs("  by default: no rule says anything of it\n", to);
	else
		fputs("  by\n", to);
	if (error >= 0 && answer->rule != SIZE_MAX)
		error = print_rule(&draft->rules[answer->rule], to);
	if (answer->beaten_count)
		fputs("  which beat\n", to);
	for (size_t i = 0; i < answer->beaten_count && error >= 0; i++)
		error = print_rule(&draft->rules[answer->beaten[i]], to);
	if (answer->more)
		fputs("    and more\n", to);
	if (error >= 0 && answer->allow_with) {
		fputs("  to allow it: ", to);
		error = show_text(to, answer->allow_with);
		fputc('\n', to);
	} else if (error >= 0 && !answer->verdict.allowed) {
		fputs("  no option allows it\n", to);
	}
	if (answer->spares_command)
		fputs("  as the command of a run it may run: this is about what that runs in turn\n", to);
	return error < 0 ? error : 0;
}

/* As in a result. */
static json_t *json_default(const struct answer *answer)
{
	return json_pack("{s:s?, s:s, s:n, s:n}", "source", answer->always ? "built in" : NULL, "key",
			 answer->always ? "always" : "default", "value", "target");
}

static int json_answer(const struct draft *draft, const struct question *question, const struct answer *answer,
		       FILE *to)
{
	json_t *object, *beaten = json_array();

	for (size_t i = 0; beaten && i < answer->beaten_count; i++)
		if (json_array_append_new(beaten, show_json_rule(&draft->rules[answer->beaten[i]]))) {
			json_decref(beaten);
			beaten = NULL;
		}
	object = json_pack(
		"{s:s, s:s, s:s?, s:o, s:o, s:b}", "access", question->word, "verdict", outcome(draft, answer), "errno",
		answer->verdict.allowed ? NULL : error_name(answer->verdict.error), "rule",
		answer->rule == SIZE_MAX ? json_default(answer) : show_json_rule(&draft->rules[answer->rule]), "beaten",
		beaten, "spares_command", answer->spares_command);
	if (object && (show_json_text(object, "target", question->target) ||
		       show_json_text(object, "allow_with", answer->allow_with))) {
		json_decref(object);
		object = NULL;
	}
	return show_json_write(object, to);
}

/* What the policy says, and which rules. */
static int find_answer(const struct policy *policy, const struct question *question, struct answer *answer)
{
	answer->verdict = decide(policy->image, question);
	/* The policy's image has all rules of the draft, in its order. */
	answer->rule = answer->verdict.rule == RULE_DEFAULT ? SIZE_MAX : answer->verdict.rule;
	answer->allow_with = allow_with(policy->image, question, answer->verdict);
	answer->spares_command = question->access == ACCESS_EXEC && !answer->verdict.allowed &&
				 policy->draft->on_violation != ON_VIOLATION_AUDIT &&
				 decide_spares_command(policy->image, answer->verdict);
	return find_beaten(policy->draft, question, answer);
}

static int answer_question(const struct policy *policy, const struct question *question, FILE *to, bool json)
{
	struct answer answer = {.rule = SIZE_MAX};
	int error = 0;

	if (question->access && is_refused_always(question)) {
		answer.always = true;
		answer.verdict = (struct verdict){.allowed = false, .error = EPERM, .rule = RULE_DEFAULT};
	} else {
		error = find_answer(policy, question, &answer);
	}
	if (!error)
		error = json ? json_answer(policy->draft, question, &answer, to)
			     : print_answer(policy->draft, question, &answer, to);
	free(answer.allow_with);
	if (!error && (fflush(to) || ferror(to)))
		error = -EIO;
	if (error)
		return error;
	return strcmp(outcome(policy->draft, &answer), "denied") == 0;
}

int policy_explain(const struct policy *policy, const char *access, const char *target, FILE *to, bool json, char **why)
{
	struct arena *arena = arena_new();
	struct complaint complaint = {""};
	struct question question;
	int error = arena ? ask(policy->draft, access, target, &question, arena, &complaint) : -ENOMEM;

	*why = error == -EINVAL ? strdup(complaint.text) : NULL;
	if (!error)
		error = follow_links(policy->image, &question, arena);
	if (!error)
		error = answer_question(policy, &question, to, json);
	arena_free(arena);
	return error;
}
