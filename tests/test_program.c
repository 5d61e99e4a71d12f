/* SPDX-License-Identifier: MIT */
/* test_program.c - what kind of program a file is: ELF files made here byte by byte, scripts of all forms, rubbish. */
#include "program.h"

#include <elf.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>

#include "policy_help.h"
#include "wire.h"

static int open_path(const char *name)
{
	int fd = open(name, O_PATH | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	return fd;
}

static int read_program(const char *bytes, size_t length, struct program_file *file)
{
	help_write("program", bytes, length);
	int fd = open_path("program"), r = program_read(fd, file);
	close(fd);
	return r;
}

/* ---- ELF files made by hand --------------------------------------------- */

enum { HEADERS = 8, DYNAMICS = 4 };
static struct elf {
	Elf64_Ehdr head;
	Elf64_Phdr program[HEADERS];
	Elf64_Dyn dynamic[DYNAMICS];
	char interpreter[PATH_MAX + 16];
} elf;
static size_t elf_length;

static Elf64_Phdr *add(Elf64_Word type, Elf64_Addr address)
{
	Elf64_Phdr *header = &elf.program[elf.head.e_phnum++];

	*header = (Elf64_Phdr){.p_type = type, .p_vaddr = address, .p_filesz = 4096, .p_memsz = 4096, .p_align = 4096};
	return header;
}

static void begin(Elf64_Half type)
{
	memset(&elf, 0, sizeof elf);
	elf_length = sizeof elf;
	memcpy(elf.head.e_ident, ELFMAG, SELFMAG);
	elf.head.e_ident[EI_CLASS] = ELFCLASS64;
	elf.head.e_ident[EI_DATA] = ELFDATA2LSB;
	elf.head.e_ident[EI_VERSION] = EV_CURRENT;
	elf.head.e_type = type;
	elf.head.e_machine = EM_X86_64;
	elf.head.e_version = EV_CURRENT;
	elf.head.e_phoff = offsetof(struct elf, program);
	elf.head.e_ehsize = sizeof elf.head;
	elf.head.e_phentsize = sizeof elf.program[0];
}

static Elf64_Phdr *interpreter(const char *name)
{
	Elf64_Phdr *header = add(PT_INTERP, 0);

	strcpy(elf.interpreter, name);
	header->p_offset = offsetof(struct elf, interpreter);
	header->p_filesz = strlen(name) + 1;
	return header;
}

static Elf64_Phdr *dynamic(Elf64_Sxword tag, Elf64_Xword value)
{
	Elf64_Phdr *header = add(PT_DYNAMIC, 0);

	elf.dynamic[0].d_tag = DT_SONAME;
	elf.dynamic[1].d_tag = tag;
	elf.dynamic[1].d_un.d_val = value;
	header->p_offset = offsetof(struct elf, dynamic);
	header->p_filesz = sizeof elf.dynamic;
	return header;
}

static void fixed_address(Elf64_Addr address)
{
	begin(ET_EXEC);
	add(PT_LOAD, address);
}

#define LOADER "/lib64/ld-linux-x86-64.so.2"

/* clang-format off */
static void is_static(void) { fixed_address(0x400000); }
static void is_dynamic(void) { fixed_address(0x400000); interpreter(LOADER); }
static void is_pie(void) { begin(ET_DYN); interpreter(LOADER); add(PT_LOAD, 0); dynamic(DT_FLAGS_1, DF_1_PIE); }
static void is_old_pie(void) { begin(ET_DYN); interpreter(LOADER); add(PT_LOAD, 0); }
static void is_static_pie(void) { begin(ET_DYN); add(PT_LOAD, 0); dynamic(DT_FLAGS_1, DF_1_NOW | DF_1_PIE); }
static void is_library(void) { begin(ET_DYN); add(PT_LOAD, 0); dynamic(DT_FLAGS_1, DF_1_NOW); }
static void is_library_without_flags(void) { begin(ET_DYN); add(PT_LOAD, 0); dynamic(DT_FLAGS, DF_1_PIE); }
static void has_flags_behind_the_end(void)
{
	is_library();
	elf.dynamic[0].d_tag = DT_NULL;
	elf.dynamic[1] = (Elf64_Dyn){DT_FLAGS_1, {DF_1_PIE}};
}
static void has_no_dynamic_section(void) { begin(ET_DYN); add(PT_LOAD, 0); }
static void has_dynamic_section_outside(void) { is_static_pie(); elf.program[1].p_offset = 1u << 30; }
static void lies_at_first_address(void) { fixed_address(RESERVED_START); }
static void lies_at_zero(void) { fixed_address(0); }
static void lies_below_end(void) { fixed_address(RESERVED_END - 1); }
static void lies_at_end(void) { fixed_address(RESERVED_END); }
static void lies_low_in_part(void) { fixed_address(0x400000); add(PT_LOAD, RESERVED_START); }
static void lies_low_and_dynamic(void) { lies_at_first_address(); interpreter(LOADER); }
static void has_low_note(void) { fixed_address(0x400000); add(PT_NOTE, 0); }
static void is_32_bit_machine(void) { is_static(); elf.head.e_machine = EM_386; }
static void is_arm(void) { is_static(); elf.head.e_machine = EM_AARCH64; }
static void is_x32(void)
{
	Elf32_Ehdr head = {.e_type = ET_EXEC, .e_machine = EM_X86_64, .e_version = EV_CURRENT, .e_ehsize = sizeof head};

	begin(ET_EXEC);
	memcpy(head.e_ident, elf.head.e_ident, EI_NIDENT);
	head.e_ident[EI_CLASS] = ELFCLASS32;
	memset(&elf, 0, sizeof elf);
	memcpy(&elf, &head, sizeof head);
}
static void is_big_endian(void) { is_static(); elf.head.e_ident[EI_DATA] = ELFDATA2MSB; }
static void has_two_interpreters(void)
{
	is_dynamic();
	Elf64_Phdr *second = add(PT_INTERP, 0);
	strcpy(elf.interpreter + 100, "/other");
	second->p_offset = offsetof(struct elf, interpreter) + 100;
	second->p_filesz = sizeof "/other";
}
static void has_interpreter_without_nul(void) { is_dynamic(); elf.program[1].p_filesz--; }
static void has_empty_interpreter(void) { fixed_address(0x400000); interpreter(""); }
static void has_interpreter_of_no_length(void) { is_dynamic(); elf.program[1].p_filesz = 0; }
static void has_interpreter_outside(void) { is_dynamic(); elf.program[1].p_offset = 1u << 30; }
static void has_interpreter_at_negative_offset(void) { is_dynamic(); elf.program[1].p_offset = UINT64_MAX - 10; }
static void has_huge_interpreter(void) { is_dynamic(); elf.program[1].p_filesz = UINT64_MAX; }
static void has_longest_interpreter(void)
{
	fixed_address(0x400000);
	memset(elf.interpreter, 'i', PATH_MAX - 1);
	elf.program[elf.head.e_phnum++] =
		(Elf64_Phdr){.p_type = PT_INTERP, .p_offset = offsetof(struct elf, interpreter), .p_filesz = PATH_MAX};
}
static void has_too_long_interpreter(void) { has_longest_interpreter(); elf.program[1].p_filesz++; }
static void has_nul_in_interpreter(void) { is_dynamic(); elf.interpreter[4] = 0; }
static void has_only_the_magic(void) { begin(ET_EXEC); elf_length = SELFMAG; }
static void has_half_a_head(void) { is_static(); elf_length = sizeof elf.head / 2; }
static void has_a_head_only(void) { is_static(); elf_length = sizeof elf.head; }
static void has_half_a_program_header(void) { is_static(); elf_length = sizeof elf.head + sizeof elf.program[0] / 2; }
static void has_headers_outside(void) { is_static(); elf.head.e_phoff = 1u << 30; }
static void has_headers_at_the_end_of_all_numbers(void) { is_static(); elf.head.e_phoff = UINT64_MAX - 8; }
static void has_huge_count(void) { is_static(); elf.head.e_phnum = PN_XNUM - 1; }
static void has_count_elsewhere(void)
{
	is_static();
	elf.head.e_phnum = PN_XNUM;
	elf.head.e_shoff = 1u << 30;
	elf.head.e_shnum = 1;
}
static void has_no_headers(void) { begin(ET_EXEC); }
static void has_wrong_entry_size(void) { is_static(); elf.head.e_phentsize = 1; }
static void is_of_no_class(void) { is_static(); elf.head.e_ident[EI_CLASS] = 77; }
static void is_of_no_version(void) { is_static(); elf.head.e_ident[EI_VERSION] = 77; }
/* clang-format on */

/* `kind`: or the error as a negative number. PROGRAM_LOW or an error is never run; neither is PROGRAM_FOREIGN. */
#define FORM(make) #make, make
static const struct {
	const char *name;
	void (*make)(void);
	int kind;
	const char *interpreter;
	bool loader;
} forms[] = {
	{FORM(is_static), PROGRAM_ELF, "", false},
	{FORM(is_dynamic), PROGRAM_ELF, LOADER, false},
	{FORM(is_pie), PROGRAM_ELF, LOADER, false},
	{FORM(is_old_pie), PROGRAM_ELF, LOADER, false},
	{FORM(is_static_pie), PROGRAM_ELF, "", false},
	{FORM(is_library), PROGRAM_ELF, "", true},
	{FORM(is_library_without_flags), PROGRAM_ELF, "", true},
	{FORM(has_flags_behind_the_end), PROGRAM_ELF, "", true},
	{FORM(has_no_dynamic_section), PROGRAM_ELF, "", true},
	{FORM(has_dynamic_section_outside), PROGRAM_ELF, "", true},
	{FORM(lies_at_first_address), PROGRAM_LOW, "", false},
	{FORM(lies_at_zero), PROGRAM_LOW, "", false},
	{FORM(lies_below_end), PROGRAM_LOW, "", false},
	{FORM(lies_at_end), PROGRAM_ELF, "", false},
	{FORM(lies_low_in_part), PROGRAM_LOW, "", false},
	{FORM(lies_low_and_dynamic), PROGRAM_LOW, LOADER, false},
	{FORM(has_low_note), PROGRAM_ELF, "", false},
	{FORM(is_32_bit_machine), PROGRAM_FOREIGN, "", false},
	{FORM(is_arm), PROGRAM_FOREIGN, "", false},
	{FORM(is_x32), PROGRAM_FOREIGN, "", false},
	{FORM(is_big_endian), -ENOEXEC, NULL, false},
	{FORM(has_two_interpreters), PROGRAM_ELF, LOADER, false},
	{FORM(has_interpreter_without_nul), -ENOEXEC, NULL, false},
	{FORM(has_empty_interpreter), -ENOEXEC, NULL, false},
	{FORM(has_interpreter_of_no_length), -ENOEXEC, NULL, false},
	{FORM(has_interpreter_outside), -ENOEXEC, NULL, false},
	{FORM(has_interpreter_at_negative_offset), -ENOEXEC, NULL, false},
	{FORM(has_huge_interpreter), -ENOEXEC, NULL, false},
	{FORM(has_longest_interpreter), PROGRAM_ELF, NULL, false},
	{FORM(has_too_long_interpreter), -ENOEXEC, NULL, false},
	{FORM(has_nul_in_interpreter), PROGRAM_ELF, "/lib", false},
	{FORM(has_only_the_magic), -ENOEXEC, NULL, false},
	{FORM(has_half_a_head), -ENOEXEC, NULL, false},
	{FORM(has_a_head_only), -ENOEXEC, NULL, false},
	{FORM(has_half_a_program_header), PROGRAM_ELF, "", false}, /* the kernel itself refuses it */
	{FORM(has_headers_outside), -ENOEXEC, NULL, false},
	{FORM(has_headers_at_the_end_of_all_numbers), -ENOEXEC, NULL, false},
	{FORM(has_huge_count), -ENOEXEC, NULL, false},
	{FORM(has_count_elsewhere), -ENOEXEC, NULL, false},
	{FORM(has_no_headers), PROGRAM_ELF, "", false},
	{FORM(has_wrong_entry_size), PROGRAM_ELF, "", false}, /* the same */
	{FORM(is_of_no_class), -ENOEXEC, NULL, false},
	{FORM(is_of_no_version), -ENOEXEC, NULL, false},
};

START_TEST(an_elf_file_is_of_its_kind)
{
	struct program_file file;

	forms[_i].make();
	int r = read_program((const char *)&elf, elf_length, &file);
	int got = r < 0 ? r : (int)file.kind;
	ck_assert_msg(got == forms[_i].kind, "a file that %s: %d, not %d", forms[_i].name, got, forms[_i].kind);
	if (r == 0 && forms[_i].interpreter)
		ck_assert_str_eq(file.interpreter, forms[_i].interpreter);
	if (r == 0)
		ck_assert_msg(file.loader == forms[_i].loader, "a file that %s", forms[_i].name);
}
END_TEST

/* Cut off anywhere, or with one byte changed, it is something or nothing; and nothing bad comes of it. */
START_TEST(a_damaged_elf_file_does_no_harm)
{
	struct program_file file;

	for (size_t length = 0; length < sizeof elf.head + 4 * sizeof elf.program[0]; length++) {
		is_pie();
		read_program((const char *)&elf, length, &file);
		ck_assert_ptr_nonnull(memchr(file.interpreter, 0, sizeof file.interpreter));
	}
	for (size_t at = 0; at < sizeof elf.head + 4 * sizeof elf.program[0]; at++) {
		is_pie();
		((char *)&elf)[at] = (char)0xff;
		if (read_program((const char *)&elf, sizeof elf, &file) == 0)
			ck_assert_ptr_nonnull(memchr(file.interpreter, 0, sizeof file.interpreter));
	}
}
END_TEST

START_TEST(this_test_is_a_dynamic_program)
{
	struct program_file file;
	int fd = open_path("/proc/self/exe");

	ck_assert_int_eq(program_read(fd, &file), 0);
	close(fd);
	ck_assert_int_eq(file.kind, PROGRAM_ELF);
	ck_assert_int_eq(file.interpreter[0], '/');
	ck_assert(!file.loader);
	fd = open_path(file.interpreter);
	ck_assert_int_eq(program_read(fd, &file), 0);
	close(fd);
	ck_assert_int_eq(file.kind, PROGRAM_ELF);
	ck_assert_str_eq(file.interpreter, "");
	ck_assert(file.loader);
}
END_TEST

/* ---- scripts ------------------------------------------------------------ */

#define LINE(text) text, sizeof(text) - 1
static const struct {
	const char *text;
	size_t length;
	const char *interpreter; /* NULL: -ENOEXEC */
} scripts[] = {
	{LINE("#!/bin/sh\n"), "/bin/sh"},
	{LINE("#!/bin/sh"), "/bin/sh"},
	{LINE("#! /bin/sh\n"), "/bin/sh"},
	{LINE("#!\t \t/bin/sh\n"), "/bin/sh"},
	{LINE("#!/bin/sh -e\necho"), "/bin/sh"},
	{LINE("#!/bin/sh\t-e -u\n"), "/bin/sh"},
	{LINE("#!/usr/bin/env python3\n"), "/usr/bin/env"},
	{LINE("#!relative/interpreter\n"), "relative/interpreter"},
	{LINE("#!/bin/sh\r\n"), "/bin/sh\r"}, /* as the kernel has it: there is no such program */
	{LINE("#!/bin/sh\0more\n"), "/bin/sh"},
	{LINE("#!/bin/\xff\xfe\n"), "/bin/\xff\xfe"},
	{LINE("#!"), NULL},
	{LINE("#!\n"), NULL},
	{LINE("#!   \n/bin/sh\n"), NULL},
	{LINE("#!   "), NULL},
	{LINE("#!\0/bin/sh\n"), NULL},
};

START_TEST(a_script_names_its_interpreter)
{
	struct program_file file;
	int r = read_program(scripts[_i].text, scripts[_i].length, &file);

	ck_assert_int_eq(r, scripts[_i].interpreter ? 0 : -ENOEXEC);
	if (r < 0)
		return;
	ck_assert_int_eq(file.kind, PROGRAM_SCRIPT);
	ck_assert_str_eq(file.interpreter, scripts[_i].interpreter);
}
END_TEST

/* execve(2): 255 bytes of the line count. A name that may go on beyond them is not known. */
static const struct {
	size_t name, blanks;
	char end;
	bool known;
} lines[] = {
	{100, 0, '\n', true}, {253, 0, '\n', true}, {254, 0, '\n', false},  {300, 0, '\n', false},
	{253, 0, ' ', true},  {254, 0, ' ', false}, {100, 153, '\n', true}, {100, 154, '\n', false},
	{1, 253, 'x', false}, {200, 0, 0, true},    {1000, 0, 0, false},
};

START_TEST(a_line_that_is_too_long_to_be_sure_of_is_no_script)
{
	static char text[2048];
	struct program_file file;
	size_t at = 2;

	memset(text, 'z', sizeof text);
	memcpy(text, "#!", 2);
	memset(text + at, ' ', lines[_i].blanks);
	at += lines[_i].blanks;
	memset(text + at, 'i', lines[_i].name);
	at += lines[_i].name;
	text[at] = lines[_i].end;
	int r = read_program(text, sizeof text, &file);
	ck_assert_int_eq(r, lines[_i].known ? 0 : -ENOEXEC);
	if (r == 0)
		ck_assert_uint_eq(strspn(file.interpreter, "i"), lines[_i].name);
}
END_TEST

/* ---- neither ------------------------------------------------------------ */

static const struct {
	const char *text;
	size_t length;
} rubbish[] = {
	{LINE("")},
	{LINE("#")},
	{LINE(" #!/bin/sh\n")},
	{LINE("\177EL")},
	{LINE("\177elf")},
	{LINE("MZ\220")},
	{LINE("echo hello\n")},
	{LINE("\0\0\0\0\0\0\0\0")},
	{LINE("\xef\xbb\xbf#!/bin/sh\n")},
};

START_TEST(rubbish_is_unknown)
{
	struct program_file file;

	ck_assert_int_eq(read_program(rubbish[_i].text, rubbish[_i].length, &file), 0);
	ck_assert_int_eq(file.kind, PROGRAM_UNKNOWN);
	ck_assert_str_eq(file.interpreter, "");
}
END_TEST

/* What is known of a file that is left alone for a while is kept; not beyond its change, though the file is as long and as old. */
START_TEST(a_program_that_was_changed_is_looked_into_again)
{
	static const struct timespec settled = {.tv_sec = 3};
	struct program_file file;
	struct stat before;

	ck_assert_int_eq(read_program("#!/bin/one\n", 11, &file), 0);
	ck_assert_int_eq(stat("program", &before), 0);
	nanosleep(&settled, NULL);
	for (int i = 0; i < 2; i++) {
		int fd = open_path("program");
		ck_assert_int_eq(program_read(fd, &file), 0);
		close(fd);
		ck_assert_str_eq(file.interpreter, "/bin/one");
	}
	int fd = open("program", O_WRONLY | O_CLOEXEC);
	ck_assert_int_eq(pwrite(fd, "two", 3, 7), 3);
	ck_assert_int_eq(futimens(fd, (struct timespec[2]){before.st_atim, before.st_mtim}), 0);
	close(fd);
	fd = open_path("program");
	ck_assert_int_eq(program_read(fd, &file), 0);
	close(fd);
	ck_assert_str_eq(file.interpreter, "/bin/two");
}
END_TEST

START_TEST(only_regular_files_are_looked_into)
{
	struct program_file file;
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "socket"};
	int fds[] = {-1, -1, -1, -1};

	ck_assert_int_eq(mkfifo("fifo", 0600), 0);
	ck_assert_int_eq(symlink("nowhere", "link"), 0);
	int s = socket(AF_UNIX, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(s, (struct sockaddr *)&address, sizeof address), 0);
	fds[0] = open_path("fifo"); /* whoever opened it for reading would wait for ever */
	fds[1] = open("link", O_PATH | O_NOFOLLOW);
	fds[2] = open_path("socket");
	fds[3] = open_path(".");
	for (int i = 0; i < 4; i++) {
		ck_assert_int_eq(program_read(fds[i], &file), -EACCES);
		close(fds[i]);
	}
	close(s);
	ck_assert_int_eq(program_read(-1, &file), -EBADF);
}
END_TEST

START_TEST(a_file_that_may_only_be_run_is_told_so)
{
	struct program_file file;

	help_write("program", "#!/bin/sh\n", 10);
	ck_assert_int_eq(chmod("program", 0111), 0);
	int fd = open_path("program"), r = program_read(fd, &file);
	close(fd);
	ck_assert_int_eq(r, geteuid() == 0 ? 0 : -EACCES);
}
END_TEST

/* ---- a loader's arguments ----------------------------------------------- */

enum { WORDS = 8 };
static const struct {
	const char *words[WORDS];
	int result;
} commands[] = {
	{{"ld.so", "/bin/ls", NULL}, 1},
	{{"ld.so", "./program", "-x", NULL}, 1},
	{{"ld.so", "--library-path", "/lib", "/bin/ls", NULL}, 3},
	{{"ld.so", "--inhibit-cache", "--preload", "x.so", "/bin/ls", "--library-path", NULL}, 4},
	{{"ld.so", "--argv0", "/bin/other", "/bin/ls", NULL}, 3},
	{{"ld.so", "--list", "/bin/ls", NULL}, 2},
	{{"ld.so", "--verify", "/bin/ls", NULL}, 2},
	{{"ld.so", "--glibc-hwcaps-mask", "x", "--inhibit-rpath", "y", "/bin/ls", NULL}, 5},
	{{"ld.so", "--version", NULL}, 0},
	{{"ld.so", "--help", "/bin/ls", NULL}, 0},
	{{"ld.so", NULL}, 0},
	{{NULL}, 0},
	{{"ld.so", "--list", NULL}, 0},
	{{"ld.so", "--library-path", NULL}, 0},
	{{"ld.so", "--library-path", "/lib", NULL}, 0},
	/* cannot be told */
	{{"ld.so", "ls", NULL}, -EINVAL},
	{{"ld.so", "", NULL}, -EINVAL},
	{{"ld.so", "--", "/bin/ls", NULL}, -EINVAL},
	{{"ld.so", "--new-option", "/bin/ls", NULL}, -EINVAL},
	{{"ld.so", "--library-path=/lib", "/bin/ls", NULL}, -EINVAL},
	{{"ld.so", "-", "/bin/ls", NULL}, -EINVAL},
	{{"ld.so", "--argv0", "--list", "ls", NULL}, -EINVAL},
};

START_TEST(the_program_among_a_loaders_arguments_is_found)
{
	ck_assert_int_eq(program_of_loader((char *const *)commands[_i].words), commands[_i].result);
}
END_TEST

#define COUNT(list) (int)(sizeof(list) / sizeof(list)[0])

int main(void)
{
	Suite *suite = suite_create("program");
	TCase *tests = tcase_create("program");

	tcase_add_checked_fixture(tests, help_setup, help_teardown);
	tcase_add_loop_test(tests, an_elf_file_is_of_its_kind, 0, COUNT(forms));
	tcase_add_test(tests, a_damaged_elf_file_does_no_harm);
	tcase_add_test(tests, this_test_is_a_dynamic_program);
	tcase_add_loop_test(tests, a_script_names_its_interpreter, 0, COUNT(scripts));
	tcase_add_loop_test(tests, a_line_that_is_too_long_to_be_sure_of_is_no_script, 0, COUNT(lines));
	tcase_add_loop_test(tests, rubbish_is_unknown, 0, COUNT(rubbish));
	tcase_add_test(tests, a_program_that_was_changed_is_looked_into_again);
	tcase_add_test(tests, only_regular_files_are_looked_into);
	tcase_add_test(tests, a_file_that_may_only_be_run_is_told_so);
	tcase_add_loop_test(tests, the_program_among_a_loaders_arguments_is_found, 0, COUNT(commands));
	suite_add_tcase(suite, tests);
	return help_run(suite);
}
