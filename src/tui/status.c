/* The line that says what the table shows, and how: nothing is hidden without a word here. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/units.h"
#include "base/utf8.h"
#include "tui/ui.h"

static int put(struct grid *grid, struct rect *at, enum look look, const char *name, const char *value)
{
	int used = grid_format(grid, *at, LOOK_DIM, " %s ", name);

	at->x += used;
	at->width -= used;
	used = grid_format(grid, *at, look, "%s ", value);
	at->x += used;
	at->width -= used;
	return used;
}

static void describe_filter(const struct ui *ui, char *out, size_t size)
{
	const char *states = ui->state_choice ? state_choices[ui->state_choice].name : "";

	if (!ui->filter && !ui->state_choice)
		snprintf(out, size, "none");
	else
		snprintf(out, size, "%s%s%.*s", ui->filter_text, ui->filter && ui->state_choice ? " & " : "",
			(int)strcspn(states, ":"), states);
}

static void describe_pause(const struct ui *ui, char *out, size_t size)
{
	char clock[CLOCK_TEXT_SIZE], ago[UNITS_TEXT_SIZE];
	bool is_recording = ui->options->recording;

	if (ui->past_us) {
		clock_format_local(clock, ui->past_us);
		snprintf(out, size, " %s %.8s - t b 5 s, { } events%s", is_recording ? "RECORDING at" : "PAST", clock,
			is_recording ? "" : ", Esc now");
		return;
	}
	clock_format_local(clock, ui->paused_us);
	units_format_duration(ago, ui->now_us > ui->paused_us ? (ui->now_us - ui->paused_us) / 1000000 * 1000 : 0);
	snprintf(out, size, " PAUSED %.8s - the screen is %s old; Z goes on", clock, ago);
}

static const char *direction(const struct ui *ui)
{
	if (ui->settings.table.sort == SORT_FILE)
		return ui->settings.table.is_inverted ? " inverted" : "";
	if (ui->is_unicode)
		return ui->settings.table.is_inverted ? "▲" : "▼";
	return ui->settings.table.is_inverted ? "^" : "v";
}

static void name_selected(const struct ui *ui, char *out, size_t size)
{
	const struct target *selected = &ui->selected;

	if (selected->tid)
		snprintf(out, size, "%s/%d thread %d", selected->service, selected->instance, (int)selected->tid);
	else if (selected->instance < 0)
		snprintf(out, size, "%s", selected->service);
	else
		snprintf(out, size, "%s/%d", selected->service, selected->instance);
}

/* A part of the line. */
struct part {
	const char *name;
	char value[128];
	enum look look;
	unsigned leaves; /* those with a high number go first when there is no room for all; 0: never */
};
enum { PARTS_MOST = 12,
	NEVER = 0,
	LATE = 1,
	EARLY = 2 };

static int columns_of(const char *text)
{
	size_t size = strlen(text), at = 0;
	int columns = 0;

	for (uint32_t c; at < size; columns += (int)utf8_width(c))
		at += utf8_decode(text + at, size - at, &c);
	return columns;
}

static int width_of(const struct part *part)
{
	return (int)strlen(part->name) + columns_of(part->value) + 3;
}

static unsigned fit(struct part *parts, unsigned count, int width)
{
	int used = 0;

	for (unsigned i = 0; i < count; i++)
		used += width_of(&parts[i]);
	for (unsigned leaves = EARLY; leaves > NEVER; leaves--)
		for (unsigned i = count; i-- > 0 && used > width;) {
			if (parts[i].leaves < leaves)
				continue;
			used -= width_of(&parts[i]);
			memmove(&parts[i], &parts[i + 1], (--count - i) * sizeof *parts);
		}
	return count;
}

/* What is as usual can be done without. */
__attribute__((format(printf, 5, 6))) static void add(
	struct part *parts, unsigned *count, const char *name, enum look look, const char *fmt, ...)
{
	struct part *part = &parts[(*count)++];
	va_list args;

	*part = (struct part){ .name = name, .look = look, .leaves = look == LOOK_NORMAL ? EARLY : NEVER };
	va_start(args, fmt);
	vsnprintf(part->value, sizeof part->value, fmt, args);
	va_end(args);
}

static void add_rest(const struct ui *ui, struct part *parts, unsigned *count)
{
	uint32_t sample_ms = ui->settings.table.sample_ms;
	const char *offer = undo_offer(ui);

	add(parts, count, "tick", sample_ms ? LOOK_KEY : LOOK_NORMAL, "%.4gs", settings_sample_ms(sample_ms) / 1000.0);
	if (ui->tag_count)
		add(parts, count, "tagged", LOOK_KEY, "%u", ui->tag_count);
	if (offer)
		add(parts, count, "u undoes", LOOK_KEY, "%s", offer);
	if (ui->options->read_only && !ui->options->recording)
		add(parts, count, "", LOOK_WARN, "read-only");
}

/* What is not as usual is told in another colour, and what is rarely so only then. */
void status_draw(const struct ui *ui, struct grid *grid, struct rect area)
{
	const struct table_style *style = &ui->settings.table;
	struct part parts[PARTS_MOST];
	unsigned count = 0;
	char text[128], pause[128] = "";

	if (!area.height)
		return;
	add(parts, &count, "sort", style->sort == SORT_FILE ? LOOK_NORMAL : LOOK_KEY, "%s%s", sort_names[style->sort], direction(ui));
	add(parts, &count, "tree", style->is_flat ? LOOK_KEY : LOOK_NORMAL, "%s", style->is_flat ? "off" : "on");
	add(parts, &count, "threads", style->has_threads ? LOOK_KEY : LOOK_NORMAL, "%s", style->has_threads ? "on" : "off");
	if (ui->namespace[0])
		add(parts, &count, "ns", LOOK_WARN, "%s", ui->namespace);
	describe_filter(ui, text, sizeof text);
	add(parts, &count, "filter", ui->filter || ui->state_choice ? LOOK_WARN : LOOK_NORMAL, "%s", text);
	name_selected(ui, text, sizeof text);
	if (ui->selected.service[0]) {
		add(parts, &count, "follow", LOOK_NORMAL, "%s", text);
		parts[count - 1].leaves = LATE;
	}
	if (ui->is_paused)
		describe_pause(ui, pause, sizeof pause);
	else
		add_rest(ui, parts, &count);
	struct rect at = area;
	count = fit(parts, count, area.width - (int)strlen(pause));
	for (unsigned i = 0; i < count; i++)
		put(grid, &at, parts[i].look, parts[i].name, parts[i].value);
	grid_put(grid, at, LOOK_WARN, pause);
}

const char *status_brief(const struct ui *ui, char out[STATUS_BRIEF_SIZE])
{
	char text[128];

	out[0] = '\0';
	if (ui->is_paused) {
		clock_format_local(text, ui->past_us ? ui->past_us : ui->paused_us);
		snprintf(out, STATUS_BRIEF_SIZE, "%s %.8s", ui->options->recording ? "REC" : ui->past_us ? "PAST"
													 : "PAUSED",
			text);
	} else if (filter_is_on(ui)) {
		snprintf(out, STATUS_BRIEF_SIZE, "FILTER");
	} else if (ui->tag_count) {
		snprintf(out, STATUS_BRIEF_SIZE, "tagged %u", ui->tag_count);
	}
	return out;
}
