#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/units.h"
#include "base/utf8.h"
#include "tui/keymap.h"
#include "tui/pane.h"
#include "tui/screen.h"
#include "tui/ui.h"

enum { CELL = 64,
	KEYS_LONG = 100,
	CLOCK_WIDTH = 6, /* hours and minutes: a screen on which nothing happens is not to move every second */
	LINE = 1024 };

/* ---- words ---- */

uint64_t view_left_ms(const struct row *row, uint64_t now_us)
{
	return row->deadline_us > now_us ? (row->deadline_us - now_us) / 1000 : 0;
}

/* Is what its last process ended with the word on it? */
static bool tells_end(enum state state)
{
	return state == STATE_COMPLETED || state == STATE_FAILED || state == STATE_FATAL;
}

void view_state(char *out, size_t size, const struct row *row, uint64_t now_us)
{
	const char *name = state_name(row->state);
	uint64_t left = view_left_ms(row, now_us);
	const struct death *death = &row->last_death;
	char pause[UNITS_TEXT_SIZE];

	units_format_duration(pause, left / 1000 * 1000);
	if (left < 60000) /* there is no room for more */
		snprintf(pause, sizeof pause, "%llus", (unsigned long long)(left / 1000));
	if (row->state == STATE_SCHEDULED && left)
		snprintf(out, size, "%s %s", name, pause);
	else if ((row->state == STATE_BACKOFF || row->state == STATE_STOPPING) && left)
		snprintf(out, size, "%s %llu.%llus", name, (unsigned long long)(left / 1000),
			(unsigned long long)(left % 1000 / 100));
	else if (tells_end(row->state) && row->has_last_death && death->signal)
		snprintf(out, size, "%s %s", name, signal_name(death->signal));
	else if (tells_end(row->state) && row->has_last_death && death->code >= 0)
		snprintf(out, size, "%s %d", name, death->code);
	else
		snprintf(out, size, "%s", row->is_draining && state_is_up(row->state) ? "draining" : name);
}

/* ---- header ---- */

struct counts {
	unsigned services, up, waiting, bad;
};

static struct counts count_states(const struct replica *replica)
{
	struct counts counts = { 0 };

	for (size_t i = 0; i < replica->row_count; i++) {
		enum state state = replica->rows[i].row.state;
		counts.services += !i || strcmp(replica->rows[i].row.service, replica->rows[i - 1].row.service) != 0;
		counts.up += state_is_up(state);
		counts.waiting += state == STATE_BACKOFF;
		counts.bad +=
			state == STATE_FAILED || state == STATE_FATAL || state == STATE_UNHEALTHY;
	}
	return counts;
}

/* The parts of the header, of which those at the end go first when it is narrow: a figure is whole, or not there. */
struct header {
	char text[LINE];
	size_t size, room;
};

__attribute__((format(printf, 2, 3))) static void add_part(struct header *header, const char *fmt, ...)
{
	char part[LINE];
	va_list args;

	va_start(args, fmt);
	vsnprintf(part, sizeof part, fmt, args);
	va_end(args);
	size_t size = strlen(part);
	if (header->size && header->size + size > header->room)
		header->room = header->size; /* nor what follows it */
	else
		header->size += (size_t)snprintf(header->text + header->size, sizeof header->text - header->size, "%s", part);
}

static void add_figures(struct header *header, const struct ui *ui)
{
	const struct machine_sample *machine = &ui->replica.machine;
	char rss[UNITS_TEXT_SIZE], uptime[UNITS_TEXT_SIZE];
	uint64_t bytes = 0, since_us = ui->replica.project_started_us;

	for (size_t i = 0; i < ui->replica.row_count; i++) {
		const struct sample *sample = &ui->replica.rows[i].row.sample;
		bytes += sample->pid && sample->rss != SAMPLE_UNKNOWN ? sample->rss : 0;
	}
	units_format_size(rss, bytes);
	units_format_duration(uptime, ui->now_us > since_us ? (ui->now_us - since_us) / 1000000 * 1000 : 0);
	if (machine->cpus && machine->cpu_pct >= 0)
		add_part(header, " | cpu %.0f%%/%u%%  rss %s", machine->cpu_pct, machine->cpus * 100, rss);
	add_part(header, " | up %s", uptime);
}

static void add_counts(struct header *header, const struct ui *ui, const struct counts *counts, enum layout_kind kind)
{
	if (kind == LAYOUT_FULL)
		add_part(header, " thrum %s | svc %u inst %zu up %u", ui->replica.project, counts->services, ui->replica.row_count,
			counts->up);
	else
		add_part(header, " %.20s  up %u/%zu", ui->replica.project, counts->up, ui->replica.row_count);
	if (counts->waiting && kind == LAYOUT_FULL)
		add_part(header, " backoff %u", counts->waiting);
	if (counts->bad)
		add_part(header, " failed %u !", counts->bad);
	if (counts->waiting && kind != LAYOUT_FULL)
		add_part(header, "  backoff %u", counts->waiting);
}

/* What is wrong comes first. */
static void draw_stub_header(const struct ui *ui, struct grid *grid, struct rect area, const struct counts *counts)
{
	const struct machine_sample *machine = &ui->replica.machine;
	char brief[STATUS_BRIEF_SIZE], bad[16] = "", cpu[16] = "";

	if (counts->bad)
		snprintf(bad, sizeof bad, " !%u", counts->bad);
	if (machine->cpus && machine->cpu_pct >= 0)
		snprintf(cpu, sizeof cpu, " cpu%.0f%%", machine->cpu_pct);
	status_brief(ui, brief);
	grid_format(grid, area, counts->bad ? LOOK_BAD : LOOK_TITLE, "up%u%s%s%s", counts->up, bad, *brief ? " " : cpu, brief);
}

static void draw_header(
	const struct ui *ui, struct grid *grid, struct rect area, enum layout_kind kind)
{
	struct counts counts = count_states(&ui->replica);
	enum look look = counts.bad ? LOOK_BAD : LOOK_TITLE;
	struct header header = { 0 };
	char clock[CLOCK_TEXT_SIZE], brief[STATUS_BRIEF_SIZE];

	grid_fill(grid, area, LOOK_TITLE, ' ');
	if (kind == LAYOUT_STUB) {
		draw_stub_header(ui, grid, area, &counts);
		return;
	}
	clock_format_local(clock, ui->now_us);
	clock[CLOCK_WIDTH - 1] = '\0';
	grid_put(grid, (struct rect){ area.width - CLOCK_WIDTH, area.y, CLOCK_WIDTH, 1 }, LOOK_TITLE, clock);
	area.width -= CLOCK_WIDTH + 1;
	header.room = (size_t)area.width < LINE ? (size_t)area.width : LINE - 1;
	int width = kind == LAYOUT_COMPACT && *status_brief(ui, brief) ? (int)strlen(brief) + 1 : 0; /* there is no line for it */
	header.room -= (size_t)(width < area.width ? width : area.width);
	add_counts(&header, ui, &counts, kind);
	if (width)
		grid_format(grid, (struct rect){ area.x + area.width - width, area.y, width, 1 }, LOOK_WARN, " %s", brief);
	if (kind == LAYOUT_FULL)
		add_figures(&header, ui);
	area.width -= width;
	grid_put(grid, area, look, header.text);
}

/* ---- details ---- */

static const char *const tab_names[TAB_COUNT] = { "1 Info", "2 Threads", "3 Pool", "4 IPC", "5 History", "6 Logs" };

/* How much of the name of each tab is told: of those that are not open the number alone, if there is no room for more. */
static int tab_size(const struct ui *ui, int tab, int room)
{
	int all = 0;

	for (int i = 0; i < TAB_COUNT; i++)
		all += (int)strlen(tab_names[i]) + 2;
	return all <= room || (enum detail_tab)tab == ui->tab ? (int)strlen(tab_names[tab]) : 1;
}

static void draw_title(const struct ui *ui, struct grid *grid, struct rect area)
{
	const struct replica_row *row = rows_selected(ui);
	struct rect at = area;

	if (!area.height)
		return;
	grid_fill(grid, area, LOOK_DIM, ui->is_unicode ? 0x2500 : '-');
	at.x += 1;
	if (row)
		at.x += grid_format(
			grid, at, LOOK_TITLE, " %s/%u ", row->row.service, row->row.instance);
	int room = area.x + area.width - at.x;
	for (int i = 0; i < TAB_COUNT; i++) {
		bool is_open = (enum detail_tab)i == ui->tab;
		int used = grid_format(grid, at, is_open ? LOOK_KEY : LOOK_NORMAL, is_open ? "[%.*s]" : " %.*s ", tab_size(ui, i, room),
			tab_names[i]);
		grid_spot(grid, (struct rect){ at.x, at.y, used, 1 }, SPOT_ACTION, (uint32_t)(ACTION_INFO + i));
		at.x += used;
	}
	grid_put(grid, at, LOOK_DIM, ui->is_zoomed ? " Esc back " : " z zoom ");
}

static int draw_info(const struct ui *ui, struct grid *grid, struct rect area)
{
	int used = info_draw(ui, grid, area);

	if (!ui->is_zoomed && used < area.height) {
		area.y += used;
		area.height -= used;
		logs_draw(ui, grid, area);
	}
	return used;
}

static int draw_history(const struct ui *ui, struct grid *grid, struct rect area)
{
	history_draw(ui, grid, area, &rows_selected(ui)->row);
	return 0;
}

static int draw_logs(const struct ui *ui, struct grid *grid, struct rect area)
{
	logs_draw(ui, grid, area);
	return 0;
}

static bool is_of_inside(enum detail_tab tab)
{
	return tab == TAB_THREADS || tab == TAB_POOL;
}

static int draw_detail(const struct ui *ui, struct grid *grid, struct rect area)
{
	static int (*const draws[TAB_COUNT])(const struct ui *ui, struct grid *grid, struct rect area) = {
		[TAB_INFO] = draw_info,
		[TAB_THREADS] = threads_draw,
		[TAB_POOL] = pools_draw,
		[TAB_IPC] = traffic_draw,
		[TAB_HISTORY] = draw_history,
		[TAB_LOGS] = draw_logs,
	};

	if (ui->past_us && is_of_inside(ui->tab) && !ui->insight.study.pid && !ui->insight.pool) {
		grid_put(grid, rect_line(area, 0), LOOK_DIM,
			ui->options->recording ? " what went on inside a process is not in a recording"
					       : " not measured then: what goes on inside is kept only while somebody looks at it");
		return 0;
	}
	return rows_selected(ui) ? draws[ui->tab](ui, grid, area) : 0;
}

int view_length(const struct ui *ui)
{
	struct grid nothing = { 0 };
	int width, height;

	screen_size(&width, &height);
	return draw_detail(ui, &nothing, (struct rect){ 0, 0, width, 0 });
}

/* ---- the last two lines ---- */

static bool is_bad_notice(const struct notice *notice)
{
	return notice->kind == NOTICE_FATAL || notice->kind == NOTICE_FAILED || notice->kind == NOTICE_BACKOFF;
}

void view_notice(char *out, size_t size, const struct notice *notice)
{
	char clock[CLOCK_TEXT_SIZE], cause[CAUSE_TEXT_SIZE] = "", delay[UNITS_TEXT_SIZE] = "", name[CELL * 2] = "engine";
	struct death death = {
		.cause = notice->cause, .code = notice->code, .signal = notice->signal
	};

	clock_format_local(clock, notice->ts_us);
	if (notice->cause)
		death_describe(cause, &death);
	if (notice->kind == NOTICE_BACKOFF)
		units_format_duration(delay, notice->delay_ms);
	if (notice->service[0])
		snprintf(name, sizeof name, "%s/%u", notice->service, notice->instance);
	snprintf(out, size, " %.8s %s %s %s %s%s%s%s %s", clock, is_bad_notice(notice) ? "!" : " ", name, notice_name(notice->kind), cause,
		*cause && *delay ? ", " : "", *delay ? "again in " : "", delay, notice->detail);
}

static void draw_newest(const struct ui *ui, struct grid *grid, struct rect area)
{
	const struct replica *replica = &ui->replica;
	char text[LINE];

	if (!replica->notice_count)
		return;
	const struct notice *notice = &replica->notices[(replica->notice_count - 1) % REPLICA_NOTICES];
	view_notice(text, sizeof text, notice);
	bool is_given_up = notice->kind == NOTICE_FATAL;
	grid_format(grid, area, is_bad_notice(notice) ? LOOK_BAD : LOOK_NORMAL, "%s%s%s", text, is_given_up && notice->detail[0] ? " " : "",
		is_given_up ? "- gave up: r tries again, 6 has its log" : "");
}

/* How much of the end of the line it takes. */
static int draw_news(const struct ui *ui, struct grid *grid, struct rect area)
{
	enum { WIDTH = 22 };
	uint64_t count = ui->replica.notice_count, news = count > ui->seen_notices ? count - ui->seen_notices : 0; /* fewer: the past */

	if (!news || area.width < WIDTH * 3)
		return 0;
	grid_format(grid, (struct rect){ area.x + area.width - WIDTH, area.y, WIDTH, 1 }, LOOK_KEY, " %4llu new events (E)",
		(unsigned long long)news);
	return WIDTH;
}

static void draw_event(const struct ui *ui, struct grid *grid, struct rect area)
{
	char clock[CLOCK_TEXT_SIZE];

	if (!area.height)
		return;
	if (ui->lost_us) {
		clock_format_local(clock, ui->lost_us);
		grid_format(grid, area, LOOK_BAD,
			" lost the engine at %.8s; retrying - children are not touched", clock);
	} else if (ui->message[0]) {
		grid_format(grid, area, ui->is_bad ? LOOK_BAD : LOOK_GOOD, " %s%s",
			ui->is_bad ? "! " : "", ui->message);
	} else {
		area.width -= draw_news(ui, grid, area);
		draw_newest(ui, grid, area);
	}
}

static const char *prompt_name(enum prompt prompt)
{
	static const char *const names[] = {
		[PROMPT_SEARCH] = "/",
		[PROMPT_COMMAND] = ":",
		[PROMPT_SCALE] = "",
		[PROMPT_FILTER] = "\\",
		[PROMPT_HEARD_FILTER] = "messages with (PCRE2): ",
		[PROMPT_HEARD_SAVE] = "save messages to: ",
		[PROMPT_LOG_SEARCH] = "newer lines with (PCRE2): ",
		[PROMPT_LOG_SEARCH_BACK] = "older lines with (PCRE2): ",
		[PROMPT_LOG_FILTER] = "only lines with (PCRE2, ! inverts): ",
		[PROMPT_LOG_SAVE] = "save lines to: ",
		[PROMPT_EVENT_SEARCH] = "events with (PCRE2): ",
		[PROMPT_EVENT_FILTER] = "only events with (PCRE2, ! inverts): ",
	};

	return names[prompt];
}

/* What can be done now, each with its key: as many as there is room for. */
struct label {
	enum action action;
	const char *word;
	bool is_spare; /* there is room for it on a wide screen only */
};

static const struct label table_labels[] = {
	{ ACTION_HELP, "Help", false },
	{ ACTION_SEARCH, "Find", false },
	{ ACTION_FILTER, "Filter", true },
	{ ACTION_SORT, "Sort", true },
	{ ACTION_RESTART, "Restart", false },
	{ ACTION_START, "Start", false },
	{ ACTION_STOP, "Stop", false },
	{ ACTION_MORE, "More", false },
	{ ACTION_LAUNCH, "Launch", false },
	{ ACTION_COMMAND, "Command", true },
	{ ACTION_QUIT, "Quit", false },
	{ ACTION_NONE, NULL, false },
};

/* There the most is on one screen, and what has no room is left out from the end on. */
static const struct label compact_labels[] = {
	{ ACTION_HELP, "Help", false },
	{ ACTION_OPEN, "Open", false },
	{ ACTION_QUIT, "Quit", false },
	{ ACTION_STOP, "Stop", false },
	{ ACTION_RESTART, "Restart", false },
	{ ACTION_NONE, NULL, false },
};

/* What a tab that fills the screen can do more than the table. */
enum { LABELS_MOST = 16 };
static const struct label tab_labels[TAB_COUNT][LABELS_MOST] = {
	[TAB_INFO] = {
		{ ACTION_HELP, "Help", false },
		{ ACTION_BACK, "Back", false },
		{ ACTION_HOLDINGS, "Files, PSS", false },
		{ ACTION_ENVIRONMENT, "Variables", false },
		{ ACTION_COPY, "Copy", false },
		{ ACTION_RESTART, "Restart", false },
		{ ACTION_STOP, "Stop", false },
	},
	[TAB_THREADS] = {
		{ ACTION_HELP, "Help", false },
		{ ACTION_BACK, "Back", false },
		{ ACTION_THREAD_STACK, "Where it is", false },
		{ ACTION_THREAD_ORDER, "Order", false },
		{ ACTION_RESTART, "Restart", false },
		{ ACTION_STOP, "Stop", false },
	},
	[TAB_POOL] = {
		{ ACTION_HELP, "Help", false },
		{ ACTION_BACK, "Back", false },
		{ ACTION_MORE, "More", false },
		{ ACTION_FEWER, "Fewer", false },
		{ ACTION_EXACT, "Exactly", false },
		{ ACTION_DRAIN, "Drain", false },
		{ ACTION_RESTART, "Restart", false },
		{ ACTION_STOP, "Stop", false },
	},
	[TAB_IPC] = {
		{ ACTION_HELP, "Help", false },
		{ ACTION_BACK, "Back", false },
		{ ACTION_OPEN, "Whole", false },
		{ ACTION_HEARD_FILTER, "Filter", false },
		{ ACTION_HEARD_PAUSE, "Pause", false },
		{ ACTION_MAP, "Map", false },
		{ ACTION_SEND, "Send", false },
		{ ACTION_HEARD_SAVE, "Save", false },
	},
	[TAB_HISTORY] = {
		{ ACTION_HELP, "Help", false },
		{ ACTION_BACK, "Back", false },
		{ ACTION_OPEN, "Open", false },
		{ ACTION_PAST, "Earlier", false },
		{ ACTION_FORTH, "Later", false },
		{ ACTION_RESTART, "Restart", false },
		{ ACTION_STOP, "Stop", false },
	},
	[TAB_LOGS] = {
		{ ACTION_HELP, "Help", false },
		{ ACTION_LOG_SEARCH, "Find", false },
		{ ACTION_LOG_SEARCH_BACK, "Back", true },
		{ ACTION_LOG_NEXT, "Next", false },
		{ ACTION_LOG_FILTER, "Filter", false },
		{ ACTION_LOG_ERROR, "Error", false },
		{ ACTION_LOG_OLDEST, "Oldest", true },
		{ ACTION_LOG_FOLLOW, "Follow", false },
		{ ACTION_LOG_WRAP, "Wrap", false },
		{ ACTION_LOG_TIMES, "Time", true },
		{ ACTION_LOG_MARK, "Mark", true },
		{ ACTION_LOG_COPY, "Copy", true },
		{ ACTION_LOG_SAVE, "Save", false },
	},
};

static const struct label map_labels[] = {
	{ ACTION_HELP, "Help", false },
	{ ACTION_BACK, "Back", false },
	{ ACTION_MAP, "Messages", false },
	{ ACTION_NONE, NULL, false },
};

static const struct label *labels_of(const struct ui *ui, enum layout_kind kind)
{
	if (ui->is_zoomed && ui->tab == TAB_IPC && ui->insight.is_map)
		return map_labels;
	return ui->is_zoomed ? tab_labels[ui->tab] : kind == LAYOUT_FULL ? table_labels
									 : compact_labels;
}

static void draw_labels(const struct ui *ui, struct grid *grid, struct rect area, enum layout_kind kind)
{
	const enum detail_tab *zoomed = ui->is_zoomed ? &ui->tab : NULL;
	const struct label *label = labels_of(ui, kind);
	char key[KEY_NAME_SIZE];
	int x = area.x + 1;

	for (; label->word; label++) {
		keymap_name(&ui->settings.bindings, label->action, zoomed, key);
		int width = (int)strlen(key) + 1 + (int)strlen(label->word);
		if (!key[0] || (label->is_spare && area.width < KEYS_LONG) || x + width > area.x + area.width)
			continue;
		grid_format(grid, (struct rect){ x, area.y, width, 1 }, LOOK_KEY, "%s %s", key, label->word);
		grid_spot(grid, (struct rect){ x, area.y, width, 1 }, SPOT_ACTION, label->action);
		x += width + 2;
	}
}

static void draw_prompt(const struct ui *ui, struct grid *grid, struct rect area)
{
	int used = 0;

	if (ui->prompt == PROMPT_SCALE)
		used = scale_draw_question(ui, grid, area);
	area.x += used;
	area.width -= used;
	used = grid_format(grid, area, LOOK_NORMAL, "%s%s_", prompt_name(ui->prompt), ui->input);

	grid->cursor_x = area.x + used - 1;
	grid->cursor_y = area.y;
	area.x += used + 2;
	area.width -= used + 2;
	if (ui->prompt == PROMPT_SCALE)
		scale_draw_answer(ui, grid, area);
	if ((ui->prompt == PROMPT_FILTER || ui->prompt == PROMPT_LOG_FILTER) && ui->filter_error[0])
		grid_format(grid, area, LOOK_BAD, "%s - the last good one holds", ui->filter_error);
}

static void draw_keys(
	const struct ui *ui, struct grid *grid, struct rect area, enum layout_kind kind)
{
	if (!area.height)
		return;
	grid_fill(grid, area, LOOK_KEY, ' ');
	if (ui->prompt != PROMPT_NONE)
		draw_prompt(ui, grid, area);
	else if (kind != LAYOUT_STUB)
		draw_labels(ui, grid, area, kind);
	else
		grid_format(grid, area, LOOK_KEY, "%dx%d ?help q", grid->width, grid->height);
}

struct layout view_layout(const struct ui *ui, int width, int height)
{
	return layout_of(width, height, ui->is_zoomed, !ui->settings.table.is_headless);
}

void view_draw(const struct ui *ui, struct grid *grid)
{
	struct layout layout = view_layout(ui, grid->width, grid->height);

	draw_header(ui, grid, layout.header, layout.kind);
	status_draw(ui, grid, layout.status);
	table_draw_heading(ui, grid, layout.heading);
	table_draw(ui, grid, layout.table);
	draw_title(ui, grid, layout.title);
	if (layout.detail.height)
		draw_detail(ui, grid, layout.detail);
	draw_event(ui, grid, layout.event);
	draw_keys(ui, grid, layout.keys, layout.kind);
	dialog_draw(ui, grid);
}
