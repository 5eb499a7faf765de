/* Who talks to whom, as it is said, and as people read it. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "model/figure.h"
#include "model/sample.h"
#include "protocol/inside.h"
#include "protocol/value.h"

static json_t *name_or_null(const char *name)
{
	return *name ? text_to_json(name, strlen(name)) : json_null();
}

json_t *map_edge_to_json(const struct map_edge *edge)
{
	json_t *json = peer_to_json(&edge->peer);

	json_object_set_new(json, "from", name_or_null(edge->from));
	json_object_set_new(json, "to", name_or_null(edge->to));
	json_object_set_new(json, "inside", json_boolean(edge->is_inside));
	json_object_set_new(json, "listens", json_boolean(edge->peer.is_listening));
	return json;
}

static void take_name(char *out, size_t size, const json_t *json, const char *key)
{
	const char *name = json_string_value(json_object_get(json, key));

	snprintf(out, size, "%s", name ? name : "");
}

void map_edge_from_json(struct map_edge *edge, const json_t *json)
{
	peer_from_json(&edge->peer, json);
	take_name(edge->from, sizeof edge->from, json, "from");
	take_name(edge->to, sizeof edge->to, json, "to");
	edge->is_inside = json_is_true(json_object_get(json, "inside"));
}

/* ---- for people ---- */

static void put(struct text *out, const char *text)
{
	utf8_append_safe(out, text, strlen(text), false);
}

static void put_bytes(struct text *out, const char *what, uint64_t bytes)
{
	char text[FIGURE_SIZE];

	if (bytes != SAMPLE_UNKNOWN && bytes)
		text_format(out, ", %s %s", figure_size(text, bytes, "?"), what);
}

/* On the wire: nothing is said of what is not known, or nothing. */
static void put_wire(struct text *out, const struct peer_report *peer)
{
	char in[FIGURE_SIZE], sent[FIGURE_SIZE], rtt[FIGURE_SIZE];

	if (peer->in_rate > 0 || peer->out_rate > 0)
		text_format(out, ", in %s/s, out %s/s", figure_speed(in, peer->in_rate, "?"), figure_speed(sent, peer->out_rate, "?"));
	if (peer->rtt_ms >= 0)
		text_format(out, ", there and back in %s ms", figure_ms(rtt, peer->rtt_ms, "?"));
	if (peer->resent != SAMPLE_UNKNOWN && peer->resent)
		text_format(out, ", %" PRIu64 " segments sent again", peer->resent);
}

void map_edge_describe(struct text *out, const struct map_edge *edge)
{
	const struct peer_report *peer = &edge->peer;
	const char *address = *peer->remote ? peer->remote : peer->local;
	const char *arrow = peer->is_listening ? " listens at " : peer->reads && peer->writes ? " <-> "
							  : peer->writes                      ? " -> "
											      : " <- ";

	put(out, edge->from);
	text_puts(out, arrow);
	put(out, peer->is_listening ? peer->local : edge->to);
	text_format(out, "  %s", peer_transport_name(peer->transport));
	if (!peer->is_listening && strcmp(address, edge->to) != 0 && *address) {
		text_putc(out, ' ');
		put(out, address);
	}
	put_bytes(out, "received", peer->in_bytes);
	put_bytes(out, "sent", peer->out_bytes);
	put_bytes(out, "not read", peer->is_listening ? 0 : peer->in_queued);
	put_bytes(out, "not read there", peer->out_queued);
	put_wire(out, peer);
}
