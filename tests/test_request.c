/* SPDX-License-Identifier: MIT */
/*
 * test_request.c - launch requests: read strictly, judged by the policy's
 * `launch` group in a fixed order and in fixed words.
 */
#include "request.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"

static char directory[64];
static struct complaint why;

static void setup(void)
{
	snprintf(directory, sizeof directory, "/tmp/test_request.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
}

static void teardown(void)
{
	char command[128];

	snprintf(command, sizeof command, "rm -rf '%s'", directory);
	ck_assert_int_eq(system(command), 0);
}

/* Compile a policy file of this text. The first fault, or NULL, in *fault (malloc'ed). */
static int compile(const char *text, struct policy *policy, char **fault)
{
	char path[128];
	struct policy_errors errors = {NULL, 0};

	snprintf(path, sizeof path, "%s/p.conf", directory);
	FILE *file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	fclose(file);
	const struct policy_source source = {.file = path, .workdir = directory, .home = "/home/u"};
	int error = policy_compile(&source, policy, &errors);
	*fault = error && errors.count ? strdup(errors.list[0].text) : NULL;
	policy_errors_free(&errors);
	return error;
}

static struct policy policy_of(const char *text)
{
	struct policy policy;
	cleanup_free char *fault = NULL;

	ck_assert_msg(compile(text, &policy, &fault) == 0, "%s", fault ? fault : "?");
	return policy;
}

/* What is said of a request under a policy; "" when nothing is. */
static const char *judge(const struct policy *policy, const char *text)
{
	struct launch_request request;
	char *resolved = NULL;

	why.text[0] = '\0';
	if (request_read("r", text, strlen(text), &request, &why))
		return why.text;
	request_judge(&request, policy, &resolved, &why);
	free(resolved);
	request_free(&request);
	return why.text;
}

/* ---- reading ---- */

static const struct {
	const char *text, *says;
} wrong[] = {
	{"", "r:1:"},
	{"[]", "not a JSON object"},
	{"{}", "missing field \"program\""},
	{"{\"program\":7}", "\"program\" must be a string"},
	{"{\"program\":\"/x\",\"program\":\"/y\"}", "duplicate"},
	{"{\"program\":\"/x\",\"argv\":[]}", "\"argv\" is not a known field (did you mean \"args\"?)"},
	{"{\"program\":\"/x\",\"args\":\"a\"}", "\"args\" must be an array of strings"},
	{"{\"program\":\"/x\",\"args\":[\"a\",null]}", "r:1:29: \"args\" may hold only strings"},
	{"{\"program\":\"/x\",\"env\":[]}", "\"env\" must be an object of strings"},
	{"{\"program\":\"/x\",\"env\":{\"A\":1}}", "r:1:24: \"env\" may hold only strings"},
	{"{\"program\":\"/x\",\"env\":{\"A\":\"1\",\"A\":\"2\"}}", "duplicate"},
	{"{\"program\":\"/x\",\"args\":[\"a\\u0000b\"]}", "r:1:"},
	{"{\"program\":\"/x\xff\"}", "r:1:"},
	{"{\"program\":\"/x\",\"cwd\":null}", "\"cwd\" must be a string"},
};

START_TEST(what_is_no_request_is_named_with_its_place)
{
	struct launch_request request;

	ck_assert_int_eq(request_read("r", wrong[_i].text, strlen(wrong[_i].text), &request, &why), -EINVAL);
	ck_assert_msg(strstr(why.text, wrong[_i].says), "'%s' has no '%s'", why.text, wrong[_i].says);
}
END_TEST

/* ---- judging ---- */

#define LAUNCH                                                                                               \
	"profile = \"permissive\"; launch: { programs = (\"/bin/echo\", \"/opt/two words\"); environment = " \
	"(\"LANG\", \"B\"); };"

static const struct {
	const char *text, *says;
} judged[] = {
	{"{\"program\":\"/bin/echo\"}", ""},
	{"{\"program\":\"//bin/./echo/\",\"args\":[],\"env\":{},\"cwd\":\"/\"}", ""},
	{"{\"program\":\"/opt/two words\"}", ""},
	{"{\"program\":\"/bin/../bin/echo\"}", "program not allowed: /bin/../bin/echo"},
	{"{\"program\":\"bin/echo\"}", "program not allowed: bin/echo"},
	{"{\"program\":\"echo\"}", "program not allowed: echo"},
	{"{\"program\":\"\"}", "program not allowed: "},
	{"{\"program\":\"/\"}", "program not allowed: /"},
	{"{\"program\":\"/bin\"}", "program not allowed: /bin"},
	{"{\"program\":\"/bin/echo2\"}", "program not allowed: /bin/echo2"},
	{"{\"program\":\"/bin/echo/x\"}", "program not allowed: /bin/echo/x"},
	{"{\"program\":\"/bin/ec\\u001bho\"}", "program not allowed: /bin/ec\\x1bho"},
	{"{\"program\":\"/bin/echo\",\"args\":[\"a b\",\"-x=\\\"'<>(){}*?~#!%\\\\\",\"\\t\",\"\xc3\xa4\"]}", ""},
	{"{\"program\":\"/bin/echo\",\"args\":[\"a\",\"b;c\"]}", "argv contains unsafe shell metacharacters"},
	{"{\"program\":\"/bin/echo\",\"args\":[\"a|b\"]}", "argv contains unsafe shell metacharacters"},
	{"{\"program\":\"/bin/echo\",\"args\":[\"&\"]}", "argv contains unsafe shell metacharacters"},
	{"{\"program\":\"/bin/echo\",\"args\":[\"$HOME\"]}", "argv contains unsafe shell metacharacters"},
	{"{\"program\":\"/bin/echo\",\"args\":[\"`id`\"]}", "argv contains unsafe shell metacharacters"},
	{"{\"program\":\"/bin/echo\",\"args\":[\"a\\nb\"]}", "argv contains unsafe shell metacharacters"},
	{"{\"program\":\"/bin/echo\",\"args\":[\"\\u001b\"]}", "argv contains unsafe shell metacharacters"},
	{"{\"program\":\"/bin/echo\",\"args\":[\"\\u007f\"]}", "argv contains unsafe shell metacharacters"},
	{"{\"program\":\"/bin/echo\",\"args\":[\"\\u0080\"]}", "argv contains unsafe shell metacharacters"},
	{"{\"program\":\"/bin/echo\",\"args\":[\"\\u009f\"]}", "argv contains unsafe shell metacharacters"},
	{"{\"program\":\"/bin/echo\",\"args\":[\"\\u00a0\"]}", ""},
	{"{\"program\":\"/bin/echo\",\"env\":{\"LANG\":\"C\",\"B\":\"$x;\"}}", ""},
	{"{\"program\":\"/bin/echo\",\"env\":{\"Z\":\"\",\"A\":\"\",\"LANG\":\"\"}}", "env key not allowed: A"},
	{"{\"program\":\"/bin/echo\",\"env\":{\"a\":\"\",\"\xc3\xa4\":\"\",\"Z\":\"\"}}", "env key not allowed: Z"},
	{"{\"program\":\"/bin/echo\",\"env\":{\"\":\"\"}}", "env key not allowed: "},
	{"{\"program\":\"/bin/echo\",\"env\":{\"LANG=C\":\"\"}}", "env key not allowed: LANG=C"},
	{"{\"program\":\"/bin/echo\",\"env\":{\"LANGUAGE\":\"\"}}", "env key not allowed: LANGUAGE"},
	{"{\"program\":\"/bin/echo\",\"env\":{\"LANG\\n\":\"\"}}", "env key not allowed: LANG\\x0a"},
	{"{\"program\":\"/bin/echo\",\"env\":{\"LANG\":\"a\\nb\"}}", "env contains invalid control characters"},
	{"{\"program\":\"/bin/echo\",\"env\":{\"LANG\":\"\\u0085\"}}", "env contains invalid control characters"},
	{"{\"program\":\"/bin/echo\",\"cwd\":\"tmp\"}", "working directory must be absolute: tmp"},
	{"{\"program\":\"/bin/echo\",\"cwd\":\"\"}", "working directory must be absolute: "},
	{"{\"program\":\"/bin/echo\",\"cwd\":\"./\"}", "working directory must be absolute: ./"},
	/* the first that fails wins */
	{"{\"cwd\":\"x\",\"env\":{\"Q\":\"\\n\"},\"args\":[\";\"],\"program\":\"/no\"}", "program not allowed: /no"},
	{"{\"cwd\":\"x\",\"env\":{\"Q\":\"\\n\"},\"args\":[\";\"],\"program\":\"/bin/echo\"}",
	 "argv contains unsafe shell metacharacters"},
	{"{\"cwd\":\"x\",\"env\":{\"Q\":\"\\n\",\"LANG\":\"\\n\"},\"program\":\"/bin/echo\"}",
	 "env key not allowed: Q"},
	{"{\"cwd\":\"x\",\"env\":{\"LANG\":\"\\n\"},\"program\":\"/bin/echo\"}",
	 "env contains invalid control characters"},
};

START_TEST(a_request_is_judged_in_order_and_in_these_words)
{
	struct policy policy = policy_of(LAUNCH);

	ck_assert_str_eq(judge(&policy, judged[_i].text), judged[_i].says);
	policy_free(&policy);
}
END_TEST

START_TEST(an_empty_group_or_none_allows_nothing)
{
	struct policy empty = policy_of("profile = \"permissive\"; launch: { };");
	struct policy none = policy_of("profile = \"permissive\";");

	ck_assert_str_eq(judge(&empty, "{\"program\":\"/bin/echo\"}"), "program not allowed: /bin/echo");
	ck_assert_str_eq(judge(&none, "{\"program\":\"/bin/echo\"}"), "program not allowed: /bin/echo");
	policy_free(&empty);
	policy_free(&none);
}
END_TEST

START_TEST(arguments_are_plain_unless_the_policy_says_otherwise)
{
	struct policy strict = policy_of("profile = \"permissive\"; launch: { programs = (\"/bin/echo\"); };");
	struct policy lax = policy_of(
		"profile = \"permissive\"; launch: { programs = (\"/bin/echo\"); plain_arguments = false; };");
	const char *text = "{\"program\":\"/bin/echo\",\"args\":[\"a;b\\n\"]}";

	ck_assert_str_eq(judge(&strict, text), "argv contains unsafe shell metacharacters");
	ck_assert_str_eq(judge(&lax, text), "");
	policy_free(&strict);
	policy_free(&lax);
}
END_TEST

START_TEST(a_program_is_judged_by_what_its_name_leads_to)
{
	char text[512], link[96], tool[96], policy_text[1024];
	struct launch_request request;
	char *resolved = NULL;

	snprintf(link, sizeof link, "%s/link", directory);
	snprintf(tool, sizeof tool, "%s/tool", directory);
	ck_assert_int_eq(symlink("/bin/echo", link), 0);
	snprintf(text, sizeof text, "{\"program\":\"%s\"}", link);
	/* no rule allows what it leads to */
	snprintf(policy_text, sizeof policy_text, "launch: { programs = (\"%s\"); };", link);
	struct policy closed = policy_of(policy_text);
	snprintf(why.text, sizeof why.text, "program not allowed: %s", link);
	cleanup_free char *refused = strdup(why.text);
	ck_assert_str_eq(judge(&closed, text), refused);
	policy_free(&closed);
	/* a rule does */
	snprintf(policy_text, sizeof policy_text,
		 "exec: { allow = (\"/usr\", \"/bin\"); }; launch: { programs = (\"%s\"); };", link);
	struct policy open = policy_of(policy_text);
	ck_assert_int_eq(request_read("r", text, strlen(text), &request, &why), 0);
	ck_assert_int_eq(request_judge(&request, &open, &resolved, &why), 0);
	cleanup_free char *right = realpath("/bin/echo", NULL);
	ck_assert_str_eq(resolved, right);
	free(resolved);
	request_free(&request);
	/* the link is turned to what is not allowed */
	ck_assert_int_eq(unlink(link), 0);
	FILE *file = fopen(tool, "w");
	fclose(file);
	ck_assert_int_eq(symlink(tool, link), 0);
	ck_assert_str_eq(judge(&open, text), refused);
	policy_free(&open);
}
END_TEST

static const char *const wrong_groups[] = {
	"launch: { programs = (\"bin/echo\"); };",
	"launch: { programs = (\"/bin/../echo\"); };",
	"launch: { programs = (\"/bin/*\"); };",
	"launch: { programs = \"/bin/echo\"; };",
	"launch: { programs = (1); };",
	"launch: { environment = (\"A=B\"); };",
	"launch: { environment = (\"\"); };",
	"launch: { environment = (\"LC_*\"); };",
	"launch: { plain_arguments = 1; };",
	"launch: { program = (); };",
	"launch = ();",
	"launch: { programs = (\"/a\", \"/a\"); };",
};

START_TEST(a_wrong_launch_group_is_an_error_with_its_line)
{
	struct policy policy;
	cleanup_free char *fault = NULL;

	ck_assert_int_eq(compile(wrong_groups[_i], &policy, &fault), -EINVAL);
	ck_assert_ptr_nonnull(fault);
	ck_assert_msg(strstr(fault, "p.conf:1:"), "%s", fault);
}
END_TEST

static const struct {
	const char *one, *other;
	bool same;
} paths[] = {
	{"/a/b", "/a/b", true}, {"/a/b", "//a///b//", true}, {"/a/b", "/./a/./b/.", true},
	{"/", "//./", true},	{"/a/b", "/a/bc", false},    {"/a/b", "/a", false},
	{"/a", "/a/b", false},	{"/a/..", "/a/..", false},   {"a", "a", false},
	{"", "", false},	{"/...", "/...", true},	     {"/.a", "/.a", true},
	{"/.a", "/a", false},
};

START_TEST(paths_are_compared_by_component)
{
	ck_assert_int_eq(request_same_path(paths[_i].one, paths[_i].other), paths[_i].same);
}
END_TEST

#define add_rows(tcase, test, rows) tcase_add_loop_test(tcase, test, 0, (int)(sizeof(rows) / sizeof *(rows)))

int main(void)
{
	Suite *suite = suite_create("request");
	TCase *reading = tcase_create("reading"), *judging = tcase_create("judging");

	add_rows(reading, what_is_no_request_is_named_with_its_place, wrong);
	suite_add_tcase(suite, reading);
	tcase_add_checked_fixture(judging, setup, teardown);
	add_rows(judging, a_request_is_judged_in_order_and_in_these_words, judged);
	tcase_add_test(judging, an_empty_group_or_none_allows_nothing);
	tcase_add_test(judging, arguments_are_plain_unless_the_policy_says_otherwise);
	tcase_add_test(judging, a_program_is_judged_by_what_its_name_leads_to);
	add_rows(judging, a_wrong_launch_group_is_an_error_with_its_line, wrong_groups);
	add_rows(judging, paths_are_compared_by_component, paths);
	suite_add_tcase(suite, judging);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
