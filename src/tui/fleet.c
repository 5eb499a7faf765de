/* The loop and the keys of a fleet's screen. */
#include "tui/fleet.h"

#include <stdio.h>

#include "base/clock.h"
#include "tui/fleet_ui.h"
#include "tui/keymap.h"
#include "tui/screen.h"
#include "tui/stage.h"

enum { TICK_MS = 1000, /* the clock, and the uptimes */
	BAD_STATUS = 2 };

/* ---- keys ---- */

static void go_down(struct fleet *fleet)
{
	fleet_move(fleet, 1);
}

static void go_up(struct fleet *fleet)
{
	fleet_move(fleet, -1);
}

static void go_page_down(struct fleet *fleet)
{
	fleet_move(fleet, fleet->shown);
}

static void go_page_up(struct fleet *fleet)
{
	fleet_move(fleet, -fleet->shown);
}

static void go_first(struct fleet *fleet)
{
	fleet_move(fleet, -(long)fleet->row_count);
}

static void go_last(struct fleet *fleet)
{
	fleet_move(fleet, (long)fleet->row_count);
}

static void fold(struct fleet *fleet)
{
	fleet_fold(fleet, true);
}

static void unfold(struct fleet *fleet)
{
	fleet_fold(fleet, false);
}

static void toggle(struct fleet *fleet)
{
	const char *engine = fleet->row_count ? json_string_value(json_object_get(fleet->rows[fleet->place].engine, "engine")) : NULL;

	if (engine)
		fleet_fold(fleet, !json_object_get(fleet->folded, engine));
}

static void help(struct fleet *fleet)
{
	fleet->is_helping = true;
}

static void redraw(struct fleet *fleet)
{
	(void)fleet;
	screen_resize();
}

static void quit(struct fleet *fleet)
{
	fleet->is_leaving = true;
}

// clang-format off
const struct fleet_key fleet_keys[] = {
	{ INPUT_ARROW_DOWN, "Down", go_down, "the next row" }, { 'j', "j", go_down, NULL },
	{ INPUT_ARROW_UP, "Up", go_up, "the one before" }, { 'k', "k", go_up, NULL },
	{ INPUT_PAGE_DOWN, "PgDn", go_page_down, "a page further" }, { INPUT_CONTROL('f'), "^F", go_page_down, NULL },
	{ INPUT_PAGE_UP, "PgUp", go_page_up, "a page back" }, { INPUT_CONTROL('b'), "^B", go_page_up, NULL },
	{ 'g', "g", go_first, "the first row" }, { INPUT_TOP, "Home", go_first, NULL },
	{ 'G', "G", go_last, "the last row" }, { INPUT_BOTTOM, "End", go_last, NULL },
	{ INPUT_ARROW_LEFT, "Left", fold, "only the engine" }, { 'h', "h", fold, NULL },
	{ INPUT_ARROW_RIGHT, "Right", unfold, "its services too" }, { 'l', "l", unfold, NULL },
	{ ' ', "Space", toggle, "one or the other" },
	{ 'Z', "Z", fleet_fold_all, "the same of all engines" },
	{ INPUT_RETURN, "Enter", fleet_choose, "the dashboard of this engine" }, { 'o', "o", fleet_choose, NULL },
	{ INPUT_CONTROL('l'), "^L", redraw, "draw anew" },
	{ '?', "?", help, "this help" }, { INPUT_FUNCTION + 1, "F1", help, NULL },
	{ 'q', "q", quit, "quit" }, { INPUT_CONTROL('c'), "^C", quit, NULL }, { INPUT_FUNCTION + 10, "F10", quit, NULL },
	{ 0, "", NULL, NULL },
};
// clang-format on

void fleet_key(struct fleet *fleet, uint32_t key)
{
	if (fleet->is_helping) {
		fleet->is_helping = false;
		return;
	}
	for (const struct fleet_key *row = fleet_keys; row->key; row++)
		if (row->key == key)
			row->act(fleet);
}

/* ---- the loop ---- */

static void take_news(struct fleet *fleet, struct stage *stage, const struct fleet_source *source)
{
	char trouble[FLEET_TROUBLE_SIZE] = "";
	json_t *engines;

	while ((engines = source->next(source->context, trouble))) {
		fleet_take(fleet, engines);
		stage->is_dirty = true;
	}
	if (trouble[0]) {
		snprintf(fleet->trouble, sizeof fleet->trouble, "%s", trouble);
		stage->is_dirty = true;
	}
}

static void draw(struct fleet *fleet, struct stage *stage)
{
	fleet_draw(fleet, stage_begin(stage));
	stage_show(stage);
}

/* Until the next frame, or the next second. */
static int patience(const struct stage *stage)
{
	uint64_t now = clock_monotonic_ms(), due = stage_due_ms(stage);

	due = due < stage->drawn_ms + TICK_MS ? due : stage->drawn_ms + TICK_MS;
	return due > now ? (int)(due - now) : stage->is_behind ? TICK_MS
							       : 0;
}

static void serve(struct fleet *fleet, struct stage *stage, const struct fleet_source *source)
{
	uint32_t key;

	while (!fleet->is_leaving) {
		take_news(fleet, stage, source);
		stage->is_dirty |= clock_monotonic_ms() - stage->drawn_ms >= TICK_MS;
		if (clock_monotonic_ms() >= stage_due_ms(stage))
			draw(fleet, stage);
		stage_wait(stage, source->fd(source->context), patience(stage));
		fleet->is_leaving |= stage->is_leaving;
		while (!fleet->is_leaving && (key = stage_key(stage)))
			fleet_key(fleet, key);
	}
}

int fleet_run(const struct fleet_source *source, const struct style *style, struct fleet_choice *choice)
{
	struct fleet fleet = { .where = source->where, .folded = json_object() };
	struct stage stage = { 0 };
	struct error err = { 0 };
	bool ok = stage_open(&stage, style, "thrum ps --fleet", &err);

	if (ok) {
		fleet.is_unicode = screen_is_unicode();
		stage.is_dirty = true;
		serve(&fleet, &stage, source);
		stage_close(&stage, "");
	} else {
		fprintf(stderr, "thrum: %s\n", err.text);
	}
	*choice = fleet.choice;
	fleet_finish(&fleet);
	return ok ? 0 : BAD_STATUS;
}
