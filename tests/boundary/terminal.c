/* SPDX-License-Identifier: MIT */
/*
 * terminal.c - has the terminal that it shares with others signal its foreground group at the next line: a descriptor of a
 * terminal that has no owner is given that group for one (fcntl(2), F_SETOWN). Then says "ready" and reads a line.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

int main(void)
{
	int terminal = open("/dev/tty", O_RDWR), on = 1;
	char line[16];

	signal(SIGUSR1, SIG_IGN);
	fcntl(terminal, F_SETSIG, SIGUSR1);
	if (fcntl(terminal, F_SETFL, O_RDWR | O_ASYNC) < 0)
		ioctl(terminal, FIOASYNC, &on);
	puts("ready");
	fflush(stdout);
	return read(terminal, line, sizeof line) > 0 ? 0 : 1;
}
