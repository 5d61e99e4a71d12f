/* SPDX-License-Identifier: MIT */
/*
 * test_record.c - from a refusal to a violation: who asked, from where, by which rule, and what would allow it; and that the
 * same refusal again is counted and not looked up anew.
 */
#include "act.h"

#include <limits.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "policy_help.h"
#include "result_help.h"
#include "traced.h"

static struct guard guard;
static struct policy policy;
static struct request request;	   /* large */
static struct judgement judgement; /* large */
static pid_t child;

static void nothing(void)
{
}

static void setup(void)
{
	help_setup();
	policy = help_policy(help_source(),
			     "filesystem: { read = ( \"/usr\" ); deny = ( \"/secret\" ); forbid = ( \"/never\" ); };");
	memset(&guard, 0, sizeof guard);
	guard.policies[guard.policy_count++] = &policy;
	pthread_mutex_init(&guard.result_lock, NULL);
	pthread_rwlock_init(&guard.policy_lock, NULL);
	pthread_mutex_init(&guard.tracees.owned.lock, NULL);
	guard.result = result_new(policy.image);
	child = traced_after(nothing, 0);
	memset(&request, 0, sizeof request);
	memset(&judgement, 0, sizeof judgement);
	request.task = tracee_add(&guard.tracees, child, NULL, false, -1);
	request.call = call_by_name("openat");
	for (int i = 0; i < REQUEST_NAMES; i++)
		request.names[i].arg = -1;
	judgement.outcome = OUTCOME_REFUSE;
	judgement.refusal.kind = VIOLATION_FILE_READ;
	judgement.refusal.error = EACCES;
	judgement.refusal.access = ACCESS_READ;
	judgement.refusal.rule = RULE_DEFAULT;
	strcpy(judgement.refusal.target, "/secret/x");
}

static void teardown(void)
{
	traced_end(child);
	tracee_free(&guard.tracees);
	result_free(guard.result);
	policy_free(&policy);
	help_teardown();
}

/* The verdict on the target as judge.c would have it. */
static void judge_target(const char *target)
{
	strcpy(judgement.refusal.target, target);
	judgement.refusal.rule = decide_path(policy.image, target, strlen(target), ACCESS_READ).rule;
}

static json_t *result_json(void)
{
	return written(guard.result, &identity, &outcome, &(struct run_output){0});
}

static json_t *record_one(enum violation_action action)
{
	act_record(&guard, &request, &judgement.refusal, action);
	json_t *json = result_json();
	ck_assert_uint_eq(json_array_size(json_object_get(json, "violations")), 1);
	return violation_at(json, 0);
}

START_TEST(a_refusal_says_who_asked_and_from_where)
{
	char exe[PATH_MAX] = "", cwd[PATH_MAX] = "";
	ck_assert_int_gt(readlink("/proc/self/exe", exe, sizeof exe - 1), 0);
	ck_assert_ptr_nonnull(getcwd(cwd, sizeof cwd));
	judge_target("/secret/x");
	json_t *v = record_one(ACTION_DENIED);
	ck_assert_str_eq(string_at(v, "kind"), "file_read");
	ck_assert_str_eq(string_at(v, "action"), "denied");
	ck_assert_str_eq(string_at(v, "target"), "/secret/x");
	ck_assert_str_eq(string_at(v, "syscall"), "openat");
	ck_assert_str_eq(string_at(v, "errno"), "EACCES");
	ck_assert_int_eq(integer_at(v, "pid"), child);
	ck_assert_int_eq(integer_at(v, "tid"), child);
	ck_assert_str_eq(string_at(v, "exe"), exe);
	ck_assert_str_eq(string_at(v, "cwd"), cwd);
	ck_assert_int_eq(integer_at(v, "count"), 1);
	ck_assert_uint_eq(guard.refusals, 1);
}
END_TEST

START_TEST(the_name_is_told_as_it_was_asked_for)
{
	judge_target("/secret/x");
	request.names[0].arg = 1;
	strcpy(request.names[0].text, "../secret/./x");
	request.names[0].length = strlen(request.names[0].text);
	strcpy(request.names[0].at.judged, "/secret/x");
	ck_assert_str_eq(string_at(record_one(ACTION_DENIED), "requested"), "../secret/./x");
}
END_TEST

START_TEST(of_two_names_the_refused_one_is_told)
{
	judge_target("/secret/x");
	request.call = call_by_name("renameat2");
	for (int i = 0; i < 2; i++) {
		request.names[i].arg = 1 + 2 * i;
		strcpy(request.names[i].text, i ? "second" : "first");
		request.names[i].length = strlen(request.names[i].text);
		strcpy(request.names[i].at.judged, i ? "/secret/x" : "/elsewhere");
	}
	ck_assert_str_eq(string_at(record_one(ACTION_DENIED), "requested"), "second");
}
END_TEST

START_TEST(the_command_line_is_told_as_it_is)
{
	judge_target("/secret/x");
	json_t *v = record_one(ACTION_DENIED);
	ck_assert_ptr_nonnull(strstr(string_at(v, "command"), "test_record"));
}
END_TEST

static const struct {
	const char *target, *key, *allow_with;
} rules[] = {
	{"/secret/x", "filesystem.deny", "--read /secret/x"},
	{"/elsewhere", "default", "--read /elsewhere"},
	{"/never/x", "filesystem.forbid", NULL}, /* nothing re-opens it */
};

START_TEST(the_rule_is_told_and_what_would_allow_it)
{
	judge_target(rules[_i].target);
	json_t *v = record_one(ACTION_DENIED), *allow = json_object_get(v, "allow_with");
	ck_assert_str_eq(string_at(json_object_get(v, "rule"), "key"), rules[_i].key);
	if (rules[_i].allow_with)
		ck_assert_str_eq(json_string_value(allow), rules[_i].allow_with);
	else
		ck_assert(json_is_null(allow));
}
END_TEST

START_TEST(what_no_policy_allows_has_no_advice)
{
	judgement.refusal.rule = RULE_ALWAYS;
	json_t *v = record_one(ACTION_DENIED);
	ck_assert_str_eq(string_at(json_object_get(v, "rule"), "key"), "always");
	ck_assert(json_is_null(json_object_get(v, "allow_with")));
}
END_TEST

START_TEST(what_a_plugin_may_not_is_of_its_manifest)
{
	judge_target("/secret/x");
	judgement.refusal.image = 1;
	json_t *v = record_one(ACTION_DENIED);
	ck_assert_str_eq(string_at(json_object_get(v, "rule"), "source"), "plugin manifest");
	ck_assert(json_is_null(json_object_get(v, "allow_with")));
}
END_TEST

START_TEST(what_is_only_recorded_has_no_errno)
{
	judge_target("/secret/x");
	json_t *v = record_one(ACTION_AUDITED);
	ck_assert_str_eq(string_at(v, "action"), "audited");
	ck_assert(json_is_null(json_object_get(v, "errno")));
}
END_TEST

START_TEST(the_same_again_is_counted)
{
	judge_target("/secret/x");
	for (int i = 0; i < 1000; i++)
		act_record(&guard, &request, &judgement.refusal, ACTION_DENIED);
	json_t *json = result_json();
	ck_assert_uint_eq(json_array_size(json_object_get(json, "violations")), 1);
	ck_assert_int_eq(integer_at(violation_at(json, 0), "count"), 1000);
	ck_assert_int_eq(integer_at(json, "violation_count"), 1000);
	ck_assert_uint_eq(guard.refusals, 1000);
}
END_TEST

START_TEST(another_target_or_kind_is_another_violation)
{
	judge_target("/secret/x");
	act_record(&guard, &request, &judgement.refusal, ACTION_DENIED);
	judge_target("/secret/y");
	act_record(&guard, &request, &judgement.refusal, ACTION_DENIED);
	judgement.refusal.kind = VIOLATION_FILE_WRITE;
	act_record(&guard, &request, &judgement.refusal, ACTION_DENIED);
	json_t *json = result_json();
	ck_assert_uint_eq(json_array_size(json_object_get(json, "violations")), 3);
}
END_TEST

/* What is told is looked up when the task may be gone. */
START_TEST(a_process_that_has_gone_is_recorded_all_the_same)
{
	judge_target("/secret/x");
	traced_end(child);
	json_t *v = record_one(ACTION_DENIED);
	ck_assert_str_eq(string_at(v, "target"), "/secret/x");
	ck_assert_int_eq(integer_at(v, "pid"), child);
	ck_assert_str_eq(string_at(v, "command"), "");
	ck_assert_str_eq(string_at(v, "cwd"), "");
	child = traced_after(nothing, 0); /* for teardown */
}
END_TEST

START_TEST(bytes_that_are_no_text_are_kept)
{
	judge_target("/secret/\xff\n\033[31m");
	json_t *v = record_one(ACTION_DENIED);
	ck_assert_str_eq(string_at(v, "target"), "/secret/\\xff\n\033[31m");
	ck_assert_ptr_nonnull(json_object_get(v, "target_base64"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("record");
	TCase *cases = tcase_create("a refusal");

	tcase_add_checked_fixture(cases, setup, teardown);
	tcase_add_test(cases, a_refusal_says_who_asked_and_from_where);
	tcase_add_test(cases, the_name_is_told_as_it_was_asked_for);
	tcase_add_test(cases, of_two_names_the_refused_one_is_told);
	tcase_add_test(cases, the_command_line_is_told_as_it_is);
	tcase_add_loop_test(cases, the_rule_is_told_and_what_would_allow_it, 0, (int)(sizeof rules / sizeof rules[0]));
	tcase_add_test(cases, what_no_policy_allows_has_no_advice);
	tcase_add_test(cases, what_a_plugin_may_not_is_of_its_manifest);
	tcase_add_test(cases, what_is_only_recorded_has_no_errno);
	tcase_add_test(cases, the_same_again_is_counted);
	tcase_add_test(cases, another_target_or_kind_is_another_violation);
	tcase_add_test(cases, a_process_that_has_gone_is_recorded_all_the_same);
	tcase_add_test(cases, bytes_that_are_no_text_are_kept);
	suite_add_tcase(suite, cases);
	return help_run(suite);
}
