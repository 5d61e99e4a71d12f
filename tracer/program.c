/* SPDX-License-Identifier: MIT */
/* program.c - see program.h; execve(2), elf(5), ld.so(8). The file is the tool's: nothing in it is trusted. */
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "elf_bounds.h"
#include "wire.h"

enum {
	SCRIPT_LINE = 256,    /* BINPRM_BUF_SIZE: as far as the kernel reads a "#!" line */
	HEADERS_SIZE = 65536, /* load_elf_phdrs(): a program with more program headers is none */
};

/* "#! interpreter [argument]": as load_script() in fs/binfmt_script.c takes it apart. */
static int read_script(const char *line, size_t length, struct program_file *file)
{
	size_t start = 2, end;

	while (start < length && (line[start] == ' ' || line[start] == '\t'))
		start++;
	for (end = start; end < length; end++)
		if (line[end] == ' ' || line[end] == '\t' || line[end] == '\n' || line[end] == 0)
			break;
	if (end == start || (end == length && length == SCRIPT_LINE))
		return -ENOEXEC; /* nothing named, or perhaps not all of the name */
	file->kind = PROGRAM_SCRIPT;
	memcpy(file->interpreter, line + start, end - start);
	file->interpreter[end - start] = 0;
	return 0;
}

static int read_interpreter(int fd, const GElf_Phdr *header, struct program_file *file)
{
	if (header->p_filesz < 2 || header->p_filesz > sizeof file->interpreter)
		return -ENOEXEC;
	ssize_t n = pread(fd, file->interpreter, header->p_filesz, (off_t)header->p_offset);
	if (n != (ssize_t)header->p_filesz || file->interpreter[n - 1] != 0)
		return -ENOEXEC;
	return 0;
}

/* Does the dynamic section say that this is a program (a static PIE), and not a library or loader? */
static bool says_pie(Elf *elf, const GElf_Phdr *header)
{
	Elf_Data *data = elf_bounds_dynamic(elf, header);
	GElf_Dyn entry;

	for (int i = 0; data && gelf_getdyn(data, i, &entry) && entry.d_tag != DT_NULL; i++)
		if (entry.d_tag == DT_FLAGS_1)
			return (entry.d_un.d_val & DF_1_PIE) != 0;
	return false;
}

static int read_elf(int fd, Elf *elf, struct program_file *file)
{
	GElf_Ehdr head;
	GElf_Phdr header;
	size_t count;
	bool pie = false;

	if (!gelf_getehdr(elf, &head) || elf_getphdrnum(elf, &count) < 0 || count * sizeof(Elf64_Phdr) > HEADERS_SIZE)
		return -ENOEXEC;
	file->kind = PROGRAM_ELF;
	if (head.e_ident[EI_CLASS] != ELFCLASS64 || head.e_machine != EM_X86_64) {
		file->kind = PROGRAM_FOREIGN;
		return 0;
	}
	for (size_t i = 0; i < count && i < INT_MAX; i++) {
		if (!gelf_getphdr(elf, (int)i, &header))
			return -ENOEXEC;
		if (header.p_type == PT_LOAD && head.e_type == ET_EXEC && header.p_vaddr < RESERVED_END)
			file->kind = PROGRAM_LOW;
		/* the kernel takes the first */
		if (header.p_type == PT_INTERP && !file->interpreter[0]) {
			int r = read_interpreter(fd, &header, file);
			if (r < 0)
				return r;
		}
		if (header.p_type == PT_DYNAMIC)
			pie = says_pie(elf, &header);
	}
	file->loader = head.e_type == ET_DYN && !file->interpreter[0] && !pie;
	return 0;
}

/* ---- what was found lately ---------------------------------------------- */

/*
 * The same few programs are run again and again. What lies in a file may change between a look and the kernel's as it is, which
 * is seen to after the exec (judge_exec.c); so what is kept needs to be no truer than what was read.
 */
enum { KEPT_COUNT = 64, KEPT_NAME = 64, SETTLED_S = 2 };
static _Thread_local struct kept {
	struct {
		dev_t dev;
		ino_t ino;
		off_t size;
		struct timespec modified, changed;
	} id; /* ino 0: none */
	enum program_kind kind;
	char interpreter[KEPT_NAME];
	bool loader;
} kept[KEPT_COUNT];

static struct kept *kept_place(const struct stat *st)
{
	return &kept[(st->st_ino ^ st->st_ino >> 8 ^ st->st_dev) % KEPT_COUNT];
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool find_kept(const struct stat *st, struct program_file *file)
{
	const struct kept *k = kept_place(st);

	if (k->id.ino != st->st_ino || k->id.dev != st->st_dev || k->id.size != st->st_size || st->st_ino == 0 ||
	    !same_time(&k->id.modified, &st->st_mtim) || !same_time(&k->id.changed, &st->st_ctim))
		return false;
	file->kind = k->kind;
	file->loader = k->loader;
	/* NOLINTNEXTLINE(clang-analyzer-security.insecureAPI.strcpy): its room was reckoned before */
	strcpy(file->interpreter, k->interpreter);
	return true;
}

/* Not of a file that has just been changed: it could be again, and its times would not tell. */
static void keep(const struct stat *st, const struct program_file *file)
{
	struct timespec now;

	if (strlen(file->interpreter) >= KEPT_NAME || clock_gettime(CLOCK_REALTIME_COARSE, &now) < 0 ||
	    now.tv_sec - st->st_ctim.tv_sec < SETTLED_S)
		return;
	struct kept *k = kept_place(st);
	*k = (struct kept){.id = {st->st_dev, st->st_ino, st->st_size, st->st_mtim, st->st_ctim},
			   .kind = file->kind,
			   .loader = file->loader};
	/* NOLINTNEXTLINE(clang-analyzer-security.insecureAPI.strcpy): its room was reckoned before */
	strcpy(k->interpreter, file->interpreter);
}

/* ------------------------------------------------------------------------- */

static int read_file(int path_fd, struct program_file *file)
{
	char path[64], line[SCRIPT_LINE];

	snprintf(path, sizeof path, "/proc/self/fd/%d", path_fd);
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	ssize_t n = pread(fd, line, sizeof line, 0);
	if (n < 0)
		return -errno;
	if (n >= 2 && memcmp(line, "#!", 2) == 0)
		return read_script(line, (size_t)n, file);
	if (n < SELFMAG || memcmp(line, ELFMAG, SELFMAG) != 0)
		return 0;
	Elf *elf = elf_bounds_begin(fd);
	if (!elf)
		return -ENOEXEC;
	int r = read_elf(fd, elf, file);
	elf_end(elf);
	return r;
}

int program_look(int path_fd, const struct stat *st, struct program_file *file)
{
	file->kind = PROGRAM_UNKNOWN;
	file->interpreter[0] = 0;
	file->loader = false;
	if (!S_ISREG(st->st_mode))
		return -EACCES; /* as execve(2); and reading a FIFO would wait */
	if (find_kept(st, file))
		return 0;
	int r = read_file(path_fd, file);
	if (r == 0)
		keep(st, file);
	return r;
}

int program_read(int path_fd, struct program_file *file)
{
	struct stat st;

	file->kind = PROGRAM_UNKNOWN;
	return fstat(path_fd, &st) < 0 ? -errno : program_look(path_fd, &st, file);
}

/* ---- a loader's arguments ----------------------------------------------- */

/* Options of glibc's and musl's loaders; those with a value take the next argument, or "=value". */
static const char *const with_value[] = {"--library-path",     "--inhibit-rpath", "--audit",
					 "--preload",	       "--argv0",	  "--glibc-hwcaps-prepend",
					 "--glibc-hwcaps-mask"};
static const char *const without_value[] = {"--list", "--verify", "--inhibit-cache"};
static const char *const runs_nothing[] = {"--help", "--version", "--list-tunables", "--list-diagnostics"};

static bool among(const char *option, const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(option, list[i]) == 0)
			return true;
	return false;
}
#define AMONG(option, list) among(option, list, sizeof(list) / sizeof(list)[0])

int program_of_loader(char *const *argv)
{
	int i = 0;

	if (!argv[0])
		return 0;
	for (i = 1; argv[i] && argv[i][0] == '-'; i++) {
		if (AMONG(argv[i], runs_nothing))
			return 0;
		if (AMONG(argv[i], with_value)) {
			if (!argv[++i])
				return 0;
		} else if (!AMONG(argv[i], without_value)) {
			return -EINVAL;
		}
	}
	if (!argv[i])
		return 0;
	return strchr(argv[i], '/') ? i : -EINVAL;
}
