/* SPDX-License-Identifier: MIT */
/*
 * by_notify.c - the transport of level notify: seccomp_unotify(2).
 *
 *   launcher --> keeper (keeper.h) --> the tool's processes, in whose filter SECCOMP_RET_USER_NOTIF stops a call
 *   call:  RECV (number, arguments) --> judge --> one answer: a result; a descriptor (ADDFD); CONTINUE
 *   exec:  by ptrace, for that instant (notify_trace.c)
 *   end:   the keeper tells, kills what is left, and ends; if the supervisor dies, every stopped call fails (ENOSYS)
 *
 * Threads: the main thread waits for the keeper and for signals. Of the others one at a time is the leader: it takes the
 * next call, answers it, and takes the next. When a call may wait for something (a FIFO's other end), its thread first
 * lets another one lead; and when a call takes long although it should not (a file system that does not answer), the main
 * thread sees to it that another one leads.
 *
 * A task whose call was received waits so that only a deadly signal ends the waiting (SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
 * Linux 5.19): nothing is ever done twice because of a restart. On kernels without it there is no level notify. A call that itself waits is interrupted here when its task has a signal to handle: main thread, every TICK_MS.
 *
 * What may be let proceed (CONTINUE): calls judged by registers alone. The kernel reads all else again after the judgement,
 * when other threads may have changed it.
 */
#include "notify.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "limit.h"
#include "notify_inside.h"
#include "perform.h"
#include "usage.h"

enum {
	X32_BIT = 0x40000000, /* <asm/unistd.h>: __X32_SYSCALL_BIT */
	STACK_SIZE = 1 << 20,
	WORKERS_MOST = 4096, /* at a time; further calls that wait are not served before one of them is over */
	SPARE_MOST = 4,	     /* threads that have nothing to do */
	JOIN_MS = 500,	     /* for a thread to end */
};

/* The one that this thread is. */
static _Thread_local struct worker *self;

struct worker *notify_self(void)
{
	return self;
}

/* ---- answers ------------------------------------------------------------ */

bool notify_waits(const struct task *task)
{
	if (!self)
		return true; /* another level: it is stopped, and stays so */
	uint64_t id = self->id;

	(void)task;
	return ioctl(self->notifier->listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
}

static void answer(int64_t value, int error, uint32_t flags)
{
	struct seccomp_notif_resp response = {.id = self->id, .val = value, .error = error, .flags = flags};

	/* it fails when the task was killed meanwhile, and then needs no answer */
	while (ioctl(self->notifier->listener, SECCOMP_IOCTL_NOTIF_SEND, &response) < 0 && errno == EINTR)
		;
}

void notify_give(const struct task *task, int64_t result)
{
	(void)task;
	if (result < 0 && result >= -RESULT_ERROR_MOST)
		answer(0, (int)result, 0);
	else
		answer(result, 0, 0);
}

void notify_continue(const struct task *task)
{
	(void)task;
	answer(0, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE);
}

/*
 * Does it matter to anybody how long we keep it open? Not of a file or directory that is only read. But a pipe has a reader or a
 * writer as long as we have it, a socket its peer, and a program that is open for writing cannot be executed (ETXTBSY).
 */
static bool may_linger(int fd)
{
	int flags = fcntl(fd, F_GETFL);
	struct stat st;

	return flags >= 0 && ((flags & O_PATH) || ((flags & O_ACCMODE) == O_RDONLY && fstat(fd, &st) == 0 &&
						   (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode))));
}

/* In one step, by which the task goes on at once; or, when ours must be closed before it does, in two. */
void notify_hand_over(const struct task *task, int fd, bool close_on_exec)
{
	bool at_once = may_linger(fd);
	struct seccomp_notif_addfd add = {.id = self->id,
					  .flags = at_once ? SECCOMP_ADDFD_FLAG_SEND : 0,
					  .srcfd = (uint32_t)fd,
					  .newfd_flags = close_on_exec ? O_CLOEXEC : 0};
	int r, error;

	do
		r = ioctl(self->notifier->listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add);
	while (r < 0 && errno == EINTR);
	error = errno;
	close(fd);
	if (r < 0 && error != ENOENT)
		notify_give(task, -error); /* its table is full */
	else if (r >= 0 && !at_once)
		notify_give(task, r);
}

/* When the run is being ended a task waits for that: it must not see a refusal, and end by itself. */
static void give(struct guard *guard, struct task *task, int64_t value)
{
	if (!guard->ending)
		notify_give(task, value);
}

static void proceed(struct guard *guard, struct task *task)
{
	(void)guard;
	notify_continue(task);
}

static void kill_all(struct guard *guard)
{
	guard->ending = true;
	kill(guard->notifier->keeper.pid, SIGTERM); /* our child, not waited for before the end */
}

static bool waits(struct guard *guard, const struct task *task)
{
	(void)guard;
	return notify_waits(task);
}

void notify_credentials(struct guard *guard)
{
	guard->notifier->credentials_differ = true;
}

/* ---- who leads ---------------------------------------------------------- */

static void *work(void *argument);

/* One more thread. Under the lock; not when those that there are are already waited for. */
static bool add_worker(struct notifier *n)
{
	struct worker *worker = n->count < WORKERS_MOST && !n->stopping ? calloc(1, sizeof *worker) : NULL;
	pthread_attr_t attributes;

	if (!worker)
		return false;
	worker->notifier = n;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_SIZE);
	int r = pthread_create(&worker->thread, &attributes, work, worker);
	pthread_attr_destroy(&attributes);
	if (r != 0) {
		free(worker);
		return false;
	}
	worker->next = n->workers;
	n->workers = worker;
	n->count++;
	return true;
}

/* Somebody else leads from now on. Under the lock. */
static void lead_on(struct notifier *n)
{
	n->leader = NULL;
	if (n->waiting == 0)
		add_worker(n); /* if it cannot: the next who is done leads */
	pthread_cond_signal(&n->free);
}

static bool leads(const struct worker *worker)
{
	return atomic_load(&worker->notifier->leader) == worker;
}

/* Wait until this thread leads. False: it is not needed any more. */
static bool take_lead(struct worker *worker)
{
	struct notifier *n = worker->notifier;

	pthread_mutex_lock(&n->lock);
	n->waiting++;
	while (n->leader && !n->stopping && n->waiting <= SPARE_MOST)
		pthread_cond_wait(&n->free, &n->lock);
	n->waiting--;
	bool lead = !n->leader && !n->stopping;
	if (lead)
		n->leader = worker;
	pthread_mutex_unlock(&n->lock);
	return lead;
}

void notify_give_lead(void)
{
	struct notifier *n = self->notifier;

	pthread_mutex_lock(&n->lock);
	if (leads(self))
		lead_on(n);
	pthread_mutex_unlock(&n->lock);
}

/* ---- calls that wait ---------------------------------------------------- */

void notify_may_wait(void)
{
	struct notifier *n = self->notifier;

	self->restart = 0;
	if (self->state == WORKER_WAITS)
		return;
	pthread_mutex_lock(&n->lock);
	self->state = WORKER_WAITS;
	n->watched++;
	if (leads(self))
		lead_on(n);
	pthread_mutex_unlock(&n->lock);
	uint64_t one = 1;
	if (write(n->wake, &one, sizeof one) < 0)
		return; /* it counts: it is awake then */
}

static void waited(struct worker *worker)
{
	struct notifier *n = worker->notifier;

	if (worker->state != WORKER_WAITS)
		return;
	pthread_mutex_lock(&n->lock);
	worker->state = WORKER_WORKS;
	n->watched--;
	pthread_mutex_unlock(&n->lock);
}

int64_t notify_waited(int64_t result, bool *again)
{
	int restart = atomic_load(&self->restart);

	*again = result == -EINTR && restart == 0;
	if (*again)
		return result;
	waited(self);
	return result == -EINTR ? -restart : result;
}

/* ---- a call ------------------------------------------------------------- */

static struct call_stop stop_of(const struct seccomp_notif *notification)
{
	const struct seccomp_data *data = &notification->data;
	struct call_stop stop = {.number = data->nr, .ip = data->instruction_pointer};

	stop.foreign = data->arch != AUDIT_ARCH_X86_64;
	stop.x32 = !stop.foreign && data->nr >= 0 && (data->nr & X32_BIT) != 0;
	for (int i = 0; i < CALL_ARG_COUNT; i++)
		stop.args[i] = data->args[i];
	return stop;
}

static void handle(struct worker *worker, const struct seccomp_notif *notification)
{
	struct guard *guard = worker->notifier->guard;
	struct event event = {.kind = EVENT_CALL, .task = &worker->visitor.task, .call = stop_of(notification)};

	atomic_fetch_add(&worker->turns, 1);
	worker->state = WORKER_WORKS;
	worker->id = notification->id;
	visitor_come(&worker->visitor, &guard->tracees, (pid_t)notification->pid);
	worker->visitor.task.launching = guard->launching;
	guard->stops++;
	notify_seen(worker->notifier, (pid_t)notification->pid);
	if (!worker->notifier->credentials_differ) {
		worker->notifier->handle(guard, &worker->desk, &event);
	} else if (caller_become(&worker->caller, (pid_t)notification->pid) == 0) {
		worker->notifier->handle(guard, &worker->desk, &event);
		caller_leave(&worker->caller);
	} else {
		notify_give(event.task, -EACCES);
	}
	visitor_go(&worker->visitor);
	waited(worker);
	worker->state = WORKER_RECEIVES;
	atomic_fetch_add(&worker->turns, 1);
}

static bool all_gone(const struct notifier *n)
{
	struct pollfd listener = {.fd = n->listener, .events = POLLIN};

	return poll(&listener, 1, 0) > 0 && (listener.revents & POLLHUP);
}

/* Take calls as long as this thread leads. False: there will be none any more. */
static bool serve(struct worker *worker)
{
	union {
		struct seccomp_notif notification;
		char room[NOTIFICATION_ROOM]; /* the kernel's may be longer than ours */
	} word;
	struct notifier *n = worker->notifier;

	while (leads(worker) && !n->stopping) {
		memset(&word, 0, n->notification_size);
		if (ioctl(n->listener, SECCOMP_IOCTL_NOTIF_RECV, &word) == 0)
			handle(worker, &word.notification);
		else if (errno == ENOENT ? all_gone(n) : errno != EINTR) /* ENOENT: it was killed just now */
			return false;
	}
	return true;
}

static void *work(void *argument)
{
	struct worker *worker = argument;

	self = worker;
	worker->tid = (pid_t)syscall(SYS_gettid);
	caller_prepare(&worker->caller);
	while (take_lead(worker)) {
		bool more = serve(worker);
		notify_give_lead();
		if (!more)
			break;
	}
	usage_thread_over();
	caller_done(&worker->caller);
	pthread_mutex_lock(&worker->notifier->lock);
	worker->over = true;
	pthread_mutex_unlock(&worker->notifier->lock);
	return NULL;
}

/* ---- the main thread ---------------------------------------------------- */

/* The leader is in the same call as a tick ago: it hangs. */
static void relieve_leader(struct notifier *n)
{
	struct worker *leader = n->leader;

	if (!leader)
		return;
	unsigned turns = atomic_load(&leader->turns);
	if (turns % 2 == 1 && n->last_leader == leader && n->last_turns == turns)
		lead_on(n);
	n->last_leader = leader;
	n->last_turns = turns;
}

static void reap_workers(struct notifier *n)
{
	for (struct worker **link = &n->workers; *link;) {
		struct worker *worker = *link;
		if (!worker->over) {
			link = &worker->next;
			continue;
		}
		*link = worker->next;
		pthread_join(worker->thread, NULL);
		free(worker);
		n->count--;
	}
}

/* What has to be looked at again and again. */
static void tick(struct notifier *n)
{
	pthread_mutex_lock(&n->lock);
	relieve_leader(n);
	reap_workers(n);
	if (n->watched)
		for (struct worker *w = n->workers; w; w = w->next)
			if (w->state == WORKER_WAITS)
				worker_watch(w);
	pthread_mutex_unlock(&n->lock);
}

/* The keeper said something, or is gone. */
static void hear_keeper(struct guard *guard)
{
	struct notifier *n = guard->notifier;
	struct keeper_word word;
	ssize_t r = read(n->keeper.words, &word, sizeof word);

	if (r < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (r != sizeof word) {
		n->keeper_gone = true;
		return;
	}
	n->trouble = word.trouble;
	guard->main = word.tool;
	if (!word.over)
		return;
	guard->main_over = true;
	guard->main_status = word.status;
	meter_told(guard->meter, &word.spent);
	if (WIFSIGNALED(word.status))
		limit_note_signal(guard, WTERMSIG(word.status));
	guard->ending = true; /* it has killed all */
}

static int next(struct guard *guard, struct event *event)
{
	struct notifier *n = guard->notifier;
	struct pollfd fds[] = {{.fd = n->keeper.words, .events = POLLIN}, {.fd = n->wake, .events = POLLIN}};
	struct timespec pause = {.tv_nsec = (n->watched ? TICK_MS : IDLE_TICK_MS) * 1000000l};
	uint64_t times;

	event->kind = EVENT_NONE;
	/* the signals that end a run are blocked but here, so that none is missed */
	int r = ppoll(fds, 2, &pause, &n->open_mask);
	if (r < 0 && errno != EINTR)
		return -errno;
	if (r > 0 && fds[1].revents && read(n->wake, &times, sizeof times) < 0 && errno != EAGAIN)
		return -errno;
	if (r > 0 && fds[0].revents)
		hear_keeper(guard);
	tick(n);
	if (n->keeper_gone)
		event->kind = EVENT_ALL_GONE;
	return 0;
}

/* ---- beginning and end -------------------------------------------------- */

static void wake_up(int signal)
{
	(void)signal; /* that it came is all: the call that waits returns with EINTR */
}

static int start(struct guard *guard, event_handler *handle_event)
{
	struct notifier *n = guard->notifier;
	struct sigaction action = {.sa_handler = wake_up};
	sigset_t all;

	n->handle = handle_event;
	if (n->listener < 0)
		return 0; /* the launcher failed, and the keeper will say how */
	sigaction(WAKE_SIGNAL, &action, NULL);
	sigfillset(&all);
	sigdelset(&all, WAKE_SIGNAL);
	pthread_sigmask(SIG_SETMASK, &all, &n->open_mask); /* for the threads that are made now */
	pthread_mutex_lock(&n->lock);
	bool added = add_worker(n);
	pthread_mutex_unlock(&n->lock);
	return added ? 0 : -EAGAIN;
}

static bool join(struct worker *worker)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += JOIN_MS * 1000000l;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	return pthread_timedjoin_np(worker->thread, NULL, &until) == 0;
}

bool notify_end(struct guard *guard)
{
	struct notifier *n = guard->notifier;
	bool ended = true;

	if (!n)
		return true;
	pthread_mutex_lock(&n->lock);
	bool nobody = !n->workers;
	pthread_mutex_unlock(&n->lock);
	/* the call that starts the tool would never be answered, and the keeper waits for that */
	if (nobody && n->listener >= 0) {
		close(n->listener);
		n->listener = -1;
	}
	keeper_finish(&n->keeper);
	pthread_mutex_lock(&n->lock);
	n->stopping = true;
	pthread_cond_broadcast(&n->free);
	for (struct worker *w = n->workers; w; w = w->next) {
		atomic_store(&w->restart, EINTR);
		pthread_kill(w->thread, WAKE_SIGNAL);
	}
	pthread_mutex_unlock(&n->lock);
	for (struct worker *w = n->workers, *following; w && ended; w = following) {
		following = w->next;
		ended = join(w);
		if (ended)
			free(w);
	}
	if (ended) {
		notify_free(n);
		guard->notifier = NULL;
	}
	return ended;
}

const struct transport by_notify = {
	.name = "notify",
	.start = start,
	.next = next,
	.give = give,
	.proceed = proceed,
	.go_on = notify_released,
	.kill_all = kill_all,
	.waits = waits,
	.perform = perform,
};
