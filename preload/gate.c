/* SPDX-License-Identifier: MIT */
/*
 * gate.c - beside a supervisor: an open that needs none (wire.h, "The gate"). The name is made one beneath a root, and
 * the kernel keeps the walk there; what flags it may have stands in the page. Nothing is decided here. Whatever is not
 * certain to be what the call itself would have come to is left to the call, which the supervisor then judges.
 *
 * Nothing is kept from one call to the next - working directories and descriptors belong to threads, and change - so
 * that vfork children, signal handlers and threads that share what others do not are all served alike. Nor is it asked
 * whether this process has another root directory or other mounts than the launcher, since chroot, pivot_root, mount,
 * setns and new namespaces are refused to every tool.
 */
#include <asm-generic/errno.h>
#include <linux/fcntl.h>

#include "gate_way.h"

enum {
	JOINED_MOST = 1024, /* a name made absolute; longer ones are left to the call */
	O_TMPFILE_BIT = O_TMPFILE & ~O_DIRECTORY,
	CANCEL_ASYNCHRONOUS = 1, /* PTHREAD_CANCEL_ASYNCHRONOUS, the same in glibc and musl */
};

/* Whoever put the page there did so before the program's first instruction; and it stays. */
bool gate_find(void)
{
	if (!readable(GATE, 1) || GATE->magic != GATE_MAGIC)
		return false;
	shim.gate = GATE->version == WIRE_VERSION;
	shim.limit = GATE->first_root - RESERVED_FD_ROOT;
	return true;
}

size_t gate_loader_site(void)
{
	return GATE->loader_site;
}

/*
 * The directory that a relative name begins at, as a name in `joined`. Its length, 0: it has none. This is most of what
 * such an open costs, and nothing that is cheaper would be right: a name that is kept is another directory's as soon as
 * one above is moved, which neither inode nor mount shows; and /proc/self, a little faster, may be another thread's
 * descriptors.
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

/*
 * open() is a cancellation point: a thread that waits in it, for a FIFO's other end, can be cancelled. So while ours is
 * in the kernel the thread may be cancelled at any instruction, as older versions of glibc do it themselves; there is
 * nothing of ours that would be left behind.
 */
static long open_cancelled(const struct gate_way *way, bool cancels)
{
	int (*set_type)(int, int *) = cancels ? (int (*)(int, int *))next_of(WRAP_pthread_setcanceltype) : NULL;
	int type = 0;

	if (!set_type || (way->how->flags & (O_PATH | O_NONBLOCK | O_DIRECTORY)))
		return gate_way_open(way);
	set_type(CANCEL_ASYNCHRONOUS, &type);
	long fd = gate_way_open(way);
	set_type(type, NULL);
	return fd;
}

/* An absolute name, its length known. */
static long open_absolute(const char *path, size_t length, uint32_t flags, uint64_t mode, unsigned ways)
{
	struct gate_way way;

	for (int kind = 0; kind < GATE_KINDS; kind++) {
		long answer = gate_way((enum gate_kind)kind, path, length, flags, mode, &way)
				      ? open_cancelled(&way, ways & GATE_CANCELS)
				      : GATE_NOT;
		if (answer != GATE_NOT && gate_way_true(answer))
			return answer;
	}
	return GATE_NOT;
}

/* Apart, for its stack. */
__attribute__((noinline)) static long open_relative(int dirfd, const char *path, size_t length, uint32_t flags,
						    uint64_t mode, unsigned ways)
{
	char joined[JOINED_MOST];
	size_t start = directory_name(dirfd, joined);

	if (start == 0 || start + length + 2 > sizeof joined)
		return GATE_NOT;
	joined[start] = '/';
	memcpy(joined + start + 1, path, length + 1);
	long answer = open_absolute(joined, start + 1 + length, flags, mode, ways);
	if (answer != -ENOENT)
		return answer;
	/* not there; or was the directory moved before the kernel came to look? */
	char again[JOINED_MOST];
	size_t n = directory_name(dirfd, again);
	return n == start && memcmp(again, joined, n) == 0 ? answer : GATE_NOT;
}

bool gate_missing(int dirfd, const char *path, int flags, long *answer)
{
	*answer = shim.gate ? gate_way_look(dirfd, path, flags) : GATE_NOT;
	return gate_way_missing(*answer);
}

bool gate_exists(int dirfd, const char *path)
{
	return shim.gate && gate_way_look(dirfd, path, AT_SYMLINK_NOFOLLOW) == 0;
}

static long open_somehow(int dirfd, const char *path, uint64_t flags, uint64_t mode, unsigned ways)
{
	size_t length = gate_name_length(path);

	if (length == 0 || length >= GATE_NAME_MOST)
		return GATE_NOT;
	return path[0] == '/' ? open_absolute(path, length, (uint32_t)flags, mode, ways)
			      : open_relative(dirfd, path, length, (uint32_t)flags, mode, ways);
}

long gate_open(int dirfd, const char *path, uint64_t flags, uint64_t mode, unsigned ways)
{
	long answer = shim.gate ? open_somehow(dirfd, path, flags, mode, ways) : GATE_NOT, missing;

	/* an open that neither makes anything nor stops at a link */
	if (answer == GATE_NOT && !(flags & (O_CREAT | O_TMPFILE_BIT | O_NOFOLLOW)) &&
	    gate_missing(dirfd, path, 0, &missing))
		return missing;
	return answer;
}
