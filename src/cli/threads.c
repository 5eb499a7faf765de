#include "cli/threads.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "inspect/page.h"
#include "protocol/inside.h"

enum { BAR_WIDTH = 32 };

int32_t threads_pid(const char *name)
{
	char *end;
	long pid = strtol(name, &end, 10);

	return *name && !*end && pid > 0 && pid <= INT32_MAX ? (int32_t)pid : 0;
}

/* ---- wishes ---- */

bool threads_is_wish(const char *text)
{
	return *text != '=' && strchr(text, '=');
}

static int wish_of_process(struct invocation *invocation, int32_t pid, const struct thread_wish *wish)
{
	struct error err = { 0 };
	int threads = page_wish(pid, wish, &err);

	if (threads < 0)
		return cli_fail(EXIT_FAILED, "%s", err.text);
	json_t *result = json_pack("{s:s,s:s,s:b,s:[{s:i,s:i}]}", "name", invocation->names[0], "pool", wish->pool,
		"draining", wish->kind == WISH_DRAIN, "instances", "pid", (int)pid, "threads", threads);
	if (invocation->json)
		cli_print_json(result);
	else if (wish->kind == WISH_DRAIN)
		printf("%d: %s takes no more tasks\n", (int)pid, wish->pool);
	else
		printf("%d: %s is to have %d threads\n", (int)pid, wish->pool, threads);
	json_decref(result);
	return EXIT_OK;
}

static void print_wishes(const json_t *result)
{
	const char *pool = json_string_value(json_object_get(result, "pool"));
	json_t *one;
	size_t i;

	json_array_foreach(json_object_get(result, "instances"), i, one)
	{
		printf("%s/%lld: %s ", json_string_value(json_object_get(one, "service")),
			(long long)json_integer_value(json_object_get(one, "instance")), pool);
		if (json_is_true(json_object_get(result, "draining")))
			puts("takes no more tasks");
		else
			printf("is to have %lld threads\n", (long long)json_integer_value(json_object_get(one, "threads")));
	}
}

static int wish(struct invocation *invocation, const struct thread_wish *wish)
{
	static const char *const members[] = { [WISH_SIZE] = "count", [WISH_CHANGE] = "delta", [WISH_DRAIN] = "drain" };
	int32_t pid = threads_pid(invocation->names[0]);
	int status = EXIT_OK;

	if (pid)
		return wish_of_process(invocation, pid, wish);
	json_t *params = json_pack(
		"{s:s,s:s,s:I}", "name", invocation->names[0], "pool", wish->pool, members[wish->kind], (json_int_t)wish->number);
	json_t *result = cli_ask(invocation, wish->kind == WISH_DRAIN ? "drain" : "scale", params, &status);
	if (result && invocation->json)
		cli_print_json(result);
	else if (result)
		print_wishes(result);
	json_decref(result);
	return status;
}

int cli_scale_threads(struct invocation *invocation)
{
	const char *text = strrchr(invocation->names[1], '=') + 1;
	char *pool = memory_copy_n(invocation->names[1], (size_t)(text - 1 - invocation->names[1])), *end;
	struct thread_wish wanted = { pool, *text == '+' || *text == '-' ? WISH_CHANGE : WISH_SIZE, strtol(text, &end, 10) };
	int status = end == text || *end ? cli_fail(EXIT_USAGE, "scale takes POOL=N, POOL=+N or POOL=-N, not '%s'", invocation->names[1])
					 : wish(invocation, &wanted);

	free(pool);
	return status;
}

int cli_drain_threads(struct invocation *invocation)
{
	struct thread_wish wanted = { invocation->names[1], WISH_DRAIN, 0 };

	if (invocation->off)
		return cli_fail(EXIT_USAGE, "a thread pool that was drained takes nothing more for ever");
	return wish(invocation, &wanted);
}

/* ---- how they are ---- */

static const char *figure(char out[24], const json_t *pool, const char *name)
{
	const json_t *value = json_object_get(pool, name);

	if (json_is_integer(value))
		snprintf(out, 24, "%lld", (long long)json_integer_value(value));
	else
		snprintf(out, 24, "?");
	return out;
}

static void print_figures(const json_t *pool)
{
	static const char *const names[] = { "threads", "busy", "queued", "submitted", "completed", "failed", "cancelled" };
	char text[24];

	for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
		printf("%s%s %s", i ? ", " : "  ", names[i], figure(text, pool, names[i]));
	putchar('\n');
}

static void print_times(const char *name, const json_t *times)
{
	static const char *const parts[] = { "p50", "p95", "p99" };

	printf("  %-7s", name);
	for (unsigned i = 0; i < sizeof parts / sizeof *parts; i++) {
		const json_t *ms = json_object_get(times, parts[i]);
		if (json_is_number(ms))
			printf("  %s %.3f ms", parts[i], json_number_value(ms));
		else
			printf("  %s -", parts[i]);
	}
	putchar('\n');
}

static double most_runs(const json_t *histogram)
{
	json_t *bucket;
	double most = 1;
	size_t i;

	json_array_foreach(histogram, i, bucket)
	{
		double runs = json_number_value(json_object_get(bucket, "runs"));
		if (runs > most)
			most = runs;
	}
	return most;
}

/* How long tasks ran, a line for each doubling and a half that any took. */
static void print_histogram(const json_t *histogram)
{
	double most = most_runs(histogram);
	json_t *bucket;
	size_t i;

	json_array_foreach(histogram, i, bucket)
	{
		double runs = json_number_value(json_object_get(bucket, "runs"));
		int width = (int)(runs / most * BAR_WIDTH + 0.5);
		if (runs > 0)
			printf("  ran < %10.4f ms %12.0f %.*s\n", json_number_value(json_object_get(bucket, "below_ms")), runs,
				width, "################################");
	}
}

static void print_owner(const json_t *pool)
{
	const char *service = json_string_value(json_object_get(pool, "service")), *name = json_string_value(json_object_get(pool, "name"));
	char text[24];

	if (service)
		printf("%s/%s: ", service, figure(text, pool, "instance"));
	cli_print_safe(name ? name : "?");
	printf(", %s threads wanted%s\n", figure(text, pool, "target"),
		json_is_true(json_object_get(pool, "draining")) ? ", draining" : "");
}

void threads_print(const json_t *pools)
{
	json_t *pool;
	size_t i;

	json_array_foreach(pools, i, pool)
	{
		print_owner(pool);
		print_figures(pool);
		print_times("waited", json_object_get(pool, "wait_ms"));
		print_times("ran", json_object_get(pool, "run_ms"));
		print_histogram(json_object_get(pool, "histogram"));
	}
}

int threads_show(struct invocation *invocation, int32_t pid)
{
	struct thread_pool *pools = memory_zeroed(INSIDE_POOLS_MOST, sizeof *pools);
	size_t count = page_study(pid, pools, INSIDE_POOLS_MOST);
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, thread_pool_to_json(&pools[i]));
	free(pools);
	json_t *result = json_pack("{s:s,s:s,s:o}", "name", invocation->names[0], "kind", "thread", "thread_pools", list);
	if (count && invocation->json)
		cli_print_json(result);
	else if (count)
		threads_print(list);
	json_decref(result);
	if (!count && kill(pid, 0) < 0 && errno == ESRCH)
		return cli_fail(EXIT_FAILED, "there is no process %d", (int)pid);
	return count ? EXIT_OK : cli_fail(EXIT_FAILED, "process %d has no thread pools of libthrum that can be seen", (int)pid);
}
