/* SPDX-License-Identifier: MIT */
/*
 * test_cli.c - command lines and what they are taken for; the tables of
 * options; help.
 */
#include "cli.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "help.h"

enum { MAX_WORDS = 40 };

/* A command line in one string, split at spaces and changed by no test. */
struct line {
	char text[1024];
	char *argv[MAX_WORDS + 1];
	int argc;
	struct cli cli;
	char error[CLI_ERROR_SIZE];
	int result;
};

static void parse(struct line *line, const char *words)
{
	memset(line, 0, sizeof(*line));
	snprintf(line->text, sizeof(line->text), "picket %s", words);
	for (char *word = strtok(line->text, " "); word != NULL && line->argc < MAX_WORDS; word = strtok(NULL, " "))
		line->argv[line->argc++] = strcmp(word, "''") == 0 ? (char *)"" : word;
	line->result = cli_parse(line->argc, line->argv, &line->cli, line->error);
	ck_assert_int_eq(line->result != 0, line->error[0] != '\0');
	ck_assert(strchr(line->error, '\n') == NULL);
}

/* Parse what must be fine. */
static void parse_well(struct line *line, const char *words)
{
	parse(line, words);
	ck_assert_msg(line->result == 0, "%s: %s", words, line->error);
}

START_TEST(run_takes_everything_it_was_asked)
{
	struct line line;
	parse_well(&line,
		   "run -p a.conf --profile=strict --chdir / -r out.json --capture --enforce seccomp "
		   "--require=ptrace --on-violation kill --timeout 1.5 --fail-on-violation --label a=b --label c= "
		   "--tool-id T --trace-id=X --request-id= -v -- tool -q --read x");
	const struct job *job = &line.cli.job;
	ck_assert_int_eq(line.cli.command->id, COMMAND_RUN);
	ck_assert_str_eq(job->policy.file, "a.conf");
	ck_assert_str_eq(job->policy.profile, "strict");
	ck_assert_str_eq(job->policy.workdir, "/");
	ck_assert_str_eq(job->policy.on_violation, "kill");
	ck_assert_str_eq(job->cwd, "/");
	ck_assert_str_eq(job->result_file, "out.json");
	ck_assert_int_eq(job->result_fd, -1);
	ck_assert(job->capture && job->fail_on_violation && job->verbose && !job->quiet);
	ck_assert(job->level.exactly && job->level.enforce == LEVEL_SECCOMP);
	ck_assert(job->level.at_least && job->level.require == LEVEL_PTRACE);
	ck_assert_uint_eq(job->timeout_ns, 1500000000);
	ck_assert_str_eq(job->labels[0], "a=b");
	ck_assert_str_eq(job->labels[1], "c=");
	ck_assert_ptr_null(job->labels[2]);
	ck_assert_str_eq(job->tool_id, "T");
	ck_assert_str_eq(job->trace_id, "X");
	ck_assert_str_eq(job->request_id, "");
	ck_assert_str_eq(job->command[0], "tool");
	ck_assert_str_eq(job->command[1], "-q");
	ck_assert_str_eq(job->command[3], "x");
	ck_assert_ptr_null(job->command[4]);
	ck_assert_uint_eq(job->policy.option_count, 0);
	cli_free(&line.cli);
}
END_TEST

START_TEST(run_without_options_has_defaults)
{
	struct line line;
	char here[PATH_MAX];
	parse_well(&line, "run tool");
	const struct job *job = &line.cli.job;
	ck_assert_ptr_nonnull(getcwd(here, sizeof(here)));
	ck_assert_str_eq(job->cwd, here);
	ck_assert_str_eq(job->policy.workdir, here);
	ck_assert_ptr_null(job->policy.file);
	ck_assert_ptr_null(job->policy.profile);
	ck_assert_ptr_null(job->policy.on_violation);
	ck_assert_ptr_null(job->result_file);
	ck_assert_int_eq(job->result_fd, -1);
	ck_assert(!job->capture && !job->quiet && !job->verbose && !job->fail_on_violation);
	ck_assert(!job->level.exactly && !job->level.at_least);
	ck_assert_uint_eq(job->timeout_ns, 0);
	ck_assert_ptr_null(job->labels[0]);
	cli_free(&line.cli);
}
END_TEST

static const struct {
	const char *words;
	enum rule_key key;
	const char *value;
} rules[] = {
	{"--read a", RULE_READ, "a"},		{"--write=a", RULE_WRITE, "a"},
	{"--deny a", RULE_DENY, "a"},		{"--hide a", RULE_HIDE, "a"},
	{"--forbid a", RULE_FORBID, "a"},	{"--read-only a", RULE_READ_ONLY, "a"},
	{"--exec a", RULE_EXEC_ALLOW, "a"},	{"--no-exec", RULE_EXEC_ALLOW, NULL},
	{"--connect a:1", RULE_CONNECT, "a:1"}, {"--bind=a:1", RULE_BIND, "a:1"},
	{"--env A", RULE_ENV_KEEP, "A"},	{"--env A=b=c", RULE_ENV_SET, "A=b=c"},
	{"--env=A=", RULE_ENV_SET, "A="},	{"--read=--write", RULE_READ, "--write"},
	{"--read -", RULE_READ, "-"},		{"--read=", RULE_READ, ""},
};

START_TEST(rules_are_handed_on_as_written)
{
	static const char *const forms[] = {"run %s tool", "policy show %s", "explain %s read /x",
					    "explain read /x %s"};
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		char words[128];
		struct line line;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(words, sizeof(words), forms[i], rules[_i].words);
#pragma GCC diagnostic pop
		parse_well(&line, words);
		ck_assert_uint_eq(line.cli.job.policy.option_count, 1);
		ck_assert_int_eq(line.cli.job.policy.options[0].key, rules[_i].key);
		ck_assert_pstr_eq(line.cli.job.policy.options[0].value, rules[_i].value);
		cli_free(&line.cli);
	}
}
END_TEST

START_TEST(rules_keep_their_order)
{
	struct line line;
	parse_well(&line, "run --read a --deny b --no-exec --read c x");
	ck_assert_uint_eq(line.cli.job.policy.option_count, 4);
	ck_assert_str_eq(line.cli.job.policy.options[1].value, "b");
	ck_assert_str_eq(line.cli.job.policy.options[3].value, "c");
	cli_free(&line.cli);
}
END_TEST

static const struct {
	const char *words, *error; /* the error, or how it begins */
} wrong[] = {
	{"", "no command given"},
	{"rum", "unknown command \"rum\" (did you mean \"run\"?)"},
	{"policy", "\"policy\" needs a second word"},
	{"policy chekc x", "unknown command \"policy chekc\" (did you mean \"check\"?)"},
	{"policyshow", "unknown command \"policyshow\""},
	{"-q run x", "\"-q\" stands before the command"},
	{"run", "something is missing; usage: picket run [options] -- COMMAND [ARG...]"},
	{"run --", "something is missing"},
	{"run -q", "something is missing"},
	{"run --timout 3 x", "unknown option \"--timout\" (did you mean \"--timeout\"?); see \"picket help run\""},
	{"run --zzzzzzzz x", "unknown option \"--zzzzzzzz\"; see"},
	{"run -x x", "unknown option \"-x\""},
	{"run -qx x", "unknown option \"-x\""},
	{"run --json x", "--json is an option of probe, not of run"},
	{"run --quiet=yes x", "--quiet takes no value"},
	{"run --policy", "--policy needs a value: FILE"},
	{"run -p", "--policy needs a value: FILE"},
	{"run --policy -- ls", "--policy needs a value: FILE"},
	{"run --read --write x", "--read needs a value: PATH (if \"--write\" is meant: --read=--write)"},
	{"run -p a -p b x", "--policy was given twice"},
	{"run --timeout 1 --timeout=1 x", "--timeout was given twice"},
	{"run --capture x", "--capture puts the output into the result: it needs --result or --result-fd"},
	{"run --timeout -1 x", "--timeout takes seconds"},
	{"run --timeout 1S x", "--timeout takes seconds"},
	{"run --timeout 1K x", "--timeout takes seconds"},
	{"run --timeout . x", "--timeout takes seconds"},
	{"run --timeout= x", "--timeout takes seconds"},
	{"run --timeout 1e3 x", "--timeout takes seconds"},
	{"run --timeout nan x", "--timeout takes seconds"},
	{"run --timeout 0x10 x", "--timeout takes seconds"},
	{"run --timeout 99999999999999999999 x", "--timeout 99999999999999999999 is too large"},
	{"run --timeout 99999999999h x", "--timeout 99999999999h is too large"},
	{"run --cpu -1 x", "--cpu takes seconds"},
	{"run --memory 1Q x", "--memory takes bytes"},
	{"run --memory -1 x", "--memory takes bytes"},
	{"run --memory K x", "--memory takes bytes"},
	{"run --memory 9999999T x", "--memory 9999999T is too large; 0 is no limit"},
	{"run --memory 99999999999999999999 x", "--memory 99999999999999999999 is too large"},
	{"run --processes 1.5 x", "--processes takes a whole number"},
	{"run --processes 4K x", "--processes takes a whole number"},
	{"run --processes 4294967296 x", "--processes 4294967296 is too large"},
	{"run --cpu-weight 10001 x", "--cpu-weight 10001 is too large"},
	{"run --enforce secomp x", "--enforce is preload, ptrace, seccomp, notify, gate or auto, not \"secomp\" "
				   "(did you mean \"seccomp\"?)"},
	{"run --require auto x", "--require is preload, ptrace, seccomp, notify or gate, not \"auto\""},
	{"run --enforce ptrace --require seccomp x", "--enforce ptrace is below --require seccomp"},
	{"run --on-violation ignore x", "--on-violation is deny, kill or audit, not \"ignore\""},
	{"run --result-fd x x", "--result-fd takes the number"},
	{"run --result-fd 12345 x", "--result-fd 12345: this descriptor is not open"},
	{"run --result-fd 99999999999 x", "--result-fd takes the number"},
	{"run --result-fd -1 x", "--result-fd takes the number"},
	{"run -r a --result-fd 2 x", "--result and --result-fd cannot both be given"},
	{"run -q -v x", "--quiet and --verbose contradict"},
	{"run --label a x", "--label takes KEY=VALUE, not \"a\""},
	{"run --label =a x", "--label takes KEY=VALUE"},
	{"run --label \xff=a x", "--label \"\xff=a\": the key is not valid UTF-8"},
	{"run -C /nonexistent x", "--chdir \"/nonexistent\": No such file or directory"},
	{"run -C /etc/passwd x", "--chdir \"/etc/passwd\": not a directory"},
	{"run -C '' x", "--chdir \"\": No such file or directory"},
	{"probe x", "too many words; usage: picket probe [options]"},
	{"probe --markdown", "--markdown is an option of syscalls, not of probe"},
	{"syscalls --json --markdown", "--json and --markdown cannot both be given"},
	{"explain read", "not all is there; usage: picket explain [options] ACCESS TARGET"},
	{"explain read a b", "too many words"},
	{"policy check", "something is missing; usage: picket policy check FILE"},
	{"policy check a b", "too many words"},
	{"policy show x", "too many words"},
};

START_TEST(a_wrong_line_is_told_in_one_sentence)
{
	struct line line;
	parse(&line, wrong[_i].words);
	ck_assert_int_eq(line.result, -EINVAL);
	ck_assert_msg(strncmp(line.error, wrong[_i].error, strlen(wrong[_i].error)) == 0, "%s: %s", wrong[_i].words,
		      line.error);
	cli_free(&line.cli);
}
END_TEST

static const struct {
	const char *words;
	uint64_t ns;
} timeouts[] = {
	{"1", 1000000000},   {"0.5", 500000000},
	{".5", 500000000},   {"2.", 2000000000},
	{"0.000000001", 1},  {"1.0000000019", 1000000001},
	{"007", 7000000000}, {"999999999.999999999", 999999999999999999},
};

START_TEST(seconds_are_read_to_the_nanosecond)
{
	char words[64];
	struct line line;
	snprintf(words, sizeof(words), "run --timeout %s x", timeouts[_i].words);
	parse_well(&line, words);
	ck_assert_uint_eq(line.cli.job.timeout_ns, timeouts[_i].ns);
	cli_free(&line.cli);
}
END_TEST

/* What a limit's option comes to in the policy. */
static const struct {
	const char *words;
	size_t offset;
	uint64_t value;
} limits[] = {
	{"--memory 512M", offsetof(struct policy_limits, memory_bytes), UINT64_C(512) << 20},
	{"--memory 1.5G", offsetof(struct policy_limits, memory_bytes), UINT64_C(1536) << 20},
	{"--memory 7", offsetof(struct policy_limits, memory_bytes), 7},
	{"--memory 0", offsetof(struct policy_limits, memory_bytes), 0},
	{"--cpu 1.5", offsetof(struct policy_limits, cpu_time_ms), 1500},
	{"--cpu 250ms", offsetof(struct policy_limits, cpu_time_ms), 250},
	{"--cpu 0.1ms", offsetof(struct policy_limits, cpu_time_ms), 1},
	{"--timeout 2m", offsetof(struct policy_limits, wall_time_ms), 120000},
	{"--timeout 1.5h", offsetof(struct policy_limits, wall_time_ms), 5400000},
	{"--timeout 3s", offsetof(struct policy_limits, wall_time_ms), 3000},
	{"--timeout 0", offsetof(struct policy_limits, wall_time_ms), 0},
	{"--processes 64", offsetof(struct policy_limits, processes), 64},
	{"--files=256", offsetof(struct policy_limits, open_files), 256},
	{"--output-bytes 10K", offsetof(struct policy_limits, output_bytes), 10240},
	{"--write-bytes 1T", offsetof(struct policy_limits, write_bytes), UINT64_C(1) << 40},
	{"--cpu-weight 1", offsetof(struct policy_limits, cpu_weight), 1},
};

START_TEST(a_limit_is_read_with_its_unit)
{
	char words[64];
	struct line line;
	snprintf(words, sizeof(words), "run %s x", limits[_i].words);
	parse_well(&line, words);
	const struct policy_source *policy = &line.cli.job.policy;
	ck_assert_uint_eq(*(const uint64_t *)(const void *)((const char *)&policy->limits + limits[_i].offset),
			  limits[_i].value);
	ck_assert_uint_eq(policy->limits_given, 1u << limits[_i].offset / sizeof(uint64_t));
	cli_free(&line.cli);
}
END_TEST

/* Where the options of run end and the command begins. */
static const struct {
	const char *words, *first, *second;
} commands_of_run[] = {
	{"run ls", "ls", NULL},
	{"run ls -l", "ls", "-l"},
	{"run -q ls --policy", "ls", "--policy"},
	{"run ls --help", "ls", "--help"},
	{"run ls --", "ls", "--"},
	{"run -- ls", "ls", NULL},
	{"run -- -odd", "-odd", NULL},
	{"run -- -- x", "--", "x"},
	{"run -q - x", "-", "x"},
	{"run -pfile ls", "ls", NULL},
	{"run -qp file ls", "ls", NULL},
	{"run -- '' x", "", "x"},
};

START_TEST(the_first_other_word_begins_the_command)
{
	struct line line;
	parse_well(&line, commands_of_run[_i].words);
	ck_assert_str_eq(line.cli.job.command[0], commands_of_run[_i].first);
	ck_assert_pstr_eq(line.cli.job.command[1], commands_of_run[_i].second);
	cli_free(&line.cli);
}
END_TEST

START_TEST(options_and_operands_of_other_commands_mix)
{
	struct line line;
	parse_well(&line, "explain read --profile strict --json /x");
	ck_assert_uint_eq(line.cli.operand_count, 2);
	ck_assert_str_eq(line.cli.operands[0], "read");
	ck_assert_str_eq(line.cli.operands[1], "/x");
	ck_assert(line.cli.json);
	cli_free(&line.cli);
	parse_well(&line, "policy check -- --odd");
	ck_assert_str_eq(line.cli.operands[0], "--odd");
	cli_free(&line.cli);
}
END_TEST

START_TEST(a_descriptor_must_be_writable)
{
	struct line line;
	char words[64];
	int reading = open("/dev/null", O_RDONLY), writing = open("/dev/null", O_WRONLY);
	snprintf(words, sizeof(words), "run --result-fd %d x", reading);
	parse(&line, words);
	ck_assert_int_eq(line.result, -EINVAL);
	ck_assert_ptr_nonnull(strstr(line.error, "not open for writing"));
	cli_free(&line.cli);
	snprintf(words, sizeof(words), "run --result-fd=%d x", writing);
	parse_well(&line, words);
	ck_assert_int_eq(line.cli.job.result_fd, writing);
	cli_free(&line.cli);
}
END_TEST

START_TEST(directories_come_from_the_environment_if_absolute)
{
	struct line line;
	setenv("HOME", "/home/u", 1);
	setenv("TMPDIR", "relative", 1);
	setenv("XDG_RUNTIME_DIR", "/run/user/7", 1);
	parse_well(&line, "policy show");
	ck_assert_str_eq(line.cli.job.policy.home, "/home/u");
	ck_assert_ptr_null(line.cli.job.policy.tmpdir);
	ck_assert_str_eq(line.cli.job.policy.runtime_dir, "/run/user/7");
	cli_free(&line.cli);
	setenv("HOME", "relative", 1);
	parse_well(&line, "policy show");
	ck_assert(line.cli.job.policy.home == NULL || line.cli.job.policy.home[0] == '/');
	cli_free(&line.cli);
}
END_TEST

START_TEST(chdir_is_resolved)
{
	struct line line;
	char here[PATH_MAX], link[] = "/tmp/picket-cli-XXXXXX", words[64];
	ck_assert_ptr_nonnull(mkdtemp(link));
	ck_assert_int_eq(rmdir(link), 0);
	ck_assert_int_eq(symlink("/usr", link), 0);
	snprintf(words, sizeof(words), "run -C %s/bin/.. x", link);
	parse(&line, words);
	unlink(link);
	ck_assert_int_eq(line.result, 0);
	ck_assert_str_eq(line.cli.job.cwd, "/usr");
	cli_free(&line.cli);
	ck_assert_int_eq(chdir("/usr"), 0);
	parse_well(&line, "run -C bin x");
	ck_assert_ptr_nonnull(realpath("/usr/bin", here));
	ck_assert_str_eq(line.cli.job.cwd, here);
	cli_free(&line.cli);
}
END_TEST

static const struct {
	const char *words;	    /* from /usr, with HOME=/etc and TMPDIR=/a*b */
	const char *cwd;	    /* or NULL: it is refused, */
	const char *file;	    /* and this is the error; else --policy or --result */
	const char *kept, *written; /* the policy's, or NULL */
} places[] = {
	{"run -C ~ x", "/etc", NULL, NULL, NULL},
	{"run -C ${HOME}/../usr/bin x", "/usr/bin", NULL, NULL, NULL},
	{"run -C ${WORKDIR}/bin x", "/usr/bin", NULL, NULL, NULL},
	{"run -C /etc -r r.json x", "/etc", "r.json", "/usr/r.json", "r.json"}, /* the caller's directory, */
	{"run -C /etc -r ${WORKDIR}/r.json x", "/etc", "/etc/r.json", "/etc/r.json",
	 "${WORKDIR}/r.json"}, /* the tool's */
	{"run -r ~/r.json x", "/usr", "/etc/r.json", "/etc/r.json", "~/r.json"},
	{"run -r ${TMPDIR}/*.json x", "/usr", "/a*b/*.json", "/a*b/*.json", "${TMPDIR}/*.json"},
	{"run -r a~/r.json x", "/usr", "a~/r.json", "/usr/a~/r.json", "a~/r.json"},
	{"run -r /dev/stderr x", "/usr", "/dev/stderr", NULL, NULL},
	{"run -r /dev/full x", "/usr", "/dev/full", NULL, NULL},
	{"explain -r r.json write x", "/usr", "r.json", "/usr/r.json", "r.json"},
	{"policy show -r r.json", "/usr", "r.json", "/usr/r.json", "r.json"},
	{"run -C /etc -p ${WORKDIR}/a.conf x", "/etc", "/usr/a.conf", NULL, NULL},
	{"run -p ~/a.conf x", "/usr", "/etc/a.conf", NULL, NULL},
	{"run -p a.conf x", "/usr", "a.conf", NULL, NULL},
	{"run -p ~bob/a.conf x", NULL, "--policy \"~bob/a.conf\": \"~\" stands for your own home directory only", NULL,
	 NULL},
	{"run -r ${HOM}/r.json x", NULL, "--result \"${HOM}/r.json\": unknown variable ${HOM} (did you mean ${HOME}?)",
	 NULL, NULL},
	{"run -C ${XDG_RUNTIME_DIR} x", NULL, "--chdir \"${XDG_RUNTIME_DIR}\": ${XDG_RUNTIME_DIR} is not set", NULL,
	 NULL},
	{"run -C ~/missing x", NULL, "--chdir \"/etc/missing\": No such file or directory", NULL, NULL},
};

START_TEST(paths_stand_for_what_the_manual_says)
{
	struct line line;
	const struct job *job = &line.cli.job;
	ck_assert_int_eq(chdir("/usr"), 0);
	setenv("HOME", "/etc", 1);
	setenv("TMPDIR", "/a*b", 1);
	unsetenv("XDG_RUNTIME_DIR");
	parse(&line, places[_i].words);
	ck_assert_msg((line.result == 0) == (places[_i].cwd != NULL), "%s: %s", places[_i].words, line.error);
	if (places[_i].cwd == NULL) {
		ck_assert_msg(strncmp(line.error, places[_i].file, strlen(places[_i].file)) == 0, "%s", line.error);
	} else {
		ck_assert_str_eq(job->cwd, places[_i].cwd);
		ck_assert_str_eq(job->policy.workdir, places[_i].cwd);
		ck_assert_pstr_eq(job->result_file != NULL ? job->result_file : job->policy.file, places[_i].file);
		ck_assert_pstr_eq(job->policy.result, places[_i].kept);
		ck_assert_pstr_eq(job->policy.result_written, places[_i].written);
	}
	cli_free(&line.cli);
}
END_TEST

static const struct {
	const char *words;
	bool help, version;
	int command; /* or -1 */
} abouts[] = {
	{"--help", true, false, -1},
	{"-h", true, false, -1},
	{"--version", false, true, -1},
	{"-V", false, true, -1},
	{"run --help", true, false, COMMAND_RUN},
	{"run -q -h --nonsense", true, false, COMMAND_RUN},
	{"policy show -h", true, false, COMMAND_POLICY_SHOW},
	{"policy --help", false, false, COMMAND_HELP},
	{"help", false, false, COMMAND_HELP},
	{"help run", false, false, COMMAND_HELP},
};

START_TEST(help_and_version_can_be_asked_anywhere)
{
	struct line line;
	parse_well(&line, abouts[_i].words);
	ck_assert_int_eq(line.cli.help, abouts[_i].help);
	ck_assert_int_eq(line.cli.version, abouts[_i].version);
	ck_assert_int_eq(line.cli.command != NULL ? (int)line.cli.command->id : -1, abouts[_i].command);
	cli_free(&line.cli);
}
END_TEST

/* Row _i of the table of commands: every option of it is parsed by its own means, and is in its help. */
START_TEST(every_option_is_parsed_and_told)
{
	const struct command *command = &commands[_i];
	const struct option *option;
	bool names[OPTION_COUNT] = {false};
	cleanup_free char *help = NULL;
	size_t size;
	FILE *to = open_memstream(&help, &size);
	help_command(command, to);
	fclose(to);
	ck_assert_int_eq(command->id, _i);
	for (size_t i = 0; (option = command_option(command, i)) != NULL; i++) {
		static const char *const values[] = {"7", "/", "a=b", "seccomp", "audit", "strict"};
		bool taken = option->value == NULL;
		char text[64], words[256];
		ck_assert_msg(!names[option->id], "--%s stands twice in %s", option->name, command->name);
		names[option->id] = true;
		snprintf(text, sizeof(text), "--%s%s%s ", option->name, option->value != NULL ? " " : "",
			 option->value != NULL ? option->value : "");
		ck_assert_msg(strstr(help, text) != NULL, "help of %s lacks %s", command->name, text);
		dup2(STDERR_FILENO, 7);
		for (size_t k = 0; k < 2 * sizeof(values) / sizeof(values[0]) && !taken; k++) {
			struct line line;
			snprintf(words, sizeof(words), "%s --%s=%s%s", command->name, option->name, values[k / 2],
				 k % 2 == 0 ? " a b" : "");
			parse(&line, words);
			/* Fine, or only the number of operands is not. */
			taken = line.result == 0 || strstr(line.error, "usage:") != NULL;
			cli_free(&line.cli);
		}
		ck_assert_msg(taken, "--%s of %s takes no value at all", option->name, command->name);
	}
	ck_assert(names[OPTION_HELP]);
}
END_TEST

START_TEST(no_line_of_help_is_wider_than_a_terminal)
{
	cleanup_free char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);
	help_overview(to);
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		help_command(&commands[i], to);
	fclose(to);
	for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n"))
		ck_assert_msg(strlen(line) <= 120, "%s", line);
}
END_TEST

START_TEST(help_knows_words_of_commands)
{
	FILE *to = fopen("/dev/null", "w");
	char *run[] = {(char *)"run"}, *policy[] = {(char *)"policy", (char *)"show"}, *no[] = {(char *)"pol"};
	char *more[] = {(char *)"run", (char *)"x"};
	ck_assert_int_eq(help_words(run, 1, to), 0);
	ck_assert_int_eq(help_words(policy, 1, to), 0);
	ck_assert_int_eq(help_words(policy, 2, to), 0);
	ck_assert_int_eq(help_words(run, 0, to), 0);
	ck_assert_int_eq(help_words(no, 1, to), -ENOENT);
	ck_assert_int_eq(help_words(more, 2, to), -ENOENT);
	fclose(to);
}
END_TEST

#define ROWS(array) (int)(sizeof(array) / sizeof((array)[0]))

int main(void)
{
	Suite *suite = suite_create("cli");
	TCase *lines = tcase_create("lines"), *tables = tcase_create("tables");
	tcase_add_test(lines, run_takes_everything_it_was_asked);
	tcase_add_test(lines, run_without_options_has_defaults);
	tcase_add_loop_test(lines, rules_are_handed_on_as_written, 0, ROWS(rules));
	tcase_add_test(lines, rules_keep_their_order);
	tcase_add_loop_test(lines, a_wrong_line_is_told_in_one_sentence, 0, ROWS(wrong));
	tcase_add_loop_test(lines, a_limit_is_read_with_its_unit, 0, ROWS(limits));
	tcase_add_loop_test(lines, seconds_are_read_to_the_nanosecond, 0, ROWS(timeouts));
	tcase_add_loop_test(lines, the_first_other_word_begins_the_command, 0, ROWS(commands_of_run));
	tcase_add_test(lines, options_and_operands_of_other_commands_mix);
	tcase_add_test(lines, a_descriptor_must_be_writable);
	tcase_add_test(lines, directories_come_from_the_environment_if_absolute);
	tcase_add_test(lines, chdir_is_resolved);
	tcase_add_loop_test(lines, paths_stand_for_what_the_manual_says, 0, sizeof(places) / sizeof(places[0]));
	tcase_add_loop_test(lines, help_and_version_can_be_asked_anywhere, 0, ROWS(abouts));
	suite_add_tcase(suite, lines);
	tcase_add_loop_test(tables, every_option_is_parsed_and_told, 0, COMMAND_COUNT);
	tcase_add_test(tables, no_line_of_help_is_wider_than_a_terminal);
	tcase_add_test(tables, help_knows_words_of_commands);
	suite_add_tcase(suite, tables);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
