/* SPDX-License-Identifier: MIT */
/*
 * judge.h - from a request to what is to be done with it. Nothing is done
 * here: what the call would do is only looked at. Policy decisions are decide.h's; here is which of them a call needs,
 * what is refused to every tool, and which failures are the kernel's own.
 */
#ifndef PICKET_TRACER_JUDGE_H
#define PICKET_TRACER_JUDGE_H

#include "decide.h"
#include "decode.h"
#include "guard.h"

enum outcome {
	OUTCOME_PASS,	/* let it proceed */
	OUTCOME_ANSWER, /* return `value`: it fails as it would without a guard, or needs not be made */
	OUTCOME_REFUSE, /* refuse, and record it */
};

enum { TARGET_SIZE = 2 * (PATH_MAX + NAME_MAX + 2) + 8 };

/* What is refused, and by what. */
struct refusal {
	int error; /* errno, positive */
	enum violation_kind kind;
	uint32_t rule; /* of image `image`; RULE_ALWAYS: whatever the policy says */
	unsigned image;
	unsigned access; /* enum access bits, of a name */
	bool address;	 /* an internet or abstract address was refused, not a name */
	bool unix_path;	 /* a unix socket's name was refused */
	enum net_use use;
	enum net_transport transport;
	bool everywhere;	  /* it names no address, and so takes leave to connect to all */
	bool move;		  /* not an access but a new name was refused; target is "old -> new" */
	char target[TARGET_SIZE]; /* NUL-terminated; the last field, since it is not cleared */
};

/* A script with its interpreters, and their loader, which is the longest chain, has one less. */
enum { AUDITED_MOST = 8 };

struct judgement {
	enum outcome outcome;
	int64_t value; /* OUTCOME_ANSWER */

	/* OUTCOME_PASS */
	bool names;	  /* its arguments must stay as they are until it has used them */
	bool moves_names; /* it changes what other names mean, or its own may meanwhile: nothing else is judged until
					 * it is over */
	bool aside;	  /* by ptrace, too, it is done by the supervisor: perform_aside.h */
	dev_t object_dev; /* what a descriptor was judged as, */
	ino_t object_ino; /* for who takes a copy of it */
	bool again;	  /* it could not be done as judged, since a name has changed, or may have: judge it anew */
	bool executes;	  /* it is an exec; request->task->approved says of what */
	long instead;	  /* another call is made with instead_args; -1: none */
	uint64_t instead_args[CALL_ARG_COUNT];
	int replace;						     /* this argument, or -1, ... */
	uint64_t replacement;					     /* ... is replaced by that value */
	void (*then)(struct guard *guard, struct request *request);  /* before it proceeds; or NULL */
	void (*after)(struct guard *guard, struct request *request); /* with moves_names: when it is over; or NULL */
	int64_t (*note)(struct task *task, int64_t result);	     /* task->on_exit; or NULL */

	unsigned audited_count;
	struct refusal refusal; /* OUTCOME_REFUSE */
	/* Whatever the outcome: what the policy refuses and, since it is only to audit, lets be. In the order they were met; one
	 * call may be about several things, and each is recorded. */
	struct refusal audited[AUDITED_MOST];
};

/* A judgement of nothing yet: it passes. */
void judge_begin(struct judgement *judgement);
void judge(struct guard *guard, struct request *request, struct judgement *judgement);

/* ---- parts of judge(), by what a call is about -------------------------- */

void judge_files(struct guard *guard, struct request *request, struct judgement *judgement);
void judge_exec(struct guard *guard, struct request *request, struct judgement *judgement);
void judge_network(struct guard *guard, struct request *request, struct judgement *judgement);
void judge_processes(struct guard *guard, struct request *request, struct judgement *judgement);
void judge_registers(struct guard *guard, struct request *request, struct judgement *judgement);

/* What asks about the machine's network interfaces by other means than a socket of their own. */
void judge_interfaces(struct guard *guard, struct judgement *judgement);

/* Addresses among the arguments: none below RESERVED_END. */
void judge_memory(const struct request *request, struct judgement *judgement);

/* Is this the terminal of another session? Then it is refused. */
bool judge_terminal(struct guard *guard, const struct request *request, struct judgement *judgement,
		    const struct name_arg *name, unsigned access);
/* One is opened, which may be. By its name it is looked for again, unless the supervisor opens it. */
void judge_open_terminal(struct guard *guard, const struct request *request, struct judgement *judgement);

/* Is that access to it refused, whatever the policy says? Then the judgement says so, unless it would fail for what it is. */
bool judge_refused_always(const struct request *request, struct judgement *judgement, const struct resolved *at,
			  unsigned access);
/* Is it the machine's, by its kind or name? */
bool judge_machine_object(const struct resolved *at);
/* Devices of always.h are known by their names: they get no other ones, nor does a directory that such a name leads through. True: it is
 * refused. */
bool judge_leads_to_machine(struct judgement *judgement, const struct name_arg *name);
bool judge_ends_in(const struct resolved *at, const char *end);

/* ---- what they say ------------------------------------------------------ */

void judge_answer(struct judgement *judgement, int64_t value);
/* What a refusal of this access (enum access bits) is recorded as. */
enum violation_kind judge_kind(unsigned access);
/* Refused by no rule of the policy but always. */
void judge_always(struct judgement *judgement, enum violation_kind kind, int error, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* May the run itself write to the file of this resolved name? Then its contents may change at any time. */
bool judge_writable(const struct guard *guard, const char *name);
/* Is what the policy refuses only to be recorded? True: it is noted, and judging goes on as if it were allowed. Every refusal by a
 * rule comes by here, unless it turns out to be none. */
bool judge_audits(const struct guard *guard, struct judgement *judgement);
/* What is wrong with the names by themselves: 0 or -errno. */
int judge_names(const struct guard *guard, const struct request *request);
/* Is there something that the policy hides? Then nothing may be said of it but that it is not there. */
bool judge_hidden(const struct guard *guard, const struct resolved *at);
/* Do the names lead past such a thing, or is something wrong with them that tells of it? True: it is refused. */
bool judge_way(struct guard *guard, const struct request *request, struct judgement *judgement);
/* Ask every policy of the run about a resolved name; on a refusal fill the judgement (judge_audits is the caller's). True: allowed. */
bool judge_path(struct guard *guard, struct judgement *judgement, const struct resolved *at, unsigned access);
/* The same of the links that the name leads through. */
bool judge_links(struct guard *guard, struct judgement *judgement, const struct name_arg *name, unsigned access);
/* Fill the judgement with a refusal by a rule. `target` has at most TARGET_SIZE - 1 bytes. */
void judge_refuses(struct judgement *judgement, struct verdict verdict, unsigned image, unsigned access,
		   const char *target, size_t length);
/* The same of what is to stand at a name, or is changed or goes from there (decide_stand). `type`: S_IFMT bits; 0 is no object. */
bool judge_stand(struct guard *guard, struct judgement *judgement, const struct resolved *at, mode_t type);

#endif
