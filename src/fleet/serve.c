/* `thrum-redis serve`: one loop; whatever it does, the engine goes on without it. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "client/signals.h"
#include "fleet/beat.h"
#include "fleet/feed.h"
#include "fleet/fleet.h"

enum {
	POOLS_MOST = 64,
	TURN_MS = 500,    /* at the most */
	MEASURE_MS = 500, /* how often the pools are asked how they are */
	LEAVE_MS = 1000,  /* for what is said at the end */
};

struct service {
	const struct settings *settings; /* borrowed */
	struct door door;
	struct redis *redis; /* owned */
	struct feed *feeds;  /* owned */
	size_t count;
	uint64_t measured_ms, beaten_ms;
};

static void begin(struct service *service, const struct settings *settings, char **pools, size_t count)
{
	*service = (struct service){ .settings = settings, .count = count };
	door_init(&service->door, settings->project, "redis");
	service->redis = redis_create(settings);
	service->feeds = memory_zeroed(count, sizeof *service->feeds);
	for (size_t i = 0; i < count; i++)
		feed_init(&service->feeds[i], settings, pools[i], service->redis);
}

static void finish(struct service *service)
{
	redis_destroy(service->redis); /* first: what it still answers is the feeds' */
	for (size_t i = 0; i < service->count; i++)
		feed_finish(&service->feeds[i]);
	free(service->feeds);
	door_finish(&service->door);
}

static void measure(struct service *service, uint64_t now_ms)
{
	struct error err;

	if (service->measured_ms && now_ms - service->measured_ms < MEASURE_MS)
		return;
	service->measured_ms = now_ms;
	for (size_t i = 0; i < service->count; i++) {
		struct feed *feed = &service->feeds[i];
		json_t *pool = door_call(&service->door, "pool", json_pack("{s:s}", "name", feed->pool), &err);
		local_measure(&feed->local, pool);
		json_decref(pool);
	}
}

static void beat(struct service *service, uint64_t now_ms)
{
	if (!redis_is_up(service->redis) || (service->beaten_ms && now_ms - service->beaten_ms < BEAT_MS))
		return;
	service->beaten_ms = now_ms;
	beat_send(service->settings, service->redis,
		beat_describe(service->settings, &service->door.replica, service->feeds, service->count));
}

static void turn(struct service *service)
{
	uint64_t now_ms = clock_monotonic_ms();

	redis_turn(service->redis);
	door_turn(&service->door);
	measure(service, now_ms);
	for (size_t i = 0; i < service->count; i++)
		feed_turn(&service->feeds[i]);
	beat(service, now_ms);
}

static int sooner(int one_ms, int other_ms)
{
	return one_ms < other_ms ? one_ms : other_ms;
}

static int wait_ms(const struct service *service)
{
	int ms = sooner(TURN_MS, redis_wait_ms(service->redis));

	for (size_t i = 0; i < service->count; i++)
		ms = sooner(ms, redis_wait_ms(service->feeds[i].reader));
	return ms;
}

/* Until something happens. False: it is to end. */
static bool wait_for_more(struct service *service, int signal_fd)
{
	struct pollfd ready[3 + 2 * POOLS_MOST] = {
		{ .fd = signal_fd, .events = POLLIN },
		redis_poll(service->redis),
		{ .fd = door_fd(&service->door), .events = POLLIN },
	};
	nfds_t count = 3;

	for (size_t i = 0; i < service->count; i++) {
		ready[count++] = redis_poll(service->feeds[i].reader);
		ready[count++] = local_poll(&service->feeds[i].local);
	}
	if (poll(ready, count, wait_ms(service)) <= 0)
		return true;
	redis_handle(service->redis, ready[1].revents);
	for (size_t i = 0; i < service->count; i++)
		redis_handle(service->feeds[i].reader, ready[3 + 2 * i].revents);
	return !ready[0].revents;
}

static void on_said(void *context, const redisReply *reply)
{
	(void)reply;
	*(bool *)context = true;
}

/* What is not answered is for others, at once. */
static void leave(struct service *service)
{
	uint64_t until_ms = clock_monotonic_ms() + LEAVE_MS;
	bool is_said = false;

	for (size_t i = 0; i < service->count; i++)
		feed_release(&service->feeds[i]);
	beat_end(service->settings, service->redis);
	if (!redis_ask(service->redis, on_said, &is_said, "PING"))
		return;
	while (!is_said && redis_is_up(service->redis) && clock_monotonic_ms() < until_ms) {
		struct pollfd ready = redis_poll(service->redis);
		if (poll(&ready, 1, LEAVE_MS) > 0)
			redis_handle(service->redis, ready.revents);
	}
}

int fleet_serve(const struct settings *settings, int argc, char **argv)
{
	struct service service;

	if (argc < 2 || argc > POOLS_MOST || argv[1][0] == '-')
		return FLEET_USAGE;
	if (!settings->project[0])
		return fleet_fail(FLEET_FAILED, "THRUM_PROJECT is not set: which engine?");
	int signal_fd = signals_open(signals_of_service, NULL);
	begin(&service, settings, argv + 1, (size_t)argc - 1);
	printf("serving %s as %s\n", settings->server, settings->name);
	fflush(stdout);
	do
		turn(&service);
	while (wait_for_more(&service, signal_fd));
	leave(&service);
	finish(&service);
	close(signal_fd);
	return FLEET_OK;
}
