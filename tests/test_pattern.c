/* SPDX-License-Identifier: MIT */
/* test_pattern.c - the small pure parts of the compiler: which pattern covers which, destinations, nearest words. */
#include "pattern.h"

#include <arpa/inet.h>

#include "destination.h"
#include "policy_help.h"
#include "suggest.h"

static const struct {
	const char *outer, *inner;
	bool covers;
} covered[] = {
	{"/", "/", true},
	{"/", "/a/b", true},
	{"/a", "/a", true},
	{"/a", "/a/b", true},
	{"/a", "/ab", false},
	{"/a/b", "/a", false},
	{"/a", "/a/*/c", true},
	{"/a", "/*/b", false},
	{"/*", "/a", true},
	{"/*", "/", false},
	{"/*", "/*x", true},
	{"/*", "/**", false},
	{"/**", "/**/x", true},
	{"/a*", "/abc/d", true},
	{"/a*", "/a*", true},
	{"/a*", "/ab*", false},
	{"/a*", "/b", false},
	{"/**/x", "/x", true},
	{"/**/x", "/a/b/x/c", true},
	{"/**/x", "/a/b", false},
	{"/**/x/y", "/a/x/b/x/y", true},
	{"/**/x/y", "/a/x/b/y", false},
	{"/a/**", "/a", true},
	{"/a/**/b*", "/a/c/d/bx", true},
	{"/**/a/**/b", "/x/a/y/b/z", true},
	{"/**/a/**/b", "/b/a", false},
	{"/**", "/", true},
};

START_TEST(a_pattern_covers_what_it_and_the_tree_below_it_match)
{
	ck_assert_int_eq(pattern_covers(covered[_i].outer, covered[_i].inner), covered[_i].covers);
}
END_TEST

START_TEST(a_pattern_of_many_stars_is_soon_decided)
{
	char outer[1200] = "", inner[1200] = "";

	for (int i = 0; i < 200; i++) {
		strcat(outer, "/**/a");
		strcat(inner, "/a/a");
	}
	strcat(outer, "/b");
	ck_assert(!pattern_covers(outer, inner));
}
END_TEST

static const struct {
	const char *text;
	enum destination_kind kind;
	const char *address; /* NULL: any, or none */
	unsigned bits;
	uint16_t first, last;
	const char *transports;
} destinations[] = {
	{"*", DESTINATION_EVERYTHING, NULL, 0, 0, 0, "tu"},
	{"*:*", DESTINATION_INTERNET, NULL, 0, 0, 65535, "tu"},
	{"*:443", DESTINATION_INTERNET, NULL, 0, 443, 443, "tu"},
	{"tcp:*:1-2", DESTINATION_INTERNET, NULL, 0, 1, 2, "t"},
	{"127.0.0.1:8080", DESTINATION_INTERNET, "127.0.0.1", 32, 8080, 8080, "tu"},
	{"udp:10.0.0.0/8:*", DESTINATION_INTERNET, "10.0.0.0", 8, 0, 65535, "u"},
	{"0.0.0.0/0:1", DESTINATION_INTERNET, "0.0.0.0", 0, 1, 1, "tu"},
	{"[::1]:5432", DESTINATION_INTERNET, "::1", 128, 5432, 5432, "tu"},
	{"[fd00::]/8:1-65535", DESTINATION_INTERNET, "fd00::", 8, 1, 65535, "tu"},
	{"[::ffff:1.2.3.0]/120:9", DESTINATION_INTERNET, "1.2.3.0", 24, 9, 9, "tu"},
	{"example.org:443", DESTINATION_HOST, NULL, 0, 443, 443, "tu"},
	{"udp:a_b.x-y.:53", DESTINATION_HOST, NULL, 0, 53, 53, "u"},
	{"unix:/run/*.sock", DESTINATION_UNIX_PATH, NULL, 0, 0, 0, "tu"},
	{"unix:@name*", DESTINATION_UNIX_ABSTRACT, NULL, 0, 0, 0, "tu"},
	{"unix:*", DESTINATION_UNIX_ANY, NULL, 0, 0, 0, "tu"},
};

START_TEST(a_destination_means_what_the_manual_says)
{
	struct destination out;
	struct complaint why = {""};
	struct in6_addr address = {0};

	ck_assert_msg(!destination_parse(destinations[_i].text, false, &out, &why), "%s", why.text);
	ck_assert_int_eq((int)out.kind, (int)destinations[_i].kind);
	ck_assert_uint_eq(out.prefix.ports.first, destinations[_i].first);
	ck_assert_uint_eq(out.prefix.ports.last, destinations[_i].last);
	ck_assert_int_eq(out.prefix.tcp, strchr(destinations[_i].transports, 't') != NULL);
	ck_assert_int_eq(out.prefix.udp, strchr(destinations[_i].transports, 'u') != NULL);
	ck_assert_int_eq(out.prefix.any_family, out.kind == DESTINATION_INTERNET && !destinations[_i].address);
	if (!destinations[_i].address)
		return;
	ck_assert_int_eq(inet_pton(out.prefix.family, destinations[_i].address, &address), 1);
	ck_assert_mem_eq(&address, &out.prefix.address, sizeof(address));
	ck_assert_uint_eq(out.prefix.bits, destinations[_i].bits);
}
END_TEST

static const struct {
	const char *text, *says;
} bad[] = {
	{"", "an empty destination (write ADDRESS:PORT or unix:/PATH)"},
	{"10.0.0.1", "no port (write 10.0.0.1:443, or 10.0.0.1:* for every port)"},
	{"10.0.0.1/8:443", "the address has bits behind its /8 (did you mean 10.0.0.0/8?)"},
	{"[fd00::1]/8:443", "the address has bits behind its /8 (did you mean fd00::/8?)"},
	{"10.0.0.0/33:443", "bad prefix length \"/33\" (0 to 32)"},
	{"10.0.0.0/:443", "bad prefix length \"/\" (0 to 32)"},
	{"[::]/x:443", "bad prefix length \"/x\" (0 to 128)"},
	{"[::1]", "no port (write [::1]:443, or [::1]:* for every port)"},
	{"[::1", "not an IPv6 address (write [ADDRESS]:PORT or [ADDRESS]/BITS:PORT)"},
	{"[fe80::1%eth0]:1", "not an IPv6 address (write [ADDRESS]:PORT or [ADDRESS]/BITS:PORT)"},
	{"[1.2.3.4]:1", "not an IPv6 address (write [ADDRESS]:PORT or [ADDRESS]/BITS:PORT)"},
	{"::1:80", "more than one colon (an IPv6 address stands in brackets: [ADDRESS]:PORT)"},
	{"https://example.org", "a URL (write HOST:PORT, such as example.org:443)"},
	{"tcp:*", "no port (write tcp:*:* for every address and port)"},
	{":80", "no address before the port (write ADDRESS:PORT, or *:PORT for every address)"},
	{"a:x", "bad port \"x\" (write a number, a range such as 8000-8080, or *)"},
	{"a:1-", "bad port \"1-\" (write a number, a range such as 8000-8080, or *)"},
	{"a:-1", "bad port \"-1\" (write a number, a range such as 8000-8080, or *)"},
	{"a:65536", "bad port \"65536\" (the highest is 65535)"},
	{"a:2-1", "bad port range \"2-1\" (the lower number comes first)"},
	{"a:0", "nothing can be reached at port 0 (write * for every port)"},
	{"0.0.0.0:80", "0.0.0.0 as a target means this machine (write 127.0.0.1)"},
	{"[::]:80", "[::] as a target means this machine (write [::1])"},
	{"*/8:80", "a prefix length needs an address before it, and \"*\" is none"},
	{"*.org:80", "a host's name with a * cannot be looked up (name each host, or write * alone)"},
	{"127.1:80", "\"127.1\" is neither an address nor a host's name"},
	{"256.1.1.1:80", "\"256.1.1.1\" is neither an address nor a host's name"},
	{"a..b:80", "\"a..b\" is neither an address nor a host's name"},
	{"-a:80", "\"-a\" is neither an address nor a host's name"},
	{"a-:80", "\"a-\" is neither an address nor a host's name"},
	{"a b:80", "\"a b\" is neither an address nor a host's name"},
	{".:80", "\".\" is neither an address nor a host's name"},
	{"b\xc3\xbc"
	 "cher.de:80",
	 "a host's name in other letters than a-z (write its xn-- form)"},
	{"unix:@", "no name after \"@\" (write unix:@* for every abstract socket)"},
	{"unix:@a*b", "in an abstract socket's name a * stands only at the end"},
	{"unix:@"
	 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
	 "no abstract socket's name is longer than 107 bytes"},
};

START_TEST(a_bad_destination_is_told_with_what_to_write)
{
	struct destination out;
	struct complaint why = {""};

	ck_assert_int_eq(destination_parse(bad[_i].text, false, &out, &why), -EINVAL);
	ck_assert_str_eq(why.text, bad[_i].says);
}
END_TEST

START_TEST(a_server_may_take_every_address_and_any_free_port)
{
	struct destination out;
	struct complaint why = {""};

	ck_assert_int_eq(destination_parse("0.0.0.0:0", true, &out, &why), 0);
	ck_assert_int_eq(destination_parse("[::]:80", true, &out, &why), 0);
}
END_TEST

START_TEST(the_nearest_word_is_the_one_that_was_meant)
{
	static const char *const known[] = {"read", "write", "read_only", "deny", "forbid", NULL};
	static const char *const cases[][2] = {{"reed", "read"},
					       {"raed", "read"},
					       {"READ", "read"},
					       {"read-only", "read_only"},
					       {"writes", "write"},
					       {"frobid", "forbid"},
					       {"allow", NULL},
					       {"", NULL},
					       {"a-very-long-word-that-is-like-no-other-one-here-at-all", NULL}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		ck_assert_pstr_eq(suggest(cases[i][0], known), cases[i][1]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pattern");
	TCase *all = tcase_create("pattern");

	tcase_add_loop_test(all, a_pattern_covers_what_it_and_the_tree_below_it_match, 0,
			    sizeof(covered) / sizeof(*covered));
	tcase_add_test(all, a_pattern_of_many_stars_is_soon_decided);
	tcase_add_loop_test(all, a_destination_means_what_the_manual_says, 0,
			    sizeof(destinations) / sizeof(*destinations));
	tcase_add_loop_test(all, a_bad_destination_is_told_with_what_to_write, 0, sizeof(bad) / sizeof(*bad));
	tcase_add_test(all, a_server_may_take_every_address_and_any_free_port);
	tcase_add_test(all, the_nearest_word_is_the_one_that_was_meant);
	suite_add_tcase(suite, all);
	return help_run(suite);
}
