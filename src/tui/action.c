#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/units.h"
#include "base/utf8.h"
#include "tui/command_line.h"
#include "tui/keymap.h"
#include "tui/screen.h"
#include "tui/ui.h"

enum { PAGE = 10,
	SCROLL_MOST = 1000 };

void ui_say(struct ui *ui, bool is_bad, const char *fmt, ...)
{
	char raw[sizeof ui->message];
	struct text safe;
	va_list args;

	va_start(args, fmt);
	vsnprintf(raw, sizeof raw, fmt, args);
	va_end(args);
	text_init(&safe, sizeof ui->message * 4);
	utf8_append_safe(&safe, raw, strlen(raw), false);
	snprintf(ui->message, sizeof ui->message, "%s", text_string(&safe));
	text_finish(&safe);
	ui->is_bad = is_bad;
	ui->message_us = clock_wall_us();
}

void ui_keep(json_t **place, const json_t *value)
{
	json_decref(*place);
	*place = json_incref((json_t *)value);
}

bool ui_request(struct ui *ui, int kind, unsigned stream, const char *method, json_t *params)
{
	struct error err;
	json_int_t id;
	bool is_sent = ui->link && ui->pending_count < PENDING_MOST && link_send(ui->link, method, json_incref(params), &id, &err);

	if (is_sent) {
		undo_note(ui, method, params);
		ui->pending[ui->pending_count++] = (struct pending){ id, ui->epoch, kind, stream };
	} else if (kind == REPLY_ACTION || kind == REPLY_SEND) {
		ui_say(ui, true, "the engine does not answer now");
	}
	json_decref(params);
	return is_sent;
}

/* The process that was on the screen when the key was pressed, or all of a service. */
json_t *ui_identity(const struct target *target)
{
	if (target->instance < 0)
		return json_pack("{s:[s]}", "names", target->service);
	return json_pack("{s:{s:s,s:i,s:i}}", "identity", "service", target->service, "instance",
		target->instance, "life", (int)target->life);
}

json_t *ui_name(const struct target *target)
{
	return target->instance < 0 ? json_string(target->service) : json_sprintf("%s/%d", target->service, target->instance);
}

void action_say_read_only(struct ui *ui)
{
	ui_say(ui, true, ui->options->recording ? "a recording cannot be changed" : "this dashboard is read-only");
}

static bool may_act(struct ui *ui)
{
	if (ui->options->read_only)
		action_say_read_only(ui);
	else if (!ui->selected.service[0] || !ui->replica.row_count)
		ui_say(ui, true, "nothing is selected; a launches a command");
	else
		return true;
	return false;
}

static void refresh_target(struct ui *ui)
{
	const struct replica_row *row = rows_selected(ui);

	if (row && ui->selected.instance >= 0)
		ui->selected.life = row->row.life;
}

/* False: it could not be sent, which is said. */
static bool act(struct ui *ui, const char *method, const struct target *target)
{
	if (!ui_request(ui, REPLY_ACTION, 0, method, ui_identity(target)))
		return false;
	if (target->instance < 0)
		ui_say(ui, false, "%s %s", method, target->service);
	else
		ui_say(ui, false, "%s %s/%d", method, target->service, target->instance);
	return true;
}

static void act_on_tagged(struct ui *ui, const char *method)
{
	for (unsigned i = 0; i < ui->tag_count; i++)
		if (!act(ui, method, &ui->tags[i]))
			return;
	ui_say(ui, false, "%s %u tagged", method, ui->tag_count);
}

/* What comes of the stop of one is looked on at. */
void action_asked(struct ui *ui, const char *method)
{
	if (ui->is_asked_tagged)
		act_on_tagged(ui, method);
	else if (act(ui, method, &ui->asked) && ui->asked.instance >= 0 && strcmp(method, "stop") == 0)
		stopping_open(ui);
}

static void ask_about_selected(struct ui *ui)
{
	refresh_target(ui);
	ui->asked = ui->selected;
	ui->is_asked_tagged = ui->tag_count > 0;
}

/* A whole service, what is tagged, and KILL, are asked about. */
static void act_or_ask(struct ui *ui, const char *method, bool always_asks)
{
	if (!may_act(ui))
		return;
	ask_about_selected(ui);
	ui->asked_method = method;
	if (always_asks || ui->is_asked_tagged || ui->selected.instance < 0)
		ui->dialog = DIALOG_CONFIRM;
	else
		action_asked(ui, method);
}

static void do_restart(struct ui *ui)
{
	act_or_ask(ui, "restart", false);
}

/* One instance after the other, each when the one before is ready: of a whole service. */
static void do_reload(struct ui *ui)
{
	act_or_ask(ui, "reload", true);
}

static void do_start(struct ui *ui)
{
	if (!may_act(ui))
		return;
	ask_about_selected(ui);
	action_asked(ui, "start");
}

/* A pool's only worker is all of it, too: what waits for it is to be thought of. */
static bool is_whole_pool(const struct ui *ui)
{
	const struct replica_row *row = rows_selected(ui);

	return row && row->row.is_pool && replica_count(&ui->replica, row->row.service) == 1;
}

static void do_stop(struct ui *ui)
{
	act_or_ask(ui, "stop", is_whole_pool(ui));
}

static void do_kill(struct ui *ui)
{
	act_or_ask(ui, "kill", true);
}

static void change_size(struct ui *ui, int delta)
{
	if (may_act(ui))
		scale_by(ui, delta);
}

static void do_more(struct ui *ui)
{
	change_size(ui, 1);
}

static void do_fewer(struct ui *ui)
{
	change_size(ui, -1);
}

static void open_prompt(struct ui *ui, enum prompt prompt)
{
	ui->prompt = prompt;
	ui->input[0] = '\0';
}

static void do_exact(struct ui *ui)
{
	if (may_act(ui))
		open_prompt(ui, PROMPT_SCALE);
}

static void do_signal(struct ui *ui)
{
	if (!may_act(ui))
		return;
	ask_about_selected(ui);
	menu_open(ui, MENU_SIGNAL, 0);
}

static bool signal_one(struct ui *ui, const char *signal, const struct target *target)
{
	json_t *params = ui_identity(target);

	json_object_set_new(params, "signal", json_string(signal));
	return ui_request(ui, REPLY_ACTION, 0, "signal", params);
}

void action_signal(struct ui *ui, const char *signal)
{
	bool is_sent = ui->is_asked_tagged || signal_one(ui, signal, &ui->asked);

	for (unsigned i = 0; ui->is_asked_tagged && is_sent && i < ui->tag_count; i++)
		is_sent = signal_one(ui, signal, &ui->tags[i]);
	if (is_sent)
		ui_say(ui, false, "%s sent", signal);
}

static void do_send(struct ui *ui)
{
	if (!may_act(ui))
		return;
	ask_about_selected(ui);
	send_open(ui);
}

static void do_filter(struct ui *ui)
{
	open_prompt(ui, PROMPT_FILTER);
	snprintf(ui->input, sizeof ui->input, "%s", ui->filter_text);
}

static void do_states(struct ui *ui)
{
	menu_open(ui, MENU_STATES, (int)ui->state_choice);
}

static void do_namespace(struct ui *ui)
{
	char name[sizeof ui->namespace];
	int at = 0;

	namespace_at(ui, 0, name);
	if (!name[0]) {
		ui_say(ui, true, "no service has a `namespace:`");
		return;
	}
	for (int i = 1; name[0] && ui->namespace[0] && !at; i++) {
		at = strcmp(name, ui->namespace) == 0 ? i : 0;
		namespace_at(ui, (unsigned)i, name);
	}
	menu_open(ui, MENU_NAMESPACE, at);
}

static void do_tag(struct ui *ui)
{
	if (!ui->selected.service[0])
		return;
	refresh_target(ui);
	tags_toggle(ui, &ui->selected);
	rows_move(ui, 1);
}

static void do_tag_service(struct ui *ui)
{
	for (size_t i = 0; i < ui->replica.row_count; i++) {
		struct table_row row = { .row = &ui->replica.rows[i] };
		struct target target = rows_target(&row);
		if (strcmp(target.service, ui->selected.service) == 0 && !tags_has(ui, &target))
			tags_toggle(ui, &target);
	}
}

static void do_untag(struct ui *ui)
{
	ui->tag_count = 0;
}

static void do_tree(struct ui *ui)
{
	ui->settings.table.is_flat = !ui->settings.table.is_flat;
	rows_keep_selection(ui);
}

static void do_sort(struct ui *ui)
{
	menu_open(ui, MENU_SORT, (int)ui->settings.table.sort);
}

static void do_invert(struct ui *ui)
{
	ui->settings.table.is_inverted = !ui->settings.table.is_inverted;
}

static void do_by_cpu(struct ui *ui)
{
	sort_by(ui, SORT_CPU);
}

static void do_by_memory(struct ui *ui)
{
	sort_by(ui, SORT_MEMORY);
}

static void do_by_uptime(struct ui *ui)
{
	sort_by(ui, SORT_UPTIME);
}

static void do_by_queue(struct ui *ui)
{
	sort_by(ui, SORT_QUEUE);
}

enum spark_style ui_graph(const struct ui *ui)
{
	static const enum spark_style styles[GRAPH_COUNT] = {
		[GRAPH_BLOCKS] = SPARK_BLOCKS,
		[GRAPH_BRAILLE] = SPARK_BRAILLE,
		[GRAPH_ASCII] = SPARK_ASCII,
	};

	return ui->is_unicode ? styles[ui->settings.table.graph] : SPARK_ASCII;
}

void ui_pause(struct ui *ui, bool is_paused)
{
	if (is_paused == ui->is_paused)
		return;
	ui->is_paused = is_paused;
	ui->paused_us = ui->now_us;
	if (is_paused) {
		replica_copy(&ui->live, &ui->replica);
		return;
	}
	replica_finish(&ui->replica);
	ui->replica = ui->live;
	ui->live = (struct replica){ 0 };
	feed_go_on(ui);
	ui->is_untidy = true;
}

static void do_pause(struct ui *ui)
{
	if (ui->past_us)
		past_leave(ui);
	else
		ui_pause(ui, !ui->is_paused);
}

static void do_past(struct ui *ui)
{
	past_step(ui, -1);
}

static void do_forth(struct ui *ui)
{
	if (ui->past_us)
		past_step(ui, 1);
	else
		ui_say(ui, true, "this is now; t goes back");
}

static void do_undo(struct ui *ui)
{
	if (ui->options->read_only)
		action_say_read_only(ui);
	else
		undo_do(ui);
}

/* Of those that the screen shows; the past does not know. */
static void do_thread_rows(struct ui *ui)
{
	if (ui->options->recording) {
		ui_say(ui, true, "what went on inside a process is not in a recording");
		return;
	}
	ui->settings.table.has_threads = !ui->settings.table.has_threads;
	if (!ui->settings.table.has_threads)
		crews_forget(ui);
	rows_keep_selection(ui);
}

static void do_header(struct ui *ui)
{
	ui->settings.table.is_headless = !ui->settings.table.is_headless;
}

/* Its variables are the last part of what is told of it. */
static void do_environment(struct ui *ui)
{
	action_do(ui, ACTION_INFO);
	ui->is_zoomed = ui->replica.row_count > 0;
	ui->is_environment = true;
}

static void do_event_before(struct ui *ui)
{
	past_event(ui, -1);
}

static void do_event_after(struct ui *ui)
{
	past_event(ui, 1);
}

static void do_search(struct ui *ui)
{
	open_prompt(ui, PROMPT_SEARCH);
}

static void do_command(struct ui *ui)
{
	open_prompt(ui, PROMPT_COMMAND);
}

static void do_launch(struct ui *ui)
{
	if (ui->options->read_only) {
		action_say_read_only(ui);
		return;
	}
	launch_open(ui);
}

static bool is_choosing_death(const struct ui *ui)
{
	return ui->is_zoomed && ui->tab == TAB_HISTORY && !ui->is_record_open;
}

static void move_death(struct ui *ui, int by)
{
	int last = history_count(ui) ? (int)history_count(ui) - 1 : 0;

	ui->death += by;
	ui->death = ui->death < 0 ? 0 : ui->death > last ? last
							 : ui->death;
}

static bool has_cursor(const struct ui *ui)
{
	return ui->tab <= TAB_IPC && !ui->traffic.is_open;
}

static void move_cursor(struct ui *ui, int by)
{
	int last = view_length(ui) - 1, width, height;

	screen_size(&width, &height);
	if (ui->is_environment)
		ui->cursor = info_variables_at(ui, width);
	ui->is_environment = false;
	ui->cursor += by;
	if (ui->cursor > last)
		ui->cursor = last;
	if (ui->cursor < 0)
		ui->cursor = 0;
}

/* While the details are zoomed, moving is in them. */
static void move(struct ui *ui, int by)
{
	if (!ui->is_zoomed) {
		rows_move(ui, by);
		return;
	}
	if (is_choosing_death(ui)) {
		move_death(ui, by);
		return;
	}
	if (has_cursor(ui)) {
		move_cursor(ui, by);
		return;
	}
	if (ui->tab == TAB_LOGS) {
		logs_scroll(&ui->logs, by);
		return;
	}
	ui->scroll -= by;
	if (ui->scroll < 0)
		ui->scroll = 0;
	if (ui->scroll > SCROLL_MOST)
		ui->scroll = SCROLL_MOST;
}

static void do_down(struct ui *ui)
{
	move(ui, 1);
}

static void do_up(struct ui *ui)
{
	move(ui, -1);
}

static void do_page_down(struct ui *ui)
{
	move(ui, PAGE);
}

static void do_page_up(struct ui *ui)
{
	move(ui, -PAGE);
}

static void do_half_down(struct ui *ui)
{
	move(ui, PAGE / 2);
}

static void do_half_up(struct ui *ui)
{
	move(ui, -PAGE / 2);
}

static void do_top(struct ui *ui)
{
	move(ui, -ROWS_MOST);
}

static void do_bottom(struct ui *ui)
{
	move(ui, ROWS_MOST);
}

static void do_fold(struct ui *ui)
{
	rows_fold(ui, ui->selected.service, true);
	rows_keep_selection(ui);
}

static void do_unfold(struct ui *ui)
{
	rows_fold(ui, ui->selected.service, false);
}

static void find_next(struct ui *ui, int direction)
{
	if (!ui->search[0] || !rows_search(ui, ui->search, direction, false))
		ui_say(ui, true, "no name has '%s' in it", ui->search);
}

static void do_next(struct ui *ui)
{
	find_next(ui, 1);
}

static void do_previous(struct ui *ui)
{
	find_next(ui, -1);
}

static void rewind_tab(struct ui *ui)
{
	ui->scroll = ui->cursor = 0;
	ui->is_environment = false;
	logs_follow(&ui->logs);
	ui->traffic.is_open = false;
	details_close_record(ui);
}

static void show_tab(struct ui *ui, int tab)
{
	ui->tab = (enum detail_tab)((tab + TAB_COUNT) % TAB_COUNT);
	rewind_tab(ui);
}

static void do_tab_next(struct ui *ui)
{
	show_tab(ui, (int)ui->tab + 1);
}

static void do_tab_previous(struct ui *ui)
{
	show_tab(ui, (int)ui->tab - 1);
}

static void do_info(struct ui *ui)
{
	show_tab(ui, TAB_INFO);
}

static void do_threads(struct ui *ui)
{
	show_tab(ui, TAB_THREADS);
}

static void do_pool(struct ui *ui)
{
	show_tab(ui, TAB_POOL);
}

static void do_ipc(struct ui *ui)
{
	show_tab(ui, TAB_IPC);
}

static void do_history(struct ui *ui)
{
	show_tab(ui, TAB_HISTORY);
}

static void do_logs(struct ui *ui)
{
	show_tab(ui, TAB_LOGS);
}

static void do_zoom(struct ui *ui)
{
	ui->is_zoomed = !ui->is_zoomed;
	rewind_tab(ui);
}

static void open_message(struct ui *ui)
{
	ui->traffic.is_open = true;
	ui->scroll = 0;
}

static void do_open(struct ui *ui)
{
	if (is_choosing_death(ui))
		details_open_record(ui);
	else if (ui->is_zoomed && ui->tab == TAB_IPC && !ui->insight.is_map && traffic_size(&ui->traffic))
		open_message(ui);
	else if (!ui->is_zoomed && ui->selected.tid)
		show_tab(ui, TAB_THREADS);
	ui->is_zoomed = ui->replica.row_count > 0;
}

/* From the record or message to the list, from there to the table. */
static bool is_reading_log(const struct ui *ui)
{
	return ui->is_zoomed && ui->tab == TAB_LOGS;
}

/* What is searched for is let go before the tab is. */
static void do_back(struct ui *ui)
{
	bool is_mapping = ui->is_zoomed && ui->tab == TAB_IPC && ui->insight.is_map;
	bool is_deeper = ui->is_record_open || ui->traffic.is_open || is_mapping;

	ui->message[0] = '\0';
	ui->scroll = 0;
	details_close_record(ui);
	if (is_reading_log(ui) && logs_stop(&ui->logs))
		return;
	if (ui->traffic.is_open)
		ui->traffic.unkept = 0;
	ui->traffic.is_open = false;
	ui->insight.is_map = ui->insight.is_map && !is_mapping;
	if (is_deeper)
		return;
	if (ui->past_us && !ui->options->recording) {
		past_leave(ui);
		return;
	}
	if (!ui->is_zoomed) {
		filter_finish(ui);
		ui->state_choice = 0;
		ui->namespace[0] = '\0';
	}
	ui->is_zoomed = false;
	ui->cursor = 0;
}

static void do_thread_order(struct ui *ui)
{
	ui->insight.order = (ui->insight.order + 1) % THREAD_ORDERS;
}

static void do_heard_pause(struct ui *ui)
{
	ui->traffic.is_paused = !ui->traffic.is_paused;
	ui->traffic.unkept = 0;
}

static void do_map(struct ui *ui)
{
	ui->insight.is_map = !ui->insight.is_map;
	ui->cursor = 0;
}

/* As it is pasted somewhere else: whose it is, and a sentence a line. */
static void do_copy(struct ui *ui)
{
	const struct study *study = &ui->insight.study;
	struct text text;

	if (!study->finding_count) {
		ui_say(ui, true, "nothing is known yet of what it is doing");
		return;
	}
	text_init(&text, UI_COPY_MOST);
	text_format(&text, "%s/%d, process %d ", ui->shown.service, ui->shown.instance, (int)study->pid);
	utf8_append_safe(&text, study->process, strlen(study->process), false);
	for (size_t i = 0; i < study->finding_count; i++) {
		text_puts(&text, "\n- ");
		utf8_append_safe(&text, study->findings[i], strlen(study->findings[i]), false);
	}
	text_putc(&text, '\n');
	ui_copy(text_string(&text), text.size);
	text_finish(&text);
	ui_say(ui, false, "%zu sentences copied", study->finding_count);
}

static void do_heard_filter(struct ui *ui)
{
	open_prompt(ui, PROMPT_HEARD_FILTER);
	snprintf(ui->input, sizeof ui->input, "%s", ui->traffic.filter);
}

static void do_heard_save(struct ui *ui)
{
	open_prompt(ui, PROMPT_HEARD_SAVE);
	snprintf(ui->input, sizeof ui->input, "%s.jsonl", ui->shown.service);
}

static void save_heard(struct ui *ui)
{
	struct error err;
	unsigned count = 0;

	if (traffic_save(&ui->traffic, ui->input, &count, &err))
		ui_say(ui, false, "%u messages saved to %s", count, ui->input);
	else
		ui_say(ui, true, "%s", err.text);
}

/* Again, when it is draining: it goes on. */
static void do_drain(struct ui *ui)
{
	bool is_draining = json_is_true(json_object_get(ui->insight.pool, "draining"));

	if (!may_act(ui))
		return;
	if (ui_request(ui, REPLY_ACTION, 0, "drain", json_pack("{s:s,s:b}", "name", ui->selected.service, "off", is_draining)))
		ui_say(ui, false, "%s %s", ui->selected.service, is_draining ? "takes tasks again" : "drains: it takes no more tasks");
}

static void do_help(struct ui *ui)
{
	ui->is_naming = false;
	ui->dialog = DIALOG_HELP;
	ui->help_column = 0;
}

static void do_events(struct ui *ui)
{
	events_open(ui);
}

static void do_redraw(struct ui *ui)
{
	(void)ui;
	screen_resize();
}

static void do_suspend(struct ui *ui)
{
	(void)ui;
	screen_suspend();
}

static bool is_anything_up(const struct ui *ui)
{
	for (size_t i = 0; i < ui->replica.row_count; i++)
		if (!state_is_over(ui->replica.rows[i].row.state))
			return true;
	return false;
}

static void end_all(struct ui *ui)
{
	ui_request(ui, REPLY_ACTION, 0, "down", NULL);
	ui->dialog = DIALOG_ENDING;
}

/* A zoomed pane is closed first; with nothing up there is nothing to ask. */
static void do_quit(struct ui *ui)
{
	if (ui->is_zoomed)
		do_back(ui);
	else if (ui->options->read_only || !ui->link)
		ui->is_leaving = true;
	else if (is_anything_up(ui))
		ui->dialog = DIALOG_QUIT;
	else
		end_all(ui);
}

static void (*const actions[ACTION_COUNT])(struct ui *ui) = {
	[ACTION_DOWN] = do_down,
	[ACTION_UP] = do_up,
	[ACTION_TOP] = do_top,
	[ACTION_BOTTOM] = do_bottom,
	[ACTION_PAGE_DOWN] = do_page_down,
	[ACTION_PAGE_UP] = do_page_up,
	[ACTION_HALF_DOWN] = do_half_down,
	[ACTION_HALF_UP] = do_half_up,
	[ACTION_FOLD] = do_fold,
	[ACTION_UNFOLD] = do_unfold,
	[ACTION_FOLD_ALL] = rows_fold_all,
	[ACTION_SEARCH] = do_search,
	[ACTION_NEXT] = do_next,
	[ACTION_PREVIOUS] = do_previous,
	[ACTION_FILTER] = do_filter,
	[ACTION_STATES] = do_states,
	[ACTION_NAMESPACE] = do_namespace,
	[ACTION_TAG] = do_tag,
	[ACTION_TAG_SERVICE] = do_tag_service,
	[ACTION_UNTAG] = do_untag,
	[ACTION_RELOAD] = do_reload,
	[ACTION_SEND] = do_send,
	[ACTION_UNDO] = do_undo,
	[ACTION_TREE] = do_tree,
	[ACTION_SORT] = do_sort,
	[ACTION_INVERT] = do_invert,
	[ACTION_BY_CPU] = do_by_cpu,
	[ACTION_BY_MEMORY] = do_by_memory,
	[ACTION_BY_UPTIME] = do_by_uptime,
	[ACTION_BY_QUEUE] = do_by_queue,
	[ACTION_PAUSE] = do_pause,
	[ACTION_PAST] = do_past,
	[ACTION_FORTH] = do_forth,
	[ACTION_THREAD_ROWS] = do_thread_rows,
	[ACTION_HEADER] = do_header,
	[ACTION_ENVIRONMENT] = do_environment,
	[ACTION_EVENT_BEFORE] = do_event_before,
	[ACTION_EVENT_AFTER] = do_event_after,
	[ACTION_RESTART] = do_restart,
	[ACTION_START] = do_start,
	[ACTION_STOP] = do_stop,
	[ACTION_KILL] = do_kill,
	[ACTION_SIGNAL] = do_signal,
	[ACTION_MORE] = do_more,
	[ACTION_FEWER] = do_fewer,
	[ACTION_EXACT] = do_exact,
	[ACTION_LAUNCH] = do_launch,
	[ACTION_OPEN] = do_open,
	[ACTION_ZOOM] = do_zoom,
	[ACTION_TAB_NEXT] = do_tab_next,
	[ACTION_TAB_PREVIOUS] = do_tab_previous,
	[ACTION_INFO] = do_info,
	[ACTION_THREADS] = do_threads,
	[ACTION_POOL] = do_pool,
	[ACTION_IPC] = do_ipc,
	[ACTION_HISTORY] = do_history,
	[ACTION_LOGS] = do_logs,
	[ACTION_THREAD_ORDER] = do_thread_order,
	[ACTION_THREAD_STACK] = stacks_ask,
	[ACTION_HOLDINGS] = stacks_ask_holdings,
	[ACTION_DRAIN] = do_drain,
	[ACTION_HEARD_PAUSE] = do_heard_pause,
	[ACTION_HEARD_FILTER] = do_heard_filter,
	[ACTION_HEARD_SAVE] = do_heard_save,
	[ACTION_MAP] = do_map,
	[ACTION_COPY] = do_copy,
	[ACTION_LOG_SEARCH] = do_log_search,
	[ACTION_LOG_NEXT] = do_log_next,
	[ACTION_LOG_PREVIOUS] = do_log_previous,
	[ACTION_LOG_ERROR] = do_log_error,
	[ACTION_LOG_ERROR_AFTER] = do_log_error_after,
	[ACTION_LOG_FILTER] = do_log_filter,
	[ACTION_LOG_TIMES] = do_log_times,
	[ACTION_LOG_SAVE] = do_log_save,
	[ACTION_LOG_SEARCH_BACK] = do_log_search_back,
	[ACTION_LOG_WRAP] = do_log_wrap,
	[ACTION_LOG_OLDEST] = do_log_oldest,
	[ACTION_LOG_FOLLOW] = do_log_follow,
	[ACTION_LOG_LEFT] = do_log_left,
	[ACTION_LOG_RIGHT] = do_log_right,
	[ACTION_LOG_MARK] = do_log_mark,
	[ACTION_LOG_GO] = do_log_go,
	[ACTION_LOG_COPY] = do_log_copy,
	[ACTION_LOG_COPY_FROM] = do_log_copy_from,
	[ACTION_EVENTS] = do_events,
	[ACTION_HELP] = do_help,
	[ACTION_COMMAND] = do_command,
	[ACTION_REDRAW] = do_redraw,
	[ACTION_SUSPEND] = do_suspend,
	[ACTION_BACK] = do_back,
	[ACTION_QUIT] = do_quit,
};

/* ---- typing ---- */

static void finish_prompt(struct ui *ui)
{
	enum prompt prompt = ui->prompt;

	ui->prompt = PROMPT_NONE;
	if (prompt == PROMPT_SEARCH && ui->input[0])
		snprintf(ui->search, sizeof ui->search, "%s", ui->input);
	else if (prompt == PROMPT_COMMAND && ui->input[0])
		command_run(ui, ui->input);
	else if (prompt == PROMPT_SCALE && !scale_finish(ui))
		ui->prompt = PROMPT_SCALE;
	else if (prompt == PROMPT_HEARD_FILTER)
		snprintf(ui->traffic.filter, sizeof ui->traffic.filter, "%s", ui->input);
	else if (prompt == PROMPT_HEARD_SAVE && ui->input[0])
		save_heard(ui);
	else if (prompt == PROMPT_LOG_SEARCH || prompt == PROMPT_LOG_SEARCH_BACK)
		logs_keys_search(ui);
	else if (prompt == PROMPT_LOG_SAVE && ui->input[0])
		logs_keys_save(ui);
	else if (prompt == PROMPT_FILTER)
		rows_keep_selection(ui);
	else if (prompt == PROMPT_EVENT_SEARCH)
		events_find(ui);
}

static void prompt_key(struct ui *ui, uint32_t key)
{
	if (key == INPUT_ESCAPE || key == INPUT_CONTROL('c')) {
		ui->prompt = PROMPT_NONE;
	} else if (key == INPUT_RETURN) {
		finish_prompt(ui);
	} else if (key == INPUT_TABULATOR && ui->prompt == PROMPT_COMMAND) {
		command_complete(ui);
	} else {
		keymap_type(ui->input, sizeof ui->input, key);
		if (ui->prompt == PROMPT_SEARCH && ui->input[0])
			rows_search(ui, ui->input, 1, true);
		if (ui->prompt == PROMPT_FILTER)
			filter_type(ui, ui->input);
		if (ui->prompt == PROMPT_LOG_FILTER)
			logs_keys_filter(ui);
		if (ui->prompt == PROMPT_EVENT_SEARCH || ui->prompt == PROMPT_EVENT_FILTER)
			events_type(ui);
	}
}

/* ---- dialogs ---- */

static void quit_key(struct ui *ui, uint32_t key)
{
	ui->dialog = DIALOG_NONE;
	if (key == 'd')
		ui->is_leaving = true;
	else if (key == 's')
		end_all(ui);
}

static void ending_key(struct ui *ui, uint32_t key)
{
	if (key == 'K')
		ui_request(ui, REPLY_ACTION, 0, "kill", json_pack("{s:[s]}", "names", "all"));
	else if (key == 'd' || key == INPUT_CONTROL('c'))
		ui->is_leaving = true;
}

static void replies_key(struct ui *ui, uint32_t key)
{
	bool is_down = key == 'j' || key == INPUT_ARROW_DOWN, is_up = key == 'k' || key == INPUT_ARROW_UP;
	const json_t *replies = json_object_get(ui->replies, "replies"), *unanswered = json_object_get(ui->replies, "unanswered");
	int last = (int)(json_array_size(replies) + json_array_size(unanswered)) - 1;

	if (is_down && ui->scroll < last)
		ui->scroll++;
	if (is_up && ui->scroll > 0)
		ui->scroll--;
	if (is_down || is_up)
		return;
	ui_keep(&ui->replies, NULL);
	ui->scroll = 0;
	ui->dialog = DIALOG_NONE;
}

static void help_key(struct ui *ui, uint32_t key)
{
	int width, height;

	screen_size(&width, &height);
	int page = dialog_help_page(width);
	if (key == 'k' || key == 'h' || key == INPUT_ARROW_UP || key == INPUT_ARROW_LEFT || key == INPUT_PAGE_UP)
		ui->help_column = ui->help_column > page ? ui->help_column - page : 0;
	else if (key != INPUT_ESCAPE && key != 'q' && key != '?' && dialog_help_has_more(ui, width, height))
		ui->help_column += page;
	else
		ui->dialog = DIALOG_NONE;
}

void action_do(struct ui *ui, enum action action)
{
	if (action == ACTION_NONE)
		return;
	ui->message[0] = '\0';
	sort_hold(ui);
	actions[action](ui);
}

void action_key(struct ui *ui, uint32_t key)
{
	static void (*const dialogs[])(struct ui * ui, uint32_t key) = {
		[DIALOG_HELP] = help_key,
		[DIALOG_EVENTS] = events_key,
		[DIALOG_CONFIRM] = confirm_key,
		[DIALOG_STOP] = stopping_key,
		[DIALOG_QUIT] = quit_key,
		[DIALOG_ENDING] = ending_key,
		[DIALOG_LAUNCH] = launch_key,
		[DIALOG_SEND] = send_key,
		[DIALOG_MENU] = menu_key,
		[DIALOG_REPLIES] = replies_key,
		[DIALOG_STACK_ASK] = stacks_ask_key,
		[DIALOG_STACK] = stacks_key,
	};
	enum action action = keymap_find(&ui->settings.bindings, key, ui->is_zoomed ? &ui->tab : NULL);

	bool is_typing = ui->prompt != PROMPT_NONE && ui->dialog == DIALOG_EVENTS; /* into the dialog */

	ui->undo.keys++;
	if (dialogs[ui->dialog] && !is_typing) {
		dialogs[ui->dialog](ui, key);
	} else if (ui->prompt != PROMPT_NONE) {
		prompt_key(ui, key);
	} else if (logs_keys_letter(ui, key)) {
		return;
	} else {
		action_do(ui, action);
	}
}

/* A row that is selected already is opened. */
static void click_row(struct ui *ui, uint32_t index)
{
	struct target before = ui->selected;

	rows_select(ui, (int)index);
	if (before.instance == ui->selected.instance && before.tid == ui->selected.tid && strcmp(before.service, ui->selected.service) == 0)
		action_do(ui, ACTION_OPEN);
	else
		sort_hold(ui);
}

void action_click(struct ui *ui, const struct grid *grid, int x, int y)
{
	struct spot spot = grid_spot_at(grid, x, y);

	if (spot.kind == SPOT_KEY)
		action_key(ui, spot.value);
	else if (ui->dialog != DIALOG_NONE || ui->prompt != PROMPT_NONE)
		return;
	else if (spot.kind == SPOT_ACTION)
		action_do(ui, (enum action)spot.value);
	else if (spot.kind == SPOT_SORT)
		sort_by(ui, (enum sort)spot.value);
	else if (spot.kind == SPOT_ROW)
		click_row(ui, spot.value);
}
