/* SPDX-License-Identifier: MIT */
/*
 * test_filter_stops.c - which calls stop at the compiled filter and which need not: by their registers, by what the policy can refuse,
 * and by what Landlock refuses below it. That nothing passes which should not is test_filter.c.
 */
#include "filter.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "filter_help.h"
#include "register_rules.h"

/* Calls that are told by registers alone: which stop, and that no other does. Under the policy that allows all. */
static const struct {
	int call;
	uint64_t args[CALL_ARGS];
	bool stops;
} registers[] = {
	/* namespaces, and children that nobody sees */
	{SYS_clone, {SIGCHLD}, false},
	{SYS_clone, {CLONE_VM | CLONE_VFORK | SIGCHLD}, false},
	{SYS_clone,
	 {CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_SETTLS},
	 false},
	{SYS_clone, {CLONE_NEWUSER | SIGCHLD}, true},
	{SYS_clone, {CLONE_UNTRACED | SIGCHLD}, true},
	{SYS_clone, {CLONE_NEWTIME}, false},
	{SYS_clone3, {0}, true},
	{SYS_fork, {0}, false},
	{SYS_vfork, {0}, false},
	{SYS_unshare, {CLONE_FILES | CLONE_FS | CLONE_SYSVSEM}, false},
	{SYS_unshare, {CLONE_NEWTIME}, true},
	{SYS_unshare, {CLONE_NEWNS}, true},
	/* descriptors */
	{SYS_close, {OPEN_FILES - 1}, false},
	{SYS_close, {OPEN_FILES}, true},
	{SYS_close, {UINT32_MAX}, true},
	{SYS_close, {HIGH + 3}, false},
	{SYS_close, {HIGH + OPEN_FILES}, true},
	{SYS_dup2, {OPEN_FILES, 3}, false},
	{SYS_dup2, {3, OPEN_FILES}, true},
	{SYS_dup3, {3, OPEN_FILES + 1, 0}, true},
	{SYS_close_range, {3, 100, 0}, false},
	{SYS_close_range, {3, UINT32_MAX, 0}, true},
	{SYS_close_range, {OPEN_FILES, OPEN_FILES, 0}, true},
	{SYS_fcntl, {3, F_SETFD, FD_CLOEXEC}, false},
	{SYS_fcntl, {OPEN_FILES, F_SETFD, FD_CLOEXEC}, true},
	{SYS_fcntl, {3, F_SETOWN, 1}, true},
	{SYS_fcntl, {3, F_SETOWN | HIGH, 1}, true},
	{SYS_fcntl, {3, F_SETOWN_EX, 1}, true},
	{SYS_fcntl, {3, F_DUPFD_CLOEXEC, 10}, false},
	{SYS_fcntl, {3, F_SETLEASE, F_RDLCK}, true},
	{SYS_fcntl, {3, F_SETLEASE | HIGH, F_WRLCK}, true},
	{SYS_fcntl, {3, F_SETLEASE, F_UNLCK}, false},
	{SYS_fcntl, {3, F_GETLEASE, 0}, false},
	{SYS_fcntl, {3, F_SETLK, 0}, false},
	{SYS_fcntl, {3, 1024 + 16 /* F_SETDELEG */, 0}, true},
	/* memory */
	{SYS_mmap, {0, 4096, 3, MAP_PRIVATE | MAP_ANONYMOUS}, false},
	{SYS_mmap, {0, 4096, 3, MAP_PRIVATE | MAP_FIXED}, true},
	{SYS_mmap, {0, 4096, 3, 8 /* MAP_DROPPABLE */ | MAP_ANONYMOUS}, true},
	{SYS_madvise, {UINT64_C(1) << 40, 4096, MADV_FREE}, true},
	{SYS_madvise, {UINT64_C(1) << 40, 4096, MADV_FREE | HIGH}, true},
	{SYS_madvise, {UINT64_C(1) << 40, 4096, MADV_DONTNEED}, false},
	{SYS_mmap, {0, 4096, 3, MAP_PRIVATE | MAP_FIXED_NOREPLACE}, true},
	{SYS_mmap, {1, 4096, 3, MAP_PRIVATE}, true},
	{SYS_mmap, {RESERVED_START, 4096, 3, MAP_PRIVATE}, true},
	{SYS_mmap, {RESERVED_END - 1, 4096, 3, MAP_PRIVATE}, true},
	{SYS_mmap, {RESERVED_END, 4096, 3, MAP_PRIVATE | MAP_FIXED}, false},
	{SYS_mmap, {HIGH, 4096, 3, MAP_PRIVATE | MAP_FIXED}, false},
	{SYS_mmap, {HIGH + RESERVED_START, 4096, 3, MAP_PRIVATE | MAP_FIXED}, false},
	{SYS_mprotect, {RESERVED_END - 1, 4096, 3}, true},
	{SYS_mprotect, {RESERVED_END, 4096, 3}, false},
	{SYS_mprotect, {HIGH + RESERVED_START, 4096, 3}, false},
	{SYS_munmap, {0, 4096}, true},
	{SYS_munmap, {HIGH, 4096}, false},
	{SYS_mremap, {RESERVED_END, 4096, 8192, 1, 0}, false},
	{SYS_mremap, {RESERVED_END, 4096, 8192, 3, RESERVED_START}, true},
	{SYS_mremap, {RESERVED_END, 4096, 8192, 3, RESERVED_END}, false},
	{SYS_mremap, {SLOT_START, 4096, 8192, 1, 0}, true},
	{SYS_madvise, {SLOT_START, 4096, 9}, true},
	{SYS_madvise, {HIGH + SLOT_START, 4096, 9}, false},
	/* what a process says of itself */
	{SYS_prctl, {PR_SET_NAME}, false},
	{SYS_prctl, {PR_SET_DUMPABLE}, true},
	{SYS_prctl, {PR_SET_DUMPABLE | HIGH}, true},
	{SYS_prctl, {PR_SET_MM}, true},
	{SYS_arch_prctl, {0x1002}, false},
	{SYS_arch_prctl, {ARCH_TAGGED_ADDRESSES}, true},
	{SYS_personality, {UINT32_MAX}, false},
	{SYS_personality, {UINT64_MAX}, false},
	{SYS_personality, {0}, false},
	{SYS_personality, {8}, false},
	{SYS_personality, {0x0040000}, false},
	{SYS_personality, {4}, true},
	/* a filter of its own may be against the stat that the supervisor has a program make: absent.h */
	{SYS_prctl, {PR_SET_SECCOMP, SECCOMP_MODE_FILTER}, true},
	{SYS_prctl, {PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON}, true},
	{SYS_prctl, {PR_GET_SECCOMP}, false},
	{SYS_prctl, {PR_SET_NO_NEW_PRIVS, 1}, false},
	{SYS_seccomp, {SECCOMP_SET_MODE_STRICT, 0}, true},
	{SYS_seccomp, {SECCOMP_SET_MODE_FILTER, 0}, true},
	{SYS_seccomp, {SECCOMP_SET_MODE_FILTER | HIGH, 0}, true},
	{SYS_seccomp, {SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC}, true},
	{SYS_seccomp, {SECCOMP_GET_ACTION_AVAIL, 0}, false},
	{SYS_seccomp, {SECCOMP_GET_NOTIF_SIZES, 0}, false},
	{SYS_seccomp, {SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER}, true},
	{SYS_seccomp, {SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_TSYNC}, true},
	/* sockets */
	{SYS_socket, {AF_UNIX, SOCK_STREAM, 0}, false},
	{SYS_socket, {AF_UNIX, SOCK_SEQPACKET, 0}, false},
	{SYS_socket, {AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0}, false},
	{SYS_socket, {AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0}, false},
	{SYS_socket, {AF_INET, SOCK_RAW, 0}, true},
	{SYS_socket, {AF_INET, SOCK_STREAM, IPPROTO_SCTP}, true},
	{SYS_socket, {AF_NETLINK, SOCK_RAW, 0}, true},
	{SYS_socket, {AF_PACKET, SOCK_RAW, 0}, true},
	{SYS_socketpair, {AF_UNIX, SOCK_STREAM, 0}, false},
	{SYS_setsockopt, {3, SOL_SOCKET, SO_REUSEADDR}, false},
	{SYS_setsockopt, {3, SOL_SOCKET, SO_PASSCRED}, false},
	{SYS_setsockopt, {3, IPPROTO_TCP, 4}, false},
	{SYS_setsockopt, {3, IPPROTO_IP, 4}, true},
	{SYS_setsockopt, {3, IPPROTO_IP, 1}, false},
	{SYS_setsockopt, {3, IPPROTO_IPV6, 57}, true},
	{SYS_setsockopt, {3, IPPROTO_IPV6, 5}, true},
	{SYS_setsockopt, {3, IPPROTO_IPV6, 6}, true},
	{SYS_setsockopt, {3, IPPROTO_IPV6, 26}, false},
	{SYS_setsockopt, {3, IPPROTO_IPV6, 32 /* IPV6_FLOWLABEL_MGR */}, true},
	{SYS_setsockopt, {3, IPPROTO_IPV6, 4}, false},
	{SYS_setsockopt, {3, IPPROTO_IP, 57}, false},
	{SYS_connect, {3, 1, 16}, false},
	/* terminals and files by descriptor */
	{SYS_ioctl, {0, 0x5401}, false},
	{SYS_ioctl, {0, FIONBIO}, false},
	{SYS_ioctl, {0, TIOCSTI}, true},
	{SYS_ioctl, {0, TIOCSTI | HIGH}, true},
	{SYS_ioctl, {3, FS_IOC_GETFLAGS}, false},
	{SYS_ioctl, {3, 0x890f}, false},
	{SYS_ioctl, {3, 0x8912 /* SIOCGIFCONF */}, true},
	{SYS_ioctl, {3, 0x8912 | HIGH}, true},
	{SYS_ioctl, {3, 0x8bff}, true},
	{SYS_ioctl, {3, 0x8c00}, false},
	{SYS_ioctl, {3, FS_IOC_SETFLAGS}, true},
	/* oneself */
	{SYS_prlimit64, {0, 7, 0, 0}, false},
	{SYS_prlimit64, {1, 7, 0, 0}, true},
	{SYS_prlimit64, {0, 4, 0, 0}, true},
	{SYS_setrlimit, {7, 0}, false},
	{SYS_setrlimit, {4, 0}, true},
	{SYS_setrlimit, {4 | HIGH, 0}, true},
	/* while the supervisor changes what a task may run on, these must not see it: together.h */
	{SYS_sched_setaffinity, {0}, true},
	{SYS_sched_getaffinity, {0}, true},
	/* names: some are refused under every policy */
	{SYS_openat, {(uint64_t)AT_FDCWD, 0, O_RDONLY}, true},
	{SYS_openat, {(uint64_t)AT_FDCWD, 0, O_WRONLY}, true},
	{SYS_creat, {0}, true},
	{SYS_openat2, {0}, true},
	{SYS_chdir, {0}, true},
	{SYS_mknod, {0}, true},
	{SYS_chmod, {0}, true},
	{SYS_fchmod, {0}, true},
	{SYS_rename, {0}, true},
	{SYS_unlink, {0}, true},
	{SYS_link, {0}, true},
	{SYS_symlink, {0}, true},
	{SYS_inotify_add_watch, {0}, true},
	{SYS_execve, {0}, true},
	{SYS_stat, {0}, false},
	{SYS_readlink, {0}, false}, /* where strangers have their files the policy lets it read anyway */
	{SYS_statx, {0}, false},
};

START_TEST(only_registers_that_matter_stop_a_call)
{
	use_policy(EVERYTHING);
	ck_assert_msg(stops_here(registers[_i].call, registers[_i].args) == registers[_i].stops, "%s (row %d)",
		      call_find(registers[_i].call)->name, _i);
	let_go();
}
END_TEST

/* Where no program is told so that a name is missing, its filters are its own affair. */
START_TEST(a_filter_of_its_own_stops_only_where_stat_passes_at_level_seccomp)
{
	static const struct {
		int policy;
		enum level level;
	} without[] = {{HIDES, LEVEL_SECCOMP}, {EVERYTHING, LEVEL_GATE}};
	const uint64_t by_prctl[CALL_ARGS] = {PR_SET_SECCOMP, SECCOMP_MODE_FILTER},
		       dispatch[CALL_ARGS] = {PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON},
		       by_seccomp[CALL_ARGS] = {SECCOMP_SET_MODE_FILTER};

	for (size_t i = 0; i < sizeof without / sizeof without[0]; i++) {
		use_policy(without[i].policy);
		guard.level = without[i].level;
		free(filter.filter);
		ck_assert_int_eq(filter_compile(&guard, &filter), 0);
		ck_assert(!stops_here(SYS_prctl, by_prctl));
		ck_assert(!stops_here(SYS_prctl, dispatch));
		ck_assert(!stops_here(SYS_seccomp, by_seccomp));
		let_go();
	}
}
END_TEST

START_TEST(every_rule_for_ioctl_stops_and_its_neighbours_do_not)
{
	use_policy(EVERYTHING);
	for (size_t i = 0; i < ioctl_rule_count; i++) {
		uint32_t code = ioctl_rules[i].code;
		ck_assert(stops_here(SYS_ioctl, (uint64_t[CALL_ARGS]){0, code}));
		ck_assert(stops_here(SYS_ioctl, (uint64_t[CALL_ARGS]){0, code | HIGH}));
		for (int bit = 0; bit < 32; bit++)
			if (!ioctl_rule(code ^ 1u << bit))
				ck_assert(!stops_here(SYS_ioctl, (uint64_t[CALL_ARGS]){0, code ^ 1u << bit}));
	}
	let_go();
}
END_TEST

static struct sockaddr_in somewhere = {.sin_family = AF_INET};

/* What the policy can refuse decides what stops. */
static const struct {
	int policy, call;
	bool stops;
} by_policy[] = {
	{EVERYTHING, SYS_connect, false},
	{EVERYTHING, SYS_sendmsg, false},
	{EVERYTHING, SYS_listen, false},
	{EVERYTHING, SYS_bind, true},
	{EVERYTHING, SYS_setsockopt, false},
	{NONE, SYS_setsockopt, true},
	{NONE, SYS_connect, true},
	{NONE, SYS_sendmsg, true},
	{NONE, SYS_listen, true},
	{EVERYTHING, SYS_socket, false},
	{NONE, SYS_socket, true},
	{NONE, SYS_stat, false},
	{HIDES, SYS_stat, true},
	{HIDES, SYS_chdir, true},
	{NONE, SYS_readlink, true}, /* without Landlock below it */
	{PERMISSIVE, SYS_connect, true},
	{LIMITS_PROCESSES, SYS_fork, true},
	{LIMITS_PROCESSES, SYS_clone, true},
	{LIMITS_PROCESSES, SYS_fallocate, false},
	{LIMITS_WRITING, SYS_fallocate, true},
	{LIMITS_WRITING, SYS_fork, false},
	{ONE_IS_STRICT, SYS_connect, true},
	{ONE_IS_STRICT + 1, SYS_connect, true},
};

START_TEST(what_the_policy_can_refuse_stops)
{
	/* an address that is given (connect, sendto) */
	uint64_t args[CALL_ARGS] = {3, (uint64_t)(uintptr_t)&somewhere, sizeof somewhere, 0,
				    (uint64_t)(uintptr_t)&somewhere};

	if (by_policy[_i].call == SYS_setsockopt) {
		args[1] = SOL_SOCKET;
		args[2] = SO_PASSCRED;
	} else if (by_policy[_i].call == SYS_socket) {
		args[0] = AF_INET;
		args[1] = SOCK_DGRAM | SOCK_CLOEXEC;
		args[2] = 0;
	}
	use_policy(by_policy[_i].policy);
	ck_assert_msg(stops_here(by_policy[_i].call, args) == by_policy[_i].stops, "%s",
		      call_find(by_policy[_i].call)->name);
	let_go();
}
END_TEST

/* Landlock refuses to tell where strangers have their files, but nothing that the policy hides. */
START_TEST(under_the_floor_links_are_read_without_a_stop)
{
	const uint64_t args[CALL_ARGS] = {(uint64_t)(uintptr_t)&somewhere};

	for (int hides = 0; hides < 2; hides++) {
		use_policy(hides ? HIDES : NONE);
		ck_assert(stops_here(SYS_readlink, args));
		free(filter.filter);
		guard.floor = true;
		ck_assert_int_eq(filter_compile(&guard, &filter), 0);
		ck_assert_int_eq(stops_here(SYS_readlink, args), hides);
		ck_assert_int_eq(stops_here(SYS_readlinkat, args), hides);
		let_go();
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("filter_stops");
	TCase *tests = tcase_create("filter_stops");

	tcase_set_timeout(tests, 120);
	tcase_add_checked_fixture(tests, help_setup, help_teardown);
	tcase_add_loop_test(tests, only_registers_that_matter_stop_a_call, 0, sizeof registers / sizeof registers[0]);
	tcase_add_test(tests, a_filter_of_its_own_stops_only_where_stat_passes_at_level_seccomp);
	tcase_add_test(tests, every_rule_for_ioctl_stops_and_its_neighbours_do_not);
	tcase_add_loop_test(tests, what_the_policy_can_refuse_stops, 0, sizeof by_policy / sizeof by_policy[0]);
	tcase_add_test(tests, under_the_floor_links_are_read_without_a_stop);
	suite_add_tcase(suite, tests);
	return help_run(suite);
}
