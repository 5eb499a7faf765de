#include "tui/command_line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "base/units.h"
#include "model/spec.h"
#include "tui/picker.h"
#include "tui/screen.h"
#include "tui/ui.h"

enum { CHOICES_SIZE = 4096 };

/* ---- what is done ---- */

static json_t *split_names(char *rest)
{
	json_t *names = json_array();
	char *name;

	while ((name = strsep(&rest, " ")))
		if (*name)
			json_array_append_new(names, json_string(name));
	return json_pack("{s:o}", "names", names);
}

static void act(struct ui *ui, const char *method, char *rest)
{
	if (rest && *rest)
		ui_request(ui, REPLY_ACTION, 0, method, split_names(rest));
	else
		ui_say(ui, true, "%s NAME…: which?", method);
}

static void run_signal(struct ui *ui, char *rest)
{
	char *signal = strsep(&rest, " ");

	if (!signal || !*signal || !rest || !*rest) {
		ui_say(ui, true, "signal SIGNAL NAME…");
		return;
	}
	json_t *params = split_names(rest);
	json_object_set_new(params, "signal", json_string(signal));
	ui_request(ui, REPLY_ACTION, 0, "signal", params);
}

/* As the shell's: with a signal it is only that. */
static void run_kill(struct ui *ui, char *rest)
{
	if (rest && *rest == '-')
		run_signal(ui, rest + 1);
	else
		act(ui, "kill", rest);
}

static void run_scale(struct ui *ui, char *rest)
{
	char *name = strsep(&rest, " "), *end;
	long count = rest ? strtol(rest, &end, 10) : -1;

	if (!name || !rest || !*rest || *end || count < 0)
		ui_say(ui, true, "scale NAME N");
	else
		ui_request(ui, REPLY_ACTION, 0, "scale", json_pack("{s:s,s:I}", "name", name, "count", (json_int_t)count));
}

static void run_send(struct ui *ui, char *rest)
{
	char *name = strsep(&rest, " ");

	if (!name || !rest || !*rest) {
		ui_say(ui, true, "send NAME JSON");
		return;
	}
	if (send_text(ui, json_pack("{s:[s]}", "names", name), rest))
		ui_say(ui, false, "sent to %s; waiting for an answer", name);
}

static void run_launch(struct ui *ui, char *rest)
{
	if (rest && *rest)
		launch_line(ui, rest);
	else
		launch_open(ui);
}

static void run_filter(struct ui *ui, char *rest)
{
	filter_type(ui, rest ? rest : "");
	if (ui->filter_error[0])
		ui_say(ui, true, "filter: %s", ui->filter_error);
	rows_keep_selection(ui);
}

/* Without a name, all of them; what is in none is seen then only. */
static void run_namespace(struct ui *ui, char *rest)
{
	char name[64];
	unsigned i = 0;

	do
		namespace_at(ui, i++, name);
	while (name[0] && rest && strcmp(name, rest) != 0);
	if (rest && *rest && strcmp(rest, "all") != 0 && !name[0])
		ui_say(ui, true, "nothing is in a namespace '%.40s'%s", rest,
			i > 1 ? "; Tab shows which there are" : ": no service has one");
	else
		snprintf(ui->namespace, sizeof ui->namespace, "%s", rest && strcmp(rest, "all") != 0 ? name : "");
	rows_keep_selection(ui);
}

static void run_past(struct ui *ui, char *ago)
{
	uint64_t ms, at_us;

	if (ui->options->is_plain) /* nothing that can be typed there comes back from it */
		ui_say(ui, true, "the past is shown on a screen only");
	else if (ago && units_parse_duration(ago, &ms))
		past_go_back(ui, ms * 1000);
	else if (ago && clock_parse_local(ago, past_newest(ui), &at_us))
		past_go(ui, at_us);
	else
		ui_say(ui, true, "past TIME: how long ago, such as 90s or 5m, or when: 14:02:11.5");
}

static void run_write(struct ui *ui, char *rest)
{
	char path[PATH_MAX];
	struct error err;

	(void)rest;
	if (settings_save(&ui->settings, &err) && settings_path(path, &err))
		ui_say(ui, false, "settings are kept in %s", path);
	else
		ui_say(ui, true, "%s", err.text);
}

static void run_help(struct ui *ui, char *rest)
{
	(void)rest;
	action_do(ui, ACTION_HELP);
}

static void run_keys(struct ui *ui, char *rest)
{
	run_help(ui, rest);
	ui->is_naming = true;
}

static void run_undo(struct ui *ui, char *rest)
{
	(void)rest;
	action_do(ui, ACTION_UNDO);
}

static void run_quit(struct ui *ui, char *rest)
{
	(void)rest;
	action_do(ui, ACTION_QUIT);
}

/* From now on; for ever only with `w`. */
static void take_setting(struct ui *ui, const char *line)
{
	unsigned sample_ms = ui->settings.table.sample_ms;
	struct error err;

	if (!settings_take(&ui->settings, line, NULL, &err)) {
		ui_say(ui, true, "%s", err.text);
		return;
	}
	screen_set_style(&ui->settings.style);
	ui->held_until_us = 0;
	rows_keep_selection(ui);
	if (ui->settings.table.sample_ms != sample_ms)
		ui_request(ui, REPLY_ACTION, 0, "subscribe", ui_subscription(ui));
	ui_say(ui, false, "%s; :w keeps it", line);
}

/* ---- what can follow ---- */

/* Each puts names with a space behind them; number: of the word, 0 is the first behind the command. */
static void put_names(const struct ui *ui, int number, struct text *out)
{
	const char *service = "";

	(void)number;
	for (size_t i = 0; i < ui->replica.row_count; i++) {
		const struct row *row = &ui->replica.rows[i].row;
		if (strcmp(row->service, service) != 0)
			text_format(out, "%s ", row->service);
		service = row->service;
		text_format(out, "%s/%u ", row->service, row->instance);
	}
	text_puts(out, "all ");
}

static void put_services(const struct ui *ui, int number, struct text *out)
{
	const char *service = "";

	for (size_t i = 0; !number && i < ui->replica.row_count; i++) {
		const struct row *row = &ui->replica.rows[i].row;
		if (strcmp(row->service, service) != 0)
			text_format(out, "%s ", row->service);
		service = row->service;
	}
}

static void put_signals(const struct ui *ui, int number, struct text *out)
{
	for (int i = 0; !number && i < PICKER_SIGNALS; i++)
		text_format(out, "%s ", picker_signals[i]);
	if (number)
		put_names(ui, number, out);
}

static void put_kill(const struct ui *ui, int number, struct text *out)
{
	for (int i = 0; !number && i < PICKER_SIGNALS; i++)
		text_format(out, "-%s ", picker_signals[i]);
	put_names(ui, number, out);
}

static void put_namespaces(const struct ui *ui, int number, struct text *out)
{
	char name[64];

	namespace_at(ui, 0, name);
	for (unsigned i = 1; !number && name[0]; i++) {
		text_format(out, "%s ", name);
		namespace_at(ui, i, name);
	}
	text_puts(out, "all ");
}

static const struct command_row {
	const char *name;
	bool acts;                                                      /* nothing of that in a read-only dashboard */
	void (*run)(struct ui *ui, char *rest);                         /* NULL: the engine does what the name says */
	void (*put)(const struct ui *ui, int number, struct text *out); /* NULL: anything can follow */
} rows[] = {
	{ "filter", false, run_filter, NULL },
	{ "help", false, run_help, NULL },
	{ "keys", false, run_keys, NULL },
	{ "kill", true, run_kill, put_kill },
	{ "launch", true, run_launch, NULL },
	{ "ns", false, run_namespace, put_namespaces },
	{ "past", false, run_past, NULL },
	{ "q", false, run_quit, NULL },
	{ "quit", false, run_quit, NULL },
	{ "reload", true, NULL, put_names },
	{ "restart", true, NULL, put_names },
	{ "scale", true, run_scale, put_services },
	{ "send", true, run_send, put_services },
	{ "signal", true, run_signal, put_signals },
	{ "start", true, NULL, put_names },
	{ "stop", true, NULL, put_names },
	{ "undo", true, run_undo, NULL },
	{ "w", false, run_write, NULL },
};
enum { ROWS = sizeof rows / sizeof *rows };

static const struct command_row *find(const char *name)
{
	for (size_t i = 0; i < ROWS; i++)
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	return NULL;
}

void command_run(struct ui *ui, char *line)
{
	char whole[INPUT_MOST], *rest = line, *word;

	snprintf(whole, sizeof whole, "%s", line);
	word = strsep(&rest, " ");
	const struct command_row *row = find(word);
	if (row && row->acts && ui->options->read_only)
		action_say_read_only(ui);
	else if (row && row->run)
		row->run(ui, rest);
	else if (row)
		act(ui, row->name, rest);
	else if (settings_has(word))
		take_setting(ui, whole);
	else
		ui_say(ui, true, "no such command: '%s' (Tab shows which there are)", word);
}

/* ---- completion ---- */

static void put_commands(struct text *out)
{
	for (size_t i = 0; i < ROWS; i++)
		text_format(out, "%s ", rows[i].name);
	for (size_t i = 0; settings_name(i); i++)
		text_format(out, "%s ", settings_name(i));
}

/* "light, dark" of a setting. */
static void put_setting(const char *name, struct text *out)
{
	struct text words;

	text_init(&words, CHOICES_SIZE);
	if (!settings_words(name, &words))
		text_clear(&words);
	for (const char *at = text_string(&words); *at; at++)
		text_putc(out, *at == ',' ? ' ' : *at);
	text_putc(out, ' ');
	text_finish(&words);
}

static void put_choices(const struct ui *ui, struct text *out)
{
	char first[INPUT_MOST];
	int number = -1;

	for (const char *at = ui->input; *at; at++)
		number += *at == ' ' && at[1] != ' ';
	snprintf(first, sizeof first, "%.*s", (int)strcspn(ui->input, " "), ui->input);
	const struct command_row *row = find(first);
	if (!strchr(ui->input, ' '))
		put_commands(out);
	else if (row && row->put)
		row->put(ui, number, out);
	else if (!row && settings_has(first) && number == 0)
		put_setting(first, out);
}

/* Keeps those that begin so, and how far they agree. */
static unsigned narrow(char *choices, const char *prefix, struct text *kept, char common[INPUT_MOST])
{
	unsigned count = 0;
	char *choice;

	while ((choice = strsep(&choices, " "))) {
		if (!*choice || strncmp(choice, prefix, strlen(prefix)) != 0)
			continue;
		size_t same = 0;
		if (!count++)
			snprintf(common, INPUT_MOST, "%s", choice);
		while (common[same] && common[same] == choice[same])
			same++;
		common[same] = '\0';
		text_format(kept, "%s ", choice);
	}
	return count;
}

void command_complete(struct ui *ui)
{
	char *space = strrchr(ui->input, ' '), *word = space ? space + 1 : ui->input, common[INPUT_MOST] = "";
	struct text choices, kept;

	text_init(&choices, CHOICES_SIZE * 16);
	text_init(&kept, CHOICES_SIZE * 16);
	put_choices(ui, &choices);
	unsigned count = narrow((char *)text_string(&choices), word, &kept, common);
	size_t room = sizeof ui->input - (size_t)(word - ui->input);
	if (count > 1 && strcmp(common, word) == 0)
		ui_say(ui, false, "%.200s", text_string(&kept));
	else if (count && strlen(common) + 2 < room)
		snprintf(word, room, "%s%s", common, count == 1 ? " " : "");
	text_finish(&choices);
	text_finish(&kept);
}
