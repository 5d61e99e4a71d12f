/* SPDX-License-Identifier: MIT */
/*
 * program.c - may a program be run? The program itself, the interpreter of a
 * script, the interpreter of that, the dynamic loader, and what a loader is told to run; as tracer/judge_exec.c.
 *
 * And, since nobody else watches: will the shim be in it? A static program does not load it, one for another
 * architecture cannot. Those are refused, unless an option of the command line names exactly that program. A
 * set-user-id program gets no rights (no_new_privs) and loads the shim like any other.
 */
#include <asm-generic/errno.h>
#include <elf.h>
#include <linux/fcntl.h>
#include <linux/stat.h>

#include "shim.h"

enum {
	SCRIPTS_MOST = 5,  /* execve(2): interpreters that are scripts themselves, then ELOOP */
	HEAD_SIZE = 1024,  /* has the program headers of nearly every program */
	SCRIPT_LINE = 256, /* as far as the kernel reads a "#!" line */
	LOADER_ARGS_MOST = 64,
	ENTRIES_AT_ONCE = 40, /* of a dynamic section */
};

/* What a file is, from its first bytes. */
struct program {
	enum { PROGRAM_OTHER, PROGRAM_SCRIPT, PROGRAM_DYNAMIC, PROGRAM_STATIC, PROGRAM_LOADER, PROGRAM_FOREIGN } kind;
	bool sanitized;		       /* AddressSanitizer's library is the first it needs */
	char interpreter[SCRIPT_LINE]; /* of a script or a dynamic program */
};

static bool read_script(const char *line, long length, struct program *program)
{
	long start = 2, end;

	if (length > SCRIPT_LINE)
		length = SCRIPT_LINE;
	while (start < length && (line[start] == ' ' || line[start] == '\t'))
		start++;
	for (end = start; end < length; end++)
		if (line[end] == ' ' || line[end] == '\t' || line[end] == '\n' || line[end] == 0)
			break;
	if (end == start || end == SCRIPT_LINE)
		return false;
	memcpy(program->interpreter, line + start, (size_t)(end - start));
	program->interpreter[end - start] = 0;
	program->kind = PROGRAM_SCRIPT;
	return true;
}

/* What a dynamic section says. */
struct dynamic {
	bool pie;	  /* it is a program (a static PIE), and not a library or loader */
	bool needs;	  /* a library: the first one's name stands */
	uint64_t name;	  /* so many bytes behind */
	uint64_t strings; /* this address */
};

static void read_dynamic(int fd, const Elf64_Phdr *header, struct dynamic *dynamic)
{
	Elf64_Dyn entries[ENTRIES_AT_ONCE];

	*dynamic = (struct dynamic){false, false, 0, 0};
	for (uint64_t at = 0; at < header->p_filesz; at += sizeof entries) {
		long n = raw(__NR_pread64, fd, entries, sizeof entries, header->p_offset + at);
		for (long i = 0; i < n / (long)sizeof entries[0]; i++) {
			switch (entries[i].d_tag) {
			case DT_NULL:
				return;
			case DT_FLAGS_1:
				dynamic->pie = (entries[i].d_un.d_val & DF_1_PIE) != 0;
				break;
			case DT_STRTAB:
				dynamic->strings = entries[i].d_un.d_ptr;
				break;
			case DT_NEEDED:
				if (!dynamic->needs)
					dynamic->name = entries[i].d_un.d_val;
				dynamic->needs = true;
				break;
			default:
				break;
			}
		}
		if (n < (long)sizeof entries)
			return;
	}
}

/* `first` is the segment that has the names of libraries. */
static bool needs_sanitizer(int fd, const struct dynamic *dynamic, const Elf64_Phdr *first)
{
	char name[sizeof WIRE_SANITIZER_CLANG] = "";
	uint64_t at = dynamic->strings - first->p_vaddr + first->p_offset + dynamic->name;

	return dynamic->needs && first->p_filesz > 0 && raw(__NR_pread64, fd, name, sizeof name - 1, at) > 0 &&
	       (text_begins(name, WIRE_SANITIZER_GCC) || text_begins(name, WIRE_SANITIZER_CLANG));
}

static bool read_interpreter(int fd, const char *head, long length, const Elf64_Phdr *header, struct program *program)
{
	uint64_t size = header->p_filesz, at = header->p_offset;

	if (size < 2 || size > sizeof program->interpreter)
		return false;
	if (at <= (uint64_t)length && size <= (uint64_t)length - at)
		memcpy(program->interpreter, head + at, size);
	else if (raw(__NR_pread64, fd, program->interpreter, size, at) != (long)size)
		return false;
	return program->interpreter[size - 1] == 0;
}

static bool read_elf(int fd, const char *head, long length, struct program *program)
{
	Elf64_Ehdr elf;
	Elf64_Phdr header, first = {.p_filesz = 0};
	struct dynamic dynamic = {false, false, 0, 0};

	memcpy(&elf, head, sizeof elf);
	program->kind = PROGRAM_FOREIGN;
	if (elf.e_ident[EI_CLASS] != ELFCLASS64 || elf.e_machine != EM_X86_64)
		return true;
	program->kind = PROGRAM_STATIC;
	for (unsigned i = 0; i < elf.e_phnum; i++) {
		uint64_t at = elf.e_phoff + i * sizeof header;
		if (at + sizeof header <= (uint64_t)length)
			memcpy(&header, head + at, sizeof header);
		else if (raw(__NR_pread64, fd, &header, sizeof header, at) != sizeof header)
			return false;
		if (header.p_type == PT_DYNAMIC)
			read_dynamic(fd, &header, &dynamic);
		if (header.p_type == PT_LOAD && first.p_filesz == 0)
			first = header;
		if (header.p_type != PT_INTERP || program->kind == PROGRAM_DYNAMIC)
			continue;
		if (!read_interpreter(fd, head, length, &header, program))
			return false;
		program->kind = PROGRAM_DYNAMIC;
	}
	if (program->kind == PROGRAM_STATIC && elf.e_type == ET_DYN && !dynamic.pie)
		program->kind = PROGRAM_LOADER;
	program->sanitized = program->kind == PROGRAM_DYNAMIC && needs_sanitizer(fd, &dynamic, &first);
	return true;
}

/* From a descriptor, which is closed. 0 or -errno with which it cannot be read. */
static int read_from(long fd, struct program *program)
{
	char head[HEAD_SIZE];
	long n = raw(__NR_pread64, fd, head, sizeof head, 0);

	program->kind = PROGRAM_OTHER;
	program->interpreter[0] = 0;
	program->sanitized = false;
	bool known = true;
	if (n >= 2 && head[0] == '#' && head[1] == '!')
		known = read_script(head, n, program);
	else if (n >= (long)sizeof(Elf64_Ehdr) && memcmp(head, ELFMAG, SELFMAG) == 0)
		known = read_elf((int)fd, head, n, program);
	raw(__NR_close, fd);
	return n < 0 ? (int)n : known ? 0 : -ENOEXEC;
}

static int program_read(const struct place *place, struct program *program)
{
	long fd = place_read(place);

	return fd < 0 ? (int)fd : read_from(fd, program);
}

/* Did somebody say on the command line that exactly this may be run? */
static bool is_named(const struct place *place)
{
	struct verdict verdict = {.allowed = false, .error = 0, .rule = RULE_DEFAULT};
	unsigned image = 0;

	if (judge_asked(place, ACCESS_EXEC, &verdict, &image) || verdict.rule == RULE_DEFAULT ||
	    verdict.rule >= image_rule_count(shim.images[image]))
		return false;
	struct rule rule = image_rule(shim.images[image], verdict.rule);
	return rule.key == RULE_EXEC_ALLOW && rule.layer == LAYER_COMMAND_LINE &&
	       text_length(rule.target) == place->length && memcmp(rule.target, place->name, place->length) == 0;
}

/* Which of a loader's arguments it runs, 0: none, -1: cannot be told. Options as tracer/program.c knows them. */
static int program_of_loader(char *const *argv)
{
	int i = 1;

	if (!argv || !argv[0])
		return 0;
	for (; i < LOADER_ARGS_MOST && argv[i] && argv[i][0] == '-'; i++) {
		if (text_equal(argv[i], "--help") || text_equal(argv[i], "--version") ||
		    text_begins(argv[i], "--list-"))
			return 0;
		if (text_equal(argv[i], "--library-path") || text_equal(argv[i], "--inhibit-rpath") ||
		    text_equal(argv[i], "--argv0") || text_equal(argv[i], "--preload") ||
		    text_equal(argv[i], "--audit")) {
			if (!argv[++i])
				return 0;
		} else if (!text_equal(argv[i], "--list") && !text_equal(argv[i], "--verify") &&
			   !text_equal(argv[i], "--inhibit-cache")) {
			return -1;
		}
	}
	return !argv[i] ? 0 : text_find(argv[i], '/') ? i : -1;
}

/* What no option opens. */
static int refuse_program(struct request *request, const struct place *place)
{
	return refuse_place(request, place, WIRE_PROCESS_EXEC, WIRE_ABOUT_CALL, EACCES, ACCESS_EXEC);
}

/* What an option that names the program opens. */
static int refuse_unnamed(struct request *request, const struct place *place, enum wire_kind kind, int error)
{
	return is_named(place) ? 0 : refuse_place(request, place, kind, WIRE_ABOUT_PROGRAM, error, ACCESS_EXEC);
}

/* A loader that honours LD_PRELOAD, and that may be read or run. What is missing is that it may be read, since that is less. */
static int judge_interpreter(struct request *request, const char *path)
{
	struct place place;
	struct verdict verdict;
	unsigned image;
	const char *base = path;
	int r = place_resolve(&place, AT_FDCWD, path, true);

	for (const char *slash = path; (slash = text_find(slash, '/')) != NULL; base = ++slash)
		;
	if (r < 0 || !place.exists)
		r = place_unresolvable(r) ? r : 0; /* the kernel says so */
	else if (!text_begins(base, "ld-linux") && !text_begins(base, "ld-musl"))
		r = refuse_program(request, &place);
	else if (judge_asked(&place, ACCESS_READ, &verdict, &image) &&
		 judge_asked(&place, ACCESS_EXEC, &verdict, &image))
		r = judge_place(request, &place, ACCESS_READ, false);
	place_close(&place);
	return r;
}

static int judge_program(struct request *request, struct place *place, char *const *argv, struct program *program)
{
	int r = 0;

	if (place->nameless)
		return refuse_program(request, place);
	r = judge_place(request, place, ACCESS_EXEC, false);
	if (r < 0)
		return r;
	r = program_read(place, program);
	if (r < 0) /* what may be run but not read may be anything */
		return r == -EACCES && place_ordinary(place, 1) == 0 ? refuse_program(request, place) : r;
	switch (program->kind) {
	case PROGRAM_DYNAMIC:
		return judge_interpreter(request, program->interpreter);
	case PROGRAM_LOADER:
		r = program_of_loader(argv);
		if (r < 0)
			return refuse_program(request, place);
		r = r > 0 ? judge_exec(AT_FDCWD, argv[r], NULL, 0) : 0;
		return r < 0 ? r : 0;
	case PROGRAM_STATIC:
		return refuse_unnamed(request, place, WIRE_PROCESS_EXEC, EACCES);
	case PROGRAM_FOREIGN:
		return refuse_unnamed(request, place, WIRE_INTERFACE, ENOEXEC);
	case PROGRAM_SCRIPT:
	case PROGRAM_OTHER:
		break;
	}
	return 0;
}

int judge_exec(int dirfd, const char *path, char *const *argv, int flags)
{
	struct request request = request_of(NUMBER_execve, path);
	struct program program;
	struct place place;
	int r;

	program.kind = PROGRAM_SCRIPT;
	program.sanitized = false;
	if ((flags & AT_EMPTY_PATH) && !*path)
		r = judge_resolve_fd(&place, dirfd);
	else
		r = judge_resolve(&request, &place, dirfd, path, !(flags & AT_SYMLINK_NOFOLLOW));
	for (int links = 0; links <= SCRIPTS_MOST && program.kind == PROGRAM_SCRIPT; links++) {
		if (r != 0 || (place_type(&place) != S_IFREG && !judge_hidden(&place))) {
			r = r == JUDGED_FAILS ? 0 : r; /* the kernel says why not */
			break;
		}
		r = judge_program(&request, &place, argv, &program);
		if (r < 0 || program.kind != PROGRAM_SCRIPT)
			break;
		place_close(&place);
		r = judge_resolve(&request, &place, AT_FDCWD, program.interpreter, true);
	}
	place_close(&place);
	return r == 0 && program.kind == PROGRAM_DYNAMIC && program.sanitized ? JUDGED_SANITIZED : r;
}
