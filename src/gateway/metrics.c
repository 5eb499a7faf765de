#include "gateway/metrics.h"

#include <stddef.h>
#include <string.h>

#include "model/sample.h"

struct scrape {
	struct text *out;
	const struct replica *replica;
	uint64_t now_us;
	bool is_open;
};

/* Below 0: not known, and left out. */
struct family {
	const char *name; /* of a counter it ends in _total */
	const char *unit, *help;
	bool is_counter;
	double (*value)(const struct row *row, uint64_t now_us);
};

static double known(uint64_t value)
{
	return value == SAMPLE_UNKNOWN ? -1 : (double)value;
}

static double up_of(const struct row *row, uint64_t now_us)
{
	(void)now_us;
	return state_has_process(row->state);
}

static double wanted_of(const struct row *row, uint64_t now_us)
{
	(void)now_us;
	return row->wanted;
}

static double ready_of(const struct row *row, uint64_t now_us)
{
	(void)now_us;
	return row->state == STATE_READY || (row->state == STATE_RUNNING && !row->is_getting_ready);
}

static double uptime_of(const struct row *row, uint64_t now_us)
{
	bool is_up = row->pid && row->started_us && now_us > row->started_us;

	return is_up ? (double)(now_us - row->started_us) / 1e6 : row->pid ? 0
									   : -1;
}

static double lives_of(const struct row *row, uint64_t now_us)
{
	(void)now_us;
	return row->life;
}

#define SAMPLED(name, field)                                              \
	static double name(const struct row *row, uint64_t now_us)        \
	{                                                                 \
		(void)now_us;                                             \
		return row->sample.pid ? known(row->sample.field) : -1.0; \
	}

SAMPLED(rss_of, tree_rss)
SAMPLED(processes_of, tree_processes)
SAMPLED(threads_of, threads)
SAMPLED(fds_of, fds)

SAMPLED(queue_of, inside.queue)
SAMPLED(busy_of, inside.busy)
SAMPLED(workers_of, inside.size)

static double lag_of(const struct row *row, uint64_t now_us)
{
	double ms = row->sample.pid ? known(row->sample.inside.lag_ms) : -1;

	(void)now_us;
	return ms < 0 ? ms : ms / 1000;
}

static double utilisation_of(const struct row *row, uint64_t now_us)
{
	(void)now_us;
	return row->sample.pid ? row->sample.inside.utilisation : -1;
}

static double cpu_of(const struct row *row, uint64_t now_us)
{
	(void)now_us;
	return row->sample.pid ? row->sample.tree_cpu_pct / 100 : -1;
}

#define TRAFFIC(name, field)                                              \
	static double name(const struct row *row, uint64_t now_us)        \
	{                                                                 \
		(void)now_us;                                             \
		return row->ipc.is_known ? (double)row->ipc.field : -1.0; \
	}

TRAFFIC(messages_in_of, in)
TRAFFIC(messages_out_of, out)
TRAFFIC(bytes_in_of, in_bytes)
TRAFFIC(bytes_out_of, out_bytes)
TRAFFIC(connections_of, connections)

// clang-format off
static const struct family families[] = {
	{ "thrum_instance_up", NULL, "It has a process.", false, up_of },
	{ "thrum_instance_wanted", NULL, "It is meant to be up.", false, wanted_of },
	{ "thrum_instance_ready", NULL, "It runs, and is ready if it tells that.", false, ready_of },
	{ "thrum_instance_uptime_seconds", "seconds", "How long its process has been up.", false, uptime_of },
	{ "thrum_instance_starts_total", NULL, "Processes that it has had.", true, lives_of },
	{ "thrum_instance_cpu_ratio", "ratio", "Cores used by its processes of late.", false, cpu_of },
	{ "thrum_instance_memory_bytes", "bytes", "Resident memory of its processes.", false, rss_of },
	{ "thrum_instance_processes", NULL, "Processes of its tree.", false, processes_of },
	{ "thrum_instance_threads", NULL, "Threads of its main process.", false, threads_of },
	{ "thrum_instance_open_fds", NULL, "Descriptors of its main process.", false, fds_of },
	{ "thrum_instance_queued_tasks", NULL, "Tasks in it that wait for a worker.", false, queue_of },
	{ "thrum_instance_busy_workers", NULL, "Workers in it that have a task.", false, busy_of },
	{ "thrum_instance_workers", NULL, "Workers in it.", false, workers_of },
	{ "thrum_instance_loop_utilisation_ratio", "ratio", "Of its main event loop.", false, utilisation_of },
	{ "thrum_instance_loop_lag_seconds", "seconds", "Since its most delayed loop went round, if it should have.", false, lag_of },
	{ "thrum_instance_messages_received_total", NULL, "Messages that came from it by its channel.", true, messages_in_of },
	{ "thrum_instance_messages_sent_total", NULL, "Messages sent to it by its channel.", true, messages_out_of },
	{ "thrum_instance_received_bytes_total", "bytes", "Bytes that came from it by its channel.", true, bytes_in_of },
	{ "thrum_instance_sent_bytes_total", "bytes", "Bytes sent to it by its channel.", true, bytes_out_of },
	{ "thrum_instance_connections_total", NULL, "Connections that it was handed, as a worker of a cluster.", true, connections_of },
};
// clang-format on

static void put_escaped(struct text *out, const char *text)
{
	for (; *text; text++)
		if (*text == '\n')
			text_puts(out, "\\n");
		else if (*text == '"' || *text == '\\')
			text_format(out, "\\%c", *text);
		else
			text_putc(out, *text);
}

/* OpenMetrics names a counter without what its samples end in. */
static void put_head(const struct scrape *scrape, const char *name, const char *unit, const char *help, bool is_counter)
{
	size_t size = strlen(name) - (scrape->is_open && is_counter ? strlen("_total") : 0);

	text_format(scrape->out, "# TYPE %.*s %s\n", (int)size, name, is_counter ? "counter" : "gauge");
	if (scrape->is_open && unit)
		text_format(scrape->out, "# UNIT %.*s %s\n", (int)size, name, unit);
	text_format(scrape->out, "# HELP %.*s %s\n", (int)size, name, help);
}

static void put_sample(const struct scrape *scrape, const char *name, const struct row *row, const char *label,
	const char *what, double value)
{
	text_format(scrape->out, "%s{project=\"", name);
	put_escaped(scrape->out, scrape->replica->project);
	text_puts(scrape->out, "\",service=\"");
	put_escaped(scrape->out, row->service);
	text_format(scrape->out, "\",instance=\"%u\"", row->instance);
	if (label)
		text_format(scrape->out, ",%s=\"%s\"", label, what);
	text_format(scrape->out, "} %.15g\n", value);
}

static void write_family(const struct scrape *scrape, const struct family *family)
{
	put_head(scrape, family->name, family->unit, family->help, family->is_counter);
	for (size_t i = 0; i < scrape->replica->row_count; i++) {
		const struct row *row = &scrape->replica->rows[i].row;
		double value = family->value(row, scrape->now_us);
		if (value >= 0)
			put_sample(scrape, family->name, row, NULL, NULL, value);
	}
}

/* A one for the state that it is in; others are not there. */
static void write_states(const struct scrape *scrape)
{
	put_head(scrape, "thrum_instance_state", NULL, "Its state: 1, with the name of it.", false);
	for (size_t i = 0; i < scrape->replica->row_count; i++) {
		const struct row *row = &scrape->replica->rows[i].row;
		put_sample(scrape, "thrum_instance_state", row, "state", state_name(row->state), 1);
	}
}

static void write_restarts(const struct scrape *scrape)
{
	static const char name[] = "thrum_instance_restarts_total";
	static const struct {
		const char *reason;
		size_t offset;
	} reasons[] = {
		{ "crash", offsetof(struct restart_counts, crash) },
		{ "manual", offsetof(struct restart_counts, manual) },
		{ "limit", offsetof(struct restart_counts, limit) },
		{ "probe", offsetof(struct restart_counts, probe) },
		{ "watch", offsetof(struct restart_counts, watch) },
	};

	put_head(scrape, name, NULL, "Restarts, by what they were for.", true);
	for (size_t i = 0; i < scrape->replica->row_count; i++) {
		const struct row *row = &scrape->replica->rows[i].row;
		for (size_t k = 0; k < sizeof reasons / sizeof *reasons; k++)
			put_sample(scrape, name, row, "reason", reasons[k].reason,
				*(const uint32_t *)((const char *)&row->restarts + reasons[k].offset));
	}
}

static void write_one(const struct scrape *scrape, const char *name, const char *unit, const char *help, double value)
{
	put_head(scrape, name, unit, help, false);
	text_format(scrape->out, "%s{project=\"", name);
	put_escaped(scrape->out, scrape->replica->project);
	text_format(scrape->out, "\"} %.15g\n", value);
}

void metrics_write(struct text *out, const struct replica *replica, uint64_t now_us, bool is_open_metrics)
{
	struct scrape scrape = { out, replica, now_us, is_open_metrics };
	const struct machine_sample *machine = &replica->machine;

	write_one(&scrape, "thrum_engine_up", NULL, "The engine answers.", replica->is_connected);
	if (replica->project_started_us && now_us > replica->project_started_us)
		write_one(&scrape, "thrum_project_uptime_seconds", "seconds", "Since the project was started.",
			(double)(now_us - replica->project_started_us) / 1e6);
	if (machine->memory_total) {
		write_one(&scrape, "thrum_machine_cpu_ratio", "ratio", "Cores of the machine that are used.", machine->cpu_pct / 100);
		write_one(&scrape, "thrum_machine_memory_bytes", "bytes", "Memory of the machine.", (double)machine->memory_total);
		write_one(&scrape, "thrum_machine_memory_available_bytes", "bytes", "Memory that can be had without swapping.",
			(double)machine->memory_available);
	}
	for (size_t i = 0; i < sizeof families / sizeof *families; i++)
		write_family(&scrape, &families[i]);
	write_states(&scrape);
	write_restarts(&scrape);
	text_puts(out, is_open_metrics ? "# EOF\n" : "");
}
