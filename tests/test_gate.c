/* SPDX-License-Identifier: MIT */
/* test_gate.c - which directories become roots of level gate, and what its page says of them. What the filter lets through with
 * these is test_filter_gate.c. */
#include "gate.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "compile.h"
#include "make_image.h"
#include "syscalls.h"

enum { LIMIT = 200 }; /* of descriptors: the reserved ones begin there */

/* ---- the page ----------------------------------------------------------- */

static char base[] = "/tmp/test-gate-XXXXXX";

static const char *below(const char *name)
{
	static char path[8][128];
	static int turn;

	turn = (turn + 1) % 8;
	snprintf(path[turn], sizeof path[turn], "%s/%s", base, name);
	return path[turn];
}

static void make_tree(void)
{
	strcpy(base, "/tmp/test-gate-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(base));
	ck_assert_int_eq(mkdir(below("write"), 0700), 0);
	ck_assert_int_eq(mkdir(below("write/deep"), 0700), 0);
	ck_assert_int_eq(mkdir(below("read"), 0700), 0);
	ck_assert_int_eq(mkdir(below("mixed"), 0700), 0);
	ck_assert_int_eq(mkdir(below("mixed/free"), 0700), 0);
	ck_assert_int_eq(symlink("write", below("link")), 0);
}

static void remove_tree(void)
{
	unlink(below("link"));
	rmdir(below("mixed/free"));
	rmdir(below("mixed"));
	rmdir(below("read"));
	rmdir(below("write/deep"));
	rmdir(below("write"));
	rmdir(base);
}

static void open_gate(struct gate *gate, const char *narrower)
{
	struct path_row rows[] = {{RULE_WRITE, LAYER_FILE, strdup(below("write"))},
				  {RULE_READ, LAYER_FILE, strdup(below("read"))},
				  {RULE_WRITE, LAYER_FILE, strdup(below("mixed"))},
				  {RULE_READ_ONLY, LAYER_FILE, strdup(below("mixed/kept"))}, /* is not there */
				  {RULE_READ, LAYER_FILE, "/proc"},
				  {RULE_WRITE, LAYER_FILE, "/dev/null"},
				  {RULE_READ, LAYER_FILE, "/dev/zero"},
				  {RULE_READ, LAYER_FILE, "/etc/passwd"},
				  {RULE_READ, LAYER_FILE, strdup(below("nothing"))},
				  {RULE_READ, LAYER_FILE, strdup(below(".gitconfig"))},
				  {RULE_READ, LAYER_FILE, strdup(below(".profile"))},
				  {0}};
	struct path_row narrow[] = {{RULE_READ, LAYER_FILE, narrower}, {0}};
	struct policy first = {.image = make_path_image(rows, false)},
		      second = {.image = narrower ? make_path_image(narrow, false) : NULL};
	struct policy *const policies[] = {&first, &second};
	char home[sizeof base + 8];
	char *environment[] = {home, NULL};

	snprintf(home, sizeof home, "HOME=%s", base);
	ck_assert_int_eq(gate_open(gate, policies, narrower ? 2 : 1, below("mixed"), environment, LIMIT, below("shim")),
			 0);
	free(first.image);
	free(second.image);
	for (size_t i = 0; rows[i].target; i++)
		if (strncmp(rows[i].target, base, strlen(base)) == 0)
			free((char *)rows[i].target);
}

static const struct wire_gate_name *named(const struct gate *gate, const char *name)
{
	for (uint32_t i = 0; i < gate->page->name_count; i++) {
		const struct wire_gate_name *entry = &gate->page->name[i];
		if (entry->length == strlen(name) && memcmp(gate->page->text + entry->text, name, entry->length) == 0)
			return entry;
	}
	return NULL;
}

START_TEST(directories_that_are_pure_become_roots)
{
	struct gate gate;

	make_tree();
	open_gate(&gate, NULL);
	ck_assert(named(&gate, below("write"))->kind & GATE_MAY_WRITE);
	ck_assert(!(named(&gate, below("read"))->kind & GATE_MAY_WRITE));
	/* below the working directory a missing name may only be read: it is for reading, its other directories for
	 * writing */
	ck_assert(!(named(&gate, below("mixed"))->kind & GATE_MAY_WRITE));
	ck_assert(named(&gate, below("mixed/free"))->kind & GATE_MAY_WRITE);
	ck_assert_ptr_null(named(&gate, "/proc"));
	ck_assert_ptr_null(named(&gate, below("nothing")));
	ck_assert_ptr_null(named(&gate, below("write/deep"))); /* is covered */
	ck_assert_uint_eq(gate.page->first_root, LIMIT + RESERVED_FD_ROOT);
	for (unsigned i = 0; i < gate.roots.count; i++)
		ck_assert(gate.roots.list[i].writable == (i >= gate.roots.reading));
	for (uint32_t i = 1; i < gate.page->name_count; i++)
		ck_assert_uint_ge(gate.page->name[i - 1].length, gate.page->name[i].length);
	gate_close(&gate);
	remove_tree();
}
END_TEST

static void touch(const char *name)
{
	int fd = open(name, O_CREAT | O_WRONLY, 0600);

	ck_assert_int_ge(fd, 0);
	close(fd);
}

static bool has_file(const struct gate *gate, const char *name, bool writable)
{
	for (uint32_t i = 0; i < gate->page->file_count; i++)
		if (strcmp(gate->page->file[i].name, name) == 0)
			return writable == (i >= gate->page->file_reading);
	return false;
}

START_TEST(files_that_are_allowed_are_in_the_page_by_their_names)
{
	struct gate gate;

	make_tree();
	touch(below(".gitconfig"));
	touch(below(".bashrc"));
	ck_assert_int_eq(symlink(".gitconfig", below(".profile")), 0);
	open_gate(&gate, NULL);
	ck_assert(has_file(&gate, below("shim"), false)); /* whatever the policy says */
	ck_assert(has_file(&gate, below(".gitconfig"), false));
	ck_assert(has_file(&gate, "/etc/passwd", false));
	ck_assert(has_file(&gate, "/proc/meminfo", false));
	ck_assert(has_file(&gate, "/dev/zero", false));
	ck_assert(has_file(&gate, "/dev/null", true));
	ck_assert_uint_eq(gate.page->link_count, 1);
	ck_assert_str_eq(gate.page->link[0].name, below(".profile"));
	ck_assert_str_eq(gate.page->file[gate.page->link[0].file].name, below(".gitconfig"));
	for (uint32_t i = 0; i < gate.page->file_count; i++) {
		const char *name = gate.page->file[i].name;
		ck_assert_msg(name[0] == '/' && strcmp(name, "/etc/group") != 0 && strcmp(name, below(".bashrc")) != 0,
			      "%s", name);
	}
	ck_assert_uint_eq(gate.file_count, gate.page->file_count);
	ck_assert_uint_eq(gate.file_reading, gate.page->file_reading);
	unlink(below(".profile"));
	unlink(below(".bashrc"));
	unlink(below(".gitconfig"));
	gate_close(&gate);
	remove_tree();
}
END_TEST

START_TEST(both_policies_must_agree)
{
	struct gate gate;

	make_tree();
	open_gate(&gate, strdup(below("write")));
	ck_assert_uint_eq(gate.roots.count, 1);
	ck_assert(!(named(&gate, below("write"))->kind & GATE_MAY_WRITE));
	ck_assert_uint_eq(gate.file_count, 1); /* the shim */
	gate_close(&gate);
	remove_tree();
}
END_TEST

START_TEST(what_is_moved_leads_nowhere_any_more)
{
	struct gate gate;

	make_tree();
	open_gate(&gate, NULL);
	gate_forget(&gate, below("write/deep")); /* below a root: its names are looked up by the kernel */
	gate_forget(&gate, below("writ"));
	ck_assert_uint_ne(named(&gate, below("write"))->root, GATE_GONE);
	gate_forget(&gate, below("mixed"));
	ck_assert_uint_eq(named(&gate, below("mixed"))->root, GATE_GONE);
	ck_assert_uint_eq(named(&gate, below("mixed/free"))->root, GATE_GONE);
	ck_assert_uint_ne(named(&gate, below("write"))->root, GATE_GONE);
	gate_forget(&gate, base);
	for (uint32_t i = 0; i < gate.page->name_count; i++)
		ck_assert_uint_eq(gate.page->name[i].root, GATE_GONE);
	gate_close(&gate);
	open_gate(&gate, NULL);
	gate_forget_all(&gate);
	for (uint32_t i = 0; i < gate.page->name_count; i++)
		ck_assert_uint_eq(gate.page->name[i].root, GATE_GONE);
	gate_close(&gate);
	remove_tree();
}
END_TEST

static void reads_only(const struct wire_how *how)
{
	ck_assert_uint_eq(call_open_access(how->flags) & ~(unsigned)(ACCESS_READ | ACCESS_LOOK), 0);
	ck_assert_uint_eq(how->flags & O_CREAT, 0);
}

START_TEST(no_entry_for_files_follows_a_link_and_the_first_only_read)
{
	struct gate gate;

	make_tree();
	touch(below("write/file"));
	open_gate(&gate, NULL);
	ck_assert_uint_gt(gate.how_file_reading, gate.how_count);
	ck_assert_uint_gt(gate.how_file_count, gate.how_file_reading);
	for (unsigned i = gate.how_count; i < gate.how_file_count; i++) {
		const struct wire_how *how = &gate.page->how[i];
		ck_assert_uint_eq(how->resolve, RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
		if (i < gate.how_file_reading)
			reads_only(how);
		int fd = (int)syscall(SYS_openat2, -1, below("write/file"), how, sizeof(struct open_how));
		ck_assert_msg(fd >= 0, "entry %u: flags %#lx: %m", i, (unsigned long)how->flags);
		close(fd);
		ck_assert_int_lt(syscall(SYS_openat2, -1, below("link/file"), how, sizeof(struct open_how)), 0);
		ck_assert_int_eq(errno, ELOOP);
	}
	unlink(below("write/file"));
	gate_close(&gate);
	remove_tree();
}
END_TEST

START_TEST(every_entry_stays_beneath_and_the_first_only_read)
{
	struct gate gate;

	make_tree();
	open_gate(&gate, NULL);
	ck_assert_uint_gt(gate.how_reading, 0);
	ck_assert_uint_gt(gate.how_count, gate.how_reading);
	for (unsigned i = 0; i < gate.how_count; i++) {
		const struct wire_how *how = &gate.page->how[i];
		ck_assert_uint_eq(how->resolve, RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV);
		if (i < gate.how_reading)
			reads_only(how);
		/* the kernel takes each */
		int fd = gate.roots.list[0].fd;
		long r = syscall(SYS_openat2, fd, "missing/name", how, sizeof(struct open_how));
		ck_assert_msg(r < 0 && errno == ENOENT, "entry %u: flags %#lx, mode %#lo: %m", i,
			      (unsigned long)how->flags, (unsigned long)how->mode);
	}
	gate_close(&gate);
	remove_tree();
}
END_TEST

/* ---- late roots --------------------------------------------------------- */

enum { MANY = 3000 };

static void make_many(void)
{
	char name[32];

	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof name, "mixed/free/%d", i);
		touch(below(name));
	}
}

static void remove_many(void)
{
	char name[32];

	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof name, "mixed/free/%d", i);
		unlink(below(name));
	}
}

static long open_by_entry(const struct gate *gate, const struct wire_gate_name *root, uint32_t entry)
{
	long fd = syscall(SYS_openat2, gate->roots.list[root->root].fd, "7", &gate->page->how[entry],
			  sizeof(struct open_how));

	if (fd >= 0)
		close((int)fd);
	return fd < 0 ? -errno : 0;
}

/* This thread, and what it makes from now on. */
static void run_on(unsigned processor)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(processor, &one);
	sched_setaffinity(0, sizeof one, &one); /* where there is none of that number, all stays as it is */
}

enum moving { NOTHING_MOVES, ALL_THE_TIME, UNDER_WAY, SOME_GO };

static bool opens_late(struct gate *gate, enum moving moving)
{
	time_t end = time(NULL) + 20;

	run_on(1);
	gate_late_begin(gate, below("mixed"));
	if (moving == UNDER_WAY)
		gate_late_move(gate);
	run_on(0);
	while (gate->page->late == GATE_LATE_PENDING && time(NULL) < end && moving != ALL_THE_TIME) {
		if (moving == SOME_GO && mkdir(below("mixed/gone"), 0700) == 0)
			rmdir(below("mixed/gone"));
		sched_yield();
	}
	for (int i = 0; moving == ALL_THE_TIME && i < 1 << 24 && gate->page->late == GATE_LATE_PENDING; i++) {
		gate_late_move(gate);
		gate_late_moved(gate);
	}
	ck_assert(gate_late_end(gate));
	return gate->page->late == GATE_LATE_OPEN;
}

/* Does it stay closed? Once is enough, as on a busy machine there may be no moment for a move in a whole search. */
static bool holds(enum moving moving)
{
	struct gate gate;
	bool held = false;

	for (int tries = 0; !held && tries < 50; tries++) {
		open_gate(&gate, NULL);
		held = !opens_late(&gate, moving);
		gate_close(&gate);
	}
	return held;
}

START_TEST(what_is_too_large_to_be_looked_through_serves_root_later)
{
	struct gate gate;

	if (geteuid() != 0)
		return; /* others open no devices, and wait for nothing */
	make_tree();
	make_many();
	ck_assert(holds(ALL_THE_TIME));
	/* what a search has not seen may be where it was already, when it ends before the move is over, too */
	ck_assert(holds(UNDER_WAY));
	open_gate(&gate, NULL);
	const struct wire_gate_name *root = named(&gate, below("mixed/free"));
	ck_assert_uint_eq(root->kind, GATE_MAY_WRITE | GATE_LATE);
	ck_assert_uint_ge(root->root, gate.roots.early);
	ck_assert_int_eq(open_by_entry(&gate, root, gate.how_late), -EINVAL);
	ck_assert(opens_late(&gate, NOTHING_MOVES));
	for (uint32_t i = 0; i < gate.how_count; i++)
		ck_assert_mem_eq(&gate.page->how[gate.how_late + i], &gate.page->how[i], sizeof(struct wire_how));
	ck_assert_int_eq(open_by_entry(&gate, root, gate.how_late), 0);
	gate_close(&gate);
	remove_many();
	remove_tree();
}
END_TEST

START_TEST(a_device_keeps_it_closed)
{
	struct gate gate;
	time_t end = time(NULL) + 1;

	make_tree();
	make_many();
	/* a whiteout, which everybody may make, counts as one */
	if (geteuid() == 0 && mknod(below("mixed/free/device"), S_IFCHR | 0600, 0) == 0) {
		open_gate(&gate, NULL);
		ck_assert(named(&gate, below("mixed/free"))->kind & GATE_LATE);
		gate_late_begin(&gate, below("mixed"));
		while (time(NULL) <= end)
			ck_assert_uint_ne(gate.page->late, GATE_LATE_OPEN);
		gate_close(&gate);
		unlink(below("mixed/free/device"));
	}
	remove_many();
	remove_tree();
}
END_TEST

/* As when a build begins with clearing away the last one. */
START_TEST(directories_that_go_meanwhile_do_not_keep_it_closed)
{
	struct gate gate;

	if (geteuid() != 0)
		return;
	make_tree();
	make_many();
	for (int tries = 0; tries < 50; tries++) {
		open_gate(&gate, NULL);
		ck_assert(opens_late(&gate, SOME_GO));
		gate_close(&gate);
	}
	remove_many();
	remove_tree();
}
END_TEST

/* Only the working directory's own mount is looked through. */
START_TEST(what_is_mounted_in_the_working_directory_is_not_late)
{
	struct gate gate;

	make_tree();
	if (geteuid() == 0 && unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	    mount("none", below("mixed/free"), "tmpfs", 0, NULL) == 0) {
		if (mknod(below("mixed/free/disk"), S_IFBLK | 0600, 7 << 8) == 0) {
			open_gate(&gate, NULL);
			ck_assert_ptr_null(named(&gate, below("mixed/free")));
			gate_close(&gate);
		}
		umount(below("mixed/free"));
	}
	remove_tree();
}
END_TEST

/* What the tool has of the page gives it nothing to write with. */
START_TEST(the_page_cannot_be_written)
{
	struct gate gate;
	char path[32];

	make_tree();
	open_gate(&gate, NULL);
	ck_assert_int_eq(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, gate.fd, 0) == MAP_FAILED, 1);
	void *page = mmap(NULL, GATE_LENGTH, gate.protection, MAP_SHARED, gate.fd, 0);
	ck_assert_ptr_ne(page, MAP_FAILED);
	ck_assert_int_lt(mprotect(page, 4096, PROT_READ | PROT_WRITE), 0);
	ck_assert_int_lt(pwrite(gate.fd, "x", 1, 0), 0);
	ck_assert_int_lt(ftruncate(gate.fd, 0), 0);
	snprintf(path, sizeof path, "/proc/self/fd/%d", gate.fd);
	int again = open(path, O_RDWR);
	ck_assert_int_lt(pwrite(again, "x", 1, 0), 0);
	ck_assert_int_lt(fallocate(again, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096), 0);
	close(again);
	int memory = open("/proc/self/mem", O_RDWR);
	ck_assert_int_lt(pwrite(memory, "x", 1, (off_t)(uintptr_t)page), 0);
	close(memory);
	gate.page->magic++; /* but by us, and then it is seen */
	ck_assert_uint_eq(((struct wire_gate *)page)->magic, GATE_MAGIC + 1);
	munmap(page, GATE_LENGTH);
	gate_close(&gate);
	remove_tree();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("gate");
	TCase *tcase = tcase_create("gate");

	tcase_add_test(tcase, directories_that_are_pure_become_roots);
	tcase_add_test(tcase, files_that_are_allowed_are_in_the_page_by_their_names);
	tcase_add_test(tcase, no_entry_for_files_follows_a_link_and_the_first_only_read);
	tcase_add_test(tcase, both_policies_must_agree);
	tcase_add_test(tcase, what_is_moved_leads_nowhere_any_more);
	tcase_add_test(tcase, every_entry_stays_beneath_and_the_first_only_read);
	tcase_add_test(tcase, what_is_too_large_to_be_looked_through_serves_root_later);
	tcase_add_test(tcase, a_device_keeps_it_closed);
	tcase_add_test(tcase, directories_that_go_meanwhile_do_not_keep_it_closed);
	tcase_add_test(tcase, what_is_mounted_in_the_working_directory_is_not_late);
	tcase_add_test(tcase, the_page_cannot_be_written);
	tcase_set_timeout(tcase, 30);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
