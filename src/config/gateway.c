#include "config/gateway.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/units.h"

#ifndef GATEWAY_DIR
#define GATEWAY_DIR "/usr/local/libexec/thrum"
#endif

bool gateway_is(const char *service)
{
	return strcmp(service, GATEWAY_HTTP) == 0 || strcmp(service, GATEWAY_REDIS) == 0;
}

char *gateway_find(const char *name)
{
	char path[PATH_MAX];
	ssize_t size = readlink("/proc/self/exe", path, sizeof path - 1);

	path[size > 0 ? size : 0] = '\0';
	char *slash = strrchr(path, '/');
	char *beside = slash ? memory_format("%.*s/%s", (int)(slash - path), path, name) : NULL;
	if (beside && access(beside, X_OK) == 0)
		return beside;
	free(beside);
	char *installed = memory_format(GATEWAY_DIR "/%s", name);
	if (access(installed, X_OK) == 0)
		return installed;
	free(installed);
	return NULL;
}

/* One that runs as long as the project does; words: its command line. */
static struct node *make_service(struct graft *graft, struct node *words, const char *ready)
{
	struct position at = words->at;
	struct node *service = graft_map(graft, at);

	graft_set(graft, service, "command", words);
	graft_set(graft, service, "working_dir", graft_plain(graft, at, "/"));
	graft_put(graft, service, "availability.restart", graft_plain(graft, at, "always"));
	graft_put(graft, service, "availability.max_restarts", graft_plain(graft, at, "unlimited"));
	graft_put(graft, service, "ready.log", graft_plain(graft, at, ready));
	return service;
}

static struct node *make_words(struct graft *graft, struct position at, const char *program)
{
	struct node *words = graft_list(graft, at);

	node_append(words, graft_text(graft, at, program));
	return words;
}

static bool check_keys(struct graft *graft, const struct node *map, const char *const *keys)
{
	bool ok = true;

	for (size_t i = 0; i < map->count; i += 2) {
		const char *name = map->items[i]->text, *const *key = keys;
		const char *nearest = problem_nearest(name, keys);
		while (*key && strcmp(*key, name) != 0)
			key++;
		if (!*key)
			ok = problem_error(graft->problems, map->items[i]->at, "unknown key '%.60s'%s%s%s", name,
				nearest ? " (did you mean '" : "", nearest ? nearest : "", nearest ? "'?)" : "");
	}
	return ok;
}

/* ---- HTTP ---- */

static bool make_http(struct graft *graft, const struct node *http, const char *program, struct node *processes)
{
	struct node *words = make_words(graft, http->at, program), *token = node_get(http, "token");

	node_append(words, node_get(http, "listen"));
	struct node *service = make_service(graft, words, "^listening on ");
	if (token)
		graft_put(graft, service, "environment.THRUM_HTTP_TOKEN", token);
	graft_set(graft, processes, GATEWAY_HTTP, service);
	return true;
}

/* ---- Redis ---- */

/* Keys that are handed on as they are: variables of the service. */
static const struct {
	const char *key, *path;
} redis_variables[] = {
	{ "server", "environment.THRUM_REDIS" },
	{ "user", "environment.THRUM_REDIS_USER" },
	{ "password", "environment.THRUM_REDIS_PASSWORD" },
	{ "database", "environment.THRUM_REDIS_DATABASE" },
	{ "name", "environment.THRUM_REDIS_NAME" },
	{ "prefix", "environment.THRUM_REDIS_PREFIX" },
	{ "deliveries", "environment.THRUM_REDIS_DELIVERIES" },
};

/* Those that are named, else all that the file has. */
static size_t add_pools(struct graft *graft, const struct node *redis, const struct node *processes, struct node *words)
{
	struct node *named = node_get(redis, "pools");
	size_t before = words->count;

	for (size_t i = 0; named && named->kind == NODE_LIST && i < named->count; i++)
		node_append(words, named->items[i]);
	if (graft_string(named))
		node_append(words, named);
	for (size_t i = 0; node_is_null(named) && processes->kind == NODE_MAP && i + 1 < processes->count; i += 2)
		if (!node_is_null(node_get(processes->items[i + 1], "pool")))
			node_append(words, graft_text(graft, processes->items[i]->at, processes->items[i]->text));
	return words->count - before;
}

static bool put_claim_after(struct graft *graft, const struct node *redis, struct node *service)
{
	struct node *value = node_get(redis, "claim_after");
	uint64_t ms = 0;

	if (node_is_null(value))
		return true;
	if (!graft_string(value) || !units_parse_duration(value->text, &ms) || ms < 100)
		return problem_error(graft->problems, value->at, "claim_after: a duration such as 60s, 100ms at the least");
	graft_put(graft, service, "environment.THRUM_REDIS_CLAIM_MS", graft_format(graft, value->at, "%llu", (unsigned long long)ms));
	return true;
}

static bool make_redis(struct graft *graft, const struct node *redis, const char *program, struct node *processes)
{
	struct node *words = make_words(graft, redis->at, program);

	node_append(words, graft_text(graft, redis->at, "serve"));
	if (!add_pools(graft, redis, processes, words))
		return problem_error(graft->problems, redis->at, "redis: no service of this file has `pool:`, and `pools` names none");
	struct node *service = make_service(graft, words, "^serving ");
	for (size_t i = 0; i < sizeof redis_variables / sizeof *redis_variables; i++) {
		struct node *value = node_get(redis, redis_variables[i].key);
		if (!node_is_null(value))
			graft_put(graft, service, redis_variables[i].path, value);
	}
	graft_set(graft, processes, GATEWAY_REDIS, service);
	return put_claim_after(graft, redis, service);
}

/* ---- both ---- */

static const char *const http_keys[] = { "listen", "token", NULL };
static const char *const redis_keys[] = { "server", "user", "password", "database", "name", "prefix", "pools", "claim_after",
	"deliveries", NULL };

static const struct gateway {
	const char *key, *service;
	const char *const *keys; /* the first is needed */
	const char *example, *library;
	bool (*make)(struct graft *graft, const struct node *map, const char *program, struct node *processes);
} gateways[] = {
	{ "http", GATEWAY_HTTP, http_keys, "{listen: 127.0.0.1:3001}", "libmicrohttpd", make_http },
	{ "redis", GATEWAY_REDIS, redis_keys, "{server: 127.0.0.1:6379}", "hiredis", make_redis },
};

static bool add_gateway(struct graft *graft, struct node *root, const struct gateway *gateway)
{
	const struct node *map = node_get(root, gateway->key);
	struct node *processes = node_get(root, "processes");

	if (node_is_null(map))
		return true;
	if (map->kind != NODE_MAP || !graft_string(node_get(map, gateway->keys[0])))
		return problem_error(graft->problems, map->at, "%s is a map such as %s", gateway->key, gateway->example);
	if (!check_keys(graft, map, gateway->keys))
		return false;
	char *program = gateway_find(gateway->service);
	if (!program) {
		problem_warning(graft->problems, map->at, "%s: this thrum was built without its gateway; %s is what it needs",
			gateway->key, gateway->library);
		return true;
	}
	if (!processes || processes->kind != NODE_MAP)
		graft_set(graft, root, "processes", processes = graft_map(graft, map->at));
	bool ok = gateway->make(graft, map, program, processes);
	free(program);
	return ok;
}

bool gateway_graft(struct graft *graft, struct node *root)
{
	bool ok = true;

	for (size_t i = 0; i < sizeof gateways / sizeof *gateways; i++)
		ok = add_gateway(graft, root, &gateways[i]) && ok;
	return ok;
}
