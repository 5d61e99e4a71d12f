/* SPDX-License-Identifier: MIT */
/*
 * capture.c - see capture.h.
 *
 * What is passed on into a pipe is moved there by the kernel (splice(2)): nobody copies it, and a small write stays the
 * one piece that it was. Into a file it is copied: splice would take the place to write at from the open file and put
 * it back without the lock that write(2) holds meanwhile, and who shares that file, such as another run of the same
 * make, would be overwritten; and it cannot append.
 *
 * A writer wakes whoever waits for its pipe, and that costs it more than a small write does. So who writes often is
 * looked after every now and then, in between with nobody waiting at its pipe: when about a part of it is filled
 * (REST_PART), but not later than REST_MOST. Who writes much gets a larger pipe, so that it need not wait meanwhile.
 * What comes after a pause is passed on at once.
 */
#include "capture.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "usage.h"

enum {
	STREAMS = 2,
	CHUNK = 1 << 17,      /* read at once */
	USUAL_ROOM = 1 << 16, /* of a pipe, pipe(7) */
	LARGE_ROOM = 1 << 19,
	HURRY_MS = 100,
	NULL_MAJOR = 1, /* of /dev/null, null(4) */
	NULL_MINOR = 3,
	REST_PART = 4,
	SAME_FILE = 0, /* KCMP_FILE, kcmp(2) */
};
#define REST_LEAST UINT64_C(50000) /* ns */
#define REST_MOST UINT64_C(500000)
#define OFTEN (4 * REST_MOST) /* from one look to the next: then it is somebody who writes often */

struct stream {
	int from;	/* read end, or -1 when it has ended */
	int to;		/* where it is passed on to */
	bool into_file; /* and that is a file */
	bool moves;	/* or a pipe: without being copied */
	bool full;	/* it takes no more for now; where `moves` only */
	bool widened;	/* its pipe, or it was tried */
	size_t pipe_room;
	char *bytes;
	size_t length, room;
};

struct capture {
	struct stream stream[STREAMS];
	int stop[2]; /* written to when no writer is left */
	pthread_t thread;
	bool keep;
	bool stopping;
	atomic_bool hurry;
	bool truncated;
	uint64_t limit, seen;
	char chunk[CHUNK];
};

/* ---- one piece of output ------------------------------------------------ */

/* Make room for more; what cannot be kept counts as beyond the limit. */
static bool make_room(struct stream *s, size_t more)
{
	if (s->length + more <= s->room)
		return true;
	size_t room = s->room ? s->room * 2 : CHUNK;
	while (room < s->length + more)
		room *= 2;
	char *bytes = realloc(s->bytes, room);
	if (!bytes)
		return false;
	s->bytes = bytes;
	s->room = room;
	return true;
}

/* Wait until `to` takes something. False: it does not, and the run is over. */
static bool wait_for_room(struct capture *c, int to)
{
	struct pollfd p[2] = {{to, POLLOUT, 0}, {c->stopping ? -1 : c->stop[0], POLLIN, 0}};

	for (;;) {
		int n = poll(p, 2, p[1].fd < 0 && c->hurry ? HURRY_MS : -1);
		if (n < 0 && errno != EINTR)
			return false;
		if (n == 0)
			return false;
		if (n > 0 && p[0].revents)
			return true;
		if (n > 0 && p[1].revents)
			p[1].fd = -1;
	}
}

/* A file takes all at once; what else there is, in pieces of which one fits where there is any room (pipe(7),
 * PIPE_BUF). False: nothing more can be written; the tool is to find out as it would without us, by a broken pipe. */
static bool pass_on(struct capture *c, const struct stream *s, const char *bytes, size_t length)
{
	while (length > 0 && (s->into_file || wait_for_room(c, s->to))) {
		ssize_t n = write(s->to, bytes, s->into_file || length < PIPE_BUF ? length : PIPE_BUF);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0)
			return false; /* the reader is gone, the disk is full */
		usage_own(0, (uint64_t)n);
		bytes += n;
		length -= (size_t)n;
	}
	return true;
}

static uint64_t left_of(const struct capture *c)
{
	return c->limit > c->seen ? c->limit - c->seen : 0;
}

/* False: nobody takes what comes. */
static bool take(struct capture *c, struct stream *s, const char *bytes, size_t length)
{
	size_t kept = length < left_of(c) ? length : (size_t)left_of(c);

	if (kept < length || (c->keep && !make_room(s, kept))) {
		c->truncated = true;
		if (c->keep && !make_room(s, kept))
			return true;
	}
	c->seen += kept;
	if (!c->keep)
		return pass_on(c, s, bytes, kept);
	if (kept > 0) /* beyond the limit a stream may have no memory at all */
		memcpy(s->bytes + s->length, bytes, kept);
	s->length += kept;
	return true;
}

/* Each: take what is there; *moved: so much. False at the end of the stream, and when nobody takes it. */
static bool copy_once(struct capture *c, struct stream *s, size_t *moved)
{
	ssize_t n = read(s->from, c->chunk, sizeof c->chunk);

	if (n > 0) {
		*moved = (size_t)n;
		usage_own((uint64_t)n, 0);
		return take(c, s, c->chunk, (size_t)n);
	}
	return n < 0 && (errno == EINTR || errno == EAGAIN);
}

/* Here it is not done at all: a kernel that is none, or a filter above us. */
static bool cannot_splice(int error)
{
	return error == EINVAL || error == ENOSYS || error == EPERM;
}

static bool splice_once(struct capture *c, struct stream *s, size_t *moved)
{
	uint64_t left = left_of(c);
	ssize_t n =
		splice(s->from, NULL, s->to, NULL, left < LARGE_ROOM ? (size_t)left : LARGE_ROOM, SPLICE_F_NONBLOCK);

	s->full = n < 0 && errno == EAGAIN; /* something is there: that was asked before */
	s->moves = n >= 0 || !cannot_splice(errno);
	if (n > 0) {
		*moved = (size_t)n;
		c->seen += (uint64_t)n;
	}
	return n > 0 || (n < 0 && (!s->moves || errno == EINTR || errno == EAGAIN));
}

/* ---- all of it ---------------------------------------------------------- */

/* How much of its pipe a stream had filled, in 1/256. */
static unsigned pump_once(struct capture *c, struct stream *s)
{
	size_t moved = 0;
	bool on = s->moves && left_of(c) ? splice_once(c, s, &moved) : copy_once(c, s, &moved);
	unsigned filled = (unsigned)(moved * 256 / s->pipe_room);

	if (!on) {
		close(s->from);
		s->from = -1;
	} else if (moved >= USUAL_ROOM / 2 && !s->widened) {
		/* where a user's pipes have become too many (pipe(7), pipe-user-pages-soft) it stays as it is */
		int room = fcntl(s->from, F_SETPIPE_SZ, LARGE_ROOM);
		s->pipe_room = room > 0 ? (size_t)room : s->pipe_room;
		s->widened = true;
	}
	return filled;
}

static bool holds_more(const struct stream *s)
{
	int bytes = 0;

	return s->from >= 0 && ioctl(s->from, FIONREAD, &bytes) == 0 && bytes > 0;
}

/* Nobody waits at the pipes for as long as a part of them takes to be filled, at the speed at which so much of them was
 * filled in `ns`. But for the end, which does not wait either. */
static void rest(const struct capture *c, unsigned filled, uint64_t ns)
{
	struct pollfd stop = {c->stop[0], POLLIN, 0};
	uint64_t fits = filled ? ns * 256 / REST_PART / filled : REST_MOST;
	struct timespec moment = {.tv_nsec = (long)(fits < REST_MOST ? fits : REST_MOST)};

	if (ns < OFTEN && fits >= REST_LEAST && !holds_more(&c->stream[0]) && !holds_more(&c->stream[1]))
		ppoll(&stop, 1, &moment, NULL);
}

/* Until a stream has something, or can be passed on again. False: all has been read that counts. */
static bool await(struct capture *c, struct pollfd p[STREAMS])
{
	struct pollfd all[STREAMS + 1];
	bool full = false;
	int n;

	for (int i = 0; i < STREAMS; i++) {
		const struct stream *s = &c->stream[i];
		bool waits = s->from >= 0 && s->full && left_of(c); /* what is thrown away needs no room */
		all[i] = (struct pollfd){waits ? s->to : s->from, waits ? POLLOUT : POLLIN, 0};
		full |= waits;
	}
	all[STREAMS] = (struct pollfd){c->stopping ? -1 : c->stop[0], POLLIN, 0};
	do
		n = poll(all, STREAMS + 1, !c->stopping ? -1 : !full ? 0 : c->hurry ? HURRY_MS : -1);
	while (n < 0 && errno == EINTR);
	if (n < 0 || (c->stopping && n == 0))
		return false;
	c->stopping |= all[STREAMS].revents != 0;
	memcpy(p, all, STREAMS * sizeof *p);
	return true;
}

static void *pump(void *argument)
{
	struct capture *c = argument;
	struct pollfd p[STREAMS];
	uint64_t before = 0;

	while ((c->stream[0].from >= 0 || c->stream[1].from >= 0) && await(c, p)) {
		unsigned filled = 0;
		for (int i = 0; i < STREAMS; i++)
			if (p[i].revents)
				filled += pump_once(c, &c->stream[i]);
		uint64_t now = usage_now();
		if (!c->stopping)
			rest(c, filled, now - before);
		before = now;
	}
	return NULL;
}

/* ---- beginning and end -------------------------------------------------- */

bool capture_counts(int fd)
{
	struct stat st;

	return !isatty(fd) &&
	       !(fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(NULL_MAJOR, NULL_MINOR));
}

/* Are both ours one and the same, so that what was written first is to come first? Two descriptors of a file are not
 * the same: each has its own place to write at. */
static bool same_place(void)
{
	struct stat out, err;

	if (fstat(STDOUT_FILENO, &out) < 0 || fstat(STDERR_FILENO, &err) < 0 || out.st_dev != err.st_dev ||
	    out.st_ino != err.st_ino)
		return false;
	return S_ISFIFO(out.st_mode) ||
	       syscall(SYS_kcmp, getpid(), getpid(), SAME_FILE, STDOUT_FILENO, STDERR_FILENO) == 0;
}

static int open_streams(struct capture *c, const bool wanted[STREAMS], int writers[STREAMS])
{
	struct stat st;

	for (int i = 0; i < STREAMS; i++) {
		int fds[2];
		if (!wanted[i])
			continue;
		if (i == 1 && wanted[0] && !c->keep && same_place()) {
			writers[i] = fcntl(writers[0], F_DUPFD_CLOEXEC, 0);
			if (writers[i] < 0)
				return -errno;
			continue;
		}
		if (pipe2(fds, O_CLOEXEC) < 0)
			return -errno;
		c->stream[i].from = fds[0];
		c->stream[i].to = i + 1;
		c->stream[i].into_file = fstat(i + 1, &st) == 0 && S_ISREG(st.st_mode);
		c->stream[i].moves = !c->keep && fstat(i + 1, &st) == 0 && S_ISFIFO(st.st_mode);
		c->stream[i].pipe_room = USUAL_ROOM;
		writers[i] = fds[1];
		fcntl(fds[0], F_SETFL, O_NONBLOCK);
	}
	return pipe2(c->stop, O_CLOEXEC) < 0 ? -errno : 0;
}

int capture_start(struct capture **capture, bool keep, uint64_t limit, int *out, int *err)
{
	struct capture *c = calloc(1, sizeof *c);
	int writers[STREAMS] = {-1, -1};
	sigset_t all, before;

	if (!c)
		return -ENOMEM;
	c->keep = keep;
	c->limit = limit ? limit : CAPTURE_DEFAULT;
	c->stream[0].from = c->stream[1].from = c->stop[0] = c->stop[1] = -1;
	int r = open_streams(c, (const bool[]){out != NULL, err != NULL}, writers);
	if (r == 0) { /* signals are the supervisor's, not this thread's */
		sigfillset(&all);
		pthread_sigmask(SIG_SETMASK, &all, &before);
		r = -pthread_create(&c->thread, NULL, pump, c);
		pthread_sigmask(SIG_SETMASK, &before, NULL);
	}
	if (r < 0) {
		for (int i = 0; i < STREAMS; i++)
			if (writers[i] >= 0)
				close(writers[i]);
		c->thread = 0;
		capture_free(c);
		return r;
	}
	if (out)
		*out = writers[0];
	if (err)
		*err = writers[1];
	*capture = c;
	return 0;
}

void capture_finish(struct capture *c, bool hurry)
{
	ssize_t n;

	c->hurry = hurry;
	do
		n = write(c->stop[1], "", 1);
	while (n < 0 && errno == EINTR);
	pthread_join(c->thread, NULL);
}

const char *capture_bytes(const struct capture *c, int stream, size_t *length)
{
	*length = c->stream[stream - 1].length;
	return *length ? c->stream[stream - 1].bytes : "";
}

bool capture_truncated(const struct capture *c)
{
	return c->truncated;
}

void capture_free(struct capture *c)
{
	if (!c)
		return;
	for (int i = 0; i < STREAMS; i++) {
		if (c->stream[i].from >= 0)
			close(c->stream[i].from);
		free(c->stream[i].bytes);
	}
	for (int i = 0; i < 2; i++)
		if (c->stop[i] >= 0)
			close(c->stop[i]);
	free(c);
}
