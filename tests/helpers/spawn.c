/* SPDX-License-Identifier: MIT */
/*
 * spawn RESULT COMMAND... - runs a command and writes "microseconds peak-KiB" to RESULT: how long it took, and the VmHWM of
 * the process itself (not of its children) at the moment it ended; and in a second line the microseconds of processor
 * time of it and of all that was waited for. For bench.sh. Exit status: the command's.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long microseconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000L + now.tv_nsec / 1000;
}

/* VmHWM of a living process in KiB; 0 when it cannot be read. */
static long peak_of(pid_t pid)
{
	char name[64], line[256];
	long peak = 0;
	snprintf(name, sizeof(name), "/proc/%d/status", pid);
	FILE *file = fopen(name, "r");
	while (file != NULL && fgets(line, sizeof(line), file) != NULL)
		sscanf(line, "VmHWM: %ld", &peak);
	if (file != NULL)
		fclose(file);
	return peak;
}

int main(int argc, char **argv)
{
	int status;
	long peak = 0;
	struct rusage used;
	if (argc < 3)
		return 2;
	int watch = getenv("SPAWN_PEAK") != NULL;
	long start = microseconds();
	pid_t child = fork();
	if (child == 0) {
		execvp(argv[2], argv + 2);
		_exit(127);
	}
	while (waitpid(child, &status, watch ? WNOHANG : 0) == 0) {
		long now = peak_of(child);
		peak = now > peak ? now : peak;
		usleep(5000);
	}
	long end = microseconds();
	getrusage(RUSAGE_CHILDREN, &used);
	long processor = (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000L + used.ru_utime.tv_usec +
			 used.ru_stime.tv_usec;
	FILE *file = fopen(argv[1], "w");
	if (file == NULL || fprintf(file, "%ld %ld\n%ld\n", end - start, peak, processor) < 0 || fclose(file) != 0)
		return 2;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
