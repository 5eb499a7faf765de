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

/* A look just now leaves the one before in its place: but a connection that is new is kept at once. */
static struct stream_past to_keep(const struct peer_report *peer, const struct stream_past *past, uint64_t now_ns)
{
	if (past && now_ns - past->taken_ns < span_least_ns)
		return *past;
	return (struct stream_past){ peer->inode, peer->in_bytes, peer->out_bytes, peer->resent, now_ns };
}

void streams_take(struct streams *streams, struct study *study, uint64_t now_ns)
{
	struct stream_past *kept = memory_zeroed(study->peer_count + 1, sizeof *kept);
	size_t count = 0;

	for (size_t i = 0; i < study->peer_count; i++) {
		struct peer_report *peer = &study->peers[i];
		struct stream_past wanted = { .inode = peer->inode };
		if (peer->transport != PEER_TCP || peer->is_listening)
			continue;
		const struct stream_past *past =
			streams->count ? bsearch(&wanted, streams->past, streams->count, sizeof wanted, compare) : NULL;
		if (past && now_ns > past->taken_ns)
			add_rates(peer, past, (double)(now_ns - past->taken_ns) / 1e9);
		kept[count++] = to_keep(peer, past, now_ns);
	}
	qsort(kept, count, sizeof *kept, compare);
	free(streams->past);
	*streams = (struct streams){ kept, count };
}

void streams_finish(struct streams *streams)
{
	free(streams->past);
	*streams = (struct streams){ 0 };
}
