/* SPDX-License-Identifier: MIT */
/* test_slots.c - memory that only the supervisor writes: what the tool has of it gives no way in; and which slot is
 * whose. */
#include "slots.h"

#include <fcntl.h>
#include <linux/falloc.h>
#include <string.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "policy_help.h"

enum { MEMORY = SLOTS_LENGTH };

static struct slots slots;
static char *view; /* as a guarded process maps it */

static void setup(void)
{
	ck_assert_int_eq(slots_open(&slots), 0);
	view = mmap(NULL, MEMORY, PROT_READ, MAP_SHARED, slots.fd, 0);
	ck_assert_ptr_ne(view, MAP_FAILED);
	slots_write(&slots, 3, 0, "sealed", 7);
}

static void teardown(void)
{
	munmap(view, MEMORY);
	slots_close(&slots);
}

/* ---- nobody else writes ------------------------------------------------- */

static int map_shared(void)
{
	return mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED, slots.fd, 0) == MAP_FAILED ? -1 : 0;
}

static int map_write_only(void)
{
	return mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, slots.fd, 0) == MAP_FAILED ? -1 : 0;
}

static int protect(void)
{
	return mprotect(view, MEMORY, PROT_READ | PROT_WRITE);
}

static int protect_a_private_one_and_look(void) /* that may be written, and nobody sees it */
{
	char *own = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE, slots.fd, 0);

	ck_assert_ptr_ne(own, MAP_FAILED);
	memcpy(own + 3 * SLOT_SIZE, "broken", 7);
	munmap(own, MEMORY);
	return -1;
}

static int write_to_it(void)
{
	return (int)pwrite(slots.fd, "broken", 7, 3 * SLOT_SIZE);
}

static int writev_to_it(void)
{
	struct iovec piece = {(char[]){"broken"}, 7};

	return (int)pwritev2(slots.fd, &piece, 1, 3 * SLOT_SIZE, 0);
}

static int reopen(int flags)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/self/fd/%d", slots.fd);
	int fd = open(path, flags);
	if (fd < 0)
		return -1;
	int r = (int)pwrite(fd, "broken", 7, 3 * SLOT_SIZE);
	if (r < 0 && mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) != MAP_FAILED)
		r = 0;
	close(fd);
	return r;
}

static int reopen_for_both(void)
{
	return reopen(O_RDWR);
}

static int reopen_for_writing(void)
{
	return reopen(O_WRONLY);
}

static int reopen_and_truncate(void)
{
	return reopen(O_RDWR | O_TRUNC);
}

static int shrink(void)
{
	return ftruncate(slots.fd, 0);
}

static int grow(void)
{
	return ftruncate(slots.fd, 2 * MEMORY);
}

static int punch(void)
{
	return fallocate(slots.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, MEMORY);
}

static int zero(void)
{
	return fallocate(slots.fd, FALLOC_FL_ZERO_RANGE, 0, MEMORY);
}

static int remove_pages(void)
{
	return madvise(view, MEMORY, MADV_REMOVE);
}

static int write_our_own_memory(void) /* /proc/self/mem writes where the process itself may not */
{
	int fd = open("/proc/self/mem", O_RDWR);

	ck_assert_int_ge(fd, 0);
	int r = (int)pwrite(fd, "broken", 7, (off_t)(uintptr_t)(view + 3 * SLOT_SIZE));
	close(fd);
	return r;
}

static int unseal(void)
{
	return fcntl(slots.fd, F_ADD_SEALS, 0) == 0 && !(fcntl(slots.fd, F_GET_SEALS) & F_SEAL_FUTURE_WRITE) ? 0 : -1;
}

static int splice_into_it(void)
{
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	ck_assert_int_eq(write(fds[1], "broken", 7), 7);
	loff_t at = 3 * SLOT_SIZE;
	int r = (int)splice(fds[0], NULL, slots.fd, &at, 7, 0);
	close(fds[0]);
	close(fds[1]);
	return r;
}

static int remap_private_to_shared(void)
{
	return mremap(view, 4096, 4096, MREMAP_MAYMOVE) == MAP_FAILED ? -1 : mprotect(view, 4096, PROT_WRITE);
}

#define ATTEMPT(name)       \
	{                   \
#name, name \
	}
static const struct {
	const char *name;
	int (*attempt)(void);
} attempts[] = {
	ATTEMPT(map_shared),
	ATTEMPT(map_write_only),
	ATTEMPT(protect),
	ATTEMPT(protect_a_private_one_and_look),
	ATTEMPT(write_to_it),
	ATTEMPT(writev_to_it),
	ATTEMPT(reopen_for_both),
	ATTEMPT(reopen_for_writing),
	ATTEMPT(reopen_and_truncate),
	ATTEMPT(shrink),
	ATTEMPT(grow),
	ATTEMPT(punch),
	ATTEMPT(zero),
	ATTEMPT(remove_pages),
	ATTEMPT(write_our_own_memory),
	ATTEMPT(unseal),
	ATTEMPT(splice_into_it),
	ATTEMPT(remap_private_to_shared),
};

START_TEST(what_is_in_a_slot_stays)
{
	errno = 0;
	ck_assert_msg(attempts[_i].attempt() < 0, "%s succeeds", attempts[_i].name);
	ck_assert_str_eq(slots.memory + 3 * SLOT_SIZE, "sealed");
	char back[7];
	ck_assert_int_eq(pread(slots.fd, back, sizeof back, 3 * SLOT_SIZE), sizeof back);
	ck_assert_str_eq(back, "sealed");
}
END_TEST

START_TEST(the_supervisor_still_writes_and_the_tool_sees_it)
{
	uint64_t address = slots_write(&slots, 5, 16, "new", 4);

	ck_assert_uint_eq(address, SLOT_START + 5 * SLOT_SIZE + 16);
	ck_assert_str_eq(view + 5 * SLOT_SIZE + 16, "new");
	address = slots_write(&slots, SLOT_COUNT - 1, SLOT_SIZE - 4, "end", 4);
	ck_assert_uint_eq(address + 4, SMALL_SLOT_START);
	ck_assert_str_eq(view + SLOT_COUNT * SLOT_SIZE - 4, "end");
	address = slots_write(&slots, SLOT_COUNT + SMALL_SLOT_COUNT - 1, SMALL_SLOT_SIZE - 4, "end", 4);
	ck_assert_uint_eq(address + 4, RESERVED_END);
	ck_assert_str_eq(view + MEMORY - 4, "end");
	slots_write(&slots, 0, 0, "", 0);
	slots_write(&slots, 0, SLOT_SIZE, "", 0);
}
END_TEST

START_TEST(beyond_its_end_nothing_is_written)
{
	slots_write(&slots, 0, SLOT_SIZE - 3, "long", 4);
}
END_TEST

START_TEST(the_descriptor_is_closed_at_exec)
{
	ck_assert_int_eq(fcntl(slots.fd, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(fcntl(slots.fd, F_GETFL) & O_ACCMODE, O_RDONLY);
}
END_TEST

/* ---- whose is which ----------------------------------------------------- */

START_TEST(each_slot_is_given_out_once)
{
	bool taken[SLOT_COUNT] = {false};

	for (unsigned i = 0; i < SLOT_COUNT; i++) {
		int slot = slots_take(&slots);
		ck_assert(slot >= 0 && slot < (int)SLOT_COUNT && !taken[slot]);
		taken[slot] = true;
	}
	ck_assert_int_eq(slots_take(&slots), -EAGAIN);
	slots_give(&slots, -1); /* none */
	ck_assert_int_eq(slots_take(&slots), -EAGAIN);
	slots_give(&slots, 17);
	ck_assert_int_eq(slots_take(&slots), 17);
	ck_assert_int_eq(slots_take(&slots), -EAGAIN);
}
END_TEST

START_TEST(small_ones_are_given_out_first_then_large_ones)
{
	for (unsigned i = 0; i < SMALL_SLOT_COUNT; i++) {
		int slot = slots_take_for(&slots, SMALL_SLOT_SIZE);
		ck_assert_int_ge(slot, SLOT_COUNT);
		ck_assert_int_lt(slot, SLOT_COUNT + SMALL_SLOT_COUNT);
		ck_assert_uint_eq(slots_room(slot), SMALL_SLOT_SIZE);
	}
	for (unsigned i = 0; i < SLOT_COUNT; i++)
		ck_assert_uint_eq(slots_room(slots_take_for(&slots, 1)), SLOT_SIZE);
	ck_assert_int_eq(slots_take_for(&slots, 1), -EAGAIN);
	slots_give(&slots, SLOT_COUNT + 3);
	ck_assert_int_eq(slots_take_for(&slots, SMALL_SLOT_SIZE + 1), -EAGAIN);
	ck_assert_int_eq(slots_take_for(&slots, 0), SLOT_COUNT + 3);
}
END_TEST

START_TEST(few_slots_at_a_time_are_few_pages)
{
	int first = slots_take(&slots);

	slots_give(&slots, first);
	for (int i = 0; i < 1000; i++) {
		int slot = slots_take(&slots);
		ck_assert_int_eq(slot, first);
		slots_give(&slots, slot);
	}
}
END_TEST

START_TEST(closing_twice_is_closing_once)
{
	slots_close(&slots);
	ck_assert_int_eq(slots.fd, -1);
	ck_assert_ptr_null(slots.memory);
	slots_close(&slots);
}
END_TEST

START_TEST(without_a_descriptor_there_are_none)
{
	struct slots more;
	struct rlimit limit = {0, 0};

	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	ck_assert_int_eq(slots_open(&more), -EMFILE);
	ck_assert_int_eq(more.fd, -1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("slots");
	TCase *tests = tcase_create("slots");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_loop_test(tests, what_is_in_a_slot_stays, 0, sizeof attempts / sizeof attempts[0]);
	tcase_add_test(tests, the_supervisor_still_writes_and_the_tool_sees_it);
	tcase_add_test_raise_signal(tests, beyond_its_end_nothing_is_written, SIGABRT);
	tcase_add_test(tests, the_descriptor_is_closed_at_exec);
	tcase_add_test(tests, each_slot_is_given_out_once);
	tcase_add_test(tests, few_slots_at_a_time_are_few_pages);
	tcase_add_test(tests, small_ones_are_given_out_first_then_large_ones);
	tcase_add_test(tests, closing_twice_is_closing_once);
	tcase_add_test(tests, without_a_descriptor_there_are_none);
	suite_add_tcase(suite, tests);
	return help_run(suite);
}
