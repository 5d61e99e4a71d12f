/* SPDX-License-Identifier: MIT */
/*
 * syscalls.c - the table that syscalls.def makes, and the words for what is in it.
 *
 * Constant data and pure functions, nothing that a signal handler or the shim could not call. Words stand in
 * tables indexed by the enums; a test fails when one is missing.
 */
#include "syscalls.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

/* Words of syscalls.def that are not words of syscalls.h. */
#define ACCESS_BY_FLAGS 0
#define EMPTY_NULL_OR_BY_FLAGS (EMPTY_NULL | EMPTY_BY_FLAGS)

/* clang-format off */
#define ANY				 {ARG_ANY, 0, 0, 0}
#define EARLY(what_)			 {ARG_ANY, 0, EARLY_##what_, 0}
#define ARG(kind_)			 {ARG_##kind_, 0, 0, 0}
#define OBJECT(access_)			 {ARG_OBJECT, ACCESS_##access_, 0, 0}
#define PATH(access_, final_)		 {ARG_PATH, ACCESS_##access_, FINAL_##final_, 0}
#define PATH_OR(empty_, access_, final_) {ARG_PATH, ACCESS_##access_, FINAL_##final_, EMPTY_##empty_}
/* clang-format on */

_Static_assert(ARG_KIND_COUNT <= 1 << 6, "fits a struct call_arg");

/*
 * One row for each call. In the shim, where all of this is memory in every process, one does for all harmless calls, and
 * one for those that are refused in the same way.
 */
enum row {
	ROW_unlisted,
#ifdef CALLS_NAMELESS
	ROW_HARMLESS_NONE,
	ROW_REFUSED_REFUSE,
	ROW_REFUSED_REFUSE_IFACE,
	ROW_REFUSED_REFUSE_PROC,
#define ROW_OF_HARMLESS(name_, op_) ROW_HARMLESS_##op_
#define ROW_OF_REFUSED(name_, op_) ROW_REFUSED_##op_
#define ROW_FOR_HARMLESS(...)
#define ROW_FOR_REFUSED(...)
#else
#define ROW_OF_HARMLESS(name_, op_) ROW_##name_
#define ROW_OF_REFUSED(name_, op_) ROW_##name_
#define ROW_FOR_HARMLESS(...) __VA_ARGS__
#define ROW_FOR_REFUSED(...) __VA_ARGS__
#endif
#define ROW_OF_JUDGED(name_, op_) ROW_##name_
#define ROW_FOR_JUDGED(...) __VA_ARGS__
#define CALL(number_, name_, class_, ...) ROW_FOR_##class_(ROW_##name_, )
#include "syscalls.def"
#undef CALL
	ROW_COUNT
};

#ifdef CALLS_NAMELESS
typedef uint8_t row_number;
#define ITS(number_, name_)
#else
typedef uint16_t row_number;
#define ITS(number_, name_) .name = #name_, .number = (number_),
#endif
_Static_assert(ROW_COUNT - 1 <= (row_number)-1, "fits a row_number");

static const struct call rows[ROW_COUNT] = {
	[ROW_unlisted] = {ITS(UINT16_MAX, unlisted).class = CALL_UNLISTED, .op = OP_NONE},
#ifdef CALLS_NAMELESS
	[ROW_HARMLESS_NONE] = {.class = CALL_HARMLESS, .op = OP_NONE},
	[ROW_REFUSED_REFUSE] = {.class = CALL_REFUSED, .op = OP_REFUSE},
	[ROW_REFUSED_REFUSE_IFACE] = {.class = CALL_REFUSED, .op = OP_REFUSE_IFACE},
	[ROW_REFUSED_REFUSE_PROC] = {.class = CALL_REFUSED, .op = OP_REFUSE_PROC},
#endif
#define CALL(number_, name_, class_, op_, ...)                              \
	ROW_FOR_##class_([ROW_##name_] = {                                  \
				 ITS(number_, name_).class = CALL_##class_, \
				 .op = OP_##op_,                            \
				 .args = {__VA_ARGS__},                     \
			 }, )
#include "syscalls.def"
#undef CALL
};

/* Numbers from HOLE on, and less than HOLE_END, are in use by no kernel; nor are those that are past the table's end. */
enum { HOLE = 337, HOLE_END = 424, HOLE_SIZE = HOLE_END - HOLE };

/* By number, without the hole; one in there is a compiler's error, or a warning, like one that is given twice. */
static const row_number row_of[] = {
#define CALL(number_, name_, class_, op_, ...) \
	[(number_) < HOLE ? (number_) : (number_) < HOLE_END ? -1 : (number_)-HOLE_SIZE] = ROW_OF_##class_(name_, op_),
#include "syscalls.def"
#undef CALL
};

const struct call *call_find(long number)
{
	size_t at = (size_t)number;

	if (at >= HOLE)
		at = at < HOLE_END ? SIZE_MAX : at - HOLE_SIZE;
	return &rows[at < sizeof row_of / sizeof *row_of ? row_of[at] : ROW_unlisted];
}

#ifndef CALLS_NAMELESS
const struct call *call_by_name(const char *name)
{
	for (size_t i = ROW_unlisted + 1; i < ROW_COUNT; i++)
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	return NULL;
}
#endif

int call_arg_index(const struct call *call, enum arg_kind kind, int from)
{
	for (int i = from < 0 ? 0 : from; i < CALL_ARGS; i++)
		if (call->args[i].kind == kind)
			return i;
	return -1;
}

static const char *const class_names[] = {
	[CALL_UNLISTED] = "unlisted",
	[CALL_HARMLESS] = "harmless",
	[CALL_JUDGED] = "judged",
	[CALL_REFUSED] = "refused",
};

static const char *const op_names[OP_COUNT] = {
	[OP_NONE] = "none",
	[OP_REFUSE] = "privilege",
	[OP_REFUSE_IFACE] = "interface",
	[OP_REFUSE_PROC] = "process control",
	[OP_OPEN] = "open",
	[OP_LOOK] = "look",
	[OP_VALUE] = "read attribute",
	[OP_READLINK] = "read link",
	[OP_CREATE] = "create",
	[OP_SYMLINK] = "symlink",
	[OP_REMOVE] = "remove",
	[OP_RENAME] = "rename",
	[OP_LINK] = "link",
	[OP_CHANGE] = "change",
	[OP_CHANGE_FD] = "change by descriptor",
	[OP_CHDIR] = "chdir",
	[OP_WATCH] = "watch",
	[OP_EXEC] = "exec",
	[OP_SOCKET] = "socket",
	[OP_CONNECT] = "connect",
	[OP_BIND] = "bind",
	[OP_LISTEN] = "listen",
	[OP_SENDMSG] = "send message",
	[OP_SENDMMSG] = "send messages",
	[OP_FORK] = "fork",
	[OP_CLONE] = "clone",
	[OP_CLONE3] = "clone by struct",
	[OP_SIGNAL] = "signal",
	[OP_PROCESS] = "process",
	[OP_CREDENTIALS] = "credentials",
	[OP_PRCTL] = "prctl",
	[OP_IOCTL] = "ioctl",
	[OP_FCNTL] = "fcntl",
	[OP_SECCOMP] = "seccomp",
	[OP_MEMORY] = "memory",
	[OP_DESCRIPTOR] = "descriptor",
	[OP_ASYNC] = "asynchronous",
	[OP_SOCKOPT] = "socket option",
	[OP_IPC] = "ipc",
	[OP_ALLOCATE] = "allocate",
	[OP_CONFINE] = "confine",
};

static const char *const kind_names[ARG_KIND_COUNT] = {
	[ARG_UNUSED] = "unused",
	[ARG_ANY] = "any",
	[ARG_PATH] = "path",
	[ARG_DIRFD] = "dirfd",
	[ARG_AT_FLAGS] = "at flags",
	[ARG_OPEN_FLAGS] = "open flags",
	[ARG_OPEN_HOW] = "open how",
	[ARG_RENAME_FLAGS] = "rename flags",
	[ARG_OBJECT] = "object",
	[ARG_SLOT] = "descriptor number",
	[ARG_LAST_SLOT] = "last descriptor number",
	[ARG_SOCKET] = "socket",
	[ARG_SOCKADDR] = "socket address",
	[ARG_MSGHDR] = "message",
	[ARG_MMSGHDR] = "messages",
	[ARG_DOMAIN] = "address family",
	[ARG_CLONE_FLAGS] = "clone flags",
	[ARG_CLONE_ARGS] = "clone struct",
	[ARG_NS_FLAGS] = "namespace flags",
	[ARG_PID] = "process",
	[ARG_PIDFD] = "pidfd",
	[ARG_KILL_TARGET] = "process or group",
	[ARG_GROUP] = "group",
	[ARG_LIMIT] = "limit",
	[ARG_WHICH_WHO] = "which and who",
	[ARG_IO_WHICH_WHO] = "which and who",
	[ARG_PRCTL] = "prctl option",
	[ARG_IOCTL] = "ioctl request",
	[ARG_FCNTL] = "fcntl command",
	[ARG_SECCOMP] = "seccomp operation",
	[ARG_ADDRESS] = "address",
	[ARG_MAP_ADDRESS] = "mapping address",
	[ARG_MAP_FLAGS] = "mapping flags",
	[ARG_ADVICE] = "advice",
	[ARG_REMAP_ADDRESS] = "new address",
	[ARG_BREAK] = "new break",
	[ARG_REMAP_FLAGS] = "remapping flags",
	[ARG_ARGV] = "argv",
	[ARG_ENVP] = "envp",
	[ARG_PERSONALITY] = "personality",
	[ARG_ARCH_PRCTL] = "arch_prctl code",
	[ARG_SOCKOPT] = "level and option",
	[ARG_WATCH_MASK] = "watch mask",
	[ARG_SIGNAL_FLAGS] = "signal flags",
	[ARG_LENGTH] = "length",
	[ARG_MODE] = "mode",
	[ARG_OWNER] = "owner",
	[ARG_NODE] = "mode and type",
	[ARG_ATTRIBUTE] = "attribute",
	[ARG_VALUE_SIZE] = "size of value",
	[ARG_IPC_KEY] = "ipc key",
	[ARG_IPC_ID] = "ipc identifier",
	[ARG_IPC_COMMAND] = "ipc command",
};

/* Sentences that hold for several operations. */
#define WAY_NAME                                                                                                    \
	"The name is read from the stopped caller, resolved by the kernel itself and judged as resolved; the call " \
	"then goes on with an argument in private memory, or in a sealed page that the tool cannot write, while "   \
	"no other call may change what the name means."
#define WAY_GATE                                                                                                       \
	" At level gate it goes on unseen when its directory and its struct are the supervisor's own, at numbers and " \
	"addresses "                                                                                                   \
	"that nobody can change, and the kernel keeps the walk below that directory: all of that is in registers."
#define WAY_MEANING                                                                                                    \
	"Judged as any name, and as it changes what names mean, it waits until every other task that was let go with " \
	"a checked name has finished its call."
#define WAY_ADDRESS                                                                                                 \
	"The address is read once; the call goes on with it in private memory, or as a copy in a sealed page that " \
	"the tool cannot write."
#define WAY_STRUCT                                                                                                    \
	"The struct and what it points to are read once; the call goes on with them in private memory, or as a copy " \
	"in a sealed page that the tool cannot write."
#define WAY_REGISTERS "Everything that is judged is in registers, which nobody else can change during the call."
#define WAY_PROCESS                                                                                             \
	"The target is in registers, and the number of a process of this run cannot pass to a stranger before " \
	"the supervisor has reaped it."
#define WAY_REFUSED "It never runs."

static const char *const ways[OP_COUNT] = {
	[OP_NONE] = "Nothing is checked that could change.",
	[OP_REFUSE] = WAY_REFUSED,
	[OP_REFUSE_IFACE] = WAY_REFUSED,
	[OP_REFUSE_PROC] = WAY_REFUSED,
	[OP_OPEN] = WAY_NAME,
	[OP_LOOK] = WAY_NAME,
	[OP_VALUE] = WAY_NAME,
	[OP_READLINK] = WAY_NAME,
	[OP_CREATE] = WAY_NAME,
	[OP_SYMLINK] = WAY_MEANING,
	[OP_REMOVE] = WAY_NAME,
	[OP_RENAME] = WAY_MEANING,
	[OP_LINK] = WAY_MEANING,
	[OP_CHANGE] = WAY_NAME,
	[OP_CHANGE_FD] = "The object behind the descriptor is judged by its own name; where another thread can put "
			 "another descriptor "
			 "in its place, the call is made by that name instead.",
	[OP_CHDIR] = WAY_NAME,
	[OP_WATCH] = WAY_NAME,
	[OP_EXEC] = "What runs is compared, by device and inode, with what was approved, after the exec and before its "
		    "first instruction.",
	[OP_SOCKET] = WAY_REGISTERS,
	[OP_CONNECT] = WAY_ADDRESS,
	[OP_BIND] = WAY_ADDRESS,
	[OP_LISTEN] = "Judged by the address that the socket has, and made with a copy of the socket that was judged, "
		      "bound to that address.",
	[OP_SENDMSG] = WAY_STRUCT,
	[OP_SENDMMSG] =
		"Sent one message at a time, each read once and made from a copy in a sealed page that the tool "
		"cannot write.",
	[OP_FORK] = "Nothing in it can change; it is counted.",
	[OP_CLONE] = WAY_REGISTERS,
	[OP_CLONE3] = WAY_STRUCT,
	[OP_SIGNAL] = WAY_PROCESS,
	[OP_PROCESS] = WAY_PROCESS,
	[OP_CREDENTIALS] = WAY_REGISTERS,
	[OP_PRCTL] = WAY_REGISTERS,
	[OP_IOCTL] = WAY_REGISTERS,
	[OP_FCNTL] = WAY_REGISTERS,
	[OP_SECCOMP] = WAY_REGISTERS,
	[OP_MEMORY] = WAY_REGISTERS,
	[OP_DESCRIPTOR] = WAY_REGISTERS,
	[OP_ASYNC] = "It is let through and noted: from then on none of the caller's memory counts as private.",
	[OP_SOCKOPT] = WAY_REGISTERS,
	[OP_IPC] = WAY_REGISTERS,
	[OP_ALLOCATE] = WAY_REGISTERS,
	[OP_CONFINE] =
		"Nothing is checked that could change. At level notify, where the supervisor makes the calls in place "
		"of "
		"the tool and what the tool denied itself would not hold, it is answered as by a kernel without it.",
};

/* An entry of one of the tables above; "?" for a number that no enum has. */
static const char *word(const char *const *words, size_t count, unsigned index)
{
	return index < count && words[index] ? words[index] : "?";
}

const char *call_class_name(enum call_class class)
{
	return word(class_names, sizeof(class_names) / sizeof(*class_names), class);
}

const char *call_op_name(enum call_op op)
{
	return word(op_names, OP_COUNT, op);
}

const char *call_arg_kind_name(enum arg_kind kind)
{
	return word(kind_names, ARG_KIND_COUNT, kind);
}

const char *call_way(const struct call *call)
{
	if (call->class == CALL_UNLISTED)
		return WAY_REFUSED;
	if (call->op == OP_OPEN && call_arg_index(call, ARG_OPEN_HOW, 0) >= 0)
		return WAY_NAME WAY_GATE;
	return word(ways, OP_COUNT, call->op);
}

unsigned call_open_access(uint64_t flags)
{
	unsigned access = 0;

	if (flags & O_PATH)
		return ACCESS_LOOK;
	switch (flags & O_ACCMODE) {
	case O_RDONLY:
		access = ACCESS_READ;
		break;
	case O_WRONLY:
		access = ACCESS_WRITE;
		break;
	default: /* 3 is for ioctl only, says open(2), but checks both permissions */
		access = ACCESS_READ | ACCESS_WRITE;
		break;
	}
	if ((flags & O_TRUNC) || (flags & O_TMPFILE) == O_TMPFILE) /* O_TMPFILE has two bits, one is O_DIRECTORY's */
		access |= ACCESS_WRITE;
	return access;
}

int call_open_error(uint64_t flags, unsigned type)
{
	bool temporary = (flags & O_TMPFILE) == O_TMPFILE, directory = type == S_IFDIR;

	if (flags & O_PATH)
		return (flags & O_DIRECTORY) && !directory ? -ENOTDIR : 0;
	if (directory && !temporary && ((flags & O_CREAT) || (call_open_access(flags) & ACCESS_WRITE)))
		return -EISDIR;
	if ((flags & O_DIRECTORY) && !directory)
		return -ENOTDIR;
	return type == S_IFLNK ? -ELOOP : 0; /* O_NOFOLLOW */
}
