/*
 * The terminal of an instance, as if it were ours: what is typed goes to the engine, what the process
 * prints is read from its log by offset. The engine may come and go meanwhile, and the process too.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/cli.h"
#include "cli/instance.h"
#include "cli/keys.h"
#include "cli/modes.h"
#include "cli/outlet.h"
#include "cli/raw.h"
#include "protocol/base64.h"
#include "protocol/chunk.h"
#include "protocol/method.h"
#include "protocol/row.h"
#include "client/signals.h"

enum {
	HISTORY_MOST = 256 * 1024, /* looked at for how the program has its terminal */
	TYPED_PIECE = 4096,        /* bytes a request, and a read */
	TYPED_MOST = 16 * TYPED_PIECE,
	FULL_MS = 20,    /* until what was refused for want of room is tried again */
	STUCK_MS = 1000, /* without any progress: keys are dropped, so that one can still detach */
	REDRAW_MS = 50,  /* between two sizes, for a program to see both */
	RETRY_MS = 100,  /* between tries to find the engine again … */
	GONE_MS = 30000, /* … which is given up then */
	LAST_MS = 500,   /* for the terminal to take what is still to be shown */
};
#define DETACH_KEYS "C-] d"

struct attach {
	struct link *link;
	char service[64];
	unsigned instance;
	struct key_watch detach;
	bool is_read_only;  /* watched, not touched: neither keys nor a size */
	struct modes modes; /* as the program has switched them */
	struct outlet outlet;
	int signal_fd;

	uint64_t offset; /* of the next byte to be read */
	json_int_t read_request;
	bool is_grown;

	struct text typed; /* not yet taken by the engine */
	size_t piece;      /* of it, under way */
	json_int_t type_request;
	uint64_t type_ms;  /* not before */
	uint64_t moved_ms; /* when the last piece was taken, or the first one typed */

	uint64_t resize_ms; /* when the size is to be told; 0: it is known */
	uint64_t lost_ms;   /* when the engine was lost; 0: it is there */
	uint64_t retry_ms;

	int32_t pid;
	struct text news; /* of the process, told when what it printed before is shown */
	bool is_ending;   /* nothing more comes: leave once all is shown */
	bool is_over;     /* the engine has said goodbye */
	bool is_leaving, is_gone;
	int status;
};

static json_t *identify(const struct attach *attach)
{
	return json_pack("{s:s,s:i}", "service", attach->service, "instance", (int)attach->instance);
}

/* The reply, if it matters, is known by its number. A loss is seen where messages are read. */
static json_int_t request(struct attach *attach, const char *method, json_t *params)
{
	struct error err;
	json_int_t id;

	return link_send(attach->link, method, params, &id, &err) ? id : 0;
}

/* ---- the size ---- */

static void tell_size(struct attach *attach, int fewer)
{
	unsigned columns, rows;

	attach->resize_ms = fewer ? clock_monotonic_ms() + REDRAW_MS : 0;
	if (attach->is_read_only)
		return;
	json_t *params = identify(attach);
	raw_size(&columns, &rows);
	rows = rows > 1 ? rows - (unsigned)fewer : rows + (unsigned)fewer;
	json_object_set_new(params, "columns", json_integer(columns));
	json_object_set_new(params, "rows", json_integer(rows));
	request(attach, "tty.resize", params);
}

/* A program draws everything when its size changes: so it does, twice. */
static void redraw(struct attach *attach)
{
	tell_size(attach, 1);
}

/* ---- the process ---- */

static void note(struct attach *attach, const char *what)
{
	text_format(&attach->news, "[%s/%u: %s]\r\n", attach->service, attach->instance, what);
}

static void note_end(struct attach *attach, const struct row *row)
{
	char cause[CAUSE_TEXT_SIZE] = "ended", what[DEATH_DETAIL_SIZE + 64];

	if (row->has_last_death)
		death_describe(cause, &row->last_death);
	snprintf(what, sizeof what, "%s, %s", cause, state_name(row->state));
	note(attach, what);
}

static void note_start(struct attach *attach, const struct row *row)
{
	char what[64];

	snprintf(what, sizeof what, "started again, pid %d", (int)row->pid);
	note(attach, what);
	tell_size(attach, 0);
}

static void take_row(struct attach *attach, const json_t *json)
{
	struct row row;
	struct error err;

	if (!row_from_json(&row, json, &err) || row.instance != attach->instance ||
		strcmp(row.service, attach->service) != 0)
		return;
	if (attach->pid && row.pid != attach->pid)
		note_end(attach, &row);
	if (row.pid && row.pid != attach->pid)
		note_start(attach, &row);
	attach->pid = row.pid;
	attach->is_ending = state_is_over(row.state);
	if (row.state == STATE_FAILED || row.state == STATE_FATAL)
		attach->status = EXIT_FAILED;
}

static void take_removal(struct attach *attach, const json_t *params)
{
	const char *service = json_string_value(json_object_get(params, "service"));

	if (!service || strcmp(service, attach->service) != 0 ||
		json_integer_value(json_object_get(params, "instance")) != attach->instance)
		return;
	note(attach, "scaled away");
	attach->is_ending = true;
}

static void take_growth(struct attach *attach, const json_t *params)
{
	const char *service = json_string_value(json_object_get(params, "service"));

	attach->is_grown |= service && strcmp(service, attach->service) == 0 &&
			    json_integer_value(json_object_get(params, "instance")) == attach->instance;
}

static void take_goodbye(struct attach *attach, const json_t *params)
{
	(void)params;
	attach->is_ending = attach->is_over = true;
}

/* ---- what it prints ---- */

/* The modes of a former process mean nothing to the next one. */
static void show_news(struct attach *attach)
{
	if (!attach->news.size || attach->is_grown || attach->read_request)
		return;
	modes_leave(&attach->modes, &attach->outlet.text);
	attach->modes = (struct modes){ 0 };
	text_puts(&attach->outlet.text, "\r\n");
	text_append(&attach->outlet.text, attach->news.data, attach->news.size);
	text_clear(&attach->news);
}

static json_t *ask_on(const struct attach *attach)
{
	return chunk_request(attach->service, attach->instance, false, attach->offset, CHUNK_MOST);
}

static void read_on(struct attach *attach)
{
	if (!attach->is_grown || attach->read_request || outlet_is_full(&attach->outlet))
		return;
	attach->is_grown = false;
	attach->read_request = request(attach, "log.read", ask_on(attach));
}

static void append_chunk(const json_t *json, int32_t pid, struct text *room, struct text *out)
{
	struct chunk chunk;
	struct error err;

	if (chunk_from_json(&chunk, json, room, &err) && (!pid || chunk.pid == pid))
		text_append(out, chunk.bytes, chunk.size);
}

/* pid 0: whoever printed it. */
static void append_chunks(const json_t *result, int32_t pid, struct text *out)
{
	const json_t *json;
	struct text room;
	size_t i;

	text_init(&room, CHUNK_MOST);
	json_array_foreach(json_object_get(result, "chunks"), i, json)
		append_chunk(json, pid, &room, out);
	text_finish(&room);
}

static uint64_t number_of(const json_t *result, const char *name)
{
	return (uint64_t)json_integer_value(json_object_get(result, name));
}

static void take_output(struct attach *attach, const json_t *result)
{
	struct text *shown = &attach->outlet.text;
	size_t before = shown->size;

	attach->read_request = 0;
	if (!result)
		return; /* scaled away: that is told */
	if (number_of(result, "first") > attach->offset)
		redraw(attach); /* we were too slow: what the rotation took is missing */
	append_chunks(result, 0, shown);
	if (shown->size > before)
		modes_feed(&attach->modes, shown->data + before, shown->size - before);
	attach->offset = number_of(result, "next");
	attach->is_grown |= attach->offset < number_of(result, "end");
}

/* ---- what is typed ---- */

static void drop_typed(struct attach *attach, size_t size)
{
	text_drop(&attach->typed, size);
	attach->moved_ms = clock_monotonic_ms();
	attach->piece = 0;
	attach->type_request = 0;
}

static void type_on(struct attach *attach)
{
	struct text encoded;
	json_t *params;

	if (!attach->typed.size || attach->type_request || clock_monotonic_ms() < attach->type_ms)
		return;
	attach->piece = attach->typed.size < TYPED_PIECE ? attach->typed.size : TYPED_PIECE;
	text_init(&encoded, TYPED_PIECE * 2);
	base64_encode(&encoded, attach->typed.data, attach->piece);
	params = identify(attach);
	json_object_set_new(params, "bytes", json_string(text_string(&encoded)));
	text_finish(&encoded);
	attach->type_request = request(attach, "tty.write", params);
}

/* Without a process, keys go nowhere. */
static void take_typed(struct attach *attach, const json_t *message)
{
	json_t *error = json_object_get(message, "error");

	if (!error) {
		drop_typed(attach, attach->piece);
	} else if (json_integer_value(json_object_get(error, "code")) == PROTOCOL_FULL) {
		attach->type_request = 0;
		attach->type_ms = clock_monotonic_ms() + FULL_MS;
	} else {
		drop_typed(attach, attach->typed.size);
		text_putc(&attach->outlet.text, '\a');
	}
}

static bool is_stuck(const struct attach *attach)
{
	return attach->typed.size + TYPED_PIECE > TYPED_MOST &&
	       clock_monotonic_ms() - attach->moved_ms > STUCK_MS;
}

static bool wants_keys(const struct attach *attach)
{
	return attach->typed.size + TYPED_PIECE <= TYPED_MOST || is_stuck(attach);
}

static void take_keys(struct attach *attach)
{
	char bytes[TYPED_PIECE / 2]; /* as much again may have been held back */
	ssize_t size = read(STDIN_FILENO, bytes, sizeof bytes);
	size_t before = attach->typed.size;

	if (size <= 0) {
		attach->is_gone = size == 0 || (errno != EINTR && errno != EAGAIN);
		return;
	}
	bool drops = attach->is_read_only || is_stuck(attach);
	if (!before)
		attach->moved_ms = clock_monotonic_ms();
	attach->is_leaving = key_watch_feed(&attach->detach, bytes, (size_t)size, &attach->typed);
	if (!drops)
		return;
	attach->typed.size = before;
	if (!attach->is_read_only)
		text_putc(&attach->outlet.text, '\a');
}

/* ---- the engine ---- */

static void take_reply(struct attach *attach, const json_t *message)
{
	json_int_t id = json_integer_value(json_object_get(message, "id"));

	if (id && id == attach->read_request)
		take_output(attach, json_object_get(message, "result"));
	else if (id && id == attach->type_request)
		take_typed(attach, message);
}

static const struct {
	const char *method;
	void (*take)(struct attach *attach, const json_t *params);
} notifications[] = {
	{ "log", take_growth },
	{ "update", take_row },
	{ "remove", take_removal },
	{ "bye", take_goodbye },
};

static void take_message(struct attach *attach, const json_t *message)
{
	const char *method = json_string_value(json_object_get(message, "method"));

	if (!method)
		take_reply(attach, message);
	for (size_t i = 0; method && i < sizeof notifications / sizeof *notifications; i++)
		if (strcmp(notifications[i].method, method) == 0)
			notifications[i].take(attach, json_object_get(message, "params"));
}

/* Keys that were under way may have been typed, or not: they are not typed twice. */
static void lose_engine(struct attach *attach)
{
	attach->lost_ms = clock_monotonic_ms();
	attach->read_request = 0;
	if (attach->type_request)
		drop_typed(attach, attach->piece);
	attach->is_grown = !attach->is_over; /* the next one is asked, if there is to be one */
}

static void take_messages(struct attach *attach)
{
	struct error err = { 0 };
	json_t *message;

	while (!attach->lost_ms && (message = link_next(attach->link, &err))) {
		take_message(attach, message);
		json_decref(message);
	}
	if (!attach->lost_ms && err.code)
		lose_engine(attach);
}

static bool subscribe(struct attach *attach, struct error *err)
{
	json_t *snapshot = link_call(
		attach->link, "subscribe", json_pack("{s:b}", "logs", 1), CALL_MS, err);
	json_t *row;
	size_t i;

	json_array_foreach(json_object_get(snapshot, "instances"), i, row) take_row(attach, row);
	attach->is_grown = true;
	json_decref(snapshot);
	return snapshot;
}

static void find_engine(struct attach *attach)
{
	uint64_t now_ms = clock_monotonic_ms();
	struct error err = { 0 };

	if (!attach->lost_ms || attach->is_over || now_ms < attach->retry_ms)
		return;
	attach->retry_ms = now_ms + RETRY_MS;
	if (link_reopen(attach->link, &err) && subscribe(attach, &err)) {
		attach->lost_ms = 0;
		tell_size(attach, 0);
	} else if (err.code == ENOENT || err.code == ECONNREFUSED ||
		   now_ms - attach->lost_ms > GONE_MS) {
		note(attach, "the engine is gone");
		attach->is_grown = false;
		attach->is_ending = true;
		attach->status = EXIT_NO_ENGINE;
	}
}

/* ---- the loop ---- */

static void take_signal(struct attach *attach)
{
	struct signalfd_siginfo info;

	while (read(attach->signal_fd, &info, sizeof info) == sizeof info) {
		if (info.ssi_signo == SIGWINCH) {
			tell_size(attach, 0);
		} else if (info.ssi_signo == SIGTSTP) {
			raw_suspend();
			redraw(attach);
		} else if (info.ssi_signo == SIGHUP) {
			attach->is_gone = true;
		} else if (info.ssi_signo != SIGCONT) {
			attach->is_leaving = true;
		}
	}
}

static int earlier(int timeout_ms, uint64_t then_ms, uint64_t now_ms)
{
	int left = then_ms > now_ms ? (int)(then_ms - now_ms) : 0;

	return timeout_ms < 0 || left < timeout_ms ? left : timeout_ms;
}

static int patience(const struct attach *attach)
{
	uint64_t now_ms = clock_monotonic_ms();
	int timeout_ms = -1;

	if (attach->lost_ms && !attach->is_over)
		return earlier(-1, attach->retry_ms, now_ms);
	if (attach->resize_ms)
		timeout_ms = earlier(timeout_ms, attach->resize_ms, now_ms);
	if (attach->typed.size && !attach->type_request)
		timeout_ms = earlier(timeout_ms, attach->type_ms, now_ms);
	return timeout_ms;
}

static void wait_for_something(struct attach *attach)
{
	struct pollfd ready[] = {
		{ .fd = wants_keys(attach) ? STDIN_FILENO : -1, .events = POLLIN },
		{ .fd = attach->signal_fd, .events = POLLIN },
		{ .fd = attach->lost_ms ? -1 : link_fd(attach->link), .events = POLLIN },
		{ .fd = outlet_has_rest(&attach->outlet) ? STDOUT_FILENO : -1, .events = POLLOUT },
	};

	if (poll(ready, 4, patience(attach)) < 0 && errno != EINTR)
		attach->is_leaving = true;
	if (ready[0].revents & (POLLHUP | POLLERR | POLLNVAL))
		attach->is_gone = true;
	else if (ready[0].revents)
		take_keys(attach);
	take_signal(attach);
}

/* All that is to come is here. */
static bool has_ended(const struct attach *attach)
{
	return attach->is_ending && !attach->is_grown && !attach->read_request &&
	       !outlet_has_rest(&attach->outlet);
}

static void serve(struct attach *attach)
{
	while (!attach->is_leaving && !attach->is_gone && !has_ended(attach)) {
		find_engine(attach);
		take_messages(attach);
		if (!attach->lost_ms) {
			if (attach->resize_ms && clock_monotonic_ms() >= attach->resize_ms)
				tell_size(attach, 0);
			read_on(attach);
			type_on(attach);
		}
		show_news(attach);
		if (!outlet_write(&attach->outlet))
			attach->is_gone = true;
		if (!has_ended(attach))
			wait_for_something(attach);
	}
}

/* ---- coming and going ---- */

/* What this process, or the last one, has printed so far. */
static bool load_history(struct attach *attach, const json_t *log, struct text *history)
{
	uint64_t end = number_of(log, "end"), first = number_of(log, "first");
	struct error err;

	attach->offset = end - first > HISTORY_MOST ? end - HISTORY_MOST : first;
	while (attach->offset < end) {
		json_t *result =
			link_call(attach->link, "log.read", ask_on(attach), CALL_MS, &err);
		uint64_t next = number_of(result, "next");
		append_chunks(result, attach->pid, history);
		json_decref(result);
		if (next <= attach->offset)
			return false;
		attach->offset = next;
	}
	return true;
}

/* As if we had been there from the start: its modes, and its last lines unless it draws them itself. */
static void catch_up(struct attach *attach, const json_t *log)
{
	struct text history;
	unsigned columns, rows;

	text_init(&history, HISTORY_MOST * 2);
	load_history(attach, log, &history);
	modes_feed(&attach->modes, text_string(&history), history.size);
	modes_enter(&attach->modes, &attach->outlet.text);
	raw_size(&columns, &rows);
	if (!modes_is_full_screen(&attach->modes))
		screenful_append(&attach->outlet.text, text_string(&history), history.size, rows - 1);
	text_finish(&history);
}

/* All that is to be shown, unless the terminal does not take it. */
static void show_rest(struct attach *attach)
{
	uint64_t until_ms = clock_monotonic_ms() + LAST_MS, now_ms;
	struct pollfd out = { .fd = STDOUT_FILENO, .events = POLLOUT };

	while (outlet_write(&attach->outlet) && outlet_has_rest(&attach->outlet) &&
		(now_ms = clock_monotonic_ms()) < until_ms)
		poll(&out, 1, (int)(until_ms - now_ms));
	attach->is_gone = attach->outlet.code || outlet_has_rest(&attach->outlet);
}

static void give_back(struct attach *attach)
{
	if (!attach->is_gone) {
		modes_leave(&attach->modes, &attach->outlet.text);
		text_puts(&attach->outlet.text, "\r\n");
		show_rest(attach);
	}
	raw_end();
	if (attach->is_leaving && !attach->is_gone)
		fprintf(stderr, "[detached from %s/%u]\n", attach->service, attach->instance);
}

static int run(struct attach *attach, const json_t *info)
{
	struct error err = { 0 };
	sigset_t former;

	outlet_init(&attach->outlet);
	text_init(&attach->typed, TYPED_MOST);
	text_init(&attach->news, 4096);
	attach->signal_fd = signals_open(signals_of_terminal, &former);
	if (!raw_begin(&err)) {
		attach->status = cli_fail(EXIT_FAILED, "%s", err.text);
	} else {
		catch_up(attach, json_object_get(info, "log"));
		if (!subscribe(attach, &err))
			lose_engine(attach);
		redraw(attach);
		serve(attach);
		if (attach->is_leaving && !attach->lost_ms)
			type_on(attach); /* what was typed before the keys that detach */
		give_back(attach);
	}
	close(attach->signal_fd);
	sigprocmask(SIG_SETMASK, &former, NULL);
	outlet_finish(&attach->outlet);
	text_finish(&attach->typed);
	text_finish(&attach->news);
	return attach->status;
}

/* The engine itself says what stands in the way, and what to do about it. */
static bool may_attach(struct attach *attach, const json_t *info, int *status)
{
	bool has_terminal = json_is_true(json_object_get(json_object_get(info, "service"), "pty"));
	struct row row;
	struct error err;
	json_t *result = NULL;

	if (!row_from_json(&row, json_object_get(info, "row"), &err)) {
		*status = cli_fail(EXIT_FAILED, "%s", err.text);
		return false;
	}
	snprintf(attach->service, sizeof attach->service, "%s", row.service);
	attach->instance = row.instance;
	attach->pid = row.pid;
	if (has_terminal && !state_is_over(row.state))
		return true;
	json_t *params = json_pack("{s:o,s:o*}", "columns", json_integer(80), "rows", json_integer(24));
	json_object_update_new(params, identify(attach));
	result = cli_call(attach->link, "tty.resize", params, status);
	json_decref(result);
	return result;
}

int cli_attach_terminal(struct invocation *invocation)
{
	const char *keys = invocation->detach_keys ? invocation->detach_keys : DETACH_KEYS;
	struct attach attach = { .is_read_only = invocation->read_only };
	int status = EXIT_OK;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return cli_fail(EXIT_USAGE,
			"attach needs a terminal; without one there are `thrum logs -f %s` and `thrum send-keys %s KEYS`",
			invocation->names[0], invocation->names[0]);
	if (!key_watch_init(&attach.detach, keys))
		return cli_fail(EXIT_USAGE, "--detach-keys takes keys such as '%s' or 'ctrl-p,ctrl-q', not '%s'",
			DETACH_KEYS, keys);
	attach.link = cli_connect(invocation, &status);
	json_t *info = attach.link ? instance_find(attach.link, invocation->names[0], &status) : NULL;
	if (info && may_attach(&attach, info, &status)) {
		fprintf(stderr, "[attached to %s/%u: %s detaches]\n", attach.service, attach.instance, keys);
		status = run(&attach, info);
	}
	json_decref(info);
	link_close(attach.link);
	return status;
}
