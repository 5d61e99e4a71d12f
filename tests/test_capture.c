/* SPDX-License-Identifier: MIT */
/*
 * test_capture.c - the tool's output through pipes: what is kept, what is passed on, what is thrown away, and that
 * neither a slow reader, one that has gone, nor a writer that stays holds anybody.
 */
#include "capture.h"

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "policy_help.h"

enum { PIPE_ROOM = 65536, LARGE = 3 * 1000 * 1000 };

static struct capture *capture;
static int out, err;

static void start(bool keep, uint64_t limit)
{
	ck_assert_int_eq(capture_start(&capture, keep, limit, &out, &err), 0);
}

static void write_all(int fd, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t n = write(fd, bytes, length);
		ck_assert_int_gt(n, 0);
		bytes += n;
		length -= (size_t)n;
	}
}

/* As many bytes, each of which tells where it stands. */
static char *pattern(size_t length)
{
	char *bytes = malloc(length);

	ck_assert_ptr_nonnull(bytes);
	for (size_t i = 0; i < length; i++)
		bytes[i] = (char)(i * 7 + i / 251);
	return bytes;
}

static void finish(bool hurry)
{
	close(out);
	close(err);
	capture_finish(capture, hurry);
}

static void kept(int stream, const char *bytes, size_t length)
{
	size_t got;
	const char *what = capture_bytes(capture, stream, &got);

	ck_assert_uint_eq(got, length);
	ck_assert_int_eq(memcmp(what, bytes, length), 0);
}

/* ---- kept --------------------------------------------------------------- */

START_TEST(both_streams_are_kept_apart_and_to_the_byte)
{
	char *bytes = pattern(LARGE);
	start(true, 0);
	write_all(out, bytes, LARGE);
	write_all(err, "\0\xff", 2);
	finish(false);
	kept(1, bytes, LARGE);
	kept(2, "\0\xff", 2);
	ck_assert(!capture_truncated(capture));
	capture_free(capture);
	free(bytes);
}
END_TEST

START_TEST(nothing_written_is_nothing_kept)
{
	size_t length = 1;
	start(true, 100);
	finish(false);
	ck_assert_str_eq(capture_bytes(capture, 1, &length), "");
	ck_assert_uint_eq(length, 0);
	ck_assert(!capture_truncated(capture));
	capture_free(capture);
}
END_TEST

static const struct {
	size_t limit, written, kept;
	bool truncated;
} limits[] = {
	{100, 99, 99, false},	      {100, 100, 100, false},	   {100, 101, 100, true},
	{1, LARGE, 1, true},	      {70000, LARGE, 70000, true}, /* within the second piece */
	{LARGE, LARGE, LARGE, false},
};

START_TEST(what_is_beyond_the_limit_is_taken_and_thrown_away)
{
	char *bytes = pattern(LARGE);
	start(true, limits[_i].limit);
	write_all(out, bytes, limits[_i].written); /* the writer never waits for good */
	finish(false);
	kept(1, bytes, limits[_i].kept);
	ck_assert_int_eq(capture_truncated(capture), limits[_i].truncated);
	capture_free(capture);
	free(bytes);
}
END_TEST

START_TEST(the_limit_is_of_both_streams_together)
{
	size_t first, second;
	char bytes[80];
	start(true, 100);
	memset(bytes, 'x', sizeof bytes);
	write_all(out, bytes, sizeof bytes);
	write_all(err, bytes, sizeof bytes);
	finish(false);
	capture_bytes(capture, 1, &first);
	capture_bytes(capture, 2, &second);
	ck_assert_uint_eq(first + second, 100);
	ck_assert(capture_truncated(capture));
	capture_free(capture);
}
END_TEST

START_TEST(without_a_limit_memory_is_bounded)
{
	size_t length;
	char *bytes = calloc(1, 1 << 20);
	start(true, 0);
	for (int i = 0; i < 20; i++)
		write_all(out, bytes, 1 << 20);
	finish(false);
	capture_bytes(capture, 1, &length);
	ck_assert_uint_eq(length, CAPTURE_DEFAULT);
	ck_assert(capture_truncated(capture));
	capture_free(capture);
	free(bytes);
}
END_TEST

START_TEST(one_stream_alone)
{
	ck_assert_int_eq(capture_start(&capture, true, 0, NULL, &err), 0);
	write_all(err, "e", 1);
	close(err);
	capture_finish(capture, false);
	kept(1, "", 0);
	kept(2, "e", 1);
	capture_free(capture);
}
END_TEST

/* A grandchild that was left behind: what was there is kept, and nobody waits for more. */
START_TEST(a_writer_that_stays_holds_nobody)
{
	int copy;
	start(true, 0);
	copy = dup(out);
	write_all(out, "there", 5);
	finish(false);
	kept(1, "there", 5);
	capture_free(capture);
	close(copy);
}
END_TEST

/* ---- passed on ---------------------------------------------------------- */

static int ours[2]; /* pipes in place of our own stdout and stderr: their read ends */
static int saved[2];

static void redirect_us(void)
{
	for (int i = 0; i < 2; i++) {
		int ends[2];
		ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
		saved[i] = fcntl(i + 1, F_DUPFD_CLOEXEC, 10);
		ck_assert_int_eq(dup2(ends[1], i + 1), i + 1);
		close(ends[1]);
		ours[i] = ends[0];
	}
}

static void restore_us(void)
{
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(dup2(saved[i], i + 1), i + 1);
		close(saved[i]);
	}
}

static void passed(int stream, const char *bytes, size_t length)
{
	char *got = malloc(length + 1);
	size_t all = 0;
	ssize_t n;

	while (all <= length && (n = read(ours[stream - 1], got + all, length + 1 - all)) > 0)
		all += (size_t)n;
	ck_assert_uint_eq(all, length);
	ck_assert_int_eq(memcmp(got, bytes, length), 0);
	free(got);
}

START_TEST(what_is_passed_on_goes_to_the_same_stream_and_stops_at_the_limit)
{
	redirect_us();
	start(false, 10);
	write_all(out, "123456", 6);
	close(out);
	char first[6];
	ck_assert_int_eq(read(ours[0], first, 6), 6); /* it has been counted */
	write_all(err, "abcdefgh", 8);
	close(err);
	capture_finish(capture, false);
	restore_us();
	ck_assert_int_eq(memcmp(first, "123456", 6), 0);
	passed(1, "", 0);
	passed(2, "abcd", 4);
	ck_assert(capture_truncated(capture));
	kept(1, "", 0);
	capture_free(capture);
}
END_TEST

START_TEST(a_reader_that_takes_its_time_gets_all)
{
	char *bytes = pattern(LARGE);
	redirect_us();
	pid_t reader = fork();
	if (reader == 0) {
		restore_us();
		passed(1, bytes, LARGE);
		_exit(0);
	}
	close(ours[0]);
	start(false, UINT64_C(1) << 40);
	write_all(out, bytes, LARGE);
	finish(false);
	restore_us();
	int status;
	ck_assert_int_eq(waitpid(reader, &status, 0), reader);
	ck_assert_int_eq(status, 0);
	capture_free(capture);
	free(bytes);
}
END_TEST

START_TEST(a_reader_that_stopped_holds_no_run_that_was_ended)
{
	char bytes[PIPE_ROOM] = {0};
	redirect_us();
	start(false, UINT64_C(1) << 40);
	write_all(out, bytes, sizeof bytes); /* what our pipe takes; the rest stays in the tool's */
	write_all(out, bytes, 4096);
	finish(true); /* would not return */
	restore_us();
	capture_free(capture);
}
END_TEST

START_TEST(a_reader_that_is_gone_is_gone_for_the_tool)
{
	ssize_t n = 0;
	signal(SIGPIPE, SIG_IGN);
	redirect_us();
	close(ours[0]);
	start(false, UINT64_C(1) << 40);
	while (n >= 0) /* it waits for room at the latest */
		n = write(out, "y\n", 2);
	int error = errno;
	write_all(err, "still", 5);
	finish(false);
	restore_us();
	ck_assert_int_lt(n, 0);
	ck_assert_int_eq(error, EPIPE);
	passed(2, "still", 5);
	capture_free(capture);
}
END_TEST

START_TEST(stdout_and_stderr_of_one_place_come_in_the_order_in_which_they_were_written)
{
	redirect_us();
	ck_assert_int_eq(dup2(STDOUT_FILENO, STDERR_FILENO), STDERR_FILENO);
	start(false, 12);
	for (int i = 0; i < 4; i++) {
		write_all(err, "e", 1);
		write_all(out, "oo", 2);
	}
	write_all(err, "beyond", 6);
	finish(false);
	restore_us();
	passed(1, "eooeooeooeoo", 12);
	ck_assert(capture_truncated(capture));
	capture_free(capture);
}
END_TEST

/* Each piece of LARGE in pieces of a few bytes. */
START_TEST(many_small_writes_are_all_passed_on)
{
	char *bytes = pattern(LARGE);
	redirect_us();
	pid_t reader = fork();
	if (reader == 0) {
		restore_us();
		passed(1, bytes, LARGE);
		_exit(0);
	}
	close(ours[0]);
	start(false, UINT64_C(1) << 40);
	for (size_t at = 0; at < LARGE; at += 50)
		write_all(out, bytes + at, 50);
	finish(false);
	restore_us();
	int status;
	ck_assert_int_eq(waitpid(reader, &status, 0), reader);
	ck_assert_int_eq(status, 0);
	ck_assert(!capture_truncated(capture));
	capture_free(capture);
	free(bytes);
}
END_TEST

static void fill(int fd)
{
	static const char bytes[4096];
	int flags = fcntl(fd, F_GETFL);

	fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	while (write(fd, bytes, sizeof bytes) > 0)
		continue;
	fcntl(fd, F_SETFL, flags);
}

START_TEST(a_reader_that_takes_nothing_holds_only_its_own_stream)
{
	redirect_us();
	fill(STDOUT_FILENO);
	start(false, 1000);
	write_all(out, "o", 1);
	write_all(err, "e", 1);
	char byte = 0;
	struct pollfd p = {ours[1], POLLIN, 0};
	ck_assert_int_eq(poll(&p, 1, 10000), 1);
	ck_assert_int_eq(read(ours[1], &byte, 1), 1);
	ck_assert_int_eq(byte, 'e');
	finish(true);
	restore_us();
	capture_free(capture);
}
END_TEST

START_TEST(what_is_thrown_away_waits_for_no_reader)
{
	char *bytes = pattern(LARGE);
	redirect_us();
	fill(STDOUT_FILENO);
	start(false, 1);
	write_all(out, "o", 1); /* nobody takes it */
	write_all(err, "e", 1); /* counts */
	write_all(err, "e", 1);
	char byte;
	ck_assert_int_eq(read(ours[1], &byte, 1), 1);
	write_all(out, bytes, LARGE); /* would not return */
	finish(true);
	restore_us();
	ck_assert(capture_truncated(capture));
	capture_free(capture);
	free(bytes);
}
END_TEST

/* ---- passed on into a file ---------------------------------------------- */

static int into_file(int flags)
{
	int file = open(".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	ck_assert_int_ge(file, 0);
	fcntl(file, F_SETFL, flags);
	redirect_us();
	ck_assert_int_eq(dup2(file, STDOUT_FILENO), STDOUT_FILENO);
	return file;
}

static const int file_flags[] = {0, O_APPEND};

START_TEST(a_file_gets_all_to_the_byte_and_no_more)
{
	char *bytes = pattern(LARGE), *got = malloc(LARGE);
	int file = into_file(file_flags[_i]);
	write_all(STDOUT_FILENO, "before", 6);
	start(false, LARGE - 1000);
	write_all(out, bytes, LARGE);
	finish(false);
	write_all(STDOUT_FILENO, "after", 5);
	restore_us();
	ck_assert_int_eq(lseek(file, 0, SEEK_END), 6 + LARGE - 1000 + 5);
	ck_assert_int_eq(pread(file, got, 6 + LARGE - 1000 + 5, 0), 6 + LARGE - 1000 + 5);
	ck_assert_int_eq(memcmp(got, "before", 6), 0);
	ck_assert_int_eq(memcmp(got + 6, bytes, LARGE - 1000), 0);
	ck_assert_int_eq(memcmp(got + 6 + LARGE - 1000, "after", 5), 0);
	ck_assert(capture_truncated(capture));
	capture_free(capture);
	close(file);
	free(bytes);
	free(got);
}
END_TEST

/* As when make starts several runs that write into one log. */
START_TEST(whoever_shares_the_file_is_not_overwritten)
{
	char *bytes = pattern(LARGE);
	int file = into_file(0);
	pid_t other = fork();
	if (other == 0) {
		for (int i = 0; i < LARGE / 100; i++)
			write_all(STDOUT_FILENO, bytes, 100);
		_exit(0);
	}
	start(false, UINT64_C(1) << 40);
	for (int i = 0; i < LARGE / 100; i++)
		write_all(out, bytes, 100);
	finish(false);
	restore_us();
	int status;
	ck_assert_int_eq(waitpid(other, &status, 0), other);
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(lseek(file, 0, SEEK_END), 2 * LARGE);
	capture_free(capture);
	close(file);
	free(bytes);
}
END_TEST

/* ---- what is counted ---------------------------------------------------- */

static const struct {
	const char *name;
	bool counted;
} places[] = {{"/dev/null", false}, {"/dev/full", true}, {"/dev/zero", true}, {"/proc/self/exe", true}};

START_TEST(what_nobody_gets_is_not_counted)
{
	int fd = open(places[_i].name, O_RDONLY | O_CLOEXEC), ends[2];
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(capture_counts(fd), places[_i].counted);
	close(fd);
	ck_assert_int_eq(pipe(ends), 0);
	ck_assert(capture_counts(ends[1]));
	close(ends[0]);
	close(ends[1]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("capture");
	TCase *keep = tcase_create("kept"), *pass = tcase_create("passed on");

	tcase_add_test(keep, both_streams_are_kept_apart_and_to_the_byte);
	tcase_add_test(keep, nothing_written_is_nothing_kept);
	tcase_add_loop_test(keep, what_is_beyond_the_limit_is_taken_and_thrown_away, 0,
			    (int)(sizeof limits / sizeof limits[0]));
	tcase_add_test(keep, the_limit_is_of_both_streams_together);
	tcase_add_test(keep, without_a_limit_memory_is_bounded);
	tcase_add_test(keep, one_stream_alone);
	tcase_add_test(keep, a_writer_that_stays_holds_nobody);
	suite_add_tcase(suite, keep);
	tcase_add_test(pass, what_is_passed_on_goes_to_the_same_stream_and_stops_at_the_limit);
	tcase_add_test(pass, a_reader_that_takes_its_time_gets_all);
	tcase_add_test(pass, a_reader_that_stopped_holds_no_run_that_was_ended);
	tcase_add_test(pass, a_reader_that_is_gone_is_gone_for_the_tool);
	tcase_add_test(pass, stdout_and_stderr_of_one_place_come_in_the_order_in_which_they_were_written);
	tcase_add_test(pass, many_small_writes_are_all_passed_on);
	tcase_add_test(pass, a_reader_that_takes_nothing_holds_only_its_own_stream);
	tcase_add_test(pass, what_is_thrown_away_waits_for_no_reader);
	tcase_add_loop_test(pass, a_file_gets_all_to_the_byte_and_no_more, 0, 2);
	tcase_add_test(pass, whoever_shares_the_file_is_not_overwritten);
	tcase_add_loop_test(pass, what_nobody_gets_is_not_counted, 0, (int)(sizeof places / sizeof places[0]));
	suite_add_tcase(suite, pass);
	return help_run(suite);
}
