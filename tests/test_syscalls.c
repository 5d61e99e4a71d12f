/* SPDX-License-Identifier: MIT */
/*
 * test_syscalls.c - the call table by itself: sorted, complete in each row, and consistent with what syscalls.h says
 * of operations and argument kinds. test_syscalls_headers.sh compares it with the kernel's headers,
 * test_syscalls_kernel.c with what the running kernel does.
 */
#include <check.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "syscalls.h"

#define KIND(kind_) (1ull << ARG_##kind_)
_Static_assert(ARG_KIND_COUNT <= 64, "a set of kinds is 64 bits");

/* The table as it is written. */
static const struct {
	int number;
	const char *name;
} rows[] = {
#define CALL(number_, name_, ...) {number_, #name_},
#include "syscalls.def"
#undef CALL
};
enum { ROWS = sizeof(rows) / sizeof(*rows) };

START_TEST(rows_are_sorted_and_every_name_is_unique)
{
	for (int i = 1; i < ROWS; i++)
		ck_assert_msg(rows[i - 1].number < rows[i].number, "%s stands before %s", rows[i - 1].name,
			      rows[i].name);
	for (int i = 0; i < ROWS; i++)
		for (int k = 0; k < i; k++)
			ck_assert_str_ne(rows[i].name, rows[k].name);
}
END_TEST

START_TEST(every_row_is_found_by_number_and_by_name)
{
	for (int i = 0; i < ROWS; i++) {
		const struct call *call = call_find(rows[i].number);

		ck_assert_str_eq(call->name, rows[i].name);
		ck_assert_int_eq(call->number, rows[i].number);
		ck_assert_ptr_eq(call_by_name(rows[i].name), call);
		ck_assert_int_ne(call->class, CALL_UNLISTED);
	}
	ck_assert_ptr_null(call_by_name("openat3"));
	ck_assert_ptr_null(call_by_name(""));
	ck_assert_ptr_null(call_by_name("unlisted"));
}
END_TEST

/* Numbers that no call has: gaps, ends, the x32 bit, negative ones. */
static const long strangers[] = {-1,   -512, 337,	 400,	  423,	    CALL_NUMBERS - 1, CALL_NUMBERS,
				 1024, 4095, 0x40000000, INT_MAX, LONG_MAX, LONG_MIN,	      0x40000000 + 257};

START_TEST(a_number_without_a_row_is_unlisted)
{
	const struct call *call = call_find(strangers[_i]);

	ck_assert_ptr_nonnull(call);
	ck_assert_int_eq(call->class, CALL_UNLISTED);
	ck_assert_str_eq(call->name, "unlisted");
	ck_assert_int_eq(call_arg_index(call, ARG_PATH, 0), -1);
	ck_assert_int_eq(call_find(call->number)->class, CALL_UNLISTED);
}
END_TEST

START_TEST(classes_and_operations_agree)
{
	for (int i = 0; i < ROWS; i++) {
		const struct call *call = call_find(rows[i].number);
		bool refuses = call->op == OP_REFUSE || call->op == OP_REFUSE_IFACE || call->op == OP_REFUSE_PROC;

		ck_assert_int_lt(call->op, OP_COUNT);
		ck_assert_msg((call->class == CALL_HARMLESS) == (call->op == OP_NONE), "%s", call->name);
		ck_assert_msg((call->class == CALL_REFUSED) == refuses, "%s", call->name);
		if (call->class != CALL_JUDGED)
			ck_assert_msg(call->args[0].kind == ARG_UNUSED, "%s lists arguments", call->name);
	}
}
END_TEST

/* What a row of an operation has to have, may have, and does with its names. */
static const struct shape {
	enum call_op op;
	int paths;		  /* how many names */
	unsigned access[2];	  /* of each; by flags: 0 */
	unsigned long long every; /* kinds that it must have */
	unsigned long long some;  /* one of these it must have, if there are any */
	unsigned long long also;  /* kinds that it may have as well */
} shapes[] = {
	{OP_LOOK, 1, {ACCESS_LOOK}, KIND(PATH), 0, KIND(DIRFD) | KIND(AT_FLAGS)},
	{OP_VALUE, 1, {ACCESS_LOOK}, KIND(PATH) | KIND(ATTRIBUTE), 0, KIND(DIRFD) | KIND(AT_FLAGS) | KIND(VALUE_SIZE)},
	{OP_READLINK, 1, {ACCESS_LOOK}, KIND(PATH), 0, KIND(DIRFD)},
	{OP_CREATE, 1, {ACCESS_WRITE}, KIND(PATH), 0, KIND(DIRFD) | KIND(NODE)},
	{OP_SYMLINK, 1, {ACCESS_WRITE}, KIND(PATH) | KIND(ANY), 0, KIND(DIRFD)},
	{OP_REMOVE, 1, {ACCESS_WRITE}, KIND(PATH), 0, KIND(DIRFD) | KIND(AT_FLAGS)},
	{OP_RENAME, 2, {ACCESS_WRITE, ACCESS_WRITE}, KIND(PATH), 0, KIND(DIRFD) | KIND(RENAME_FLAGS)},
	{OP_LINK, 2, {ACCESS_LOOK, ACCESS_WRITE}, KIND(PATH), 0, KIND(DIRFD) | KIND(AT_FLAGS)},
	{OP_CHANGE,
	 1,
	 {ACCESS_WRITE},
	 KIND(PATH),
	 0,
	 KIND(DIRFD) | KIND(AT_FLAGS) | KIND(ATTRIBUTE) | KIND(LENGTH) | KIND(MODE) | KIND(OWNER)},
	{OP_CHANGE_FD, 0, {0}, KIND(OBJECT), 0, KIND(ATTRIBUTE) | KIND(MODE) | KIND(OWNER)},
	{OP_CHDIR, 1, {ACCESS_LOOK}, KIND(PATH), 0, 0},
	{OP_WATCH, 1, {ACCESS_READ}, KIND(PATH) | KIND(WATCH_MASK), 0, 0},
	{OP_EXEC, 1, {ACCESS_EXEC}, KIND(PATH) | KIND(ARGV) | KIND(ENVP), 0, KIND(DIRFD) | KIND(AT_FLAGS)},
	{OP_SOCKET, 0, {0}, KIND(DOMAIN), 0, 0},
	{OP_CONNECT, 0, {0}, KIND(SOCKET) | KIND(SOCKADDR), 0, 0},
	{OP_BIND, 0, {0}, KIND(SOCKET) | KIND(SOCKADDR), 0, 0},
	{OP_LISTEN, 0, {0}, KIND(SOCKET), 0, 0},
	{OP_SENDMSG, 0, {0}, KIND(SOCKET) | KIND(MSGHDR), 0, 0},
	{OP_SENDMMSG, 0, {0}, KIND(SOCKET) | KIND(MMSGHDR), 0, 0},
	{OP_FORK, 0, {0}, 0, 0, 0},
	{OP_CLONE, 0, {0}, 0, KIND(CLONE_FLAGS) | KIND(NS_FLAGS), 0},
	{OP_CLONE3, 0, {0}, KIND(CLONE_ARGS), 0, 0},
	{OP_SIGNAL, 0, {0}, 0, KIND(PID) | KIND(PIDFD) | KIND(KILL_TARGET), KIND(SIGNAL_FLAGS)},
	{OP_PROCESS,
	 0,
	 {0},
	 0,
	 KIND(PID) | KIND(LIMIT) | KIND(PIDFD) | KIND(WHICH_WHO) | KIND(IO_WHICH_WHO) | KIND(GROUP),
	 0},
	{OP_CREDENTIALS, 0, {0}, KIND(ANY), 0, 0},
	{OP_PRCTL, 0, {0}, 0, KIND(PRCTL) | KIND(PERSONALITY) | KIND(ARCH_PRCTL), 0},
	{OP_IOCTL, 0, {0}, KIND(IOCTL) | KIND(OBJECT), 0, 0},
	{OP_FCNTL, 0, {0}, KIND(FCNTL) | KIND(SLOT), 0, 0},
	{OP_SECCOMP, 0, {0}, KIND(SECCOMP), 0, 0},
	{OP_MEMORY,
	 0,
	 {0},
	 0,
	 KIND(ADDRESS) | KIND(MAP_ADDRESS) | KIND(REMAP_ADDRESS) | KIND(BREAK),
	 KIND(MAP_FLAGS) | KIND(REMAP_FLAGS) | KIND(ADVICE)},
	{OP_DESCRIPTOR, 0, {0}, KIND(SLOT), 0, KIND(LAST_SLOT)},
	{OP_ASYNC, 0, {0}, KIND(ANY), 0, 0},
	{OP_SOCKOPT, 0, {0}, KIND(SOCKET) | KIND(SOCKOPT), 0, 0},
	{OP_IPC, 0, {0}, 0, KIND(IPC_KEY) | KIND(IPC_ID), KIND(REMAP_ADDRESS) | KIND(IPC_COMMAND)},
	{OP_ALLOCATE, 0, {0}, KIND(ANY), 0, 0},
	{OP_CONFINE, 0, {0}, 0, 0, 0},
	/* Opens, by flags, and creat, which has none. */
	{OP_OPEN, 1, {0}, KIND(PATH), KIND(OPEN_FLAGS) | KIND(OPEN_HOW), KIND(DIRFD)},
};
enum { SHAPES = sizeof(shapes) / sizeof(*shapes) };

static unsigned long long kinds_of(const struct call *call)
{
	unsigned long long kinds = 0;

	for (int i = 0; i < CALL_ARGS; i++)
		if (call->args[i].kind != ARG_UNUSED)
			kinds |= 1ull << call->args[i].kind;
	return kinds;
}

static void check_shape(const struct call *call, const struct shape *shape)
{
	unsigned long long kinds = kinds_of(call), known = shape->every | shape->some | shape->also | KIND(ANY);
	bool is_creat = strcmp(call->name, "creat") == 0;
	int paths = 0;

	ck_assert_msg((kinds & shape->every) == shape->every, "%s lacks an argument of its operation", call->name);
	ck_assert_msg(!shape->some || is_creat || kinds & shape->some, "%s has nothing to judge", call->name);
	ck_assert_msg((kinds & ~known) == 0, "%s has an argument that its operation does not know", call->name);
	for (int i = call_arg_index(call, ARG_PATH, 0); i >= 0; i = call_arg_index(call, ARG_PATH, i + 1)) {
		ck_assert_int_lt(paths, shape->paths);
		ck_assert_msg(call->args[i].access == (is_creat ? ACCESS_WRITE : shape->access[paths]), "%s",
			      call->name);
		paths++;
	}
	ck_assert_msg(paths == shape->paths, "%s has %d names", call->name, paths);
}

START_TEST(a_judged_call_has_what_its_operation_needs)
{
	const struct shape *shape = &shapes[_i];
	int found = 0;

	for (long number = 0; number < CALL_NUMBERS; number++) {
		const struct call *call = call_find(number);

		if (call->class != CALL_JUDGED || call->op != shape->op)
			continue;
		check_shape(call, shape);
		found++;
	}
	ck_assert_msg(found > 0, "operation %s has no call", call_op_name(shape->op));
}
END_TEST

START_TEST(every_operation_of_judged_calls_has_a_shape)
{
	for (int i = 0; i < ROWS; i++) {
		const struct call *call = call_find(rows[i].number);
		bool known = call->class != CALL_JUDGED;

		for (int s = 0; s < SHAPES; s++)
			known |= shapes[s].op == call->op;
		ck_assert_msg(known, "%s", call->name);
	}
}
END_TEST

static bool has(const struct call *call, enum arg_kind kind)
{
	return call_arg_index(call, kind, 0) >= 0;
}

/* How a name's last component is taken must be possible to tell from the row. */
static void check_final(const struct call *call, const struct call_arg *arg)
{
	bool names_only = call->op == OP_CREATE || call->op == OP_SYMLINK || call->op == OP_REMOVE ||
			  call->op == OP_RENAME || (call->op == OP_LINK && arg->access == ACCESS_WRITE);

	ck_assert_msg(names_only == (arg->final == FINAL_NAME), "%s", call->name);
	if (has(call, ARG_WATCH_MASK))
		ck_assert_msg(arg->final == FINAL_WATCH, "%s", call->name);
	if (has(call, ARG_OPEN_FLAGS) || has(call, ARG_OPEN_HOW))
		ck_assert_msg(arg->final == FINAL_OPEN, "%s", call->name);
	if (has(call, ARG_AT_FLAGS) && !names_only)
		ck_assert_msg(arg->final == FINAL_AT_NOFOLLOW || arg->final == FINAL_AT_FOLLOW, "%s", call->name);
	switch ((enum final)arg->final) {
	case FINAL_AT_NOFOLLOW:
	case FINAL_AT_FOLLOW:
		ck_assert_msg(has(call, ARG_AT_FLAGS), "%s", call->name);
		break;
	case FINAL_OPEN:
		ck_assert_msg(has(call, ARG_OPEN_FLAGS) || has(call, ARG_OPEN_HOW), "%s", call->name);
		break;
	case FINAL_WATCH:
		ck_assert_msg(has(call, ARG_WATCH_MASK), "%s", call->name);
		break;
	case FINAL_FOLLOW:
	case FINAL_NOFOLLOW:
	case FINAL_NAME:
		break;
	default:
		ck_abort_msg("%s: final %d", call->name, arg->final);
	}
}

START_TEST(a_name_can_be_taken_as_the_row_says)
{
	for (int n = 0; n < ROWS; n++) {
		const struct call *call = call_find(rows[n].number);

		for (int i = 0; i < CALL_ARGS; i++) {
			const struct call_arg *arg = &call->args[i];
			bool after_dirfd = i > 0 && call->args[i - 1].kind == ARG_DIRFD;

			if (arg->kind == ARG_PATH) {
				check_final(call, arg);
				ck_assert_msg(!arg->empty || after_dirfd, "%s", call->name);
				ck_assert_msg(!(arg->empty & EMPTY_BY_FLAGS) || has(call, ARG_AT_FLAGS), "%s",
					      call->name);
			} else {
				ck_assert_msg(!after_dirfd, "%s: dirfd without a name", call->name);
				ck_assert_msg((!arg->final || arg->kind == ARG_ANY) && !arg->empty, "%s", call->name);
			}
			if (arg->kind == ARG_OBJECT)
				ck_assert_msg(arg->access == ACCESS_WRITE || call->op == OP_IOCTL, "%s", call->name);
			else if (arg->kind != ARG_PATH)
				ck_assert_msg(!arg->access, "%s", call->name);
		}
	}
}
END_TEST

/* Kinds whose meaning needs arguments after them. */
static const struct {
	enum arg_kind kind;
	int followers;
} followed[] = {
	{ARG_OPEN_HOW, 1},   {ARG_SOCKADDR, 1},	 {ARG_MMSGHDR, 1},	{ARG_DOMAIN, 2},
	{ARG_CLONE_ARGS, 1}, {ARG_WHICH_WHO, 1}, {ARG_IO_WHICH_WHO, 1}, {ARG_FCNTL, 1},
	{ARG_SECCOMP, 2},    {ARG_SOCKOPT, 3},	 {ARG_IOCTL, 1},
};

START_TEST(an_argument_that_needs_another_is_followed_by_it)
{
	int found = 0;

	for (int n = 0; n < ROWS; n++) {
		const struct call *call = call_find(rows[n].number);
		int at = call_arg_index(call, followed[_i].kind, 0);

		if (at < 0)
			continue;
		found++;
		for (int k = 1; k <= followed[_i].followers; k++) {
			ck_assert_int_lt(at + k, CALL_ARGS);
			ck_assert_msg(call->args[at + k].kind == ARG_ANY, "%s", call->name);
		}
	}
	ck_assert_int_gt(found, 0);
}
END_TEST

START_TEST(no_row_has_a_hole_and_every_kind_is_used)
{
	unsigned long long used = KIND(UNUSED);

	for (int n = 0; n < ROWS; n++) {
		const struct call *call = call_find(rows[n].number);

		for (int i = 0; i < CALL_ARGS; i++) {
			ck_assert_int_lt(call->args[i].kind, ARG_KIND_COUNT);
			ck_assert_int_eq(
				call->args[i].access & ~(ACCESS_READ | ACCESS_WRITE | ACCESS_EXEC | ACCESS_LOOK), 0);
			if (i > 0 && call->args[i - 1].kind == ARG_UNUSED)
				ck_assert_msg(call->args[i].kind == ARG_UNUSED, "%s", call->name);
		}
		used |= kinds_of(call);
	}
	for (int kind = 0; kind < ARG_KIND_COUNT; kind++)
		ck_assert_msg(used & 1ull << kind, "no call has a %s", call_arg_kind_name((enum arg_kind)kind));
}
END_TEST

START_TEST(an_argument_is_found_by_kind_from_a_place_on)
{
	const struct call *call = call_by_name("linkat");

	ck_assert_int_eq(call_arg_index(call, ARG_DIRFD, 0), 0);
	ck_assert_int_eq(call_arg_index(call, ARG_PATH, 0), 1);
	ck_assert_int_eq(call_arg_index(call, ARG_PATH, 2), 3);
	ck_assert_int_eq(call_arg_index(call, ARG_PATH, 4), -1);
	ck_assert_int_eq(call_arg_index(call, ARG_PATH, -5), 1);
	ck_assert_int_eq(call_arg_index(call, ARG_PATH, INT_MAX), -1);
	ck_assert_int_eq(call_arg_index(call, ARG_SOCKADDR, 0), -1);
}
END_TEST

START_TEST(everything_has_its_word)
{
	for (int op = 0; op < OP_COUNT; op++)
		ck_assert_str_ne(call_op_name((enum call_op)op), "?");
	for (int kind = 0; kind < ARG_KIND_COUNT; kind++)
		ck_assert_str_ne(call_arg_kind_name((enum arg_kind)kind), "?");
	for (int class = CALL_UNLISTED; class <= CALL_REFUSED; class ++)
		ck_assert_str_ne(call_class_name((enum call_class) class), "?");
	for (int n = 0; n < ROWS; n++) {
		const char *way = call_way(call_find(rows[n].number));

		ck_assert_uint_gt(strlen(way), 10);
		ck_assert_msg(way[strlen(way) - 1] == '.', "%s: %s", rows[n].name, way);
	}
	ck_assert_str_eq(call_op_name(OP_COUNT), "?");
	ck_assert_str_eq(call_arg_kind_name(ARG_KIND_COUNT), "?");
	ck_assert_str_eq(call_class_name((enum call_class)(CALL_REFUSED + 1)), "?");
	ck_assert_ptr_nonnull(strstr(call_way(call_find(-1)), "never runs"));
}
END_TEST

/* What the promises of the design stand on, whatever else is changed in the table. */
static const struct {
	const char *name;
	enum call_class class;
} promises[] = {
	/* a process cannot return from a signal or a stop without these */
	{"restart_syscall", CALL_HARMLESS},
	{"rt_sigreturn", CALL_HARMLESS},
	{"exit_group", CALL_HARMLESS},
	/* made by the kernel's own trampolines */
	{"uretprobe", CALL_HARMLESS},
	{"uprobe", CALL_HARMLESS},
	{"ptrace", CALL_REFUSED},
	{"process_vm_writev", CALL_REFUSED},
	{"pidfd_getfd", CALL_REFUSED},
	{"io_uring_setup", CALL_REFUSED},
	{"io_uring_enter", CALL_REFUSED},
	{"io_uring_register", CALL_REFUSED},
	{"userfaultfd", CALL_REFUSED},
	{"open_by_handle_at", CALL_REFUSED},
	{"bpf", CALL_REFUSED},
	{"perf_event_open", CALL_REFUSED},
	{"mount", CALL_REFUSED},
	{"umount2", CALL_REFUSED},
	{"pivot_root", CALL_REFUSED},
	{"chroot", CALL_REFUSED},
	{"setns", CALL_REFUSED},
	{"open_tree", CALL_REFUSED},
	{"open_tree_attr", CALL_REFUSED},
	{"move_mount", CALL_REFUSED},
	{"fsopen", CALL_REFUSED},
	{"fsmount", CALL_REFUSED},
	{"mount_setattr", CALL_REFUSED},
	{"keyctl", CALL_REFUSED},
	{"add_key", CALL_REFUSED},
	{"request_key", CALL_REFUSED},
	{"mq_open", CALL_REFUSED},
	{"init_module", CALL_REFUSED},
	{"finit_module", CALL_REFUSED},
	{"kexec_load", CALL_REFUSED},
	{"process_madvise", CALL_REFUSED},
	{"unshare", CALL_JUDGED},
	{"clone3", CALL_JUDGED},
	{"seccomp", CALL_JUDGED},
	{"prctl", CALL_JUDGED},
	{"ioctl", CALL_JUDGED},
	{"fcntl", CALL_JUDGED},
	{"execveat", CALL_JUDGED},
	{"sendmmsg", CALL_JUDGED},
	{"shmat", CALL_JUDGED},
	{"setsockopt", CALL_JUDGED},
	{"io_setup", CALL_JUDGED},
	{"pidfd_open", CALL_JUDGED},
};

START_TEST(what_the_design_promises_is_in_the_table)
{
	const struct call *call = call_by_name(promises[_i].name);

	ck_assert_msg(call != NULL, "%s", promises[_i].name);
	ck_assert_msg(call->class == promises[_i].class, "%s is %s", call->name, call_class_name(call->class));
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof(*(array))))

int main(void)
{
	Suite *suite = suite_create("syscalls");
	TCase *table = tcase_create("table");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, table);
	tcase_add_test(table, rows_are_sorted_and_every_name_is_unique);
	tcase_add_test(table, every_row_is_found_by_number_and_by_name);
	tcase_add_loop_test(table, a_number_without_a_row_is_unlisted, 0, COUNT(strangers));
	tcase_add_test(table, classes_and_operations_agree);
	tcase_add_loop_test(table, a_judged_call_has_what_its_operation_needs, 0, SHAPES);
	tcase_add_test(table, every_operation_of_judged_calls_has_a_shape);
	tcase_add_test(table, a_name_can_be_taken_as_the_row_says);
	tcase_add_loop_test(table, an_argument_that_needs_another_is_followed_by_it, 0, COUNT(followed));
	tcase_add_test(table, no_row_has_a_hole_and_every_kind_is_used);
	tcase_add_test(table, an_argument_is_found_by_kind_from_a_place_on);
	tcase_add_test(table, everything_has_its_word);
	tcase_add_loop_test(table, what_the_design_promises_is_in_the_table, 0, COUNT(promises));
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
