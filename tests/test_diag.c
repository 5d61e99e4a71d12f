/* SPDX-License-Identifier: MIT */
/*
 * test_diag.c - what Picket says on stderr, and the escaping that keeps it
 * (and the result) clean.
 */
#include "diag.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cleanup.h"
#include "escape.h"

/* What `say` writes to stderr. */
static char *heard(void (*say)(void))
{
	static char text[16384];
	int file = memfd_create("stderr", 0), before = dup(STDERR_FILENO);
	dup2(file, STDERR_FILENO);
	say();
	dup2(before, STDERR_FILENO);
	ssize_t length = pread(file, text, sizeof(text) - 1, 0);
	ck_assert_int_ge(length, 0);
	text[length] = '\0';
	close(file);
	close(before);
	return text;
}

static void say_plain(void)
{
	diag("policy.conf:%d: %s", 12, "wrong");
}

static void say_evil(void)
{
	diag("\"%s\" is no file", "a\npicket: all is well\x1b[2J\xff");
}

static void say_errno(void)
{
	diag_errno(-ENOENT, "result \"%s\"", "x.json");
}

static void say_number(void)
{
	diag_errno(98765, "odd");
}

static void say_long(void)
{
	char name[8001];
	memset(name, 'x', 8000);
	name[8000] = '\0';
	diag("%s", name);
}

static const struct {
	void (*say)(void);
	const char *line;
} lines[] = {
	{say_plain, "picket: policy.conf:12: wrong\n"},
	{say_evil, "picket: \"a\\npicket: all is well\\x1b[2J\\xff\" is no file\n"},
	{say_errno, "picket: result \"x.json\": No such file or directory\n"},
	{say_number, "picket: odd: error 98765\n"},
};

START_TEST(one_clean_line_each)
{
	ck_assert_str_eq(heard(lines[_i].say), lines[_i].line);
}
END_TEST

START_TEST(a_long_line_is_whole)
{
	ck_assert_uint_eq(strlen(heard(say_long)), 8000 + strlen("picket: \n"));
}
END_TEST

START_TEST(errno_survives)
{
	errno = EXDEV;
	heard(say_plain);
	errno = EXDEV;
	say_plain();
	ck_assert_int_eq(errno, EXDEV);
}
END_TEST

static const struct {
	const char *bytes;
	size_t length;
	const char *utf8, *line;
	bool valid;
} texts[] = {
	{"plain", 5, "plain", "plain", true},
	{"", 0, "", "", true},
	{"a\tb\nc\rd", 7, "a\tb\nc\rd", "a\\tb\\nc\\rd", true},
	{"\x1b\x7f\x01", 3, "\x1b\x7f\x01", "\\x1b\\x7f\\x01", true},
	{"n\\t", 3, "n\\t", "n\\t", true},
	{"\xc2\x9b", 2, "\xc2\x9b", "\\xc2\\x9b", true},	      /* C1: CSI */
	{"\xe2\x80\xae", 3, "\xe2\x80\xae", "\\xe2\\x80\\xae", true}, /* right-to-left override */
	{"\xe2\x80\xa8", 3, "\xe2\x80\xa8", "\\xe2\\x80\\xa8", true}, /* line separator */
	{"\xc3\xa4\xe2\x82\xac\xf0\x9f\x8d\x8c", 9, "\xc3\xa4\xe2\x82\xac\xf0\x9f\x8d\x8c",
	 "\xc3\xa4\xe2\x82\xac\xf0\x9f\x8d\x8c", true},
	{"\xff", 1, "\\xff", "\\xff", false},
	{"\x80", 1, "\\x80", "\\x80", false},
	{"\xc3", 1, "\\xc3", "\\xc3", false}, /* cut short */
	{"\xe2\x82", 2, "\\xe2\\x82", "\\xe2\\x82", false},
	{"\xe2\x82x", 3, "\\xe2\\x82x", "\\xe2\\x82x", false},
	{"\xc1\xbf", 2, "\\xc1\\xbf", "\\xc1\\xbf", false}, /* overlong */
	{"\xe0\x9f\xbf", 3, "\\xe0\\x9f\\xbf", "\\xe0\\x9f\\xbf", false},
	{"\xf0\x8f\xbf\xbf", 4, "\\xf0\\x8f\\xbf\\xbf", "\\xf0\\x8f\\xbf\\xbf", false},
	{"\xed\xbf\xbf", 3, "\\xed\\xbf\\xbf", "\\xed\\xbf\\xbf", false},		/* surrogate */
	{"\xf4\x90\x80\x80", 4, "\\xf4\\x90\\x80\\x80", "\\xf4\\x90\\x80\\x80", false}, /* beyond U+10FFFF */
	{"\xf8\x88\x80\x80\x80", 5, "\\xf8\\x88\\x80\\x80\\x80", "\\xf8\\x88\\x80\\x80\\x80", false},
	{"\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf", 10, "\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf",
	 "\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf", true},
};

START_TEST(bytes_become_text)
{
	size_t length;
	cleanup_free char *utf8 = escape_utf8(texts[_i].bytes, texts[_i].length, &length);
	ck_assert_str_eq(utf8, texts[_i].utf8);
	ck_assert_uint_eq(length, strlen(texts[_i].utf8));
	cleanup_free char *line = escape_line(texts[_i].bytes, texts[_i].length, &length);
	ck_assert_str_eq(line, texts[_i].line);
	ck_assert_uint_eq(length, strlen(texts[_i].line));
	ck_assert_int_eq(escape_is_utf8(texts[_i].bytes, texts[_i].length), texts[_i].valid);
	ck_assert(escape_is_utf8(utf8, strlen(utf8)) && escape_is_utf8(line, strlen(line)));
}
END_TEST

START_TEST(nul_is_a_character_and_on_a_line_an_escape)
{
	size_t length;
	cleanup_free char *utf8 = escape_utf8("a\0b", 3, &length);
	ck_assert_mem_eq(utf8, "a\0b", 4);
	cleanup_free char *line = escape_line("a\0b", 3, NULL);
	ck_assert_str_eq(line, "a\\x00b");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("diag");
	TCase *diags = tcase_create("diag"), *escapes = tcase_create("escape");
	tcase_add_loop_test(diags, one_clean_line_each, 0, sizeof(lines) / sizeof(lines[0]));
	tcase_add_test(diags, a_long_line_is_whole);
	tcase_add_test(diags, errno_survives);
	tcase_add_loop_test(escapes, bytes_become_text, 0, sizeof(texts) / sizeof(texts[0]));
	tcase_add_test(escapes, nul_is_a_character_and_on_a_line_an_escape);
	suite_add_tcase(suite, diags);
	suite_add_tcase(suite, escapes);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
