/* SPDX-License-Identifier: MIT */
/*
 * terminals.c - the terminal of another session of the same user (neighbour.c: "stranger.tty" leads to it, and the secret was
 * typed into it), and terminals of the run's own.
 */
#include "attempt.h"

#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <termios.h>

#ifndef TIOCGPTPEER
#define TIOCGPTPEER _IO('T', 0x41)
#endif

static const char *stranger(void)
{
	static char name[64];
	ssize_t n = readlink("stranger.tty", name, sizeof name - 1);

	if (n <= 0)
		exit(NOT_HERE);
	return name;
}

static int read_it(void)
{
	return holds_secret(open(stranger(), O_RDONLY | O_NOCTTY | O_NONBLOCK));
}

static int read_by_link(void)
{
	return holds_secret(open("stranger.tty", O_RDWR | O_NOCTTY | O_NONBLOCK));
}

static int read_by_held_name(void)
{
	char path[64];
	int fd = open(stranger(), O_PATH);

	NEED(fd);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	return holds_secret(open(path, O_RDWR | O_NOCTTY | O_NONBLOCK));
}

static int write_to_it(void)
{
	int fd = open(stranger(), O_WRONLY | O_NOCTTY | O_NONBLOCK);

	return fd >= 0 && write(fd, "\033]0;spoof\007", 10) == 10 ? WORKED : REFUSED;
}

static int change_it(void)
{
	return chmod(stranger(), 0622) == 0 ? WORKED : REFUSED;
}

static int watch_it(void)
{
	int fd = inotify_init();

	NEED(fd);
	return inotify_add_watch(fd, stranger(), IN_MODIFY) >= 0 ? WORKED : REFUSED;
}

/* To have made some gives no claim to others. */
static int after_many_of_its_own(void)
{
	enum { MANY = 50 };
	int list[MANY], count = 0;

	while (count < MANY && (list[count] = posix_openpt(O_RDWR | O_NOCTTY)) >= 0)
		count++;
	if (count == 0)
		return NOT_HERE;
	return read_it();
}

/* ---- what has to work ---- */

#define WORKS(condition)                                                                         \
	do {                                                                                     \
		if (!(condition)) {                                                              \
			fprintf(stderr, "line %d: not so: %s: %m\n", __LINE__, #condition);      \
			exit(REFUSED);                                                           \
		}                                                                                \
	} while (0)

static int new_terminal(const char **name)
{
	static char text[64];
	int master = posix_openpt(O_RDWR | O_NOCTTY);

	if (master < 0)
		exit(NOT_HERE);
	WORKS(grantpt(master) == 0 && unlockpt(master) == 0 && ptsname_r(master, text, sizeof text) == 0);
	*name = text;
	return master;
}

static bool are_two_ends(int master, int end)
{
	char text[8] = "";

	return end >= 0 && write(master, "line\n", 5) == 5 && read(end, text, sizeof text) == 5 && memcmp(text, "line\n", 5) == 0;
}

static int own(void)
{
	const char *name;
	int master = new_terminal(&name);

	WORKS(are_two_ends(master, open(name, O_RDWR | O_NOCTTY)));
	WORKS(chmod(name, 0600) == 0);
	return WORKED;
}

/* As login(1) and the like: the child has given up the other end when it opens its own by name. */
static int own_of_child(void)
{
	const char *name;
	int master = new_terminal(&name), status;
	pid_t child = fork();

	NEED(child);
	if (child == 0) {
		close(master);
		WORKS(setsid() > 0);
		int end = open(name, O_RDWR);
		WORKS(end >= 0 && (ioctl(end, TIOCSCTTY, 0) == 0));
		int own = open("/dev/tty", O_RDWR);
		WORKS(own >= 0 && tcgetsid(own) == getpid());
		WORKS(write(own, "there", 5) == 5);
		_exit(WORKED);
	}
	char text[8];
	WORKS(read(master, text, sizeof text) == 5 && memcmp(text, "there", 5) == 0);
	WORKS(waitpid(child, &status, 0) == child && WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int own_by_peer(void)
{
	const char *name;
	int master = new_terminal(&name);

	WORKS(are_two_ends(master, ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY)));
	return WORKED;
}

static void *sleep_for_ever(void *unused)
{
	(void)unused;
	for (;;)
		pause();
	return NULL;
}

static int own_of_threads(void)
{
	pthread_t thread;

	return pthread_create(&thread, NULL, sleep_for_ever, NULL) ? BROKEN : own();
}

/* The policy has a rule for this one. */
static int named(void)
{
	return read_by_link();
}

static const struct row rows[] = {
	{ GETS_OUT, "terminal_read", read_it },
	{ GETS_OUT, "terminal_by_link", read_by_link },
	{ GETS_OUT, "terminal_by_held_name", read_by_held_name },
	{ GETS_OUT, "terminal_written", write_to_it },
	{ GETS_OUT, "terminal_changed", change_it },
	{ GETS_OUT, "terminal_watched", watch_it },
	{ GETS_OUT, "terminal_after_many", after_many_of_its_own },
	{ HAS_TO_WORK, "terminal_own", own },
	{ HAS_TO_WORK, "terminal_own_of_child", own_of_child },
	{ HAS_TO_WORK, "terminal_own_by_peer", own_by_peer },
	{ HAS_TO_WORK, "terminal_own_of_threads", own_of_threads },
	{ HAS_TO_WORK, "terminal_named", named },
};
MAIN(rows)
