/* SPDX-License-Identifier: MIT */
/*
 * test_capability.c - capabilities as words, as a policy, and as what an
 * operator gives of them.
 */
#include "capability.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "decide.h"
#include "environment.h"
#include "sign.h"

static struct complaint why;
static const struct policy_source where = {.workdir = "/srv/dir", .home = "/home/u"};

static void setup(void)
{
	ck_assert_int_eq(sign_start(), 0);
}

static const struct {
	const char *text;
	int kind; /* enum capability_kind, or -1: unknown */
} words[] = {
	{"fs:read", CAPABILITY_READ},
	{"fs:read:/etc", CAPABILITY_READ},
	{"fs:read:~/x", CAPABILITY_READ},
	{"fs:write:${WORKDIR}", CAPABILITY_WRITE},
	{"net:connect", CAPABILITY_CONNECT},
	{"net:connect:10.0.0.0/8:443", CAPABILITY_CONNECT},
	{"net:bind:127.0.0.1:*", CAPABILITY_BIND},
	{"exec", CAPABILITY_EXEC},
	{"exec:/usr/bin/git", CAPABILITY_EXEC},
	{"exec:shell", CAPABILITY_SHELL},
	{"env:HOME", CAPABILITY_ENV},
	{"env:_x9", CAPABILITY_ENV},
	{"", -1},
	{"fs", -1},
	{"fs:", -1},
	{"fs:read:", -1},
	{"fs:reads", -1},
	{"FS:READ", -1},
	{"fs:read:etc", -1},
	{"fs:exec", -1},
	{"net", -1},
	{"net:connect:", -1},
	{"exec:", -1},
	{"exec:bash", -1},
	{"exec:shell:x", -1},
	{"env", -1},
	{"env:", -1},
	{"env:*", -1},
	{"env:A=B", -1},
	{"env:9A", -1},
	{" fs:read", -1},
	{"fs:read ", -1},
	{"*", -1},
	{"sys:admin", -1},
};

START_TEST(a_capability_is_one_of_the_words)
{
	struct capability capability;
	int error = capability_parse(words[_i].text, &capability);

	ck_assert_int_eq(error, words[_i].kind < 0 ? -EINVAL : 0);
	if (!error)
		ck_assert_int_eq((int)capability.kind, words[_i].kind);
}
END_TEST

/* The policy of these capabilities. */
static struct policy policy_of(const char *const *list)
{
	struct capability_request request = {.capabilities = list};
	struct policy policy;

	while (list[request.count])
		request.count++;
	int error = capability_compile(&request, &where, &policy, &why);
	ck_assert_msg(error == 0, "%s", why.text);
	return policy;
}

static bool allows(const struct policy *policy, const char *path, unsigned access)
{
	return decide_path(policy->image, path, strlen(path), access).allowed;
}

static bool connects(const struct policy *policy, const char *address, uint16_t port)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};

	ck_assert_int_eq(inet_pton(AF_INET, address, &in.sin_addr), 1);
	return decide_address(policy->image, NET_CONNECT, NET_TCP, (struct sockaddr *)&in, sizeof in).allowed;
}

START_TEST(a_plugin_that_asks_for_nothing_can_start_and_no_more)
{
	const char *const none[] = {NULL};
	struct policy policy = policy_of(none);

	ck_assert(allows(&policy, "/usr/lib/x86_64-linux-gnu/libc.so.6", ACCESS_READ));
	ck_assert(allows(&policy, "/dev/null", ACCESS_WRITE));
	ck_assert(!allows(&policy, "/etc/shadow", ACCESS_READ));
	ck_assert(!allows(&policy, "/home/u/x", ACCESS_READ));
	ck_assert(!allows(&policy, "/tmp/x", ACCESS_WRITE));
	ck_assert(!allows(&policy, "/usr/bin/git", ACCESS_EXEC));
	ck_assert(!connects(&policy, "127.0.0.1", 80));
	ck_assert(allows(&policy, "/home/u/x", ACCESS_LOOK));
	policy_free(&policy);
}
END_TEST

START_TEST(each_capability_gives_what_it_says)
{
	const char *const list[] = {"fs:read:/srv/data", "fs:write:${WORKDIR}/out",
				    "fs:read:~/in",	 "net:connect:10.0.0.0/8:443",
				    "exec:/usr/bin/git", "env:TOKEN",
				    "fs:read:/srv/data", NULL};
	struct policy policy = policy_of(list);

	ck_assert(allows(&policy, "/srv/data/a", ACCESS_READ));
	ck_assert(!allows(&policy, "/srv/data/a", ACCESS_WRITE));
	ck_assert(!allows(&policy, "/srv/other", ACCESS_READ));
	ck_assert(allows(&policy, "/srv/dir/out/x", ACCESS_WRITE | ACCESS_READ));
	ck_assert(!allows(&policy, "/srv/dir/x", ACCESS_READ));
	ck_assert(allows(&policy, "/home/u/in/x", ACCESS_READ));
	ck_assert(allows(&policy, "/usr/bin/git", ACCESS_EXEC));
	ck_assert(!allows(&policy, "/usr/bin/gcc", ACCESS_EXEC));
	ck_assert(connects(&policy, "10.1.2.3", 443));
	ck_assert(!connects(&policy, "10.1.2.3", 80));
	ck_assert(!connects(&policy, "11.1.2.3", 443));
	policy_free(&policy);
}
END_TEST

START_TEST(a_word_without_an_argument_gives_all_of_its_kind)
{
	const char *const list[] = {"fs:read", "fs:write", "net:connect", "net:bind", "exec", NULL};
	struct policy policy = policy_of(list);

	ck_assert(allows(&policy, "/home/u/.ssh/id", ACCESS_READ | ACCESS_WRITE));
	ck_assert(allows(&policy, "/home/u/tool", ACCESS_EXEC));
	ck_assert(decide_every_address(policy.image, NET_CONNECT));
	ck_assert(decide_every_address(policy.image, NET_BIND));
	policy_free(&policy);
}
END_TEST

START_TEST(the_shell_is_the_shell_only)
{
	const char *const list[] = {"exec:shell", NULL};
	struct policy policy = policy_of(list);

	ck_assert(allows(&policy, "/bin/sh", ACCESS_EXEC));
	ck_assert(allows(&policy, "/usr/bin/bash", ACCESS_EXEC));
	ck_assert(!allows(&policy, "/usr/bin/python3", ACCESS_EXEC));
	policy_free(&policy);
}
END_TEST

START_TEST(the_interpreter_of_a_script_may_be_run)
{
	const struct capability_request request = {.interpreter = "/usr/bin/env",
						   .second_interpreter = "/usr/bin/python3"};
	struct policy policy;

	ck_assert_int_eq(capability_compile(&request, &where, &policy, &why), 0);
	ck_assert(allows(&policy, "/usr/bin/env", ACCESS_EXEC));
	ck_assert(allows(&policy, "/usr/bin/python3", ACCESS_EXEC));
	ck_assert(!allows(&policy, "/usr/bin/git", ACCESS_EXEC));
	policy_free(&policy);
}
END_TEST

/* Is NAME left of an environment that has it? */
static bool passes(const struct policy *policy, const char *variable)
{
	char *caller[] = {(char *)(uintptr_t)variable, NULL}, **kept = NULL;

	ck_assert_int_eq(environment_build(policy->image, caller, &kept), 0);
	bool left = false;
	for (size_t i = 0; kept[i]; i++)
		left = left || !strcmp(kept[i], variable);
	environment_free(kept);
	return left;
}

START_TEST(a_variable_has_to_be_asked_for)
{
	const char *const none[] = {NULL}, *const token[] = {"env:TOKEN", "env:LD_PRELOAD", NULL};
	struct policy without = policy_of(none), with = policy_of(token);

	ck_assert(passes(&without, "PATH=/bin"));
	ck_assert(passes(&without, "LC_ALL=C"));
	ck_assert(!passes(&without, "TOKEN=x"));
	ck_assert(!passes(&without, "LD_PRELOAD=x"));
	ck_assert(passes(&with, "TOKEN=x"));
	ck_assert(passes(&with, "LD_PRELOAD=x")); /* and the operator's policy must pass it on as well */
	ck_assert(!passes(&with, "OTHER=x"));
	policy_free(&without);
	policy_free(&with);
}
END_TEST

static const char *const uncompilable[] = {"net:connect:nonsense", "net:connect:1.2.3.4", "net:bind:1.2.3.4:99999",
					   "fs:read:${NOPE}/x", "fs:read:/a/**b"};

START_TEST(what_makes_no_rule_is_refused_by_name)
{
	const char *const list[] = {"fs:read", uncompilable[_i]};
	const struct capability_request request = {.capabilities = list, .count = 2};
	struct policy policy;

	ck_assert_int_ne(capability_compile(&request, &where, &policy, &why), 0);
	ck_assert_msg(strstr(why.text, uncompilable[_i]), "%s", why.text);
}
END_TEST

/* ---- what an operator gives ---- */

static const struct policy_option operators_rules[] = {
	{RULE_READ, "/srv"},
	{RULE_DENY, "/srv/secret"},
	{RULE_WRITE, "/srv/out"},
	{RULE_EXEC_ALLOW, "/usr/bin/git"},
	{RULE_CONNECT, "10.0.0.0/8:443"},
	{RULE_CONNECT, "tcp:127.0.0.1:*"},
	{RULE_ENV_KEEP, "TOKEN"},
};

static const struct {
	const char *text;
	enum capability_share share;
} shares[] = {
	{"fs:read:/srv/data", CAPABILITY_GIVEN},
	{"fs:read:/srv", CAPABILITY_IN_PART},
	{"fs:read:/srv/secret", CAPABILITY_WITHHELD},
	{"fs:read:/srv/secret/x", CAPABILITY_WITHHELD},
	{"fs:read", CAPABILITY_IN_PART},
	{"fs:read:/home", CAPABILITY_WITHHELD},
	{"fs:read:/srv/data/**/x", CAPABILITY_GIVEN},
	{"fs:write:/srv/out/x", CAPABILITY_GIVEN},
	{"fs:write:/srv", CAPABILITY_IN_PART},
	{"fs:write:/srv/data", CAPABILITY_WITHHELD},
	{"exec:/usr/bin/git", CAPABILITY_GIVEN},
	{"exec:/usr/bin/gcc", CAPABILITY_WITHHELD},
	{"exec", CAPABILITY_IN_PART},
	{"exec:shell", CAPABILITY_WITHHELD},
	{"net:connect:10.9.9.9:443", CAPABILITY_GIVEN},
	{"net:connect:10.0.0.0/8:443", CAPABILITY_GIVEN},
	{"net:connect:10.9.9.9:80", CAPABILITY_WITHHELD},
	{"net:connect:127.0.0.1:80", CAPABILITY_IN_PART},
	{"net:connect:tcp:127.0.0.1:80", CAPABILITY_GIVEN},
	{"net:connect:udp:127.0.0.1:80", CAPABILITY_WITHHELD},
	{"net:connect", CAPABILITY_IN_PART},
	{"net:bind", CAPABILITY_WITHHELD},
	{"env:TOKEN", CAPABILITY_GIVEN},
	{"env:OTHER", CAPABILITY_WITHHELD},
};

START_TEST(what_the_operator_gives_is_told_apart)
{
	struct policy_source source = where;
	struct policy policy;
	struct policy_errors errors;

	source.profile = "none";
	source.options = operators_rules;
	source.option_count = sizeof operators_rules / sizeof *operators_rules;
	ck_assert_int_eq(policy_compile(&source, &policy, &errors), 0);
	ck_assert_int_eq((int)capability_share(shares[_i].text, &policy, &where), (int)shares[_i].share);
	policy_free(&policy);
	policy_errors_free(&errors);
}
END_TEST

START_TEST(an_operator_who_only_watches_gives_all)
{
	struct policy_source source = where;
	struct policy policy;
	struct policy_errors errors;

	source.profile = "permissive";
	ck_assert_int_eq(policy_compile(&source, &policy, &errors), 0);
	ck_assert_int_eq((int)capability_share("fs:write:/etc", &policy, &where), (int)CAPABILITY_GIVEN);
	policy_free(&policy);
	policy_errors_free(&errors);
}
END_TEST

#define add_rows(tcase, test, rows) tcase_add_loop_test(tcase, test, 0, (int)(sizeof(rows) / sizeof *(rows)))

int main(void)
{
	Suite *suite = suite_create("capability");
	TCase *all = tcase_create("capabilities");

	tcase_add_unchecked_fixture(all, setup, NULL);
	add_rows(all, a_capability_is_one_of_the_words, words);
	tcase_add_test(all, a_plugin_that_asks_for_nothing_can_start_and_no_more);
	tcase_add_test(all, each_capability_gives_what_it_says);
	tcase_add_test(all, a_word_without_an_argument_gives_all_of_its_kind);
	tcase_add_test(all, the_shell_is_the_shell_only);
	tcase_add_test(all, the_interpreter_of_a_script_may_be_run);
	tcase_add_test(all, a_variable_has_to_be_asked_for);
	add_rows(all, what_makes_no_rule_is_refused_by_name, uncompilable);
	add_rows(all, what_the_operator_gives_is_told_apart, shares);
	tcase_add_test(all, an_operator_who_only_watches_gives_all);
	suite_add_tcase(suite, all);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
