/* SPDX-License-Identifier: MIT */
/*
 * objects.c - make: makes one System V object of each family, says of each "FAMILY IDENTIFIER", and leaves them; with memory that
 * is removed already, but attached. make MANY: so many sets of semaphores, and how many it got. remove FAMILY IDENTIFIER
 */
#include "attempt.h"

#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

static int make(void)
{
	int memory = shmget(IPC_PRIVATE, 4096, 0600), attached = shmget(IPC_PRIVATE, 4096, 0600);

	NEED(memory);
	if (shmat(attached, NULL, 0) == (void *)-1 || shmctl(attached, IPC_RMID, NULL) < 0)
		return BROKEN;
	printf("shm %d\nsem %d\nmsg %d\n", memory, semget(IPC_PRIVATE, 1, 0600), msgget(IPC_PRIVATE, 0600));
	return 0;
}

static int make_many(int many)
{
	int made = 0;

	while (made < many && semget(IPC_PRIVATE, 1, 0600) >= 0)
		made++;
	printf("%d %s\n", made, made < many ? strerror(errno) : "");
	return 0;
}

static int remove_object(const char *family, int id)
{
	return strcmp(family, "shm") == 0   ? shmctl(id, IPC_RMID, NULL) :
	       strcmp(family, "sem") == 0 ? semctl(id, 0, IPC_RMID) :
					    msgctl(id, IPC_RMID, NULL);
}

int main(int argc, char **argv)
{
	if (argc == 2)
		return make();
	return argc == 3 ? make_many(atoi(argv[2])) : argc == 4 ? remove_object(argv[2], atoi(argv[3])) : BROKEN;
}
