/* What is done to processes. Who is meant is settled when it begins, and not when the answer comes. */
#include <stdio.h>
#include <string.h>

#include "tui/top_ui.h"

/* As ioprio_set(2) numbers them. */
enum { IO_CLASS_SHIFT = 13,
	IO_REAL_TIME = 1,
	IO_BEST_EFFORT = 2,
	IO_IDLE = 3 };

bool top_deed_begin(struct top *top)
{
	struct machine_id meant = top_meant(top);

	if (top->options->read_only) {
		top_say(top, true, "this was opened with --read-only");
		return false;
	}
	top->asked = top->tags;
	if (!top->asked.count && meant.pid)
		machine_set_toggle(&top->asked, &meant);
	return top->asked.count > 0;
}

void top_name_asked(const struct top *top, char out[TOP_MESSAGE_SIZE])
{
	const struct machine_process *process = machine_find(&top->machine, top->asked.ids[0].pid);

	if (top->asked.count == 1)
		snprintf(out, TOP_MESSAGE_SIZE, "%s (pid %d)", process ? process->name : "?", (int)top->asked.ids[0].pid);
	else
		snprintf(out, TOP_MESSAGE_SIZE, "%zu tagged", top->asked.count);
}

/* To each of them; `what` was done, as people say it before who it was done to. */
static void do_to_all(struct top *top, const char *what,
	bool (*act)(struct top *top, const struct machine_id *id, const void *context, struct error *err), const void *context)
{
	char who[TOP_MESSAGE_SIZE];
	struct error err = { 0 };
	size_t done = 0;

	for (size_t i = 0; i < top->asked.count; i++) {
		done += act(top, &top->asked.ids[i], context, &err);
		machine_touch(&top->machine, &top->asked.ids[i]);
	}
	top->is_due = true;
	top_name_asked(top, who);
	if (done == top->asked.count)
		top_say(top, false, "%s %.160s", what, who);
	else
		top_say(top, true, "%s %zu of %zu: %.160s", what, done, top->asked.count, err.text);
}

/* ---- signals ---- */

static bool send_signal(struct top *top, const struct machine_id *id, const void *context, struct error *err)
{
	const struct top_source *source = top->options->source;

	return source->signal(source->context, id, context, err);
}

void top_deed_signal(struct top *top)
{
	char what[TOP_MESSAGE_SIZE];

	snprintf(what, sizeof what, "%s sent to", top->asked_signal);
	do_to_all(top, what, send_signal, top->asked_signal);
}

/* ---- nice ---- */

static bool renice(struct top *top, const struct machine_id *id, const void *context, struct error *err)
{
	const struct top_source *source = top->options->source;
	int now;

	return source->renice(source->context, id, *(const int *)context, &now, err);
}

/* Of one it is told what it is now. */
void top_deed_nice(struct top *top, int by)
{
	const struct top_source *source = top->options->source;
	struct error err = { 0 };
	char who[TOP_MESSAGE_SIZE];
	int now;

	if (!top_deed_begin(top))
		return;
	if (top->asked.count > 1) {
		do_to_all(top, by < 0 ? "nice one lower for" : "nice one higher for", renice, &by);
		return;
	}
	bool ok = source->renice(source->context, &top->asked.ids[0], by, &now, &err);
	top_name_asked(top, who);
	top_say(top, !ok, "%.160s: nice %d", who, now);
	if (!ok)
		top_say(top, true, "%.240s", err.text);
	machine_touch(&top->machine, &top->asked.ids[0]);
	top->is_due = true;
}

/* ---- turns at disks ---- */

/* The order of the menu: as its nice value has it; real time and best effort, 0 to 7 each; idle. */
static int io_of(int index)
{
	if (index == 0)
		return 0;
	if (index == TOP_IO_COUNT - 1)
		return IO_IDLE << IO_CLASS_SHIFT;
	return (index <= 8 ? IO_REAL_TIME : IO_BEST_EFFORT) << IO_CLASS_SHIFT | (index - 1) % 8;
}

const char *top_io_name(int index)
{
	static const char *const names[TOP_IO_COUNT] = { "none: as its nice value has it", "real time 0, the first of all", "real time 1",
		"real time 2", "real time 3", "real time 4", "real time 5", "real time 6", "real time 7", "best effort 0", "best effort 1",
		"best effort 2", "best effort 3", "best effort 4", "best effort 5", "best effort 6", "best effort 7",
		"idle: when nobody else wants the disk" };

	return names[index];
}

void top_deed_open_io(struct top *top)
{
	const struct top_source *source = top->options->source;
	struct error err = { 0 };
	int priority, index = 0;

	if (!top_deed_begin(top))
		return;
	if (!source->get_io(source->context, &top->asked.ids[0], &priority, &err)) {
		top_say(top, true, "%.240s", err.text);
		return;
	}
	for (int i = 0; i < TOP_IO_COUNT; i++)
		index = io_of(i) == priority || (i == TOP_IO_COUNT - 1 && priority >> IO_CLASS_SHIFT == IO_IDLE) ? i : index;
	top_menu_open(top, TOP_DIALOG_IO, index);
}

static bool set_io(struct top *top, const struct machine_id *id, const void *context, struct error *err)
{
	const struct top_source *source = top->options->source;

	return source->set_io(source->context, id, *(const int *)context, err);
}

void top_deed_io(struct top *top, int index)
{
	char what[TOP_MESSAGE_SIZE];
	int priority = io_of(index);

	snprintf(what, sizeof what, "I/O priority '%s' for", top_io_name(index));
	do_to_all(top, what, set_io, &priority);
}

/* ---- processors ---- */

void top_deed_open_processors(struct top *top)
{
	const struct top_source *source = top->options->source;
	struct error err = { 0 };

	if (!top_deed_begin(top))
		return;
	if (source->get_processors(source->context, &top->asked.ids[0], &top->processors, &err))
		top_menu_open(top, TOP_DIALOG_PROCESSORS, 0);
	else
		top_say(top, true, "%.240s", err.text);
}

static bool set_processors(struct top *top, const struct machine_id *id, const void *context, struct error *err)
{
	const struct top_source *source = top->options->source;

	return source->set_processors(source->context, id, context, err);
}

void top_deed_processors(struct top *top)
{
	do_to_all(top, "these processors for", set_processors, &top->processors);
}
