/* SPDX-License-Identifier: MIT */
/* test_layers.c - profile, file and command line together; symbolic links; host names. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>

#include "policy_help.h"

#define OPTIONS(...)                                 \
	(const struct policy_option[]){__VA_ARGS__}, \
		sizeof((const struct policy_option[]){__VA_ARGS__}) / sizeof(struct policy_option)

static struct policy_source with_options(const struct policy_option *options, size_t count)
{
	struct policy_source source = help_source();

	source.options = options;
	source.option_count = count;
	return source;
}

static void check_rule(const struct policy *policy, unsigned access, const char *path, bool allowed,
		       const char *rule_source)
{
	struct verdict verdict = decide_path(policy->image, path, strlen(path), access);
	const char *source = verdict.rule == RULE_DEFAULT ? "default" : image_rule(policy->image, verdict.rule).source;

	ck_assert_msg(verdict.allowed == allowed, "%s: %s", path, allowed ? "refused" : "allowed");
	ck_assert_int_eq(strncmp(source, rule_source, strlen(rule_source)), 0);
}

START_TEST(the_nearer_layer_decides_on_a_tie_and_the_deeper_path_before_it)
{
	struct policy policy = help_policy(with_options(OPTIONS({RULE_READ, "~/.ssh/known_hosts"}, {RULE_DENY, "/data"},
								{RULE_WRITE, "out"}, {RULE_READ, "/etc/shadow"})),
					   "profile = \"workstation\"; filesystem: { read = ( \"~/.npmrc\" ); write = "
					   "( \"/data/in\", \"/data\" );\n"
					   " deny = ( \"/usr/secret\" ); forbid = ( \"~/.gnupg\" ); };");

	check_rule(&policy, ACCESS_READ, "/home/u/.ssh/id", false, "profile workstation:");
	check_rule(&policy, ACCESS_READ, "/home/u/.ssh/known_hosts", true, "command line");
	check_rule(&policy, ACCESS_READ, "/home/u/.npmrc", true, "policy.conf:1");
	check_rule(&policy, ACCESS_READ, "/usr/secret/x", false, "policy.conf:2");
	check_rule(&policy, ACCESS_READ, "/home/u/.gnupg/x", false, "policy.conf:2");
	check_rule(&policy, ACCESS_WRITE, "/data/x", false, "command line");
	check_rule(&policy, ACCESS_WRITE, "/data/in/x", true, "policy.conf:1");
	check_rule(&policy, ACCESS_WRITE, "/w/out/x", true, "command line");
	check_rule(&policy, ACCESS_READ, "/etc/shadow", true, "command line");
	policy_free(&policy);
}
END_TEST

START_TEST(without_file_and_profile_it_is_workstation_and_with_a_file_nothing)
{
	struct policy_source source = help_source();
	struct policy policy = help_policy(source, NULL);

	ck_assert(help_allows(&policy, ACCESS_READ, "/etc/hosts"));
	policy_free(&policy);
	policy = help_policy(source, "# nothing");
	ck_assert(!help_allows(&policy, ACCESS_READ, "/etc/hosts"));
	policy_free(&policy);
	source.profile = "workstation";
	policy = help_policy(source, "# nothing");
	ck_assert(help_allows(&policy, ACCESS_READ, "/etc/hosts"));
	policy_free(&policy);
	policy = help_policy(source, "profile = \"workstation\";");
	ck_assert(help_allows(&policy, ACCESS_READ, "/etc/hosts"));
	policy_free(&policy);
}
END_TEST

static const struct {
	const char *text, *profile;
	struct policy_option option;
	const char *says;
} refused[] = {
	{"\nprofile = \"strict\";",
	 "none",
	 {0},
	 "policy.conf:2:11: profile is \"strict\" here, and --profile says \"none\" (leave one "
	 "of them out)"},
	{NULL,
	 "stric",
	 {0},
	 "command line: unknown profile \"stric\" (did you mean \"strict\"? there are workstation, strict, "
	 "permissive, none)"},
	{"filesystem: { forbid = ( \"/f\" ); };",
	 NULL,
	 {RULE_READ, "/f/x"},
	 "command line: filesystem.read \"/f/x\" can never take "
	 "effect: filesystem.forbid \"/f\" at policy.conf:1 "
	 "forbids it (remove one)"},
	{NULL, "none", {RULE_READ, ""}, "command line: --read \"\": an empty path (name a file or directory)"},
	{NULL,
	 "none",
	 {RULE_WRITE, "~bob"},
	 "command line: --write \"~bob\": \"~\" stands for your own home directory only (write "
	 "another user's as an absolute path)"},
	{NULL,
	 "none",
	 {RULE_READ_ONLY, "a**"},
	 "command line: --read-only \"a**\": \"**\" stands only for whole components: \"a**\" "
	 "is none (write /**/ or a single *)"},
	{NULL,
	 "none",
	 {RULE_CONNECT, "example.org"},
	 "command line: --connect \"example.org\": no port (write example.org:443, or "
	 "example.org:* for every port)"},
	{NULL,
	 "none",
	 {RULE_ENV_KEEP, "A B"},
	 "command line: --env \"A B\": not the name of a variable (write it as PATH or LC_*)"},
	{NULL,
	 "none",
	 {RULE_ENV_SET, "A-B=1"},
	 "command line: --env \"A-B\": not the name of a variable (letters, digits and _ make "
	 "one)"},
};

START_TEST(what_cannot_be_is_refused)
{
	struct policy_source source = with_options(&refused[_i].option, refused[_i].option.value ? 1 : 0);
	struct policy policy;
	char *errors;

	source.profile = refused[_i].profile;
	errors = help_compile(&source, refused[_i].text, &policy);
	ck_assert_str_eq(errors, refused[_i].says);
	free(errors);
}
END_TEST

START_TEST(the_option_on_violation_overrules_the_policy)
{
	struct policy_source source = help_source();
	struct policy policy;
	char *errors;

	source.on_violation = "audit";
	policy = help_policy(source, "on_violation = \"kill\";");
	ck_assert_int_eq(image_on_violation(policy.image), ON_VIOLATION_AUDIT);
	policy_free(&policy);
	source.on_violation = "x";
	errors = help_compile(&source, "", &policy);
	ck_assert_str_eq(errors, "command line: --on-violation \"x\" (write deny, kill or audit)");
	free(errors);
}
END_TEST

START_TEST(an_empty_list_takes_away_what_farther_layers_allow)
{
	struct policy policy = help_policy(help_source(), "profile = \"workstation\"; filesystem: { read = (); };\n"
							  "exec: { allow = (); }; environment: { keep = (); };");

	ck_assert(!help_allows(&policy, ACCESS_READ, "/etc/hosts"));
	ck_assert(help_allows(&policy, ACCESS_READ, "/w/x"));
	check_rule(&policy, ACCESS_EXEC, "/bin/sh", false, "policy.conf:2");
	for (uint32_t i = 0; i < image_rule_count(policy.image); i++)
		ck_assert_int_ne((int)image_rule(policy.image, i).key, RULE_ENV_KEEP);
	policy_free(&policy);
}
END_TEST

START_TEST(no_exec_leaves_only_what_the_command_line_allows)
{
	struct policy policy =
		help_policy(with_options(OPTIONS({RULE_EXEC_ALLOW, NULL}, {RULE_EXEC_ALLOW, "/bin/true"})), NULL);

	check_rule(&policy, ACCESS_EXEC, "/bin/sh", false, "command line");
	check_rule(&policy, ACCESS_EXEC, "/bin/true", true, "command line");
	policy_free(&policy);
}
END_TEST

START_TEST(the_same_option_twice_does_no_harm)
{
	struct policy policy = help_policy(with_options(OPTIONS({RULE_READ, "/a"}, {RULE_READ, "/a/"})), NULL);

	ck_assert(help_allows(&policy, ACCESS_READ, "/a/x"));
	policy_free(&policy);
}
END_TEST

/* Variables may coincide: that is no one's slip. */
START_TEST(rules_that_mean_the_same_by_chance_are_no_fault)
{
	struct policy_source source = help_source();
	struct policy policy;

	source.workdir = "/tmp";
	source.tmpdir = NULL;
	policy = help_policy(source, "filesystem: { write = ( \"${WORKDIR}\", \"${TMPDIR}\", \"/tmp\" ); };");
	ck_assert(help_allows(&policy, ACCESS_WRITE, "/tmp/x"));
	policy_free(&policy);
}
END_TEST

START_TEST(without_home_a_profile_leaves_its_rules_out_and_a_file_may_not_use_it)
{
	struct policy_source source = help_source();
	struct policy policy;
	char *errors;

	source.home = NULL;
	policy = help_policy(source, NULL);
	ck_assert(!help_allows(&policy, ACCESS_READ, "/home/somebody/.ssh/id"));
	policy_free(&policy);
	errors = help_compile(&source, "filesystem: { read = ( \"~/x\" ); };", &policy);
	ck_assert_str_eq(
		errors,
		"policy.conf:1:24: filesystem.read \"~/x\": \"~\" has no meaning, as HOME is not set (set HOME, or "
		"write the path in full)");
	free(errors);
}
END_TEST

/* ---- symbolic links; help_directory is where the test stands ---- */

static char *here(const char *name)
{
	static char paths[4][512];
	static unsigned next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", help_directory, name);
	return path;
}

START_TEST(a_rule_holds_for_the_name_as_written_and_for_what_it_resolves_to)
{
	struct policy_source source =
		with_options(OPTIONS({RULE_READ, "link/file"}, {RULE_WRITE, "dangling/x"}, {RULE_READ, "link/../up"},
				     {RULE_READ, "link/*/glob"}, {RULE_WRITE, "not/yet/./there/"}));
	struct policy policy;

	source.workdir = help_directory;
	ck_assert_int_eq(mkdir("real", 0755) | mkdir("real/dir", 0755), 0);
	ck_assert_int_eq(symlink("real/dir", "link") | symlink("later", "dangling"), 0);
	policy = help_policy(source, "# nothing");
	ck_assert(help_allows(&policy, ACCESS_READ, here("link/file")));
	ck_assert(help_allows(&policy, ACCESS_READ, here("real/dir/file/below")));
	ck_assert(!help_allows(&policy, ACCESS_READ, here("real/dir/other")));
	ck_assert(help_allows(&policy, ACCESS_WRITE, here("later/x")));
	ck_assert(help_allows(&policy, ACCESS_READ, here("real/up")));
	ck_assert(!help_allows(&policy, ACCESS_READ, here("up")));
	ck_assert(help_allows(&policy, ACCESS_READ, here("real/dir/any/glob")));
	ck_assert(help_allows(&policy, ACCESS_WRITE, here("not/yet/there/x")));
	policy_free(&policy);
}
END_TEST

START_TEST(a_link_that_leads_nowhere_sensible_is_told)
{
	struct policy_source source = help_source();
	struct policy_option loop = {RULE_READ, "loop"}, star = {RULE_READ, "star"};
	struct policy policy;
	char *errors;

	source.workdir = help_directory;
	source.option_count = 1;
	ck_assert_int_eq(symlink("loop", "loop") | symlink("/a*b", "star"), 0);
	source.options = &loop;
	errors = help_compile(&source, "", &policy);
	ck_assert_ptr_nonnull(strstr(errors, "command line: --read \"loop\": too many symbolic links at"));
	free(errors);
	source.options = &star;
	errors = help_compile(&source, "", &policy);
	ck_assert_ptr_nonnull(strstr(errors, "leads to \"/a*b\": a rule cannot name a path with a * in its name"));
	free(errors);
}
END_TEST

START_TEST(links_of_proc_self_are_not_those_of_picket)
{
	struct policy policy = help_policy(
		with_options(OPTIONS({RULE_READ, "/proc/self/cwd"}, {RULE_WRITE, "/dev/fd/1"})), "# nothing");

	ck_assert(help_allows(&policy, ACCESS_READ, "/proc/self/cwd"));
	ck_assert(!help_allows(&policy, ACCESS_READ, help_directory));
	ck_assert(help_allows(&policy, ACCESS_WRITE, "/proc/self/fd/1"));
	policy_free(&policy);
}
END_TEST

START_TEST(a_history_linked_to_the_null_device_takes_nothing_from_it)
{
	struct policy_source source = help_source();
	struct policy policy;

	source.home = help_directory;
	ck_assert_int_eq(symlink("/dev/null", ".bash_history"), 0);
	policy = help_policy(source, NULL);
	ck_assert(help_allows(&policy, ACCESS_WRITE, "/dev/null"));
	ck_assert(!help_allows(&policy, ACCESS_READ, here(".bash_history")));
	policy_free(&policy);
}
END_TEST

START_TEST(a_variable_with_a_star_in_it_is_refused)
{
	struct policy_source source = help_source();
	struct policy policy;
	char *errors;

	source.workdir = "/w*";
	errors = help_compile(&source, "filesystem: { write = ( \"${WORKDIR}/x\" ); };", &policy);
	ck_assert_str_eq(
		errors,
		"policy.conf:1:25: filesystem.write \"${WORKDIR}/x\": ${WORKDIR} is \"/w*\", and a rule cannot name a "
		"path with a * in its name");
	free(errors);
}
END_TEST

/* ---- network ---- */

static bool connects(const struct policy *policy, const char *address, uint16_t port)
{
	struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(port)};

	ck_assert_int_eq(inet_pton(AF_INET, address, &four.sin_addr), 1);
	return decide_address(policy->image, NET_CONNECT, NET_TCP, (const struct sockaddr *)&four, sizeof(four))
		.allowed;
}

START_TEST(destinations_are_reached)
{
	struct policy policy =
		help_policy(help_source(), "network: { connect = ( \"10.0.0.0/8:443\", \"127.0.0.1:8000-8010\", "
					   "\"[::ffff:1.2.3.4]:9\", \"udp:9.9.9.9:53\", \"unix:/run/x.sock\" ); };");

	ck_assert(connects(&policy, "10.1.2.3", 443) && !connects(&policy, "10.1.2.3", 80));
	ck_assert(connects(&policy, "127.0.0.1", 8010) && !connects(&policy, "127.0.0.1", 8011));
	ck_assert(connects(&policy, "1.2.3.4", 9) && !connects(&policy, "9.9.9.9", 53));
	ck_assert(decide_unix_path(policy.image, NET_CONNECT, "/run/x.sock", 11).allowed);
	ck_assert(!decide_unix_path(policy.image, NET_CONNECT, "/run/y.sock", 11).allowed);
	ck_assert(!decide_every_address(policy.image, NET_CONNECT));
	policy_free(&policy);
	policy = help_policy(help_source(), "network: { connect = ( \"*\" ); };");
	ck_assert(decide_every_address(policy.image, NET_CONNECT));
	policy_free(&policy);
}
END_TEST

START_TEST(a_host_that_does_not_resolve_is_kept_and_one_that_does_is_reached)
{
	struct policy policy = help_policy(
		help_source(), "network: { connect = ( \"localhost:80\", \"no-such-host.invalid:80\" ); };");

	ck_assert(connects(&policy, "127.0.0.1", 80));
	ck_assert(!connects(&policy, "127.0.0.2", 80));
	ck_assert_uint_eq(image_rule_count(policy.image), 12); /* and ten of the default environment */
	ck_assert_int_eq(policy_resolve_again(&policy), 0);
	ck_assert_int_eq(policy_resolve_again(&policy), 0);
	policy_free(&policy);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("layers");
	TCase *layers = tcase_create("layers"), *links = tcase_create("links"), *network = tcase_create("network");

	tcase_add_checked_fixture(layers, help_setup, help_teardown);
	tcase_add_test(layers, the_nearer_layer_decides_on_a_tie_and_the_deeper_path_before_it);
	tcase_add_test(layers, without_file_and_profile_it_is_workstation_and_with_a_file_nothing);
	tcase_add_loop_test(layers, what_cannot_be_is_refused, 0, sizeof(refused) / sizeof(*refused));
	tcase_add_test(layers, the_option_on_violation_overrules_the_policy);
	tcase_add_test(layers, an_empty_list_takes_away_what_farther_layers_allow);
	tcase_add_test(layers, no_exec_leaves_only_what_the_command_line_allows);
	tcase_add_test(layers, the_same_option_twice_does_no_harm);
	tcase_add_test(layers, rules_that_mean_the_same_by_chance_are_no_fault);
	tcase_add_test(layers, without_home_a_profile_leaves_its_rules_out_and_a_file_may_not_use_it);
	tcase_add_checked_fixture(links, help_setup, help_teardown);
	tcase_add_test(links, a_rule_holds_for_the_name_as_written_and_for_what_it_resolves_to);
	tcase_add_test(links, a_link_that_leads_nowhere_sensible_is_told);
	tcase_add_test(links, links_of_proc_self_are_not_those_of_picket);
	tcase_add_test(links, a_history_linked_to_the_null_device_takes_nothing_from_it);
	tcase_add_test(links, a_variable_with_a_star_in_it_is_refused);
	tcase_add_checked_fixture(network, help_setup, help_teardown);
	tcase_set_timeout(network, 60); /* a name server that does not answer */
	tcase_add_test(network, destinations_are_reached);
	tcase_add_test(network, a_host_that_does_not_resolve_is_kept_and_one_that_does_is_reached);
	suite_add_tcase(suite, layers);
	suite_add_tcase(suite, links);
	suite_add_tcase(suite, network);
	return help_run(suite);
}
