/* The key that makes a service a pool of workers with a queue in front. */
#include "config/take.h"

enum { CONCURRENCY_MOST = 64,
	QUEUE_MOST = 10 * 1000 * 1000,
	RETRIES_MOST = 1000 };

static TAKES_OF(take_concurrency)
{
	unsigned *count = place;

	return take_count(reading, value, place, key) &&
	       ((*count >= 1 && *count <= CONCURRENCY_MOST) || take_failed(reading, value, key, "1 to 64"));
}

static TAKES_OF(take_queue)
{
	unsigned *count = place;

	return take_count(reading, value, place, key) &&
	       ((*count >= 1 && *count <= QUEUE_MOST) || take_failed(reading, value, key, "1 to 10000000"));
}

static TAKES_OF(take_retries)
{
	unsigned *count = place;

	return take_count(reading, value, place, key) &&
	       (*count <= RETRIES_MOST || take_failed(reading, value, key, "0 to 1000"));
}

#define IN_POOL(field) offsetof(struct service_spec, pool.field)

const struct key schema_pool[] = {
	{ "size", take_instances, offsetof(struct service_spec, instances), NULL,
		"workers; one for each core, if neither this nor instances is named" },
	{ "queue_max", take_queue, IN_POOL(queue_most), NULL, "tasks that may wait; then whoever has more waits" },
	{ "max_bytes", take_size, IN_POOL(bytes_most), NULL, "… and how large they may be together" },
	{ "retries", take_retries, IN_POOL(retries), NULL, "of a task whose worker died" },
	{ "task_timeout", take_duration, IN_POOL(timeout_ms), NULL, "a task that runs for longer fails, and its worker is restarted" },
	{ "concurrency", take_concurrency, IN_POOL(concurrency), NULL, "tasks that a worker has at a time" },
	{ NULL, NULL, 0, NULL, NULL },
};

TAKES_OF(take_pool)
{
	struct service_spec *spec = place;

	if (value->kind != NODE_MAP)
		return take_failed(reading, value, key, "a map: {size, queue_max, retries, task_timeout, concurrency}");
	spec->pool.is_pool = true;
	spec->ipc = true; /* tasks go down the channel */
	if (!reading->has_instances && !node_get(value, "size"))
		spec->instances = take_core_count();
	return schema_take(reading, value, schema_pool, place);
}
