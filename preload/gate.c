/* SPDX-License-Identifier: MIT */
/*
 * gate.c - beside a supervisor: an open that needs none (wire.h, "The gate"). The name is made one beneath a root, and the
 * kernel keeps the walk there; what flags it may have stands in the page. Nothing is decided here. Whatever is not
 * certain to be what the call itself would have come to is left to the call, which the supervisor then judges.
 *
 * Nothing is kept from one call to the next - working directories and descriptors belong to threads, and change - so that
 * vfork children, signal handlers and threads that share what others do not are all served alike. Nor is it
 * asked whether this process has another root directory or other mounts than the launcher, since
 * chroot, pivot_root, mount, setns and new namespaces are refused to every tool.
 */
#include <asm-generic/errno.h>
#include <linux/fcntl.h>

#include "shim.h"

enum {
	JOINED_MOST = 1024, /* a name made absolute; longer ones are left to the call */
	HOW_SIZE = 24,	    /* of the kernel's struct open_how, without the filler */
	PAGE = 4096,
	MODE_BITS = 07777, /* open() ignores the others, openat2() does not */
	MEANT_WITH_O_PATH = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
	O_TMPFILE_BIT = O_TMPFILE & ~O_DIRECTORY,
	CANCEL_ASYNCHRONOUS = 1, /* PTHREAD_CANCEL_ASYNCHRONOUS, the same in glibc and musl */
};

#define GATE ((const struct wire_gate *)GATE_START)

/* Whoever put the page there did so before the program's first instruction; and it stays. */
bool gate_find(void)
{
	if (!readable(GATE, 1) || GATE->magic != GATE_MAGIC)
		return false;
	shim.gate = GATE->version == WIRE_VERSION;
	shim.limit = GATE->first_root - RESERVED_FD_ROOT;
	return true;
}

/* ---- names -------------------------------------------------------------- */

struct root {
	int fd;
	bool writable;
	const char *rest; /* of the name, behind the root's own */
};

/*
 * Where not all of it can be read the kernel says so. By
 * aligned words, none of which reaches into another page; and no page is read before the kernel has.
 */
size_t gate_name_length(const char *name)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	uint64_t start = (uint64_t)name, at = start & ~UINT64_C(7), page = UINT64_MAX;
	uint64_t before = (UINT64_C(1) << (start - at) * 8) - 1; /* bytes that are not of the name */

	for (; at < start + GATE_NAME_MOST; at += 8, before = 0) {
		if (at / PAGE != page && !readable((const void *)at, 1))
			return GATE_NAME_MOST;
		page = at / PAGE;
		uint64_t word = *(const volatile uint64_t *)at | before;
		uint64_t ends = (word - ones) & ~word & ones << 7;
		if (ends) {
			size_t length = at - start + (unsigned)__builtin_ctzll(ends) / 8;
			return length < GATE_NAME_MOST ? length : GATE_NAME_MOST;
		}
	}
	return GATE_NAME_MOST;
}

/* Over slashes, and over components that are "." with something behind them. */
static const char *skip_slashes(const char *path)
{
	for (;; path++)
		if (*path != '/' && (path[0] != '.' || path[1] != '/'))
			return path;
}

/* What is left of `path` behind `name`; NULL: it does not begin with it. Says the same name twice "//" and "/./". */
static const char *behind(const char *path, const char *name, size_t length)
{
	const char *end = name + length;

	while (name < end) {
		if (*name == '/') {
			if (*path != '/')
				return NULL;
			path = skip_slashes(path);
			name++;
		}
		while (name < end && *name != '/')
			if (*path++ != *name++)
				return NULL;
	}
	return *path == '/' || !*path ? path : NULL;
}

/*
 * The nearest root that `path` lies beneath, and the rest of it. Only the text of the root's own name is compared, so none of
 * ".." is in it; the rest may be anything. A name of nothing but a root's becomes ".".
 */
static bool find_root(const char *path, size_t length, struct root *root)
{
	for (uint32_t i = 0; i < GATE->name_count; i++) {
		const struct wire_gate_name *name = &GATE->name[i];
		const char *rest = name->length <= length ? behind(path, GATE->text + name->text, name->length) : NULL;
		unsigned number = name->root;
		if (!rest)
			continue;
		rest = skip_slashes(rest);
		*root = (struct root){ (int)(GATE->first_root + number), name->writable, *rest ? rest : "." };
		return number != GATE_GONE;
	}
	return false;
}

/*
 * The directory that a relative name begins at, as a name in `joined`. Its length, 0: it has none. This is most of what such an
 * open costs, and nothing that is cheaper would be right: a name that is kept is another directory's as soon as one above is
 * moved, which neither inode nor mount shows; and /proc/self, a little faster, may be another thread's descriptors.
 */
static size_t directory_name(int dirfd, char *joined)
{
	static const char deleted[] = " (deleted)";
	char link[48];
	long n;

	if (dirfd == AT_FDCWD) {
		n = raw(__NR_getcwd, joined, JOINED_MOST) - 1;
	} else {
		if ((unsigned)dirfd >= shim.limit)
			return 0;
		text_put_number(text_put(link, "/proc/thread-self/fd/"), (unsigned)dirfd);
		n = raw(__NR_readlink, link, joined, JOINED_MOST);
		if (n > 0 && text_ends(joined, (size_t)n, deleted))
			return 0;
	}
	if (n <= 0 || n >= JOINED_MOST || joined[0] != '/')
		return 0;
	return n == 1 ? 0 : (size_t)n; /* "/" would be a root with everything beneath it; there is none */
}

/* ---- the call ----------------------------------------------------------- */

/* As find_how, for a file that is to be made. */
static const struct wire_how *find_creating(uint32_t flags, uint64_t mode)
{
	uint32_t first = GATE->how_creating, modes = GATE->mode_count, column = 0;

	while (column < modes && GATE->how[first + column].mode != mode)
		column++;
	for (uint32_t i = first; column < modes && i + modes <= GATE->how_count; i += modes)
		if (GATE->how[i].flags == flags)
			return &GATE->how[i + column];
	return NULL;
}

/* Which entry has these flags, so that the kernel does what open() would do; NULL: none. */
static const struct wire_how *find_how(const struct root *root, uint32_t flags, uint64_t mode)
{
	uint32_t count = root->writable ? GATE->how_creating : GATE->how_reading;

	flags &= ~(uint32_t)O_LARGEFILE;
	if (flags & O_PATH)
		flags &= MEANT_WITH_O_PATH;
	if (flags & (O_CREAT | O_TMPFILE_BIT))
		return root->writable ? find_creating(flags, mode & MODE_BITS) : NULL;
	for (uint32_t i = 0; i < count; i++)
		if (GATE->how[i].flags == flags)
			return &GATE->how[i];
	return NULL;
}

/*
 * open() is a cancellation point: a thread that waits in it, for a FIFO's other end, can be cancelled. So while ours is in
 * the kernel the thread may be cancelled at any instruction, as older versions of glibc do it themselves; there is nothing
 * of ours that would be left behind.
 */
static long open_beneath(const struct root *root, const struct wire_how *how, bool cancels)
{
	int (*set_type)(int, int *) = cancels ? (int (*)(int, int *))next_of(WRAP_pthread_setcanceltype) : NULL;
	int type = 0;

	if (!set_type || (how->flags & (O_PATH | O_NONBLOCK | O_DIRECTORY)))
		return raw(__NR_openat2, root->fd, root->rest, how, HOW_SIZE);
	set_type(CANCEL_ASYNCHRONOUS, &type);
	long fd = raw(__NR_openat2, root->fd, root->rest, how, HOW_SIZE);
	set_type(type, NULL);
	return fd;
}

/* Is it what the call itself would say? `relative`: the way to the directory was not walked by the call, and may be
 * one that this process could not walk. */
static bool is_true(long answer, bool relative)
{
	if (!raw_failed(answer))
		return true;
	switch (-answer) {
	case EACCES:
		return !relative;
	case ENOENT:
	case EEXIST:
	case EISDIR:
	case ENOTDIR:
	case EMFILE:
	case EINTR:
	case ENXIO:
	case ETXTBSY:
	case EROFS:
		return true;
	default: /* EXDEV, ELOOP: it leads out of the root. EAGAIN, EPERM, EINVAL, ...: may have reasons that are ours */
		return false;
	}
}

/* An absolute name, its length known. */
static long open_absolute(const char *path, size_t length, uint32_t flags, uint64_t mode, unsigned ways)
{
	struct root root;
	const struct wire_how *how = find_root(path, length, &root) ? find_how(&root, flags, mode) : NULL;

	/* the name of a root may be that of a link to it; and "." cannot be made */
	if (!how || (root.rest[0] == '.' && !root.rest[1] && (flags & (O_NOFOLLOW | O_CREAT))))
		return GATE_NOT;
	long answer = open_beneath(&root, how, ways & GATE_CANCELS);
	return is_true(answer, ways & GATE_RELATIVE) ? answer : GATE_NOT;
}

/* Apart, for its stack. */
__attribute__((noinline)) static long open_relative(int dirfd, const char *path, size_t length, uint32_t flags, uint64_t mode,
						    unsigned ways)
{
	char joined[JOINED_MOST];
	size_t start = directory_name(dirfd, joined);

	if (start == 0 || start + length + 2 > sizeof joined)
		return GATE_NOT;
	joined[start] = '/';
	memcpy(joined + start + 1, path, length + 1);
	long answer = open_absolute(joined, start + 1 + length, flags, mode, ways | GATE_RELATIVE);
	if (answer != -ENOENT)
		return answer;
	/* not there; or was the directory moved before the kernel came to look? */
	char again[JOINED_MOST];
	size_t n = directory_name(dirfd, again);
	return n == start && memcmp(again, joined, n) == 0 ? answer : GATE_NOT;
}

/* As newfstatat without its result: 0, -errno, or GATE_NOT when it would stop. */
static long look(int dirfd, const char *path, int flags)
{
	enum { STAT_SIZE = 144 }; /* the kernel's struct stat */
	char status[STAT_SIZE] __attribute__((aligned(8)));

	return shim.gate && GATE->looking_passes ? raw(__NR_newfstatat, dirfd, path, status, flags) : GATE_NOT;
}

bool gate_missing(int dirfd, const char *path, int flags, long *answer)
{
	*answer = look(dirfd, path, flags);
	return *answer == -ENOENT || *answer == -ENOTDIR; /* EACCES may be the floor's, and to be told of */
}

bool gate_exists(int dirfd, const char *path)
{
	return look(dirfd, path, AT_SYMLINK_NOFOLLOW) == 0;
}

static long open_somehow(int dirfd, const char *path, uint64_t flags, uint64_t mode, unsigned ways)
{
	size_t length = gate_name_length(path);

	if (length == 0 || length >= GATE_NAME_MOST)
		return GATE_NOT;
	return path[0] == '/' ? open_absolute(path, length, (uint32_t)flags, mode, ways) :
				open_relative(dirfd, path, length, (uint32_t)flags, mode, ways);
}

long gate_open(int dirfd, const char *path, uint64_t flags, uint64_t mode, unsigned ways)
{
	long answer = shim.gate ? open_somehow(dirfd, path, flags, mode, ways) : GATE_NOT, missing;

	/* an open that neither makes anything nor stops at a link */
	if (answer == GATE_NOT && !(flags & (O_CREAT | O_TMPFILE_BIT | O_NOFOLLOW)) && gate_missing(dirfd, path, 0, &missing))
		return missing;
	return answer;
}
