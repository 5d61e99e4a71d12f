/* SPDX-License-Identifier: MIT */
/*
 * test_manifest.c - manifests are read strictly, every error names its field
 * and its place, and the canonical form is one for each content.
 */
#include "manifest.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "sign.h"

#define HASH "96f43d529af3430cb6b0e2c02f6b38ef1a121e8a31d2d09a3ebb716f2f35c9de"
#define FIELDS_BUT_ID \
	"\"name\":\"n\",\"version\":\"1\",\"content_hash\":\"" HASH "\",\"signed_by\":\"s\",\"signature\":\"\""
#define GOOD "{\"id\":\"a\"," FIELDS_BUT_ID "}"
#define WITH(more) "{\"id\":\"a\"," FIELDS_BUT_ID "," more "}"

static struct complaint why;

static int read_text(const char *text, struct manifest *manifest)
{
	why.text[0] = '\0';
	return manifest_read("m.json", text, strlen(text), manifest, &why);
}

START_TEST(a_manifest_has_its_fields_and_the_defaults)
{
	struct manifest manifest;

	ck_assert_int_eq(read_text(GOOD, &manifest), 0);
	ck_assert_str_eq(manifest.id, "a");
	ck_assert_str_eq(manifest.content_hash, HASH);
	ck_assert_uint_eq(manifest.capability_count, 0);
	ck_assert_uint_eq(manifest.timeout_secs, 30);
	manifest_free(&manifest);
	ck_assert_int_eq(read_text(WITH("\"capabilities\":[\"fs:read\",\"env:X\"],\"timeout_secs\":5"), &manifest), 0);
	ck_assert_uint_eq(manifest.capability_count, 2);
	ck_assert_str_eq(manifest.capabilities[1], "env:X");
	ck_assert_uint_eq(manifest.timeout_secs, 5);
	manifest_free(&manifest);
}
END_TEST

static const struct {
	const char *text, *says;
} wrong[] = {
	{"", "m.json:1:"},
	{"{", "m.json:1:"},
	{"[]", "m.json:1:1: not a JSON object"},
	{"null", "m.json:1:1: not a JSON object"},
	{GOOD "x", "m.json:1:"},
	{GOOD GOOD, "m.json:1:"},
	{"\xef\xbb\xbf" GOOD, "m.json:1:"},
	{"{" FIELDS_BUT_ID "}", "m.json:1:1: missing field \"id\""},
	{" \n\n {\"id\":\"a\"}", "m.json:3:2: missing field \"name\""},
	{WITH("\"idd\":\"b\""), "\"idd\" is not a known field (did you mean \"id\"?)"},
	{"{\n  \"id\": \"a\",\n  \"extra\": 1," FIELDS_BUT_ID "}", "m.json:3:3: \"extra\" is not a known field"},
	{"{\n\"id\": 7," FIELDS_BUT_ID "}", "m.json:2:1: \"id\" must be a string"},
	{"{\"id\":null," FIELDS_BUT_ID "}", "m.json:1:2: \"id\" must be a string"},
	{"{\"id\":\"\"," FIELDS_BUT_ID "}", "\"id\" is too short"},
	{"{\"id\":\"a|b\"," FIELDS_BUT_ID "}", "\"id\" may not have a '|'"},
	{"{\"id\":\"a\\u007cb\"," FIELDS_BUT_ID "}", "\"id\" may not have a '|'"},
	{"{\"id\":\"a\\nb\"," FIELDS_BUT_ID "}", "\"id\" has a control character"},
	{"{\"id\":\"a\\u0085b\"," FIELDS_BUT_ID "}", "\"id\" has a control character"},
	{"{\"id\":\"a\\u0000b\"," FIELDS_BUT_ID "}", "m.json:1:"},
	{"{\"id\":\"a\xff\"," FIELDS_BUT_ID "}", "m.json:1:"},
	{"{\"id\":\"\xed\xa0\x80\"," FIELDS_BUT_ID "}", "m.json:1:"},
	{"{\"id\":\"a\",\"id\":\"a\"," FIELDS_BUT_ID "}", "duplicate"},
	{"{\"id\":\"a\",\"\\u0069d\":\"a\"," FIELDS_BUT_ID "}", "duplicate"},
	{"{\"id\":\"a\",\"ID\":\"a\"," FIELDS_BUT_ID "}", "\"ID\" is not a known field"},
	{WITH("\"capabilities\":\"fs:read\""), "\"capabilities\" must be an array of strings"},
	{WITH("\"capabilities\":[\"fs:read\",\n 3]"), "m.json:2:2: \"capabilities\" may hold only strings"},
	{WITH("\"capabilities\":[\"fs:read\",\n  \"fs:reed\"]"),
	 "m.json:2:3: \"capabilities\" has an unknown capability 'fs:reed'"},
	{WITH("\"timeout_secs\":\"30\""), "\"timeout_secs\" must be an integer"},
	{WITH("\"timeout_secs\":30.0"), "\"timeout_secs\" must be an integer"},
	{WITH("\"timeout_secs\":0"), "\"timeout_secs\" must be between 1"},
	{WITH("\"timeout_secs\":-1"), "\"timeout_secs\" must be between 1"},
	{WITH("\"timeout_secs\":99999999999999999999"), "m.json:1:"},
	{WITH("\"timeout_secs\":true"), "\"timeout_secs\" must be an integer"},
};

START_TEST(what_is_wrong_is_named_with_its_place)
{
	struct manifest manifest;

	ck_assert_int_eq(read_text(wrong[_i].text, &manifest), -EINVAL);
	ck_assert_msg(strstr(why.text, wrong[_i].says), "'%s' has no '%s'", why.text, wrong[_i].says);
}
END_TEST

static const char *const wrong_hashes[] = {
	"",
	"96f4",
	HASH "0",
	"96F43D529AF3430CB6B0E2C02F6B38EF1A121E8A31D2D09A3EBB716F2F35C9DE",
	"g6f43d529af3430cb6b0e2c02f6b38ef1a121e8a31d2d09a3ebb716f2f35c9de",
};

START_TEST(a_content_hash_is_lower_case_hex_of_its_length)
{
	struct manifest manifest;
	char text[512];

	snprintf(text, sizeof text,
		 "{\"id\":\"a\",\"name\":\"\",\"version\":\"1\",\"content_hash\":\"%s\",\"signed_by\":\"s\","
		 "\"signature\":\"\"}",
		 wrong_hashes[_i]);
	ck_assert_int_eq(read_text(text, &manifest), -EINVAL);
	ck_assert_ptr_nonnull(strstr(why.text, "\"content_hash\" is"));
}
END_TEST

START_TEST(a_manifest_too_long_is_refused_unread)
{
	struct manifest manifest;
	cleanup_free char *text = malloc(MANIFEST_BYTES_MOST + 1);

	memset(text, ' ', MANIFEST_BYTES_MOST + 1);
	memcpy(text, GOOD, strlen(GOOD));
	ck_assert_int_eq(manifest_read("m", text, MANIFEST_BYTES_MOST + 1, &manifest, &why), -EFBIG);
	ck_assert_int_eq(manifest_read("m", text, MANIFEST_BYTES_MOST, &manifest, &why), 0); /* control */
	manifest_free(&manifest);
}
END_TEST

START_TEST(a_text_is_read_to_its_length_and_no_further)
{
	struct manifest manifest;
	cleanup_free char *text = malloc(strlen(GOOD)); /* not terminated */

	memcpy(text, GOOD, strlen(GOOD));
	ck_assert_int_eq(manifest_read("m", text, strlen(GOOD), &manifest, &why), 0);
	manifest_free(&manifest);
	for (size_t length = 0; length < strlen(GOOD); length++)
		ck_assert_int_eq(manifest_read("m", text, length, &manifest, &why), -EINVAL);
}
END_TEST

/* ---- the canonical form ---- */

/* What another implementation writes: sorted keys, no spaces, UTF-8, absent fields absent. */
static const struct {
	const char *text, *canonical;
} forms[] = {
	{"{\"version\":\"1\", \"id\":\"a\",\n\"signed_by\":\"s\",\"name\":\"\xc3\xa4 \\\"\\\\/\",\"signature\":\"x\","
	 "\"content_hash\":\"" HASH "\"}",
	 "{\"content_hash\":\"" HASH
	 "\",\"id\":\"a\",\"name\":\"\xc3\xa4 \\\"\\\\/\",\"signed_by\":\"s\",\"version\":\"1\"}"},
	{WITH("\"timeout_secs\":030"), NULL},
	{WITH("\"timeout_secs\" : 30 , \"capabilities\" : [ \"exec\" , \"fs:read\" ]"),
	 "{\"capabilities\":[\"exec\",\"fs:read\"],\"content_hash\":\"" HASH
	 "\",\"id\":\"a\",\"name\":\"n\",\"signed_by\":\"s\",\"timeout_secs\":30,\"version\":\"1\"}"},
	{"{\"id\":\"\\u0061\"," FIELDS_BUT_ID "}",
	 "{\"content_hash\":\"" HASH "\",\"id\":\"a\",\"name\":\"n\",\"signed_by\":\"s\",\"version\":\"1\"}"},
};

START_TEST(the_canonical_form_is_sorted_and_plain)
{
	struct manifest manifest;
	size_t length = 0;
	int error = read_text(forms[_i].text, &manifest);

	ck_assert_int_eq(error == 0, forms[_i].canonical != NULL);
	if (error)
		return;
	cleanup_free char *canonical = manifest_canonical(&manifest, false, &length);
	ck_assert_str_eq(canonical, forms[_i].canonical);
	ck_assert_uint_eq(length, strlen(canonical));
	manifest_free(&manifest);
}
END_TEST

START_TEST(a_prepared_manifest_reads_back_as_it_was_signed)
{
	char *capabilities[] = {(char *)"fs:read:/etc", NULL};
	const struct manifest_draft draft = {.id = "a",
					     .version = "2",
					     .signed_by = "s",
					     .capabilities = capabilities,
					     .capability_count = 1,
					     .timeout_secs = 9};
	struct manifest made, again;
	size_t one = 0, other = 0;

	ck_assert_int_eq(manifest_prepare("m", NULL, 0, &draft, &made, &why), 0);
	ck_assert_str_eq(made.name, "a");
	ck_assert_int_eq(manifest_set_hash(&made, HASH), 0);
	ck_assert_int_eq(manifest_set_signature(&made, "ed25519:00"), 0);
	cleanup_free char *text = manifest_text(&made);
	ck_assert_int_eq(read_text(text, &again), 0);
	cleanup_free char *first = manifest_canonical(&made, true, &one),
			  *second = manifest_canonical(&again, true, &other);
	ck_assert_str_eq(first, second);
	ck_assert_uint_eq(again.timeout_secs, 9);
	manifest_free(&made);
	manifest_free(&again);
}
END_TEST

START_TEST(options_replace_what_a_manifest_says_and_its_hash_and_signature_go)
{
	const struct manifest_draft draft = {.version = "2"};
	struct manifest manifest;
	const char *text = WITH("\"timeout_secs\":7,\"capabilities\":[\"exec\"]");

	ck_assert_int_eq(manifest_prepare("m", text, strlen(text), &draft, &manifest, &why), 0);
	ck_assert_str_eq(manifest.id, "a");
	ck_assert_str_eq(manifest.version, "2");
	ck_assert_uint_eq(manifest.timeout_secs, 7);
	ck_assert_uint_eq(manifest.capability_count, 1);
	ck_assert_ptr_null(manifest.content_hash);
	ck_assert_ptr_null(manifest.signature);
	manifest_free(&manifest);
}
END_TEST

static const struct manifest_draft wrong_drafts[] = {
	{.id = "a"},
	{.id = "a", .version = "1"},
	{.id = "a|b", .version = "1", .signed_by = "s"},
	{.id = "a", .version = "1|", .signed_by = "s"},
	{.id = "\xff", .version = "1", .signed_by = "s"},
	{.id = "a\nb", .version = "1", .signed_by = "s"},
	{.id = "", .version = "1", .signed_by = "s"},
};

START_TEST(what_could_not_be_read_is_not_made)
{
	struct manifest manifest;

	ck_assert_int_eq(manifest_prepare("m", NULL, 0, &wrong_drafts[_i], &manifest, &why), -EINVAL);
}
END_TEST

#define add_rows(tcase, test, rows) tcase_add_loop_test(tcase, test, 0, (int)(sizeof(rows) / sizeof *(rows)))

int main(void)
{
	Suite *suite = suite_create("manifest");
	TCase *reading = tcase_create("reading"), *making = tcase_create("making");

	tcase_add_test(reading, a_manifest_has_its_fields_and_the_defaults);
	add_rows(reading, what_is_wrong_is_named_with_its_place, wrong);
	add_rows(reading, a_content_hash_is_lower_case_hex_of_its_length, wrong_hashes);
	tcase_add_test(reading, a_manifest_too_long_is_refused_unread);
	tcase_add_test(reading, a_text_is_read_to_its_length_and_no_further);
	suite_add_tcase(suite, reading);
	add_rows(making, the_canonical_form_is_sorted_and_plain, forms);
	tcase_add_test(making, a_prepared_manifest_reads_back_as_it_was_signed);
	tcase_add_test(making, options_replace_what_a_manifest_says_and_its_hash_and_signature_go);
	add_rows(making, what_could_not_be_read_is_not_made, wrong_drafts);
	suite_add_tcase(suite, making);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
