/* `thrum-redis ps`: all engines in one table, from what each tells of itself. */
#include <getopt.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "base/units.h"
#include "base/utf8.h"
#include "fleet/fleet.h"
#include "fleet/redis.h"
#include "model/sample.h"
#include "protocol/value.h"

enum {
	ANSWER_MS = 5000,
	WATCH_MS = 1000,
	FORGET_S = 24 * 3600, /* an engine that was not heard of for so long is no more told */
	LINE_MOST = 4096,
};

#define ROW "%-16.60s %-16.64s %-16.64s"
#define FIGURES " %4lld %4lld %6s %6s  "

struct asking {
	struct redis *redis; /* borrowed */
	json_t *engines;     /* owned; in the order of their names */
	bool is_over;
	char trouble[200];
};

/* In one step and by name: moments, and what each has told last, where it is still there. */
static const char script_list[] =
	"local all, prefix = redis.call('ZRANGEBYSCORE', KEYS[1], ARGV[1], '+inf', 'WITHSCORES'), ARGV[2]\n"
	"local told = {}\n"
	"for i = 1, #all, 2 do\n"
	"	told[#told + 1] = {all[i], all[i + 1], redis.call('GET', prefix .. all[i]) or ''}\n"
	"end\n"
	"redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. ARGV[1])\n"
	"table.sort(told, function(one, other) return one[1] < other[1] end)\n"
	"return told";

static json_t *describe(const redisReply *engine)
{
	const char *name = reply_string(reply_at(engine, 0)), *slash = strrchr(name, '/');
	json_t *beat = json_loads(reply_string(reply_at(engine, 2)), 0, NULL);
	uint64_t seen_ms = (uint64_t)strtod(reply_string(reply_at(engine, 1)), NULL);
	bool is_alive = json_is_object(beat);

	if (!is_alive) {
		json_decref(beat);
		beat = json_pack("{s:s,s:s%,s:s,s:[],s:[]}", "engine", name, "host", name, slash ? (size_t)(slash - name) : strlen(name),
			"project", slash ? slash + 1 : "", "services", "pools");
	}
	json_object_set_new(beat, "alive", json_boolean(is_alive));
	json_object_set_new(beat, "seen", time_to_json(seen_ms * 1000));
	return beat;
}

static void on_list(void *context, const redisReply *reply)
{
	struct asking *asking = context;
	const redisReply *engine;

	if (!reply)
		return;
	asking->is_over = true;
	if (reply->type == REDIS_REPLY_ERROR)
		snprintf(asking->trouble, sizeof asking->trouble, "%.190s", reply->str);
	for (size_t i = 0; (engine = reply_at(reply, i)); i++)
		json_array_append_new(asking->engines, describe(engine));
}

static bool ask(struct asking *asking, const struct settings *settings)
{
	uint64_t until_ms = clock_monotonic_ms() + ANSWER_MS, since_ms = clock_wall_us() / 1000 - (uint64_t)FORGET_S * 1000;
	unsigned era = 0;

	while (!asking->is_over && clock_monotonic_ms() < until_ms) {
		redis_turn(asking->redis);
		if (redis_is_up(asking->redis) && era != redis_era(asking->redis)) {
			era = redis_era(asking->redis);
			redis_ask(asking->redis, on_list, asking, "EVAL %s 1 %s:engines %" PRIu64 " %s:engine:", script_list,
				settings->prefix, since_ms, settings->prefix);
		}
		struct pollfd ready = redis_poll(asking->redis);
		int ms = redis_wait_ms(asking->redis);
		if (poll(&ready, 1, ms < 500 ? ms : 500) > 0)
			redis_handle(asking->redis, ready.revents);
	}
	return asking->is_over && !asking->trouble[0];
}

static const char *trouble_of(const struct asking *asking)
{
	return asking->trouble[0] ? asking->trouble : redis_trouble(asking->redis);
}

/* ---- the table ---- */

/* What others have written is shown as any text of a child. */
static void print_safe(const struct text *line)
{
	struct text safe;

	text_init(&safe, 4 * LINE_MOST);
	utf8_append_safe(&safe, text_string(line), line->size, false);
	puts(text_string(&safe));
	text_finish(&safe);
}

static const char *string_of(const json_t *object, const char *name)
{
	const char *string = json_string_value(json_object_get(object, name));

	return string ? string : "-";
}

/* The pool of that service, behind its states: what it has of the stream, and has answered. */
static void add_pool(struct text *line, const json_t *engine, const char *service)
{
	json_t *pool;
	size_t i;

	json_array_foreach((json_t *)json_object_get(engine, "pools"), i, pool) if (strcmp(string_of(pool, "pool"), service) == 0)
		text_format(line, "; %lld tasks, %lld answered", (long long)json_integer_value(json_object_get(pool, "tasks")),
			(long long)json_integer_value(json_object_get(pool, "answered")));
}

static void print_service(const json_t *engine, const json_t *service)
{
	char rss[UNITS_TEXT_SIZE] = "-", cpu[24] = "-";
	uint64_t bytes = figure_from_json(service, "rss");
	const json_t *pct = json_object_get(service, "cpu_pct");
	struct text line;

	text_init(&line, LINE_MOST);
	if (bytes != SAMPLE_UNKNOWN)
		units_format_size(rss, bytes);
	if (json_is_number(pct))
		snprintf(cpu, sizeof cpu, "%.1f", json_number_value(pct));
	text_format(&line, ROW, string_of(engine, "host"), string_of(engine, "project"), string_of(service, "service"));
	text_format(&line, FIGURES, (long long)json_integer_value(json_object_get(service, "instances")),
		(long long)json_integer_value(json_object_get(service, "restarts")), cpu, rss);
	counts_put(&line, json_object_get(service, "states"));
	add_pool(&line, engine, string_of(service, "service"));
	print_safe(&line);
	text_finish(&line);
}

static void print_lost(const json_t *engine)
{
	struct text line;

	text_init(&line, LINE_MOST);
	text_format(&line, ROW " not heard of since %.30s", string_of(engine, "host"), string_of(engine, "project"), "-",
		string_of(engine, "seen"));
	print_safe(&line);
	text_finish(&line);
}

static void print_table(const json_t *engines)
{
	json_t *engine, *service;
	size_t i, k;

	printf(ROW " %4s %4s %6s %6s  %s\n", "HOST", "PROJECT", "SERVICE", "NUM", "RST", "CPU%", "RSS", "STATES");
	json_array_foreach((json_t *)engines, i, engine)
	{
		if (!json_is_true(json_object_get(engine, "alive")))
			print_lost(engine);
		json_array_foreach(json_object_get(engine, "services"), k, service) print_service(engine, service);
	}
	if (!json_array_size(engines))
		printf("no engine has told of itself; `redis: {server: …}` in a configuration makes one do so\n");
}

static int tell(const struct settings *settings, struct redis *redis, bool wants_json)
{
	struct asking asking = { .redis = redis, .engines = json_array() };
	bool ok = ask(&asking, settings);
	int status = ok ? FLEET_OK : fleet_fail(FLEET_FAILED, "redis %s: %s", settings->server, trouble_of(&asking));

	if (ok && wants_json) {
		json_dumpf(asking.engines, stdout, JSON_COMPACT);
		putchar('\n');
	} else if (ok) {
		print_table(asking.engines);
	}
	json_decref(asking.engines);
	return fflush(stdout) == 0 ? status : FLEET_FAILED;
}

int fleet_ps(const struct settings *settings, int argc, char **argv)
{
	static const struct option options[] = { { "json", no_argument, NULL, 'j' }, { "watch", no_argument, NULL, 'w' }, { 0 } };
	bool wants_json = false, goes_on = false;
	int option, status;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == '?')
			return FLEET_USAGE;
		*(option == 'j' ? &wants_json : &goes_on) = true;
	}
	if (optind < argc)
		return FLEET_USAGE;
	struct redis *redis = redis_create(settings);
	do {
		if (goes_on && !wants_json && isatty(STDOUT_FILENO))
			printf("\033[H\033[2J");
		status = tell(settings, redis, wants_json);
	} while (goes_on && status == FLEET_OK && poll(NULL, 0, WATCH_MS) == 0);
	redis_destroy(redis);
	return status;
}
