/*
 * Lines out of pieces of logs: each process's bytes of each stream make lines of their own, however
 * they come in pieces. Pure: pieces in, lines out.
 */
#ifndef CLIENT_ASSEMBLE_H
#define CLIENT_ASSEMBLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/text.h"

enum { ASSEMBLE_LINE_MOST = 64 * 1024 }; /* a longer line comes out in pieces of this size */

/* The unfinished line of one process. */
struct partial {
	int32_t pid;
	uint64_t time_us; /* of its first byte */
	struct text text; /* owned */
	bool is_cut;      /* pieces of this line came out already */
};

/* Of one stream of one instance. Zeroed is empty. */
struct assembly {
	struct partial *partials; /* owned */
	size_t count;
};

typedef void assemble_take(
	void *context, int32_t pid, uint64_t time_us, const char *line, size_t size);

void assembly_finish(struct assembly *assembly);

/* Bytes of a process that came at that time. */
void assembly_feed(struct assembly *assembly, int32_t pid, uint64_t time_us,
	const char *bytes, size_t size, assemble_take *take, void *context);

/* That process has closed the stream: a line without an end is over too. */
void assembly_end(struct assembly *assembly, int32_t pid, assemble_take *take, void *context);

/* All of them, at the very end. */
void assembly_end_all(struct assembly *assembly, assemble_take *take, void *context);

#endif
