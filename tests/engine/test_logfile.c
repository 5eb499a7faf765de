#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "engine/logfile.h"

static char dir[32];
static struct logfile log_file;
static int ends[2], kept;
static unsigned let_go; /* times */
static struct text out;

static bool keep(void *context, int fd)
{
	(void)context;
	if (fd < 0) {
		let_go++;
		return true;
	}
	close(kept);
	kept = dup(fd);
	return kept >= 0;
}

static void open_log(uint64_t max_size, int held)
{
	struct log_spec spec = { .max_size = max_size, .max_files = 3 };
	struct error err = { 0 };

	log_file = (struct logfile){ .fd = -1, .index_fd = -1, .keep = keep };
	ck_assert_msg(logfile_open(&log_file, dir, "a-0.out", &spec, held, &err), "%s", err.text);
}

static void begin(void)
{
	strcpy(dir, "/tmp/thrum-log-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	kept = -1;
	ck_assert_int_eq(pipe2(ends, O_NONBLOCK), 0);
	text_init(&out, 1024 * 1024);
	open_log(0, -1);
}

static void end(void)
{
	char path[64];

	logfile_close(&log_file);
	for (int i = 0; i < 5; i++) {
		for (int k = 0; k < 2; k++) {
			snprintf(path, sizeof path, i ? "%s/a-0.out.log.%d%s" : "%s/a-0.out.log%.0d%s", dir, i, k ? ".idx" : "");
			unlink(path);
		}
	}
	rmdir(dir);
	close(ends[0]);
	close(ends[1]);
	text_finish(&out);
}

static void put(const char *bytes, int32_t pid, uint64_t now_us)
{
	ck_assert_int_eq(write(ends[1], bytes, strlen(bytes)), (ssize_t)strlen(bytes));
	ck_assert_int_eq(logfile_take(&log_file, ends[0], pid, now_us, 65536), LOG_TAKEN);
}

static void take(void *context, const struct log_chunk *chunk)
{
	(void)context;
	text_format(&out, "[%d@%d ", (int)chunk->pid, (int)chunk->time_us);
	text_append(&out, chunk->is_final ? "." : chunk->data, chunk->is_final ? 1 : chunk->size);
	text_putc(&out, ']');
}

static const char *read_from(uint64_t offset)
{
	text_clear(&out);
	uint64_t next = logfile_read(&log_file, offset, 65536, take, NULL);
	while (next < logfile_end(&log_file))
		next = logfile_read(&log_file, next, 65536, take, NULL);
	return text_string(&out);
}

START_TEST(bytes_come_back_with_time_and_process)
{
	put("one\n", 7, 1000000);
	put("two\n", 7, 2000000);
	logfile_end_of(&log_file, 7, 2500000);
	put("three\n", 8, 3000000);
	ck_assert_str_eq(read_from(0), "[7@1000000 one\n][7@2000000 two\n][7@2500000 .][8@3000000 three\n]");
	ck_assert_str_eq(read_from(6), "[7@2000000 o\n][7@2500000 .][8@3000000 three\n]");
	ck_assert_str_eq(read_from(14), "");
}
END_TEST

START_TEST(an_end_without_bytes_is_delivered)
{
	put("tail", 7, 1000000);
	ck_assert_str_eq(read_from(0), "[7@1000000 tail]");
	logfile_end_of(&log_file, 7, 2000000);
	ck_assert_str_eq(read_from(4), "[7@2000000 .]");
}
END_TEST

START_TEST(an_empty_pipe_and_a_closed_one_differ)
{
	ck_assert_int_eq(logfile_take(&log_file, ends[0], 1, 1, 100), LOG_EMPTY);
	close(ends[1]);
	ck_assert_int_eq(logfile_take(&log_file, ends[0], 1, 1, 100), LOG_ENDED);
	ends[1] = dup(ends[0]);
}
END_TEST

START_TEST(segments_are_read_as_one)
{
	logfile_close(&log_file);
	open_log(8, -1);
	for (int i = 0; i < 6; i++) {
		char line[16];
		snprintf(line, sizeof line, "line %d\n", i);
		put(line, 7, (uint64_t)(i + 1) * 1000000);
	}
	ck_assert_uint_eq(logfile_end(&log_file), 42);
	ck_assert_str_eq(read_from(7), "[7@2000000 line 1\n][7@3000000 line 2\n][7@4000000 line 3\n]"
				       "[7@5000000 line 4\n][7@6000000 line 5\n]");
	ck_assert_uint_eq(logfile_find_lines(&log_file, 2), 28);
	ck_assert_uint_eq(logfile_find_lines(&log_file, 100), logfile_first(&log_file));
	ck_assert_uint_eq(logfile_find_time(&log_file, 4000000), 21);
	ck_assert_uint_eq(logfile_find_time(&log_file, 9000000), 42);
}
END_TEST

START_TEST(old_segments_are_dropped_and_reading_goes_on_behind)
{
	logfile_close(&log_file);
	open_log(4, -1);
	for (int i = 0; i < 10; i++)
		put("abcd", 7, (uint64_t)(i + 1) * 1000000);
	ck_assert_uint_eq(logfile_first(&log_file), 24);
	ck_assert_uint_eq(logfile_read(&log_file, 0, 65536, take, NULL), 28);
}
END_TEST

START_TEST(another_engine_goes_on_where_this_one_was)
{
	put("before\n", 7, 1000000);
	int held = dup(kept);
	logfile_close(&log_file);
	open_log(0, held);
	put("after\n", 7, 2000000);
	ck_assert_str_eq(read_from(0), "[7@1000000 before\n][7@2000000 after\n]");
}
END_TEST

START_TEST(an_interrupted_rotation_is_completed)
{
	char old[64], new[64];

	put("old\n", 7, 1000000);
	/* what a crash leaves after the keeper took the new segment, before the renames */
	snprintf(old, sizeof old, "%s/a-0.out.log.new", dir);
	snprintf(new, sizeof new, "%s/a-0.out.log.new.idx", dir);
	int fd = open(old, O_RDWR | O_CREAT, 0600), index = open(new, O_RDWR | O_CREAT, 0600);
	struct log_mark first = { .offset = 4 };
	ck_assert_int_eq(write(index, &first, sizeof first), sizeof first);
	close(index);
	logfile_close(&log_file);
	open_log(100, fd);
	put("new\n", 7, 2000000);
	ck_assert_str_eq(read_from(0), "[7@1000000 old\n][7@2000000 new\n]");
}
END_TEST

START_TEST(a_removed_file_is_replaced)
{
	char path[64];

	put("lost\n", 7, 1000000);
	snprintf(path, sizeof path, "%s/a-0.out.log", dir);
	unlink(path);
	put("kept\n", 7, 9000000);
	ck_assert_int_eq(access(path, F_OK), 0);
	ck_assert_uint_eq(logfile_end(&log_file), 10);
	ck_assert_str_eq(read_from(5), "[7@9000000 kept\n]");
}
END_TEST

/* The keeper was told of the file; it is told, too, that our number of it is nothing any more. */
START_TEST(a_file_that_cannot_be_used_after_all_is_let_go)
{
	struct log_spec spec = { .max_files = 3 };
	struct error err = { 0 };
	char index[64];
	int held = _i ? dup(kept) : -1;

	snprintf(index, sizeof index, "%s/a-0.out.log.idx", dir);
	logfile_close(&log_file);
	ck_assert_int_eq(unlink(index), 0);
	ck_assert_int_eq(mkdir(index, 0700), 0);
	int free_number = dup(0);
	close(free_number);
	let_go = 0;
	ck_assert(!logfile_open(&log_file, dir, "a-0.out", &spec, held, &err));
	ck_assert_ptr_nonnull(strstr(err.text, "a-0.out.log.idx"));
	ck_assert_uint_eq(let_go, 1);
	ck_assert_int_eq(fcntl(_i ? held : free_number, F_GETFD), -1);
	ck_assert_int_eq(rmdir(index), 0);
	logfile_close(&log_file);
	open_log(0, -1);
}
END_TEST

Suite *logfile_suite(void)
{
	Suite *suite = suite_create("logfile");
	TCase *bytes = tcase_create("bytes");

	tcase_add_checked_fixture(bytes, begin, end);
	tcase_add_test(bytes, bytes_come_back_with_time_and_process);
	tcase_add_test(bytes, an_end_without_bytes_is_delivered);
	tcase_add_test(bytes, an_empty_pipe_and_a_closed_one_differ);
	tcase_add_test(bytes, segments_are_read_as_one);
	tcase_add_test(bytes, old_segments_are_dropped_and_reading_goes_on_behind);
	tcase_add_test(bytes, another_engine_goes_on_where_this_one_was);
	tcase_add_test(bytes, an_interrupted_rotation_is_completed);
	tcase_add_test(bytes, a_removed_file_is_replaced);
	tcase_add_loop_test(bytes, a_file_that_cannot_be_used_after_all_is_let_go, 0, 2);
	suite_add_tcase(suite, bytes);
	return suite;
}
