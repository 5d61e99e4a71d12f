/* SPDX-License-Identifier: MIT */
/*
 * main.c - reads the command line and calls the command; and the map of
 * everything: which file does what. x stands for x.c and x.h. DESIGN.md says why it is so.
 *
 * A run goes job -> image -> child -> request and verdict, many times -> result.
 *
 * What is asked (tracer/)
 *   cli          the command line into a job; options: the tables of commands and options; cli_places: what its paths mean
 *   job          what a run was asked
 *   help         help texts; completion: scripts for shells
 *   commands     what every command but run does
 *   diag         lines on stderr; escape: what others chose made fit for terminals and JSON
 *   version      the version
 *
 * What is allowed (policy/, pure: also for the guarded side)
 *   image        the compiled policy: one flat block; image_layout: what stands where in it
 *   decide       image and request -> verdict; path, net: its words (components, addresses)
 *   links        the symbolic links that a name leads through
 *   syscalls     what each system call means; syscalls.def: the table, the only list of calls
 *   pure         below which directories it says the same of every name
 *   always       names that no policy opens
 *   wire         what both sides of a run must agree on; open_site: where glibc makes the opens that pass no function
 *
 * Where the image comes from (policy/, outside only)
 *   compile      profile, file and command line -> rules; compile_file, compile_limits, compile_launch, compile_rule:
 *                parts of a file; compiler: what they share; profiles: the built-in ones (policy/profiles/)
 *   texts        what is read before libconfig does; texts_scan: its tokens; texts_file: what the two share
 *   expand       ~ and ${NAME}; pattern: path patterns; way: what a file's name goes by; destination: network destinations; hosts: host names
 *   limit_names  the limits by name; limit_value: their values on the command line
 *   draft        rules before they are an image; conflict: rules that can never take effect
 *   build        rules -> image; build_trie, build_net: parts of it; build_internal: what they share
 *   faults       all that is wrong with a policy; suggest: the nearest known word
 *   show         the rules, explain: one verdict, for people; show_internal: what they share
 *   allow        the narrowest option that would allow a refusal
 *   environment  the variables that a policy leaves
 *   arena        memory that goes at once; cleanup: memory and descriptors that go with their variable
 *
 * How it is enforced (tracer/)
 *   level        the names of the levels; probe: which this machine gives; attempt: the tries it makes;
 *                probe_print: how that is told
 *   run          the stages of a run, one after the other; run_end: what came of it; run_inside: what they share
 *   launch       the child that becomes the tool; filter: its seccomp filter, from policy and table;
 *                leaf: which calls stop; floor: Landlock under it; descriptors: closing many
 *   supervise    the loop: next stop, judge, act; guard: all it works with
 *   tracee       each thread and process, and what they share; mapped: what lies at an address of one; constant: files
 *                that nobody changes; owned: sockets and IPC objects that the run has made itself
 *   transport    how calls are stopped and answered; by_ptrace: by ptrace; out_of_turn: waiting for one task alone;
 *                together: a stop costs less where supervisor and task share a processor
 *   by_notify    by notification (level notify): threads that answer; notify: how it begins and ends; notify_begin: how the
 *                listener comes to us; notify_trace: calls that the task makes itself (exec); notify_watch: signals to a
 *                task whose call is carried out here; notify_inside: what they share; notify_kernel: what of it headers
 *                may not know
 *   visitor      a task as that level knows it, for one call; lineage: who descends from whom, as /proc tells it
 *   perform      what was allowed is done in place of the task; perform_attribute, perform_names, perform_open,
 *                perform_process, perform_socket: by what it is; perform_inside: what they share; perform_aside: the few
 *                calls that are done so at levels ptrace and seccomp, too; caller: a thread with the rights of the task
 *   regs         registers (the architecture); mem: the memory of a stopped thread; elf_code: where code is in that
 *   decode       registers -> request, by the table
 *   resolve      what a name means to the thread that said it; walk: following it, step by step
 *   terminal     which terminals are the run's own; judge_terminal: what of it is judged
 *   ordinary     what of the refused would have failed without a guard, too
 *   early        what the kernel complains about before it looks at a name
 *   judge        request -> what is to be done; judge_exec, judge_network, judge_processes, judge_registers: by what
 *                is asked for; judge_names: what the kernel says of names; judge_hidden: and would tell by it;
 *                judge_links: the links on their way; judge_machine: what is refused to every tool;
 *                register_rules: which register values are worth judging at all
 *   program      what kind of program a file is; elf_bounds: no more of it is read than a program has;
 *                exec: what runs is what was approved
 *   gate         level gate: the page and the directories by which opens pass unseen; gate_roots: which directories;
 *                gate_files: single files beside them;
 *                gate_devices: no device is or comes below them; gate_late: it is looked for while the run goes on;
 *                gate_page: how a new program gets the page; gate_loader: the opens of its dynamic linker go by it, too;
 *                gate_code: the code on the page;
 *                gate_withdraw: programs that do without the shim; shim_names: who calls none of its functions;
 *                new_stack: what a new program finds on its stack
 *   known        levels ptrace, seccomp, gate: names that were allowed a moment ago; same_file: is a file the one that it was
 *   absent       level seccomp: names that are not there, of which a program asks for many; absent_code: what it then has in it
 *   act          carries out what was judged; slots: memory for arguments that the tool cannot change;
 *                hash: tables, and what happens when one finds no memory
 *   address      socket addresses as text
 *   by_preload   level preload, where nothing stops; keeper: the process that ends the run; shim_file: where the shim is;
 *                heard: what it tells -> violations; filter_alone: the filter where nobody supervises
 *   end          signals and time that end a run; capture: its output
 *   cgroup       a control group of the run, where there can be one
 *   mounts       what is mounted where, read once for all who ask
 *   limit        which limits hold, those that the kernel keeps, those that are decided at a call
 *   meter        what a run uses while it runs, and which limit it reaches; census: its processes, living and ended;
 *                roll: its processes where nobody is traced; headcount: the limit of processes there;
 *                meter_files: files that are memory; usage: what one process uses; progress: the line of --progress
 *
 * What came of it (tracer/)
 *   record       a refusal, with all that is known of who asked
 *   result       violations, kept once and counted; result_store: how; result_json, result_text, result_file: the
 *                result as JSON, as a summary, and where it goes
 *   coverage     the table of system calls for people
 *
 * In the guarded process (preload/)
 *   raw          system calls without a C library
 *   init         the first thing that runs; note: what says which version it is; enter: how a wrapped function comes in
 *   wrap         wrapped functions by the call table (wrap.def); wrap_hand: those that libc hides calls in;
 *                unwrapped.txt: which are not, and why; next: the function that was wrapped
 *   shim         what the parts say to one another; place: what a name means; program: what a file is;
 *                judge, judge_hidden, judge_network, judge_processes, judge_registers: as in tracer/
 *   exec         functions that start programs; shell: those that do it by a shell; environment: what started ones get
 *   report       refusals to the launcher; common: calls to the kernel that many parts make
 *   beside       what a wrapped function does where a supervisor decides; gate: opens that need no stop; gate_way: by which
 *                root; site: those that libc makes inside itself; loader: the dynamic linker's, in code on the gate's page
 *                (serve: how both come in)
 *
 * Plugins (policy/)
 *   manifest     what a plugin says of itself; capability: what it asks for, as a policy
 *   strict_json  JSON from strangers; json_place: where in it something stands; complaint: one sentence about it
 *   request      what a caller who is not trusted asks to run
 *   sign         hashes and signatures; keyring: the keys that are trusted; trust: who could change a file
 * and (tracer/)
 *   plugin       the commands; plugin_commands, plugin_keys, plugin_run, plugin_request: what they do;
 *                plugin_options: what they were asked
 *   plugin_load  a file or an installed plugin -> a verified one; plugin_check: whether it may be run at all
 *   registry     the installed ones; registry_index: a cache for long lists; plugin_places: where they are
 *   plugin_program  a copy of the program that nobody can change; plugin_elf: what it is; plugin_note: a manifest in it
 */
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli.h"
#include "commands.h"
#include "diag.h"
#include "plugin.h"
#include "plugin_load.h"
#include "run.h"

static int dispatch(const struct cli *cli)
{
	switch (cli->command->id) {
	case COMMAND_RUN:
		plugin_forget_keys();
		return cli->plugin.request != NULL ? request_run(cli) : run_job(&cli->job);
	case COMMAND_PROBE:
		return command_probe(cli);
	case COMMAND_EXPLAIN:
		return command_explain(cli);
	case COMMAND_POLICY_CHECK:
		return command_policy_check(cli);
	case COMMAND_POLICY_SHOW:
		return command_policy_show(cli);
	case COMMAND_SYSCALLS:
		return command_syscalls(cli);
	case COMMAND_PLUGIN_KEYGEN:
		return plugin_keygen(cli);
	case COMMAND_PLUGIN_SIGN:
		return plugin_sign(cli);
	case COMMAND_PLUGIN_VERIFY:
		return plugin_verify(cli);
	case COMMAND_PLUGIN_INSTALL:
		return plugin_install(cli);
	case COMMAND_PLUGIN_LIST:
		return plugin_list(cli);
	case COMMAND_PLUGIN_REMOVE:
		return plugin_remove(cli);
	case COMMAND_PLUGIN_RUN:
		return plugin_run(cli);
	case COMMAND_REQUEST_CHECK:
		return request_check(cli);
	case COMMAND_HELP:
		return command_help(cli);
	case COMMAND_COMPLETION:
		return command_completion(cli);
	case COMMAND_COUNT:
		break;
	}
	return EXIT_PICKET;
}

/*
 * A caller may leave 0, 1 or 2 closed. What we open next must not become the tool's standard output: they are filled
 * with something whose use fails as that of a closed descriptor does.
 */
static void fill_standard_descriptors(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
			abort();
	}
}

int main(int argc, char **argv)
{
	struct cli cli;
	char error[CLI_ERROR_SIZE];
	int status = EXIT_PICKET;
	/* a run begins with many buffers that come and go, as for directories: the heap need not shrink and grow each time */
	mallopt(M_TRIM_THRESHOLD, 1 << 20);
	fill_standard_descriptors();
	if (cli_parse(argc, argv, &cli, error) != 0)
		diag("%s", error);
	else if (cli.version || cli.help)
		status = command_about(&cli);
	else
		status = dispatch(&cli);
	cli_free(&cli);
	return status;
}
