/* thrum-http: the gateway of a project for HTTP. One loop; whatever it does, the engine goes on without it. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/signals.h"
#include "gateway/door.h"
#include "gateway/http.h"

static int usage(void)
{
	fputs("usage: thrum-http LISTEN\n"
	      "The gateway of the project in THRUM_PROJECT; `http: {listen: …}` in its configuration runs it.\n"
	      "LISTEN is a port, HOST:PORT or unix:///PATH; THRUM_HTTP_TOKEN may do more than read.\n",
		stderr);
	return 2;
}

static int sooner(int one_ms, int other_ms)
{
	return one_ms < 0 || (other_ms >= 0 && other_ms < one_ms) ? other_ms : one_ms;
}

static void serve(struct http *http, struct door *door, int signal_fd)
{
	for (;;) {
		door_turn(door);
		struct pollfd ready[] = {
			{ .fd = signal_fd, .events = POLLIN },
			{ .fd = http_fd(http), .events = POLLIN },
			{ .fd = door_fd(door), .events = POLLIN },
		};
		poll(ready, 3, sooner(http_wait_ms(http), door_wait_ms(door)));
		if (ready[0].revents)
			return;
		door_turn(door); /* an answer tells what is, not what was */
		http_run(http);
	}
}

int main(int argc, char **argv)
{
	const char *project = getenv("THRUM_PROJECT");
	struct error err = { 0 };
	struct door door;

	if (argc != 2 || argv[1][0] == '-' || !project || !*project)
		return usage();
	int signal_fd = signals_open(signals_of_service, NULL);
	door_init(&door, project, "http");
	struct http *http = http_create(argv[1], getenv("THRUM_HTTP_TOKEN"), &door, &err);
	if (http) {
		printf("listening on %s\n", argv[1]);
		fflush(stdout);
		serve(http, &door, signal_fd);
	} else {
		fprintf(stderr, "thrum-http: %s\n", err.text);
	}
	http_destroy(http);
	door_finish(&door);
	close(signal_fd);
	return http ? 0 : 1;
}
