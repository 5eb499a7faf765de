#include "server/mail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/pattern.h"
#include "base/utf8.h"
#include "engine/channel.h"
#include "engine/cluster.h"
#include "engine/report.h"
#include "protocol/method.h"
#include "protocol/value.h"
#include "server/method.h"

enum { WAIT_MS = 30000,
	WAIT_MOST_MS = 24 * 3600 * 1000,
	ID_MOST = 256 /* bytes of a request's id */ };

/* What a session wants to see of the messages. */
struct mail_filter {
	json_t *names;           /* owned; empty: all */
	struct pattern *pattern; /* owned; NULL: all */
	bool is_bus;             /* only what processes say to everybody: {"type","data"} */
	uint64_t most;           /* that are told in a second; 0: as many as the client takes */
	uint64_t told, second;   /* … of them, in this second */
	uint64_t dropped;        /* left out since the last that was told */
};

/* ---- describing ---- */

json_t *mail_describe(const struct member *member)
{
	const struct inbox_page *page = channel_page(member);

	if (!page)
		return json_null();
	json_t *json = json_pack("{s:I,s:I,s:b}", "room", (json_int_t)page->room, "connections",
		(json_int_t)page->counts.connections, "leaving", page->is_leaving || page->was_told_to_leave);
	if (page->room < CHANNEL_ROOM)
		json_object_set_new(json, "note",
			json_sprintf("what it sends and has not been taken when it exits is lost beyond %u bytes; "
				     "`sysctl net.core.wmem_max=%d` makes room for more",
				page->room, CHANNEL_ROOM));
	json_t *report = report_to_json(member);
	json_object_update(json, report);
	json_decref(report);
	return json;
}

static bool is_its_own(const struct member *member, const struct listening *what)
{
	return what->given && strcmp(what->service, member->now.service) == 0 &&
	       (!what->is_own || what->instance == member->now.index);
}

json_t *mail_describe_sockets(const struct member *member)
{
	const struct engine *engine = member->engine;
	json_t *list = json_array();
	char text[256];

	for (uint32_t i = 0; i < STORE_SOCKETS && engine->door_count; i++) {
		const struct door *door = engine->doors[i];
		if (!door || !(is_its_own(member, door_listening(door)) || cluster_holds(member, i)))
			continue;
		door_describe(door, text, sizeof text);
		json_array_append_new(list,
			json_pack("{s:s,s:s,s:I}", "address", text, "given",
				door_listening(door)->given       ? "listen"
				: door_listening(door)->is_shared ? "cluster, shared"
								  : "cluster, in turn",
				"connections", (json_int_t)door_listening(door)->connections));
	}
	return list;
}

/* ---- looking on ---- */

static bool is_named(const struct mail_filter *filter, const struct member *member)
{
	for (size_t i = 0; i < json_array_size(filter->names); i++) {
		const char *name = json_string_value(json_array_get(filter->names, i));
		if (name_matches(name, member_spec(member), member->now.index))
			return true;
	}
	return !json_array_size(filter->names);
}

/* As PM2 has it: what is addressed to PM2 itself is not. */
static bool is_for_all(const struct message *message)
{
	struct span type = message->members[MEMBER_TYPE];

	return type.size > 2 && type.at[0] == '"' && !span_begins(type, "axm:") && message->members[MEMBER_DATA].size;
}

static bool is_wanted(const struct mail_filter *filter, const struct member *member, bool is_incoming,
	const struct message *message)
{
	struct span text = message->whole;

	return is_named(filter, member) && (!filter->is_bus || (is_incoming && is_for_all(message))) &&
	       (!filter->pattern || pattern_matches(filter->pattern, text.at, text.size));
}

/* Who looks at a screen reads a few of many; the others are counted, and cost nothing. */
static bool is_too_many(struct mail_filter *filter)
{
	uint64_t second = clock_wall_us() / 1000000;

	if (second != filter->second) {
		filter->second = second;
		filter->told = 0;
	}
	return filter->most && filter->told++ >= filter->most;
}

/* Cut where a character ends. */
static size_t shown_size(struct span text)
{
	size_t size = text.size < MAIL_TEXT_MOST ? text.size : MAIL_TEXT_MOST;

	while (size < text.size && size && ((unsigned char)text.at[size] & 0xc0) == 0x80)
		size--;
	return size;
}

static void show(
	struct session *session, struct member *member, bool is_incoming, const struct message *message)
{
	struct mail_filter *filter = session->mail;
	struct span text = message->whole;
	size_t size = shown_size(text);

	if (!is_wanted(filter, member, is_incoming, message))
		return;
	if (is_too_many(filter) || session_waiting(session) > MAIL_WAITING_MOST) {
		filter->dropped++;
		return;
	}
	json_t *params = json_pack("{s:o,s:s,s:i,s:i,s:s,s:I,s:s%}", "ts", time_to_json(clock_wall_us()), "service",
		member->now.service, "instance", (int)member->now.index, "pid", (int)member->now.pid, "dir",
		is_incoming ? "in" : "out", "bytes", (json_int_t)text.size, "text", text.at, size);
	if (!params)
		return;
	if (size < text.size)
		json_object_set_new(params, "cut", json_true());
	if (filter->dropped)
		json_object_set_new(params, "dropped", json_integer((json_int_t)filter->dropped));
	filter->dropped = 0;
	session_notify(session, "message", params);
}

void mail_caught_up(struct session *session)
{
	struct mail_filter *filter = session->mail;

	if (!filter || !filter->dropped || filter->most)
		return; /* with `most` there is always more to come: the next message tells */
	json_t *params = json_pack("{s:o,s:I}", "ts", time_to_json(clock_wall_us()), "dropped", (json_int_t)filter->dropped);
	filter->dropped = 0;
	session_notify(session, "message", params);
}

static void stop_watching(struct session *session)
{
	struct mail_filter *filter = session->mail;

	if (!filter)
		return;
	session->mail = NULL;
	session->hall->engine.mail_readers--;
	json_decref(filter->names);
	pattern_destroy(filter->pattern);
	free(filter);
}

json_t *mail_watch(struct call *call)
{
	json_t *names = json_object_get(call->params, "names");
	const char *text = json_string_value(json_object_get(call->params, "filter"));
	static struct selection selection;
	struct mail_filter *filter;
	struct pattern *pattern = NULL;

	stop_watching(call->session);
	if (json_is_true(json_object_get(call->params, "stop")))
		return json_object();
	if (!call_select(call, &selection, true))
		return NULL;
	if (text && !(pattern = pattern_create(text, &call->err))) {
		call->err.code = PROTOCOL_INVALID_PARAMS;
		return NULL;
	}
	filter = memory_zeroed(1, sizeof *filter);
	filter->names = names ? json_incref(names) : json_array();
	filter->pattern = pattern;
	filter->is_bus = json_is_true(json_object_get(call->params, "bus"));
	json_int_t most = json_integer_value(json_object_get(call->params, "most"));
	filter->most = most > 0 ? (uint64_t)most : 0;
	call->session->mail = filter;
	call->engine->mail_readers++;
	return json_object();
}

/* ---- waiting for answers ---- */

/* A request to some processes, of which each may answer once. */
struct asker {
	struct asker *next;
	struct session *session;
	json_t *id; /* of the client's request; owned */
	char *key;  /* of the answer: its requestId as JSON, or the name of an action; owned */
	bool is_action;
	json_t *waited;  /* {"service/0": life}; owned */
	json_t *replies; /* owned */
	uv_timer_t timer;
};

static void on_asker_closed(uv_handle_t *handle)
{
	struct asker *asker = handle->data;

	json_decref(asker->id);
	json_decref(asker->waited);
	json_decref(asker->replies);
	free(asker->key);
	free(asker);
}

static void end_asker(struct asker *asker)
{
	struct hall *hall = asker->session->hall;
	struct asker **place = &hall->askers;

	while (*place != asker)
		place = &(*place)->next;
	*place = asker->next;
	hall->engine.mail_readers--;
	uv_timer_stop(&asker->timer);
	uv_close((uv_handle_t *)&asker->timer, on_asker_closed);
}

static void answer(struct asker *asker)
{
	json_t *unanswered = json_array();
	const char *name;
	json_t *life;

	json_object_foreach(asker->waited, name, life) json_array_append_new(unanswered, json_string(name));
	session_reply(asker->session, asker->id,
		json_pack("{s:O,s:o}", "replies", asker->replies, "unanswered", unanswered));
	end_asker(asker);
}

static void on_asker_late(uv_timer_t *timer)
{
	answer(timer->data);
}

static void name_member(const struct member *member, char *out, size_t size)
{
	snprintf(out, size, "%s/%u", member->now.service, member->now.index);
}

static bool is_answer(const struct asker *asker, const struct member *member, const struct message *message)
{
	char name[96];
	struct span key = { asker->key, strlen(asker->key) };

	name_member(member, name, sizeof name);
	if (json_integer_value(json_object_get(asker->waited, name)) != (json_int_t)member->now.life)
		return false;
	if (!asker->is_action)
		return span_equals(message->members[MEMBER_REQUEST_ID], key);
	if (!span_is(message->members[MEMBER_TYPE], "axm:reply"))
		return false;
	struct span text = message->members[MEMBER_DATA];
	json_t *data = json_loadb(text.at, text.size, 0, NULL);
	const char *action = json_string_value(json_object_get(data, "action_name"));
	bool is_it = action && strcmp(action, asker->key) == 0;
	json_decref(data);
	return is_it;
}

static void take_answer(struct asker *asker, const struct member *member, const struct message *message)
{
	char name[96];

	name_member(member, name, sizeof name);
	json_object_del(asker->waited, name);
	json_array_append_new(asker->replies,
		json_pack("{s:s,s:i,s:s%}", "service", member->now.service, "instance", (int)member->now.index, "text",
			message->whole.at, message->whole.size));
	if (!json_object_size(asker->waited))
		answer(asker);
}

void mail_on_message(void *context, struct member *member, bool is_incoming, const struct message *message)
{
	struct hall *hall = context;

	for (struct session *session = hall->sessions, *next; session; session = next) {
		next = session->next;
		if (session->mail)
			show(session, member, is_incoming, message);
	}
	for (struct asker *asker = hall->askers, *next; asker && is_incoming; asker = next) {
		next = asker->next;
		if (is_answer(asker, member, message)) {
			take_answer(asker, member, message);
			return;
		}
	}
}

void mail_left(struct session *session)
{
	stop_watching(session);
	free(session->stream);
	session->stream = NULL;
	for (struct asker *asker = session->hall->askers, *next; asker; asker = next) {
		next = asker->next;
		if (asker->session == session)
			end_asker(asker);
	}
}

static uint64_t patience_of(const struct call *call)
{
	json_t *wait = json_object_get(call->params, "wait_ms");
	json_int_t ms = json_is_integer(wait) ? json_integer_value(wait) : WAIT_MS;

	return (uint64_t)(ms < 1 ? 1 : ms > WAIT_MOST_MS ? WAIT_MOST_MS
							 : ms);
}

static unsigned asker_count(const struct hall *hall)
{
	unsigned count = 0;

	for (const struct asker *asker = hall->askers; asker; asker = asker->next)
		count++;
	return count;
}

/* Registered before the message is sent: the answer may come at once. Takes the key over. */
static struct asker *begin_asker(struct call *call, char *key, bool is_action)
{
	struct hall *hall = call->session->hall;
	struct asker *asker = memory_zeroed(1, sizeof *asker);

	*asker = (struct asker){ .next = hall->askers,
		.session = call->session,
		.id = json_incref(call->id),
		.key = key,
		.is_action = is_action,
		.waited = json_object(),
		.replies = json_array() };
	hall->askers = asker;
	hall->engine.mail_readers++;
	uv_timer_init(&hall->loop, &asker->timer);
	asker->timer.data = asker;
	uv_update_time(&hall->loop);
	uv_timer_start(&asker->timer, on_asker_late, patience_of(call), 0);
	return asker;
}

static void wait_for(struct asker *asker, const struct member *member)
{
	char name[96];

	name_member(member, name, sizeof name);
	json_object_set_new(asker->waited, name, json_integer((json_int_t)member->now.life));
}

/* ---- sending ---- */

/* What Node says to itself is not for others to say: a forged one kills its child. */
static bool is_forbidden(const json_t *message)
{
	const char *command = json_string_value(json_object_get(message, "cmd"));

	return command && strncmp(command, "NODE_", 5) == 0;
}

static bool check_message(struct call *call, const json_t *message)
{
	if (!message)
		call_refuse(call, PROTOCOL_INVALID_PARAMS, "send takes message, any JSON value");
	else if (is_forbidden(message))
		call_refuse(call, PROTOCOL_INVALID_PARAMS, "a message whose cmd begins with NODE_ is Node's own");
	return message && !is_forbidden(message);
}

static void send_to_all(struct selection *selection, const char *text, json_t *sent, struct error *err)
{
	for (size_t i = 0; i < selection->count; i++)
		if (channel_send(selection->items[i], text, strlen(text), err) && sent)
			json_array_append_new(sent, member_name(selection->items[i]));
}

static json_t *told_sent(struct call *call, json_t *sent, const struct error *err)
{
	if (json_array_size(sent))
		return json_pack("{s:o}", "instances", sent);
	json_decref(sent);
	return call_refuse(call, err->code == EAGAIN ? PROTOCOL_FULL : PROTOCOL_REFUSED, "%s",
		err->text[0] ? err->text : "nobody is meant");
}

static json_t *send_one(struct call *call, struct selection *selection, json_t *message)
{
	struct error err = { 0 };
	json_t *sent = json_array();
	char *text = json_dumps(message, JSON_COMPACT | JSON_ENCODE_ANY);

	send_to_all(selection, text, sent, &err);
	free(text);
	return told_sent(call, sent, &err);
}

/* The same of a line: what is written with escapes is looked at closely. */
static bool is_forbidden_line(const struct message *message)
{
	if (!message->has_escapes)
		return span_begins(message->members[MEMBER_CMD], "NODE_");
	json_t *json = json_loadb(message->whole.at, message->whole.size, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	bool is_it = !json || is_forbidden(json);
	json_decref(json);
	return is_it;
}

/* ---- many, one a line ---- */

/* A session whose lines are messages, until an empty one. */
struct mail_stream {
	struct engine *engine;
	uint64_t sent;
	bool is_paused; /* somebody does not read: neither do we */
	char why[160];  /* one that could not be sent: those after it are not either */
	size_t count;
	struct mail_target {
		uint32_t seat, life;
	} targets[];
};

json_t *mail_stream(struct call *call)
{
	static struct selection selection;
	struct mail_stream *stream;

	if (!call_select(call, &selection, false))
		return NULL;
	if (!selection.count)
		return call_refuse(call, PROTOCOL_REFUSED, "nobody is meant");
	stream = memory_zeroed(1, sizeof *stream + selection.count * sizeof *stream->targets);
	stream->engine = call->engine;
	stream->count = selection.count;
	for (size_t i = 0; i < selection.count; i++)
		stream->targets[i] = (struct mail_target){ selection.items[i]->seat, selection.items[i]->now.life };
	call->session->stream = stream;
	return call_names(&selection);
}

/* NULL: it is gone, or is another one now. */
static struct member *find_target(const struct mail_stream *stream, size_t at)
{
	struct member *member = stream->engine->members[stream->targets[at].seat];

	return member && member->now.life == stream->targets[at].life ? member : NULL;
}

static bool post_to_all(struct mail_stream *stream, const char *line, size_t size)
{
	for (size_t i = 0; i < stream->count; i++) {
		struct member *member = find_target(stream, i);
		struct error err;
		if (!member)
			error_set(&err, 0, "one of them was restarted, or is gone");
		if (!member || !channel_post(member, line, size, &err)) {
			snprintf(stream->why, sizeof stream->why, "%.150s", err.text);
			return false;
		}
		stream->is_paused |= channel_wants_pause(member);
	}
	return true;
}

static void check_and_post(struct mail_stream *stream, const char *line, size_t size)
{
	struct message message;
	char excerpt[60];

	if (!message_scan(&message, line, size)) {
		utf8_excerpt(excerpt, sizeof excerpt, line, size);
		snprintf(stream->why, sizeof stream->why, "it is no JSON, or too deep: '%s'", excerpt);
	} else if (is_forbidden_line(&message))
		snprintf(stream->why, sizeof stream->why, "a message whose cmd begins with NODE_ is Node's own");
	else if (post_to_all(stream, line, size))
		stream->sent++;
}

static void end_stream(struct session *session)
{
	struct mail_stream *stream = session->stream;

	session->stream = NULL;
	channel_flush_all(stream->engine);
	session_notify(session, "streamed",
		json_pack("{s:I,s:s*}", "sent", (json_int_t)stream->sent, "error", stream->why[0] ? stream->why : NULL));
	free(stream);
}

bool mail_take_line(struct session *session, const char *line, size_t size)
{
	struct mail_stream *stream = session->stream;

	if (size == 0)
		end_stream(session);
	else if (!stream->why[0])
		check_and_post(stream, line, size);
	return !session->stream || !session->stream->is_paused;
}

void mail_on_room(void *context, struct member *member)
{
	struct hall *hall = context;

	(void)member;
	for (struct session *session = hall->sessions, *next; session; session = next) {
		next = session->next;
		if (!session->stream || !session->stream->is_paused)
			continue;
		session->stream->is_paused = false;
		session_go_on(session);
	}
}

/* Its requestId; one is given to a message that has none. */
static char *request_id(struct call *call, json_t *message)
{
	json_t *id = json_object_get(message, "requestId");
	static uint64_t serial;

	if (!id) {
		id = json_sprintf("thrum-%llx-%llu", (unsigned long long)call->engine->started_us,
			(unsigned long long)++serial);
		json_object_set_new(message, "requestId", id);
	}
	char *text = json_dumps(id, JSON_COMPACT | JSON_ENCODE_ANY);
	if (text && strlen(text) <= ID_MOST)
		return text;
	free(text);
	return NULL;
}

static json_t *ask_all(struct call *call, struct selection *selection, const char *text, char *key, bool is_action)
{
	struct asker *asker = begin_asker(call, key, is_action);
	struct error err = { 0 };

	call->is_answered = true;
	for (size_t i = 0; i < selection->count; i++)
		wait_for(asker, selection->items[i]);
	for (size_t i = 0; i < selection->count; i++)
		if (!channel_send(selection->items[i], text, strlen(text), &err))
			call->is_answered = false;
	if (call->is_answered && selection->count)
		return NULL;
	call->is_answered = false;
	end_asker(asker);
	return call_refuse(call, err.code == EAGAIN ? PROTOCOL_FULL : PROTOCOL_REFUSED, "%s",
		err.text[0] ? err.text : "nobody is meant");
}

static json_t *send_and_wait(struct call *call, struct selection *selection, json_t *message)
{
	char *key = json_is_object(message) ? request_id(call, message) : NULL;

	if (!key)
		return call_refuse(call, PROTOCOL_INVALID_PARAMS,
			"an answer is known by the requestId of a map; a short one, if it has one");
	if (asker_count(call->session->hall) >= MAIL_ASKERS_MOST) {
		free(key);
		return call_refuse(call, PROTOCOL_FULL, "%d requests wait for an answer already", MAIL_ASKERS_MOST);
	}
	char *text = json_dumps(message, JSON_COMPACT);
	json_t *result = ask_all(call, selection, text, key, false);
	free(text);
	return result;
}

json_t *mail_send(struct call *call)
{
	static struct selection selection;
	json_t *message = json_object_get(call->params, "message");

	if (!check_message(call, message))
		return NULL;
	if (!call_select(call, &selection, false))
		return NULL;
	return json_object_get(call->params, "wait_ms") ? send_and_wait(call, &selection, message)
							: send_one(call, &selection, message);
}

/* PM2's: the name alone, or with parameters {"msg":name,"opts":…}. */
static char *action_text(const char *action, json_t *params)
{
	json_t *message = params ? json_pack("{s:s,s:O}", "msg", action, "opts", params) : json_string(action);
	char *text = json_dumps(message, JSON_COMPACT | JSON_ENCODE_ANY);

	json_decref(message);
	return text;
}

json_t *mail_trigger(struct call *call)
{
	static struct selection selection;
	const char *action = json_string_value(json_object_get(call->params, "action"));

	if (!action || strncmp(action, "NODE_", 5) == 0)
		return call_refuse(call, PROTOCOL_INVALID_PARAMS, "trigger takes names and action");
	if (!call_select(call, &selection, false))
		return NULL;
	for (size_t i = 0; i < selection.count; i++)
		if (!report_has_action(selection.items[i], action))
			return call_refuse(call, PROTOCOL_REFUSED, "%s/%u has no action '%.60s'; thrum info %s/%u lists those it has",
				selection.items[i]->now.service, selection.items[i]->now.index, action,
				selection.items[i]->now.service, selection.items[i]->now.index);
	if (asker_count(call->session->hall) >= MAIL_ASKERS_MOST)
		return call_refuse(call, PROTOCOL_FULL, "%d requests wait for an answer already", MAIL_ASKERS_MOST);
	char *text = action_text(action, json_object_get(call->params, "params"));
	json_t *result = ask_all(call, &selection, text, memory_copy(action), true);
	free(text);
	return result;
}
