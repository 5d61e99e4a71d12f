/* SPDX-License-Identifier: MIT */
/*
 * test_filter.c - the compiled filter is interpreted here, and compared with the judge: what the judge refuses, answers
 * or changes never passes, whatever the registers hold; and what needs no judging does not stop.
 *
 * The judge works on the test itself as if it were a guarded task, so that names, descriptors and structs are real.
 *
 * Which calls stop, and which need not, is test_filter_stops.c; what passes at level gate, test_filter_gate.c.
 */
#include "filter.h"

#include <linux/audit.h>
#include <linux/fs.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "filter_help.h"
#include "judge.h"
#include "register_rules.h"

enum { DRAWS = 600, DRAWS_OF_NAMES = 60, DRAWS_OF_HARMLESS = 10, X32 = 0x40000000 };

/* ---- representative values ---------------------------------------------- */

static struct sockaddr_in somewhere = {.sin_family = AF_INET};
static struct sockaddr_un named = {.sun_family = AF_UNIX, .sun_path = "missing"};
static struct msghdr message;

static const char *const names[] = {"/",
				    ".",
				    "/etc/passwd",
				    "/etc/passwd/",
				    "missing",
				    "/dev/mem",
				    "/proc/sys/kernel/ostype",
				    "/proc/1/mem",
				    "/proc/1/cwd/x",
				    "/proc/self/mem",
				    "/proc/kcore",
				    "/sys/kernel",
				    "/proc/sysrq-trigger",
				    "/proc/self/fd/0",
				    ""};
enum { NAMES = sizeof names / sizeof names[0] };
static const char *const attributes[] = {"user.x", "user.x", "security.selinux", "system.posix_acl_access", ""};
enum { ATTRIBUTES = sizeof attributes / sizeof attributes[0] };

#define LIST(name, ...) static const uint64_t name[] = {__VA_ARGS__}
LIST(any_values, 0, 1, 2, 3, 4, 7, 15, 16, 0x100, UINT32_MAX, UINT64_MAX, HIGH, HIGH + 1, INT32_MAX, UINT64_C(1) << 63,
     0x80000000u);
LIST(open_flags, O_RDONLY, O_WRONLY, O_RDWR, O_ACCMODE, O_CREAT, O_CREAT | O_EXCL, O_TRUNC, O_PATH, O_PATH | O_NOFOLLOW,
     O_TMPFILE | O_RDWR, O_DIRECTORY, O_NOFOLLOW, O_CLOEXEC | HIGH, O_APPEND | O_WRONLY);
LIST(slots, 0, 2, OPEN_FILES - 1, OPEN_FILES, OPEN_FILES + 15, UINT32_MAX, HIGH, HIGH + OPEN_FILES, HIGH + 3,
     UINT64_MAX);
LIST(addresses, 0, 1, 4095, 4096, RESERVED_START - 1, RESERVED_START, SLOT_START, RESERVED_END - 4096, RESERVED_END - 1,
     RESERVED_END, RESERVED_END + 4096, HIGH, HIGH + RESERVED_START, HIGH + RESERVED_END, 0x7fffffffe000, UINT64_MAX,
     UINT64_MAX - 4095);
LIST(map_flags, MAP_PRIVATE, MAP_SHARED | MAP_FIXED, MAP_PRIVATE | MAP_FIXED_NOREPLACE, MAP_PRIVATE | MAP_ANONYMOUS,
     MAP_FIXED | HIGH, HIGH, MAP_GROWSDOWN | MAP_FIXED, UINT64_MAX, 8 /* MAP_DROPPABLE */ | MAP_ANONYMOUS, 8 | HIGH);
LIST(advices, MADV_DONTNEED, MADV_FREE, MADV_FREE | HIGH, MADV_WILLNEED, MADV_HUGEPAGE, 100);
LIST(clone_flags, 0, 17, CLONE_VM | CLONE_FS, CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET, CLONE_NEWIPC,
     CLONE_NEWUTS, CLONE_NEWCGROUP, CLONE_NEWTIME, CLONE_UNTRACED, CLONE_PTRACE,
     CLONE_THREAD | CLONE_VM | CLONE_SIGHAND, CLONE_NEWUSER | HIGH, UINT64_C(0x200000000), UINT64_MAX);
LIST(prctls, PR_SET_NAME, PR_SET_DUMPABLE, PR_GET_DUMPABLE, PR_SET_MM, PR_SET_DUMPABLE | HIGH, PR_SET_MM | HIGH,
     PR_SET_PDEATHSIG, PR_SET_SECCOMP, PR_SET_SYSCALL_USER_DISPATCH, PR_SET_NO_NEW_PRIVS, UINT64_MAX);
LIST(arch_prctls, 0x1001, 0x1002, ARCH_TAGGED_ADDRESSES, ARCH_TAGGED_ADDRESSES | HIGH, 0x4001, 0x5001);
LIST(personalities, 0, 8, UINT32_MAX, UINT64_MAX, 0x0040000, 1, 2, 4, 6, 0x0400000 | 1, HIGH, HIGH | 3, 0x8000000);
LIST(ioctls, 0x5401, TIOCSTI, TIOCLINUX, FIOSETOWN, FIOCLEX, FIONBIO, 0x8902, FS_IOC_SETFLAGS, FS_IOC_GETFLAGS,
     FS_IOC_FSSETXATTR, TIOCSTI | HIGH, FIOCLEX | HIGH, FS_IOC_SETFLAGS | HIGH, UINT64_MAX);
LIST(fcntls, F_DUPFD, F_GETFD, F_SETFD, F_SETFL, F_SETLK, F_SETOWN, F_SETOWN_EX, F_GETOWN, F_SETSIG, F_SETOWN | HIGH,
     F_SETOWN_EX | HIGH, F_DUPFD_CLOEXEC, 1024 + 9, F_SETLEASE, F_SETLEASE | HIGH, F_GETLEASE, FCNTL_DELEGATION);
LIST(seccomps, 0, SECCOMP_SET_MODE_FILTER, SECCOMP_GET_ACTION_AVAIL, SECCOMP_SET_MODE_FILTER | HIGH, UINT64_MAX);
LIST(domains, AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, AF_PACKET, AF_VSOCK, AF_ALG, 0, AF_INET | HIGH, AF_UNIX | HIGH,
     UINT64_MAX);
LIST(levels, SOL_SOCKET, IPPROTO_IP, IPPROTO_IPV6, IPPROTO_TCP, IPPROTO_IP | HIGH, IPPROTO_IPV6 | HIGH);
LIST(options, 4 /* IP_OPTIONS */, 57 /* IPV6_RTHDR */, 5, 6, 1, 2, 26, 57 | HIGH, 4 | HIGH, 9,
     35 /* IP_ADD_MEMBERSHIP */, 20 /* IPV6_JOIN_GROUP */, 42 /* MCAST_JOIN_GROUP */, 46, 39, 27);
LIST(value_sizes, 0, 1, 100, HIGH, UINT64_MAX);
LIST(keys, 0, 1, HIGH, UINT64_MAX);

static uint64_t state = UINT64_C(88172645463325252);
static uint64_t draw(void) /* xorshift64 */
{
	state ^= state << 13;
	state ^= state >> 7;
	return state ^= state << 17;
}

static uint64_t one_of(const uint64_t *list, size_t count)
{
	return list[draw() % count];
}
#define ONE_OF(list) one_of(list, sizeof(list) / sizeof(list)[0])

static uint64_t pointer(const void *to)
{
	return (uint64_t)(uintptr_t)to;
}

static uint64_t draw_address_argument(void)
{
	const void *const list[] = {NULL, &somewhere, &named, &message};

	return draw() % 5 ? pointer(list[draw() % 4]) : ONE_OF(any_values);
}

#define VALUES(list)                                 \
	{                                            \
		list, sizeof(list) / sizeof(list)[0] \
	}
static const struct {
	const uint64_t *list;
	size_t count;
} of_kind[ARG_KIND_COUNT] = {
	[ARG_OPEN_FLAGS] = VALUES(open_flags),
	[ARG_SLOT] = VALUES(slots),
	[ARG_LAST_SLOT] = VALUES(slots),
	[ARG_ADDRESS] = VALUES(addresses),
	[ARG_MAP_ADDRESS] = VALUES(addresses),
	[ARG_REMAP_ADDRESS] = VALUES(addresses),
	[ARG_BREAK] = VALUES(addresses),
	[ARG_MAP_FLAGS] = VALUES(map_flags),
	[ARG_ADVICE] = VALUES(advices),
	[ARG_CLONE_FLAGS] = VALUES(clone_flags),
	[ARG_NS_FLAGS] = VALUES(clone_flags),
	[ARG_PRCTL] = VALUES(prctls),
	[ARG_ARCH_PRCTL] = VALUES(arch_prctls),
	[ARG_PERSONALITY] = VALUES(personalities),
	[ARG_IOCTL] = VALUES(ioctls),
	[ARG_FCNTL] = VALUES(fcntls),
	[ARG_SECCOMP] = VALUES(seccomps),
	[ARG_DOMAIN] = VALUES(domains),
	[ARG_SOCKOPT] = VALUES(levels),
	[ARG_IPC_KEY] = VALUES(keys),
	[ARG_PID] = VALUES(keys),
	[ARG_VALUE_SIZE] = VALUES(value_sizes),
};

/* A value for this argument; some are told by the one before. */
static uint64_t draw_argument(const struct call *call, int i)
{
	int kind = call->args[i].kind, before = i > 0 ? call->args[i - 1].kind : ARG_UNUSED;

	if (kind == ARG_PATH)
		return draw() % 8 ? pointer(names[draw() % NAMES]) : ONE_OF(keys);
	if (kind == ARG_ATTRIBUTE)
		return draw() % 4 ? pointer(attributes[draw() % ATTRIBUTES]) : ONE_OF(keys);
	if (kind == ARG_DIRFD)
		return draw() % 2 ? (uint64_t)AT_FDCWD : draw() % 2 ? (uint32_t)AT_FDCWD : ONE_OF(slots);
	if (kind == ARG_SOCKADDR || kind == ARG_MSGHDR || kind == ARG_MMSGHDR)
		return draw_address_argument();
	if (of_kind[kind].count)
		return one_of(of_kind[kind].list, of_kind[kind].count);
	return before == ARG_SOCKOPT ? ONE_OF(options) : before == ARG_SOCKADDR ? draw() % 130 : ONE_OF(any_values);
}

static void draw_arguments(const struct call *call, uint64_t args[CALL_ARGS])
{
	for (int i = 0; i < CALL_ARGS; i++)
		args[i] = draw_argument(call, i);
}

/* ---- the judge's side --------------------------------------------------- */

static struct request request;
static struct judgement judgement;

static void ask_judge(long number, const uint64_t args[CALL_ARGS])
{
	struct call_stop stop = {.number = number};

	memcpy(stop.args, args, sizeof stop.args);
	decode_texts(tracee_find(&guard.tracees, getpid()), &stop, &request);
	decode_rest(&guard, &request);
	judge(&guard, &request, &judgement);
	decode_done(&request);
}

/*
 * What passes the filter is made by the kernel as it stands: the judge has nothing to refuse, to change or to remember,
 * and what it would answer is what the kernel says of it anyway. Only: what exists is told of strangers, too, where
 * nothing is hidden (LOOK); and which way a message goes does not matter where every address is allowed.
 */
static bool may_pass(const struct call *call)
{
	if (judgement.outcome == OUTCOME_REFUSE)
		return (call->op == OP_LOOK || call->op == OP_VALUE) && request.names[0].at.stranger;
	if (judgement.outcome == OUTCOME_ANSWER) /* a wrong name or pointer; never a success in the kernel's place */
		return judgement.value < 0;
	return judgement.replace < 0 && !judgement.then && !judgement.note && !judgement.moves_names &&
	       !judgement.executes;
}

static void assert_passable(const struct call *call, long number, const uint64_t args[CALL_ARGS])
{
	ask_judge(number, args);
	REQUIRE(may_pass(call), "%s(%#llx, %#llx, %#llx, %#llx, %#llx, %#llx) passes; the judge: outcome %d, %s",
		call->name, (unsigned long long)args[0], (unsigned long long)args[1], (unsigned long long)args[2],
		(unsigned long long)args[3], (unsigned long long)args[4], (unsigned long long)args[5],
		(int)judgement.outcome, judgement.refusal.target);
}

/* ---- tests -------------------------------------------------------------- */

START_TEST(nothing_that_the_judge_would_not_let_pass_passes)
{
	uint64_t args[CALL_ARGS];

	use_policy(_i);
	for (long number = 0; number < CALL_NUMBERS; number++) {
		const struct call *call = call_find(number);
		int draws = call->op == OP_LOOK || call->op == OP_READLINK || call->op == OP_VALUE ? DRAWS_OF_NAMES
			    : call->class == CALL_JUDGED					   ? DRAWS
												   : DRAWS_OF_HARMLESS;
		bool stopped = false;
		for (int n = 0; n < draws; n++) {
			draw_arguments(call, args);
			if (stops_here(number, args))
				stopped = true;
			else
				assert_passable(call, number, args);
		}
		ck_assert_msg(stopped == !filter_never_stops(&guard, number), "call %ld (%s)", number, call->name);
	}
	let_go();
}
END_TEST

START_TEST(foreign_calls_stop)
{
	static const uint32_t foreign[] = {AUDIT_ARCH_I386, AUDIT_ARCH_AARCH64, 0, UINT32_MAX, AUDIT_ARCH_X86_64 ^ 1};
	const uint64_t args[CALL_ARGS] = {0};

	use_policy(_i);
	for (long number = 0; number < CALL_NUMBERS + 8; number++) {
		for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++)
			REQUIRE(stops(number, args, foreign[i]), "%ld", number);
		REQUIRE(stops_here(number | X32, args), "%ld", number);
	}
	ck_assert(stops_here(-1, args));
	ck_assert(stops_here(CALL_NUMBERS, args));
	ck_assert(stops_here(INT32_MAX, args));
	ck_assert(stops_here(INT32_MIN, args));
	let_go();
}
END_TEST

/* Wherever it could jump to, whatever is loaded, it stays within itself and within what seccomp gives it. */
START_TEST(every_instruction_is_one_that_the_kernel_takes)
{
	use_policy(_i);
	ck_assert_uint_gt(filter.len, 0);
	ck_assert_uint_le(filter.len, BPF_MAXINSNS);
	for (unsigned at = 0; at < filter.len; at++) {
		const struct sock_filter *i = &filter.filter[at];
		unsigned left = filter.len - at - 1u;
		if (BPF_CLASS(i->code) == BPF_JMP && BPF_OP(i->code) == BPF_JA)
			ck_assert_uint_lt(i->k, left);
		else if (BPF_CLASS(i->code) == BPF_JMP)
			ck_assert(i->jt < left && i->jf < left);
		else if (BPF_CLASS(i->code) == BPF_LD)
			ck_assert(i->k % 4 == 0 && i->k < sizeof(struct seccomp_data));
	}
	ck_assert_int_eq(BPF_CLASS(filter.filter[filter.len - 1].code), BPF_RET);
	let_go();
}
END_TEST

START_TEST(the_kernel_installs_it)
{
	use_policy(_i);
	ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	if (fork() == 0)
		_exit(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0 ? 0 : 1);
	int status;
	ck_assert_int_gt(wait(&status), 0);
	ck_assert_int_eq(status, 0);
	let_go();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("filter");
	TCase *tests = tcase_create("filter");

	tcase_set_timeout(tests, 120);
	tcase_add_checked_fixture(tests, help_setup, help_teardown);
	tcase_add_loop_test(tests, nothing_that_the_judge_would_not_let_pass_passes, 0, POLICIES);
	tcase_add_loop_test(tests, foreign_calls_stop, 0, POLICIES);
	tcase_add_loop_test(tests, every_instruction_is_one_that_the_kernel_takes, 0, POLICIES);
	tcase_add_loop_test(tests, the_kernel_installs_it, 0, POLICIES);
	suite_add_tcase(suite, tests);
	return help_run(suite);
}
