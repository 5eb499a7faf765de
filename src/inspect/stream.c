#include "inspect/stream.h"

#include <stdlib.h>

#include "base/memory.h"
#include "model/sample.h"

static const uint64_t span_least_ns = 100000000; /* a rate of less would jump */

static int compare(const void *a, const void *b)
{
	const struct stream_past *one = a, *other = b;

	return (one->inode > other->inode) - (one->inode < other->inode);
}

/* A number of a socket is given to another one: that one has carried less. */
static double rate(uint64_t now, uint64_t then, double seconds)
{
	return now == SAMPLE_UNKNOWN || then == SAMPLE_UNKNOWN || now < then ? -1 : (double)(now - then) / seconds;
}

static void add_rates(struct peer_report *peer, const struct stream_past *past, double seconds)
{
	peer->in_rate = rate(peer->in_bytes, past->in_bytes, seconds);
	peer->out_rate = rate(peer->out_bytes, past->out_bytes, seconds);
	peer->resent_rate = rate(peer->resent, past->resent, seconds);
}

static void keep(struct streams *streams, const struct study *study, uint64_t now_ns)
{
	streams->past = memory_resize(streams->past, study->peer_count + 1, sizeof *streams->past);
	streams->count = 0;
	streams->taken_ns = now_ns;
	for (size_t i = 0; i < study->peer_count; i++) {
		const struct peer_report *peer = &study->peers[i];
		if (peer->transport == PEER_TCP && !peer->is_listening)
			streams->past[streams->count++] =
				(struct stream_past){ peer->inode, peer->in_bytes, peer->out_bytes, peer->resent };
	}
	qsort(streams->past, streams->count, sizeof *streams->past, compare);
}

void streams_take(struct streams *streams, struct study *study, uint64_t now_ns)
{
	uint64_t span_ns = now_ns - streams->taken_ns;

	for (size_t i = 0; i < study->peer_count && streams->count && span_ns; i++) {
		struct stream_past wanted = { .inode = study->peers[i].inode };
		const struct stream_past *past = bsearch(&wanted, streams->past, streams->count, sizeof wanted, compare);
		if (past)
			add_rates(&study->peers[i], past, (double)span_ns / 1e9);
	}
	if (!streams->taken_ns || span_ns >= span_least_ns)
		keep(streams, study, now_ns);
}

void streams_finish(struct streams *streams)
{
	free(streams->past);
	*streams = (struct streams){ 0 };
}
