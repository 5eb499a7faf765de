/*
 * Whole screens against files: the text of each row, and a letter for the look of each cell where it is not the normal one.
 * THRUM_GOLDEN=write writes the files anew; what has changed in them is then for a person to read.
 */
#include <check.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "tui/day.h"
#include "tui/keymap.h"
#include "tui/top_ui.h"
#include "tui/ui.h"

enum { FILE_MOST = 4 * 1024 * 1024,
	PATH_SIZE = 512 };
static const uint64_t second_us = 1000000;
static const uint64_t now_us = 1772632931ull * 1000000; /* 2026-03-04 14:02:11 UTC */

static struct ui *ui;
static struct grid grid;
static struct dashboard_options options = { .project = "shop" };

/* ---- a project, all of whose figures are made up ---- */

static struct replica_row *add(const char *service, unsigned instance, enum state state, double cpu, uint64_t rss)
{
	struct replica *replica = &ui->replica;

	replica->rows = memory_resize(replica->rows, replica->row_count + 1, sizeof *replica->rows);
	struct replica_row *row = &replica->rows[replica->row_count++];
	*row = (struct replica_row){ .row = { .instance = instance, .state = state, .life = 3, .wanted = true } };
	snprintf(row->row.service, sizeof row->row.service, "%s", service);
	row->row.started_us = now_us - 273840 * second_us;
	row->row.since_us = row->row.started_us;
	if (!state_has_process(state))
		return row;
	row->row.pid = 14230 + (int)replica->row_count;
	row->row.sample = (struct sample){ .pid = row->row.pid, .cpu_pct = cpu, .rss = rss << 20, .threads = 9, .fds = 143 };
	row->row.sample.tree_cpu_pct = cpu;
	row->row.sample.tree_rss = rss << 20;
	row->row.sample.tree_processes = 1;
	row->row.sample.inside = (struct inside){ 38 * instance, 7, 8, 0.61, 0, 12, false };
	row->row.ipc = (struct traffic){ .is_known = true, .in_rate = 702 / (instance + 1), .out_rate = 699 / (instance + 1) };
	for (row->cpu_count = 0; row->cpu_count < 40; row->cpu_count++)
		row->cpu[row->cpu_count] = (float)(cpu * (1 + row->cpu_count % 7) / 4);
	return row;
}

static void happen(enum notice_kind kind, const char *service, unsigned instance, int seconds_ago)
{
	struct replica *replica = &ui->replica;
	struct notice *notice = &replica->notices[replica->notice_count++ % REPLICA_NOTICES];

	bool is_bad = kind == NOTICE_BACKOFF || kind == NOTICE_FAILED;
	*notice = (struct notice){ .seq = replica->notice_count, .kind = (uint8_t)kind, .instance = instance, .code = -1 };
	notice->ts_us = now_us - (uint64_t)seconds_ago * second_us;
	notice->cause = is_bad ? CAUSE_SIGNAL : CAUSE_NONE;
	notice->signal = 11;
	notice->delay_ms = 4000;
	snprintf(notice->service, sizeof notice->service, "%s", service);
}

static void die(uint32_t life, int minutes_from, int minutes_to, enum cause cause, int signal)
{
	ui->deaths = memory_resize(ui->deaths, ui->death_count + 1, sizeof *ui->deaths);
	struct death *death = &ui->deaths[ui->death_count++];
	*death = (struct death){ .life = life, .pid = 900 + (int)life, .cause = (uint8_t)cause, .signal = (int16_t)signal };
	death->code = signal ? -1 : 3;
	death->started_us = now_us - (uint64_t)minutes_from * 60 * second_us;
	death->ended_us = now_us - (uint64_t)minutes_to * 60 * second_us;
	death->uptime_ms = (uint64_t)(minutes_from - minutes_to) * 60000;
	death->cpu_ms = 1200;
	death->peak_rss = 88 << 20;
}

static json_t *parse(const char *text)
{
	json_error_t error;
	json_t *json = json_loads(text, 0, &error);

	ck_assert_msg(json, "%s", error.text);
	return json;
}

static const char study_text[] =
	"{\"pid\":14231,\"process\":\"api\",\"threads\":["
	"{\"tid\":14231,\"name\":\"api\",\"role\":\"main\",\"state\":\"S\",\"cpu_pct\":0.4,\"last_cpu\":0,\"wchan\":\"ep_poll\"},"
	"{\"tid\":14234,\"name\":\"api-w0\",\"role\":\"pool worker\",\"state\":\"R\",\"cpu_pct\":14.0,\"last_cpu\":5},"
	"{\"tid\":14236,\"name\":\"bad\\u001b[2J\",\"role\":\"pool worker\",\"state\":\"D\",\"cpu_pct\":40.0,\"last_cpu\":1,"
	"\"wchan\":\"io_schedule\"}],"
	"\"pools\":[{\"kind\":\"libuv\",\"threads\":4,\"busy\":4,\"queued\":28,\"by_kind\":{\"fs\":20,\"dns\":8},\"exact\":true}],"
	"\"peers\":[{\"transport\":\"unix\",\"fd\":3,\"direction\":\"both\",\"pid\":77,\"process\":\"cache\",\"remote\":\"/run/c\"}],"
	"\"findings\":[\"it waits for a disk\"]}";

static const char pool_text[] =
	"{\"kind\":\"process\",\"size\":4,\"target\":4,\"concurrency\":1,\"busy\":3,\"queued\":38,"
	"\"submitted\":91022,\"started\":90984,\"completed\":90980,"
	"\"failed\":1,\"retried\":2,\"wait_ms\":{\"p50\":3,\"p95\":40,\"p99\":212},\"run_ms\":{\"p50\":12,\"p95\":44,\"p99\":410},"
	"\"workers\":[{\"instance\":0,\"state\":\"busy\",\"running\":1,\"completed\":91022,\"failed\":0,\"task\":8812,\"since_ms\":39},"
	"{\"instance\":1,\"state\":\"idle\",\"running\":0,\"completed\":90873,\"failed\":1},"
	"{\"instance\":2,\"state\":\"busy\",\"running\":1,\"completed\":61201,\"failed\":0,\"task\":8790,\"since_ms\":41000}]}";

static void say(const char *text)
{
	json_t *params = json_pack("{s:s,s:i,s:s,s:i,s:s,s:i}", "service", "api", "instance", 0, "dir", "in", "bytes",
		(int)strlen(text), "text", text, "dropped", 0);

	traffic_take(ui, params);
	json_decref(params);
}

static void write_log(const char *text)
{
	struct log_source *source = memory_zeroed(1, sizeof *source);
	struct chunk chunk = { .time_us = now_us, .pid = 14231, .bytes = text, .size = strlen(text) };

	snprintf(source->service, sizeof source->service, "api");
	source->end = chunk.size;
	log_source_take(source, &chunk);
	logs_begin(&ui->logs, source, 1);
	while (logs_step(&ui->logs) == LOG_FOUND)
		continue;
}

static void be_in(const char *service, const char *namespaces)
{
	for (size_t i = 0; i < ui->replica.row_count; i++)
		if (strcmp(ui->replica.rows[i].row.service, service) == 0)
			snprintf(ui->replica.rows[i].row.namespaces, ROW_NAMESPACES_SIZE, "%s", namespaces);
}

static void add_processes(void)
{
	for (unsigned i = 0; i < 3; i++)
		add("api", i, STATE_RUNNING, 61.0 - 10 * i, 204);
	for (unsigned i = 0; i < 4; i++)
		add("worker", i, i == 1 ? STATE_STOPPING : i == 2 ? STATE_BACKOFF
								  : STATE_READY,
			14.2 * i, 160);
	ui->replica.rows[4].row.deadline_us = now_us + 3900000;
	ui->replica.rows[4].row.since_us = now_us - 6100000;
	ui->replica.rows[5].row.deadline_us = now_us + 4000000;
	ui->replica.rows[5].row.restarts.crash = 9;
	add("cache", 0, STATE_UNHEALTHY, 3.0, 210);
	add("cron", 0, STATE_COMPLETED, 0, 0)->row.has_last_death = true;
	struct replica_row *importer = add("importer", 0, STATE_FAILED, 0, 0);
	importer->row.has_last_death = true;
	importer->row.last_death = (struct death){ .code = 3, .cause = CAUSE_EXIT };
}

static void begin(void)
{
	setenv("TZ", "UTC", 1);
	tzset();
	ui = memory_zeroed(1, sizeof *ui);
	ui->options = &options;
	ui->is_unicode = true;
	ui->now_us = now_us;
	replica_init(&ui->replica);
	snprintf(ui->replica.project, sizeof ui->replica.project, "shop");
	ui->replica.project_started_us = now_us - 273840 * second_us;
	ui->replica.machine = (struct machine_sample){ .cpus = 8, .cpu_pct = 243 };
	grid_init(&grid);
	add_processes();
	happen(NOTICE_STARTED, "api", 0, 600);
	happen(NOTICE_FAILED, "importer", 0, 60);
	happen(NOTICE_BACKOFF, "worker", 2, 2);
	die(1, 600, 500, CAUSE_EXIT, 0);
	die(2, 490, 300, CAUSE_SIGNAL, 11);
	ui->insight.is_waiting[0] = true;
	json_t *study = parse(study_text);
	insight_take(ui, 0, study, "");
	json_decref(study);
	snprintf(ui->traffic.watched, sizeof ui->traffic.watched, "api/0");
	say("{\"op\":\"resize\",\"w\":640}");
	say("{\"ms\":39,\"ok\":true}");
	write_log("INFO request done id=8812 42ms\n\033[31mERROR\033[0m queue depth 96/100 \033]0;evil\007\n"
		  "\xe4\xb8\xad\xe6\x96\x87 caf\xc3\xa9 cafe\xcc\x81 \xe2\x80\xaegnp.exe\nINFO request done id=8811 39ms\n");
	ui->selected = (struct target){ .service = "api", .instance = 0, .life = 3 };
	ui->shown = ui->selected;
}

static void end(void)
{
	details_finish(ui);
	traffic_forget(ui);
	logs_finish(&ui->logs);
	replica_finish(&ui->replica);
	filter_finish(ui);
	crews_forget(ui);
	events_forget(ui);
	undo_forget(ui);
	send_forget(ui);
	json_decref(ui->insight.peers);
	json_decref(ui->insight.pool);
	json_decref(ui->remains);
	grid_finish(&grid);
	free(ui);
}

/* ---- screens and their files ---- */

static void tab(enum detail_tab tab, bool is_zoomed)
{
	ui->tab = tab;
	ui->is_zoomed = is_zoomed;
}

static void keys(const char *text)
{
	for (; *text; text++)
		action_key(ui, (uint32_t)*text);
}

static void threads(void)
{
	tab(TAB_THREADS, false);
}

static void pool_of_processes(void)
{
	tab(TAB_POOL, false);
	ui->insight.pool = parse(pool_text);
	for (int i = 0; i < 30; i++) {
		gauge_add(&ui->insight.depth, i % 9);
		gauge_add(&ui->insight.busy, i % 4);
	}
}

static void pool_of_threads(void)
{
	tab(TAB_POOL, true);
}

static void ipc(void)
{
	tab(TAB_IPC, true);
}

/* The other instances of its service have ended, too. */
static void end_others(void)
{
	json_t *deaths = json_array();

	for (int hours = 20; hours > 0; hours -= 4) {
		struct death death = { .life = 1, .signal = 11, .code = -1 };
		death.cause = hours > 10 ? CAUSE_SIGNAL : CAUSE_MANUAL;
		death.started_us = now_us - (uint64_t)(hours + 2) * 3600 * second_us;
		death.ended_us = now_us - (uint64_t)hours * 3600 * second_us;
		json_array_append_new(deaths, death_to_json("api", 1, &death));
	}
	day_take(&ui->insight, deaths);
	json_decref(deaths);
}

static void history(void)
{
	tab(TAB_HISTORY, true);
	end_others();
}

static void history_below(void)
{
	tab(TAB_HISTORY, false);
	end_others();
}

static void logs(void)
{
	tab(TAB_LOGS, true);
}

static void info(void)
{
	tab(TAB_INFO, true);
}

static void launch(void)
{
	keys("a");
	keys("sh server.sh --port 8080");
}

static void help(void)
{
	keys("?");
}

static void stopping(void)
{
	ui->dialog = DIALOG_STOP;
	ui->asked = (struct target){ .service = "worker", .instance = 1, .life = 3 };
	ui->remains = parse("{\"processes\":[{\"pid\":14235,\"name\":\"worker\",\"state\":\"D\",\"wchan\":\"io_schedule\","
			    "\"threads\":8,\"stuck\":1},{\"pid\":14301,\"name\":\"sleep\",\"state\":\"S\",\"wchan\":null,"
			    "\"threads\":1,\"stuck\":0}],\"left_out\":0}");
}

static void events(void)
{
	keys("E");
}

static void events_filtered(void)
{
	ui->seen_notices = 2;
	keys("E\\worker|importer\rj");
}

static void events_mistyped(void)
{
	keys("E/start(");
}

static void thread_rows(void)
{
	json_t *study = parse(study_text);

	keys("H");
	ui->crews.count = 1;
	ui->crews.all[0] = (struct crew){ .service = "api", .pid = 14231, .number = 1 };
	crews_take(ui, 1, study);
	json_decref(study);
	keys("jj");
}

static void namespaces(void)
{
	be_in("api", "web");
	be_in("cache", "web,data");
	be_in("worker", "jobs");
}

static void namespace_menu(void)
{
	namespaces();
	keys("@");
}

static void one_namespace(void)
{
	namespaces();
	keys("@\r:ns web\r");
}

static void braille(void)
{
	keys(":graph braille\r");
}

static void chosen_columns(void)
{
	keys(":columns state,cpu,fds,trend\r:sort cpu\r:delay 500ms\r");
}

static void sending(void)
{
	json_t *result = parse("{\"replies\":[{\"service\":\"api\",\"instance\":0,\"text\":\"{\\\"pong\\\":1}\"}],"
			       "\"unanswered\":[\"api/1\"]}");

	keys("m");
	ui->sending.asked_us = UINT64_MAX;
	send_take(ui, result, "");
	json_t *reply;
	size_t i;
	json_array_foreach(ui->sending.replies, i, reply) json_object_set_new(reply, "at_us", json_integer((json_int_t)now_us));
	json_decref(result);
	keys("{\"n\":1");
}

static void service_peers(void)
{
	tab(TAB_IPC, false);
	keys("kk");
	json_t *map = parse("{\"instances\":[\"api/0\",\"api/1\"],\"edges\":["
			    "{\"transport\":\"unix\",\"fd\":3,\"direction\":\"both\",\"pid\":14238,\"from\":\"api/0\",\"to\":\"cache/0\","
			    "\"inside\":true,\"local\":\"/run/c\"},"
			    "{\"transport\":\"tcp\",\"fd\":5,\"direction\":\"listen\",\"from\":\"api/1\",\"listens\":true,"
			    "\"local\":\"127.0.0.1:80\"}]}");
	ui->insight.is_waiting[6] = true;
	insight_take(ui, 6, map, "");
	json_decref(map);
}

static void undoing(void)
{
	json_t *params = json_pack("{s:[s]}", "names", "cache");

	keys(" j");
	undo_note(ui, "stop", params);
	json_decref(params);
}

static void asking_to_stop(void)
{
	keys("kx");
}

/* Without an engine there is nothing to ask. */
static void quitting(void)
{
	ui->dialog = DIALOG_QUIT;
}

static void reloading(void)
{
	keys("R");
}

static void scaling(void)
{
	keys("=12");
}

static void sorting(void)
{
	keys("<");
}

static void tagged(void)
{
	keys(" j k");
}

static void empty(void)
{
	ui->replica.row_count = 0;
}

static void filtered(void)
{
	keys("\\nobody\r");
}

static void lost(void)
{
	ui->lost_us = now_us - 5 * second_us;
}

static void ascii(void)
{
	ui->is_unicode = false;
}

static void folded(void)
{
	keys("*");
}

static const struct {
	const char *name;
	int width, height;
	void (*prepare)(void);
} screens[] = {
	{ "01-dashboard", 100, 30, NULL },
	{ "01-dashboard-wide", 140, 45, NULL },
	{ "01-dashboard-braille", 140, 45, braille },
	{ "01-dashboard-columns", 100, 30, chosen_columns },
	{ "01-dashboard-namespace", 120, 30, one_namespace },
	{ "02-threads", 100, 30, threads },
	{ "02-threads-80x24", 80, 24, threads },
	{ "02-thread-rows", 100, 30, thread_rows },
	{ "03-pool-of-processes", 100, 30, pool_of_processes },
	{ "03-pool-of-threads", 100, 30, pool_of_threads },
	{ "04-ipc", 100, 30, ipc },
	{ "04-ipc-service", 100, 30, service_peers },
	{ "05-history", 100, 30, history },
	{ "05-history-80x24", 80, 24, history_below },
	{ "06-logs", 100, 30, logs },
	{ "07-info", 100, 30, info },
	{ "08-launch", 100, 30, launch },
	{ "08-launch-40x12", 40, 12, launch },
	{ "09-help", 100, 30, help },
	{ "09-help-80x24", 80, 24, help },
	{ "10-stop", 100, 30, stopping },
	{ "10-stop-40x12", 40, 12, stopping },
	{ "10-stop-asked", 100, 30, asking_to_stop },
	{ "10-stop-asked-40x12", 40, 12, asking_to_stop },
	{ "11-quit", 100, 30, quitting },
	{ "11-quit-40x12", 40, 12, quitting },
	{ "11-reload", 100, 30, reloading },
	{ "11-scale", 100, 30, scaling },
	{ "11-sort", 100, 30, sorting },
	{ "11-events", 100, 30, events },
	{ "11-events-filtered", 100, 30, events_filtered },
	{ "11-events-mistyped", 100, 30, events_mistyped },
	{ "11-namespace-menu", 100, 30, namespace_menu },
	{ "11-send", 100, 30, sending },
	{ "11-tagged", 100, 30, tagged },
	{ "11-undo", 120, 30, undoing },
	{ "12-empty", 100, 30, empty },
	{ "12-filtered", 100, 30, filtered },
	{ "12-lost", 100, 30, lost },
	{ "13-80x24", 80, 24, NULL },
	{ "14-40x12", 40, 12, NULL },
	{ "14-40x12-threads", 40, 12, threads },
	{ "15-20x5", 20, 5, NULL },
	{ "15-10x3", 10, 3, NULL },
	{ "15-1x1", 1, 1, NULL },
	{ "16-ascii", 100, 30, ascii },
	{ "17-folded", 100, 30, folded },
};

/* One more than the look, in capitals where it is selected; * where somebody else's colours are over it. */
static char letter_of(const struct cell *cell)
{
	static const char letters[LOOK_COUNT + 1] = ".thdgwbki";
	unsigned look = cell->look & ~(unsigned)LOOK_SELECTED;

	if (cell->paint.fore || cell->paint.back || cell->paint.attributes)
		return '*';
	if (cell->look & LOOK_SELECTED)
		return look ? (char)toupper(letters[look]) : 'S';
	return look ? letters[look] : ' ';
}

static void append_row(struct text *out, int y)
{
	char encoded[4];
	size_t start, used;

	text_putc(out, '|');
	for (int x = 0; x < grid.width; x++) {
		const struct cell *cell = grid_at(&grid, x, y);
		if (cell->character)
			text_append(out, encoded, utf8_encode(encoded, cell->character));
		for (int i = 0; i < MARKS_MOST && cell->marks[i]; i++)
			text_append(out, encoded, utf8_encode(encoded, cell->marks[i]));
	}
	text_puts(out, "|\n ");
	start = used = out->size;
	for (int x = 0; x < grid.width; x++) {
		char letter = letter_of(grid_at(&grid, x, y));
		text_putc(out, letter);
		used = letter == ' ' ? used : out->size;
	}
	out->size = used > start ? used : start - 1;
	if (used > start)
		text_putc(out, '\n');
	out->data[out->size] = '\0';
}

static void draw_grid(struct text *out)
{
	text_format(out, "%dx%d\n", grid.width, grid.height);
	for (int y = 0; y < grid.height; y++)
		append_row(out, y);
}

/* The first line that is another one. */
static void compare(const char *name, const char *want, const char *got)
{
	int number = 1;

	for (; *want && *got; number++) {
		size_t wanted = strcspn(want, "\n"), found = strcspn(got, "\n");
		if (wanted != found || memcmp(want, got, wanted) != 0)
			ck_abort_msg("%s:%d: is\n%.*s\nnot\n%.*s", name, number, (int)found, got, (int)wanted, want);
		want += wanted + (want[wanted] == '\n');
		got += found + (got[found] == '\n');
	}
	ck_assert_msg(*want == *got, "%s:%d: it ends elsewhere", name, number);
}

static void check_screen(const char *name)
{
	const char *source = getenv("SRCDIR"), *wish = getenv("THRUM_GOLDEN");
	char path[PATH_SIZE];
	struct text got, want;
	struct error err;

	text_init(&got, FILE_MOST);
	text_init(&want, FILE_MOST);
	draw_grid(&got);
	snprintf(path, sizeof path, "%s/tests/screen/%s.screen", source ? source : "..", name);
	if (wish && strcmp(wish, "write") == 0) {
		remove(path);
		ck_assert_msg(text_write_file(&got, path, &err), "%s", err.text);
	}
	ck_assert_msg(text_read_file(&want, path, &err), "%s; THRUM_GOLDEN=write writes it", err.text);
	compare(path, text_string(&want), text_string(&got));
	text_finish(&want);
	text_finish(&got);
}

static void draw(int width, int height)
{
	ui->now_us = now_us;
	table_measure(ui);
	logs_prepare(ui, width, height);
	grid_reset(&grid, width, height);
	view_draw(ui, &grid);
}

START_TEST(a_screen_is_as_it_was)
{
	if (screens[_i].prepare)
		screens[_i].prepare();
	draw(screens[_i].width, screens[_i].height);
	check_screen(screens[_i].name);
}
END_TEST

static bool has_selection(void)
{
	for (int i = 0; i < grid.width * grid.height; i++)
		if (grid.cells[i].look & LOOK_SELECTED)
			return true;
	return false;
}

/* A wide character and the place behind it, that is its, are never apart. */
static bool is_whole(void)
{
	for (int i = 0; i < grid.width * grid.height; i++) {
		bool is_wide = grid.cells[i].character && utf8_width(grid.cells[i].character) == 2;
		bool has_half = (i + 1) % grid.width && !grid.cells[i + 1].character;
		if (is_wide != has_half)
			return false;
	}
	return true;
}

enum { VIEWS = 2 * TAB_COUNT, /* each in its pane and zoomed */
	VIEWS_AND_DIALOGS = VIEWS + DIALOG_COUNT };

/* Each view and each dialog in every size; where there is a table, what is selected is seen in it. */
START_TEST(every_view_fits_every_size)
{
	ui->dialog = _i < VIEWS ? DIALOG_NONE : (enum dialog)(_i - VIEWS);
	ui->tab = (enum detail_tab)(_i % TAB_COUNT);
	ui->is_zoomed = _i < VIEWS && _i >= TAB_COUNT;
	ui->asked_method = "restart";
	for (int width = 1; width <= 200; width++)
		for (int height = 1; height <= 60; height++) {
			ui->is_unicode = (width + height) % 2;
			draw(width, height);
			bool has_table = ui->dialog == DIALOG_NONE && layout_of(width, height, ui->is_zoomed, true).table.height > 0;
			if (has_table && !has_selection())
				ck_abort_msg("%dx%d: what is selected is not seen", width, height);
			if (!is_whole())
				ck_abort_msg("%dx%d: half a character", width, height);
		}
}
END_TEST

/* ---- thrum top ---- */

static struct machine_process processes[] = {
	{ .id = { .pid = 1 },
		.state = 'S',
		.cpu_rank = -1,
		.cpu_ns = 16000000000,
		.rss = 12 << 20,
		.threads = 1,
		.user = "root",
		.name = "init",
		.path = 6,
		.command = (char *)"/sbin/init" },
	{ .id = { .pid = 42 },
		.parent = 1,
		.state = 'R',
		.cpu_rank = -1,
		.cpu_pct = 99.5,
		.cpu_ns = 3723000000000,
		.rss = 204 << 20,
		.threads = 9,
		.user = "www",
		.name = "node",
		.command = (char *)"node server.js --port 8080" },
	{ .id = { .pid = 43 },
		.parent = 42,
		.state = 'D',
		.cpu_rank = -1,
		.cpu_pct = 1.5,
		.cpu_ns = 70000000,
		.rss = SAMPLE_UNKNOWN,
		.threads = 1,
		.user = "averylongname",
		.name = "sh",
		.command = (char *)"sh -c ^[]0;evil" },
};
static struct top_options top_options;
static struct top *top;

static void begin_top(void)
{
	grid_init(&grid);
	top = memory_zeroed(1, sizeof *top);
	top->options = &top_options;
	top->is_unicode = true;
	top->machine = (struct machine){ .processes = processes,
		.count = 3,
		.cores = 4,
		.core_pct = { 99.5, 3, 61, -1 },
		.memory_total = 8ull << 30,
		.memory_available = 3ull << 30,
		.swap_total = 1 << 30,
		.swap_free = 1 << 30,
		.load = { 1.5, 0.7, 0.2 },
		.uptime_s = 273840 };
	top_rows_build(top);
}

static void end_top(void)
{
	free(top->rows);
	free(top);
	grid_finish(&grid);
}

static void draw_top(int width, int height)
{
	grid_reset(&grid, width, height);
	top_draw(top, &grid);
}

START_TEST(top_is_as_it_was)
{
	draw_top(100, 20);
	check_screen("20-top");
	top_key(top, 't');
	draw_top(60, 12);
	check_screen("20-top-tree");
	top_key(top, '?');
	draw_top(150, 36);
	check_screen("20-top-help");
	draw_top(80, 24);
	check_screen("20-top-help-first");
	top_key(top, INPUT_PAGE_DOWN);
	draw_top(80, 24);
	check_screen("20-top-help-second");
	top_key(top, 'x');
	top_key(top, 'k');
	draw_top(100, 24);
	check_screen("20-top-signals");
}
END_TEST

/* What is asked of the machine, without one. */
static bool renice(void *context, const struct machine_id *id, int by, int *now, struct error *err)
{
	(void)context;
	*now = by;
	return by > 0 || error_set(err, EACCES, "pid %d: only root may make it less nice than it is", (int)id->pid);
}

static bool get_processors(void *context, const struct machine_id *id, struct top_processors *processors, struct error *err)
{
	(void)context;
	(void)id;
	(void)err;
	*processors = (struct top_processors){ .count = 4, .may_use = { true, true, false, true } };
	return true;
}

static bool get_io(void *context, const struct machine_id *id, int *priority, struct error *err)
{
	(void)context;
	(void)id;
	(void)err;
	*priority = 2 << 13 | 4;
	return true;
}

static const struct top_source source = { .renice = renice, .get_processors = get_processors, .get_io = get_io };

/* Which keys lead to it. */
static const struct {
	const char *name;
	const char *keys;
	int width, height;
} top_screens[] = {
	{ "21-setup", "S", 100, 40 },
	{ "21-columns", "SGGy n\x1b", 120, 16 },
	{ "21-io", "i", 100, 26 },
	{ "21-processors", "a3", 100, 16 },
	{ "21-nice-refused", "]", 100, 16 },
	{ "21-nice", "[", 100, 16 },
	{ "21-tagged", "tc", 100, 16 },
	{ "21-names", "pm#", 100, 16 },
	{ "21-pid", "4", 100, 16 },
	{ "21-arguments", "w", 100, 24 },
};

START_TEST(a_top_screen_is_as_it_was)
{
	struct top_quest *quest;

	top_options.source = &source;
	for (const char *key = top_screens[_i].keys; *key; key++)
		top_key(top, *key == 'j' ? INPUT_ARROW_DOWN : (uint32_t)(unsigned char)*key);
	if (top->tab != TOP_TAB_NONE) {
		struct machine_id meant = top_meant(top);
		top->known = quest = top_quest_create(top->rows, top->row_count, &meant, top->tab);
		quest->is_told = true;
		text_init(&quest->told, 4096);
		text_puts(&quest->told, "command  node server.js --a-very-long-option=that-does-not-fit-into-a-line-of-this-screen-"
					"and-goes-on-in-the-next-é\n"
					"      0  node\n");
		top_details_read(top);
	}
	draw_top(top_screens[_i].width, top_screens[_i].height);
	check_screen(top_screens[_i].name);
	text_finish(&top->details);
	top_quest_destroy(top->known);
	top_options.source = NULL;
}
END_TEST

/* In one place a key has one meaning, and every action is in the help. */
START_TEST(no_key_of_top_means_two_things)
{
	for (const struct top_key *one = top_keys; one->key; one++) {
		ck_assert_msg((one->action != NULL) == (one->help != NULL), "%s", one->name);
		for (const struct top_key *other = one + 1; other->key; other++)
			ck_assert_msg(one->key != other->key || one->where + other->where == TOP_IN_TABLE + TOP_IN_DETAILS, "%s",
				one->name);
	}
}
END_TEST

START_TEST(top_fits_every_size)
{
	for (int width = 1; width <= 200; width++)
		for (int height = 1; height <= 60; height++) {
			top->dialog = (enum top_dialog)(width % TOP_DIALOG_COUNT);
			top->asked.count = top->dialog == TOP_DIALOG_SURE;
			top->asked_signal = "TERM";
			top->tab = (enum top_tab)(height % TOP_TAB_COUNT);
			draw_top(width, height);
		}
}
END_TEST

Suite *golden_suite(void)
{
	Suite *suite = suite_create("golden");
	TCase *dashboard = tcase_create("dashboard"), *machine = tcase_create("top");

	tcase_set_timeout(dashboard, 60);
	tcase_set_timeout(machine, 60);
	tcase_add_checked_fixture(dashboard, begin, end);
	tcase_add_loop_test(dashboard, a_screen_is_as_it_was, 0, sizeof screens / sizeof *screens);
	tcase_add_loop_test(dashboard, every_view_fits_every_size, 0, VIEWS_AND_DIALOGS);
	tcase_add_checked_fixture(machine, begin_top, end_top);
	tcase_add_test(machine, top_is_as_it_was);
	tcase_add_loop_test(machine, a_top_screen_is_as_it_was, 0, sizeof top_screens / sizeof *top_screens);
	tcase_add_test(machine, no_key_of_top_means_two_things);
	tcase_add_test(machine, top_fits_every_size);
	suite_add_tcase(suite, dashboard);
	suite_add_tcase(suite, machine);
	return suite;
}
