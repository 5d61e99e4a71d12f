/* SPDX-License-Identifier: MIT */
/*
 * early.c - see early.h. Kernels differ in what they check and when, so this one is asked: it is given the same call
 * with names that lead nowhere. What it then complains about, if not about the name, it found before. Such a call has
 * no effect, whatever its other arguments are; what they point to is a copy.
 */
#include "early.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cleanup.h"
#include "mem.h"

enum {
	ARGS_MOST = 4096,   /* of a struct with its size: the kernel takes no larger one */
	VALUE_MOST = 65536, /* XATTR_SIZE_MAX, linux/limits.h */
	TIME_SIZE = 16,
	TIMES_SIZE = 32,
};

/* The same call, for us. */
struct question {
	uint64_t args[CALL_ARG_COUNT];
	char *copies[CALL_ARG_COUNT]; /* malloc'ed, or NULL */
	int descriptor;		      /* or -1 */
};

/* A name that leads nowhere: from no directory, or where a call takes none, below a file. */
static const char from_nowhere[] = "x", below_file[] = "/proc/self/stat/x";

/* Where something comes before the name. */
static const bool asked[OP_COUNT] = {
	[OP_CREATE] = true, [OP_SYMLINK] = true,   [OP_REMOVE] = true, [OP_RENAME] = true, [OP_LINK] = true,
	[OP_CHANGE] = true, [OP_CHANGE_FD] = true, [OP_WATCH] = true,  [OP_VALUE] = true,
};

/* What cannot be read cannot be read by us either: an address at which nothing is. */
static uint64_t copy_of(const struct request *request, struct question *question, int i, size_t size, bool text)
{
	uint64_t address = request->stop.args[i];

	if (address == 0)
		return 0;
	question->copies[i] = calloc(1, size + 1);
	if (!question->copies[i])
		return 1;
	ssize_t r = text ? mem_read_string(request->task->tid, address, question->copies[i], size)
			 : mem_read(request->task->tid, address, question->copies[i], size);
	if (text && r == -ENAMETOOLONG)
		memset(question->copies[i], 'x', size);
	else if (r < 0)
		return 1;
	return (uint64_t)(uintptr_t)question->copies[i];
}

/* struct xattr_args, linux/xattr.h, holds one more address, which is not ours to follow. */
static uint64_t copy_of_args(const struct request *request, struct question *question, int i)
{
	struct {
		uint64_t value;
		uint32_t size, flags;
	} args;
	uint64_t size = request->stop.args[i + 1],
		 copy = copy_of(request, question, i, size < ARGS_MOST ? size : ARGS_MOST, false);

	if (copy > 1 && size >= sizeof args) {
		memcpy(&args, question->copies[i], sizeof args);
		args.value = 0;
		if (args.size <= VALUE_MOST)
			args.size = 0;
		memcpy(question->copies[i], &args, sizeof args);
	}
	return copy;
}

static uint64_t early_arg(const struct request *request, struct question *question, int i)
{
	uint64_t value = request->stop.args[i];

	switch ((enum early)request->call->args[i].final) {
	case EARLY_NOTHING:
		break;
	case EARLY_TEXT:
		return copy_of(request, question, i, PATH_MAX, true);
	case EARLY_BYTES:
		return request->stop.args[i + 1] > VALUE_MOST
			       ? 1
			       : copy_of(request, question, i, request->stop.args[i + 1], false);
	case EARLY_TIME:
		return copy_of(request, question, i, TIME_SIZE, false);
	case EARLY_TIMES:
		return copy_of(request, question, i, TIMES_SIZE, false);
	case EARLY_XATTR_ARGS:
		return copy_of_args(request, question, i);
	case EARLY_DESCRIPTOR:
		question->descriptor = tracee_descriptor(request->task, (int)value);
		return (uint64_t)question->descriptor;
	}
	return value;
}

static uint64_t arg_of_question(const struct request *request, struct question *question, int i)
{
	const struct call *call = request->call;
	uint64_t value = request->stop.args[i];

	switch ((int)call->args[i].kind) {
	case ARG_DIRFD:
	case ARG_OBJECT:
		return (uint64_t)-1;
	case ARG_PATH:
		if (i == 0 || call->args[i - 1].kind != ARG_DIRFD)
			return value == 0 ? 0 : (uint64_t)(uintptr_t)below_file;
		return value == 0 && request->names[0].by_fd ? 0 : (uint64_t)(uintptr_t)from_nowhere;
	case ARG_ATTRIBUTE:
		return copy_of(request, question, i, PATH_MAX, true);
	case ARG_OPEN_HOW:
		return (uint64_t)(uintptr_t)&request->how;
	case ARG_ANY:
		return i > 0 && call->args[i - 1].kind == ARG_OPEN_HOW ? request->how_size
								       : early_arg(request, question, i);
	default:
		return value;
	}
}

int early_error(const struct request *request)
{
	struct question question = {.descriptor = -1};

	/* of the calls that open, the one that has its flags in a struct */
	if (!asked[request->call->op] && request->how_size == 0)
		return 0;
	for (int i = 0; i < CALL_ARGS; i++)
		question.args[i] = arg_of_question(request, &question, i);
	const uint64_t *a = question.args;
	int error = syscall(request->call->number, a[0], a[1], a[2], a[3], a[4], a[5]) < 0 ? errno : 0;
	for (int i = 0; i < CALL_ARGS; i++)
		free(question.copies[i]);
	if (question.descriptor >= 0)
		close(question.descriptor);
	bool from_descriptor = call_arg_index(request->call, ARG_DIRFD, 0) >= 0 || request->call->op == OP_CHANGE_FD;
	return error == (from_descriptor ? EBADF : ENOTDIR) ? 0 : -error;
}

int early_descriptor(const struct request *request)
{
	const struct name_arg *name = &request->names[0];
	bool changes = request->call->op == OP_CHANGE || request->call->op == OP_CHANGE_FD;

	/* "" with AT_EMPTY_PATH may be said of such a descriptor */
	if (!changes || !name->by_fd || name->address != 0)
		return 0;
	cleanup_fd int copy = tracee_descriptor(request->task, name->dirfd);
	if (copy < 0)
		return copy == -EBADF ? copy : 0; /* older kernels do not tell what it is */
	int flags = fcntl(copy, F_GETFL);
	return flags < 0 ? -errno : flags & O_PATH ? -EBADF : 0;
}

int early_socket(struct request *request)
{
	int type;
	socklen_t length = sizeof type;

	if (call_arg_index(request->call, ARG_SOCKET, 0) < 0)
		return 0;
	int copy = decode_socket(request);
	if (copy < 0)
		return copy == -EBADF ? copy : 0;
	int error = getsockopt(copy, SOL_SOCKET, SO_TYPE, &type, &length) < 0 ? errno : 0;
	/* connect(2) takes the address before it asks that */
	return error == ENOTSOCK && request->error < 0 && request->stop.number == SYS_connect ? 0 : -error;
}
