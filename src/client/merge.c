#include "client/merge.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static struct merge_line *head_of(const struct merge *merge, size_t stream)
{
	return &merge->queues[stream].lines[merge->queues[stream].first];
}

/* ---- the heap ---- */

/* Of two lines of one time, that of the first stream. */
static bool is_before(const struct merge *merge, size_t one, size_t other)
{
	uint64_t a = head_of(merge, one)->time_us, b = head_of(merge, other)->time_us;

	return a < b || (a == b && one < other);
}

static void swap(struct merge *merge, size_t one, size_t other)
{
	size_t stream = merge->heap[one];

	merge->heap[one] = merge->heap[other];
	merge->heap[other] = stream;
}

static void rise(struct merge *merge, size_t at)
{
	for (; at > 0 && is_before(merge, merge->heap[at], merge->heap[(at - 1) / 2]); at = (at - 1) / 2)
		swap(merge, at, (at - 1) / 2);
}

static void sink(struct merge *merge, size_t at)
{
	for (size_t child = 2 * at + 1; child < merge->heap_count; at = child, child = 2 * at + 1) {
		if (child + 1 < merge->heap_count && is_before(merge, merge->heap[child + 1], merge->heap[child]))
			child++;
		if (!is_before(merge, merge->heap[child], merge->heap[at]))
			return;
		swap(merge, at, child);
	}
}

static size_t place_of(const struct merge *merge, size_t stream)
{
	size_t at = 0;

	while (merge->heap[at] != stream)
		at++;
	return at;
}

/* ---- streams ---- */

static struct merge_queue *queue_of(struct merge *merge, size_t stream)
{
	if (stream >= merge->count) {
		merge->queues = memory_resize(merge->queues, stream + 1, sizeof *merge->queues);
		memset(merge->queues + merge->count, 0, (stream + 1 - merge->count) * sizeof *merge->queues);
		merge->heap = memory_resize(merge->heap, stream + 1, sizeof *merge->heap);
		merge->count = stream + 1;
	}
	return &merge->queues[stream];
}

static void make_room(struct merge_queue *queue)
{
	if (queue->first + queue->count < queue->room)
		return;
	if (queue->first > queue->room / 2) {
		memmove(queue->lines, queue->lines + queue->first, queue->count * sizeof *queue->lines);
		queue->first = 0;
		return;
	}
	queue->room = queue->room ? queue->room * 2 : 64;
	queue->lines = memory_resize(queue->lines, queue->room, sizeof *queue->lines);
}

void merge_put(struct merge *merge, size_t stream, uint64_t time_us, char *text, size_t size)
{
	struct merge_queue *queue = queue_of(merge, stream);
	struct merge_line *line;

	make_room(queue);
	line = &queue->lines[queue->first + queue->count++];
	for (; line > head_of(merge, stream) && line[-1].time_us > time_us; line--)
		*line = line[-1];
	*line = (struct merge_line){ time_us, text, size };
	queue->bytes += size;
	merge->bytes += size;
	merge->lines++;
	if (queue->count == 1)
		merge->heap[merge->heap_count++] = stream;
	if (line == head_of(merge, stream))
		rise(merge, place_of(merge, stream));
}

size_t merge_waiting(const struct merge *merge, size_t stream)
{
	return stream < merge->count ? merge->queues[stream].bytes : 0;
}

bool merge_next(struct merge *merge, struct merge_line *line, size_t *stream)
{
	if (!merge->heap_count)
		return false;
	*stream = merge->heap[0];
	struct merge_queue *queue = &merge->queues[*stream];
	*line = queue->lines[queue->first++];
	queue->bytes -= line->size;
	merge->bytes -= line->size;
	merge->lines--;
	if (--queue->count == 0) {
		queue->first = 0;
		merge->heap[0] = merge->heap[--merge->heap_count];
	}
	sink(merge, 0);
	return true;
}

void merge_finish(struct merge *merge)
{
	for (size_t i = 0; i < merge->count; i++) {
		struct merge_queue *queue = &merge->queues[i];
		for (size_t k = 0; k < queue->count; k++)
			free(queue->lines[queue->first + k].text);
		free(queue->lines);
	}
	free(merge->queues);
	free(merge->heap);
	*merge = (struct merge){ 0 };
}
