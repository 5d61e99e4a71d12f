/* SPDX-License-Identifier: MIT */
/* openclose N [THREADS] - each thread opens and closes an allowed file N times: the call that a guard costs most. For bench.sh. */
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

enum { THREADS_MOST = 64 };

static void *open_and_close(void *times)
{
	for (long i = *(long *)times; i > 0; i--) {
		int fd = open("/usr/include/stdio.h", O_RDONLY);
		if (fd < 0)
			exit(1);
		close(fd);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	long times = argc > 1 ? atol(argv[1]) : 1000, threads = argc > 2 ? atol(argv[2]) : 1;
	pthread_t id[THREADS_MOST];

	if (threads < 1 || threads > THREADS_MOST)
		return 2;
	for (long i = 1; i < threads; i++)
		if (pthread_create(&id[i], NULL, open_and_close, &times) != 0)
			return 1;
	open_and_close(&times);
	for (long i = 1; i < threads; i++)
		pthread_join(id[i], NULL);
	return 0;
}
