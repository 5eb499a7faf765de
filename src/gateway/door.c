#include "gateway/door.h"

#include <errno.h>

#include "base/clock.h"

enum {
	RETRY_MS = 250,
	ASK_MS = 3000, /* an engine that hangs is replaced by its keeper within that time or so */
	SAMPLE_MS = 5000,
};

void door_init(struct door *door, const char *project, const char *client)
{
	*door = (struct door){ .project = project, .client = client };
	replica_init(&door->replica);
}

static void lose(struct door *door)
{
	link_close(door->link);
	door->link = NULL;
	door->replica.is_connected = false;
	door->tried_ms = clock_monotonic_ms();
}

void door_finish(struct door *door)
{
	link_close(door->link);
	replica_finish(&door->replica);
}

static bool subscribe(struct door *door)
{
	struct error err;
	json_t *hello = link_call(door->link, "hello", json_pack("{s:s}", "client", door->client), ASK_MS, &err);
	bool ok = hello && replica_subscribe(&door->replica, door->link,
				   json_pack("{s:b,s:i}", "samples", 1, "sample_ms", SAMPLE_MS), ASK_MS, &err);

	json_decref(hello);
	return ok;
}

static void connect_again(struct door *door)
{
	uint64_t now_ms = clock_monotonic_ms();
	struct error err;

	if (door->tried_ms && now_ms - door->tried_ms < RETRY_MS)
		return;
	door->tried_ms = now_ms;
	door->link = link_open(door->project, &err);
	if (door->link && !subscribe(door))
		lose(door);
	else if (door->link)
		door->replica.is_connected = true;
}

void door_turn(struct door *door)
{
	struct error err = { 0 };
	json_t *message;

	if (!door->link)
		connect_again(door);
	while (door->link && (message = link_next(door->link, &err))) {
		replica_apply(&door->replica, message);
		json_decref(message);
	}
	if (door->link && (err.code || door->replica.is_over))
		lose(door);
}

int door_fd(const struct door *door)
{
	return door->link ? link_fd(door->link) : -1;
}

int door_wait_ms(const struct door *door)
{
	return door->link ? -1 : RETRY_MS;
}

json_t *door_call(struct door *door, const char *method, json_t *params, struct error *err)
{
	if (!door->link) {
		json_decref(params);
		error_set(err, ENOTCONN, "the engine does not answer");
		return NULL;
	}
	json_t *result = link_call(door->link, method, params, ASK_MS, err);
	if (!result && (err->code == ECONNRESET || err->code == ETIMEDOUT))
		lose(door);
	return result;
}
