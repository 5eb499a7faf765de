#include "replay/serve.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/text.h"
#include "protocol/method.h"
#include "replay/answer.h"
#include "wire/lines.h"

static bool send_all(int fd, const char *bytes, size_t size)
{
	while (size) {
		ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);
		if (sent < 0 && errno != EINTR)
			return false;
		bytes += sent > 0 ? sent : 0;
		size -= sent > 0 ? (size_t)sent : 0;
	}
	return true;
}

static bool reply(struct recording *recording, const char *name, int fd, const char *line, size_t size)
{
	json_t *request = json_loadb(line, size, JSON_ALLOW_NUL, NULL);
	json_t *said = request ? answer(recording, name, request) : NULL;
	char *text = said ? json_dumps(said, JSON_COMPACT) : NULL;
	bool ok = text && send_all(fd, text, strlen(text)) && send_all(fd, "\n", 1);

	free(text);
	json_decref(said);
	json_decref(request);
	return ok;
}

/* Of what has come in, all whole lines. */
static bool reply_to_all(struct recording *recording, const char *name, int fd, struct lines *lines)
{
	const char *line;
	size_t size;

	while (lines_next(lines, &line, &size))
		if (!reply(recording, name, fd, line, size))
			return false;
	return true;
}

void replay_serve(struct recording *recording, const char *name, int fd)
{
	char bytes[LINES_FEED_MOST];
	struct lines lines;
	ssize_t got;

	lines_init(&lines, PROTOCOL_LINE_MOST);
	for (bool goes_on = true; goes_on;) {
		got = recv(fd, bytes, sizeof bytes, 0);
		goes_on = got < 0 ? errno == EINTR : got > 0;
		if (got > 0)
			goes_on = lines_feed(&lines, bytes, (size_t)got) && reply_to_all(recording, name, fd, &lines);
	}
	lines_finish(&lines);
}
