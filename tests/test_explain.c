/* SPDX-License-Identifier: MIT */
/* test_explain.c - policy show, explain, and the option that would allow a refusal. */
#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <netinet/in.h>
#include <sys/un.h>

#include "allow.h"
#include "policy_help.h"
#include "show.h"

static const char text[] =
	"filesystem: { read = ( \"/\" ); write = ( \"/w\" ); deny = ( \"/w/secret\", \"/**/*.key\" );\n"
	" forbid = ( \"/w/never\" ); hide = ( \"/w/hidden\" ); };\n"
	"network: { connect = ( \"10.0.0.0/8:443\", \"10.1.0.0/16:*\", \"unix:/run/x\", \"unix:@a*\", \"unix:/w\" ); "
	"};\n";

static struct policy explained(void)
{
	static const struct policy_option options[] = {{RULE_READ, "/w/secret/open"}, {RULE_DENY, "/w/mine"}};
	struct policy_source source = help_source();

	source.options = options;
	source.option_count = 2;
	return help_policy(source, text);
}

static const struct {
	const char *access, *target;
	int result;
	const char *says;
} explanations[] = {
	{"write", "/w/x", 0, "write /w/x: allowed\n  by\n    filesystem.write \"/w\", policy.conf:1\n"},
	{"read", "/w/secret/open", 0,
	 "read /w/secret/open: allowed\n  by\n    filesystem.read \"/w/secret/open\", command line\n"
	 "  which beat\n    filesystem.deny \"/w/secret\", policy.conf:1\n"
	 "    filesystem.write \"/w\", policy.conf:1\n    filesystem.read \"/\", policy.conf:1\n"},
	{"read", "secret/../a.key", 1,
	 "read /w/a.key: denied (EACCES)\n  by\n    filesystem.deny \"/**/*.key\", policy.conf:1\n"
	 "  which beat\n    filesystem.write \"/w\", policy.conf:1\n    filesystem.read \"/\", "
	 "policy.conf:1\n  to allow it: --read /w/a.key\n"},
	{"exec", "/no/sh\n", 1,
	 "exec /no/sh\\x0a: denied (EACCES)\n  by default: no rule says anything of it\n  to allow it: --exec "
	 "'/no/sh\\x0a'\n  as the command of a run it may run: this is about what that runs in turn\n"},
	{"exec", "/w/secret/sh", 1,
	 "exec /w/secret/sh: denied (EACCES)\n  by\n    filesystem.deny \"/w/secret\", policy.conf:1\n"
	 "  to allow it: --exec /w/secret/sh\n"},
	{"read", "/dev/kmsg", 1, "read /dev/kmsg: denied (EPERM)\n  as under every policy\n  no option allows it\n"},
	{"write", "/proc/sys/kernel/core_pattern", 1, NULL},
	{"read", "/proc/sys/kernel/core_pattern", 0, NULL},
	{"write", "/proc/1/comm", 1,
	 "write /proc/1/comm: denied (EPERM)\n  as under every policy\n  no option allows it\n"},
	{"write", "/w/never/x", 1,
	 "write /w/never/x: denied (EACCES)\n  by\n    filesystem.forbid \"/w/never\", policy.conf:2\n"
	 "  which beat\n    filesystem.write \"/w\", policy.conf:1\n  no option allows it\n"},
	{"look", "/w/hidden", 1,
	 "look /w/hidden: denied (ENOENT)\n  by\n    filesystem.hide \"/w/hidden\", policy.conf:2\n  which beat\n"
	 "    filesystem.write \"/w\", policy.conf:1\n    filesystem.read \"/\", policy.conf:1\n  to allow it: "
	 "--read /w/hidden\n"},
	{"write", "/w/mine", 1,
	 "write /w/mine: denied (EACCES)\n  by\n    filesystem.deny \"/w/mine\", command line\n  which beat\n"
	 "    filesystem.write \"/w\", policy.conf:1\n  no option allows it\n"},
	{"look", "/nowhere", 0, NULL},
	{"connect", "10.1.2.3:443", 0, NULL},
	{"connect", "10.1.2.3:80", 0,
	 "connect 10.1.2.3:80: allowed\n  by\n    network.connect \"10.1.0.0/16:*\", policy.conf:3\n"},
	{"connect", "10.2.2.3:80", 1,
	 "connect 10.2.2.3:80: denied (EACCES)\n  by default: no rule says anything of it\n  to allow it: "
	 "--connect tcp:10.2.2.3:80\n"},
	{"bind", "udp:[::1]:53", 1,
	 "bind udp:[::1]:53: denied (EACCES)\n  by default: no rule says anything of it\n  to allow it: --bind "
	 "'udp:[::1]:53'\n"},
	{"connect", "0.0.0.0:80", 1,
	 "connect 0.0.0.0:80: denied (EACCES)\n  by default: no rule says anything of it\n  to allow it: "
	 "--connect tcp:127.0.0.1:80\n"},
	{"connect", "unix:/run/x", 0, NULL},
	{"bind", "unix:/w/s", 0, "bind unix:/w/s: allowed\n  by\n    filesystem.write \"/w\", policy.conf:1\n"},
	{"bind", "unix:/run/x", 1,
	 "bind unix:/run/x: denied (EACCES)\n  by default: no rule says anything of it\n  to allow it: --write "
	 "/run/x\n"},
	{"connect", "unix:/run/y", 1,
	 "connect unix:/run/y: denied (EACCES)\n  by default: no rule says anything of it\n  to allow it: "
	 "--connect unix:/run/y\n"},
	{"connect", "unix:/w/s", 0, NULL},
	{"connect", "unix:/w/secret/s", 1,
	 "connect unix:/w/secret/s: denied (EACCES)\n  by\n    filesystem.deny \"/w/secret\", policy.conf:1\n"
	 "  which beat\n    network.connect \"unix:/w\", policy.conf:3\n  to allow it: --connect unix:/w/secret/s\n"},
	{"connect", "unix:/w/mine", 1,
	 "connect unix:/w/mine: denied (EACCES)\n  by\n    filesystem.deny \"/w/mine\", command line\n"
	 "  which beat\n    network.connect \"unix:/w\", policy.conf:3\n  no option allows it\n"},
	{"connect", "unix:/w/never/s", 1,
	 "connect unix:/w/never/s: denied (EACCES)\n  by\n    filesystem.forbid \"/w/never\", policy.conf:2\n"
	 "  which beat\n    network.connect \"unix:/w\", policy.conf:3\n  no option allows it\n"},
	{"connect", "unix:/w/hidden/s", 1,
	 "connect unix:/w/hidden/s: denied (ENOENT)\n  by\n    filesystem.hide \"/w/hidden\", policy.conf:2\n"
	 "  which beat\n    network.connect \"unix:/w\", policy.conf:3\n"
	 "  to allow it: --read /w/hidden/s --connect unix:/w/hidden/s\n"},
	{"connect", "unix:@abc", 0, NULL},
	{"bind", "unix:@x", 1,
	 "bind unix:@x: denied (EACCES)\n  by default: no rule says anything of it\n  to allow it: --bind unix:@x\n"},
	{"reed", "/x", -EINVAL, "unknown access \"reed\" (read, write, exec, look, connect or bind)"},
	{"read", "", -EINVAL, "read \"\": an empty path (name a file or directory)"},
	{"read", "/a*", -EINVAL, "read \"/a*\": a path with a * (name one file)"},
	{"connect", "*", -EINVAL, "connect \"*\": more than one destination (name one, such as 127.0.0.1:8080)"},
	{"connect", "10.0.0.0/8:1", -EINVAL,
	 "connect \"10.0.0.0/8:1\": more than one address or port (name one, such as 127.0.0.1:8080)"},
	{"connect", "1.2.3.4:*", -EINVAL,
	 "connect \"1.2.3.4:*\": more than one address or port (name one, such as 127.0.0.1:8080)"},
	{"connect", "1.2.3.4", -EINVAL,
	 "connect \"1.2.3.4\": no port (write 1.2.3.4:443, or 1.2.3.4:* for every port)"},
	{"connect", "unix:@a*", -EINVAL, "connect \"unix:@a*\": a name with a * (name one socket)"},
};

START_TEST(an_explanation_gives_the_verdict_the_rule_what_it_beat_and_what_would_allow_it)
{
	struct policy policy = explained();
	char *out = NULL, *why;
	size_t length;
	FILE *to = open_memstream(&out, &length);
	int result = policy_explain(&policy, explanations[_i].access, explanations[_i].target, to, false, &why);

	fclose(to);
	ck_assert_int_eq(result, explanations[_i].result);
	if (explanations[_i].says)
		ck_assert_str_eq(result == -EINVAL ? why : out, explanations[_i].says);
	free(out);
	free(why);
	policy_free(&policy);
}
END_TEST

static json_t *explain_json(const struct policy *policy, const char *access, const char *target)
{
	char *out = NULL, *why;
	size_t length;
	FILE *to = open_memstream(&out, &length);
	json_t *object;

	policy_explain(policy, access, target, to, true, &why);
	fclose(to);
	object = json_loads(out, 0, NULL);
	ck_assert_ptr_nonnull(object);
	free(out);
	return object;
}

static const char *string_at(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

START_TEST(an_explanation_in_json_has_the_same)
{
	struct policy policy = explained();
	json_t *answer = explain_json(&policy, "read", "/w/secret/\xff");

	ck_assert_str_eq(string_at(answer, "verdict"), "denied");
	ck_assert_str_eq(string_at(answer, "errno"), "EACCES");
	ck_assert_str_eq(string_at(answer, "target"), "/w/secret/\\xff");
	ck_assert_str_eq(string_at(answer, "target_base64"), "L3cvc2VjcmV0L/8=");
	ck_assert_str_eq(string_at(json_object_get(answer, "rule"), "key"), "filesystem.deny");
	ck_assert_uint_eq(json_array_size(json_object_get(answer, "beaten")), 2);
	json_decref(answer);
	answer = explain_json(&policy, "write", "/proc/sys/x");
	ck_assert_str_eq(string_at(answer, "errno"), "EPERM");
	ck_assert_str_eq(string_at(json_object_get(answer, "rule"), "key"), "always");
	ck_assert(json_is_false(json_object_get(answer, "spares_command")));
	json_decref(answer);
	answer = explain_json(&policy, "exec", "/x");
	ck_assert(json_is_true(json_object_get(answer, "spares_command")));
	ck_assert_str_eq(string_at(json_object_get(answer, "rule"), "key"), "default");
	ck_assert_str_eq(string_at(answer, "allow_with"), "--exec /x");
	json_decref(answer);
	policy_free(&policy);
}
END_TEST

START_TEST(what_is_only_audited_is_told_as_such)
{
	struct policy_source source = help_source();
	struct policy policy;
	json_t *answer;

	source.profile = "permissive";
	policy = help_policy(source, NULL);
	answer = explain_json(&policy, "read", "/x");
	ck_assert_str_eq(string_at(answer, "verdict"), "audited");
	json_decref(answer);
	answer = explain_json(&policy, "read", "/dev/kmsg");
	ck_assert_str_eq(string_at(answer, "verdict"), "denied");
	json_decref(answer);
	policy_free(&policy);
}
END_TEST

/* What allow_with says must be true: the option is tried. */
START_TEST(the_option_that_is_named_does_allow_it)
{
	static const struct {
		unsigned access;
		const char *path, *option;
	} cases[] = {
		{ACCESS_READ, "/w/secret/a", "--read /w/secret/a"},
		{ACCESS_WRITE, "/etc/x y", "--write '/etc/x y'"},
		{ACCESS_READ | ACCESS_WRITE, "/etc/it's", "--write '/etc/it'\\''s'"},
		{ACCESS_EXEC | ACCESS_READ, "/bin/sh", "--exec /bin/sh"},
		{ACCESS_LOOK, "/w/hidden/x", "--read /w/hidden/x"},
		/* names that a rule would read as something else */
		{ACCESS_READ, "/w/secret/*", "--read '/w/secret/*'"},
		{ACCESS_READ, "/w/secret/**/a**b", "--read '/w/secret/*/a*b'"},
		{ACCESS_READ, "/w/secret/${HOME}", "--read '/w/secret/$*{HOME}'"},
	};
	const enum rule_key keys[] = {RULE_READ, RULE_WRITE, RULE_WRITE, RULE_EXEC_ALLOW,
				      RULE_READ, RULE_READ,  RULE_READ,	 RULE_READ};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char named[64] = "";
		const char *quote = strchr(cases[i].option, '\'');
		struct policy_option option = {keys[i], cases[i].path};
		struct policy_source source = help_source();
		struct policy policy = help_policy(source, text);
		struct verdict verdict =
			decide_path(policy.image, cases[i].path, strlen(cases[i].path), cases[i].access);
		char *allow = allow_with_path(policy.image, verdict, cases[i].access, cases[i].path);

		ck_assert(!verdict.allowed);
		ck_assert_str_eq(allow, cases[i].option);
		free(allow);
		policy_free(&policy);
		if (strchr(cases[i].option, '*')) {
			snprintf(named, sizeof named, "%.*s", (int)(strlen(quote) - 2), quote + 1);
			option.value = named;
		}
		source.options = &option;
		source.option_count = 1;
		policy = help_policy(source, text);
		ck_assert(help_allows(&policy, cases[i].access, cases[i].path));
		policy_free(&policy);
	}
}
END_TEST

START_TEST(no_option_is_named_where_none_helps)
{
	struct policy policy = explained();
	struct verdict forbidden = decide_path(policy.image, "/w/never", 8, ACCESS_READ);
	struct verdict allowed = decide_path(policy.image, "/w/x", 4, ACCESS_READ);
	struct verdict always = {false, EPERM, UINT32_MAX - 1};

	ck_assert_ptr_null(allow_with_path(policy.image, forbidden, ACCESS_READ, "/w/never"));
	ck_assert_ptr_null(allow_with_path(policy.image, allowed, ACCESS_READ, "/w/x"));
	ck_assert_ptr_null(allow_with_path(policy.image, always, ACCESS_READ, "/x"));
	policy_free(&policy);
}
END_TEST

/* A name is bytes that end with the address, and a rule's text says only some of them. */
START_TEST(a_socket_with_an_odd_name_is_allowed_by_how_it_begins)
{
	static const struct {
		const char *name;
		size_t length; /* with the NUL before it */
		enum net_use use;
		const char *option, *destination;
	} sockets[] = {
		{"\0a\0b", 4, NET_BIND, "--bind 'unix:@a*'", "unix:@a*"},
		{"\0\0b", 3, NET_CONNECT, "--connect 'unix:@*'", "unix:@*"},
		{"\0x*y", 4, NET_CONNECT, "--connect 'unix:@x*'", "unix:@x*"},
		{"", 0, NET_BIND, "--bind 'unix:@*'", "unix:@*"},
		{"", 0, NET_CONNECT, NULL, NULL},
		{"\0xyz", 4, NET_CONNECT, "--connect unix:@xyz", "unix:@xyz"},
	};

	for (size_t i = 0; i < sizeof(sockets) / sizeof(*sockets); i++) {
		struct sockaddr_un address = {.sun_family = AF_UNIX};
		socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + sockets[i].length);
		struct policy_option option = {sockets[i].use == NET_BIND ? RULE_BIND : RULE_CONNECT,
					       sockets[i].destination};
		struct policy_source source = help_source();
		struct policy policy = help_policy(source, "");
		struct verdict refused = {false, EACCES, RULE_DEFAULT};
		char *allow;

		memcpy(address.sun_path, sockets[i].name, sockets[i].length);
		allow = allow_with_address(policy.image, refused, sockets[i].use, NET_TCP, (struct sockaddr *)&address,
					   length);
		policy_free(&policy);
		if (!sockets[i].option) {
			ck_assert_ptr_null(allow);
			continue;
		}
		ck_assert_str_eq(allow, sockets[i].option);
		free(allow);
		source.options = &option;
		source.option_count = 1;
		policy = help_policy(source, "");
		ck_assert(decide_address(policy.image, sockets[i].use, NET_TCP, (struct sockaddr *)&address, length)
				  .allowed);
		policy_free(&policy);
	}
}
END_TEST

/* A new name that would give more than the old one: what the old one lacks. */
START_TEST(a_link_is_allowed_by_what_its_file_lacks)
{
	static const struct {
		const char *move, *option;
	} moves[] = {
		{"/etc/x -> /w/y", "--write /etc/x"},
		{"/w/x -> /bin/x", "--exec /w/x"},
		{"/etc/a b -> /open/x", "--write '/etc/a b' --exec '/etc/a b'"},
		{"/w/never/x -> /w/y", NULL},
		{"/w/x -> /w/y", NULL},
		{"/etc/x -> /y -> /w/z", NULL},
	};
	struct policy policy =
		help_policy(help_source(), "filesystem: { read = ( \"/\" ); write = ( \"/w\", \"/open\" );\n"
					   " forbid = ( \"/w/never\" ); };\n"
					   "exec: { allow = ( \"/bin\", \"/open\" ); };");

	for (size_t i = 0; i < sizeof(moves) / sizeof(*moves); i++) {
		const char *arrow = strstr(moves[i].move, " -> ");
		struct verdict verdict = decide_move(policy.image, moves[i].move, (size_t)(arrow - moves[i].move),
						     arrow + 4, strlen(arrow + 4), false);
		char *allow = allow_with_move(policy.image, verdict, moves[i].move);

		if (moves[i].option)
			ck_assert_str_eq(allow, moves[i].option);
		else
			ck_assert_ptr_null(allow);
		free(allow);
	}
	policy_free(&policy);
}
END_TEST

START_TEST(every_effective_rule_is_shown_with_its_source)
{
	struct policy policy = explained();
	char *out = NULL;
	size_t length;
	FILE *to = open_memstream(&out, &length);
	json_t *shown;

	ck_assert_int_eq(policy_show(&policy, to, false), 0);
	fclose(to);
	for (uint32_t i = 0; i < image_rule_count(policy.image); i++)
		ck_assert_ptr_nonnull(strstr(out, image_rule(policy.image, i).value));
	ck_assert_ptr_nonnull(strstr(out, policy_digest(&policy)));
	ck_assert_ptr_nonnull(
		strstr(out, "\nfilesystem.forbid\n    /w/never                                      policy.conf:2\n"));
	free(out);
	to = open_memstream(&out, &length);
	ck_assert_int_eq(policy_show(&policy, to, true), 0);
	fclose(to);
	shown = json_loads(out, 0, NULL);
	ck_assert_uint_eq(json_array_size(json_object_get(shown, "rules")), image_rule_count(policy.image));
	ck_assert_str_eq(string_at(json_array_get(json_object_get(shown, "rules"), 0), "layer"), "file");
	ck_assert_str_eq(string_at(shown, "on_violation"), "deny");
	json_decref(shown);
	free(out);
	policy_free(&policy);
}
END_TEST

START_TEST(no_exec_at_all_is_shown)
{
	struct policy policy = help_policy(help_source(), "exec: { allow = (); };");
	char *out = NULL;
	size_t length;
	FILE *to = open_memstream(&out, &length);

	ck_assert_int_eq(policy_show(&policy, to, false), 0);
	fclose(to);
	ck_assert_ptr_nonnull(strstr(out, "exec.allow = ()"));
	free(out);
	policy_free(&policy);
}
END_TEST

START_TEST(a_full_disk_is_told)
{
	struct policy policy = explained();
	FILE *full = fopen("/dev/full", "w");
	char *why;

	ck_assert_ptr_nonnull(full);
	ck_assert_int_eq(policy_show(&policy, full, false), -EIO);
	ck_assert_int_eq(policy_explain(&policy, "read", "/x", full, false, &why), -EIO);
	fclose(full);
	policy_free(&policy);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("explain");
	TCase *all = tcase_create("explain");

	tcase_add_checked_fixture(all, help_setup, help_teardown);
	tcase_add_loop_test(all, an_explanation_gives_the_verdict_the_rule_what_it_beat_and_what_would_allow_it, 0,
			    sizeof(explanations) / sizeof(*explanations));
	tcase_add_test(all, an_explanation_in_json_has_the_same);
	tcase_add_test(all, what_is_only_audited_is_told_as_such);
	tcase_add_test(all, the_option_that_is_named_does_allow_it);
	tcase_add_test(all, no_option_is_named_where_none_helps);
	tcase_add_test(all, a_socket_with_an_odd_name_is_allowed_by_how_it_begins);
	tcase_add_test(all, a_link_is_allowed_by_what_its_file_lacks);
	tcase_add_test(all, every_effective_rule_is_shown_with_its_source);
	tcase_add_test(all, no_exec_at_all_is_shown);
	tcase_add_test(all, a_full_disk_is_told);
	suite_add_tcase(suite, all);
	return help_run(suite);
}
