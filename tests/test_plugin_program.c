/* SPDX-License-Identifier: MIT */
/*
 * test_plugin_program.c - the sealed copy of a plugin's program, its first line,
 * the manifest embedded in it, and what of an ELF file is refused.
 */
#include "plugin_program.h"

#include <check.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "plugin_elf.h"
#include "plugin_note.h"

static struct complaint why;
static const struct plugin_limits no_policy = {.count = 0};

static void setup(void)
{
	ck_assert_int_eq(sign_start(), 0);
	why.text[0] = '\0';
}

static int load_text(const char *text, struct plugin_program *program)
{
	return plugin_program_from_bytes(text, strlen(text), "p", program, &why);
}

/* The test itself: an ELF program that is surely here. */
static void load_self(struct plugin_program *program)
{
	cleanup_fd int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_msg(plugin_program_load(fd, "self", program, &why) == 0, "%s", why.text);
}

/* ---- the copy ---- */

START_TEST(nobody_can_change_the_copy)
{
	struct plugin_program program;
	char path[64];

	ck_assert_int_eq(load_text("#!/bin/sh\necho hello\n", &program), 0);
	ck_assert_int_eq(write(program.fd, "x", 1), -1);
	ck_assert_int_eq(errno, EPERM);
	ck_assert_int_eq(pwrite(program.fd, "x", 1, 100), -1);
	ck_assert_int_eq(ftruncate(program.fd, 0), -1);
	ck_assert_int_eq(ftruncate(program.fd, 1000), -1);
	ck_assert_int_eq(fallocate(program.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4), -1);
	ck_assert_ptr_eq(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, program.fd, 0), MAP_FAILED);
	ck_assert_int_eq(fcntl(program.fd, F_ADD_SEALS, F_SEAL_SEAL), -1);
	snprintf(path, sizeof path, "/proc/self/fd/%d", program.fd);
	cleanup_fd int again = open(path, O_RDWR | O_CLOEXEC); /* root may open it; the seal holds for everybody */
	if (again >= 0)
		ck_assert_int_eq(write(again, "x", 1), -1);
	ck_assert_mem_eq(program.bytes, "#!/bin/sh\necho hello\n", program.length);
	plugin_program_free(&program);
}
END_TEST

START_TEST(the_hash_is_of_the_copy_whatever_becomes_of_the_file)
{
	char path[] = "/tmp/test_program.XXXXXX", before[SIGN_HASH_TEXT];
	cleanup_fd int fd = mkostemp(path, O_CLOEXEC);
	const char text[] = "#!/bin/sh\n:\n";
	struct plugin_program program;

	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
	ck_assert_int_eq(plugin_program_load(fd, path, &program, &why), 0);
	ck_assert_int_eq(pwrite(fd, "XXXX", 4, 0), 4);
	ck_assert_int_eq(ftruncate(fd, 5), 0);
	ck_assert_int_eq(unlink(path), 0);
	sign_hash_text(text, strlen(text), before);
	ck_assert_str_eq(program.hash, before);
	ck_assert_mem_eq(program.bytes, text, strlen(text));
	plugin_program_free(&program);
}
END_TEST

START_TEST(only_a_regular_file_is_a_program)
{
	struct plugin_program program;
	int ends[2];
	cleanup_fd int directory = open("/tmp", O_RDONLY | O_CLOEXEC), null = open("/dev/zero", O_RDONLY | O_CLOEXEC);

	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(plugin_program_load(directory, "d", &program, &why), -EINVAL);
	ck_assert_int_eq(plugin_program_load(null, "z", &program, &why), -EINVAL);
	ck_assert_int_eq(plugin_program_load(ends[0], "p", &program, &why), -EINVAL);
}
END_TEST

/* ---- first lines ---- */

static const struct {
	const char *text, *interpreter, *second; /* interpreter NULL: cannot be run */
} scripts[] = {
	{"#!/bin/sh\n", "/bin/sh", ""},
	{"#!/bin/sh", "/bin/sh", ""},
	{"#! \t/bin/sh  -e \n:", "/bin/sh", ""},
	{"#!/usr/bin/env python3\n", "/usr/bin/env", "python3"},
	{"#!/usr/bin/env -S A=b python3 -u\n", "/usr/bin/env", "python3"},
	{"#!/usr/bin/env -Spython3 -u\n", "/usr/bin/env", "python3"},
	{"#!/usr/bin/env -i python3\n", "/usr/bin/env", ""},
	{"#!/usr/bin/env\n", "/usr/bin/env", ""},
	{"#!/usr/bin/envy python3\n", "/usr/bin/envy", ""},
	{"#!bin/sh\n", NULL, NULL},
	{"#!\n", NULL, NULL},
	{"#!", NULL, NULL},
	{"#", NULL, NULL},
	{"echo hello\n", NULL, NULL},
	{"\177EL", NULL, NULL},
};

START_TEST(the_first_line_names_the_interpreter)
{
	struct plugin_program program;

	ck_assert_int_eq(load_text(scripts[_i].text, &program), 0); /* it can be hashed in any case */
	ck_assert_int_eq(program.cannot_run == NULL, scripts[_i].interpreter != NULL);
	if (!program.cannot_run) {
		ck_assert_int_eq((int)program.kind, (int)PLUGIN_SCRIPT);
		ck_assert_str_eq(program.interpreter, scripts[_i].interpreter);
		ck_assert_str_eq(program.second, scripts[_i].second);
	}
	plugin_program_free(&program);
}
END_TEST

START_TEST(a_first_line_longer_than_the_kernel_reads_cannot_be_run)
{
	struct plugin_program program;
	char text[400];

	memset(text, 'x', sizeof text);
	memcpy(text, "#!/bin/", 7);
	text[sizeof text - 1] = '\0';
	ck_assert_int_eq(load_text(text, &program), 0);
	ck_assert_ptr_nonnull(program.cannot_run);
	plugin_program_free(&program);
	text[250] = '\n';
	ck_assert_int_eq(load_text(text, &program), 0);
	ck_assert_ptr_null(program.cannot_run); /* control */
	plugin_program_free(&program);
}
END_TEST

/* ---- the note ---- */

/* This program with a note of `room` bytes. */
static uint8_t *with_note(size_t room, size_t *length)
{
	struct plugin_program self;
	uint8_t *made = NULL;

	load_self(&self);
	ck_assert_msg(note_make(self.bytes, self.length, "self", room, &made, length, &why) == 0, "%s", why.text);
	plugin_program_free(&self);
	return made;
}

START_TEST(the_notes_text_is_not_hashed_and_every_other_byte_is)
{
	size_t length = 0;
	cleanup_free uint8_t *bytes = with_note(321, &length);
	struct plugin_program program;

	ck_assert_int_eq(plugin_program_from_bytes(bytes, length, "p", &program, &why), 0);
	const struct byte_range range = program.manifest;
	char hash[SIGN_HASH_TEXT];
	memcpy(hash, program.hash, sizeof hash);
	plugin_program_free(&program);
	ck_assert_uint_eq(range.length, 321);
	memset(bytes + range.start, 'x', range.length);
	ck_assert_int_eq(plugin_program_from_bytes(bytes, length, "p", &program, &why), 0);
	ck_assert_str_eq(program.hash, hash);
	plugin_program_free(&program);
	const size_t others[] = {100, range.start - 1, range.start + range.length, length - 1};
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		bytes[others[i]] ^= 1;
		if (plugin_program_from_bytes(bytes, length, "p", &program, &why) == 0) {
			ck_assert_str_ne(program.hash, hash);
			plugin_program_free(&program);
		}
		bytes[others[i]] ^= 1;
	}
}
END_TEST

START_TEST(a_program_with_a_note_still_runs)
{
	size_t length = 0;
	struct plugin_program echo, made;
	cleanup_fd int fd = open("/bin/true", O_RDONLY | O_CLOEXEC);
	uint8_t *bytes = NULL;

	ck_assert_int_eq(plugin_program_load(fd, "true", &echo, &why), 0);
	ck_assert_int_eq(note_make(echo.bytes, echo.length, "true", 100, &bytes, &length, &why), 0);
	ck_assert_int_eq(plugin_program_from_bytes(bytes, length, "true", &made, &why), 0);
	char command[64];
	snprintf(command, sizeof command, "/proc/%d/fd/%d", (int)getpid(), made.fd);
	ck_assert_int_eq(system(command), 0);
	plugin_program_free(&echo);
	plugin_program_free(&made);
	free(bytes);
}
END_TEST

START_TEST(a_second_note_is_refused)
{
	size_t length = 0, longer = 0;
	cleanup_free uint8_t *bytes = with_note(10, &length);
	uint8_t *twice = NULL;

	ck_assert_int_eq(note_make(bytes, length, "p", 10, &twice, &longer, &why), -EINVAL);
	ck_assert_ptr_nonnull(strstr(why.text, "already"));
}
END_TEST

/* Make a segment reach the note: it would be mapped, and run, unhashed. */
START_TEST(a_note_that_a_segment_reaches_is_refused)
{
	static const uint32_t types[] = {PT_LOAD, PT_INTERP, PT_DYNAMIC, PT_NOTE, PT_GNU_STACK};
	size_t length = 0;
	cleanup_free uint8_t *bytes = with_note(5000, &length);
	struct byte_range range, found;
	Elf64_Ehdr header;

	ck_assert_int_eq(note_find(bytes, length, "p", &range, &why), 0);
	ck_assert_uint_eq(range.length, 5000);
	memcpy(&header, bytes, sizeof header);
	Elf64_Phdr *last = (Elf64_Phdr *)(void *)(bytes + header.e_phoff) + header.e_phnum - 1, saved = *last;
	for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
		const size_t starts[] = {range.start, range.start + range.length - 1, range.start - 1, 0};
		for (size_t k = 0; k < sizeof starts / sizeof *starts; k++) {
			*last = (Elf64_Phdr){.p_type = types[i],
					     .p_offset = starts[k],
					     .p_filesz = k == 3	  ? length
							 : k == 2 ? 2
								  : 1};
			ck_assert_int_eq(note_find(bytes, length, "p", &found, &why), -EINVAL);
		}
		*last = (Elf64_Phdr){.p_type = types[i], .p_offset = UINT64_MAX - 10, .p_filesz = 100};
		ck_assert_int_eq(note_find(bytes, length, "p", &found, &why), -EINVAL);
		/* the same page is enough: pages are mapped whole */
		*last = (Elf64_Phdr){.p_type = types[i],
				     .p_offset = (range.start + range.length) / 4096 * 4096 + 4090,
				     .p_filesz = 1};
		if (last->p_offset < length)
			ck_assert_int_eq(note_find(bytes, length, "p", &found, &why), -EINVAL);
	}
	*last = saved;
	ck_assert_int_eq(note_find(bytes, length, "p", &found, &why), 0); /* control */
}
END_TEST

START_TEST(a_note_cut_at_any_length_is_read_inside)
{
	/* a short program, since each part is a copy */
	cleanup_fd int fd = open("/bin/true", O_RDONLY | O_CLOEXEC);
	struct plugin_program program;
	cleanup_free uint8_t *bytes = NULL;
	size_t length = 0;
	struct byte_range range;

	ck_assert_int_eq(plugin_program_load(fd, "true", &program, &why), 0);
	ck_assert_int_eq(note_make(program.bytes, program.length, "true", 64, &bytes, &length, &why), 0);
	plugin_program_free(&program);
	ck_assert(note_find(bytes, length, "p", &range, &why) == 0 && range.length == 64);
	for (size_t cut = 0; cut < length; cut += cut < 256 || cut > length - 6000 ? 1 : 997) {
		cleanup_free uint8_t *part = malloc(cut ? cut : 1); /* for the sanitizer: exactly as long */
		memcpy(part, bytes, cut);
		if (note_find(part, cut, "p", &range, &why) == 0 && range.length)
			ck_assert_uint_le(range.start + range.length, cut);
	}
}
END_TEST

/* ---- what an ELF program brings along ---- */

START_TEST(this_program_is_understood)
{
	struct plugin_program self;
	struct plugin_elf elf;
	bool libc = false;

	load_self(&self);
	ck_assert_int_eq(plugin_elf_read(self.bytes, self.length, "self", &elf, &why), 0);
	ck_assert_uint_eq(elf.bits, 64);
	ck_assert_str_eq(plugin_elf_machine(elf.machine), "x86-64");
	ck_assert(elf.is_program);
	ck_assert(!elf.executable_stack);
	ck_assert_ptr_nonnull(elf.interpreter);
	for (size_t i = 0; i < elf.needed_count; i++)
		libc = libc || !strncmp(elf.needed[i], "libc.so", 7);
	ck_assert(libc);
	ck_assert_msg(plugin_elf_check(&elf, "self", &no_policy, &why) == 0, "%s", why.text);
	plugin_program_free(&self);
}
END_TEST

static const struct {
	struct plugin_elf elf;
	const char *says; /* NULL: not refused */
} brought[] = {
	{{.bits = 64, .machine = EM_X86_64, .is_program = true}, NULL},
	{{.bits = 64, .machine = EM_X86_64, .is_program = true, .executable_stack = true}, NULL},
	{{.bits = 64, .machine = EM_X86_64, .is_program = true, .rpath = "/usr/lib", .runpath = "/usr/lib:/usr/lib64"},
	 NULL},
	{{.bits = 64, .machine = EM_X86_64, .is_program = true, .rpath = ""}, NULL},
	{{.bits = 64, .machine = EM_X86_64, .is_program = true, .needed = {"libc.so.6", "libx.so"}, .needed_count = 2},
	 NULL},
	{{.bits = 32, .machine = EM_386, .is_program = true}, "32-bit program for i386"},
	{{.bits = 32, .machine = EM_X86_64, .is_program = true}, "32-bit program"},
	{{.bits = 64, .machine = EM_AARCH64, .is_program = true}, "aarch64"},
	{{.bits = 64, .machine = EM_X86_64}, "not a program"},
	{{.bits = 64, .machine = EM_X86_64, .is_program = true, .interpreter = "ld.so"},
	 "loader 'ld.so' is not an absolute"},
	{{.bits = 64, .machine = EM_X86_64, .is_program = true, .interpreter = "/tmp/no-such-ld.so"},
	 "loader could be changed by others"},
	{{.bits = 64, .machine = EM_X86_64, .is_program = true, .runpath = "/tmp/no-such-directory"},
	 "RUNPATH could be changed by others"},
	{{.bits = 64, .machine = EM_X86_64, .is_program = true, .runpath = "/usr/lib:/tmp"}, "RUNPATH could be"},
	{{.bits = 64, .machine = EM_X86_64, .is_program = true, .runpath = "/usr/lib:"},
	 "RUNPATH '' is not an absolute"},
	{{.bits = 64, .machine = EM_X86_64, .is_program = true, .rpath = ":/usr/lib"}, "RPATH '' is not an absolute"},
	{{.bits = 64, .machine = EM_X86_64, .is_program = true, .rpath = "$ORIGIN/../lib"},
	 "RPATH '$ORIGIN/../lib' is not"},
	{{.bits = 64, .machine = EM_X86_64, .is_program = true, .rpath = "lib"}, "RPATH 'lib' is not an absolute"},
	{{.bits = 64, .machine = EM_X86_64, .is_program = true, .needed = {"/tmp/no-such.so"}, .needed_count = 1},
	 "needed library could be"},
	{{.bits = 64, .machine = EM_X86_64, .is_program = true, .needed = {"./x.so"}, .needed_count = 1},
	 "needed library './x.so'"},
};

START_TEST(what_would_run_unsigned_bytes_is_refused)
{
	int error = plugin_elf_check(&brought[_i].elf, "p", &no_policy, &why);

	ck_assert_msg(error == (brought[_i].says ? -EPERM : 0), "%s", why.text);
	if (error)
		ck_assert_msg(strstr(why.text, brought[_i].says), "'%s' has no '%s'", why.text, brought[_i].says);
}
END_TEST

#define add_rows(tcase, test, rows) tcase_add_loop_test(tcase, test, 0, (int)(sizeof(rows) / sizeof *(rows)))

int main(void)
{
	Suite *suite = suite_create("plugin_program");
	TCase *copy = tcase_create("copy"), *note = tcase_create("note"), *elf = tcase_create("elf");

	tcase_add_unchecked_fixture(copy, setup, NULL);
	tcase_add_test(copy, nobody_can_change_the_copy);
	tcase_add_test(copy, the_hash_is_of_the_copy_whatever_becomes_of_the_file);
	tcase_add_test(copy, only_a_regular_file_is_a_program);
	add_rows(copy, the_first_line_names_the_interpreter, scripts);
	tcase_add_test(copy, a_first_line_longer_than_the_kernel_reads_cannot_be_run);
	suite_add_tcase(suite, copy);
	tcase_set_timeout(note, 60);
	tcase_add_unchecked_fixture(note, setup, NULL);
	tcase_add_test(note, the_notes_text_is_not_hashed_and_every_other_byte_is);
	tcase_add_test(note, a_program_with_a_note_still_runs);
	tcase_add_test(note, a_second_note_is_refused);
	tcase_add_test(note, a_note_that_a_segment_reaches_is_refused);
	tcase_add_test(note, a_note_cut_at_any_length_is_read_inside);
	suite_add_tcase(suite, note);
	tcase_add_test(elf, this_program_is_understood);
	add_rows(elf, what_would_run_unsigned_bytes_is_refused, brought);
	tcase_add_unchecked_fixture(elf, setup, NULL);
	suite_add_tcase(suite, elf);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
