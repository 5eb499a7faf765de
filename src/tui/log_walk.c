#include "tui/log_walk.h"

#include <stdlib.h>
#include <string.h>

void log_sources_finish(struct log_sources *sources)
{
	for (unsigned i = 0; i < sources->count; i++)
		log_source_finish(&sources->items[i]);
	free(sources->items);
	text_finish(&sources->spare);
	*sources = (struct log_sources){ 0 };
}

void log_walk_put(struct log_walk *walk, unsigned source, uint64_t at)
{
	walk->at[source] = at;
	walk->is_known[source] = false;
}

void log_walk_from(struct log_walk *walk, const struct log_walk *other, int direction)
{
	walk->direction = direction;
	memmove(walk->at, other->at, sizeof walk->at);
	memset(walk->is_known, 0, sizeof walk->is_known);
}

/* Who waits does not keep the others from saying what they want. */
static enum log_step look_ahead(struct log_walk *walk, struct log_source *source, unsigned i)
{
	if (walk->is_known[i])
		return LOG_FOUND;
	enum log_step step = walk->direction > 0 ? log_source_after(source, walk->at[i], &walk->places[i])
						 : log_source_before(source, walk->at[i], &walk->places[i]);
	walk->is_known[i] = step == LOG_FOUND;
	return step;
}

/* Of the same time, the order is that of the logs. */
static bool comes_first(const struct log_walk *walk, unsigned a, unsigned b)
{
	return walk->direction > 0 ? walk->places[a].time_us < walk->places[b].time_us
				   : walk->places[a].time_us >= walk->places[b].time_us;
}

enum log_step log_walk_next(struct log_walk *walk, struct log_sources *sources, struct log_met *met)
{
	unsigned best = LOG_SOURCES;
	bool waits = false;

	for (unsigned i = 0; i < sources->count; i++) {
		enum log_step step = look_ahead(walk, &sources->items[i], i);
		waits |= step == LOG_WAITS;
		if (step == LOG_FOUND && (best == LOG_SOURCES || comes_first(walk, i, best)))
			best = i;
	}
	if (waits || best == LOG_SOURCES)
		return waits ? LOG_WAITS : LOG_NONE;
	*met = (struct log_met){ .source = best, .place = walk->places[best] };
	met->text = log_source_text(&sources->items[best], &met->place, &sources->spare, &met->size);
	if (!met->text)
		return LOG_WAITS;
	log_walk_put(walk, best, met->place.offset + (walk->direction > 0 ? met->place.size : 0));
	return LOG_FOUND;
}

uint64_t log_walk_left(const struct log_walk *walk, const struct log_sources *sources)
{
	uint64_t left = 0;

	for (unsigned i = 0; i < sources->count; i++) {
		const struct log_source *source = &sources->items[i];
		uint64_t from = walk->direction > 0 ? walk->at[i] : source->first;
		uint64_t to = walk->direction > 0 ? source->end : walk->at[i];
		left += to > from ? to - from : 0;
	}
	return left;
}
