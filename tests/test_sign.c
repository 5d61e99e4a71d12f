/* SPDX-License-Identifier: MIT */
/*
 * test_sign.c - hashes, the scheme with a shared key, and key files. Ed25519 and trusted keys: test_keyring.c.
 */
#include "sign.h"

#include <sys/mman.h>

#include "sign_help.h"

#define HELLO_HMAC "cead3ef4c47d0971ee9fea80ebd25f54dc3ab40873955e938cbf9f5f8aa801ff"
#define SHORT_KEY "test-secret-key-for-signing"
#define LONG_KEY "0123456789abcdef0123456789abcdef"

static struct sign_key *shared_key(const char *text)
{
	struct sign_key *key = NULL;

	ck_assert_int_eq(sign_shared_key_read(put("shared", text, strlen(text), 0600), true, &key, &why), 0);
	return key;
}

/* ---- hashes and HMAC ---- */

START_TEST(a_hash_in_pieces_is_the_hash_of_the_whole)
{
	char whole[SIGN_HASH_TEXT], pieces[SIGN_HASH_TEXT];
	const char text[] = "print('hello')";

	sign_hash_text(text, strlen(text), whole);
	struct sign_hash *hash = sign_hash_new();
	for (size_t i = 0; i < strlen(text); i++)
		sign_hash_add(hash, text + i, 1);
	sign_hash_end(hash, pieces);
	ck_assert_str_eq(whole, HELLO_HASH);
	ck_assert_str_eq(pieces, HELLO_HASH);
}
END_TEST

START_TEST(the_hmac_of_the_vector_is_right)
{
	struct sign_key *key = shared_key(SHORT_KEY);
	char signature[SIGN_HMAC_TEXT];

	sign_hmac(key, "my-plugin", "1.0.0", HELLO_HASH, signature);
	ck_assert_str_eq(signature, HELLO_HMAC);
	ck_assert(sign_hmac_verify(key, "my-plugin", "1.0.0", HELLO_HASH, HELLO_HMAC));
	sign_key_free(key);
}
END_TEST

/* A key longer than the hash's block, as RFC 4231 has one. The payload has our dividers, so the right answer is that of
 * printf 'a|b|c' | openssl dgst -sha256 -mac HMAC -macopt hexkey:aa..aa (131 bytes). */
START_TEST(a_key_longer_than_a_block_is_used_whole)
{
	char bytes[131], signature[SIGN_HMAC_TEXT];
	struct sign_key *key = NULL;

	memset(bytes, 0xaa, sizeof bytes);
	ck_assert_int_eq(sign_shared_key_read(put("long", bytes, sizeof bytes, 0600), false, &key, &why), 0);
	sign_hmac(key, "a", "b", "c", signature);
	ck_assert_str_eq(signature, "810519c6f8e42d6d363de827f34420e821d762f2152cf21d564ce63a7dc5a181");
	sign_key_free(key);
}
END_TEST

static const struct {
	const char *id, *version, *hash, *signature;
} wrong_hmacs[] = {
	{"my-plugim", "1.0.0", HELLO_HASH, HELLO_HMAC},
	{"my-plugin", "1.0.1", HELLO_HASH, HELLO_HMAC},
	{"my-plugin", "1.0.0", "96f43d529af3430cb6b0e2c02f6b38ef1a121e8a31d2d09a3ebb716f2f35c9df", HELLO_HMAC},
	{"my-plugin", "1.0.0", HELLO_HASH, "CEAD3EF4C47D0971EE9FEA80EBD25F54DC3AB40873955E938CBF9F5F8AA801FF"},
	{"my-plugin", "1.0.0", HELLO_HASH, "cead3ef4c47d0971ee9fea80ebd25f54dc3ab40873955e938cbf9f5f8aa801f"},
	{"my-plugin", "1.0.0", HELLO_HASH, HELLO_HMAC "0"},
	{"my-plugin", "1.0.0", HELLO_HASH, HELLO_HMAC " "},
	{"my-plugin", "1.0.0", HELLO_HASH, "dead3ef4c47d0971ee9fea80ebd25f54dc3ab40873955e938cbf9f5f8aa801ff"},
	{"my-plugin", "1.0.0", HELLO_HASH, "cead3ef4c47d0971ee9fea80ebd25f54dc3ab40873955e938cbf9f5f8aa801fe"},
	{"my-plugin", "1.0.0", HELLO_HASH, ""},
};

START_TEST(another_payload_or_another_spelling_does_not_verify)
{
	struct sign_key *key = shared_key(SHORT_KEY);

	ck_assert(!sign_hmac_verify(key, wrong_hmacs[_i].id, wrong_hmacs[_i].version, wrong_hmacs[_i].hash,
				    wrong_hmacs[_i].signature));
	sign_key_free(key);
}
END_TEST

START_TEST(a_shared_key_is_taken_byte_for_byte)
{
	struct sign_key *plain = shared_key(LONG_KEY), *newline = shared_key(LONG_KEY "\n"), *hex = NULL;
	char one[SIGN_HMAC_TEXT], other[SIGN_HMAC_TEXT], third[SIGN_HMAC_TEXT];

	/* what 64 hex digits would decode to is another key than the digits */
	hex = shared_key("3031323334353637383961626364656630313233343536373839616263646566");
	sign_hmac(plain, "a", "b", "c", one);
	sign_hmac(newline, "a", "b", "c", other);
	sign_hmac(hex, "a", "b", "c", third);
	ck_assert_str_ne(one, other);
	ck_assert_str_ne(one, third);
	sign_key_free(plain);
	sign_key_free(newline);
	sign_key_free(hex);
}
END_TEST

static const struct {
	const char *text;
	enum sign_scheme scheme;
} forms[] = {
	{HELLO_HMAC, SIGN_HMAC},
	{"CEAD3ef4c47d0971ee9fea80ebd25f54dc3ab40873955e938cbf9f5f8aa801ff", SIGN_NEITHER},
	{"", SIGN_NEITHER},
	{"ed25519:", SIGN_NEITHER},
	{"ed25519:" HELLO_HMAC, SIGN_NEITHER},
	{"ed25519:" HELLO_HMAC HELLO_HMAC, SIGN_ED25519},
	{"ed25519:" HELLO_HMAC HELLO_HMAC "0", SIGN_NEITHER},
	{"ED25519:" HELLO_HMAC HELLO_HMAC, SIGN_NEITHER},
	{"ed25519:" HELLO_HMAC "DEAD3ef4c47d0971ee9fea80ebd25f54dc3ab40873955e938cbf9f5f8aa801ff", SIGN_NEITHER},
	{"rsa:" HELLO_HMAC, SIGN_NEITHER},
	{" " HELLO_HMAC, SIGN_NEITHER},
};

START_TEST(the_scheme_is_told_by_the_form)
{
	ck_assert_int_eq((int)sign_scheme(forms[_i].text), (int)forms[_i].scheme);
}
END_TEST

/* ---- keys of the environment ---- */

START_TEST(a_key_of_the_environment_is_wiped_from_it)
{
	char variable[] = "PICKET_TEST_KEY=" LONG_KEY;
	struct sign_key *key = NULL, *same = shared_key(LONG_KEY);
	char one[SIGN_HMAC_TEXT], other[SIGN_HMAC_TEXT];

	ck_assert_int_eq(putenv(variable), 0);
	ck_assert_int_eq(sign_shared_key_take("PICKET_TEST_KEY", &key), 0);
	ck_assert_ptr_null(getenv("PICKET_TEST_KEY"));
	for (size_t i = strlen("PICKET_TEST_KEY="); i < sizeof variable; i++)
		ck_assert_int_eq(variable[i], 0); /* the very bytes that /proc/PID/environ shows */
	sign_hmac(key, "a", "b", "c", one);
	sign_hmac(same, "a", "b", "c", other);
	ck_assert_str_eq(one, other);
	sign_key_free(key);
	sign_key_free(same);
}
END_TEST

START_TEST(a_short_key_of_the_environment_is_refused_and_wiped)
{
	char variable[] = "PICKET_TEST_KEY=0123456789abcdef0123456789abcde";
	struct sign_key *key = NULL;

	ck_assert_int_eq(putenv(variable), 0);
	ck_assert_int_eq(sign_shared_key_take("PICKET_TEST_KEY", &key), -EKEYREJECTED);
	ck_assert_ptr_null(key);
	ck_assert_ptr_null(getenv("PICKET_TEST_KEY"));
	ck_assert_int_eq(variable[strlen("PICKET_TEST_KEY=")], 0);
	ck_assert_int_eq(sign_shared_key_take("PICKET_TEST_KEY", &key), -ENOENT);
}
END_TEST

/* ---- key files ---- */

static const struct {
	size_t length;
	mode_t mode;
	bool allow_short;
	int error;
} shared_files[] = {
	{32, 0600, false, 0},
	{31, 0600, false, -EKEYREJECTED},
	{31, 0600, true, 0},
	{0, 0600, true, -EKEYREJECTED},
	{32, 0400, false, 0},
	{32, 0640, false, -EPERM},
	{32, 0604, false, -EPERM},
	{32, 0620, false, -EPERM},
	{32, 0602, false, -EPERM},
	{SIGN_HMAC_KEY_MOST, 0600, false, 0},
	{SIGN_HMAC_KEY_MOST + 1, 0600, false, -EFBIG},
};

START_TEST(a_shared_key_file_is_long_enough_and_nobody_elses)
{
	static char bytes[SIGN_HMAC_KEY_MOST + 1];
	struct sign_key *key = NULL;
	const char *path = put("key", bytes, shared_files[_i].length, shared_files[_i].mode);

	ck_assert_int_eq(sign_shared_key_read(path, shared_files[_i].allow_short, &key, &why), shared_files[_i].error);
	ck_assert_int_eq(key != NULL, shared_files[_i].error == 0);
	sign_key_free(key);
}
END_TEST

START_TEST(a_key_is_no_fifo_no_directory_and_exists)
{
	struct sign_key *key = NULL;

	ck_assert_int_eq(mkfifo(in("fifo"), 0600), 0);
	ck_assert_int_eq(sign_shared_key_read(in("fifo"), false, &key, &why), -EINVAL);
	ck_assert_int_ne(sign_shared_key_read(directory, false, &key, &why), 0);
	ck_assert_int_eq(sign_shared_key_read(in("none"), false, &key, &why), -ENOENT);
}
END_TEST

START_TEST(a_secret_key_comes_back_as_it_was_written)
{
	struct sign_key *made = sign_key_generate(), *read_back = NULL;
	uint8_t one[SIGN_PUBLIC_KEY], other[SIGN_PUBLIC_KEY];
	struct stat status;

	ck_assert_int_eq(sign_key_write(made, in("a.key"), &why), 0);
	ck_assert_int_eq(stat(in("a.key"), &status), 0);
	ck_assert_int_eq(status.st_mode & 07777, 0600);
	ck_assert_int_eq(sign_key_write(made, in("a.key"), &why), -EEXIST);
	ck_assert_int_eq(sign_key_read(in("a.key"), &read_back, &why), 0);
	sign_public_key(made, one);
	sign_public_key(read_back, other);
	ck_assert_mem_eq(one, other, sizeof one);
	ck_assert_int_eq(chmod(in("a.key"), 0644), 0);
	sign_key_free(read_back);
	ck_assert_int_eq(sign_key_read(in("a.key"), &read_back, &why), -EPERM);
	sign_key_free(made);
}
END_TEST

static const char *const wrong_secrets[] = {
	"",
	"\n",
	"picket-secret-key ed25519 ",
	HELLO_HASH,
	"picket-secret-key ed25519 " HELLO_HASH "0",
	"picket-secret-key rsa " HELLO_HASH,
	"picket-secret-key ed25519 " HELLO_HASH "\n\n",
	"picket-secret-key ed25519 96F43D529AF3430CB6B0E2C02F6B38EF1A121E8A31D2D09A3EBB716F2F35C9DE",
};

START_TEST(what_is_no_secret_key_is_refused)
{
	struct sign_key *key = NULL;
	const char *text = wrong_secrets[_i];

	ck_assert_int_eq(sign_key_read(put("s", text, strlen(text), 0600), &key, &why), -EINVAL);
	ck_assert_ptr_null(key);
	ck_assert_ptr_null(strstr(why.text, HELLO_HASH)); /* a key is never printed */
}
END_TEST

/* AddressSanitizer and ThreadSanitizer make mlock do nothing. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MLOCK_IS_VOID 1
#elif defined(__has_feature)
#define MLOCK_IS_VOID (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define MLOCK_IS_VOID 0
#endif

/* The pages of a key are locked and left out of core dumps: the kernel says so of the mapping. */
START_TEST(a_key_lies_in_locked_memory)
{
	struct sign_key *key = sign_key_random();
	FILE *maps = fopen("/proc/self/smaps", "re");
	char line[512];
	bool here = false, found = false;

	ck_assert_ptr_nonnull(maps);
	while (fgets(line, sizeof line, maps)) {
		unsigned long start, end;
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			here = (unsigned long)key >= start && (unsigned long)key < end;
		if (here && !strncmp(line, "VmFlags:", 8)) {
			found = true;
			ck_assert_ptr_nonnull(strstr(line, " dd"));
			if (!MLOCK_IS_VOID)
				ck_assert_ptr_nonnull(strstr(line, " lo"));
		}
	}
	fclose(maps);
	ck_assert(found);
	sign_key_free(key);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sign");
	TCase *hmac = tcase_create("hmac"), *files = tcase_create("key files");

	tcase_add_checked_fixture(hmac, setup, teardown);
	tcase_add_test(hmac, a_hash_in_pieces_is_the_hash_of_the_whole);
	tcase_add_test(hmac, the_hmac_of_the_vector_is_right);
	tcase_add_test(hmac, a_key_longer_than_a_block_is_used_whole);
	add_rows(hmac, another_payload_or_another_spelling_does_not_verify, wrong_hmacs);
	tcase_add_test(hmac, a_shared_key_is_taken_byte_for_byte);
	add_rows(hmac, the_scheme_is_told_by_the_form, forms);
	suite_add_tcase(suite, hmac);
	tcase_add_checked_fixture(files, setup, teardown);
	tcase_add_test(files, a_key_of_the_environment_is_wiped_from_it);
	tcase_add_test(files, a_short_key_of_the_environment_is_refused_and_wiped);
	add_rows(files, a_shared_key_file_is_long_enough_and_nobody_elses, shared_files);
	tcase_add_test(files, a_key_is_no_fifo_no_directory_and_exists);
	tcase_add_test(files, a_secret_key_comes_back_as_it_was_written);
	add_rows(files, what_is_no_secret_key_is_refused, wrong_secrets);
	tcase_add_test(files, a_key_lies_in_locked_memory);
	suite_add_tcase(suite, files);
	return run_suite(suite);
}
