#include "cli/feed.h"

static enum feed read_line(FILE *file, struct text *line)
{
	int c;

	text_clear(line);
	while ((c = getc_unlocked(file)) != EOF && c != '\n')
		if (!text_putc(line, (char)c))
			return FEED_TOO_LONG;
	return c == EOF && !line->size ? FEED_END : FEED_LINE;
}

enum feed feed_next(FILE *file, struct text *line)
{
	enum feed fate;

	do
		fate = read_line(file, line);
	while (fate == FEED_LINE && !line->size);
	return fate;
}
