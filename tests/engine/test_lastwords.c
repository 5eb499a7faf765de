#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/lastwords.h"

enum { OURS = 11,
	ANOTHERS = 22 };

static char dir[32];
static struct member member;
static int ends[2];

static bool keep(void *context, int fd)
{
	(void)context;
	(void)fd;
	return true;
}

static void begin(void)
{
	static const char *const names[] = { "a-0.out", "a-0.err" };
	struct log_spec spec = { .max_files = 3 };
	struct error err = { 0 };

	strcpy(dir, "/tmp/thrum-words-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(pipe2(ends, O_NONBLOCK), 0);
	ck_assert_int_ge(fcntl(ends[1], F_SETPIPE_SZ, 256 * 1024), 0);
	for (int i = 0; i < STREAM_COUNT; i++) {
		member.logs[i] = (struct logfile){ .fd = -1, .index_fd = -1, .keep = keep };
		ck_assert_msg(logfile_open(&member.logs[i], dir, names[i], &spec, -1, &err), "%s", err.text);
	}
}

static void end(void)
{
	static const char *const files[] = { "a-0.out.log", "a-0.out.log.idx", "a-0.err.log", "a-0.err.log.idx" };
	char path[64];

	for (int i = 0; i < STREAM_COUNT; i++)
		logfile_close(&member.logs[i]);
	for (int i = 0; i < 4; i++) {
		snprintf(path, sizeof path, "%s/%s", dir, files[i]);
		unlink(path);
	}
	rmdir(dir);
	close(ends[0]);
	close(ends[1]);
}

static void say(enum stream stream, int32_t pid, uint64_t seconds, const char *bytes)
{
	ck_assert_int_eq(write(ends[1], bytes, strlen(bytes)), (ssize_t)strlen(bytes));
	ck_assert_int_eq(logfile_take(&member.logs[stream], ends[0], pid, seconds * 1000000, 256 * 1024), LOG_TAKEN);
}

/* "text text text" of all, or of one stream. */
static const char *words(const char *stream)
{
	static char out[64 * 1024];
	json_t *list = lastwords_of(&member, OURS), *line;
	size_t i, used = 0;

	out[0] = '\0';
	json_array_foreach(list, i, line)
	{
		if (!stream || strcmp(json_string_value(json_object_get(line, "stream")), stream) == 0)
			used += (size_t)snprintf(out + used, sizeof out - used, "%s%s", used ? " " : "",
				json_string_value(json_object_get(line, "text")));
	}
	json_decref(list);
	return out;
}

static size_t count(const char *text)
{
	size_t number = *text ? 1 : 0;

	for (; *text; text++)
		number += *text == ' ';
	return number;
}

START_TEST(both_streams_come_by_time)
{
	ck_assert_str_eq(words(NULL), "");
	say(STREAM_OUT, OURS, 1, "one\n");
	say(STREAM_ERR, OURS, 2, "two\nthree\n");
	say(STREAM_OUT, OURS, 3, "four\nfi");
	say(STREAM_OUT, OURS, 4, "ve");
	ck_assert_str_eq(words(NULL), "one two three four five");
	ck_assert_str_eq(words("stderr"), "two three");
}
END_TEST

START_TEST(what_others_wrote_is_not_among_them)
{
	say(STREAM_OUT, ANOTHERS, 1, "former\nlife");
	say(STREAM_OUT, OURS, 2, "ours\nals");
	say(STREAM_OUT, ANOTHERS, 3, "left\nover\n");
	say(STREAM_OUT, OURS, 4, "o\n");
	ck_assert_str_eq(words(NULL), "ours also");
}
END_TEST

START_TEST(a_flood_leaves_room_for_the_other_stream)
{
	char line[16];

	say(STREAM_ERR, OURS, 1, "wrong\nvery\n");
	for (int i = 0; i < 100; i++) {
		snprintf(line, sizeof line, "line%d\n", i);
		say(STREAM_OUT, OURS, 2, line);
	}
	ck_assert_str_eq(words("stderr"), "wrong very");
	ck_assert_uint_eq(count(words("stdout")), LASTWORDS_LINES - 2);
	ck_assert_ptr_nonnull(strstr(words("stdout"), "line52 "));
	ck_assert_ptr_null(strstr(words("stdout"), "line51 "));
}
END_TEST

static char *many(char character, size_t size)
{
	static char text[128 * 1024];

	memset(text, character, size);
	text[size] = '\0';
	return text;
}

START_TEST(they_are_never_more_than_so_many_bytes)
{
	for (int i = 0; i < 40; i++)
		say(i % 2 ? STREAM_OUT : STREAM_ERR, OURS, (uint64_t)i, strcat(many('x', 1000), "\n"));
	size_t lines = count(words(NULL));
	ck_assert_uint_eq(lines, LASTWORDS_MOST / 1000);
	ck_assert_uint_eq(count(words("stdout")), lines / 2);
	ck_assert_uint_eq(strlen(words(NULL)), lines * 1001 - 1);
}
END_TEST

START_TEST(a_line_without_an_end_is_cut_in_front)
{
	say(STREAM_OUT, OURS, 1, "start");
	say(STREAM_OUT, OURS, 2, many('x', 100 * 1024));
	say(STREAM_OUT, OURS, 3, "end");
	const char *text = words(NULL);
	ck_assert_uint_eq(strlen(text), LASTWORDS_MOST);
	ck_assert_str_eq(text + strlen(text) - 4, "xend");
}
END_TEST

Suite *lastwords_suite(void)
{
	Suite *suite = suite_create("lastwords");
	TCase *lines = tcase_create("lines");

	tcase_add_checked_fixture(lines, begin, end);
	tcase_add_test(lines, both_streams_come_by_time);
	tcase_add_test(lines, what_others_wrote_is_not_among_them);
	tcase_add_test(lines, a_flood_leaves_room_for_the_other_stream);
	tcase_add_test(lines, they_are_never_more_than_so_many_bytes);
	tcase_add_test(lines, a_line_without_an_end_is_cut_in_front);
	suite_add_tcase(suite, lines);
	return suite;
}
