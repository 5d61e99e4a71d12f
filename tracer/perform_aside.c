/* SPDX-License-Identifier: MIT */
/*
 * perform_aside.c - see perform_aside.h. Rights belong to threads (caller.h), and the thread that traces must keep its own,
 * so each call is done in a thread made for it. Such calls are rare.
 */
#include "perform_aside.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "caller.h"
#include "perform_inside.h"

struct aside {
	struct deed deed;
	struct caller caller;
	int64_t result;
};

/* No call that changes what names mean is under way (transport_await_end), so unlike perform_link this needs no lock. */
static int64_t link_object(struct deed *deed)
{
	struct place place;
	int64_t r = place_find(deed, &deed->request->names[1], &place);

	if (r != 0)
		return r == PERFORM_AGAIN ? -ENOENT : r;
	r = linkat(AT_FDCWD, deed->path, place.dirfd, place.last, AT_SYMLINK_FOLLOW) < 0 ? -errno : 0;
	place_close(&place);
	return r;
}

static int64_t do_it(struct deed *deed)
{
	perform_function *function;

	switch ((int)deed->request->call->op) {
	case OP_LOOK:
	case OP_VALUE:
	case OP_READLINK:
	case OP_CHANGE:
	case OP_CHANGE_FD:
		function = perform_attribute(deed->request->call);
		return function ? function(deed) : PERFORM_NO_WAY;
	case OP_LINK:
		return link_object(deed);
	case OP_IOCTL:
		return perform_ioctl(deed);
	case OP_FCNTL:
		return perform_fcntl(deed);
	case OP_IPC:
		return perform_ipc(deed);
	case OP_LISTEN:
		return perform_listen(deed);
	case OP_SOCKOPT:
		return perform_sockopt(deed);
	default:
		return PERFORM_NO_WAY;
	}
}

static void *as_caller(void *argument)
{
	struct aside *aside = argument;

	caller_prepare(&aside->caller);
	aside->result = caller_become(&aside->caller, aside->deed.task->tid);
	if (aside->result == 0)
		aside->result = do_it(&aside->deed);
	caller_done(&aside->caller);
	return NULL; /* and its rights end with it */
}

int64_t perform_aside(struct guard *guard, struct request *request, const struct judgement *judgement)
{
	struct aside aside = {.result = -EAGAIN};
	sigset_t all, before;
	pthread_t thread;

	deed_begin(&aside.deed, guard, request, judgement);
	aside.deed.caller = &aside.caller;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the main thread's */
	int r = pthread_create(&thread, NULL, as_caller, &aside);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (r != 0)
		return -r;
	pthread_join(thread, NULL);
	return aside.result;
}
