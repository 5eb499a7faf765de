/* Commands that make the engine do something. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/threads.h"
#include "client/launch.h"

enum { END_MS = 6000 }; /* others who read logs have 5 seconds to end */

static int print_instances(const struct invocation *invocation, json_t *result, const char *what)
{
	json_t *instance;
	size_t i;

	if (invocation->json) {
		cli_print_json(json_object_get(result, "instances"));
		return EXIT_OK;
	}
	json_array_foreach(json_object_get(result, "instances"), i, instance)
		printf("%s/%lld: %s\n", json_string_value(json_object_get(instance, "service")),
			(long long)json_integer_value(json_object_get(instance, "instance")), what);
	return EXIT_OK;
}

int cli_call_and_print(
	const struct invocation *invocation, const char *method, json_t *params, const char *what)
{
	int status = EXIT_OK;
	json_t *result = cli_ask(invocation, method, params, &status);

	if (result)
		print_instances(invocation, result, what);
	json_decref(result);
	return status;
}

int cli_act(struct invocation *invocation)
{
	json_t *params = cli_names(invocation);

	if (invocation->no_deps)
		json_object_set_new(params, "no_deps", json_true());
	return cli_call_and_print(
		invocation, invocation->command->name, params, invocation->command->name);
}

/* The life of each instance: another one after a reload. */
static json_t *list_lives(const struct invocation *invocation)
{
	int status = EXIT_OK;
	struct link *link = cli_connect(invocation, &status);
	json_t *result = link ? cli_call(link, "list", cli_names(invocation), &status) : NULL;
	json_t *lives = json_object(), *row;
	size_t i;

	json_array_foreach(json_object_get(result, "instances"), i, row)
		json_object_set_new(lives, json_string_value(json_object_get(row, "service")), json_object());
	json_array_foreach(json_object_get(result, "instances"), i, row)
	{
		char number[24];
		snprintf(number, sizeof number, "%lld", (long long)json_integer_value(json_object_get(row, "instance")));
		if (json_is_integer(json_object_get(row, "pid")))
			json_object_set(json_object_get(lives, json_string_value(json_object_get(row, "service"))), number,
				json_object_get(row, "life"));
	}
	json_decref(result);
	link_close(link);
	return lives;
}

/* Who has the same process as before. */
static int tell_unchanged(json_t *before, json_t *after)
{
	const char *service, *instance;
	json_t *lives, *life;
	int status = EXIT_OK;

	json_object_foreach(before, service, lives) json_object_foreach(lives, instance, life)
	{
		json_t *now = json_object_get(json_object_get(after, service), instance);
		if (now && json_equal(now, life))
			status = cli_fail(EXIT_FAILED, "%s/%s was not reloaded: `thrum events` says why", service, instance);
	}
	return status;
}

int cli_reload(struct invocation *invocation)
{
	json_t *before = invocation->detach ? NULL : list_lives(invocation);
	int status = cli_act(invocation);

	if (status == EXIT_OK && before) {
		invocation->await = "reloaded";
		status = cli_wait(invocation);
	}
	if (status == EXIT_OK && before) {
		json_t *after = list_lives(invocation);
		status = tell_unchanged(before, after);
		json_decref(after);
	}
	json_decref(before);
	return status;
}

int cli_signal(struct invocation *invocation)
{
	const char *signal = invocation->names[0];

	invocation->names++;
	invocation->name_count--;
	json_t *params = cli_names(invocation);
	json_object_set_new(params, "signal", json_string(signal));
	json_object_set_new(params, "tree", json_boolean(invocation->tree));
	return cli_call_and_print(invocation, "signal", params, signal);
}

int cli_scale(struct invocation *invocation)
{
	const char *text = invocation->names[1];
	int status = EXIT_OK;
	char *end;

	if (threads_is_wish(text))
		return cli_scale_threads(invocation);
	if (*text == '=') /* what looked like an option */
		text++;
	bool is_change = *text == '+' || *text == '-';
	long number = strtol(text, &end, 10);
	if (end == text || *end)
		return cli_fail(EXIT_USAGE, "scale takes a number, +N or -N, not '%s'", text);
	json_t *result = cli_ask(invocation, "scale",
		json_pack("{s:s,s:I}", "name", invocation->names[0], is_change ? "delta" : "count", (json_int_t)number), &status);
	if (result && invocation->json)
		cli_print_json(result);
	else if (result)
		printf("%s: %lld instances\n", invocation->names[0],
			(long long)json_integer_value(json_object_get(result, "instances")));
	json_decref(result);
	return status;
}

/* Until the engine says goodbye, or is gone. */
static void wait_for_end(struct link *link)
{
	struct error err = { 0 };
	json_t *message;
	bool is_over = false;

	while (!is_over && !err.code) {
		while ((message = link_next(link, &err))) {
			const char *method = json_string_value(json_object_get(message, "method"));
			is_over = is_over || (method && strcmp(method, "bye") == 0);
			json_decref(message);
		}
		if (!is_over && !err.code)
			link_wait(link, -1);
	}
}

int cli_down(struct invocation *invocation)
{
	int status = EXIT_OK;
	uint64_t timeout_ms = 0;

	if (!cli_duration("timeout", invocation->timeout, &timeout_ms))
		return EXIT_USAGE;
	struct link *link = cli_connect(invocation, &status);
	if (!link)
		return status;
	json_t *subscribed = cli_call(link, "subscribe", NULL, &status);
	json_t *result =
		subscribed
			? cli_call(link, "down",
				  json_pack("{s:I}", "timeout_ms", (json_int_t)timeout_ms), &status)
			: NULL;
	if (result)
		wait_for_end(link);
	if (result && invocation->json)
		printf("{}\n");
	json_decref(subscribed);
	link_close(link);
	if (result) {
		char *project = cli_project(invocation);
		launch_await_end(project, END_MS);
		free(project);
	}
	json_decref(result);
	return status;
}
