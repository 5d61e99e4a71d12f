/* SPDX-License-Identifier: MIT */
/*
 * test_result_file.c - where a result goes, and what happens when it cannot.
 */
#include "result_help.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/xattr.h>

static char directory[] = "/tmp/picket-result-XXXXXX";

static void enter_directory(void)
{
	ck_assert_ptr_nonnull(mkdtemp(directory));
	ck_assert_int_eq(chdir(directory), 0);
}

static void leave_directory(void)
{
	char line[64];
	snprintf(line, sizeof(line), "rm -rf %s", directory);
	ck_assert_int_eq(chdir("/"), 0);
	ck_assert_int_eq(system(line), 0);
}

static int entries(void)
{
	int count = 0;
	cleanup_dir DIR *dir = opendir(".");
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
		count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
	return count;
}

START_TEST(a_file_is_replaced_with_ordinary_modes)
{
	struct result *result = result_new(NULL);
	struct stat before, after;
	umask(027);
	ck_assert_int_eq(result_write_file(result, &identity, &outcome, NULL, "r.json"), 0);
	ck_assert_int_eq(stat("r.json", &before), 0);
	ck_assert_int_eq(before.st_mode & 07777, 0640);
	cleanup_fd int old = open("r.json", O_RDONLY);
	ck_assert_int_eq(result_write_file(result, &identity, &outcome, NULL, "r.json"), 0);
	ck_assert_int_eq(stat("r.json", &after), 0);
	ck_assert(before.st_ino != after.st_ino);
	ck_assert_int_eq(lseek(old, 0, SEEK_END), before.st_size); /* a reader of the old one still has it whole */
	ck_assert_int_eq(entries(), 1);
	json_t *json = json_load_file("r.json", 0, NULL);
	ck_assert_ptr_nonnull(json);
	json_decref(json);
	result_free(result);
}
END_TEST

START_TEST(a_link_is_replaced_and_not_followed)
{
	struct result *result = result_new(NULL);
	struct stat status;
	ck_assert_int_eq(close(open("victim", O_CREAT | O_WRONLY, 0600)), 0);
	ck_assert_int_eq(symlink("victim", "r.json"), 0);
	ck_assert_int_eq(result_write_file(result, &identity, &outcome, NULL, "r.json"), 0);
	ck_assert_int_eq(stat("victim", &status), 0);
	ck_assert_int_eq(status.st_size, 0);
	ck_assert_int_eq(lstat("r.json", &status), 0);
	ck_assert(S_ISREG(status.st_mode));
	result_free(result);
}
END_TEST

START_TEST(a_moved_directory_leads_nowhere_else)
{
	struct result *result = result_new(NULL);
	struct result_file file;
	ck_assert_int_eq(mkdir("out", 0700), 0);
	ck_assert_int_eq(mkdir("elsewhere", 0700), 0);
	ck_assert_int_eq(result_file_open(&file, "out/r.json"), 0);
	ck_assert_int_eq(rename("out", "held"), 0);
	ck_assert_int_eq(symlink("elsewhere", "out"), 0);
	ck_assert_int_eq(result_file_write(&file, result, &identity, &outcome, NULL), 0);
	result_file_close(&file);
	ck_assert_int_eq(access("held/r.json", F_OK), 0);
	ck_assert_int_eq(access("elsewhere/r.json", F_OK), -1);
	result_free(result);
}
END_TEST

static void swap_directory(void)
{
	ck_assert_int_eq(rename("out", "held"), 0);
	ck_assert_int_eq(mkdir("out", 0700), 0);
	ck_assert_int_eq(close(open("out/r.json", O_CREAT | O_WRONLY, 0600)), 0);
}

static void put_link(void)
{
	ck_assert_int_eq(rename("out", "held"), 0);
	ck_assert_int_eq(symlink("held", "out"), 0);
}

static void remove_directory(void)
{
	ck_assert_int_eq(rmdir("out"), 0);
}

static void nothing(void)
{
}

static const struct {
	void (*meanwhile)(void);
	bool misleads;
	int error;
} meanwhiles[] = {
	{nothing, false, 0},
	{swap_directory, true, 0},
	{put_link, false, 0}, /* it leads to the result */
	{remove_directory, false, -ENOENT},
};

START_TEST(whether_the_name_still_leads_to_the_result_is_known)
{
	struct result *result = result_new(NULL);
	struct result_file file;
	ck_assert_int_eq(mkdir("out", 0700), 0);
	ck_assert_int_eq(result_file_open(&file, "out/r.json"), 0);
	meanwhiles[_i].meanwhile();
	ck_assert_int_eq(result_file_write(&file, result, &identity, &outcome, NULL), meanwhiles[_i].error);
	ck_assert_int_eq(result_file_misleads(&file), meanwhiles[_i].misleads);
	result_file_close(&file);
	result_free(result);
}
END_TEST

static const mode_t shut[] = {0555, 0111, 0};

START_TEST(a_directory_that_the_tool_has_shut_gets_the_result_and_stays_shut)
{
	struct result *result = result_new(NULL);
	struct result_file file;
	struct stat status;
	ck_assert_int_eq(mkdir("out", 0700), 0);
	ck_assert_int_eq(close(open("out/r.json", O_CREAT | O_WRONLY, 0600)), 0);
	ck_assert_int_eq(result_file_open(&file, "out/r.json"), 0);
	ck_assert_int_eq(chmod("out", shut[_i]), 0);
	ck_assert_int_eq(result_file_write(&file, result, &identity, &outcome, NULL), 0);
	ck_assert(!result_file_misleads(&file));
	ck_assert_int_eq(stat("out", &status), 0);
	ck_assert_int_eq(status.st_mode & 07077, shut[_i] & 07077);
	ck_assert_int_eq(status.st_mode & S_IWUSR, 0);
	ck_assert_int_eq(chmod("out", 0700), 0);
	json_t *json = json_load_file("out/r.json", 0, NULL);
	ck_assert_ptr_nonnull(json);
	json_decref(json);
	result_file_close(&file);
	result_free(result);
}
END_TEST

START_TEST(what_a_directory_says_of_new_files_does_not_keep_the_result_from_its_owner)
{
	/* version 2, then tag with rights, and id, of user, group and others: linux/posix_acl_xattr.h */
	static const uint32_t nobody[] = {2, 1, UINT32_MAX, 4, UINT32_MAX, 0x20, UINT32_MAX};
	struct result *result = result_new(NULL);
	struct stat status;
	if (setxattr(".", "system.posix_acl_default", nobody, sizeof(nobody), 0) == 0) { /* or there is no such thing */
		ck_assert_int_eq(result_write_file(result, &identity, &outcome, NULL, "r.json"), 0);
		ck_assert_int_eq(stat("r.json", &status), 0);
		ck_assert_int_eq(status.st_mode & 07777, 0600);
	}
	result_free(result);
}
END_TEST

static const struct {
	const char *path;
	int error;
} wrong_paths[] = {
	{"", -ENOENT},
	{".", -EISDIR},
	{"/", -EISDIR},
	{"d", -EISDIR},
	{"d/", -EISDIR},
	{"d/..", -EISDIR},
	{"missing/r.json", -ENOENT},
	{"f/r.json", -ENOTDIR},
	{"/dev/fd/999", -ENOENT},
};

START_TEST(a_wrong_path_is_found_out_before_anything_runs)
{
	struct result_file file;
	ck_assert_int_eq(mkdir("d", 0700), 0);
	ck_assert_int_eq(close(open("f", O_CREAT | O_WRONLY, 0600)), 0);
	int error = result_file_open(&file, wrong_paths[_i].path);
	ck_assert_msg(error == wrong_paths[_i].error, "%s: %s", wrong_paths[_i].path, strerror(-error));
	ck_assert_int_eq(file.dirfd, -1);
	ck_assert_ptr_null(file.name);
}
END_TEST

START_TEST(devices_and_fifos_are_written_as_they_stand)
{
	struct result *result = result_new(NULL);
	struct stat status;
	ck_assert_int_eq(result_write_file(result, &identity, &outcome, NULL, "/dev/null"), 0);
	ck_assert_int_eq(stat("/dev/null", &status), 0);
	ck_assert(S_ISCHR(status.st_mode));
	ck_assert_int_eq(mkfifo("fifo", 0600), 0);
	ck_assert(result_file_is_kept("fifo") && result_file_is_kept("missing"));
	ck_assert(!result_file_is_kept("/dev/full") && !result_file_is_kept("/dev/stdout") &&
		  !result_file_is_kept("/dev/fd/3"));
	cleanup_fd int reader = open("fifo", O_RDONLY | O_NONBLOCK);
	ck_assert_int_eq(result_write_file(result, &identity, &outcome, NULL, "fifo"), 0);
	char first;
	ck_assert_int_eq(read(reader, &first, 1), 1);
	ck_assert_int_eq(first, '{');
	ck_assert_int_eq(entries(), 1);
	result_free(result);
}
END_TEST

START_TEST(a_failed_write_leaves_neither_the_old_file_nor_litter)
{
	struct result *result = result_new(NULL);
	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(result_write_file(result, &identity, &outcome, NULL, "r.json"), 0);
	ck_assert_int_eq(entries(), 1);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &(struct rlimit){100, 100}), 0);
	ck_assert_int_eq(result_write_file(result, &identity, &outcome, NULL, "r.json"), -EFBIG);
	ck_assert_int_eq(entries(), 0); /* it would be taken for this one */
	result_free(result);
}
END_TEST

START_TEST(a_full_disk_is_reported)
{
	struct result *result = result_new(NULL);
	cleanup_fd int full = open("/dev/full", O_WRONLY);
	ck_assert_int_eq(result_write(result, &identity, &outcome, NULL, full), -ENOSPC);
	result_free(result);
}
END_TEST

START_TEST(a_reader_that_has_gone_is_an_error_and_no_death)
{
	struct result *result = result_new(NULL);
	int ends[2];
	ck_assert_int_eq(pipe(ends), 0);
	close(ends[0]);
	ck_assert_int_eq(result_write(result, &identity, &outcome, NULL, ends[1]), -EPIPE);
	ck_assert_int_eq(result_write(result, &identity, &outcome, NULL, 9999), -EBADF);
	result_free(result);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("result_file");
	TCase *tests = tcase_create("result_file");
	tcase_add_checked_fixture(tests, enter_directory, leave_directory);
	tcase_add_test(tests, a_file_is_replaced_with_ordinary_modes);
	tcase_add_test(tests, a_link_is_replaced_and_not_followed);
	tcase_add_test(tests, a_moved_directory_leads_nowhere_else);
	tcase_add_loop_test(tests, whether_the_name_still_leads_to_the_result_is_known, 0,
			    sizeof(meanwhiles) / sizeof(meanwhiles[0]));
	tcase_add_loop_test(tests, a_directory_that_the_tool_has_shut_gets_the_result_and_stays_shut, 0,
			    sizeof(shut) / sizeof(shut[0]));
	tcase_add_test(tests, what_a_directory_says_of_new_files_does_not_keep_the_result_from_its_owner);
	tcase_add_loop_test(tests, a_wrong_path_is_found_out_before_anything_runs, 0,
			    sizeof(wrong_paths) / sizeof(wrong_paths[0]));
	tcase_add_test(tests, devices_and_fifos_are_written_as_they_stand);
	tcase_add_test(tests, a_failed_write_leaves_neither_the_old_file_nor_litter);
	tcase_add_test(tests, a_full_disk_is_reported);
	tcase_add_test(tests, a_reader_that_has_gone_is_an_error_and_no_death);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
