/* SPDX-License-Identifier: MIT */
/*
 * test_net.c - which internet addresses may be connected to and bound, and what a policy says of all addresses together.
 * Unix sockets are in test_net_unix.c.
 */
#include "net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>

#include "net_help.h"

enum { TCP = 1, UDP = 2, BOTH = 3 };

/* One destination; the address is text, "*" for every one. */
struct net_row {
	enum rule_key key;
	const char *address;
	unsigned bits;
	unsigned transports;
	uint16_t first, last;
};

static struct net_prefix row_prefix(const struct net_row *row)
{
	struct net_prefix prefix = {
		.any_family = strcmp(row->address, "*") == 0,
		.family = strchr(row->address, ':') != NULL ? AF_INET6 : AF_INET,
		.bits = row->bits,
		.tcp = (row->transports & TCP) != 0,
		.udp = (row->transports & UDP) != 0,
		.ports = {row->first, row->last},
	};

	if (!prefix.any_family)
		ck_assert_int_eq(inet_pton(prefix.family, row->address, &prefix.address), 1);
	return prefix;
}

static const struct net_row rows[] = {
	{RULE_CONNECT, "127.0.0.1", 32, TCP, 8080, 8080},
	{RULE_CONNECT, "10.0.0.0", 8, BOTH, 443, 443},
	{RULE_CONNECT, "192.168.4.0", 22, TCP, 1000, 2000},
	{RULE_CONNECT, "::1", 128, TCP, 5432, 5432},
	{RULE_CONNECT, "2001:db8:8000::", 33, TCP, 0, 65535},
	{RULE_CONNECT, "1.1.1.1", 32, UDP, 53, 53},
	{RULE_CONNECT, "*", 0, TCP, 9999, 9999},
	{RULE_CONNECT, "::ffff:172.16.0.0", 108, TCP, 80, 80},
	{RULE_CONNECT, "0.0.0.0", 32, TCP, 70, 70},
	{RULE_CONNECT, "::", 128, TCP, 71, 71},
	{RULE_CONNECT, "0.0.0.0", 0, TCP, 60, 60},
	{RULE_CONNECT, "::", 0, TCP, 61, 61},
	{RULE_BIND, "127.0.0.1", 32, TCP, 0, 65535},
	{RULE_BIND, "0.0.0.0", 32, TCP, 8000, 8999},
	{RULE_BIND, "::", 128, TCP, 8000, 8999},
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static struct image *rows_image(void)
{
	struct build *build = build_new();

	for (int i = 0; i < ROWS; i++) {
		struct net_prefix prefix = row_prefix(&rows[i]);

		ck_assert_int_eq(add_net_rule(build, rows[i].key), i);
		ck_assert_int_eq(build_also_internet(build, i, &prefix), i);
	}
	return finish_image(build);
}

/* A socket address from text. */
static socklen_t address_of(struct sockaddr_storage *storage, const char *text, uint16_t port)
{
	memset(storage, 0, sizeof(*storage));
	if (strchr(text, ':') != NULL) {
		struct sockaddr_in6 *address = (struct sockaddr_in6 *)storage;

		address->sin6_family = AF_INET6;
		address->sin6_port = htons(port);
		ck_assert_int_eq(inet_pton(AF_INET6, text, &address->sin6_addr), 1);
		return sizeof(*address);
	}
	struct sockaddr_in *address = (struct sockaddr_in *)storage;

	address->sin_family = AF_INET;
	address->sin_port = htons(port);
	ck_assert_int_eq(inet_pton(AF_INET, text, &address->sin_addr), 1);
	return sizeof(*address);
}

static const struct {
	enum net_use use;
	const char *address;
	uint16_t port;
	unsigned transport;
	int64_t rule; /* or -1: refused */
} cases[] = {
	{NET_CONNECT, "127.0.0.1", 8080, TCP, 0},
	{NET_CONNECT, "127.0.0.1", 8080, UDP, -1},
	{NET_CONNECT, "127.0.0.1", 8081, TCP, -1},
	{NET_CONNECT, "127.0.0.2", 8080, TCP, -1},
	{NET_BIND, "127.0.0.2", 8080, TCP, -1},
	{NET_CONNECT, "10.0.0.0", 443, TCP, 1},
	{NET_CONNECT, "10.255.255.255", 443, UDP, 1},
	{NET_CONNECT, "11.0.0.0", 443, TCP, -1},
	{NET_CONNECT, "9.255.255.255", 443, TCP, -1},
	{NET_CONNECT, "192.168.4.0", 1000, TCP, 2},
	{NET_CONNECT, "192.168.7.255", 2000, TCP, 2},
	{NET_CONNECT, "192.168.8.0", 1000, TCP, -1},
	{NET_CONNECT, "192.168.3.255", 1000, TCP, -1},
	{NET_CONNECT, "192.168.4.1", 999, TCP, -1},
	{NET_CONNECT, "192.168.4.1", 2001, TCP, -1},
	{NET_CONNECT, "::1", 5432, TCP, 3},
	{NET_CONNECT, "::2", 5432, TCP, -1},
	{NET_CONNECT, "127.0.0.1", 5432, TCP, -1},
	{NET_CONNECT, "2001:db8:8000::", 0, TCP, 4},
	{NET_CONNECT, "2001:db8:ffff:ffff::9", 65535, TCP, 4},
	{NET_CONNECT, "2001:db8:7fff::", 80, TCP, -1},
	{NET_CONNECT, "1.1.1.1", 53, UDP, 5},
	{NET_CONNECT, "1.1.1.1", 53, TCP, -1},
	{NET_CONNECT, "8.8.8.8", 9999, TCP, 6},
	{NET_CONNECT, "fe80::1", 9999, TCP, 6},
	{NET_CONNECT, "8.8.8.8", 9999, UDP, -1},
	/* IPv4 in IPv6's clothes */
	{NET_CONNECT, "::ffff:127.0.0.1", 8080, TCP, 0},
	{NET_CONNECT, "::ffff:10.1.2.3", 443, TCP, 1},
	{NET_CONNECT, "::ffff:127.0.0.2", 8080, TCP, -1},
	{NET_CONNECT, "::127.0.0.1", 8080, TCP, -1},
	{NET_CONNECT, "172.31.255.255", 80, TCP, 7},
	{NET_CONNECT, "::ffff:172.16.0.1", 80, TCP, 7},
	{NET_CONNECT, "172.32.0.0", 80, TCP, -1},
	{NET_CONNECT, "::ffff:1.2.3.4", 61, TCP, -1},
	/* the unspecified address as a target is the loopback */
	{NET_CONNECT, "0.0.0.0", 8080, TCP, 0},
	{NET_CONNECT, "::", 5432, TCP, 3},
	{NET_CONNECT, "::ffff:0.0.0.0", 8080, TCP, 0},
	{NET_CONNECT, "::", 8080, TCP, -1},
	{NET_CONNECT, "0.0.0.0", 5432, TCP, -1},
	{NET_CONNECT, "127.0.0.1", 70, TCP, 8},
	{NET_CONNECT, "0.0.0.0", 70, TCP, 8},
	{NET_CONNECT, "::1", 71, TCP, 9},
	{NET_CONNECT, "1.2.3.4", 60, TCP, 10},
	{NET_CONNECT, "::2", 60, TCP, -1},
	{NET_CONNECT, "::2", 61, TCP, 11},
	/* but as a place to listen it is itself */
	{NET_BIND, "127.0.0.1", 0, TCP, 12},
	{NET_BIND, "0.0.0.0", 0, TCP, -1},
	{NET_BIND, "0.0.0.0", 8500, TCP, 13},
	{NET_BIND, "127.0.0.2", 8500, TCP, -1},
	{NET_BIND, "::", 8500, TCP, 14},
	{NET_BIND, "::1", 8500, TCP, -1},
	{NET_BIND, "10.0.0.1", 443, TCP, -1},
};

START_TEST(internet_addresses)
{
	struct image *image = rows_image();
	struct sockaddr_storage storage;
	socklen_t length = address_of(&storage, cases[_i].address, cases[_i].port);
	struct verdict verdict = decide_address(image, cases[_i].use, cases[_i].transport == TCP ? NET_TCP : NET_UDP,
						(struct sockaddr *)&storage, length);

	ck_assert_msg(verdict.allowed == (cases[_i].rule >= 0), "%s port %u", cases[_i].address, cases[_i].port);
	ck_assert_uint_eq(verdict.rule, cases[_i].rule < 0 ? RULE_DEFAULT : (uint32_t)cases[_i].rule);
	ck_assert_int_eq(verdict.error, verdict.allowed ? 0 : EACCES);
	free(image);
}
END_TEST

START_TEST(what_never_works_is_told)
{
	static const struct {
		int domain, type, protocol, error;
	} sockets[] = {
		{AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, 0},
		{AF_INET6, SOCK_DGRAM, IPPROTO_UDP, 0},
		{AF_INET, SOCK_RAW, IPPROTO_UDP, 0},
		{AF_INET, SOCK_STREAM, IPPROTO_SCTP, 0},
		{AF_INET, SOCK_STREAM, 262, 0},
		{AF_INET, SOCK_DGRAM, IPPROTO_ICMP, 0},
		{AF_PACKET, SOCK_RAW, 768, 0},
		{AF_INET, 77, 0, EINVAL},
		{AF_INET, 11, 0, EINVAL},
		{AF_UNIX, 15, 0, EINVAL},
		{AF_INET, -1, 0, EINVAL},
		{-1, SOCK_STREAM, 0, EAFNOSUPPORT},
		{64, SOCK_STREAM, 0, EAFNOSUPPORT},
		{AF_INET, SOCK_STREAM, -1, EINVAL},
		{AF_INET, SOCK_STREAM, 263, EINVAL},
		{AF_INET, SOCK_STREAM, IPPROTO_UDP, EPROTONOSUPPORT},
		{AF_INET6, SOCK_DGRAM, IPPROTO_TCP, EPROTONOSUPPORT},
	};
	static const struct {
		int domain, type;
		enum net_way way;
		int family;
		socklen_t length;
		int error;
	} addresses[] = {
		{AF_INET, SOCK_STREAM, NET_WAY_CONNECT, AF_INET, 16, 0},
		{AF_INET, SOCK_STREAM, NET_WAY_CONNECT, AF_INET, 15, EINVAL},
		{AF_INET, SOCK_STREAM, NET_WAY_CONNECT, AF_INET, 1, EINVAL},
		{AF_INET, SOCK_STREAM, NET_WAY_CONNECT, AF_INET6, 28, EAFNOSUPPORT},
		{AF_INET, SOCK_DGRAM, NET_WAY_SEND, AF_UNSPEC, 16, 0},
		{AF_INET, SOCK_DGRAM, NET_WAY_SEND, AF_UNIX, 16, EAFNOSUPPORT},
		{AF_INET6, SOCK_STREAM, NET_WAY_CONNECT, AF_INET6, 24, 0},
		{AF_INET6, SOCK_STREAM, NET_WAY_CONNECT, AF_INET6, 23, EINVAL},
		{AF_INET6, SOCK_STREAM, NET_WAY_CONNECT, AF_INET, 28, EAFNOSUPPORT},
		{AF_INET6, SOCK_DGRAM, NET_WAY_CONNECT, AF_INET, 16, 0},
		{AF_INET6, SOCK_DGRAM, NET_WAY_CONNECT, AF_INET, 15, EINVAL},
		{AF_INET6, SOCK_DGRAM, NET_WAY_BIND, AF_INET, 16, EINVAL},
		{AF_INET6, SOCK_DGRAM, NET_WAY_BIND, AF_INET, 28, EAFNOSUPPORT},
		{AF_INET6, SOCK_DGRAM, NET_WAY_SEND, AF_UNIX, 28, EINVAL},
		{AF_UNIX, SOCK_STREAM, NET_WAY_CONNECT, AF_UNIX, 110, 0},
		{AF_UNIX, SOCK_STREAM, NET_WAY_CONNECT, AF_UNIX, 111, EINVAL},
		{AF_UNIX, SOCK_STREAM, NET_WAY_CONNECT, AF_INET, 16, EINVAL},
		{AF_NETLINK, SOCK_RAW, NET_WAY_BIND, AF_NETLINK, 12, 0},
		{AF_NETLINK, SOCK_RAW, NET_WAY_BIND, AF_UNIX, 12, EINVAL},
		{AF_PACKET, SOCK_RAW, NET_WAY_SEND, AF_INET, 16, 0},
	};

	for (size_t i = 0; i < sizeof(sockets) / sizeof(sockets[0]); i++)
		ck_assert_msg(net_never_socket(sockets[i].domain, sockets[i].type, sockets[i].protocol) ==
				      sockets[i].error,
			      "socket %zu", i);
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		struct sockaddr_storage storage = {.ss_family = (sa_family_t)addresses[i].family};

		ck_assert_msg(net_never_address(addresses[i].domain, addresses[i].type, addresses[i].way,
						(struct sockaddr *)&storage, addresses[i].length) == addresses[i].error,
			      "address %zu", i);
	}
}
END_TEST

START_TEST(an_unspecified_target_is_made_loopback)
{
	static const char *const targets[][2] = {
		{"0.0.0.0", "127.0.0.1"},   {"::", "::1"},	 {"::ffff:0.0.0.0", "::ffff:127.0.0.1"},
		{"0.0.0.1", NULL},	    {"127.0.0.2", NULL}, {"::2", NULL},
		{"::ffff:127.0.0.2", NULL},
	};

	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		struct sockaddr_storage storage, expected;
		socklen_t length = address_of(&storage, targets[i][0], 53);

		address_of(&expected, targets[i][targets[i][1] != NULL], 53);
		ck_assert(!net_pin_unspecified((struct sockaddr *)&storage, 7));
		ck_assert_int_eq(net_pin_unspecified((struct sockaddr *)&storage, length), targets[i][1] != NULL);
		ck_assert_mem_eq(&storage, &expected, sizeof(storage));
	}
}
END_TEST

/* A port that the kernel chose is in no rule but that for such ports. */
START_TEST(who_may_be_bound_there_may_listen_there)
{
	static const struct {
		const char *address;
		uint16_t port;
		int64_t rule; /* or -1: refused */
	} places[] = {
		{"127.0.0.1", 45678, 0},  {"::ffff:127.0.0.1", 45678, 0},
		{"127.0.0.2", 45678, -1}, {"0.0.0.0", 45678, -1},
		{"0.0.0.0", 8000, 1},	  {"0.0.0.0", 8001, -1},
		{"127.0.0.1", 0, 0},	  {"0.0.0.0", 0, -1},
		{"::", 45678, 2},	  {"::", 0, 2},
		{"::1", 45678, -1},	  {"127.0.0.3", 45678, -1},
	};
	static const struct net_row binds[] = {
		{RULE_BIND, "127.0.0.1", 32, TCP, 0, 0},	{RULE_BIND, "0.0.0.0", 32, TCP, 8000, 8000},
		{RULE_BIND, "::", 128, TCP, 0, 1000},		{RULE_BIND, "127.0.0.3", 32, UDP, 0, 0},
		{RULE_CONNECT, "127.0.0.2", 32, TCP, 0, 65535},
	};
	struct build *build = build_new();
	struct image *image;

	for (int i = 0; i < (int)(sizeof(binds) / sizeof(binds[0])); i++) {
		struct net_prefix prefix = row_prefix(&binds[i]);

		ck_assert_int_eq(add_net_rule(build, binds[i].key), i);
		ck_assert_int_eq(build_also_internet(build, i, &prefix), i);
	}
	image = finish_image(build);
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		struct sockaddr_storage storage;
		socklen_t length = address_of(&storage, places[i].address, places[i].port);
		struct verdict verdict = decide_listen(image, (struct sockaddr *)&storage, length);

		ck_assert_msg(verdict.rule == (places[i].rule < 0 ? RULE_DEFAULT : (uint32_t)places[i].rule),
			      "%s:%u: %u", places[i].address, places[i].port, verdict.rule);
		ck_assert_int_eq(verdict.allowed, places[i].rule >= 0);
	}
	ck_assert(!decide_listen(image, (struct sockaddr *)&(struct sockaddr_in){.sin_family = AF_INET}, 3).allowed);
	free(image);
}
END_TEST

START_TEST(short_and_foreign_addresses_are_refused)
{
	struct image *image = open_image();
	struct sockaddr_storage storage;

	address_of(&storage, "1.2.3.4", 80);
	for (size_t length = 0; length <= sizeof(storage); length++)
		ck_assert_int_eq(is_allowed(image, NET_CONNECT, &storage, length), length >= 16);
	/* The kernel takes this as IPv4 in bind and sendto. */
	storage.ss_family = AF_UNSPEC;
	for (size_t length = 0; length <= sizeof(storage); length++)
		ck_assert_int_eq(is_allowed(image, NET_BIND, &storage, length), length >= 16);
	address_of(&storage, "::5", 80);
	for (size_t length = 0; length <= sizeof(storage); length++)
		ck_assert_int_eq(is_allowed(image, NET_CONNECT, &storage, length), length >= 24);
	for (unsigned family = 3; family < 60; family++) {
		storage.ss_family = (sa_family_t)family;
		if (family != AF_INET6)
			ck_assert(!is_allowed(image, NET_CONNECT, &storage, sizeof(storage)));
	}
	ck_assert(!decide_address(image, NET_CONNECT, NET_TCP, NULL, 16).allowed);
	ck_assert(!decide_address(image, NET_CONNECT, NET_TCP, (struct sockaddr *)&storage, UINT32_MAX).allowed);
	free(image);
}
END_TEST

/* ---- what can be said of all rules together --------------------------------------------------------------- */

START_TEST(whole_policies)
{
	enum { UNIX_ALL = 1, ABSTRACT_ALL = 2 };
	static const struct {
		struct net_row internet[4];
		unsigned others;
		bool any, every;
	} policies[] = {
		{{{0}}, 0, false, false},
		{{{0}}, UNIX_ALL | ABSTRACT_ALL, false, false},
		{{{RULE_CONNECT, "1.2.3.4", 32, TCP, 80, 80}}, 0, true, false},
		{{{RULE_BIND, "1.2.3.4", 32, TCP, 80, 80}}, 0, false, false},
		{{{RULE_CONNECT, "*", 0, BOTH, 0, 65535}}, UNIX_ALL | ABSTRACT_ALL, true, true},
		{{{RULE_CONNECT, "*", 0, BOTH, 0, 65535}}, UNIX_ALL, true, false},
		{{{RULE_CONNECT, "*", 0, BOTH, 0, 65535}}, ABSTRACT_ALL, true, false},
		{{{RULE_CONNECT, "*", 0, BOTH, 1, 65535}}, UNIX_ALL | ABSTRACT_ALL, true, false},
		{{{RULE_CONNECT, "*", 0, TCP, 0, 65535}}, UNIX_ALL | ABSTRACT_ALL, true, false},
		{{{RULE_CONNECT, "*", 0, TCP, 0, 65535},
		  {RULE_CONNECT, "0.0.0.0", 0, UDP, 0, 65535},
		  {RULE_CONNECT, "::", 0, UDP, 0, 65535}},
		 UNIX_ALL | ABSTRACT_ALL,
		 true,
		 true},
		{{{RULE_CONNECT, "*", 0, TCP, 0, 65535},
		  {RULE_CONNECT, "0.0.0.0", 0, UDP, 0, 65535},
		  {RULE_CONNECT, "::", 1, UDP, 0, 65535}},
		 UNIX_ALL | ABSTRACT_ALL,
		 true,
		 false},
		{{{RULE_BIND, "*", 0, BOTH, 0, 65535}}, UNIX_ALL | ABSTRACT_ALL, false, false},
	};
	struct build *build = build_new();
	struct image *image;
	bool any_udp = false;
	int index = -1;

	for (const struct net_row *row = policies[_i].internet; row->address != NULL; row++) {
		struct net_prefix prefix = row_prefix(row);

		index = add_net_rule(build, row->key);
		ck_assert_int_eq(build_also_internet(build, index, &prefix), index);
		any_udp |= prefix.udp;
	}
	if (index < 0)
		index = add_net_rule(build, RULE_CONNECT);
	if ((policies[_i].others & UNIX_ALL) != 0)
		ck_assert_int_eq(build_also_unix_path(build, index, "/**"), index);
	if ((policies[_i].others & ABSTRACT_ALL) != 0)
		ck_assert_int_eq(build_also_abstract(build, index, "*", 1), index);
	image = finish_image(build);
	ck_assert_int_eq(decide_any_internet(image, NET_CONNECT), policies[_i].any);
	ck_assert_int_eq(decide_every_address(image, NET_CONNECT), policies[_i].every);
	ck_assert_int_eq(decide_any_udp(image), any_udp);
	if (index >= 0 && image_rule(image, 0).key == RULE_BIND) {
		ck_assert(decide_any_internet(image, NET_BIND));
		ck_assert_int_eq(decide_every_address(image, NET_BIND), policies[_i].others == 3);
	}
	free(image);
}
END_TEST

START_TEST(the_builder_refuses_what_is_no_destination)
{
	struct build *build = build_new();
	struct rule path = row_rule(RULE_READ, LAYER_FILE, "/a");
	struct net_prefix good = {.family = AF_INET, .bits = 32, .tcp = true, .ports = {1, 2}}, bad;

	ck_assert_int_eq(build_net_rule(build, &path), -EINVAL);
	ck_assert_int_eq(build_path_rule(build, &path), 0);
	ck_assert_int_eq(add_net_rule(build, RULE_CONNECT), 1);
	ck_assert_int_eq(build_also_internet(build, 0, &good), -EINVAL);
	ck_assert_int_eq(build_also_internet(build, 2, &good), -EINVAL);
	ck_assert_int_eq(build_also_internet(build, -1, &good), -EINVAL);
	ck_assert_int_eq(build_also_abstract(build, 0, "x", 1), -EINVAL);
	ck_assert_int_eq(build_also_unix_path(build, 0, "/x"), -EINVAL);
	ck_assert_int_eq(build_also_unix_path(build, 1, "x"), -EINVAL);
	ck_assert_int_eq(build_also_internet(build, 1, &good), 1);
	bad = good;
	bad.bits = 33;
	ck_assert_int_eq(build_also_internet(build, 1, &bad), -EINVAL);
	bad = good;
	bad.family = AF_UNIX;
	ck_assert_int_eq(build_also_internet(build, 1, &bad), -EINVAL);
	bad = good;
	bad.tcp = false;
	ck_assert_int_eq(build_also_internet(build, 1, &bad), -EINVAL);
	bad = good;
	bad.ports.first = 3;
	ck_assert_int_eq(build_also_internet(build, 1, &bad), -EINVAL);
	/* 10.0.0.1/8 */
	bad = good;
	bad.bits = 8;
	bad.address.s6_addr[0] = 10;
	ck_assert_int_eq(build_also_internet(build, 1, &bad), 1);
	bad.address.s6_addr[3] = 1;
	ck_assert_int_eq(build_also_internet(build, 1, &bad), -EINVAL);
	build_free(build);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("net");
	TCase *tcase = tcase_create("addresses");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tcase, internet_addresses, 0, (int)(sizeof(cases) / sizeof(cases[0])));
	tcase_add_test(tcase, who_may_be_bound_there_may_listen_there);
	tcase_add_test(tcase, what_never_works_is_told);
	tcase_add_test(tcase, an_unspecified_target_is_made_loopback);
	tcase_add_test(tcase, short_and_foreign_addresses_are_refused);
	tcase_add_loop_test(tcase, whole_policies, 0, 12);
	tcase_add_test(tcase, the_builder_refuses_what_is_no_destination);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
