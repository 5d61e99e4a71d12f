/* SPDX-License-Identifier: MIT */
/*
 * decode.c - see decode.h. It knows argument kinds, not calls: what a call
 * has is in policy/syscalls.def. Everything read here was written by the tool.
 */
#include "decode.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mem.h"

static int kind_of(const struct request *request, int arg)
{
	return request->call->args[arg].kind;
}

static int arg_of(const struct request *request, enum arg_kind kind)
{
	return call_arg_index(request->call, kind, 0);
}

static uint64_t value(const struct request *request, int arg)
{
	return request->stop.args[arg];
}

/* ---- flags -------------------------------------------------------------- */

/* struct open_how as openat2 reads it: a longer one must be zero beyond what is known (openat2(2), "Extensibility"). */
static int read_how(struct request *request, uint64_t pointer, uint64_t size)
{
	char bytes[4096];

	if (size < sizeof request->how) /* nothing was added to it since Linux 5.6 */
		return -EINVAL;
	if (size > sizeof bytes)
		return -E2BIG;
	int r = mem_read(request->task->tid, pointer, bytes, size);
	if (r < 0)
		return r;
	for (size_t i = sizeof request->how; i < size; i++)
		if (bytes[i])
			return -E2BIG;
	memcpy(&request->how, bytes, sizeof request->how);
	request->how_size = sizeof request->how;
	return 0;
}

/* open(2) refuses some flags before it looks at the name, others in other versions of Linux: a walk from no descriptor tells. */
static int check_open_flags(uint64_t flags)
{
	const uint64_t temporary = O_TMPFILE & ~O_DIRECTORY, both = O_CREAT | O_DIRECTORY;

	if (!(flags & temporary) && (flags & both) != both)
		return 0;
	return openat(-1, "x", (int)flags, 0) < 0 && errno != EBADF ? -errno : 0;
}

static int decode_open(struct request *request)
{
	int flags = arg_of(request, ARG_OPEN_FLAGS), how = arg_of(request, ARG_OPEN_HOW);

	if (how >= 0)
		return read_how(request, value(request, how), value(request, how + 1));
	if (flags >= 0)
		request->how.flags = (unsigned)value(request, flags);
	else
		request->how.flags = O_CREAT | O_WRONLY | O_TRUNC;
	if (request->how.flags & O_PATH) /* open(2): everything else is ignored then */
		request->how.flags &= O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	return check_open_flags(request->how.flags);
}

static void decode_flags(struct request *request)
{
	static const enum arg_kind kinds[] = {ARG_AT_FLAGS, ARG_RENAME_FLAGS, ARG_WATCH_MASK};

	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		int arg = arg_of(request, kinds[i]);
		if (arg >= 0)
			request->flags = (int)value(request, arg);
	}
	if (request->call->op == OP_OPEN)
		request->error = decode_open(request);
}

static bool follows(const struct request *request, enum final final)
{
	switch (final) {
	case FINAL_FOLLOW:
		return true;
	case FINAL_NOFOLLOW:
	case FINAL_NAME:
		return false;
	case FINAL_AT_NOFOLLOW:
		return !(request->flags & AT_SYMLINK_NOFOLLOW);
	case FINAL_AT_FOLLOW:
		return (request->flags & AT_SYMLINK_FOLLOW) != 0;
	case FINAL_WATCH:
		return !(request->flags & (int)IN_DONT_FOLLOW);
	case FINAL_OPEN:
		return !(request->how.flags & O_NOFOLLOW) &&
		       (request->how.flags & (O_CREAT | O_EXCL)) != (O_CREAT | O_EXCL);
	}
	return true;
}

/* ---- names -------------------------------------------------------------- */

static bool may_be_empty(const struct request *request, const struct call_arg *arg, int dirfd, bool null)
{
	if (null && (arg->empty & EMPTY_NULL))
		return dirfd != AT_FDCWD;
	if ((arg->empty & EMPTY_BY_FLAGS) && (request->flags & AT_EMPTY_PATH))
		return !null || request->call->op != OP_EXEC;
	return !null && (arg->empty & EMPTY_ALWAYS);
}

/* Read the text of one name. 0 or -errno. */
static int read_name(struct request *request, struct name_arg *name, const struct call_arg *arg)
{
	name->address = value(request, name->arg);
	if (name->address == 0 && name->dirfd_arg >= 0 && may_be_empty(request, arg, name->dirfd, true)) {
		name->by_fd = true;
		return 0;
	}
	ssize_t n = mem_read_string(request->task->tid, name->address, name->text, sizeof name->text);
	if (n < 0)
		return (int)n;
	name->length = (size_t)n;
	if (n == 0 && name->dirfd_arg >= 0 && may_be_empty(request, arg, name->dirfd, false))
		name->by_fd = true;
	return 0;
}

/* Cuts the slashes at the end off; false: there are none, or what they stand behind is a directory. */
static bool cut_slashes(struct name_arg *name)
{
	size_t end = name->length;

	while (end > 0 && name->text[end - 1] == '/')
		end--;
	bool dot = end > 0 && name->text[end - 1] == '.' &&
		   (end == 1 || name->text[end - 2] == '/' ||
		    (name->text[end - 2] == '.' && (end == 2 || name->text[end - 3] == '/')));
	if (end == name->length || end == 0 || dot)
		return false;
	name->text[end] = 0;
	name->length = end;
	return true;
}

/* What is made, removed or renamed: a link is meant itself, even where slashes stand behind it (filename_create(), do_rmdir() and the
 * like in fs/namei.c). */
static void resolve_made(struct guard *guard, struct request *request, struct name_arg *name)
{
	enum call_op op = request->call->op;
	size_t length = name->length;
	bool slash = cut_slashes(name);

	resolve_path(&guard->tracees, request->task, name->dirfd, name->text, RESOLVE_NOFOLLOW, true, &name->at);
	if (!slash)
		return;
	name->text[name->length] = '/';
	name->length = length;
	name->at.slash = true;
	if (name->at.error == 0 && name->at.exists && name->at.type != S_IFDIR && (op == OP_REMOVE || op == OP_RENAME))
		name->at.error = -ENOTDIR;
}

static void resolve_name(struct guard *guard, struct request *request, struct name_arg *name)
{
	/* where open(2) may make a file, such a name is none, whatever is there */
	if (!name->by_fd && (request->how.flags & O_CREAT) && cut_slashes(name)) {
		resolve_as(&guard->tracees, request->task, name->dirfd, name->text, RESOLVE_NOFOLLOW, true,
			   request->how.resolve, &name->at);
		if (name->at.error == 0)
			name->at.error = -EISDIR;
	} else if (name->makes)
		resolve_made(guard, request, name);
	else if (name->by_fd && name->dirfd == AT_FDCWD)
		resolve_path(&guard->tracees, request->task, AT_FDCWD, ".", RESOLVE_FOLLOW, false, &name->at);
	else if (name->by_fd)
		resolve_fd(&guard->tracees, request->task, name->dirfd, &name->at);
	else
		resolve_as(&guard->tracees, request->task, name->dirfd, name->text,
			   name->follow ? RESOLVE_FOLLOW : RESOLVE_NOFOLLOW, request->how.flags & O_CREAT,
			   request->how.resolve, &name->at);
}

static void decode_name(struct request *request, struct name_arg *name, int index)
{
	const struct call_arg *arg = &request->call->args[index];

	name->arg = index;
	name->access = arg->access ? arg->access : call_open_access(request->how.flags);
	name->follow = follows(request, arg->final);
	name->makes = arg->final == FINAL_NAME;
	name->rooted = (request->how.resolve & RESOLVE_IN_ROOT) != 0;
	if (arg->kind == ARG_OBJECT) {
		name->by_fd = true;
		name->dirfd = (int)value(request, index);
	} else {
		if (index > 0 && kind_of(request, index - 1) == ARG_DIRFD) {
			name->dirfd_arg = index - 1;
			name->dirfd = (int)value(request, index - 1);
		}
		request->error = read_name(request, name, arg);
	}
}

/* The name of an extended attribute. */
static void decode_attribute(struct request *request)
{
	int at = arg_of(request, ARG_ATTRIBUTE);

	if (at < 0)
		return;
	ssize_t n =
		mem_read_string(request->task->tid, value(request, at), request->attribute, sizeof request->attribute);
	request->attribute_error = n == 0 || n == -ENAMETOOLONG ? -ERANGE : n < 0 ? (int)n : 0;
	if (n < 0)
		request->attribute[0] = 0;
}

/* Of two names the kernel looks first where the first one leads, even when the other is no name at all. */
static void put_off_error(struct request *request)
{
	if (request->names[1].arg >= 0 && request->error < 0) {
		request->names[1].at.error = request->error;
		request->names[1].at.exists = false;
		request->error = 0;
	}
}

static void decode_names(struct request *request)
{
	int used = 0;

	for (int i = 0; i < CALL_ARGS && used < REQUEST_NAMES && request->error == 0; i++)
		if (kind_of(request, i) == ARG_PATH ||
		    (kind_of(request, i) == ARG_OBJECT && request->call->op == OP_CHANGE_FD))
			decode_name(request, &request->names[used++], i);
	put_off_error(request);
}

static void resolve_names(struct guard *guard, struct request *request)
{
	for (int i = 0; i < REQUEST_NAMES; i++)
		if (request->names[i].arg >= 0 && request->names[i].at.error == 0)
			resolve_name(guard, request, &request->names[i]);
}

/* ---- addresses ---------------------------------------------------------- */

static int read_address(struct request *request, uint64_t pointer, uint64_t length)
{
	struct address_arg *address = &request->address;

	bool needed = request->call->op == OP_BIND || call_arg_index(request->call, ARG_SOCKADDR, 0) == 1;
	if (length == 0 || (pointer == 0 && !needed))
		return 0; /* none: to where the socket is connected */
	if (length > sizeof(struct sockaddr_storage))
		return -EINVAL; /* move_addr_to_kernel() in net/socket.c */
	address->used = true;
	address->pointer = pointer;
	address->length = (socklen_t)length;
	return mem_read(request->task->tid, pointer, address->bytes, length);
}

static int read_message(struct request *request, uint64_t pointer)
{
	struct msghdr *message = &request->message;
	int r = mem_read(request->task->tid, pointer, message, sizeof *message);

	if (r < 0)
		return r;
	if (!message->msg_control)
		message->msg_controllen = 0;
	/* ____sys_sendmsg() cuts a long name instead of refusing it, and takes a negative length for an error */
	uint64_t length = message->msg_namelen;
	if ((int)message->msg_namelen < 0)
		return -EINVAL;
	if (message->msg_controllen > sizeof request->control)
		return -ENOBUFS;
	r = mem_read(request->task->tid, (uint64_t)(uintptr_t)message->msg_control, request->control,
		     message->msg_controllen);
	if (r < 0)
		return r;
	if (length > sizeof(struct sockaddr_storage))
		length = sizeof(struct sockaddr_storage);
	return read_address(request, (uint64_t)(uintptr_t)message->msg_name, length);
}

/* Give an address of the path kind its end, and resolve it as the kernel would from this task. */
static void resolve_address(struct guard *guard, struct request *request)
{
	const struct address_arg *address = &request->address;
	struct name_arg *name = &request->names[0];
	size_t skip = offsetof(struct sockaddr, sa_data);

	if (!address->used || address->any.sa_family != AF_UNIX || address->length <= skip || !address->bytes[skip])
		return; /* of another family, unnamed or abstract */
	name->length = strnlen(address->bytes + skip, address->length - skip);
	memcpy(name->text, address->bytes + skip, name->length);
	name->text[name->length] = 0;
	for (int i = 0; i < CALL_ARGS; i++)
		if (kind_of(request, i) == ARG_SOCKADDR || kind_of(request, i) == ARG_MSGHDR ||
		    kind_of(request, i) == ARG_MMSGHDR)
			name->arg = i;
	name->address = address->pointer;
	name->makes = request->call->op == OP_BIND;
	name->follow = !name->makes;
	name->access = name->makes ? ACCESS_WRITE : ACCESS_LOOK;
	resolve_name(guard, request, name);
}

static void decode_address(struct guard *guard, struct request *request)
{
	int at = arg_of(request, ARG_SOCKADDR), message = arg_of(request, ARG_MSGHDR),
	    messages = arg_of(request, ARG_MMSGHDR), socket = arg_of(request, ARG_SOCKET);

	if (socket >= 0)
		request->socket = (int)value(request, socket);
	if (at >= 0)
		request->error = read_address(request, value(request, at), (uint32_t)value(request, at + 1));
	else if (message >= 0)
		request->error = read_message(request, value(request, message));
	else if (messages >= 0 && (uint32_t)value(request, messages + 1) > 0)
		request->error = read_message(request, value(request, messages));
	if (request->error == 0)
		resolve_address(guard, request);
}

/* clone3(2): as openat2's, what lies beyond must be zero. */
static void decode_clone(struct request *request)
{
	int at = arg_of(request, ARG_CLONE_ARGS);
	char bytes[4096];

	if (at < 0)
		return;
	uint64_t size = value(request, at + 1);
	if (size < CLONE_ARGS_SIZE_VER0) {
		request->error = -EINVAL;
		return;
	}
	if (size > sizeof bytes) {
		request->error = -E2BIG;
		return;
	}
	request->error = mem_read(request->task->tid, value(request, at), bytes, size);
	for (size_t i = sizeof request->clone; request->error == 0 && i < size; i++)
		if (bytes[i])
			request->error = -E2BIG;
	request->clone_size = size < sizeof request->clone ? size : sizeof request->clone;
	memcpy(&request->clone, bytes, request->clone_size);
}

/* ------------------------------------------------------------------------- */

static void clear(struct request *request)
{
	for (int i = 0; i < REQUEST_NAMES; i++) {
		struct name_arg *name = &request->names[i];
		name->arg = name->dirfd_arg = -1;
		name->dirfd = AT_FDCWD;
		name->by_fd = name->makes = name->rooted = false;
		name->address = 0;
		name->length = 0;
		name->text[0] = 0;
		name->at.fd = -1;
		name->at.error = 0;
		name->at.magic = false;
	}
	request->error = 0;
	request->flags = 0;
	request->attribute[0] = 0;
	request->attribute_error = 0;
	request->how = (struct open_how){0};
	request->how_size = 0;
	request->socket = request->held_socket = -1;
	request->address.used = request->address.pinned = false;
	request->address.length = 0; /* what is left there is the address of another call */
	request->message = (struct msghdr){0};
	memset(&request->clone, 0, sizeof request->clone);
}

void decode_texts(struct task *task, const struct call_stop *stop, struct request *request)
{
	clear(request);
	request->task = task;
	request->stop = *stop;
	request->call = call_find(stop->number);
	if (request->call->class != CALL_JUDGED || stop->foreign || stop->x32)
		return;
	decode_flags(request);
	decode_attribute(request);
	if (request->error == 0)
		decode_names(request);
}

void decode_rest(struct guard *guard, struct request *request)
{
	if (request->call->class != CALL_JUDGED || request->stop.foreign || request->stop.x32)
		return;
	if (request->error == 0)
		resolve_names(guard, request);
	if (request->error == 0)
		decode_address(guard, request);
	if (request->error == 0)
		decode_clone(request);
}

void decode_done(struct request *request)
{
	for (int i = 0; i < REQUEST_NAMES; i++)
		resolve_close(&request->names[i].at);
	if (request->held_socket >= 0)
		close(request->held_socket);
	request->held_socket = -1;
}

int decode_socket(struct request *request)
{
	if (request->held_socket < 0)
		request->held_socket = tracee_descriptor(request->task, request->socket);
	return request->held_socket;
}
