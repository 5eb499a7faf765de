/* Messages between processes and whoever types: ipc, send, trigger. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/feed.h"
#include "cli/record.h"
#include "model/figure.h"
#include "protocol/method.h"
#include "protocol/row.h"

enum {
	BATCH_BYTES = 64 * 1024,
	WAIT_MS = 30000,
	GRACE_MS = 5000, /* the engine gives up before we do */
	RECORD_MOST = 1024 * 1024,
};

/* ---- ipc ---- */

static void print_traffic(const struct row *row, int width)
{
	char name[128], in[FIGURE_SIZE], out[FIGURE_SIZE];
	const struct traffic *ipc = &row->ipc;

	snprintf(name, sizeof name, "%s/%u", row->service, row->instance);
	printf("%-*s %10llu %10llu %8llu %8s %8s %12llu %12llu %9llu %6llu\n", width, name, (unsigned long long)ipc->in,
		(unsigned long long)ipc->out, (unsigned long long)ipc->connections, figure_whole(in, ipc->in_rate, "-"),
		figure_whole(out, ipc->out_rate, "-"), (unsigned long long)ipc->in_bytes, (unsigned long long)ipc->out_bytes,
		(unsigned long long)ipc->queued, (unsigned long long)ipc->errors);
}

/* Of those that have a channel. */
static json_t *describe_traffic(const json_t *instances)
{
	json_t *list = json_array(), *row, *ipc;
	size_t i;

	json_array_foreach(instances, i, row)
	{
		ipc = json_object_get(row, "ipc");
		if (!json_is_object(ipc))
			continue;
		json_t *item = json_pack("{s:O,s:O,s:s,s:s}", "service", json_object_get(row, "service"), "instance",
			json_object_get(row, "instance"), "peer", "engine", "transport", "channel");
		json_object_update(item, ipc);
		json_array_append_new(list, item);
	}
	return list;
}

static void print_table(const json_t *instances)
{
	struct row row;
	struct error err;
	const json_t *json;
	size_t i, shown = 0;

	printf("%-24s %10s %10s %8s %8s %8s %12s %12s %9s %6s\n", "NAME", "IN", "OUT", "CONNS", "IN/S", "OUT/S", "IN BYTES", "OUT BYTES",
		"QUEUED", "BAD");
	json_array_foreach(instances, i, json)
	{
		if (!row_from_json(&row, json, &err) || !row.ipc.is_known)
			continue;
		print_traffic(&row, 24);
		shown++;
	}
	if (!shown)
		printf("no process has a channel; `ipc: json` gives one\n");
}

static int list_traffic(struct link *link, const struct invocation *invocation)
{
	int status = EXIT_OK;
	json_t *result = cli_call(link, "list", cli_names(invocation), &status);
	json_t *instances = json_object_get(result, "instances");

	if (result && invocation->json) {
		json_t *list = describe_traffic(instances);
		cli_print_json(list);
		json_decref(list);
	} else if (result) {
		print_table(instances);
	}
	json_decref(result);
	return status;
}

static void print_message(const struct invocation *invocation, const json_t *params)
{
	struct record_style style = { .json = invocation->json, .colour = isatty(STDOUT_FILENO), .safe = true };
	struct text text;

	text_init(&text, RECORD_MOST);
	record_message(&text, &style, params);
	fputs(text_string(&text), stdout);
	text_finish(&text);
}

static bool watch(struct link *link, const struct invocation *invocation, int *status)
{
	json_t *params = cli_names(invocation);

	if (invocation->filter)
		json_object_set_new(params, "filter", json_string(invocation->filter));
	json_t *result = cli_call(link, "ipc.watch", params, status);
	json_decref(result);
	return result;
}

/* Until the connection or standard output is gone. */
static void print_messages(struct link *link, const struct invocation *invocation, struct error *err)
{
	json_t *message;

	for (err->code = 0; !err->code;) {
		while ((message = link_next(link, err))) {
			const char *method = json_string_value(json_object_get(message, "method"));
			if (method && strcmp(method, "message") == 0)
				print_message(invocation, json_object_get(message, "params"));
			json_decref(message);
		}
		if (fflush(stdout) != 0)
			return;
		if (!err->code)
			link_wait(link, -1);
	}
}

static int follow_traffic(struct link *link, const struct invocation *invocation)
{
	struct error err = { 0 };
	int status = EXIT_OK;

	while (watch(link, invocation, &status)) {
		print_messages(link, invocation, &err);
		if (!err.code || ferror(stdout) || !cli_reconnect(link, &err))
			break;
	}
	return status;
}

int cli_ipc(struct invocation *invocation)
{
	int status = EXIT_OK;
	struct link *link = cli_connect(invocation, &status);

	if (link && (invocation->map || invocation->dot))
		status = cli_map(link, invocation);
	else if (link)
		status = invocation->follow || invocation->filter ? follow_traffic(link, invocation)
								  : list_traffic(link, invocation);
	link_close(link);
	return status;
}

/* ---- send ---- */

/* The answers as they came, one a line. */
static int print_replies(const struct invocation *invocation, const json_t *result)
{
	json_t *reply, *name;
	size_t i;

	json_array_foreach(json_object_get(result, "replies"), i, reply)
	{
		if (invocation->json || isatty(STDOUT_FILENO) == 0)
			puts(json_string_value(json_object_get(reply, "text")));
		else {
			printf("%s/%lld: ", json_string_value(json_object_get(reply, "service")),
				(long long)json_integer_value(json_object_get(reply, "instance")));
			cli_print_safe(json_string_value(json_object_get(reply, "text")));
			putchar('\n');
		}
	}
	json_array_foreach(json_object_get(result, "unanswered"), i, name)
		cli_fail(EXIT_FAILED, "%s has not answered in time, or is gone", json_string_value(name));
	return json_array_size(json_object_get(result, "unanswered")) ? EXIT_FAILED : EXIT_OK;
}

/* One request whose answer may take as long as the operator has patience. */
static int ask(const struct invocation *invocation, const char *method, json_t *params)
{
	uint64_t wait_ms = WAIT_MS;
	int status = EXIT_OK;
	struct error err = { 0 };

	if (!cli_duration("timeout", invocation->timeout, &wait_ms)) {
		json_decref(params);
		return EXIT_USAGE;
	}
	json_object_set_new(params, "wait_ms", json_integer((json_int_t)wait_ms));
	struct link *link = cli_connect(invocation, &status);
	json_t *result = link ? link_call(link, method, json_incref(params), (int)(wait_ms + GRACE_MS), &err) : NULL;
	if (result)
		status = print_replies(invocation, result);
	else if (link)
		status = cli_fail(cli_status(&err), "%s", err.text);
	json_decref(result);
	json_decref(params);
	link_close(link);
	return status;
}

static json_t *read_json(const char *text)
{
	json_error_t why;
	json_t *message = json_loads(text, JSON_DECODE_ANY, &why);

	if (!message)
		cli_fail(EXIT_USAGE, "'%.80s' is no JSON: %s at character %d; text is \"text\", in quotes", text, why.text,
			why.position);
	return message;
}

/* The engine takes them as fast as the processes do, and at once what there is; an empty line is the end. fate: why there are no more. */
static bool write_lines(struct link *link, struct feed *feed, enum feed_fate *fate, struct error *err)
{
	bool ok = true;
	struct text batch;
	const char *line;
	size_t size;

	text_init(&batch, 2 * BATCH_BYTES + PROTOCOL_LINE_MOST);
	while (ok && (*fate = feed_next(feed, &line, &size)) == FEED_LINE) {
		text_append(&batch, line, size);
		text_putc(&batch, '\n');
		if (batch.size < BATCH_BYTES && !feed_is_dry(feed))
			continue;
		ok = link_write(link, batch.data, batch.size, err);
		text_clear(&batch);
	}
	text_putc(&batch, '\n');
	ok = ok && link_write(link, batch.data, batch.size, err);
	text_finish(&batch);
	return ok;
}

/* How it went; it is told at the end, however early it went wrong. */
static json_t *await_result(struct link *link, struct error *err)
{
	json_t *message, *params = NULL;

	while (!params) {
		while (!params && (message = link_next(link, err))) {
			const char *method = json_string_value(json_object_get(message, "method"));
			if (method && strcmp(method, "streamed") == 0)
				params = json_incref(json_object_get(message, "params"));
			json_decref(message);
		}
		if (err->code)
			break;
		if (!params)
			link_wait(link, -1);
	}
	return params;
}

static int stream_file(struct link *link, const struct invocation *invocation, struct feed *feed)
{
	int status = EXIT_OK;
	struct error err = { 0 };
	enum feed_fate fate = FEED_END;
	json_t *begun = cli_call(link, "send.stream", json_pack("{s:[s]}", "names", invocation->names[0]), &status);

	if (!begun)
		return status;
	json_decref(begun);
	json_t *result = write_lines(link, feed, &fate, &err) ? await_result(link, &err) : NULL;
	long long sent = json_integer_value(json_object_get(result, "sent"));
	const char *why = json_string_value(json_object_get(result, "error"));
	if (!result)
		status = cli_fail(EXIT_NO_ENGINE, "%s: how many were sent is not known", err.text);
	else if (why)
		status = cli_fail(EXIT_FAILED, "%lld were sent; the next was not: %s", sent, why);
	else if (fate == FEED_TOO_LONG)
		status = cli_fail(EXIT_FAILED, "%lld were sent; the next was not: it is longer than %d bytes", sent,
			PROTOCOL_LINE_MOST);
	else if (fate == FEED_FAILED)
		status = cli_fail(EXIT_FAILED, "%lld were sent; then %s: %s", sent, invocation->from, strerror(feed->reason));
	else
		printf(invocation->json ? "{\"sent\": %lld}\n" : "%lld sent\n", sent);
	json_decref(result);
	return status;
}

static int send_file(struct invocation *invocation)
{
	struct feed feed;
	int status = EXIT_OK;

	if (!feed_open(&feed, invocation->from))
		return cli_fail(EXIT_USAGE, "%s: %s", invocation->from, strerror(errno));
	struct link *link = cli_connect(invocation, &status);
	if (link)
		status = stream_file(link, invocation, &feed);
	link_close(link);
	feed_close(&feed);
	return status;
}

int cli_send(struct invocation *invocation)
{
	if (invocation->from && invocation->name_count == 1)
		return send_file(invocation);
	if (invocation->from || invocation->name_count != 2)
		return cli_fail(EXIT_USAGE, "send takes NAME and either a message or --from FILE");
	json_t *message = read_json(invocation->names[1]);
	if (!message)
		return EXIT_USAGE;
	json_t *params = json_pack("{s:[s],s:o}", "names", invocation->names[0], "message", message);
	return invocation->wait ? ask(invocation, "send", params) : cli_call_and_print(invocation, "send", params, "sent");
}

/* ---- trigger ---- */

int cli_trigger(struct invocation *invocation)
{
	json_t *params = json_pack("{s:[s],s:s}", "names", invocation->names[0], "action", invocation->names[1]);

	if (invocation->name_count > 2) {
		json_t *options = read_json(invocation->names[2]);
		if (!options) {
			json_decref(params);
			return EXIT_USAGE;
		}
		json_object_set_new(params, "params", options);
	}
	return ask(invocation, "trigger", params);
}
