/* The line that says what the table shows, and how: nothing is hidden without a word here. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/units.h"
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

static void draw_pause(const struct ui *ui, struct grid *grid, struct rect at)
{
	char clock[CLOCK_TEXT_SIZE], ago[UNITS_TEXT_SIZE];
	bool is_recording = ui->options->recording;

	if (ui->past_us) {
		clock_format_local(clock, ui->past_us);
		grid_format(grid, at, LOOK_WARN, " %s %.8s - t b 5 s, { } events%s", is_recording ? "RECORDING at" : "PAST", clock,
			is_recording ? "" : ", Esc now");
		return;
	}
	clock_format_local(clock, ui->paused_us);
	units_format_duration(ago, ui->now_us > ui->paused_us ? (ui->now_us - ui->paused_us) / 1000000 * 1000 : 0);
	grid_format(grid, at, LOOK_WARN, " PAUSED %.8s - the screen is %s old; Z goes on", clock, ago);
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

/* What is not as usual is told in another colour, and what is rarely so only then. */
void status_draw(const struct ui *ui, struct grid *grid, struct rect area)
{
	const struct table_style *style = &ui->settings.table;
	char text[128];
	struct rect at = area;

	if (!area.height)
		return;
	snprintf(text, sizeof text, "%s%s", sort_names[style->sort], direction(ui));
	put(grid, &at, style->sort == SORT_FILE ? LOOK_NORMAL : LOOK_KEY, "sort", text);
	put(grid, &at, style->is_flat ? LOOK_KEY : LOOK_NORMAL, "tree", style->is_flat ? "off" : "on");
	put(grid, &at, style->has_threads ? LOOK_KEY : LOOK_NORMAL, "threads", style->has_threads ? "on" : "off");
	if (ui->namespace[0])
		put(grid, &at, LOOK_WARN, "ns", ui->namespace);
	describe_filter(ui, text, sizeof text);
	put(grid, &at, ui->filter || ui->state_choice ? LOOK_WARN : LOOK_NORMAL, "filter", text);
	name_selected(ui, text, sizeof text);
	if (ui->selected.service[0])
		put(grid, &at, LOOK_NORMAL, "follow", text);
	if (ui->is_paused) {
		draw_pause(ui, grid, at);
		return;
	}
	snprintf(text, sizeof text, "%.4gs", settings_sample_ms(style->sample_ms) / 1000.0);
	put(grid, &at, style->sample_ms ? LOOK_KEY : LOOK_NORMAL, "tick", text);
	snprintf(text, sizeof text, "%u", ui->tag_count);
	if (ui->tag_count)
		put(grid, &at, LOOK_KEY, "tagged", text);
	const char *offer = undo_offer(ui);
	if (offer)
		put(grid, &at, LOOK_KEY, "u undoes", offer);
	if (ui->options->read_only && !ui->options->recording)
		put(grid, &at, LOOK_WARN, "", "read-only");
}
