/* SPDX-License-Identifier: MIT */
/* leases.c - a lease (fcntl(2)) on a file that may only be read would keep those who may write to it waiting. */
#include "attempt.h"

static const char page[] = "../read/page";

static int may_lease(const char *name, int how)
{
	int fd = open(name, O_RDONLY);

	NEED(fd);
	return fcntl(fd, F_SETLEASE, how) == 0 && fcntl(fd, F_GETLEASE) == how ? WORKED : REFUSED;
}

static int of_readable(void)
{
	return may_lease(page, F_RDLCK);
}

static int of_readable_to_write(void)
{
	return may_lease(page, F_WRLCK);
}

/* ---- another descriptor is put in its place ---- */

static int own, its, slot;

static void *swap(void *unused)
{
	(void)unused;
	for (;;) {
		dup2(own, slot);
		dup2(its, slot);
	}
	return NULL;
}

static int of_swapped(void)
{
	double end = seconds() + RACE_SECONDS;
	pthread_t thread;

	NEED(own = open("own", O_CREAT | O_RDONLY, 0600));
	NEED(its = open(page, O_RDONLY));
	NEED(slot = dup(own));
	if (pthread_create(&thread, NULL, swap, NULL) != 0)
		return BROKEN;
	while (seconds() < end) {
		fcntl(slot, F_SETLEASE, F_RDLCK);
		if (fcntl(its, F_GETLEASE) == F_RDLCK)
			return WORKED;
	}
	return REFUSED;
}

/* ---- what has to work ---- */

static volatile sig_atomic_t told;

static void hear(int signal)
{
	told = signal;
}

#define WORKS(condition)                                                                         \
	do {                                                                                     \
		if (!(condition)) {                                                              \
			fprintf(stderr, "line %d: not so: %s: %m\n", __LINE__, #condition);      \
			return REFUSED;                                                          \
		}                                                                                \
	} while (0)

static int of_own(void)
{
	struct timespec moment = { 0, 1000000 };
	int fd;

	told = 0;
	signal(SIGIO, hear);
	NEED(fd = open("own", O_CREAT | O_RDONLY, 0600));
	WORKS(fcntl(fd, F_SETLEASE, F_RDLCK) == 0 && fcntl(fd, F_GETLEASE) == F_RDLCK);
	WORKS(open("own", O_WRONLY | O_NONBLOCK) < 0 && errno == EWOULDBLOCK);
	for (int i = 0; i < 10000 && !told; i++)
		nanosleep(&moment, NULL);
	WORKS(told == SIGIO);
	WORKS(fcntl(fd, F_SETLEASE, F_UNLCK) == 0 && fcntl(fd, F_GETLEASE) == F_UNLCK);
	WORKS(open("own", O_WRONLY | O_NONBLOCK) >= 0);
	WORKS(fcntl(open("/usr", O_RDONLY), F_SETLEASE, F_RDLCK) < 0 && (errno == EINVAL || errno == EACCES));
	WORKS(fcntl(fd, F_SETLEASE, 77) < 0 && errno == EINVAL);
	WORKS(fcntl(99, F_SETLEASE, F_RDLCK) < 0 && errno == EBADF);
	return WORKED;
}

static void *sleep_for_ever(void *unused)
{
	(void)unused;
	for (;;)
		pause();
	return NULL;
}

static int of_own_among_threads(void)
{
	pthread_t thread;

	return pthread_create(&thread, NULL, sleep_for_ever, NULL) ? BROKEN : of_own();
}

static const struct row rows[] = {
	{ GETS_OUT, "lease_of_readable", of_readable },
	{ GETS_OUT, "lease_of_readable_to_write", of_readable_to_write },
	{ GETS_OUT, "lease_of_swapped", of_swapped },
	{ HAS_TO_WORK, "lease_of_own", of_own },
	{ HAS_TO_WORK, "lease_of_own_among_threads", of_own_among_threads },
};
MAIN(rows)
