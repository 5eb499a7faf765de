#include "tui/logs.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

static unsigned kept(const struct log_view *view)
{
	return view->count < LOG_LINES ? view->count : LOG_LINES;
}

/* 0 is the newest, shown or not. */
static struct log_line *line_at(const struct log_view *view, unsigned back)
{
	return (struct log_line *)&view->lines[(view->count - 1 - back) % LOG_LINES];
}

static bool is_hidden(const struct log_view *view, const struct log_line *line)
{
	return view->filter && pattern_matches(view->filter, line->text, strlen(line->text)) == view->is_inverse;
}

/*
 * The streams are read one after the other: a line may belong before others that came before it. Returns how many
 * that are seen are newer.
 */
static unsigned sink(struct log_view *view)
{
	unsigned newer = 0;

	for (unsigned back = 0; back + 1 < kept(view); back++) {
		struct log_line *line = line_at(view, back), *before = line_at(view, back + 1);
		if (before->time_us <= line->time_us)
			return newer;
		struct log_line swapped = *line;
		*line = *before;
		*before = swapped;
		newer += !line->is_hidden;
	}
	return newer;
}

static void clamp(struct log_view *view)
{
	unsigned size = logs_size(view);

	if (view->back >= size)
		view->back = size ? size - 1 : 0;
}

/* The oldest one makes room. */
static void drop_oldest(struct log_view *view)
{
	struct log_line *oldest = line_at(view, LOG_LINES - 1);

	view->hidden -= oldest->is_hidden;
	free(oldest->text);
}

void logs_add(struct log_view *view, char *text, uint64_t time_us, bool is_err)
{
	struct log_line line = { .text = text, .time_us = time_us, .is_err = is_err };

	if (view->count >= LOG_LINES && time_us < line_at(view, LOG_LINES - 1)->time_us) {
		free(text);
		return;
	}
	if (view->count >= LOG_LINES)
		drop_oldest(view);
	line.is_hidden = is_hidden(view, &line);
	view->hidden += line.is_hidden;
	view->lines[view->count++ % LOG_LINES] = line;
	unsigned newer = sink(view);
	if (view->back && newer <= view->back && !line.is_hidden)
		view->back++;
	clamp(view);
}

void logs_clear(struct log_view *view)
{
	for (unsigned i = 0; i < LOG_LINES; i++) {
		free(view->lines[i].text);
		view->lines[i] = (struct log_line){ 0 };
	}
	view->count = view->back = view->hidden = 0;
}

void logs_finish(struct log_view *view)
{
	logs_clear(view);
	pattern_destroy(view->filter);
	pattern_destroy(view->search);
	view->filter = view->search = NULL;
}

unsigned logs_size(const struct log_view *view)
{
	return kept(view) - view->hidden;
}

unsigned logs_page(const struct log_view *view, const struct log_line **lines, unsigned most)
{
	unsigned skip = view->back, count = 0;

	for (unsigned back = 0; back < kept(view) && count < most; back++) {
		const struct log_line *line = line_at(view, back);
		if (line->is_hidden || (skip && skip--))
			continue;
		lines[count++] = line;
	}
	return count;
}

void logs_scroll(struct log_view *view, int by, int room)
{
	int last = (int)logs_size(view) - room, back = (int)view->back - by;

	view->back = back < 0 || last < 0 ? 0 : back > last ? (unsigned)last
							    : (unsigned)back;
}

/* ---- patterns ---- */

static bool set_pattern(struct pattern **place, char *kept_text, size_t size, const char *text, bool skips_first, struct error *err)
{
	struct pattern *pattern = text[skips_first] ? pattern_create(text + skips_first, err) : NULL;

	if (text[skips_first] && !pattern)
		return false;
	pattern_destroy(*place);
	*place = pattern;
	snprintf(kept_text, size, "%s", pattern ? text : "");
	return true;
}

bool logs_filter(struct log_view *view, const char *text, struct error *err)
{
	bool is_inverse = text[0] == '!';

	if (!set_pattern(&view->filter, view->filter_text, sizeof view->filter_text, text, is_inverse, err))
		return false;
	view->is_inverse = is_inverse;
	view->hidden = view->back = 0;
	for (unsigned back = 0; back < kept(view); back++) {
		struct log_line *line = line_at(view, back);
		line->is_hidden = is_hidden(view, line);
		view->hidden += line->is_hidden;
	}
	return true;
}

bool logs_search(struct log_view *view, const char *text, struct error *err)
{
	return set_pattern(&view->search, view->search_text, sizeof view->search_text, text, false, err);
}

bool logs_is_found(const struct log_view *view, const struct log_line *line)
{
	return view->search && pattern_matches(view->search, line->text, strlen(line->text));
}

bool logs_is_error(const struct log_view *view, const struct log_line *line)
{
	static const char *const words[] = { "error", "fatal", "panic", "exception", "traceback" };

	(void)view;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcasestr(line->text, words[i]))
			return true;
	return line->is_err;
}

/* One walk: of those below, the last that passes before the one that is looked at is the nearest. */
bool logs_find(struct log_view *view, int direction, logs_test *test)
{
	unsigned seen = 0, found = UINT_MAX, from = view->back;

	for (unsigned back = 0; back < kept(view); back++) {
		const struct log_line *line = line_at(view, back);
		if (line->is_hidden)
			continue;
		bool is_above = direction > 0 ? seen > from : seen >= from;
		if (direction < 0 && is_above)
			break;
		if ((direction < 0 || is_above) && test(view, line)) {
			found = seen;
			if (direction >= 0)
				break;
		}
		seen++;
	}
	if (found != UINT_MAX)
		view->back = found;
	return found != UINT_MAX;
}

/* ---- a file ---- */

bool logs_save(const struct log_view *view, const char *path, unsigned *count, struct error *err)
{
	char time[CLOCK_TEXT_SIZE];
	struct text text;

	text_init(&text, SIZE_MAX);
	*count = 0;
	for (unsigned back = kept(view); back > 0; back--) {
		const struct log_line *line = line_at(view, back - 1);
		if (line->is_hidden)
			continue;
		clock_format_iso(time, line->time_us);
		text_format(&text, "%s %s\n", time, line->text);
		++*count;
	}
	bool ok = text_write_file(&text, path, err);
	text_finish(&text);
	return ok;
}
