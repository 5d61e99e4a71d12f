/* SPDX-License-Identifier: MIT */
/* test_hosts.c - host names whose addresses change, with a name server of the test's own. */
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>

#include "policy_help.h"

static const char *answer; /* what every name is looked up as; NULL: unknown */
static unsigned questions;

/* In the place of the C library's. */
int getaddrinfo(const char *restrict node, const char *restrict service, const struct addrinfo *restrict hints,
		struct addrinfo **restrict result)
{
	struct addrinfo *found;
	struct sockaddr_in *four;

	(void)node;
	(void)service;
	(void)hints;
	questions++;
	if (!answer)
		return EAI_NONAME;
	found = calloc(1, sizeof(*found));
	four = calloc(1, sizeof(*four));
	four->sin_family = AF_INET;
	ck_assert_int_eq(inet_pton(AF_INET, answer, &four->sin_addr), 1);
	found->ai_addr = (struct sockaddr *)four;
	*result = found;
	return 0;
}

void freeaddrinfo(struct addrinfo *found)
{
	free(found->ai_addr);
	free(found);
}

static struct verdict connect_to(const struct policy *policy, const char *address)
{
	struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(443)};

	ck_assert_int_eq(inet_pton(AF_INET, address, &four.sin_addr), 1);
	return decide_address(policy->image, NET_CONNECT, NET_TCP, (const struct sockaddr *)&four, sizeof(four));
}

START_TEST(a_new_address_is_added_and_the_old_ones_stay)
{
	struct policy policy;
	uint32_t rule;

	answer = "192.0.2.1";
	policy = help_policy(help_source(),
			     "network: { connect = ( \"a.example:443\", \"A.example:80\", \"b.example:443\" ); };");
	ck_assert_uint_eq(questions, 2); /* each name once */
	ck_assert(connect_to(&policy, "192.0.2.1").allowed);
	rule = connect_to(&policy, "192.0.2.1").rule;
	ck_assert(!connect_to(&policy, "192.0.2.2").allowed);
	answer = "192.0.2.2";
	ck_assert_int_eq(policy_resolve_again(&policy), 1);
	ck_assert(connect_to(&policy, "192.0.2.1").allowed);
	ck_assert(connect_to(&policy, "192.0.2.2").allowed);
	ck_assert_uint_eq(connect_to(&policy, "192.0.2.2").rule, rule);
	ck_assert_int_eq(image_check(policy.image, policy.length), 0);
	policy_free(&policy);
}
END_TEST

/* A result tells the digest at its end, and it is to be that of the policy that was loaded. */
START_TEST(a_new_address_leaves_the_digest_as_it_was)
{
	const char *text = "network: { connect = ( \"a.example:443\" ); };";
	struct policy asked, unasked, other;
	char before[sizeof(asked.digest)];

	answer = "192.0.2.1";
	asked = help_policy(help_source(), text);
	unasked = help_policy(help_source(), text);
	strcpy(before, policy_digest(&asked));
	answer = "192.0.2.2";
	ck_assert_int_eq(policy_resolve_again(&asked), 1);
	ck_assert_int_eq(policy_resolve_again(&unasked), 1);
	ck_assert_str_eq(policy_digest(&asked), before);
	ck_assert_str_eq(policy_digest(&unasked), before);
	/* control: one that is loaded now has another */
	other = help_policy(help_source(), text);
	ck_assert_str_ne(policy_digest(&other), before);
	policy_free(&asked);
	policy_free(&unasked);
	policy_free(&other);
}
END_TEST

START_TEST(a_name_is_not_looked_up_at_every_refusal)
{
	struct policy policy = help_policy(help_source(), "network: { connect = ( \"a.example:443\" ); };");

	questions = 0;
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(policy_resolve_again(&policy), 0);
	ck_assert_uint_eq(questions, 1);
	policy_free(&policy);
}
END_TEST

START_TEST(a_name_that_was_unknown_is_found_later)
{
	struct policy policy = help_policy(help_source(), "network: { connect = ( \"a.example:443\" ); };");

	ck_assert(!connect_to(&policy, "192.0.2.1").allowed);
	answer = "192.0.2.1";
	ck_assert_int_eq(policy_resolve_again(&policy), 1);
	ck_assert(connect_to(&policy, "192.0.2.1").allowed);
	policy_free(&policy);
}
END_TEST

START_TEST(a_policy_without_names_asks_nobody)
{
	struct policy policy = help_policy(help_source(), "network: { connect = ( \"192.0.2.1:443\" ); };");

	ck_assert_int_eq(policy_resolve_again(&policy), 0);
	ck_assert_uint_eq(questions, 0);
	policy_free(&policy);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("hosts");
	TCase *all = tcase_create("hosts");

	tcase_add_checked_fixture(all, help_setup, help_teardown);
	tcase_add_test(all, a_new_address_is_added_and_the_old_ones_stay);
	tcase_add_test(all, a_new_address_leaves_the_digest_as_it_was);
	tcase_add_test(all, a_name_is_not_looked_up_at_every_refusal);
	tcase_add_test(all, a_name_that_was_unknown_is_found_later);
	tcase_add_test(all, a_policy_without_names_asks_nobody);
	suite_add_tcase(suite, all);
	return help_run(suite);
}
