/* Which rows are shown, in what order, and which are tagged. */
#include <stdio.h>
#include <string.h>

#include "tui/ui.h"

enum { HOLD_US = 3000000 }; /* after a key nothing moves under the fingers for so long */

/* ---- the pattern ---- */

void filter_finish(struct ui *ui)
{
	pattern_destroy(ui->filter);
	ui->filter = NULL;
	ui->filter_text[0] = '\0';
	ui->is_filter_inverse = false;
}

/* While it is typed, half a pattern changes nothing: the last good one holds. */
void filter_type(struct ui *ui, const char *text)
{
	bool is_inverse = text[0] == '!';
	struct error err;

	ui->filter_error[0] = '\0';
	if (!text[is_inverse]) {
		filter_finish(ui);
		return;
	}
	struct pattern *pattern = pattern_create(text + is_inverse, &err);
	if (!pattern) {
		snprintf(ui->filter_error, sizeof ui->filter_error, "%.120s", err.text);
		return;
	}
	filter_finish(ui);
	ui->filter = pattern;
	ui->is_filter_inverse = is_inverse;
	snprintf(ui->filter_text, sizeof ui->filter_text, "%s", text);
}

/* ---- states ---- */

const struct state_choice state_choices[STATE_CHOICES] = {
	{ "all", ~0u },
	{ "up: running, ready", 1u << STATE_RUNNING | 1u << STATE_READY },
	{ "in trouble: failed, fatal, unhealthy, backoff",
		1u << STATE_FAILED | 1u << STATE_FATAL | 1u << STATE_UNHEALTHY | 1u << STATE_BACKOFF },
	{ "on the way: pending, starting, stopping",
		1u << STATE_PENDING | 1u << STATE_STARTING | 1u << STATE_STOPPING },
	{ "at rest: stopped, completed, skipped, scheduled, disabled",
		1u << STATE_STOPPED | 1u << STATE_COMPLETED | 1u << STATE_SKIPPED | 1u << STATE_SCHEDULED |
			1u << STATE_DISABLED },
};

/* ---- namespaces ---- */

/* Has one before it the same one already? */
static bool is_first_with(const struct ui *ui, size_t index, const char *name)
{
	for (size_t i = 0; i < index; i++)
		if (row_is_in_namespace(&ui->replica.rows[i].row, name))
			return false;
	return true;
}

void namespace_at(const struct ui *ui, unsigned number, char out[64])
{
	for (size_t i = 0; i < ui->replica.row_count; i++)
		for (const char *at = ui->replica.rows[i].row.namespaces; *at;) {
			size_t size = strcspn(at, ",");
			snprintf(out, 64, "%.*s", (int)size, at);
			if (is_first_with(ui, i, out) && number-- == 0)
				return;
			at += size + (at[size] == ',');
		}
	out[0] = '\0';
}

bool filter_is_on(const struct ui *ui)
{
	return ui->filter || ui->state_choice || ui->namespace[0];
}

bool filter_shows(const struct ui *ui, const struct row *row)
{
	char name[96];

	if (ui->namespace[0] && !row_is_in_namespace(row, ui->namespace))
		return false;

	if (!(state_choices[ui->state_choice].states & 1u << row->state))
		return false;
	if (!ui->filter)
		return true;
	int length = snprintf(name, sizeof name, "%s/%u", row->service, row->instance);
	return pattern_matches(ui->filter, name, (size_t)length) != ui->is_filter_inverse;
}

/* ---- order ---- */

void sort_by(struct ui *ui, enum sort sort)
{
	struct table_style *style = &ui->settings.table;

	style->is_inverted = style->sort == sort && sort != SORT_FILE && !style->is_inverted;
	style->sort = sort;
	ui->held_until_us = 0;
}

void sort_hold(struct ui *ui)
{
	ui->held_until_us = ui->now_us + HOLD_US;
}

/* What an instance is sorted by is taken once a frame, and not at all for a while after a key. */
void sort_measure(struct ui *ui)
{
	if (ui->now_us < ui->held_until_us)
		return;
	for (size_t i = 0; i < ui->replica.row_count; i++) {
		struct table_row one = { .row = &ui->replica.rows[i] };
		ui->replica.rows[i].rank = table_figure(ui->settings.table.sort, &one, ui->now_us);
	}
}

/* ---- tags ---- */

/* A tag on a row of a thread is one on its instance. */
static unsigned tag_place(const struct ui *ui, const struct target *target)
{
	unsigned i = 0;

	while (i < ui->tag_count &&
		(ui->tags[i].instance != target->instance || strcmp(ui->tags[i].service, target->service) != 0))
		i++;
	return i;
}

bool tags_has(const struct ui *ui, const struct target *target)
{
	return tag_place(ui, target) < ui->tag_count;
}

void tags_toggle(struct ui *ui, const struct target *target)
{
	unsigned place = tag_place(ui, target);

	if (place < ui->tag_count)
		ui->tags[place] = ui->tags[--ui->tag_count];
	else if (ui->tag_count < TAGS_MOST)
		ui->tags[ui->tag_count++] = *target;
	else
		ui_say(ui, true, "%d are tagged; that is the most", TAGS_MOST);
}

/* A tag means the process that was tagged; what is gone is tagged no more. */
void tags_tidy(struct ui *ui)
{
	for (unsigned i = ui->tag_count; i-- > 0;) {
		const struct target *tag = &ui->tags[i];
		unsigned instance = tag->instance < 0 ? 0 : (unsigned)tag->instance;
		if (!replica_find(&ui->replica, tag->service, instance))
			ui->tags[i] = ui->tags[--ui->tag_count];
	}
}
