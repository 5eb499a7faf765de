#include "config/gateway.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"

#ifndef GATEWAY_PATH
#define GATEWAY_PATH "/usr/local/libexec/thrum/thrum-http"
#endif

char *gateway_find(void)
{
	char path[PATH_MAX];
	ssize_t size = readlink("/proc/self/exe", path, sizeof path - 1);

	path[size > 0 ? size : 0] = '\0';
	char *slash = strrchr(path, '/');
	char *beside = slash ? memory_format("%.*s/" GATEWAY_SERVICE, (int)(slash - path), path) : NULL;
	if (beside && access(beside, X_OK) == 0)
		return beside;
	free(beside);
	return access(GATEWAY_PATH, X_OK) == 0 ? memory_copy(GATEWAY_PATH) : NULL;
}

static struct node *make_service(struct graft *graft, struct node *listen, struct node *token, const char *program)
{
	struct position at = listen->at;
	struct node *service = graft_map(graft, at), *words = graft_list(graft, at);

	node_append(words, graft_text(graft, at, program));
	node_append(words, listen);
	graft_set(graft, service, "command", words);
	graft_set(graft, service, "working_dir", graft_plain(graft, at, "/"));
	graft_put(graft, service, "availability.restart", graft_plain(graft, at, "always"));
	graft_put(graft, service, "availability.max_restarts", graft_plain(graft, at, "unlimited"));
	graft_put(graft, service, "ready.log", graft_plain(graft, at, "^listening on "));
	if (token)
		graft_put(graft, service, "environment.THRUM_HTTP_TOKEN", token);
	return service;
}

static bool check_keys(struct graft *graft, const struct node *http)
{
	static const char *const keys[] = { "listen", "token", NULL };
	bool ok = true;

	for (size_t i = 0; i < http->count; i += 2) {
		const char *name = http->items[i]->text;
		const char *nearest = problem_nearest(name, keys);
		if (strcmp(name, "listen") != 0 && strcmp(name, "token") != 0)
			ok = problem_error(graft->problems, http->items[i]->at, "unknown key '%.60s'%s%s%s", name,
				nearest ? " (did you mean '" : "", nearest ? nearest : "", nearest ? "'?)" : "");
	}
	return ok;
}

bool gateway_graft(struct graft *graft, struct node *root)
{
	const struct node *http = node_get(root, "http");
	struct node *processes = node_get(root, "processes"), *listen = node_get(http, "listen");

	if (node_is_null(http))
		return true;
	if (http->kind != NODE_MAP || !graft_string(listen))
		return problem_error(graft->problems, http->at, "http is a map such as {listen: 127.0.0.1:3001}");
	if (!check_keys(graft, http))
		return false;
	char *program = gateway_find();
	if (!program) {
		problem_warning(graft->problems, http->at,
			"http: this thrum was built without its gateway; libmicrohttpd is what it needs");
		return true;
	}
	if (!processes || processes->kind != NODE_MAP)
		graft_set(graft, root, "processes", processes = graft_map(graft, http->at));
	graft_set(graft, processes, GATEWAY_SERVICE, make_service(graft, listen, node_get(http, "token"), program));
	free(program);
	return true;
}
