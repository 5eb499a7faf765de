/* The keys that say how a service's processes come to their sockets: exec_mode, scheduling, listen. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "config/take.h"

enum { PORT_MOST = 65535,
	BACKLOG = 511, /* Node's own */
	BACKLOG_MOST = 65535,
	PATH_MOST = 107 /* of a unix socket's address */ };

TAKES_OF(take_exec_mode)
{
	struct service_spec *spec = place;
	char *text = schema_text(reading, value, key->name);
	bool is_cluster = text && (strcmp(text, "cluster") == 0 || strcmp(text, "cluster_mode") == 0);
	bool ok = is_cluster || (text && (strcmp(text, "fork") == 0 || strcmp(text, "fork_mode") == 0));

	free(text);
	if (!ok)
		return take_failed(reading, value, key, "fork or cluster");
	spec->exec_mode = is_cluster ? EXEC_CLUSTER : EXEC_FORK;
	if (is_cluster)
		spec->ipc = true; /* its workers could not ask for their sockets */
	return true;
}

TAKES_OF(take_scheduling)
{
	char *text = schema_text(reading, value, key->name);
	enum scheduling *scheduling = place;
	bool ok = false;

	for (int i = 0; text && i < SCHEDULING_COUNT; i++)
		if (strcmp(text, scheduling_name(i)) == 0) {
			*scheduling = i;
			ok = true;
		}
	free(text);
	return ok || take_failed(reading, value, key, "rr or none");
}

/* ---- listen ---- */

#define LOOKS "tcp://HOST:PORT, udp://HOST:PORT or unix:///PATH"

static bool is_figures(const char *host)
{
	unsigned char address[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

/* An address in figures, localhost, or nothing or *, which is any. */
static bool take_host(struct listen_spec *listen, const char *text, size_t size)
{
	char *host = size >= 2 && text[0] == '[' && text[size - 1] == ']' ? memory_copy_n(text + 1, size - 2)
									  : memory_copy_n(text, size);

	if (!*host || strcmp(host, "*") == 0) {
		free(host);
		return true;
	}
	listen->host = strcasecmp(host, "localhost") == 0 ? memory_copy("127.0.0.1") : memory_copy(host);
	free(host);
	return is_figures(listen->host);
}

static bool take_host_port(struct listen_spec *listen, const char *text)
{
	const char *colon = strrchr(text, ':');
	uint64_t port = 0;

	if (!take_parse_count(colon ? colon + 1 : text, PORT_MOST, &port))
		return false;
	listen->port = (unsigned)port;
	return !colon || take_host(listen, text, (size_t)(colon - text));
}

static bool take_path_of(struct reading *reading, struct listen_spec *listen, const char *text)
{
	listen->path = take_path_from(reading->dir, text);
	return *text && strlen(listen->path) <= PATH_MOST;
}

static bool take_url(struct reading *reading, struct listen_spec *listen, const char *text)
{
	for (int kind = 0; kind < SOCKET_KIND_COUNT; kind++) {
		size_t size = strlen(socket_kind_name(kind));
		if (strncmp(text, socket_kind_name(kind), size) != 0 || strncmp(text + size, "://", 3) != 0)
			continue;
		listen->kind = kind;
		text += size + 3;
		return kind == SOCKET_UNIX ? take_path_of(reading, listen, text) : take_host_port(listen, text);
	}
	return text[0] == '/' ? (listen->kind = SOCKET_UNIX, take_path_of(reading, listen, text))
			      : take_host_port(listen, text);
}

static TAKES_OF(take_address)
{
	char *text = schema_text(reading, value, key->name);
	bool ok = text && take_url(reading, place, text);

	free(text);
	return ok || take_failed(reading, value, key, LOOKS);
}

static TAKES_OF(take_backlog)
{
	unsigned *backlog = place;

	return take_count(reading, value, place, key) &&
	       ((*backlog > 0 && *backlog <= BACKLOG_MOST) || take_failed(reading, value, key, "1 to 65535"));
}

static TAKES_OF(take_mode)
{
	unsigned *mode = place;
	char *text = schema_text(reading, value, key->name), *end;
	unsigned long number = text ? strtoul(text, &end, 8) : 0;
	bool ok = text && !*end && number && number <= 0777;

	free(text);
	*mode = (unsigned)number;
	return ok || take_failed(reading, value, key, "octal, such as 0660");
}

const struct key schema_listen[] = {
	{ "address", take_address, 0, NULL, LOOKS },
	{ "backlog", take_backlog, offsetof(struct listen_spec, backlog), NULL, "connections that may wait" },
	{ "mode", take_mode, offsetof(struct listen_spec, mode), NULL, "of a unix socket's file, octal" },
	{ "per_instance", take_bool, offsetof(struct listen_spec, is_own), NULL, "each instance has its own (SO_REUSEPORT)" },
	{ NULL, NULL, 0, NULL, NULL },
};

static bool take_one_listen(
	struct reading *reading, const struct node *value, struct listen_spec *listen, const struct key *key)
{
	if (value->kind == NODE_SCALAR)
		return take_address(reading, value, listen, key);
	if (value->kind != NODE_MAP || !node_get(value, "address"))
		return take_failed(reading, value, key, LOOKS ", or {address, backlog, mode, per_instance}");
	if (!schema_take(reading, value, schema_listen, listen))
		return false;
	if (listen->is_own && listen->kind == SOCKET_UNIX)
		return problem_error(reading->problems, value->at, "per_instance: a unix socket can only be shared");
	if (listen->mode && listen->kind != SOCKET_UNIX)
		return problem_error(reading->problems, value->at, "mode: only a unix socket has one");
	if (listen->is_own && !listen->port)
		return problem_error(reading->problems, value->at, "per_instance: which port?");
	return true;
}

static TAKES_OF(add_listen)
{
	struct service_spec *spec = place;

	if (spec->listen_count == LISTENS_MOST)
		return problem_error(reading->problems, value->at, "listen: %d sockets are the most", LISTENS_MOST);
	spec->listens = memory_resize(spec->listens, spec->listen_count + 1, sizeof *spec->listens);
	struct listen_spec *listen = &spec->listens[spec->listen_count++];
	*listen = (struct listen_spec){ .backlog = BACKLOG };
	return take_one_listen(reading, value, listen, key);
}

TAKES_OF(take_listen)
{
	return take_each(reading, value, place, key, add_listen);
}
