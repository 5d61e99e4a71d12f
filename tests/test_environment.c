/* SPDX-License-Identifier: MIT */
/* test_environment.c - what is left of a caller's environment. */
#include "environment.h"

#include "policy_help.h"

static const struct {
	const char *text;
	struct policy_option options[4];
	char *caller[8];
	const char *left[8];
} cases[] = {
	/* nobody says it: names that programs need */
	{"",
	 {{0}},
	 {"PATH=/bin", "HOME=/h", "LC_ALL=C", "FOO=1", "TZ=UTC", "API_KEY=1"},
	 {"PATH=/bin", "HOME=/h", "LC_ALL=C", "TZ=UTC"}},
	{"environment: { set: { A = \"1\"; }; };", {{0}}, {"PATH=/bin", "A=2", "B=3"}, {"PATH=/bin", "A=1"}},
	{"environment: { keep = (); };", {{0}}, {"PATH=/bin"}, {NULL}},
	{"", {{RULE_ENV_KEEP, "FOO"}}, {"PATH=/bin", "FOO=1", "BAR=1"}, {"PATH=/bin", "FOO=1"}},
	/* patterns */
	{"environment: { keep = ( \"A*\", \"*Z\", \"M*N\" ); };",
	 {{0}},
	 {"A=1", "AB=2", "BA=3", "XZ=4", "MN=5", "MxN=6", "MxO=7"},
	 {"A=1", "AB=2", "XZ=4", "MN=5", "MxN=6"}},
	/* within a layer set beats remove beats keep */
	{"environment: { keep = ( \"*\" ); remove = ( \"X*\", \"Y\" ); set: { Y = \"s\"; }; };",
	 {{0}},
	 {"W=1", "XA=2", "Y=3"},
	 {"W=1", "Y=s"}},
	/* the nearer layer decides */
	{"environment: { keep = ( \"*\" ); remove = ( \"A\", \"B\" ); set: { C = \"s\"; }; };",
	 {{RULE_ENV_KEEP, "A"}, {RULE_ENV_SET, "B=b=c"}, {RULE_ENV_KEEP, "C"}},
	 {"A=1", "B=2", "C=3"},
	 {"A=1", "B=b=c", "C=3"}},
	{"profile = \"strict\"; environment: { remove = ( \"LANG\" ); };",
	 {{0}},
	 {"PATH=/x"},
	 {"PATH=/usr/bin:/bin", "HOME=/tmp"}},
	{"", {{RULE_ENV_SET, "A=1"}, {RULE_ENV_SET, "A=2"}}, {NULL}, {"A=2"}},
	{"", {{RULE_ENV_SET, "A="}}, {NULL}, {"A="}},
	/* variables in values: in a file yes, on the command line no */
	{"environment: { set: { A = \"x${WORKDIR}/${HOME}~\"; }; };",
	 {{RULE_ENV_SET, "B=${HOME}"}},
	 {NULL},
	 {"A=x/w//home/u~", "B=${HOME}"}},
	/* names that load something are named exactly or not at all */
	{"environment: { keep = ( \"*\", \"LD_*\" ); };",
	 {{0}},
	 {"LD_PRELOAD=/x", "LD_LIBRARY_PATH=/x", "BASH_ENV=/x", "ENV=/x", "GLIBC_TUNABLES=x", "BASH_FUNC_f%%=() { :; }",
	  "ENVY=1"},
	 {"ENVY=1"}},
	{"environment: { keep = ( \"*\", \"LD_LIBRARY_PATH\" ); };",
	 {{RULE_ENV_KEEP, "ENV"}},
	 {"LD_PRELOAD=/x", "LD_LIBRARY_PATH=/y", "ENV=z"},
	 {"LD_LIBRARY_PATH=/y", "ENV=z"}},
	{"environment: { set: { LD_PRELOAD = \"/a.so\"; }; };", {{0}}, {"LD_PRELOAD=/x"}, {"LD_PRELOAD=/a.so"}},
	/* entries that are none, and the same twice */
	{"environment: { keep = ( \"*\" ); };", {{0}}, {"A", "=x", "", "B=1", "B=2", "C="}, {"B=1", "C="}},
};

START_TEST(what_is_left_of_the_callers)
{
	struct policy_source source = help_source();
	struct policy policy;
	char **left;
	size_t i = 0;

	source.options = cases[_i].options;
	while (source.option_count < 4 && cases[_i].options[source.option_count].value)
		source.option_count++;
	policy = help_policy(source, cases[_i].text);
	ck_assert_int_eq(environment_build(policy.image, cases[_i].caller, &left), 0);
	for (; left[i]; i++)
		ck_assert_str_eq(left[i], cases[_i].left[i] ? cases[_i].left[i] : "nothing more");
	ck_assert_ptr_null(cases[_i].left[i]);
	environment_free(left);
	policy_free(&policy);
}
END_TEST

/* A copy that environment_put may change. */
static char **environment_of(char *const *list)
{
	char **copy = calloc(8, sizeof *copy);

	for (size_t i = 0; list[i]; i++)
		copy[i] = strdup(list[i]);
	return copy;
}

static const struct {
	char *before[4], *more[4];
	const char *after[8];
} puts_[] = {
	{{"A=1", "B=2"}, {NULL}, {"A=1", "B=2"}},
	{{"A=1", "B=2"}, {"A=3"}, {"A=3", "B=2"}},
	{{"AB=1"}, {"A=3"}, {"AB=1", "A=3"}},
	{{NULL}, {"A=1", "A=2"}, {"A=2"}},
	{{"B=1"}, {"A=", "B=x=y", "C=3"}, {"B=x=y", "A=", "C=3"}},
};

START_TEST(what_is_put_takes_the_place_of_what_has_its_name)
{
	char **now = environment_of(puts_[_i].before);
	size_t i = 0;

	ck_assert_int_eq(environment_put(&now, puts_[_i].more), 0);
	for (; now[i]; i++)
		ck_assert_str_eq(now[i], puts_[_i].after[i] ? puts_[_i].after[i] : "nothing more");
	ck_assert_ptr_null(puts_[_i].after[i]);
	environment_free(now);
}
END_TEST

START_TEST(a_value_is_found_by_the_whole_name)
{
	char *list[] = {(char *)"PATHS=/no", (char *)"PATH=/a:/b", (char *)"E=", NULL};

	ck_assert_str_eq(environment_value(list, "PATH"), "/a:/b");
	ck_assert_str_eq(environment_value(list, "E"), "");
	ck_assert_ptr_null(environment_value(list, "PAT"));
	ck_assert_ptr_null(environment_value(NULL, "PATH"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("environment");
	TCase *all = tcase_create("environment");

	tcase_add_checked_fixture(all, help_setup, help_teardown);
	tcase_add_loop_test(all, what_is_left_of_the_callers, 0, sizeof(cases) / sizeof(*cases));
	tcase_add_loop_test(all, what_is_put_takes_the_place_of_what_has_its_name, 0, sizeof(puts_) / sizeof(*puts_));
	tcase_add_test(all, a_value_is_found_by_the_whole_name);
	suite_add_tcase(suite, all);
	return help_run(suite);
}
