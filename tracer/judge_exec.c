/* SPDX-License-Identifier: MIT */
/*
 * judge_exec.c - running a program: the program itself, the interpreter of a
 * script, the interpreter of that, the ELF interpreter, and what a dynamic loader is told to run.
 *
 * What was approved here is compared with what runs, after the exec and before its first instruction
 * (exec_is_approved): file contents, names and arguments may change until the kernel has read them.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "constant.h"
#include "exec.h"
#include "judge.h"
#include "mapped.h"
#include "mem.h"
#include "program.h"
#include "same_file.h"

enum {
	SCRIPTS_MOST = 5,      /* execve(2): interpreters that are scripts themselves, then ELOOP */
	LOADER_ARGS_MOST = 64, /* arguments of a loader that are looked at */
	LOADER_ARG_SIZE = PATH_MAX,
	EXECVE_CHECK = 0x10000, /* AT_EXECVE_CHECK, linux/fcntl.h of Linux 6.14: would it be run? */
};

/* Is it the command that the user named, and not meant by what refuses it? */
static bool spares_command(const struct guard *guard, const struct request *request, const struct judgement *judgement)
{
	const struct refusal *refusal = &judgement->refusal;
	struct verdict verdict = {.allowed = false, .error = refusal->error, .rule = refusal->rule};

	return request->task->launching && decide_spares_command(guard->policies[refusal->image]->image, verdict);
}

/* May it be run? When that is only audited, the rest of the chain is looked at. */
static bool judge_program(struct guard *guard, const struct request *request, struct judgement *judgement,
			  const struct resolved *at)
{
	if (at->nameless && !(request->task->launching && at->held.st_ino == guard->program_ino &&
			      at->held.st_dev == guard->program_dev)) {
		judge_always(judgement, VIOLATION_PROCESS_EXEC, EACCES, "%s", at->judged);
		return false;
	}
	if (at->nameless ||
	    (judge_path(guard, judgement, at, ACCESS_EXEC) &&
	     (at != &request->names[0].at || judge_links(guard, judgement, &request->names[0], ACCESS_EXEC))))
		return true;
	if (spares_command(guard, request, judgement)) {
		judgement->outcome = OUTCOME_PASS;
		return true;
	}
	int failure = judgement->refusal.error == ENOENT ? 0 : resolve_ordinary(at, X_OK);
	if (failure == 0)
		return judge_audits(guard, judgement);
	judge_answer(judgement, failure);
	return false;
}

/* The dynamic loader is mapped by the kernel: it must be something that may be read, or run. What is missing is that it may be
 * read, since that is less. */
static bool judge_loader(struct guard *guard, const struct request *request, struct judgement *judgement,
			 const struct resolved *at)
{
	if (at->nameless)
		return judge_program(guard, request, judgement, at);
	if (judge_path(guard, judgement, at, ACCESS_READ))
		return true;
	if (judge_path(guard, judgement, at, ACCESS_EXEC) || spares_command(guard, request, judgement)) {
		judgement->outcome = OUTCOME_PASS;
		return true;
	}
	judge_path(guard, judgement, at, ACCESS_READ);
	int failure = resolve_ordinary(at, X_OK);
	if (failure == 0)
		return judge_audits(guard, judgement);
	judge_answer(judgement, failure);
	return false;
}

/* Where a program's interpreter leads. False: an answer was given. */
static bool resolve_interpreter(struct guard *guard, struct request *request, struct judgement *judgement,
				const char *name, struct resolved *at)
{
	resolve_path(&guard->tracees, request->task, AT_FDCWD, name, RESOLVE_FOLLOW, false, at);
	if (at->error == 0 && at->exists)
		return true;
	judge_answer(judgement, at->error ? at->error : -ENOENT);
	resolve_close(at);
	return false;
}

/* ---- a loader run as a program ------------------------------------------ */

/* Free with free_args. NULL: unreadable or more than we look at. */
static char **read_args(pid_t tid, uint64_t address)
{
	char **args = calloc(LOADER_ARGS_MOST + 1, sizeof *args), text[LOADER_ARG_SIZE];

	for (int i = 0; args && i < LOADER_ARGS_MOST; i++) {
		uint64_t pointer;
		if (mem_read(tid, address + (uint64_t)i * sizeof pointer, &pointer, sizeof pointer) < 0)
			break;
		if (pointer == 0)
			return args;
		if (mem_read_string(tid, pointer, text, sizeof text) < 0 || !(args[i] = strdup(text)))
			break;
	}
	exec_free_args(args);
	return NULL;
}

void exec_free_args(char **args)
{
	for (int i = 0; args && args[i]; i++)
		free(args[i]);
	free(args);
}

/* What a loader with these arguments would run may be run. */
static bool judge_loader_args(struct guard *guard, struct request *request, struct judgement *judgement, char **args)
{
	int i = args ? program_of_loader(args) : -EINVAL;
	struct resolved at;

	if (i == 0)
		return true;
	if (i < 0) {
		judge_always(judgement, VIOLATION_PROCESS_EXEC, EACCES,
			     "a program that a dynamic loader is to find by itself");
		return false;
	}
	if (!resolve_interpreter(guard, request, judgement, args[i], &at))
		return false;
	bool allowed = judge_program(guard, request, judgement, &at);
	resolve_close(&at);
	return allowed;
}

static bool judge_loader_call(struct guard *guard, struct request *request, struct judgement *judgement)
{
	int argv = call_arg_index(request->call, ARG_ARGV, 0);
	char **args = read_args(request->task->tid, request->stop.args[argv]);
	bool allowed = judge_loader_args(guard, request, judgement, args);

	exec_free_args(args);
	return allowed;
}

/* ---- the chain ---------------------------------------------------------- */

/* Can what lies in it change, by whatever name? What has none was sealed before the run. */
static bool may_change(const struct guard *guard, const struct resolved *at)
{
	return judge_writable(guard, at->name) || (!at->nameless && !constant_held(at->name, &at->held));
}

static bool approve(const struct guard *guard, struct task *task, const struct resolved *at)
{
	free(task->exec_name);
	task->exec_name = strdup(at->name);
	task->approved = (struct program){.dev = at->held.st_dev,
					  .ino = at->held.st_ino,
					  .changed = at->held.st_ctim,
					  .writable = may_change(guard, at)};
	return task->exec_name != NULL;
}

/* The interpreter that nearly all programs have: what it is called was found out once, and stays as it is while the file is the same.
 * Only of one that nobody in the run can change, and that is reached by nothing but names. */
static _Thread_local struct known_loader {
	char text[64]; /* as programs say it; "": none is known */
	char name[256];
	struct same_file file;
} known_loader;

static void know_loader(const char *text, const struct resolved *at)
{
	if (at->magic || at->run_proc || text[0] != '/' || strlen(text) >= sizeof known_loader.text ||
	    at->length >= sizeof known_loader.name)
		return;
	known_loader.file = same_file_of(&at->held);
	memcpy(known_loader.text, text, strlen(text) + 1);
	memcpy(known_loader.name, at->name, at->length + 1);
}

/* Is it that one, and may it be read? */
static bool approve_known_loader(const struct guard *guard, struct task *task, const char *text)
{
	const struct known_loader *known = &known_loader;

	if (strcmp(known->text, text) != 0 || !same_file_at(&known->file, text))
		return false;
	for (unsigned i = guard->policy_from; i < guard_policy_end(guard); i++)
		if (!decide_path(guard->policies[i]->image, known->name, strlen(known->name), ACCESS_READ).allowed)
			return false;
	if (judge_writable(guard, known->name))
		return false;
	task->approved.loader_dev = known->file.dev;
	task->approved.loader_ino = known->file.ino;
	return true;
}

static bool approve_loader(struct guard *guard, struct request *request, struct judgement *judgement, const char *name)
{
	struct resolved at;

	if (approve_known_loader(guard, request->task, name))
		return true;
	if (!resolve_interpreter(guard, request, judgement, name, &at))
		return false;
	bool allowed = judge_loader(guard, request, judgement, &at);
	request->task->approved.loader_dev = at.held.st_dev;
	request->task->approved.loader_ino = at.held.st_ino;
	bool changes = may_change(guard, &at);
	request->task->approved.writable |= changes;
	if (allowed && !changes)
		know_loader(name, &at);
	resolve_close(&at);
	return allowed;
}

/* A program that is refused for what it is. */
static void refuse_kind(struct judgement *judgement, const struct resolved *at, enum program_kind kind)
{
	judge_always(judgement, VIOLATION_INTERFACE, ENOEXEC, "%s (%s)", at->judged,
		     kind == PROGRAM_LOW ? "a program for addresses below 2 MiB"
					 : "a program of another architecture or ABI");
}

/* One program of the chain; *next is the interpreter that runs it, when it is a script. True: go on. */
static bool judge_link(struct guard *guard, struct request *request, struct judgement *judgement,
		       const struct resolved *at, struct program_file *file)
{
	if (!judge_program(guard, request, judgement, at))
		return false;
	int r = program_look(at->fd, &at->held, file);
	if (r == -EACCES && at->type == S_IFREG && resolve_ordinary(at, X_OK) == 0) {
		judge_always(judgement, VIOLATION_PROCESS_EXEC, EACCES,
			     "%s (it may be run, but not read to see what it is)", at->judged);
		return false;
	}
	bool runs = r == 0 && (file->kind == PROGRAM_ELF || file->kind == PROGRAM_SCRIPT);
	int failure = runs ? 0 : resolve_ordinary(at, X_OK); /* before anybody looks into it */
	if (failure < 0 || r < 0 || file->kind == PROGRAM_UNKNOWN) {
		judge_answer(judgement, failure < 0 ? failure : r < 0 ? r : -ENOEXEC);
		return false;
	}
	if (file->kind == PROGRAM_FOREIGN || file->kind == PROGRAM_LOW) {
		refuse_kind(judgement, at, file->kind);
		return false;
	}
	if (file->kind == PROGRAM_SCRIPT)
		return true;
	if (!approve(guard, request->task, at)) {
		judge_answer(judgement, -ENOMEM);
		return false;
	}
	if (file->interpreter[0])
		return approve_loader(guard, request, judgement, file->interpreter);
	return !file->loader || judge_loader_call(guard, request, judgement);
}

void judge_exec(struct guard *guard, struct request *request, struct judgement *judgement)
{
	struct resolved *at = &request->names[0].at, interpreter;
	struct program_file file;
	int links = 0;

	if (request->names[0].length == 0 && !request->names[0].by_fd) {
		judge_answer(judgement, -ENOENT);
		return;
	}
	if (request->flags & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW | EXECVE_CHECK)) {
		judge_answer(judgement, -EINVAL);
		return;
	}
	if (at->error < 0 || !at->exists) {
		judge_answer(judgement, at->error < 0 ? at->error : -ENOENT);
		return;
	}
	if (at->type == S_IFLNK) { /* execveat with AT_SYMLINK_NOFOLLOW */
		judge_answer(judgement, -ELOOP);
		return;
	}
	judgement->names = judgement->executes = true;
	bool go_on = judge_link(guard, request, judgement, at, &file);
	while (go_on && file.kind == PROGRAM_SCRIPT) {
		if (++links > SCRIPTS_MOST) {
			judge_answer(judgement, -ELOOP);
			return;
		}
		if (!resolve_interpreter(guard, request, judgement, file.interpreter, &interpreter))
			return;
		go_on = judge_link(guard, request, judgement, &interpreter, &file);
		resolve_close(&interpreter);
	}
}

/* ---- after the exec ----------------------------------------------------- */

/* Every file that is mapped executable, before the first instruction, is one that may be read or run; or the gate's page, which
 * is there already in a program that does not map it itself. */
static bool mapped_files_allowed(struct guard *guard, const struct request *request, struct judgement *judgement)
{
	char path[64], line[PATH_MAX + 128];
	struct resolved at = {.fd = -1, .exists = true};

	snprintf(path, sizeof path, "/proc/%d/maps", (int)request->task->tid);
	FILE *maps = fopen(path, "re");
	if (!maps)
		return false;
	bool allowed = true;
	while (allowed && fgets(line, sizeof line, maps)) {
		char *name = strchr(line, '/'), permissions[5] = "";
		uint64_t start;
		if (!name || sscanf(line, "%" SCNx64 "-%*s %4s", &start, permissions) != 2 || permissions[2] != 'x' ||
		    (guard->gate.page && start == GATE_START))
			continue;
		at.judged_length = strcspn(name, "\n");
		memcpy(at.judged, name, at.judged_length);
		at.judged[at.judged_length] = 0;
		allowed = judge_path(guard, judgement, &at, ACCESS_READ) ||
			  judge_path(guard, judgement, &at, ACCESS_EXEC) || spares_command(guard, request, judgement);
	}
	fclose(maps);
	return allowed;
}

/* A loader that was run as a program: its arguments as the kernel has copied them to the new stack. */
static bool loader_args_allowed(struct guard *guard, struct request *request, struct judgement *judgement)
{
	struct user_regs_struct regs;
	char path[64];
	struct program_file file;

	snprintf(path, sizeof path, "/proc/%d/exe", (int)request->task->tid);
	int fd = open(path, O_PATH | O_CLOEXEC);
	if (fd < 0 || program_read(fd, &file) < 0) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	close(fd);
	if (file.kind != PROGRAM_ELF || !file.loader)
		return true;
	if (regs_get(request->task->tid, &regs) < 0)
		return false;
	/* at the first instruction the stack holds argc, then argv (System V ABI, AMD64, 3.4.1) */
	char **args = read_args(request->task->tid, regs.rsp + sizeof(uint64_t));
	bool allowed = judge_loader_args(guard, request, judgement, args);
	exec_free_args(args);
	return allowed;
}

/* Was it, or its interpreter, perhaps another file when it was judged? What the program names as its interpreter is what it was, where
 * the run cannot write to it; but what that name leads to is not, where names are not kept as they are until the exec is over. */
static bool may_be_another(const struct guard *guard, const struct task *task)
{
	const struct program *approved = &task->approved;
	struct user_regs_struct regs;

	if (approved->writable || !guard_by_notification(guard) || approved->loader_ino == 0)
		return approved->writable;
	return regs_get(task->tid, &regs) < 0 ||
	       !mapped_is(task->tid, regs.rip, approved->loader_dev, approved->loader_ino);
}

/* Is what runs the file that was approved? */
static bool runs_approved(const struct guard *guard, struct task *task)
{
	const struct program *approved = &task->approved;
	char path[64];
	struct stat st;

	/* what the supervisor is about to ask of its memory in any case tells it as well, where nobody in the run could exchange the file */
	if (!guard->gate.page && !guard_by_notification(guard) && !approved->writable && approved->loader_ino != 0 &&
	    mapped_runs(task, approved))
		return true;
	snprintf(path, sizeof path, "/proc/%d/exe", (int)task->tid);
	return stat(path, &st) == 0 && st.st_dev == approved->dev && st.st_ino == approved->ino;
}

bool exec_is_over(const struct task *task)
{
	char path[64];
	struct stat st;

	/* the link leads to what is mapped, as long as there is memory at all: proc_exe_link() in fs/proc/base.c */
	snprintf(path, sizeof path, "/proc/%d/exe", (int)task->tid);
	return stat(path, &st) < 0 && (errno == ENOENT || errno == ESRCH);
}

bool exec_is_approved(struct guard *guard, struct request *request, struct judgement *judgement)
{
	struct task *task = request->task;

	if (!runs_approved(guard, task)) {
		judge_always(judgement, VIOLATION_PROCESS_EXEC, EACCES,
			     "a program other than the one that was checked (%s)",
			     task->exec_name ? task->exec_name : "?");
		return false;
	}
	if (guard->on_violation != ON_VIOLATION_AUDIT && (!task->exec_name || may_be_another(guard, task))) {
		if (!mapped_files_allowed(guard, request, judgement)) {
			judge_always(judgement, VIOLATION_PROCESS_EXEC, EACCES,
				     "an interpreter of %s that was not checked",
				     task->exec_name ? task->exec_name : "?");
			return false;
		}
		judgement->outcome = OUTCOME_PASS;
	}
	return task->approved.loader_ino != 0 || loader_args_allowed(guard, request, judgement);
}
