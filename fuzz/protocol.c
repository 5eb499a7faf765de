/* The control socket, from either side: however the bytes come in pieces the lines are the same, and what is taken from them has ends. */
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/chunk.h"
#include "protocol/row.h"
#include "wire/lines.h"

enum { LINE_MOST = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check_end(const char *text, size_t room)
{
	if (!memchr(text, '\0', room))
		__builtin_trap();
}

static void check_line(const char *line, size_t size)
{
	json_t *json = json_loadb(line, size, JSON_DECODE_ANY, NULL);
	struct text room;
	struct row row;
	struct death death;
	struct notice notice;
	struct chunk chunk;
	struct error err;

	if (!json)
		return;
	text_init(&room, CHUNK_MOST);
	if (row_from_json(&row, json, &err)) {
		check_end(row.service, sizeof row.service);
		check_end(row.detail, sizeof row.detail);
		if (row.state >= STATE_COUNT)
			__builtin_trap();
		sample_from_json(&row, json);
	}
	if (death_from_json(&death, json, &err))
		check_end(death.detail, sizeof death.detail);
	if (notice_from_json(&notice, json, &err))
		check_end(notice.detail, sizeof notice.detail);
	if (chunk_from_json(&chunk, json, &room, &err) && chunk.size > CHUNK_MOST)
		__builtin_trap();
	text_finish(&room);
	json_decref(json);
}

/* All lines that come of it, with an end each. */
static void cut(struct text *out, const char *bytes, size_t size, size_t piece)
{
	struct lines lines;
	const char *line;
	size_t length;
	bool goes_on = true;

	lines_init(&lines, LINE_MOST);
	for (size_t at = 0; goes_on && at < size; at += piece) {
		goes_on = lines_feed(&lines, bytes + at, size - at < piece ? size - at : piece);
		while (lines_next(&lines, &line, &length)) {
			if (length > LINE_MOST || memchr(line, '\n', length))
				__builtin_trap();
			text_append(out, line, length);
			text_putc(out, '\n');
		}
	}
	lines_finish(&lines);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	const char *text = (const char *)bytes + 1;
	struct text whole, pieces;

	if (size < 2 || size > LINES_FEED_MOST)
		return 0;
	text_init(&whole, 2 * LINES_FEED_MOST);
	text_init(&pieces, 2 * LINES_FEED_MOST);
	cut(&whole, text, size - 1, LINES_FEED_MOST);
	cut(&pieces, text, size - 1, 1 + bytes[0]);
	if (whole.size != pieces.size || memcmp(text_string(&whole), text_string(&pieces), whole.size) != 0)
		__builtin_trap();
	const char *line = text_string(&whole), *end;
	for (; (end = strchr(line, '\n')); line = end + 1)
		check_line(line, (size_t)(end - line));
	text_finish(&whole);
	text_finish(&pieces);
	return 0;
}
