#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "protocol/value.h"
#include "tui/command_line.h"
#include "tui/keymap.h"
#include "tui/ui.h"

static struct ui *ui;
static struct grid grid;
static struct dashboard_options options = { .project = "shop" };

static struct replica_row *add(const char *service, unsigned instance, enum state state)
{
	struct replica *replica = &ui->replica;

	replica->rows = memory_resize(replica->rows, replica->row_count + 1, sizeof *replica->rows);
	struct replica_row *row = &replica->rows[replica->row_count++];
	*row = (struct replica_row){ .row = { .instance = instance, .state = state, .life = 1 } };
	snprintf(row->row.service, sizeof row->row.service, "%s", service);
	if (state_has_process(state))
		row->row.pid = 1000 + (int)replica->row_count;
	row->row.started_us = ui->now_us - 61 * 1000000ull;
	return row;
}

static void begin(void)
{
	setenv("TZ", "UTC", 1);
	ui = memory_zeroed(1, sizeof *ui);
	ui->options = &options;
	ui->is_unicode = true;
	ui->now_us = 1700000000000000ull;
	replica_init(&ui->replica);
	snprintf(ui->replica.project, sizeof ui->replica.project, "shop");
	grid_init(&grid);
	add("api", 0, STATE_RUNNING);
	add("api", 1, STATE_RUNNING);
	struct replica_row *worker = add("worker", 0, STATE_BACKOFF);
	worker->row.deadline_us = ui->now_us + 3200000;
	worker->row.restarts.crash = 4;
	struct replica_row *job = add("job", 0, STATE_FAILED);
	job->row.has_last_death = true;
	job->row.last_death.code = 3;
	rows_keep_selection(ui);
}

static void end(void)
{
	details_finish(ui);
	traffic_forget(ui);
	logs_finish(&ui->logs);
	replica_finish(&ui->replica);
	grid_finish(&grid);
	free(ui);
}

static char *line(int y)
{
	struct text text;
	char encoded[4];

	text_init(&text, 64 * 1024);
	for (int x = 0; x < grid.width; x++)
		if (grid_at(&grid, x, y)->character)
			text_append(&text, encoded, utf8_encode(encoded, grid_at(&grid, x, y)->character));
	return text_take(&text);
}

static bool shows(const char *what)
{
	bool found = false;

	for (int y = 0; y < grid.height && !found; y++) {
		char *text = line(y);
		found = strstr(text, what);
		free(text);
	}
	return found;
}

static void draw(int width, int height)
{
	grid_reset(&grid, width, height);
	table_measure(ui);
	view_draw(ui, &grid);
}

static void type(const char *keys)
{
	for (; *keys; keys++)
		action_key(ui, (uint32_t)*keys);
}

static void say_study(const char *text)
{
	json_t *json = json_loads(text, 0, NULL);

	ck_assert_ptr_nonnull(json);
	ui->insight.is_waiting[0] = true;
	insight_take(ui, 0, json, "");
	json_decref(json);
}

static const char study_text[] =
	"{\"pid\":1001,\"process\":\"api\",\"threads\":["
	"{\"tid\":11,\"name\":\"main\",\"role\":\"main\",\"state\":\"S\",\"cpu_pct\":1.5,\"last_cpu\":0,\"wchan\":\"ep_poll\"},"
	"{\"tid\":12,\"name\":\"bad\\u001b[2J\",\"role\":\"pool worker\",\"state\":\"D\",\"cpu_pct\":40.0,\"last_cpu\":1}],"
	"\"pools\":[{\"kind\":\"libuv\",\"threads\":4,\"busy\":4,\"queued\":28,\"by_kind\":{\"fs\":20,\"dns\":8},\"exact\":true}],"
	"\"peers\":[{\"transport\":\"unix\",\"fd\":3,\"direction\":\"both\",\"pid\":77,\"process\":\"cache\",\"remote\":\"/run/c\"}],"
	"\"findings\":[\"it waits for a disk\"]}";

START_TEST(the_table_says_how_everything_is)
{
	draw(100, 30);
	ck_assert(shows("thrum shop"));
	ck_assert(shows("svc 3 inst 4 up 2 backoff 1 failed 1 !"));
	ck_assert(shows("v api"));
	ck_assert(shows("2/2 up"));
	ck_assert(shows("├─ api/0"));
	ck_assert(shows("└─ api/1"));
	ck_assert(shows("backoff 3.2s"));
	ck_assert(shows("4!"));
	ck_assert(shows("failed 3"));
	ck_assert(shows("01:01"));
}
END_TEST

/* A log of one process, in which all of that stands. */
static void write_log(const char *text)
{
	struct log_source *source = memory_zeroed(1, sizeof *source);
	struct chunk chunk = { .time_us = ui->now_us, .pid = 1, .bytes = text, .size = strlen(text) };

	snprintf(source->service, sizeof source->service, "api");
	source->end = chunk.size;
	log_source_take(source, &chunk);
	logs_begin(&ui->logs, source, 1);
	while (logs_step(&ui->logs) == LOG_FOUND)
		continue;
}

START_TEST(a_long_line_stays_within_its_tab)
{
	char text[4000];

	memset(text, '#', sizeof text);
	memcpy(text + sizeof text - 8, "#\nnext\n", 8);
	ui->tab = TAB_LOGS;
	ui->is_zoomed = true;
	write_log(text);
	for (int wrapped = 0; wrapped < 2; wrapped++) {
		ui->logs.is_wrapped = wrapped;
		logs_prepare(ui, 100, 30);
		logs_to_oldest(&ui->logs);
		draw(100, 30);
		char *event = line(28), *keys = line(29), *heading = line(3);
		ck_assert_ptr_null(strchr(event, '#'));
		ck_assert_ptr_null(strchr(keys, '#'));
		ck_assert_ptr_null(strchr(heading, '#'));
		ck_assert_int_eq(shows("next"), !wrapped);
		free(event);
		free(keys);
		free(heading);
	}
}
END_TEST

START_TEST(what_is_found_is_seen_without_colours)
{
	struct error err;

	ui->tab = TAB_LOGS;
	ui->is_zoomed = true;
	write_log("one two three\n");
	ck_assert(logs_search(&ui->logs, "two", &err));
	logs_prepare(ui, 100, 30);
	draw(100, 30);
	for (int y = 0; y < grid.height; y++) {
		char *text = line(y);
		const char *found = strstr(text, "one two three");
		int x = found ? (int)(found - text) : 0;
		if (found) {
			ck_assert_uint_eq(grid_at(&grid, x + 3, y)->paint.attributes, 0);
			ck_assert_uint_eq(grid_at(&grid, x + 4, y)->paint.attributes, PAINT_UNDERLINE);
			ck_assert_uint_eq(grid_at(&grid, x + 7, y)->paint.attributes, 0);
		}
		free(text);
	}
	ck_assert(shows("one two three"));
}
END_TEST

static unsigned count_low_bars(void)
{
	unsigned count = 0;

	for (int i = 0; i < grid.width * grid.height; i++)
		count += grid.cells[i].character == 0x2581;
	return count;
}

/* Of who rests, in any width: no place of its graph comes and goes with the samples. */
START_TEST(a_full_graph_stands_still)
{
	for (int width = 90; width <= 200; width++)
		for (unsigned samples = REPLICA_HISTORY, first = 0; samples < 2 * REPLICA_HISTORY; samples++) {
			for (size_t i = 0; i < ui->replica.row_count; i++) {
				memset(ui->replica.rows[i].cpu, 0, sizeof ui->replica.rows[i].cpu);
				ui->replica.rows[i].cpu_count = samples;
			}
			draw(width, 40);
			first = samples == REPLICA_HISTORY ? count_low_bars() : first;
			if (count_low_bars() != first)
				ck_abort_msg("%d columns, %u samples: %u, not %u", width, samples, count_low_bars(), first);
		}
	ck_assert_uint_gt(count_low_bars(), 0);
}
END_TEST

START_TEST(narrow_screens_keep_what_matters)
{
	draw(40, 12);
	ck_assert(shows("NAME"));
	ck_assert(shows("STATE"));
	ck_assert(shows("failed 3"));
	ck_assert(!shows("UPTIME"));
	ck_assert(shows("CPU%"));
	ck_assert(shows("RSS"));
	ui->tab = TAB_HISTORY;
	ui->is_zoomed = true;
	draw(40, 12);
	ck_assert(shows(" 1  2  3  4 [5 History] 6 "));
	draw(20, 5);
	ck_assert(shows("up2 !1"));
}
END_TEST

/* Nobody is to take for all, or for now, what is not. */
START_TEST(what_is_not_as_usual_is_told_on_every_screen)
{
	static const int widths[] = { 20, 30, 40, 80, 100 };

	for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
		int width = widths[i], height = width < 80 ? width / 4 : 24;
		type("\\api\r");
		draw(width, height);
		ck_assert_msg(shows(width < 80 ? "FILTER" : "filter api"), "%d", width);
		type("Z");
		draw(width, height);
		ck_assert_msg(shows("PAUSED 22:13"), "%d", width);
		ck_assert(width < 80 || shows("Z goes on"));
		type("Z");
		ui->past_us = ui->now_us - 60 * 1000000ull;
		ui->is_paused = true;
		draw(width, height);
		ck_assert_msg(shows(" PAST 22:12:20"), "%d", width);
		ck_assert(width < 80 || shows("t b 5 s, { } events, Esc now"));
		ui->past_us = 0;
		ui->is_paused = false;
		action_key(ui, INPUT_ESCAPE);
	}
}
END_TEST

START_TEST(what_has_no_room_goes_on_below)
{
	struct replica_row *row = &ui->replica.rows[0];

	ui->selected = (struct target){ .service = "api", .instance = 0 };
	snprintf(row->row.detail, sizeof row->row.detail, "it waits for the database, which waits for a disk that is full");
	ui->is_zoomed = true;
	draw(40, 12);
	ck_assert(shows("state     "));
	ck_assert(shows("           "));
	ck_assert(shows(" full"));
}
END_TEST

START_TEST(what_processes_tell_has_the_room_that_is_left)
{
	struct metrics *metrics = &ui->replica.rows[0].row.ipc.metrics;

	*metrics = (struct metrics){ 2, { { "requests", "123", "" }, { "heap", "9.5", "\033[MiB" } } };
	ui->told_columns = ~0u;
	draw(80, 24);
	ck_assert(!shows("request"));
	draw(131, 24);
	ck_assert(shows("request"));
	ck_assert(!shows("heap"));
	draw(151, 24);
	ck_assert(shows("requests"));
	ck_assert(shows(" 123 "));
	ck_assert(shows("9.5?[MiB"));
}
END_TEST

START_TEST(a_service_has_the_channels_of_all_its_processes)
{
	struct traffic *ipc = &ui->replica.rows[0].row.ipc;

	*ipc = (struct traffic){ .is_known = true, .in = 4711, .out = 5, .in_rate = -1, .out_rate = 2, .connections = 815 };
	ui->tab = TAB_IPC;
	draw(100, 30);
	ck_assert(shows("CONNECTIONS"));
	ck_assert(shows("api/0"));
	ck_assert(shows(" 815 "));
	ck_assert(shows(" 4711 "));
	ck_assert(shows("api/1"));
	ck_assert(shows("it has no channel to the engine now"));
	ui->selected.instance = 0;
	draw(100, 30);
	ck_assert(!shows("CONNECTIONS"));
	ck_assert(shows("connections 815"));
}
END_TEST

START_TEST(without_unicode_all_is_ascii)
{
	ui->is_unicode = false;
	draw(100, 30);
	for (int y = 0; y < grid.height; y++)
		for (int x = 0; x < grid.width; x++)
			ck_assert_uint_lt(grid_at(&grid, x, y)->character, 0x7f);
}
END_TEST

START_TEST(an_empty_project_says_what_to_do)
{
	ui->replica.row_count = 0;
	draw(80, 24);
	ck_assert(shows("Nothing is running yet."));
	ck_assert(shows("a  launch a command"));
}
END_TEST

START_TEST(the_selection_follows_who_it_is)
{
	ui->selected = (struct target){ .service = "worker", .instance = 0 };
	ui->replica.rows[0] = ui->replica.rows[1];
	memmove(&ui->replica.rows[1], &ui->replica.rows[2], 2 * sizeof *ui->replica.rows);
	ui->replica.row_count = 3;
	rows_keep_selection(ui);
	ck_assert_str_eq(ui->selected.service, "worker");
	ui->replica.row_count = 1;
	rows_keep_selection(ui);
	ck_assert_str_eq(ui->selected.service, "api");
}
END_TEST

START_TEST(folding_hides_instances)
{
	static struct table_row rows[ROWS_MOST];
	ck_assert_int_eq(rows_build(ui, rows, ROWS_MOST), 5);
	rows_fold(ui, "api", true);
	ck_assert_int_eq(rows_build(ui, rows, ROWS_MOST), 3);
	rows_fold(ui, "api", false);
	ck_assert_int_eq(rows_build(ui, rows, ROWS_MOST), 5);
}
END_TEST

START_TEST(search_goes_round)
{
	ck_assert(rows_search(ui, "job", 1, true));
	ck_assert_str_eq(ui->selected.service, "job");
	ck_assert(rows_search(ui, "api/1", 1, false));
	ck_assert_int_eq(ui->selected.instance, 1);
	ck_assert(!rows_search(ui, "nobody", 1, true));
}
END_TEST

static void each_is_there_once(const struct key_row *rows, bool has_key[ACTION_COUNT])
{
	for (const struct key_row *row = rows; row && row->key; row++) {
		for (const struct key_row *other = row + 1; other->key; other++)
			ck_assert_msg(row->key != other->key, "%s", row->name);
		ck_assert_ptr_nonnull(action_rows[row->action].help);
		has_key[row->action] = true;
	}
}

START_TEST(threads_are_shown_busiest_first)
{
	ui->tab = TAB_THREADS;
	say_study(study_text);
	draw(120, 30);
	ck_assert(shows("2 threads: 0 run, 1 sleep, 1 wait for a device; sorted by CPU"));
	ck_assert(shows("pool worker"));
	ck_assert(shows("ep_poll"));
	ui->is_zoomed = true;
	draw(120, 30);
	ck_assert(shows(">     12 bad"));
	action_key(ui, '<');
	draw(120, 30);
	ck_assert(shows(">     11 main"));
	action_key(ui, 'G');
	ck_assert_int_eq(ui->cursor, 1);
}
END_TEST

START_TEST(a_pool_says_what_waits_in_it)
{
	ui->tab = TAB_POOL;
	draw(120, 30);
	ck_assert(shows("no pool is seen in it"));
	say_study(study_text);
	draw(120, 30);
	ck_assert(shows("28   fs 20  dns 8"));
	ck_assert(shows("28, at the most 28"));
}
END_TEST

static void say_past(uint64_t at_us)
{
	json_t *json = json_pack("{s:o,s:o,s:[]}", "ts", time_to_json(at_us), "first", time_to_json(at_us - 60000000), "instances");

	past_show(ui, json);
	json_decref(json);
}

START_TEST(steps_back_count_before_they_are_answered)
{
	action_key(ui, 't');
	uint64_t once_us = ui->past_asked_us;
	action_key(ui, 't');
	ck_assert_uint_eq(ui->past_asked_us, once_us - 5000000);
	say_past(once_us);
	action_key(ui, 't');
	ck_assert_uint_eq(ui->past_asked_us, once_us - 10000000);
	action_key(ui, INPUT_ESCAPE);
	say_past(once_us - 5000000);
	ck_assert_uint_eq(ui->past_us, 0); /* too late: it is now again */
	ck_assert(!ui->is_paused);
}
END_TEST

START_TEST(what_was_asked_of_now_is_not_taken_for_then)
{
	json_t *reply = json_pack("{s:i,s:o}", "id", 7, "result", json_loads(study_text, 0, NULL));

	ui->tab = TAB_THREADS;
	ui->insight.is_waiting[0] = true;
	ui->pending[ui->pending_count++] = (struct pending){ 7, ui->epoch, REPLY_INSIGHT, 0 };
	action_key(ui, 't');
	say_past(ui->past_asked_us);
	details_message(ui, reply);
	ck_assert_int_eq(ui->insight.study.pid, 0);
	action_key(ui, INPUT_ESCAPE);
	ck_assert(!ui->is_paused);
	json_decref(reply);
}
END_TEST

START_TEST(in_the_past_nothing_is_new)
{
	ui->seen_notices = 5;
	ui->replica.notice_count = 3;
	draw(120, 30);
	ck_assert(!shows("new events"));
	ui->replica.notice_count = 7;
	draw(120, 30);
	ck_assert(shows("   2 new events (E)"));
}
END_TEST

START_TEST(a_reply_that_nobody_waits_for_is_not_taken)
{
	json_t *json = json_loads(study_text, 0, NULL);

	insight_take(ui, 0, json, "");
	ck_assert_int_eq(ui->insight.study.pid, 0);
	json_decref(json);
}
END_TEST

static void hear(int number, size_t size)
{
	char *text = memory_zeroed(size + 32, 1);

	snprintf(text, size + 32, "{\"n\":%d,\"x\":\"", number);
	memset(text + strlen(text), 'y', size);
	memcpy(text + strlen(text), "\"}", 2);
	json_t *params = json_pack("{s:s,s:i,s:s,s:i,s:s,s:i}", "service", "api", "instance", 0, "dir", "in", "bytes", (int)size,
		"text", text, "dropped", 2);
	traffic_take(ui, params);
	json_decref(params);
	free(text);
}

START_TEST(messages_are_kept_within_bounds)
{
	ui->tab = TAB_IPC;
	snprintf(ui->traffic.watched, sizeof ui->traffic.watched, "api/0");
	for (int i = 0; i < HEARD_MOST + 3; i++)
		hear(i, 8);
	ck_assert_uint_eq(traffic_size(&ui->traffic), HEARD_MOST);
	ck_assert_uint_eq(ui->traffic.dropped, 2 * (HEARD_MOST + 3));
	draw(120, 40);
	ck_assert(shows("{\"n\":502,"));
	for (int i = 0; i < 100; i++)
		hear(i, 64 * 1024);
	ck_assert_uint_le(ui->traffic.bytes, HEARD_BYTES_MOST);
	ck_assert_uint_lt(traffic_size(&ui->traffic), 100);
}
END_TEST

START_TEST(who_reads_a_message_goes_on_reading_it)
{
	ui->tab = TAB_IPC;
	ui->is_zoomed = true;
	snprintf(ui->traffic.watched, sizeof ui->traffic.watched, "api/0");
	for (int i = 0; i < 5; i++)
		hear(i, 1);
	action_key(ui, 'j');
	hear(5, 1);
	ck_assert_int_eq(ui->cursor, 2);
	action_key(ui, INPUT_RETURN);
	hear(6, 1);
	draw(100, 30);
	ck_assert(shows("  \"n\": 3"));
	action_key(ui, INPUT_ESCAPE);
	ck_assert(ui->is_zoomed && !ui->traffic.is_open);
	action_key(ui, 'p');
	hear(7, 1);
	ck_assert_uint_eq(traffic_size(&ui->traffic), 6);
	draw(120, 30);
	ck_assert(shows("PAUSED (p goes on), 1 since"));
}
END_TEST

START_TEST(keys_are_there_once_and_explained)
{
	bool has_key[ACTION_COUNT] = { false };

	each_is_there_once(keymap, has_key);
	for (int tab = 0; tab < TAB_COUNT; tab++)
		each_is_there_once(tab_keymaps[tab], has_key);
	for (enum action action = ACTION_NONE + 1; action < ACTION_COUNT; action++) {
		ck_assert_msg(has_key[action], "%s", action_rows[action].help);
		ck_assert_int_eq(keymap_action(action_rows[action].name), action); /* nobody else is called so */
		ck_assert_ptr_null(strchr(action_rows[action].name, ' '));
	}
}
END_TEST

static struct rect find(const char *what)
{
	for (int y = 0; y < grid.height; y++) {
		char *text = line(y);
		const char *found = strstr(text, what);
		int x = found ? (int)(found - text) : 0;
		free(text);
		if (found)
			return (struct rect){ x, y, (int)strlen(what), 1 };
	}
	ck_abort_msg("%s is not on the screen", what);
}

static void click(const char *what)
{
	struct rect at = find(what);

	action_click(ui, &grid, at.x, at.y);
	draw(grid.width, grid.height);
}

START_TEST(clicks_do_what_is_written_there)
{
	ui->is_unicode = false;
	grid.spots = memory_zeroed(SPOTS_MOST, sizeof *grid.spots);
	draw(120, 30);
	click("worker");
	ck_assert_str_eq(ui->selected.service, "worker");
	click("CPU%");
	ck_assert_int_eq(ui->settings.table.sort, SORT_CPU);
	click("5 History");
	ck_assert_int_eq(ui->tab, TAB_HISTORY);
	click("Sort"); /* the label of the key, not the words of the help */
	ck_assert_int_eq(ui->dialog, DIALOG_MENU);
	click("memory");
	ck_assert_int_eq(ui->dialog, DIALOG_NONE);
	ck_assert_int_eq(ui->settings.table.sort, SORT_MEMORY);
	click("? Help");
	ck_assert_int_eq(ui->dialog, DIALOG_HELP);
	click("thrum shop");
	ck_assert_int_eq(ui->dialog, DIALOG_HELP);
	action_key(ui, INPUT_ESCAPE);
	draw(120, 30);
	click("  worker ");
	ck_assert(ui->is_zoomed);
}
END_TEST

START_TEST(without_a_mouse_no_place_is_kept)
{
	draw(120, 30);
	ck_assert_uint_eq(grid.spot_count, 0);
	ck_assert_int_eq(grid_spot_at(&grid, 1, 1).kind, SPOT_NOTHING);
}
END_TEST

START_TEST(keys_mean_what_was_chosen)
{
	type(":key F2 events\r");
	action_key(ui, INPUT_FUNCTION + 2);
	ck_assert_int_eq(ui->dialog, DIALOG_EVENTS);
	action_key(ui, INPUT_ESCAPE);
	type(":key ? none\r");
	draw(120, 30);
	ck_assert(shows("F1 Help"));
	action_key(ui, '?');
	ck_assert_int_eq(ui->dialog, DIALOG_NONE);
	type(":key n log-error\r");
	type(":key w quit\r");
	ui->tab = TAB_LOGS;
	ui->is_zoomed = true;
	draw(120, 30);
	ck_assert(shows("n Error"));
	ck_assert(shows("w Wrap")); /* the tab goes before what is for all of them */
	ui->is_zoomed = false;
	draw(120, 30);
	ck_assert(shows("w Quit"));
	type(":key n nonsense\r");
	ck_assert(ui->is_bad && strstr(ui->message, "no action is called 'nonsense'"));
	type(":keys\r");
	draw(120, 60);
	ck_assert(shows("F2 E     events"));
}
END_TEST

START_TEST(a_mark_stays_on_its_letter)
{
	const struct cell *cell;

	draw(100, 30);
	ck_assert_int_eq(grid_put(&grid, (struct rect){ 5, 5, 4, 1 }, LOOK_NORMAL, "e\u0301\u0302\u0303x\u4e2d\u0301"), 4);
	cell = grid_at(&grid, 5, 5);
	ck_assert_uint_eq(cell[0].marks[0], 0x301);
	ck_assert_uint_eq(cell[0].marks[1], 0x302); /* a third one is left out */
	ck_assert_uint_eq(cell[1].marks[0], 0);
	ck_assert_uint_eq(cell[2].marks[0], 0x301); /* of the wide one, not of what it covers */
	ck_assert_uint_eq(cell[3].marks[0], 0);
	ck_assert_int_eq(grid_put(&grid, (struct rect){ 5, 6, 4, 1 }, LOOK_NORMAL, "\u0301"), 0);
}
END_TEST

static uint64_t minutes_ago(int minutes)
{
	return ui->now_us - (uint64_t)minutes * 60 * 1000000;
}

static void add_death(uint32_t life, int from, int to, enum cause cause, int signal)
{
	ui->deaths = memory_resize(ui->deaths, ui->death_count + 1, sizeof *ui->deaths);
	ui->deaths[ui->death_count++] = (struct death){
		.life = life,
		.pid = 900 + (int)life,
		.started_us = minutes_ago(from),
		.ended_us = minutes_ago(to),
		.uptime_ms = (uint64_t)(from - to) * 60000,
		.cause = (uint8_t)cause,
		.code = signal ? -1 : 3,
		.signal = (int16_t)signal,
		.cpu_ms = 1200,
		.peak_rss = 88 << 20,
	};
}

static void show_history(void)
{
	struct row *row = &ui->replica.rows[0].row;

	add_death(1, 600, 500, CAUSE_CORE, 11);
	add_death(2, 499, 300, CAUSE_EXIT, 0);
	add_death(3, 200, 90, CAUSE_LIMIT, 15);
	snprintf(ui->deaths[2].detail, sizeof ui->deaths[2].detail, "rss 210M > 200M");
	row->life = 4;
	row->started_us = minutes_ago(90);
	ui->tab = TAB_HISTORY;
	ui->selected = (struct target){ .service = "api", .instance = 0, .life = 4 };
}

/* now is 22:13:20; a column is half an hour, the last one from 22:00 on */
START_TEST(the_history_says_what_ended_it_and_when)
{
	show_history();
	draw(80, 30);
	ck_assert(shows("[5 History]"));
	ck_assert(shows("    4     1001  2023-11-14 20:43:20     1h30m                  running"));
	ck_assert(shows("    3      903  2023-11-14 18:53:20     1h50m    88M     1.2s  limit (TERM)  rss"));
	ck_assert(shows("    2      902  2023-11-14 13:54:20     3h19m    88M     1.2s  exit 3"));
	ck_assert(shows("    1      901  2023-11-14 12:13:20     1h40m    88M     1.2s  core (SEGV)"));
	ck_assert(shows("24 h, one column = 30 min:  . up  r restart  X crash  - down"));
	ck_assert(shows(" api/0                            ...X......X--r...r... "));
}
END_TEST

START_TEST(a_death_that_is_chosen_stays_chosen)
{
	show_history();
	action_key(ui, INPUT_RETURN);
	ck_assert(ui->is_zoomed && !ui->is_record_open);
	draw(80, 30);
	ck_assert(shows(">   3      903"));
	ck_assert(shows("Enter Open"));
	action_key(ui, 'j');
	action_key(ui, 'j');
	action_key(ui, 'j');
	draw(80, 30);
	ck_assert(shows(">   1      901"));
	ck_assert_str_eq(ui->selected.service, "api");
	action_key(ui, INPUT_RETURN);
	draw(80, 30);
	ck_assert(shows(" asking ..."));
	action_key(ui, INPUT_ESCAPE);
	ck_assert(ui->is_zoomed);
	draw(80, 30);
	ck_assert(shows(">   1      901"));
	action_key(ui, INPUT_ESCAPE);
	ck_assert(!ui->is_zoomed);
}
END_TEST

static json_t *lines_of(int count)
{
	json_t *lines = json_array();

	for (int i = 1; i <= count; i++)
		json_array_append_new(lines,
			json_pack("{s:s,s:s,s:o}", "ts", "2023-11-14T20:00:00Z", "stream", "stdout", "text",
				json_sprintf("line %d", i)));
	json_array_append_new(lines,
		json_pack("{s:s,s:s,s:s}", "ts", "2023-11-14T20:00:01Z", "stream", "stderr", "text",
			"\033]0;EVIL\007Segmentation \033[31mfault"));
	return lines;
}

static void show_record(json_t *lines, json_t *samples)
{
	show_history();
	ui->is_zoomed = ui->is_record_open = true;
	ui->record = death_to_json("api", 0, &ui->deaths[2]);
	json_object_set_new(ui->record, "lines", lines);
	json_object_set_new(ui->record, "samples", samples);
}

START_TEST(the_record_of_a_death_shows_how_it_went)
{
	show_record(lines_of(49),
		json_pack("[{s:f,s:i},{s:f,s:n},{s:f,s:i}]", "cpu_pct", 0.0, "rss", 1 << 20, "cpu_pct", 50.0,
			"rss", "cpu_pct", 100.0, "rss", 8 << 20));
	draw(80, 30);
	ck_assert(shows(" life 3, pid 903: limit (TERM) at 2023-11-14 20:43:20 after 1h50m, peak 88M"));
	ck_assert(shows(" rss 210M > 200M"));
	ck_assert(shows(" cpu ▁▅█  100.0% at the end, 100.0% at the most"));
	ck_assert(shows(" rss ▂ █  8.0M at the end, 8.0M at the most"));
	ck_assert(shows(" line 49"));
	ck_assert(shows(" Segmentation fault"));
	ck_assert(!shows("EVIL"));
	ck_assert(!shows(" line 1 "));
	action_key(ui, 'g');
	draw(80, 30);
	ck_assert(shows(" line 1 "));
	action_key(ui, 'G');
	draw(80, 30);
	ck_assert(shows(" Segmentation fault"));
}
END_TEST

START_TEST(a_record_that_is_not_kept_says_so)
{
	show_record(json_null(), json_null());
	draw(80, 30);
	ck_assert(shows(" what it wrote last is not kept any more"));
	ck_assert(!shows("at the most"));
}
END_TEST

START_TEST(the_history_fits_every_size)
{
	bool is_record = _i;

	show_record(lines_of(49), json_array());
	ui->is_record_open = is_record;
	for (int width = 1; width <= 160; width++)
		for (int height = 1; height <= 50; height += 3) {
			ui->is_zoomed = width % 2;
			draw(width, height);
		}
}
END_TEST

START_TEST(a_whole_service_is_asked_about_and_the_default_is_no)
{
	ui->selected = (struct target){ .service = "api", .instance = -1 };
	action_key(ui, 'r');
	ck_assert_int_eq(ui->dialog, DIALOG_CONFIRM);
	action_key(ui, INPUT_RETURN);
	ck_assert_int_eq(ui->dialog, DIALOG_NONE);
	ck_assert_uint_eq(ui->pending_count, 0);
}
END_TEST

static const char *completed(const char *line)
{
	snprintf(ui->input, sizeof ui->input, "%s", line);
	command_complete(ui);
	return ui->input;
}

START_TEST(commands_and_what_they_take_are_completed)
{
	static const char *const lines[][2] = { { "lau", "launch " }, { "st", "st" }, { "sta", "start " },
		{ "start w", "start worker" },
		{ "stop api/", "stop api/" }, { "scale wor", "scale worker " }, { "sort mem", "sort memory " },
		{ "theme li", "theme light " },
		{ "kill -U", "kill -USR" }, { "kill -USR1 jo", "kill -USR1 job" }, { "signal H", "signal HUP " },
		{ "nonsense ", "nonsense " },
		{ "filter a", "filter a" } };

	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
		ck_assert_str_eq(completed(lines[i][0]), lines[i][1]);
	completed("stop api/");
	ck_assert_ptr_nonnull(strstr(ui->message, "api/0 api/1"));
}
END_TEST

START_TEST(what_is_typed_behind_a_colon_is_done)
{
	char sort[] = "sort memory", filter[] = "filter ^api", wrong[] = "scale api", none[] = "frob";

	command_run(ui, sort);
	ck_assert_int_eq(ui->settings.table.sort, SORT_MEMORY);
	command_run(ui, filter);
	ck_assert_str_eq(ui->filter_text, "^api");
	command_run(ui, wrong);
	ck_assert(ui->is_bad);
	command_run(ui, none);
	ck_assert_ptr_nonnull(strstr(ui->message, "no such command: 'frob'"));
	filter_finish(ui);
}
END_TEST

START_TEST(the_answers_of_several_are_all_shown)
{
	ui->replies = json_pack("{s:[{s:s,s:i,s:s},{s:s,s:i,s:s}],s:[s]}", "replies", "service", "api", "instance", 0,
		"text", "{\"pong\":1}", "service", "api", "instance", 1, "text", "bad\x1b[2J", "unanswered", "worker/0");
	ui->dialog = DIALOG_REPLIES;
	draw(100, 30);
	ck_assert(shows("api/0  {\"pong\":1}"));
	ck_assert(shows("api/1  bad"));
	ck_assert(shows("worker/0  did not answer in time"));
	action_key(ui, 'j');
	draw(100, 30);
	ck_assert(!shows("api/0  {"));
	action_key(ui, INPUT_ESCAPE);
	ck_assert_int_eq(ui->dialog, DIALOG_NONE);
	ck_assert_ptr_null(ui->replies);
}
END_TEST

START_TEST(escape_never_quits)
{
	for (int i = 0; i < 5; i++)
		action_key(ui, INPUT_ESCAPE);
	ck_assert(!ui->is_leaving);
	ck_assert_int_eq(ui->dialog, DIALOG_NONE);
}
END_TEST

/* There is no engine here that could be told. */
START_TEST(what_cannot_be_sent_is_not_said_to_be_done)
{
	static const char keys[] = "xrsw+-";

	for (const char *key = keys; *key; key++) {
		snprintf(ui->selected.service, sizeof ui->selected.service, "api");
		ui->selected.instance = 0;
		ui_say(ui, false, "nothing yet");
		action_key(ui, (uint32_t)*key);
		ck_assert_msg(ui->dialog == DIALOG_NONE, "%c: dialog %d", *key, ui->dialog);
		if (ui->is_bad)
			ck_assert_str_eq(ui->message, "the engine does not answer now");
		else
			ck_assert_msg(strcmp(ui->message, "nothing yet") == 0, "%c: %s", *key, ui->message);
	}
}
END_TEST

START_TEST(read_only_acts_on_nothing)
{
	struct dashboard_options careful = { .project = "shop", .read_only = true };
	ui->options = &careful;
	for (const char *key = "rsxX+-=Sa"; *key; key++) {
		action_key(ui, (uint32_t)*key);
		ck_assert_int_eq(ui->dialog, DIALOG_NONE);
		ck_assert(ui->is_bad);
	}
}
END_TEST

START_TEST(the_grid_takes_nothing_a_terminal_would_obey)
{
	grid_reset(&grid, 6, 1);
	struct rect all = { 0, 0, 6, 1 };
	grid_put(&grid, all, LOOK_NORMAL, "a\033[2Jb\xc2\x9b");
	char *text = line(0);
	ck_assert_str_eq(text, "a?[2Jb");
	free(text);
	grid_put(&grid, (struct rect){ 5, 0, 1, 1 }, LOOK_NORMAL, "漢");
	ck_assert_uint_eq(grid_at(&grid, 5, 0)->character, ' ');
}
END_TEST

START_TEST(equal_rows_never_change_places)
{
	static struct table_row rows[ROWS_MOST];

	sort_by(ui, SORT_CPU);
	for (int round = 0; round < 3; round++) {
		sort_measure(ui);
		ck_assert_int_eq(rows_build(ui, rows, ROWS_MOST), 5);
		ck_assert_str_eq(rows[0].row->row.service, "api");
		ck_assert_uint_eq(rows[1].row->row.instance, 0);
		ck_assert_uint_eq(rows[2].row->row.instance, 1);
		ck_assert_str_eq(rows[3].row->row.service, "worker");
		ck_assert_str_eq(rows[4].row->row.service, "job");
	}
}
END_TEST

static void measure_cpu(size_t place, double cpu_pct)
{
	ui->replica.rows[place].row.sample = (struct sample){ .pid = 1, .cpu_pct = cpu_pct, .inside = INSIDE_UNKNOWN };
}

START_TEST(rows_keep_their_order_for_three_seconds_after_a_key)
{
	struct table_row rows[16];

	measure_cpu(2, 50);
	measure_cpu(3, 10);
	action_key(ui, 'P');
	sort_measure(ui);
	rows_build(ui, rows, 16);
	ck_assert_str_eq(rows[0].row->row.service, "worker");
	action_key(ui, 'j');
	measure_cpu(3, 90);
	ui->now_us += 2900000;
	sort_measure(ui);
	rows_build(ui, rows, 16);
	ck_assert_str_eq(rows[0].row->row.service, "worker");
	ui->now_us += 200000;
	sort_measure(ui);
	rows_build(ui, rows, 16);
	ck_assert_str_eq(rows[0].row->row.service, "job");
}
END_TEST

START_TEST(a_loop_that_lags_is_marked_and_of_several_the_worst_is_told)
{
	for (size_t place = 0; place <= 1; place++) {
		measure_cpu(place, 1);
		ui->replica.rows[place].row.sample.inside.utilisation = 0.25 * (double)(place + 1);
		ui->replica.rows[place].row.sample.inside.lag_ms = place == 1 ? 2500 : 0;
	}
	draw(150, 24);
	ck_assert(shows("LOOP%    LAG"));
	ck_assert(shows("50.0  2.5s!")); /* of the service, and of its second instance */
	ck_assert(shows("25.0    0ms "));
	ck_assert(!shows("75.0"));
	sort_by(ui, SORT_LAG);
	static struct table_row rows[ROWS_MOST];
	sort_measure(ui);
	ck_assert_int_eq(rows_build(ui, rows, ROWS_MOST), 5);
	ck_assert_str_eq(rows[0].row->row.service, "api");
}
END_TEST

START_TEST(the_busiest_comes_first_but_not_under_the_fingers)
{
	static struct table_row rows[ROWS_MOST];

	measure_cpu(1, 40);
	measure_cpu(3, 90);
	action_key(ui, 'P');
	sort_measure(ui);
	rows_build(ui, rows, ROWS_MOST);
	ck_assert_str_eq(rows[0].row->row.service, "job");
	ck_assert_uint_eq(rows[2].row->row.instance, 1);
	action_key(ui, 'j');
	measure_cpu(3, 0);
	sort_measure(ui);
	rows_build(ui, rows, ROWS_MOST);
	ck_assert_str_eq(rows[0].row->row.service, "job");
	ui->now_us += 4000000;
	sort_measure(ui);
	rows_build(ui, rows, ROWS_MOST);
	ck_assert_str_eq(rows[0].row->row.service, "api");
}
END_TEST

START_TEST(the_filter_keeps_its_last_good_pattern)
{
	static struct table_row rows[ROWS_MOST];

	type("\\^api/1");
	ck_assert_int_eq(rows_build(ui, rows, ROWS_MOST), 2);
	type("(");
	ck_assert_int_eq(rows_build(ui, rows, ROWS_MOST), 2);
	draw(100, 30);
	ck_assert(shows("the last good one holds"));
	action_key(ui, INPUT_CONTROL('u'));
	type("!api");
	ck_assert_int_eq(rows_build(ui, rows, ROWS_MOST), 2);
	ck_assert_str_eq(rows[0].row->row.service, "worker");
	action_key(ui, INPUT_CONTROL('u'));
	type("nobody\r");
	draw(100, 30);
	ck_assert(shows("No instance matches - 4 hidden by the filter."));
	action_key(ui, INPUT_ESCAPE);
	ck_assert_int_eq(rows_build(ui, rows, ROWS_MOST), 5);
}
END_TEST

START_TEST(a_question_names_who_is_meant)
{
	rows_move(ui, -10);
	action_key(ui, 'x');
	draw(100, 30);
	ck_assert(shows("Stop api (all its 2 instances)?"));
	ck_assert(shows("api/0") && shows("pid 1001") && shows("pid 1002"));
	ck_assert(shows("[ y Stop ]") && shows("K Kill now") && !shows("R One after the other"));
	action_key(ui, INPUT_ESCAPE);
	action_key(ui, 'r');
	draw(100, 30);
	ck_assert(shows("R One after the other"));
	action_key(ui, INPUT_RETURN);
	ck_assert_int_eq(ui->dialog, DIALOG_NONE);
	ck_assert_str_eq(ui->message, "");
	action_key(ui, 'r');
	action_key(ui, 'R');
	ck_assert_str_eq(ui->asked_method, "reload");
}
END_TEST

START_TEST(the_lines_above_the_table_can_be_hidden)
{
	draw(100, 30);
	ck_assert(shows("thrum shop"));
	action_key(ui, '#');
	draw(100, 30);
	ck_assert(!shows("thrum shop"));
	ck_assert(shows("NAME"));
	action_key(ui, '#');
	draw(100, 30);
	ck_assert(shows("thrum shop"));
}
END_TEST

static void be_pool(const char *service, bool is_draining)
{
	for (size_t i = 0; i < ui->replica.row_count; i++) {
		struct row *row = &ui->replica.rows[i].row;
		if (strcmp(row->service, service) != 0)
			continue;
		row->is_pool = true;
		row->is_draining = is_draining;
	}
}

START_TEST(a_pool_may_be_drained_instead_of_stopped)
{
	ui->selected = (struct target){ .service = "api", .instance = -1 };
	type("x");
	draw(100, 30);
	ck_assert(shows("[ y Stop ] [ K Kill now ] > [ n Cancel ]"));
	type("dx");
	be_pool("api", false);
	draw(100, 30);
	ck_assert(shows("[ y Stop ] [ K Kill now ] [ d Drain ] > [ n Cancel ]"));
	type("r");
	ck_assert_int_eq(ui->dialog, DIALOG_NONE);
	type("xd");
	ck_assert_str_eq(ui->asked_method, "drain");
	ck_assert_str_eq(ui->message, "the engine does not answer now"); /* which was asked: there is none here */
	be_pool("api", true);
	draw(100, 30);
	ck_assert(shows("2/2 draining"));
	ck_assert(shows("draining "));
}
END_TEST

START_TEST(a_size_is_refused_where_it_is_typed)
{
	ui->selected = (struct target){ .service = "api", .instance = 0 };
	type("=");
	draw(100, 30);
	ck_assert(shows("api, 1 to 1000 instances, now 2: _"));
	type("5");
	draw(100, 30);
	ck_assert(shows("now 2: 5_  +3"));
	type("000\r");
	ck_assert_int_eq(ui->prompt, PROMPT_SCALE);
	draw(100, 30);
	ck_assert(shows("5000_  from 1 to 1000 instances; x stops all of it"));
	for (int i = 0; i < 4; i++)
		action_key(ui, INPUT_ERASE);
	type("0\r");
	ck_assert_int_eq(ui->prompt, PROMPT_SCALE);
	action_key(ui, INPUT_ERASE);
	type("two\r");
	ck_assert_int_eq(ui->prompt, PROMPT_SCALE);
	action_key(ui, INPUT_ESCAPE);
	ck_assert_int_eq(ui->prompt, PROMPT_NONE);
	type("=\r");
	ck_assert_int_eq(ui->prompt, PROMPT_NONE);
	ck_assert_str_eq(ui->message, "");
}
END_TEST

START_TEST(fewer_than_one_is_refused_at_once)
{
	ui->selected = (struct target){ .service = "worker", .instance = 0 };
	be_pool("worker", false);
	type("-");
	ck_assert_str_eq(ui->message, "worker has 1 worker: from 1 to 1000 workers; x stops all of it");
	ck_assert(ui->is_bad);
	type("+");
	ck_assert_str_eq(ui->message, "the engine does not answer now");
}
END_TEST

START_TEST(the_only_worker_of_a_pool_is_asked_about)
{
	add("hash", 0, STATE_RUNNING);
	ui->selected = (struct target){ .service = "hash", .instance = 0 };
	type("x");
	ck_assert_int_eq(ui->dialog, DIALOG_NONE);
	be_pool("hash", false);
	type("x");
	ck_assert_int_eq(ui->dialog, DIALOG_CONFIRM);
	draw(100, 30);
	ck_assert(shows("Stop hash/0?"));
	ck_assert(shows("[ d Drain ]"));
}
END_TEST

/* What cannot be seen cannot be chosen. */
START_TEST(all_choices_of_a_question_are_seen_on_a_small_screen)
{
	be_pool("api", false);
	ui->selected = (struct target){ .service = "api", .instance = -1 };
	for (const char *key = "xrXR"; *key; key++) {
		action_key(ui, (uint32_t)*key);
		for (int width = 30; width <= 80; width += 10) {
			draw(width, 12);
			ck_assert_msg(shows("[ n Cancel ]"), "%c %d", *key, width);
			ck_assert(shows("api/1"));
			ck_assert(*key != 'x' || shows("[ d Drain ]"));
			ck_assert(*key != 'r' || shows("[ R One after the other ]"));
		}
		draw(30, 6);
		ck_assert_msg(shows("api (all"), "%c", *key);
		draw(20, 5);
		ck_assert_msg(shows("... and 2 more") || !shows("more"), "%c", *key); /* whole, or not there */
		type("n");
	}
}
END_TEST

START_TEST(what_is_tagged_is_asked_about_together)
{
	type("c");
	ck_assert_uint_eq(ui->tag_count, 2);
	draw(100, 30);
	ck_assert(shows("tagged 2"));
	type("x");
	ck_assert_int_eq(ui->dialog, DIALOG_CONFIRM);
	draw(100, 30);
	ck_assert(shows("Stop 2 tagged?"));
	action_key(ui, INPUT_RETURN);
	ck_assert_int_eq(ui->dialog, DIALOG_NONE);
	ui->replica.row_count = 1;
	tags_tidy(ui);
	ck_assert_uint_eq(ui->tag_count, 1);
	type("U");
	ck_assert_uint_eq(ui->tag_count, 0);
}
END_TEST

START_TEST(a_paused_screen_stays_as_it_is)
{
	type("Z");
	ui->live.rows[0].row.state = STATE_FAILED;
	draw(140, 30);
	ck_assert(shows("PAUSED"));
	ck_assert_int_eq(ui->replica.rows[0].row.state, STATE_RUNNING);
	type("Z");
	ck_assert_int_eq(ui->replica.rows[0].row.state, STATE_FAILED);
}
END_TEST

Suite *view_suite(void)
{
	Suite *suite = suite_create("view");
	TCase *screens = tcase_create("screens"), *keys = tcase_create("keys");

	tcase_add_checked_fixture(screens, begin, end);
	tcase_add_checked_fixture(keys, begin, end);
	tcase_set_timeout(screens, 60);
	tcase_add_test(screens, the_table_says_how_everything_is);
	tcase_add_test(screens, a_long_line_stays_within_its_tab);
	tcase_add_test(screens, what_is_found_is_seen_without_colours);
	tcase_add_test(screens, a_full_graph_stands_still);
	tcase_add_test(screens, narrow_screens_keep_what_matters);
	tcase_add_test(screens, what_is_not_as_usual_is_told_on_every_screen);
	tcase_add_test(screens, what_has_no_room_goes_on_below);
	tcase_add_test(screens, what_processes_tell_has_the_room_that_is_left);
	tcase_add_test(screens, a_service_has_the_channels_of_all_its_processes);
	tcase_add_test(screens, without_unicode_all_is_ascii);
	tcase_add_test(screens, an_empty_project_says_what_to_do);
	tcase_add_test(screens, the_grid_takes_nothing_a_terminal_would_obey);
	tcase_add_test(screens, the_history_says_what_ended_it_and_when);
	tcase_add_test(screens, a_death_that_is_chosen_stays_chosen);
	tcase_add_test(screens, the_record_of_a_death_shows_how_it_went);
	tcase_add_test(screens, a_record_that_is_not_kept_says_so);
	tcase_add_loop_test(screens, the_history_fits_every_size, 0, 2);
	tcase_add_test(keys, threads_are_shown_busiest_first);
	tcase_add_test(keys, a_pool_says_what_waits_in_it);
	tcase_add_test(keys, steps_back_count_before_they_are_answered);
	tcase_add_test(keys, a_reply_that_nobody_waits_for_is_not_taken);
	tcase_add_test(keys, what_was_asked_of_now_is_not_taken_for_then);
	tcase_add_test(keys, in_the_past_nothing_is_new);
	tcase_add_test(keys, messages_are_kept_within_bounds);
	tcase_add_test(keys, who_reads_a_message_goes_on_reading_it);
	tcase_add_test(keys, the_selection_follows_who_it_is);
	tcase_add_test(keys, folding_hides_instances);
	tcase_add_test(keys, search_goes_round);
	tcase_add_test(keys, keys_are_there_once_and_explained);
	tcase_add_test(keys, clicks_do_what_is_written_there);
	tcase_add_test(keys, without_a_mouse_no_place_is_kept);
	tcase_add_test(keys, keys_mean_what_was_chosen);
	tcase_add_test(keys, a_mark_stays_on_its_letter);
	tcase_add_test(keys, a_whole_service_is_asked_about_and_the_default_is_no);
	tcase_add_test(keys, equal_rows_never_change_places);
	tcase_add_test(keys, rows_keep_their_order_for_three_seconds_after_a_key);
	tcase_add_test(keys, a_loop_that_lags_is_marked_and_of_several_the_worst_is_told);
	tcase_add_test(keys, the_busiest_comes_first_but_not_under_the_fingers);
	tcase_add_test(keys, the_filter_keeps_its_last_good_pattern);
	tcase_add_test(keys, a_question_names_who_is_meant);
	tcase_add_test(keys, the_lines_above_the_table_can_be_hidden);
	tcase_add_test(keys, what_is_tagged_is_asked_about_together);
	tcase_add_test(keys, a_pool_may_be_drained_instead_of_stopped);
	tcase_add_test(keys, the_only_worker_of_a_pool_is_asked_about);
	tcase_add_test(keys, a_size_is_refused_where_it_is_typed);
	tcase_add_test(keys, fewer_than_one_is_refused_at_once);
	tcase_add_test(keys, all_choices_of_a_question_are_seen_on_a_small_screen);
	tcase_add_test(keys, a_paused_screen_stays_as_it_is);
	tcase_add_test(keys, commands_and_what_they_take_are_completed);
	tcase_add_test(keys, what_is_typed_behind_a_colon_is_done);
	tcase_add_test(keys, the_answers_of_several_are_all_shown);
	tcase_add_test(keys, escape_never_quits);
	tcase_add_test(keys, what_cannot_be_sent_is_not_said_to_be_done);
	tcase_add_test(keys, read_only_acts_on_nothing);
	suite_add_tcase(suite, screens);
	suite_add_tcase(suite, keys);
	return suite;
}
