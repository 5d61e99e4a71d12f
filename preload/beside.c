/* SPDX-License-Identifier: MIT */
/*
 * beside.c - what a wrapped function does where a supervisor decides: if it
 * opens a file, that is tried through the gate; what cannot but fail, since there is something or nothing of the name, fails
 * here; in all else the function behind it is called at once.
 */
#include <asm-generic/errno.h>
#include <linux/fcntl.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>

#include "gate_way.h"

enum {
	MODE_OF_STREAMS = 0666,
	O_TMPFILE_BIT = O_TMPFILE & ~O_DIRECTORY,
};

/* A call that opens, by its number and its own arguments. */
static long open_by_call(long number, const uint64_t *args, unsigned ways)
{
	switch (number) {
	case __NR_open:
		return gate_open(AT_FDCWD, (const char *)args[0], args[1], args[2], ways);
	case __NR_openat:
		return gate_open((int)args[0], (const char *)args[1], args[2], args[3], ways);
	case __NR_creat:
		return gate_open(AT_FDCWD, (const char *)args[0], O_CREAT | O_WRONLY | O_TRUNC, args[1], ways);
	default:
		return GATE_NOT;
	}
}

/* Making a directory that is there, or removing what is not: what such a call says; else GATE_NOT. */
static long fail_by_call(long number, const uint64_t *args)
{
	bool at = number == __NR_mkdirat || number == __NR_unlinkat;
	int dirfd = at ? (int)args[0] : AT_FDCWD;
	const char *path = (const char *)args[at];
	long answer;

	switch (number) {
	case __NR_mkdir:
	case __NR_mkdirat:
		return gate_exists(dirfd, path) ? -EEXIST : GATE_NOT;
	case __NR_unlinkat:
		if ((uint32_t)args[2] & ~(uint32_t)AT_REMOVEDIR)
			return GATE_NOT;
		/* fall through */
	case __NR_unlink:
	case __NR_rmdir:
		return gate_missing(dirfd, path, AT_SYMLINK_NOFOLLOW, &answer) ? answer : GATE_NOT;
	default:
		return GATE_NOT;
	}
}

/* The page's name of an extended attribute in place of the same name, which the filter does not know by its address. */
static void name_attribute(struct frame *frame)
{
	enum { NAME = 1 };
	const char *name = (const char *)frame->args[NAME];
	size_t length = shim.gate ? gate_name_length(name) : GATE_NAME_MOST;

	for (int i = 0; i < GATE_ATTRIBUTES && length < GATE_ATTRIBUTE_SIZE; i++)
		if (memcmp(name, GATE->attribute[i], length + 1) == 0)
			frame->args[NAME] = (uint64_t)GATE->attribute[i];
}

/* Fortified: the program ends when a third argument would be needed. That is for the function itself to say. */
static long open_fortified(long number, const uint64_t *args)
{
	uint64_t flags = number == __NR_open ? args[1] : args[2];

	return flags & (O_CREAT | O_TMPFILE_BIT) ? GATE_NOT : open_by_call(number, args, GATE_CANCELS);
}

/*
 * A filter of the program's own: what it makes of an openat2 that the program would not have made may be its end. So
 * there is none from now on, and the programs that it starts do not get the shim (exec.c).
 */
static void note_filter(long number, const uint64_t *args)
{
	if ((number == __NR_prctl && args[0] == PR_SET_SECCOMP) ||
	    (number == __NR_seccomp && args[0] != SECCOMP_GET_ACTION_AVAIL && args[0] != SECCOMP_GET_NOTIF_SIZES)) {
		shim.filtered = true;
		if (shim.gate)
			site_give_back();
		shim.gate = false;
	}
}

/* A mode whose letters mean the same to each libc, and nothing but flags. Not 'a': fopen goes to the end of the file at
 * once, fdopen does not. */
static bool is_plain(const char *mode)
{
	enum { LETTERS_MOST = 6 }; /* as far as glibc looks */
	size_t n = 1;

	if (!readable(mode, LETTERS_MOST + 1) || (mode[0] != 'r' && mode[0] != 'w'))
		return false;
	while (n < LETTERS_MOST && mode[n] && text_find("+bex", mode[n]))
		n++;
	return !mode[n];
}

/* What was opened becomes a stream, by the function that libc has for it; or goes. True: that is what came of it. */
static bool make_stream(struct frame *frame, long fd, enum wrap_index by, const char *mode)
{
	typedef void *function(int, const char *); /* fdopendir takes no second */
	function *make = (function *)next_of(by);

	if (fd < 0) {
		shim_set_errno((int)-fd);
		frame->result = 0;
		return true;
	}
	void *stream = make((int)fd, mode);
	if (!stream)
		raw(__NR_close, fd);
	frame->result = (uint64_t)stream;
	return true;
}

static bool stream(struct frame *frame)
{
	const char *mode = (const char *)frame->args[1];

	if (!shim.gate || !next_of(WRAP_fdopen) || !is_plain(mode))
		return false;
	long fd = gate_open(AT_FDCWD, (const char *)frame->args[0], mode_flags(mode), MODE_OF_STREAMS, 0);
	return fd != GATE_NOT && make_stream(frame, fd, WRAP_fdopen, mode);
}

static bool directory(struct frame *frame)
{
	const char *path = (const char *)frame->args[0];
	uint64_t flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | (libc_is_musl() ? 0 : O_NONBLOCK);

	if (!shim.gate || !next_of(WRAP_fdopendir))
		return false;
	long fd = gate_open(AT_FDCWD, path, flags, 0, 0);
	return fd != GATE_NOT && make_stream(frame, fd, WRAP_fdopendir, NULL);
}

/*
 * mkstemp and its kin: a name that nobody guesses, and that is new. True: *fd is what came of it, and the name is in its place;
 * else the template is as it was.
 */
static bool temporary(char *template, int suffix, int flags, long *fd)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789xX";
	enum { PLACES = 6, TRIES = 8, RANDOM_BITS = 6, NO_WAITING = 1 /* GRND_NONBLOCK */ };
	size_t length = shim.gate && suffix >= 0 && !((uint64_t)flags & ~(uint64_t)(O_CLOEXEC | O_RDWR))
				? gate_name_length(template)
				: 0;

	if (length < PLACES + (size_t)suffix || length == GATE_NAME_MOST)
		return false;
	char *at = template + length - (size_t)suffix - PLACES;
	if (memcmp(at, "XXXXXX", PLACES) != 0)
		return false;
	for (int i = 0; i < TRIES; i++) {
		uint64_t random;
		if (raw(__NR_getrandom, &random, sizeof random, NO_WAITING) != sizeof random)
			break;
		for (int place = 0; place < PLACES; place++, random >>= RANDOM_BITS)
			at[place] = letters[random & ((1u << RANDOM_BITS) - 1)];
		*fd = gate_open(AT_FDCWD, template, O_RDWR | O_CREAT | O_EXCL | ((uint64_t)flags & O_CLOEXEC), 0600, 0);
		if (*fd >= 0)
			return true;
		if (*fd != -EEXIST)
			break;
	}
	memcpy(at, "XXXXXX", PLACES); /* libc will find out what is the matter, or another name */
	return false;
}

static bool made_temporary(enum wrap_how how, struct frame *frame)
{
	bool suffix = how == HOW_TEMPORARY_S || how == HOW_TEMPORARY_SO;
	int flags = how == HOW_TEMPORARY_O ? (int)frame->args[1] : how == HOW_TEMPORARY_SO ? (int)frame->args[2] : 0;
	long fd;

	if (!temporary((char *)frame->args[0], suffix ? (int)frame->args[1] : 0, flags, &fd))
		return false;
	frame->result = (uint64_t)fd;
	return true;
}

static bool temporary_stream(struct frame *frame)
{
	if (!shim.gate || !next_of(WRAP_fdopen))
		return false;
	long fd = gate_open(AT_FDCWD, "/tmp", O_RDWR | O_TMPFILE | O_EXCL, 0600, 0);
	return fd >= 0 && make_stream(frame, fd, WRAP_fdopen, "w+");
}

bool beside(enum wrap_how how, long number, struct frame *frame)
{
	long fd = GATE_NOT;

	if (how == HOW_FOPEN)
		return stream(frame);
	if (how == HOW_OPENDIR)
		return directory(frame);
	if (how == HOW_TMPFILE)
		return temporary_stream(frame);
	if (number == __NR_open && how >= HOW_TEMPORARY && how <= HOW_TEMPORARY_SO)
		return made_temporary(how, frame);
	if (how == HOW_OPEN) {
		fd = open_by_call(number, frame->args, GATE_CANCELS);
	} else if (how == HOW_OPEN_2) {
		fd = open_fortified(number, frame->args);
	} else if (how == HOW_SYSCALL) {
		note_filter((long)frame->args[0], frame->args + 1);
		fd = open_by_call((long)frame->args[0], frame->args + 1, 0);
	} else if (number == __NR_prctl) {
		note_filter(number, frame->args);
	} else if (number == __NR_getxattr || number == __NR_lgetxattr) {
		name_attribute(frame);
	} else if (how == HOW_TABLE) {
		fd = fail_by_call(number, frame->args);
	}
	if (fd == GATE_NOT)
		return false;
	if (fd < 0)
		shim_set_errno((int)-fd);
	frame->result = (uint64_t)(fd < 0 ? -1 : fd);
	return true;
}
