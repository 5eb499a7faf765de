#include "engine/cluster.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "engine/channel.h"
#include "engine/child.h"

enum {
	WINDOW = 8,      /* connections handed to a worker that it has not answered for */
	TURN_MOST = 64,  /* connections of one door a turn: then the others have theirs */
	TOLD_MS = 60000, /* that all refuse is told so often at the most */
	REST_MS = 100,   /* after a refusal, or when no descriptor is to be had */
	BACKLOG = 511,   /* when a worker names none */
	BACKLOG_MOST = 65535,
	REPLY_MOST = 4096,
	LEAVE_MS = 200, /* between the end of its channel and the signal: most end by themselves */
};

/* A connection that was handed over, until the worker says that it has it. */
struct handed {
	uint64_t seq;
	int fd;
	uint32_t door;
	bool is_received;
};

struct worker {
	struct handed window[WINDOW];
	unsigned count;
	uint64_t paused_until_ms; /* it refused one */
	bool is_full;             /* its channel took no more */
	bool has_sent_one;        /* a socket, or something else that is open; that was told */
};

static struct worker *worker_of(struct member *member)
{
	if (!member->worker)
		member->worker = memory_zeroed(1, sizeof *member->worker);
	return member->worker;
}

/* Greater than any that a former engine gave to these workers. */
static uint64_t next_seq(struct engine *engine)
{
	if (!engine->cluster_serial)
		engine->cluster_serial = engine->keeper.page->engine_starts * 1000000000ull;
	return ++engine->cluster_serial;
}

/* ---- which sockets a worker holds ---- */

bool cluster_holds(const struct member *member, uint32_t place)
{
	const struct inbox_page *page = channel_page(member);

	return page && page->sockets[place / 64] >> place % 64 & 1;
}

static void set_holds(struct member *member, uint32_t place, bool does)
{
	struct inbox_page *page = channel_page(member);
	uint64_t bit = 1ull << place % 64;

	page->sockets[place / 64] = does ? page->sockets[place / 64] | bit : page->sockets[place / 64] & ~bit;
}

static void key_of(const struct door *door, char *out, size_t size)
{
	snprintf(out, size, "thrum:%u:%u", door->place, door_listening(door)->serial);
}

/* NULL: it names none. */
static struct door *door_of_key(struct engine *engine, const char *key)
{
	unsigned place, serial;

	if (!key || sscanf(key, "thrum:%u:%u", &place, &serial) != 2 || place >= STORE_SOCKETS)
		return NULL;
	struct door *door = engine->doors[place];
	return door && door_listening(door)->serial == serial ? door : NULL;
}

/* ---- connections in turn ---- */

static bool can_take(struct member *member, uint32_t place, uint64_t now_ms)
{
	const struct worker *worker = member->worker;

	if (!cluster_holds(member, place) || channel_page(member)->was_told_to_leave)
		return false;
	return !worker || (worker->count < WINDOW && !worker->is_full && worker->paused_until_ms <= now_ms);
}

/* Of those with the fewest that are under way, the next in turn. */
static struct member *choose(struct door *door)
{
	struct service *service = project_find(&door->engine->project, door_listening(door)->service);
	struct member *best = NULL;
	uint64_t now_ms = clock_monotonic_ms();
	unsigned least = WINDOW;

	for (size_t i = 0; service && i < service->count; i++) {
		struct member *member = member_of(service->instances[(door->turn + i) % service->count]);
		unsigned count = member->worker ? member->worker->count : 0;
		if (count >= least || !can_take(member, door->place, now_ms))
			continue;
		best = member;
		least = count;
	}
	return best;
}

static bool hand_connection(struct door *door, struct member *member, int fd)
{
	struct worker *worker = worker_of(member);
	uint64_t seq = next_seq(door->engine);
	char key[40], text[256];

	key_of(door, key, sizeof key);
	int size = snprintf(text, sizeof text,
		"{\"cmd\":\"NODE_HANDLE\",\"type\":\"net.Native\",\"msg\":"
		"{\"cmd\":\"NODE_CLUSTER\",\"act\":\"newconn\",\"key\":\"%s\",\"seq\":%llu}}",
		key, (unsigned long long)seq);
	if (channel_hand(member, text, (size_t)size, fd) != PARCEL_SENT) {
		if (member->worker) /* it still has its channel */
			worker->is_full = true;
		return false;
	}
	worker->window[worker->count++] = (struct handed){ seq, fd, door->place, false };
	return true;
}

static int next_connection(struct door *door)
{
	int fd = lost_take(&door->lost);

	return fd >= 0 ? fd : door_accept(door);
}

/* Is there none among those who are offered some that is only busy? */
static bool all_refuse(const struct door *door)
{
	struct service *service = project_find(&door->engine->project, door_listening(door)->service);
	uint64_t now_ms = clock_monotonic_ms();
	unsigned refusing = 0;

	for (size_t i = 0; service && i < service->count; i++) {
		const struct member *member = member_of(service->instances[i]);
		if (!cluster_holds(member, door->place) || channel_page(member)->was_told_to_leave)
			continue;
		if (!member->worker || member->worker->paused_until_ms <= now_ms)
			return false;
		refusing++;
	}
	return refusing > 0;
}

static void tell_refusal(struct door *door)
{
	char address[256];
	uint64_t now_ms = clock_monotonic_ms();
	bool is_told = door->refused_ms && now_ms < door->refused_ms + TOLD_MS;

	if (is_told || !all_refuse(door))
		return;
	door->refused_ms = now_ms;
	door_describe(door, address, sizeof address);
	engine_tell(door->engine, "%s: all its workers refuse connections to %s: they wait, and are offered again every %d ms",
		door_listening(door)->service, address, REST_MS);
}

/* Nobody can take any: the door is looked at again when somebody answers, or after a rest. */
static void wait_for_workers(struct door *door)
{
	tell_refusal(door);
	uv_update_time(door->engine->loop);
	door_rest(door, REST_MS);
}

static bool has_holders(const struct door *door)
{
	struct service *service = project_find(&door->engine->project, door_listening(door)->service);

	for (size_t i = 0; service && i < service->count; i++)
		if (cluster_holds(member_of(service->instances[i]), door->place))
			return true;
	return false;
}

void cluster_serve(struct door *door)
{
	struct member *member;

	if (door_listening(door)->is_shared || !has_holders(door)) {
		door_poll(door, false);
		return;
	}
	for (int i = 0; i < TURN_MOST; i++) {
		if (!(member = choose(door))) {
			wait_for_workers(door);
			return;
		}
		int fd = next_connection(door);
		if (fd < 0 && errno != EAGAIN) {
			wait_for_workers(door);
			return;
		}
		if (fd < 0)
			break;
		door->turn = member->now.index + 1;
		if (!hand_connection(door, member, fd))
			door_return(door, fd);
	}
	door_poll(door, true);
}

void cluster_resume(struct engine *engine)
{
	for (uint32_t i = 0; i < STORE_SOCKETS && engine->door_count; i++)
		if (engine->doors[i])
			cluster_serve(engine->doors[i]);
}

static void serve_all_of(struct member *member)
{
	struct engine *engine = member->engine;

	for (uint32_t i = 0; i < STORE_SOCKETS; i++)
		if (engine->doors[i] && (engine->doors[i]->lost.count || !engine->doors[i]->is_polled) &&
			cluster_holds(member, i))
			cluster_serve(engine->doors[i]);
}

void cluster_room(struct member *member)
{
	if (!member->worker || !member->worker->is_full)
		return;
	member->worker->is_full = false;
	serve_all_of(member);
}

static void forget_handed(struct worker *worker, unsigned at)
{
	memmove(&worker->window[at], &worker->window[at + 1], (--worker->count - at) * sizeof *worker->window);
}

/* Somebody else is to have it. */
static void give_back(struct engine *engine, const struct handed *handed)
{
	if (engine->doors[handed->door])
		door_return(engine->doors[handed->door], handed->fd);
	else
		close(handed->fd);
}

static void refuse_connection(struct member *member, unsigned at)
{
	struct worker *worker = member->worker;
	struct handed handed = worker->window[at];

	forget_handed(worker, at);
	worker->paused_until_ms = clock_monotonic_ms() + REST_MS;
	give_back(member->engine, &handed);
}

/* {"ack":n,"accepted":true}: the answer to a connection, or to something that an engine before us said. */
static void take_answer(struct member *member, uint64_t ack, bool is_accepted)
{
	struct worker *worker = member->worker;
	unsigned at = 0;

	while (worker && at < worker->count && worker->window[at].seq != ack)
		at++;
	if (!worker || at == worker->count)
		return;
	uint32_t place = worker->window[at].door;
	struct door *door = member->engine->doors[place];
	if (is_accepted) {
		close(worker->window[at].fd);
		forget_handed(worker, at);
		channel_page(member)->counts.connections++;
		if (door)
			door_listening(door)->connections++;
	} else {
		refuse_connection(member, at);
	}
	if (door && (!door->is_polled || door->lost.count))
		cluster_serve(door);
}

/* The descriptor has come, or, since the worker has no room for it, has not. In the order of their sending. */
static void take_receipt(struct member *member, bool has_come)
{
	struct worker *worker = member->worker;
	unsigned at = 0;

	while (worker && at < worker->count && worker->window[at].is_received)
		at++;
	if (!worker || at == worker->count)
		return;
	if (has_come)
		worker->window[at].is_received = true;
	else
		refuse_connection(member, at);
}

void cluster_ended(struct member *member)
{
	struct worker *worker = member->worker;
	struct instance *now = &member->now;
	const struct inbox_page *page = channel_page(member);
	uint64_t soon_ms = clock_monotonic_ms() + LEAVE_MS;

	if (now->state == STATE_STOPPING && page->was_told_to_leave && now->signal_by_ms > soon_ms) {
		now->signal_by_ms = soon_ms;
		member_arm(member);
	}
	member->worker = NULL;
	for (unsigned i = 0; worker && i < worker->count; i++)
		give_back(member->engine, &worker->window[i]);
	for (uint32_t i = 0; worker && worker->count && i < STORE_SOCKETS; i++)
		if (member->engine->doors[i] && member->engine->doors[i]->lost.count)
			door_rest(member->engine->doors[i], 0); /* in another turn: it is still there in this one */
	free(worker);
}

bool cluster_leave(struct member *member)
{
	struct inbox_page *page = channel_page(member);
	struct error err;
	char text[128];

	if (!page)
		return false;
	page->was_told_to_leave = 1;
	int size = snprintf(text, sizeof text, "{\"cmd\":\"NODE_CLUSTER\",\"act\":\"disconnect\",\"seq\":%llu}",
		(unsigned long long)next_seq(member->engine));
	return channel_send(member, text, (size_t)size, &err);
}

/* ---- what workers ask ---- */

static int type_of(const json_t *request)
{
	json_t *type = json_object_get(request, "addressType");
	const char *name = json_string_value(type);

	if (name)
		return strcmp(name, "udp6") == 0 ? ADDRESS_UDP6 : ADDRESS_UDP4;
	return json_is_integer(type) ? (int)json_integer_value(type) : ADDRESS_FD;
}

static int number_or(const json_t *request, const char *name, int otherwise)
{
	json_t *value = json_object_get(request, name);

	return json_is_integer(value) ? (int)json_integer_value(value) : otherwise;
}

static void take_data(struct listening *what, const json_t *request)
{
	json_t *data = json_object_get(request, "data");
	char *text = data ? json_dumps(data, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
	bool fits = text && strlen(text) < sizeof what->data;

	snprintf(what->data, sizeof what->data, "%s", fits ? text : "null");
	free(text);
}

/* As Node's own primary is told it, when the service itself says nothing. */
static enum scheduling scheduling_of(const struct service_spec *spec)
{
	const char *policy = strings_get_variable(&spec->environment, "NODE_CLUSTER_SCHED_POLICY");

	return policy && strcmp(policy, scheduling_name(SCHEDULING_SHARED)) == 0 ? SCHEDULING_SHARED : spec->scheduling;
}

static void read_wish(const struct member *member, const json_t *request, struct listening *what)
{
	const char *address = json_string_value(json_object_get(request, "address"));

	*what = (struct listening){ .port = number_or(request, "port", -1),
		.type = type_of(request),
		.fd = number_or(request, "fd", -1),
		.index = (uint32_t)number_or(request, "index", 0) };
	snprintf(what->service, sizeof what->service, "%s", member->now.service);
	snprintf(what->address, sizeof what->address, "%s", address ? address : "");
	bool is_udp = what->type == ADDRESS_UDP4 || what->type == ADDRESS_UDP6;
	what->is_shared = is_udp || scheduling_of(member_spec(member)) == SCHEDULING_SHARED;
	take_data(what, request);
}

/* The first that asks for a given socket says how it is used, as if it had been opened for it. */
static struct door *adopt(struct door *door, const struct listening *what)
{
	struct listening *own = door_listening(door);

	if (!own->data[0]) {
		memcpy(own->data, what->data, sizeof own->data);
		own->is_shared = what->is_shared;
	}
	return door;
}

/* Of a descriptor that it names: one of those that `listen` gave it. */
static struct door *find_given(struct member *member, const struct listening *what, struct error *err)
{
	int fds[LISTENS_MOST], number = what->fd - CHILD_FIRST_FD;

	if (number < 0 || number >= (int)member_spec(member)->listen_count) {
		error_set(err, EBADF, "listen({fd: %d}): not one of the sockets that `listen` gives it", (int)what->fd);
		return NULL;
	}
	if (!door_open_given(member->engine, member, fds, err))
		return NULL;
	for (uint32_t i = 0; i < STORE_SOCKETS; i++)
		if (member->engine->doors[i] && member->engine->doors[i]->fd == fds[number])
			return adopt(member->engine->doors[i], what);
	return NULL;
}

static struct door *find_or_open(
	struct member *member, const json_t *request, const struct listening *what, struct error *err)
{
	struct door *door = door_find(member->engine, what);
	int backlog = number_or(request, "backlog", BACKLOG);
	struct door_wish wish = { .what = what,
		.spec = member_spec(member),
		.flags = (unsigned)number_or(request, "flags", 0),
		.backlog = (unsigned)(backlog > 0 && backlog <= BACKLOG_MOST ? backlog : BACKLOG),
		.is_to_listen = !what->is_shared };

	if (what->fd >= 0)
		door = find_given(member, what, err);
	else if (!door)
		door = door_open(member->engine, &wish, err);
	if (door && cluster_holds(member, door->place)) {
		error_set(err, EADDRINUSE, "it listens there already");
		return NULL;
	}
	return door;
}

/* What a reply begins with. */
static void begin_reply(struct text *text, const json_t *request)
{
	text_format(text, "{\"cmd\":\"NODE_CLUSTER\",\"ack\":%lld", (long long)json_integer_value(json_object_get(request, "seq")));
}

static void end_reply(struct text *text, struct member *member)
{
	text_format(text, ",\"seq\":%llu}", (unsigned long long)next_seq(member->engine));
}

static void send_reply(struct text *text, struct member *member)
{
	struct error err;

	end_reply(text, member);
	if (!channel_send(member, text_string(text), text->size, &err))
		engine_tell(member->engine, "%s/%u: its worker is not answered: %s", member->now.service,
			member->now.index, err.text);
}

static void reply_failure(struct member *member, const json_t *request, const struct error *err)
{
	struct text text;

	engine_tell(member->engine, "%s/%u: %s", member->now.service, member->now.index, err->text);
	text_init(&text, REPLY_MOST);
	begin_reply(&text, request);
	text_format(&text, ",\"errno\":%d,\"key\":\"none\",\"data\":null", -(err->code ? err->code : EINVAL));
	send_reply(&text, member);
	text_finish(&text);
}

/* It accepts by itself: it is given the socket. */
static void reply_shared(struct member *member, const json_t *request, struct door *door, const char *key)
{
	const struct listening *what = door_listening(door);
	bool is_udp = what->type == ADDRESS_UDP4 || what->type == ADDRESS_UDP6;
	struct text text;

	text_init(&text, REPLY_MOST);
	text_format(&text, "{\"cmd\":\"NODE_HANDLE\",\"type\":\"%s\",%s\"msg\":", is_udp ? "dgram.Native" : "net.Native",
		what->type == ADDRESS_UDP4   ? "\"dgramType\":\"udp4\","
		: what->type == ADDRESS_UDP6 ? "\"dgramType\":\"udp6\","
					     : "");
	begin_reply(&text, request);
	text_format(&text, ",\"errno\":0,\"key\":\"%s\",\"data\":%s", key, what->data);
	end_reply(&text, member);
	text_putc(&text, '}');
	if (!channel_hand_later(member, text_string(&text), text.size, door->fd))
		engine_tell(member->engine, "%s/%u: its socket cannot be given to it", member->now.service,
			member->now.index);
	text_finish(&text);
}

static void reply_in_turn(struct member *member, const json_t *request, struct door *door, const char *key)
{
	struct text text;
	char own[128];

	door_sockname(door, own, sizeof own);
	text_init(&text, REPLY_MOST);
	begin_reply(&text, request);
	text_format(&text, ",\"errno\":null,\"key\":\"%s\",\"data\":%s", key, door_listening(door)->data);
	if (own[0])
		text_format(&text, ",\"sockname\":%s", own);
	send_reply(&text, member);
	text_finish(&text);
}

static void answer_query(struct member *member, const json_t *request)
{
	struct listening what;
	struct error err = { 0 };
	char key[40];

	read_wish(member, request, &what);
	struct door *door = find_or_open(member, request, &what, &err);
	if (!door) {
		reply_failure(member, request, &err);
		return;
	}
	set_holds(member, door->place, true);
	key_of(door, key, sizeof key);
	if (door_listening(door)->is_shared)
		reply_shared(member, request, door, key);
	else
		reply_in_turn(member, request, door, key);
	cluster_serve(door);
}

/* The first of a service's sockets has somebody behind it. */
static void note_listening(struct member *member, const json_t *request)
{
	(void)request;
	if (member->now.gates & GATE_LISTENING)
		engine_pass(member->engine, member, GATE_LISTENING);
}

/* Is any of its service on the way up? It will want the socket. */
static bool is_awaited(const struct door *door)
{
	struct service *service = project_find(&door->engine->project, door_listening(door)->service);

	for (size_t i = 0; service && i < service->count; i++) {
		enum state state = service->instances[i]->state;
		if (state != STATE_READY && state != STATE_RUNNING && !state_is_over(state))
			return true;
	}
	return false;
}

/* The last one out closes it, unless it only makes room for its successor. */
static void note_closed(struct member *member, const json_t *request)
{
	struct door *door =
		door_of_key(member->engine, json_string_value(json_object_get(request, "key")));

	if (!door || !cluster_holds(member, door->place))
		return;
	set_holds(member, door->place, false);
	if (channel_page(member)->was_told_to_leave || has_holders(door) || is_awaited(door) || door_listening(door)->given)
		return;
	door_close(door);
}

/* Of its own accord; it waits to be told that this was heard. */
static void note_leaving(struct member *member, const json_t *request)
{
	struct text text;

	channel_page(member)->is_leaving = 1;
	channel_page(member)->was_told_to_leave = 1;
	text_init(&text, REPLY_MOST);
	begin_reply(&text, request);
	send_reply(&text, member);
	text_finish(&text);
}

static const struct {
	const char *act;
	void (*take)(struct member *member, const json_t *request);
} acts[] = {
	{ "queryServer", answer_query },
	{ "listening", note_listening },
	{ "close", note_closed },
	{ "exitedAfterDisconnect", note_leaving },
};

static json_t *whole_of(const struct message *message)
{
	return json_loadb(message->whole.at, message->whole.size, JSON_ALLOW_NUL, NULL);
}

static void take_request(struct member *member, const struct message *message)
{
	json_t *request = whole_of(message);
	const char *act = json_string_value(json_object_get(request, "act"));

	for (size_t i = 0; act && i < sizeof acts / sizeof *acts; i++)
		if (strcmp(acts[i].act, act) == 0)
			acts[i].take(member, request);
	json_decref(request);
}

static bool is_number(struct span span)
{
	return span.size && *span.at >= '0' && *span.at <= '9';
}

/* Answers are most of what comes: nothing is built of them. */
static void take_cluster(struct member *member, const struct message *message)
{
	struct span ack = message->members[MEMBER_ACK];

	if (member_spec(member)->exec_mode != EXEC_CLUSTER)
		return; /* nobody opens sockets for one that is no worker */
	if (is_number(ack))
		take_answer(member, strtoull(ack.at, NULL, 10),
			span_equals(message->members[MEMBER_ACCEPTED], (struct span){ "true", 4 }));
	else
		take_request(member, message);
}

/* ---- the rest of what is Node's own ---- */

/* A child that sent a socket sends nothing more until it hears that it has come. */
static void take_handle(struct member *member, const struct message *message)
{
	static const char ack[] = "{\"cmd\":\"NODE_HANDLE_ACK\"}";
	struct worker *worker = worker_of(member);
	struct error err;

	(void)message;
	if (!worker->has_sent_one)
		engine_tell(member->engine, "%s/%u sends something open along with a message, a socket perhaps: "
					    "there is nobody here to take it, and it is closed, as further ones will be",
			member->now.service, member->now.index);
	worker->has_sent_one = true;
	channel_send(member, ack, sizeof ack - 1, &err);
}

static void take_ack(struct member *member, const struct message *message)
{
	(void)message;
	take_receipt(member, true);
}

static void take_nack(struct member *member, const struct message *message)
{
	(void)message;
	take_receipt(member, false);
}

/* Of the sockets it sent none is open here. */
static void answer_sockets(struct member *member, const struct message *message, const char *answer)
{
	json_t *request = whole_of(message);
	json_t *reply = json_pack("{s:s,s:O?,s:i}", "cmd", answer, "key", json_object_get(request, "key"), "count", 0);
	char *text = reply ? json_dumps(reply, JSON_COMPACT) : NULL;
	struct error err;

	if (text)
		channel_send(member, text, strlen(text), &err);
	free(text);
	json_decref(reply);
	json_decref(request);
}

static void take_count(struct member *member, const struct message *message)
{
	answer_sockets(member, message, "NODE_SOCKET_COUNT");
}

static void take_close(struct member *member, const struct message *message)
{
	answer_sockets(member, message, "NODE_SOCKET_ALL_CLOSED");
}

static const struct {
	const char *cmd;
	void (*take)(struct member *member, const struct message *message);
} commands[] = {
	{ "NODE_CLUSTER", take_cluster },
	{ "NODE_HANDLE_ACK", take_ack },
	{ "NODE_HANDLE", take_handle },
	{ "NODE_HANDLE_NACK", take_nack },
	{ "NODE_SOCKET_GET_COUNT", take_count },
	{ "NODE_SOCKET_NOTIFY_CLOSE", take_close },
};

bool cluster_take(struct member *member, const struct message *message)
{
	if (!message_is_internal(message))
		return false;
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		if (span_is(message->members[MEMBER_CMD], commands[i].cmd)) {
			commands[i].take(member, message);
			break;
		}
	return true;
}
