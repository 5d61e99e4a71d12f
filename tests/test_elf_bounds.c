/* SPDX-License-Identifier: MIT */
/* test_elf_bounds.c - of a file that says it is large no more is read than of a program. */
#include "elf_bounds.h"

#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "program.h"

enum { LARGE = (64 << 20) / 24 * 24, PART_OF_IT = 32 << 10 }; /* bytes; KiB, as getrusage counts */

static long peak(void)
{
	struct rusage usage;

	ck_assert_int_eq(getrusage(RUSAGE_SELF, &usage), 0);
	return usage.ru_maxrss;
}

/* A file without a name, with holes: a program whose symbols, names and dynamic section are all LARGE. */
static int large_file(uint16_t sections, uint64_t first_size)
{
	char name[] = "/tmp/elf_bounds.XXXXXX";
	int fd = mkstemp(name);
	Elf64_Ehdr head = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
			   .e_type = ET_DYN,
			   .e_machine = EM_X86_64,
			   .e_version = EV_CURRENT,
			   .e_ehsize = sizeof head,
			   .e_shoff = 4096,
			   .e_shentsize = sizeof(Elf64_Shdr),
			   .e_shnum = sections,
			   .e_phoff = sizeof head,
			   .e_phentsize = sizeof(Elf64_Phdr),
			   .e_phnum = 1};
	Elf64_Phdr dynamic = {.p_type = PT_DYNAMIC, .p_filesz = LARGE};
	Elf64_Shdr table[] = {{.sh_size = first_size},
			      {.sh_type = SHT_DYNSYM, .sh_size = LARGE, .sh_link = 2, .sh_entsize = sizeof(Elf64_Sym)},
			      {.sh_type = SHT_STRTAB, .sh_size = LARGE},
			      {.sh_type = SHT_STRTAB, .sh_size = 64, .sh_offset = 1, .sh_flags = SHF_COMPRESSED}};

	ck_assert_int_ge(fd, 0);
	unlink(name);
	ck_assert_int_eq(ftruncate(fd, LARGE), 0);
	ck_assert_int_eq(pwrite(fd, &head, sizeof head, 0), sizeof head);
	ck_assert_int_eq(pwrite(fd, &dynamic, sizeof dynamic, sizeof head), sizeof dynamic);
	ck_assert_int_eq(pwrite(fd, table, sizeof table, 4096), sizeof table);
	return fd;
}

START_TEST(a_large_section_is_not_read)
{
	int fd = large_file(4, 0);
	long before = peak();
	GElf_Shdr header;
	Elf *elf = elf_bounds_begin(fd);

	ck_assert_ptr_nonnull(elf);
	Elf_Scn *symbols = elf_getscn(elf, 1);
	ck_assert_ptr_nonnull(gelf_getshdr(symbols, &header));
	ck_assert_ptr_null(elf_bounds_section(symbols, &header));
	ck_assert_ptr_null(elf_bounds_string(elf, 2, 1));
	ck_assert_ptr_null(elf_bounds_string(elf, 3, 1));
	ck_assert_int_lt(peak() - before, PART_OF_IT);
	/* control: libelf alone reads it all */
	elf_getdata(symbols, NULL);
	ck_assert_int_ge(peak() - before, PART_OF_IT);
	elf_end(elf);
	close(fd);
}
END_TEST

START_TEST(a_file_of_many_sections_is_not_begun)
{
	int fd = large_file(0, 1 << 18);
	long before = peak();

	ck_assert_ptr_null(elf_bounds_begin(fd));
	ck_assert_int_lt(peak() - before, PART_OF_IT);
	elf_version(EV_CURRENT);
	Elf *elf = elf_begin(fd, ELF_C_READ, NULL); /* control */
	ck_assert_int_ge(peak() - before, PART_OF_IT);
	elf_end(elf);
	close(fd);
}
END_TEST

START_TEST(a_program_with_a_large_dynamic_section_is_looked_at_all_the_same)
{
	int fd = large_file(0, 0);
	long before = peak();
	struct program_file file;

	ck_assert_int_eq(program_read(fd, &file), 0);
	ck_assert_int_eq(file.kind, PROGRAM_ELF);
	ck_assert(file.loader); /* nothing says that it is none */
	ck_assert_int_lt(peak() - before, PART_OF_IT);
	close(fd);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("elf_bounds");
	TCase *tests = tcase_create("elf_bounds");

	tcase_add_test(tests, a_large_section_is_not_read);
	tcase_add_test(tests, a_file_of_many_sections_is_not_begun);
	tcase_add_test(tests, a_program_with_a_large_dynamic_section_is_looked_at_all_the_same);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
