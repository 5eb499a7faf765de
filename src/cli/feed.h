/* Files that are read a line at a time, each line no longer than a request may be. */
#ifndef CLI_FEED_H
#define CLI_FEED_H

#include "wire/lines.h"

enum feed_fate { FEED_LINE,
	FEED_END,
	FEED_TOO_LONG,
	FEED_FAILED }; /* errno says why */

struct feed {
	int fd;
	struct lines lines; /* owned; read, not yet taken */
	enum feed_fate end; /* FEED_LINE: there may be more to read */
	int reason;         /* errno, of FEED_FAILED */
};

/* "-" is standard input. False: errno says why. */
bool feed_open(struct feed *feed, const char *path);
void feed_close(struct feed *feed);

/* The next line that is not empty, without its end, valid until the next call. */
enum feed_fate feed_next(struct feed *feed, const char **line, size_t *size);
/* Whoever asks for the next one may have to wait for it. */
bool feed_is_dry(const struct feed *feed);

#endif
