#include "gateway/health.h"

#include "base/clock.h"
#include "protocol/value.h"

static bool is_ready(const struct row *row)
{
	return row->state == STATE_READY || row->state == STATE_COMPLETED || row->state == STATE_SCHEDULED ||
	       (row->state == STATE_RUNNING && !row->is_getting_ready);
}

static bool has_failed(const struct row *row)
{
	return row->state == STATE_FATAL || row->state == STATE_FAILED;
}

/* Does it matter? What nobody wants up does not, unless that is because it failed. */
static bool matters(const struct row *row)
{
	return row->wanted || has_failed(row);
}

static const char *judge(const struct replica *replica)
{
	size_t total = 0, ready = 0;

	for (size_t i = 0; i < replica->row_count; i++) {
		const struct row *row = &replica->rows[i].row;
		total += matters(row);
		ready += matters(row) && is_ready(row);
	}
	if (!replica->is_connected || (total && !ready))
		return "unhealthy";
	return ready == total ? "healthy" : "degraded";
}

/* Figures that nobody has measured are null, not 0. */
static void add_figures(json_t *json, const struct replica *replica)
{
	uint64_t rss = 0, processes = 0;
	double cpu = 0;

	for (size_t i = 0; i < replica->row_count; i++) {
		const struct sample *sample = &replica->rows[i].row.sample;
		if (!sample->pid)
			continue;
		rss += sample->tree_rss == SAMPLE_UNKNOWN ? 0 : sample->tree_rss;
		cpu += sample->tree_cpu_pct;
		processes++;
	}
	json_object_set_new(json, "memory", json_pack("{s:o}", "rss", figure_to_json(processes ? rss : SAMPLE_UNKNOWN)));
	json_object_set_new(json, "cpu", json_pack("{s:o}", "percent", rate_to_json(processes ? cpu : -1)));
}

json_t *health_describe(const struct replica *replica, unsigned connections, uint64_t now_us, bool *is_well)
{
	const char *status = judge(replica);
	char now[CLOCK_TEXT_SIZE];

	*is_well = status[0] != 'u';
	clock_format_iso(now, now_us);
	json_t *json = json_pack("{s:s,s:s,s:f,s:i,s:i,s:s,s:i}", "service", replica->project, "status", status, "uptime",
		replica->project_started_us && now_us > replica->project_started_us
			? (double)(now_us - replica->project_started_us) / 1e6
			: 0.0,
		"pid", (int)replica->engine_pid, "connections", (int)connections, "timestamp", now, "instances",
		(int)replica->row_count);
	add_figures(json, replica);
	return json;
}

json_t *health_readiness(const struct replica *replica, bool *is_all_ready)
{
	json_t *reasons = json_array();

	if (!replica->is_connected)
		json_array_append_new(reasons, json_string("the engine does not answer"));
	for (size_t i = 0; i < replica->row_count; i++) {
		const struct row *row = &replica->rows[i].row;
		if (!matters(row) || is_ready(row))
			continue;
		json_array_append_new(reasons,
			json_sprintf("%s/%u is %s%s%s", row->service, row->instance,
				row->is_getting_ready ? "not ready yet" : state_name(row->state),
				row->detail[0] ? ": " : "", row->detail));
	}
	*is_all_ready = json_array_size(reasons) == 0;
	return json_pack("{s:b,s:o}", "ready", *is_all_ready, "reasons", reasons);
}
