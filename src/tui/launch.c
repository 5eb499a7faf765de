#include "tui/launch.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "base/units.h"
#include "client/launches.h"
#include "client/remote.h"
#include "model/command.h"
#include "protocol/secret.h"
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
	const char *choices[6];
} rows[LAUNCH_FIELDS] = {
	[LAUNCH_COMMAND] = { "Command", "command", "", { NULL } },
	[LAUNCH_SHELL] = { "Shell", "shell", "", { "no", "yes" } },
	[LAUNCH_NAME] = { "Name", "name", "(the command's)", { NULL } },
	[LAUNCH_INSTANCES] = { "Instances", "instances", "(1)", { NULL } },
	[LAUNCH_NAMESPACE] = { "Namespace", "namespace", "(none)", { NULL } },
	[LAUNCH_DIRECTORY] = { "Directory", "directory", "(the project's)", { NULL } },
	[LAUNCH_ENVIRONMENT] = { "Environment", "environment", "(NAME=value NAME='two words')", { NULL } },
	[LAUNCH_RESTART] = { "Restart", "restart", "", { "no", "on_failure", "always" } },
	[LAUNCH_RESTARTS] = { "Restarts", "max_restarts", "(5 a minute at the most)", { NULL } },
	[LAUNCH_SIGNAL] = { "Stop by", "signal", "", { "TERM", "INT", "HUP", "QUIT", "USR1" } },
	[LAUNCH_GRACE] = { "KILL after", "timeout", "(5s)", { NULL } },
	[LAUNCH_RSS] = { "Memory", "rss", "(no limit; 200MB: restarted when it has more)", { NULL } },
	[LAUNCH_TERMINAL] = { "Terminal", "terminal", "", { "no", "yes" } },
	[LAUNCH_CHANNEL] = { "Channel", "channel", "", { "none", "json" } },
};

static const char *value_of(const struct launch_form *form, enum launch_field field)
{
	return form->text[field][0] || !rows[field].choices[0] ? form->text[field] : rows[field].choices[0];
}

/* Of the file of former ones, or of a service, anything may come. */
static bool is_choice(enum launch_field field, const char *text)
{
	for (int i = 0; rows[field].choices[i]; i++)
		if (strcmp(rows[field].choices[i], text) == 0)
			return true;
	return false;
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

/* Nothing is run by a shell that was not asked for. */
static bool may_run(const struct launch_form *form, char *note, size_t size)
{
	struct strings words = { 0 };
	bool needs_shell = command_split(form->text[LAUNCH_COMMAND], &words) == COMMAND_SHELL;

	strings_finish(&words);
	if (needs_shell && is_default(form, LAUNCH_SHELL))
		snprintf(note, size, "a shell is needed for that: `Shell` yes, or quotes around it");
	return !needs_shell || !is_default(form, LAUNCH_SHELL);
}

static bool put_count(json_t *place, const char *key, const char *text, char *note, size_t size)
{
	char *end;
	long count = strtol(text, &end, 10);

	if (*text && (*end || count < 0))
		snprintf(note, size, "restarts: a number from 0 on");
	else if (*text)
		json_object_set_new(place, key, json_integer(count));
	return !*text || (!*end && count >= 0);
}

static bool put_duration(json_t *place, const char *key, const char *text, char *note, size_t size)
{
	uint64_t ms;
	bool ok = !*text || units_parse_duration(text, &ms);

	if (!ok)
		snprintf(note, size, "KILL after: a time, such as 10s");
	else if (*text)
		json_object_set_new(place, key, json_string(text));
	return ok;
}

static bool put_limit(json_t *service, const char *text, char *note, size_t size)
{
	uint64_t bytes;
	bool ok = !*text || (units_parse_size(text, &bytes) && bytes);

	if (!ok)
		snprintf(note, size, "memory: a size, such as 200MB");
	else if (*text)
		json_object_set_new(service, "limits",
			json_pack("[{s:s,s:s,s:i,s:s}]", "metric", "rss", "over", text, "for", 3, "action", "restart"));
	return ok;
}

/* Those of the fields that are empty stay as they are for everybody. */
static bool put_rest(json_t *service, const struct launch_form *form, char *note, size_t size)
{
	json_t *shutdown = json_object();

	if (!is_default(form, LAUNCH_CHANNEL))
		json_object_set_new(service, "ipc", json_string("json"));
	if (!is_default(form, LAUNCH_SHELL))
		json_object_set_new(service, "shell", json_true());
	if (!is_default(form, LAUNCH_NAMESPACE))
		json_object_set_new(service, "namespace", json_string(form->text[LAUNCH_NAMESPACE]));
	if (!is_default(form, LAUNCH_SIGNAL))
		json_object_set_new(shutdown, "signal", json_string(value_of(form, LAUNCH_SIGNAL)));
	bool ok = put_environment(service, form->text[LAUNCH_ENVIRONMENT], note, size) &&
		  put_count(json_object_get(service, "availability"), "max_restarts", form->text[LAUNCH_RESTARTS], note, size) &&
		  put_duration(shutdown, "timeout", form->text[LAUNCH_GRACE], note, size) &&
		  put_limit(service, form->text[LAUNCH_RSS], note, size);
	if (json_object_size(shutdown))
		json_object_set(service, "shutdown", shutdown);
	json_decref(shutdown);
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
	if (!may_run(form, note, size))
		return NULL;
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
	if (service && put_rest(service, form, note, size))
		return service;
	json_decref(service);
	return NULL;
}

/* At a key, and not for each frame. */
static void look(struct ui *ui)
{
	struct launch_form *form = &ui->launch;
	const char *directory = form->text[LAUNCH_DIRECTORY];
	struct strings words = { 0 };
	bool is_program = is_default(form, LAUNCH_SHELL) && command_split(form->text[LAUNCH_COMMAND], &words) == COMMAND_WORDS;

	form->is_missing = is_program && !remote_host() && !path_finds(words.items[0], *directory ? directory : ui->replica.dir);
	strings_finish(&words);
}

static bool ask(struct ui *ui)
{
	struct launch_form *form = &ui->launch;
	json_t *service = launch_service(form, ui->replica.dir, form->note, sizeof form->note);

	if (!service)
		return false;
	bool is_sent = ui_request(ui, REPLY_LAUNCH, 0, "run", json_pack("{s:o}", "service", service));
	if (!is_sent)
		snprintf(form->note, sizeof form->note, "the engine does not answer now");
	return is_sent;
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
		bool is_known = text && (!rows[field].choices[0] || is_choice(field, text));
		snprintf(form->text[field], LAUNCH_TEXT, "%s", is_known ? text : "");
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

/* ---- services as templates ---- */

static bool put_text(struct launch_form *form, enum launch_field field, const struct text *text)
{
	bool fits = text->size < LAUNCH_TEXT;

	snprintf(form->text[field], LAUNCH_TEXT, "%s", fits ? text_string(text) : "");
	return fits;
}

/* What a shell was given is its last word. */
static bool take_command(struct launch_form *form, const json_t *service)
{
	const json_t *words = json_object_get(service, "command"), *word;
	bool has_shell = json_is_true(json_object_get(service, "shell"));
	struct text text;
	size_t i;

	text_init(&text, LAUNCH_TEXT * 4);
	json_array_foreach(words, i, word)
	{
		const char *string = json_string_value(word);
		if (has_shell && i + 1 < json_array_size(words))
			continue;
		text_puts(&text, text.size ? " " : "");
		if (has_shell)
			text_puts(&text, string);
		else
			command_quote(&text, string);
	}
	snprintf(form->text[LAUNCH_SHELL], LAUNCH_TEXT, "%s", has_shell ? "yes" : "");
	bool fits = put_text(form, LAUNCH_COMMAND, &text);
	text_finish(&text);
	return fits;
}

/* Secrets are not shown, and so not taken. */
static bool take_variables(struct launch_form *form, const json_t *service)
{
	json_t *variables = json_object_get(service, "environment"), *value;
	const char *name;
	struct text text;
	bool is_whole = true;

	text_init(&text, LAUNCH_TEXT * 4);
	json_object_foreach(variables, name, value)
	{
		if (secret_is_name(name)) {
			is_whole = false;
			continue;
		}
		text_format(&text, "%s%s=", text.size ? " " : "", name);
		command_quote(&text, json_string_value(value));
	}
	is_whole &= put_text(form, LAUNCH_ENVIRONMENT, &text);
	text_finish(&text);
	return is_whole;
}

static void take_string(struct launch_form *form, enum launch_field field, const json_t *value)
{
	const char *text = json_string_value(value);

	if (text && (!rows[field].choices[0] || is_choice(field, text)))
		snprintf(form->text[field], LAUNCH_TEXT, "%s", text);
	else if (json_is_integer(value))
		snprintf(form->text[field], LAUNCH_TEXT, "%lld", (long long)json_integer_value(value));
}

static void take_limit(struct launch_form *form, const json_t *limits)
{
	const json_t *limit;
	size_t i;

	json_array_foreach(limits, i, limit)
	{
		const char *metric = json_string_value(json_object_get(limit, "metric"));
		if (metric && strcmp(metric, "rss") == 0)
			take_string(form, LAUNCH_RSS, json_object_get(limit, "over"));
	}
}

/* "api-2", or with the first number that no other has. */
static void choose_other_name(const struct ui *ui, const char *service, char out[64])
{
	unsigned number = 2;

	do
		snprintf(out, 64, "%.52s-%u", service, number++);
	while (replica_find((struct replica *)&ui->replica, out, 0));
}

void launch_take_template(struct ui *ui, const json_t *info, const char *why)
{
	struct launch_form *form = &ui->launch;
	const json_t *service = json_object_get(info, "service");
	const json_t *availability = json_object_get(service, "availability"), *shutdown = json_object_get(service, "shutdown");

	if (ui->dialog != DIALOG_LAUNCH || !form->template[0])
		return;
	if (!service) {
		snprintf(form->note, sizeof form->note, "%s", why);
		return;
	}
	memset(form->text, 0, sizeof form->text);
	bool is_whole = take_command(form, service);
	is_whole = take_variables(form, service) && is_whole;
	take_string(form, LAUNCH_DIRECTORY, json_object_get(service, "working_dir"));
	take_string(form, LAUNCH_NAMESPACE, json_array_get(json_object_get(service, "namespaces"), 0));
	take_string(form, LAUNCH_RESTART, json_object_get(availability, "restart"));
	take_string(form, LAUNCH_RESTARTS, json_object_get(availability, "max_restarts"));
	take_string(form, LAUNCH_SIGNAL, json_object_get(shutdown, "signal"));
	take_string(form, LAUNCH_GRACE, json_object_get(shutdown, "timeout"));
	take_limit(form, json_object_get(service, "limits"));
	snprintf(form->text[LAUNCH_TERMINAL], LAUNCH_TEXT, "%s", json_is_true(json_object_get(service, "pty")) ? "yes" : "");
	snprintf(form->text[LAUNCH_CHANNEL], LAUNCH_TEXT, "%s", json_is_string(json_object_get(service, "ipc")) ? "json" : "");
	choose_other_name(ui, form->template, form->text[LAUNCH_NAME]);
	snprintf(form->note, sizeof form->note, "as %s; what has no field here is as usual%s", form->template,
		is_whole ? "" : "; what is secret, or too long, is left out");
	form->recalled = 0;
	look(ui);
}

/* One service after the other, the selected one first. */
static void ask_template(struct ui *ui)
{
	struct launch_form *form = &ui->launch;
	const char *names[256];
	unsigned count = 0, first = 0;

	for (size_t i = 0; i < ui->replica.row_count && count < 256; i++) {
		const char *service = ui->replica.rows[i].row.service;
		if (count && strcmp(names[count - 1], service) == 0)
			continue;
		first = strcmp(service, ui->selected.service) == 0 ? count : first;
		names[count++] = service;
	}
	if (!count) {
		snprintf(form->note, sizeof form->note, "the project has no service that could be a template");
		return;
	}
	snprintf(form->template, sizeof form->template, "%s", names[(first + form->templates++) % count]);
	if (!ui_request(ui, REPLY_TEMPLATE, 0, "info", json_pack("{s:s}", "name", form->template)))
		snprintf(form->note, sizeof form->note, "the engine does not answer now");
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
	if (ask(ui))
		return;
	look(ui);
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

static void take_key(struct ui *ui, uint32_t key)
{
	struct launch_form *form = &ui->launch;
	bool is_chosen = rows[form->field].choices[0];

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
	else if (key == INPUT_CONTROL('t'))
		ask_template(ui);
	else if (is_chosen && (key == ' ' || key == INPUT_ARROW_RIGHT))
		choose(form, 1);
	else if (is_chosen && key == INPUT_ARROW_LEFT)
		choose(form, -1);
	else if (!is_chosen)
		keymap_type(form->text[form->field], LAUNCH_TEXT, key);
}

void launch_key(struct ui *ui, uint32_t key)
{
	take_key(ui, key);
	look(ui);
}

/* ---- drawing ---- */

/* Quoting errors are seen before anything is run. */
static void preview(const struct launch_form *form, struct text *out)
{
	struct strings words = { 0 };
	enum command_kind kind = command_split(form->text[LAUNCH_COMMAND], &words);
	bool has_shell = !is_default(form, LAUNCH_SHELL);

	if (kind != COMMAND_EMPTY && has_shell)
		text_puts(out, "run through /bin/sh -c");
	else if (kind == COMMAND_UNENDED)
		text_puts(out, "! a quote has no end");
	else if (kind == COMMAND_SHELL)
		text_puts(out, "! only a shell understands that");
	else if (kind == COMMAND_WORDS)
		text_puts(out, "argv:");
	for (size_t i = 0; kind == COMMAND_WORDS && !has_shell && i < words.count; i++)
		text_format(out, " [%s]", words.items[i]);
	if (kind == COMMAND_WORDS && form->is_missing)
		text_format(out, "\n! no such program is found here: %s", words.items[0]);
	strings_finish(&words);
}

static void draw_field(const struct launch_form *form, struct grid *grid, struct rect at, enum launch_field field)
{
	bool is_here = field == form->field, has_choices = rows[field].choices[0];
	const char *value = value_of(form, field);
	size_t length = strlen(value), skipped = length > VALUE_WIDTH ? length - VALUE_WIDTH : 0;

	grid_format(grid, at, is_here ? LOOK_KEY : LOOK_NORMAL, "%s %-11s", is_here ? ">" : " ", rows[field].name);
	at.x += NAME_WIDTH;
	at.width -= NAME_WIDTH;
	if (has_choices) {
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

/* The command has its preview below it. What there is no room for comes when its turn does. */
static int draw_fields(const struct launch_form *form, struct grid *grid, struct rect area, const char *seen)
{
	int here = (int)form->field + (form->field > LAUNCH_COMMAND);
	int line = here >= area.height ? area.height - 1 - here : 0; /* of the first field */

	for (enum launch_field field = 0; field < LAUNCH_FIELDS; field++) {
		draw_field(form, grid, rect_line(area, line++), field);
		if (field != LAUNCH_COMMAND)
			continue;
		struct rect at = rect_line(area, line++);
		at.x += NAME_WIDTH;
		at.width -= NAME_WIDTH;
		grid_put_safe(grid, at, *seen == '!' ? LOOK_BAD : LOOK_DIM, "", seen, strlen(seen));
	}
	return line < area.height ? line : area.height;
}

void launch_draw(const struct ui *ui, struct grid *grid)
{
	const struct launch_form *form = &ui->launch;
	struct rect area = grid_box(grid, ui->is_unicode, NAME_WIDTH + VALUE_WIDTH + 1, LAUNCH_FIELDS + 4, "Launch a command");
	struct rect fields = area;
	struct text text;

	text_init(&text, 4 * LAUNCH_TEXT + 256);
	preview(form, &text);
	char *first = (char *)text_string(&text), *second = strchr(first, '\n');
	if (second)
		*second++ = '\0';
	fields.height = area.height > 3 ? area.height - 3 : area.height;
	int line = draw_fields(form, grid, fields, first);
	if (form->note[0])
		grid_put_safe(grid, rect_line(area, line), LOOK_BAD, "  ", form->note, strlen(form->note));
	else if (second)
		grid_put_safe(grid, rect_line(area, line), LOOK_WARN, "  ", second, strlen(second));
	grid_put(grid, rect_line(area, area.height - 2), LOOK_KEY, "^T as a service of the project   ^P ^N as launched before");
	grid_put(grid, rect_line(area, area.height - 1), LOOK_KEY, "Enter Start  Tab completes, next  Space chooses  Esc leaves it");
	text_finish(&text);
}
