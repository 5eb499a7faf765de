/* Files that are read a line at a time, each line no longer than a request may be. */
#ifndef CLI_FEED_H
#define CLI_FEED_H

#include <stdio.h>

#include "base/text.h"

enum feed { FEED_LINE,
	FEED_END,
	FEED_TOO_LONG };

/* The next line that is not empty, without its end; line: of text_init, with the longest that it may be. */
enum feed feed_next(FILE *file, struct text *line);

#endif
