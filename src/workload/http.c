/* A small server of HTTP: each connection is a task of a pool of threads. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <thrum.h>
#include <time.h>
#include <unistd.h>

#include "workload/job.h"
#include "workload/workload.h"

enum {
	REQUEST_MOST = 8192, /* bytes of a request's head */
	WAIT_S = 5,          /* for a client that says nothing, or reads nothing */
	WAITING_MOST = 64,   /* connections; further ones are told that it is busy */
	SLOW_MOST_MS = 60000,
	INHERITED = 3 /* the first descriptor of LISTEN_FDS */
};

struct connection {
	struct thrum_task task;
	int fd;
};

static struct {
	atomic_uint is_sick; /* 0 or 1 */
	atomic_uint_fast64_t requests;
} server;

/* ---- answers ---- */

static void answer(int fd, const char *status, const char *format, ...) __attribute__((format(printf, 3, 4)));

static void answer(int fd, const char *status, const char *format, ...)
{
	char body[ANSWER_SIZE + 64], text[ANSWER_SIZE + 256];
	va_list args;

	va_start(args, format);
	int size = vsnprintf(body, sizeof body, format, args);
	va_end(args);
	size = size < (int)sizeof body ? size : (int)sizeof body - 1;
	size = snprintf(text, sizeof text,
		"HTTP/1.1 %s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", status, size, body);
	for (ssize_t sent = 0; sent < size;) {
		ssize_t some = send(fd, text + sent, (size_t)(size - sent), MSG_NOSIGNAL);
		if (some < 0 && errno != EINTR)
			return;
		sent += some > 0 ? some : 0;
	}
}

static void answer_health(int fd, unsigned long number)
{
	(void)number;
	if (atomic_load(&server.is_sick))
		answer(fd, "503 Service Unavailable", "sick\n");
	else
		answer(fd, "200 OK", "ok\n");
}

static void answer_sick(int fd, unsigned long number)
{
	bool is_sick = !atomic_fetch_xor(&server.is_sick, 1);

	(void)number;
	answer(fd, "200 OK", is_sick ? "/health fails now\n" : "/health is well again\n");
}

static void answer_slow(int fd, unsigned long number)
{
	unsigned long ms = number ? number : 1000;
	struct timespec span;

	if (ms > SLOW_MOST_MS) {
		answer(fd, "400 Bad Request", "/slow/MS: at most %d\n", SLOW_MOST_MS);
		return;
	}
	span = (struct timespec){ (time_t)(ms / 1000), (long)(ms % 1000) * 1000000L };
	nanosleep(&span, NULL);
	answer(fd, "200 OK", "%lu ms\n", ms);
}

static void answer_fib(int fd, unsigned long number)
{
	char payload[48], result[ANSWER_SIZE];

	snprintf(payload, sizeof payload, "{\"n\":%lu}", number ? number : 30);
	if (job_fib(payload, strlen(payload), result) < 0)
		answer(fd, "400 Bad Request", "%s\n", result);
	else
		answer(fd, "200 OK", "%s\n", result);
}

static void answer_greeting(int fd, unsigned long number)
{
	const char *instance = getenv(THRUM_ENV_INSTANCE);

	(void)number;
	answer(fd, "200 OK", "instance %s, pid %d, request %llu\n", instance ? instance : "-", (int)getpid(),
		(unsigned long long)atomic_load(&server.requests));
}

static const struct {
	const char *path; /* with a number behind it, where it ends with a slash */
	void (*answer)(int fd, unsigned long number);
} pages[] = {
	{ "/", answer_greeting },
	{ "/health", answer_health },
	{ "/sick", answer_sick },
	{ "/slow", answer_slow },
	{ "/slow/", answer_slow },
	{ "/fib", answer_fib },
	{ "/fib/", answer_fib },
};

/* ---- a connection ---- */

static void answer_path(int fd, const char *path)
{
	size_t length = strcspn(path, "?0123456789");
	unsigned long number = strtoul(path + length, NULL, 10);

	for (size_t i = 0; i < sizeof pages / sizeof *pages; i++)
		if (strlen(pages[i].path) == length && strncmp(path, pages[i].path, length) == 0) {
			pages[i].answer(fd, number);
			return;
		}
	answer(fd, "404 Not Found", "/, /health, /sick, /slow/MS and /fib/N are there\n");
}

/* The head of a request; false: there is none. */
static bool read_request(int fd, char request[REQUEST_MOST])
{
	size_t size = 0;

	do {
		ssize_t got = size < REQUEST_MOST - 1 ? recv(fd, request + size, REQUEST_MOST - 1 - size, 0) : 0;
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		size += (size_t)got;
		request[size] = '\0';
	} while (!strstr(request, "\r\n\r\n") && !strstr(request, "\n\n"));
	return true;
}

static int converse(void *argument)
{
	struct connection *connection = argument;
	struct timeval wait = { .tv_sec = WAIT_S };
	char request[REQUEST_MOST], path[256];

	setsockopt(connection->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
	setsockopt(connection->fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
	if (!read_request(connection->fd, request))
		return -EPIPE;
	atomic_fetch_add(&server.requests, 1);
	if (sscanf(request, "%*15s %255s", path) != 1 || strncmp(request, "GET ", 4) != 0)
		answer(connection->fd, "405 Method Not Allowed", "GET is what there is\n");
	else
		answer_path(connection->fd, path);
	return 0;
}

static void on_answered(struct thrum_task *task)
{
	struct connection *connection = task->argument;

	shutdown(connection->fd, SHUT_WR);
	close(connection->fd);
	thrum_buffer_destroy(connection);
}

static void take_connection(struct thrum_pool *pool, int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	struct connection *connection = fd < 0 ? NULL : thrum_buffer_create(sizeof *connection);

	if (!connection) {
		if (fd >= 0)
			close(fd);
		return;
	}
	*connection = (struct connection){ .task = { .work = converse, .argument = connection, .done = on_answered }, .fd = fd };
	if (thrum_pool_submit(pool, &connection->task) == 0)
		return;
	answer(fd, "503 Service Unavailable", "busy\n");
	on_answered(&connection->task);
}

/* ---- the server ---- */

/* The first that was handed to this process, as systemd and thrum do it; -1: none was. */
static int inherited(void)
{
	const char *count = getenv("LISTEN_FDS"), *pid = getenv("LISTEN_PID");

	return count && strtol(count, NULL, 10) > 0 && pid && strtol(pid, NULL, 10) == (long)getpid() ? INHERITED : -1;
}

static int listen_at(in_port_t port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
	if (fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, SOMAXCONN) == 0)
		return fd;
	int reason = errno;
	if (fd >= 0)
		close(fd);
	errno = reason;
	return -1;
}

static void say_where(int fd)
{
	struct sockaddr_in address = { 0 };
	socklen_t size = sizeof address;
	char name[INET_ADDRSTRLEN] = "?";

	getsockname(fd, (struct sockaddr *)&address, &size);
	if (address.sin_family == AF_INET) {
		inet_ntop(AF_INET, &address.sin_addr, name, sizeof name);
		printf("listening on http://%s:%d\n", name, ntohs(address.sin_port));
	} else {
		puts("listening on the socket that it was given");
	}
	fflush(stdout);
}

static void serve(struct thrum_pool *pool, int listener)
{
	struct pollfd polled[2] = { { .fd = listener, .events = POLLIN }, { .fd = ending_fd(), .events = POLLIN } };

	while (!polled[1].revents)
		if (poll(polled, 2, -1) > 0 && polled[0].revents)
			take_connection(pool, listener);
}

int work_http(const struct order *order)
{
	struct thrum_pool_options options = { .name = "http",
		.threads = (unsigned)order->values[1],
		.queue_max = WAITING_MOST,
		.when_full = THRUM_REFUSE };
	int port = (int)order->values[0], listener = inherited();

	ending_fd();
	if (listener < 0)
		listener = listen_at((in_port_t)port);
	if (listener < 0)
		return workload_fail(ENDED_BADLY, "http: port %d: %s", port, strerror(errno));
	struct thrum_pool *pool = thrum_pool_create(&options);
	if (!pool)
		return workload_fail(ENDED_BADLY, "http: %s", strerror(errno));
	say_where(listener);
	serve(pool, listener);
	thrum_pool_shutdown(pool, THRUM_DRAIN); /* who was let in is answered */
	thrum_pool_destroy(pool);
	return ENDED_WELL;
}
