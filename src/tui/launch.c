#include "tui/launch.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "client/launches.h"
#include "client/remote.h"
#include "model/command.h"
#include "tui/keymap.h"
#include "tui/pane.h"
#include "tui/path.h"
#include "tui/ui.h"

enum { NAME_WIDTH = 14,
	VALUE_WIDTH = 52,
	WORDS_MOST = 1024 };

/* Those with choices are chosen, the others are typed; the first choice is the default. */
static const struct launch_row {
	const char *name; /* on the screen; in the file of former ones, its key */
	const char *key;
	const char *hint;
	const char *choices[4];
} rows[LAUNCH_FIELDS] = {
	[LAUNCH_COMMAND] = { "Command", "command", "", { NULL } },
	[LAUNCH_NAME] = { "Name", "name", "(the command's)", { NULL } },
	[LAUNCH_INSTANCES] = { "Instances", "instances", "(1)", { NULL } },
	[LAUNCH_DIRECTORY] = { "Directory", "directory", "(the project's)", { NULL } },
	[LAUNCH_ENVIRONMENT] = { "Environment", "environment", "(NAME=value NAME='two words')", { NULL } },
	[LAUNCH_RESTART] = { "Restart", "restart", "", { "no", "on_failure", "always" } },
	[LAUNCH_TERMINAL] = { "Terminal", "terminal", "", { "no", "yes" } },
	[LAUNCH_CHANNEL] = { "Channel", "channel", "", { "none", "json" } },
};

static const char *value_of(const struct launch_form *form, enum launch_field field)
{
	return form->text[field][0] || !rows[field].choices[0] ? form->text[field] : rows[field].choices[0];
}

static bool is_default(const struct launch_form *form, enum launch_field field)
{
	return rows[field].choices[0] ? strcmp(value_of(form, field), rows[field].choices[0]) == 0 : !form->text[field][0];
}

/* ---- what the engine is told ---- */

/* Of what is typed, or else of the program: what a service may be called. */
static void choose_name(const struct launch_form *form, char out[64])
{
	const char *command = form->text[LAUNCH_COMMAND], *name = form->text[LAUNCH_NAME];
	const char *end = command + strcspn(command, " "), *slash = memrchr(command, '/', (size_t)(end - command));
	size_t used = 0;

	for (name = *name ? name : slash ? slash + 1
					 : command;
		*name && *name != ' ' && used < 63; name++)
		if (isalnum((unsigned char)*name) || (used && strchr("._-", *name)))
			out[used++] = *name;
	out[used] = '\0';
	if (!used)
		snprintf(out, 64, "command");
}

static bool put_environment(json_t *service, const char *text, char *note, size_t size)
{
	struct strings words = { 0 };
	char line[LAUNCH_TEXT + 8];
	json_t *variables = json_object();

	snprintf(line, sizeof line, "env %s", text); /* alone, an assignment would be one for the shell */
	enum command_kind kind = command_split(line, &words);
	bool ok = kind == COMMAND_WORDS;
	if (kind == COMMAND_UNENDED)
		snprintf(note, size, "environment: a quote has no end");
	else if (!ok)
		snprintf(note, size, "environment: NAME=value, and quotes around what a shell would take for more");
	for (size_t i = 1; ok && i < words.count; i++) {
		char *equals = strchr(words.items[i], '=');
		ok = equals && equals != words.items[i];
		if (!ok) {
			snprintf(note, size, "environment: '%.60s' is no NAME=value", words.items[i]);
			break;
		}
		*equals = '\0';
		json_object_set_new(variables, words.items[i], json_string(equals + 1));
	}
	strings_finish(&words);
	json_object_set_new(service, "environment", variables);
	return ok;
}

json_t *launch_service(const struct launch_form *form, const char *folder, char *note, size_t size)
{
	char name[64], *end;
	const char *instances = form->text[LAUNCH_INSTANCES], *directory = form->text[LAUNCH_DIRECTORY];

	if (!form->text[LAUNCH_COMMAND][0]) {
		snprintf(note, size, "which command?");
		return NULL;
	}
	long count = strtol(instances, &end, 10);
	if (*instances && strcmp(instances, "max") != 0 && (*end || count < 1)) {
		snprintf(note, size, "instances: a number from 1 on, or max");
		return NULL;
	}
	choose_name(form, name);
	json_t *service = json_pack("{s:s,s:s,s:s,s:{s:s},s:b}", "name", name, "command", form->text[LAUNCH_COMMAND], "working_dir",
		*directory ? directory : folder, "availability", "restart", value_of(form, LAUNCH_RESTART), "pty",
		!is_default(form, LAUNCH_TERMINAL));
	if (!service)
		snprintf(note, size, "that is no UTF-8");
	if (service && *instances)
		json_object_set_new(service, "instances", *end ? json_string(instances) : json_integer(count));
	if (service && !is_default(form, LAUNCH_CHANNEL))
		json_object_set_new(service, "ipc", json_string("json"));
	if (service && put_environment(service, form->text[LAUNCH_ENVIRONMENT], note, size))
		return service;
	json_decref(service);
	return NULL;
}

static bool ask(struct ui *ui)
{
	struct launch_form *form = &ui->launch;
	json_t *service = launch_service(form, ui->replica.dir, form->note, sizeof form->note);

	return service && ui_request(ui, REPLY_LAUNCH, 0, "run", json_pack("{s:o}", "service", service));
}

/* ---- former ones ---- */

static json_t *describe(const struct launch_form *form)
{
	json_t *json = json_object();

	for (enum launch_field field = 0; field < LAUNCH_FIELDS; field++)
		if (!is_default(form, field))
			json_object_set_new(json, rows[field].key, json_string(form->text[field]));
	return json;
}

static void fill(struct launch_form *form, const json_t *json)
{
	for (enum launch_field field = 0; field < LAUNCH_FIELDS; field++) {
		const char *text = json_string_value(json_object_get(json, rows[field].key));
		snprintf(form->text[field], LAUNCH_TEXT, "%s", text ? text : "");
	}
}

/* 0 is an empty form. */
static void recall(struct launch_form *form, int by)
{
	size_t count;

	if (!form->former)
		form->former = launches_read(LAUNCHES_MOST);
	count = json_array_size(form->former);
	if ((by > 0 && form->recalled == count) || (by < 0 && !form->recalled)) {
		snprintf(form->note, sizeof form->note, count ? "there is no other former one" : "nothing was launched here before");
		return;
	}
	form->recalled += (size_t)by;
	fill(form, form->recalled ? json_array_get(form->former, count - form->recalled) : NULL);
	form->note[0] = '\0';
	if (form->recalled)
		snprintf(form->note, sizeof form->note, "former launch %zu of %zu", form->recalled, count);
}

void launch_done(struct ui *ui, const char *why)
{
	struct launch_form *form = &ui->launch;
	struct error err;

	if (why) {
		snprintf(form->note, sizeof form->note, "%s", why);
		ui->dialog = DIALOG_LAUNCH;
		return;
	}
	json_t *json = describe(form);
	if (!launches_add(json, LAUNCHES_MOST, &err))
		ui_say(ui, true, "it runs, but is not remembered: %s", err.text);
	json_decref(json);
}

/* ---- keys ---- */

static void clear(struct launch_form *form)
{
	json_decref(form->former);
	*form = (struct launch_form){ 0 };
}

void launch_forget(struct ui *ui)
{
	clear(&ui->launch);
}

void launch_open(struct ui *ui)
{
	clear(&ui->launch);
	ui->dialog = DIALOG_LAUNCH;
}

void launch_line(struct ui *ui, const char *command)
{
	clear(&ui->launch);
	snprintf(ui->launch.text[LAUNCH_COMMAND], LAUNCH_TEXT, "%s", command);
	if (!ask(ui))
		ui->dialog = DIALOG_LAUNCH;
}

static void move(struct launch_form *form, int by)
{
	form->field = (enum launch_field)(((int)form->field + by + LAUNCH_FIELDS) % LAUNCH_FIELDS);
}

static void choose(struct launch_form *form, int by)
{
	const char *const *choices = rows[form->field].choices;
	int count = 0, at = 0;

	for (; choices[count]; count++)
		if (strcmp(choices[count], value_of(form, form->field)) == 0)
			at = count;
	snprintf(form->text[form->field], LAUNCH_TEXT, "%s", choices[(at + by + count) % count]);
}

/* The last word, when it may be a path and there is more of it to be had. */
static bool complete(struct ui *ui)
{
	struct launch_form *form = &ui->launch;
	bool is_path = form->field == LAUNCH_DIRECTORY || form->field == LAUNCH_COMMAND;
	bool is_folder = form->field == LAUNCH_DIRECTORY;
	const char *folder = !is_folder && form->text[LAUNCH_DIRECTORY][0] ? form->text[LAUNCH_DIRECTORY] : ui->replica.dir;

	return is_path && !remote_host() &&
	       path_complete(form->text[form->field], LAUNCH_TEXT, folder, is_folder, form->note, sizeof form->note);
}

void launch_key(struct ui *ui, uint32_t key)
{
	struct launch_form *form = &ui->launch;
	bool is_choice = rows[form->field].choices[0];

	form->note[0] = '\0';
	if (key == INPUT_ESCAPE || key == INPUT_CONTROL('c'))
		ui->dialog = DIALOG_NONE;
	else if (key == INPUT_RETURN)
		ui->dialog = ask(ui) ? DIALOG_NONE : DIALOG_LAUNCH;
	else if (key == INPUT_TABULATOR && complete(ui))
		return;
	else if (key == INPUT_TABULATOR || key == INPUT_ARROW_DOWN)
		move(form, 1);
	else if (key == INPUT_BACK_TAB || key == INPUT_ARROW_UP)
		move(form, -1);
	else if (key == INPUT_CONTROL('p'))
		recall(form, 1);
	else if (key == INPUT_CONTROL('n'))
		recall(form, -1);
	else if (is_choice && (key == ' ' || key == INPUT_ARROW_RIGHT))
		choose(form, 1);
	else if (is_choice && key == INPUT_ARROW_LEFT)
		choose(form, -1);
	else if (!is_choice)
		keymap_type(form->text[form->field], LAUNCH_TEXT, key);
}

/* ---- drawing ---- */

/* Quoting errors are seen before anything is run. */
static void preview(const struct launch_form *form, const char *folder, struct text *out)
{
	struct strings words = { 0 };
	enum command_kind kind = command_split(form->text[LAUNCH_COMMAND], &words);
	const char *directory = form->text[LAUNCH_DIRECTORY];

	if (kind == COMMAND_UNENDED)
		text_puts(out, "! a quote has no end");
	else if (kind == COMMAND_SHELL)
		text_puts(out, "run through /bin/sh -c: something in it only a shell understands");
	else if (kind == COMMAND_WORDS)
		text_puts(out, "argv:");
	for (size_t i = 0; kind == COMMAND_WORDS && i < words.count; i++)
		text_format(out, " [%s]", words.items[i]);
	if (kind == COMMAND_WORDS && !remote_host() && !path_finds(words.items[0], *directory ? directory : folder))
		text_format(out, "\n! no such program is found here: %s", words.items[0]);
	strings_finish(&words);
}

static void draw_field(const struct launch_form *form, struct grid *grid, struct rect at, enum launch_field field)
{
	bool is_here = field == form->field, is_choice = rows[field].choices[0];
	const char *value = value_of(form, field);
	size_t length = strlen(value), skipped = length > VALUE_WIDTH ? length - VALUE_WIDTH : 0;

	grid_format(grid, at, is_here ? LOOK_KEY : LOOK_NORMAL, "%s %-11s", is_here ? ">" : " ", rows[field].name);
	at.x += NAME_WIDTH;
	at.width -= NAME_WIDTH;
	if (is_choice) {
		for (int i = 0; rows[field].choices[i]; i++) {
			const char *choice = rows[field].choices[i];
			bool is_chosen = strcmp(value, choice) == 0;
			int used = grid_format(grid, at, is_chosen ? LOOK_KEY : LOOK_DIM, "(%c) %s  ", is_chosen ? '*' : ' ', choice);
			at.x += used;
			at.width -= used;
		}
	} else if (length || is_here) {
		char shown[LAUNCH_TEXT + 1];
		snprintf(shown, sizeof shown, "%s%s", value + skipped, is_here ? "_" : "");
		grid_put_safe(grid, at, LOOK_NORMAL, "", shown, strlen(shown));
	} else {
		grid_put(grid, at, LOOK_DIM, rows[field].hint);
	}
}

void launch_draw(const struct ui *ui, struct grid *grid)
{
	const struct launch_form *form = &ui->launch;
	struct rect area = grid_box(grid, ui->is_unicode, NAME_WIDTH + VALUE_WIDTH + 1, LAUNCH_FIELDS + 6, "Launch a command");
	int line = 0;
	struct text text;

	text_init(&text, 4 * LAUNCH_TEXT + 256);
	preview(form, ui->replica.dir, &text);
	char *first = (char *)text_string(&text), *second = strchr(first, '\n');
	if (second)
		*second++ = '\0';
	draw_field(form, grid, rect_line(area, line++), LAUNCH_COMMAND);
	struct rect at = rect_line(area, line++);
	at.x += NAME_WIDTH;
	at.width -= NAME_WIDTH;
	grid_put_safe(grid, at, *first == '!' ? LOOK_BAD : LOOK_DIM, "", first, strlen(first));
	for (enum launch_field field = LAUNCH_COMMAND + 1; field < LAUNCH_FIELDS; field++)
		draw_field(form, grid, rect_line(area, line++), field);
	if (second)
		grid_put_safe(grid, rect_line(area, line), LOOK_WARN, "  ", second, strlen(second));
	grid_put_safe(grid, rect_line(area, line + 1), LOOK_BAD, "  ", form->note, strlen(form->note));
	grid_put(grid, rect_line(area, line + 3), LOOK_KEY, "Enter Start  Tab completes/next  Space chooses  ^P ^N former  Esc");
	text_finish(&text);
}
