/* SPDX-License-Identifier: MIT */
/* test_open_site.c - the forms that are known, wherever they stand, and nothing that only looks like one. */
#include "open_site.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define BEFORE "\xbf\x9c\xff\xff\xff"
#define NUMBER "\xb8\x01\x01\x00\x00"
#define MOVES "\x48\x89\xfe\xbf\x9c\xff\xff\xff"
#define CALL "\x0f\x05"

/* In memory that ends where the text does, so that a tool that looks for it sees who reads beyond. */
static bool find(const char *text, size_t length, struct open_site *site)
{
	uint8_t *copy = malloc(length ? length : 1);

	memcpy(copy, text, length);
	bool found = open_site_find(copy, length, site);
	free(copy);
	return found;
}
#define FIND(text) find(text, sizeof(text) - 1, &site)

START_TEST(both_forms_are_found_where_they_are)
{
	struct open_site site;

	ck_assert(FIND(BEFORE NUMBER CALL));
	ck_assert_uint_eq(site.at, 5);
	ck_assert(!site.moves);
	ck_assert_uint_eq(open_site_to_call(&site), 5);
	ck_assert(FIND("\x90" NUMBER MOVES CALL "\xc3"));
	ck_assert_uint_eq(site.at, 1);
	ck_assert(site.moves);
	ck_assert_uint_eq(open_site_to_call(&site), 13);
	/* the first of two, and behind what is none */
	ck_assert(FIND(NUMBER CALL NUMBER NUMBER MOVES CALL BEFORE NUMBER CALL));
	ck_assert_uint_eq(site.at, 12);
}
END_TEST

START_TEST(what_is_not_all_there_is_none)
{
	static const char forms[][16] = {BEFORE NUMBER CALL, NUMBER MOVES CALL};
	static const size_t lengths[] = {12, 15};
	struct open_site site;

	for (size_t form = 0; form < 2; form++) {
		ck_assert(find(forms[form], lengths[form], &site));
		for (size_t length = 0; length < lengths[form]; length++)
			ck_assert(!find(forms[form], length, &site));
		for (size_t cut = 1; cut < lengths[form]; cut++)
			ck_assert(!find(forms[form] + cut, lengths[form] - cut, &site));
		for (size_t i = 0; i < lengths[form]; i++)
			for (int bit = 0; bit < 8; bit++) {
				char changed[16];
				memcpy(changed, forms[form], sizeof changed);
				changed[i] = (char)(changed[i] ^ 1 << bit);
				ck_assert(!find(changed, lengths[form], &site));
			}
	}
	ck_assert(!FIND(NUMBER CALL)); /* an openat: the directory is not said here */
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("open_site");
	TCase *tests = tcase_create("all");

	tcase_add_test(tests, both_forms_are_found_where_they_are);
	tcase_add_test(tests, what_is_not_all_there_is_none);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
