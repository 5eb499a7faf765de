/*
 * What is known of one stream of one instance: blocks of its log, as they were read, and the lines in them. Pure: it is
 * given pieces, and says which one it needs next.
 * A line ends after a line end, where its process closed the stream or another one wrote, and at the end of a block that
 * has no line end at all: so both directions see the same lines, and none is longer than two blocks.
 */
#ifndef TUI_LOG_SOURCE_H
#define TUI_LOG_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "protocol/chunk.h"

enum { LOG_BLOCK = CHUNK_MOST,
	LOG_BLOCKS = 8 /* of each source; the one that was not looked at for the longest time makes room */ };

/* From here on, bytes of this process that came at this time. */
struct log_piece {
	uint32_t at; /* in the block */
	int32_t pid;
	uint64_t time_us;
	bool is_final; /* that process closed the stream here */
};

/* The bytes of the stream from number * LOG_BLOCK on. */
struct log_block {
	uint64_t number;
	uint64_t used;       /* when it was looked at last; 0: never, it is free */
	uint32_t from, size; /* known is what lies between; before it nothing is kept any more */
	bool has_line_end;
	char *bytes;              /* owned; LOG_BLOCK */
	struct log_piece *pieces; /* owned; in order */
	size_t count;
};

struct log_source {
	char service[64];
	unsigned instance;
	bool is_err;
	uint64_t first, end; /* what the engine keeps, as far as it has told */
	bool is_fixed;       /* … of which no more is shown than up to end, though there be more */
	bool is_grown;       /* it has told of more than was read */
	bool is_gone;        /* nothing can be read any more */
	bool is_wanted;      /* … from here on, and then in this direction */
	uint64_t wanted;
	int direction;
	uint64_t looks; /* counts them */
	struct log_block blocks[LOG_BLOCKS];
};

enum log_step { LOG_NONE, /* there is nothing (yet) */
	LOG_FOUND,
	LOG_WAITS /* for what is wanted */ };

/* A line in a log: its end is counted in. */
struct log_place {
	uint64_t offset;
	uint64_t time_us;
	uint32_t size;
};

void log_source_finish(struct log_source *source);

/* A piece that was read. */
void log_source_take(struct log_source *source, const struct chunk *chunk);

/* What is to be read of a block before it is whole, or goes to the end; false: nothing. */
bool log_source_lacks(const struct log_source *source, uint64_t number, uint64_t *offset, size_t *most);

/* The last place up to this one where a line may begin. */
enum log_step log_source_floor(struct log_source *source, uint64_t offset, uint64_t *found);

/* The line that begins, and the one that ends, at a place where a line may begin. */
enum log_step log_source_after(struct log_source *source, uint64_t offset, struct log_place *found);
enum log_step log_source_before(struct log_source *source, uint64_t offset, struct log_place *found);

/* What it says, without its end; spare is used when it lies in two blocks. NULL: it is to be read again. */
const char *log_source_text(struct log_source *source, const struct log_place *place, struct text *spare, size_t *size);

#endif
