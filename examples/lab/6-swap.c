/* SPDX-License-Identifier: MIT */
/*
 * Exercise 6: changing the answer. The name stays "link"; a second process makes it lead now to an allowed file, now to
 * the forbidden one.
 *
 * lab: preload=through ptrace=supervisor seccomp=supervisor
 *
 * Question: a copy of the name does not help here. What does?
 * Answer:   whatever changes what names mean (here rename, of a link) is a call that stops, too. Before it goes on, every
 *           task that was let go with a checked name is brought to the end of its call.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	char text[100];
	ssize_t n = 0;

	if (argc < 2)
		return 2;
	close(open("allowed", O_CREAT | O_WRONLY, 0600));
	pid_t child = fork();
	while (child == 0)
		if (symlink(argv[1], "next") < 0 || rename("next", "link") < 0 || symlink("allowed", "next") < 0 ||
		    rename("next", "link") < 0)
			unlink("next");
	for (time_t end = time(NULL) + 3; n <= 0 && time(NULL) < end;) {
		int fd = open("link", O_RDONLY);
		n = read(fd, text, sizeof text);
		close(fd);
	}
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	return n <= 0 || fwrite(text, 1, (size_t)n, stdout) != (size_t)n;
}
