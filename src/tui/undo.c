#include "tui/undo.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "tui/ui.h"

enum { NEWS_US = 30000000 };

static void add(struct ui *ui, const char *method, json_t *params, const char *what)
{
	struct undo *undo = &ui->undo;

	if (undo->count == UNDO_MOST) {
		json_decref(undo->entries[0].params);
		memmove(undo->entries, undo->entries + 1, --undo->count * sizeof *undo->entries);
	}
	struct undo_entry *entry = &undo->entries[undo->count++];
	*entry = (struct undo_entry){ .key = undo->keys, .at_us = ui->now_us, .method = method, .params = params };
	snprintf(entry->what, sizeof entry->what, "%s", what);
}

/* ---- whom a request is about ---- */

/* As the engine understands them: model/project.h. */
static bool has_namespace(const struct row *row, const char *pattern)
{
	char names[sizeof row->namespaces], *rest = names, *name;

	snprintf(names, sizeof names, "%s", row->namespaces);
	while ((name = strsep(&rest, ",")))
		if (*name && fnmatch(pattern, name, 0) == 0)
			return true;
	return false;
}

static bool has_name(const struct row *row, const char *name)
{
	char whole[sizeof row->service + 16];

	snprintf(whole, sizeof whole, "%s/%u", row->service, row->instance);
	if (strncmp(name, "ns:", 3) == 0)
		return has_namespace(row, name + 3);
	return strcmp(name, "all") == 0 || fnmatch(name, row->service, 0) == 0 || fnmatch(name, whole, 0) == 0;
}

static bool is_meant(const struct row *row, const json_t *params)
{
	const json_t *identity = json_object_get(params, "identity"), *names = json_object_get(params, "names"), *name;
	const char *service = json_string_value(json_object_get(identity, "service"));
	size_t i;

	if (service)
		return strcmp(service, row->service) == 0 && json_integer_value(json_object_get(identity, "instance")) == row->instance;
	json_array_foreach(names, i, name)
	{
		if (has_name(row, json_string_value(name)))
			return true;
	}
	return false;
}

/* "stop web/0", "stop web/0 and 3 more" */
static void describe(char out[UNDO_WORD_SIZE], const char *method, const json_t *names)
{
	const char *first = json_string_value(json_array_get(names, 0));
	size_t count = json_array_size(names);

	if (count > 1)
		snprintf(out, UNDO_WORD_SIZE, "%s %.40s and %zu more", method, first, count - 1);
	else
		snprintf(out, UNDO_WORD_SIZE, "%s %.70s", method, first);
}

/* Only those that it changes: who was down already is not to be started for it. */
static void note_states(struct ui *ui, const char *method, const json_t *params, bool was_up, const char *back)
{
	json_t *names = json_array();
	char what[UNDO_WORD_SIZE];

	for (size_t i = 0; i < ui->replica.row_count; i++) {
		const struct row *row = &ui->replica.rows[i].row;
		if (!state_is_over(row->state) == was_up && is_meant(row, params))
			json_array_append_new(names, json_sprintf("%s/%u", row->service, row->instance));
	}
	if (json_array_size(names)) {
		describe(what, method, names);
		add(ui, back, json_pack("{s:O}", "names", names), what);
	}
	json_decref(names);
}

static void note_stop(struct ui *ui, const char *method, const json_t *params)
{
	note_states(ui, method, params, true, "start");
}

static void note_start(struct ui *ui, const char *method, const json_t *params)
{
	note_states(ui, method, params, false, "stop");
}

static void note_scale(struct ui *ui, const char *method, const json_t *params)
{
	const char *name = json_string_value(json_object_get(params, "name"));
	json_int_t delta = json_integer_value(json_object_get(params, "delta")), count = 0;
	json_t *pool = json_object_get(params, "pool");
	char what[UNDO_WORD_SIZE];

	snprintf(what, sizeof what, "%s %.70s", method, name ? name : "");
	if (pool && delta)
		add(ui, method, json_pack("{s:s,s:O,s:I}", "name", name, "pool", pool, "delta", -delta), what);
	count = name ? replica_count(&ui->replica, name) : 0;
	if (!pool && count)
		add(ui, method, json_pack("{s:s,s:I}", "name", name, "count", count), what);
}

static void note_drain(struct ui *ui, const char *method, const json_t *params)
{
	const char *name = json_string_value(json_object_get(params, "name"));
	bool is_off = json_is_true(json_object_get(params, "off"));
	char what[UNDO_WORD_SIZE];

	snprintf(what, sizeof what, "%s %.70s%s", method, name ? name : "", is_off ? " off" : "");
	add(ui, method, json_pack("{s:s,s:b}", "name", name ? name : "", "off", !is_off), what);
}

void undo_note(struct ui *ui, const char *method, const json_t *params)
{
	static const struct {
		const char *method;
		void (*note)(struct ui *ui, const char *method, const json_t *params);
	} notes[] = {
		{ "stop", note_stop },
		{ "kill", note_stop },
		{ "start", note_start },
		{ "scale", note_scale },
		{ "drain", note_drain },
	};

	for (size_t i = 0; i < sizeof notes / sizeof *notes && !ui->undo.is_under_way; i++)
		if (strcmp(notes[i].method, method) == 0)
			notes[i].note(ui, notes[i].method, params);
}

void undo_note_launch(struct ui *ui, const char *service)
{
	char what[UNDO_WORD_SIZE];

	snprintf(what, sizeof what, "launch %.80s", service);
	add(ui, "stop", json_pack("{s:[s]}", "names", service), what);
}

/* ---- taking it back ---- */

void undo_do(struct ui *ui)
{
	struct undo *undo = &ui->undo;
	char what[UNDO_WORD_SIZE];
	unsigned count = 0;
	bool is_sent = true;

	if (!undo->count) {
		ui_say(ui, true, "nothing was done here that can be taken back");
		return;
	}
	uint64_t key = undo->entries[undo->count - 1].key;
	undo->is_under_way = true;
	while (undo->count && undo->entries[undo->count - 1].key == key) {
		struct undo_entry *entry = &undo->entries[undo->count - 1];
		snprintf(what, sizeof what, "%s", entry->what);
		is_sent = ui_request(ui, REPLY_ACTION, 0, entry->method, json_incref(entry->params));
		if (!is_sent)
			break; /* said why; it can be taken back later */
		json_decref(entry->params);
		undo->count--;
		count++;
	}
	undo->is_under_way = false;
	if (!is_sent)
		return;
	if (count > 1)
		ui_say(ui, false, "taken back: %s and %u others", what, count - 1);
	else
		ui_say(ui, false, "taken back: %s", what);
}

const char *undo_offer(const struct ui *ui)
{
	const struct undo_entry *last = ui->undo.count ? &ui->undo.entries[ui->undo.count - 1] : NULL;

	return last && ui->now_us < last->at_us + NEWS_US ? last->what : NULL;
}

void undo_forget(struct ui *ui)
{
	while (ui->undo.count)
		json_decref(ui->undo.entries[--ui->undo.count].params);
}
