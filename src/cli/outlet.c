#include "cli/outlet.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	FULL_AT = 1024 * 1024,
	REST_MOST = 256 * 1024 * 1024, /* what is under way when it is full still comes in */
	TERMINAL_PORTION = 256,
	FILE_PORTION = 1024 * 1024,
};

/* What poll() promises: a pipe takes PIPE_BUF bytes, a terminal a few, a file everything. */
static size_t choose_portion(void)
{
	struct stat info;

	if (fstat(STDOUT_FILENO, &info) == 0 && S_ISREG(info.st_mode))
		return FILE_PORTION;
	return isatty(STDOUT_FILENO) ? TERMINAL_PORTION : PIPE_BUF;
}

void outlet_init(struct outlet *outlet)
{
	*outlet = (struct outlet){ .portion = choose_portion() };
	text_init(&outlet->text, REST_MOST);
}

void outlet_finish(struct outlet *outlet)
{
	text_finish(&outlet->text);
}

static size_t rest_of(const struct outlet *outlet)
{
	return outlet->text.size - outlet->written;
}

bool outlet_is_full(const struct outlet *outlet)
{
	return rest_of(outlet) >= FULL_AT;
}

bool outlet_has_rest(const struct outlet *outlet)
{
	return rest_of(outlet) > 0;
}

static bool has_room(void)
{
	struct pollfd out = { .fd = STDOUT_FILENO, .events = POLLOUT };

	return poll(&out, 1, 0) > 0;
}

static void forget_written(struct outlet *outlet)
{
	/* moving the rest to the front costs less than what was written before */
	if (outlet->written >= rest_of(outlet)) {
		text_drop(&outlet->text, outlet->written);
		outlet->written = 0;
	}
}

bool outlet_write(struct outlet *outlet)
{
	bool was_closed = outlet->code != 0;

	while (!outlet->code && outlet_has_rest(outlet) && has_room()) {
		size_t rest = rest_of(outlet);
		ssize_t done = write(STDOUT_FILENO, outlet->text.data + outlet->written,
			rest < outlet->portion ? rest : outlet->portion);
		if (done >= 0)
			outlet->written += (size_t)done;
		else if (errno == EAGAIN)
			break;
		else if (errno != EINTR)
			outlet->code = errno;
	}
	if (outlet->code) {
		text_clear(&outlet->text);
		outlet->written = 0;
	}
	forget_written(outlet);
	return was_closed || !outlet->code;
}
