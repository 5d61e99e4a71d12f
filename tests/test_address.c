/* SPDX-License-Identifier: MIT */
/* test_address.c - socket addresses in the words of the policy's rules, whatever is in them and however short they are.
 */
#include "address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

#include "policy_help.h"

static const struct {
	int family;
	const char *address;
	unsigned port;
	enum net_transport transport;
	const char *text;
} internet[] = {
	{AF_INET, "127.0.0.1", 80, NET_TCP, "127.0.0.1:80"},
	{AF_INET, "0.0.0.0", 0, NET_TCP, "0.0.0.0:0"},
	{AF_INET, "255.255.255.255", 65535, NET_UDP, "udp:255.255.255.255:65535"},
	{AF_INET6, "::1", 443, NET_TCP, "[::1]:443"},
	{AF_INET6, "::", 53, NET_UDP, "udp:[::]:53"},
	{AF_INET6, "::ffff:1.2.3.4", 1, NET_TCP, "[::ffff:1.2.3.4]:1"},
	{AF_INET6, "2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff", 65535, NET_UDP,
	 "udp:[2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff]:65535"},
};

static socklen_t fill(struct sockaddr_storage *to, int i)
{
	struct sockaddr_in *in = (struct sockaddr_in *)to;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)to;

	memset(to, 0, sizeof *to);
	to->ss_family = (sa_family_t)internet[i].family;
	in->sin_port = htons((uint16_t)internet[i].port); /* at the same place in both */
	void *number = internet[i].family == AF_INET ? (void *)&in->sin_addr : (void *)&in6->sin6_addr;
	ck_assert_int_eq(inet_pton(internet[i].family, internet[i].address, number), 1);
	return internet[i].family == AF_INET ? sizeof *in : sizeof *in6;
}

START_TEST(internet_addresses_are_written_as_rules_have_them)
{
	struct sockaddr_storage address;
	char text[128];
	socklen_t length = fill(&address, _i);

	address_text((struct sockaddr *)&address, length, internet[_i].transport, text, sizeof text);
	ck_assert_str_eq(text, internet[_i].text);
}
END_TEST

START_TEST(text_is_cut_and_ended)
{
	struct sockaddr_storage address;
	socklen_t length = fill(&address, _i);
	size_t whole = strlen(internet[_i].text);

	for (size_t size = 1; size <= whole + 1; size++) {
		char text[128];
		memset(text, '!', sizeof text);
		address_text((struct sockaddr *)&address, length, internet[_i].transport, text, size);
		ck_assert_uint_eq(strlen(text), size - 1);
		ck_assert(memcmp(text, internet[_i].text, size - 1) == 0);
		ck_assert_int_eq(text[size], '!');
	}
}
END_TEST

/* Shorter than its family has it: no number is made up. */
START_TEST(a_short_address_is_only_a_family)
{
	struct sockaddr_storage address;
	char text[128], expected[64];
	socklen_t least = internet[_i].family == AF_INET ? sizeof(struct sockaddr_in)
							 : offsetof(struct sockaddr_in6, sin6_scope_id);

	fill(&address, _i);
	snprintf(expected, sizeof expected, "address of family %d", internet[_i].family);
	for (socklen_t length = sizeof(sa_family_t); length < least; length++) {
		address_text((struct sockaddr *)&address, length, internet[_i].transport, text, sizeof text);
		ck_assert_str_eq(text, expected);
	}
	address_text((struct sockaddr *)&address, least, internet[_i].transport, text, sizeof text);
	ck_assert_str_eq(text, internet[_i].text);
}
END_TEST

#define NAME(bytes, text)                      \
	{                                      \
		bytes, sizeof(bytes) - 1, text \
	}
static const struct {
	const char *name; /* all of sun_path */
	size_t length;
	const char *text;
} abstract[] = {
	NAME("\0name", "unix:@name"),
	NAME("\0", "unix:@"),
	NAME("\0a\0b", "unix:@a\\x00b"),
	NAME("\0name\0\0", "unix:@name\\x00\\x00"),
	NAME("\0/tmp/.X11-unix/X0", "unix:@/tmp/.X11-unix/X0"),
	NAME("\0\n\033[31m\"\xff", "unix:@\n\033[31m\"\xff"), /* escaped where it is printed */
	NAME("\0%s%n", "unix:@%s%n"),
};

static socklen_t fill_abstract(struct sockaddr_un *address, int i)
{
	memset(address, 'Z', sizeof *address); /* nothing beyond the length is looked at */
	address->sun_family = AF_UNIX;
	memcpy(address->sun_path, abstract[i].name, abstract[i].length);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + abstract[i].length);
}

START_TEST(abstract_names_are_written_whole)
{
	struct sockaddr_un address;
	char text[1024];
	socklen_t length = fill_abstract(&address, _i);

	address_text((struct sockaddr *)&address, length, NET_TCP, text, sizeof text);
	ck_assert_str_eq(text, abstract[_i].text);
}
END_TEST

START_TEST(abstract_names_never_leave_their_room)
{
	struct sockaddr_un address;
	socklen_t length = fill_abstract(&address, _i);

	for (size_t size = 1; size < 64; size++) {
		char text[128];
		memset(text, '!', sizeof text);
		address_text((struct sockaddr *)&address, length, NET_TCP, text, size);
		ck_assert_uint_lt(strnlen(text, sizeof text), size);
		ck_assert_int_eq(text[size], '!');
		ck_assert(memcmp(text, abstract[_i].text, strlen(text)) == 0);
	}
}
END_TEST

START_TEST(a_name_of_nuls_alone_fits)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char text[1024];

	address_text((struct sockaddr *)&address, sizeof address, NET_TCP, text, sizeof text);
	ck_assert_uint_eq(strlen(text), strlen("unix:@") + (sizeof address.sun_path - 1) * 4);
}
END_TEST

START_TEST(a_unix_name_of_the_kernels_choice_is_any)
{
	struct sockaddr address = {.sa_family = AF_UNIX};
	char text[64];

	address_text(&address, sizeof(sa_family_t), NET_TCP, text, sizeof text);
	ck_assert_str_eq(text, "unix:@*");
}
END_TEST

static const int others[] = {AF_UNSPEC, AF_NETLINK, AF_PACKET, AF_VSOCK, 65535};

START_TEST(what_no_rule_speaks_of_is_a_family)
{
	struct sockaddr address = {.sa_family = (sa_family_t)others[_i]};
	char text[64], expected[64];

	snprintf(expected, sizeof expected, "address of family %d", others[_i]);
	address_text(&address, sizeof address, NET_TCP, text, sizeof text);
	ck_assert_str_eq(text, expected);
}
END_TEST

#define COUNT(list) (int)(sizeof(list) / sizeof(list)[0])

int main(void)
{
	Suite *suite = suite_create("address");
	TCase *tests = tcase_create("address");

	tcase_add_loop_test(tests, internet_addresses_are_written_as_rules_have_them, 0, COUNT(internet));
	tcase_add_loop_test(tests, text_is_cut_and_ended, 0, COUNT(internet));
	tcase_add_loop_test(tests, a_short_address_is_only_a_family, 0, COUNT(internet));
	tcase_add_loop_test(tests, abstract_names_are_written_whole, 0, COUNT(abstract));
	tcase_add_loop_test(tests, abstract_names_never_leave_their_room, 0, COUNT(abstract));
	tcase_add_test(tests, a_name_of_nuls_alone_fits);
	tcase_add_test(tests, a_unix_name_of_the_kernels_choice_is_any);
	tcase_add_loop_test(tests, what_no_rule_speaks_of_is_a_family, 0, COUNT(others));
	suite_add_tcase(suite, tests);
	return help_run(suite);
}
