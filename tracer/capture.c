/* SPDX-License-Identifier: MIT */
/* capture.c - see capture.h. */
#include "capture.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "usage.h"

enum { STREAMS = 2, CHUNK = 65536, HURRY_MS = 100 };

struct stream {
	int from; /* read end, or -1 when it has ended */
	int to;	  /* where it is passed on to */
	char *bytes;
	size_t length, room;
};

struct capture {
	struct stream stream[STREAMS];
	int stop[2]; /* written to when no writer is left */
	pthread_t thread;
	bool keep;
	atomic_bool hurry;
	bool truncated;
	uint64_t limit, seen;
};

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
static bool wait_for_room(const struct capture *c, int to)
{
	struct pollfd p[2] = {{to, POLLOUT, 0}, {c->stop[0], POLLIN, 0}};

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

/* In pieces that a pipe takes without blocking once it takes anything (pipe(7), PIPE_BUF). False: nothing more can be
 * written; the tool is to find out as it would without us, by a broken pipe. */
static bool pass_on(const struct capture *c, int to, const char *bytes, size_t length)
{
	while (length > 0 && wait_for_room(c, to)) {
		ssize_t n = write(to, bytes, length < PIPE_BUF ? length : PIPE_BUF);
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

/* False: nobody takes what comes. */
static bool take(struct capture *c, struct stream *s, const char *bytes, size_t length)
{
	uint64_t left = c->limit > c->seen ? c->limit - c->seen : 0;
	size_t kept = length < left ? length : (size_t)left;

	if (kept < length || (c->keep && !make_room(s, kept))) {
		c->truncated = true;
		if (c->keep && !make_room(s, kept))
			return true;
	}
	c->seen += kept;
	if (!c->keep)
		return pass_on(c, s->to, bytes, kept);
	if (kept > 0)	/* beyond the limit a stream may have no memory at all */
		memcpy(s->bytes + s->length, bytes, kept);
	s->length += kept;
	return true;
}

/* Read what is there. False at the end of the stream, and when nobody takes it. */
static bool pump_once(struct capture *c, struct stream *s)
{
	char chunk[CHUNK];
	ssize_t n = read(s->from, chunk, sizeof chunk);

	if (n > 0) {
		usage_own((uint64_t)n, 0);
		return take(c, s, chunk, (size_t)n);
	}
	return n < 0 && (errno == EINTR || errno == EAGAIN);
}

static void *pump(void *argument)
{
	struct capture *c = argument;
	bool stopping = false;

	while (c->stream[0].from >= 0 || c->stream[1].from >= 0) {
		struct pollfd p[STREAMS + 1] = {{c->stream[0].from, POLLIN, 0},
						{c->stream[1].from, POLLIN, 0},
						{stopping ? -1 : c->stop[0], POLLIN, 0}};
		int n = poll(p, STREAMS + 1, stopping ? 0 : -1);
		if (n < 0 && errno != EINTR)
			break;
		if (stopping && n == 0)
			break; /* no writer is left that counts, and all was read */
		for (int i = 0; i < STREAMS; i++)
			if (p[i].revents && !pump_once(c, &c->stream[i])) {
				close(c->stream[i].from);
				c->stream[i].from = -1;
			}
		stopping |= p[STREAMS].revents != 0;
	}
	return NULL;
}

static int open_streams(struct capture *c, const bool wanted[STREAMS], int writers[STREAMS])
{
	for (int i = 0; i < STREAMS; i++) {
		int fds[2];
		if (!wanted[i])
			continue;
		if (pipe2(fds, O_CLOEXEC) < 0)
			return -errno;
		c->stream[i].from = fds[0];
		c->stream[i].to = i + 1;
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
