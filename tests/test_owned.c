/* SPDX-License-Identifier: MIT */
/*
 * test_owned.c - which sockets and IPC objects the run has made, and how many of them are remembered.
 */
#include "owned.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "policy_help.h"

static struct owned owned;

static void setup(void)
{
	help_setup();
	memset(&owned, 0, sizeof owned);
	pthread_mutex_init(&owned.lock, NULL);
}

static void teardown(void)
{
	owned_free(&owned);
	ck_assert_ptr_null(owned.sockets);
	ck_assert_ptr_null(owned.ipc);
	help_teardown();
}

static int make_socket(const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(address.sun_path, name);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	return fd;
}

static bool owns(const char *name)
{
	int fd = open(name, O_PATH | O_NOFOLLOW);

	ck_assert_int_ge(fd, 0);
	bool is_ours = owned_has_socket(&owned, fd);
	close(fd);
	return is_ours;
}

START_TEST(sockets_of_the_run_are_known_whatever_their_name)
{
	int own = make_socket("own"), other = make_socket("other");

	help_write("file", "", 0);
	ck_assert_int_eq(symlink("own", "link"), 0);
	for (int i = 0; i < 2; i++)
		owned_add_socket(&owned, own, "own");
	owned_add_socket(&owned, OWNED_NO_COPY, "file");    /* no socket */
	owned_add_socket(&owned, OWNED_NO_COPY, "missing"); /* nothing */
	ck_assert_uint_eq(HASH_COUNT(owned.sockets), 1);
	ck_assert(owns("own") && !owns("other") && !owns("file") && !owns("link") && !owned_has_socket(&owned, -1));
	ck_assert_int_eq(rename("own", "moved"), 0);
	int another = make_socket("own");
	ck_assert(owns("moved") && !owns("own"));
	owned_add_socket(&owned, OWNED_NO_COPY, "own");
	ck_assert(owns("own"));
	close(own);
	close(other);
	close(another);
}
END_TEST

/* By the time somebody looks, the name may be that of a stranger's. */
START_TEST(what_a_socket_is_not_bound_to_is_not_the_runs)
{
	int own = make_socket("own"), pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	ck_assert_int_eq(unlink("own"), 0);
	int stranger = make_socket("own");
	owned_add_socket(&owned, own, "own");
	owned_add_socket(&owned, pair[0], "own");
	if (HASH_COUNT(owned.sockets) != 0)
		printf("skip - what_a_socket_is_not_bound_to_is_not_the_runs: CONFIG_UNIX_DIAG\n");
	else
		owned_add_socket(&owned, stranger, "own");
	ck_assert_uint_eq(HASH_COUNT(owned.sockets), 1);
	close(own);
	close(stranger);
	close(pair[0]);
	close(pair[1]);
}
END_TEST

START_TEST(ipc_objects_of_the_run_are_known_by_kind_and_number)
{
	owned_add_ipc(&owned, IPC_SEMAPHORES, 5);
	owned_add_ipc(&owned, IPC_SEMAPHORES, 5);
	owned_add_ipc(&owned, IPC_SHARED_MEMORY, -1);
	ck_assert(owned_has_ipc(&owned, IPC_SEMAPHORES, 5) && owned_has_ipc(&owned, IPC_SHARED_MEMORY, -1));
	ck_assert(!owned_has_ipc(&owned, IPC_MESSAGES, 5) && !owned_has_ipc(&owned, IPC_SHARED_MEMORY, 5));
	ck_assert(!owned_has_ipc(&owned, IPC_SEMAPHORES, -1) && !owned_has_ipc(&owned, IPC_SEMAPHORES, 0));
	ck_assert_uint_eq(HASH_COUNT(owned.ipc), 2);
}
END_TEST

/* Whatever a run makes, no more is remembered than this; and since what is not cannot be removed at the end, no more is made. */
START_TEST(a_few_thousand_objects_are_remembered_and_no_more_are_taken)
{
	enum { MADE = 10000, REMEMBERED = 4096 };

	for (int id = 0; id < MADE; id++)
		ck_assert_int_eq(owned_add_ipc(&owned, IPC_MESSAGES, id), id < REMEMBERED);
	ck_assert_uint_eq(HASH_COUNT(owned.ipc), REMEMBERED);
	for (int id = 0; id < MADE; id++)
		ck_assert_int_eq(owned_has_ipc(&owned, IPC_MESSAGES, id), id < REMEMBERED);
	ck_assert(owned_add_ipc(&owned, IPC_MESSAGES, 7)); /* it is there already */
	owned_forget_ipc(&owned, IPC_MESSAGES, 7);
	owned_forget_ipc(&owned, IPC_MESSAGES, MADE);
	ck_assert(!owned_has_ipc(&owned, IPC_MESSAGES, 7));
	ck_assert(owned_add_ipc(&owned, IPC_MESSAGES, MADE));
}
END_TEST

/* One of each family. */
static void make_objects(int id[3])
{
	id[IPC_SHARED_MEMORY] = shmget(IPC_PRIVATE, 4096, 0600);
	id[IPC_SEMAPHORES] = semget(IPC_PRIVATE, 1, 0600);
	id[IPC_MESSAGES] = msgget(IPC_PRIVATE, 0600);
	for (int kind = 0; kind < 3; kind++)
		ck_assert_int_eq(ipc_look((enum ipc_kind)kind, id[kind]), 0);
}

static bool is_gone(int error)
{
	return error == -EINVAL || error == -EIDRM;
}

START_TEST(at_the_end_what_the_run_has_made_is_removed_and_nothing_else)
{
	int own[3], other[3];

	make_objects(other);
	make_objects(own);
	for (int kind = 0; kind < 3; kind++)
		ck_assert(owned_add_ipc(&owned, (enum ipc_kind)kind, own[kind]));
	owned_end_ipc(&owned);
	ck_assert_ptr_null(owned.ipc);
	for (int kind = 0; kind < 3; kind++) {
		ck_assert(is_gone(ipc_look((enum ipc_kind)kind, own[kind])));
		ck_assert_int_eq(ipc_remove((enum ipc_kind)kind, other[kind]), 0);
		ck_assert(is_gone(ipc_remove((enum ipc_kind)kind, other[kind])));
	}
}
END_TEST

START_TEST(memory_that_was_removed_is_ours_until_nobody_has_it_attached)
{
	int id = shmget(IPC_PRIVATE, 4096, 0600), stays = shmget(IPC_PRIVATE, 4096, 0600);
	void *at = shmat(id, NULL, 0), *other = shmat(stays, NULL, 0);

	ck_assert(owned_add_ipc(&owned, IPC_SHARED_MEMORY, id) && owned_add_ipc(&owned, IPC_SHARED_MEMORY, stays));
	ck_assert(ipc_remove(IPC_SHARED_MEMORY, id) == 0 && ipc_remove(IPC_SHARED_MEMORY, stays) == 0);
	owned_forget_ipc(&owned, IPC_SHARED_MEMORY, id);
	owned_forget_ipc(&owned, IPC_SHARED_MEMORY, stays);
	ck_assert(owned_has_ipc(&owned, IPC_SHARED_MEMORY, id));
	ck_assert_int_eq(shmdt(at), 0);
	ck_assert(!owned_has_ipc(&owned, IPC_SHARED_MEMORY, id));
	ck_assert(owned_has_ipc(&owned, IPC_SHARED_MEMORY, stays));
	owned_end_ipc(&owned);
	ck_assert_int_eq(shmdt(other), 0);
	ck_assert(is_gone(ipc_look(IPC_SHARED_MEMORY, stays)));
}
END_TEST

/* What lingered makes room. */
START_TEST(what_is_gone_by_itself_makes_room)
{
	enum { MOST = 4096 };
	int id = shmget(IPC_PRIVATE, 4096, 0600);
	void *at = shmat(id, NULL, 0);

	ck_assert(owned_add_ipc(&owned, IPC_SHARED_MEMORY, id) && ipc_remove(IPC_SHARED_MEMORY, id) == 0);
	owned_forget_ipc(&owned, IPC_SHARED_MEMORY, id);
	for (int other = 1; other < MOST; other++)
		ck_assert(owned_add_ipc(&owned, IPC_SEMAPHORES, other));
	ck_assert(!owned_add_ipc(&owned, IPC_SEMAPHORES, MOST));
	ck_assert_int_eq(shmdt(at), 0);
	ck_assert(owned_add_ipc(&owned, IPC_SEMAPHORES, MOST));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("owned");
	TCase *tests = tcase_create("owned");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, sockets_of_the_run_are_known_whatever_their_name);
	tcase_add_test(tests, what_a_socket_is_not_bound_to_is_not_the_runs);
	tcase_add_test(tests, ipc_objects_of_the_run_are_known_by_kind_and_number);
	tcase_add_test(tests, a_few_thousand_objects_are_remembered_and_no_more_are_taken);
	tcase_add_test(tests, at_the_end_what_the_run_has_made_is_removed_and_nothing_else);
	tcase_add_test(tests, memory_that_was_removed_is_ours_until_nobody_has_it_attached);
	tcase_add_test(tests, what_is_gone_by_itself_makes_room);
	suite_add_tcase(suite, tests);
	return help_run(suite);
}
