/* SPDX-License-Identifier: MIT */
/*
 * test_keyring.c - Ed25519 signatures and the trusted keys that verify them, and the permissions that keys and directories
 * must have.
 */
#include "keyring.h"

#include "sign_help.h"
#include "trust.h"

/* ---- Ed25519 and trusted keys ---- */

static const char message[] = "{\"id\":\"a\"}";

/* A key of `signer`, its public half in the directory under `file`; its signature of `message`. */
static void add_key(const char *file, const char *expires, char signature[SIGN_ED25519_TEXT], char id[SIGN_KEY_ID_TEXT])
{
	struct sign_key *key = sign_key_generate();
	uint8_t public_key[SIGN_PUBLIC_KEY];

	sign_public_key(key, public_key);
	sign_key_id(public_key, id);
	sign_ed25519(key, message, strlen(message), signature);
	ck_assert_int_eq(keyring_write(in(file), public_key, expires, &why), 0);
	sign_key_free(key);
}

static const struct trusted_key *verify_as(const char *signer, const char *signature, const char *bytes, time_t now)
{
	static struct keyring keyring;

	why.text[0] = '\0';
	if (keyring_load(directory, signer, &keyring, &why))
		return NULL;
	return keyring_verify(&keyring, signature, bytes, strlen(bytes), now, &why);
}

START_TEST(each_key_of_a_signer_verifies_and_no_other)
{
	char one[SIGN_ED25519_TEXT], other[SIGN_ED25519_TEXT], strange[SIGN_ED25519_TEXT], id[3][SIGN_KEY_ID_TEXT];

	add_key("alice.pub", NULL, one, id[0]);
	add_key("alice~2.pub", NULL, other, id[1]);
	add_key("alicea.pub", NULL, strange, id[2]);
	ck_assert_str_eq(verify_as("alice", one, message, 0)->id, id[0]);
	ck_assert_str_eq(verify_as("alice", other, message, 0)->id, id[1]);
	ck_assert_ptr_null(verify_as("alice", strange, message, 0));
	ck_assert_ptr_null(verify_as("bob", one, message, 0));
	ck_assert_str_eq(why.text, "no trusted key of this signer");
	ck_assert_str_eq(verify_as("alicea", strange, message, 0)->id, id[2]);
	ck_assert_ptr_null(verify_as("alice", one, "{\"id\":\"b\"}", 0));
}
END_TEST

START_TEST(every_flipped_bit_of_a_signature_is_noticed)
{
	char signature[SIGN_ED25519_TEXT], id[SIGN_KEY_ID_TEXT];

	add_key("alice.pub", NULL, signature, id);
	for (size_t i = 8; i < strlen(signature); i++) {
		char changed[SIGN_ED25519_TEXT];
		memcpy(changed, signature, sizeof changed);
		changed[i] = changed[i] == '0' ? '1' : '0';
		ck_assert_ptr_null(verify_as("alice", changed, message, 0));
	}
	ck_assert_ptr_nonnull(verify_as("alice", signature, message, 0));
}
END_TEST

START_TEST(a_key_is_good_until_it_expires)
{
	char signature[SIGN_ED25519_TEXT], id[SIGN_KEY_ID_TEXT];
	time_t end;

	ck_assert(keyring_time("2027-01-31T12:00:00Z", &end));
	add_key("alice.pub", "2027-01-31T12:00:00Z", signature, id);
	ck_assert_ptr_nonnull(verify_as("alice", signature, message, end - 1));
	ck_assert_ptr_null(verify_as("alice", signature, message, end));
	ck_assert_ptr_nonnull(strstr(why.text, "has expired"));
}
END_TEST

START_TEST(a_revoked_key_verifies_nothing)
{
	char one[SIGN_ED25519_TEXT], other[SIGN_ED25519_TEXT], id[2][SIGN_KEY_ID_TEXT], list[64];

	add_key("alice.pub", NULL, one, id[0]);
	add_key("alice~2.pub", NULL, other, id[1]);
	int n = snprintf(list, sizeof list, "# lost in the train\n%s  # since May\n", id[0]);
	put("revoked", list, (size_t)n, 0644);
	ck_assert_ptr_null(verify_as("alice", one, message, 0));
	ck_assert_ptr_nonnull(strstr(why.text, "is revoked"));
	ck_assert_ptr_nonnull(verify_as("alice", other, message, 0));
}
END_TEST

static const struct {
	const char *name, *text;
} wrong_files[] = {
	{"alice.pub", ""},
	{"alice.pub", "ed25519 00"},
	{"alice.pub", "ed25519 " HELLO_HASH "\ned25519 " HELLO_HASH},
	{"alice.pub", "ed25519 " HELLO_HASH "\nexpires tomorrow"},
	{"alice.pub", "ed25519 " HELLO_HASH "\nexpires 2027-02-31"},
	{"alice.pub", "ed25519 " HELLO_HASH "\ncomment x"},
	{"alice~x.pub", HELLO_HASH},
	{"revoked", "not an id"},
	{"revoked", "ABCDEF0123456789"},
};

START_TEST(what_is_not_understood_is_an_error_and_not_skipped)
{
	char signature[SIGN_ED25519_TEXT], id[SIGN_KEY_ID_TEXT];
	struct keyring keyring;

	add_key("alice~good.pub", NULL, signature, id);
	ck_assert_ptr_nonnull(verify_as("alice", signature, message, 0));
	put(wrong_files[_i].name, wrong_files[_i].text, strlen(wrong_files[_i].text), 0644);
	ck_assert_int_eq(keyring_load(directory, "alice", &keyring, &why), -EINVAL);
	ck_assert_ptr_nonnull(strstr(why.text, wrong_files[_i].name));
}
END_TEST

START_TEST(a_trusted_key_that_others_may_write_is_not_trusted)
{
	char signature[SIGN_ED25519_TEXT], id[SIGN_KEY_ID_TEXT];
	struct keyring keyring;

	add_key("alice.pub", NULL, signature, id);
	ck_assert_int_eq(chmod(in("alice.pub"), 0664), 0);
	ck_assert_int_eq(keyring_load(directory, "alice", &keyring, &why), -EPERM);
	ck_assert_int_eq(chmod(in("alice.pub"), 0644), 0);
	ck_assert_int_eq(chmod(directory, 0775), 0);
	ck_assert_int_eq(keyring_load(directory, "alice", &keyring, &why), -EPERM);
	ck_assert_int_eq(chmod(directory, 0755), 0);
	ck_assert_int_eq(keyring_load(directory, "alice", &keyring, &why), 0);
}
END_TEST

static const struct {
	const char *name;
	bool good;
} signers[] = {
	{"release@example.org", true},
	{"a", true},
	{"A_b-c+d.e", true},
	{"", false},
	{".hidden", false},
	{"../x", false},
	{"a/b", false},
	{"a b", false},
	{"a~b", false},
	{"a\nb", false},
	{"\xc3\xa4", false},
	{"a*", false},
};

START_TEST(a_signer_is_a_plain_file_name)
{
	ck_assert_int_eq(keyring_good_signer(signers[_i].name), signers[_i].good);
}
END_TEST

/* ---- paths that only their owner may change ---- */

START_TEST(a_path_is_asked_at_every_component)
{
	ck_assert_int_eq(mkdir(in("a"), 0755), 0);
	ck_assert_int_eq(mkdir(in("a/b"), 0755), 0);
	put("a/b/file", "x", 1, 0644);
	cleanup_fd int good = trust_open(in("a/b/file"), O_RDONLY, &why);
	ck_assert_int_ge(good, 0);
	ck_assert_int_eq(chmod(in("a"), 0777), 0);
	ck_assert_int_eq(trust_open(in("a/b/file"), O_RDONLY, &why), -EPERM);
	ck_assert_ptr_nonnull(strstr(why.text, "/a: may be written by others"));
	ck_assert_int_eq(trust_open(in("a/../a/b/file"), O_RDONLY, &why), -EPERM);
	ck_assert_int_eq(chmod(in("a"), 01777), 0); /* sticky: on the way, not at the end */
	cleanup_fd int sticky = trust_open(in("a/b/file"), O_RDONLY, &why);
	ck_assert_int_ge(sticky, 0);
	ck_assert_int_eq(trust_open(in("a"), O_RDONLY, &why), -EPERM);
	ck_assert_int_eq(trust_path(in("a/none"), &why), -EPERM); /* anybody may make it */
	ck_assert_int_eq(trust_path(in("a/b/none"), &why), 0);
}
END_TEST

START_TEST(a_symbolic_link_is_followed_by_the_same_rules)
{
	ck_assert_int_eq(mkdir(in("good"), 0755), 0);
	ck_assert_int_eq(mkdir(in("bad"), 0755), 0);
	put("good/file", "x", 1, 0644);
	ck_assert_int_eq(symlink("../good/./file", in("bad/link")), 0);
	cleanup_fd int fd = trust_open(in("bad/link"), O_RDONLY, &why);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(chmod(in("bad"), 0777), 0); /* whoever may write it may turn the link */
	ck_assert_int_eq(trust_open(in("bad/link"), O_RDONLY, &why), -EPERM);
	ck_assert_int_eq(symlink("loop", in("loop")), 0);
	ck_assert_int_eq(trust_open(in("loop"), O_RDONLY, &why), -ELOOP);
	ck_assert_int_eq(trust_open(in("none/x"), O_RDONLY, &why), -ENOENT);
	ck_assert_int_eq(trust_open("", O_RDONLY, &why), -ENOENT);
	for (int i = 0; i < 3; i++) {
		static const char *const roots[] = {"/", "/..", "/./"};
		cleanup_fd int root = trust_open(roots[i], O_RDONLY | O_DIRECTORY, &why);
		ck_assert_int_ge(root, 0);
	}
}
END_TEST

START_TEST(what_belongs_to_another_user_is_refused)
{
	if (geteuid() != 0)
		return; /* nobody else can make a file of another user; the shell test has both sides */
	put("file", "x", 1, 0644);
	ck_assert_int_eq(chown(in("file"), 65534, 65534), 0);
	ck_assert_int_eq(trust_open(in("file"), O_RDONLY, &why), -EPERM);
	ck_assert_ptr_nonnull(strstr(why.text, "belongs to another user"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("keyring");
	TCase *keys = tcase_create("trusted keys"), *paths = tcase_create("paths");

	tcase_add_checked_fixture(keys, setup, teardown);
	tcase_add_test(keys, each_key_of_a_signer_verifies_and_no_other);
	tcase_add_test(keys, every_flipped_bit_of_a_signature_is_noticed);
	tcase_add_test(keys, a_key_is_good_until_it_expires);
	tcase_add_test(keys, a_revoked_key_verifies_nothing);
	add_rows(keys, what_is_not_understood_is_an_error_and_not_skipped, wrong_files);
	tcase_add_test(keys, a_trusted_key_that_others_may_write_is_not_trusted);
	add_rows(keys, a_signer_is_a_plain_file_name, signers);
	suite_add_tcase(suite, keys);
	tcase_add_checked_fixture(paths, setup, teardown);
	tcase_add_test(paths, a_path_is_asked_at_every_component);
	tcase_add_test(paths, a_symbolic_link_is_followed_by_the_same_rules);
	tcase_add_test(paths, what_belongs_to_another_user_is_refused);
	suite_add_tcase(suite, paths);
	return run_suite(suite);
}
