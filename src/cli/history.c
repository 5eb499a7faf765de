/* What died, and the record of one death. */
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/units.h"
#include "base/utf8.h"
#include "cli/cli.h"
#include "cli/in_use.h"
#include "client/graph.h"
#include "client/remote.h"
#include "protocol/row.h"
#include "protocol/value.h"

enum { SECONDS = 19, /* characters of a time up to its seconds */
	LINE_MOST = 4096 };

static void print_death(const json_t *json)
{
	char started[CLOCK_TEXT_SIZE], uptime[UNITS_TEXT_SIZE], rss[UNITS_TEXT_SIZE],
		cpu[UNITS_TEXT_SIZE], ending[DEATH_TEXT_SIZE], name[SERVICE_NAME_MOST + 24];
	struct death death;
	struct error err;

	if (!death_from_json(&death, json, &err))
		return;
	clock_format_iso(started, death.started_us);
	units_format_duration(uptime, death.uptime_ms);
	units_format_size(rss, death.peak_rss);
	units_format_duration(cpu, death.cpu_ms);
	snprintf(name, sizeof name, "%s/%lld", json_string_value(json_object_get(json, "service")),
		(long long)json_integer_value(json_object_get(json, "instance")));
	printf("%-20s %4u %8d  %.*s %9s %6s %8s  ", name, death.life, death.pid, SECONDS, started, uptime,
		rss, cpu);
	death_explain(ending, &death);
	printf("%s", ending);
	if (death.detail[0]) {
		printf("  ");
		cli_print_safe(death.detail);
	}
	putchar('\n');
}

static void print_table(const json_t *deaths)
{
	const json_t *death;
	size_t i;

	printf("%-20s %4s %8s  %-19s %9s %6s %8s  %s\n", "NAME", "LIFE", "PID", "STARTED (UTC)",
		"RAN", "PEAK", "CPU", "ENDED BY");
	json_array_foreach(deaths, i, death)
		print_death(death);
}

/* ---- one death ---- */

static void print_facts(const json_t *json)
{
	char started[CLOCK_TEXT_SIZE], ended[CLOCK_TEXT_SIZE], uptime[UNITS_TEXT_SIZE],
		rss[UNITS_TEXT_SIZE] = "-", cpu[UNITS_TEXT_SIZE], ending[DEATH_TEXT_SIZE];
	struct death death;
	struct error err;

	if (!death_from_json(&death, json, &err))
		return;
	clock_format_iso(started, death.started_us);
	clock_format_iso(ended, death.ended_us);
	units_format_duration(uptime, death.uptime_ms);
	units_format_duration(cpu, death.cpu_ms);
	if (death.peak_rss)
		units_format_size(rss, death.peak_rss);
	printf("%s/%lld  life %u, pid %d\n", json_string_value(json_object_get(json, "service")),
		(long long)json_integer_value(json_object_get(json, "instance")), death.life,
		death.pid);
	death_explain(ending, &death);
	printf("ended by   %s", ending);
	if (death.detail[0]) {
		printf(": ");
		cli_print_safe(death.detail);
	}
	printf("\nran        %s, from %s to %s\nused       %s of CPU, %s of memory at its peak\n",
		uptime, started, ended, cpu, rss);
}

static void print_graph(const json_t *death, const char *name, const char *key)
{
	bool is_unicode = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	struct text graph;

	text_init(&graph, LINE_MOST);
	if (graph_append(&graph, json_object_get(death, "samples"), key, is_unicode ? SPARK_BLOCKS : SPARK_ASCII))
		printf("%-10s %s\n", name, text_string(&graph));
	text_finish(&graph);
}

/* A line as it was written, with whatever in it, NULs too. */
static void print_bytes(const char *bytes, size_t size)
{
	struct text safe;

	text_init(&safe, size * 8 + 1);
	utf8_append_safe(&safe, bytes ? bytes : "", size, false);
	puts(text_string(&safe));
	text_finish(&safe);
}

static void print_lines(const json_t *lines)
{
	const json_t *line;
	char local[CLOCK_TEXT_SIZE];
	size_t i;

	if (!json_is_array(lines))
		printf("\nwhat it wrote last is not kept any more\n");
	else
		printf(json_array_size(lines) ? "\n" : "\nit wrote nothing\n");
	json_array_foreach(lines, i, line)
	{
		const json_t *text = json_object_get(line, "text");
		const char *stream = json_string_value(json_object_get(line, "stream"));
		bool is_err = stream && strcmp(stream, "stderr") == 0;
		clock_format_local(local, time_from_json(json_object_get(line, "ts")));
		printf("%s %s ", local, is_err ? "!" : "|");
		print_bytes(json_string_value(text), json_string_length(text));
	}
}

static void print_port(const json_t *in_use)
{
	const char *by = json_string_value(json_object_get(in_use, "by"));
	int port = (int)json_integer_value(json_object_get(in_use, "port"));

	if (by)
		printf("port %-5d  is held by %s\n", port, by);
	else if (in_use)
		printf("port %-5d  was in use; nobody whom we may see has it now\n", port);
}

static void print_record(const json_t *death)
{
	setlocale(LC_CTYPE, "");
	print_facts(death);
	print_port(json_object_get(death, "in_use"));
	print_graph(death, "cpu", "cpu_pct");
	print_graph(death, "rss", "rss");
	print_lines(json_object_get(death, "lines"));
}

/* The Nth from the end of those that were listed. */
static int show(struct link *link, const json_t *deaths, uint64_t number, const struct invocation *invocation)
{
	size_t count = json_array_size(deaths);
	int status = EXIT_OK;

	if (number < 1 || number > count)
		return cli_fail(EXIT_FAILED, "there are %zu such deaths in the history", count);
	const json_t *wanted = json_array_get(deaths, count - number);
	static const char *const keys[] = { "service", "instance", "life", "started" };
	json_t *params = json_object();
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		json_object_set(params, keys[i], json_object_get(wanted, keys[i]));
	json_t *death = cli_call(link, "death", params, &status);
	json_t *in_use = death && !remote_host() ? in_use_tell(json_object_get(death, "lines")) : NULL;
	if (in_use)
		json_object_set_new(death, "in_use", in_use);
	if (death && invocation->json)
		cli_print_json(death);
	else if (death)
		print_record(death);
	json_decref(death);
	return status;
}

/* What to ask for; NULL after saying what is wrong. */
static json_t *params_of(const struct invocation *invocation, uint64_t *number)
{
	json_t *params = cli_names(invocation);
	uint64_t limit = 0, since_us = 0;
	bool ok = cli_count("lines", invocation->lines, &limit) &&
		  cli_count("show", invocation->show, number) &&
		  cli_since(invocation->since, &since_us);

	if (*number > limit)
		limit = *number;
	if (limit)
		json_object_set_new(params, "limit", json_integer((json_int_t)limit));
	if (since_us)
		json_object_set_new(params, "since", time_to_json(since_us));
	if (ok)
		return params;
	json_decref(params);
	return NULL;
}

int cli_history(struct invocation *invocation)
{
	int status = EXIT_OK;
	uint64_t number = invocation->last ? 1 : 0;
	json_t *params = params_of(invocation, &number);

	if (!params)
		return EXIT_USAGE;
	struct link *link = cli_connect(invocation, &status);
	json_t *result = link ? cli_call(link, "history", json_incref(params), &status) : NULL;
	json_decref(params);
	const json_t *deaths = json_object_get(result, "deaths");
	if (result && (invocation->last || invocation->show))
		status = show(link, deaths, number, invocation);
	else if (result && invocation->json)
		cli_print_json(deaths);
	else if (result)
		print_table(deaths);
	json_decref(result);
	link_close(link);
	return status;
}
