/* Lines of several streams, each of which is in the order of its times, made one. Pure. */
#ifndef CLIENT_MERGE_H
#define CLIENT_MERGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct merge_line {
	uint64_t time_us;
	char *text; /* owned */
	size_t size;
};

struct merge_queue {
	struct merge_line *lines; /* owned; those from first on */
	size_t first, count, room;
	size_t bytes;
};

/* Zeroed has no streams. */
struct merge {
	struct merge_queue *queues; /* owned; by stream */
	size_t count;
	size_t *heap; /* owned; streams that have lines: none is before the one at half its place */
	size_t heap_count;
	size_t lines, bytes; /* that wait, of all */
};

/* The next line of a stream; the text is taken over. One that is older than what the stream had before gets in front of that. */
void merge_put(struct merge *merge, size_t stream, uint64_t time_us, char *text, size_t size);
/* Bytes that wait of this stream. */
size_t merge_waiting(const struct merge *merge, size_t stream);
/* The oldest line, whose text is the caller's now, and of which stream it is. False: there is none. */
bool merge_next(struct merge *merge, struct merge_line *line, size_t *stream);
void merge_finish(struct merge *merge);

#endif
