#include "replay/standing.h"

#include <stdio.h>
#include <string.h>

void standing_begin(struct standing *standing, const char *service, unsigned instance)
{
	*standing = (struct standing){ .row = { .instance = instance, .state = STATE_PENDING, .wanted = true } };
	snprintf(standing->row.service, sizeof standing->row.service, "%s", service);
	standing->row.ipc.in_rate = standing->row.ipc.out_rate = -1;
}

static void change(struct row *row, enum state state, uint64_t ts_us)
{
	row->state = state;
	row->since_us = ts_us;
	row->deadline_us = 0;
}

/* The recording began when it ran already. */
static void see_process(struct row *row, const struct entry *entry)
{
	if (row->state != STATE_PENDING || row->life || row->pid || !entry->pid)
		return;
	row->pid = entry->pid;
	change(row, STATE_RUNNING, entry->ts_us);
}

/* ---- events ---- */

static uint32_t *count_of(struct restart_counts *counts, enum cause cause)
{
	switch (cause) {
	case CAUSE_MANUAL:
	case CAUSE_RELOAD:
	case CAUSE_DEPENDENCY:
		return &counts->manual;
	case CAUSE_LIMIT:
		return &counts->limit;
	case CAUSE_PROBE:
	case CAUSE_WATCHDOG:
		return &counts->probe;
	case CAUSE_WATCH:
		return &counts->watch;
	default:
		return &counts->crash;
	}
}

/* Only their sum is told; whose doing it was is known by how the process before ended. */
static void count_restarts(struct row *row, uint32_t all)
{
	uint32_t known = restart_counts_sum(&row->restarts);

	if (all > known)
		*count_of(&row->restarts, (enum cause)row->last_death.cause) += all - known;
}

static struct death death_of(const struct row *row, const struct notice *notice)
{
	struct death death = { .life = row->life,
		.pid = notice->pid ? notice->pid : row->pid,
		.started_us = notice->ts_us > notice->uptime_ms * 1000 ? notice->ts_us - notice->uptime_ms * 1000 : 0,
		.ended_us = notice->ts_us,
		.uptime_ms = notice->uptime_ms,
		.cause = notice->cause,
		.code = notice->code,
		.signal = notice->signal,
		.core = notice->cause == CAUSE_CORE };

	snprintf(death.detail, sizeof death.detail, "%s", notice->detail);
	return death;
}

static void take_start(struct standing *standing, const struct notice *notice)
{
	struct row *row = &standing->row;

	standing->is_gone = false;
	row->wanted = true;
	row->pid = notice->pid;
	row->life++;
	row->started_us = notice->ts_us;
	row->sample = (struct sample){ 0 };
}

static void take_end(struct standing *standing, const struct notice *notice)
{
	struct row *row = &standing->row;

	row->last_death = death_of(row, notice);
	row->has_last_death = true;
	row->pid = 0;
	row->sample = (struct sample){ 0 };
}

static void take_backoff(struct standing *standing, const struct notice *notice)
{
	standing->row.deadline_us = notice->ts_us + (uint64_t)notice->delay_ms * 1000;
}

static void take_stop(struct standing *standing, const struct notice *notice)
{
	(void)notice;
	standing->row.wanted = false;
	standing->is_gone = standing->is_leaving;
}

/* What an event means for the instance; a state of SAME leaves it as it is. */
static const struct {
	enum state state;
	void (*take)(struct standing *standing, const struct notice *notice);
} meanings[NOTICE_COUNT] = {
	[NOTICE_STARTED] = { STATE_RUNNING, take_start },
	[NOTICE_READY] = { STATE_READY, NULL },
	[NOTICE_EXITED] = { STATE_PENDING, take_end },
	[NOTICE_BACKOFF] = { STATE_BACKOFF, take_backoff },
	[NOTICE_STOPPING] = { STATE_STOPPING, NULL },
	[NOTICE_STOPPED] = { STATE_STOPPED, take_stop },
	[NOTICE_COMPLETED] = { STATE_COMPLETED, NULL },
	[NOTICE_FAILED] = { STATE_FAILED, NULL },
	[NOTICE_FATAL] = { STATE_FATAL, NULL },
	[NOTICE_UNHEALTHY] = { STATE_UNHEALTHY, NULL },
	[NOTICE_SKIPPED] = { STATE_SKIPPED, NULL },
};

static void take_event(struct standing *standing, const struct entry *entry)
{
	struct row *row = &standing->row;
	struct notice notice;
	struct error err;

	if (!notice_from_json(&notice, entry->json, &err))
		return;
	notice.ts_us = entry->ts_us;
	if (meanings[notice.kind].state != STATE_SAME) {
		change(row, meanings[notice.kind].state, entry->ts_us);
		snprintf(row->detail, sizeof row->detail, "%s", notice.detail);
	}
	if (meanings[notice.kind].take)
		meanings[notice.kind].take(standing, &notice);
	if (notice.kind != NOTICE_SCALED)
		count_restarts(row, notice.restarts);
}

bool standing_death(const struct standing *standing, const struct entry *entry, struct death *death)
{
	struct notice notice;
	struct error err;

	if (entry->kind != ENTRY_EVENT || !notice_from_json(&notice, entry->json, &err) || notice.kind != NOTICE_EXITED)
		return false;
	notice.ts_us = entry->ts_us;
	*death = death_of(&standing->row, &notice);
	return true;
}

bool standing_count(const struct entry *entry, unsigned *count)
{
	const char *event = json_string_value(json_object_get(entry->json, "event"));
	const char *detail = json_string_value(json_object_get(entry->json, "detail"));

	return entry->kind == ENTRY_EVENT && event && detail && strcmp(event, "scaled") == 0 &&
	       sscanf(detail, "%*u -> %u", count) == 1;
}

void standing_scale(struct standing *standing, unsigned count)
{
	standing->is_leaving = standing->row.instance >= count;
	standing->is_gone &= standing->is_leaving;
}

/* ---- all entries ---- */

/* Until a sample tells how many there were altogether. */
static void take_message(struct row *row, const struct entry *entry)
{
	const char *dir = json_string_value(json_object_get(entry->json, "dir"));
	json_int_t bytes = json_integer_value(json_object_get(entry->json, "bytes"));
	bool is_in = dir && strcmp(dir, "in") == 0;

	row->ipc.is_known = true;
	*(is_in ? &row->ipc.in : &row->ipc.out) += 1;
	*(is_in ? &row->ipc.in_bytes : &row->ipc.out_bytes) += bytes > 0 ? (uint64_t)bytes : 0;
}

void standing_take(struct standing *standing, const struct entry *entry)
{
	struct row *row = &standing->row;

	standing->is_gone &= standing->is_leaving;
	if (entry->kind == ENTRY_EVENT) {
		take_event(standing, entry);
		return;
	}
	see_process(row, entry);
	if (entry->kind == ENTRY_SAMPLE)
		sample_from_json(row, entry->json);
	if (entry->kind == ENTRY_IPC)
		take_message(row, entry);
}
