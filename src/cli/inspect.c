/* What goes on inside a process: of the project, by the engine; any other by our own hand. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "cli/cli.h"
#include "cli/inspect.h"
#include "cli/instance.h"
#include "cli/stack.h"
#include "inspect/holdings.h"
#include "inspect/inspector.h"
#include "model/figure.h"
#include "model/sample.h"
#include "model/trace.h"
#include "procfs/ceiling.h"
#include "protocol/holdings.h"
#include "protocol/inside.h"

enum { CELL = FIGURE_SIZE,
	SPAN_MS = 1000, /* between the two looks that rates are told from */
	STEP_MS = 1000,
	TEXT_MOST = 1024 * 1024 };

/* ---- looking ---- */

static int32_t pid_of(const char *name)
{
	char *end;
	long pid = strtol(name, &end, 10);

	return *name && !*end && pid > 0 && pid <= INT32_MAX ? (int32_t)pid : 0;
}

static void pause_between(uint64_t ms)
{
	struct timespec left = { .tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000 };

	while (nanosleep(&left, &left) < 0 && errno == EINTR)
		;
}

/* What may leak is looked at once a second: a line is put through it. */
static void pass_time(struct trace *trace, int32_t pid, uint64_t span_ms)
{
	uint64_t until_ms = clock_monotonic_ms() + span_ms, now_ms;
	uint64_t figures[GROWTH_FIGURES];

	while ((now_ms = clock_monotonic_ms()) < until_ms && figures_read(figures, pid)) {
		struct trace_entry entry = { .ts_us = now_ms * 1000,
			.pid = pid,
			.rss = figures[GROWTH_RSS],
			.fds = (uint32_t)figures[GROWTH_FDS],
			.threads = (uint32_t)figures[GROWTH_THREADS] };
		trace_add(trace, &entry, TRACE_MOST);
		pause_between(until_ms - now_ms < STEP_MS ? until_ms - now_ms : STEP_MS);
	}
}

static bool study_again(struct study *study, struct inspector *inspector, int32_t pid, uint64_t span_ms, struct error *err)
{
	struct ceiling ceilings[GROWTH_FIGURES];
	struct trace trace = { 0 };

	study_finish(study);
	pass_time(&trace, pid, span_ms);
	bool ok = inspector_study(inspector, pid, study, err);
	ceilings_read(ceilings, pid);
	if (ok)
		study_trace(study, &trace, ceilings);
	trace_finish(&trace);
	return ok;
}

static int study_process(struct study *study, int32_t pid, uint64_t span_ms)
{
	struct inspector *inspector = inspector_create();
	struct error err = { 0 };
	bool ok = inspector_study(inspector, pid, study, &err);

	if (ok && span_ms)
		ok = study_again(study, inspector, pid, span_ms, &err);
	inspector_destroy(inspector);
	return ok ? EXIT_OK : cli_fail(EXIT_FAILED, "%s", err.text);
}

static json_t *ask(struct link *link, const json_t *info, bool with_holdings, int *status)
{
	json_t *params = instance_params(info);

	json_object_set_new(params, "files", json_boolean(with_holdings));
	return cli_call(link, "inspect", params, status);
}

/* Of a span that is long enough for it to tell what leaks, the engine has to take samples. */
static void wait_sampling(struct link *link, const char *name, uint64_t span_ms)
{
	uint64_t until_ms = clock_monotonic_ms() + span_ms, now_ms;
	bool ok = true;
	int status = EXIT_OK;

	while (ok && (now_ms = clock_monotonic_ms()) < until_ms) {
		uint64_t left_ms = until_ms - now_ms, step_ms = span_ms < SLOPE_SPAN_LEAST_S * 1000 ? span_ms : STEP_MS;
		link_wait(link, (int)(left_ms < step_ms ? left_ms : step_ms));
		if (left_ms <= step_ms)
			return;
		json_t *result = cli_call(link, "list", json_pack("{s:[s]}", "names", name), &status);
		ok = result;
		json_decref(result);
	}
}

/* The engine is asked twice, unless it has looked a while ago anyway. */
static int study_instance(struct study *study, struct invocation *invocation, uint64_t span_ms)
{
	int status = EXIT_OK;
	struct link *link = cli_connect(invocation, &status);
	json_t *info = link ? instance_find(link, invocation->names[0], &status) : NULL;
	json_t *result = info ? ask(link, info, invocation->holdings && !span_ms, &status) : NULL;

	if (result && span_ms) {
		json_decref(result);
		wait_sampling(link, invocation->names[0], span_ms);
		result = ask(link, info, invocation->holdings, &status);
	}
	if (result)
		study_from_json(study, result);
	json_decref(result);
	json_decref(info);
	link_close(link);
	return status;
}

int inspect_look(struct study *study, struct invocation *invocation)
{
	int32_t pid = pid_of(invocation->names[0]);
	uint64_t span_ms = SPAN_MS;

	*study = (struct study){ 0 };
	if (!cli_duration("over", invocation->over, &span_ms))
		return EXIT_USAGE;
	if (span_ms > INT32_MAX)
		return cli_fail(EXIT_USAGE, "--over %s is too long", invocation->over);
	if (!pid)
		return study_instance(study, invocation, span_ms);
	int status = study_process(study, pid, span_ms);
	if (status == EXIT_OK && invocation->holdings)
		holdings_read(study);
	return status;
}

/* ---- printing ---- */

static void print_padded(const char *text, int width)
{
	cli_print_safe(text);
	printf("%*s", width > (int)strlen(text) ? width - (int)strlen(text) : 0, "");
}

static void print_threads(const struct study *study)
{
	char cpu[CELL], wait[CELL], switches[CELL];

	printf("%8s %-16s %-22s S %6s %8s %8s %3s  %-16s %s\n", "TID", "NAME", "ROLE", "CPU%", "WAIT-MS", "SWITCH/S", "ON",
		"SYSCALL", "WAITS IN");
	for (size_t i = 0; i < study->thread_count; i++) {
		const struct thread_report *thread = &study->threads[i];
		printf("%8d ", (int)thread->tid);
		print_padded(thread->name, 16);
		printf(" %-22s %c %6s %8s %8s %3d  %-16s %s\n", *thread->role ? thread->role : "-", thread->state,
			figure_rate(cpu, thread->cpu_pct, "?"), figure_count(wait, thread->run_wait_ms, "?"),
			figure_rate(switches, thread->switch_rate, "?"), (int)thread->last_cpu,
			*thread->syscall ? thread->syscall : "?", *thread->wchan ? thread->wchan : "-");
	}
}

static void print_loops(const struct study *study)
{
	char used[CELL], rounds[CELL], lag[CELL], worst[CELL], handles[CELL], requests[CELL], undelivered[CELL];

	if (!study->loop_count)
		return;
	printf("\n%8s %6s %8s %8s %8s %8s %8s %11s\n", "LOOP", "LOOP%", "LAG-MS", "WORST-MS", "ROUNDS/S", "HANDLES",
		"REQUESTS", "UNDELIVERED");
	for (size_t i = 0; i < study->loop_count; i++) {
		const struct loop_report *loop = &study->loops[i];
		printf("%8d %6s %8s %8s %8s %8s %8s %11s\n", (int)loop->tid, figure_rate(used, loop->utilisation * 100, "?"),
			figure_count(lag, loop->lag_ms, "?"), figure_count(worst, loop->worst_ms, "?"),
			figure_rate(rounds, loop->iterations, "?"),
			figure_count(handles, loop->handles, "?"), figure_count(requests, loop->requests, "?"),
			figure_count(undelivered, loop->undelivered, "?"));
	}
}

static void print_pools(const struct study *study)
{
	char threads[CELL], busy[CELL], queued[CELL];

	if (!study->pool_count)
		return;
	printf("\n%-8s %-16s %7s %7s %7s  %s\n", "POOL", "NAME", "THREADS", "BUSY", "QUEUE", "OF WHICH");
	for (size_t i = 0; i < study->pool_count; i++) {
		const struct pool_report *pool = &study->pools[i];
		printf("%-8s ", pool_kind_name(pool->kind));
		print_padded(*pool->name ? pool->name : "-", 16);
		printf(" %7s %7s %6s%s ", figure_count(threads, pool->threads, "?"), figure_count(busy, pool->busy, "?"),
			figure_count(queued, pool->queued, "?"), pool->is_exact || pool->queued == SAMPLE_UNKNOWN ? " " : "+");
		for (enum work_kind kind = 0; kind < WORK_KIND_COUNT; kind++)
			if (pool->by_kind[kind])
				printf(" %s %" PRIu64, work_kind_name(kind), pool->by_kind[kind]);
		if (*pool->reason)
			printf(" (%s)", pool->reason);
		putchar('\n');
	}
}

static void print_peer(const struct peer_report *peer)
{
	char in[CELL], out[CELL], got[CELL], sent[CELL], in_rate[CELL], out_rate[CELL], rtt[CELL], resent[CELL];

	printf("%4d %-5s %s %6s %6s %6s %6s %6s %6s %6s %6s  ", (int)peer->fd, peer_transport_name(peer->transport), figure_arrow(peer),
		figure_size(in, peer->in_queued, "-"), figure_size(out, peer->out_queued, "-"), figure_size(got, peer->in_bytes, "-"),
		figure_size(sent, peer->out_bytes, "-"), figure_speed(in_rate, peer->in_rate, "-"),
		figure_speed(out_rate, peer->out_rate, "-"), figure_ms(rtt, peer->rtt_ms, "-"), figure_count(resent, peer->resent, "-"));
	cli_print_safe(peer->process);
	if (peer->pid)
		printf(" (%d) ", (int)peer->pid);
	cli_print_safe(*peer->remote ? peer->remote : peer->local);
	putchar('\n');
}

static void print_peers(const struct study *study)
{
	if (!study->peer_count)
		return;
	printf("\n%4s %-5s %3s %6s %6s %6s %6s %6s %6s %6s %6s  %s\n", "FD", "KIND", "", "UNREAD", "UNSENT", "IN", "OUT", "IN/S", "OUT/S",
		"RTT-MS", "RESENT", "WITH");
	for (size_t i = 0; i < study->peer_count; i++)
		print_peer(&study->peers[i]);
}

static void print_findings(const struct study *study)
{
	for (size_t i = 0; i < study->finding_count; i++) {
		printf("- ");
		cli_print_safe(study->findings[i]);
		putchar('\n');
	}
	putchar('\n');
}

static void print_holdings(const struct study *study)
{
	struct text text;

	text_init(&text, TEXT_MOST);
	holdings_describe(&text, study);
	printf("\n%s", text_string(&text));
	text_finish(&text);
}

static void print_all(const struct study *study)
{
	printf("process %d ", (int)study->pid);
	cli_print_safe(study->process);
	putchar('\n');
	print_findings(study);
	print_threads(study);
	print_loops(study);
	print_pools(study);
	print_peers(study);
	if (study->has_holdings)
		print_holdings(study);
}

static void print_json(const struct study *study, const char *part)
{
	json_t *json = study_to_json(study);

	cli_print_json(part ? json_object_get(json, part) : json);
	json_decref(json);
}

int cli_inspect(struct invocation *invocation)
{
	struct study study;
	int status = inspect_look(&study, invocation);

	if (status == EXIT_OK && invocation->json)
		print_json(&study, NULL);
	else if (status == EXIT_OK)
		print_all(&study);
	study_finish(&study);
	return status;
}

int cli_threads(struct invocation *invocation)
{
	struct study study;

	if (invocation->stack || invocation->tid)
		return cli_stack(invocation);
	int status = inspect_look(&study, invocation);
	if (status == EXIT_OK && invocation->json)
		print_json(&study, "threads");
	else if (status == EXIT_OK)
		print_threads(&study);
	study_finish(&study);
	return status;
}
