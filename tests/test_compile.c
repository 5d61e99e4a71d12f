/* SPDX-License-Identifier: MIT */
/* test_compile.c - what a policy file may say, what it may not, and how it is told. */
#include <errno.h>
#include <signal.h>

#include "limit_names.h"
#include "policy_help.h"

/* Texts with one fault each, and the sentence about it. */
static const struct {
	const char *text, *says;
} faults[] = {
	/* keys and types */
	{"filesystem: { reed = (); };",
	 "policy.conf:1:15: unknown key \"reed\" in filesystem (did you mean \"read\"?)"},
	{"\n\n  filesytem: { };", "policy.conf:3:3: unknown key \"filesytem\" (did you mean \"filesystem\"?)"},
	{"xyzzy = 1;",
	 "policy.conf:1:1: unknown key \"xyzzy\" (known are profile, on_violation, filesystem, exec, network, "
	 "environment, limits, launch)"},
	{"write = ( \"/a\" );", "policy.conf:1:1: unknown key \"write\" (it belongs into filesystem: { ... };)"},
	{"network: { listen = (); };", "policy.conf:1:12: unknown key \"listen\" in network (known are connect, bind)"},
	{"exec = ( \"/bin\" );", "policy.conf:1:1: exec must be a group in braces, not a list"},
	{"filesystem = 5;", "policy.conf:1:1: filesystem must be a group in braces, not a number"},
	{"filesystem: { read = \"/usr\"; };",
	 "policy.conf:1:15: filesystem.read must be a list of texts in double quotes, such "
	 "as ( \"/usr\" ), not text"},
	{"network: { bind = true; };",
	 "policy.conf:1:12: network.bind must be a list of texts in double quotes, such as ( "
	 "\"127.0.0.1:8080\" ), not true or false"},
	{"environment: { keep = { }; };",
	 "policy.conf:1:16: environment.keep must be a list of texts in double quotes, such "
	 "as ( \"PATH\" ), not a group"},
	{"filesystem: { read = ( \"/a\", 5 ); };",
	 "policy.conf:1: filesystem.read holds a number (each entry is text in double "
	 "quotes)"},
	{"filesystem: { read = ( ( \"/a\" ) ); };",
	 "policy.conf:1: filesystem.read holds a list (each entry is text in double "
	 "quotes)"},
	{"profile = 1;", "policy.conf:1:1: profile must be a name in double quotes, not a number"},
	{"profile = \"strickt\";",
	 "policy.conf:1:11: unknown profile \"strickt\" (did you mean \"strict\"? there are workstation, "
	 "strict, permissive, none)"},
	{"profile = \"x\";",
	 "policy.conf:1:11: unknown profile \"x\" (there are workstation, strict, permissive, none)"},
	{"on_violation = \"shout\";",
	 "policy.conf:1:16: on_violation is \"shout\" (write \"deny\", \"kill\" or \"audit\")"},
	{"on_violation = 1.5;",
	 "policy.conf:1:1: on_violation must be \"deny\", \"kill\" or \"audit\", not a number with a "
	 "fraction"},
	/* the text */
	{"filesystem: { read = ( \"/a\" ); }; filesystem: { };",
	 "policy.conf:1: a key that is already there (write each key "
	 "once, with all that belongs to it)"},
	{"filesystem: {\n read = ( \"/a\" )\n write = ( ;",
	 "policy.conf:3: syntax error (look for a missing \";\", comma, quote "
	 "or bracket here or on the line before)"},
	{"filesystem: { read = [ \"/a\", 1 ]; };",
	 "policy.conf:1: an array of different types (each entry is text in double "
	 "quotes)"},
	{"filesystem: { read = ( \"/a\"\n  \"/b\" ); };",
	 "policy.conf:2:3: two strings with no comma between them would be taken "
	 "as one (put a comma before this one)"},
	{"profile = \"strict", "policy.conf:1:11: this string has no end (close it with a \")"},
	{"# fine\n /* not fine", "policy.conf:2:2: this comment has no end (close it with */)"},
	{"filesystem: { read = ( \"/a\\x00b\" ); };",
	 "policy.conf:1:27: \\x00 in a string (no path or name can hold a NUL byte)"},
	{"x @include \"y\"",
	 "policy.conf:1:3: unexpected \"@\" (to include a file, write @include \"FILE\" on a line of its own)"},
	{"@include y", "policy.conf:1:1: @include needs a file's name in double quotes"},
	{"@include \"y", "policy.conf:1:1: @include needs a file's name in double quotes"},
	{"@include \"/etc/passwd\"",
	 "policy.conf:1:1: @include of an absolute path (name the file relative to the policy file's "
	 "directory)"},
	{"\n@include \"missing.conf\"",
	 "policy.conf:2:1: cannot include \"missing.conf\": No such file or directory (check the "
	 "file's name)"},
	{"@include \".\"", "policy.conf:1:1: cannot include \".\": Is a directory (name a file in it)"},
	{"@include \"policy.conf\"",
	 "policy.conf:1:1: too many includes (at most 256 files, 10 deep; does a file include "
	 "itself?)"},
	/* paths */
	{"filesystem: { read = ( \"src\" ); };",
	 "policy.conf:1:24: filesystem.read \"src\": not an absolute path (begin it with /, "
	 "~/ or ${WORKDIR}/)"},
	{"exec: { allow = ( \"$HOME/x\" ); };",
	 "policy.conf:1:19: exec.allow \"$HOME/x\": not an absolute path (a variable is "
	 "written ${NAME})"},
	{"exec: { deny = ( \"\" ); };", "policy.conf:1:18: exec.deny \"\": an empty path (name a file or directory)"},
	{"filesystem: { hide = ( \"~root\" ); };",
	 "policy.conf:1:24: filesystem.hide \"~root\": \"~\" stands for your own home "
	 "directory only (write another user's as an absolute path)"},
	{"filesystem: { deny = ( \"${WORKDIRS}\" ); };",
	 "policy.conf:1:24: filesystem.deny \"${WORKDIRS}\": unknown variable "
	 "${WORKDIRS} (did you mean ${WORKDIR}?)"},
	{"filesystem: { deny = ( \"${PWD}\" ); };",
	 "policy.conf:1:24: filesystem.deny \"${PWD}\": unknown variable ${PWD} (known "
	 "are ${WORKDIR}, ${HOME}, ${TMPDIR} and ${XDG_RUNTIME_DIR})"},
	{"filesystem: { deny = ( \"/a/${HOME\" ); };",
	 "policy.conf:1:24: filesystem.deny \"/a/${HOME\": \"${\" without a closing "
	 "\"}\""},
	{"filesystem: { deny = ( \"${XDG_RUNTIME_DIR}\" ); };",
	 "policy.conf:1:24: filesystem.deny \"${XDG_RUNTIME_DIR}\": "
	 "${XDG_RUNTIME_DIR} is not set (set XDG_RUNTIME_DIR, or "
	 "write the path in full)"},
	{"filesystem: { read = ( \"/a/b**\" ); };",
	 "policy.conf:1:24: filesystem.read \"/a/b**\": \"**\" stands only for whole "
	 "components: \"b**\" is none (write /**/ or a single *)"},
	{"filesystem: { read = ( \"/a/*/../b\" ); };",
	 "policy.conf:1:24: filesystem.read \"/a/*/../b\": \"..\" after a \"*\" (write "
	 "the pattern without it)"},
	/* rules that take no effect */
	{"filesystem: { read = ( \"/a\",\n \"/a//\" ); };", "policy.conf:2:2: filesystem.read has \"/a//\" already, at "
							    "policy.conf:1 (remove one)"},
	{"network: { connect = ( \"*\", \"*\" ); };",
	 "policy.conf:1:29: network.connect has \"*\" already, at policy.conf:1 (remove "
	 "one)"},
	{"filesystem: { read = ( \"/a/b\" ); forbid = ( \"/a\" ); };",
	 "policy.conf:1:24: filesystem.read \"/a/b\" can never take "
	 "effect: filesystem.forbid \"/a\" at policy.conf:1 "
	 "forbids it (remove one)"},
	{"filesystem: { write = ( \"/a/x/b/c\" ); forbid = ( \"/a/**/b\" ); };",
	 "policy.conf:1:25: filesystem.write \"/a/x/b/c\" can "
	 "never take effect: filesystem.forbid \"/a/**/b\" "
	 "at policy.conf:1 forbids it (remove one)"},
	{"filesystem: { forbid = ( \"/\" ); }; exec: { deny = ( \"/a/*\" ); };",
	 "policy.conf:1:53: exec.deny \"/a/*\" can never take "
	 "effect: filesystem.forbid \"/\" at "
	 "policy.conf:1 forbids it (remove one)"},
	{"filesystem: { forbid = ( \"/a\" ); }; network: { connect = ( \"unix:/a/s\", \"unix:/b\" ); };",
	 "policy.conf:1:60: network.connect \"unix:/a/s\" can never take "
	 "effect: filesystem.forbid \"/a\" at "
	 "policy.conf:1 forbids it (remove one)"},
	{"filesystem: { write = ( \"/a\" ); read_only = ( \"/a\" ); };",
	 "policy.conf:1:25: filesystem.write \"/a\" can never take "
	 "effect: filesystem.read_only \"/a\" at policy.conf:1 "
	 "says otherwise of the same (remove one)"},
	{"filesystem: { deny = ( \"/a\" ); hide = ( \"/a\" ); };",
	 "policy.conf:1:24: filesystem.deny \"/a\" can never take effect: "
	 "filesystem.hide \"/a\" at policy.conf:1 says otherwise of "
	 "the same (remove one)"},
	{"exec: { allow = ( \"/a\" ); deny = ( \"/a\" ); };",
	 "policy.conf:1:19: exec.allow \"/a\" can never take effect: exec.deny "
	 "\"/a\" at policy.conf:1 says otherwise of the same (remove "
	 "one)"},
	{"environment: { keep = ( \"A\" ); remove = ( \"A\" ); };",
	 "policy.conf:1:25: environment.keep \"A\" can never take effect: "
	 "environment.remove \"A\" at policy.conf:1 says otherwise "
	 "of the same (remove one)"},
	{"profile = \"workstation\"; filesystem: { deny = (); };",
	 "policy.conf:1:40: filesystem.deny: an empty list takes away what "
	 "a profile allows, never what it refuses (remove it)"},
	/* environment */
	{"environment: { keep = ( \"A=b\" ); };",
	 "policy.conf:1:25: environment.keep \"A=b\": a name without a value belongs here "
	 "(to set one: environment: { set: { NAME = \"value\"; }; })"},
	{"environment: { remove = ( \"$A\" ); };",
	 "policy.conf:1:27: environment.remove \"$A\": not the name of a variable (write it "
	 "as PATH or LC_*)"},
	{"environment: { keep = ( \"\" ); };",
	 "policy.conf:1:25: environment.keep \"\": an empty name (name a variable, such as "
	 "PATH or LC_*)"},
	{"environment: { set: { A-B = \"1\"; }; };",
	 "policy.conf:1:23: environment.set \"A-B\": not the name of a variable (letters, "
	 "digits and _ make one)"},
	{"environment: { set: { A* = \"1\"; }; };",
	 "policy.conf:1:23: environment.set \"A*\": not the name of a variable (letters, "
	 "digits and _ make one)"},
	{"environment: { set: { A = 1; }; };",
	 "policy.conf:1:23: environment.set.A must be text in double quotes, not a number"},
	{"environment: { set = ( \"A=1\" ); };",
	 "policy.conf:1:16: environment.set must be a group, such as { HOME = \"/tmp\"; }, not "
	 "a list"},
	{"environment: { set: { A = \"${NOPE}\"; }; };",
	 "policy.conf:1:23: environment.set \"A\": unknown variable ${NOPE} (known "
	 "are ${WORKDIR}, ${HOME}, ${TMPDIR} and ${XDG_RUNTIME_DIR})"},
	/* limits */
	{"limits: { open_file = 1; };",
	 "policy.conf:1:11: unknown key \"open_file\" in limits (did you mean \"open_files\"?)"},
	{"limits: { open_files = \"1\"; };",
	 "policy.conf:1:11: limits.open_files must be a whole number, not text (0 is no limit)"},
	{"limits: { open_files = true; };",
	 "policy.conf:1:11: limits.open_files must be a whole number, not true or false (0 is no "
	 "limit)"},
	{"limits: { open_files = 1.0; };",
	 "policy.conf:1:11: limits.open_files must be a whole number, not a number with a fraction "
	 "(0 is no limit)"},
	{"limits: { open_files = -1; };", "policy.conf:1:11: limits.open_files is negative (0 is no limit)"},
	{"limits: { open_files = -1L; };", "policy.conf:1:11: limits.open_files is negative (0 is no limit)"},
	{"limits: { wall_time_ms = 9223372036854775807L; };",
	 "policy.conf:1:11: limits.wall_time_ms is too large (at most "
	 "9223372036854; 0 is no limit)"},
	{"limits: { output_bytes = 3000000000; };",
	 "policy.conf:1:26: the number 3000000000 needs an L at its end, being larger than "
	 "2147483647 (write 3000000000L)"},
	{"limits: { output_bytes = 99999999999999999999L; };",
	 "policy.conf:1:26: the number 99999999999999999999 is too large (at "
	 "most 9223372036854775807)"},
	{"limits: { output_bytes = 0xff; };", "policy.conf:1:26: a hexadecimal number (write it in decimal)"},
};

START_TEST(a_fault_is_told_with_its_place_and_what_to_do)
{
	struct policy_source source = help_source();
	struct policy policy;
	char *errors = help_compile(&source, faults[_i].text, &policy);

	ck_assert_str_eq(errors, faults[_i].says);
	ck_assert_ptr_null(policy.image);
	free(errors);
}
END_TEST

START_TEST(all_faults_are_told_in_the_order_of_the_text)
{
	struct policy_source source = help_source();
	struct policy policy;
	char *errors = help_compile(&source,
				    "filesystem: {\n  write = ( \"/b/c\", \"b\" );\n  forbid = ( \"/b\" );\n"
				    "  deny = ( \"c\",\n \"d\" );\n};\nlimits: { x = 1; };\n",
				    &policy);
	unsigned last = 0, count = 0;

	for (char *line = strtok(errors, "\n"); line; line = strtok(NULL, "\n"), count++) {
		unsigned number = 0;

		ck_assert_int_eq(sscanf(line, "policy.conf:%u:", &number), 1);
		ck_assert_uint_ge(number, last);
		last = number;
	}
	ck_assert_uint_eq(count, 5);
	free(errors);
}
END_TEST

START_TEST(a_fault_in_an_included_file_names_that_file)
{
	const char *paths = "\nread = ( \"/a\", \"b\" );\n";
	const char *text = "filesystem: {\n@include \"paths.conf\"\n deny = ( \"c\" ); };";
	struct policy_source source = help_source();
	struct policy policy;
	char *errors;

	ck_assert_int_eq(mkdir("sub", 0755), 0);
	help_write("sub/paths.conf", paths, strlen(paths));
	help_write("sub/policy.conf", text, strlen(text));
	source.file = "sub/policy.conf";
	errors = help_compile(&source, NULL, &policy);
	ck_assert_str_eq(errors,
			 "sub/policy.conf:3:11: filesystem.deny \"c\": not an absolute path (begin it with /, ~/ or "
			 "${WORKDIR}/)\nsub/paths.conf:2:16: filesystem.read \"b\": not an absolute path (begin it "
			 "with /, ~/ or ${WORKDIR}/)");
	free(errors);
}
END_TEST

START_TEST(an_included_file_counts_as_if_it_stood_there)
{
	struct policy policy;

	help_write("paths.conf", "read = ( \"/a\" );", 16);
	policy = help_policy(help_source(), "filesystem: {\n@include \"paths.conf\"\n write = ( \"/b\" ); };");
	ck_assert(help_allows(&policy, ACCESS_READ, "/a/x"));
	ck_assert(help_allows(&policy, ACCESS_WRITE, "/b"));
	ck_assert_str_eq(image_rule(policy.image, 0).source, "paths.conf:1");
	ck_assert_str_eq(image_rule(policy.image, 1).source, "policy.conf:3");
	policy_free(&policy);
}
END_TEST

static void check_file(const char *file, const char *says)
{
	struct policy_source source = help_source();
	struct policy policy;
	char *errors;

	source.file = file;
	errors = help_compile(&source, NULL, &policy);
	ck_assert_str_eq(errors, says);
	free(errors);
}

START_TEST(a_file_that_cannot_be_read_is_told)
{
	int fd = open("huge.conf", O_CREAT | O_WRONLY, 0644);

	ck_assert_int_eq(ftruncate(fd, (16 << 20) + 1), 0);
	close(fd);
	help_write("nul.conf", "a\n b\0c", 6);
	help_write("secret.conf", "", 0);
	ck_assert_int_eq(chmod("secret.conf", 0), 0);
	check_file("missing.conf",
		   "missing.conf: cannot read the policy: No such file or directory (check the file's name)");
	check_file("nul.conf/x", "nul.conf/x: cannot read the policy: Not a directory (check the file's name)");
	check_file("/", "/: cannot read the policy: Is a directory (name a file in it)");
	check_file("huge.conf", "huge.conf: the policy is larger than 16 MiB (is this the right file?)");
	check_file("nul.conf", "nul.conf:2:3: a NUL byte (a policy is text; is this the right file?)");
	if (!geteuid())
		ck_assert_int_eq(seteuid(65534), 0);
	check_file("secret.conf", "secret.conf: cannot read the policy: Permission denied (check its permissions)");
	if (!getuid())
		ck_assert_int_eq(seteuid(0), 0);
}
END_TEST

START_TEST(an_empty_policy_denies_everything)
{
	static const char *const texts[] = {"", "\n", "# nothing", "/* */ // x", "filesystem: { };", "\xef\xbb\xbf"};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct policy policy = help_policy(help_source(), texts[i]);

		ck_assert(!help_allows(&policy, ACCESS_READ, "/"));
		ck_assert(!help_allows(&policy, ACCESS_WRITE, "/w/x"));
		ck_assert(!help_allows(&policy, ACCESS_EXEC, "/bin/sh"));
		ck_assert(help_allows(&policy, ACCESS_LOOK, "/bin/sh"));
		ck_assert(!decide_any_internet(policy.image, NET_CONNECT));
		policy_free(&policy);
	}
}
END_TEST

START_TEST(every_key_of_the_grammar_does_its_work)
{
	struct policy policy = help_policy(
		help_source(), "on_violation = \"kill\";\n"
			       "filesystem: { read = [ \"/usr\", \"${TMPDIR}\" ]; write = ( \"${WORKDIR}\" );\n"
			       " read_only = ( \"${WORKDIR}/.git\" ); deny = ( \"~/private\" ); hide = ( \"~/.x\" ); "
			       "forbid = ( \"/w/f\" ); };\n"
			       "exec: { allow = ( \"/usr/bin\" ); deny = ( \"/usr/bin/sudo\" ); };\n"
			       "limits = { wall_time_ms = 5L, open_files = 6; output_bytes = 3000000000L };");
	struct policy_limits limits = image_limits(policy.image);

	ck_assert(help_allows(&policy, ACCESS_READ, "/usr/lib/x") && help_allows(&policy, ACCESS_READ, "/t/x"));
	ck_assert(!help_allows(&policy, ACCESS_WRITE, "/usr/lib/x"));
	ck_assert(help_allows(&policy, ACCESS_WRITE, "/w/x") && !help_allows(&policy, ACCESS_WRITE, "/w/.git/x"));
	ck_assert(help_allows(&policy, ACCESS_READ, "/w/.git/x") && !help_allows(&policy, ACCESS_READ, "/w/f/x"));
	ck_assert(!help_allows(&policy, ACCESS_LOOK, "/home/u/.x/y") &&
		  help_allows(&policy, ACCESS_LOOK, "/home/u/private"));
	ck_assert(help_allows(&policy, ACCESS_EXEC, "/usr/bin/ls") &&
		  !help_allows(&policy, ACCESS_EXEC, "/usr/bin/sudo"));
	ck_assert_int_eq(image_on_violation(policy.image), ON_VIOLATION_KILL);
	ck_assert_uint_eq(limits.wall_time_ms, 5);
	ck_assert_uint_eq(limits.open_files, 6);
	ck_assert_uint_eq(limits.output_bytes, 3000000000u);
	ck_assert_int_eq(strncmp(policy_digest(&policy), "sha256:", 7), 0);
	ck_assert_uint_eq(strlen(policy_digest(&policy)), 71);
	policy_free(&policy);
}
END_TEST

START_TEST(the_same_text_has_the_same_digest)
{
	struct policy one = help_policy(help_source(), "filesystem: { read = ( \"/a\" ); };");
	struct policy same = help_policy(help_source(), "filesystem: { read = ( \"/a\" ); };");
	struct policy other = help_policy(help_source(), "filesystem: { read = ( \"/b\" ); };");

	ck_assert_str_eq(policy_digest(&one), policy_digest(&same));
	ck_assert_str_ne(policy_digest(&one), policy_digest(&other));
	policy_free(&one);
	policy_free(&same);
	policy_free(&other);
}
END_TEST

START_TEST(every_limit_is_known_and_an_option_takes_its_place)
{
	for (unsigned i = 0; limit_names[i].name; i++) {
		struct policy_source source = help_source();
		struct policy policy;
		char line[128];

		snprintf(line, sizeof(line), "limits: { %s = 7L; };", limit_names[i].name);
		policy = help_policy(source, line);
		struct policy_limits limits = image_limits(policy.image);
		ck_assert_uint_eq(*limit_value(&limits, &limit_names[i]), 7);
		policy_free(&policy);

		source.limits_given = 1u << i;
		*limit_value(&source.limits, &limit_names[i]) = 0;
		policy = help_policy(source, line);
		limits = image_limits(policy.image);
		ck_assert_uint_eq(*limit_value(&limits, &limit_names[i]), 0);
		policy_free(&policy);
	}
}
END_TEST

/* How many rules: what a build or a generator may come to. */
START_TEST(many_rules_are_compiled)
{
	enum { MANY = 20000 };
	char *text = malloc(MANY * 24 + 64), *to = text;
	struct policy policy;

	to += sprintf(to, "filesystem: { read = (");
	for (int i = 0; i < MANY; i++)
		to += sprintf(to, "%s \"/many/d%d\"", i ? ",\n" : "", i);
	sprintf(to, "); };");
	policy = help_policy(help_source(), text);
	ck_assert(help_allows(&policy, ACCESS_READ, "/many/d19999/x"));
	ck_assert_str_eq(image_rule(policy.image, 19999).source, "policy.conf:20000");
	policy_free(&policy);
	free(text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("compile");
	TCase *texts = tcase_create("texts"), *files = tcase_create("files");

	tcase_add_checked_fixture(texts, help_setup, help_teardown);
	tcase_add_loop_test(texts, a_fault_is_told_with_its_place_and_what_to_do, 0, sizeof(faults) / sizeof(*faults));
	tcase_add_test(texts, all_faults_are_told_in_the_order_of_the_text);
	tcase_add_test(texts, an_empty_policy_denies_everything);
	tcase_add_test(texts, every_key_of_the_grammar_does_its_work);
	tcase_add_test(texts, the_same_text_has_the_same_digest);
	tcase_add_test(texts, every_limit_is_known_and_an_option_takes_its_place);
	tcase_add_test(texts, many_rules_are_compiled);
	tcase_add_checked_fixture(files, help_setup, help_teardown);
	tcase_add_test(files, a_fault_in_an_included_file_names_that_file);
	tcase_add_test(files, an_included_file_counts_as_if_it_stood_there);
	tcase_add_test(files, a_file_that_cannot_be_read_is_told);
	suite_add_tcase(suite, texts);
	suite_add_tcase(suite, files);
	return help_run(suite);
}
