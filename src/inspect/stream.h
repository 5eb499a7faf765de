/* How fast the connections of one process go: what they carried, compared with the look before. */
#ifndef INSPECT_STREAM_H
#define INSPECT_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "model/inside.h"

/* Of one connection, at an earlier look. */
struct stream_past {
	uint64_t inode, in_bytes, out_bytes, resent;
	uint64_t taken_ns;
};

/* Zeroed is empty. */
struct streams {
	struct stream_past *past; /* owned; by inode */
	size_t count;
};

/*
 * The rates of the study's peers since the look before, or since an earlier one when that was just now; and this one
 * is kept. now_ns is monotonic.
 */
void streams_take(struct streams *streams, struct study *study, uint64_t now_ns);
void streams_finish(struct streams *streams);

#endif
