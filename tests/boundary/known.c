/* SPDX-License-Identifier: MIT */
/* known.c - attempts by way of a name that was allowed a moment ago. It is said as a whole: the supervisor knows only such. */
#include "attempt.h"

#include <elf.h>
#include <linux/fs.h>
#include <stddef.h>

static char here[2048];

/* The whole name of one below `open`, in memory of no file: else each time a copy of it is used. */
static const char *whole(const char *name)
{
	char *to = malloc(4096);

	NEED(to ? 0 : -1);
	if (!here[0])
		NEED(getcwd(here, sizeof here) ? 0 : -1);
	snprintf(to, 4096, "%s/%s", here, name);
	return to;
}

static void make(const char *name)
{
	int fd = open(name, O_CREAT | O_WRONLY, 0600);

	NEED(fd);
	NEED(write(fd, "mine", 4));
	close(fd);
}

/* What is opened often is known. */
static void open_often(const char *name)
{
	for (int i = 0; i < 10; i++) {
		int fd = open(name, O_RDONLY);
		NEED(fd);
		close(fd);
	}
}

static int opens(const char *name)
{
	return holds_secret(open(name, O_RDONLY));
}

/* Again and again, while the child changes what that means. */
static int opens_against(pid_t child, const char *name)
{
	int won = REFUSED;

	for (double end = seconds() + RACE_SECONDS; won == REFUSED && seconds() < end;) {
		int fd = open(name, O_RDONLY);
		won = holds_secret(fd);
		close(fd);
	}
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	return won;
}

/* `link` leads to a file of ours, and is known; `other`, beside it, leads to the secret. */
static const char *known_link(void)
{
	const char *name = whole("link");

	make("plain");
	NEED(symlink("plain", "link"));
	NEED(symlink("../shut/secret", "other"));
	open_often(name);
	return name;
}

static int known_link_made_anew(void)
{
	const char *name = known_link();

	NEED(unlink("link"));
	NEED(symlink("../shut/secret", "link"));
	return opens(name);
}

static int known_link_renamed(void)
{
	const char *name = known_link();

	NEED(rename("other", "link"));
	return opens(name);
}

static int known_link_exchanged(void)
{
	const char *name = known_link();

	NEED(renameat2(AT_FDCWD, "other", AT_FDCWD, "link", RENAME_EXCHANGE));
	return opens(name);
}

static int known_link_linked(void)
{
	const char *name = known_link();

	NEED(unlink("link"));
	NEED(link("other", "link"));
	return opens(name);
}

static int known_link_of_child(void)
{
	const char *name = known_link();
	int status;
	pid_t child = fork();

	NEED(child);
	if (child == 0)
		_exit(rename("other", "link") < 0);
	NEED(waitpid(child, &status, 0));
	return status == 0 ? opens(name) : BROKEN;
}

/* The file itself makes room for a link. */
static int known_file_replaced(void)
{
	const char *name = whole("plain");

	make("plain");
	open_often(name);
	NEED(unlink("plain"));
	NEED(symlink("../shut/secret", "plain"));
	return opens(name);
}

/* A directory of ours on the way, and then a link to that of the secret. */
static const char *known_below(void)
{
	const char *name = whole("d/secret");

	NEED(mkdir("d", 0700));
	make("d/secret");
	open_often(name);
	return name;
}

static int known_directory_moved(void)
{
	const char *name = known_below();

	NEED(rename("d", "e"));
	NEED(symlink("../shut", "d"));
	return opens(name);
}

static int known_directory_removed(void)
{
	const char *name = known_below();

	NEED(unlink("d/secret"));
	NEED(rmdir("d"));
	NEED(symlink("../shut", "d"));
	return opens(name);
}

static int known_directory_exchanged(void)
{
	const char *name = known_below();

	NEED(symlink("../shut", "other"));
	NEED(renameat2(AT_FDCWD, "other", AT_FDCWD, "d", RENAME_EXCHANGE));
	return opens(name);
}

/* What may be read is known for no more than that. */
static int known_for_reading(void)
{
	const char *name = whole("../read/page");

	open_often(name);
	int fd = open(name, O_WRONLY);
	return fd >= 0 && write(fd, "x", 1) == 1 ? WORKED : REFUSED;
}

static int known_for_reading_truncated(void)
{
	const char *name = whole("../read/page");

	open_often(name);
	return open(name, O_RDONLY | O_TRUNC) >= 0 ? WORKED : REFUSED;
}

/* The text is another one by the time the kernel reads it, by somebody who shares its page. */
static int known_text_changes(void)
{
	char *text = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	const char *plain = whole("../open/plain0"), *secret = whole("../shut/secret");

	if (text == MAP_FAILED || strlen(plain) != strlen(secret))
		return BROKEN;
	make("plain0");
	open_often(plain);
	strcpy(text, plain);
	pid_t child = fork();
	NEED(child);
	while (child == 0) {
		strcpy(text, secret);
		strcpy(text, plain);
	}
	return opens_against(child, text);
}

/* ---- programs ----------------------------------------------------------- */

static void copy(const char *from, const char *to)
{
	char bytes[4096];
	int in = open(from, O_RDONLY), out = open(to, O_CREAT | O_WRONLY, 0755);
	ssize_t n;

	NEED(in);
	NEED(out);
	while ((n = read(in, bytes, sizeof bytes)) > 0)
		NEED(write(out, bytes, (size_t)n));
	close(in), close(out);
}

/* Its exit status, or 77: it cannot be run. */
static int run(const char *name)
{
	int status;
	pid_t child = vfork();

	NEED(child);
	if (child == 0) {
		execl(name, "known", (char *)NULL);
		_exit(77);
	}
	NEED(waitpid(child, &status, 0));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 77;
}

/* `program` leads to true(1), and is known; `mine` is a copy of false(1), which may not be run. */
static const char *known_program(void)
{
	const char *name = whole("program");

	copy("/usr/bin/false", "mine");
	NEED(symlink("/usr/bin/true", "program"));
	NEED(symlink("mine", "other"));
	for (int i = 0; i < 10; i++)
		if (run(name) != 0)
			exit(BROKEN);
	return name;
}

static int known_program_made_anew(void)
{
	const char *name = known_program();

	NEED(unlink("program"));
	NEED(symlink("mine", "program"));
	return run(name) == 1 ? WORKED : REFUSED;
}

static int known_program_renamed(void)
{
	const char *name = known_program();

	NEED(rename("other", "program"));
	return run(name) == 1 ? WORKED : REFUSED;
}

/* It goes to and fro while it is run. */
static int known_program_raced(void)
{
	const char *name = known_program();
	int won = REFUSED;
	pid_t child = fork();

	NEED(child);
	while (child == 0)
		renameat2(AT_FDCWD, "other", AT_FDCWD, "program", RENAME_EXCHANGE);
	for (double end = seconds() + RACE_SECONDS; won == REFUSED && seconds() < end;)
		won = run(name) == 1 ? WORKED : REFUSED;
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	return won;
}

/* A program for addresses that are refused to programs, without code of its own, and with true(1) for its interpreter: that crashes, since
 * nobody has linked it. */
static const struct low_program {
	Elf64_Ehdr header;
	Elf64_Phdr segments[2];
	char interpreter[32];
} low_program = {
	.header = { .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
		    .e_type = ET_EXEC,
		    .e_machine = EM_X86_64,
		    .e_version = EV_CURRENT,
		    .e_phoff = offsetof(struct low_program, segments),
		    .e_ehsize = sizeof(Elf64_Ehdr),
		    .e_phentsize = sizeof(Elf64_Phdr),
		    .e_phnum = 2 },
	.segments = { { .p_type = PT_INTERP,
			.p_offset = offsetof(struct low_program, interpreter),
			.p_filesz = sizeof "/usr/bin/true" },
		      { .p_type = PT_LOAD,
			.p_flags = PF_R,
			.p_vaddr = 0x10000,
			.p_filesz = sizeof(struct low_program),
			.p_memsz = sizeof(struct low_program),
			.p_align = 4096 } },
	.interpreter = "/usr/bin/true",
};

/* Is `program` this one, and now that one. The kernel runs nothing that is open for writing. */
static void become_in_turn(const char *script)
{
	for (unsigned i = 0;; i++) {
		int fd = open("program", O_WRONLY);
		for (volatile unsigned wait = i * 37 % 16384; wait > 0; wait--)
			;
		pwrite(fd, i % 2 ? script : (const char *)&low_program, sizeof low_program, 0);
		close(fd);
		for (volatile unsigned wait = 4096; wait > 0; wait--)
			;
	}
}

/* A script is judged, and so is what it is run with; what the kernel finds is a program that is mapped together with just that. */
static int known_interpreter_of_another(void)
{
	const char *name = whole("program");
	char script[sizeof low_program] = "#!/usr/bin/true\n";
	int fd = open("program", O_CREAT | O_WRONLY, 0755), status, won = REFUSED;

	NEED(fd);
	NEED(write(fd, script, sizeof script));
	close(fd);
	pid_t writer = fork();
	NEED(writer);
	if (writer == 0)
		become_in_turn(script);
	for (double end = seconds() + RACE_SECONDS; won == REFUSED && seconds() < end;) {
		pid_t child = vfork();
		NEED(child);
		if (child == 0) {
			execl(name, "known", (char *)NULL);
			_exit(77);
		}
		NEED(waitpid(child, &status, 0));
		won = WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV ? WORKED : REFUSED;
	}
	kill(writer, SIGKILL);
	waitpid(writer, NULL, 0);
	return won;
}

static int known_link_raced(void)
{
	const char *name = known_link();
	pid_t child = fork();

	NEED(child);
	while (child == 0)
		renameat2(AT_FDCWD, "other", AT_FDCWD, "link", RENAME_EXCHANGE);
	return opens_against(child, name);
}

/* What is known stays what it is for who may have it: another file by the same name, one that is gone, one that is there again. */
static int known_names_still_work(void)
{
	const char *name = whole("plain");
	char text[8] = "";

	make("plain");
	open_often(name);
	NEED(rename("plain", "was"));
	if (open(name, O_RDONLY) >= 0 || errno != ENOENT)
		return BROKEN;
	int fd = open("next", O_CREAT | O_WRONLY, 0600);
	NEED(write(fd, "next", 4));
	close(fd);
	NEED(rename("next", "plain"));
	NEED(fd = open(name, O_RDONLY));
	NEED(read(fd, text, 4));
	close(fd);
	NEED(unlink("plain"));
	if (open(name, O_RDONLY) >= 0 || errno != ENOENT)
		return BROKEN;
	make("plain");
	NEED(chmod("plain", 0));
	fd = open(name, O_RDONLY);
	if (geteuid() != 0 && (fd >= 0 || errno != EACCES))
		return BROKEN;
	return strcmp(text, "next") == 0 ? WORKED : BROKEN;
}

static const struct row rows[] = {
	{ GETS_OUT, "known_link_made_anew", known_link_made_anew },
	{ GETS_OUT, "known_link_renamed", known_link_renamed },
	{ GETS_OUT, "known_link_exchanged", known_link_exchanged },
	{ GETS_OUT, "known_link_linked", known_link_linked },
	{ GETS_OUT, "known_link_of_child", known_link_of_child },
	{ GETS_OUT, "known_link_raced", known_link_raced },
	{ GETS_OUT, "known_file_replaced", known_file_replaced },
	{ GETS_OUT, "known_directory_moved", known_directory_moved },
	{ GETS_OUT, "known_directory_removed", known_directory_removed },
	{ GETS_OUT, "known_directory_exchanged", known_directory_exchanged },
	{ GETS_OUT, "known_for_reading", known_for_reading },
	{ GETS_OUT, "known_for_reading_truncated", known_for_reading_truncated },
	{ GETS_OUT, "known_text_changes", known_text_changes },
	{ GETS_OUT, "known_program_made_anew", known_program_made_anew },
	{ GETS_OUT, "known_program_renamed", known_program_renamed },
	{ GETS_OUT, "known_program_raced", known_program_raced },
	{ GETS_OUT, "known_interpreter_of_another", known_interpreter_of_another },
	{ HAS_TO_WORK, "known_names_still_work", known_names_still_work },
};
MAIN(rows)
