/* SPDX-License-Identifier: MIT */
/*
 * test_net_unix.c - which unix sockets may be connected to and bound: by path, by abstract name, and without a name.
 */
#include "net.h"

#include <errno.h>
#include <sys/un.h>

#include "net_help.h"

START_TEST(unix_addresses_by_form)
{
	struct image *image = open_image();
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct net_address read;

	/* No name at all: only bind means something by it, an abstract name of the kernel's choice. */
	ck_assert(is_allowed(image, NET_BIND, &address, 2));
	ck_assert(!is_allowed(image, NET_CONNECT, &address, 2));
	ck_assert_int_eq(net_read((struct sockaddr *)&address, 2).kind, NET_UNIX_UNNAMED);
	for (size_t length = 3; length <= sizeof(address); length++)
		ck_assert(is_allowed(image, NET_CONNECT, &address, length));
	ck_assert_int_eq(net_read((struct sockaddr *)&address, sizeof(address) + 1).kind, NET_MALFORMED);
	memset(address.sun_path, 'p', sizeof(address.sun_path));
	ck_assert(!is_allowed(image, NET_CONNECT, &address, sizeof(address)));
	read = net_read((struct sockaddr *)&address, sizeof(address));
	ck_assert_int_eq(read.kind, NET_UNIX_PATH);
	ck_assert_uint_eq(read.name_length, sizeof(address.sun_path));
	ck_assert_ptr_eq(read.name, address.sun_path);
	address.sun_path[3] = '\0';
	ck_assert_uint_eq(net_read((struct sockaddr *)&address, sizeof(address)).name_length, 3);
	ck_assert_uint_eq(net_read((struct sockaddr *)&address, 4).name_length, 2);
	free(image);
}
END_TEST

struct abstract_case {
	const char *name;
	size_t length;
	int64_t rule;
};

START_TEST(abstract_names)
{
	static const struct abstract_case names[] = {
		{"name", 4, 0},		{"nam", 3, -1},	      {"names", 5, -1},	     {"name\0", 5, -1},
		{"\0name", 5, -1},	{"a\0b\xff\n", 5, 1}, {"a\0c\xff\n", 5, -1}, {"bus-", 4, 2},
		{"bus-session", 11, 2}, {"bus", 3, -1},	      {"bus-\0\0", 6, 2},    {"", 0, -1},
		{"for-bind", 8, -1},	{"st*r", 4, 4},	      {"stor", 4, -1},
	};
	struct build *build = build_new();
	struct image *image;

	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(add_net_rule(build, i == 3 ? RULE_BIND : RULE_CONNECT), i);
	ck_assert_int_eq(build_also_abstract(build, 0, "name", 4), 0);
	ck_assert_int_eq(build_also_abstract(build, 1, "a\0b\xff\n", 5), 1);
	ck_assert_int_eq(build_also_abstract(build, 2, "bus-*", 5), 2);
	ck_assert_int_eq(build_also_abstract(build, 3, "for-bind", 8), 3);
	ck_assert_int_eq(build_also_abstract(build, 4, "st*r", 4), 4);
	image = finish_image(build);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct sockaddr_un address = {.sun_family = AF_UNIX};
		struct verdict verdict;

		memcpy(address.sun_path + 1, names[i].name, names[i].length);
		verdict = decide_address(image, NET_CONNECT, NET_UDP, (struct sockaddr *)&address,
					 (socklen_t)(3 + names[i].length));
		ck_assert_msg(verdict.rule == (names[i].rule < 0 ? RULE_DEFAULT : (uint32_t)names[i].rule),
			      "name %zu: %u", i, verdict.rule);
		ck_assert_int_eq(verdict.allowed, names[i].rule >= 0);
	}
	/* Not every abstract name may be bound, so not one of the kernel's choice either. */
	ck_assert(!is_allowed(image, NET_BIND, &(struct sockaddr_un){.sun_family = AF_UNIX}, 2));
	free(image);
}
END_TEST

START_TEST(unix_paths)
{
	static const struct {
		enum net_use use;
		const char *path;
		int64_t rule;
	} paths[] = {
		{NET_CONNECT, "/run/x.sock", 0},
		{NET_CONNECT, "/run/x.sock2", -1},
		{NET_CONNECT, "/run/x.sock/y", 0},
		{NET_CONNECT, "/run/user/1000/bus", 1},
		{NET_CONNECT, "/run/user/bus", -1},
		{NET_BIND, "/run/x.sock", -1},
		{NET_BIND, "/tmp/a/b/c.sock", 2},
		{NET_CONNECT, "/tmp/a/b/c.sock", -1},
		{NET_CONNECT, "run/x.sock", -1},
		{NET_CONNECT, "/run/../run/x.sock", -1},
		{NET_CONNECT, "", -1},
		{NET_CONNECT, "/files", -1},
	};
	struct build *build = build_new();
	struct rule file = row_rule(RULE_WRITE, LAYER_FILE, "/files");
	struct image *image;

	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(add_net_rule(build, i == 2 ? RULE_BIND : RULE_CONNECT), i);
	ck_assert_int_eq(build_path_rule(build, &file), 3);
	ck_assert_int_eq(build_also_unix_path(build, 0, "/run/x.sock"), 0);
	ck_assert_int_eq(build_also_unix_path(build, 1, "/run/user/*/bus"), 1);
	ck_assert_int_eq(build_also_unix_path(build, 2, "/tmp/**/*.sock"), 2);
	image = finish_image(build);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct verdict verdict = decide_unix_path(image, paths[i].use, paths[i].path, strlen(paths[i].path));

		ck_assert_msg(verdict.rule == (paths[i].rule < 0 ? RULE_DEFAULT : (uint32_t)paths[i].rule), "%s: %u",
			      paths[i].path, verdict.rule);
		ck_assert_int_eq(verdict.allowed, paths[i].rule >= 0);
		ck_assert_int_eq(verdict.error, verdict.allowed ? 0 : EACCES);
	}
	/* A rule about a socket says nothing of the file system. */
	ck_assert(!decide_path(image, "/run/x.sock", 11, ACCESS_READ).allowed);
	free(image);
}
END_TEST

/* What the files' rules refuse, a network's rule opens only where it is the more specific one, or the nearer. */
START_TEST(unix_paths_are_files_too)
{
	enum { EVERY, EXACT, NEARER, CONNECTS };
	static const struct path_row files[] = {
		{RULE_READ, LAYER_FILE, "/"},
		{RULE_DENY, LAYER_FILE, "/denied"},
		{RULE_READ, LAYER_FILE, "/denied/shown"},
		{RULE_READ_ONLY, LAYER_FILE, "/kept"},
		{RULE_DENY, LAYER_FILE, "/same"},
		{RULE_DENY, LAYER_FILE, "/near"},
		{RULE_DENY, LAYER_FILE, "/glob*"},
		{RULE_FORBID, LAYER_PROFILE, "/forbidden"},
		{RULE_HIDE, LAYER_FILE, "/hidden"},
		{RULE_READ, LAYER_FILE, "/hidden/shown"},
	};
	enum { FILES = sizeof(files) / sizeof(files[0]) };
	static const char *const exact[] = {"/denied/exact", "/same", "/globbed", "/forbidden/exact", "/hidden/exact"};
	static const struct {
		const char *path;
		int error;
		uint32_t rule, own; /* own: of the run's own socket, or RULE_DEFAULT: allowed */
	} sockets[] = {
		{"/plain", 0, EVERY, RULE_DEFAULT},
		{"/kept/x", 0, EVERY, RULE_DEFAULT},
		{"/denied/x", EACCES, CONNECTS + 1, RULE_DEFAULT},
		{"/denied/exact", 0, EXACT, RULE_DEFAULT},
		{"/denied/exact/x", 0, EXACT, RULE_DEFAULT},
		{"/denied/shown/x", 0, EVERY, RULE_DEFAULT},
		{"/same", EACCES, CONNECTS + 4, RULE_DEFAULT},
		{"/near", 0, NEARER, RULE_DEFAULT},
		{"/globbed", 0, EXACT, RULE_DEFAULT},
		{"/globs", EACCES, CONNECTS + 6, RULE_DEFAULT},
		{"/forbidden/exact", EACCES, CONNECTS + 7, CONNECTS + 7},
		{"/hidden/exact", ENOENT, CONNECTS + 8, CONNECTS + 8},
		{"/hidden/shown/x", 0, EVERY, RULE_DEFAULT},
	};
	struct build *build = build_new();
	struct rule nearer = row_rule(RULE_CONNECT, LAYER_COMMAND_LINE, "nearer");
	struct image *image;

	ck_assert_int_eq(add_net_rule(build, RULE_CONNECT), EVERY);
	ck_assert_int_eq(build_also_unix_path(build, EVERY, "/"), EVERY);
	ck_assert_int_eq(add_net_rule(build, RULE_CONNECT), EXACT);
	for (size_t i = 0; i < sizeof(exact) / sizeof(exact[0]); i++)
		ck_assert_int_eq(build_also_unix_path(build, EXACT, exact[i]), EXACT);
	ck_assert_int_eq(build_net_rule(build, &nearer), NEARER);
	ck_assert_int_eq(build_also_unix_path(build, NEARER, "/near"), NEARER);
	for (int i = 0; i < FILES; i++) {
		struct rule rule = row_rule(files[i].key, files[i].layer, files[i].target);

		ck_assert_int_eq(build_path_rule(build, &rule), CONNECTS + i);
	}
	image = finish_image(build);
	for (size_t i = 0; i < sizeof(sockets) / sizeof(sockets[0]); i++) {
		size_t length = strlen(sockets[i].path);
		struct verdict verdict = decide_unix_path(image, NET_CONNECT, sockets[i].path, length);
		struct verdict own = decide_own_socket(image, sockets[i].path, length);

		ck_assert_msg(verdict.rule == sockets[i].rule, "%s: %u", sockets[i].path, verdict.rule);
		ck_assert_int_eq(verdict.allowed, sockets[i].error == 0);
		ck_assert_int_eq(verdict.error, sockets[i].error);
		ck_assert_msg(own.rule == sockets[i].own, "own %s: %u", sockets[i].path, own.rule);
		ck_assert_int_eq(own.allowed, sockets[i].own == RULE_DEFAULT);
	}
	ck_assert(!decide_own_socket(image, "relative", 8).allowed);
	free(image);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("net_unix");
	TCase *tcase = tcase_create("addresses");
	SRunner *runner;
	int failed;

	tcase_add_test(tcase, unix_addresses_by_form);
	tcase_add_test(tcase, abstract_names);
	tcase_add_test(tcase, unix_paths);
	tcase_add_test(tcase, unix_paths_are_files_too);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
