#include "server/samples.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"
#include "protocol/value.h"
#include "server/method.h"

enum { PIECE_MOST = 64 }; /* instances in a message */

/* What a sample on the wire is made of; metrics come with messages, which are counted. */
struct told_sample {
	struct sample sample;
	uint64_t in, out, queued, errors, connections;
	double in_rate, out_rate;
};

/* What is not known is null, never a number. */
static json_t *bytes_or_null(uint64_t bytes)
{
	return bytes == SAMPLE_UNKNOWN ? json_null() : json_integer((json_int_t)bytes);
}

static json_t *describe_machine(const struct machine_sample *machine)
{
	return json_pack("{s:i,s:o,s:o,s:o}", "cpus", (int)machine->cpus, "cpu_pct",
		machine->cpu_pct < 0 ? json_null() : json_real(machine->cpu_pct), "memory_total",
		bytes_or_null(machine->memory_total), "memory_available",
		bytes_or_null(machine->memory_available));
}

static bool is_sampled(const struct member *member)
{
	return member && member->sample.pid && member->sample.pid == member->now.pid;
}

static json_t *describe(const struct member *member, const struct traffic *ipc)
{
	return sample_to_json(member->now.service, member->now.index, &member->sample, ipc);
}

static json_t *describe_all(struct engine *engine)
{
	json_t *list = json_array();

	for (uint32_t seat = 0; seat < engine->store->seat_top; seat++) {
		const struct member *member = engine->members[seat];
		if (!is_sampled(member))
			continue;
		struct traffic ipc = traffic_of_member(member);
		json_array_append_new(list, describe(member, &ipc));
	}
	return json_pack("{s:o,s:o,s:o}", "ts", time_to_json(clock_wall_us()),
		"machine", describe_machine(&engine->sampler.machine), "instances", list);
}

static bool is_inside_alike(const struct inside *a, const struct inside *b)
{
	return a->queue == b->queue && a->busy == b->busy && a->size == b->size && a->utilisation == b->utilisation &&
	       a->lag_ms == b->lag_ms && a->worst_ms == b->worst_ms && a->is_hidden == b->is_hidden;
}

static bool is_sample_alike(const struct sample *a, const struct sample *b)
{
	return a->pid == b->pid && a->starttime == b->starttime && a->cpu_pct == b->cpu_pct && a->rss == b->rss &&
	       a->threads == b->threads && a->fds == b->fds && a->tree_cpu_pct == b->tree_cpu_pct && a->tree_rss == b->tree_rss &&
	       a->tree_processes == b->tree_processes && is_inside_alike(&a->inside, &b->inside);
}

static bool is_traffic_alike(const struct told_sample *told, const struct traffic *ipc)
{
	return told->in == ipc->in && told->out == ipc->out && told->queued == ipc->queued && told->errors == ipc->errors &&
	       told->connections == ipc->connections && told->in_rate == ipc->in_rate && told->out_rate == ipc->out_rate;
}

/* Has it changed? Then it is known as it is now. */
static bool note(struct told_sample *told, const struct sample *sample, const struct traffic *ipc)
{
	if (is_sample_alike(&told->sample, sample) && is_traffic_alike(told, ipc))
		return false;
	*told = (struct told_sample){ *sample, ipc->in, ipc->out, ipc->queued, ipc->errors, ipc->connections,
		ipc->in_rate, ipc->out_rate };
	return true;
}

/* The sessions of one kind: those that want pieces, or those that want all. */
static void tell(struct hall *hall, bool in_pieces, json_t *params)
{
	for (struct session *session = hall->sessions, *next; session; session = next) {
		next = session->next; /* a session may be closed by being told */
		if (session->wants_samples && session->wants_pieces == in_pieces)
			session_notify(session, "sample", json_incref(params));
	}
	json_decref(params);
}

static unsigned count(const struct hall *hall, bool in_pieces)
{
	unsigned number = 0;

	for (const struct session *session = hall->sessions; session; session = session->next)
		number += session->wants_samples && session->wants_pieces == in_pieces;
	return number;
}

/* One that is new is told all once: what it knows may be newer than what was told last, and go back to that. */
static bool greet(struct hall *hall)
{
	bool is_any_new = false;

	for (struct session *session = hall->sessions; session; session = session->next) {
		is_any_new |= session->wants_pieces && !session->knows_samples;
		session->knows_samples = true;
	}
	return is_any_new;
}

static struct told_sample *told_of(struct hall *hall, uint32_t seat)
{
	if (!hall->told_samples)
		hall->told_samples = memory_zeroed(STORE_SEATS, sizeof *hall->told_samples);
	return &hall->told_samples[seat];
}

/* The last piece tells of the machine: with it the pass is over. */
static void tell_pieces(struct hall *hall)
{
	const struct engine *engine = &hall->engine;
	bool is_whole = greet(hall);
	json_t *ts = time_to_json(clock_wall_us()), *list = json_array();

	for (uint32_t seat = 0; seat < engine->store->seat_top; seat++) {
		const struct member *member = engine->members[seat];
		if (!is_sampled(member))
			continue;
		struct traffic ipc = traffic_of_member(member);
		if (!note(told_of(hall, seat), &member->sample, &ipc) && !is_whole)
			continue;
		json_array_append_new(list, describe(member, &ipc));
		if (json_array_size(list) < PIECE_MOST)
			continue;
		tell(hall, true, json_pack("{s:O,s:o}", "ts", ts, "instances", list));
		list = json_array();
	}
	tell(hall, true, json_pack("{s:o,s:o,s:o}", "ts", ts, "machine", describe_machine(&engine->sampler.machine), "instances", list));
}

void samples_tell(struct hall *hall)
{
	if (count(hall, false))
		tell(hall, false, describe_all(&hall->engine));
	if (count(hall, true))
		tell_pieces(hall);
}
