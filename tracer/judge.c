/* SPDX-License-Identifier: MIT */
/*
 * judge.c - see judge.h: what holds for every call, and names of files.
 *
 * The order within a name is always the same: what the kernel itself would
 * refuse (no such file, it exists already) is answered as the kernel would, and no violation; then what is refused to every
 * tool; then the policy; and when that refuses, the mode bits are asked, since a file that could not have been
 * opened anyway is no violation either. Only what is hidden comes before all: judge_hidden.c.
 */
#include "judge.h"

#include "always.h"
#include "early.h"
#include "floor.h"
#include "ordinary.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

void judge_answer(struct judgement *judgement, int64_t value)
{
	judgement->outcome = OUTCOME_ANSWER;
	judgement->value = value;
}

void judge_always(struct judgement *judgement, enum violation_kind kind, int error, const char *format, ...)
{
	va_list args;

	judgement->outcome = OUTCOME_REFUSE;
	judgement->refusal.kind = kind;
	judgement->refusal.error = error;
	judgement->refusal.rule = RULE_ALWAYS;
	va_start(args, format);
	vsnprintf(judgement->refusal.target, sizeof judgement->refusal.target, format, args);
	va_end(args);
}

bool judge_audits(const struct guard *guard, struct judgement *judgement)
{
	struct refusal *refusal = &judgement->refusal;

	/* not what is refused to every tool, or to this plugin, nor the result */
	if (guard->on_violation != ON_VIOLATION_AUDIT || refusal->rule == RULE_ALWAYS || refusal->image != 0 ||
	    decide_is_final(guard->policies[0]->image, refusal->rule) || judgement->audited_count == AUDITED_MOST)
		return false;
	memcpy(&judgement->audited[judgement->audited_count++], refusal,
	       offsetof(struct refusal, target) + strlen(refusal->target) + 1);
	memset(refusal, 0, offsetof(struct refusal, target));
	judgement->outcome = OUTCOME_PASS;
	return true;
}

enum violation_kind judge_kind(unsigned access)
{
	if (access & ACCESS_EXEC)
		return VIOLATION_PROCESS_EXEC;
	return access & ACCESS_WRITE ? VIOLATION_FILE_WRITE : VIOLATION_FILE_READ;
}

void judge_refuses(struct judgement *judgement, struct verdict verdict, unsigned image, unsigned access,
		   const char *target, size_t length)
{
	struct refusal *refusal = &judgement->refusal;

	judgement->outcome = OUTCOME_REFUSE;
	refusal->kind = judge_kind(access);
	refusal->error = verdict.error;
	refusal->rule = verdict.rule;
	refusal->image = image;
	refusal->access = access;
	memcpy(refusal->target, target, length);
	refusal->target[length] = 0;
}

bool judge_path(struct guard *guard, struct judgement *judgement, const struct resolved *at, unsigned access)
{
	for (unsigned i = guard->policy_from; i < guard_policy_end(guard); i++) {
		struct verdict verdict = decide_path(guard->policies[i]->image, at->judged, at->judged_length, access);
		if (verdict.allowed)
			continue;
		judge_refuses(judgement, verdict, i, access, at->judged, at->judged_length);
		return false;
	}
	return true;
}

bool judge_stand(struct guard *guard, struct judgement *judgement, const struct resolved *at, mode_t type)
{
	if (type == 0 || type == S_IFDIR)
		return true;
	for (unsigned i = guard->policy_from; i < guard_policy_end(guard); i++) {
		struct verdict verdict =
			decide_stand(guard->policies[i]->image, at->judged, at->judged_length, type == S_IFLNK);
		if (verdict.allowed)
			continue;
		judge_refuses(judgement, verdict, i, ACCESS_WRITE, at->judged, at->judged_length);
		judgement->refusal.access = 0; /* no access that an option could give */
		return false;
	}
	return true;
}

bool judge_writable(const struct guard *guard, const char *name)
{
	for (unsigned i = 0; i < guard->policy_count; i++)
		if (!decide_path(guard->policies[i]->image, name, strlen(name), ACCESS_WRITE).allowed)
			return guard->on_violation == ON_VIOLATION_AUDIT;
	return true;
}

/* ---- names -------------------------------------------------------------- */

/* Of what is hidden such a failure would tell that it is there. */
static int failure_of(const struct guard *guard, const struct request *request, const struct name_arg *name,
		      unsigned access)
{
	for (int i = 0; i < REQUEST_NAMES; i++)
		if (request->names[i].arg >= 0 && judge_hidden(guard, &request->names[i].at))
			return 0;
	return ordinary_failure(request, name, access);
}

/* What every program is made to load. */
static bool is_shim(const struct guard *guard, const struct resolved *at)
{
	return at->exists && guard->shim_ino != 0 && at->held.st_ino == guard->shim_ino &&
	       at->held.st_dev == guard->shim_dev;
}

/* One access to one resolved name, at which what `made` says is to be made (S_IFMT bits; 0: nothing), by the policy alone. */
static bool judge_by_policy(struct guard *guard, const struct request *request, struct judgement *judgement,
			    const struct name_arg *name, unsigned access, mode_t made)
{
	if (name->at.nameless && !name->at.deleted && !(access & ACCESS_EXEC))
		return true; /* what the tool holds already, and nobody can name */
	if (is_shim(guard, &name->at) && !(access & ~(unsigned)(ACCESS_READ | ACCESS_LOOK)))
		return true;
	if (judge_path(guard, judgement, &name->at, access) && judge_links(guard, judgement, name, access) &&
	    (!(access & ACCESS_WRITE) || (judge_stand(guard, judgement, &name->at, name->at.type) &&
					  judge_stand(guard, judgement, &name->at, made))))
		return true;
	int failure = access == ACCESS_LOOK || judgement->refusal.error == ENOENT
			      ? 0
			      : failure_of(guard, request, name, access);
	if (failure == 0)
		return judge_audits(guard, judgement);
	judge_answer(judgement, failure);
	return false;
}

/* The same by all there is. True: allowed. */
static bool judge_made(struct guard *guard, const struct request *request, struct judgement *judgement,
		       const struct name_arg *name, unsigned access, mode_t made)
{
	if (name->at.ended && (access & ACCESS_WRITE)) { /* no effect, and its number may be a stranger's by then */
		judge_answer(judgement, -ESRCH);
		return false;
	}
	return !judge_refused_always(request, judgement, &name->at, access) &&
	       !judge_terminal(guard, request, judgement, name, access) &&
	       judge_by_policy(guard, request, judgement, name, access, made);
}

static bool judge_name(struct guard *guard, const struct request *request, struct judgement *judgement,
		       const struct name_arg *name, unsigned access)
{
	return judge_made(guard, request, judgement, name, access, 0);
}

/* Memory that is written through /proc/PID/mem changes without its task running. */
static void note_memory_open(struct guard *guard, struct request *request)
{
	(void)guard;
	tracee_restless(request->task);
}

/* It tells what the process may run on (proc(5)). */
static void note_status_open(struct guard *guard, struct request *request)
{
	int pid;

	if (sscanf(request->names[0].at.name, "/proc/%d", &pid) != 1)
		return;
	struct task *task = tracee_find(&guard->tracees, pid);
	if (task && !task->process->shown) {
		task->process->shown = true;
		guard->tracees.shown++;
	}
}

static void judge_open(struct guard *guard, struct request *request, struct judgement *judgement)
{
	struct name_arg *name = &request->names[0];
	uint64_t flags = request->how.flags;
	unsigned access = name->access;

	if (!name->at.exists) {
		if (!(flags & O_CREAT)) {
			judge_answer(judgement, -ENOENT);
			return;
		}
		access |= ACCESS_WRITE;
	} else if ((flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL) && !(flags & O_PATH)) {
		if (!judge_hidden(guard, &name->at)) {
			judge_answer(judgement, -EEXIST);
			return;
		}
		access |= ACCESS_WRITE;
	}
	if (!judge_made(guard, request, judgement, name, access, name->at.exists ? 0 : S_IFREG))
		return;
	if ((access & ACCESS_WRITE) && name->at.own_proc && judge_ends_in(&name->at, "/mem"))
		judgement->then = note_memory_open;
	else if (name->at.run_proc && judge_ends_in(&name->at, "/status"))
		judgement->then = note_status_open;
	else if (access & (ACCESS_READ | ACCESS_WRITE))
		judge_open_terminal(guard, request, judgement);
	judgement->moves_names |= name->at.ended; /* it is awaited, and looked at again (act.c) */
}

/* A new name for something. What is there already is the kernel's to complain about, unless nobody may know. */
static bool judge_new_name(struct guard *guard, const struct request *request, struct judgement *judgement,
			   const struct name_arg *name, mode_t type)
{
	if (name->at.exists && !judge_hidden(guard, &name->at)) {
		judge_answer(judgement, -EEXIST);
		return false;
	}
	return judge_made(guard, request, judgement, name, ACCESS_WRITE, type);
}

/* mknod(2) makes no directories; what kinds of files it makes is all one here. */
static mode_t made_type(const struct request *request)
{
	return request->stop.number == SYS_mkdir || request->stop.number == SYS_mkdirat ? S_IFDIR : S_IFREG;
}

static bool is_link(const struct name_arg *name)
{
	return name->at.exists && name->at.type == S_IFLNK;
}

/* A unix socket is judged by who made it, so where it lies matters as well. */
static bool is_socket(const struct name_arg *name)
{
	return name->at.exists && name->at.type == S_IFSOCK;
}

static bool is_directory(const struct name_arg *name)
{
	return name->at.exists && name->at.type == S_IFDIR;
}

/* A socket that others listen on, or a directory, where such may be, does not come to a name that may be connected to. */
static bool reaches_socket(struct guard *guard, const struct image *image, const struct name_arg *from,
			   const struct name_arg *to)
{
	bool directory = is_directory(from);

	return (directory || (is_socket(from) && !owned_has_socket(&guard->tracees.owned, from->at.fd))) &&
	       decide_move_reaches(image, from->at.judged, from->at.judged_length, to->at.judged, to->at.judged_length,
				   directory);
}

/* May what `from` names come to be called `to`? */
static bool judge_move(struct guard *guard, const struct request *request, struct judgement *judgement,
		       const struct name_arg *from, const struct name_arg *to)
{
	for (unsigned i = guard->policy_from; i < guard_policy_end(guard); i++) {
		struct verdict verdict = decide_move(guard->policies[i]->image, from->at.judged, from->at.judged_length,
						     to->at.judged, to->at.judged_length, is_directory(from));
		if (verdict.allowed && reaches_socket(guard, guard->policies[i]->image, from, to))
			verdict = (struct verdict){.error = EACCES, .rule = RULE_DEFAULT};
		if (verdict.allowed)
			continue;
		judgement->outcome = OUTCOME_REFUSE;
		judgement->refusal.kind = VIOLATION_FILE_WRITE;
		judgement->refusal.error = verdict.error;
		judgement->refusal.rule = verdict.rule;
		judgement->refusal.image = i;
		judgement->refusal.move = true;
		snprintf(judgement->refusal.target, sizeof judgement->refusal.target, "%s -> %s", from->at.judged,
			 to->at.judged);
		int failure = failure_of(guard, request, from, ACCESS_WRITE);
		if (failure < 0)
			judge_answer(judgement, failure);
		if (failure < 0 || !judge_audits(guard, judgement))
			return false;
	}
	return true;
}

/* Level gate: may what is moved come to lie where that other name is? */
static bool may_enter(const struct guard *guard, const struct name_arg *moved, const struct name_arg *to)
{
	char parent[PATH_MAX];
	const char *slash = strrchr(to->at.name, '/');

	if (!is_directory(moved))
		return true; /* devices themselves are not moved */
	snprintf(parent, sizeof parent, "%.*s/", slash ? (int)(slash - to->at.name) : 0, to->at.name);
	int into = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
	bool may = gate_admits(&guard->gate, moved->at.fd, into, to->at.name);
	if (into >= 0)
		close(into);
	return may;
}

static void judge_rename(struct guard *guard, struct request *request, struct judgement *judgement)
{
	struct name_arg *from = &request->names[0], *to = &request->names[1];
	bool exchange = request->flags & RENAME_EXCHANGE;

	if (exchange && !to->at.exists) {
		judge_answer(judgement, -ENOENT);
		return;
	}
	/* whatever is there now: a file could be a directory by the time it is moved (mkdir waits for nobody) */
	judgement->moves_names = true;
	if (!judge_made(guard, request, judgement, from, ACCESS_WRITE, exchange ? to->at.type : 0) ||
	    !judge_made(guard, request, judgement, to, ACCESS_WRITE, from->at.type) ||
	    !judge_move(guard, request, judgement, from, to) ||
	    (exchange && !judge_move(guard, request, judgement, to, from)) || judge_leads_to_machine(judgement, from) ||
	    (exchange && judge_leads_to_machine(judgement, to)))
		return;
	if (!may_enter(guard, from, to) || (exchange && !may_enter(guard, to, from)))
		judge_answer(judgement, -EXDEV); /* then programs copy, which no device survives */
}

static void judge_link(struct guard *guard, struct request *request, struct judgement *judgement)
{
	struct name_arg *from = &request->names[0], *to = &request->names[1];

	judgement->moves_names = is_link(from) || is_socket(from);
	if (!judge_name(guard, request, judgement, from, ACCESS_LOOK))
		return;
	if (judge_machine_object(&from->at))
		judge_always(judgement, VIOLATION_PRIVILEGE, EPERM, "%s", from->at.name);
	else if (judge_new_name(guard, request, judgement, to, from->at.type) &&
		 (!from->at.nameless || from->at.deleted))
		judge_move(guard, request, judgement, from, to);
}

/* Where a stranger has its files is no more told than the way there is gone, unless the policy lets the tool know; and what the kernel
 * does not tell the user either is no violation. */
static void judge_readlink(struct guard *guard, const struct request *request, struct judgement *judgement,
			   const struct name_arg *name)
{
	char text[PATH_MAX];

	if (!name->at.exists)
		judge_answer(judgement, -ENOENT);
	else if (!judge_name(guard, request, judgement, name, name->access) || !is_link(name))
		return;
	else if (name->at.ended) /* its links lead nowhere any more */
		judge_answer(judgement, -ENOENT);
	else if (!always_stranger(name->at.judged, name->at.judged_length) || floor_tells_of_strangers(guard))
		return;
	else if (readlinkat(name->at.fd, "", text, sizeof text) < 0)
		judge_answer(judgement, -errno);
	else
		judge_always(judgement, VIOLATION_FILE_READ, EACCES, "%s", name->at.name);
}

/* Is it the value of an attribute that the kernel gives to those only who may read the file (xattr(7))? */
static bool reads_contents(const struct request *request)
{
	int size = call_arg_index(request->call, ARG_VALUE_SIZE, 0);

	return strncmp(request->attribute, "user.", sizeof "user." - 1) == 0 &&
	       (size < 0 || request->stop.args[size] != 0);
}

static void judge_value(struct guard *guard, const struct request *request, struct judgement *judgement,
			const struct name_arg *name)
{
	if (!name->at.exists)
		judge_answer(judgement, -ENOENT);
	else if (!judge_name(guard, request, judgement, name, name->access))
		return;
	else if (request->attribute_error < 0)
		judge_answer(judgement, request->attribute_error);
	else if (reads_contents(request)) /* what is refused to every tool has no such attributes */
		judge_by_policy(guard, request, judgement, name, ACCESS_READ, 0);
}

static void judge_existing(struct guard *guard, const struct request *request, struct judgement *judgement,
			   const struct name_arg *name)
{
	if (!name->at.exists)
		judge_answer(judgement, -ENOENT);
	else
		judge_name(guard, request, judgement, name, name->access);
}

/* Is something there already where the call wants to make a name, so that the kernel says EEXIST? */
static bool is_in_the_way(const struct request *request, int i)
{
	enum call_op op = (enum call_op)request->call->op;
	bool makes = op == OP_CREATE || op == OP_SYMLINK || (op == OP_LINK && i == 1);

	return makes && request->names[i].at.exists;
}

/* Asked first, since after any other refusal audit goes on; else only of a directory that is removed: the rest the rules say. */
static bool keeps_result(const struct guard *guard, const struct request *request, struct judgement *judgement)
{
	bool removes = request->call->op == OP_REMOVE, audit = guard->on_violation == ON_VIOLATION_AUDIT;

	for (int i = 0; (removes || audit) && i < REQUEST_NAMES; i++) {
		const struct name_arg *name = &request->names[i];
		bool makes = request->call->op == OP_OPEN && (request->how.flags & O_CREAT) && !name->at.exists;
		if (name->arg < 0 || !((name->access & ACCESS_WRITE) || makes) || is_in_the_way(request, i))
			continue;
		struct verdict verdict = decide_result(guard->policies[0]->image, name->at.judged,
						       name->at.judged_length, name->makes && is_directory(name));
		if (verdict.allowed)
			continue;
		judge_refuses(judgement, verdict, 0, ACCESS_WRITE, name->at.judged, name->at.judged_length);
		return true;
	}
	return false;
}

void judge_files(struct guard *guard, struct request *request, struct judgement *judgement)
{
	struct name_arg *name = &request->names[0];
	int error = judge_names(guard, request);

	if (error < 0) {
		judge_answer(judgement, error);
		return;
	}
	judgement->names = true;
	if (keeps_result(guard, request, judgement))
		return;
	switch (request->call->op) {
	case OP_OPEN:
		judge_open(guard, request, judgement);
		break;
	case OP_CREATE:
		judge_new_name(guard, request, judgement, name, made_type(request));
		break;
	case OP_SYMLINK:
		judgement->moves_names = true;
		judge_new_name(guard, request, judgement, name, S_IFLNK);
		break;
	case OP_REMOVE:
		judgement->moves_names = is_link(name);
		judge_existing(guard, request, judgement, name);
		break;
	case OP_RENAME:
		judge_rename(guard, request, judgement);
		break;
	case OP_LINK:
		judge_link(guard, request, judgement);
		break;
	case OP_VALUE:
		judge_value(guard, request, judgement, name);
		break;
	case OP_READLINK:
		judge_readlink(guard, request, judgement, name);
		break;
	default: /* LOOK, CHANGE, CHANGE_FD, CHDIR, WATCH */
		judge_existing(guard, request, judgement, name);
		break;
	}
}

/* ---- every call --------------------------------------------------------- */

/* A call that no tool gets. */
static void judge_refused(const struct call *call, struct judgement *judgement)
{
	if (call->op == OP_REFUSE_IFACE)
		judge_always(judgement, VIOLATION_INTERFACE, ENOSYS, "%s", call->name);
	else
		judge_always(judgement, call->op == OP_REFUSE_PROC ? VIOLATION_PROCESS_CONTROL : VIOLATION_PRIVILEGE,
			     EPERM, "%s", call->name);
}

static void judge_listed(struct guard *guard, struct request *request, struct judgement *judgement)
{
	switch ((enum call_op)request->call->op) {
	case OP_REFUSE:
	case OP_REFUSE_IFACE:
	case OP_REFUSE_PROC:
		judge_refused(request->call, judgement);
		break;
	case OP_OPEN:
	case OP_LOOK:
	case OP_VALUE:
	case OP_READLINK:
	case OP_CREATE:
	case OP_SYMLINK:
	case OP_REMOVE:
	case OP_RENAME:
	case OP_LINK:
	case OP_CHANGE:
	case OP_CHANGE_FD:
	case OP_CHDIR:
	case OP_WATCH:
		judge_files(guard, request, judgement);
		break;
	case OP_EXEC:
		judge_exec(guard, request, judgement);
		break;
	case OP_SOCKET:
	case OP_CONNECT:
	case OP_BIND:
	case OP_LISTEN:
	case OP_SENDMSG:
	case OP_SENDMMSG:
	case OP_SOCKOPT:
		judge_network(guard, request, judgement);
		break;
	case OP_SIGNAL:
	case OP_PROCESS:
	case OP_IPC:
		judge_processes(guard, request, judgement);
		break;
	case OP_CLONE:
	case OP_CLONE3:
	case OP_PRCTL:
	case OP_IOCTL:
	case OP_FCNTL:
	case OP_SECCOMP:
	case OP_MEMORY:
	case OP_DESCRIPTOR:
	case OP_ASYNC:
		judge_registers(guard, request, judgement);
		break;
	case OP_CONFINE:
	case OP_FORK: /* counted before they are judged: limit.h */
	case OP_ALLOCATE:
	case OP_CREDENTIALS: /* the kernel judges these; what could be gained by them was dropped */
	case OP_NONE:
	case OP_COUNT:
		break;
	}
}

/*
 * What the kernel complains about before it looks at a name it says first, whatever there is to say of the name. Where the
 * kernel makes the call, only what it does not come to has to be asked for.
 */
static void judge_ours(struct guard *guard, struct request *request, struct judgement *judgement)
{
	if (request->error < 0)
		judge_answer(judgement, request->error);
	else if (!judge_way(guard, request, judgement))
		judge_listed(guard, request, judgement);
	bool passes = judgement->outcome == OUTCOME_PASS;
	/* it is made by the supervisor, or with a name in place of a descriptor that another thread could exchange (act.c) */
	bool retold = guard_by_notification(guard) || (request->names[0].by_fd && !tracee_private_files(request->task));
	bool recorded =
		!passes || judgement->audited_count > 0; /* and then nothing may be wrong that the kernel sees before */
	int early = recorded || retold ? early_error(request) : 0;
	if (early == 0 && recorded)
		early = early_socket(request);
	if (early == 0 && passes && retold)
		early = early_descriptor(request);
	if (early == 0)
		return;
	judgement->audited_count = 0;
	judge_answer(judgement, early);
}

void judge_begin(struct judgement *judgement)
{
	memset(judgement, 0, offsetof(struct judgement, refusal) + offsetof(struct refusal, target));
	judgement->refusal.target[0] = 0;
	judgement->instead = judgement->replace = -1;
}

void judge(struct guard *guard, struct request *request, struct judgement *judgement)
{
	judge_begin(judgement);
	if (request->stop.foreign)
		judge_always(judgement, VIOLATION_INTERFACE, ENOSYS, "32-bit system call %ld", request->stop.number);
	else if (request->stop.x32)
		judge_always(judgement, VIOLATION_INTERFACE, ENOSYS, "x32 system call %ld",
			     request->stop.number & 0xffff);
	else if (request->call->class == CALL_UNLISTED)
		judge_always(judgement, VIOLATION_INTERFACE, ENOSYS, "system call %ld", request->stop.number);
	else
		judge_ours(guard, request, judgement);
}
