#include "engine/probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "engine/helper.h"

enum { QUICK_MS = 1000, /* between two until the first success */
	REQUEST_MOST = 8192,
	HEAD_SIZE = 128,
	DRAIN_MOST = 64 * 1024,
	LINGER_MS = 1000 };

struct probe {
	struct engine *engine;
	uint32_t seat;
	enum probe_role role;
	uv_timer_t timer; /* of the next question; while one is asked, of its answer */
	struct attempt *attempt;
	struct helper *helper;
	bool has_passed, is_well, was_asked;
	unsigned successes, failures;
	uint64_t asked_ms, counted_ms; /* monotonic */
	uint64_t told_us;
	char said[DEATH_DETAIL_SIZE];
};

/* One connection to one address. */
struct attempt {
	struct probe *probe; /* NULL: nobody waits for it any more */
	uv_getaddrinfo_t lookup;
	uv_poll_t poll;
	int fd;
	struct addrinfo *addresses; /* owned; of the name, or NULL */
	struct addrinfo *next;
	bool is_connected;
	char head[HEAD_SIZE];
	size_t size;
	size_t drained;    /* bytes of an answer that was judged already */
	uv_timer_t linger; /* … for which we wait this long */
	unsigned open_handles;
};

static struct member *member_of_probe(const struct probe *probe)
{
	return probe->engine->members[probe->seat];
}

static const struct probe_spec *spec_of(const struct probe *probe)
{
	return &member_spec(member_of_probe(probe))->probes[probe->role];
}

static void finish(struct probe *probe, bool is_well, const char *said);

/* ---- connecting ---- */

static void free_attempt(uv_handle_t *handle)
{
	struct attempt *attempt = handle->data;

	if (--attempt->open_handles > 0)
		return;
	if (attempt->addresses)
		freeaddrinfo(attempt->addresses);
	free(attempt);
}

static void close_attempt(struct attempt *attempt)
{
	uv_poll_stop(&attempt->poll);
	uv_close((uv_handle_t *)&attempt->poll, free_attempt);
	uv_close((uv_handle_t *)&attempt->linger, free_attempt);
	close(attempt->fd);
}

static void drop_attempt(struct attempt *attempt)
{
	attempt->probe = NULL;
	if (attempt->fd < 0) {
		uv_cancel((uv_req_t *)&attempt->lookup); /* freed when it is over */
		return;
	}
	close_attempt(attempt);
}

static void end_attempt(struct attempt *attempt, bool is_well, const char *said)
{
	struct probe *probe = attempt->probe;

	probe->attempt = NULL;
	drop_attempt(attempt);
	finish(probe, is_well, said);
}

static bool open_socket(struct attempt *attempt, const struct sockaddr *address, socklen_t size);

/* The next address of the name takes over what is left of the list. */
static bool try_next(struct attempt *attempt, struct addrinfo *addresses, struct addrinfo *next)
{
	for (; next; next = next->ai_next) {
		if (!open_socket(attempt, next->ai_addr, next->ai_addrlen))
			continue;
		attempt->addresses = addresses;
		attempt->next = next->ai_next;
		return true;
	}
	return false;
}

static struct attempt *create_attempt(struct probe *probe)
{
	struct attempt *attempt = memory_zeroed(1, sizeof *attempt);

	attempt->probe = probe;
	attempt->fd = -1;
	attempt->poll.data = attempt->lookup.data = attempt->linger.data = attempt;
	probe->attempt = attempt;
	return attempt;
}

static void refuse(struct attempt *attempt, int reason)
{
	struct probe *probe = attempt->probe;
	struct addrinfo *addresses = attempt->addresses, *next = attempt->next;

	if (next) {
		attempt->addresses = NULL;
		drop_attempt(attempt);
		struct attempt *another = create_attempt(probe);
		if (try_next(another, addresses, next))
			return;
		freeaddrinfo(addresses);
		free(another);
		probe->attempt = NULL;
		finish(probe, false, strerror(errno));
		return;
	}
	end_attempt(attempt, false, strerror(reason));
}

static unsigned port_of(const struct probe *probe)
{
	const struct probe_spec *spec = spec_of(probe);
	char *text = spec_for_instance(spec->port_text, member_of_probe(probe)->now.index);
	unsigned port = text ? (unsigned)strtoul(text, NULL, 10) : spec->port;

	free(text);
	return port;
}

static bool send_request(struct attempt *attempt)
{
	const struct probe_spec *spec = spec_of(attempt->probe);
	struct text request;
	bool has_host = false;

	text_init(&request, REQUEST_MOST);
	char *path = spec_for_instance(spec->path ? spec->path : "/", member_of_probe(attempt->probe)->now.index);
	text_format(&request, "GET %s HTTP/1.1\r\n", path);
	free(path);
	for (size_t i = 0; i < spec->headers.count; i++) {
		has_host |= strncasecmp(spec->headers.items[i], "host:", 5) == 0;
		text_format(&request, "%s\r\n", spec->headers.items[i]);
	}
	if (!has_host)
		text_format(&request, "Host: %s:%u\r\n", spec->host ? spec->host : "127.0.0.1", port_of(attempt->probe));
	text_puts(&request, "User-Agent: thrum\r\nAccept: */*\r\nConnection: close\r\n\r\n");
	ssize_t sent = send(attempt->fd, text_string(&request), request.size, MSG_NOSIGNAL);
	bool ok = sent == (ssize_t)request.size;
	text_finish(&request);
	return ok;
}

static void on_drainable(uv_poll_t *poll, int status, int events)
{
	struct attempt *attempt = poll->data;
	char bytes[4096];
	ssize_t size = recv(attempt->fd, bytes, sizeof bytes, 0);

	(void)status;
	(void)events;
	attempt->drained += size > 0 ? (size_t)size : 0;
	if (size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR) || attempt->drained > DRAIN_MOST)
		close_attempt(attempt);
}

static void on_lingered(uv_timer_t *timer)
{
	close_attempt(timer->data);
}

/* Closing with a rest unread would be a reset: servers complain about that in their logs. */
static void drain(struct attempt *attempt, bool is_well, const char *said)
{
	struct probe *probe = attempt->probe;

	probe->attempt = NULL;
	attempt->probe = NULL;
	uv_poll_start(&attempt->poll, UV_READABLE | UV_DISCONNECT, on_drainable);
	uv_timer_start(&attempt->linger, on_lingered, LINGER_MS, 0);
	finish(probe, is_well, said);
}

/* "HTTP/1.1 200 OK": what follows it does not matter. */
static void judge_head(struct attempt *attempt)
{
	const struct probe_spec *spec = spec_of(attempt->probe);
	char said[HEAD_SIZE + 8];
	unsigned status;

	attempt->head[strcspn(attempt->head, "\r\n")] = '\0';
	if (sscanf(attempt->head, "HTTP/1.%*u %3u", &status) != 1) {
		end_attempt(attempt, false, "the answer is no HTTP");
		return;
	}
	bool is_well = spec->status_code ? status == spec->status_code : status >= 200 && status < 400;
	snprintf(said, sizeof said, "HTTP %s", attempt->head + 9);
	drain(attempt, is_well, said);
}

static void read_head(struct attempt *attempt)
{
	ssize_t size = recv(attempt->fd, attempt->head + attempt->size,
		HEAD_SIZE - 1 - attempt->size, 0);

	if (size < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (size < 0) {
		end_attempt(attempt, false, strerror(errno));
		return;
	}
	attempt->size += (size_t)size;
	if (size == 0 || attempt->size == HEAD_SIZE - 1 || memchr(attempt->head, '\n', attempt->size))
		judge_head(attempt);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	struct attempt *attempt = poll->data;
	int reason = 0;
	socklen_t size = sizeof reason;

	(void)status;
	(void)events;
	if (attempt->is_connected) {
		read_head(attempt);
		return;
	}
	getsockopt(attempt->fd, SOL_SOCKET, SO_ERROR, &reason, &size);
	if (reason) {
		refuse(attempt, reason);
	} else if (spec_of(attempt->probe)->kind != PROBE_HTTP) {
		end_attempt(attempt, true, "connected");
	} else if (!send_request(attempt)) {
		end_attempt(attempt, false, "the request was not taken");
	} else {
		attempt->is_connected = true;
		uv_poll_start(poll, UV_READABLE | UV_DISCONNECT, on_ready);
	}
}

/* A connection that is there at once is seen by the loop too. */
static bool open_socket(struct attempt *attempt, const struct sockaddr *address, socklen_t size)
{
	int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return false;
	if (connect(fd, address, size) < 0 && errno != EINPROGRESS) {
		int reason = errno;
		close(fd);
		errno = reason;
		return false;
	}
	attempt->fd = fd;
	uv_poll_init(attempt->probe->engine->loop, &attempt->poll, fd);
	uv_timer_init(attempt->probe->engine->loop, &attempt->linger);
	attempt->open_handles = 2;
	uv_poll_start(&attempt->poll, UV_WRITABLE, on_ready);
	return true;
}

static void fail_at_once(struct attempt *attempt, const char *why)
{
	struct probe *probe = attempt->probe;

	probe->attempt = NULL;
	free(attempt);
	finish(probe, false, why);
}

static void on_found(uv_getaddrinfo_t *lookup, int status, struct addrinfo *addresses)
{
	struct attempt *attempt = lookup->data;

	if (!attempt->probe) {
		uv_freeaddrinfo(addresses);
		free(attempt);
		return;
	}
	if (status < 0) {
		fail_at_once(attempt, uv_strerror(status));
		return;
	}
	if (try_next(attempt, addresses, addresses))
		return;
	int reason = errno;
	uv_freeaddrinfo(addresses);
	fail_at_once(attempt, strerror(reason));
}

static void ask_unix(struct probe *probe, const struct probe_spec *spec)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct attempt *attempt = create_attempt(probe);
	char *path = spec_for_instance(spec->path, member_of_probe(probe)->now.index);
	size_t length = strlen(path);
	bool fits = length < sizeof address.sun_path;

	if (fits)
		memcpy(address.sun_path, path, length);
	free(path);
	errno = ENAMETOOLONG;
	if (!fits || !open_socket(attempt, (struct sockaddr *)&address, sizeof address))
		fail_at_once(attempt, strerror(errno));
}

static void ask_address(struct probe *probe, const struct sockaddr *address, socklen_t size)
{
	struct attempt *attempt = create_attempt(probe);

	if (!open_socket(attempt, address, size))
		fail_at_once(attempt, strerror(errno));
}

static void ask_name(struct probe *probe, const char *host, unsigned port)
{
	struct attempt *attempt = create_attempt(probe);
	struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
	char service[16];

	snprintf(service, sizeof service, "%u", port);
	int reason = uv_getaddrinfo(
		probe->engine->loop, &attempt->lookup, on_found, host, service, &hints);
	if (reason < 0)
		fail_at_once(attempt, uv_strerror(reason));
}

static void ask_host(struct probe *probe, const struct probe_spec *spec)
{
	const char *host = spec->host ? spec->host : "127.0.0.1";
	unsigned port = port_of(probe);
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };

	if (inet_pton(AF_INET, host, &four.sin_addr) == 1)
		ask_address(probe, (struct sockaddr *)&four, sizeof four);
	else if (inet_pton(AF_INET6, host, &six.sin6_addr) == 1)
		ask_address(probe, (struct sockaddr *)&six, sizeof six);
	else
		ask_name(probe, host, port);
}

static void on_helper_end(void *context, const struct helper_end *end)
{
	struct probe *probe = context;
	char said[DEATH_DETAIL_SIZE];

	probe->helper = NULL;
	if (end->leftovers)
		snprintf(said, sizeof said, "it left %u processes behind, which were killed", end->leftovers);
	else if (end->is_success)
		snprintf(said, sizeof said, "%.100s", *end->output ? end->output : "exit 0");
	else
		snprintf(said, sizeof said, "%s", end->why);
	finish(probe, end->is_success, said);
}

static void ask_command(struct probe *probe, const struct probe_spec *spec)
{
	struct helper_task task = { .member = member_of_probe(probe),
		.argv = &spec->argv,
		.working_dir = spec->working_dir,
		.timeout_ms = spec->timeout_ms,
		.on_end = on_helper_end,
		.context = probe };
	struct error err;

	probe->helper = helper_start(probe->engine, &task, &err);
	if (!probe->helper)
		finish(probe, false, err.text);
}

/* ---- asking and judging ---- */

static void on_timer(uv_timer_t *timer);

static void wait_for(struct probe *probe, uint64_t delay_ms)
{
	uv_update_time(probe->engine->loop);
	uv_timer_start(&probe->timer, on_timer, delay_ms, 0);
}

static void ask(struct probe *probe)
{
	static void (*const ways[PROBE_KIND_COUNT])(
		struct probe * probe, const struct probe_spec *spec) = {
		[PROBE_EXEC] = ask_command,
		[PROBE_HTTP] = ask_host,
		[PROBE_TCP] = ask_host,
		[PROBE_UNIX] = ask_unix,
	};
	const struct probe_spec *spec = spec_of(probe);

	probe->asked_ms = clock_monotonic_ms();
	if (spec->kind != PROBE_EXEC) /* a helper has a timer of its own */
		wait_for(probe, spec->timeout_ms);
	ways[spec->kind](probe, spec);
}

static void on_timer(uv_timer_t *timer)
{
	struct probe *probe = timer->data;
	char said[DEATH_DETAIL_SIZE];

	if (!probe->attempt) {
		ask(probe);
		return;
	}
	snprintf(said, sizeof said, "no answer within %.1f s", spec_of(probe)->timeout_ms / 1000.0);
	end_attempt(probe->attempt, false, said);
}

static uint32_t period_of(const struct probe *probe, const struct probe_spec *spec)
{
	bool is_quick = !probe->has_passed && probe->role != PROBE_LIVENESS;

	return is_quick && spec->period_ms > QUICK_MS ? QUICK_MS : spec->period_ms;
}

/* Until the first success it is asked more often than it is counted. */
static void count_failure(struct probe *probe, const struct probe_spec *spec)
{
	bool counts = !probe->counted_ms || probe->asked_ms - probe->counted_ms >= spec->period_ms;

	probe->successes = 0;
	if (!counts)
		return;
	probe->counted_ms = probe->asked_ms;
	probe->failures++;
}

static void evict(struct probe *probe)
{
	char why[DEATH_DETAIL_SIZE];
	struct eviction eviction = { .cause = CAUSE_PROBE, .why = why };

	snprintf(why, sizeof why, "%s probe failed %u times: %.70s", probe_role_name(probe->role),
		probe->failures, probe->said);
	probe->failures = 0;
	engine_evict(probe->engine, member_of_probe(probe), &eviction);
}

static enum gate gate_of(const struct probe *probe)
{
	return probe->role == PROBE_STARTUP ? GATE_STARTUP : GATE_READINESS;
}

/* Last of all: it may be the end of this probe. */
static void judge(struct probe *probe, const struct probe_spec *spec)
{
	struct member *member = member_of_probe(probe);
	bool is_shut = member->now.gates & gate_of(probe);

	if (probe->role != PROBE_LIVENESS && is_shut && probe->successes >= spec->success_threshold) {
		probe->has_passed = true;
		engine_pass(probe->engine, member, gate_of(probe));
	} else if (probe->failures >= spec->failure_threshold) {
		if (probe->role != PROBE_READINESS)
			evict(probe);
		else if (!is_shut || member->now.state == STATE_RUNNING)
			engine_shut(probe->engine, member, GATE_READINESS, probe->said);
	}
}

static void finish(struct probe *probe, bool is_well, const char *said)
{
	const struct probe_spec *spec = spec_of(probe);
	uint64_t now_ms = clock_monotonic_ms();

	probe->was_asked = true;
	probe->is_well = is_well;
	probe->told_us = clock_wall_us();
	snprintf(probe->said, sizeof probe->said, "%s", said);
	if (is_well) {
		probe->successes++;
		probe->failures = 0;
		probe->counted_ms = 0;
	} else {
		count_failure(probe, spec);
	}
	uint64_t next_ms = probe->asked_ms + period_of(probe, spec);
	wait_for(probe, next_ms > now_ms ? next_ms - now_ms : 0);
	judge(probe, spec);
}

struct probe *probe_start(struct member *member, enum probe_role role)
{
	struct probe *probe = memory_zeroed(1, sizeof *probe);

	probe->engine = member->engine;
	probe->seat = member->seat;
	probe->role = role;
	probe->has_passed = member->now.state == STATE_READY;
	uv_timer_init(probe->engine->loop, &probe->timer);
	probe->timer.data = probe;
	wait_for(probe, spec_of(probe)->initial_delay_ms);
	return probe;
}

static void on_probe_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void probe_stop(struct probe *probe)
{
	if (probe->attempt)
		drop_attempt(probe->attempt);
	if (probe->helper)
		helper_abandon(probe->helper);
	uv_close((uv_handle_t *)&probe->timer, on_probe_closed);
}

void probe_tell(const struct probe *probe, struct probe_report *report)
{
	*report = (struct probe_report){ probe->was_asked, probe->is_well, probe->successes,
		probe->failures, probe->told_us, probe->said };
}
