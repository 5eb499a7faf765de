/*
 * An HTTP server in C on the socket that it is started with (LISTEN_FDS, as systemd has it): instances share it, and
 * it stays open while they are replaced. On its channel it says that it is ready, answers requests, and is asked to end.
 *
 *     cc -O2 served.c -o served $(pkg-config --cflags --libs thrum)
 *     thrum up -d
 *     curl localhost:8003; thrum send --wait web '{"cmd":"status"}'; thrum reload web
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <thrum.h>
#include <unistd.h>

enum { FIRST = 3,
	PATIENCE_S = 2 /* for a client that asks nothing */ };

static unsigned requests;

static int given_socket(void)
{
	const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");

	return pid && atol(pid) == getpid() && count && atoi(count) > 0 ? FIRST : -1;
}

/* A small answer needs no waiting for room. */
static void answer(int client)
{
	struct timeval patience = { .tv_sec = PATIENCE_S };
	char request[4096], text[256], body[128];

	setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	if (recv(client, request, sizeof request, 0) <= 0)
		return;
	int size = snprintf(body, sizeof body, "instance %s, pid %d, request %u\n", getenv("THRUM_INSTANCE"), (int)getpid(), ++requests);
	snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", size, body);
	send(client, text, strlen(text), MSG_NOSIGNAL);
}

/* Others wait at the same socket: it may be theirs already. */
static void serve(int listener)
{
	int client = accept(listener, NULL, NULL);

	if (client < 0)
		return;
	answer(client);
	close(client);
}

static void on_message(struct thrum_channel *channel, const char *text, size_t size, void *context)
{
	char status[64];

	(void)context;
	snprintf(status, sizeof status, "{\"requests\":%u}", requests);
	thrum_channel_reply(channel, text, size, status, strlen(status), 0);
}

int main(void)
{
	struct thrum_channel *channel = thrum_channel_open();
	struct thrum_handlers handlers = { .message = on_message };
	int listener = given_socket();

	if (!channel || listener < 0) {
		fputs("started without a socket, or without a channel: `listen` and `ipc: json` give them\n", stderr);
		return 1;
	}
	struct pollfd polls[] = { { listener, POLLIN, 0 }, { thrum_channel_fd(channel), POLLIN, 0 } };
	thrum_channel_ready(channel, -1);
	for (;;) {
		poll(polls, 2, -1);
		if (polls[1].revents && thrum_channel_process(channel, &handlers) < 0)
			break;
		if (polls[0].revents)
			serve(listener);
	}
	thrum_channel_close(channel);
	return 0;
}
