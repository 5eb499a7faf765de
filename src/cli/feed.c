#include "cli/feed.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "protocol/method.h"

bool feed_open(struct feed *feed, const char *path)
{
	int fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);

	*feed = (struct feed){ .fd = fd };
	lines_init(&feed->lines, PROTOCOL_LINE_MOST);
	return fd >= 0;
}

void feed_close(struct feed *feed)
{
	lines_finish(&feed->lines);
	if (feed->fd > STDIN_FILENO)
		close(feed->fd);
}

/* The last line of a file may have no end. */
static void read_more(struct feed *feed)
{
	char bytes[LINES_FEED_MOST];
	ssize_t size = read(feed->fd, bytes, sizeof bytes);

	if (size < 0 && errno == EINTR)
		return;
	if (size < 0)
		feed->reason = errno;
	if (size <= 0)
		feed->end = size < 0 ? FEED_FAILED : FEED_END;
	if (size == 0)
		bytes[size++] = '\n';
	if (size > 0 && !lines_feed(&feed->lines, bytes, (size_t)size))
		feed->end = FEED_TOO_LONG;
}

enum feed_fate feed_next(struct feed *feed, const char **line, size_t *size)
{
	for (;;) {
		while (lines_next(&feed->lines, line, size))
			if (*size)
				return FEED_LINE;
		if (feed->end != FEED_LINE)
			break;
		read_more(feed);
	}
	errno = feed->reason;
	return feed->end;
}

bool feed_is_dry(const struct feed *feed)
{
	return feed->end == FEED_LINE && feed->lines.start == feed->lines.whole;
}
