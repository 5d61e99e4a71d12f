/* SPDX-License-Identifier: MIT */
/*
 * act.c - see act.h.
 *
 * Between the judgement and the kernel's use of a name two things could change: the arguments, and what the name means.
 *
 * Arguments. They stay when nobody but the stopped task can reach them: its address space is its own, the pages they lie
 * on are anonymous or of a file that the run may not write to, and no other task shares the table or directory that a relative name begins at. Otherwise
 * the call is made with copies in the sealed slots, and relative names are replaced by the resolved one.
 *
 * Names. What could change the meaning of a name (making or moving a symbolic link, moving a directory, or a file that could
 * be one by the time of the move) is itself a call that stops here. Before one proceeds, every other task that was let go with
 * a checked name is brought to the end of its call (transport_settle_names), and if there was one, the names are judged
 * again; and nothing else is judged until it is over (transport_await_end). So a name means in the kernel what it meant here.
 */
#include "act.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include "absent.h"
#include "caller.h"
#include "constant.h"
#include "lineage.h"
#include "mapped.h"
#include "mem.h"
#include "perform_aside.h"
#include "transport.h"

/* ---- can the arguments change? ------------------------------------------ */

/* Nobody can move what the name begins at, nor a link of /proc on its way. */
static bool base_is_fixed(const struct task *task, const struct name_arg *name)
{
	bool absolute = name->text[0] == '/' && !name->by_fd && !name->rooted;

	if (name->by_fd && name->access == ACCESS_LOOK)
		return true; /* whatever descriptor is there, the task holds it: what it is, it may know */
	if (name->at.magic && (name->at.magic_other || !tracee_private_files(task) || !tracee_private_fs(task)))
		return false;
	if (absolute)
		return true;
	return name->dirfd == AT_FDCWD ? tracee_private_fs(task) : tracee_private_files(task);
}

/* After an exec what runs is looked at again, and what it was told as well; so there lent memory will do. */
static bool private_memory(const struct request *request)
{
	return tracee_private_memory(request->task) ||
	       (request->call->op == OP_EXEC && tracee_lent_memory(request->task));
}

/* Is it the task's own program, or its interpreter, of which was found at the exec that nobody in the run can change them? */
static bool is_constant_part(const struct task *task, const struct mapped *file)
{
	const struct program *program = &task->process->program;

	return program->ino != 0 && !program->writable &&
	       ((file->ino == program->ino && file->dev == program->dev) ||
		(file->ino == program->loader_ino && file->dev == program->loader_dev));
}

/* Bytes that nobody but the task can change: in memory of its own, or, such as a constant of a program of the system, in a file
 * that the run may not write to by any name. */
static bool private_range(const struct guard *guard, const struct request *request, uint64_t address, size_t length)
{
	struct mapped file;

	if (!private_memory(request))
		return false;
	int r = mapped_file(request->task, address, length, &file);
	/* not what was written to in the mapping of another file: whoever truncates that takes the copies of its pages away */
	return r == -ENXIO || (r == 0 && (is_constant_part(request->task, &file) ||
					  (!judge_writable(guard, file.name) && constant_file(file.name))));
}

static bool name_is_fixed(const struct guard *guard, const struct request *request, const struct name_arg *name)
{
	return base_is_fixed(request->task, name) &&
	       (name->address == 0 || private_range(guard, request, name->address, name->length + 1));
}

static bool message_is_fixed(const struct guard *guard, const struct request *request)
{
	const struct msghdr *message = &request->message;

	if (message->msg_controllen &&
	    !private_range(guard, request, (uint64_t)(uintptr_t)message->msg_control, message->msg_controllen))
		return false;
	return !request->address.used ||
	       private_range(guard, request, request->address.pointer, request->address.length);
}

/* Length of a struct among the arguments that was judged, or 0. */
static size_t struct_length(const struct request *request, int i)
{
	switch (request->call->args[i].kind) {
	case ARG_OPEN_HOW:
		return request->how_size;
	case ARG_CLONE_ARGS:
		return request->clone_size;
	case ARG_SOCKADDR:
		return request->address.used ? request->address.length : 0;
	case ARG_MSGHDR:
		return sizeof(struct msghdr);
	case ARG_ATTRIBUTE: /* which one it is that is set or removed does not matter */
		return request->call->op == OP_VALUE ? strlen(request->attribute) + 1 : 0;
	default:
		return 0;
	}
}

bool act_arguments_fixed(const struct guard *guard, const struct request *request)
{
	if (request->call->op == OP_SENDMMSG)
		return false; /* there may be more messages than the one that was looked at */
	if (request->address.pinned)
		return false;
	for (int i = 0; i < REQUEST_NAMES; i++)
		if (request->names[i].arg >= 0 && !name_is_fixed(guard, request, &request->names[i]))
			return false;
	for (int i = 0; i < CALL_ARGS; i++) {
		size_t length = struct_length(request, i);
		if (length && !private_range(guard, request, request->stop.args[i], length))
			return false;
	}
	return request->call->op != OP_SENDMSG || message_is_fixed(guard, request);
}

/* ---- making them so ----------------------------------------------------- */

/* A call that is made with copies. */
struct sealed {
	struct guard *guard;
	const struct request *request;
	long number;
	uint64_t args[CALL_ARG_COUNT];
	size_t used; /* bytes of the slot */
	int error;   /* -errno: it cannot be made so */
};

static uint64_t put(struct sealed *sealed, const void *bytes, size_t length)
{
	size_t at = (sealed->used + 7) & ~(size_t)7;

	if (at + length > slots_room(sealed->request->task->slot)) {
		sealed->error = -ENAMETOOLONG;
		return 0;
	}
	sealed->used = at + length;
	return slots_write(&sealed->guard->slots, sealed->request->task->slot, at, bytes, length);
}

/* What has no name is reached through a descriptor, and another thread could put another one there. A copy of the
 * descriptor gives the same object, and never more than the process has already. */
static void open_by_copy(struct sealed *sealed, const struct name_arg *name)
{
	if (sealed->request->call->op != OP_OPEN || name->at.magic_fd < 0) {
		sealed->error = -EACCES;
		return;
	}
	sealed->number = SYS_fcntl;
	memset(sealed->args, 0, sizeof sealed->args);
	sealed->args[0] = (uint64_t)name->at.magic_fd;
	sealed->args[1] = sealed->request->how.flags & O_CLOEXEC ? F_DUPFD_CLOEXEC : F_DUPFD;
}

/* A call about the object of a descriptor becomes the one that takes its name; which does not follow it if it is a link. */
static void name_the_object(struct sealed *sealed, const struct name_arg *name)
{
	const struct call *call = sealed->request->call;
	int flags = call_arg_index(call, ARG_AT_FLAGS, 0);
	bool link = name->at.type == S_IFLNK;

	if (call->args[name->arg].kind == ARG_OBJECT) {
		call = link ? NULL : call_by_name(call->name + 1); /* fchmod: chmod, and so on */
		if (call)
			sealed->number = call->number;
		else
			sealed->error = -EBADF;
	} else if (link && flags >= 0) {
		sealed->args[flags] |= AT_SYMLINK_NOFOLLOW;
	} else if (link) {
		sealed->error = -EBADF;
	}
}

/* The same text where nobody can change it; or, where it begins at something that can move, the resolved name. */
static void seal_name(struct sealed *sealed, const struct name_arg *name)
{
	char text[PATH_MAX + NAME_MAX + 4];
	size_t length = name->at.length;

	if (base_is_fixed(sealed->request->task, name)) {
		if (name->address != 0)
			sealed->args[name->arg] = put(sealed, name->text, name->length + 1);
		return;
	}
	if (name->at.nameless) {
		open_by_copy(sealed, name);
		return;
	}
	if (length >= PATH_MAX - 1) {
		sealed->error = -ENAMETOOLONG;
		return;
	}
	if (name->by_fd)
		name_the_object(sealed, name);
	memcpy(text, name->at.name, length);
	if (name->at.slash && length > 1)
		text[length++] = '/';
	text[length] = 0;
	sealed->args[name->arg] = put(sealed, text, length + 1);
}

/* A unix socket's name keeps its spelling where it can, since the socket tells it to whoever asks (getsockname). */
static uint64_t seal_address(struct sealed *sealed, uint64_t *length)
{
	const struct address_arg *address = &sealed->request->address;
	const struct name_arg *name = &sealed->request->names[0];
	struct sockaddr_un moved = {.sun_family = AF_UNIX};

	*length = address->length;
	if (name->arg < 0 || base_is_fixed(sealed->request->task, name))
		return put(sealed, address->bytes, address->length);
	if (name->at.length >= sizeof moved.sun_path) {
		sealed->error = -ENAMETOOLONG;
		return 0;
	}
	memcpy(moved.sun_path, name->at.name, name->at.length + 1);
	*length = offsetof(struct sockaddr_un, sun_path) + name->at.length + 1;
	return put(sealed, &moved, *length);
}

static uint64_t seal_message(struct sealed *sealed)
{
	const struct request *request = sealed->request;
	struct msghdr message = request->message;
	uint64_t length = 0;

	message.msg_name = NULL;
	if (request->address.used)
		message.msg_name = (void *)(uintptr_t)seal_address(sealed, &length);
	message.msg_namelen = (socklen_t)length;
	if (message.msg_controllen)
		message.msg_control = (void *)(uintptr_t)put(sealed, request->control, message.msg_controllen);
	return put(sealed, &message, sizeof message);
}

/* The first message alone: sendmmsg may send fewer than it is given, and callers go on with the rest. */
static int64_t first_message_sent(struct task *task, int64_t result)
{
	unsigned sent = (unsigned)result;

	if (result < 0)
		return result;
	mem_write(task->tid, task->note_address + offsetof(struct mmsghdr, msg_len), &sent, sizeof sent);
	return 1;
}

static void seal_messages(struct sealed *sealed, int i)
{
	const struct request *request = sealed->request;

	sealed->number = SYS_sendmsg;
	sealed->args[i] = seal_message(sealed);
	sealed->args[2] = request->stop.args[3];
	request->task->note_address = request->stop.args[i];
	request->task->on_exit = first_message_sent;
}

/* A name that was replaced by the resolved one begins at the real root; what openat2 was to ask of the walk was asked. */
static uint64_t put_how(struct sealed *sealed)
{
	const struct request *request = sealed->request;
	struct open_how how = request->how;

	if (!base_is_fixed(request->task, &request->names[0]))
		how.resolve &= ~(uint64_t)(RESOLVE_BENEATH | RESOLVE_IN_ROOT | RESOLVE_NO_XDEV);
	return put(sealed, &how, request->how_size);
}

static void seal_struct(struct sealed *sealed, int i)
{
	const struct request *request = sealed->request;

	switch (request->call->args[i].kind) {
	case ARG_OPEN_HOW:
		sealed->args[i] = put_how(sealed);
		sealed->args[i + 1] = request->how_size;
		break;
	case ARG_CLONE_ARGS:
		sealed->args[i] = put(sealed, &request->clone, request->clone_size);
		sealed->args[i + 1] = request->clone_size;
		break;
	case ARG_SOCKADDR:
		if (request->address.used)
			sealed->args[i] = seal_address(sealed, &sealed->args[i + 1]);
		break;
	case ARG_ATTRIBUTE:
		if (request->attribute_error == 0)
			sealed->args[i] = put(sealed, request->attribute, strlen(request->attribute) + 1);
		break;
	case ARG_MSGHDR:
		sealed->args[i] = seal_message(sealed);
		break;
	case ARG_MMSGHDR:
		seal_messages(sealed, i);
		break;
	default:
		break;
	}
}

/* Is there a name among the arguments? What it means must not change while the kernel walks it. */
static bool has_name(const struct request *request)
{
	for (int i = 0; i < REQUEST_NAMES; i++)
		if (request->names[i].arg >= 0)
			return true;
	return false;
}

/* At most so many bytes are put into the slot. */
static size_t room_needed(const struct request *request)
{
	enum { ALIGNED = 8 };
	size_t room = sizeof(struct sockaddr_un) + sizeof(struct msghdr) + request->how_size + request->clone_size +
		      6 * ALIGNED;

	for (int i = 0; i < REQUEST_NAMES; i++) {
		const struct name_arg *name = &request->names[i];
		if (name->arg >= 0)
			room += (name->length > name->at.length ? name->length : name->at.length) + sizeof "/" +
				ALIGNED;
	}
	if (call_arg_index(request->call, ARG_ATTRIBUTE, 0) >= 0)
		room += sizeof request->attribute + ALIGNED;
	if (request->address.used)
		room += request->address.length;
	if (request->call->op == OP_SENDMSG || request->call->op == OP_SENDMMSG)
		room += request->message.msg_controllen;
	return room;
}

/* True: the call is made, and not failed, or put off until the slots are mapped. */
static bool proceed_sealed(struct guard *guard, struct request *request)
{
	struct task *task = request->task;
	struct sealed sealed = {.guard = guard, .request = request, .number = request->stop.number};

	if (!task->memory->slots_mapped) {
		transport_map_slots(guard, task);
		return false;
	}
	task->slot = slots_take_for(&guard->slots, room_needed(request));
	if (task->slot < 0) {
		task->on_exit = NULL;
		transport_return(guard, task, -EAGAIN);
		return false;
	}
	memcpy(sealed.args, request->stop.args, sizeof sealed.args);
	for (int i = 0; i < REQUEST_NAMES && !sealed.error; i++)
		if (request->names[i].arg >= 0 && !request->address.used)
			seal_name(&sealed, &request->names[i]);
	for (int i = 0; i < CALL_ARGS && !sealed.error && sealed.number != SYS_fcntl; i++)
		seal_struct(&sealed, i);
	if (sealed.error) {
		slots_give(&guard->slots, task->slot);
		task->slot = -1;
		task->on_exit = NULL;
		transport_return(guard, task, sealed.error);
		return false;
	}
	task->let_go = has_name(request);
	transport_proceed_as(guard, task, sealed.number, sealed.args);
	return true;
}

/* ---- what has no name --------------------------------------------------- */

/* Is it about something without a name, by a descriptor that may change? An open of such a thing is made by a copy of it. */
static bool means_nameless(const struct request *request)
{
	const struct name_arg *name = &request->names[0];

	return name->arg >= 0 && name->at.nameless && !base_is_fixed(request->task, name) &&
	       !(request->call->op == OP_OPEN && name->at.magic_fd >= 0);
}

static void proceed_aside(struct guard *guard, struct request *request, struct judgement *judgement)
{
	struct task *task = request->task;
	int64_t result = perform_aside(guard, request, judgement);

	task->on_exit = NULL;
	if (result == PERFORM_AGAIN) {
		judgement->again = true;
		return;
	}
	if (result != PERFORM_NO_WAY) {
		transport_return(guard, task, judgement->note ? judgement->note(task, result) : result);
		return;
	}
	/* what cannot be done safely is refused, and said to be */
	judgement->outcome = OUTCOME_REFUSE;
	judgement->refusal.error = EACCES;
	judgement->refusal.rule = RULE_ALWAYS;
	judgement->refusal.kind = VIOLATION_INTERFACE;
	snprintf(judgement->refusal.target, sizeof judgement->refusal.target, "%s of %s", request->call->name,
		 request->names[0].at.name);
	act_record(guard, request, &judgement->refusal, ACTION_DENIED);
	transport_refuse(guard, task, EACCES);
}

/* ---- acting ------------------------------------------------------------- */

/*
 * What is moved or removed, and what is put in its place, is no way to a root of the gate any more. Nor is any name when a
 * task gives up ids or capabilities: the way to a root may lead through directories that it may not search from now on, and through the
 * gate it would not be asked.
 */
static void forget_names(struct guard *guard, const struct request *request)
{
	if (request->call->op == OP_CREDENTIALS &&
	    !caller_stays(request->task->tid, request->stop.number, request->stop.args))
		gate_forget_all(&guard->gate);
	if (request->call->op != OP_REMOVE && request->call->op != OP_RENAME)
		return;
	for (int i = 0; i < REQUEST_NAMES; i++)
		if (request->names[i].arg >= 0 && request->names[i].at.exists)
			gate_forget(&guard->gate, request->names[i].at.name);
}

/*
 * The number in a name of /proc is kept for an ended process only until its parent waits for it, and another thread of that may
 * have done so meanwhile. If a stranger has the number now, it may be the stranger's entry that was opened.
 */
static void look_again(struct guard *guard, struct request *request, struct judgement *judgement)
{
	const struct resolved *at = &request->names[0].at;
	pid_t pid = at->ended ? (pid_t)strtol(at->name + sizeof "/proc/" - 1, NULL, 10) : 0;

	if (!pid || tracee_ended(&guard->tracees, pid) || tracee_is_ours(&guard->tracees, pid) ||
	    lineage_parent(pid) == 0)
		return;
	tracee_kill(request->task);
	judge_always(judgement, VIOLATION_FILE_READ, EACCES, "%s", at->name);
	act_record(guard, request, &judgement->refusal, ACTION_KILLED);
}

static void proceed(struct guard *guard, struct request *request, struct judgement *judgement)
{
	struct task *task = request->task;
	uint64_t args[CALL_ARG_COUNT];
	bool made = true;

	task->on_exit = judgement->note;
	task->exec_pending = judgement->executes;
	if (guard->transport->perform) {
		guard->transport->perform(guard, request, judgement);
		return;
	}
	if (judgement->aside || (judgement->names && means_nameless(request))) {
		proceed_aside(guard, request, judgement);
		return;
	}
	forget_names(guard, request);
	if (judgement->moves_names)
		gate_late_move(&guard->gate);
	if (judgement->then)
		judgement->then(guard, request);
	if (judgement->instead >= 0) {
		transport_proceed_as(guard, task, judgement->instead, judgement->instead_args);
	} else if (judgement->replace >= 0) {
		memcpy(args, request->stop.args, sizeof args);
		args[judgement->replace] = judgement->replacement;
		transport_proceed_as(guard, task, request->stop.number, args);
	} else if (judgement->names && !act_arguments_fixed(guard, request)) {
		made = proceed_sealed(guard, request);
	} else {
		task->let_go = judgement->names && has_name(request);
		if (judgement->moves_names)
			task->exit_action = EXIT_STOP;
		transport_proceed(guard, task);
	}
	if (!judgement->moves_names)
		return;
	if (made)
		transport_await_end(guard, task);
	gate_late_moved(&guard->gate);
	if (made && judgement->after)
		judgement->after(guard, request);
	if (made)
		look_again(guard, request, judgement);
}

bool act_known(struct guard *guard, const struct request *request, const struct known_name *name)
{
	struct task *task = request->task;
	bool runs = request->call->op == OP_EXEC;

	if (!act_arguments_fixed(guard, request) || (runs && !known_approve(name, task)))
		return false;
	task->on_exit = NULL;
	task->exec_pending = runs;
	task->let_go = true;
	transport_proceed(guard, task);
	return true;
}

static void refuse(struct guard *guard, struct request *request, struct judgement *judgement)
{
	if (guard->on_violation == ON_VIOLATION_KILL) {
		act_record(guard, request, &judgement->refusal, ACTION_KILLED);
		guard->violated_fatally = true;
		transport_kill_all(guard);
		return;
	}
	act_record(guard, request, &judgement->refusal, ACTION_DENIED);
	transport_refuse(guard, request->task, judgement->refusal.error);
}

void act(struct guard *guard, struct request *request, struct judgement *judgement)
{
	bool moves = judgement->outcome == OUTCOME_PASS && judgement->moves_names;

	/* A file was judged, and one that was let go before has made a directory of it meanwhile. */
	if (moves && transport_settle_names(guard, request->task)) {
		judgement->again = true;
		return;
	}
	if (moves)
		known_forget(guard->known);
	for (unsigned i = 0; i < judgement->audited_count; i++)
		act_record(guard, request, &judgement->audited[i], ACTION_AUDITED);
	switch (judgement->outcome) {
	case OUTCOME_PASS:
		proceed(guard, request, judgement);
		break;
	case OUTCOME_ANSWER:
		if (judgement->value == -ENOENT)
			absent_missed(guard, request);
		transport_return(guard, request->task, judgement->value);
		break;
	case OUTCOME_REFUSE:
		refuse(guard, request, judgement);
		break;
	}
}
