/* SPDX-License-Identifier: MIT */
/* test_profiles.c - what the built-in profiles allow and refuse. */
#include <arpa/inet.h>
#include <netinet/in.h>

#include "environment.h"
#include "policy_help.h"

static struct policy profile(const char *name)
{
	struct policy_source source = help_source();

	source.profile = name;
	return help_policy(source, NULL);
}

/* "rwx": what is allowed of reading, writing, executing. */
struct expectation {
	const char *path, *allowed;
};

static const struct expectation workstation[] = {
	{"/", "r-x"},
	{"/usr/bin/ls", "r-x"},
	{"/etc/hosts", "r-x"},
	{"/home/u/notes", "r-x"},
	{"/w/src/x.c", "rwx"},
	{"/t/x", "rwx"},
	{"/tmp/x", "rwx"},
	{"/var/tmp/x", "rwx"},
	{"/dev/shm/x", "rwx"},
	{"/w/.git/objects/x", "rwx"},
	{"/w/.git/hooks", "r-x"},
	{"/w/.git/hooks/pre-commit", "r-x"},
	{"/w/.git/config", "r-x"},
	{"/w/sub/.git/config", "rwx"},
	{"/w/.git/config.worktree", "r-x"},
	{"/w/.git/commondir", "r-x"},
	{"/w/.git/config.lock", "rwx"},
	{"/w/.git/index", "rwx"},
	{"/w/.git/refs/heads/config", "rwx"},
	{"/w/.git/modules/a/config", "r-x"},
	{"/w/.git/modules/a/hooks/x", "r-x"},
	{"/w/.git/modules/a/commondir", "r-x"},
	{"/w/.git/modules/a/objects/x", "rwx"},
	{"/w/.git/modules/a/refs/heads/config", "rwx"},
	{"/w/.git/modules/lib/a/config", "r-x"},
	{"/w/.git/modules/a/modules/b/config", "r-x"},
	{"/w/.git/worktrees/a/config.worktree", "r-x"},
	{"/w/.git/worktrees/a/commondir", "rwx"},
	{"/w/.git/worktrees/a/HEAD", "rwx"},
	{"/w/.git/worktrees/a/modules/b/config", "r-x"},
	/* devices */
	{"/dev", "r-x"},
	{"/dev/stdin", "rw-"},
	{"/dev/fd", "rw-"},
	{"/dev/null", "rw-"},
	{"/dev/zero", "rw-"},
	{"/dev/full", "rw-"},
	{"/dev/random", "rw-"},
	{"/dev/urandom", "rw-"},
	{"/dev/tty", "rw-"},
	{"/dev/ptmx", "rw-"},
	{"/dev/pts/3", "rw-"},
	{"/dev/sda", "---"},
	{"/dev/nvme0n1", "---"},
	{"/dev/mem", "---"},
	{"/dev/input/event0", "---"},
	{"/dev/video0", "---"},
	{"/dev/tty1", "---"},
	{"/dev/kmsg", "---"},
	{"/dev/bus/usb/001/001", "---"},
	/* processes */
	{"/proc/self/maps", "r-x"},
	{"/proc/self/mem", "r-x"},
	{"/proc/self/comm", "rwx"},
	{"/proc/self/fd/1", "rwx"},
	{"/proc/self/task/12/comm", "rwx"},
	{"/proc/self/oom_score_adj", "rwx"},
	{"/proc/cpuinfo", "r-x"},
	{"/proc/1", "---"},
	{"/proc/1/environ", "---"},
	{"/proc/4242/mem", "---"},
	{"/proc/99/task/99/maps", "---"},
	{"/proc/kcore", "---"},
	{"/proc/sys/kernel/core_pattern", "r-x"},
	/* secrets */
	{"/home/u/.ssh/id_rsa", "---"},
	{"/home/u/.ssh", "---"},
	{"/home/u/.gnupg/x", "---"},
	{"/home/u/.aws/credentials", "---"},
	{"/home/u/.azure/x", "---"},
	{"/home/u/.kube/config", "---"},
	{"/home/u/.docker/config.json", "---"},
	{"/home/u/.docker/daemon.json", "r-x"},
	{"/home/u/.config/gcloud/x", "---"},
	{"/home/u/.config/gh/hosts.yml", "---"},
	{"/home/u/.config/ghostty/x", "r-x"},
	{"/home/u/.netrc", "---"},
	{"/home/u/.git-credentials", "---"},
	{"/home/u/.gitconfig", "r-x"},
	{"/home/u/.npmrc", "---"},
	{"/home/u/.pypirc", "---"},
	{"/home/u/.password-store/x", "---"},
	{"/home/u/.vault-token", "---"},
	{"/home/u/.local/share/keyrings/x", "---"},
	{"/home/u/.mozilla/firefox/x", "---"},
	{"/home/u/.config/google-chrome/Default/Cookies", "---"},
	{"/home/u/.config/google-chrome-beta/x", "---"},
	{"/home/u/.config/chromium/x", "---"},
	{"/home/u/.config/BraveSoftware/x", "---"},
	{"/home/u/.config/microsoft-edge/x", "---"},
	{"/home/u/.config/vivaldi/x", "---"},
	{"/home/u/.config/opera/x", "---"},
	{"/home/u/.bash_history", "---"},
	{"/home/u/.zsh_history", "---"},
	{"/home/u/.python_history", "---"},
	{"/home/u/.node_repl_history", "---"},
	{"/home/u/.sqlite_history", "---"},
	{"/home/u/.psql_history", "---"},
	{"/home/u/.mysql_history", "---"},
	{"/home/u/.lesshst", "---"},
	{"/home/u/.local/share/fish/fish_history", "---"},
	{"/home/u/.bashrc", "r-x"},
	{"/home/u/.cargo/credentials.toml", "---"},
	{"/home/u/.cargo/config.toml", "r-x"},
	{"/home/u/.m2/settings.xml", "---"},
	{"/home/u/.terraform.d/credentials.tfrc.json", "---"},
	{"/home/other/.ssh/id_rsa", "---"},
	{"/root/.ssh/id_rsa", "---"},
	{"/root/.bash_history", "---"},
	{"/etc/shadow", "---"},
	{"/etc/shadow-", "---"},
	{"/etc/gshadow", "---"},
	{"/etc/gshadow-", "---"},
	{"/etc/sudoers", "---"},
	{"/etc/sudoers.d/x", "---"},
	{"/etc/passwd", "r-x"},
	{"/etc/ssh/ssh_host_rsa_key", "---"},
	{"/etc/ssh/ssh_host_rsa_key.pub", "r-x"},
	{"/run/secrets/kubernetes.io/token", "---"},
};

static const struct expectation strict[] = {
	{"/usr/bin/python3", "r-x"},
	{"/usr/lib/x.so", "r-x"},
	{"/usr/share/zoneinfo/UTC", "r-x"},
	{"/etc/ld.so.cache", "r--"},
	{"/etc/passwd", "r--"},
	{"/etc/ssl/certs/x.pem", "r--"},
	{"/etc/ssl/private/x.key", "---"},
	{"/etc/shadow", "---"},
	{"/etc", "---"},
	{"/home/u/x", "---"},
	{"/tmp/x", "---"},
	{"/t/x", "---"},
	{"/w/x", "rw-"},
	{"/w", "rw-"},
	{"/dev/null", "rw-"},
	{"/dev/zero", "r--"},
	{"/dev/urandom", "r--"},
	{"/dev/sda", "---"},
	{"/proc/self/maps", "r--"},
	{"/proc/1/environ", "---"},
	{"/opt/x", "---"},
	{"/", "---"},
};

static const struct expectation nothing[] = {
	{"/", "---"}, {"/usr/bin/ls", "---"}, {"/w/x", "---"}, {"/dev/null", "---"}, {"/proc/self/maps", "---"},
};

static void check_all(const struct policy *policy, const struct expectation *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char allowed[4] = {help_allows(policy, ACCESS_READ, list[i].path) ? 'r' : '-',
				   help_allows(policy, ACCESS_WRITE, list[i].path) ? 'w' : '-',
				   help_allows(policy, ACCESS_EXEC, list[i].path) ? 'x' : '-', 0};

		ck_assert_msg(!strcmp(allowed, list[i].allowed), "%s: %s, not %s", list[i].path, allowed,
			      list[i].allowed);
		ck_assert_msg(help_allows(policy, ACCESS_LOOK, list[i].path), "%s may not be looked at", list[i].path);
	}
}

#define CHECK_ALL(policy, list) check_all(&(policy), list, sizeof(list) / sizeof(*(list)))

/* What no profile gives: the network. */
static void check_offline(const struct policy *policy)
{
	struct sockaddr_in loopback = {
		.sin_family = AF_INET, .sin_port = htons(80), .sin_addr = {htonl(INADDR_LOOPBACK)}};

	for (enum net_use use = NET_CONNECT; use <= NET_BIND; use++) {
		ck_assert(!decide_any_internet(policy->image, use));
		ck_assert(!decide_address(policy->image, use, NET_TCP, (struct sockaddr *)&loopback, sizeof(loopback))
				   .allowed);
		ck_assert(!decide_unix_path(policy->image, use, "/run/dbus/system_bus_socket", 27).allowed);
	}
}

START_TEST(workstation_gives_everything_but_secrets_and_writes_where_work_is_done)
{
	struct policy policy = profile("workstation");

	CHECK_ALL(policy, workstation);
	check_offline(&policy);
	ck_assert_int_eq(image_on_violation(policy.image), ON_VIOLATION_DENY);
	policy_free(&policy);
}
END_TEST

START_TEST(strict_gives_the_system_and_the_working_directory)
{
	struct policy policy = profile("strict");
	struct policy_limits limits = image_limits(policy.image);

	CHECK_ALL(policy, strict);
	check_offline(&policy);
	ck_assert_uint_eq(limits.memory_bytes, 536870912);
	ck_assert_uint_eq(limits.cpu_time_ms, 60000);
	ck_assert_uint_eq(limits.wall_time_ms, 120000);
	ck_assert_uint_eq(limits.processes, 64);
	ck_assert_uint_eq(limits.open_files, 256);
	ck_assert_uint_eq(limits.output_bytes, 10485760);
	ck_assert_uint_eq(limits.write_bytes, 104857600);
	ck_assert_uint_eq(limits.cpu_weight, 100);
	policy_free(&policy);
}
END_TEST

START_TEST(none_gives_nothing)
{
	struct policy policy = profile("none");

	CHECK_ALL(policy, nothing);
	check_offline(&policy);
	policy_free(&policy);
}
END_TEST

START_TEST(permissive_audits_an_empty_policy)
{
	struct policy policy = profile("permissive");

	CHECK_ALL(policy, nothing);
	ck_assert_int_eq(image_on_violation(policy.image), ON_VIOLATION_AUDIT);
	policy_free(&policy);
}
END_TEST

/* Someone may well work in the home directory, or in /. */
START_TEST(secrets_stay_refused_where_the_working_directory_is_above_them)
{
	static const char *const directories[] = {"/home/u", "/home", "/"};

	for (size_t i = 0; i < sizeof(directories) / sizeof(*directories); i++) {
		struct policy_source source = help_source();
		struct policy policy;

		source.workdir = directories[i];
		policy = help_policy(source, NULL);
		ck_assert(help_allows(&policy, ACCESS_WRITE, "/home/u/project/x"));
		ck_assert(!help_allows(&policy, ACCESS_READ, "/home/u/.ssh/id_rsa"));
		ck_assert(!help_allows(&policy, ACCESS_WRITE, "/home/u/.bash_history"));
		ck_assert(!help_allows(&policy, ACCESS_READ, "/dev/sda"));
		policy_free(&policy);
	}
}
END_TEST

static const struct {
	const char *name;
	char *environment[16];
	const char *left[16];
} environments[] = {
	{"workstation",
	 {"PATH=/bin", "TERM=xterm", "KEYBOARD=de", "COLORTERM=x", "OLDPWD=/", "PWD=/w", "XAUTHORITY=/x", "MY_TOKEN=1",
	  "API_KEY=1", "DB_PASSWORD=1", "AWS_REGION=x", "SSH_AUTH_SOCK=/s", "LD_PRELOAD=/x", "BASH_ENV=/x", "MONKEY=1"},
	 {"PATH=/bin", "TERM=xterm", "KEYBOARD=de", "COLORTERM=x", "OLDPWD=/", "PWD=/w", "XAUTHORITY=/x", "MONKEY=1"}},
	{"strict", {"PATH=/x", "FOO=1", "LANG=de"}, {"PATH=/usr/bin:/bin", "LANG=C.UTF-8", "HOME=/tmp"}},
	{"none", {"PATH=/x", "FOO=1", "LC_ALL=de"}, {"PATH=/x", "LC_ALL=de"}},
	{"permissive", {"PATH=/x", "MY_TOKEN=1", "LD_PRELOAD=/x"}, {"PATH=/x", "MY_TOKEN=1"}},
};

START_TEST(the_environment_is_what_the_profile_says)
{
	struct policy policy = profile(environments[_i].name);
	char **left;
	size_t i = 0;

	ck_assert_int_eq(environment_build(policy.image, environments[_i].environment, &left), 0);
	for (; left[i]; i++)
		ck_assert_str_eq(left[i], environments[_i].left[i] ? environments[_i].left[i] : "nothing more");
	ck_assert_ptr_null(environments[_i].left[i]);
	environment_free(left);
	policy_free(&policy);
}
END_TEST

START_TEST(every_profile_has_a_text_and_no_other_name_has)
{
	for (size_t i = 0; profile_names[i]; i++)
		ck_assert_ptr_nonnull(profile_text(profile_names[i]));
	ck_assert_ptr_null(profile_text("x"));
	ck_assert_ptr_null(profile_text(""));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("profiles");
	TCase *profiles = tcase_create("profiles");

	tcase_add_checked_fixture(profiles, help_setup, help_teardown);
	tcase_add_test(profiles, workstation_gives_everything_but_secrets_and_writes_where_work_is_done);
	tcase_add_test(profiles, strict_gives_the_system_and_the_working_directory);
	tcase_add_test(profiles, none_gives_nothing);
	tcase_add_test(profiles, permissive_audits_an_empty_policy);
	tcase_add_test(profiles, secrets_stay_refused_where_the_working_directory_is_above_them);
	tcase_add_loop_test(profiles, the_environment_is_what_the_profile_says, 0,
			    sizeof(environments) / sizeof(*environments));
	tcase_add_test(profiles, every_profile_has_a_text_and_no_other_name_has);
	suite_add_tcase(suite, profiles);
	return help_run(suite);
}
