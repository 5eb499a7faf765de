#include "server/threads.h"

#include <stdlib.h>

#include "base/memory.h"
#include "inspect/page.h"
#include "protocol/inside.h"
#include "protocol/method.h"
#include "server/method.h"

static void add_pools(json_t *list, const struct member *member)
{
	struct thread_pool *pools = memory_zeroed(INSIDE_POOLS_MOST, sizeof *pools);
	size_t count = member->now.pid ? page_study(member->now.pid, pools, INSIDE_POOLS_MOST) : 0;

	for (size_t i = 0; i < count; i++) {
		json_t *pool = member_name(member);
		json_object_set_new(pool, "pid", json_integer(member->now.pid));
		json_object_update_new(pool, thread_pool_to_json(&pools[i]));
		json_array_append_new(list, pool);
	}
	free(pools);
}

json_t *threads_list(struct call *call, const char *name)
{
	struct selection selection = { .count = 0 };
	json_t *list = json_array();

	if (name && call_select_name(call, &selection, name))
		for (size_t i = 0; i < selection.count; i++)
			add_pools(list, selection.items[i]);
	return list;
}

/* Of whose workers it is the name of one; NULL: of none. */
static const char *name_pool(struct call *call, const char *name)
{
	struct selection selection = { .count = 0 };

	if (!call_select_name(call, &selection, name) || !selection.count || !member_spec(selection.items[0])->pool.is_pool)
		return NULL;
	return selection.items[0]->now.service;
}

json_t *threads_describe(struct call *call, const char *name)
{
	json_t *list = threads_list(call, name);

	if (json_array_size(list))
		return json_pack("{s:s,s:s,s:o}", "name", name, "kind", "thread", "thread_pools", list);
	json_decref(list);
	if (call->err.code)
		return NULL;
	const char *pool = name_pool(call, name);
	if (pool)
		return call_refuse(call, PROTOCOL_REFUSED, "%s is of a pool: `thrum pool %s` shows it", name, pool);
	return call_refuse(call, PROTOCOL_REFUSED,
		"%s is no pool: it has no `pool:` in its configuration, and no thread pool of libthrum in its processes", name);
}

static json_t *wish_all(struct call *call, const struct selection *selection, const struct thread_wish *wish)
{
	json_t *done = json_array();
	struct error err = { 0 };

	for (size_t i = 0; i < selection->count; i++) {
		const struct member *member = selection->items[i];
		int threads = member->now.pid ? page_wish(member->now.pid, wish, &err) : -1;
		if (threads < 0)
			continue;
		json_t *one = member_name(member);
		json_object_set_new(one, "threads", json_integer(threads));
		json_array_append_new(done, one);
	}
	if (json_array_size(done))
		return done;
	json_decref(done);
	return call_refuse(call, PROTOCOL_REFUSED, "%s", err.code ? err.text : "none of these has a process now");
}

static json_t *wish_of(struct call *call, const char *name, const struct thread_wish *wish)
{
	struct selection selection = { .count = 0 };

	if (!name || !wish->pool)
		return call_refuse(call, PROTOCOL_INVALID_PARAMS, "name and pool say which thread pool");
	if (!call_select_name(call, &selection, name))
		return NULL;
	json_t *done = wish_all(call, &selection, wish);
	if (!done)
		return NULL;
	return json_pack("{s:s,s:s,s:b,s:o}", "name", name, "pool", wish->pool, "draining", wish->kind == WISH_DRAIN, "instances", done);
}

json_t *threads_scale(struct call *call)
{
	const char *name = json_string_value(json_object_get(call->params, "name"));
	json_t *count = json_object_get(call->params, "count"), *delta = json_object_get(call->params, "delta");
	struct thread_wish wish = { json_string_value(json_object_get(call->params, "pool")), WISH_SIZE, json_integer_value(count) };

	if (!json_is_integer(count) && !json_is_integer(delta))
		return call_refuse(call, PROTOCOL_INVALID_PARAMS, "scale takes name, and count or delta");
	if (!json_is_integer(count)) {
		wish.kind = WISH_CHANGE;
		wish.number = json_integer_value(delta);
	}
	return wish_of(call, name, &wish);
}

json_t *threads_drain(struct call *call)
{
	struct thread_wish wish = { json_string_value(json_object_get(call->params, "pool")), WISH_DRAIN, 0 };

	if (json_is_true(json_object_get(call->params, "off")))
		return call_refuse(call, PROTOCOL_REFUSED, "a thread pool that was drained takes nothing more for ever");
	return wish_of(call, json_string_value(json_object_get(call->params, "name")), &wish);
}
