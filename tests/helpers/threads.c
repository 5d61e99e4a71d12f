/* SPDX-License-Identifier: MIT */
/*
 * threads [N [SECONDS]] - N threads (200) are alive at once, each makes, reads and removes a file of its own; prints
 * the sum of what they read. With SECONDS they stay that long, for measuring.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { MOST = 4096 };
static pthread_barrier_t all_here;
static long sums[MOST];
static unsigned stay;

static void *work(void *argument)
{
	long number = (long)argument, got = -1;
	char name[32];
	snprintf(name, sizeof(name), "thread-%ld", number);

	pthread_barrier_wait(&all_here);
	int fd = open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
	if (fd >= 0 && write(fd, &number, sizeof(number)) == sizeof(number) &&
	    pread(fd, &got, sizeof(got), 0) == sizeof(got))
		sums[number] = got;
	close(fd);
	unlink(name);
	sleep(stay);
	pthread_barrier_wait(&all_here);
	return NULL;
}

int main(int argc, char **argv)
{
	static pthread_t threads[MOST];
	long count = argc > 1 ? atol(argv[1]) : 200, sum = 0;
	stay = argc > 2 ? (unsigned)atoi(argv[2]) : 0;
	if (count < 1 || count > MOST)
		return 2;
	pthread_barrier_init(&all_here, NULL, (unsigned)count);
	for (long i = 0; i < count; i++)
		if (pthread_create(&threads[i], NULL, work, (void *)i) != 0)
			return 1;
	for (long i = 0; i < count; i++) {
		pthread_join(threads[i], NULL);
		sum += sums[i];
	}
	printf("%ld threads, sum %ld\n", count, sum);
	return sum == count * (count - 1) / 2 ? 0 : 1;
}
