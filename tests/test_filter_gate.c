/* SPDX-License-Identifier: MIT */
/* test_filter_gate.c - what the filter lets through at level gate: opens by the page, and one mapping of the page itself. */
#include "filter.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "make_image.h"
#include "run_filter.h"

enum { LIMIT = 200, FIRST = LIMIT + RESERVED_FD_ROOT };

static struct image *image;
static struct policy policy;
static struct sock_fprog filter;
static struct wire_gate somewhere;
enum {
	ROOTS = 4,
	READING_ROOTS = 2,
	HOWS = 5,
	READING_HOWS = 3,
	FILES = 3,
	READING_FILES = 1,
	FILE_READING_HOWS = 7,
	FILE_HOWS = 8,
	LATE = 9,
	LATE_ROOTS = 3
};

static void compile_filter_with(bool gate, bool late)
{
	static const struct path_row rows[] = {{RULE_READ, LAYER_FILE, "/usr"}, {0}};
	static struct guard guard;

	image = make_path_image(rows, false);
	policy = (struct policy){.image = image};
	memset(&guard, 0, sizeof guard);
	guard.policies[guard.policy_count++] = &policy;
	guard.open_files = LIMIT;
	guard.level = LEVEL_GATE;
	guard.gate = (struct gate){.fd = -1,
				   .page = gate ? &somewhere : NULL,
				   .protection = PROT_READ | PROT_EXEC,
				   .how_reading = READING_HOWS,
				   .how_count = HOWS,
				   .how_file_reading = FILE_READING_HOWS,
				   .how_file_count = FILE_HOWS,
				   .file_reading = READING_FILES,
				   .file_count = FILES};
	guard.gate.how_late = late ? LATE : 0;
	guard.gate.roots = (struct gate_roots){.reading = READING_ROOTS,
					       .early = ROOTS,
					       .late_reading = late ? ROOTS + 1 : ROOTS,
					       .count = late ? ROOTS + LATE_ROOTS : ROOTS};
	ck_assert_int_eq(filter_compile(&guard, &filter), 0);
}

static void compile_filter(bool gate)
{
	compile_filter_with(gate, false);
}

static void let_go(void)
{
	free(filter.filter);
	free(image);
}

static bool passes(long number, uint32_t arch, const uint64_t args[6])
{
	struct seccomp_data data = {.nr = (int)number, .arch = arch};

	memcpy(data.args, args, sizeof data.args);
	uint32_t result = run_filter(&filter, &data);
	REQUIRE(result == SECCOMP_RET_ALLOW || result == SECCOMP_RET_TRACE, "result %#x", result);
	return result == SECCOMP_RET_ALLOW;
}

static const uint64_t upper[] = {0, UINT64_C(1) << 32, UINT64_C(1) << 63, UINT64_C(0xffffffff00000000)};

/* As the kernel reads the arguments: an int, a pointer, a length. */
static bool is_an_open_by_the_gate(const uint64_t args[6])
{
	uint32_t fd = (uint32_t)args[0];
	uint64_t entry = (args[2] - GATE_START) / sizeof(struct wire_how);

	return fd >= FIRST && fd < FIRST + ROOTS && args[2] >= GATE_START && args[2] % sizeof(struct wire_how) == 0 &&
	       entry < (fd < FIRST + READING_ROOTS ? READING_HOWS : HOWS) && args[3] == sizeof(struct open_how);
}

START_TEST(an_openat2_passes_with_a_root_and_an_entry_for_it)
{
	static const uint64_t sizes[] = {0, 8, 16, 23, 24, 25, 32, 40, 4096};
	unsigned passed = 0, wanted = 0;

	compile_filter(true);
	for (uint32_t fd = FIRST - 3; fd < FIRST + ROOTS + 3; fd++)
		for (uint64_t how = GATE_START - 64; how < GATE_START + (HOWS + 2) * sizeof(struct wire_how); how += 4)
			for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++)
				for (size_t u = 0; u < sizeof upper / sizeof upper[0] * 3; u++) {
					uint64_t args[6] = {fd, 0x7fff0000, how, sizes[s]};
					static const int which[] = {0, 2, 3};
					args[which[u % 3]] |= upper[u / 3];
					bool pass = passes(SYS_openat2, AUDIT_ARCH_X86_64, args);
					REQUIRE(pass == is_an_open_by_the_gate(args), "fd %u, how %#lx, size %lu: %d",
						fd, (unsigned long)args[2], (unsigned long)args[3], pass);
					REQUIRE(!passes(SYS_openat2, AUDIT_ARCH_I386, args), "by another ABI");
					passed += pass;
					wanted += is_an_open_by_the_gate(args);
				}
	ck_assert_uint_eq(passed, wanted);
	ck_assert_uint_gt(passed, 0);
	let_go();
}
END_TEST

/* Of the late ones the first is for reading. */
static bool is_a_late_open(const uint64_t args[6])
{
	uint32_t fd = (uint32_t)args[0];
	uint64_t entry = (args[2] - GATE_START) / sizeof(struct wire_how) - LATE;

	return fd >= FIRST + ROOTS && fd < FIRST + ROOTS + LATE_ROOTS &&
	       args[2] >= GATE_START + LATE * sizeof(struct wire_how) && args[2] % sizeof(struct wire_how) == 0 &&
	       entry < (fd == FIRST + ROOTS ? READING_HOWS : HOWS) && args[3] == sizeof(struct open_how);
}

START_TEST(late_roots_go_with_late_entries_and_the_others_without)
{
	unsigned passed = 0;

	compile_filter_with(true, true);
	for (uint32_t fd = FIRST - 2; fd < FIRST + ROOTS + LATE_ROOTS + 2; fd++)
		for (uint64_t how = GATE_START - 64; how < GATE_START + (LATE + HOWS + 2) * sizeof(struct wire_how);
		     how += 16)
			for (size_t u = 0; u < sizeof upper / sizeof upper[0] * 3; u++) {
				uint64_t args[6] = {fd, 0x7fff0000, how, sizeof(struct open_how)};
				static const int which[] = {0, 2, 3};
				args[which[u % 3]] |= upper[u / 3];
				bool wanted = is_a_late_open(args) || is_an_open_by_the_gate(args);
				REQUIRE(passes(SYS_openat2, AUDIT_ARCH_X86_64, args) == wanted, "fd %u, how %#lx", fd,
					(unsigned long)args[2]);
				passed += is_a_late_open(args);
			}
	ck_assert_uint_gt(passed, 0);
	let_go();
}
END_TEST

static bool is_an_open_of_a_file(const uint64_t args[6])
{
	uint64_t entry = (args[2] - GATE_START) / sizeof(struct wire_how),
		 file = (args[1] - GATE_FILE_START) / GATE_FILE_SIZE;

	return args[1] >= GATE_FILE_START && args[1] % GATE_FILE_SIZE == 0 && file < FILES && args[2] >= GATE_START &&
	       args[2] % sizeof(struct wire_how) == 0 && entry >= HOWS &&
	       entry < (file < READING_FILES ? FILE_READING_HOWS : FILE_HOWS) && args[3] == sizeof(struct open_how);
}

/* Whatever the descriptor is: the name is absolute. */
START_TEST(an_openat2_passes_with_the_name_of_a_file_and_an_entry_for_it)
{
	static const uint32_t fds[] = {0, (uint32_t)AT_FDCWD, FIRST, FIRST + ROOTS - 1, FIRST + ROOTS};
	static const uint64_t sizes[] = {0, 23, 24, 32};
	unsigned passed = 0;

	compile_filter(true);
	for (uint64_t name = GATE_FILE_START - 2 * GATE_FILE_SIZE;
	     name < GATE_FILE_START + (FILES + 2) * GATE_FILE_SIZE; name += 16)
		for (uint64_t how = GATE_START + (HOWS - 1) * sizeof(struct wire_how);
		     how < GATE_START + (FILE_HOWS + 2) * sizeof(struct wire_how); how += 8)
			for (size_t s = 0; s < sizeof sizes / sizeof sizes[0] * sizeof fds / sizeof fds[0]; s++)
				for (size_t u = 0; u < sizeof upper / sizeof upper[0] * 3; u++) {
					uint64_t args[6] = {fds[s / 4], name, how, sizes[s % 4]};
					args[1 + u % 3] |= upper[u / 3];
					bool wanted = is_an_open_of_a_file(args) || is_an_open_by_the_gate(args);
					REQUIRE(passes(SYS_openat2, AUDIT_ARCH_X86_64, args) == wanted,
						"fd %d, name %#lx, how %#lx, size %lu", (int)args[0],
						(unsigned long)args[1], (unsigned long)args[2], (unsigned long)args[3]);
					REQUIRE(!passes(SYS_openat2, AUDIT_ARCH_I386, args), "by another ABI");
					passed += is_an_open_of_a_file(args);
				}
	ck_assert_uint_gt(passed, 0);
	let_go();
}
END_TEST

/* Of the calls that ask for an attribute's value of a file by name: the page's names, whole. */
START_TEST(an_attribute_that_the_page_names_is_asked_for_without_a_stop)
{
	static const long calls[] = {SYS_getxattr, SYS_lgetxattr};
	const uint64_t end = GATE_ATTRIBUTE_START + GATE_ATTRIBUTES * GATE_ATTRIBUTE_SIZE;

	compile_filter(true);
	for (uint64_t name = GATE_ATTRIBUTE_START - 64; name < end + 64; name++)
		for (size_t u = 0; u < sizeof upper / sizeof upper[0] * 2; u++) {
			uint64_t args[6] = {0x7fff0000, name | upper[u / 2], 0x7fff1000, 255};
			bool wanted = u / 2 == 0 && name >= GATE_ATTRIBUTE_START && name < end &&
				      name % GATE_ATTRIBUTE_SIZE == 0;
			REQUIRE(passes(calls[u % 2], AUDIT_ARCH_X86_64, args) == wanted, "name %#lx",
				(unsigned long)args[1]);
			args[3] = upper[u / 2]; /* no room for a value */
			REQUIRE(passes(calls[u % 2], AUDIT_ARCH_X86_64, args) == (wanted || args[3] == 0), "size %#lx",
				(unsigned long)args[3]);
		}
	let_go();
	compile_filter(false);
	const uint64_t first[6] = {0x7fff0000, GATE_ATTRIBUTE_START, 0x7fff1000, 255};
	ck_assert(!passes(SYS_getxattr, AUDIT_ARCH_X86_64, first));
	let_go();
}
END_TEST

START_TEST(without_a_gate_no_openat2_passes)
{
	const uint64_t args[6] = {FIRST, 0x7fff0000, GATE_START, sizeof(struct open_how)};
	const uint64_t file[6] = {FIRST, GATE_FILE_START, GATE_START + HOWS * sizeof(struct wire_how),
				  sizeof(struct open_how)};

	compile_filter(false);
	ck_assert(!passes(SYS_openat2, AUDIT_ARCH_X86_64, args));
	ck_assert(!passes(SYS_openat2, AUDIT_ARCH_X86_64, file));
	let_go();
}
END_TEST

/* Of mmaps at low addresses only that of the page: each argument changed in each of its halves makes it another. */
START_TEST(one_mapping_of_the_page_passes)
{
	const uint64_t exact[6] = {GATE_START,
				   GATE_LENGTH,
				   PROT_READ | PROT_EXEC,
				   MAP_SHARED | MAP_FIXED_NOREPLACE,
				   LIMIT + RESERVED_FD_GATE,
				   0};
	static const uint64_t changes[] = {1, 2, 4, 0x10, 0x1000, UINT64_C(1) << 32, UINT64_C(1) << 63};

	compile_filter(true);
	ck_assert(passes(SYS_mmap, AUDIT_ARCH_X86_64, exact));
	ck_assert(!passes(SYS_mmap, AUDIT_ARCH_I386, exact));
	for (int i = 0; i < 6; i++)
		for (size_t c = 0; c < sizeof changes / sizeof changes[0]; c++) {
			uint64_t args[6];
			memcpy(args, exact, sizeof args);
			args[i] ^= changes[c];
			bool high = args[0] >= RESERVED_END; /* not below the reserved addresses */
			ck_assert_msg(passes(SYS_mmap, AUDIT_ARCH_X86_64, args) == high, "argument %d is %#lx", i,
				      (unsigned long)args[i]);
		}
	static const long others[] = {SYS_munmap,	    SYS_mprotect, SYS_mremap,	    SYS_madvise,
				      SYS_remap_file_pages, SYS_mbind,	  SYS_pkey_mprotect};
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		ck_assert_msg(!passes(others[i], AUDIT_ARCH_X86_64, exact), "call %ld", others[i]);
	let_go();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("filter_gate");
	TCase *tcase = tcase_create("gate");

	tcase_add_test(tcase, an_openat2_passes_with_a_root_and_an_entry_for_it);
	tcase_add_test(tcase, an_openat2_passes_with_the_name_of_a_file_and_an_entry_for_it);
	tcase_add_test(tcase, late_roots_go_with_late_entries_and_the_others_without);
	tcase_add_test(tcase, an_attribute_that_the_page_names_is_asked_for_without_a_stop);
	tcase_add_test(tcase, without_a_gate_no_openat2_passes);
	tcase_add_test(tcase, one_mapping_of_the_page_passes);
	tcase_set_timeout(tcase, 30);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
