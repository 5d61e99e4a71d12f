/* SPDX-License-Identifier: MIT */
/*
 * judge.c - what is to become of a call, as tracer/judge.c says it of the
 * same rows of the table. What the kernel itself would refuse goes on, and fails as it would without a guard; then what is
 * refused to every tool; then the policy; and when that refuses, the mode bits are asked, since a file that
 * could not have been opened anyway is no violation.
 */
#include <asm/ioctls.h>
#include <asm-generic/errno.h>
#include <asm/sockios.h>
#include <linux/fcntl.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <linux/stat.h>

#include "always.h"
#include "net.h"
#include "shim.h"

enum {
	R_OK = 4,
	W_OK = 2,
	X_OK = 1,
	IN_DONT_FOLLOW = 0x02000000,
	IN_ONLYDIR = 0x01000000,
	RENAME_EXCHANGE = 2,
	RENAME_NOREPLACE = 1
};

struct request request_of(long number, const char *requested)
{
	const struct call *call = call_find(number);

	return (struct request){.call = call,
				.number = call->class == CALL_UNLISTED ? UINT16_MAX : (uint16_t)number,
				.requested = requested};
}

/* ---- one name ----------------------------------------------------------- */

bool judge_asked(const struct place *place, unsigned access, struct verdict *verdict, unsigned *image)
{
	for (unsigned i = 0; i < shim.image_count; i++) {
		*verdict = decide_path(shim.images[i], place->name, place->length, access);
		*image = i;
		if (!verdict->allowed)
			return true;
	}
	return false;
}

static int mode_bits(unsigned access)
{
	return (access & ACCESS_READ ? R_OK : 0) | (access & ACCESS_WRITE ? W_OK : 0) |
	       (access & ACCESS_EXEC ? X_OK : 0);
}

/* When a name is made or removed it is the directory's mode bits that count. */
static int ordinary_failure(const struct place *place, unsigned access, bool makes)
{
	if (!place->exists)
		return place_ordinary(place, W_OK | X_OK);
	return makes ? 0 : place_ordinary(place, mode_bits(access));
}

static bool is_block_device(const struct place *place)
{
	return text_begins(place->name, "/dev/") && place_type(place) == S_IFBLK;
}

int judge_always_place(struct request *request, const struct place *place, unsigned access)
{
	if (!(access & (ACCESS_READ | ACCESS_WRITE)) || place->nameless)
		return 0;
	if (always_machine(place->name, place->length, access) || is_block_device(place))
		return refuse_place(request, place, WIRE_PRIVILEGE, WIRE_ABOUT_CALL, EPERM, 0);
	if (text_begins(place->name, "/proc/") && text_ends(place->name, place->length, "/mem") &&
	    !text_begins(place->name, "/proc/self/"))
		return refuse_place(request, place, WIRE_PROCESS_CONTROL, WIRE_ABOUT_CALL, EACCES, 0);
	return 0;
}

/*
 * Changing this name leaves the result of the run where it is. Asked first of what is audited, since after any other refusal
 * audit goes on, and always of a directory that is removed: the rest the policy's rules say, too.
 */
static int judge_result(struct request *request, const struct place *place, bool directory)
{
	struct verdict verdict = decide_result(shim.images[0], place->name, place->length, directory);

	return verdict.allowed
		       ? 0
		       : refuse_name(request, place->name, place->length, ACCESS_WRITE, &verdict, 0, ACCESS_WRITE);
}

static bool audits(void)
{
	return shim.shared->on_violation == ON_VIOLATION_AUDIT;
}

static bool may_stand(const struct image *image, const struct place *place, unsigned type)
{
	return type == 0 || type == S_IFDIR || decide_stand(image, place->name, place->length, type == S_IFLNK).allowed;
}

/* Does the policy refuse what is made there (S_IFMT bits, 0: nothing), or that what is there is changed or goes? decide_stand. */
static bool judge_stand(const struct place *place, unsigned made, struct verdict *verdict, unsigned *image)
{
	for (unsigned i = 0; i < shim.image_count; i++) {
		*verdict = decide_stand(shim.images[i], place->name, place->length, true);
		*image = i;
		/* what it is costs a call, and is asked of few names */
		if (!verdict->allowed &&
		    (!may_stand(shim.images[i], place, made) || !may_stand(shim.images[i], place, place_type(place))))
			return true;
	}
	return false;
}

/* What is asked of the links on the way, as in tracer/judge_links.c. */
struct links_asked {
	struct request *request;
	const struct place *place;
	unsigned access;
	bool makes;
	int result;
};

static bool ask_link(void *context, const char *link, size_t length)
{
	struct links_asked *asked = context;

	for (unsigned i = 0; i < shim.image_count; i++) {
		struct verdict verdict = decide_link(shim.images[i], link, length, asked->access);
		if (verdict.allowed)
			continue;
		asked->result = asked->access == ACCESS_LOOK || verdict.error == ENOENT
					? 0
					: ordinary_failure(asked->place, asked->access, asked->makes);
		if (asked->result == 0)
			asked->result =
				refuse_name(asked->request, link, length, asked->access, &verdict, i, asked->access);
		return false;
	}
	return true;
}

int judge_made(struct request *request, const struct place *place, unsigned access, bool makes, unsigned made)
{
	struct links_asked links = {request, place, access, makes, 0};
	struct verdict verdict;
	unsigned image;
	int r = judge_always_place(request, place, access);

	if (r == 0 && (access & ACCESS_WRITE) && audits())
		r = judge_result(request, place, false);
	if (r < 0 || (place->nameless && !place->deleted && !(access & ACCESS_EXEC)))
		return r;
	bool asked = judge_asked(place, access, &verdict, &image);
	if (!asked)
		place_links(place, ask_link, &links);
	if (links.result < 0)
		return links.result;
	if (!asked && (!(access & ACCESS_WRITE) || !judge_stand(place, made, &verdict, &image)))
		return 0;
	/* of what is hidden the mode bits would tell that it is there */
	r = access == ACCESS_LOOK || verdict.error == ENOENT ? 0 : ordinary_failure(place, access, makes);
	if (r < 0)
		return r;
	return refuse_name(request, place->name, place->length, access, &verdict, image, asked ? access : 0);
}

int judge_place(struct request *request, const struct place *place, unsigned access, bool makes)
{
	return judge_made(request, place, access, makes, 0);
}

/* ---- what a call's arguments are ---------------------------------------- */

static uint64_t flag_argument(const struct request *request, enum arg_kind kind)
{
	int i = call_arg_index(request->call, kind, 0);

	return i < 0 ? 0 : (uint32_t)request->args[i];
}

static bool follows(const struct request *request, enum final final)
{
	switch (final) {
	case FINAL_FOLLOW:
	case FINAL_OPEN: /* judge_open knows better */
		return true;
	case FINAL_NOFOLLOW:
	case FINAL_NAME:
		return false;
	case FINAL_AT_NOFOLLOW:
		return !(flag_argument(request, ARG_AT_FLAGS) & AT_SYMLINK_NOFOLLOW);
	case FINAL_AT_FOLLOW:
		return (flag_argument(request, ARG_AT_FLAGS) & AT_SYMLINK_FOLLOW) != 0;
	case FINAL_WATCH:
		return !(flag_argument(request, ARG_WATCH_MASK) & IN_DONT_FOLLOW);
	}
	return true;
}

/* An address that the kernel would not read either. */
static bool is_bad(const char *text)
{
	return (uint64_t)text < 4096 || (uint64_t)text >= UINT64_C(0x800000000000);
}

/* Does the argument name the object of its directory descriptor itself? */
static bool names_descriptor(const struct request *request, const struct call_arg *arg, const char *path)
{
	bool by_flags = (arg->empty & EMPTY_BY_FLAGS) && (flag_argument(request, ARG_AT_FLAGS) & AT_EMPTY_PATH);

	if (!path)
		return by_flags || (arg->empty & EMPTY_NULL);
	return !is_bad(path) && (by_flags || (arg->empty & EMPTY_ALWAYS)) && !*path;
}

/* Argument `i`, a name. As judge_resolve. */
static int resolve_argument(struct request *request, int i, struct place *place)
{
	const struct call_arg *arg = &request->call->args[i];
	bool at = i > 0 && request->call->args[i - 1].kind == ARG_DIRFD;
	int dirfd = at ? (int)request->args[i - 1] : AT_FDCWD;
	const char *path = (const char *)request->args[i];

	if (at && names_descriptor(request, arg, path))
		return judge_resolve_fd(place, dirfd);
	return judge_resolve(request, place, dirfd, path, follows(request, (enum final)arg->final));
}

static const char *requested_text(const struct request *request, int i)
{
	const char *path = (const char *)request->args[i];

	return is_bad(path) ? "" : path;
}

/* ---- opening ------------------------------------------------------------ */

/* Does it fail for what it is, whoever may open it? Of what is hidden that would tell that it is there. */
static bool fails_to_open(const struct place *place, uint64_t flags)
{
	bool may_fail = (flags & (O_DIRECTORY | O_CREAT | O_NOFOLLOW)) || (call_open_access(flags) & ACCESS_WRITE);

	return may_fail && call_open_error(flags, place_type(place)) < 0 && !judge_hidden(place);
}

int judge_open(struct request *request, int dirfd, const char *path, uint64_t flags)
{
	struct place place;
	bool exclusive = (flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL) && !(flags & O_PATH);
	unsigned access = call_open_access(flags);
	int r = 0;

	if (access == ACCESS_LOOK && !(shim.may_refuse & ACCESS_LOOK))
		return 0;
	request->requested = path;
	r = judge_resolve(request, &place, dirfd, path, !(flags & O_NOFOLLOW) && !exclusive);
	if (r != 0)
		r = r == JUDGED_FAILS ? 0 : r;
	else if (!place.exists && (flags & O_CREAT) && !(flags & O_PATH))
		r = judge_made(request, &place, access | ACCESS_WRITE, false, S_IFREG);
	else if (place.exists && !exclusive)
		r = fails_to_open(&place, flags) ? 0 : judge_place(request, &place, access, false);
	else if (exclusive && judge_hidden(&place))
		r = judge_place(request, &place, access | ACCESS_WRITE, true);
	place_close(&place);
	return r;
}

static int judge_open_call(struct request *request)
{
	int path = call_arg_index(request->call, ARG_PATH, 0), flags = call_arg_index(request->call, ARG_OPEN_FLAGS, 0),
	    how = call_arg_index(request->call, ARG_OPEN_HOW, 0);
	bool at = request->call->args[0].kind == ARG_DIRFD;
	uint64_t wanted = O_CREAT | O_WRONLY | O_TRUNC;

	if (flags >= 0)
		wanted = (uint32_t)request->args[flags];
	else if (how >= 0 && !readable((const void *)request->args[how], sizeof(struct open_how)))
		return 0;
	else if (how >= 0)
		wanted = ((const struct open_how *)request->args[how])->flags;
	if (is_bad((const char *)request->args[path]))
		return 0;
	return judge_open(request, at ? (int)request->args[0] : AT_FDCWD, (const char *)request->args[path], wanted);
}

/* ---- one name, two names ------------------------------------------------ */

/* Where a process outside the run has its files and directories: no violation if the kernel does not tell it either. */
static int judge_stranger_link(struct request *request, const struct place *place)
{
	char target[1];
	long n = 0;

	if (!always_stranger(place->name, place->length) || place_type(place) != S_IFLNK)
		return 0;
	n = raw(__NR_readlinkat, place->fd, "", target, 1);
	return n < 0 ? (int)n : refuse_place(request, place, WIRE_FILE_READ, WIRE_ABOUT_CALL, EACCES, 0);
}

/* What a call with one name makes there. mknod(2) makes no directories; which other kinds of files is all one here. */
static unsigned made_type(const struct request *request)
{
	if (request->call->op == OP_SYMLINK)
		return S_IFLNK;
	if (request->call->op != OP_CREATE)
		return 0;
	return request->number == __NR_mkdir || request->number == __NR_mkdirat ? S_IFDIR : S_IFREG;
}

/* Is there no such extended attribute, or can there be none? */
static bool lacks_attribute(const struct request *request, const struct place *place)
{
	char path[COMMON_DESCRIPTOR_NAME];

	common_descriptor_name(path, place->fd);
	long n = raw(__NR_getxattr, path, request->args[call_arg_index(request->call, ARG_ATTRIBUTE, 0)], 0, 0);
	return n == -ENODATA || n == -EOPNOTSUPP;
}

/* What an extended attribute takes: its value in user.*, if there is one, is for those who may read the file. */
static unsigned value_access(const struct request *request, const struct place *place)
{
	const char *name = (const char *)request->args[call_arg_index(request->call, ARG_ATTRIBUTE, 0)];
	int size = call_arg_index(request->call, ARG_VALUE_SIZE, 0);

	if (!readable(name, sizeof "user.") || !text_begins(name, "user.") || (size >= 0 && request->args[size] == 0) ||
	    lacks_attribute(request, place))
		return ACCESS_LOOK;
	return ACCESS_LOOK | ACCESS_READ;
}

/* truncate(2) of what is no file, watching what is no directory as one, removing an attribute that is not there: fails_to_open. */
static bool fails_by_kind(const struct request *request, const struct place *place)
{
	bool truncates = call_arg_index(request->call, ARG_LENGTH, 0) >= 0,
	     lists = request->call->op == OP_WATCH && (flag_argument(request, ARG_WATCH_MASK) & IN_ONLYDIR);
	int attribute = call_arg_index(request->call, ARG_ATTRIBUTE, 0);
	bool removes = attribute >= 0 && request->call->op == OP_CHANGE &&
		       request->call->args[attribute + 1].kind == ARG_UNUSED;
	bool fails = removes ? lacks_attribute(request, place)
			     : (truncates || lists) && place_type(place) != (truncates ? S_IFREG : S_IFDIR);
	return fails && place->exists && !judge_hidden(place);
}

static int judge_one_name(struct request *request)
{
	int i = call_arg_index(request->call, ARG_PATH, 0);
	const struct call_arg *arg = &request->call->args[i];
	bool makes = arg->final == FINAL_NAME, new = request->call->op == OP_CREATE || request->call->op == OP_SYMLINK;
	bool reads_link = request->call->op == OP_READLINK, reads_value = request->call->op == OP_VALUE;
	struct place place;

	if (!(arg->access & shim.may_refuse) && !(arg->access & ACCESS_WRITE) && !reads_link && !reads_value)
		return 0;
	request->requested = requested_text(request, i);
	int r = resolve_argument(request, i, &place);
	bool found = r == 0 &&
		     (place.exists != new || (new &&judge_hidden(&place))); /* else the kernel says EEXIST or ENOENT */
	if (r != 0)
		r = r == JUDGED_FAILS ? 0 : r;
	else if (found && request->call->op == OP_REMOVE && place_type(&place) == S_IFDIR)
		r = judge_result(request, &place, true);
	if (r == 0 && found && !fails_by_kind(request, &place))
		r = judge_made(request, &place, reads_value ? value_access(request, &place) : arg->access, makes,
			       made_type(request));
	if (r == 0 && reads_link && place.exists)
		r = judge_stranger_link(request, &place);
	place_close(&place);
	return r;
}

/* An access to what a descriptor, the i-th argument, stands for. */
static int judge_object(struct request *request, int i, unsigned access)
{
	struct place place;
	int r = place_of_fd(&place, (int)request->args[i]);

	r = r < 0 ? (place_unresolvable(r) || r == -EACCES ? r : 0) : judge_place(request, &place, access, false);
	place_close(&place);
	return r;
}

static int judge_change_fd(struct request *request)
{
	int i = call_arg_index(request->call, ARG_OBJECT, 0);

	return judge_object(request, i, request->call->args[i].access);
}

/* May what `from` names come to be called `to`? */
static int judge_move(struct request *request, const struct place *from, const struct place *to)
{
	bool directory = place_type(from) == S_IFDIR;

	for (unsigned i = 0; i < shim.image_count; i++) {
		struct verdict verdict =
			decide_move(shim.images[i], from->name, from->length, to->name, to->length, directory);
		if (verdict.allowed)
			continue;
		/* the two names one behind the other; report.c puts the arrow between them */
		return refuse(request, &(struct refusal){.kind = WIRE_FILE_WRITE,
							 .about = WIRE_ABOUT_MOVE,
							 .error = verdict.error,
							 .rule = verdict.rule,
							 .image = i,
							 .target = from->name,
							 .length = from->length,
							 .address = to->name,
							 .address_length = to->length});
	}
	return 0;
}

static int judge_rename(struct request *request, const struct place *from, const struct place *to)
{
	uint64_t flags = flag_argument(request, ARG_RENAME_FLAGS);
	bool exchange = flags & RENAME_EXCHANGE;

	if (!from->exists || (exchange && !to->exists) ||
	    (to->exists && (flags & RENAME_NOREPLACE) && !judge_hidden(from) && !judge_hidden(to)))
		return 0;
	int r = audits() ? judge_result(request, from, place_type(from) == S_IFDIR) : 0;
	if (r == 0 && audits() && to->exists)
		r = judge_result(request, to, place_type(to) == S_IFDIR);
	if (r == 0)
		r = judge_made(request, from, ACCESS_WRITE, true, exchange ? place_type(to) : 0);
	if (r == 0)
		r = judge_made(request, to, ACCESS_WRITE, true, place_type(from));
	if (r == 0)
		r = judge_move(request, from, to);
	return r == 0 && exchange ? judge_move(request, to, from) : r;
}

static int judge_link(struct request *request, const struct place *from, const struct place *to)
{
	if (!from->exists)
		return 0;
	int r = judge_place(request, from, ACCESS_LOOK, false);
	if (r < 0 || (to->exists && !judge_hidden(to)))
		return r;
	r = judge_made(request, to, ACCESS_WRITE, true, place_type(from));
	return r == 0 && (!from->nameless || from->deleted) ? judge_move(request, from, to) : r;
}

static int judge_two_names(struct request *request)
{
	int first = call_arg_index(request->call, ARG_PATH, 0),
	    second = call_arg_index(request->call, ARG_PATH, first + 1);
	struct place from, to;

	request->requested = requested_text(request, first);
	int r = resolve_argument(request, first, &from), s = resolve_argument(request, second, &to);
	if (r != 0 || s != 0)
		r = r < 0 ? r : s < 0 ? s : 0;
	else
		r = request->call->op == OP_RENAME ? judge_rename(request, &from, &to)
						   : judge_link(request, &from, &to);
	place_close(&from);
	place_close(&to);
	return r;
}

/* ---- by registers ------------------------------------------------------- */

/* As in register_rules.h. */
enum {
	NAMESPACES = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |
		     CLONE_NEWNET
};

/* Is its first argument a descriptor of such a thing (S_IFCHR and the like)? */
static bool is_about(const struct request *request, unsigned kind)
{
	struct statx stx;

	return common_object((int)request->args[0], STATX_TYPE, &stx) == 0 && (stx.stx_mode & S_IFMT) == kind;
}

/* A descriptor of a terminal that is to signal its owner signals the terminal's foreground group: fcntl(2), F_SETOWN. */
static int judge_hearing(struct request *request, bool on)
{
	return on && is_about(request, S_IFCHR) ? refuse_control(request, "% ", FASYNC, true) : 0;
}

static int judge_ioctl(struct request *request)
{
	uint32_t code = (uint32_t)request->args[1];

	switch (code) {
	case TIOCSTI:
	case TIOCLINUX:
	case FIOSETOWN:
	case SIOCSPGRP:
		return refuse_control(request, "% ", code, true);
	case FIOASYNC: {
		const int *on = (const int *)request->args[2];
		return judge_hearing(request, readable(on, sizeof *on) && *on);
	}
	case FIOCLEX:
		return is_reserved(request->args[0]) ? -EBADF : 0;
	default:
		return net_asks_interfaces(code) && is_about(request, S_IFSOCK) ? judge_interfaces(request) : 0;
	}
}

static int judge_fcntl(struct request *request)
{
	int who = (int)request->args[2];

	if (is_reserved(request->args[0]))
		return -EBADF;
	if (request->args[1] == F_SETFL)
		return judge_hearing(request, who & FASYNC);
	if (request->args[1] == F_SETLEASE && who != F_UNLCK)
		return judge_object(request, 0, ACCESS_WRITE); /* a lease keeps others from writing to the file */
	if ((request->args[1] == F_SETOWN && who != 0 && !run_has(who)) || request->args[1] == F_SETOWN_EX)
		return refuse_control(request, "% ", (unsigned)request->args[1], true);
	return 0;
}

/* close_range: reserved descriptors are left out, what is above them is closed first. */
static int judge_range(struct request *request)
{
	uint32_t first = (uint32_t)request->args[0], last = (uint32_t)request->args[1],
		 behind = shim.limit + RESERVED_FD_COUNT;

	if (first > last || last < shim.limit || first >= behind)
		return 0;
	if (first >= shim.limit) {
		request->args[0] = behind;
		return last < behind ? JUDGED_DONE : 0;
	}
	if (last >= behind)
		raw(__NR_close_range, behind, last, request->args[2]);
	request->args[1] = shim.limit - 1;
	return 0;
}

/* Reserved descriptors are not there for the program. */
static int judge_descriptor(struct request *request)
{
	if (call_arg_index(request->call, ARG_LAST_SLOT, 0) >= 0)
		return judge_range(request);
	return is_reserved(request->args[call_arg_index(request->call, ARG_SLOT, 0)]) ? -EBADF : 0;
}

static int judge_clone_flags(struct request *request, uint64_t flags)
{
	if (flags & NAMESPACES)
		return refuse_value(request, WIRE_PRIVILEGE, EPERM, "% ", flags & NAMESPACES, true);
	return 0;
}

static int judge_registers(struct request *request)
{
	switch (request->call->op) {
	case OP_CLONE:
		return judge_clone_flags(request, request->args[0]);
	case OP_IOCTL:
		return judge_ioctl(request);
	case OP_FCNTL:
		return judge_fcntl(request);
	default: /* DESCRIPTOR */
		return judge_descriptor(request);
	}
}

/* ---- every call --------------------------------------------------------- */

static int judge_exec_call(struct request *request)
{
	int path = call_arg_index(request->call, ARG_PATH, 0), argv = call_arg_index(request->call, ARG_ARGV, 0);

	if (is_bad((const char *)request->args[path]))
		return 0;
	return judge_exec(path > 0 ? (int)request->args[0] : AT_FDCWD, (const char *)request->args[path],
			  (char *const *)request->args[argv], (int)flag_argument(request, ARG_AT_FLAGS));
}

/* A call that no tool gets. */
static int judge_refused(struct request *request)
{
	if (request->call->op == OP_REFUSE_IFACE)
		return refuse_always(request, WIRE_INTERFACE, ENOSYS, NULL);
	return refuse_always(request, request->call->op == OP_REFUSE_PROC ? WIRE_PROCESS_CONTROL : WIRE_PRIVILEGE,
			     EPERM, NULL);
}

int judge(struct request *request)
{
	switch ((enum call_op)request->call->op) {
	case OP_REFUSE:
	case OP_REFUSE_IFACE:
	case OP_REFUSE_PROC:
		return judge_refused(request);
	case OP_OPEN:
		return judge_open_call(request);
	case OP_LOOK:
	case OP_VALUE:
	case OP_READLINK:
	case OP_CHDIR:
	case OP_WATCH:
	case OP_CREATE:
	case OP_SYMLINK:
	case OP_REMOVE:
	case OP_CHANGE:
		return judge_one_name(request);
	case OP_CHANGE_FD:
		return judge_change_fd(request);
	case OP_RENAME:
	case OP_LINK:
		return judge_two_names(request);
	case OP_EXEC:
		return judge_exec_call(request);
	case OP_SOCKET:
	case OP_CONNECT:
	case OP_BIND:
	case OP_LISTEN:
	case OP_SENDMSG:
	case OP_SENDMMSG:
	case OP_SOCKOPT:
		return judge_network(request);
	case OP_SIGNAL:
	case OP_PROCESS:
	case OP_IPC:
		return judge_processes(request);
	case OP_CLONE:
	case OP_IOCTL:
	case OP_FCNTL:
	case OP_DESCRIPTOR:
		return judge_registers(request);
	/* What a supervisor needs to know of, or its reserved memory: nothing without one. */
	case OP_NONE:
	case OP_CLONE3:
	case OP_CREDENTIALS:
	case OP_PRCTL:
	case OP_SECCOMP:
	case OP_MEMORY:
	case OP_ASYNC:
	case OP_FORK:
	case OP_ALLOCATE:
	case OP_CONFINE:
	case OP_COUNT:
		break;
	}
	return 0;
}
