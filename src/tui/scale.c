/* Another number of instances, or of the threads of the pool that the screen is about: what it is now, and what it may be. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/spec.h"
#include "tui/pane.h"
#include "tui/ui.h"

enum { DIGITS_MOST = 9 };

/* What would get larger or smaller. */
struct sized {
	char name[160];         /* for people */
	const char *pool;       /* of threads, in the process that is shown; NULL: the instances of the selected service */
	const char *one, *many; /* what it is a number of */
	long now, least, most;  /* now below 0: not known */
};

/* Where the screen is about a pool of threads, it is that which gets larger. */
static const json_t *thread_pool(const struct ui *ui)
{
	bool is_shown = ui->is_zoomed && ui->tab == TAB_POOL && !insight_is_pool(&ui->insight);

	return is_shown ? insight_thread_pool(ui, 0) : NULL;
}

static struct sized sized(const struct ui *ui)
{
	const json_t *pool = thread_pool(ui), *target = json_object_get(pool, "target");
	const struct replica_row *row = rows_selected(ui);
	struct sized sized = { .pool = json_string_value(json_object_get(pool, "name")) };

	if (sized.pool) {
		snprintf(sized.name, sizeof sized.name, "pool %s of %s/%d", sized.pool, ui->shown.service, ui->shown.instance);
		sized.one = "thread";
		sized.many = "threads";
		sized.now = json_is_integer(target) ? (long)json_integer_value(target) : -1;
		sized.most = INSIDE_POOL_THREADS_MOST;
		return sized;
	}
	bool is_pool = row && row->row.is_pool;
	snprintf(sized.name, sizeof sized.name, "%s", ui->selected.service);
	sized.one = is_pool ? "worker" : "instance";
	sized.many = is_pool ? "workers" : "instances";
	sized.now = (long)replica_count(&ui->replica, ui->selected.service);
	sized.least = 1;
	sized.most = SPEC_INSTANCES_MOST;
	return sized;
}

static bool may_have(const struct sized *sized, long count)
{
	return count >= sized->least && count <= sized->most;
}

/* How many may be had, and how to have none. */
static void say_bounds(const struct sized *sized, char *out, size_t size)
{
	snprintf(out, size, "from %ld to %ld %s%s", sized->least, sized->most, sized->many, sized->least ? "; x stops all of it" : "");
}

static json_t *request_of(const struct ui *ui, const struct sized *sized, const char *key, long value)
{
	json_t *name = sized->pool ? json_sprintf("%s/%d", ui->shown.service, ui->shown.instance) : json_string(ui->selected.service);

	return json_pack("{s:o,s:s*,s:I}", "name", name, "pool", sized->pool, key, (json_int_t)value);
}

void scale_by(struct ui *ui, int delta)
{
	struct sized it = sized(ui);
	char bounds[128];

	say_bounds(&it, bounds, sizeof bounds);
	if (it.now >= 0 && !may_have(&it, it.now + delta))
		ui_say(ui, true, "%s has %ld %s: %s", it.name, it.now, it.now == 1 ? it.one : it.many, bounds);
	else if (ui_request(ui, REPLY_ACTION, 0, "scale", request_of(ui, &it, "delta", delta)))
		ui_say(ui, false, "%s: %+d %s", it.name, delta, it.one);
}

/* ---- exactly so many ---- */

/* What is wrong with what was typed; "" if it can be done, or nothing was. */
static long read_count(const struct ui *ui, const struct sized *sized, char why[128])
{
	bool is_number = ui->input[0] && strspn(ui->input, "0123456789") == strlen(ui->input) && strlen(ui->input) <= DIGITS_MOST;
	long count = is_number ? strtol(ui->input, NULL, 10) : -1;

	why[0] = '\0';
	if (ui->input[0] && !may_have(sized, count))
		say_bounds(sized, why, 128);
	return count;
}

bool scale_finish(struct ui *ui)
{
	struct sized it = sized(ui);
	char why[128];
	long count = read_count(ui, &it, why);

	if (why[0])
		return false;
	if (ui->input[0] && ui_request(ui, REPLY_ACTION, 0, "scale", request_of(ui, &it, "count", count)))
		ui_say(ui, false, "%s: %ld %s", it.name, count, count == 1 ? it.one : it.many);
	return true;
}

int scale_draw_question(const struct ui *ui, struct grid *grid, struct rect at)
{
	struct sized it = sized(ui);

	if (it.now < 0)
		return grid_format(grid, at, LOOK_NORMAL, "%s, %ld to %ld %s: ", it.name, it.least, it.most, it.many);
	return grid_format(grid, at, LOOK_NORMAL, "%s, %ld to %ld %s, now %ld: ", it.name, it.least, it.most, it.many, it.now);
}

void scale_draw_answer(const struct ui *ui, struct grid *grid, struct rect at)
{
	struct sized it = sized(ui);
	char why[128];
	long count = read_count(ui, &it, why);

	if (why[0])
		grid_put(grid, at, LOOK_BAD, why);
	else if (ui->input[0] && it.now >= 0)
		grid_format(grid, at, LOOK_DIM, "%+ld", count - it.now);
}
