#include "client/replica.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "protocol/value.h"

enum { ROWS_AT_ONCE = 32 }; /* that there is room made for */

void replica_init(struct replica *replica)
{
	*replica = (struct replica){ 0 };
}

void replica_finish(struct replica *replica)
{
	free(replica->rows);
	replica->rows = NULL;
	replica->row_count = replica->row_room = 0;
}

void replica_copy(struct replica *to, const struct replica *from)
{
	*to = *from;
	to->row_room = from->row_count;
	to->rows = memory_resize(NULL, to->row_room + 1, sizeof *to->rows);
	memcpy(to->rows, from->rows, from->row_count * sizeof *to->rows);
}

/* What tells of many tells in the order of the rows. */
struct replica_row *replica_find(struct replica *replica, const char *service, unsigned instance)
{
	for (size_t n = 0; n < replica->row_count; n++) {
		size_t i = (replica->sought + n) % replica->row_count;
		struct replica_row *row = &replica->rows[i];
		if (row->row.instance != instance || strcmp(row->row.service, service) != 0)
			continue;
		replica->sought = i + 1;
		return row;
	}
	return NULL;
}

/* As rows come when all of them do: none such is there yet. */
static bool goes_last(const struct replica *replica, const struct row *row)
{
	const struct row *last = replica->row_count ? &replica->rows[replica->row_count - 1].row : NULL;

	return last && strcmp(last->service, row->service) == 0 && last->instance < row->instance;
}

/* Where a new row belongs: behind those of its service with a lower number, else at the end. */
static size_t find_place(const struct replica *replica, const struct row *row)
{
	size_t place = replica->row_count;

	for (size_t i = 0; i < replica->row_count; i++) {
		const struct row *other = &replica->rows[i].row;
		if (strcmp(other->service, row->service) != 0)
			continue;
		if (other->instance > row->instance)
			return i;
		place = i + 1;
	}
	return place;
}

/* The one gives its own up for those of the other. */
static void move_rows(struct replica *to, struct replica *from)
{
	free(to->rows);
	to->rows = from->rows;
	to->row_count = from->row_count;
	to->row_room = from->row_room;
	from->rows = NULL;
	from->row_count = from->row_room = 0;
}

static void make_room(struct replica *replica)
{
	if (replica->row_count < replica->row_room)
		return;
	replica->row_room += ROWS_AT_ONCE;
	replica->rows = memory_resize(replica->rows, replica->row_room, sizeof *replica->rows);
}

static void insert(struct replica *replica, const struct row *row)
{
	size_t place = goes_last(replica, row) ? replica->row_count : find_place(replica, row);

	make_room(replica);
	struct replica_row *at = &replica->rows[place];
	memmove(at + 1, at, (replica->row_count - place) * sizeof *at);
	*at = (struct replica_row){ .row = *row };
	replica->row_count++;
}

static bool take_row(struct replica *replica, const json_t *json)
{
	struct error err;
	struct row row;

	if (!row_from_json(&row, json, &err))
		return false;
	struct replica_row *old = goes_last(replica, &row) ? NULL : replica_find(replica, row.service, row.instance);
	if (!old) {
		insert(replica, &row);
		return true;
	}
	if (!row.sample.pid && row.pid == old->row.pid)
		row.sample = old->row.sample;
	old->row = row;
	return true;
}

static bool remove_row(struct replica *replica, const json_t *params)
{
	const char *service = json_string_value(json_object_get(params, "service"));
	json_int_t instance = json_integer_value(json_object_get(params, "instance"));
	struct replica_row *row =
		service ? replica_find(replica, service, (unsigned)instance) : NULL;

	if (!row)
		return false;
	size_t behind = replica->row_count - (size_t)(row - replica->rows) - 1;
	memmove(row, row + 1, behind * sizeof *row);
	replica->row_count--;
	return true;
}

static bool add_notice(struct replica *replica, const struct notice *notice)
{
	if (notice->seq <= replica->last_seq)
		return false; /* known already */
	replica->notices[replica->notice_count++ % REPLICA_NOTICES] = *notice;
	replica->last_seq = notice->seq;
	return true;
}

static bool take_notice(struct replica *replica, const json_t *json)
{
	struct error err;
	struct notice notice;

	return notice_from_json(&notice, json, &err) && add_notice(replica, &notice);
}

static void take_machine(struct machine_sample *machine, const json_t *json)
{
	const json_t *cpu_pct = json_object_get(json, "cpu_pct");

	if (!json_is_object(json))
		return;
	*machine = (struct machine_sample){
		.cpus = (unsigned)json_integer_value(json_object_get(json, "cpus")),
		.cpu_pct = json_is_number(cpu_pct) ? json_number_value(cpu_pct) : -1,
		.memory_total =
			(uint64_t)json_integer_value(json_object_get(json, "memory_total")),
		.memory_available =
			(uint64_t)json_integer_value(json_object_get(json, "memory_available")),
	};
}

/* Every row moves on by one, so that their sparklines keep in step. */
static void push_cpu(struct replica_row *row)
{
	bool is_current = row->row.pid && row->row.sample.pid == row->row.pid;
	double cpu = is_current && row->row.sample.cpu_pct > 0 ? row->row.sample.cpu_pct : 0;

	row->cpu[row->cpu_count++ % REPLICA_HISTORY] = (float)cpu;
}

static bool take_samples(struct replica *replica, const json_t *params)
{
	size_t i;
	json_t *sample;

	take_machine(&replica->machine, json_object_get(params, "machine"));
	json_array_foreach(json_object_get(params, "instances"), i, sample)
	{
		const char *service = json_string_value(json_object_get(sample, "service"));
		json_int_t instance = json_integer_value(json_object_get(sample, "instance"));
		struct replica_row *row =
			service ? replica_find(replica, service, (unsigned)instance) : NULL;
		if (row)
			sample_from_json(&row->row, sample);
	}
	/* of a pass that comes in pieces, the last one tells of the machine */
	for (size_t n = 0; json_object_get(params, "machine") && n < replica->row_count; n++)
		push_cpu(&replica->rows[n]);
	return true;
}

static bool take_bye(struct replica *replica, const json_t *params)
{
	(void)params;
	replica->is_over = true;
	return true;
}

static const struct {
	const char *method;
	bool (*take)(struct replica *replica, const json_t *params);
} notifications[] = {
	{ "bye", take_bye },
	{ "event", take_notice },
	{ "remove", remove_row },
	{ "sample", take_samples },
	{ "update", take_row },
};

bool replica_apply(struct replica *replica, const json_t *message)
{
	const char *method = json_string_value(json_object_get(message, "method"));

	for (size_t i = 0; method && i < sizeof notifications / sizeof *notifications; i++) {
		if (strcmp(method, notifications[i].method) != 0)
			continue;
		bool is_changed =
			notifications[i].take(replica, json_object_get(message, "params"));
		replica->version_counter += is_changed;
		return is_changed;
	}
	return false;
}

static void copy_text(char *out, size_t size, const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	snprintf(out, size, "%s", text ? text : "");
}

static void take_project(struct replica *replica, const json_t *snapshot)
{
	uint64_t started_us = time_from_json(json_object_get(snapshot, "started"));

	if (started_us != replica->project_started_us) {
		/* Another run of the project: its events are numbered from 1 again. */
		replica->notice_count = 0;
		replica->last_seq = 0;
	}
	replica->project_started_us = started_us;
	replica->engine_started_us =
		time_from_json(json_object_get(snapshot, "engine_started"));
	replica->engine_pid =
		(int32_t)json_integer_value(json_object_get(snapshot, "engine_pid"));
	replica->keeper_pid =
		(int32_t)json_integer_value(json_object_get(snapshot, "keeper_pid"));
	copy_text(replica->project, sizeof replica->project, snapshot, "project");
	copy_text(replica->dir, sizeof replica->dir, snapshot, "dir");
	copy_text(replica->version, sizeof replica->version, snapshot, "version");
}

/* By number, of those that are kept. */
static uint64_t oldest_notice(const struct replica *replica)
{
	return replica->notice_count > REPLICA_NOTICES ? replica->notice_count - REPLICA_NOTICES : 0;
}

static void take_notices(struct replica *replica, const json_t *snapshot)
{
	json_int_t seq = json_integer_value(json_object_get(snapshot, "seq"));
	size_t i;
	json_t *notice;

	json_array_foreach(json_object_get(snapshot, "notices"), i, notice)
		take_notice(replica, notice);
	if ((uint64_t)seq > replica->last_seq)
		replica->last_seq = (uint64_t)seq;
}

/* Those of a list, and the ones that came before it. */
static void take_rows(struct replica *replica, struct replica *fresh, const json_t *instances)
{
	size_t i;
	json_t *json;

	json_array_foreach(instances, i, json)
		take_row(fresh, json);
	for (size_t n = 0; n < fresh->row_count; n++) {
		struct replica_row *row = &fresh->rows[n];
		const struct replica_row *before =
			replica_find(replica, row->row.service, row->row.instance);
		if (!before)
			continue;
		memcpy(row->cpu, before->cpu, sizeof row->cpu);
		row->cpu_count = before->cpu_count;
	}
	move_rows(replica, fresh);
}

static bool load(struct replica *replica, struct replica *fresh, const json_t *snapshot, struct error *err)
{
	const json_t *instances = json_object_get(snapshot, "instances");

	if (!json_is_array(instances))
		return error_set(err, 0, "the engine's answer has no instances");
	take_project(replica, snapshot);
	take_rows(replica, fresh, instances);
	for (uint64_t n = oldest_notice(fresh); n < fresh->notice_count; n++)
		add_notice(replica, &fresh->notices[n % REPLICA_NOTICES]);
	take_notices(replica, snapshot);
	replica->is_connected = true;
	replica->is_over = false;
	replica->version_counter++;
	return true;
}

bool replica_load(struct replica *replica, const json_t *snapshot, struct error *err)
{
	struct replica fresh = { 0 };

	return load(replica, &fresh, snapshot, err);
}

/* What comes before the reply is a part of it. */
static bool take_piece(void *context, const json_t *message)
{
	replica_apply(context, message);
	return json_is_string(json_object_get(message, "method"));
}

bool replica_subscribe(struct replica *replica, struct link *link, json_t *params, int timeout_ms, struct error *err)
{
	struct replica fresh = { 0 };

	json_t *snapshot = link_call_taking(link, "subscribe", params, timeout_ms, take_piece, &fresh, err);
	bool ok = snapshot && load(replica, &fresh, snapshot, err);
	json_decref(snapshot);
	replica_finish(&fresh);
	return ok;
}

/* ---- the past ---- */

static void take_trend(struct replica_row *row, const json_t *trend)
{
	const json_t *cpu;
	size_t i;

	row->cpu_count = 0;
	json_array_foreach(trend, i, cpu) row->cpu[row->cpu_count++ % REPLICA_HISTORY] = (float)json_number_value(cpu);
}

/* Of those that are kept, the newest that had happened. */
static uint64_t notices_until(const struct replica *replica, uint64_t at_us)
{
	uint64_t count = replica->notice_count, oldest = oldest_notice(replica);

	while (count > oldest && replica->notices[(count - 1) % REPLICA_NOTICES].ts_us > at_us)
		count--;
	return count;
}

/* Those that it tells take the place of all others. */
static void recall_notices(struct replica *replica, const json_t *reply, uint64_t at_us)
{
	if (!json_object_get(reply, "notices")) {
		replica->notice_count = notices_until(replica, at_us);
		return;
	}
	replica->notice_count = replica->last_seq = 0;
	take_notices(replica, reply);
}

void replica_recall(struct replica *replica, const struct replica *live, uint64_t at_us, const json_t *reply)
{
	const json_t *json;
	struct error err;
	struct row row;
	size_t i;

	free(replica->rows);
	*replica = *live;
	replica->rows = NULL;
	replica->row_count = replica->row_room = 0;
	recall_notices(replica, reply, at_us);
	json_array_foreach(json_object_get(reply, "instances"), i, json)
	{
		if (!row_from_json(&row, json, &err))
			continue;
		insert(replica, &row);
		take_trend(replica_find(replica, row.service, row.instance), json_object_get(json, "trend"));
	}
}

unsigned replica_count(const struct replica *replica, const char *service)
{
	unsigned count = 0;

	for (size_t i = 0; i < replica->row_count; i++)
		count += strcmp(replica->rows[i].row.service, service) == 0;
	return count;
}
