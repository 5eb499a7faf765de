#include "tui/logs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/line.h"
#include "base/utf8.h"
#include "tui/log_text.h"

/* Numbers go both ways from here. */
#define NUMBER_FIRST (1ull << 40)
enum { ROOM_FIRST = 50,
	BEHIND_MOST = 1024 * 1024 /* bytes in each log; who follows and is further behind goes to the end at once */ };

static struct log_line *line_at(const struct log_view *view, uint64_t number)
{
	return (struct log_line *)&view->lines[number % LOG_LINES];
}

static uint64_t last_of(const struct log_view *view)
{
	return view->first + view->count - 1;
}

const struct log_line *logs_line(const struct log_view *view, uint64_t number)
{
	return number >= view->first && number < view->first + view->count ? line_at(view, number) : NULL;
}

static void forget_lines(struct log_view *view)
{
	for (uint64_t i = 0; i < view->count; i++)
		free(line_at(view, view->first + i)->text);
	view->count = 0;
	view->first = view->at = NUMBER_FIRST;
}

/* The window is empty, between these two places, which are one. */
static void open_at(struct log_view *view, const struct log_walk *walk)
{
	forget_lines(view);
	log_walk_from(&view->up, walk, -1);
	log_walk_from(&view->down, &view->up, 1);
	memcpy(view->opened, walk->at, sizeof view->opened);
}

void logs_follow(struct log_view *view)
{
	view->follows = true;
	view->is_held = false;
	view->at = view->count ? last_of(view) : view->first;
	for (unsigned i = 0; i < view->sources.count; i++)
		view->is_rewinding |= view->sources.items[i].end > view->down.at[i];
}

/* All that is known of the window is of other lines now. */
static void begin_at_end(struct log_view *view)
{
	forget_lines(view);
	view->follows = view->is_rewinding = true;
	view->is_held = false;
}

void logs_begin(struct log_view *view, struct log_source *sources, unsigned count)
{
	log_sources_finish(&view->sources);
	view->sources = (struct log_sources){ .items = sources, .count = count };
	text_init(&view->sources.spare, (size_t)LOG_BLOCK * 2);
	text_init(&view->plain, (size_t)LOG_LINE_MOST * 4);
	memset(view->marks, 0, sizeof view->marks);
	view->hunt.state = HUNT_NONE;
	begin_at_end(view);
}

void logs_finish(struct log_view *view)
{
	forget_lines(view);
	log_sources_finish(&view->sources);
	text_finish(&view->plain);
	pattern_destroy(view->filter);
	pattern_destroy(view->search);
	pattern_destroy(view->errors);
	view->filter = view->search = view->errors = NULL;
}

void logs_fit(struct log_view *view, int room, int width)
{
	view->room = room > 1 ? room : 1;
	view->width = width > 1 ? width : 1;
}

/* ---- what a line says ---- */

/* The beginning of one that is too long; or, where it was written over again and again, the end: there is what it came to. */
static const char *shown_part(const char *bytes, size_t *size)
{
	size_t before = *size > LOG_LINE_MOST ? *size - LOG_LINE_MOST : 0;
	const char *again = before ? memchr(bytes + before, '\r', LOG_LINE_MOST) : NULL;

	if (!before)
		return bytes;
	*size = again ? *size - (size_t)(again - bytes) : LOG_LINE_MOST;
	return again ? again : bytes;
}

static const char *plain_of(struct log_view *view, const char *bytes, size_t size, size_t *plain_size)
{
	bytes = shown_part(bytes, &size);
	*plain_size = size;
	if (log_text_is_plain(bytes, size))
		return bytes;
	text_clear(&view->plain);
	line_append_safe(&view->plain, bytes, size, false);
	*plain_size = view->plain.size;
	return text_string(&view->plain);
}

const char *logs_plain(const struct log_line *line, struct text *spare, size_t *size)
{
	*size = strlen(line->text);
	if (!strchr(line->text, '\033'))
		return line->text;
	text_clear(spare);
	utf8_append_safe(spare, line->text, *size, false);
	*size = spare->size;
	return text_string(spare);
}

static bool is_hidden(const struct log_view *view, const char *text, size_t size)
{
	return view->filter && pattern_matches(view->filter, text, size) == view->is_inverse;
}

static bool is_error(struct log_view *view, const char *text, size_t size, unsigned source)
{
	struct error err;

	if (view->sources.items[source].is_err)
		return true;
	if (!view->errors)
		view->errors = pattern_create("(?i)error|fatal|panic|exception|traceback", &err);
	return pattern_matches(view->errors, text, size);
}

static bool is_quarry(struct log_view *view, const char *text, size_t size, unsigned source, uint64_t offset)
{
	const struct log_hunt *hunt = &view->hunt;

	if (hunt->quarry == QUARRY_PLACE)
		return source == hunt->source && offset >= hunt->offset;
	if (hunt->quarry == QUARRY_ERROR)
		return is_error(view, text, size, source);
	return view->search && pattern_matches(view->search, text, size);
}

static struct log_line make_line(const struct log_met *met)
{
	const struct log_place *place = &met->place;
	struct log_line line = { .time_us = place->time_us, .offset = place->offset, .size = place->size, .source = met->source };
	size_t size = met->size;
	const char *bytes = shown_part(met->text, &size);
	struct text text;

	text_init(&text, (size_t)LOG_LINE_MOST * 4);
	line_append_safe(&text, bytes, size, true);
	text_puts(&text, "");
	line.text = text_take(&text);
	return line;
}

/* ---- the window ---- */

static void drop_oldest(struct log_view *view)
{
	struct log_line *line = line_at(view, view->first);

	log_walk_put(&view->up, line->source, line->offset + line->size);
	free(line->text);
	view->first++;
	view->count--;
	if (view->at < view->first)
		view->at = view->first;
}

static void drop_newest(struct log_view *view)
{
	struct log_line *line = line_at(view, last_of(view));

	log_walk_put(&view->down, line->source, line->offset);
	free(line->text);
	view->count--;
}

/*
 * What came late belongs before lines that came earlier: those of other logs, since one log is in order. Who looks at
 * an older line goes on looking at it.
 */
static void sink(struct log_view *view)
{
	for (uint64_t number = last_of(view); number > view->first; number--) {
		struct log_line *line = line_at(view, number), *before = line_at(view, number - 1);
		if (before->time_us <= line->time_us || before->source == line->source)
			return;
		struct log_line swapped = *line;
		*line = *before;
		*before = swapped;
		if (view->at == number - 1 && !view->follows)
			view->at = number;
	}
}

static enum log_step take_newer(struct log_view *view)
{
	struct log_met met;
	size_t size;

	if (view->count == LOG_LINES)
		drop_oldest(view);
	enum log_step step = log_walk_next(&view->down, &view->sources, &met);
	if (step != LOG_FOUND)
		return step;
	const char *text = plain_of(view, met.text, met.size, &size);
	if (is_hidden(view, text, size))
		return step;
	*line_at(view, view->first + view->count++) = make_line(&met);
	sink(view);
	if (view->follows)
		view->at = last_of(view);
	return step;
}

static enum log_step take_older(struct log_view *view)
{
	struct log_met met;
	size_t size;

	if (view->count == LOG_LINES)
		drop_newest(view);
	enum log_step step = log_walk_next(&view->up, &view->sources, &met);
	if (step != LOG_FOUND)
		return step;
	const char *text = plain_of(view, met.text, met.size, &size);
	if (is_hidden(view, text, size))
		return step;
	bool was_empty = !view->count++;
	*line_at(view, --view->first) = make_line(&met);
	if (was_empty)
		view->at = view->first;
	return step;
}

static int room_of(const struct log_view *view)
{
	return view->room ? view->room : ROOM_FIRST;
}

static bool wants_newer(const struct log_view *view)
{
	return view->follows || view->first + view->count < view->at + (unsigned)room_of(view) + (view->filter ? 0 : LOG_MARGIN);
}

static bool wants_older(const struct log_view *view)
{
	return view->at < view->first + (unsigned)room_of(view) + (view->filter ? 0 : LOG_MARGIN);
}

/* Where the last whole line of each log ends: there the window opens. */
static enum log_step rewind_to_end(struct log_view *view)
{
	struct log_walk ends = { 0 };
	enum log_step step = LOG_FOUND;

	for (unsigned i = 0; i < view->sources.count; i++) {
		struct log_source *source = &view->sources.items[i];
		if (log_source_floor(source, source->end, &ends.at[i]) == LOG_WAITS)
			step = LOG_WAITS;
	}
	if (step == LOG_WAITS)
		return step;
	view->is_rewinding = false;
	open_at(view, &ends);
	return step;
}

static bool is_far_behind(const struct log_view *view)
{
	return view->follows && !view->filter && log_walk_left(&view->down, &view->sources) > (uint64_t)BEHIND_MOST * view->sources.count;
}

/* ---- hunting ---- */

/* The window opens around what was found. */
static void show_quarry(struct log_view *view, const struct log_met *met)
{
	struct log_walk *walk = &view->hunt.walk;

	log_walk_put(walk, met->source, met->place.offset);
	open_at(view, walk);
	log_walk_put(&view->down, met->source, met->place.offset + met->place.size);
	*line_at(view, view->first) = make_line(met);
	view->count = 1;
	view->follows = view->is_held = view->is_rewinding = false;
	view->hunt.state = HUNT_FOUND;
}

static enum log_step hunt_on(struct log_view *view)
{
	struct log_hunt *hunt = &view->hunt;
	struct log_met met;
	size_t size;

	enum log_step step = log_walk_next(&hunt->walk, &view->sources, &met);
	if (step == LOG_NONE)
		hunt->state = HUNT_FAILED;
	if (step != LOG_FOUND)
		return step;
	const char *text = plain_of(view, met.text, met.size, &size);
	bool is_seen = hunt->quarry == QUARRY_PLACE || !is_hidden(view, text, size);
	if (is_seen && is_quarry(view, text, size, met.source, met.place.offset))
		show_quarry(view, &met);
	return step;
}

static bool hunt_in_window(struct log_view *view, uint64_t number, int direction)
{
	const struct log_line *line;
	size_t size;

	for (; (line = logs_line(view, number)); number += (uint64_t)(int64_t)direction) {
		const char *text = logs_plain(line, &view->plain, &size);
		if (!is_quarry(view, text, size, line->source, line->offset))
			continue;
		view->at = number;
		view->follows = view->is_held = false;
		view->hunt.state = HUNT_FOUND;
		return true;
	}
	return false;
}

static void hunt_beyond(struct log_view *view, const struct log_walk *from, int direction)
{
	log_walk_from(&view->hunt.walk, from, direction);
	view->hunt.all = log_walk_left(&view->hunt.walk, &view->sources);
	view->hunt.state = HUNT_ON;
}

void logs_hunt(struct log_view *view, enum log_quarry quarry, int direction, bool is_first)
{
	unsigned count;
	int above;
	uint64_t top = logs_page(view, room_of(view), &count, &above), beyond = view->at + (uint64_t)(int64_t)direction;
	uint64_t from = !is_first ? beyond : direction > 0 ? top
							   : view->at;

	view->hunt.quarry = quarry;
	if (!hunt_in_window(view, from, direction))
		hunt_beyond(view, direction > 0 ? &view->down : &view->up, direction);
}

/* ---- driving ---- */

enum log_step logs_step(struct log_view *view)
{
	enum log_step step = LOG_NONE;

	if (!view->sources.count)
		return LOG_NONE;
	if (view->is_rewinding || is_far_behind(view))
		return rewind_to_end(view);
	if (wants_newer(view) && !view->is_held)
		step = take_newer(view);
	if (step == LOG_NONE && wants_older(view) && !view->is_held)
		step = take_older(view);
	if (step == LOG_NONE && view->hunt.state == HUNT_ON)
		step = hunt_on(view);
	return step;
}

bool logs_is_busy(const struct log_view *view, uint64_t *done, uint64_t *all)
{
	const struct log_hunt *hunt = &view->hunt;
	uint64_t older = log_walk_left(&view->up, &view->sources), newer = log_walk_left(&view->down, &view->sources);
	uint64_t left = hunt->state == HUNT_ON ? log_walk_left(&hunt->walk, &view->sources) : older + newer;

	*all = hunt->state == HUNT_ON ? hunt->all : 0;
	for (unsigned i = 0; i < view->sources.count && hunt->state != HUNT_ON; i++)
		*all += view->sources.items[i].end - view->sources.items[i].first;
	*done = *all > left ? *all - left : 0;
	bool is_filtering = view->filter && !view->is_held && !view->is_rewinding;
	return hunt->state == HUNT_ON || (is_filtering && ((older && wants_older(view)) || (newer && !view->follows && wants_newer(view))));
}

bool logs_stop(struct log_view *view)
{
	uint64_t done, all;
	bool was_busy = logs_is_busy(view, &done, &all);

	if (view->hunt.state == HUNT_ON)
		view->hunt.state = HUNT_NONE;
	else if (was_busy)
		view->is_held = true;
	return was_busy;
}

/* ---- what is looked at ---- */

int logs_rows(const struct log_view *view, const struct log_line *line)
{
	return view->is_wrapped && view->width ? log_text_rows(line->text, view->width) : 1;
}

uint64_t logs_page(const struct log_view *view, int room, unsigned *count, int *above)
{
	int left = room;
	uint64_t top = view->at;

	*above = 0;
	*count = 0;
	if (!view->count)
		return top;
	left -= logs_rows(view, line_at(view, top));
	while (left > 0 && top > view->first)
		left -= logs_rows(view, line_at(view, --top));
	*above = left < 0 && (top < view->at || view->follows) ? -left : 0; /* one that is alone is seen from its beginning */
	*count = (unsigned)(view->at - top) + 1;
	for (uint64_t next = view->at + 1; left > 0 && next <= last_of(view); next++, ++*count)
		left -= logs_rows(view, line_at(view, next));
	return top;
}

void logs_scroll(struct log_view *view, int by)
{
	uint64_t to = view->at + (uint64_t)(int64_t)by, last = last_of(view);

	if (!view->count)
		return;
	view->is_held = false;
	if (by < 0 && view->at - view->first < (uint64_t)-by)
		to = view->first;
	view->at = to > last ? last : to;
	if (by < 0)
		view->follows = false;
	else if (to > last && !log_walk_left(&view->down, &view->sources))
		view->follows = true;
}

void logs_shift(struct log_view *view, int by)
{
	view->shift = by < 0 && view->shift < -by ? 0 : view->shift + by;
	view->shift = view->shift < LOG_LINE_MOST ? view->shift : LOG_LINE_MOST;
}

void logs_to_oldest(struct log_view *view)
{
	struct log_walk begin = { 0 };

	for (unsigned i = 0; i < view->sources.count; i++)
		begin.at[i] = view->sources.items[i].first;
	view->follows = view->is_held = view->is_rewinding = false;
	view->at = view->first;
	if (!view->count || log_walk_left(&view->up, &view->sources))
		open_at(view, &begin);
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

/* Where each log is before this line; what a filter has left out in front of it is not before it but gone by. */
static void places_before(const struct log_view *view, uint64_t number, uint64_t at[LOG_SOURCES])
{
	const struct log_line *line = logs_line(view, number);

	memcpy(at, view->count ? view->up.at : view->opened, sizeof view->opened);
	for (uint64_t i = view->first; i < number; i++)
		at[line_at(view, i)->source] = line_at(view, i)->offset + line_at(view, i)->size;
	if (line)
		at[line->source] = line->offset;
}

/* Other lines are in the window from now on: around the place that was looked at, or the newest. */
bool logs_filter(struct log_view *view, const char *text, struct error *err)
{
	bool is_inverse = text[0] == '!';

	if (!set_pattern(&view->filter, view->filter_text, sizeof view->filter_text, text, is_inverse, err))
		return false;
	view->is_inverse = is_inverse;
	if (view->follows || view->is_rewinding) {
		begin_at_end(view);
		return true;
	}
	struct log_walk here = { 0 };
	places_before(view, view->at, here.at);
	open_at(view, &here);
	view->is_held = false;
	return true;
}

bool logs_search(struct log_view *view, const char *text, struct error *err)
{
	return set_pattern(&view->search, view->search_text, sizeof view->search_text, text, false, err);
}

/* ---- marks ---- */

void logs_mark(struct log_view *view, unsigned letter)
{
	const struct log_line *line = logs_line(view, view->at);

	if (!line || letter >= LOG_MARKS)
		return;
	struct log_mark_set *mark = &view->marks[letter];
	*mark = (struct log_mark_set){ .is_set = true, .source = line->source, .offset = line->offset };
	places_before(view, view->at, mark->at);
}

bool logs_to_mark(struct log_view *view, unsigned letter)
{
	struct log_walk from = { 0 };

	if (letter >= LOG_MARKS || !view->marks[letter].is_set)
		return false;
	const struct log_mark_set *mark = &view->marks[letter];
	memcpy(from.at, mark->at, sizeof from.at);
	view->hunt.source = mark->source;
	view->hunt.offset = mark->offset;
	view->hunt.quarry = QUARRY_PLACE;
	hunt_beyond(view, &from, 1);
	return true;
}

/* Lines that are not in the window are not copied: LOG_NONE numbers are none. */
static bool find_mark(const struct log_view *view, unsigned letter, uint64_t *number)
{
	for (*number = view->first; letter < LOG_MARKS && *number < view->first + view->count; ++*number) {
		const struct log_line *line = line_at(view, *number);
		if (line->source == view->marks[letter].source && line->offset == view->marks[letter].offset)
			return view->marks[letter].is_set;
	}
	return false;
}

bool logs_copy(struct log_view *view, unsigned letter, struct text *out, unsigned *count)
{
	uint64_t from = view->at, to = view->at;
	size_t size;

	if (!view->count || (letter && !find_mark(view, letter, &from)))
		return false;
	if (from > to) {
		to = from;
		from = view->at;
	}
	*count = (unsigned)(to - from) + 1;
	for (; from <= to; from++) {
		const char *text = logs_plain(line_at(view, from), &view->plain, &size);
		text_append(out, text, size);
		if (*count > 1)
			text_putc(out, '\n');
	}
	return !out->full;
}

/* ---- a file ---- */

bool logs_save(struct log_view *view, const char *path, unsigned *count, struct error *err)
{
	char time[CLOCK_TEXT_SIZE];
	struct text text;

	text_init(&text, SIZE_MAX);
	*count = view->count;
	for (uint64_t number = view->first; number < view->first + view->count; number++) {
		const struct log_line *line = line_at(view, number);
		size_t size;
		const char *plain = logs_plain(line, &view->plain, &size);
		clock_format_iso(time, line->time_us);
		text_format(&text, "%s ", time);
		text_append(&text, plain, size);
		text_putc(&text, '\n');
	}
	bool ok = text_write_file(&text, path, err);
	text_finish(&text);
	return ok;
}
