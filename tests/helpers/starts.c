/* SPDX-License-Identifier: MIT */
/*
 * starts N LIBRARY LIBRARY - what it takes to start /bin/true with the one library preloaded, and with the other, in turns: prints
 * the median of the N differences, in microseconds. For bench.sh, which runs it at level preload; the programs are started
 * round the shim, which would put itself into each of them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double microseconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static long raw_execve(const char *path, char *const *argv, char *const *environment)
{
	long result;
	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(SYS_execve), "D"(path), "S"(argv), "d"(environment)
			 : "rcx", "r11", "memory");
	return result;
}

static double start(char *preload)
{
	char *const argv[] = {"true", NULL}, *const environment[] = {preload, NULL};
	int status;
	double begin = microseconds();
	pid_t child = vfork();
	if (child == 0) {
		raw_execve("/bin/true", argv, environment);
		_exit(127);
	}
	if (child < 0 || waitpid(child, &status, 0) != child || status != 0) {
		fprintf(stderr, "starts: /bin/true does not run with %s\n", preload);
		exit(1);
	}
	return microseconds() - begin;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	char one[4200], other[4200];
	long count = argc == 4 ? atol(argv[1]) : 0;
	if (count < 1 || count > 100000)
		return 2;
	double *more = malloc((size_t)count * sizeof(*more));
	if (more == NULL)
		return 1;
	snprintf(one, sizeof(one), "LD_PRELOAD=%s", argv[2]);
	snprintf(other, sizeof(other), "LD_PRELOAD=%s", argv[3]);
	for (long i = 0; i < count; i++) {
		double first = start(i % 2 ? one : other), second = start(i % 2 ? other : one);
		more[i] = i % 2 ? first - second : second - first;
	}
	qsort(more, (size_t)count, sizeof(*more), compare);
	printf("%.1f\n", more[count / 2]);
	return 0;
}
