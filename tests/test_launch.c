/* SPDX-License-Identifier: MIT */
/*
 * test_launch.c - finding a command, and the child that becomes the tool: what it has and what it has not when the tool
 * begins, and what is told when it does not get so far.
 */
#include "launch.h"

#include <linux/capability.h>
#include <limits.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "policy_help.h"
#include "wire.h"

/* ---- finding ------------------------------------------------------------ */

static void make_programs(void)
{
	help_setup();
	ck_assert_int_eq(mkdir("a", 0755), 0);
	ck_assert_int_eq(mkdir("b", 0755), 0);
	ck_assert_int_eq(mkdir("b/directory", 0755), 0);
	help_write("here", "", 0);
	help_write("b/both", "", 0);
	help_write("a/both", "", 0);
	help_write("b/tool", "", 0);
	help_write("a/tool", "", 0); /* may not be executed */
	ck_assert_int_eq(symlink("../b/tool", "b/link"), 0);
	ck_assert_int_eq(symlink("nowhere", "b/dangling"), 0);
	ck_assert_int_eq(chmod("here", 0755) + chmod("a/both", 0755) + chmod("b/both", 0755) + chmod("b/tool", 0755),
			 0);
}

/* In `search` and `found` @ is the test's directory. */
static char *with_directory(const char *text)
{
	static char buffers[2][PATH_MAX];
	static int next;
	char *to = buffers[next++ % 2], *begin = to;

	for (; *text; text++)
		to += *text == '@' ? sprintf(to, "%s", help_directory) : sprintf(to, "%c", *text);
	*to = 0;
	return begin;
}

static const struct {
	const char *command, *search;
	int result;
	const char *found;
} finds[] = {
	{"here", "@", 0, "@/here"},
	{"here", "@/", 0, "@/here"},
	{"here", "", 0, "@/here"},
	{"here", ":/nowhere", 0, "@/here"},
	{"here", "/nowhere:", 0, "@/here"},
	{"here", "/nowhere::/none", 0, "@/here"},
	{"here", "@/a", -ENOENT, NULL},
	{"both", "@/a:@/b", 0, "@/a/both"},
	{"both", "@/b:@/a", 0, "@/b/both"},
	{"both", "b", 0, "@/b/both"}, /* relative to where the tool will be */
	{"tool", "@/a:@/b", 0, "@/b/tool"},
	{"tool", "@/a:/nowhere", -EACCES, NULL},
	{"tool", "/nowhere:@/a", -EACCES, NULL},
	{"directory", "@/b", -EACCES, NULL},
	{"link", "@/b", 0, "@/b/link"},
	{"dangling", "@/b", -ENOENT, NULL},
	{"b/tool", "/nowhere", 0, "@/b/tool"},
	{"./here", "/nowhere", 0, "@/./here"},
	{"a/tool", NULL, -EACCES, NULL},
	{"here/below", NULL, -ENOENT, NULL},
	{"missing/tool", NULL, -ENOENT, NULL},
	{"/bin/sh", "", 0, "/bin/sh"},
	{"/", NULL, -EACCES, NULL},
	{"sh", NULL, 0, "/usr/bin/sh"}, /* without a PATH */
	{"", "@", -ENOENT, NULL},
	{"here", "@/here", -ENOENT, NULL}, /* a file in the place of a directory */
};

START_TEST(a_command_is_found_as_a_shell_would)
{
	char *path;
	const char *search = finds[_i].search ? with_directory(finds[_i].search) : NULL;

	ck_assert_int_eq(launch_find(finds[_i].command, search, help_directory, &path), finds[_i].result);
	if (finds[_i].found)
		ck_assert_str_eq(path, with_directory(finds[_i].found));
	else
		ck_assert_ptr_null(path);
	free(path);
}
END_TEST

/* ---- descriptors -------------------------------------------------------- */

START_TEST(descriptors_leave_room_for_the_reserved_ones)
{
	struct rlimit limit;
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	ck_assert_uint_gt(limit.rlim_max, 300 + RESERVED_FD_COUNT);

	limit.rlim_cur = limit.rlim_max = 300;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	ck_assert_uint_eq(launch_open_files(0), 300 - RESERVED_FD_COUNT);
	ck_assert_uint_eq(launch_open_files(64), 64);
	ck_assert_uint_eq(launch_open_files(300), 300 - RESERVED_FD_COUNT); /* limit_check refuses it */
	ck_assert_uint_eq(launch_soft_files(0, 200), 200);
	ck_assert_uint_eq(launch_soft_files(64, 64), 64);
	limit.rlim_cur = 100;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	ck_assert_uint_eq(launch_open_files(0), 300 - RESERVED_FD_COUNT);
	ck_assert_uint_eq(launch_soft_files(0, 200), 100);
	ck_assert_uint_eq(launch_soft_files(64, 64), 64);
	ck_assert_uint_eq(launch_soft_files(150, 150), 150);

	limit.rlim_cur = limit.rlim_max = RESERVED_FD_COUNT;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	ck_assert_uint_eq(launch_open_files(0), 0);
}
END_TEST

/* ---- the child ---------------------------------------------------------- */

static char *plain[] = {(char *)"PATH=/usr/bin:/bin", (char *)"A=b c", NULL};
static sigset_t none, some;

static struct launch launch_of(char *const *argv)
{
	sigemptyset(&none);
	return (struct launch){
		.path = argv[0],
		.argv = argv,
		.environment = plain,
		.cwd = help_directory,
		.program_fd = -1,
		.in = -1,
		.out = -1,
		.err = -1,
		.open_files = 64,
		.soft_files = 64,
		.reserved_at = 64,
		.slots_fd = -1,
		.handover = -1,
		.untraced = true, /* nobody waits for its stop */
		.mask = &none,
		.ignored = &none,
	};
}

/* Run it to its end: its status, and what it printed. */
static int run(struct launch *launch, char *printed, size_t size, struct launch_trouble *trouble)
{
	struct child child;
	int ends[2], status;
	size_t length = 0;
	ssize_t n;

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	launch->out = ends[1];
	ck_assert_int_eq(launch_prepare(launch, &child), 0);
	close(ends[1]);
	ck_assert_int_eq(launch_go(&child), 0);
	while ((n = read(ends[0], printed + length, size - 1 - length)) > 0)
		length += (size_t)n;
	printed[length] = 0;
	*trouble = launch_trouble(&child);
	ck_assert_int_eq(waitpid(child.pid, &status, 0), child.pid);
	launch_close(&child);
	close(ends[0]);
	return status;
}

/* What a shell's script prints as the tool; it has to come to its end. */
static char *printed_by(struct launch launch, const char *script)
{
	static char text[8192];
	struct launch_trouble trouble;
	char *argv[] = {(char *)"/bin/bash", (char *)"-c", (char *)script, NULL};

	launch.path = argv[0];
	launch.argv = argv;
	int status = run(&launch, text, sizeof text, &trouble);
	ck_assert_int_eq(trouble.stage, LAUNCH_OK);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%#x: %s", status, text);
	return text;
}

static char *nothing[] = {(char *)"/bin/true", NULL};

START_TEST(the_tool_has_its_arguments_environment_and_directory)
{
	char wanted[PATH_MAX + 16];
	snprintf(wanted, sizeof wanted, "b c:%s:\n", help_directory);
	ck_assert_str_eq(printed_by(launch_of(nothing), "echo \"$A:$PWD:$HOME\""), wanted);
}
END_TEST

START_TEST(the_tool_has_no_descriptor_but_its_own_and_those_above_its_limit)
{
	struct launch launch = launch_of(nothing);
	int reserved[RESERVED_FD_COUNT], more = open("/dev/null", O_RDONLY);
	for (int i = 0; i < RESERVED_FD_COUNT; i++)
		reserved[i] = -1;
	reserved[RESERVED_FD_IMAGE] = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	launch.reserved = reserved;
	char wanted[64];
	ck_assert_int_gt(more, 2); /* not closed on exec by itself */
	snprintf(wanted, sizeof wanted, "0 1 2 %d\n", 64 + RESERVED_FD_IMAGE);
	/* the shell itself lists them: no other process, no descriptor for a directory */
	ck_assert_str_eq(
		printed_by(launch, "for f in {0..200}; do [ ! -e /proc/$$/fd/$f ] || l+=\"${l:+ }$f\"; done; echo $l"),
		wanted);
	ck_assert_str_eq(printed_by(launch, "ulimit -Sn; ulimit -Hn"), "64\n64\n");
	launch.soft_files = 32;
	ck_assert_str_eq(printed_by(launch, "ulimit -Sn; ulimit -Hn; ulimit -Sn 64 && ulimit -Sn"), "32\n64\n64\n");
}
END_TEST

START_TEST(the_tool_cannot_gain_privileges)
{
	char wanted[64];
	uint64_t keep = launch_capabilities();
	snprintf(wanted, sizeof wanted, "%016llx", geteuid() == 0 ? (unsigned long long)keep : 0ull);
	char *text = printed_by(launch_of(nothing),
				"grep -E '^(CapEff|CapPrm|CapAmb|NoNewPrivs):' /proc/self/status | tr -s '\\t\\n' ' '");
	char all[256];
	snprintf(all, sizeof all, "CapPrm: %s CapEff: %s CapAmb: 0000000000000000 NoNewPrivs: 1 ", wanted, wanted);
	ck_assert_str_eq(text, all);
	/* what reaches out of a run */
	static const int away[] = {CAP_SYS_ADMIN,  CAP_SYS_PTRACE, CAP_SYS_RESOURCE, CAP_SYS_NICE,
				   CAP_NET_ADMIN,  CAP_NET_RAW,	   CAP_MKNOD,	     CAP_DAC_READ_SEARCH,
				   CAP_SYS_MODULE, CAP_SETPCAP,	   CAP_BPF,	     CAP_PERFMON};
	for (size_t i = 0; i < sizeof away / sizeof away[0]; i++)
		ck_assert_uint_eq(keep >> away[i] & 1, 0);
}
END_TEST

START_TEST(the_tool_writes_no_core)
{
	ck_assert_str_eq(
		printed_by(launch_of(nothing), "grep 'core file' /proc/self/limits | tr -s ' ' | cut -d' ' -f5,6"),
		"1 1\n");
}
END_TEST

START_TEST(signals_are_as_they_were_for_the_caller)
{
	struct launch launch = launch_of(nothing);
	static sigset_t ignored;
	sigemptyset(&some);
	sigaddset(&some, SIGUSR2);
	sigemptyset(&ignored);
	sigaddset(&ignored, SIGPIPE);
	launch.mask = &some;
	launch.ignored = &ignored;
	/* whatever starts the tests may ignore some: a shell does for what it runs in the background, and posix_spawn(3), so make,
	 * leaves the two ignored that glibc keeps for itself and does not let us change */
	const uint64_t by_default[4] = {0}; /* the kernel's struct sigaction */
	for (int number = 1; number < SIGRTMAX; number++)
		syscall(SYS_rt_sigaction, number, by_default, NULL, sizeof(uint64_t));
	/* what the supervisor does for itself */
	signal(SIGXFSZ, SIG_IGN);
	signal(SIGTTOU, SIG_IGN);
	signal(SIGPIPE, SIG_DFL);
	ck_assert_str_eq(printed_by(launch, "grep -E '^Sig(Blk|Ign)' /proc/self/status | tr -s '\\t\\n' ' '"),
			 "SigBlk: 0000000000000800 SigIgn: 0000000000001000 ");
}
END_TEST

START_TEST(a_program_without_a_name_is_run_by_its_descriptor)
{
	struct launch launch = launch_of(nothing);
	struct launch_trouble trouble;
	char *argv[] = {(char *)"called", (char *)"-c", (char *)"echo $0; readlink /proc/$$/exe | cut -c1-7", NULL},
	     text[256];
	int from = open("/bin/bash", O_RDONLY | O_CLOEXEC), to = memfd_create("program", MFD_CLOEXEC);
	char block[65536];
	ssize_t n;
	while ((n = read(from, block, sizeof block)) > 0)
		ck_assert_int_eq(write(to, block, (size_t)n), n);
	launch.argv = argv;
	launch.path = "/nowhere";
	launch.program_fd = to;
	ck_assert_int_eq(run(&launch, text, sizeof text, &trouble), 0);
	ck_assert_str_eq(text, "called\n/memfd:\n");
}
END_TEST

START_TEST(whom_nobody_lets_go_never_runs)
{
	struct launch launch = launch_of((char *[]){(char *)"/usr/bin/touch", (char *)"ran", NULL});
	struct child child;
	int status;
	ck_assert_int_eq(launch_prepare(&launch, &child), 0);
	launch_close(&child); /* as when the supervisor dies */
	ck_assert_int_eq(waitpid(child.pid, &status, 0), child.pid);
	ck_assert_int_eq(WEXITSTATUS(status), 127);
	ck_assert_int_ne(access("ran", F_OK), 0);
}
END_TEST

static const struct {
	const char *path, *cwd;
	enum launch_stage stage;
	int error;
} troubles[] = {
	{"/bin/true", "missing", LAUNCH_DIRECTORY, ENOENT},
	{"/bin/true", "here", LAUNCH_DIRECTORY, ENOTDIR},
	{"/nowhere", ".", LAUNCH_EXEC, ENOENT},
	{"a/tool", ".", LAUNCH_EXEC, EACCES},
	{"here", ".", LAUNCH_EXEC, ENOEXEC}, /* empty: no program */
};

START_TEST(what_fails_is_told_with_its_reason)
{
	struct launch launch = launch_of((char *[]){(char *)troubles[_i].path, NULL});
	struct launch_trouble trouble;
	char text[64];
	launch.cwd = troubles[_i].cwd;
	int status = run(&launch, text, sizeof text, &trouble);
	ck_assert_int_eq(trouble.stage, troubles[_i].stage);
	ck_assert_int_eq(trouble.error, troubles[_i].error);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) != 0);
}
END_TEST

START_TEST(limits_hold_from_the_first_instruction)
{
	struct launch launch = launch_of(nothing);
	launch.limits = (struct policy_limits){.write_bytes = 8192, .cpu_time_ms = 5000};
	launch.open_files = launch.soft_files = launch.reserved_at = 32;
	ck_assert_str_eq(
		printed_by(launch, "ulimit -n; ulimit -Hf; ulimit -Ht; ulimit -f 9 2>/dev/null || echo no more"),
		"32\n8\n7\nno more\n");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("launch");
	TCase *find = tcase_create("finding"), *child = tcase_create("the child");

	tcase_add_checked_fixture(find, make_programs, help_teardown);
	tcase_add_loop_test(find, a_command_is_found_as_a_shell_would, 0, (int)(sizeof finds / sizeof finds[0]));
	tcase_add_test(find, descriptors_leave_room_for_the_reserved_ones);
	suite_add_tcase(suite, find);
	tcase_set_timeout(child, 30);
	tcase_add_checked_fixture(child, make_programs, help_teardown);
	tcase_add_test(child, the_tool_has_its_arguments_environment_and_directory);
	tcase_add_test(child, the_tool_has_no_descriptor_but_its_own_and_those_above_its_limit);
	tcase_add_test(child, the_tool_cannot_gain_privileges);
	tcase_add_test(child, the_tool_writes_no_core);
	tcase_add_test(child, signals_are_as_they_were_for_the_caller);
	tcase_add_test(child, a_program_without_a_name_is_run_by_its_descriptor);
	tcase_add_test(child, whom_nobody_lets_go_never_runs);
	tcase_add_loop_test(child, what_fails_is_told_with_its_reason, 0, (int)(sizeof troubles / sizeof troubles[0]));
	tcase_add_test(child, limits_hold_from_the_first_instruction);
	suite_add_tcase(suite, child);
	return help_run(suite);
}
