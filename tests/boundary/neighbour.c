/* SPDX-License-Identifier: MIT */
/*
 * neighbour.c - COMMAND [ARG...]: runs it, and is the process that it may not reach: in the same session, in a group of its own,
 * its number in STRANGER, and at the other end of the command's standard input, a UNIX socket. Exit
 * status: that of the command; or 7 when somebody sent it SIGWINCH, or connected to its socket. Where the last argument is
 * "stranger_first" it also binds sockets to "first.sock", again and again.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

static int listener;

/* Its UNIX socket, "stranger.sock" in the working directory. */
static int listen_here(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "stranger.sock" };

	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return bind(listener, (struct sockaddr *)&address, sizeof address) == 0 && listen(listener, 100) == 0;
}

/* Ends when somebody has connected. */
static pid_t start_rival(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "first.sock" };
	pid_t rival = fork();

	while (rival == 0) {
		int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
		if (bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 100) == 0) {
			usleep(50);
			unlink(address.sun_path);
			if (accept(fd, NULL, NULL) >= 0)
				_exit(7);
		}
		close(fd);
	}
	return rival;
}

static int was_heard(pid_t rival)
{
	int status = 0;

	if (rival < 0)
		return 0;
	kill(rival, SIGKILL);
	return waitpid(rival, &status, 0) == rival && WIFEXITED(status);
}

/* And a line that was typed into a terminal which it has, "stranger.tty" leads there. */
static void type_secret(void)
{
	char text[64];
	int fd = open("../shut/secret", O_RDONLY), terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text);

	if (fd >= 0)
		close(fd);
	if (n <= 0 || terminal < 0 || grantpt(terminal) < 0 || unlockpt(terminal) < 0)
		return;
	unlink("stranger.tty");
	if (write(terminal, text, (size_t)n) != n || symlink(ptsname(terminal), "stranger.tty") < 0)
		perror("stranger.tty");
}

/* What "secret" holds is also in an extended attribute of it, where there can be one. */
static void put_attribute(void)
{
	char text[64];
	int fd = open("../shut/secret", O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text);

	if (n > 0 && fsetxattr(fd, "user.token", text, (size_t)n, 0) < 0)
		perror("../shut/secret: user.token");
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	int ends[2], gate[2], status;
	pid_t rival = -1;
	char number[16], c;
	sigset_t set;

	snprintf(number, sizeof number, "%d", (int)getpid());
	setenv("STRANGER", number, 1);
	sigemptyset(&set);
	sigaddset(&set, SIGWINCH);
	if (!listen_here())
		return 125;
	if (strcmp(argv[argc - 1], "stranger_first") == 0)
		rival = start_rival();
	put_attribute();
	type_secret();
	if (argc < 2 || socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0 || pipe(gate) < 0)
		return 125;
	pid_t child = fork();
	if (child == 0) {
		close(gate[1]);
		if (read(gate[0], &c, 1) != 0 || dup2(ends[1], 0) < 0)
			_exit(125);
		close(ends[0]);
		close(ends[1]);
		close(gate[0]);
		execvp(argv[1], argv + 1);
		_exit(127);
	}
	if (child < 0 || setpgid(0, 0) < 0 || sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return 125;
	close(gate[1]);
	if (waitpid(child, &status, 0) != child)
		return 125;
	sigpending(&set);
	if (was_heard(rival) || sigismember(&set, SIGWINCH) || accept4(listener, NULL, NULL, SOCK_NONBLOCK) >= 0)
		return 7;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
