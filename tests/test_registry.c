/* SPDX-License-Identifier: MIT */
/*
 * test_registry.c - the directory of installed plugins: whole at every moment, whoever writes at once.
 */
#include "registry.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"
#include "sign.h"

enum { WRITERS = 6, ROUNDS = 40, PROGRAM_SIZE = 20000 };

static char directory[64], path[96];
static struct complaint why;

static void setup(void)
{
	ck_assert_int_eq(sign_start(), 0);
	snprintf(directory, sizeof directory, "/tmp/test_registry.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(path, sizeof path, "%s/deep/er/registry", directory);
}

static void teardown(void)
{
	char command[128];

	snprintf(command, sizeof command, "rm -rf '%s'", directory);
	ck_assert_int_eq(system(command), 0);
}

/* A program of PROGRAM_SIZE bytes that all say `version`. */
static void fill(char *program, unsigned version)
{
	for (size_t i = 0; i < PROGRAM_SIZE; i++)
		program[i] = (char)('a' + (version + i) % 26);
}

/* Install `version` of a plugin; does not use Check, since children call it. 0 or -errno. */
static int install(struct registry *registry, const char *id, unsigned version)
{
	static char program[PROGRAM_SIZE];
	char hash[SIGN_HASH_TEXT], number[16];
	struct manifest manifest;

	fill(program, version);
	sign_hash_text(program, sizeof program, hash);
	snprintf(number, sizeof number, "%u", version);
	const struct manifest_draft draft = {.id = id, .version = number, .signed_by = "s"};
	int error = manifest_prepare("m", NULL, 0, &draft, &manifest, &why);
	if (error)
		return error;
	manifest_set_hash(&manifest, hash);
	manifest_set_signature(&manifest, "");
	error = registry_install(registry, &manifest, program, sizeof program, &why);
	manifest_free(&manifest);
	return error;
}

/* What is found is whole: the program is the one of the manifest. 0, or what was wrong. */
static int check_found(struct registry *registry, const char *id)
{
	char program[PROGRAM_SIZE + 1], hash[SIGN_HASH_TEXT];
	struct registered found;
	int error = registry_find(registry, id, &found, &why);

	if (error)
		return error;
	ssize_t n = read(found.fd, program, sizeof program);
	sign_hash_text(program, n < 0 ? 0 : (size_t)n, hash);
	error = n == PROGRAM_SIZE && !strcmp(hash, found.manifest.content_hash) ? 0 : -EILSEQ;
	registered_free(&found);
	return error;
}

static struct registry *open_registry(void)
{
	struct registry *registry = NULL;
	int error = registry_open(path, true, &registry, &why);

	ck_assert_msg(error == 0, "%s", why.text);
	return registry;
}

/* One row of registry_list for a test that counts. */
static int count_row(const struct registry_row *row, const char *fault, void *context)
{
	unsigned *count = context;

	ck_assert_msg(row != NULL, "%s", fault);
	++*count;
	return 0;
}

static unsigned count_listed(struct registry *registry)
{
	unsigned count = 0;

	ck_assert_int_eq(registry_list(registry, count_row, &count, &why), 0);
	return count;
}

static unsigned count_files(const char *below)
{
	char name[128];
	unsigned count = 0;

	snprintf(name, sizeof name, "%s%s", path, below);
	cleanup_dir DIR *entries = opendir(name);
	ck_assert_ptr_nonnull(entries);
	while (readdir(entries))
		count++;
	return count - 2;
}

START_TEST(what_is_installed_is_found_listed_and_removed)
{
	struct registry *registry = open_registry();
	struct registered found;

	ck_assert_uint_eq(count_listed(registry), 0);
	ck_assert_int_eq(registry_find(registry, "a", &found, &why), -ENOENT);
	ck_assert_int_eq(install(registry, "a", 1), 0);
	ck_assert_int_eq(install(registry, "b", 1), 0);
	ck_assert_int_eq(check_found(registry, "a"), 0);
	ck_assert_uint_eq(count_listed(registry), 2);
	ck_assert_int_eq(registry_remove(registry, "a", &why), 0);
	ck_assert_int_eq(registry_remove(registry, "a", &why), -ENOENT);
	ck_assert_int_eq(registry_find(registry, "a", &found, &why), -ENOENT);
	ck_assert_int_eq(check_found(registry, "b"), 0);
	ck_assert_uint_eq(count_files("/programs"), 1);
	registry_close(registry);
}
END_TEST

START_TEST(a_second_install_replaces_and_leaves_nothing_of_the_first)
{
	struct registry *registry = open_registry();
	struct registered found;

	ck_assert_int_eq(install(registry, "a", 1), 0);
	ck_assert_int_eq(install(registry, "a", 2), 0);
	ck_assert_int_eq(registry_find(registry, "a", &found, &why), 0);
	ck_assert_str_eq(found.manifest.version, "2");
	registered_free(&found);
	ck_assert_int_eq(check_found(registry, "a"), 0);
	ck_assert_uint_eq(count_files("/programs"), 1);
	ck_assert_int_eq(install(registry, "a", 2), 0); /* the same again */
	ck_assert_int_eq(check_found(registry, "a"), 0);
	registry_close(registry);
}
END_TEST

static const char *const ids[] = {"a.b",      "a",   "../x", "/etc/passwd", ".hidden", "@scope/plugin", "a b",
				  "\xc3\xa4", "%41", "A",    "..",	    ".",       "a.plugin.json"};

START_TEST(every_id_has_a_file_of_its_own_inside)
{
	struct registry *registry = open_registry();
	const unsigned count = sizeof ids / sizeof *ids;

	for (unsigned i = 0; i < count; i++)
		ck_assert_msg(install(registry, ids[i], i) == 0, "%s: %s", ids[i], why.text);
	for (unsigned i = 0; i < count; i++)
		ck_assert_msg(check_found(registry, ids[i]) == 0, "%s: %s", ids[i], why.text);
	ck_assert_uint_eq(count_listed(registry), count);
	for (unsigned i = 0; i < count; i++) {
		ck_assert_int_eq(registry_remove(registry, ids[i], &why), 0);
		for (unsigned k = i + 1; k < count; k++)
			ck_assert_int_eq(check_found(registry, ids[k]), 0);
	}
	ck_assert_uint_eq(count_files("/programs"), 0);
	registry_close(registry);
}
END_TEST

START_TEST(an_id_too_long_for_a_file_is_refused)
{
	struct registry *registry = open_registry();
	char id[129];

	memset(id, '/', sizeof id - 1);
	id[sizeof id - 1] = '\0';
	ck_assert_int_eq(install(registry, id, 1), -ENAMETOOLONG);
	memset(id, 'x', sizeof id - 1);
	ck_assert_int_eq(install(registry, id, 1), 0);
	registry_close(registry);
}
END_TEST

START_TEST(a_manifest_under_another_name_is_refused)
{
	struct registry *registry = open_registry();
	struct registered found;
	char from[160], to[160];

	ck_assert_int_eq(install(registry, "a", 1), 0);
	snprintf(from, sizeof from, "%s/a.plugin.json", path);
	snprintf(to, sizeof to, "%s/b.plugin.json", path);
	ck_assert_int_eq(rename(from, to), 0);
	ck_assert_int_eq(registry_find(registry, "b", &found, &why), -EINVAL);
	registry_close(registry);
}
END_TEST

START_TEST(a_registry_that_others_may_change_is_refused)
{
	struct registry *registry = open_registry();
	char above[96];

	ck_assert_int_eq(install(registry, "a", 1), 0);
	registry_close(registry);
	snprintf(above, sizeof above, "%s/deep", directory);
	static const mode_t modes[] = {0775, 0757, 0777};
	for (size_t i = 0; i < 3; i++) {
		registry = NULL;
		ck_assert_int_eq(chmod(path, modes[i]), 0);
		ck_assert_int_eq(registry_open(path, false, &registry, &why), -EPERM);
		ck_assert_int_eq(registry_open(path, true, &registry, &why), -EPERM);
		ck_assert_int_eq(chmod(path, 0755), 0);
		ck_assert_int_eq(chmod(above, modes[i]), 0);
		ck_assert_int_eq(registry_open(path, false, &registry, &why), -EPERM);
		ck_assert_int_eq(chmod(above, 0755), 0);
		ck_assert_int_eq(registry_open(path, false, &registry, &why), 0); /* control */
		registry_close(registry);
	}
}
END_TEST

START_TEST(a_program_that_others_may_write_is_refused)
{
	struct registry *registry = open_registry();
	struct registered found;

	ck_assert_int_eq(install(registry, "a", 1), 0);
	ck_assert_int_eq(registry_find(registry, "a", &found, &why), 0);
	ck_assert_int_eq(chmod(found.program, 0777), 0);
	registered_free(&found);
	ck_assert_int_eq(registry_find(registry, "a", &found, &why), -EPERM);
	registry_close(registry);
}
END_TEST

START_TEST(a_program_that_is_missing_is_an_error_and_not_waited_for)
{
	struct registry *registry = open_registry();
	struct registered found;

	ck_assert_int_eq(install(registry, "a", 1), 0);
	ck_assert_int_eq(registry_find(registry, "a", &found, &why), 0);
	ck_assert_int_eq(unlink(found.program), 0);
	registered_free(&found);
	ck_assert_int_eq(registry_find(registry, "a", &found, &why), -ENODATA);
	registry_close(registry);
}
END_TEST

/* ---- the index ---- */

/* Lists into a text: "id version\n" each. */
static int print_row(const struct registry_row *row, const char *fault, void *context)
{
	FILE *to = context;

	if (row)
		fprintf(to, "%s %s\n", row->id, row->version);
	else
		fprintf(to, "! %s\n", fault);
	return 0;
}

static char *listed(struct registry *registry)
{
	char *text = NULL;
	size_t length;
	FILE *to = open_memstream(&text, &length);

	ck_assert_int_eq(registry_list(registry, print_row, to, &why), 0);
	fclose(to);
	return text;
}

static void put_index(const char *text, int flags)
{
	char name[160];

	snprintf(name, sizeof name, "%s/" INDEX_FILE, path);
	cleanup_fd int fd = open(name, O_WRONLY | O_CREAT | flags, 0644);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static const char *const wrong_indexes[] = {
	"",
	"\n\n\n",
	"a.plugin.json",
	"a.plugin.json\t",
	"a.plugin.json\t1\t1\t1\tx\t9\ts\tn\t{}\n",
	"\t\t\t\t\t\t\t\t\t\n",
	"none.plugin.json\t1\t1\t1\tnone\t9\ts\tn\t{}\n",
	"\xff\xfe\n\ttorn",
};

START_TEST(a_wrong_index_costs_time_and_nothing_else)
{
	struct registry *registry = open_registry();

	ck_assert_int_eq(install(registry, "a", 1), 0);
	ck_assert_int_eq(install(registry, "b", 2), 0);
	put_index(wrong_indexes[_i], O_TRUNC);
	for (int round = 0; round < 3; round++) {
		cleanup_free char *text = listed(registry);
		ck_assert_str_eq(text, "a 1\nb 2\n");
	}
	put_index(wrong_indexes[_i], O_APPEND);
	ck_assert_int_eq(install(registry, "a", 3), 0);
	cleanup_free char *text = listed(registry);
	ck_assert_str_eq(text, "a 3\nb 2\n");
	registry_close(registry);
}
END_TEST

START_TEST(a_manifest_changed_behind_the_index_is_read_again)
{
	struct registry *registry = open_registry();
	char name[160];

	ck_assert_int_eq(install(registry, "a", 1), 0);
	cleanup_free char *before = listed(registry);
	ck_assert_str_eq(before, "a 1\n");
	snprintf(name, sizeof name, "%s/a.plugin.json", path);
	cleanup_fd int fd = open(name, O_RDWR);
	char text[1024];
	ssize_t n = read(fd, text, sizeof text - 1);
	text[n] = '\0';
	char *version = strstr(text, "\"version\": \"1\"");
	ck_assert_ptr_nonnull(version);
	version[strlen("\"version\": \"")] = '7'; /* the same size, the same inode */
	ck_assert_int_eq(pwrite(fd, text, (size_t)n, 0), n);
	cleanup_free char *after = listed(registry);
	ck_assert_str_eq(after, "a 7\n");
	ck_assert_int_eq(pwrite(fd, "x", 1, 0), 1);
	cleanup_free char *broken = listed(registry);
	ck_assert_msg(strncmp(broken, "! a.plugin.json:1:", 18) == 0, "%s", broken);
	registry_close(registry);
}
END_TEST

START_TEST(a_registry_without_an_index_is_listed)
{
	struct registry *registry = open_registry();
	char name[160];

	ck_assert_int_eq(install(registry, "a", 1), 0);
	snprintf(name, sizeof name, "%s/" INDEX_FILE, path);
	ck_assert_int_eq(unlink(name), 0);
	cleanup_free char *text = listed(registry);
	ck_assert_str_eq(text, "a 1\n");
	ck_assert_int_eq(access(name, F_OK), 0); /* and the next list will be faster */
	registry_close(registry);
}
END_TEST

/* ---- many at once ---- */

/* Installs its own plugin once and a common one in every round; exits with 0 if nothing failed. */
static _Noreturn void write_on(unsigned number)
{
	struct registry *registry = NULL;
	char id[16];
	int error = registry_open(path, true, &registry, &why);

	snprintf(id, sizeof id, "own%u", number);
	if (!error)
		error = install(registry, id, number);
	for (unsigned i = 0; !error && i < ROUNDS; i++)
		error = install(registry, "common", number * ROUNDS + i);
	_exit(error ? 1 : 0);
}

START_TEST(many_writers_lose_nothing_and_a_reader_sees_only_whole_plugins)
{
	struct registry *registry = open_registry();
	unsigned running = WRITERS, looks = 0;
	pid_t writers[WRITERS];

	ck_assert_int_eq(install(registry, "common", 0), 0);
	for (unsigned i = 0; i < WRITERS; i++) {
		writers[i] = fork();
		ck_assert_int_ge(writers[i], 0);
		if (writers[i] == 0)
			write_on(i);
	}
	while (running) {
		int status;
		pid_t gone = waitpid(-1, &status, WNOHANG);
		if (gone > 0) {
			ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
			running--;
		}
		int error = check_found(registry, "common");
		ck_assert_msg(error == 0, "after %u looks: %s: %s", looks, strerror(-error), why.text);
		looks++;
	}
	ck_assert_uint_eq(count_listed(registry), WRITERS + 1);
	for (unsigned i = 0; i < WRITERS; i++) {
		char id[16];
		snprintf(id, sizeof id, "own%u", i);
		ck_assert_int_eq(check_found(registry, id), 0);
	}
	ck_assert_uint_eq(count_files("/programs"), WRITERS + 1);
	registry_close(registry);
}
END_TEST

/* Installs until it is killed. */
static _Noreturn void write_forever(void)
{
	struct registry *registry = NULL;

	if (registry_open(path, true, &registry, &why))
		_exit(1);
	for (unsigned i = 0;; i++)
		if (install(registry, "common", i))
			_exit(1);
}

START_TEST(a_writer_killed_at_any_moment_leaves_a_whole_registry)
{
	struct registry *registry = open_registry();

	ck_assert_int_eq(install(registry, "common", 0), 0);
	for (unsigned i = 0; i < 30; i++) {
		pid_t writer = fork();
		ck_assert_int_ge(writer, 0);
		if (writer == 0)
			write_forever();
		for (unsigned k = 0; k < i * 3 + 1; k++) /* some other time each round */
			ck_assert_int_eq(check_found(registry, "common"), 0);
		ck_assert_int_eq(kill(writer, SIGKILL), 0);
		int status;
		ck_assert_int_eq(waitpid(writer, &status, 0), writer);
		ck_assert(WIFSIGNALED(status));
		ck_assert_int_eq(check_found(registry, "common"), 0);
	}
	ck_assert_int_eq(install(registry, "common", 7), 0); /* the lock is free, and nothing is left lying about */
	ck_assert_uint_eq(count_files("/programs"), 1);
	ck_assert_uint_eq(count_listed(registry), 1);
	registry_close(registry);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("registry");
	TCase *one = tcase_create("one"), *many = tcase_create("many");

	tcase_add_checked_fixture(one, setup, teardown);
	tcase_add_test(one, what_is_installed_is_found_listed_and_removed);
	tcase_add_test(one, a_second_install_replaces_and_leaves_nothing_of_the_first);
	tcase_add_test(one, every_id_has_a_file_of_its_own_inside);
	tcase_add_test(one, an_id_too_long_for_a_file_is_refused);
	tcase_add_test(one, a_manifest_under_another_name_is_refused);
	tcase_add_test(one, a_registry_that_others_may_change_is_refused);
	tcase_add_test(one, a_program_that_others_may_write_is_refused);
	tcase_add_test(one, a_program_that_is_missing_is_an_error_and_not_waited_for);
	tcase_add_loop_test(one, a_wrong_index_costs_time_and_nothing_else, 0,
			    (int)(sizeof wrong_indexes / sizeof *wrong_indexes));
	tcase_add_test(one, a_manifest_changed_behind_the_index_is_read_again);
	tcase_add_test(one, a_registry_without_an_index_is_listed);
	suite_add_tcase(suite, one);
	tcase_set_timeout(many, 120);
	tcase_add_checked_fixture(many, setup, teardown);
	tcase_add_test(many, many_writers_lose_nothing_and_a_reader_sees_only_whole_plugins);
	tcase_add_test(many, a_writer_killed_at_any_moment_leaves_a_whole_registry);
	suite_add_tcase(suite, many);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
