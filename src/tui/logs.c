#include "tui/logs.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

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

/* The streams are read one after the other: a line may belong before others that came before it. */
static void sink(struct log_view *view)
{
	for (unsigned back = 0; back + 1 < kept(view); back++) {
		struct log_line *line = line_at(view, back), *before = line_at(view, back + 1);
		if (before->time_us <= line->time_us)
			return;
		struct log_line swapped = *line;
		*line = *before;
		*before = swapped;
	}
}

void logs_add(struct log_view *view, char *text, uint64_t time_us, bool is_err)
{
	struct log_line *line = &view->lines[view->count++ % LOG_LINES];

	free(line->text);
	*line = (struct log_line){ .text = text, .time_us = time_us, .is_err = is_err };
	line->is_hidden = is_hidden(view, line);
	if (view->back && !line->is_hidden && view->back + 1 < kept(view))
		view->back++;
	sink(view);
}

void logs_clear(struct log_view *view)
{
	for (unsigned i = 0; i < LOG_LINES; i++) {
		free(view->lines[i].text);
		view->lines[i] = (struct log_line){ 0 };
	}
	view->count = view->back = 0;
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
	unsigned size = 0;

	for (unsigned back = 0; back < kept(view); back++)
		size += !line_at(view, back)->is_hidden;
	return size;
}

const struct log_line *logs_at(const struct log_view *view, unsigned wanted)
{
	for (unsigned back = 0; back < kept(view); back++)
		if (!line_at(view, back)->is_hidden && wanted-- == 0)
			return line_at(view, back);
	return NULL;
}

void logs_scroll(struct log_view *view, int by)
{
	int last = (int)logs_size(view) - 1, back = (int)view->back - by;

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
	for (unsigned back = 0; back < kept(view); back++)
		line_at(view, back)->is_hidden = is_hidden(view, line_at(view, back));
	view->back = 0;
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

bool logs_find(struct log_view *view, int direction, logs_test *test)
{
	int size = (int)logs_size(view);

	for (int back = (int)view->back + direction; back >= 0 && back < size; back += direction) {
		if (!test(view, logs_at(view, (unsigned)back)))
			continue;
		view->back = (unsigned)back;
		return true;
	}
	return false;
}

/* ---- a file ---- */

bool logs_save(const struct log_view *view, const char *path, unsigned *count, struct error *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
	char time[CLOCK_TEXT_SIZE];

	if (!file)
		return error_errno(err, "cannot write '%s'", path);
	*count = 0;
	for (unsigned back = kept(view); back > 0; back--) {
		const struct log_line *line = line_at(view, back - 1);
		if (line->is_hidden)
			continue;
		clock_format_iso(time, line->time_us);
		fprintf(file, "%s %s\n", time, line->text);
		++*count;
	}
	bool ok = !ferror(file);
	ok = fclose(file) == 0 && ok;
	return ok || error_errno(err, "cannot write all of '%s'", path);
}
