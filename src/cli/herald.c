#include "cli/herald.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"

/* A name that begins with @ is no file. */
static int open_socket(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t size = path ? strlen(path) : 0;

	if (!size || size >= sizeof address.sun_path || (path[0] != '/' && path[0] != '@'))
		return -1;
	memcpy(address.sun_path, path, size);
	if (path[0] == '@')
		address.sun_path[0] = '\0';
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size + (path[0] == '/'));
	if (fd < 0 || connect(fd, (const struct sockaddr *)&address, length) == 0)
		return fd;
	close(fd);
	return -1;
}

void herald_init(struct herald *herald)
{
	const char *interval = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	bool is_ours = !pid || strtol(pid, NULL, 10) == getpid();

	*herald = (struct herald){ .fd = open_socket(getenv("NOTIFY_SOCKET")) };
	if (herald->fd >= 0 && interval && is_ours)
		herald->interval_ms = strtoull(interval, NULL, 10) / 2000; /* twice in its time */
}

void herald_finish(struct herald *herald)
{
	close_if_open(herald->fd);
}

static void say(struct herald *herald, const char *text)
{
	if (herald->fd >= 0 && send(herald->fd, text, strlen(text), MSG_NOSIGNAL) < 0)
		return; /* a manager that does not read is not waited for */
}

static bool is_on_its_way(const struct row *row)
{
	return row->wanted && (row->state == STATE_PENDING || row->state == STATE_STARTING || row->is_getting_ready);
}

static void tell_ready(struct herald *herald, const struct replica *replica)
{
	char text[96];

	for (size_t i = 0; i < replica->row_count; i++)
		if (is_on_its_way(&replica->rows[i].row))
			return;
	snprintf(text, sizeof text, "READY=1\nSTATUS=%zu instances of project %.40s", replica->row_count, replica->project);
	say(herald, text);
	herald->is_ready = true;
}

void herald_tell(struct herald *herald, const struct replica *replica)
{
	uint64_t now_ms = clock_monotonic_ms();

	if (!herald->is_ready && !herald->is_stopping)
		tell_ready(herald, replica);
	if (herald->interval_ms && now_ms - herald->beaten_ms >= herald->interval_ms) {
		say(herald, "WATCHDOG=1");
		herald->beaten_ms = now_ms;
	}
}

void herald_stopping(struct herald *herald)
{
	herald->is_stopping = true;
	say(herald, "STOPPING=1");
}

int herald_wait_ms(const struct herald *herald)
{
	uint64_t passed_ms = clock_monotonic_ms() - herald->beaten_ms;

	if (!herald->interval_ms)
		return -1;
	return passed_ms < herald->interval_ms ? (int)(herald->interval_ms - passed_ms) : 0;
}
