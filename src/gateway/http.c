#include "gateway/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "gateway/health.h"
#include "gateway/metrics.h"
#include "protocol/method.h"

enum {
	CONNECTIONS_MOST = 64,
	CONNECTION_S = 10,       /* without a byte */
	REQUEST_MS = 30000,      /* for all of it */
	MEMORY_MOST = 16 * 1024, /* of a connection: its headers */
	BODY_MOST = 64 * 1024,   /* of a request */
	ANSWER_MOST = 16 * 1024 * 1024,
};

struct http {
	struct MHD_Daemon *daemon;
	struct door *door;   /* borrowed */
	char *token;         /* owned; NULL: none */
	char *path;          /* owned: of a unix socket, removed in the end; or NULL */
	bool is_loopback;    /* then only a page of this machine may ask */
	unsigned open_count; /* connections */
};

struct request {
	struct http *http;
	struct MHD_Connection *connection;
	const char *url, *method;
	struct text body;
	uint64_t began_ms;
	bool is_known; /* its headers have been looked at */
	bool is_cut;   /* an encoded NUL is in the address, which ends there for us */
};

/* ---- answers ---- */

static enum MHD_Result answer(struct request *request, unsigned status, const char *type, const char *text, size_t size)
{
	struct MHD_Response *response =
		MHD_create_response_from_buffer(size, memory_copy_n(text, size), MHD_RESPMEM_MUST_FREE);

	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD, POST");
	if (status == MHD_HTTP_UNAUTHORIZED)
		MHD_add_response_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer");
	enum MHD_Result result = MHD_queue_response(request->connection, status, response);
	MHD_destroy_response(response);
	return result;
}

/* json is stolen. */
static enum MHD_Result answer_json(struct request *request, unsigned status, json_t *json)
{
	char *text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);
	char *line = memory_format("%s\n", text ? text : "null");
	enum MHD_Result result = answer(request, status, "application/json", line, strlen(line));

	json_decref(json);
	free(line);
	free(text);
	return result;
}

static enum MHD_Result refuse(struct request *request, unsigned status, const char *why)
{
	return answer_json(request, status, json_pack("{s:s}", "error", why));
}

/* ---- what can be asked for ---- */

static enum MHD_Result get_health(struct request *request)
{
	bool is_well;
	json_t *json = health_describe(
		&request->http->door->replica, request->http->open_count, clock_wall_us(), &is_well);

	return answer_json(request, is_well ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE, json);
}

static enum MHD_Result get_live(struct request *request)
{
	bool is_live = request->http->door->replica.is_connected;

	return answer_json(request, is_live ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE, json_pack("{s:b}", "live", is_live));
}

static enum MHD_Result get_ready(struct request *request)
{
	bool is_ready;
	json_t *json = health_readiness(&request->http->door->replica, &is_ready);

	return answer_json(request, is_ready ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE, json);
}

static enum MHD_Result get_metrics(struct request *request)
{
	const char *accept =
		MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT);
	bool is_open = accept && strstr(accept, "application/openmetrics-text");
	struct text text;

	text_init(&text, ANSWER_MOST);
	metrics_write(&text, &request->http->door->replica, clock_wall_us(), is_open);
	enum MHD_Result result = answer(request, MHD_HTTP_OK,
		is_open ? "application/openmetrics-text; version=1.0.0; charset=utf-8" : "text/plain; version=0.0.4; charset=utf-8",
		text_string(&text), text.size);
	text_finish(&text);
	return result;
}

static const struct {
	const char *url;
	enum MHD_Result (*get)(struct request *request);
} pages[] = {
	{ "/health", get_health },
	{ "/live", get_live },
	{ "/ready", get_ready },
	{ "/metrics", get_metrics },
};

/* Requests of the control socket. What may hold a secret (env, info) is for those with the token too. */
static const struct {
	const char *name, *method;
	bool is_open; /* to everybody */
} calls[] = {
	{ "ps", "list", true },
	{ "history", "history", true },
	{ "events", "events", true },
	{ "info", "info", false },
	{ "start", "start", false },
	{ "stop", "stop", false },
	{ "restart", "restart", false },
	{ "reload", "reload", false },
	{ "kill", "kill", false },
	{ "scale", "scale", false },
	{ "signal", "signal", false },
	{ "send", "send", false },
	{ "trigger", "trigger", false },
};

/* ---- who may ---- */

/* In a time that does not tell how much of it was right. */
static bool is_equal(const char *secret, const char *given)
{
	size_t size = strlen(secret);
	unsigned char difference = size != strlen(given);

	for (size_t i = 0; i < size && !(strlen(given) < size); i++)
		difference |= (unsigned char)(secret[i] ^ given[i]);
	return !difference;
}

static bool has_token(const struct request *request)
{
	const char *given =
		MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_AUTHORIZATION);

	return request->http->token && given && strncmp(given, "Bearer ", 7) == 0 &&
	       is_equal(request->http->token, given + 7);
}

/* A page of the web whose name was made to mean this machine may not ask. */
static bool is_of_here(const struct request *request)
{
	static const char *const names[] = { "localhost", "127.", "[::1]" };
	const char *host = MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_HOST);

	if (!request->http->is_loopback || !host)
		return true;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strncmp(host, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

/* ---- /api ---- */

static unsigned status_of(const struct error *err)
{
	switch (err->code) {
	case PROTOCOL_NO_SUCH_SERVICE:
		return MHD_HTTP_NOT_FOUND;
	case PROTOCOL_INVALID_PARAMS:
		return MHD_HTTP_BAD_REQUEST;
	case PROTOCOL_REFUSED:
	case PROTOCOL_GONE:
		return MHD_HTTP_CONFLICT;
	default:
		return MHD_HTTP_SERVICE_UNAVAILABLE;
	}
}

/* The body, or the `name` of the query. NULL: it is no JSON object. */
static json_t *params_of(struct request *request)
{
	const char *name = MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, "name");

	if (request->body.size) {
		json_t *json = json_loadb(request->body.data, request->body.size, JSON_REJECT_DUPLICATES, NULL);
		if (!json_is_object(json)) {
			json_decref(json);
			return NULL;
		}
		return json;
	}
	json_t *params = json_object();
	json_t *text = name ? json_string(name) : NULL;
	if (text)
		json_object_set_new(params, "names", json_pack("[o]", text));
	return params;
}

static enum MHD_Result call(struct request *request, const char *method)
{
	struct error err = { 0 };
	json_t *params = params_of(request);

	if (!params)
		return refuse(request, MHD_HTTP_BAD_REQUEST, "the body is to be a JSON object");
	json_t *result = door_call(request->http->door, method, params, &err);
	if (!result)
		return refuse(request, status_of(&err), err.text);
	return answer_json(request, MHD_HTTP_OK, result);
}

static enum MHD_Result get_api(struct request *request, const char *name)
{
	bool is_post = strcmp(request->method, MHD_HTTP_METHOD_POST) == 0;

	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
		if (strcmp(calls[i].name, name) != 0)
			continue;
		if (calls[i].is_open && !is_post)
			return call(request, calls[i].method);
		if (!request->http->token)
			return refuse(request, MHD_HTTP_FORBIDDEN, "this gateway only reads: `http.token` is not set");
		if (!has_token(request))
			return refuse(request, MHD_HTTP_UNAUTHORIZED, "Authorization: Bearer TOKEN is needed");
		if (!calls[i].is_open && !is_post && strcmp(name, "info") != 0)
			return refuse(request, MHD_HTTP_METHOD_NOT_ALLOWED, "this is a POST");
		return call(request, calls[i].method);
	}
	return refuse(request, MHD_HTTP_NOT_FOUND, "no such call");
}

/* ---- requests ---- */

static enum MHD_Result route(struct request *request)
{
	bool is_get = strcmp(request->method, MHD_HTTP_METHOD_GET) == 0 ||
		      strcmp(request->method, MHD_HTTP_METHOD_HEAD) == 0;
	bool is_post = strcmp(request->method, MHD_HTTP_METHOD_POST) == 0;

	if (!is_of_here(request))
		return refuse(request, MHD_HTTP_FORBIDDEN, "this gateway answers to localhost alone");
	if (!is_get && !is_post)
		return refuse(request, MHD_HTTP_METHOD_NOT_ALLOWED, "GET, HEAD or POST");
	if (strncmp(request->url, "/api/", 5) == 0 && !request->is_cut)
		return get_api(request, request->url + 5);
	for (size_t i = 0; i < sizeof pages / sizeof *pages; i++)
		if (strcmp(pages[i].url, request->url) == 0 && !request->is_cut)
			return is_get ? pages[i].get(request) : refuse(request, MHD_HTTP_METHOD_NOT_ALLOWED, "this is a GET");
	return refuse(request, MHD_HTTP_NOT_FOUND, "there are /health, /live, /ready, /metrics and /api/ps");
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url, const char *method,
	const char *version, const char *data, size_t *size, void **state)
{
	struct request *request = *state;

	(void)context;
	(void)version;
	request->connection = connection;
	request->url = url;
	request->method = method;
	if (!request->is_known) { /* the body is still to come */
		request->is_known = true;
		return MHD_YES;
	}
	if (clock_monotonic_ms() - request->began_ms > REQUEST_MS)
		return MHD_NO;
	if (*size) {
		text_append(&request->body, data, *size);
		*size = 0;
		return MHD_YES;
	}
	if (request->body.full)
		return refuse(request, MHD_HTTP_CONTENT_TOO_LARGE, "the body is too large");
	return route(request);
}

/* Called with the first line of a request: whatever comes of it, it has a state. */
static void *on_begin(void *context, const char *uri, struct MHD_Connection *connection)
{
	struct request *request = memory_zeroed(1, sizeof *request);

	(void)connection;
	request->is_cut = strstr(uri, "%00");
	request->http = context;
	request->began_ms = clock_monotonic_ms();
	text_init(&request->body, BODY_MOST);
	return request;
}

static void on_end(void *context, struct MHD_Connection *connection, void **state, enum MHD_RequestTerminationCode why)
{
	struct request *request = *state;

	(void)context;
	(void)connection;
	(void)why;
	if (request)
		text_finish(&request->body);
	free(request);
	*state = NULL;
}

static void on_connection(
	void *context, struct MHD_Connection *connection, void **state, enum MHD_ConnectionNotificationCode code)
{
	struct http *http = context;

	(void)connection;
	(void)state;
	if (code == MHD_CONNECTION_NOTIFY_STARTED)
		http->open_count++;
	else
		http->open_count--;
}

/* ---- listening ---- */

static int listen_unix(struct http *http, const char *path, struct error *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct stat st;

	if (strlen(path) >= sizeof address.sun_path) {
		error_set(err, ENAMETOOLONG, "%s: longer than a socket's name may be", path);
		return -1;
	}
	memcpy(address.sun_path, path, strlen(path) + 1);
	if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
		unlink(path); /* of a former life: there is only one gateway of a project */
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mode_t mask = umask(0177);
	bool ok = fd >= 0 && bind(fd, (const struct sockaddr *)&address, sizeof address) == 0 && listen(fd, SOMAXCONN) == 0;
	umask(mask);
	if (!ok) {
		error_errno(err, "%s", path);
		close(fd);
		return -1;
	}
	http->path = memory_copy(path);
	return fd;
}

static bool is_loopback(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET)
		return (ntohl(((const struct sockaddr_in *)(const void *)address)->sin_addr.s_addr) >> 24) == 127;
	return address->sa_family == AF_INET6 &&
	       IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr);
}

static int listen_first(struct http *http, const struct addrinfo *found)
{
	static const int on = 1;
	int fd = -1, code = EADDRNOTAVAIL;

	for (; found; found = found->ai_next) {
		fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (fd >= 0)
			setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
		if (fd >= 0 && bind(fd, found->ai_addr, found->ai_addrlen) == 0 && listen(fd, SOMAXCONN) == 0) {
			http->is_loopback = is_loopback(found->ai_addr);
			return fd;
		}
		code = errno;
		close(fd);
	}
	errno = code;
	return -1;
}

/* "3001", "127.0.0.1:3001", "[::1]:3001" */
static int listen_tcp(struct http *http, const char *listen_at, struct error *err)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV };
	struct addrinfo *found = NULL;
	const char *colon = strrchr(listen_at, ':');
	char *host = memory_copy_n(listen_at, colon ? (size_t)(colon - listen_at) : 0);
	bool is_bracketed = host[0] == '[' && host[strlen(host) - 1] == ']';

	if (is_bracketed)
		host[strlen(host) - 1] = '\0';
	int code = getaddrinfo(host[0] ? host + is_bracketed : "127.0.0.1", colon ? colon + 1 : listen_at, &hints, &found);
	free(host);
	if (code) {
		error_set(err, EINVAL, "%s: %s", listen_at, gai_strerror(code));
		return -1;
	}
	int fd = listen_first(http, found);
	if (fd < 0)
		error_errno(err, "%s", listen_at);
	freeaddrinfo(found);
	return fd;
}

struct http *http_create(const char *listen_at, const char *token, struct door *door, struct error *err)
{
	struct http *http = memory_zeroed(1, sizeof *http);

	http->door = door;
	http->token = token && *token ? memory_copy(token) : NULL;
	int fd = strncmp(listen_at, "unix://", 7) == 0 ? listen_unix(http, listen_at + 7, err)
						       : listen_tcp(http, listen_at, err);
	if (fd >= 0)
		http->daemon = MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, on_request, http,
			MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MOST,
			MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)CONNECTION_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
			(size_t)MEMORY_MOST, MHD_OPTION_URI_LOG_CALLBACK, on_begin, http, MHD_OPTION_NOTIFY_COMPLETED, on_end,
			NULL, MHD_OPTION_NOTIFY_CONNECTION, on_connection, http, MHD_OPTION_END);
	if (http->daemon)
		return http;
	if (fd >= 0)
		error_set(err, 0, "libmicrohttpd does not start");
	http_destroy(http);
	return NULL;
}

void http_destroy(struct http *http)
{
	if (!http)
		return;
	if (http->daemon)
		MHD_stop_daemon(http->daemon);
	if (http->path)
		unlink(http->path);
	free(http->path);
	free(http->token);
	free(http);
}

int http_fd(const struct http *http)
{
	return MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
}

int http_wait_ms(const struct http *http)
{
	MHD_UNSIGNED_LONG_LONG ms;

	if (MHD_get_timeout(http->daemon, &ms) != MHD_YES)
		return -1;
	return ms < 60000 ? (int)ms : 60000;
}

void http_run(struct http *http)
{
	MHD_run(http->daemon);
}
