#include "engine/lastwords.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "protocol/value.h"

struct last_line {
	uint64_t time_us;
	char *text; /* owned */
	size_t size;
};

/* The newest lines of one stream: a ring. */
struct lines {
	struct last_line ring[LASTWORDS_LINES];
	size_t count; /* ever taken */
	struct text open;
	uint64_t open_us; /* when the first byte of the open line came */
	int32_t pid;
	bool is_cut; /* we began in the middle of a line: it is not taken */
};

static void close_line(struct lines *lines)
{
	struct last_line *place = &lines->ring[lines->count % LASTWORDS_LINES];

	if (lines->open.size && lines->open.data[lines->open.size - 1] == '\r')
		lines->open.size--; /* a terminal ends its lines so */
	free(place->text);
	place->time_us = lines->open_us;
	place->size = lines->open.size;
	place->text = text_take(&lines->open);
	lines->count++;
}

static void take_part(struct lines *lines, uint64_t time_us, const char *bytes, size_t size)
{
	if (!lines->open.size)
		lines->open_us = time_us;
	text_append(&lines->open, bytes, size);
}

static void on_chunk(void *context, const struct log_chunk *chunk)
{
	struct lines *lines = context;
	const char *at = chunk->data, *end = at + chunk->size, *newline;

	if (chunk->pid != lines->pid) {
		lines->is_cut = lines->is_cut && lines->open.size;
		return;
	}
	while (at < end && (newline = memchr(at, '\n', (size_t)(end - at)))) {
		take_part(lines, chunk->time_us, at, (size_t)(newline - at));
		if (lines->is_cut)
			text_clear(&lines->open);
		else
			close_line(lines);
		lines->is_cut = false;
		at = newline + 1;
	}
	if (at < end)
		take_part(lines, chunk->time_us, at, (size_t)(end - at));
}

static void read_lines(struct lines *lines, const struct logfile *log, int32_t pid)
{
	uint64_t end, offset, next;

	*lines = (struct lines){ .pid = pid };
	text_init(&lines->open, LASTWORDS_MOST);
	if (log->fd < 0)
		return;
	end = logfile_end(log);
	offset = end > LASTWORDS_MOST ? end - LASTWORDS_MOST : 0;
	lines->is_cut = offset > 0;
	for (; offset < end; offset = next) {
		next = logfile_read(log, offset, end - offset, on_chunk, lines);
		if (next <= offset)
			break;
	}
	if (lines->open.size) /* without an end, or one that fills it all */
		close_line(lines);
}

static void free_lines(struct lines *lines)
{
	for (size_t i = 0; i < LASTWORDS_LINES; i++)
		free(lines->ring[i].text);
	text_finish(&lines->open);
}

/* What is taken of one stream, from its newest line backwards. */
struct share {
	const struct lines *lines;
	enum stream stream;
	size_t taken, size;           /* so far */
	size_t most_taken, most_size; /* … and at the most */
};

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static size_t kept_size(const struct lines *lines)
{
	size_t size = 0;

	for (size_t i = 0; i < LASTWORDS_LINES; i++)
		size += lines->ring[i].size;
	return size;
}

/*
 * Each may fill its half whatever the other wrote: both often come at once, and then the order of
 * their times is chance.
 */
static struct share share_of(const struct lines all[STREAM_COUNT], enum stream stream)
{
	const struct lines *other = &all[stream == STREAM_OUT ? STREAM_ERR : STREAM_OUT];

	return (struct share){
		.lines = &all[stream],
		.stream = stream,
		.most_taken = LASTWORDS_LINES - least(other->count, LASTWORDS_LINES / 2),
		.most_size = LASTWORDS_MOST - least(kept_size(other), LASTWORDS_MOST / 2),
	};
}

/* NULL: there are no more, or no more fit. */
static const struct last_line *next_of(const struct share *share)
{
	const struct lines *lines = share->lines;

	if (share->taken == least(lines->count, share->most_taken))
		return NULL;
	const struct last_line *line =
		&lines->ring[(lines->count - 1 - share->taken) % LASTWORDS_LINES];
	return share->size + line->size <= share->most_size ? line : NULL;
}

static void take_line(struct share *share, const struct last_line *line, json_t *list)
{
	share->taken++;
	share->size += line->size;
	json_array_insert_new(list, 0,
		json_pack("{s:o,s:s,s:o}", "ts", time_to_json(line->time_us), "stream",
			stream_name(share->stream), "text", text_to_json(line->text, line->size)));
}

static json_t *merge(const struct lines all[STREAM_COUNT])
{
	struct share out = share_of(all, STREAM_OUT), err = share_of(all, STREAM_ERR);
	json_t *list = json_array();

	while (json_array_size(list) < LASTWORDS_LINES) {
		const struct last_line *of_out = next_of(&out), *of_err = next_of(&err);
		if (of_out && (!of_err || of_out->time_us > of_err->time_us))
			take_line(&out, of_out, list);
		else if (of_err)
			take_line(&err, of_err, list);
		else
			break;
	}
	return list;
}

json_t *lastwords_of(const struct member *member, int32_t pid)
{
	struct lines all[STREAM_COUNT];

	for (enum stream i = 0; i < STREAM_COUNT; i++)
		read_lines(&all[i], &member->logs[i], pid);
	json_t *list = merge(all);
	for (enum stream i = 0; i < STREAM_COUNT; i++)
		free_lines(&all[i]);
	return list;
}
