/* The last day of a service, below its deaths: a row of cells for each instance. */
#include "tui/day.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "protocol/row.h"
#include "tui/pane.h"
#include "tui/strip.h"
#include "tui/ui.h"

enum { LIVES_MOST = DEATHS_MOST + 1 };

/* ---- who lived when ---- */

static uint64_t newest_end(const struct ui *ui)
{
	uint64_t newest_us = 0;

	for (size_t i = 0; i < ui->replica.row_count; i++) {
		const struct row *row = &ui->replica.rows[i].row;
		bool is_newer = row->has_last_death && row->last_death.ended_us > newest_us;
		if (is_newer && strcmp(row->service, ui->shown.service) == 0)
			newest_us = row->last_death.ended_us;
	}
	return newest_us;
}

bool day_is_wanted(const struct ui *ui)
{
	const struct insight *insight = &ui->insight;
	uint64_t known_us = insight->day_count ? insight->day[insight->day_count - 1].ended_us : 0, newest_us = newest_end(ui);
	bool is_new = newest_us > known_us && newest_us > ui->now_us - DAY_US;

	return replica_count(&ui->replica, ui->shown.service) > 1 && (!insight->day || is_new);
}

void day_take(struct insight *insight, const json_t *deaths)
{
	const json_t *json;
	struct death death;
	struct error err;
	size_t i;

	insight->day = memory_resize(insight->day, json_array_size(deaths) + 1, sizeof *insight->day);
	insight->day_count = 0;
	json_array_foreach(deaths, i, json)
	{
		if (!death_from_json(&death, json, &err))
			continue;
		insight->day[insight->day_count++] = (struct day_life){
			.instance = (unsigned)json_integer_value(json_object_get(json, "instance")),
			.started_us = death.started_us,
			.ended_us = death.ended_us,
			.is_crash = death_is_crash(&death),
		};
	}
}

static void add_life(struct strip_life *lives, size_t *count, uint64_t started_us, uint64_t ended_us, bool is_crash)
{
	if (*count < LIVES_MOST)
		lives[(*count)++] = (struct strip_life){ started_us, ended_us, is_crash };
}

/* Of the one that is shown all deaths are known, and at once; in the past, those that had been. */
static size_t list_lives(const struct ui *ui, const struct row *row, bool is_shown, struct strip_life lives[LIVES_MOST])
{
	const struct insight *insight = &ui->insight;
	size_t count = 0, known = is_shown ? history_count(ui) : 0;

	for (size_t i = 0; i < known; i++)
		add_life(lives, &count, ui->deaths[i].started_us, ui->deaths[i].ended_us, death_is_crash(&ui->deaths[i]));
	for (size_t i = 0; i < insight->day_count && !is_shown; i++)
		if (insight->day[i].instance == row->instance && (!ui->past_us || insight->day[i].ended_us <= ui->past_us))
			add_life(lives, &count, insight->day[i].started_us, insight->day[i].ended_us, insight->day[i].is_crash);
	if (row->pid)
		add_life(lives, &count, row->started_us, UINT64_MAX, false);
	return count;
}

/* ---- drawing ---- */

static const struct {
	char character;
	enum look look;
} looks[STRIP_KINDS] = {
	[STRIP_UNKNOWN] = { ' ', LOOK_NORMAL },
	[STRIP_UP] = { '.', LOOK_GOOD },
	[STRIP_RESTART] = { 'r', LOOK_WARN },
	[STRIP_CRASH] = { 'X', LOOK_BAD },
	[STRIP_DOWN] = { '-', LOOK_DIM },
};

/* Those of the service, of which the first is returned; they are next to each other. */
static const struct replica_row *instances(const struct ui *ui, const char *service, int *count)
{
	const struct replica_row *rows = ui->replica.rows;
	size_t first = 0;

	while (first < ui->replica.row_count && strcmp(rows[first].row.service, service) != 0)
		first++;
	*count = (int)replica_count(&ui->replica, service);
	return rows + first;
}

int day_height(const struct ui *ui, const struct row *row, int height)
{
	int count = (int)replica_count(&ui->replica, row->service), room = height / 2 - 1;

	return 1 + (count < room ? count : room > 1 ? room
						    : 1);
}

static int name_width(const struct replica_row *rows, int count)
{
	return snprintf(NULL, 0, " %s/%u ", rows[count - 1].row.service, rows[count - 1].row.instance);
}

static void draw_heading(const struct ui *ui, struct grid *grid, struct rect at, uint64_t span_us, int shown, int count)
{
	char of[48] = "";

	if (shown < count)
		snprintf(of, sizeof of, ", %d of %d instances", shown, count);
	grid_fill(grid, at, LOOK_DIM, ui->is_unicode ? 0x2500 : '-');
	at.x++;
	at.width--;
	grid_format(grid, at, LOOK_DIM, " 24 h, one column = %llu min:  . up  r restart  X crash  - down%s ",
		(unsigned long long)(span_us / 60000000), of);
}

static void draw_one(const struct ui *ui, struct grid *grid, struct rect at, int names, const struct row *row, bool is_shown)
{
	static struct strip_life lives[LIVES_MOST];
	enum strip_cell cells[STRIP_CELLS_MOST];
	uint64_t span_us;
	int count = strip_fit(at.width - names, &span_us);

	grid_format(grid, at, is_shown ? LOOK_TITLE : LOOK_NORMAL, " %s/%u", row->service, row->instance);
	strip_fill(cells, count, span_us, ui->now_us, lives, list_lives(ui, row, is_shown, lives));
	for (int i = 0; i < count; i++)
		grid_fill(grid, (struct rect){ at.x + names + i, at.y, 1, at.height }, looks[cells[i]].look,
			(uint32_t)looks[cells[i]].character);
}

/* What there is no room for is farthest from the one that is shown. */
void day_draw(const struct ui *ui, struct grid *grid, struct rect area, const struct row *row)
{
	int count, shown = area.height - 1, at = 0;
	const struct replica_row *rows = instances(ui, row->service, &count);
	uint64_t span_us;

	if (!count || !strip_fit(area.width - name_width(rows, count), &span_us))
		return;
	shown = shown < count ? shown : count;
	while (at < count && rows[at].row.instance != row->instance)
		at++;
	int first = at - shown / 2 < 0 ? 0 : at - shown / 2 > count - shown ? count - shown
									    : at - shown / 2;
	draw_heading(ui, grid, rect_line(area, 0), span_us, shown, count);
	for (int i = 0; i < shown; i++)
		draw_one(ui, grid, rect_line(area, i + 1), name_width(rows, count), &rows[first + i].row, first + i == at);
}
